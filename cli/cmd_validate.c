/* cmd_validate.c - mlkit validate: errors of models on data, with the definitions of
 * train/errors.c, and prediction intervals of committees. */
#include <math.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/validate.h"
#include "core/file.h"
#include "core/log.h"
#include "datasets/check.h"
#include "parsers/parser.h"
#include "train/output.h"

typedef struct cfg {
    mlk_common common;
    char out[MLK_OPT_STR_MAX];
    int which, energy;
    bool committee, parity;
} cfg;

static const mlk_opt opts[] = {
    {"split", MLK_OPT_CHOICE, offsetof(cfg, which), "all", 0, 0, "all|train|valid|test",
     "only these frames: of a store, or of the data the models were trained on"},
    {"energy", MLK_OPT_CHOICE, offsetof(cfg, energy), "auto", 0, 0, "auto|free|sigma0",
     "energies to compare with; auto: what each model was trained on"},
    {"committee", MLK_OPT_FLAG, offsetof(cfg, committee), "true", 0, 0, "",
     "models of one kind together: error of their mean, prediction intervals (--no-committee)"},
    {"o", MLK_OPT_STR, offsetof(cfg, out), "", 0, 0, "",
     "folder for errors.csv, errors.json, parity_*.csv and the files of a committee"},
    {"parity", MLK_OPT_FLAG, offsetof(cfg, parity), "true", 0, 0, "",
     "parity_*.csv with -o (--no-parity)"},
    MLK_COMMON_OPTS(cfg),
    {0}};

/* A model folder holds model.yaml or a community file; of a file, its content decides: what a
 * parser or the store knows is data, the rest must be a potential. */
static bool is_model(const char *path)
{
    char yaml[1024];
    size_t n = strlen(path);
    mlk_potential *pot = NULL;
    mlk_err quiet = {0};
    if (mlk_file_is_dir(path)) {
        if (mlk_file_exists(mlk_path_join(yaml, sizeof yaml, path, "model.yaml"))) return true;
        return mlk_potential_read(&pot, path, &quiet) == MLK_OK &&
               (mlk_potential_destroy(pot), true);
    }
    if (n > 5 && !strcmp(path + n - 5, ".yaml")) return true;
    if (n > 3 && !strcmp(path + n - 3, ".h5")) return false;
    if (!mlk_file_exists(path)) return false;
    if (mlk_potential_read(&pot, path, &quiet) == MLK_OK) {
        mlk_potential_destroy(pot);
        return true;
    }
    return !mlk_parser_sniff(path, NULL); /* neither: the message of a broken model says more */
}

static void species_table(const char *what, const mlk_validated *m, size_t n, const mlk_dataset *ds,
                          double (*of)(const mlk_stat *))
{
    char b[32];
    printf("\n%-24s", what);
    for (size_t t = 0; t < ds->n_species; t++) printf(" %9s", mlk_element_symbol(ds->z[t]));
    printf("\n");
    for (size_t k = 0; k < n; k++) {
        printf("%-24s", m[k].path);
        for (size_t t = 0; t < ds->n_species; t++)
            printf(" %9s", mlk_or_dash(1e3 * of(&m[k].er.species[ds->z[t]]), 1, b));
        printf("\n");
    }
}

static void table(const mlk_validated *m, size_t n, const mlk_dataset *ds)
{
    printf("%-24s %9s %9s %9s %9s %9s %9s\n%-24s %9s %9s %9s %9s %9s %9s\n", "", "energy", "energy",
           "force", "force", "stress", "stress", "", "RMSE", "MAE", "RMSE", "MAE", "RMSE", "MAE");
    printf("%-24s %19s %19s %19s\n", "model", "meV/atom", "meV/A", "GPa");
    for (size_t k = 0; k < n; k++) {
        const mlk_fit_errors *e = &m[k].er;
        char b[6][32];
        printf("%-24s %9s %9s %9s %9s %9s %9s\n", m[k].path,
               mlk_or_dash(1e3 * mlk_stat_rmse(&e->energy), 2, b[0]),
               mlk_or_dash(1e3 * mlk_stat_mae(&e->energy), 2, b[1]),
               mlk_or_dash(1e3 * mlk_stat_rmse(&e->force), 1, b[2]),
               mlk_or_dash(1e3 * mlk_stat_mae(&e->force), 1, b[3]),
               mlk_or_dash(mlk_stat_rmse(&e->stress), 3, b[4]),
               mlk_or_dash(mlk_stat_mae(&e->stress), 3, b[5]));
    }
    species_table("force RMSE, meV/A", m, n, ds, mlk_stat_rmse);
    species_table("force MAE, meV/A", m, n, ds, mlk_stat_mae);
}

