/* test_vaspout.c - the vaspout.h5 files of the shared collection against a reference made by
 * another HDF5 reader. Prints one row per file: steps expected and read, and the verdict. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/element.h"
#include "core/units.h"
#include "tests/support/collect.h"
#include "tests/support/shared.h"

/* The reference holds 13 digits. */
static const double RELATIVE = 2e-12;

typedef struct check {
    char why[256];
    double worst;
} check;

static void differ(check *c, const char *what, size_t step, double d, double size)
{
    d /= fmax(1, size);
    c->worst = fmax(c->worst, d);
    if (!(d <= RELATIVE) && !c->why[0])
        snprintf(c->why, sizeof c->why, "step %zu: %s off by %g", step + 1, what, d);
}

static void compare_energies(check *c, const json_t *g, const json_t *s, const mlk_frame *fr,
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

static void compare(check *c, const json_t *g, const json_t *s, const mlk_frame *fr, size_t i)
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
    for (int k = 0; k < 9; k++)
        kb[k] = (&fr->virial[0][0])[k] * MLK_EVA3_GPA * 10 / fr->cell.volume;
    if (json_is_array(stress)) differ(c, "stress", i, mlk_test_json_diff(stress, kb, 9), 1);
}

static void compare_types(check *c, const json_t *g, const mlk_frame *fr)
{
    const json_t *types = json_object_get(g, "results/positions/ion_types"),
                 *counts = json_object_get(g, "results/positions/number_ion_types");
    size_t i = 0;
    for (size_t k = 0; k < json_array_size(types); k++)
        for (int m = (int)json_number_value(json_array_get(counts, k)); m > 0; m--, i++)
            if (i >= fr->n ||
                fr->z[i] != mlk_element_z(json_string_value(json_array_get(types, k))))
                differ(c, "element", 0, INFINITY, 1);
    if (i != fr->n) differ(c, "number of atoms", 0, INFINITY, 1);
}

Test(vaspout, golden_files_read_as_the_reference_says)
{
    static const char *const files[] = {"vaspout_fixture_relax.h5", "vaspout_v641_gasb_static.h5",
                                        "vaspout_v641_relax3.h5.gz"};
    char path[600], gold[600];
    if (!mlk_test_shared()) cr_skip_test("no shared data (../shared or $MLK_SHARED)");
    printf("%-28s %8s %5s  verdict\n", "file", "expected", "read");
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        mlk_err e = {0};
        mlk_collection fr;
        check c = {0};
        json_t *g = NULL;
        snprintf(gold, sizeof gold, "%s/data/vasp/golden/%.*s.json", mlk_test_shared(),
                 (int)(strstr(files[k], ".h5") - files[k]) + 3, files[k]);
        cr_assert(!mlk_json_read(gold, &g, &e), "%s", e.msg);
        const json_t *steps = json_object_get(g, "steps");
        mlk_status s = mlk_test_collect(mlk_test_vasp(path, sizeof path, files[k]), &fr, &e);
        if (s) snprintf(c.why, sizeof c.why, "failed: %.200s", e.msg);
        if (!s && fr.n != json_array_size(steps)) snprintf(c.why, sizeof c.why, "wrong number");
        for (size_t i = 0; i < fr.n && !c.why[0]; i++) {
            compare_types(&c, g, &fr.fr[i]);
            compare(&c, g, json_array_get(steps, i), &fr.fr[i], i);
        }
        printf("%-28s %8zu %5zu  %s%s (largest difference %.1e)\n", files[k],
               json_array_size(steps), fr.n, c.why[0] ? "FAIL " : "ok", c.why, c.worst);
        cr_expect(!c.why[0], "%s: %s", files[k], c.why);
        mlk_test_release(&fr);
        json_decref(g);
    }
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
