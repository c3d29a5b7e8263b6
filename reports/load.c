/* load.c - a run folder into an mlk_report: whatever is there, with a list of what is not. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "core/element.h"
#include "core/file.h"
#include "core/h5.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/opt.h"
#include "core/units.h"
#include "datasets/dataset.h"
#include "datasets/split.h"
#include "reports/csv.h"
#include "reports/report.h"

char *mlk_kelvin(double t, char buf[16])
{
    snprintf(buf, 16, fabs(t - rint(t)) < 0.05 ? "%04.0fK" : "%06.1fK", t);
    return buf;
}

mlk_status mlk_report_miss(mlk_report *r, mlk_err *e, const char *fmt, ...)
{
    MLK_TRY(MLK_GROW(r->missing, r->cap_missing, r->n_missing + 1, e));
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->missing[r->n_missing++], sizeof r->missing[0], fmt, ap);
    va_end(ap);
    return MLK_OK;
}

const json_t *mlk_report_at(const mlk_report *r, int model, int temp)
{
    return r->transport[model * r->n_temp + temp];
}

static mlk_status bad(mlk_report *r, const char *yaml, const mlk_conf *at, const char *what,
                      mlk_err *e)
{
    MLK_FAIL(e, MLK_EFORMAT, "%s", what);
    mlk_err_at(e, yaml, at ? at->line : 1);
    return mlk_err_hint(e, "%s should be the folder of a study made by mlkit benchmark", r->run);
}

static mlk_status load_campaign(mlk_report *r, mlk_err *e)
{
    char yaml[1100];
    mlk_path_join(yaml, sizeof yaml, r->run, "campaign.yaml");
    if (!mlk_file_exists(yaml)) {
        MLK_FAIL(e, MLK_EIO, "no campaign.yaml there: not the folder of a study");
        mlk_err_at(e, r->run, 0);
        return mlk_err_hint(e, "mlkit benchmark --temps 400:1200 -o %s makes one", r->run);
    }
    MLK_TRY(mlk_conf_read(yaml, &r->conf, e));
    const mlk_conf *t = mlk_conf_get(&r->conf, "temperatures"),
                   *m = mlk_conf_get(&r->conf, "models");
    if (!t || t->kind != MLK_CONF_LIST || !t->n_child)
        return bad(r, yaml, t, "no list of 'temperatures'", e);
    if (!m || m->kind != MLK_CONF_LIST || !m->n_child)
        return bad(r, yaml, m, "no list of 'models'", e);
    if (t->n_child > MLK_REPORT_TEMPS || m->n_child > MLK_REPORT_MODELS)
        return bad(r, yaml, t, "too many temperatures or models", e);
    for (size_t k = 0; k < t->n_child; k++) {
        const mlk_conf *c = &t->child[k];
        if (c->kind != MLK_CONF_SCALAR || !mlk_parse_double(c->value, &r->temp[k]) ||
            r->temp[k] <= 0)
            return bad(r, yaml, c, "a temperature is not a positive number", e);
    }
    r->n_temp = (int)t->n_child;
    for (size_t k = 0; k < m->n_child; k++) {
        const char *name = mlk_conf_str(&m->child[k], "name", "");
        mlk_report_model *mod = &r->model[k];
        if (!*name || strchr(name, '/'))
            return bad(r, yaml, &m->child[k], "a model without a name", e);
        long seed = 0;
        mod->run_ps = NAN;
        snprintf(mod->name, sizeof mod->name, "%s", name);
        snprintf(mod->type, sizeof mod->type, "%s", mlk_conf_str(&m->child[k], "type", ""));
        snprintf(mod->settings, sizeof mod->settings, "%s",
                 mlk_conf_str(&m->child[k], "settings", ""));
        snprintf(mod->ready, sizeof mod->ready, "%s", mlk_conf_str(&m->child[k], "ready", ""));
        mlk_parse_double(mlk_conf_str(&m->child[k], "run_ps", ""), &mod->run_ps);
        if (mlk_parse_long(mlk_conf_str(&m->child[k], "seed", "0"), &seed)) mod->seed = (int)seed;
        snprintf(mod->dir, sizeof mod->dir, "%s/models/%s", r->run, mod->name);
    }
    r->n_model = (int)m->n_child;
    return MLK_OK;
}

/* Jobs whose last word is "failed" are named. */
static mlk_status failed_jobs(mlk_report *r, mlk_err *e)
{
    size_t i;
    json_t *ev;
    json_array_foreach(r->journal, i, ev)
    {
        const char *job = mlk_json_get_str(ev, "job", "");
        bool last = !strcmp(mlk_json_get_str(ev, "event", ""), "failed");
        for (size_t q = i + 1; last && q < json_array_size(r->journal); q++)
            last = strcmp(mlk_json_get_str(json_array_get(r->journal, q), "job", ""), job) != 0;
        if (!last) continue;
        r->n_failed++;
        MLK_TRY(mlk_report_miss(r, e, "%.200s failed; its log says why", job));
    }
    return MLK_OK;
}

