/* check.h - comparing numbers so that a failure shows value, expectation, tolerance and their
 * ratio. */
#ifndef MLK_TESTS_CHECK_H
#define MLK_TESTS_CHECK_H

#include <criterion/criterion.h>
#include <math.h>

/* |value - expected| <= tol; prints all three and the ratio when not. */
#define mlk_check_close(value, expected, tol)                                                      \
    do {                                                                                           \
        double mlk_v = (value), mlk_x = (expected), mlk_t = (tol);                                 \
        cr_assert(fabs(mlk_v - mlk_x) <= mlk_t,                                                    \
                  "%s = %.15g, expected %.15g, |difference| %.3g is "                              \
                  "%.3g times the tolerance %.3g",                                                 \
                  #value, mlk_v, mlk_x, fabs(mlk_v - mlk_x), fabs(mlk_v - mlk_x) / mlk_t, mlk_t);  \
    } while (0)
/* A call that must succeed; shows the error when not. */
#define mlk_check_ok(call, err)                                                                    \
    do {                                                                                           \
        mlk_status mlk_s = (call);                                                                 \
        cr_assert(mlk_s == MLK_OK, "%s: %s:%ld: %s", #call, (err).file, (err).line, (err).msg);    \
    } while (0)

#endif
