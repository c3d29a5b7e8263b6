/* test_md_extrapolation.c - what a run says about leaving the training data and about broken bonds:
 * Lennard-Jones argon with a descriptor of its own, and groups moved by hand. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "md/store.h"
#include "tests/support/check.h"
#include "tests/support/md.h"

/* Two smooth descriptors of the argon model: how many neighbours, and how near. */
static size_t two(const mlk_potential *pot)
{
    (void)pot;
    return 2;
}

static mlk_status crowd(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i0,
                        size_t i1, mlk_scratch *s, double *q, mlk_err *e)
{
    (void)type, (void)s, (void)e;
    for (size_t i = i0; i < i1; i++) {
        double a = 0, b = 0;
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            double r2 = 0;
            for (int c = 0; c < 3; c++) r2 += nl->r[c][k] * nl->r[c][k];
            double r = sqrt(r2);
            if (r < pot->rc) a += pow(1 - r / pot->rc, 2), b += exp(-2 * r);
        }
        q[2 * (i - i0)] = a, q[2 * (i - i0) + 1] = b;
    }
    return MLK_OK;
}

static mlk_potential_type described;

static mlk_potential *argon(void)
{
    mlk_potential *pot = mlk_test_argon();
    described = *pot->type;
    described.n_desc = two, described.describe = crowd;
    pot->type = &described;
    return pot;
}

/* One run into run.h5 and its summary; the structure is fcc of edge a. */
static void run(mlk_potential *pot, const mlk_md_config *c, double a, mlk_md_summary *q)
{
    mlk_err e = {0};
    mlk_frame fr;
    mlk_md md;
    mlk_md_store *st;
    bool complete;
    mlk_test_fcc(3, a, &fr);
    mlk_check_ok(mlk_md_init(&md, c, pot, &fr, &e), e);
    mlk_check_ok(mlk_md_store_open(&st, "run.h5", &md, &complete, &e), e);
    mlk_check_ok(mlk_md_run(&md, st, &e), e);
    mlk_md_store_close(st);
    mlk_check_ok(mlk_md_summary_read("run.h5", q, &e), e);
    cr_assert_eq(unlink("run.h5"), 0);
    mlk_md_free(&md);
    mlk_frame_free(&fr);
}

/* Ranges of a run at 60 K, the training of these tests. */
static void train(mlk_potential *pot)
{
    mlk_err e = {0};
    mlk_frame fr;
    mlk_md md;
    mlk_md_config c = mlk_test_md_config(0, 1e6);
    c.seed = 77;
    mlk_test_fcc(3, 5.4, &fr);
    mlk_check_ok(mlk_ranges_new(&pot->ranges, 1, 2, &e), e);
    mlk_check_ok(mlk_md_init(&md, &c, pot, &fr, &e), e);
    mlk_check_ok(mlk_md_forces(&md, &e), e);
    double *q = mlk_alloc(2 * md.n, sizeof *q);
    for (int k = 0; k < 400; k++) {
        mlk_check_ok(mlk_md_step(&md, &e), e);
        if (k % 10) continue;
        crowd(pot, &md.nl, md.type, 0, md.n, NULL, q, NULL);
        mlk_ranges_widen(pot->ranges, md.n, md.type, q);
    }
    mlk_free(q);
    mlk_md_free(&md);
    mlk_frame_free(&fr);
}

static void enter(char dir[64])
{
    mlk_log_set_level(MLK_LOG_ERROR);
    snprintf(dir, 64, "/tmp/mlk-extra-XXXXXX");
    cr_assert(mkdtemp(dir) && chdir(dir) == 0);
}

static void leave(const char *dir)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
    cr_assert(chdir("/") == 0 && system(cmd) == 0);
}

Test(md_extrapolation, a_quiet_run_is_inside_and_a_hot_or_compressed_one_is_not)
{
    char dir[64];
    enter(dir);
    mlk_potential *pot = argon();
    train(pot);
    mlk_md_summary q;
    mlk_md_config c = mlk_test_md_config(0, 1600);
    c.check = 20, c.max_grade = 0.5;
    run(pot, &c, 5.4, &q);
    cr_assert(q.judged && !q.extrapolation_flag && q.beyond == 0, "grade %g", q.worst);
    cr_assert(q.outside < 0.02, "%g outside", q.outside);
    char digest[sizeof q.digest];
    memcpy(digest, q.digest, sizeof digest);
    c.check = 0; /* looking changes nothing; not looking cannot judge */
    run(pot, &c, 5.4, &q);
    cr_assert_str_eq(q.digest, digest);
    cr_assert(!q.judged && isnan(q.outside) && !q.extrapolation_flag);

    c.check = 20, c.temp = 600;
    run(pot, &c, 5.4, &q);
    cr_assert(q.extrapolation_flag && q.outside > 0.2 && q.worst > 0.5 && q.beyond > 0);
    cr_assert(q.worst_atom >= 1 && q.worst_atom <= 108 && !strcmp(q.worst_element, "Ar"));
    cr_assert(q.worst_time >= 0 && q.worst_time < 1600 && fmod(q.worst_time, 80) == 0);
    c.max_grade = 1e6; /* as asked */
    run(pot, &c, 5.4, &q);
    cr_assert(q.outside > 0.2 && q.beyond == 0 && q.extrapolation_flag == (q.outside > 0.5));

    c.temp = 60, c.max_grade = 0.5;
    run(pot, &c, 5.0, &q);
    cr_assert(q.extrapolation_flag && q.outside > 0.99, "%g", q.outside);
    c.max_grade = 1e6; /* all atoms are outside, however little */
    run(pot, &c, 5.0, &q);
    cr_assert(q.extrapolation_flag && q.outside > 0.99 && q.beyond == 0);
    mlk_potential_destroy(pot);
    leave(dir);
}

