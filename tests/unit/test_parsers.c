/* test_parsers.c - dialects, damage and round trips of the parsers, on texts made here. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "parsers/vasprun.h"
#include "tests/support/collect.h"

/* ---- vasprun.xml ---- */

static const char HEAD[] =
    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<modeling>\n"
    " <generator><i name=\"program\" type=\"string\">vasp </i>"
    "<i name=\"version\" type=\"string\">%s </i></generator>\n"
    " <incar><i type=\"string\" name=\"SYSTEM\">%s</i></incar>\n"
    " <parameters><separator name=\"electronic\" ><separator name=\"electronic convergence\" >"
    "<i type=\"int\" name=\"NELM\"> 3</i></separator></separator>"
    "<separator name=\"linear response parameters\" ><i type=\"int\" name=\"NELM\"> "
    "1</i></separator>"
    "<separator name=\"x\" ><i name=\"KINTER\">******</i></separator></parameters>\n"
    " <atominfo><atoms> 2 </atoms><types> 2 </types><array name=\"atoms\" ><set>"
    "<rc><c>Li</c><c> 1</c></rc><rc><c>X </c><c> 2</c></rc></set></array>"
    "<array name=\"atomtypes\" ><set>"
    "<rc><c> 1</c><c>Li</c><c> 6.9</c><c> 3.0</c><c> PAW_PBE Li_sv 10Sep2004 </c></rc>"
    "<rc><c> 1</c><c>X </c><c> 131.</c><c> 8.0</c><c> PAW_PBE Xe 07Sep2000 "
    "</c></rc></set></array></atominfo>\n";
static const char STEP[] =
    " <calculation>\n  <scstep><energy><i name=\"e_fr_energy\">************</i></energy></scstep>\n"
    "  <structure><crystal><varray name=\"basis\" ><v> 4 0 0 </v><v> 0 5 0 </v><v> 0 0 6 "
    "</v></varray>"
    "<varray name=\"rec_basis\" ><v> 9 9 9 </v></varray></crystal>"
    "<varray name=\"positions\" ><v> 0.5 0 0 </v><v> 0 0.5 0.25 </v></varray>"
    "<varray name=\"selective\" ><v type=\"logical\"> T F T </v></varray></structure>\n"
    "  <varray name=\"forces\" ><v> %s 0 0 </v><v> -0.5 0 0 </v></varray>\n"
    "  <varray name=\"stress\" ><v> 10 1 2 </v><v> 1 20 3 </v><v> 2 3 30 </v></varray>\n"
    "  <energy><i name=\"e_fr_energy\"> %s </i><i name=\"e_wo_entrp\"> -7.5 </i>"
    "<i name=\"e_0_energy\"> %s </i></energy>\n </calculation>\n";

/* A vasprun.xml of up to two steps; text freed by the caller. */
static char *make(const char *version, const char *title, const char *f, const char *e,
                  const char *e0, const char *tail)
{
    char *t = malloc(16384);
    size_t n = (size_t)snprintf(t, 16384, HEAD, version, title);
    n += (size_t)snprintf(t + n, 16384 - n, STEP, f, e, e0);
    snprintf(t + n, 16384 - n, "%s", tail);
    return t;
}

static mlk_status read_text(const char *name, char *text, mlk_collection *c, mlk_err *e)
{
    const char *path = mlk_test_file(name, text);
    free(text);
    memset(e, 0, sizeof *e);
    return mlk_test_collect(path, c, e);
}

Test(vasprun_unit, units_signs_and_the_potcar_title)
{
    mlk_collection c;
    mlk_err e;
    cr_assert(!read_text("a.xml", make("5.4.4.18Apr17", "t", "0.5", "-8", "-0.5", "</modeling>\n"),
                         &c, &e),
              "%s", e.msg);
    cr_assert_eq(c.n, 1);
    const mlk_frame *fr = &c.fr[0];
    cr_expect_eq(fr->z[0], 3);
    cr_expect_eq(fr->z[1], 54);
    cr_expect_float_eq(fr->x[1][1], 2.5, 1e-14);
    cr_expect_float_eq(fr->x[1][2], 1.5, 1e-14);
    cr_expect_float_eq(fr->energy, -8, 0);
    cr_expect_float_eq(fr->energy0, -7.5, 0); /* 5.4: stands under e_wo_entrp */
    cr_expect_eq(fr->scf, MLK_SCF_CONVERGED); /* 1 of 3; the NELM of linear response is another */
    /* 10 kB = 1 GPa under compression: W = +P V */
    cr_expect_float_eq(fr->virial[0][0], 1 / MLK_EVA3_GPA * 120, 1e-12);
    cr_expect_float_eq(fr->virial[1][2], 0.3 / MLK_EVA3_GPA * 120, 1e-12);
    cr_expect_str_eq(fr->config_type, "t");
    mlk_test_release(&c);
}

