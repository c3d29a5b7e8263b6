/* block.h - jackknife over blocks, Schur complements and thinning of curves. */
#ifndef MLK_TRANSPORT_BLOCK_H
#define MLK_TRANSPORT_BLOCK_H

#include <stddef.h>

/* 1/(A^-1)_00 of a symmetric matrix a (m,m; destroyed): a_00 minus what the others explain. NaN
 * when the other block is singular to working precision. */
double mlk_schur(size_t m, double *a);
/* Take rows and columns keep..m-1 of symmetric a (m,m) out of the rest: a_ij -= a_ip a_pj/a_pp.
 * Returns 0 when a pivot vanishes; a is then spoilt. */
int mlk_eliminate(size_t m, size_t keep, double *a);
/* Jackknife standard error from the n values obtained by leaving out one block each. */
double mlk_jackknife(size_t n, const double *left_out);
/* At most `most` increasing indices of 0..n-1 into idx (room for `most`), first and last among
 * them; logspaced: denser at small index. Returns how many. */
size_t mlk_thin(size_t n, size_t most, int logspaced, size_t *idx);
/* Mean of x over bins i of nb equal parts of 0..n-1 into y (nb); nb <= n. */
void mlk_bin_mean(size_t n, const double *x, size_t nb, double *y);

#endif
