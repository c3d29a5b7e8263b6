/* test_nep.c - NEP: gradients of what it is trained on, nep.txt round trips and errors, scaling,
 * SIMD variants against the scalar one, smoothness, ZBL. Golden numbers: tests/golden/test_nep.c.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cpu.h"
#include "core/file.h"
#include "core/rng.h"
#include "potentials/nep.h"

/* a rattled, sheared cell of 3 species, n atoms with about 20 A^3 each */
static void rattled(mlk_frame *fr, size_t n, uint64_t seed)
{
    static const int z[3] = {3, 15, 16};
    mlk_rng g = mlk_rng_make(seed, 1);
    double a = cbrt(20.0 * (double)n),
           h[3][3] = {{a, 0, 0.1 * a}, {0.2 * a, a, 0}, {0, -0.1 * a, a}};
    cr_assert(mlk_frame_init(fr, n, NULL) == MLK_OK);
    cr_assert(mlk_cell_init(&fr->cell, (const double(*)[3])h, NULL) == MLK_OK);
    size_t side = (size_t)ceil(cbrt((double)n));
    for (size_t i = 0; i < n; i++) {
        double s[3] = {(double)(i % side), (double)(i / side % side), (double)(i / side / side)};
        for (int c = 0; c < 3; c++) s[c] = (s[c] + 0.3 * mlk_rng_uniform(&g)) / (double)side;
        mlk_cell_cart(&fr->cell, s, fr->x[i]);
        fr->z[i] = z[mlk_rng_below(&g, 3)];
    }
}

static const char *const hypers[][6] = {
    /* cutoff, n_max, basis, l_max, neuron, zbl */
    {"5,4", "6,6", "8,8", "4,2,1", "13", ""},
    {"6,5", "9,8", "5,7", "4,2,0", "30", ""},
    {"4,4", "3,2", "4,3", "3,0,1", "8", ""},
    {"4,3.5", "0,0", "2,1", "1,0,1", "5", ""},
    {"5,4.5", "2,4", "3,6", "2,2,1", "11", "0.7,1.4"},
    {"5,4", "4,4", "6,6", "8,2,1", "10", ""},
    {"4,4", "2,9", "3,4", "5,0,0", "9", ""},
    {"5,3.5", "3,3", "4,5", "6,2,0", "12", ""},
    {"5,4", "3,8", "4,5", "4,2,1,1,1,1,1", "7", ""},
    {"5,4", "2,2", "3,4", "3,0,0,1,0,1", "6", ""},
};
enum { N_HYPERS = sizeof hypers / sizeof *hypers };

static mlk_potential *make(const char *const h[6], uint64_t seed, const mlk_frame *fr)
{
    static const char *const key[6] = {"cutoff", "n_max", "basis", "l_max", "neuron", "zbl"};
    static const int z[3] = {3, 15, 16};
    mlk_potential *pot;
    mlk_err e = {0};
    cr_assert(mlk_potential_new(&pot, &mlk_potential_nep, &e) == MLK_OK);
    for (int k = 0; k < 6; k++)
        cr_assert(mlk_opt_set(pot->type->hyper, pot->hyper, key[k], h[k], &e) == MLK_OK, "%s",
                  e.msg);
    cr_assert(mlk_potential_create(pot, 3, z, seed, &e) == MLK_OK, "%s", e.msg);
    cr_assert(pot->type->prepare(pot, 1, &fr, &e) == MLK_OK, "%s", e.msg);
    return pot;
}

typedef struct setup {
    mlk_frame fr;
    mlk_potential *pot;
    mlk_neigh nl;
    int *type;
    double *u, *p[3], *ubar, *pbar[3];
    mlk_scratch s;
} setup;

static void begin(setup *t, const char *const h[6], size_t n)
{
    memset(t, 0, sizeof *t);
    rattled(&t->fr, n, 7);
    t->pot = make(h, 11, &t->fr);
    t->type = mlk_alloc(n, sizeof *t->type);
    cr_assert(mlk_potential_types_of(t->pot, &t->fr, t->type, NULL) == MLK_OK);
    cr_assert(mlk_neigh_build(&t->fr.cell, n, (const double(*)[3])t->fr.x, t->pot->rc + 0.5, &t->nl,
                              NULL) == MLK_OK);
    t->u = mlk_alloc(n, sizeof(double));
    t->ubar = mlk_alloc(n, sizeof(double));
    mlk_rng g = mlk_rng_make(3, 3);
    for (size_t i = 0; i < n; i++) t->ubar[i] = mlk_rng_normal(&g);
    for (int c = 0; c < 3; c++) {
        t->p[c] = mlk_alloc(t->nl.np, sizeof(double));
        t->pbar[c] = mlk_alloc(t->nl.np, sizeof(double));
        for (size_t k = 0; k < t->nl.np; k++) t->pbar[c][k] = mlk_rng_normal(&g);
    }
}

