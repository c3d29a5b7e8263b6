/* committee.c - see committee.h; equations (21) to (24) of docs/THEORY.md. */
#include "train/committee.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/stats.h"

static const double no_spread = 1e-9; /* below it members are the same but for rounding */

/* ---- the scale alpha: maximum likelihood of a multivariate Student distribution ---- */

typedef struct model { /* of errors: c components, nu degrees of freedom of the spread */
    double c, nu;
} model;

/* d log likelihood / d log theta over 1/2, of one sample with x = |d|^2/s^2 */
static double score(model m, double x, double theta)
{
    return (m.nu + m.c) * x / (m.nu * theta + x) - m.c;
}

static double slope(model m, double x, double theta)
{
    double q = m.nu * theta + x;
    return (m.nu + m.c) * x * m.nu * theta / (q * q);
}

/* but for what does not depend on theta */
static double log_likelihood(model m, double x, double theta)
{
    return -0.5 * (m.c * log(theta) + (m.nu + m.c) * log1p(x / (m.nu * theta)));
}

/* theta = alpha^2. The sum of scores falls monotonically in log theta: Newton inside a bracket. */
static double fit(model m, size_t n, const double *x)
{
    size_t some = 0;
    if (n < MLK_COMMITTEE_MIN) return NAN;
    for (size_t i = 0; i < n; i++) some += x[i] > 0;
    if ((double)some * (m.nu + m.c) <= m.c * (double)n) return 0; /* without errors */
    double lo = -700, hi = 700, t = 0;
    for (int it = 0; it < 200 && hi - lo > 1e-12; it++) {
        double sum = 0, fall = 0, theta = exp(t);
        for (size_t i = 0; i < n; i++) sum += score(m, x[i], theta), fall += slope(m, x[i], theta);
        if (sum > 0)
            lo = t;
        else
            hi = t;
        double next = fall > 0 ? t + sum / fall : NAN;
        if (!(next > lo && next < hi)) next = 0.5 * (fmax(lo, t - 8) + fmin(hi, t + 8));
        if (fabs(next - t) < 1e-12) break;
        t = next;
    }
    return exp(t);
}

/* ---- sums with whole groups as units ---- */

typedef struct cluster {
    size_t n_unit;
    double *sum, *n; /* (n_unit) */
} cluster;

static void cluster_clear(cluster *c)
{
    memset(c->sum, 0, c->n_unit * sizeof *c->sum);
    memset(c->n, 0, c->n_unit * sizeof *c->n);
}

/* Mean over everything and its standard error (NaN for one unit). */
static double cluster_mean(const cluster *c, double *err)
{
    double s = 0, n = 0, v = 0, g = 0;
    for (size_t u = 0; u < c->n_unit; u++) s += c->sum[u], n += c->n[u], g += c->n[u] > 0;
    double mean = n > 0 ? s / n : NAN;
    for (size_t u = 0; u < c->n_unit; u++) v += pow(c->sum[u] - mean * c->n[u], 2);
    *err = g > 1 ? sqrt(v * g / (g - 1)) / n : NAN;
    return mean;
}

/* ---- calibration ---- */

typedef struct work {
    mlk_calibration *out;
    model m;
    int c; /* components of an error */
    size_t n, n_unit;
    const mlk_spread *s; /* (n) */
    const int *half;     /* (n_unit) */
    double *x, *pick;    /* (n) |d|^2/s^2; those of a fit */
    double *alpha;       /* (n) fitted on the other half */
    double theta[2], theta_z[2][MLK_ELEMENT_MAX + 1];
    cluster cl;
} work;

static double norm2(const mlk_spread *s, int c)
{
    double q = 0;
    for (int a = 0; a < c; a++) q += s->d[a] * s->d[a];
    return q;
}

/* of one half (-1: both) and one element (-1: all) */
static double fit_part(work *w, int half, int z)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++)
        if ((half < 0 || w->half[w->s[i].unit] == half) && (z < 0 || w->s[i].z == z))
            w->pick[n++] = w->x[i];
    return fit(w->m, n, w->pick);
}

