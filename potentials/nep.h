/* nep.h - the neuroevolution potential, NEP3 and NEP4: what nep.c, nep_io.c and the kernels share,
 * and the descriptors for whoever wants to look at them.
 *
 *   U_i      = sum_n w1_n tanh(sum_d w0_nd s_d q_d - b0_n) - b1
 *              one network (NEP3) or one per type (NEP4)
 *   q_n      = sum_j g_n(r_ij)                                              n < nr: radial
 *   q_nl     = (2l+1)/(4 pi) sum_jk g_n(r_ij) g_n(r_ik) P_l(cos theta_jk)   n < na, 1 <= l <= L
 *   q_n222   = -sqrt(2/35) 108 (5/16 pi)^(3/2) det Q_n,   Q traceless quadrupole of g_n
 *   q_n1111  = 7/15 q_n1^2
 *   g_n(r)   = sum_k c_nk^{IJ} f_k(r),  f_k = (T_k(2(r/rc-1)^2-1)+1)/2 * (1+cos(pi r/rc))/2
 *
 * Fan et al., Phys. Rev. B 104, 104309 (2021); J. Chem. Phys. 157, 114801 (2022);
 * Song et al., Nat. Commun. 15, 10208 (2024). File format: docs/FORMATS.md. */
#ifndef MLK_POTENTIALS_NEP_H
#define MLK_POTENTIALS_NEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "potentials/potential.h"

enum { MLK_NEP_L_MAX = 8 }; /* largest l of the 3-body descriptors */

/* Hyper-parameters, table in nep.c. */
typedef struct mlk_nep_hyper {
    mlk_reals cutoff; /* radial, angular [A]                              */
    mlk_ints n_max;   /* radial, angular                                  */
    mlk_ints basis;   /* radial, angular                                  */
    mlk_ints l_max;   /* 3-body 1..MLK_NEP_L_MAX, 4-body 0|2, 5-body 0|1  */
    int neuron;
    mlk_reals zbl; /* inner, outer [A]; empty: off                     */
} mlk_nep_hyper;

enum {                         /* how the cutoff line of nep.txt is written */
       MLK_NEP_CUTOFF_PLAIN,   /* radial angular NN_radial NN_angular   */
       MLK_NEP_CUTOFF_FACTORS, /* ... and factors of the covalent radii: radial angular zbl */
       MLK_NEP_CUTOFF_SPECIES  /* radial_1 angular_1 radial_2 angular_2 ... NN_radial NN_angular  */
};

/* Everything is padded to 8 lanes: x8 = x rounded up to a multiple of 8, pads are zero. */
typedef struct mlk_nep {
    int version;        /* 3 or 4                                                              */
    size_t nt, n_net;   /* species; networks: nt (NEP4) or 1 (NEP3)                            */
    size_t nr, na;      /* radial and angular functions, n_max + 1                             */
    size_t kr, ka;      /* basis functions, basis_size + 1                                     */
    size_t L, l4, l5;   /* largest l; 1 if the (222) and the (1111) invariants are there       */
    size_t nl, nlm;     /* angular rows L + l4 + l5; components L(L+2)                         */
    size_t neuron, dim; /* hidden neurons; descriptors nr + na*nl                              */
    size_t nr8, na8, kr8, neuron8, dim8, nlm8;
    int cutoff_style;   /* MLK_NEP_CUTOFF_*                                                    */
    double *rcr, *rca;  /* (nt) radial and angular cutoffs as in the file [A]                  */
    double factor[3];   /* radial, angular, zbl factors of MLK_NEP_CUTOFF_FACTORS              */
    int zbl_tokens;     /* numbers on the zbl line: 0 (none), 2, 3                             */
    double *zbl_table;  /* (nt(nt+1)/2,10) flexible ZBL, or NULL                               */
    int nn[2];          /* most neighbours seen in training: radial, angular                   */
    bool prepared;      /* the scaler is fixed                                                 */
    double *scaler;     /* (dim) s_d                                                           */
    size_t n_ann, n_cr; /* parameters of all networks; of the radial expansion                 */

    /* packed by mlk_nep_pack from param and scaler */
    double *rr, *ra;  /* (nt,nt) cutoffs of pairs [A]                                        */
    double *w0t, *w0; /* (n_net,dim,neuron8) and (n_net,neuron,dim8): w0_nd s_d              */
    double *b0, *w1;  /* (n_net,neuron8): -b0, w1                                            */
    double b1;
    double *cr, *crt; /* radial c: (nt,nt,kr,nr8) and (nt,nt,nr,kr8)                         */
    double *ca;       /* angular c: (nt,nt,ka,na8)                                           */
} mlk_nep;

extern const mlk_potential_type mlk_potential_nep;

/* nep.c: fill the derived sizes of *m from version, nt, n_max .. l5, allocate its arrays and
 * pot->param (zeros). */
mlk_status mlk_nep_alloc(mlk_potential *pot, mlk_nep *m, mlk_err *e);
/* nep.c: refresh the packed copies after param, scaler or cutoffs changed. */
mlk_status mlk_nep_pack(mlk_potential *pot, mlk_err *e);
void mlk_nep_destroy(mlk_potential *pot);

/* nep_io.c */
bool mlk_nep_sniff(const char *path, const char *head);
mlk_status mlk_nep_read(mlk_potential *pot, const char *path, mlk_err *e);
mlk_status mlk_nep_write(const mlk_potential *pot, const char *path, mlk_err *e);

/* nep_auto.c: cutoffs left open in *hyper (mlk_nep_hyper), from the density of the frames. */
mlk_status mlk_nep_suggest(void *hyper, size_t n_frames, const mlk_frame *const *frames,
                           mlk_err *e);
/* nep_param.c: see mlk_potential_type.param_species. */
void mlk_nep_param_species(const mlk_potential *pot, int (*of)[2]);

/* Length of the descriptor of a NEP, 0 for another potential. */
size_t mlk_nep_dim(const mlk_potential *pot);
/* Descriptors of the centres [i0,i1): q (i1-i0,dim), not scaled; order: radial n, then for l = 1..L
 * the n of each, then (222), then (1111). scaler (dim), when not NULL, receives s. */
mlk_status mlk_nep_descriptors(const mlk_potential *pot, const mlk_neigh *nl, const int *type,
                               size_t i0, size_t i1, mlk_scratch *s, double *q, double *scaler,
                               mlk_err *e);

#endif
