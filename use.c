#include "lean.h"
int main(void)
{
    const uint8_t in[2] = {10, 20};
    int16_t out[1];
    lean_predict(in, out);
    return lean_selftest() != 0 || out[0] != 50;
}
