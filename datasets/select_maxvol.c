/* select_maxvol.c - active sets of nearly maximal volume, and selection by extrapolation grade
 * (S. A. Goreinov et al., How to find a good submatrix, in Matrix Methods, World Scientific (2010);
 * E. V. Podryabinkin, A. V. Shapeev, Comput. Mater. Sci. 140, 171 (2017)). A species with fewer
 * atoms than coordinates, or descriptors that depend on each other, is the usual case: principal
 * components drop the dependent ones, the initial rows stand for what is not covered yet. */
#include "datasets/select.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>

#include "core/linalg.h"
#include "core/mem.h"

/* ---- space --------------------------------------------------------------------------------- */

mlk_status mlk_space_init(mlk_space *sp, size_t nd, mlk_err *e)
{
    memset(sp, 0, sizeof *sp);
    sp->nd = nd;
    sp->ref = mlk_alloc(nd, sizeof *sp->ref);
    sp->sum = mlk_alloc(nd, sizeof *sp->sum);
    sp->cov = mlk_alloc(nd * nd, sizeof *sp->cov);
    return sp->ref && sp->sum && sp->cov ? MLK_OK
                                         : MLK_FAIL(e, MLK_ENOMEM, "space of %zu descriptors", nd);
}

void mlk_space_free(mlk_space *sp)
{
    mlk_free(sp->ref), mlk_free(sp->sum), mlk_free(sp->cov), mlk_free(sp->work);
    memset(sp, 0, sizeof *sp);
}

mlk_status mlk_space_add(mlk_space *sp, size_t n, const double *q, mlk_err *e)
{
    size_t nd = sp->nd;
    if (!n) return MLK_OK;
    MLK_TRY(MLK_GROW(sp->work, sp->cap_work, n * nd, e));
    if (!sp->count) memcpy(sp->ref, q, nd * sizeof *q); /* near the mean: no cancellation later */
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < nd; k++) {
            double v = q[i * nd + k] - sp->ref[k];
            sp->work[i * nd + k] = v;
            sp->sum[k] += v;
        }
    mlk_syrk_ata(n, nd, sp->work, nd, sp->cov, nd);
    sp->count += n;
    return MLK_OK;
}

mlk_status mlk_space_finish(mlk_space *sp, double resolution, mlk_err *e)
{
    size_t nd = sp->nd, keep = 0;
    double *w = mlk_alloc(nd, sizeof *w), *dev = mlk_alloc(nd, sizeof *dev), *c = sp->cov;
    double n = sp->count ? (double)sp->count : 1;
    mlk_status s = MLK_OK;
    if (!w || !dev) {
        s = MLK_FAIL(e, MLK_ENOMEM, "space of %zu descriptors", nd);
        goto done;
    }
    for (size_t k = 0; k < nd; k++) {
        double var = c[k * nd + k] / n - sp->sum[k] / n * (sp->sum[k] / n);
        double size = fabs(sp->ref[k]) + sqrt(c[k * nd + k] / n);
        dev[k] = var > 1e-18 * size * size ? 1 / sqrt(var) : 0; /* 0: the same in every atom */
    }
    for (size_t k = 0; k < nd; k++)
        for (size_t l = k; l < nd; l++)
            c[k * nd + l] =
                (c[k * nd + l] / n - sp->sum[k] / n * (sp->sum[l] / n)) * dev[k] * dev[l];
    MLK_GO(mlk_eigh(nd, c, w, e));
    double top = fmax(w[nd - 1], 1e-300), least = fmax(0.01 * resolution * resolution, 1e-12) * top;
    while (keep < nd && w[nd - 1 - keep] > least) keep++;
    for (size_t k = 0; k < nd; k++) sp->ref[k] += sp->sum[k] / n;
    double *axes = mlk_alloc(keep * nd + 1, sizeof *axes);
    if (!axes) {
        s = MLK_FAIL(e, MLK_ENOMEM, "space of %zu descriptors", nd);
        goto done;
    }
    for (size_t k = 0; k < keep; k++) /* the largest first */
        for (size_t l = 0; l < nd; l++)
            axes[k * nd + l] = c[(nd - 1 - k) * nd + l] * dev[l] / sqrt(top);
    mlk_free(sp->cov);
    sp->cov = axes;
    sp->dim = keep + 1;
done:
    mlk_free(w), mlk_free(dev);
    return s;
}

