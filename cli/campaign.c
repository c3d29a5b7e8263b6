/* campaign.c - settings, plan and record of a study; see campaign.h. Running it: campaign_run.c. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "cli/campaign.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/conf.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "datasets/dataset.h"
#include "parsers/parser.h"
#include "potentials/potential.h"
#include "reports/report.h"
#include "version.h"

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
    {"nep", 16, 80e3, 1.5e5, 0},
    {"snap", 1, 20e3, 2.5e4, 60},
    {NULL, 16, 40e3, 5e4, 0}, /* any other */
};

enum { SECONDS_DATASET = 5, SECONDS_TRANSPORT = 8, SECONDS_REPORT = 15 };

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

mlk_status mlk_settings_read(const char *yaml, mlk_settings *set, mlk_err *e)
{
    mlk_conf root;
    MLK_TRY(mlk_conf_read(yaml, &root, e));
    const mlk_conf *m = mlk_conf_get(&root, "settings");
    mlk_status s = MLK_OK;
    long version = 0;
    if (!mlk_parse_long(mlk_conf_str(&root, "version", "1"), &version) || version != 1) {
        s = MLK_FAIL(e, MLK_EFORMAT, "campaign version '%s', this mlkit reads version 1",
                     mlk_conf_str(&root, "version", "?"));
        mlk_err_at(e, yaml, mlk_conf_get(&root, "version")->line);
    } else if (!m || m->kind != MLK_CONF_MAP) {
        s = MLK_FAIL(e, MLK_EFORMAT, "no 'settings:' section");
        mlk_err_at(e, yaml, 1);
        mlk_err_hint(e, "a campaign.yaml is written by mlkit benchmark");
    } else {
        s = mlk_conf_apply(m, yaml, mlk_settings_table, set, NULL, e);
    }
    mlk_conf_free(&root);
    return s;
}

/* ---- inputs ---- */

static mlk_status add_input(mlk_campaign *c, const char *path, mlk_err *e)
{
    MLK_TRY(MLK_GROW(c->input, c->cap_input, c->n_input + 1, e));
    MLK_TRY(MLK_GROW(c->hash, c->cap_hash, c->n_input + 1, e));
    MLK_TRY(mlk_file_sha256(path, c->hash[c->n_input], e));
    c->input[c->n_input] = mlk_strdup(path);
    if (!c->input[c->n_input]) return MLK_FAIL(e, MLK_ENOMEM, "list of inputs");
    c->n_input++;
    return MLK_OK;
}

static mlk_status add_inputs(mlk_campaign *c, const char *path, int depth, mlk_err *e)
{
    if (!mlk_file_is_dir(path)) return add_input(c, path, e);
    if (depth > 16) return MLK_OK;
    struct dirent **entry = NULL;
    int n = scandir(path, &entry, NULL, alphasort);
    if (n < 0) {
        MLK_FAIL(e, MLK_EIO, "cannot read the folder: %s", strerror(errno));
        return mlk_err_at(e, path, 0);
    }
    mlk_status s = MLK_OK;
    for (int k = 0; k < n; k++) {
        char sub[2048];
        mlk_path_join(sub, sizeof sub, path, entry[k]->d_name);
        bool data =
            mlk_file_is_dir(sub) || mlk_parser_sniff(sub) || strstr(entry[k]->d_name, ".h5");
        if (!s && entry[k]->d_name[0] != '.' && data) s = add_inputs(c, sub, depth + 1, e);
        free(entry[k]);
    }
    free(entry);
    return s;
}

/* One path made absolute in place, so that the study can be continued from any folder. */
static mlk_status absolute(char *path, size_t cap, const char *what, mlk_err *e)
{
    char *real = realpath(path, NULL);
    if (!real) {
        MLK_FAIL(e, MLK_EIO, "cannot read %s: %s", what, strerror(errno));
        return mlk_err_at(e, path, 0);
    }
    bool fits = strlen(real) < cap;
    if (fits) snprintf(path, cap, "%s", real);
    free(real);
    return fits ? MLK_OK : MLK_FAIL(e, MLK_EINVAL, "path too long: %s", path);
}

