/* neigh.h - full neighbour lists with every periodic image, in CSR form.
 * Structure of arrays: pair vectors lie in three separate arrays, because kernels vectorise over
 * neighbours. */
#ifndef MLK_CORE_NEIGH_H
#define MLK_CORE_NEIGH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cell.h"
#include "core/err.h"

typedef struct mlk_neigh {
    size_t n, np;          /* atoms, pairs (each pair is listed from both sides)                */
    size_t *start;         /* (n+1) pairs of centre i are k = start[i] .. start[i+1]-1          */
    int *j;                /* (np) neighbour                                                    */
    int *rev;              /* (np) index of the opposite pair (centre j, neighbour i)           */
    bool no_rev;           /* set by the caller before building: rev is not wanted              */
    signed char *image[3]; /* (3)(np) r = x_j + image*h - x_i                                   */
    double *r[3];          /* (3)(np) pair vectors x_j - x_i with image [A]                     */
    double rc;             /* radius it was built with [A]                                      */
    size_t cap_n, cap_np;  /* allocated                                                         */
    void *work;            /* owned by neigh.c                                                  */
} mlk_neigh;

/* Build a full neighbour list; all-zero or previously built nl (buffers are reused).
 *   cell   lattice; directions without pbc have no images
 *   n, x   number of atoms; positions (n,3) [A], need not be wrapped
 *   rc     radius > 0 [A]; may exceed half the cell, then several images of an atom are listed,
 *          its own included
 * Pairs of a centre are ordered by (j, image), so the order does not depend on thread count.
 * Errors: MLK_EINVAL rc <= 0 or a position not finite; MLK_EUNSUPPORTED more than 127 images;
 * MLK_ENOMEM. On error nl stays valid to free. Cost O(n). Thread-safe for distinct nl. */
mlk_status mlk_neigh_build(const mlk_cell *cell, size_t n, const double (*x)[3], double rc,
                           mlk_neigh *nl, mlk_err *e);
/* Recompute r for moved positions (same images), e.g. between two builds of a list with skin. x
 * must be continuous since the build (not re-wrapped). */
void mlk_neigh_update(mlk_neigh *nl, const mlk_cell *cell, const double (*x)[3]);
void mlk_neigh_free(mlk_neigh *nl);

#endif
