/* test_transport.c - the transport stage against recorded molten NaCl (reference: SporTran, see the
 * README of the reference folder), published Li3PS4 matrices and exactly solvable processes. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/units.h"
#include "tests/support/check.h"
#include "tests/support/shared.h"
#include "tests/support/synthetic.h"
#include "transport/block.h"
#include "transport/cepstral.h"
#include "transport/compare.h"
#include "transport/corr.h"
#include "transport/onsager.h"
#include "transport/table.h"

/* constants of the reference numbers */
static const double E_REF = 1.6021765e-19, KB_REF = 1.3806504e-23;
static const int SET[3] = {0, 1, 2};

static const char *folder(void)
{
    const char *shared = mlk_test_shared();
    if (!shared) cr_skip_test("the shared reference data are not on this machine");
    return shared;
}

static void load(mlk_flux *fl, json_t **ref)
{
    char path[1200];
    mlk_err e = {0};
    const char *shared = folder();
    snprintf(path, sizeof path, "%s/reference/transport/nacl.dat.gz", shared);
    mlk_table_opts o = {
        .energy = "2-4", .flux = "Na=5-7", .temp_col = "1", .volume = 65013.301261, .dt = 5};
    mlk_check_ok(mlk_table_read(fl, path, &o, &e), e);
    snprintf(path, sizeof path, "%s/reference/transport/nacl_reference.json", shared);
    if (ref) cr_assert((*ref = json_load_file(path, 0, NULL)));
}

static double num(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    cr_assert(json_is_number(v), "reference has no '%s'", key);
    return json_number_value(v);
}

/* other zero of the energies: J_E + a J_1 */
static void shift(mlk_flux *fl, double a)
{
    for (size_t c = 0; c < fl->nc; c++)
        for (size_t t = 0; t < fl->n; t++)
            mlk_flux_series(fl, 0, c)[t] += a * mlk_flux_series(fl, 1, c)[t];
}

static void rel(const char *what, double v, double x, double tol)
{
    cr_assert(fabs(v - x) <= tol * fabs(x),
              "%s: %.15g, expected %.15g, relative difference %.3g, tolerance %.1g", what, v, x,
              fabs(v / x - 1), tol);
}

/* rows of the tables for m fluxes, every TSKIP; 1e-9 as the reference's README suggests */
static void check_rows(const mlk_flux *fl, const json_t *rows, size_t m)
{
    mlk_err e = {0};
    cr_assert(json_array_size(rows) == 9);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *r = json_array_get(rows, i);
        mlk_spectra sp;
        mlk_cepstral cp;
        mlk_check_ok(mlk_spectra_init(&sp, fl, (size_t)num(r, "tskip"), 1, &e), e);
        mlk_check_ok(mlk_cepstral_init(&cp, &sp, m, SET, MLK_RULE_AIC, 0, &e), e);
        cr_assert(sp.n == (size_t)num(r, "n_steps_resampled"));
        cr_assert(sp.nf == (size_t)num(r, "n_freqs"));
        cr_assert(cp.nu == (size_t)num(r, "ndf_chi"));
        cr_assert(cp.pstar == (size_t)num(r, "Pstar"));
        double scale = mlk_kappa_scale(E_REF, KB_REF, fl->temperature, fl->volume);
        double kappa = 0.5 * scale * exp(cp.ln_s0);
        rel("scale", scale, num(r, "kappa_scale"), 1e-12);
        rel("f*", mlk_spectra_freq(&sp, sp.nf - 1), num(r, "fstar_THz"), 1e-12);
        rel("kappa", kappa, num(r, "value"), 1e-9);
        rel("error", kappa * cp.sigma, num(r, "std"), 1e-9);
        rel("sigma_L0", cp.sigma, num(r, "sigma_L0"), 1e-9);
        rel("c0", cp.coef[0], num(r, "c0"), 1e-9);
        rel("AIC", cp.aic[cp.pstar - 1], num(r, "aic_min"), 1e-9);
        mlk_cepstral_free(&cp);
        mlk_spectra_free(&sp);
    }
}

