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
    double tau_limit;      /* 95 % upper limit of tau: see mlk_compare_groups; infinity for n = 1 */
    double tau_sd;         /* plain standard deviation of the estimates */
    double wide, wide_err; /* mean weighted by 1/(err^2+tau^2): its error contains the scatter of
                              the models; equal to mean, mean_err for tau = 0 */
    double spread;         /* (max-min)/mean */
} mlk_comparison;

/* kappa, err (n). Errors: MLK_EINVAL n == 0 or an error bar that is not positive and finite. */
mlk_status mlk_compare(size_t n, const double *kappa, const double *err, mlk_comparison *out,
                       mlk_err *e);
/* One tau for several groups (temperatures): group (n) of each estimate, 0 <= group < n_group;
 * every group has its own mean. 95 % interval of tau from the summed Q of all groups; and the 95 %
 * upper limit, the tau that makes so small a Q 20 times less likely than tau = 0 does (CLs: Read,
 * J. Phys. G 28, 2693 (2002)): unlike the end of the interval it does not go to 0 when estimates
 * happen to agree better than their errors. Errors: MLK_EINVAL no group of two, or an error bar
 * that is not positive and finite. */
mlk_status mlk_compare_groups(size_t n, const double *kappa, const double *err, const int *group,
                              int n_group, double *tau_lo, double *tau_hi, double *tau_limit,
                              mlk_err *e);
/* tau_naive/tau_corrected; infinite when only the corrected tau is 0, NaN when both are. */
double mlk_compare_reduction(const mlk_comparison *naive, const mlk_comparison *corrected);

#endif
