/* neigh.c - linked-cell construction of full neighbour lists; see neigh.h.
 * Atoms are sorted into bins of the fractional unit cube. The bins searched around an atom cover
 * the sphere of radius rc, wrapping through periodic faces as often as needed: that makes cells
 * with an edge below 2 rc (or below rc) the same case as large ones. */
#include "core/neigh.h"

#include <limits.h>
#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/neigh_pairs.h"

/* What one thread finds: the pairs of a range of centres, and its means of sorting them. */
typedef struct part {
    int *j;
    signed char *image[3];
    size_t np, cap_j, cap_image[3];
    uint64_t *keys, *other; /* of one centre: see pack */
    double *d2;
    size_t cap_keys, cap_other, cap_d2;
    uint64_t *bits, *top; /* sets of atoms, of words of bits; empty between centres */
    uint32_t *image_of;   /* (n) image of an atom of the set */
    size_t cap_bits, cap_top, cap_image_of;
} part;

typedef struct work {
    double (*s)[3];   /* (n,3) fractional positions, wrapped along periodic directions */
    int (*wrap)[3];   /* (n,3) s = frac - wrap */
    double (*xw)[3];  /* (n,3) Cartesian positions of the wrapped atoms */
    int *bin, *order; /* (n) bin of an atom; atoms sorted by bin, index inside a bin ascending */
    size_t *first;    /* (nbin+1) */
    /* atoms sorted by bin: place of an atom among them, their positions, their part of a key */
    size_t *place;
    double *sorted[3];
    uint64_t *key;
    size_t *cursor; /* (n) scratch of link_reverse */
    size_t cap_n, cap_bin;
    part *parts; /* one per thread */
    size_t cap_parts;
} work;

/* A pair is one number that sorts by (j, image): j, then 128 + each image, a byte each. This is
 * the number without the 128s; sums of such numbers are numbers of sums. */
static uint64_t pack(int j, const int im[3])
{
    return ((uint64_t)j << 24) + ((uint64_t)(int64_t)im[0] << 16) +
           ((uint64_t)(int64_t)im[1] << 8) + (uint64_t)(int64_t)im[2];
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
        mlk_free(w->cursor), mlk_free(w->place), mlk_free(w->key);
        for (int k = 0; k < 3; k++) mlk_free(w->sorted[k]);
        w->s = mlk_alloc(n, sizeof *w->s);
        w->wrap = mlk_alloc(n, sizeof *w->wrap);
        w->xw = mlk_alloc(n, sizeof *w->xw);
        w->bin = mlk_alloc(n, sizeof *w->bin);
        w->order = mlk_alloc(n, sizeof *w->order);
        w->cursor = mlk_alloc(n, sizeof *w->cursor);
        w->place = mlk_alloc(n, sizeof *w->place);
        w->key = mlk_alloc(n, sizeof *w->key);
        for (int k = 0; k < 3; k++) w->sorted[k] = mlk_alloc(n, sizeof(double));
        bool all = w->s && w->wrap && w->xw && w->bin && w->order && w->cursor && w->place &&
                   w->key && w->sorted[0] && w->sorted[1] && w->sorted[2];
        w->cap_n = all ? n : 0;
        if (!w->cap_n) return MLK_FAIL(e, MLK_ENOMEM, "neighbour list of %zu atoms", n);
    }
    return MLK_OK;
}

static mlk_status reserve_pairs(mlk_neigh *nl, size_t np, mlk_err *e)
{
    if (np <= nl->cap_np && (nl->rev || nl->no_rev)) return MLK_OK;
    if (np > INT_MAX) return MLK_FAIL(e, MLK_EUNSUPPORTED, "%zu neighbour pairs", np);
    size_t cap = np + np / 8 + 1;
    bool all = true;
    mlk_free(nl->j), mlk_free(nl->rev);
    nl->rev = NULL;
    all = (nl->j = mlk_alloc(cap, sizeof *nl->j)) && all;
    if (!nl->no_rev) all = (nl->rev = mlk_alloc(cap, sizeof *nl->rev)) && all;
    for (int k = 0; k < 3; k++) {
        mlk_free(nl->r[k]), mlk_free(nl->image[k]);
        all = (nl->r[k] = mlk_alloc(cap, sizeof(double))) && all;
        all = (nl->image[k] = mlk_alloc(cap, sizeof(signed char))) && all;
    }
    nl->cap_np = all ? cap : 0;
    return nl->cap_np ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "neighbour list of %zu pairs", np);
}

typedef struct grid {
    const mlk_cell *cell;
    int nbin[3], reach[3]; /* bins per direction; bins to search on each side */
    double lo[3], width[3];
    double rc2;
} grid;

enum { REACH_MAX = 256 };

/* Consecutive bins [lo,hi] of one image of the cell. */
typedef struct stretch {
    int lo, hi, im;
} stretch;

