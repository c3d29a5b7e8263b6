/* test_foreign.c - the files of other potential codes: n2p2, LAMMPS, DeePMD-kit, GPUMD. Reading
 * texts made here, defects with their line, and that what is written reads back: energies, forces,
 * virials, cells and positions to the last bit where the format has their units. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/units.h"
#include "parsers/npy.h"
#include "parsers/parser.h"
#include "parsers/writers.h"
#include "tests/support/check.h"
#include "tests/support/collect.h"

/* parser NULL: by content. */
static mlk_status read_as(const char *path, const char *parser, mlk_collection *c, mlk_err *e)
{
    memset(e, 0, sizeof *e);
    return mlk_test_collect_as(path, parser, c, e);
}

static mlk_status read_text(const char *name, const char *text, const char *parser,
                            mlk_collection *c, mlk_err *e)
{
    return read_as(mlk_test_file(name, text), parser, c, e);
}

typedef struct defect {
    const char *text, *msg;
    long line;
    size_t n;
} defect;

static void expect_defects(const char *name, const char *parser, const defect *d, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        mlk_collection c;
        mlk_err e;
        mlk_status s = read_text(name, d[k].text, parser, &c, &e);
        cr_expect(s == MLK_EFORMAT || s == MLK_EUNSUPPORTED, "case %zu: %s", k, e.msg);
        cr_expect(strstr(e.msg, d[k].msg), "case %zu: '%s'", k, e.msg);
        cr_expect_eq(e.line, d[k].line, "case %zu: line %ld: %s", k, e.line, e.msg);
        cr_expect_eq(c.n, d[k].n, "case %zu: %zu frames", k, c.n);
        mlk_test_release(&c);
    }
}

/* ---- n2p2 ---- */

#define LATTICE "lattice 4 0 0\nlattice 0 4 0\nlattice 0 0 4\n"
#define NACL "atom 0 0 0 Na 0 0 0.5 0 0\natom 2 0 0 Cl 0 0 -0.5 0 0\n"

Test(n2p2, units_are_what_the_user_says)
{
    mlk_collection c;
    mlk_err e;
    static const char text[] = "begin\ncomment a b\n" LATTICE NACL "energy -2\ncharge 0\nend\n";
    mlk_check_ok(read_text("input.data", text, "n2p2", &c, &e), e);
    cr_assert_eq(c.n, 1);
    cr_expect_float_eq(c.fr[0].energy, -2, 0);
    cr_expect_float_eq(c.fr[0].f[1][0], -0.5, 0);
    cr_expect_str_eq(c.fr[0].config_type, "a b");
    cr_expect_eq(c.fr[0].energy_kind, MLK_ENERGY_UNSTATED);
    mlk_test_release(&c);
    mlk_check_ok(read_text("input.data", text, "n2p2-bohr", &c, &e), e);
    cr_expect_float_eq(c.fr[0].energy, -2 * 27.211386245988, 1e-12);
    cr_expect_float_eq(c.fr[0].x[1][0], 2 * 0.529177210903, 1e-14);
    cr_expect_float_eq(c.fr[0].f[1][0], -0.5 * 51.42206747632, 1e-9);
    cr_expect_float_eq(c.fr[0].cell.volume, pow(4 * 0.529177210903, 3), 1e-12);
    mlk_test_release(&c);
}

/* NaCl at a distance d in the units of the file; e: energy read, 0 when refused. */
static double energy_at(double d, const char *comment)
{
    char text[512];
    mlk_collection c;
    mlk_err e;
    snprintf(text, sizeof text,
             "begin\n%slattice %g 0 0\nlattice 0 %g 0\nlattice 0 0 %g\natom 0 0 0 Na 0 0 1 0 0\n"
             "atom %g 0 0 Cl 0 0 -1 0 0\nenergy -1\ncharge 0\nend\n",
             comment, 2 * d, 2 * d, 2 * d, d);
    mlk_status s = read_text("input.data", text, NULL, &c, &e);
    double v = s ? 0 : c.fr[0].energy;
    if (s) cr_expect(strstr(e.hint, "--from n2p2"), "%s", e.hint);
    mlk_test_release(&c);
    return v;
}

