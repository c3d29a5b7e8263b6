/* test_committee.c - committees whose spread and error are drawn from known distributions: alpha
 * and the coverage of the intervals must come back. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "core/stats.h"
#include "tests/support/check.h"
#include "train/committee.h"

enum { GROUPS = 50 };

/* Members are drawn around a centre with a deviation sigma of the atom (over two decades); the
 * truth is a * sigma away from that centre. So the mean of k members is off by sqrt(a^2 + 1/k)
 * sigma. */
static mlk_spread *draw(int quantity, size_t k, size_t n, double a_li, double a_s, uint64_t seed)
{
    int c = quantity == MLK_COMMITTEE_FORCE ? 3 : 1;
    mlk_rng g = mlk_rng_make(seed, 1);
    mlk_spread *s = mlk_alloc(n, sizeof *s);
    cr_assert(s);
    for (size_t i = 0; i < n; i++) {
        double sigma = 0.01 * pow(100, mlk_rng_uniform(&g)), v = 0, member[64];
        s[i].unit = i * GROUPS / n;
        s[i].z = c == 1 ? 0 : i % 3 ? 3 : 16;
        for (int q = 0; q < c; q++) {
            double mean = 0;
            for (size_t j = 0; j < k; j++)
                mean += (member[j] = sigma * mlk_rng_normal(&g)) / (double)k;
            for (size_t j = 0; j < k; j++) v += pow(member[j] - mean, 2) / (double)(k - 1);
            s[i].d[q] = mean - (s[i].z == 16 ? a_s : a_li) * sigma * mlk_rng_normal(&g);
        }
        s[i].s = sqrt(v / c);
    }
    return s;
}

static mlk_calibration calibrated(int quantity, size_t k, size_t n, double a_li, double a_s)
{
    int half[GROUPS];
    mlk_calibration c;
    mlk_err e = {0};
    mlk_spread *s = draw(quantity, k, n, a_li, a_s, 11 + k);
    for (int u = 0; u < GROUPS; u++) half[u] = u % 2;
    cr_assert_eq(mlk_committee_calibrate(quantity, k, s, n, half, GROUPS, &c, &e), MLK_OK);
    mlk_free(s);
    return c;
}

static void within(double value, double expected, double err, const char *what)
{
    cr_assert(fabs(value - expected) < 4 * err, "%s: %g, expected %g +- %g", what, value, expected,
              err);
}

Test(committee, alpha_and_coverage_come_back_for_any_number_of_members)
{
    static const size_t members[] = {2, 3, 4, 8};
    for (size_t q = 0; q < 4; q++) {
        size_t k = members[q], n = 12000;
        mlk_calibration c = calibrated(MLK_COMMITTEE_FORCE, k, n, 3, 3);
        double alpha = sqrt(9 + 1.0 / (double)k);
        cr_assert_eq(c.n, n);
        cr_assert_eq(c.n_unit, GROUPS);
        cr_assert_eq(c.dof, (int)(3 * (k - 1)));
        cr_assert_lt(c.alpha_err, 0.02 * alpha);
        within(c.alpha, alpha, c.alpha_err, "alpha");
        within(c.half[0], alpha, 1.5 * c.alpha_err, "alpha of the first half");
        within(c.half[1], alpha, 1.5 * c.alpha_err, "alpha of the second half");
        within(c.one.after, 0.6827, c.one.err, "1 sigma");
        within(c.two.after, 0.9545, c.two.err, "2 sigma");
        cr_assert(c.one.err < 0.01 && c.two.err < 0.005);
        /* the raw spread read as a standard deviation covers what Student's t says */
        mlk_check_close(c.one.before, mlk_student_within(1 / alpha, c.dof), 0.01);
        mlk_check_close(c.two.before, mlk_student_within(2 / alpha, c.dof), 0.01);
        for (int p = 0; p < MLK_COMMITTEE_LEVELS; p++)
            within(c.curve[p].after, c.curve[p].p, c.curve[p].err + 1e-4, "quantile curve");
        cr_assert(!c.by_species, "one alpha for all was not seen");
    }
}