Test(transport, nacl_every_row)
{
    mlk_flux fl;
    json_t *ref;
    load(&fl, &ref);
    cr_assert(fl.n == 20000);
    rel("T", fl.temperature, num(json_object_get(ref, "input"), "temperature_mean_K"), 1e-12);
    check_rows(&fl, json_object_get(ref, "cepstral_2c"), 2);
    check_rows(&fl, json_object_get(ref, "cepstral_1c"), 1);
    json_decref(ref);
    mlk_flux_free(&fl);
}

Test(transport, nacl_other_cutoffs_averages_and_scale)
{
    mlk_flux fl;
    json_t *ref;
    mlk_err e = {0};
    mlk_spectra sp;
    mlk_cepstral cp;
    load(&fl, &ref);
    double scale = mlk_kappa_scale(E_REF, KB_REF, fl.temperature, fl.volume);
    mlk_check_ok(mlk_spectra_init(&sp, &fl, 7, 1, &e), e);
    const json_t *rows = json_object_get(ref, "cepstral_2c_tskip7_manualP");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *r = json_array_get(rows, i);
        if (num(r, "P") < 2) continue; /* see nacl_pointwise */
        mlk_check_ok(mlk_cepstral_init(&cp, &sp, 2, SET, MLK_RULE_FIXED, (size_t)num(r, "P"), &e),
                     e);
        rel("kappa", 0.5 * scale * exp(cp.ln_s0), num(r, "kappa"), 1e-9);
        rel("error", 0.5 * scale * exp(cp.ln_s0) * cp.sigma, num(r, "std"), 1e-9);
        mlk_cepstral_free(&cp);
    }
    for (size_t m = 1; m <= 2; m++) {
        const json_t *r =
            json_object_get(ref, m == 2 ? "aic_average_tskip7_2c" : "aic_average_tskip7_1c");
        mlk_check_ok(mlk_cepstral_init(&cp, &sp, m, SET, MLK_RULE_WEIGHTED, 0, &e), e);
        rel("weighted kappa", 0.5 * scale * exp(cp.ln_s0), num(r, "kappa"), 1e-9);
        rel("weighted error", cp.sigma, num(r, "sigma"), 1e-9);
        mlk_cepstral_free(&cp);
    }
    mlk_spectra_free(&sp);
    for (size_t c = 0; c < 3; c++)
        for (size_t t = 0; t < fl.n; t++)
            mlk_flux_series(&fl, 1, c)[t] *= 1e6; /* the scale of a mass flux is free */
    mlk_check_ok(mlk_spectra_init(&sp, &fl, 7, 1, &e), e);
    mlk_check_ok(mlk_cepstral_init(&cp, &sp, 2, SET, MLK_RULE_AIC, 0, &e), e);
    rel("kappa", 0.5 * scale * exp(cp.ln_s0),
        num(json_object_get(ref, "mass_flux_rescaled_1e6"), "value"), 1e-9);
    mlk_cepstral_free(&cp);
    mlk_spectra_free(&sp);
    json_decref(ref);
    mlk_flux_free(&fl);
}

