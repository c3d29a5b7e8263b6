/* dataset_select.c - mlkit dataset select: which frames of a pool to compute next. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/dataset_select.h"
#include "cli/dataset_verbs.h"
#include "core/element.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "datasets/suspect.h"
#include "potentials/potential.h"
#include "train/describe.h"

typedef enum { FPS, MAXVOL } method;

typedef struct cfg {
    mlk_common common;
    char out[MLK_OPT_STR_MAX], model[MLK_OPT_STR_MAX], have[MLK_OPT_STR_MAX];
    int n, method;
    double threshold, resolution, close, memory;
    bool whiten, labels, force;
} cfg;

static const mlk_opt select_opts[] = {
    {"model", MLK_OPT_STR, offsetof(cfg, model), "", 0, 0, "",
     "model whose descriptors compare the frames: NEP or SNAP, trained or not yet good"},
    {"n", MLK_OPT_INT, offsetof(cfg, n), "0", 0, 10000000, "", "frames to choose, at most"},
    {"method", MLK_OPT_CHOICE, offsetof(cfg, method), "fps", 0, 0, "fps|maxvol",
     "fps: spread evenly over the pool; maxvol: where a linear model extrapolates"},
    {"have", MLK_OPT_STR, offsetof(cfg, have), "", 0, 0, "",
     "frames already computed; takes all words up to the next option"},
    {"o", MLK_OPT_STR, offsetof(cfg, out), "", 0, 0, "",
     "NAME.xyz(.gz), NAME.h5, or a folder: NNNN_GROUP_STEP/POSCAR and index.csv"},
    {"threshold", MLK_OPT_REAL, offsetof(cfg, threshold), "auto", 0, 1e6, "",
     "stop when no score in the pool is above it; auto: grade 1.1 (maxvol), distance 0 (fps)"},
    {"whiten", MLK_OPT_FLAG, offsetof(cfg, whiten), "false", 0, 0, "",
     "fps: principal components of the features, all with the same weight"},
    {"resolution", MLK_OPT_REAL, offsetof(cfg, resolution), "0.01", 1e-5, 1, "",
     "maxvol: differences that do not count, of the deviation of the largest component"},
    {"close", MLK_OPT_REAL, offsetof(cfg, close), "0.5", 0, 3, "A",
     "leave out frames with two atoms closer than this"},
    {"memory", MLK_OPT_REAL, offsetof(cfg, memory), "4", 0.001, 10000, "GB",
     "maxvol: most memory for the coordinates of all atoms"},
    {"labels", MLK_OPT_FLAG, offsetof(cfg, labels), "true", 0, 0, "",
     "--no-labels: drop energies, forces and stresses that the pool has (never in a POSCAR)"},
    {"force", MLK_OPT_FLAG, offsetof(cfg, force), "false", 0, 0, "", "write over existing files"},
    MLK_COMMON_OPTS(cfg),
    {0}};

typedef struct job {
    cfg c;
    mlk_potential *pot;
    mlk_dataset ds;         /* owned frames first, then the pool                   */
    size_t n_own;           /* of them                                             */
    size_t *index;          /* (n_pool + n_have) frames in use: pool, then owned   */
    size_t n_pool, n_have;  /* in use                                              */
    size_t n_same, n_close; /* of the pool, left out                               */
    size_t n_atoms;         /* in the pool in use                                  */
    mlk_pick *pick;         /* (n) frame: index in ds                              */
    size_t n;
    size_t active; /* features that differ (fps)                          */
    double before; /* largest score before the first pick, NaN: no frames owned */
    double threshold;
    mlk_rows rows;
    mlk_maxvol mv;
} job;

static void job_free(job *b)
{
    mlk_potential_destroy(b->pot);
    mlk_dataset_free(&b->ds);
    mlk_free(b->index), mlk_free(b->pick);
    mlk_rows_free(&b->rows);
    mlk_maxvol_free(&b->mv);
}

/* Move the words after every --have (up to the next option) out of argv. rest (argc) and have
 * (argc) are filled; the option table never sees --have, its row is there for --help. */
static mlk_status take_have(int argc, char **argv, char **rest, int *n_rest, char **have,
                            int *n_have, mlk_err *e)
{
    *n_rest = *n_have = 0;
    for (int i = 0; i < argc; i++) {
        bool joined = !strncmp(argv[i], "--have=", 7);
        if (strcmp(argv[i], "--have") && !joined) {
            rest[(*n_rest)++] = argv[i];
            continue;
        }
        int before = *n_have;
        if (joined && argv[i][7]) have[(*n_have)++] = argv[i] + 7;
        while (!joined && i + 1 < argc && argv[i + 1][0] != '-') have[(*n_have)++] = argv[++i];
        if (*n_have == before) return MLK_FAIL(e, MLK_EINVAL, "option '--have' needs a value");
    }
    return MLK_OK;
}

