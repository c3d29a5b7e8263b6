/* spectra.c - resampling and cross-periodograms; see cepstral.h. */
#include <math.h>
#include <string.h>

#include "core/fft.h"
#include "core/mem.h"
#include "transport/cepstral.h"

double mlk_kappa_scale(double e_c, double kb_si, double temperature, double volume)
{
    double e19 = e_c * 1e19 / temperature;
    return e19 * e19 / (kb_si * 1e23) / volume * 1e4;
}

double mlk_sigma_scale(double e_c, double kb_si, double temperature, double volume)
{
    return e_c * 1e19 * (e_c * 1e19) / temperature / (kb_si * 1e23) / volume * 1e4;
}

double mlk_spectra_freq(const mlk_spectra *sp, size_t k)
{
    return (double)k / ((double)sp->n * sp->dt) * 1e3;
}

size_t mlk_resample(const double *x, size_t n, size_t tskip, double *y)
{
    size_t m = n / tskip;
    for (size_t i = 0; i < m; i++) {
        double s = 0;
        for (size_t k = 0; k < tskip; k++) s += x[i * tskip + k];
        y[i] = s / (double)tskip;
    }
    return m - m % 2;
}

/* Longer pieces than this would only cost memory: their lowest bins are far below the width of any
 * peak, and averaged periodograms say the same. */
enum { LONGEST = 1 << 18 };

static size_t shortest_run(const mlk_flux *fl)
{
    size_t shortest = fl->n;
    for (size_t s = 0; s < fl->n_segment; s++) {
        size_t len = fl->segment[s + 1] - fl->segment[s];
        if (len < shortest) shortest = len;
    }
    return shortest;
}

size_t mlk_spectra_pieces(const mlk_flux *fl, size_t tskip, size_t pieces)
{
    size_t least = (shortest_run(fl) / tskip + LONGEST - 1) / LONGEST;
    return pieces > least ? pieces : least;
}

/* length of a piece after resampling. Where runs are cut because of LONGEST only, a length that is
 * quick to transform is taken, at the loss of at most a few per cent of the run. */
static size_t piece_length(const mlk_flux *fl, size_t tskip, size_t pieces)
{
    size_t need = mlk_spectra_pieces(fl, tskip, pieces), n = shortest_run(fl) / tskip / need;
    if (need <= pieces) return n - n % 2;
    size_t quick = mlk_fft_good_size(n);
    for (size_t less = n; quick > n; less -= 2) quick = mlk_fft_good_size(less);
    return quick;
}

/* n resampled values; of a long run only some samples are kept in memory at a time */
static void resample_far(const mlk_flux *fl, const double *j, size_t n, size_t tskip, double *y)
{
    size_t step = ((size_t)1 << 20) / tskip + 1;
    for (size_t i = 0; i < n; i += step) {
        size_t k = n - i < step ? n - i : step;
        mlk_resample(j + i * tskip, k * tskip, tskip, y + i);
        mlk_flux_release(fl);
    }
}

/* add (dt/n) X_a conj(X_b) of one piece and component */
static void accumulate(mlk_spectra *sp, const double *x, size_t stride)
{
    double f = sp->dt / (double)sp->n;
    size_t m = sp->m;
    for (size_t k = 0; k < sp->nf; k++) {
        double *c = sp->c + 2 * k * m * m;
        for (size_t a = 0; a < m; a++) {
            double ar = x[a * stride + 2 * k], ai = x[a * stride + 2 * k + 1];
            for (size_t b = 0; b < m; b++) {
                double br = x[b * stride + 2 * k], bi = x[b * stride + 2 * k + 1];
                c[2 * (a * m + b)] += f * (ar * br + ai * bi);
                c[2 * (a * m + b) + 1] += f * (ai * br - ar * bi);
            }
        }
    }
}

mlk_status mlk_spectra_init(mlk_spectra *sp, const mlk_flux *fl, size_t tskip, size_t pieces,
                            mlk_err *e)
{
    memset(sp, 0, sizeof *sp);
    if (tskip < 1 || pieces < 1) return MLK_FAIL(e, MLK_EINVAL, "resampling by 0");
    size_t n = piece_length(fl, tskip, pieces), m = fl->m;
    if (n < 16) {
        MLK_FAIL(e, MLK_EINVAL, "only %zu samples per piece after resampling by %zu", n, tskip);
        mlk_err_hint(e, "a longer run, a higher --fstar or fewer --pieces");
        return e ? e->code : MLK_EINVAL;
    }
    sp->m = m, sp->n = n, sp->nf = n / 2 + 1;
    sp->dt = fl->dt * (double)tskip;
    size_t stride = 2 * sp->nf;
    mlk_fft fft = {0};
    double *x = mlk_alloc(m * stride, sizeof *x);
    sp->c = mlk_alloc(2 * sp->nf * m * m, sizeof *sp->c);
    mlk_status s = MLK_OK;
    if (!x || !sp->c) {
        s = MLK_FAIL(e, MLK_ENOMEM, "spectra of %zu frequencies", sp->nf);
        goto done;
    }
    MLK_GO(mlk_fft_init(&fft, MLK_FFT_R2C, n, e));
    for (size_t g = 0; g < fl->n_segment; g++) {
        size_t first = fl->segment[g], len = fl->segment[g + 1] - first, np = len / tskip / n;
        sp->lost += len - np * n * tskip;
        for (size_t p = 0; p < np; p++)
            for (size_t c = 0; c < fl->nc; c++) {
                for (size_t a = 0; a < m; a++) {
                    const double *j = mlk_flux_series(fl, a, c) + first + p * n * tskip;
                    resample_far(fl, j, n, tskip, fft.in);
                    mlk_fft_execute(&fft);
                    memcpy(x + a * stride, fft.out, stride * sizeof *x);
                }
                accumulate(sp, x, stride);
                sp->ell++;
            }
    }
done:
    mlk_fft_free(&fft);
    mlk_free(x);
    if (s) mlk_spectra_free(sp);
    return s;
}

mlk_status mlk_spectra_mix(mlk_spectra *out, const mlk_spectra *sp, size_t m2, const double *t,
                           mlk_err *e)
{
    size_t m = sp->m;
    *out = *sp;
    out->m = m2;
    out->c = mlk_alloc(2 * sp->nf * m2 * m2, sizeof *out->c);
    if (!out->c) return MLK_FAIL(e, MLK_ENOMEM, "spectra of %zu frequencies", sp->nf);
    for (size_t k = 0; k < sp->nf; k++)
        for (size_t i = 0; i < m2; i++)
            for (size_t j = 0; j < m2; j++) {
                double re = 0, im = 0;
                for (size_t a = 0; a < m; a++)
                    for (size_t b = 0; b < m; b++) {
                        const double *c = sp->c + 2 * ((k * m + a) * m + b);
                        re += t[i * m + a] * t[j * m + b] * c[0];
                        im += t[i * m + a] * t[j * m + b] * c[1];
                    }
                out->c[2 * ((k * m2 + i) * m2 + j)] = re;
                out->c[2 * ((k * m2 + i) * m2 + j) + 1] = im;
            }
    return MLK_OK;
}

void mlk_spectra_free(mlk_spectra *sp)
{
    mlk_free(sp->c);
    memset(sp, 0, sizeof *sp);
}
