/* shape.c - see shape.h. The log of a rational spectrum has cepstral coefficients that are sums of
 * +-p^n/n over its poles and zeros p. Real p (relaxation) of every width are a regression on
 * p^n/n, one p per octave; complex ones (vibrations) are coefficients of either sign that decay
 * like r^n/n. How many octaves, how strong and how slow the vibrations is averaged over with the
 * weight that the data give. */
#include "transport/shape.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"

enum {
    OCTAVES = 12,   /* narrowest relaxation: 2^-12 of the band */
    REACH = 3,      /* coefficients for each unit of the longest decay length */
    MOST = 1 << 13, /* coefficients used */
    DECAYS = 8,     /* of the vibrations, and */
    AMPLITUDES = 3, /* theirs; in addition: none */
    VIBRATIONS = DECAYS * AMPLITUDES + 1
};
/* standard deviation of the sum of poles minus zeros in an octave: each counts 1, one octave in
 * four has one */
static const double STRENGTH = 0.5;

typedef struct sums { /* of one kind of vibrations, over the coefficients */
    double a[OCTAVES * OCTAVES], h[OCTAVES], g[OCTAVES];
    double log_ml, value, var, p;
} sums;

typedef struct model {
    double log_w, value, var, p;
    double b[OCTAVES]; /* strengths of the relaxations */
    int vibration;
} model;

typedef struct work {
    size_t n;           /* coefficients 1..n-1 are used */
    size_t octaves;     /* relaxations, narrowest last */
    double r[OCTAVES];  /* exp(-1/decay length) */
    double *phi;        /* (n,octaves) r^n/n */
    const double *coef; /* (n) */
    double var;         /* of their noise */
    model *m;
    size_t n_model;
} work;

/* prior variance of vibrations: amplitude a2 r2^n/n^2, a2 = 0 for kind 0 */
static void vibration(const work *w, int kind, double *a2, double *r2)
{
    *a2 = 0, *r2 = 0;
    if (kind == 0) return;
    int decay = (kind - 1) / AMPLITUDES;
    double longest = (double)(w->n < 400 ? w->n : 400);
    *r2 = exp(-2 / pow(longest, decay / (double)(DECAYS - 1)));
    *a2 = 0.05 * pow(4, (kind - 1) % AMPLITUDES);
}

static void collect(const work *w, int kind, sums *s)
{
    double a2, r2;
    memset(s, 0, sizeof *s);
    vibration(w, kind, &a2, &r2);
    s->value = w->coef[0], s->var = 2 * w->var, s->p = 1;
    size_t first = 0, no = w->octaves;
    for (size_t n = 1; n < w->n; n++) {
        const double *phi = w->phi + n * no, y = w->coef[n];
        a2 *= r2;
        double q = a2 / ((double)n * (double)n * w->var), keep = q / (1 + q);
        double d = w->var * (1 + q);
        if (q > 0) {
            s->log_ml += 0.5 * (y * y * keep / w->var - log1p(q));
            s->value += 2 * keep * y;
            /* What is taken away of the coefficients of a vibration adds up to little at f = 0,
             * where its peak is not: no error is counted for that, only the noise kept. */
            s->var += 4 * keep * keep * w->var;
            s->p += keep;
        }
        while (first < no && phi[first] < 1e-9) first++; /* has decayed */
        for (size_t a = first; a < no; a++) {
            double f = phi[a] / d;
            s->h[a] += f * y;
            s->g[a] += 2 * (1 - keep) * phi[a];
            for (size_t b = first; b <= a; b++) s->a[a * OCTAVES + b] += f * phi[b];
        }
    }
}

/* lower triangle l of a = l l^T in place; a is positive definite */
static void cholesky(size_t n, double *a)
{
    for (size_t j = 0; j < n; j++)
        for (size_t i = j; i < n; i++) {
            double s = a[i * OCTAVES + j];
            for (size_t k = 0; k < j; k++) s -= a[i * OCTAVES + k] * a[j * OCTAVES + k];
            a[i * OCTAVES + j] = i == j ? sqrt(s) : s / a[j * OCTAVES + j];
        }
}

static void forward(size_t n, const double *l, double *x)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) x[i] -= l[i * OCTAVES + k] * x[k];
        x[i] /= l[i * OCTAVES + i];
    }
}

static void backward(size_t n, const double *l, double *x)
{
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++) x[i] -= l[k * OCTAVES + i] * x[k];
        x[i] /= l[i * OCTAVES + i];
    }
}

/* The models of one kind of vibrations with 0, 1, 2, ... octaves of relaxations:
 * their triangles are the leading parts of one. Each octave more is half as likely. */