static mlk_status check(const cfg *c, int n_words, int n_have, mlk_err *e)
{
    if (n_words == 0 && n_have > 0) {
        MLK_FAIL(e, MLK_EINVAL, "no pool given");
        return mlk_err_hint(e, "--have takes all words up to the next option: put the pool first");
    }
    if (n_words && !c->model[0]) {
        MLK_FAIL(e, MLK_EINVAL, "no model given");
        return mlk_err_hint(e, "add --model FOLDER, made by 'mlkit train', or a nep.txt");
    }
    if (n_words && c->n < 1) {
        MLK_FAIL(e, MLK_EINVAL, "how many frames?");
        return mlk_err_hint(e, "add -n N; the column 'left' then shows when fewer would do");
    }
    if (n_words && !c->out[0]) {
        MLK_FAIL(e, MLK_EINVAL, "no output given");
        return mlk_err_hint(e, "add -o NAME.xyz, NAME.h5, or a folder of POSCARs NAME/");
    }
    if (c->method == MAXVOL && c->threshold <= 1) {
        MLK_FAIL(e, MLK_EINVAL, "threshold %g for maxvol", c->threshold);
        return mlk_err_hint(e, "a grade of 1 is no extrapolation; usual are 1.1 to 2");
    }
    return MLK_OK;
}

/* Pool frames in use: no copy of an owned or earlier frame, no overlapping atoms. */
static mlk_status filter(job *b, mlk_err *e)
{
    mlk_suspects sus = {0};
    size_t n = b->ds.n, *same = mlk_alloc(n, sizeof *same);
    b->index = mlk_alloc(n, sizeof *b->index);
    mlk_status s = same && b->index ? mlk_dataset_suspect(&b->ds, &sus, e)
                                    : MLK_FAIL(e, MLK_ENOMEM, "%zu frames", n);
    for (size_t k = 0; k < sus.n && !s; k++)
        if (sus.item[k].kind == MLK_SUSPECT_DUPLICATE ||
            sus.item[k].kind == MLK_SUSPECT_CONTRADICTION)
            same[sus.item[k].frame] = sus.item[k].other + 1;
    for (size_t i = b->n_own; i < n && !s; i++) {
        const mlk_frame *fr = &b->ds.frame[i];
        double d = 0;
        if (same[i]) {
            b->n_same++;
            mlk_log(MLK_LOG_DEBUG, "%s:%ld: the same structure as %s:%ld", fr->source, fr->line,
                    b->ds.frame[same[i] - 1].source, b->ds.frame[same[i] - 1].line);
            continue;
        }
        if (b->c.close > 0) s = mlk_select_closest(fr, b->c.close, &d, e);
        if (s) mlk_err_at(e, fr->source, fr->line);
        if (!s && d < b->c.close) {
            b->n_close++;
            mlk_log(MLK_LOG_WARN, "%s:%ld: left out, two atoms are %.3f A apart", fr->source,
                    fr->line, d);
            continue;
        }
        b->index[b->n_pool++] = i;
        b->n_atoms += fr->n;
    }
    for (size_t i = 0; i < b->n_own && !s; i++)
        if (!same[i]) b->index[b->n_pool + b->n_have++] = i;
    mlk_suspects_free(&sus);
    mlk_free(same);
    if (s) return s;
    if (b->n_same)
        mlk_log(MLK_LOG_INFO, "%zu frames left out: the same structure is owned or comes earlier",
                b->n_same);
    if (b->n_pool == 0)
        return MLK_FAIL(e, MLK_EINVAL, "nothing to choose from: %zu duplicates, %zu overlapping",
                        b->n_same, b->n_close);
    return MLK_OK;
}

static mlk_status run_fps(job *b, mlk_err *e)
{
    size_t d = mlk_describe_width(b->pot), n = b->n_pool, m = b->n_have;
    double *x = mlk_alloc((n + m) * (d ? d : 1), sizeof *x);
    if (!x) return MLK_FAIL(e, MLK_ENOMEM, "features of %zu frames", n + m);
    mlk_status s = mlk_describe_features(b->pot, &b->ds, n + m, b->index, x, e);
    if (!s) mlk_select_standardise(n, m, d, x, &b->active);
    if (!s && b->c.whiten) s = mlk_select_whiten(n, m, d, x, &b->active, e);
    if (!s)
        s = mlk_select_fps(n, m, d, b->active, x, (size_t)b->c.n, b->threshold, b->pick, &b->n,
                           &b->before, e);
    mlk_free(x);
    return s;
}