static void fit_all(work *w)
{
    mlk_calibration *o = w->out;
    double theta = fit_part(w, -1, -1), plain = 0, fall = 0, err;
    bool there[MLK_ELEMENT_MAX + 1] = {0};
    cluster_clear(&w->cl);
    for (size_t i = 0; i < w->n; i++) {
        there[w->s[i].z] = true;
        plain += w->x[i], fall += slope(w->m, w->x[i], theta);
        w->cl.sum[w->s[i].unit] += score(w->m, w->x[i], theta), w->cl.n[w->s[i].unit]++;
    }
    cluster_mean(&w->cl, &err); /* the mean is zero at the maximum */
    o->alpha = sqrt(theta);
    o->alpha_err = 0.5 * o->alpha * err * (double)w->n / fall;
    o->plain = sqrt(plain / w->m.c / (double)w->n);
    for (int h = 0; h < 2; h++) {
        w->theta[h] = fit_part(w, h, -1);
        o->half[h] = sqrt(w->theta[h]);
    }
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++) {
        o->alpha_z[z] = there[z] ? sqrt(fit_part(w, -1, z)) : NAN;
        for (int h = 0; h < 2; h++) {
            double t = there[z] ? fit_part(w, h, z) : NAN;
            w->theta_z[h][z] = isfinite(t) ? t : w->theta[h];
        }
    }
}

/* One alpha per element when that predicts the other half better by more than its uncertainty. */
static void choose(work *w)
{
    mlk_calibration *o = w->out;
    size_t elements = 0;
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++) elements += isfinite(o->alpha_z[z]);
    cluster_clear(&w->cl);
    for (size_t i = 0; i < w->n; i++) {
        const mlk_spread *s = &w->s[i];
        int other = 1 - w->half[s->unit];
        w->cl.sum[s->unit] += log_likelihood(w->m, w->x[i], w->theta_z[other][s->z]) -
                              log_likelihood(w->m, w->x[i], w->theta[other]);
        w->cl.n[s->unit]++;
    }
    if (elements > 1) o->gain = cluster_mean(&w->cl, &o->gain_err);
    o->by_species = o->gain > o->gain_err;
    for (size_t i = 0; i < w->n; i++) {
        int other = 1 - w->half[w->s[i].unit];
        w->alpha[i] = sqrt(o->by_species ? w->theta_z[other][w->s[i].z] : w->theta[other]);
    }
}

/* half width of the Gaussian interval of a probability */
static double gauss_interval(double p)
{
    double lo = 0, hi = 40;
    for (int k = 0; k < 100; k++) {
        double mid = 0.5 * (lo + hi);
        if (1 - 2 * mlk_normal_sf(mid) < p)
            lo = mid;
        else
            hi = mid;
    }
    return 0.5 * (lo + hi);
}

static mlk_coverage cover(work *w, double p)
{
    mlk_coverage r = {.p = p};
    double raw = gauss_interval(p), cal = mlk_student_interval(p, w->out->dof), in = 0;
    cluster_clear(&w->cl);
    for (size_t i = 0; i < w->n; i++)
        for (int a = 0; a < w->c; a++) {
            const mlk_spread *s = &w->s[i];
            double d = fabs(s->d[a]) / s->s;
            in += d <= raw;
            w->cl.sum[s->unit] += d <= cal * w->alpha[i];
            w->cl.n[s->unit]++;
        }
    r.before = in / (double)w->n / w->c;
    r.after = cluster_mean(&w->cl, &r.err);
    /* all or none inside is no certainty: never below that of independent atoms or frames */
    double n = (double)w->n, q = (r.after * n + 1) / (n + 2);
    r.err = fmax(r.err, sqrt(q * (1 - q) / n));
    return r;
}

typedef struct order {
    double predicted;
    size_t i;
} order;

static int by_prediction(const void *a, const void *b)
{
    const order *x = a, *y = b;
    return x->predicted != y->predicted ? (x->predicted > y->predicted ? 1 : -1)
                                        : (x->i > y->i) - (x->i < y->i);
}

static mlk_committee_bin bin(work *w, size_t n, const order *part)
{
    mlk_committee_bin b = {.n = n};
    double e;
    cluster_clear(&w->cl);
    for (size_t k = 0; k < n; k++) {
        const mlk_spread *s = &w->s[part[k].i];
        b.spread += s->s * s->s, b.predicted += part[k].predicted * part[k].predicted;
        w->cl.sum[s->unit] += norm2(s, w->c), w->cl.n[s->unit] += w->c;
    }
    b.spread = sqrt(b.spread / (double)n), b.predicted = sqrt(b.predicted / (double)n);
    b.rmse = sqrt(cluster_mean(&w->cl, &e));
    /* a bin may lie in few groups: never below that of independent Gaussian errors */
    b.err = fmax(0.5 * e / b.rmse, b.rmse / sqrt(2.0 * (double)n * w->c));
    return b;
}

