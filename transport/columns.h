/* columns.h - what the columns of a table mean: named by the user, or told by their names. */
#ifndef MLK_TRANSPORT_COLUMNS_H
#define MLK_TRANSPORT_COLUMNS_H

#include <stdbool.h>

#include "core/flux.h"
#include "transport/table.h"

enum { MLK_COLUMN_NAME = 64, MLK_COLUMNS_MAX = 1024 };

typedef struct mlk_columns {
    const char *path;              /* as shown in messages; borrowed                        */
    char (*name)[MLK_COLUMN_NAME]; /* (MLK_COLUMNS_MAX) names, "" where there are none      */
    size_t n;                      /* columns                                               */
    long line;                     /* where the names are, or the first numbers             */
    bool named;                    /* there are names                                       */
    const char (*vcm)[32];         /* (n_vcm) names that mean centre-of-mass velocities; borrowed */
    int n_vcm;
    size_t m, nc;                     /* fluxes, Cartesian components of each                  */
    char label[MLK_FLUX_MAX][32];     /* (m)                                                   */
    int col[3 * MLK_FLUX_MAX];        /* column of component c of flux a at nc*a + c           */
    int temperature, step, volume[3]; /* -1: none; volume: one column, or Lx Ly Lz */
    bool time;                        /* step is a time, not a number of steps                 */
} mlk_columns;

/* Room for names. Errors: MLK_ENOMEM. Free with mlk_columns_free. */
mlk_status mlk_columns_init(mlk_columns *c, const char *path, mlk_err *e);
void mlk_columns_free(mlk_columns *c);
/* Take the words of a line as names (separators: blanks , ; and those in `more`); false when there
 * are more than MLK_COLUMNS_MAX. */
bool mlk_columns_names(mlk_columns *c, const char *line, const char *more);
/* Do the names alone tell an energy flux? */
bool mlk_columns_have_flux(const mlk_columns *c, const mlk_table_opts *o);
/* Settle everything from the options and the names.
 * Errors: MLK_EINVAL no such column, no energy flux, components differ. */
mlk_status mlk_columns_choose(mlk_columns *c, const mlk_table_opts *o, mlk_err *e);
/* "columns 2-4 (c_flux[1] ...)" of flux a into buf. Returns buf. */
char *mlk_columns_tell(const mlk_columns *c, size_t a, char *buf, size_t cap);

#endif