Test(n2p2, units_are_decided_by_comment_or_distances)
{
    cr_expect_float_eq(energy_at(2.82, ""), -1, 0);
    cr_expect_float_eq(energy_at(2.82 / 0.529177, ""), -27.211386245988, 1e-12);
    cr_expect_eq(energy_at(3.8, ""), 0); /* neither */
    cr_expect_float_eq(energy_at(3.8, "comment Angstrom, eV\n"), -1, 0);
    cr_expect_float_eq(energy_at(2.82, "comment run 7, units Bohr and Hartree\n"), -27.211386245988,
                       1e-12);
    cr_expect_float_eq(energy_at(2.82, "comment every level\n"), -1, 0); /* no word eV */
}

Test(n2p2, clusters_structures_asterisks_and_nan)
{
    mlk_collection c;
    mlk_err e;
    mlk_check_ok(
        read_text("input.data",
                  "begin\n" NACL "energy -2\ncharge 0\nend\n"
                  "begin\n" LATTICE "atom 0 0 0 Na 0 0 0 0 0\nenergy 0\ncharge 0\nend\n"
                  "begin\n" LATTICE "atom 0 0 0 Na 0 0 0 ***** 0\nenergy -1\ncharge 0\nend\n"
                  "begin\n" LATTICE "atom 0 0 0 Na 0 0 0 0.1 0\nenergy nan\ncharge 0\nend\n",
                  "n2p2", &c, &e),
        e);
    cr_assert_eq(c.n, 4);
    cr_expect_eq(c.fr[3].has, MLK_HAS_CELL | MLK_HAS_FORCE);
    cr_expect_not(c.fr[0].cell.pbc[0]);
    cr_expect_eq(c.fr[1].has, MLK_HAS_CELL); /* all zero: a structure without labels */
    cr_expect_eq(c.fr[2].has, MLK_HAS_CELL | MLK_HAS_ENERGY);
    cr_expect_eq(c.fr[2].step, 3);
    mlk_test_release(&c);
}

Test(n2p2, every_defect_names_its_line)
{
    static const defect cases[] = {
        {"begin\n" LATTICE NACL "energy -1\ncharge 0\nen", "ends early", 9, 0},
        {"begin\n" LATTICE NACL "energy -1\nend\nbegin\n" NACL "energy -1.2", "ends early", 12, 1},
        {"begin\nlattice 1 0 0\n" NACL "energy 1\nend\n", "three lattice", 6, 0},
        {"begin\natom 0 0 0 Qq 0 0 0 0 0\nend\n", "element symbol", 2, 0},
        {"begin\natom 0 0 0 Na 0 0 0 0\nend\n", "9 columns", 2, 0},
        {"begin\natom 0 0 nan Na 0 0 0 0 0\nend\n", "position", 2, 0},
        {"begin\nenergy -1\nend\n", "atoms before end", 3, 0},
        {"begin\n" NACL "enregy -1\nend\n", "begin, comment", 4, 0},
    };
    expect_defects("input.data", "n2p2", cases, sizeof cases / sizeof *cases);
}

/* ---- LAMMPS ---- */

#define HEAD2                                                                                      \
    "title\n\n2 atoms\n2 atom types\n\n0 4 xlo xhi\n-1 4 ylo yhi\n1 7 zlo zhi\n0.5 0.25 -1 xy xz " \
    "yz\n\nMasses\n\n1 6.94\n2 32.1\n\n"

