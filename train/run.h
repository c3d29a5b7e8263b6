/* run.h - the state of a gradient training run: everything a checkpoint holds. */
#ifndef MLK_TRAIN_RUN_H
#define MLK_TRAIN_RUN_H

#include "train/adam.h"
#include "train/loss.h"

typedef struct mlk_train_state {
    int64_t epoch, n_epoch; /* finished epochs, planned epochs                  */
    int64_t batch;          /* finished batches of the current epoch            */
    int64_t step;           /* optimiser steps in all                           */
    double lr_scale;        /* halved after each divergence                     */
    int64_t n_back;         /* divergences so far                               */
    double best_loss;       /* best validation loss, infinity at first          */
    int64_t best_epoch;
    mlk_loss_sums sums; /* training errors since the epoch began            */
    double *best;       /* (n_param) parameters best on validation          */
    mlk_adam adam;
} mlk_train_state;

/* Write to dir/checkpoint.h5 atomically: state, parameters, history, key. */
mlk_status mlk_checkpoint_write(const char *dir, const char *key, const mlk_train_state *t,
                                const double *param, const mlk_history *h, mlk_err *e);
/* Read it back into an initialised state. *found false: there is none. Errors: MLK_EINVAL another
 * key or another number of parameters. */
mlk_status mlk_checkpoint_read(const char *dir, const char *key, mlk_train_state *t, double *param,
                               mlk_history *h, bool *found, mlk_err *e);

#endif
