/* test_select.c - choosing frames: farthest points find every cluster, active sets have the volume
 * they claim, and neither depends on the number of threads. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "core/threads.h"
#include "datasets/select.h"
#include "tests/support/check.h"

enum { D = 6 };

/* n points in k clusters of width w around random centres; point i belongs to cluster i % k */
static double *clusters(size_t n, size_t k, double w, uint64_t seed)
{
    mlk_rng g = mlk_rng_make(seed, 1);
    double *c = mlk_alloc(k * D, sizeof *c), *x = mlk_alloc(n * D, sizeof *x);
    for (size_t i = 0; i < k * D; i++) c[i] = 10 * mlk_rng_normal(&g);
    for (size_t i = 0; i < n * D; i++) x[i] = c[i / D % k * D + i % D] + w * mlk_rng_normal(&g);
    mlk_free(c);
    return x;
}

Test(select_fps, one_of_each_cluster_first)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        size_t n = 300, k = 7, got, active;
        double *x = clusters(n, k, 0.3, seed);
        mlk_pick pick[20];
        mlk_select_standardise(n, 0, D, x, &active);
        cr_expect_eq(active, D);
        cr_assert(!mlk_select_fps(n, 0, D, active, x, 20, 0, pick, &got, NULL, NULL));
        cr_assert_eq(got, 20);
        unsigned seen = 0;
        for (size_t p = 0; p < k; p++) seen |= 1u << pick[p].frame % k;
        cr_expect_eq(seen, (1u << k) - 1, "seed %d", (int)seed);
        for (size_t p = 1; p < got; p++) {
            cr_expect_eq(pick[p].score, pick[p - 1].left);
            cr_expect(pick[p].left <= pick[p].score);
        }
        cr_expect(pick[k - 1].left < 0.5 * pick[k - 1].score, "the curve shows the last cluster");
        mlk_free(x);
    }
}

Test(select_fps, owned_clusters_come_last)
{
    size_t n = 200, k = 5, got, active;
    double *x = clusters(n + 2, k, 0.2, 9),
           before; /* the last two rows, of clusters 0 and 1, are owned */
    mlk_pick pick[5];
    mlk_select_standardise(n, 2, D, x, &active);
    cr_assert(!mlk_select_fps(n, 2, D, active, x, 5, 0, pick, &got, &before, NULL));
    for (int p = 0; p < 3; p++) cr_expect_geq(pick[p].frame % k, 2u);
    cr_expect_eq(before, pick[0].score);
    /* a threshold between clusters and their width ends it there */
    cr_assert(!mlk_select_fps(n, 2, D, active, x, 5, 0.5 * pick[2].score, pick, &got, NULL, NULL));
    cr_expect_eq(got, 3);
    mlk_free(x);
}

Test(select_fps, equal_frames_are_taken_once)
{
    double x[6][2] = {{0, 1}, {3, 1}, {0, 1}, {3, 1}, {9, 1}, {0, 1}};
    mlk_pick pick[6];
    size_t got, active;
    mlk_select_standardise(6, 0, 2, &x[0][0], &active);
    cr_expect_eq(active, 1, "a constant column does not count");
    cr_assert(!mlk_select_fps(6, 0, 2, active, &x[0][0], 6, 0, pick, &got, NULL, NULL));
    cr_expect_eq(got, 3);
    cr_expect_eq(pick[0].frame, 1); /* nearest the mean, 2.5 */
    cr_expect_eq(pick[1].frame, 4);
    cr_expect_eq(pick[2].frame, 0);
    cr_expect_eq(pick[2].left, 0);
}

