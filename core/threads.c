/* threads.c - see threads.h. */
#include "core/threads.h"

#include <omp.h>

extern void openblas_set_num_threads(int n);

void mlk_threads_init(int n)
{
    if (n > 0) omp_set_num_threads(n);
    omp_set_max_active_levels(1);
    mlk_threads_blas(1);
}

int mlk_threads(void)
{
    return omp_get_max_threads();
}

void mlk_threads_blas(int n)
{
    openblas_set_num_threads(n);
}
