/* test_split.c - splitting by group, temperature and at random, with a test part. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "datasets/split.h"
#include "tests/support/check.h"

/* n frames of 2 atoms, `per` in a group; groups are at 300, 400, ... K, `levels` of them in turn,
 * with frames scattered by +- scatter. */
static void fill(mlk_dataset *ds, size_t n, size_t per, size_t levels, double scatter)
{
    const double h[3][3] = {{5, 0, 0}, {0, 6, 0}, {0, 0, 7}};
    memset(ds, 0, sizeof *ds);
    mlk_log_set_level(MLK_LOG_ERROR);
    for (size_t i = 0; i < n; i++) {
        mlk_frame fr;
        cr_assert(!mlk_frame_init(&fr, 2, NULL));
        cr_assert(!mlk_cell_init(&fr.cell, h, NULL));
        fr.z[0] = fr.z[1] = 3;
        fr.x[1][0] = 1 + 0.001 * (double)i;
        fr.has = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE;
        fr.temperature = 300 + 100 * (double)(i / per % levels) + (i % 2 ? scatter : -scatter);
        snprintf(fr.group, sizeof fr.group, "run-%zu", i / per);
        cr_assert(!mlk_dataset_add(ds, &fr, NULL));
    }
}

static size_t count(const mlk_dataset *ds, int part)
{
    size_t n = 0;
    for (size_t i = 0; i < ds->n; i++) n += ds->split[i] == part;
    return n;
}

static bool groups_whole(const mlk_dataset *ds, size_t per)
{
    for (size_t i = 0; i < ds->n; i++)
        if (ds->split[i] != ds->split[i / per * per]) return false;
    return true;
}

static mlk_status refused(mlk_dataset *ds, const mlk_split_plan *p)
{
    mlk_err e = {0};
    mlk_status s = mlk_dataset_split_by(ds, p, &e);
    cr_expect_eq(s ? e.code : s, s);
    return s;
}

Test(split, a_test_part_does_not_change_the_validation_part)
{
    mlk_dataset a, b;
    mlk_err e = {0};
    fill(&a, 400, 5, 8, 0);
    fill(&b, 400, 5, 8, 0);
    for (uint64_t seed = 1; seed < 20; seed++) {
        const mlk_split_plan two = {.valid = 0.1, .seed = seed},
                             three = {.valid = 0.1, .test = 0.2, .seed = seed};
        mlk_check_ok(mlk_dataset_split_by(&a, &two, &e), e);
        mlk_check_ok(mlk_dataset_split_by(&b, &three, &e), e);
        cr_expect_eq(count(&a, MLK_SPLIT_VALID), 40);
        cr_expect_eq(count(&b, MLK_SPLIT_TEST), 80);
        for (size_t i = 0; i < a.n; i++)
            cr_expect_eq(a.split[i] == MLK_SPLIT_VALID, b.split[i] == MLK_SPLIT_VALID);
        cr_expect(groups_whole(&b, 5));
        cr_assert(!mlk_dataset_split(&b, 0.1, seed, 1, NULL));
        cr_expect_eq(memcmp(a.split, b.split, a.n * sizeof *a.split), 0);
    }
    mlk_dataset_free(&a);
    mlk_dataset_free(&b);
}

Test(split, something_always_trains)
{
    static const mlk_split_by by[] = {MLK_SPLIT_BY_GROUP, MLK_SPLIT_BY_RANDOM,
                                      MLK_SPLIT_BY_TEMPERATURE};
    for (size_t n = 2; n < 40; n += 3)
        for (size_t per = 1; per < 8; per += 3)
            for (int k = 0; k < 3; k++) {
                mlk_dataset ds;
                fill(&ds, n, per, 100, 0);
                const mlk_split_plan p = {.by = by[k],
                                          .valid = 0.5,
                                          .test = 0.45,
                                          .seed = n,
                                          .hold_test = {.what = MLK_HOLD_LOWEST}};
                mlk_err e = {0};
                mlk_status s = mlk_dataset_split_by(&ds, &p, &e);
                cr_expect(s == MLK_OK || (k == 2 && s == MLK_EINVAL));
                cr_expect_gt(count(&ds, MLK_SPLIT_TRAIN), 0, "%zu frames by %zu, way %d", n, per,
                             k);
                if (!s) cr_expect_gt(count(&ds, MLK_SPLIT_VALID), 0, "%zu by %zu, %d", n, per, k);
                mlk_dataset_free(&ds);
            }
}

