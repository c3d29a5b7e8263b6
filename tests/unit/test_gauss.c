/* test_gauss.c - the Gauss-Newton cycle on a valley with a known minimum, and the curvature of the
 * loss against differences of every residual, with Lennard-Jones as the model. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/linalg.h"
#include "core/threads.h"
#include "tests/support/ljset.h"
#include "train/gauss.h"
#include "train/loss.h"

/* chained Rosenbrock as a sum of squares: r = 10 (x_k+1 - x_k^2), 1 - x_k */
enum { N = 12 };

static mlk_status valley(void *ctx, const double *x, double *f, double *g, mlk_err *e)
{
    (void)ctx, (void)e;
    *f = 0;
    memset(g, 0, N * sizeof *g);
    for (size_t k = 0; k + 1 < N; k++) {
        double a = 10 * (x[k + 1] - x[k] * x[k]), b = 1 - x[k];
        *f += a * a + b * b;
        g[k] += -40 * a * x[k] - 2 * b;
        g[k + 1] += 20 * a;
    }
    return MLK_OK;
}

static mlk_status valley_curvature(void *ctx, const double *x, double *h, mlk_err *e)
{
    (void)ctx, (void)e;
    for (size_t k = 0; k + 1 < N; k++) {
        h[k * N + k] += 2 * (400 * x[k] * x[k] + 1);
        h[k * N + k + 1] += -2 * 200 * x[k];
        h[(k + 1) * N + k + 1] += 2 * 100;
    }
    return MLK_OK;
}

Test(gauss, follows_a_curved_valley_to_its_end)
{
    mlk_gauss q;
    mlk_gauss_result r;
    const mlk_gauss_fn fn = {NULL, valley, valley_curvature};
    double x[N], last = INFINITY;
    int evaluations = 0;
    cr_assert_eq(mlk_gauss_init(&q, N, NULL), MLK_OK);
    for (size_t k = 0; k < N; k++) x[k] = k % 2 ? 1 : -1.2;
    for (int c = 0; c < 12; c++) {
        cr_assert_eq(mlk_gauss_cycle(&q, &fn, x, 20, &r, NULL), MLK_OK);
        cr_expect(r.after <= r.before && r.before <= last, "cycle %d: %g to %g", c, r.before,
                  r.after);
        last = r.after;
        evaluations += r.evaluations;
    }
    cr_expect(last < 1e-8, "%g after %d evaluations", last, evaluations);
    mlk_gauss_free(&q);
}

static mlk_status cliff(void *ctx, const double *x, double *f, double *g, mlk_err *e)
{
    (void)valley(ctx, x, f, g, e);
    if (fabs(x[0]) > 1.25) *f = NAN; /* a place where the model has no value */
    return MLK_OK;
}

Test(gauss, steps_into_the_undefined_are_taken_back)
{
    mlk_gauss q;
    mlk_gauss_result r;
    mlk_err e = {0};
    const mlk_gauss_fn fn = {NULL, cliff, valley_curvature};
    double x[N];
    cr_assert_eq(mlk_gauss_init(&q, N, NULL), MLK_OK);
    for (size_t k = 0; k < N; k++) x[k] = k % 2 ? 1 : -1.2;
    for (int c = 0; c < 12; c++) cr_assert_eq(mlk_gauss_cycle(&q, &fn, x, 20, &r, NULL), MLK_OK);
    cr_expect(isfinite(r.after) && fabs(x[0]) <= 1.25);
    x[0] = 2;
    cr_expect_eq(mlk_gauss_cycle(&q, &fn, x, 20, &r, &e), MLK_ENUMERIC);
    mlk_gauss_free(&q);
}