static mlk_status bins(work *w, mlk_err *e)
{
    mlk_calibration *o = w->out;
    size_t per = o->quantity == MLK_COMMITTEE_FORCE ? 50 : 10, nb = w->n / per;
    if (nb > MLK_COMMITTEE_BINS) nb = MLK_COMMITTEE_BINS;
    if (nb < 2 || o->dof < 3) return MLK_OK; /* without a variance */
    order *list = mlk_alloc(w->n, sizeof *list);
    if (!list) return MLK_FAIL(e, MLK_ENOMEM, "bins of %zu errors", w->n);
    double unit = sqrt(w->m.nu / (w->m.nu - 2));
    for (size_t i = 0; i < w->n; i++)
        list[i] = (order){.predicted = w->alpha[i] * unit * w->s[i].s, .i = i};
    qsort(list, w->n, sizeof *list, by_prediction);
    for (size_t b = 0; b < nb; b++) {
        size_t first = b * w->n / nb, end = (b + 1) * w->n / nb;
        o->bin[b] = bin(w, end - first, list + first);
    }
    o->n_bin = nb;
    mlk_free(list);
    double x[MLK_COMMITTEE_BINS], y[MLK_COMMITTEE_BINS];
    for (size_t b = 0; b < nb; b++) x[b] = log(o->bin[b].predicted), y[b] = log(o->bin[b].rmse);
    if (nb > 2) {
        mlk_line line = mlk_line_fit(nb, x, y, NULL);
        o->slope = line.b, o->slope_err = line.b_err;
    }
    return MLK_OK;
}

/* correlation and plain averages; needs no judging */
static void describe(work *w)
{
    mlk_calibration *o = w->out;
    double s2 = 0, d2 = 0;
    for (size_t i = 0; i < w->n; i++) {
        const mlk_spread *s = &w->s[i];
        double q = norm2(s, w->c), az = o->alpha_z[s->z];
        s2 += s->s * s->s, d2 += q / w->c;
        w->x[i] = s->s * (o->by_species && isfinite(az) ? az : 1);
        w->pick[i] = q;
    }
    o->rms_spread = sqrt(s2 / (double)w->n), o->rms_error = sqrt(d2 / (double)w->n);
    o->spearman = mlk_spearman(w->n, w->x, w->pick);
}

static mlk_status judge(work *w, mlk_err *e)
{
    mlk_calibration *o = w->out;
    for (size_t i = 0; i < w->n; i++) w->x[i] = norm2(&w->s[i], w->c) / (w->s[i].s * w->s[i].s);
    fit_all(w);
    if (w->theta[0] > 0 && w->theta[1] > 0) {
        choose(w);
        o->one = cover(w, 0.682689492137086), o->two = cover(w, 0.954499736103642);
        for (int k = 0; k < MLK_COMMITTEE_LEVELS; k++)
            o->curve[k] =
                cover(w, k < 19 ? 0.05 * (k + 1) : (double[]){0.975, 0.99, 0.999}[k - 19]);
        MLK_TRY(bins(w, e));
    }
    describe(w);
    return MLK_OK;
}

static void unknown(mlk_calibration *o, int quantity, int dof)
{
    *o = (mlk_calibration){.quantity = quantity, .dof = dof};
    o->alpha = o->alpha_err = o->half[0] = o->half[1] = o->plain = NAN;
    o->rms_spread = o->rms_error = o->spearman = o->gain = o->gain_err = o->slope = o->slope_err =
        NAN;
    o->rms_factor = INFINITY;
    for (int z = 0; z <= MLK_ELEMENT_MAX; z++) o->alpha_z[z] = NAN;
    o->one = (mlk_coverage){0.682689492137086, NAN, NAN, NAN};
    o->two = (mlk_coverage){0.954499736103642, NAN, NAN, NAN};
}

