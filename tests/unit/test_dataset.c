/* test_dataset.c - the set, its store, the split, the bundled data, suspicious labels. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/h5.h"
#include "core/log.h"
#include "core/mem.h"
#include "datasets/dataset.h"
#include "datasets/suspect.h"
#include "parsers/parser.h"
#include "tests/support/collect.h"
#include "tests/support/shared.h"

/* n frames of 2 to 4 atoms in groups of `per`; temperature 100 * (group + 1). */
static void fill(mlk_dataset *ds, size_t n, size_t per)
{
    const double h[3][3] = {{5, 0, 0}, {0, 6, 0}, {0.5, 0, 7}};
    memset(ds, 0, sizeof *ds);
    for (size_t i = 0; i < n; i++) {
        mlk_frame fr;
        cr_assert(!mlk_frame_init(&fr, 2 + i % 3, NULL));
        cr_assert(!mlk_cell_init(&fr.cell, h, NULL));
        fr.cell.pbc[1] = i % 2;
        for (size_t a = 0; a < fr.n; a++) {
            fr.z[a] = a == 1 ? 16 : 3;
            fr.x[a][0] = 1.3 * (double)a + 0.001 * (double)i;
            fr.f[a][1] = a == 0 ? -0.1 : 0.1 / (double)(fr.n - 1);
        }
        fr.energy = -1.25 * (double)fr.n + 0.001 * (double)i;
        fr.virial[0][1] = 0.25;
        fr.has = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | (i % 4 ? MLK_HAS_VIRIAL : 0);
        fr.scf = MLK_SCF_CONVERGED;
        fr.temperature = i % 7 == 3 ? NAN : 100 * (double)(i / per + 1);
        fr.step = (int)(i % per) + 1;
        fr.line = (long)(10 * i);
        if (i == 2) {
            fr.v = mlk_alloc(fr.n, sizeof *fr.v);
            fr.v[1][2] = 0.125;
            fr.has |= MLK_HAS_VELOCITY;
        }
        snprintf(fr.group, sizeof fr.group, "run-%zu", i / per);
        snprintf(fr.source, sizeof fr.source, "file-%zu.xml", i / per);
        cr_assert(!mlk_dataset_add(ds, &fr, NULL));
        cr_assert_null(fr.z);
    }
}

static const char *tmp_path(char *buf, const char *name)
{
    snprintf(buf, 512, "%s/%s", mlk_test_tmp(), name);
    unlink(buf);
    return buf;
}

Test(dataset, store_round_trip_is_exact)
{
    mlk_dataset a, b = {0};
    mlk_err e = {0};
    char path[512];
    fill(&a, 20, 4);
    a.split[5] = MLK_SPLIT_VALID;
    cr_assert(!mlk_dataset_write(&a, tmp_path(path, "a.h5"), &e), "%s", e.msg);
    cr_assert(!mlk_dataset_read_store(&b, path, &e), "%s", e.msg);
    cr_assert_eq(b.n, 20);
    cr_expect_eq(b.n_species, 2);
    cr_expect_eq(b.z[0], 3);
    cr_expect_eq(b.z[1], 16);
    cr_expect_eq(b.split[5], MLK_SPLIT_VALID);
    for (size_t i = 0; i < a.n; i++) {
        const mlk_frame *p = &a.frame[i], *q = &b.frame[i];
        cr_expect_eq(p->n, q->n);
        cr_expect_eq(p->has, q->has);
        cr_expect_eq(p->energy, q->energy);
        cr_expect(isnan(q->energy0));
        cr_expect(p->temperature == q->temperature ||
                  (isnan(p->temperature) && isnan(q->temperature)));
        cr_expect_eq(p->step, q->step);
        cr_expect_eq(p->line, q->line);
        cr_expect_eq(p->cell.pbc[1], q->cell.pbc[1]);
        cr_expect_str_eq(p->group, q->group);
        cr_expect_str_eq(p->source, q->source);
        cr_expect_eq(memcmp(p->x, q->x, p->n * sizeof *p->x), 0);
        cr_expect_eq(memcmp(p->f, q->f, p->n * sizeof *p->f), 0);
        cr_expect_eq(memcmp(p->cell.h, q->cell.h, sizeof p->cell.h), 0);
        if (p->has & MLK_HAS_VIRIAL)
            cr_expect_eq(memcmp(p->virial, q->virial, sizeof p->virial), 0);
    }
    cr_expect_eq(b.frame[2].v[1][2], 0.125);
    cr_expect_eq(mlk_dataset_write(&a, path, &e), MLK_EIO, "an existing store is not written over");
    mlk_dataset_free(&a);
    mlk_dataset_free(&b);
    mlk_dataset_free(&b);
}

