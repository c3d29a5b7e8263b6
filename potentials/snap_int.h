/* snap_int.h - what the files of the SNAP potential share: tables (snap_table.c) and the linear
 * basis (snap_basis.c). Not for other code. */
#ifndef MLK_POTENTIALS_SNAP_INT_H
#define MLK_POTENTIALS_SNAP_INT_H

#include "core/err.h"
#include "potentials/k_snap.h"
#include "potentials/potential.h"

typedef struct snap_setup {
    int twojmax;
    double rcutfac, rfac0, rmin0; /* pair cutoff = rcutfac (R_i + R_j)  */
    bool quadratic, chem, bzero, bnorm, wselfall, sw;
    int nt;
    const double *radius, *weight; /* (nt) */
} snap_setup;

typedef struct snap_state { /* mlk_potential.state */
    double rcutfac;
    double radius[MLK_SPECIES_MAX], weight[MLK_SPECIES_MAX];
    k_snap tab;
} snap_state;

/* Number of bispectrum components of one element triplet. */
size_t snap_components(int twojmax);
/* Fill an all-zero *t. Free with snap_table_free, also after an error. */
mlk_status snap_table_build(const snap_setup *s, k_snap *t, mlk_err *e);
void snap_table_free(k_snap *t);
/* Slot job*ne + e of the product of (ja,ea) and (jb,eb), in any order, into (j,e); -1: not there.
 */
int snap_table_slot(const k_snap *t, int ja, int ea, int jb, int eb, int j, int e);
/* Take LAMMPS's forces: with several densities its adjoint is the gradient of the energy only for
 * coefficients that are symmetric where components are equal by exchange (k_same), as a fit gives
 * to round-off. For others its forces are not conservative; this reproduces them. */
mlk_status snap_table_follow_lammps(k_snap *t, mlk_err *e);
/* Refresh gamma and shift from param (nt,nb). */
void snap_table_update(k_snap *t, const double *param);

/* Components b (nk) of centre i and their derivatives db[c][k*m + q] (m pairs); db may be NULL. */
mlk_status snap_components_of(const k_snap *t, const mlk_neigh *nl, const int *type, size_t i,
                              mlk_scratch *s, double *b, double *const db[3], mlk_err *e);

#endif
