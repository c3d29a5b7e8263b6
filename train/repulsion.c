/* repulsion.c - shortest distances of the training data and the repulsive core chosen from them.
 *
 * Below the distances of the data a fitted model knows nothing and may fall to minus infinity. The
 * universal ZBL core is switched on from 0.9 of the nearest-neighbour distance that all but one
 * atom in a thousand keep, down to half of that: the data do not feel it, a close encounter in a
 * hot run does. (The quantile, because one frame with one violent contact must not push the core of
 * all pairs out of reach; what that frame feels of the core is taken off its labels before the
 * fit.) */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/train.h"

mlk_status mlk_fit_dmin(mlk_potential *pot, const mlk_dataset *ds, mlk_err *e)
{
    size_t q = pot->n_species;
    mlk_free(pot->dmin);
    pot->dmin = mlk_alloc(q * q, sizeof(double));
    if (!pot->dmin) return MLK_FAIL(e, MLK_ENOMEM, "shortest distances");
    mlk_neigh nl = {0};
    mlk_status s = MLK_OK;
    size_t cap = 0;
    int *type = NULL;
    for (size_t k = 0; k < ds->n; k++) {
        const mlk_frame *fr = &ds->frame[k];
        if (ds->split[k] != MLK_SPLIT_TRAIN) continue;
        MLK_GO(MLK_GROW(type, cap, fr->n, e));
        MLK_GO(mlk_potential_types_of(pot, fr, type, e));
        s = mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, pot->rc, &nl, e);
        if (s) mlk_err_at(e, fr->source, fr->line);
        if (s) goto done;
        for (size_t i = 0; i < nl.n; i++)
            for (size_t p = nl.start[i]; p < nl.start[i + 1]; p++) {
                double d = sqrt(nl.r[0][p] * nl.r[0][p] + nl.r[1][p] * nl.r[1][p] +
                                nl.r[2][p] * nl.r[2][p]);
                double *m = &pot->dmin[(size_t)type[i] * q + (size_t)type[nl.j[p]]];
                if (*m == 0 || d < *m) *m = d;
            }
    }
done:
    mlk_free(type);
    mlk_neigh_free(&nl);
    return s;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Distance to the nearest neighbour that 999 of 1000 atoms of the training frames exceed, and the
 * shortest of all. */
static mlk_status nearest(const mlk_potential *pot, const mlk_dataset *ds, double *usual,
                          double *shortest, mlk_err *e)
{
    size_t n = 0, atoms = 0;
    mlk_neigh nl = {0};
    mlk_status s = MLK_OK;
    for (size_t k = 0; k < ds->n; k++) atoms += ds->frame[k].n;
    double *d = mlk_alloc(atoms, sizeof *d);
    if (!d) return MLK_FAIL(e, MLK_ENOMEM, "shortest distances");
    for (size_t k = 0; k < ds->n; k++) {
        const mlk_frame *fr = &ds->frame[k];
        if (ds->split[k] != MLK_SPLIT_TRAIN) continue;
        s = mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, pot->rc, &nl, e);
        if (s) mlk_err_at(e, fr->source, fr->line);
        if (s) goto done;
        for (size_t i = 0; i < nl.n; i++) {
            double m = pot->rc;
            for (size_t p = nl.start[i]; p < nl.start[i + 1]; p++)
                m = fmin(m, sqrt(nl.r[0][p] * nl.r[0][p] + nl.r[1][p] * nl.r[1][p] +
                                 nl.r[2][p] * nl.r[2][p]));
            d[n++] = m;
        }
    }
    qsort(d, n, sizeof *d, by_value);
    *shortest = n ? d[0] : 0;
    *usual = n ? d[n / 1000] : 0;
done:
    mlk_free(d);
    mlk_neigh_free(&nl);
    return s;
}

mlk_status mlk_fit_zbl(mlk_potential *pot, const mlk_dataset *ds, const char *how, char *note,
                       size_t cap, mlk_err *e)
{
    mlk_zbl *z = &pot->zbl;
    double usual = 0, shortest = 0;
    memset(z, 0, sizeof *z);
    if (!strcmp(how, "off")) {
        snprintf(note, cap, "repulsive core: off");
        return MLK_OK;
    }
    MLK_TRY(nearest(pot, ds, &usual, &shortest, e));
    if (strcmp(how, "auto")) {
        int used = 0, got = sscanf(how, "%lf,%lf%n,%lf%n", &z->inner, &z->outer, &used,
                                   &z->typewise_factor, &used);
        z->typewise = got == 3;
        if (got < 2 || how[used] || !(z->inner >= 0) || !(z->outer > z->inner) ||
            z->outer > MLK_ZBL_OUTER_MAX || (z->typewise && !(z->typewise_factor > 0))) {
            memset(z, 0, sizeof *z);
            MLK_FAIL(e, MLK_EINVAL,
                     "zbl: '%s' is not auto, off or inner,outer[,factor] with outer <= %d A", how,
                     MLK_ZBL_OUTER_MAX);
            mlk_err_hint(e, "for example zbl: auto, or zbl: [0.7, 1.4]");
            return MLK_EINVAL;
        }
        z->on = true;
        if (z->typewise)
            snprintf(note, cap,
                     "repulsive core: ZBL up to %.3g of the sum of the covalent radii, %.3g A at "
                     "most, as given (shortest distance %.2f A)",
                     z->typewise_factor, z->outer, shortest);
        else
            snprintf(note, cap,
                     "repulsive core: ZBL between %.3g and %.3g A as given (shortest distance %.2f "
                     "A)",
                     z->inner, z->outer, shortest);
        return MLK_OK;
    }
    /* two decimals, so that every file format holds the same number */
    double outer = floor(0.9 * fmin(usual, 2.7) * 100) / 100;
    if (outer < 0.4) {
        snprintf(note, cap, "repulsive core: off (atoms as near as %.2f A in the data)", usual);
        return MLK_OK;
    }
    z->outer = outer;
    z->inner = floor(0.5 * outer * 100) / 100;
    z->on = true;
    snprintf(note, cap,
             "repulsive core: ZBL between %.2f and %.2f A (nearest neighbours beyond %.2f A for "
             "999 of 1000 "
             "atoms, shortest %.2f A)",
             z->inner, z->outer, usual, shortest);
    return MLK_OK;
}