Test(committee, bins_lie_on_the_diagonal_and_plain_alpha_is_too_large)
{
    mlk_calibration c = calibrated(MLK_COMMITTEE_FORCE, 4, 20000, 3, 3);
    double alpha = sqrt(9.25);
    cr_assert_eq(c.n_bin, 10);
    for (size_t b = 0; b < c.n_bin; b++) {
        cr_assert_eq(c.bin[b].n, 2000);
        /* at the ends the largest spreads of a sharp distribution are chance in part */
        double tol = b && b + 1 < c.n_bin ? 0.1 : 0.3;
        mlk_check_close(c.bin[b].predicted, c.bin[b].rmse, tol * c.bin[b].rmse);
        mlk_check_close(c.bin[b].predicted, c.rms_factor * c.bin[b].spread,
                        0.03 * c.bin[b].predicted);
        cr_assert(c.bin[b].err > 0 && c.bin[b].err < 0.05 * c.bin[b].rmse);
    }
    mlk_check_close(c.slope, 1, 0.05);
    /* the mean of 1/s^2 over chi^2 of 9 degrees of freedom is 9/7 of that of the true 1/sigma^2 */
    mlk_check_close(c.plain, alpha * sqrt(9.0 / 7), 0.05);
    mlk_check_close(c.rms_factor, c.alpha * sqrt(9.0 / 7), 1e-12);
    cr_assert_gt(c.spearman, 0.7);
}

Test(committee, elements_get_their_own_alpha_where_it_predicts_better)
{
    mlk_calibration c = calibrated(MLK_COMMITTEE_FORCE, 4, 12000, 2, 4);
    cr_assert(c.by_species && c.gain > 5 * c.gain_err);
    mlk_check_close(c.alpha_z[3], sqrt(4.25), 0.05);
    mlk_check_close(c.alpha_z[16], sqrt(16.25), 0.12);
    cr_assert(isnan(c.alpha_z[15]));
    within(c.one.after, 0.6827, c.one.err, "1 sigma");
    within(c.two.after, 0.9545, c.two.err, "2 sigma");
}

Test(committee, energies_of_two_members_have_quantiles_but_no_variance)
{
    mlk_calibration c = calibrated(MLK_COMMITTEE_ENERGY, 2, 4000, 3, 3);
    cr_assert_eq(c.dof, 1);
    within(c.alpha, sqrt(9.5), c.alpha_err, "alpha");
    within(c.one.after, 0.6827, c.one.err, "1 sigma");
    cr_assert(isinf(c.rms_factor) && c.n_bin == 0 && !c.by_species);
    c = calibrated(MLK_COMMITTEE_ENERGY, 5, 4000, 3, 3);
    within(c.alpha, sqrt(9.2), c.alpha_err, "alpha");
    within(c.two.after, 0.9545, c.two.err, "2 sigma");
    cr_assert_eq(c.n_bin, 10);
}

Test(committee, too_little_to_say_anything)
{
    const int half[2] = {0, 1};
    mlk_err e = {0};
    mlk_calibration c;
    mlk_spread s[20] = {{0}};
    cr_assert_eq(mlk_committee_calibrate(MLK_COMMITTEE_FORCE, 3, s, 0, half, 2, &c, &e), MLK_OK);
    cr_assert(c.n == 0 && isnan(c.alpha) && isnan(c.one.after));
    /* members that do not differ */
    for (int i = 0; i < 20; i++) s[i] = (mlk_spread){.unit = i % 2, .z = 3, .d = {1, 0, 0}};
    cr_assert_eq(mlk_committee_calibrate(MLK_COMMITTEE_FORCE, 3, s, 20, half, 2, &c, &e), MLK_OK);
    cr_assert(c.n == 0 && c.n_zero == 20 && isnan(c.alpha));
    /* enough for alpha, not for judging it on another half */
    for (int i = 0; i < 20; i++) s[i].s = 0.5 + 0.01 * i;
    cr_assert_eq(mlk_committee_calibrate(MLK_COMMITTEE_FORCE, 3, s, 10, half, 2, &c, &e), MLK_OK);
    cr_assert(c.n == 10 && c.alpha > 0 && isnan(c.half[0]) && isnan(c.one.after) && c.n_bin == 0);
    /* without any error */
    for (int i = 0; i < 20; i++) s[i].d[0] = 0;
    cr_assert_eq(mlk_committee_calibrate(MLK_COMMITTEE_FORCE, 3, s, 20, half, 2, &c, &e), MLK_OK);
    cr_assert(c.alpha == 0 && isnan(c.one.after));
}

