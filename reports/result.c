/* result.c - do the models agree? Comparison at every temperature, the sentence that says so, and
 * report.json. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/stats.h"
#include "reports/report.h"
#include "version.h"

/* Power of ten of the first of `digits` significant digits, after rounding to them. */
static int exponent(double v, int digits)
{
    char buf[40];
    snprintf(buf, sizeof buf, "%.*e", digits - 1, v);
    return (int)strtol(strchr(buf, 'e') + 1, NULL, 10);
}

char *mlk_pm(double v, double err, char *buf)
{
    if (!isfinite(v)) {
        snprintf(buf, 64, "–");
    } else if (!isfinite(err) || err <= 0) {
        snprintf(buf, 64, "%.3g", v);
    } else {
        /* two digits of the error, and the value to the same place */
        int digits = 1 - exponent(err, 2);
        double unit = digits < 0 ? pow(10, -digits) : 1, place = pow(10, -digits);
        if (fabs(v) < 0.5 * place) v = 0; /* no "-0.00" */
        digits = digits < 0 ? 0 : digits > 12 ? 12 : digits;
        if (unit > 1) v = rint(v / unit) * unit, err = rint(err / unit) * unit;
        snprintf(buf, 64, "%.*f ± %.*f", digits, v, digits, err);
    }
    return buf;
}

char *mlk_sig(double v, int digits, char *buf)
{
    int x = v != 0 && isfinite(v) ? exponent(v, digits) : 0;
    if (!isfinite(v))
        snprintf(buf, 32, "–");
    else if (v == 0)
        snprintf(buf, 32, "0");
    else if (x < -4 || x > 8)
        snprintf(buf, 32, "%.*e", digits - 1, v);
    else
        snprintf(buf, 32, "%.*f", x < digits - 1 ? digits - 1 - x : 0, v);
    return buf;
}

char *mlk_pvalue(double p, char *buf)
{
    if (!isfinite(p))
        snprintf(buf, 32, "–");
    else if (p < 1e-4)
        snprintf(buf, 32, "< 0.0001");
    else
        snprintf(buf, 32, p < 0.001 ? "%.4f" : p < 0.095 ? "%.3f" : "%.2f", p);
    return buf;
}

static bool has_transport(const mlk_report *r, int t)
{
    for (int m = 0; m < r->n_model; m++)
        if (mlk_report_at(r, m, t)) return true;
    return false;
}

static bool has_run(const mlk_report *r, int t)
{
    for (size_t k = 0; k < r->n_md; k++)
        if (r->md[k].temp == t && r->md[k].n) return true;
    return false;
}

int mlk_report_panels(const mlk_report *r, int idx[3])
{
    int list[MLK_REPORT_TEMPS], n = 0;
    for (int t = 0; t < r->n_temp; t++)
        if (has_transport(r, t)) list[n++] = t;
    bool none = !n;
    for (int t = 0; t < r->n_temp && none; t++)
        if (has_run(r, t)) list[n++] = t;
    if (n <= 3) {
        memcpy(idx, list, (size_t)n * sizeof *idx);
        return n;
    }
    idx[0] = list[0], idx[1] = list[(n - 1) / 2], idx[2] = list[n - 1];
    return 3;
}

/* value and error of one estimate over the models at temperature t; returns how many are there */
static size_t collect(const mlk_report *r, int t, const char *key, double *v, double *err)
{
    char key_err[64];
    size_t n = 0;
    snprintf(key_err, sizeof key_err, "%s_err", key);
    for (int m = 0; m < r->n_model; m++) {
        const json_t *j = mlk_report_at(r, m, t);
        if (!j || !isfinite(mlk_json_get_real(j, "kappa_naive", NAN)) ||
            !isfinite(mlk_json_get_real(j, "kappa", NAN)))
            continue;
        double s = mlk_json_get_real(j, key_err, NAN);
        if (!isfinite(s) || s <= 0) continue;
        v[n] = mlk_json_get_real(j, key, NAN), err[n++] = s;
    }
    return n;
}

/* the estimates of all temperatures that have at least two */
typedef struct pool {
    size_t n;
    double v[MLK_REPORT_MODELS * MLK_REPORT_TEMPS], s[MLK_REPORT_MODELS * MLK_REPORT_TEMPS];
    int group[MLK_REPORT_MODELS * MLK_REPORT_TEMPS];
} pool;

