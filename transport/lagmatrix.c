/* lagmatrix.c - see lagmatrix.h. */
#include "transport/lagmatrix.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/mem.h"
#include "transport/block.h"
#include "transport/corr.h"

typedef struct task {
    const mlk_flux *fl;
    size_t m;
    const double *const *x;
    int slope;
    size_t k1, k2;
} task;

static size_t blocks_per_run(const mlk_flux *fl)
{
    return fl->n_segment >= 10 ? 1 : (10 + fl->n_segment - 1) / fl->n_segment;
}

size_t mlk_lag_block(const mlk_flux *fl)
{
    size_t shortest = fl->n;
    for (size_t g = 0; g < fl->n_segment; g++) {
        size_t len = fl->segment[g + 1] - fl->segment[g];
        if (len < shortest) shortest = len;
    }
    return shortest / blocks_per_run(fl);
}

/* integrals of samples first..first+len-1 to lag k, (m,m) */
static mlk_status integral(const task *t, size_t first, size_t len, size_t k, double *out,
                           mlk_err *e)
{
    size_t m = t->m, nc = t->fl->nc, rows = m * (m + 1) / 2, n_lag = k + 1;
    const double *x[MLK_FLUX_MAX * 3];
    double *c = mlk_alloc((rows + 1) * n_lag, sizeof *c);
    if (!c) return MLK_FAIL(e, MLK_ENOMEM, "correlation to lag %zu", k);
    for (size_t i = 0; i < m * nc; i++) x[i] = t->x[i] + first;
    mlk_corr_work w;
    mlk_status s = mlk_corr_begin(&w, len, m, nc, n_lag, e);
    if (!s) {
        mlk_corr_piece(&w, len, x, t->fl, c);
        mlk_corr_normalise(&w, len, c);
        mlk_corr_end(&w);
    }
    for (size_t a = 0; a < m && !s; a++)
        for (size_t b = a; b < m; b++) {
            mlk_corr_integral(n_lag, c + mlk_corr_row(m, a, b) * n_lag, t->fl->dt,
                              c + rows * n_lag);
            out[a * m + b] = out[b * m + a] = c[rows * n_lag + k];
        }
    mlk_flux_release(t->fl);
    mlk_free(c);
    return s;
}

/* half the slope over lags k1..k2 of the mean product of the displacements x, y (nc series of n);
 * cross: their correlation function */
static double half_slope(const task *t, size_t n, const double *x, const double *y,
                         const double *cross)
{
    size_t nc = t->fl->nc;
    double sum = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, np = 0;
    for (size_t i = 0; i < nc * n; i++) sum += 2 * x[i] * y[i];
    for (size_t k = 0; k <= t->k2; k++) {
        for (size_t q = 0; q < nc && k > 0; q++)
            sum -= x[q * n + k - 1] * y[q * n + k - 1] + x[q * n + n - k] * y[q * n + n - k];
        if (k < t->k1) continue;
        double u = (double)k * t->fl->dt, v = sum / (double)(nc * (n - k)) - 2 * cross[k];
        np++, sx += u, sy += v, sxx += u * u, sxy += u * v;
    }
    return 0.5 * (np * sxy - sx * sy) / (np * sxx - sx * sx);
}

static mlk_status slope(const task *t, size_t first, size_t len, double *out, mlk_err *e)
{
    size_t m = t->m, nc = t->fl->nc, n = len + 1, n_lag = t->k2 + 1;
    const double *x[MLK_FLUX_MAX * 3];
    double *r = mlk_alloc(nc * m * n, sizeof *r);
    double *c = mlk_alloc(m * (m + 1) / 2 * n_lag, sizeof *c);
    mlk_status s = r && c ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "displacements of %zu samples", n);
    for (size_t i = 0; i < nc * m && !s; i++) {
        const double *j = t->x[i] + first;
        double *y = r + i * n;
        for (size_t k = 0; k < len; k++) y[k + 1] = y[k] + t->fl->dt * j[k];
        x[i] = y;
    }
    if (!s) s = mlk_corr(n, m, nc, x, n_lag, c, e);
    for (size_t a = 0; a < m && !s; a++)
        for (size_t b = a; b < m; b++)
            out[a * m + b] = out[b * m + a] =
                half_slope(t, n, r + nc * a * n, r + nc * b * n, c + mlk_corr_row(m, a, b) * n_lag);
    mlk_flux_release(t->fl);
    mlk_free(r);
    mlk_free(c);
    return s;
}

