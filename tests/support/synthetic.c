/* synthetic.c - see synthetic.h. Every recursion is run in for 4000 steps before it is recorded. */
#include "tests/support/synthetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/element.h"
#include "core/h5.h"
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

/* Sums of independent blocks: flux a is sum_j w[a][j] u_j. tau [fs] alone: relaxing; with thz:
 * ringing, tau its decay time. */
typedef struct linear {
    char name;
    size_t n_flux, n_block;
    struct {
        double tau, thz;
    } block[4];
    double w[2][4]; /* unused entries 0 */
} linear;
static const double DT = 5;
static const linear processes[] = {
    {'A', 2, 4, {{100, 0}, {40, 0}, {30, 0}, {400, 5}}, {{500, 300, 0, 400}, {-0.2, 0, 0.15, 0.2}}},
    {'O', 2, 4, {{100, 0}, {40, 0}, {30, 0}, {400, 2}}, {{500, 300, 0, 400}, {-0.2, 0, 0.15, 0.2}}},
    {'P', 2, 3, {{2000, 0}, {100, 0}, {30, 0}}, {{112, 500, 0}, {0, -0.2, 0.15}}},
    {'Q', 2, 3, {{2000, 0}, {100, 0}, {30, 0}}, {{300, 500, 0}, {-0.1, 0, 0.15}}},
    {'S', 1, 3, {{100, 0}, {40, 0}, {400, 5}}, {{500, 300, 400}}},
};

static const linear *process(char which)
{
    for (size_t k = 0; k < sizeof processes / sizeof *processes; k++)
        if (processes[k].name == which) return processes + k;
    return NULL;
}

double syn_exact(char which, size_t m)
{
    if (which == 'C') return SYN_C;
    if (which == 'B') return m == 1 ? SYN_B_NAIVE : SYN_B_CORRECTED;
    const linear *p = process(which == 'D' || which == 'a' ? 'A' : which);
    double l[2][2] = {{0}};
    for (size_t j = 0; j < p->n_block; j++) {
        double tau = p->block[j].tau, f = p->block[j].thz, phi = exp(-DT / tau), t;
        if (f > 0) {
            double a1 = 2 * phi * cos(2 * MLK_PI * f * 1e-3 * DT), a2 = -phi * phi;
            double s2 = (1 + a2) * ((1 - a2) * (1 - a2) - a1 * a1) / (1 - a2);
            t = DT / 2 * s2 / ((1 - a1 - a2) * (1 - a1 - a2));
        } else {
            t = DT / 2 * (1 + phi) / (1 - phi);
        }
        for (int a = 0; a < 2; a++)
            for (int b = 0; b < 2; b++) l[a][b] += p->w[a][j] * p->w[b][j] * t;
    }
    return m == 1 || p->n_flux == 1 ? l[0][0] : l[0][0] - l[0][1] * l[0][1] / l[1][1];
}

