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

typedef struct work {
    mlk_fft fwd, inv;
    double *f, *acc; /* (m, nf) complex transforms; (rows, nf) products */
} work;

mlk_status mlk_corr_begin(mlk_corr_work *w, size_t n, size_t m, size_t nc, size_t nlag, mlk_err *e)
{
    memset(w, 0, sizeof *w);
    if (n < 1 || nlag < 1 || nlag > n || m < 1 || nc < 1)
        return MLK_FAIL(e, MLK_EINVAL, "correlation of %zu samples up to lag %zu", n, nlag);
    size_t nfft = mlk_fft_good_size(n + nlag), nf = nfft / 2 + 1;
    work *q = mlk_alloc(1, sizeof *q);
    if (!q) return MLK_FAIL(e, MLK_ENOMEM, "correlation of %zu samples", n);
    w->own = q;
    w->n = n, w->m = m, w->nc = nc, w->nlag = nlag;
    q->f = mlk_alloc(m * 2 * nf, sizeof *q->f);
    q->acc = mlk_alloc(m * (m + 1) / 2 * nf, sizeof *q->acc);
    mlk_status s =
        q->f && q->acc ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "correlation of %zu samples", n);
    if (!s) s = mlk_fft_init(&q->fwd, MLK_FFT_R2C, nfft, e);
    if (!s) s = mlk_fft_init(&q->inv, MLK_FFT_C2R, nfft, e);
    if (s) mlk_corr_end(w);
    return s;
}

void mlk_corr_end(mlk_corr_work *w)
{
    work *q = w->own;
    if (!q) return;
    mlk_fft_free(&q->fwd);
    mlk_fft_free(&q->inv);
    mlk_free(q->f);
    mlk_free(q->acc);
    mlk_free(q);
    memset(w, 0, sizeof *w);
}

void mlk_corr_run(mlk_corr_work *w, const double *const *x, double *out)
{
    work *q = w->own;
    size_t n = w->n, m = w->m, nfft = q->fwd.n, nf = nfft / 2 + 1, rows = m * (m + 1) / 2;
    memset(q->acc, 0, rows * nf * sizeof *q->acc);
    for (size_t c = 0; c < w->nc; c++) {
        for (size_t a = 0; a < m; a++) {
            memcpy(q->fwd.in, x[a * w->nc + c], n * sizeof *x);
            memset(q->fwd.in + n, 0, (nfft - n) * sizeof *x);
            mlk_fft_execute(&q->fwd);
            memcpy(q->f + a * 2 * nf, q->fwd.out, 2 * nf * sizeof *x);
        }
        /* the real part of X_a conj(X_b) is the transform of the symmetrised correlation */
        for (size_t a = 0; a < m; a++)
            for (size_t b = a; b < m; b++) {
                double *r = q->acc + mlk_corr_row(m, a, b) * nf;
                const double *u = q->f + a * 2 * nf, *v = q->f + b * 2 * nf;
                for (size_t k = 0; k < nf; k++)
                    r[k] += u[2 * k] * v[2 * k] + u[2 * k + 1] * v[2 * k + 1];
            }
    }
    for (size_t r = 0; r < rows; r++) {
        for (size_t k = 0; k < nf; k++)
            q->inv.in[2 * k] = q->acc[r * nf + k], q->inv.in[2 * k + 1] = 0;
        mlk_fft_execute(&q->inv);
        for (size_t k = 0; k < w->nlag; k++)
            out[r * w->nlag + k] = q->inv.out[k] / ((double)nfft * (double)w->nc * (double)(n - k));
    }
}

mlk_status mlk_corr(size_t n, size_t m, size_t nc, const double *const *x, size_t nlag, double *out,
                    mlk_err *e)
{
    mlk_corr_work w;
    MLK_TRY(mlk_corr_begin(&w, n, m, nc, nlag, e));
    mlk_corr_run(&w, x, out);
    mlk_corr_end(&w);
    return MLK_OK;
}

void mlk_corr_integral(size_t n, const double *c, double dt, double *out)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        if (k > 0) sum += 0.5 * dt * (c[k - 1] + c[k]);
        out[k] = sum;
    }
}
