/* test_md.c - integrator, thermostat and time loop on Lennard-Jones argon. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/log.h"
#include "core/rng.h"
#include "core/units.h"
#include "md/md.h"
#include "tests/support/check.h"
#include "tests/support/md.h"

typedef struct sys {
    mlk_potential *pot;
    mlk_frame fr;
    mlk_md md;
} sys;

static void begin(sys *s, int nx, const mlk_md_config *c)
{
    mlk_err e = {0};
    mlk_log_set_level(MLK_LOG_WARN);
    s->pot = mlk_test_argon();
    mlk_test_fcc(nx, 5.4, &s->fr);
    mlk_check_ok(mlk_md_init(&s->md, c, s->pot, &s->fr, &e), e);
    mlk_check_ok(mlk_md_forces(&s->md, &e), e);
}

static void end(sys *s)
{
    mlk_md_free(&s->md);
    mlk_frame_free(&s->fr);
    mlk_potential_destroy(s->pot);
}

static void go(mlk_md *md, int steps)
{
    mlk_err e = {0};
    for (int k = 0; k < steps; k++) mlk_check_ok(mlk_md_step(md, &e), e);
}

static double momentum(const mlk_md *md)
{
    double p[3] = {0}, scale = 0;
    for (size_t i = 0; i < md->n; i++)
        for (int c = 0; c < 3; c++) {
            p[c] += md->mass[i] * md->v[i][c];
            scale += fabs(md->mass[i] * md->v[i][c]);
        }
    return (fabs(p[0]) + fabs(p[1]) + fabs(p[2])) / scale;
}

Test(md, starts_at_exactly_the_temperature_without_momentum)
{
    sys s;
    mlk_md_config c = mlk_test_md_config(0, 1000);
    begin(&s, 3, &c);
    mlk_check_close(mlk_md_temperature(&s.md), 60, 1e-10);
    mlk_check_close(2 * mlk_md_kinetic(&s.md) / (3 * 107 * MLK_KB), 60, 1e-10);
    cr_assert(momentum(&s.md) < 1e-14, "%g", momentum(&s.md));
    end(&s);
}

/* Rms deviation of the total energy over 800 fs. */
static double wobble(double dt)
{
    sys s;
    mlk_md_config c = mlk_test_md_config(0, 1e6);
    c.dt = dt, c.sample = dt;
    begin(&s, 3, &c);
    double e0 = s.md.ev.U + s.md.kinetic, sum = 0;
    int n = (int)(800 / dt);
    for (int k = 0; k < n; k++) {
        go(&s.md, 1);
        double d = s.md.ev.U + s.md.kinetic - e0;
        sum += d * d;
    }
    end(&s);
    return sqrt(sum / n);
}

Test(md, energy_error_falls_with_the_square_of_the_step)
{
    double a = wobble(8), b = wobble(4), c = wobble(2);
    cr_assert(a / b > 3.7 && a / b < 4.3 && b / c > 3.7 && b / c < 4.3, "%g %g", a / b, b / c);
}

Test(md, reversed_velocities_lead_back)
{
    sys s;
    mlk_md_config c = mlk_test_md_config(0, 1e6);
    begin(&s, 3, &c);
    go(&s.md, 150);
    for (size_t i = 0; i < s.md.n; i++)
        for (int k = 0; k < 3; k++) s.md.v[i][k] = -s.md.v[i][k];
    go(&s.md, 150);
    double worst = 0;
    for (size_t i = 0; i < s.md.n; i++)
        for (int k = 0; k < 3; k++) worst = fmax(worst, fabs(s.md.x[i][k] - s.fr.x[i][k]));
    cr_assert(worst < 1e-9, "%g",
              worst); /* round-off times the growth of a chaotic orbit in 1.2 ps */
    end(&s);
}

Test(md, momentum_stays_at_round_off)
{
    sys s;
    mlk_md_config c = mlk_test_md_config(1e6, 1e6);
    begin(&s, 2, &c);
    go(&s.md, 2000);
    cr_assert(momentum(&s.md) < 1e-12, "%g", momentum(&s.md));
    end(&s);
}

Test(md, same_trajectory_for_any_number_of_threads)
{
    sys s[2];
    mlk_md_config c = mlk_test_md_config(200, 200);
    mlk_err e = {0};
    for (int k = 0; k < 2; k++) {
        omp_set_num_threads(k ? 3 : 1);
        begin(&s[k], 3, &c);
        mlk_check_ok(mlk_md_run(&s[k].md, NULL, &e), e);
    }
    size_t bytes = s[0].md.n * sizeof *s[0].md.x;
    cr_assert(!memcmp(s[0].md.x, s[1].md.x, bytes) && !memcmp(s[0].md.v, s[1].md.v, bytes));
    cr_assert(!memcmp(&s[0].md.sums, &s[1].md.sums, sizeof s[0].md.sums));
    end(&s[0]), end(&s[1]);
}