static mlk_status load_journal(mlk_report *r, mlk_err *e)
{
    char path[1100];
    if (!mlk_file_exists(mlk_path_join(path, sizeof path, r->run, "journal.jsonl")))
        return mlk_report_miss(r, e, "journal.jsonl: the commands and times are not known");
    MLK_TRY(mlk_json_lines(path, &r->journal, e));
    return failed_jobs(r, e);
}

/* A JSON file of the study. One that is damaged is named, and the report goes on without it. */
static mlk_status read_json(mlk_report *r, const char *path, json_t **j, mlk_err *e)
{
    mlk_err own = {0};
    if (!mlk_json_read(path, j, &own) && json_is_object(*j)) return MLK_OK;
    json_decref(*j), *j = NULL;
    mlk_log(MLK_LOG_WARN, "%s: damaged and left out: %s", path, *own.msg ? own.msg : "no object");
    return mlk_report_miss(r, e, "%.200s: damaged, not valid JSON", path + strlen(r->run) + 1);
}

/* ---- the data set ---- */

static void widen(double v, double *lo, double *hi)
{
    if (!isfinite(v)) return;
    if (!(v >= *lo)) *lo = v;
    if (!(v <= *hi)) *hi = v;
}

static mlk_status load_data(mlk_report *r, mlk_err *e)
{
    char path[1100];
    mlk_report_data *d = &r->data;
    *d = (mlk_report_data){.atoms_min = NAN,
                           .atoms_max = NAN,
                           .v_min = NAN,
                           .v_max = NAN,
                           .t_min = NAN,
                           .t_max = NAN,
                           .p_min = NAN,
                           .p_max = NAN,
                           .f_rms = NAN};
    bool wanted = *mlk_conf_str(mlk_conf_get(&r->conf, "settings"), "data", "") != 0;
    for (int m = 0; m < r->n_model; m++) wanted |= !*r->model[m].ready;
    if (!wanted) return MLK_OK; /* ready models only */
    if (!mlk_file_exists(mlk_path_join(path, sizeof path, r->run, "dataset.h5")))
        return mlk_report_miss(r, e, "dataset.h5: the data set has not been converted yet");
    mlk_dataset ds = {0};
    mlk_log_level was = mlk_log_get_level();
    mlk_log_set_level(MLK_LOG_WARN < was ? MLK_LOG_WARN : was);
    mlk_status s = mlk_dataset_read(&ds, path, e);
    mlk_log_set_level(was);
    double f2 = 0, nf = 0;
    for (size_t k = 0; !s && k < ds.n; k++) {
        const mlk_frame *fr = &ds.frame[k];
        bool seen = false; /* groups lie together, mostly: look back through all of them */
        for (size_t q = k; q-- > 0 && !seen;) seen = !strcmp(ds.frame[q].group, fr->group);
        d->n_group += !seen;
        widen((double)fr->n, &d->atoms_min, &d->atoms_max);
        widen(fr->temperature, &d->t_min, &d->t_max);
        if (fr->has & MLK_HAS_CELL) widen(fr->cell.volume / (double)fr->n, &d->v_min, &d->v_max);
        if (fr->has & MLK_HAS_VIRIAL)
            widen((fr->virial[0][0] + fr->virial[1][1] + fr->virial[2][2]) / (3 * fr->cell.volume) *
                      MLK_EVA3_GPA,
                  &d->p_min, &d->p_max);
        if (fr->has & MLK_HAS_FORCE)
            for (size_t i = 0; i < fr->n; i++)
                for (int c = 0; c < 3; c++) f2 += fr->f[i][c] * fr->f[i][c], nf++;
    }
    if (!s) {
        d->there = true, d->n_frame = ds.n;
        if (nf > 0) d->f_rms = sqrt(f2 / nf);
        for (size_t k = 0; k < ds.n_species; k++)
            snprintf(d->species + strlen(d->species), sizeof d->species - strlen(d->species),
                     "%s%s", k ? ", " : "", mlk_element_symbol(ds.z[k]));
    }
    if (!s) s = mlk_dataset_holds_groups(&ds, &d->groups, e);
    mlk_dataset_free(&ds);
    return s;
}

