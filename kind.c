#include "kind.h"
int main(void) { const uint8_t in[2] = {9, 1}; return kind_selftest() || kind_classify(in); }
