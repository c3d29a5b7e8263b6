/* test_vaspout.c - small vaspout.h5 files made here: what is taken, and what is refused. */
#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/h5.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/units.h"
#include "datasets/dataset.h"
#include "parsers/isolate.h"
#include "parsers/parser.h"
#include "tests/support/collect.h"

#define DYN "/intermediate/ion_dynamics/"
enum { STEPS = 3, ATOMS = 2 };

/* Li and S in a cubic cell of 4, 5, 6 A; path in a static buffer. The caller adds and closes. */
static const char *begin(mlk_h5 **h, const char *name)
{
    static char path[600];
    static const char *const tags[] = {"energy without entropy", "free energy    TOTEN",
                                       "energy(sigma->0)      "},
                             *const types[] = {"Li", "S"};
    double e[STEPS][3], x[STEPS][ATOMS][3] = {{{0}}}, f[STEPS][ATOMS][3] = {{{0}}},
                        h9[STEPS][3][3] = {{{0}}}, st[STEPS][3][3] = {{{0}}};
    const int counts[] = {1, 1};
    for (int i = 0; i < STEPS; i++) {
        e[i][0] = -1 - i, e[i][1] = -2 - i, e[i][2] = -3 - i;
        for (int k = 0; k < 3; k++) h9[i][k][k] = 4 + i, st[i][k][k] = 10;
        st[i][0][1] = 1, st[i][1][0] = 3;
        x[i][1][0] = 0.25, x[i][1][2] = 1.5;
        f[i][0][0] = i, f[i][1][0] = -i;
    }
    snprintf(path, sizeof path, "%s/%s", mlk_test_tmp(), name);
    unlink(path);
    cr_assert(!mlk_h5_open(h, path, "w", NULL));
    mlk_h5_write_strings(*h, DYN "energies_tags", tags, 3, NULL);
    mlk_h5_write(*h, DYN "energies", MLK_H5_DOUBLE, 2, (size_t[]){STEPS, 3}, e, NULL);
    mlk_h5_write(*h, DYN "position_ions", MLK_H5_DOUBLE, 3, (size_t[]){STEPS, ATOMS, 3}, x, NULL);
    mlk_h5_write(*h, DYN "forces", MLK_H5_DOUBLE, 3, (size_t[]){STEPS, ATOMS, 3}, f, NULL);
    mlk_h5_write(*h, DYN "lattice_vectors", MLK_H5_DOUBLE, 3, (size_t[]){STEPS, 3, 3}, h9, NULL);
    mlk_h5_write(*h, DYN "stress", MLK_H5_DOUBLE, 3, (size_t[]){STEPS, 3, 3}, st, NULL);
    mlk_h5_write_strings(*h, "/results/positions/ion_types", types, 2, NULL);
    cr_assert(!mlk_h5_write(*h, "/results/positions/number_ion_types", MLK_H5_INT, 1, (size_t[]){2},
                            counts, NULL));
    return path;
}

static void number(mlk_h5 *h, const char *path, double v)
{
    cr_assert(!mlk_h5_write(h, path, MLK_H5_DOUBLE, 0, NULL, &v, NULL));
}

static mlk_status end(mlk_h5 *h, const char *path, mlk_collection *c, mlk_err *e)
{
    cr_assert(!mlk_h5_close(&h, NULL));
    memset(e, 0, sizeof *e);
    return mlk_test_collect(path, c, e);
}

Test(vaspout_unit, theory_is_that_of_the_input)
{
    static const char *const potcar[] = {"  PAW_PBE Li_sv 10Sep2004\n   LEXCH  = PE\n"
                                         "   TITEL  = PAW_PBE Li_sv 10Sep2004\n"
                                         "   ENMAX  =  499.034; ENMIN  =  374.276 eV\n"
                                         "   TITEL  = PAW_PBE S 06Sep2000\n"},
                             *const metagga[] = {"--"}, *const gga[] = {"Ps  "};
    mlk_h5 *h;
    mlk_collection c;
    mlk_err e;
    const char *path = begin(&h, "theory.h5");
    mlk_h5_write_strings(h, "/input/potcar/content", potcar, 1, NULL);
    mlk_h5_write_strings(h, "/input/incar/METAGGA", metagga, 1, NULL);
    mlk_h5_write_strings(h, "/input/incar/GGA", gga, 1, NULL);
    number(h, "/input/incar/LHFCALC", 1);
    number(h, "/input/incar/HFSCREEN", 0.2);
    number(h, "/input/incar/IVDW", 12);
    cr_assert(!end(h, path, &c, &e), "%s", e.msg);
    cr_assert_eq(c.n, STEPS);
    cr_expect_str_eq(c.fr[0].theory, "VASP GGA=PS ENCUT=499.0 IVDW=12 LHFCALC AEXX=0.25 "
                                     "HFSCREEN=0.2 POTCAR=PAW_PBE Li_sv,PAW_PBE S");
    mlk_test_release(&c);
}

