/* repulsion.c - shortest distances of the training data and the repulsive core chosen from them.
 *
 * Below the distances of the data a fitted model knows nothing and may fall to minus infinity.
 * Where the file format can hold a core of each pair of elements (NEP), each is switched on from
 * 0.97 of the shortest distance of that pair: the data do not feel it (docs/THEORY.md, 11).
 *
 * Elsewhere one universal ZBL core is switched on from 0.9 of the nearest-neighbour distance that
 * all but one atom in a thousand keep, down to half of that. (The quantile, because one frame with
 * one violent contact must not push the core of all pairs out of reach; what that frame feels of
 * the core is taken off its labels before the fit.) */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/element.h"
#include "core/units.h"
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
        MLK_GO(mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, pot->rc, &nl, e));
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

/* ZBL factors phi = sum c exp(-d x) of a pair, x = r ainv, and its scale zz [eV A]. */
static double screened(double zz, double ainv, const double *row, double r)
{
    double phi = 0;
    for (int k = 0; k < 4; k++) phi += row[2 + 2 * k] * exp(-row[3 + 2 * k] * r * ainv);
    return zz / r * phi;
}

/* One row of the table: full below 0.6 d, nothing beyond 0.97 d, for a pair that comes as near as
 * d in the data. The universal core where it is at least WALL at 0.8 d; elsewhere (sulfur that no
 * bond lets near sulfur, 2.4 A) an exponential that is. */
static void core_row(double za, double zb, double d, double longest, double row[10])
{
    static const double universal[8] = {0.18175, 3.1998, 0.50986, 0.94229,
                                        0.28022, 0.4029, 0.02817, 0.20162};
    static const double WALL = 5.0, RANGE = 0.3; /* [eV], [A] */
    const double zz = MLK_COULOMB * za * zb, r = 0.8 * d;
    const double ainv = (pow(za, 0.23) + pow(zb, 0.23)) / 0.46848;
    row[1] = fmin(0.97 * d, longest);
    row[0] = fmin(0.6 * d, 0.9 * row[1]);
    memcpy(row + 2, universal, sizeof universal);
    if (screened(zz, ainv, row, r) >= WALL) return;
    for (int k = 0; k < 4; k++) row[2 + 2 * k] = 0, row[3 + 2 * k] = 1;
    row[2] = WALL * r / zz * exp(r / RANGE);
    row[3] = 1 / (RANGE * ainv);
}

/* a core for each pair of elements, from its own shortest distance; `usual` for pairs never seen */
static mlk_status core_of_pairs(mlk_potential *pot, double usual, char *note, size_t cap,
                                mlk_err *e)
{
    double *t, longest;
    MLK_TRY(pot->type->core_table(pot, &t, &longest, e));
    size_t q = pot->n_species, len;
    len = (size_t)snprintf(note, cap, "repulsive core of each pair, nothing beyond [A]");
    for (size_t a = 0; a < q; a++)
        for (size_t b = a; b < q; b++, t += 10) {
            double d = fmin(pot->dmin[a * q + b], pot->dmin[b * q + a]);
            core_row(pot->z[a], pot->z[b], d > 0 ? d : usual, longest, t);
            if (len < cap)
                len += (size_t)snprintf(note + len, cap - len, "%s %s-%s %.2f", a + b ? "," : "",
                                        mlk_element_symbol(pot->z[a]),
                                        mlk_element_symbol(pot->z[b]), t[1]);
        }
    return MLK_OK;
}

mlk_status mlk_fit_zbl(mlk_potential *pot, const mlk_dataset *ds, const char *how, char *note,
                       size_t cap, mlk_err *e)
{
    mlk_zbl *z = &pot->zbl;
    double usual, shortest;
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
        if (got < 2 || how[used] || !(z->inner >= 0) || !(z->outer > z->inner) || z->outer > 2.5 ||
            (z->typewise && !(z->typewise_factor > 0))) {
            memset(z, 0, sizeof *z);
            MLK_FAIL(e, MLK_EINVAL,
                     "zbl: '%s' is not auto, off or inner,outer[,factor] with outer <= 2.5 A", how);
            mlk_err_hint(e, "for example zbl: auto, or zbl: [0.7, 1.4]");
            return MLK_EINVAL;
        }
        z->on = true;
        snprintf(note, cap,
                 "repulsive core: ZBL between %.3g and %.3g A as given (shortest distance %.2f A)",
                 z->inner, z->outer, shortest);
        return MLK_OK;
    }
    if (pot->type->core_table && usual >= 0.5) return core_of_pairs(pot, usual, note, cap, e);
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
