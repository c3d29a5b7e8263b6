/* test_lsq.c - least squares recovers a known SNAP from its own energies, forces and virials. */
#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/rng.h"
#include "core/threads.h"
#include "train/lsq.h"

static const int species[2] = {3, 16};

static mlk_potential *make(const char *quadratic, uint64_t seed, const char *type)
{
    mlk_potential *pot;
    mlk_err e = {0};
    const mlk_potential_type *t = mlk_potential_find(type);
    cr_assert_eq(mlk_potential_new(&pot, t, &e), MLK_OK);
    if (!strcmp(type, "snap")) {
        cr_assert_eq(mlk_opt_set(t->hyper, pot->hyper, "twojmax", "4", &e), MLK_OK);
        cr_assert_eq(mlk_opt_set(t->hyper, pot->hyper, "rcut", "4", &e), MLK_OK);
        cr_assert_eq(mlk_opt_set(t->hyper, pot->hyper, "quadratic", quadratic, &e), MLK_OK);
    }
    cr_assert_eq(mlk_potential_create(pot, 2, species, seed, &e), MLK_OK, "%s", e.msg);
    return pot;
}

/* n rattled cells of 8 atoms labelled by pot (and its ZBL and e0); every fourth is for validation;
 * some labels are missing */
static mlk_dataset make_set(const mlk_potential *pot, size_t n)
{
    mlk_dataset ds = {0};
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    mlk_err e = {0};
    mlk_rng g = mlk_rng_make(11, 2);
    ds.frame = mlk_alloc(n, sizeof *ds.frame);
    ds.split = mlk_alloc(n, sizeof *ds.split);
    ds.cap = ds.cap_split = ds.n = n;
    ds.n_species = 2;
    memcpy(ds.z, species, sizeof species);
    for (size_t k = 0; k < n; k++) {
        mlk_frame *fr = &ds.frame[k];
        cr_assert_eq(mlk_frame_init(fr, 8, &e), MLK_OK);
        double a = 4.6 + 0.4 * mlk_rng_uniform(&g);
        double h[3][3] = {{a, 0.1, 0}, {0, a * 1.02, 0}, {0.05, 0, a}};
        cr_assert_eq(mlk_cell_init(&fr->cell, (const double(*)[3])h, &e), MLK_OK);
        for (size_t i = 0; i < 8; i++) {
            for (size_t c = 0; c < 3; c++)
                fr->x[i][c] = 0.5 * a * (double)(i >> c & 1) + 0.2 * mlk_rng_normal(&g);
            fr->z[i] = species[(i + k) % 5 > 1];
        }
        cr_assert_eq(mlk_potential_eval_frame(pot, fr, MLK_WANT_VIRIAL, &nl, &ev, &e), MLK_OK);
        memcpy(fr->f, ev.f, 8 * sizeof *fr->f);
        memcpy(fr->virial, ev.W, sizeof fr->virial);
        fr->energy = ev.U;
        for (size_t i = 0; i < 8; i++) fr->energy += pot->e0[fr->z[i] == 16];
        fr->has = MLK_HAS_CELL | MLK_HAS_ENERGY | (k % 7 ? MLK_HAS_FORCE : 0u) |
                  (k % 3 ? MLK_HAS_VIRIAL : 0u);
        ds.split[k] = k % 4 == 3 ? MLK_SPLIT_VALID : MLK_SPLIT_TRAIN;
    }
    mlk_neigh_free(&nl), mlk_eval_free(&ev);
    return ds;
}

static void free_set(mlk_dataset *ds)
{
    for (size_t k = 0; k < ds->n; k++) mlk_frame_free(&ds->frame[k]);
    mlk_free(ds->frame), mlk_free(ds->split);
}

/* largest force error over the frames, and largest force */
static double force_error(const mlk_potential *pot, const mlk_dataset *ds, double *big)
{
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    double worst = 0;
    *big = 0;
    for (size_t k = 0; k < ds->n; k++) {
        cr_assert_eq(mlk_potential_eval_frame(pot, &ds->frame[k], 0, &nl, &ev, NULL), MLK_OK);
        for (size_t i = 0; i < 8; i++)
            for (int c = 0; c < 3; c++) {
                worst = fmax(worst, fabs(ev.f[i][c] - ds->frame[k].f[i][c]));
                *big = fmax(*big, fabs(ev.f[i][c]));
            }
    }
    mlk_neigh_free(&nl), mlk_eval_free(&ev);
    return worst;
}

Test(lsq, recovers_the_teacher)
{
    const char *const quadratic[2] = {"false", "true"};
    for (int v = 0; v < 2; v++) {
        mlk_potential *teacher = make(quadratic[v], 3, "snap"),
                      *pot = make(quadratic[v], 99, "snap");
        for (int p = 0; p < 2; p++) {
            mlk_potential *m = p ? pot : teacher;
            m->e0[0] = -1.5, m->e0[1] = -7.25;
            m->zbl = (mlk_zbl){.on = true, .inner = 1, .outer = 2};
        }
        mlk_dataset ds = make_set(teacher, 80);
        mlk_lsq_config cfg = MLK_LSQ_DEFAULTS;
        mlk_lsq_result res = {0};
        mlk_err e = {0};
        double big;
        cr_assert_eq(mlk_lsq_fit(pot, &ds, &cfg, &res, &e), MLK_OK, "%s", e.msg);
        double err = force_error(pot, &ds, &big);
        cr_expect_lt(err, 1e-6 * big, "quadratic %d: %g of %g, ridge %g", v, err, big, res.ridge);
        cr_expect_eq(res.n_param, pot->n_param);
        size_t rows = 0;
        for (size_t k = 0; k < ds.n; k++)
            if (ds.split[k] == MLK_SPLIT_TRAIN) rows += 1 + (k % 7 ? 24u : 0u) + (k % 3 ? 6u : 0u);
        cr_expect_eq(res.n_rows, rows);
        cr_expect(res.valid_loss < 1e-8 && res.train_loss < 1e-8);
        free_set(&ds);
        mlk_potential_destroy(pot), mlk_potential_destroy(teacher);
    }
}

