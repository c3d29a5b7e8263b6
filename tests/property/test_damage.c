/* test_damage.c - data files cut anywhere and with bytes changed: never a crash, never a number
 * that is not finite, and a failure always names the file and says what is wrong. Run under the
 * sanitizers by `make asan`; MLK_DAMAGE=N sets the number of cuts and of changes per file (default
 * 40). */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "datasets/dataset.h"
#include "parsers/parser.h"
#include "tests/support/collect.h"
#include "tests/support/shared.h"

static void read_damaged(const char *path, const char *text, size_t n, const char *what)
{
    mlk_dataset ds = {0};
    mlk_err e = {0};
    FILE *f = fopen(path, "wb");
    cr_assert(f && fwrite(text, 1, n, f) == n && fclose(f) == 0);
    mlk_status s = mlk_dataset_read_all(&ds, path, NULL, &e);
    if (s) {
        cr_expect(e.file[0] && e.msg[0], "%s: no place or message", what);
        cr_expect(s != MLK_EBUG, "%s: %s", what, e.msg);
    }
    for (size_t i = 0; i < ds.n; i++)
        cr_expect(!mlk_frame_check(&ds.frame[i], NULL), "%s: frame %zu", what, i);
    mlk_dataset_free(&ds);
}

/* ending: of the damaged file; gz contents are damaged unpacked. */
static void damage(const char *source, const char *ending, bool flips)
{
    char *text, path[600], what[128];
    size_t n;
    mlk_err e = {0};
    const char *env = getenv("MLK_DAMAGE");
    size_t rounds = env ? strtoul(env, NULL, 10) : 40;
    mlk_rng g = mlk_rng_make(20, 1);
    mlk_log_set_level(MLK_LOG_ERROR);
    cr_assert(!mlk_file_slurp(source, &text, &n, &e), "%s", e.msg);
    snprintf(path, sizeof path, "%s/damaged%s", mlk_test_tmp(), ending);
    for (size_t k = 0; k < rounds; k++) {
        size_t cut = mlk_rng_below(&g, n + 1);
        snprintf(what, sizeof what, "%s cut at %zu", ending, cut);
        read_damaged(path, text, cut, what);
    }
    for (size_t k = 0; k < rounds && flips; k++) {
        size_t at[8], m = 1 + mlk_rng_below(&g, 8);
        char old[8];
        for (size_t j = 0; j < m; j++) {
            static const char evil[] = "<>&*-.eE0 \n\"=n\xff";
            at[j] = mlk_rng_below(&g, n);
            old[j] = text[at[j]];
            text[at[j]] =
                j % 2 ? (char)mlk_rng_below(&g, 256) : evil[mlk_rng_below(&g, sizeof evil)];
        }
        snprintf(what, sizeof what, "%s round %zu", ending, k);
        read_damaged(path, text, n, what);
        for (size_t j = m; j-- > 0;) text[at[j]] = old[j];
    }
    mlk_free(text);
}

static const char *bundled(const char *name, char *buf, size_t cap)
{
    snprintf(buf, cap, "%s/datasets/li3ps4/%s.xml.gz", mlk_test_root(), name);
    return buf;
}

Test(damage, vasprun, .timeout = 600)
{
    char path[600];
    damage(bundled("g1-600d", path, sizeof path), ".xml", true);
}

static void converted(const char *ending,
                      mlk_status (*write)(const mlk_dataset *, const char *, mlk_err *))
{
    char path[600], from[600];
    mlk_dataset ds = {0};
    mlk_err e = {0};
    mlk_log_set_level(MLK_LOG_ERROR);
    cr_assert(!mlk_dataset_read(&ds, bundled("g1-900d", path, sizeof path), &e), "%s", e.msg);
    snprintf(from, sizeof from, "%s/whole%s", mlk_test_tmp(), ending);
    remove(from);
    cr_assert(!write(&ds, from, &e), "%s", e.msg);
    mlk_dataset_free(&ds);
    damage(from, ending, strcmp(ending, ".h5") != 0);
}

static mlk_status as_xyz(const mlk_dataset *ds, const char *path, mlk_err *e)
{
    return mlk_write_extxyz(path, ds->frame, ds->n, e);
}

static mlk_status as_poscar(const mlk_dataset *ds, const char *path, mlk_err *e)
{
    return mlk_write_poscar(path, ds->frame, e);
}

Test(damage, extxyz, .timeout = 600)
{
    converted(".xyz", as_xyz);
}

Test(damage, poscar, .timeout = 600)
{
    converted(".vasp", as_poscar);
}

/* Cuts only: bytes are changed in tests/unit/test_store.c. */
Test(damage, store, .timeout = 600)
{
    converted(".h5", mlk_dataset_write);
}

Test(damage, gzip_stream, .timeout = 600)
{
    char path[600], raw[600];
    size_t n = 0;
    mlk_rng g = mlk_rng_make(21, 1);
    mlk_log_set_level(MLK_LOG_ERROR);
    FILE *f = fopen(bundled("g1-600d", path, sizeof path), "rb");
    char *bytes = malloc(1 << 20);
    cr_assert(f);
    n = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    snprintf(raw, sizeof raw, "%s/damaged.xml.gz", mlk_test_tmp());
    for (int k = 0; k < 20; k++) read_damaged(raw, bytes, mlk_rng_below(&g, n), "gzip cut");
    for (int k = 0; k < 20; k++) {
        size_t at = mlk_rng_below(&g, n);
        char old = bytes[at];
        bytes[at] = (char)(old ^ (char)(1 + mlk_rng_below(&g, 255)));
        read_damaged(raw, bytes, n, "gzip byte");
        bytes[at] = old;
    }
    free(bytes);
}
