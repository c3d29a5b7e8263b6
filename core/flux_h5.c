/* flux_h5.c - fluxes of an mlkit H5MD run, finished or still being written; see flux.h. A run that
 * is going on is a folder of small finished files and a checkpoint (docs/FORMATS.md, MD runs). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/element.h"
#include "core/file.h"
#include "core/flux.h"
#include "core/h5.h"
#include "core/log.h"
#include "core/mem.h"

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

/* samples that all flux datasets of an open file have (an interrupted writer may have appended to
 * the first ones only), and the names of the mass fluxes when names is given */
static mlk_status count_samples(mlk_h5 *h, const char *path, size_t *n, char ***names,
                                size_t *n_names, mlk_err *e)
{
    char set[256], **list = NULL;
    size_t dim[4], n_list = 0;
    int nd;
    mlk_status s = MLK_OK;
    for (int k = 0; k < 3; k++) {
        snprintf(set, sizeof set, "/observables/energy_flux/%s/value", part_name[k]);
        if (!mlk_h5_exists(h, set)) {
            MLK_FAIL(e, MLK_EFORMAT, "no energy flux: '%s' is missing", set);
            mlk_err_hint(e, "a file written by 'mlkit md' is expected");
            return mlk_err_at(e, path, 0);
        }
        MLK_TRY(mlk_h5_dims(h, set, &nd, dim, e));
        if (k == 0 || dim[0] < *n) *n = dim[0];
    }
    if (mlk_h5_exists(h, "/observables/mass_flux"))
        MLK_TRY(mlk_h5_list(h, "/observables/mass_flux", &list, &n_list, e));
    for (size_t a = 0; a < n_list && !s; a++) {
        snprintf(set, sizeof set, "/observables/mass_flux/%s/value", list[a]);
        s = mlk_h5_dims(h, set, &nd, dim, e);
        if (!s && dim[0] < *n) *n = dim[0];
    }
    *names = list, *n_names = n_list;
    return s;
}

static mlk_status begin(mlk_flux *fl, const char *path, char **names, size_t n_names, mlk_err *e)
{
    MLK_TRY(mlk_flux_init(fl, 0, 1 + n_names, 3, 1, path, e));
    snprintf(fl->label[0], sizeof fl->label[0], "energy");
    for (size_t a = 0; a < n_names; a++)
        snprintf(fl->label[a + 1], sizeof fl->label[a + 1], "%s", names[a]);
    return MLK_OK;
}

static mlk_status too_short(const char *path, size_t n, mlk_err *e)
{
    MLK_FAIL(e, MLK_EFORMAT, "%zu flux samples: nothing to analyse", n);
    mlk_err_hint(e, "the production stage has not begun; let 'mlkit md' finish");
    return mlk_err_at(e, path, 0);
}

static mlk_status check_facts(const char *path, const mlk_flux *fl, mlk_err *e)
{
    if (fl->volume > 0 && fl->dt > 0 && fl->temperature > 0) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "volume %g A^3, sampling %g fs, temperature %g K: not all positive",
             fl->volume, fl->dt, fl->temperature);
    return mlk_err_at(e, path, 0);
}

/* A file that another program has open for writing is locked: then without locks. */
static mlk_status open_shared(mlk_h5 **h, const char *path, mlk_err *e)
{
    mlk_err first = {0};
    if (!mlk_h5_open(h, path, "r", &first)) return MLK_OK;
    if (!mlk_file_exists(path) || mlk_h5_open_foreign(h, path, NULL, 0, NULL)) {
        if (e && !e->code) *e = first;
        return first.code;
    }
    mlk_log(MLK_LOG_INFO, "%s: another program has it open: read as it is now", path);
    return MLK_OK;
}

static mlk_status read_finished(mlk_flux *fl, const char *path, mlk_err *e)
{
    static const char par[] = "/parameters/mlkit";
    mlk_h5 *h = NULL;
    char **names = NULL;
    size_t n_names = 0, n = 0;
    mlk_status s;
    MLK_GO(open_shared(&h, path, e));
    MLK_GO(count_samples(h, path, &n, &names, &n_names, e));
    if (n < 2) {
        s = too_short(path, n, e);
        goto done;
    }
    MLK_GO(begin(fl, path, names, n_names, e));
    MLK_GO(mlk_h5_attr_double(h, par, "volume_A3", &fl->volume, e));
    MLK_GO(mlk_h5_attr_double(h, par, "sample_fs", &fl->dt, e));
    MLK_GO(mlk_h5_attr_double(
        h, par,
        mlk_h5_attr_exists(h, par, "temperature_mean_K") ? "temperature_mean_K" : "temperature_K",
        &fl->temperature, e));
    MLK_GO(check_facts(path, fl, e));
    MLK_GO(add_h5md(fl, h, path, n, e));
    s = species_facts(h, fl, e);
done:
    mlk_strings_free(names, n_names);
    mlk_h5_close(&h, NULL);
    return s;
}

/* ---- a run that is going on ------------------------------------------------------------------ */