static json_t *model_json(const mlk_validated *m)
{
    json_t *j = mlk_errors_json(&m->er), *mae = json_object();
    json_object_set_new(j, "model", json_string(m->path));
    json_object_set_new(j, "type", json_string(m->pot->type->name));
    json_object_set_new(j, "energy_kind",
                        json_string(m->energy == MLK_ENERGY_AS_SIGMA0 ? "sigma0" : "free"));
    json_object_set_new(j, "n_frames", json_integer((json_int_t)m->er.n_frames));
    json_object_set_new(j, "n_energies", json_integer((json_int_t)m->er.energy.n));
    json_object_set_new(j, "n_force_components", json_integer((json_int_t)m->er.force.n));
    json_object_set_new(j, "n_stress_components", json_integer((json_int_t)m->er.stress.n));
    json_object_set_new(j, "force_rmse_by_species", mlk_errors_species_json(&m->er));
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++)
        if (m->er.species[z].n)
            json_object_set_new(mae, mlk_element_symbol(z),
                                mlk_json_real(1e3 * mlk_stat_mae(&m->er.species[z])));
    json_object_set_new(j, "force_mae_by_species", mae);
    return j;
}

/* one row per model, quantity and element */
static mlk_status write_errors(const char *dir, const mlk_validated *m, size_t nm, mlk_err *e)
{
    char path[1100];
    mlk_out o;
    MLK_TRY(mlk_mkdir_p(dir, e));
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, dir, "errors.csv"), e));
    fprintf(o.fp, "model,quantity,unit,species,n,rmse,mae\n");
    for (size_t k = 0; k < nm; k++) {
        const mlk_fit_errors *er = &m[k].er;
        const struct {
            const char *name, *unit;
            const mlk_stat *s;
            double scale;
        } row[] = {{"energy", "meV/atom", &er->energy, 1e3},
                   {"force", "meV/A", &er->force, 1e3},
                   {"stress", "GPa", &er->stress, 1}};
        for (int q = 0; q < 3; q++)
            if (row[q].s->n)
                fprintf(o.fp, "%s,%s,%s,,%zu,%.7g,%.7g\n", m[k].path, row[q].name, row[q].unit,
                        row[q].s->n, row[q].scale * mlk_stat_rmse(row[q].s),
                        row[q].scale * mlk_stat_mae(row[q].s));
        for (int z = 1; z <= MLK_ELEMENT_MAX; z++)
            if (er->species[z].n)
                fprintf(o.fp, "%s,force,meV/A,%s,%zu,%.7g,%.7g\n", m[k].path, mlk_element_symbol(z),
                        er->species[z].n, 1e3 * mlk_stat_rmse(&er->species[z]),
                        1e3 * mlk_stat_mae(&er->species[z]));
    }
    return mlk_out_commit(&o, e);
}

/* parity data: of one model into the folder, of several into folders named after the models */
static mlk_status write_parity(const cfg *c, const mlk_dataset *ds, const mlk_validated *m,
                               size_t k, size_t nm, mlk_err *e)
{
    char dir[1100], name[256];
    size_t same = 1;
    if (!*c->out || !c->parity) return MLK_OK;
    snprintf(name, sizeof name, "%.200s", mlk_path_base(m[k].path));
    for (size_t q = 0; q < k; q++) same += !strcmp(mlk_path_base(m[q].path), name);
    if (same > 1) snprintf(name + strlen(name), sizeof name - strlen(name), "-%zu", same);
    snprintf(dir, sizeof dir, "%s", c->out);
    if (nm > 1) mlk_path_join(dir, sizeof dir, c->out, name);
    MLK_TRY(mlk_mkdir_p(dir, e));
    return mlk_write_parity(dir, ds, m[k].p, e);
}

/* Data and models of the command line, in any order. */
static mlk_status read_words(const cfg *c, int n_words, char **words, mlk_dataset *ds,
                             mlk_validated *m, size_t *nm, mlk_err *e)
{
    for (int k = 0; k < n_words; k++) {
        /* "m/nep-1/" is m/nep-1: its name is used */
        for (size_t n = strlen(words[k]); n > 1 && words[k][n - 1] == '/'; n--) words[k][n - 1] = 0;
        if (!is_model(words[k])) {
            MLK_TRY(mlk_dataset_read(ds, words[k], e));
            continue;
        }
        m[*nm].path = words[k];
        MLK_TRY(mlk_potential_read(&m[*nm].pot, words[k], e));
        mlk_validate_record(&m[(*nm)++], c->energy);
    }
    if (*nm && ds->n) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, *nm ? "no data given" : "no model given");
    return mlk_err_hint(e, "mlkit validate MODEL... DATA..., for example: mlkit validate "
                           "mlkit-train/nep-1 test.xyz");
}

