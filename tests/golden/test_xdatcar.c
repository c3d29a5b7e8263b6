/* test_xdatcar.c - every XDATCAR of the shared collection against reference parses that two other
 * programs agree on. Prints one row per file: frames expected and read, and the verdict. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/element.h"
#include "tests/support/collect.h"
#include "tests/support/shared.h"

static double worse(double a, double b)
{
    return isnan(b) || b > a ? b : a;
}

static double sum_difference(const json_t *want, const mlk_frame *fr, const double (*s)[3])
{
    double sum[3] = {0};
    for (size_t i = 0; i < fr->n; i++)
        for (int k = 0; k < 3; k++) sum[k] += s[i][k];
    return mlk_test_json_diff(want, sum, 3);
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
        double d = sum_difference(json_array_get(sums, k), fr, (const double(*)[3])s);
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

static const char *compare_species(const json_t *g, const mlk_frame *fr)
{
    const json_t *names = json_object_get(g, "species_names"),
                 *counts = json_object_get(g, "counts");
    size_t i = 0;
    for (size_t t = 0; t < json_array_size(names); t++)
        for (long c = 0; c < json_integer_value(json_array_get(counts, t)); c++, i++)
            if (i >= fr->n ||
                fr->z[i] != mlk_element_z(json_string_value(json_array_get(names, t))))
                return "elements";
    return i == fr->n ? NULL : "number of atoms";
}

static int only_xdatcar(const struct dirent *d)
{
    return !strncmp(d->d_name, "XDATCAR_", 8);
}

static bool check_file(const char *dir, const char *name)
{
    char path[900], gold[900];
    mlk_err e = {0};
    mlk_collection fr;
    json_error_t je;
    double worst = 0;
    const char *gz = strstr(name, ".gz"), *why = NULL;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(gold, sizeof gold, "%s/golden/%.*s.json", dir,
             (int)(gz ? (size_t)(gz - name) : strlen(name)), name);
    json_t *g = json_load_file(gold, 0, &je);
    cr_assert(g, "%s:%d: %s", gold, je.line, je.text);
    size_t want = (size_t)json_integer_value(json_object_get(g, "n_frames"));
    mlk_status s = mlk_test_collect(path, &fr, &e);
    if (want && s) why = e.msg;
    if (!want && (s != MLK_EFORMAT || e.line != 2)) why = "no clear error";
    if (!why && fr.n != want) why = "wrong number of frames";
    if (!why && want) why = compare_species(g, &fr.fr[0]);
    if (!why) why = compare(g, &fr, &worst);
    printf("%-36s %8zu %5zu  %s%s (largest difference %.1e)\n", name, want, fr.n,
           why ? "FAIL " : "ok", why ? why : "", worst);
    json_decref(g);
    mlk_test_release(&fr);
    return !why;
}

Test(xdatcar, every_golden_file_reads_as_the_reference_says, .timeout = 60)
{
    char dir[512];
    const char *shared = mlk_test_shared();
    if (!shared) cr_skip_test("no shared data (../shared or $MLK_SHARED)");
    snprintf(dir, sizeof dir, "%s/data/vasp", shared);
    struct dirent **list;
    int n = scandir(dir, &list, only_xdatcar, alphasort), good = 0;
    if (n < 1) cr_skip_test("no XDATCAR files in %s", dir);
    printf("%-36s %8s %5s  verdict\n", "file", "expected", "read");
    for (int k = 0; k < n; k++) {
        good += check_file(dir, list[k]->d_name);
        free(list[k]);
    }
    free(list);
    printf("%d of %d XDATCAR files as expected\n", good, n);
    cr_expect_eq(good, n);
    cr_expect_geq(n, 7);
}
