/* synthetic.c - see synthetic.h. Every recursion is run in for 4000 steps before it is recorded. */
#include "tests/support/synthetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/rng.h"
#include "core/units.h"

enum { RUN_IN = 4000 };

typedef struct block { /* u_n = a1 u_{n-1} + a2 u_{n-2} + s xi, unit variance */
    double a1, a2, s, u, v;
} block;

static block relaxing(double dt, double tau)
{
    double phi = exp(-dt / tau);
    return (block){phi, 0, sqrt(1 - phi * phi), 0, 0};
}

static block ringing(double dt, double thz, double td)
{
    double r = exp(-dt / td), a1 = 2 * r * cos(2 * MLK_PI * thz * 1e-3 * dt), a2 = -r * r;
    return (block){a1, a2, sqrt((1 + a2) * ((1 - a2) * (1 - a2) - a1 * a1) / (1 - a2)), 0, 0};
}

static double step(block *b, mlk_rng *g)
{
    double u = b->a1 * b->u + b->a2 * b->v + b->s * mlk_rng_normal(g);
    b->v = b->u;
    return b->u = u;
}

static void case_a(mlk_rng *g, size_t n, double *e, double *m)
{
    block b[4] = {relaxing(5, 100), relaxing(5, 40), relaxing(5, 30), ringing(5, 5, 400)};
    for (size_t t = 0; t < n + RUN_IN; t++) {
        double u[4];
        for (int k = 0; k < 4; k++) u[k] = step(b + k, g);
        if (t < RUN_IN) continue;
        e[t - RUN_IN] = 500 * u[0] + 300 * u[1] + 400 * u[3];
        m[t - RUN_IN] = -0.20 * u[0] + 0.15 * u[2] + 0.20 * u[3];
    }
}

static void case_b(mlk_rng *g, size_t n, double *x0, double *x1, double *x2)
{
    double x[3] = {0, 0, 0};
    for (size_t t = 0; t < n + RUN_IN; t++) {
        double xi[3], y[3];
        for (int k = 0; k < 3; k++) xi[k] = mlk_rng_normal(g);
        y[0] = 0.98 * x[0] + 0.01 * x[1] - 0.005 * x[2] + xi[0];
        y[1] = 0.97 * x[1] + 0.01 * x[2] + 0.5 * xi[0] + xi[1];
        y[2] = 0.005 * x[0] + 0.96 * x[2] - 0.3 * xi[0] + 0.4 * xi[1] + xi[2];
        for (int k = 0; k < 3; k++) x[k] = y[k];
        if (t >= RUN_IN) x0[t - RUN_IN] = x[0], x1[t - RUN_IN] = x[1], x2[t - RUN_IN] = x[2];
    }
}

static void case_c(mlk_rng *g, size_t n, double *e, double *m)
{
    block u = relaxing(5, 100), x = relaxing(5, 50);
    for (size_t t = 0; t < n + RUN_IN; t++) {
        double before = x.u, w = step(&u, g), d = step(&x, g) - before;
        if (t >= RUN_IN) e[t - RUN_IN] = 500 * w - 2000 * d, m[t - RUN_IN] = d;
    }
}

void syn_flux(mlk_flux *fl, char which, size_t n, size_t runs, uint64_t seed)
{
    size_t m = which == 'B' ? 3 : which == 'D' ? 4 : 2, all = n * runs;
    if (mlk_flux_init(fl, all, m, 0, NULL)) abort();
    mlk_flux one = {0};
    fl->dt = which == 'B' ? 1 : 5;
    fl->volume = 65013.301261;
    fl->temperature = 1400;
    for (size_t a = 0; a < m; a++)
        snprintf(fl->label[a], sizeof fl->label[a], "%s%zu", a ? "m" : "energy", a);
    snprintf(fl->label[0], sizeof fl->label[0], "energy");
    for (size_t r = 0; r < runs; r++)
        for (size_t c = 0; c < 3; c++) {
            mlk_rng g = mlk_rng_make(seed, 3 * r + c + 1000 * (uint64_t)which);
            double *j[4] = {0};
            for (size_t a = 0; a < m; a++) j[a] = fl->j + (3 * a + c) * all + r * n;
            if (which == 'B')
                case_b(&g, n, j[0], j[1], j[2]);
            else if (which == 'C')
                case_c(&g, n, j[0], j[1]);
            else
                case_a(&g, n, j[0], j[1]);
            for (size_t t = 0; which == 'D' && t < n; t++) j[2][t] = -22.98977 / 35.453 * j[1][t];
        }
    if (runs == 1) return;
    /* one segment per run, through the public door */
    one = *fl;
    *fl = (mlk_flux){0};
    for (size_t r = 0; r < runs; r++) {
        mlk_flux part = {0};
        if (mlk_flux_init(&part, n, m, 0, NULL)) abort();
        part.dt = one.dt, part.volume = one.volume, part.temperature = one.temperature;
        for (size_t a = 0; a < m; a++)
            snprintf(part.label[a], sizeof part.label[a], "%s", one.label[a]);
        for (size_t k = 0; k < 3 * m; k++)
            for (size_t t = 0; t < n; t++) part.j[k * n + t] = one.j[k * all + r * n + t];
        if (r == 0) {
            *fl = part;
        } else {
            if (mlk_flux_append(fl, &part, NULL)) abort();
            mlk_flux_free(&part);
        }
    }
    mlk_flux_free(&one);
}
