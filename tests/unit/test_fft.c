/* test_fft.c - transforms against their definitions; corr and thinning against direct sums. */
#include <math.h>
#include <string.h>

#include "core/fft.h"
#include "core/rng.h"
#include "core/units.h"
#include "tests/support/check.h"
#include "transport/block.h"
#include "transport/compare.h"
#include "transport/corr.h"
#include "transport/diffusion.h"

Test(fft, real_transform_and_back)
{
    static const size_t size[] = {1, 2, 7, 12, 97};
    mlk_err e = {0};
    for (int s = 0; s < 5; s++) {
        size_t n = size[s];
        double x[97];
        mlk_fft f = {0}, b = {0};
        mlk_rng g = mlk_rng_make(1, n);
        mlk_check_ok(mlk_fft_init(&f, MLK_FFT_R2C, n, &e), e);
        mlk_check_ok(mlk_fft_init(&b, MLK_FFT_C2R, n, &e), e);
        for (size_t t = 0; t < n; t++) f.in[t] = x[t] = mlk_rng_normal(&g);
        mlk_fft_execute(&f);
        for (size_t k = 0; k <= n / 2; k++) {
            double re = 0, im = 0;
            for (size_t t = 0; t < n; t++) {
                double p = -2 * MLK_PI * (double)(k * t % n) / (double)n;
                re += x[t] * cos(p), im += x[t] * sin(p);
            }
            mlk_check_close(f.out[2 * k], re, 1e-12);
            mlk_check_close(f.out[2 * k + 1], im, 1e-12);
        }
        memcpy(b.in, f.out, 2 * (n / 2 + 1) * sizeof(double));
        mlk_fft_execute(&b);
        for (size_t t = 0; t < n; t++) mlk_check_close(b.out[t] / (double)n, x[t], 1e-14);
        mlk_fft_free(&f);
        mlk_fft_free(&b);
    }
    mlk_fft z = {0};
    cr_assert(mlk_fft_init(&z, MLK_FFT_R2C, 0, &e) == MLK_EINVAL);
}

Test(fft, cosine_transform)
{
    mlk_err e = {0};
    mlk_fft f = {0};
    const double x[5] = {1, -2, 0.5, 3, 4};
    mlk_check_ok(mlk_fft_init(&f, MLK_FFT_DCT1, 5, &e), e);
    memcpy(f.in, x, sizeof x);
    mlk_fft_execute(&f);
    for (int k = 0; k < 5; k++) {
        double s = x[0] + (k % 2 ? -x[4] : x[4]);
        for (int j = 1; j < 4; j++) s += 2 * x[j] * cos(MLK_PI * j * k / 4);
        mlk_check_close(f.out[k], s, 1e-13);
    }
    mlk_fft_free(&f);
}

Test(fft, good_sizes)
{
    cr_assert(mlk_fft_good_size(1) == 2 && mlk_fft_good_size(1000) == 1000);
    cr_assert(mlk_fft_good_size(1001) == 1008 && mlk_fft_good_size(22) == 24);
}

Test(corr, equals_the_direct_sum)
{
    enum { N = 53, M = 2, L = 20 };
    double x[3 * M * N], out[3 * L];
    mlk_err e = {0};
    mlk_rng g = mlk_rng_make(5, 0);
    for (size_t i = 0; i < 3 * M * N; i++) x[i] = mlk_rng_normal(&g) + 0.3;
    const double *series[3 * M];
    for (size_t i = 0; i < 3 * M; i++) series[i] = x + i * N;
    mlk_check_ok(mlk_corr(N, M, 3, series, L, out, &e), e);
    for (size_t a = 0; a < M; a++)
        for (size_t b = a; b < M; b++)
            for (size_t k = 0; k < L; k++) {
                double s = 0;
                for (size_t c = 0; c < 3; c++)
                    for (size_t t = 0; t + k < N; t++)
                        s += 0.5 * (x[(3 * a + c) * N + t + k] * x[(3 * b + c) * N + t] +
                                    x[(3 * b + c) * N + t + k] * x[(3 * a + c) * N + t]);
                mlk_check_close(out[mlk_corr_row(M, a, b) * L + k], s / (3.0 * (double)(N - k)),
                                1e-13);
            }
    double in[3];
    mlk_corr_integral(3, (const double[]){2, 4, 6}, 0.5, in);
    cr_assert(in[0] == 0 && in[1] == 1.5 && in[2] == 4);
}