/* both ways, more frames than features and fewer: unit covariance afterwards */
Test(select_fps, whitened_features_have_unit_covariance)
{
    for (int way = 0; way < 2; way++) {
        size_t n = way ? 4 : 400, active;
        double *x = clusters(n, 50, 3, 4), cov[D][D] = {{0}};
        for (size_t i = 0; i < n; i++) x[i * D + 5] = 2 * x[i * D + 4] - x[i * D]; /* dependent */
        mlk_select_standardise(n, 0, D, x, &active);
        mlk_err e = {0};
        mlk_check_ok(mlk_select_whiten(n, 0, D, x, &active, &e), e);
        cr_expect_eq(active, way ? 3u : 5u);
        for (size_t i = 0; i < n; i++)
            for (int a = 0; a < D; a++)
                for (int b = 0; b < D; b++)
                    cov[a][b] += x[i * D + (size_t)a] * x[i * D + (size_t)b] / (double)n;
        for (size_t a = 0; a < D; a++)
            for (size_t b = 0; b < D; b++) mlk_check_close(cov[a][b], a == b && a < active, 1e-9);
        mlk_free(x);
    }
}

Test(select_features, mean_and_deviation_per_species)
{
    const double q[5][2] = {{1, 5}, {3, 5}, {10, 0}, {2, 5}, {14, 6}};
    const int type[5] = {0, 0, 2, 0, 2};
    double f[3][2][2];
    mlk_select_features(5, 2, &q[0][0], type, 3, &f[0][0][0]);
    const double want[12] = {2, 5, sqrt(2.0 / 3), 0, 0, 0, 0, 0, 12, 3, 2, 3};
    for (int k = 0; k < 12; k++) mlk_check_close((&f[0][0][0])[k], want[k], 1e-14);
}

Test(select_closest, through_the_boundary)
{
    mlk_frame fr;
    const double h[3][3] = {{5, 0, 0}, {0, 5, 0}, {0, 0, 5}};
    double d;
    cr_assert(!mlk_frame_init(&fr, 2, NULL));
    cr_assert(!mlk_cell_init(&fr.cell, h, NULL));
    fr.z[0] = fr.z[1] = 3;
    fr.x[0][0] = 0.1, fr.x[1][0] = 4.8;
    cr_assert(!mlk_select_closest(&fr, 0.5, &d, NULL));
    mlk_check_close(d, 0.3, 1e-12);
    cr_assert(!mlk_select_closest(&fr, 0.2, &d, NULL));
    cr_expect_eq(d, 0.2);
    mlk_frame_free(&fr);
}

/* |det| by elimination */
static double det(size_t n, double *a)
{
    double v = 1;
    for (size_t k = 0; k < n; k++) {
        size_t p = k;
        for (size_t i = k; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[p * n + k])) p = i;
        for (size_t j = 0; j < n; j++) {
            double t = a[k * n + j];
            a[k * n + j] = a[p * n + j], a[p * n + j] = t;
        }
        v *= fabs(a[k * n + k]);
        for (size_t i = k + 1; i < n && v > 0; i++)
            for (size_t j = n; j-- > k;) a[i * n + j] -= a[i * n + k] / a[k * n + k] * a[k * n + j];
    }
    return v;
}

Test(select_active, volume_grows_to_a_dominant_set)
{
    enum { R = 5, N = 200 };
    mlk_rng g = mlk_rng_make(3, 3);
    double x[N][R], a[R * R], last = -INFINITY, c[MLK_ACTIVE_BLOCK * R];
    for (int i = 0; i < N * R; i++) (&x[0][0])[i] = mlk_rng_normal(&g);
    mlk_active s;
    mlk_err e = {0};
    mlk_check_ok(mlk_active_init(&s, R, 1e-2, &e), e);
    for (size_t i = 0; i < N; i += 20) { /* as frames come: the volume never shrinks */
        mlk_active_update(&s, 20, x[i], 1.05, (long)i);
        cr_expect(s.log_volume >= last);
        last = s.log_volume;
        memcpy(a, s.a, sizeof a);
        mlk_check_close(s.log_volume, log(det(R, a)), 1e-9);
    }
    while (mlk_active_update(&s, N, x[0], 1.05, 0)) continue;
    cr_expect_eq(mlk_active_rank(&s), R);
    cr_expect(mlk_active_grade(&s, N, x[0], c, NULL) <= 1.05);
    /* dominant: exchanging any one row gains at most the threshold */
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < R; j++) {
            memcpy(a, s.a, sizeof a);
            memcpy(a + j * R, x[i], sizeof x[i]);
            cr_expect(log(det(R, a)) <= s.log_volume + log(1.05) + 1e-9);
        }
    /* the grade is that ratio of volumes */
    size_t row;
    double far[2][R] = {{0.1}, {3, -9, 2, 4, 1}}, best = 0;
    for (size_t j = 0; j < R; j++) {
        memcpy(a, s.a, sizeof a);
        memcpy(a + j * R, far[1], sizeof far[1]);
        best = fmax(best, det(R, a));
    }
    mlk_check_close(log(mlk_active_grade(&s, 2, far[0], c, &row)), log(best) - s.log_volume, 1e-9);
    cr_expect_eq(row, 1);
    mlk_active_free(&s);
}

