/* k_nep_vjp.h - gradient of L = sum_i ubar_i U_i + sum_k pbar_k . p_k with respect to the
 * parameters of a NEP, for one vector width; included by k_nep.c after k_nep_body.h. A template: no
 * include guard.
 *
 * sum_k pbar_k . p_k is the derivative of U_i along the displacements v_k = pbar_k. So: carry
 * tangents (ending in _dot or beginning with d) forward to q and dq, then sweep back once through
 * ubar U(q) + dU/dq . dq. With h = w0 q - b0, t = tanh h, hd = w0 dq, the adjoints are
 *   of hd: e = w1 (1-t^2),  of h: eb = e (ubar - 2 t hd),  of dq: fq = w0' e,  of q: qb = w0' eb.
 */

/* rho: tangents of the radial distances */
FN void NAME(displacements)(const mlk_neigh *nl, size_t i, size_t n, double *const pbar[3],
                            mlk_nep_work *w)
{
    size_t k0 = nl->start[i], np = nl->start[i + 1] - k0;
    const double *restrict p0 = pbar[0] + k0, *restrict p1 = pbar[1] + k0,
                           *restrict p2 = pbar[2] + k0;
    const double *restrict x = nl->r[0] + k0, *restrict y = nl->r[1] + k0;
    const double *restrict z = nl->r[2] + k0, *restrict rinv = w->rinv;
    double *restrict dot = w->pair, *restrict rho = w->rho;
    const int *restrict idx = w->idx;
#pragma omp simd aligned(dot : 64)
    for (size_t k = 0; k < np; k++) dot[k] = x[k] * p0[k] + y[k] * p1[k] + z[k] * p2[k];
    dot[np] = 0;
#pragma omp simd aligned(idx, rho, rinv : 64)
    for (size_t j = 0; j < n; j++) rho[j] = dot[idx[j]] * rinv[j];
}

/* dfsum[t][k] = sum_j rho df_k/dr: sums of rho hd T_k + rho hg k U_k-1, see envelope */
FN void NAME(radial_dot)(const mlk_nep *m, mlk_nep_work *w)
{
    vec sum[MLK_NEP_BASIS_MAX];
    for (size_t t = 0; t < m->nt; t++) {
        double *f = w->dfsum + t * m->kr8;
        for (size_t k = 0; k < m->kr; k++) sum[k] = (vec){0};
        for (size_t j = w->seg[t]; j < w->seg[t + 1]; j += W) {
            vec rho = V(w->rho + j), hd = V(w->rhd + j) * rho, hg = V(w->rhg + j) * rho;
            vec x = V(w->rt + j), x2 = x + x, hk = hg;
            vec a = hd, b = hd * x, u = 0 * x, v = 0 * x + 1; /* hd T_k-1, hd T_k, U_k-2, U_k-1 */
            sum[0] += hd;
            for (size_t k = 1; k < m->kr; k++, hk += hg) {
                sum[k] += b + hk * v;
                vec c = x2 * b - a, d = x2 * v - u;
                a = b, b = c, u = v, v = d;
            }
        }
        for (size_t k = 0; k < m->kr; k++) f[k] = NAME(hsum)(sum[k]);
        for (size_t k = m->kr; k-- > 0;) f[k] += f[0];
    }
}

