/* dataset_check.c - mlkit dataset check: meaning, not only syntax. Reading, the tests, and which
 * frames are dropped; the report itself is dataset_check_show.c. */
#include "cli/dataset_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/cmd.h"
#include "cli/dataset_verbs.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "train/consistency.h"

typedef struct cfg {
    mlk_common common;
    char test[MLK_OPT_STR_MAX], drop[MLK_OPT_STR_MAX], out[MLK_OPT_STR_MAX], from[MLK_OPT_STR_MAX];
    bool fit, force;
    int fit_atoms;
} cfg;

static const mlk_opt opts[] = {
    {"test", MLK_OPT_STR, offsetof(cfg, test), "", 0, 0, "",
     "data that should not have twins in DATA; may be repeated"},
    {"drop", MLK_OPT_STR, offsetof(cfg, drop), "", 0, 0, "",
     "write DATA without the frames of these kinds (--drop: the usual ones, --drop=KIND,...)"},
    {"o", MLK_OPT_STR, offsetof(cfg, out), "", 0, 0, "",
     "file for --drop: .h5, .xyz or .extxyz; what was dropped stands in NAME.dropped.csv"},
    {"fit", MLK_OPT_FLAG, offsetof(cfg, fit), "true", 0, 0, "",
     "fit a small model to energies and forces and compare stresses with it (--no-fit: do not)"},
    {"fit-atoms", MLK_OPT_INT, offsetof(cfg, fit_atoms), "9000", 500, 10000000, "",
     "atoms in the frames fitted to"},
    {"from", MLK_OPT_STR, offsetof(cfg, from), "", 0, 0, "",
     "format to read; by content when not given"},
    {"force", MLK_OPT_FLAG, offsetof(cfg, force), "false", 0, 0, "", "write over existing files"},
    MLK_COMMON_OPTS(cfg),
    {0}};

/* ---- what is dropped ---- */

/* Equal frames: the later goes. */
static bool doubles(mlk_suspect_kind k)
{
    return k == MLK_SUSPECT_DUPLICATE || k == MLK_SUSPECT_TWIN || k == MLK_SUSPECT_CONTRADICTION;
}

/* Findings about a set, not about one frame. */
static bool about_set(mlk_suspect_kind k)
{
    return k == MLK_SUSPECT_RUNS || k == MLK_SUSPECT_ENERGY_KIND || k == MLK_SUSPECT_THEORY ||
           k == MLK_SUSPECT_OFFSET || k == MLK_SUSPECT_STRESS || k == MLK_SUSPECT_RAW_STRESS ||
           k == MLK_SUSPECT_TEST_TWIN;
}

char *mlk_drop_default(char *buf, size_t cap)
{
    *buf = 0;
    for (int k = 0; k < MLK_SUSPECT_COUNT; k++)
        if (mlk_suspect_advice((mlk_suspect_kind)k) == MLK_ADVICE_DROP)
            snprintf(buf + strlen(buf), cap - strlen(buf), "%s%s", *buf ? "," : "",
                     mlk_suspect_name((mlk_suspect_kind)k));
    return buf;
}

