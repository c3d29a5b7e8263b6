/* test_transport_table.c - every transport number with a reference beside it, as one table:
 * molten NaCl against SporTran, published Li3PS4 matrices, exactly solvable processes.
 * `make transport-table` prints it together with the coverage of the error bars. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/support/check.h"
#include "tests/support/shared.h"
#include "tests/support/synthetic.h"
#include "transport/block.h"
#include "transport/corr.h"
#include "transport/onsager.h"
#include "transport/table.h"

/* constants of the reference numbers */
static const double E_REF = 1.6021765e-19, KB_REF = 1.3806504e-23;
static const int SET[3] = {0, 1, 2};

static void head(const char *what)
{
    printf("\n%-52s %16s %16s %12s\n", what, "expected", "obtained", "difference");
}

/* a number that must be reproduced to the relative tolerance tol */
static void same(const char *name, double expected, double obtained, double tol)
{
    double d = fabs(obtained / expected - 1);
    bool good = d <= tol;
    printf("  %-50s %16.9g %16.9g %12.1e %s\n", name, expected, obtained, d, good ? "ok" : "WRONG");
    cr_expect(good, "%s: %.15g, expected %.15g", name, obtained, expected);
}

/* an estimate with a standard error: within three of them on the logarithm */
static void estimate(const char *name, double expected, double v, double err)
{
    double z = log(v / expected) / (err / v);
    bool good = fabs(z) < 3;
    char text[40];
    snprintf(text, sizeof text, "%.4g +- %.2g", v, err);
    printf("  %-50s %16.6g %16s %6.2f sigma %s\n", name, expected, text, z, good ? "ok" : "WRONG");
    cr_expect(good, "%s: %g +- %g, expected %g", name, v, err, expected);
}

static double num(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    cr_assert(json_is_number(v), "reference has no '%s'", key);
    return json_number_value(v);
}

static json_t *reference(const char *file)
{
    char path[1200];
    const char *shared = mlk_test_shared();
    if (!shared) cr_skip_test("the shared reference data are not on this machine");
    snprintf(path, sizeof path, "%s/reference/transport/%s", shared, file);
    json_t *j = json_load_file(path, 0, NULL);
    cr_assert(j, "%s", path);
    return j;
}

static void nacl(mlk_flux *fl)
{
    char path[1200];
    mlk_err e = {0};
    snprintf(path, sizeof path, "%s/reference/transport/nacl.dat.gz", mlk_test_shared());
    mlk_table_opts o = {
        .energy = "2-4", .flux = "Na=5-7", .temp_col = "1", .volume = 65013.301261, .dt = 5};
    mlk_check_ok(mlk_table_read(fl, path, &o, &e), e);
}

/* kappa (times `scale`) and its relative error for m fluxes of sp */
static double kappa(const mlk_spectra *sp, size_t m, mlk_rule rule, size_t p, double scale,
                    double *err)
{
    mlk_cepstral cp;
    mlk_err e = {0};
    mlk_check_ok(mlk_cepstral_init(&cp, sp, m, SET, rule, p, &e), e);
    double v = 0.5 * scale * exp(cp.ln_s0);
    *err = v * cp.sigma;
    mlk_cepstral_free(&cp);
    return v;
}

static void cepstral_rows(const mlk_flux *fl, const json_t *rows, size_t m, double scale)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *r = json_array_get(rows, i);
        char name[80];
        double err;
        mlk_spectra sp;
        mlk_err e = {0};
        mlk_check_ok(mlk_spectra_init(&sp, fl, (size_t)num(r, "tskip"), 1, &e), e);
        double v = kappa(&sp, m, MLK_RULE_AIC, 0, scale, &err);
        snprintf(name, sizeof name, "kappa %s, TSKIP %g", m > 1 ? "corrected" : "naive",
                 num(r, "tskip"));
        same(name, num(r, "value"), v, 1e-9);
        same("  its error", num(r, "std"), err, 1e-9);
        mlk_spectra_free(&sp);
    }
}

