/* test_extxyz.c - the dialects of extended XYZ that are found in the wild: what is taken, what is
 * refused, and what happens to a file that was cut. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/units.h"
#include "parsers/keyval.h"
#include "parsers/parser.h"
#include "tests/support/check.h"
#include "tests/support/collect.h"

#define BOX "Lattice=\"2 0 0 0 2 0 0 0 2\" "

/* One frame of one atom with these keys behind the lattice. */
static mlk_status read_keys(const char *keys, mlk_collection *c, mlk_err *e)
{
    char text[2048];
    memset(e, 0, sizeof *e);
    snprintf(text, sizeof text, "1\n" BOX "%s\nSi 0 0 0\n", keys);
    return mlk_test_collect(mlk_test_file("keys.xyz", text), c, e);
}

static mlk_status read_text(const char *text, mlk_collection *c, mlk_err *e)
{
    memset(e, 0, sizeof *e);
    return mlk_test_collect(mlk_test_file("text.xyz", text), c, e);
}

/* ---- energy ---- */

typedef struct energy_case {
    const char *keys;
    bool has;
    double energy, energy0;
    int kind;
} energy_case;

Test(extxyz_dialect, energy_keys_and_their_meaning)
{
    static const energy_case cases[] = {
        {"energy=-1", true, -1, NAN, MLK_ENERGY_UNSTATED},
        {"Energy=-1", true, -1, NAN, MLK_ENERGY_UNSTATED},
        {"free_energy=-1", true, -1, NAN, MLK_ENERGY_FREE},
        {"free_energy=-1.5 energy=-1.25", true, -1.5, -1.25, MLK_ENERGY_FREE},
        {"energy=-1.25 free_energy=-1.5", true, -1.5, -1.25, MLK_ENERGY_FREE},
        {"free_energy=-1.5 energy=-1.5", true, -1.5, NAN, MLK_ENERGY_FREE},
        {"energy_force_consistent=-2", true, -2, NAN, MLK_ENERGY_FREE},
        {"energy=-1 energy0=-1.25", true, -1, -1.25, MLK_ENERGY_UNSTATED},
        {"energy=-1 REF_energy=-2 DFT_energy=-3", true, -2, NAN, MLK_ENERGY_UNSTATED},
        {"energy=-1 dft_energy=-3", true, -3, NAN, MLK_ENERGY_UNSTATED},
        {"dft_free_energy=-3 dft_energy=-2 energy=9", true, -3, -2, MLK_ENERGY_FREE},
        {"TotEnergy=-4", true, -4, NAN, MLK_ENERGY_UNSTATED},
        {"total_energy=-4 potential_energy=-5", true, -5, NAN, MLK_ENERGY_UNSTATED},
        {"energy_eV=-6", true, -6, NAN, MLK_ENERGY_UNSTATED},
        {"Energy = -7.5 energy_unit=eV", true, -7.5, NAN, MLK_ENERGY_UNSTATED},
        {"energy=-1.5D+01", true, -15, NAN, MLK_ENERGY_UNSTATED},
        /* units or meaning not known: no label */
        {"energy_hartree=-1", false, 0, NAN, MLK_ENERGY_UNSTATED},
        {"energy_per_atom=-1", false, 0, NAN, MLK_ENERGY_UNSTATED},
        {"MACE_energy=-1", false, 0, NAN, MLK_ENERGY_UNSTATED},
        {"total_energy=-4 kinetic_energy=1", false, 0, NAN, MLK_ENERGY_UNSTATED},
        {"energy=*********", false, 0, NAN, MLK_ENERGY_UNSTATED},
        {"energy=NaN", false, 0, NAN, MLK_ENERGY_UNSTATED},
        {"energy=-inf", false, 0, NAN, MLK_ENERGY_UNSTATED},
        {"energy=-1 stress=\"1 1 nan 0 0 0\"", true, -1, NAN, MLK_ENERGY_UNSTATED},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const energy_case *w = &cases[k];
        mlk_collection c;
        mlk_err e;
        cr_assert(!read_keys(w->keys, &c, &e), "%s: %s", w->keys, e.msg);
        cr_expect_eq((c.fr[0].has & MLK_HAS_ENERGY) != 0, w->has, "%s", w->keys);
        if (w->has) cr_expect_float_eq(c.fr[0].energy, w->energy, 0, "%s", w->keys);
        cr_expect(isnan(w->energy0) ? isnan(c.fr[0].energy0) : c.fr[0].energy0 == w->energy0,
                  "%s: %g", w->keys, c.fr[0].energy0);
        cr_expect_eq(c.fr[0].energy_kind, w->kind, "%s", w->keys);
        mlk_test_release(&c);
    }
    mlk_collection c;
    mlk_err e;
    cr_expect_eq(read_keys("energy=-1 energy_unit=Hartree", &c, &e), MLK_EFORMAT);
    cr_expect_eq(c.n, 0);
    cr_expect(strstr(e.hint, "convert"), "%s", e.hint);
    mlk_test_release(&c);
}

