/* k_nep_ylm.h - the angular functions ylm of NEP and their derivatives, for one vector width.
 * Included by k_nep_body.h: a template, no include guard. They are real solid harmonics on the unit
 * sphere without their norms (mlk_nep_clm), l = 1..L, each l as m = 0, then the pairs of m = 1..l;
 * up to l = 4 written out:
 *   l=1  z, x, y
 *   l=2  3zz-1, xz, yz, xx-yy, 2xy
 *   l=3  (5zz-3)z, (5zz-1)x, (5zz-1)y, (xx-yy)z, 2xyz, (xx-3yy)x, (3xx-yy)y
 *   l=4  (35zz-30)zz+3, (7zz-3)zx, (7zz-3)zy, (7zz-1)(xx-yy), (7zz-1)2xy, (xx-3yy)xz, (3xx-yy)yz,
 *        (xx-yy)^2-4xxyy, 4(xx-yy)xy
 * and beyond
 *   P_l^(m)(z) c_m, P_l^(m)(z) s_m,   P_l^(m) = d^m P_l/dz^m,  c_m + i s_m = (x + iy)^m
 * whose derivatives are again of that kind: d P_l^(m)/dz = P_l^(m+1),
 *   d c_m = m (c_m-1 dx - s_m-1 dy),  d s_m = m (s_m-1 dx + c_m-1 dy). */

/* The general part is a function of its own, so that the common one stays small. */
#define APART TARGET static __attribute__((noinline))

/* c[m], s[m], m = 0..L */
FN void NAME(powers)(size_t L, vec x, vec y, vec *c, vec *s)
{
    c[0] = 0 * x + 1, s[0] = 0 * x;
    for (size_t m = 1; m <= L; m++) {
        c[m] = c[m - 1] * x - s[m - 1] * y;
        s[m] = s[m - 1] * x + c[m - 1] * y;
    }
}

/* p[l] = P_l^(m)(z), l = 0..L, by (l+1-m) P_l+1 = (2l+1) z P_l - (l+m) P_l-1; m up to L + 1 */
FN void NAME(legendre)(size_t L, size_t m, vec z, vec *p)
{
    vec below = {0}, at = below + mlk_nep_pmm[m];
    for (size_t l = 0; l < m && l <= L; l++) p[l] = (vec){0};
    for (size_t l = m; l <= L; l++) {
        p[l] = at;
        vec next = (double)(2 * l + 1) * z * at - (double)(l + m) * below;
        below = at, at = next * mlk_nep_inverse[l + 1 - m];
    }
}

/* row of (l, m): that of c_m; s_m follows when m > 0 */
FN size_t NAME(row)(size_t l, size_t m)
{
    return l * l - 1 + (m ? 2 * m - 1 : 0);
}

/* rows of ylm from l = 5 on, and zeros in those that pad them */
APART void NAME(harmonics_high)(const mlk_nep *nep, size_t n8, mlk_nep_work *w)
{
    size_t L = nep->L, cap = w->cap;
    for (size_t j = 0; j < n8; j += W) {
        vec c[MLK_NEP_L_MAX + 1], s[MLK_NEP_L_MAX + 1], p[MLK_NEP_L_MAX + 1];
        NAME(powers)(L, V(w->ax + j), V(w->ay + j), c, s);
        for (size_t m = 0; m <= L; m++) {
            NAME(legendre)(L, m, V(w->az + j), p);
            for (size_t l = m > 5 ? m : 5; l <= L; l++) {
                double *y = w->ylm + NAME(row)(l, m) * cap + j;
                VSET(y) = p[l] * c[m];
                if (m) VSET(y + cap) = p[l] * s[m];
            }
        }
    }
    memset(w->ylm + nep->nlm * cap, 0, (nep->nlm8 - nep->nlm) * cap * sizeof *w->ylm);
}

