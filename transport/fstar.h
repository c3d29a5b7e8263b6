/* fstar.h - how far to resample, and into how many pieces to cut, before the cepstral analysis. */
#ifndef MLK_TRANSPORT_FSTAR_H
#define MLK_TRANSPORT_FSTAR_H

#include "core/err.h"
#include "core/flux.h"
#include "transport/cepstral.h"

/* Pieces per run of n_run runs of fl for m fluxes. Averaging the matrices of at least 4 (or 2m)
 * pieces before the elimination raises the degrees of freedom nu: var ln S falls from
 * psi'(ell-m+1)/N towards 1/(ell N), a factor 1.7 for two fluxes and 4 for three. Pieces stay long:
 * 10 ps and 100 samples. */
size_t mlk_pieces_auto(const mlk_flux *fl, size_t n_run, size_t m, size_t tskip);

/* Resampling factor for the fluxes set[0..m-1] (set[0] reduced by the others), from the reduced
 * spectrum only, so that it does not depend on the zero of the energies. It is the smaller of the
 * frequency below which 9/10 of the power lies and 8 times the width of the structure at zero
 * frequency. For the rules that cut the cepstrum off it is lowered by steps of sqrt 2 until the
 * filtered spectrum agrees with the lowest bins of the unfiltered one: when the part near zero
 * frequency is a small share of the band, the Akaike criterion smooths it away, and a narrower band
 * cures that. full    spectra of all fluxes at the original sampling pool    pieces by
 * mlk_pieces_auto, else as given in `pieces` Errors: as mlk_cepstral_init. */
mlk_status mlk_tskip_auto(const mlk_flux *fl, const mlk_spectra *full, size_t m, const int *set,
                          mlk_rule rule, size_t p, int pool, size_t pieces, size_t *tskip,
                          mlk_err *e);

/* What another f* would give: factors 1/4 to 4 around `tskip`, the same fluxes and rule. */
enum { MLK_FSTAR_SCAN = 9 };
typedef struct mlk_fstar_scan {
    size_t n;
    double fstar[MLK_FSTAR_SCAN];                                 /* [THz], falling */
    double ln_naive[MLK_FSTAR_SCAN], naive_sigma[MLK_FSTAR_SCAN]; /* ln S(0) of set[0] alone */
    double ln_s0[MLK_FSTAR_SCAN], sigma[MLK_FSTAR_SCAN];          /* reduced by the others */
} mlk_fstar_scan;
/* An f* at which the run is too short is left out. Errors: MLK_ENOMEM. */
mlk_status mlk_fstar_scan_make(mlk_fstar_scan *scan, const mlk_flux *fl, size_t m, const int *set,
                               mlk_rule rule, size_t p, int pool, size_t pieces, size_t tskip,
                               mlk_err *e);

#endif
