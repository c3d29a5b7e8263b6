/* test_potential.c - rules that every registered potential obeys (docs/THEORY.md section 1): loops
 * over the registry, so a new model is tested by being registered. */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cpu.h"
#include "core/rng.h"
#include "core/threads.h"
#include "potentials/potential.h"
#include "tests/support/check.h"
#include "tests/support/rattle.h"

static const int species[3] = {3, 15, 16};

/* A potential of this type with seeded parameters of a size that makes energies of order 1 eV. */
static mlk_potential *make(const mlk_potential_type *t)
{
    mlk_err e = {0};
    mlk_potential *pot;
    mlk_check_ok(mlk_potential_new(&pot, t, &e), e);
    mlk_check_ok(mlk_potential_create(pot, 3, species, 7, &e), e);
    if (!strcmp(t->name, "lj")) return pot;
    /* so that no term hides: every parameter random, scaled to its initial size or 0.1 */
    mlk_rng g = mlk_rng_make(11, 3);
    for (size_t k = 0; k < pot->n_param; k++) {
        double scale = fabs(pot->param[k]) > 1e-3 ? fabs(pot->param[k]) : 0.05;
        pot->param[k] += 0.3 * scale * mlk_rng_normal(&g);
    }
    if (t->update) mlk_check_ok(t->update(pot, &e), e);
    return pot;
}

typedef struct bench {
    mlk_neigh nl;
    mlk_eval ev;
} bench;

static double energy(const mlk_potential *pot, const mlk_frame *fr, unsigned want, bench *b)
{
    mlk_err e = {0};
    mlk_check_ok(mlk_potential_eval_frame(pot, fr, want, &b->nl, &b->ev, &e), e);
    return b->ev.U;
}

static void bench_free(bench *b)
{
    mlk_neigh_free(&b->nl);
    mlk_eval_free(&b->ev);
}

static void structure(size_t n, double edge, mlk_frame *fr)
{
    mlk_err e = {0};
    mlk_check_ok(mlk_test_crystal(n, 3, species, edge, 1.9, 5, fr, &e), e);
}

static double force_scale(const mlk_eval *ev)
{
    double m = 1e-3;
    for (size_t i = 0; i < ev->n; i++)
        for (int c = 0; c < 3; c++) m = fmax(m, fabs(ev->f[i][c]));
    return m;
}

#define EACH(t) for (const mlk_potential_type *const *tp = mlk_potential_types, *t; (t = *tp); tp++)

/* Central difference of fourth order. The steps below are small because cosine cutoffs jump in
 * their second derivative: a pair within two steps of the cutoff spoils the difference, not the
 * force. */
#define DIFF4(fm2, fm1, fp1, fp2, h) (((fm2) - (fp2) + 8 * ((fp1) - (fm1))) / (12 * (h)))

Test(potential, forces_are_minus_the_gradient_of_the_energy)
{
    EACH(t)
    {
        mlk_potential *pot = make(t);
        mlk_frame fr;
        structure(24, 9.0, &fr);
        bench b = {0}, q = {0};
        energy(pot, &fr, 0, &b);
        double scale = force_scale(&b.ev), worst = 0, h = 2e-4;
        for (size_t i = 0; i < fr.n; i += 5)
            for (int c = 0; c < 3; c++) {
                double x0 = fr.x[i][c], v[4];
                const double d[4] = {-2, -1, 1, 2};
                for (int k = 0; k < 4; k++) {
                    fr.x[i][c] = x0 + d[k] * h;
                    v[k] = energy(pot, &fr, 0, &q);
                }
                fr.x[i][c] = x0;
                worst = fmax(worst, fabs(b.ev.f[i][c] + DIFF4(v[0], v[1], v[2], v[3], h)));
            }
        cr_assert(worst < 1e-6 * scale, "%s: worst force error %.3g, scale %.3g", t->name, worst,
                  scale);
        bench_free(&b), bench_free(&q);
        mlk_frame_free(&fr);
        mlk_potential_destroy(pot);
    }
}

