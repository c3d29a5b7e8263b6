/* greenkubo.h - running Green-Kubo integrals with jackknife errors, and where to stop them. */
#ifndef MLK_TRANSPORT_GREENKUBO_H
#define MLK_TRANSPORT_GREENKUBO_H

#include <stddef.h>

#include "core/err.h"
#include "core/flux.h"
#include "transport/lagmatrix.h"

typedef struct mlk_greenkubo {
    size_t m, n_lag, n_block;
    double dt;                 /* [fs] */
    double *corr, *integral;   /* (m*(m+1)/2, n_lag) C_ab and I_ab, rows as mlk_corr_row */
    double *naive, *naive_err; /* (n_lag) I_EE */
    double *schur, *schur_err; /* (n_lag) I_EE - I_EM I_MM^-1 I_ME */
    double at_naive,
        at_naive_err; /* read at the limit. For an automatic limit the error is that at */
    double at_schur, at_schur_err; /* twice the limit: it covers what was cut off */
    double part[3];                /* kinetic, convective, virial share of I_EE at the limit; NaN */
    size_t limit;                  /* lag at which the integral is read */
    int limit_found;               /* 0: no plateau was found below the largest lag */
    mlk_lagmatrix at;              /* integrals at the limit; blocks left out: where at_naive_err is
                                      read */
} mlk_greenkubo;

/* Fluxes set[0..m-1] (set[0] the energy). Correlations over whole runs, averaged over runs by
 * length; errors by leaving out one of n_block pieces (about 10, at least one per run).
 *   max_lag   samples; 0: half a piece, at most 20 ps
 *   limit     lag to read [fs]; 0: the first from which doubling it changes the corrected integral,
 *             the mass integrals and the slope of the energy on the mass fluxes by less than 1.5
 *             errors of that change. None of these depends on the zero of the energies.
 * Errors: MLK_EINVAL too short; MLK_ENOMEM. Free with mlk_greenkubo_free. */
mlk_status mlk_greenkubo_init(mlk_greenkubo *gk, const mlk_flux *fl, size_t m, const int *set,
                              size_t max_lag, double limit, mlk_err *e);
void mlk_greenkubo_free(mlk_greenkubo *gk);

#endif