mlk_status mlk_lagmatrix_init(mlk_lagmatrix *lm, size_t m, size_t n_block, mlk_err *e)
{
    *lm = (mlk_lagmatrix){.m = m, .n_block = n_block};
    lm->all = mlk_alloc((n_block + 1) * m * m, sizeof *lm->all);
    if (!lm->all) return MLK_FAIL(e, MLK_ENOMEM, "%zu blocks", n_block);
    lm->left = lm->all + m * m;
    return MLK_OK;
}

static mlk_status run(mlk_lagmatrix *lm, const task *t, mlk_err *e)
{
    const mlk_flux *fl = t->fl;
    size_t m = t->m, mm = m * m, per_run = blocks_per_run(fl), nb = per_run * fl->n_segment;
    memset(lm, 0, sizeof *lm);
    size_t most = t->k1 > t->k2 ? t->k1 : t->k2;
    if (2 * most > mlk_lag_block(fl) || t->k1 < 1 || m > MLK_FLUX_MAX)
        return MLK_FAIL(e, MLK_EINVAL, "lag %zu is beyond half a block of %zu samples", most,
                        mlk_lag_block(fl));
    MLK_TRY(mlk_lagmatrix_init(lm, m, nb, e));
    double sum[MLK_FLUX_MAX * MLK_FLUX_MAX] = {0}, one[MLK_FLUX_MAX * MLK_FLUX_MAX];
    mlk_status s = MLK_OK;
    for (size_t g = 0, b = 0; g < fl->n_segment; g++) {
        size_t first = fl->segment[g], len = fl->segment[g + 1] - first, lb = len / per_run;
        /* stretches of many lags: displacements of a whole run need not be in memory */
        size_t ns = t->slope && len / (64 * t->k2) > 1 ? len / (64 * t->k2) : 1, ls = len / ns;
        bool blocks = ns >= per_run; /* the blocks themselves are long enough */
        for (size_t p = 0; p < ns && !blocks; p++) {
            MLK_GO(t->slope ? slope(t, first + p * ls, ls, one, e)
                            : integral(t, first, len, t->k1, one, e));
            for (size_t i = 0; i < mm; i++)
                lm->all[i] += (double)len / (double)(fl->n * ns) * one[i];
        }
        for (size_t p = 0; p < per_run; p++, b++) {
            double *v = lm->left + b * mm;
            MLK_GO(t->slope ? slope(t, first + p * lb, lb, v, e)
                            : integral(t, first + p * lb, lb, t->k2, v, e));
            for (size_t i = 0; i < mm; i++) sum[i] += v[i];
            for (size_t i = 0; i < mm && blocks; i++)
                lm->all[i] += (double)len / (double)(fl->n * per_run) * v[i];
        }
    }
    for (size_t b = 0; b < nb; b++)
        for (size_t i = 0; i < mm; i++)
            lm->left[b * mm + i] = (sum[i] - lm->left[b * mm + i]) / (double)(nb - 1);
done:
    if (s) mlk_lagmatrix_free(lm);
    return s;
}

mlk_status mlk_lagmatrix_integral(mlk_lagmatrix *lm, const mlk_flux *fl, size_t m,
                                  const double *const *x, size_t k, size_t k_err, mlk_err *e)
{
    return run(lm, &(task){fl, m, x, 0, k, k_err}, e);
}

mlk_status mlk_lagmatrix_slope(mlk_lagmatrix *lm, const mlk_flux *fl, size_t m,
                               const double *const *x, size_t k1, size_t k2, mlk_err *e)
{
    if (k2 < k1 + 2) return MLK_FAIL(e, MLK_EINVAL, "no slope from lags %zu to %zu", k1, k2);
    return run(lm, &(task){fl, m, x, 1, k1, k2}, e);
}

void mlk_lagmatrix_free(mlk_lagmatrix *lm)
{
    mlk_free(lm->all);
    memset(lm, 0, sizeof *lm);
}

double mlk_lagmatrix_value(const mlk_lagmatrix *lm, mlk_lagfunc *f, const void *arg, double *err)
{
    double mean = 0, sq = 0, nb = (double)lm->n_block;
    for (size_t b = 0; b < lm->n_block; b++) {
        double v = f(lm->m, lm->left + b * lm->m * lm->m, arg), d = v - mean;
        mean += d / (double)(b + 1);
        sq += d * (v - mean);
    }
    *err = sqrt((nb - 1) / nb * sq);
    return f(lm->m, lm->all, arg);
}
