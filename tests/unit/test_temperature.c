/* test_temperature.c - kappa(T) on exact data. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/check.h"
#include "transport/compare.h"
#include "transport/temperature.h"

static const double T[5] = {400, 500, 600, 800, 1000}, err[5] = {0.01, 0.01, 0.01, 0.01, 0.01};

Test(temperature, exact_forms_are_found)
{
    double k[5];
    mlk_kappa_t r;
    mlk_err e = {0};
    for (int i = 0; i < 5; i++) k[i] = 400 / T[i];
    mlk_check_ok(mlk_kappa_of_t(5, T, k, err, &r, &e), e);
    const mlk_kappa_fit *inv = &r.fit[MLK_KAPPA_INVERSE], *off = &r.fit[MLK_KAPPA_OFFSET];
    mlk_check_close(inv->a, 400, 1e-9);
    mlk_check_close(inv->chi2, 0, 1e-18);
    mlk_check_close(inv->dof, 4, 0);
    mlk_check_close(inv->aic, 2, 1e-9);
    mlk_check_close(inv->bic, log(5), 1e-9);
    mlk_check_close(off->a, 400, 1e-6);
    mlk_check_close(off->b, 0, 1e-9);
    mlk_check_close(r.p_offset, 1, 1e-4);
    cr_assert_lt(r.p_slope, 1e-10);
    cr_assert(strstr(r.statement, "falls as 1/T; a constant does not"));
    for (int i = 0; i < 5; i++) k[i] = 0.5;
    mlk_check_ok(mlk_kappa_of_t(5, T, k, err, &r, &e), e);
    mlk_check_close(r.fit[MLK_KAPPA_CONSTANT].b, 0.5, 1e-14);
    mlk_check_close(r.fit[MLK_KAPPA_CONSTANT].b_err, 0.01 / sqrt(5), 1e-14);
    cr_assert(strstr(r.statement, "does not depend on temperature"));
    for (int i = 0; i < 5; i++) k[i] = 200 / T[i] + 0.3;
    mlk_check_ok(mlk_kappa_of_t(5, T, k, err, &r, &e), e);
    mlk_check_close(r.fit[MLK_KAPPA_OFFSET].a, 200, 1e-6);
    mlk_check_close(r.fit[MLK_KAPPA_OFFSET].b, 0.3, 1e-9);
    mlk_check_close(mlk_kappa_fit_at(&r.fit[MLK_KAPPA_OFFSET], 500), 0.7, 1e-9);
    cr_assert(strstr(r.statement, "less than as 1/T"));
    for (int i = 0; i < 5; i++) k[i] = 0.8 - 100 / T[i];
    mlk_check_ok(mlk_kappa_of_t(5, T, k, err, &r, &e), e);
    cr_assert(strstr(r.statement, "rises"));
    k[2] += 1;
    mlk_check_ok(mlk_kappa_of_t(5, T, k, err, &r, &e), e);
    cr_assert(strstr(r.statement, "Neither"));
}

/* by hand: constant of 1, 2, 3 with unit errors: mean 2, chi2 2, two degrees of freedom */
Test(temperature, three_temperatures_and_large_errors)
{
    const double t[3] = {300, 400, 500}, k[3] = {1, 2, 3}, s[3] = {1, 1, 1};
    mlk_kappa_t r;
    mlk_err e = {0};
    mlk_check_ok(mlk_kappa_of_t(3, t, k, s, &r, &e), e);
    mlk_check_close(r.fit[0].chi2, 2, 1e-12);
    mlk_check_close(r.fit[0].p_value, exp(-1), 1e-12);
    cr_assert(!r.fit[MLK_KAPPA_OFFSET].there && isnan(r.p_slope));
    cr_assert(strstr(r.statement, "cannot be told apart"));
    mlk_check_ok(mlk_kappa_of_t(2, t, k, s, &r, &e), e);
    cr_assert(!r.fit[0].there && strstr(r.statement, "Fewer than three"));
    const double zero[3] = {1, 0, 1};
    cr_assert(mlk_kappa_of_t(3, t, k, zero, &r, &e) == MLK_EINVAL);
}

/* one group is the interval of mlk_compare; two equal groups narrow it; the mean with the scatter
 * in its error is that of equal weights when tau is large */
Test(temperature, one_tau_for_several_groups)
{
    const double k[6] = {1.0, 1.3, 1.7, 2.0, 2.3, 2.7}, s[6] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
    const int group[6] = {0, 0, 0, 1, 1, 1};
    double lo, hi, lo2, hi2, limit, most;
    mlk_comparison c;
    mlk_err e = {0};
    mlk_check_ok(mlk_compare(3, k, s, &c, &e), e);
    mlk_check_ok(mlk_compare_groups(3, k, s, group, 2, &lo, &hi, &limit, &e), e);
    mlk_check_close(lo, c.tau_lo, 1e-12);
    mlk_check_close(hi, c.tau_hi, 1e-12);
    mlk_check_ok(mlk_compare_groups(6, k, s, group, 2, &lo2, &hi2, &most, &e), e);
    cr_assert(lo2 > lo && hi2 < hi && most < limit);
    mlk_check_close(limit, c.tau_limit, 1e-12);
    /* estimates that agree far better than their errors: the interval is empty, the limit for equal
     * errors s and dof degrees of freedom is s sqrt(20^(2/dof) - 1) */
    const double same[3] = {1, 1.0000001, 1};
    mlk_comparison d;
    mlk_check_ok(mlk_compare(3, same, s, &d, &e), e);
    cr_assert_eq(d.tau_hi, 0);
    mlk_check_close(d.tau_limit, 0.1 * sqrt(19), 1e-6);
    mlk_check_close(c.wide_err, sqrt((0.01 + c.tau * c.tau) / 3), 1e-12);
    mlk_check_close(c.wide, 4.0 / 3, 1e-12);
    cr_assert(mlk_compare_groups(1, k, s, group, 2, &lo, &hi, &limit, &e) == MLK_EINVAL);
}
