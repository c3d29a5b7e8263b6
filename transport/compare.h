/* compare.h - do several models (or runs) agree? Meta-analysis of estimates with error bars. */
#ifndef MLK_TRANSPORT_COMPARE_H
#define MLK_TRANSPORT_COMPARE_H

#include <stddef.h>

#include "core/err.h"

typedef struct mlk_comparison {
    size_t n;
    double mean, mean_err; /* weighted by 1/err^2 */
    double q, p_value;     /* sum (x-mean)^2/err^2 and its chance under chi^2(n-1); p 1 for n = 1 */
    double tau;            /* between-model standard deviation, DerSimonian & Laird 1986 */
    double tau_lo, tau_hi; /* 95 % interval of tau, by the profile of Q: Viechtbauer, Stat. Med. 26,
                              37 (2007); 0 and infinity for n = 1 */
    double tau_sd;         /* plain standard deviation of the estimates */
    double spread;         /* (max-min)/mean */
} mlk_comparison;

/* kappa, err (n). Errors: MLK_EINVAL n == 0 or an error bar that is not positive and finite. */
mlk_status mlk_compare(size_t n, const double *kappa, const double *err, mlk_comparison *out,
                       mlk_err *e);
/* tau_naive/tau_corrected; infinite when only the corrected tau is 0, NaN when both are. */
double mlk_compare_reduction(const mlk_comparison *naive, const mlk_comparison *corrected);

#endif
