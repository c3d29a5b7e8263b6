/* test_md_heatflux.c - per-atom virials and heat flux of one snapshot against LAMMPS (compute
 * heat/flux with centroid/stress/atom). The potentials are plain truncated pair sums that exist
 * only here. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/units.h"
#include "md/fluxes.h"
#include "tests/support/check.h"
#include "tests/support/shared.h"

typedef double (*pair_fn)(int a, int b, double r, double *slope); /* energy [eV], d/dr */

static double lj_cut(int a, int b, double r, double *slope)
{
    (void)a, (void)b;
    double eps = 0.01032, x6 = pow(3.405 / r, 6);
    *slope = 4 * eps * (-12 * x6 * x6 + 6 * x6) / r;
    return 4 * eps * (x6 * x6 - x6);
}

/* type 0 Mg, 1 O */
static double buck(int a, int b, double r, double *slope)
{
    if (a == 0 && b == 0) return *slope = 0, 0;
    double A = a == b ? 22764 : 821.6, rho = a == b ? 0.149 : 0.3242, C = a == b ? 27.88 : 0;
    double ex = A * exp(-r / rho), c6 = C / pow(r, 6);
    *slope = -ex / rho + 6 * c6 / r;
    return ex - c6;
}

static double buck_coul(int a, int b, double r, double *slope)
{
    double u = buck(a, b, r, slope), q = (a == b ? 1 : -1) * 1.7 * 1.7 * 14.399645 / r;
    *slope -= q / r;
    return u + q;
}

static mlk_status eval(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i0,
                       size_t i1, mlk_scratch *s, double *u, double *const p[3], mlk_err *e)
{
    (void)s, (void)e;
    pair_fn fn = *(const pair_fn *)pot->hyper;
    for (size_t i = i0; i < i1; i++) {
        u[i] = 0;
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            double r = 0, d = 0;
            for (int c = 0; c < 3; c++) r += nl->r[c][k] * nl->r[c][k];
            r = sqrt(r);
            if (r < pot->rc) u[i] += 0.5 * fn(type[i], type[nl->j[k]], r, &d);
            for (int c = 0; c < 3; c++) p[c][k] = 0.5 * d * nl->r[c][k] / r;
        }
    }
    return MLK_OK;
}

static const mlk_potential_type pair_type = {.name = "pair", .eval = eval};

typedef struct snapshot {
    mlk_frame fr;
    double *mass;
} snapshot;

static void read_snapshot(const char *path, snapshot *s)
{
    mlk_err e = {0};
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f, "%s", path);
    char line[1024], *q;
    size_t n;
    double h[3][3];
    cr_assert(fgets(line, sizeof line, f) && sscanf(line, "%zu", &n) == 1);
    cr_assert(fgets(line, sizeof line, f) && (q = strstr(line, "Lattice=\"")));
    q += 9;
    for (int k = 0; k < 9; k++) h[k / 3][k % 3] = strtod(q, &q);
    mlk_check_ok(mlk_frame_init(&s->fr, n, &e), e);
    mlk_check_ok(mlk_cell_init(&s->fr.cell, (const double(*)[3])h, &e), e);
    s->fr.v = mlk_alloc(n, sizeof *s->fr.v);
    s->mass = mlk_alloc(n, sizeof *s->mass);
    for (size_t i = 0; i < n; i++) {
        char el[8];
        double *x = s->fr.x[i], *v = s->fr.v[i];
        cr_assert(fgets(line, sizeof line, f) &&
                  sscanf(line, "%7s %lf %lf %lf %lf %lf %lf %lf", el, x, x + 1, x + 2, v, v + 1,
                         v + 2, &s->mass[i]) == 8);
        s->fr.z[i] = mlk_element_z(el);
    }
    fclose(f);
}