void mlk_space_project(const mlk_space *sp, size_t n, const double *q, double *work, double *x)
{
    size_t nd = sp->nd;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < nd; k++) work[i * nd + k] = q[i * nd + k] - sp->ref[k];
        x[i * sp->dim] = 1;
    }
    if (sp->dim > 1 && n)
        mlk_gemm(0, 1, n, sp->dim - 1, nd, 1, work, nd, sp->cov, nd, 0, x + 1, sp->dim);
}

/* ---- active set ---------------------------------------------------------------------------- */

mlk_status mlk_active_init(mlk_active *s, size_t dim, double resolution, mlk_err *e)
{
    memset(s, 0, sizeof *s);
    s->dim = dim;
    s->a = mlk_alloc(dim * dim, sizeof *s->a);
    s->inv = mlk_alloc(dim * dim, sizeof *s->inv);
    s->tag = mlk_alloc(dim, sizeof *s->tag);
    s->c = mlk_alloc(MLK_ACTIVE_BLOCK * dim, sizeof *s->c);
    s->tmp = mlk_alloc(2 * dim * dim, sizeof *s->tmp);
    if (!s->a || !s->inv || !s->tag || !s->c || !s->tmp)
        return MLK_FAIL(e, MLK_ENOMEM, "active set of %zu atoms", dim);
    for (size_t k = 0; k < dim; k++) {
        s->a[k * dim + k] = resolution;
        s->inv[k * dim + k] = 1 / resolution;
        s->tag[k] = -1;
    }
    s->log_volume = (double)dim * log(resolution);
    return MLK_OK;
}

void mlk_active_free(mlk_active *s)
{
    mlk_free(s->a), mlk_free(s->inv), mlk_free(s->tag), mlk_free(s->c), mlk_free(s->tmp);
    memset(s, 0, sizeof *s);
}

size_t mlk_active_rank(const mlk_active *s)
{
    size_t n = 0;
    for (size_t k = 0; k < s->dim; k++) n += s->tag[k] >= 0;
    return n;
}

/* the largest |c| of (n,dim), the first of equals */
static double largest(size_t n, size_t dim, const double *c, size_t *row, size_t *col)
{
    double top = 0;
    size_t at = 0;
    for (size_t k = 0; k < n * dim; k++)
        if (fabs(c[k]) > top) top = fabs(c[k]), at = k;
    *row = at / dim, *col = at % dim;
    return top;
}

double mlk_active_grade(const mlk_active *s, size_t n, const double *x, double *c, size_t *row)
{
    double top = 0;
    size_t dim = s->dim;
    if (row) *row = 0;
    for (size_t i = 0; i < n; i += MLK_ACTIVE_BLOCK) {
        size_t m = n - i < MLK_ACTIVE_BLOCK ? n - i : MLK_ACTIVE_BLOCK, r, k;
        mlk_gemm(0, 0, m, dim, dim, 1, x + i * dim, dim, s->inv, dim, 0, c, dim);
        double g = largest(m, dim, c, &r, &k);
        if (g > top) {
            top = g;
            if (row) *row = i + r;
        }
    }
    return top;
}

/* inv = inv (2 - a inv): one step of Newton's iteration takes away the rounding of many swaps */
static void polish(mlk_active *s)
{
    size_t d = s->dim;
    double *t = s->tmp, *u = s->tmp + d * d;
    mlk_gemm(0, 0, d, d, d, -1, s->a, d, s->inv, d, 0, t, d);
    for (size_t k = 0; k < d; k++) t[k * d + k] += 2;
    mlk_gemm(0, 0, d, d, d, 1, s->inv, d, t, d, 0, u, d);
    memcpy(s->inv, u, d * d * sizeof *u);
}

/* Row j of A becomes x, whose coefficients are c = x A^-1 (Sherman and Morrison):
 * A'^-1 = A^-1 - (column j of A^-1) (c - e_j) / c_j. */
static void swap(mlk_active *s, size_t j, const double *x, const double *c, long tag)
{
    size_t d = s->dim;
    double f = 1 / c[j];
    for (size_t k = 0; k < d; k++) {
        double b = s->inv[k * d + j] * f, *row = s->inv + k * d;
        for (size_t l = 0; l < d; l++) row[l] -= b * c[l];
        row[j] += b;
    }
    memcpy(s->a + j * d, x, d * sizeof *x);
    s->tag[j] = tag;
    s->log_volume += log(fabs(c[j]));
    if (++s->swaps % 64 == 0) polish(s);
}

