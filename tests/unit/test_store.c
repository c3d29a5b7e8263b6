/* test_store.c - the HDF5 store: every field comes back, frames on demand, damage is noticed,
 * frames are added without losing any. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/h5.h"
#include "core/log.h"
#include "core/mem.h"
#include "datasets/store.h"
#include "tests/support/check.h"
#include "tests/support/collect.h"

/* A frame whose every number follows from k. */
static void make(mlk_frame *fr, size_t n, int k)
{
    const double h[3][3] = {{5 + 0.1 * k, 0, 0}, {0, 6, 0.25}, {0.5, 0, 7}};
    cr_assert(!mlk_frame_init(fr, n, NULL));
    cr_assert(!mlk_cell_init(&fr->cell, h, NULL));
    fr->cell.pbc[1] = k % 2;
    for (size_t a = 0; a < n; a++) {
        fr->z[a] = a % 3 ? 16 : 3;
        for (int c = 0; c < 3; c++) {
            fr->x[a][c] = sin(1.0 + (double)a + 3.1 * c + 0.01 * k);
            fr->f[a][c] = cos(2.0 + (double)a - 1.7 * c + 0.01 * k);
        }
    }
    fr->has = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | (k % 3 ? MLK_HAS_VIRIAL : 0);
    fr->energy = -1.25 * (double)n + 0.001 * k;
    fr->energy0 = k % 2 ? fr->energy + 0.01 : NAN;
    fr->energy_kind = k % 2 ? MLK_ENERGY_FREE : MLK_ENERGY_UNSTATED;
    for (int c = 0; c < 9 && (k % 3); c++) (&fr->virial[0][0])[c] = 0.1 * c - 0.01 * k;
    fr->scf = k % 3 - 1;
    fr->temperature = k % 4 ? 300 + k : NAN;
    fr->step = k + 1;
    fr->line = 10L * k + 5;
    fr->run = k % 5;
    snprintf(fr->theory, sizeof fr->theory, "VASP PE %d eV", 400 + k % 2);
    snprintf(fr->config_type, sizeof fr->config_type, "kind %d", k % 3);
}

/* Frames first ... first + n - 1 of the run of this name. */
static void fill(mlk_dataset *ds, const char *run, const char *sha, int first, int n)
{
    for (int k = first; k < first + n; k++) {
        mlk_frame fr;
        make(&fr, 2 + (size_t)k % 4, k);
        snprintf(fr.group, sizeof fr.group, "%s", run);
        snprintf(fr.source, sizeof fr.source, "%s.xml", run);
        cr_assert(!mlk_dataset_add(ds, &fr, NULL));
    }
    cr_assert(!MLK_GROW(ds->source, ds->cap_source, ds->n_source + 1, NULL));
    snprintf(ds->source[ds->n_source].path, 256, "%s.xml", run);
    snprintf(ds->source[ds->n_source++].sha256, 65, "%s", sha);
}

