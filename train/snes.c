/* snes.c - see snes.h. */
#include "train/snes.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"

mlk_status mlk_snes_init(mlk_snes *s, size_t n, size_t n_pop, size_t n_group, const int *group,
                         const double *mu, double sigma, uint64_t seed, mlk_err *e)
{
    memset(s, 0, sizeof *s);
    if (n_pop < 4) return MLK_FAIL(e, MLK_EINVAL, "a population of %zu is too small", n_pop);
    s->n = n, s->n_pop = n_pop, s->n_group = n_group;
    s->group = group;
    s->seed = seed;
    s->mu = mlk_alloc(n, sizeof *s->mu);
    s->sigma = mlk_alloc(n, sizeof *s->sigma);
    s->s = mlk_alloc(n_pop * n, sizeof *s->s);
    s->utility = mlk_alloc(n_pop, sizeof *s->utility);
    s->rank = mlk_alloc(n_group * n_pop, sizeof *s->rank);
    if (!s->mu || !s->sigma || !s->s || !s->utility || !s->rank)
        return MLK_FAIL(e, MLK_ENOMEM, "%zu sets of %zu parameters", n_pop, n);
    memcpy(s->mu, mu, n * sizeof *mu);
    for (size_t k = 0; k < n; k++) s->sigma[k] = sigma;
    double m = 1, sum = 0;
    for (size_t g = 0; g < n_group; g++) {
        size_t size = 0;
        for (size_t k = 0; k < n; k++) size += (size_t)group[k] == g;
        m = fmax(m, (double)size);
    }
    s->eta = (3 + log(m)) / (10 * sqrt(m));
    /* the better half counts, by log rank; the mean is taken off */
    for (size_t p = 0; p < n_pop; p++) {
        s->utility[p] = fmax(0, log(0.5 * (double)n_pop + 1) - log((double)p + 1));
        sum += s->utility[p];
    }
    for (size_t p = 0; p < n_pop; p++) s->utility[p] = s->utility[p] / sum - 1 / (double)n_pop;
    return MLK_OK;
}

void mlk_snes_free(mlk_snes *s)
{
    mlk_free(s->mu), mlk_free(s->sigma), mlk_free(s->s), mlk_free(s->utility), mlk_free(s->rank);
    memset(s, 0, sizeof *s);
}

void mlk_snes_draw(mlk_snes *s)
{
#pragma omp parallel for schedule(static)
    for (size_t p = 0; p < s->n_pop; p++) {
        mlk_rng g = mlk_rng_make(s->seed, 0x736e657300000000u +
                                              (uint64_t)s->generation * (uint64_t)s->n_pop + p);
        for (size_t v = 0; v < s->n; v++) s->s[p * s->n + v] = mlk_rng_normal(&g);
    }
}

void mlk_snes_individual(const mlk_snes *s, size_t p, double *x)
{
    for (size_t v = 0; v < s->n; v++) x[v] = s->mu[v] + s->sigma[v] * s->s[p * s->n + v];
}

/* insertion sort: stable, and populations are small */
static void sort_ranks(const double *f, size_t n, size_t *rank)
{
    for (size_t k = 0; k < n; k++) {
        size_t q = k;
        for (; q > 0 && (isnan(f[rank[q - 1]]) ? !isnan(f[k]) : f[k] < f[rank[q - 1]]); q--)
            rank[q] = rank[q - 1];
        rank[q] = k;
    }
}

void mlk_snes_update(mlk_snes *s, const double *f)
{
    for (size_t g = 0; g < s->n_group; g++)
        sort_ranks(f + g * s->n_pop, s->n_pop, s->rank + g * s->n_pop);
#pragma omp parallel for schedule(static)
    for (size_t v = 0; v < s->n; v++) {
        const size_t *rank = s->rank + (size_t)s->group[v] * s->n_pop;
        double dm = 0, ds = 0;
        for (size_t p = 0; p < s->n_pop; p++) {
            double x = s->s[rank[p] * s->n + v];
            dm += s->utility[p] * x;
            ds += s->utility[p] * (x * x - 1);
        }
        s->mu[v] += s->sigma[v] * dm;
        s->sigma[v] *= exp(s->eta * ds);
    }
    s->generation++;
}
