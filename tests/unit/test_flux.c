/* test_flux.c - runs in H5MD: reading, diffusion, choice of the mobile species, conductivity, JSON.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/h5.h"
#include "core/mem.h"
#include "tests/support/check.h"
#include "tests/support/synthetic.h"
#include "transport/output.h"

static void scratch(char *path, const char *tag)
{
    snprintf(path, 256, "/tmp/mlk_test_flux_%ld_%s.h5", (long)getpid(), tag);
}

Test(flux, mobile_species)
{
    static const struct {
        double d[3], err[3], plateau[3];
        int mobile[3];
    } cases[] = {
        {{2.5e-3, 2e-6, 7e-6}, {1e-4, 2e-6, 7e-7}, {1, 0.1, 0.3}, {1, 0, 0}}, /* Li3PS4, 800 K */
        {{1.7e-3, 2e-7, 9e-7}, {8e-4, 1e-6, 3e-6}, {1, 0.1, 0.3}, {1, 0, 0}}, /* short, in doubt */
        {{2e-6, 1e-8, 9e-8}, {8e-6, 8e-8, 5e-7}, {0.5, 0.1, 0.2}, {0, 0, 0}}, /* a crystal */
        {{1e-3, 8e-4, 3e-6}, {1e-4, 4e-4, 7e-7}, {0.5, 0.1, 0.3}, {1, 0, 0}}, /* only the fastest */
        {{1e-3, 8e-4, 3e-6}, {1e-4, 1e-4, 7e-7}, {0.5, 0.1, 0.3}, {1, 1, 0}}, /* two ions */
        {{1e-3, 8e-4, 3e-6}, {1e-4, 1e-4, 7e-7}, {80, 0.1, 0.3}, {0, 1, 0}}}; /* within a cage */
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        mlk_diffusion d = {.n_species = 3, .fit_from = 10, .fit_to = 90};
        for (int a = 0; a < 3; a++)
            d.d[a] = cases[k].d[a], d.d_err[a] = cases[k].err[a],
            d.plateau[a] = cases[k].plateau[a];
        mlk_diffusion_judge(&d);
        for (int a = 0; a < 3; a++)
            cr_expect_eq(d.mobile[a], cases[k].mobile[a], "case %zu, species %d", k, a);
    }
}

