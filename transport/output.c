/* output.c - see output.h. Every curve has at most 600 points. */
#include "transport/output.h"

#include <math.h>
#include <string.h>

#include "core/element.h"
#include "core/stats.h"
#include "transport/block.h"

enum { MOST = 600 };

static void put(json_t *o, const char *key, double v)
{
    json_object_set_new(o, key, mlk_json_real(v));
}

static json_t *picked(const double *v, const size_t *idx, size_t n, double scale)
{
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(a, mlk_json_real(scale * v[idx[i]]));
    return a;
}

static json_t *green_kubo_curve(const mlk_onsager *on)
{
    const mlk_greenkubo *gk = &on->gk;
    size_t idx[MOST], n = mlk_thin(gk->n_lag, MOST, 1, idx);
    json_t *o = json_object(), *t = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(t, json_real((double)idx[i] * gk->dt * 1e-3));
    json_object_set_new(o, "t_ps", t);
    json_object_set_new(o, "kappa_naive", picked(gk->naive, idx, n, on->kappa_scale));
    json_object_set_new(o, "kappa_naive_err", picked(gk->naive_err, idx, n, on->kappa_scale));
    json_object_set_new(o, "kappa", picked(gk->schur, idx, n, on->kappa_scale));
    json_object_set_new(o, "kappa_err", picked(gk->schur_err, idx, n, on->kappa_scale));
    return o;
}

static json_t *binned(size_t nf, const double *v, size_t nb, double scale)
{
    double y[MOST];
    mlk_bin_mean(nf, v, nb, y);
    json_t *a = json_array();
    for (size_t i = 0; i < nb; i++) json_array_append_new(a, mlk_json_real(scale * y[i]));
    return a;
}

/* bin centres of nf frequencies up to f_end */
static json_t *frequencies(size_t nf, double f_end, size_t nb)
{
    json_t *a = json_array();
    for (size_t b = 0; b < nb; b++) {
        size_t lo = b * nf / nb, hi = (b + 1) * nf / nb;
        json_array_append_new(a, json_real(0.5 * (double)(lo + hi - 1) * f_end / (double)(nf - 1)));
    }
    return a;
}

static json_t *spectrum_curve(const mlk_onsager *on)
{
    size_t nf = on->sp.nf, nb = nf < MOST ? nf : MOST;
    double s = 0.5 * on->kappa_scale;
    json_t *o = json_object();
    json_object_set_new(o, "f_THz", frequencies(nf, on->fstar, nb));
    json_object_set_new(o, "naive", binned(nf, on->naive.psd, nb, s));
    json_object_set_new(o, "naive_filtered", binned(nf, on->naive.smooth, nb, s));
    json_object_set_new(o, "corrected", binned(nf, on->corrected.psd, nb, s));
    json_object_set_new(o, "corrected_filtered", binned(nf, on->corrected.smooth, nb, s));
    return o;
}

/* the naive spectrum before resampling, to see where f* lies */
static json_t *full_curve(const mlk_onsager *on)
{
    const mlk_spectra *sp = &on->full;
    size_t nb = sp->nf < MOST ? sp->nf : MOST;
    json_t *o = json_object(), *a = json_array();
    for (size_t b = 0; b < nb; b++) {
        size_t lo = b * sp->nf / nb, hi = (b + 1) * sp->nf / nb;
        double v = 0;
        for (size_t k = lo; k < hi; k++) v += sp->c[2 * k * sp->m * sp->m];
        v /= (double)(hi - lo) * (double)sp->ell;
        json_array_append_new(a, mlk_json_real(0.5 * on->kappa_scale * v));
    }
    json_object_set_new(o, "f_THz", frequencies(sp->nf, mlk_spectra_freq(sp, sp->nf - 1), nb));
    json_object_set_new(o, "naive", a);
    return o;
}