/* 4 atoms in a cell with an edge below the cutoff move like the 2x2x2 supercell. */
Test(md, small_cell_moves_like_its_supercell)
{
    sys a, b;
    mlk_md_config c = mlk_test_md_config(0, 1e6);
    begin(&a, 1, &c), begin(&b, 2, &c);
    for (size_t i = 0; i < b.md.n; i++) memcpy(b.md.v[i], a.md.v[i % 4], sizeof *b.md.v);
    go(&a.md, 100), go(&b.md, 100);
    for (size_t i = 0; i < b.md.n; i++)
        for (int k = 0; k < 3; k++)
            mlk_check_close(b.md.x[i][k] - b.fr.x[i][k], a.md.x[i % 4][k] - a.fr.x[i % 4][k], 1e-9);
    end(&a), end(&b);
}

Test(md, trajectory_does_not_depend_on_the_skin)
{
    sys s[3];
    mlk_md_config c = mlk_test_md_config(0, 1e6);
    for (int k = 0; k < 3; k++) {
        c.skin = 0.5 * k;
        begin(&s[k], 2, &c);
        go(&s[k].md, 100);
        for (size_t i = 0; k && i < s[k].md.n; i++)
            for (int d = 0; d < 3; d++) mlk_check_close(s[k].md.x[i][d], s[0].md.x[i][d], 1e-10);
    }
    cr_assert(s[0].md.sums.builds == 101 && s[2].md.sums.builds < 20);
    for (int k = 0; k < 3; k++) end(&s[k]);
}

Test(md, steps_between_list_builds_allocate_nothing)
{
    sys s;
    mlk_md_config c = mlk_test_md_config(0, 1e6);
    begin(&s, 3, &c);
    go(&s.md, 20);
    int quiet = 0;
    for (int k = 0; k < 40; k++) {
        double builds = s.md.sums.builds;
        size_t before = mlk_alloc_count();
        go(&s.md, 1);
        if (s.md.sums.builds > builds) continue;
        cr_assert_eq(mlk_alloc_count(), before);
        quiet++;
    }
    cr_assert(quiet > 20);
    end(&s);
}

/* Free flight over hundreds of cells: positions are moved back, unwrapped ones stay exact. */
Test(md, far_travellers_keep_their_unwrapped_positions)
{
    sys s;
    mlk_md_config c = mlk_test_md_config(0, 1e6);
    c.temp = 3e5;
    begin(&s, 1, &c);
    s.pot->param[0] = 0;
    mlk_err e = {0};
    mlk_check_ok(mlk_md_forces(&s.md, &e), e);
    go(&s.md, 4000);
    bool moved = false;
    for (size_t i = 0; i < s.md.n; i++)
        for (int k = 0; k < 3; k++) {
            moved = moved || s.md.img[i][k] != 0;
            double want = s.fr.x[i][k] + 4000 * s.md.dt * s.md.v[i][k];
            mlk_check_close(s.md.x[i][k] + 5.4 * s.md.img[i][k], want, 1e-8);
        }
    cr_assert(moved);
    end(&s);
}

/* Kinetic energy under the thermostat alone: chi^2 with dof degrees of freedom. */
static void check_canonical(size_t dof, double dt_over_tau, int n)
{
    double k = 0.1 * (double)dof, target = 0.5 * (double)dof, m[4] = {0};
    for (int t = 0; t < n; t++) {
        double a = mlk_bdp_factor(k, target, dof, dt_over_tau, 17, t);
        k *= a * a;
        if (t < 200) continue;
        double d =
            (k - target) / sqrt(0.5 * (double)dof); /* mean 0, variance 1, skew sqrt(8/dof) */
        m[0] += 1, m[1] += d, m[2] += d * d, m[3] += d * d * d;
    }
    double c = exp(-dt_over_tau), inflate = (1 + c) / (1 - c); /* correlated samples */
    double err = sqrt(inflate / m[0]), skew = sqrt(8.0 / (double)dof);
    mlk_check_close(m[1] / m[0], 0, 4 * err);
    mlk_check_close(m[2] / m[0], 1, 4 * err * (2 + skew));
    mlk_check_close(m[3] / m[0], skew, 4 * err * (4 + 10 * skew));
}

Test(bdp, kinetic_energy_is_canonical)
{
    check_canonical(3, 0.5, 40000);
    check_canonical(9, 1.0, 40000);
    check_canonical(300, 0.2, 40000);
    check_canonical(30, 20, 20000); /* no memory: drawn afresh each step */
}

