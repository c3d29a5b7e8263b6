/* config.c - everything a user may set about training: tables, YAML, --set, the resolved file. */
#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "core/conf.h"
#include "core/file.h"
#include "train/train.h"

static const mlk_opt data_opts[] = {
    {"valid-fraction", MLK_OPT_REAL, offsetof(mlk_train_data, valid_fraction), "0.15", 0, 0.9, "",
     "share of frames kept for validation, in whole trajectory groups"},
    {"split-seed", MLK_OPT_INT, offsetof(mlk_train_data, split_seed), "1", 0, 2147483647, "",
     "seed of the split, apart from the seed of the models"},
    {"energy", MLK_OPT_CHOICE, offsetof(mlk_train_data, energy), "free", 0, 0, "free|sigma0",
     "which DFT energy: free is consistent with the forces"},
    {0}};

static const mlk_opt loss_opts[] = {
    {"energy", MLK_OPT_REAL, offsetof(mlk_train_loss, energy), "auto", 0, 1e6, "",
     "weight of energies; auto: 0.1 by gradients (then by what validation gains), 0.3 by least "
     "squares"},
    {"force", MLK_OPT_REAL, offsetof(mlk_train_loss, force), "1.0", 0, 1e6, "", "weight of forces"},
    {"virial", MLK_OPT_REAL, offsetof(mlk_train_loss, virial), "auto", 0, 1e6, "",
     "weight of virials; auto: 0.02 by gradients, 0.1 by least squares"},
    {"huber", MLK_OPT_REAL, offsetof(mlk_train_loss, huber), "1.0", 0, 1e6, "spreads",
     "force errors beyond this count linearly; 0: never"},
    {"ramp", MLK_OPT_REAL, offsetof(mlk_train_loss, ramp), "auto", 1e-6, 1, "",
     "energy weight at the start, as a fraction"},
    {0}};

static const mlk_opt stop_opts[] = {
    {"epochs", MLK_OPT_INT, offsetof(mlk_train_stop, epochs), "0", 0, 10000000, "",
     "passes over the training frames; 0: from visits or budget"},
    {"visits", MLK_OPT_REAL, offsetof(mlk_train_stop, visits), "auto", 1e-6, 1e9, "million atoms",
     "atoms seen in all passes together; the least of epochs, visits and budget counts; auto, with "
     "neither of these: 6, times the root of the training atoms over 10 000"},
    {"budget", MLK_OPT_WALL, offsetof(mlk_train_stop, budget), "0", 0, 1e9, "",
     "wall time; epochs are fixed from the measured speed"},
    {"patience", MLK_OPT_INT, offsetof(mlk_train_stop, patience), "0", 0, 10000000, "",
     "stop after so many epochs without a better validation loss; 0: off"},
    {0}};

static const mlk_opt optim_opts[] = {
    {"method", MLK_OPT_CHOICE, offsetof(mlk_train_optim, method), "gradient", 0, 0, "gradient|snes",
     "exact gradients, or natural evolution as in GPUMD (slow: to compare)"},
    {"batch", MLK_OPT_INT, offsetof(mlk_train_optim, batch), "0", 0, 100000, "frames",
     "frames per step; 0: about 100 atoms"},
    {"lr", MLK_OPT_REAL, offsetof(mlk_train_optim, lr), "auto", 1e-9, 10, "",
     "highest learning rate; auto: 0.02, from a start model 0.002"},
    {"lr-min", MLK_OPT_REAL, offsetof(mlk_train_optim, lr_min), "1e-5", 0, 10, "",
     "final learning rate"},
    {"warmup", MLK_OPT_REAL, offsetof(mlk_train_optim, warmup), "auto", 0, 0.9, "",
     "share of the run with a rising learning rate; auto: 0.03, from a start model 0.05"},
    {"weight-decay", MLK_OPT_REAL, offsetof(mlk_train_optim, weight_decay), "auto", 0, 10, "",
     "shrinking of parameters per unit of learning rate; auto: 0.01, from a start model 0"},
    {"clip", MLK_OPT_REAL, offsetof(mlk_train_optim, clip), "3", 0, 1e9, "",
     "gradients above this times their usual norm are cut; 0: off"},
    {"average", MLK_OPT_REAL, offsetof(mlk_train_optim, average), "0.998", 0, 0.999999, "",
     "decay of the running average of the parameters; 0: off"},
    {"polish", MLK_OPT_REAL, offsetof(mlk_train_optim, polish), "0.65", 0, 0.95, "",
     "share of the run for Gauss-Newton steps on all frames at its end; 0: none"},
    {0}};

