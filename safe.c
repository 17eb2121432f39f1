#include "safe.h"
int evil(void) { return 0; }
int main(void) { return evil() || safe_selftest(); }
