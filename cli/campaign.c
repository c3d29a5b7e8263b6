/* campaign.c - settings and plan of a study; see campaign.h. Its record: campaign_record.c; running
 * it: campaign_run.c. */
#include "cli/campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "potentials/potential.h"
#include "reports/report.h"

/* ---- everything about run lengths that one may want to change, in one place ---- */

/* What --quick sets; run "0" takes the production time from the table of families. */
const char *const mlk_settings_quick[][2] = {{"quick", "true"},        {"replicas", "1"},
                                             {"equil", "6ps"},         {"run", "0"},
                                             {"train-budget", "100s"}, {NULL, NULL}};

static const struct family {
    const char *name;
    int seeds_max;    /* a linear least-squares fit has one answer                           */
    double quick_run; /* production of --quick [fs]: what fits into about 12 min on 2 cores   */
    double speed;     /* atom*step/s of one thread, only to order jobs and guess the time left */
    double train_seconds; /* of a fit that does not use its budget; 0: it uses it                 */
} families[] = {
    {"nep", 16, 80e3, 1.4e5, 0},
    {"snap", 1, 50e3, 3.5e4, 30},
    {NULL, 16, 40e3, 5e4, 0}, /* any other */
};

enum { SECONDS_DATASET = 5, SECONDS_TRANSPORT = 8, SECONDS_COMMITTEE = 5, SECONDS_REPORT = 15 };

/* -------------------------------------------------------------------------------- */

const mlk_opt mlk_settings_table[] = {
    MLK_SETTINGS_OPTS(mlk_settings, ),
    {"seed", MLK_OPT_INT, offsetof(mlk_settings, seed), "1", 0, 2147483647, "", "first seed"},
    {0}};