Test(transport, nacl_pointwise)
{
    mlk_flux fl;
    mlk_err e = {0};
    mlk_spectra sp;
    mlk_cepstral cp;
    char path[1200], *text;
    load(&fl, NULL);
    snprintf(path, sizeof path, "%s/reference/transport/nacl_2c_tskip7.csv.gz", folder());
    mlk_check_ok(mlk_file_slurp(path, &text, NULL, &e), e);
    mlk_check_ok(mlk_spectra_init(&sp, &fl, 7, 1, &e), e);
    mlk_check_ok(mlk_cepstral_init(&cp, &sp, 2, SET, MLK_RULE_AIC, 0, &e), e);
    double scale = mlk_kappa_scale(E_REF, KB_REF, fl.temperature, fl.volume);
    size_t rows = 0;
    char *p = strchr(text, '\n') + 1;
    for (; *p; rows++) {
        double v[11];
        for (int c = 0; c < 11; c++) v[c] = strtod(p, &p), p += *p == ',';
        p += *p == '\n';
        size_t k = (size_t)v[0];
        cr_assert(k == rows && k < cp.nf);
        double lambda = k == 0 || k + 1 == cp.nf ? cp.lambda_end : cp.lambda;
        mlk_check_close(mlk_spectra_freq(&sp, k), v[1], 1e-10);
        mlk_check_close(log(cp.psd[k]), v[2], 1e-9 * fabs(v[2]));
        mlk_check_close(log(cp.smooth[k]) + lambda, v[3], 1e-9 * fabs(v[3]));
        /* coefficients are sums of terms of size 15: their rounding is absolute */
        mlk_check_close(cp.coef[k], v[4], 1e-12 + 1e-9 * fabs(v[4]));
        mlk_check_close(cp.aic[k], v[6], 1e-9 * fabs(v[6]));
        /* NOTE: with a single coefficient the reference program counts c_0 twice; step 7 of the
         * definition gives c_0 */
        if (k == 0) {
            mlk_check_close(2 * cp.l0[0] + cp.lambda_end, v[7], 1e-9 * fabs(v[7]));
            continue;
        }
        mlk_check_close(cp.l0[k] + cp.lambda_end, v[7], 1e-9 * fabs(v[7]));
        mlk_check_close(cp.l0_err[k], v[8], 1e-9 * v[8]);
        rel("kappa(P)", 0.5 * scale * exp(cp.l0[k]), v[9], 1e-9);
        rel("error(P)", 0.5 * scale * exp(cp.l0[k]) * cp.l0_err[k], v[10], 1e-9);
    }
    cr_assert(rows == cp.nf, "%zu rows, %zu frequencies", rows, cp.nf);
    mlk_free(text);
    mlk_cepstral_free(&cp);
    mlk_spectra_free(&sp);
    mlk_flux_free(&fl);
}

Test(transport, nacl_time_domain_integrals)
{
    enum { NLAG = 1001 };
    mlk_flux fl;
    json_t *ref;
    mlk_err e = {0};
    load(&fl, &ref);
    double *c = mlk_alloc(3 * NLAG, sizeof *c), *in = mlk_alloc(3 * NLAG, sizeof *in);
    mlk_check_ok(mlk_corr(fl.n, 2, 3, (const double *const *)fl.store.x, NLAG, c, &e), e);
    const json_t *r0 = json_object_get(ref, "R0"), *rows = json_object_get(ref, "time_domain");
    rel("R0 EE", c[0], num(r0, "EE"), 1e-9);
    rel("R0 EM", c[NLAG], num(r0, "EM"), 1e-9);
    rel("R0 MM", c[2 * NLAG], num(r0, "MM"), 1e-9);
    for (size_t r = 0; r < 3; r++) mlk_corr_integral(NLAG, c + r * NLAG, fl.dt, in + r * NLAG);
    double scale = mlk_kappa_scale(E_REF, KB_REF, fl.temperature, fl.volume);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *r = json_array_get(rows, i);
        size_t k = (size_t)(num(r, "tau_ps") * 1e3 / fl.dt + 0.5);
        double ee = in[k], em = in[NLAG + k], mm = in[2 * NLAG + k];
        rel("I_EE", ee, num(r, "I_EE"), 1e-9);
        rel("I_EM", em, num(r, "I_EM"), 1e-9);
        rel("I_MM", mm, num(r, "I_MM"), 1e-9);
        rel("naive", scale * ee, num(r, "kappa_naive"), 1e-9);
        rel("corrected", scale * (ee - em * em / mm), num(r, "kappa_schur"), 1e-9);
    }
    /* the same through the block machinery, with jackknife errors of ten pieces */
    mlk_greenkubo gk;
    mlk_check_ok(mlk_greenkubo_init(&gk, &fl, 2, SET, 0, 1000, &e), e);
    rel("naive at 1 ps", scale * gk.naive[200], 0.6853, 1e-3);
    rel("corrected at 1 ps", scale * gk.schur[200], 0.5316, 1e-3);
    rel("jackknife naive", scale * gk.naive_err[200],
        num(json_array_get(rows, 6), "jackknife10_naive"), 1e-2);
    rel("jackknife corrected", scale * gk.schur_err[200],
        num(json_array_get(rows, 6), "jackknife10_schur"), 1e-2);
    mlk_greenkubo_free(&gk);
    mlk_free(c);
    mlk_free(in);
    json_decref(ref);
    mlk_flux_free(&fl);
}

