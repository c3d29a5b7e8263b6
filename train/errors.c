/* errors.c - predictions of a model on a data set and their errors; the one definition of RMSE used
 * by training, validation and reports. Energies are compared with sum u + sum e0, without any
 * shift; forces per Cartesian component; stress per component in GPa, tension positive. */
#include <math.h>
#include <string.h>

#include "core/threads.h"
#include "core/units.h"
#include "train/train.h"

const char *const mlk_stress_name[6] = {"xx", "yy", "zz", "xy", "yz", "zx"};

double mlk_stat_rmse(const mlk_stat *s)
{
    return s->n ? sqrt(s->sum2 / (double)s->n) : NAN;
}

double mlk_stat_mae(const mlk_stat *s)
{
    return s->n ? s->sum1 / (double)s->n : NAN;
}

double mlk_stress_gpa(const double virial[3][3], double volume, int c)
{
    return -0.5 *
           (virial[mlk_voigt_a[c]][mlk_voigt_b[c]] + virial[mlk_voigt_b[c]][mlk_voigt_a[c]]) /
           volume * MLK_EVA3_GPA;
}

void mlk_predict_free(mlk_prediction *p, size_t n)
{
    for (size_t k = 0; p && k < n; k++) mlk_free(p[k].f);
    mlk_free(p);
}

static mlk_status predict_one(const mlk_potential *pot, const mlk_frame *fr, mlk_neigh *nl,
                              mlk_eval *ev, mlk_prediction *p, mlk_err *e)
{
    mlk_status s = mlk_potential_eval_frame(pot, fr, MLK_WANT_VIRIAL, nl, ev, e);
    if (s) {
        mlk_err_at(e, fr->source, fr->line);
        if (fr->step > 0) mlk_err_prefix(e, "frame %d: ", fr->step);
        return s;
    }
    p->f = mlk_alloc(fr->n, sizeof *p->f);
    if (!p->f) return MLK_FAIL(e, MLK_ENOMEM, "predictions of %zu atoms", fr->n);
    memcpy(p->f, ev->f, fr->n * sizeof *p->f);
    memcpy(p->virial, ev->W, sizeof p->virial);
    p->energy = ev->U;
    for (size_t i = 0; i < fr->n; i++)
        for (size_t t = 0; t < pot->n_species; t++)
            if (pot->z[t] == fr->z[i]) p->energy += pot->e0[t];
    return MLK_OK;
}

mlk_status mlk_predict(const mlk_potential *pot, const mlk_dataset *ds, mlk_prediction **out,
                       mlk_err *e)
{
    mlk_prediction *p = mlk_alloc(ds->n ? ds->n : 1, sizeof *p);
    if (!p) return MLK_FAIL(e, MLK_ENOMEM, "predictions of %zu frames", ds->n);
    size_t bad_frame = SIZE_MAX;
    mlk_err bad = {0};
#pragma omp parallel if (ds->n > 1)
    {
        mlk_neigh nl = {0};
        mlk_eval ev = {0};
#pragma omp for schedule(dynamic, 1)
        for (size_t k = 0; k < ds->n; k++) {
            mlk_err le = {0};
            if (predict_one(pot, &ds->frame[k], &nl, &ev, &p[k], &le)) {
#pragma omp critical(mlk_predict_error)
                if (k < bad_frame) bad_frame = k, bad = le;
            }
        }
        mlk_neigh_free(&nl);
        mlk_eval_free(&ev);
    }
    if (bad_frame != SIZE_MAX) {
        mlk_predict_free(p, ds->n);
        if (e && !e->code) *e = bad;
        return bad.code;
    }
    *out = p;
    return MLK_OK;
}

static void stat_add(mlk_stat *s, double err)
{
    s->sum2 += err * err;
    s->sum1 += fabs(err);
    s->n++;
}

void mlk_errors_add(const mlk_dataset *ds, const mlk_prediction *p, int split, mlk_fit_errors *er)
{
    for (size_t k = 0; k < ds->n; k++) {
        const mlk_frame *fr = &ds->frame[k];
        if (split >= 0 && ds->split[k] != split) continue;
        er->n_frames++;
        if (fr->has & MLK_HAS_ENERGY)
            stat_add(&er->energy, (p[k].energy - fr->energy) / (double)fr->n);
        for (size_t i = 0; i < fr->n && (fr->has & MLK_HAS_FORCE); i++)
            for (int a = 0; a < 3; a++) {
                double d = p[k].f[i][a] - fr->f[i][a];
                stat_add(&er->force, d);
                stat_add(&er->species[fr->z[i]], d);
            }
        for (int c = 0; c < 6 && (fr->has & MLK_HAS_VIRIAL); c++)
            stat_add(&er->stress,
                     mlk_stress_gpa(p[k].virial, fr->cell.volume, c) -
                         mlk_stress_gpa((const double(*)[3])fr->virial, fr->cell.volume, c));
    }
}
