/* derive.h - new fluxes made from those of a run: sums, first stretches.
 * The results own their samples; free them with mlk_flux_free. */
#ifndef MLK_TRANSPORT_DERIVE_H
#define MLK_TRANSPORT_DERIVE_H

#include "core/err.h"
#include "core/flux.h"

/* J'_i = sum_a t[i*fl->m+a] J_a, i < m2, runs as in fl. Errors: MLK_EINVAL, MLK_ENOMEM. */
mlk_status mlk_flux_mix(mlk_flux *out, const mlk_flux *fl, size_t m2, const double *t, mlk_err *e);
/* Means of tskip samples. Errors: MLK_ENOMEM. */
mlk_status mlk_flux_resample(mlk_flux *out, const mlk_flux *fl, size_t tskip, mlk_err *e);
/* The first `part` of 8 parts of every run. Errors: MLK_ENOMEM. */
mlk_status mlk_flux_first(mlk_flux *out, const mlk_flux *fl, size_t part, mlk_err *e);

#endif