Test(split, the_highest_temperatures_are_held_out_whole)
{
    mlk_dataset ds;
    mlk_err e = {0};
    fill(&ds, 400, 5, 8, 20); /* 300 ... 1000 K, 50 frames each; frames scatter by 20 K */
    mlk_split_plan p = {.by = MLK_SPLIT_BY_TEMPERATURE,
                        .valid = 0.2,
                        .test = 0.1,
                        .hold_test = {.what = MLK_HOLD_LOWEST}};
    mlk_check_ok(mlk_dataset_split_by(&ds, &p, &e), e);
    cr_expect(groups_whole(&ds, 5));
    for (size_t i = 0; i < ds.n; i++) {
        double t = ds.frame[i].temperature;
        cr_expect_eq(ds.split[i], t > 870   ? MLK_SPLIT_VALID
                                  : t < 330 ? MLK_SPLIT_TEST
                                            : MLK_SPLIT_TRAIN);
    }
    p.valid = 0.02; /* less than one temperature has: the whole of it all the same */
    p.test = 0;
    mlk_check_ok(mlk_dataset_split_by(&ds, &p, &e), e);
    cr_expect_eq(count(&ds, MLK_SPLIT_VALID), 50);
    cr_expect_eq(count(&ds, MLK_SPLIT_TEST), 0);
    mlk_dataset_free(&ds);
}

Test(split, ranges_of_temperature)
{
    mlk_dataset ds;
    mlk_err e = {0};
    mlk_split_plan p = {.by = MLK_SPLIT_BY_TEMPERATURE};
    fill(&ds, 400, 5, 8, 20);
    mlk_check_ok(mlk_hold_parse("450:620,:350", &p.hold, &e), e);
    mlk_check_ok(mlk_hold_parse("1e3:", &p.hold_test, &e), e);
    mlk_check_ok(mlk_dataset_split_by(&ds, &p, &e), e);
    for (size_t i = 0; i < ds.n; i++) {
        size_t level = i / 5 % 8; /* 300, 400, ... K */
        int want = level == 7                               ? MLK_SPLIT_TEST
                   : level == 0 || level == 2 || level == 3 ? MLK_SPLIT_VALID
                                                            : MLK_SPLIT_TRAIN;
        cr_expect_eq(ds.split[i], want, "frame %zu", i);
    }
    mlk_check_ok(mlk_hold_parse("600:", &p.hold, &e), e);
    cr_expect_eq(refused(&ds, &p), MLK_EINVAL, "the ranges overlap");
    mlk_check_ok(mlk_hold_parse("2000:", &p.hold, &e), e);
    cr_expect_eq(refused(&ds, &p), MLK_EINVAL, "nothing is there");
    mlk_check_ok(mlk_hold_parse("0:", &p.hold, &e), e);
    p.hold_test = (mlk_hold){0};
    cr_expect_eq(refused(&ds, &p), MLK_EINVAL, "nothing is left");
    mlk_dataset_free(&ds);
    static const char *const bad[] = {
        "300",      "300-400", "400:300",        ":", "a:b", "300:400,", "", "300:nan",
        "300:400;", "-5:3",    "100:200 300:400"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        memset(&e, 0, sizeof e);
        cr_expect_eq(mlk_hold_parse(bad[k], &p.hold, &e), MLK_EINVAL, "'%s'", bad[k]);
    }
}

Test(split, one_temperature_is_no_ground_for_a_split)
{
    mlk_dataset ds;
    mlk_err e = {0};
    const mlk_split_plan p = {.by = MLK_SPLIT_BY_TEMPERATURE, .valid = 0.1};
    fill(&ds, 60, 10, 1, 30);
    cr_expect_eq(mlk_dataset_split_by(&ds, &p, &e), MLK_EINVAL);
    cr_expect(strstr(e.msg, "same temperature"), "%s", e.msg);
    for (size_t i = 0; i < ds.n; i++) ds.frame[i].temperature = NAN;
    memset(&e, 0, sizeof e);
    cr_expect_eq(mlk_dataset_split_by(&ds, &p, &e), MLK_EINVAL);
    cr_expect(strstr(e.msg, "no frame has a temperature"), "%s", e.msg);
    mlk_dataset_free(&ds);
}

Test(split, a_heating_run_is_cut_at_a_temperature)
{
    mlk_dataset ds;
    mlk_err e = {0};
    const mlk_split_plan p = {.by = MLK_SPLIT_BY_TEMPERATURE, .valid = 0.2};
    fill(&ds, 200, 200, 1, 0);
    for (size_t i = 0; i < ds.n; i++) ds.frame[i].temperature = 300 + 5 * (double)i;
    mlk_check_ok(mlk_dataset_split_by(&ds, &p, &e), e);
    cr_expect_eq(count(&ds, MLK_SPLIT_VALID), 40);
    for (size_t i = 0; i < ds.n; i++) cr_expect_eq(ds.split[i] == MLK_SPLIT_VALID, i >= 160);
    mlk_dataset_free(&ds);
}

