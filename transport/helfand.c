/* helfand.c - see helfand.h. */
#include "transport/helfand.h"

#include <math.h>
#include <string.h>

#include "core/units.h"
#include "transport/block.h"
#include "transport/derive.h"
#include "transport/lagmatrix.h"

static double element(size_t m, const double *a, const void *arg)
{
    (void)m;
    return a[*(const size_t *)arg];
}

static double corrected(size_t m, const double *a, const void *arg)
{
    double b[MLK_FLUX_MAX * MLK_FLUX_MAX];
    (void)arg;
    memcpy(b, a, m * m * sizeof *a);
    return mlk_schur(m, b);
}

/* element of the 3x3 matrix of the parts after the mass fluxes 3..m-1 are taken out */
static double projected(size_t m, const double *a, const void *arg)
{
    double b[MLK_FLUX_MAX * MLK_FLUX_MAX];
    size_t i = *(const size_t *)arg;
    memcpy(b, a, m * m * sizeof *a);
    return mlk_eliminate(m, 3, b) ? b[i / 3 * m + i % 3] : NAN;
}

static void matrix(const mlk_lagmatrix *lm, const mlk_onsager *on, const mlk_flux *fl, double *l,
                   double *err)
{
    for (size_t i = 0; i < lm->m * lm->m; i++) {
        double f = mlk_onsager_si(on, fl, i / lm->m, i % lm->m);
        l[i] = f * mlk_lagmatrix_value(lm, element, &i, err + i);
        err[i] *= f;
    }
}

/* the series of fluxes set[0..m-1], (m*nc) */
static void gather(const mlk_flux *fl, size_t m, const int *set, const double **x)
{
    for (size_t a = 0; a < m; a++)
        for (size_t c = 0; c < fl->nc; c++)
            x[fl->nc * a + c] = mlk_flux_series(fl, (size_t)set[a], c);
}

/* last lag for the error of an integral read at k, and for a slope that begins there */
static size_t reach(const mlk_flux *fl, size_t k, size_t times)
{
    size_t most = mlk_lag_block(fl) / 2;
    return times * k < most ? times * k : most;
}

/* lags of a slope that begins at the limit k; where no plateau was found the outer half of all */
static void window(const mlk_flux *fl, size_t k, size_t *k1, size_t *k2)
{
    *k2 = reach(fl, k, 3);
    *k1 = *k2 < k + k / 2 + 2 ? *k2 / 2 : k;
}

static mlk_status conductivity(mlk_helfand *h, const mlk_onsager *on, const mlk_flux *fl,
                               const mlk_onsager_opts *o, mlk_err *e)
{
    h->sigma_gk = h->sigma_gk_err = h->sigma_gk_limit = NAN;
    h->sigma_einstein = h->sigma_einstein_err = NAN;
    if (!isfinite(on->sigma)) return MLK_OK;
    const double scale = mlk_sigma_scale(MLK_E_C, MLK_KB_SI, fl->temperature, fl->volume);
    const int zero = 0;
    const size_t first = 0;
    const double *x[3];
    mlk_flux q = {0};
    mlk_greenkubo gk = {0};
    mlk_lagmatrix lm = {0};
    mlk_status s;
    MLK_GO(mlk_flux_mix(&q, fl, 1, o->charge, e));
    MLK_GO(mlk_greenkubo_init(&gk, &q, 1, &zero, (size_t)(o->gk_max / fl->dt), o->gk_limit, e));
    h->sigma_gk = scale * gk.at_naive, h->sigma_gk_err = scale * gk.at_naive_err;
    h->sigma_gk_limit = (double)gk.limit * gk.dt * 1e-3;
    size_t k1, k2;
    window(fl, gk.limit, &k1, &k2);
    gather(&q, 1, &zero, x);
    MLK_GO(mlk_lagmatrix_slope(&lm, &q, 1, x, k1, k2, e));
    h->sigma_einstein = scale * mlk_lagmatrix_value(&lm, element, &first, &h->sigma_einstein_err);
    h->sigma_einstein_err *= scale;
done:
    mlk_lagmatrix_free(&lm);
    mlk_greenkubo_free(&gk);
    mlk_flux_free(&q);
    return s;
}

static mlk_status parts(mlk_helfand *h, const mlk_onsager *on, const mlk_flux *fl, mlk_err *e)
{
    if (!fl->has_parts || on->m + 2 > MLK_FLUX_MAX) return MLK_OK;
    const double *x[MLK_FLUX_MAX * 3];
    mlk_lagmatrix lm = {0};
    mlk_status s;
    for (size_t p = 0; p < 3; p++)
        for (size_t c = 0; c < fl->nc; c++) x[fl->nc * p + c] = mlk_flux_part(fl, p, c);
    gather(fl, on->m - 1, on->choice.set + 1, x + 3 * fl->nc);
    MLK_GO(
        mlk_lagmatrix_integral(&lm, fl, on->m + 2, x, on->gk.limit, reach(fl, on->gk.limit, 2), e));
    for (size_t i = 0; i < 9; i++) {
        size_t at = i / 3 * lm.m + i % 3;
        h->part[i] = on->kappa_scale * mlk_lagmatrix_value(&lm, element, &at, h->part_err + i);
        h->corrected[i] =
            on->kappa_scale * mlk_lagmatrix_value(&lm, projected, &i, h->corrected_err + i);
        h->part_err[i] *= on->kappa_scale, h->corrected_err[i] *= on->kappa_scale;
    }
    h->has_parts = 1;
done:
    mlk_lagmatrix_free(&lm);
    return s;
}

mlk_status mlk_helfand_init(mlk_helfand *h, const mlk_onsager *on, const mlk_flux *fl,
                            const mlk_onsager_opts *o, mlk_err *e)
{
    memset(h, 0, sizeof *h);
    const double *x[MLK_FLUX_MAX * 3];
    mlk_lagmatrix lm = {0};
    mlk_status s;
    size_t k = on->gk.limit, k1, k2;
    gather(fl, on->m, on->choice.set, x);
    matrix(&on->gk.at, on, fl, h->gk_l, h->gk_l_err);
    window(fl, k, &k1, &k2);
    MLK_GO(mlk_lagmatrix_slope(&lm, fl, on->m, x, k1, k2, e));
    const size_t first = 0;
    h->from = (double)k1 * fl->dt * 1e-3, h->to = (double)k2 * fl->dt * 1e-3;
    h->naive = on->kappa_scale * mlk_lagmatrix_value(&lm, element, &first, &h->naive_err);
    h->kappa = on->kappa_scale * mlk_lagmatrix_value(&lm, corrected, NULL, &h->kappa_err);
    h->naive_err *= on->kappa_scale, h->kappa_err *= on->kappa_scale;
    matrix(&lm, on, fl, h->l, h->l_err);
    MLK_GO(conductivity(h, on, fl, o, e));
    s = parts(h, on, fl, e);
done:
    mlk_lagmatrix_free(&lm);
    return s;
}
