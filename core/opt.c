/* opt.c - see opt.h. */
#include "core/opt.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

bool mlk_parse_double(const char *text, double *v)
{
    char *end;
    errno = 0;
    double d = strtod(text, &end);
    if (end == text || !isfinite(d)) return false;
    while (isspace((unsigned char)*end)) end++;
    if (*end) return false;
    *v = d;
    return true;
}

bool mlk_parse_long(const char *text, long *v)
{
    char *end;
    errno = 0;
    long l = strtol(text, &end, 10);
    if (end == text || errno) return false;
    while (isspace((unsigned char)*end)) end++;
    if (*end) return false;
    *v = l;
    return true;
}

/* number followed by one of the units; units ends with {NULL,0} */
static bool parse_unit(const char *text, const char *const *unit, const double *factor, double *v)
{
    char *end;
    double d = strtod(text, &end);
    if (end == text || !isfinite(d)) return false;
    while (isspace((unsigned char)*end)) end++;
    for (int k = 0; unit[k]; k++)
        if (!strcmp(end, unit[k])) {
            *v = d * factor[k];
            return true;
        }
    return false;
}

bool mlk_parse_time_fs(const char *text, double *fs)
{
    static const char *const unit[] = {"fs", "ps", "ns", NULL};
    static const double factor[] = {1, 1e3, 1e6};
    if (!strcmp(text, "0")) {
        *fs = 0;
        return true;
    }
    return parse_unit(text, unit, factor, fs);
}

static bool parse_wall(const char *text, double *sec)
{
    static const char *const unit[] = {"", "s", "min", "h", "d", NULL};
    static const double factor[] = {1, 1, 60, 3600, 86400};
    return parse_unit(text, unit, factor, sec);
}

static bool same_key(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        char ca = *a == '_' ? '-' : *a, cb = *b == '_' ? '-' : *b;
        if (ca != cb) return false;
    }
    return *a == *b;
}

const mlk_opt *mlk_opt_find(const mlk_opt *table, const char *key)
{
    for (const mlk_opt *o = table; o->key; o++)
        if (same_key(o->key, key)) return o;
    return NULL;
}

static size_t distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b), row[128];
    if (na > 100 || nb > 100) return 100;
    for (size_t k = 0; k <= nb; k++) row[k] = k;
    for (size_t i = 1; i <= na; i++) {
        size_t diag = row[0];
        row[0] = i;
        for (size_t k = 1; k <= nb; k++) {
            size_t up = row[k], best = diag + (a[i - 1] != b[k - 1]);
            if (up + 1 < best) best = up + 1;
            if (row[k - 1] + 1 < best) best = row[k - 1] + 1;
            row[k] = best;
            diag = up;
        }
    }
    return row[nb];
}

static mlk_status unknown_key(const mlk_opt *table, const char *key, mlk_err *e)
{
    const char *best = NULL;
    size_t dist = 4;
    for (const mlk_opt *o = table; o->key; o++)
        if (distance(o->key, key) < dist) dist = distance(o->key, key), best = o->key;
    MLK_FAIL(e, MLK_EINVAL, "unknown option '%s'", key);
    if (best) mlk_err_hint(e, "did you mean '%s'?", best);
    return MLK_EINVAL;
}

static bool in_range(const mlk_opt *o, double v)
{
    return o->min == o->max || (v >= o->min && v <= o->max);
}

static mlk_status bad(const mlk_opt *o, const char *value, const char *what, mlk_err *e)
{
    MLK_FAIL(e, MLK_EINVAL, "option '%s': '%s' is not %s", o->key, value, what);
    if (o->min != o->max)
        mlk_err_hint(e, "allowed: %g to %g%s%s", o->min, o->max, o->unit && *o->unit ? " " : "",
                     o->unit ? o->unit : "");
    return MLK_EINVAL;
}

/* next item of a comma, 'x' or blank separated list, brackets ignored; false at the end */
static bool next_item(const char **p, char *item, size_t cap)
{
    while (**p && strchr(" ,[]\t", **p)) ++*p;
    size_t n = 0;
    while (**p && !strchr(" ,[]\t", **p)) {
        if (n + 1 < cap) item[n++] = **p;
        ++*p;
    }
    item[n] = 0;
    return n > 0;
}

