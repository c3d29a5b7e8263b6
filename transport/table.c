/* table.c - see table.h. One pass over the text; only the columns asked for are converted. */
#include "transport/table.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/units.h"

enum { NAME = 64, MAX_COL = 256 };

typedef struct table {
    const char *path;
    char (*name)[NAME]; /* (n_col) header names, "" without header */
    size_t n_col;
    long header_line, first_line;
    size_t m; /* fluxes */
    char label[MLK_FLUX_MAX][32];
    int col[3 * MLK_FLUX_MAX]; /* 0-based columns of flux a, component c at 3a+c */
    int temp_col;              /* -1: none */
    double volume;             /* from a comment, 0 if none */
} table;

static bool is_sep(char c)
{
    return c == ' ' || c == '\t' || c == ',' || c == ';' || c == '\r';
}

/* next word of a line; false at its end */
static bool next_word(const char **p, const char **w, size_t *len)
{
    while (is_sep(**p)) ++*p;
    *w = *p;
    while (**p && **p != '\n' && !is_sep(**p)) ++*p;
    *len = (size_t)(*p - *w);
    return *len > 0;
}

static mlk_status fail_at(const table *t, long line, mlk_err *e)
{
    return mlk_err_at(e, t->path, line);
}

/* a line "# Volume = 65013.3 A^3" */
static void read_comment(table *t, const char *line)
{
    const char *p = line + strspn(line, "# \t");
    if (strncmp(p, "Volume", 6) && strncmp(p, "volume", 6)) return;
    p += 6;
    p += strspn(p, " \t=:");
    char *end;
    double v = strtod(p, &end);
    if (end != p && v > 0 && isfinite(v)) t->volume = v;
}

/* find header and first data line; count columns */
static mlk_status read_head(table *t, const char *text, mlk_err *e)
{
    long line = 1;
    size_t header_cols = 0;
    for (const char *p = text; *p; line++) {
        const char *q = p, *w;
        size_t len, n = 0;
        p += strcspn(p, "\n");
        p += *p == '\n';
        while (isspace((unsigned char)*q) && q < p) q++;
        if (q >= p) continue;
        if (*q == '#') {
            read_comment(t, q);
            continue;
        }
        char *end;
        strtod(q, &end);
        bool number = end != q && (is_sep(*end) || *end == '\n' || !*end);
        for (const char *r = q; next_word(&r, &w, &len); n++) {
            if (n >= MAX_COL) {
                MLK_FAIL(e, MLK_EFORMAT, "more than %d columns", MAX_COL);
                return fail_at(t, line, e);
            }
            if (!number) snprintf(t->name[n], NAME, "%.*s", (int)len, w);
        }
        if (number) {
            t->n_col = n;
            t->first_line = line;
            if (t->header_line && header_cols != n) {
                MLK_FAIL(e, MLK_EFORMAT, "%zu columns, the header in line %ld names %zu", n,
                         t->header_line, header_cols);
                return fail_at(t, line, e);
            }
            return MLK_OK;
        }
        if (t->header_line) {
            MLK_FAIL(e, MLK_EFORMAT, "'%.*s' is not a number", (int)strcspn(q, " \t,;\r\n"), q);
            mlk_err_hint(e, "one header line is skipped (line %ld here); start others with #",
                         t->header_line);
            return fail_at(t, line, e);
        }
        t->header_line = line;
        header_cols = n;
    }
    MLK_FAIL(e, MLK_EFORMAT, "no numbers in this file");
    mlk_err_hint(e, "a table is expected: one row per sample, columns separated by blanks");
    return fail_at(t, 0, e);
}

/* column number (from 1) or header name -> index, -1 if neither */
static int find_column(const table *t, const char *w, size_t len)
{
    for (size_t k = 0; k < t->n_col; k++)
        if (strlen(t->name[k]) == len && !strncmp(t->name[k], w, len)) return (int)k;
    int v = 0;
    for (size_t k = 0; k < len; k++) {
        if (!isdigit((unsigned char)w[k]) || v > 100000) return -1;
        v = 10 * v + (w[k] - '0');
    }
    return v >= 1 && (size_t)v <= t->n_col ? v - 1 : -1;
}

static mlk_status unknown_column(const table *t, const char *w, size_t len, mlk_err *e)
{
    MLK_FAIL(e, MLK_EINVAL, "no column '%.*s': the table has columns 1 to %zu%s", (int)len, w,
             t->n_col, t->header_line ? " and the names in its header" : " and no header");
    return fail_at(t, t->header_line ? t->header_line : t->first_line, e);
}