static mlk_status spoil(const char *path, const char *dataset, double v)
{
    mlk_h5 *h;
    mlk_dataset ds = {0};
    mlk_err e = {0};
    size_t dim[4];
    int nd;
    cr_assert(!mlk_h5_open(&h, path, "a", NULL));
    if (dataset) {
        double x[512];
        cr_assert(!mlk_h5_dims(h, dataset, &nd, dim, NULL));
        cr_assert(!mlk_h5_read(h, dataset, MLK_H5_DOUBLE, x, NULL));
        x[1] = v;
        cr_assert(!mlk_h5_write(h, dataset, MLK_H5_DOUBLE, nd, dim, x, NULL));
    } else {
        cr_assert(!mlk_h5_attr_set_str(h, "/", "version", v > 1 ? "3.0" : "2.7", NULL));
    }
    cr_assert(!mlk_h5_close(&h, NULL));
    mlk_status s = mlk_dataset_read_store(&ds, path, &e);
    cr_expect_eq(s ? ds.n : 0, 0, "nothing of a refused store is kept");
    cr_expect(!s || e.file[0]);
    mlk_dataset_free(&ds);
    return s;
}

Test(dataset, store_refuses_nan_and_newer_versions)
{
    mlk_dataset a;
    char path[512];
    fill(&a, 6, 3);
    cr_assert(!mlk_dataset_write(&a, tmp_path(path, "v.h5"), NULL));
    cr_expect_eq(spoil(path, NULL, 1), MLK_OK, "a newer minor version is read");
    cr_expect_eq(spoil(path, NULL, 2), MLK_EUNSUPPORTED);
    unlink(path);
    cr_assert(!mlk_dataset_write(&a, path, NULL));
    cr_expect_eq(spoil(path, "/frames/energy", NAN), MLK_EFORMAT);
    unlink(path);
    cr_assert(!mlk_dataset_write(&a, path, NULL));
    cr_expect_eq(spoil(path, "/atoms/x", NAN), MLK_EFORMAT);
    mlk_dataset_free(&a);
}

Test(dataset, hdf5_that_is_no_store_is_refused)
{
    char path[512];
    mlk_h5 *h;
    mlk_dataset ds = {0};
    mlk_err e = {0};
    cr_assert(!mlk_h5_open(&h, tmp_path(path, "other.h5"), "w", NULL));
    cr_assert(!mlk_h5_close(&h, NULL));
    cr_expect_eq(mlk_dataset_read(&ds, path, &e), MLK_EFORMAT);
    cr_expect(strstr(e.msg, "not a data set of mlkit"), "%s", e.msg);
    mlk_dataset_free(&ds);
}

static size_t count_valid(const mlk_dataset *ds)
{
    size_t n = 0;
    for (size_t i = 0; i < ds->n; i++) n += ds->split[i] == MLK_SPLIT_VALID;
    return n;
}

Test(dataset, split_keeps_groups_whole_and_covers_the_temperatures)
{
    mlk_dataset ds;
    fill(&ds, 200, 4);
    for (size_t i = 0; i < ds.n; i++) ds.frame[i].temperature = 100 * (double)(i / 4 + 1);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        cr_assert(!mlk_dataset_split(&ds, 0.1, seed, 1, NULL));
        cr_expect_eq(count_valid(&ds), 20, "seed %d: %zu", (int)seed, count_valid(&ds));
        int low = 0, high = 0;
        for (size_t i = 0; i < ds.n; i++) {
            cr_expect_eq(ds.split[i], ds.split[i / 4 * 4]);
            if (ds.split[i] == MLK_SPLIT_VALID && ds.frame[i].temperature <= 1000) low = 1;
            if (ds.split[i] == MLK_SPLIT_VALID && ds.frame[i].temperature > 4000) high = 1;
        }
        cr_expect(low && high, "each fifth of the temperature range gives one group");
    }
    mlk_dataset_free(&ds);
}

Test(dataset, split_depends_on_the_seed_only_and_is_kept)
{
    mlk_dataset a, b;
    fill(&a, 60, 4);
    fill(&b, 60, 4);
    cr_assert(!mlk_dataset_split(&a, 0.2, 7, 1, NULL));
    cr_assert(!mlk_dataset_split(&b, 0.2, 7, 1, NULL));
    cr_expect_eq(memcmp(a.split, b.split, a.n * sizeof *a.split), 0);
    cr_assert(!mlk_dataset_split(&b, 0.2, 8, 0, NULL));
    cr_expect_eq(memcmp(a.split, b.split, a.n * sizeof *a.split), 0, "kept without `again`");
    int changed = 0;
    for (uint64_t s = 8; s < 12; s++) {
        cr_assert(!mlk_dataset_split(&b, 0.2, s, 1, NULL));
        changed += memcmp(a.split, b.split, a.n * sizeof *a.split) != 0;
    }
    cr_expect_gt(changed, 0);
    cr_expect_eq(mlk_dataset_split(&a, 1.5, 7, 1, NULL), MLK_EINVAL);
    mlk_dataset_free(&a);
    mlk_dataset_free(&b);
}

