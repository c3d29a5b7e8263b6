/* block.c - see block.h. */
#include "transport/block.h"

#include <math.h>

#include "core/stats.h"

int mlk_eliminate(size_t m, size_t keep, double *a)
{
    for (size_t p = m; p-- > keep;) {
        double d = a[p * m + p];
        if (!(fabs(d) > 0) || !isfinite(d)) return 0;
        for (size_t i = 0; i < p; i++) {
            double f = a[i * m + p] / d;
            for (size_t j = 0; j < p; j++) a[i * m + j] -= f * a[p * m + j];
        }
    }
    return 1;
}

double mlk_schur(size_t m, double *a)
{
    return mlk_eliminate(m, 1, a) ? a[0] : NAN;
}

double mlk_jackknife(size_t n, const double *left_out)
{
    if (n < 2) return NAN;
    double nd = (double)n;
    return (nd - 1) / sqrt(nd) * sqrt(mlk_variance(n, left_out));
}

size_t mlk_thin(size_t n, size_t most, int logspaced, size_t *idx)
{
    if (n <= most) {
        for (size_t i = 0; i < n; i++) idx[i] = i;
        return n;
    }
    size_t k = 0;
    for (size_t i = 0; i < most; i++) {
        double u = (double)i / (double)(most - 1);
        double v = logspaced ? pow((double)n, u) - 1 : u * (double)(n - 1);
        size_t want = (size_t)floor(v + 0.5);
        if (want > n - 1) want = n - 1;
        if (k == 0 || want > idx[k - 1]) idx[k++] = want;
    }
    idx[k - 1] = n - 1;
    return k;
}

void mlk_bin_mean(size_t n, const double *x, size_t nb, double *y)
{
    for (size_t b = 0; b < nb; b++) {
        size_t lo = b * n / nb, hi = (b + 1) * n / nb;
        y[b] = mlk_mean(hi - lo, x + lo);
    }
}
