/* test_vaspout.c - the vaspout.h5 files of the shared collection against a reference made by
 * another HDF5 reader. Prints one row per file: steps expected and read, and the verdict. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/units.h"
#include "tests/support/collect.h"
#include "tests/support/golden.h"

/* The reference holds 13 digits. */
static const double RELATIVE = 2e-12;

static void differ(mlk_golden *c, const char *what, size_t step, double d, double size)
{
    mlk_golden_differ(c, what, step, d / fmax(1, size), RELATIVE);
}

static void compare_energies(mlk_golden *c, const json_t *g, const json_t *s, const mlk_frame *fr,
                             size_t i)
{
    const json_t *tags = json_object_get(g, "energies_tags"), *v = json_object_get(s, "energies");
    int seen = 0;
    for (size_t k = 0; k < json_array_size(tags); k++) {
        const char *tag = json_string_value(json_array_get(tags, k));
        const double e = json_number_value(json_array_get(v, k));
        if (!strncmp(tag, "free energy", 11))
            differ(c, "energy", i, fabs(fr->energy - e), fabs(e)), seen |= 1;
        if (!strcmp(tag, "energy(sigma->0)"))
            differ(c, "E(sigma->0)", i, fabs(fr->energy0 - e), fabs(e)), seen |= 2;
    }
    if (seen != 3 || fr->energy_kind != MLK_ENERGY_FREE) differ(c, "energies", i, INFINITY, 1);
}

static void compare(mlk_golden *c, const json_t *g, const json_t *s, const mlk_frame *fr, size_t i)
{
    const json_t *stress = json_object_get(s, "stress");
    const unsigned must = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE |
                          (json_is_array(stress) ? MLK_HAS_VIRIAL : 0);
    if (fr->has != must || fr->step != (int)i + 1) differ(c, "has-flags", i, INFINITY, 1);
    compare_energies(c, g, s, fr, i);
    differ(c, "lattice", i,
           mlk_test_json_diff(json_object_get(s, "lattice_vectors"), &fr->cell.h[0][0], 9), 1);
    differ(c, "forces", i,
           mlk_test_json_diff(json_object_get(s, "forces"), &fr->f[0][0], 3 * fr->n), 1);
    double frac[8][3], kb[9];
    cr_assert_leq(fr->n, 8);
    for (size_t a = 0; a < fr->n; a++) mlk_cell_frac(&fr->cell, fr->x[a], frac[a]);
    differ(c, "positions", i,
           mlk_test_json_diff(json_object_get(s, "position_ions"), &frac[0][0], 3 * fr->n), 1);
    mlk_golden_kbar(fr, kb);
    if (json_is_array(stress)) differ(c, "stress", i, mlk_test_json_diff(stress, kb, 9), 1);
}

static void check_file(const char *path, const char *name, const json_t *g, mlk_golden *c)
{
    mlk_err e = {0};
    mlk_collection fr;
    const json_t *steps = json_object_get(g, "steps"),
                 *types = json_object_get(g, "results/positions/ion_types"),
                 *counts = json_object_get(g, "results/positions/number_ion_types");
    (void)name;
    mlk_status s = mlk_test_collect(path, &fr, &e);
    c->want = json_array_size(steps);
    c->read = fr.n;
    if (s) snprintf(c->why, sizeof c->why, "failed: %.200s", e.msg);
    if (!s && fr.n != c->want) snprintf(c->why, sizeof c->why, "wrong number");
    for (size_t i = 0; i < fr.n && !c->why[0]; i++) {
        if (!mlk_golden_types(types, counts, &fr.fr[i])) differ(c, "elements", i, INFINITY, 1);
        compare(c, g, json_array_get(steps, i), &fr.fr[i], i);
    }
    mlk_test_release(&fr);
}

Test(vaspout, golden_files_read_as_the_reference_says)
{
    mlk_golden_each("vaspout_", 3, check_file);
}

/* The same run as vasprun.xml: printed with 8 decimals there. */
Test(vaspout, agrees_with_the_vasprun_of_the_same_run)
{
    char path[600];
    mlk_err e = {0};
    mlk_collection a, b;
    if (!mlk_test_vasp(path, sizeof path, "vaspout_v641_relax3.h5.gz"))
        cr_skip_test("no shared data");
    cr_assert(!mlk_test_collect(path, &a, &e), "%s", e.msg);
    mlk_test_vasp(path, sizeof path, "vasprun_v641_relax3.xml.gz");
    cr_assert(!mlk_test_collect(path, &b, &e), "%s", e.msg);
    cr_assert(a.n == 3 && b.n == 3);
    for (size_t i = 0; i < 3; i++) {
        const mlk_frame *p = &a.fr[i], *q = &b.fr[i];
        cr_expect_float_eq(p->energy, q->energy, 1e-8);
        cr_expect_float_eq(p->virial[0][0], q->virial[0][0], 1e-8);
        cr_expect_float_eq(p->cell.volume, q->cell.volume, 1e-6);
        cr_expect_float_eq(p->x[0][2], q->x[0][2], 1e-7);
        cr_expect_str_eq(p->config_type, q->config_type);
        cr_expect_str_eq(p->theory, q->theory);
    }
    printf("theory: %s\n", a.fr[0].theory);
    cr_expect_str_eq(a.fr[0].theory, "VASP GGA=R2SCAN ENCUT=680.0 POTCAR=PAW_PBE Si");
    mlk_test_release(&a);
    mlk_test_release(&b);
}
