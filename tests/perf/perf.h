/* perf.h - verify, then time. A case is a function named in perf.def; it prepares data, checks
 * every variant against the scalar one, and only then times it. */
#ifndef MLK_TESTS_PERF_H
#define MLK_TESTS_PERF_H

#include <stdbool.h>
#include <stddef.h>

#include "core/frame.h"

enum { PERF_RUNS = 9 }; /* timings per row, of which the median counts */

typedef struct perf {
    const char *filter; /* only cases whose name contains it; NULL: all */
    int simd;           /* only this level; -1: all the CPU has         */
    int threads;        /* for rows that use the parallel driver        */
    bool failed;        /* some variant gave a wrong answer             */
} perf;

/* Median seconds of one call of fn(ctx) over PERF_RUNS timings of at least 20 ms each; *spread:
 * half the distance between the quartiles, over the median. One thread: CPU time, which does not
 * see other programs; more: wall time. */
double perf_time(int threads, void (*fn)(void *), void *ctx, double *spread);
/* One row of the table. us: per atom; ref: the same of the scalar row (0: this is it); error:
 * largest deviation from scalar over the largest value. Errors beyond tol mark the run as failed,
 * and no time is printed. */
void perf_row(perf *p, const char *name, const char *variant, int threads, double us, double spread,
              double ref, double error, double tol);
/* Is this level to be timed? */
bool perf_level(const perf *p, int level);

/* Periodic Li-P-S frame: the published start structure if the shared data are there (6144 atoms),
 * else a rattled lattice of the same density. */
void perf_li3ps4(mlk_frame *fr);
/* Frame of an extended XYZ file with the columns species, pos. False if it is not there. */
bool perf_read_xyz(const char *path, mlk_frame *fr);
/* Stop with a message: the harness has no way to go on. */
void perf_die(const char *what) __attribute__((noreturn));

#define PERF(name) void perf_##name(perf *p);
#include "tests/perf/perf.def"
#undef PERF

#endif