static mlk_status no_frame(const cfg *c, int split, mlk_err *e)
{
    MLK_FAIL(e, MLK_EINVAL, "the data hold no frame of the split asked for");
    if (split == MLK_SPLIT_UNKNOWN)
        return mlk_err_hint(e, "they have no split, and are not those the models were trained on; "
                               "mlkit dataset split makes one");
    return mlk_err_hint(e, c->which == MLK_SPLIT_TEST + 1
                               ? "mlkit dataset split --test FRACTION makes a test part before "
                                 "training"
                               : "every frame is in another part");
}

static mlk_status predict(const cfg *c, mlk_dataset *ds, const mlk_energies *en, mlk_validated *m,
                          size_t k, size_t nm, mlk_err *e)
{
    mlk_status s = mlk_predict(m[k].pot, ds, &m[k].p, e);
    if (s) {
        mlk_err_prefix(e, "%s: ", m[k].path);
        return s;
    }
    size_t without = mlk_energies_use(ds, en, m[k].energy);
    if (without)
        mlk_log(MLK_LOG_WARN,
                "%s: %zu frames have no energy for sigma -> 0, which it was trained on; their "
                "energies are not compared (--energy free compares with the others)",
                m[k].path, without);
    mlk_errors_add(ds, m[k].p, c->which - 1, &m[k].er);
    return write_parity(c, ds, m, k, nm, e);
}

/* The object of --json, to path ("-": stdout). */
static mlk_status write_json(const mlk_validated *m, size_t nm, json_t *committees,
                             const char *path, mlk_err *e)
{
    json_t *j = nm == 1 ? model_json(&m[0]) : json_object(), *list = json_array();
    for (size_t k = 0; k < nm; k++) json_array_append_new(list, model_json(&m[k]));
    json_object_set_new(j, "models", list);
    if (json_array_size(committees)) json_object_set(j, "committees", committees);
    mlk_status s = mlk_json_write(j, path, e);
    json_decref(j);
    return s;
}

static mlk_status run(const cfg *c, int n_words, char **words, mlk_err *e)
{
    mlk_dataset ds = {0};
    mlk_energies en = {0};
    size_t nm = 0;
    int split = MLK_SPLIT_UNKNOWN;
    mlk_status s = MLK_OK;
    json_t *committees = json_array();
    mlk_validated *m = mlk_alloc((size_t)n_words + 1, sizeof *m);
    if (!m) MLK_GO(MLK_FAIL(e, MLK_ENOMEM, "models"));
    MLK_GO(read_words(c, n_words, words, &ds, m, &nm, e));
    mlk_dataset_warn_energy_kinds(&ds);
    MLK_GO(mlk_energies_keep(&ds, &en, e));
    MLK_GO(mlk_validate_split(&ds, &en, m, nm, &split, e));
    for (size_t k = 0; k < nm; k++) {
        MLK_GO(predict(c, &ds, &en, m, k, nm, e));
        if (!m[k].er.n_frames) MLK_GO(no_frame(c, split, e));
    }
    if (*c->out) MLK_GO(write_errors(c->out, m, nm, e));
    if (!c->common.json) {
        mlk_log(MLK_LOG_INFO, "%zu frame%s", m[0].er.n_frames, m[0].er.n_frames == 1 ? "" : "s");
        table(m, nm, &ds);
    }
    if (c->committee)
        MLK_GO(mlk_validate_committees(&ds, &en, m, nm, split, c->which - 1, c->out,
                                       !c->common.json, committees, e));
    if (*c->out) {
        char path[1100];
        mlk_path_join(path, sizeof path, c->out, "errors.json");
        MLK_GO(write_json(m, nm, committees, path, e));
    }
    if (c->common.json) s = write_json(m, nm, committees, "-", e);
done:
    json_decref(committees);
    for (size_t k = 0; k < nm; k++) mlk_predict_free(m[k].p, ds.n), mlk_potential_destroy(m[k].pot);
    mlk_free(m);
    mlk_energies_free(&en);
    mlk_dataset_free(&ds);
    return s;
}

mlk_status mlk_cmd_validate(int argc, char **argv, mlk_err *e)
{
    cfg c;
    int n;
    char **words;
    bool done;
    MLK_TRY(mlk_cmd_begin(
        opts, &c, argc, argv, NULL, "mlkit validate MODEL... DATA... [options]",
        "Errors of models on data: root mean square and mean absolute, per quantity and per\n"
        "species. MODEL: a model folder or a community file; DATA: anything 'mlkit dataset info'\n"
        "reads. Energies are compared as they are, without any shift. Several models of one kind\n"
        "(seeds) are judged as a committee too: error of their mean, and prediction intervals "
        "from\n"
        "their spread, calibrated on one half of the held-out groups and judged on the other.",
        "mlkit validate mlkit-train/nep-1 mlkit-train/nep-2 test.xyz -o validated", &n, &words,
        &done, e));
    return done ? MLK_OK : run(&c, n, words, e);
}