static mlk_status run_maxvol(job *b, mlk_err *e)
{
    size_t n = b->n_pool, m = b->n_have;
    MLK_TRY(mlk_describe_rows(b->pot, &b->ds, n + m, b->index, b->c.resolution, b->c.memory * 1e9,
                              &b->rows, e));
    mlk_status s = mlk_select_maxvol(&b->rows, n, (size_t)b->c.n, b->threshold, b->c.resolution,
                                     b->pick, &b->n, &b->mv, e);
    b->before = m ? b->mv.before : NAN;
    return s;
}

static mlk_status choose(job *b, mlk_err *e)
{
    if ((size_t)b->c.n > b->n_pool) b->c.n = (int)b->n_pool;
    b->threshold = !isnan(b->c.threshold) ? b->c.threshold : b->c.method == MAXVOL ? 1.1 : 0;
    b->pick = mlk_alloc((size_t)b->c.n, sizeof *b->pick);
    if (!b->pick) return MLK_FAIL(e, MLK_ENOMEM, "%d frames", b->c.n);
    MLK_TRY(b->c.method == MAXVOL ? run_maxvol(b, e) : run_fps(b, e));
    for (size_t k = 0; k < b->n; k++) b->pick[k].frame = b->index[b->pick[k].frame];
    return MLK_OK;
}

/* ---- results ------------------------------------------------------------------------------- */

static double left(const job *b)
{
    return b->n ? b->pick[b->n - 1].left : b->before;
}

static const char *why(const job *b)
{
    return b->n == b->n_pool                           ? "pool"
           : b->n == (size_t)b->c.n                    ? "n"
           : b->c.method == MAXVOL || b->threshold > 0 ? "threshold"
                                                       : "duplicates";
}

static void print_end(const job *b)
{
    const char *w = why(b), *score = b->c.method == MAXVOL ? "grade" : "distance";
    printf("\n%zu of %zu frames chosen: ", b->n, b->n_pool);
    if (!strcmp(w, "pool"))
        printf("that is the whole pool\n");
    else if (!strcmp(w, "n"))
        printf("as many as asked for; the largest %s left is %.3g\n", score, left(b));
    else
        printf("no %s above %g is left\n", score, b->threshold);
    if (b->c.method != MAXVOL) return;
    printf("rank covered / coordinates:");
    for (size_t t = 0; t < b->pot->n_species; t++)
        printf(" %s %zu/%zu", mlk_element_symbol(b->pot->z[t]), b->mv.rank[t], b->rows.dim[t]);
    printf("\n");
}

static void print_table(const job *b)
{
    const char *score = b->c.method == MAXVOL ? "grade" : "distance";
    printf("pool    %zu frames, %zu atoms; left out: %zu duplicates, %zu with overlapping atoms\n",
           b->n_pool, b->n_atoms, b->n_same, b->n_close);
    printf("owned   %zu frames\n", b->n_have);
    printf("model   %s, %zu descriptors per atom\n", b->pot->type->name,
           b->pot->type->n_desc(b->pot));
    if (b->c.method == MAXVOL)
        printf("method  maxvol: extrapolation grade, 1 is none\n");
    else
        printf("method  fps: distance over %zu features, in deviations of the pool\n", b->active);
    if (!isnan(b->before)) printf("largest %s before the first: %.3g\n", score, b->before);
    size_t wide = 11;
    char where[300];
    for (size_t k = 0; k < b->n; k++) {
        const mlk_frame *fr = &b->ds.frame[b->pick[k].frame];
        size_t len = (size_t)snprintf(where, sizeof where, "%s:%ld", fr->source, fr->line);
        if (len > wide) wide = len;
    }
    printf("\nrank  %-*s  %8s  %10s  %10s\n", (int)wide, "source:line", "step", score, "left");
    for (size_t k = 0; k < b->n; k++) {
        const mlk_frame *fr = &b->ds.frame[b->pick[k].frame];
        snprintf(where, sizeof where, "%s:%ld", fr->source, fr->line);
        printf("%4zu  %-*s  %8d  %10.4g  %10.4g\n", k + 1, (int)wide, where, fr->step,
               b->pick[k].score, b->pick[k].left);
    }
    print_end(b);
}

