/* test_dft_codes.c - outputs of Quantum ESPRESSO and CP2K: which number belongs to which step,
 * units, signs, and files that end early at every line. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "tests/support/check.h"
#include "tests/support/collect.h"

static const char pw_head[] =
    "\n     Program PWSCF v.7.0 starts on  1Jan2024 at  1: 2: 3\n\n"
    "     lattice parameter (alat)  =      10.0000  a.u.\n"
    "     number of atoms/cell      =            2\n"
    "     kinetic-energy cutoff     =      30.0000  Ry\n"
    "     Exchange-correlation= PBE\n"
    "     celldm(1)=  10.000000  celldm(2)=   0.000000  celldm(3)=   0.000000\n"
    "     crystal axes: (cart. coord. in units of alat)\n"
    "               a(1) = (   1.000000   0.000000   0.000000 )\n"
    "               a(2) = (   0.000000   1.000000   0.000000 )\n"
    "               a(3) = (   0.000000   0.000000   0.500000 )\n\n"
    "     atomic species   valence    mass     pseudopotential\n"
    "        Li1            3.00     6.94000     Li( 1.00)\n"
    "        Clx            7.00    35.45000     Cl( 1.00)\n\n"
    "     site n.     atom                  positions (alat units)\n"
    "         1           Li1 tau(   1) = (   0.0000000   0.0000000   0.0000000  )\n"
    "         2           Clx tau(   2) = (   0.2500000   0.2500000   0.1000000  )\n\n";
static const char pw_step[] =
    "!    total energy              =     -14.50000000 Ry\n"
    "     estimated scf accuracy    <          9.2E-09 Ry\n"
    "     convergence has been achieved in   7 iterations\n\n"
    "     Forces acting on atoms (cartesian axes, Ry/au):\n\n"
    "     atom    1 type  1   force =    -0.03000000    0.00100000    0.03000000\n"
    "     atom    2 type  2   force =     0.03000000   -0.00100000   -0.03000000\n\n"
    "     The non-local contrib.  to forces\n"
    "     atom    1 type  1   force =     9.00000000    9.00000000    9.00000000\n"
    "     Total force =     0.061841     Total SCF correction =     0.000010\n\n"
    "          total   stress  (Ry/bohr**3)                   (kbar)     P=      413.32\n"
    "   0.00200000  -0.00008000   0.00000000          412.99      -12.15       -0.39\n"
    "  -0.00008000   0.00300000   0.00000000          -12.15      413.99       12.16\n"
    "   0.00000000   0.00000000   0.00400000           -0.39       12.16      412.99\n\n";
static const char pw_move[] =
    "CELL_PARAMETERS (angstrom)\n   5.0 0.0 0.0\n   0.0 5.0 0.0\n   0.0 0.0 3.0\n\n"
    "ATOMIC_POSITIONS (crystal)\nLi1 0.0 0.0 0.1 0 0 0\nClx 0.5 0.5 0.5\n\n";
static const char pw_end[] = "     init_run     :      0.03s CPU\n   JOB DONE.\n";

static const char *pw_text(char *buf, size_t cap)
{
    snprintf(buf, cap, "%s%s%s%s%s", pw_head, pw_step, pw_move, pw_step, pw_end);
    return buf;
}

Test(espresso, every_number_goes_to_its_step_in_our_units)
{
    char text[8192];
    mlk_err e = {0};
    mlk_collection c;
    const char *path = mlk_test_file("relax.out", pw_text(text, sizeof text));
    cr_assert_str_eq(mlk_parser_sniff(path, NULL)->name, "espresso");
    mlk_check_ok(mlk_test_collect(path, &c, &e), e);
    cr_assert_eq(c.n, 2);
    const mlk_frame *a = &c.fr[0], *b = &c.fr[1];
    cr_expect(a->z[0] == 3 && a->z[1] == 17);
    mlk_check_close(a->x[1][2], MLK_BOHR, 1e-12);
    mlk_check_close(a->cell.volume, 500 * pow(MLK_BOHR, 3), 1e-9);
    mlk_check_close(a->energy, -14.5 * 13.605693122994, 1e-9);
    mlk_check_close(a->f[0][0], -0.03 * 13.605693122994 / MLK_BOHR, 1e-12);
    mlk_check_close(a->virial[2][2], 0.004 * 500 * 13.605693122994,
                    1e-9); /* compressed: positive */
    mlk_check_close(a->virial[0][1], -0.00008 * 500 * 13.605693122994, 1e-9);
    cr_expect(a->scf == MLK_SCF_CONVERGED && a->energy_kind == MLK_ENERGY_FREE && a->step == 1);
    mlk_check_close(b->x[1][0], 2.5, 1e-12);
    mlk_check_close(b->x[0][2], 0.3, 1e-12);
    mlk_check_close(b->cell.volume, 75, 1e-9);
    cr_expect_eq(b->step, 2);
    cr_expect_str_eq(b->theory, "PWSCF XC=PBE ECUT=30 Ry PP=");
    mlk_test_release(&c);
}

