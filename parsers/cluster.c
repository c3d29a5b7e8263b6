/* cluster.c - see cluster.h. */
#include "parsers/cluster.h"

#include <math.h>
#include <string.h>

mlk_status mlk_isolated_cell(mlk_frame *fr, mlk_err *e)
{
    double h[3][3] = {{0}};
    for (int k = 0; k < 3; k++) {
        double lo = INFINITY, hi = -INFINITY;
        for (size_t i = 0; i < fr->n; i++) {
            lo = fmin(lo, fr->x[i][k]);
            hi = fmax(hi, fr->x[i][k]);
        }
        h[k][k] = (hi > lo ? hi - lo : 0) + 2 * MLK_ISOLATED_MARGIN;
    }
    MLK_TRY(mlk_cell_init(&fr->cell, (const double(*)[3])h, e));
    memset(fr->cell.pbc, 0, sizeof fr->cell.pbc);
    fr->has |= MLK_HAS_CELL;
    return MLK_OK;
}

bool mlk_isolated(const mlk_frame *fr)
{
    return !fr->cell.pbc[0] && !fr->cell.pbc[1] && !fr->cell.pbc[2];
}
