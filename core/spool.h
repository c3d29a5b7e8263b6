/* spool.h - growing series of doubles: in memory while they are small, beyond 64 MB in unnamed
 * temporary files that are mapped, so that the memory in use stays bounded however long a run is.
 */
#ifndef MLK_CORE_SPOOL_H
#define MLK_CORE_SPOOL_H

#include <stddef.h>

#include "core/err.h"

typedef struct mlk_spool {
    size_t k;      /* series                                                        */
    size_t n, cap; /* values in each series; room                                   */
    double **x;    /* (k) series, n values each; moves when the spool grows         */
    int *fd;       /* (k) temporary files, NULL while everything is in memory       */
    size_t limit;  /* bytes from which on files are used                            */
    char dir[512]; /* where temporary files go when neither $TMPDIR nor /tmp serves */
} mlk_spool;

/* k empty series. near: a file in whose folder temporary files may be made, or NULL.
 * Errors: MLK_ENOMEM. Free with mlk_spool_free; all-zero is valid. */
mlk_status mlk_spool_init(mlk_spool *s, size_t k, const char *near, mlk_err *e);
/* n more values of 0 in every series. Errors: MLK_ENOMEM; MLK_EIO no place for the files (the space
 * is reserved here, a full disk is never met later). */
mlk_status mlk_spool_extend(mlk_spool *s, size_t n, mlk_err *e);
/* n rows (n,k) of values more. Errors as above. */
mlk_status mlk_spool_add(mlk_spool *s, size_t n, const double *rows, mlk_err *e);
/* Forget the series from k on. */
void mlk_spool_drop(mlk_spool *s, size_t k);
/* Give back the memory that mapped files take; they are read again when needed. */
void mlk_spool_release(const mlk_spool *s);
void mlk_spool_free(mlk_spool *s);

#endif
