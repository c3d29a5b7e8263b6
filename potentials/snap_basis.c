/* snap_basis.c - bispectrum components of one centre and their derivatives, for linear fitting.
 * Plain version of the equations in k_snap.h, on full-range matrices; the contraction with the
 * derivatives of all neighbours is a matrix product. */
#include "potentials/snap_int.h"

#include <math.h>
#include <string.h>

#include "core/linalg.h"
#include "core/units.h"

/* c (nf,2) of a = q0 + i q1, b = q2 + i q3 */
static void monomials(const k_snap *t, const double q[4], double *c)
{
    double ar = q[0], ai = q[1], br = q[2], bi = q[3];
    c[0] = 1, c[1] = 0;
    for (int j = 1; j <= t->twojmax; j++) {
        const double *prev = c + 2 * t->fofs[j - 1];
        double *cur = c + 2 * t->fofs[j];
        for (int mb = 0; mb <= j; mb++)
            for (int ma = 0; ma <= j; ma++) {
                const double *p = prev + 2 * ((mb < j ? mb : j - 1) * j + ma), *l = p - 2;
                double re = 0, im = 0;
                if (mb < j) {
                    if (ma < j) re += ar * p[0] + ai * p[1], im += ar * p[1] - ai * p[0];
                    if (ma > 0) re -= br * l[0] + bi * l[1], im -= br * l[1] - bi * l[0];
                } else {
                    if (ma < j) re += br * p[0] - bi * p[1], im += br * p[1] + bi * p[0];
                    if (ma > 0) re += ar * l[0] - ai * l[1], im += ar * l[1] + ai * l[0];
                }
                cur[2 * (mb * (j + 1) + ma)] = re;
                cur[2 * (mb * (j + 1) + ma) + 1] = im;
            }
    }
}

/* dc[x] = d c^j[mb][ma]/d(ar, ai, br, bi), complex, from the matrices of j-1 */
static void monomial_slope(const k_snap *t, const double *c, int j, int mb, int ma, double d[4][2])
{
    memset(d, 0, 8 * sizeof(double));
    if (!j) return;
    const double *p = c + 2 * t->fofs[j - 1];
    double ca[2] = {0, 0}, cb[2] = {0, 0}, a[2] = {0, 0}, b[2] = {0, 0}; /* by a*, b*, a, b */
    for (int x = 0; x < 2; x++) {
        if (mb < j && ma < j) ca[x] = (j - mb) * p[2 * (mb * j + ma) + x];
        if (mb < j && ma > 0) cb[x] = -(j - mb) * p[2 * (mb * j + ma - 1) + x];
        if (mb > 0 && ma > 0) a[x] = mb * p[2 * ((mb - 1) * j + ma - 1) + x];
        if (mb > 0 && ma < j) b[x] = mb * p[2 * ((mb - 1) * j + ma) + x];
    }
    d[0][0] = ca[0] + a[0], d[0][1] = ca[1] + a[1];
    d[1][0] = ca[1] - a[1], d[1][1] = a[0] - ca[0];
    d[2][0] = cb[0] + b[0], d[2][1] = cb[1] + b[1];
    d[3][0] = cb[1] - b[1], d[3][1] = b[0] - cb[0];
}

/* U (ne,nf,2) of centre i; with d != NULL also d[c] (2 nh, m) = d(w fc u)/dr_c in the half range,
 * and col (m): channel of each pair, -1 beyond the cutoff */
