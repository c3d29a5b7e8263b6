/* test_snap.c - SNAP against LAMMPS 29 Sep 2021 (package ML-SNAP): components, energies, forces,
 * virials, and the per-atom virial of the heat current from finite differences of its energies. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/file.h"
#include "potentials/potential.h"
#include "tests/support/shared.h"

typedef struct golden_case {
    const char *dir, *file;
} golden_case;

static const golden_case all_cases[] = {{"ta06a", "Ta06A"},
                                        {"wbe", "WBe_Wood_PRB2019"},
                                        {"inp_chem", "InP_JCPA2020"},
                                        {"mo_quadratic", "Mo_Zuo_JPCA2020.quadratic"},
                                        {"syn2_quadratic", "syn2_quadratic"},
                                        {"syn2_chem", "syn2_chem"},
                                        {"syn2_twojmax5", "syn2_twojmax5"}};
enum { N_CASE = sizeof all_cases / sizeof *all_cases };

static char *text_of(const char *dir, const char *name)
{
    char path[1024], *text = NULL;
    mlk_err e = {0};
    snprintf(path, sizeof path, "%s/reference/snap/%s/%s", mlk_test_shared(), dir, name);
    cr_assert_eq(mlk_file_slurp(path, &text, NULL, &e), MLK_OK, "%s: %s", path, e.msg);
    return text;
}

/* one frame of `n / Lattice="..." / El x y z` */
static void read_xyz(const char *dir, mlk_frame *fr)
{
    char *text = text_of(dir, "model.xyz"), *p = text;
    size_t n = strtoul(p, &p, 10);
    mlk_err e = {0};
    cr_assert_eq(mlk_frame_init(fr, n, &e), MLK_OK);
    double h[3][3];
    p = strstr(p, "Lattice=\"") + 9;
    for (int a = 0; a < 9; a++) h[a / 3][a % 3] = strtod(p, &p);
    cr_assert_eq(mlk_cell_init(&fr->cell, (const double(*)[3])h, &e), MLK_OK);
    p = strchr(p, '\n');
    for (size_t i = 0; i < n; i++) {
        char el[8];
        int used;
        cr_assert_eq(sscanf(p, " %7s%n", el, &used), 1);
        p += used;
        fr->z[i] = mlk_element_z(el);
        for (int c = 0; c < 3; c++) fr->x[i][c] = strtod(p, &p);
    }
    mlk_free(text);
}

/* numbers of the data lines "index El v v v": out (n, cols) */
static void read_table(char *text, size_t n, size_t cols, double *out)
{
    char *p = text;
    for (size_t i = 0; i < n; i++) {
        while (*p == '#') p = strchr(p, '\n') + 1;
        char el[8];
        int used, index;
        cr_assert_eq(sscanf(p, "%d %7s%n", &index, el, &used), 2);
        cr_assert_eq((size_t)index, i);
        p += used;
        for (size_t c = 0; c < cols; c++) out[i * cols + c] = strtod(p, &p);
        p = strchr(p, '\n') + 1;
    }
}

static mlk_potential *load(const golden_case *c)
{
    char path[1024];
    mlk_err e = {0};
    mlk_potential *pot = NULL;
    snprintf(path, sizeof path, "%s/reference/snap/%s/%s.snapcoeff", mlk_test_shared(), c->dir,
             c->file);
    cr_assert_eq(mlk_potential_read(&pot, path, &e), MLK_OK, "%s: %s", path, e.msg);
    return pot;
}

static double worst(size_t n, const double *a, const double *b)
{
    double w = 0;
    for (size_t i = 0; i < n; i++) w = fmax(w, isnan(a[i]) ? INFINITY : fabs(a[i] - b[i]));
    return w;
}

static void check_model(const golden_case *c, int level)
{
    if (mlk_cpu_set_level(level) != level) return;
    mlk_potential *pot = load(c);
    mlk_frame fr = {0};
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    mlk_err e = {0};
    read_xyz(c->dir, &fr);
    cr_assert_eq(mlk_potential_eval_frame(pot, &fr, MLK_WANT_W, &nl, &ev, &e), MLK_OK, "%s", e.msg);
    char *text = text_of(c->dir, "reference.txt");
    double *ref = mlk_alloc(4 * fr.n, sizeof *ref), total, v[6];
    read_table(text, fr.n, 4, ref);
    total = strtod(strstr(text, "total_energy_eV") + 15, NULL);
    char *p = strstr(text, "xz yz") + 5;
    for (int k = 0; k < 6; k++) v[k] = strtod(p, &p);
    double du = 0, df = 0, scale = 0;
    for (size_t i = 0; i < fr.n; i++) {
        du = fmax(du, fabs(ev.u[i] - ref[4 * i]));
        scale = fmax(scale, fabs(ref[4 * i]));
        df = fmax(df, worst(3, ev.f[i], ref + 4 * i + 1));
    }
    const double got[6] = {ev.W[0][0], ev.W[1][1], ev.W[2][2], ev.W[0][1], ev.W[0][2], ev.W[1][2]};
    double dv = worst(6, got, v), du_tot = fabs(ev.U / total - 1);
    printf("%-16s %-7s u %.1e (relative)  U %.1e  F %.1e eV/A  W %.1e eV\n", c->dir,
           mlk_cpu_level_name(level), du / scale, du_tot, df, dv);
    cr_expect_lt(du / scale, 1e-10, "%s: site energies", c->dir);
    cr_expect_lt(du_tot, 1e-10, "%s: energy", c->dir);
    cr_expect_lt(df, 1e-9, "%s: forces", c->dir);
    cr_expect_lt(dv, 1e-8, "%s: virial", c->dir);
    mlk_free(text), mlk_free(ref);
    mlk_frame_free(&fr), mlk_neigh_free(&nl), mlk_eval_free(&ev);
    mlk_potential_destroy(pot);
    mlk_cpu_set_level(MLK_SIMD_AVX512);
}

