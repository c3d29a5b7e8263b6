/* start.c - fits that begin with an existing model: fine-tuning and restart.
 *
 * Everything but the parameters stays as the file has it: species, hyper-parameters, cutoffs,
 * descriptor scaler, repulsive core. Parameters of species that the data lack stay too. Energies of
 * model and data may have different zeros (another code, another pseudopotential): least squares of
 * label minus model energy on the compositions goes to the reference energies e0, so that the fit
 * need not undo it with the parameters. */
#include <math.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "train/train.h"

/* ---- settings ------------------------------------------------------------------------------ */

mlk_status mlk_train_config_from(mlk_train_config *c, const char *path, mlk_err *e)
{
    mlk_potential *pot;
    bool any = false;
    MLK_TRY(mlk_potential_read(&pot, path, e));
    const mlk_potential_type *type = pot->type;
    mlk_potential_destroy(pot);
    if (strlen(path) >= sizeof c->model->from)
        return MLK_FAIL(e, MLK_EINVAL, "--from: the path is too long");
    if (!c->n_model) MLK_TRY(mlk_train_config_models(c, type->name, e));
    for (size_t k = 0; k < c->n_model; k++)
        if (c->model[k].type == type) {
            snprintf(c->model[k].from, sizeof c->model[k].from, "%s", path);
            c->model[k].sha256[0] = 0;
            any = true;
        }
    if (any) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "%s is a %s model, but no model of that type is asked for", path,
             type->name);
    return mlk_err_hint(e, "add --model %s", type->name);
}

/* digest of the community file, and of model.yaml where e0 and the core stand */
static mlk_status digest(const mlk_train_model *m, const mlk_potential *pot, char text[132],
                         mlk_err *e)
{
    char hex[2][65], yaml[1024];
    bool bare = !strcmp(pot->path, m->from);
    snprintf(yaml, sizeof yaml, "%s", m->from);
    if (mlk_file_is_dir(m->from)) mlk_path_join(yaml, sizeof yaml, m->from, "model.yaml");
    MLK_TRY(mlk_file_sha256(pot->path, hex[0], e));
    if (!bare) MLK_TRY(mlk_file_sha256(yaml, hex[1], e));
    snprintf(text, 132, "%s%s%s", hex[0], bare ? "" : ",", bare ? "" : hex[1]);
    return MLK_OK;
}

static mlk_status same_hyper(const mlk_train_model *m, const mlk_potential *pot, mlk_err *e)
{
    char mine[MLK_OPT_STR_MAX], its[MLK_OPT_STR_MAX];
    for (const mlk_opt *o = m->type->hyper; o->key; o++) {
        if (!(m->given >> (o - m->type->hyper) & 1)) continue;
        mlk_opt_print(o, m->hyper, mine, sizeof mine);
        mlk_opt_print(o, pot->hyper, its, sizeof its);
        if (!strcmp(mine, its)) continue;
        MLK_FAIL(e, MLK_EINVAL, "%s.%s is %s, but the start model %s has %s", m->type->name, o->key,
                 mine, m->from, its);
        return mlk_err_hint(e, "leave %s.%s out: it comes from the file", m->type->name, o->key);
    }
    if (!strcmp(m->zbl, "auto")) return MLK_OK;
    snprintf(its, sizeof its, "off");
    if (pot->zbl.on) snprintf(its, sizeof its, "%.10g,%.10g", pot->zbl.inner, pot->zbl.outer);
    if (pot->zbl.on && pot->zbl.typewise)
        snprintf(its + strlen(its), 32, ",%.10g", pot->zbl.typewise_factor);
    if (!strcmp(m->zbl, its)) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "%s.zbl is %s, but the start model %s has %s", m->type->name, m->zbl,
             m->from, its);
    return mlk_err_hint(e, "leave %s.zbl out: the core comes from the file", m->type->name);
}

static mlk_status start_one(mlk_train_model *m, mlk_err *e)
{
    if (m->type->caps & MLK_CAP_LINEAR) {
        MLK_FAIL(e, MLK_EUNSUPPORTED,
                 "%s: a linear model is solved at once, a start makes no "
                 "difference to it",
                 m->type->name);
        return mlk_err_hint(e, "leave the start model (--from, from:) out for %s", m->type->name);
    }
    mlk_potential *pot;
    char sum[132];
    MLK_TRY(mlk_potential_read(&pot, m->from, e));
    mlk_status s = MLK_OK;
    if (pot->type != m->type) {
        s = MLK_FAIL(e, MLK_EINVAL, "%s is a %s model, expected %s", m->from, pot->type->name,
                     m->type->name);
        goto done;
    }
    MLK_GO(digest(m, pot, sum, e));
    if (m->sha256[0] && strcmp(m->sha256, sum)) {
        s = MLK_FAIL(e, MLK_EINVAL,
                     "start model %s is not the one of the settings: its SHA-256 is "
                     "%.12s..., not %.12s...",
                     m->from, sum, m->sha256);
        mlk_err_hint(e, "restore the file, or leave sha256 out to start from the present one");
        goto done;
    }
    MLK_GO(same_hyper(m, pot, e));
    memcpy(m->hyper, pot->hyper, m->type->hyper_size);
    snprintf(m->sha256, sizeof m->sha256, "%s", sum);
done:
    mlk_potential_destroy(pot);
    return s;
}

