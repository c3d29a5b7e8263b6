/* cpu.h - one choice of SIMD level for the whole program; and the stamp that makes the variants.
 *
 * A kernel body is written once, as a static always-inline function; MLK_KERNEL3 stamps a scalar,
 * an AVX2 and an AVX-512 instance of it. The caller indexes a 3-entry table with mlk_cpu_level().
 *
 *   static inline MLK_BODY void axpy_body(size_t n, double a, const double *x, double *y) {...}
 *   MLK_KERNEL3(void, axpy, (size_t n, double a, const double *x, double *y), (n, a, x, y))
 *   ... axpy_table[mlk_cpu_level()](n, a, x, y);
 *
 * The binary stays baseline x86-64. Kernel files are named k_*.c and get -O3 -ffp-contract=fast
 * -fno-math-errno -fno-trapping-math from the Makefile. */
#ifndef MLK_CORE_CPU_H
#define MLK_CORE_CPU_H

enum { MLK_SIMD_SCALAR, MLK_SIMD_AVX2, MLK_SIMD_AVX512 };

/* The best level this CPU has, lowered by the environment variable MLK_SIMD=scalar|avx2|avx512. */
int mlk_cpu_level(void);
/* Force a level for tests (not above what the CPU has); returns the level now in force. */
int mlk_cpu_set_level(int level);
const char *mlk_cpu_level_name(int level);

#define MLK_BODY __attribute__((always_inline))
#if defined(__x86_64__)
#define MLK_TARGET_AVX2 __attribute__((target("avx2,fma")))
#if defined(__clang__) /* does not know the width, and would drop the whole attribute */
#define MLK_TARGET_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")))
#else
#define MLK_TARGET_AVX512                                                                          \
    __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prefer-vector-width=512")))
#endif
#else
#define MLK_TARGET_AVX2
#define MLK_TARGET_AVX512
#endif
#define MLK_KERNEL3(ret, name, params, args)                                                       \
    static ret name##_scalar params                                                                \
    {                                                                                              \
        return name##_body args;                                                                   \
    }                                                                                              \
    MLK_TARGET_AVX2 static ret name##_avx2 params                                                  \
    {                                                                                              \
        return name##_body args;                                                                   \
    }                                                                                              \
    MLK_TARGET_AVX512 static ret name##_avx512 params                                              \
    {                                                                                              \
        return name##_body args;                                                                   \
    }                                                                                              \
    static ret(*const name##_table[3]) params = {name##_scalar, name##_avx2, name##_avx512};

#endif
