/* test_transport_coverage.c - are the quoted error bars honest? Many seeds of exactly solvable
 * fluxes; prints ratio, r.m.s. error, quoted error and coverage beside the expectation of the
 * reference table (another implementation, other random numbers) and fails when they differ by more
 * than chance. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/synthetic.h"
#include "transport/onsager.h"

enum { FIRST = 200001, SEEDS = 200, FEW = 60 };

typedef struct tally {
    double n, ratio, sq, quoted, c1, c2, z2;
} tally;

static void count(tally *t, double value, double sigma, double exact)
{
    double r = value / exact, z = log(r) / sigma;
    t->n++, t->ratio += r, t->sq += (r - 1) * (r - 1), t->quoted += sigma;
    t->c1 += fabs(z) < 1, t->c2 += fabs(z) < 2, t->z2 += z * z;
}

typedef struct row {
    const char *name;
    char which;
    size_t m, tskip;
    mlk_rule rule;
    double exact;
    double ratio, se, rms, quoted, c1, c2; /* reference; c1 < 0: none */
} row;

static const row rows[] = {
    {"A 2 fluxes, TSKIP 1, AIC", 'A', 2, 1, MLK_RULE_AIC, SYN_A_CORRECTED, 0.961, 0.007, 0.110,
     0.067, 0.37, 0.75},
    {"A 2 fluxes, TSKIP 7, AIC", 'A', 2, 7, MLK_RULE_AIC, SYN_A_CORRECTED, 1.019, 0.007, 0.098,
     0.085, 0.61, 0.94},
    {"A 2 fluxes, TSKIP 7, weighted", 'A', 2, 7, MLK_RULE_WEIGHTED, SYN_A_CORRECTED, 1.013, 0.006,
     0.091, 0.099, 0.72, 0.99},
    {"A 2 fluxes, TSKIP 10, AIC", 'A', 2, 10, MLK_RULE_AIC, SYN_A_CORRECTED, 1.013, 0.007, 0.101,
     0.087, 0.63, 0.93},
    {"A 2 fluxes, TSKIP 10, weighted", 'A', 2, 10, MLK_RULE_WEIGHTED, SYN_A_CORRECTED, 1.010, 0.007,
     0.097, 0.106, 0.75, 0.98},
    {"A naive, TSKIP 10, AIC", 'A', 1, 10, MLK_RULE_AIC, SYN_A_NAIVE, 1.016, 0.009, 0.131, 0.109,
     0.63, 0.89},
    {"B 3 fluxes, TSKIP 10, AIC", 'B', 3, 10, MLK_RULE_AIC, SYN_B_CORRECTED, 0.929, 0.008, 0.130,
     0.084, 0.49, 0.75},
    {"B 3 fluxes, TSKIP 25, AIC", 'B', 3, 25, MLK_RULE_AIC, SYN_B_CORRECTED, 0.951, 0.009, 0.132,
     0.091, 0.48, 0.75},
    {"B 3 fluxes, TSKIP 100, AIC", 'B', 3, 100, MLK_RULE_AIC, SYN_B_CORRECTED, 0.999, 0.010, 0.146,
     0.116, 0.61, 0.90},
    {"B 3 fluxes, TSKIP 100, weighted", 'B', 3, 100, MLK_RULE_WEIGHTED, SYN_B_CORRECTED, 0.999,
     0.010, 0.141, 0.172, 0.81, 0.98},
};
enum { N_ROW = sizeof rows / sizeof *rows };

static void print(const char *name, const tally *t)
{
    printf("%-34s ratio %.3f (%.3f)  rms %.3f  quoted %.3f  cover %.2f %.2f  <z^2> %.2f\n", name,
           t->ratio / t->n, sqrt(t->sq / t->n / t->n), sqrt(t->sq / t->n), t->quoted / t->n,
           t->c1 / t->n, t->c2 / t->n, t->z2 / t->n);
}

static void analyse(const mlk_flux *fl, const row *r, tally *t)
{
    static const int set[3] = {0, 1, 2};
    mlk_spectra sp;
    mlk_cepstral cp;
    mlk_err e = {0};
    mlk_check_ok(mlk_spectra_init(&sp, fl, r->tskip, 1, &e), e);
    mlk_check_ok(mlk_cepstral_init(&cp, &sp, r->m, set, r->rule, 0, &e), e);
    count(t, 0.5 * exp(cp.ln_s0), cp.sigma, r->exact);
    mlk_cepstral_free(&cp);
    mlk_spectra_free(&sp);
}

/* default options: automatic f*, flux set, pieces and cut-off; index 0 corrected, 1 naive, 2 and 3
 * the same by Green-Kubo, 4 Theta (counted as exp(Theta), so that log gives the difference) */
static void defaults(const mlk_flux *fl, double corrected, double naive, tally t[5])
{
    mlk_onsager on;
    mlk_err e = {0};
    mlk_onsager_opts o = {.rule = MLK_RULE_SHAPES, .pool = 1};
    mlk_check_ok(mlk_onsager_init(&on, fl, &o, NULL, &e), e);
    double s = on.kappa_scale;
    count(t, on.kappa, on.kappa_err / on.kappa, s * corrected);
    count(t + 1, on.kappa_naive, on.kappa_naive_err / on.kappa_naive, s * naive);
    count(t + 2, on.gk.at_schur, on.gk.at_schur_err / on.gk.at_schur, corrected);
    count(t + 3, on.gk.at_naive, on.gk.at_naive_err / on.gk.at_naive, naive);
    if (on.m > 1) count(t + 4, exp(on.theta), on.theta_err, exp(1 - corrected / naive));
    mlk_onsager_free(&on);
}