Test(vasprun_unit, energy_labels_by_version_and_program)
{
    cr_expect_eq(mlk_vasprun_shifted("vasp ", "4.6.28"), 1);
    cr_expect_eq(mlk_vasprun_shifted("vasp", "6.0.8"), 1);
    cr_expect_eq(mlk_vasprun_shifted("vasp", "6.1.1"), 0);
    cr_expect_eq(mlk_vasprun_shifted("vasp", "unreadable"), -1);
    cr_expect_eq(mlk_vasprun_shifted("CP2K", "2023.1"), 0);
    cr_expect_eq(mlk_vasprun_shifted("CP2K", "4.1"), 0);
    mlk_collection c;
    mlk_err e;
    cr_assert(
        !read_text("v6.xml", make("6.4.1", "t", "0.5", "-8", "-7.75", "</modeling>\n"), &c, &e));
    cr_expect_float_eq(c.fr[0].energy0, -7.75, 0);
    mlk_test_release(&c);
    cr_assert(!read_text("vx.xml", make("?", "t", "0.5", "-8", "-0.5", "</modeling>\n"), &c, &e));
    cr_expect_float_eq(c.fr[0].energy0, -7.5, 0); /* far from F: the entropy term */
    mlk_test_release(&c);
}

Test(vasprun_unit, asterisks_in_a_force_or_energy_clear_its_flag)
{
    mlk_collection c;
    mlk_err e;
    cr_assert(
        !read_text("f.xml", make("6.4.1", "t", "********", "-8", "-8", "</modeling>\n"), &c, &e));
    cr_assert_eq(c.n, 1);
    cr_expect_eq(c.fr[0].has & MLK_HAS_FORCE, 0);
    cr_expect(c.fr[0].has & MLK_HAS_ENERGY);
    mlk_test_release(&c);
    cr_assert(
        !read_text("e.xml", make("6.4.1", "t", "1", "********", "-8", "</modeling>\n"), &c, &e));
    cr_expect_eq(c.fr[0].has & MLK_HAS_ENERGY, 0);
    cr_expect(c.fr[0].has & MLK_HAS_FORCE);
    mlk_test_release(&c);
    cr_assert(!read_text("n.xml", make("6.4.1", "t", "nan", "-8", "-8", "</modeling>\n"), &c, &e));
    cr_expect_eq(c.fr[0].has & MLK_HAS_FORCE, 0);
    mlk_test_release(&c);
}

Test(vasprun_unit, a_careless_title_does_not_spoil_the_file)
{
    mlk_collection c;
    mlk_err e;
    cr_assert(
        !read_text("t.xml",
                   make("6.4.1", "a & b &undef; \x01 caf\xe9", "1", "-8", "-8", "</modeling>\n"),
                   &c, &e),
        "%s", e.msg);
    cr_expect_eq(c.n, 1);
    mlk_test_release(&c);
    cr_expect_eq(read_text("u.xml", make("6.4.1", "t", "1 &", "-8", "-8", "</modeling>\n"), &c, &e),
                 MLK_EFORMAT);
    cr_expect_eq(c.n, 0);
    cr_expect_gt(e.line, 0);
    mlk_test_release(&c);
}

