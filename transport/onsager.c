/* onsager.c - see onsager.h. */
#include "transport/onsager.h"

#include <math.h>
#include <string.h>

#include "core/linalg.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/stats.h"
#include "core/units.h"
#include "transport/block.h"
#include "transport/fstar.h"

size_t mlk_onsager_low_bins(const mlk_spectra *sp)
{
    /* f* / 20, at least 4 bins: well inside the part that the cepstral filter treats as smooth */
    size_t k = sp->nf / 20;
    return k < 4 ? (sp->nf < 4 ? sp->nf : 4) : k;
}

/* raw (m,m) matrix: diagonal from cepstra, shape of the rest from the lowest bins, and the energy
 * row scaled so that its Schur complement is the corrected conductivity */
static mlk_status build_matrix(mlk_onsager *on, const mlk_onsager_opts *o, mlk_err *e)
{
    size_t m = on->m, kb = mlk_onsager_low_bins(&on->sp), mm = on->sp.m;
    double *l = on->l_raw, low[MLK_FLUX_MAX * MLK_FLUX_MAX] = {0};
    const int *set = on->choice.set;
    for (size_t k = 0; k < kb; k++)
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < m; j++)
                low[i * m + j] += on->sp.c[2 * ((k * mm + (size_t)set[i]) * mm + (size_t)set[j])];
    l[0] = 0.5 * exp(on->naive.ln_s0);
    on->l_sigma[0] = on->naive.sigma * on->error_scale;
    for (size_t a = 1; a < m; a++) {
        mlk_cepstral cp;
        MLK_TRY(mlk_cepstral_init(&cp, &on->sp, 1, set + a,
                                  o->rule == MLK_RULE_FIXED ? MLK_RULE_AIC : o->rule, 0, e));
        l[a * m + a] = 0.5 * exp(cp.ln_s0);
        on->l_sigma[a] = cp.sigma * on->error_scale;
        mlk_cepstral_free(&cp);
    }
    for (size_t a = 0; a < m; a++)
        for (size_t b = 0; b < m; b++)
            if (a != b)
                l[a * m + b] = 0.5 * (low[a * m + b] + low[b * m + a]) /
                               sqrt(low[a * m + a] * low[b * m + b]) *
                               sqrt(l[a * m + a] * l[b * m + b]);
    double work[MLK_FLUX_MAX * MLK_FLUX_MAX];
    memcpy(work, l, m * m * sizeof *l);
    double explained = l[0] - mlk_schur(m, work), want = l[0] - 0.5 * exp(on->corrected.ln_s0);
    /* NOTE: where noise puts the corrected estimate above the naive one no real L_EM can give it;
     * the matrix then keeps what the spectra say. */
    double f = explained > 0 && want > 0 ? sqrt(want / explained) : 1;
    for (size_t a = 1; a < m; a++) l[a] *= f, l[a * m] *= f;
    /* condition of L_MM with unit diagonal */
    on->condition = 1;
    if (m > 2) {
        double c[MLK_FLUX_MAX * MLK_FLUX_MAX], w[MLK_FLUX_MAX];
        for (size_t a = 1; a < m; a++)
            for (size_t b = 1; b < m; b++)
                c[(a - 1) * (m - 1) + b - 1] = l[a * m + b] / sqrt(l[a * m + a] * l[b * m + b]);
        MLK_TRY(mlk_eigh(m - 1, c, w, e));
        on->condition = w[0] > 0 ? w[m - 2] / w[0] : INFINITY;
    }
    return MLK_OK;
}

double mlk_onsager_si(const mlk_onsager *on, const mlk_flux *fl, size_t a, size_t b)
{
    double f = 1e-15 / (fl->volume * 1e-30 * MLK_KB_SI);
    size_t x[2] = {a, b};
    for (int k = 0; k < 2; k++)
        f *= x[k] == 0                            ? MLK_E_C * 1e2
             : fl->mass[on->choice.set[x[k]]] > 0 ? MLK_AMU_KG * 1e2
                                                  : 1e2;
    return f;
}

