/* nep_coupling.c - the angular descriptors of NEP beyond the 3-body ones: which of them a model
 * has, and the 4-body ones as sums of products of three moments,
 *   q_abc = sum_mm'm'' (a b c; m m' m'') A_am A_bm' A_cm''   with Wigner's 3j symbols,
 *   A_lm  = (-1)^m N_lm (C_lm + i S_lm),  A_l,-m = N_lm (C_lm - i S_lm),  m > 0,
 * where C and S are the real components s_lm of k_nep_ylm.h and N_lm makes A a sum of spherical
 * harmonics. Invariant under rotations because a, b and c couple to zero.
 * Fan et al., J. Chem. Phys. 157, 114801 (2022), eq. 24 (222). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "potentials/clebsch_gordan.h"
#include "potentials/k_nep.h"

enum { TERMS_MAX = 128 }; /* of one descriptor: 44 (134) are the most */

/* a <= b <= c; (1111) is no product of three, has no terms: 0 */
static const int momenta[MLK_NEP_BODIES][3] = {[MLK_NEP_222] = {2, 2, 2},
                                               [MLK_NEP_112] = {1, 1, 2},
                                               [MLK_NEP_123] = {1, 2, 3},
                                               [MLK_NEP_233] = {2, 3, 3},
                                               [MLK_NEP_134] = {1, 3, 4}};
static const char *const names[MLK_NEP_BODIES] = {"222", "1111", "112", "123", "233", "134"};

mlk_status mlk_nep_set_l(mlk_nep *m, const mlk_ints *l, mlk_err *e)
{
    if (l->n < 1 || l->n > MLK_NEP_BODIES + 1 || l->v[0] < 1 || l->v[0] > MLK_NEP_L_MAX)
        return MLK_FAIL(e, MLK_EINVAL,
                        "nep: l_max needs 1 to %d numbers, the first of them 1 to %d",
                        MLK_NEP_BODIES + 1, MLK_NEP_L_MAX);
    m->L = m->nl = (size_t)l->v[0];
    for (int k = 0; k < MLK_NEP_BODIES; k++) {
        int on = k + 1 < l->n ? l->v[k + 1] : 0, need = k == MLK_NEP_1111 ? 1 : momenta[k][2];
        if (on < 0 || on > (k == MLK_NEP_222 ? 2 : 1))
            return MLK_FAIL(e, MLK_EINVAL,
                            "nep: number %d of l_max, %d: 1%s for descriptors (%s), "
                            "0 for none",
                            k + 2, on, k ? "" : " or 2", names[k]);
        if (on && l->v[0] < need)
            return MLK_FAIL(e, MLK_EINVAL, "nep: descriptors (%s) need l_max %d or more, not %d",
                            names[k], need, l->v[0]);
        m->row[k] = on ? m->nl++ : 0;
    }
    return MLK_OK;
}

mlk_ints mlk_nep_get_l(const mlk_nep *m)
{
    mlk_ints l = {3, {(int)m->L}};
    for (int k = 0; k < MLK_NEP_BODIES; k++) {
        l.v[k + 1] = !m->row[k] ? 0 : k == MLK_NEP_222 ? 2 : 1;
        if (m->row[k] && l.n < k + 2) l.n = k + 2;
    }
    return l;
}

static double wigner_3j(const int l[3], const int m[3])
{
    double cg = mlk_clebsch_gordan(2 * l[0], l[0] + m[0], 2 * l[1], l[1] + m[1], 2 * l[2]);
    return ((l[0] - l[1] - m[2]) % 2 ? -cg : cg) / sqrt(2 * l[2] + 1);
}

/* A_lm = re s[at] + i im s[at + 1] */
static void harmonic(int l, int m, size_t *at, double *re, double *im)
{
    int k = abs(m), c = l * l - 1 + (k ? 2 * k - 1 : 0);
    double n = sqrt(mlk_nep_clm[c] / (k ? 2 : 1)), sign = m > 0 && m % 2 ? -1 : 1;
    *at = (size_t)c;
    *re = sign * n;
    *im = m == 0 ? 0 : m > 0 ? sign * n : -n;
}

static void add(mlk_nep_term *t, size_t *n, double k, const size_t at[3])
{
    size_t s[3] = {at[0], at[1], at[2]}, i;
    for (int a = 0; a < 2; a++)
        for (int b = 0; b < 2 - a; b++)
            if (s[b] > s[b + 1]) i = s[b], s[b] = s[b + 1], s[b + 1] = i;
    for (i = 0; i < *n; i++)
        if (t[i].a == s[0] && t[i].b == s[1] && t[i].c == s[2]) break;
    if (i == *n)
        t[(*n)++] = (mlk_nep_term){
            .a = (unsigned char)s[0], .b = (unsigned char)s[1], .c = (unsigned char)s[2]};
    t[i].k += k;
}

/* the terms of A_am A_bm' A_cm'' times k; their imaginary parts cancel in the sum over the m */
static void product(mlk_nep_term *t, size_t *n, double k, const int l[3], const int m[3])
{
    size_t at[3];
    double re[3], im[3];
    for (int q = 0; q < 3; q++) harmonic(l[q], m[q], &at[q], &re[q], &im[q]);
    for (int which = 0; which < 8; which++) { /* a bit for each factor: its imaginary part */
        double p = k;
        size_t s[3];
        int i = 0;
        for (int q = 0; q < 3; q++) {
            bool imag = which >> q & 1;
            p *= imag ? im[q] : re[q], s[q] = at[q] + imag, i += imag;
        }
        if (i == 1 || i == 3 || p == 0) continue;
        add(t, n, i == 2 ? -p : p, s);
    }
}

/* t (TERMS_MAX) gets the terms of the descriptor with momenta l; returns their number */
static size_t expand(const int l[3], mlk_nep_term *t)
{
    size_t n = 0, kept = 0;
    double largest = 0;
    int m[3];
    memset(t, 0, TERMS_MAX * sizeof *t);
    for (m[0] = -l[0]; m[0] <= l[0]; m[0]++)
        for (m[1] = -l[1]; m[1] <= l[1]; m[1]++) {
            m[2] = -m[0] - m[1];
            if (abs(m[2]) <= l[2]) product(t, &n, wigner_3j(l, m), l, m);
        }
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(t[i].k));
    for (size_t i = 0; i < n; i++)
        if (fabs(t[i].k) > 1e-12 * largest) t[kept++] = t[i];
    return kept;
}

mlk_status mlk_nep_couple(mlk_nep *m, mlk_err *e)
{
    size_t n = 0;
    if (!m->term) m->term = mlk_alloc(MLK_NEP_BODIES * TERMS_MAX, sizeof *m->term);
    if (!m->term) return MLK_FAIL(e, MLK_ENOMEM, "nep: 4-body descriptors");
    for (int k = 0; k < MLK_NEP_BODIES; k++) {
        if (m->row[k] && momenta[k][0]) n += expand(momenta[k], m->term + n);
        m->end[k] = n;
    }
    return MLK_OK;
}
