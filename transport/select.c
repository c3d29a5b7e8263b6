/* select.c - see select.h. Both tests are pivoted elimination: once on the spectra integrated over
 * all frequencies (exact dependence), once on their lowest bins (what is left of a flux at zero
 * frequency after the chosen ones are taken out). In a crystal with one mobile species the
 * framework recoils as a whole, so after that species is chosen nothing is left of the others. */
#include "transport/select.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "transport/block.h"

/* a flux whose variance is explained by others to this fraction is a copy of them: tables carry 6
 * to 8 digits, so true copies agree to 1e-10 or better, and distinct currents never to 1e-6 */
static const double DEPENDENT = 1e-6;
/* a flux whose fluctuations have less than this share of its power is constant to 6 digits */
static const double CONSTANT = 1e-12;
/* no zero-frequency level: below this share of the mean level and still falling by more than this
 * factor from bins 2k..6k to bins 1..k (f^2 would give 1/40, leakage of the finite run 1/10, a
 * plateau 1) */
static const double VANISHING = 0.02, FALLING = 0.45;

/* real part of C summed over bins lo..hi-1, (m,m) */
static void band(const mlk_spectra *sp, size_t lo, size_t hi, double *a)
{
    size_t mm = sp->m * sp->m;
    memset(a, 0, mm * sizeof *a);
    for (size_t k = lo; k < hi && k < sp->nf; k++)
        for (size_t i = 0; i < mm; i++) a[i] += sp->c[2 * (k * mm + i)];
}

/* what is left of flux x in matrix a (m,m) after those of set[1..n-1] */
static double left_over(const double *a, size_t m, const int *set, size_t n, int x)
{
    double b[MLK_FLUX_MAX * MLK_FLUX_MAX];
    int idx[MLK_FLUX_MAX];
    idx[0] = x;
    for (size_t i = 1; i < n; i++) idx[i] = set[i];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) b[i * n + j] = a[(size_t)idx[i] * m + (size_t)idx[j]];
    double r = mlk_schur(n, b);
    return r > 0 ? r : 0;
}

static void left_out(char *buf, size_t cap, const mlk_choice *ch, const char (*label)[32])
{
    size_t len = 0;
    buf[0] = 0;
    for (size_t a = 1; a < MLK_FLUX_MAX && len < cap; a++)
        if (ch->dropped[a])
            len += (size_t)snprintf(buf + len, cap - len, "%s%s", len ? ", " : "", label[a]);
}

typedef struct bands {
    double zero[MLK_FLUX_MAX * MLK_FLUX_MAX]; /* at zero frequency: the means */
    double all[MLK_FLUX_MAX * MLK_FLUX_MAX];  /* the rest of the spectrum */
    double low[MLK_FLUX_MAX * MLK_FLUX_MAX], next[MLK_FLUX_MAX * MLK_FLUX_MAX];
    size_t k; /* bins in low; next has four times as many */
} bands;

static int depends(const bands *b, const mlk_spectra *sp, mlk_choice *ch, int x)
{
    double own = b->all[(size_t)x * sp->m + (size_t)x], mean = b->zero[(size_t)x * (sp->m + 1)];
    if (!(own > CONSTANT * mean)) {
        snprintf(ch->why[x], sizeof ch->why[x],
                 mean > 0 ? "its flux is constant" : "its flux is zero");
        return 1;
    }
    if (left_over(b->all, sp->m, ch->set, ch->m, x) > DEPENDENT * own) return 0;
    snprintf(ch->why[x], sizeof ch->why[x], "its flux is a combination of the others");
    return 1;
}

/* level of x at zero frequency relative to its mean; 0 when it vanishes */
static double level(const bands *b, const mlk_spectra *sp, const mlk_choice *ch, int x)
{
    double low = left_over(b->low, sp->m, ch->set, ch->m, x) / (double)b->k;
    double next = left_over(b->next, sp->m, ch->set, ch->m, x) / (double)(4 * b->k);
    double mean = left_over(b->all, sp->m, ch->set, ch->m, x) / (double)sp->nf;
    double r = mean > 0 ? low / mean : 0;
    if (r < 1e-6 || (r < VANISHING && low < FALLING * next)) return 0;
    return r;
}

