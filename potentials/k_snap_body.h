/* k_snap_body.h - the SNAP kernel for one vector length; included by k_snap.c with VL (lanes), FN
 * (name of the instance) and TARGET (function attribute) defined. No include guard. */

#if VL == 1
typedef double FN(vd);
#else
typedef double FN(vd) __attribute__((vector_size(8 * VL), may_alias));
#endif
#define vd FN(vd)

/* c^j from c^(j-1); q = Re a, Im a, Re b, Im b. Rows 0..j/2 of j+1 complex numbers. The second half
 * of the middle row of an even j is only wanted when a higher j follows (fill). */
TARGET static inline void FN(level)(int j, bool fill, const vd *q, const vd *prev, vd *cur)
{
    vd ar = q[0], ai = q[1], br = q[2], bi = q[3];
    for (int mb = 0; mb <= (j - 1) / 2; mb++) {
        const vd *p = prev + 2 * mb * j;
        vd *c = cur + 2 * mb * (j + 1);
        vd lr = p[0], li = p[1];
        c[0] = ar * lr + ai * li;
        c[1] = ar * li - ai * lr;
        for (int ma = 1; ma < j; ma++) {
            vd nr = p[2 * ma], ni = p[2 * ma + 1];
            c[2 * ma] = ar * nr + ai * ni - br * lr - bi * li;
            c[2 * ma + 1] = ar * ni - ai * nr - br * li + bi * lr;
            lr = nr, li = ni;
        }
        c[2 * j] = -(br * lr + bi * li);
        c[2 * j + 1] = bi * lr - br * li;
    }
    if (j % 2) return;
    int h = j / 2;
    const vd *p = prev + 2 * (h - 1) * j;
    vd *c = cur + 2 * h * (j + 1);
    vd lr = p[0], li = p[1];
    c[0] = br * lr - bi * li;
    c[1] = br * li + bi * lr;
    for (int ma = 1; ma <= h; ma++) {
        vd nr = p[2 * ma], ni = p[2 * ma + 1];
        c[2 * ma] = br * nr - bi * ni + ar * lr - ai * li;
        c[2 * ma + 1] = br * ni + bi * nr + ar * li + ai * lr;
        lr = nr, li = ni;
    }
    if (!fill) return;
    for (int ma = h + 1; ma <= j; ma++) {
        vd re = c[2 * (j - ma)], im = c[2 * (j - ma) + 1];
        bool odd = (h - ma) % 2;
        c[2 * ma] = odd ? -re : re;
        c[2 * ma + 1] = odd ? im : -im;
    }
}

/* acc (nh,2) += c of one vector of neighbours, scaled by w */
TARGET static inline void FN(density)(const k_snap *t, const vd *q, const vd *w, vd *lev, vd *acc)
{
    size_t half = (size_t)(2 * (t->twojmax / 2 + 1) * (t->twojmax + 1));
    vd *prev = lev, *cur = lev + half;
    prev[0] = *w;
    prev[1] = *w - *w;
    acc[0] += prev[0];
    for (int j = 1; j <= t->twojmax; j++) {
        FN(level)(j, j < t->twojmax, q, prev, cur);
        vd *a = acc + 2 * t->hofs[j];
        int n = 2 * (t->hofs[j + 1] - t->hofs[j]);
        for (int k = 0; k < n; k++) a[k] += cur[k];
        vd *swap = prev;
        prev = cur;
        cur = swap;
    }
}

/* g = S, dS/d(Re a), dS/d(Im a), dS/d(Re b), dS/d(Im b) of S = Re sum conj(Y~) c; x (nhp,8) from
 * fold, y0 = Y~^0. By Euler's theorem the part of degree j is S_j = 2/j Re(a* A_j + b* B_j). */
