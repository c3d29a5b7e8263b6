/* test_snes.c - natural evolution: plain functions, then a tiny NEP whose exact parameters are
 * known. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/log.h"
#include "core/rng.h"
#include "core/threads.h"
#include "tests/support/tiny_nep.h"
#include "train/snes.h"
#include "train/train.h"

enum { N = 8, POP = 16 };

static const int one_group[N] = {0};

static double ellipsoid(const double *x)
{
    double f = 0;
    for (int k = 0; k < N; k++) f += (k + 1) * (x[k] - 0.3 * k) * (x[k] - 0.3 * k);
    return f;
}

static void run(mlk_snes *s, int generations)
{
    double x[N], f[POP];
    for (int g = 0; g < generations; g++) {
        mlk_snes_draw(s);
        for (size_t p = 0; p < POP; p++) mlk_snes_individual(s, p, x), f[p] = ellipsoid(x);
        mlk_snes_update(s, f);
    }
}

Test(snes, minimises_a_function_from_its_values)
{
    mlk_snes s;
    double start[N] = {3, -2, 4, 0, 1, 1, -5, 2};
    cr_assert_eq(mlk_snes_init(&s, N, POP, 1, one_group, start, 1, 1, NULL), MLK_OK);
    run(&s, 600);
    cr_expect(ellipsoid(s.mu) < 1e-12, "%g", ellipsoid(s.mu));
    for (int k = 0; k < N; k++) cr_expect(s.sigma[k] < 1e-5, "sigma %d: %g", k, s.sigma[k]);
    mlk_snes_free(&s);
}

Test(snes, only_ranks_count_and_utilities_sum_to_zero)
{
    mlk_snes a, b;
    double start[N] = {0}, x[N], f[2][POP], sum = 0;
    cr_assert_eq(mlk_snes_init(&a, N, POP, 1, one_group, start, 1, 1, NULL), MLK_OK);
    cr_assert_eq(mlk_snes_init(&b, N, POP, 1, one_group, start, 1, 1, NULL), MLK_OK);
    for (size_t p = 0; p < POP; p++) {
        sum += a.utility[p];
        cr_expect(p == 0 || a.utility[p] <= a.utility[p - 1]);
    }
    cr_expect(fabs(sum) < 1e-15);
    mlk_snes_draw(&a), mlk_snes_draw(&b);
    for (size_t p = 0; p < POP; p++) {
        mlk_snes_individual(&a, p, x);
        f[0][p] = ellipsoid(x), f[1][p] = exp(f[0][p]) + 7;
    }
    mlk_snes_update(&a, f[0]), mlk_snes_update(&b, f[1]);
    cr_expect(!memcmp(a.mu, b.mu, N * sizeof *a.mu));
    cr_expect(!memcmp(a.sigma, b.sigma, N * sizeof *a.sigma));
    mlk_snes_free(&a), mlk_snes_free(&b);
}

Test(snes, goes_on_from_mu_sigma_and_generation_with_any_threads)
{
    double start[N] = {1}, mu[N], sigma[N];
    mlk_snes a, b;
    mlk_threads_init(1);
    cr_assert_eq(mlk_snes_init(&a, N, POP, 1, one_group, start, 1, 5, NULL), MLK_OK);
    run(&a, 7);
    memcpy(mu, a.mu, sizeof mu), memcpy(sigma, a.sigma, sizeof sigma);
    run(&a, 5);
    mlk_threads_init(3);
    cr_assert_eq(mlk_snes_init(&b, N, POP, 1, one_group, start, 1, 5, NULL), MLK_OK);
    memcpy(b.mu, mu, sizeof mu), memcpy(b.sigma, sigma, sizeof sigma);
    b.generation = 7;
    run(&b, 5);
    cr_expect(!memcmp(a.mu, b.mu, sizeof mu) && !memcmp(a.sigma, b.sigma, sizeof sigma));
    mlk_snes_free(&a), mlk_snes_free(&b);
}

/* each half of the numbers is judged by a value of its own; no number of the population is finite
 * in the other one's worst cases */
Test(snes, groups_are_ranked_apart_and_nan_is_last)
{
    int group[N];
    double start[N] = {0}, x[N], f[2 * POP];
    mlk_snes s;
    for (int k = 0; k < N; k++) group[k] = k >= N / 2;
    cr_assert_eq(mlk_snes_init(&s, N, POP, 2, group, start, 1, 2, NULL), MLK_OK);
    for (int g = 0; g < 400; g++) {
        mlk_snes_draw(&s);
        for (size_t p = 0; p < POP; p++) {
            mlk_snes_individual(&s, p, x);
            f[p] = f[POP + p] = 0;
            for (int k = 0; k < N; k++) f[group[k] * POP + p] += (x[k] - k) * (x[k] - k);
            if (p % 5 == 0) f[p] = NAN;
        }
        mlk_snes_update(&s, f);
    }
    for (int k = 0; k < N; k++) cr_expect(fabs(s.mu[k] - k) < 1e-3, "%d: %g", k, s.mu[k]);
    mlk_snes_free(&s);
}