Test(split, frames_of_unknown_temperature_train)
{
    mlk_dataset ds;
    mlk_err e = {0};
    const mlk_split_plan p = {.by = MLK_SPLIT_BY_TEMPERATURE, .valid = 0.2};
    fill(&ds, 100, 5, 5, 0);
    for (size_t i = 0; i < 5; i++) ds.frame[i].temperature = NAN;
    mlk_check_ok(mlk_dataset_split_by(&ds, &p, &e), e);
    for (size_t i = 0; i < 5; i++) cr_expect_eq(ds.split[i], MLK_SPLIT_TRAIN);
    cr_expect_eq(count(&ds, MLK_SPLIT_VALID), 20);
    mlk_dataset_free(&ds);
}

Test(split, random_keeps_equal_structures_together)
{
    mlk_dataset ds;
    mlk_err e = {0};
    fill(&ds, 300, 10, 5, 0);
    for (size_t i = 0; i < ds.n; i += 2) ds.frame[i].x[1][0] = 1 + 0.01 * (double)(i % 60);
    for (size_t i = 0; i < ds.n; i += 4) ds.frame[i].x[0][1] = -0.0; /* is 0 */
    for (uint64_t seed = 1; seed < 10; seed++) {
        const mlk_split_plan p = {
            .by = MLK_SPLIT_BY_RANDOM, .valid = 0.2, .test = 0.1, .seed = seed};
        mlk_check_ok(mlk_dataset_split_by(&ds, &p, &e), e);
        for (size_t i = 0; i + 60 < ds.n; i += 2) cr_expect_eq(ds.split[i], ds.split[i + 60]);
        cr_expect_lt(fabs((double)count(&ds, MLK_SPLIT_VALID) - 60), 4);
        cr_expect_lt(fabs((double)count(&ds, MLK_SPLIT_TEST) - 30), 4);
    }
    mlk_dataset_free(&ds);
}

Test(split, wrong_fractions_are_refused)
{
    mlk_dataset ds;
    fill(&ds, 30, 3, 5, 0);
    static const double bad[][2] = {{1, 0}, {-0.1, 0}, {0.5, 0.5}, {NAN, 0}, {0.1, -1}, {0, NAN}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        const mlk_split_plan p = {.valid = bad[k][0], .test = bad[k][1]};
        cr_expect_eq(refused(&ds, &p), MLK_EINVAL, "case %zu", k);
    }
    mlk_dataset_free(&ds);
}

Test(split, the_shortest_contact_of_a_pair_of_elements_never_validates)
{
    mlk_dataset ds;
    mlk_err e = {0};
    size_t held = 0;
    fill(&ds, 120, 10, 4, 0);
    for (size_t i = 0; i < ds.n; i++) { /* pairs Li-S; in the third group one that is nearer */
        ds.frame[i].z[1] = 16;
        ds.frame[i].x[1][0] = i == 25 ? 1.2 : 2;
    }
    for (uint64_t seed = 1; seed < 40; seed++) {
        const mlk_split_plan p = {.valid = 0.25, .seed = seed};
        mlk_check_ok(mlk_dataset_split_by(&ds, &p, &e), e);
        cr_expect_eq(count(&ds, MLK_SPLIT_VALID), 30);
        cr_expect_eq(ds.split[25], MLK_SPLIT_TRAIN);
        held += ds.split[60] == MLK_SPLIT_VALID; /* the same temperature */
    }
    cr_expect(held > 0);
    mlk_dataset_free(&ds);
}

/* What a split will hold out, or has held out. */
Test(split, whole_groups_are_told_from_blocks)
{
    mlk_dataset ds;
    mlk_err e = {0};
    bool whole;
    for (int groups = 0; groups < 2; groups++) {
        fill(&ds, 80, groups ? 10 : 40, 8, 0);
        cr_assert(!mlk_dataset_holds_groups(&ds, &whole, &e));
        cr_assert_eq(whole, groups, "before the split");
        cr_assert(!mlk_dataset_split(&ds, 0.1, 1, 0, &e));
        cr_assert_eq(whole, groups_whole(&ds, groups ? 10 : 40));
        cr_assert(!mlk_dataset_holds_groups(&ds, &whole, &e));
        cr_assert_eq(whole, groups, "after the split");
        mlk_dataset_free(&ds);
    }
}