static const mlk_opt snes_opts[] = {
    {"population", MLK_OPT_INT, offsetof(mlk_train_evolve, population), "50", 4, 10000, "",
     "parameter sets tried per generation"},
    {"generations", MLK_OPT_INT, offsetof(mlk_train_evolve, generations), "10000", 1, 100000000, "",
     "how many; fewer when stop.budget does not allow them"},
    {"batch", MLK_OPT_INT, offsetof(mlk_train_evolve, batch), "0", 0, 1000000, "frames",
     "frames per generation; 0: all"},
    {"lambda-e", MLK_OPT_REAL, offsetof(mlk_train_evolve, lambda_e), "1", 0, 1e6, "",
     "weight of the energy RMSE in eV/atom"},
    {"lambda-f", MLK_OPT_REAL, offsetof(mlk_train_evolve, lambda_f), "1", 0, 1e6, "",
     "weight of the force RMSE in eV/A"},
    {"lambda-v", MLK_OPT_REAL, offsetof(mlk_train_evolve, lambda_v), "auto", 0, 1e6, "",
     "weight of the virial RMSE in eV/atom; auto: 0.1 if there are virials"},
    {"lambda-1", MLK_OPT_REAL, offsetof(mlk_train_evolve, lambda_1), "auto", 0, 1e6, "",
     "weight of the mean |parameter|; auto: 0.001 sqrt(parameters per species)"},
    {"lambda-2", MLK_OPT_REAL, offsetof(mlk_train_evolve, lambda_2), "auto", 0, 1e6, "",
     "weight of the root mean square parameter; auto: the same"},
    {"sigma", MLK_OPT_REAL, offsetof(mlk_train_evolve, sigma), "auto", 1e-9, 10, "",
     "first width of the search; auto: 0.1, from a start model 0.01"},
    {0}};

typedef struct model_fields {
    char name[MLK_OPT_STR_MAX], zbl[MLK_OPT_STR_MAX], species[MLK_OPT_STR_MAX],
        from[MLK_OPT_STR_MAX], sha256[MLK_OPT_STR_MAX];
    int seed;
    double ridge;
} model_fields;

static const mlk_opt model_opts[] = {
    {"name", MLK_OPT_STR, offsetof(model_fields, name), "", 0, 0, "", "folder of the model"},
    {"seed", MLK_OPT_INT, offsetof(model_fields, seed), "-1", -1, 2147483647, "",
     "seed; -1: of the run"},
    {"zbl", MLK_OPT_STR, offsetof(model_fields, zbl), "auto", 0, 0, "",
     "repulsive core: auto, off or inner,outer [A]"},
    {"ridge", MLK_OPT_REAL, offsetof(model_fields, ridge), "auto", 0, 1e12, "",
     "of linear models; auto: best on validation"},
    {"species", MLK_OPT_STR, offsetof(model_fields, species), "", 0, 0, "",
     "in this order; empty: those of the data"},
    {"from", MLK_OPT_STR, offsetof(model_fields, from), "", 0, 0, "",
     "model to start from: file or folder"},
    {"sha256", MLK_OPT_STR, offsetof(model_fields, sha256), "", 0, 0, "",
     "checksum that the start model must have"},
    {0}};

static const struct section {
    const char *name;
    const mlk_opt *opts;
    size_t offset;
} sections[] = {{"data", data_opts, offsetof(mlk_train_config, data)},
                {"loss", loss_opts, offsetof(mlk_train_config, loss)},
                {"stop", stop_opts, offsetof(mlk_train_config, stop)},
                {"optimizer", optim_opts, offsetof(mlk_train_config, optimizer)},
                {"snes", snes_opts, offsetof(mlk_train_config, snes)}};
enum { N_SECTION = sizeof sections / sizeof *sections };

static mlk_status set_e0(mlk_train_config *c, const char *value, mlk_err *e)
{
    if (strlen(value) >= sizeof c->e0) return MLK_FAIL(e, MLK_EINVAL, "e0 is too long");
    if (strcmp(value, "least-squares") && strcmp(value, "none") && !strchr(value, '=')) {
        MLK_FAIL(e, MLK_EINVAL, "e0: '%s' is not known", value);
        mlk_err_hint(e, "e0 is least-squares, none, or {Li: -0.3, S: -1.1}");
        return MLK_EINVAL;
    }
    snprintf(c->e0, sizeof c->e0, "%s", value);
    return MLK_OK;
}