/* Components of species that are never neighbours are 1e-16 instead of zero: no coefficient may be
 * fitted to that. */
Test(lsq, columns_of_round_off_are_left_out)
{
    mlk_potential *teacher = make("false", 3, "snap"), *pot;
    mlk_dataset ds = make_set(teacher, 16);
    mlk_lsq_config cfg = MLK_LSQ_DEFAULTS;
    mlk_lsq_result res = {0};
    mlk_err e = {0};
    const mlk_potential_type *t = mlk_potential_find("snap");
    const char *set[][2] = {
        {"twojmax", "2"}, {"rcut", "4"}, {"chem", "true"}, {"radius", "0.1 0.5"}};
    cr_assert_eq(mlk_potential_new(&pot, t, &e), MLK_OK);
    for (int k = 0; k < 4; k++)
        cr_assert_eq(mlk_opt_set(t->hyper, pot->hyper, set[k][0], set[k][1], &e), MLK_OK);
    cr_assert_eq(mlk_potential_create(pot, 2, species, 1, &e), MLK_OK, "%s", e.msg);
    cr_assert_eq(mlk_lsq_fit(pot, &ds, &cfg, &res, &e), MLK_OK, "%s", e.msg);
    for (size_t k = 0; k < pot->n_param; k++) cr_expect_lt(fabs(pot->param[k]), 1e6);
    free_set(&ds);
    mlk_potential_destroy(pot), mlk_potential_destroy(teacher);
}

/* Labels without noise ask for no ridge at all; the lowest one allowed is kept. */
Test(lsq, the_ridge_has_a_floor)
{
    mlk_potential *teacher = make("false", 3, "snap"), *pot = make("false", 99, "snap");
    mlk_dataset ds = make_set(teacher, 24);
    double ridge[2];
    for (int p = 0; p < 2; p++) {
        mlk_lsq_config cfg = MLK_LSQ_DEFAULTS;
        mlk_lsq_result res = {0};
        if (p) cfg.lowest = 1e-4;
        cr_assert_eq(mlk_lsq_fit(pot, &ds, &cfg, &res, NULL), MLK_OK);
        ridge[p] = res.ridge;
    }
    cr_expect_lt(ridge[0], 1e-6, "%g", ridge[0]);
    cr_expect(ridge[1] >= 0.999e-4 && ridge[1] < 1e-2, "%g", ridge[1]);
    free_set(&ds);
    mlk_potential_destroy(pot), mlk_potential_destroy(teacher);
}

Test(lsq, same_bits_with_any_number_of_threads)
{
    mlk_potential *teacher = make("true", 3, "snap"), *pot[2];
    mlk_dataset ds = make_set(teacher, 24);
    mlk_rng g = mlk_rng_make(1, 1);
    for (size_t k = 0; k < ds.n; k++)
        for (size_t i = 0; i < 8; i++) ds.frame[k].f[i][0] += 0.05 * mlk_rng_normal(&g);
    double ridge[2];
    for (int p = 0; p < 2; p++) {
        mlk_threads_init(p + 1);
        pot[p] = make("true", 99, "snap");
        mlk_lsq_config cfg = MLK_LSQ_DEFAULTS;
        mlk_lsq_result res = {0};
        cr_assert_eq(mlk_lsq_fit(pot[p], &ds, &cfg, &res, NULL), MLK_OK);
        ridge[p] = res.ridge;
    }
    cr_expect_eq(ridge[0], ridge[1]);
    cr_expect_eq(memcmp(pot[0]->param, pot[1]->param, pot[0]->n_param * sizeof(double)), 0);
    free_set(&ds);
    mlk_potential_destroy(pot[0]), mlk_potential_destroy(pot[1]), mlk_potential_destroy(teacher);
}

Test(lsq, refuses_what_it_cannot_fit)
{
    mlk_potential *lj = make("", 1, "lj"), *snap = make("false", 1, "snap");
    mlk_dataset ds = make_set(snap, 4);
    mlk_lsq_config cfg = MLK_LSQ_DEFAULTS;
    mlk_lsq_result res;
    mlk_err e = {0};
    cr_expect_eq(mlk_lsq_fit(lj, &ds, &cfg, &res, &e), MLK_EUNSUPPORTED);
    for (size_t k = 0; k < ds.n; k++) ds.split[k] = MLK_SPLIT_VALID;
    e = (mlk_err){0};
    cr_expect_eq(mlk_lsq_fit(snap, &ds, &cfg, &res, &e), MLK_EINVAL);
    for (size_t k = 0; k < ds.n; k++)
        ds.split[k] = MLK_SPLIT_TRAIN; /* no validation: a fixed ridge */
    e = (mlk_err){0};
    cr_expect_eq(mlk_lsq_fit(snap, &ds, &cfg, &res, &e), MLK_OK, "%s", e.msg);
    cr_expect_eq(res.ridge, 1e-8);
    cr_expect(isnan(res.valid_loss));
    free_set(&ds);
    mlk_potential_destroy(lj), mlk_potential_destroy(snap);
}
