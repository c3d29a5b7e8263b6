/* k_nep_body.h - NEP site energies and pair partials for one vector width. Included by k_nep.c once
 * per instruction set with W (doubles per vector), TARGET (function attribute) and NAME(x)
 * (suffix). No include guard: it is a template. Equations and symbols: nep.h.
 *
 * Layout: geometry has lanes over neighbours; sums over neighbours, s_lm,n = sum_j g_n(r_j) ylm(j),
 * have lanes over n, so that no sum runs across lanes. ylm are real solid harmonics on the unit
 * sphere without their norms:
 *   l=1  z, x, y
 *   l=2  3zz-1, xz, yz, xx-yy, 2xy
 *   l=3  (5zz-3)z, (5zz-1)x, (5zz-1)y, (xx-yy)z, 2xyz, (xx-3yy)x, (3xx-yy)y
 *   l=4  (35zz-30)zz+3, (7zz-3)zx, (7zz-3)zy, (7zz-1)(xx-yy), (7zz-1)2xy, (xx-3yy)xz, (3xx-yy)yz,
 *        (xx-yy)^2-4xxyy, 4(xx-yy)xy */

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

/* Neighbours of centre i inside the radial cutoff, sorted by species, each species padded to 8
 * lanes with points at the cutoff (where every function and its slope vanish). Returns the padded
 * count. */
FN size_t NAME(collect)(const mlk_nep *m, const mlk_neigh *nl, const int *type, size_t i,
                        mlk_nep_work *w)
{
    size_t k0 = nl->start[i], np = nl->start[i + 1] - k0, near = 0, nt = m->nt;
    const double *restrict rx = nl->r[0] + k0, *restrict ry = nl->r[1] + k0;
    const double *restrict rz = nl->r[2] + k0, *rr = m->rr + (size_t)type[i] * nt;
    double *restrict r2 = w->r, far2 = 0;
    int *restrict list = w->a_idx; /* free until angular() */
    size_t *count = w->count;
    for (size_t t = 0; t < nt; t++) {
        count[t] = 0;
        far2 = rr[t] * rr[t] > far2 ? rr[t] * rr[t] : far2;
    }
#pragma omp simd aligned(r2 : 64)
    for (size_t k = 0; k < np; k++) r2[k] = rx[k] * rx[k] + ry[k] * ry[k] + rz[k] * rz[k];
    for (size_t k = 0; k < np; k++) {
        list[near] = (int)k;
        near += r2[k] < far2;
    }
    const int *nj = nl->j + k0;
    for (size_t q = 0; q < near; q++) {
        int k = list[q];
        size_t t = (size_t)type[nj[k]];
        w->bucket[t * w->max_pairs + count[t]] = k;
        count[t] += r2[k] < rr[t] * rr[t];
    }
    size_t n = 0;
    int *restrict idx = w->idx;
    double *restrict x = w->x, *restrict y = w->y, *restrict z = w->z, *restrict rcinv = w->rcinv;
    for (size_t t = 0; t < nt; t++) {
        w->seg[t] = n;
        const int *b = w->bucket + t * w->max_pairs;
        size_t c = count[t], c8 = (c + 7) & ~(size_t)7;
        double inv = 1 / rr[t];
        for (size_t q = 0; q < c8; q++) {
            idx[n + q] = b[q < c ? q : 0];
            rcinv[n + q] = inv;
        }
        n += c8;
    }
    w->seg[nt] = n;
#pragma omp simd aligned(idx, x, y, z : 64)
    for (size_t j = 0; j < n; j++) x[j] = rx[idx[j]], y[j] = ry[idx[j]], z[j] = rz[idx[j]];
    for (size_t t = 0; t < nt; t++)
        for (size_t j = w->seg[t] + count[t]; j < w->seg[t + 1]; j++) x[j] = rr[t], y[j] = z[j] = 0;
    return n;
}

/* cutoff function fc, Chebyshev argument t = 2(r/rc-1)^2-1, and their derivatives */
FN void NAME(envelope)(size_t n, const double *restrict r, const double *restrict rcinv,
                       mlk_nep_work *w)
{
    double *restrict fc = w->fc, *restrict dfc = w->dfc, *restrict t = w->t, *restrict dt = w->dt;
#pragma omp simd aligned(r, rcinv, fc, dfc, t, dt : 64)
    for (size_t j = 0; j < n; j++) {
        double x = r[j] * rcinv[j], d;
        x = x > 1 ? 1 : x;
        fc[j] = mlk_vcutoff(x, &d);
        dfc[j] = d * rcinv[j];
        t[j] = 2 * (x - 1) * (x - 1) - 1;
        dt[j] = 4 * (x - 1) * rcinv[j];
    }
}

