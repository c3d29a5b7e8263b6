/* flux.c - see flux.h. */
#include "core/flux.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/element.h"
#include "core/h5.h"
#include "core/mem.h"

mlk_status mlk_flux_init(mlk_flux *fl, size_t n, size_t m, int with_parts, mlk_err *e)
{
    memset(fl, 0, sizeof *fl);
    if (n == 0 || m == 0 || m > MLK_FLUX_MAX)
        return MLK_FAIL(e, MLK_EINVAL, "%zu fluxes of %zu samples (1 to %d fluxes are possible)", m,
                        n, MLK_FLUX_MAX);
    fl->n = n;
    fl->m = m;
    fl->n_segment = 1;
    fl->j = mlk_alloc(3 * m * n, sizeof(double));
    if (with_parts) fl->part = mlk_alloc(9 * n, sizeof(double));
    fl->segment = mlk_alloc(2, sizeof(size_t));
    fl->mass = mlk_alloc(m, sizeof(double));
    fl->count = mlk_alloc(m, sizeof(double));
    if (!fl->j || (with_parts && !fl->part) || !fl->segment || !fl->mass || !fl->count) {
        mlk_flux_free(fl);
        return MLK_FAIL(e, MLK_ENOMEM, "fluxes of %zu samples", n);
    }
    fl->segment[1] = n;
    return MLK_OK;
}

void mlk_flux_free(mlk_flux *fl)
{
    mlk_free(fl->j);
    mlk_free(fl->part);
    mlk_free(fl->segment);
    mlk_free(fl->mass);
    mlk_free(fl->count);
    memset(fl, 0, sizeof *fl);
}

/* rows of a (n,3) dataset into three strided series, added to dst; every number must be finite */
static mlk_status add_vector(mlk_h5 *h, const char *path, const char *set, size_t n, double *row,
                             double *dst, double *copy, mlk_err *e)
{
    int nd;
    size_t dim[4];
    MLK_TRY(mlk_h5_dims(h, set, &nd, dim, e));
    if (nd != 2 || dim[0] < n || dim[1] != 3) {
        MLK_FAIL(e, MLK_EFORMAT, "'%s' has %zu rows of %zu, expected %zu of 3", set, dim[0],
                 nd == 2 ? dim[1] : 0, n);
        return mlk_err_at(e, path, 0);
    }
    MLK_TRY(mlk_h5_read_rows(h, set, MLK_H5_DOUBLE, 0, n, row, e));
    for (size_t t = 0; t < n; t++)
        for (size_t c = 0; c < 3; c++) {
            double v = row[3 * t + c];
            if (!isfinite(v)) {
                MLK_FAIL(e, MLK_ENUMERIC, "'%s': sample %zu is not finite", set, t + 1);
                mlk_err_hint(e, "the run diverged; look at its temperature and energy");
                return mlk_err_at(e, path, 0);
            }
            dst[c * n + t] += v;
            if (copy) copy[c * n + t] = v;
        }
    return MLK_OK;
}

/* atoms and mean mass of one species, from /particles/all */
static mlk_status species_facts(mlk_h5 *h, mlk_flux *fl, mlk_err *e)
{
    int nd, *z = NULL;
    size_t dim[4], na;
    double *mass = NULL;
    mlk_status s = MLK_OK;
    if (!mlk_h5_exists(h, "/particles/all/species")) return MLK_OK;
    MLK_TRY(mlk_h5_dims(h, "/particles/all/species", &nd, dim, e));
    na = nd == 1 ? dim[0] : 0;
    if (na == 0) return MLK_OK;
    z = mlk_alloc(na, sizeof *z);
    mass = mlk_alloc(na, sizeof *mass);
    if (!z || !mass) {
        s = MLK_FAIL(e, MLK_ENOMEM, "%zu atoms", na);
        goto done;
    }
    MLK_GO(mlk_h5_read(h, "/particles/all/species", MLK_H5_INT, z, e));
    for (size_t i = 0; i < na; i++) mass[i] = mlk_element_mass(z[i]);
    if (mlk_h5_exists(h, "/particles/all/mass")) {
        MLK_GO(mlk_h5_dims(h, "/particles/all/mass", &nd, dim, e));
        if (nd == 1 && dim[0] == na)
            MLK_GO(mlk_h5_read(h, "/particles/all/mass", MLK_H5_DOUBLE, mass, e));
    }
    for (size_t a = 1; a < fl->m; a++) {
        double sum = 0;
        for (size_t i = 0; i < na; i++)
            if (!strcmp(mlk_element_symbol(z[i]), fl->label[a])) sum += mass[i], fl->count[a] += 1;
        if (fl->count[a] > 0) fl->mass[a] = sum / fl->count[a];
    }
done:
    mlk_free(z);
    mlk_free(mass);
    return s;
}