/* all weighted residuals of the mean loss of 4 frames, at pot->param */
static size_t residuals(const mlk_loss *l, const mlk_potential *pot, const size_t *idx, double *out)
{
    const int *a = mlk_voigt_a, *b = mlk_voigt_b;
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    size_t m = 0;
    for (int k = 0; k < 4; k++) {
        const mlk_sample *s = &l->sample[idx[k]];
        double n = (double)s->fr->n, w = 2 * s->weight / 4;
        cr_assert_eq(mlk_potential_eval_frame(pot, s->fr, MLK_WANT_VIRIAL, &nl, &ev, NULL), MLK_OK);
        out[m++] = sqrt(w * l->we) / l->spread_e * ev.U / n;
        for (int c = 0; c < 6; c++)
            out[m++] =
                sqrt(w * l->wv / 6) / l->spread_v * 0.5 * (ev.W[a[c]][b[c]] + ev.W[b[c]][a[c]]) / n;
        for (size_t i = 0; i < s->fr->n; i++)
            for (int c = 0; c < 3; c++)
                out[m++] = sqrt(w * l->wf / (3 * n)) / l->spread_f * ev.f[i][c];
    }
    mlk_neigh_free(&nl);
    mlk_eval_free(&ev);
    return m;
}

Test(curvature, equals_the_product_of_differences_when_all_rows_are_asked_for)
{
    enum { M = 4 * (7 + 24) };
    mlk_dataset ds = ljset_make(5, true);
    mlk_potential *pot = ljset_model(ljset_start);
    mlk_loss l = ljset_loss(pot, &ds, 0);
    const size_t idx[4] = {0, 1, 2, 3};
    double h[16] = {0}, j[M * 4], want[16] = {0};
    l.sample[idx[1]].weight = 2.5;
    for (size_t m = 0; m < 4; m++) {
        double keep = pot->param[m], d = 1e-5 * keep, up[M], down[M];
        pot->param[m] = keep + d;
        cr_assert_eq(residuals(&l, pot, idx, up), M);
        pot->param[m] = keep - d;
        residuals(&l, pot, idx, down);
        pot->param[m] = keep;
        for (size_t r = 0; r < M; r++) j[r * 4 + m] = (up[r] - down[r]) / (2 * d);
    }
    mlk_gemm(1, 0, 4, 4, M, 1, j, 4, j, 4, 0, want, 4);
    cr_assert_eq(mlk_loss_curvature(&l, pot, idx, 4, 1000, 1, h, NULL), MLK_OK);
    for (size_t r = 0; r < 4; r++)
        for (size_t c = r; c < 4; c++)
            cr_expect(fabs(h[r * 4 + c] - want[r * 4 + c]) < 1e-6 * sqrt(want[r * 5] * want[c * 5]),
                      "(%zu,%zu): %.10g, by differences %.10g", r, c, h[r * 4 + c],
                      want[r * 4 + c]);
    mlk_loss_free(&l);
    mlk_potential_destroy(pot);
    ljset_free(&ds);
}

Test(curvature, few_rows_give_it_on_average_and_any_number_of_threads_the_same_bits)
{
    mlk_dataset ds = ljset_make(5, true);
    const size_t idx[4] = {0, 1, 2, 3};
    double all[16] = {0}, mean[16] = {0}, one[3][16] = {{0}};
    for (int k = 0; k < 3; k++) {
        mlk_threads_init(1 << k);
        mlk_potential *pot = ljset_model(ljset_start);
        mlk_loss l = ljset_loss(pot, &ds, 0);
        cr_assert_eq(mlk_loss_curvature(&l, pot, idx, 4, 20, 3, one[k], NULL), MLK_OK);
        if (k == 0) {
            cr_assert_eq(mlk_loss_curvature(&l, pot, idx, 4, 1000, 1, all, NULL), MLK_OK);
            for (int s = 0; s < 400; s++)
                mlk_loss_curvature(&l, pot, idx, 4, 20, (uint64_t)s, mean, NULL);
        }
        mlk_loss_free(&l);
        mlk_potential_destroy(pot);
    }
    cr_expect(!memcmp(one[0], one[1], sizeof one[0]) && !memcmp(one[0], one[2], sizeof one[0]));
    for (size_t r = 0; r < 4; r++)
        for (size_t c = r; c < 4; c++)
            cr_expect(fabs(mean[r * 4 + c] / 400 - all[r * 4 + c]) <
                          0.1 * sqrt(all[r * 5] * all[c * 5]),
                      "(%zu,%zu): %g, all rows %g", r, c, mean[r * 4 + c] / 400, all[r * 4 + c]);
    ljset_free(&ds);
}
