/* select.h - which mass fluxes enter the Onsager matrix. Fluxes that depend linearly on others or
 * that vanish at zero frequency (species that do not diffuse) make L_MM singular and must stay out.
 */
#ifndef MLK_TRANSPORT_SELECT_H
#define MLK_TRANSPORT_SELECT_H

#include "core/err.h"
#include "core/flux.h"
#include "transport/cepstral.h"
#include "transport/diffusion.h"

typedef struct mlk_choice {
    size_t m;                    /* fluxes kept, the energy included */
    int set[MLK_FLUX_MAX];       /* their indices; set[0] = 0 */
    int dropped[MLK_FLUX_MAX];   /* 1: left out */
    char why[MLK_FLUX_MAX][160]; /* for each flux: why it is in or out */
    double level[MLK_FLUX_MAX];  /* low-frequency level / mean level of its spectrum, given the
                                    fluxes chosen before it */
    char reason[512];            /* one sentence for the user */
} mlk_choice;

/*   sp      spectra of all fluxes at the original sampling
 *   fl      the fluxes: names, masses and numbers of particles
 *   diff    tracer diffusion of the same runs, or NULL: then a species is mobile when its flux
 *           spectrum, given the fluxes chosen before, stays finite towards zero frequency
 *   forced  names given by the user (n_forced = 0: automatic; one "none": no flux); only exact
 * dependences are dropped Errors: MLK_EINVAL unknown name; MLK_ENUMERIC the energy flux is zero. */
mlk_status mlk_choice_make(mlk_choice *ch, const mlk_spectra *sp, const mlk_flux *fl,
                           const mlk_diffusion *diff, size_t n_forced, const char (*forced)[32],
                           mlk_err *e);
#endif