double mlk_onsager_low_sum(const mlk_spectra *sp, double *a)
{
    /* half the bins of the matrix: the bias of a slope is then a quarter of its error */
    size_t mm = sp->m * sp->m, kb = (mlk_onsager_low_bins(sp) + 1) / 2;
    if (kb < 4) kb = sp->nf < 4 ? sp->nf : 4;
    memset(a, 0, mm * sizeof *a);
    for (size_t k = 0; k < kb; k++) /* a bin holds two real numbers per component, that at 0 one */
        for (size_t i = 0; i < mm; i++) a[i] += (k ? 2 : 1) * sp->c[2 * (k * mm + i)];
    return (double)(sp->ell * (2 * kb - 1));
}

/* Chance of such a coherence in the lowest bins when there is none: Bartlett's approximation, Proc.
 * R. Soc. A 160, 268 (1937), to the likelihood ratio of a regression. */
static double no_coupling(const mlk_onsager *on)
{
    size_t m = on->m, mm = on->sp.m;
    double *low = mlk_alloc(mm * mm, sizeof *low), a[MLK_FLUX_MAX * MLK_FLUX_MAX];
    if (!low) return NAN;
    double n = mlk_onsager_low_sum(&on->sp, low), dof = (double)(m - 1);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            a[i * m + j] = low[(size_t)on->choice.set[i] * mm + (size_t)on->choice.set[j]];
    mlk_free(low);
    double all = a[0], rest = mlk_schur(m, a);
    double chi2 = -(n - 0.5 * (dof + 2)) * log(rest / all);
    return mlk_chi2_sf(chi2 / (on->error_scale * on->error_scale), dof);
}

/* Theta and its error. The two log estimates share noise: corr(ln S, ln S_naive) is about
 * (1 - Theta) sqrt(psi'(nu_naive)/psi'(nu)), exact at Theta = 0 and 1. */
static void coherence(mlk_onsager *on)
{
    on->theta = on->theta_err = 0;
    on->theta_p = 1;
    if (on->m == 1) return;
    double s1 = on->naive.sigma * on->error_scale, s2 = on->corrected.sigma * on->error_scale;
    double ratio = on->kappa / on->kappa_naive;
    double g = sqrt(mlk_trigamma((double)on->naive.nu) / mlk_trigamma((double)on->corrected.nu));
    double rho = fmin(1, ratio) * g;
    on->theta = 1 - ratio;
    on->theta_err = ratio * sqrt(fmax(0, s1 * s1 + s2 * s2 - 2 * rho * s1 * s2));
    on->theta_p = no_coupling(on);
}

size_t mlk_onsager_pieces(const mlk_onsager_opts *o, const mlk_flux *fl, size_t m, size_t tskip)
{
    size_t runs = fl->nc * fl->n_segment;
    size_t p = o->pieces > 0 ? o->pieces
               : o->pool     ? mlk_pieces_auto(fl, fl->n_segment, m, tskip)
                             : (m + runs - 1) / runs; /* one, or what the elimination needs */
    return mlk_spectra_pieces(fl, tskip, p);
}

mlk_status mlk_onsager_analyse(const mlk_spectra *sp, const mlk_choice *ch,
                               const mlk_onsager_opts *o, mlk_cepstral *naive,
                               mlk_cepstral *corrected, mlk_err *e)
{
    MLK_TRY(mlk_cepstral_init(naive, sp, 1, ch->set, o->rule, o->p, e));
    return mlk_cepstral_init(corrected, sp, ch->m, ch->set, o->rule, o->p, e);
}

