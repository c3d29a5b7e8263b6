/* test_vasp_cuts.c - OUTCAR and XDATCAR files of the shared collection cut anywhere (three
 * of four cuts near labels): what is delivered are the first frames of the whole file, to the
 * last bit, and the end is reported. A cut file with a whole one behind it gives both. MLK_DAMAGE=N
 * sets the number of cuts per file (default 50). */
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "tests/support/collect.h"
#include "tests/support/shared.h"

static size_t rounds(void)
{
    const char *env = getenv("MLK_DAMAGE");
    return env ? strtoul(env, NULL, 10) : 50;
}

static void write_two(const char *path, const char *a, size_t n_a, const char *b, size_t n_b)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f && fwrite(a, 1, n_a, f) == n_a && fwrite(b, 1, n_b, f) == n_b && !fclose(f));
}

/* A frame whose last lines are missing may lack temperature and E0, but never has others. */
static bool same(const mlk_frame *p, const mlk_frame *q, bool last)
{
    if (p->n != q->n || p->has != q->has || p->step != q->step || p->line != q->line) return false;
    if (p->scf != q->scf || memcmp(p->z, q->z, p->n * sizeof *p->z)) return false;
    if (memcmp(p->x, q->x, p->n * sizeof *p->x) || memcmp(p->f, q->f, p->n * sizeof *p->f) ||
        memcmp(p->cell.h, q->cell.h, sizeof p->cell.h) ||
        memcmp(p->virial, q->virial, sizeof p->virial) || p->energy != q->energy)
        return false;
    if (p->energy0 != q->energy0 && !(isnan(p->energy0) && (last || isnan(q->energy0))))
        return false;
    return p->temperature == q->temperature ||
           (isnan(p->temperature) && (last || isnan(q->temperature)));
}

static size_t pick_cut(mlk_rng *g, const char *text, size_t n, size_t k)
{
    size_t cut = mlk_rng_below(g, n);
    const char *key = k % 4 == 1 ? "TOTEN  =" : k % 4 == 2 ? "EKIN   =" : "TOTAL-FORCE (eV";
    const char *at = k % 4 ? strstr(text + cut, key) : NULL;
    if (!at) return cut;
    cut = (size_t)(at - text) + mlk_rng_below(g, k % 4 == 3 ? 4000 : 120);
    return cut < n ? cut : n - 1;
}

static void cut_file(const char *dir, const char *name, size_t *n_cut, size_t *n_frames)
{
    char source[900], path[600], *text;
    size_t n;
    mlk_err e = {0};
    mlk_collection whole, part;
    mlk_rng g = mlk_rng_make(7, 1);
    snprintf(source, sizeof source, "%s/%s", dir, name);
    snprintf(path, sizeof path, "%s/cut", mlk_test_tmp());
    cr_assert(!mlk_file_slurp(source, &text, &n, &e), "%s", e.msg);
    mlk_test_collect(source, &whole, NULL);
    const char *end = strstr(text, "General timing and accounting");
    for (size_t k = 0; k < rounds(); k++) {
        size_t cut = pick_cut(&g, text, n, k);
        memset(&e, 0, sizeof e);
        write_two(path, text, cut, "", 0);
        mlk_status s = mlk_test_collect(path, &part, &e);
        cr_expect(part.n <= whole.n, "%s cut at %zu: %zu frames", name, cut, part.n);
        for (size_t i = 0; i < part.n && i < whole.n; i++)
            cr_expect(same(&part.fr[i], &whole.fr[i], i + 1 == part.n), "%s cut at %zu: frame %zu",
                      name, cut, i);
        if (s) cr_expect(e.file[0] && e.msg[0], "%s cut at %zu", name, cut);
        if (!strncmp(name, "OUTCAR", 6) && (!end || cut <= (size_t)(end - text)))
            cr_expect_eq(s, MLK_EFORMAT, "%s cut at %zu: status %d", name, cut, s);
        *n_frames += part.n;
        ++*n_cut;
        mlk_test_release(&part);
    }
    mlk_free(text);
    mlk_test_release(&whole);
}