Test(lammps_data, styles_tilt_origin_masses_and_velocities)
{
    static const char *const atoms[] = {
        "Atoms # atomic\n\n2 2 1 1 2 0 0 1\n1 1 0.5 -1 3 0 -1 0\n",
        "Atoms  # charge\n\n2 2 -0.5 1 1 2\n1 1 0.5 0.5 -1 3\n",
        "Atoms # full\n\n2 1 2 -0.5 1 1 2\n1 1 1 0.5 0.5 -1 3\n",
        "Atoms # molecular\n\n2 1 2 1 1 2\n1 1 1 0.5 -1 3\n",
        "Atoms\n\n2 2 1 1 2\n1 1 0.5 -1 3\n",                          /* 5 columns: atomic */
        "Atoms\n\n2 1 2 -0.5 1 1 2 0 0 0\n1 1 1 0.5 0.5 -1 3 0 0 0\n", /* 10: full */
        "Atoms\n\n2 2 -0.5 1 1 2\n1 1 0.5 0.5 -1 3\n",                 /* 6, a charge is no type */
    };
    for (size_t k = 0; k < sizeof atoms / sizeof *atoms; k++) {
        char text[2048];
        mlk_collection c;
        mlk_err e;
        snprintf(text, sizeof text,
                 HEAD2
                 "Pair Coeffs\n\n1 1 lj\n\n%s\nVelocities\n\n1 1 0 0\n2 0 -2 0\n\nBonds\n\n1 1 "
                 "1 2\n",
                 atoms[k]);
        mlk_check_ok(read_text("conf.lmp", text, NULL, &c, &e), e);
        const mlk_frame *fr = &c.fr[0];
        cr_expect_eq(fr->z[0], 3, "%s", atoms[k]);
        cr_expect_eq(fr->z[1], 16);
        cr_expect_float_eq(fr->cell.h[1][0], 0.5, 0);
        cr_expect_float_eq(fr->cell.h[2][1], -1, 0);
        cr_expect_float_eq(fr->cell.h[1][1], 5, 0);
        cr_expect_float_eq(fr->x[0][1], 0, 1e-14); /* from the corner of the box */
        cr_expect_float_eq(fr->x[1][2], 1, 1e-14);
        cr_expect_float_eq(fr->v[1][1], -2 * MLK_TAU_PS, 1e-15);
        mlk_test_release(&c);
    }
}

Test(lammps_data, elements_by_comment_label_and_mass)
{
    mlk_collection c;
    mlk_err e;
    mlk_check_ok(
        read_text(
            "conf.lmp",
            "LAMMPS data file via write_data, version 2 Aug 2023, timestep = 0, units = real\n"
            "\n3 atoms\n3 atom types\n0 4 xlo xhi\n0 4 ylo yhi\n0 4 zlo zhi\n\n"
            "Atom Type Labels\n\n1 O\n2 Hw\n3 K\n\nMasses\n\n1 15.999\n2 1.008 # H\nK 39.1\n\n"
            "Atoms # atomic\n\n1 O 0 0 0\n2 Hw 1 0 0\n3 K 2 0 0\n\nVelocities\n\n1 1 0 0\n2 "
            "0 0 0\n3 0 0 0\n",
            NULL, &c, &e),
        e);
    cr_expect_eq(c.fr[0].z[0], 8);
    cr_expect_eq(c.fr[0].z[1], 1);
    cr_expect_eq(c.fr[0].z[2], 19);
    cr_expect_float_eq(c.fr[0].v[0][0], MLK_TAU_FS, 1e-12); /* A/fs */
    mlk_test_release(&c);
}

Test(lammps_data, every_defect_names_its_line)
{
    static const defect cases[] = {
        {HEAD2 "Atoms # atomic\n\n1 1 0 0 0\n", "1 lines under Atoms", 18, 0},
        {HEAD2 "Atoms # atomic\n\n1 1 0 0 0\n2 2 1 1 1.5", "no line end", 19, 0},
        {HEAD2 "Atoms # atomic\n\n1 1 0 0 0\n1 2 1 1 1\n", "the number 1", 19, 0},
        {HEAD2 "Atoms # atomic\n\n1 3 0 0 0\n2 2 1 1 1\n", "a type between", 18, 0},
        {HEAD2 "Atoms # sphere\n\n1 1 1 1 0 0 0\n", "atom_style sphere", 18, 0},
        {HEAD2 "Atoms\n\n1 1 1 0 0 0\n2 2 1 1 1 1\n", "cannot tell the atom_style", 18, 0},
        {HEAD2 "Atoms # atomic\n\n1 1 0 x 0\n2 2 1 1 1\n", "a position", 18, 0},
        {HEAD2, "no atoms", 15, 0},
        {"t\n\n0 4 xlo xhi\n\nAtoms\n\nVelocities\n", "no atoms", 7, 0},
        {"t\n\n1 atoms\n1 atom types\n0 4 xlo xhi\n0 4 ylo yhi\n4 0 zlo zhi\n", "growing", 7, 0},
        {"t\n\n1 atoms\n0 4 xlo xhi\n\nMasses\n\n1 5.5\n", "no element", 8, 0},
        {"t units = lj\n1 atoms\n0 4 xlo xhi\n", "units lj", 1, 0},
        {"t\n1 atoms\n0 4 xlo xhi\n0 4 ylo yhi\n0 4 zlo zhi\nAtoms # atomic\n\n1 1 0 0 0\n",
         "element of atom type 1", 8, 0},
    };
    expect_defects("conf.lmp", "lammps", cases, sizeof cases / sizeof *cases);
}