/* ---- from predictions ---- */

/* n frames of two atoms in groups of five, without forces on the last frame */
static mlk_dataset make_set(size_t n)
{
    mlk_dataset ds = {0};
    for (size_t k = 0; k < n; k++) {
        mlk_frame fr = {0};
        cr_assert_eq(mlk_frame_init(&fr, 2, NULL), MLK_OK);
        fr.z[0] = 3, fr.z[1] = 16;
        fr.x[1][0] = 2;
        fr.has = MLK_HAS_ENERGY | (k + 1 < n ? MLK_HAS_FORCE : 0);
        snprintf(fr.group, sizeof fr.group, "g%02zu", k / 5);
        cr_assert_eq(mlk_dataset_add(&ds, &fr, NULL), MLK_OK);
    }
    return ds;
}

static mlk_prediction *predicted(size_t n, double f, double energy)
{
    mlk_prediction *p = mlk_alloc(n, sizeof *p);
    for (size_t k = 0; k < n; k++) {
        p[k].f = mlk_alloc(2, sizeof *p[k].f);
        for (int i = 0; i < 2; i++)
            for (int a = 0; a < 3; a++) p[k].f[i][a] = f;
        p[k].energy = energy;
    }
    return p;
}

Test(committee, mean_and_spread_of_predictions)
{
    enum { N = 31 };
    mlk_dataset ds = make_set(N);
    mlk_prediction *p[3] = {predicted(N, 0.1, 1.0), predicted(N, 0.2, 1.2), predicted(N, 0.6, 1.4)};
    bool use[N];
    mlk_committee c;
    mlk_err e = {0};
    for (size_t k = 0; k < N; k++) use[k] = k >= 5;
    cr_assert_eq(mlk_committee_judge(&ds, use, 3, p, &c, &e), MLK_OK, "%s", e.msg);
    cr_assert(c.n_frames == 26 && c.n_group == 6 && !c.cut);
    mlk_check_close(mlk_stat_rmse(&c.mean.force), 0.3, 1e-12);
    mlk_check_close(mlk_stat_rmse(&c.mean.energy), 0.6, 1e-12); /* per atom */
    mlk_check_close(mlk_stat_rmse(&c.member[2].force), 0.6, 1e-12);
    const mlk_calibration *f = &c.quantity[MLK_COMMITTEE_FORCE],
                          *u = &c.quantity[MLK_COMMITTEE_ENERGY];
    cr_assert(f->n == 50 && u->n == 26); /* the last frame has no forces */
    /* variances of (0.1, 0.2, 0.6) and of (0.5, 0.6, 0.7) with k - 1 */
    mlk_check_close(f->rms_spread, sqrt(0.07), 1e-12);
    mlk_check_close(u->rms_spread, 0.1, 1e-12);
    mlk_committee_free(&c);
    /* a single group is cut in two */
    for (size_t k = 0; k < N; k++) use[k] = k < 5;
    cr_assert_eq(mlk_committee_judge(&ds, use, 3, p, &c, &e), MLK_OK);
    cr_assert(c.cut && c.n_group == 1 && c.quantity[0].n_unit == 2);
    mlk_committee_free(&c);
    /* nothing to judge on; no committee */
    memset(use, 0, sizeof use);
    cr_assert_eq(mlk_committee_judge(&ds, use, 3, p, &c, &e), MLK_OK);
    cr_assert(c.n_frames == 0 && isnan(c.quantity[0].alpha));
    mlk_committee_free(&c);
    cr_assert_eq(mlk_committee_judge(&ds, use, 1, p, &c, &e), MLK_EINVAL);
    mlk_committee_free(&c);
    for (int k = 0; k < 3; k++) mlk_predict_free(p[k], N);
    mlk_dataset_free(&ds);
}