static void add(pool *p, size_t n, const double *v, const double *s, int group)
{
    for (size_t k = 0; k < n; k++) p->v[p->n] = v[k], p->s[p->n] = s[k], p->group[p->n++] = group;
}

/* The corrected values, averaged over the models with their scatter in the error, against T. */
static mlk_status fit_temperature(mlk_report *r, mlk_err *e)
{
    double T[MLK_REPORT_TEMPS], v[MLK_REPORT_TEMPS], s[MLK_REPORT_TEMPS];
    size_t n = 0;
    for (int t = 0; t < r->n_temp; t++)
        if (r->row[t].corrected.n)
            T[n] = r->temp[t], v[n] = r->row[t].corrected.wide,
            s[n++] = r->row[t].corrected.wide_err;
    return mlk_kappa_of_t(n, T, v, s, &r->kappa_t, e);
}

/* Production starts at the mean energy of the equilibration, so that what is left is a short or
 * unsettled equilibration: 3 % is allowed whatever the number of atoms. */
double mlk_report_off(const mlk_report *r, const mlk_report_md *m)
{
    double t = r->temp[m->temp];
    return fabs(m->t_mean - t) / t / 0.03;
}

/* Runs that were not at the temperature they stand for, did not conserve energy, in which atoms
 * came nearer than the training data ever saw or left the range of their descriptors, or covalent
 * bonds broke; one line per model and reason. */
static mlk_status judge_runs(mlk_report *r, mlk_err *e)
{
    r->n_there = r->n_flagged = 0;
    memset(r->flagged, 0, sizeof r->flagged);
    static const char *const what[MLK_REPORT_REASONS] = {
        "the mean temperature is off", "the total energy drifts",
        "atoms come nearer than in any training frame",
        "descriptors are far outside of the training data", "covalent bonds of the start break"};
    enum { REASONS = MLK_REPORT_REASONS };
    for (int model = 0; model < r->n_model; model++) {
        size_t n = 0, bad[REASONS] = {0};
        double worst[REASONS] = {0};
        char example[REASONS][120] = {""};
        for (size_t k = 0; k < r->n_md; k++) {
            const mlk_report_md *m = &r->md[k];
            if (m->model != model || !m->there) continue;
            double t = r->temp[m->temp], off = fabs(m->t_mean - t) / t;
            const bool is[REASONS] = {mlk_report_off(r, m) > 1, m->drift_flag, m->short_flag,
                                      m->range_flag, m->broke > 0};
            bool any = false;
            for (int q = 0; q < REASONS; q++) bad[q] += is[q], r->flagged[q] += is[q], any |= is[q];
            n++, r->n_there++, r->n_flagged += any;
            if (is[0] && off > worst[0])
                worst[0] = off, snprintf(example[0], sizeof example[0],
                                         "; worst: %.0f K instead of %.5g K", m->t_mean, t);
            if (m->drift_flag && fabs(m->drift) > worst[1])
                worst[1] = fabs(m->drift),
                snprintf(example[1], sizeof example[1], "; worst: %.0f meV/atom/ns at %.5g K",
                         m->drift, t);
            if (m->short_flag && 1 / m->shortest > worst[2])
                worst[2] = 1 / m->shortest,
                snprintf(example[2], sizeof example[2],
                         "; worst: %.3f of the shortest distance at %.5g K", m->shortest, t);
            if (m->range_flag && m->worst > worst[3])
                worst[3] = m->worst, snprintf(example[3], sizeof example[3],
                                              "; worst: grade %.3g at %.5g K", m->worst, t);
            if (m->broke > worst[4])
                worst[4] = m->broke, snprintf(example[4], sizeof example[4],
                                              "; worst: %.0f time%s (%.0f bonds) at %.5g K",
                                              m->broke, m->broke > 1 ? "s" : "", m->bonds, t);
        }
        for (int q = 0; q < REASONS; q++) {
            if (!bad[q]) continue;
            MLK_TRY(MLK_GROW(r->care, r->cap_care, r->n_care + 1, e));
            snprintf(r->care[r->n_care++], sizeof r->care[0], "%s: %s in %zu of %zu runs%s",
                     r->model[model].name, what[q], bad[q], n, example[q]);
        }
    }
    return MLK_OK;
}