static void end(setup *t)
{
    mlk_potential_destroy(t->pot);
    mlk_frame_free(&t->fr);
    mlk_neigh_free(&t->nl);
    mlk_scratch_free(&t->s);
    mlk_free(t->type), mlk_free(t->u), mlk_free(t->ubar);
    for (int c = 0; c < 3; c++) mlk_free(t->p[c]), mlk_free(t->pbar[c]);
}

static void eval(setup *t)
{
    mlk_scratch_reset(&t->s);
    cr_assert(t->pot->type->eval(t->pot, &t->nl, t->type, 0, t->fr.n, &t->s, t->u, t->p, NULL) ==
              MLK_OK);
}

/* sum ubar u + sum pbar . p */
static double functional(setup *t)
{
    eval(t);
    double l = 0;
    for (size_t i = 0; i < t->fr.n; i++) l += t->ubar[i] * t->u[i];
    for (int c = 0; c < 3; c++)
        for (size_t k = 0; k < t->nl.np; k++) l += t->pbar[c][k] * t->p[c][k];
    return l;
}

static void vjp(setup *t, double *g)
{
    memset(g, 0, t->pot->n_param * sizeof *g);
    mlk_scratch_reset(&t->s);
    cr_assert(t->pot->type->vjp(t->pot, &t->nl, t->type, 0, t->fr.n, t->ubar, t->pbar, &t->s, g,
                                NULL) == MLK_OK);
}

static void check_partials(int h)
{
    setup t;
    begin(&t, hypers[h], 27);
    double worst = 0, scale = 0;
    mlk_rng g = mlk_rng_make(5, 5);
    double u1[2];
    for (int trial = 0; trial < 60; trial++) {
        size_t k = mlk_rng_below(&g, t.nl.np), i = 0;
        int c = (int)mlk_rng_below(&g, 3);
        while (t.nl.start[i + 1] <= k) i++;
        eval(&t);
        double want = t.p[c][k], x = t.nl.r[c][k], step = 1e-4;
        double d[2];
        for (int o = 0; o < 2; o++) {
            for (int s = 0; s < 2; s++) {
                t.nl.r[c][k] = x + (s ? -1 : 1) * (o + 1) * step;
                eval(&t);
                u1[s] = t.u[i];
            }
            d[o] = (u1[0] - u1[1]) / (2 * (o + 1) * step);
        }
        t.nl.r[c][k] = x;
        worst = fmax(worst, fabs((4 * d[0] - d[1]) / 3 - want));
        scale = fmax(scale, fabs(want));
    }
    cr_expect(worst < 1e-8 * (scale + 0.01), "hyper %d, %s: error %.3g of %.3g", h,
              mlk_cpu_level_name(mlk_cpu_level()), worst, scale);
    end(&t);
}

Test(nep, partials_are_derivatives_of_site_energies)
{
    int level = mlk_cpu_level();
    for (int v = 0; v <= level; v++) {
        mlk_cpu_set_level(v);
        for (int h = 0; h < N_HYPERS; h++) check_partials(h);
    }
    mlk_cpu_set_level(level);
}

Test(nep, vjp_is_the_gradient)
{
    int level = mlk_cpu_level();
    for (int v = 0; v <= level; v++)
        for (int h = 0; h < N_HYPERS; h++) {
            mlk_cpu_set_level(v);
            setup t;
            begin(&t, hypers[h], 20);
            size_t n = t.pot->n_param;
            double *g = mlk_alloc(n, sizeof *g), norm = 0, worst = 0;
            vjp(&t, g);
            for (size_t k = 0; k < n; k++) norm += g[k] * g[k];
            norm = sqrt(norm / (double)n);
            mlk_rng rng = mlk_rng_make(9, (uint64_t)h);
            for (int trial = 0; trial < 150; trial++) {
                size_t k = trial < 5 ? n - 1 - (size_t)trial : mlk_rng_below(&rng, n);
                double x = t.pot->param[k], step = 1e-4 * (1 + fabs(x)), d[2];
                for (int o = 0; o < 2; o++) {
                    double l[2];
                    for (int s = 0; s < 2; s++) {
                        t.pot->param[k] = x + (s ? -1 : 1) * (o + 1) * step;
                        cr_assert(t.pot->type->update(t.pot, NULL) == MLK_OK);
                        l[s] = functional(&t);
                    }
                    d[o] = (l[0] - l[1]) / (2 * (o + 1) * step);
                }
                t.pot->param[k] = x;
                double fd = (4 * d[0] - d[1]) / 3;
                worst = fmax(worst, fabs(fd - g[k]) / (norm + fabs(g[k])));
            }
            cr_expect(worst < 1e-6, "hyper %d, %s: relative error %.3g", h, mlk_cpu_level_name(v),
                      worst);
            mlk_free(g);
            end(&t);
        }
    mlk_cpu_set_level(level);
}