static mlk_train_config config(int generations)
{
    mlk_train_config c;
    cr_assert_eq(mlk_train_config_init(&c, false, NULL), MLK_OK);
    c.optimizer.method = MLK_TRAIN_SNES;
    c.snes.generations = generations;
    c.snes.population = 20;
    return c;
}

Test(snes_fit, a_tiny_nep_learns_and_its_loss_is_the_sum_of_its_parts)
{
    mlk_dataset ds = tiny_set(10, 3, 0);
    mlk_potential *pot = tiny_nep(9);
    mlk_train_config c = config(150);
    mlk_history h = {0};
    mlk_log_set_level(MLK_LOG_WARN);
    cr_assert_eq(mlk_train_snes(pot, &ds, &c, 1, NULL, NULL, "", &h, NULL), MLK_OK);
    cr_assert(h.n == 150);
    const mlk_epoch *a = &h.row[0], *z = &h.row[h.n - 1];
    cr_expect(z->f_train < 0.6 * a->f_train, "%g from %g", z->f_train, a->f_train);
    cr_expect(z->loss < 0.6 * a->loss, "%g from %g", z->loss, a->loss);
    for (size_t k = 0; k < h.n; k += 10) {
        const mlk_epoch *r = &h.row[k];
        double parts = 1e-3 * (r->e_train + r->f_train) + 0.1 * r->v_train + r->l1 + r->l2;
        cr_expect(fabs(parts - r->loss) < 1e-12, "%g, %g", parts, r->loss);
    }
    /* what is returned has the errors of the best row, with the energies shifted */
    mlk_prediction *p;
    mlk_fit_errors er = {0};
    double best = INFINITY, f_best = 0;
    for (size_t k = 0; k < h.n; k++) {
        const mlk_epoch *r = &h.row[k];
        double loss = 1e-3 * (r->e_valid + r->f_valid) + 0.1 * r->v_valid;
        if (loss < best) best = loss, f_best = r->f_valid;
    }
    cr_assert_eq(mlk_predict(pot, &ds, &p, NULL), MLK_OK);
    mlk_errors_add(&ds, p, MLK_SPLIT_VALID, &er);
    cr_expect(fabs(1e3 * mlk_stat_rmse(&er.force) - f_best) < 1e-6);
    mlk_predict_free(p, ds.n);
    mlk_free(h.row);
    mlk_train_config_free(&c);
    mlk_potential_destroy(pot);
    tiny_free(&ds);
}

Test(snes_fit, same_bits_for_any_number_of_threads)
{
    mlk_dataset ds = tiny_set(5, 3, 0);
    mlk_potential *pot[2];
    mlk_log_set_level(MLK_LOG_WARN);
    for (int k = 0; k < 2; k++) {
        mlk_train_config c = config(6);
        mlk_history h = {0};
        mlk_threads_init(1 + 2 * k);
        pot[k] = tiny_nep(9);
        cr_assert_eq(mlk_train_snes(pot[k], &ds, &c, 1, NULL, NULL, "", &h, NULL), MLK_OK);
        mlk_free(h.row);
        mlk_train_config_free(&c);
    }
    cr_expect(!memcmp(pot[0]->param, pot[1]->param, pot[0]->n_param * sizeof(double)));
    cr_expect(!memcmp(pot[0]->e0, pot[1]->e0, sizeof pot[0]->e0));
    mlk_potential_destroy(pot[0]), mlk_potential_destroy(pot[1]);
    tiny_free(&ds);
}

Test(snes_fit, a_weighted_label_must_be_there)
{
    mlk_dataset ds = tiny_set(4, 3, 0);
    mlk_potential *pot = tiny_nep(9);
    mlk_train_config c = config(2);
    mlk_history h = {0};
    mlk_err e = {0};
    for (size_t k = 0; k < ds.n; k++) ds.frame[k].has &= ~(unsigned)MLK_HAS_VIRIAL;
    mlk_log_set_level(MLK_LOG_WARN);
    cr_expect(mlk_train_snes(pot, &ds, &c, 1, NULL, NULL, "", &h, &e) == MLK_OK, "%s", e.msg);
    c.snes.lambda_v = 1;
    cr_expect(mlk_train_snes(pot, &ds, &c, 1, NULL, NULL, "", &h, &e) == MLK_EINVAL);
    cr_expect(strstr(e.msg, "lambda-v") && strstr(e.hint, "lambda-v=0"));
    mlk_free(h.row);
    mlk_train_config_free(&c);
    mlk_potential_destroy(pot);
    tiny_free(&ds);
}