mlk_status mlk_train_config_start(mlk_train_config *c, mlk_err *e)
{
    for (size_t k = 0; k < c->n_model; k++)
        if (c->model[k].from[0]) MLK_TRY(start_one(&c->model[k], e));
    return MLK_OK;
}

/* ---- the model ----------------------------------------------------------------------------- */

static size_t data_has(const mlk_dataset *ds, int z)
{
    for (size_t t = 0; t < ds->n_species; t++)
        if (ds->z[t] == z) return 1;
    return 0;
}

static mlk_status check_species(const mlk_potential *pot, const mlk_train_model *m,
                                const mlk_dataset *ds, mlk_err *e)
{
    char absent[768] = "";
    for (size_t k = 0; k < ds->n_species; k++) {
        size_t t = 0;
        while (t < pot->n_species && pot->z[t] != ds->z[k]) t++;
        if (t < pot->n_species) continue;
        MLK_FAIL(e, MLK_EINVAL, "the data hold %s, which the start model %s lacks",
                 mlk_element_symbol(ds->z[k]), m->from);
        return mlk_err_hint(e, "fine-tune on frames of its species, or train a new model");
    }
    for (size_t t = 0; t < pot->n_species; t++)
        if (!data_has(ds, pot->z[t]))
            snprintf(absent + strlen(absent), sizeof absent - strlen(absent), " %s",
                     mlk_element_symbol(pot->z[t]));
    if (absent[0]) mlk_log(MLK_LOG_INFO, "not in the data, parameters stay as they are:%s", absent);
    return MLK_OK;
}

mlk_status mlk_start_keep(const mlk_potential *pot, const mlk_dataset *ds, bool *keep, mlk_err *e)
{
    size_t n = pot->n_param;
    memset(keep, 0, n * sizeof *keep);
    if (!pot->type->param_species) return MLK_OK;
    int(*of)[2] = mlk_alloc(n, sizeof *of);
    if (!of) return MLK_FAIL(e, MLK_ENOMEM, "%zu parameters", n);
    pot->type->param_species(pot, of);
    for (size_t m = 0; m < n; m++)
        for (int k = 0; k < 2; k++)
            if (of[m][k] >= 0 && !data_has(ds, pot->z[of[m][k]])) keep[m] = true;
    mlk_free(of);
    return MLK_OK;
}

static void log_errors(const char *what, const mlk_dataset *ds, const mlk_prediction *p)
{
    static const char *const part[2] = {"train", "valid"};
    for (int split = MLK_SPLIT_TRAIN; split <= MLK_SPLIT_VALID; split++) {
        mlk_fit_errors er = {0};
        char stress[40] = "";
        mlk_errors_add(ds, p, split, &er);
        if (!er.n_frames) continue;
        if (er.stress.n)
            snprintf(stress, sizeof stress, "  stress %.3f GPa", mlk_stat_rmse(&er.stress));
        mlk_log(MLK_LOG_INFO, "%s, %s: E %.2f meV/atom  F %.1f meV/A%s", what, part[split],
                1e3 * mlk_stat_rmse(&er.energy), 1e3 * mlk_stat_rmse(&er.force), stress);
    }
}

/* Least squares of label minus prediction, added to e0 and to the predictions. */
static mlk_status shift_e0(mlk_potential *pot, const mlk_train_config *c, const mlk_dataset *ds,
                           mlk_prediction *p, mlk_err *e)
{
    char note[512], line[512] = "";
    bool fit = !strcmp(c->e0, "least-squares");
    mlk_potential q = {.n_species = ds->n_species}; /* only what mlk_fit_e0 looks at */
    mlk_dataset rest = *ds;
    if (!strcmp(c->e0, "none")) {
        mlk_log(MLK_LOG_INFO, "reference energies: as the start model has them");
        return MLK_OK;
    }
    memcpy(q.z, ds->z, ds->n_species * sizeof *q.z);
    rest.frame = mlk_alloc(ds->n ? ds->n : 1, sizeof *rest.frame);
    if (!rest.frame) return MLK_FAIL(e, MLK_ENOMEM, "%zu frames", ds->n);
    for (size_t k = 0; k < ds->n; k++) {
        rest.frame[k] = ds->frame[k]; /* borrows its arrays */
        rest.frame[k].energy -= p[k].energy;
    }
    mlk_status s = mlk_fit_e0(&q, &rest, c->e0, note, sizeof note, e);
    mlk_free(rest.frame);
    if (s) return s;
    double old[MLK_SPECIES_MAX], shift[MLK_ELEMENT_MAX + 1] = {0};
    memcpy(old, pot->e0, sizeof old);
    for (size_t t = 0; t < pot->n_species; t++)
        for (size_t k = 0; k < q.n_species; k++)
            if (pot->z[t] == q.z[k]) {
                pot->e0[t] = (fit ? old[t] : 0) + q.e0[k];
                shift[q.z[k]] = pot->e0[t] - old[t];
                snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s %+.4f",
                         *line ? ", " : "", mlk_element_symbol(q.z[k]), shift[q.z[k]]);
            }
    mlk_log(MLK_LOG_INFO, "reference energies of the start model changed by %s eV (%s)", line,
            fit ? "least squares of label minus model energy" : "as given");
    for (size_t k = 0; k < ds->n; k++)
        for (size_t i = 0; i < ds->frame[k].n; i++) p[k].energy += shift[ds->frame[k].z[i]];
    return MLK_OK;
}

