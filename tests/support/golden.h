/* golden.h - the files of the shared VASP collection against their references: one row per file. */
#ifndef MLK_TESTS_GOLDEN_H
#define MLK_TESTS_GOLDEN_H

#include <stddef.h>

#include "core/frame.h"
#include "core/json.h"

typedef struct mlk_golden {
    size_t want, read; /* frames                                     */
    double worst;      /* largest difference                         */
    char why[512];     /* first difference beyond its tolerance, or "" */
    char note[64];     /* to print with the row                      */
} mlk_golden;

/* The reference of a data file ("OUTCAR_x.gz": golden/OUTCAR_x.json); json_decref it. Skips the
 * test when there are no shared data. A bare Infinity, which JSON does not know, is read as null.
 */
json_t *mlk_golden_load(const char *name);
/* d: difference of `what` in this step; beyond tol (or NaN) the file fails. */
void mlk_golden_differ(mlk_golden *c, const char *what, size_t step, double d, double tol);
/* Largest |sum of v (n,3) - want|. */
double mlk_golden_sum_diff(const json_t *want, const double (*v)[3], size_t n);
/* The stress in kB, row by row. */
void mlk_golden_kbar(const mlk_frame *fr, double kb[9]);
/* Are the atoms counts[0] of names[0], counts[1] of names[1], ...? */
bool mlk_golden_types(const json_t *names, const json_t *counts, const mlk_frame *fr);
void mlk_golden_head(void);
/* Print the row of a file and expect that nothing differs. */
void mlk_golden_row(const char *name, const mlk_golden *c);

/* Read the file `path` and compare it with g. */
typedef void (*mlk_golden_fn)(const char *path, const char *name, const json_t *g, mlk_golden *c);
/* Every file of the collection whose name begins with prefix; there must be at_least so many. */
void mlk_golden_each(const char *prefix, size_t at_least, mlk_golden_fn fn);

#endif
