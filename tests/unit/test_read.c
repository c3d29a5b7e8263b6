/* test_read.c - folders as people have them: several outputs of one run, structures, foreign and
 * broken files; what is taken, and what is said about the rest. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/h5.h"
#include "core/mem.h"
#include "datasets/dataset.h"
#include "parsers/parser.h"
#include "tests/support/collect.h"

enum { STEPS = 6 };

/* A short run of two atoms, steps a little apart. */
static void make_run(mlk_frame *fr, double shift)
{
    const double h[3][3] = {{4.1, 0, 0}, {0.3, 5, 0}, {0, 0, 6}};
    for (int i = 0; i < STEPS; i++) {
        cr_assert(!mlk_frame_init(&fr[i], 2, NULL));
        cr_assert(!mlk_cell_init(&fr[i].cell, h, NULL));
        fr[i].z[0] = 3, fr[i].z[1] = 17;
        fr[i].x[1][0] = 2 + 0.01 * i;
        fr[i].x[1][1] = shift;
        fr[i].f[0][0] = 0.1, fr[i].f[1][0] = -0.1;
        fr[i].energy = -7 - 0.1 * i + shift;
        fr[i].has = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE;
        fr[i].scf = MLK_SCF_CONVERGED;
    }
}

static void release(mlk_frame *fr)
{
    for (int i = 0; i < STEPS; i++) mlk_frame_free(&fr[i]);
}

static char *in(char *buf, const char *dir, const char *name)
{
    return mlk_path_join(buf, 600, dir, name);
}

static const mlk_file_note *note_of(const mlk_dataset *ds, const char *name)
{
    for (size_t k = 0; k < ds->n_file; k++)
        if (!strcmp(mlk_path_base(ds->file[k].path), name)) return &ds->file[k];
    cr_assert(0, "nothing is said of %s", name);
    return NULL;
}

Test(reading, a_run_that_wrote_several_files_counts_once)
{
    mlk_frame fr[STEPS], other[STEPS];
    mlk_dataset ds = {0};
    mlk_err e = {0};
    char dir[512], sub[600], p[700];
    make_run(fr, 0);
    make_run(other, 0.5);
    snprintf(dir, sizeof dir, "%s/run", mlk_test_tmp());
    cr_assert(!mlk_mkdir_p(in(sub, dir, "later"), NULL));
    /* vasprun.xml was cut: the other file of the run knows two steps more */
    cr_assert(!mlk_write_vasprun(in(p, dir, "vasprun.xml"), fr, STEPS - 2, "x", "1", &e));
    cr_assert(!mlk_write_extxyz(in(p, dir, "zz.xyz"), fr, STEPS, &e));
    cr_assert(!mlk_write_poscar(in(p, dir, "CONTCAR"), &fr[STEPS - 1], &e));
    cr_assert(!mlk_file_write_text(in(p, dir, "KPOINTS"), "Gamma\n", &e));
    cr_assert(
        !mlk_file_write_text(in(p, dir, "broken.xyz"), "1\nLattice=\"oh no\"\nLi 0 0 0\n", &e));
    cr_assert(!mlk_write_extxyz(in(p, sub, "train.xyz"), other, STEPS, &e));
    cr_assert(!mlk_dataset_read(&ds, dir, &e), "%s", e.msg);
    cr_expect_eq(ds.n, 2 * STEPS, "%zu frames", ds.n);
    cr_expect_eq(ds.n_problem, 1);
    const mlk_file_note *t = note_of(&ds, "zz.xyz");
    cr_expect(t->n == STEPS && t->taken == 2 && strstr(t->why, "4 already read"), "%s", t->why);
    cr_expect_str_eq(ds.frame[STEPS - 1].group, "vasprun", "the rest of the same run");
    cr_expect_str_eq(ds.frame[STEPS].group, "later/train");
    cr_expect_eq(note_of(&ds, "vasprun.xml")->taken, STEPS - 2);
    cr_expect(strstr(note_of(&ds, "CONTCAR")->why, "structures"));
    cr_expect_str_eq(note_of(&ds, "KPOINTS")->format, "unknown");
    cr_expect(strstr(note_of(&ds, "broken.xyz")->why, "Lattice"));
    mlk_dataset_free(&ds);
    /* the same by a pattern that the shell left alone */
    cr_assert(!mlk_dataset_read(&ds, in(p, dir, "*.x[my][lz]"), &e), "%s", e.msg);
    cr_expect_eq(ds.n, STEPS, "%zu frames", ds.n);
    mlk_dataset_free(&ds);
    cr_expect_eq(mlk_dataset_read(&ds, in(p, dir, "*.nothing"), &e), MLK_EIO);
    release(fr);
    release(other);
}

/* A store is read, damaged or not; HDF5 of other programs is not what one looks for. */
Test(reading, of_hdf5_files_only_stores_are_read)
{
    mlk_frame fr[STEPS];
    mlk_dataset ds = {0};
    mlk_err e = {0};
    char dir[512], p[700];
    mlk_h5 *h;
    const size_t dim = 3;
    make_run(fr, 0);
    snprintf(dir, sizeof dir, "%s/hdf5", mlk_test_tmp());
    cr_assert(!mlk_mkdir_p(dir, NULL));
    for (int i = 0; i < STEPS; i++) cr_assert(!mlk_dataset_add(&ds, &fr[i], &e));
    cr_assert(!mlk_dataset_write(&ds, in(p, dir, "ours.h5"), &e), "%s", e.msg);
    mlk_dataset_free(&ds);
    cr_assert(!mlk_h5_open(&h, in(p, dir, "run.h5"), "w", &e));
    cr_assert(!mlk_h5_write(h, "/particles/x", MLK_H5_DOUBLE, 1, &dim, (double[3]){1, 2, 3}, &e));
    cr_assert(!mlk_h5_close(&h, &e));
    cr_assert(!mlk_dataset_read(&ds, dir, &e), "%s", e.msg);
    cr_expect_eq(ds.n, STEPS);
    cr_expect_eq(ds.n_problem, 0);
    cr_expect_str_eq(note_of(&ds, "run.h5")->format, "unknown");
    mlk_dataset_free(&ds);
    release(fr);
}