Test(vasprun_unit, truncation_is_reported_with_its_line_after_the_complete_steps)
{
    static const char *const tails[] = {"", " <calculation>\n  <scstep>\n",
                                        " <calculation>\n <v> 0.1",
                                        " <structure name=\"finalpos\" ><crystal>", " <calcul"};
    for (size_t k = 0; k < sizeof tails / sizeof *tails; k++) {
        mlk_collection c;
        mlk_err e;
        cr_expect_eq(read_text("cut.xml", make("6.4.1", "t", "1", "-8", "-8", tails[k]), &c, &e),
                     MLK_EFORMAT);
        cr_expect_eq(c.n, 1, "'%s': %zu frames", tails[k], c.n);
        cr_expect_geq(e.line, 13, "'%s': line %ld", tails[k], e.line);
        cr_expect(strstr(e.msg, "ends early"), "%s", e.msg);
        mlk_test_release(&c);
    }
    /* a closing tag that lacks its last byte does not complete the step */
    char *t = make("6.4.1", "t", "1", "-8", "-8", "");
    *(strstr(t, "</calculation") + 13) = 0;
    mlk_collection c;
    mlk_err e;
    cr_expect_eq(read_text("cut.xml", t, &c, &e), MLK_EFORMAT);
    cr_expect_eq(c.n, 0);
    mlk_test_release(&c);
}

Test(vasprun_unit, damage_in_the_middle_keeps_the_steps_before_it)
{
    mlk_collection c;
    mlk_err e;
    cr_expect_eq(
        read_text("d.xml",
                  make("6.4.1", "t", "1", "-8", "-8", "<calculation></structure>\n</modeling>"), &c,
                  &e),
        MLK_EFORMAT);
    cr_expect_eq(c.n, 1);
    cr_expect(strstr(e.msg, "not well-formed"), "%s", e.msg);
    mlk_test_release(&c);
    /* rows that do not fit the number of atoms */
    char *t = make("6.4.1", "t", "1", "-8", "-8", "</modeling>"),
         *v = strstr(t, "<v> -0.5 0 0 </v>");
    memset(v, ' ', strlen("<v> -0.5 0 0 </v>"));
    cr_expect_eq(read_text("r.xml", t, &c, &e), MLK_EFORMAT);
    cr_expect(strstr(e.msg, "1 force rows, expected 2"), "%s", e.msg);
    mlk_test_release(&c);
}

Test(vasprun_unit, entities_are_never_expanded_or_loaded)
{
    mlk_collection c;
    mlk_err e;
    char *t = malloc(4096);
    snprintf(
        t, 4096,
        "<?xml version=\"1.0\"?>\n<!DOCTYPE m [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">"
        "<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n<modeling><incar>"
        "<i name=\"SYSTEM\">&b;&x;</i></incar></modeling>\n");
    cr_expect_eq(read_text("x.xml", t, &c, &e), MLK_EFORMAT);
    cr_expect_eq(c.n, 0);
    mlk_test_release(&c);
}

Test(vasprun_unit, line_numbers_beyond_65535)
{
    char *t = malloc(1 << 20);
    char *one = make("6.4.1", "t", "1", "-8", "-8", "");
    char *at = strstr(one, " <calculation>");
    *at = 0;
    size_t n = (size_t)snprintf(t, 1 << 20, "%s", one);
    memset(t + n, '\n', 100000);
    *at = ' ';
    snprintf(t + n + 100000, 8192, "%s</modeling>\n", at);
    free(one);
    mlk_collection c;
    mlk_err e;
    cr_assert(!read_text("long.xml", t, &c, &e), "%s", e.msg);
    cr_expect_gt(c.fr[0].line, 100000);
    mlk_test_release(&c);
}

static void make_frame(mlk_frame *fr, double shift)
{
    const double h[3][3] = {{5, 0.1, 0}, {0.3, 6, 0}, {0, -0.2, 7}};
    cr_assert(!mlk_frame_init(fr, 3, NULL));
    cr_assert(!mlk_cell_init(&fr->cell, h, NULL));
    for (int i = 0; i < 3; i++) {
        fr->z[i] = i == 2 ? 16 : 3;
        for (int k = 0; k < 3; k++) {
            fr->x[i][k] = 0.37 * i + 1.1 * k + shift;
            fr->f[i][k] = 0.01 * (i - k) + 1e-9;
        }
    }
    fr->energy = -12.345678901 + shift;
    fr->energy0 = fr->energy + 0.01;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) fr->virial[a][b] = 0.5 * (a == b) - 0.01 * (a + b);
    fr->has = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VIRIAL;
    fr->scf = MLK_SCF_CONVERGED;
    fr->temperature = 650;
    snprintf(fr->group, sizeof fr->group, "run 1");
    snprintf(fr->config_type, sizeof fr->config_type, "a<b&c");
}

