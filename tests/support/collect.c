/* collect.c - see collect.h. */
#include "tests/support/collect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "parsers/parser.h"
#include "tests/support/shared.h"

static mlk_status keep(mlk_frame *fr, void *user, mlk_err *e)
{
    mlk_collection *c = user;
    MLK_TRY(MLK_GROW(c->fr, c->cap, c->n + 1, e));
    c->fr[c->n++] = *fr;
    memset(fr, 0, sizeof *fr);
    return MLK_OK;
}

const char *mlk_test_tmp(void)
{
    static char dir[256];
    if (!dir[0] || !mlk_file_is_dir(dir)) {
        snprintf(dir, sizeof dir, "%s/build/test-tmp/%ld", mlk_test_root(), (long)getpid());
        if (mlk_mkdir_p(dir, NULL)) abort();
    }
    return dir;
}

const char *mlk_test_file(const char *name, const char *text)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", mlk_test_tmp(), name);
    if (mlk_file_write_text(path, text, NULL)) abort();
    return path;
}

mlk_status mlk_test_collect_as(const char *path, const char *parser, mlk_collection *c, mlk_err *e)
{
    size_t counted;
    memset(c, 0, sizeof *c);
    mlk_status s = mlk_parse_file_as(path, parser, keep, c, &counted, e);
    if (counted != c->n)
        return MLK_FAIL(e, MLK_EBUG, "%zu frames counted, %zu kept", counted, c->n);
    return s;
}

mlk_status mlk_test_collect(const char *path, mlk_collection *c, mlk_err *e)
{
    return mlk_test_collect_as(path, NULL, c, e);
}

void mlk_test_release(mlk_collection *c)
{
    for (size_t i = 0; i < c->n; i++) mlk_frame_free(&c->fr[i]);
    mlk_free(c->fr);
    memset(c, 0, sizeof *c);
}

static double walk(const json_t *j, const double *v, size_t n, size_t *used)
{
    if (json_is_array(j)) {
        double d = 0;
        for (size_t k = 0; k < json_array_size(j); k++)
            d = fmax(d, walk(json_array_get(j, k), v, n, used));
        return d;
    }
    if (!json_is_number(j) || *used >= n) return INFINITY;
    return fabs(json_number_value(j) - v[(*used)++]);
}

double mlk_test_json_diff(const json_t *j, const double *v, size_t n)
{
    size_t used = 0;
    double d = walk(j, v, n, &used);
    return used == n ? d : INFINITY;
}

const char *mlk_test_vasp(char *buf, size_t cap, const char *name)
{
    const char *shared = mlk_test_shared();
    if (!shared) return NULL;
    snprintf(buf, cap, "%s/data/vasp/%s", shared, name);
    return mlk_file_exists(buf) ? buf : NULL;
}