mlk_status mlk_committee_calibrate(int quantity, size_t k, const mlk_spread *s, size_t n,
                                   const int *half, size_t n_unit, mlk_calibration *out, mlk_err *e)
{
    int c = quantity == MLK_COMMITTEE_FORCE ? 3 : 1, dof = c * (int)(k - 1);
    unknown(out, quantity, dof);
    mlk_spread *keep = mlk_alloc(n + 1, sizeof *keep);
    work w = {.out = out, .m = {c, dof}, .c = c, .n_unit = n_unit, .s = keep, .half = half};
    w.x = mlk_alloc(n + 1, sizeof *w.x), w.pick = mlk_alloc(n + 1, sizeof *w.pick);
    w.alpha = mlk_alloc(n + 1, sizeof *w.alpha);
    w.cl = (cluster){n_unit, mlk_alloc(n_unit + 1, sizeof(double)),
                     mlk_alloc(n_unit + 1, sizeof(double))};
    mlk_status r = MLK_OK;
    if (!keep || !w.x || !w.pick || !w.alpha || !w.cl.sum || !w.cl.n) {
        r = MLK_FAIL(e, MLK_ENOMEM, "calibration of %zu errors", n);
        goto done;
    }
    for (size_t i = 0; i < n; i++)
        if (s[i].s > no_spread) keep[w.n++] = s[i];
    for (size_t i = 0; i < w.n; i++) w.cl.n[keep[i].unit] = 1;
    for (size_t u = 0; u < n_unit; u++) out->n_unit += w.cl.n[u] > 0;
    out->n = w.n, out->n_zero = n - w.n;
    if (w.n) r = judge(&w, e);
    if (dof > 2) out->rms_factor = out->alpha * sqrt(dof / (dof - 2.0));
done:
    mlk_free(keep), mlk_free(w.x), mlk_free(w.pick), mlk_free(w.alpha);
    mlk_free(w.cl.sum), mlk_free(w.cl.n);
    return r;
}

/* ---- from predictions ---- */

static mlk_status mean_of(const mlk_dataset *ds, size_t k, mlk_prediction *const *p,
                          mlk_prediction **out, mlk_err *e)
{
    mlk_prediction *m = mlk_alloc(ds->n, sizeof *m);
    for (size_t q = 0; m && q < ds->n; q++) {
        m[q].f = mlk_alloc(ds->frame[q].n, sizeof *m[q].f);
        if (!m[q].f) {
            mlk_predict_free(m, ds->n);
            m = NULL;
            break;
        }
        for (size_t j = 0; j < k; j++) {
            m[q].energy += p[j][q].energy / (double)k;
            for (int a = 0; a < 9; a++)
                m[q].virial[a / 3][a % 3] += p[j][q].virial[a / 3][a % 3] / (double)k;
            for (size_t i = 0; i < ds->frame[q].n; i++)
                for (int a = 0; a < 3; a++) m[q].f[i][a] += p[j][q].f[i][a] / (double)k;
        }
    }
    *out = m;
    return m ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "mean of %zu predictions", k);
}

typedef struct group {
    const char *name;
    double t, n; /* sum of temperatures, of frames */
    size_t unit;
} group;

static int by_temperature(const void *a, const void *b)
{
    const group *x = a, *y = b;
    double p = isfinite(x->t) ? x->t / x->n : 0, q = isfinite(y->t) ? y->t / y->n : 0;
    return p != q ? (p > q ? 1 : -1) : strcmp(x->name, y->name);
}

/* unit (ds->n) of every frame in use, half (*n_unit) of every unit; both start zeroed. cut: there
 * is one group, of which two units were made. */
static mlk_status halves(const mlk_dataset *ds, const bool *use, size_t *unit, int *half,
                         size_t *n_unit, bool *cut, mlk_err *e)
{
    group *g = mlk_alloc(ds->n + 2, sizeof *g);
    double frames[2] = {0}, seen = 0;
    size_t n = 0;
    if (!g) return MLK_FAIL(e, MLK_ENOMEM, "groups of %zu frames", ds->n);
    for (size_t k = 0; k < ds->n; k++) {
        size_t q = n; /* the frames of a group mostly stand together */
        if (!use[k]) continue;
        while (q > 0 && strcmp(g[q - 1].name, ds->frame[k].group)) q--;
        if (!q) g[n] = (group){.name = ds->frame[k].group, .unit = n}, q = ++n;
        unit[k] = q - 1;
        g[q - 1].t += ds->frame[k].temperature, g[q - 1].n++;
    }
    *n_unit = n;
    *cut = n == 1;
    if (n == 1) {
        for (size_t k = 0; k < ds->n; k++)
            if (use[k]) unit[k] = 2 * seen++ >= g[0].n;
        half[1] = 1, *n_unit = 2;
    }
    qsort(g, n, sizeof *g, by_temperature);
    for (size_t q = 0; n > 1 && q < n; q++) {
        int h = frames[1] < frames[0];
        half[g[q].unit] = h, frames[h] += g[q].n;
    }
    mlk_free(g);
    return MLK_OK;
}

typedef struct set { /* what is compared */
    const mlk_dataset *ds;
    const bool *use;
    const size_t *unit;
    size_t k;
    mlk_prediction *const *p;
    const mlk_prediction *mean;
} set;

