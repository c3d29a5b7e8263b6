/* threads.c - see threads.h. */
#include "core/threads.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"

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

void mlk_threads_wait_passively(void)
{
    char self[4096], *text = NULL, **argv;
    size_t n = 0, len = 0;
    if (mlk_threads() < 2 || getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    ssize_t end = readlink("/proc/self/exe", self, sizeof self - 1);
    if (end < 0 || mlk_file_slurp("/proc/self/cmdline", &text, &len, NULL)) return;
    self[end] = 0;
    for (size_t k = 0; k < len; k++) n += !text[k];
    argv = mlk_alloc(n + 1, sizeof *argv);
    if (argv && !setenv("OMP_WAIT_POLICY", "passive", 1)) {
        char *p = text;
        for (size_t k = 0; k < n; k++, p += strlen(p) + 1) argv[k] = p;
        execv(self, argv); /* comes back only if it fails, and nothing is lost then */
    }
    mlk_free(argv), mlk_free(text);
}
