/* linalg.h - the only door to BLAS and LAPACK. Matrices are row-major. */
#ifndef MLK_CORE_LINALG_H
#define MLK_CORE_LINALG_H

#include <stddef.h>

#include "core/err.h"

/* c (m,n) = alpha a(m,k) b(k,n) + beta c; ta/tb nonzero: that matrix is given transposed. lda.. are
 * row strides. */
void mlk_gemm(int ta, int tb, size_t m, size_t n, size_t k, double alpha, const double *a,
              size_t lda, const double *b, size_t ldb, double beta, double *c, size_t ldc);
/* Upper triangle of c (n,n) += a^T a for a (m,n). */
void mlk_syrk_ata(size_t m, size_t n, const double *a, size_t lda, double *c, size_t ldc);
/* y (m or n) = alpha op(a) x + beta y, a (m,n). */
void mlk_gemv(int ta, size_t m, size_t n, double alpha, const double *a, size_t lda,
              const double *x, double beta, double *y);
/* a = u^T u of symmetric positive definite a (n,n; upper triangle read, replaced by u). Errors:
 * MLK_ENUMERIC not positive definite. */
mlk_status mlk_cholesky(size_t n, double *a, mlk_err *e);
/* b (n) -> x with u^T u x = b. */
void mlk_cholesky_solve(size_t n, const double *u, double *b);
/* Eigenvalues w (n, ascending) and eigenvectors (rows of a on return) of symmetric a (n,n; upper).
 */
mlk_status mlk_eigh(size_t n, double *a, double *w, mlk_err *e);
/* Minimum-norm least squares by SVD: a (m,n; destroyed), b (max(m,n)) -> first n hold x; rank out.
 */
mlk_status mlk_lstsq(size_t m, size_t n, double *a, double *b, double rcond, int *rank, mlk_err *e);
/* "OpenBLAS 0.3.21 ..." */
const char *mlk_linalg_version(void);

#endif
