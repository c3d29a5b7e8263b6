/* describe.h - a model's descriptors of the frames of a data set, as the matrices from which
 * datasets/select.h chooses, and their ranges, by which MD tells extrapolation. */
#ifndef MLK_TRAIN_DESCRIBE_H
#define MLK_TRAIN_DESCRIBE_H

#include <stddef.h>

#include "datasets/dataset.h"
#include "datasets/select.h"
#include "potentials/potential.h"

/* Numbers per frame of mlk_describe_features: mean and deviation of each descriptor, per species.
 */
size_t mlk_describe_width(const mlk_potential *pot);
/* Features of the frames ds->frame[index[k]], k < n: x (n, mlk_describe_width), see
 * mlk_select_features. Parallel over frames, one frame's descriptors in memory per thread.
 * Errors: a model without descriptors, an unknown species (with source and line). */
mlk_status mlk_describe_features(const mlk_potential *pot, const mlk_dataset *ds, size_t n,
                                 const size_t *index, double *x, mlk_err *e);
/* Rows of all atoms in the space of their species (mlk_space), which is made from these same
 * frames; free with mlk_rows_free, also after an error. Descriptors are computed twice, blocks of
 * frames at a time. Memory: 8 bytes x atoms x coordinates, at most max_bytes.
 * Errors: as above; MLK_EUNSUPPORTED more than max_bytes are needed. */
mlk_status mlk_describe_rows(const mlk_potential *pot, const mlk_dataset *ds, size_t n,
                             const size_t *index, double resolution, double max_bytes, mlk_rows *r,
                             mlk_err *e);
/* Range of every descriptor over the training frames, per species, into pot->ranges (NULL for a
 * model without descriptors). Logs how the validation frames look through them. */
mlk_status mlk_fit_ranges(mlk_potential *pot, const mlk_dataset *ds, mlk_err *e);

#endif
