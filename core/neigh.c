/* neigh.c - linked-cell construction of full neighbour lists; see neigh.h.
 * Atoms are sorted into bins of the fractional unit cube. The bins searched around an atom cover
 * the sphere of radius rc, wrapping through periodic faces as often as needed: that makes cells
 * with an edge below 2 rc (or below rc) the same case as large ones. */
#include "core/neigh.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

typedef struct work {
    double (*s)[3];   /* (n,3) fractional positions, wrapped along periodic directions */
    int (*wrap)[3];   /* (n,3) s = frac - wrap */
    double (*xw)[3];  /* (n,3) Cartesian positions of the wrapped atoms */
    int *bin, *order; /* (n) bin of an atom; atoms sorted by bin, index inside a bin ascending */
    size_t *first;    /* (nbin+1) */
    size_t *cursor;   /* (n) scratch of link_reverse */
    size_t cap_n, cap_bin;
} work;

/* A pair as one number that sorts by (j, image). */
static uint64_t pack(int j, const int im[3])
{
    return (uint64_t)j << 24 | (uint64_t)(im[0] + 128) << 16 | (uint64_t)(im[1] + 128) << 8 |
           (uint64_t)(im[2] + 128);
}

/* Ascending: runs of 8 by insertion, then merged; tmp has room for m. */
static void sort_keys(uint64_t *v, uint64_t *tmp, size_t m)
{
    for (size_t a = 0; a < m; a += 8)
        for (size_t i = a + 1; i < m && i < a + 8; i++) {
            uint64_t key = v[i];
            size_t q = i;
            for (; q > a && v[q - 1] > key; q--) v[q] = v[q - 1];
            v[q] = key;
        }
    for (size_t w = 8; w < m; w *= 2) {
        for (size_t a = 0; a < m; a += 2 * w) {
            size_t mid = a + w < m ? a + w : m, end = a + 2 * w < m ? a + 2 * w : m, l = a, r = mid;
            for (size_t q = a; q < end; q++)
                tmp[q] = r == end || (l < mid && v[l] < v[r]) ? v[l++] : v[r++];
        }
        memcpy(v, tmp, m * sizeof *v);
    }
}

static mlk_status reserve_atoms(mlk_neigh *nl, work *w, size_t n, mlk_err *e)
{
    if (n + 1 > nl->cap_n) {
        mlk_free(nl->start);
        nl->cap_n = 0;
        nl->start = mlk_alloc(n + 1, sizeof *nl->start);
        if (!nl->start) return MLK_FAIL(e, MLK_ENOMEM, "neighbour list of %zu atoms", n);
        nl->cap_n = n + 1;
    }
    if (n > w->cap_n) {
        mlk_free(w->s), mlk_free(w->wrap), mlk_free(w->xw), mlk_free(w->bin), mlk_free(w->order);
        mlk_free(w->cursor);
        w->s = mlk_alloc(n, sizeof *w->s);
        w->wrap = mlk_alloc(n, sizeof *w->wrap);
        w->xw = mlk_alloc(n, sizeof *w->xw);
        w->bin = mlk_alloc(n, sizeof *w->bin);
        w->order = mlk_alloc(n, sizeof *w->order);
        w->cursor = mlk_alloc(n, sizeof *w->cursor);
        w->cap_n = w->s && w->wrap && w->xw && w->bin && w->order && w->cursor ? n : 0;
        if (!w->cap_n) return MLK_FAIL(e, MLK_ENOMEM, "neighbour list of %zu atoms", n);
    }
    return MLK_OK;
}