/* "2-4", "2,3,4", "Jx,Jy,Jz" -> three columns */
static mlk_status parse_triple(const table *t, const char *spec, size_t len, int col[3], mlk_err *e)
{
    const char *dash = memchr(spec, '-', len);
    int lo = dash ? find_column(t, spec, (size_t)(dash - spec)) : -1;
    int hi = dash ? find_column(t, dash + 1, len - (size_t)(dash + 1 - spec)) : -1;
    if (lo >= 0 && hi == lo + 2) {
        for (int c = 0; c < 3; c++) col[c] = lo + c;
        return MLK_OK;
    }
    size_t rest = dash ? len - (size_t)(dash + 1 - spec) : 0;
    if (lo >= 0 && hi < 0 && rest > 0 && strspn(dash + 1, "0123456789") >= rest)
        return unknown_column(t, dash + 1, rest, e);
    int n = 0;
    if (lo >= 0 && hi >= lo) n = hi - lo + 1;
    for (const char *p = spec, *end = n ? spec : spec + len; p < end; n++) {
        size_t w = 0;
        while (p + w < end && p[w] != ',') w++;
        if (n < 3) {
            col[n] = find_column(t, p, w);
            if (col[n] < 0) return unknown_column(t, p, w, e);
        }
        p += w + 1;
    }
    if (n == 3) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "'%.*s' names %d columns, a flux has three (x, y, z)", (int)len, spec,
             n);
    mlk_err_hint(e, "write 2-4, or 2,3,4, or three names of the header line");
    return e ? e->code : MLK_EINVAL;
}

/* three neighbouring header names that differ only in a final 1 2 3 or x y z, from column k on;
 * the common stem goes to stem */
static bool triple_at(const table *t, size_t k, char stem[NAME])
{
    static const char ends[2][3] = {{'1', '2', '3'}, {'x', 'y', 'z'}};
    if (k + 2 >= t->n_col) return false;
    for (int v = 0; v < 2; v++) {
        bool ok = true;
        for (size_t c = 0; c < 3 && ok; c++) {
            size_t n = strlen(t->name[k + c]), tail = n && t->name[k + c][n - 1] == ']';
            ok = n > tail + 1 && t->name[k + c][n - tail - 1] == ends[v][c] &&
                 (c == 0 || !strncmp(t->name[k], t->name[k + c], n - tail - 1));
            if (ok && c == 0) snprintf(stem, NAME, "%.*s", (int)(n - tail - 1), t->name[k]);
        }
        if (ok) return true;
    }
    return false;
}

/* energy flux: first triple with "flux" or "J" in its name; other fluxes: triples with "vcm" */
static void columns_from_header(table *t, bool energy, bool others)
{
    char stem[NAME];
    for (size_t k = 0; k + 2 < t->n_col; k++) {
        if (!triple_at(t, k, stem)) continue;
        bool is_vcm = strstr(stem, "vcm") != NULL;
        if (energy && !is_vcm && (strstr(stem, "flux") || stem[0] == 'J')) {
            for (int c = 0; c < 3; c++) t->col[c] = (int)k + c;
            energy = false;
        } else if (others && is_vcm && t->m < MLK_FLUX_MAX) {
            snprintf(t->label[t->m], sizeof t->label[0], "vcm%zu", t->m);
            for (int c = 0; c < 3; c++) t->col[3 * t->m + (size_t)c] = (int)k + c;
            t->m++;
        }
    }
}