/* ---- DeePMD ---- */

static char *in_dir(const char *dir, const char *name)
{
    static char path[4][600];
    static int k;
    k = (k + 1) % 4;
    snprintf(path[k], sizeof path[k], "%s/%s/%s", mlk_test_tmp(), dir, name);
    return path[k];
}

static void put_text(const char *dir, const char *name, const char *text)
{
    cr_assert(!mlk_mkdir_p(in_dir(dir, "."), NULL));
    cr_assert(!mlk_file_write_text(in_dir(dir, name), text, NULL));
}

/* A .npy of any layout. */
static void put_npy(const char *dir, const char *name, int version, const char *descr, bool fortran,
                    const char *shape, const void *data, size_t bytes)
{
    char head[256];
    FILE *f = fopen(in_dir(dir, name), "wb");
    int n = snprintf(head, sizeof head, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n",
                     descr, fortran ? "True" : "False", shape);
    cr_assert(f);
    fprintf(f, "\x93NUMPY%c%c%c%c", version, 0, n & 255, n >> 8);
    if (version > 1) fprintf(f, "%c%c", 0, 0);
    fwrite(head, 1, (size_t)n, f);
    fwrite(data, 1, bytes, f);
    fclose(f);
}

static void put_system(const char *dir)
{
    static const double coord[12] = {0, 0, 0, 1, 2, 3, 0.5, 0, 0, 1.5, 2, 3},
                        box[18] = {4, 0, 0, 0, 5, 0, 0, 0, 6, 4, 1, 0, 0, 5, 0, 0, 0, 6},
                        energy[2] = {-1, -2};
    char set[64];
    snprintf(set, sizeof set, "%s/set.000", dir);
    put_text(dir, "type.raw", "1\n0\n");
    put_text(dir, "type_map.raw", "S\nLi\n");
    cr_assert(!mlk_mkdir_p(in_dir(dir, "set.000"), NULL));
    put_npy(set, "coord.npy", 1, "<f8", false, "(2, 6)", coord, sizeof coord);
    put_npy(set, "box.npy", 1, "<f8", false, "(2, 9)", box, sizeof box);
    put_npy(set, "energy.npy", 1, "<f8", false, "(2,)", energy, sizeof energy);
}

Test(deepmd, arrays_of_every_layout)
{
    /* forces: float32 in Fortran order; virial: big-endian in version 2, three dimensions */
    static const float force[12] = {1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12};
    double virial[18];
    mlk_collection c;
    mlk_err e;
    for (int k = 0; k < 18; k++) {
        double v = k;
        unsigned char b[8], r[8];
        memcpy(b, &v, 8);
        for (int i = 0; i < 8; i++) r[i] = b[7 - i];
        memcpy(&virial[k], r, 8);
    }
    put_system("dp1");
    put_npy("dp1/set.000", "force.npy", 1, "<f4", true, "(2, 6)", force, sizeof force);
    put_npy("dp1/set.000", "virial.npy", 2, ">f8", false, "(2, 3, 3)", virial, sizeof virial);
    cr_expect_str_eq(mlk_parser_sniff_dir(in_dir("dp1", "."))->name, "deepmd");
    mlk_check_ok(read_as(in_dir("dp1", ""), NULL, &c, &e), e);
    cr_assert_eq(c.n, 2);
    const mlk_frame *fr = &c.fr[1];
    cr_expect_eq(fr->has, MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VIRIAL);
    cr_expect_eq(fr->z[0], 3);
    cr_expect_eq(fr->z[1], 16);
    cr_expect_float_eq(fr->x[1][0], 1.5, 0);
    cr_expect_float_eq(fr->cell.h[0][1], 1, 0);
    cr_expect_float_eq(fr->energy, -2, 0);
    for (int k = 0; k < 6; k++) cr_expect_float_eq((&fr->f[0][0])[k], 7 + k, 0);
    for (int k = 0; k < 9; k++) /* W of DeePMD is W here: positive under compression */
        cr_expect_float_eq((&fr->virial[0][0])[k], 9 + k, 0);
    cr_expect_eq(fr->step, 2);
    mlk_test_release(&c);
}