static mlk_status reserve_pairs(mlk_neigh *nl, size_t np, mlk_err *e)
{
    if (np <= nl->cap_np) return MLK_OK;
    if (np > INT_MAX) return MLK_FAIL(e, MLK_EUNSUPPORTED, "%zu neighbour pairs", np);
    size_t cap = np + np / 8;
    mlk_free(nl->j), mlk_free(nl->rev), mlk_free(nl->image);
    for (int k = 0; k < 3; k++) mlk_free(nl->r[k]);
    nl->j = mlk_alloc(cap, sizeof *nl->j);
    nl->rev = mlk_alloc(cap, sizeof *nl->rev);
    nl->image = mlk_alloc(cap, sizeof *nl->image);
    for (int k = 0; k < 3; k++) nl->r[k] = mlk_alloc(cap, sizeof(double));
    nl->cap_np = nl->j && nl->rev && nl->image && nl->r[0] && nl->r[1] && nl->r[2] ? cap : 0;
    return nl->cap_np ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "neighbour list of %zu pairs", np);
}

typedef struct grid {
    const mlk_cell *cell;
    int nbin[3], reach[3]; /* bins per direction; bins to search on each side */
    double lo[3], width[3];
    double rc2;
} grid;

enum { REACH_MAX = 256 };

/* Bins to search from bin c along direction k: bin and image of each; returns how many. */
static int span(const grid *g, int k, int c, int *bin, int *im)
{
    int m = 0, nb = g->nbin[k];
    for (int q = c - g->reach[k]; q <= c + g->reach[k]; q++) {
        im[m] = q >= 0 ? q / nb : -((nb - 1 - q) / nb);
        bin[m] = q - im[m] * nb;
        if (im[m] == 0 || g->cell->pbc[k]) m++;
    }
    return m;
}

/* Visit the neighbours of atom i. With out NULL only counts. */
static size_t visit(const grid *g, const work *w, size_t i, uint64_t *out)
{
    size_t m = 0;
    int b[3][2 * REACH_MAX + 1], im[3][2 * REACH_MAX + 1], n[3];
    n[0] = span(g, 0, w->bin[i] / (g->nbin[1] * g->nbin[2]), b[0], im[0]);
    n[1] = span(g, 1, w->bin[i] / g->nbin[2] % g->nbin[1], b[1], im[1]);
    n[2] = span(g, 2, w->bin[i] % g->nbin[2], b[2], im[2]);
    const double(*h)[3] = g->cell->h;
    const double *xi = w->xw[i];
    for (int p = 0; p < n[0]; p++)
        for (int q = 0; q < n[1]; q++)
            for (int s = 0; s < n[2]; s++) {
                int bin = (b[0][p] * g->nbin[1] + b[1][q]) * g->nbin[2] + b[2][s];
                size_t first = w->first[bin], last = w->first[bin + 1];
                if (first == last) continue;
                const int d[3] = {im[0][p], im[1][q], im[2][s]};
                double t[3];
                for (int k = 0; k < 3; k++) t[k] = d[0] * h[0][k] + d[1] * h[1][k] + d[2] * h[2][k];
                bool home = !d[0] && !d[1] && !d[2];
                for (size_t a = first; a < last; a++) {
                    int j = w->order[a];
                    if (home && (size_t)j == i) continue;
                    const double *xj = w->xw[j]; /* differences are exactly odd under i <-> j */
                    double rx = xj[0] - xi[0] + t[0], ry = xj[1] - xi[1] + t[1],
                           rz = xj[2] - xi[2] + t[2];
                    if (rx * rx + ry * ry + rz * rz >= g->rc2) continue;
                    if (out) {
                        int image[3];
                        for (int k = 0; k < 3; k++) image[k] = d[k] - w->wrap[j][k] + w->wrap[i][k];
                        out[m] = pack(j, image);
                    }
                    m++;
                }
            }
    return m;
}

