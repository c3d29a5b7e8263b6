/* neigh_pairs.c - see neigh_pairs.h. */
#include "core/neigh_pairs.h"

#include "core/cpu.h"

static inline MLK_BODY size_t distances_body(size_t n, const double *const xs[3],
                                             const double *from, const double *shift,
                                             double *restrict d2)
{
    const double *restrict x = xs[0], *restrict y = xs[1], *restrict z = xs[2];
    double x0 = from[0], y0 = from[1], z0 = from[2], tx = shift[0], ty = shift[1], tz = shift[2];
#pragma omp simd
    for (size_t a = 0; a < n; a++) {
        /* exactly odd under exchange of the two atoms */
        double dx = (x[a] - x0) + tx, dy = (y[a] - y0) + ty, dz = (z[a] - z0) + tz;
        d2[a] = dx * dx + dy * dy + dz * dz;
    }
    return n;
}

static inline MLK_BODY size_t vectors_body(mlk_neigh *nl, const mlk_cell *cell,
                                           const double (*xs)[3], size_t i0, size_t i1)
{
    const double(*h)[3] = cell->h;
    const double *restrict x = &xs[0][0];
    const int *restrict j = nl->j;
    const signed char *restrict a = nl->image[0], *restrict b = nl->image[1],
                                *restrict c = nl->image[2];
    double *restrict rx = nl->r[0], *restrict ry = nl->r[1], *restrict rz = nl->r[2];
    for (size_t i = i0; i < i1; i++) {
        double x0 = xs[i][0], y0 = xs[i][1], z0 = xs[i][2];
#pragma omp simd
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            long q = 3L * j[k];
            double fa = a[k], fb = b[k], fc = c[k];
            rx[k] = (x[q] - x0) + (fa * h[0][0] + fb * h[1][0] + fc * h[2][0]);
            ry[k] = (x[q + 1] - y0) + (fa * h[0][1] + fb * h[1][1] + fc * h[2][1]);
            rz[k] = (x[q + 2] - z0) + (fa * h[0][2] + fb * h[1][2] + fc * h[2][2]);
        }
    }
    return nl->start[i1] - nl->start[i0];
}

MLK_KERNEL3(size_t, distances,
            (size_t n, const double *const x[3], const double *from, const double *shift,
             double *d2),
            (n, x, from, shift, d2))
MLK_KERNEL3(size_t, vectors,
            (mlk_neigh * nl, const mlk_cell *cell, const double (*x)[3], size_t i0, size_t i1),
            (nl, cell, x, i0, i1))

void mlk_neigh_distances(size_t n, const double *const x[3], const double *from,
                         const double *shift, double *d2)
{
    distances_table[mlk_cpu_level()](n, x, from, shift, d2);
}

void mlk_neigh_vectors(mlk_neigh *nl, const mlk_cell *cell, const double (*x)[3], size_t i0,
                       size_t i1)
{
    vectors_table[mlk_cpu_level()](nl, cell, x, i0, i1);
}