static void other_rows(const mlk_flux *fl, const json_t *ref, double scale)
{
    mlk_spectra sp;
    mlk_err e = {0};
    char name[80];
    double err, v;
    mlk_check_ok(mlk_spectra_init(&sp, fl, 7, 1, &e), e);
    const json_t *rows = json_object_get(ref, "cepstral_2c_tskip7_manualP");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *r = json_array_get(rows, i);
        if (num(r, "P") < 2) continue; /* the reference sums its only coefficient twice */
        snprintf(name, sizeof name, "kappa corrected, TSKIP 7, P = %g", num(r, "P"));
        v = kappa(&sp, 2, MLK_RULE_FIXED, (size_t)num(r, "P"), scale, &err);
        same(name, num(r, "kappa"), v, 1e-9);
        same("  its error", num(r, "std"), err, 1e-9);
    }
    v = kappa(&sp, 2, MLK_RULE_WEIGHTED, 0, scale, &err);
    same("kappa corrected, Akaike weights",
         num(json_object_get(ref, "aic_average_tskip7_2c"), "kappa"), v, 1e-9);
    v = kappa(&sp, 1, MLK_RULE_WEIGHTED, 0, scale, &err);
    same("kappa naive, Akaike weights", num(json_object_get(ref, "aic_average_tskip7_1c"), "kappa"),
         v, 1e-9);
    rows = json_object_get(ref, "offset_test_tskip7");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *r = json_array_get(rows, i);
        double a = num(r, "a_eV"), mix[4] = {1, a, 0, 1};
        mlk_spectra moved;
        mlk_check_ok(mlk_spectra_mix(&moved, &sp, 2, mix, &e), e);
        snprintf(name, sizeof name, "gauge %+g eV: corrected", a);
        same(name, num(r, "kappa_2c"), kappa(&moved, 2, MLK_RULE_AIC, 0, scale, &err), 1e-9);
        snprintf(name, sizeof name, "gauge %+g eV: naive", a);
        same(name, num(r, "kappa_1c"), kappa(&moved, 1, MLK_RULE_AIC, 0, scale, &err), 1e-9);
        mlk_spectra_free(&moved);
    }
    mlk_spectra_free(&sp);
    const double charge[2] = {0, num(json_object_get(ref, "charge_flux"), "factor")};
    rows = json_object_get(ref, "sigma_cepstral");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *r = json_array_get(rows, i);
        mlk_spectra q;
        mlk_check_ok(mlk_spectra_init(&sp, fl, (size_t)num(r, "tskip"), 1, &e), e);
        mlk_check_ok(mlk_spectra_mix(&q, &sp, 1, charge, &e), e);
        snprintf(name, sizeof name, "ionic conductivity [S/m], TSKIP %g", num(r, "tskip"));
        v = kappa(&q, 1, MLK_RULE_AIC, 0,
                  mlk_sigma_scale(E_REF, KB_REF, fl->temperature, fl->volume), &err);
        same(name, num(r, "value"), v, 1e-9);
        mlk_spectra_free(&q);
        mlk_spectra_free(&sp);
    }
}

/* I_ab by direct sums over all pairs of samples: nothing of the code under test but the samples */
static void direct_integrals(const mlk_flux *fl, size_t last, double (*i)[3])
{
    double c0[3] = {0};
    memset(i[0], 0, sizeof i[0]);
    for (size_t k = 0; k <= last; k++) {
        double c[3] = {0};
        for (size_t d = 0; d < 3; d++) {
            const double *x = mlk_flux_series(fl, 0, d), *y = mlk_flux_series(fl, 1, d);
            for (size_t t = 0; t + k < fl->n; t++) {
                c[0] += x[t + k] * x[t];
                c[1] += 0.5 * (x[t + k] * y[t] + y[t + k] * x[t]);
                c[2] += y[t + k] * y[t];
            }
        }
        for (int q = 0; q < 3; q++) {
            c[q] /= 3.0 * (double)(fl->n - k);
            if (k > 0) i[k][q] = i[k - 1][q] + 0.5 * fl->dt * (c0[q] + c[q]);
            c0[q] = c[q];
        }
    }
}

static void time_rows(const mlk_flux *fl, const json_t *ref, double scale)
{
    enum { LAST = 1000 };
    static double direct[LAST + 1][3];
    mlk_greenkubo gk;
    mlk_err e = {0};
    char name[80];
    direct_integrals(fl, LAST, direct);
    mlk_check_ok(mlk_greenkubo_init(&gk, fl, 2, SET, LAST + 1, 1000, &e), e);
    const json_t *rows = json_object_get(ref, "time_domain");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *r = json_array_get(rows, i);
        size_t k = (size_t)(num(r, "tau_ps") * 1e3 / fl->dt + 0.5);
        const double *d = direct[k];
        if (k >= gk.n_lag) continue;
        snprintf(name, sizeof name, "Green-Kubo to %g ps, naive", num(r, "tau_ps"));
        same(name, num(r, "kappa_naive"), scale * gk.naive[k], 1e-9);
        same("  direct sums over the samples", scale * d[0], scale * gk.naive[k], 1e-9);
        snprintf(name, sizeof name, "Green-Kubo to %g ps, corrected", num(r, "tau_ps"));
        same(name, num(r, "kappa_schur"), scale * gk.schur[k], 1e-9);
        same("  direct sums over the samples", scale * (d[0] - d[1] * d[1] / d[2]),
             scale * gk.schur[k], 1e-8);
    }
    mlk_greenkubo_free(&gk);
}

