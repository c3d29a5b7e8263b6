/* test_outcar.c - every OUTCAR of the shared collection (VASP 5.4 to 6.4: relaxations, MD, cells
 * that change, dispersion, linear response, force fields on the fly, killed runs) against reference
 * parses that two other programs agree on, and against the vasprun.xml of the same run where there
 * is one. Prints one row per file: frames expected and read, and the verdict. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/element.h"
#include "core/units.h"
#include "tests/support/collect.h"
#include "tests/support/golden.h"

static double number(const json_t *s, const char *key)
{
    const json_t *v = json_object_get(s, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* What the text says, by the rules of docs/FORMATS.md. */
static int expected_scf(const json_t *g, const json_t *s)
{
    int major = 0, minor = 0;
    const char *said = mlk_json_get_str(s, "loop_message", "");
    sscanf(mlk_json_get_str(g, "vasp_version", ""), "vasp.%d.%d", &major, &minor);
    if (strcmp(said, "EDIFF is reached")) return MLK_SCF_UNCONVERGED;
    if (major * 100 + minor >= 602) return MLK_SCF_CONVERGED;
    return number(s, "n_scf") < number(g, "NELM") ? MLK_SCF_CONVERGED : MLK_SCF_UNCONVERGED;
}

static void compare_stress(mlk_golden *c, const json_t *s, const mlk_frame *fr, size_t i)
{
    const json_t *kb = json_object_get(s, "stress_kbar_xx_yy_zz_xy_yz_zx");
    if (json_is_array(kb) != ((fr->has & MLK_HAS_VIRIAL) != 0))
        mlk_golden_differ(c, "stress flag", i, INFINITY, 0);
    if (!json_is_array(kb)) return;
    double w[9];
    mlk_golden_kbar(fr, w);
    const double got[6] = {w[0], w[4], w[8], w[3], w[7], w[2]};
    mlk_golden_differ(c, "stress", i, mlk_test_json_diff(kb, got, 6), 1e-9);
}

static void compare_step(mlk_golden *c, const json_t *g, const json_t *s, const mlk_frame *fr,
                         size_t i, bool skip_e0)
{
    const unsigned must = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE;
    if ((fr->has & must) != must || fr->energy_kind != MLK_ENERGY_FREE)
        mlk_golden_differ(c, "has-flags", i, INFINITY, 0);
    mlk_golden_differ(c, "energy", i, fabs(fr->energy - number(s, "free_energy")), 0);
    if (!skip_e0) mlk_golden_differ(c, "E0", i, fabs(fr->energy0 - number(s, "energy_sigma0")), 0);
    const double kin = number(s, "kinetic");
    if (isfinite(kin) != isfinite(fr->temperature))
        mlk_golden_differ(c, "temperature", i, INFINITY, 0);
    if (isfinite(kin))
        mlk_golden_differ(c, "temperature", i,
                          fabs(fr->temperature - 2 * kin / ((3 * (double)fr->n - 3) * MLK_KB)),
                          1e-9);
    mlk_golden_differ(c, "SCF flag", i, abs(fr->scf - expected_scf(g, s)), 0);
    compare_stress(c, s, fr, i);
    mlk_golden_differ(c, "lattice", i,
                      mlk_test_json_diff(json_object_get(s, "lattice"), &fr->cell.h[0][0], 9), 0);
    mlk_golden_differ(c, "positions", i,
                      mlk_test_json_diff(json_object_get(s, "positions"), &fr->x[0][0], 3 * fr->n),
                      0);
    mlk_golden_differ(c, "forces", i,
                      mlk_test_json_diff(json_object_get(s, "forces"), &fr->f[0][0], 3 * fr->n), 0);
}

static void compare_species(mlk_golden *c, const json_t *g, const mlk_frame *fr)
{
    const json_t *symbols = json_object_get(g, "species");
    if (json_array_size(symbols) != fr->n) mlk_golden_differ(c, "number of atoms", 0, INFINITY, 0);
    for (size_t i = 0; i < json_array_size(symbols) && i < fr->n; i++)
        if (fr->z[i] != mlk_element_z(json_string_value(json_array_get(symbols, i))))
            mlk_golden_differ(c, "element", 0, INFINITY, 0);
}

static void check_file(const char *path, const char *name, const json_t *g, mlk_golden *c)
{
    mlk_err e = {0};
    mlk_collection fr;
    mlk_status s = mlk_test_collect(path, &fr, &e);
    c->want = (size_t)json_integer_value(json_object_get(g, "n_dft_steps"));
    c->read = fr.n;
    if (fr.n != c->want) snprintf(c->why, sizeof c->why, "%s", "wrong number of frames");
    const bool finished = json_is_true(json_object_get(g, "finished"));
    if (finished && s) snprintf(c->why, sizeof c->why, "failed: %.200s", e.msg);
    if (!finished && (s != MLK_EFORMAT || !e.line || !e.hint[0]))
        snprintf(c->why, sizeof c->why, "no clear error");
    if (fr.n && !c->why[0]) compare_species(c, g, &fr.fr[0]);
    /* the reference took the wrong column of the line with "w/o vdW"; see the vasprun test below */
    const bool skip_e0 = !strcmp(name, "OUTCAR_v544_ge_vdw");
    const json_t *steps = json_object_get(g, "steps");
    for (size_t k = 0, i = 0; k < json_array_size(steps) && i < fr.n; k++) {
        const json_t *st = json_array_get(steps, k);
        if (!strcmp(mlk_json_get_str(st, "kind", ""), "dft"))
            compare_step(c, g, st, &fr.fr[i++], k, skip_e0);
    }
    mlk_test_release(&fr);
}

