/* cpu.c - see cpu.h. */
#include "core/cpu.h"

#include <stdlib.h>
#include <string.h>

static int level = -1;

static int detect(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        return MLK_SIMD_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return MLK_SIMD_AVX2;
#endif
    return MLK_SIMD_SCALAR;
}

int mlk_cpu_set_level(int want)
{
    int best = detect();
    level = want < 0 ? 0 : want < best ? want : best;
    return level;
}

int mlk_cpu_level(void)
{
    if (level < 0) {
        const char *env = getenv("MLK_SIMD");
        int want = MLK_SIMD_AVX512;
        if (env)
            for (int k = 0; k < 3; k++)
                if (!strcmp(env, mlk_cpu_level_name(k))) want = k;
        mlk_cpu_set_level(want);
    }
    return level;
}

const char *mlk_cpu_level_name(int k)
{
    static const char *const names[] = {"scalar", "avx2", "avx512"};
    return k >= 0 && k < 3 ? names[k] : "?";
}