Test(nep, vjp_adds_up_over_ranges)
{
    setup t;
    begin(&t, hypers[0], 20);
    size_t n = t.pot->n_param;
    double *whole = mlk_alloc(n, sizeof *whole), *parts = mlk_alloc(n, sizeof *parts), big = 0;
    vjp(&t, whole);
    for (size_t i = 0; i < 20; i += 7) {
        mlk_scratch_reset(&t.s);
        cr_assert(t.pot->type->vjp(t.pot, &t.nl, t.type, i, i + 7 < 20 ? i + 7 : 20, t.ubar, t.pbar,
                                   &t.s, parts, NULL) == MLK_OK);
    }
    for (size_t k = 0; k < n; k++) big = fmax(big, fabs(whole[k]));
    for (size_t k = 0; k < n; k++) cr_assert(fabs(whole[k] - parts[k]) < 1e-12 * big);
    mlk_free(whole), mlk_free(parts);
    end(&t);
}

Test(nep, simd_variants_agree_with_scalar)
{
    int level = mlk_cpu_level();
    for (int h = 0; h < N_HYPERS; h++) {
        setup t;
        begin(&t, hypers[h], 27);
        size_t n = t.pot->n_param;
        double *g0 = mlk_alloc(n, sizeof *g0), *g = mlk_alloc(n, sizeof *g), *p[3], u[27];
        mlk_cpu_set_level(0);
        eval(&t);
        memcpy(u, t.u, sizeof u);
        double pbig = 0, ubig = 0, gbig = 0;
        for (int c = 0; c < 3; c++) {
            p[c] = mlk_alloc(t.nl.np, sizeof(double));
            memcpy(p[c], t.p[c], t.nl.np * sizeof(double));
            for (size_t k = 0; k < t.nl.np; k++) pbig = fmax(pbig, fabs(p[c][k]));
        }
        vjp(&t, g0);
        for (size_t i = 0; i < 27; i++) ubig = fmax(ubig, fabs(u[i]));
        for (size_t k = 0; k < n; k++) gbig = fmax(gbig, fabs(g0[k]));
        for (int v = 1; v <= level; v++) {
            mlk_cpu_set_level(v);
            eval(&t);
            vjp(&t, g);
            for (size_t i = 0; i < 27; i++) cr_assert(fabs(t.u[i] - u[i]) < 1e-12 * ubig);
            for (int c = 0; c < 3; c++)
                for (size_t k = 0; k < t.nl.np; k++)
                    cr_assert(fabs(t.p[c][k] - p[c][k]) < 1e-12 * pbig);
            for (size_t k = 0; k < n; k++) cr_assert(fabs(g[k] - g0[k]) < 1e-12 * gbig);
        }
        mlk_cpu_set_level(level);
        for (int c = 0; c < 3; c++) mlk_free(p[c]);
        mlk_free(g0), mlk_free(g);
        end(&t);
    }
}

Test(nep, second_round_trip_of_the_file_is_bitwise)
{
    for (int h = 0; h < N_HYPERS; h++) {
        setup t;
        begin(&t, hypers[h], 20);
        char a[64], b[64];
        snprintf(a, sizeof a, "/tmp/mlk-nep-%d-a.txt", (int)getpid());
        snprintf(b, sizeof b, "/tmp/mlk-nep-%d-b.txt", (int)getpid());
        mlk_err e = {0};
        mlk_potential *q;
        cr_assert(mlk_nep_write(t.pot, a, &e) == MLK_OK, "%s", e.msg);
        cr_assert(mlk_potential_read(&q, a, &e) == MLK_OK, "%s", e.msg);
        cr_assert(q->n_param == t.pot->n_param && q->rc == t.pot->rc && q->zbl.on == t.pot->zbl.on);
        cr_assert(!memcmp(q->param, t.pot->param, q->n_param * sizeof(double)));
        cr_assert(mlk_nep_write(q, b, &e) == MLK_OK);
        char *ta, *tb;
        cr_assert(mlk_file_slurp(a, &ta, NULL, &e) == MLK_OK &&
                  mlk_file_slurp(b, &tb, NULL, &e) == MLK_OK);
        cr_assert(!strcmp(ta, tb));
        eval(&t);
        double *u = mlk_alloc(20, sizeof *u);
        mlk_scratch_reset(&t.s);
        cr_assert(q->type->eval(q, &t.nl, t.type, 0, 20, &t.s, u, t.p, NULL) == MLK_OK);
        cr_assert(!memcmp(u, t.u, 20 * sizeof *u));
        mlk_free(ta), mlk_free(tb), mlk_free(u);
        mlk_potential_destroy(q);
        unlink(a), unlink(b);
        end(&t);
    }
}

