/* nep_auto.c - cutoffs and size of a NEP that were left open, from the data.
 *
 * Cutoffs: what matters is how many neighbours a descriptor sees, not the radius: the radial cutoff
 * takes in RADIAL neighbours on average, the angular one ANGULAR. Measured over all atoms, so that
 * a slab or a molecule counts as dense as it is.
 *
 * Size: each element has a network of its own, which only the atoms of this element teach. Where
 * they are few a full-sized one has freedom left that the data do not decide, and a long run finds
 * where: docs/THEORY.md, section 11. */
#include <math.h>
#include <stdint.h>

#include "core/element.h"
#include "potentials/nep.h"

enum { FRAMES = 40, BINS = 180 };
#define RADIAL 60
#define ANGULAR 25
#define FEW 2000 /* atoms of the rarest element */
#define BIN 0.05 /* A */

/* radius (of whole 0.1 A) with n neighbours on average */
static double radius(const double *count, double n, double lo, double hi)
{
    double sum = 0;
    int k = 0;
    while (k < BINS && (sum += count[k]) < n) k++;
    return fmin(fmax(floor(10 * BIN * (k + 0.5) + 0.5) / 10, lo), hi);
}

static void suggest_size(mlk_nep_hyper *h, size_t n_frames, const mlk_frame *const *frames)
{
    size_t count[MLK_ELEMENT_MAX + 1] = {0}, fewest = SIZE_MAX;
    for (size_t k = 0; k < n_frames; k++)
        for (size_t i = 0; i < frames[k]->n; i++) count[frames[k]->z[i]]++;
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++)
        if (count[z] && count[z] < fewest) fewest = count[z];
    bool few = fewest < FEW;
    if (!h->neuron) h->neuron = few ? 10 : 30;
    if (!h->n_max.n) h->n_max = few ? (mlk_ints){2, {4, 4}} : (mlk_ints){2, {6, 6}};
}

static mlk_status suggest_cutoffs(mlk_nep_hyper *h, size_t n_frames, const mlk_frame *const *frames,
                                  mlk_err *e)
{
    double count[BINS] = {0}, atoms = 0;
    mlk_neigh nl = {0};
    mlk_status s = MLK_OK;
    size_t step = (n_frames + FRAMES - 1) / FRAMES;
    for (size_t k = 0; k < n_frames && !s; k += step) {
        const mlk_frame *fr = frames[k];
        s = mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, BINS * BIN, &nl, e);
        if (s) mlk_err_at(e, fr->source, fr->line);
        for (size_t p = 0; !s && p < nl.np; p++) {
            double r2 = 0;
            for (int c = 0; c < 3; c++) r2 += nl.r[c][p] * nl.r[c][p];
            size_t b = (size_t)(sqrt(r2) / BIN);
            if (b < BINS) count[b]++;
        }
        atoms += (double)fr->n;
    }
    mlk_neigh_free(&nl);
    if (s) return s;
    for (int k = 0; k < BINS; k++) count[k] /= atoms;
    h->cutoff.n = 2;
    h->cutoff.v[0] = radius(count, RADIAL, 5, 8);
    h->cutoff.v[1] = fmin(radius(count, ANGULAR, 3.5, 6), h->cutoff.v[0]);
    return MLK_OK;
}

mlk_status mlk_nep_suggest(void *hyper, size_t n_frames, const mlk_frame *const *frames, mlk_err *e)
{
    mlk_nep_hyper *h = hyper;
    suggest_size(h, n_frames, frames);
    if (h->cutoff.n) return MLK_OK;
    if (n_frames) return suggest_cutoffs(h, n_frames, frames, e);
    h->cutoff = (mlk_reals){.n = 2, .v = {6, 5}};
    return MLK_OK;
}
