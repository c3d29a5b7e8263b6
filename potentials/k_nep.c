/* k_nep.c - the NEP kernels for every instruction set: k_nep_body.h and k_nep_vjp.h, stamped with
 * vectors of 2 (baseline), 4 and 8 doubles. A stamp of its own instead of MLK_KERNEL3, because the
 * vector width is a type here. */
#include "potentials/k_nep.h"

#include <string.h>

#include "core/cpu.h"
#include "core/vmath.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define MLK_NEP_BASIS_MAX 32

/* clang-format off */
const double mlk_nep_clm[MLK_NEP_LM_MAX] = {
#define A 0.238732414637843004 /* 3/(4 pi) */
    A, A, A,
#undef A
#define A 0.397887357729738339 /* 5/(4 pi) */
    A / 4, A * 3, A * 3, A * 3 / 4, A * 3 / 4,
#undef A
#define A 0.557042300821633675 /* 7/(4 pi) */
    A / 4, A * 3 / 8, A * 3 / 8, A * 15 / 4, A * 15 / 4, A * 5 / 8, A * 5 / 8,
#undef A
#define A 0.716197243913529011 /* 9/(4 pi) */
    A / 64, A * 5 / 8, A * 5 / 8, A * 5 / 16, A * 5 / 16, A * 35 / 8, A * 35 / 8, A * 35 / 64, A * 35 / 64,
#undef A
#define PAIR(d) A / (d), A / (d) /* from here on A times 1 and 2 (l-m)!/(l+m)! */
#define A 0.875352187005424346 /* 11/(4 pi) */
    A, PAIR(15.0), PAIR(420.0), PAIR(10080.0), PAIR(181440.0), PAIR(1814400.0),
#undef A
#define A 1.034507130097319682 /* 13/(4 pi) */
    A, PAIR(21.0), PAIR(840.0), PAIR(30240.0), PAIR(907200.0), PAIR(19958400.0), PAIR(239500800.0),
#undef A
#define A 1.193662073189215018 /* 15/(4 pi) */
    A, PAIR(28.0), PAIR(1512.0), PAIR(75600.0), PAIR(3326400.0), PAIR(119750400.0), PAIR(3113510400.0),
    PAIR(43589145600.0),
#undef A
#define A 1.352817016281110354 /* 17/(4 pi) */
    A, PAIR(36.0), PAIR(2520.0), PAIR(166320.0), PAIR(9979200.0), PAIR(518918400.0), PAIR(21794572800.0),
    PAIR(653837184000.0), PAIR(10461394944000.0)
#undef A
#undef PAIR
};
/* clang-format on */

/* P_m^(m) = (2m-1)!! and 1/k, see k_nep_ylm.h */
static const double mlk_nep_pmm[MLK_NEP_L_MAX + 2] = {1,   1,     3,      15,      105,
                                                      945, 10395, 135135, 2027025, 34459425};
static const double mlk_nep_inverse[MLK_NEP_L_MAX + 2] = {
    0, 1, 1.0 / 2, 1.0 / 3, 1.0 / 4, 1.0 / 5, 1.0 / 6, 1.0 / 7, 1.0 / 8, 1.0 / 9};

#define W 2
#define TARGET
#define NAME(x) x##_scalar
#include "potentials/k_nep_body.h"
#include "potentials/k_nep_vjp.h"
#include "potentials/k_nep_end.h"
#define W 4
#define TARGET MLK_TARGET_AVX2
#define NAME(x) x##_avx2
#include "potentials/k_nep_body.h"
#include "potentials/k_nep_vjp.h"
#include "potentials/k_nep_end.h"
#define W 8
#define TARGET MLK_TARGET_AVX512
#define NAME(x) x##_avx512
#include "potentials/k_nep_body.h"
#include "potentials/k_nep_vjp.h"
#include "potentials/k_nep_end.h"

mlk_nep_eval_fn *const mlk_nep_eval_table[3] = {eval_scalar, eval_avx2, eval_avx512};
mlk_nep_vjp_fn *const mlk_nep_vjp_table[3] = {vjp_scalar, vjp_avx2, vjp_avx512};
