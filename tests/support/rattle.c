/* rattle.c - see rattle.h. */
#include "tests/support/rattle.h"

#include <math.h>

#include "core/rng.h"

mlk_status mlk_test_crystal(size_t n, size_t n_species, const int *z, double edge, double dmin,
                            uint64_t seed, mlk_frame *fr, mlk_err *e)
{
    const double h[3][3] = {{edge, 0.05 * edge, -0.03 * edge},
                            {-0.11 * edge, 0.97 * edge, 0.07 * edge},
                            {0.04 * edge, -0.06 * edge, 1.05 * edge}};
    mlk_rng g = mlk_rng_make(seed, 1);
    MLK_TRY(mlk_frame_init(fr, n, e));
    MLK_TRY(mlk_cell_init(&fr->cell, h, e));
    fr->has = MLK_HAS_CELL;
    for (size_t i = 0; i < n; i++) {
        fr->z[i] = z[i % n_species];
        for (int attempt = 0; attempt < 2000; attempt++) {
            double s[3] = {mlk_rng_uniform(&g), mlk_rng_uniform(&g), mlk_rng_uniform(&g)};
            mlk_cell_cart(&fr->cell, s, fr->x[i]);
            double nearest = INFINITY;
            for (size_t j = 0; j < i; j++) {
                double d[3], f[3];
                for (int k = 0; k < 3; k++) d[k] = fr->x[i][k] - fr->x[j][k];
                mlk_cell_frac(&fr->cell, d, f);
                for (int k = 0; k < 3; k++) f[k] -= floor(f[k] + 0.5);
                mlk_cell_cart(&fr->cell, f, d);
                nearest = fmin(nearest, sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]));
            }
            if (nearest > dmin) break;
        }
    }
    return MLK_OK;
}