/* Measured on Li3PS4 (held-out groups): going from energy and virial weights of 1 and 0.1 to 0.1
 * and 0.01 took NEP's force error from 94 to 81 meV/A; the two were always changed together. */
mlk_train_loss mlk_train_weights(const mlk_train_loss *w, bool linear)
{
    mlk_train_loss q = *w;
    if (isnan(q.energy)) q.energy = linear ? 0.3 : 0.1;
    if (isnan(q.virial)) q.virial = linear ? 0.1 : 0.02;
    return q;
}

void mlk_train_resolve(mlk_train_config *c, bool start)
{
    mlk_train_optim *o = &c->optimizer;
    if (isnan(o->lr)) o->lr = start ? 0.002 : 0.02;
    if (isnan(o->warmup)) o->warmup = start ? 0.05 : 0.03;
    if (isnan(o->weight_decay)) o->weight_decay = start ? 0 : 0.01;
    if (isnan(c->loss.ramp)) c->loss.ramp = start ? 1 : 0.01;
}

mlk_status mlk_train_config_init(mlk_train_config *c, bool quick, mlk_err *e)
{
    memset(c, 0, sizeof *c);
    c->seed = 1;
    c->quick = quick;
    for (int k = 0; k < N_SECTION; k++)
        MLK_TRY(mlk_opt_defaults(sections[k].opts, (char *)c + sections[k].offset, e));
    return set_e0(c, "least-squares", e);
}

void mlk_train_config_free(mlk_train_config *c)
{
    mlk_train_config_no_data(c);
    for (size_t k = 0; k < c->n_model; k++) mlk_free(c->model[k].hyper);
    mlk_free(c->path), mlk_free(c->valid), mlk_free(c->model), mlk_free(c->group);
    memset(c, 0, sizeof *c);
}

void mlk_train_config_no_data(mlk_train_config *c)
{
    for (size_t k = 0; k < c->n_path; k++) mlk_free(c->path[k]);
    for (size_t k = 0; k < c->n_valid; k++) mlk_free(c->valid[k]);
    c->n_path = c->n_valid = 0;
}

mlk_status mlk_train_config_path(mlk_train_config *c, const char *path, mlk_err *e)
{
    MLK_TRY(MLK_GROW(c->path, c->cap_path, c->n_path + 1, e));
    c->path[c->n_path] = mlk_strdup(path);
    if (!c->path[c->n_path]) return MLK_FAIL(e, MLK_ENOMEM, "path");
    c->n_path++;
    return MLK_OK;
}

mlk_status mlk_train_config_valid(mlk_train_config *c, const char *path, mlk_err *e)
{
    MLK_TRY(MLK_GROW(c->valid, c->cap_valid, c->n_valid + 1, e));
    c->valid[c->n_valid] = mlk_strdup(path);
    if (!c->valid[c->n_valid]) return MLK_FAIL(e, MLK_ENOMEM, "path");
    c->n_valid++;
    return MLK_OK;
}

static mlk_status unknown_type(const char *name, mlk_err *e)
{
    char list[512] = "";
    for (const mlk_potential_type *const *t = mlk_potential_types; *t; t++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "",
                 (*t)->name);
    MLK_FAIL(e, MLK_EINVAL, "unknown model type '%s'", name);
    mlk_err_hint(e, "known: %s", list);
    return MLK_EINVAL;
}

static mlk_status new_model(mlk_train_config *c, const char *type, mlk_train_model **m, mlk_err *e)
{
    const mlk_potential_type *t = mlk_potential_find(type);
    if (!t) return unknown_type(type, e);
    if (!(t->caps & (MLK_CAP_VJP | MLK_CAP_LINEAR)))
        return MLK_FAIL(e, MLK_EUNSUPPORTED, "models of type %s cannot be trained", type);
    MLK_TRY(MLK_GROW(c->model, c->cap_model, c->n_model + 1, e));
    *m = &c->model[c->n_model];
    memset(*m, 0, sizeof **m);
    (*m)->type = t;
    (*m)->seed = -1;
    (*m)->ridge = NAN;
    snprintf((*m)->zbl, sizeof(*m)->zbl, "auto");
    (*m)->hyper = mlk_alloc(1, t->hyper_size);
    if (!(*m)->hyper) return MLK_FAIL(e, MLK_ENOMEM, "model");
    c->n_model++;
    MLK_TRY(mlk_opt_defaults(t->hyper, (*m)->hyper, e));
    return MLK_OK;
}

