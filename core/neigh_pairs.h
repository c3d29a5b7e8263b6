/* neigh_pairs.h - the two inner loops of neigh.c, for every instruction set. No product is
 * contracted with a sum here (not a k_*.c file), so that a pair and its reverse agree to the bit.
 */
#ifndef MLK_CORE_NEIGH_PAIRS_H
#define MLK_CORE_NEIGH_PAIRS_H

#include "core/neigh.h"

/* d2[a] = |x[.][a] - from + shift|^2 for a < n; x three arrays; from, shift (3). */
void mlk_neigh_distances(size_t n, const double *const x[3], const double *from,
                         const double *shift, double *d2);
/* nl->r of the pairs of the centres [i0,i1) at x. */
void mlk_neigh_vectors(mlk_neigh *nl, const mlk_cell *cell, const double (*x)[3], size_t i0,
                       size_t i1);

#endif