/* ---- columns ---- */

Test(extxyz_dialect, force_columns_of_every_name)
{
    static const char *const names[] = {"force",     "forces",     "Force",      "Forces",
                                        "DFT_force", "dft_forces", "REF_forces", "vasp_force"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        char text[512];
        mlk_collection c;
        mlk_err e;
        snprintf(text, sizeof text,
                 "1\n" BOX "Properties=species:S:1:pos:R:3:tag:I:1:%s:R:3:move_mask:L:1\n"
                 "Si 0 0 0 7 1 2 3 T\n",
                 names[k]);
        cr_assert(!read_text(text, &c, &e), "%s: %s", names[k], e.msg);
        cr_expect(c.fr[0].has & MLK_HAS_FORCE, "%s", names[k]);
        cr_expect_float_eq(c.fr[0].f[0][2], 3, 0);
        mlk_test_release(&c);
    }
}

Test(extxyz_dialect, prefixed_forces_win_wherever_they_stand)
{
    mlk_collection c;
    mlk_err e;
    cr_assert(!read_text("1\n" BOX "Properties=species:S:1:pos:R:3:REF_forces:R:3:forces:R:3:"
                         "MACE_forces:R:3\nSi 0 0 0 1 1 1 2 2 2 3 3 3\n",
                         &c, &e),
              "%s", e.msg);
    cr_expect_float_eq(c.fr[0].f[0][0], 1, 0);
    mlk_test_release(&c);
    cr_assert(!read_text("1\n" BOX "Properties=Z:I:1:pos:R:3:forces:R:3:DFT_forces:R:3\n"
                         "14 0 0 0 1 1 1 2 2 2\n",
                         &c, &e),
              "%s", e.msg);
    cr_expect_float_eq(c.fr[0].f[0][0], 2, 0);
    cr_expect_eq(c.fr[0].z[0], 14);
    mlk_test_release(&c);
    cr_assert(!read_text("1\n" BOX "Properties=species:S:1:pos:R:3:MACE_forces:R:3\n"
                         "Si 0 0 0 3 3 3\n",
                         &c, &e));
    cr_expect_eq(c.fr[0].has & MLK_HAS_FORCE, 0);
    mlk_test_release(&c);
}

Test(extxyz_dialect, asterisks_and_nan_drop_the_forces_of_that_frame_only)
{
    static const char *const lost[] = {"******", "nan", "-NaN", "Infinity"};
    for (size_t k = 0; k < sizeof lost / sizeof *lost; k++) {
        char text[512];
        mlk_collection c;
        mlk_err e;
        snprintf(text, sizeof text,
                 "2\n" BOX "Properties=species:S:1:pos:R:3:forces:R:3 energy=-1\n"
                 "Si 0 0 0 1 2 %s\nSi 1 1 1 4 5 6\n"
                 "1\n" BOX "Properties=species:S:1:pos:R:3:forces:R:3\n"
                 "Si 0 0 0 1 2 3\n",
                 lost[k]);
        cr_assert(!read_text(text, &c, &e), "%s: %s", lost[k], e.msg);
        cr_assert_eq(c.n, 2);
        cr_expect_eq(c.fr[0].has & (MLK_HAS_FORCE | MLK_HAS_ENERGY), MLK_HAS_ENERGY);
        cr_expect_float_eq(c.fr[0].x[1][2], 1, 0);
        cr_expect(c.fr[1].has & MLK_HAS_FORCE);
        mlk_test_release(&c);
    }
}

/* ---- stress ---- */