static mlk_spread force_of(const set *c, size_t q, size_t i)
{
    const mlk_frame *fr = &c->ds->frame[q];
    mlk_spread s = {.unit = c->unit[q], .z = fr->z[i]};
    for (int a = 0; a < 3; a++) {
        s.d[a] = c->mean[q].f[i][a] - fr->f[i][a];
        for (size_t j = 0; j < c->k; j++) s.s += pow(c->p[j][q].f[i][a] - c->mean[q].f[i][a], 2);
    }
    s.s = sqrt(s.s / 3 / (double)(c->k - 1));
    return s;
}

static mlk_spread energy_of(const set *c, size_t q)
{
    const mlk_frame *fr = &c->ds->frame[q];
    mlk_spread s = {.unit = c->unit[q]};
    double n = (double)fr->n;
    s.d[0] = (c->mean[q].energy - fr->energy) / n;
    for (size_t j = 0; j < c->k; j++) s.s += pow((c->p[j][q].energy - c->mean[q].energy) / n, 2);
    s.s = sqrt(s.s / (double)(c->k - 1));
    return s;
}

static mlk_status calibrate(const set *c, int quantity, const int *half, size_t n_unit,
                            mlk_calibration *out, mlk_err *e)
{
    size_t n = 0, most = 0;
    for (size_t q = 0; q < c->ds->n; q++) most += c->use[q] ? c->ds->frame[q].n : 0;
    mlk_spread *s = mlk_alloc(most + 1, sizeof *s);
    if (!s) return MLK_FAIL(e, MLK_ENOMEM, "spreads of %zu atoms", most);
    for (size_t q = 0; q < c->ds->n; q++) {
        const mlk_frame *fr = &c->ds->frame[q];
        if (!c->use[q]) continue;
        if (quantity == MLK_COMMITTEE_ENERGY && fr->has & MLK_HAS_ENERGY) s[n++] = energy_of(c, q);
        for (size_t i = 0; quantity == MLK_COMMITTEE_FORCE && fr->has & MLK_HAS_FORCE && i < fr->n;
             i++)
            s[n++] = force_of(c, q, i);
    }
    mlk_status r = mlk_committee_calibrate(quantity, c->k, s, n, half, n_unit, out, e);
    mlk_free(s);
    return r;
}

/* mlk_errors_add takes a split: a set whose split is 0 for the frames in use and 1 for others */
static void errors_of(const mlk_dataset *ds, int *chosen, const mlk_prediction *p,
                      mlk_fit_errors *er)
{
    mlk_dataset view = *ds;
    view.split = chosen;
    mlk_errors_add(&view, p, 0, er);
}

mlk_status mlk_committee_judge(const mlk_dataset *ds, const bool *use, size_t k,
                               mlk_prediction *const *p, mlk_committee *out, mlk_err *e)
{
    *out = (mlk_committee){.k = k};
    if (k < 2) return MLK_FAIL(e, MLK_EINVAL, "a committee has at least two members");
    size_t *unit = mlk_alloc(ds->n + 1, sizeof *unit), n_unit = 0;
    int *half = mlk_alloc(ds->n + 2, sizeof *half), *chosen = mlk_alloc(ds->n + 1, sizeof *chosen);
    mlk_prediction *mean = NULL;
    mlk_status s = MLK_OK;
    out->member = mlk_alloc(k, sizeof *out->member);
    if (!unit || !half || !chosen || !out->member)
        MLK_GO(MLK_FAIL(e, MLK_ENOMEM, "committee on %zu frames", ds->n));
    for (size_t q = 0; q < ds->n; q++) chosen[q] = !use[q];
    MLK_GO(mean_of(ds, k, p, &mean, e));
    for (size_t j = 0; j < k; j++) errors_of(ds, chosen, p[j], &out->member[j]);
    errors_of(ds, chosen, mean, &out->mean);
    out->n_frames = out->mean.n_frames;
    MLK_GO(halves(ds, use, unit, half, &n_unit, &out->cut, e));
    out->n_group = out->cut ? 1 : n_unit;
    const set c = {ds, use, unit, k, p, mean};
    for (int q = 0; q < 2; q++) MLK_GO(calibrate(&c, q, half, n_unit, &out->quantity[q], e));
done:
    mlk_predict_free(mean, ds->n);
    mlk_free(unit), mlk_free(half), mlk_free(chosen);
    return s;
}

void mlk_committee_free(mlk_committee *c)
{
    mlk_free(c->member);
    *c = (mlk_committee){0};
}
