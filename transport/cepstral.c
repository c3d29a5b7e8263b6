/* cepstral.c - see cepstral.h. The log of the reduced spectrum has noise of known variance at every
 * frequency; its cosine transform separates the smooth part (few coefficients) from that noise. */
#include "transport/cepstral.h"

#include <complex.h>
#include <math.h>
#include <string.h>

#include "core/fft.h"
#include "core/mem.h"
#include "core/stats.h"
#include "transport/shape.h"

/* 1/(C^-1)_00 by elimination of the fluxes 1..m-1, largest pivot first. A pivot below 1e-13 of its
 * diagonal is rounding noise: the fluxes are linearly dependent. Returns < 0 then. */
static double reduce(size_t m, double complex *c)
{
    double diag[MLK_FLUX_MAX];
    int done[MLK_FLUX_MAX] = {0};
    for (size_t a = 0; a < m; a++) diag[a] = creal(c[a * m + a]);
    for (size_t step = 1; step < m; step++) {
        size_t p = 0;
        double best = -1;
        for (size_t a = 1; a < m; a++) {
            double r = diag[a] > 0 ? creal(c[a * m + a]) / diag[a] : -1;
            if (!done[a] && r > best) best = r, p = a;
        }
        if (!(best > 1e-13)) return -1;
        done[p] = 1;
        for (size_t a = 0; a < m; a++) {
            if (done[a]) continue;
            double complex f = c[a * m + p] / creal(c[p * m + p]);
            for (size_t b = 0; b < m; b++)
                if (!done[b]) c[a * m + b] -= f * c[p * m + b];
        }
    }
    return creal(c[0]);
}

static mlk_status reduced_spectrum(mlk_cepstral *cp, const mlk_spectra *sp, size_t m,
                                   const int *set, mlk_err *e)
{
    double complex c[MLK_FLUX_MAX * MLK_FLUX_MAX];
    for (size_t k = 0; k < sp->nf; k++) {
        for (size_t a = 0; a < m; a++)
            for (size_t b = 0; b < m; b++) {
                const double *v =
                    sp->c + 2 * ((k * sp->m + (size_t)set[a]) * sp->m + (size_t)set[b]);
                c[a * m + b] = v[0] + I * v[1];
            }
        double s = reduce(m, c) / (double)cp->nu;
        if (!(s > 0) || !isfinite(s)) {
            MLK_FAIL(e, MLK_ENUMERIC, "the spectrum is singular at %.6g THz",
                     mlk_spectra_freq(sp, k));
            mlk_err_hint(e, "a flux is zero or a combination of the others; leave it out");
            return e ? e->code : MLK_ENUMERIC;
        }
        cp->psd[k] = s;
    }
    return MLK_OK;
}

static mlk_status transform(mlk_cepstral *cp, mlk_err *e)
{
    mlk_fft f = {0};
    MLK_TRY(mlk_fft_init(&f, MLK_FFT_DCT1, cp->nf, e));
    for (size_t k = 0; k < cp->nf; k++)
        f.in[k] = log(cp->psd[k]) - (k == 0 || k + 1 == cp->nf ? cp->lambda_end : cp->lambda);
    mlk_fft_execute(&f);
    for (size_t k = 0; k < cp->nf; k++) cp->coef[k] = f.out[k] / (double)cp->n;
    mlk_fft_free(&f);
    return MLK_OK;
}

/* exp of the spectrum with cepstral coefficients f->in */
static void filter(mlk_cepstral *cp, mlk_fft *f)
{
    mlk_fft_execute(f);
    for (size_t k = 0; k < cp->nf; k++) cp->smooth[k] = exp(f->out[k]);
}

/* partial sums, their errors and the Akaike criterion for every cut-off */
static void scan(mlk_cepstral *cp)
{
    double var = mlk_trigamma((double)cp->nu) / (double)cp->n, tail = 0, sum = cp->coef[0];
    size_t last = cp->nf - 1;
    for (size_t k = cp->nf; k-- > 0;) {
        cp->aic[k] = tail + 2 * (double)(k + 1);
        tail += cp->coef[k] * cp->coef[k] / (k == 0 || k == last ? 2 * var : var);
    }
    for (size_t k = 0; k < cp->nf; k++) {
        if (k > 0) sum += (k == last ? 1 : 2) * cp->coef[k]; /* as in the inverse transform at 0 */
        cp->l0[k] = sum;
        cp->l0_err[k] = sqrt(var * (4 * (double)(k + 1) - (k == last ? 4 : 2)));
    }
}

