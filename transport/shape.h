/* shape.h - value at zero frequency of a spectrum whose cepstral coefficients are known with noise,
 * averaged over the shapes that spectra of relaxing and vibrating systems have. */
#ifndef MLK_TRANSPORT_SHAPE_H
#define MLK_TRANSPORT_SHAPE_H

#include <stddef.h>

#include "core/err.h"

typedef struct mlk_shape {
    double ln_s0, sigma; /* ln S(0), standard error */
    double p;            /* effective number of coefficients */
} mlk_shape;

/* Posterior of ln S(0) = c_0 + 2 sum c_n under the prior of docs/THEORY.md.
 *   coef  (nf) cepstral coefficients of ln S
 *   var   variance of the noise of coef[1..nf-2]; that of coef[0] is twice as large
 *   mean  (nf) posterior mean of the coefficients
 * Errors: MLK_ENOMEM; MLK_ENUMERIC coefficients that are not finite. */
mlk_status mlk_shape_average(mlk_shape *out, size_t nf, const double *coef, double var,
                             double *mean, mlk_err *e);

#endif
