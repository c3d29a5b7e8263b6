/* coupling.c - see coupling.h. */
#include "transport/coupling.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/stats.h"
#include "transport/block.h"

/* slope of flux 0 on flux x of a (m,m), the others eliminated, and its standard error */
static double slope_on(size_t m, const double *a, size_t x, double n_obs, double *err)
{
    double b[MLK_FLUX_MAX * MLK_FLUX_MAX];
    for (size_t p = 0; p < m; p++)
        for (size_t q = 0; q < m; q++) {
            size_t u = p == 1 ? x : p == x ? 1 : p, v = q == 1 ? x : q == x ? 1 : q;
            b[p * m + q] = a[u * m + v];
        }
    *err = NAN;
    if (!mlk_eliminate(m, 2, b)) return NAN;
    double s = b[1] / b[m + 1], rest = b[0] - s * b[1];
    *err = sqrt(fmax(0, rest) / ((n_obs - (double)(m - 1)) * b[m + 1]));
    return s;
}

/* weights of the charge flux in terms of all fluxes -> slope of the energy on it [eV/e] */
static double slope_on_charge(size_t m, const double *low, const double *q, double n_obs,
                              double *err)
{
    double a[4] = {low[0], 0, 0, 0};
    for (size_t i = 1; i < m; i++) {
        a[1] += q[i] * low[i];
        for (size_t j = 1; j < m; j++) a[3] += q[i] * q[j] * low[i * m + j];
    }
    a[2] = a[1];
    return slope_on(2, a, 1, n_obs, err);
}

/* variance of ln |L_EM| when Theta is significant: L_EM^2 = (L_EE - K) L_MM, K the corrected value.
 * The explained part L_EE - K is (L_EM/L_MM)^2 L_MM and shares the noise of L_MM, the more the
 * larger Theta. */
static double log_variance_row(const mlk_onsager *on, double theta, double sm)
{
    double sn = on->l_sigma[0], sk = on->kappa_err / on->kappa, rest = 1 - theta;
    double rho =
        rest * sqrt(mlk_trigamma((double)on->naive.nu) / mlk_trigamma((double)on->corrected.nu));
    double v = (sn * sn + rest * rest * sk * sk - 2 * rest * rho * sn * sk) / (theta * theta);
    return 0.25 * (v + sm * sm + 2 * sqrt(theta * v) * sm);
}

/* Relative errors of the diagonal come from the cepstra; a coherence g of n complex numbers has the
 * variance (1-g^2)^2/2n, and two diagonal elements share g^2 of their noise. The energy row was
 * scaled to the corrected conductivity, so that its coherence has the error of Theta. */
static void matrix_errors(mlk_coupling *c, const mlk_onsager *on)
{
    size_t m = on->m;
    double n = (double)on->sp.ell * ((double)mlk_onsager_low_bins(&on->sp) - 0.5);
    double theta = fmax(0, on->theta);
    for (size_t a = 0; a < m; a++)
        for (size_t b = 0; b < m; b++) {
            double la = on->l[a * m + a], lb = on->l[b * m + b], l = on->l[a * m + b];
            double sa = on->l_sigma[a], sb = on->l_sigma[b], g2 = l * l / (la * lb);
            double vg = a == b ? 0 : (1 - g2) * (1 - g2) / (2 * n);
            double vd = 0.25 * (sa * sa + sb * sb + 2 * g2 * sa * sb);
            if ((a == 0) != (b == 0)) {
                if (m == 2) vg = 0;
                if (theta > 2 * on->theta_err)
                    vd = log_variance_row(on, theta, a ? sa : sb);
                else
                    vg += 0.5 * on->theta_err;
            }
            c->l_err[a * m + b] = sqrt(la * lb * (vg + g2 * vd));
        }
}

void mlk_coupling_init(mlk_coupling *c, const mlk_onsager *on, const mlk_flux *fl,
                       const mlk_onsager_opts *o)
{
    memset(c, 0, sizeof *c);
    double *low = mlk_alloc(on->sp.m * on->sp.m, sizeof *low);
    double a[MLK_FLUX_MAX * MLK_FLUX_MAX];
    c->m = on->m;
    c->seebeck = c->seebeck_err = NAN;
    matrix_errors(c, on);
    if (!low) return;
    double n_obs = mlk_onsager_low_sum(&on->sp, low);
    for (size_t i = 0; i < on->m; i++)
        for (size_t j = 0; j < on->m; j++)
            a[i * on->m + j] =
                low[(size_t)on->choice.set[i] * on->sp.m + (size_t)on->choice.set[j]];
    for (size_t i = 1; i < on->m; i++) {
        double err, mass = fl->mass[on->choice.set[i]];
        c->unit[i] = mass > 0 ? mass : 1;
        c->slope[i] = slope_on(on->m, a, i, n_obs, &err);
        c->heat[i] = c->slope[i] * c->unit[i];
        c->heat_err[i] = err * c->unit[i] * on->error_scale;
    }
    if (on->m > 1 && isfinite(on->sigma)) {
        double err, s = slope_on_charge(on->sp.m, low, o->charge, n_obs, &err);
        c->seebeck = s / fl->temperature;
        c->seebeck_err = err * on->error_scale / fl->temperature;
    }
    mlk_free(low);
}

mlk_status mlk_coupling_sweep(const mlk_coupling *c, const mlk_onsager *on,
                              const mlk_onsager_opts *o, size_t i, size_t n, const double *x,
                              double *naive, double *naive_err, double *kappa, mlk_err *e)
{
    size_t m = on->m;
    double t[MLK_FLUX_MAX * MLK_FLUX_MAX];
    mlk_choice first = {.m = m};
    for (size_t a = 0; a < m; a++) first.set[a] = (int)a;
    for (size_t k = 0; k < n; k++) {
        mlk_spectra sp = {0};
        mlk_cepstral cn = {0}, cc = {0};
        memset(t, 0, sizeof t);
        for (size_t a = 0; a < m; a++) t[a * on->sp.m + (size_t)on->choice.set[a]] = 1;
        t[on->choice.set[i]] = x[k] / c->unit[i];
        MLK_TRY(mlk_spectra_mix(&sp, &on->sp, m, t, e));
        mlk_status s = mlk_onsager_analyse(&sp, &first, o, &cn, &cc, e);
        naive[k] = 0.5 * on->kappa_scale * exp(cn.ln_s0);
        naive_err[k] = naive[k] * cn.sigma * on->error_scale;
        kappa[k] = 0.5 * on->kappa_scale * exp(cc.ln_s0);
        mlk_cepstral_free(&cn);
        mlk_cepstral_free(&cc);
        mlk_spectra_free(&sp);
        if (s) return s;
    }
    return MLK_OK;
}

void mlk_coupling_offset(const mlk_coupling *c, const mlk_onsager *on, double naive, double x[2],
                         double *err)
{
    x[0] = x[1] = *err = NAN;
    double d = naive - on->kappa;
    if (on->m != 2 || !(d > 0)) return;
    double lmm = on->kappa_scale * on->l_raw[3] / (c->unit[1] * c->unit[1]), w = sqrt(d / lmm);
    x[0] = -c->heat[1] - w;
    x[1] = -c->heat[1] + w;
    double dk = 0.5 * w * on->kappa_err / d, dl = 0.5 * w * on->l_sigma[1];
    *err = sqrt(c->heat_err[1] * c->heat_err[1] + dk * dk + dl * dl);
}