/* ML_AB, vaspout.h5 and converted copies do not say whether the SCF loop converged. */
Test(reading, an_unconverged_step_does_not_come_back_by_a_copy)
{
    mlk_frame fr[STEPS];
    mlk_dataset ds = {0};
    mlk_err e = {0};
    char dir[512], p[700];
    make_run(fr, 0);
    snprintf(dir, sizeof dir, "%s/unconverged", mlk_test_tmp());
    cr_assert(!mlk_mkdir_p(dir, NULL));
    fr[2].scf = MLK_SCF_UNCONVERGED;
    cr_assert(!mlk_write_vasprun(in(p, dir, "vasprun.xml"), fr, STEPS, "x", "1", &e));
    for (int i = 0; i < STEPS; i++) fr[i].scf = MLK_SCF_UNKNOWN;
    cr_assert(!mlk_write_extxyz(in(p, dir, "copy.xyz"), fr, STEPS, &e));
    cr_assert(!mlk_dataset_read(&ds, dir, &e), "%s", e.msg);
    cr_expect_eq(ds.n, STEPS - 1);
    cr_expect_str_eq(note_of(&ds, "copy.xyz")->why,
                     "5 already read from another file of this folder, 1 with unconverged SCF");
    mlk_dataset_free(&ds);
    release(fr);
}

/* One step in common makes two files one run, but not where the data say which run they are. */
Test(reading, a_twin_leaves_the_groups_that_the_data_name)
{
    mlk_frame fr[STEPS];
    mlk_dataset ds = {0};
    mlk_err e = {0};
    char dir[512], p[700];
    make_run(fr, 0);
    snprintf(dir, sizeof dir, "%s/named", mlk_test_tmp());
    cr_assert(!mlk_mkdir_p(dir, NULL));
    cr_assert(!mlk_write_vasprun(in(p, dir, "vasprun.xml"), fr, 1, "x", "1", &e));
    for (int i = 0; i < STEPS; i++) snprintf(fr[i].group, sizeof fr[i].group, "mine-%d", i / 3);
    cr_assert(!mlk_write_extxyz(in(p, dir, "all.xyz"), fr, STEPS, &e));
    cr_assert(!mlk_dataset_read(&ds, dir, &e), "%s", e.msg);
    cr_assert_eq(ds.n, STEPS);
    cr_expect_str_eq(ds.frame[0].group, "vasprun");
    for (int i = 1; i < STEPS; i++) cr_expect_str_eq(ds.frame[i].group, fr[i].group);
    mlk_dataset_free(&ds);
    release(fr);
}

/* So small a file is cut within what is looked at to recognise it. */
Test(reading, a_packed_file_that_ends_early_gives_its_complete_frames)
{
    mlk_frame fr[STEPS];
    mlk_dataset ds = {0};
    mlk_err e = {0};
    char dir[512], p[700], text[8192];
    make_run(fr, 0);
    snprintf(dir, sizeof dir, "%s/early", mlk_test_tmp());
    cr_assert(!mlk_mkdir_p(dir, NULL));
    cr_assert(!mlk_write_extxyz(in(p, dir, "a.xyz.gz"), fr, STEPS, &e));
    FILE *f = fopen(p, "rb");
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    f = fopen(p, "wb");
    fwrite(text, 1, n - 20, f);
    fclose(f);
    for (int alone = 0; alone < 2; alone++) {
        cr_assert(!mlk_dataset_read(&ds, alone ? p : dir, &e), "%s", e.msg);
        cr_expect(ds.n > 0 && ds.n < STEPS, "%zu frames", ds.n);
        cr_assert_eq(ds.n_problem, 1);
        cr_expect(ds.problem[0].line > 1, "line %ld: %s", ds.problem[0].line, ds.problem[0].msg);
        mlk_dataset_free(&ds);
    }
    release(fr);
}

Test(reading, of_a_damaged_packed_file_nothing_is_taken)
{
    mlk_frame fr[STEPS];
    mlk_dataset ds = {0};
    mlk_err e = {0};
    char dir[512], p[700];
    make_run(fr, 0);
    snprintf(dir, sizeof dir, "%s/damaged", mlk_test_tmp());
    cr_assert(!mlk_mkdir_p(dir, NULL));
    cr_assert(!mlk_write_vasprun(in(p, dir, "a.xml.gz"), fr, STEPS, "x", "1", &e));
    FILE *f = fopen(p, "rb+");
    cr_assert(!fseek(f, -8, SEEK_END)); /* the checksum */
    fputc(0x5a, f);
    fclose(f);
    cr_expect_eq(mlk_dataset_read(&ds, p, &e), MLK_EDAMAGED);
    cr_expect_eq(ds.n, 0);
    e = (mlk_err){0};
    cr_assert(!mlk_write_vasprun(in(p, dir, "b.xml"), fr, STEPS, "x", "1", &e));
    cr_assert(!mlk_dataset_read(&ds, dir, &e), "%s", e.msg);
    cr_expect_eq(ds.n, STEPS);
    cr_expect_eq(note_of(&ds, "a.xml.gz")->taken, 0);
    mlk_dataset_free(&ds);
    release(fr);
}
