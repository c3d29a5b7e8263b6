/* perf_md.c - whole steps of molecular dynamics, through the code of `mlkit md`: velocity Verlet,
 * neighbour list with the default skin (rebuilt when due), forces. Ratios are those to NEP_CPU in
 * LAMMPS (the same models and structures, one thread of another AVX-512 machine;
 * docs/PERFORMANCE.md). Every variant runs the same stretch of a microcanonical trajectory,
 * rebuilds included. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/log.h"
#include "core/rng.h"
#include "core/threads.h"
#include "md/fluxes.h"
#include "md/md.h"
#include "potentials/nep.h"
#include "tests/perf/perf.h"
#include "tests/support/shared.h"

enum { ROUNDS = 3, PLAIN = 1 << 30 };

typedef struct job {
    const char *name, *file; /* row; nep.txt under the shared references */
    double anchor;           /* us per atom and step; 0: none was measured */
    double temp;             /* [K] */
    int steps;               /* of one timing */
    mlk_frame fr;
} job;

typedef struct start { /* where every timing begins */
    double (*x)[3], (*v)[3];
} start;

static void *fresh(size_t n, size_t size)
{
    void *p = mlk_alloc(n, size);
    if (!p) perf_die("out of memory");
    return p;
}

static void go_back(mlk_md *md, const start *s, int64_t sample)
{
    memcpy(md->x, s->x, md->n * sizeof *md->x);
    memcpy(md->v, s->v, md->n * sizeof *md->v);
    md->step = 0;
    md->sample = sample;
    md->nl.n = 0;
    if (mlk_md_forces(md, NULL)) perf_die("forces");
}

/* Returns the wall time of the fastest step. */
static double stretch(mlk_md *md, int steps)
{
    mlk_md_flux flux;
    double fastest = INFINITY;
    for (int k = 0; k < steps; k++) {
        double t = mlk_wtime();
        if (mlk_md_step(md, NULL)) perf_die("the run diverged");
        if (mlk_md_at_flux(md))
            mlk_md_fluxes(md->n, md->el, md->n_el, md->mass, (const double(*)[3])md->v, &md->ev,
                          &flux);
        fastest = fmin(fastest, mlk_wtime() - t);
    }
    return fastest;
}

typedef struct variant {
    int level, threads;
    int64_t sample;
    double us, error, spread;
    double t[ROUNDS], fastest; /* wall time of the fastest step */
} variant;

