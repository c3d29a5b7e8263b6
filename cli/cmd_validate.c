/* cmd_validate.c - mlkit validate: errors of models on data, with the definitions of
 * train/errors.c. */
#include <math.h>
#include <string.h>

#include "cli/cmd.h"
#include "core/file.h"
#include "core/log.h"
#include "parsers/parser.h"
#include "train/output.h"
#include "train/train.h"

typedef struct cfg {
    mlk_common common;
    char split[MLK_OPT_STR_MAX], parity[MLK_OPT_STR_MAX];
    int which;
} cfg;

static const mlk_opt opts[] = {{"split", MLK_OPT_CHOICE, offsetof(cfg, which), "all", 0, 0,
                                "all|train|valid|test", "only these frames of an mlkit store"},
                               {"parity", MLK_OPT_STR, offsetof(cfg, parity), "", 0, 0, "",
                                "write parity_*.csv into this folder (one model)"},
                               MLK_COMMON_OPTS(cfg),
                               {0}};

typedef struct model {
    const char *path;
    mlk_potential *pot;
    mlk_fit_errors er;
} model;

/* A model folder holds model.yaml; of a file, its content decides: what a parser or the store knows
 * is data, the rest must be a potential. */
static bool is_model(const char *path)
{
    char yaml[1024];
    size_t n = strlen(path);
    if (mlk_file_is_dir(path))
        return mlk_file_exists(mlk_path_join(yaml, sizeof yaml, path, "model.yaml"));
    if (n > 5 && !strcmp(path + n - 5, ".yaml")) return true;
    if (n > 3 && !strcmp(path + n - 3, ".h5")) return false;
    if (!mlk_file_exists(path)) return false;
    mlk_potential *pot = NULL;
    mlk_err quiet = {0};
    if (mlk_potential_read(&pot, path, &quiet) == MLK_OK) {
        mlk_potential_destroy(pot);
        return true;
    }
    return !mlk_parser_sniff(path, NULL); /* neither: the message of a broken model says more */
}

static void table(const model *m, size_t n, const mlk_dataset *ds)
{
    printf("%-24s %9s %9s %9s %9s %9s %9s\n%-24s %9s %9s %9s %9s %9s %9s\n", "", "energy", "energy",
           "force", "force", "stress", "stress", "", "RMSE", "MAE", "RMSE", "MAE", "RMSE", "MAE");
    printf("%-24s %19s %19s %19s\n", "model", "meV/atom", "meV/A", "GPa");
    for (size_t k = 0; k < n; k++) {
        const mlk_fit_errors *e = &m[k].er;
        printf("%-24s %9.2f %9.2f %9.1f %9.1f %9.3f %9.3f\n", m[k].path,
               1e3 * mlk_stat_rmse(&e->energy), 1e3 * mlk_stat_mae(&e->energy),
               1e3 * mlk_stat_rmse(&e->force), 1e3 * mlk_stat_mae(&e->force),
               mlk_stat_rmse(&e->stress), mlk_stat_mae(&e->stress));
    }
    printf("\n%-24s", "force RMSE, meV/A");
    for (size_t t = 0; t < ds->n_species; t++) printf(" %9s", mlk_element_symbol(ds->z[t]));
    printf("\n");
    for (size_t k = 0; k < n; k++) {
        printf("%-24s", m[k].path);
        for (size_t t = 0; t < ds->n_species; t++)
            printf(" %9.1f", 1e3 * mlk_stat_rmse(&m[k].er.species[ds->z[t]]));
        printf("\n");
    }
}

static json_t *model_json(const model *m)
{
    json_t *j = mlk_errors_json(&m->er);
    json_object_set_new(j, "model", json_string(m->path));
    json_object_set_new(j, "type", json_string(m->pot->type->name));
    json_object_set_new(j, "n_frames", json_integer((json_int_t)m->er.n_frames));
    json_object_set_new(j, "force_rmse_by_species", mlk_errors_species_json(&m->er));
    return j;
}

static mlk_status run(const cfg *c, int n_words, char **words, mlk_err *e)
{
    mlk_dataset ds = {0};
    size_t nm = 0;
    mlk_status s = MLK_OK;
    model *m = mlk_alloc((size_t)n_words + 1, sizeof *m);
    if (!m) return MLK_FAIL(e, MLK_ENOMEM, "models");
    for (int k = 0; k < n_words; k++) {
        if (!is_model(words[k])) {
            MLK_GO(mlk_dataset_read(&ds, words[k], e));
            continue;
        }
        m[nm].path = words[k];
        MLK_GO(mlk_potential_read(&m[nm].pot, words[k], e));
        nm++;
    }
    if (!nm || !ds.n) {
        s = MLK_FAIL(e, MLK_EINVAL, nm ? "no data given" : "no model given");
        mlk_err_hint(e, "mlkit validate MODEL... DATA..., for example: mlkit validate "
                        "mlkit-train/nep-1 test.xyz");
        goto done;
    }
    if (c->parity[0] && nm > 1) {
        s = MLK_FAIL(e, MLK_EINVAL, "--parity is for one model");
        goto done;
    }
    for (size_t k = 0; k < nm; k++) {
        mlk_prediction *p;
        s = mlk_predict(m[k].pot, &ds, &p, e);
        if (s) {
            mlk_err_prefix(e, "%s: ", m[k].path);
            goto done;
        }
        mlk_errors_add(&ds, p, c->which - 1, &m[k].er);
        if (c->parity[0]) s = mlk_mkdir_p(c->parity, e);
        if (!s && c->parity[0]) s = mlk_write_parity(c->parity, &ds, p, e);
        mlk_predict_free(p, ds.n);
        if (s) goto done;
        if (!m[k].er.n_frames) {
            s = MLK_FAIL(e, MLK_EINVAL, "the data hold no frame of the split asked for");
            goto done;
        }
    }
    if (!c->common.json) {
        mlk_log(MLK_LOG_INFO, "%zu frames", m[0].er.n_frames);
        table(m, nm, &ds);
        goto done;
    }
    json_t *j = nm == 1 ? model_json(&m[0]) : json_object();
    json_t *list = json_array();
    for (size_t k = 0; k < nm; k++) json_array_append_new(list, model_json(&m[k]));
    json_object_set_new(j, "models", list);
    s = mlk_json_write(j, "-", e);
    json_decref(j);
done:
    for (size_t k = 0; k < nm; k++) mlk_potential_destroy(m[k].pot);
    mlk_free(m);
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
        "reads. Energies are compared as they are, without any shift.",
        "mlkit validate mlkit-train/nep-1 mlkit-train/snap-1 test.xyz", &n, &words, &done, e));
    return done ? MLK_OK : run(&c, n, words, e);
}
