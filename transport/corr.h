/* corr.h - time correlation functions by FFT. */
#ifndef MLK_TRANSPORT_CORR_H
#define MLK_TRANSPORT_CORR_H

#include <stddef.h>

#include "core/err.h"

/* C_ab(k) = 1/nc sum_c 1/(n-k) sum_t [x_a(t+k) x_b(t) + x_b(t+k) x_a(t)]/2, k = 0..nlag-1:
 * unbiased, means not removed, symmetric in a, b. n          samples m, nc      fluxes, Cartesian
 * components of each x          (m*nc) component c of flux a is x[a*nc+c], n samples
 *   nlag       1..n
 *   out        (m*(m+1)/2, nlag): pair (a,b), a <= b, at row mlk_corr_row(m,a,b)
 * Errors: MLK_EINVAL; MLK_ENOMEM. Cost O(m n log n + m^2 n). */
mlk_status mlk_corr(size_t n, size_t m, size_t nc, const double *const *x, size_t nlag, double *out,
                    mlk_err *e);
/* The same for several stretches of one length: begin once, run often, end. */
typedef struct mlk_corr_work {
    size_t n, m, nc, nlag;
    void *own;
} mlk_corr_work;
mlk_status mlk_corr_begin(mlk_corr_work *w, size_t n, size_t m, size_t nc, size_t nlag, mlk_err *e);
void mlk_corr_run(mlk_corr_work *w, const double *const *x, double *out);
void mlk_corr_end(mlk_corr_work *w);
/* Row of the pair (a,b) in any order. */
size_t mlk_corr_row(size_t m, size_t a, size_t b);
/* Running trapezoidal integral: out[k] = dt (c_0/2 + c_1 + ... + c_{k-1} + c_k/2), out[0] = 0. */
void mlk_corr_integral(size_t n, const double *c, double dt, double *out);

#endif