/* One vector of neighbours: f_k and df_k/dr for k < nk, handed to the statements F(k, f, df). With
 * e_k = (T_k + 1)/2, f_k = e_k fc: e_0 = 1, and T_k, T'_k by their recurrences. */
#define CHEBYSHEV(nk, j, F)                                                                        \
    do {                                                                                           \
        vec fc_ = V(w->fc + (j)), df_ = V(w->dfc + (j)), t_ = V(w->t + (j)), d_ = V(w->dt + (j));  \
        vec hf_ = 0.5 * fc_, hd_ = 0.5 * df_, t2_ = t_ + t_, d2_ = d_ + d_;                        \
        vec a_ = 0 * t_ + 1, b_ = t_, da_ = 0 * t_, db_ = d_;                                      \
        F((size_t)0, fc_, df_);                                                                    \
        for (size_t k_ = 1; k_ < (nk); k_++) {                                                     \
            vec e_ = b_ + 1;                                                                       \
            F(k_, (hf_ * e_), (hd_ * e_ + hf_ * db_));                                             \
            vec c_ = t2_ * b_ - a_, dc_ = t2_ * db_ + d2_ * b_ - da_;                              \
            a_ = b_, b_ = c_, da_ = db_, db_ = dc_;                                                \
        }                                                                                          \
    } while (0)

