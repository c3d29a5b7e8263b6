/* omp.h - what mlkit asks of OpenMP, answered by one thread: the fuzzers are built without OpenMP,
 * whose threads have nothing to do in a reader. */
#ifndef MLK_FUZZ_OMP_H
#define MLK_FUZZ_OMP_H

static inline int omp_get_max_threads(void)
{
    return 1;
}
static inline int omp_get_num_threads(void)
{
    return 1;
}
static inline int omp_get_thread_num(void)
{
    return 0;
}
static inline int omp_in_parallel(void)
{
    return 0;
}
static inline void omp_set_max_active_levels(int n)
{
    (void)n;
}
static inline void omp_set_num_threads(int n)
{
    (void)n;
}

#endif
