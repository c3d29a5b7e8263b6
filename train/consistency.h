/* consistency.h - do stresses and energies of a set agree with its forces? A small linear model is
 * fitted to energies and forces only; its virials are then an independent measure of the stored
 * ones, and what it leaves of the energies shows files that are shifted against each other. */
#ifndef MLK_TRAIN_CONSISTENCY_H
#define MLK_TRAIN_CONSISTENCY_H

#include "datasets/check.h"

typedef struct mlk_consistency_config {
    size_t max_atoms; /* fitted to, spread over all groups; sets the time */
} mlk_consistency_config;

/* some seconds */
#define MLK_CONSISTENCY_DEFAULTS                                                                   \
    {                                                                                              \
        .max_atoms = 9000                                                                          \
    }

/* Adds rows (method "fit"), findings and c->fit. *done false: too few data, c->fit says so. Frames
 * that mlk_dataset_check found to be unconverged, doubled or out of range are not fitted.
 * Errors: MLK_ENOMEM, MLK_EINTERRUPTED. */
mlk_status mlk_dataset_consistency(const mlk_dataset *ds, const mlk_consistency_config *cfg,
                                   mlk_check *c, bool *done, mlk_err *e);

#endif
