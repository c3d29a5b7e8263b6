/* rdf.c - pair distribution functions of a finished run,
 *   g_AB(r) = (pairs at distance r) / (frames N_A (N_B/V) 4 pi r^2 dr).
 * A check of the run (is it the phase one thinks?), so 200 frames are enough. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/h5.h"
#include "core/units.h"
#include "md/h5md.h"

#define R_MAX 8.0 /* [A]; images are listed, so small cells need no shorter one */
#define BINS 320
#define FRAMES 200

static void count(const mlk_md *md, const mlk_neigh *nl, double *hist)
{
    for (size_t i = 0; i < md->n; i++)
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            double r2 = 0;
            for (int c = 0; c < 3; c++) r2 += nl->r[c][k] * nl->r[c][k];
            size_t bin = (size_t)(sqrt(r2) * (BINS / R_MAX));
            size_t pair = (size_t)md->el[i] * md->n_el + (size_t)md->el[nl->j[k]];
            if (bin < BINS) hist[pair * BINS + bin] += 1;
        }
}

static mlk_status write_pair(mlk_h5 *h, const mlk_md *md, size_t a, size_t b, const double *hist,
                             double frames, mlk_err *e)
{
    double na = 0, nb = 0, r[BINS], g[BINS];
    for (size_t i = 0; i < md->n; i++) na += (size_t)md->el[i] == a, nb += (size_t)md->el[i] == b;
    const double dr = R_MAX / BINS;
    for (int k = 0; k < BINS; k++) {
        double r0 = k * dr, r1 = r0 + dr;
        double shell = 4.0 / 3.0 * MLK_PI * (r1 * r1 * r1 - r0 * r0 * r0);
        r[k] = r0 + 0.5 * dr;
        g[k] = hist[(a * md->n_el + b) * BINS + (size_t)k] /
               (frames * na * nb / md->cell.volume * shell);
    }
    char path[128];
    const size_t n = BINS;
    int len = snprintf(path, sizeof path, MLK_MD_PARAM "/rdf/%s-%s/",
                       mlk_element_symbol(md->element[a]), mlk_element_symbol(md->element[b]));
    snprintf(path + len, sizeof path - (size_t)len, "r");
    MLK_TRY(mlk_h5_write(h, path, MLK_H5_DOUBLE, 1, &n, r, e));
    MLK_TRY(mlk_h5_attr_set_str(h, path, "unit", "Angstrom", e));
    snprintf(path + len, sizeof path - (size_t)len, "g");
    return mlk_h5_write(h, path, MLK_H5_DOUBLE, 1, &n, g, e);
}

mlk_status mlk_md_rdf(mlk_h5 *h, const mlk_md *md, mlk_err *e)
{
    if (!md->cell.pbc[0] || !md->cell.pbc[1] || !md->cell.pbc[2]) return MLK_OK; /* no density */
    const char *value = "/particles/all/position/value";
    int nd;
    size_t dim[4];
    MLK_TRY(mlk_h5_dims(h, value, &nd, dim, e));
    size_t use = dim[0] < FRAMES ? dim[0] : FRAMES;
    mlk_neigh nl = {0};
    double(*x)[3] = mlk_alloc(md->n, sizeof *x);
    double *hist = mlk_alloc(md->n_el * md->n_el * BINS, sizeof *hist);
    mlk_status s = x && hist ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "pair distributions");
    for (size_t k = 0; !s && k < use; k++) {
        s = mlk_h5_read_rows(h, value, MLK_H5_DOUBLE, k * dim[0] / use, 1, x, e);
        for (size_t i = 0; !s && i < md->n; i++) { /* stored unwrapped: any distance is possible */
            double q[3];
            mlk_cell_frac(&md->cell, x[i], q);
            for (int c = 0; c < 3; c++) q[c] -= floor(q[c]);
            mlk_cell_cart(&md->cell, q, x[i]);
        }
        if (!s) s = mlk_neigh_build(&md->cell, md->n, (const double(*)[3])x, R_MAX, &nl, e);
        if (!s) count(md, &nl, hist);
    }
    for (size_t a = 0; !s && use && a < md->n_el; a++)
        for (size_t b = a; !s && b < md->n_el; b++)
            s = write_pair(h, md, a, b, hist, (double)use, e);
    mlk_neigh_free(&nl);
    mlk_free(x), mlk_free(hist);
    return s;
}
