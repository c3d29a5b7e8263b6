/* flux.h - energy and mass currents of one or several runs, ready for transport analysis.
 * Units here are those people use: energy flux eV A/ps and mass flux amu A/ps, both extensive (not
 * divided by the volume); time in fs. */
#ifndef MLK_CORE_FLUX_H
#define MLK_CORE_FLUX_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/spool.h"

#define MLK_FLUX_MAX 16

typedef struct mlk_flux {
    size_t n;                     /* samples                                                     */
    size_t m;                     /* fluxes: 0 is the energy, 1.. are mass (or velocity) fluxes  */
    size_t nc;                    /* Cartesian components of each, 1 to 3                        */
    char label[MLK_FLUX_MAX][32]; /* "energy", "Li", ...                                         */
    int has_parts;                /* kinetic, convective, virial parts of the energy flux known  */
    mlk_spool store;              /* the samples: see mlk_flux_series, mlk_flux_part             */
    double dt;                    /* between samples [fs]                                        */
    double volume;                /* [A^3]                                                       */
    double temperature;           /* mean of the run [K]                                         */
    size_t n_segment;             /* independent stretches (replicas), >= 1                      */
    size_t *segment;              /* (n_segment+1) first sample of each; segment[n_segment] = n  */
    double *mass;                 /* (m) mass per particle of flux a [amu], 0 for the energy or
                                     when unknown                                                */
    double *count;                /* (m) particles of flux a, 0 when unknown                     */
} mlk_flux;

/* The n samples of component c < nc of flux a. */
static inline double *mlk_flux_series(const mlk_flux *fl, size_t a, size_t c)
{
    return fl->store.x[fl->nc * a + c];
}
/* The n samples of component c of part p (kinetic, convective, virial) of the energy flux; only
 * with has_parts. */
static inline double *mlk_flux_part(const mlk_flux *fl, size_t p, size_t c)
{
    return fl->store.x[fl->nc * (fl->m + p) + c];
}
/* Long runs lie in temporary files: to be called after each pass over many samples, so that they
 * do not stay in memory. Pointers stay good. */
static inline void mlk_flux_release(const mlk_flux *fl)
{
    mlk_spool_release(&fl->store);
}

/* All-zero is valid. n samples, all zero (n may be 0, for mlk_flux_add), one segment [0,n].
 * near: long runs may be kept in temporary files in the folder of this file; or NULL.
 * Errors: MLK_EINVAL m or nc impossible; those of mlk_spool_extend. */
mlk_status mlk_flux_init(mlk_flux *fl, size_t n, size_t m, size_t nc, int with_parts,
                         const char *near, mlk_err *e);
/* n more samples at the end of the last segment, rows (n, m*nc) or with parts (n, (m+3)*nc) in the
 * order of mlk_flux_series, then mlk_flux_part. */
mlk_status mlk_flux_add(mlk_flux *fl, size_t n, const double *rows, mlk_err *e);
void mlk_flux_free(mlk_flux *fl);
/* Read the fluxes of an mlkit H5MD run (docs/FORMATS.md): observables/energy_flux/{kinetic,
 * convective,virial} and observables/mass_flux/<species>. Of a run that is still being written:
 * what there is up to its last checkpoint; that is logged, and the writer is not disturbed. */
mlk_status mlk_flux_read_h5md(mlk_flux *fl, const char *path, mlk_err *e);
/* Is path the output of a run of 'mlkit md' that is not finished? */
bool mlk_flux_unfinished(const char *path);
/* Append b's samples to a as further segments. Another volume (up to 10 %) is made good by a factor
 * sqrt(V_a/V_b) on the fluxes, so that <J J>/V stays what it was. Errors: MLK_EINVAL different
 * fluxes, components, dt or volume; those of mlk_spool_extend. */
mlk_status mlk_flux_append(mlk_flux *a, const mlk_flux *b, mlk_err *e);

#endif