static mlk_status bin_atoms(const mlk_cell *cell, size_t n, const double (*x)[3], double rc,
                            grid *g, work *w, mlk_err *e)
{
    double hi[3];
    for (int k = 0; k < 3; k++) g->lo[k] = 0, hi[k] = 1;
    for (size_t i = 0; i < n; i++) {
        mlk_cell_frac(cell, x[i], w->s[i]);
        for (int k = 0; k < 3; k++) {
            double q = w->s[i][k];
            if (!isfinite(q) || fabs(q) > 1e8)
                return MLK_FAIL(e, MLK_ENUMERIC, "position of atom %zu is not finite or far away",
                                i + 1);
            w->wrap[i][k] = 0;
            if (cell->pbc[k]) {
                double f = floor(q);
                w->wrap[i][k] = (int)f;
                w->s[i][k] = q - f;
            } else {
                if (q < g->lo[k]) g->lo[k] = q;
                if (q > hi[k]) hi[k] = q;
            }
        }
        double t[3] = {w->wrap[i][0], w->wrap[i][1], w->wrap[i][2]}, shift[3];
        mlk_cell_cart(cell, t, shift);
        for (int k = 0; k < 3; k++) w->xw[i][k] = x[i][k] - shift[k];
    }
    size_t nbin = 1;
    for (int k = 0; k < 3; k++) {
        double span = hi[k] - g->lo[k];
        double len = cell->height[k] * span;
        int nb = (int)(len / (0.5 * rc)); /* bins of about rc/2 */
        double limit = cbrt((double)n) * 2 + 1;
        if (nb > limit) nb = (int)limit;
        if (nb < 1) nb = 1;
        g->nbin[k] = nb;
        g->width[k] = span / nb;
        g->reach[k] = (int)ceil(rc / (cell->height[k] * g->width[k]));
        if (!cell->pbc[k] && g->reach[k] > nb - 1) g->reach[k] = nb - 1;
        if (g->reach[k] / nb > 100 || g->reach[k] > REACH_MAX)
            return MLK_FAIL(e, MLK_EUNSUPPORTED,
                            "the cell is %g A thick, too small for a cutoff of %g A",
                            cell->height[k], rc);
        nbin *= (size_t)nb;
    }
    MLK_TRY(MLK_GROW(w->first, w->cap_bin, nbin + 1, e));
    memset(w->first, 0, (nbin + 1) * sizeof *w->first);
    for (size_t i = 0; i < n; i++) {
        int b[3];
        for (int k = 0; k < 3; k++) {
            b[k] = (int)((w->s[i][k] - g->lo[k]) / g->width[k]);
            if (b[k] >= g->nbin[k]) b[k] = g->nbin[k] - 1;
            if (b[k] < 0) b[k] = 0;
        }
        w->bin[i] = (b[0] * g->nbin[1] + b[1]) * g->nbin[2] + b[2];
        w->first[w->bin[i] + 1]++;
    }
    for (size_t b = 0; b < nbin; b++) w->first[b + 1] += w->first[b];
    for (size_t i = n; i-- > 0;) w->order[--w->first[w->bin[i] + 1]] = (int)i;
    /* each first[b+1] is now the start of bin b: shift back */
    for (size_t b = 0; b < nbin; b++) w->first[b] = w->first[b + 1];
    w->first[nbin] = n;
    return MLK_OK;
}

/* rev without searching: going through the centres i in order, the entries (j, i) of every j come
 * up in the order of j's own list; cursor[j] walks along it. Several images of one pair stand in
 * opposite order on the two sides. False if a pair has no reverse. */
static bool link_reverse(mlk_neigh *nl, size_t *cursor)
{
    memcpy(cursor, nl->start, nl->n * sizeof *cursor);
    for (size_t i = 0; i < nl->n; i++)
        for (size_t k = nl->start[i], end; k < nl->start[i + 1]; k = end) {
            int j = nl->j[k];
            for (end = k + 1; end < nl->start[i + 1] && nl->j[end] == j;) end++;
            size_t c = cursor[j], m = end - k;
            cursor[j] += m;
            if (c + m > nl->start[j + 1] || nl->j[c] != (int)i || nl->j[c + m - 1] != (int)i)
                return false;
            for (size_t q = 0; q < m; q++) nl->rev[k + q] = (int)(c + m - 1 - q);
        }
    return true;
}

