/* select.h - which frames to compute next: choosing from a pool in a space of descriptors. Plain
 * matrices, row-major; whoever calls knows the model they come from (train/describe.h).
 * docs/THEORY.md, section 8. Two methods:
 *
 *   farthest points  spreads the frames evenly over what the pool covers
 *   MaxVol           takes the frames on which a linear model extrapolates most */
#ifndef MLK_DATASETS_SELECT_H
#define MLK_DATASETS_SELECT_H

#include <stddef.h>

#include "core/err.h"
#include "core/frame.h"

typedef struct mlk_pick {
    size_t frame; /* index in the pool                                                        */
    double score; /* what it was taken for, just before: its distance, or its grade gamma      */
    double left;  /* the largest score of the frames that remain, just after; 0 when none does */
} mlk_pick;

/* Shortest distance [A] in a frame if below rc, else rc. Errors: those of mlk_neigh_build. */
mlk_status mlk_select_closest(const mlk_frame *fr, double rc, double *d, mlk_err *e);

/* ---- farthest points ----------------------------------------------------------------------- */

/* Features of a frame: per species the mean and the standard deviation of the atoms' descriptors
 * q (n,nd), zeros for a species that is not there; f (n_species, 2, nd). */
void mlk_select_features(size_t n, size_t nd, const double *q, const int *type, size_t n_species,
                         double *f);
/* Standardise the columns of x (n + m rows, d columns): mean 0 and deviation 1 over the first n
 * rows, the pool; columns that are constant there (to 1e-9 of their size) become 0. In place.
 * *active: how many columns are not. */
void mlk_select_standardise(size_t n, size_t m, size_t d, double *x, size_t *active);
/* Replace standardised x by its principal components with unit deviation each, those with a
 * variance of at least 1e-3 of the largest; row stride stays d, the rest becomes 0. *active: how
 * many. Memory: a square of min(n,d). Errors: MLK_ENOMEM, MLK_ENUMERIC. */
mlk_status mlk_select_whiten(size_t n, size_t m, size_t d, double *x, size_t *active, mlk_err *e);
/* Farthest-point sampling: n rows of the pool, then m rows already owned (d columns). Distances are
 * Euclidean divided by sqrt(active): the root mean square over features, in deviations of the pool.
 * Starts from the owned rows; without them with the row nearest the mean of the pool, whose score
 * is its distance from that mean. Ends after `want` picks, or when no distance is above `stop`.
 * pick (want) out, *n_pick out; *before (may be NULL): the largest distance from the owned rows
 * before the first pick, NaN without any. O(n d (want + m)); the same for any number of threads. */
mlk_status mlk_select_fps(size_t n, size_t m, size_t d, size_t active, const double *x, size_t want,
                          double stop, mlk_pick *pick, size_t *n_pick, double *before, mlk_err *e);

/* ---- MaxVol -------------------------------------------------------------------------------- */

/* The space in which atoms of one species are compared: 1, then the principal components of the
 * standardised descriptors. A linear model with a constant means the same in it. */
typedef struct mlk_space {
    size_t nd, dim;    /* descriptors; coordinates, the 1 included                             */
    size_t count;      /* atoms looked at                                                      */
    double *ref, *sum; /* (nd) of the first atom; sum of q - ref; after finish: mean, deviation */
    double *cov;       /* (nd,nd) sum of products; after finish: axes, (dim-1,nd) rows         */
    double *work;      /* rows in transit                                                      */
    size_t cap_work;
} mlk_space; /* all-zero, then init, add, finish, project */

mlk_status mlk_space_init(mlk_space *sp, size_t nd, mlk_err *e);
/* One more block of atoms, q (n,nd); the order of blocks is part of the result's last bits. */
mlk_status mlk_space_add(mlk_space *sp, size_t n, const double *q, mlk_err *e);
/* Keep the components whose deviation is at least `resolution` / 10 of the largest one's; scale so
 * that the largest has deviation 1. */
mlk_status mlk_space_finish(mlk_space *sp, double resolution, mlk_err *e);
/* x (n,dim) of q (n,nd). Thread-safe after finish; work (n,nd) of the caller. */
void mlk_space_project(const mlk_space *sp, size_t n, const double *q, double *work, double *x);
void mlk_space_free(mlk_space *sp);

/* An active set: dim rows whose matrix A has (nearly) the largest volume |det A|. The grade of a
 * row x is max |x A^-1|: above 1, putting x in the place of a row of A multiplies |det A| by it. It
 * starts as `resolution` times the identity, rows of no atom: along directions that no atom owned
 * has, differences below the resolution do not count. */
typedef struct mlk_active {
    size_t dim;
    double *a, *inv;   /* (dim,dim) rows; inverse                        */
    long *tag;         /* (dim) tag of the row, -1 of the initial ones   */
    double log_volume; /* ln |det A|                                     */
    size_t swaps;
    double *c, *tmp; /* (MLK_ACTIVE_BLOCK,dim), (dim,dim) */
} mlk_active;

enum { MLK_ACTIVE_BLOCK = 64 };

mlk_status mlk_active_init(mlk_active *s, size_t dim, double resolution, mlk_err *e);
void mlk_active_free(mlk_active *s);
/* Largest grade of n rows x (n,dim); *row (may be NULL): of which. c (MLK_ACTIVE_BLOCK,dim)
 * scratch; several threads may ask at once, each with its own. */
double mlk_active_grade(const mlk_active *s, size_t n, const double *x, double *c, size_t *row);
/* Swap rows in until no grade is above threshold (> 1). Returns the number of swaps. */
size_t mlk_active_update(mlk_active *s, size_t n, const double *x, double threshold, long tag);
/* Rows of A that belong to an atom: the rank covered so far. */
size_t mlk_active_rank(const mlk_active *s);

/* Atoms of frames, species by species. */
typedef struct mlk_rows {
    size_t n_frames, n_species;
    size_t *dim;    /* (n_species) */
    size_t **start; /* (n_species)(n_frames+1) first row of a frame */
    double **x;     /* (n_species)(start[n_frames],dim) */
} mlk_rows;
void mlk_rows_free(mlk_rows *r);

typedef struct mlk_maxvol {
    double before;      /* largest grade of the pool against the frames owned               */
    double own;         /* largest grade of any atom owned or selected, at the end           */
    size_t *rank;       /* (n_species) of the final active sets; owned, mlk_maxvol_free      */
    double *log_volume; /* (n_species)                                                       */
} mlk_maxvol;

/* Greedy selection: the first n frames of r are the pool, the others are owned. Active sets (one
 * per species) are made from the owned atoms; then the frame with the largest grade of any of its
 * atoms is taken, the sets are updated until no atom owned or selected has a grade above
 * `threshold`, and so on until `want` frames are taken or no grade in the pool is above it.
 * Every grade is exact. O(want atoms dim^2); the same for any number of threads.
 * Errors: MLK_EINVAL threshold <= 1; MLK_ENOMEM. */
mlk_status mlk_select_maxvol(const mlk_rows *r, size_t n, size_t want, double threshold,
                             double resolution, mlk_pick *pick, size_t *n_pick, mlk_maxvol *res,
                             mlk_err *e);
void mlk_maxvol_free(mlk_maxvol *m);

#endif
