/* snes.h - separable natural evolution strategy: minimises a function of n numbers from its values
 * alone. A normal distribution of independent widths is moved and reshaped along the natural
 * gradient of the expected rank.
 *   Schaul, Glasmachers, Schmidhuber, GECCO 2011; Wierstra et al., J. Mach. Learn. Res. 15, 949
 *   (2014); for potentials Fan et al., Phys. Rev. B 104, 104309 (2021).
 * Parameters may belong to groups, each ranked by values of its own (species of a NEP). */
#ifndef MLK_TRAIN_SNES_H
#define MLK_TRAIN_SNES_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

typedef struct mlk_snes {
    size_t n, n_pop, n_group;
    double *mu, *sigma; /* (n) centre and widths of the search                          */
    double *s;          /* (n_pop,n) standard normal numbers of this generation         */
    double *utility;    /* (n_pop) of ranks, best first; sum 0                          */
    const int *group;   /* (n) in [0,n_group), borrowed                                 */
    double eta;         /* learning rate of log sigma; that of mu is 1                  */
    size_t *rank;       /* (n_group,n_pop)                                              */
    uint64_t seed;
    int64_t generation; /* finished ones; with mu and sigma all that a checkpoint needs */
} mlk_snes;

/* mu (n) is copied; all widths begin at sigma. group: as above (all zero with n_group 1). eta is
 * (3 + ln m)/(10 sqrt m) with m the size of the largest group: half of what Schaul et al. give, as
 * in GPUMD. Errors: MLK_ENOMEM, MLK_EINVAL n_pop < 4. */
mlk_status mlk_snes_init(mlk_snes *s, size_t n, size_t n_pop, size_t n_group, const int *group,
                         const double *mu, double sigma, uint64_t seed, mlk_err *e);
void mlk_snes_free(mlk_snes *s);
/* Numbers of the next generation, drawn from (seed, generation, individual): the same for any
 * number of threads and after a restart. */
void mlk_snes_draw(mlk_snes *s);
/* x (n) of individual p of this generation. */
void mlk_snes_individual(const mlk_snes *s, size_t p, double *x);
/* Move mu and sigma; f (n_group,n_pop) values to minimise (a NaN ranks last; equal values by
 * number). Ends the generation. */
void mlk_snes_update(mlk_snes *s, const double *f);

#endif