static json_t *pstar_curve(const mlk_onsager *on)
{
    const mlk_cepstral *c = &on->corrected, *n = &on->naive;
    size_t last = 4 * (c->pstar > n->pstar ? c->pstar : n->pstar) + 40;
    if (last > c->nf) last = c->nf;
    size_t idx[MOST], np = mlk_thin(last, MOST, 0, idx);
    json_t *o = json_object(), *p = json_array(), *k = json_array(), *ke = json_array();
    json_t *kn = json_array(), *kne = json_array();
    json_object_set_new(o, "aic", picked(c->aic, idx, np, 1));
    json_object_set_new(o, "aic_naive", picked(n->aic, idx, np, 1));
    json_object_set_new(o, "cepstrum", picked(c->coef, idx, np, 1));
    json_object_set_new(o, "cepstrum_naive", picked(n->coef, idx, np, 1));
    put(o, "cepstrum_err", sqrt(mlk_trigamma((double)c->nu) / (double)c->n));
    put(o, "cepstrum_naive_err", sqrt(mlk_trigamma((double)n->nu) / (double)n->n));
    for (size_t i = 0; i < np; i++) {
        size_t j = idx[i];
        double v = 0.5 * on->kappa_scale * exp(c->l0[j]), w = 0.5 * on->kappa_scale * exp(n->l0[j]);
        json_array_append_new(p, json_integer((json_int_t)j + 1));
        json_array_append_new(k, mlk_json_real(v));
        json_array_append_new(ke, mlk_json_real(v * c->l0_err[j]));
        json_array_append_new(kn, mlk_json_real(w));
        json_array_append_new(kne, mlk_json_real(w * n->l0_err[j]));
    }
    json_object_set_new(o, "p", p);
    json_object_set_new(o, "kappa", k);
    json_object_set_new(o, "kappa_err", ke);
    json_object_set_new(o, "kappa_naive", kn);
    json_object_set_new(o, "kappa_naive_err", kne);
    return o;
}

static json_t *fstar_curve(const mlk_onsager *on)
{
    const mlk_fstar_scan *f = &on->scan;
    double k[MLK_FSTAR_SCAN], ke[MLK_FSTAR_SCAN], kn[MLK_FSTAR_SCAN], kne[MLK_FSTAR_SCAN];
    for (size_t i = 0; i < f->n; i++) {
        k[i] = 0.5 * on->kappa_scale * exp(f->ln_s0[i]), ke[i] = k[i] * f->sigma[i];
        kn[i] = 0.5 * on->kappa_scale * exp(f->ln_naive[i]), kne[i] = kn[i] * f->naive_sigma[i];
    }
    json_t *o = json_object();
    json_object_set_new(o, "f_THz", mlk_json_reals(f->fstar, f->n));
    json_object_set_new(o, "kappa", mlk_json_reals(k, f->n));
    json_object_set_new(o, "kappa_err", mlk_json_reals(ke, f->n));
    json_object_set_new(o, "kappa_naive", mlk_json_reals(kn, f->n));
    json_object_set_new(o, "kappa_naive_err", mlk_json_reals(kne, f->n));
    return o;
}

static json_t *msd_curve(const mlk_diffusion *d)
{
    size_t idx[MOST], n = mlk_thin(d->n_lag, MOST, 0, idx);
    json_t *o = json_object(), *t = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(t, json_real((double)idx[i] * d->dt));
    json_object_set_new(o, "t_ps", t);
    for (size_t k = 0; k < d->n_species; k++)
        json_object_set_new(o, d->label[k], picked(d->msd + k * d->n_lag, idx, n, 1));
    return o;
}

/* kappa_naive against an energy offset per particle of the first mobile species: a parabola whose
 * minimum is kappa; per unit of flux when the particle mass is unknown */
