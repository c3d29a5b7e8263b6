/* twins.c - frames that are the same structure up to symmetry, origin and order of the atoms.
 * Candidates agree in composition, volume and three smooth sums over pairs. A candidate is a twin
 * when the sorted lists of its interatomic distances, by pair of elements, agree to TOL: two
 * unrelated snapshots never do. Frames that agree so and not in energy or forces contradict each
 * other. Phonon sets have many near-equal frames; the budget keeps the comparison bounded there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/neigh.h"
#include "datasets/check.h"

#define TOL 5e-4             /* of distances [A] */
#define VOLUME_TOL 1e-5      /* relative */
#define SUM_TOL 3e-4         /* of the sums over pairs, relative */
#define RANGE 5.4            /* of the distances compared [A] */
#define ENERGY_TOL 1e-4      /* twins as published lists count them [eV] */
#define CONTRADICTION_E 1e-3 /* [eV/atom] */
#define CONTRADICTION_F 0.1  /* sorted |F| [eV/A] */
#define BUDGET 2e7           /* numbers sorted; a comparison counts COMPARISON more */
#define COMPARISON 500

/* Smooth window of half-width 1.3 A around c. */
static double window(double r, double c)
{
    double t = (r - c) / 1.3;
    return fabs(t) < 1 ? (1 - t * t) * (1 - t * t) : 0;
}

static int by_number(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Widest layer without atoms; s: scratch of fr->n numbers. */
static void find_gap(const mlk_frame *fr, double *s, mlk_shape *sh)
{
    for (int k = 0; k < 3; k++) {
        if (!fr->cell.pbc[k]) continue;
        for (size_t i = 0; i < fr->n; i++) {
            double f[3];
            mlk_cell_frac(&fr->cell, fr->x[i], f);
            s[i] = f[k] - floor(f[k]);
        }
        qsort(s, fr->n, sizeof *s, by_number);
        double most = s[0] + 1 - s[fr->n - 1];
        for (size_t i = 1; i < fr->n; i++) most = fmax(most, s[i] - s[i - 1]);
        if (most * fr->cell.height[k] > sh->gap) {
            sh->gap = most * fr->cell.height[k];
            sh->gap_axis = k;
        }
    }
}

static mlk_status look(const mlk_frame *fr, mlk_neigh *nl, mlk_shape *sh, mlk_err *e)
{
    *sh = (mlk_shape){.ratio = INFINITY, .dist = INFINITY};
    if (!(fr->has & MLK_HAS_CELL)) return MLK_OK;
    MLK_TRY(mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, RANGE, nl, e));
    for (size_t i = 0; i < fr->n; i++)
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            int za = fr->z[i], zb = fr->z[nl->j[k]];
            double x = nl->r[0][k], y = nl->r[1][k], z = nl->r[2][k];
            double r = sqrt(x * x + y * y + z * z), q = sqrt((double)(za * zb)) + za + zb;
            double radii = mlk_element_radius(za) + mlk_element_radius(zb);
            for (int m = 0; m < 3; m++) sh->m[m] += q * window(r, 2.2 + m);
            if (r < sh->ratio * radii)
                sh->ratio = r / radii, sh->dist = r, sh->za = za, sh->zb = zb;
        }
    double *s = mlk_alloc(fr->n, sizeof *s);
    if (!s) return MLK_FAIL(e, MLK_ENOMEM, "no memory to look at %zu atoms", fr->n);
    find_gap(fr, s, sh);
    mlk_free(s);
    return MLK_OK;
}

mlk_status mlk_check_shapes(const mlk_dataset *ds, mlk_shape *shape, mlk_err *e)
{
    mlk_err bad = {0};
#pragma omp parallel
    {
        mlk_neigh nl = {0};
#pragma omp for schedule(dynamic, 4)
        for (size_t i = 0; i < ds->n; i++) {
            mlk_err le = {0};
            /* a frame whose list is impossible has no shape; it is no reason to give up */
            if (look(&ds->frame[i], &nl, &shape[i], &le) == MLK_ENOMEM) {
#pragma omp critical(mlk_check_shape)
                bad = le;
            }
        }
        mlk_neigh_free(&nl);
    }
    if (bad.code && e && !e->code) *e = bad;
    return bad.code;
}

