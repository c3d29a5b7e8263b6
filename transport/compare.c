/* compare.c - see compare.h. DerSimonian & Laird, Control. Clin. Trials 7, 177 (1986). */
#include "transport/compare.h"

#include <math.h>
#include <string.h>

#include "core/stats.h"

/* chance of a larger Q about the weighted mean when the models differ by tau */
static double profile(size_t n, const double *x, const double *err, double tau)
{
    double sw = 0, swx = 0, q = 0;
    for (size_t i = 0; i < n; i++) {
        double w = 1 / (err[i] * err[i] + tau * tau);
        sw += w, swx += w * x[i];
    }
    for (size_t i = 0; i < n; i++) {
        double d = x[i] - swx / sw;
        q += d * d / (err[i] * err[i] + tau * tau);
    }
    return mlk_chi2_sf(q, (double)(n - 1));
}

/* the tau at which that chance is p; it rises with tau */
static double tau_at(size_t n, const double *x, const double *err, double p)
{
    double lo = 0, hi = err[0];
    if (profile(n, x, err, 0) >= p) return 0;
    while (profile(n, x, err, hi) < p) lo = hi, hi *= 2;
    for (int k = 0; k < 60; k++) {
        double mid = 0.5 * (lo + hi);
        if (profile(n, x, err, mid) < p)
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}

mlk_status mlk_compare(size_t n, const double *kappa, const double *err, mlk_comparison *out,
                       mlk_err *e)
{
    memset(out, 0, sizeof *out);
    if (n == 0) return MLK_FAIL(e, MLK_EINVAL, "nothing to compare");
    double sw = 0, sw2 = 0, swx = 0, lo = kappa[0], hi = kappa[0];
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(kappa[i]) || !(err[i] > 0) || !isfinite(err[i]))
            return MLK_FAIL(e, MLK_EINVAL,
                            "estimate %zu is %g +- %g: an error bar must be positive", i + 1,
                            kappa[i], err[i]);
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
    out->tau_lo = n > 1 ? tau_at(n, kappa, err, 0.025) : 0;
    out->tau_hi = n > 1 ? tau_at(n, kappa, err, 0.975) : INFINITY;
    out->tau_sd = sqrt(mlk_variance(n, kappa));
    out->spread = (hi - lo) / out->mean;
    return MLK_OK;
}

double mlk_compare_reduction(const mlk_comparison *naive, const mlk_comparison *corrected)
{
    return naive->tau / corrected->tau;
}
