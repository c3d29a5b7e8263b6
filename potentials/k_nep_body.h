/* k_nep_body.h - NEP site energies and pair partials for one vector width. Included by k_nep.c once
 * per instruction set with W (doubles per vector), TARGET (function attribute) and NAME(x)
 * (suffix). No include guard: it is a template. Equations and symbols: nep.h.
 *
 * Layout: geometry has lanes over neighbours; sums over neighbours, s_lm,n = sum_j g_n(r_j) ylm(j),
 * have lanes over n, so that no sum runs across lanes. ylm: k_nep_ylm.h. */

typedef double NAME(vec) __attribute__((vector_size(W * 8), may_alias));
typedef double NAME(half) __attribute__((vector_size(32)));
typedef double NAME(pair) __attribute__((vector_size(16)));
#define vec NAME(vec)
#define FN TARGET static inline __attribute__((always_inline))
#define V(p) (*(const vec *)(p))
#define VSET(p) (*(vec *)(p))

/* y[0..8*nb) = init + sum_c m[c][.] x[c]; rows of m are ldm long; init may be NULL (zero) or y */
FN void NAME(gemv)(size_t n8, size_t nc, const double *restrict m, size_t ldm,
                   const double *restrict x, const double *init, double *y)
{
    size_t v = 0;
    for (; v + 4 * W <= n8; v += 4 * W) {
        vec a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0};
        if (init)
            a0 = V(init + v), a1 = V(init + v + W), a2 = V(init + v + 2 * W),
            a3 = V(init + v + 3 * W);
        const double *row = m + v;
        for (size_t c = 0; c < nc; c++, row += ldm) {
            double xc = x[c];
            a0 += V(row) * xc;
            a1 += V(row + W) * xc;
            a2 += V(row + 2 * W) * xc;
            a3 += V(row + 3 * W) * xc;
        }
        VSET(y + v) = a0, VSET(y + v + W) = a1, VSET(y + v + 2 * W) = a2, VSET(y + v + 3 * W) = a3;
    }
    for (; v < n8; v += W) {
        vec a0 = {0}, a1 = {0};
        if (init) a0 = V(init + v);
        const double *row = m + v;
        size_t c = 0;
        for (; c + 2 <= nc; c += 2, row += 2 * ldm)
            a0 += V(row) * x[c], a1 += V(row + ldm) * x[c + 1];
        if (c < nc) a0 += V(row) * x[c];
        VSET(y + v) = a0 + a1;
    }
}

#define SHUF __builtin_shufflevector

#if W == 8
FN double NAME(hsum)(vec a)
{
    NAME(half) h = SHUF(a, a, 0, 1, 2, 3) + SHUF(a, a, 4, 5, 6, 7);
    NAME(pair) q = SHUF(h, h, 0, 1) + SHUF(h, h, 2, 3);
    return q[0] + q[1];
}