static mlk_status choose_columns(table *t, const mlk_table_opts *o, mlk_err *e)
{
    bool energy = o->energy && *o->energy, others = o->flux && *o->flux;
    t->m = 1;
    snprintf(t->label[0], sizeof t->label[0], "energy");
    t->col[0] = -1;
    columns_from_header(t, !energy, !others);
    if (energy) MLK_TRY(parse_triple(t, o->energy, strlen(o->energy), t->col, e));
    if (t->col[0] < 0) {
        MLK_FAIL(e, MLK_EINVAL, "%s: which columns are the energy flux?", t->path);
        mlk_err_hint(e, "for example --energy 2-4 --flux Na=5-7");
        return e ? e->code : MLK_EINVAL;
    }
    for (const char *p = others ? o->flux : ""; *p;) {
        size_t len = strcspn(p, ";"), eq = strcspn(p, "=");
        if (eq == 0 || eq >= len || eq >= sizeof t->label[0])
            return MLK_FAIL(e, MLK_EINVAL, "--flux %.*s: expected NAME=COLUMNS, e.g. Na=5-7",
                            (int)len, p);
        if (t->m == MLK_FLUX_MAX)
            return MLK_FAIL(e, MLK_EINVAL, "more than %d fluxes", MLK_FLUX_MAX - 1);
        snprintf(t->label[t->m], sizeof t->label[0], "%.*s", (int)eq, p);
        MLK_TRY(parse_triple(t, p + eq + 1, len - eq - 1, t->col + 3 * t->m, e));
        t->m++;
        p += len + (p[len] == ';');
    }
    t->temp_col = -1;
    if (o->temp_col && *o->temp_col) {
        t->temp_col = find_column(t, o->temp_col, strlen(o->temp_col));
        if (t->temp_col < 0) return unknown_column(t, o->temp_col, strlen(o->temp_col), e);
    } else if (!(o->temperature > 0)) {
        static const char *const names[] = {"Temp", "temp", "c_thermo_temp", "T"};
        for (size_t k = 0; k < 4 && t->temp_col < 0; k++)
            t->temp_col = find_column(t, names[k], strlen(names[k]));
        if (t->temp_col < 0) {
            MLK_FAIL(e, MLK_EINVAL, "the temperature is not known");
            mlk_err_hint(e, "give --temp 650 or --temp-col 1");
            return e ? e->code : MLK_EINVAL;
        }
    }
    return MLK_OK;
}

/* strtod for the usual "-123.456e-7": with at most 15 digits and a power of ten up to 22 both
 * factors are exact, so one operation gives the correctly rounded number (Clinger 1990); else
 * strtod itself */