mlk_status mlk_drop_kinds(mlk_drop *d, const char *list, mlk_err *e)
{
    char text[MLK_OPT_STR_MAX], usual[256];
    snprintf(text, sizeof text, "%s",
             strcmp(list, "default") ? list : mlk_drop_default(usual, sizeof usual));
    for (char *save = NULL, *w = strtok_r(text, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
        mlk_suspect_kind k = mlk_suspect_find(w);
        if (k == MLK_SUSPECT_COUNT) {
            MLK_FAIL(e, MLK_EINVAL, "--drop: '%s' is no kind of finding", w);
            return mlk_err_hint(e, "'mlkit dataset check --help' lists them");
        }
        if (about_set(k)) {
            MLK_FAIL(e, MLK_EINVAL, "--drop: '%s' is not about single frames of the data", w);
            return mlk_err_hint(e, "leave out the files it names instead");
        }
        d->kind[k] = true;
    }
    return MLK_OK;
}

mlk_status mlk_drop_plan(mlk_drop *d, const mlk_dataset *ds, const mlk_check *c, mlk_err *e)
{
    size_t *item = mlk_alloc(ds->n + 1, sizeof *item), *root = mlk_alloc(ds->n + 1, sizeof *root);
    size_t *kept = mlk_alloc(ds->n + 1, sizeof *kept); /* of the equal frames; MLK_DROP_KEEP none */
    d->why = mlk_alloc(ds->n + 1, sizeof *d->why);
    mlk_status s = item && root && kept && d->why
                       ? MLK_OK
                       : MLK_FAIL(e, MLK_ENOMEM, "no memory to choose among %zu frames", ds->n);
    for (size_t i = 0; i < ds->n && !s; i++) {
        item[i] = kept[i] = d->why[i] = MLK_DROP_KEEP;
        if (c->leaky && c->leaky[i] && d->kind[MLK_SUSPECT_LEAK]) d->why[i] = MLK_DROP_LEAK;
    }
    for (size_t k = 0; k < c->s.n && !s; k++) {
        const mlk_suspect *it = &c->s.item[k];
        if (it->kind == MLK_SUSPECT_LEAK || !d->kind[it->kind]) continue;
        if (!doubles(it->kind))
            d->why[it->frame] = k;
        else if (item[it->frame] == MLK_DROP_KEEP)
            item[it->frame] = k;
    }
    for (size_t i = 0; i < ds->n && !s; i++) {
        root[i] = item[i] == MLK_DROP_KEEP ? i : root[c->s.item[item[i]].other];
        if (d->why[i] == MLK_DROP_KEEP && kept[root[i]] == MLK_DROP_KEEP)
            kept[root[i]] = i;
        else if (d->why[i] == MLK_DROP_KEEP)
            d->why[i] = item[i];
        d->n += d->why[i] != MLK_DROP_KEEP;
    }
    mlk_free(item);
    mlk_free(root);
    mlk_free(kept);
    return s;
}

/* ---- writing ---- */

static bool store_name(const char *path)
{
    return mlk_path_ends(path, ".h5") || mlk_path_ends(path, ".hdf5");
}

static mlk_status known_ending(const char *path, mlk_err *e)
{
    static const char *const known[] = {".xyz", ".extxyz", ".xyz.gz", ".extxyz.gz"};
    if (store_name(path)) return MLK_OK;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (mlk_path_ends(path, known[k])) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "cannot tell the format to write from the name '%s'", path);
    return mlk_err_hint(e, "-o NAME.h5, NAME.xyz or NAME.extxyz");
}

static void put_dropped(mlk_text_out *t, const mlk_dataset *ds, const mlk_check *c, size_t i,
                        size_t why)
{
    const mlk_frame *fr = &ds->frame[i];
    const mlk_suspect *it = why == MLK_DROP_LEAK ? NULL : &c->s.item[why];
    mlk_suspect_kind kind = it ? it->kind : MLK_SUSPECT_LEAK;
    char text[512];
    mlk_text_csv(t, fr->source);
    mlk_text_printf(t, ",%ld,%d,%s,", fr->line, fr->step, mlk_suspect_name(kind));
    if (it && *mlk_suspect_unit(kind)) mlk_text_printf(t, "%.6g", it->value);
    mlk_text_printf(t, ",");
    if (!it)
        snprintf(text, sizeof text, "has a twin in the test set");
    else if (it->other != it->frame)
        snprintf(text, sizeof text, "%s; as %.200s:%ld", mlk_suspect_text(kind),
                 ds->frame[it->other].source, ds->frame[it->other].line);
    else
        snprintf(text, sizeof text, "%s%s%.250s", mlk_suspect_text(kind), *it->note ? "; " : "",
                 it->note);
    mlk_text_csv(t, text);
    mlk_text_printf(t, "\n");
}

