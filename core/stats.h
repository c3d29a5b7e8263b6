/* stats.h - small statistics: special functions, moments, straight lines. */
#ifndef MLK_CORE_STATS_H
#define MLK_CORE_STATS_H

#include <stddef.h>

/* psi(x) = d ln Gamma/dx and psi'(x), x > 0; relative error below 1e-14. NaN for x <= 0. */
double mlk_digamma(double x);
double mlk_trigamma(double x);
/* Regularised upper incomplete gamma function Q(a,x), a > 0, x >= 0. */
double mlk_gamma_q(double a, double x);
/* P(chi^2 with dof degrees of freedom > x); 1 for x <= 0. */
double mlk_chi2_sf(double x, double dof);
/* P(standard normal > z). */
double mlk_normal_sf(double z);
/* P(|T| <= t) of Student's t with a whole number of degrees of freedom >= 1, t >= 0. */
double mlk_student_within(double t, int dof);
/* The t with P(|T| <= t) = p, 0 <= p < 1. NaN outside. */
double mlk_student_interval(double p, int dof);

/* 0 for n = 0. */
double mlk_mean(size_t n, const double *x);
/* Unbiased variance; 0 for n < 2. */
double mlk_variance(size_t n, const double *x);
/* Standard error of the mean; 0 for n < 2. */
double mlk_sem(size_t n, const double *x);
/* Median; x is reordered. NaN for n = 0. */
double mlk_median(size_t n, double *x);
/* Spearman's rank correlation, ties by mean ranks. NaN when n < 2, a side does not vary or memory
 * is exhausted. */
double mlk_spearman(size_t n, const double *x, const double *y);

typedef struct mlk_line {
    double a, b; /* y = a + b x */
    double a_err,
        b_err;   /* standard errors: from w when given (w = 1/variance), else from residuals */
    double chi2; /* weighted sum of squared residuals */
} mlk_line;
/* Least squares; w may be NULL (equal weights). All NaN when n < 2 or x does not vary. */
mlk_line mlk_line_fit(size_t n, const double *x, const double *y, const double *w);

#endif