/* Cut at every byte: what is delivered is what the whole file holds. */
Test(espresso, a_cut_file_delivers_only_whole_steps)
{
    char text[8192];
    pw_text(text, sizeof text);
    size_t n = strlen(text), two = n - strlen(pw_end) + 6, one = two - strlen(pw_step) - 30;
    for (size_t cut = 100; cut < n - 1; cut += 3) {
        char keep = text[cut];
        mlk_err e = {0};
        mlk_collection c;
        text[cut] = 0;
        cr_assert_eq(mlk_test_collect(mlk_test_file("cut.out", text), &c, &e), MLK_EFORMAT);
        cr_assert(cut > one || c.n <= 1, "two steps from %zu bytes", cut);
        for (size_t i = 0; i < c.n; i++) {
            cr_assert((c.fr[i].has & (MLK_HAS_FORCE | MLK_HAS_VIRIAL)) ==
                      (MLK_HAS_FORCE | MLK_HAS_VIRIAL));
            mlk_check_close(c.fr[i].f[1][2], -0.03 * 13.605693122994 / MLK_BOHR, 1e-12);
        }
        mlk_test_release(&c);
        text[cut] = keep;
    }
}

Test(espresso, unconverged_and_concatenated_runs)
{
    char text[16384], one[8192], *at;
    mlk_err e = {0};
    mlk_collection c;
    pw_text(one, sizeof one);
    snprintf(text, sizeof text, "%s%s", one, one);
    at = strstr(text, "convergence has been achieved in   7 iterations");
    memcpy(at, "convergence NOT achieved after 100 iterations: ", 47);
    mlk_check_ok(mlk_test_collect(mlk_test_file("two.out", text), &c, &e), e);
    cr_assert_eq(c.n, 4);
    cr_expect_eq(c.fr[0].scf, MLK_SCF_UNCONVERGED);
    cr_expect_eq(c.fr[1].scf, MLK_SCF_CONVERGED);
    cr_expect(c.fr[1].run == 0 && c.fr[2].run == 2);
    mlk_test_release(&c);
}

static const char pos[] = "       2\n i =        0, time =        0.000, E =        -8.0000000000\n"
                          "  H         0.0000000000        0.0000000000        0.0000000000\n"
                          " Li         1.6000000000        0.0000000000        0.0000000000\n"
                          "       2\n i =        1, time =        0.500, E =        -8.0100000000\n"
                          "  H         0.0100000000        0.0000000000        0.0000000000\n"
                          " Li         1.6100000000        0.0000000000        0.0000000000\n";
static const char frc[] = "       2\n i =        0, time =        0.000, E =        -8.0000000000\n"
                          "  H         0.0100000000        0.0000000000        0.0000000000\n"
                          " Li        -0.0100000000        0.0000000000        0.0000000000\n"
                          "       2\n i =        1, time =        0.500, E =        -8.0100000000\n"
                          "  H         0.0200000000        0.0000000000        0.0000000000\n"
                          " Li        -0.0200000000        0.0000000000        0.0000000000\n";
static const char cell[] = "#   Step   Time [fs]       Ax\n"
                           "       0       0.000   5 0 0   0 6 0   0 0 7   210\n"
                           "       1       0.500   5.1 0 0   0 6 0   0 0 7   214.2\n";
static const char out[] =
    " CP2K| version string:                 CP2K version 2023.1\n"
    " GLOBAL| Project name                                     lih\n"
    " GLOBAL| Run type                                          MD\n"
    "  *** SCF run converged in    10 steps ***\n"
    " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:               -8.000000000000\n"
    " STRESS| Analytical stress tensor [GPa]\n STRESS|        x   y   z\n"
    " STRESS|      x        1.00000000000E+00   0.5   0.0\n"
    " STRESS|      y        0.5   2.0   0.0\n STRESS|      z        0.0   0.0   3.0\n"
    " STRESS| 1/3 Trace                                            2.0\n"
    "  *** WARNING in qs_scf.F: SCF run NOT converged ***\n"
    " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:               -8.010000000000\n";