mlk_status mlk_report_compare(mlk_report *r, mlk_err *e)
{
    MLK_TRY(judge_runs(r, e));
    double v[MLK_REPORT_MODELS], s[MLK_REPORT_MODELS];
    pool naive = {0}, corrected = {0};
    int n_compared = 0, n_naive = 0, n_corrected = 0;
    for (int t = 0; t < r->n_temp; t++) {
        mlk_report_row *row = &r->row[t];
        *row = (mlk_report_row){.reduction = NAN, .reduction_sd = NAN};
        size_t n = collect(r, t, "kappa_naive", v, s);
        if (n) MLK_TRY(mlk_compare(n, v, s, &row->naive, e));
        if (n > 1) add(&naive, n, v, s, t);
        size_t n2 = collect(r, t, "kappa", v, s);
        if (n2) MLK_TRY(mlk_compare(n2, v, s, &row->corrected, e));
        if (n2 > 1) add(&corrected, n2, v, s, t);
        if (n < 2 || n2 != n) continue;
        row->reduction = mlk_compare_reduction(&row->naive, &row->corrected);
        row->reduction_sd = row->naive.tau_sd / row->corrected.tau_sd;
        n_compared++;
        n_naive += row->naive.p_value < 0.05, n_corrected += row->corrected.p_value < 0.05;
        r->all.dof += n - 1;
        r->all.q_naive += row->naive.q, r->all.q += row->corrected.q;
        r->all.tau_naive += row->naive.tau * row->naive.tau;
        r->all.tau += row->corrected.tau * row->corrected.tau;
        r->all.sd_naive += row->naive.tau_sd * row->naive.tau_sd;
        r->all.sd += row->corrected.tau_sd * row->corrected.tau_sd;
    }
    if (n_compared) {
        /* Q of independent temperatures add up to a chi^2 with the summed degrees of freedom */
        r->all.p_naive = mlk_chi2_sf(r->all.q_naive, (double)r->all.dof);
        r->all.p = mlk_chi2_sf(r->all.q, (double)r->all.dof);
        r->all.tau_naive = sqrt(r->all.tau_naive / n_compared),
        r->all.tau = sqrt(r->all.tau / n_compared);
        r->all.sd_naive = sqrt(r->all.sd_naive / n_compared),
        r->all.sd = sqrt(r->all.sd / n_compared);
        MLK_TRY(mlk_compare_groups(naive.n, naive.v, naive.s, naive.group, r->n_temp,
                                   &r->all.lo_naive, &r->all.hi_naive, &r->all.limit_naive, e));
        MLK_TRY(mlk_compare_groups(corrected.n, corrected.v, corrected.s, corrected.group,
                                   r->n_temp, &r->all.lo, &r->all.hi, &r->all.limit, e));
    } else {
        r->all.p_naive = r->all.p = r->all.tau_naive = r->all.tau = r->all.sd_naive = r->all.sd =
            NAN;
        r->all.lo_naive = r->all.hi_naive = r->all.lo = r->all.hi = NAN;
        r->all.limit_naive = r->all.limit = NAN;
    }
    r->all.n_compared = n_compared, r->all.n_naive = n_naive, r->all.n_corrected = n_corrected;
    MLK_TRY(fit_temperature(r, e));
    mlk_report_statement(r);
    return MLK_OK;
}

/* ---- report.json ---- */

static json_t *comparison(const mlk_comparison *c)
{
    if (!c->n) return json_null();
    json_t *j = json_object();
    json_object_set_new(j, "n_models", json_integer((json_int_t)c->n));
    json_object_set_new(j, "mean", mlk_json_real(c->mean));
    json_object_set_new(j, "mean_err", mlk_json_real(c->mean_err));
    json_object_set_new(j, "q", mlk_json_real(c->q));
    json_object_set_new(j, "p_value", c->n > 1 ? mlk_json_real(c->p_value) : json_null());
    json_object_set_new(j, "tau", c->n > 1 ? mlk_json_real(c->tau) : json_null());
    const double tau[2] = {c->tau_lo, c->tau_hi};
    json_object_set_new(j, "tau_interval", c->n > 1 ? mlk_json_reals(tau, 2) : json_null());
    json_object_set_new(j, "tau_limit", c->n > 1 ? mlk_json_real(c->tau_limit) : json_null());
    json_object_set_new(j, "standard_deviation", c->n > 1 ? mlk_json_real(c->tau_sd) : json_null());
    json_object_set_new(j, "spread", mlk_json_real(c->spread));
    return j;
}