static mlk_status find_inputs(mlk_campaign *c, mlk_err *e)
{
    mlk_settings *set = &c->set;
    if (!*set->data) {
        MLK_TRY(mlk_dataset_bundled(c->data_shown, sizeof c->data_shown, e));
        MLK_TRY(add_inputs(c, c->data_shown, 0, e));
    } else {
        char list[MLK_OPT_STR_MAX], *save = NULL;
        size_t len = 0;
        snprintf(list, sizeof list, "%s", set->data);
        for (char *w = strtok_r(list, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
            char path[1024];
            snprintf(path, sizeof path, "%s", w);
            MLK_TRY(absolute(path, sizeof path, "the data", e));
            MLK_TRY(add_inputs(c, path, 0, e));
            int add = snprintf(c->data_shown + len, sizeof c->data_shown - len, "%s%s",
                               len ? "," : "", path);
            if (add < 0 || (len += (size_t)add) >= sizeof c->data_shown)
                return MLK_FAIL(e, MLK_EINVAL, "--data: the list of paths is too long");
        }
        snprintf(set->data, sizeof set->data, "%s", c->data_shown);
    }
    if (*set->structure) {
        MLK_TRY(absolute(set->structure, sizeof set->structure, "the structure", e));
        MLK_TRY(add_input(c, set->structure, e));
    }
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
    double steps = (mod->run + c->set.equil) / c->set.dt,
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
    char w[24][1100];
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

/* ---- campaign.yaml ---- */

static void quote(FILE *f, const char *text)
{
    fputc('"', f);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(f, "\\%c", *p);
        else if (*p < 0x20)
            fprintf(f, "\\x%02x", *p);
        else
            fputc(*p, f);
    }
    fputc('"', f);
}

mlk_status mlk_campaign_write(const mlk_campaign *c, mlk_err *e)
{
    char path[1100], buf[MLK_OPT_STR_MAX];
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, c->run, "campaign.yaml"), e));
    FILE *f = o.fp;
    fprintf(f, "# A study made by mlkit benchmark; reproduce it with\n"
               "#   mlkit benchmark -c campaign.yaml -o ANOTHER\nversion: 1\nmlkit: ");
    quote(f, MLK_VERSION);
    fprintf(f, "\ncompiler: "), quote(f, MLK_COMPILER " " MLK_FLAGS);
    fprintf(f, "\ncreated: "), quote(f, c->created);
    fprintf(f, "\nsettings:\n");
    for (const mlk_opt *r = mlk_settings_table; r->key; r++) {
        fprintf(f, "  %s: ", r->key);
        quote(f, mlk_opt_print(r, &c->set, buf, sizeof buf));
        fprintf(f, "%s%s\n", r->help ? "  # " : "", r->help ? r->help : "");
    }
    fprintf(f, "temperatures: [");
    for (int k = 0; k < c->n_temp; k++) fprintf(f, "%s%.10g", k ? ", " : "", c->temp[k]);
    fprintf(f, "]  # K\nmodels:\n");
    for (int k = 0; k < c->n_model; k++)
        fprintf(f, "  - {name: %s, type: %s, seed: %d, run_ps: %.10g}\n", c->model[k].name,
                c->model[k].type, c->model[k].seed, c->model[k].run * 1e-3);
    fprintf(f, "inputs:  # SHA-256 of every file that was read\n");
    for (size_t k = 0; k < c->n_input; k++) {
        fprintf(f, "  - {path: "), quote(f, c->input[k]);
        fprintf(f, ", sha256: %s}\n", c->hash[k]);
    }
    if (c->n_atoms) {
        fprintf(f, "start:\n  from: "), quote(f, c->structure_from);
        fprintf(f, "\n  supercell: [%d, %d, %d]\n  atoms: %zu\n", c->supercell[0], c->supercell[1],
                c->supercell[2], c->n_atoms);
    }
    return mlk_out_commit(&o, e);
}

static mlk_status other_study(const mlk_campaign *c, const char *what, mlk_err *e)
{
    MLK_FAIL(e, MLK_EINVAL, "%s holds a study with other settings: %s", c->run, what);
    mlk_err_hint(e,
                 "give another folder with -o, or repeat the first command (see %s/campaign.yaml)",
                 c->run);
    return MLK_EINVAL;
}

