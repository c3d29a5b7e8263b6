/* campaign_models.c - the models of a study: families that are fitted, and ready models that are
 * copied into the run folder. See campaign.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/campaign.h"
#include "core/file.h"
#include "core/mem.h"
#include "potentials/potential.h"

static mlk_status new_model(mlk_campaign *c, const char *type, mlk_campaign_model **m, mlk_err *e)
{
    if (c->n_model == MLK_CAMPAIGN_MODELS)
        return MLK_FAIL(e, MLK_EINVAL, "more than %d models", MLK_CAMPAIGN_MODELS);
    *m = &c->model[c->n_model++];
    snprintf((*m)->type, sizeof(*m)->type, "%s", type);
    (*m)->run = c->set.run > 0 ? c->set.run : mlk_family_of(type)->quick_run;
    return MLK_OK;
}

static mlk_status no_family(const char *word, mlk_err *e)
{
    char known[300] = "";
    for (size_t k = 0; mlk_potential_types[k]; k++)
        if (mlk_potential_types[k]->caps & (MLK_CAP_VJP | MLK_CAP_LINEAR))
            snprintf(known + strlen(known), sizeof known - strlen(known), " %s",
                     mlk_potential_types[k]->name);
    MLK_FAIL(e, MLK_EINVAL,
             "--models: '%s' is neither a model family that can be fitted nor a file", word);
    return mlk_err_hint(e, "this mlkit fits:%s; a ready model is given by its file or folder",
                        known);
}

mlk_status mlk_family_new(const char *name, const char *hyper, mlk_potential **pot, mlk_err *e)
{
    char list[sizeof((mlk_campaign_model *)0)->hyper], *save = NULL;
    const mlk_potential_type *type = mlk_potential_find(name);
    MLK_TRY(mlk_potential_new(pot, type, e));
    snprintf(list, sizeof list, "%s", hyper);
    mlk_status s = MLK_OK;
    int n = 0;
    for (char *w = strtok_r(list, "+", &save); w && !s; w = strtok_r(NULL, "+", &save)) {
        if (++n > 8) {
            s = MLK_FAIL(e, MLK_EINVAL, "--models: more than 8 settings of %s", name);
            break;
        }
        char *value = strchr(w, '=');
        if (value) *value++ = 0;
        if (!value || !type->hyper || !mlk_opt_find(type->hyper, w)) {
            s = MLK_FAIL(e, MLK_EINVAL, "--models: '%s' is no setting of %s", w, name);
            mlk_err_hint(e,
                         "write %s:KEY=VALUE+KEY=VALUE with the keys of mlkit train --print-config",
                         name);
        } else {
            s = mlk_opt_set(type->hyper, (*pot)->hyper, w, value, e);
        }
    }
    if (s) mlk_potential_destroy(*pot), *pot = NULL;
    return s;
}

/* "nep", or with hyper-parameters "snap:twojmax=6+rcut=5". */
static mlk_status add_family(mlk_campaign *c, const char *word, mlk_err *e)
{
    char name[MLK_OPT_STR_MAX];
    const char *hyper = strchr(word, ':') ? strchr(word, ':') + 1 : "";
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, ":"), word);
    const mlk_potential_type *type = mlk_potential_find(name);
    if (!type || !(type->caps & (MLK_CAP_VJP | MLK_CAP_LINEAR))) return no_family(name, e);
    if (strlen(hyper) >= sizeof c->model[0].hyper)
        return MLK_FAIL(e, MLK_EINVAL, "--models: too many settings in '%s'", word);
    mlk_potential *pot;
    MLK_TRY(mlk_family_new(name, hyper, &pot, e));
    mlk_potential_destroy(pot);
    int before = 0;
    for (int k = 0; k < c->n_model; k++) {
        if (*c->model[k].from || strcmp(c->model[k].type, name)) continue;
        if (!strcmp(c->model[k].hyper, hyper))
            return MLK_FAIL(e, MLK_EINVAL, "--models: '%s' stands twice; use --seeds", word);
        before++;
    }
    int most = mlk_family_of(name)->seeds_max, n = c->set.seeds < most ? c->set.seeds : most;
    for (int k = 0; k < n; k++) {
        mlk_campaign_model *m;
        MLK_TRY(new_model(c, name, &m, e));
        snprintf(m->name, sizeof m->name, "%.40s-%d", name, before + k + 1);
        snprintf(m->hyper, sizeof m->hyper, "%s", hyper);
        m->seed = (c->set.seed + k) & 0x7fffffff;
    }
    return MLK_OK;
}

/* ---- ready models ---- */

