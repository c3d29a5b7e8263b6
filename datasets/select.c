/* select.c - features of whole frames and farthest-point sampling among them: start from what is
 * owned, always take the frame farthest from everything taken (T. F. Gonzalez, Theor. Comput. Sci.
 * 38, 293 (1985); for training sets: A. P. Bartok et al., Sci. Adv. 3, e1701816 (2017)). MaxVol is
 * in select_maxvol.c. */
#include "datasets/select.h"

#include <math.h>
#include <string.h>

#include "core/linalg.h"
#include "core/mem.h"
#include "core/neigh.h"

mlk_status mlk_select_closest(const mlk_frame *fr, double rc, double *d, mlk_err *e)
{
    mlk_neigh nl = {0};
    double least = rc * rc;
    mlk_status s = mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, rc, &nl, e);
    for (size_t k = 0; k < nl.np && !s; k++) {
        double x = nl.r[0][k], y = nl.r[1][k], z = nl.r[2][k];
        least = fmin(least, x * x + y * y + z * z);
    }
    *d = sqrt(least);
    mlk_neigh_free(&nl);
    return s;
}

void mlk_select_features(size_t n, size_t nd, const double *q, const int *type, size_t n_species,
                         double *f)
{
    memset(f, 0, n_species * 2 * nd * sizeof *f);
    for (size_t t = 0; t < n_species; t++) {
        double *mean = f + t * 2 * nd, *dev = mean + nd;
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            if ((size_t)type[i] != t) continue;
            for (size_t k = 0; k < nd; k++) mean[k] += q[i * nd + k];
            m++;
        }
        for (size_t k = 0; k < nd && m; k++) mean[k] /= (double)m;
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; (size_t)type[i] == t && k < nd; k++) {
                double v = q[i * nd + k] - mean[k];
                dev[k] += v * v;
            }
        for (size_t k = 0; k < nd && m; k++) dev[k] = sqrt(dev[k] / (double)m);
    }
}

void mlk_select_standardise(size_t n, size_t m, size_t d, double *x, size_t *active)
{
    size_t used = 0;
#pragma omp parallel for schedule(static) reduction(+ : used)
    for (size_t k = 0; k < d; k++) {
        double mean = 0, var = 0, size = 0;
        for (size_t i = 0; i < n; i++) mean += x[i * d + k], size = fmax(size, fabs(x[i * d + k]));
        mean /= (double)n;
        for (size_t i = 0; i < n; i++) var += (x[i * d + k] - mean) * (x[i * d + k] - mean);
        double dev = sqrt(var / (double)n), f = dev > 1e-9 * size ? 1 / dev : 0;
        for (size_t i = 0; i < n + m; i++) x[i * d + k] = (x[i * d + k] - mean) * f;
        used += f > 0;
    }
    *active = used;
}

/* rows of `a` (r,r): eigenvectors of x^T x/n, ascending; x (n,d) with r = d */
static mlk_status axes_of_columns(size_t n, size_t d, const double *x, double *a, double *w,
                                  mlk_err *e)
{
    mlk_syrk_ata(n, d, x, d, a, d);
    for (size_t k = 0; k < d * d; k++) a[k] /= (double)n;
    return mlk_eigh(d, a, w, e);
}

/* The same from the n eigenvectors u of x x^T/n: axis = u^T x/sqrt(n w). axes (n,d). */
static mlk_status axes_of_rows(size_t n, size_t d, const double *x, double *axes, double *w,
                               mlk_err *e)
{
    double *g = mlk_alloc(n * n, sizeof *g);
    if (!g) return MLK_FAIL(e, MLK_ENOMEM, "products of %zu frames", n);
    mlk_gemm(0, 1, n, n, d, 1 / (double)n, x, d, x, d, 0, g, n);
    mlk_status s = mlk_eigh(n, g, w, e);
    if (!s) mlk_gemm(0, 0, n, d, n, 1, g, n, x, d, 0, axes, d);
    for (size_t k = 0; k < n && !s; k++)
        for (size_t c = 0; c < d; c++) axes[k * d + c] /= sqrt((double)n * fmax(w[k], 1e-300));
    mlk_free(g);
    return s;
}

