/* lsq.h - weighted ridge least squares for potentials that are linear in their parameters. */
#ifndef MLK_TRAIN_LSQ_H
#define MLK_TRAIN_LSQ_H

#include <stddef.h>

#include "core/err.h"
#include "datasets/dataset.h"
#include "potentials/potential.h"

typedef struct mlk_lsq_config {
    double w_energy, w_force,
        w_virial;         /* weights of the errors, each in units of its label's spread */
    double ridge;         /* >= 0, relative to columns of unit norm; NaN: chosen on validation   */
    double slack;         /* the largest ridge whose validation loss is within this of the least */
    double lowest;        /* and no smaller one than this; 0: round-off is the limit             */
    const double *weight; /* (ds->n) weight of every frame, borrowed; NULL: all 1                */
} mlk_lsq_config;

/* energy 1, force 1, virial 0.1, ridge chosen on the validation frames, nearly the best */
#define MLK_LSQ_DEFAULTS                                                                           \
    {                                                                                              \
        .w_energy = 1, .w_force = 1, .w_virial = 0.1, .ridge = NAN, .slack = 0.03                  \
    }

typedef struct mlk_lsq_result {
    double ridge;
    size_t n_rows, n_param; /* equations (training labels used), unknowns */
    double wall_s;
    double train_loss, valid_loss; /* loss below on the two splits; valid NaN without such frames */
} mlk_lsq_result;

/* Fit pot->param on the training frames of ds; pot->e0 and pot->zbl as they stand are taken off the
 * labels first. Minimised is the mean over frames of the loss that gradient training uses,
 *     w_energy (dE/n/s_E)^2 + w_force/(3n) sum_i |dF_i/s_F|^2 + w_virial/6 sum_c (dW_c/n/s_W)^2,
 * s_E and s_W the standard deviations of energy and virial per atom, s_F the RMS force, of the
 * training labels (with floors of 1 meV, 10 meV/A and 1 meV); labels that a frame lacks are left
 * out; plus ridge times the square of the parameters, scaled so that every column has unit norm.
 * Normal equations are accumulated in blocks of at most 64 MB, diagonalised once, and the ridge
 * that is best on the validation frames is searched over 14 decades. The result does not depend on
 * the number of threads. Calls type->update. Memory: three matrices (n_param, n_param), two when
 * the ridge is given. Errors: MLK_EUNSUPPORTED not MLK_CAP_LINEAR; MLK_EINVAL no training frame or
 * label; MLK_ENOMEM; MLK_EINTERRUPTED; MLK_ENUMERIC. pot->param is only changed on success. */
mlk_status mlk_lsq_fit(mlk_potential *pot, const mlk_dataset *ds, const mlk_lsq_config *cfg,
                       mlk_lsq_result *res, mlk_err *e);

#endif
