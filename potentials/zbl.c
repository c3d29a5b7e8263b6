/* zbl.c - universal ZBL core. */
#include "potentials/potential.h"

void mlk_zbl_add(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i0, size_t i1,
                 double *u, double *const p[3])
{
    (void)pot, (void)nl, (void)type, (void)i0, (void)i1, (void)u, (void)p;
}
double mlk_zbl_outer(const mlk_potential *pot)
{
    return pot->zbl.on ? pot->zbl.outer : 0;
}
