/* test_select_li3ps4.c - selection on real frames: the bundled Li3PS4 set in the descriptors of a
 * small SNAP, against choosing at random. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/threads.h"
#include "tests/support/check.h"
#include "train/describe.h"

enum { N = 20, SEEDS = 5 };

typedef struct setup {
    mlk_dataset ds;
    mlk_potential *pot;
    size_t *index;
} setup;

static void begin(setup *t)
{
    char dir[1024];
    mlk_err e = {0};
    memset(t, 0, sizeof *t);
    mlk_log_set_level(MLK_LOG_WARN);
    mlk_check_ok(mlk_dataset_bundled(0, dir, sizeof dir, &e), e);
    mlk_check_ok(mlk_dataset_read_all(&t->ds, dir, NULL, &e), e);
    mlk_check_ok(mlk_potential_new(&t->pot, mlk_potential_find("snap"), &e), e);
    mlk_check_ok(mlk_opt_set(t->pot->type->hyper, t->pot->hyper, "twojmax", "2", &e), e);
    mlk_check_ok(mlk_potential_create(t->pot, t->ds.n_species, t->ds.z, 1, &e), e);
    t->index = mlk_alloc(t->ds.n, sizeof *t->index);
    for (size_t i = 0; i < t->ds.n; i++) t->index[i] = i;
}

static void end(setup *t)
{
    mlk_free(t->index);
    mlk_potential_destroy(t->pot);
    mlk_dataset_free(&t->ds);
}

/* the first N of index become a random choice; the others follow */
static void shuffle(size_t n, size_t *index, uint64_t seed)
{
    mlk_rng g = mlk_rng_make(seed, 9);
    for (size_t i = 0; i < n; i++) index[i] = i;
    for (size_t i = 0; i < N; i++) {
        size_t j = i + (size_t)mlk_rng_below(&g, (unsigned)(n - i)), k = index[i];
        index[i] = index[j], index[j] = k;
    }
}

/* largest distance of a row to the nearest of the first N of index */
static double uncovered(size_t n, size_t d, size_t active, const double *x, const size_t *index)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double near = INFINITY;
        for (size_t k = 0; k < N; k++) {
            double s = 0;
            for (size_t c = 0; c < d; c++) {
                double v = x[i * d + c] - x[index[k] * d + c];
                s += v * v;
            }
            near = fmin(near, s);
        }
        worst = fmax(worst, near);
    }
    return sqrt(worst / (double)active);
}

Test(select_li3ps4, farthest_points_cover_more_than_random_frames, .timeout = 60)
{
    setup t;
    mlk_err e = {0};
    mlk_pick pick[N];
    size_t got, active;
    begin(&t);
    size_t n = t.ds.n, d = mlk_describe_width(t.pot);
    double *x = mlk_alloc(n * d, sizeof *x), random = 0, best = INFINITY;
    mlk_check_ok(mlk_describe_features(t.pot, &t.ds, n, t.index, x, &e), e);
    mlk_select_standardise(n, 0, d, x, &active);
    mlk_check_ok(mlk_select_fps(n, 0, d, active, x, N, 0, pick, &got, NULL, &e), e);
    cr_assert_eq(got, N);
    for (size_t k = 0; k < N; k++) t.index[k] = pick[k].frame;
    double chosen = uncovered(n, d, active, x, t.index);
    mlk_check_close(chosen, pick[N - 1].left, 1e-12);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        shuffle(n, t.index, seed);
        double v = uncovered(n, d, active, x, t.index);
        random += v / SEEDS, best = fmin(best, v);
    }
    printf("Li3PS4, %d of %zu frames: largest distance left %.3f chosen; random %.3f mean, %.3f "
           "best\n",
           N, n, chosen, random, best);
    cr_expect(chosen < best && chosen < 0.8 * random);
    mlk_free(x);
    end(&t);
}