static json_t *gauge_curve(const mlk_onsager *on, const mlk_flux *fl)
{
    enum { POINTS = 81 };
    double mass = fl->mass[on->choice.set[1]], unit = mass > 0 ? 1 / mass : 1;
    const double *l = on->l_raw;
    double lmm = l[on->m + 1], c0 = -l[1] / lmm, w = sqrt(0.5 * exp(on->corrected.ln_s0) / lmm);
    double lo = fmin(0, c0) - 1.5 * w, hi = fmax(0, c0) + 1.5 * w;
    json_t *o = json_object(), *x = json_array(), *y = json_array(), *k = json_array();
    for (int i = 0; i < POINTS; i++) {
        double c = lo + (hi - lo) * i / (POINTS - 1);
        json_array_append_new(x, mlk_json_real(c / unit));
        json_array_append_new(y, mlk_json_real(mlk_onsager_gauge(on, c)));
        json_array_append_new(k, mlk_json_real(on->kappa));
    }
    json_object_set_new(o, "species", json_string(fl->label[on->choice.set[1]]));
    json_object_set_new(o, "unit", json_string(mass > 0 ? "eV per atom" : "eV per unit of flux"));
    put(o, "minimum_eV", c0 / unit);
    json_object_set_new(o, "offset_eV", x);
    json_object_set_new(o, "kappa_naive", y);
    json_object_set_new(o, "kappa", k);
    return o;
}

static json_t *matrix(const mlk_onsager *on)
{
    json_t *l = json_array();
    for (size_t a = 0; a < on->m; a++)
        json_array_append_new(l, mlk_json_reals(on->l + a * on->m, on->m));
    return l;
}

static json_t *diffusion(const mlk_diffusion *d)
{
    json_t *o = json_object();
    for (size_t k = 0; k < d->n_species; k++) {
        json_t *s = json_object();
        put(s, "D_cm2_s", d->d[k] * 1e-4);
        put(s, "D_err", d->d_err[k] * 1e-4);
        json_object_set_new(s, "mobile", json_boolean(d->mobile[k]));
        put(s, "plateau_A2", d->plateau[k]);
        json_object_set_new(o, d->label[k], s);
    }
    return o;
}

static json_t *replicas(const mlk_onsager *on, const mlk_flux *fl)
{
    json_t *a = json_array();
    for (size_t r = 0; r < on->n_replica; r++) {
        const mlk_replica *q = on->replica + r;
        json_t *o = json_object();
        put(o, "kappa_naive", q->kappa_naive);
        put(o, "kappa_naive_err", q->kappa_naive_err);
        put(o, "kappa", q->kappa);
        put(o, "kappa_err", q->kappa_err);
        put(o, "length_ps", (double)q->n * fl->dt * 1e-3);
        json_array_append_new(a, o);
    }
    return a;
}

static json_t *green_kubo(const mlk_onsager *on)
{
    const mlk_greenkubo *gk = &on->gk;
    double s = on->kappa_scale;
    json_t *o = json_object();
    put(o, "kappa_naive", s * gk->at_naive);
    put(o, "kappa_naive_err", s * gk->at_naive_err);
    put(o, "kappa", s * gk->at_schur);
    put(o, "kappa_err", s * gk->at_schur_err);
    put(o, "limit_ps", (double)gk->limit * gk->dt * 1e-3);
    json_object_set_new(o, "plateau_found", json_boolean(gk->limit_found));
    json_object_set_new(o, "blocks", json_integer((json_int_t)gk->n_block));
    if (isfinite(gk->part[0])) {
        json_t *p = json_object();
        static const char *const name[3] = {"kinetic", "convective", "virial"};
        for (int k = 0; k < 3; k++) put(p, name[k], s * gk->part[k]);
        json_object_set_new(o, "decomposition", p);
    }
    return o;
}

static json_t *fluxes(const mlk_onsager *on, const mlk_flux *fl, json_t *mobile, json_t *dropped)
{
    json_t *names = json_array();
    for (size_t i = 0; i < on->m; i++) {
        json_array_append_new(names, json_string(fl->label[on->choice.set[i]]));
        if (i > 0) json_array_append_new(mobile, json_string(fl->label[on->choice.set[i]]));
    }
    for (size_t a = 1; a < fl->m; a++)
        if (on->choice.dropped[a])
            json_object_set_new(dropped, fl->label[a], json_string(on->choice.why[a]));
    return names;
}

