/* helfand.h - time-domain Onsager matrices with jackknife errors: Green-Kubo integrals, and slopes
 * of the mean-square displacements of integrated fluxes (Helfand, Phys. Rev. 119, 1 (1960));
 * decomposition of both conductivities into the parts of the energy flux. */
#ifndef MLK_TRANSPORT_HELFAND_H
#define MLK_TRANSPORT_HELFAND_H

#include "core/err.h"
#include "core/flux.h"
#include "transport/onsager.h"

typedef struct mlk_helfand {
    double from, to;         /* [ps] lags between which the slope is taken */
    double naive, naive_err; /* [W/m/K] */
    double kappa, kappa_err;
    double l[MLK_FLUX_MAX * MLK_FLUX_MAX], l_err[MLK_FLUX_MAX * MLK_FLUX_MAX];       /* (m,m) SI */
    double gk_l[MLK_FLUX_MAX * MLK_FLUX_MAX], gk_l_err[MLK_FLUX_MAX * MLK_FLUX_MAX]; /* (m,m) SI */
    double sigma_gk, sigma_gk_err, sigma_gk_limit; /* [S/m], [ps]; NaN without charges */
    double sigma_einstein, sigma_einstein_err;     /* from the displacement of the charge */
    int has_parts;
    double part[9], part_err[9];           /* naive [W/m/K]: (p,q) of kinetic, convective, virial */
    double corrected[9], corrected_err[9]; /* the same of the parts without what the mass fluxes
                                            explain of them; sums to the corrected value */
} mlk_helfand;

/* Slope from the Green-Kubo limit to three times it. Errors: those of the correlation routines. */
mlk_status mlk_helfand_init(mlk_helfand *h, const mlk_onsager *on, const mlk_flux *fl,
                            const mlk_onsager_opts *o, mlk_err *e);

#endif