Test(nep, prepare_scales_descriptors_to_unit_range_once)
{
    setup t;
    begin(&t, hypers[0], 27);
    const mlk_nep *m = t.pot->state;
    double *q = mlk_alloc(27 * m->dim, sizeof *q), *s = mlk_alloc(m->dim, sizeof *s);
    cr_assert(mlk_nep_dim(t.pot) == m->dim);
    cr_assert(mlk_nep_descriptors(t.pot, &t.nl, t.type, 0, 27, &t.s, q, s, NULL) == MLK_OK);
    for (size_t d = 0; d < m->dim; d++) {
        double lo = INFINITY, hi = -INFINITY;
        for (size_t i = 0; i < 27; i++)
            lo = fmin(lo, q[i * m->dim + d]), hi = fmax(hi, q[i * m->dim + d]);
        cr_expect(fabs((hi - lo) * s[d] - 1) < 1e-9, "%zu: %g", d, (hi - lo) * s[d]);
    }
    mlk_frame other;
    rattled(&other, 30, 99);
    const mlk_frame *list = &other;
    double before = m->scaler[0], bias = t.pot->param[m->neuron * m->dim];
    cr_assert(t.pot->type->prepare(t.pot, 1, &list, NULL) == MLK_OK);
    cr_assert(m->scaler[0] == before && t.pot->param[m->neuron * m->dim] == bias);
    mlk_frame_free(&other);
    mlk_free(q), mlk_free(s);
    end(&t);
}

Test(nep, evaluation_allocates_nothing_once_warm)
{
    setup t;
    begin(&t, hypers[0], 27);
    double *g = mlk_alloc(t.pot->n_param, sizeof *g);
    for (int k = 0; k < 3; k++) eval(&t), vjp(&t, g);
    size_t before = mlk_alloc_count();
    for (int k = 0; k < 3; k++) eval(&t), vjp(&t, g);
    cr_assert(mlk_alloc_count() == before);
    mlk_free(g);
    end(&t);
}

static void refuse(const char *text, const char *expect, long line)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/mlk-nep-%d-bad.txt", (int)getpid());
    mlk_err e = {0};
    mlk_potential *pot = NULL;
    cr_assert(mlk_file_write_text(path, text, &e) == MLK_OK);
    cr_expect(mlk_potential_read(&pot, path, &e) != MLK_OK);
    cr_expect(strstr(e.msg, expect) && e.line == line, "'%s' at line %ld, expected '%s' at %ld",
              e.msg, e.line, expect, line);
    unlink(path);
}

Test(nep, bad_files_name_the_line)
{
    refuse("nep5 1 Li\n", "only nep3 and nep4", 1);
    refuse("nep4_dipole 1 Li\n", "only potential models", 1);
    refuse("nep4 2 Li\n", "expected 'nep4 N El1", 1);
    refuse("nep4 1 Xx\n", "no chemical element", 1);
    refuse("nep4 2 Li Li\n", "twice", 1);
    refuse("nep4 1 Li\ncutoff 4 5 10 10\n", "radial >= angular", 2);
    refuse("nep4 1 Li\ncutoff 4 3 10 10 1\n", "expected 2, 4, 7 or", 2);
    refuse("nep4_zbl 1 Li\nzbl 2 1\n", "no inner and outer radius", 2);
    refuse("nep4_zbl 1 Li\nzbl 1 2 -0.7\n", "factor of the covalent radii -0.7", 2);
    refuse("nep4 1 Li\ncutoff 4 3 10 10\nn_max 1 x\n", "not a number", 3);
    refuse("nep4 1 Li\ncutoff 4 3 10 10\nn_max 1 1\nbasis_size 1 1\nl_max 4 3 0\n", "l_max, 3", 5);
    refuse("nep4 1 Li\ncutoff 4 3 10 10\nn_max 1 1\nbasis_size 1 1\nl_max 1 2\n",
           "(222) need l_max 2", 5);
    refuse("nep4 1 Li\ncutoff 4 3 10 10\nn_max 1 1\nbasis_size 1 1\nl_max 9\n", "from 0 to 8", 5);
    refuse("nep4 1 Li\ncutoff 4 3 10 10\nn_max 1 1\nbasis_size 1 1\nl_max 4 2 1 0 2\n",
           "number 5 of l_max, 2", 5);
    refuse("nep4 1 Li\ncutoff 4 3 10 10\nn_max 1 1\nbasis_size 1 1\nl_max 2 2 1 0 1\n",
           "(123) need l_max 3", 5);
    refuse("nep4 1 Li\ncutoff 4 3 10 10\nn_max 1 1\nbasis_size 1 1\nl_max 4 1 1 1 1 1 1\nANN 1\n",
           "ANN", 6); /* flags as GPUMD 5.3 and later write them */
    refuse("nep4 1 Li\ncutoff 4 3 10 10\nn_max 1 1\nbasis_size 1 1\nl_max 0\n",
           "the first of them 1 to 8", 5);
    const char *h =
        "nep4 1 Li\ncutoff 4 3 10 10\nn_max 0 0\nbasis_size 0 0\nl_max 1 0 0\nANN 1 0\n";
    char text[512];
    snprintf(text, sizeof text, "%s1\n2\n", h);
    refuse(text, "ends at number 3 of 7", 8);
    snprintf(text, sizeof text, "%s1\nnan\n3\n4\n5\n6\n7\n", h);
    refuse(text, "expected one number", 8);
    snprintf(text, sizeof text, "%s1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", h);
    refuse(text, "more numbers", 16);
    const char *nine = "1.25\n-2.5\n3.00\n4.00\n5.00\n6.00\n7.00\n8.00\n";
    snprintf(text, sizeof text, "%s%s9.0", h, nine);
    refuse(text, "may be cut", 15);
    snprintf(text, sizeof text, "nep4_zbl 1 Li\nzbl 0 0\n%s%s9.0\n", strchr(h, '\n') + 1, nine);
    for (const char *r = "2\n1\n0\n0\n0\n0\n0\n0\n0\n0\n"; !strstr(text, r);) strcat(text, r);
    refuse(text, "ZBL table, pair 1: 2 and 1 A", 26);
}