Test(potential, virial_is_minus_the_strain_derivative)
{
    EACH(t)
    {
        mlk_potential *pot = make(t);
        mlk_frame fr;
        structure(24, 9.0, &fr);
        bench b = {0}, q = {0};
        energy(pot, &fr, MLK_WANT_W, &b);
        double scale = 1e-3, worst = 0, h = 4e-5, total[3][3];
        memcpy(total, b.ev.W, sizeof total);
        energy(pot, &fr, MLK_WANT_VIRIAL, &b);
        for (int k = 0; k < 9; k++) {
            scale = fmax(scale, fabs(total[k / 3][k % 3]));
            mlk_check_close(b.ev.W[k / 3][k % 3], total[k / 3][k % 3], 1e-10 * (1 + scale));
        }
        for (int a = 0; a < 3; a++)
            for (int c = 0; c < 3; c++) {
                double v[4];
                const double d[4] = {-2, -1, 1, 2};
                for (int k = 0; k < 4; k++) {
                    mlk_frame s;
                    mlk_err e = {0};
                    mlk_check_ok(mlk_frame_copy(&fr, &s, &e), e);
                    double cell[3][3];
                    for (int r = 0; r < 3; r++)
                        for (int m = 0; m < 3; m++)
                            cell[r][m] =
                                fr.cell.h[r][m] + (m == a ? d[k] * h * fr.cell.h[r][c] : 0);
                    for (size_t i = 0; i < fr.n; i++) s.x[i][a] += d[k] * h * fr.x[i][c];
                    mlk_check_ok(mlk_cell_init(&s.cell, (const double(*)[3])cell, &e), e);
                    v[k] = energy(pot, &s, 0, &q);
                    mlk_frame_free(&s);
                }
                worst = fmax(worst, fabs(total[a][c] + DIFF4(v[0], v[1], v[2], v[3], h)));
            }
        cr_assert(worst < 1e-6 * scale, "%s: worst virial error %.3g, scale %.3g", t->name, worst,
                  scale);
        bench_free(&b), bench_free(&q);
        mlk_frame_free(&fr);
        mlk_potential_destroy(pot);
    }
}

Test(potential, atomic_virial_is_position_times_gradient_of_other_site_energies)
{
    EACH(t)
    {
        mlk_potential *pot = make(t);
        mlk_frame fr;
        structure(20, 30.0, &fr); /* a cluster in a large cell: every r_ij has one image */
        mlk_err e = {0};
        mlk_frame_free(&fr);
        mlk_check_ok(mlk_test_crystal(20, 3, species, 8.0, 1.9, 9, &fr, &e), e);
        for (int k = 0; k < 3; k++) fr.cell.pbc[k] = false;
        bench b = {0}, q = {0};
        energy(pot, &fr, MLK_WANT_W, &b);
        double h = 2e-3, worst = 0, scale = 1e-3;
        size_t i = 3;
        for (int c = 0; c < 3; c++) {
            double x0 = fr.x[i][c], du[20] = {0};
            const double d[4] = {-2, -1, 1, 2}, w[4] = {1, -8, 8, -1};
            for (int k = 0; k < 4; k++) {
                fr.x[i][c] = x0 + d[k] * h;
                energy(pot, &fr, 0, &q);
                for (size_t j = 0; j < fr.n; j++) du[j] += w[k] * q.ev.u[j] / (12 * h);
            }
            fr.x[i][c] = x0;
            for (int a = 0; a < 3; a++) {
                double want = 0;
                for (size_t j = 0; j < fr.n; j++) want += (fr.x[j][a] - fr.x[i][a]) * du[j];
                scale = fmax(scale, fabs(want));
                worst = fmax(worst, fabs(want - b.ev.w[i][3 * a + c]));
            }
        }
        cr_assert(worst < 1e-6 * scale, "%s: worst W_i error %.3g, scale %.3g", t->name, worst,
                  scale);
        bench_free(&b), bench_free(&q);
        mlk_frame_free(&fr);
        mlk_potential_destroy(pot);
    }
}

