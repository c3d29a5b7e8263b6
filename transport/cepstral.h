/* cepstral.h - zero-frequency value of a (multi-component) flux spectrum from its cepstrum.
 * Ercole, Marcolongo, Baroni, Sci. Rep. 7, 15835 (2017); several currents: Bertossa, Grasselli,
 * Ercole, Baroni, Phys. Rev. Lett. 122, 255901 (2019). Spectra here are in raw units, (flux unit)^2
 * fs: multiply by half of mlk_kappa_scale to get W/m/K. */
#ifndef MLK_TRANSPORT_CEPSTRAL_H
#define MLK_TRANSPORT_CEPSTRAL_H

#include <stddef.h>

#include "core/err.h"
#include "core/flux.h"

/* (e*1e19/T)^2/(kB*1e23)/V*1e4: from the integral of <J J> in (eV A/ps)^2 fs to W/m/K. e_c [C],
 * kb_si [J/K] are arguments so that results of programs with older constants can be reproduced. */
double mlk_kappa_scale(double e_c, double kb_si, double temperature, double volume);
/* the same for a charge current in e A/ps: to S/m */
double mlk_sigma_scale(double e_c, double kb_si, double temperature, double volume);

/* Cross-periodogram of all fluxes, summed over Cartesian components, pieces and runs:
 * C_ab(k) = (dt/n) sum_c X_a^c conj(X_b^c), k = 0..n/2. */
typedef struct mlk_spectra {
    size_t m;    /* fluxes */
    size_t n;    /* samples of each piece after resampling, even */
    size_t nf;   /* n/2+1 frequencies */
    size_t ell;  /* equivalent components: 3 * pieces of all runs */
    size_t lost; /* original samples that fit into no piece */
    double dt;   /* after resampling [fs] */
    double *c;   /* (nf,m,m,2) owned; c[((k*m+a)*m+b)*2] is the real part */
} mlk_spectra;

/* Frequency of bin k [THz]. */
double mlk_spectra_freq(const mlk_spectra *sp, size_t k);
/* Running mean of tskip samples, then every tskip-th value; an odd number loses its last. y holds
 * at least n/tskip. Returns the number of values (even). */
size_t mlk_resample(const double *x, size_t n, size_t tskip, double *y);
/* Pieces that each run is cut into when `pieces` are asked for: at least so many that a piece has
 * at most 2^18 samples after resampling. */
size_t mlk_spectra_pieces(const mlk_flux *fl, size_t tskip, size_t pieces);
/* Resample each run of fl by tskip, cut it into equal pieces, add up the periodograms. pieces >= 1
 * is the number per shortest run; longer runs give more pieces of the same length. Means are not
 * removed. Errors: MLK_EINVAL fewer than 16 samples in a piece; MLK_ENOMEM. */
mlk_status mlk_spectra_init(mlk_spectra *sp, const mlk_flux *fl, size_t tskip, size_t pieces,
                            mlk_err *e);
/* Spectra of new fluxes J'_i = sum_a t[i*m+a] J_a, i < m2: C' = t C t^T. */
mlk_status mlk_spectra_mix(mlk_spectra *out, const mlk_spectra *sp, size_t m2, const double *t,
                           mlk_err *e);
void mlk_spectra_free(mlk_spectra *sp);

typedef enum {
    MLK_RULE_AIC,      /* P* coefficients by the Akaike criterion */
    MLK_RULE_WEIGHTED, /* average over all P with Akaike weights exp(-AIC/2); its error contains the
                          spread between different P */
    MLK_RULE_FIXED,    /* P given */
    MLK_RULE_SHAPES    /* no cut-off: average over shapes of spectra, see shape.h */
} mlk_rule;

typedef struct mlk_cepstral {
    size_t n, nf;
    size_t nu;                 /* degrees of freedom of the reduced spectrum, ell - m + 1 */
    double *psd;               /* (nf) reduced spectrum S(k) */
    double *coef;              /* (nf) cepstral coefficients c_n */
    double *aic;               /* (nf) Akaike criterion keeping c_0..c_K */
    double *l0, *l0_err;       /* (nf) ln S(0) keeping c_0..c_K and its standard error */
    double *smooth;            /* (nf) filtered spectrum as used for the result */
    double lambda, lambda_end; /* bias of ln S inside and at both ends */
    size_t pstar;              /* coefficients of the best Akaike value, or as fixed */
    double p_mean;             /* mean P under the weights, effective number of coefficients for
                                  MLK_RULE_SHAPES, pstar otherwise */
    double ln_s0, sigma;       /* result: ln S(0), standard error */
} mlk_cepstral;

/* Analyse the m fluxes set[0..m-1] of sp: set[0] reduced by the others (m = 1: plain).
 * rule, p: cut-off; p = number of coefficients for MLK_RULE_FIXED.
 * Errors: MLK_EINVAL fewer components than fluxes, p out of range; MLK_ENUMERIC singular spectrum
 * at some frequency (linearly dependent fluxes); MLK_ENOMEM. Free with mlk_cepstral_free. */
mlk_status mlk_cepstral_init(mlk_cepstral *cp, const mlk_spectra *sp, size_t m, const int *set,
                             mlk_rule rule, size_t p, mlk_err *e);
void mlk_cepstral_free(mlk_cepstral *cp);

#endif
