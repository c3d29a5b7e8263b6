/* tensor.c - see tensor.h. */
#include "transport/tensor.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/fft.h"
#include "core/linalg.h"
#include "core/mem.h"
#include "core/stats.h"

enum { NC = 3 }; /* Cartesian components */
/* f* is half that of the scalar analysis: one direction has a third of its data, so the Akaike
 * criterion would smooth more; the narrower band costs 5 % in error and halves the bias */
enum { WIDER = 2 };

/* Eliminate rows 3..m-1 of Hermitian c (m,m), largest remaining share first. 0: a pivot is rounding
 * noise. */
static int eliminate(size_t m, double complex *c)
{
    double diag[NC * MLK_FLUX_MAX];
    int done[NC * MLK_FLUX_MAX] = {0};
    for (size_t a = 0; a < m; a++) diag[a] = creal(c[a * m + a]);
    for (size_t step = NC; step < m; step++) {
        size_t p = 0;
        double best = -1;
        for (size_t a = NC; a < m; a++) {
            double r = diag[a] > 0 ? creal(c[a * m + a]) / diag[a] : -1;
            if (!done[a] && r > best) best = r, p = a;
        }
        if (!(best > 1e-13)) return 0; /* as in the scalar analysis */
        done[p] = 1;
        for (size_t a = 0; a < m; a++) {
            if (done[a]) continue;
            double complex f = c[a * m + p] / creal(c[p * m + p]);
            for (size_t b = 0; b < m; b++)
                if (!done[b]) c[a * m + b] -= f * c[p * m + b];
        }
    }
    return 1;
}

static size_t shortest_run(const mlk_flux *fl)
{
    size_t n = fl->n;
    for (size_t g = 0; g < fl->n_segment; g++) {
        size_t len = fl->segment[g + 1] - fl->segment[g];
        if (len < n) n = len;
    }
    return n;
}

/* Spectra of the three energy components, naive and reduced by all mass components, as 3x3
 * "fluxes" with the degrees of freedom in ell. */
typedef struct pair {
    mlk_spectra naive, reduced;
} pair;

static mlk_status blank(mlk_spectra *sp, size_t n, double dt, mlk_err *e)
{
    *sp = (mlk_spectra){.m = NC, .n = n, .nf = n / 2 + 1, .dt = dt};
    sp->c = mlk_alloc(2 * sp->nf * NC * NC, sizeof *sp->c);
    return sp->c ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "spectra of %zu frequencies", sp->nf);
}

static void store(mlk_spectra *sp, size_t k, size_t m, const double complex *c)
{
    for (size_t a = 0; a < NC; a++)
        for (size_t b = 0; b < NC; b++) {
            sp->c[2 * ((k * NC + a) * NC + b)] = creal(c[a * m + b]);
            sp->c[2 * ((k * NC + a) * NC + b) + 1] = cimag(c[a * m + b]);
        }
}

/* add (dt/n) X conj(X)^T of one piece; x (m, 2 nf) */
static void accumulate(size_t m, size_t nf, double f, const double *x, double complex *c)
{
    for (size_t k = 0; k < nf; k++)
        for (size_t a = 0; a < m; a++) {
            double complex u = f * (x[2 * (a * nf + k)] + I * x[2 * (a * nf + k) + 1]);
            for (size_t b = 0; b < m; b++)
                c[(k * m + a) * m + b] += u * (x[2 * (b * nf + k)] - I * x[2 * (b * nf + k) + 1]);
        }
}

static mlk_status spectra(pair *p, const mlk_onsager *on, const mlk_flux *fl, size_t n,
                          size_t *pieces, mlk_err *e)
{
    size_t m = NC * on->m, nf = n / 2 + 1, ts = WIDER * on->tskip;
    double dt = fl->dt * (double)ts;
    mlk_fft fft = {0};
    double *x = mlk_alloc(m * 2 * nf, sizeof *x);
    double complex *c = mlk_alloc(m * m * nf, sizeof *c);
    mlk_status s = x && c ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "spectra of %zu frequencies", nf);
    if (s) goto done;
    MLK_GO(blank(&p->naive, n, dt, e));
    MLK_GO(blank(&p->reduced, n, dt, e));
    MLK_GO(mlk_fft_init(&fft, MLK_FFT_R2C, n, e));
    *pieces = 0;
    for (size_t g = 0; g < fl->n_segment; g++) {
        size_t first = fl->segment[g], np = (fl->segment[g + 1] - first) / ts / n;
        for (size_t q = 0; q < np; q++, ++*pieces) {
            for (size_t a = 0; a < m; a++) {
                const double *j = mlk_flux_series(fl, (size_t)on->choice.set[a / NC], a % NC);
                mlk_resample(j + first + q * n * ts, n * ts, ts, fft.in);
                mlk_fft_execute(&fft);
                memcpy(x + a * 2 * nf, fft.out, 2 * nf * sizeof *x);
            }
            accumulate(m, nf, dt / (double)n, x, c);
            mlk_flux_release(fl);
        }
    }
    for (size_t k = 0; k < nf; k++) {
        store(&p->naive, k, m, c + k * m * m);
        if (!eliminate(m, c + k * m * m)) {
            s = MLK_FAIL(e, MLK_ENUMERIC, "the components of the mass fluxes depend on each other");
            goto done;
        }
        store(&p->reduced, k, m, c + k * m * m);
    }
    p->naive.ell = *pieces, p->reduced.ell = *pieces - (m - NC);