/* the shorter of what the file knew and what the data show */
static mlk_status merge_dmin(mlk_potential *pot, const mlk_dataset *ds, mlk_err *e)
{
    double *old = pot->dmin;
    pot->dmin = NULL;
    mlk_status s = mlk_fit_dmin(pot, ds, e);
    for (size_t k = 0; !s && old && k < pot->n_species * pot->n_species; k++)
        if (old[k] > 0 && (pot->dmin[k] == 0 || old[k] < pot->dmin[k])) pot->dmin[k] = old[k];
    mlk_free(old);
    return s;
}

mlk_status mlk_start_potential(const mlk_train_config *c, const mlk_train_model *m,
                               const mlk_dataset *ds, mlk_potential **pot, mlk_err *e)
{
    mlk_prediction *p = NULL;
    MLK_TRY(mlk_potential_read(pot, m->from, e));
    mlk_log(MLK_LOG_INFO, "start model: %s, SHA-256 %.12s..., %zu species", m->from, m->sha256,
            (*pot)->n_species);
    MLK_TRY(check_species(*pot, m, ds, e));
    mlk_status s = MLK_OK;
    MLK_GO(mlk_predict(*pot, ds, &p, e));
    log_errors("start model as it is", ds, p);
    MLK_GO(shift_e0(*pot, c, ds, p, e));
    log_errors("start model", ds, p);
    if (c->optimizer.method == MLK_TRAIN_GRADIENT)
        mlk_log(MLK_LOG_INFO,
                "fine-tuning: learning rate %.3g, warm-up %.3g of the run, weight decay %.3g, "
                "energies begin with %.3g of their weight",
                c->optimizer.lr, c->optimizer.warmup, c->optimizer.weight_decay, c->loss.ramp);
    s = merge_dmin(*pot, ds, e);
done:
    mlk_predict_free(p, ds->n);
    return s;
}

mlk_status mlk_start_guard(mlk_potential *pot, const double *param, const double *e0,
                           const mlk_dataset *ds, mlk_err *e)
{
    mlk_fit_errors er[2];
    size_t n = pot->n_param;
    double *fitted = mlk_alloc(n, sizeof *fitted), fitted_e0[MLK_SPECIES_MAX];
    if (!fitted) return MLK_FAIL(e, MLK_ENOMEM, "%zu parameters", n);
    memcpy(fitted, pot->param, n * sizeof *fitted);
    memset(er, 0, sizeof er);
    memcpy(fitted_e0, pot->e0, sizeof fitted_e0);
    mlk_status s = MLK_OK;
    for (int k = 0; k < 2 && !s; k++) { /* the fit, then its start */
        mlk_prediction *p = NULL;
        if (k) memcpy(pot->param, param, n * sizeof *param), memcpy(pot->e0, e0, sizeof fitted_e0);
        if (k && pot->type->update) MLK_GO(pot->type->update(pot, e));
        MLK_GO(mlk_predict(pot, ds, &p, e));
        mlk_errors_add(ds, p, MLK_SPLIT_VALID, &er[k]);
        if (!er[k].n_frames) mlk_errors_add(ds, p, MLK_SPLIT_TRAIN, &er[k]);
        mlk_predict_free(p, ds->n);
    }
    /* a quantity without labels has no say */
    const double de = mlk_stat_rmse(&er[0].energy) - mlk_stat_rmse(&er[1].energy),
                 df = mlk_stat_rmse(&er[0].force) - mlk_stat_rmse(&er[1].force);
    if ((de > 0 || df > 0) && !(de <= 0) && !(df <= 0)) {
        char by[96] = "";
        if (!isnan(de)) snprintf(by, sizeof by, "%.2f meV/atom%s", 1e3 * de, isnan(df) ? "" : ", ");
        if (!isnan(df)) snprintf(by + strlen(by), sizeof by - strlen(by), "%.1f meV/A", 1e3 * df);
        mlk_log(MLK_LOG_WARN,
                "errors are worse than those of the start model (by %s): its parameters are kept; "
                "try a longer run or a smaller optimizer.lr",
                by);
        goto done; /* the start is in pot */
    }
    memcpy(pot->param, fitted, n * sizeof *fitted);
    memcpy(pot->e0, fitted_e0, sizeof fitted_e0);
    if (pot->type->update) s = pot->type->update(pot, e);
done:
    mlk_free(fitted);
    return s;
}