static void densities(const k_snap *t, const mlk_neigh *nl, const int *type, size_t i, double *c,
                      double *u, double *const d[3], int *col)
{
    size_t k0 = nl->start[i], m = nl->start[i + 1] - k0;
    memset(u, 0, sizeof(double) * (size_t)(t->ne * t->nf * 2));
    for (int e = 0; e < t->ne; e++) {
        if (t->chem && e != type[i] && !t->wselfall) continue;
        for (int j = 0; j <= t->twojmax; j++)
            for (int a = 0; a <= j; a++) u[2 * (e * t->nf + t->fofs[j] + a * (j + 2))] = 1;
    }
    for (size_t q = 0; q < m; q++) {
        size_t k = k0 + q;
        int tj = type[nl->j[k]], e = t->chem ? tj : 0;
        double r[3] = {nl->r[0][k], nl->r[1][k], nl->r[2][k]}, rc = t->rcut[type[i] * t->nt + tj];
        double r2 = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
        col[q] = -1;
        if (r2 >= rc * rc || r2 < 1e-20) continue;
        col[q] = e;
        double dist = sqrt(r2), scale = MLK_PI / (rc - t->rmin0), arg = scale * (dist - t->rmin0);
        double n[3] = {r[0] / dist, r[1] / dist, r[2] / dist}, w = t->weight[tj], fc = w, dfc = 0;
        double co = cos(t->rfac0 * arg), si = sin(t->rfac0 * arg), tp = t->rfac0 * scale;
        if (t->sw && arg > 0) fc = 0.5 * w * (1 + cos(arg)), dfc = -0.5 * w * scale * sin(arg);
        double quat[4] = {co, -si * n[2], si * n[1], -si * n[0]};
        monomials(t, quat, c);
        double *ue = u + 2 * e * t->nf;
        /* d quat/d r_x: radial part times n, and the turning of v */
        double dq[3][4], sr = si / dist;
        for (int x = 0; x < 3; x++) {
            double turn = co * tp - sr; /* dv_y/dr_x = sr delta + turn n_x n_y */
            double dv[3] = {turn * n[x] * n[0], turn * n[x] * n[1], turn * n[x] * n[2]};
            dv[x] += sr;
            dq[x][0] = -si * tp * n[x];
            dq[x][1] = -dv[2], dq[x][2] = dv[1], dq[x][3] = -dv[0];
        }
        for (int j = 0; j <= t->twojmax; j++)
            for (int mb = 0; 2 * mb <= j; mb++)
                for (int ma = 0; ma <= (2 * mb == j ? mb : j); ma++) {
                    int h = t->hofs[j] + mb * (j + 1) + ma, f = t->h2f[h], g = t->h2m[h];
                    double nrm = t->norm[h], cr = nrm * c[2 * f], ci = nrm * c[2 * f + 1];
                    ue[2 * f] += fc * cr, ue[2 * f + 1] += fc * ci;
                    if (g != f)
                        ue[2 * g] += fc * t->sign[h] * cr, ue[2 * g + 1] -= fc * t->sign[h] * ci;
                    if (!d) continue;
                    double dc[4][2];
                    monomial_slope(t, c, j, mb, ma, dc);
                    for (int x = 0; x < 3; x++) {
                        double re = 0, im = 0;
                        for (int a = 0; a < 4; a++)
                            re += dc[a][0] * dq[x][a], im += dc[a][1] * dq[x][a];
                        d[x][(size_t)(2 * h) * m + q] = fc * nrm * re + dfc * n[x] * cr;
                        d[x][(size_t)(2 * h + 1) * m + q] = fc * nrm * im + dfc * n[x] * ci;
                    }
                }
    }
}

/* Z of the nj results of a pair, half range; z[q] starts at zofs[q] */
static void product(const k_snap *t, const k_snap_pair *p, const double *u, double *const z[])
{
    int j1 = p->j1, j2 = p->j2, sum = j1 + j2, jtop = p->j0 + 2 * (p->nj - 1);
    const double *c = t->coef + p->coef, *u1 = u + 2 * p->u1, *u2 = u + 2 * p->u2;
    for (int tb = 0; tb <= sum / 2; tb++)
        for (int ta = 0; ta <= (2 * tb == sum ? tb : sum); ta++) {
            int low = sum - 2 * tb, a = 2 * ta > sum ? 2 * ta - sum : sum - 2 * ta;
            if (a > low) low = a;
            if (low < p->j0) low = p->j0;
            if (low > jtop) continue;
            double re[K_SNAP_GROUP] = {0}, im[K_SNAP_GROUP] = {0};
            int n = (jtop - low) / 2 + 1;
            for (int b1 = tb > j2 ? tb - j2 : 0; b1 <= tb && b1 <= j1; b1++)
                for (int a1 = ta > j2 ? ta - j2 : 0; a1 <= ta && a1 <= j1; a1++) {
                    int order = b1 != tb - b1 ? b1 - (tb - b1) : a1 - (ta - a1);
                    if (p->same && order > 0) continue;
                    const double *x = u1 + 2 * (b1 * (j1 + 1) + a1);
                    const double *y = u2 + 2 * ((tb - b1) * (j2 + 1) + ta - a1);
                    double pr = x[0] * y[0] - x[1] * y[1], pi = x[0] * y[1] + x[1] * y[0];
                    for (int q = 0; q < n; q++, c++) re[q] += *c * pr, im[q] += *c * pi;
                }
            for (int q = 0; q < n; q++) {
                int j = low + 2 * q, s = (sum - j) / 2, h = (tb - s) * (j + 1) + ta - s;
                double *to = z[(j - p->j0) / 2] + 2 * h;
                to[0] = re[q], to[1] = im[q];
            }
        }
}