static void expect_same(const mlk_frame *a, const mlk_frame *b, double tol)
{
    cr_assert_eq(a->n, b->n);
    cr_expect_float_eq(a->energy, b->energy, 1e-9);
    cr_expect_float_eq(a->energy0, b->energy0, 1e-9);
    cr_expect_float_eq(a->temperature, b->temperature, 1e-6);
    cr_expect_eq(a->scf, b->scf);
    cr_expect_str_eq(a->config_type, b->config_type);
    for (size_t i = 0; i < a->n; i++) {
        cr_expect_eq(a->z[i], b->z[i]);
        for (int k = 0; k < 3; k++) {
            cr_expect_float_eq(a->x[i][k], b->x[i][k], tol);
            cr_expect_float_eq(a->f[i][k], b->f[i][k], tol);
            cr_expect_float_eq(a->virial[i][k], b->virial[i][k], tol);
            cr_expect_float_eq(a->cell.h[i][k], b->cell.h[i][k], 1e-12);
        }
    }
}

Test(vasprun_unit, what_is_written_reads_back_for_any_program)
{
    static const char *const program[][2] = {
        {"CP2K", "2023.1"}, {"vasp", "5.4.4"}, {"vasp", "6.4.1"}};
    mlk_frame fr[2];
    make_frame(&fr[0], 0);
    make_frame(&fr[1], 0.1);
    fr[1].scf = MLK_SCF_UNCONVERGED;
    for (int k = 0; k < 3; k++) {
        char path[512];
        mlk_err e = {0};
        mlk_collection c;
        snprintf(path, sizeof path, "%s/w%d.xml.gz", mlk_test_tmp(), k);
        cr_assert(!mlk_write_vasprun(path, fr, 2, program[k][0], program[k][1], &e), "%s", e.msg);
        cr_assert(!mlk_test_collect(path, &c, &e), "%s", e.msg);
        cr_assert_eq(c.n, 2);
        if (k)
            c.fr[0].temperature = c.fr[1].temperature =
                650; /* TEBEG of VASP is no measured value */
        expect_same(&c.fr[0], &fr[0], 1e-9);
        expect_same(&c.fr[1], &fr[1], 1e-9);
        mlk_test_release(&c);
    }
    mlk_frame_free(&fr[0]);
    mlk_frame_free(&fr[1]);
}

/* ---- extended XYZ ---- */

Test(extxyz_unit, what_is_written_reads_back)
{
    mlk_frame fr[2];
    mlk_err e = {0};
    mlk_collection c;
    make_frame(&fr[0], 0);
    make_frame(&fr[1], 0.1);
    fr[0].v = mlk_alloc(3, sizeof *fr[0].v);
    fr[0].v[1][2] = 0.1234567890123;
    fr[0].has |= MLK_HAS_VELOCITY;
    char path[512];
    snprintf(path, sizeof path, "%s/w.xyz", mlk_test_tmp());
    cr_assert(!mlk_write_extxyz(path, fr, 2, &e), "%s", e.msg);
    cr_assert(!mlk_test_collect(path, &c, &e), "%s", e.msg);
    cr_assert_eq(c.n, 2);
    expect_same(&c.fr[0], &fr[0], 1e-9);
    cr_expect_str_eq(c.fr[1].group, "run 1");
    cr_expect_float_eq(c.fr[0].v[1][2], fr[0].v[1][2], 1e-13);
    mlk_test_release(&c);
    mlk_frame_free(&fr[0]);
    mlk_frame_free(&fr[1]);
}

