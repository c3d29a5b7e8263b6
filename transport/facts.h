/* facts.h - the readers of flux tables (internal to this room): what a file says about itself, how
 * that and the options become the facts of a run, and the kinds of text there are. */
#ifndef MLK_TRANSPORT_FACTS_H
#define MLK_TRANSPORT_FACTS_H

#include "transport/sampler.h"

typedef struct mlk_facts {
    double dt, volume, temperature; /* [fs], [A^3], [K]; 0 unknown                             */
    double step;                    /* duration of a step of the step column [fs]; 0 unknown   */
    mlk_units units;                /* AUTO: not said                                          */
    bool density;                   /* the energy flux is divided by the volume                */
    const char *dt_from, *volume_from, *temperature_from, *units_from, *density_from;
    const char *kind; /* "table", "LAMMPS log", ...                              */
} mlk_facts;

/* Factors to eV A/ps (energy flux) and A/ps (velocity sums). */
void mlk_units_factors(mlk_units u, double *energy, double *velocity);
/* The units that count: those asked for, else the file's, else metal. */
mlk_units mlk_facts_units(const mlk_facts *f, const mlk_table_opts *o);
/* Will temperature, time between rows and volume be known? Errors: MLK_EINVAL which is not. */
mlk_status mlk_facts_enough(const mlk_facts *f, const mlk_sampler *r, const mlk_table_opts *o,
                            mlk_err *e);
/* All rows are in fl: set dt, volume, temperature from options, columns, file, in this order; scale
 * densities; log what came from where. c: columns, or NULL.
 * Errors: MLK_EINVAL something is not known; MLK_EFORMAT not positive. */
mlk_status mlk_facts_settle(const mlk_facts *f, mlk_flux *fl, const mlk_sampler *r,
                            const mlk_columns *c, const mlk_table_opts *o, mlk_err *e);

/* Is this head of a file such a file? path: its name as given. */
bool mlk_is_lammps_log(const char *head);
bool mlk_is_vectors(const char *head);
bool mlk_is_gpumd(const char *path, const char *head);
/* Read it, from its first line on. */
mlk_status mlk_read_lammps_log(mlk_flux *fl, mlk_lines *l, const mlk_table_opts *o, mlk_err *e);
mlk_status mlk_read_vectors(mlk_flux *fl, mlk_lines *l, const mlk_table_opts *o, mlk_err *e);
mlk_status mlk_read_gpumd(mlk_flux *fl, mlk_lines *l, const mlk_table_opts *o, mlk_err *e);

#endif
