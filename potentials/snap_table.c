/* snap_table.c - index tables and the list of products of the SNAP kernel; the equations are in
 * k_snap.h. */
#include "potentials/snap_int.h"

#include <math.h>
#include <string.h>

#include "potentials/clebsch_gordan.h"

size_t snap_components(int twojmax)
{
    size_t n = 0;
    for (int j1 = 0; j1 <= twojmax; j1++)
        for (int j2 = 0; j2 <= j1; j2++)
            for (int j = j1 - j2; j <= j1 + j2 && j <= twojmax; j += 2) n += j >= j1;
    return n;
}

static mlk_status index_tables(k_snap *t, mlk_err *e)
{
    for (int j = 0; j <= t->twojmax; j++) {
        t->fofs[j + 1] = t->fofs[j] + (j + 1) * (j + 1);
        t->hofs[j + 1] = t->hofs[j] + ((j + 1) * (j + 1) + 1) / 2;
    }
    t->nf = t->fofs[t->twojmax + 1];
    t->nh = t->hofs[t->twojmax + 1];
    t->nhp = t->hofs[t->twojmax];
    size_t nh = (size_t)t->nh;
    t->norm = mlk_alloc(nh, sizeof *t->norm);
    t->hw = mlk_alloc(nh, sizeof *t->hw);
    t->sign = mlk_alloc(nh, sizeof *t->sign);
    t->h2f = mlk_alloc(nh, sizeof *t->h2f);
    t->h2m = mlk_alloc(nh, sizeof *t->h2m);
    t->fold_i = mlk_alloc(4 * nh, sizeof *t->fold_i);
    t->fold_c = mlk_alloc(8 * nh, sizeof *t->fold_c);
    if (!t->norm || !t->hw || !t->sign || !t->h2f || !t->h2m || !t->fold_i || !t->fold_c)
        return MLK_FAIL(e, MLK_ENOMEM, "snap tables");
    for (int j = 0; j <= t->twojmax; j++)
        for (int mb = 0; 2 * mb <= j; mb++)
            for (int ma = 0; ma <= (2 * mb == j ? mb : j); ma++) {
                int h = t->hofs[j] + mb * (j + 1) + ma;
                t->norm[h] = sqrt(mlk_factorial(ma) * mlk_factorial(j - ma) /
                                  (mlk_factorial(mb) * mlk_factorial(j - mb)));
                t->hw[h] = 2 * mb == j && ma == mb ? 1 : 2;
                t->sign[h] = (mb + ma) % 2 ? -1 : 1;
                t->h2f[h] = t->fofs[j] + mb * (j + 1) + ma;
                t->h2m[h] = t->fofs[j] + (j - mb) * (j + 1) + j - ma;
            }
    return MLK_OK;
}

/* f times Y~^j[mb][ma] (conjugated or not, the caller's affair) as half-range index and factors of
 * the real and imaginary part */
static void fold_entry(const k_snap *t, int j, int mb, int ma, double f, int *index, double *c)
{
    double re = f, im = f;
    if (2 * mb > j || (2 * mb == j && ma > mb)) {
        double sign = (mb + ma) % 2 ? -1 : 1;
        re *= sign, im *= -sign;
        mb = j - mb, ma = j - ma;
    }
    int h = t->hofs[j] + mb * (j + 1) + ma;
    *index = h;
    c[0] = re * t->norm[h];
    c[1] = im * t->norm[h];
}

static void fold_tables(k_snap *t)
{
    for (int j = 1; j <= t->twojmax; j++)
        for (int mb = 0; 2 * mb <= j - 1; mb++)
            for (int ma = 0; ma <= (2 * mb == j - 1 ? mb : j - 1); ma++) {
                int h = t->hofs[j - 1] + mb * j + ma, own = t->hw[h] < 2;
                int *fi = t->fold_i + 4 * h;
                double *fc = t->fold_c + 8 * h;
                /* an element that is its own mirror is real and counts once */
                fold_entry(t, j, mb, ma, j - mb, fi, fc);
                fold_entry(t, j, mb + 1, ma + 1, own ? 0 : mb + 1, fi + 1, fc + 2);
                fold_entry(t, j, mb, ma + 1, mb - j, fi + 2, fc + 4);
                fold_entry(t, j, mb + 1, ma, own ? 0 : mb + 1, fi + 3, fc + 6);
            }
}

