/* test_transport_quantities.c - everything that follows from a transport analysis, against exactly
 * solvable processes and against identities that hold on any trajectory. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/stats.h"
#include "core/units.h"
#include "tests/support/check.h"
#include "tests/support/synthetic.h"
#include "transport/compare.h"
#include "transport/quantities.h"
#include "transport/spectral.h"

static const mlk_onsager_opts DEFAULT = {.rule = MLK_RULE_WEIGHTED, .pool = 1};

static void rel(const char *what, double v, double x, double tol)
{
    cr_expect(fabs(v - x) <= tol * fabs(x), "%s: %.15g, expected %.15g, relative difference %.3g",
              what, v, x, fabs(v / x - 1));
}

static void within(const char *what, double v, double err, double x, double sigmas)
{
    cr_expect(err > 0 && fabs(v - x) < sigmas * err, "%s: %g +- %g, exact %g", what, v, err, x);
}

/* J_a += c J_b; on the convective part as well when there are parts */
static void shift(mlk_flux *fl, size_t a, size_t b, double c)
{
    for (size_t q = 0; q < fl->nc; q++) {
        double *x = mlk_flux_series(fl, a, q);
        const double *y = mlk_flux_series(fl, b, q);
        for (size_t t = 0; t < fl->n; t++) x[t] += c * y[t];
        for (size_t t = 0; t < fl->n && fl->has_parts; t++) mlk_flux_part(fl, 1, q)[t] += c * y[t];
    }
}

/* deviation in errors; positive numbers on the logarithm, on which the errors are normal */
static double score(double v, double err, double x, int positive)
{
    return positive ? log(v / x) * v / err : (v - x) / err;
}

/* seed: mean square deviation over its error of every element of both tensors */
static void tensor_seed(uint64_t seed, double *z2, size_t *n, mlk_tensor *t)
{
    mlk_flux fl;
    mlk_onsager on;
    mlk_err e = {0};
    double naive[9], kappa[9];
    syn_tensor(&fl, 20000, seed, 1, naive, kappa);
    mlk_check_ok(mlk_onsager_init(&on, &fl, &DEFAULT, NULL, &e), e);
    mlk_check_ok(mlk_tensor_init(t, &on, &fl, &DEFAULT, &e), e);
    cr_assert(!t->missing[0], "%s", t->missing);
    for (int i = 0; i < 9; i++) {
        if (i % 3 < i / 3) continue;
        double a = score(t->naive[i], t->naive_err[i], on.kappa_scale * naive[i], i % 4 == 0);
        double b = score(t->kappa[i], t->kappa_err[i], on.kappa_scale * kappa[i], i % 4 == 0);
        *z2 += a * a + b * b, *n += 2;
        cr_expect(fabs(a) < 5 && fabs(b) < 5, "seed %d, element %d: %.2f and %.2f errors off",
                  (int)seed, i, a, b);
    }
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
}

/* 200 seeds: bias below 2 %, one sigma covers 0.63 to 0.74, two 0.91 to 0.96 */
Test(transport_quantities, tensor_of_an_anisotropic_process)
{
    enum { SEEDS = 12 };
    double z2 = 0;
    size_t n = 0;
    mlk_tensor t;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) tensor_seed(seed, &z2, &n, &t);
    cr_expect(z2 / (double)n > 0.5 && z2 / (double)n < 1.8, "mean square z %g", z2 / (double)n);
    cr_expect(t.positive && t.isotropic_p < 1e-3);
    /* eigenvectors belong to the eigenvalues, the trace is theirs */
    for (int a = 0; a < 3; a++) {
        double v = 0;
        for (int i = 0; i < 9; i++) v += t.axis[3 * a + i / 3] * t.kappa[i] * t.axis[3 * a + i % 3];
        rel("principal value", v, t.principal[a], 1e-12);
        for (int b = 0; b < 3; b++) cr_expect(t.kappa[3 * a + b] == t.kappa[3 * b + a]);
    }
    rel("mean", t.mean, (t.kappa[0] + t.kappa[4] + t.kappa[8]) / 3, 1e-12);
}

