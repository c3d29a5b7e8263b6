/* csv.h - small tables with a header line, as mlkit train writes them. */
#ifndef MLK_REPORTS_CSV_H
#define MLK_REPORTS_CSV_H

#include <stddef.h>

#include "core/err.h"

enum { MLK_CSV_COLS = 24 };

typedef struct mlk_csv {
    char *text; /* owned; cells point into it                 */
    const char *head[MLK_CSV_COLS];
    int n_col;
    size_t n;          /* rows                                       */
    const char **cell; /* (n,n_col)                                  */
    size_t cap;
} mlk_csv;

/* No quoting: cells are names and numbers. Errors: MLK_EIO; MLK_EFORMAT a row with another number
 * of cells (file:line). */
mlk_status mlk_csv_read(mlk_csv *t, const char *path, mlk_err *e);
void mlk_csv_free(mlk_csv *t);
/* Column by name; -1 when there is none. */
int mlk_csv_col(const mlk_csv *t, const char *name);
const char *mlk_csv_text(const mlk_csv *t, size_t row, int col);
/* NaN for an empty or non-numeric cell or col < 0. */
double mlk_csv_num(const mlk_csv *t, size_t row, int col);

#endif