/* Coefficients of one entry in the order in which the kernel meets them; NULL c only counts. */
static size_t pair_coefs(const k_snap_pair *p, double *c)
{
    int j1 = p->j1, j2 = p->j2, sum = j1 + j2, jtop = p->j0 + 2 * (p->nj - 1);
    size_t n = 0;
    for (int tb = 0; tb <= sum / 2; tb++)
        for (int ta = 0; ta <= (2 * tb == sum ? tb : sum); ta++) {
            int low = sum - 2 * tb, a = 2 * ta > sum ? 2 * ta - sum : sum - 2 * ta;
            if (a > low) low = a;
            if (low < p->j0) low = p->j0;
            if (low > jtop) continue;
            for (int b1 = tb > j2 ? tb - j2 : 0; b1 <= tb && b1 <= j1; b1++)
                for (int a1 = ta > j2 ? ta - j2 : 0; a1 <= ta && a1 <= j1; a1++) {
                    int order = b1 != tb - b1 ? b1 - (tb - b1) : a1 - (ta - a1);
                    if (p->same && order > 0) continue;
                    double twice = p->same && order < 0 ? 2 : 1;
                    for (int j = low; j <= jtop; j += 2, n++)
                        if (c)
                            c[n] = twice * mlk_clebsch_gordan(j1, b1, j2, tb - b1, j) *
                                   mlk_clebsch_gordan(j1, a1, j2, ta - a1, j);
                }
        }
    return n;
}

static mlk_status pair_tables(k_snap *t, mlk_err *e)
{
    int jm = t->twojmax, ne = t->ne, n_factor = ne * (jm + 1);
    for (int pass = 0; pass < 2; pass++) {
        t->n_pair = t->n_job = t->n_coef = 0;
        for (int x = 0; x < n_factor; x++)
            for (int y = 0; y <= x; y++) { /* x = j1*ne + e1 >= y */
                int j1 = x / ne, j2 = y / ne;
                for (int j = j1 - j2; j <= j1 + j2 && j <= jm; j += 2 * K_SNAP_GROUP) {
                    int last = j1 + j2 < jm ? j1 + j2 : jm, nj = (last - j) / 2 + 1;
                    k_snap_pair p = {.j1 = j1, .j2 = j2, .e1 = x % ne, .e2 = y % ne, .j0 = j};
                    p.u1 = p.e1 * t->nf + t->fofs[j1];
                    p.u2 = p.e2 * t->nf + t->fofs[j2];
                    p.nj = nj < K_SNAP_GROUP ? nj : K_SNAP_GROUP;
                    p.job = (int)t->n_job;
                    p.same = x == y;
                    p.forward = j + 2 * (p.nj - 1) >= j1;
                    p.coef = t->n_coef;
                    if (pass) {
                        t->pair[t->n_pair] = p;
                        for (int q = 0; q < p.nj; q++) t->job_j[t->n_job + (size_t)q] = j + 2 * q;
                    }
                    t->n_coef += pair_coefs(&p, pass ? t->coef + t->n_coef : NULL);
                    t->n_job += (size_t)p.nj;
                    t->n_pair++;
                }
            }
        if (pass) break;
        t->pair = mlk_alloc(t->n_pair, sizeof *t->pair);
        t->job_j = mlk_alloc(t->n_job, sizeof *t->job_j);
        t->coef = mlk_alloc(t->n_coef, sizeof *t->coef);
        if (!t->pair || !t->job_j || !t->coef) return MLK_FAIL(e, MLK_ENOMEM, "snap products");
    }
    return MLK_OK;
}