Test(transport_quantities, tensor_of_an_isotropic_process_and_of_too_little_data)
{
    mlk_flux fl;
    mlk_onsager on;
    mlk_tensor t;
    mlk_err e = {0};
    syn_flux(&fl, 'A', 20000, 1, 3);
    mlk_check_ok(mlk_onsager_init(&on, &fl, &DEFAULT, NULL, &e), e);
    mlk_check_ok(mlk_tensor_init(&t, &on, &fl, &DEFAULT, &e), e);
    cr_expect(t.isotropic_p > 0.01, "p %g", t.isotropic_p);
    within("mean", t.mean, t.mean_err, on.kappa_scale * SYN_A_CORRECTED, 3);
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
    syn_flux(&fl, 'A', 1000, 1, 3);
    mlk_check_ok(mlk_onsager_init(&on, &fl, &DEFAULT, NULL, &e), e);
    mlk_check_ok(mlk_tensor_init(&t, &on, &fl, &DEFAULT, &e), e);
    cr_expect(strstr(t.missing, "pieces"), "%s", t.missing);
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
}

/* everything of two analyses whose energy flux differs by c J_1 */
static void same_but_for_gauge(mlk_flux *fl, double c)
{
    mlk_onsager a, b;
    mlk_quantities *p = malloc(sizeof *p), *q = malloc(sizeof *q);
    mlk_quantity_opts qo = {.target = 0.1};
    mlk_err e = {0};
    mlk_check_ok(mlk_onsager_init(&a, fl, &DEFAULT, NULL, &e), e);
    mlk_check_ok(mlk_quantities_init(p, &a, fl, &DEFAULT, &qo, &e), e);
    cr_assert(a.m == 2);
    shift(fl, 0, (size_t)a.choice.set[1], c);
    mlk_check_ok(mlk_onsager_init(&b, fl, &DEFAULT, NULL, &e), e);
    mlk_check_ok(mlk_quantities_init(q, &b, fl, &DEFAULT, &qo, &e), e);
    shift(fl, 0, (size_t)a.choice.set[1], -c);
    cr_expect(a.tskip == b.tskip && a.pieces == b.pieces && a.m == b.m);
    cr_expect(a.corrected.pstar == b.corrected.pstar && a.gk.limit == b.gk.limit);
    rel("kappa", b.kappa, a.kappa, 1e-10);
    rel("error", b.kappa_err, a.kappa_err, 1e-10);
    cr_expect(fabs(b.kappa_naive / a.kappa_naive - 1) > 1e-3);
    rel("Green-Kubo", b.gk.at_schur, a.gk.at_schur, 1e-10);
    rel("Helfand", q->helfand.kappa, p->helfand.kappa, 1e-10);
    rel("tensor", q->tensor.kappa[0], p->tensor.kappa[0], 1e-10);
    rel("quarter", q->converge.kappa[1], p->converge.kappa[1], 1e-10);
    rel("slope", q->coupling.slope[1], p->coupling.slope[1] + c, 1e-10);
    /* the time-domain matrix is the parabola, and its minimum the corrected value */
    const double *l = a.gk.integral, *r = b.gk.integral;
    size_t k = a.gk.limit, nl = a.gk.n_lag;
    double ee = l[k], em = l[nl + k], mm = l[2 * nl + k];
    rel("parabola EE", r[k], ee + 2 * c * em + c * c * mm, 1e-10);
    rel("parabola EM", r[nl + k], em + c * mm, 1e-10);
    rel("minimum", ee - em * em / mm, b.gk.at_schur, 1e-10);
    for (int i = 0; i < 9 && p->helfand.has_parts; i++)
        cr_expect(fabs(q->helfand.corrected[i] - p->helfand.corrected[i]) < 1e-8 * a.kappa,
                  "part %d: %.12g, %.12g", i, q->helfand.corrected[i], p->helfand.corrected[i]);
    mlk_onsager_free(&a), mlk_onsager_free(&b);
    free(p), free(q);
}