/* ---- molecular dynamics ---- */

static double attr(mlk_h5 *h, const char *name)
{
    double v = NAN;
    mlk_err quiet = {0};
    if (!mlk_h5_attr_exists(h, "/parameters/mlkit", name) ||
        mlk_h5_attr_double(h, "/parameters/mlkit", name, &v, &quiet))
        return NAN;
    return v;
}

static size_t length(mlk_h5 *h, const char *path)
{
    int nd;
    size_t dim[4];
    mlk_err quiet = {0};
    if (!mlk_h5_exists(h, path) || mlk_h5_dims(h, path, &nd, dim, &quiet) || nd != 1) return 0;
    return dim[0];
}

static mlk_status load_thermo(mlk_report_md *m, mlk_h5 *h, mlk_err *e)
{
    const char *const temp = "/observables/temperature/value";
    const char *const etot = "/observables/total_energy/value";
    const char *const time = "/observables/temperature/time";
    size_t n = length(h, temp);
    if (!n || length(h, etot) != n) return MLK_OK;
    m->time = mlk_alloc(n, sizeof(double)), m->t_inst = mlk_alloc(n, sizeof(double));
    m->etot = mlk_alloc(n, sizeof(double));
    if (!m->time || !m->t_inst || !m->etot) return MLK_FAIL(e, MLK_ENOMEM, "run");
    MLK_TRY(mlk_h5_read(h, temp, MLK_H5_DOUBLE, m->t_inst, e));
    MLK_TRY(mlk_h5_read(h, etot, MLK_H5_DOUBLE, m->etot, e));
    if (length(h, time) == n) {
        MLK_TRY(mlk_h5_read(h, time, MLK_H5_DOUBLE, m->time, e));
        for (size_t k = 0; k < n; k++) m->time[k] *= 1e-3;
    } else { /* H5MD fixed interval */
        double every = 0;
        int nd;
        size_t dim[4];
        mlk_err quiet = {0};
        if (mlk_h5_exists(h, time) && !mlk_h5_dims(h, time, &nd, dim, &quiet) &&
            (nd == 0 || dim[0] == 1))
            MLK_TRY(mlk_h5_read(h, time, MLK_H5_DOUBLE, &every, e));
        for (size_t k = 0; k < n; k++) m->time[k] = (double)k * every * 1e-3;
    }
    double first = m->etot[0], atoms = m->atoms > 0 ? m->atoms : 1;
    for (size_t k = 0; k < n; k++) m->etot[k] = (m->etot[k] - first) / atoms * 1e3;
    m->n = n;
    return MLK_OK;
}

