/* store.h - what a run records: parts while it grows, one H5MD file when it is done, its summary.
 * Layout and the reason for the parts: docs/FORMATS.md. */
#ifndef MLK_MD_STORE_H
#define MLK_MD_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "md/md.h"

/* Records of a run that is going on. Samples since the last checkpoint are in memory; every
 * checkpoint adds one small file to <out>.parts/ and then replaces <out>.ckpt.h5; the end merges
 * them into <out>. */
typedef struct mlk_md_store mlk_md_store;

/* Make or find the record of md at path.
 *   *complete  out: path is the finished run of exactly these settings; then *st stays NULL
 * With a checkpoint of the same settings md becomes the state of that checkpoint (md->resumed).
 * Errors: MLK_EINVAL path or checkpoint belongs to other settings (the first difference is named);
 * MLK_EIO not writable, or another process is writing this run. */
mlk_status mlk_md_store_open(mlk_md_store **st, const char *path, mlk_md *md, bool *complete,
                             mlk_err *e);
/* Take up what this step records (mlk_md_at_*). Allocates nothing. */
mlk_status mlk_md_store_record(mlk_md_store *st, const mlk_md *md, mlk_err *e);
/* Is it time for a checkpoint: by the clock, or because a buffer is full? */
bool mlk_md_store_due(const mlk_md_store *st);
mlk_status mlk_md_store_checkpoint(mlk_md_store *st, mlk_md *md, mlk_err *e);
/* Merge the parts into the finished file, with the pair distributions; remove parts and checkpoint.
 */
mlk_status mlk_md_store_finish(mlk_md_store *st, mlk_md *md, mlk_err *e);
/* After a divergence: whatever was recorded into <out>.failed.h5. Best effort: trouble is only
 * logged. */
void mlk_md_store_fail(mlk_md_store *st, mlk_md *md);
void mlk_md_store_close(mlk_md_store *st); /* NULL is harmless; files stay */

/* What a finished file says about its run. */
typedef struct mlk_md_summary {
    int64_t n_atoms, n_samples, seed, complete, drift_flag, shortest_flag;
    double temperature, temperature_mean, temperature_err; /* [K] */
    double dt, sample;                                     /* [fs] */
    double volume;                                         /* [A^3] */
    double drift, drift_err;                               /* [meV/atom/ns] */
    double pressure_mean;                                  /* [GPa] */
    double wall, rate;                                     /* [s], [atom steps/s] */
    bool judged;              /* the descriptors were checked; else the next are NaN and "" */
    double outside, beyond;   /* fractions of the atom samples: outside of the training data,
                                 and by more than max_grade                               */
    double worst, worst_time; /* largest extrapolation grade; its production time [fs]     */
    double max_grade;
    int64_t extrapolation_flag, worst_atom; /* worst_atom counts from 1                       */
    char worst_element[8];
    double shortest_ratio; /* least distance over the shortest in training, NaN unknown      */
    int64_t bonds_start, bonds_whole, bonds_broke; /* covalent bonds; times one broke         */
    char digest[24]; /* FNV-1a of every recorded number: equal for bitwise equal runs */
} mlk_md_summary;
mlk_status mlk_md_summary_read(const char *path, mlk_md_summary *s, mlk_err *e);

/* restart.c: the state of a run as a file of its own, written whole or not at all. */
mlk_status mlk_md_state_write(const mlk_md *md, const char *path, int64_t n_part, mlk_err *e);
/* Replaces the state of md (whose settings must be those of the file). */
mlk_status mlk_md_state_read(mlk_md *md, const char *path, int64_t *n_part, mlk_err *e);
/* MLK_EINVAL naming the first line in which two settings texts differ. */
mlk_status mlk_md_settings_same(const char *path, const char *found, const char *wanted,
                                mlk_err *e);
/* fsync the closed file tmp and rename it over path. */
mlk_status mlk_md_commit(const char *tmp, const char *path, mlk_err *e);

/* rdf.c: g(r) of every pair of elements from (at most 200 of) the positions stored in h, written to
 * /parameters/mlkit/rdf/<A-B>/{r,g}. */
struct mlk_h5;
mlk_status mlk_md_rdf(struct mlk_h5 *h, const mlk_md *md, mlk_err *e);

#endif