static json_t *fits(const mlk_report *r)
{
    const mlk_kappa_t *k = &r->kappa_t;
    json_t *j = json_object(), *points = json_array(), *forms = json_array();
    for (int t = 0; t < r->n_temp; t++) {
        const mlk_comparison *c = &r->row[t].corrected;
        if (!c->n) continue;
        json_t *o = json_object();
        json_object_set_new(o, "temperature_K", json_real(r->temp[t]));
        json_object_set_new(o, "kappa", mlk_json_real(c->wide));
        json_object_set_new(o, "kappa_err", mlk_json_real(c->wide_err));
        json_array_append_new(points, o);
    }
    for (int q = 0; q < MLK_KAPPA_FORMS; q++) {
        const mlk_kappa_fit *f = &k->fit[q];
        if (!f->there) continue;
        const char *const key[] = {"A_W_m", "A_err",   "B_W_mK", "B_err", "chi2",
                                   "dof",   "p_value", "aic",    "bic"};
        const double v[] = {f->a,   f->a_err,   f->b,   f->b_err, f->chi2,
                            f->dof, f->p_value, f->aic, f->bic};
        json_t *o = json_object();
        json_object_set_new(o, "form", json_string(mlk_kappa_form_name((mlk_kappa_form)q)));
        for (int i = 0; i < 9; i++) json_object_set_new(o, key[i], mlk_json_real(v[i]));
        json_array_append_new(forms, o);
    }
    json_object_set_new(j, "points", points);
    json_object_set_new(j, "fits", forms);
    json_object_set_new(j, "aic_constant_minus_inverse", mlk_json_real(k->evidence));
    json_object_set_new(j, "p_slope", mlk_json_real(k->p_slope));
    json_object_set_new(j, "p_offset", mlk_json_real(k->p_offset));
    json_object_set_new(j, "statement", json_string(k->statement));
    return j;
}

static json_t *model_row(const mlk_report *r, int m, int t)
{
    static const char *const keys[] = {"kappa_naive", "kappa_naive_err", "kappa",     "kappa_err",
                                       "theta",       "theta_err",       "sigma_S_m", "sigma_err",
                                       "haven_ratio", "pstar",           "fstar_THz", "n_samples",
                                       "n_runs"};
    const json_t *js = mlk_report_at(r, m, t);
    json_t *o = json_object();
    json_object_set_new(o, "model", json_string(r->model[m].name));
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        json_t *v = json_object_get(js, keys[k]);
        if (v) json_object_set(o, keys[k], v);
    }
    json_t *mobile = json_object_get(js, "mobile");
    if (mobile) json_object_set(o, "mobile", mobile);
    return o;
}

static json_t *md_row(const mlk_report *r, const mlk_report_md *m)
{
    json_t *o = json_object();
    json_object_set_new(o, "model", json_string(r->model[m->model].name));
    json_object_set_new(o, "temperature_K", json_real(r->temp[m->temp]));
    json_object_set_new(o, "replica", json_integer(m->rep + 1));
    json_object_set_new(o, "complete", json_boolean(m->complete));
    json_object_set_new(o, "temperature_mean_K", mlk_json_real(m->t_mean));
    json_object_set_new(o, "drift_meV_atom_ns", mlk_json_real(m->drift));
    json_object_set_new(o, "outside", mlk_json_real(m->outside));
    json_object_set_new(o, "worst_grade", mlk_json_real(m->worst));
    json_object_set_new(o, "shortest_ratio", mlk_json_real(m->shortest));
    json_object_set_new(o, "bonds_start", mlk_json_real(m->bonds));
    json_object_set_new(o, "bonds_broke", mlk_json_real(m->broke));
    json_object_set_new(o, "atoms", mlk_json_real(m->atoms));
    json_object_set_new(o, "wall_s", mlk_json_real(m->wall));
    json_object_set_new(o, "atom_steps_per_s", mlk_json_real(m->speed));
    return o;
}

