/* cmd_train.c - mlkit train: options, the list of models to fit, the table of their errors. */
#include <math.h>
#include <string.h>

#include "cli/cmd.h"
#include "core/log.h"
#include "core/file.h"
#include "core/threads.h"
#include "train/output.h"
#include "train/train.h"

typedef struct cfg {
    mlk_common common;
    char config[MLK_OPT_STR_MAX], models[MLK_OPT_STR_MAX], out[MLK_OPT_STR_MAX],
        name[MLK_OPT_STR_MAX], from[MLK_OPT_STR_MAX];
    int seeds, epochs;
    double budget, valid_fraction;
    bool quick, print, baseline;
} cfg;

static const mlk_opt opts[] = {
    {"model", MLK_OPT_STR, offsetof(cfg, models), "", 0, 0, "",
     "types, comma separated (default nep,snap)"},
    {"from", MLK_OPT_STR, offsetof(cfg, from), "", 0, 0, "",
     "start from this model: nep.txt, or a folder of mlkit (fine-tuning, restart)"},
    {"seeds", MLK_OPT_INT, offsetof(cfg, seeds), "1", 1, 1000, "",
     "models of each type, with seeds N, N+1, ..."},
    {"name", MLK_OPT_STR, offsetof(cfg, name), "", 0, 0, "",
     "folder of the model (one model, one seed)"},
    {"epochs", MLK_OPT_INT, offsetof(cfg, epochs), "0", 0, 10000000, "",
     "passes over the data (stop.epochs)"},
    {"budget", MLK_OPT_WALL, offsetof(cfg, budget), "0", 0, 1e9, "",
     "wall time of each model (stop.budget)"},
    {"quick", MLK_OPT_FLAG, offsetof(cfg, quick), "false", 0, 0, "",
     "half as long a fit: NEP of some hundred frames in 10 to 20 s of one core"},
    {"valid-fraction", MLK_OPT_REAL, offsetof(cfg, valid_fraction), "0.15", 0, 0.9, "",
     "share of frames kept for validation"},
    {"baseline", MLK_OPT_FLAG, offsetof(cfg, baseline), "true", 0, 0, "",
     "fit a linear SNAP first, to compare with (--no-baseline)"},
    {"c", MLK_OPT_STR, offsetof(cfg, config), "", 0, 0, "",
     "configuration: YAML, or a nep.in of GPUMD"},
    {"print-config", MLK_OPT_FLAG, offsetof(cfg, print), "false", 0, 0, "",
     "write the full resolved configuration and end"},
    {"o", MLK_OPT_STR, offsetof(cfg, out), "mlkit-train", 0, 0, "", "folder for the models"},
    {"set", MLK_OPT_STR, offsetof(cfg, common.help), NULL, 0, 0, "",
     "SECTION.KEY=VALUE, repeatable; also --nep.neuron=30"}, /* taken out before parsing */
    MLK_COMMON_OPTS(cfg),
    {0}};

/* Take "--set a.b=c" and "--nep.neuron=30" out of argv; set (argc) gets the texts "a.b=c". */
static mlk_status take_sets(int *argc, char **argv, const char **set, int *n_set, mlk_err *e)
{
    int keep = 1;
    *n_set = 0;
    for (int i = 1; i < *argc; i++) {
        const char *a = argv[i];
        size_t word = strncmp(a, "--", 2) ? 0 : strcspn(a + 2, ".=");
        if (!strcmp(a, "--set") || (word && a[2 + word] == '.')) {
            const char *text = a + 2;
            if (!strcmp(a, "--set") || !strchr(a, '=')) {
                if (!strcmp(a, "--set") && i + 1 < *argc) text = argv[++i];
                if (!strchr(text, '=')) {
                    MLK_FAIL(e, MLK_EINVAL, "'%s': expected SECTION.KEY=VALUE", text);
                    mlk_err_hint(e, "for example --set loss.force=2 or --nep.cutoff=6,5");
                    return MLK_EINVAL;
                }
            }
            set[(*n_set)++] = text;
        } else if (!strncmp(a, "--set=", 6)) {
            set[(*n_set)++] = a + 6;
        } else {
            argv[keep++] = argv[i];
        }
    }
    *argc = keep;
    return MLK_OK;
}

