/* golden.c - see golden.h. */
#include "tests/support/golden.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/element.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/units.h"
#include "tests/support/collect.h"
#include "tests/support/shared.h"

json_t *mlk_golden_load(const char *name)
{
    char file[300], path[900], *text, *at;
    mlk_err e = {0};
    json_error_t je;
    snprintf(file, sizeof file, "golden/%.250s", name);
    for (const char *const *x = (const char *const[]){".gz", ".xz", NULL}; *x; x++)
        if (mlk_path_ends(file, *x)) file[strlen(file) - strlen(*x)] = 0;
    strcat(file, ".json");
    if (!mlk_test_vasp(path, sizeof path, file))
        cr_skip_test("no shared data (../shared or $MLK_SHARED)");
    cr_assert(!mlk_file_slurp(path, &text, NULL, &e), "%s: %s", path, e.msg);
    while ((at = strstr(text, "Infinity"))) memcpy(at, "null    ", 8);
    json_t *j = json_loads(text, 0, &je);
    mlk_free(text);
    cr_assert(j, "%s:%d: %s", path, je.line, je.text);
    return j;
}

void mlk_golden_differ(mlk_golden *c, const char *what, size_t step, double d, double tol)
{
    c->worst = fmax(c->worst, d);
    if (!(d <= tol) && !c->why[0])
        snprintf(c->why, sizeof c->why, "step %zu: %s off by %g", step, what, d);
}

double mlk_golden_sum_diff(const json_t *want, const double (*v)[3], size_t n)
{
    double sum[3] = {0};
    for (size_t a = 0; a < n; a++)
        for (int k = 0; k < 3; k++) sum[k] += v[a][k];
    return mlk_test_json_diff(want, sum, 3);
}

void mlk_golden_kbar(const mlk_frame *fr, double kb[9])
{
    for (int k = 0; k < 9; k++)
        kb[k] = (&fr->virial[0][0])[k] * MLK_EVA3_GPA * 10 / fr->cell.volume;
}

bool mlk_golden_types(const json_t *names, const json_t *counts, const mlk_frame *fr)
{
    size_t i = 0;
    for (size_t t = 0; t < json_array_size(names); t++) {
        int z = mlk_element_z(json_string_value(json_array_get(names, t)));
        for (int m = (int)json_number_value(json_array_get(counts, t)); m > 0; m--, i++)
            if (i >= fr->n || fr->z[i] != z) return false;
    }
    return i == fr->n;
}

void mlk_golden_head(void)
{
    printf("%-46s %8s %5s  verdict\n", "file", "expected", "read");
}

void mlk_golden_row(const char *name, const mlk_golden *c)
{
    printf("%-46s %8zu %5zu  %s%s%s (largest difference %.1e)\n", name, c->want, c->read,
           c->why[0] ? "FAIL " : "ok",
           c->why[0]    ? c->why
           : c->note[0] ? ", "
                        : "",
           c->why[0] ? "" : c->note, c->worst);
    cr_expect(!c->why[0], "%s: %s", name, c->why);
}

void mlk_golden_each(const char *prefix, size_t at_least, mlk_golden_fn fn)
{
    char dir[512], path[900], **names;
    size_t n, met = 0, good = 0;
    mlk_err e = {0};
    if (!mlk_test_shared()) cr_skip_test("no shared data (../shared or $MLK_SHARED)");
    snprintf(dir, sizeof dir, "%s/data/vasp", mlk_test_shared());
    cr_assert(!mlk_dir_names(dir, &names, &n, &e), "%s", e.msg);
    mlk_golden_head();
    for (size_t k = 0; k < n; k++) {
        mlk_golden c = {0};
        if (strncmp(names[k], prefix, strlen(prefix)) != 0 || !strcmp(names[k], "README.md") ||
            !strcmp(names[k], "golden"))
            continue;
        json_t *g = mlk_golden_load(names[k]);
        fn(mlk_path_join(path, sizeof path, dir, names[k]), names[k], g, &c);
        mlk_golden_row(names[k], &c);
        json_decref(g);
        met++;
        good += !c.why[0];
    }
    mlk_strings_free(names, n);
    printf("%zu of %zu files as expected\n", good, met);
    cr_expect_geq(met, at_least);
}
