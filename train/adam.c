/* adam.c - see adam.h. */
#include "train/adam.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"

mlk_status mlk_adam_init(mlk_adam *a, size_t n, const double *x, mlk_err *e)
{
    memset(a, 0, sizeof *a);
    a->n = n;
    a->m = mlk_alloc(n, sizeof *a->m);
    a->v = mlk_alloc(n, sizeof *a->v);
    a->avg = mlk_alloc(n, sizeof *a->avg);
    if (!a->m || !a->v || !a->avg) {
        mlk_adam_free(a);
        return MLK_FAIL(e, MLK_ENOMEM, "optimiser of %zu parameters", n);
    }
    memcpy(a->avg, x, n * sizeof *x);
    return MLK_OK;
}

void mlk_adam_free(mlk_adam *a)
{
    mlk_free(a->m), mlk_free(a->v), mlk_free(a->avg);
    memset(a, 0, sizeof *a);
}

void mlk_adam_reset(mlk_adam *a, const double *x)
{
    memset(a->m, 0, a->n * sizeof *a->m);
    memset(a->v, 0, a->n * sizeof *a->v);
    memcpy(a->avg, x, a->n * sizeof *x);
    a->step = 0;
    a->norm = 0;
}

void mlk_adam_step(mlk_adam *a, double *x, double *g, double lr)
{
    const double b1 = 0.9, b2 = 0.999, eps = 1e-10;
    double norm = 0;
    for (size_t k = 0; k < a->n; k++) norm += g[k] * g[k];
    norm = sqrt(norm);
    a->step++;
    if (a->clip > 0 && a->step > 10 && norm > a->clip * a->norm) {
        double cut = a->clip * a->norm / norm;
        for (size_t k = 0; k < a->n; k++) g[k] *= cut;
        norm *= cut;
    }
    a->norm = a->step == 1 ? norm : 0.98 * a->norm + 0.02 * norm;
    double t = (double)a->step, c1 = 1 - pow(b1, t), c2 = 1 - pow(b2, t);
    /* the average forgets the start quickly: its window grows with the number of steps */
    double keep = fmin(a->average, (1 + t) / (10 + t));
    for (size_t k = 0; k < a->n; k++) {
        a->m[k] = b1 * a->m[k] + (1 - b1) * g[k];
        a->v[k] = b2 * a->v[k] + (1 - b2) * g[k] * g[k];
        x[k] -= lr * (a->m[k] / c1 / (sqrt(a->v[k] / c2) + eps) + a->decay * x[k]);
        a->avg[k] = keep * a->avg[k] + (1 - keep) * x[k];
    }
    if (a->average <= 0) memcpy(a->avg, x, a->n * sizeof *x);
}
