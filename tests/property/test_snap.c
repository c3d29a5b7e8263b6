/* test_snap.c - what must hold for SNAP in particular: forces are the gradient for every option and
 * SIMD level, the fitting basis agrees with the kernel, files survive a round trip. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "core/cpu.h"
#include "core/rng.h"
#include "potentials/potential.h"

/* a small triclinic cell with edges below twice the cutoff, random but not too close */
static void random_frame(mlk_frame *fr, size_t n, double edge, const int *z, size_t nz,
                         uint64_t seed)
{
    mlk_err e = {0};
    mlk_rng g = mlk_rng_make(seed, 1);
    cr_assert_eq(mlk_frame_init(fr, n, &e), MLK_OK);
    const double h[3][3] = {{edge, 0, 0}, {0.2, 1.1 * edge, 0}, {-0.3, 0.4, 0.95 * edge}};
    cr_assert_eq(mlk_cell_init(&fr->cell, h, &e), MLK_OK);
    for (size_t i = 0; i < n; i++) {
        fr->z[i] = z[i % nz];
        for (int tries = 0; tries < 10000; tries++) {
            double s[3] = {mlk_rng_uniform(&g), mlk_rng_uniform(&g), mlk_rng_uniform(&g)};
            mlk_cell_cart(&fr->cell, s, fr->x[i]);
            bool ok = true;
            for (size_t k = 0; k < i && ok; k++) {
                double d[3], f[3], r2 = 0;
                for (int c = 0; c < 3; c++) d[c] = fr->x[i][c] - fr->x[k][c];
                mlk_cell_frac(&fr->cell, d, f);
                for (int c = 0; c < 3; c++) f[c] -= round(f[c]);
                mlk_cell_cart(&fr->cell, f, d);
                for (int c = 0; c < 3; c++) r2 += d[c] * d[c];
                ok = r2 > 1.5 * 1.5;
            }
            if (ok) break;
        }
    }
}

typedef struct options {
    const char *twojmax, *quadratic, *chem, *bzero, *bnorm, *wselfall, *sw, *rmin0, *weight,
        *radius;
} options;
static const options variants[] = {
    {"6", "false", "false", "true", "false", "false", "true", "0", "", ""},
    {"5", "false", "false", "false", "true", "false", "true", "0", "1 -0.6 0.3", "0.5 0.45 0.4"},
    {"4", "true", "false", "true", "false", "false", "true", "0.3", "", "0.5 0.3 0.5"},
    {"4", "false", "true", "true", "true", "true", "true", "0", "1 0.7 0.5", ""},
    {"3", "false", "true", "false", "false", "false", "true", "0.4", "1 0.7 0.5", "0.4 0.5 0.45"},
    {"1", "true", "true", "true", "false", "false", "true", "0", "1 1 1", ""},
    {"8", "false", "false", "true", "false", "false", "true", "0", "", ""},
    {"0", "true", "false", "true", "false", "false", "true", "0", "", ""},
    {"10", "false", "false", "true", "true", "false", "true", "0", "", ""},
};
enum { N_VARIANT = sizeof variants / sizeof *variants };

static mlk_potential *make(const options *o)
{
    static const int z[3] = {16, 3, 15};
    mlk_err e = {0};
    mlk_potential *pot = NULL;
    const mlk_potential_type *type = mlk_potential_find("snap");
    cr_assert_eq(mlk_potential_new(&pot, type, &e), MLK_OK);
    const char *set[][2] = {{"twojmax", o->twojmax}, {"quadratic", o->quadratic},
                            {"chem", o->chem},       {"bzero", o->bzero},
                            {"bnorm", o->bnorm},     {"wselfall", o->wselfall},
                            {"switch", o->sw},       {"rmin0", o->rmin0},
                            {"weight", o->weight},   {"radius", o->radius},
                            {"rcut", "4.5"}};
    for (size_t k = 0; k < sizeof set / sizeof *set; k++)
        cr_assert_eq(mlk_opt_set(type->hyper, pot->hyper, set[k][0], set[k][1], &e), MLK_OK, "%s",
                     e.msg);
    cr_assert_eq(mlk_potential_create(pot, 3, z, 7, &e), MLK_OK, "%s", e.msg);
    return pot;
}