mlk_status mlk_opt_set(const mlk_opt *table, void *cfg, const char *key, const char *value,
                       mlk_err *e)
{
    const mlk_opt *o = mlk_opt_find(table, key);
    if (!o) return unknown_key(table, key, e);
    void *field = (char *)cfg + o->offset;
    double d;
    long l;
    char item[128];
    switch (o->type) {
    case MLK_OPT_FLAG:
        if (!strcmp(value, "true") || !strcmp(value, "yes") || !strcmp(value, "1"))
            *(bool *)field = true;
        else if (!strcmp(value, "false") || !strcmp(value, "no") || !strcmp(value, "0"))
            *(bool *)field = false;
        else
            return bad(o, value, "true or false", e);
        return MLK_OK;
    case MLK_OPT_INT:
        if (!mlk_parse_long(value, &l) || l > INT_MAX || l < INT_MIN || !in_range(o, (double)l))
            return bad(o, value, "an allowed whole number", e);
        *(int *)field = (int)l;
        return MLK_OK;
    case MLK_OPT_REAL:
        if (!strcmp(value, "auto")) {
            *(double *)field = NAN;
            return MLK_OK;
        }
        if (!mlk_parse_double(value, &d) || !in_range(o, d))
            return bad(o, value, "an allowed number", e);
        *(double *)field = d;
        return MLK_OK;
    case MLK_OPT_TIME:
        if (!mlk_parse_time_fs(value, &d) || !in_range(o, d)) {
            mlk_err_hint(e, "write a unit: 5fs, 20ps, 1ns");
            return bad(o, value, "a time", e);
        }
        *(double *)field = d;
        return MLK_OK;
    case MLK_OPT_WALL:
        if (!parse_wall(value, &d) || !in_range(o, d)) {
            mlk_err_hint(e, "write for example 90s, 10min, 2h");
            return bad(o, value, "a duration", e);
        }
        *(double *)field = d;
        return MLK_OK;
    case MLK_OPT_STR:
        if (strlen(value) >= MLK_OPT_STR_MAX) return bad(o, value, "short enough", e);
        snprintf(field, MLK_OPT_STR_MAX, "%s", value);
        return MLK_OK;
    case MLK_OPT_INTS: {
        mlk_ints *v = field;
        v->n = 0;
        for (const char *p = value; next_item(&p, item, sizeof item);) {
            if (!mlk_parse_long(item, &l) || l > INT_MAX || l < INT_MIN || !in_range(o, (double)l))
                return bad(o, item, "an allowed whole number", e);
            if (v->n == MLK_OPT_LIST_MAX) return bad(o, value, "a short enough list", e);
            v->v[v->n++] = (int)l;
        }
        return MLK_OK;
    }
    case MLK_OPT_REALS: {
        mlk_reals *v = field;
        v->n = 0;
        for (const char *p = value; next_item(&p, item, sizeof item);) {
            if (!mlk_parse_double(item, &d) || !in_range(o, d))
                return bad(o, item, "an allowed number", e);
            if (v->n == MLK_OPT_LIST_MAX) return bad(o, value, "a short enough list", e);
            v->v[v->n++] = d;
        }
        return MLK_OK;
    }
    case MLK_OPT_SIZE3: {
        int *v = field, used = 0;
        if (sscanf(value, "%dx%dx%d%n", &v[0], &v[1], &v[2], &used) != 3 || value[used] ||
            !in_range(o, v[0]) || !in_range(o, v[1]) || !in_range(o, v[2]))
            return bad(o, value, "of the form 3x3x2", e);
        return MLK_OK;
    }
    case MLK_OPT_CHOICE: {
        const char *p = o->unit;
        for (int k = 0; *p; k++) {
            size_t n = strcspn(p, "|");
            if (strlen(value) == n && !strncmp(p, value, n)) {
                *(int *)field = k;
                return MLK_OK;
            }
            p += n + (p[n] == '|');
        }
        MLK_FAIL(e, MLK_EINVAL, "option '%s': '%s' is not one of %s", o->key, value, o->unit);
        return MLK_EINVAL;
    }
    }
    return MLK_FAIL(e, MLK_EBUG, "option '%s' has no type", o->key);
}

mlk_status mlk_opt_defaults(const mlk_opt *table, void *cfg, mlk_err *e)
{
    for (const mlk_opt *o = table; o->key; o++)
        if (o->def && mlk_opt_set(table, cfg, o->key, o->def, e)) return MLK_EBUG;
    return MLK_OK;
}