Test(deepmd, several_sets_no_cell_and_mixed_types)
{
    static const int32_t type[4] = {1, 0, 1, -1};
    mlk_collection c;
    mlk_err e;
    put_system("dp2");
    cr_assert(!mlk_mkdir_p(in_dir("dp2", "set.001"), NULL));
    static const double coord[6] = {9, 0, 0, 1, 2, 3};
    put_npy("dp2/set.001", "coord.npy", 1, "<f8", false, "(1, 6)", coord, sizeof coord);
    cr_expect_eq(read_as(in_dir("dp2", ""), NULL, &c, &e), MLK_EFORMAT);
    cr_expect_eq(c.n, 2); /* the first set */
    cr_expect(strstr(e.file, "set.001/box.npy"), "%s", e.file);
    mlk_test_release(&c);
    put_text("dp2", "nopbc", "");
    put_npy("dp2/set.000", "real_atom_types.npy", 1, "<i4", false, "(2, 2)", type, sizeof type);
    mlk_check_ok(read_as(in_dir("dp2", ""), NULL, &c, &e), e);
    cr_assert_eq(c.n, 3);
    cr_expect_not(c.fr[0].cell.pbc[0]);
    cr_expect_eq(c.fr[1].n, 1); /* type -1 is no atom */
    cr_expect_eq(c.fr[2].has, MLK_HAS_CELL);
    cr_expect_float_eq(c.fr[2].x[0][0], 9, 0);
    mlk_test_release(&c);
}

Test(deepmd, raw_text)
{
    mlk_collection c;
    mlk_err e;
    put_text("dp3", "type.raw", "0\n1\n");
    put_text("dp3", "type_map.raw", "Li\nS");
    put_text("dp3", "coord.raw", "0 0 0 1 2 3\n0 0 0 1 2 3.5\n");
    put_text("dp3", "box.raw", "4 0 0 0 5 0 0 0 6\n4 0 0 0 5 0 0 0 6\n");
    put_text("dp3", "energy.raw", "-1\n-2\n");
    put_text("dp3", "virial.raw", "1 2 3 4 5 6 7 8 9\n1 2 3 4 5 6 7 8 9\n");
    mlk_check_ok(read_as(in_dir("dp3", ""), NULL, &c, &e), e);
    cr_assert_eq(c.n, 2);
    cr_expect_float_eq(c.fr[1].x[1][2], 3.5, 0);
    cr_expect_float_eq(c.fr[1].virial[1][2], 6, 0);
    mlk_test_release(&c);
    put_text("dp3", "energy.raw", "-1\n-2.5");
    cr_expect_eq(read_as(in_dir("dp3", ""), NULL, &c, &e), MLK_EFORMAT);
    cr_expect(strstr(e.file, "energy.raw") && e.line == 2, "%s:%ld", e.file, e.line);
    mlk_test_release(&c);
    put_text("dp3", "energy.raw", "-1\n");
    cr_expect_eq(read_as(in_dir("dp3", ""), NULL, &c, &e), MLK_EFORMAT);
    cr_expect(strstr(e.msg, "1 frames of 1 numbers, expected 2"), "%s", e.msg);
    mlk_test_release(&c);
}

Test(deepmd, labels_that_are_not_finite_are_left_out)
{
    const double coord[12] = {0, 0, 0, 1, 2, 3, 0, 0, 0, 1, 2, 3.5}, energy[2] = {-1, NAN},
                 box[18] = {4, 0, 0, 0, 5, 0, 0, 0, 6, 4, 0, 0, 0, 5, 0, 0, 0, 6},
                 force[12] = {0, NAN};
    mlk_collection c;
    mlk_err e;
    put_text("dpnan", "type.raw", "0\n1\n");
    put_text("dpnan", "type_map.raw", "Li\nS");
    mlk_check_ok(mlk_mkdir_p(in_dir("dpnan", "set.0"), &e), e);
    mlk_check_ok(mlk_npy_write(in_dir("dpnan", "set.0/coord.npy"), coord, 2, 6, &e), e);
    mlk_check_ok(mlk_npy_write(in_dir("dpnan", "set.0/box.npy"), box, 2, 9, &e), e);
    mlk_check_ok(mlk_npy_write(in_dir("dpnan", "set.0/force.npy"), force, 2, 6, &e), e);
    mlk_check_ok(mlk_npy_write(in_dir("dpnan", "set.0/energy.npy"), energy, 2, 0, &e), e);
    mlk_check_ok(read_as(in_dir("dpnan", ""), NULL, &c, &e), e);
    cr_assert_eq(c.n, 2);
    cr_expect_eq(c.fr[0].has, MLK_HAS_CELL | MLK_HAS_ENERGY);
    cr_expect_eq(c.fr[1].has, MLK_HAS_CELL | MLK_HAS_FORCE);
    mlk_test_release(&c);
}

