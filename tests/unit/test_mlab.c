/* test_mlab.c - small ML_AB files: what is taken, and every way in which one can be wrong. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/rng.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "tests/support/collect.h"

#define STARS "**************************************************\n"
#define EQUALS "==================================================\n"
#define DASHES "--------------------------------------------------\n"

static const char HEAD[] =
    " 1.0 Version\n" STARS "     The number of configurations\n" DASHES "     %d\n" STARS
    "     The atom types in the data file\n" DASHES "     Li S\n" STARS
    "     Basis set for Li\n" DASHES "          1     1\n          2      1\n" STARS;
/* A cubic cell of 4 A; line 16 + 55 k begins configuration k + 1. */
static const char CONFIGURATION[] =
    "     Configuration num.      %d\n" EQUALS "     System name\n" DASHES
    "     two words                               \n" EQUALS
    "     The number of atom types\n" DASHES "       2\n" EQUALS "     The number of atoms\n" DASHES
    "         3\n" STARS "     Atom types and atom numbers\n" DASHES
    "     Li     1\n     S      2\n" EQUALS "     CTIFOR\n" DASHES
    "  0.100000000000000E-002\n" EQUALS "     Primitive lattice vectors (ang.)\n" DASHES
    "   4.00000000000000       0.000000000000000E+000  0.000000000000000E+000\n"
    "  0.000000000000000E+000   4.00000000000000       0.000000000000000E+000\n"
    "  0.000000000000000E+000  0.000000000000000E+000   4.00000000000000     \n" EQUALS
    "     Atomic positions (ang.)\n" DASHES " 0.5 0 0\n 1.5 2.0 0.25\n 3.0D+000 1 1\n" EQUALS
    "     Total energy (eV)\n" DASHES "  -12.5000000000000     \n" EQUALS
    "     Forces (eV ang.^-1)\n" DASHES " 0.1 0 0\n -0.1 0 0.5\n 0 0 -0.5\n" EQUALS
    "     Stress (kbar)\n" DASHES "     XX YY ZZ\n" DASHES " 10 20 30\n" DASHES
    "     XY YZ ZX\n" DASHES " 1 2 3.75\n";
enum { CAP = 16384, FIRST = 16, LINES = 55 };

/* A file of n configurations that announces `announced`; every `from` becomes `to` (NULL: none);
 * freed by the caller. */
static char *make(int announced, int n, const char *from, const char *to)
{
    char *t = malloc(CAP), *u = malloc(CAP), *at = t;
    size_t len = (size_t)snprintf(t, CAP, HEAD, announced);
    for (int k = 0; k < n; k++)
        len += (size_t)snprintf(t + len, CAP - len, "%s", k ? STARS : ""),
            len += (size_t)snprintf(t + len, CAP - len, CONFIGURATION, k + 1);
    u[0] = 0;
    for (char *hit; from && (hit = strstr(at, from)); at = hit + strlen(from)) {
        strncat(u, at, (size_t)(hit - at));
        strcat(u, to);
    }
    strcat(u, at);
    free(t);
    return u;
}

static mlk_status read_text(char *text, mlk_collection *c, mlk_err *e)
{
    const char *path = mlk_test_file("ML_AB", text);
    free(text);
    memset(e, 0, sizeof *e);
    return mlk_test_collect(path, c, e);
}

/* Reading fails with n frames, at this line (0: any), with these words. */
static void refused(char *text, size_t n, long line, const char *words)
{
    mlk_collection c;
    mlk_err e;
    cr_expect_eq(read_text(text, &c, &e), MLK_EFORMAT, "%s: not refused", words);
    cr_expect_eq(c.n, n, "%s: %zu frames, expected %zu", words, c.n, n);
    cr_expect(strstr(e.msg, words), "'%s', expected '%s'", e.msg, words);
    cr_expect(e.line > 0 && (!line || e.line == line), "%s: line %ld, expected %ld", e.msg, e.line,
              line);
    mlk_test_release(&c);
}

