/* hac.h - running thermal conductivities that GPUMD integrated itself (hac.out). They hold neither
 * the energy flux of what moves with the atoms nor any mass flux: naive values only. */
#ifndef MLK_TRANSPORT_HAC_H
#define MLK_TRANSPORT_HAC_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/json.h"

typedef struct mlk_hac {
    size_t n, n_run;     /* correlation times; runs */
    double *t;           /* (n) [fs] */
    double *kappa, *err; /* (n) mean over runs and directions, standard error [W/m/K] */
    double *each;        /* (n_each, n): runs, or the three directions of a single run */
    size_t n_each;
    size_t limit;      /* index at which it is read */
    bool limit_found;  /* 0: no plateau */
    double at, at_err; /* kappa there; error at twice that time, it covers what was cut */
} mlk_hac;

/* Is path a hac.out: by its name, and eleven columns? */
bool mlk_is_hac(const char *path);
/* Files of n runs of one state point, each with one run or several appended ones. limit [fs]; 0:
 * the first time from which doubling changes the result by less than the error of that change.
 * Errors: MLK_EFORMAT with file:line; MLK_EINVAL different times, limit out of range. Free with
 * mlk_hac_free. */
mlk_status mlk_hac_read(mlk_hac *hc, size_t n, char **path, double limit, mlk_err *e);
json_t *mlk_hac_json(const mlk_hac *hc, bool curves);
void mlk_hac_free(mlk_hac *hc);

#endif