/* File or folder name without its ending, with letters that are safe in a path and in a table. */
static void plain_name(const char *path, char *buf, size_t cap)
{
    snprintf(buf, cap, "%.40s", mlk_path_base(path));
    char *dot = strrchr(buf, '.');
    if (dot && dot > buf && !mlk_file_is_dir(path)) *dot = 0;
    for (char *p = buf; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("-_.", *p)) *p = '_';
    if (*buf == '.') *buf = '_';
    if (!*buf) snprintf(buf, cap, "model");
}

/* A name that neither an earlier model nor a fitted one has: "nepA", "nepA_2", ... (a family's own
 * are "nep-1", ...). */
static void unique_name(const mlk_campaign *c, mlk_campaign_model *m)
{
    char base[44];
    snprintf(base, sizeof base, "%.43s", m->name);
    for (int n = 2, again = 1; again; n++) {
        again = 0;
        for (int k = 0; k < c->n_model; k++)
            again |= (&c->model[k] < m || !*c->model[k].from) && !strcmp(c->model[k].name, m->name);
        if (again) snprintf(m->name, sizeof m->name, "%s_%d", base, n);
    }
}

static mlk_status add_ready(mlk_campaign *c, const char *word, mlk_err *e)
{
    char path[1024];
    mlk_potential *pot = NULL;
    mlk_campaign_model *m;
    snprintf(path, sizeof path, "%s", word);
    MLK_TRY(mlk_path_absolute(path, sizeof path, "the model", e));
    if (mlk_path_ends(path, "/model.yaml")) *strrchr(path, '/') = 0;
    MLK_TRY(mlk_potential_read(&pot, path, e));
    mlk_status s = new_model(c, pot->type->name, &m, e);
    if (!s) {
        snprintf(m->from, sizeof m->from, "%s", path);
        snprintf(m->file, sizeof m->file, "%s", pot->path);
        m->n_z = (int)pot->n_species;
        memcpy(m->z, pot->z, pot->n_species * sizeof *m->z);
        plain_name(path, m->name, sizeof m->name);
    }
    mlk_potential_destroy(pot);
    return s;
}

bool mlk_campaign_same_fit(const mlk_campaign_model *a, const mlk_campaign_model *b)
{
    return !*a->from && !*b->from && !strcmp(a->type, b->type) && !strcmp(a->hyper, b->hyper);
}

/* --models with the paths made absolute, so that the study can be continued from any folder. */
static mlk_status record_list(mlk_campaign *c, mlk_err *e)
{
    char *list = c->set.models;
    size_t len = 0, cap = sizeof c->set.models;
    for (int k = 0; k < c->n_model && len < cap; k++) {
        const mlk_campaign_model *m = &c->model[k];
        if (k && mlk_campaign_same_fit(m, m - 1)) continue; /* another seed */
        len += (size_t)snprintf(list + len, cap - len, "%s%s%s%s", len ? "," : "",
                                *m->from ? m->from : m->type, *m->hyper ? ":" : "", m->hyper);
    }
    return len < cap ? MLK_OK : MLK_FAIL(e, MLK_EINVAL, "--models: the list of paths is too long");
}

