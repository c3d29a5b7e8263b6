/* cell.c - see cell.h. */
#include "core/cell.h"

#include <math.h>
#include <string.h>

mlk_status mlk_cell_init(mlk_cell *c, const double h[3][3], mlk_err *e)
{
    memset(c, 0, sizeof *c);
    memcpy(c->h, h, sizeof c->h);
    double cof[3][3];
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            int i1 = (i + 1) % 3, i2 = (i + 2) % 3, k1 = (k + 1) % 3, k2 = (k + 2) % 3;
            cof[i][k] = h[i1][k1] * h[i2][k2] - h[i1][k2] * h[i2][k1];
        }
    double det = h[0][0] * cof[0][0] + h[0][1] * cof[0][1] + h[0][2] * cof[0][2];
    double len = 1;
    for (int i = 0; i < 3; i++)
        len *= sqrt(h[i][0] * h[i][0] + h[i][1] * h[i][1] + h[i][2] * h[i][2]);
    if (!isfinite(det) || !(fabs(det) > 1e-9 * len))
        return MLK_FAIL(e, MLK_EINVAL, "the cell is singular or not finite (volume %g A^3)", det);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) c->hinv[k][i] = cof[i][k] / det;
    c->volume = fabs(det);
    for (int i = 0; i < 3; i++) {
        double a = sqrt(cof[i][0] * cof[i][0] + cof[i][1] * cof[i][1] + cof[i][2] * cof[i][2]);
        c->height[i] = c->volume / a;
        c->pbc[i] = true;
    }
    return MLK_OK;
}

void mlk_cell_frac(const mlk_cell *c, const double x[3], double s[3])
{
    for (int k = 0; k < 3; k++)
        s[k] = x[0] * c->hinv[0][k] + x[1] * c->hinv[1][k] + x[2] * c->hinv[2][k];
}

void mlk_cell_cart(const mlk_cell *c, const double s[3], double x[3])
{
    for (int k = 0; k < 3; k++) x[k] = s[0] * c->h[0][k] + s[1] * c->h[1][k] + s[2] * c->h[2][k];
}