static mlk_status load_rdf(mlk_report_md *m, mlk_h5 *h, mlk_err *e)
{
    const char *const top = "/parameters/mlkit/rdf";
    char **names = NULL, path[200];
    size_t n = 0;
    if (!mlk_h5_exists(h, top)) return MLK_OK;
    MLK_TRY(mlk_h5_list(h, top, &names, &n, e));
    mlk_status s = MLK_OK;
    m->rdf = mlk_alloc(n ? n : 1, sizeof *m->rdf);
    if (!m->rdf) s = MLK_FAIL(e, MLK_ENOMEM, "RDF");
    for (size_t k = 0; k < n; k++) {
        mlk_report_rdf *g = s ? NULL : &m->rdf[m->n_rdf];
        snprintf(path, sizeof path, "%s/%.60s/r", top, names[k]);
        size_t len = s ? 0 : length(h, path);
        if (len) {
            g->r = mlk_alloc(len, sizeof(double)), g->g = mlk_alloc(len, sizeof(double));
            m->n_rdf++;
            if (!g->r || !g->g) s = MLK_FAIL(e, MLK_ENOMEM, "RDF");
            if (!s) s = mlk_h5_read(h, path, MLK_H5_DOUBLE, g->r, e);
            snprintf(path, sizeof path, "%s/%.60s/g", top, names[k]);
            if (!s && length(h, path) == len) {
                s = mlk_h5_read(h, path, MLK_H5_DOUBLE, g->g, e);
                snprintf(g->pair, sizeof g->pair, "%.20s", names[k]);
                g->n = len;
            }
        }
        mlk_free(names[k]);
    }
    mlk_free(names);
    return s;
}

static mlk_status load_run(mlk_report *r, mlk_report_md *m, mlk_err *e)
{
    mlk_h5 *h = NULL;
    mlk_err own = {0};
    /* a run that is being written may not open: that is no reason to fail */
    if (!mlk_file_exists(m->path)) return MLK_OK;
    if (mlk_h5_open(&h, m->path, "r", &own))
        return mlk_report_miss(r, e, "%s: cannot be read now (%.150s)", m->path, own.msg);
    m->there = true;
    m->t_target = attr(h, "temperature_K"), m->t_mean = attr(h, "temperature_mean_K");
    m->drift = attr(h, "drift_meV_atom_ns"), m->wall = attr(h, "wall_s");
    m->speed = attr(h, "atom_steps_per_s"), m->dt_fs = attr(h, "dt_fs");
    m->volume = attr(h, "volume_A3"), m->atoms = attr(h, "n_atoms");
    m->complete = attr(h, "complete") > 0.5;
    m->drift_flag = attr(h, "drift_flag") > 0.5, m->short_flag = attr(h, "shortest_flag") > 0.5;
    m->range_flag = attr(h, "extrapolation_flag") > 0.5;
    m->outside = attr(h, "outside"), m->worst = attr(h, "worst_grade");
    m->shortest = attr(h, "shortest_ratio");
    m->bonds = attr(h, "bonds_start"), m->broke = attr(h, "bonds_broke");
    if (mlk_h5_attr_exists(h, "/parameters/mlkit", "command"))
        mlk_h5_attr_str(h, "/parameters/mlkit", "command", m->command, sizeof m->command, &own);
    mlk_status s = load_thermo(m, h, &own);
    if (!s) s = load_rdf(m, h, &own);
    if (s) s = mlk_report_miss(r, e, "%s: %.200s", m->path, own.msg);
    mlk_err late = {0};
    mlk_h5_close(&h, &late);
    return s;
}

