/* k_nep.h - the NEP kernels' working memory and entry points (private to potentials/nep*.c,
 * k_nep*.c). */
#ifndef MLK_POTENTIALS_K_NEP_H
#define MLK_POTENTIALS_K_NEP_H

#include "potentials/nep.h"

/* Memory of one centre; m = neighbours, sorted by species, each species padded to 8 lanes. cap is
 * the row length of every (rows, cap) array, a multiple of 8. Unit vectors point to the neighbour.
 */
typedef struct mlk_nep_work {
    size_t cap;
    double *pair; /* (cap) one number per pair of the centre, in the order of its list  */
    /* radial neighbours */
    int *idx;               /* (cap) number of a neighbour in the centre's list */
    double *r, *rinv;       /* (cap)                                                            */
    double *rt, *rhd, *rhg; /* (cap) Chebyshev argument, envelopes of the slopes: see envelope */
    size_t seg[MLK_SPECIES_MAX + 1], count[MLK_SPECIES_MAX + 1]; /* first; how many without pads */
    /* angular neighbours, not padded inside */
    int *a_idx, *a_type; /* (cap) number in the centre's list; species, while sorting            */
    size_t a_seg[MLK_SPECIES_MAX + 1];
    double *ax, *ay, *az;        /* (cap) unit vectors                                         */
    double *ar, *arinv, *arcinv; /* (cap) distance, its inverse, 1/cutoff                      */
    double *afk, *adfk;    /* (ka,cap)                                                         */
    double *g, *dg;        /* (cap,na8) g_n and dg_n/dr                                        */
    double *gt, *dgt;      /* (na8,W) a block of them, transposed */
    double *ylm;           /* (rows,cap) rows: nlm8, at least 24                              */
    double *fsum;          /* (nt,kr8) sum_j f_k                                               */
    double *q, *fq;        /* (dim8 + 8) descriptors; dU/dq                                    */
    double *h;             /* (neuron8)                                                        */
    double *s, *a;         /* (nlm8,na8) s_lm,n; dU/ds                                         */
    double *rows, *rows_b; /* (nl,na8) angular descriptors, their adjoints                     */
    /* vjp only */
    double *vx, *vy, *vz; /* (cap) tangents of the angular unit vectors                       */
    double *rho;          /* (cap) tangents of r, radial list                                 */
    double *arho;         /* (cap) the same, angular list                                     */
    double *ydot;         /* (rows,cap) tangents of ylm                                       */
    double *dfsum;        /* (nt,kr8) tangent of fsum                                         */
    double *dq, *qb;      /* (dim8 + 8) tangent of q; adjoint of q (fq is that of dq)         */
    double *e, *eb;       /* (neuron8) adjoints                                               */
    double *ds, *sb;      /* (nlm8,na8) tangent and adjoint of s (a is the adjoint of ds)     */
    double *rows_dot, *rows_d; /* (nl,na8) tangent of rows, its adjoint                */
    double *g_w0, *g_b0, *g_w1, *g_cr, *g_ca; /* gradients, packed like w0, b0, w1, cr, ca        */
    double g_b1;
} mlk_nep_work;

/* u, p as in mlk_potential_type.eval; q (i1-i0,dim), if not NULL, gets the descriptors and nothing
 * else is computed (u and p may be NULL then). */
typedef void mlk_nep_eval_fn(const mlk_nep *m, const mlk_neigh *nl, const int *type, size_t i0,
                             size_t i1, mlk_nep_work *w, double *u, double *const p[3], double *q);
/* Adds to the g_* arrays of w. */
typedef void mlk_nep_vjp_fn(const mlk_nep *m, const mlk_neigh *nl, const int *type, size_t i0,
                            size_t i1, const double *ubar, double *const pbar[3], mlk_nep_work *w);

extern mlk_nep_eval_fn *const mlk_nep_eval_table[3]; /* by mlk_cpu_level() */
extern mlk_nep_vjp_fn *const mlk_nep_vjp_table[3];

enum { MLK_NEP_LM_MAX = MLK_NEP_L_MAX * (MLK_NEP_L_MAX + 2) };

/* (2l+1)/(4 pi) times the square of the norm of each component of ylm (see k_nep_ylm.h). */
extern const double mlk_nep_clm[MLK_NEP_LM_MAX];
#define MLK_NEP_C1111 (7.0 / 15.0)

#endif