Test(extxyz_dialect, stress_and_virial_keys)
{
    static const struct {
        const char *keys;
        double xx, yz, xy, yx; /* of W */
    } cases[] = {
        {"virial=\"1 2 3 4 5 6 7 8 9\"", 1, 6, 2, 4}, /* row by row */
        {"Virials=\"1 2 3 4 5 6\"", 1, 4, 6, 6},      /* Voigt */
        {"STRESS=\"1 2 3 4 5 6\"", -8, -32, -48, -48},
        {"stress=_JSON [[1, 2, 3], [4, 5, 6], [7, 8, 9]]", -8, -48, -16, -32},
        {"stress=\"_JSON [[1, 2, 3], [4, 5, 6], [7, 8, 9]]\"", -8, -48, -16, -32},
        {"stress=[[1 2 3] [4 5 6] [7 8 9]]", -8, -48, -16, -32},
        {"virial={1 2 3 4 5 6 7 8 9}", 1, 6, 2, 4},
        {"virial=\"9 9 9 9 9 9\" REF_virial=\"1 2 3 4 5 6\"", 1, 4, 6, 6},
        {"DFT_virials='1 2 3 4 5 6'", 1, 4, 6, 6},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        mlk_collection c;
        mlk_err e;
        cr_assert(!read_keys(cases[k].keys, &c, &e), "%s: %s", cases[k].keys, e.msg);
        cr_assert(c.fr[0].has & MLK_HAS_VIRIAL, "%s", cases[k].keys);
        cr_expect_float_eq(c.fr[0].virial[0][0], cases[k].xx, 1e-12, "%s", cases[k].keys);
        cr_expect_float_eq(c.fr[0].virial[1][2], cases[k].yz, 1e-12, "%s", cases[k].keys);
        cr_expect_float_eq(c.fr[0].virial[0][1], cases[k].xy, 1e-12, "%s", cases[k].keys);
        cr_expect_float_eq(c.fr[0].virial[1][0], cases[k].yx, 1e-12, "%s", cases[k].keys);
        cr_expect_eq(c.fr[0].n_raw, 0);
        mlk_test_release(&c);
    }
}

Test(extxyz_dialect, an_unknown_stress_key_is_kept_raw_and_never_a_label)
{
    mlk_collection c;
    mlk_err e;
    cr_assert(!read_keys("energy=1 raw_stress6=\"1 2 3 4 5 6\"", &c, &e), "%s", e.msg);
    cr_expect_eq(c.fr[0].has & MLK_HAS_VIRIAL, 0);
    cr_expect_eq(c.fr[0].n_raw, 6);
    cr_expect_float_eq(c.fr[0].raw[5], 6, 0);
    cr_expect_str_eq(c.fr[0].raw_key, "raw_stress6");
    mlk_test_release(&c);
    /* two candidates, a known key, or another number of numbers: nothing */
    static const char *const none[] = {"a_stress=\"1 2 3 4 5 6\" b_virial=\"1 2 3 4 5 6\"",
                                       "raw_stress=\"1 2 3 4 5 6\" stress=\"1 2 3 4 5 6\"",
                                       "my_stress=\"1 2 3\"", "max_stress=3"};
    for (size_t k = 0; k < sizeof none / sizeof *none; k++) {
        cr_assert(!read_keys(none[k], &c, &e), "%s", e.msg);
        cr_expect_eq(c.fr[0].n_raw, 0, "%s", none[k]);
        mlk_test_release(&c);
    }
}

/* ---- comment line ---- */

Test(extxyz_dialect, quotes_and_json_in_the_comment_line)
{
    mlk_collection c;
    mlk_err e;
    cr_assert(!read_keys("config_type=\"a \\\"b\\\" \\\\ c\" group='it is' info={a \"b} flag "
                         "dict=_JSON {\"x\": [1, {\"y\": \"]}\"}]} energy=-3 weight=2",
                         &c, &e),
              "%s", e.msg);
    cr_expect_str_eq(c.fr[0].config_type, "a \"b\" \\ c");
    cr_expect_str_eq(c.fr[0].group, "it is");
    cr_expect_float_eq(c.fr[0].energy, -3, 0);
    mlk_test_release(&c);
    cr_expect_eq(read_keys("dict=[1, 2 energy=-3", &c, &e), MLK_EFORMAT);
    cr_expect(strstr(e.msg, "no closing"), "%s", e.msg);
    mlk_test_release(&c);
}