Test(flux, h5md_run_from_file_to_json)
{
    char path[2][256];
    mlk_err e = {0};
    mlk_flux fl, more;
    mlk_diffusion d;
    mlk_onsager on;
    for (int r = 0; r < 2; r++) {
        scratch(path[r], r ? "b" : "a");
        syn_h5md(path[r], 12000, 5 + (uint64_t)r);
    }
    mlk_check_ok(mlk_flux_read_h5md(&fl, path[0], &e), e);
    cr_assert(fl.n == 12000 && fl.m == 4 && fl.nc == 3 && fl.has_parts && fl.n_segment == 1);
    cr_assert(fl.temperature == 650 && fl.volume == 1000 && fl.dt == 5);
    cr_assert(!strcmp(fl.label[0], "energy") && !strcmp(fl.label[1], "Li") &&
              !strcmp(fl.label[3], "S"));
    cr_assert(fl.count[1] == 12 && fl.count[2] == 8 && fl.count[3] == 26);
    mlk_check_close(fl.mass[1], 6.94, 1e-12);
    for (size_t c = 0; c < 3; c++) /* parts add up; momentum vanishes */
        for (size_t t = 0; t < fl.n; t++) {
            double parts = -mlk_flux_series(&fl, 0, c)[t], mass = 0;
            for (size_t p = 0; p < 3; p++) parts += mlk_flux_part(&fl, p, c)[t];
            for (size_t a = 1; a < 4; a++) mass += mlk_flux_series(&fl, a, c)[t];
            cr_assert(fabs(parts) < 1e-12 && fabs(mass) < 1e-9);
        }
    mlk_check_ok(mlk_flux_read_h5md(&more, path[1], &e), e);
    mlk_check_ok(mlk_flux_append(&fl, &more, &e), e);
    mlk_flux_free(&more);
    cr_assert(fl.n == 24000 && fl.n_segment == 2 && fl.segment[1] == 12000);
    const char *const files[2] = {path[0], path[1]};
    mlk_check_ok(mlk_diffusion_read(&d, 2, files, &e), e);
    cr_assert(d.n_species == 3 && d.mobile[0] && !d.mobile[1] && !d.mobile[2]);
    mlk_check_close(d.d[0], SYN_RUN_D, 4 * d.d_err[0]);
    cr_assert(d.d_err[0] < 0.25 * SYN_RUN_D && d.d_err[0] > 0.01 * SYN_RUN_D);
    mlk_onsager_opts o = {.rule = MLK_RULE_SHAPES,
                          .pool = 1,
                          .has_charge = 1,
                          .charge = {0, 1 / fl.mass[1], 5 / fl.mass[2], -2 / fl.mass[3]},
                          .ion = {0, 1, 5, -2}};
    mlk_check_ok(mlk_onsager_init(&on, &fl, &o, &d, &e), e);
    cr_assert(on.m == 2 && on.choice.set[1] == 1 && strstr(on.choice.reason, "Li: diffuses"), "%s",
              on.choice.reason);
    /* ions move independently: Haven ratio 1 */
    mlk_check_close(on.haven, 1, 4 * on.haven_err);
    cr_assert(on.haven_err < 0.3);
    /* the coupling 0.3 J_Li is the gauge part: what is left is the flux's own noise */
    double own = 40 * 40 * 80.0166618, coupled = 0.3 * 0.3 * on.l_raw[3];
    mlk_check_close(on.kappa, on.kappa_scale * own, 3 * on.kappa_err);
    mlk_check_close(on.kappa_naive, on.kappa_scale * (own + coupled), 3 * on.kappa_naive_err);
    mlk_check_close(-on.l_raw[1] / on.l_raw[3], -0.3, 0.06);
    mlk_quantities *q = mlk_alloc(1, sizeof *q);
    mlk_check_ok(mlk_quantities_init(q, &on, &fl, &o, &(mlk_quantity_opts){.target = 0.1}, &e), e);
    mlk_check_close(q->coupling.heat[1], 0.3 * fl.mass[1], 3 * q->coupling.heat_err[1]);
    mlk_check_close(q->helfand.sigma_einstein, on.sigma, 3 * q->helfand.sigma_einstein_err);
    json_t *j = mlk_transport_json(&on, &fl, &o, &d, q, 1);
    mlk_free(q);
    static const char *const names[] = {"temperature_K",
                                        "volume_A3",
                                        "dt_fs",
                                        "n_samples",
                                        "fluxes",
                                        "method",
                                        "kappa_naive",
                                        "kappa_naive_err",
                                        "kappa",
                                        "kappa_err",
                                        "theta",
                                        "theta_err",
                                        "L",
                                        "fstar_THz",
                                        "pstar",
                                        "sigma_S_m",
                                        "haven_ratio",
                                        "mobile",
                                        "mobile_reason",
                                        "diffusion",
                                        "curves",
                                        "green_kubo",
                                        "replicas",
                                        "helfand",
                                        "heat_of_transport",
                                        "tensor",
                                        "L_err",
                                        "length_needed_ps",
                                        "n_runs",
                                        "atoms"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        cr_assert(json_object_get(j, names[k]), "%s", names[k]);
    const json_t *c = json_object_get(j, "curves"), *curve, *a;
    const char *key, *sub;
    size_t seen = 0;
    json_object_foreach((json_t *)c, key, curve) json_object_foreach((json_t *)curve, sub, a)
    {
        cr_assert(!json_is_array(a) || (json_array_size(a) <= 600 && json_array_size(a) > 4),
                  "%s.%s", key, sub);
        seen++;
    }
    cr_assert(seen > 15);
    cr_assert(json_array_size(json_object_get(j, "replicas")) == 2);
    json_decref(j);
    mlk_onsager_free(&on);
    mlk_diffusion_free(&d);
    mlk_flux_free(&fl);
    unlink(path[0]);
    unlink(path[1]);
}

/* without positions the same species is found from the spectra: the framework's recoil is
 * recognised */
Test(flux, mobile_species_from_spectra)
{
    char path[256];
    mlk_err e = {0};
    mlk_flux fl;
    mlk_onsager on;
    scratch(path, "s");
    syn_h5md(path, 12000, 9);
    mlk_check_ok(mlk_flux_read_h5md(&fl, path, &e), e);
    mlk_onsager_opts o = {.rule = MLK_RULE_SHAPES, .pool = 1};
    mlk_check_ok(mlk_onsager_init(&on, &fl, &o, NULL, &e), e);
    cr_assert(on.m == 2 && on.choice.set[1] == 1, "%s", on.choice.reason);
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
    unlink(path);
}

Test(flux, bad_runs_are_named)
{
    char path[256];
    mlk_err e = {0};
    mlk_flux fl;
    mlk_h5 *h;
    scratch(path, "n");
    syn_h5md(path, 100, 1);
    const size_t three = 3;
    const double bad[3] = {1, NAN, 2};
    mlk_check_ok(mlk_h5_open(&h, path, "a", &e), e);
    static const char *const sets[6] = {"energy_flux/kinetic", "energy_flux/convective",
                                        "energy_flux/virial",  "mass_flux/Li",
                                        "mass_flux/P",         "mass_flux/S"};
    for (int k = 0; k < 6; k++) {
        char set[128];
        snprintf(set, sizeof set, "/observables/%s/value", sets[k]);
        mlk_check_ok(mlk_h5_append(h, set, MLK_H5_DOUBLE, 1, &three, 1, bad, true, &e), e);
    }
    mlk_check_ok(mlk_h5_close(&h, &e), e);
    cr_assert(mlk_flux_read_h5md(&fl, path, &e) == MLK_ENUMERIC);
    cr_assert(strstr(e.msg, "kinetic") && strstr(e.msg, "sample 101") && strstr(e.file, path));
    unlink(path);
    e = (mlk_err){0};
    cr_assert(mlk_flux_read_h5md(&fl, path, &e) == MLK_EIO);
    mlk_check_ok((e = (mlk_err){0}, mlk_h5_open(&h, path, "w", &e)), e);
    mlk_check_ok(mlk_h5_close(&h, &e), e);
    cr_assert(mlk_flux_read_h5md(&fl, path, &e) == MLK_EFORMAT && strstr(e.hint, "mlkit md"));
    unlink(path);
    mlk_flux a = {0}, b = {0};
    e = (mlk_err){0};
    syn_flux(&a, 'A', 100, 1, 1);
    syn_flux(&b, 'B', 100, 1, 1);
    cr_assert(mlk_flux_append(&a, &b, &e) == MLK_EINVAL && strstr(e.msg, "3 fluxes, expected 2"));
    mlk_flux_free(&a);
    mlk_flux_free(&b);
}

Test(flux, runs_of_nearly_one_volume_are_pooled_per_volume)
{
    mlk_flux a, b;
    mlk_err e = {0};
    mlk_check_ok(mlk_flux_init(&a, 4, 1, 1, 0, NULL, &e), e);
    mlk_check_ok(mlk_flux_init(&b, 2, 1, 1, 0, NULL, &e), e);
    a.dt = b.dt = 1, a.temperature = b.temperature = 300;
    a.volume = 1000, b.volume = 1010;
    double *x = mlk_flux_series(&b, 0, 0);
    x[0] = 3, x[1] = -5;
    mlk_check_ok(mlk_flux_append(&a, &b, &e), e);
    x = mlk_flux_series(&a, 0, 0);
    mlk_check_close(x[4] * x[4] / a.volume, 9 / 1010.0, 1e-15);
    mlk_check_close(x[4] * x[5] / a.volume, -15 / 1010.0, 1e-15);
    b.volume = 1110; /* another state */
    cr_expect_eq(mlk_flux_append(&a, &b, &e), MLK_EINVAL);
    mlk_flux_free(&a);
    mlk_flux_free(&b);
}