static mlk_status forced_set(mlk_choice *ch, const mlk_spectra *sp, const bands *b,
                             const char (*label)[32], size_t n, const char (*name)[32], mlk_err *e)
{
    snprintf(ch->reason, sizeof ch->reason, "chosen by the user");
    if (n == 1 && !strcmp(name[0], "none")) return MLK_OK;
    for (size_t i = 0; i < n; i++) {
        int x = -1;
        for (size_t a = 1; a < sp->m; a++)
            if (!strcmp(label[a], name[i])) x = (int)a;
        if (x < 0) {
            char known[256] = "";
            for (size_t a = 1, len = 0; a < sp->m && len < sizeof known; a++)
                len += (size_t)snprintf(known + len, sizeof known - len, " %s", label[a]);
            MLK_FAIL(e, MLK_EINVAL, "--mobile: there is no flux '%s'", name[i]);
            mlk_err_hint(e, "fluxes of this run:%s", known);
            return e ? e->code : MLK_EINVAL;
        }
        if (!ch->dropped[x] || depends(b, sp, ch, x)) continue;
        ch->dropped[x] = 0;
        ch->level[x] = level(b, sp, ch, x);
        ch->set[ch->m++] = x;
        snprintf(ch->why[x], sizeof ch->why[x], "named by the user");
    }
    return MLK_OK;
}

/* Keep the flux with the largest remaining level until none is left that does not vanish. Largest:
 * in velocity squared per particle when masses are known, which a recoiling framework cannot win.
 */
static void by_spectrum(mlk_choice *ch, const mlk_spectra *sp, const mlk_flux *fl, const bands *b)
{
    bool physical = true;
    for (size_t a = 1; a < sp->m; a++) physical = physical && fl->mass[a] > 0 && fl->count[a] > 0;
    for (;;) {
        int best = -1;
        double top = 0;
        for (int a = 1; a < (int)sp->m; a++) {
            if (!ch->dropped[a]) continue;
            if (depends(b, sp, ch, a)) continue;
            double r = level(b, sp, ch, a), size = r;
            ch->level[a] = r;
            if (physical && r > 0)
                size = left_over(b->low, sp->m, ch->set, ch->m, a) /
                       (fl->mass[a] * fl->mass[a] * fl->count[a]);
            if (size > top) top = size, best = a;
            if (r == 0)
                snprintf(ch->why[a], sizeof ch->why[a],
                         ch->m > 1 ? "beyond the fluxes kept, its flux vanishes at zero frequency"
                                   : "its flux vanishes at zero frequency: it does not diffuse");
        }
        if (best < 0) return;
        ch->dropped[best] = 0;
        ch->set[ch->m++] = best;
        snprintf(ch->why[best], sizeof ch->why[best],
                 "its flux stays finite at zero frequency, %.2g times the mean of its spectrum",
                 ch->level[best]);
    }
}