/* fsum[t][k] = sum_j f_k and the stored dfk; leaves unit vectors in x, y, z */
FN void NAME(radial)(const mlk_nep *m, size_t n, mlk_nep_work *w)
{
    double *restrict r = w->r, *restrict ri = w->rinv;
    double *restrict x = w->x, *restrict y = w->y, *restrict z = w->z;
#pragma omp simd aligned(r, ri, x, y, z : 64)
    for (size_t j = 0; j < n; j++) {
        r[j] = __builtin_sqrt(x[j] * x[j] + y[j] * y[j] + z[j] * z[j]);
        ri[j] = 1 / r[j];
        x[j] *= ri[j], y[j] *= ri[j], z[j] *= ri[j];
    }
    NAME(envelope)(n, r, w->rcinv, w);
    vec sum[MLK_NEP_BASIS_MAX];
    for (size_t t = 0; t < m->nt; t++) {
        double *f = w->fsum + t * m->kr8;
        if (w->seg[t] == w->seg[t + 1]) {
            memset(f, 0, m->kr8 * sizeof *f);
            continue;
        }
        for (size_t k = 0; k < m->kr; k++) sum[k] = (vec){0};
        for (size_t j = w->seg[t]; j < w->seg[t + 1]; j += W) {
#define F(k, f_, df_) sum[k] += f_, VSET(w->dfk + (k)*w->cap + j) = df_
            CHEBYSHEV(m->kr, j, F);
#undef F
        }
        for (size_t k = 0; k < m->kr; k++) f[k] = NAME(hsum)(sum[k]);
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

/* Angular neighbours out of the radial ones; returns their number. Rows are filled up to a multiple
 * of 8 with finite values that nothing depends on. */
FN size_t NAME(angular)(const mlk_nep *m, size_t ti, mlk_nep_work *w)
{
    const double *ra = m->ra + ti * m->nt;
    size_t n = 0;
    double *restrict ar = w->px, *restrict arcinv = w->py; /* free until the partials are formed */
    int *restrict at = w->a_type, *restrict idx = w->a_idx;
    const double *restrict r = w->r;
    for (size_t t = 0; t < m->nt; t++) {
        double rc = ra[t], inv = 1 / rc;
        size_t first = n, end = w->seg[t] + w->count[t];
        for (size_t j = w->seg[t]; j < end; j++) {
            idx[n] = (int)j;
            n += r[j] < rc;
        }
        w->a_seg[t] = first;
        for (size_t j = first; j < n; j++) at[j] = (int)t, arcinv[j] = inv;
    }
    w->a_seg[m->nt] = n;
    for (size_t j = n; j < ((n + 7) & ~(size_t)7); j++)
        idx[j] = idx[0], at[j] = at[0], arcinv[j] = 0;
    size_t n8 = (n + 7) & ~(size_t)7, cap = w->cap;
    const double *restrict rx = w->x, *restrict ry = w->y, *restrict rz = w->z, *rinv = w->rinv;
    double *restrict ax = w->ax, *restrict ay = w->ay, *restrict az = w->az,
                     *restrict ari = w->arinv;
#pragma omp simd aligned(idx, ar, ax, ay, az, ari : 64)
    for (size_t j = 0; j < n8; j++) {
        int k = idx[j];
        ar[j] = r[k], ari[j] = rinv[k];
        ax[j] = rx[k], ay[j] = ry[k], az[j] = rz[k];
    }
    NAME(envelope)(n8, ar, arcinv, w);
    for (size_t j = 0; j < n8; j += W) {
#define F(k, f_, df_) VSET(w->afk + (k)*cap + j) = f_, VSET(w->adfk + (k)*cap + j) = df_
        CHEBYSHEV(m->ka, j, F);
#undef F
    }
    const double *restrict x_ = w->ax, *restrict y_ = w->ay, *restrict z_ = w->az;
    double *restrict b = w->ylm;
    size_t L = m->L;
#pragma omp simd aligned(x_, y_, z_, b : 64)
    for (size_t j = 0; j < n8; j++) {
        double x = x_[j], y = y_[j], z = z_[j];
        double xx = x * x, yy = y * y, zz = z * z, p = xx - yy, s = 2 * x * y;
        b[j] = z, b[cap + j] = x, b[2 * cap + j] = y;
        b[3 * cap + j] = 3 * zz - 1, b[4 * cap + j] = x * z, b[5 * cap + j] = y * z;
        b[6 * cap + j] = p, b[7 * cap + j] = s;
    }
    if (L < 3) return n;
#pragma omp simd aligned(x_, y_, z_, b : 64)
    for (size_t j = 0; j < n8; j++) {
        double x = x_[j], y = y_[j], z = z_[j];
        double xx = x * x, yy = y * y, zz = z * z, p = xx - yy, s = 2 * x * y;
        double c3 = (xx - 3 * yy) * x, s3 = (3 * xx - yy) * y;
        b[8 * cap + j] = (5 * zz - 3) * z, b[9 * cap + j] = (5 * zz - 1) * x;
        b[10 * cap + j] = (5 * zz - 1) * y, b[11 * cap + j] = p * z, b[12 * cap + j] = s * z;
        b[13 * cap + j] = c3, b[14 * cap + j] = s3;
        b[15 * cap + j] = (35 * zz - 30) * zz + 3, b[16 * cap + j] = (7 * zz - 3) * z * x;
        b[17 * cap + j] = (7 * zz - 3) * z * y, b[18 * cap + j] = (7 * zz - 1) * p;
        b[19 * cap + j] = (7 * zz - 1) * s, b[20 * cap + j] = c3 * z, b[21 * cap + j] = s3 * z;
        b[22 * cap + j] = p * p - s * s, b[23 * cap + j] = 2 * p * s;
    }
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
        if (m->l4) {
            vec s3 = V(s + 3 * na8), s4 = V(s + 4 * na8), s5 = V(s + 5 * na8);
            vec s6 = V(s + 6 * na8), s7 = V(s + 7 * na8);
            vec det = s3 * (s3 * s3 / 108 - (s6 * s6 + s7 * s7) / 12 + (s4 * s4 + s5 * s5) / 6) -
                      s6 * (s5 * s5 - s4 * s4) / 2 + s4 * s5 * s7;
            VSET(rows + m->L * na8 + v) = MLK_NEP_C222 * det;
        }
        if (m->l5) {
            vec q1 = V(rows + v);
            VSET(rows + (m->L + m->l4) * na8 + v) = MLK_NEP_C1111 * q1 * q1;
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
            if (l == 1 && m->l5)
                f += 4 * MLK_NEP_C1111 * V(rows + v) * V(fr + (m->L + m->l4) * na8 + v);
            for (size_t c = 0; c < 2 * l + 1; c++, lm++)
                VSET(a + lm * na8) = mlk_nep_clm[lm] * f * V(s + lm * na8);
        }
        if (m->l4) {
            vec f = MLK_NEP_C222 * V(fr + m->L * na8 + v);
            vec s3 = V(s + 3 * na8), s4 = V(s + 4 * na8), s5 = V(s + 5 * na8);
            vec s6 = V(s + 6 * na8), s7 = V(s + 7 * na8);
            VSET(a + 3 * na8) +=
                f * (s3 * s3 / 36 - (s6 * s6 + s7 * s7) / 12 + (s4 * s4 + s5 * s5) / 6);
            VSET(a + 4 * na8) += f * (s3 * s4 / 3 + s6 * s4 + s5 * s7);
            VSET(a + 5 * na8) += f * (s3 * s5 / 3 - s6 * s5 + s4 * s7);
            VSET(a + 6 * na8) += f * (-s3 * s6 / 6 - (s5 * s5 - s4 * s4) / 2);
            VSET(a + 7 * na8) += f * (-s3 * s7 / 6 + s4 * s5);
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

/* du[j] = dU/dr_j of the radial descriptors */
FN void NAME(radial_force)(const mlk_nep *m, size_t ti, mlk_nep_work *w)
{
    double *c = w->fsum; /* no longer needed: now sum_n fq_n c_nk */
    for (size_t t = 0; t < m->nt; t++) {
        if (w->seg[t] == w->seg[t + 1]) continue;
        NAME(gemv)
        (m->kr8, m->nr, m->crt + (ti * m->nt + t) * m->nr * m->kr8, m->kr8, w->fq, NULL, c);
        for (size_t j = w->seg[t]; j < w->seg[t + 1]; j += W) {
            vec d = {0};
            for (size_t k = 0; k < m->kr; k++) d += V(w->dfk + k * w->cap + j) * c[k];
            VSET(w->px + j) = d * V(w->x + j);
            VSET(w->py + j) = d * V(w->y + j);
            VSET(w->pz + j) = d * V(w->z + j);
        }
    }
}

/* sum_lm b_lm grad ylm for one vector of neighbours; b (24), as vectors */
FN void NAME(ylm_gradient)(size_t L, const vec *b, vec x, vec y, vec z, vec *gx, vec *gy, vec *gz)
{
    vec ax = b[1], ay = b[2], az = b[0];
    if (L >= 2) {
        az += 6 * z * b[3] + x * b[4] + y * b[5];
        ax += z * b[4] + 2 * (x * b[6] + y * b[7]);
        ay += z * b[5] + 2 * (x * b[7] - y * b[6]);
    }
    vec xx = x * x, yy = y * y, zz = z * z, p = xx - yy, s = 2 * x * y;
    if (L >= 3) {
        vec k = 5 * zz - 1;
        az += (15 * zz - 3) * b[8] + 10 * z * (x * b[9] + y * b[10]) + p * b[11] + s * b[12];
        ax += k * b[9] + 2 * z * (x * b[11] + y * b[12]) + 3 * (p * b[13] + s * b[14]);
        ay += k * b[10] + 2 * z * (x * b[12] - y * b[11]) + 3 * (p * b[14] - s * b[13]);
    }
    if (L >= 4) {
        vec c3 = (xx - 3 * yy) * x, s3 = (3 * xx - yy) * y, k = 14 * zz - 2, k3 = (7 * zz - 3) * z;
        az += (140 * zz - 60) * z * b[15] + (21 * zz - 3) * (x * b[16] + y * b[17]) +
              14 * z * (p * b[18] + s * b[19]) + c3 * b[20] + s3 * b[21];
        ax += k3 * b[16] + k * (x * b[18] + y * b[19]) + 3 * z * (p * b[20] + s * b[21]) +
              4 * (c3 * b[22] + s3 * b[23]);
        ay += k3 * b[17] + k * (x * b[19] - y * b[18]) + 3 * z * (p * b[21] - s * b[20]) +
              4 * (c3 * b[23] - s3 * b[22]);
    }
    *gx = ax, *gy = ay, *gz = az;
}

/* px, py, pz of the radial list += the angular part */
FN void NAME(angular_force)(const mlk_nep *m, size_t n, mlk_nep_work *w)
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
        vec b[24], c = {0};
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
            w->px[k] += out[0][l], w->py[k] += out[1][l], w->pz[k] += out[2][l];
        }
    }
}

TARGET static void NAME(eval)(const mlk_nep *m, const mlk_neigh *nl, const int *type, size_t i0,
                              size_t i1, mlk_nep_work *w, double *u, double *const p[3], double *q)
{
    for (size_t i = i0; i < i1; i++) {
        size_t ti = (size_t)type[i], net = m->n_net == 1 ? 0 : ti;
        size_t n = NAME(collect)(m, nl, type, i, w);
        NAME(radial)(m, n, w);
        NAME(expand_radial)(m, ti, w, w->fsum, w->q);
        size_t na = NAME(angular)(m, ti, w);
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
        NAME(radial_force)(m, ti, w);
        NAME(angular_force)(m, na, w);
        size_t k0 = nl->start[i], bytes = (nl->start[i + 1] - k0) * sizeof(double);
        if (bytes == 0) continue; /* an atom alone */
        for (int c = 0; c < 3; c++) memset(p[c] + k0, 0, bytes);
        double *restrict p0 = p[0] + k0, *restrict p1 = p[1] + k0, *restrict p2 = p[2] + k0;
        for (size_t t = 0; t < m->nt; t++)
            for (size_t j = w->seg[t]; j < w->seg[t] + w->count[t]; j++) {
                int k = w->idx[j];
                p0[k] = w->px[j], p1[k] = w->py[j], p2[k] = w->pz[j];
            }
    }
}