static mlk_status print_json(const job *b, mlk_err *e)
{
    json_t *list = json_array();
    for (size_t k = 0; k < b->n; k++) {
        const mlk_frame *fr = &b->ds.frame[b->pick[k].frame];
        json_array_append_new(list, json_pack("{s:I,s:s,s:I,s:i,s:i,s:s,s:o,s:o}", "rank",
                                              (json_int_t)k + 1, "source", fr->source, "line",
                                              (json_int_t)fr->line, "run", fr->run, "step",
                                              fr->step, "group", fr->group, "score",
                                              mlk_json_real(b->pick[k].score), "left",
                                              mlk_json_real(b->pick[k].left)));
    }
    json_t *j = json_pack(
        "{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:s,s:s,s:o}", "method",
        b->c.method == MAXVOL ? "maxvol" : "fps", "model", b->pot->type->name, "n_descriptors",
        (json_int_t)b->pot->type->n_desc(b->pot), "n_pool", (json_int_t)b->n_pool, "n_owned",
        (json_int_t)b->n_have, "n_duplicates", (json_int_t)b->n_same, "n_overlapping",
        (json_int_t)b->n_close, "threshold", mlk_json_real(b->threshold), "before",
        mlk_json_real(b->before), "ended_by", why(b), "output", b->c.out, "selected", list);
    if (j && b->c.method == MAXVOL) {
        json_t *rank = json_object();
        for (size_t t = 0; t < b->pot->n_species; t++)
            json_object_set_new(rank, mlk_element_symbol(b->pot->z[t]),
                                json_pack("{s:I,s:I}", "covered", (json_int_t)b->mv.rank[t],
                                          "coordinates", (json_int_t)b->rows.dim[t]));
        json_object_set_new(j, "rank", rank);
    }
    mlk_status s = mlk_json_write(j, "-", e);
    json_decref(j);
    return s;
}

/* Labels of a pool made by a model must not pass for DFT. */
static void warn_of_labels(const job *b)
{
    size_t n = 0;
    for (size_t k = 0; k < b->n; k++)
        n += (b->ds.frame[b->pick[k].frame].has & (MLK_HAS_ENERGY | MLK_HAS_FORCE)) != 0;
    if (n && b->c.labels && mlk_select_format_of(b->c.out) != MLK_SELECT_POSCARS)
        mlk_log(MLK_LOG_WARN,
                "%s: %zu frames carry energies or forces of the pool; --no-labels drops them",
                b->c.out, n);
}

static mlk_status run(job *b, int n_pool, char **pool, int n_have, char **have, mlk_err *e)
{
    for (int k = 0; k < n_have; k++) MLK_TRY(mlk_dataset_read_all(&b->ds, have[k], NULL, e));
    b->n_own = b->ds.n;
    MLK_TRY(mlk_dataset_inputs(&b->ds, n_pool, pool, NULL, true, "select", e));
    MLK_TRY(mlk_select_may_write(&b->ds, b->c.out, b->c.force, e));
    MLK_TRY(mlk_potential_read(&b->pot, b->c.model, e));
    MLK_TRY(filter(b, e));
    MLK_TRY(choose(b, e));
    if (b->n)
        MLK_TRY(mlk_select_write(&b->ds, b->pick, b->n, b->c.out, b->c.labels, b->c.force, e));
    if (b->n)
        warn_of_labels(b);
    else
        mlk_log(MLK_LOG_WARN, "%s: not written, nothing in the pool is worth it", b->c.out);
    if (b->c.common.json) return print_json(b, e);
    print_table(b);
    return MLK_OK;
}

mlk_status mlk_dataset_selecting(int argc, char **argv, mlk_err *e)
{
    job b = {0};
    int n, n_rest, n_have;
    char **words, **rest = mlk_alloc((size_t)argc + 1, sizeof *rest),
                  **have = mlk_alloc((size_t)argc + 1, sizeof *have);
    bool done = false;
    mlk_status s = rest && have ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "%d arguments", argc);
    if (!s) s = take_have(argc, argv, rest, &n_rest, have, &n_have, e);
    if (!s)
        s = mlk_cmd_begin(
            select_opts, &b.c, n_rest, rest, NULL,
            "mlkit dataset select POOL... --model MODEL -n N [--have DATA...] -o OUT [options]",
            "Choose the frames of a pool (an MD run, say) that are worth a DFT calculation, in "
            "the\n"
            "space of a model's descriptors. The column 'left' is the largest score that remains\n"
            "after each choice: where it levels off, further frames bring little.",
            "mlkit dataset select md.xyz --model models/nep-1 -n 30 --have train.h5 -o next/", &n,
            &words, &done, e);
    if (!s && !done) s = check(&b.c, n, n_have, e);
    if (!s && !done) s = run(&b, n, words, n_have, have, e);
    job_free(&b);
    mlk_free(rest), mlk_free(have);
    return s;
}