static const int species[3] = {3, 15, 16};

Test(snap, forces_and_virial_are_derivatives)
{
    for (int v = 0; v < N_VARIANT; v++) {
        mlk_potential *pot = make(&variants[v]);
        mlk_frame fr = {0};
        mlk_neigh nl = {0};
        mlk_eval ev = {0};
        mlk_err e = {0};
        random_frame(&fr, 13, 6.5, species, 3, 5);
        cr_assert_eq(mlk_potential_eval_frame(pot, &fr, MLK_WANT_W, &nl, &ev, &e), MLK_OK, "%s",
                     e.msg);
        double f[13][3], w[3][3], big = 0, err = 0, sum[3] = {0}, h = 1e-3;
        memcpy(f, ev.f, sizeof f);
        memcpy(w, ev.W, sizeof w);
        for (size_t i = 0; i < fr.n; i++)
            for (int c = 0; c < 3; c++) {
                double x0 = fr.x[i][c], d = 0;
                sum[c] += f[i][c];
                big = fmax(big, fabs(f[i][c]));
                const double step[4] = {-2, -1, 1, 2}, fac[4] = {1, -8, 8, -1};
                for (int q = 0; q < 4; q++) {
                    fr.x[i][c] = x0 + step[q] * h;
                    cr_assert_eq(mlk_potential_eval_frame(pot, &fr, 0, &nl, &ev, &e), MLK_OK);
                    d -= fac[q] * ev.U / (12 * h);
                }
                fr.x[i][c] = x0;
                err = fmax(err, fabs(d - f[i][c]));
            }
        cr_expect_lt(err, 1e-6 * big, "variant %d: force error %g of %g", v, err, big);
        for (int c = 0; c < 3; c++) cr_expect_lt(fabs(sum[c]), 1e-10 * big, "variant %d: sum F", v);
        double werr = 0, wbig = 0;
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++) {
                double d = 0;
                const double step[4] = {-2, -1, 1, 2}, fac[4] = {1, -8, 8, -1};
                for (int q = 0; q < 4; q++) {
                    mlk_frame s = {0};
                    cr_assert_eq(mlk_frame_copy(&fr, &s, &e), MLK_OK);
                    double eps = step[q] * 1e-4, hh[3][3];
                    memcpy(hh, fr.cell.h, sizeof hh);
                    for (int k = 0; k < 3; k++) hh[k][a] += eps * fr.cell.h[k][b];
                    cr_assert_eq(mlk_cell_init(&s.cell, (const double(*)[3])hh, &e), MLK_OK);
                    for (size_t i = 0; i < fr.n; i++) s.x[i][a] += eps * fr.x[i][b];
                    cr_assert_eq(mlk_potential_eval_frame(pot, &s, 0, &nl, &ev, &e), MLK_OK);
                    d -= fac[q] * ev.U / (12e-4);
                    mlk_frame_free(&s);
                }
                werr = fmax(werr, fabs(d - w[a][b]));
                wbig = fmax(wbig, fabs(w[a][b]));
            }
        cr_expect_lt(werr, 1e-6 * wbig, "variant %d: virial error %g of %g", v, werr, wbig);
        mlk_frame_free(&fr), mlk_neigh_free(&nl), mlk_eval_free(&ev);
        mlk_potential_destroy(pot);
    }
}

