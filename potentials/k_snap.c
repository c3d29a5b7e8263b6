/* k_snap.c - the SNAP kernel for three instruction sets; see k_snap.h for the equations.
 *
 * The body works on vectors whose lanes are neighbours (densities, forces) or centres (adjoint). It
 * is included once per instruction set rather than stamped with MLK_KERNEL3: the compiler splits
 * vector types for the target of the function they are written in, before it inlines. */
#include "potentials/k_snap.h"

#include <string.h>

#include "core/cpu.h"
#include "core/units.h"

#define VL 1
#define FN(x) x##_scalar
#define TARGET
#include "potentials/k_snap_body.h"

#define VL 4
#define FN(x) x##_avx2
#define TARGET MLK_TARGET_AVX2
#include "potentials/k_snap_body.h"

#define VL 8
#define FN(x) x##_avx512
#define TARGET MLK_TARGET_AVX512
#include "potentials/k_snap_body.h"

size_t k_snap_work(const k_snap *t, size_t max_pairs)
{
    enum { L = 8 };
    size_t nf = (size_t)t->nf, nh = (size_t)t->nh, ne = (size_t)t->ne, j = (size_t)t->twojmax;
    size_t pad = max_pairs + ne * L + 2 * L;
    size_t u = ne * nf * 2 * L, y = ne * nh * 2 * L, acc = nh * 2 * L, x = ne * nh * 8 * L;
    size_t level = 2 * (j / 2 + 1) * (j + 1) * 2 * L;
    size_t slots = t->n_job * ne * L, comp = 2 * t->nk * L, geo = L * (10 * pad + ne + 16);
    return u + y + acc + x + nh * 8 + level + 2 * slots + comp + geo + 32 * L;
}

void k_snap_eval(int level, const k_snap *t, const double *param, const size_t *start, const int *j,
                 double *const r[3], const int *type, size_t i0, size_t i1, double *work, double *u,
                 double *const p[3])
{
    switch (level) {
    case MLK_SIMD_AVX512:
        range_avx512(t, param, start, j, r, type, i0, i1, work, u, p);
        break;
    case MLK_SIMD_AVX2:
        range_avx2(t, param, start, j, r, type, i0, i1, work, u, p);
        break;
    default:
        range_scalar(t, param, start, j, r, type, i0, i1, work, u, p);
    }
}
