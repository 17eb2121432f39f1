/* Sixteen virtual lanes: the machine that the training kernels are written for.
 *
 * One of lanes_avx512.h (1 x 16), lanes_avx2.h (2 x 8) or lanes_scalar.h (loops) is included
 * through LANES_HEADER; each defines the same operations with the same bits:
 *
 *   lanes  16 IEEE binary32          load store set add sub mul div sqrt fma min max
 *   ints   16 int32, wrapping        load store set add sub mul min max and or left right
 *
 *   lanes_fma(a, b, c)            a * b + c, rounded once
 *   lanes_min(a, b)               a < b ? a : b        (b where one is NaN), max likewise
 *   lanes_greater(a, b, x, y)     a > b ? x : y        lanes_equal likewise
 *   ints_right(a, n)              floor(a / 2^n), 0 <= n <= 31
 *   ints_pairs(a, b)              low int16 x low int16 + high int16 x high int16
 *   ints_from_lanes(a)            round half to even; |a| < 2^31
 *   lanes_as_ints, ints_as_lanes  the same bits
 *   ints_store_short(p, a)        16 int16; the values fit
 *   lanes_sums(p)                 lane l of the result is the sum over vector p[16 l .. 16 l + 15]
 *                                 in the one order there is: lanes (i, i+8), then (i, i+4),
 *                                 (i, i+2), (i, i+1)
 *
 * LANES_TILE_ROWS x LANES_TILE_GROUPS, and LANES_OUTER squared, accumulators fit the machine's
 * registers; the tiling never changes a result, because every sum has its own accumulator and runs
 * over its terms in order.
 */
#ifndef MOTE_TRAIN_LANES_H
#define MOTE_TRAIN_LANES_H

/* Sanitizers put checks into every access: straight-line tiles of inlined operations would take
 * minutes to compile, so those builds get calls, and tiles of one vector. */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer) ||             \
    __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define LANES_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LANES_SANITIZED
#endif

#ifdef LANES_SANITIZED
#define LANES_UNROLL
#define LANES_INLINE    static inline
#define LANES_OPERATION static __attribute__((noinline, unused))
#else
/* Inner loops over tiles have constant bounds and must become straight code. */
#ifdef __clang__
#define LANES_UNROLL _Pragma("clang loop unroll(full)")
#else
#define LANES_UNROLL _Pragma("GCC unroll 16")
#endif
#define LANES_INLINE    static inline __attribute__((always_inline))
#define LANES_OPERATION static inline /* one operation on lanes or ints */
#endif

#include LANES_HEADER

#ifdef LANES_SANITIZED
#undef LANES_TILE_ROWS
#undef LANES_TILE_GROUPS
#undef LANES_OUTER
#define LANES_TILE_ROWS   1
#define LANES_TILE_GROUPS 1
#define LANES_OUTER       1
#endif

/* e^x, relative error below 1e-7; x is clamped to -87..88.  x = n ln 2 + r, minimax polynomial in
 * r by Chebyshev interpolation, 2^n through the exponent bits. */
LANES_OPERATION lanes lanes_exp(lanes x)
{
    x = lanes_min(lanes_max(x, lanes_set(-87.0F)), lanes_set(88.0F));
    ints n = ints_from_lanes(lanes_mul(x, lanes_set(0x1.715476p0F)));
    lanes whole = lanes_from_ints(n);
    lanes r = lanes_fma(whole, lanes_set(-0x1.62p-1F), x);
    r = lanes_fma(whole, lanes_set(-0.00174093056F), r);
    lanes p = lanes_set(0.001392625083F);
    p = lanes_fma(p, r, lanes_set(0.008363232884F));
    p = lanes_fma(p, r, lanes_set(0.04166655421F));
    p = lanes_fma(p, r, lanes_set(0.1666657667F));
    p = lanes_fma(p, r, lanes_set(0.5F));
    p = lanes_fma(lanes_mul(r, r), p, lanes_add(r, lanes_set(1.0F)));
    return lanes_mul(p, ints_as_lanes(ints_left(ints_add(n, ints_set(127)), 23)));
}

/* ln x of normal x > 0, error below 1e-7 relative or absolute.  x = m 2^e with m in
 * sqrt(1/2)..sqrt(2), minimax polynomial in f = m - 1 by Chebyshev interpolation. */
LANES_OPERATION lanes lanes_log(lanes x)
{
    ints bits = lanes_as_ints(x);
    ints exponent = ints_right(ints_sub(bits, ints_set(0x3f3504f3)), 23);
    lanes f = lanes_sub(ints_as_lanes(ints_sub(bits, ints_left(exponent, 23))), lanes_set(1.0F));
    lanes p = lanes_set(0.06971611471F);
    p = lanes_fma(p, f, lanes_set(-0.1147973385F));
    p = lanes_fma(p, f, lanes_set(0.1168541992F));
    p = lanes_fma(p, f, lanes_set(-0.1242568733F));
    p = lanes_fma(p, f, lanes_set(0.1424905765F));
    p = lanes_fma(p, f, lanes_set(-0.1666780232F));
    p = lanes_fma(p, f, lanes_set(0.2000071575F));
    p = lanes_fma(p, f, lanes_set(-0.2499999696F));
    p = lanes_fma(p, f, lanes_set(0.3333333118F));
    lanes square = lanes_mul(f, f);
    lanes e = lanes_from_ints(exponent);
    lanes tail = lanes_fma(p, lanes_mul(square, f), lanes_mul(square, lanes_set(-0.5F)));
    tail = lanes_fma(e, lanes_set(0.00174093056F), tail);
    return lanes_fma(e, lanes_set(0x1.62p-1F), lanes_add(f, tail));
}

#endif