/* memory is taken for the numbers that are there, not for those a header speaks of */
Test(nep, a_short_file_cannot_ask_for_memory)
{
    char text[1024] = "nep4 30";
    for (int z = 1; z <= 30; z++) strcat(text, " "), strcat(text, mlk_element_symbol(z));
    strcat(text, "\ncutoff 4 3 10 10\nn_max 31 31\nbasis_size 31 31\nl_max 8 1 1 1 1 1 1\n"
                 "ANN 1000 0\n1\n");
    size_t before = mlk_alloc_count();
    refuse(text, "ends at number 2 of ", 7);
    cr_expect(mlk_alloc_count() - before < 10, "%zu allocations", mlk_alloc_count() - before);
}

Test(nep, the_last_line_needs_no_end)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/mlk-nep-%d-open.txt", (int)getpid());
    mlk_err e = {0};
    mlk_potential *pot = NULL;
    cr_assert(mlk_file_write_text(
                  path,
                  "nep4 1 Li\r\ncutoff 4 3\r\nn_max 0 0\r\nbasis_size 0 0\r\nl_max 1 0 0\r\nANN 1 "
                  "0\r\n1.0\r\n2.0\r\n3.0\r\n4.0\r\n5.0\r\n6.0\r\n7.0\r\n8.0\r\n-9.0",
                  &e) == MLK_OK);
    cr_assert(mlk_potential_read(&pot, path, &e) == MLK_OK, "%s", e.msg);
    const mlk_nep *m = pot->state;
    cr_expect(pot->n_param == 7 && pot->param[6] == 7 && m->scaler[1] == -9);
    cr_expect(pot->rc == 4 && m->ra[0] == 3); /* two numbers: as in the first files of NEP3 */
    mlk_potential_destroy(pot);
    unlink(path);
}

Test(nep, dimer_is_smooth_at_both_cutoffs)
{
    mlk_frame fr, one;
    rattled(&fr, 20, 1);
    mlk_potential *pot = make(hypers[0], 2, &fr);
    double h[3][3] = {{30, 0, 0}, {0, 30, 0}, {0, 0, 30}};
    cr_assert(mlk_frame_init(&one, 3, NULL) == MLK_OK);
    cr_assert(mlk_cell_init(&one.cell, (const double(*)[3])h, NULL) == MLK_OK);
    one.z[0] = 3, one.z[1] = 16, one.z[2] = 15;
    one.x[2][1] = 2.5;
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    const double rc[2] = {5, 4};
    for (int k = 0; k < 2; k++) {
        double u[2], f[2];
        for (int s = 0; s < 2; s++) {
            one.x[1][0] = rc[k] + (s ? 1e-7 : -1e-7);
            cr_assert(mlk_potential_eval_frame(pot, &one, 0, &nl, &ev, NULL) == MLK_OK);
            u[s] = ev.U, f[s] = ev.f[1][0];
        }
        cr_expect(fabs(f[0] - f[1]) < 1e-5 && fabs(u[0] - u[1] - 2e-7 * f[0]) < 1e-11,
                  "at %g A: energies %.12g %.12g, forces %.12g %.12g", rc[k], u[0], u[1], f[0],
                  f[1]);
    }
    mlk_eval_free(&ev);
    mlk_neigh_free(&nl);
    mlk_potential_destroy(pot);
    mlk_frame_free(&fr), mlk_frame_free(&one);
}