/* ---- distances ---- */

typedef struct pair {
    int key; /* of the elements */
    double r;
} pair;

typedef struct pairs {
    pair *p;
    size_t n, cap, frame; /* of this frame; SIZE_MAX: none */
    mlk_neigh nl;
} pairs;

static int by_pair(const void *a, const void *b)
{
    const pair *p = a, *q = b;
    return p->key != q->key ? (p->key > q->key) - (p->key < q->key) : (p->r > q->r) - (p->r < q->r);
}

static mlk_status distances(const mlk_frame *fr, pairs *d, double *spent, mlk_err *e)
{
    MLK_TRY(mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, RANGE, &d->nl, e));
    MLK_TRY(MLK_GROW(d->p, d->cap, d->nl.np + 1, e));
    d->n = 0;
    for (size_t i = 0; i < fr->n; i++)
        for (size_t k = d->nl.start[i]; k < d->nl.start[i + 1]; k++) {
            int a = fr->z[i], b = fr->z[d->nl.j[k]];
            double r2 = 0;
            for (int c = 0; c < 3; c++) r2 += d->nl.r[c][k] * d->nl.r[c][k];
            if (a <= b) d->p[d->n++] = (pair){a * 1000 + b, sqrt(r2)};
        }
    qsort(d->p, d->n, sizeof *d->p, by_pair);
    *spent += (double)d->n + COMPARISON;
    return MLK_OK;
}

/* Do two sorted lists agree? What lies within the tolerance of the range may be in one only. */
static bool same_distances(const pairs *a, const pairs *b)
{
    size_t i = 0, j = 0;
    while (i < a->n || j < b->n) {
        bool edge_a = i < a->n && a->p[i].r > RANGE - 2 * TOL;
        bool edge_b = j < b->n && b->p[j].r > RANGE - 2 * TOL;
        if (edge_a || edge_b) {
            i += edge_a, j += edge_b;
            continue;
        }
        if (i >= a->n || j >= b->n || a->p[i].key != b->p[j].key ||
            fabs(a->p[i].r - b->p[j].r) > TOL)
            return false;
        i++, j++;
    }
    return true;
}

/* ---- labels ---- */