TARGET static inline void FN(contract)(const k_snap *t, const vd *q, const double *x, double y0,
                                       vd *lev, vd *g)
{
    size_t half = (size_t)(2 * (t->twojmax / 2 + 1) * (t->twojmax + 1));
    vd *prev = lev, *cur = lev + half, zero = *q - *q;
    vd s = zero + y0, tar = zero, tai = zero, tbr = zero, tbi = zero;
    prev[0] = zero + 1.0;
    prev[1] = zero;
    for (int j = 1; j <= t->twojmax; j++) {
        int n = t->hofs[j] - t->hofs[j - 1];
        vd a0 = zero, a1 = zero, a2 = zero, a3 = zero, b0 = zero, b1 = zero, b2 = zero, b3 = zero;
        for (int k = 0; k < n; k++, x += 8) {
            vd re = prev[2 * k], im = prev[2 * k + 1];
            a0 += re * x[0];
            a1 += im * x[1];
            a2 += re * x[2];
            a3 += im * x[3];
            b0 += re * x[4];
            b1 += im * x[5];
            b2 += re * x[6];
            b3 += im * x[7];
        }
        a0 += a1, a2 += a3, b0 += b1, b2 += b3;
        s += (2.0 / j) * (q[0] * a0 + q[1] * a2 + q[2] * b0 + q[3] * b2);
        tar += a0, tai += a2, tbr += b0, tbi += b2;
        if (j == t->twojmax) break;
        FN(level)(j, j < t->twojmax - 1, q, prev, cur);
        vd *swap = prev;
        prev = cur;
        cur = swap;
    }
    g[0] = s;
    g[1] = 2.0 * tar, g[2] = 2.0 * tai, g[3] = 2.0 * tbr, g[4] = 2.0 * tbi;
}

/* Geometry of the neighbours inside the cutoff, grouped by channel, each group padded to whole
 * vectors with weight zero. Arrays of `pad` items each. */
typedef struct FN(geo) {
    double *x, *y, *z; /* unit vector                       */
    double *co, *si;   /* cos and sin of theta              */
    double *ir, *tp;   /* 1/r, d theta/dr                   */
    double *f, *df;    /* w fc and its derivative           */
    double *k;         /* pair index, -1 padding            */
    int *beg;          /* (ne+1) first item of each channel */
} FN(geo);

/* sin and cos of an argument in about [-pi/3, pi] by Taylor series about pi/2, to 1e-16 */
TARGET static inline void FN(sincos)(double theta, double *s, double *c)
{
    double f = theta - 0.5 * MLK_PI, y = f * f;
    double a = 1 / 403291461126605635584000000.0;
    a = 1 / 620448401733239439360000.0 - y * a;
    a = 1 / 1124000727777607680000.0 - y * a;
    a = 1 / 2432902008176640000.0 - y * a;
    a = 1 / 6402373705728000.0 - y * a;
    a = 1 / 20922789888000.0 - y * a;
    a = 1 / 87178291200.0 - y * a;
    a = 1 / 479001600.0 - y * a;
    a = 1 / 3628800.0 - y * a;
    a = 1 / 40320.0 - y * a;
    a = 1 / 720.0 - y * a;
    a = 1 / 24.0 - y * a;
    a = 0.5 - y * a;
    *s = 1 - y * a;
    double b = 1 / 15511210043330985984000000.0;
    b = 1 / 25852016738884976640000.0 - y * b;
    b = 1 / 51090942171709440000.0 - y * b;
    b = 1 / 121645100408832000.0 - y * b;
    b = 1 / 355687428096000.0 - y * b;
    b = 1 / 1307674368000.0 - y * b;
    b = 1 / 6227020800.0 - y * b;
    b = 1 / 39916800.0 - y * b;
    b = 1 / 362880.0 - y * b;
    b = 1 / 5040.0 - y * b;
    b = 1 / 120.0 - y * b;
    b = 1 / 6.0 - y * b;
    *c = -f * (1 - y * b);
}

