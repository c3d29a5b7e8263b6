/* derive.c - see derive.h. */
#include "transport/derive.h"

#include <string.h>

#include "core/mem.h"
#include "core/stats.h"

/* m fluxes of n samples with the facts and, for n = fl->n, the runs of fl */
static mlk_status empty_like(mlk_flux *out, const mlk_flux *fl, size_t n, size_t m, mlk_err *e)
{
    MLK_TRY(mlk_flux_init(out, n, m, fl->nc, 0, NULL, e));
    size_t *seg = mlk_alloc(fl->n_segment + 1, sizeof *seg);
    if (!seg) {
        mlk_flux_free(out);
        return MLK_FAIL(e, MLK_ENOMEM, "%zu runs", fl->n_segment);
    }
    memcpy(seg, fl->segment, (fl->n_segment + 1) * sizeof *seg);
    mlk_free(out->segment);
    out->segment = seg;
    out->n_segment = fl->n_segment;
    out->dt = fl->dt, out->volume = fl->volume, out->temperature = fl->temperature;
    return MLK_OK;
}

static void facts(mlk_flux *out, size_t b, const mlk_flux *fl, size_t a)
{
    memcpy(out->label[b], fl->label[a], sizeof out->label[b]);
    out->mass[b] = fl->mass[a], out->count[b] = fl->count[a];
}

mlk_status mlk_flux_mix(mlk_flux *out, const mlk_flux *fl, size_t m2, const double *t, mlk_err *e)
{
    MLK_TRY(empty_like(out, fl, fl->n, m2, e));
    for (size_t i = 0; i < m2; i++) {
        if (i < fl->m) facts(out, i, fl, i);
        for (size_t a = 0; a < fl->m; a++) {
            double w = t[i * fl->m + a];
            for (size_t c = 0; c < fl->nc && w != 0; c++) {
                const double *x = mlk_flux_series(fl, a, c);
                double *y = mlk_flux_series(out, i, c);
                for (size_t k = 0; k < fl->n; k++) y[k] += w * x[k];
                mlk_flux_release(fl), mlk_flux_release(out);
            }
        }
    }
    return MLK_OK;
}

/* the first part/8 of every run, resampled */
static mlk_status shorter(mlk_flux *out, const mlk_flux *fl, size_t tskip, size_t part, mlk_err *e)
{
    size_t n = 0, at = 0;
    for (size_t g = 0; g < fl->n_segment; g++)
        n += (fl->segment[g + 1] - fl->segment[g]) * part / 8 / tskip;
    MLK_TRY(empty_like(out, fl, n, fl->m, e));
    out->dt = fl->dt * (double)tskip;
    for (size_t g = 0; g < fl->n_segment; g++) {
        size_t first = fl->segment[g], len = (fl->segment[g + 1] - first) * part / 8 / tskip;
        out->segment[g] = at;
        for (size_t a = 0; a < fl->m; a++)
            for (size_t c = 0; c < fl->nc; c++) {
                const double *x = mlk_flux_series(fl, a, c) + first;
                double *y = mlk_flux_series(out, a, c) + at;
                for (size_t i = 0; i < len; i++) y[i] = mlk_mean(tskip, x + i * tskip);
                mlk_flux_release(fl);
            }
        at += len;
    }
    out->segment[fl->n_segment] = n;
    for (size_t a = 0; a < fl->m; a++) facts(out, a, fl, a);
    return MLK_OK;
}

mlk_status mlk_flux_resample(mlk_flux *out, const mlk_flux *fl, size_t tskip, mlk_err *e)
{
    return shorter(out, fl, tskip, 8, e);
}

mlk_status mlk_flux_first(mlk_flux *out, const mlk_flux *fl, size_t part, mlk_err *e)
{
    return shorter(out, fl, 1, part, e);
}
