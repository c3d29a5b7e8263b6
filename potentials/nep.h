/* nep.h - the neuroevolution potential, NEP3 and NEP4: what nep.c, nep_io.c and the kernels share,
 * and the descriptors for whoever wants to look at them.
 *
 *   U_i      = sum_n w1_n tanh(sum_d w0_nd s_d q_d - b0_n) - b1
 *              one network (NEP3) or one per type (NEP4)
 *   q_n      = sum_j g_n(r_ij)                                              n < nr: radial
 *   q_nl     = (2l+1)/(4 pi) sum_jk g_n(r_ij) g_n(r_ik) P_l(cos theta_jk)   n < na, 1 <= l <= L
 *   q_nabc   = sum_mm'm'' (a b c; m m' m'') A_nam A_nbm' A_ncm''     (3j symbols)
 *              abc = 222, 112, 123, 233, 134;  A_nlm = sum_j g_n(r_ij) Y_lm
 *   q_n1111  = 7/15 q_n1^2
 *   g_n(r)   = sum_k c_nk^{IJ} f_k(r),
 *   f_k      = (T_k(2(r/rc-1)^2-1)+1)/2 * (1+cos(pi r/rc))/2
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
/* the others, in the order of the l_max line of nep.txt, which is that of their rows */
enum {
    MLK_NEP_222,
    MLK_NEP_1111,
    MLK_NEP_112,
    MLK_NEP_123,
    MLK_NEP_233,
    MLK_NEP_134,
    MLK_NEP_BODIES
};

/* k s_a s_b s_c, a part of a 4-body descriptor: see nep_coupling.c */
typedef struct mlk_nep_term {
    double k;
    unsigned char a, b, c; /* components of s, a <= b <= c */
} mlk_nep_term;

/* Hyper-parameters, table in nep.c. */
typedef struct mlk_nep_hyper {
    mlk_reals cutoff; /* radial, angular [A]; none: left open             */
    mlk_ints n_max;   /* radial, angular; none: left open                 */
    mlk_ints basis;   /* radial, angular                                  */
    mlk_ints l_max;   /* 3-body 1..MLK_NEP_L_MAX, then flags of MLK_NEP_222 ...    */
    int neuron;       /* 0: left open                                     */
    mlk_reals zbl;    /* inner, outer [A]; empty: off                     */
} mlk_nep_hyper;

enum {                         /* how the cutoff line of nep.txt is written */
       MLK_NEP_CUTOFF_PLAIN,   /* radial angular NN_radial NN_angular   */
       MLK_NEP_CUTOFF_FACTORS, /* ... and factors of the covalent radii: radial angular zbl */
       MLK_NEP_CUTOFF_SPECIES  /* radial_1 angular_1 radial_2 angular_2 ... NN_radial NN_angular  */
};

/* Everything is padded to 8 lanes: x8 = x rounded up to a multiple of 8, pads are zero. */
typedef struct mlk_nep {
    int version;      /* 3 or 4                                                              */
    size_t nt, n_net; /* species; networks: nt (NEP4) or 1 (NEP3)                            */
    size_t nr, na;    /* radial and angular functions, n_max + 1                             */
    size_t kr, ka;    /* basis functions, basis_size + 1                                     */
    size_t L;         /* largest l                                                           */
    size_t row[MLK_NEP_BODIES]; /* angular row of each further descriptor; 0: not there        */
    size_t nl, nlm;     /* angular rows; components L(L+2)                                     */
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

    mlk_nep_term *term; /* of the 4-body descriptors; those of descriptor k: end[k-1]..end[k]  */
    size_t end[MLK_NEP_BODIES];
} mlk_nep;

extern const mlk_potential_type mlk_potential_nep;

/* nep_coupling.c: L and the rows of *m from the numbers of an l_max line, 1 to 7 of them. */
mlk_status mlk_nep_set_l(mlk_nep *m, const mlk_ints *l, mlk_err *e);
/* nep_coupling.c: the reverse; as few numbers as GPUMD of any age accepts, 3 or more. */
mlk_ints mlk_nep_get_l(const mlk_nep *m);
/* nep_coupling.c: the terms of the 4-body descriptors of *m. */
mlk_status mlk_nep_couple(mlk_nep *m, mlk_err *e);
/* nep.c: fill the derived sizes of *m and pot->n_param from version, nt, n_max .. row. */
void mlk_nep_sizes(mlk_potential *pot, mlk_nep *m);
/* nep.c: the same, and allocate the arrays of *m and pot->param (zeros). */
mlk_status mlk_nep_alloc(mlk_potential *pot, mlk_nep *m, mlk_err *e);
/* nep.c: refresh the packed copies after param, scaler or cutoffs changed. */
mlk_status mlk_nep_pack(mlk_potential *pot, mlk_err *e);
void mlk_nep_destroy(mlk_potential *pot);

/* nep_io.c */
bool mlk_nep_sniff(const char *path, const char *head);
mlk_status mlk_nep_read(mlk_potential *pot, const char *path, mlk_err *e);
mlk_status mlk_nep_write(const mlk_potential *pot, const char *path, mlk_err *e);

/* nep_auto.c: cutoffs and sizes left open in *hyper (mlk_nep_hyper), from the frames; without
 * frames 6 and 5 A and the full size. */
mlk_status mlk_nep_suggest(void *hyper, size_t n_frames, const mlk_frame *const *frames,
                           mlk_err *e);
/* nep_param.c: see mlk_potential_type.param_species. */
void mlk_nep_param_species(const mlk_potential *pot, int (*of)[2]);

/* Length of the descriptor of a NEP, 0 for another potential. */
size_t mlk_nep_dim(const mlk_potential *pot);
/* Descriptors of the centres [i0,i1): q (i1-i0,dim), not scaled; order: radial n, then for l = 1..L
 * the n of each, then those of the l_max line. scaler (dim), when not NULL, receives s. */
mlk_status mlk_nep_descriptors(const mlk_potential *pot, const mlk_neigh *nl, const int *type,
                               size_t i0, size_t i1, mlk_scratch *s, double *q, double *scaler,
                               mlk_err *e);

#endif