static double norm(const double v[3])
{
    return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

/* Largest difference of the sorted |F| by element; the lists are scratch. 0 without forces. */
static mlk_status force_difference(const mlk_frame *a, const mlk_frame *b, pairs *sa, pairs *sb,
                                   double *diff, mlk_err *e)
{
    *diff = 0;
    if (!(a->has & b->has & MLK_HAS_FORCE)) return MLK_OK;
    sa->frame = sb->frame = SIZE_MAX; /* the distances in them are gone */
    MLK_TRY(MLK_GROW(sa->p, sa->cap, a->n, e));
    MLK_TRY(MLK_GROW(sb->p, sb->cap, a->n, e));
    for (size_t i = 0; i < a->n; i++) {
        sa->p[i] = (pair){a->z[i], norm(a->f[i])};
        sb->p[i] = (pair){b->z[i], norm(b->f[i])};
    }
    qsort(sa->p, a->n, sizeof *sa->p, by_pair);
    qsort(sb->p, a->n, sizeof *sb->p, by_pair);
    for (size_t i = 0; i < a->n; i++) *diff = fmax(*diff, fabs(sa->p[i].r - sb->p[i].r));
    return MLK_OK;
}

/* ---- search ---- */

typedef struct entry { /* a frame in the order of comparison */
    uint64_t comp;
    double m;
    size_t i; /* test frames count on from the data */
} entry;

typedef struct search {
    const mlk_dataset *ds, *test;
    const mlk_shape *shape, *test_shape;
    mlk_check *c;
    entry *e;
    size_t n, *cand, cap_cand;
    unsigned char *known; /* (ds->n) found to be a bitwise duplicate before */
    pairs a, b, fa, fb;
    double spent;
} search;

static int by_entry(const void *a, const void *b)
{
    const entry *p = a, *q = b;
    if (p->comp != q->comp) return p->comp < q->comp ? -1 : 1;
    return p->m != q->m ? (p->m < q->m ? -1 : 1) : (p->i > q->i) - (p->i < q->i);
}

static int by_index(const void *a, const void *b)
{
    size_t p = *(const size_t *)a, q = *(const size_t *)b;
    return (p > q) - (p < q);
}

static const mlk_frame *frame_of(const search *s, size_t i)
{
    return i < s->ds->n ? &s->ds->frame[i] : &s->test->frame[i - s->ds->n];
}

static const mlk_shape *shape_of(const search *s, size_t i)
{
    return i < s->ds->n ? &s->shape[i] : &s->test_shape[i - s->ds->n];
}

static bool close_to(double a, double b, double scale)
{
    return fabs(a - b) <= SUM_TOL * (fmax(fabs(a), fabs(b)) + scale);
}

/* Earlier frames that could be twins of frame i, in order. at: place of i in the sorted list. */
static mlk_status candidates(search *s, size_t at, size_t *n, mlk_err *e)
{
    const entry *en = s->e;
    size_t i = en[at].i;
    const mlk_frame *fi = frame_of(s, i);
    const mlk_shape *si = shape_of(s, i);
    double scale = (double)fi->n;
    *n = 0;
    for (int dir = -1; dir <= 1; dir += 2)
        for (size_t k = at + (size_t)dir;
             k < s->n && en[k].comp == en[at].comp && close_to(en[k].m, en[at].m, scale);
             k += (size_t)dir) {
            size_t j = en[k].i;
            const mlk_shape *sj = shape_of(s, j);
            const mlk_frame *fj = frame_of(s, j);
            double dv = fabs(fi->cell.volume - fj->cell.volume);
            if (j > i || dv > VOLUME_TOL * fi->cell.volume ||
                !close_to(si->m[0], sj->m[0], scale) || !close_to(si->m[2], sj->m[2], scale))
                continue;
            MLK_TRY(MLK_GROW(s->cand, s->cap_cand, *n + 1, e));
            s->cand[(*n)++] = j;
        }
    if (*n) qsort(s->cand, *n, sizeof *s->cand, by_index);
    return MLK_OK;
}

typedef struct likeness {
    bool twin;
    double de, df; /* of the labels both have [eV], [eV/A] */
} likeness;

static mlk_status compare(search *s, size_t i, size_t j, likeness *l, mlk_err *e)
{
    const mlk_frame *fi = frame_of(s, i), *fj = frame_of(s, j);
    bool energies = fi->has & fj->has & MLK_HAS_ENERGY;
    *l = (likeness){.de = energies ? fabs(fi->energy - fj->energy) : 0};
    if (s->spent > BUDGET && l->de > ENERGY_TOL) return MLK_OK;
    MLK_TRY(force_difference(fi, fj, &s->fa, &s->fb, &l->df, e));
    s->spent += 2 * (double)fi->n;
    if (s->spent > BUDGET && l->df > 0.01) return MLK_OK;
    if (s->a.frame != i) {
        s->a.frame = SIZE_MAX;
        MLK_TRY(distances(fi, &s->a, &s->spent, e));
        s->a.frame = i;
    }
    MLK_TRY(distances(fj, &s->b, &s->spent, e));
    l->twin = same_distances(&s->a, &s->b);
    return MLK_OK;
}

static bool contradict(const mlk_frame *fr, const likeness *l)
{
    return l->de > CONTRADICTION_E * (double)fr->n || l->df > CONTRADICTION_F;
}

static mlk_status add_twin(search *s, size_t i, size_t j, const likeness *l, mlk_err *e)
{
    size_t nd = s->ds->n;
    bool bad = contradict(frame_of(s, i), l);
    mlk_suspect it = {.frame = i < nd ? i : i - nd, .other = j < nd ? j : j - nd};
    it.value = 1e3 * l->de, it.limit = 1e3 * ENERGY_TOL;
    it.kind = i < nd ? MLK_SUSPECT_TWIN : j < nd ? MLK_SUSPECT_LEAK : MLK_SUSPECT_TEST_TWIN;
    if (bad && it.kind == MLK_SUSPECT_TWIN) {
        it.kind = MLK_SUSPECT_CONTRADICTION;
        it.value = fmax(l->de, l->df), it.limit = CONTRADICTION_E * (double)frame_of(s, i)->n;
    }
    if (bad || l->de > ENERGY_TOL || l->df > 0.01)
        return mlk_suspects_add(&s->c->s, it, e, "energies differ by %.3g meV, |F| by %.3g eV/A",
                                1e3 * l->de, l->df);
    return mlk_suspects_add(&s->c->s, it, e, "%s", "");
}

/* The first twin of frame i in the data, and for a test frame all of them. */
static mlk_status find_for(search *s, size_t at, mlk_err *e)
{
    size_t i = s->e[at].i, nd = s->ds->n, n;
    bool in_data = false, in_test = i < nd;
    if (i < nd && s->known[i]) return MLK_OK;
    MLK_TRY(candidates(s, at, &n, e));
    for (size_t k = 0; k < n; k++) {
        size_t j = s->cand[k];
        likeness l;
        if (j < nd ? (in_data && i < nd) : in_test) continue;
        MLK_TRY(compare(s, i, j, &l, e));
        if (!l.twin) continue;
        bool *done = j < nd ? &in_data : &in_test;
        if (!*done) MLK_TRY(add_twin(s, i, j, &l, e));
        *done = true;
        if (i >= nd && j < nd) s->c->leaky[j] = 1;
        if (i < nd) break;
    }
    return MLK_OK;
}

static mlk_status prepare(search *s, mlk_err *e)
{
    size_t nt = s->test ? s->test->n : 0, all = s->ds->n + nt;
    s->e = mlk_alloc(all + 1, sizeof *s->e);
    s->known = mlk_alloc(s->ds->n + 1, 1);
    if (s->test) s->c->leaky = mlk_alloc(s->ds->n + 1, 1);
    if (!s->e || !s->known || (s->test && !s->c->leaky))
        return MLK_FAIL(e, MLK_ENOMEM, "no memory to compare %zu frames", all);
    for (size_t i = 0; i < all; i++)
        if (frame_of(s, i)->has & MLK_HAS_CELL)
            s->e[s->n++] = (entry){mlk_composition(frame_of(s, i), false), shape_of(s, i)->m[1], i};
    qsort(s->e, s->n, sizeof *s->e, by_entry);
    for (size_t k = 0; k < s->c->s.n; k++) {
        const mlk_suspect *it = &s->c->s.item[k];
        if (it->kind == MLK_SUSPECT_DUPLICATE || it->kind == MLK_SUSPECT_CONTRADICTION)
            s->known[it->frame] = 1;
    }
    return MLK_OK;
}

mlk_status mlk_check_twins(const mlk_dataset *ds, const mlk_shape *shape, const mlk_dataset *test,
                           const mlk_shape *test_shape, mlk_check *c, mlk_err *e)
{
    search s = {.ds = ds, .test = test, .shape = shape, .test_shape = test_shape, .c = c};
    s.a.frame = s.b.frame = SIZE_MAX;
    mlk_status st = prepare(&s, e);
    for (size_t k = 0; k < s.n && !st; k++) st = find_for(&s, k, e);
    if (!st && s.spent > BUDGET)
        mlk_log(MLK_LOG_WARN, "very many frames are nearly the same: equal structures with other "
                              "labels were looked for among part of them only");
    pairs *all[4] = {&s.a, &s.b, &s.fa, &s.fb};
    for (int k = 0; k < 4; k++) {
        mlk_free(all[k]->p);
        mlk_neigh_free(&all[k]->nl);
    }
    mlk_free(s.e);
    mlk_free(s.cand);
    mlk_free(s.known);
    return st;
}