static double deviation(const mlk_md *md, const double *f0)
{
    double big = 0, off = 0;
    for (size_t k = 0; k < 3 * md->n; k++) {
        big = fmax(big, fabs(f0[k]));
        off = fmax(off, fabs(md->ev.f[0][k] - f0[k]));
    }
    return off / big;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Medians of the variants, which take turns. */
static void measure(mlk_md *md, const start *s, int steps, size_t n, variant *v, const double *f0)
{
    for (int r = 0; r < ROUNDS; r++)
        for (size_t k = 0; k < n; k++) {
            mlk_cpu_set_level(v[k].level);
            mlk_threads_init(v[k].threads);
            go_back(md, s, v[k].sample);
            v[k].error = fmax(v[k].error, deviation(md, f0));
            double (*now)(void) = v[k].threads == 1 ? mlk_cputime : mlk_wtime, t = now();
            double fastest = stretch(md, steps);
            v[k].fastest = r ? fmin(v[k].fastest, fastest) : fastest;
            v[k].t[r] = 1e6 * (now() - t) / steps / (double)md->n;
        }
    for (size_t k = 0; k < n; k++) {
        double *t = v[k].t;
        qsort(t, ROUNDS, sizeof *t, ascending);
        v[k].us = t[ROUNDS / 2];
        v[k].spread = 0.5 * (t[ROUNDS * 3 / 4] - t[ROUNDS / 4]) / v[k].us;
    }
}

static size_t variants(const perf *p, int best, variant *v)
{
    size_t n = 0;
    for (int level = MLK_SIMD_AVX2; level <= best; level++) {
        if (!perf_level(p, level)) continue;
        v[n++] = (variant){.level = level, .threads = 1, .sample = PLAIN};
        v[n++] = (variant){.level = level, .threads = 1, .sample = 1};
        if (p->threads > 1 && level == best)
            v[n++] = (variant){.level = level, .threads = 2, .sample = PLAIN};
    }
    return n;
}

/* Additions and multiplications of a plain step per atom that no arrangement of the loops avoids:
 * counted from the equations of nep.h and the sizes of the model (docs/PERFORMANCE.md). */
static double flops(const mlk_md *md)
{
    const mlk_nep *m = md->pot->state;
    double listed = (double)md->nl.np / (double)md->n, radial = 0, angular = 0, species = 0;
    for (size_t i = 0; i < md->n; i++) {
        bool there[MLK_SPECIES_MAX] = {false};
        for (size_t k = md->nl.start[i]; k < md->nl.start[i + 1]; k++) {
            size_t t = (size_t)md->type[md->nl.j[k]], p = (size_t)md->type[i] * m->nt + t;
            double r2 = 0;
            for (int c = 0; c < 3; c++) r2 += md->nl.r[c][k] * md->nl.r[c][k];
            radial += r2 < m->rr[p] * m->rr[p], angular += r2 < m->ra[p] * m->ra[p];
            species += r2 < m->rr[p] * m->rr[p] && !there[t];
            there[t] = there[t] || r2 < m->rr[p] * m->rr[p];
        }
    }
    radial /= (double)md->n, angular /= (double)md->n, species /= (double)md->n;
    printf("# %.0f neighbours listed, %.1f radial, %.1f angular\n", listed, radial, angular);
    double kr = (double)m->kr, ka = (double)m->ka, nr = (double)m->nr, na = (double)m->na;
    double lm = (double)m->nlm, dim = (double)m->dim, neuron = (double)m->neuron;
    enum { VECTOR = 6, LENGTH = 5, ROOT = 15, CUTOFF = 40, PARTIAL = 9, TANH = 45, YLM = 300 };
    return listed * (VECTOR + LENGTH) + radial * (ROOT + CUTOFF + 10 * kr + PARTIAL) +
           angular * (CUTOFF + 10 * ka + 4 * ka * na + 6 * lm * na + YLM + PARTIAL) +
           4 * species * kr * nr + 6 * lm * na + neuron * (4 * dim + TANH);
}

/* takes over the frame */
static void run(perf *p, job *j)
{
    char path[1024];
    mlk_potential *pot;
    mlk_md md;
    mlk_err e = {0};
    mlk_md_config cfg = {.temp = j->temp,
                         .equil = 0,
                         .run = 1e12,
                         .sample = 2,
                         .dump = 1e6,
                         .tau = 100,
                         .skin = 0.7,
                         .thermo = 1 << 30,
                         .seed = 1,
                         .dt = 2};
    snprintf(path, sizeof path, "%s/reference/nep/%s", mlk_test_shared(), j->file);
    if (mlk_potential_read(&pot, path, &e) || mlk_md_init(&md, &cfg, pot, &j->fr, &e))
        perf_die(e.msg);
    int best = mlk_cpu_level(), threads = p->threads;
    variant v[6];
    size_t n = variants(p, best, v);
    md.sample = PLAIN;
    if (mlk_md_forces(&md, &e)) perf_die(e.msg);
    stretch(&md, 60); /* away from the lattice */
    start s = {fresh(md.n, sizeof *s.x), fresh(md.n, sizeof *s.v)};
    memcpy(s.x, md.x, md.n * sizeof *s.x), memcpy(s.v, md.v, md.n * sizeof *s.v);
    mlk_cpu_set_level(MLK_SIMD_SCALAR);
    go_back(&md, &s, 1);
    double *f0 = fresh(3 * md.n, sizeof *f0), builds = md.sums.builds;
    memcpy(f0, md.ev.f, md.n * sizeof *md.ev.f);
    measure(&md, &s, j->steps, n, v, f0);
    mlk_cpu_set_level(best);
    mlk_neigh_update(&md.nl, &md.cell, (const double(*)[3])md.x);
    double count = flops(&md);
    builds = (md.sums.builds - builds) / (double)(n * ROUNDS) - 1;
    printf("# %s: %zu atoms, %.0f K, %.3g lists built in %d steps, %.1f kflop per atom and step\n",
           j->name, md.n, j->temp, builds, j->steps, 1e-3 * count);
    for (size_t k = 0, plain = 0; k < n; k++) {
        char row[64];
        bool base = v[k].threads == 1 && v[k].sample > 1;
        if (base) plain = k;
        snprintf(row, sizeof row, "%s%s", j->name, v[k].sample == 1 ? "-flux" : "");
        perf_row(p, row, mlk_cpu_level_name(v[k].level), v[k].threads, v[k].us, v[k].spread,
                 j->anchor, v[k].error, 1e-11);
        if (!base)
            printf("# %s: %s %.2f\n", row,
                   v[k].sample == 1 ? "time of a step with fluxes / plain step"
                                    : "speed-up of the fastest step by two threads",
                   v[k].sample == 1 ? v[k].us / v[plain].us : v[plain].fastest / v[k].fastest);
    }
    mlk_cpu_set_level(best);
    mlk_threads_init(threads);
    mlk_free(s.x), mlk_free(s.v), mlk_free(f0);
    mlk_md_free(&md);
    mlk_potential_destroy(pot);
    mlk_frame_free(&j->fr);
}

/* ---- structures ------------------------------------------------------------------------------ */

/* r0 x r1 x r2 copies of *fr, in its place */
static void repeat(mlk_frame *fr, int r0, int r1, int r2)
{
    const int r[3] = {r0, r1, r2};
    mlk_frame big;
    size_t m = (size_t)(r0 * r1 * r2), a = 0;
    double h[3][3];
    for (int k = 0; k < 3; k++)
        for (int c = 0; c < 3; c++) h[k][c] = r[k] * fr->cell.h[k][c];
    if (mlk_frame_init(&big, m * fr->n, NULL) ||
        mlk_cell_init(&big.cell, (const double(*)[3])h, NULL))
        perf_die("out of memory");
    for (size_t q = 0; q < m; q++) {
        int s[3] = {(int)q % r0, (int)q / r0 % r1, (int)q / r0 / r1};
        for (size_t i = 0; i < fr->n; i++, a++) {
            big.z[a] = fr->z[i];
            for (int c = 0; c < 3; c++)
                big.x[a][c] = fr->x[i][c] + s[0] * fr->cell.h[0][c] + s[1] * fr->cell.h[1][c] +
                              s[2] * fr->cell.h[2][c];
        }
    }
    mlk_frame_free(fr);
    *fr = big;
}

/* The part of fr inside 1/2 x 1/2 x 1/2 of its cell, when it is a 2 x 2 x 2 repetition. */
static void eighth(mlk_frame *fr)
{
    mlk_frame part;
    double h[3][3], s[3];
    size_t a = 0;
    for (int k = 0; k < 3; k++)
        for (int c = 0; c < 3; c++) h[k][c] = 0.5 * fr->cell.h[k][c];
    if (mlk_frame_init(&part, fr->n / 8, NULL) ||
        mlk_cell_init(&part.cell, (const double(*)[3])h, NULL))
        perf_die("out of memory");
    for (size_t i = 0; i < fr->n && a <= part.n; i++) {
        mlk_cell_frac(&fr->cell, fr->x[i], s);
        bool in = true;
        for (int k = 0; k < 3; k++) in = in && s[k] - floor(s[k] + 1e-7) < 0.5 - 1e-7;
        if (in && a < part.n) part.z[a] = fr->z[i], memcpy(part.x[a], fr->x[i], sizeof s);
        a += in;
    }
    if (a != part.n) perf_die("the structure is no 2 x 2 x 2 repetition");
    mlk_frame_free(fr);
    *fr = part;
}

/* cells^3 cubic cells of edge a with the basis given in quarters of the edge; species by turns */
static void lattice(mlk_frame *fr, double a, int cells, int nb, const int (*basis)[3], int nz,
                    const int *z)
{
    double edge = a * cells, h[3][3] = {{edge, 0, 0}, {0, edge, 0}, {0, 0, edge}};
    mlk_rng g = mlk_rng_make(1, 1);
    if (mlk_frame_init(fr, (size_t)(nb * cells * cells * cells), NULL) ||
        mlk_cell_init(&fr->cell, (const double(*)[3])h, NULL))
        perf_die("out of memory");
    for (int i = 0; i < (int)fr->n; i++) {
        int q = i / nb, s[3] = {q % cells, q / cells % cells, q / cells / cells};
        for (int c = 0; c < 3; c++)
            fr->x[i][c] = a * (s[c] + 0.25 * basis[i % nb][c] + 0.01 * mlk_rng_uniform(&g));
        fr->z[i] = z[(int)(nz * mlk_rng_uniform(&g))];
    }
}

static bool have_shared(const char *name)
{
    if (mlk_test_shared()) return true;
    printf("# %s: skipped, shared reference data not found (set MLK_SHARED)\n", name);
    return false;
}

static void golden(const char *folder, mlk_frame *fr)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/reference/nep/%s/model.xyz", mlk_test_shared(), folder);
    if (!perf_read_xyz(path, fr)) perf_die(path);
}

