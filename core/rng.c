/* rng.c - see rng.h. */
#include "core/rng.h"

#include <math.h>

#include "core/units.h"

static uint64_t mix(uint64_t v)
{
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u;
    v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
    return v ^ (v >> 31);
}

mlk_rng mlk_rng_make(uint64_t seed, uint64_t stream)
{
    return (mlk_rng){.seed = seed, .stream = stream, .counter = 0};
}

uint64_t mlk_rng_u64(mlk_rng *g)
{
    uint64_t key = mix(mix(g->seed + 0x9e3779b97f4a7c15u) ^ (g->stream * 0xd1b54a32d192ed03u));
    return mix(mix(key + ++g->counter * 0x9e3779b97f4a7c15u) + key);
}

double mlk_rng_uniform(mlk_rng *g)
{
    return ((double)(mlk_rng_u64(g) >> 11) + 0.5) * 0x1p-53;
}

double mlk_rng_normal(mlk_rng *g)
{
    double a = mlk_rng_uniform(g), b = mlk_rng_uniform(g);
    return sqrt(-2 * log(a)) * cos(2 * MLK_PI * b);
}

double mlk_rng_chi2(mlk_rng *g, size_t n)
{
    if (n == 0) return 0;
    if (n < 3) {
        double s = 0;
        for (size_t i = 0; i < n; i++) {
            double r = mlk_rng_normal(g);
            s += r * r;
        }
        return s;
    }
    double d = 0.5 * (double)n - 1.0 / 3.0, c = 1 / sqrt(9 * d);
    for (;;) {
        double r = mlk_rng_normal(g), v = 1 + c * r;
        if (v <= 0) continue;
        v = v * v * v;
        if (log(mlk_rng_uniform(g)) < 0.5 * r * r + d - d * v + d * log(v)) return 2 * d * v;
    }
}

size_t mlk_rng_below(mlk_rng *g, size_t n)
{
    size_t k = (size_t)(mlk_rng_uniform(g) * (double)n);
    return k < n ? k : n - 1;
}
