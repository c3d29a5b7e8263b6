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
const double mlk_nep_clm[24] = {
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
    A / 64, A * 5 / 8, A * 5 / 8, A * 5 / 16, A * 5 / 16, A * 35 / 8, A * 35 / 8, A * 35 / 64, A * 35 / 64
#undef A
};
/* clang-format on */

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
