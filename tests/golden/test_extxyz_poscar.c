/* test_extxyz_poscar.c - extended XYZ dialects and POSCAR variants of the shared collection against
 * the readings of two other programs. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/element.h"
#include "core/mem.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "tests/support/collect.h"
#include "tests/support/golden.h"
#include "tests/support/shared.h"

#define NEAR(a, b, tol)                                                                            \
    cr_expect(fabs((a) - (b)) <= (tol), "%s %s: %.12g, expected %.12g", name, #a, (a), (b))
#define SAME(diff, tol) cr_expect((diff) <= (tol), "%s %s: off by %g", name, #diff, (diff))

/* A matrix given as 3 rows or as 9 numbers in a row. */
static double matrix_diff(const json_t *j, const double m[3][3], double unit)
{
    double v[9];
    for (int k = 0; k < 9; k++) v[k] = (&m[0][0])[k] * unit;
    return mlk_test_json_diff(j, v, 9);
}

static void check_symbols(const char *name, const json_t *symbols, const mlk_frame *fr)
{
    cr_expect_eq(json_array_size(symbols), fr->n);
    for (size_t i = 0; i < json_array_size(symbols) && i < fr->n; i++)
        cr_expect_eq(fr->z[i], mlk_element_z(json_string_value(json_array_get(symbols, i))),
                     "%s atom %zu", name, i + 1);
}

static void check_xyz_frame(const char *name, const json_t *s, const mlk_frame *fr)
{
    const json_t *info = json_object_get(s, "info"), *j;
    cr_expect_eq(fr->n, (size_t)json_integer_value(json_object_get(s, "n_atoms")));
    cr_expect(fr->has & MLK_HAS_ENERGY);
    cr_expect(fr->has & MLK_HAS_FORCE);
    NEAR(fr->energy, json_number_value(json_object_get(info, "energy")), 1e-9);
    SAME(mlk_test_json_diff(json_object_get(s, "lattice"), &fr->cell.h[0][0], 9), 1e-9);
    double sum[3] = {0}, fsum[3] = {0}, sq = 0;
    for (size_t i = 0; i < fr->n; i++)
        for (int k = 0; k < 3; k++) {
            sum[k] += fr->x[i][k];
            fsum[k] += fr->f[i][k];
            sq += fr->f[i][k] * fr->f[i][k];
        }
    SAME(mlk_test_json_diff(json_object_get(s, "position_sum"), sum, 3), 1e-8);
    SAME(mlk_test_json_diff(json_object_get(s, "force_sum"), fsum, 3), 1e-8);
    NEAR(sq, json_number_value(json_object_get(s, "force_sq_sum")), 1e-8);
    if ((j = json_object_get(s, "symbols"))) check_symbols(name, j, fr);
    if ((j = json_object_get(s, "positions")))
        SAME(mlk_test_json_diff(j, &fr->x[0][0], 3 * fr->n), 1e-9);
    if ((j = json_object_get(s, "forces")))
        SAME(mlk_test_json_diff(j, &fr->f[0][0], 3 * fr->n), 1e-9);
    const json_t *virial = json_object_get(info, "virial"),
                 *stress = json_object_get(info, "stress");
    if (!virial) virial = json_object_get(info, "virials");
    const bool kbar = json_object_get(info, "stress-unit") != NULL;
    cr_expect_eq((fr->has & MLK_HAS_VIRIAL) != 0, virial || stress, "%s: virial flag", name);
    if (virial) SAME(matrix_diff(virial, (const double(*)[3])fr->virial, 1), 1e-7);
    if (stress)
        SAME(matrix_diff(stress, (const double(*)[3])fr->virial,
                         -1 / fr->cell.volume / (kbar ? MLK_KBAR_EVA3 : 1)),
             kbar ? 1e-9 : 1e-8);
    if ((j = json_object_get(info, "config_type")))
        cr_expect_str_eq(fr->config_type, json_string_value(j));
}

static void check_xyz(const char *name, const char *gold)
{
    char path[600];
    mlk_err e = {0};
    mlk_collection c;
    json_t *g = mlk_golden_load(gold);
    cr_assert(!mlk_test_collect(mlk_test_vasp(path, sizeof path, name), &c, &e), "%s: %s", name,
              e.msg);
    const json_t *steps = json_object_get(g, "steps");
    cr_assert_eq(c.n, json_array_size(steps), "%s: %zu frames", name, c.n);
    for (size_t k = 0; k < c.n; k++) check_xyz_frame(name, json_array_get(steps, k), &c.fr[k]);
    mlk_test_release(&c);
    json_decref(g);
}

