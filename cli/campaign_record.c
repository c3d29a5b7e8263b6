/* campaign_record.c - what a study is made from and with: inputs and their hashes, campaign.yaml.
 * See campaign.h. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "cli/campaign.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/conf.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "datasets/dataset.h"
#include "parsers/parser.h"
#include "reports/report.h"
#include "version.h"

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
            mlk_file_is_dir(sub) || mlk_parser_sniff(sub, NULL) || strstr(entry[k]->d_name, ".h5");
        if (!s && entry[k]->d_name[0] != '.' && data) s = add_inputs(c, sub, depth + 1, e);
        free(entry[k]);
    }
    free(entry);
    return s;
}

mlk_status mlk_path_absolute(char *path, size_t cap, const char *what, mlk_err *e)
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

/* one file or folder of data: its files, and its name in data_shown */
static mlk_status add_data(mlk_campaign *c, const char *path, mlk_err *e)
{
    MLK_TRY(add_inputs(c, path, 0, e));
    size_t len = strlen(c->data_shown), cap = sizeof c->data_shown;
    int add = snprintf(c->data_shown + len, cap - len, "%s%s", len ? "," : "", path);
    if (add < 0 || len + (size_t)add >= cap)
        return MLK_FAIL(e, MLK_EINVAL, "--data: the list of paths is too long");
    return MLK_OK;
}

static mlk_status add_model(mlk_campaign *c, const mlk_campaign_model *m, mlk_err *e)
{
    char **path;
    size_t n;
    MLK_TRY(mlk_ready_files(m, &path, &n, e));
    mlk_status s = MLK_OK;
    for (size_t k = 0; !s && k < n; k++) s = add_input(c, path[k], e);
    mlk_strings_free(path, n);
    return s;
}

mlk_status mlk_campaign_inputs(mlk_campaign *c, mlk_err *e)
{
    mlk_settings *set = &c->set;
    char path[1024];
    bool needed = mlk_campaign_has_data(c);
    if (!needed && !*set->structure) {
        MLK_FAIL(e, MLK_EINVAL, "no start structure: all models are ready and no data are given");
        return mlk_err_hint(e, "add --structure FILE, or --data FILES to choose a frame of");
    }
    for (size_t k = 0; needed && !*set->data && k < MLK_BUNDLED; k++) {
        MLK_TRY(mlk_dataset_bundled(k, path, sizeof path, e));
        MLK_TRY(add_data(c, path, e));
    }
    if (*set->data) {
        char list[MLK_OPT_STR_MAX], *save = NULL;
        snprintf(list, sizeof list, "%s", set->data);
        for (char *w = strtok_r(list, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
            snprintf(path, sizeof path, "%s", w);
            MLK_TRY(mlk_path_absolute(path, sizeof path, "the data", e));
            MLK_TRY(add_data(c, path, e));
        }
        snprintf(set->data, sizeof set->data, "%s", c->data_shown);
    }
    if (*set->structure) {
        MLK_TRY(mlk_path_absolute(set->structure, sizeof set->structure, "the structure", e));
        MLK_TRY(add_input(c, set->structure, e));
    }
    for (int k = 0; k < c->n_model; k++)
        if (*c->model[k].from) MLK_TRY(add_model(c, &c->model[k], e));
    return MLK_OK;
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

/* Does the speed of the machine decide how far a model is fitted? */
static bool by_time(const mlk_campaign *c)
{
    bool any = false;
    for (int k = 0; k < c->n_model; k++)
        any |= !*c->model[k].from && !(mlk_family_of(c->model[k].type)->train_seconds > 0);
    return any && !c->set.train_epochs;
}

mlk_status mlk_campaign_write(const mlk_campaign *c, mlk_err *e)
{
    char path[1100], buf[MLK_OPT_STR_MAX];
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, c->run, "campaign.yaml"), e));
    FILE *f = o.fp;
    fprintf(f, "# A study made by mlkit benchmark; repeat it with\n"
               "#   mlkit benchmark -c campaign.yaml -o ANOTHER\n");
    if (by_time(c))
        fprintf(
            f,
            "# The length of the fits is set by time (train-budget): they make as many passes over "
            "the data as the\n"
            "# machine is fast, so that a repetition has other models, as other seeds would give.\n"
            "# The very same ones are taken by adding --models with their folders, all of them in\n"
            "# the order below, and --data dataset.h5; a study that does not depend on the speed\n"
            "# is made with --train-epochs.\n");
    fprintf(f, "version: 1\nmlkit: ");
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
    for (int k = 0; k < c->n_model; k++) {
        const mlk_campaign_model *m = &c->model[k];
        fprintf(f, "  - {name: %s, type: %s, ", m->name, m->type);
        if (*m->from)
            fprintf(f, "ready: "), quote(f, m->from);
        else
            fprintf(f, "seed: %d", m->seed);
        if (*m->hyper) fprintf(f, ", settings: "), quote(f, m->hyper);
        fprintf(f, ", run_ps: %.10g}\n", m->run * 1e-3);
    }
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

mlk_status mlk_campaign_compare(mlk_campaign *c, const char *path, mlk_err *e)
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

/* ---- the result ---- */

static double at(const json_t *list, size_t k, const char *key)
{
    return mlk_json_get_real(json_array_get(list, k), key, NAN);
}

void mlk_campaign_headline(const mlk_campaign *c)
{
    char path[1100], cell[2][64];
    json_t *js = NULL;
    mlk_err quiet = {0};
    if (mlk_json_read(mlk_path_join(path, sizeof path, c->run, "report/report.json"), &js, &quiet))
        return;
    const json_t *temps = json_object_get(js, "results");
    for (size_t t = 0; t < json_array_size(temps); t++) {
        const json_t *row = json_array_get(temps, t), *m = json_object_get(row, "models");
        if (json_array_size(m))
            printf("\n%.5g K%*skappa naive [W/m/K]   Onsager-corrected\n",
                   mlk_json_get_real(row, "temperature_K", 0), 8, "");
        for (size_t k = 0; k < json_array_size(m); k++) {
            mlk_pm(at(m, k, "kappa_naive"), at(m, k, "kappa_naive_err"), cell[0]);
            mlk_pm(at(m, k, "kappa"), at(m, k, "kappa_err"), cell[1]);
            printf("  %-12s  %s%*s %s\n", mlk_json_get_str(json_array_get(m, k), "model", "?"),
                   cell[0], 22 - mlk_text_width(cell[0]), "", cell[1]);
        }
    }
    printf("\n%s\n", mlk_json_get_str(js, "statement", ""));
    printf("report: %s/report/report.html\n", c->run);
    json_decref(js);
}