Test(transport, nacl_gauge_changes_naive_only)
{
    mlk_flux fl;
    json_t *ref;
    mlk_err e = {0};
    load(&fl, &ref);
    const json_t *rows = json_object_get(ref, "offset_test_tskip7");
    double scale = mlk_kappa_scale(E_REF, KB_REF, fl.temperature, fl.volume);
    double before = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *r = json_array_get(rows, i);
        shift(&fl, num(r, "a_eV") - before);
        before = num(r, "a_eV");
        mlk_spectra sp;
        mlk_cepstral cp;
        mlk_check_ok(mlk_spectra_init(&sp, &fl, 7, 1, &e), e);
        for (size_t m = 1; m <= 2; m++) {
            mlk_check_ok(mlk_cepstral_init(&cp, &sp, m, SET, MLK_RULE_AIC, 0, &e), e);
            rel("kappa", 0.5 * scale * exp(cp.ln_s0), num(r, m == 2 ? "kappa_2c" : "kappa_1c"),
                1e-9);
            cr_assert(cp.pstar == (size_t)num(r, m == 2 ? "P_2c" : "P_1c"));
            mlk_cepstral_free(&cp);
        }
        mlk_spectra_free(&sp);
    }
    json_decref(ref);
    mlk_flux_free(&fl);
}

Test(transport, nacl_conductivity)
{
    mlk_flux fl;
    json_t *ref;
    mlk_err e = {0};
    load(&fl, &ref);
    const json_t *rows = json_object_get(ref, "sigma_cepstral");
    double t[2] = {0, num(json_object_get(ref, "charge_flux"), "factor")};
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *r = json_array_get(rows, i);
        mlk_spectra sp, q;
        mlk_cepstral cp;
        mlk_check_ok(mlk_spectra_init(&sp, &fl, (size_t)num(r, "tskip"), 1, &e), e);
        mlk_check_ok(mlk_spectra_mix(&q, &sp, 1, t, &e), e);
        mlk_check_ok(mlk_cepstral_init(&cp, &q, 1, SET, MLK_RULE_AIC, 0, &e), e);
        double scale = mlk_sigma_scale(E_REF, KB_REF, fl.temperature, fl.volume);
        rel("scale", scale, num(r, "kappa_scale"), 1e-12);
        rel("sigma", 0.5 * scale * exp(cp.ln_s0), num(r, "value"), 1e-9);
        rel("error", 0.5 * scale * exp(cp.ln_s0) * cp.sigma, num(r, "std"), 1e-9);
        mlk_cepstral_free(&cp);
        mlk_spectra_free(&q);
        mlk_spectra_free(&sp);
    }
    json_decref(ref);
    mlk_flux_free(&fl);
}

/* whole stage: default options agree with the reference within the error bars, and the result does
 * not depend on the zero of the energies although f* is chosen automatically */
Test(transport, nacl_default_is_consistent_and_gauge_invariant)
{
    mlk_flux fl;
    mlk_err e = {0};
    mlk_onsager a, b;
    mlk_onsager_opts o = {.rule = MLK_RULE_SHAPES, .pool = 1};
    load(&fl, NULL);
    mlk_check_ok(mlk_onsager_init(&a, &fl, &o, NULL, &e), e);
    cr_assert(fabs(a.kappa - 0.4983) < 2 * 0.028, "kappa %g", a.kappa);
    cr_assert(a.m == 2 && a.theta_p < 1e-3);
    shift(&fl, 3000);
    mlk_check_ok(mlk_onsager_init(&b, &fl, &o, NULL, &e), e);
    rel("kappa", b.kappa, a.kappa, 1e-10);
    rel("error", b.kappa_err, a.kappa_err, 1e-10);
    rel("Green-Kubo", b.gk.schur[100], a.gk.schur[100], 1e-10);
    cr_assert(b.tskip == a.tskip);
    cr_assert(fabs(b.kappa_naive / a.kappa_naive - 1) > 0.5);
    /* the parabola of the reported matrix has kappa as its minimum */
    double c = -a.l_raw[1] / a.l_raw[3], lmin = a.l_raw[0] + c * (2 * a.l_raw[1] + c * a.l_raw[3]);
    rel("minimum", a.kappa_scale * lmin, a.kappa, 1e-12);
    mlk_onsager_free(&a);
    mlk_onsager_free(&b);
    mlk_flux_free(&fl);
}

