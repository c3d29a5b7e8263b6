/* ljset.c - see ljset.h. */
#include "tests/support/ljset.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/rng.h"

const int ljset_z[2] = {3, 16};
const double ljset_true[4] = {0.02, 2.3, 0.05, 2.7};
const double ljset_e0[2] = {-1.5, -7.25};

mlk_potential *ljset_model(const double *param)
{
    mlk_potential *pot;
    cr_assert_eq(mlk_potential_new(&pot, mlk_potential_find("lj"), NULL), MLK_OK);
    cr_assert_eq(mlk_potential_create(pot, 2, ljset_z, 1, NULL), MLK_OK);
    memcpy(pot->param, param, 4 * sizeof *param);
    return pot;
}

/* n frames of a rattled rock-salt cell labelled by the true model; mixed: also other compositions
 */
mlk_dataset ljset_make(size_t n, bool mixed)
{
    mlk_dataset ds = {0};
    mlk_potential *pot = ljset_model(ljset_true);
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    mlk_rng g = mlk_rng_make(7, 1);
    ds.frame = mlk_alloc(n, sizeof *ds.frame);
    ds.split = mlk_alloc(n, sizeof *ds.split);
    ds.cap = ds.cap_split = ds.n = n;
    ds.n_species = 2;
    memcpy(ds.z, ljset_z, sizeof ljset_z);
    for (size_t k = 0; k < n; k++) {
        mlk_frame *fr = &ds.frame[k];
        cr_assert_eq(mlk_frame_init(fr, 8, NULL), MLK_OK);
        double a = 5.0 + 0.3 * mlk_rng_uniform(&g);
        double h[3][3] = {{a, 0.1, 0}, {0, a * 1.02, 0}, {0.05, 0, a}};
        cr_assert_eq(mlk_cell_init(&fr->cell, (const double(*)[3])h, NULL), MLK_OK);
        for (size_t i = 0; i < 8; i++) {
            for (size_t c = 0; c < 3; c++)
                fr->x[i][c] = 0.5 * a * (double)(i >> c & 1) + 0.12 * mlk_rng_normal(&g);
            bool other = mixed && i < k % 4;
            fr->z[i] = ljset_z[((i & 1) + (i >> 1 & 1) + (i >> 2 & 1)) % 2 && !other];
        }
        cr_assert_eq(mlk_potential_eval_frame(pot, fr, MLK_WANT_VIRIAL, &nl, &ev, NULL), MLK_OK);
        memcpy(fr->f, ev.f, 8 * sizeof *fr->f);
        memcpy(fr->virial, ev.W, sizeof fr->virial);
        fr->energy = ev.U;
        for (size_t i = 0; i < 8; i++) fr->energy += ljset_e0[fr->z[i] == 16];
        fr->has = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VIRIAL;
        snprintf(fr->group, sizeof fr->group, "g%zu", k / 4);
        ds.split[k] = k % 5 == 4 ? MLK_SPLIT_VALID : MLK_SPLIT_TRAIN;
    }
    mlk_neigh_free(&nl);
    mlk_eval_free(&ev);
    mlk_potential_destroy(pot);
    return ds;
}

void ljset_free(mlk_dataset *ds)
{
    for (size_t k = 0; k < ds->n; k++) mlk_frame_free(&ds->frame[k]);
    mlk_free(ds->frame), mlk_free(ds->split);
    memset(ds, 0, sizeof *ds);
}

const double ljset_start[4] = {0.025, 2.4, 0.04, 2.55};

mlk_loss ljset_loss(mlk_potential *pot, const mlk_dataset *ds, double huber)
{
    mlk_loss l;
    char note[512];
    cr_assert_eq(mlk_fit_e0(pot, ds, "least-squares", note, sizeof note, NULL), MLK_OK);
    cr_assert_eq(mlk_loss_init(&l, pot, ds, NULL, NULL), MLK_OK);
    l.we = 1.3, l.wf = 0.7, l.wv = 0.4, l.huber = huber;
    return l;
}