Test(deepmd, defects_name_their_file)
{
    static const double three[3] = {0};
    mlk_collection c;
    mlk_err e;
    put_system("dp4");
    static const struct {
        const char *descr, *shape, *msg;
        size_t bytes;
    } cases[] = {{"<f8", "(3,)", "3 frames of 1 numbers, expected 2", 24},
                 {"<f8", "(2,)", "bytes of data are not", 24},
                 {"<f8", "(999999999999,)", "bytes of data are not", 24},
                 {"<f8", "(99999999999, 99999999999, 9)", "bytes of data are not", 24},
                 {"<f8", "(-2,)", "its shape", 24},
                 {"<c16", "(2,)", "numbers of type", 24},
                 {"|O", "(2,)", "numbers of type", 24}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        put_npy("dp4/set.000", "energy.npy", 1, cases[k].descr, false, cases[k].shape, three,
                cases[k].bytes);
        cr_expect(read_as(in_dir("dp4", ""), NULL, &c, &e) != MLK_OK);
        cr_expect_eq(c.n, 0);
        cr_expect(strstr(e.msg, cases[k].msg), "case %zu: %s", k, e.msg);
        cr_expect(strstr(e.file, "set.000/energy.npy"), "%s", e.file);
        mlk_test_release(&c);
    }
    put_text("dp4", "set.000/energy.npy", "\x93NUMPY");
    cr_expect_eq(read_as(in_dir("dp4", ""), NULL, &c, &e), MLK_EFORMAT);
    mlk_test_release(&c);
    cr_assert(!remove(in_dir("dp4", "type_map.raw")));
    cr_expect_eq(read_as(in_dir("dp4", ""), NULL, &c, &e), MLK_EFORMAT);
    cr_expect(strstr(e.hint, "type_map.raw"), "%s", e.hint);
    mlk_test_release(&c);
}

/* ---- what is written reads back ---- */

/* Labels with digits that no short format keeps. */
static void make_frames(mlk_frame fr[3])
{
    const double h[3][3] = {{5.1, 0.1 / 3, 0}, {0.3, 6, 1e-3}, {0.1, -0.2, 7}};
    for (int q = 0; q < 3; q++) {
        const size_t n = q == 2 ? 2 : 3;
        cr_assert(!mlk_frame_init(&fr[q], n, NULL));
        cr_assert(!mlk_cell_init(&fr[q].cell, h, NULL));
        for (size_t i = 0; i < n; i++) {
            fr[q].z[i] = i == 1 ? 16 : 3;
            for (int k = 0; k < 3; k++) {
                fr[q].x[i][k] = 2.1 * (double)i + sqrt(2 + k) / 10 + q / 7.0;
                fr[q].f[i][k] = sin(3.0 * (double)i + k + q);
            }
        }
        fr[q].energy = -12.345 / 7 - q;
        for (int k = 0; k < 9; k++) (&fr[q].virial[0][0])[k] = cos(k % 3 + k / 3 + q);
        fr[q].has = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | (q == 1 ? 0 : MLK_HAS_VIRIAL);
        snprintf(fr[q].config_type, sizeof fr[q].config_type, "kind_%d", q);
        snprintf(fr[q].source, sizeof fr[q].source, "source-%d", q);
    }
}

static void free_frames(mlk_frame fr[3])
{
    for (int q = 0; q < 3; q++) mlk_frame_free(&fr[q]);
}

