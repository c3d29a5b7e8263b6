/* fft.c - see fft.h. Plans are only estimated (no timing runs): results do not depend on the
 * machine's load, and planning costs microseconds. */
#include "core/fft.h"

#include <fftw3.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

mlk_status mlk_fft_init(mlk_fft *f, mlk_fft_kind kind, size_t n, mlk_err *e)
{
    memset(f, 0, sizeof *f);
    size_t least = kind == MLK_FFT_DCT1 ? 2 : 1;
    if (n < least || n > INT_MAX / 2) return MLK_FAIL(e, MLK_EINVAL, "transform of length %zu", n);
    f->kind = kind;
    f->n = n;
    /* the cosine transform is that of the even continuation, of length 2(n-1): a plan of the same
     * length as that of the spectra costs nothing, one of its own more than the transform */
    size_t len = kind == MLK_FFT_DCT1 ? 2 * (n - 1) : n, nc = 2 * (len / 2 + 1);
    f->in = fftw_malloc(sizeof(double) * (kind == MLK_FFT_C2R ? nc : len));
    f->out = fftw_malloc(sizeof(double) * (kind == MLK_FFT_C2R ? n : nc));
    if (f->in && f->out) {
        /* the planner is FFTW's only part that is not thread-safe */
#pragma omp critical(mlk_fft_plan)
        {
            if (kind == MLK_FFT_C2R)
                f->plan =
                    fftw_plan_dft_c2r_1d((int)n, (fftw_complex *)f->in, f->out, FFTW_ESTIMATE);
            else
                f->plan =
                    fftw_plan_dft_r2c_1d((int)len, f->in, (fftw_complex *)f->out, FFTW_ESTIMATE);
        }
    }
    if (f->plan) return MLK_OK;
    mlk_fft_free(f);
    return MLK_FAIL(e, MLK_ENOMEM, "transform of length %zu", n);
}

void mlk_fft_execute(mlk_fft *f)
{
    size_t n = f->n;
    bool even = f->kind == MLK_FFT_DCT1;
    for (size_t k = 1; even && k + 1 < n; k++) f->in[2 * (n - 1) - k] = f->in[k];
    fftw_execute(f->plan);
    for (size_t k = 0; even && k < n; k++) f->out[k] = f->out[2 * k];
}

void mlk_fft_free(mlk_fft *f)
{
    if (f->plan) {
#pragma omp critical(mlk_fft_plan)
        fftw_destroy_plan(f->plan);
    }
    fftw_free(f->in);
    fftw_free(f->out);
    memset(f, 0, sizeof *f);
}

size_t mlk_fft_good_size(size_t n)
{
    static const size_t prime[] = {2, 3, 5, 7};
    for (n += n & 1;; n += 2) {
        size_t r = n;
        for (int k = 0; k < 4; k++)
            while (r > 1 && r % prime[k] == 0) r /= prime[k];
        if (r <= 1) return n ? n : 2;
    }
}