Test(transport_quantities, nothing_corrected_depends_on_the_zero_of_energies)
{
    mlk_flux fl;
    mlk_err e = {0};
    syn_flux(&fl, 'A', 20000, 1, 5);
    for (int k = -2; k <= 3; k++)
        if (k) same_but_for_gauge(&fl, 1500.0 * k);
    mlk_flux_free(&fl);
    const char *path = "build/test_quantities.h5";
    syn_h5md(path, 6000, 8);
    mlk_check_ok(mlk_flux_read_h5md(&fl, path, &e), e);
    remove(path);
    same_but_for_gauge(&fl, 0.7);
    same_but_for_gauge(&fl, -3);
    mlk_flux_free(&fl);
}

Test(transport_quantities, sweep_heat_and_offsets_of_case_a)
{
    mlk_flux fl;
    mlk_onsager on;
    mlk_coupling c;
    mlk_err e = {0};
    double x[5], naive[5], err[5], kappa[5], back[2], back_err;
    syn_flux(&fl, 'A', 20000, 1, 9);
    mlk_check_ok(mlk_onsager_init(&on, &fl, &DEFAULT, NULL, &e), e);
    mlk_coupling_init(&c, &on, &fl, &DEFAULT);
    within("heat", c.heat[1], c.heat_err[1], SYN_A_EM / SYN_A_MM, 3);
    static const double exact[4] = {SYN_A_NAIVE, SYN_A_EM, SYN_A_EM, SYN_A_MM};
    for (size_t i = 0; i < 4; i++)
        within("L", on.l[i], c.l_err[i], exact[i] * mlk_onsager_si(&on, &fl, i / 2, i % 2), 3);
    for (int k = 0; k < 5; k++) x[k] = -c.heat[1] * 0.5 * k; /* 0 .. twice the minimum */
    mlk_check_ok(mlk_coupling_sweep(&c, &on, &DEFAULT, 1, 5, x, naive, err, kappa, &e), e);
    rel("no offset", naive[0], on.kappa_naive, 1e-12);
    for (int k = 0; k < 5; k++) rel("kappa", kappa[k], on.kappa, 1e-10);
    cr_expect(naive[2] < naive[1] && naive[2] < naive[3]);
    within("naive at the minimum", naive[2], hypot(err[2], on.kappa_err), on.kappa, 2);
    double far = on.kappa_scale * (SYN_A_NAIVE - 4e3 * SYN_A_EM + 4e6 * SYN_A_MM);
    mlk_coupling_offset(&c, &on, far, back, &back_err);
    within("offset of a naive value", back[0], back_err, -2e3, 3);
    mlk_coupling_offset(&c, &on, 0.5 * on.kappa, back, &back_err);
    cr_expect(isnan(back[0]));
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
}

/* 300 seeds of 20000 samples: 0.050, 0.010 and 0.000 below p = 0.05, 0.01 and 0.001 */
Test(transport_quantities, no_coupling_is_found_where_there_is_none)
{
    enum { SEEDS = 80 };
    int below = 0, inside = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        mlk_flux fl;
        mlk_onsager on;
        mlk_err e = {0};
        double naive[9], kappa[9];
        syn_tensor(&fl, 6000, seed, 0, naive, kappa);
        mlk_check_ok(mlk_onsager_init(&on, &fl, &DEFAULT, NULL, &e), e);
        below += on.theta_p < 0.05;
        inside += fabs(on.theta) < on.theta_err;
        mlk_onsager_free(&on);
        mlk_flux_free(&fl);
    }
    cr_expect(below <= 11, "%d of %d below 0.05", below, SEEDS); /* binomial, 0.3 % */
    cr_expect(inside >= 40, "%d of %d within one error", inside, SEEDS);
}