static void by_diffusion(mlk_choice *ch, const mlk_spectra *sp, const bands *b,
                         const char (*label)[32], const mlk_diffusion *d)
{
    for (size_t pass = 0; pass < d->n_species; pass++) {
        /* fastest first, so that of dependent fluxes the slowest is dropped */
        int best = -1, bk = -1;
        for (size_t k = 0; k < d->n_species; k++)
            for (int a = 1; a < (int)sp->m; a++)
                if (!strcmp(d->label[k], label[a]) && ch->dropped[a] && !ch->why[a][0] &&
                    (bk < 0 || d->d[k] > d->d[bk]))
                    best = a, bk = (int)k;
        if (best < 0) return;
        double spread = 6 * d->d[bk] * (d->fit_to - d->fit_from);
        if (!d->mobile[bk]) {
            snprintf(ch->why[best], sizeof ch->why[best],
                     "bound: MSD grows by %.2g A^2 in %.3g ps, D = %.2g +- %.1g cm^2/s", spread,
                     d->fit_to - d->fit_from, d->d[bk] * 1e-4, d->d_err[bk] * 1e-4);
            continue;
        }
        if (depends(b, sp, ch, best)) continue;
        ch->dropped[best] = 0;
        ch->level[best] = level(b, sp, ch, best);
        ch->set[ch->m++] = best;
        snprintf(ch->why[best], sizeof ch->why[best],
                 "%s: MSD grows by %.3g A^2 in %.3g ps, D = %.2g +- %.1g cm^2/s",
                 d->d[bk] > 3 * d->d_err[bk] ? "diffuses" : "seems to diffuse", spread,
                 d->fit_to - d->fit_from, d->d[bk] * 1e-4, d->d_err[bk] * 1e-4);
    }
}

/* A mean that is no fluctuation spoils the lowest bin of every spectrum: say so. */
static void drift(const mlk_choice *ch, const mlk_spectra *sp, const bands *b,
                  const char (*label)[32])
{
    for (size_t i = 0; i < ch->m; i++) {
        size_t x = (size_t)ch->set[i] * (sp->m + 1);
        /* F(ell, 2 ell k) of a mean zero process stays below 12 but for one run in 10^5 */
        if (b->low[x] > 0 && b->zero[x] > 12 * b->low[x] / (double)b->k)
            mlk_log(MLK_LOG_WARN,
                    "the mean of flux %s is not zero within its fluctuations: remove the drift of "
                    "the centre of mass",
                    label[ch->set[i]]);
    }
}

mlk_status mlk_choice_make(mlk_choice *ch, const mlk_spectra *sp, const mlk_flux *fl,
                           const mlk_diffusion *diff, size_t n_forced, const char (*forced)[32],
                           mlk_err *e)
{
    memset(ch, 0, sizeof *ch);
    ch->m = 1;
    for (size_t a = 1; a < sp->m; a++) ch->dropped[a] = 1;
    bands b;
    const char(*label)[32] = (const char(*)[32])fl->label;
    b.k = sp->ell < 12 ? 8 : 4;
    if (b.k > sp->nf / 16) b.k = sp->nf / 16 + 1;
    band(sp, 0, 1, b.zero);
    band(sp, 1, sp->nf, b.all);
    band(sp, 1, 1 + b.k, b.low);
    band(sp, 1 + 2 * b.k, 1 + 6 * b.k, b.next);
    if (!(b.all[0] > CONSTANT * b.zero[0]))
        return MLK_FAIL(e, MLK_ENUMERIC, "the energy flux is %s throughout",
                        b.zero[0] > 0 ? "constant" : "zero");
    if (sp->m == 1) {
        snprintf(ch->reason, sizeof ch->reason, "no mass flux in the input");
        return MLK_OK;
    }
    bool msd = diff && diff->n_species > 0;
    if (n_forced > 0)
        MLK_TRY(forced_set(ch, sp, &b, label, n_forced, forced, e));
    else if (msd)
        by_diffusion(ch, sp, &b, label, diff);
    else
        by_spectrum(ch, sp, fl, &b);
    drift(ch, sp, &b, label);
    char out[200];
    left_out(out, sizeof out, ch, label);
    if (n_forced == 0 && ch->m == 1)
        snprintf(ch->reason, sizeof ch->reason, "no species diffuses (%s): %s", out,
                 ch->why[1][0] ? ch->why[1] : "see the list of fluxes");
    else if (n_forced == 0)
        snprintf(ch->reason, sizeof ch->reason, "%s: %s%s%s%s", label[ch->set[1]],
                 ch->why[ch->set[1]], out[0] ? "; left out: " : "", out,
                 msd ? "" : " (judged from the flux spectra)");
    return MLK_OK;
}