/* the fraction p +- its binomial error over SEEDS agrees with q of the reference (as many seeds) */
static void agree(const char *name, const char *what, double p, double q)
{
    double s = sqrt(2 * fmax(q * (1 - q), 0.02) / SEEDS);
    cr_expect(fabs(p - q) < 4 * s, "%s: %s %.3f, reference %.3f, statistical error %.3f", name,
              what, p, q, s);
}

/* bias below 1 % and coverage 0.68 and 0.95, as far as so many seeds can tell (3 standard errors)
 */
static void honest(const tally *t, double rms, char which)
{
    double n = t->n, one = 3 * sqrt(0.68 * 0.32 / n), two = 3 * sqrt(0.95 * 0.05 / n);
    double e = sqrt(t->sq / n), bias = t->ratio / n - 1;
    cr_expect(e < rms, "%c: r.m.s. error %g, plain rule %g", which, e, rms);
    /* LIMIT: 2 % in case C, where a vibration is a hundred times stronger than what diffuses */
    cr_expect(fabs(bias) < (which == 'C' ? 0.02 : 0.01) + 3 * e / sqrt(n), "%c: bias %g", which,
              bias);
    cr_expect(fabs(t->c1 / n - 0.68) < one + 0.04, "%c: one sigma %g", which, t->c1 / n);
    cr_expect(t->c2 / n > 0.95 - two, "%c: two sigma %g", which, t->c2 / n);
}

Test(transport_coverage, reference_table)
{
    tally t[N_ROW] = {0}, da[5] = {0}, db[5] = {0}, dc[5] = {0};
    /* seeds that took no part in the development of the estimator */
    for (uint64_t seed = FIRST; seed < FIRST + SEEDS; seed++) {
        mlk_flux a, b, c;
        syn_flux(&a, 'A', 20000, 1, seed);
        syn_flux(&b, 'B', 100000, 1, seed);
        syn_flux(&c, 'C', 20000, 1, seed);
        for (int r = 0; r < N_ROW; r++) analyse(rows[r].which == 'A' ? &a : &b, rows + r, t + r);
        defaults(&a, SYN_A_CORRECTED, SYN_A_NAIVE, da);
        defaults(&b, SYN_B_CORRECTED, SYN_B_NAIVE, db);
        defaults(&c, SYN_C, SYN_C, dc);
        mlk_flux_free(&a);
        mlk_flux_free(&b);
        mlk_flux_free(&c);
    }
    printf("%d seeds; the line below each is the reference\n", SEEDS);
    for (int r = 0; r < N_ROW; r++) {
        const row *q = rows + r;
        print(q->name, t + r);
        printf("%-34s       %.3f (%.3f)      %.3f         %.3f        %.2f %.2f\n", "", q->ratio,
               q->se, q->rms, q->quoted, q->c1, q->c2);
        double se = hypot(q->se, sqrt(t[r].sq) / SEEDS);
        cr_expect(fabs(t[r].ratio / SEEDS - q->ratio) < 4 * se, "%s: ratio %.3f", q->name,
                  t[r].ratio / SEEDS);
        /* r.m.s. of 200 values has a relative error of 5 %, more with tails */
        cr_expect(fabs(log(sqrt(t[r].sq / SEEDS) / q->rms)) < 0.3, "%s: rms", q->name);
        cr_expect(fabs(log(t[r].quoted / SEEDS / q->quoted)) < 0.1, "%s: quoted", q->name);
        agree(q->name, "one sigma", t[r].c1 / SEEDS, q->c1);
        agree(q->name, "two sigma", t[r].c2 / SEEDS, q->c2);
    }
    static const char *const what[5] = {"corrected", "naive", "corrected, Green-Kubo",
                                        "naive, Green-Kubo", "Theta"};
    const tally *const d[3] = {da, db, dc};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 5; i++) {
            char name[64];
            snprintf(name, sizeof name, "%c default %s", "ABC"[k], what[i]);
            if (d[k][i].n > 0) print(name, d[k] + i);
        }
    /* The default beats the best f* of the plain rule in r.m.s. error, and its error bars are
     * honest: over thousands of other seeds coverage is 0.70 and 0.96 (docs/THEORY.md). */
    static const double aic[3] = {0.098, 0.13, 0.117};
    for (int k = 0; k < 3; k++) honest(d[k], aic[k], "ABC"[k]);
    fflush(stdout);
}

/* processes that nothing was tuned on, with fewer seeds */
Test(transport_coverage, other_processes)
{
    static const struct {
        const char *name;
        char which;
        size_t n, runs;
    } p[] = {{"A, 20 ps", 'A', 4000, 1},
             {"A, one Cartesian component", 'a', 20000, 1},
             {"A, three runs of 50 ps", 'A', 10000, 3},
             {"S, one flux", 'S', 20000, 1},
             {"O, mode at 2 THz", 'O', 20000, 1}};
    for (size_t k = 0; k < sizeof p / sizeof *p; k++) {
        tally t[5] = {0};
        for (uint64_t seed = 1; seed <= FEW; seed++) {
            mlk_flux fl;
            syn_flux(&fl, p[k].which, p[k].n, p[k].runs, seed);
            defaults(&fl, syn_exact(p[k].which, 2), syn_exact(p[k].which, 1), t);
            mlk_flux_free(&fl);
        }
        char name[64];
        snprintf(name, sizeof name, "%s: corrected", p[k].name);
        print(name, t);
        snprintf(name, sizeof name, "%s: naive", p[k].name);
        print(name, t + 1);
        for (int q = 0; q < 2; q++) honest(t + q, INFINITY, p[k].which);
    }
    fflush(stdout);
}
