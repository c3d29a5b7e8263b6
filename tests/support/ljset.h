/* ljset.h - small data sets labelled by a Lennard-Jones model of two species, for tests of
 * training: the exact parameters are known. */
#ifndef MLK_TESTS_LJSET_H
#define MLK_TESTS_LJSET_H

#include "train/loss.h"

extern const int ljset_z[2];
extern const double ljset_true[4], ljset_start[4]; /* parameters that made the data; a start */
extern const double ljset_e0[2];

mlk_potential *ljset_model(const double *param);
/* n frames of a rattled rock-salt cell labelled by the true model, every fifth for validation;
 * mixed: also other compositions */
mlk_dataset ljset_make(size_t n, bool mixed);
void ljset_free(mlk_dataset *ds);
/* the loss of a set with weights of 1.3, 0.7 and 0.4 */
mlk_loss ljset_loss(mlk_potential *pot, const mlk_dataset *ds, double huber);

#endif