static void choose(mlk_cepstral *cp, mlk_rule rule, size_t p)
{
    size_t best = 0;
    for (size_t k = 1; k < cp->nf; k++)
        if (cp->aic[k] < cp->aic[best]) best = k;
    if (rule == MLK_RULE_FIXED) best = p - 1;
    cp->pstar = best + 1;
    cp->p_mean = (double)cp->pstar;
    cp->ln_s0 = cp->l0[best];
    cp->sigma = cp->l0_err[best];
    if (rule != MLK_RULE_WEIGHTED) return;
    double sw = 0, sl = 0, sp = 0, sv = 0;
    for (size_t k = 0; k < cp->nf; k++) {
        double w = exp(-0.5 * (cp->aic[k] - cp->aic[best]));
        sw += w, sl += w * cp->l0[k], sp += w * (double)(k + 1);
    }
    cp->ln_s0 = sl / sw;
    cp->p_mean = sp / sw;
    for (size_t k = 0; k < cp->nf; k++) {
        double w = exp(-0.5 * (cp->aic[k] - cp->aic[best])), d = cp->l0[k] - cp->ln_s0;
        sv += w * (cp->l0_err[k] * cp->l0_err[k] + d * d);
    }
    cp->sigma = sqrt(sv / sw);
}

static mlk_status result(mlk_cepstral *cp, mlk_rule rule, size_t p, mlk_err *e)
{
    mlk_fft f = {0};
    MLK_TRY(mlk_fft_init(&f, MLK_FFT_DCT1, cp->nf, e));
    mlk_status s = MLK_OK;
    choose(cp, rule, p);
    if (rule == MLK_RULE_SHAPES) {
        mlk_shape r;
        double var = mlk_trigamma((double)cp->nu) / (double)cp->n;
        s = mlk_shape_average(&r, cp->nf, cp->coef, var, f.in, e);
        cp->ln_s0 = r.ln_s0, cp->sigma = r.sigma, cp->p_mean = r.p;
    } else {
        for (size_t k = 0; k < cp->nf; k++) f.in[k] = k < cp->pstar ? cp->coef[k] : 0;
    }
    if (!s) filter(cp, &f);
    mlk_fft_free(&f);
    return s;
}

mlk_status mlk_cepstral_init(mlk_cepstral *cp, const mlk_spectra *sp, size_t m, const int *set,
                             mlk_rule rule, size_t p, mlk_err *e)
{
    memset(cp, 0, sizeof *cp);
    if (sp->ell < m) {
        MLK_FAIL(e, MLK_EINVAL, "%zu fluxes but only %zu equivalent components", m, sp->ell);
        mlk_err_hint(e,
                     "pool several runs, cut the run with --pieces %zu, or name fewer fluxes "
                     "with --mobile",
                     sp->ell ? (m + sp->ell - 1) / sp->ell : m);
        return e ? e->code : MLK_EINVAL;
    }
    if (rule == MLK_RULE_FIXED && (p < 1 || p > sp->nf))
        return MLK_FAIL(e, MLK_EINVAL, "%zu cepstral coefficients asked for, 1 to %zu are possible",
                        p, sp->nf);
    cp->n = sp->n, cp->nf = sp->nf, cp->nu = sp->ell - m + 1;
    double nu = (double)cp->nu;
    cp->lambda = mlk_digamma(nu) - log(nu);
    cp->lambda_end = mlk_digamma(nu / 2) - log(nu / 2);
    double *all = mlk_alloc(6 * cp->nf, sizeof *all);
    if (!all) return MLK_FAIL(e, MLK_ENOMEM, "cepstrum of %zu values", cp->nf);
    cp->psd = all, cp->coef = all + cp->nf, cp->aic = all + 2 * cp->nf, cp->l0 = all + 3 * cp->nf;
    cp->l0_err = all + 4 * cp->nf, cp->smooth = all + 5 * cp->nf;
    mlk_status s;
    MLK_GO(reduced_spectrum(cp, sp, m, set, e));
    MLK_GO(transform(cp, e));
    scan(cp);
    s = result(cp, rule, p, e);
done:
    if (s) mlk_cepstral_free(cp);
    return s;
}

void mlk_cepstral_free(mlk_cepstral *cp)
{
    mlk_free(cp->psd);
    memset(cp, 0, sizeof *cp);
}