Test(dataset, few_groups_are_split_by_blocks_and_something_is_left_to_train)
{
    for (size_t n = 2; n < 60; n += 7) {
        mlk_dataset ds;
        fill(&ds, n, n);
        cr_assert(!mlk_dataset_split(&ds, 0.1, 1, 1, NULL));
        size_t v = count_valid(&ds);
        cr_expect(v >= 1 && v < n && (double)v <= 0.1 * (double)n + 3, "%zu of %zu", v, n);
        cr_assert(!mlk_dataset_split(&ds, 0.9, 1, 1, NULL));
        cr_expect(count_valid(&ds) < n);
        mlk_dataset_free(&ds);
    }
}

Test(dataset, bundled_set_is_the_published_one)
{
    char dir[1024], xyz[700];
    mlk_dataset ds = {0};
    mlk_collection c;
    mlk_err e = {0};
    cr_assert(!mlk_dataset_bundled(0, dir, sizeof dir, &e), "%s", e.msg);
    cr_assert(!mlk_dataset_read(&ds, dir, &e), "%s", e.msg);
    cr_expect_eq(ds.n, 325);
    cr_expect_eq(ds.n_species, 3);
    size_t groups = 0;
    for (size_t i = 0; i < ds.n; i++) {
        groups += i == 0 || strcmp(ds.frame[i].group, ds.frame[i - 1].group) != 0;
        cr_expect_eq(ds.frame[i].n, 32);
        cr_expect_eq(ds.frame[i].scf, MLK_SCF_CONVERGED);
    }
    cr_expect_eq(groups, 54);
    if (!mlk_test_shared()) cr_skip_test("no shared data: the xyz source is not compared");
    snprintf(xyz, sizeof xyz, "%s/data/li3ps4/li3ps4.xyz", mlk_test_shared());
    cr_assert(!mlk_test_collect(xyz, &c, &e), "%s", e.msg);
    cr_assert_eq(c.n, 325);
    /* both are in order within a group: match the k-th frame of each group */
    size_t matched = 0;
    for (size_t i = 0, j; i < ds.n; i = j) {
        size_t k = 0;
        for (j = i; j < ds.n && !strcmp(ds.frame[j].group, ds.frame[i].group); j++) {
            while (k < c.n && strcmp(c.fr[k].group, ds.frame[i].group)) k++;
            cr_assert_lt(k, c.n);
            const mlk_frame *p = &ds.frame[j], *q = &c.fr[k++];
            double d = fabs(p->energy - q->energy) + fabs(p->temperature - q->temperature);
            for (size_t a = 0; a < 32; a++)
                for (int m = 0; m < 3; m++)
                    d = fmax(d, fmax(fabs(p->x[a][m] - q->x[a][m]), fabs(p->f[a][m] - q->f[a][m])));
            for (int m = 0; m < 9; m++) { /* printed: 1e-10 eV/A^3 */
                d = fmax(d, fabs((&p->virial[0][0])[m] - (&q->virial[0][0])[m]) / q->cell.volume);
                d = fmax(d, fabs((&p->cell.h[0][0])[m] - (&q->cell.h[0][0])[m]));
            }
            cr_expect_lt(d, 1e-11, "%s frame %zu differs by %g", p->group, j - i, d);
            cr_expect_str_eq(p->config_type, q->config_type);
            matched += d < 1e-11;
        }
    }
    cr_expect_eq(matched, 325);
    mlk_test_release(&c);
    mlk_dataset_free(&ds);
}

Test(dataset, unusable_frames_are_left_out_of_training_only)
{
    mlk_dataset ds = {0};
    mlk_err e = {0};
    const char *path =
        mlk_test_file("mixed.xyz", "1\nLattice=\"5 0 0 0 5 0 0 0 5\" energy=-1 "
                                   "Properties=species:S:1:pos:R:3:forces:R:3\nLi 0 0 0 0 0 0\n"
                                   "1\nLattice=\"5 0 0 0 5 0 0 0 5\" energy=-1\nLi 0 0 0.1\n"
                                   "1\nLattice=\"5 0 0 0 5 0 0 0 5\" "
                                   "Properties=species:S:1:pos:R:3:forces:R:3\nLi 0 0 0.2 0 0 0\n"
                                   "1\nLattice=\"5 0 0 0 5 0 0 0 5\" energy=-1 scf_converged=F "
                                   "Properties=species:S:1:pos:R:3:forces:R:3\n"
                                   "Li 0 0 0.3 0 0 0\n");
    cr_assert(!mlk_dataset_read(&ds, path, &e), "%s", e.msg);
    cr_expect_eq(ds.n, 1);
    cr_expect_str_eq(ds.frame[0].group, "mixed");
    mlk_dataset_free(&ds);
    cr_assert(!mlk_dataset_read_all(&ds, path, NULL, &e), "%s", e.msg);
    cr_expect_eq(ds.n, 4);
    char store[512];
    cr_assert(!mlk_dataset_write(&ds, tmp_path(store, "mixed.h5"), &e), "%s", e.msg);
    mlk_dataset_free(&ds);
    cr_assert(!mlk_dataset_read(&ds, store, &e), "%s", e.msg);
    cr_expect_eq(ds.n, 1, "the same choice from a store");
    cr_expect_eq(strlen(ds.source[0].sha256), 64);
    mlk_dataset_free(&ds);
}