static bool same_real(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool same(const mlk_frame *p, const mlk_frame *q)
{
    return p->n == q->n && p->has == q->has && !memcmp(p->z, q->z, p->n * sizeof *p->z) &&
           !memcmp(p->x, q->x, p->n * sizeof *p->x) && !memcmp(p->f, q->f, p->n * sizeof *p->f) &&
           !p->v == !q->v && (!p->v || !memcmp(p->v, q->v, p->n * sizeof *p->v)) &&
           !memcmp(p->cell.h, q->cell.h, sizeof p->cell.h) &&
           !memcmp(p->cell.pbc, q->cell.pbc, sizeof p->cell.pbc) && p->energy == q->energy &&
           same_real(p->energy0, q->energy0) && same_real(p->temperature, q->temperature) &&
           !memcmp(p->virial, q->virial, sizeof p->virial) && p->scf == q->scf &&
           p->energy_kind == q->energy_kind && p->step == q->step && p->line == q->line &&
           p->run == q->run && !strcmp(p->theory, q->theory) &&
           !strcmp(p->config_type, q->config_type);
}

static const char *fresh(char *buf, const char *name)
{
    snprintf(buf, 512, "%s/%s", mlk_test_tmp(), name);
    unlink(buf);
    mlk_log_set_level(MLK_LOG_ERROR);
    return buf;
}

static void add_velocities(mlk_frame *fr)
{
    fr->v = mlk_alloc(fr->n, sizeof *fr->v);
    for (size_t a = 0; a < fr->n; a++) fr->v[a][1] = 0.125 * (double)(a + 1);
    fr->has |= MLK_HAS_VELOCITY;
}

Test(store, every_field_comes_back)
{
    mlk_dataset a = {0}, b = {0};
    mlk_err e = {0};
    char path[512];
    fill(&a, "runs/one", "aa11", 0, 30);
    fill(&a, "runs/two", "bb22", 30, 10);
    add_velocities(&a.frame[7]);
    a.split[3] = MLK_SPLIT_VALID;
    a.split[4] = MLK_SPLIT_TEST;
    mlk_check_ok(mlk_dataset_write(&a, fresh(path, "all.h5"), &e), e);
    mlk_check_ok(mlk_dataset_read_store(&b, path, &e), e);
    cr_assert_eq(b.n, 40);
    for (size_t i = 0; i < a.n; i++) {
        cr_expect(same(&a.frame[i], &b.frame[i]), "frame %zu", i);
        cr_expect_str_eq(a.frame[i].group, b.frame[i].group);
        cr_expect_str_eq(a.frame[i].source, b.frame[i].source);
        cr_expect_eq(a.split[i], b.split[i]);
    }
    cr_assert_eq(b.n_source, 2);
    cr_expect_str_eq(b.source[1].path, "runs/two.xml");
    cr_expect_str_eq(b.source[1].sha256, "bb22");
    mlk_dataset_free(&a);
    mlk_dataset_free(&b);
}

Test(store, frames_are_given_in_any_order)
{
    mlk_dataset a = {0};
    mlk_store *st;
    mlk_err e = {0};
    mlk_frame fr, many[20];
    char path[512];
    fill(&a, "run", "aa", 0, 200);
    mlk_frame_free(&a.frame[100]); /* one that is larger than a block of atoms */
    make(&a.frame[100], 150000, 100);
    mlk_check_ok(mlk_dataset_write(&a, fresh(path, "lazy.h5"), &e), e);
    mlk_check_ok(mlk_store_open(&st, path, &e), e);
    cr_assert_eq(mlk_store_n(st), 200);
    size_t atoms = 0;
    for (size_t k = 0; k < 200; k++) atoms += a.frame[k].n;
    cr_expect_eq(mlk_store_atoms(st), atoms);
    for (size_t k = 0; k < 600; k++) { /* in order, then jumping about */
        size_t i = k < 200 ? k : k * 77 % 200;
        mlk_check_ok(mlk_store_frame(st, i, &fr, &e), e);
        cr_expect(same(&fr, &a.frame[i]), "frame %zu", i);
        cr_expect_eq(mlk_store_frame_atoms(st, i), a.frame[i].n);
        mlk_frame_free(&fr);
    }
    mlk_check_ok(mlk_store_frames(st, 90, 20, many, &e), e);
    for (size_t k = 0; k < 20; k++) {
        cr_expect(same(&many[k], &a.frame[90 + k]));
        mlk_frame_free(&many[k]);
    }
    cr_expect_eq(mlk_store_frame(st, 200, &fr, NULL), MLK_EINVAL);
    cr_expect_eq(mlk_store_frames(st, 190, 11, many, NULL), MLK_EINVAL);
    mlk_store_close(st);
    mlk_dataset_free(&a);
}

/* ---- damage ---- */

static bool same_sets(const mlk_dataset *a, const mlk_dataset *b)
{
    bool ok = a->n == b->n && a->n_source == b->n_source;
    for (size_t i = 0; ok && i < a->n; i++)
        ok = same(&a->frame[i], &b->frame[i]) && a->split[i] == b->split[i] &&
             !strcmp(a->frame[i].group, b->frame[i].group) &&
             !strcmp(a->frame[i].source, b->frame[i].source);
    for (size_t k = 0; ok && k < a->n_source; k++)
        ok = !memcmp(&a->source[k], &b->source[k], sizeof *a->source);
    return ok;
}

static void write_bytes(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
}

typedef struct harm {
    size_t errors, harmless, wrong;
} harm;

static void read_hurt(const mlk_dataset *a, const char *hurt, size_t at, harm *sum)
{
    mlk_dataset b = {0};
    mlk_err why = {0};
    bool wrong;
    if (mlk_dataset_read_store(&b, hurt, &why)) {
        sum->errors++;
        wrong = strcmp(why.file, hurt) != 0 || b.n != 0;
    } else {
        sum->harmless++;
        wrong = !same_sets(a, &b);
    }
    if (wrong) fprintf(stderr, "byte %zu: %s: '%s'\n", at, why.file, why.msg);
    sum->wrong += wrong;
    mlk_dataset_free(&b);
}

/* MLK_DAMAGE=1 looks at every byte. In a process of its own, because HDF5 leaks on its way out of
 * some damaged files. */
Test(store, a_changed_byte_is_an_error_or_does_no_harm, .timeout = 600)
{
    mlk_dataset a = {0};
    mlk_err e = {0};
    harm sum = {0};
    char path[512], hurt[512], *bytes;
    int pipes[2], status;
    size_t n, stride = getenv("MLK_DAMAGE") ? 1 : 131;
    fill(&a, "run", "aa", 0, 25);
    mlk_check_ok(mlk_dataset_write(&a, fresh(path, "whole.h5"), &e), e);
    mlk_check_ok(mlk_file_slurp(path, &bytes, &n, &e), e);
    fresh(hurt, "hurt.h5");
    cr_assert(pipe(pipes) == 0);
    pid_t child = fork();
    if (child == 0) {
        for (size_t at = 0; at < n; at += stride) {
            char old = bytes[at];
            bytes[at] = (char)(at % 2 ? ~old : old ^ 1 << at % 8);
            write_bytes(hurt, bytes, n);
            bytes[at] = old;
            read_hurt(&a, hurt, at, &sum);
        }
        _exit(write(pipes[1], &sum, sizeof sum) == sizeof sum ? 0 : 1);
    }
    cr_assert(waitpid(child, &status, 0) == child && status == 0, "it crashed: %d", status);
    cr_assert_eq(read(pipes[0], &sum, sizeof sum), sizeof sum);
    cr_expect_eq(sum.wrong, 0);
    cr_expect_gt(sum.errors, 5 * sum.harmless, "%zu of %zu bytes are checked", sum.errors,
                 sum.errors + sum.harmless);
    mlk_free(bytes);
    mlk_dataset_free(&a);
}

/* Numbers changed by another program, with every checksum of HDF5 right. */
Test(store, a_changed_number_is_noticed)
{
    static const struct {
        const char *path;
        mlk_h5_type type;
    } number[] = {{"/frames/energy", MLK_H5_DOUBLE}, {"/frames/line", MLK_H5_INT64},
                  {"/frames/run", MLK_H5_INT},       {"/frames/split", MLK_H5_INT},
                  {"/frames/group", MLK_H5_INT},     {"/atoms/f", MLK_H5_DOUBLE},
                  {"/atoms/z", MLK_H5_INT},          {"/frames/cell", MLK_H5_DOUBLE}};
    mlk_dataset a = {0};
    char path[512];
    fill(&a, "one", "aa", 1, 3);
    fill(&a, "two", "bb", 4, 3);
    for (size_t k = 0; k < sizeof number / sizeof *number; k++) {
        union {
            double d[256];
            int i[512];
            int64_t w[256];
        } u;
        mlk_h5 *h;
        int nd;
        size_t dim[4];
        mlk_dataset b = {0};
        mlk_err e = {0};
        mlk_check_ok(mlk_dataset_write(&a, fresh(path, "number.h5"), &e), e);
        mlk_check_ok(mlk_h5_open(&h, path, "a", &e), e);
        mlk_check_ok(mlk_h5_dims(h, number[k].path, &nd, dim, &e), e);
        mlk_check_ok(mlk_h5_read(h, number[k].path, number[k].type, &u, &e), e);
        if (number[k].type == MLK_H5_DOUBLE)
            u.d[0] += 1e-9;
        else if (number[k].type == MLK_H5_INT)
            u.i[0] += 1;
        else
            u.w[0] += 1;
        mlk_check_ok(mlk_h5_write(h, number[k].path, number[k].type, nd, dim, &u, &e), e);
        mlk_check_ok(mlk_h5_close(&h, &e), e);
        cr_expect_eq(mlk_dataset_read_store(&b, path, &e), MLK_EFORMAT, "%s", number[k].path);
        cr_expect(strstr(e.msg, "wrong checksum"), "%s: %s", number[k].path, e.msg);
        cr_expect_str_eq(e.file, path);
        mlk_dataset_free(&b);
    }
    mlk_dataset_free(&a);
}

/* ---- version 1 ---- */

/* A store as version 1.0 was: three atoms in two frames. */
static void write_v1(const char *path)
{
    const int64_t start[3] = {0, 2, 3}, line[2] = {11, 22};
    const int has[2] = {1 + 2 + 4 + 8 + 512, 1 + 2 + 4}, scf[2] = {1, -1}, step[2] = {1, 2},
              split[2] = {0, 1}, none[2] = {0, 0}, z[3] = {3, 16, 3};
    const double energy[2] = {-2.5, -1.5}, zero[2] = {0, 0}, temperature[2] = {300, 0},
                 virial[18] = {1, 0.5}, f[9] = {0.1, 0.2, 0.3, -0.1}, x[9] = {0, 0, 0, 1.5, 1, 0.5},
                 cell[18] = {5, 0, 0, 0, 5, 0, 0, 0, 5, 6, 0, 0, 0, 6, 0, 0, 0, 6};
    const uint8_t pbc[6] = {1, 1, 0, 1, 1, 1};
    const char *const group[1] = {"old"}, *const tag[1] = {""}, *const source[1] = {"old.xml"},
                      *const sha[1] = {"cc33"};
    const struct {
        const char *path;
        mlk_h5_type type;
        int nd;
        size_t dim[3];
        const void *data;
    } all[] = {{"/frames/start", MLK_H5_INT64, 1, {3}, start},
               {"/frames/line", MLK_H5_INT64, 1, {2}, line},
               {"/frames/has", MLK_H5_INT, 1, {2}, has},
               {"/frames/scf", MLK_H5_INT, 1, {2}, scf},
               {"/frames/step", MLK_H5_INT, 1, {2}, step},
               {"/frames/split", MLK_H5_INT, 1, {2}, split},
               {"/frames/group", MLK_H5_INT, 1, {2}, none},
               {"/frames/config_type", MLK_H5_INT, 1, {2}, none},
               {"/frames/source", MLK_H5_INT, 1, {2}, none},
               {"/frames/energy", MLK_H5_DOUBLE, 1, {2}, energy},
               {"/frames/energy0", MLK_H5_DOUBLE, 1, {2}, zero},
               {"/frames/temperature", MLK_H5_DOUBLE, 1, {2}, temperature},
               {"/frames/virial", MLK_H5_DOUBLE, 3, {2, 3, 3}, virial},
               {"/frames/cell", MLK_H5_DOUBLE, 3, {2, 3, 3}, cell},
               {"/frames/pbc", MLK_H5_UINT8, 2, {2, 3}, pbc},
               {"/atoms/z", MLK_H5_INT, 1, {3}, z},
               {"/atoms/x", MLK_H5_DOUBLE, 2, {3, 3}, x},
               {"/atoms/f", MLK_H5_DOUBLE, 2, {3, 3}, f}};
    mlk_h5 *h;
    mlk_err e = {0};
    mlk_check_ok(mlk_h5_open(&h, path, "w", &e), e);
    mlk_check_ok(mlk_h5_attr_set_str(h, "/", "format", "mlkit-dataset", &e), e);
    mlk_check_ok(mlk_h5_attr_set_str(h, "/", "version", "1.0", &e), e);
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        mlk_check_ok(
            mlk_h5_write(h, all[k].path, all[k].type, all[k].nd, all[k].dim, all[k].data, &e), e);
    mlk_check_ok(mlk_h5_write_strings(h, "/names/group", group, 1, &e), e);
    mlk_check_ok(mlk_h5_write_strings(h, "/names/config_type", tag, 1, &e), e);
    mlk_check_ok(mlk_h5_write_strings(h, "/sources/path", source, 1, &e), e);
    mlk_check_ok(mlk_h5_write_strings(h, "/sources/sha256", sha, 1, &e), e);
    mlk_check_ok(mlk_h5_close(&h, &e), e);
}

static void check_v1(const mlk_dataset *ds)
{
    cr_expect_eq(ds->frame[0].n, 2);
    cr_expect_eq(ds->frame[0].energy, -2.5);
    cr_expect_eq(ds->frame[0].temperature, 300);
    cr_expect_eq(ds->frame[0].virial[0][1], 0.5);
    cr_expect_eq(ds->frame[0].f[1][0], -0.1);
    cr_expect(!ds->frame[0].cell.pbc[2]);
    cr_expect(isnan(ds->frame[1].temperature));
    cr_expect_eq(ds->frame[1].line, 22);
    cr_expect_eq(ds->frame[1].cell.h[1][1], 6);
    cr_expect_str_eq(ds->frame[1].group, "old");
    cr_expect_str_eq(ds->frame[1].theory, "");
    cr_expect_eq(ds->split[1], MLK_SPLIT_VALID);
    cr_expect_str_eq(ds->source[0].sha256, "cc33");
}

Test(store, version_1_is_read_and_becomes_version_2_by_appending)
{
    mlk_dataset a = {0}, b = {0}, more = {0};
    mlk_err e = {0};
    mlk_h5 *h;
    char path[512], version[32];
    size_t added;
    write_v1(fresh(path, "v1.h5"));
    mlk_check_ok(mlk_dataset_read_store(&a, path, &e), e);
    cr_assert_eq(a.n, 2);
    check_v1(&a);
    fill(&more, "new", "dd", 0, 5);
    mlk_check_ok(mlk_dataset_append(&more, path, &added, &e), e);
    cr_expect_eq(added, 5);
    mlk_check_ok(mlk_dataset_read_store(&b, path, &e), e);
    cr_assert_eq(b.n, 7);
    check_v1(&b);
    cr_expect(same(&b.frame[6], &more.frame[4]));
    mlk_check_ok(mlk_h5_open(&h, path, "r", &e), e);
    mlk_check_ok(mlk_h5_attr_str(h, "/", "version", version, sizeof version, &e), e);
    cr_expect_str_eq(version, "2.0");
    mlk_h5_close(&h, NULL);
    mlk_check_ok(mlk_dataset_append(&a, path, &added, &e), e);
    cr_expect_eq(added, 0, "what came from version 1 is recognised");
    mlk_dataset_free(&a);
    mlk_dataset_free(&b);
    mlk_dataset_free(&more);
}

/* ---- appending ---- */

Test(store, appended_frames_follow_the_old_ones)
{
    mlk_dataset a = {0}, b = {0}, all = {0};
    mlk_err e = {0};
    char path[512];
    size_t added;
    fill(&a, "runs/a", "aa", 0, 9);
    fill(&b, "runs/b", "bb", 40, 5000); /* more than a block */
    add_velocities(&b.frame[2]);
    a.split[1] = b.split[0] = MLK_SPLIT_VALID;
    mlk_check_ok(mlk_dataset_append(&a, fresh(path, "append.h5"), &added, &e), e);
    cr_expect_eq(added, 9, "a store that is not there is made");
    mlk_check_ok(mlk_dataset_append(&b, path, &added, &e), e);
    cr_expect_eq(added, 5000);
    mlk_check_ok(mlk_dataset_read_store(&all, path, &e), e);
    cr_assert_eq(all.n, 5009);
    for (size_t i = 0; i < all.n; i++) {
        const mlk_dataset *from = i < 9 ? &a : &b;
        size_t k = i < 9 ? i : i - 9;
        cr_expect(same(&all.frame[i], &from->frame[k]), "frame %zu", i);
        cr_expect_str_eq(all.frame[i].group, from->frame[k].group);
        cr_expect_eq(all.split[i], from->split[k]);
    }
    cr_assert_eq(all.n_source, 2);
    cr_expect_str_eq(all.source[1].sha256, "bb");
    mlk_dataset_free(&a);
    mlk_dataset_free(&b);
    mlk_dataset_free(&all);
}

Test(store, the_same_file_again_adds_nothing_and_a_grown_one_its_new_frames)
{
    mlk_dataset a = {0}, grown = {0}, all = {0};
    mlk_err e = {0};
    char path[512];
    size_t added;
    fill(&a, "run", "aa", 0, 10);
    fill(&grown, "run", "ab", 0, 14); /* other bytes, the first ten steps are the same */
    mlk_check_ok(mlk_dataset_write(&a, fresh(path, "again.h5"), &e), e);
    mlk_check_ok(mlk_dataset_append(&a, path, &added, &e), e);
    cr_expect_eq(added, 0);
    mlk_check_ok(mlk_dataset_append(&grown, path, &added, &e), e);
    cr_expect_eq(added, 4);
    mlk_check_ok(mlk_dataset_read_store(&all, path, &e), e);
    cr_assert_eq(all.n, 14);
    for (size_t i = 0; i < all.n; i++) cr_expect_str_eq(all.frame[i].group, "run");
    cr_assert_eq(all.n_source, 2, "both states of the file are on record");
    cr_expect_str_eq(all.frame[9].source, "run.xml");
    cr_expect_str_eq(all.frame[10].source, "run.xml [ab]");
    cr_expect_str_eq(all.source[1].path, "run.xml [ab]");
    cr_expect_str_eq(all.source[1].sha256, "ab");
    mlk_check_ok(mlk_dataset_append(&grown, path, &added, &e), e);
    cr_expect_eq(added, 0);
    mlk_dataset_free(&a);
    mlk_dataset_free(&grown);
    mlk_dataset_free(&all);
}

Test(store, another_run_of_the_same_name_stays_a_group_of_its_own)
{
    mlk_dataset a = {0}, b = {0}, named = {0}, all = {0};
    mlk_err e = {0};
    char path[512];
    size_t added;
    fill(&a, "vasprun", "aa", 0, 4);
    fill(&b, "vasprun", "bb", 100, 4); /* other frames */
    fill(&named, "other", "cc", 200, 4);
    for (size_t i = 0; i < 4; i++) snprintf(named.frame[i].group, 64, "melt"); /* by its author */
    mlk_check_ok(mlk_dataset_write(&a, fresh(path, "groups.h5"), &e), e);
    mlk_check_ok(mlk_dataset_append(&b, path, &added, &e), e);
    mlk_check_ok(mlk_dataset_append(&named, path, &added, &e), e);
    mlk_dataset_free(&named);
    memset(&named, 0, sizeof named);
    fill(&named, "fourth", "dd", 300, 4);
    for (size_t i = 0; i < 4; i++) snprintf(named.frame[i].group, 64, "melt");
    mlk_check_ok(mlk_dataset_append(&named, path, &added, &e), e);
    mlk_check_ok(mlk_dataset_read_store(&all, path, &e), e);
    cr_assert_eq(all.n, 16);
    cr_expect_str_eq(all.frame[3].group, "vasprun");
    cr_expect_str_eq(all.frame[4].group, "vasprun#2");
    cr_expect_str_eq(all.frame[8].group, "melt");
    cr_expect_str_eq(all.frame[12].group, "melt", "a group that the data name is one group");
    mlk_dataset_free(&a);
    mlk_dataset_free(&b);
    mlk_dataset_free(&named);
    mlk_dataset_free(&all);
}

Test(store, a_second_writer_is_refused_and_the_lock_of_a_dead_one_is_not)
{
    mlk_dataset a = {0}, b = {0};
    mlk_err e = {0};
    char path[512], lock[600], word = 0;
    int ready[2], go[2];
    fill(&a, "a", "aa", 0, 3);
    fill(&b, "b", "bb", 10, 3);
    mlk_check_ok(mlk_dataset_write(&a, fresh(path, "locked.h5"), &e), e);
    snprintf(lock, sizeof lock, "%s.mlkit-lock", path);
    cr_expect(!mlk_file_exists(lock), "the lock is removed");
    cr_assert(pipe(ready) == 0 && pipe(go) == 0);
    pid_t child = fork();
    if (child == 0) { /* another process in the middle of its work */
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(lock, O_CREAT | O_RDWR, 0666);
        bool ok = fd >= 0 && fcntl(fd, F_SETLK, &whole) == 0 && write(ready[1], "r", 1) == 1 &&
                  read(go[0], &word, 1) >= 0;
        _exit(ok ? 0 : 1);
    }
    cr_assert_eq(read(ready[0], &word, 1), 1);
    cr_expect_eq(mlk_dataset_append(&b, path, NULL, &e), MLK_EIO);
    cr_expect(strstr(e.msg, "another mlkit"), "%s", e.msg);
    cr_expect_str_eq(e.file, path);
    memset(&e, 0, sizeof e);
    cr_expect_eq(mlk_dataset_replace(&b, path, &e), MLK_EIO);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    cr_expect(mlk_file_exists(lock), "a killed process leaves its lock file");
    memset(&e, 0, sizeof e);
    mlk_check_ok(mlk_dataset_append(&b, path, NULL, &e), e);
    cr_expect(!mlk_file_exists(lock));
    mlk_dataset_free(&a);
    mlk_dataset_free(&b);
}

Test(store, an_open_store_keeps_what_it_had)
{
    mlk_dataset a = {0}, b = {0};
    mlk_err e = {0};
    mlk_store *st;
    mlk_frame fr;
    char path[512];
    fill(&a, "a", "aa", 0, 8);
    fill(&b, "b", "bb", 10, 3);
    mlk_check_ok(mlk_dataset_write(&a, fresh(path, "open.h5"), &e), e);
    mlk_check_ok(mlk_store_open(&st, path, &e), e);
    mlk_check_ok(mlk_dataset_append(&b, path, NULL, &e), e);
    cr_expect_eq(mlk_store_n(st), 8);
    mlk_check_ok(mlk_store_frame(st, 7, &fr, &e), e);
    cr_expect(same(&fr, &a.frame[7]));
    mlk_frame_free(&fr);
    mlk_store_close(st);
    mlk_dataset_free(&a);
    mlk_dataset_free(&b);
}

Test(store, a_link_leads_to_the_store_and_a_newer_minor_version_is_not_extended)
{
    mlk_dataset a = {0}, b = {0}, all = {0};
    mlk_err e = {0};
    mlk_h5 *h;
    char path[512], link[512];
    fill(&a, "a", "aa", 0, 3);
    fill(&b, "b", "bb", 10, 3);
    mlk_check_ok(mlk_dataset_write(&a, fresh(path, "target.h5"), &e), e);
    cr_assert(symlink("target.h5", fresh(link, "link.h5")) == 0);
    mlk_check_ok(mlk_dataset_append(&b, link, NULL, &e), e);
    mlk_check_ok(mlk_dataset_read_store(&all, path, &e), e);
    cr_expect_eq(all.n, 6, "the link is followed, not replaced");
    mlk_check_ok(mlk_h5_open(&h, path, "a", &e), e);
    mlk_check_ok(mlk_h5_attr_set_str(h, "/", "version", "2.7", &e), e);
    mlk_check_ok(mlk_h5_close(&h, &e), e);
    cr_expect_eq(mlk_dataset_append(&b, path, NULL, &e), MLK_EUNSUPPORTED);
    cr_expect(strstr(e.msg, "can be read but not extended"), "%s", e.msg);
    mlk_dataset_free(&a);
    mlk_dataset_free(&b);
    mlk_dataset_free(&all);
}

Test(store, appending_to_what_is_no_store_changes_nothing)
{
    mlk_dataset a = {0};
    mlk_err e = {0};
    char path[512], *text;
    fill(&a, "a", "aa", 0, 3);
    fresh(path, "text.h5");
    cr_assert(!mlk_file_write_text(path, "not a store\n", NULL));
    cr_expect_eq(mlk_dataset_append(&a, path, NULL, &e), MLK_EFORMAT);
    cr_expect_str_eq(e.file, path);
    cr_assert(!mlk_file_slurp(path, &text, NULL, NULL));
    cr_expect_str_eq(text, "not a store\n");
    mlk_free(text);
    mlk_dataset_free(&a);
}