Test(mlab_unit, units_signs_order_and_names)
{
    mlk_collection c;
    mlk_err e;
    cr_assert(!read_text(make(2, 2, NULL, NULL), &c, &e), "%ld: %s", e.line, e.msg);
    cr_assert_eq(c.n, 2);
    const mlk_frame *fr = &c.fr[1];
    cr_expect_eq(fr->n, 3);
    cr_expect(fr->z[0] == 3 && fr->z[1] == 16 && fr->z[2] == 16);
    cr_expect_eq(fr->x[2][0], 3);
    cr_expect_eq(fr->f[1][2], 0.5);
    cr_expect_eq(fr->energy, -12.5);
    cr_expect_eq(fr->energy_kind, MLK_ENERGY_UNSTATED);
    cr_expect_str_eq(fr->config_type, "two words");
    cr_expect_eq(fr->step, 2);
    cr_expect_eq(fr->line, FIRST + LINES);
    /* 10 kbar = 1 GPa of pressure on 64 A^3; XY YZ ZX behind the diagonal */
    const double unit = 64 / MLK_EVA3_GPA;
    cr_expect_float_eq(fr->virial[0][0], 1 * unit, 1e-14);
    cr_expect_float_eq(fr->virial[2][2], 3 * unit, 1e-14);
    cr_expect_float_eq(fr->virial[0][1], 0.1 * unit, 1e-14);
    cr_expect_float_eq(fr->virial[2][1], 0.2 * unit, 1e-14);
    cr_expect_float_eq(fr->virial[2][0], 0.375 * unit, 1e-14);
    mlk_test_release(&c);
}

Test(mlab_unit, a_cut_delivers_what_is_whole_and_nothing_else)
{
    char *whole = make(3, 3, NULL, NULL);
    const size_t n = strlen(whole), size = (n - (size_t)(strstr(whole, "Conf") - whole)) / 3;
    for (size_t cut = 1; cut <= n; cut += cut < 40 ? 1 : 29) {
        char *t = malloc(CAP);
        memcpy(t, whole, n);
        t[n - cut] = 0;
        mlk_collection c;
        mlk_err e;
        cr_expect_neq(read_text(t, &c, &e), MLK_OK, "%zu bytes missing", cut);
        cr_expect(c.n <= 2 && c.n + 1 >= 3 - cut / (size - 80), "%zu bytes missing: %zu frames",
                  cut, c.n);
        for (size_t i = 0; i < c.n; i++) {
            cr_expect_float_eq(c.fr[i].virial[2][0], 0.375 * 64 / MLK_EVA3_GPA, 1e-14);
            cr_expect_eq(c.fr[i].f[2][2], -0.5);
        }
        mlk_test_release(&c);
    }
    free(whole);
}

Test(mlab_unit, a_missing_line_end_is_a_cut_unless_blanks_follow)
{
    mlk_collection c;
    mlk_err e;
    char *t = make(1, 1, NULL, NULL);
    t[strlen(t) - 1] = 0;
    refused(t, 0, FIRST + LINES - 2, "ends within a line");
    t = make(1, 1, NULL, NULL);
    t[strlen(t) - 1] = ' ';
    cr_expect(!read_text(t, &c, &e), "%s", e.msg);
    cr_expect_eq(c.n, 1);
    mlk_test_release(&c);
}

Test(mlab_unit, counts_that_disagree_are_refused_with_their_line)
{
    refused(make(3, 2, NULL, NULL), 2, 0, "announces 3 configurations, the file holds 2");
    refused(make(2, 2, "       2\n", "       3\n"), 0, FIRST + 14, "3 atom types, but 2");
    refused(make(2, 2, "         3\n", "         4\n"), 0, FIRST + 14, "4 atoms");
    refused(make(2, 2, "S      2\n", "S      1\n"), 0, 0, "3 atoms");
    refused(make(2, 2, " 1.5 2.0 0.25\n", ""), 0, FIRST + 29, "3 atoms, but 2 positions");
    refused(make(2, 2, " 0 0 -0.5\n", " 0 0 -0.5\n 0 0 0\n"), 0, 0, "3 atoms, but 4 forces");
    refused(make(0, 2, NULL, NULL), 0, 5, "number of configurations");
}

Test(mlab_unit, more_configurations_than_announced_are_all_read)
{
    mlk_collection c;
    mlk_err e;
    cr_expect(!read_text(make(1, 2, NULL, NULL), &c, &e), "%s", e.msg);
    cr_expect_eq(c.n, 2);
    mlk_test_release(&c);
}

