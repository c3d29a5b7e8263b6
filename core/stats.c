/* stats.c - see stats.h. Formulas: Abramowitz & Stegun 6.3, 6.4 (psi), 6.5 (incomplete gamma),
 * 26.7.3 and 26.7.4 (Student's t). */
#include "core/stats.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/units.h"

/* The recurrence lifts x to at least 12, where eight terms of the asymptotic series reach 1e-17. */
double mlk_digamma(double x)
{
    if (!(x > 0)) return NAN;
    double s = 0;
    for (; x < 12; x += 1) s -= 1 / x;
    double y = 1 / (x * x);
    double tail =
        y * (1.0 / 12 -
             y * (1.0 / 120 -
                  y * (1.0 / 252 -
                       y * (1.0 / 240 - y * (1.0 / 132 - y * (691.0 / 32760 - y * (1.0 / 12)))))));
    return s + log(x) - 0.5 / x - tail;
}

double mlk_trigamma(double x)
{
    if (!(x > 0)) return NAN;
    double s = 0;
    for (; x < 12; x += 1) s += 1 / (x * x);
    double y = 1 / (x * x);
    double tail =
        y * (1.0 / 6 -
             y * (1.0 / 30 -
                  y * (1.0 / 42 -
                       y * (1.0 / 30 - y * (5.0 / 66 - y * (691.0 / 2730 - y * (7.0 / 6)))))));
    return s + 1 / x + 0.5 * y + tail / x;
}

double mlk_gamma_q(double a, double x)
{
    if (!(a > 0) || isnan(x)) return NAN;
    if (x <= 0) return 1;
    if (isinf(x)) return 0;
    double front = exp(a * log(x) - x - lgamma(a));
    if (x < a + 1) { /* series for P */
        double term = 1 / a, sum = term;
        for (double k = a + 1; fabs(term) > fabs(sum) * DBL_EPSILON / 4; k += 1)
            sum += term *= x / k;
        return 1 - front * sum;
    }
    /* continued fraction for Q, modified Lentz */
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int i = 1; i < 100000; i++) {
        double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        if (fabs(d) < 1e-300) d = 1e-300;
        c = b + an / c;
        if (fabs(c) < 1e-300) c = 1e-300;
        d = 1 / d;
        h *= d * c;
        if (fabs(d * c - 1) < DBL_EPSILON) break;
    }
    return front * h;
}

double mlk_chi2_sf(double x, double dof)
{
    if (!(dof > 0)) return NAN;
    return x <= 0 ? 1 : mlk_gamma_q(dof / 2, x / 2);
}

double mlk_normal_sf(double z)
{
    return 0.5 * erfc(z / sqrt(2.0));
}

double mlk_student_within(double t, int dof)
{
    if (dof < 1 || !(t >= 0)) return NAN;
    double angle = atan(t / sqrt((double)dof)), c = cos(angle), s = sin(angle), sum = 0, term = 1;
    if (dof % 2) { /* cos + 2/3 cos^3 + 2/3 4/5 cos^5 ... + cos^(dof-2) */
        term = c;
        for (int k = 1; k <= dof - 2; k += 2, term *= c * c * (k - 1) / k) sum += term;
        return 2 / MLK_PI * (angle + s * sum);
    }
    /* 1 + 1/2 cos^2 + 1/2 3/4 cos^4 ... + cos^(dof-2) */
    for (int k = 0; k <= dof - 2; k += 2, term *= c * c * (k - 1) / k) sum += term;
    return s * sum;
}

double mlk_student_interval(double p, int dof)
{
    if (dof < 1 || !(p >= 0) || !(p < 1)) return NAN;
    double lo = 0, hi = 1;
    while (mlk_student_within(hi, dof) < p && hi < 1e300) hi *= 2;
    for (int k = 0; k < 200 && hi - lo > DBL_EPSILON * hi; k++) {
        double mid = 0.5 * (lo + hi);
        if (mlk_student_within(mid, dof) < p)
            lo = mid;
        else
            hi = mid;
    }
    return 0.5 * (lo + hi);
}

double mlk_mean(size_t n, const double *x)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += x[i];
    return n ? s / (double)n : 0;
}

double mlk_variance(size_t n, const double *x)
{
    if (n < 2) return 0;
    double m = mlk_mean(n, x), s = 0;
    for (size_t i = 0; i < n; i++) s += (x[i] - m) * (x[i] - m);
    return s / (double)(n - 1);
}

double mlk_sem(size_t n, const double *x)
{
    return n < 2 ? 0 : sqrt(mlk_variance(n, x) / (double)n);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double mlk_median(size_t n, double *x)
{
    if (n == 0) return NAN;
    qsort(x, n, sizeof *x, ascending);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

mlk_line mlk_line_fit(size_t n, const double *x, const double *y, const double *w)
{
    mlk_line r = {NAN, NAN, NAN, NAN, NAN};
    double s = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (size_t i = 0; i < n; i++) {
        double wi = w ? w[i] : 1;
        s += wi, sx += wi * x[i], sy += wi * y[i];
    }
    if (n < 2 || !(s > 0)) return r;
    double mx = sx / s, my = sy / s;
    for (size_t i = 0; i < n; i++) {
        double wi = w ? w[i] : 1;
        sxx += wi * (x[i] - mx) * (x[i] - mx);
        sxy += wi * (x[i] - mx) * (y[i] - my);
    }
    if (!(sxx > 0)) return r;
    r.b = sxy / sxx;
    r.a = my - r.b * mx;
    r.chi2 = 0;
    for (size_t i = 0; i < n; i++) {
        double d = y[i] - r.a - r.b * x[i];
        r.chi2 += (w ? w[i] : 1) * d * d;
    }
    double var = w ? 1 : n > 2 ? r.chi2 / (double)(n - 2) : 0;
    r.b_err = sqrt(var / sxx);
    r.a_err = sqrt(var * (1 / s + mx * mx / sxx));
    return r;
}

typedef struct ranked {
    double v;
    size_t k;
} ranked;

static int by_value(const void *a, const void *b)
{
    double x = ((const ranked *)a)->v, y = ((const ranked *)b)->v;
    return (x > y) - (x < y);
}

/* r[k] becomes the rank of x[k], minus the mean rank */
static void ranks(size_t n, const double *x, ranked *tmp, double *r)
{
    for (size_t k = 0; k < n; k++) tmp[k] = (ranked){.v = x[k], .k = k};
    qsort(tmp, n, sizeof *tmp, by_value);
    for (size_t a = 0, b; a < n; a = b) {
        for (b = a + 1; b < n && !(tmp[b].v > tmp[a].v);) b++;
        for (size_t k = a; k < b; k++) r[tmp[k].k] = 0.5 * ((double)(a + b) - (double)n);
    }
}

double mlk_spearman(size_t n, const double *x, const double *y)
{
    ranked *tmp = mlk_alloc(n, sizeof *tmp);
    double *a = mlk_alloc(n, sizeof *a), *b = mlk_alloc(n, sizeof *b), xy = 0, xx = 0, yy = 0;
    if (n > 1 && tmp && a && b) {
        ranks(n, x, tmp, a), ranks(n, y, tmp, b);
        for (size_t k = 0; k < n; k++) xy += a[k] * b[k], xx += a[k] * a[k], yy += b[k] * b[k];
    }
    mlk_free(tmp), mlk_free(a), mlk_free(b);
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}
