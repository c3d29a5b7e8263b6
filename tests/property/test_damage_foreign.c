/* test_damage_foreign.c - files of other codes cut anywhere and with bytes changed: never a crash,
 * never a wrong number from a cut, never a number that is not finite; a failure says what is wrong.
 * Run under the sanitizers by `make asan`. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "parsers/npy.h"
#include "parsers/parser.h"
#include "parsers/writers.h"
#include "tests/support/collect.h"

static mlk_status read_bytes(const char *path, const char *parser, const char *text, size_t n,
                             mlk_collection *c, mlk_err *e)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f && fwrite(text, 1, n, f) == n && fclose(f) == 0);
    memset(e, 0, sizeof *e);
    mlk_status s = mlk_test_collect_as(path, parser, c, e);
    if (s) cr_expect(e->msg[0] && e->file[0] && s != MLK_EBUG, "%s: '%s'", parser, e->msg);
    for (size_t i = 0; i < c->n; i++) cr_expect(!mlk_frame_check(&c->fr[i], NULL));
    return s;
}

static void same(const mlk_frame *a, const mlk_frame *b, size_t cut)
{
    cr_expect_eq(a->n, b->n, "cut at %zu", cut);
    cr_expect_eq(a->energy, b->energy, "cut at %zu", cut);
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        cr_expect_eq(a->z[i], b->z[i], "cut at %zu", cut);
        cr_expect(!memcmp(a->x[i], b->x[i], sizeof a->x[i]), "cut at %zu", cut);
        cr_expect(!memcmp(a->f[i], b->f[i], sizeof a->f[i]), "cut at %zu", cut);
        if (a->v && b->v) cr_expect(!memcmp(a->v[i], b->v[i], sizeof a->v[i]), "cut at %zu", cut);
    }
}

/* Cut the file everywhere, then change bytes of it. */
static void damage(const char *path, const char *parser)
{
    mlk_collection whole, c;
    mlk_err e = {0};
    char *text;
    size_t n;
    mlk_rng g = mlk_rng_make(22, 1);
    mlk_log_set_level(MLK_LOG_ERROR);
    cr_assert(!mlk_file_slurp(path, &text, &n, &e), "%s", e.msg);
    cr_assert(!read_bytes(path, parser, text, n, &whole, &e), "%s", e.msg);
    for (size_t cut = 1; cut < n; cut++) {
        read_bytes(path, parser, text, cut, &c, &e);
        cr_expect_leq(c.n, whole.n);
        for (size_t i = 0; i < c.n && i < whole.n; i++) same(&whole.fr[i], &c.fr[i], cut);
        mlk_test_release(&c);
    }
    for (int k = 0; k < 500; k++) {
        static const char evil[] = "<>&*-.eE0 \n\"=n\xff";
        size_t at = mlk_rng_below(&g, n);
        char old = text[at];
        text[at] = k % 2 ? (char)mlk_rng_below(&g, 256) : evil[mlk_rng_below(&g, sizeof evil)];
        read_bytes(path, parser, text, n, &c, &e);
        mlk_test_release(&c);
        text[at] = old;
    }
    mlk_test_release(&whole);
    mlk_free(text);
}

static void make(mlk_frame fr[2])
{
    const double h[3][3] = {{5.1, 0.1, 0}, {0.3, 6, 1e-3}, {0.1, -0.2, 7}};
    for (int q = 0; q < 2; q++) {
        cr_assert(!mlk_frame_init(&fr[q], 2, NULL));
        cr_assert(!mlk_cell_init(&fr[q].cell, h, NULL));
        fr[q].v = mlk_alloc(2, sizeof *fr[q].v);
        for (int i = 0; i < 2; i++) {
            fr[q].z[i] = i ? 16 : 3;
            for (int k = 0; k < 3; k++) {
                fr[q].x[i][k] = 2.1 * i + sqrt(2 + k) / 10 + q / 7.0;
                fr[q].f[i][k] = sin(3.0 * i + k + q);
                fr[q].v[i][k] = cos(3.0 * i + k);
            }
        }
        fr[q].energy = -12.345 / 7 - q;
        fr[q].has = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VELOCITY;
    }
}

static const char *place(const char *name)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", mlk_test_tmp(), name);
    return path;
}

Test(damage_foreign, n2p2, .timeout = 300)
{
    mlk_frame fr[2];
    make(fr);
    cr_assert(!mlk_write_n2p2(place("input.data"), fr, 2, NULL));
    damage(place("input.data"), "n2p2");
    for (int q = 0; q < 2; q++) mlk_frame_free(&fr[q]);
}

Test(damage_foreign, gpumd, .timeout = 300)
{
    mlk_frame fr[2];
    make(fr);
    cr_assert(!mlk_write_gpumd(place("train.xyz"), fr, 2, NULL));
    damage(place("train.xyz"), "extxyz");
    for (int q = 0; q < 2; q++) mlk_frame_free(&fr[q]);
}

/* A data file cut between Atoms and Velocities is a data file without velocities. */
Test(damage_foreign, lammps, .timeout = 300)
{
    mlk_frame fr[2];
    make(fr);
    cr_assert(!mlk_write_lammps(place("a.lmp"), fr, NULL));
    damage(place("a.lmp"), "lammps");
    for (int q = 0; q < 2; q++) mlk_frame_free(&fr[q]);
}

Test(damage_foreign, npy, .timeout = 300)
{
    static const double v[6] = {1, 2, 3, 4, 5, 6};
    mlk_npy a;
    char *text, path[600];
    size_t n;
    mlk_rng g = mlk_rng_make(23, 1);
    snprintf(path, sizeof path, "%s", place("a.npy"));
    cr_assert(!mlk_npy_write(path, v, 2, 3, NULL));
    cr_assert(!mlk_file_slurp(path, &text, &n, NULL));
    for (size_t k = 0; k < n + 2000; k++) {
        mlk_err e = {0};
        FILE *f = fopen(path, "wb");
        size_t at = mlk_rng_below(&g, 130), len = k < n ? k : n;
        char old = text[at];
        if (k >= n) text[at] = (char)mlk_rng_below(&g, 256);
        cr_assert(f && fwrite(text, 1, len, f) == len && !fclose(f));
        mlk_status s = mlk_npy_read(path, &a, &e);
        if (k < n) cr_expect(s != MLK_OK, "cut at %zu", k);
        if (s) cr_expect(e.msg[0] && e.file[0]);
        mlk_npy_free(&a);
        text[at] = old;
    }
    mlk_free(text);
}