/* tangents of ylm */
FN void NAME(tangents)(const mlk_nep *m, const mlk_neigh *nl, size_t i, size_t na,
                       double *const pbar[3], mlk_nep_work *w)
{
    size_t na8 = (na + 7) & ~(size_t)7, cap = w->cap, L = m->L;
    const double *restrict x_ = w->ax, *restrict y_ = w->ay, *restrict z_ = w->az;
    double *restrict tx = w->vx, *restrict ty = w->vy, *restrict tz = w->vz;
    for (size_t j = 0; j < na; j++) {
        size_t k = (size_t)w->a_idx[j], q = nl->start[i] + k;
        double ri = w->arinv[j], rho = w->arho[j] = w->pair[k] * ri;
        tx[j] = (pbar[0][q] - x_[j] * rho) * ri;
        ty[j] = (pbar[1][q] - y_[j] * rho) * ri;
        tz[j] = (pbar[2][q] - z_[j] * rho) * ri;
    }
    for (size_t j = na; j < na8; j++) w->arho[j] = tx[j] = ty[j] = tz[j] = 0;
    double *restrict b = w->ydot;
#pragma omp simd aligned(x_, y_, z_, tx, ty, tz, b : 64)
    for (size_t j = 0; j < na8; j++) {
        double x = x_[j], y = y_[j], z = z_[j], dx = tx[j], dy = ty[j], dz = tz[j];
        b[j] = dz, b[cap + j] = dx, b[2 * cap + j] = dy;
        b[3 * cap + j] = 6 * z * dz, b[4 * cap + j] = x * dz + z * dx;
        b[5 * cap + j] = y * dz + z * dy;
        b[6 * cap + j] = 2 * (x * dx - y * dy), b[7 * cap + j] = 2 * (x * dy + y * dx);
    }
    if (L < 3) return;
#pragma omp simd aligned(x_, y_, z_, tx, ty, tz, b : 64)
    for (size_t j = 0; j < na8; j++) {
        double x = x_[j], y = y_[j], z = z_[j], dx = tx[j], dy = ty[j], dz = tz[j];
        double xx = x * x, yy = y * y, zz = z * z, p = xx - yy, s = 2 * x * y;
        double dp = 2 * (x * dx - y * dy), ds = 2 * (x * dy + y * dx);
        double c3 = (xx - 3 * yy) * x, s3 = (3 * xx - yy) * y;
        double dc3 = 3 * (p * dx - s * dy), ds3 = 3 * (s * dx + p * dy);
        double k3 = (7 * zz - 3) * z, dk3 = (21 * zz - 3) * dz, k = 7 * zz - 1, dk = 14 * z * dz;
        b[8 * cap + j] = (15 * zz - 3) * dz;
        b[9 * cap + j] = (5 * zz - 1) * dx + 10 * z * x * dz;
        b[10 * cap + j] = (5 * zz - 1) * dy + 10 * z * y * dz;
        b[11 * cap + j] = dp * z + p * dz, b[12 * cap + j] = ds * z + s * dz;
        b[13 * cap + j] = dc3, b[14 * cap + j] = ds3;
        b[15 * cap + j] = (140 * zz - 60) * z * dz;
        b[16 * cap + j] = dk3 * x + k3 * dx, b[17 * cap + j] = dk3 * y + k3 * dy;
        b[18 * cap + j] = dk * p + k * dp, b[19 * cap + j] = dk * s + k * ds;
        b[20 * cap + j] = dc3 * z + c3 * dz, b[21 * cap + j] = ds3 * z + s3 * dz;
        b[22 * cap + j] = 2 * (p * dp - s * ds), b[23 * cap + j] = 2 * (dp * s + p * ds);
    }
    if (L > 4) NAME(tangents_high)(m, na8, w);
}

/* s[lm] = sum_j y g and ds[lm] = sum_j y dg rho + ydot g */
FN void NAME(moments_dot)(const mlk_nep *m, size_t n, mlk_nep_work *w)
{
    size_t na8 = m->na8, cap = w->cap;
    for (size_t v = 0; v < na8; v += W)
        for (size_t lm = 0; lm < m->nlm8; lm += 4) {
            const double *y = w->ylm + lm * cap, *yd = w->ydot + lm * cap;
            vec a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0}, d0 = {0}, d1 = {0}, d2 = {0}, d3 = {0};
            for (size_t j = 0; j < n; j++) {
                vec g = V(w->g + j * na8 + v), gr = V(w->dg + j * na8 + v) * w->arho[j];
                double y0 = y[j], y1 = y[cap + j], y2 = y[2 * cap + j], y3 = y[3 * cap + j];
                a0 += g * y0, a1 += g * y1, a2 += g * y2, a3 += g * y3;
                d0 += gr * y0, d1 += gr * y1, d2 += gr * y2, d3 += gr * y3;
                d0 += g * yd[j], d1 += g * yd[cap + j];
                d2 += g * yd[2 * cap + j], d3 += g * yd[3 * cap + j];
            }
            double *o = w->s + lm * na8 + v, *d = w->ds + lm * na8 + v;
            VSET(o) = a0, VSET(o + na8) = a1, VSET(o + 2 * na8) = a2, VSET(o + 3 * na8) = a3;
            VSET(d) = d0, VSET(d + na8) = d1, VSET(d + 2 * na8) = d2, VSET(d + 3 * na8) = d3;
        }
}

