/* k_force.h - from pair partials to forces and per-atom virials (private to potential.c). */
#ifndef MLK_POTENTIALS_K_FORCE_H
#define MLK_POTENTIALS_K_FORCE_H

#include <stdbool.h>

#include "core/neigh.h"

/* Doubles per atom of a row of sums: force x y z, a pad; with W also the three rows of W, padded
 * alike. */
enum { MLK_FORCE_ROW = 4, MLK_FORCE_ROW_W = 16 };

/* row_i += sum_j p_ij and row_j -= p_ij over the pairs of the centres [i0,i1); with W also W_j -=
 * r_ij (x) p_ij. p as written by a model's eval, from pair start[i0] on. Returns the number of
 * pairs. */
typedef size_t mlk_force_fn(const mlk_neigh *nl, size_t i0, size_t i1, double *const p[3],
                            double *row);
mlk_force_fn *mlk_force_kernel(bool with_w); /* for mlk_cpu_level() */
/* to += from, from = 0 */
void mlk_force_drain(size_t n, double *from, double *to);

#endif