/* kappa from the published matrices; L carries the prefactor 1/(kB V T^2) */
Test(transport, li3ps4_published)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/reference/transport/li3ps4_650K_published.json", folder());
    json_t *j = json_load_file(path, 0, NULL);
    cr_assert(j);
    static const char *const model[2] = {"nepA", "nepC"};
    double kn[2], kc[2], en[2], ec[2];
    for (int k = 0; k < 2; k++) {
        const json_t *r = json_object_get(json_object_get(j, "results"), model[k]);
        const json_t *d = json_object_get(j, "derived_here");
        double ee = json_number_value(json_array_get(json_object_get(r, "kappa_ee"), 0));
        double em = json_number_value(json_array_get(json_object_get(r, "L_em"), 0));
        double mm = json_number_value(json_array_get(json_object_get(r, "L_mm"), 0));
        double l[4] = {ee, em, em, mm};
        rel("kappa", mlk_schur(2, l),
            num(json_object_get(d, "kappa_from_direction_averaged_L"), model[k]), 1e-9);
        rel("Theta", em * em / (ee * mm),
            num(json_object_get(d, "r2 = L_em^2/(L_ee L_mm)"), model[k]), 1e-9);
        kn[k] = ee, en[k] = json_number_value(json_array_get(json_object_get(r, "kappa_ee"), 1));
        kc[k] = json_number_value(json_array_get(json_object_get(r, "kappa_corrected"), 0));
        ec[k] = json_number_value(json_array_get(json_object_get(r, "kappa_corrected"), 1));
    }
    /* uncorrected conductivities of the two models disagree, corrected ones agree */
    mlk_comparison n, c;
    mlk_err e = {0};
    mlk_check_ok(mlk_compare(2, kn, en, &n, &e), e);
    mlk_check_ok(mlk_compare(2, kc, ec, &c, &e), e);
    cr_assert(n.p_value < 1e-6 && c.p_value > 0.05);
    json_decref(j);
}

/* ---- exactly solvable fluxes: one fixed seed each, agreement within 3 quoted errors ---- */

static void within(const char *what, double v, double err, double exact)
{
    cr_assert(fabs(log(v / exact)) < 3 * err / v, "%s: %g +- %g, exact %g", what, v, err, exact);
}

static void run(mlk_onsager *on, const mlk_flux *fl, size_t n_mobile)
{
    mlk_err e = {0};
    mlk_onsager_opts o = {.rule = MLK_RULE_SHAPES, .pool = 1, .n_mobile = n_mobile};
    snprintf(o.mobile[0], 32, "m1");
    mlk_check_ok(mlk_onsager_init(on, fl, &o, NULL, &e), e);
}

Test(transport, case_a_two_fluxes)
{
    mlk_flux fl;
    mlk_onsager on;
    syn_flux(&fl, 'A', 20000, 1, 1);
    run(&on, &fl, 0);
    double s = on.kappa_scale;
    rel("exact kappa of the case", s * SYN_A_CORRECTED, 1.5341887116866084, 1e-5);
    within("corrected", on.kappa, on.kappa_err, s * SYN_A_CORRECTED);
    within("naive", on.kappa_naive, on.kappa_naive_err, s * SYN_A_NAIVE);
    mlk_check_close(on.theta, 0.6425, 3 * on.theta_err);
    cr_assert(on.m == 2 && on.theta_p < 1e-6 && on.l_raw[1] < 0);
    within("L_MM", on.l_raw[3], 0.15 * on.l_raw[3], SYN_A_MM);
    within("Green-Kubo", s * on.gk.at_schur, s * on.gk.at_schur_err, s * SYN_A_CORRECTED);
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
}

Test(transport, case_b_three_fluxes)
{
    mlk_flux fl;
    mlk_onsager on;
    syn_flux(&fl, 'B', 100000, 1, 2);
    run(&on, &fl, 0);
    cr_assert(on.m == 3);
    within("corrected", on.kappa, on.kappa_err, on.kappa_scale * SYN_B_CORRECTED);
    within("naive", on.kappa_naive, on.kappa_naive_err, on.kappa_scale * SYN_B_NAIVE);
    mlk_onsager_free(&on);
    run(&on, &fl, 1);
    cr_assert(on.m == 2);
    within("one flux", on.kappa, on.kappa_err, on.kappa_scale * SYN_B_ONE);
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
}