static void blocks(const linear *p, mlk_rng *g, size_t n, double *const *j)
{
    block b[4];
    for (size_t k = 0; k < p->n_block; k++)
        b[k] = p->block[k].thz > 0 ? ringing(DT, p->block[k].thz, p->block[k].tau)
                                   : relaxing(DT, p->block[k].tau);
    for (size_t t = 0; t < n + RUN_IN; t++) {
        double u[4];
        for (size_t k = 0; k < p->n_block; k++) u[k] = step(b + k, g);
        if (t < RUN_IN) continue;
        for (size_t a = 0; a < p->n_flux; a++) {
            double v = 0;
            for (size_t k = 0; k < p->n_block; k++) v += p->w[a][k] * u[k];
            j[a][t - RUN_IN] = v;
        }
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
    size_t nc = which == 'a' ? 1 : 3, all = n * runs;
    if (which == 'a') which = 'A';
    size_t m = which == 'B' ? 3 : which == 'D' ? 4 : which == 'S' ? 1 : 2;
    if (mlk_flux_init(fl, all, m, nc, 0, NULL, NULL)) abort();
    mlk_flux one = {0};
    fl->dt = which == 'B' ? 1 : 5;
    fl->volume = 65013.301261;
    fl->temperature = 1400;
    for (size_t a = 0; a < m; a++)
        snprintf(fl->label[a], sizeof fl->label[a], "%s%zu", a ? "m" : "energy", a);
    snprintf(fl->label[0], sizeof fl->label[0], "energy");
    for (size_t r = 0; r < runs; r++)
        for (size_t c = 0; c < nc; c++) {
            mlk_rng g = mlk_rng_make(seed, 3 * r + c + 1000 * (uint64_t)which);
            double *j[4] = {0};
            for (size_t a = 0; a < m; a++) j[a] = mlk_flux_series(fl, a, c) + r * n;
            if (which == 'B')
                case_b(&g, n, j[0], j[1], j[2]);
            else if (which == 'C')
                case_c(&g, n, j[0], j[1]);
            else
                blocks(process(which == 'D' ? 'A' : which), &g, n, j);
            for (size_t t = 0; which == 'D' && t < n; t++) j[2][t] = -22.98977 / 35.453 * j[1][t];
        }
    if (runs == 1) return;
    /* one segment per run, through the public door */
    one = *fl;
    *fl = (mlk_flux){0};
    for (size_t r = 0; r < runs; r++) {
        mlk_flux part = {0};
        if (mlk_flux_init(&part, n, m, nc, 0, NULL, NULL)) abort();
        part.dt = one.dt, part.volume = one.volume, part.temperature = one.temperature;
        for (size_t a = 0; a < m; a++)
            snprintf(part.label[a], sizeof part.label[a], "%s", one.label[a]);
        for (size_t k = 0; k < nc * m; k++)
            for (size_t t = 0; t < n; t++) part.store.x[k][t] = one.store.x[k][r * n + t];
        if (r == 0) {
            *fl = part;
        } else {
            if (mlk_flux_append(fl, &part, NULL)) abort();
            mlk_flux_free(&part);
        }
    }
    mlk_flux_free(&one);
}

static void must(mlk_status s, const mlk_err *e)
{
    if (!s) return;
    fprintf(stderr, "%s: %s\n", e->file, e->msg);
    abort();
}

/* value (rows of 3), and the fixed-interval step and time beside it */
static void observable(mlk_h5 *h, const char *name, size_t n, const double *v, double fs,
                       mlk_err *e)
{
    char path[256];
    const size_t three = 3;
    int step = (int)(fs + 0.5);
    snprintf(path, sizeof path, "/observables/%s/value", name);
    must(mlk_h5_append(h, path, MLK_H5_DOUBLE, 1, &three, n, v, true, e), e);
    snprintf(path, sizeof path, "/observables/%s/step", name);
    must(mlk_h5_write(h, path, MLK_H5_INT, 0, NULL, &step, e), e);
    snprintf(path, sizeof path, "/observables/%s/time", name);
    must(mlk_h5_write(h, path, MLK_H5_DOUBLE, 0, NULL, &fs, e), e);
    must(mlk_h5_attr_set_str(h, path, "unit", "fs", e), e);
}

enum { N_LI = 12, N_P = 8, N_S = 26, N_ATOM = N_LI + N_P + N_S, DUMP = 10 };

void syn_h5md(const char *path, size_t n, uint64_t seed)
{
    static const char *const par = "/parameters/mlkit";
    const double dt = 5, kt = MLK_KB * 650;
    mlk_err e = {0};
    mlk_h5 *h = NULL;
    int z[N_ATOM];
    double mass[N_ATOM], total = 0;
    block b[N_ATOM][3];
    double *flux[6]; /* kinetic, convective, virial, Li, P, S */
    double(*x)[3] = calloc(N_ATOM, sizeof *x);
    float *frame = calloc(3 * N_ATOM * (n / DUMP + 1), sizeof *frame);
    for (int k = 0; k < 6; k++) flux[k] = calloc(3 * n, sizeof *flux[k]);
    for (int i = 0; i < N_ATOM; i++) {
        z[i] = i < N_LI ? 3 : i < N_LI + N_P ? 15 : 16;
        total += mass[i] = mlk_element_mass(z[i]);
        for (int c = 0; c < 3; c++) b[i][c] = z[i] == 3 ? relaxing(dt, 50) : ringing(dt, 6, 300);
    }
    mlk_rng g = mlk_rng_make(seed, 77);
    block own[3] = {relaxing(dt, 80), relaxing(dt, 80), relaxing(dt, 80)};
    for (size_t t = 0; t < n + RUN_IN; t++)
        for (int c = 0; c < 3; c++) {
            double v[N_ATOM], com = 0, j[3] = {0};
            for (int i = 0; i < N_ATOM; i++) {
                double before = b[i][c].u, now = step(&b[i][c], &g);
                /* A/ps; vibrations of 0.15 A */
                v[i] = z[i] == 3 ? now * sqrt(kt / mass[i]) / MLK_TAU_PS
                                 : 0.15 * (now - before) / dt * 1e3;
                com += mass[i] * v[i] / total;
            }
            double noise = step(own + c, &g);
            if (t < RUN_IN) continue;
            size_t at = 3 * (t - RUN_IN) + (size_t)c;
            for (int i = 0; i < N_ATOM; i++) {
                double w = v[i] - com;
                if ((t - RUN_IN) % DUMP == 0)
                    frame[3 * N_ATOM * ((t - RUN_IN) / DUMP) + 3 * (size_t)i + (size_t)c] =
                        (float)x[i][c];
                x[i][c] += w * dt * 1e-3;
                j[z[i] == 3 ? 0 : z[i] == 15 ? 1 : 2] += mass[i] * w;
            }
            flux[0][at] = 0.1 * j[0];
            flux[1][at] = 0.2 * j[0];
            flux[2][at] = 40 * noise + 0.05 * j[1];
            for (int s = 0; s < 3; s++) flux[3 + s][at] = j[s];
        }
    const size_t na = N_ATOM, shape[2] = {N_ATOM, 3};
    const double fs = DUMP * dt;
    remove(path);
    must(mlk_h5_open(&h, path, "w", &e), &e);
    must(mlk_h5_write(h, "/particles/all/species", MLK_H5_INT, 1, &na, z, &e), &e);
    must(mlk_h5_write(h, "/particles/all/mass", MLK_H5_DOUBLE, 1, &na, mass, &e), &e);
    must(mlk_h5_append(h, "/particles/all/position/value", MLK_H5_FLOAT, 2, shape,
                       (n + DUMP - 1) / DUMP, frame, true, &e),
         &e);
    must(mlk_h5_write(h, "/particles/all/position/time", MLK_H5_DOUBLE, 0, NULL, &fs, &e), &e);
    must(mlk_h5_attr_set_str(h, "/particles/all/position/time", "unit", "fs", &e), &e);
    static const char *const name[6] = {"energy_flux/kinetic", "energy_flux/convective",
                                        "energy_flux/virial",  "mass_flux/Li",
                                        "mass_flux/P",         "mass_flux/S"};
    for (int k = 0; k < 6; k++) observable(h, name[k], n, flux[k], dt, &e);
    must(mlk_h5_attr_set_double(h, par, "volume_A3", 1000, &e), &e);
    must(mlk_h5_attr_set_double(h, par, "sample_fs", dt, &e), &e);
    must(mlk_h5_attr_set_double(h, par, "temperature_K", 640, &e), &e);
    must(mlk_h5_attr_set_double(h, par, "temperature_mean_K", 650, &e), &e);
    must(mlk_h5_close(&h, &e), &e);
    for (int k = 0; k < 6; k++) free(flux[k]);
    free(frame);
    free(x);
}

enum { N_BLOCK = 9 };

void syn_tensor(mlk_flux *fl, size_t n, uint64_t seed, double coupling, double naive[9],
                double kappa[9])
{
    static const double tau[N_BLOCK] = {100, 40, 30, 60, 80, 50, 120, 45, 70}, dt = 5;
    /* rows: energy x, y, z, mass x, y, z */
    double w[6][N_BLOCK] = {
        {500, 300, 0, 0, 0, 0, 150, 0, 0},     {0, 0, 0, 700, 0, 0, 200, 0, 0},
        {0, 0, 0, 0, 300, 0, 0, 250, 0},       {-0.20, 0, 0.15, 0, 0, 0, 0, 0, 0},
        {0.10, 0, 0, -0.10, 0, 0.12, 0, 0, 0}, {0, 0, 0, -0.08, 0, 0, 0, 0.20, 0.10}};
    double l[36] = {0};
    block b[N_BLOCK];
    if (mlk_flux_init(fl, n, 2, 3, 0, NULL, NULL)) abort();
    fl->dt = dt, fl->volume = 65013.301261, fl->temperature = 1400;
    snprintf(fl->label[0], sizeof fl->label[0], "energy");
    snprintf(fl->label[1], sizeof fl->label[1], "m1");
    mlk_rng g = mlk_rng_make(seed, 4242);
    for (int k = 0; k < N_BLOCK; k++) b[k] = relaxing(dt, tau[k]);
    for (int i = 0; i < 3; i++) /* blocks that both fluxes hold, less of them in the mass flux */
        for (int k = 0; k < N_BLOCK; k++)
            if (w[0][k] != 0 || w[1][k] != 0 || w[2][k] != 0) w[3 + i][k] *= coupling;
    for (size_t t = 0; t < n + RUN_IN; t++) {
        double u[N_BLOCK];
        for (int k = 0; k < N_BLOCK; k++) u[k] = step(b + k, &g);
        for (int i = 0; i < 6 && t >= RUN_IN; i++)
            for (int k = 0; k < N_BLOCK; k++)
                mlk_flux_series(fl, (size_t)i / 3, (size_t)i % 3)[t - RUN_IN] += w[i][k] * u[k];
    }
    for (int k = 0; k < N_BLOCK; k++) {
        double phi = b[k].a1, integral = 0.5 * dt * (1 + phi) / (1 - phi);
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 6; j++) l[6 * i + j] += w[i][k] * w[j][k] * integral;
    }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) naive[3 * i + j] = l[6 * i + j];
    for (int p = 5; p >= 3; p--)
        for (int i = 0; i < p; i++) {
            double f = l[6 * i + p] / l[6 * p + p];
            for (int j = 0; j < p; j++) l[6 * i + j] -= f * l[6 * p + j];
        }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) kappa[3 * i + j] = l[6 * i + j];
}