/* a file written by hand: two species, every number of it of size 0.1 to 1 */
static mlk_potential *by_hand(const char *header, size_t n_numbers, size_t n_table)
{
    char path[64];
    mlk_err e = {0};
    mlk_potential *pot = NULL;
    snprintf(path, sizeof path, "/tmp/mlk-nep-%d-hand.txt", (int)getpid());
    FILE *f = fopen(path, "w");
    cr_assert(f != NULL);
    mlk_rng g = mlk_rng_make(17, 0);
    fprintf(f, "%sn_max 1 1\nbasis_size 2 2\nl_max 2 2 1\nANN 3 0\n", header);
    for (size_t k = 0; k < n_numbers; k++) fprintf(f, "%15.7e\n", mlk_rng_uniform(&g) - 0.5);
    for (size_t k = 0; k < n_table; k++) {
        static const double row[10] = {0.4, 1.5, 0.1, 3.0, 0.5, 0.9, 0.3, 0.4, 0.1, 0.2};
        fprintf(f, "%15.7e\n", row[k % 10] * (k >= 10 && k < 20 ? 1.1 : 1.0));
    }
    fclose(f);
    cr_assert(mlk_potential_read(&pot, path, &e) == MLK_OK, "%s", e.msg);
    /* what it means survives a round trip */
    mlk_potential *again = NULL;
    cr_assert(mlk_nep_write(pot, path, &e) == MLK_OK);
    cr_assert(mlk_potential_read(&again, path, &e) == MLK_OK, "%s", e.msg);
    const mlk_nep *a = pot->state, *b = again->state;
    cr_assert(pot->rc == again->rc && pot->zbl.on == again->zbl.on &&
              pot->zbl.outer == again->zbl.outer && pot->zbl.typewise == again->zbl.typewise &&
              pot->zbl.typewise_factor == again->zbl.typewise_factor);
    cr_assert(!memcmp(a->rr, b->rr, 4 * sizeof(double)) &&
              !memcmp(a->ra, b->ra, 4 * sizeof(double)));
    cr_assert(!a->zbl_table == !b->zbl_table);
    if (a->zbl_table) cr_assert(!memcmp(a->zbl_table, b->zbl_table, n_table * sizeof(double)));
    mlk_potential_destroy(again);
    unlink(path);
    return pot;
}

/* networks 2*3*(10+2)+1, radial 2*3*4, angular 2*3*4, scaler 10 */
enum { HAND = 73 + 24 + 24 + 10 };

static mlk_status dimer(const mlk_potential *pot, int za, int zb, double r, double *u, double *f)
{
    double h[3][3] = {{40, 0, 0}, {0, 40, 0}, {0, 0, 40}};
    mlk_frame fr;
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    cr_assert(mlk_frame_init(&fr, 2, NULL) == MLK_OK);
    cr_assert(mlk_cell_init(&fr.cell, (const double(*)[3])h, NULL) == MLK_OK);
    fr.z[0] = za, fr.z[1] = zb;
    fr.x[1][2] = r;
    mlk_status s = mlk_potential_eval_frame(pot, &fr, 0, &nl, &ev, NULL);
    *u = ev.U, *f = ev.f[1][2];
    mlk_eval_free(&ev);
    mlk_neigh_free(&nl);
    mlk_frame_free(&fr);
    return s;
}

static double alone(const mlk_potential *pot, int za, int zb)
{
    double u, f;
    cr_assert(dimer(pot, za, zb, 19.9, &u, &f) == MLK_OK);
    return u;
}

Test(nep, factors_of_covalent_radii_shorten_cutoffs)
{
    /* Li 1.6, S 1.36 as tabulated: radial 1.25*2.96 = 3.7, angular 1*2.96 */
    mlk_potential *pot = by_hand("nep4 2 Li S\ncutoff 6 4 50 30 1.25 1 0\n", HAND, 0);
    const mlk_nep *m = pot->state;
    cr_assert(fabs(m->rr[1] - 3.7) < 1e-12 && fabs(m->ra[1] - 2.96) < 1e-12);
    cr_assert(fabs(m->rr[0] - 4) < 1e-12 && fabs(pot->rc - 4) < 1e-12);
    double u, f;
    cr_assert(dimer(pot, 3, 16, 3.71, &u, &f) == MLK_OK);
    cr_assert(u == alone(pot, 3, 16) && f == 0);
    cr_assert(dimer(pot, 3, 16, 3.6, &u, &f) == MLK_OK && f != 0);
    mlk_potential_destroy(pot);
}

Test(nep, cutoffs_of_species_are_averaged)
{
    mlk_potential *pot = by_hand("nep4 2 Li S\ncutoff 6 4 5 3 50 30\n", HAND, 0);
    const mlk_nep *m = pot->state;
    cr_assert(m->rr[0] == 6 && m->rr[1] == 5.5 && m->rr[3] == 5 && m->ra[1] == 3.5 && pot->rc == 6);
    mlk_potential_destroy(pot);
}