Test(cp2k, a_trajectory_takes_what_stands_beside_it)
{
    char dir[512], p[700];
    mlk_err e = {0};
    mlk_collection c;
    snprintf(dir, sizeof dir, "%s/cp2k", mlk_test_tmp());
    cr_assert(!mlk_mkdir_p(dir, NULL));
    const struct {
        const char *name, *text;
    } file[] = {{"lih-frc-1.xyz", frc}, {"lih-1.cell", cell}, {"run.out", out}};
    mlk_path_join(p, sizeof p, dir, "lih-pos-1.xyz");
    cr_assert(!mlk_file_write_text(p, pos, NULL));
    cr_expect_eq(mlk_test_collect(p, &c, &e), MLK_EFORMAT, "no cell");
    cr_expect(strstr(e.hint, "lih-1.cell"), "%s", e.hint);
    for (size_t k = 0; k < 3; k++) {
        mlk_path_join(p, sizeof p, dir, file[k].name);
        cr_assert(!mlk_file_write_text(p, file[k].text, NULL));
    }
    mlk_path_join(p, sizeof p, dir, "lih-pos-1.xyz");
    cr_assert_str_eq(mlk_parser_sniff(p, NULL)->name, "cp2k");
    e = (mlk_err){0};
    mlk_check_ok(mlk_test_collect(p, &c, &e), e);
    cr_assert_eq(c.n, 2);
    mlk_check_close(c.fr[1].energy, -8.01 * 27.211386245988, 1e-9);
    mlk_check_close(c.fr[1].f[0][0], 0.02 * 27.211386245988 / MLK_BOHR, 1e-10);
    mlk_check_close(c.fr[1].cell.h[0][0], 5.1, 1e-12);
    mlk_check_close(c.fr[0].virial[1][1], 2.0 / MLK_EVA3_GPA * 210, 1e-9);
    cr_expect(c.fr[0].scf == MLK_SCF_CONVERGED && c.fr[1].scf == MLK_SCF_UNCONVERGED);
    cr_expect(!(c.fr[1].has & MLK_HAS_VIRIAL));
    mlk_test_release(&c);
}

Test(cp2k, output_of_a_single_point)
{
    static const char text[] =
        " CP2K| version string:                 CP2K version 2023.1\n"
        " GLOBAL| Run type                                ENERGY_FORCE\n"
        " CELL| Vector a [angstrom]:       5.000     0.000     0.000   |a| =     5.000400\n"
        " CELL| Vector b [angstrom]:       0.000     6.000     0.000   |b| =     6.000000\n"
        " CELL| Vector c [angstrom]:       0.000     0.000     7.000   |c| =     7.000000\n"
        " MODULE QUICKSTEP: ATOMIC COORDINATES IN ANGSTROM\n\n"
        "   Atom Kind Element         X             Y             Z       Z(eff)     Mass\n"
        "      1    1 H     1      0.000000      0.000000      0.000000   1.0000   1.0079\n"
        "      2    2 Li    3      1.600000      0.000000      0.000000   3.0000   6.9410\n\n"
        "  *** SCF run converged in    10 steps ***\n"
        " ENERGY| Total FORCE_EVAL ( QS ) energy [a.u.]:               -8.000000000000\n"
        " ATOMIC FORCES in [a.u.]\n\n # Atom   Kind   Element          X              Y        Z\n"
        "      1      1      H           0.01000000     0.00000000     0.00000000\n"
        "      2      2      Li         -0.01000000     0.00000000     0.00000000\n"
        " SUM OF ATOMIC FORCES           0.00000000     0.00000000     0.00000000     0.0\n"
        "  **** **** ******  **  PROGRAM ENDED AT                 2024-01-01\n";
    mlk_err e = {0};
    mlk_collection c;
    mlk_check_ok(mlk_test_collect(mlk_test_file("sp.out", text), &c, &e), e);
    cr_assert_eq(c.n, 1);
    mlk_check_close(c.fr[0].cell.h[0][0], 5.0004, 1e-12);
    mlk_check_close(c.fr[0].f[1][0], -0.01 * 27.211386245988 / MLK_BOHR, 1e-10);
    cr_expect(c.fr[0].z[1] == 3 && c.fr[0].scf == MLK_SCF_CONVERGED);
    mlk_test_release(&c);
    char two[2 * sizeof text];
    snprintf(two, sizeof two, "%s%s", text, text); /* whose forces belong to whose atoms? */
    cr_expect_eq(mlk_test_collect(mlk_test_file("sp2.out", two), &c, &e), MLK_EFORMAT);
    cr_expect(strstr(e.msg, "2 runs"), "%s", e.msg);
    mlk_test_release(&c);
}
