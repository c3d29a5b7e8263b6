/* coupling.h - the coupling of the energy to the mass fluxes: heat carried per ion, thermopower,
 * errors of the Onsager matrix, and what a shift of the zero of the energies does. */
#ifndef MLK_TRANSPORT_COUPLING_H
#define MLK_TRANSPORT_COUPLING_H

#include "core/err.h"
#include "core/flux.h"
#include "transport/onsager.h"

/* Index i = 1..m-1 counts the mass fluxes of on->choice.set. "Per ion" quantities are in eV per
 * atom when the mass of the particles is known, else in eV A/ps per unit of flux. */
typedef struct mlk_coupling {
    size_t m;
    double unit[MLK_FLUX_MAX];     /* particle mass, 1 when unknown: slope * unit is per ion     */
    double slope[MLK_FLUX_MAX];    /* L_EM L_MM^-1 at zero frequency, raw units                  */
    double heat[MLK_FLUX_MAX];     /* heat of transport Q* = slope * unit                        */
    double heat_err[MLK_FLUX_MAX]; /* an energy offset -Q* per ion makes kappa_naive = kappa     */
    double seebeck, seebeck_err;   /* L_EZ/(T L_ZZ) [V/K]; NaN without charges                   */
    double l_err[MLK_FLUX_MAX * MLK_FLUX_MAX]; /* standard errors of on->l                      */
} mlk_coupling;

/* Least-squares slope of the energy flux on the mass fluxes in the lowest bins of the spectra.
 * J_E + c J_i shifts slope i by exactly c: its value belongs to one zero of the energies; only
 * differences between runs of one potential have a meaning. */
void mlk_coupling_init(mlk_coupling *c, const mlk_onsager *on, const mlk_flux *fl,
                       const mlk_onsager_opts *o);
/* kappa_naive and kappa estimated again, from the spectra of J_E + x[k]/unit J_i, for n offsets x
 * per ion; f*, pieces and set are those of `on`, P* is chosen anew. Arrays (n), [W/m/K].
 * Errors: MLK_ENOMEM, MLK_ENUMERIC. */
mlk_status mlk_coupling_sweep(const mlk_coupling *c, const mlk_onsager *on,
                              const mlk_onsager_opts *o, size_t i, size_t n, const double *x,
                              double *naive, double *naive_err, double *kappa, mlk_err *e);
/* The two offsets per ion of species i (m = 2 only, i = 1) at which kappa_naive is `naive`, lower
 * first, with their error. NaN when `naive` is below kappa. */
void mlk_coupling_offset(const mlk_coupling *c, const mlk_onsager *on, double naive, double x[2],
                         double *err);

#endif