/* (W,W) block at a, rows lda long, transposed into o, rows W long */
FN void NAME(transpose)(const double *a, size_t lda, double *o)
{
    vec t[8], u[8];
    for (size_t k = 0; k < 8; k += 2) {
        vec x = V(a + k * lda), y = V(a + (k + 1) * lda);
        t[k] = SHUF(x, y, 0, 8, 2, 10, 4, 12, 6, 14);
        t[k + 1] = SHUF(x, y, 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (size_t k = 0; k < 8; k += 4)
        for (size_t l = 0; l < 2; l++) {
            u[k + l] = SHUF(t[k + l], t[k + l + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            u[k + l + 2] = SHUF(t[k + l], t[k + l + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (size_t k = 0; k < 4; k++) {
        VSET(o + k * W) = SHUF(u[k], u[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        VSET(o + (k + 4) * W) = SHUF(u[k], u[k + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}
#elif W == 4
FN double NAME(hsum)(vec a)
{
    NAME(pair) q = SHUF(a, a, 0, 1) + SHUF(a, a, 2, 3);
    return q[0] + q[1];
}

FN void NAME(transpose)(const double *a, size_t lda, double *o)
{
    vec x = V(a), y = V(a + lda), z = V(a + 2 * lda), w = V(a + 3 * lda);
    vec t0 = SHUF(x, y, 0, 4, 2, 6), t1 = SHUF(x, y, 1, 5, 3, 7);
    vec t2 = SHUF(z, w, 0, 4, 2, 6), t3 = SHUF(z, w, 1, 5, 3, 7);
    VSET(o) = SHUF(t0, t2, 0, 1, 4, 5), VSET(o + W) = SHUF(t1, t3, 0, 1, 4, 5);
    VSET(o + 2 * W) = SHUF(t0, t2, 2, 3, 6, 7), VSET(o + 3 * W) = SHUF(t1, t3, 2, 3, 6, 7);
}
#else
FN double NAME(hsum)(vec a)
{
    return a[0] + a[1];
}

FN void NAME(transpose)(const double *a, size_t lda, double *o)
{
    vec x = V(a), y = V(a + lda);
    VSET(o) = SHUF(x, y, 0, 2), VSET(o + W) = SHUF(x, y, 1, 3);
}
#endif

/* Indices k < n with v[k] < limit, ascending; returns how many. list has room for 8 more. */
FN size_t NAME(below)(size_t n, const double *v, double limit, int *list)
{
    size_t m = 0;
#if W == 8 && defined(__x86_64__)
    __m256i k8 = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    for (size_t k = 0; k < n; k += 8) {
        __mmask8 in = n - k < 8 ? (__mmask8)((1u << (n - k)) - 1) : 0xff;
        in = _mm512_mask_cmp_pd_mask(in, _mm512_loadu_pd(v + k), _mm512_set1_pd(limit), _CMP_LT_OQ);
        _mm256_storeu_si256((__m256i *)(list + m), _mm256_maskz_compress_epi32(in, k8));
        m += (size_t)__builtin_popcount(in);
        k8 = _mm256_add_epi32(k8, _mm256_set1_epi32(8));
    }
#else
    for (size_t k = 0; k < n; k++) {
        list[m] = (int)k;
        m += v[k] < limit;
    }
#endif
    return m;
}

/* w->seg, w->count and w->idx from the near neighbours list[q] of type at[q] (nt: none of them),
 * the places between the species filled with `none`. Returns the padded count. */
FN size_t NAME(sort_by_species)(size_t nt, size_t near, const int *list, int *at, int none,
                                mlk_nep_work *w)
{
    size_t n = 0, *count = w->count;
    int *idx = w->idx;
#if W == 8 && defined(__x86_64__)
    for (size_t q = near; q < ((near + 7) & ~(size_t)7); q++) at[q] = -1;
    for (size_t t = 0; t < nt; t++) {
        size_t first = w->seg[t] = n;
        __m256i wanted = _mm256_set1_epi32((int)t);
        for (size_t q = 0; q < near; q += 8) {
            __mmask8 in = _mm256_cmpeq_epi32_mask(_mm256_loadu_si256((__m256i *)(at + q)), wanted);
            __m256i k = _mm256_loadu_si256((const __m256i *)(list + q));
            _mm256_storeu_si256((__m256i *)(idx + n), _mm256_maskz_compress_epi32(in, k));
            n += (size_t)__builtin_popcount(in);
        }
        count[t] = n - first;
        _mm256_storeu_si256((__m256i *)(idx + n), _mm256_set1_epi32(none));
        n = (n + 7) & ~(size_t)7;
    }
#else
    size_t next[MLK_SPECIES_MAX + 1];
    memset(count, 0, (nt + 1) * sizeof *count);
    for (size_t q = 0; q < near; q++) count[at[q]]++;
    for (size_t t = 0; t < nt; t++) {
        w->seg[t] = next[t] = n;
        for (size_t q = n + count[t]; q < ((n + count[t] + 7) & ~(size_t)7); q++) idx[q] = none;
        n = (n + count[t] + 7) & ~(size_t)7;
    }
    next[nt] = n; /* those beyond their cutoff, behind the others */
    for (size_t q = 0; q < near; q++) idx[next[at[q]]++] = list[q];
#endif
    w->seg[nt] = n;
    return n;
}

/* r, 1/r from r^2 */
FN void NAME(distances)(size_t n, const double *restrict r2, double *restrict r,
                        double *restrict rinv)
{
#if W == 8 && defined(__x86_64__)
    for (size_t j = 0; j < n; j += 8) {
        vec a = V(r2 + j), h = 0.5 * a, y = (vec)_mm512_rsqrt14_pd((__m512d)a);
        for (int step = 0; step < 2; step++) y += y * (0.5 - h * y * y);
        VSET(r + j) = a * y;
        VSET(rinv + j) = y;
    }
#else
#pragma omp simd aligned(r2, r, rinv : 64)
    for (size_t j = 0; j < n; j++) {
        r[j] = __builtin_sqrt(r2[j]);
        rinv[j] = 1 / r[j];
    }
#endif
}

/* Neighbours of centre i inside the radial cutoff, sorted by species, each species padded to 8
 * lanes with points at the cutoff (where every function and its slope vanish) that stand for a pair
 * behind the last one of the centre. Returns the padded count. */
FN size_t NAME(collect)(const mlk_nep *m, const mlk_neigh *nl, const int *type, size_t i,
                        mlk_nep_work *w)
{
    size_t k0 = nl->start[i], np = nl->start[i + 1] - k0, nt = m->nt;
    const double *restrict rx = nl->r[0] + k0, *restrict ry = nl->r[1] + k0;
    const double *restrict rz = nl->r[2] + k0, *rr = m->rr + (size_t)type[i] * nt;
    double *restrict r2 = w->pair, far2 = 0, rr2[MLK_SPECIES_MAX];
    int *restrict list = w->a_idx, *restrict at = w->a_type; /* free until angular() */
    for (size_t t = 0; t < nt; t++) {
        rr2[t] = rr[t] * rr[t];
        far2 = rr2[t] > far2 ? rr2[t] : far2;
    }
#pragma omp simd aligned(r2 : 64)
    for (size_t k = 0; k < np; k++) r2[k] = rx[k] * rx[k] + ry[k] * ry[k] + rz[k] * rz[k];
    r2[np] = 1;
    size_t near = NAME(below)(np, r2, far2, list);
    const int *nj = nl->j + k0;
    for (size_t q = 0; q < near; q++) {
        int t = type[nj[list[q]]];
        at[q] = r2[list[q]] < rr2[t] ? t : (int)nt;
    }
    size_t n = NAME(sort_by_species)(nt, near, list, at, (int)np, w);
    double *restrict s2 = w->rt; /* free until radial() */
    const int *restrict idx = w->idx;
#pragma omp simd aligned(s2, idx : 64)
    for (size_t j = 0; j < n; j++) s2[j] = r2[idx[j]];
    for (size_t t = 0; t < nt; t++)
        for (size_t j = w->seg[t] + w->count[t]; j < w->seg[t + 1]; j++) s2[j] = rr2[t];
    NAME(distances)(n, s2, w->r, w->rinv);
    return n;
}

/* With f_k = (T_k(t) + 1) h, d f_k/dr = (T_k + 1) hd + k U_{k-1} hg: h, hd, hg and the Chebyshev
 * argument t = 2(r/rc-1)^2-1. */
FN void NAME(envelope)(vec r, vec rcinv, vec *h, vec *hd, vec *hg, vec *t)
{
    vec x = r * rcinv, f, df;
    MLK_CUTOFF(vec, x, f, df);
    *h = 0.5 * f;
    *hd = 0.5 * df * rcinv;
    *hg = 2 * f * (x - 1) * rcinv;
    *t = 2 * (x - 1) * (x - 1) - 1;
}

/* sum[k] += h T_k(t) over nv vectors, k < nk */
FN void NAME(radial_sums)(int nv, size_t nk, const vec *h, const vec *t, vec *sum)
{
    vec a[4], b[4], t2[4];
    for (int v = 0; v < nv; v++) {
        sum[0] += h[v];
        a[v] = h[v], b[v] = h[v] * t[v], t2[v] = t[v] + t[v];
    }
    for (size_t k = 1; k < nk; k++) {
        vec s = sum[k];
        for (int v = 0; v < nv; v++) {
            vec c = t2[v] * b[v] - a[v];
            s += b[v];
            a[v] = b[v], b[v] = c;
        }
        sum[k] = s;
    }
}

FN size_t NAME(radial_step)(const mlk_nep *m, int nv, size_t j, double rcinv, vec *sum,
                            mlk_nep_work *w)
{
    vec h[4], t[4];
    for (int v = 0; v < nv; v++) {
        size_t q = j + (size_t)v * W;
        vec hd, hg;
        NAME(envelope)(V(w->r + q), rcinv + (vec){0}, &h[v], &hd, &hg, &t[v]);
        VSET(w->rt + q) = t[v], VSET(w->rhd + q) = hd, VSET(w->rhg + q) = hg;
    }
    NAME(radial_sums)(nv, m->kr, h, t, sum);
    return j + (size_t)nv * W;
}

/* fsum[t][k] = sum_j f_k; and what radial_force needs of every neighbour */
FN void NAME(radial)(const mlk_nep *m, size_t ti, mlk_nep_work *w)
{
    vec sum[MLK_NEP_BASIS_MAX];
    for (size_t t = 0; t < m->nt; t++) {
        double *f = w->fsum + t * m->kr8, rcinv = 1 / m->rr[ti * m->nt + t];
        if (w->seg[t] == w->seg[t + 1]) {
            memset(f, 0, m->kr8 * sizeof *f);
            continue;
        }
        for (size_t k = 0; k < m->kr; k++) sum[k] = (vec){0};
        size_t j = w->seg[t], end = w->seg[t + 1];
        while (j + 4 * W <= end) j = NAME(radial_step)(m, 4, j, rcinv, sum, w);
        while (j + 2 * W <= end) j = NAME(radial_step)(m, 2, j, rcinv, sum, w);
        while (j < end) j = NAME(radial_step)(m, 1, j, rcinv, sum, w);
        for (size_t k = 0; k < m->kr; k++) f[k] = NAME(hsum)(sum[k]);
        for (size_t k = m->kr; k-- > 0;) f[k] += f[0];
    }
}

/* q_n = sum over species and k of c f; nr8 lanes are written */
FN void NAME(expand_radial)(const mlk_nep *m, size_t ti, const mlk_nep_work *w, const double *f,
                            double *q)
{
    const double *init = NULL;
    for (size_t t = 0; t < m->nt; t++)
        if (w->seg[t] < w->seg[t + 1]) {
            const double *c = m->cr + (ti * m->nt + t) * m->kr * m->nr8;
            NAME(gemv)(m->nr8, m->kr, c, m->nr8, f + t * m->kr8, init, q);
            init = q;
        }
    if (!init) memset(q, 0, m->nr8 * sizeof *q);
}

#include "potentials/k_nep_ylm.h"

/* Angular neighbours out of the radial ones; returns their number. Rows are filled up to a multiple
 * of 8 with finite values that nothing depends on. */
FN size_t NAME(angular)(const mlk_nep *m, const mlk_neigh *nl, size_t i, size_t ti, mlk_nep_work *w)
{
    const double *ra = m->ra + ti * m->nt;
    size_t n = 0;
    double *restrict ar = w->ar, *restrict arcinv = w->arcinv;
    int *restrict idx = w->a_idx;
    for (size_t t = 0; t < m->nt; t++) {
        size_t first = w->a_seg[t] = n, j0 = w->seg[t];
        double inv = 1 / ra[t];
        n += NAME(below)(w->count[t], w->r + j0, ra[t], idx + n);
        for (size_t j = first; j < n; j++) idx[j] += (int)j0, arcinv[j] = inv;
    }
    w->a_seg[m->nt] = n;
    size_t n8 = (n + 7) & ~(size_t)7, cap = w->cap, k0 = nl->start[i];
    for (size_t j = n; j < n8; j++) idx[j] = idx[0], arcinv[j] = 0;
    const double *restrict rx = nl->r[0] + k0, *restrict ry = nl->r[1] + k0;
    const double *restrict rz = nl->r[2] + k0, *r = w->r, *rinv = w->rinv;
    double *restrict ax = w->ax, *restrict ay = w->ay, *restrict az = w->az,
                     *restrict ari = w->arinv;
    for (size_t j = 0; j < n8; j++) {
        int q = idx[j], k = idx[j] = w->idx[q];
        ar[j] = r[q], ari[j] = rinv[q];
        ax[j] = rx[k] * rinv[q], ay[j] = ry[k] * rinv[q], az[j] = rz[k] * rinv[q];
    }
    for (size_t j = 0; j < n8; j += W) {
        vec h, hd, hg, t;
        NAME(envelope)(V(ar + j), V(arcinv + j), &h, &hd, &hg, &t);
        vec t2 = t + t, a = 0 * t + 1, b = t, u = 0 * t, v = a; /* T_k-1, T_k, U_k-2, U_k-1 */
        VSET(w->afk + j) = 2 * h, VSET(w->adfk + j) = 2 * hd;
        for (size_t k = 1; k < m->ka; k++) {
            VSET(w->afk + k * cap + j) = h * b + h;
            VSET(w->adfk + k * cap + j) = (hd * b + hd) + ((double)k * hg) * v;
            vec c = t2 * b - a, d = t2 * v - u;
            a = b, b = c, u = v, v = d;
        }
    }
    NAME(harmonics)(m, n8, w);
    return n;
}

/* g_n(r_j) and dg_n/dr of every angular neighbour, four at a time; what a group computes beyond the
 * end of its species is overwritten by the next one. */
FN void NAME(contract_radial)(const mlk_nep *m, size_t ti, size_t n, mlk_nep_work *w)
{
    size_t na8 = m->na8, ka = m->ka, cap = w->cap;
    for (size_t t = 0; t < m->nt; t++)
        for (size_t j = w->a_seg[t]; j < w->a_seg[t + 1]; j += 4)
            for (size_t v = 0; v < na8; v += W) {
                const double *c = m->ca + (ti * m->nt + t) * ka * na8 + v;
                const double *f = w->afk + j, *df = w->adfk + j;
                vec g0 = {0}, g1 = {0}, g2 = {0}, g3 = {0}, d0 = {0}, d1 = {0}, d2 = {0}, d3 = {0};
                for (size_t k = 0; k < ka; k++, c += na8, f += cap, df += cap) {
                    vec ck = V(c);
                    g0 += ck * f[0], g1 += ck * f[1], g2 += ck * f[2], g3 += ck * f[3];
                    d0 += ck * df[0], d1 += ck * df[1], d2 += ck * df[2], d3 += ck * df[3];
                }
                double *g = w->g + j * na8 + v, *d = w->dg + j * na8 + v;
                VSET(g) = g0, VSET(g + na8) = g1, VSET(g + 2 * na8) = g2, VSET(g + 3 * na8) = g3;
                VSET(d) = d0, VSET(d + na8) = d1, VSET(d + 2 * na8) = d2, VSET(d + 3 * na8) = d3;
            }
    size_t pad = ((n + 7) & ~(size_t)7) - n;
    memset(w->g + n * na8, 0, pad * na8 * sizeof *w->g);
    memset(w->dg + n * na8, 0, pad * na8 * sizeof *w->dg);
}

/* s[lm][n] = sum_j y[lm][j] g[j][n], eight components at a time */
FN void NAME(moments)(const mlk_nep *m, size_t n, const double *restrict y, size_t cap,
                      const double *restrict g, double *restrict s)
{
    size_t na8 = m->na8;
    for (size_t v = 0; v < na8; v += W)
        for (size_t lm = 0; lm < m->nlm8; lm += 8) {
            const double *yb = y + lm * cap;
            vec a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0}, a4 = {0}, a5 = {0}, a6 = {0}, a7 = {0};
            for (size_t j = 0; j < n; j++) {
                vec gj = V(g + j * na8 + v);
                a0 += gj * yb[j], a1 += gj * yb[cap + j];
                a2 += gj * yb[2 * cap + j], a3 += gj * yb[3 * cap + j];
                a4 += gj * yb[4 * cap + j], a5 += gj * yb[5 * cap + j];
                a6 += gj * yb[6 * cap + j], a7 += gj * yb[7 * cap + j];
            }
            double *o = s + lm * na8 + v;
            VSET(o) = a0, VSET(o + na8) = a1, VSET(o + 2 * na8) = a2, VSET(o + 3 * na8) = a3;
            VSET(o + 4 * na8) = a4, VSET(o + 5 * na8) = a5, VSET(o + 6 * na8) = a6;
            VSET(o + 7 * na8) = a7;
        }
}

/* sum of the terms of the 4-body descriptor k at the moments s + v */
FN vec NAME(coupled)(const mlk_nep *m, int k, const double *s)
{
    vec q = {0};
    for (const mlk_nep_term *t = m->term + (k ? m->end[k - 1] : 0); t < m->term + m->end[k]; t++)
        q += t->k * V(s + t->a * m->na8) * V(s + t->b * m->na8) * V(s + t->c * m->na8);
    return q;
}

/* rows of angular descriptors from the moments */
FN void NAME(invariants)(const mlk_nep *m, const double *s_, double *rows)
{
    size_t na8 = m->na8;
    for (size_t v = 0; v < na8; v += W) {
        const double *s = s_ + v;
        size_t lm = 0;
        for (size_t l = 1; l <= m->L; l++) {
            vec q = {0};
            for (size_t c = 0; c < 2 * l + 1; c++, lm++)
                q += mlk_nep_clm[lm] * V(s + lm * na8) * V(s + lm * na8);
            VSET(rows + (l - 1) * na8 + v) = q;
        }
        for (int k = 0; k < MLK_NEP_BODIES; k++)
            if (m->row[k]) VSET(rows + m->row[k] * na8 + v) = NAME(coupled)(m, k, s);
        if (m->row[MLK_NEP_1111]) {
            vec q1 = V(rows + v);
            VSET(rows + m->row[MLK_NEP_1111] * na8 + v) = MLK_NEP_C1111 * q1 * q1;
        }
    }
}

/* a[lm] = dU/ds_lm from fr = dU/d(rows) */
FN void NAME(invariants_back)(const mlk_nep *m, const double *s_, const double *rows,
                              const double *fr, double *a_)
{
    size_t na8 = m->na8;
    for (size_t v = 0; v < na8; v += W) {
        const double *s = s_ + v;
        double *a = a_ + v;
        size_t lm = 0;
        for (size_t l = 1; l <= m->L; l++) {
            vec f = 2 * V(fr + (l - 1) * na8 + v);
            if (l == 1 && m->row[MLK_NEP_1111])
                f += 4 * MLK_NEP_C1111 * V(rows + v) * V(fr + m->row[MLK_NEP_1111] * na8 + v);
            for (size_t c = 0; c < 2 * l + 1; c++, lm++)
                VSET(a + lm * na8) = mlk_nep_clm[lm] * f * V(s + lm * na8);
        }
        for (int k = 0; k < MLK_NEP_BODIES; k++)
            for (size_t i = k ? m->end[k - 1] : 0; i < m->end[k]; i++) {
                const mlk_nep_term *t = m->term + i;
                size_t ia = t->a * na8, ib = t->b * na8, ic = t->c * na8;
                vec f = t->k * V(fr + m->row[k] * na8 + v);
                vec sa = f * V(s + ia), sb = V(s + ib), sc = V(s + ic), fbc = f * sb * sc;
                VSET(a + ia) += fbc, VSET(a + ib) += sa * sc, VSET(a + ic) += sa * sb;
            }
        for (; lm < m->nlm8; lm++) VSET(a + lm * na8) = (vec){0};
    }
}

FN void NAME(rows_to_q)(const mlk_nep *m, const double *rows, double *q)
{
    for (size_t l = 0; l < m->nl; l++)
        for (size_t n = 0; n < m->na; n++) q[m->nr + l * m->na + n] = rows[l * m->na8 + n];
}

FN void NAME(q_to_rows)(const mlk_nep *m, const double *q, double *rows)
{
    for (size_t l = 0; l < m->nl; l++)
        for (size_t n = 0; n < m->na; n++) rows[l * m->na8 + n] = q[m->nr + l * m->na + n];
}

/* U of network `net`; fq = dU/dq */
FN double NAME(network)(const mlk_nep *m, size_t net, mlk_nep_work *w)
{
    size_t n8 = m->neuron8;
    const double *w1 = m->w1 + net * n8;
    double *restrict h = w->h;
    NAME(gemv)(n8, m->dim, m->w0t + net * m->dim * n8, n8, w->q, m->b0 + net * n8, h);
    double u = 0;
#pragma omp simd reduction(+ : u) aligned(h, w1 : 64)
    for (size_t n = 0; n < n8; n++) {
        double t = mlk_vtanh(h[n]);
        u += w1[n] * t;
        h[n] = w1[n] * (1 - t * t);
    }
    NAME(gemv)(m->dim8, m->neuron, m->w0 + net * m->neuron * m->dim8, m->dim8, h, NULL, w->fq);
    return u - m->b1;
}

/* s_j = (dU/dr_j)/r_j of nv vectors of radial neighbours: U_k series with the coefficients c (of
 * hd) and e (of hg) */
FN void NAME(radial_slopes)(int nv, size_t nk, const double *c, const double *e, double c0,
                            size_t j, mlk_nep_work *w)
{
    vec u[4], v[4], t2[4], p[4], q[4];
    double out[4 * W] __attribute__((aligned(64)));
    for (int l = 0; l < nv; l++) {
        vec t = V(w->rt + j + (size_t)l * W);
        t2[l] = t + t, u[l] = 0 * t, v[l] = 0 * t + 1; /* U_k-1, U_k */
        p[l] = c0 + 0 * t, q[l] = 0 * t;
    }
    for (size_t k = 0; k < nk; k++)
        for (int l = 0; l < nv; l++) {
            vec next = t2[l] * v[l] - u[l];
            p[l] += c[k] * v[l];
            q[l] += e[k] * v[l];
            u[l] = v[l], v[l] = next;
        }
    for (int l = 0; l < nv; l++) {
        size_t o = j + (size_t)l * W;
        VSET(out + l * W) = (V(w->rhd + o) * p[l] + V(w->rhg + o) * q[l]) * V(w->rinv + o);
    }
    for (int l = 0; l < nv * W; l++) w->pair[w->idx[j + (size_t)l]] = out[l];
}

/* pair[k] = (dU/dr_k)/r_k of the radial descriptors for the m pairs of the centre. With c_k = sum_n
 * fq_n c_nk: dU/dr = hd sum_k c_k (T_k + 1) + hg sum_k c_k k U_k-1, and T_k = (U_k - U_k-2)/2. */
FN void NAME(radial_force)(const mlk_nep *m, size_t ti, size_t np, mlk_nep_work *w)
{
    double *f = w->fsum, c[MLK_NEP_BASIS_MAX + 2], e[MLK_NEP_BASIS_MAX]; /* fsum: not needed now */
    size_t nk = m->kr;
    memset(w->pair, 0, np * sizeof *w->pair);
    for (size_t t = 0; t < m->nt; t++) {
        if (w->seg[t] == w->seg[t + 1]) continue;
        NAME(gemv)
        (m->kr8, m->nr, m->crt + (ti * m->nt + t) * m->nr * m->kr8, m->kr8, w->fq, NULL, f);
        double all = 0;
        f[nk] = f[nk + 1] = 0;
        for (size_t k = 0; k < nk; k++) {
            all += f[k];
            c[k] = 0.5 * (f[k] - f[k + 2]);
            e[k] = (double)(k + 1) * f[k + 1];
        }
        c[0] += 0.5 * f[0];
        size_t j = w->seg[t], end = w->seg[t + 1];
        for (; j + 4 * W <= end; j += 4 * W) NAME(radial_slopes)(4, nk, c, e, all, j, w);
        for (; j + 2 * W <= end; j += 2 * W) NAME(radial_slopes)(2, nk, c, e, all, j, w);
        for (; j < end; j += W) NAME(radial_slopes)(1, nk, c, e, all, j, w);
    }
}

/* px, py, pz of the centre's pairs += the angular part */
FN void NAME(angular_force)(const mlk_nep *m, size_t n, mlk_nep_work *w, double *px, double *py,
                            double *pz)
{
    size_t na8 = m->na8, na = m->na, cap = w->cap, n8 = (n + 7) & ~(size_t)7;
    double *restrict gt = w->gt, *restrict dgt = w->dgt;
    double out[3][W] __attribute__((aligned(64)));
    for (size_t j = 0; j < n8; j += W) {
        for (size_t v = 0; v < na8; v += W) {
            NAME(transpose)(w->g + j * na8 + v, na8, gt + v * W);
            NAME(transpose)(w->dg + j * na8 + v, na8, dgt + v * W);
        }
        /* b_lm = sum_n g_n a_lm,n;  c = sum_lm ylm sum_n dg_n a_lm,n */
        vec b[MLK_NEP_LM_MAX], c = {0};
        for (size_t lm = 0; lm < m->nlm8; lm += 4) {
            const double *a = w->a + lm * na8, *y = w->ylm + lm * cap + j;
            vec b0 = {0}, b1 = {0}, b2 = {0}, b3 = {0}, d0 = {0}, d1 = {0}, d2 = {0}, d3 = {0};
            for (size_t k = 0; k < na; k++) {
                vec g = V(gt + k * W), dg = V(dgt + k * W);
                double a0 = a[k], a1 = a[na8 + k], a2 = a[2 * na8 + k], a3 = a[3 * na8 + k];
                b0 += g * a0, b1 += g * a1, b2 += g * a2, b3 += g * a3;
                d0 += dg * a0, d1 += dg * a1, d2 += dg * a2, d3 += dg * a3;
            }
            b[lm] = b0, b[lm + 1] = b1, b[lm + 2] = b2, b[lm + 3] = b3;
            c += d0 * V(y) + d1 * V(y + cap) + d2 * V(y + 2 * cap) + d3 * V(y + 3 * cap);
        }
        vec x = V(w->ax + j), y = V(w->ay + j), z = V(w->az + j), ri = V(w->arinv + j), gx, gy, gz;
        NAME(ylm_gradient)(m->L, b, x, y, z, &gx, &gy, &gz);
        vec radial = c - (gx * x + gy * y + gz * z) * ri;
        VSET(out[0]) = gx * ri + radial * x;
        VSET(out[1]) = gy * ri + radial * y;
        VSET(out[2]) = gz * ri + radial * z;
        for (size_t l = 0; l < W && j + l < n; l++) {
            int k = w->a_idx[j + l];
            px[k] += out[0][l], py[k] += out[1][l], pz[k] += out[2][l];
        }
    }
}

TARGET static void NAME(eval)(const mlk_nep *m, const mlk_neigh *nl, const int *type, size_t i0,
                              size_t i1, mlk_nep_work *w, double *u, double *const p[3], double *q)
{
    for (size_t i = i0; i < i1; i++) {
        size_t ti = (size_t)type[i], net = m->n_net == 1 ? 0 : ti;
        NAME(collect)(m, nl, type, i, w);
        NAME(radial)(m, ti, w);
        NAME(expand_radial)(m, ti, w, w->fsum, w->q);
        size_t na = NAME(angular)(m, nl, i, ti, w);
        NAME(contract_radial)(m, ti, na, w);
        NAME(moments)(m, na, w->ylm, w->cap, w->g, w->s);
        NAME(invariants)(m, w->s, w->rows);
        NAME(rows_to_q)(m, w->rows, w->q);
        if (q) {
            memcpy(q + (i - i0) * m->dim, w->q, m->dim * sizeof *q);
            continue;
        }
        u[i] = NAME(network)(m, net, w);
        NAME(q_to_rows)(m, w->fq, w->rows_b);
        NAME(invariants_back)(m, w->s, w->rows, w->rows_b, w->a);
        size_t k0 = nl->start[i], np = nl->start[i + 1] - k0;
        NAME(radial_force)(m, ti, np, w);
        double *restrict p0 = p[0] + k0, *restrict p1 = p[1] + k0, *restrict p2 = p[2] + k0;
        const double *restrict x = nl->r[0] + k0, *restrict y = nl->r[1] + k0;
        const double *restrict z = nl->r[2] + k0, *restrict s = w->pair;
#pragma omp simd
        for (size_t k = 0; k < np; k++)
            p0[k] = s[k] * x[k], p1[k] = s[k] * y[k], p2[k] = s[k] * z[k];
        NAME(angular_force)(m, na, w, p0, p1, p2);
    }
}