Test(golden_snap, energies_forces_virials)
{
    if (!mlk_test_shared()) cr_skip_test("no ../shared: LAMMPS reference data not there");
    for (int c = 0; c < N_CASE; c++)
        for (int level = 0; level < 3; level++) check_model(&all_cases[c], level);
}

Test(golden_snap, bispectrum_components)
{
    if (!mlk_test_shared()) cr_skip_test("no ../shared: LAMMPS reference data not there");
    for (int c = 0; c < N_CASE; c++) {
        mlk_potential *pot = load(&all_cases[c]);
        mlk_frame fr = {0};
        mlk_neigh nl = {0};
        mlk_scratch s = {0};
        mlk_err e = {0};
        read_xyz(all_cases[c].dir, &fr);
        int *type = mlk_alloc(fr.n, sizeof *type);
        cr_assert_eq(mlk_potential_types_of(pot, &fr, type, &e), MLK_OK);
        cr_assert_eq(mlk_neigh_build(&fr.cell, fr.n, (const double(*)[3])fr.x, pot->rc, &nl, &e),
                     MLK_OK);
        char *text = text_of(all_cases[c].dir, "bispectrum.txt");
        size_t nk = strtoul(strstr(text, "ncomponents") + 11, NULL, 10), first, nb;
        double *ref = mlk_alloc(fr.n * nk, sizeof *ref);
        read_table(text, fr.n, nk, ref);
        pot->type->basis(pot, &nl, type, 0, &s, &first, &nb, NULL, NULL, &e);
        cr_assert_geq(nb, nk + 1);
        double *b = mlk_alloc(nb, sizeof *b), big = 0, diff = 0;
        for (size_t i = 0; i < fr.n; i++) {
            mlk_scratch_reset(&s);
            cr_assert_eq(pot->type->basis(pot, &nl, type, i, &s, &first, &nb, b, NULL, &e), MLK_OK);
            for (size_t k = 0; k < nk; k++) big = fmax(big, fabs(ref[i * nk + k]));
            diff = fmax(diff, worst(nk, b + 1, ref + i * nk));
        }
        printf("%-16s bispectrum %.1e of the largest\n", all_cases[c].dir, diff / big);
        cr_expect_lt(diff / big, 1e-10, "%s", all_cases[c].dir);
        mlk_free(b), mlk_free(ref), mlk_free(text), mlk_free(type);
        mlk_scratch_free(&s), mlk_neigh_free(&nl), mlk_frame_free(&fr);
        mlk_potential_destroy(pot);
    }
}

Test(golden_snap, heat_virial)
{
    if (!mlk_test_shared()) cr_skip_test("no ../shared: LAMMPS reference data not there");
    const golden_case pick[2] = {all_cases[0], all_cases[4]};
    for (int c = 0; c < 2; c++) {
        mlk_potential *pot = load(&pick[c]);
        mlk_frame fr = {0};
        mlk_neigh nl = {0};
        mlk_eval ev = {0};
        mlk_err e = {0};
        read_xyz(pick[c].dir, &fr);
        cr_assert_eq(mlk_potential_eval_frame(pot, &fr, MLK_WANT_W, &nl, &ev, &e), MLK_OK);
        char *text = text_of(pick[c].dir, "heat_virial.txt");
        double *ref = mlk_alloc(fr.n * 9, sizeof *ref);
        read_table(text, fr.n, 9, ref);
        double d = worst(fr.n * 9, ev.w[0], ref);
        printf("%-16s heat-current virial %.1e eV\n", pick[c].dir, d);
        cr_expect_lt(d, 1e-7, "%s", pick[c].dir);
        mlk_free(text), mlk_free(ref);
        mlk_frame_free(&fr), mlk_neigh_free(&nl), mlk_eval_free(&ev);
        mlk_potential_destroy(pot);
    }
}