/* one key of a model: its own fields, or a hyper-parameter of its type */
static mlk_status set_model(mlk_train_model *m, const char *key, const char *value, mlk_err *e)
{
    const mlk_opt *o = mlk_opt_find(model_opts, key);
    if (!o) {
        MLK_TRY(mlk_opt_set(m->type->hyper, m->hyper, key, value, e));
        m->given |= (uint64_t)1 << (mlk_opt_find(m->type->hyper, key) - m->type->hyper);
        return MLK_OK;
    }
    model_fields f = {.seed = m->seed, .ridge = m->ridge};
    MLK_TRY(mlk_opt_set(model_opts, &f, key, value, e));
    m->seed = f.seed, m->ridge = f.ridge;
    const struct {
        const char *key;
        char *text;
        size_t cap;
    } texts[] = {{"name", m->name, sizeof m->name},
                 {"zbl", m->zbl, sizeof m->zbl},
                 {"species", m->species, sizeof m->species},
                 {"from", m->from, sizeof m->from},
                 {"sha256", m->sha256, sizeof m->sha256}};
    char *text = NULL;
    size_t cap = 0;
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
        if (!strcmp(o->key, texts[k].key)) text = texts[k].text, cap = texts[k].cap;
    if (!text) return MLK_OK;
    if (strlen(value) >= cap) return MLK_FAIL(e, MLK_EINVAL, "%s '%s' is too long", o->key, value);
    if (text == m->name && (strchr(value, '/') || value[0] == '.' || !*value))
        return MLK_FAIL(e, MLK_EINVAL, "name '%s' cannot be a folder name", value);
    snprintf(text, cap, "%s", value);
    return MLK_OK;
}

mlk_status mlk_train_config_models(mlk_train_config *c, const char *types, mlk_err *e)
{
    mlk_train_model *old = c->model;
    size_t n_old = c->n_model;
    c->model = NULL;
    c->n_model = c->cap_model = 0;
    mlk_status s = MLK_OK;
    char text[1024];
    snprintf(text, sizeof text, "%s", types);
    for (char *save = NULL, *w = strtok_r(text, ", ", &save); w && !s;
         w = strtok_r(NULL, ", ", &save)) {
        bool kept = false;
        for (size_t k = 0; k < n_old && !s; k++)
            if (old[k].type && !strcmp(old[k].type->name, w)) {
                s = MLK_GROW(c->model, c->cap_model, c->n_model + 1, e);
                if (!s) c->model[c->n_model++] = old[k];
                if (!s) old[k] = (mlk_train_model){0};
                kept = true;
            }
        mlk_train_model *m;
        if (!kept && !s) s = new_model(c, w, &m, e);
    }
    for (size_t k = 0; k < n_old; k++) mlk_free(old[k].hyper);
    mlk_free(old);
    if (!s && !c->n_model) s = MLK_FAIL(e, MLK_EINVAL, "no model asked for");
    return s;
}

mlk_status mlk_train_config_set(mlk_train_config *c, const char *key, const char *value, mlk_err *e)
{
    char section[64];
    const char *dot = strchr(key, '.');
    if (!dot) {
        if (!strcmp(key, "e0")) return set_e0(c, value, e);
        MLK_FAIL(e, MLK_EINVAL, "setting '%s' has no section", key);
        mlk_err_hint(
            e, "write it like loss.force=1, stop.epochs=500, optimizer.lr=0.003 or nep.neuron=30");
        return MLK_EINVAL;
    }
    snprintf(section, sizeof section, "%.*s", (int)(dot - key), key);
    for (int k = 0; k < N_SECTION; k++)
        if (!strcmp(sections[k].name, section))
            return mlk_opt_set(sections[k].opts, (char *)c + sections[k].offset, dot + 1, value, e);
    if (!mlk_potential_find(section)) {
        MLK_FAIL(e, MLK_EINVAL, "unknown section '%s' in '%s'", section, key);
        mlk_err_hint(e, "sections are data, loss, stop, optimizer, snes and the model types");
        return MLK_EINVAL;
    }
    bool any = false;
    for (size_t k = 0; k < c->n_model; k++)
        if (!strcmp(c->model[k].type->name, section)) {
            MLK_TRY(set_model(&c->model[k], dot + 1, value, e));
            any = true;
        }
    if (!any)
        return MLK_FAIL(e, MLK_EINVAL, "'%s': no model of type %s is asked for", key, section);
    return MLK_OK;
}