/* each run alone, and whether the runs agree */
static mlk_status replicas(mlk_onsager *on, const mlk_flux *fl, const mlk_onsager_opts *o,
                           mlk_err *e)
{
    on->error_scale = 1;
    on->replica_p = 1;
    if (fl->n_segment < 2) return MLK_OK;
    on->replica = mlk_alloc(fl->n_segment, sizeof *on->replica);
    if (!on->replica) return MLK_FAIL(e, MLK_ENOMEM, "replicas");
    on->n_replica = fl->n_segment;
    for (size_t r = 0; r < fl->n_segment; r++) {
        mlk_flux one = *fl; /* a view: series keep their stride */
        one.segment = fl->segment + r;
        one.n_segment = 1;
        mlk_spectra sp = {0};
        mlk_cepstral n = {0}, c = {0};
        size_t np = mlk_onsager_pieces(o, &one, on->m, on->tskip),
               need = (on->m + fl->nc - 1) / fl->nc;
        mlk_replica *q = on->replica + r;
        mlk_status s = mlk_spectra_init(&sp, &one, on->tskip, np > need ? np : need, e);
        if (!s) s = mlk_onsager_analyse(&sp, &on->choice, o, &n, &c, e);
        if (!s) {
            q->n = fl->segment[r + 1] - fl->segment[r];
            q->kappa_naive = 0.5 * on->kappa_scale * exp(n.ln_s0);
            q->kappa_naive_err = q->kappa_naive * n.sigma;
            q->kappa = 0.5 * on->kappa_scale * exp(c.ln_s0);
            q->kappa_err = q->kappa * c.sigma;
        }
        mlk_cepstral_free(&n);
        mlk_cepstral_free(&c);
        mlk_spectra_free(&sp);
        if (s) return s;
    }
    /* on the logarithm, where the errors are nearly normal and of equal size */
    double sw = 0, swx = 0;
    for (size_t r = 0; r < on->n_replica; r++) {
        double x = log(on->replica[r].kappa), s = on->replica[r].kappa_err / on->replica[r].kappa;
        sw += 1 / (s * s), swx += x / (s * s);
    }
    for (size_t r = 0; r < on->n_replica; r++) {
        double x = log(on->replica[r].kappa), s = on->replica[r].kappa_err / on->replica[r].kappa;
        on->replica_q += (x - swx / sw) * (x - swx / sw) / (s * s);
    }
    double dof = (double)(on->n_replica - 1);
    on->replica_p = mlk_chi2_sf(on->replica_q, dof);
    if (on->n_replica >= 3 && on->replica_p < 0.05) {
        on->error_scale = sqrt(on->replica_q / dof);
        mlk_log(MLK_LOG_WARN,
                "the runs differ by more than their error bars (p = %.2g): errors are "
                "multiplied by %.2f",
                on->replica_p, on->error_scale);
    }
    return MLK_OK;
}

static mlk_status conductivity(mlk_onsager *on, const mlk_flux *fl, const mlk_onsager_opts *o,
                               const mlk_diffusion *diff, mlk_err *e)
{
    on->sigma = on->sigma_err = on->haven = on->haven_err = NAN;
    if (!o->has_charge) return MLK_OK;
    mlk_spectra q;
    mlk_cepstral cp;
    const int zero = 0;
    double norm = 0;
    MLK_TRY(mlk_spectra_mix(&q, &on->sp, 1, o->charge, e));
    for (size_t k = 0; k < q.nf; k++) norm += q.c[2 * k];
    if (!(norm > 0)) {
        mlk_spectra_free(&q);
        return MLK_OK;
    }
    mlk_status s = mlk_cepstral_init(&cp, &q, 1, &zero,
                                     o->rule == MLK_RULE_FIXED ? MLK_RULE_AIC : o->rule, 0, e);
    mlk_spectra_free(&q);
    if (s) return s;
    double scale = mlk_sigma_scale(MLK_E_C, MLK_KB_SI, fl->temperature, fl->volume);
    on->sigma = 0.5 * scale * exp(cp.ln_s0);
    on->sigma_err = on->sigma * cp.sigma;
    double rel = cp.sigma;
    mlk_cepstral_free(&cp);
    if (!diff || diff->n_species == 0) return MLK_OK;
    /* Nernst-Einstein with tracer D of the mobile species: D is the integral of <v v>, in
     * A^2/ps = 1e3 (A/ps)^2 fs */
    double ne = 0, ne_var = 0;
    for (size_t i = 1; i < on->m; i++)
        for (size_t k = 0; k < diff->n_species; k++) {
            int a = on->choice.set[i];
            if (strcmp(diff->label[k], fl->label[a]) || o->ion[a] == 0) continue;
            double f = diff->count[k] * o->ion[a] * o->ion[a] * 1e3 * scale;
            ne += f * diff->d[k], ne_var += f * f * diff->d_err[k] * diff->d_err[k];
        }
    if (!(ne > 0)) return MLK_OK;
    on->haven = ne / on->sigma;
    on->haven_err = on->haven * sqrt(rel * rel + ne_var / (ne * ne));
    return MLK_OK;
}

