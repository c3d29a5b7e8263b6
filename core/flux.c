/* flux.c - see flux.h. */
#include "core/flux.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/element.h"
#include "core/h5.h"
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

/* a (rows,3) dataset that is at least n rows long */
static mlk_status check_vector(mlk_h5 *h, const char *path, const char *set, size_t n, mlk_err *e)
{
    int nd;
    size_t dim[4];
    MLK_TRY(mlk_h5_dims(h, set, &nd, dim, e));
    if (nd == 2 && dim[0] >= n && dim[1] == 3) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "'%s' has %zu rows of %zu, expected %zu of 3", set, dim[0],
             nd == 2 ? dim[1] : 0, n);
    return mlk_err_at(e, path, 0);
}

enum { BLOCK = 65536 };

/* rows first.. (n,3) of a dataset into columns col, col+1, col+2 of rows (n,k); every number must
 * be finite */
static mlk_status read_vector(mlk_h5 *h, const char *path, const char *set, size_t first, size_t n,
                              double *buf, double *rows, size_t k, size_t col, mlk_err *e)
{
    MLK_TRY(mlk_h5_read_rows(h, set, MLK_H5_DOUBLE, first, n, buf, e));
    for (size_t t = 0; t < n; t++)
        for (size_t c = 0; c < 3; c++) {
            double v = buf[3 * t + c];
            if (!isfinite(v)) {
                MLK_FAIL(e, MLK_ENUMERIC, "'%s': sample %zu is not finite", set, first + t + 1);
                mlk_err_hint(e, "the run diverged; look at its temperature and energy");
                return mlk_err_at(e, path, 0);
            }
            rows[t * k + col + c] = v;
        }
    return MLK_OK;
}

static const char *const part_name[3] = {"kinetic", "convective", "virial"};

/* name of the dataset of column group g: mass fluxes 1..m-1, then the parts of the energy flux */
static void set_name(const mlk_flux *fl, size_t g, char set[256])
{
    if (g < fl->m)
        snprintf(set, 256, "/observables/mass_flux/%s/value", fl->label[g]);
    else
        snprintf(set, 256, "/observables/energy_flux/%s/value", part_name[g - fl->m]);
}

/* n samples of fl's fluxes from an open file, block by block */
static mlk_status add_h5md(mlk_flux *fl, mlk_h5 *h, const char *path, size_t n, mlk_err *e)
{
    char set[256];
    size_t k = 3 * (fl->m + 3);
    for (size_t g = 1; g < fl->m + 3; g++) {
        set_name(fl, g, set);
        MLK_TRY(check_vector(h, path, set, n, e));
    }
    size_t most = n < BLOCK ? n : BLOCK;
    double *buf = mlk_alloc(3 * most, sizeof *buf), *rows = mlk_alloc(k * most, sizeof *rows);
    mlk_status s = buf && rows ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "fluxes of %zu samples", n);
    for (size_t t = 0; t < n && !s; t += most) {
        size_t len = n - t < most ? n - t : most;
        for (size_t i = 0; i < fl->m + 2 && !s; i++) { /* the energy's parts first */
            size_t g = i < 3 ? fl->m + i : i - 2;
            set_name(fl, g, set);
            s = read_vector(h, path, set, t, len, buf, rows, k, 3 * g, e);
        }
        for (size_t i = 0; i < len && !s; i++) {
            double *r = rows + i * k, *p = r + 3 * fl->m;
            for (size_t c = 0; c < 3; c++) r[c] = p[c] + p[3 + c] + p[6 + c];
        }
        if (!s) s = mlk_flux_add(fl, len, rows, e);
    }
    mlk_free(buf);
    mlk_free(rows);
    return s;
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
    static const char par[] = "/parameters/mlkit";
    memset(fl, 0, sizeof *fl);
    mlk_h5 *h = NULL;
    char **names = NULL, set[256];
    double dt = 0, vol = 0, temp = 0;
    size_t n_names = 0, n = 0, dim[4];
    int nd;
    mlk_status s;
    MLK_GO(mlk_h5_open(&h, path, "r", e));
    for (int k = 0; k < 3; k++) {
        snprintf(set, sizeof set, "/observables/energy_flux/%s/value", part_name[k]);
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
    MLK_GO(mlk_flux_init(fl, 0, 1 + n_names, 3, 1, path, e));
    fl->dt = dt, fl->volume = vol, fl->temperature = temp;
    snprintf(fl->label[0], sizeof fl->label[0], "energy");
    for (size_t a = 0; a < n_names; a++)
        snprintf(fl->label[a + 1], sizeof fl->label[a + 1], "%s", names[a]);
    MLK_GO(add_h5md(fl, h, path, n, e));
    s = species_facts(h, fl, e);
done:
    for (size_t a = 0; a < n_names; a++) mlk_free(names[a]);
    mlk_free(names);
    mlk_err close_err = {0};
    mlk_h5_close(&h, &close_err);
    if (s) mlk_flux_free(fl);
    return s;
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
    /* replicas share one cell; 1e-6 allows for a cell that went through a text file */
    if (fabs(a->volume - b->volume) > 1e-6 * a->volume)
        return MLK_FAIL(e, MLK_EINVAL, "volume %.10g A^3, expected %.10g A^3", b->volume,
                        a->volume);
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
        memcpy(a->store.x[k] + a->n, b->store.x[k], b->n * sizeof(double));
        mlk_flux_release(a), mlk_flux_release(b);
    }
    if (s) return s;
    a->temperature =
        (a->temperature * (double)a->n + b->temperature * (double)b->n) / (double)(a->n + b->n);
    a->n += b->n;
    return MLK_OK;
}