Test(dataset, groups_of_files_with_the_same_name_stay_apart)
{
    static const char one[] = "1\nLattice=\"5 0 0 0 5 0 0 0 5\" energy=-1 "
                              "Properties=species:S:1:pos:R:3:forces:R:3\nLi 0 0 0 0 0 0\n";
    mlk_dataset ds = {0};
    mlk_err e = {0};
    char dir[300], p[2][400];
    snprintf(dir, sizeof dir, "%s/tree", mlk_test_tmp());
    for (int k = 0; k < 2; k++) {
        snprintf(p[k], sizeof p[k], "%s/run%d", dir, k + 1);
        cr_assert(!mlk_mkdir_p(p[k], NULL));
        strcat(p[k], "/train.xyz");
        cr_assert(!mlk_file_write_text(p[k], one, NULL));
    }
    cr_assert(!mlk_dataset_read(&ds, dir, &e), "%s", e.msg);
    cr_expect_str_eq(ds.frame[0].group, "run1/train");
    cr_expect_str_eq(ds.frame[1].group, "run2/train");
    cr_assert(!mlk_dataset_read(&ds, p[0], &e), "%s", e.msg);
    cr_expect_eq(ds.n, 2, "the same file again counts once");
    snprintf(p[1], sizeof p[1], "%s/other/run1", dir);
    cr_assert(!mlk_mkdir_p(p[1], NULL));
    strcat(p[1], "/train.xyz");
    cr_assert(!mlk_file_write_text(p[1], one, NULL));
    cr_assert(!mlk_dataset_read(&ds, p[1], &e), "%s", e.msg);
    cr_expect_str_eq(ds.frame[2].group, "run1/train#2", "%s", ds.frame[2].group);
    mlk_dataset_free(&ds);
}

Test(dataset, suspicious_labels_are_found)
{
    mlk_dataset ds;
    mlk_suspects s;
    mlk_frame copy;
    fill(&ds, 40, 4);
    ds.frame[3].f[0][0] = 30; /* outlier, and a net force */
    ds.frame[7].scf = MLK_SCF_UNCONVERGED;
    ds.frame[9].energy += 50;
    ds.frame[12].x[1][0] = ds.frame[12].x[0][0] + 0.2;
    ds.frame[15].has &= ~(unsigned)MLK_HAS_FORCE;
    cr_assert(!mlk_frame_copy(&ds.frame[20], &copy, NULL));
    cr_assert(!mlk_dataset_add(&ds, &copy, NULL));
    cr_assert(!mlk_frame_copy(&ds.frame[21], &copy, NULL));
    copy.energy += 0.05;
    cr_assert(!mlk_dataset_add(&ds, &copy, NULL));
    cr_assert(!mlk_dataset_suspect(&ds, &s, NULL));
    static const struct {
        mlk_suspect_kind kind;
        size_t frame, count;
    } want[] = {{MLK_SUSPECT_FORCE, 3, 1},       {MLK_SUSPECT_NET_FORCE, 3, 1},
                {MLK_SUSPECT_UNCONVERGED, 7, 1}, {MLK_SUSPECT_ENERGY, 9, 1},
                {MLK_SUSPECT_CLOSE, 12, 1},      {MLK_SUSPECT_NO_FORCE, 15, 1},
                {MLK_SUSPECT_DUPLICATE, 40, 1},  {MLK_SUSPECT_CONTRADICTION, 41, 1}};
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        const char *name = mlk_suspect_name(want[k].kind);
        cr_expect_eq(s.count[want[k].kind], want[k].count, "%s: %zu", name, s.count[want[k].kind]);
        for (size_t i = 0; i < s.n; i++)
            if (s.item[i].kind == want[k].kind)
                cr_expect_eq(s.item[i].frame, want[k].frame, "%s: frame %zu", name,
                             s.item[i].frame);
    }
    mlk_suspects_free(&s);
    mlk_dataset_free(&ds);
}