int snap_table_slot(const k_snap *t, int ja, int ea, int jb, int eb, int j, int e)
{
    int x = ja * t->ne + ea, y = jb * t->ne + eb, swap = x;
    if (y > x) x = y, y = swap;
    for (size_t p = 0; p < t->n_pair; p++) {
        const k_snap_pair *q = &t->pair[p];
        if (q->j1 * t->ne + q->e1 == x && q->j2 * t->ne + q->e2 == y && j >= q->j0 &&
            j < q->j0 + 2 * q->nj)
            return (q->job + (j - q->j0) / 2) * t->ne + e;
    }
    return -1;
}

/* index of component (j1 >= j2, j >= j1) among those of one element triplet */
static int block_index(int twojmax, int a, int b, int c)
{
    int n = 0;
    for (int j1 = 0; j1 <= twojmax; j1++)
        for (int j2 = 0; j2 <= j1; j2++)
            for (int j = j1 - j2; j <= j1 + j2 && j <= twojmax; j += 2) {
                if (j < j1) continue;
                if (j1 == a && j2 == b && j == c) return n;
                n++;
            }
    return -1;
}

typedef struct term { /* gamma[slot] += f beta[k] */
    int slot, k;
    double f;
} term;

/* dE/dU of every component: with respect to each of its three factors. */
static size_t gradient_terms(const k_snap *t, term *out)
{
    int ne = t->ne, per = (int)snap_components(t->twojmax);
    size_t n = 0;
    for (int x = 0; x < ne * ne * ne; x++)
        for (int j1 = 0, b = 0; j1 <= t->twojmax; j1++)
            for (int j2 = 0; j2 <= j1; j2++)
                for (int j = j1 - j2; j <= j1 + j2 && j <= t->twojmax; j += 2) {
                    if (j < j1) continue;
                    int e1 = x / (ne * ne), e2 = x / ne % ne, e3 = x % ne, k = x * per + b++;
                    double f = t->k_f[k] * (j + 1);
                    out[n++] = (term){t->k_slot[k], k, f / (j + 1)};
                    out[n++] = (term){snap_table_slot(t, j2, e2, j, e3, j1, e1), k, f / (j1 + 1)};
                    out[n++] = (term){snap_table_slot(t, j1, e1, j, e3, j2, e2), k, f / (j2 + 1)};
                }
    return n;
}

/* LAMMPS's adjoint: where two (or three) of j1, j2, j are equal it takes 2 beta(e1 e2 e3) (or 3)
 * instead of the sum over the exchanged elements; see snap_table_follow_lammps. */
static size_t lammps_terms(const k_snap *t, term *out)
{
    int ne = t->ne, per = (int)snap_components(t->twojmax);
    size_t n = 0;
    for (int j1 = 0; j1 <= t->twojmax; j1++)
        for (int j2 = 0; j2 <= j1; j2++)
            for (int j = j1 - j2; j <= j1 + j2 && j <= t->twojmax; j += 2) {
                int hi = j > j1 ? j : j1, lo = j < j2 ? j : j2, mid = j1 + j2 + j - hi - lo;
                int b = block_index(t->twojmax, mid, lo, hi);
                int times = j == j1 && j == j2 ? 3 : j == j1 || j == j2 ? 2 : 1;
                for (int x = 0; x < ne * ne * ne; x++, n++) {
                    int e1 = x / (ne * ne), e2 = x / ne % ne, e3 = x % ne, y = x;
                    if (j < j2)
                        y = (e2 * ne + e3) * ne + e1;
                    else if (j < j1)
                        y = (e3 * ne + e2) * ne + e1;
                    if (!out) continue;
                    int k = y * per + b;
                    out[n] = (term){snap_table_slot(t, j1, e1, j2, e2, j, e3), k,
                                    times * t->k_f[k] * (hi + 1) / (j + 1)};
                }
            }
    return n;
}

