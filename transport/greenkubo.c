/* greenkubo.c - see greenkubo.h. */
#include "transport/greenkubo.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "transport/block.h"
#include "transport/corr.h"

/* where the samples of the fluxes set[0..m-1] begin, (m*nc) */
static void gather(const mlk_flux *fl, size_t m, const int *set, size_t first, const double **x)
{
    for (size_t a = 0; a < m; a++)
        for (size_t c = 0; c < fl->nc; c++)
            x[a * fl->nc + c] = mlk_flux_series(fl, (size_t)set[a], c) + first;
}

/* both results from the integrals of one lag */
static void results(size_t m, size_t n_lag, const double *integral, size_t k, double *naive,
                    double *schur)
{
    double a[MLK_FLUX_MAX * MLK_FLUX_MAX];
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++) a[i * m + j] = integral[mlk_corr_row(m, i, j) * n_lag + k];
    *naive = a[0];
    *schur = k == 0 ? 0 : mlk_schur(m, a);
}

/* correlation functions of a run: added to gk->corr with the weight of its length; and those of
 * its first gk->n_block / n_segment equal pieces into bl (piece, rows, n_lag). c: scratch (2, rows,
 * n_lag) */
static void add_run(mlk_greenkubo *gk, const mlk_flux *fl, const int *set, size_t g,
                    mlk_corr_work *w, double *c, double *bl)
{
    const double *x[3 * MLK_FLUX_MAX];
    size_t per_run = gk->n_block / fl->n_segment, size = gk->m * (gk->m + 1) / 2 * gk->n_lag;
    size_t first = fl->segment[g], len = fl->segment[g + 1] - first, piece = len / per_run;
    double *whole = c + size, weight = (double)len / (double)fl->n;
    memset(whole, 0, size * sizeof *whole);
    for (size_t p = 0; p <= per_run; p++) {
        size_t n = p < per_run ? piece : len - per_run * piece;
        double *own = p < per_run ? bl + p * size : c;
        gather(fl, gk->m, set, first + p * piece, x);
        mlk_corr_piece(w, n, x, fl, own);
        for (size_t k = 0; k < size; k++) whole[k] += own[k];
        if (p < per_run) mlk_corr_normalise(w, piece, own);
    }
    mlk_corr_between(w, whole);
    mlk_corr_normalise(w, len, whole);
    for (size_t k = 0; k < size; k++) gk->corr[k] += weight * whole[k];
}

/* What has to settle, in forms that do not depend on the zero of the energies: the corrected
 * integral, those of the mass fluxes and the slopes of the energy on them. out: 2m-1. */
static void signals(size_t m, size_t n_lag, const double *integral, size_t k, double *out)
{
    double unused;
    results(m, n_lag, integral, k, &unused, out);
    for (size_t i = 1; i < m; i++) {
        double a[MLK_FLUX_MAX * MLK_FLUX_MAX];
        out[i] = integral[mlk_corr_row(m, i, i) * n_lag + k];
        for (size_t x = 0; x < m; x++) /* fluxes 1 and i change places */
            for (size_t y = 0; y < m; y++) {
                size_t p = x == 1 ? i : x == i ? 1 : x, q = y == 1 ? i : y == i ? 1 : y;
                a[x * m + y] = integral[mlk_corr_row(m, p, q) * n_lag + k];
            }
        out[m - 1 + i] = mlk_eliminate(m, 2, a) ? a[1] / a[m + 1] : NAN;
    }
}

/* changes up to so many standard errors count as noise */
static const double SETTLED = 1.5;

/* is the change from lag k to 2k within its jackknife error, for every signal? left: (n_block,
 * rows, n_lag) integrals with one block left out */
static int settled(const mlk_greenkubo *gk, const double *left, size_t k, double *d)
{
    enum { MOST = 2 * MLK_FLUX_MAX };
    double v[MOST], w[MOST];
    size_t ns = 2 * gk->m - 1, nb = gk->n_block, stride = gk->m * (gk->m + 1) / 2 * gk->n_lag;
    for (size_t b = 0; b < nb; b++) {
        signals(gk->m, gk->n_lag, left + b * stride, k, v);
        signals(gk->m, gk->n_lag, left + b * stride, 2 * k, w);
        for (size_t i = 0; i < ns; i++) d[i * nb + b] = w[i] - v[i];
    }
    signals(gk->m, gk->n_lag, gk->integral, k, v);
    signals(gk->m, gk->n_lag, gk->integral, 2 * k, w);
    for (size_t i = 0; i < ns; i++)
        if (!(fabs(w[i] - v[i]) < SETTLED * mlk_jackknife(nb, d + i * nb))) return 0;
    return 1;
}

