/* h5md.c - the finished file of a run: H5MD 1.1 (de Buyl, Colberg, Hoefling, Comput. Phys. Commun.
 * 185, 1546 (2014)) with the units module. Layout: docs/FORMATS.md. */
#include "md/h5md.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "core/units.h"
#include "version.h"

#define OBS "/observables"

static mlk_status write_head(mlk_h5 *h, mlk_err *e)
{
    const int version[2] = {1, 1}, units[2] = {1, 0};
    const char *user = getenv("USER");
    MLK_TRY(mlk_h5_attr_set_ints(h, "/h5md", "version", version, 2, e));
    MLK_TRY(mlk_h5_attr_set_str(h, "/h5md/author", "name", user && *user ? user : "unknown", e));
    MLK_TRY(mlk_h5_attr_set_str(h, "/h5md/creator", "name", "mlkit", e));
    MLK_TRY(mlk_h5_attr_set_str(h, "/h5md/creator", "version", MLK_VERSION, e));
    return mlk_h5_attr_set_ints(h, "/h5md/modules/units", "version", units, 2, e);
}

static mlk_status write_particles(mlk_h5 *h, const mlk_md *md, mlk_err *e)
{
    const size_t n = md->n, square[2] = {3, 3};
    const char *boundary[3];
    for (int k = 0; k < 3; k++) boundary[k] = md->cell.pbc[k] ? "periodic" : "none";
    MLK_TRY(mlk_h5_attr_set_int(h, "/particles/all/box", "dimension", 3, e));
    MLK_TRY(mlk_h5_attr_set_strs(h, "/particles/all/box", "boundary", boundary, 3, e));
    MLK_TRY(mlk_h5_write(h, "/particles/all/box/edges", MLK_H5_DOUBLE, 2, square, md->cell.h, e));
    MLK_TRY(mlk_h5_attr_set_str(h, "/particles/all/box/edges", "unit", "Angstrom", e));
    MLK_TRY(mlk_h5_write(h, "/particles/all/species", MLK_H5_INT, 1, &n, md->z, e));
    MLK_TRY(mlk_h5_write(h, "/particles/all/mass", MLK_H5_DOUBLE, 1, &n, md->mass, e));
    return mlk_h5_attr_set_str(h, "/particles/all/mass", "unit", "Da", e);
}

/* step and time of an element with `rows` records, one every `every` steps: scalars for the fluxes
 * (H5MD's fixed interval), arrays for the rest. */
static mlk_status write_clock(mlk_h5 *h, const mlk_md *md, const mlk_md_series *q, size_t rows,
                              int64_t every, mlk_err *e)
{
    char path[128];
    size_t items = q->clock == MLK_MD_FLUX ? 1 : rows;
    int nd = q->clock == MLK_MD_FLUX ? 0 : 1;
    int64_t *step = mlk_alloc(items, sizeof *step);
    double *time = mlk_alloc(items, sizeof *time);
    mlk_status s = step && time ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "%zu records", items);
    for (size_t k = 0; !s && k < items; k++) {
        step[k] = nd ? (int64_t)k * every : every;
        time[k] = (double)step[k] * md->cfg.dt;
    }
    snprintf(path, sizeof path, "%s/step", q->path);
    if (!s) s = mlk_h5_write(h, path, MLK_H5_INT64, nd, &items, step, e);
    snprintf(path, sizeof path, "%s/time", q->path);
    if (!s) s = mlk_h5_write(h, path, MLK_H5_DOUBLE, nd, &items, time, e);
    if (!s) s = mlk_h5_attr_set_str(h, path, "unit", "fs", e);
    mlk_free(step), mlk_free(time);
    return s;
}

/* FNV-1a, 64 bits, over 4-byte words (every row is a whole number of them). */
static uint64_t digest(uint64_t h, const char *p, size_t bytes)
{
    uint32_t w;
    for (; bytes >= 4; p += 4, bytes -= 4) {
        memcpy(&w, p, 4);
        h = (h ^ w) * 0x100000001b3u;
    }
    return h;
}

/* Copy one series of one part to the end of h; *rows counts. */
static mlk_status copy_part(mlk_h5 *h, mlk_h5 *part, const mlk_md_series *q, size_t *rows,
                            uint64_t *sum, mlk_err *e)
{
    char value[128];
    snprintf(value, sizeof value, "%s/value", q->path);
    if (!mlk_h5_exists(part, value)) return MLK_OK;
    int nd;
    size_t dim[4];
    MLK_TRY(mlk_h5_dims(part, value, &nd, dim, e));
    char *buf = mlk_alloc(dim[0], q->row);
    if (!buf) return MLK_FAIL(e, MLK_ENOMEM, "%zu records of %s", dim[0], q->path);
    mlk_status s = mlk_h5_read(part, value, q->type, buf, e);
    if (!s)
        s = mlk_h5_append(h, value, q->type, q->nd, q->dim, dim[0], buf, q->clock == MLK_MD_DUMP,
                          e);
    if (!s) *sum = digest(*sum, buf, dim[0] * q->row);
    *rows += dim[0];
    mlk_free(buf);
    return s;
}