mlk_status snap_components_of(const k_snap *t, const mlk_neigh *nl, const int *type, size_t i,
                              mlk_scratch *s, double *b, double *const db[3], mlk_err *e)
{
    size_t m = nl->start[i + 1] - nl->start[i], nh2 = 2 * (size_t)t->nh, ne = (size_t)t->ne,
           nk = t->nk;
    double *c = MLK_SCRATCH(s, double, 2 * (size_t)t->nf),
           *u = MLK_SCRATCH(s, double, ne * 2 * (size_t)t->nf);
    double *zbuf = MLK_SCRATCH(s, double, K_SNAP_GROUP *nh2),
           *dot = MLK_SCRATCH(s, double, t->n_job *ne);
    int *col = MLK_SCRATCH(s, int, m + 1);
    double *d[3] = {NULL, NULL, NULL}, *y = NULL, *part = NULL, *pack = NULL;
    if (db) {
        for (int x = 0; x < 3; x++) d[x] = MLK_SCRATCH(s, double, nh2 *m + 1);
        y = MLK_SCRATCH(s, double, ne *nk *nh2);
        part = MLK_SCRATCH(s, double, nk *m + 1);
        pack = MLK_SCRATCH(s, double, nh2 *m + 1);
    }
    if (!c || !u || !zbuf || !dot || !col ||
        (db && (!d[0] || !d[1] || !d[2] || !y || !part || !pack)))
        return MLK_FAIL(e, MLK_ENOMEM, "snap basis of %zu pairs", m);
    densities(t, nl, type, i, c, u, db ? d : NULL, col);
    if (db) memset(y, 0, ne * nk * nh2 * sizeof *y);
    for (size_t p = 0; p < t->n_pair; p++) {
        const k_snap_pair *pair = &t->pair[p];
        double *z[K_SNAP_GROUP];
        for (int q = 0; q < pair->nj; q++) z[q] = zbuf + (size_t)q * nh2;
        product(t, pair, u, z);
        for (int q = 0; q < pair->nj; q++)
            for (size_t ch = 0; ch < ne; ch++) {
                size_t slot = (size_t)(pair->job + q) * ne + ch;
                int j = pair->j0 + 2 * q, h0 = t->hofs[j], n = t->hofs[j + 1] - h0;
                for (size_t g = t->g_start[slot]; db && g < t->g_start[slot + 1]; g++) {
                    double *row = y + (ch * nk + (size_t)t->g_k[g]) * nh2 + 2 * h0;
                    for (int h = 0; h < n; h++) {
                        row[2 * h] += t->g_f[g] * t->hw[h0 + h] * z[q][2 * h];
                        row[2 * h + 1] += t->g_f[g] * t->hw[h0 + h] * z[q][2 * h + 1];
                    }
                }
                const double *uc = u + 2 * (int)ch * t->nf;
                dot[slot] = 0;
                for (int h = 0; h < n; h++) {
                    int f = t->h2f[h0 + h];
                    dot[slot] +=
                        t->hw[h0 + h] * (z[q][2 * h] * uc[2 * f] + z[q][2 * h + 1] * uc[2 * f + 1]);
                }
            }
    }
    const double *zero = t->k_zero + (size_t)type[i] * nk;
    for (size_t k = 0; k < nk; k++) b[k] = t->k_f[k] * dot[t->k_slot[k]] - zero[k];
    if (!db) return MLK_OK;
    for (int x = 0; x < 3; x++) {
        memset(db[x], 0, nk * m * sizeof(double));
        for (size_t ch = 0; ch < ne; ch++) {
            size_t n = 0;
            for (size_t q = 0; q < m; q++) {
                if (col[q] != (int)ch) continue;
                for (size_t h = 0; h < nh2; h++) pack[h * m + n] = d[x][h * m + q];
                n++;
            }
            if (!n) continue;
            mlk_gemm(0, 0, nk, n, nh2, 1, y + ch * nk * nh2, nh2, pack, m, 0, part, m);
            for (size_t q = 0, at = 0; q < m; q++) {
                if (col[q] != (int)ch) continue;
                for (size_t k = 0; k < nk; k++) db[x][k * m + q] = part[k * m + at];
                at++;
            }
        }
    }
    return MLK_OK;
}