Test(select_active, stays_exact_over_many_swaps)
{
    enum { R = 40, N = 4000 };
    mlk_rng g = mlk_rng_make(5, 5);
    double *x = mlk_alloc(N * R, sizeof *x), worst = 0;
    for (size_t i = 0; i < N * R; i++) /* uneven directions, growing rows: every block swaps */
        x[i] = mlk_rng_normal(&g) * exp(-0.15 * (double)(i % R)) * (1 + (double)(i / R) / 500);
    mlk_active s;
    cr_assert(!mlk_active_init(&s, R, 1e-3, NULL));
    mlk_active_update(&s, N, x, 1.1, 0);
    cr_assert(s.swaps > 300, "%zu swaps", s.swaps);
    for (size_t i = 0; i < R; i++)
        for (size_t j = 0; j < R; j++) {
            double v = -(double)(i == j);
            for (size_t k = 0; k < R; k++) v += s.a[i * R + k] * s.inv[k * R + j];
            worst = fmax(worst, fabs(v));
        }
    cr_expect(worst < 1e-8, "A A^-1 - 1: %g", worst);
    mlk_active_free(&s);
    mlk_free(x);
}

/* dependent and constant descriptors, and fewer atoms than descriptors */
Test(select_space, keeps_only_what_varies)
{
    enum { N = 30, ND = 8 };
    mlk_rng g = mlk_rng_make(8, 8);
    double q[N][ND], x[N][ND + 1], work[N][ND];
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 3; k++) q[i][k] = 100 + mlk_rng_normal(&g);
        q[i][3] = q[i][0] + q[i][1], q[i][4] = -7, q[i][5] = 3 * q[i][2];
        q[i][6] = q[i][0] - q[i][2], q[i][7] = 0;
    }
    mlk_space sp;
    mlk_err e = {0};
    mlk_check_ok(mlk_space_init(&sp, ND, &e), e);
    for (size_t i = 0; i < N; i += 10) mlk_check_ok(mlk_space_add(&sp, 10, q[i], &e), e);
    mlk_check_ok(mlk_space_finish(&sp, 1e-3, &e), e);
    cr_expect_eq(sp.dim, 4);
    mlk_space_project(&sp, N, &q[0][0], &work[0][0], &x[0][0]);
    double sum[4] = {0}, var = 0;
    for (size_t i = 0; i < N; i++) {
        const double *r = &x[0][0] + i * sp.dim;
        cr_assert_eq(r[0], 1);
        for (int k = 1; k < 4; k++) sum[k] += r[k];
        var += r[1] * r[1] / N;
    }
    for (int k = 1; k < 4; k++) mlk_check_close(sum[k], 0, 1e-10);
    mlk_check_close(var, 1, 1e-10);
    mlk_space_free(&sp);
}

/* n frames of 4 atoms of two species; every fifth frame lies in a direction of its own */
static mlk_rows invent(size_t n, uint64_t seed)
{
    const size_t dim[2] = {6, 9};
    mlk_rng g = mlk_rng_make(seed, 2);
    mlk_rows r = {.n_frames = n, .n_species = 2};
    r.dim = mlk_alloc(2, sizeof *r.dim);
    r.start = mlk_alloc(2, sizeof *r.start);
    r.x = mlk_alloc(2, sizeof *r.x);
    for (size_t t = 0; t < 2; t++) {
        r.dim[t] = dim[t];
        r.start[t] = mlk_alloc(n + 1, sizeof **r.start);
        r.x[t] = mlk_alloc(4 * n * dim[t], sizeof **r.x);
        for (size_t i = 0; i < n; i++) {
            r.start[t][i + 1] = r.start[t][i] + (t ? 3 : 1);
            for (size_t a = r.start[t][i]; a < r.start[t][i + 1]; a++) {
                double *x = r.x[t] + a * dim[t];
                x[0] = 1;
                for (size_t k = 1; k < dim[t]; k++) x[k] = 0.2 * mlk_rng_normal(&g);
                if (i % 5 == 0) x[1 + i / 5 % (dim[t] - 1)] += 2;
            }
        }
    }
    return r;
}

