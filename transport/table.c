/* table.c - plain tables of any program, and the averages of LAMMPS' fix ave/time; see table.h. */
#include "transport/table.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"
#include "transport/facts.h"

/* number behind `word`, blanks and = or :, 0 if there is none */
static double number_after(const char *line, const char *word)
{
    const char *p = strstr(line, word), *end;
    double v;
    if (!p) return 0;
    p += strlen(word);
    p += strspn(p, " \t=:");
    return mlk_number_at(p, &end, &v) ? v : 0;
}

/* "# Volume = 65013.3 A^3", "# print_step = 5.0 fs", "# LAMMPS metal units" */
static void read_comment(mlk_facts *f, const char *line)
{
    const char *p = line + strspn(line, "# \t");
    double v = !strncmp(p, "Volume", 6) || !strncmp(p, "volume", 6) ? number_after(p, "olume") : 0;
    if (v != 0) f->volume = v, f->volume_from = "comment";
    v = number_after(p, "print_step");
    if (v > 0 && strstr(p, "fs")) f->dt = v, f->dt_from = "comment print_step";
    if (strstr(p, "LAMMPS metal units")) f->units = MLK_UNITS_METAL, f->units_from = "comment";
    if (strstr(p, "LAMMPS real units")) f->units = MLK_UNITS_REAL, f->units_from = "comment";
}

static bool begins_with_number(const char *p)
{
    char *end;
    strtod(p, &end);
    return end != p && (!*end || strchr(" \t,;", *end));
}

/* "# TimeStep c_flux[1] c_flux[2]": the names of fix ave/time */
static bool is_names(const char *line)
{
    const char *p = line + strspn(line, "# \t");
    return !strncmp(p, "TimeStep ", 9) && !strstr(p, "Number-of-rows");
}

/* names in a comment: none begins with a digit, and some are those of an energy flux */
static bool names_of_comment(mlk_columns *c, const char *comment, size_t n, const mlk_table_opts *o)
{
    bool fits = mlk_columns_names(c, comment + strspn(comment, "# \t"), "") && c->n == n;
    for (size_t k = 0; fits && k < n; k++) fits = !isdigit((unsigned char)c->name[k][0]);
    c->named = fits && mlk_columns_have_flux(c, o);
    for (size_t k = 0; !c->named && k < MLK_COLUMNS_MAX; k++) c->name[k][0] = 0;
    return c->named;
}

/* comments and header; stops at the first line of numbers */
static mlk_status read_head(mlk_columns *c, mlk_facts *f, mlk_lines *l, const mlk_table_opts *o,
                            mlk_err *e)
{
    bool more;
    char comment[4096] = ""; /* the last one */
    for (;;) {
        MLK_TRY(mlk_lines_next(l, &more, e));
        if (!more) {
            MLK_FAIL(e, MLK_EFORMAT, "no numbers in this file");
            mlk_err_hint(e, "a table is expected: one row per sample, columns separated by blanks");
            return mlk_err_at(e, l->path, 0);
        }
        const char *p = l->line + strspn(l->line, " \t");
        if (!*p) continue;
        if (*p == '#') {
            read_comment(f, p);
            snprintf(comment, sizeof comment, "%s", p);
            if (!is_names(p)) continue;
            f->kind = "fix ave/time";
            p += strspn(p, "# \t");
        }
        if (begins_with_number(p)) break;
        if (c->named) {
            MLK_FAIL(e, MLK_EFORMAT, "'%.*s' is not a number", (int)strcspn(p, " \t,;"), p);
            mlk_err_hint(e, "one header line is skipped (line %ld here); start others with #",
                         c->line);
            return mlk_lines_err(l, e);
        }
        c->line = l->number;
        if (!mlk_columns_names(c, p, "")) {
            MLK_FAIL(e, MLK_EFORMAT, "more than %d columns", MLK_COLUMNS_MAX);
            return mlk_lines_err(l, e);
        }
    }
    size_t n = 0;
    for (const char *p = l->line; *(p += strspn(p, " \t,;")); n++) p += strcspn(p, " \t,;");
    if (c->named && n != c->n) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu columns, the header in line %ld names %zu", n, c->line, c->n);
        return mlk_lines_err(l, e);
    }
    if (n > MLK_COLUMNS_MAX) {
        MLK_FAIL(e, MLK_EFORMAT, "more than %d columns", MLK_COLUMNS_MAX);
        return mlk_lines_err(l, e);
    }
    if (!c->named) {
        c->line = l->number;
        if (names_of_comment(c, comment, n, o)) c->line--;
    }
    c->n = n;
    return MLK_OK;
}

static mlk_status read_rows(mlk_sampler *r, mlk_lines *l, mlk_err *e)
{
    bool more = true;
    long first = l->number;
    for (; more;) {
        const char *p = l->line + strspn(l->line, " \t,;");
        if (*p && *p != '#') {
            size_t found;
            MLK_TRY(mlk_sampler_parse(r, l, &found, e));
            if (found != r->n_col) {
                MLK_FAIL(e, MLK_EFORMAT, "%zu columns, expected %zu as in line %ld", found,
                         r->n_col, first);
                if (l->cut && found < r->n_col)
                    mlk_err_hint(e, "the last line is incomplete: cut it off");
                return mlk_lines_err(l, e);
            }
            MLK_TRY(mlk_sampler_take(r, l->number, e));
        }
        MLK_TRY(mlk_lines_next(l, &more, e));
    }
    return mlk_sampler_finish(r, e);
}

static mlk_status read_table(mlk_flux *fl, mlk_lines *l, const mlk_table_opts *o, mlk_err *e)
{
    mlk_columns c = {0};
    mlk_sampler r = {0};
    mlk_facts f = {.kind = "table"};
    double energy, velocity;
    mlk_status s;
    MLK_GO(mlk_columns_init(&c, l->path, e));
    MLK_GO(read_head(&c, &f, l, o, e));
    MLK_GO(mlk_columns_choose(&c, o, e));
    mlk_units_factors(mlk_facts_units(&f, o), &energy, &velocity);
    MLK_GO(mlk_flux_init(fl, 0, c.m, c.nc, 0, l->path, e));
    memcpy(fl->label, c.label, sizeof fl->label);
    MLK_GO(mlk_sampler_init(&r, fl, l->path, c.n, e));
    MLK_GO(mlk_sampler_columns(&r, &c, energy, velocity, e));
    MLK_GO(mlk_facts_enough(&f, &r, o, e)); /* rather now than after a long file */
    MLK_GO(read_rows(&r, l, e));
    s = mlk_facts_settle(&f, fl, &r, &c, o, e);
done:
    mlk_sampler_free(&r);
    mlk_columns_free(&c);
    return s;
}

mlk_status mlk_table_read(mlk_flux *fl, const char *path, const mlk_table_opts *o, mlk_err *e)
{
    memset(fl, 0, sizeof *fl);
    mlk_lines l;
    const char *head;
    mlk_status s;
    MLK_GO(mlk_lines_open(&l, path, e));
    MLK_GO(mlk_lines_peek(&l, &head, e));
    if (mlk_is_lammps_log(head))
        s = mlk_read_lammps_log(fl, &l, o, e);
    else if (mlk_is_vectors(head))
        s = mlk_read_vectors(fl, &l, o, e);
    else if (!(o->energy && *o->energy) && mlk_is_gpumd(path, head))
        s = mlk_read_gpumd(fl, &l, o, e);
    else
        s = read_table(fl, &l, o, e);
done:
    mlk_lines_close(&l);
    if (s) mlk_flux_free(fl);
    return s;
}
