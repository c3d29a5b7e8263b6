/* threads.h - one level of threads, owned by drivers (see docs/DECISIONS.md). */
#ifndef MLK_CORE_THREADS_H
#define MLK_CORE_THREADS_H

/* Set the number of OpenMP threads (0: OMP_NUM_THREADS or all cores) and silence BLAS's own pool.
 */
void mlk_threads_init(int n);
/* Threads a parallel region will use. */
int mlk_threads(void);
/* Threads of OpenMP that wait for each other spin for milliseconds unless OMP_WAIT_POLICY says
 * "passive", which the library reads before main(): beside other programs two threads are then
 * slower than one. So start this process again with that setting, where more than one thread is
 * wanted and the user has set nothing. For long commands, before they touch anything. */
void mlk_threads_wait_passively(void);
/* Let BLAS use n threads for one large call outside any parallel region, then set it back to 1. */
void mlk_threads_blas(int n);

#endif
