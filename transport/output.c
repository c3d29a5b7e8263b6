/* output.c - see output.h. Every curve has at most 600 points. */
#include "transport/output.h"

#include <math.h>
#include <string.h>

#include "core/element.h"
#include "core/stats.h"
#include "transport/block.h"
#include "transport/spectral.h"

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

/* both spectra before resampling, to see where f* lies and where the power is */
static json_t *full_curve(const mlk_onsager *on)
{
    const mlk_spectra *sp = &on->full;
    size_t nb = sp->nf < MOST ? sp->nf : MOST;
    double naive[MOST], corrected[MOST], share[2 * MOST];
    mlk_spectral_bands(sp, on->m, on->choice.set, nb, naive, corrected, share);
    for (size_t b = 0; b < nb; b++)
        naive[b] *= 0.5 * on->kappa_scale, corrected[b] *= 0.5 * on->kappa_scale;
    json_t *o = json_object();
    json_object_set_new(o, "f_THz", frequencies(sp->nf, mlk_spectra_freq(sp, sp->nf - 1), nb));
    json_object_set_new(o, "naive", mlk_json_reals(naive, nb));
    json_object_set_new(o, "corrected", mlk_json_reals(corrected, nb));
    json_object_set_new(o, "naive_share", mlk_json_reals(share, nb));
    json_object_set_new(o, "corrected_share", mlk_json_reals(share + nb, nb));
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

/* kappa_naive against an energy offset per particle of mass flux i, estimated anew for every
 * offset, with kappa, which does not move */
static json_t *gauge_curve(const mlk_onsager *on, const mlk_flux *fl, const mlk_onsager_opts *o,
                           const mlk_quantities *q, size_t i)
{
    enum { POINTS = 61 };
    double x[POINTS], naive[POINTS], err[POINTS], kappa[POINTS];
    const mlk_coupling *c = &q->coupling;
    double lmm = on->l_raw[i * on->m + i] / (c->unit[i] * c->unit[i]), c0 = -c->heat[i];
    double w = sqrt(0.5 * exp(on->corrected.ln_s0) / lmm);
    double lo = fmin(0, c0) - 1.5 * w, hi = fmax(0, c0) + 1.5 * w;
    for (int k = 0; k < POINTS; k++) x[k] = lo + (hi - lo) * k / (POINTS - 1);
    json_t *j = json_object();
    const char *unit = fl->mass[on->choice.set[i]] > 0 ? "eV per atom" : "eV per unit of flux";
    if (mlk_coupling_sweep(c, on, o, i, POINTS, x, naive, err, kappa, NULL)) return j;
    json_object_set_new(j, "species", json_string(fl->label[on->choice.set[i]]));
    json_object_set_new(j, "unit", json_string(unit));
    put(j, "minimum_eV", c0);
    put(j, "minimum_err", c->heat_err[i]);
    json_object_set_new(j, "offset_eV", mlk_json_reals(x, POINTS));
    json_object_set_new(j, "kappa_naive", mlk_json_reals(naive, POINTS));
    json_object_set_new(j, "kappa_naive_err", mlk_json_reals(err, POINTS));
    json_object_set_new(j, "kappa", mlk_json_reals(kappa, POINTS));
    return j;
}

static json_t *gauges(const mlk_onsager *on, const mlk_flux *fl, const mlk_onsager_opts *o,
                      const mlk_quantities *q)
{
    json_t *a = json_array();
    for (size_t i = 1; i < on->m; i++) json_array_append_new(a, gauge_curve(on, fl, o, q, i));
    return a;
}

static json_t *convergence_curve(const mlk_converge *c)
{
    json_t *o = json_object();
    json_object_set_new(o, "t_ps", mlk_json_reals(c->t, MLK_CONVERGE));
    json_object_set_new(o, "kappa_naive", mlk_json_reals(c->naive, MLK_CONVERGE));
    json_object_set_new(o, "kappa_naive_err", mlk_json_reals(c->naive_err, MLK_CONVERGE));
    json_object_set_new(o, "kappa", mlk_json_reals(c->kappa, MLK_CONVERGE));
    json_object_set_new(o, "kappa_err", mlk_json_reals(c->kappa_err, MLK_CONVERGE));
    return o;
}

static json_t *square(const double *a, size_t n)
{
    json_t *j = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(j, mlk_json_reals(a + i * n, n));
    return j;
}

static json_t *tensor(const mlk_tensor *t)
{
    json_t *o = json_object();
    if (t->missing[0]) {
        json_object_set_new(o, "missing", json_string(t->missing));
        return o;
    }
    json_object_set_new(o, "kappa_naive", square(t->naive, 3));
    json_object_set_new(o, "kappa_naive_err", square(t->naive_err, 3));
    json_object_set_new(o, "kappa", square(t->kappa, 3));
    json_object_set_new(o, "kappa_err", square(t->kappa_err, 3));
    json_object_set_new(o, "principal", mlk_json_reals(t->principal, 3));
    json_object_set_new(o, "principal_err", mlk_json_reals(t->principal_err, 3));
    json_object_set_new(o, "axes", square(t->axis, 3));
    put(o, "mean", t->mean);
    put(o, "mean_err", t->mean_err);
    put(o, "isotropic_p", t->isotropic_p);
    json_object_set_new(o, "positive", json_boolean(t->positive));
    json_object_set_new(o, "pieces", json_integer((json_int_t)t->pieces));
    json_object_set_new(o, "dof", json_integer((json_int_t)t->dof));
    json_object_set_new(o, "pstar", json_integer((json_int_t)t->pstar));
    json_object_set_new(o, "pstar_naive", json_integer((json_int_t)t->pstar_naive));
    return o;
}

static json_t *helfand(const mlk_helfand *h, size_t m)
{
    json_t *o = json_object();
    put(o, "kappa_naive", h->naive);
    put(o, "kappa_naive_err", h->naive_err);
    put(o, "kappa", h->kappa);
    put(o, "kappa_err", h->kappa_err);
    put(o, "from_ps", h->from);
    put(o, "to_ps", h->to);
    json_object_set_new(o, "L", square(h->l, m));
    json_object_set_new(o, "L_err", square(h->l_err, m));
    return o;
}

static json_t *coupling(const mlk_onsager *on, const mlk_flux *fl, const mlk_quantities *q)
{
    const mlk_coupling *c = &q->coupling;
    json_t *o = json_object();
    for (size_t i = 1; i < c->m; i++) {
        json_t *s = json_object();
        int a = on->choice.set[i];
        put(s, "heat_eV", c->heat[i]);
        put(s, "heat_err", c->heat_err[i]);
        json_object_set_new(s, "per", json_string(fl->mass[a] > 0 ? "atom" : "unit of flux"));
        json_object_set_new(o, fl->label[a], s);
    }
    return o;
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

static json_t *green_kubo(const mlk_onsager *on, const mlk_helfand *h)
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
    json_object_set_new(o, "L", square(h->gk_l, on->m));
    json_object_set_new(o, "L_err", square(h->gk_l_err, on->m));
    if (h->has_parts) {
        json_object_set_new(o, "parts_naive", square(h->part, 3));
        json_object_set_new(o, "parts_naive_err", square(h->part_err, 3));
        json_object_set_new(o, "parts_corrected", square(h->corrected, 3));
        json_object_set_new(o, "parts_corrected_err", square(h->corrected_err, 3));
    }
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
                           const mlk_diffusion *diff, const mlk_quantities *q, int curves)
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
    json_object_set_new(j, "L", square(on->l, on->m));
    json_object_set_new(j, "L_err", square(q->coupling.l_err, on->m));
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
    json_object_set_new(j, "green_kubo", green_kubo(on, &q->helfand));
    json_object_set_new(j, "helfand", helfand(&q->helfand, on->m));
    put(j, "sigma_green_kubo", q->helfand.sigma_gk);
    put(j, "sigma_green_kubo_err", q->helfand.sigma_gk_err);
    put(j, "sigma_green_kubo_limit_ps", q->helfand.sigma_gk_limit);
    put(j, "sigma_einstein", q->helfand.sigma_einstein);
    put(j, "sigma_einstein_err", q->helfand.sigma_einstein_err);
    put(j, "charge_diffusion_cm2_s", q->charge_d * 1e-4);
    put(j, "charge_diffusion_err", q->charge_d_err * 1e-4);
    json_object_set_new(j, "heat_of_transport", coupling(on, fl, q));
    put(j, "seebeck_mV_K", 1e3 * q->coupling.seebeck);
    put(j, "seebeck_err", 1e3 * q->coupling.seebeck_err);
    if (isfinite(q->offset[0])) {
        json_object_set_new(j, "offset_eV", mlk_json_reals(q->offset, 2));
        put(j, "offset_err", q->offset_err);
    }
    json_object_set_new(j, "tensor", tensor(&q->tensor));
    put(j, "diffusivity_mm2_s", q->diffusivity);
    put(j, "diffusivity_err", q->diffusivity_err);
    put(j, "length_ps", q->converge.have);
    put(j, "length_needed_ps", q->converge.need);
    put(j, "target_error", q->converge.target);
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
    if (on->m > 1) {
        json_t *all = gauges(on, fl, o, q);
        json_object_set(c, "gauge", json_array_get(all, 0));
        json_object_set_new(c, "gauges", all);
    }
    json_object_set_new(c, "convergence", convergence_curve(&q->converge));
    json_object_set_new(j, "curves", c);
    return j;
}
