/* table.h - fluxes from plain text tables of any program (docs/FORMATS.md). */
#ifndef MLK_TRANSPORT_TABLE_H
#define MLK_TRANSPORT_TABLE_H

#include "core/err.h"
#include "core/flux.h"

typedef enum { MLK_UNITS_METAL, MLK_UNITS_REAL, MLK_UNITS_GPUMD, MLK_UNITS_SI } mlk_units;

typedef struct mlk_table_opts {
    const char *energy;   /* three columns: "2-4", "2,3,4" or header names "Jx,Jy,Jz"; NULL or "":
                             found from the header */
    const char *flux;     /* "Na=5-7;Cl=8-10", NULL or "": every c_vcm-like triple of the header */
    const char *temp_col; /* one column or NULL */
    double temperature;   /* [K]; > 0 wins over the column */
    double volume;        /* [A^3]; 0: a "# Volume = X A^3" line of the file */
    double dt;            /* [fs] */
    mlk_units units;      /* of the energy and the other fluxes */
    int density;          /* fluxes are divided by the volume */
} mlk_table_opts;

/* Read a table; path "-" is stdin, gzip is expanded. Lines starting with # and one header line are
 * skipped, columns are separated by blanks, commas or semicolons. fl: energy flux in eV A/ps, the
 * others in A/ps (velocity sums) or their own unit, one segment.
 * Errors carry file:line: MLK_EFORMAT column count or not a number, MLK_ENUMERIC not finite;
 * MLK_EINVAL unknown column, missing volume, time step or temperature. */
mlk_status mlk_table_read(mlk_flux *fl, const char *path, const mlk_table_opts *o, mlk_err *e);

#endif