char *mlk_opt_print(const mlk_opt *o, const void *cfg, char *buf, size_t cap)
{
    const void *field = (const char *)cfg + o->offset;
    size_t len = 0;
    buf[0] = 0;
    switch (o->type) {
    case MLK_OPT_FLAG:
        snprintf(buf, cap, "%s", *(const bool *)field ? "true" : "false");
        break;
    case MLK_OPT_INT:
        snprintf(buf, cap, "%d", *(const int *)field);
        break;
    case MLK_OPT_REAL:
        if (isnan(*(const double *)field))
            snprintf(buf, cap, "auto");
        else
            snprintf(buf, cap, "%.10g", *(const double *)field);
        break;
    case MLK_OPT_TIME: {
        double fs = *(const double *)field;
        if (fs >= 1e3)
            snprintf(buf, cap, "%.10gps", fs * 1e-3);
        else
            snprintf(buf, cap, "%.10gfs", fs);
        break;
    }
    case MLK_OPT_WALL:
        snprintf(buf, cap, "%.10gs", *(const double *)field);
        break;
    case MLK_OPT_STR:
        snprintf(buf, cap, "%s", (const char *)field);
        break;
    case MLK_OPT_INTS: {
        const mlk_ints *v = field;
        for (int k = 0; k < v->n && len < cap; k++)
            len += (size_t)snprintf(buf + len, cap - len, k ? ",%d" : "%d", v->v[k]);
        break;
    }
    case MLK_OPT_REALS: {
        const mlk_reals *v = field;
        for (int k = 0; k < v->n && len < cap; k++)
            len += (size_t)snprintf(buf + len, cap - len, k ? ",%.10g" : "%.10g", v->v[k]);
        break;
    }
    case MLK_OPT_SIZE3: {
        const int *v = field;
        snprintf(buf, cap, "%dx%dx%d", v[0], v[1], v[2]);
        break;
    }
    case MLK_OPT_CHOICE: {
        const char *p = o->unit;
        for (int k = *(const int *)field; k > 0; k--) p += strcspn(p, "|") + 1;
        snprintf(buf, cap, "%.*s", (int)strcspn(p, "|"), p);
        break;
    }
    }
    return buf;
}

mlk_status mlk_opt_argv(const mlk_opt *table, void *cfg, int argc, char **argv, int *n_words,
                        bool *given, mlk_err *e)
{
    int words = 0;
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        char *a = argv[i];
        bool number = a[0] == '-' && (isdigit((unsigned char)a[1]) || a[1] == '.');
        if (only_words || a[0] != '-' || !a[1] || number) {
            argv[++words] = a;
            continue;
        }
        if (!strcmp(a, "--")) {
            only_words = true;
            continue;
        }
        char key[128];
        const char *name = a + (a[1] == '-' ? 2 : 1), *value = strchr(name, '=');
        snprintf(key, sizeof key, "%.*s", value ? (int)(value - name) : (int)strlen(name), name);
        if (value) value++;
        const mlk_opt *o = mlk_opt_find(table, key);
        if (!o && !strncmp(key, "no-", 3)) {
            o = mlk_opt_find(table, key + 3);
            if (o && o->type == MLK_OPT_FLAG && !value)
                value = "false";
            else
                o = NULL;
        }
        if (!o) {
            unknown_key(table, key, e);
            mlk_err_hint(e, "see --help for the options");
            return MLK_EINVAL;
        }
        if (!value && o->type == MLK_OPT_FLAG) value = "true";
        if (!value) {
            if (i + 1 >= argc) return MLK_FAIL(e, MLK_EINVAL, "option '%s' needs a value", a);
            value = argv[++i];
        }
        MLK_TRY(mlk_opt_set(table, cfg, o->key, value, e));
        if (given) given[o - table] = true;
    }
    *n_words = words;
    return MLK_OK;
}

/* Text in a column that begins at `left` and ends before `width`; the cursor stands at `at`. */
static void wrap(FILE *out, const char *text, int at, int left, int width)
{
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (at > left && at + 1 + n > width) {
            fprintf(out, "\n%*s", left, "");
            at = left;
        } else if (at > left) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", n, text);
        at += n;
        text += n + (text[n] == ' ');
    }
    fputc('\n', out);
}

void mlk_opt_help(const mlk_opt *table, FILE *out)
{
    enum { LEFT = 29, WIDTH = 100 };
    for (const mlk_opt *o = table; o->key; o++) {
        char left[256], text[1024];
        const char *arg = o->type == MLK_OPT_FLAG                               ? ""
                          : o->type == MLK_OPT_CHOICE                           ? o->unit
                          : o->type == MLK_OPT_INT                              ? "N"
                          : o->type == MLK_OPT_TIME                             ? "TIME"
                          : o->type == MLK_OPT_WALL                             ? "DURATION"
                          : o->type == MLK_OPT_SIZE3                            ? "NxNxN"
                          : o->type == MLK_OPT_INTS || o->type == MLK_OPT_REALS ? "LIST"
                          : o->type == MLK_OPT_REAL                             ? "X"
                                                                                : "TEXT";
        int n = snprintf(left, sizeof left, "  %s%s %s", o->key[1] ? "--" : "-", o->key, arg);
        bool shown = o->def && *o->def && o->type != MLK_OPT_FLAG;
        bool unit = o->unit && *o->unit && o->type != MLK_OPT_CHOICE;
        snprintf(text, sizeof text, "%s%s%s%s%s%s%s", o->help, shown || unit ? " (" : "",
                 shown ? "default " : "", shown ? o->def : "", shown && unit ? " " : "",
                 unit ? o->unit : "", shown || unit ? ")" : "");
        fputs(left, out);
        if (n >= LEFT) fputc('\n', out);
        fprintf(out, "%*s", n >= LEFT ? LEFT : LEFT - n, "");
        wrap(out, text, LEFT, LEFT, WIDTH);
    }
}