Test(extxyz_dialect, clusters_and_plain_xyz)
{
    mlk_collection c;
    mlk_err e;
    cr_assert(
        !read_text("2\npbc=\"F F F\" energy=-1 stress=\"1 2 3 4 5 6\"\nH 0 0 0\nH 0 0 3\n", &c, &e),
        "%s", e.msg);
    cr_expect(c.fr[0].has & MLK_HAS_CELL);
    cr_expect_not(c.fr[0].cell.pbc[0] || c.fr[0].cell.pbc[1] || c.fr[0].cell.pbc[2]);
    cr_expect_float_eq(c.fr[0].cell.h[2][2], 23, 1e-12);
    cr_expect_eq(c.fr[0].has & MLK_HAS_VIRIAL, 0); /* no volume */
    mlk_test_release(&c);
    cr_expect_eq(read_text("1\nwater molecule\nO 0 0 0\n", &c, &e), MLK_EFORMAT);
    cr_expect(strstr(e.msg, "plain XYZ"), "%s", e.msg);
    cr_expect(strstr(e.hint, "Lattice"), "%s", e.hint);
    mlk_test_release(&c);
    cr_expect_eq(read_text("1\npbc=\"T T F\" energy=1\nO 0 0 0\n", &c, &e), MLK_EFORMAT);
    cr_expect(strstr(e.msg, "no Lattice"), "%s", e.msg);
    mlk_test_release(&c);
}

/* ---- size and damage ---- */

Test(extxyz_dialect, a_claimed_number_of_atoms_takes_no_memory)
{
    mlk_collection c;
    mlk_err e;
    size_t before = mlk_alloc_count();
    cr_expect_eq(read_text("90000000\n" BOX "\nSi 0 0 0\n", &c, &e), MLK_EFORMAT);
    cr_expect(strstr(e.msg, "atom 2 of 90000000 is missing"), "%s", e.msg);
    cr_expect_lt(mlk_alloc_count() - before, 40);
    mlk_test_release(&c);
}

Test(extxyz_dialect, many_atoms_grow_the_frame)
{
    enum { N = 3000 };
    char *text = malloc(N * 64 + 256);
    size_t n =
        (size_t)sprintf(text, "%d\n" BOX "Properties=species:S:1:pos:R:3:vel:R:3:forces:R:3\n", N);
    for (int i = 0; i < N; i++)
        n += (size_t)sprintf(text + n, "%s %d 0 1 0 %d 0 0 0 -%d\n", i % 2 ? "Li" : "S", i, i, i);
    mlk_collection c;
    mlk_err e;
    cr_assert(!read_text(text, &c, &e), "%s", e.msg);
    cr_assert_eq(c.fr[0].n, (size_t)N);
    for (int i = 0; i < N; i++) {
        cr_assert_eq(c.fr[0].z[i], i % 2 ? 3 : 16);
        cr_assert_float_eq(c.fr[0].x[i][0], i, 0);
        cr_assert_float_eq(c.fr[0].f[i][2], -i, 0);
        cr_assert_float_eq(c.fr[0].v[i][1], i * MLK_TAU_FS, 1e-9);
    }
    mlk_test_release(&c);
    free(text);
}

/* Every prefix of the file: what is delivered is what the whole file says, or nothing. */
static void cut_everywhere(const char *text)
{
    mlk_collection whole, c;
    mlk_err e;
    size_t n = strlen(text);
    char *part = malloc(n + 1);
    cr_assert(!read_text(text, &whole, &e), "%s", e.msg);
    for (size_t k = 0; k < n; k++) {
        memcpy(part, text, k);
        part[k] = 0;
        read_text(part, &c, &e);
        for (size_t i = 0; i < c.n; i++) {
            cr_expect_eq(c.fr[i].n, whole.fr[i].n);
            for (size_t a = 0; a < c.fr[i].n; a++)
                for (int d = 0; d < 3; d++) {
                    cr_expect_eq(c.fr[i].x[a][d], whole.fr[i].x[a][d], "cut at %zu", k);
                    cr_expect_eq(c.fr[i].f[a][d], whole.fr[i].f[a][d], "cut at %zu", k);
                    cr_expect_eq(c.fr[i].z[a], whole.fr[i].z[a], "cut at %zu", k);
                }
        }
        mlk_test_release(&c);
    }
    mlk_test_release(&whole);
    free(part);
}

