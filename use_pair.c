#include "pair.h"
int main(void)
{
    const uint8_t in[2] = {10, 20};
    int16_t out[1];
    pair_predict(in, out);
    return pair_selftest() != 0 || out[0] != 50;
}