static double number(const char *w, const char **end)
{
    static const double ten[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *p = w;
    bool minus = *p == '-', point = false;
    p += *p == '-' || *p == '+';
    uint64_t v = 0;
    int digits = 0, ex = 0;
    for (; digits <= 15; p++) {
        if (*p >= '0' && *p <= '9')
            v = 10 * v + (uint64_t)(*p - '0'), digits += v > 0, ex -= point;
        else if (*p == '.' && !point)
            point = true;
        else
            break;
    }
    bool seen = p > w && isdigit((unsigned char)p[-1]);
    if (seen && (*p == 'e' || *p == 'E')) {
        bool down = p[1] == '-';
        const char *q = p + 1 + (p[1] == '-' || p[1] == '+');
        int x = 0;
        for (seen = isdigit((unsigned char)*q); isdigit((unsigned char)*q) && x < 1000; q++)
            x = 10 * x + (*q - '0');
        ex += down ? -x : x;
        p = q;
    }
    if (!seen || digits > 15 || ex < -22 || ex > 22 || !(is_sep(*p) || *p == '\n' || !*p)) {
        char *stop;
        double d = strtod(w, &stop);
        *end = stop;
        return d;
    }
    *end = p;
    double d = ex < 0 ? (double)v / ten[-ex] : (double)v * ten[ex];
    return minus ? -d : d;
}

/* rows of the wanted columns, (n, n_want) */
static mlk_status read_rows(const table *t, const char *text, const int *slot, size_t n_want,
                            double **rows, size_t *n, mlk_err *e)
{
    size_t cap = 0, used = 0;
    long line = 1;
    for (const char *p = text; *p; line++) {
        const char *q = p, *w;
        size_t len, k = 0;
        p += strcspn(p, "\n");
        bool complete = *p == '\n';
        p += complete;
        if (line < t->first_line) continue;
        while (is_sep(*q)) q++;
        if (*q == '#' || *q == '\n' || !*q) continue;
        MLK_TRY(MLK_GROW(*rows, cap, used + n_want, e));
        for (; next_word(&q, &w, &len); k++) {
            if (k >= t->n_col || slot[k] < 0) continue;
            const char *end;
            double v = number(w, &end);
            if (end != w + len) {
                MLK_FAIL(e, MLK_EFORMAT, "column %zu: '%.*s' is not a number", k + 1, (int)len, w);
                return fail_at(t, line, e);
            }
            if (!isfinite(v)) {
                MLK_FAIL(e, MLK_ENUMERIC, "column %zu: '%.*s' is not finite", k + 1, (int)len, w);
                mlk_err_hint(e, "the run diverged here, or the output is damaged");
                return fail_at(t, line, e);
            }
            (*rows)[used + (size_t)slot[k]] = v;
        }
        if (k != t->n_col) {
            MLK_FAIL(e, MLK_EFORMAT, "%zu columns, expected %zu as in line %ld", k, t->n_col,
                     t->first_line);
            if (!*p && k < t->n_col) mlk_err_hint(e, "the last line is incomplete: cut it off");
            return fail_at(t, line, e);
        }
        used += n_want;
    }
    *n = used / n_want;
    return MLK_OK;
}

/* factors to eV A/ps (energy flux) and A/ps (velocity sums) */
static void unit_factors(mlk_units u, double *energy, double *velocity)
{
    static const double kcal_mol =
        4184.0 / 6.02214076e23 / MLK_E_C; /* thermochemical kcal/mol [eV] */
    switch (u) {
    case MLK_UNITS_METAL:
        *energy = 1, *velocity = 1;
        break;
    case MLK_UNITS_REAL:
        *energy = kcal_mol * 1e3, *velocity = 1e3;
        break;
    /* natural units: eV A/tau and A/tau */
    case MLK_UNITS_GPUMD:
        *energy = 1 / MLK_TAU_PS, *velocity = 1 / MLK_TAU_PS;
        break;
    /* J m/s and m/s */
    case MLK_UNITS_SI:
        *energy = 1e-2 / MLK_E_C, *velocity = 1e-2;
        break;
    }
}

static mlk_status fill(mlk_flux *fl, const table *t, const mlk_table_opts *o, const double *rows,
                       const int *slot, size_t n_want, mlk_err *e)
{
    double fe = 1, fv = 1, tsum = 0;
    unit_factors(o->units, &fe, &fv);
    if (o->density) fe *= fl->volume, fv *= fl->volume;
    for (size_t a = 0; a < t->m; a++) {
        snprintf(fl->label[a], sizeof fl->label[a], "%s", t->label[a]);
        for (size_t c = 0; c < 3; c++) {
            double *j = mlk_flux_series(fl, a, c), f = a ? fv : fe;
            size_t s = (size_t)slot[t->col[3 * a + c]];
            for (size_t i = 0; i < fl->n; i++) j[i] = f * rows[i * n_want + s];
        }
    }
    fl->temperature = o->temperature;
    if (!(o->temperature > 0)) {
        for (size_t i = 0; i < fl->n; i++) tsum += rows[i * n_want + (size_t)slot[t->temp_col]];
        fl->temperature = tsum / (double)fl->n;
    }
    if (!(fl->temperature > 0)) {
        MLK_FAIL(e, MLK_EFORMAT, "mean temperature %g K", fl->temperature);
        mlk_err_hint(e, "is --temp-col the right column?");
        return fail_at(t, 0, e);
    }
    return MLK_OK;
}

mlk_status mlk_table_read(mlk_flux *fl, const char *path, const mlk_table_opts *o, mlk_err *e)
{
    memset(fl, 0, sizeof *fl);
    bool in = !strcmp(path, "-");
    table t = {.path = in ? "<stdin>" : path};
    char *text = NULL;
    double *rows = NULL;
    size_t n = 0, n_want = 0;
    int slot[MAX_COL];
    mlk_status s;
    t.name = mlk_alloc(MAX_COL, sizeof *t.name);
    if (!t.name) return MLK_FAIL(e, MLK_ENOMEM, "table header");
    MLK_GO(mlk_file_slurp(in ? "/dev/stdin" : path, &text, NULL, e));
    MLK_GO(read_head(&t, text, e));
    MLK_GO(choose_columns(&t, o, e));
    for (size_t k = 0; k < t.n_col; k++) slot[k] = -1;
    for (size_t k = 0; k < 3 * t.m; k++)
        if (slot[t.col[k]] < 0) slot[t.col[k]] = (int)n_want++;
    if (!(o->temperature > 0) && slot[t.temp_col] < 0) slot[t.temp_col] = (int)n_want++;
    if (!(o->dt > 0)) {
        s = MLK_FAIL(e, MLK_EINVAL, "the time between two rows is not known");
        mlk_err_hint(e, "give --dt 5fs");
        goto done;
    }
    if (!(o->volume > 0) && !(t.volume > 0)) {
        s = MLK_FAIL(e, MLK_EINVAL, "the volume of the cell is not known");
        mlk_err_hint(e, "give --volume in A^3");
        goto done;
    }
    MLK_GO(read_rows(&t, text, slot, n_want, &rows, &n, e));
    MLK_GO(mlk_flux_init(fl, n, t.m, 3, 0, path, e));
    fl->dt = o->dt;
    fl->volume = o->volume > 0 ? o->volume : t.volume;
    s = fill(fl, &t, o, rows, slot, n_want, e);
done:
    if (s) mlk_flux_free(fl);
    mlk_free(rows);
    mlk_free(text);
    mlk_free(t.name);
    return s;
}