Test(extxyz_dialect, no_cut_delivers_a_wrong_number)
{
    cut_everywhere("2\n" BOX "Properties=species:S:1:pos:R:3:forces:R:3\n"
                   "Si 0.0000 0.0000 0.0000 1.123400 2.500000 -3.100000\n"
                   "Si 1.0000 1.0000 1.0000 -1.12340 -2.50000 13.123456\n"
                   "1\n" BOX "Properties=species:S:1:pos:R:3:forces:R:3\n"
                   "Si 0.0000 0.0000 0.0000 1.123400 2.500000 -3.123456\n");
    cut_everywhere("2\n" BOX "Properties=species:S:1:pos:R:3\nSi 0 0 0\nSi 1 1 1.0625\n"
                   "1\n" BOX "Properties=pos:R:3:species:S:1\n0.1 0.25 0.123 Cl\n"
                   "1\n" BOX "Properties=pos:R:3:Z:I:1\n0.1 0.25 0.123 14\n"
                   "1\n" BOX "\nSi 0 0 1e-5\n");
}

Test(extxyz_dialect, a_last_line_without_end_is_read_only_when_it_must_be_whole)
{
    mlk_collection c;
    mlk_err e;
    cr_assert(!read_text("2\n" BOX "\nSi 0.0000 0.0000 0.1250\nSi 1.0000 1.0000 1.0000", &c, &e),
              "%s", e.msg);
    cr_expect_eq(c.n, 1);
    mlk_test_release(&c);
    cr_expect_eq(read_text("2\n" BOX "\nSi 0.0000 0.0000 0.1250\nSi 1.0000 1.0000 1.000", &c, &e),
                 MLK_EFORMAT);
    cr_expect_eq(c.n, 0);
    cr_expect_eq(e.line, 4);
    cr_expect(strstr(e.hint, "line end"), "%s", e.hint);
    mlk_test_release(&c);
    /* one atom, nothing to compare with; but a blank behind the number ends it */
    cr_expect_eq(read_text("1\n" BOX "\nSi 0.125 0.25 0.5", &c, &e), MLK_EFORMAT);
    mlk_test_release(&c);
    cr_assert(!read_text("1\n" BOX "\nSi 0.125 0.25 0.5 ", &c, &e), "%s", e.msg);
    cr_expect_eq(c.n, 1);
    mlk_test_release(&c);
    /* the last column is not used */
    cr_assert(!read_text("1\n" BOX "Properties=species:S:1:pos:R:3:tag:I:1\nSi 0 0 0 12", &c, &e));
    cr_expect_eq(c.n, 1);
    mlk_test_release(&c);
}

Test(extxyz_dialect, files_joined_without_a_line_end_are_noticed)
{
    mlk_collection c;
    mlk_err e;
    cr_expect_eq(
        read_text("1\n" BOX "\nSi 0 0 0.5\n1\n" BOX "\nSi 0 0 0.51\n" BOX "\nSi 0 0 0.5\n", &c, &e),
        MLK_EFORMAT);
    cr_expect_eq(c.n, 1);
    cr_expect_eq(e.line, 6);
    cr_expect(strstr(e.msg, "joined"), "%s", e.msg);
    mlk_test_release(&c);
}

Test(extxyz_dialect, what_is_written_keeps_kind_theory_and_quotes)
{
    mlk_collection c, d;
    mlk_err e;
    char path[512];
    cr_assert(!read_keys("free_energy=-1.5 energy0=-1.25 theory=\"VASP PE 520 eV\" "
                         "config_type=\"a \\\"q\\\" b\" virial=\"1 2 3 4 5 6 7 8 9\"",
                         &c, &e),
              "%s", e.msg);
    snprintf(path, sizeof path, "%s/again.xyz", mlk_test_tmp());
    mlk_check_ok(mlk_write_extxyz(path, c.fr, c.n, &e), e);
    mlk_check_ok(mlk_test_collect(path, &d, &e), e);
    cr_expect_eq(d.fr[0].energy_kind, MLK_ENERGY_FREE);
    cr_expect_float_eq(d.fr[0].energy, -1.5, 0);
    cr_expect_float_eq(d.fr[0].energy0, -1.25, 0);
    cr_expect_str_eq(d.fr[0].theory, "VASP PE 520 eV");
    cr_expect_str_eq(d.fr[0].config_type, c.fr[0].config_type);
    for (int k = 0; k < 9; k++)
        cr_expect_float_eq((&d.fr[0].virial[0][0])[k], (&c.fr[0].virial[0][0])[k], 1e-12);
    mlk_test_release(&c);
    mlk_test_release(&d);
}