/* The equilibration may start anywhere: only samples of the production count. */
Test(md_extrapolation, the_equilibration_does_not_count)
{
    char dir[64];
    enter(dir);
    mlk_potential *pot = argon();
    train(pot);
    mlk_md_summary q;
    mlk_md_config c = mlk_test_md_config(80, 4);
    c.check = 1, c.max_grade = 0.5;
    run(pot, &c, 5.4, &q);
    cr_assert(q.judged && q.outside < 0.5);
    cr_assert_eq(fmod(q.outside * 108, 1), 0); /* one check of 108 atoms */
    mlk_potential_destroy(pot);
    leave(dir);
}

/* ---- bonds ---------------------------------------------------------------------------------- */

/* Two PS pairs in a 12 A box, one across the boundary, beside a Li atom 2.4 A from a sulfur. */
static void groups(mlk_md *md, mlk_potential **pot)
{
    static const int z[5] = {15, 16, 15, 16, 3}, known[3] = {3, 15, 16};
    static const double x[5][3] = {{3, 3, 3}, {5, 3, 3}, {0.5, 8, 8}, {10.5, 8, 8}, {7.4, 3, 3}};
    const double h[3][3] = {{12, 0, 0}, {0, 12, 0}, {0, 0, 12}};
    mlk_err e = {0};
    mlk_frame fr;
    mlk_md_config c = mlk_test_md_config(0, 400);
    mlk_log_set_level(MLK_LOG_ERROR);
    mlk_check_ok(mlk_frame_init(&fr, 5, &e), e);
    mlk_check_ok(mlk_cell_init(&fr.cell, h, &e), e);
    memcpy(fr.z, z, sizeof z);
    memcpy(fr.x, x, sizeof x);
    mlk_check_ok(mlk_potential_new(pot, mlk_potential_find("lj"), &e), e);
    mlk_check_ok(mlk_potential_create(*pot, 3, known, 1, &e), e);
    mlk_check_ok(mlk_md_init(md, &c, *pot, &fr, &e), e);
    mlk_frame_free(&fr);
}

static void expect(mlk_md *md, int64_t whole, int64_t broke)
{
    mlk_md_note_bonds(md);
    mlk_md_bond_count n = mlk_md_count_bonds(md, 15, 16), all = mlk_md_count_bonds(md, 0, 0);
    cr_assert(n.start == 2 && n.whole == whole && n.broke == broke, "%d whole, broke %d times",
              (int)n.whole, (int)n.broke);
    cr_assert(all.start == 2 && all.whole == whole && all.broke == broke);
    cr_assert_eq(mlk_md_count_bonds(md, 3, 16).start, 0); /* contacts of a metal are not watched */
}

/* Radii of P and S: 1.11 and 1.03 A; whole below 2.568, broken beyond 3.424 A. */
Test(md_extrapolation, broken_bonds_are_counted_once)
{
    mlk_md md;
    mlk_potential *pot;
    groups(&md, &pot);
    expect(&md, 2, 0);
    md.x[1][0] = 3 + 3.3; /* stretched */
    expect(&md, 2, 0);
    md.x[1][0] = 3 + 3.5;
    expect(&md, 1, 1);
    md.x[1][0] = 3 + 3.3; /* on its way back, then away again: still the same break */
    expect(&md, 1, 1);
    md.x[1][0] = 3 + 3.6;
    expect(&md, 1, 1);
    md.x[1][0] = 3 + 2.1;
    expect(&md, 2, 1);
    md.x[1][0] = 3 + 5;
    expect(&md, 1, 2);
    /* the pair across the boundary, one of it moved back by a cell: whole; a cell away: broken */
    md.x[2][0] += 12, md.img[2][0] -= 1;
    expect(&md, 1, 2);
    md.img[2][0] += 1;
    expect(&md, 0, 3);
    mlk_md_free(&md);
    mlk_potential_destroy(pot);
}

Test(md_extrapolation, a_checkpoint_remembers_what_was_found)
{
    char dir[64];
    enter(dir);
    mlk_md md[2];
    mlk_potential *pot[2];
    mlk_err e = {0};
    int64_t part;
    for (int k = 0; k < 2; k++) groups(&md[k], &pot[k]);
    md[0].x[1][0] = 3 + 5;
    mlk_md_note_bonds(&md[0]);
    md[0].watch = (mlk_md_watch){4, 1.5, 3, 1, 40, 1, 1};
    md[0].outside[3] = 7;
    mlk_check_ok(mlk_md_state_write(&md[0], "c.h5", 2, &e), e);
    mlk_check_ok(mlk_md_state_read(&md[1], "c.h5", &part, &e), e);
    cr_assert(!memcmp(&md[0].watch, &md[1].watch, sizeof md[0].watch));
    cr_assert(md[1].outside[3] == 7 && md[1].outside[2] == 0);
    cr_assert_eq(mlk_md_count_bonds(&md[1], 0, 0).broke, 1);
    for (int k = 0; k < 2; k++) mlk_md_free(&md[k]), mlk_potential_destroy(pot[k]);
    leave(dir);
}