/* tangent of the 4-body descriptor k at s along d */
FN vec NAME(coupled_dot)(const mlk_nep *m, int k, const double *s, const double *d)
{
    vec q = {0};
    for (const mlk_nep_term *t = m->term + (k ? m->end[k - 1] : 0); t < m->term + m->end[k]; t++) {
        size_t a = t->a * m->na8, b = t->b * m->na8, c = t->c * m->na8;
        q += t->k * (V(s + a) * (V(d + b) * V(s + c) + V(s + b) * V(d + c)) +
                     V(d + a) * V(s + b) * V(s + c));
    }
    return q;
}

/* what the 4-body descriptor k adds to the adjoints a of d and sb of s: fd is the adjoint of its
 * tangent, fb its own */
FN void NAME(coupled_dot_back)(const mlk_nep *m, int k, const double *s, const double *d, vec fd,
                               vec fb, double *a, double *sb)
{
    for (const mlk_nep_term *t = m->term + (k ? m->end[k - 1] : 0); t < m->term + m->end[k]; t++)
        for (int q = 0; q < 3; q++) { /* each factor in turn */
            size_t at = (q == 0 ? t->a : q == 1 ? t->b : t->c) * m->na8;
            size_t x = (q == 0 ? t->b : t->a) * m->na8, y = (q == 2 ? t->b : t->c) * m->na8;
            vec sx = V(s + x), sy = V(s + y), xy = t->k * sx * sy;
            VSET(a + at) += fd * xy;
            VSET(sb + at) += fb * xy + fd * t->k * (sx * V(d + y) + V(d + x) * sy);
        }
}

FN void NAME(invariants_dot)(const mlk_nep *m, mlk_nep_work *w)
{
    size_t na8 = m->na8;
    for (size_t v = 0; v < na8; v += W) {
        size_t lm = 0;
        for (size_t l = 1; l <= m->L; l++) {
            vec q = {0};
            for (size_t c = 0; c < 2 * l + 1; c++, lm++)
                q += 2 * mlk_nep_clm[lm] * V(w->s + lm * na8 + v) * V(w->ds + lm * na8 + v);
            VSET(w->rows_dot + (l - 1) * na8 + v) = q;
        }
        for (int k = 0; k < MLK_NEP_BODIES; k++)
            if (m->row[k])
                VSET(w->rows_dot + m->row[k] * na8 + v) =
                    NAME(coupled_dot)(m, k, w->s + v, w->ds + v);
        if (m->row[MLK_NEP_1111])
            VSET(w->rows_dot + m->row[MLK_NEP_1111] * na8 + v) =
                2 * MLK_NEP_C1111 * V(w->rows + v) * V(w->rows_dot + v);
    }
}