/* ---- YAML ---------------------------------------------------------------------------------- */

static mlk_status at(mlk_err *e, const char *path, const mlk_conf *c)
{
    mlk_err_at(e, path, c->line);
    return e ? e->code : MLK_EINVAL;
}

/* scalar or list of scalars as comma-separated text */
static mlk_status as_text(const mlk_conf *c, char *buf, size_t cap, mlk_err *e)
{
    buf[0] = 0;
    if (c->kind == MLK_CONF_SCALAR) {
        snprintf(buf, cap, "%s", c->value);
        return MLK_OK;
    }
    size_t len = 0;
    for (size_t k = 0; c->kind == MLK_CONF_LIST && k < c->n_child && len < cap; k++) {
        if (c->child[k].kind != MLK_CONF_SCALAR)
            return MLK_FAIL(e, MLK_EINVAL, "'%s' is too deep", c->key);
        len += (size_t)snprintf(buf + len, cap - len, "%s%s", k ? "," : "", c->child[k].value);
    }
    if (c->kind == MLK_CONF_MAP)
        return MLK_FAIL(e, MLK_EINVAL, "'%s' is a section, expected a value", c->key);
    return MLK_OK;
}

static mlk_status read_groups(mlk_train_config *c, const mlk_conf *map, const char *path,
                              mlk_err *e)
{
    for (size_t k = 0; k < map->n_child; k++) {
        const mlk_conf *g = &map->child[k];
        double w;
        if (!g->key || !g->value || !mlk_parse_double(g->value, &w) || w < 0 ||
            strlen(g->key) >= 64) {
            MLK_FAIL(e, MLK_EINVAL, "loss.groups: expected 'group: weight' with a weight >= 0");
            return at(e, path, g);
        }
        MLK_TRY(MLK_GROW(c->group, c->cap_group, c->n_group + 1, e));
        snprintf(c->group[c->n_group].pattern, sizeof c->group->pattern, "%s", g->key);
        c->group[c->n_group++].weight = w;
    }
    return MLK_OK;
}

static mlk_status read_models(mlk_train_config *c, const mlk_conf *list, const char *path,
                              mlk_err *e)
{
    for (size_t k = 0; k < list->n_child; k++) {
        const mlk_conf *q = &list->child[k];
        const char *type = mlk_conf_str(q, "type", NULL);
        mlk_train_model *m;
        if (!type) {
            MLK_FAIL(e, MLK_EINVAL, "a model needs 'type:'");
            return at(e, path, q);
        }
        if (new_model(c, type, &m, e)) return at(e, path, q);
        for (size_t i = 0; i < q->n_child; i++) {
            char text[MLK_OPT_STR_MAX];
            if (!strcmp(q->child[i].key, "type")) continue;
            if (as_text(&q->child[i], text, sizeof text, e) ||
                set_model(m, q->child[i].key, text, e))
                return at(e, path, &q->child[i]);
        }
    }
    return MLK_OK;
}

static mlk_status read_e0(mlk_train_config *c, const mlk_conf *v, mlk_err *e)
{
    if (v->kind == MLK_CONF_SCALAR) return set_e0(c, v->value, e);
    char text[1024] = "";
    size_t len = 0;
    for (size_t k = 0; v->kind == MLK_CONF_MAP && k < v->n_child && len < sizeof text; k++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s=%s", k ? "," : "",
                                v->child[k].key, v->child[k].value ? v->child[k].value : "");
    return set_e0(c, text, e);
}

