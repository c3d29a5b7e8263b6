/* fluxes.c - instantaneous energy and species fluxes of an MD state.
 * Implements docs/THEORY.md eq. (5) and (6); see Fan et al., Phys. Rev. B 92, 094301 (2015).
 * The per-atom virial is not symmetric: its second index is contracted with the velocity.
 * U_i is what the model gives, without the reference energies e0: those are differences between a
 * pseudopotential's zero of energy and ours, up to hundreds of eV per atom. As part of U_i they
 * would add sum_s (e0_s/m_s) J_s to the energy flux; the corrected conductivity cannot see that,
 * but the naive one would report mostly the pseudopotential, and digits would be lost. Not here:
 * averaging and correlation (transport/). */
#include "md/fluxes.h"

#include <string.h>

void mlk_md_fluxes(size_t n, const int *el, size_t n_el, const double *mass, const double (*v)[3],
                   const mlk_eval *ev, mlk_md_flux *out)
{
    memset(out->kinetic, 0, sizeof out->kinetic);
    memset(out->convective, 0, sizeof out->convective);
    memset(out->virial, 0, sizeof out->virial);
    memset(out->mass, 0, n_el * sizeof *out->mass);
    for (size_t i = 0; i < n; i++) {
        double vx = v[i][0], vy = v[i][1], vz = v[i][2];
        double kin = 0.5 * mass[i] * (vx * vx + vy * vy + vz * vz);
        const double *w = ev->w[i];
        double *jm = out->mass[el[i]];
        for (int a = 0; a < 3; a++) {
            out->kinetic[a] += kin * v[i][a];
            out->convective[a] += ev->u[i] * v[i][a];
            out->virial[a] += w[3 * a] * vx + w[3 * a + 1] * vy + w[3 * a + 2] * vz;
            jm[a] += mass[i] * v[i][a];
        }
    }
}