TARGET static void FN(geometry)(const k_snap *t, const int *j, double *const r[3], const int *type,
                                size_t k0, size_t k1, int ti, const FN(geo) * g)
{
    int n = 0;
    const double *rcut = t->rcut + ti * t->nt;
    for (int e = 0; e < t->ne; e++) {
        g->beg[e] = n;
        for (size_t k = k0; k < k1; k++) {
            int tj = type[j[k]];
            if (t->chem && tj != e) continue;
            double x = r[0][k], y = r[1][k], z = r[2][k], r2 = x * x + y * y + z * z, rc = rcut[tj];
            if (r2 >= rc * rc || r2 < 1e-20) continue;
            g->x[n] = x, g->y[n] = y, g->z[n] = z;
            g->ir[n] = r2;
            g->tp[n] = 1 / (rc - t->rmin0);
            g->f[n] = t->weight[tj];
            g->k[n++] = (double)k;
        }
        for (; n % VL; n++) {
            g->x[n] = g->y[n] = 0;
            g->z[n] = g->ir[n] = 1;
            g->tp[n] = 0.1;
            g->f[n] = 0;
            g->k[n] = -1;
        }
    }
    g->beg[t->ne] = n;
    double rfac0 = t->rfac0, rmin0 = t->rmin0;
    bool sw = t->sw;
    for (int i = 0; i < n; i++) {
        double d = __builtin_sqrt(g->ir[i]), ir = 1 / d, scale = MLK_PI * g->tp[i], w = g->f[i];
        double arg = scale * (d - rmin0), s, c, ss, cc;
        FN(sincos)(rfac0 * arg, &s, &c);
        FN(sincos)(arg, &ss, &cc);
        bool on = sw & (arg > 0);
        double fc = on ? 0.5 * (1 + cc) : 1, dfc = on ? -0.5 * scale * ss : 0;
        g->x[i] *= ir, g->y[i] *= ir, g->z[i] *= ir;
        g->co[i] = c, g->si[i] = s;
        g->ir[i] = ir;
        g->tp[i] = rfac0 * scale;
        g->f[i] = w * fc;
        g->df[i] = w * dfc;
    }
}

/* the four numbers a, b of vector v of the neighbours */
#define QUATERNION(q, g, v)                                                                        \
    do {                                                                                           \
        vd si_ = *(const vd *)((g)->si + (v));                                                     \
        q[0] = *(const vd *)((g)->co + (v));                                                       \
        q[1] = -si_ * *(const vd *)((g)->z + (v));                                                 \
        q[2] = si_ * *(const vd *)((g)->y + (v));                                                  \
        q[3] = -si_ * *(const vd *)((g)->x + (v));                                                 \
    } while (0)

/* densities of centre `lane`, normalised and with both halves, into ut (ne,nf,2)[VL] */
TARGET static void FN(centre_density)(const k_snap *t, const FN(geo) * g, int ti, int lane, vd *lev,
                                      vd *acc, vd *ut)
{
    double *out = (double *)ut + lane;
    for (int e = 0; e < t->ne; e++, out += (size_t)t->nf * 2 * VL) {
        memset(acc, 0, sizeof(vd) * 2 * (size_t)t->nh);
        for (int v = g->beg[e]; v < g->beg[e + 1]; v += VL) {
            vd q[4], w = *(const vd *)(g->f + v);
            QUATERNION(q, g, v);
            FN(density)(t, q, &w, lev, acc);
        }
        for (int h = 0; h < t->nh; h++) {
            const double *a = (const double *)(acc + 2 * h);
            double re = 0, im = 0;
            for (int l = 0; l < VL; l++) re += a[l], im += a[VL + l];
            re *= t->norm[h], im *= t->norm[h];
            double *m = out + (size_t)t->h2m[h] * 2 * VL, *f = out + (size_t)t->h2f[h] * 2 * VL;
            m[0] = t->sign[h] * re, m[VL] = -t->sign[h] * im;
            f[0] = re, f[VL] = im;
        }
        if (t->chem && e != ti && !t->wselfall) continue;
        for (int j = 0; j <= t->twojmax; j++)
            for (int m = 0; m <= j; m++) out[(size_t)(t->fofs[j] + m * (j + 2)) * 2 * VL] += 1;
    }
}

