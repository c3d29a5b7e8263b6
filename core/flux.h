/* flux.h - energy and mass currents of one or several runs, ready for transport analysis.
 * Units here are those people use: energy flux eV A/ps and mass flux amu A/ps, both extensive (not
 * divided by the volume); time in fs. */
#ifndef MLK_CORE_FLUX_H
#define MLK_CORE_FLUX_H

#include <stddef.h>

#include "core/err.h"

#define MLK_FLUX_MAX 16

typedef struct mlk_flux {
    size_t n;                     /* samples                                                     */
    size_t m;                     /* fluxes: 0 is the energy, 1.. are mass (or velocity) fluxes  */
    char label[MLK_FLUX_MAX][32]; /* "energy", "Li", ...                                         */
    double *j;                    /* (m,3,n), see mlk_flux_series                                */
    double *part;                 /* (3,3,n): kinetic, convective, virial parts of the energy
                                     flux, see mlk_flux_part; NULL when unknown                  */
    double dt;                    /* between samples [fs]                                        */
    double volume;                /* [A^3]                                                       */
    double temperature;           /* mean of the run [K]                                         */
    size_t n_segment;             /* independent stretches (replicas), >= 1                      */
    size_t *segment;              /* (n_segment+1) first sample of each; segment[n_segment] = n  */
    double *mass;                 /* (m) mass per particle of flux a [amu], 0 for the energy or
                                     when unknown                                                */
    double *count;                /* (m) particles of flux a, 0 when unknown                     */
} mlk_flux;

/* The n samples of component c of flux a. */
static inline double *mlk_flux_series(const mlk_flux *fl, size_t a, size_t c)
{
    return fl->j + (3 * a + c) * fl->n;
}
/* The n samples of component c of part p (kinetic, convective, virial) of the energy flux. */
static inline double *mlk_flux_part(const mlk_flux *fl, size_t p, size_t c)
{
    return fl->part + (3 * p + c) * fl->n;
}

/* All-zero is valid. Allocates j (zeroed), part if with_parts, one segment [0,n]. */
mlk_status mlk_flux_init(mlk_flux *fl, size_t n, size_t m, int with_parts, mlk_err *e);
void mlk_flux_free(mlk_flux *fl);
/* Read the fluxes of an mlkit H5MD run (docs/FORMATS.md): observables/energy_flux/{kinetic,
 * convective,virial} and observables/mass_flux/<species>. */
mlk_status mlk_flux_read_h5md(mlk_flux *fl, const char *path, mlk_err *e);
/* Append b's samples to a as a further segment. Errors: MLK_EINVAL different fluxes, dt or volume.
 */
mlk_status mlk_flux_append(mlk_flux *a, const mlk_flux *b, mlk_err *e);

#endif
