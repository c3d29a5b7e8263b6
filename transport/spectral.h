/* spectral.h - where in frequency the energy flux has its power, before and after what the mass
 * fluxes explain of it is taken out. */
#ifndef MLK_TRANSPORT_SPECTRAL_H
#define MLK_TRANSPORT_SPECTRAL_H

#include <stddef.h>

#include "transport/cepstral.h"

/* Means over nb bands of equal width; band b holds bins b*nf/nb .. (b+1)*nf/nb-1.
 *   set        (m) fluxes of sp, the energy first
 *   naive      (nb) spectrum of flux set[0] per component [flux^2 fs]
 *   corrected  (nb) the same reduced by the others; NaN where a band holds too few numbers
 *   share      (2,nb) share of all power up to the end of the band, naive and corrected */
void mlk_spectral_bands(const mlk_spectra *sp, size_t m, const int *set, size_t nb, double *naive,
                        double *corrected, double *share);

#endif