static void check_typewise(const char *header, double inner)
{
    mlk_potential *with = by_hand(header, HAND, 0);
    mlk_potential *without = by_hand("nep4 2 Li S\ncutoff 5 4 50 30\n", HAND, 0);
    /* outer 0.5*2.96 = 1.48 */
    double a, b, f, g;
    cr_assert(dimer(with, 3, 16, 1.49, &a, &f) == MLK_OK);
    cr_assert(dimer(without, 3, 16, 1.49, &b, &g) == MLK_OK);
    cr_expect(a == b && f == g);
    const double r[2] = {0.5, 1.2};
    for (int k = 0; k < 2; k++) {
        cr_assert(dimer(with, 3, 16, r[k], &a, &f) == MLK_OK);
        cr_assert(dimer(without, 3, 16, r[k], &b, &g) == MLK_OK);
        double x = r[k] * (pow(3, 0.23) + pow(16, 0.23)) * 2.134563;
        double want = 14.399645 * 48 / r[k] *
                      (0.18175 * exp(-3.1998 * x) + 0.50986 * exp(-0.94229 * x) +
                       0.28022 * exp(-0.4029 * x) + 0.02817 * exp(-0.20162 * x));
        if (r[k] > inner)
            want *= 0.5 * (1 + cos(3.14159265358979324 * (r[k] - inner) / (1.48 - inner)));
        cr_expect(fabs(a - b - want) < 1e-9 * want, "%g: %.15g, expected %.15g", r[k], a - b, want);
    }
    mlk_potential_destroy(with);
    mlk_potential_destroy(without);
}

/* NEP_CPU 7319bdc, find_force_ZBL_small_box: rc_inner = 0; GPUMD before December 2025: half */
Test(zbl, typewise_core_is_switched_off_from_zero_or_half)
{
    check_typewise("nep4_zbl 2 Li S\nzbl 1 2.5 0.5\ncutoff 5 4 50 30\n", 0);
    check_typewise("nep4_zbl 2 Li S\nzbl 1 2.5\ncutoff 5 4 50 30 0 0 0.5\n", 0.74);
}

Test(zbl, flexible_table_by_pairs)
{
    mlk_potential *with = by_hand("nep4_zbl 2 Li S\nzbl 0 0\ncutoff 5 4 50 30\n", HAND, 30);
    mlk_potential *without = by_hand("nep4 2 Li S\ncutoff 5 4 50 30\n", HAND, 0);
    const int pair[3][2] = {{3, 3}, {3, 16}, {16, 16}};
    for (int p = 0; p < 3; p++) {
        double a, b, f, g, s = p == 1 ? 1.1 : 1, r = 0.42;
        cr_assert(dimer(with, pair[p][0], pair[p][1], r, &a, &f) == MLK_OK);
        cr_assert(dimer(without, pair[p][0], pair[p][1], r, &b, &g) == MLK_OK);
        double x = r * (pow(pair[p][0], 0.23) + pow(pair[p][1], 0.23)) * 2.134563;
        double want = 14.399645 * pair[p][0] * pair[p][1] / r * s *
                      (0.1 * exp(-3.0 * s * x) + 0.5 * exp(-0.9 * s * x) + 0.3 * exp(-0.4 * s * x) +
                       0.1 * exp(-0.2 * s * x));
        double w = (r - 0.4 * s) / (1.1 * s);
        if (w > 0) want *= 0.5 * (1 + cos(3.14159265358979324 * w));
        cr_expect(fabs(a - b - want) < 1e-9 * want, "%d: %.15g, expected %.15g", p, a - b, want);
    }
    cr_expect(fabs(mlk_zbl_outer(with) - 1.65) < 1e-12);
    mlk_potential_destroy(with);
    mlk_potential_destroy(without);
}

Test(zbl, force_is_the_slope)
{
    mlk_potential *pot = by_hand("nep4_zbl 2 Li S\nzbl 0.8 1.6\ncutoff 5 4 50 30\n", HAND, 0);
    for (double r = 0.33; r < 1.7; r += 0.1) { /* off the radii, where the curvature jumps */
        double u[4], f, g;
        const double h[4] = {1e-4, -1e-4, 2e-4, -2e-4};
        for (int k = 0; k < 4; k++) cr_assert(dimer(pot, 3, 16, r + h[k], &u[k], &g) == MLK_OK);
        cr_assert(dimer(pot, 3, 16, r, &g, &f) == MLK_OK);
        double fd = -(8 * (u[0] - u[1]) - (u[2] - u[3])) / 12e-4;
        cr_expect(fabs(fd - f) < 1e-7 * (1 + fabs(f)), "%g: %.12g, expected %.12g", r, f, fd);
    }
    mlk_potential_destroy(pot);
}