/* adjoints a of ds and sb of s, from those of the rows_dot (rows_d) and of the rows (rows_b) */
FN void NAME(invariants_dot_back)(const mlk_nep *m, mlk_nep_work *w)
{
    size_t na8 = m->na8;
    for (size_t v = 0; v < na8; v += W) {
        size_t lm = 0;
        for (size_t l = 1; l <= m->L; l++) {
            vec fd = V(w->rows_d + (l - 1) * na8 + v), fb = V(w->rows_b + (l - 1) * na8 + v);
            if (l == 1 && m->row[MLK_NEP_1111]) {
                size_t r5 = m->row[MLK_NEP_1111] * na8 + v;
                vec d5 = 2 * MLK_NEP_C1111 * V(w->rows_d + r5);
                vec b5 = 2 * MLK_NEP_C1111 * V(w->rows_b + r5);
                fd += d5 * V(w->rows + v);
                fb += b5 * V(w->rows + v) + d5 * V(w->rows_dot + v);
            }
            for (size_t c = 0; c < 2 * l + 1; c++, lm++) {
                vec s = 2 * mlk_nep_clm[lm] * V(w->s + lm * na8 + v);
                vec ds = 2 * mlk_nep_clm[lm] * V(w->ds + lm * na8 + v);
                VSET(w->a + lm * na8 + v) = fd * s;
                VSET(w->sb + lm * na8 + v) = fb * s + fd * ds;
            }
        }
        for (int k = 0; k < MLK_NEP_BODIES; k++)
            if (m->row[k]) NAME(coupled_dot_back)
        (m, k, w->s + v, w->ds + v, V(w->rows_d + m->row[k] * na8 + v),
         V(w->rows_b + m->row[k] * na8 + v), w->a + v, w->sb + v);
    }
}

/* network: forward, tangent, and back to the adjoints fq of dq and qb of q */
FN void NAME(network_vjp)(const mlk_nep *m, size_t net, double ubar, mlk_nep_work *w)
{
    size_t n8 = m->neuron8, d8 = m->dim8;
    const double *w0t = m->w0t + net * m->dim * n8, *w0 = m->w0 + net * m->neuron * d8;
    const double *w1 = m->w1 + net * n8;
    double *restrict e = w->e, *restrict eb = w->eb;
    double *restrict gb = w->g_b0 + net * n8, *restrict g1 = w->g_w1 + net * n8;
    NAME(gemv)(n8, m->dim, w0t, n8, w->q, m->b0 + net * n8, e);
    NAME(gemv)(n8, m->dim, w0t, n8, w->dq, NULL, eb);
#pragma omp simd aligned(e, eb, gb, g1, w1 : 64)
    for (size_t n = 0; n < n8; n++) {
        double t = mlk_vtanh(e[n]), hd = eb[n], s = 1 - t * t;
        g1[n] += ubar * t + s * hd;
        e[n] = w1[n] * s;
        eb[n] = e[n] * (ubar - 2 * t * hd);
        gb[n] += eb[n];
    }
    w->g_b1 -= ubar;
    NAME(gemv)(d8, m->neuron, w0, d8, e, NULL, w->fq);
    NAME(gemv)(d8, m->neuron, w0, d8, eb, NULL, w->qb);
    double *g = w->g_w0 + net * m->neuron * d8;
    for (size_t v = 0; v < d8; v += W) {
        vec q = V(w->q + v), dq = V(w->dq + v);
        for (size_t n = 0; n < m->neuron; n++) VSET(g + n * d8 + v) += q * eb[n] + dq * e[n];
    }
}