static void find_limit(mlk_greenkubo *gk, const double *left, double *d)
{
    int run = 0;
    size_t start = 0;
    gk->limit = gk->n_lag - 1;
    for (double t = 4; 2 * (size_t)t < gk->n_lag; t = t * 1.2 + 1) {
        size_t k = (size_t)t;
        if (!settled(gk, left, k, d)) {
            run = 0;
            continue;
        }
        if (run++ == 0) start = k;
        if (run == 2) { /* two neighbouring lags agree: not a lucky crossing */
            gk->limit = start;
            gk->limit_found = 1;
            return;
        }
    }
}

/* kinetic, convective and virial share of the naive integral at the limit */
static mlk_status shares(mlk_greenkubo *gk, const mlk_flux *fl, mlk_err *e)
{
    size_t n_lag = gk->limit + 1, nc = fl->nc;
    const double *x[12];
    mlk_corr_work w = {0};
    double *c = mlk_alloc(11 * n_lag, sizeof *c);
    mlk_status s = c ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "correlation up to lag %zu", n_lag);
    if (!s) s = mlk_corr_begin(&w, fl->n, 4, nc, n_lag, e);
    for (int p = 0; p < 3; p++) gk->part[p] = 0;
    for (size_t g = 0; g < fl->n_segment && !s; g++) {
        size_t first = fl->segment[g], len = fl->segment[g + 1] - first;
        double weight = (double)len / (double)fl->n;
        for (size_t k = 0; k < nc; k++) {
            x[k] = mlk_flux_series(fl, 0, k) + first;
            for (size_t p = 0; p < 3; p++) x[nc * (p + 1) + k] = mlk_flux_part(fl, p, k) + first;
        }
        mlk_corr_piece(&w, len, x, fl, c);
        mlk_corr_between(&w, c);
        mlk_corr_normalise(&w, len, c);
        for (size_t p = 0; p < 3 && !s; p++) {
            double *row = c + mlk_corr_row(4, 0, p + 1) * n_lag;
            mlk_corr_integral(n_lag, row, gk->dt, c + 10 * n_lag);
            gk->part[p] += weight * c[10 * n_lag + gk->limit];
        }
    }
    mlk_corr_end(&w);
    mlk_free(c);
    return s;
}

/* left: (n_block, rows, n_lag) integrals with one block left out */
static mlk_status matrix_at(mlk_greenkubo *gk, const double *left, size_t far, mlk_err *e)
{
    size_t m = gk->m, rows = m * (m + 1) / 2;
    MLK_TRY(mlk_lagmatrix_init(&gk->at, m, gk->n_block, e));
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++) {
            size_t r = mlk_corr_row(m, i, j);
            gk->at.all[i * m + j] = gk->integral[r * gk->n_lag + gk->limit];
            for (size_t b = 0; b < gk->n_block; b++)
                gk->at.left[(b * m + i) * m + j] = left[(b * rows + r) * gk->n_lag + far];
        }
    return MLK_OK;
}