/* The folder's own record against what is asked for now; fills what only it knows. */
static mlk_status compare(mlk_campaign *c, const char *path, mlk_err *e)
{
    mlk_settings old;
    char a[MLK_OPT_STR_MAX], b[MLK_OPT_STR_MAX], what[2 * MLK_OPT_STR_MAX + 64];
    mlk_conf root;
    MLK_TRY(mlk_opt_defaults(mlk_settings_table, &old, e));
    MLK_TRY(mlk_settings_read(path, &old, e));
    for (const mlk_opt *r = mlk_settings_table; r->key; r++) {
        mlk_opt_print(r, &old, a, sizeof a), mlk_opt_print(r, &c->set, b, sizeof b);
        if (!strcmp(a, b)) continue;
        snprintf(what, sizeof what, "%s is '%s' there and '%s' now", r->key, a, b);
        return other_study(c, what, e);
    }
    MLK_TRY(mlk_conf_read(path, &root, e));
    mlk_status s = MLK_OK;
    const mlk_conf *in = mlk_conf_get(&root, "inputs"), *start = mlk_conf_get(&root, "start");
    snprintf(c->created, sizeof c->created, "%s", mlk_conf_str(&root, "created", ""));
    for (size_t k = 0; in && k < in->n_child && !s; k++) {
        const char *sha = mlk_conf_str(&in->child[k], "sha256", "");
        int there = 0, now = 0; /* files of this content: names may have changed */
        for (size_t q = 0; q < in->n_child; q++)
            there += !strcmp(mlk_conf_str(&in->child[q], "sha256", ""), sha);
        for (size_t q = 0; q < c->n_input; q++) now += !strcmp(c->hash[q], sha);
        snprintf(what, sizeof what, "the input %s has changed since",
                 mlk_conf_str(&in->child[k], "path", "?"));
        if (there != now) s = other_study(c, what, e);
    }
    if (!s && in && in->n_child != c->n_input)
        s = other_study(c, "there are other input files now", e);
    const mlk_conf *cell = mlk_conf_get(start, "supercell");
    long atoms = 0, v = 0;
    if (cell && cell->n_child == 3 && mlk_parse_long(mlk_conf_str(start, "atoms", "0"), &atoms)) {
        for (int k = 0; k < 3; k++)
            c->supercell[k] =
                cell->child[k].value && mlk_parse_long(cell->child[k].value, &v) ? (int)v : 1;
        c->n_atoms = (size_t)atoms;
        snprintf(c->structure_from, sizeof c->structure_from, "%s",
                 mlk_conf_str(start, "from", ""));
    }
    if (!s && strcmp(mlk_conf_str(&root, "mlkit", ""), MLK_VERSION))
        mlk_log(MLK_LOG_WARN, "%s was begun with mlkit %s, this is %s", c->run,
                mlk_conf_str(&root, "mlkit", "?"), MLK_VERSION);
    mlk_conf_free(&root);
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
    mlk_log(MLK_LOG_INFO, "run folder    %s", c->run);
    mlk_log(MLK_LOG_INFO, "data          %s%s, %zu file%s", c->data_shown,
            *c->set.data ? "" : " (the bundled Li3PS4 set; --data takes others)", c->n_input,
            c->n_input == 1 ? "" : "s");
    mlk_log(MLK_LOG_INFO, "temperatures %s K", t);
    mlk_log(MLK_LOG_INFO, "models        training %s each%s", mlk_duration(c->set.train_budget, d),
            c->set.quick ? " (--quick)" : "");
    mlk_log(MLK_LOG_INFO, "production   %s", m);
    mlk_log(MLK_LOG_INFO,
            "per run       %g ps equilibration, dt %g fs, %d replica%s, supercell %s, seed %d",
            c->set.equil * 1e-3, c->set.dt, c->set.replicas, c->set.replicas > 1 ? "s" : "",
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
    if (how->program) MLK_GO(absolute(c->program, sizeof c->program, "the program", e));
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
    MLK_GO(find_inputs(c, e));
    mlk_path_join(yaml, sizeof yaml, c->run, "campaign.yaml");
    bool old = mlk_file_exists(yaml);
    mlk_timestamp(c->created);
    if (!old && mlk_file_exists(c->run) && !mlk_file_is_dir(c->run))
        MLK_GO(MLK_FAIL(e, MLK_EINVAL, "%s is a file, not a folder", c->run));
    if (old) MLK_GO(compare(c, yaml, e));
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