static mlk_status load_runs(mlk_report *r, mlk_err *e)
{
    char k[16];
    long replicas = 1;
    const mlk_conf *set = mlk_conf_get(&r->conf, "settings");
    mlk_parse_long(mlk_conf_str(set, "replicas", "1"), &replicas);
    size_t there = 0;
    for (int m = 0; m < r->n_model; m++)
        for (int t = 0; t < r->n_temp; t++)
            for (int q = 0; q < replicas && q < 1000; q++) {
                MLK_TRY(MLK_GROW(r->md, r->cap_md, r->n_md + 1, e));
                mlk_report_md *run = &r->md[r->n_md++];
                *run = (mlk_report_md){.model = m, .temp = t, .rep = q};
                snprintf(run->path, sizeof run->path, "%s/md/%s/%s/r%d/run.h5", r->run,
                         r->model[m].name, mlk_kelvin(r->temp[t], k), q + 1);
                MLK_TRY(load_run(r, run, e));
                there += run->there && run->complete;
            }
    if (there < r->n_md)
        MLK_TRY(mlk_report_miss(r, e, "molecular dynamics: %zu of %zu runs are complete", there,
                                r->n_md));
    return MLK_OK;
}

/* ---- models and transport ---- */

/* The committee of a family belongs to its first model. */
static mlk_status load_committees(mlk_report *r, mlk_err *e)
{
    char path[1400];
    for (int m = 0; m < r->n_model; m++) {
        bool first = true;
        if (*r->model[m].ready) continue;
        for (int k = 0; k < m; k++)
            first &= *r->model[k].ready || strcmp(r->model[k].type, r->model[m].type) != 0;
        snprintf(path, sizeof path, "%s/committee/%s/committee.json", r->run, r->model[m].type);
        if (first && mlk_file_exists(path)) MLK_TRY(read_json(r, path, &r->model[m].committee, e));
    }
    return MLK_OK;
}

/* A ready model may count its energies from another zero (isolated atoms, cohesive energies): where
 * the mean error is large and the same for all frames, the energy error is given without it, and
 * the shift beside it. */
static mlk_status take_zero(const char *parity, json_t *errors, mlk_err *e)
{
    mlk_csv t;
    double sum = 0, sum2 = 0, n = 0;
    if (!mlk_file_exists(parity)) return MLK_OK;
    MLK_TRY(mlk_csv_read(&t, parity, e));
    int ref = mlk_csv_col(&t, "reference_eV_atom"), model = mlk_csv_col(&t, "predicted_eV_atom");
    for (size_t i = 0; i < t.n; i++) {
        double d = 1e3 * (mlk_csv_num(&t, i, model) - mlk_csv_num(&t, i, ref));
        if (isfinite(d)) sum += d, sum2 += d * d, n++;
    }
    mlk_csv_free(&t);
    if (!n) return MLK_OK;
    double mean = sum / n, sd = sqrt(fmax(0, sum2 / n - mean * mean));
    if (fabs(mean) < 100 || fabs(mean) < 3 * sd) return MLK_OK; /* meV/atom: an error, not a zero */
    json_object_set_new(errors, "energy_shift_meV_atom", mlk_json_real(mean));
    json_object_set_new(errors, "energy_rmse_meV_atom", mlk_json_real(sd));
    json_object_del(errors, "energy_mae_meV_atom");
    return MLK_OK;
}

/* What mlkit validate found of a ready model, in the form of train.json. */
static mlk_status load_validated(mlk_report *r, mlk_report_model *m, mlk_err *e)
{
    char path[1400];
    json_t *j;
    snprintf(path, sizeof path, "%s/validate/%s/errors.json", r->run, m->name);
    if (!mlk_file_exists(path)) return MLK_OK;
    MLK_TRY(read_json(r, path, &j, e));
    if (!j) return MLK_OK;
    m->train = json_object();
    json_object_set_new(m->train, "name", json_string(m->name));
    json_object_set_new(m->train, "model", json_string(m->type));
    json_object_set_new(m->train, "ready", json_string(m->ready));
    json_object_set(m->train, "force_rmse_by_species", json_object_get(j, "force_rmse_by_species"));
    json_object_del(j, "models"); /* the same once more, as a list */
    json_object_set_new(m->train, "valid", j);
    snprintf(path, sizeof path, "%s/validate/%s/parity_energy.csv", r->run, m->name);
    return take_zero(path, j, e);
}

