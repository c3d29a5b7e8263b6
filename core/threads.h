/* threads.h - one level of threads, owned by drivers (see docs/DECISIONS.md). */
#ifndef MLK_CORE_THREADS_H
#define MLK_CORE_THREADS_H

/* Set the number of OpenMP threads (0: OMP_NUM_THREADS or all cores) and silence BLAS's own pool.
 */
void mlk_threads_init(int n);
/* Threads a parallel region will use. */
int mlk_threads(void);
/* Let BLAS use n threads for one large call outside any parallel region, then set it back to 1. */
void mlk_threads_blas(int n);

#endif