mlk_status mlk_report_json(const mlk_report *r, mlk_err *e)
{
    char path[1300];
    json_t *j = json_object(), *a = json_array(), *models = json_array();
    json_object_set_new(j, "mlkit", json_string(MLK_VERSION));
    json_object_set_new(j, "temperatures", mlk_json_reals(r->temp, (size_t)r->n_temp));
    for (int m = 0; m < r->n_model; m++)
        json_array_append_new(models, json_string(r->model[m].name));
    json_object_set_new(j, "models", models);
    json_object_set_new(j, "complete", json_boolean(r->n_missing == 0));
    for (int t = 0; t < r->n_temp; t++) {
        json_t *o = json_object(), *rows = json_array();
        json_object_set_new(o, "temperature_K", json_real(r->temp[t]));
        for (int m = 0; m < r->n_model; m++)
            if (mlk_report_at(r, m, t)) json_array_append_new(rows, model_row(r, m, t));
        json_object_set_new(o, "models", rows);
        json_object_set_new(o, "naive", comparison(&r->row[t].naive));
        json_object_set_new(o, "corrected", comparison(&r->row[t].corrected));
        json_object_set_new(o, "reduction_factor", mlk_json_real(r->row[t].reduction));
        json_object_set_new(o, "reduction_factor_sd", mlk_json_real(r->row[t].reduction_sd));
        json_array_append_new(a, o);
    }
    json_object_set_new(j, "results", a);
    json_t *all = json_object(), *n = json_object(), *c = json_object();
    json_object_set_new(n, "p_value", mlk_json_real(r->all.p_naive));
    json_object_set_new(n, "tau", mlk_json_real(r->all.tau_naive));
    const double ci_naive[2] = {r->all.lo_naive, r->all.hi_naive}, ci[2] = {r->all.lo, r->all.hi};
    json_object_set_new(n, "tau_interval", mlk_json_reals(ci_naive, 2));
    json_object_set_new(c, "tau_interval", mlk_json_reals(ci, 2));
    json_object_set_new(n, "tau_limit", mlk_json_real(r->all.limit_naive));
    json_object_set_new(c, "tau_limit", mlk_json_real(r->all.limit));
    json_object_set_new(n, "standard_deviation", mlk_json_real(r->all.sd_naive));
    json_object_set_new(c, "p_value", mlk_json_real(r->all.p));
    json_object_set_new(c, "tau", mlk_json_real(r->all.tau));
    json_object_set_new(c, "standard_deviation", mlk_json_real(r->all.sd));
    json_object_set_new(all, "naive", n);
    json_object_set_new(all, "corrected", c);
    json_object_set_new(all, "reduction_factor", mlk_json_real(r->all.tau_naive / r->all.tau));
    json_object_set_new(all, "reduction_factor_sd", mlk_json_real(r->all.sd_naive / r->all.sd));
    json_object_set_new(j, "overall", all);
    json_object_set_new(j, "kappa_of_T", fits(r));
    json_object_set_new(j, "statement", json_string(r->statement));
    json_t *training = json_array(), *md = json_array(), *miss = json_array();
    for (int m = 0; m < r->n_model; m++)
        if (r->model[m].train) json_array_append(training, r->model[m].train);
    for (size_t k = 0; k < r->n_md; k++)
        if (r->md[k].there) json_array_append_new(md, md_row(r, &r->md[k]));
    for (size_t k = 0; k < r->n_missing; k++)
        json_array_append_new(miss, json_string(r->missing[k]));
    json_object_set_new(j, "training", training);
    json_object_set_new(j, "md", md);
    json_t *care = json_array();
    for (size_t k = 0; k < r->n_care; k++) json_array_append_new(care, json_string(r->care[k]));
    json_object_set_new(j, "doubtful", care);
    json_object_set_new(j, "missing", miss);
    mlk_status s = mlk_json_write(j, mlk_path_join(path, sizeof path, r->dir, "report.json"), e);
    json_decref(j);
    return s;
}