Test(potential, energy_is_invariant_under_translation_rotation_permutation_recell_and_repetition)
{
    EACH(t)
    {
        mlk_potential *pot = make(t);
        mlk_frame fr, s;
        mlk_err e = {0};
        structure(18, 8.0, &fr);
        bench b = {0}, q = {0};
        double u = energy(pot, &fr, 0, &b), tol = 1e-10 * fmax(1, fabs(u)) * 10;
        double sum[3] = {0}, scale = force_scale(&b.ev);
        for (size_t i = 0; i < fr.n; i++)
            for (int c = 0; c < 3; c++) sum[c] += b.ev.f[i][c];
        for (int c = 0; c < 3; c++) mlk_check_close(sum[c], 0, 1e-10 * scale * 10);
        /* translation by more than a cell, and atoms moved by lattice vectors */
        mlk_check_ok(mlk_frame_copy(&fr, &s, &e), e);
        for (size_t i = 0; i < s.n; i++)
            for (int c = 0; c < 3; c++) s.x[i][c] += 13.7 - c + (i % 3 == 0 ? fr.cell.h[1][c] : 0);
        mlk_check_close(energy(pot, &s, 0, &q), u, tol);
        mlk_frame_free(&s);
        /* rotation of everything */
        mlk_check_ok(mlk_frame_copy(&fr, &s, &e), e);
        double ca = cos(0.7), sa = sin(0.7), cb = cos(-1.1), sb = sin(-1.1);
        const double R[3][3] = {{ca, -sa * cb, sa * sb}, {sa, ca * cb, -ca * sb}, {0, sb, cb}};
        double cell[3][3];
        for (int r = 0; r < 3; r++)
            for (int c = 0; c < 3; c++) {
                cell[r][c] = 0;
                for (int k = 0; k < 3; k++) cell[r][c] += R[c][k] * fr.cell.h[r][k];
            }
        for (size_t i = 0; i < s.n; i++)
            for (int c = 0; c < 3; c++) {
                s.x[i][c] = 0;
                for (int k = 0; k < 3; k++) s.x[i][c] += R[c][k] * fr.x[i][k];
            }
        mlk_check_ok(mlk_cell_init(&s.cell, (const double(*)[3])cell, &e), e);
        mlk_check_close(energy(pot, &s, 0, &q), u, tol);
        for (size_t i = 0; i < s.n; i++)
            for (int c = 0; c < 3; c++) {
                double f = 0;
                for (int k = 0; k < 3; k++) f += R[c][k] * b.ev.f[i][k];
                mlk_check_close(q.ev.f[i][c], f, 1e-9 * scale);
            }
        mlk_frame_free(&s);
        /* permutation: atoms in reverse order */
        mlk_check_ok(mlk_frame_copy(&fr, &s, &e), e);
        for (size_t i = 0; i < s.n; i++) {
            s.z[i] = fr.z[s.n - 1 - i];
            memcpy(s.x[i], fr.x[s.n - 1 - i], sizeof s.x[i]);
        }
        mlk_check_close(energy(pot, &s, 0, &q), u, tol);
        mlk_frame_free(&s);
        /* another cell of the same lattice: b += a, c -= b */
        mlk_check_ok(mlk_frame_copy(&fr, &s, &e), e);
        memcpy(cell, fr.cell.h, sizeof cell);
        for (int c = 0; c < 3; c++) cell[1][c] += cell[0][c], cell[2][c] -= cell[1][c];
        mlk_check_ok(mlk_cell_init(&s.cell, (const double(*)[3])cell, &e), e);
        mlk_check_close(energy(pot, &s, 0, &q), u, tol);
        mlk_frame_free(&s);
        /* 2 x 1 x 2 cells have four times the energy */
        mlk_check_ok(mlk_frame_repeat(&fr, (const int[3]){2, 1, 2}, &s, &e), e);
        mlk_check_close(energy(pot, &s, 0, &q), 4 * u, 4 * tol);
        mlk_frame_free(&s);
        bench_free(&b), bench_free(&q);
        mlk_frame_free(&fr);
        mlk_potential_destroy(pot);
    }
}

Test(potential, energy_and_force_are_smooth_where_a_neighbour_crosses_the_cutoff)
{
    EACH(t)
    {
        mlk_potential *pot = make(t);
        mlk_frame fr;
        mlk_err e = {0};
        const double h[3][3] = {{60, 0, 0}, {0, 60, 0}, {0, 0, 60}};
        mlk_check_ok(mlk_frame_init(&fr, 3, &e), e);
        mlk_check_ok(mlk_cell_init(&fr.cell, h, &e), e);
        for (int i = 0; i < 3; i++) fr.z[i] = species[i];
        fr.x[1][0] = 2.2, fr.x[2][1] = 2.4;
        bench b = {0};
        /* every distance at which some cutoff may lie: no jump over 1e-5 A in energy or force */
        double last_u = 0, last_f = 0, step = 1e-5;
        double worst_u = 0, worst_f = 0;
        for (double r0 = 2.6; r0 < pot->rc + 0.3; r0 += 0.01) {
            double centre = floor(r0 * 100 + 0.5) / 100;
            for (int k = 0; k < 2; k++) {
                fr.x[2][0] = 0, fr.x[2][1] = centre + (k ? 0.5 : -0.5) * step;
                double u = energy(pot, &fr, 0, &b), f = b.ev.f[2][1];
                if (k) {
                    worst_u = fmax(worst_u, fabs(u - last_u + 0.5 * (f + last_f) * step));
                    worst_f = fmax(worst_f, fabs(f - last_f));
                }
                last_u = u, last_f = f;
            }
        }
        cr_assert(worst_u < 1e-8, "%s: energy jumps by %.3g", t->name, worst_u);
        cr_assert(worst_f < 1e-2, "%s: force jumps by %.3g over %g A", t->name, worst_f, step);
        bench_free(&b);
        mlk_frame_free(&fr);
        mlk_potential_destroy(pot);
    }
}

