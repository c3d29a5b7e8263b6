/* frame.c - see frame.h. */
#include "core/frame.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/element.h"
#include "core/mem.h"

const int mlk_voigt_a[6] = {0, 1, 2, 0, 1, 2}, mlk_voigt_b[6] = {0, 1, 2, 1, 2, 0};

mlk_status mlk_frame_init(mlk_frame *fr, size_t n, mlk_err *e)
{
    memset(fr, 0, sizeof *fr);
    fr->n = n;
    fr->z = mlk_alloc(n, sizeof *fr->z);
    fr->x = mlk_alloc(n, sizeof *fr->x);
    fr->f = mlk_alloc(n, sizeof *fr->f);
    fr->scf = MLK_SCF_UNKNOWN;
    fr->energy0 = fr->temperature = NAN;
    if (!fr->z || !fr->x || !fr->f) {
        mlk_frame_free(fr);
        return MLK_FAIL(e, MLK_ENOMEM, "cannot hold a frame of %zu atoms", n);
    }
    return MLK_OK;
}

void mlk_frame_free(mlk_frame *fr)
{
    mlk_free(fr->z);
    mlk_free(fr->x);
    mlk_free(fr->f);
    mlk_free(fr->v);
    memset(fr, 0, sizeof *fr);
}

mlk_status mlk_frame_copy(const mlk_frame *src, mlk_frame *dst, mlk_err *e)
{
    return mlk_frame_repeat(src, (const int[3]){1, 1, 1}, dst, e);
}

mlk_status mlk_frame_repeat(const mlk_frame *src, const int rep[3], mlk_frame *dst, mlk_err *e)
{
    for (int k = 0; k < 3; k++)
        if (rep[k] < 1 || (rep[k] > 1 && !src->cell.pbc[k]))
            return MLK_FAIL(e, MLK_EINVAL, "cannot repeat the cell %d times along direction %d",
                            rep[k], k + 1);
    size_t m = (size_t)rep[0] * (size_t)rep[1] * (size_t)rep[2];
    MLK_TRY(mlk_frame_init(dst, src->n * m, e));
    mlk_frame keep = *dst;
    *dst = *src;
    dst->n = keep.n;
    dst->z = keep.z;
    dst->x = keep.x;
    dst->f = keep.f;
    dst->v = NULL;
    if (src->v && !(dst->v = mlk_alloc(dst->n, sizeof *dst->v))) {
        mlk_frame_free(dst);
        return MLK_FAIL(e, MLK_ENOMEM, "cannot hold a frame of %zu atoms", dst->n);
    }
    size_t o = 0;
    for (int a = 0; a < rep[0]; a++)
        for (int b = 0; b < rep[1]; b++)
            for (int c = 0; c < rep[2]; c++)
                for (size_t i = 0; i < src->n; i++, o++) {
                    dst->z[o] = src->z[i];
                    for (int k = 0; k < 3; k++) {
                        dst->x[o][k] = src->x[i][k] + a * src->cell.h[0][k] +
                                       b * src->cell.h[1][k] + c * src->cell.h[2][k];
                        if (src->f) dst->f[o][k] = src->f[i][k];
                        if (src->v) dst->v[o][k] = src->v[i][k];
                    }
                }
    if (m > 1) {
        double h[3][3];
        for (int a = 0; a < 3; a++)
            for (int k = 0; k < 3; k++) h[a][k] = rep[a] * src->cell.h[a][k];
        bool pbc[3] = {src->cell.pbc[0], src->cell.pbc[1], src->cell.pbc[2]};
        mlk_status s = mlk_cell_init(&dst->cell, (const double(*)[3])h, e);
        if (s) {
            mlk_frame_free(dst);
            return s;
        }
        memcpy(dst->cell.pbc, pbc, sizeof pbc);
        dst->energy *= (double)m;
        dst->energy0 *= (double)m;
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++) dst->virial[a][b] *= (double)m;
    }
    return MLK_OK;
}

size_t mlk_frame_species(const mlk_frame *fr, int *z)
{
    bool seen[MLK_ELEMENT_MAX + 1] = {false};
    for (size_t i = 0; i < fr->n; i++)
        if (fr->z[i] > 0 && fr->z[i] <= MLK_ELEMENT_MAX) seen[fr->z[i]] = true;
    size_t m = 0;
    for (int k = 1; k <= MLK_ELEMENT_MAX; k++)
        if (seen[k]) z[m++] = k;
    return m;
}

char *mlk_frame_formula(const mlk_frame *fr, char *buf, size_t cap)
{
    int z[MLK_ELEMENT_MAX];
    size_t m = mlk_frame_species(fr, z), len = 0;
    if (cap) buf[0] = 0;
    for (size_t k = 0; k < m && len < cap; k++) {
        size_t count = 0;
        for (size_t i = 0; i < fr->n; i++) count += fr->z[i] == z[k];
        int w = snprintf(buf + len, cap - len, count > 1 ? "%s%zu" : "%s", mlk_element_symbol(z[k]),
                         count);
        len += w > 0 ? (size_t)w : 0;
    }
    return buf;
}

mlk_status mlk_frame_check(const mlk_frame *fr, mlk_err *e)
{
    if (fr->n == 0) return MLK_FAIL(e, MLK_EFORMAT, "the frame has no atoms");
    for (size_t i = 0; i < fr->n; i++) {
        if (fr->z[i] < 1 || fr->z[i] > MLK_ELEMENT_MAX)
            return MLK_FAIL(e, MLK_EFORMAT, "atom %zu has no known element", i + 1);
        for (int k = 0; k < 3; k++) {
            if (!isfinite(fr->x[i][k]))
                return MLK_FAIL(e, MLK_EFORMAT, "position of atom %zu is not finite", i + 1);
            if ((fr->has & MLK_HAS_FORCE) && !isfinite(fr->f[i][k]))
                return MLK_FAIL(e, MLK_EFORMAT, "force on atom %zu is not finite", i + 1);
            if ((fr->has & MLK_HAS_VELOCITY) && !isfinite(fr->v[i][k]))
                return MLK_FAIL(e, MLK_EFORMAT, "velocity of atom %zu is not finite", i + 1);
        }
    }
    if ((fr->has & MLK_HAS_ENERGY) && !isfinite(fr->energy))
        return MLK_FAIL(e, MLK_EFORMAT, "the energy is not finite");
    if (fr->has & MLK_HAS_VIRIAL)
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                if (!isfinite(fr->virial[a][b]))
                    return MLK_FAIL(e, MLK_EFORMAT, "the stress is not finite");
    return MLK_OK;
}