/* order: atom i of b is atom order[i] of a; NULL: the same. rel: allowed relative difference. */
static void expect_same(const mlk_frame *a, const mlk_frame *b, const size_t *order, double rel)
{
#define SAME(p, q) cr_expect(fabs((p) - (q)) <= rel * fabs(p), "%.17g is not %.17g", (q), (p))
    cr_assert_eq(a->n, b->n);
    SAME(a->energy, b->energy);
    for (int k = 0; k < 9; k++) {
        SAME((&a->cell.h[0][0])[k], (&b->cell.h[0][0])[k]);
        if (b->has & MLK_HAS_VIRIAL) SAME((&a->virial[0][0])[k], (&b->virial[0][0])[k]);
    }
    for (size_t i = 0; i < a->n; i++) {
        const size_t o = order ? order[i] : i;
        cr_expect_eq(a->z[o], b->z[i]);
        for (int k = 0; k < 3; k++) {
            SAME(a->x[o][k], b->x[i][k]);
            SAME(a->f[o][k], b->f[i][k]);
        }
    }
#undef SAME
}

static void round_trip(mlk_status (*write)(const char *, const mlk_frame *, size_t, mlk_err *),
                       const char *name, const char *parser, bool stress, double rel)
{
    char path[600];
    mlk_frame fr[3];
    mlk_collection c;
    mlk_err e = {0};
    make_frames(fr);
    fr[2].has &= ~(unsigned)MLK_HAS_FORCE; /* must be left out */
    snprintf(path, sizeof path, "%s/%s", mlk_test_tmp(), name);
    mlk_check_ok(write(path, fr, 3, &e), e);
    mlk_check_ok(read_as(path, parser, &c, &e), e);
    cr_assert_eq(c.n, 2);
    for (int q = 0; q < 2; q++) {
        expect_same(&fr[q], &c.fr[q], NULL, rel);
        cr_expect_eq(c.fr[q].has, stress ? fr[q].has : fr[q].has & ~(unsigned)MLK_HAS_VIRIAL);
        cr_expect_str_eq(c.fr[q].config_type, fr[q].config_type);
    }
    mlk_test_release(&c);
    fr[0].has = fr[1].has = MLK_HAS_CELL;
    memset(&e, 0, sizeof e);
    cr_expect_eq(write(path, fr, 3, &e), MLK_EINVAL); /* nothing to write */
    free_frames(fr);
}

Test(writers, gpumd_is_exact)
{
    round_trip(mlk_write_gpumd, "train.xyz.gz", NULL, true, 0);
}

Test(writers, n2p2_in_angstrom_is_exact_and_says_its_units)
{
    round_trip(mlk_write_n2p2, "input.data", NULL, false, 0);
}

Test(writers, n2p2_in_bohr_to_rounding)
{
    round_trip(mlk_write_n2p2_bohr, "input-bohr.data", NULL, false, 5e-16);
}

Test(writers, deepmd_is_exact_with_one_system_per_formula)
{
    static const size_t order[3] = {0, 2, 1}; /* Li S Li -> Li Li S */
    static const char *const name[3] = {"Li2S", "Li2S-novirial", "LiS"};
    char dir[600];
    mlk_frame fr[3];
    mlk_collection c;
    mlk_err e = {0};
    size_t n;
    make_frames(fr);
    snprintf(dir, sizeof dir, "%s/systems", mlk_test_tmp());
    cr_assert(!mlk_mkdir_p(dir, NULL));
    mlk_check_ok(mlk_write_deepmd(dir, fr, 3, &n, &e), e);
    cr_expect_eq(n, 3);
    for (int q = 0; q < 3; q++) {
        mlk_check_ok(read_as(in_dir("systems", name[q]), NULL, &c, &e), e);
        cr_assert_eq(c.n, 1);
        cr_expect_eq(c.fr[0].has, fr[q].has);
        expect_same(&fr[q], &c.fr[0], q == 2 ? NULL : order, 0);
        mlk_test_release(&c);
    }
    free_frames(fr);
}

