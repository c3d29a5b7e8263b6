/* campaign.c - settings and plan of a study; see campaign.h. Its record: campaign_record.c; running
 * it: campaign_run.c. */
#include "cli/campaign.h"
#include "cli/campaign_run.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/element.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "potentials/potential.h"
#include "reports/report.h"

/* ---- everything about run lengths that one may want to change, in one place ---- */

/* What --quick sets; run "0" takes the production time from the table of families. */
const char *const mlk_settings_quick[][2] = {
    {"quick", "true"}, {"replicas", "1"},        {"npt", "5ps"}, {"equil", "6ps"},
    {"run", "0"},      {"train-budget", "100s"}, {NULL, NULL}};

static const mlk_family families[] = {
    {"nep", 16, 80e3, 1.4e5, 0},
    {"snap", 1, 50e3, 3.5e4, 12},
    {NULL, 16, 40e3, 5e4, 0}, /* any other */
};

/* Fits mostly end before their budget: three cycles without a gain. Studies of 413 frames took 0.4
 * to 0.65 of it. */
static const double budget_used = 0.6;

/* Measured on those studies, of 12 to 84 jobs. */
static const double seconds_committee = 0.5, seconds_first = 0.1, seconds_sample = 5e-6,
                    data_bytes = 5e7, seconds_point = 0.15, seconds_run = 0.25;

/* -------------------------------------------------------------------------------- */

const mlk_opt mlk_settings_table[] = {
    MLK_SETTINGS_OPTS(mlk_settings, ),
    {"seed", MLK_OPT_INT, offsetof(mlk_settings, seed), "1", 0, 2147483647, "", "first seed"},
    {0}};

const mlk_family *mlk_family_of(const char *type)
{
    const mlk_family *f = families;
    while (f->name && strcmp(f->name, type)) f++;
    return f;
}

char *mlk_timestamp(char buf[32])
{
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return buf;
}