Test(outcar, every_golden_file_reads_as_the_reference_says, .timeout = 120)
{
    mlk_golden_each("OUTCAR_", 14, check_file);
}

/* One run as OUTCAR and as vasprun.xml: printed digits differ (positions 5, forces 6, stress 5). */
static void compare_runs(const char *outcar, const char *vasprun)
{
    char a[600], b[600];
    mlk_err e = {0};
    mlk_collection o, v;
    if (!mlk_test_vasp(a, sizeof a, outcar)) cr_skip_test("no shared data");
    mlk_test_vasp(b, sizeof b, vasprun);
    cr_assert(!mlk_test_collect(a, &o, &e), "%s: %s", outcar, e.msg);
    cr_assert(!mlk_test_collect(b, &v, &e), "%s: %s", vasprun, e.msg);
    cr_assert_eq(o.n, v.n, "%s: %zu frames, vasprun %zu", outcar, o.n, v.n);
    double worst[5] = {0};
    for (size_t k = 0; k < o.n; k++) {
        const mlk_frame *p = &o.fr[k], *q = &v.fr[k];
        cr_expect_eq(p->has, q->has);
        cr_expect_eq(p->step, q->step);
        cr_expect_str_eq(p->config_type, q->config_type);
        cr_expect_str_eq(p->theory, q->theory);
        cr_expect(isnan(p->temperature) == isnan(q->temperature));
        if (!isnan(p->temperature)) cr_expect_float_eq(p->temperature, q->temperature, 1e-2);
        worst[0] = fmax(worst[0], fabs(p->energy - q->energy));
        worst[1] = fmax(worst[1], fabs(p->energy0 - q->energy0));
        for (size_t i = 0; i < 9; i++) {
            double kb = MLK_KBAR_EVA3 * p->cell.volume;
            worst[2] = fmax(worst[2], fabs((&p->virial[0][0])[i] - (&q->virial[0][0])[i]) / kb);
        }
        for (size_t i = 0; i < 3 * p->n; i++) {
            worst[3] = fmax(worst[3], fabs((&p->x[0][0])[i] - (&q->x[0][0])[i]));
            worst[4] = fmax(worst[4], fabs((&p->f[0][0])[i] - (&q->f[0][0])[i]));
        }
        for (size_t i = 0; i < p->n; i++) cr_expect_eq(p->z[i], q->z[i]);
    }
    printf("%-32s %3zu steps: E %.0e E0 %.0e eV, stress %.0e kB, x %.0e A, f %.0e eV/A; '%s'\n",
           outcar, o.n, worst[0], worst[1], worst[2], worst[3], worst[4], o.fr[0].theory);
    cr_expect(worst[0] <= 1.5e-8 && worst[1] <= 1.5e-8 && worst[2] <= 2e-3 && worst[3] <= 1.1e-5 &&
              worst[4] <= 1e-6);
    mlk_test_release(&o);
    mlk_test_release(&v);
}

Test(outcar, agrees_with_the_vasprun_of_the_same_run, .timeout = 60)
{
    compare_runs("OUTCAR_v544_ag2se_p212121.gz", "vasprun_v544_ag2se_p212121.xml.gz");
    compare_runs("OUTCAR_v544_elec_unconverged", "vasprun_v544_elec_unconverged.xml");
    compare_runs("OUTCAR_v544_ge_vdw", "vasprun_v544_ge_vdw.xml");
    compare_runs("OUTCAR_v544_h2o_md10", "vasprun_v544_h2o_md10.xml");
    compare_runs("OUTCAR_v620_edif_not_reached", "vasprun_v620_at_nelm.xml");
    compare_runs("OUTCAR_v641_relax3.gz", "vasprun_v641_relax3.xml.gz");
}

Test(outcar, steps_between_predictions_keep_their_number)
{
    static const int step[4] = {1, 2, 3, 6};
    char path[600];
    mlk_err e = {0};
    mlk_collection c;
    if (!mlk_test_vasp(path, sizeof path, "OUTCAR_v630_ch4_ml")) cr_skip_test("no shared data");
    cr_assert(!mlk_test_collect(path, &c, &e), "%s", e.msg);
    cr_assert_eq(c.n, 4);
    for (int k = 0; k < 4; k++) cr_expect_eq(c.fr[k].step, step[k]);
    mlk_test_release(&c);
}