/* Numbers after a keyword at the beginning of a line; or, key NULL, the line of an atom. */
static void want(const char *path, const char *key, size_t atom, int n, double *v)
{
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f, "%s", path);
    char line[1024], word[64] = "";
    bool found = false;
    while (!found && fgets(line, sizeof line, f)) {
        int used = 0;
        char el[8];
        size_t i;
        if (key && sscanf(line, "%63s%n", word, &used) == 1 && !strcmp(word, key)) found = true;
        if (!key && sscanf(line, "%zu %7s%n", &i, el, &used) == 2 && i == atom) found = true;
        char *q = line + used;
        for (int k = 0; found && k < n; k++) v[k] = strtod(q, &q);
    }
    fclose(f);
    cr_assert(found, "%s: no %s", path, key ? key : "atom");
}

static void compare(const char *folder, pair_fn fn, double rc, size_t n_species, const int *z)
{
    if (!mlk_test_shared()) cr_skip_test("the shared reference data are not on this machine");
    char xyz[1024], ref[1024];
    snprintf(xyz, sizeof xyz, "%s/reference/heatflux/%s/model.xyz", mlk_test_shared(), folder);
    snprintf(ref, sizeof ref, "%s/reference/heatflux/%s/reference.txt", mlk_test_shared(), folder);
    snapshot s;
    read_snapshot(xyz, &s);
    mlk_potential pot = {.type = &pair_type, .n_species = n_species, .rc = rc, .hyper = &fn};
    memcpy(pot.z, z, n_species * sizeof *z);
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    mlk_err e = {0};
    mlk_check_ok(mlk_potential_eval_frame(&pot, &s.fr, MLK_WANT_W, &nl, &ev, &e), e);
    size_t n = s.fr.n;
    int *el = mlk_alloc(n, sizeof *el);
    mlk_check_ok(mlk_potential_types_of(&pot, &s.fr, el, &e), e);
    /* the file's velocities [A/ps], with the constant of that LAMMPS for masses, are in our units
     * when masses are multiplied by mvv2e: then everything comes out in eV and eV A/ps */
    for (size_t i = 0; i < n; i++) s.mass[i] *= 1.0364269e-4;
    mlk_md_flux j;
    mlk_md_fluxes(n, el, n_species, s.mass, (const double(*)[3])s.fr.v, &ev, &j);
    double v[16], scale = 0;
    want(ref, "potential_energy_eV", 0, 1, v);
    mlk_check_close(ev.U, v[0], 1e-10 * fabs(v[0]));
    want(ref, "J_virial", 0, 3, v);
    for (int c = 0; c < 3; c++) scale = fmax(scale, fabs(v[c]));
    for (int c = 0; c < 3; c++) mlk_check_close(j.virial[c], v[c], 1e-9 * scale);
    want(ref, "J_conv", 0, 3, v);
    for (int c = 0; c < 3; c++) scale = fmax(scale, fabs(v[c]));
    for (int c = 0; c < 3; c++) mlk_check_close(j.kinetic[c] + j.convective[c], v[c], 1e-9 * scale);
    for (size_t i = 0; i < n; i++) {
        want(ref, NULL, i, 14, v);
        mlk_check_close(ev.u[i], v[0], 1e-9 * (1 + fabs(v[0])));
        for (int c = 0; c < 3; c++)
            mlk_check_close(ev.f[i][c], v[2 + c], 1e-9 * (1 + fabs(v[2 + c])));
        for (int c = 0; c < 9; c++)
            mlk_check_close(ev.w[i][c], v[5 + c], 1e-9 * (1 + fabs(v[5 + c])));
    }
    mlk_free(el), mlk_free(s.mass);
    mlk_frame_free(&s.fr);
    mlk_neigh_free(&nl);
    mlk_eval_free(&ev);
}

Test(md_heatflux, lennard_jones_as_lammps)
{
    compare("lj_ar", lj_cut, 7.5, 1, (const int[]){18});
}

Test(md_heatflux, buckingham_as_lammps)
{
    compare("buck_mgo_cut", buck, 6, 2, (const int[]){12, 8});
}

Test(md_heatflux, buckingham_with_truncated_coulomb_as_lammps)
{
    compare("buck_coulcut_mgo", buck_coul, 6, 2, (const int[]){12, 8});
}
