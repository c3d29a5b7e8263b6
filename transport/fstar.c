/* fstar.c - see fstar.h. */
#include "transport/fstar.h"

#include <math.h>

#include "core/stats.h"
#include "transport/block.h"

size_t mlk_pieces_auto(const mlk_flux *fl, size_t n_run, size_t m, size_t tskip)
{
    size_t least = (m + fl->nc * n_run - 1) / (fl->nc * n_run), want = m > 2 ? 2 * m : 4,
           shortest = fl->n;
    for (size_t s = 0; s < fl->n_segment; s++) {
        size_t len = fl->segment[s + 1] - fl->segment[s];
        if (len < shortest) shortest = len;
    }
    size_t p = (want + n_run - 1) / n_run;
    while (p > least && (shortest / tskip / p < 100 || (double)(shortest / p) * fl->dt < 1e4)) p--;
    return p > least ? p : least;
}

/* mean reduced power of bins lo..hi-1; summing before the elimination makes this work with any
 * number of fluxes and tames the noise */
static double band_power(const mlk_spectra *sp, size_t lo, size_t hi, size_t m, const int *set)
{
    double a[MLK_FLUX_MAX * MLK_FLUX_MAX] = {0};
    for (size_t k = lo; k < hi; k++)
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < m; j++)
                a[i * m + j] += sp->c[2 * ((k * sp->m + (size_t)set[i]) * sp->m + (size_t)set[j])];
    double r = mlk_schur(m, a);
    return r > 0 ? r / (double)(hi - lo) : 0;
}

enum { GROUP = 8 };

/* frequency below which 9/10 of the power lies */
static double power_edge(const mlk_spectra *sp, size_t m, const int *set)
{
    double total = 0, sum = 0;
    size_t k;
    for (k = 0; k + GROUP <= sp->nf; k += GROUP) total += band_power(sp, k, k + GROUP, m, set);
    for (k = 0; k + GROUP <= sp->nf && sum < 0.9 * total; k += GROUP)
        sum += band_power(sp, k, k + GROUP, m, set);
    return mlk_spectra_freq(sp, k);
}

/* width of the structure at zero frequency: where the spectrum has halved or doubled and stays so
 * in the next band. Bands grow with frequency, so that the noise of their means falls. */
static double first_width(const mlk_spectra *sp, size_t m, const int *set)
{
    size_t lo = 1, hi = 1 + (sp->ell < 12 ? 16 : 8), first = 0;
    double zero = band_power(sp, lo, hi < sp->nf ? hi : sp->nf, m, set);
    int before = 0;
    while (hi + hi / 4 + GROUP < sp->nf) {
        lo = hi;
        hi = lo + lo / 4 + GROUP / 2;
        double p = band_power(sp, lo, hi, m, set);
        int now = p < 0.5 * zero ? -1 : p > 2 * zero;
        if (now && now == before) return mlk_spectra_freq(sp, first);
        first = (lo + hi) / 2;
        before = now;
    }
    return mlk_spectra_freq(sp, sp->nf - 1);
}

/* largest mean deviation, in standard errors, of ln S from its filtered form over the first 6, 12,
 * ... bins up to a quarter of the band */
static double misfit(const mlk_cepstral *cp)
{
    double sum = 0, worst = 0, sd = sqrt(mlk_trigamma((double)cp->nu));
    size_t next = 6;
    for (size_t k = 1; k < cp->nf / 4; k++) {
        sum += log(cp->psd[k] / cp->smooth[k]) - cp->lambda;
        if (k < next) continue;
        worst = fmax(worst, fabs(sum) / (sd * sqrt((double)k)));
        next *= 2;
    }
    return worst;
}

mlk_status mlk_tskip_auto(const mlk_flux *fl, const mlk_spectra *full, size_t m, const int *set,
                          mlk_rule rule, size_t p, int pool, size_t pieces, size_t *tskip,
                          mlk_err *e)
{
    /* two standard errors: seen by chance in about one band of ten, and then little is lost */
    static const double agree = 2.0;
    double nyquist = mlk_spectra_freq(full, full->nf - 1);
    double f = fmin(power_edge(full, m, set), 8 * first_width(full, m, set));
    double t = nyquist / f, most = (double)full->n / 400, best = INFINITY;
    t = fmax(1, fmin(t, most));
    if (rule == MLK_RULE_SHAPES) return *tskip = (size_t)(t + 0.5), MLK_OK;
    for (*tskip = (size_t)(t + 0.5);; t *= sqrt(2.0)) {
        size_t ts = (size_t)(t + 0.5);
        mlk_spectra sp;
        mlk_cepstral cp;
        size_t np = pool ? mlk_pieces_auto(fl, fl->n_segment, m, ts) : pieces;
        MLK_TRY(mlk_spectra_init(&sp, fl, ts, np, e));
        mlk_status s = mlk_cepstral_init(&cp, &sp, m, set, rule, p, e);
        mlk_spectra_free(&sp);
        if (s) return s;
        double miss = misfit(&cp);
        mlk_cepstral_free(&cp);
        if (miss < best) best = miss, *tskip = ts;
        if (miss < agree || t * sqrt(2.0) > most) return MLK_OK;
    }
}

static mlk_status scan_one(mlk_fstar_scan *scan, const mlk_spectra *sp, size_t m, const int *set,
                           mlk_rule rule, size_t p, mlk_err *e)
{
    mlk_cepstral naive, cp;
    MLK_TRY(mlk_cepstral_init(&naive, sp, 1, set, rule, p, e));
    mlk_status s = mlk_cepstral_init(&cp, sp, m, set, rule, p, e);
    if (!s) {
        size_t k = scan->n++;
        scan->fstar[k] = mlk_spectra_freq(sp, sp->nf - 1);
        scan->ln_naive[k] = naive.ln_s0, scan->naive_sigma[k] = naive.sigma;
        scan->ln_s0[k] = cp.ln_s0, scan->sigma[k] = cp.sigma;
        mlk_cepstral_free(&cp);
    }
    mlk_cepstral_free(&naive);
    return s;
}

mlk_status mlk_fstar_scan_make(mlk_fstar_scan *scan, const mlk_flux *fl, size_t m, const int *set,
                               mlk_rule rule, size_t p, int pool, size_t pieces, size_t tskip,
                               mlk_err *e)
{
    size_t last = 0;
    scan->n = 0;
    for (int k = 0; k < MLK_FSTAR_SCAN; k++) {
        size_t ts = (size_t)((double)tskip * pow(2, 0.5 * k - 2) + 0.5);
        if (ts <= last) continue;
        last = ts;
        mlk_spectra sp;
        mlk_err why = {0};
        mlk_status s = mlk_spectra_init(
            &sp, fl, ts, pool ? mlk_pieces_auto(fl, fl->n_segment, m, ts) : pieces, &why);
        if (!s) {
            s = scan_one(scan, &sp, m, set, rule, p, &why);
            mlk_spectra_free(&sp);
        }
        if (s == MLK_ENOMEM) return MLK_FAIL(e, MLK_ENOMEM, "scan of f*");
    }
    return MLK_OK;
}
