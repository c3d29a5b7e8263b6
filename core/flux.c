/* flux.c - see flux.h. */
#include "core/flux.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

mlk_status mlk_flux_init(mlk_flux *fl, size_t n, size_t m, size_t nc, int with_parts,
                         const char *near, mlk_err *e)
{
    memset(fl, 0, sizeof *fl);
    if (m == 0 || m > MLK_FLUX_MAX || nc < 1 || nc > 3)
        return MLK_FAIL(e, MLK_EINVAL, "%zu fluxes of %zu components (1 to %d fluxes are possible)",
                        m, nc, MLK_FLUX_MAX);
    fl->m = m, fl->nc = nc;
    fl->n_segment = 1;
    fl->has_parts = with_parts;
    fl->segment = mlk_alloc(2, sizeof(size_t));
    fl->mass = mlk_alloc(m, sizeof(double));
    fl->count = mlk_alloc(m, sizeof(double));
    mlk_status s = fl->segment && fl->mass && fl->count
                       ? MLK_OK
                       : MLK_FAIL(e, MLK_ENOMEM, "fluxes of %zu samples", n);
    if (!s) s = mlk_spool_init(&fl->store, nc * (m + (with_parts ? 3 : 0)), near, e);
    if (!s) s = mlk_spool_extend(&fl->store, n, e);
    if (s) {
        mlk_flux_free(fl);
        return s;
    }
    fl->n = fl->segment[1] = n;
    return MLK_OK;
}

mlk_status mlk_flux_add(mlk_flux *fl, size_t n, const double *rows, mlk_err *e)
{
    MLK_TRY(mlk_spool_add(&fl->store, n, rows, e));
    fl->n += n;
    fl->segment[fl->n_segment] = fl->n;
    return MLK_OK;
}

void mlk_flux_free(mlk_flux *fl)
{
    mlk_spool_free(&fl->store);
    mlk_free(fl->segment);
    mlk_free(fl->mass);
    mlk_free(fl->count);
    memset(fl, 0, sizeof *fl);
}

mlk_status mlk_flux_append(mlk_flux *a, const mlk_flux *b, mlk_err *e)
{
    if (a->m != b->m) return MLK_FAIL(e, MLK_EINVAL, "%zu fluxes, expected %zu", b->m, a->m);
    if (a->nc != b->nc)
        return MLK_FAIL(e, MLK_EINVAL, "%zu components, expected %zu", b->nc, a->nc);
    for (size_t k = 0; k < a->m; k++)
        if (strcmp(a->label[k], b->label[k]))
            return MLK_FAIL(e, MLK_EINVAL, "flux %zu is '%s', expected '%s'", k + 1, b->label[k],
                            a->label[k]);
    if (fabs(a->dt - b->dt) > 1e-9 * a->dt)
        return MLK_FAIL(e, MLK_EINVAL, "sampling interval %g fs, expected %g fs", b->dt, a->dt);
    /* runs of one state point whose barostats each found its volume: some 0.1 %; a small cell or a
     * short stage at constant pressure near a transition: a few % */
    if (fabs(a->volume - b->volume) > 0.1 * a->volume)
        return MLK_FAIL(e, MLK_EINVAL, "volume %.10g A^3, expected %.10g A^3: not the same state",
                        b->volume, a->volume);
    const double f = a->volume == b->volume ? 1 : sqrt(a->volume / b->volume);
    if (a->has_parts && !b->has_parts) mlk_spool_drop(&a->store, a->nc * a->m);
    a->has_parts = a->has_parts && b->has_parts;
    size_t ns = a->n_segment + b->n_segment;
    size_t *seg = mlk_alloc(ns + 1, sizeof *seg);
    if (!seg) return MLK_FAIL(e, MLK_ENOMEM, "%zu runs", ns);
    memcpy(seg, a->segment, (a->n_segment + 1) * sizeof *seg);
    for (size_t k = 1; k <= b->n_segment; k++) seg[a->n_segment + k] = a->n + b->segment[k];
    mlk_free(a->segment);
    a->segment = seg;
    a->n_segment = ns;
    mlk_status s = mlk_spool_extend(&a->store, b->n, e);
    for (size_t k = 0; k < a->store.k && !s; k++) {
        double *x = a->store.x[k] + a->n;
        for (size_t i = 0; i < b->n; i++) x[i] = f * b->store.x[k][i];
        mlk_flux_release(a), mlk_flux_release(b);
    }
    if (s) return s;
    a->temperature =
        (a->temperature * (double)a->n + b->temperature * (double)b->n) / (double)(a->n + b->n);
    a->n += b->n;
    return MLK_OK;
}