/* simple cubic with edge a, n atoms along each direction, the third one open when slab */
static mlk_frame lattice(double a, size_t n, bool slab)
{
    mlk_frame fr = {0};
    double h[3][3] = {
        {a * (double)n, 0, 0}, {0, a * (double)n, 0}, {0, 0, slab ? 40 : a * (double)n}};
    size_t nz = slab ? 1 : n, i = 0;
    cr_assert_eq(mlk_frame_init(&fr, n * n * nz, NULL), MLK_OK);
    cr_assert_eq(mlk_cell_init(&fr.cell, (const double(*)[3])h, NULL), MLK_OK);
    for (size_t x = 0; x < n; x++)
        for (size_t y = 0; y < n; y++)
            for (size_t z = 0; z < nz; z++, i++) {
                fr.x[i][0] = a * (double)x, fr.x[i][1] = a * (double)y, fr.x[i][2] = a * (double)z;
                fr.z[i] = 14;
            }
    return fr;
}

Test(nep, a_size_left_open_follows_the_atoms_of_the_rarest_element)
{
    mlk_frame fr = lattice(2.6, 4, false); /* 64 atoms */
    const mlk_frame *many[32];
    mlk_nep_hyper h;
    for (size_t k = 0; k < 32; k++) many[k] = &fr;
    for (size_t i = 0; i < fr.n; i++) fr.z[i] = 3;
    for (size_t n = 31; n <= 32; n++) { /* 1984 and 2048 atoms */
        cr_assert_eq(mlk_opt_defaults(mlk_potential_nep.hyper, &h, NULL), MLK_OK);
        cr_assert_eq(mlk_potential_nep.suggest(&h, n, many, NULL), MLK_OK);
        cr_expect_eq(h.neuron, n == 31 ? 10 : 30);
        cr_expect(h.n_max.n == 2 && h.n_max.v[0] == (n == 31 ? 4 : 6) &&
                  h.n_max.v[1] == h.n_max.v[0]);
    }
    fr.z[0] = 15; /* one of its kind in each frame */
    cr_assert_eq(mlk_opt_defaults(mlk_potential_nep.hyper, &h, NULL), MLK_OK);
    cr_assert_eq(mlk_opt_set(mlk_potential_nep.hyper, &h, "n_max", "5,3", NULL), MLK_OK);
    cr_assert_eq(mlk_potential_nep.suggest(&h, 32, many, NULL), MLK_OK);
    cr_expect(h.neuron == 10 && h.n_max.v[0] == 5 && h.n_max.v[1] == 3); /* what was given stays */
    cr_assert_eq(mlk_opt_defaults(mlk_potential_nep.hyper, &h, NULL), MLK_OK);
    cr_assert_eq(mlk_potential_nep.suggest(&h, 0, NULL, NULL), MLK_OK); /* nothing to look at */
    cr_expect(h.neuron == 30 && h.n_max.v[0] == 6 && h.cutoff.v[0] == 6);
    mlk_frame_free(&fr);
}

Test(nep, cutoffs_left_open_follow_the_density)
{
    const struct {
        double a, radial[2], angular[2];
        bool slab;
    } c[] = {
        {2.6, {6.0, 7.0}, {4.2, 5.0}, false}, /* 57 neighbours within 6.2 A, 18 or 26 within 4.5 */
        {2.0, {5.0, 5.2}, {3.5, 3.7}, false}, /* dense: the smallest allowed */
        {5.0, {8.0, 8.0}, {6.0, 6.0}, false}, /* dilute: the largest */
        {2.6, {8.0, 8.0}, {6.0, 6.0}, true}}; /* a plane has 28 within 8 A, whatever its vacuum */
    for (size_t k = 0; k < sizeof c / sizeof *c; k++) {
        mlk_frame fr = lattice(c[k].a, 4, c[k].slab);
        const mlk_frame *one = &fr;
        mlk_nep_hyper h;
        cr_assert_eq(mlk_opt_defaults(mlk_potential_nep.hyper, &h, NULL), MLK_OK);
        cr_assert_eq(h.cutoff.n, 0);
        cr_assert_eq(mlk_potential_nep.suggest(&h, 1, &one, NULL), MLK_OK);
        cr_assert_eq(h.cutoff.n, 2);
        cr_expect(h.cutoff.v[0] >= c[k].radial[0] && h.cutoff.v[0] <= c[k].radial[1], "%zu: %g", k,
                  h.cutoff.v[0]);
        cr_expect(h.cutoff.v[1] >= c[k].angular[0] && h.cutoff.v[1] <= c[k].angular[1], "%zu: %g",
                  k, h.cutoff.v[1]);
        double given[2] = {5.5, 4.5};
        memcpy(h.cutoff.v, given, sizeof given);
        cr_assert_eq(mlk_potential_nep.suggest(&h, 1, &one, NULL), MLK_OK);
        cr_expect(h.cutoff.v[0] == 5.5 && h.cutoff.v[1] == 4.5); /* what was given stays */
        mlk_frame_free(&fr);
    }
}
