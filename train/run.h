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
    /* the second part, see polish.c */
    int64_t n_cycle, cycle, steps; /* planned and finished cycles; steps in each    */
    int64_t n_stall;               /* cycles in a row that gained little            */
    int64_t n_eval;                /* evaluations of the whole training set         */
    double mu, we, wv;             /* damping; weights of energy and virial in force */
    double share;                  /* of the loss that energies should have          */
} mlk_train_state;

typedef struct mlk_trainer { /* a gradient training run */
    mlk_potential *pot;
    const mlk_train_config *c;
    mlk_train_loss w;    /* weights; those left open ("auto") at their first value */
    bool auto_e, auto_v; /* energy and virial were left open */
    uint64_t seed;
    mlk_loss loss;
    mlk_train_state t;
    size_t *train, *valid, *order;   /* frame indices */
    size_t n_train, n_valid, n_step; /* n_step: batches per epoch */
    size_t batch;                    /* frames per step */
    double atoms;                    /* in the training frames */
    double *grad, *keep;
    mlk_history *h;
    const char *dir, *key;     /* of the checkpoint; dir may be NULL */
    double started, last_save; /* wall clock */
} mlk_trainer;

/* train.c */
mlk_status mlk_trainer_set_param(mlk_trainer *d, const double *x, mlk_err *e);
/* Errors of the validation frames (of the training frames when there are none) with parameters x,
 * into the history and the progress line; the best are kept, by *loss: the geometric mean of the
 * errors relative to the spread of their labels. text: progress, "epoch 3/10"; done: share of the
 * run. */
mlk_status mlk_trainer_judge(mlk_trainer *d, const double *x, double lr, const char *text,
                             double done, double *loss, mlk_err *e);
mlk_status mlk_trainer_save(mlk_trainer *d, mlk_err *e);

/* polish.c: how many cycles and steps in each (t.n_cycle, t.steps) where `visits` atoms may be seen
 * in all; what those cost, in atoms seen. */
void mlk_polish_plan(mlk_trainer *d, double visits);
double mlk_polish_cost(const mlk_trainer *d);
/* The second part: the planned cycles from where t stands. */
mlk_status mlk_polish(mlk_trainer *d, mlk_err *e);

/* Write to dir/checkpoint.h5 atomically: state, parameters, history, key. */
mlk_status mlk_checkpoint_write(const char *dir, const char *key, const mlk_train_state *t,
                                double *param, mlk_history *h, mlk_err *e);
/* Read it back into an initialised state. *found false: there is none. Errors: MLK_EINVAL another
 * key or another number of parameters. */
mlk_status mlk_checkpoint_read(const char *dir, const char *key, mlk_train_state *t, double *param,
                               mlk_history *h, bool *found, mlk_err *e);

#endif
