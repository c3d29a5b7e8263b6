/* k_snap.h - tables and kernel of the SNAP potential (potentials/snap.c).
 *
 * Neighbours are mapped to the 3-sphere: with theta = rfac0 pi (r - rmin0)/(rc - rmin0),
 *     a = cos(theta) - i v_z,  b = v_y - i v_x,  v = sin(theta) r/|r|.
 * The representation matrices of SU(2) of dimension j+1 (j counts half units everywhere here) are
 *     u^j[mb][ma] = N c^j[mb][ma],  N = sqrt(ma! (j-ma)! / (mb! (j-mb)!)),
 * where c^j[mb][.] are the coefficients of (a* x - b* y)^(j-mb) (b x + a y)^mb, which obey
 *     c^j[mb][ma] = a* c^(j-1)[mb][ma] - b* c^(j-1)[mb][ma-1]
 *                 = b c^(j-1)[mb-1][ma] + a c^(j-1)[mb-1][ma-1],
 *     c^j[j-mb][j-ma] = (-1)^(mb-ma) conj(c^j[mb][ma]),
 *     d c^j[mb][ma]/d a* = (j-mb) c^(j-1)[mb][ma],  d/d b* = -(j-mb) c^(j-1)[mb][ma-1].
 * So only the "half range" (rows mb <= j/2; in the middle row of an even j, ma <= j/2) is kept, the
 * roots stay out of the loop over neighbours, and derivatives need no matrices beyond those of j-1.
 *
 *     U^e = (self) 1 + sum_{j of channel e} w_j fc(r_ij) u(r_ij)
 *     Z(1,2->j)[mb][ma] = sum C^{j mb}_{mb1 mb2} C^{j ma}_{ma1 ma2} U1[mb1][ma1] U2[mb2][ma2]
 *     B_k = f_k <Z(j1 e1, j2 e2 -> j), U^{e3}_j>,  f_k = 1 or 1/(j+1) (bnorm)
 * B/(j+1) is symmetric in its three arguments, so with E = sum beta_k B_k the adjoint
 * Y^e_j = dE/dU^e_j is a sum of Z with weights gamma; dE/dr_ij = <Y, d(w fc u)/dr_ij>. */
#ifndef MLK_POTENTIALS_K_SNAP_H
#define MLK_POTENTIALS_K_SNAP_H

#include <stdbool.h>
#include <stddef.h>

#define K_SNAP_JMAX 14 /* largest twojmax */
#define K_SNAP_GROUP 5 /* most values of j handled at once in one sum over products */

typedef struct k_snap_pair { /* an unordered pair of factors and up to K_SNAP_GROUP results */
    int j1, j2;              /* j1 >= j2                                                     */
    int e1, e2;              /* channels                                                     */
    int u1, u2;              /* first element in the full-range array                        */
    int j0, nj;              /* results j0, j0+2, .., nj of them                             */
    int job;                 /* index of the first                                           */
    bool same;               /* both factors are the same: half of the products suffices     */
    bool forward;            /* some B_k is read from it                                     */
    size_t coef;             /* first coefficient                                            */
} k_snap_pair;

typedef struct k_snap {
    int twojmax, nt, ne; /* species; density channels (1, or nt with chem)               */
    bool chem, quadratic, wselfall, sw;
    double rfac0, rmin0;       /* [1], [A]                                                     */
    double *rcut;              /* (nt,nt) [A]                                                  */
    double *weight;            /* (nt)                                                         */
    int nf, nh, nhp;           /* full range; half range; half range of j < twojmax            */
    int fofs[K_SNAP_JMAX + 2]; /* first full-range element of j                                */
    int hofs[K_SNAP_JMAX + 2]; /* first half-range element of j                                */
    double *norm;              /* (nh) N                                                       */
    double *hw;                /* (nh) how often it counts in a full sum: 2, 1 if its own mirror */
    int *h2f, *h2m;            /* (nh) full-range index of it, and of its mirror               */
    double *sign;              /* (nh) (-1)^(mb-ma)                                            */
    int *fold_i;               /* (nhp,4) half-range elements of Y that multiply c, see fold   */
    double *fold_c;            /* (nhp,4,2) factors of their real and imaginary parts          */
    size_t n_pair, n_job;
    k_snap_pair *pair; /* (n_pair)                                                     */
    int *job_j;        /* (n_job) j of the result                                      */
    double *coef;      /* products of two Clebsch-Gordan coefficients                  */
    size_t n_coef;
    size_t nk, nb;   /* components; parameters per species                           */
    int *k_slot;     /* (nk) job*ne + e3                                             */
    double *k_f;     /* (nk)                                                         */
    int *k_same;     /* (nk) first of the components equal to it by exchange         */
    double *k_zero;  /* (nt,nk) value of an isolated atom, subtracted (0 without bzero) */
    size_t *g_start; /* (n_job*ne + 1) gamma[slot] = sum over g_start[slot].. of     */
    int *g_k;        /*   g_f * beta[g_k]                                            */
    double *g_f;
    double *gamma; /* (nt, n_job*ne) for linear models                             */
    double *shift; /* (nt) c_0 - sum_k c_k k_zero, for linear models               */
} k_snap;

/* Doubles of work space for centres with at most max_pairs pairs. */
size_t k_snap_work(const k_snap *t, size_t max_pairs);
/* Site energies and pair partials of the centres [i0,i1); arrays as in mlk_neigh; param (nt,nb);
 * work 64-byte aligned. level: mlk_cpu_level(). */
void k_snap_eval(int level, const k_snap *t, const double *param, const size_t *start, const int *j,
                 double *const r[3], const int *type, size_t i0, size_t i1, double *work, double *u,
                 double *const p[3]);

#endif