Test(bdp, slow_thermostat_leaves_the_kinetic_energy_alone)
{
    mlk_check_close(mlk_bdp_factor(2.0, 5.0, 30, 1e-12, 1, 1), 1, 1e-5);
    cr_assert_eq(mlk_bdp_factor(0, 5.0, 30, 0.1, 1, 1), 1);
}

Test(md, equilibration_reaches_the_temperature_and_production_keeps_it)
{
    sys s;
    mlk_md_config c = mlk_test_md_config(4000, 4000);
    mlk_err e = {0};
    begin(&s, 3, &c);
    mlk_check_ok(mlk_md_run(&s.md, NULL, &e), e);
    mlk_check_close(s.md.sums.temp / s.md.sums.n, 60,
                    2.0); /* T/sqrt(3N) = 3.3 K without the correction */
    double err, drift = mlk_md_drift(&s.md, &err);
    cr_assert(fabs(drift) < 1 + 4 * err, "drift %g +- %g meV/atom/ns", drift, err);
    end(&s);
}

Test(md, diverging_run_is_stopped_and_says_where)
{
    sys s;
    mlk_md_config c = mlk_test_md_config(0, 1e6);
    mlk_err e = {0};
    begin(&s, 2, &c);
    s.md.x[0][0] = s.md.x[1][0] + 0.3; /* two atoms almost on top of each other */
    s.md.x[0][1] = s.md.x[1][1], s.md.x[0][2] = s.md.x[1][2];
    cr_assert_eq(mlk_md_run(&s.md, NULL, &e), MLK_ENUMERIC);
    cr_assert(strstr(e.msg, "step ") == e.msg && e.hint[0], "%s", e.msg);
    end(&s);
    e = (mlk_err){0};
    begin(&s, 2, &c);
    go(&s.md, 3);
    s.md.v[5][1] = NAN;
    cr_assert_eq(mlk_md_run(&s.md, NULL, &e), MLK_ENUMERIC);
    cr_assert(strstr(e.msg, "step 4"), "%s", e.msg);
    end(&s);
}

static void refused(const mlk_md_config *c, const mlk_frame *fr, const char *word)
{
    mlk_potential *pot = mlk_test_argon();
    mlk_md md;
    mlk_err e = {0};
    cr_assert_neq(mlk_md_init(&md, c, pot, fr, &e), MLK_OK);
    cr_assert(strstr(e.msg, word), "'%s' not in '%s'", word, e.msg);
    mlk_potential_destroy(pot);
}

Test(md, impossible_settings_and_structures_are_refused)
{
    mlk_frame fr;
    mlk_md_config c = mlk_test_md_config(0, 1000), bad;
    mlk_test_fcc(1, 5.4, &fr);
    bad = c, bad.temp = 0, refused(&bad, &fr, "temperature");
    bad = c, bad.temp = NAN, refused(&bad, &fr, "temperature");
    bad = c, bad.run = 1, refused(&bad, &fr, "run");
    bad = c, bad.sample = 5, refused(&bad, &fr, "whole number");
    bad = c, bad.tau = 0, refused(&bad, &fr, "out of range");
    bad = c, bad.skin = 1000, refused(&bad, &fr, "memory");
    fr.z[2] = 3, refused(&c, &fr, "Li"), fr.z[2] = 18;
    fr.x[1][1] = NAN, refused(&c, &fr, "atom 2"), fr.x[1][1] = 0;
    fr.n = 1, refused(&c, &fr, "one atom"), fr.n = 4;
    fr.cell.volume = 0, refused(&c, &fr, "cell");
    mlk_frame_free(&fr);
}

Test(md, automatic_steps_follow_the_lightest_atom)
{
    mlk_frame fr;
    mlk_potential *pot = mlk_test_argon();
    mlk_md_config c = mlk_test_md_config(0, 1000);
    mlk_md md;
    mlk_err e = {0};
    c.dt = c.sample = 0;
    mlk_test_fcc(1, 5.4, &fr);
    mlk_check_ok(mlk_md_init(&md, &c, pot, &fr, &e), e);
    cr_assert(md.cfg.dt == 2 && md.sample == 2 && md.cfg.sample == 4);
    mlk_md_free(&md);
    pot->z[0] = 1;
    for (int i = 0; i < 4; i++) fr.z[i] = 1;
    mlk_check_ok(mlk_md_init(&md, &c, pot, &fr, &e), e);
    cr_assert(md.cfg.dt == 1 && md.sample == 4 && md.cfg.sample == 4);
    mlk_md_free(&md);
    mlk_frame_free(&fr);
    mlk_potential_destroy(pot);
}
