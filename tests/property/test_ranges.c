/* test_ranges.c - ranges of descriptors: they hold the training data, an atom's grade says how far
 * it is outside, and a model folder keeps them. */
#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "tests/support/check.h"
#include "tests/support/rattle.h"
#include "train/describe.h"

static const int species[3] = {3, 15, 16};

static mlk_potential *make(const char *type)
{
    const bool nep = !strcmp(type, "nep");
    const char *const set[][2] = {{"n_max", "3,2"}, {"basis", "5,4"}, {"twojmax", "3"}};
    mlk_potential *pot = NULL;
    mlk_err e = {0};
    mlk_check_ok(mlk_potential_new(&pot, mlk_potential_find(type), &e), e);
    for (size_t k = nep ? 0 : 2; k < (nep ? 2u : 3u); k++)
        mlk_check_ok(mlk_opt_set(pot->type->hyper, pot->hyper, set[k][0], set[k][1], &e), e);
    mlk_check_ok(mlk_potential_create(pot, 3, species, 5, &e), e);
    return pot;
}

/* n frames of 18 atoms of the first n_species species; every fifth is kept for validation. */
static mlk_dataset make_set(size_t n, size_t n_species)
{
    mlk_dataset ds = {0};
    mlk_err e = {0};
    ds.frame = mlk_alloc(n, sizeof *ds.frame);
    ds.split = mlk_alloc(n, sizeof *ds.split);
    ds.cap = ds.cap_split = ds.n = n;
    for (size_t k = 0; k < n; k++) {
        mlk_check_ok(mlk_test_crystal(18, n_species, species, 8.5, 1.8, 100 + k, &ds.frame[k], &e),
                     e);
        ds.split[k] = k % 5 == 4 ? MLK_SPLIT_VALID : MLK_SPLIT_TRAIN;
    }
    return ds;
}

static void free_set(mlk_dataset *ds)
{
    for (size_t k = 0; k < ds->n; k++) mlk_frame_free(&ds->frame[k]);
    mlk_free(ds->frame), mlk_free(ds->split);
}

static const char *const types[] = {"nep", "snap"};

/* Largest grade of a frame's atoms; also through mlk_potential_grades with a skin and threads. */
static double worst(const mlk_potential *pot, const mlk_frame *fr)
{
    mlk_err e = {0};
    mlk_desc d = {0};
    mlk_neigh nl = {0};
    mlk_grades g = {0};
    double most = 0;
    int threads = omp_get_max_threads();
    mlk_check_ok(mlk_potential_describe_frame(pot, fr, &d, &e), e);
    mlk_check_ok(
        mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, pot->rc + 0.5, &nl, &e), e);
    for (int t = 1; t <= 2; t++) {
        omp_set_num_threads(t);
        mlk_check_ok(mlk_potential_grades(pot, &nl, d.type, &g, &e), e);
        for (size_t i = 0; i < d.n; i++) {
            size_t which;
            double v = mlk_ranges_grade(pot->ranges, (size_t)d.type[i], d.q + i * d.nd, &which);
            mlk_check_close(g.grade[i], v, 1e-9 * (1 + v));
            if (v > 0.01) cr_assert_eq(g.which[i], which);
            most = fmax(most, v);
        }
    }
    omp_set_num_threads(threads);
    mlk_grades_free(&g);
    mlk_neigh_free(&nl);
    mlk_desc_free(&d);
    return most;
}

Test(ranges, hold_the_training_frames_and_not_a_displaced_one)
{
    mlk_log_set_level(MLK_LOG_WARN);
    mlk_dataset ds = make_set(10, 3);
    mlk_err e = {0};
    for (size_t k = 0; k < 2; k++) {
        mlk_potential *pot = make(types[k]);
        mlk_check_ok(mlk_fit_ranges(pot, &ds, &e), e);
        cr_assert_eq(pot->ranges->nd, pot->type->n_desc(pot));
        for (size_t f = 0; f < ds.n; f++)
            if (ds.split[f] == MLK_SPLIT_TRAIN) cr_assert_eq(worst(pot, &ds.frame[f]), 0);
        /* frames of the same kind that were not taken in: some atom is a little outside */
        cr_expect_gt(worst(pot, &ds.frame[4]), 0);
        /* an atom pushed onto another is far outside */
        mlk_frame far = {0};
        mlk_check_ok(mlk_frame_copy(&ds.frame[0], &far, &e), e);
        for (int c = 0; c < 3; c++) far.x[1][c] = far.x[0][c] + (c == 0 ? 0.7 : 0);
        cr_expect_gt(worst(pot, &far), 1);
        mlk_frame_free(&far);
        mlk_potential_destroy(pot);
    }
    free_set(&ds);
}

