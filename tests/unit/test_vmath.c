/* test_vmath.c - the vectorisable functions of core/vmath.h against libm, in units of the last
 * place. */
#include <criterion/criterion.h>
#include <math.h>

#include "core/vmath.h"

static double ulps(double have, double want)
{
    double u = nextafter(fabs(want), INFINITY) - fabs(want);
    return fabs(have - want) / u;
}

Test(vmath, tanh_within_four_ulp)
{
    double worst = 0;
    for (double x = -25; x < 25; x += 3.3e-4) worst = fmax(worst, ulps(mlk_vtanh(x), tanh(x)));
    for (double x = 1e-300; x < 1; x *= 1.7) worst = fmax(worst, ulps(mlk_vtanh(x), tanh(x)));
    cr_expect(worst <= 4, "%g", worst);
    cr_expect(isnan(mlk_vtanh(NAN)) && mlk_vtanh(1e300) == 1 && mlk_vtanh(-1e300) == -1);
    cr_expect(mlk_vtanh(0) == 0);
}

Test(vmath, cosine_cutoff_to_rounding)
{
    double worst = 0, f, d;
    for (double x = 0; x <= 1; x += 1e-5) {
        MLK_CUTOFF(double, x, f, d);
        worst = fmax(worst, fabs(f - 0.5 * (1 + cos(MLK_PI * x))));
        worst = fmax(worst, fabs(d + 0.5 * MLK_PI * sin(MLK_PI * x)) / MLK_PI);
    }
    cr_expect(worst < 6e-16, "%g", worst);
    MLK_CUTOFF(double, 1.0, f, d);
    cr_expect(fabs(f) < 1e-30 && fabs(d) < 3e-16, "%g %g", f, d);
}