json_t *mlk_transport_json(const mlk_onsager *on, const mlk_flux *fl, const mlk_onsager_opts *o,
                           const mlk_diffusion *diff, int curves)
{
    static const char *const rule[] = {"aic", "weighted", "fixed", "shapes"};
    json_t *j = json_object(), *mobile = json_array(), *dropped = json_object();
    put(j, "temperature_K", fl->temperature);
    put(j, "volume_A3", fl->volume);
    put(j, "dt_fs", fl->dt);
    json_object_set_new(j, "n_samples", json_integer((json_int_t)fl->n));
    json_object_set_new(j, "n_runs", json_integer((json_int_t)fl->n_segment));
    double atoms = 0;
    for (size_t a = 1; a < fl->m; a++) atoms += fl->count[a];
    json_object_set_new(j, "atoms", atoms > 0 ? json_integer((json_int_t)atoms) : json_null());
    json_object_set_new(j, "fluxes", fluxes(on, fl, mobile, dropped));
    json_object_set_new(j, "mobile", mobile);
    json_object_set_new(j, "mobile_reason", json_string(on->choice.reason));
    json_object_set_new(j, "dropped", dropped);
    json_object_set_new(j, "method", json_string("cepstral"));
    json_object_set_new(j, "rule", json_string(rule[o->rule]));
    put(j, "kappa_naive", on->kappa_naive);
    put(j, "kappa_naive_err", on->kappa_naive_err);
    put(j, "kappa", on->kappa);
    put(j, "kappa_err", on->kappa_err);
    put(j, "theta", on->theta);
    put(j, "theta_err", on->theta_err);
    put(j, "theta_p", on->theta_p);
    json_object_set_new(j, "L", matrix(on));
    json_object_set_new(j, "L_unit",
                        json_string(on->m > 1 && !(fl->mass[on->choice.set[1]] > 0)
                                        ? "K/(m^3 J/K) x product of flux units J m/s, m/s"
                                        : "EE W K/m; E-mass kg K/(m s); mass-mass kg s K/m^3"));
    put(j, "L_condition", on->condition);
    put(j, "fstar_THz", on->fstar);
    json_object_set_new(j, "fstar_auto", json_boolean(on->fstar_auto));
    json_object_set_new(j, "tskip", json_integer((json_int_t)on->tskip));
    json_object_set_new(j, "pieces", json_integer((json_int_t)on->pieces));
    json_object_set_new(j, "pstar", json_integer((json_int_t)on->corrected.pstar));
    json_object_set_new(j, "pstar_naive", json_integer((json_int_t)on->naive.pstar));
    put(j, "p_mean", on->corrected.p_mean);
    json_object_set_new(j, "dof", json_integer((json_int_t)on->corrected.nu));
    put(j, "sigma_S_m", on->sigma);
    put(j, "sigma_err", on->sigma_err);
    put(j, "haven_ratio", on->haven);
    put(j, "haven_err", on->haven_err);
    json_object_set_new(j, "green_kubo", green_kubo(on));
    json_object_set_new(j, "diffusion", diff ? diffusion(diff) : json_object());
    json_object_set_new(j, "replicas", replicas(on, fl));
    if (on->n_replica > 0) {
        put(j, "replicas_p", on->replica_p);
        put(j, "error_scale", on->error_scale);
    }
    if (!curves) return j;
    json_t *c = json_object();
    json_object_set_new(c, "green_kubo", green_kubo_curve(on));
    json_object_set_new(c, "spectrum", spectrum_curve(on));
    json_object_set_new(c, "spectrum_full", full_curve(on));
    json_object_set_new(c, "pstar", pstar_curve(on));
    if (on->scan.n > 0) json_object_set_new(c, "fstar_scan", fstar_curve(on));
    if (diff && diff->n_species > 0) json_object_set_new(c, "msd", msd_curve(diff));
    if (on->m > 1) json_object_set_new(c, "gauge", gauge_curve(on, fl));
    json_object_set_new(j, "curves", c);
    return j;
}