/* The second run begins in the middle of a line of the first. */
static void join_file(const char *dir, const char *name, size_t *n_cut)
{
    char source[900], path[600], *text;
    size_t n;
    mlk_err e = {0};
    mlk_collection whole, both;
    mlk_rng g = mlk_rng_make(8, 1);
    snprintf(source, sizeof source, "%s/%s", dir, name);
    snprintf(path, sizeof path, "%s/joined", mlk_test_tmp());
    cr_assert(!mlk_file_slurp(source, &text, &n, &e), "%s", e.msg);
    mlk_test_collect(source, &whole, NULL);
    for (size_t k = 0; k < rounds(); k++) {
        size_t cut = pick_cut(&g, text, n, k);
        if (cut < 4000) continue; /* the format is told by the head */
        write_two(path, text, cut, text, n);
        mlk_test_collect(path, &both, &e);
        size_t first = both.n - whole.n;
        cr_expect(both.n >= whole.n && first <= whole.n, "%s joined at %zu: %zu frames", name, cut,
                  both.n);
        for (size_t i = 0; i < both.n && both.n >= whole.n; i++) {
            const mlk_frame *p = &both.fr[i], *q = &whole.fr[i < first ? i : i - first];
            bool last = i + 1 == first;
            cr_expect_eq(p->run, i < first ? 0 : 2, "%s joined at %zu: frame %zu in run %d", name,
                         cut, i, p->run);
            cr_expect(p->n == q->n && !memcmp(p->x, q->x, p->n * sizeof *p->x),
                      "%s joined at %zu: positions of frame %zu", name, cut, i);
            cr_expect(p->has == q->has || (last && !(p->has & ~q->has)),
                      "%s joined at %zu: frame %zu has %u, not %u", name, cut, i, p->has, q->has);
            if (p->has & q->has & MLK_HAS_FORCE)
                cr_expect(!memcmp(p->f, q->f, p->n * sizeof *p->f), "%s joined at %zu: forces %zu",
                          name, cut, i);
            if (p->has & q->has & MLK_HAS_ENERGY) cr_expect_eq(p->energy, q->energy);
            if (p->has & q->has & MLK_HAS_VIRIAL)
                cr_expect(!memcmp(p->virial, q->virial, sizeof p->virial));
            if (!isnan(p->temperature)) cr_expect_eq(p->temperature, q->temperature);
            if (!isnan(p->energy0)) cr_expect_eq(p->energy0, q->energy0);
        }
        ++*n_cut;
        mlk_test_release(&both);
    }
    mlk_free(text);
    mlk_test_release(&whole);
}

static int outcar_or_xdatcar(const struct dirent *d)
{
    return !strncmp(d->d_name, "OUTCAR_", 7) || !strncmp(d->d_name, "XDATCAR_", 8);
}

static void every_file(bool join)
{
    char dir[512];
    size_t n_cut = 0, n_frames = 0;
    struct dirent **list;
    const char *shared = mlk_test_shared();
    if (!shared) cr_skip_test("no shared data (../shared or $MLK_SHARED)");
    mlk_log_set_level(MLK_LOG_ERROR);
    snprintf(dir, sizeof dir, "%s/data/vasp", shared);
    int n = scandir(dir, &list, outcar_or_xdatcar, alphasort);
    for (int k = 0; k < n; k++) {
        if (!join)
            cut_file(dir, list[k]->d_name, &n_cut, &n_frames);
        else if (list[k]->d_name[0] == 'O')
            join_file(dir, list[k]->d_name, &n_cut);
        free(list[k]);
    }
    free(list);
    printf("%d files, %zu times %s\n", n, n_cut, join ? "cut and continued" : "cut");
    cr_expect_gt(n_cut, 0);
}

Test(vasp_cuts, give_the_first_frames_and_an_error, .timeout = 600)
{
    every_file(false);
}

Test(vasp_cuts, followed_by_a_whole_run_give_both, .timeout = 600)
{
    every_file(true);
}