/* The coefficients of m rows after the swap of row `row` for row j of A. */
static void follow(size_t m, size_t d, double *c, size_t row, size_t j)
{
    double *new = c + row *d, f = 1 / new[j];
    for (size_t i = 0; i < m; i++) {
        double b = c[i * d + j] * f;
        if (i == row) continue;
        for (size_t l = 0; l < d; l++) c[i * d + l] -= b * new[l];
        c[i * d + j] += b;
    }
    memset(new, 0, d * sizeof *new);
    new[j] = 1;
}

size_t mlk_active_update(mlk_active *s, size_t n, const double *x, double threshold, long tag)
{
    size_t d = s->dim, count = 0;
    for (size_t i = 0; i < n; i += MLK_ACTIVE_BLOCK) {
        size_t m = n - i < MLK_ACTIVE_BLOCK ? n - i : MLK_ACTIVE_BLOCK, row, col;
        /* every swap multiplies the volume by more than threshold, so this ends */
        for (bool again = true; again;) {
            mlk_gemm(0, 0, m, d, d, 1, x + i * d, d, s->inv, d, 0, s->c, d);
            again = false;
            while (largest(m, d, s->c, &row, &col) > threshold) {
                swap(s, col, x + (i + row) * d, s->c + row * d, tag);
                follow(m, d, s->c, row, col);
                count++, again = true; /* and once more without the rounding of follow */
            }
        }
    }
    return count;
}

/* ---- selection ----------------------------------------------------------------------------- */

void mlk_rows_free(mlk_rows *r)
{
    for (size_t t = 0; t < r->n_species; t++) {
        if (r->start) mlk_free(r->start[t]);
        if (r->x) mlk_free(r->x[t]);
    }
    mlk_free(r->dim), mlk_free(r->start), mlk_free(r->x);
    memset(r, 0, sizeof *r);
}

void mlk_maxvol_free(mlk_maxvol *m)
{
    mlk_free(m->rank), mlk_free(m->log_volume);
    memset(m, 0, sizeof *m);
}

typedef struct job {
    const mlk_rows *r;
    size_t n; /* frames of the pool */
    double threshold;
    mlk_active *set; /* (n_species)                                   */
    size_t *seen;    /* (n_species) swaps when grades were last taken */
    double *grade;   /* (n_species, n)                                */
    size_t *mine;    /* (n_mine) frames owned or selected             */
    size_t n_mine;
    char *taken;      /* (n)                                           */
    double *scratch;  /* (threads, MLK_ACTIVE_BLOCK, most dim)         */
    size_t scratch_1; /* of one thread                                 */
} job;

static const double *rows_of(const mlk_rows *r, size_t t, size_t frame, size_t *n)
{
    *n = r->start[t][frame + 1] - r->start[t][frame];
    return r->x[t] + r->start[t][frame] * r->dim[t];
}

/* Active sets such that no atom owned or selected is above the threshold. */
static void settle(job *b)
{
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t t = 0; t < b->r->n_species; t++) {
        size_t n, swaps = 1;
        while (swaps) {
            swaps = 0;
            for (size_t k = b->n_mine; k-- > 0;) { /* the newest first */
                const double *x = rows_of(b->r, t, b->mine[k], &n);
                swaps += mlk_active_update(&b->set[t], n, x, b->threshold, (long)b->mine[k]);
            }
            if (swaps) polish(&b->set[t]);
        }
    }
}

/* Grades of the frames that remain, where their active set has changed. */
static void look(job *b)
{
    for (size_t t = 0; t < b->r->n_species; t++) {
        if (b->seen[t] == b->set[t].swaps + 1) continue;
        b->seen[t] = b->set[t].swaps + 1;
#pragma omp parallel for schedule(dynamic, 8)
        for (size_t i = 0; i < b->n; i++) {
            size_t n;
            const double *x = rows_of(b->r, t, i, &n);
            double *c = b->scratch + (size_t)omp_get_thread_num() * b->scratch_1;
            if (!b->taken[i]) b->grade[t * b->n + i] = mlk_active_grade(&b->set[t], n, x, c, NULL);
        }
    }
}

