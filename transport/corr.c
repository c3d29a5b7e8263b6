/* corr.c - see corr.h. Zero padding to at least n+nlag keeps the circular products apart. */
#include "transport/corr.h"

#include <string.h>

#include "core/fft.h"
#include "core/mem.h"

size_t mlk_corr_row(size_t m, size_t a, size_t b)
{
    if (a > b) {
        size_t t = a;
        a = b, b = t;
    }
    return a * m - a * (a + 1) / 2 + b;
}

mlk_status mlk_corr(size_t n, size_t stride, size_t m, const double *x, size_t nlag, double *out,
                    mlk_err *e)
{
    if (n < 1 || nlag < 1 || nlag > n || m < 1)
        return MLK_FAIL(e, MLK_EINVAL, "correlation of %zu samples up to lag %zu", n, nlag);
    size_t nfft = mlk_fft_good_size(n + nlag), nf = nfft / 2 + 1, rows = m * (m + 1) / 2;
    mlk_fft fwd = {0}, inv = {0};
    double *f = mlk_alloc(m * 2 * nf, sizeof *f), *acc = mlk_alloc(rows * nf, sizeof *acc);
    mlk_status s = MLK_OK;
    if (!f || !acc) {
        s = MLK_FAIL(e, MLK_ENOMEM, "correlation of %zu samples", n);
        goto done;
    }
    MLK_GO(mlk_fft_init(&fwd, MLK_FFT_R2C, nfft, e));
    MLK_GO(mlk_fft_init(&inv, MLK_FFT_C2R, nfft, e));
    for (size_t c = 0; c < 3; c++) {
        for (size_t a = 0; a < m; a++) {
            memcpy(fwd.in, x + (3 * a + c) * stride, n * sizeof *x);
            memset(fwd.in + n, 0, (nfft - n) * sizeof *x);
            mlk_fft_execute(&fwd);
            memcpy(f + a * 2 * nf, fwd.out, 2 * nf * sizeof *f);
        }
        /* the real part of X_a conj(X_b) is the transform of the symmetrised correlation */
        for (size_t a = 0; a < m; a++)
            for (size_t b = a; b < m; b++) {
                double *r = acc + mlk_corr_row(m, a, b) * nf;
                const double *p = f + a * 2 * nf, *q = f + b * 2 * nf;
                for (size_t k = 0; k < nf; k++) r[k] += p[2 * k] * q[2 * k] + p[2 * k + 1] * q[2 * k + 1];
            }
    }
    for (size_t r = 0; r < rows; r++) {
        for (size_t k = 0; k < nf; k++) inv.in[2 * k] = acc[r * nf + k], inv.in[2 * k + 1] = 0;
        mlk_fft_execute(&inv);
        for (size_t k = 0; k < nlag; k++)
            out[r * nlag + k] = inv.out[k] / ((double)nfft * 3 * (double)(n - k));
    }
done:
    mlk_fft_free(&fwd);
    mlk_fft_free(&inv);
    mlk_free(f);
    mlk_free(acc);
    return s;
}

void mlk_corr_integral(size_t n, const double *c, double dt, double *out)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        if (k > 0) sum += 0.5 * dt * (c[k - 1] + c[k]);
        out[k] = sum;
    }
}