Test(transport_table, nacl)
{
    json_t *ref = reference("nacl_reference.json");
    mlk_flux fl;
    mlk_err e = {0};
    clock_t start = clock();
    nacl(&fl);
    mlk_onsager on;
    mlk_onsager_opts o = {.rule = MLK_RULE_SHAPES, .pool = 1};
    mlk_check_ok(mlk_onsager_init(&on, &fl, &o, NULL, &e), e);
    double cpu = (double)(clock() - start) / CLOCKS_PER_SEC;
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    head("molten NaCl, default options against TSKIP 7");
    estimate("kappa corrected [W/m/K]", 0.498309751395 * 1.0000011813, on.kappa, on.kappa_err);
    estimate("kappa naive [W/m/K]", 0.644452053632 * 1.0000011813, on.kappa_naive,
             on.kappa_naive_err);
    printf("  %-50s %16s %16.2f\n", "CPU time, reading to result [s]", "2.2", cpu);
    printf("  %-50s %16s %16.0f\n", "largest memory of the process [MB]", "",
           (double)u.ru_maxrss / 1024);
    mlk_onsager_free(&on);
    double scale = mlk_kappa_scale(E_REF, KB_REF, fl.temperature, fl.volume);
    head("molten NaCl, the same definitions");
    cepstral_rows(&fl, json_object_get(ref, "cepstral_2c"), 2, scale);
    cepstral_rows(&fl, json_object_get(ref, "cepstral_1c"), 1, scale);
    other_rows(&fl, ref, scale);
    time_rows(&fl, ref, scale);
    fflush(stdout);
    mlk_flux_free(&fl);
    json_decref(ref);
}

Test(transport_table, li3ps4)
{
    json_t *ref = reference("li3ps4_650K_published.json");
    head("Li3PS4 at 650 K, from the published integrals");
    static const char *const model[2] = {"nepA", "nepC"};
    for (int k = 0; k < 2; k++) {
        const json_t *r = json_object_get(json_object_get(ref, "results"), model[k]), *d;
        double v[3], l[4], s[3];
        static const char *const key[3] = {"kappa_ee", "L_em", "L_mm"};
        for (int i = 0; i < 3; i++) {
            v[i] = json_number_value(json_array_get(json_object_get(r, key[i]), 0));
            s[i] = json_number_value(json_array_get(json_object_get(r, key[i]), 1));
        }
        l[0] = v[0], l[1] = l[2] = v[1], l[3] = v[2];
        double kap = mlk_schur(2, l);
        d = json_object_get(json_object_get(ref, "derived_here"),
                            "kappa_from_direction_averaged_L");
        char name[80];
        snprintf(name, sizeof name, "%s: kappa from the mean matrix", model[k]);
        same(name, num(d, model[k]), kap, 1e-9);
        /* error by propagation, the elements taken as independent */
        double g = v[1] / v[2],
               err = sqrt(s[0] * s[0] + 4 * g * g * s[1] * s[1] + g * g * g * g * s[2] * s[2]);
        snprintf(name, sizeof name, "%s: published (mean of three directions)", model[k]);
        estimate(name, json_number_value(json_array_get(json_object_get(r, "kappa_corrected"), 0)),
                 kap, err);
    }
    fflush(stdout);
    json_decref(ref);
}

static void solvable(const char *name, char which, size_t n, size_t m, double exact, double naive)
{
    mlk_flux fl;
    mlk_onsager on;
    mlk_err e = {0};
    char text[80];
    mlk_onsager_opts o = {.rule = MLK_RULE_SHAPES, .pool = 1};
    syn_flux(&fl, which, n, 1, 1);
    mlk_check_ok(mlk_onsager_init(&on, &fl, &o, NULL, &e), e);
    cr_expect(on.m == m, "%s: %zu fluxes", name, on.m);
    double s = on.kappa_scale;
    snprintf(text, sizeof text, "%s: corrected", name);
    estimate(text, s * exact, on.kappa, on.kappa_err);
    snprintf(text, sizeof text, "%s: naive", name);
    estimate(text, s * naive, on.kappa_naive, on.kappa_naive_err);
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
}

Test(transport_table, synthetic)
{
    head("exactly solvable, W/m/K; one seed");
    same("A: L_EE summed from its blocks", SYN_A_NAIVE, syn_exact('A', 1), 1e-12);
    same("A: corrected L summed from its blocks", SYN_A_CORRECTED, syn_exact('A', 2), 1e-12);
    solvable("A two fluxes, optical mode", 'A', 20000, 2, SYN_A_CORRECTED, SYN_A_NAIVE);
    solvable("B three fluxes, vector AR(1)", 'B', 100000, 3, SYN_B_CORRECTED, SYN_B_NAIVE);
    solvable("C a species that does not diffuse", 'C', 20000, 1, SYN_C, SYN_C);
    solvable("D linearly dependent and zero fluxes", 'D', 20000, 2, SYN_A_CORRECTED, SYN_A_NAIVE);
    solvable("O optical mode at 2 THz", 'O', 20000, 2, syn_exact('O', 2), syn_exact('O', 1));
    solvable("S one flux", 'S', 20000, 1, syn_exact('S', 1), syn_exact('S', 1));
    fflush(stdout);
}