/* The first frame with the largest grade; n when none remains. */
static size_t most(const job *b, double *grade)
{
    size_t at = b->n;
    *grade = 0;
    for (size_t i = 0; i < b->n; i++) {
        double g = 0;
        for (size_t t = 0; t < b->r->n_species; t++) g = fmax(g, b->grade[t * b->n + i]);
        if (!b->taken[i] && (at == b->n || g > *grade)) at = i, *grade = g;
    }
    return at;
}

static mlk_status job_init(job *b, const mlk_rows *r, size_t n, double resolution, mlk_err *e)
{
    size_t ns = r->n_species, dim = 1;
    b->r = r, b->n = n;
    b->set = mlk_alloc(ns, sizeof *b->set);
    b->seen = mlk_alloc(ns, sizeof *b->seen);
    b->grade = mlk_alloc(ns * n + 1, sizeof *b->grade);
    b->mine = mlk_alloc(r->n_frames + 1, sizeof *b->mine);
    b->taken = mlk_alloc(n + 1, 1);
    for (size_t t = 0; t < ns; t++) dim = r->dim[t] > dim ? r->dim[t] : dim;
    b->scratch_1 = MLK_ACTIVE_BLOCK * dim;
    b->scratch = mlk_alloc((size_t)omp_get_max_threads() * b->scratch_1, sizeof *b->scratch);
    if (!b->set || !b->seen || !b->grade || !b->mine || !b->taken || !b->scratch)
        return MLK_FAIL(e, MLK_ENOMEM, "selection from %zu frames", n);
    for (size_t t = 0; t < ns; t++) MLK_TRY(mlk_active_init(&b->set[t], r->dim[t], resolution, e));
    for (size_t i = r->n_frames; i-- > n;) b->mine[b->n_mine++] = i;
    return MLK_OK;
}

static void job_free(job *b)
{
    for (size_t t = 0; b->set && t < b->r->n_species; t++) mlk_active_free(&b->set[t]);
    mlk_free(b->set), mlk_free(b->seen), mlk_free(b->grade), mlk_free(b->mine);
    mlk_free(b->taken), mlk_free(b->scratch);
}

static mlk_status summary(const job *b, mlk_maxvol *res, mlk_err *e)
{
    size_t ns = b->r->n_species, n;
    res->rank = mlk_alloc(ns, sizeof *res->rank);
    res->log_volume = mlk_alloc(ns, sizeof *res->log_volume);
    if (!res->rank || !res->log_volume) return MLK_FAIL(e, MLK_ENOMEM, "%zu species", ns);
    res->own = 0;
    for (size_t t = 0; t < ns; t++) {
        res->rank[t] = mlk_active_rank(&b->set[t]);
        res->log_volume[t] = b->set[t].log_volume;
        for (size_t k = 0; k < b->n_mine; k++) {
            const double *x = rows_of(b->r, t, b->mine[k], &n);
            res->own = fmax(res->own, mlk_active_grade(&b->set[t], n, x, b->scratch, NULL));
        }
    }
    return MLK_OK;
}

mlk_status mlk_select_maxvol(const mlk_rows *r, size_t n, size_t want, double threshold,
                             double resolution, mlk_pick *pick, size_t *n_pick, mlk_maxvol *res,
                             mlk_err *e)
{
    *n_pick = 0;
    memset(res, 0, sizeof *res);
    if (!(threshold > 1) || !(resolution > 0))
        return MLK_FAIL(e, MLK_EINVAL, "threshold %g, resolution %g", threshold, resolution);
    job b = {.threshold = threshold};
    double grade;
    mlk_status s = MLK_OK;
    MLK_GO(job_init(&b, r, n, resolution, e));
    settle(&b);
    look(&b);
    size_t at = most(&b, &grade);
    res->before = grade;
    while (*n_pick < want && at < n && grade > threshold) {
        mlk_pick *p = &pick[(*n_pick)++];
        *p = (mlk_pick){.frame = at, .score = grade};
        b.taken[at] = 1;
        b.mine[b.n_mine++] = at;
        settle(&b);
        look(&b);
        at = most(&b, &grade);
        p->left = grade;
    }
    MLK_GO(summary(&b, res, e));
done:
    job_free(&b);
    return s;
}