Test(ranges, the_grade_is_the_worst_excess_in_widths)
{
    mlk_ranges *r = NULL;
    mlk_err e = {0};
    const int type[3] = {0, 0, 0};
    const double seen[3][3] = {{0, 10, 1}, {1, 14, 1}, {0.5, 12, 1}};
    size_t which;
    mlk_check_ok(mlk_ranges_new(&r, 2, 3, &e), e);
    mlk_ranges_widen(r, 3, type, &seen[0][0]);
    cr_assert_eq(mlk_ranges_grade(r, 0, (const double[]){0.2, 13, 1}, &which), 0);
    mlk_check_close(mlk_ranges_grade(r, 0, (const double[]){-0.5, 15, 1}, &which), 0.5, 1e-12);
    cr_assert_eq(which, 0);
    mlk_check_close(mlk_ranges_grade(r, 0, (const double[]){1.1, 18, 1}, &which), 1, 1e-12);
    cr_assert_eq(which, 1);
    /* a descriptor that never changed: in units of a thousandth of the widest */
    mlk_check_close(mlk_ranges_grade(r, 0, (const double[]){0, 10, 1.002}, &which), 0.5, 1e-9);
    cr_assert_eq(which, 2);
    /* what a file rounds away is inside; a species without atoms is not */
    cr_assert_eq(mlk_ranges_grade(r, 0, (const double[]){1 + 1e-8, 10, 1}, NULL), 0);
    cr_assert(isinf(mlk_ranges_grade(r, 1, (const double[]){0, 10, 1}, NULL)));
    cr_assert(isinf(mlk_ranges_grade(r, 0, (const double[]){0, NAN, 9}, &which)) && which == 1);
    mlk_ranges_free(r);
}

static char *slurp(const char *path)
{
    char *text = NULL;
    mlk_err e = {0};
    mlk_check_ok(mlk_file_slurp(path, &text, NULL, &e), e);
    return text;
}

static void enter(char dir[64])
{
    mlk_log_set_level(MLK_LOG_ERROR);
    snprintf(dir, 64, "/tmp/mlk-ranges-XXXXXX");
    cr_assert(mkdtemp(dir) && chdir(dir) == 0);
}

static void leave(const char *dir)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
    cr_assert(chdir("/") == 0 && system(cmd) == 0);
}

Test(ranges, a_model_folder_keeps_them)
{
    char dir[64];
    enter(dir);
    mlk_err e = {0};
    for (size_t k = 0; k < 4; k++) { /* k > 1: sulfur is in the model, but not in the data */
        mlk_dataset ds = make_set(5, k > 1 ? 2 : 3);
        mlk_potential *pot = make(types[k % 2]), *back = NULL, *again = NULL;
        mlk_check_ok(mlk_fit_ranges(pot, &ds, &e), e);
        mlk_check_ok(mlk_potential_write(pot, "a", NULL, &e), e);
        mlk_check_ok(mlk_potential_read(&back, "a", &e), e);
        size_t bytes = pot->n_species * pot->ranges->nd * sizeof(double);
        cr_assert(back->ranges && back->ranges->nd == pot->ranges->nd);
        cr_assert(!memcmp(back->ranges->lo, pot->ranges->lo, bytes));
        cr_assert(!memcmp(back->ranges->hi, pot->ranges->hi, bytes));
        cr_assert_eq(isinf(back->ranges->lo[2 * pot->ranges->nd]) != 0, k > 1);
        /* the training frames stay inside in the precision of the file */
        for (size_t f = 0; f < 4; f++) cr_assert_eq(worst(back, &ds.frame[f]), 0);
        mlk_check_ok(mlk_potential_write(back, "b", NULL, &e), e);
        mlk_check_ok(mlk_potential_read(&again, "b", &e), e);
        cr_assert(!memcmp(again->ranges->lo, pot->ranges->lo, bytes));
        mlk_potential_destroy(pot), mlk_potential_destroy(back), mlk_potential_destroy(again);
        free_set(&ds);
        cr_assert_eq(system("rm -r a b"), 0);
    }
    /* no descriptors, no ranges: the folder is as before */
    mlk_dataset ds = make_set(5, 3);
    mlk_potential *lj = NULL, *back = NULL;
    mlk_check_ok(mlk_potential_new(&lj, mlk_potential_find("lj"), &e), e);
    mlk_check_ok(mlk_potential_create(lj, 3, species, 5, &e), e);
    mlk_check_ok(mlk_fit_ranges(lj, &ds, &e), e);
    mlk_check_ok(mlk_potential_write(lj, "c", NULL, &e), e);
    mlk_check_ok(mlk_potential_read(&back, "c", &e), e);
    cr_assert(!back->ranges && !mlk_file_exists("c/ranges.csv"));
    mlk_potential_destroy(lj), mlk_potential_destroy(back);
    free_set(&ds);
    leave(dir);
}