mlk_status mlk_campaign_models(mlk_campaign *c, mlk_err *e)
{
    char list[MLK_OPT_STR_MAX], *save = NULL;
    snprintf(list, sizeof list, "%s", c->set.models);
    for (char *w = strtok_r(list, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
        while (*w == ' ') w++;
        for (size_t n = strlen(w); n && w[n - 1] == ' '; n--) w[n - 1] = 0;
        if (!*w) continue;
        MLK_TRY(strchr(w, '/') || (!mlk_potential_find(w) && mlk_file_exists(w))
                    ? add_ready(c, w, e)
                    : add_family(c, w, e));
    }
    if (!c->n_model) return MLK_FAIL(e, MLK_EINVAL, "--models: no model given");
    for (int k = 0; k < c->n_model; k++)
        if (*c->model[k].from) unique_name(c, &c->model[k]);
    return record_list(c, e);
}

bool mlk_campaign_has_data(const mlk_campaign *c)
{
    bool fitted = false;
    for (int k = 0; k < c->n_model; k++) fitted |= !*c->model[k].from;
    return fitted || *c->set.data;
}

static mlk_status push(char ***path, size_t *n, size_t *cap, const char *word, mlk_err *e)
{
    MLK_TRY(MLK_GROW(*path, *cap, *n + 1, e));
    (*path)[*n] = mlk_strdup(word);
    return (*path)[*n] ? (++*n, MLK_OK) : MLK_FAIL(e, MLK_ENOMEM, "files of a model");
}

/* Does a file beside the model file belong to it: the same name up to the ending, and known to the
 * model's type (x.snapparam of x.snapcoeff)? */
static bool belongs(const mlk_campaign_model *m, const char *path)
{
    const char *base = mlk_path_base(m->file), *other = mlk_path_base(path);
    const char *dot = strrchr(base, '.');
    size_t stem = dot ? (size_t)(dot - base) : strlen(base);
    char *text = NULL;
    if (!strcmp(base, other) || strncmp(base, other, stem) || other[stem] != '.' ||
        strchr(other + stem + 1, '.') || mlk_file_is_dir(path) ||
        mlk_file_slurp(path, &text, NULL, NULL))
        return false;
    bool known =
        mlk_potential_find(m->type)->sniff && mlk_potential_find(m->type)->sniff(path, text);
    mlk_free(text);
    return known;
}

static bool has_manifest(const mlk_campaign_model *m)
{
    char yaml[1100];
    return mlk_file_is_dir(m->from) &&
           mlk_file_exists(mlk_path_join(yaml, sizeof yaml, m->from, "model.yaml"));
}

mlk_status mlk_ready_files(const mlk_campaign_model *m, char ***path, size_t *n, mlk_err *e)
{
    /* what a model folder says about its model; train.yaml: which energies it was fitted to */
    static const char *const beside[] = {"model.yaml", MLK_RANGES_FILE, "train.yaml"};
    char dir[1024], sub[2048], **name = NULL;
    size_t cap = 0, n_name = 0;
    *path = NULL, *n = 0;
    snprintf(dir, sizeof dir, "%s", m->file);
    char *slash = strrchr(dir, '/');
    if (slash) *slash = 0;
    mlk_status s = mlk_dir_names(dir, &name, &n_name, e);
    for (size_t k = 0; !s && k < n_name; k++)
        if (belongs(m, mlk_path_join(sub, sizeof sub, dir, name[k])))
            s = push(path, n, &cap, sub, e);
    for (size_t k = 0; !s && k < 3 && has_manifest(m); k++)
        if (mlk_file_exists(mlk_path_join(sub, sizeof sub, dir, beside[k])))
            s = push(path, n, &cap, sub, e);
    if (!s) s = push(path, n, &cap, m->file, e);
    mlk_strings_free(name, n_name);
    if (s) mlk_strings_free(*path, *n), *path = NULL, *n = 0;
    return s;
}

void mlk_ready_name(const mlk_campaign_model *m, const char *path, char *buf, size_t cap)
{
    const char *base = mlk_path_base(path), *usual = mlk_potential_find(m->type)->file;
    const char *dot = strrchr(usual, '.'), *ending = strrchr(base, '.');
    if (has_manifest(m))
        snprintf(buf, cap, "%s", base);
    else if (!dot || !ending || !strcmp(ending, ".txt"))
        snprintf(buf, cap, "%s", usual);
    else
        snprintf(buf, cap, "%.*s%s", (int)(dot - usual), usual, ending);
}

static mlk_status copy_file(const char *from, const char *to, mlk_err *e)
{
    char a[65], b[65], buf[65536];
    mlk_out o;
    if (mlk_file_exists(to)) {
        MLK_TRY(mlk_file_sha256(from, a, e));
        MLK_TRY(mlk_file_sha256(to, b, e));
        if (!strcmp(a, b)) return MLK_OK;
        MLK_FAIL(e, MLK_EINVAL, "differs from %s, of which it should be the copy", from);
        mlk_err_at(e, to, 0);
        return mlk_err_hint(e, "move it away, or give another run folder with -o");
    }
    FILE *f = fopen(from, "rb");
    if (!f) {
        MLK_FAIL(e, MLK_EIO, "cannot read");
        return mlk_err_at(e, from, 0);
    }
    mlk_status s = mlk_out_begin(&o, to, e);
    for (size_t n; !s && (n = fread(buf, 1, sizeof buf, f)) > 0;)
        if (fwrite(buf, 1, n, o.fp) != n) break; /* noticed by commit */
    if (!s && ferror(f)) {
        mlk_out_abort(&o);
        s = MLK_FAIL(e, MLK_EIO, "cannot read");
        mlk_err_at(e, from, 0);
    }
    fclose(f);
    return s ? s : mlk_out_commit(&o, e);
}

mlk_status mlk_ready_copy(const mlk_campaign *c, const mlk_campaign_model *m, mlk_err *e)
{
    char **path, dir[1100], to[1400], name[256];
    size_t n;
    snprintf(dir, sizeof dir, "%s/models/%s", c->run, m->name);
    MLK_TRY(mlk_mkdir_p(dir, e));
    MLK_TRY(mlk_ready_files(m, &path, &n, e));
    mlk_status s = MLK_OK;
    for (size_t k = 0; !s && k < n; k++) {
        mlk_ready_name(m, path[k], name, sizeof name);
        s = copy_file(path[k], mlk_path_join(to, sizeof to, dir, name), e);
    }
    mlk_strings_free(path, n);
    return s;
}