/* One sum over products with N results; leaves 2N numbers in z. */
#define ZSUM_DECL(q) vd zr##q = zero, zi##q = zero;
#define ZSUM_ADD(q) zr##q += c[q] * pr, zi##q += c[q] * pi;
#define ZSUM_OUT(q) z[2 * q] = zr##q, z[2 * q + 1] = zi##q;
#define ZSUM_REP1(X) X(0)
#define ZSUM_REP2(X) X(0) X(1)
#define ZSUM_REP3(X) X(0) X(1) X(2)
#define ZSUM_REP4(X) X(0) X(1) X(2) X(3)
#define ZSUM_REP5(X) X(0) X(1) X(2) X(3) X(4)
#define ZSUM_CASE(N)                                                                               \
    case N: {                                                                                      \
        ZSUM_REP##N(ZSUM_DECL) for (int b1 = b0; b1 <= bn; b1++)                                   \
        {                                                                                          \
            const vd *x = u1 + 2 * b1 * (j1 + 1), *y = u2 + 2 * (tb - b1) * (j2 + 1);              \
            int an = same && 2 * b1 == tb && ta / 2 < am ? ta / 2 : am;                            \
            for (int a1 = a0; a1 <= an; a1++, c += N) {                                            \
                vd xr = x[2 * a1], xi = x[2 * a1 + 1];                                             \
                vd yr = y[2 * (ta - a1)], yi = y[2 * (ta - a1) + 1];                               \
                vd pr = xr * yr - xi * yi, pi = xr * yi + xi * yr;                                 \
                ZSUM_REP##N(ZSUM_ADD)                                                              \
            }                                                                                      \
        }                                                                                          \
        ZSUM_REP##N(ZSUM_OUT) break;                                                               \
    }

/* All products of densities. forward: out (n_job*ne) = <Z, U>, for the components; otherwise
 * out = Y (ne,nh,2) += gamma Z. */
TARGET static void FN(products)(const k_snap *t, const vd *ut, bool forward, const vd *gamma,
                                vd *out)
{
    for (size_t p = 0; p < t->n_pair; p++) {
        const k_snap_pair *pair = &t->pair[p];
        if (forward && !pair->forward) continue;
        int j1 = pair->j1, j2 = pair->j2, sum = j1 + j2, jtop = pair->j0 + 2 * (pair->nj - 1);
        const vd *u1 = ut + 2 * pair->u1, *u2 = ut + 2 * pair->u2;
        const double *c = t->coef + pair->coef;
        bool same = pair->same;
        for (int tb = 0; tb <= sum / 2; tb++) {
            int b0 = tb > j2 ? tb - j2 : 0, bn = tb < j1 ? tb : j1;
            if (same && tb / 2 < bn) bn = tb / 2;
            for (int ta = 0; ta <= (2 * tb == sum ? tb : sum); ta++) {
                int low = sum - 2 * tb, a = 2 * ta > sum ? 2 * ta - sum : sum - 2 * ta;
                if (a > low) low = a;
                if (low < pair->j0) low = pair->j0;
                if (low > jtop) continue;
                int a0 = ta > j2 ? ta - j2 : 0, am = ta < j1 ? ta : j1, n = (jtop - low) / 2 + 1;
                vd z[2 * K_SNAP_GROUP], zero = *ut - *ut;
                switch (n) {
                    ZSUM_CASE(1)
                    ZSUM_CASE(2)
                    ZSUM_CASE(3)
                    ZSUM_CASE(4)
                    ZSUM_CASE(5)
                }
                for (int q = 0; q < n; q++) {
                    int j = low + 2 * q, s = (sum - j) / 2;
                    int h = t->hofs[j] + (tb - s) * (j + 1) + ta - s;
                    size_t slot = (size_t)(pair->job + (j - pair->j0) / 2) * (size_t)t->ne;
                    if (forward) {
                        const vd *u = ut + 2 * t->h2f[h];
                        for (int e = 0; e < t->ne; e++, u += 2 * t->nf)
                            out[slot + (size_t)e] +=
                                t->hw[h] * (z[2 * q] * u[0] + z[2 * q + 1] * u[1]);
                    } else {
                        vd *y = out + 2 * h;
                        for (int e = 0; e < t->ne; e++, y += 2 * t->nh) {
                            y[0] += gamma[slot + (size_t)e] * z[2 * q];
                            y[1] += gamma[slot + (size_t)e] * z[2 * q + 1];
                        }
                    }
                }
            }
        }
    }
}

/* x (nhp,8) of one channel: with Y~ = N Y, A_j = sum (j-mb) conj(Y~[mb][ma]) c + (mb+1)
 * Y~[mb+1][ma+1] conj(c) = dS/da*, likewise B_j, as real coefficients of Re c and Im c */