Test(snap, simd_levels_agree)
{
    for (int v = 0; v < N_VARIANT; v++) {
        mlk_potential *pot = make(&variants[v]);
        mlk_frame fr = {0};
        mlk_neigh nl = {0};
        mlk_eval ev[3] = {{0}, {0}, {0}};
        mlk_err e = {0};
        random_frame(&fr, 29, 8, species, 3, 9);
        for (int level = 0; level < 3; level++) {
            mlk_cpu_set_level(level);
            cr_assert_eq(mlk_potential_eval_frame(pot, &fr, MLK_WANT_W, &nl, &ev[level], &e),
                         MLK_OK);
        }
        double err = 0, big = 0, uerr = 0, ubig = 0;
        for (size_t i = 0; i < fr.n; i++)
            for (int level = 1; level < 3; level++) {
                uerr = fmax(uerr, fabs(ev[level].u[i] - ev[0].u[i]));
                ubig = fmax(ubig, fabs(ev[0].u[i]));
                for (int c = 0; c < 3; c++) {
                    err = fmax(err, fabs(ev[level].f[i][c] - ev[0].f[i][c]));
                    big = fmax(big, fabs(ev[0].f[i][c]));
                }
            }
        cr_expect_lt(err, 1e-12 * big, "variant %d: forces %g of %g", v, err, big);
        cr_expect_lt(uerr, 1e-12 * ubig, "variant %d: energies %g of %g", v, uerr, ubig);
        for (int level = 0; level < 3; level++) mlk_eval_free(&ev[level]);
        mlk_frame_free(&fr), mlk_neigh_free(&nl);
        mlk_potential_destroy(pot);
    }
}

Test(snap, basis_agrees_with_kernel)
{
    for (int v = 0; v < N_VARIANT; v++) {
        mlk_potential *pot = make(&variants[v]);
        mlk_frame fr = {0};
        mlk_neigh nl = {0};
        mlk_eval ev = {0};
        mlk_scratch s = {0};
        mlk_err e = {0};
        random_frame(&fr, 13, 6.5, species, 3, 3);
        cr_assert_eq(mlk_potential_eval_frame(pot, &fr, 0, &nl, &ev, &e), MLK_OK);
        int type[13];
        cr_assert_eq(mlk_potential_types_of(pot, &fr, type, &e), MLK_OK);
        double uerr = 0, ubig = 0, perr = 0, pbig = 0, *ep[3];
        for (int c = 0; c < 3; c++) ep[c] = mlk_alloc(nl.np, sizeof(double));
        cr_assert_eq(pot->type->eval(pot, &nl, type, 0, fr.n, &s, ev.u, ep, &e), MLK_OK);
        for (size_t i = 0; i < fr.n; i++) {
            size_t first, nb, m = nl.start[i + 1] - nl.start[i];
            mlk_scratch_reset(&s);
            pot->type->basis(pot, &nl, type, i, &s, &first, &nb, NULL, NULL, &e);
            double *b = mlk_alloc(nb, sizeof *b), *db[3], u = 0;
            for (int c = 0; c < 3; c++) db[c] = mlk_alloc(nb * m, sizeof(double));
            cr_assert_eq(pot->type->basis(pot, &nl, type, i, &s, &first, &nb, b, db, &e), MLK_OK);
            for (size_t k = 0; k < nb; k++) u += pot->param[first + k] * b[k];
            uerr = fmax(uerr, fabs(u - ev.u[i]));
            ubig = fmax(ubig, fabs(ev.u[i]));
            for (int c = 0; c < 3; c++)
                for (size_t q = 0; q < m; q++) {
                    double p = 0;
                    for (size_t k = 0; k < nb; k++) p += pot->param[first + k] * db[c][k * m + q];
                    perr = fmax(perr, fabs(p - ep[c][nl.start[i] + q]));
                    pbig = fmax(pbig, fabs(p));
                }
            mlk_free(b);
            for (int c = 0; c < 3; c++) mlk_free(db[c]);
        }
        cr_expect_lt(uerr, 1e-11 * ubig, "variant %d: u %g of %g", v, uerr, ubig);
        cr_expect_lt(perr, 1e-11 * pbig, "variant %d: p %g of %g", v, perr, pbig);
        for (int c = 0; c < 3; c++) mlk_free(ep[c]);
        mlk_frame_free(&fr), mlk_neigh_free(&nl), mlk_eval_free(&ev), mlk_scratch_free(&s);
        mlk_potential_destroy(pot);
    }
}