Test(extxyz_unit, keys_are_case_insensitive_and_prefixed_labels_win)
{
    mlk_collection c;
    mlk_err e = {0};
    cr_assert(
        !mlk_test_collect(
            mlk_test_file(
                "k.xyz",
                "1\nLATTICE=\"2 0 0 0 2 0 0 0 2\" "
                "Properties=Species:S:1:Pos:R:3:forces:R:3:REF_forces:R:3 "
                "energy=-1 REF_energy=-2 DFT_virial=\"1 2 3 4 5 6\" group=g1 temperature=300\n"
                "Si 0 0 0 9 9 9 0.1 0.2 0.3\n"),
            &c, &e),
        "%s", e.msg);
    const mlk_frame *fr = &c.fr[0];
    cr_expect_float_eq(fr->energy, -2, 0);
    cr_expect_float_eq(fr->f[0][1], 0.2, 0);
    cr_expect_float_eq(fr->virial[1][2], 4, 0); /* Voigt: yz xz xy */
    cr_expect_float_eq(fr->virial[0][2], 5, 0);
    cr_expect_float_eq(fr->virial[1][0], 6, 0);
    cr_expect_str_eq(fr->group, "g1");
    cr_expect_float_eq(fr->temperature, 300, 0);
    cr_expect(fr->cell.pbc[0] && fr->cell.pbc[1] && fr->cell.pbc[2]);
    mlk_test_release(&c);
    cr_assert(
        !mlk_test_collect(
            mlk_test_file("k2.xyz", "1\nLattice=\"2 0 0 0 2 0 0 0 2\" energy=-1 free_energy=-1.5 "
                                    "pbc=\"T F T\" stress=\"1 0 0 0 1 0 0 0 1\"\n"
                                    "Si 0 0 0\n"),
            &c, &e),
        "%s", e.msg);
    cr_expect_float_eq(c.fr[0].energy, -1.5, 0);
    cr_expect_float_eq(c.fr[0].energy0, -1, 0);
    cr_expect_float_eq(c.fr[0].virial[0][0], -8, 1e-12); /* tension positive, W = -V stress */
    cr_expect_not(c.fr[0].cell.pbc[1]);
    cr_expect_eq(c.fr[0].has & MLK_HAS_FORCE, 0);
    mlk_test_release(&c);
}

typedef struct bad {
    const char *text, *msg;
    long line;
    size_t n;
} bad;

Test(extxyz_unit, every_defect_names_its_line)
{
    static const char good[] = "1\nLattice=\"2 0 0 0 2 0 0 0 2\" energy=-1\nSi 0 0 0\n";
    static const bad cases[] = {
        {"1\nenergy=-1\nSi 0 0 0\n", "no Lattice", 2, 0},
        {"2\nLattice=\"2 0 0 0 2 0 0 0 2\"\nSi 0 0 0\n", "ends early", 3, 0},
        {"1\nLattice=\"2 0 0 0 2 0 0 0 2\"\nQq 0 0 0\n", "unknown element", 3, 0},
        {"1\nLattice=\"2 0 0 0 2 0 0 0 2\"\nSi 0 nan 0\n", "not a number", 3, 0},
        {"1\nLattice=\"2 0 0 0 2 0 0 0 2\" energy=x\nSi 0 0 0\n", "energy should be a number", 2,
         0},
        {"1\nLattice=\"2 0 0 0 2 0 0 0 2\nSi 0 0 0\n", "no closing", 2, 0},
        {"1\nLattice=\"2 0 0 0 2 0 0 0 0\"\nSi 0 0 0\n", "span a volume", 2, 0},
        {"1\nLattice=\"2 0 0 0 2 0 0 0 2\" Properties=species:S:1:pos:R:3:forces:R:3\nSi 0 0 0\n",
         "4 columns", 3, 0},
        {"1\nLattice=\"2 0 0 0 2 0 0 0 2\" stress=\"1 2 3\"\nSi 0 0 0\n", "6 or 9 numbers", 2, 0},
        {"x\nLattice=\"2 0 0 0 2 0 0 0 2\"\nSi 0 0 0\n", "number of atoms", 1, 0},
        {"-4\nLattice=\"2 0 0 0 2 0 0 0 2\"\nSi 0 0 0\n", "number of atoms", 1, 0},
        {"99999999999999\nLattice=\"2 0 0 0 2 0 0 0 2\"\nSi 0 0 0\n", "number of atoms", 1, 0},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (int after = 0; after < 2; after++) {
            char text[512];
            mlk_err e = {0};
            mlk_collection c;
            snprintf(text, sizeof text, "%s%s", after ? good : "", cases[k].text);
            cr_expect_eq(mlk_test_collect(mlk_test_file("bad.xyz", text), &c, &e), MLK_EFORMAT,
                         "case %zu: %s", k, e.msg);
            cr_expect_eq(c.n, (size_t)after);
            cr_expect(strstr(e.msg, cases[k].msg), "case %zu: %s", k, e.msg);
            cr_expect_eq(e.line, cases[k].line + 3 * after, "case %zu: line %ld", k, e.line);
            mlk_test_release(&c);
        }
}

/* ---- POSCAR ---- */

Test(poscar_unit, what_is_written_reads_back)
{
    mlk_frame fr;
    mlk_err e = {0};
    mlk_collection c;
    make_frame(&fr, 0);
    fr.v = mlk_alloc(3, sizeof *fr.v);
    fr.v[2][0] = -0.25;
    fr.has |= MLK_HAS_VELOCITY;
    char path[512];
    snprintf(path, sizeof path, "%s/POSCAR", mlk_test_tmp());
    cr_assert(!mlk_write_poscar(path, &fr, &e), "%s", e.msg);
    cr_assert(!mlk_test_collect(path, &c, &e), "%s", e.msg);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            cr_expect_float_eq(c.fr[0].x[i][k], fr.x[i][k], 1e-13);
            cr_expect_float_eq(c.fr[0].v[i][k], fr.v[i][k], 1e-13);
        }
    mlk_test_release(&c);
    mlk_frame_free(&fr);
}