mlk_status mlk_flux_read_h5md(mlk_flux *fl, const char *path, mlk_err *e)
{
    static const char *const part[3] = {"kinetic", "convective", "virial"};
    static const char par[] = "/parameters/mlkit";
    memset(fl, 0, sizeof *fl);
    mlk_h5 *h = NULL;
    char **names = NULL, set[256];
    double *row = NULL, dt = 0, vol = 0, temp = 0;
    size_t n_names = 0, n = 0, dim[4];
    int nd;
    mlk_status s;
    MLK_GO(mlk_h5_open(&h, path, "r", e));
    for (int k = 0; k < 3; k++) {
        snprintf(set, sizeof set, "/observables/energy_flux/%s/value", part[k]);
        if (!mlk_h5_exists(h, set)) {
            MLK_FAIL(e, MLK_EFORMAT, "no energy flux: '%s' is missing", set);
            mlk_err_hint(e, "a file written by 'mlkit md' is expected");
            s = mlk_err_at(e, path, 0);
            goto done;
        }
        MLK_GO(mlk_h5_dims(h, set, &nd, dim, e));
        /* an interrupted writer may have appended to the first datasets only */
        if (k == 0 || dim[0] < n) n = dim[0];
    }
    if (mlk_h5_exists(h, "/observables/mass_flux"))
        MLK_GO(mlk_h5_list(h, "/observables/mass_flux", &names, &n_names, e));
    for (size_t a = 0; a < n_names; a++) {
        snprintf(set, sizeof set, "/observables/mass_flux/%s/value", names[a]);
        MLK_GO(mlk_h5_dims(h, set, &nd, dim, e));
        if (dim[0] < n) n = dim[0];
    }
    if (n < 2) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu flux samples: nothing to analyse", n);
        mlk_err_hint(e, "the production stage has not begun; let 'mlkit md' finish");
        s = mlk_err_at(e, path, 0);
        goto done;
    }
    MLK_GO(mlk_h5_attr_double(h, par, "volume_A3", &vol, e));
    MLK_GO(mlk_h5_attr_double(h, par, "sample_fs", &dt, e));
    MLK_GO(mlk_h5_attr_double(
        h, par,
        mlk_h5_attr_exists(h, par, "temperature_mean_K") ? "temperature_mean_K" : "temperature_K",
        &temp, e));
    if (!(vol > 0) || !(dt > 0) || !(temp > 0)) {
        MLK_FAIL(e, MLK_EFORMAT,
                 "volume %g A^3, sampling %g fs, temperature %g K: not all positive", vol, dt,
                 temp);
        s = mlk_err_at(e, path, 0);
        goto done;
    }
    MLK_GO(mlk_flux_init(fl, n, 1 + n_names, 1, e));
    row = mlk_alloc(3 * n, sizeof *row);
    if (!row) {
        s = MLK_FAIL(e, MLK_ENOMEM, "fluxes of %zu samples", n);
        goto done;
    }
    fl->dt = dt, fl->volume = vol, fl->temperature = temp;
    snprintf(fl->label[0], sizeof fl->label[0], "energy");
    for (size_t k = 0; k < 3; k++) {
        snprintf(set, sizeof set, "/observables/energy_flux/%s/value", part[k]);
        MLK_GO(add_vector(h, path, set, n, row, fl->j, fl->part + 3 * k * n, e));
    }
    for (size_t a = 0; a < n_names; a++) {
        snprintf(fl->label[a + 1], sizeof fl->label[a + 1], "%s", names[a]);
        snprintf(set, sizeof set, "/observables/mass_flux/%s/value", names[a]);
        MLK_GO(add_vector(h, path, set, n, row, fl->j + 3 * (a + 1) * n, NULL, e));
    }
    s = species_facts(h, fl, e);
done:
    for (size_t a = 0; a < n_names; a++) mlk_free(names[a]);
    mlk_free(names);
    mlk_free(row);
    mlk_err close_err = {0};
    mlk_h5_close(&h, &close_err);
    if (s) mlk_flux_free(fl);
    return s;
}

static void append_series(double *dst, const double *a, size_t na, const double *b, size_t nb,
                          size_t rows)
{
    for (size_t r = 0; r < rows; r++) {
        memcpy(dst + r * (na + nb), a + r * na, na * sizeof *a);
        memcpy(dst + r * (na + nb) + na, b + r * nb, nb * sizeof *b);
    }
}

mlk_status mlk_flux_append(mlk_flux *a, const mlk_flux *b, mlk_err *e)
{
    if (a->m != b->m) return MLK_FAIL(e, MLK_EINVAL, "%zu fluxes, expected %zu", b->m, a->m);
    for (size_t k = 0; k < a->m; k++)
        if (strcmp(a->label[k], b->label[k]))
            return MLK_FAIL(e, MLK_EINVAL, "flux %zu is '%s', expected '%s'", k + 1, b->label[k],
                            a->label[k]);
    if (fabs(a->dt - b->dt) > 1e-9 * a->dt)
        return MLK_FAIL(e, MLK_EINVAL, "sampling interval %g fs, expected %g fs", b->dt, a->dt);
    /* replicas share one cell; 1e-6 allows for a cell that went through a text file */
    if (fabs(a->volume - b->volume) > 1e-6 * a->volume)
        return MLK_FAIL(e, MLK_EINVAL, "volume %.10g A^3, expected %.10g A^3", b->volume,
                        a->volume);
    size_t n = a->n + b->n, ns = a->n_segment + b->n_segment;
    int parts = a->part && b->part;
    double *j = mlk_alloc(3 * a->m * n, sizeof *j);
    double *part = parts ? mlk_alloc(9 * n, sizeof *part) : NULL;
    size_t *seg = mlk_alloc(ns + 1, sizeof *seg);
    if (!j || (parts && !part) || !seg) {
        mlk_free(j), mlk_free(part), mlk_free(seg);
        return MLK_FAIL(e, MLK_ENOMEM, "fluxes of %zu samples", n);
    }
    append_series(j, a->j, a->n, b->j, b->n, 3 * a->m);
    if (parts) append_series(part, a->part, a->n, b->part, b->n, 9);
    memcpy(seg, a->segment, (a->n_segment + 1) * sizeof *seg);
    for (size_t k = 1; k <= b->n_segment; k++) seg[a->n_segment + k] = a->n + b->segment[k];
    a->temperature = (a->temperature * (double)a->n + b->temperature * (double)b->n) / (double)n;
    mlk_free(a->j), mlk_free(a->part), mlk_free(a->segment);
    a->j = j, a->part = part, a->segment = seg;
    a->n = n, a->n_segment = ns;
    return MLK_OK;
}