mlk_status mlk_neigh_build(const mlk_cell *cell, size_t n, const double (*x)[3], double rc,
                           mlk_neigh *nl, mlk_err *e)
{
    if (!(rc > 0) || !isfinite(rc))
        return MLK_FAIL(e, MLK_EINVAL, "cutoff %g A is not positive", rc);
    if (n > INT_MAX) return MLK_FAIL(e, MLK_EUNSUPPORTED, "%zu atoms", n);
    if (!nl->work && !(nl->work = mlk_alloc(1, sizeof(work))))
        return MLK_FAIL(e, MLK_ENOMEM, "neighbour list");
    work *w = nl->work;
    nl->n = nl->np = 0;
    MLK_TRY(reserve_atoms(nl, w, n, e));
    grid g = {.cell = cell, .rc2 = rc * rc};
    MLK_TRY(bin_atoms(cell, n, x, rc, &g, w, e));
    long far = 0;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++)
            if (labs(w->wrap[i][k]) > far) far = labs(w->wrap[i][k]);
    for (int k = 0; k < 3; k++)
        if (2 * far + g.reach[k] / g.nbin[k] + 1 > 127)
            return MLK_FAIL(e, MLK_EUNSUPPORTED,
                            "atoms lie more than 60 cells apart; wrap them first");
    nl->start[0] = 0;
#pragma omp parallel for schedule(static) if (n >= 200)
    for (size_t i = 0; i < n; i++) nl->start[i + 1] = visit(&g, w, i, NULL);
    for (size_t i = 0; i < n; i++) nl->start[i + 1] += nl->start[i];
    size_t np = nl->start[n];
    MLK_TRY(reserve_pairs(nl, np, e));
    nl->n = n;
    nl->np = np;
    nl->rc = rc;
    bool bad = false;
#pragma omp parallel if (n >= 200)
    {
        uint64_t *buf = NULL;
        size_t cap = 0;
#pragma omp for schedule(static)
        for (size_t i = 0; i < n; i++) {
            size_t m = nl->start[i + 1] - nl->start[i];
            if (m == 0) continue;
            if (MLK_GROW(buf, cap, 2 * m, NULL)) {
#pragma omp atomic write
                bad = true;
                continue;
            }
            visit(&g, w, i, buf);
            sort_keys(buf, buf + m, m);
            for (size_t q = 0, k = nl->start[i]; q < m; q++, k++) {
                nl->j[k] = (int)(buf[q] >> 24);
                for (int c = 0; c < 3; c++)
                    nl->image[k][c] = (signed char)((int)(buf[q] >> (16 - 8 * c) & 255) - 128);
            }
        }
        mlk_free(buf);
    }
    if (bad) return MLK_FAIL(e, MLK_ENOMEM, "neighbour list");
    bad = !link_reverse(nl, w->cursor);
    mlk_neigh_update(nl, cell, x);
    if (bad) return MLK_FAIL(e, MLK_EBUG, "a neighbour pair has no reverse");
    return MLK_OK;
}

void mlk_neigh_update(mlk_neigh *nl, const mlk_cell *cell, const double (*x)[3])
{
    const double(*h)[3] = cell->h;
#pragma omp parallel for schedule(static) if (nl->n >= 200)
    for (size_t i = 0; i < nl->n; i++)
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            const double *xj = x[nl->j[k]];
            const signed char *im = nl->image[k];
            if (!(im[0] | im[1] | im[2])) { /* most pairs */
                for (int q = 0; q < 3; q++) nl->r[q][k] = xj[q] - x[i][q];
                continue;
            }
            double a = nl->image[k][0], b = nl->image[k][1], c = nl->image[k][2];
            for (int q = 0; q < 3; q++)
                nl->r[q][k] = xj[q] - x[i][q] + (a * h[0][q] + b * h[1][q] + c * h[2][q]);
        }
}

void mlk_neigh_free(mlk_neigh *nl)
{
    work *w = nl->work;
    if (w) {
        mlk_free(w->s), mlk_free(w->wrap), mlk_free(w->xw);
        mlk_free(w->bin), mlk_free(w->order), mlk_free(w->first), mlk_free(w->cursor);
        mlk_free(w);
    }
    mlk_free(nl->start), mlk_free(nl->j), mlk_free(nl->rev), mlk_free(nl->image);
    for (int k = 0; k < 3; k++) mlk_free(nl->r[k]);
    memset(nl, 0, sizeof *nl);
}