/* compressed rows slot -> components from a list of terms */
static mlk_status gamma_rows(k_snap *t, bool lammps, mlk_err *e)
{
    size_t n_slot = t->n_job * (size_t)t->ne, n = lammps ? lammps_terms(t, NULL) : 3 * t->nk;
    mlk_free(t->g_start), mlk_free(t->g_k), mlk_free(t->g_f);
    t->g_start = mlk_alloc(n_slot + 1, sizeof *t->g_start);
    t->g_k = mlk_alloc(n, sizeof *t->g_k);
    t->g_f = mlk_alloc(n, sizeof *t->g_f);
    term *list = mlk_alloc(n, sizeof *list);
    if (!t->g_start || !t->g_k || !t->g_f || !list) {
        mlk_free(list);
        return MLK_FAIL(e, MLK_ENOMEM, "snap with %zu components", t->nk);
    }
    n = lammps ? lammps_terms(t, list) : gradient_terms(t, list);
    for (size_t q = 0; q < n; q++) t->g_start[list[q].slot + 1]++;
    for (size_t q = 0; q < n_slot; q++) t->g_start[q + 1] += t->g_start[q];
    for (size_t q = 0; q < n; q++) {
        size_t at = t->g_start[list[q].slot]++;
        t->g_k[at] = list[q].k;
        t->g_f[at] = list[q].f;
    }
    for (size_t q = n_slot; q > 0; q--) t->g_start[q] = t->g_start[q - 1];
    t->g_start[0] = 0;
    mlk_free(list);
    return MLK_OK;
}

mlk_status snap_table_follow_lammps(k_snap *t, mlk_err *e)
{
    return gamma_rows(t, true, e);
}

static mlk_status component_tables(k_snap *t, const snap_setup *s, mlk_err *e)
{
    size_t ne = (size_t)t->ne, per = snap_components(t->twojmax), n_slot = t->n_job * ne;
    t->nk = per * ne * ne * ne;
    t->nb = 1 + t->nk + (t->quadratic ? t->nk * (t->nk + 1) / 2 : 0);
    t->k_slot = mlk_alloc(t->nk, sizeof *t->k_slot);
    t->k_f = mlk_alloc(t->nk, sizeof *t->k_f);
    t->k_same = mlk_alloc(t->nk, sizeof *t->k_same);
    t->k_zero = mlk_alloc((size_t)t->nt * t->nk, sizeof *t->k_zero);
    t->gamma = mlk_alloc((size_t)t->nt * n_slot, sizeof *t->gamma);
    t->shift = mlk_alloc((size_t)t->nt, sizeof *t->shift);
    if (!t->k_slot || !t->k_f || !t->k_same || !t->k_zero || !t->gamma || !t->shift)
        return MLK_FAIL(e, MLK_ENOMEM, "snap with %zu components", t->nk);
    int n = t->ne, p = (int)per;
    for (int x = 0; x < n * n * n; x++)
        for (int j1 = 0, b = 0; j1 <= t->twojmax; j1++)
            for (int j2 = 0; j2 <= j1; j2++)
                for (int j = j1 - j2; j <= j1 + j2 && j <= t->twojmax; j += 2) {
                    if (j < j1) continue;
                    int e1 = x / (n * n), e2 = x / n % n, e3 = x % n, k = x * p + b;
                    t->k_slot[k] = snap_table_slot(t, j1, e1, j2, e2, j, e3);
                    t->k_f[k] = s->bnorm ? 1.0 / (j + 1) : 1.0;
                    for (int c = 0; c < t->nt && s->bzero; c++) {
                        bool self = !t->chem || s->wselfall || (e1 == c && e2 == c && e3 == c);
                        t->k_zero[c * (int)t->nk + k] = self ? t->k_f[k] * (j + 1) : 0;
                    }
                    /* the first of the components that equal this one by exchange of factors */
                    int a[3] = {e1, e2, e3};
                    for (int r = 0; r < 2; r++) {
                        if (j1 == j2 && a[0] > a[1]) a[0] ^= a[1], a[1] ^= a[0], a[0] ^= a[1];
                        if (j == j1 && a[0] > a[2]) a[0] ^= a[2], a[2] ^= a[0], a[0] ^= a[2];
                    }
                    if (j1 == j2 && a[0] > a[1]) a[0] ^= a[1], a[1] ^= a[0], a[0] ^= a[1];
                    t->k_same[k] = ((a[0] * n + a[1]) * n + a[2]) * p + b++;
                }
    return gamma_rows(t, false, e);
}