mlk_status mlk_greenkubo_init(mlk_greenkubo *gk, const mlk_flux *fl, size_t m, const int *set,
                              size_t max_lag, double limit, mlk_err *e)
{
    memset(gk, 0, sizeof *gk);
    size_t per_run = fl->n_segment >= 10 ? 1 : (10 + fl->n_segment - 1) / fl->n_segment;
    size_t nb = per_run * fl->n_segment, shortest = fl->n, rows = m * (m + 1) / 2;
    for (size_t g = 0; g < fl->n_segment; g++) {
        size_t len = fl->segment[g + 1] - fl->segment[g];
        if (len < shortest) shortest = len;
    }
    size_t n_lag = shortest / per_run / 2;
    if (max_lag == 0) max_lag = (size_t)(20e3 / fl->dt) + 1;
    if (n_lag > max_lag) n_lag = max_lag;
    if (n_lag < 8) {
        MLK_FAIL(e, MLK_EINVAL, "%zu samples are too few, at least %zu are needed", shortest,
                 16 * per_run);
        mlk_err_hint(e, "run longer");
        return e ? e->code : MLK_EINVAL;
    }
    gk->m = m, gk->n_lag = n_lag, gk->dt = fl->dt, gk->n_block = nb;
    gk->corr = mlk_alloc((2 * rows + 4) * n_lag, sizeof(double));
    double *c = mlk_alloc(2 * rows * n_lag, sizeof *c);
    double *bl = mlk_alloc(nb * rows * n_lag, sizeof *bl),
           *jk = mlk_alloc(2 * nb * n_lag, sizeof *jk);
    double *all = mlk_alloc(rows * n_lag, sizeof *all), *d = mlk_alloc(2 * m * nb, sizeof *d);
    mlk_corr_work w = {0};
    mlk_status s = MLK_OK;
    if (!gk->corr || !c || !bl || !jk || !all || !d) {
        s = MLK_FAIL(e, MLK_ENOMEM, "correlation of %zu samples", fl->n);
        goto done;
    }
    gk->integral = gk->corr + rows * n_lag;
    gk->naive = gk->integral + rows * n_lag, gk->naive_err = gk->naive + n_lag;
    gk->schur = gk->naive_err + n_lag, gk->schur_err = gk->schur + n_lag;
    MLK_GO(mlk_corr_begin(&w, shortest / per_run, m, fl->nc, n_lag, e));
    for (size_t g = 0; g < fl->n_segment; g++)
        add_run(gk, fl, set, g, &w, c, bl + g * per_run * rows * n_lag);
    for (size_t r = 0; r < rows; r++)
        mlk_corr_integral(n_lag, gk->corr + r * n_lag, fl->dt, gk->integral + r * n_lag);
    for (size_t b = 0; b < nb; b++)
        for (size_t k = 0; k < rows * n_lag; k++) all[k] += bl[b * rows * n_lag + k];
    for (size_t b = 0; b < nb; b++) {
        double *v = bl + b * rows * n_lag;
        for (size_t k = 0; k < rows * n_lag; k++) v[k] = (all[k] - v[k]) / (double)(nb - 1);
        for (size_t r = 0; r < rows; r++)
            mlk_corr_integral(n_lag, v + r * n_lag, fl->dt, c + r * n_lag);
        memcpy(v, c, rows * n_lag * sizeof *c);
        for (size_t k = 0; k < n_lag; k++)
            results(m, n_lag, c, k, jk + b * n_lag + k, jk + (nb + b) * n_lag + k);
    }
    for (size_t k = 0; k < n_lag; k++) {
        results(m, n_lag, gk->integral, k, gk->naive + k, gk->schur + k);
        for (size_t b = 0; b < nb; b++) d[b] = jk[b * n_lag + k];
        gk->naive_err[k] = mlk_jackknife(nb, d);
        for (size_t b = 0; b < nb; b++) d[b] = jk[(nb + b) * n_lag + k];
        gk->schur_err[k] = mlk_jackknife(nb, d);
    }
    if (limit > 0) {
        gk->limit = (size_t)(limit / fl->dt + 0.5);
        gk->limit_found = 1;
        if (gk->limit >= n_lag) {
            s = MLK_FAIL(e, MLK_EINVAL,
                         "the Green-Kubo limit %g fs is beyond the largest lag %g fs", limit,
                         (double)(n_lag - 1) * fl->dt);
            goto done;
        }
    } else {
        find_limit(gk, bl, d);
    }
    size_t far = limit > 0 ? gk->limit : 2 * gk->limit < n_lag ? 2 * gk->limit : n_lag - 1;
    gk->at_naive = gk->naive[gk->limit], gk->at_naive_err = gk->naive_err[far];
    gk->at_schur = gk->schur[gk->limit], gk->at_schur_err = gk->schur_err[far];
    for (int p = 0; p < 3; p++) gk->part[p] = NAN;
    MLK_GO(matrix_at(gk, bl, far, e));
    if (fl->has_parts) s = shares(gk, fl, e);
done:
    mlk_corr_end(&w);
    mlk_free(c), mlk_free(bl), mlk_free(jk), mlk_free(all), mlk_free(d);
    if (s) mlk_greenkubo_free(gk);
    return s;
}

void mlk_greenkubo_free(mlk_greenkubo *gk)
{
    mlk_free(gk->corr);
    mlk_lagmatrix_free(&gk->at);
    memset(gk, 0, sizeof *gk);
}