done:
    mlk_fft_free(&fft);
    mlk_free(x);
    mlk_free(c);
    return s;
}

typedef struct cutoff {
    size_t p;
    double spread; /* variance of ln kappa from the choice between cut-offs */
} cutoff;

/* Cut-off for all directions: that of the mean of the three axes, each in units of its own power.
 * Three times the data tell more about the shape of the spectrum than one direction does. */
static mlk_status find_cutoff(const mlk_spectra *sp, const mlk_onsager_opts *o, cutoff *cut,
                              mlk_err *e)
{
    const int zero = 0;
    double power[NC] = {0};
    mlk_spectra q = *sp;
    mlk_cepstral cp;
    q.m = 1, q.ell = NC * sp->ell;
    q.c = mlk_alloc(2 * q.nf, sizeof *q.c);
    if (!q.c) return MLK_FAIL(e, MLK_ENOMEM, "spectrum of %zu frequencies", q.nf);
    for (size_t k = 0; k < q.nf; k++)
        for (size_t a = 0; a < NC; a++) power[a] += sp->c[2 * (k * NC + a) * NC + 2 * a];
    for (size_t k = 0; k < q.nf; k++)
        for (size_t a = 0; a < NC; a++)
            if (power[a] > 0) q.c[2 * k] += sp->c[2 * (k * NC + a) * NC + 2 * a] / power[a];
    mlk_status s = mlk_cepstral_init(&cp, &q, 1, &zero, o->rule, o->p, e);
    mlk_spectra_free(&q);
    if (s) return s;
    cut->p = (size_t)ceil(cp.p_mean);
    double fixed = cp.l0_err[cut->p - 1];
    cut->spread = fmax(0, cp.sigma * cp.sigma - fixed * fixed);
    mlk_cepstral_free(&cp);
    return MLK_OK;
}

/* conductivity along direction d and its relative error */
static mlk_status along(const mlk_spectra *sp, const mlk_onsager *on, const cutoff *cut,
                        const double *d, double *kappa, double *rel, mlk_err *e)
{
    const int zero = 0;
    mlk_spectra q = {0};
    mlk_cepstral cp;
    MLK_TRY(mlk_spectra_mix(&q, sp, 1, d, e));
    mlk_status s = mlk_cepstral_init(&cp, &q, 1, &zero, MLK_RULE_FIXED, cut->p, e);
    mlk_spectra_free(&q);
    if (s) return s;
    *kappa = 0.5 * on->kappa_scale * exp(cp.ln_s0);
    *rel = sqrt(cp.sigma * cp.sigma + cut->spread) * on->error_scale;
    mlk_cepstral_free(&cp);
    return MLK_OK;
}

static mlk_status build(const mlk_spectra *sp, const mlk_onsager *on, const cutoff *cut, double *k,
                        double *err, mlk_err *e)
{
    for (size_t a = 0; a < NC; a++) {
        double d[NC] = {0}, rel;
        d[a] = 1;
        MLK_TRY(along(sp, on, cut, d, k + a * NC + a, &rel, e));
        err[a * NC + a] = rel * k[a * NC + a];
    }
    for (size_t a = 0; a < NC; a++)
        for (size_t b = a + 1; b < NC; b++) {
            double v[2], r[2], diff = 0.5 * (k[a * NC + a] - k[b * NC + b]);
            for (int sign = 0; sign < 2; sign++) {
                double d[NC] = {0};
                d[a] = sqrt(0.5), d[b] = sign ? -sqrt(0.5) : sqrt(0.5);
                MLK_TRY(along(sp, on, cut, d, v + sign, r + sign, e));
            }
            double s0 = r[0] * v[0], s1 = r[1] * v[1], rho = diff * diff / (v[0] * v[1]);
            double var = 0.25 * (s0 * s0 + s1 * s1 - 2 * fmin(1, rho) * s0 * s1);
            k[a * NC + b] = k[b * NC + a] = 0.5 * (v[0] - v[1]);
            err[a * NC + b] = err[b * NC + a] = sqrt(var);
        }
    return MLK_OK;
}