/* The bins to search from bin c along direction k; returns the number of stretches. */
static int stretches(const grid *g, int k, int c, stretch *o)
{
    int m = 0, nb = g->nbin[k], from = c - g->reach[k], to = c + g->reach[k];
    int im = from >= 0 ? from / nb : -((nb - 1 - from) / nb);
    for (; im * nb <= to; im++) {
        int lo = from - im * nb, hi = to - im * nb;
        if (im == 0 || g->cell->pbc[k])
            o[m++] = (stretch){lo > 0 ? lo : 0, hi < nb ? hi : nb - 1, im};
    }
    return m;
}

/* Adds the neighbours of atom i among the sorted atoms [first,last) of image d to p->keys. */
static mlk_status search(const grid *g, const work *w, size_t i, size_t first, size_t last,
                         const int d[3], part *p, size_t *m)
{
    size_t n = last - first;
    MLK_TRY(MLK_GROW(p->d2, p->cap_d2, n, NULL));
    MLK_TRY(MLK_GROW(p->keys, p->cap_keys, *m + n, NULL));
    const double(*h)[3] = g->cell->h;
    double t[3];
    int im[3];
    for (int k = 0; k < 3; k++) {
        t[k] = d[0] * h[0][k] + d[1] * h[1][k] + d[2] * h[2][k];
        im[k] = d[k] + w->wrap[i][k] + 128;
    }
    const double *const x[3] = {w->sorted[0] + first, w->sorted[1] + first, w->sorted[2] + first};
    double *d2 = p->d2;
    mlk_neigh_distances(n, x, w->xw[i], t, d2);
    if (!d[0] && !d[1] && !d[2] && w->place[i] - first < n) d2[w->place[i] - first] = g->rc2;
    uint64_t base = pack(0, im), *out = p->keys + *m;
    const uint64_t *key = w->key + first;
    size_t found = 0;
    for (size_t a = 0; a < n; a++) {
        out[found] = base + key[a];
        found += d2[a] < g->rc2;
    }
    *m += found;
    return MLK_OK;
}

/* The neighbours of atom i, in p->keys; *m: how many. */
static mlk_status visit(const grid *g, const work *w, size_t i, part *p, size_t *m)
{
    stretch s[3][2 * REACH_MAX + 2];
    int c = w->bin[i], n[3];
    n[0] = stretches(g, 0, c / (g->nbin[1] * g->nbin[2]), s[0]);
    n[1] = stretches(g, 1, c / g->nbin[2] % g->nbin[1], s[1]);
    n[2] = stretches(g, 2, c % g->nbin[2], s[2]);
    *m = 0;
    for (const stretch *a = s[0]; a < s[0] + n[0]; a++)
        for (int b0 = a->lo; b0 <= a->hi; b0++)
            for (const stretch *b = s[1]; b < s[1] + n[1]; b++)
                for (int b1 = b->lo; b1 <= b->hi; b1++)
                    for (const stretch *q = s[2]; q < s[2] + n[2]; q++) {
                        const size_t *row = w->first + (b0 * g->nbin[1] + b1) * g->nbin[2];
                        const int d[3] = {a->im, b->im, q->im};
                        size_t first = row[q->lo], last = row[q->hi + 1];
                        if (first < last) MLK_TRY(search(g, w, i, first, last, d, p, m));
                    }
    return MLK_OK;
}

/* Sorts p->keys. Where no atom occurs twice, a set of bits does it; else (small cells) a sort. */
static mlk_status order(part *p, size_t m, size_t n)
{
    uint64_t *v = p->keys, twice = 0;
    for (size_t q = 0; q < m; q++) {
        size_t j = (size_t)(v[q] >> 24), word = j >> 6;
        uint64_t bit = UINT64_C(1) << (j & 63);
        twice |= p->bits[word] & bit;
        p->bits[word] |= bit;
        p->top[word >> 6] |= UINT64_C(1) << (word & 63);
        p->image_of[j] = (uint32_t)(v[q] & 0xffffff);
    }
    for (size_t t = 0, q = 0; t < n / 4096 + 1; t++) {
        for (uint64_t words = p->top[t]; words; words &= words - 1) {
            size_t word = t * 64 + (size_t)__builtin_ctzll(words);
            for (uint64_t set = p->bits[word]; set && !twice; set &= set - 1) {
                size_t j = word * 64 + (size_t)__builtin_ctzll(set);
                v[q++] = (uint64_t)j << 24 | p->image_of[j];
            }
            p->bits[word] = 0;
        }
        p->top[t] = 0;
    }
    if (!twice) return MLK_OK;
    MLK_TRY(MLK_GROW(p->other, p->cap_other, m, NULL));
    sort_keys(v, p->other, m);
    return MLK_OK;
}