static mlk_status load_results(mlk_report *r, mlk_err *e)
{
    char path[1400], k[16];
    for (int m = 0; m < r->n_model; m++) {
        if (*r->model[m].ready) {
            MLK_TRY(load_validated(r, &r->model[m], e));
            continue;
        }
        mlk_path_join(path, sizeof path, r->model[m].dir, "train.json");
        if (!mlk_file_exists(path))
            MLK_TRY(mlk_report_miss(r, e, "model %s: not fitted yet", r->model[m].name));
        else
            MLK_TRY(read_json(r, path, &r->model[m].train, e));
    }
    r->transport = mlk_alloc((size_t)(r->n_model * r->n_temp), sizeof *r->transport);
    if (!r->transport) return MLK_FAIL(e, MLK_ENOMEM, "report");
    int there = 0;
    for (int m = 0; m < r->n_model; m++)
        for (int t = 0; t < r->n_temp; t++) {
            snprintf(path, sizeof path, "%s/transport/%s/%s.json", r->run, r->model[m].name,
                     mlk_kelvin(r->temp[t], k));
            if (!mlk_file_exists(path)) continue;
            json_t **j = &r->transport[m * r->n_temp + t];
            MLK_TRY(read_json(r, path, j, e));
            there += *j != NULL;
        }
    if (there < r->n_model * r->n_temp)
        MLK_TRY(mlk_report_miss(r, e, "transport: %d of %d thermal conductivities are there", there,
                                r->n_model * r->n_temp));
    return MLK_OK;
}

mlk_status mlk_report_load(mlk_report *r, const char *run, mlk_err *e)
{
    size_t len = (size_t)snprintf(r->run, sizeof r->run, "%s", run);
    if (len > 700) return MLK_FAIL(e, MLK_EINVAL, "the name of the run folder is too long");
    while (len > 1 && r->run[len - 1] == '/') r->run[--len] = 0;
    if (!mlk_file_exists(r->run)) {
        MLK_FAIL(e, MLK_EIO, "no such folder");
        mlk_err_at(e, r->run, 0);
        return mlk_err_hint(e, "give the run folder of mlkit benchmark");
    }
    mlk_path_join(r->dir, sizeof r->dir, r->run, "report");
    mlk_path_join(r->figdir, sizeof r->figdir, r->dir, "figures");
    mlk_path_join(r->tabdir, sizeof r->tabdir, r->dir, "tables");
    MLK_TRY(load_campaign(r, e));
    MLK_TRY(load_journal(r, e));
    MLK_TRY(load_data(r, e));
    MLK_TRY(load_results(r, e));
    MLK_TRY(load_committees(r, e));
    return load_runs(r, e);
}

void mlk_report_free(mlk_report *r)
{
    mlk_conf_free(&r->conf);
    json_decref(r->journal);
    for (int m = 0; m < r->n_model; m++)
        json_decref(r->model[m].train), json_decref(r->model[m].committee);
    for (int k = 0; r->transport && k < r->n_model * r->n_temp; k++) json_decref(r->transport[k]);
    mlk_free(r->transport);
    for (size_t k = 0; k < r->n_md; k++) {
        mlk_report_md *m = &r->md[k];
        mlk_free(m->time), mlk_free(m->t_inst), mlk_free(m->etot);
        for (size_t q = 0; q < m->n_rdf; q++) mlk_free(m->rdf[q].r), mlk_free(m->rdf[q].g);
        mlk_free(m->rdf);
    }
    for (size_t k = 0; k < r->n_fig; k++) mlk_free(r->fig[k].axes);
    mlk_free(r->md), mlk_free(r->missing), mlk_free(r->care), mlk_free(r->fig);
}
