/* stress_reading.c - see stress_reading.h. */
#include "datasets/stress_reading.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/units.h"

/* Which of yz zx xy (3 4 5) stands at the places 3, 4, 5. */
static const int shear[MLK_ORDERS][3] = {{3, 4, 5}, {5, 3, 4}, {5, 4, 3},
                                         {3, 5, 4}, {4, 3, 5}, {4, 5, 3}};
static const char *const order_name[MLK_ORDERS] = {"xx yy zz yz zx xy", "xx yy zz xy yz zx",
                                                   "xx yy zz xy zx yz", "xx yy zz yz xy zx",
                                                   "xx yy zz zx yz xy", "xx yy zz zx xy yz"};

static const struct {
    double factor;
    bool per_volume;
    const char *name;
} unit[] = {{MLK_EVA3_GPA, false, "eV/A^3"},
            {1, false, "GPa"},
            {0.1, false, "kbar"},
            {MLK_EVA3_GPA, true, "eV (virial)"}},
  mistake[] = {{1, false, ""},
               {10, false, "times 10"},
               {0.1, false, "times 0.1"},
               {MLK_EVA3_GPA, false, "times 160.2"},
               {1 / MLK_EVA3_GPA, false, "divided by 160.2"}};

void mlk_reading_apply(const mlk_reading *r, const double g[6], double v, double s[6])
{
    double f = r->sign * r->factor / (r->per_volume ? v : 1);
    for (int k = 0; k < 3; k++) {
        s[k] = f * g[k];
        s[shear[r->order][k]] = f * g[3 + k];
    }
}

const char *mlk_reading_order(int order)
{
    return order_name[order];
}

char *mlk_reading_name(const mlk_reading *r, char *buf, size_t cap)
{
    const char *name = "";
    size_t n = r->raw ? sizeof unit / sizeof *unit : sizeof mistake / sizeof *mistake;
    for (size_t k = 0; k < n; k++) {
        double factor = r->raw ? unit[k].factor : mistake[k].factor;
        bool per_volume = r->raw ? unit[k].per_volume : mistake[k].per_volume;
        if (r->factor == factor && r->per_volume == per_volume)
            name = r->raw ? unit[k].name : mistake[k].name;
    }
    if (r->raw) {
        snprintf(buf, cap, "%s, %s, positive under %s", order_name[r->order], name,
                 r->sign > 0 ? "tension" : "compression");
        return buf;
    }
    snprintf(buf, cap, "%s%s%s%s%s", r->sign < 0 ? "sign flipped" : "",
             r->sign < 0 && *name ? ", " : "", name, r->order && (r->sign < 0 || *name) ? ", " : "",
             r->order ? "components in the order " : "");
    if (r->order) strncat(buf, order_name[r->order], cap - strlen(buf) - 1);
    if (!*buf) snprintf(buf, cap, "as it stands");
    return buf;
}

mlk_reading mlk_reading_plain(void)
{
    return (mlk_reading){1, false, 1, 0, false};
}

mlk_reading mlk_reading_best(bool raw, double (*score)(const mlk_reading *r, const void *user),
                             const void *user, double *best)
{
    mlk_reading won = mlk_reading_plain();
    size_t n = raw ? sizeof unit / sizeof *unit : sizeof mistake / sizeof *mistake;
    *best = INFINITY;
    for (size_t k = 0; k < n; k++)
        for (int sign = 1; sign >= -1; sign -= 2)
            for (int order = 0; order < MLK_ORDERS; order++) {
                mlk_reading r = {raw ? unit[k].factor : mistake[k].factor,
                                 raw ? unit[k].per_volume : mistake[k].per_volume, sign, order,
                                 raw};
                double v = score(&r, user);
                if (v < *best * (1 - 1e-9)) *best = v, won = r;
            }
    return won;
}

void mlk_voigt(const double m[3][3], double factor, double v[6])
{
    static const int a[6] = {0, 1, 2, 1, 2, 0}, b[6] = {0, 1, 2, 2, 0, 1};
    for (int k = 0; k < 6; k++) v[k] = 0.5 * factor * (m[a[k]][b[k]] + m[b[k]][a[k]]);
}