/* The lists of the centres [i0,i1) into p, their lengths into count. */
static mlk_status fill(const grid *g, const work *w, size_t n, size_t i0, size_t i1, part *p,
                       size_t *count)
{
    p->np = 0;
    MLK_TRY(MLK_GROW(p->bits, p->cap_bits, n / 64 + 1, NULL));
    MLK_TRY(MLK_GROW(p->top, p->cap_top, n / 4096 + 1, NULL));
    MLK_TRY(MLK_GROW(p->image_of, p->cap_image_of, n, NULL));
    for (size_t i = i0; i < i1; i++) {
        size_t m;
        MLK_TRY(visit(g, w, i, p, &m));
        MLK_TRY(order(p, m, n));
        MLK_TRY(MLK_GROW(p->j, p->cap_j, p->np + m, NULL));
        for (int c = 0; c < 3; c++)
            MLK_TRY(MLK_GROW(p->image[c], p->cap_image[c], p->np + m, NULL));
        for (size_t q = 0; q < m; q++) {
            p->j[p->np + q] = (int)(p->keys[q] >> 24);
            for (int c = 0; c < 3; c++)
                p->image[c][p->np + q] =
                    (signed char)((int)(p->keys[q] >> (16 - 8 * c) & 255) - 128);
        }
        p->np += m;
        count[i] = m;
    }
    return MLK_OK;
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
    for (size_t q = 0; q < n; q++) {
        int i = w->order[q], *wrap = w->wrap[i], back[3] = {-wrap[0], -wrap[1], -wrap[2]};
        w->place[i] = q;
        w->key[q] = pack(i, back);
        for (int k = 0; k < 3; k++) w->sorted[k][q] = w->xw[i][k];
    }
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

/* Every thread finds the lists of a range of centres, then copies them behind each other. */
static mlk_status fill_all(const grid *g, work *w, const double (*x)[3], mlk_neigh *nl, mlk_err *e)
{
    size_t n = nl->n;
    int most = omp_in_parallel() || n < 200 ? 1 : omp_get_max_threads();
    mlk_status s = MLK_GROW(w->parts, w->cap_parts, (size_t)most, e), bad = MLK_OK;
    if (s) return s;
#pragma omp parallel num_threads(most) if (most > 1)
    {
        size_t t = (size_t)omp_get_thread_num(), nt = (size_t)omp_get_num_threads();
        size_t i0 = n * t / nt, i1 = n * (t + 1) / nt;
        part *p = &w->parts[t];
        if (fill(g, w, n, i0, i1, p, nl->start + 1)) {
#pragma omp atomic write
            bad = MLK_ENOMEM;
        }
#pragma omp barrier
#pragma omp single
        {
            nl->start[0] = 0;
            for (size_t i = 0; i < n && !bad; i++) nl->start[i + 1] += nl->start[i];
            if (!bad) s = reserve_pairs(nl, nl->start[n], e);
        }
        if (!s && !bad && p->np) {
            size_t k0 = nl->start[i0];
            memcpy(nl->j + k0, p->j, p->np * sizeof *p->j);
            for (int c = 0; c < 3; c++) memcpy(nl->image[c] + k0, p->image[c], p->np);
            mlk_neigh_vectors(nl, g->cell, x, i0, i1);
        }
    }
    if (bad) s = MLK_FAIL(e, MLK_ENOMEM, "neighbour list of %zu atoms", n);
    nl->np = s ? 0 : nl->start[n];
    if (s) nl->n = 0;
    return s;
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
    nl->n = n;
    nl->rc = rc;
    MLK_TRY(fill_all(&g, w, x, nl, e));
    if (!nl->no_rev && !link_reverse(nl, w->cursor))
        return MLK_FAIL(e, MLK_EBUG, "a neighbour pair has no reverse");
    return MLK_OK;
}

void mlk_neigh_update(mlk_neigh *nl, const mlk_cell *cell, const double (*x)[3])
{
    enum { TILE = 32 };
#pragma omp parallel for schedule(static) if (nl->n >= 200)
    for (size_t i = 0; i < nl->n; i += TILE)
        mlk_neigh_vectors(nl, cell, x, i, i + TILE < nl->n ? i + TILE : nl->n);
}

static void part_free(part *p)
{
    mlk_free(p->j), mlk_free(p->keys), mlk_free(p->other), mlk_free(p->d2);
    mlk_free(p->bits), mlk_free(p->top), mlk_free(p->image_of);
    for (int c = 0; c < 3; c++) mlk_free(p->image[c]);
}

void mlk_neigh_free(mlk_neigh *nl)
{
    work *w = nl->work;
    if (w) {
        mlk_free(w->s), mlk_free(w->wrap), mlk_free(w->xw);
        mlk_free(w->bin), mlk_free(w->order), mlk_free(w->first), mlk_free(w->cursor);
        mlk_free(w->place), mlk_free(w->key);
        for (int k = 0; k < 3; k++) mlk_free(w->sorted[k]);
        for (size_t t = 0; t < w->cap_parts; t++) part_free(&w->parts[t]);
        mlk_free(w->parts);
        mlk_free(w);
    }
    mlk_free(nl->start), mlk_free(nl->j), mlk_free(nl->rev);
    for (int k = 0; k < 3; k++) mlk_free(nl->r[k]), mlk_free(nl->image[k]);
    memset(nl, 0, sizeof *nl);
}
