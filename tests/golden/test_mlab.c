/* test_mlab.c - the ML_AB files of the shared collection against a reference made by a line parser.
 * Prints one row per file: configurations expected and read, and the verdict. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/element.h"
#include "core/units.h"
#include "tests/support/collect.h"
#include "tests/support/golden.h"

/* The reference holds 16 digits for whole numbers of the file and 13 for sums. */
static const double RELATIVE = 1e-12;

static void differ(mlk_golden *c, const char *what, size_t step, double d, double size)
{
    mlk_golden_differ(c, what, step, d / fmax(1, size), RELATIVE);
}

static void compare(mlk_golden *c, const json_t *s, const mlk_frame *fr, size_t i)
{
    const unsigned must = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VIRIAL;
    const json_t *x = json_object_get(s, "positions"), *f = json_object_get(s, "forces");
    if ((fr->has & must) != must) differ(c, "has-flags", i, INFINITY, 1);
    if (fr->step != (int)i + 1 || fr->run != 0) differ(c, "step", i, INFINITY, 1);
    if (strcmp(fr->config_type, mlk_json_get_str(s, "name", ""))) differ(c, "name", i, INFINITY, 1);
    if (fr->energy_kind != MLK_ENERGY_UNSTATED) differ(c, "energy kind", i, INFINITY, 1);
    const double e = json_number_value(json_object_get(s, "energy"));
    differ(c, "energy", i, fabs(fr->energy - e), fabs(e));
    differ(c, "lattice", i, mlk_test_json_diff(json_object_get(s, "lattice"), &fr->cell.h[0][0], 9),
           10);
    double kb[9];
    mlk_golden_kbar(fr, kb);
    const double p[6] = {kb[0], kb[4], kb[8], kb[1], kb[5], kb[6]};
    differ(c, "stress", i, mlk_test_json_diff(json_object_get(s, "stress_kbar_xx_yy_zz"), p, 3),
           10);
    differ(c, "shear stress", i,
           mlk_test_json_diff(json_object_get(s, "stress_kbar_xy_yz_zx"), p + 3, 3), 10);
    differ(
        c, "position sum", i,
        mlk_golden_sum_diff(json_object_get(s, "position_sum"), (const double(*)[3])fr->x, fr->n),
        (double)fr->n * 10);
    differ(c, "force sum", i,
           mlk_golden_sum_diff(json_object_get(s, "force_sum"), (const double(*)[3])fr->f, fr->n),
           (double)fr->n);
    if (json_is_array(x))
        differ(c, "positions", i, mlk_test_json_diff(x, &fr->x[0][0], 3 * fr->n), 10);
    if (json_is_array(f)) differ(c, "forces", i, mlk_test_json_diff(f, &fr->f[0][0], 3 * fr->n), 1);
}

static void compare_types(mlk_golden *c, const json_t *s, const mlk_frame *fr)
{
    const json_t *types = json_object_get(s, "types");
    size_t i = 0;
    for (size_t k = 0; k < json_array_size(types); k++) {
        const json_t *t = json_array_get(types, k);
        int z = mlk_element_z(json_string_value(json_array_get(t, 0)));
        for (json_int_t m = json_integer_value(json_array_get(t, 1)); m > 0; m--, i++)
            if (i >= fr->n || fr->z[i] != z) differ(c, "element", 0, INFINITY, 1);
    }
    if (i != fr->n) differ(c, "number of atoms", 0, INFINITY, 1);
}

Test(mlab, golden_files_read_as_the_reference_says)
{
    char path[600];
    mlk_err e = {0};
    mlk_collection fr;
    mlk_golden c = {0};
    if (!mlk_test_vasp(path, sizeof path, "ML_AB_si64.gz")) cr_skip_test("no shared data");
    json_t *g = mlk_golden_load("ML_AB_si64.gz");
    const json_t *steps = json_object_get(g, "steps");
    cr_assert(!mlk_test_collect(path, &fr, &e), "%ld: %s", e.line, e.msg);
    c.want = json_array_size(steps);
    c.read = fr.n;
    mlk_golden_head();
    if (fr.n != json_array_size(steps)) snprintf(c.why, sizeof c.why, "wrong number of frames");
    for (size_t k = 0; k < fr.n && !c.why[0]; k++) {
        compare_types(&c, json_array_get(steps, k), &fr.fr[k]);
        compare(&c, json_array_get(steps, k), &fr.fr[k], k);
    }
    mlk_golden_row("ML_AB_si64.gz", &c);
    mlk_test_release(&fr);
    json_decref(g);

    mlk_golden d = {0};
    mlk_test_vasp(path, sizeof path, "ML_AB_inconsistent.gz");
    mlk_status s = mlk_test_collect(path, &fr, &e);
    if (s != MLK_EFORMAT || fr.n || e.line != 64 || !strstr(e.msg, "41 atom types, but 5"))
        snprintf(d.why, sizeof d.why, "not refused as it should: line %ld: %.100s", e.line, e.msg);
    d.read = fr.n;
    mlk_golden_row("ML_AB_inconsistent.gz", &d);
    mlk_test_release(&fr);
}

/* A larger cell is under less pressure: this is what says that the sign is that of OUTCAR. */
Test(mlab, stress_falls_with_volume)
{
    char path[600];
    mlk_err e = {0};
    mlk_collection c;
    if (!mlk_test_vasp(path, sizeof path, "ML_AB_si64.gz")) cr_skip_test("no shared data");
    cr_assert(!mlk_test_collect(path, &c, &e), "%s", e.msg);
    double v = 0, p = 0, vp = 0, vv = 0;
    for (size_t i = 0; i < c.n; i++) v += c.fr[i].cell.volume / (double)c.n;
    for (size_t i = 0; i < c.n; i++) {
        const mlk_frame *fr = &c.fr[i];
        const double dv = fr->cell.volume - v;
        p = (fr->virial[0][0] + fr->virial[1][1] + fr->virial[2][2]) / (3 * fr->cell.volume);
        vp += dv * p * MLK_EVA3_GPA;
        vv += dv * dv;
    }
    const double bulk = -vp / vv * v; /* silicon: 98 GPa in experiment, 89 with PBE */
    printf("bulk modulus from the fluctuations of ML_AB_si64: %.0f GPa\n", bulk);
    cr_expect(bulk > 60 && bulk < 120, "%g GPa", bulk);
    mlk_test_release(&c);
}
