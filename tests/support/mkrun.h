/* mkrun.h - a small invented study for tests of the report: every file a real one has, with numbers
 * whose comparison is known. */
#ifndef MLK_TESTS_MKRUN_H
#define MLK_TESTS_MKRUN_H

/* Make folder `run` (must not exist): models nep-1, nep-2, snap-1 at 500, 700, 900 K, one replica.
 * Naive values are 1.0, 1.5, 2.0 W/m/K with errors 0.05; corrected ones 0.80, 0.81, 0.79 with
 * errors 0.05. complete 0: the last model is not fitted and nothing of it was run. Aborts on any
 * error. */
void mlk_test_mkrun(const char *run, int complete);

/* A study of three models at 500, 700 and 900 K of which only the thermal conductivities are there,
 * the same at each temperature [W/m/K]. */
void mlk_test_mkrun_values(const char *run, const double naive[3], const double corrected[3],
                           double err);

#endif