Test(diffusion, msd_equals_the_direct_sum)
{
    enum { T = 61, A = 3, L = 30 };
    float x[3 * A * T];
    double msd[L];
    mlk_err e = {0};
    mlk_rng g = mlk_rng_make(6, 0);
    for (size_t i = 0; i < 3 * A; i++)
        for (size_t t = 0; t < T; t++)
            x[i * T + t] = (t ? x[i * T + t - 1] : 100.0F) + (float)mlk_rng_normal(&g);
    mlk_check_ok(mlk_msd(T, A, x, L, msd, &e), e);
    for (size_t k = 0; k < L; k++) {
        double s = 0;
        for (size_t i = 0; i < 3 * A; i++)
            for (size_t t = 0; t + k < T; t++) {
                double d = (double)x[i * T + t + k] - (double)x[i * T + t];
                s += d * d;
            }
        mlk_check_close(msd[k], s / ((double)(T - k) * A), 1e-10 * (1 + s));
    }
}

Test(block, schur_complement_and_jackknife)
{
    double a[9] = {4, 1, 2, 1, 3, 0.5, 2, 0.5, 5};
    /* 4 - (1,2) [[3,.5],[.5,5]]^-1 (1,2)^T = 4 - 15/14.75 by hand */
    mlk_check_close(mlk_schur(3, a), 4 - 15 / 14.75, 1e-14);
    /* for a mean the jackknife is the standard error of the mean */
    const double x[4] = {1, 2, 4, 7};
    double l[4];
    for (int i = 0; i < 4; i++) l[i] = (14 - x[i]) / 3;
    mlk_check_close(mlk_jackknife(4, l), sqrt(7.0 / 4), 1e-14);
    size_t idx[10];
    size_t n = mlk_thin(1000, 10, 1, idx);
    cr_assert(n <= 10 && idx[0] == 0 && idx[n - 1] == 999);
    for (size_t i = 1; i < n; i++) cr_assert(idx[i] > idx[i - 1]);
}

/* numbers by hand from the formulas of DerSimonian & Laird (1986) */
Test(compare, heterogeneity)
{
    const double k[3] = {1.0, 1.2, 1.7}, s[3] = {0.1, 0.1, 0.2};
    mlk_comparison c;
    mlk_err e = {0};
    mlk_check_ok(mlk_compare(3, k, s, &c, &e), e);
    /* w 100,100,25: mean 262.5/225; Q; tau^2 = (Q-2)/(225 - 20625/225) */
    double mean = 262.5 / 225, q = 0;
    for (int i = 0; i < 3; i++) q += (k[i] - mean) * (k[i] - mean) / (s[i] * s[i]);
    mlk_check_close(c.mean, mean, 1e-15);
    mlk_check_close(c.mean_err, 1 / 15.0, 1e-15);
    mlk_check_close(c.q, q, 1e-13);
    mlk_check_close(c.p_value, exp(-q / 2), 1e-13); /* chi^2 with 2 degrees of freedom */
    mlk_check_close(c.tau, sqrt((q - 2) / (225 - 20625 / 225.0)), 1e-13);
    mlk_check_close(c.spread, 0.7 / mean, 1e-14);
    const double bad[3] = {0.1, 0, 0.1};
    cr_assert(mlk_compare(3, k, bad, &c, &e) == MLK_EINVAL && e.msg[0]);
}
