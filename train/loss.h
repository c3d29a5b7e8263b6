/* loss.h - frames prepared for one model, the loss of a batch and its gradient. */
#ifndef MLK_TRAIN_LOSS_H
#define MLK_TRAIN_LOSS_H

#include "train/train.h"

typedef struct mlk_sample { /* a frame with its neighbour list, built once                       */
    const mlk_frame *fr;    /* borrowed                                                          */
    int *type;              /* (n)                                                               */
    mlk_neigh nl;
    double weight;  /* from loss.groups                                                  */
    double energy;  /* target of sum u: label - sum e0 - ZBL [eV]                        */
    double (*f)[3]; /* (n,3) target forces: label - ZBL [eV/A]; borrowed label if no ZBL */
    bool own_f;
    double w[6]; /* target virial xx yy zz xy yz zx, symmetrised, minus ZBL [eV]      */
} mlk_sample;

typedef struct mlk_loss_sums { /* errors of the frames of one or many batches */
    double loss, e2, f2, s2;   /* sums of: frame losses; (dE/n)^2; |dF|^2; stress error^2 [GPa^2] */
    double nl, ne, nf, ns;     /* number of terms in each                                         */
    double v2;                 /* (dW/n)^2 of the virial components, ns terms                     */
} mlk_loss_sums;

typedef struct mlk_slot mlk_slot; /* work space of one frame of a batch */

typedef struct mlk_loss {
    mlk_sample *sample; /* (n) owned; same order as the frames of the set */
    size_t n;
    double spread_e, spread_f,
        spread_v;             /* label spread: eV/atom, eV/A, eV/atom; 0: no such label */
    size_t n_e, n_f, n_v;     /* training frames with each label */
    double we, wf, wv, huber; /* weights now in force */
    mlk_slot *slot;
    size_t n_slot;
    double *chunk_grad; /* (chunks, n_param) */
    size_t cap_chunk_grad;
    struct mlk_chunk *chunk; /* (chunks) atoms i0..i1 of a slot */
    size_t cap_chunk;
    mlk_scratch *scratch; /* one per thread */
    int n_scratch;
} mlk_loss;

/* Prepare all frames of ds for pot (reference energies and ZBL already set). weight (ds->n). */
mlk_status mlk_loss_init(mlk_loss *l, const mlk_potential *pot, const mlk_dataset *ds,
                         const double *weight, mlk_err *e);
void mlk_loss_free(mlk_loss *l);
/* Errors of nb frames, added to *sums; with grad (n_param) also the gradient of their mean loss
 *   l_f = we (dE/n/se)^2 + wf/(3n) sum_i rho(|dF_i|/sf) + wv/6 sum_c (dW_c/n/sv)^2,
 *   rho(x) = x^2, or with huber = d > 0 2 d^2 (sqrt(1 + x^2/d^2) - 1).
 * Parallel over chunks of atoms; the chunks depend only on the batch and are summed in order, so
 * the result is the same for any number of threads. */
mlk_status mlk_loss_batch(mlk_loss *l, const mlk_potential *pot, const size_t *idx, size_t nb,
                          double *grad, mlk_loss_sums *sums, mlk_err *e);
/* h (n_param,n_param; upper) += estimate of the Gauss-Newton matrix J^T J of the mean loss of nb
 * frames. J has one row per energy, six per virial and, of the 3n force rows of a frame, its share
 * of n_row in all: combinations by a cosine transform with random signs drawn from seed, which
 * preserve J^T J on average, and exactly when there are as many as force components. huber is
 * ignored. Same bits for any number of threads. */
mlk_status mlk_loss_curvature(mlk_loss *l, const mlk_potential *pot, const size_t *idx, size_t nb,
                              size_t n_row, uint64_t seed, double *h, mlk_err *e);

#endif
