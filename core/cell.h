/* cell.h - the simulation cell: rows of h are the lattice vectors, Cartesian = fractional * h. */
#ifndef MLK_CORE_CELL_H
#define MLK_CORE_CELL_H

#include <stdbool.h>

#include "core/err.h"

typedef struct mlk_cell {
    double h[3][3];    /* lattice vectors as rows [A]                       */
    double hinv[3][3]; /* inverse: fractional = Cartesian * hinv [1/A]      */
    double volume;     /* |det h| [A^3]                                     */
    double height[3];  /* distance between opposite faces [A]               */
    bool pbc[3];       /* periodic along each lattice vector                */
} mlk_cell;

/* Derived fields from h; pbc all true. Errors: MLK_EINVAL for a singular or non-finite h. */
mlk_status mlk_cell_init(mlk_cell *c, const double h[3][3], mlk_err *e);
void mlk_cell_frac(const mlk_cell *c, const double x[3], double s[3]);
void mlk_cell_cart(const mlk_cell *c, const double s[3], double x[3]);

#endif