static void checkpoint_of(const char *path, char *buf, size_t cap)
{
    snprintf(buf, cap, "%s.ckpt.h5", path);
}

bool mlk_flux_unfinished(const char *path)
{
    char ckpt[1100];
    checkpoint_of(path, ckpt, sizeof ckpt);
    return strlen(path) < 1000 && !mlk_file_exists(path) && mlk_file_exists(ckpt);
}

/* number behind "key: " in the settings, 0 if there is none */
static double setting(const char *text, const char *key)
{
    const char *p = strstr(text, key);
    return p ? strtod(p + strlen(key), NULL) : 0;
}

/* sum of the temperatures of a part, and how many */
static mlk_status add_temperature(mlk_h5 *h, double *sum, double *n, mlk_err *e)
{
    static const char set[] = "/observables/temperature/value";
    int nd;
    size_t dim[4];
    if (!mlk_h5_exists(h, set)) return MLK_OK;
    MLK_TRY(mlk_h5_dims(h, set, &nd, dim, e));
    double *v = nd == 1 && dim[0] ? mlk_alloc(dim[0], sizeof *v) : NULL;
    if (!v) return MLK_OK;
    mlk_status s = mlk_h5_read(h, set, MLK_H5_DOUBLE, v, e);
    for (size_t k = 0; k < dim[0] && !s; k++) *sum += v[k], *n += 1;
    mlk_free(v);
    return s;
}

/* samples and temperatures of one part; fl is begun with the first that has fluxes */
static mlk_status add_part(mlk_flux *fl, const char *run, const char *part, double *t, double *n_t,
                           mlk_err *e)
{
    mlk_h5 *h = NULL;
    char **names = NULL;
    size_t n_names = 0, n = 0;
    mlk_status s;
    MLK_GO(mlk_h5_open(&h, part, "r", e));
    MLK_GO(add_temperature(h, t, n_t, e));
    if (mlk_h5_exists(h, "/observables/energy_flux/kinetic/value")) {
        MLK_GO(count_samples(h, part, &n, &names, &n_names, e));
        if (fl->m == 0) MLK_GO(begin(fl, run, names, n_names, e));
        s = add_h5md(fl, h, part, n, e);
    }
done:
    mlk_strings_free(names, n_names);
    mlk_h5_close(&h, NULL);
    return s;
}

static mlk_status read_unfinished(mlk_flux *fl, const char *path, mlk_err *e)
{
    char ckpt[1100], part[1200], settings[8192];
    mlk_h5 *h = NULL;
    int64_t n_part = 0;
    double volume = 0, t = 0, n_t = 0;
    mlk_status s;
    checkpoint_of(path, ckpt, sizeof ckpt);
    MLK_GO(mlk_h5_open(&h, ckpt, "r", e));
    MLK_GO(mlk_h5_attr_str(h, "/", "settings", settings, sizeof settings, e));
    MLK_GO(mlk_h5_attr_int(h, "/", "n_part", &n_part, e));
    if (!mlk_h5_attr_exists(h, "/", "volume_A3")) {
        MLK_FAIL(e, MLK_EFORMAT, "the checkpoint does not say the volume: an older mlkit wrote it");
        mlk_err_hint(e, "let 'mlkit md' finish");
        s = mlk_err_at(e, ckpt, 0);
        goto done;
    }
    MLK_GO(mlk_h5_attr_double(h, "/", "volume_A3", &volume, e));
    for (int64_t k = 1; k <= n_part; k++) {
        snprintf(part, sizeof part, "%s.parts/part-%06lld.h5", path, (long long)k);
        MLK_GO(add_part(fl, path, part, &t, &n_t, e));
    }
    if (fl->n < 2) {
        s = too_short(ckpt, fl->n, e);
        goto done;
    }
    fl->volume = volume;
    fl->dt = setting(settings, "\ndt_fs: ") * setting(settings, "\nsample_steps: ");
    fl->temperature = n_t > 0 ? t / n_t : setting(settings, "\ntemperature_K: ");
    MLK_GO(check_facts(ckpt, fl, e));
    MLK_GO(species_facts(h, fl, e));
    mlk_log(MLK_LOG_INFO, "%s: run still being written: %.4g ps of %.4g ps so far", path,
            (double)fl->n * fl->dt * 1e-3,
            setting(settings, "\ndt_fs: ") * setting(settings, "\nrun_steps: ") * 1e-3);
done:
    mlk_h5_close(&h, NULL);
    return s;
}

mlk_status mlk_flux_read_h5md(mlk_flux *fl, const char *path, mlk_err *e)
{
    memset(fl, 0, sizeof *fl);
    mlk_err why = {0};
    mlk_status s;
    if (mlk_flux_unfinished(path)) {
        s = read_unfinished(fl, path, &why);
        if (!s || !mlk_file_exists(path)) goto done;
        why = (mlk_err){0}; /* it was finished meanwhile, and its parts are gone */
        mlk_flux_free(fl);
    }
    s = read_finished(fl, path, &why);
done:
    if (s) mlk_flux_free(fl);
    if (s && e && !e->code) *e = why;
    return s;
}
