/* fft.h - Fourier and cosine transforms; the only door to FFTW.
 * A plan owns its two buffers: fill `in`, execute, read `out`. Transforms are not normalised. */
#ifndef MLK_CORE_FFT_H
#define MLK_CORE_FFT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

typedef enum {
    MLK_FFT_R2C, /* in (n) real, out (n/2+1) complex pairs: sum_t x_t exp(-2 pi i k t / n) */
    MLK_FFT_C2R, /* in (n/2+1) complex pairs (destroyed), out (n) real: the inverse times n */
    MLK_FFT_DCT1 /* in, out (n) real, n >= 2: x_0 + (-1)^k x_{n-1} + 2 sum_{0<j<n-1} x_j cos(pi j
                    k/(n-1)) */
} mlk_fft_kind;

typedef struct mlk_fft {
    mlk_fft_kind kind;
    size_t n;
    double *in, *out; /* owned; complex numbers lie as (re, im) pairs */
    void *plan;       /* shared by all transforms of one length */
    bool own;         /* ... but for this one */
} mlk_fft;

/* Prepare transforms of length n >= 1 (any factors; powers of 2, 3, 5, 7 are fastest). f all-zero
 * or freed before. Errors: MLK_EINVAL n == 0; MLK_ENOMEM. Safe in several threads for distinct f.
 */
mlk_status mlk_fft_init(mlk_fft *f, mlk_fft_kind kind, size_t n, mlk_err *e);
void mlk_fft_execute(mlk_fft *f);
void mlk_fft_free(mlk_fft *f);
/* Smallest even 2^a 3^b 5^c 7^d >= n. */
size_t mlk_fft_good_size(size_t n);

#endif