/* ---- cases ----------------------------------------------------------------------------------- */

void perf_md_pbte(perf *p)
{
    job j = {"md-pbte", "pbte_nep4/nep.txt", 19.7, 300, 100, {0}};
    if (!have_shared(j.name)) return;
    golden("pbte_nep4", &j.fr);
    repeat(&j.fr, 2, 2, 2);
    run(p, &j);
}

void perf_md_bazro3(perf *p)
{
    job j = {"md-bazro3", "bazro3_nep4/nep.txt", 55.6, 300, 60, {0}};
    static const int z[5] = {56, 40, 8, 8, 8};
    static const int at[5][3] = {{0, 0, 0}, {2, 2, 2}, {2, 2, 0}, {2, 0, 2}, {0, 2, 2}};
    if (!have_shared(j.name)) return;
    lattice(&j.fr, 4.2, 6, 5, at, 1, z);
    for (size_t i = 0; i < j.fr.n; i++) j.fr.z[i] = z[i % 5];
    run(p, &j);
}

void perf_md_unep(perf *p)
{
    job j = {"md-unep", "unep5_nep4_zbl/nep.txt", 56.4, 300, 60, {0}};
    static const int fcc[4][3] = {{0, 0, 0}, {0, 2, 2}, {2, 0, 2}, {2, 2, 0}};
    int z[MLK_ELEMENT_MAX];
    if (!have_shared(j.name)) return;
    golden("unep5_nep4_zbl", &j.fr); /* strongly rattled, one pair at 1.6 A: only its species */
    int nz = (int)mlk_frame_species(&j.fr, z);
    mlk_frame_free(&j.fr);
    lattice(&j.fr, 3.825, 6, 4, fcc, nz, z);
    run(p, &j);
}

void perf_md_carbon(perf *p)
{
    job j = {"md-carbon", "c_nep4_5body/nep.txt", 167, 300, 40, {0}};
    static const int z[1] = {6};
    static const int at[8][3] = {{0, 0, 0}, {0, 2, 2}, {2, 0, 2}, {2, 2, 0},
                                 {1, 1, 1}, {1, 3, 3}, {3, 1, 3}, {3, 3, 1}};
    if (!have_shared(j.name)) return;
    lattice(&j.fr, 3.57, 5, 8, at, 1, z);
    run(p, &j);
}

void perf_md_nepa(perf *p)
{
    job j = {"md-nepa-768", "li3ps4_published/nepA.txt", 0, 650, 120, {0}};
    if (!have_shared(j.name)) return;
    golden("li3ps4_published", &j.fr);
    eighth(&j.fr);
    run(p, &j);
    job k = {"md-nepa-6144", "li3ps4_published/nepA.txt", 0, 650, 40, {0}};
    golden("li3ps4_published", &k.fr);
    run(p, &k);
}
