/* test_xdatcar.c - every XDATCAR of the shared collection against reference parses that two other
 * programs agree on. Prints one row per file: frames expected and read, and the verdict. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/collect.h"
#include "tests/support/golden.h"

static double worse(double a, double b)
{
    return isnan(b) || b > a ? b : a;
}

static const char *compare(const json_t *g, const mlk_collection *c, double *worst)
{
    const json_t *steps = json_object_get(g, "steps"),
                 *sums = json_object_get(g, "scaled_sum_per_frame"),
                 *ends = json_object_get(g, "frame_numbers_first_last");
    size_t at = 0;
    for (size_t k = 0; k < c->n; k++) {
        const mlk_frame *fr = &c->fr[k];
        const json_t *st = json_array_get(steps, at);
        double(*s)[3] = malloc(fr->n * sizeof *s);
        for (size_t i = 0; i < fr->n; i++) mlk_cell_frac(&fr->cell, fr->x[i], s[i]);
        double d = mlk_golden_sum_diff(json_array_get(sums, k), (const double(*)[3])s, fr->n);
        if (st && (size_t)json_integer_value(json_object_get(st, "i")) == k) {
            d = worse(d, mlk_test_json_diff(json_object_get(st, "scaled"), &s[0][0], 3 * fr->n));
            d = worse(d, mlk_test_json_diff(json_object_get(st, "lattice"), &fr->cell.h[0][0], 9));
            at++;
        }
        free(s);
        *worst = worse(*worst, d);
        if (!(d <= 1e-8)) return "positions or lattice differ";
        if (fr->has != MLK_HAS_CELL) return "labels out of nothing";
        long number = (long)json_integer_value(json_array_get(ends, k ? 1 : 0));
        if (number && (k == 0 || k + 1 == c->n) && fr->step != number) return "frame number";
    }
    return at == json_array_size(steps) ? NULL : "frames of the reference not met";
}

static void check_file(const char *path, const char *name, const json_t *g, mlk_golden *c)
{
    mlk_err e = {0};
    mlk_collection fr;
    const char *why = NULL;
    (void)name;
    c->want = (size_t)json_integer_value(json_object_get(g, "n_frames"));
    mlk_status s = mlk_test_collect(path, &fr, &e);
    c->read = fr.n;
    if (c->want && s) why = e.msg;
    if (!c->want && (s != MLK_EFORMAT || e.line != 2)) why = "no clear error";
    if (!why && fr.n != c->want) why = "wrong number of frames";
    if (!why && c->want &&
        !mlk_golden_types(json_object_get(g, "species_names"), json_object_get(g, "counts"),
                          &fr.fr[0]))
        why = "elements";
    if (!why) why = compare(g, &fr, &c->worst);
    if (why) snprintf(c->why, sizeof c->why, "%.500s", why);
    mlk_test_release(&fr);
}

Test(xdatcar, every_golden_file_reads_as_the_reference_says, .timeout = 60)
{
    mlk_golden_each("XDATCAR_", 7, check_file);
}
