/* fft.c - see fft.h. Plans are only estimated (no timing runs): results do not depend on the
 * machine's load, and planning costs microseconds. */
#include "core/fft.h"

#include <fftw3.h>
#include <limits.h>
#include <string.h>

/* Plans are kept, since planning a length costs more than transforming it: a program uses few
 * lengths, and each of them often. Only read and changed inside the critical section. */
enum { KEPT = 64 };
static struct {
    size_t len;
    bool back;
    fftw_plan plan;
} kept[KEPT];
static int n_kept;

/* plan for buffers as fftw_malloc gives them; *own: it is not kept */
static fftw_plan plan_for(bool back, size_t len, double *in, double *out, bool *own)
{
    for (int k = 0; k < n_kept; k++)
        if (kept[k].len == len && kept[k].back == back) return kept[k].plan;
    fftw_plan p = back ? fftw_plan_dft_c2r_1d((int)len, (fftw_complex *)in, out, FFTW_ESTIMATE)
                       : fftw_plan_dft_r2c_1d((int)len, in, (fftw_complex *)out, FFTW_ESTIMATE);
    *own = n_kept == KEPT;
    if (p && !*own) kept[n_kept].len = len, kept[n_kept].back = back, kept[n_kept++].plan = p;
    return p;
}

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
        f->plan = plan_for(kind == MLK_FFT_C2R, len, f->in, f->out, &f->own);
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
    if (f->kind == MLK_FFT_C2R)
        fftw_execute_dft_c2r(f->plan, (fftw_complex *)f->in, f->out);
    else
        fftw_execute_dft_r2c(f->plan, f->in, (fftw_complex *)f->out);
    for (size_t k = 0; even && k < n; k++) f->out[k] = f->out[2 * k];
}

void mlk_fft_free(mlk_fft *f)
{
    if (f->own) {
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
