/* lagmatrix.h - matrix of time-domain transport integrals of fluxes, with what is
 * needed for jackknife errors of anything computed from it. */
#ifndef MLK_TRANSPORT_LAGMATRIX_H
#define MLK_TRANSPORT_LAGMATRIX_H

#include <stddef.h>

#include "core/err.h"
#include "core/flux.h"

typedef struct mlk_lagmatrix {
    size_t m, n_block;
    double *all;  /* (m,m) owned [flux^2 fs] */
    double *left; /* (n_block,m,m) the same with one block of the data left out; in `all` */
} mlk_lagmatrix;

/* All zero. Errors: MLK_ENOMEM. */
mlk_status mlk_lagmatrix_init(mlk_lagmatrix *lm, size_t m, size_t n_block, mlk_err *e);
/* Samples in a block: about ten blocks in all, at least one per run. */
size_t mlk_lag_block(const mlk_flux *fl);
/* Fluxes are given as series x (m*fl->nc): component c of flux a is x[a*nc+c], fl->n samples; fl
 * says what the runs are and whom the samples belong to. */

/* Green-Kubo: `all` is the trapezoidal integral to lag k, `left` that to lag k_err (an error read
 * further out covers what was cut off). Errors: MLK_EINVAL lag beyond half a block; MLK_ENOMEM. */
mlk_status mlk_lagmatrix_integral(mlk_lagmatrix *lm, const mlk_flux *fl, size_t m,
                                  const double *const *x, size_t k, size_t k_err, mlk_err *e);
/* Helfand-Einstein: half the least-squares slope, over lags k1..k2, of
 * <(R_a(t)-R_a(0)) (R_b(t)-R_b(0))> per component, R_a the running sum of J_a dt. Errors as above.
 */
mlk_status mlk_lagmatrix_slope(mlk_lagmatrix *lm, const mlk_flux *fl, size_t m,
                               const double *const *x, size_t k1, size_t k2, mlk_err *e);
void mlk_lagmatrix_free(mlk_lagmatrix *lm);

/* A number computed from a matrix (m,m). */
typedef double mlk_lagfunc(size_t m, const double *a, const void *arg);
/* f of the matrix and its jackknife standard error. */
double mlk_lagmatrix_value(const mlk_lagmatrix *lm, mlk_lagfunc *f, const void *arg, double *err);

#endif