Test(transport_quantities, parts_conductivities_and_diffusivity_of_a_run)
{
    mlk_flux fl;
    mlk_onsager on;
    mlk_quantities *q = malloc(sizeof *q);
    mlk_err e = {0};
    mlk_onsager_opts o = DEFAULT;
    mlk_quantity_opts qo = {.target = 0.05, .capacity = 2};
    const char *path = "build/test_quantities_parts.h5";
    syn_h5md(path, 20000, 2);
    mlk_check_ok(mlk_flux_read_h5md(&fl, path, &e), e);
    remove(path);
    o.has_charge = 1;
    for (size_t a = 1; a < fl.m; a++) {
        o.ion[a] = !strcmp(fl.label[a], "Li") ? 1 : !strcmp(fl.label[a], "P") ? 5 : -2;
        o.charge[a] = o.ion[a] / fl.mass[a];
    }
    mlk_check_ok(mlk_onsager_init(&on, &fl, &o, NULL, &e), e);
    mlk_check_ok(mlk_quantities_init(q, &on, &fl, &o, &qo, &e), e);
    const mlk_helfand *h = &q->helfand;
    double sum[2] = {0};
    for (int i = 0; i < 9; i++) sum[0] += h->part[i], sum[1] += h->corrected[i];
    cr_assert(h->has_parts);
    rel("parts of the naive value", sum[0], on.kappa_scale * on.gk.at_naive, 1e-10);
    rel("parts of the corrected value", sum[1], on.kappa_scale * on.gk.at_schur, 1e-8);
    for (int p = 0; p < 3; p++)
        rel("row sums", h->part[3 * p] + h->part[3 * p + 1] + h->part[3 * p + 2],
            on.kappa_scale * on.gk.part[p], 1e-9);
    /* kinetic and convective flux are multiples of the Li flux here: nothing is left of them */
    for (int i = 0; i < 8; i++)
        cr_expect(fabs(h->corrected[i]) < 1e-9 * on.kappa, "%d: %g", i, h->corrected[i]);
    within("Green-Kubo conductivity", h->sigma_gk, hypot(h->sigma_gk_err, on.sigma_err), on.sigma,
           3);
    within("Einstein conductivity", h->sigma_einstein, hypot(h->sigma_einstein_err, on.sigma_err),
           on.sigma, 3);
    /* atoms move independently but for the momentum they share: D of the charge is that of an atom
     * times one plus what the recoil of the frame adds */
    cr_expect(q->charge_d > 0.5 * SYN_RUN_D && q->charge_d < 2 * SYN_RUN_D, "%g", q->charge_d);
    rel("diffusivity", q->diffusivity, on.kappa / 2, 1e-12);
    qo.per_gram = 1;
    mlk_check_ok(mlk_quantities_init(q, &on, &fl, &o, &qo, &e), e);
    double mass = 0;
    for (size_t a = 1; a < fl.m; a++) mass += fl.mass[a] * fl.count[a];
    rel("by mass", q->diffusivity, on.kappa / (2 * mass * MLK_AMU_KG * 1e27 / fl.volume), 1e-12);
    for (size_t a = 1; a < fl.m; a++) fl.mass[a] = 0;
    cr_expect(mlk_quantities_init(q, &on, &fl, &o, &qo, &e) == MLK_EINVAL);
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
    free(q);
}

/* Einstein and Green-Kubo matrices against the exact one; 300 seeds: one sigma covers 0.68 to 0.81
 */
Test(transport_quantities, time_domain_matrices_of_case_a)
{
    static const double exact[4] = {SYN_A_NAIVE, SYN_A_EM, SYN_A_EM, SYN_A_MM};
    enum { SEEDS = 40 };
    double z2[2] = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        mlk_flux fl;
        mlk_onsager on;
        mlk_helfand h;
        mlk_err e = {0};
        syn_flux(&fl, 'A', 10000, 2, seed); /* two runs */
        mlk_check_ok(mlk_onsager_init(&on, &fl, &DEFAULT, NULL, &e), e);
        mlk_check_ok(mlk_helfand_init(&h, &on, &fl, &DEFAULT, &e), e);
        rel("same integral", h.gk_l[0] / mlk_onsager_si(&on, &fl, 0, 0), on.gk.at_naive, 1e-10);
        for (size_t i = 0; i < 4; i++) {
            double x = exact[i] * mlk_onsager_si(&on, &fl, i / 2, i % 2);
            z2[0] += pow((h.gk_l[i] - x) / h.gk_l_err[i], 2);
            z2[1] += pow((h.l[i] - x) / h.l_err[i], 2);
        }
        mlk_onsager_free(&on);
        mlk_flux_free(&fl);
    }
    for (int k = 0; k < 2; k++)
        cr_expect(z2[k] / (4 * SEEDS) > 0.3 && z2[k] / (4 * SEEDS) < 1.9, "%d: %g", k,
                  z2[k] / (4 * SEEDS));
}

