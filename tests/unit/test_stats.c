/* test_stats.c - special functions against table values and a second route; moments and lines. */
#include <math.h>

#include "core/stats.h"
#include "core/units.h"
#include "tests/support/check.h"

/* 50-digit values rounded to double (Abramowitz & Stegun tables 6.1, 6.3; closed forms) */
Test(stats, psi_and_its_derivative)
{
    const double euler = 0.57721566490153286, pi2 = MLK_PI * MLK_PI;
    mlk_check_close(mlk_digamma(1), -euler, 1e-15);
    mlk_check_close(mlk_digamma(0.5), -euler - 2 * log(2), 1e-15);
    mlk_check_close(mlk_digamma(2), 1 - euler, 1e-15);
    mlk_check_close(mlk_digamma(100), 4.6001618527380874002, 1e-14);
    mlk_check_close(mlk_trigamma(1), pi2 / 6, 1e-15);
    mlk_check_close(mlk_trigamma(0.5), pi2 / 2, 1e-14);
    mlk_check_close(mlk_trigamma(2), pi2 / 6 - 1, 1e-15);
    mlk_check_close(mlk_trigamma(100), 0.010050166663333571, 1e-16);
    cr_assert(isnan(mlk_digamma(0)) && isnan(mlk_trigamma(-1)));
}

Test(stats, psi_recurrence_everywhere)
{
    for (double x = 0.01; x < 300; x *= 1.37) {
        mlk_check_close(mlk_digamma(x + 1), mlk_digamma(x) + 1 / x, 4e-15 * (1 + 1 / x));
        mlk_check_close(mlk_trigamma(x + 1), mlk_trigamma(x) - 1 / (x * x),
                        4e-15 * (1 + 1 / (x * x)));
    }
}

Test(stats, chi_square_tail)
{
    for (double x = 0.1; x < 80; x *= 1.5) {
        /* closed forms for 1, 2 and 4 degrees of freedom */
        mlk_check_close(mlk_chi2_sf(x, 2), exp(-x / 2), 1e-14);
        mlk_check_close(mlk_chi2_sf(x, 4), exp(-x / 2) * (1 + x / 2), 1e-14);
        mlk_check_close(mlk_chi2_sf(x, 1), erfc(sqrt(x / 2)), 1e-14);
        mlk_check_close(mlk_normal_sf(sqrt(x)), 0.5 * mlk_chi2_sf(x, 1), 1e-14);
    }
    cr_assert(mlk_chi2_sf(0, 3) == 1 && mlk_chi2_sf(-1, 3) == 1 && isnan(mlk_chi2_sf(1, 0)));
    mlk_check_close(mlk_chi2_sf(11.070497693516351, 5), 0.05, 1e-12);
}

Test(stats, moments_and_median)
{
    double x[6] = {3, 1, 4, 1, 5, 9};
    mlk_check_close(mlk_mean(6, x), 23.0 / 6, 1e-15);
    mlk_check_close(mlk_variance(6, x), 8.9666666666666667, 1e-14);
    mlk_check_close(mlk_sem(6, x), sqrt(8.9666666666666667 / 6), 1e-14);
    mlk_check_close(mlk_median(6, x), 3.5, 0);
    cr_assert(mlk_variance(1, x) == 0 && mlk_mean(0, x) == 0 && isnan(mlk_median(0, x)));
}

Test(stats, straight_line)
{
    const double x[4] = {0, 1, 2, 3}, y[4] = {1, 3, 5, 7}, z[4] = {1, 0, 3, 2};
    mlk_line l = mlk_line_fit(4, x, y, NULL);
    mlk_check_close(l.a, 1, 1e-15);
    mlk_check_close(l.b, 2, 1e-15);
    mlk_check_close(l.b_err, 0, 1e-15);
    l = mlk_line_fit(4, x, z, NULL); /* by hand: slope 0.6, residual sum 3.2, s^2 1.6, sxx 5 */
    mlk_check_close(l.b, 0.6, 1e-15);
    mlk_check_close(l.chi2, 3.2, 1e-14);
    mlk_check_close(l.b_err, sqrt(1.6 / 5), 1e-15);
    cr_assert(isnan(mlk_line_fit(1, x, y, NULL).b));
}

/* closed forms for 1, 2 and 3 degrees of freedom, a table value, the normal limit */
Test(stats, student_t)
{
    for (double t = 0.01; t < 50; t *= 1.7) {
        double q = t / sqrt(3.0);
        mlk_check_close(mlk_student_within(t, 1), 2 / MLK_PI * atan(t), 1e-14);
        mlk_check_close(mlk_student_within(t, 2), t / sqrt(2 + t * t), 1e-14);
        mlk_check_close(mlk_student_within(t, 3), 2 / MLK_PI * (atan(q) + q / (1 + q * q)), 1e-14);
    }
    for (double z = 0.5; z < 4; z += 0.5)
        mlk_check_close(mlk_student_within(z, 100000), 1 - 2 * mlk_normal_sf(z), 1e-5);
    mlk_check_close(mlk_student_interval(0.95, 9), 2.2621571628, 1e-9);
    mlk_check_close(mlk_student_interval(0.95, 10), 2.2281388520, 1e-9);
    mlk_check_close(mlk_student_interval(0.99, 1), 63.6567411629, 1e-7);
    for (int dof = 1; dof < 40; dof += 3)
        for (double p = 0.05; p < 1; p += 0.1)
            mlk_check_close(mlk_student_within(mlk_student_interval(p, dof), dof), p, 1e-13);
    cr_assert(isnan(mlk_student_within(1, 0)) && isnan(mlk_student_interval(1, 3)));
    cr_assert_lt(mlk_student_interval(0, 3), 1e-15);
}

Test(stats, rank_correlation)
{
    const double x[5] = {1, 2, 3, 4, 5}, up[5] = {-1, 0, 10, 11, 1e6}, down[5] = {5, 4, 3, 2, 1};
    const double tie[5] = {1, 2, 2, 3, 3};
    mlk_check_close(mlk_spearman(5, x, up), 1, 1e-15);
    mlk_check_close(mlk_spearman(5, x, down), -1, 1e-15);
    /* ranks 1, 2.5, 2.5, 4.5, 4.5: covariance 9, variances 10 and 9 */
    mlk_check_close(mlk_spearman(5, x, tie), 9 / sqrt(90.0), 1e-15);
    cr_assert(isnan(mlk_spearman(1, x, up)));
    cr_assert(isnan(mlk_spearman(3, x, (double[]){2, 2, 2})));
}