static mlk_status write_list(const mlk_drop *d, const mlk_dataset *ds, const mlk_check *c,
                             const char *path, mlk_err *e)
{
    mlk_text_out t;
    MLK_TRY(mlk_text_out_begin(&t, path, e));
    mlk_text_printf(&t, "file,line,step,kind,value,why\n");
    for (size_t i = 0; i < ds->n; i++)
        if (d->why[i] != MLK_DROP_KEEP) put_dropped(&t, ds, c, i, d->why[i]);
    return mlk_text_out_commit(&t, e);
}

mlk_status mlk_drop_write(const mlk_drop *d, const mlk_dataset *ds, const mlk_check *c,
                          const char *path, bool force, mlk_err *e)
{
    char list[MLK_OPT_STR_MAX + 16];
    mlk_dataset kept = *ds; /* borrows everything; only its two arrays are its own */
    snprintf(list, sizeof list, "%s.dropped.csv", path);
    if (d->n == ds->n) return MLK_FAIL(e, MLK_EINVAL, "every frame would be dropped");
    MLK_TRY(mlk_dataset_may_write(ds, path, force, e));
    MLK_TRY(mlk_dataset_may_write(ds, list, force, e));
    kept.n = 0;
    kept.frame = mlk_alloc(ds->n, sizeof *kept.frame);
    kept.split = mlk_alloc(ds->n, sizeof *kept.split);
    mlk_status s = kept.frame && kept.split
                       ? MLK_OK
                       : MLK_FAIL(e, MLK_ENOMEM, "no memory for %zu frames", ds->n);
    for (size_t i = 0; i < ds->n && !s; i++) {
        if (d->why[i] != MLK_DROP_KEEP) continue;
        kept.split[kept.n] = ds->split[i];
        kept.frame[kept.n++] = ds->frame[i];
    }
    /* the list first: a cleaned set without its list must not exist */
    if (!s) s = write_list(d, ds, c, list, e);
    if (!s)
        s = store_name(path) ? mlk_dataset_store(&kept, path, force, e)
                             : mlk_write_extxyz(path, kept.frame, kept.n, e);
    mlk_free(kept.frame);
    mlk_free(kept.split);
    return s;
}

/* ---- the command ---- */

/* Take "--test PATH" and "--test=PATH" out of argv, and give a bare "--drop" its value. tests
 * (argc) borrowed. Returns the new argc. */
static int take_tests(int argc, char **argv, char **tests, int *n_tests)
{
    static char usual[] = "--drop=default";
    int m = 1;
    *n_tests = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--test") && i + 1 < argc)
            tests[(*n_tests)++] = argv[++i];
        else if (!strncmp(argv[i], "--test=", 7))
            tests[(*n_tests)++] = argv[i] + 7;
        else
            argv[m++] = strcmp(argv[i], "--drop") ? argv[i] : usual;
    }
    return m;
}

static mlk_status run_checks(const cfg *c, const mlk_dataset *ds, const mlk_dataset *test,
                             mlk_check *k, mlk_err *e)
{
    mlk_consistency_config fit = MLK_CONSISTENCY_DEFAULTS;
    bool fitted = false;
    fit.max_atoms = (size_t)c->fit_atoms;
    MLK_TRY(mlk_dataset_check(ds, test, k, e));
    if (c->fit) MLK_TRY(mlk_dataset_consistency(ds, &fit, k, &fitted, e));
    return fitted ? MLK_OK : mlk_check_without_fit(ds, k, e);
}

static mlk_status finish(const cfg *c, const mlk_dataset *ds, const mlk_dataset *test,
                         const mlk_check *k, mlk_drop *d, mlk_err *e)
{
    bool drop = c->drop[0] != 0;
    mlk_status s = MLK_OK;
    if (drop) MLK_TRY(mlk_drop_plan(d, ds, k, e));
    if (drop) MLK_TRY(mlk_drop_write(d, ds, k, c->out, c->force, e));
    if (c->common.json) {
        json_t *j = mlk_check_json(ds, test, k);
        json_object_set_new(j, "dropped", drop ? json_integer((json_int_t)d->n) : json_null());
        s = mlk_json_write(j, "-", e);
        json_decref(j);
    } else {
        mlk_check_show(ds, test, k, c->common.verbose);
        if (drop)
            printf("\n%s: %zu of %zu frames kept; the %zu dropped stand in %s.dropped.csv\n",
                   c->out, ds->n - d->n, ds->n, d->n, c->out);
    }
    return s;
}

