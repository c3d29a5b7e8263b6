/* test_poscar.c - a POSCAR or CONTCAR that was cut off: never a shorter number, never atoms that
 * are not there, and the structure survives damage behind it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"
#include "tests/support/collect.h"

#define HEAD "t\n1\n3 0 0\n0 3 0\n0 0 3\nLi\n1\nDirect\n"

typedef struct expected {
    const char *text;
    mlk_status status;
    size_t frames;
    unsigned velocities;
    const char *msg;
} expected;

static void check(const expected *x)
{
    mlk_err e = {0};
    mlk_collection c;
    mlk_status s = mlk_test_collect(mlk_test_file("POSCAR_cut", x->text), &c, &e);
    cr_expect_eq(s, x->status, "'%s': %s", x->text, e.msg);
    cr_expect_eq(c.n, x->frames, "'%s': %zu frames", x->text, c.n);
    if (x->msg) cr_expect(strstr(e.msg, x->msg), "'%s': %s", x->text, e.msg);
    if (c.n)
        cr_expect_eq(c.fr[0].has & MLK_HAS_VELOCITY, x->velocities * MLK_HAS_VELOCITY, "'%s'",
                     x->text);
    mlk_test_release(&c);
}

Test(poscar_cut, the_last_number_is_whole_or_refused)
{
    const expected cases[] = {
        {HEAD "0.5 0.5 0.5\n", MLK_OK, 1, 0, NULL},
        {HEAD "0.5 0.5 0.5 ", MLK_OK, 1, 0, NULL},
        {HEAD "0.5 0.5 0.5 T T F", MLK_OK, 1, 0, NULL},
        {HEAD "0.50000000 0.50000000 0.50000000", MLK_OK, 1, 0, NULL},
        {HEAD "0.50000000 0.50000000 0.5000000", MLK_EFORMAT, 0, 0, "no line end"},
        {HEAD "0.5 0.5 0.5", MLK_EFORMAT, 0, 0, "no line end"},
        {HEAD "5.000000E-01 5.000000E-01 5.000000E-0", MLK_EFORMAT, 0, 0, "no line end"},
        {HEAD "0.5 0.5", MLK_EFORMAT, 0, 0, "atom 1 of 1"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) check(&cases[k]);
}

Test(poscar_cut, the_structure_survives_what_is_behind_it)
{
    const expected cases[] = {
        {HEAD "0.5 0.5 0.5\n\n0 0 1e-3\n", MLK_OK, 1, 1, NULL},
        {HEAD "0.5 0.5 0.5\n\n0 0 1e-", MLK_EFORMAT, 1, 0, "within the velocities"},
        {HEAD "0.5 0.5 0.5\n\n0 0 0.1", MLK_EFORMAT, 1, 0, "within the velocities"},
        {HEAD "0.5 0.5 0.5\n\n", MLK_OK, 1, 0, NULL},
        {HEAD "0.5 0.5 0.5\n\nno velocities\n", MLK_OK, 1, 0, NULL},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) check(&cases[k]);
}

Test(poscar_cut, atoms_that_are_not_there_need_no_memory)
{
    const expected x = {"t\n1\n3 0 0\n0 3 0\n0 0 3\nLi S\n100000000 100000000\nDirect\n0 0 0\n",
                        MLK_EFORMAT, 0, 0, "ends where"};
    check(&x);
}

Test(poscar_cut, numbers_that_wrap_around_64_bits)
{
    static const char *const text[] = {"18446744073709551616", "36893488147419103232",
                                       "0.00000018446744073709551616", "1844674407370955161600"};
    for (size_t k = 0; k < sizeof text / sizeof *text; k++) {
        const char *p = text[k];
        double v = 0;
        cr_assert(mlk_number(&p, &v));
        cr_expect_eq(v, strtod(text[k], NULL), "%s is read as %g", text[k], v);
    }
}