Test(select_maxvol, takes_the_strange_frames_and_ends_below_the_threshold)
{
    mlk_rows r = invent(120, 1);
    mlk_pick pick[100];
    mlk_maxvol mv;
    size_t got;
    mlk_err e = {0};
    mlk_check_ok(mlk_select_maxvol(&r, 100, 100, 1.5, 1e-3, pick, &got, &mv, &e), e);
    cr_assert(got >= 4 && got < 60, "%zu", got);
    cr_expect(pick[got - 1].left <= 1.5);
    cr_expect(mv.own <= 1.5, "grade of what was selected: %g", mv.own);
    cr_expect(mv.rank[0] == 6 && mv.rank[1] == 9);
    int strange = 0;
    for (size_t p = 0; p < 4; p++) strange += pick[p].frame % 5 == 0;
    cr_expect_eq(strange, 4, "%d of the first 4", strange);
    for (size_t p = 0; p < got; p++)
        for (size_t q = 0; q < p; q++) cr_expect_neq(pick[p].frame, pick[q].frame);
    /* more frames asked for first: the same order */
    mlk_pick few[3];
    mlk_maxvol_free(&mv);
    mlk_check_ok(mlk_select_maxvol(&r, 100, 3, 1.5, 1e-3, few, &got, &mv, &e), e);
    cr_expect(got == 3 && !memcmp(few, pick, sizeof few));
    cr_expect(mv.own <= 1.5);
    mlk_maxvol_free(&mv);
    mlk_rows_free(&r);
}

Test(select_maxvol, nothing_to_gain_from_copies_of_what_is_owned)
{
    mlk_rows r = invent(40, 7);
    for (size_t t = 0; t < 2; t++) /* the pool, frames 0 to 19, equals the owned frames 20 to 39 */
        memcpy(r.x[t] + r.start[t][20] * r.dim[t], r.x[t],
               r.start[t][20] * r.dim[t] * sizeof **r.x);
    mlk_pick pick[20];
    mlk_maxvol mv;
    size_t got;
    cr_assert(!mlk_select_maxvol(&r, 20, 20, 1.1, 1e-3, pick, &got, &mv, NULL));
    cr_expect_eq(got, 0);
    cr_expect(mv.before <= 1.1);
    mlk_maxvol_free(&mv);
    mlk_err e = {0};
    cr_expect_eq(mlk_select_maxvol(&r, 20, 20, 1, 1e-3, pick, &got, &mv, &e), MLK_EINVAL);
    mlk_rows_free(&r);
}

Test(select, the_same_for_any_number_of_threads)
{
    size_t n = 500, got[4], active;
    static mlk_pick fps[4][60], vol[4][60];
    mlk_rows r = invent(160, 4);
    for (int k = 0; k < 4; k++) {
        mlk_threads_init(k + 1);
        double *x = clusters(n + 30, 40, 2, 6);
        mlk_maxvol mv;
        mlk_select_standardise(n, 30, D, x, &active);
        cr_assert(!mlk_select_fps(n, 30, D, active, x, 60, 0, fps[k], &got[k], NULL, NULL));
        cr_assert_eq(got[k], 60);
        cr_assert(!mlk_select_maxvol(&r, 130, 60, 1.1, 1e-3, vol[k], &got[k], &mv, NULL));
        mlk_maxvol_free(&mv);
        mlk_free(x);
        cr_expect(!memcmp(fps[k], fps[0], sizeof fps[0]));
        cr_expect(got[k] == got[0] && !memcmp(vol[k], vol[0], sizeof vol[0]));
    }
    mlk_rows_free(&r);
}
