/* ranges.c - the range of every descriptor over the training data, and how far an atom lies outside
 * of it (docs/THEORY.md, section 10). A model folder holds the ranges as ranges.csv, bound to its
 * model file by a hash: the ranges of other parameters mean nothing. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/file.h"
#include "core/number.h"
#include "core/threads.h"
#include "potentials/potential.h"

#define NARROW 1e-3   /* narrowest width, in units of the species' widest descriptor */
#define ROUNDING 1e-6 /* below this a model file may round it away: inside           */
#define FIRST_LINE "# format: mlkit-ranges, version: 1, model file sha256: "
#define HEADER "species,descriptor,lowest,highest"
#define LAST_LINE "# end"

mlk_status mlk_ranges_new(mlk_ranges **out, size_t n_species, size_t nd, mlk_err *e)
{
    mlk_ranges *r = mlk_alloc(1, sizeof *r);
    size_t n = n_species * nd;
    if (r) r->lo = mlk_alloc(n, sizeof *r->lo), r->hi = mlk_alloc(n, sizeof *r->hi);
    if (!r || !r->lo || !r->hi) {
        mlk_ranges_free(r);
        return MLK_FAIL(e, MLK_ENOMEM, "ranges of %zu descriptors", nd);
    }
    r->nd = nd;
    for (size_t k = 0; k < n; k++) r->lo[k] = INFINITY, r->hi[k] = -INFINITY;
    *out = r;
    return MLK_OK;
}

void mlk_ranges_free(mlk_ranges *r)
{
    if (!r) return;
    mlk_free(r->lo), mlk_free(r->hi);
    mlk_free(r);
}

void mlk_ranges_widen(mlk_ranges *r, size_t n, const int *type, const double *q)
{
    for (size_t i = 0; i < n; i++) {
        double *lo = r->lo + (size_t)type[i] * r->nd, *hi = r->hi + (size_t)type[i] * r->nd;
        for (size_t d = 0; d < r->nd; d++) {
            lo[d] = fmin(lo[d], q[i * r->nd + d]);
            hi[d] = fmax(hi[d], q[i * r->nd + d]);
        }
    }
}

/* ---- grades --------------------------------------------------------------------------------- */

double mlk_ranges_grade(const mlk_ranges *r, size_t t, const double *q, size_t *which)
{
    const double *lo = r->lo + t * r->nd, *hi = r->hi + t * r->nd;
    double widest = 0, worst = 0;
    if (which) *which = 0;
    if (r->nd && lo[0] > hi[0]) return INFINITY; /* no such atom in the data */
    for (size_t d = 0; d < r->nd; d++) widest = fmax(widest, hi[d] - lo[d]);
    for (size_t d = 0; d < r->nd; d++) {
        if (!isfinite(q[d])) {
            if (which) *which = d;
            return INFINITY;
        }
        double out = fmax(lo[d] - q[d], q[d] - hi[d]);
        double width =
            fmax(fmax(hi[d] - lo[d], NARROW * widest), ROUNDING * fmax(fabs(lo[d]), fabs(hi[d])));
        if (!(out > ROUNDING * width)) continue;
        double g = out / width;
        if (g <= worst) continue;
        worst = g;
        if (which) *which = d;
    }
    return worst;
}

void mlk_grades_free(mlk_grades *g)
{
    mlk_free(g->grade), mlk_free(g->which);
    for (int t = 0; t < g->n_scratch; t++) mlk_scratch_free(&g->scratch[t]);
    mlk_free(g->scratch);
    memset(g, 0, sizeof *g);
}

static mlk_status grades_reserve(mlk_grades *g, size_t n, mlk_err *e)
{
    MLK_TRY(MLK_GROW(g->grade, g->cap_grade, n, e));
    MLK_TRY(MLK_GROW(g->which, g->cap_which, n, e));
    g->n = n;
    if (g->n_scratch >= mlk_threads()) return MLK_OK;
    for (int t = 0; t < g->n_scratch; t++) mlk_scratch_free(&g->scratch[t]);
    mlk_free(g->scratch);
    g->n_scratch = mlk_threads();
    g->scratch = mlk_alloc((size_t)g->n_scratch, sizeof *g->scratch);
    if (g->scratch) return MLK_OK;
    g->n_scratch = 0;
    return MLK_FAIL(e, MLK_ENOMEM, "scratch of %d threads", mlk_threads());
}

mlk_status mlk_potential_grades(const mlk_potential *pot, const mlk_neigh *nl, const int *type,
                                mlk_grades *g, mlk_err *e)
{
    if (!pot->ranges) return MLK_FAIL(e, MLK_EBUG, "the model has no ranges");
    MLK_TRY(grades_reserve(g, nl->n, e));
    size_t n = nl->n, bad_at = SIZE_MAX; /* the first failing atom decides the message */
    mlk_err bad = {0};
#pragma omp parallel for schedule(dynamic, 16) num_threads(g->n_scratch) if (n >= 32)
    for (size_t i = 0; i < n; i++) { /* one by one: the scratch of many would be large */
        mlk_scratch *s = &g->scratch[omp_get_thread_num()];
        mlk_err le = {0};
        mlk_scratch_reset(s);
        double *q = MLK_SCRATCH(s, double, pot->ranges->nd);
        mlk_status st = q ? pot->type->describe(pot, nl, type, i, i + 1, s, q, &le)
                          : MLK_FAIL(&le, MLK_ENOMEM, "descriptors");
        if (!st) {
            g->grade[i] = mlk_ranges_grade(pot->ranges, (size_t)type[i], q, &g->which[i]);
        } else {
#pragma omp critical(mlk_grades_error)
            if (i < bad_at) bad_at = i, bad = le;
        }
    }
    if (bad_at != SIZE_MAX && e && !e->code) *e = bad;
    return bad_at != SIZE_MAX ? bad.code : MLK_OK;
}

