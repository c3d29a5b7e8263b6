/* nve.c - the parts of velocity Verlet (Swope et al., J. Chem. Phys. 76, 637 (1982)), momentum and
 * temperature. Sums run over atoms in order, so they do not depend on threads. */
#include "md/md.h"

#include <math.h>

#include "core/units.h"

void mlk_nve_kick(mlk_md *md, double dt)
{
    for (size_t i = 0; i < md->n; i++) {
        double a = dt / md->mass[i];
        for (int c = 0; c < 3; c++) md->v[i][c] += a * md->ev.f[i][c];
    }
}

void mlk_nve_drift(mlk_md *md, double dt)
{
    for (size_t i = 0; i < md->n; i++)
        for (int c = 0; c < 3; c++) md->x[i][c] += dt * md->v[i][c];
}

double mlk_md_kinetic(const mlk_md *md)
{
    double k = 0;
    for (size_t i = 0; i < md->n; i++) {
        const double *v = md->v[i];
        k += 0.5 * md->mass[i] * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    }
    return k;
}

double mlk_md_dof(const mlk_md *md)
{
    return 3 * (double)md->n - 3;
}

double mlk_md_temperature(const mlk_md *md)
{
    return 2 * md->kinetic / (mlk_md_dof(md) * MLK_KB);
}

void mlk_md_remove_momentum(mlk_md *md)
{
    double p[3] = {0}, m = 0;
    for (size_t i = 0; i < md->n; i++) {
        m += md->mass[i];
        for (int c = 0; c < 3; c++) p[c] += md->mass[i] * md->v[i][c];
    }
    for (size_t i = 0; i < md->n; i++)
        for (int c = 0; c < 3; c++) md->v[i][c] -= p[c] / m;
}

void mlk_md_scale_velocities(mlk_md *md, double factor)
{
    for (size_t i = 0; i < md->n; i++)
        for (int c = 0; c < 3; c++) md->v[i][c] *= factor;
    md->kinetic = mlk_md_kinetic(md);
}