/* 200 seeds: predicted from 100 ps 0.224, 0.159, 0.112; quoted 0.249, 0.155, 0.107; achieved 0.258,
 * 0.154, 0.099 at 12.5, 25 and 50 ps */
Test(transport_quantities, length_is_predicted)
{
    enum { SEEDS = 16 };
    double quarter = 0, predicted = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        mlk_flux fl;
        mlk_onsager on;
        mlk_converge c;
        mlk_err e = {0};
        syn_flux(&fl, 'A', 20000, 1, seed);
        mlk_check_ok(mlk_onsager_init(&on, &fl, &DEFAULT, NULL, &e), e);
        mlk_check_ok(mlk_converge_init(&c, &on, &fl, &DEFAULT, 0.02, &e), e);
        cr_expect(c.kappa[7] == on.kappa && c.naive_err[7] == on.kappa_naive_err);
        rel("length", c.need, 100 * pow(on.kappa_err / on.kappa / 0.02, 2), 1e-12);
        quarter += c.kappa_err[1] / c.kappa[1] / SEEDS;
        predicted += 2 * on.kappa_err / on.kappa / SEEDS;
        mlk_onsager_free(&on);
        mlk_flux_free(&fl);
    }
    cr_expect(fabs(log(quarter / predicted)) < 0.2, "quarter %g, predicted %g", quarter, predicted);
}

/* fluxes of case A and further ones made from them */
static void extended(mlk_flux *fl, size_t m)
{
    mlk_flux a;
    syn_flux(&a, 'A', 20000, 1, 4);
    cr_assert(!mlk_flux_init(fl, a.n, m, 3, 0, NULL, NULL));
    fl->dt = a.dt, fl->volume = a.volume, fl->temperature = a.temperature;
    for (size_t i = 0; i < m; i++) snprintf(fl->label[i], sizeof fl->label[i], "j%zu", i);
    for (size_t i = 0; i < 2; i++)
        for (size_t c = 0; c < 3; c++)
            memcpy(mlk_flux_series(fl, i, c), mlk_flux_series(&a, i, c), a.n * sizeof(double));
    mlk_flux_free(&a);
}

Test(transport_quantities, dependent_constant_and_charge_fluxes_are_dropped)
{
    mlk_flux a, fl;
    mlk_onsager one, on;
    mlk_err e = {0};
    syn_flux(&a, 'A', 20000, 1, 4);
    mlk_check_ok(mlk_onsager_init(&one, &a, &DEFAULT, NULL, &e), e);
    extended(&fl, 5);
    for (size_t c = 0; c < 3; c++)
        for (size_t t = 0; t < fl.n; t++) {
            double j = mlk_flux_series(&fl, 1, c)[t];
            mlk_flux_series(&fl, 2, c)[t] = 0.3 - 0.65 * j; /* the other species, and a drift */
            mlk_flux_series(&fl, 3, c)[t] = 1.7 * j;        /* the charge */
            mlk_flux_series(&fl, 4, c)[t] = 42;
        }
    mlk_check_ok(mlk_onsager_init(&on, &fl, &DEFAULT, NULL, &e), e);
    cr_expect(on.m == 2, "%zu fluxes", on.m);
    rel("kappa", on.kappa, one.kappa, 0.02); /* the drift, if it is that flux that was kept */
    cr_expect(!strcmp(on.choice.why[4], "its flux is constant"), "%s", on.choice.why[4]);
    int copies = 0;
    for (int k = 1; k < 4; k++) copies += strstr(on.choice.why[k], "combination") != NULL;
    cr_expect(copies == 2);
    mlk_onsager_free(&on);
    for (size_t c = 0; c < 3; c++)
        for (size_t t = 0; t < fl.n; t++) mlk_flux_series(&fl, 0, c)[t] = 3;
    cr_expect(mlk_onsager_init(&on, &fl, &DEFAULT, NULL, &e) == MLK_ENUMERIC);
    cr_expect(strstr(e.msg, "constant"), "%s", e.msg);
    mlk_onsager_free(&one);
    mlk_flux_free(&fl);
    mlk_flux_free(&a);
}