static mlk_status read_section(mlk_train_config *c, const mlk_conf *v, const char *path, mlk_err *e)
{
    if (!strcmp(v->key, "version")) {
        if (v->value && !strcmp(v->value, "1")) return MLK_OK;
        return MLK_FAIL(e, MLK_EUNSUPPORTED, "version is not 1, which this mlkit understands");
    }
    if (!strcmp(v->key, "seed")) {
        long l;
        if (!v->value || !mlk_parse_long(v->value, &l) || l < 0 || l > 2147483647)
            return MLK_FAIL(e, MLK_EINVAL, "seed: expected a whole number");
        c->seed = (int)l;
        return MLK_OK;
    }
    if (!strcmp(v->key, "quick")) {
        if (!v->value || (strcmp(v->value, "true") && strcmp(v->value, "false")))
            return MLK_FAIL(e, MLK_EINVAL, "quick: expected true or false");
        c->quick = !strcmp(v->value, "true");
        return MLK_OK;
    }
    if (!strcmp(v->key, "e0")) return read_e0(c, v, e);
    if (!strcmp(v->key, "models") || !strcmp(v->key, "model")) {
        if (v->kind == MLK_CONF_LIST) return read_models(c, v, path, e);
        return MLK_FAIL(e, MLK_EINVAL, "models: expected a list of '- {type: nep, ...}'");
    }
    for (int k = 0; k < N_SECTION; k++) {
        if (strcmp(v->key, sections[k].name)) continue;
        if (v->kind != MLK_CONF_MAP)
            return MLK_FAIL(e, MLK_EINVAL, "%s: expected 'key: value' inside", v->key);
        const mlk_conf *train = k == 0 ? mlk_conf_get(v, "train") : NULL;
        const mlk_conf *groups = k == 1 ? mlk_conf_get(v, "groups") : NULL;
        if (train && train->kind == MLK_CONF_SCALAR)
            MLK_TRY(mlk_train_config_path(c, train->value, e));
        for (size_t i = 0; train && train->kind == MLK_CONF_LIST && i < train->n_child; i++)
            if (train->child[i].value) MLK_TRY(mlk_train_config_path(c, train->child[i].value, e));
        const mlk_conf *valid = k == 0 ? mlk_conf_get(v, "valid") : NULL;
        if (valid && valid->kind == MLK_CONF_SCALAR)
            MLK_TRY(mlk_train_config_valid(c, valid->value, e));
        for (size_t i = 0; valid && valid->kind == MLK_CONF_LIST && i < valid->n_child; i++)
            if (valid->child[i].value) MLK_TRY(mlk_train_config_valid(c, valid->child[i].value, e));
        if (groups) MLK_TRY(read_groups(c, groups, path, e));
        static const char *const skip[] = {"train", "valid", "groups", NULL};
        static const char *const none[] = {NULL};
        return mlk_conf_apply(v, path, sections[k].opts, (char *)c + sections[k].offset,
                              train || valid || groups ? skip : none, e);
    }
    MLK_FAIL(e, MLK_EINVAL, "unknown section '%s'", v->key);
    mlk_err_hint(e, "known: version, seed, quick, data, loss, e0, stop, optimizer, snes, models");
    return MLK_EINVAL;
}

mlk_status mlk_train_config_read(mlk_train_config *c, const char *path, mlk_err *e)
{
    mlk_conf root;
    char *text;
    MLK_TRY(mlk_file_slurp(path, &text, NULL, e));
    bool nep_in = mlk_nep_in_sniff(path, text);
    mlk_status s = nep_in ? mlk_train_config_nep_in(c, path, text, e) : MLK_OK;
    mlk_free(text);
    if (nep_in) return s;
    if (mlk_path_ends(path, ".nn")) {
        MLK_FAIL(e, MLK_EUNSUPPORTED, "input.nn sets up HDNNP models, which mlkit does not train");
        mlk_err_hint(e, "give a YAML file or a nep.in");
        return mlk_err_at(e, path, 1);
    }
    MLK_TRY(mlk_conf_read(path, &root, e));
    for (size_t k = 0; k < root.n_child && !s; k++) {
        s = read_section(c, &root.child[k], path, e);
        if (s) mlk_err_at(e, path, root.child[k].line);
    }
    mlk_conf_free(&root);
    return s;
}

/* rows of opts, except those that stand in `but` */
static void print_table(const mlk_opt *opts, const void *field, const mlk_opt *but, FILE *out)
{
    char value[MLK_OPT_STR_MAX];
    bool first = true;
    for (const mlk_opt *o = opts; o->key; o++) {
        if (but && mlk_opt_find(but, o->key)) continue;
        mlk_opt_print(o, field, value, sizeof value);
        bool list = o->type == MLK_OPT_INTS || o->type == MLK_OPT_REALS;
        fprintf(out, "%s%s: %s%s%s", first ? "" : ", ", o->key, list ? "[" : "",
                !*value && !list ? "\"\"" : value, list ? "]" : "");
        first = false;
    }
}

