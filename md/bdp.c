/* bdp.c - canonical sampling by stochastic velocity rescaling: Bussi, Donadio, Parrinello, J. Chem.
 * Phys. 126, 014101 (2007), the exact propagator of the kinetic energy (their eq. A7). */
#include "md/md.h"

#include <math.h>

#include "core/rng.h"
#include "core/units.h"

#define BDP_STREAM ((uint64_t)2 << 48) /* one random stream per step: a restart needs no state */

double mlk_bdp_factor(double kinetic, double kinetic_target, size_t dof, double dt_over_tau,
                      uint64_t seed, int64_t step)
{
    if (!(kinetic > 0) || dof < 1) return 1;
    mlk_rng g = mlk_rng_make(seed, BDP_STREAM + (uint64_t)step);
    double c = exp(-dt_over_tau), a = (1 - c) * kinetic_target / ((double)dof * kinetic);
    double r = mlk_rng_normal(&g), chi2 = mlk_rng_chi2(&g, dof - 1);
    double square = c + a * (r * r + chi2) + 2 * r * sqrt(c * a);
    double sign = r + sqrt(c / a) < 0 ? -1 : 1;
    return sign * sqrt(fmax(square, 0));
}

void mlk_bdp_apply(mlk_md *md)
{
    double before = md->kinetic, dof = mlk_md_dof(md);
    double target = 0.5 * dof * MLK_KB * md->cfg.temp;
    mlk_md_scale_velocities(md, mlk_bdp_factor(before, target, (size_t)dof,
                                               md->cfg.dt / md->cfg.tau, md->cfg.seed, md->step));
    md->sums.heat += md->kinetic - before;
}