Test(vaspout_unit, units_signs_columns_and_order)
{
    mlk_h5 *h;
    mlk_collection c;
    mlk_err e;
    const char *path = begin(&h, "a.h5");
    cr_assert(!end(h, path, &c, &e), "%s", e.msg);
    cr_assert_eq(c.n, STEPS);
    const mlk_frame *fr = &c.fr[1];
    cr_expect(fr->z[0] == 3 && fr->z[1] == 16);
    cr_expect_eq(fr->energy, -3);
    cr_expect_eq(fr->energy0, -4);
    cr_expect_eq(fr->energy_kind, MLK_ENERGY_FREE);
    cr_expect_float_eq(fr->x[1][0], 0.25 * 5, 1e-14);
    cr_expect_float_eq(fr->x[1][2], 1.5 * 5, 1e-14);
    cr_expect_eq(fr->f[1][0], -1);
    cr_expect_float_eq(fr->virial[0][0], 125 / MLK_EVA3_GPA, 1e-12);
    cr_expect_float_eq(fr->virial[1][0], 0.3 * 125 / MLK_EVA3_GPA, 1e-12);
    cr_expect(fr->step == 2 && fr->scf == MLK_SCF_UNKNOWN && !fr->theory[0]);
    mlk_test_release(&c);
}

Test(vaspout_unit, scf_from_the_history_and_from_the_flag)
{
    mlk_h5 *h;
    mlk_collection c;
    mlk_err e;
    const double history[] = {1, 2, 3, 1, 2, 1, 2, 3, 1}, flag[] = {0, 1, 0, 0};
    const char *path = begin(&h, "scf.h5");
    mlk_h5_write(h, DYN "oszicar", MLK_H5_DOUBLE, 2, (size_t[]){9, 1}, history, NULL);
    number(h, "/input/incar/NELM", 3);
    cr_assert(!end(h, path, &c, &e), "%s", e.msg);
    cr_assert_eq(c.n, 3);
    cr_expect(c.fr[0].scf == MLK_SCF_UNCONVERGED && c.fr[1].scf == MLK_SCF_CONVERGED &&
              c.fr[2].scf == MLK_SCF_UNCONVERGED);
    mlk_test_release(&c);
    path = begin(&h, "flag.h5");
    mlk_h5_write(h, DYN "electronic_step_converged", MLK_H5_DOUBLE, 2, (size_t[]){4, 1}, flag,
                 NULL);
    cr_assert(!end(h, path, &c, &e), "%s", e.msg);
    cr_expect(c.fr[0].scf == MLK_SCF_CONVERGED && c.fr[1].scf == MLK_SCF_UNCONVERGED);
    mlk_test_release(&c);
}

Test(vaspout_unit, the_shortest_array_counts)
{
    mlk_h5 *h;
    mlk_collection c;
    mlk_err e;
    static char path[600];
    double two[2][2][3] = {{{0}}};
    strcpy(path, begin(&h, "running.h5"));
    cr_assert(!mlk_h5_close(&h, NULL));
    cr_assert(!mlk_h5_open(&h, path, "a", NULL));
    mlk_h5_write(h, DYN "scale", MLK_H5_DOUBLE, 0, NULL, &(double){2}, NULL);
    cr_assert(!end(h, path, &c, &e), "%s", e.msg);
    cr_expect_float_eq(c.fr[0].cell.volume, 512, 1e-10); /* a scale beside the vectors counts */
    mlk_test_release(&c);
    unlink(path);
    cr_assert(!mlk_h5_open(&h, path, "w", NULL));
    double cell[4][3][3] = {{{4, 0, 0}, {0, 4, 0}, {0, 0, 4}}, {{4, 0, 0}, {0, 4, 0}, {0, 0, 4}}};
    mlk_h5_write(h, DYN "position_ions", MLK_H5_DOUBLE, 3, (size_t[]){2, 2, 3}, two, NULL);
    mlk_h5_write(h, DYN "lattice_vectors", MLK_H5_DOUBLE, 3, (size_t[]){4, 3, 3}, cell, NULL);
    mlk_h5_write_strings(h, "/input/poscar/ion_types", (const char *[]){"Si"}, 1, NULL);
    mlk_h5_write(h, "/input/poscar/number_ion_types", MLK_H5_INT, 1, (size_t[]){1}, &(int){2},
                 NULL);
    cr_assert(!end(h, path, &c, &e), "%s", e.msg);
    cr_expect_eq(c.n, 2);
    cr_expect_eq(c.fr[1].has, MLK_HAS_CELL);
    mlk_test_release(&c);
}

