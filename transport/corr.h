/* corr.h - time correlation functions by FFT. */
#ifndef MLK_TRANSPORT_CORR_H
#define MLK_TRANSPORT_CORR_H

#include <stddef.h>

#include "core/err.h"
#include "core/flux.h"

/* C_ab(k) = 1/nc sum_c 1/(n-k) sum_t [x_a(t+k) x_b(t) + x_b(t+k) x_a(t)]/2, k = 0..nlag-1:
 * unbiased, means not removed, symmetric in a, b. n          samples m, nc      fluxes, Cartesian
 * components of each x          (m*nc) component c of flux a is x[a*nc+c], n samples
 *   nlag       1..n
 *   out        (m*(m+1)/2, nlag): pair (a,b), a <= b, at row mlk_corr_row(m,a,b)
 * Errors: MLK_EINVAL; MLK_ENOMEM. Cost O(m n log nlag + m^2 n). */
mlk_status mlk_corr(size_t n, size_t m, size_t nc, const double *const *x, size_t nlag, double *out,
                    mlk_err *e);
/* The same of a run that goes through in pieces, each with sums of its own. Memory is some nlag
 * samples per series, however long the run is. */
typedef struct mlk_corr_work {
    size_t m, nc, nlag;
    void *own;
} mlk_corr_work;
/* len: samples of a typical piece. Errors as above. */
mlk_status mlk_corr_begin(mlk_corr_work *w, size_t len, size_t m, size_t nc, size_t nlag,
                          mlk_err *e);
/* The next n samples of the run: sums (m*(m+1)/2, nlag) over the pairs of samples inside this
 * piece; pieces between the first and the last have at least nlag samples. fl: whose samples x are
 * (mlk_flux_release is called on the way), or NULL. */
void mlk_corr_piece(mlk_corr_work *w, size_t n, const double *const *x, const mlk_flux *fl,
                    double *sums);
/* The run is over: add to sums the pairs that reach from one piece into the next. */
void mlk_corr_between(mlk_corr_work *w, double *sums);
/* Sums over n samples -> C_ab(k). */
void mlk_corr_normalise(const mlk_corr_work *w, size_t n, double *sums);
void mlk_corr_end(mlk_corr_work *w);
/* Row of the pair (a,b) in any order. */
size_t mlk_corr_row(size_t m, size_t a, size_t b);
/* Running trapezoidal integral: out[k] = dt (c_0/2 + c_1 + ... + c_{k-1} + c_k/2), out[0] = 0. */
void mlk_corr_integral(size_t n, const double *c, double dt, double *out);

#endif