Test(writers, lammps_turns_the_cell_and_keeps_the_structure)
{
    char path[600];
    mlk_frame fr[3];
    mlk_collection c;
    mlk_err e = {0};
    make_frames(fr);
    fr[0].v = mlk_alloc(3, sizeof *fr[0].v);
    fr[0].v[1][0] = 0.3;
    fr[0].v[1][2] = -0.4;
    fr[0].has |= MLK_HAS_VELOCITY;
    snprintf(path, sizeof path, "%s/w.lmp", mlk_test_tmp());
    mlk_check_ok(mlk_write_lammps(path, &fr[0], &e), e);
    mlk_check_ok(read_as(path, NULL, &c, &e), e);
    const mlk_frame *g = &c.fr[0];
    cr_expect_float_eq(g->cell.volume, fr[0].cell.volume, 1e-11);
    cr_expect_float_eq(hypot(hypot(g->v[1][0], g->v[1][1]), g->v[1][2]), 0.5, 1e-14);
    for (size_t i = 0; i < 3; i++) {
        double s[3], t[3], d1 = 0, d2 = 0;
        mlk_cell_frac(&fr[0].cell, fr[0].x[i], s);
        mlk_cell_frac(&g->cell, g->x[i], t);
        cr_expect_eq(g->z[i], fr[0].z[i]);
        for (int k = 0; k < 3; k++) {
            cr_expect_float_eq(s[k], t[k], 1e-14);
            d1 += pow(fr[0].x[i][k] - fr[0].x[0][k], 2);
            d2 += pow(g->x[i][k] - g->x[0][k], 2);
        }
        cr_expect_float_eq(d1, d2, 1e-12);
    }
    mlk_test_release(&c);
    free_frames(fr);
}

Test(writers, poscar_runs_say_where_each_came_from)
{
    char dir[600], *text;
    mlk_frame fr[3];
    mlk_collection c;
    mlk_err e = {0};
    size_t n;
    make_frames(fr);
    snprintf(fr[1].group, sizeof fr[1].group, "run 1/a");
    fr[1].step = 7;
    snprintf(dir, sizeof dir, "%s/runs", mlk_test_tmp());
    cr_assert(!mlk_mkdir_p(dir, NULL));
    mlk_check_ok(mlk_write_poscar_runs(dir, fr, 3, &n, &e), e);
    cr_expect_eq(n, 3);
    static const char *const name[] = {"0001_Li2S", "0002_run_1_a_7", "0003_LiS"};
    for (int q = 0; q < 3; q++) {
        char sub[64];
        snprintf(sub, sizeof sub, "%s/POSCAR", name[q]);
        mlk_check_ok(read_as(in_dir("runs", sub), NULL, &c, &e), e);
        cr_assert_eq(c.fr[0].n, fr[q].n);
        for (size_t i = 0; i < fr[q].n; i++) { /* sorted by element */
            double least = INFINITY;
            for (size_t j = 0; j < fr[q].n; j++) {
                double d = c.fr[0].z[j] == fr[q].z[i] ? 0 : INFINITY;
                for (int k = 0; k < 3; k++) d = fmax(d, fabs(c.fr[0].x[j][k] - fr[q].x[i][k]));
                least = fmin(least, d);
            }
            cr_expect_lt(least, 1e-14);
        }
        for (size_t i = 2; i < fr[q].n; i++)
            cr_expect(c.fr[0].z[i] == c.fr[0].z[i - 1] || c.fr[0].z[i] != c.fr[0].z[0]);
        mlk_test_release(&c);
    }
    mlk_check_ok(mlk_file_slurp(in_dir("runs", "index.csv"), &text, NULL, &e), e);
    cr_expect(strstr(text, "0002_run_1_a_7,source-1,0,0,7,run 1/a,Li2S\n"), "%s", text);
    mlk_free(text);
    free_frames(fr);
}

Test(writers, npy_files_of_ours_are_aligned_and_exact)
{
    static const double v[6] = {1.0 / 3, -0.0, 1e300, 5e-324, 2, 3};
    char path[600], *text;
    size_t n;
    mlk_npy a;
    mlk_err e = {0};
    snprintf(path, sizeof path, "%s/a.npy", mlk_test_tmp());
    mlk_check_ok(mlk_npy_write(path, v, 2, 3, &e), e);
    mlk_check_ok(mlk_npy_read(path, &a, &e), e);
    cr_expect_eq(a.rows, 2);
    cr_expect_eq(a.cols, 3);
    cr_expect_arr_eq(a.v, v, sizeof v);
    mlk_npy_free(&a);
    mlk_check_ok(mlk_file_slurp(path, &text, &n, &e), e);
    cr_expect_eq((n - sizeof v) % 64, 0);
    mlk_free(text);
}