/* the rows of ydot of harmonics_high: tangents of ylm along vx, vy, vz */
APART void NAME(tangents_high)(const mlk_nep *nep, size_t n8, mlk_nep_work *w)
{
    size_t L = nep->L, cap = w->cap;
    for (size_t j = 0; j < n8; j += W) {
        vec c[MLK_NEP_L_MAX + 1], s[MLK_NEP_L_MAX + 1];
        vec p[MLK_NEP_L_MAX + 1], dp[MLK_NEP_L_MAX + 1];
        vec dx = V(w->vx + j), dy = V(w->vy + j), dz = V(w->vz + j), dc = {0}, ds = {0};
        NAME(powers)(L, V(w->ax + j), V(w->ay + j), c, s);
        for (size_t m = 0; m <= L; m++) {
            NAME(legendre)(L, m, V(w->az + j), p);
            NAME(legendre)(L, m + 1, V(w->az + j), dp);
            if (m) {
                dc = (double)m * (c[m - 1] * dx - s[m - 1] * dy);
                ds = (double)m * (s[m - 1] * dx + c[m - 1] * dy);
            }
            for (size_t l = m > 5 ? m : 5; l <= L; l++) {
                double *y = w->ydot + NAME(row)(l, m) * cap + j;
                VSET(y) = dp[l] * dz * c[m] + p[l] * dc;
                if (m) VSET(y + cap) = dp[l] * dz * s[m] + p[l] * ds;
            }
        }
    }
    memset(w->ydot + nep->nlm * cap, 0, (nep->nlm8 - nep->nlm) * cap * sizeof *w->ydot);
}

/* g += sum_lm b_lm grad ylm over l = 5..L */
APART void NAME(gradient_high)(size_t L, const vec *b, const vec *r, vec *g)
{
    vec c[MLK_NEP_L_MAX + 1], s[MLK_NEP_L_MAX + 1];
    vec p[MLK_NEP_L_MAX + 1], dp[MLK_NEP_L_MAX + 1];
    NAME(powers)(L, r[0], r[1], c, s);
    for (size_t m = 0; m <= L; m++) {
        vec pc = {0}, ps = {0}, dc = {0}, ds = {0}; /* sum_l of b P_l^(m) and b P_l^(m+1) */
        NAME(legendre)(L, m, r[2], p);
        NAME(legendre)(L, m + 1, r[2], dp);
        for (size_t l = m > 5 ? m : 5; l <= L; l++) {
            const vec *bl = b + NAME(row)(l, m);
            pc += bl[0] * p[l], dc += bl[0] * dp[l];
            if (m) ps += bl[1] * p[l], ds += bl[1] * dp[l];
        }
        g[2] += dc * c[m] + ds * s[m];
        if (!m) continue;
        g[0] += (double)m * (pc * c[m - 1] + ps * s[m - 1]);
        g[1] += (double)m * (ps * c[m - 1] - pc * s[m - 1]);
    }
}

/* ylm of the n8 unit vectors */
FN void NAME(harmonics)(const mlk_nep *m, size_t n8, mlk_nep_work *w)
{
    const double *restrict x_ = w->ax, *restrict y_ = w->ay, *restrict z_ = w->az;
    double *restrict b = w->ylm;
    size_t L = m->L, cap = w->cap;
#pragma omp simd aligned(x_, y_, z_, b : 64)
    for (size_t j = 0; j < n8; j++) {
        double x = x_[j], y = y_[j], z = z_[j];
        double xx = x * x, yy = y * y, zz = z * z, p = xx - yy, s = 2 * x * y;
        b[j] = z, b[cap + j] = x, b[2 * cap + j] = y;
        b[3 * cap + j] = 3 * zz - 1, b[4 * cap + j] = x * z, b[5 * cap + j] = y * z;
        b[6 * cap + j] = p, b[7 * cap + j] = s;
    }
    if (L < 3) return;
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
    if (L > 4) NAME(harmonics_high)(m, n8, w);
}

/* sum_lm b_lm grad ylm for one vector of neighbours; b (nlm8), as vectors */
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
    vec g[3] = {ax, ay, az};
    if (L > 4) NAME(gradient_high)(L, b, (vec[3]){x, y, z}, g);
    *gx = g[0], *gy = g[1], *gz = g[2];
}
