/* tensor.h - the conductivity tensor of an anisotropic cell: kappa(n) = n.K.n for a direction n is
 * the conductivity of the scalar flux J_E.n, corrected by every Cartesian component of every mass
 * flux (docs/THEORY.md). */
#ifndef MLK_TRANSPORT_TENSOR_H
#define MLK_TRANSPORT_TENSOR_H

#include "core/err.h"
#include "core/flux.h"
#include "transport/onsager.h"

typedef struct mlk_tensor {
    char missing[160]; /* "" or why there is no tensor */
    size_t pstar, pstar_naive;
    size_t pieces, dof; /* realisations of the scalar flux, and those left after reduction */
    double naive[9], naive_err[9]; /* [W/m/K], symmetric */
    double kappa[9], kappa_err[9];
    double principal[3], principal_err[3]; /* of kappa, ascending [W/m/K] */
    double axis[9];                        /* (3,3) their directions, one per row */
    double mean, mean_err;                 /* a third of the trace */
    double isotropic_p; /* chance of such differences between directions in an isotropic system:
                           the smaller of the naive and the corrected one, doubled */
    int positive;       /* all principal values are positive */
} mlk_tensor;

/* The cross-spectra of all components are averaged over pieces of the runs (4 per scalar flux
 * wanted), the mass fluxes are eliminated at every frequency, and each of nine directions (axes and
 * diagonals of the faces) is analysed by its cepstrum with a common cut-off, at half the f* of the
 * scalar analysis; off-diagonal elements are half the difference of two diagonals. A run too short
 * is no error but said in `missing`. Errors: MLK_ENOMEM, MLK_ENUMERIC. */
mlk_status mlk_tensor_init(mlk_tensor *t, const mlk_onsager *on, const mlk_flux *fl,
                           const mlk_onsager_opts *o, mlk_err *e);

#endif
