/* linalg.c - see linalg.h. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "core/linalg.h"

#include <cblas.h>
#include <lapacke.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "core/mem.h"

extern char *openblas_get_config(void);

/* OpenBLAS asks for 128 MB of address space at its first call and, when it gets none, asks for
 * ever: look first whether there is any. */
static mlk_status blas_has_memory(mlk_err *e)
{
    static atomic_bool known;
    const size_t need = (size_t)160 << 20;
    if (atomic_load(&known)) return MLK_OK;
    void *p = mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        MLK_FAIL(e, MLK_ENOMEM, "OpenBLAS needs %zu MB of memory", need >> 20);
        return mlk_err_hint(e, "raise the memory limit (ulimit -v, or that of the batch job)");
    }
    munmap(p, need);
    atomic_store(&known, true);
    return MLK_OK;
}

void mlk_gemm(int ta, int tb, size_t m, size_t n, size_t k, double alpha, const double *a,
              size_t lda, const double *b, size_t ldb, double beta, double *c, size_t ldc)
{
    cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
                (int)m, (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
}

void mlk_syrk_ata(size_t m, size_t n, const double *a, size_t lda, double *c, size_t ldc)
{
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)n, (int)m, 1, a, (int)lda, 1, c,
                (int)ldc);
}

void mlk_gemv(int ta, size_t m, size_t n, double alpha, const double *a, size_t lda,
              const double *x, double beta, double *y)
{
    cblas_dgemv(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, (int)m, (int)n, alpha, a, (int)lda,
                x, 1, beta, y, 1);
}

mlk_status mlk_cholesky(size_t n, double *a, mlk_err *e)
{
    MLK_TRY(blas_has_memory(e));
    /* column-major view of a row-major symmetric matrix: upper becomes lower */
    int info = LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', (int)n, a, (int)n);
    return info ? MLK_FAIL(e, MLK_ENUMERIC, "a matrix of %zu rows is not positive definite", n)
                : MLK_OK;
}

void mlk_cholesky_solve(size_t n, const double *u, double *b)
{
    cblas_dtrsv(CblasRowMajor, CblasUpper, CblasTrans, CblasNonUnit, (int)n, u, (int)n, b, 1);
    cblas_dtrsv(CblasRowMajor, CblasUpper, CblasNoTrans, CblasNonUnit, (int)n, u, (int)n, b, 1);
}

mlk_status mlk_eigh(size_t n, double *a, double *w, mlk_err *e)
{
    MLK_TRY(blas_has_memory(e));
    /* column-major view of a row-major symmetric matrix: upper becomes lower, eigenvectors come out
     * as columns there, which are rows here */
    int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', (int)n, a, (int)n, w);
    return info ? MLK_FAIL(e, MLK_ENUMERIC, "eigenvalues of a matrix of %zu rows", n) : MLK_OK;
}

mlk_status mlk_lstsq(size_t m, size_t n, double *a, double *b, double rcond, int *rank, mlk_err *e)
{
    MLK_TRY(blas_has_memory(e));
    double *sv = mlk_alloc(m < n ? m : n, sizeof *sv);
    if (!sv) return MLK_FAIL(e, MLK_ENOMEM, "least squares %zu x %zu", m, n);
    int info =
        LAPACKE_dgelsd(LAPACK_ROW_MAJOR, (int)m, (int)n, 1, a, (int)n, b, 1, sv, rcond, rank);
    mlk_free(sv);
    return info ? MLK_FAIL(e, MLK_ENUMERIC, "least squares did not converge") : MLK_OK;
}

const char *mlk_linalg_version(void)
{
    return openblas_get_config();
}