static mlk_status write_series(mlk_h5 *h, const mlk_md_store *st, const mlk_md *md, uint64_t *sum,
                               mlk_err *e)
{
    const int64_t every[MLK_MD_CLOCKS] = {md->sample, md->thermo, md->dump, md->thermo};
    size_t rows[MLK_MD_MAX_SERIES] = {0};
    uint64_t sums[MLK_MD_MAX_SERIES] = {0}; /* per series: independent of where the parts end */
    char value[128], part[1200];
    mlk_status s = MLK_OK;
    for (int k = 0; !s && k < st->n_series; k++) { /* empty, so that they exist in any case */
        const mlk_md_series *q = &st->s[k];
        if (q->clock == MLK_MD_EQ && !md->n_equil) continue;
        snprintf(value, sizeof value, "%s/value", q->path);
        s = mlk_h5_append(h, value, q->type, q->nd, q->dim, 0, NULL, q->clock == MLK_MD_DUMP, e);
        if (!s) s = mlk_h5_attr_set_str(h, value, "unit", q->unit, e);
    }
    for (int64_t p = 1; !s && p <= st->n_part; p++) {
        mlk_h5 *in = NULL;
        mlk_md_part_path(st, p, part, sizeof part);
        s = mlk_h5_open(&in, part, "r", e);
        for (int k = 0; !s && k < st->n_series; k++)
            s = copy_part(h, in, &st->s[k], &rows[k], &sums[k], e);
        mlk_h5_close(&in, NULL);
    }
    for (int k = 0; !s && k < st->n_series; k++)
        if (rows[k]) s = write_clock(h, md, &st->s[k], rows[k], every[st->s[k].clock], e);
    *sum = digest(0xcbf29ce484222325u, (const char *)sums, (size_t)st->n_series * sizeof *sums);
    return s;
}

/* Mean and its standard error from ten blocks (NaN below 20 values). */
static mlk_status mean_of(mlk_h5 *h, const char *path, double *mean, double *error, mlk_err *e)
{
    int nd;
    size_t dim[4];
    *mean = *error = NAN;
    MLK_TRY(mlk_h5_dims(h, path, &nd, dim, e));
    size_t n = dim[0], m = n / 10;
    double *v = mlk_alloc(n, sizeof *v), b[10] = {0};
    if (!v) return MLK_FAIL(e, MLK_ENOMEM, "%zu records", n);
    mlk_status s = mlk_h5_read(h, path, MLK_H5_DOUBLE, v, e);
    double sum = 0, bb = 0, bs = 0;
    for (size_t k = 0; !s && k < n; k++) sum += v[k];
    for (size_t k = 0; !s && k < 10 * m; k++) b[k / m] += v[k] / (double)m;
    mlk_free(v);
    if (s || !n) return s;
    *mean = sum / (double)n;
    if (m < 2) return MLK_OK;
    for (int k = 0; k < 10; k++) bs += b[k], bb += b[k] * b[k];
    *error = sqrt(fmax(bb - bs * bs / 10, 0) / 90);
    return MLK_OK;
}

