/* tiny_nep.c - see tiny_nep.h. */
#include "tests/support/tiny_nep.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/rng.h"

mlk_potential *tiny_nep(uint64_t seed)
{
    static const char *const hyper[][2] = {
        {"cutoff", "4,3"}, {"n_max", "2,1"}, {"basis", "3,3"}, {"l_max", "2,0,0"}, {"neuron", "4"}};
    static const int z[3] = {3, 15, 16};
    mlk_potential *pot;
    cr_assert_eq(mlk_potential_new(&pot, mlk_potential_find("nep"), NULL), MLK_OK);
    for (size_t k = 0; k < sizeof hyper / sizeof *hyper; k++)
        cr_assert_eq(mlk_opt_set(pot->type->hyper, pot->hyper, hyper[k][0], hyper[k][1], NULL),
                     MLK_OK);
    cr_assert_eq(mlk_potential_create(pot, 3, z, seed, NULL), MLK_OK);
    return pot;
}

static void label(mlk_frame *fr, const mlk_potential *pot, double shift)
{
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    cr_assert_eq(mlk_potential_eval_frame(pot, fr, MLK_WANT_VIRIAL, &nl, &ev, NULL), MLK_OK);
    memcpy(fr->f, ev.f, fr->n * sizeof *fr->f);
    memcpy(fr->virial, ev.W, sizeof fr->virial);
    fr->energy = ev.U;
    for (size_t i = 0; i < fr->n; i++) fr->energy += fr->z[i] == 3 ? shift : 2 * shift;
    fr->has = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VIRIAL;
    mlk_neigh_free(&nl);
    mlk_eval_free(&ev);
}

mlk_dataset tiny_set(size_t n, uint64_t seed, double shift)
{
    mlk_dataset ds = {0};
    mlk_potential *pot = tiny_nep(seed);
    mlk_rng g = mlk_rng_make(7, 1);
    ds.frame = mlk_alloc(n, sizeof *ds.frame);
    ds.split = mlk_alloc(n, sizeof *ds.split);
    ds.cap = ds.cap_split = ds.n = n;
    ds.n_species = 2;
    ds.z[0] = 3, ds.z[1] = 16;
    for (size_t k = 0; k < n; k++) {
        mlk_frame *fr = &ds.frame[k];
        cr_assert_eq(mlk_frame_init(fr, 8, NULL), MLK_OK);
        double a = 5.0 + 0.3 * mlk_rng_uniform(&g);
        double h[3][3] = {{a, 0.1, 0}, {0, a * 1.02, 0}, {0.05, 0, a}};
        cr_assert_eq(mlk_cell_init(&fr->cell, (const double(*)[3])h, NULL), MLK_OK);
        for (size_t i = 0; i < 8; i++) {
            for (size_t c = 0; c < 3; c++)
                fr->x[i][c] = 0.5 * a * (double)(i >> c & 1) + 0.15 * mlk_rng_normal(&g);
            fr->z[i] = i < 3 + k % 3 ? 3 : 16;
        }
        label(fr, pot, shift);
        snprintf(fr->group, sizeof fr->group, "g%zu", k / 4);
        ds.split[k] = k % 5 == 4 ? MLK_SPLIT_VALID : MLK_SPLIT_TRAIN;
    }
    mlk_potential_destroy(pot);
    return ds;
}

void tiny_free(mlk_dataset *ds)
{
    for (size_t k = 0; k < ds->n; k++) mlk_frame_free(&ds->frame[k]);
    mlk_free(ds->frame), mlk_free(ds->split);
    memset(ds, 0, sizeof *ds);
}