/* Data nobody could train on are the one thing that is an error. */
static mlk_status usable(const mlk_dataset *ds, mlk_err *e)
{
    const unsigned need = MLK_HAS_ENERGY | MLK_HAS_FORCE;
    for (size_t i = 0; i < ds->n; i++)
        if ((ds->frame[i].has & need) == need) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "none of the %zu frames has energy and forces", ds->n);
    return mlk_err_at(e, ds->n ? ds->frame[0].source : "", 0);
}

static void describe(char *about, size_t cap)
{
    char usual[256];
    snprintf(about, cap,
             "What labels mean, not only whether they can be read: twins of other frames, also\n"
             "between training and test; energies of several kinds, levels or shifted files;\n"
             "stresses against energies and forces; distances, cells, forces.\n"
             "Exit status 0 also with findings; 1 only when the data cannot be used at all.\n\n"
             "--drop alone drops: %s\n"
             "(leak: frames of DATA that have a twin in --test). Of equal frames the first stays.\n"
             "Other kinds that can be named:",
             mlk_drop_default(usual, sizeof usual));
    for (int k = 0; k < MLK_SUSPECT_COUNT; k++)
        if (mlk_suspect_advice((mlk_suspect_kind)k) != MLK_ADVICE_DROP &&
            !about_set((mlk_suspect_kind)k))
            snprintf(about + strlen(about), cap - strlen(about), " %s",
                     mlk_suspect_name((mlk_suspect_kind)k));
}

static mlk_status prepare(const cfg *c, mlk_drop *d, mlk_err *e)
{
    if (!c->drop[0] && c->out[0]) {
        MLK_FAIL(e, MLK_EINVAL, "-o is for --drop");
        return mlk_err_hint(e, "add --drop, or see 'mlkit dataset convert'");
    }
    if (!c->drop[0]) return MLK_OK;
    MLK_TRY(mlk_drop_kinds(d, c->drop, e));
    if (c->out[0]) return known_ending(c->out, e);
    MLK_FAIL(e, MLK_EINVAL, "--drop needs a file to write");
    return mlk_err_hint(e, "add -o NAME.h5 or -o NAME.xyz");
}

mlk_status mlk_dataset_checking(int argc, char **argv, mlk_err *e)
{
    cfg c;
    int n, n_tests;
    char **words, **tests = mlk_alloc((size_t)argc, sizeof *tests), about[1536];
    bool done = false;
    mlk_dataset ds = {0}, test = {0};
    mlk_check k = {0};
    mlk_drop d = {0};
    if (!tests) return MLK_FAIL(e, MLK_ENOMEM, "no memory for the command line");
    describe(about, sizeof about);
    argc = take_tests(argc, argv, tests, &n_tests);
    mlk_status s = mlk_cmd_begin(
        opts, &c, argc, argv, NULL,
        "mlkit dataset check DATA... [--test DATA] [--drop[=KIND,...] -o CLEAN.h5|.xyz] [--json]",
        about, "mlkit dataset check train/ --test test.xyz", &n, &words, &done, e);
    if (!s && !done) s = prepare(&c, &d, e);
    if (!s && !done) s = mlk_dataset_inputs(&ds, n, words, c.from, true, "check", e);
    for (int i = 0; i < n_tests && !s && !done; i++)
        s = mlk_dataset_read_all(&test, tests[i], c.from, e);
    if (!s && !done) s = run_checks(&c, &ds, n_tests ? &test : NULL, &k, e);
    if (!s && !done) s = finish(&c, &ds, n_tests ? &test : NULL, &k, &d, e);
    if (!s && !done) s = usable(&ds, e);
    mlk_free(d.why);
    mlk_free(tests);
    mlk_check_free(&k);
    mlk_dataset_free(&test);
    mlk_dataset_free(&ds);
    return s;
}
