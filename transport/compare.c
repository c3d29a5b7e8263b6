/* compare.c - see compare.h. DerSimonian & Laird, Control. Clin. Trials 7, 177 (1986). */
#include "transport/compare.h"

#include <math.h>
#include <string.h>

#include "core/stats.h"

typedef struct sample {
    size_t n;
    const double *x, *err;
    const int *group; /* NULL: one group */
    int n_group;
} sample;

/* weighted sums of a group when the models differ by tau; how many it has */
static size_t sums(const sample *s, int group, double tau, double *sw, double *swx)
{
    size_t n = 0;
    *sw = *swx = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->group && s->group[i] != group) continue;
        double w = 1 / (s->err[i] * s->err[i] + tau * tau);
        *sw += w, *swx += w * s->x[i], n++;
    }
    return n;
}

/* Q about the weighted means when the models differ by tau, and its degrees of freedom */
static double total(const sample *s, double tau, double *dof)
{
    double q = 0;
    *dof = 0;
    for (int g = 0; g < s->n_group; g++) {
        double sw, swx;
        size_t n = sums(s, g, tau, &sw, &swx);
        if (n < 2) continue;
        *dof += (double)(n - 1);
        for (size_t i = 0; i < s->n; i++) {
            if (s->group && s->group[i] != g) continue;
            double d = s->x[i] - swx / sw;
            q += d * d / (s->err[i] * s->err[i] + tau * tau);
        }
    }
    return q;
}

/* chance of a larger Q; -1: nothing to compare */
static double profile(const sample *s, double tau)
{
    double dof, q = total(s, tau, &dof);
    return dof > 0 ? mlk_chi2_sf(q, dof) : -1;
}

/* chance of so small a Q with tau over that without; for tiny Q both go as Q^(dof/2) */
static double cls(const sample *s, double tau)
{
    double dof, q0 = total(s, 0, &dof), q = total(s, tau, &dof);
    double p0 = 1 - mlk_chi2_sf(q0, dof);
    if (q0 <= 0) return tau > 0 ? 0 : 1;
    return p0 > 1e-9 ? (1 - mlk_chi2_sf(q, dof)) / p0 : pow(q / q0, dof / 2);
}

static double limit(const sample *s)
{
    double lo = 0, hi = s->err[0];
    while (cls(s, hi) > 0.05) lo = hi, hi *= 2;
    for (int k = 0; k < 60; k++) {
        double mid = 0.5 * (lo + hi);
        if (cls(s, mid) > 0.05)
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}

/* the tau at which that chance is p; it rises with tau */
static double tau_at(const sample *s, double p)
{
    double lo = 0, hi = s->err[0];
    if (profile(s, 0) >= p) return 0;
    while (profile(s, hi) < p) lo = hi, hi *= 2;
    for (int k = 0; k < 60; k++) {
        double mid = 0.5 * (lo + hi);
        if (profile(s, mid) < p)
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}

static mlk_status check(size_t n, const double *kappa, const double *err, mlk_err *e)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(kappa[i]) || !(err[i] > 0) || !isfinite(err[i]))
            return MLK_FAIL(e, MLK_EINVAL,
                            "estimate %zu is %g +- %g: an error bar must be positive", i + 1,
                            kappa[i], err[i]);
    return MLK_OK;
}

mlk_status mlk_compare_groups(size_t n, const double *kappa, const double *err, const int *group,
                              int n_group, double *tau_lo, double *tau_hi, double *tau_limit,
                              mlk_err *e)
{
    const sample s = {n, kappa, err, group, n_group};
    MLK_TRY(check(n, kappa, err, e));
    if (n == 0 || profile(&s, 0) < 0) return MLK_FAIL(e, MLK_EINVAL, "nothing to compare");
    *tau_lo = tau_at(&s, 0.025), *tau_hi = tau_at(&s, 0.975), *tau_limit = limit(&s);
    return MLK_OK;
}

mlk_status mlk_compare(size_t n, const double *kappa, const double *err, mlk_comparison *out,
                       mlk_err *e)
{
    memset(out, 0, sizeof *out);
    if (n == 0) return MLK_FAIL(e, MLK_EINVAL, "nothing to compare");
    MLK_TRY(check(n, kappa, err, e));
    double sw = 0, sw2 = 0, swx = 0, lo = kappa[0], hi = kappa[0];
    for (size_t i = 0; i < n; i++) {
        double w = 1 / (err[i] * err[i]);
        sw += w, sw2 += w * w, swx += w * kappa[i];
        lo = fmin(lo, kappa[i]), hi = fmax(hi, kappa[i]);
    }
    out->n = n;
    out->mean = swx / sw;
    out->mean_err = sqrt(1 / sw);
    for (size_t i = 0; i < n; i++) {
        double d = (kappa[i] - out->mean) / err[i];
        out->q += d * d;
    }
    out->p_value = n > 1 ? mlk_chi2_sf(out->q, (double)(n - 1)) : 1;
    if (n > 1) out->tau = sqrt(fmax(0, (out->q - (double)(n - 1)) / (sw - sw2 / sw)));
    const sample all = {n, kappa, err, NULL, 1};
    out->tau_lo = n > 1 ? tau_at(&all, 0.025) : 0;
    out->tau_hi = n > 1 ? tau_at(&all, 0.975) : INFINITY;
    out->tau_limit = n > 1 ? limit(&all) : INFINITY;
    double wide, wide_x;
    sums(&all, 0, out->tau, &wide, &wide_x);
    out->wide = wide_x / wide, out->wide_err = sqrt(1 / wide);
    out->tau_sd = sqrt(mlk_variance(n, kappa));
    out->spread = (hi - lo) / out->mean;
    return MLK_OK;
}

double mlk_compare_reduction(const mlk_comparison *naive, const mlk_comparison *corrected)
{
    return naive->tau / corrected->tau;
}
