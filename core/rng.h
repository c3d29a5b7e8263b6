/* rng.h - counter-based random numbers: the k-th number of stream (seed, stream) never depends on
 * how many were drawn before, on threads or on platform. Mixer: two rounds of SplitMix64 finalisers
 * (Steele, Lea, Flood, OOPSLA 2014). Not for cryptography. */
#ifndef MLK_CORE_RNG_H
#define MLK_CORE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct mlk_rng {
    uint64_t seed, stream, counter; /* plain value: save and restore by copying */
} mlk_rng;

mlk_rng mlk_rng_make(uint64_t seed, uint64_t stream);
uint64_t mlk_rng_u64(mlk_rng *g);
/* Uniform in (0,1), never an end. */
double mlk_rng_uniform(mlk_rng *g);
/* Standard normal (Box-Muller, both numbers of a pair are not cached: stateless but for counter).
 */
double mlk_rng_normal(mlk_rng *g);
/* Sum of the squares of n standard normals (Gamma for large n: Marsaglia-Tsang). */
double mlk_rng_chi2(mlk_rng *g, size_t n);
/* Uniform integer in [0, n), n > 0. */
size_t mlk_rng_below(mlk_rng *g, size_t n);

#endif