TARGET static void FN(fold)(const k_snap *t, const vd *y, vd *x)
{
    const int *fi = t->fold_i;
    const double *fc = t->fold_c;
    for (int h = 0; h < t->nhp; h++, fi += 4, fc += 8, x += 8)
        for (int ab = 0; ab < 2; ab++) {
            const vd *p = y + 2 * fi[2 * ab], *q = y + 2 * fi[2 * ab + 1];
            vd pr = fc[4 * ab] * p[0], pi = fc[4 * ab + 1] * p[1];
            vd qr = fc[4 * ab + 2] * q[0], qi = fc[4 * ab + 3] * q[1];
            x[4 * ab] = pr + qr;
            x[4 * ab + 1] = qi + pi;
            x[4 * ab + 2] = qi - pi;
            x[4 * ab + 3] = pr - qr;
        }
}

/* pair partials of centre `lane`; x (ne,nhp,8)[VL], y (ne,nh,2)[VL] */
TARGET static void FN(forces)(const k_snap *t, const FN(geo) * g, int lane, const vd *x,
                              const vd *y, double *xs, vd *lev, double *const p[3])
{
    for (int e = 0; e < t->ne; e++) {
        const double *xe = (const double *)(x + (size_t)e * (size_t)t->nhp * 8) + lane;
        double y0 = *((const double *)(y + (size_t)e * (size_t)t->nh * 2) + lane);
        for (int k = 0; k < 8 * t->nhp; k++) xs[k] = xe[(size_t)k * VL];
        for (int v = g->beg[e]; v < g->beg[e + 1]; v += VL) {
            vd q[4], s[5];
            QUATERNION(q, g, v);
            FN(contract)(t, q, xs, y0, lev, s);
            vd ux = *(vd *)(g->x + v), uy = *(vd *)(g->y + v), uz = *(vd *)(g->z + v);
            vd f = *(vd *)(g->f + v), df = *(vd *)(g->df + v), tp = *(vd *)(g->tp + v);
            vd si = *(vd *)(g->si + v), co = *(vd *)(g->co + v), sr = si * *(vd *)(g->ir + v);
            vd gx = -s[4], gy = s[3], gz = -s[2];
            vd radial = (gx * ux + gy * uy + gz * uz) * (co * tp - sr) - si * tp * s[1];
            radial = f * radial + df * s[0];
            sr *= f;
            vd out[3] = {sr * gx + radial * ux, sr * gy + radial * uy, sr * gz + radial * uz};
            for (int l = 0; l < VL; l++) {
                double k = g->k[v + l];
                if (k < 0) continue;
                for (int c = 0; c < 3; c++) p[c][(size_t)k] = ((const double *)&out[c])[l];
            }
        }
    }
}

/* site energy and beta = dU/dB of a quadratic model, from components b[k] with stride VL */
TARGET static double FN(quadratic)(const k_snap *t, const double *c, const vd *b, int lane,
                                   vd *beta)
{
    const double *bl = (const double *)b + lane;
    double *out = (double *)beta + lane, energy = c[0];
    size_t nk = t->nk;
    for (size_t k = 0; k < nk; k++) out[k * VL] = c[1 + k], energy += c[1 + k] * bl[k * VL];
    const double *q = c + 1 + nk;
    for (size_t k = 0; k < nk; k++) {
        double bk = bl[k * VL], sum = *q * bk;
        energy += 0.5 * *q++ * bk * bk;
        for (size_t m = k + 1; m < nk; m++, q++) {
            sum += *q * bl[m * VL];
            out[m * VL] += *q * bk;
            energy += *q * bk * bl[m * VL];
        }
        out[k * VL] += sum;
    }
    return energy;
}

