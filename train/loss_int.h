/* loss_int.h - what loss.c and curvature.c share: the work space of one frame. */
#ifndef MLK_TRAIN_LOSS_INT_H
#define MLK_TRAIN_LOSS_INT_H

#include "train/loss.h"

struct mlk_slot {
    double *u, (*fbar)[3];  /* (n), (n,3) */
    double *ubar;           /* (n) */
    double *p[3], *pbar[3]; /* (np) */
    size_t cap_n, cap_np;
    double wbar[3][3];
    mlk_loss_sums sums;
};

mlk_status mlk_slot_reserve(mlk_slot *s, size_t n, size_t np, mlk_err *e);
/* s->pbar, the dL/dp of the pairs of atoms [i0,i1), from fbar = dL/dF and wbar = dL/dW */
void mlk_pair_adjoint(const mlk_neigh *nl, mlk_slot *s, size_t i0, size_t i1);

#endif