static mlk_status bad_temps(const char *text, const char *why, mlk_err *e)
{
    MLK_FAIL(e, MLK_EINVAL, "--temps '%s': %s", text, why);
    mlk_err_hint(e, "write 650 or 400,650,900 or 400:1200 (five values) or 400:1200:100 (step)");
    return MLK_EINVAL;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

mlk_status mlk_temps_parse(const char *text, double *t, int *n, mlk_err *e)
{
    char copy[MLK_OPT_STR_MAX], *save = NULL;
    snprintf(copy, sizeof copy, "%s", text);
    *n = 0;
    if (!*copy || *copy == ',' || strstr(copy, ",,") || copy[strlen(copy) - 1] == ',')
        return bad_temps(text, "a value is missing", e);
    for (char *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
        double v[3] = {0};
        int parts = 0;
        char *in = NULL;
        if (strstr(w, "::") || *w == ':' || w[strlen(w) - 1] == ':')
            return bad_temps(text, "a value is missing", e);
        for (char *p = strtok_r(w, ":", &in); p; p = strtok_r(NULL, ":", &in)) {
            if (parts == 3) return bad_temps(text, "more than start:end:step", e);
            if (!mlk_parse_double(p, &v[parts]) || v[parts] <= 0)
                return bad_temps(text, "not a positive number", e);
            parts++;
        }
        if (parts > 1 && v[1] < v[0]) return bad_temps(text, "the end is below the start", e);
        long count = 1;
        if (parts == 2) {
            count = v[1] > v[0] ? 5 : 1;
            v[2] = (v[1] - v[0]) / 4;
        } else if (parts == 3) {
            if ((v[1] - v[0]) / v[2] > MLK_CAMPAIGN_TEMPS)
                return bad_temps(text, "more than 64 temperatures", e);
            count = (long)floor((v[1] - v[0]) / v[2] + 1e-9) + 1;
        }
        for (long k = 0; k < count; k++) {
            if (*n == MLK_CAMPAIGN_TEMPS) return bad_temps(text, "more than 64 temperatures", e);
            t[(*n)++] = v[0] + (double)k * v[2];
        }
    }
    qsort(t, (size_t)*n, sizeof *t, ascending);
    for (int k = 1; k < *n; k++)
        if (t[k] - t[k - 1] < 0.1) return bad_temps(text, "a temperature stands twice", e);
    return MLK_OK;
}

/* ---- the plan ---- */

static mlk_status add_job(mlk_campaign *c, mlk_job_kind kind, double estimate, const char *id,
                          const char *out, const char *log, mlk_err *e)
{
    MLK_TRY(MLK_GROW(c->job, c->cap_job, c->n_job + 1, e));
    mlk_job *j = &c->job[c->n_job++];
    *j = (mlk_job){.kind = kind, .model = -1, .temp = -1, .rep = -1, .estimate = estimate};
    snprintf(j->id, sizeof j->id, "%s", id);
    mlk_path_join(j->out, sizeof j->out, c->run, out);
    mlk_path_join(j->log, sizeof j->log, c->run, log);
    return MLK_OK;
}

static mlk_status waits_for(mlk_job *j, size_t dep, mlk_err *e)
{
    MLK_TRY(MLK_GROW(j->dep, j->cap_dep, j->n_dep + 1, e));
    j->dep[j->n_dep++] = dep;
    return MLK_OK;
}

double mlk_md_steps(const mlk_campaign *c, int model)
{
    return (c->model[model].run + c->set.equil + 1.2 * c->set.npt) / c->set.dt;
}

/* Atoms and elements of a run, for estimates: a usual study if nothing is known. */
static void know_size(mlk_campaign *c)
{
    mlk_frame fr = {0};
    int z[MLK_ELEMENT_MAX];
    c->atoms = c->n_atoms ? (double)c->n_atoms : 256, c->n_elements = 3;
    if (!mlk_campaign_start_frame(c, &fr, NULL))
        c->atoms = (double)fr.n, c->n_elements = mlk_frame_species(&fr, z);
    mlk_frame_free(&fr);
}

/* Does a ready model know the elements of the start structure, as far as that is known? Its runs
 * would fail, after everything else was fitted. */
static mlk_status check_elements(const mlk_campaign *c, mlk_err *e)
{
    mlk_frame fr = {0};
    mlk_status s = MLK_OK;
    int z[MLK_ELEMENT_MAX];
    size_t n = mlk_campaign_start_frame(c, &fr, NULL) ? 0 : mlk_frame_species(&fr, z);
    mlk_frame_free(&fr);
    for (int m = 0; m < c->n_model && !s; m++) {
        const mlk_campaign_model *q = &c->model[m];
        for (size_t k = 0; k < n && !s && *q->from; k++) {
            bool known = false;
            for (int i = 0; i < q->n_z; i++) known |= q->z[i] == z[k];
            if (known) continue;
            char list[200] = "";
            for (int i = 0; i < q->n_z; i++)
                snprintf(list + strlen(list), sizeof list - strlen(list), " %s",
                         mlk_element_symbol(q->z[i]));
            s = MLK_FAIL(e, MLK_EINVAL, "the model does not know %s, which is in %s",
                         mlk_element_symbol(z[k]), c->set.structure);
            mlk_err_at(e, q->from, 0);
            mlk_err_hint(e, "its elements:%s", list);
        }
    }
    return s;
}

static mlk_status plan_md(mlk_campaign *c, int m, int t, int r, const size_t from[2], mlk_err *e)
{
    char k[16], id[96], out[160], log[160];
    const mlk_campaign_model *mod = &c->model[m];
    snprintf(id, sizeof id, "md/%s/%s/r%d", mod->name, mlk_kelvin(c->temp[t], k), r + 1);
    snprintf(out, sizeof out, "%s/run.h5", id);
    snprintf(log, sizeof log, "%s/md.log", id);
    MLK_TRY(add_job(c, MLK_JOB_MD, mlk_md_steps(c, m) * c->atoms / mlk_family_of(mod->type)->speed,
                    id, out, log, e));
    mlk_job *j = &c->job[c->n_job - 1];
    j->model = m, j->temp = t, j->rep = r;
    MLK_TRY(waits_for(j, from[0], e));
    return waits_for(j, from[1], e);
}

/* Models of one family that differ in their seed give prediction intervals. */
static mlk_status plan_committees(mlk_campaign *c, size_t first_train, mlk_err *e)
{
    char id[96], out[160], log[160];
    for (int m = 0, n; m < c->n_model; m += n) {
        const char *type = c->model[m].type;
        int settings = 0; /* of the family, before these */
        for (n = 1; m + n < c->n_model && mlk_campaign_same_fit(&c->model[m], &c->model[m + n]);)
            n++;
        if (n < 2) continue;
        for (int k = 0; k < m; k++)
            settings += !*c->model[k].from && !strcmp(c->model[k].type, type) &&
                        (!k || !mlk_campaign_same_fit(&c->model[k], &c->model[k - 1]));
        if (settings) continue; /* the report shows one committee of a family */
        snprintf(id, sizeof id, "committee/%s", type);
        snprintf(out, sizeof out, "%s/committee.json", id);
        snprintf(log, sizeof log, "%s.log", id);
        MLK_TRY(add_job(c, MLK_JOB_COMMITTEE, seconds_committee, id, out, log, e));
        mlk_job *j = &c->job[c->n_job - 1];
        j->model = m;
        for (int k = 0; k < n; k++) MLK_TRY(waits_for(j, first_train + (size_t)(m + k), e));
    }
    return MLK_OK;
}

/* A model is fitted, or copied if it is ready. */
static mlk_status plan_model(mlk_campaign *c, int m, mlk_err *e)
{
    const mlk_campaign_model *mod = &c->model[m];
    char id[96], out[400], log[160], name[256];
    double guess = mlk_family_of(mod->type)->train_seconds;
    if (*mod->from) {
        mlk_ready_name(mod, mod->file, name, sizeof name);
        snprintf(id, sizeof id, "model/%s", mod->name);
        snprintf(out, sizeof out, "models/%s/%s", mod->name, name);
    } else {
        snprintf(id, sizeof id, "train/%s", mod->name);
        snprintf(out, sizeof out, "models/%s/train.json", mod->name);
    }
    snprintf(log, sizeof log, "models/%s.log", mod->name);
    MLK_TRY(add_job(c, *mod->from ? MLK_JOB_MODEL : MLK_JOB_TRAIN,
                    *mod->from  ? 0.1
                    : guess > 0 ? guess
                                : budget_used * c->set.train_budget,
                    id, out, log, e));
    c->job[c->n_job - 1].model = m;
    return *mod->from ? MLK_OK : waits_for(&c->job[c->n_job - 1], 0, e);
}

static mlk_status plan_transport(mlk_campaign *c, int m, int t, size_t first_md, mlk_err *e)
{
    char k[16], id[96], out[160], log[160];
    snprintf(id, sizeof id, "transport/%s/%s", c->model[m].name, mlk_kelvin(c->temp[t], k));
    snprintf(out, sizeof out, "%s.json", id);
    snprintf(log, sizeof log, "%s.log", id);
    double samples = mlk_md_samples(c, m) * c->set.replicas;
    MLK_TRY(
        add_job(c, MLK_JOB_TRANSPORT, seconds_first + seconds_sample * samples, id, out, log, e));
    mlk_job *j = &c->job[c->n_job - 1];
    j->model = m, j->temp = t;
    for (int r = 0; r < c->set.replicas; r++)
        MLK_TRY(waits_for(j, first_md + (size_t)((m * c->n_temp + t) * c->set.replicas + r), e));
    return MLK_OK;
}

/* Errors of a ready model on the data of the study. */
static mlk_status plan_validate(mlk_campaign *c, int m, size_t copy, mlk_err *e)
{
    char id[96], out[160], log[160];
    snprintf(id, sizeof id, "validate/%s", c->model[m].name);
    snprintf(out, sizeof out, "%s/errors.json", id);
    snprintf(log, sizeof log, "%s.log", id);
    MLK_TRY(add_job(c, MLK_JOB_VALIDATE, seconds_committee, id, out, log, e));
    c->job[c->n_job - 1].model = m;
    MLK_TRY(waits_for(&c->job[c->n_job - 1], 0, e));
    return waits_for(&c->job[c->n_job - 1], copy, e);
}

static double dataset_seconds(const mlk_campaign *c)
{
    double bytes = 0;
    struct stat st;
    for (size_t k = 0; k < c->n_input; k++)
        if (!stat(c->input[k], &st)) bytes += (double)st.st_size;
    return seconds_first + bytes / data_bytes;
}

static double report_seconds(const mlk_campaign *c)
{
    double points = c->n_model * c->n_temp;
    return seconds_first + points * (seconds_point + seconds_run * c->set.replicas);
}

/* Jobs in an order in which every job comes after those it waits for. The data set, if there is
 * one, is job 0. */
static mlk_status plan_jobs(mlk_campaign *c, mlk_err *e)
{
    bool data = mlk_campaign_has_data(c);
    if (data)
        MLK_TRY(add_job(c, MLK_JOB_DATASET, dataset_seconds(c), "dataset", "dataset.h5",
                        "dataset.log", e));
    size_t structure = c->n_job;
    MLK_TRY(add_job(c, MLK_JOB_STRUCTURE, 0.1, "structure", "structure.xyz", "structure.log", e));
    if (data) MLK_TRY(waits_for(&c->job[structure], 0, e));
    size_t first_model = c->n_job;
    for (int m = 0; m < c->n_model; m++) MLK_TRY(plan_model(c, m, e));
    size_t first_md = c->n_job;
    for (int m = 0; m < c->n_model; m++)
        for (int t = 0; t < c->n_temp; t++)
            for (int r = 0; r < c->set.replicas; r++)
                MLK_TRY(plan_md(c, m, t, r, (size_t[2]){first_model + (size_t)m, structure}, e));
    for (int m = 0; m < c->n_model; m++)
        for (int t = 0; t < c->n_temp; t++) MLK_TRY(plan_transport(c, m, t, first_md, e));
    for (int m = 0; m < c->n_model; m++)
        if (data && *c->model[m].from) MLK_TRY(plan_validate(c, m, first_model + (size_t)m, e));
    MLK_TRY(plan_committees(c, first_model, e));
    size_t last = c->n_job;
    MLK_TRY(add_job(c, MLK_JOB_REPORT, report_seconds(c), "report", "report/report.html",
                    "report.log", e));
    for (size_t q = 0; q < last; q++) MLK_TRY(waits_for(&c->job[last], q, e));
    for (size_t q = c->n_job; q-- > 0;) {
        mlk_job *j = &c->job[q];
        j->chain += j->estimate;
        for (size_t d = 0; d < j->n_dep; d++)
            if (c->job[j->dep[d]].chain < j->chain) c->job[j->dep[d]].chain = j->chain;
    }
    return MLK_OK;
}

/* ---- the study ---- */

static void announce(const mlk_campaign *c)
{
    char t[256] = "", m[512] = "", d[32];
    for (int k = 0; k < c->n_temp; k++)
        snprintf(t + strlen(t), sizeof t - strlen(t), " %.6g", c->temp[k]);
    for (int k = 0; k < c->n_model; k++)
        snprintf(m + strlen(m), sizeof m - strlen(m), " %s (%g ps)", c->model[k].name,
                 c->model[k].run * 1e-3);
    char npt[64] = "";
    if (c->set.npt > 0)
        snprintf(npt, sizeof npt, "%g ps at %g GPa, ", c->set.npt * 1e-3, c->set.pressure);
    mlk_log(MLK_LOG_INFO, "run folder    %s", c->run);
    bool fitted = false;
    for (int k = 0; k < c->n_model; k++) {
        fitted |= !*c->model[k].from;
        if (*c->model[k].from)
            mlk_log(MLK_LOG_INFO, "ready model   %s: %s", c->model[k].name, c->model[k].from);
    }
    mlk_log(MLK_LOG_INFO, "data          %s%s, %zu input file%s",
            *c->data_shown ? c->data_shown : "none",
            fitted && !*c->set.data ? " (the bundled Li3PS4 set; --data takes others)" : "",
            c->n_input, c->n_input == 1 ? "" : "s");
    mlk_log(MLK_LOG_INFO, "temperatures %s K", t);
    char passes[32];
    snprintf(passes, sizeof passes, "%d passes", c->set.train_epochs);
    if (fitted)
        mlk_log(MLK_LOG_INFO, "models        training %s each%s",
                c->set.train_epochs ? passes : mlk_duration(c->set.train_budget, d),
                c->set.quick ? " (--quick)" : "");
    mlk_log(MLK_LOG_INFO, "production   %s", m);
    mlk_log(MLK_LOG_INFO,
            "per run       %s%g ps equilibration, dt %g fs, %d replica%s, supercell %s, seed %d",
            npt, c->set.equil * 1e-3, c->set.dt, c->set.replicas, c->set.replicas > 1 ? "s" : "",
            c->set.supercell, c->set.seed);
}

void mlk_campaign_close(mlk_campaign *c)
{
    for (size_t k = 0; k < c->n_job; k++) mlk_free(c->job[k].dep);
    for (size_t k = 0; k < c->n_input; k++) mlk_free(c->input[k]);
    mlk_free(c->job), mlk_free(c->input), mlk_free(c->hash);
    mlk_free(c);
}

/* What follows from the settings alone. */
static mlk_status resolve(mlk_campaign *c, const char *run, mlk_err *e)
{
    size_t len = (size_t)snprintf(c->run, sizeof c->run, "%s", run);
    while (len > 1 && len < sizeof c->run && c->run[len - 1] == '/') c->run[--len] = 0;
    if (!len || len > 700)
        return MLK_FAIL(e, MLK_EINVAL, "-o: the name of the run folder is %s",
                        len ? "too long" : "empty");
    MLK_TRY(mlk_temps_parse(c->set.temps, c->temp, &c->n_temp, e));
    if (strcmp(c->set.supercell, "auto")) {
        int used = 0, *r = c->supercell;
        const char *text = c->set.supercell;
        if (sscanf(text, "%dx%dx%d%n", &r[0], &r[1], &r[2], &used) != 3 || text[used] || r[0] < 1 ||
            r[1] < 1 || r[2] < 1 || r[0] > 99 || r[1] > 99 || r[2] > 99)
            return MLK_FAIL(e, MLK_EINVAL, "--supercell '%s' is neither auto nor of the form 2x2x2",
                            text);
    }
    return mlk_campaign_models(c, e);
}

mlk_status mlk_campaign_open(mlk_campaign **out, const char *run, mlk_err *e)
{
    char yaml[1100];
    mlk_campaign *c = mlk_alloc(1, sizeof *c);
    if (!c) return MLK_FAIL(e, MLK_ENOMEM, "study");
    mlk_path_join(yaml, sizeof yaml, run, "campaign.yaml");
    mlk_status s = mlk_opt_defaults(mlk_settings_table, &c->set, e);
    if (!s) s = mlk_settings_read(yaml, &c->set, e);
    if (!s) s = resolve(c, run, e);
    if (!s) know_size(c);
    if (!s) s = plan_jobs(c, e);
    if (s)
        mlk_campaign_close(c);
    else
        *out = c;
    return s;
}

mlk_status mlk_campaign_run(const mlk_settings *set, const mlk_campaign_how *how, mlk_err *e)
{
    char yaml[1100];
    mlk_status s = MLK_OK;
    int fd = -1;
    mlk_campaign *c = mlk_alloc(1, sizeof *c);
    if (!c) return MLK_FAIL(e, MLK_ENOMEM, "study");
    c->set = *set;
    MLK_GO(resolve(c, how->run, e));
    snprintf(c->program, sizeof c->program, "%s", how->program ? how->program : "/proc/self/exe");
    if (how->program) MLK_GO(mlk_path_absolute(c->program, sizeof c->program, "the program", e));
    MLK_GO(mlk_campaign_inputs(c, e));
    mlk_path_join(yaml, sizeof yaml, c->run, "campaign.yaml");
    bool old = mlk_file_exists(yaml);
    mlk_timestamp(c->created);
    if (!old && mlk_file_exists(c->run) && !mlk_file_is_dir(c->run))
        MLK_GO(MLK_FAIL(e, MLK_EINVAL, "%s is a file, not a folder", c->run));
    if (old) MLK_GO(mlk_campaign_compare(c, yaml, e));
    know_size(c);
    if (!old) MLK_GO(check_elements(c, e));
    MLK_GO(plan_jobs(c, e));
    announce(c);
    if (!how->dry_run) {
        MLK_GO(mlk_mkdir_p(c->run, e));
        MLK_GO(mlk_campaign_lock(c, !*how->job, &fd, e));
        if (!old) MLK_GO(mlk_campaign_write(c, e));
    }
    s = mlk_campaign_jobs(c, how, e);
done:
    if (fd >= 0) close(fd);
    mlk_campaign_close(c);
    return s;
}