/* molten salt of three species: two independent fluxes of three, dependence through the masses */
Test(transport_quantities, all_species_of_a_salt)
{
    mlk_flux b, fl;
    mlk_onsager two, on;
    mlk_err e = {0};
    syn_flux(&b, 'B', 40000, 1, 4);
    mlk_check_ok(mlk_onsager_init(&two, &b, &DEFAULT, NULL, &e), e);
    cr_assert(!mlk_flux_init(&fl, b.n, 4, 3, 0, NULL, NULL));
    fl.dt = b.dt, fl.volume = b.volume, fl.temperature = b.temperature;
    for (size_t i = 0; i < 4; i++) snprintf(fl.label[i], sizeof fl.label[i], "j%zu", i);
    for (size_t c = 0; c < 3; c++)
        for (size_t t = 0; t < b.n; t++) {
            for (size_t i = 0; i < 3; i++)
                mlk_flux_series(&fl, i, c)[t] = mlk_flux_series(&b, i, c)[t];
            mlk_flux_series(&fl, 3, c)[t] =
                -mlk_flux_series(&b, 1, c)[t] - mlk_flux_series(&b, 2, c)[t];
        }
    mlk_check_ok(mlk_onsager_init(&on, &fl, &DEFAULT, NULL, &e), e);
    cr_expect(on.m == 3, "%zu fluxes", on.m);
    rel("kappa", on.kappa, two.kappa, 1e-9);
    mlk_onsager_free(&on);
    mlk_onsager_free(&two);
    mlk_flux_free(&fl);
    mlk_flux_free(&b);
}

Test(transport_quantities, shares_of_the_power)
{
    mlk_flux fl;
    mlk_onsager on;
    mlk_err e = {0};
    enum { NB = 200 };
    double naive[NB], corrected[NB], share[2 * NB];
    syn_flux(&fl, 'A', 20000, 1, 6);
    mlk_check_ok(mlk_onsager_init(&on, &fl, &DEFAULT, NULL, &e), e);
    mlk_spectral_bands(&on.full, on.m, on.choice.set, NB, naive, corrected, share);
    rel("naive", share[NB - 1], 1, 1e-12);
    rel("corrected", share[2 * NB - 1], 1, 1e-12);
    for (int b = 0; b < NB; b++) cr_expect(corrected[b] < 1.1 * naive[b], "band %d", b);
    /* the lowest band holds 0 to 0.5 THz, where tau = 100 fs has lost little */
    within("corrected", corrected[0], 0.15 * 2 * SYN_A_CORRECTED, 2 * SYN_A_CORRECTED, 3);
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
}

Test(transport_quantities, interval_of_the_spread_between_models)
{
    /* equal errors s: Q(tau) = S/(s^2+tau^2), and for three models P(chi^2 > x) = exp(-x/2) */
    const double x[3] = {1.0, 1.5, 2.0}, err[3] = {0.05, 0.05, 0.05}, s = 0.5;
    mlk_comparison c;
    mlk_err e = {0};
    mlk_check_ok(mlk_compare(3, x, err, &c, &e), e);
    rel("lower", c.tau_lo, sqrt(s / (-2 * log(0.025)) - 0.0025), 1e-9);
    rel("upper", c.tau_hi, sqrt(s / (-2 * log(0.975)) - 0.0025), 1e-9);
    cr_expect(c.tau_lo < c.tau && c.tau < c.tau_hi);
    const double y[3] = {1.00, 1.01, 0.99};
    mlk_check_ok(mlk_compare(3, y, err, &c, &e), e);
    cr_expect(c.tau_lo == 0 && c.tau == 0);
}
