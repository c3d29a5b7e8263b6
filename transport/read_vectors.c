/* read_vectors.c - averages of LAMMPS' fix ave/time in mode vector: for every time step a line
 * "step rows", then a line "row value value ..." for each row. Laid out as a table whose columns
 * are TimeStep, name[1], name[2], ... of each value. */
#include <stdio.h>
#include <string.h>

#include "core/number.h"
#include "transport/facts.h"

bool mlk_is_vectors(const char *head)
{
    const char *p = strstr(head, "\n# TimeStep Number-of-rows");
    return head[0] == '#' && p && strstr(p, "\n# Row ");
}

/* numbers of the current line, exactly n */
static mlk_status numbers(const mlk_lines *l, double *v, size_t n, const char *what, mlk_err *e)
{
    if (mlk_numbers_only(l->line, n, v)) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "expected %s (%zu finite numbers), found '%.60s'", what, n, l->line);
    if (l->cut) mlk_err_hint(e, "the last line is incomplete: cut it off");
    return mlk_lines_err(l, e);
}

/* the comments; the values' names stay in c */
static mlk_status read_names(mlk_columns *c, mlk_lines *l, mlk_err *e)
{
    bool more = true;
    while (strncmp(l->line ? l->line : "", "# Row ", 6)) {
        MLK_TRY(mlk_lines_next(l, &more, e));
        if (!more) break;
    }
    if (more && mlk_columns_names(c, l->line + 6, "") && c->n > 0) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "no line '# Row NAME ...'");
    return mlk_lines_err(l, e);
}

/* *n values with `rows` rows each become columns */
static mlk_status lay_out(mlk_columns *c, const mlk_lines *l, size_t rows, mlk_err *e)
{
    size_t n = c->n;
    char name[16][MLK_COLUMN_NAME];
    if (n > 16 || rows < 1 || 1 + n * rows > MLK_COLUMNS_MAX) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu values of %zu rows are too many", n, rows);
        return mlk_lines_err(l, e);
    }
    memcpy(name, c->name, n * sizeof *name);
    snprintf(c->name[0], sizeof *c->name, "TimeStep");
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < rows; i++)
            snprintf(c->name[1 + k * rows + i], sizeof *c->name, "%.50s[%d]", name[k],
                     (int)(i + 1));
    c->n = 1 + n * rows;
    c->line = l->number - 1;
    return MLK_OK;
}

/* blocks from the current line on; an incomplete last block is left out */
static mlk_status read_blocks(mlk_sampler *r, mlk_lines *l, size_t rows, mlk_err *e)
{
    size_t n = (r->n_col - 1) / rows;
    double v[17];
    for (bool more = true; more;) {
        long line = l->number;
        MLK_TRY(numbers(l, v, 2, "'step rows'", e));
        if (v[1] != (double)rows) {
            MLK_FAIL(e, MLK_EFORMAT, "%g rows, expected %zu as before", v[1], rows);
            return mlk_lines_err(l, e);
        }
        r->v[0] = v[0];
        for (size_t i = 0; i < rows; i++) {
            MLK_TRY(mlk_lines_next(l, &more, e));
            if (!more || l->cut) return mlk_sampler_finish(r, e);
            MLK_TRY(numbers(l, v, n + 1, "a row", e));
            for (size_t k = 0; k < n; k++) r->v[1 + k * rows + i] = v[k + 1];
        }
        MLK_TRY(mlk_sampler_take(r, line, e));
        MLK_TRY(mlk_lines_next(l, &more, e));
    }
    return mlk_sampler_finish(r, e);
}

mlk_status mlk_read_vectors(mlk_flux *fl, mlk_lines *l, const mlk_table_opts *o, mlk_err *e)
{
    mlk_columns c = {0};
    mlk_sampler r = {0};
    const mlk_facts f = {.kind = "fix ave/time, vectors"};
    double v[2], energy, velocity;
    bool more;
    mlk_status s;
    MLK_GO(mlk_columns_init(&c, l->path, e));
    MLK_GO(read_names(&c, l, e));
    MLK_GO(mlk_lines_next(l, &more, e));
    MLK_GO(numbers(l, v, 2, "'step rows'", e));
    size_t rows = v[1] >= 1 && v[1] <= MLK_COLUMNS_MAX ? (size_t)v[1] : 0;
    MLK_GO(lay_out(&c, l, rows, e));
    MLK_GO(mlk_columns_choose(&c, o, e));
    mlk_units_factors(mlk_facts_units(&f, o), &energy, &velocity);
    MLK_GO(mlk_flux_init(fl, 0, c.m, c.nc, 0, l->path, e));
    memcpy(fl->label, c.label, sizeof fl->label);
    MLK_GO(mlk_sampler_init(&r, fl, l->path, c.n, e));
    MLK_GO(mlk_sampler_columns(&r, &c, energy, velocity, e));
    MLK_GO(mlk_facts_enough(&f, &r, o, e));
    MLK_GO(read_blocks(&r, l, rows, e));
    s = mlk_facts_settle(&f, fl, &r, &c, o, e);
done:
    mlk_sampler_free(&r);
    mlk_columns_free(&c);
    return s;
}