mlk_status snap_table_build(const snap_setup *s, k_snap *t, mlk_err *e)
{
    if (s->twojmax < 0 || s->twojmax > K_SNAP_JMAX)
        return MLK_FAIL(e, MLK_EUNSUPPORTED, "twojmax %d, mlkit handles 0 to %d", s->twojmax,
                        K_SNAP_JMAX);
    if (!(s->rfac0 > 0 && s->rfac0 <= 1))
        return MLK_FAIL(e, MLK_EUNSUPPORTED, "rfac0 %g, expected a number in (0, 1]", s->rfac0);
    t->twojmax = s->twojmax;
    t->nt = s->nt;
    t->chem = s->chem;
    t->ne = s->chem ? s->nt : 1;
    t->quadratic = s->quadratic;
    t->wselfall = s->wselfall;
    t->sw = s->sw;
    t->rfac0 = s->rfac0;
    t->rmin0 = s->rmin0;
    size_t nt = (size_t)s->nt, ne = (size_t)t->ne;
    double nk = (double)(snap_components(s->twojmax) * ne * ne * ne);
    double total = (double)nt * (1 + nk + (s->quadratic ? nk * (nk + 1) / 2 : 0));
    if (total > 20000) {
        MLK_FAIL(e, MLK_EUNSUPPORTED, "a snap model with %.0f parameters", total);
        mlk_err_hint(e, "lower twojmax, or switch off chem or quadratic");
        return MLK_EUNSUPPORTED;
    }
    t->rcut = mlk_alloc(nt * nt, sizeof *t->rcut);
    t->weight = mlk_alloc(nt, sizeof *t->weight);
    if (!t->rcut || !t->weight) return MLK_FAIL(e, MLK_ENOMEM, "snap");
    memcpy(t->weight, s->weight, nt * sizeof *t->weight);
    for (size_t a = 0; a < nt; a++)
        for (size_t b = 0; b < nt; b++) {
            double rc = t->rcut[a * nt + b] = s->rcutfac * (s->radius[a] + s->radius[b]);
            if (!(rc > 0) || s->rmin0 < 0 || s->rmin0 > 0.25 * rc)
                return MLK_FAIL(e, MLK_EUNSUPPORTED,
                                "pair cutoff %g A with rmin0 %g A: expected 0 <= "
                                "rmin0 <= cutoff/4",
                                rc, s->rmin0);
        }
    MLK_TRY(index_tables(t, e));
    fold_tables(t);
    MLK_TRY(pair_tables(t, e));
    return component_tables(t, s, e);
}

void snap_table_update(k_snap *t, const double *param)
{
    if (t->quadratic) return;
    size_t n_slot = t->n_job * (size_t)t->ne;
    for (size_t c = 0; c < (size_t)t->nt; c++) {
        const double *beta = param + c * t->nb + 1;
        t->shift[c] = param[c * t->nb];
        for (size_t k = 0; k < t->nk; k++) t->shift[c] -= beta[k] * t->k_zero[c * t->nk + k];
        for (size_t s = 0; s < n_slot; s++) {
            double sum = 0;
            for (size_t g = t->g_start[s]; g < t->g_start[s + 1]; g++)
                sum += t->g_f[g] * beta[t->g_k[g]];
            t->gamma[c * n_slot + s] = sum;
        }
    }
}

void snap_table_free(k_snap *t)
{
    void *all[] = {t->rcut,   t->weight, t->norm,    t->hw,    t->h2f,  t->h2m,    t->sign,
                   t->fold_i, t->fold_c, t->pair,    t->job_j, t->coef, t->k_slot, t->k_f,
                   t->k_same, t->k_zero, t->g_start, t->g_k,   t->g_f,  t->gamma,  t->shift};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) mlk_free(all[k]);
    memset(t, 0, sizeof *t);
}