/* the same atoms, frame k of the result being frame order[k] */
static mlk_rows reordered(const mlk_rows *r, const size_t *order)
{
    mlk_rows o = {.n_frames = r->n_frames, .n_species = r->n_species};
    o.dim = mlk_alloc(o.n_species, sizeof *o.dim);
    o.start = mlk_alloc(o.n_species, sizeof *o.start);
    o.x = mlk_alloc(o.n_species, sizeof *o.x);
    for (size_t t = 0; t < o.n_species; t++) {
        size_t dim = o.dim[t] = r->dim[t], *start = mlk_alloc(o.n_frames + 1, sizeof *start);
        double *x = mlk_alloc(r->start[t][o.n_frames] * dim, sizeof *x);
        for (size_t k = 0; k < o.n_frames; k++) {
            size_t from = r->start[t][order[k]], m = r->start[t][order[k] + 1] - from;
            memcpy(x + start[k] * dim, r->x[t] + from * dim, m * dim * sizeof *x);
            start[k + 1] = start[k] + m;
        }
        o.start[t] = start, o.x[t] = x;
    }
    return o;
}

Test(select_li3ps4, maxvol_leaves_smaller_grades_than_random_frames, .timeout = 60)
{
    setup t;
    mlk_err e = {0};
    mlk_pick pick[N];
    mlk_rows r;
    mlk_maxvol mv;
    size_t got;
    begin(&t);
    size_t n = t.ds.n;
    mlk_check_ok(mlk_describe_rows(t.pot, &t.ds, n, t.index, 1e-2, 1e9, &r, &e), e);
    mlk_check_ok(mlk_select_maxvol(&r, n, N, 1.1, 1e-2, pick, &got, &mv, &e), e);
    cr_assert_eq(got, N);
    double chosen = pick[N - 1].left, random = 0, best = INFINITY;
    cr_expect(mv.own <= 1.1 + 1e-6);
    mlk_maxvol_free(&mv);
    size_t *order = mlk_alloc(n, sizeof *order);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        shuffle(n, t.index, seed);
        for (size_t k = 0; k < n; k++) order[k] = t.index[n - 1 - k]; /* the owned stand last */
        mlk_rows o = reordered(&r, order);
        mlk_check_ok(mlk_select_maxvol(&o, n - N, 0, 1.1, 1e-2, pick, &got, &mv, &e), e);
        random += mv.before / SEEDS, best = fmin(best, mv.before);
        mlk_maxvol_free(&mv);
        mlk_rows_free(&o);
    }
    printf("Li3PS4, %d of %zu frames: largest grade left %.2f chosen; random %.2f mean, %.2f "
           "best\n",
           N, n, chosen, random, best);
    cr_expect(chosen < best && chosen < 0.5 * random);
    mlk_free(order);
    mlk_rows_free(&r);
    end(&t);
}

Test(select_li3ps4, features_do_not_depend_on_threads, .timeout = 60)
{
    setup t;
    mlk_err e = {0};
    begin(&t);
    size_t n = 70, d = mlk_describe_width(t.pot);
    double *x[2];
    mlk_rows r[2];
    for (int k = 0; k < 2; k++) {
        mlk_threads_init(k ? 3 : 1);
        x[k] = mlk_alloc(n * d, sizeof(double));
        mlk_check_ok(mlk_describe_features(t.pot, &t.ds, n, t.index, x[k], &e), e);
        mlk_check_ok(mlk_describe_rows(t.pot, &t.ds, n, t.index, 1e-2, 1e9, &r[k], &e), e);
    }
    cr_expect(!memcmp(x[0], x[1], n * d * sizeof(double)));
    for (size_t s = 0; s < r[0].n_species; s++) {
        cr_assert_eq(r[0].dim[s], r[1].dim[s]);
        cr_expect(!memcmp(r[0].x[s], r[1].x[s], r[0].start[s][n] * r[0].dim[s] * sizeof(double)));
    }
    for (int k = 0; k < 2; k++) mlk_free(x[k]), mlk_rows_free(&r[k]);
    end(&t);
}

Test(select_li3ps4, an_unknown_species_is_named_with_its_place)
{
    setup t;
    mlk_err e = {0};
    begin(&t);
    t.ds.frame[40].z[7] = 17;
    double *x = mlk_alloc(t.ds.n * mlk_describe_width(t.pot), sizeof *x);
    cr_assert_eq(mlk_describe_features(t.pot, &t.ds, t.ds.n, t.index, x, &e), MLK_EINVAL);
    cr_expect(strstr(e.msg, "atom 8 is Cl"), "%s", e.msg);
    cr_expect(!strcmp(e.file, t.ds.frame[40].source) && e.line == t.ds.frame[40].line);
    mlk_free(x);
    end(&t);
}