Test(poscar_unit, defects_name_their_line)
{
    static const bad cases[] = {
        {"t\n0\n1 0 0\n0 1 0\n0 0 1\nLi\n1\nDirect\n0 0 0\n", "scale factor", 2, 0},
        {"t\n1\n1 0 0\n0 1 x\n0 0 1\nLi\n1\nDirect\n0 0 0\n", "lattice vector", 4, 0},
        {"t\n1\n1 0 0\n0 1 0\n0 0 1\nLx\n1\nDirect\n0 0 0\n", "unknown element", 6, 0},
        {"t\n1\n1 0 0\n0 1 0\n0 0 1\nLi S\n1\nDirect\n0 0 0\n", "1 numbers of atoms for 2", 7, 0},
        {"t\n1\n1 0 0\n0 1 0\n0 0 1\nLi\n2\nDirect\n0 0 0\n", "ends where", 9, 0},
        {"t\n1\n1 0 0\n0 1 0\n0 0 1\nLi\n1\n0 0 0\n", "'Direct' or 'Cartesian'", 8, 0},
        {"t\n1\n1 0 0\n0 1 0\n0 0 1\nLi\n0\nDirect\n", "no atoms", 7, 0},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        mlk_err e = {0};
        mlk_collection c;
        cr_expect_eq(mlk_test_collect(mlk_test_file("POSCAR_bad", cases[k].text), &c, &e),
                     MLK_EFORMAT);
        cr_expect(strstr(e.msg, cases[k].msg), "case %zu: %s", k, e.msg);
        cr_expect_eq(e.line, cases[k].line, "case %zu: line %ld", k, e.line);
        mlk_test_release(&c);
    }
}

/* ---- files that are nothing of the sort ---- */

Test(parser_unit, empty_foreign_and_packed_files_are_refused_clearly)
{
    static const bad cases[] = {{"", "empty", 0, 0},
                                {"hello\nworld\n", "not recognised", 0, 0},
                                {"<?xml version=\"1.0\"?>\n<svg/>\n", "expected <modeling>", 2, 0},
                                {"\xfd"
                                 "7zXZ",
                                 "not recognised", 0, 0},
                                {"BZh91AY&SY", "end early", 0, 0}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        mlk_err e = {0};
        mlk_collection c;
        cr_expect_neq(mlk_test_collect(mlk_test_file("odd", cases[k].text), &c, &e), MLK_OK);
        cr_expect(strstr(e.msg, cases[k].msg), "case %zu: %s", k, e.msg);
        cr_expect(e.file[0]);
        mlk_test_release(&c);
    }
    mlk_err e = {0};
    cr_expect_eq(mlk_parse_structure("/nonexistent/POSCAR", 0, &(mlk_frame){0}, &e), MLK_EIO);
    cr_expect(strstr(e.msg, "No such file"), "%s", e.msg);
}