Test(extxyz, forces_key)
{
    check_xyz("extxyz_forces_key.xyz", "extxyz_forces_key.xyz");
}
Test(extxyz, gpumd_train_file)
{
    check_xyz("extxyz_gpumd_train.xyz", "extxyz_gpumd_train.xyz");
}
Test(extxyz, gzip_crlf_stress_and_virial)
{
    check_xyz("extxyz_mlff_train.xyz.gz", "extxyz_mlff_train.xyz");
}
Test(extxyz, stress_in_kbar)
{
    check_xyz("extxyz_stress_kbar.xyz", "extxyz_stress_kbar.xyz");
}
Test(extxyz, quip_keys_and_no_pbc)
{
    check_xyz("extxyz_unittest.xyz", "extxyz_unittest.xyz");
}
Test(extxyz, virials_key)
{
    check_xyz("extxyz_virials_key.xyz", "extxyz_virials_key.xyz");
}

static void check_poscar(const char *name, const char *reader)
{
    char path[600];
    mlk_err e = {0};
    mlk_collection c;
    json_t *g = mlk_golden_load(name);
    const json_t *want = json_object_get(json_object_get(g, "cross_checks"), reader), *j;
    cr_assert(!mlk_test_collect(mlk_test_vasp(path, sizeof path, name), &c, &e), "%s: %s", name,
              e.msg);
    cr_assert_eq(c.n, 1);
    const mlk_frame *fr = &c.fr[0];
    check_symbols(name, json_object_get(want, "symbols"), fr);
    SAME(mlk_test_json_diff(json_object_get(want, "lattice"), &fr->cell.h[0][0], 9), 1e-6);
    SAME(mlk_test_json_diff(json_object_get(want, "cartesian"), &fr->x[0][0], 3 * fr->n), 1e-6);
    if (json_is_array(j = json_object_get(want, "velocities"))) {
        double(*v)[3] = malloc(fr->n * sizeof *v);
        cr_assert(fr->has & MLK_HAS_VELOCITY);
        for (size_t i = 0; i < fr->n; i++)
            for (int k = 0; k < 3; k++) v[i][k] = fr->v[i][k] / MLK_TAU_FS;
        SAME(mlk_test_json_diff(j, &v[0][0], 3 * fr->n), 1e-9);
        free(v);
    }
    mlk_test_release(&c);
    json_decref(g);
}

Test(poscar, empty_title_and_lower_case_direct)
{
    check_poscar("POSCAR_metadyn", "pymatgen_2022.11.7");
}
Test(poscar, cartesian_with_scale_factor)
{
    check_poscar("POSCAR_scaled", "pymatgen_2022.11.7");
}
/* Both references mishandle Cartesian positions here (they multiply by the negative number), one
 * also the lattice. The file is POSCAR_scaled with the volume instead of the factor: same
 * fractions. */
Test(poscar, negative_scale_is_the_cell_volume)
{
    char path[600];
    const char *name = "POSCAR_volume_scaled";
    mlk_err e = {0};
    mlk_collection c, d;
    json_t *g = mlk_golden_load(name);
    cr_assert(!mlk_test_collect(mlk_test_vasp(path, sizeof path, name), &c, &e), "%s", e.msg);
    cr_assert(!mlk_test_collect(mlk_test_vasp(path, sizeof path, "POSCAR_scaled"), &d, &e), "%s",
              e.msg);
    const json_t *want = json_object_get(json_object_get(g, "cross_checks"), "pymatgen_2022.11.7");
    SAME(mlk_test_json_diff(json_object_get(want, "lattice"), &c.fr[0].cell.h[0][0], 9), 1e-8);
    NEAR(c.fr[0].cell.volume, 47.832147, 1e-9);
    for (size_t i = 0; i < c.fr[0].n; i++)
        for (int k = 0; k < 3; k++)
            NEAR(c.fr[0].x[i][k] / c.fr[0].cell.h[0][0], d.fr[0].x[i][k] / d.fr[0].cell.h[0][0],
                 1e-12);
    mlk_test_release(&c);
    mlk_test_release(&d);
    json_decref(g);
}

Test(poscar, selective_dynamics_and_velocities)
{
    check_poscar("POSCAR_velocity", "pymatgen_2022.11.7");
}
Test(poscar, contcar_with_a_cut_predictor_block)
{
    check_poscar("CONTCAR_Mg", "ase_3.22.1");
}

Test(poscar, without_species_is_refused_with_a_hint)
{
    char path[600];
    mlk_err e = {0};
    mlk_collection c;
    if (!mlk_test_vasp(path, sizeof path, "POSCAR_no_species")) cr_skip_test("no shared data");
    cr_expect_eq(mlk_test_collect(path, &c, &e), MLK_EFORMAT);
    cr_expect_eq(c.n, 0);
    cr_expect_eq(e.line, 6);
    cr_expect(strstr(e.hint, "H Zn"), "hint: %s", e.hint);
}