/* chance of such a tensor in an isotropic system: two differences of the diagonal on the
 * logarithm, three off-diagonal elements */
static double isotropic(const double *k, const double *err)
{
    double sw = 0, swx = 0, q = 0;
    for (size_t a = 0; a < NC; a++) {
        double s = err[a * NC + a] / k[a * NC + a], w = 1 / (s * s);
        sw += w, swx += w * log(k[a * NC + a]);
    }
    for (size_t a = 0; a < NC; a++) {
        double s = err[a * NC + a] / k[a * NC + a], x = (log(k[a * NC + a]) - swx / sw) / s;
        q += x * x;
        for (size_t b = a + 1; b < NC; b++) {
            double z = k[a * NC + b] / err[a * NC + b];
            q += z * z;
        }
    }
    return mlk_chi2_sf(q, 5);
}

/* principal values, with the error of the cepstrum along each axis */
static mlk_status principal(mlk_tensor *t, const mlk_spectra *sp, const mlk_onsager *on,
                            const cutoff *cut, mlk_err *e)
{
    memcpy(t->axis, t->kappa, sizeof t->axis);
    MLK_TRY(mlk_eigh(NC, t->axis, t->principal, e));
    t->positive = t->principal[0] > 0;
    double var = 0;
    for (size_t a = 0; a < NC; a++) {
        double v, rel, common = cut->spread * on->error_scale * on->error_scale;
        MLK_TRY(along(sp, on, cut, t->axis + NC * a, &v, &rel, e));
        t->principal_err[a] = rel * v;
        t->mean += t->principal[a] / NC;
        var += (rel * rel - common) * v * v / (NC * NC); /* noise of principal axes is their own */
    }
    t->mean_err = sqrt(var + cut->spread * pow(on->error_scale * t->mean, 2));
    return MLK_OK;
}

mlk_status mlk_tensor_init(mlk_tensor *t, const mlk_onsager *on, const mlk_flux *fl,
                           const mlk_onsager_opts *o, mlk_err *e)
{
    memset(t, 0, sizeof *t);
    if (fl->nc != NC) {
        snprintf(t->missing, sizeof t->missing, "the fluxes have %zu of three components", fl->nc);
        return MLK_OK;
    }
    size_t mass = NC * (on->m - 1), least = mass + 3, runs = fl->n_segment;
    size_t samples = shortest_run(fl) / (WIDER * on->tskip), p = (4 * (mass + 1) + runs - 1) / runs;
    while (p > 1 && (p - 1) * runs >= least && samples / p < 100) p--;
    size_t n = samples / p - samples / p % 2;
    if (n < 40) { /* shorter pieces do not resolve the spectrum below f* */
        snprintf(t->missing, sizeof t->missing,
                 "%zu pieces of 40 samples at f* are needed, the data hold %zu", least,
                 samples * runs / 40);
        return MLK_OK;
    }
    pair sp = {0};
    cutoff cut_naive, cut;
    mlk_status s;
    MLK_GO(spectra(&sp, on, fl, n, &t->pieces, e));
    t->dof = sp.reduced.ell;
    MLK_GO(find_cutoff(&sp.naive, o, &cut_naive, e));
    MLK_GO(find_cutoff(&sp.reduced, o, &cut, e));
    t->pstar_naive = cut_naive.p, t->pstar = cut.p;
    MLK_GO(build(&sp.naive, on, &cut_naive, t->naive, t->naive_err, e));
    MLK_GO(build(&sp.reduced, on, &cut, t->kappa, t->kappa_err, e));
    MLK_GO(principal(t, &sp.reduced, on, &cut, e));
    double p1 = isotropic(t->naive, t->naive_err), p2 = isotropic(t->kappa, t->kappa_err);
    t->isotropic_p = fmin(1, 2 * fmin(p1, p2));
done:
    mlk_spectra_free(&sp.naive);
    mlk_spectra_free(&sp.reduced);
    return s;
}