/* ---- ranges.csv ----------------------------------------------------------------------------- */

mlk_status mlk_ranges_write(const mlk_potential *pot, const char *dir, mlk_err *e)
{
    const mlk_ranges *r = pot->ranges;
    char path[1024], hex[65];
    MLK_TRY(mlk_file_sha256(mlk_path_join(path, sizeof path, dir, pot->type->file), hex, e));
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, dir, MLK_RANGES_FILE), e));
    fprintf(o.fp, FIRST_LINE "%s\n" HEADER "\n", hex);
    for (size_t t = 0; t < pot->n_species; t++)
        for (size_t d = 0; d < r->nd; d++) {
            double lo = r->lo[t * r->nd + d], hi = r->hi[t * r->nd + d];
            if (lo <= hi) /* a species that the data lack has no rows */
                fprintf(o.fp, "%s,%zu,%.17g,%.17g\n", mlk_element_symbol(pot->z[t]), d + 1, lo, hi);
        }
    fputs(LAST_LINE "\n", o.fp);
    return mlk_out_commit(&o, e);
}

/* "Li,3,lowest,highest" for species t and descriptor d; false: another row, or none. */
static bool row(const mlk_potential *pot, const char *line, size_t t, size_t d, double v[2])
{
    char head[48], pair[64];
    int n = snprintf(head, sizeof head, "%s,%zu,", mlk_element_symbol(pot->z[t]), d + 1);
    if (strncmp(line, head, (size_t)n) || strlen(line + n) >= sizeof pair) return false;
    snprintf(pair, sizeof pair, "%s", line + n);
    char *comma = strchr(pair, ',');
    if (!comma) return false;
    *comma = ' ';
    return mlk_numbers_only(pair, 2, v) && v[0] <= v[1];
}

/* Cut the next line off *text; "" at the end. */
static char *next_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');
    *text = end ? end + 1 : line + strlen(line);
    if (end) *end = 0;
    return line;
}

static mlk_status read_rows(const mlk_potential *pot, char *text, mlk_ranges *r, long *at,
                            mlk_err *e)
{
    char *line = next_line(&text);
    for (size_t t = 0; t < pot->n_species; t++) {
        const char *name = mlk_element_symbol(pot->z[t]);
        size_t len = strlen(name);
        if (strncmp(line, name, len) || line[len] != ',') continue; /* not in the data */
        for (size_t d = 0; d < r->nd; d++, ++*at) {
            double v[2];
            if (!row(pot, line, t, d, v))
                return MLK_FAIL(e, MLK_EFORMAT, "expected '%s,%zu,lowest,highest', found '%.40s'",
                                name, d + 1, line);
            r->lo[t * r->nd + d] = v[0], r->hi[t * r->nd + d] = v[1];
            line = next_line(&text);
        }
    }
    if (!strcmp(line, LAST_LINE)) return MLK_OK;
    return MLK_FAIL(e, MLK_EFORMAT, "expected '" LAST_LINE "' after %zu descriptors, found '%.40s'",
                    r->nd, line);
}

static mlk_status read_text(mlk_potential *pot, const char *hex, char *text, long *at, mlk_err *e)
{
    const char *first = next_line(&text);
    *at = 1;
    if (strncmp(first, FIRST_LINE, strlen(FIRST_LINE)))
        return MLK_FAIL(e, MLK_EFORMAT, "expected '" FIRST_LINE "...'");
    if (strcmp(first + strlen(FIRST_LINE), hex))
        return MLK_FAIL(e, MLK_EFORMAT, "belongs to another %s than the one beside it",
                        pot->type->file);
    *at = 2;
    if (strcmp(next_line(&text), HEADER)) return MLK_FAIL(e, MLK_EFORMAT, "expected '" HEADER "'");
    size_t nd = pot->type->n_desc ? pot->type->n_desc(pot) : 0;
    MLK_TRY(mlk_ranges_new(&pot->ranges, pot->n_species, nd, e));
    *at = 3;
    return read_rows(pot, text, pot->ranges, at, e);
}

mlk_status mlk_ranges_read(mlk_potential *pot, const char *model, const char *path, mlk_err *e)
{
    char hex[65], *text;
    long at = 0;
    MLK_TRY(mlk_file_sha256(model, hex, e));
    mlk_status s = mlk_file_slurp(path, &text, NULL, e);
    if (!s) s = read_text(pot, hex, text, &at, e), mlk_free(text);
    if (!s) return MLK_OK;
    mlk_err_hint(e, "fit the model again; or remove the line 'ranges:' from its model.yaml: then "
                    "MD cannot judge extrapolation");
    mlk_err_at(e, path, at);
    return s;
}
