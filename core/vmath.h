/* vmath.h - elementary functions that vectorise: no branches, no tables, no calls, so that gcc
 * turns a `#pragma omp simd` loop over them into vector code (libm's do not without -ffast-math).
 * Accuracy is tested against libm in tests/unit/test_vmath.c; NaN in gives NaN out. */
#ifndef MLK_CORE_VMATH_H
#define MLK_CORE_VMATH_H

#include <stdint.h>
#include <string.h>

#include "core/units.h"

#define MLK_VMATH static inline __attribute__((always_inline))

/* y = n ln2 + r with |r| <= ln2/2; returns 2^n, *p = e^r - 1. |y| <= 700. */
MLK_VMATH double mlk_vexp_split(double y, double *p)
{
    const double shifter = 0x1.8p52;
    double t = y * 1.44269504088896340736 + shifter, n = t - shifter;
    double r = (y - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
    double a = 1.0 / 6227020800;
    a = a * r + 1.0 / 479001600;
    a = a * r + 1.0 / 39916800;
    a = a * r + 1.0 / 3628800;
    a = a * r + 1.0 / 362880;
    a = a * r + 1.0 / 40320;
    a = a * r + 1.0 / 5040;
    a = a * r + 1.0 / 720;
    a = a * r + 1.0 / 120;
    a = a * r + 1.0 / 24;
    a = a * r + 1.0 / 6;
    a = a * r + 0.5;
    *p = a * r * r + r;
    uint64_t bits;
    memcpy(&bits, &t, sizeof bits);
    bits = (bits << 52) + (UINT64_C(1023) << 52);
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    return scale;
}

/* tanh, from expm1(2|x|)/(expm1(2|x|)+2). */
MLK_VMATH double mlk_vtanh(double x)
{
    double p, a = __builtin_fabs(x), y = a + a;
    y = y > 44 ? 44 : y;
    double s = mlk_vexp_split(y, &p), m = s * p + (s - 1);
    return __builtin_copysign(m / (m + 2), x);
}

/* Cosine cutoff f = (1 + cos(pi x))/2 for 0 <= x <= 1, and its derivative d with respect to x; T is
 * double or a vector of doubles. With y = (pi/2)(x - 1/2): f = (cos y - sin y)^2/2. */
#define MLK_CUTOFF(T, x, f, d)                                                                     \
    do {                                                                                           \
        T y_ = 0.5 * MLK_PI * ((x)-0.5), z_ = y_ * y_;                                             \
        T s_ = z_ * (-1.0 / 1307674368000.0) + 1.0 / 6227020800.0; /* 15!, 13! */                  \
        s_ = s_ * z_ - 1.0 / 39916800;                                                             \
        s_ = s_ * z_ + 1.0 / 362880;                                                               \
        s_ = s_ * z_ - 1.0 / 5040;                                                                 \
        s_ = s_ * z_ + 1.0 / 120;                                                                  \
        s_ = s_ * z_ - 1.0 / 6;                                                                    \
        s_ = s_ * z_ * y_ + y_;                                                                    \
        T c_ = z_ * (1.0 / 20922789888000.0) - 1.0 / 87178291200.0; /* 16!, 14! */                 \
        c_ = c_ * z_ + 1.0 / 479001600;                                                            \
        c_ = c_ * z_ - 1.0 / 3628800;                                                              \
        c_ = c_ * z_ + 1.0 / 40320;                                                                \
        c_ = c_ * z_ - 1.0 / 720;                                                                  \
        c_ = c_ * z_ + 1.0 / 24;                                                                   \
        c_ = c_ * z_ - 0.5;                                                                        \
        c_ = c_ * z_ + 1;                                                                          \
        T m_ = c_ - s_;                                                                            \
        (f) = 0.5 * m_ * m_;                                                                       \
        (d) = -0.5 * MLK_PI * m_ * (c_ + s_);                                                      \
    } while (0)

#endif
