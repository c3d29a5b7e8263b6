/* repulsion.c - shortest distances of the training data and the repulsive core chosen from them.
 *
 * Below the shortest distance a fitted model knows nothing and may fall to minus infinity. The
 * universal ZBL core is switched on between 0.9 and 0.45 of it: the data do not feel it, a close
 * encounter in a hot run does. */
#include <math.h>
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
        MLK_GO(mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, pot->rc, &nl, e));
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

mlk_status mlk_fit_zbl(mlk_potential *pot, const char *how, char *note, size_t cap, mlk_err *e)
{
    mlk_zbl *z = &pot->zbl;
    memset(z, 0, sizeof *z);
    if (!strcmp(how, "off")) {
        snprintf(note, cap, "repulsive core: off");
        return MLK_OK;
    }
    double shortest = 0;
    size_t q = pot->n_species;
    for (size_t k = 0; pot->dmin && k < q * q; k++)
        if (pot->dmin[k] > 0 && (shortest == 0 || pot->dmin[k] < shortest)) shortest = pot->dmin[k];
    if (strcmp(how, "auto")) {
        char tail;
        if (sscanf(how, "%lf,%lf%c", &z->inner, &z->outer, &tail) != 2 || !(z->inner >= 0) ||
            !(z->outer > z->inner) || z->outer > 2.5) {
            memset(z, 0, sizeof *z);
            MLK_FAIL(e, MLK_EINVAL, "zbl: '%s' is not auto, off or inner,outer with outer <= 2.5 A", how);
            mlk_err_hint(e, "for example zbl: auto, or zbl: [0.7, 1.4]");
            return MLK_EINVAL;
        }
        z->on = true;
        snprintf(note, cap, "repulsive core: ZBL between %.3g and %.3g A as given%s", z->inner,
                 z->outer, shortest > 0 && z->outer > shortest ? " (reaches into the data)" : "");
        return MLK_OK;
    }
    /* three significant digits, so that every file format holds the same number */
    double outer = floor(0.9 * shortest * 100) / 100;
    if (outer > 2.5) outer = 2.5;
    if (outer < 0.4) {
        snprintf(note, cap, "repulsive core: off (shortest distance in the data %.2f A)", shortest);
        return MLK_OK;
    }
    z->outer = outer;
    z->inner = floor(0.5 * outer * 100) / 100;
    z->on = true;
    snprintf(note, cap, "repulsive core: ZBL between %.2f and %.2f A (shortest distance %.2f A)",
             z->inner, z->outer, shortest);
    return MLK_OK;
}
