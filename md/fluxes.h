/* fluxes.h - instantaneous currents of an MD state. Extensive: not divided by the volume. */
#ifndef MLK_MD_FLUXES_H
#define MLK_MD_FLUXES_H

#include <stddef.h>

#include "potentials/potential.h"

typedef struct mlk_md_flux {
    double kinetic[3];               /* sum_i (m_i v_i^2/2) v_i [eV A/tau]       */
    double convective[3];            /* sum_i U_i v_i           [eV A/tau]       */
    double virial[3];                /* sum_i W_i.v_i           [eV A/tau]       */
    double mass[MLK_SPECIES_MAX][3]; /* sum_{i of el} m_i v_i [amu A/tau] */
} mlk_md_flux;

/* Currents of n atoms.
 *   el     (n) index of the mass flux an atom belongs to, < n_el
 *   mass   (n) [amu];  v (n,3) [A/tau]
 *   ev     evaluation with MLK_WANT_W at the same instant */
void mlk_md_fluxes(size_t n, const int *el, size_t n_el, const double *mass, const double (*v)[3],
                   const mlk_eval *ev, mlk_md_flux *out);

#endif