/* What each of these changes makes of the file: frames, status, words. */
static void refused(const char *name, void (*change)(mlk_h5 *), mlk_status want, const char *words)
{
    mlk_h5 *h;
    mlk_collection c;
    mlk_err e;
    const char *path = begin(&h, name);
    change(h);
    cr_expect_eq(end(h, path, &c, &e), want, "%s: %s", name, e.msg);
    cr_expect(strstr(e.msg, words), "'%s', expected '%s'", e.msg, words);
    cr_expect(e.file[0] && strstr(e.file, name), "%s: '%s'", name, e.file);
    mlk_test_release(&c);
}

static void force_field(mlk_h5 *h)
{
    number(h, "/input/incar/ML_LMLFF", 1);
}

static void counts(mlk_h5 *h)
{
    mlk_h5_write(h, "/results/positions/number_ion_types", MLK_H5_INT, 1, (size_t[]){2},
                 (int[]){1, 2}, NULL);
}

static void no_cell(mlk_h5 *h)
{
    const double zero[STEPS][3][3] = {{{0}}};
    mlk_h5_write(h, DYN "lattice_vectors", MLK_H5_DOUBLE, 3, (size_t[]){STEPS, 3, 3}, zero, NULL);
}

static void unwritten(mlk_h5 *h)
{
    const double zero[STEPS][3] = {{0}};
    mlk_h5_write(h, DYN "energies", MLK_H5_DOUBLE, 2, (size_t[]){STEPS, 3}, zero, NULL);
}

static void unclear_scale(mlk_h5 *h)
{
    number(h, "/results/positions/scale", 2);
}

Test(vaspout_unit, what_cannot_be_right_is_refused)
{
    refused("ml.h5", force_field, MLK_EUNSUPPORTED, "ML_LMLFF");
    refused("counts.h5", counts, MLK_EFORMAT, "3 atoms");
    refused("no_cell.h5", no_cell, MLK_EFORMAT, "span no volume");
    refused("unwritten.h5", unwritten, MLK_EFORMAT, "was not written");
    refused("scale.h5", unclear_scale, MLK_EFORMAT, "cannot find");
}

Test(vaspout_unit, the_scale_belongs_to_vectors_of_its_size)
{
    const double of_ratio[2] = {1, 2}; /* final vectors are those of the last step over this */
    for (int k = 0; k < 2; k++) {
        mlk_h5 *h;
        mlk_collection c;
        mlk_err e;
        double final[3][3] = {{0}};
        const char *path = begin(&h, "scaled.h5");
        for (int a = 0; a < 3; a++) final[a][a] = 6 / of_ratio[k];
        number(h, "/results/positions/scale", 2);
        mlk_h5_write(h, "/results/positions/lattice_vectors", MLK_H5_DOUBLE, 2, (size_t[]){3, 3},
                     final, NULL);
        cr_assert(!end(h, path, &c, &e), "%s", e.msg);
        cr_expect_float_eq(c.fr[2].cell.h[0][0], k ? 6 : 12, 1e-12);
        mlk_test_release(&c);
    }
}

Test(vaspout_unit, nan_in_a_label_clears_its_flag)
{
    mlk_h5 *h;
    mlk_collection c;
    mlk_err e;
    double f[STEPS][ATOMS][3] = {{{0}}};
    f[1][1][2] = NAN;
    const char *path = begin(&h, "nan.h5");
    mlk_h5_write(h, DYN "forces", MLK_H5_DOUBLE, 3, (size_t[]){STEPS, ATOMS, 3}, f, NULL);
    cr_assert(!end(h, path, &c, &e), "%s", e.msg);
    cr_assert_eq(c.n, 3);
    cr_expect(!(c.fr[1].has & MLK_HAS_FORCE) && (c.fr[2].has & MLK_HAS_FORCE));
    mlk_test_release(&c);
}

/* A store, another HDF5 file and a vaspout.h5 in one folder go to their readers. */
Test(vaspout_unit, a_store_is_not_taken_for_it)
{
    mlk_h5 *h;
    mlk_collection c;
    mlk_dataset ds = {0};
    mlk_err e = {0};
    char store[600], path[600];
    strcpy(path, begin(&h, "vasp.h5"));
    cr_assert(!end(h, path, &c, &e));
    snprintf(store, sizeof store, "%s/store.h5", mlk_test_tmp());
    unlink(store);
    cr_expect(!mlk_dataset_is_store(path));
    cr_assert(!mlk_dataset_read(&ds, path, &e), "%s", e.msg);
    cr_expect_eq(ds.n, 3);
    cr_assert(!mlk_dataset_write(&ds, store, &e), "%s", e.msg);
    mlk_dataset_free(&ds);
    cr_expect(mlk_dataset_is_store(store));
    cr_assert(!mlk_dataset_read(&ds, store, &e), "%s", e.msg);
    cr_expect_eq(ds.n, 3);
    mlk_dataset_free(&ds);
    mlk_test_release(&c);
}