static mlk_status resolve(const cfg *o, const bool *given, const char *const *set, int n_set,
                          int n_words, char **words, mlk_train_config *c, mlk_err *e)
{
    char text[64];
    MLK_TRY(mlk_train_config_init(c, o->quick, e));
    if (o->config[0]) MLK_TRY(mlk_train_config_read(c, o->config, e));
    if (o->models[0]) MLK_TRY(mlk_train_config_models(c, o->models, e));
    if (o->from[0]) MLK_TRY(mlk_train_config_from(c, o->from, e));
    if (!c->n_model) MLK_TRY(mlk_train_config_models(c, "nep,snap", e));
    if (n_words) mlk_train_config_no_data(c);
    for (int k = 0; k < n_words; k++) MLK_TRY(mlk_train_config_path(c, words[k], e));
    if (given[mlk_opt_find(opts, "seed") - opts]) c->seed = o->common.seed;
    if (given[mlk_opt_find(opts, "epochs") - opts]) c->stop.epochs = o->epochs;
    if (given[mlk_opt_find(opts, "budget") - opts]) c->stop.budget = o->budget;
    if (given[mlk_opt_find(opts, "valid-fraction") - opts])
        c->data.valid_fraction = o->valid_fraction;
    for (int k = 0; k < n_set; k++) {
        size_t n = strcspn(set[k], "=");
        if (n >= sizeof text) return MLK_FAIL(e, MLK_EINVAL, "'%s' is no setting", set[k]);
        snprintf(text, sizeof text, "%.*s", (int)n, set[k]);
        MLK_TRY(mlk_train_config_set(c, text, set[k][n] ? set[k] + n + 1 : "", e));
    }
    if (o->name[0] && (c->n_model != 1 || o->seeds != 1)) {
        MLK_FAIL(e, MLK_EINVAL, "--name is for one model and one seed");
        mlk_err_hint(e, "add --model nep, or leave --name out");
        return MLK_EINVAL;
    }
    if (o->name[0]) {
        snprintf(text, sizeof text, "%s.name", c->model[0].type->name);
        MLK_TRY(mlk_train_config_set(c, text, o->name, e));
    }
    return mlk_train_config_start(c, e);
}

typedef struct job {
    const mlk_train_model *m;
    char name[64];
    uint64_t seed;
    mlk_fit_result r;
} job;

/* every model with every seed, linear ones first (they are the yardstick) */
static size_t list_jobs(const mlk_train_config *c, int seeds, job *j)
{
    size_t n = 0;
    for (int linear = 1; linear >= 0; linear--)
        for (size_t k = 0; k < c->n_model; k++) {
            const mlk_train_model *m = &c->model[k];
            if (((m->type->caps & MLK_CAP_LINEAR) != 0) != linear) continue;
            /* a linear fit has no random start: one model */
            for (int q = 0; q < (linear ? 1 : seeds); q++) {
                job *b = &j[n++];
                b->m = m;
                b->seed = (uint64_t)((m->seed >= 0 ? m->seed : c->seed) + q);
                size_t same = 1;
                for (size_t i = 0; i + 1 < n; i++) same += j[i].m->type == m->type;
                if (m->name[0] && q == 0)
                    snprintf(b->name, sizeof b->name, "%s", m->name);
                else
                    snprintf(b->name, sizeof b->name, "%s-%zu", m->type->name, same);
            }
        }
    return n;
}

/* right-aligned; numbers too wide for their column with an exponent */
static void pair(FILE *out, double scale, const mlk_stat *train, const mlk_stat *valid, int width,
                 int digits)
{
    const mlk_stat *q[2] = {train, valid};
    for (int k = 0; k < 2; k++) {
        const int w = width - 3 * k;
        const double v = scale * mlk_stat_rmse(q[k]);
        if (k) fputs(" | ", out);
        if (!q[k]->n)
            fprintf(out, "%*s", w, "-");
        else if (v < pow(10, w - digits - 2 + k) || !isfinite(v))
            fprintf(out, "%*.*f", w, digits, v);
        else
            fprintf(out, "%*.1e", w, v);
    }
}

static void table(const job *j, size_t n, FILE *out)
{
    bool failed = false;
    fprintf(out, "%-14s %20s %20s %18s\n%-14s %20s %20s %18s\n", "RMSE", "energy meV/atom",
            "force meV/A", "stress GPa", "", "train | valid", "train | valid", "train | valid");
    for (size_t k = 0; k < n; k++) {
        const mlk_fit_errors *t = &j[k].r.train, *v = &j[k].r.valid;
        fprintf(out, "%-14s ", j[k].name);
        pair(out, 1e3, &t->energy, &v->energy, 10, 2);
        pair(out, 1e3, &t->force, &v->force, 11, 1);
        pair(out, 1, &t->stress, &v->stress, 10, 3);
        fputs(j[k].r.failed ? "  failed\n" : "\n", out);
        failed |= j[k].r.failed;
    }
    if (failed)
        fprintf(out, "failed: force errors as large as the forces themselves; do not use\n");
}

static mlk_status json_out(const job *j, size_t n, const char *dir, mlk_err *e)
{
    json_t *list = json_array();
    for (size_t k = 0; k < n; k++)
        json_array_append_new(
            list,
            json_pack("{s:s,s:s,s:I,s:I,s:o,s:o,s:o,s:b,s:b}", "name", j[k].name, "type",
                      j[k].m->type->name, "seed", (json_int_t)j[k].seed, "n_param",
                      (json_int_t)j[k].r.n_param, "wall_s", mlk_json_real(j[k].r.wall), "train",
                      mlk_errors_json(&j[k].r.train), "valid", mlk_errors_json(&j[k].r.valid),
                      "was_complete", j[k].r.was_complete, "failed", j[k].r.failed));
    json_t *o = json_pack("{s:s,s:o}", "output", dir, "models", list);
    mlk_status s = mlk_json_write(o, "-", e);
    json_decref(o);
    return s;
}