static void nested(work *w, const sums *s, int kind)
{
    double l[OCTAVES * OCTAVES], x[OCTAVES], u[OCTAVES];
    memcpy(l, s->a, sizeof l);
    memcpy(x, s->h, sizeof x);
    memcpy(u, s->g, sizeof u);
    for (size_t a = 0; a < w->octaves; a++) l[a * OCTAVES + a] += 1 / (STRENGTH * STRENGTH);
    cholesky(w->octaves, l);
    forward(w->octaves, l, x);
    forward(w->octaves, l, u);
    model m = {.log_w = s->log_ml, .value = s->value, .var = s->var, .p = s->p};
    m.vibration = kind;
    for (size_t k = 0;; k++) {
        memcpy(m.b, x, k * sizeof *x);
        backward(k, l, m.b);
        w->m[w->n_model++] = m;
        if (k == w->octaves) return;
        double diag = l[k * OCTAVES + k] * STRENGTH;
        m.log_w += 0.5 * x[k] * x[k] - log(diag) - log(2.0);
        m.value += x[k] * u[k];
        m.var += u[k] * u[k];
        m.p += 1 - 1 / (diag * diag);
    }
}

static void average(const work *w, mlk_shape *out, double *mean)
{
    double best = -INFINITY, total = 0, weight[VIBRATIONS] = {0}, b[VIBRATIONS][OCTAVES] = {{0}};
    for (size_t k = 0; k < w->n_model; k++) best = fmax(best, w->m[k].log_w);
    for (size_t k = 0; k < w->n_model; k++) {
        const model *m = w->m + k;
        double f = exp(m->log_w - best);
        total += f;
        out->ln_s0 += f * m->value, out->p += f * m->p;
        weight[m->vibration] += f;
        for (size_t a = 0; a < w->octaves; a++) b[m->vibration][a] += f * m->b[a];
    }
    out->ln_s0 /= total, out->p /= total;
    double var = 0;
    for (size_t k = 0; k < w->n_model; k++) {
        double d = w->m[k].value - out->ln_s0;
        var += exp(w->m[k].log_w - best) * (w->m[k].var + d * d);
    }
    out->sigma = sqrt(var / total);
    mean[0] = w->coef[0];
    for (int kind = 0; kind < VIBRATIONS; kind++) {
        double a2, r2;
        vibration(w, kind, &a2, &r2);
        if (weight[kind] < 1e-9 * total) continue;
        for (size_t n = 1; n < w->n; n++) {
            a2 *= r2;
            double q = a2 / ((double)n * (double)n * w->var), keep = q / (1 + q), sum = 0;
            for (size_t a = 0; a < w->octaves; a++) sum += w->phi[n * w->octaves + a] * b[kind][a];
            mean[n] += (weight[kind] * keep * w->coef[n] + (1 - keep) * sum) / total;
        }
    }
}

mlk_status mlk_shape_average(mlk_shape *out, size_t nf, const double *coef, double var,
                             double *mean, mlk_err *e)
{
    work w = {.n = nf - 1 < MOST ? nf - 1 : MOST, .coef = coef, .var = var};
    mlk_status s = MLK_OK;
    memset(out, 0, sizeof *out);
    memset(mean, 0, nf * sizeof *mean);
    for (size_t n = 0; n < w.n; n++)
        if (!isfinite(coef[n])) return MLK_FAIL(e, MLK_ENUMERIC, "the cepstrum is not finite");
    for (double len = 0.5; w.octaves < OCTAVES && REACH * len < (double)w.n; len *= 2)
        w.r[w.octaves++] = exp(-1 / len);
    w.phi = mlk_alloc(w.n * w.octaves + 1, sizeof *w.phi);
    w.m = mlk_alloc(VIBRATIONS * (w.octaves + 1), sizeof *w.m);
    if (!w.phi || !w.m) {
        s = MLK_FAIL(e, MLK_ENOMEM, "shapes of a spectrum of %zu frequencies", nf);
        goto done;
    }
    for (size_t a = 0; a < w.octaves; a++) {
        double power = 1;
        for (size_t n = 1; n < w.n; n++) w.phi[n * w.octaves + a] = (power *= w.r[a]) / (double)n;
    }
    for (int kind = 0; kind < VIBRATIONS; kind++) {
        sums t;
        collect(&w, kind, &t);
        nested(&w, &t, kind);
    }
    average(&w, out, mean);
done:
    mlk_free(w.phi);
    mlk_free(w.m);
    return s;
}