static void write_bytes(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
}

/* Cut anywhere: refused. Changed bytes: no crash of ours, and frames that pass every check. The
 * library itself crashes on some; sanitizers would report that, so they see the cuts only. */
Test(vaspout_unit, damaged_files, .timeout = 300)
{
    mlk_h5 *h;
    mlk_collection c;
    mlk_err e;
    char *bytes, path[600];
    size_t n;
    strcpy(path, begin(&h, "damaged.h5"));
    cr_assert(!mlk_h5_close(&h, NULL));
    cr_assert(!mlk_file_slurp(path, &bytes, &n, NULL));
    mlk_rng g = mlk_rng_make(32, 1);
    mlk_log_set_level(MLK_LOG_ERROR);
    for (int k = 0; k < 40; k++) {
        memset(&e, 0, sizeof e);
        write_bytes(path, bytes, mlk_rng_below(&g, n));
        cr_expect_neq(mlk_test_collect(path, &c, &e), MLK_OK);
        cr_expect(e.file[0] && e.msg[0] && c.n == 0);
        mlk_test_release(&c);
    }
#ifndef __SANITIZE_ADDRESS__
    for (int k = 0; k < 40; k++) {
        size_t at = mlk_rng_below(&g, n);
        char old = bytes[at];
        bytes[at] = (char)(old ^ (char)(1 + mlk_rng_below(&g, 255)));
        write_bytes(path, bytes, n);
        bytes[at] = old;
        memset(&e, 0, sizeof e);
        if (mlk_test_collect(path, &c, &e)) cr_expect(e.file[0] && e.msg[0], "byte %zu", at);
        for (size_t i = 0; i < c.n; i++) cr_expect(!mlk_frame_check(&c.fr[i], NULL));
        mlk_test_release(&c);
    }
#endif
    mlk_free(bytes);
}

/* ---- isolate.h ---- */

static mlk_status two_frames(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    for (int k = 0; k < 2; k++) {
        mlk_frame fr;
        MLK_TRY(mlk_frame_init(&fr, 3, e));
        for (int i = 0; i < 3; i++) fr.z[i] = 3 + i, fr.x[i][1] = k + i, fr.f[i][2] = -i;
        fr.has = MLK_HAS_ENERGY | MLK_HAS_FORCE;
        fr.energy = 0.1 * k;
        snprintf(fr.source, sizeof fr.source, "%s", path);
        mlk_status s = fn(&fr, user, e);
        mlk_frame_free(&fr);
        MLK_TRY(s);
    }
    return MLK_OK;
}

static mlk_status then_crash(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    MLK_TRY(two_frames(path, fn, user, e));
    raise(SIGSEGV);
    return MLK_OK;
}

static mlk_status then_fail(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    MLK_TRY(two_frames(path, fn, user, e));
    MLK_FAIL(e, MLK_EFORMAT, "it ends here");
    return mlk_err_at(e, path, 7);
}

static mlk_status check_frame(mlk_frame *fr, void *user, mlk_err *e)
{
    int *n = user;
    cr_expect(fr->n == 3 && fr->z[2] == 5 && fr->x[1][1] == *n + 1 && fr->f[2][2] == -2);
    cr_expect_eq(fr->energy, 0.1 * *n);
    cr_expect_str_eq(fr->source, "some/file");
    ++*n;
    (void)e;
    return MLK_OK;
}

static mlk_status stop_at_once(mlk_frame *fr, void *user, mlk_err *e)
{
    (void)fr, (void)user;
    return MLK_FAIL(e, MLK_EINTERRUPTED, "stop");
}

Test(isolate, frames_and_errors_come_through)
{
    mlk_err e = {0};
    int n = 0;
    cr_expect_eq(mlk_parse_isolated(two_frames, "some/file", check_frame, &n, &e), MLK_OK);
    cr_expect_eq(n, 2);
    n = 0;
    cr_expect_eq(mlk_parse_isolated(then_fail, "some/file", check_frame, &n, &e), MLK_EFORMAT);
    cr_expect(n == 2 && e.line == 7 && !strcmp(e.msg, "it ends here"));
    memset(&e, 0, sizeof e);
    cr_expect_eq(mlk_parse_isolated(two_frames, "some/file", stop_at_once, NULL, &e),
                 MLK_EINTERRUPTED);
    cr_expect_str_eq(e.msg, "stop");
}

Test(isolate, a_crash_is_a_damaged_file)
{
    mlk_err e = {0};
    int n = 0;
    cr_expect_eq(mlk_parse_isolated(then_crash, "some/file", check_frame, &n, &e), MLK_EFORMAT);
    cr_expect_eq(n, 2);
    cr_expect(strstr(e.msg, "breaks down") && !strcmp(e.file, "some/file"), "%s", e.msg);
}
