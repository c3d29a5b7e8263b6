/* table.h - fluxes from text: plain tables of any program, LAMMPS logs and averages, GPUMD output
 * (docs/FORMATS.md). Each kind is told by its content; what it does not say comes from options. */
#ifndef MLK_TRANSPORT_TABLE_H
#define MLK_TRANSPORT_TABLE_H

#include "core/err.h"
#include "core/flux.h"

typedef enum {
    MLK_UNITS_AUTO, /* as the file says, else metal */
    MLK_UNITS_METAL,
    MLK_UNITS_REAL,
    MLK_UNITS_GPUMD,
    MLK_UNITS_SI
} mlk_units;

typedef struct mlk_table_opts {
    const char *energy;   /* one to three columns: "2-4", "2,3,4" or header names "Jx,Jy,Jz"; NULL
                             or "": found from the names */
    const char *flux;     /* "Na=5-7;Cl=8-10", NULL or "": every c_vcm-like triple of the names */
    const char *temp_col; /* one column or NULL */
    double temperature;   /* [K]; > 0 wins over what the file says, as do: */
    double volume;        /* [A^3] */
    double dt;            /* between rows [fs] */
    mlk_units units;      /* of the energy and the other fluxes */
    int density;          /* fluxes are divided by the volume */
    int extensive;        /* they are not, whatever the file says */
    int block;            /* LAMMPS log: which run, from 1; 0: the last that is not short */
} mlk_table_opts;

/* Read a text file of any kind; path "-" is stdin, compressed files are expanded. fl: energy flux
 * in eV A/ps, the others in amu A/ps (with masses) or A/ps (velocity sums) or their own unit, one
 * segment. What was taken from where is logged (INFO).
 * Errors carry file:line: MLK_EFORMAT column count, not a number, unequal steps; MLK_ENUMERIC not
 * finite; MLK_EINVAL unknown column, missing volume, time step or temperature. */
mlk_status mlk_table_read(mlk_flux *fl, const char *path, const mlk_table_opts *o, mlk_err *e);

#endif