/* Replace the first `from` in text by `to`, keep what stands behind if asked; write to path. */
static void spoil(const char *path, const char *text, const char *from, const char *to, bool keep)
{
    const char *at = strstr(text, from);
    cr_assert(at, "%s", from);
    mlk_out o;
    mlk_err e = {0};
    mlk_check_ok(mlk_out_begin(&o, path, &e), e);
    fprintf(o.fp, "%.*s%s%s", (int)(at - text), text, to, keep ? at + strlen(from) : "");
    mlk_check_ok(mlk_out_commit(&o, &e), e);
}

Test(ranges, damaged_and_foreign_files_are_named)
{
    char dir[64];
    enter(dir);
    mlk_err e = {0};
    mlk_dataset ds = make_set(5, 3);
    mlk_potential *pot = make("nep"), *back = NULL;
    mlk_check_ok(mlk_fit_ranges(pot, &ds, &e), e);
    mlk_check_ok(mlk_potential_write(pot, "a", NULL, &e), e);
    char *good = slurp("a/ranges.csv"), *model = slurp("a/nep.txt");
    const struct {
        const char *from, *to;
        bool keep;
        long line;
        const char *words;
    } bad[] = {{"mlkit-ranges", "other", true, 1, "format: mlkit-ranges"},
               {"sha256: ", "sha256: 0", true, 1, "belongs to another nep.txt"},
               {"lowest", "least", true, 2, "lowest,highest"},
               {"Li,3,", "Li,4,", true, 5, "Li,3,lowest,highest"},
               {"Li,3,", "Li,3,nan", true, 5, "Li,3,lowest,highest"},
               {"Li,3,", "Li,3,1e300,", true, 5, "Li,3,lowest,highest"},
               {"Li,3,", "Li,3,9", false, 5, "Li,3,lowest,highest"},
               {"# end", "", false, -1, "# end"},
               {"Li,1,", "Na,1,", true, 3, "# end"}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        e = (mlk_err){0};
        spoil("a/ranges.csv", good, bad[k].from, bad[k].to, bad[k].keep);
        cr_assert_eq(mlk_potential_read(&back, "a", &e), MLK_EFORMAT, "%zu", k);
        cr_assert(!back && strstr(e.file, "ranges.csv") && strstr(e.msg, bad[k].words) && e.hint[0],
                  "%zu: %s:%ld: %s", k, e.file, e.line, e.msg);
        if (bad[k].line > 0) cr_assert_eq(e.line, bad[k].line, "%zu: line %ld", k, e.line);
    }
    /* another model file in the folder */
    spoil("a/ranges.csv", good, "# end", "# end", true);
    e = (mlk_err){0};
    mlk_check_ok(mlk_potential_read(&back, "a", &e), e);
    mlk_potential_destroy(back);
    spoil("a/nep.txt", model, "\n", " \n", true);
    cr_assert_eq(mlk_potential_read(&back, "a", &e), MLK_EFORMAT);
    cr_assert(strstr(e.msg, "belongs to another"), "%s", e.msg);
    /* none, though model.yaml speaks of it; a bare model file needs none */
    e = (mlk_err){0};
    cr_assert_eq(unlink("a/ranges.csv"), 0);
    cr_assert_neq(mlk_potential_read(&back, "a", &e), MLK_OK);
    cr_assert(strstr(e.file, "ranges.csv") && strstr(e.hint, "model.yaml"), "%s", e.hint);
    e = (mlk_err){0};
    mlk_check_ok(mlk_potential_read(&back, "a/nep.txt", &e), e);
    cr_assert(!back->ranges);
    mlk_potential_destroy(back), mlk_potential_destroy(pot);
    mlk_free(good), mlk_free(model);
    free_set(&ds);
    leave(dir);
}