mlk_status mlk_select_whiten(size_t n, size_t m, size_t d, double *x, size_t *active, mlk_err *e)
{
    size_t r = n < d ? n : d, keep = 0;
    double *axes = mlk_alloc(r * d, sizeof *axes), *w = mlk_alloc(r, sizeof *w);
    double *y = mlk_alloc(d, sizeof *y);
    mlk_status s = MLK_OK;
    if (!axes || !w || !y) s = MLK_FAIL(e, MLK_ENOMEM, "principal components of %zu features", d);
    if (!s) s = n < d ? axes_of_rows(n, d, x, axes, w, e) : axes_of_columns(n, d, x, axes, w, e);
    while (!s && keep < r && w[r - 1 - keep] > 0 && w[r - 1 - keep] >= 1e-3 * w[r - 1]) keep++;
    for (size_t i = 0; i < n + m && !s && keep; i++) {
        const double *top = axes + (r - keep) * d;
        mlk_gemv(0, keep, d, 1, top, d, x + i * d, 0, y);
        memset(x + i * d, 0, d * sizeof *x);
        for (size_t k = 0; k < keep; k++) x[i * d + k] = y[k] / sqrt(w[r - keep + k]);
    }
    *active = keep;
    mlk_free(axes), mlk_free(w), mlk_free(y);
    return s;
}

static double distance2(size_t d, const double *a, const double *b)
{
    double s = 0;
    for (size_t k = 0; k < d; k++) s += (a[k] - b[k]) * (a[k] - b[k]);
    return s;
}

/* near[i] = min(near[i], |x_i - p|^2); taken rows have -1 and keep it */
static void approach(size_t n, size_t d, const double *x, const double *p, double *near)
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++)
        if (near[i] >= 0) near[i] = fmin(near[i], distance2(d, x + i * d, p));
}

/* the first of the largest; n when every row is taken */
static size_t farthest(size_t n, const double *near)
{
    size_t at = n;
    for (size_t i = 0; i < n; i++)
        if (near[i] >= 0 && (at == n || near[i] > near[at])) at = i;
    return at;
}

mlk_status mlk_select_fps(size_t n, size_t m, size_t d, size_t active, const double *x, size_t want,
                          double stop, mlk_pick *pick, size_t *n_pick, double *before, mlk_err *e)
{
    *n_pick = 0;
    if (before) *before = NAN;
    double *near = mlk_alloc(n, sizeof *near), *mean = mlk_alloc(d, sizeof *mean);
    if (!near || !mean) {
        mlk_free(near), mlk_free(mean);
        return MLK_FAIL(e, MLK_ENOMEM, "distances of %zu frames", n);
    }
    double unit = active ? 1 / sqrt((double)active) : 1;
    for (size_t i = 0; i < n; i++) near[i] = INFINITY;
    for (size_t i = 0; i < m; i++) approach(n, d, x, x + (n + i) * d, near);
    size_t at = farthest(n, near);
    if (m && before) *before = at < n ? sqrt(near[at]) * unit : 0;
    double score = m && at < n ? sqrt(near[at]) * unit : 0;
    if (!m) { /* standardised: the mean of the pool is the origin */
        at = n;
        for (size_t i = 0; i < n; i++)
            if (at == n || distance2(d, x + i * d, mean) < distance2(d, x + at * d, mean)) at = i;
        if (at < n) score = sqrt(distance2(d, x + at * d, mean)) * unit;
    }
    while (*n_pick < want && at < n && (score > stop || (!m && !*n_pick))) {
        near[at] = -1;
        approach(n, d, x, x + at * d, near);
        mlk_pick *p = &pick[(*n_pick)++];
        *p = (mlk_pick){.frame = at, .score = score};
        at = farthest(n, near);
        p->left = score = at < n ? sqrt(near[at]) * unit : 0;
    }
    mlk_free(near), mlk_free(mean);
    return MLK_OK;
}