TARGET static void FN(range)(const k_snap *t, const double *param, const size_t *start,
                             const int *j, double *const r[3], const int *type, size_t i0,
                             size_t i1, double *work, double *u, double *const p[3])
{
    size_t nf = (size_t)t->nf, nh = (size_t)t->nh, ne = (size_t)t->ne, n_slot = t->n_job * ne;
    size_t jm = (size_t)t->twojmax, pad = ne * VL + 8;
    size_t most = 0;
    for (size_t i = i0; i < i1; i++)
        if (start[i + 1] - start[i] > most) most = start[i + 1] - start[i];
    pad = (pad + most + 7) & ~(size_t)7;
    vd *at = (vd *)work;
    vd *ut = at, *y = ut + ne * nf * 2, *acc = y + ne * nh * 2, *x = acc + nh * 2;
    vd *lev = x + ne * nh * 8, *gamma = lev + 2 * (jm / 2 + 1) * (jm + 1) * 2;
    vd *slot = gamma + n_slot, *b = slot + n_slot, *beta = b + t->nk, *end = beta + t->nk;
    double *xs = (double *)work + (((size_t)(end - at) * VL + 7) & ~(size_t)7), *d = xs + nh * 8;
    FN(geo) geo[VL];
    for (int l = 0; l < VL; l++) {
        double **field[10] = {&geo[l].x,  &geo[l].y,  &geo[l].z, &geo[l].co, &geo[l].si,
                              &geo[l].ir, &geo[l].tp, &geo[l].f, &geo[l].df, &geo[l].k};
        for (int f = 0; f < 10; f++, d += pad) *field[f] = d;
        geo[l].beg = (int *)d;
        d += (ne / 2 + 8) & ~(size_t)7;
    }
    for (size_t i = i0; i < i1; i += VL) {
        int n = i1 - i < VL ? (int)(i1 - i) : VL;
        if (n < VL) memset(ut, 0, sizeof(vd) * ne * nf * 2);
        for (int l = 0; l < n; l++) {
            size_t c = i + (size_t)l, k0 = start[c], k1 = start[c + 1];
            for (int a = 0; a < 3 && k1 > k0; a++) memset(p[a] + k0, 0, (k1 - k0) * sizeof(double));
            FN(geometry)(t, j, r, type, k0, k1, type[c], &geo[l]);
            FN(centre_density)(t, &geo[l], type[c], l, lev, acc, ut);
        }
        if (t->quadratic) {
            memset(slot, 0, sizeof(vd) * n_slot);
            memset(beta, 0, sizeof(vd) * t->nk);
            FN(products)(t, ut, true, NULL, slot);
            for (size_t k = 0; k < t->nk; k++) {
                b[k] = t->k_f[k] * slot[t->k_slot[k]];
                for (int l = 0; l < n; l++)
                    ((double *)&b[k])[l] -= t->k_zero[(size_t)type[i + (size_t)l] * t->nk + k];
            }
            for (int l = 0; l < n; l++)
                u[i + (size_t)l] =
                    FN(quadratic)(t, param + (size_t)type[i + (size_t)l] * t->nb, b, l, beta);
            for (size_t s = 0; s < n_slot; s++) {
                vd sum = beta[0] - beta[0];
                for (size_t g = t->g_start[s]; g < t->g_start[s + 1]; g++)
                    sum += t->g_f[g] * beta[t->g_k[g]];
                gamma[s] = sum;
            }
        } else {
            for (int l = 0; l < VL; l++) {
                const double *from = t->gamma + (size_t)type[i + (size_t)(l < n ? l : 0)] * n_slot;
                double *to = (double *)gamma + l;
                for (size_t s = 0; s < n_slot; s++) to[s * VL] = from[s];
            }
        }
        memset(y, 0, sizeof(vd) * ne * nh * 2);
        FN(products)(t, ut, false, gamma, y);
        if (!t->quadratic) { /* E - c_0 is homogeneous of degree 3 in U */
            vd sum = *ut - *ut;
            for (size_t e = 0; e < ne; e++)
                for (size_t h = 0; h < nh; h++) {
                    const vd *a = y + 2 * (e * nh + h), *c = ut + 2 * (e * nf + (size_t)t->h2f[h]);
                    sum += t->hw[h] * (a[0] * c[0] + a[1] * c[1]);
                }
            for (int l = 0; l < n; l++)
                u[i + (size_t)l] = t->shift[type[i + (size_t)l]] + ((const double *)&sum)[l] / 3;
        }
        for (size_t e = 0; e < ne; e++) FN(fold)(t, y + e * nh * 2, x + e * (size_t)t->nhp * 8);
        for (int l = 0; l < n; l++) FN(forces)(t, &geo[l], l, x, y, xs, lev, p);
    }
}

#undef vd
#undef QUATERNION
#undef ZSUM_DECL
#undef ZSUM_ADD
#undef ZSUM_OUT
#undef ZSUM_REP1
#undef ZSUM_REP2
#undef ZSUM_REP3
#undef ZSUM_REP4
#undef ZSUM_REP5
#undef ZSUM_CASE
#undef VL
#undef FN
#undef TARGET
