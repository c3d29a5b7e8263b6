/* csv.c - see csv.h. */
#include "reports/csv.h"

#include <math.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/opt.h"

/* Cut a line at its commas; returns the number of cells (at most MLK_CSV_COLS + 1). */
static int cut(char *line, const char **cell)
{
    int n = 0;
    for (char *p = line; p; n++) {
        char *comma = strchr(p, ',');
        if (comma) *comma = 0;
        if (n < MLK_CSV_COLS) cell[n] = p;
        if (n == MLK_CSV_COLS) return n + 1;
        p = comma ? comma + 1 : NULL;
    }
    return n;
}

mlk_status mlk_csv_read(mlk_csv *t, const char *path, mlk_err *e)
{
    *t = (mlk_csv){0};
    MLK_TRY(mlk_file_slurp(path, &t->text, NULL, e));
    mlk_status s = MLK_OK;
    long line = 0;
    for (char *p = t->text; p && *p;) {
        char *end = strchr(p, '\n'), *next = end ? end + 1 : NULL;
        if (end) *end = 0;
        size_t len = strlen(p);
        if (len && p[len - 1] == '\r') p[len - 1] = 0;
        line++;
        const char *cell[MLK_CSV_COLS];
        if (*p && *p != '#') {
            int n = cut(p, cell);
            if (!t->n_col) {
                if (n > MLK_CSV_COLS)
                    MLK_GO(MLK_FAIL(e, MLK_EFORMAT, "more than %d columns", MLK_CSV_COLS));
                t->n_col = n;
                memcpy(t->head, cell, sizeof cell[0] * (size_t)n);
            } else {
                if (n != t->n_col)
                    MLK_GO(MLK_FAIL(e, MLK_EFORMAT, "%d cells, expected %d", n, t->n_col));
                MLK_GO(MLK_GROW(t->cell, t->cap, (t->n + 1) * (size_t)n, e));
                memcpy(&t->cell[t->n++ * (size_t)n], cell, sizeof cell[0] * (size_t)n);
            }
        }
        p = next;
    }
    if (!t->n_col) s = MLK_FAIL(e, MLK_EFORMAT, "the table is empty");
done:
    if (s) {
        mlk_err_at(e, path, line);
        mlk_csv_free(t);
    }
    return s;
}

void mlk_csv_free(mlk_csv *t)
{
    mlk_free(t->text);
    mlk_free(t->cell);
    *t = (mlk_csv){0};
}

int mlk_csv_col(const mlk_csv *t, const char *name)
{
    for (int k = 0; k < t->n_col; k++)
        if (!strcmp(t->head[k], name)) return k;
    return -1;
}

const char *mlk_csv_text(const mlk_csv *t, size_t row, int col)
{
    return col < 0 ? "" : t->cell[row * (size_t)t->n_col + (size_t)col];
}

double mlk_csv_num(const mlk_csv *t, size_t row, int col)
{
    double v;
    return mlk_parse_double(mlk_csv_text(t, row, col), &v) ? v : NAN;
}