static mlk_status write_parameters(mlk_h5 *h, const mlk_md *md, bool complete, uint64_t sum,
                                   mlk_err *e)
{
    const mlk_md_config *c = &md->cfg;
    double drift_err, drift = mlk_md_drift(md, &drift_err), t = NAN, t_err = NAN, p = NAN,
                      p_err = NAN;
    double e0 = 0, volume_err = NAN, volume = mlk_md_npt_volume(md, &volume_err);
    for (size_t i = 0; i < md->n; i++) e0 += md->pot->e0[md->type[i]];
    MLK_TRY(mean_of(h, OBS "/temperature/value", &t, &t_err, e));
    MLK_TRY(mean_of(h, OBS "/pressure/value", &p, &p_err, e));
    bool flag = fabs(drift) > c->max_drift && fabs(drift) > 3 * drift_err;
    if (flag)
        mlk_log(
            MLK_LOG_WARN,
            "the energy drifts by %.3g +- %.2g meV/atom/ns (flagged above %g): use a shorter --dt",
            drift, drift_err, c->max_drift);
    char hex[24];
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)sum);
    const struct {
        const char *name;
        double v;
    } real[] = {{"volume_A3", md->cell.volume},
                {"dt_fs", c->dt},
                {"sample_fs", (double)md->sample * c->dt},
                {"dump_fs", (double)md->dump * c->dt},
                {"npt_fs", (double)md->n_npt * c->dt},
                {"npt_pressure_GPa", c->pressure},
                {"npt_volume_A3", volume},
                {"npt_volume_err_A3", volume_err},
                {"equil_fs", (double)(md->n_equil - md->n_npt) * c->dt},
                {"run_fs", (double)md->n_run * c->dt},
                {"tau_fs", c->tau},
                {"temperature_K", c->temp},
                {"temperature_mean_K", t},
                {"temperature_err_K", t_err},
                {"pressure_mean_GPa", p},
                {"pressure_err_GPa", p_err},
                {"drift_meV_atom_ns", drift},
                {"drift_err_meV_atom_ns", drift_err},
                {"reference_energy_eV", e0},
                {"wall_s", md->sums.wall},
                {"atom_steps_per_s", (double)md->n * (double)md->step / fmax(md->sums.wall, 1e-9)},
                {"steps_per_list", (double)md->step / fmax(md->sums.builds, 1)}};
    const struct {
        const char *name, *v;
    } text[] = {{"model", c->model},        {"model_type", md->pot->type->name},
                {"command", c->command},    {"version", MLK_VERSION},
                {"compiler", MLK_COMPILER}, {"ensemble", c->ensemble == MLK_MD_NVT ? "nvt" : "nve"},
                {"settings", md->settings}, {"digest", hex}};
    for (size_t k = 0; k < sizeof real / sizeof *real; k++)
        MLK_TRY(mlk_h5_attr_set_double(h, MLK_MD_PARAM, real[k].name, real[k].v, e));
    for (size_t k = 0; k < sizeof text / sizeof *text; k++)
        MLK_TRY(mlk_h5_attr_set_str(h, MLK_MD_PARAM, text[k].name, text[k].v, e));
    MLK_TRY(mlk_h5_attr_set_int(h, MLK_MD_PARAM, "n_atoms", (int64_t)md->n, e));
    MLK_TRY(mlk_h5_attr_set_int(h, MLK_MD_PARAM, "seed", (int64_t)c->seed, e));
    MLK_TRY(mlk_h5_attr_set_int(h, MLK_MD_PARAM, "drift_flag", flag, e));
    MLK_TRY(mlk_h5_attr_set_int(h, MLK_MD_PARAM, "complete", complete, e));
    return mlk_md_quality_write(h, md, e);
}

mlk_status mlk_md_h5md_write(const mlk_md_store *st, const mlk_md *md, const char *path,
                             bool complete, mlk_err *e)
{
    char tmp[1200];
    snprintf(tmp, sizeof tmp, "%s.tmp", path); /* one writer: the run holds a lock */
    unlink(tmp);
    mlk_h5 *h = NULL;
    uint64_t sum = 0;
    mlk_status s = mlk_h5_open(&h, tmp, "w", e);
    if (!s) s = write_head(h, e);
    if (!s) s = write_particles(h, md, e);
    if (!s) s = write_series(h, st, md, &sum, e);
    if (!s) s = mlk_md_rdf(h, md, e);
    if (!s) s = write_parameters(h, md, complete, sum, e);
    mlk_status c = mlk_h5_close(&h, s ? NULL : e);
    if (!s) s = c;
    if (!s) return mlk_md_commit(tmp, path, e);
    unlink(tmp);
    mlk_err_hint(e, "check the free space; the same command finishes the run from its checkpoint");
    return s;
}

mlk_status mlk_md_summary_read(const char *path, mlk_md_summary *q, mlk_err *e)
{
    memset(q, 0, sizeof *q);
    const struct {
        const char *name;
        double *v;
    } real[] = {{"temperature_K", &q->temperature},
                {"temperature_mean_K", &q->temperature_mean},
                {"temperature_err_K", &q->temperature_err},
                {"dt_fs", &q->dt},
                {"sample_fs", &q->sample},
                {"volume_A3", &q->volume},
                {"drift_meV_atom_ns", &q->drift},
                {"drift_err_meV_atom_ns", &q->drift_err},
                {"pressure_mean_GPa", &q->pressure_mean},
                {"wall_s", &q->wall},
                {"atom_steps_per_s", &q->rate}};
    const struct {
        const char *name;
        int64_t *v;
    } whole[] = {{"n_atoms", &q->n_atoms},
                 {"seed", &q->seed},
                 {"complete", &q->complete},
                 {"drift_flag", &q->drift_flag},
                 {"shortest_flag", &q->shortest_flag}};
    mlk_h5 *h = NULL;
    int nd;
    size_t dim[4] = {0};
    mlk_status s = mlk_h5_open(&h, path, "r", e);
    for (size_t k = 0; !s && k < sizeof real / sizeof *real; k++)
        s = mlk_h5_attr_double(h, MLK_MD_PARAM, real[k].name, real[k].v, e);
    for (size_t k = 0; !s && k < sizeof whole / sizeof *whole; k++)
        s = mlk_h5_attr_int(h, MLK_MD_PARAM, whole[k].name, whole[k].v, e);
    if (!s) s = mlk_h5_attr_str(h, MLK_MD_PARAM, "digest", q->digest, sizeof q->digest, e);
    if (!s) s = mlk_h5_dims(h, OBS "/energy_flux/virial/value", &nd, dim, e);
    q->n_samples = (int64_t)dim[0];
    if (!s) s = mlk_md_quality_read(h, q, e);
    mlk_h5_close(&h, NULL);
    return s;
}