/* The two ways to forces at moved positions are the same, and the list knows them afterwards. */
Test(potential, moved_atoms_are_an_updated_list)
{
    EACH(t)
    {
        mlk_potential *pot = make(t);
        mlk_frame fr;
        structure(40, 9, &fr);
        mlk_neigh a = {0}, b = {.no_rev = true};
        mlk_eval ea = {0}, eb = {0};
        mlk_err e = {0};
        int type[40];
        const double(*x)[3] = (const double(*)[3])fr.x;
        double rc = pot->rc + 0.6;
        mlk_check_ok(mlk_potential_types_of(pot, &fr, type, &e), e);
        mlk_check_ok(mlk_neigh_build(&fr.cell, fr.n, x, rc, &a, &e), e);
        mlk_check_ok(mlk_neigh_build(&fr.cell, fr.n, x, rc, &b, &e), e);
        for (size_t i = 0; i < fr.n; i++) fr.x[i][i % 3] += 0.2 - 0.01 * (double)i;
        mlk_neigh_update(&a, &fr.cell, x);
        for (unsigned want = 0; want <= MLK_WANT_W; want += MLK_WANT_W) {
            mlk_check_ok(mlk_potential_eval(pot, &a, type, want, &ea, &e), e);
            mlk_check_ok(mlk_potential_eval_moved(pot, &b, &fr.cell, x, type, want, &eb, &e), e);
            cr_assert(ea.U == eb.U && !memcmp(ea.f, eb.f, fr.n * sizeof *ea.f));
            if (want) cr_assert(!memcmp(ea.w, eb.w, fr.n * sizeof *ea.w));
        }
        for (int c = 0; c < 3; c++) cr_assert(!memcmp(a.r[c], b.r[c], a.np * sizeof(double)));
        mlk_eval_free(&ea), mlk_eval_free(&eb);
        mlk_neigh_free(&a), mlk_neigh_free(&b);
        mlk_frame_free(&fr);
        mlk_potential_destroy(pot);
    }
}

Test(potential, simd_variants_agree_and_threads_do_not_change_a_bit)
{
    EACH(t)
    {
        mlk_potential *pot = make(t);
        mlk_frame fr;
        structure(90, 14.0, &fr);
        bench ref = {0}, b = {0};
        int best = mlk_cpu_set_level(MLK_SIMD_AVX512);
        mlk_cpu_set_level(MLK_SIMD_SCALAR);
        energy(pot, &fr, MLK_WANT_W, &ref);
        double scale = force_scale(&ref.ev);
        for (int level = 1; level <= best; level++) {
            mlk_cpu_set_level(level);
            energy(pot, &fr, MLK_WANT_W, &b);
            for (size_t i = 0; i < fr.n; i++) {
                mlk_check_close(b.ev.u[i], ref.ev.u[i], 1e-12 * fmax(1, fabs(ref.ev.u[i])) * 10);
                for (int c = 0; c < 3; c++)
                    mlk_check_close(b.ev.f[i][c], ref.ev.f[i][c], 1e-12 * scale * 10);
            }
        }
        mlk_threads_init(1);
        energy(pot, &fr, MLK_WANT_W, &ref);
        mlk_threads_init(4);
        energy(pot, &fr, MLK_WANT_W, &b);
        cr_assert(!memcmp(b.ev.u, ref.ev.u, fr.n * sizeof *b.ev.u), "%s: energies", t->name);
        cr_assert(!memcmp(b.ev.f, ref.ev.f, fr.n * sizeof *b.ev.f), "%s: forces", t->name);
        cr_assert(!memcmp(b.ev.w, ref.ev.w, fr.n * sizeof *b.ev.w), "%s: virials", t->name);
        bench_free(&b), bench_free(&ref);
        mlk_frame_free(&fr);
        mlk_potential_destroy(pot);
    }
}

