/* gauss.c - see gauss.h. */
#include "train/gauss.h"

#include <math.h>
#include <string.h>

#include "core/linalg.h"
#include "core/mem.h"

enum { MEMORY = MLK_GAUSS_MEMORY, TRIALS = 5 };

mlk_status mlk_gauss_init(mlk_gauss *q, size_t n, mlk_err *e)
{
    memset(q, 0, sizeof *q);
    q->n = n;
    q->mu = 0.3;
    struct {
        double **p;
        size_t n;
    } want[] = {{&q->h, n * n}, {&q->factor, n * n}, {&q->g, n},          {&q->d, n},
                {&q->xt, n},    {&q->gt, n},         {&q->s, MEMORY * n}, {&q->y, MEMORY * n}};
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        *want[k].p = mlk_alloc(want[k].n, sizeof(double));
        if (*want[k].p) continue;
        mlk_gauss_free(q);
        return MLK_FAIL(e, MLK_ENOMEM, "curvature of %zu parameters (%.1f GB)", n,
                        16e-9 * (double)n * (double)n);
    }
    return MLK_OK;
}

void mlk_gauss_free(mlk_gauss *q)
{
    double *all[] = {q->h, q->factor, q->g, q->d, q->xt, q->gt, q->s, q->y};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) mlk_free(all[k]);
    memset(q, 0, sizeof *q);
}

static double dot(size_t n, const double *a, const double *b)
{
    double s = 0;
#pragma omp simd reduction(+ : s)
    for (size_t k = 0; k < n; k++) s += a[k] * b[k];
    return s;
}

static void add(size_t n, double a, const double *x, double *y)
{
#pragma omp simd
    for (size_t k = 0; k < n; k++) y[k] += a * x[k];
}

/* factor of J^T J + mu t I; more damping where that is not positive definite */
static mlk_status factorise(mlk_gauss *q, mlk_err *e)
{
    double t = 0;
    for (size_t k = 0; k < q->n; k++) t += q->h[k * q->n + k] / (double)q->n;
    if (!(t > 0) || !isfinite(t)) return MLK_FAIL(e, MLK_ENUMERIC, "no curvature");
    q->n_pair = 0;
    for (int k = 0; k < 20; k++, q->mu *= 10) {
        memcpy(q->factor, q->h, q->n * q->n * sizeof *q->h);
        for (size_t m = 0; m < q->n; m++) q->factor[m * q->n + m] += q->mu * t;
        if (!mlk_cholesky(q->n, q->factor, NULL)) return MLK_OK;
    }
    return MLK_FAIL(e, MLK_ENUMERIC, "a curvature that no damping makes positive");
}

/* d = -H g by the two loops of L-BFGS */
static void direction(mlk_gauss *q)
{
    double a[MEMORY];
    size_t n = q->n;
    for (size_t m = 0; m < n; m++) q->d[m] = -q->g[m];
    for (size_t k = 0; k < q->n_pair; k++) {
        size_t j = (q->head + MEMORY - 1 - k) % MEMORY;
        a[j] = q->rho[j] * dot(n, q->s + j * n, q->d);
        add(n, -a[j], q->y + j * n, q->d);
    }
    mlk_cholesky_solve(n, q->factor, q->d);
    for (size_t k = q->n_pair; k-- > 0;) {
        size_t j = (q->head + MEMORY - 1 - k) % MEMORY;
        add(n, a[j] - q->rho[j] * dot(n, q->y + j * n, q->d), q->s + j * n, q->d);
    }
}

/* Shorten the step along d until the loss falls enough (Armijo); *trials how often it was
 * shortened, TRIALS: in vain. */
static mlk_status search(mlk_gauss *q, const mlk_gauss_fn *fn, const double *x, double f,
                         double *ft, int *trials, int *evaluations, mlk_err *e)
{
    double slope = dot(q->n, q->d, q->g), step = 1;
    for (*trials = 0; *trials < TRIALS && slope < 0; ++*trials) {
        for (size_t m = 0; m < q->n; m++) q->xt[m] = x[m] + step * q->d[m];
        ++*evaluations;
        MLK_TRY(fn->value(fn->ctx, q->xt, ft, q->gt, e));
        if (isfinite(*ft) && *ft <= f + 1e-4 * step * slope) return MLK_OK;
        /* minimum of the parabola through f, slope and *ft, within bounds */
        double best = isfinite(*ft) ? -0.5 * slope * step * step / (*ft - f - slope * step) : 0;
        step = fmin(fmax(best, 0.1 * step), 0.5 * step);
    }
    *trials = TRIALS;
    return MLK_OK;
}

static void remember(mlk_gauss *q, const double *x)
{
    size_t n = q->n;
    double *s = q->s + q->head * n, *y = q->y + q->head * n;
    for (size_t m = 0; m < n; m++) s[m] = q->xt[m] - x[m], y[m] = q->gt[m] - q->g[m];
    double sy = dot(n, s, y);
    if (sy <= 1e-12 * sqrt(dot(n, s, s) * dot(n, y, y))) return;
    q->rho[q->head] = 1 / sy;
    q->head = (q->head + 1) % MEMORY;
    if (q->n_pair < MEMORY) q->n_pair++;
}

mlk_status mlk_gauss_cycle(mlk_gauss *q, const mlk_gauss_fn *fn, double *x, int steps,
                           mlk_gauss_result *r, mlk_err *e)
{
    double f, ft = 0;
    int trials, shortened = 0, full = 0, in_vain = 0;
    memset(r, 0, sizeof *r);
    memset(q->h, 0, q->n * q->n * sizeof *q->h);
    MLK_TRY(fn->curvature(fn->ctx, x, q->h, e));
    r->evaluations++;
    MLK_TRY(fn->value(fn->ctx, x, &f, q->g, e));
    if (!isfinite(f)) return MLK_FAIL(e, MLK_ENUMERIC, "the loss is not finite");
    r->before = f;
    MLK_TRY(factorise(q, e));
    while (r->steps < steps && r->evaluations < 2 * steps) {
        direction(q);
        MLK_TRY(search(q, fn, x, f, &ft, &trials, &r->evaluations, e));
        if (trials == TRIALS) { /* first without memory, then with more damping */
            if (q->n_pair) {
                q->n_pair = 0;
                continue;
            }
            if (++in_vain > 3) break;
            q->mu *= 10;
            MLK_TRY(factorise(q, e));
            continue;
        }
        remember(q, x);
        memcpy(x, q->xt, q->n * sizeof *x);
        memcpy(q->g, q->gt, q->n * sizeof *x);
        double gain = f - ft;
        f = ft;
        r->steps++;
        full += trials == 0;
        shortened = trials ? shortened + 1 : 0;
        if (shortened == 2) { /* the matrix promises too much */
            q->mu *= 4;
            shortened = 0;
            MLK_TRY(factorise(q, e));
        }
        if (gain < 1e-5 * f && r->steps > 5) break;
    }
    r->after = f;
    if (2 * full > r->steps && q->mu > 1e-4) q->mu *= 0.3;
    return MLK_OK;
}
