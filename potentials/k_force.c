/* k_force.c - see k_force.h. A pair adds to the rows of both its atoms, each one vector of four
 * doubles (four such with W), so that what is written at random fits the nearest cache. */
#include "potentials/k_force.h"

#include "core/cpu.h"

typedef double quad __attribute__((vector_size(32)));

static inline MLK_BODY size_t scatter_body(const mlk_neigh *nl, size_t i0, size_t i1,
                                           double *const p[3], double *row)
{
    quad *rows = (quad *)row;
    const double *px = p[0], *py = p[1], *pz = p[2];
    for (size_t i = i0, k = nl->start[i0]; i < i1; i++) {
        quad sum = {0};
        for (; k < nl->start[i + 1]; k++) {
            quad f = {*px++, *py++, *pz++, 0};
            sum += f;
            rows[nl->j[k]] -= f;
        }
        rows[i] += sum;
    }
    return nl->start[i1] - nl->start[i0];
}

static inline MLK_BODY size_t scatter_w_body(const mlk_neigh *nl, size_t i0, size_t i1,
                                             double *const p[3], double *row)
{
    quad(*rows)[4] = (quad(*)[4])row;
    const double *px = p[0], *py = p[1], *pz = p[2];
    const double *x = nl->r[0], *y = nl->r[1], *z = nl->r[2];
    for (size_t i = i0, k = nl->start[i0]; i < i1; i++) {
        quad sum = {0};
        for (; k < nl->start[i + 1]; k++) {
            quad f = {*px++, *py++, *pz++, 0}, *to = rows[nl->j[k]];
            sum += f;
            to[0] -= f;
            to[1] -= f * x[k];
            to[2] -= f * y[k];
            to[3] -= f * z[k];
        }
        rows[i][0] += sum;
    }
    return nl->start[i1] - nl->start[i0];
}

static inline MLK_BODY size_t drain_body(size_t n, double *restrict from, double *restrict to)
{
#pragma omp simd
    for (size_t a = 0; a < n; a++) to[a] += from[a], from[a] = 0;
    return n;
}

MLK_KERNEL3(size_t, drain, (size_t n, double *from, double *to), (n, from, to))
MLK_KERNEL3(size_t, scatter,
            (const mlk_neigh *nl, size_t i0, size_t i1, double *const p[3], double *row),
            (nl, i0, i1, p, row))
MLK_KERNEL3(size_t, scatter_w,
            (const mlk_neigh *nl, size_t i0, size_t i1, double *const p[3], double *row),
            (nl, i0, i1, p, row))

mlk_force_fn *mlk_force_kernel(bool with_w)
{
    return with_w ? scatter_w_table[mlk_cpu_level()] : scatter_table[mlk_cpu_level()];
}

void mlk_force_drain(size_t n, double *from, double *to)
{
    drain_table[mlk_cpu_level()](n, from, to);
}