static const struct family *family_of(const char *type)
{
    const struct family *f = families;
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

static mlk_status plan_models(mlk_campaign *c, mlk_err *e)
{
    char list[MLK_OPT_STR_MAX], *save = NULL;
    snprintf(list, sizeof list, "%s", c->set.models);
    for (char *w = strtok_r(list, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
        const mlk_potential_type *type = mlk_potential_find(w);
        if (!type || !(type->caps & (MLK_CAP_VJP | MLK_CAP_LINEAR))) {
            char known[300] = "";
            for (size_t k = 0; mlk_potential_types[k]; k++)
                if (mlk_potential_types[k]->caps & (MLK_CAP_VJP | MLK_CAP_LINEAR))
                    snprintf(known + strlen(known), sizeof known - strlen(known), " %s",
                             mlk_potential_types[k]->name);
            MLK_FAIL(e, MLK_EINVAL, "--models: '%s' is not a model family that can be fitted", w);
            mlk_err_hint(e, "this mlkit fits:%s", known);
            return MLK_EINVAL;
        }
        const struct family *f = family_of(w);
        int n = c->set.seeds < f->seeds_max ? c->set.seeds : f->seeds_max;
        for (int k = 0; k < c->n_model; k++)
            if (!strcmp(c->model[k].type, w))
                return MLK_FAIL(e, MLK_EINVAL, "--models: '%s' stands twice; use --seeds", w);
        for (int k = 0; k < n; k++) {
            if (c->n_model == MLK_CAMPAIGN_MODELS)
                return MLK_FAIL(e, MLK_EINVAL, "more than %d models", MLK_CAMPAIGN_MODELS);
            mlk_campaign_model *m = &c->model[c->n_model++];
            snprintf(m->type, sizeof m->type, "%s", w);
            snprintf(m->name, sizeof m->name, "%.40s-%d", w, k + 1);
            m->seed = (c->set.seed + k) & 0x7fffffff;
            m->run = c->set.run > 0 ? c->set.run : f->quick_run;
        }
    }
    return c->n_model ? MLK_OK : MLK_FAIL(e, MLK_EINVAL, "--models: no model given");
}

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

static mlk_status plan_md(mlk_campaign *c, int m, int t, int r, size_t train, mlk_err *e)
{
    char k[16], id[96], out[160], log[160];
    const mlk_campaign_model *mod = &c->model[m];
    double steps = (mod->run + c->set.equil + 1.2 * c->set.npt) / c->set.dt,
           atoms = c->n_atoms ? (double)c->n_atoms : 256;
    snprintf(id, sizeof id, "md/%s/%s/r%d", mod->name, mlk_kelvin(c->temp[t], k), r + 1);
    snprintf(out, sizeof out, "%s/run.h5", id);
    snprintf(log, sizeof log, "%s/md.log", id);
    MLK_TRY(add_job(c, MLK_JOB_MD, steps * atoms / family_of(mod->type)->speed, id, out, log, e));
    mlk_job *j = &c->job[c->n_job - 1];
    j->model = m, j->temp = t, j->rep = r;
    MLK_TRY(waits_for(j, train, e));
    return waits_for(j, 1, e);
}

/* Models of one family that differ in their seed give prediction intervals. */
static mlk_status plan_committees(mlk_campaign *c, size_t first_train, mlk_err *e)
{
    char id[96], out[160], log[160];
    for (int m = 0, n; m < c->n_model; m += n) {
        const char *type = c->model[m].type;
        for (n = 0; m + n < c->n_model && !strcmp(c->model[m + n].type, type);) n++;
        if (n < 2) continue;
        snprintf(id, sizeof id, "committee/%s", type);
        snprintf(out, sizeof out, "%s/committee.json", id);
        snprintf(log, sizeof log, "%s.log", id);
        MLK_TRY(add_job(c, MLK_JOB_COMMITTEE, SECONDS_COMMITTEE, id, out, log, e));
        mlk_job *j = &c->job[c->n_job - 1];
        j->model = m;
        for (int k = 0; k < n; k++) MLK_TRY(waits_for(j, first_train + (size_t)(m + k), e));
    }
    return MLK_OK;
}

/* Jobs in an order in which every job comes after those it waits for. */
static mlk_status plan_jobs(mlk_campaign *c, mlk_err *e)
{
    char k[16], id[96], out[160], log[160];
    MLK_TRY(
        add_job(c, MLK_JOB_DATASET, SECONDS_DATASET, "dataset", "dataset.h5", "dataset.log", e));
    MLK_TRY(add_job(c, MLK_JOB_STRUCTURE, 1, "structure", "structure.xyz", "structure.log", e));
    MLK_TRY(waits_for(&c->job[1], 0, e));
    size_t first_train = c->n_job;
    for (int m = 0; m < c->n_model; m++) {
        const mlk_campaign_model *mod = &c->model[m];
        double guess = family_of(mod->type)->train_seconds;
        snprintf(id, sizeof id, "train/%s", mod->name);
        snprintf(out, sizeof out, "models/%s/train.json", mod->name);
        snprintf(log, sizeof log, "models/%s.log", mod->name);
        MLK_TRY(
            add_job(c, MLK_JOB_TRAIN, guess > 0 ? guess : c->set.train_budget, id, out, log, e));
        c->job[c->n_job - 1].model = m;
        MLK_TRY(waits_for(&c->job[c->n_job - 1], 0, e));
    }
    size_t first_md = c->n_job;
    for (int m = 0; m < c->n_model; m++)
        for (int t = 0; t < c->n_temp; t++)
            for (int r = 0; r < c->set.replicas; r++)
                MLK_TRY(plan_md(c, m, t, r, first_train + (size_t)m, e));
    for (int m = 0; m < c->n_model; m++)
        for (int t = 0; t < c->n_temp; t++) {
            snprintf(id, sizeof id, "transport/%s/%s", c->model[m].name, mlk_kelvin(c->temp[t], k));
            snprintf(out, sizeof out, "%s.json", id);
            snprintf(log, sizeof log, "%s.log", id);
            MLK_TRY(add_job(c, MLK_JOB_TRANSPORT, SECONDS_TRANSPORT, id, out, log, e));
            mlk_job *j = &c->job[c->n_job - 1];
            j->model = m, j->temp = t;
            for (int r = 0; r < c->set.replicas; r++)
                MLK_TRY(waits_for(j, first_md + (size_t)((m * c->n_temp + t) * c->set.replicas + r),
                                  e));
        }
    MLK_TRY(plan_committees(c, first_train, e));
    size_t last = c->n_job;
    MLK_TRY(add_job(c, MLK_JOB_REPORT, SECONDS_REPORT, "report", "report/report.html", "report.log",
                    e));
    for (size_t q = 0; q < last; q++) MLK_TRY(waits_for(&c->job[last], q, e));
    for (size_t q = c->n_job; q-- > 0;) {
        mlk_job *j = &c->job[q];
        j->chain += j->estimate;
        for (size_t d = 0; d < j->n_dep; d++)
            if (c->job[j->dep[d]].chain < j->chain) c->job[j->dep[d]].chain = j->chain;
    }
    return MLK_OK;
}

/* ---- commands ---- */

static mlk_status push(char ***argv, size_t *cap, size_t *n, const char *word, mlk_err *e)
{
    MLK_TRY(MLK_GROW(*argv, *cap, *n + 2, e));
    (*argv)[*n] = mlk_strdup(word);
    if (!(*argv)[*n]) return MLK_FAIL(e, MLK_ENOMEM, "command of a job");
    ++*n;
    return MLK_OK;
}

void mlk_argv_free(char **argv)
{
    for (char **p = argv; p && *p; p++) mlk_free(*p);
    mlk_free(argv);
}

void mlk_argv_print(char *const *argv, char *buf, size_t cap)
{
    size_t len = (size_t)snprintf(buf, cap, "mlkit");
    for (; *argv && len < cap; argv++) {
        bool plain = **argv && strspn(*argv, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789._-/:=+,@%") == strlen(*argv);
        len += (size_t)snprintf(buf + len, cap - len, plain ? " %s" : " '%s'", *argv);
    }
}

mlk_status mlk_campaign_argv(const mlk_campaign *c, const mlk_job *j, char ***argv, mlk_err *e)
{
    size_t n = 0, cap = 0;
    char w[28][1100];
    int k = 0;
    const mlk_settings *set = &c->set;
    const mlk_campaign_model *m = j->model >= 0 ? &c->model[j->model] : NULL;
    *argv = NULL;
#define WORD(...) snprintf(w[k++], sizeof w[0], __VA_ARGS__)
    mlk_status s = MLK_OK;
    switch (j->kind) {
    case MLK_JOB_STRUCTURE:
        break;
    case MLK_JOB_DATASET: {
        char list[MLK_OPT_STR_MAX], *save = NULL;
        snprintf(list, sizeof list, "%s", c->data_shown);
        MLK_GO(push(argv, &cap, &n, "dataset", e));
        MLK_GO(push(argv, &cap, &n, "convert", e));
        for (char *p = strtok_r(list, ",", &save); p; p = strtok_r(NULL, ",", &save))
            MLK_GO(push(argv, &cap, &n, p, e));
        WORD("-o"), WORD("%s", j->out);
        break;
    }
    case MLK_JOB_TRAIN:
        WORD("train"), WORD("%s/dataset.h5", c->run), WORD("--model"), WORD("%s", m->type);
        WORD("--name"), WORD("%s", m->name), WORD("--seed"), WORD("%d", m->seed);
        WORD("--budget"), WORD("%gs", set->train_budget);
        if (set->quick) WORD("--quick");
        WORD("--no-baseline"); /* the report shows the models of the study beside each other */
        WORD("-o"), WORD("%s/models", c->run);
        break;
    case MLK_JOB_MD:
        WORD("md"), WORD("%s/models/%s", c->run, m->name);
        WORD("--structure"), WORD("%s/structure.xyz", c->run);
        WORD("--supercell");
        if (c->supercell[0])
            WORD("%dx%dx%d", c->supercell[0], c->supercell[1], c->supercell[2]);
        else
            WORD("auto"); /* only in a dry run */
        WORD("--temp"), WORD("%.10g", c->temp[j->temp]);
        if (set->npt > 0) {
            WORD("--npt"), WORD("%.10gps", set->npt * 1e-3);
            WORD("--pressure"), WORD("%.10g", set->pressure);
            WORD("--barostat"), WORD(set->barostat ? "aniso" : "iso");
        }
        WORD("--equil"), WORD("%.10gps", set->equil * 1e-3), WORD("--run"),
            WORD("%.10gps", m->run * 1e-3);
        WORD("--dt"), WORD("%.10gfs", set->dt);
        /* every run of the study has its own stream of random numbers */
        WORD("--seed"), WORD("%d", (set->seed * 100003 +
                                    (j->model * c->n_temp + j->temp) * set->replicas + j->rep + 1) &
                                       0x7fffffff);
        WORD("-o"), WORD("%s", j->out);
        break;
    case MLK_JOB_TRANSPORT:
        MLK_GO(push(argv, &cap, &n, "transport", e));
        for (size_t d = 0; d < j->n_dep; d++) {
            const mlk_job *q = &c->job[j->dep[d]];
            if (q->state == MLK_JOB_DONE || q->state == MLK_JOB_SKIPPED ||
                q->state == MLK_JOB_WAITING)
                MLK_GO(push(argv, &cap, &n, q->out, e));
        }
        WORD("-o"), WORD("%s", j->out);
        break;
    case MLK_JOB_COMMITTEE:
        MLK_GO(push(argv, &cap, &n, "validate", e));
        for (size_t d = 0; d < j->n_dep; d++) {
            snprintf(w[0], sizeof w[0], "%s/models/%s", c->run,
                     c->model[c->job[j->dep[d]].model].name);
            MLK_GO(push(argv, &cap, &n, w[0], e));
        }
        WORD("%s/dataset.h5", c->run), WORD("--no-parity");
        WORD("-o"), WORD("%s/committee/%s", c->run, m->type);
        break;
    case MLK_JOB_REPORT:
        WORD("report"), WORD("%s", c->run);
        break;
    }
    if (j->threads > 0) WORD("--threads"), WORD("%d", j->threads);
#undef WORD
    for (int q = 0; q < k; q++) MLK_GO(push(argv, &cap, &n, w[q], e));
done:
    if (s) mlk_argv_free(*argv), *argv = NULL;
    return s;
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
    mlk_log(MLK_LOG_INFO, "data          %s%s, %zu file%s", c->data_shown,
            *c->set.data ? "" : " (the bundled Li3PS4 set; --data takes others)", c->n_input,
            c->n_input == 1 ? "" : "s");
    mlk_log(MLK_LOG_INFO, "temperatures %s K", t);
    mlk_log(MLK_LOG_INFO, "models        training %s each%s", mlk_duration(c->set.train_budget, d),
            c->set.quick ? " (--quick)" : "");
    mlk_log(MLK_LOG_INFO, "production   %s", m);
    mlk_log(MLK_LOG_INFO,
            "per run       %s%g ps equilibration, dt %g fs, %d replica%s, supercell %s, seed %d",
            npt, c->set.equil * 1e-3, c->set.dt, c->set.replicas, c->set.replicas > 1 ? "s" : "",
            c->set.supercell, c->set.seed);
}

static void campaign_free(mlk_campaign *c)
{
    for (size_t k = 0; k < c->n_job; k++) mlk_free(c->job[k].dep);
    for (size_t k = 0; k < c->n_input; k++) mlk_free(c->input[k]);
    mlk_free(c->job), mlk_free(c->input), mlk_free(c->hash);
    mlk_free(c);
}

/* One mlkit at a time in a folder; *fd keeps the lock until it is closed. */
static mlk_status lock(const mlk_campaign *c, int *fd, mlk_err *e)
{
    char path[1100];
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    *fd =
        open(mlk_path_join(path, sizeof path, c->run, ".lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*fd < 0) {
        MLK_FAIL(e, MLK_EIO, "cannot write: %s", strerror(errno));
        return mlk_err_at(e, path, 0);
    }
    if (!fcntl(*fd, F_SETLK, &l)) return MLK_OK;
    int why = errno;
    close(*fd), *fd = -1;
    if (why != EACCES && why != EAGAIN) return MLK_OK; /* a file system without locks */
    MLK_FAIL(e, MLK_EINVAL, "another mlkit benchmark is at work in %s", c->run);
    mlk_err_hint(e, "wait for it, stop it with Ctrl-C there, or give another folder with -o");
    return MLK_EINVAL;
}

mlk_status mlk_campaign_run(const mlk_settings *set, const mlk_campaign_how *how, mlk_err *e)
{
    char yaml[1100];
    mlk_status s = MLK_OK;
    int fd = -1;
    mlk_campaign *c = mlk_alloc(1, sizeof *c);
    if (!c) return MLK_FAIL(e, MLK_ENOMEM, "study");
    c->set = *set;
    size_t len = (size_t)snprintf(c->run, sizeof c->run, "%s", how->run);
    while (len > 1 && len < sizeof c->run && c->run[len - 1] == '/') c->run[--len] = 0;
    if (!len || len > 700)
        MLK_GO(MLK_FAIL(e, MLK_EINVAL, "-o: the name of the run folder is %s",
                        len ? "too long" : "empty"));
    snprintf(c->program, sizeof c->program, "%s", how->program ? how->program : "/proc/self/exe");
    if (how->program) MLK_GO(mlk_path_absolute(c->program, sizeof c->program, "the program", e));
    MLK_GO(mlk_temps_parse(c->set.temps, c->temp, &c->n_temp, e));
    if (strcmp(set->supercell, "auto")) {
        int used = 0, *r = c->supercell;
        if (sscanf(set->supercell, "%dx%dx%d%n", &r[0], &r[1], &r[2], &used) != 3 ||
            set->supercell[used] || r[0] < 1 || r[1] < 1 || r[2] < 1 || r[0] > 99 || r[1] > 99 ||
            r[2] > 99)
            MLK_GO(MLK_FAIL(e, MLK_EINVAL, "--supercell '%s' is neither auto nor of the form 2x2x2",
                            set->supercell));
    }
    MLK_GO(plan_models(c, e));
    MLK_GO(mlk_campaign_inputs(c, e));
    mlk_path_join(yaml, sizeof yaml, c->run, "campaign.yaml");
    bool old = mlk_file_exists(yaml);
    mlk_timestamp(c->created);
    if (!old && mlk_file_exists(c->run) && !mlk_file_is_dir(c->run))
        MLK_GO(MLK_FAIL(e, MLK_EINVAL, "%s is a file, not a folder", c->run));
    if (old) MLK_GO(mlk_campaign_compare(c, yaml, e));
    MLK_GO(plan_jobs(c, e));
    announce(c);
    if (!how->dry_run) {
        MLK_GO(mlk_mkdir_p(c->run, e));
        MLK_GO(lock(c, &fd, e));
        if (!old) MLK_GO(mlk_campaign_write(c, e));
    }
    s = mlk_campaign_jobs(c, how, e);
done:
    if (fd >= 0) close(fd);
    campaign_free(c);
    return s;
}