/* gradients of the expansion coefficients */
FN void NAME(expansion_vjp)(const mlk_nep *m, size_t ti, mlk_nep_work *w)
{
    for (size_t t = 0; t < m->nt; t++) {
        if (w->seg[t] == w->seg[t + 1]) continue;
        double *g = w->g_cr + (ti * m->nt + t) * m->kr * m->nr8;
        const double *f = w->fsum + t * m->kr8, *df = w->dfsum + t * m->kr8;
        for (size_t k = 0; k < m->kr; k++)
            for (size_t v = 0; v < m->nr8; v += W)
                VSET(g + k * m->nr8 + v) += V(w->qb + v) * f[k] + V(w->fq + v) * df[k];
    }
    /* h_j = sum_lm sb ylm + a ydot, k_j = rho sum_lm a ylm; g += h f + k df; four neighbours at a
     * time (repeating the last one with weight zero) */
    size_t na8 = m->na8, cap = w->cap, ka = m->ka;
    for (size_t t = 0; t < m->nt; t++)
        for (size_t j = w->a_seg[t], end = w->a_seg[t + 1]; j < end; j += 4)
            for (size_t v = 0; v < na8; v += W) {
                size_t j1 = j + 1 < end ? j + 1 : j, j2 = j + 2 < end ? j + 2 : j;
                size_t j3 = j + 3 < end ? j + 3 : j;
                const double *a = w->a + v, *sb = w->sb + v, *y = w->ylm, *yd = w->ydot;
                vec h0 = {0}, h1 = {0}, h2 = {0}, h3 = {0}, d0 = {0}, d1 = {0}, d2 = {0}, d3 = {0};
                vec k0 = {0}, k1 = {0}, k2 = {0}, k3 = {0};
                for (size_t lm = 0; lm < m->nlm; lm++, a += na8, sb += na8, y += cap, yd += cap) {
                    vec al = V(a), sl = V(sb);
                    double y0 = y[j], y1 = y[j1], y2 = y[j2], y3 = y[j3];
                    h0 += sl * y0, h1 += sl * y1, h2 += sl * y2, h3 += sl * y3;
                    k0 += al * y0, k1 += al * y1, k2 += al * y2, k3 += al * y3;
                    d0 += al * yd[j], d1 += al * yd[j1], d2 += al * yd[j2], d3 += al * yd[j3];
                }
                double m1 = j1 > j, m2 = j2 > j, m3 = j3 > j;
                h0 += d0, h1 = m1 * (h1 + d1), h2 = m2 * (h2 + d2), h3 = m3 * (h3 + d3);
                k0 *= w->arho[j], k1 *= m1 * w->arho[j1], k2 *= m2 * w->arho[j2];
                k3 *= m3 * w->arho[j3];
                double *g = w->g_ca + (ti * m->nt + t) * ka * na8 + v;
                const double *f = w->afk, *df = w->adfk;
                for (size_t k = 0; k < ka; k++, g += na8, f += cap, df += cap) {
                    vec p = h0 * f[j] + h1 * f[j1], q = k0 * df[j] + k1 * df[j1];
                    p += h2 * f[j2] + h3 * f[j3], q += k2 * df[j2] + k3 * df[j3];
                    VSET(g) += p + q;
                }
            }
}

TARGET static void NAME(vjp)(const mlk_nep *m, const mlk_neigh *nl, const int *type, size_t i0,
                             size_t i1, const double *ubar, double *const pbar[3], mlk_nep_work *w)
{
    for (size_t i = i0; i < i1; i++) {
        size_t ti = (size_t)type[i], net = m->n_net == 1 ? 0 : ti;
        size_t n = NAME(collect)(m, nl, type, i, w);
        NAME(radial)(m, ti, w);
        NAME(displacements)(nl, i, n, pbar, w);
        NAME(radial_dot)(m, w);
        size_t na = NAME(angular)(m, nl, i, ti, w);
        NAME(tangents)(m, nl, i, na, pbar, w);
        NAME(expand_radial)(m, ti, w, w->fsum, w->q);
        NAME(expand_radial)(m, ti, w, w->dfsum, w->dq);
        NAME(contract_radial)(m, ti, na, w);
        NAME(moments_dot)(m, na, w);
        NAME(invariants)(m, w->s, w->rows);
        NAME(invariants_dot)(m, w);
        NAME(rows_to_q)(m, w->rows, w->q);
        NAME(rows_to_q)(m, w->rows_dot, w->dq);
        NAME(network_vjp)(m, net, ubar[i], w);
        NAME(q_to_rows)(m, w->qb, w->rows_b);
        NAME(q_to_rows)(m, w->fq, w->rows_d);
        NAME(invariants_dot_back)(m, w);
        NAME(expansion_vjp)(m, ti, w);
    }
}
