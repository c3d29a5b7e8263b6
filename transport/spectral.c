/* spectral.c - see spectral.h. */
#include "transport/spectral.h"

#include <complex.h>
#include <math.h>
#include <string.h>

#include "core/flux.h"

void mlk_spectral_bands(const mlk_spectra *sp, size_t m, const int *set, size_t nb, double *naive,
                        double *corrected, double *share)
{
    double total[2] = {0};
    for (size_t b = 0; b < nb; b++) {
        size_t lo = b * sp->nf / nb, hi = (b + 1) * sp->nf / nb;
        double complex c[MLK_FLUX_MAX * MLK_FLUX_MAX] = {0};
        for (size_t k = lo; k < hi; k++)
            for (size_t i = 0; i < m; i++)
                for (size_t j = 0; j < m; j++) {
                    const double *v =
                        sp->c + 2 * ((k * sp->m + (size_t)set[i]) * sp->m + (size_t)set[j]);
                    c[i * m + j] += v[0] + I * v[1];
                }
        double n = (double)((hi - lo) * sp->ell), used = (double)(m - 1);
        naive[b] = creal(c[0]) / n;
        for (size_t p = m; p-- > 1;) /* sums of n numbers, of which each elimination uses one up */
            for (size_t i = 0; i < p; i++) {
                double complex f = c[i * m + p] / creal(c[p * m + p]);
                for (size_t j = 0; j < p; j++) c[i * m + j] -= f * c[p * m + j];
            }
        corrected[b] = n > used ? creal(c[0]) / (n - used) : NAN;
        total[0] += naive[b] * (double)(hi - lo), total[1] += corrected[b] * (double)(hi - lo);
        share[b] = total[0], share[nb + b] = total[1];
    }
    for (size_t b = 0; b < nb; b++) share[b] /= total[0], share[nb + b] /= total[1];
}