static void print_paths(const char *key, char *const *path, size_t n, FILE *out)
{
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%s\"%s\"", i ? ", " : key, i ? "" : ": [", path[i]);
    if (n) fprintf(out, "], ");
}

void mlk_train_config_print(const mlk_train_config *c, const mlk_train_model *only, FILE *out)
{
    fprintf(out, "version: 1\nseed: %d\n%s", c->seed, c->quick ? "quick: true\n" : "");
    for (int k = 0; k < N_SECTION; k++) {
        fprintf(out, "%s: {", sections[k].name);
        if (k == 0) {
            print_paths("train", c->path, c->n_path, out);
            print_paths("valid", c->valid, c->n_valid, out);
        }
        print_table(sections[k].opts, (const char *)c + sections[k].offset, NULL, out);
        if (k == 1 && c->n_group) {
            fprintf(out, ", groups: {");
            for (size_t i = 0; i < c->n_group; i++)
                fprintf(out, "%s\"%s\": %.10g", i ? ", " : "", c->group[i].pattern,
                        c->group[i].weight);
            fprintf(out, "}");
        }
        fprintf(out, "}\n");
    }
    if (strchr(c->e0, '=')) {
        fprintf(out, "e0: {");
        for (const char *p = c->e0; *p; p++)
            fputs(*p == '=' ? ": " : *p == ',' ? ", " : (char[]){*p, 0}, out);
        fprintf(out, "}\n");
    } else {
        fprintf(out, "e0: %s\n", c->e0);
    }
    fprintf(out, "models:\n");
    for (size_t k = 0; k < (only ? 1 : c->n_model); k++) {
        const mlk_train_model *m = only ? only : &c->model[k];
        fprintf(out, "  - {type: %s, ", m->type->name);
        if (m->name[0]) fprintf(out, "name: %s, ", m->name);
        if (m->seed >= 0) fprintf(out, "seed: %d, ", m->seed);
        if (m->species[0]) fprintf(out, "species: [%s], ", m->species);
        if (m->from[0]) fprintf(out, "from: \"%s\", ", m->from);
        if (m->sha256[0]) fprintf(out, "sha256: \"%s\", ", m->sha256);
        bool comma = strchr(m->zbl, ',');
        fprintf(out, "zbl: %s%s%s, ", comma ? "[" : "", m->zbl, comma ? "]" : "");
        if ((m->type->caps & MLK_CAP_LINEAR) && isnan(m->ridge)) fprintf(out, "ridge: auto, ");
        if ((m->type->caps & MLK_CAP_LINEAR) && !isnan(m->ridge))
            fprintf(out, "ridge: %.10g, ", m->ridge);
        print_table(m->type->hyper, m->hyper, model_opts, out);
        fprintf(out, "}\n");
    }
}

mlk_status mlk_fit_weights(const mlk_train_config *c, const mlk_dataset *ds, double *weight,
                           mlk_err *e)
{
    for (size_t k = 0; k < ds->n; k++) weight[k] = 1;
    for (size_t g = 0; g < c->n_group; g++) {
        size_t hits = 0;
        for (size_t k = 0; k < ds->n; k++)
            if (!fnmatch(c->group[g].pattern, ds->frame[k].group, 0) ||
                !fnmatch(c->group[g].pattern, ds->frame[k].config_type, 0)) {
                weight[k] *= c->group[g].weight;
                hits++;
            }
        if (!hits) {
            MLK_FAIL(e, MLK_EINVAL, "loss.groups: no frame belongs to '%s'", c->group[g].pattern);
            mlk_err_hint(e, "'mlkit dataset info' lists the groups; * matches any text");
            return MLK_EINVAL;
        }
    }
    double sum[3] = {0};
    size_t n[3] = {0};
    for (size_t k = 0; k < ds->n; k++) sum[ds->split[k]] += weight[k], n[ds->split[k]]++;
    for (int q = MLK_SPLIT_TRAIN; q <= MLK_SPLIT_VALID; q++)
        if (n[q] && !(sum[q] > 0)) {
            MLK_FAIL(e, MLK_EINVAL, "loss.groups: all %s frames have weight 0",
                     q == MLK_SPLIT_TRAIN ? "training" : "validation");
            return mlk_err_hint(e, "give some of them a weight, or leave them out of the data");
        }
    return MLK_OK;
}