Test(mlab_unit, what_is_no_number_is_refused_or_its_label_left_out)
{
    static const struct {
        const char *from, *to;
        unsigned lost;
    } t[] = {{" -0.1 0 0.5\n", " -0.1 NaN 0.5\n", MLK_HAS_FORCE},
             {" -0.1 0 0.5\n", " -0.1 ********* 0.5\n", MLK_HAS_FORCE},
             {"  -12.5000000000000     \n", "  ********************\n", MLK_HAS_ENERGY},
             {"  -12.5000000000000     \n", "  -Infinity\n", MLK_HAS_ENERGY},
             {" 10 20 30\n", " 10 NaN 30\n", MLK_HAS_VIRIAL}};
    for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
        mlk_collection c;
        mlk_err e;
        cr_expect(!read_text(make(2, 2, t[k].from, t[k].to), &c, &e), "%s: %s", t[k].to, e.msg);
        cr_expect_eq(c.n, 2);
        if (c.n)
            cr_expect_eq(c.fr[0].has,
                         (MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VIRIAL) &
                             ~t[k].lost);
        mlk_test_release(&c);
    }
    refused(make(2, 2, " 1.5 2.0 0.25\n", " 1.5 NaN 0.25\n"), 0, FIRST + 32, "a position");
    refused(make(2, 2, " 1.5 2.0 0.25\n", " 1.5 2.0-10.25\n"), 0, FIRST + 32, "a position");
    refused(make(2, 2, " -0.1 0 0.5\n", " -0.1 0\n"), 0, 0, "a force");
    refused(make(2, 2, " -0.1 0 0.5\n", " -0.1 0 0.5 1\n"), 0, 0, "a force");
    refused(make(2, 2, " 10 20 30\n", ""), 0, 0, "a stress");
    refused(make(2, 2, "  -12.5000000000000     \n", ""), 0, 0, "whole 'Total energy (eV)'");
}

Test(mlab_unit, sections_must_be_there_once_and_in_known_units)
{
    refused(make(2, 2, "Total energy (eV)", "Total energy (Ha)"), 0, 0, "Total energy (eV)");
    refused(make(2, 2, "Stress (kbar)", "Stress (GPa)"), 0, 0, "Stress (kbar)");
    refused(make(2, 2, "CTIFOR", "Total energy (eV)"), 0, 0, "only once");
    refused(make(2, 2, "     S      2\n", "     Qq     2\n"), 0, FIRST + 17,
            "unknown element 'Qq'");
    refused(make(2, 2, "4.00000000000000 ", "0.00000000000000 "), 0, FIRST + 23, "no volume");
}

Test(mlab_unit, joined_files_are_runs)
{
    mlk_collection c;
    mlk_err e;
    char *a = make(2, 2, NULL, NULL), *b = make(1, 1, NULL, NULL), *t = malloc(2 * CAP);
    snprintf(t, 2 * CAP, "%s%s", a, b);
    free(a);
    free(b);
    cr_expect(!read_text(t, &c, &e), "%s", e.msg);
    cr_assert_eq(c.n, 3);
    cr_expect(c.fr[1].run == 0 && c.fr[1].step == 2);
    cr_expect(c.fr[2].run == 2 && c.fr[2].step == 1);
    mlk_test_release(&c);
}

/* Changed bytes: an error with its place, or frames that pass every check. */
Test(mlab_unit, damage_is_refused_or_harmless)
{
    static const char evil[] = "*=-.eE0 \n9N\xff";
    char *whole = make(3, 3, NULL, NULL);
    const size_t n = strlen(whole);
    mlk_rng g = mlk_rng_make(31, 1);
    mlk_log_set_level(MLK_LOG_ERROR);
    for (int k = 0; k < 300; k++) {
        mlk_collection c;
        mlk_err e;
        char *t = malloc(CAP);
        memcpy(t, whole, n + 1);
        for (size_t m = 1 + mlk_rng_below(&g, 3); m > 0; m--)
            t[mlk_rng_below(&g, n)] =
                m % 2 ? evil[mlk_rng_below(&g, sizeof evil - 1)] : (char)mlk_rng_below(&g, 256);
        if (read_text(t, &c, &e)) {
            bool named = e.line > 0 || strstr(e.msg, "not recognised");
            cr_expect(e.file[0] && e.msg[0] && named, "round %d: '%s'", k, e.msg);
            cr_expect_neq(e.code, MLK_EBUG);
        } else {
            cr_expect_eq(c.n, 3, "round %d: %zu frames and no error", k, c.n);
        }
        for (size_t i = 0; i < c.n; i++) cr_expect(!mlk_frame_check(&c.fr[i], NULL));
        mlk_test_release(&c);
    }
    free(whole);
}