Test(potential, written_and_read_back_gives_the_same_numbers)
{
    char dir[] = "/tmp/mlk-test-XXXXXX";
    cr_assert(mkdtemp(dir) != NULL);
    EACH(t)
    {
        mlk_potential *pot = make(t), *p1, *p2;
        mlk_err e = {0};
        char d1[200], d2[200];
        snprintf(d1, sizeof d1, "%s/%s1", dir, t->name);
        snprintf(d2, sizeof d2, "%s/%s2", dir, t->name);
        pot->e0[1] = -3.25;
        mlk_check_ok(mlk_potential_write(pot, d1, NULL, &e), e);
        mlk_check_ok(mlk_potential_read(&p1, d1, &e), e);
        mlk_check_ok(mlk_potential_write(p1, d2, NULL, &e), e);
        mlk_check_ok(mlk_potential_read(&p2, d2, &e), e);
        mlk_frame fr;
        structure(24, 9.0, &fr);
        bench b0 = {0}, b1 = {0}, b2 = {0};
        energy(pot, &fr, 0, &b0), energy(p1, &fr, 0, &b1), energy(p2, &fr, 0, &b2);
        double scale = force_scale(&b0.ev);
        cr_assert(p1->e0[1] == -3.25, "%s: e0", t->name);
        for (size_t i = 0; i < fr.n; i++)
            for (int c = 0; c < 3; c++) mlk_check_close(b1.ev.f[i][c], b0.ev.f[i][c], 1e-6 * scale);
        cr_assert(!memcmp(b1.ev.f, b2.ev.f, fr.n * sizeof *b1.ev.f), "%s: second round trip",
                  t->name);
        bench_free(&b0), bench_free(&b1), bench_free(&b2);
        mlk_frame_free(&fr);
        mlk_potential_destroy(pot), mlk_potential_destroy(p1), mlk_potential_destroy(p2);
    }
    char cmd[64];
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    cr_assert(system(cmd) == 0);
}

Test(potential, parameter_gradient_matches_differences)
{
    EACH(t)
    {
        if (!(t->caps & MLK_CAP_VJP)) continue;
        mlk_potential *pot = make(t);
        mlk_frame fr;
        structure(12, 7.5, &fr);
        bench b = {0};
        energy(pot, &fr, 0, &b);
        size_t np = b.nl.np;
        double *ubar = mlk_alloc(fr.n, sizeof *ubar), *pbar[3];
        double *u = mlk_alloc(fr.n, sizeof *u), *p[3];
        double *g = mlk_alloc(pot->n_param, sizeof *g);
        int *type = mlk_alloc(fr.n, sizeof *type);
        mlk_err e = {0};
        mlk_rng r = mlk_rng_make(3, 3);
        for (size_t i = 0; i < fr.n; i++) ubar[i] = mlk_rng_normal(&r);
        for (int c = 0; c < 3; c++) {
            p[c] = mlk_alloc(np, sizeof(double));
            pbar[c] = mlk_alloc(np, sizeof(double));
            for (size_t k = 0; k < np; k++) pbar[c][k] = mlk_rng_normal(&r);
        }
        mlk_check_ok(mlk_potential_types_of(pot, &fr, type, &e), e);
        mlk_scratch s = {0};
        mlk_check_ok(t->vjp(pot, &b.nl, type, 0, fr.n, ubar, pbar, &s, g, &e), e);
        double scale = 0;
        for (size_t m = 0; m < pot->n_param; m++) scale = fmax(scale, fabs(g[m]));
        for (size_t m = 0; m < pot->n_param; m += 1 + pot->n_param / 120) {
            double p0 = pot->param[m], h = 1e-3 * fmax(fabs(p0), 0.02), v[4];
            const double d[4] = {-2, -1, 1, 2};
            for (int k = 0; k < 4; k++) {
                pot->param[m] = p0 + d[k] * h;
                if (t->update) mlk_check_ok(t->update(pot, &e), e);
                mlk_scratch_reset(&s);
                mlk_check_ok(t->eval(pot, &b.nl, type, 0, fr.n, &s, u, p, &e), e);
                v[k] = 0;
                for (size_t i = 0; i < fr.n; i++) v[k] += ubar[i] * u[i];
                for (int c = 0; c < 3; c++)
                    for (size_t q = 0; q < np; q++) v[k] += pbar[c][q] * p[c][q];
            }
            pot->param[m] = p0;
            double fd = DIFF4(v[0], v[1], v[2], v[3], h);
            cr_assert(fabs(fd - g[m]) < 1e-6 * scale,
                      "%s: parameter %zu: vjp %.9g, differences %.9g", t->name, m, g[m], fd);
        }
        mlk_free(ubar), mlk_free(u), mlk_free(g), mlk_free(type);
        for (int c = 0; c < 3; c++) mlk_free(p[c]), mlk_free(pbar[c]);
        mlk_scratch_free(&s);
        bench_free(&b);
        mlk_frame_free(&fr);
        mlk_potential_destroy(pot);
    }
}