static void log_result(const job *b, const char *dir)
{
    char wall[32];
    if (b->r.was_complete)
        mlk_log(MLK_LOG_INFO, "== %s: already complete (%s/%s)", b->name, dir, b->name);
    else
        mlk_log(MLK_LOG_INFO, "== %s: done in %s, %s F %.1f meV/A", b->name,
                mlk_duration(b->r.wall, wall), b->r.valid.n_frames ? "valid" : "train",
                1e3 * mlk_stat_rmse(b->r.valid.n_frames ? &b->r.valid.force : &b->r.train.force));
}

static mlk_status run(const cfg *o, const mlk_train_config *c, mlk_err *e)
{
    mlk_dataset ds = {0};
    mlk_train_config base = {0};
    job *j = NULL;
    size_t n = 0, first = 0;
    mlk_status s = MLK_OK;
    if (!c->n_path)
        mlk_log(MLK_LOG_INFO,
                "assumed: data = the bundled Li3PS4 set (give files or folders to change)");
    if (!strcmp(o->out, "mlkit-train"))
        mlk_log(MLK_LOG_INFO, "assumed: output = ./mlkit-train (-o DIR to change)");
    if (!o->models[0] && !o->config[0] && !o->from[0])
        mlk_log(MLK_LOG_INFO, "assumed: models = nep,snap (--model to change)");
    MLK_GO(mlk_fit_load(c, &ds, e));
    MLK_GO(mlk_fit_describe(c, &ds, e));
    j = mlk_alloc(c->n_model * (size_t)o->seeds + 1, sizeof *j);
    if (!j) {
        s = MLK_FAIL(e, MLK_ENOMEM, "list of models");
        goto done;
    }
    bool linear = false;
    for (size_t k = 0; k < c->n_model; k++)
        linear |= (c->model[k].type->caps & MLK_CAP_LINEAR) != 0;
    if (o->baseline && !linear && mlk_potential_find("snap")) {
        MLK_GO(mlk_train_config_init(&base, o->quick, e));
        base.loss = c->loss;
        MLK_GO(mlk_train_config_models(&base, "snap", e));
        j[0].m = &base.model[0];
        snprintf(j[0].name, sizeof j[0].name, "(linear SNAP)");
        MLK_GO(mlk_fit_model(&base, j[0].m, j[0].name, 1, &ds, NULL, &j[0].r, e));
        log_result(&j[0], "");
        first = 1;
    }
    n = list_jobs(c, o->seeds, j + first) + first;
    for (size_t k = first; k < n; k++) {
        char dir[1200];
        mlk_path_join(dir, sizeof dir, o->out, j[k].name);
        MLK_GO(mlk_fit_model(c, j[k].m, j[k].name, j[k].seed, &ds, dir, &j[k].r, e));
        log_result(&j[k], o->out);
    }
    if (o->common.json) {
        s = json_out(j, n, o->out, e);
    } else {
        table(j, n, stdout);
        printf("models in %s/\n", o->out);
    }
done:
    mlk_train_config_free(&base);
    mlk_free(j);
    mlk_dataset_free(&ds);
    return s;
}

mlk_status mlk_cmd_train(int argc, char **argv, mlk_err *e)
{
    cfg o;
    mlk_train_config c = {0};
    bool given[sizeof opts / sizeof *opts] = {false}, done;
    int n_words, n_set;
    char **words, command[sizeof c.command] = "mlkit";
    const char **set = mlk_alloc((size_t)argc, sizeof *set);
    if (!set) return MLK_FAIL(e, MLK_ENOMEM, "options");
    for (int k = 0; k < argc; k++)
        snprintf(command + strlen(command), sizeof command - strlen(command), " %s", argv[k]);
    mlk_status s = take_sets(&argc, argv, set, &n_set, e);
    if (s) goto done;
    MLK_GO(mlk_cmd_begin(
        opts, &o, argc, argv, given, "mlkit train [DATA...] [options]",
        "Fit machine-learned potentials to DFT data: files, folders or mlkit HDF5 stores;\n"
        "without DATA the bundled Li3PS4 set. Each model gets a folder with its community-format\n"
        "file, model.yaml, learning curve and parity data. Total energies by the community file\n"
        "alone lack the reference energies e0 of model.yaml, a constant per atom of each species.\n"
        "An interrupted run is continued by the same command. --from starts from an existing\n"
        "NEP; --set optimizer.method=snes evolves parameters as GPUMD does, to compare.",
        "mlkit train vasprun.xml.gz more/ --model nep,snap --seeds 2 --budget 10min -o models",
        &n_words, &words, &done, e));
    if (done) goto done;
    mlk_threads_wait_passively();
    MLK_GO(resolve(&o, given, set, n_set, n_words, words, &c, e));
    snprintf(c.command, sizeof c.command, "%s", command);
    if (o.print)
        mlk_train_config_print(&c, NULL, stdout);
    else
        s = run(&o, &c, e);
done:
    mlk_train_config_free(&c);
    mlk_free(set);
    return s;
}
