/* perf_nep.c - NEP: site energies and pair partials (kernel), with forces and virials (step), and
 * the training gradient (vjp), on the PbTe golden model and on a Li3PS4-like model. Lists carry a
 * skin of 1 A, as in MD. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/cpu.h"
#include "potentials/nep.h"
#include "tests/perf/perf.h"
#include "tests/support/shared.h"

typedef struct job {
    mlk_frame fr;
    mlk_potential *pot;
    mlk_neigh nl;
    mlk_eval ev;
    mlk_scratch s;
    int *type;
    double *u, *p[3], *grad;
    double *u0, *p0[3], *grad0; /* scalar results */
} job;

static void kernel(void *ctx)
{
    job *j = ctx;
    for (size_t i = 0; i < j->fr.n; i += 4) {
        size_t i1 = i + 4 < j->fr.n ? i + 4 : j->fr.n;
        mlk_scratch_reset(&j->s);
        if (j->pot->type->eval(j->pot, &j->nl, j->type, i, i1, &j->s, j->u, j->p, NULL))
            perf_die("eval");
    }
}

static void step(void *ctx)
{
    job *j = ctx;
    if (mlk_potential_eval(j->pot, &j->nl, j->type, 0, &j->ev, NULL)) perf_die("eval");
}

static void step_flux(void *ctx)
{
    job *j = ctx;
    if (mlk_potential_eval(j->pot, &j->nl, j->type, MLK_WANT_W, &j->ev, NULL)) perf_die("eval");
}

static void gradient(void *ctx)
{
    job *j = ctx;
    memset(j->grad, 0, j->pot->n_param * sizeof(double));
    mlk_scratch_reset(&j->s);
    if (j->pot->type->vjp(j->pot, &j->nl, j->type, 0, j->fr.n, j->u0, j->p0, &j->s, j->grad, NULL))
        perf_die("vjp");
}

static double deviation(size_t n, const double *a, const double *b)
{
    double big = 0, off = 0;
    for (size_t k = 0; k < n; k++) big = fmax(big, fabs(b[k])), off = fmax(off, fabs(a[k] - b[k]));
    return off / big;
}

static double *fresh(size_t n)
{
    double *p = mlk_alloc(n, sizeof *p);
    if (!p) perf_die("out of memory");
    return p;
}

/* takes over fr and pot */
static void run(perf *p, const char *name, job *j)
{
    size_t n = j->fr.n;
    char row[64];
    j->type = mlk_alloc(n, sizeof *j->type);
    if (mlk_potential_types_of(j->pot, &j->fr, j->type, NULL) ||
        mlk_neigh_build(&j->fr.cell, n, (const double(*)[3])j->fr.x, j->pot->rc + 1, &j->nl, NULL))
        perf_die(name);
    j->u = fresh(n), j->u0 = fresh(n);
    j->grad = fresh(j->pot->n_param), j->grad0 = fresh(j->pot->n_param);
    for (int c = 0; c < 3; c++) j->p[c] = fresh(j->nl.np), j->p0[c] = fresh(j->nl.np);
    int best = mlk_cpu_level();
    mlk_cpu_set_level(0);
    kernel(j);
    memcpy(j->u0, j->u, n * sizeof(double));
    for (int c = 0; c < 3; c++) memcpy(j->p0[c], j->p[c], j->nl.np * sizeof(double));
    gradient(j);
    memcpy(j->grad0, j->grad, j->pot->n_param * sizeof(double));
    double ref[2] = {0}, spread;
    for (int v = 0; v <= best; v++) {
        if (!perf_level(p, v)) continue;
        mlk_cpu_set_level(v);
        kernel(j);
        double error = deviation(n, j->u, j->u0);
        for (int c = 0; c < 3; c++) error = fmax(error, deviation(j->nl.np, j->p[c], j->p0[c]));
        gradient(j);
        double gerror = deviation(j->pot->n_param, j->grad, j->grad0);
        snprintf(row, sizeof row, "%s-kernel", name);
        double us = 1e6 * perf_time(1, kernel, j, &spread) / (double)n;
        perf_row(p, row, mlk_cpu_level_name(v), 1, us, spread, ref[0], error, 1e-12);
        if (v == 0) ref[0] = us;
        snprintf(row, sizeof row, "%s-vjp", name);
        us = 1e6 * perf_time(1, gradient, j, &spread) / (double)n;
        perf_row(p, row, mlk_cpu_level_name(v), 1, us, spread, ref[1], gerror, 1e-12);
        if (v == 0) ref[1] = us;
        if (v < best) continue;
        snprintf(row, sizeof row, "%s-step", name);
        us = 1e6 * perf_time(p->threads, step, j, &spread) / (double)n;
        perf_row(p, row, mlk_cpu_level_name(v), p->threads, us, spread, 0, error, 1e-12);
        snprintf(row, sizeof row, "%s-step-flux", name);
        us = 1e6 * perf_time(p->threads, step_flux, j, &spread) / (double)n;
        perf_row(p, row, mlk_cpu_level_name(v), p->threads, us, spread, 0, error, 1e-12);
    }
    mlk_cpu_set_level(best);
    mlk_potential_destroy(j->pot);
    mlk_frame_free(&j->fr);
    mlk_neigh_free(&j->nl);
    mlk_eval_free(&j->ev);
    mlk_scratch_free(&j->s);
    mlk_free(j->type), mlk_free(j->u), mlk_free(j->u0), mlk_free(j->grad), mlk_free(j->grad0);
    for (int c = 0; c < 3; c++) mlk_free(j->p[c]), mlk_free(j->p0[c]);
}

void perf_nep_pbte(perf *p)
{
    job j = {0};
    char path[1024];
    const char *shared = mlk_test_shared();
    if (!shared) {
        printf("# nep_pbte: skipped, shared reference data not found (set MLK_SHARED)\n");
        return;
    }
    snprintf(path, sizeof path, "%s/reference/nep/pbte_nep4/model.xyz", shared);
    if (!perf_read_xyz(path, &j.fr)) perf_die(path);
    snprintf(path, sizeof path, "%s/reference/nep/pbte_nep4/nep.txt", shared);
    if (mlk_potential_read(&j.pot, path, NULL)) perf_die(path);
    run(p, "nep-pbte", &j);
}

void perf_nep_li3ps4(perf *p)
{
    job j = {0};
    mlk_err e = {0};
    static const int z[3] = {3, 15, 16};
    perf_li3ps4(&j.fr);
    const mlk_frame *fr = &j.fr;
    if (mlk_potential_new(&j.pot, &mlk_potential_nep, &e) ||
        mlk_opt_set(j.pot->type->hyper, j.pot->hyper, "cutoff", "6,5", &e) ||
        mlk_potential_create(j.pot, 3, z, 1, &e) || j.pot->type->prepare(j.pot, 1, &fr, &e))
        perf_die(e.msg);
    run(p, "nep-li3ps4", &j);
}