static mlk_status choose_tskip(mlk_onsager *on, const mlk_flux *fl, const mlk_onsager_opts *o,
                               mlk_err *e)
{
    double nyquist = mlk_spectra_freq(&on->full, on->full.nf - 1);
    if (o->tskip > 0) {
        on->tskip = o->tskip;
    } else if (o->fstar > 0) {
        if (o->fstar > 1.5 * nyquist)
            return MLK_FAIL(e, MLK_EINVAL, "--fstar %g THz is above the Nyquist frequency %g THz",
                            o->fstar, nyquist);
        size_t t = (size_t)(nyquist / o->fstar + 0.5);
        on->tskip = t < 1 ? 1 : t;
    } else {
        on->fstar_auto = 1;
        return mlk_tskip_auto(fl, &on->full, on->m, on->choice.set, o->rule, o->p,
                              o->pieces == 0 && o->pool, mlk_onsager_pieces(o, fl, on->m, 1),
                              &on->tskip, e);
    }
    return MLK_OK;
}

mlk_status mlk_onsager_init(mlk_onsager *on, const mlk_flux *fl, const mlk_onsager_opts *o,
                            const mlk_diffusion *diff, mlk_err *e)
{
    memset(on, 0, sizeof *on);
    mlk_status s;
    MLK_GO(mlk_spectra_init(&on->full, fl, 1, 1, e));
    MLK_GO(mlk_choice_make(&on->choice, &on->full, fl, diff, o->n_mobile,
                           (const char(*)[32])o->mobile, e));
    on->m = on->choice.m;
    on->kappa_scale = mlk_kappa_scale(MLK_E_C, MLK_KB_SI, fl->temperature, fl->volume);
    MLK_GO(choose_tskip(on, fl, o, e));
    on->pieces = mlk_onsager_pieces(o, fl, on->m, on->tskip);
    MLK_GO(mlk_spectra_init(&on->sp, fl, on->tskip, on->pieces, e));
    on->fstar = mlk_spectra_freq(&on->sp, on->sp.nf - 1);
    MLK_GO(mlk_onsager_analyse(&on->sp, &on->choice, o, &on->naive, &on->corrected, e));
    MLK_GO(replicas(on, fl, o, e));
    if (o->scan)
        MLK_GO(mlk_fstar_scan_make(&on->scan, fl, on->m, on->choice.set, o->rule, o->p,
                                   o->pieces == 0 && o->pool, on->pieces, on->tskip, e));
    on->kappa_naive = 0.5 * on->kappa_scale * exp(on->naive.ln_s0);
    on->kappa_naive_err = on->kappa_naive * on->naive.sigma * on->error_scale;
    on->kappa = 0.5 * on->kappa_scale * exp(on->corrected.ln_s0);
    on->kappa_err = on->kappa * on->corrected.sigma * on->error_scale;
    coherence(on);
    MLK_GO(build_matrix(on, o, e));
    for (size_t i = 0; i < on->m * on->m; i++)
        on->l[i] = on->l_raw[i] * mlk_onsager_si(on, fl, i / on->m, i % on->m);
    MLK_GO(conductivity(on, fl, o, diff, e));
    s = mlk_greenkubo_init(&on->gk, fl, on->m, on->choice.set, (size_t)(o->gk_max / fl->dt),
                           o->gk_limit, e);
done:
    if (s) mlk_onsager_free(on);
    return s;
}

void mlk_onsager_free(mlk_onsager *on)
{
    mlk_cepstral_free(&on->naive);
    mlk_cepstral_free(&on->corrected);
    mlk_spectra_free(&on->full);
    mlk_spectra_free(&on->sp);
    mlk_greenkubo_free(&on->gk);
    mlk_free(on->replica);
    memset(on, 0, sizeof *on);
}

int mlk_formal_charge(int z)
{
    switch (z) {
    case 1:
    case 3:
    case 11:
    case 19:
    case 29:
    case 37:
    case 47:
    case 55:
        return 1;
    case 4:
    case 12:
    case 20:
    case 30:
    case 38:
    case 48:
    case 56:
        return 2;
    case 5:
    case 13:
    case 21:
    case 31:
    case 39:
    case 49:
    case 57:
        return 3;
    case 6:
    case 14:
    case 22:
    case 32:
    case 40:
    case 50:
    case 72:
        return 4;
    case 15:
    case 33:
    case 41:
    case 51:
    case 73:
        return 5;
    case 7:
        return -3;
    case 8:
    case 16:
    case 34:
    case 52:
        return -2;
    case 9:
    case 17:
    case 35:
    case 53:
        return -1;
    default:
        return 0;
    }
}