Test(transport, case_c_bound_species_is_left_out)
{
    mlk_flux fl;
    mlk_onsager on;
    syn_flux(&fl, 'C', 20000, 1, 1);
    run(&on, &fl, 0);
    cr_assert(on.m == 1 && on.choice.dropped[1] && strstr(on.choice.why[1], "vanishes"));
    cr_assert(on.kappa == on.kappa_naive && on.theta == 0);
    within("kappa", on.kappa, on.kappa_err, on.kappa_scale * SYN_C);
    mlk_onsager_free(&on);
    run(&on, &fl, 1); /* forced in: still well behaved */
    cr_assert(on.m == 2);
    within("kappa", on.kappa, on.kappa_err, on.kappa_scale * SYN_C);
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
}

Test(transport, case_d_dependent_and_zero_fluxes_are_dropped)
{
    mlk_flux a, d;
    mlk_onsager x, y;
    syn_flux(&a, 'A', 20000, 1, 7);
    syn_flux(&d, 'D', 20000, 1, 7);
    for (size_t c = 0; c < 3; c++)
        for (size_t t = 0; t < a.n; t++) {
            double m = mlk_flux_series(&a, 1, c)[t];
            mlk_flux_series(&d, 0, c)[t] = mlk_flux_series(&a, 0, c)[t];
            mlk_flux_series(&d, 1, c)[t] = m;
            mlk_flux_series(&d, 2, c)[t] = -0.648 * m;
        }
    run(&x, &a, 0);
    run(&y, &d, 0);
    cr_assert(y.m == 2 && y.corrected.nu == x.corrected.nu);
    rel("kappa", y.kappa, x.kappa, 1e-10);
    cr_assert(strstr(y.choice.why[3], "zero") && y.choice.dropped[3]);
    cr_assert(y.choice.dropped[1] + y.choice.dropped[2] == 1);
    mlk_onsager_free(&x);
    mlk_onsager_free(&y);
    mlk_flux_free(&a);
    mlk_flux_free(&d);
}

Test(transport, too_many_fluxes_is_said_clearly)
{
    mlk_flux fl;
    mlk_err e = {0};
    mlk_spectra sp;
    mlk_cepstral cp;
    const int set[4] = {0, 1, 2, 1};
    syn_flux(&fl, 'B', 2000, 1, 1);
    mlk_check_ok(mlk_spectra_init(&sp, &fl, 1, 1, &e), e);
    cr_assert(mlk_cepstral_init(&cp, &sp, 4, set, MLK_RULE_AIC, 0, &e) == MLK_EINVAL);
    cr_assert(strstr(e.msg, "4 fluxes but only 3 equivalent components") &&
              strstr(e.hint, "--pieces 2"));
    mlk_spectra_free(&sp);
    mlk_flux_free(&fl);
}

Test(transport, replicas_are_pooled_and_judged)
{
    mlk_flux fl;
    mlk_onsager on;
    syn_flux(&fl, 'A', 10000, 4, 3);
    cr_assert(fl.n_segment == 4 && fl.n == 40000);
    run(&on, &fl, 0);
    cr_assert(on.n_replica == 4 && on.sp.ell == 12);
    within("pooled", on.kappa, on.kappa_err, on.kappa_scale * SYN_A_CORRECTED);
    for (size_t r = 0; r < 4; r++)
        within("replica", on.replica[r].kappa, on.replica[r].kappa_err,
               on.kappa_scale * SYN_A_CORRECTED);
    cr_assert(on.replica_p > 0.01 && on.error_scale == 1);
    mlk_onsager_free(&on);
    /* a run of another substance among them is noticed */
    for (size_t c = 0; c < 3; c++)
        for (size_t t = 0; t < 10000; t++) mlk_flux_series(&fl, 0, c)[t] *= 3;
    run(&on, &fl, 0);
    cr_assert(on.replica_p < 1e-3 && on.error_scale > 2);
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
}
