/* adam.h - Adam with decoupled weight decay, clipping relative to the usual gradient norm, and an
 * exponential average of the parameters.
 * Kingma, Ba, arXiv:1412.6980; Loshchilov, Hutter, arXiv:1711.05101. */
#ifndef MLK_TRAIN_ADAM_H
#define MLK_TRAIN_ADAM_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

typedef struct mlk_adam {
    size_t n;
    double *m, *v; /* (n) running mean of the gradient and of its square */
    double *avg;   /* (n) averaged parameters                            */
    double norm;   /* running mean of the gradient norm                  */
    int64_t step;
    double clip, decay, average; /* settings, see mlk_train_optim */
} mlk_adam;

/* avg starts at x. */
mlk_status mlk_adam_init(mlk_adam *a, size_t n, const double *x, mlk_err *e);
void mlk_adam_free(mlk_adam *a);
/* Forget the gradients seen so far (after stepping back to earlier parameters x). */
void mlk_adam_reset(mlk_adam *a, const double *x);
/* One step on x (n) along g (n; scaled in place when clipped) with learning rate lr. */
void mlk_adam_step(mlk_adam *a, double *x, double *g, double lr);

#endif