Test(snap, smooth_at_the_cutoff)
{
    mlk_potential *pot = make(&variants[0]);
    mlk_frame fr = {0};
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    mlk_err e = {0};
    random_frame(&fr, 3, 20, species, 3, 3);
    double u[2], f[2];
    for (int side = 0; side < 2; side++) {
        for (int c = 0; c < 3; c++) fr.x[0][c] = 1, fr.x[1][c] = c ? 1 : 3, fr.x[2][c] = c ? 1 : 0;
        fr.x[2][1] = 1 + pot->rc + (side ? 1e-7 : -1e-7);
        fr.x[2][0] = 1;
        cr_assert_eq(mlk_potential_eval_frame(pot, &fr, 0, &nl, &ev, &e), MLK_OK);
        u[side] = ev.U, f[side] = ev.f[2][1];
    }
    cr_expect_lt(fabs(u[0] - u[1]), 1e-12);
    cr_expect_lt(fabs(f[0] - f[1]), 1e-8);
    mlk_frame_free(&fr), mlk_neigh_free(&nl), mlk_eval_free(&ev);
    mlk_potential_destroy(pot);
}

Test(snap, steady_evaluation_allocates_nothing)
{
    mlk_potential *pot = make(&variants[2]);
    mlk_frame fr = {0};
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    mlk_err e = {0};
    int type[40];
    random_frame(&fr, 40, 9, species, 3, 3);
    cr_assert_eq(mlk_potential_types_of(pot, &fr, type, &e), MLK_OK);
    cr_assert_eq(mlk_neigh_build(&fr.cell, fr.n, (const double(*)[3])fr.x, pot->rc, &nl, &e),
                 MLK_OK);
    for (int k = 0; k < 6; k++)
        cr_assert_eq(mlk_potential_eval(pot, &nl, type, 0, &ev, &e), MLK_OK);
    size_t before = mlk_alloc_count();
    for (int k = 0; k < 3; k++)
        cr_assert_eq(mlk_potential_eval(pot, &nl, type, 0, &ev, &e), MLK_OK);
    cr_expect_leq(mlk_alloc_count() - before, 2); /* a thread may meet its largest chunk late */
    mlk_frame_free(&fr), mlk_neigh_free(&nl), mlk_eval_free(&ev);
    mlk_potential_destroy(pot);
}

Test(snap, file_round_trip)
{
    char dir[] = "/tmp/mlk-snap-XXXXXX", path[64];
    cr_assert_not_null(mkdtemp(dir));
    for (int v = 0; v < N_VARIANT; v++) {
        mlk_potential *pot = make(&variants[v]), *back = NULL;
        mlk_err e = {0};
        mlk_frame fr = {0};
        mlk_neigh nl = {0};
        mlk_eval a = {0}, b = {0};
        random_frame(&fr, 13, 6.5, species, 3, 3);
        /* the core is in model.yaml only */
        if (v) pot->zbl = (mlk_zbl){.on = true, .inner = 1, .outer = 3};
        if (v > 1) pot->zbl.typewise = true, pot->zbl.typewise_factor = 0.6;
        snprintf(path, sizeof path, "%s/m%d", dir, v);
        cr_assert_eq(mlk_potential_write(pot, path, NULL, &e), MLK_OK, "%s", e.msg);
        cr_assert_eq(mlk_potential_read(&back, path, &e), MLK_OK, "%s", e.msg);
        cr_expect_eq(memcmp(back->param, pot->param, pot->n_param * sizeof(double)), 0);
        cr_assert_eq(mlk_potential_eval_frame(pot, &fr, MLK_WANT_W, &nl, &a, &e), MLK_OK);
        cr_assert_eq(mlk_potential_eval_frame(back, &fr, MLK_WANT_W, &nl, &b, &e), MLK_OK);
        cr_expect_eq(a.U, b.U, "variant %d: %.17g %.17g", v, a.U, b.U);
        cr_expect_eq(memcmp(a.f, b.f, fr.n * sizeof *a.f), 0, "variant %d", v);
        mlk_eval_free(&a), mlk_eval_free(&b), mlk_frame_free(&fr), mlk_neigh_free(&nl);
        mlk_potential_destroy(pot), mlk_potential_destroy(back);
    }
}
