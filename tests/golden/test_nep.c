/* test_nep.c - NEP against NEP_CPU (double precision) numbers of the shared reference data:
 * energies 1e-10 relative, forces 1e-9 eV/A + 1e-10 relative, per-atom virials 1e-9 eV,
 * descriptors. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/units.h"
#include "potentials/nep.h"
#include "tests/support/shared.h"

static const char *const cases[] = {"pbte_nep4",       "pbte_nep3",    "pbte_nep4_trimer",
                                    "batio3_nep4_zbl", "bazro3_nep4",  "water_nep4",
                                    "c_nep4_5body",    "c_nep3_5body", "unep5_nep4_zbl"};
enum { N_CASES = sizeof cases / sizeof *cases };

/* model.xyz of the reference folders: Lattice first, columns species pos [vel in A/fs] */
static void read_xyz(const char *path, mlk_frame *fr)
{
    FILE *f = fopen(path, "r");
    cr_assert(f, "%s", path);
    char line[2048];
    size_t n = 0;
    cr_assert(fgets(line, sizeof line, f) && sscanf(line, "%zu", &n) == 1);
    cr_assert(!mlk_frame_init(fr, n, NULL));
    cr_assert(fgets(line, sizeof line, f));
    bool vel = strstr(line, "vel:R:3");
    double h[3][3];
    const char *p = strchr(line, '"') + 1;
    for (int k = 0, used; k < 9; k++, p += used)
        cr_assert(sscanf(p, "%lf%n", &h[k / 3][k % 3], &used) == 1);
    cr_assert(!mlk_cell_init(&fr->cell, (const double(*)[3])h, NULL));
    if (vel) fr->v = mlk_alloc(n, sizeof *fr->v);
    for (size_t i = 0; i < n; i++) {
        char el[8];
        double v[3] = {0};
        cr_assert(fgets(line, sizeof line, f));
        int got = sscanf(line, "%7s %lf %lf %lf %lf %lf %lf", el, &fr->x[i][0], &fr->x[i][1],
                         &fr->x[i][2], &v[0], &v[1], &v[2]);
        cr_assert(got == (vel ? 7 : 4) || got == 5);
        fr->z[i] = mlk_element_z(el);
        for (int c = 0; vel && c < 3; c++) fr->v[i][c] = v[c];
    }
    fclose(f);
}

typedef struct setup {
    mlk_potential *pot;
    mlk_frame fr;
    mlk_neigh nl;
    mlk_eval ev;
    int *type;
    char dir[1024];
} setup;

static void load(setup *s, const char *name)
{
    memset(s, 0, sizeof *s);
    char path[1100];
    mlk_err e = {0};
    snprintf(s->dir, sizeof s->dir, "%s/reference/nep/%s", mlk_test_shared(), name);
    snprintf(path, sizeof path, "%s/nep.txt", s->dir);
    cr_assert(!mlk_potential_read(&s->pot, path, &e), "%s: %s", path, e.msg);
    snprintf(path, sizeof path, "%s/model.xyz", s->dir);
    read_xyz(path, &s->fr);
    s->type = mlk_alloc(s->fr.n, sizeof *s->type);
    cr_assert(!mlk_potential_types_of(s->pot, &s->fr, s->type, &e), "%s", e.msg);
    cr_assert(!mlk_potential_eval_frame(s->pot, &s->fr, MLK_WANT_W, &s->nl, &s->ev, &e), "%s",
              e.msg);
}

static void unload(setup *s)
{
    mlk_potential_destroy(s->pot);
    mlk_frame_free(&s->fr);
    mlk_neigh_free(&s->nl);
    mlk_eval_free(&s->ev);
    mlk_free(s->type);
}

static void need_shared(void)
{
    if (!mlk_test_shared()) cr_skip_test("shared reference data not found (set MLK_SHARED)");
}

static void check_case(const char *name)
{
    setup s;
    load(&s, name);
    char path[1100], line[4096];
    snprintf(path, sizeof path, "%s/reference.txt", s.dir);
    FILE *f = fopen(path, "r");
    cr_assert(f);
    double worst_u = 0, worst_f = 0, worst_w = 0;
    while (fgets(line, sizeof line, f)) {
        double total;
        if (sscanf(line, "# total_energy_eV %lf", &total) == 1)
            cr_assert(fabs(s.ev.U - total) <= 1e-10 * fabs(total), "%s: U %.16g, expected %.16g",
                      name, s.ev.U, total);
        const char *w = strstr(line, "zx zy zz ");
        if (line[0] == '#' && w && strstr(line, "total_virial")) {
            w += 9;
            for (int a = 0, used; a < 9; a++, w += used) {
                cr_assert(sscanf(w, "%lf%n", &total, &used) == 1);
                cr_assert(fabs(s.ev.W[a / 3][a % 3] - total) <= 1e-9 * (1 + fabs(total)));
            }
        }
        if (line[0] == '#') continue;
        size_t i;
        char el[8];
        double v[13];
        int used;
        const char *p = line;
        cr_assert(sscanf(p, "%zu %7s%n", &i, el, &used) == 2);
        p += used;
        for (int k = 0; k < 13; k++, p += used) cr_assert(sscanf(p, "%lf%n", &v[k], &used) == 1);
        worst_u = fmax(worst_u, fabs(s.ev.u[i] - v[0]) / (1e-10 * fabs(v[0])));
        for (int c = 0; c < 3; c++)
            worst_f =
                fmax(worst_f, fabs(s.ev.f[i][c] - v[1 + c]) / (1e-9 + 1e-10 * fabs(v[1 + c])));
        for (int a = 0; a < 9; a++) worst_w = fmax(worst_w, fabs(s.ev.w[i][a] - v[4 + a]) / 1e-9);
    }
    fclose(f);
    cr_log_info("%s: errors over tolerance: energy %.2g force %.2g virial %.2g", name, worst_u,
                worst_f, worst_w);
    cr_expect(worst_u <= 1 && worst_f <= 1 && worst_w <= 1,
              "%s: errors over tolerance: energy %.3g force %.3g virial %.3g", name, worst_u,
              worst_f, worst_w);

    snprintf(path, sizeof path, "%s/descriptors.txt", s.dir);
    cr_assert((f = fopen(path, "r")));
    size_t dim = mlk_nep_dim(s.pot);
    double *q = mlk_alloc(s.fr.n * dim, sizeof *q), *scale = mlk_alloc(dim, sizeof *scale),
           worst = 0;
    mlk_scratch scratch = {0};
    cr_assert(!mlk_nep_descriptors(s.pot, &s.nl, s.type, 0, s.fr.n, &scratch, q, scale, NULL));
    cr_assert(fgets(line, sizeof line, f));
    for (size_t i = 0; i < s.fr.n; i++) {
        char el[8];
        cr_assert(fscanf(f, "%*d %7s", el) == 1);
        for (size_t d = 0; d < dim; d++) {
            double v;
            cr_assert(fscanf(f, "%lf", &v) == 1);
            worst = fmax(worst, fabs(q[i * dim + d] * scale[d] - v) / (1e-10 + 1e-10 * fabs(v)));
        }
    }
    fclose(f);
    cr_expect(worst <= 1, "%s: descriptors off by %.3g tolerances", name, worst);
    mlk_free(q), mlk_free(scale);
    mlk_scratch_free(&scratch);
    unload(&s);
}

Test(nep_golden, agrees_with_nep_cpu)
{
    need_shared();
    for (int k = 0; k < N_CASES; k++) check_case(cases[k]);
}

Test(nep_golden, agrees_with_nep_cpu_without_simd)
{
    need_shared();
    int level = mlk_cpu_level();
    for (int v = 0; v < level; v++) {
        mlk_cpu_set_level(v);
        for (int k = 0; k < N_CASES; k++) check_case(cases[k]);
    }
    mlk_cpu_set_level(level);
}

Test(nep_golden, heat_current_contracts_second_index)
{
    need_shared();
    setup s;
    load(&s, "pbte_nep4");
    char path[1100], line[512];
    snprintf(path, sizeof path, "%s/heat_current.txt", s.dir);
    FILE *f = fopen(path, "r");
    cr_assert(f);
    double jp[3] = {0}, ju[3] = {0}, want[3];
    for (size_t i = 0; i < s.fr.n; i++)
        for (int a = 0; a < 3; a++) {
            ju[a] += s.ev.u[i] * s.fr.v[i][a];
            for (int b = 0; b < 3; b++) jp[a] += s.ev.w[i][3 * a + b] * s.fr.v[i][b];
        }
    int seen = 0;
    while (fgets(line, sizeof line, f)) {
        const double *have = NULL;
        if (sscanf(line, "J_pot %lf %lf %lf", &want[0], &want[1], &want[2]) == 3) have = jp;
        if (sscanf(line, "J_U %lf %lf %lf", &want[0], &want[1], &want[2]) == 3) have = ju;
        for (int a = 0; have && a < 3; a++)
            cr_expect(fabs(have[a] - want[a]) < 1e-11, "%d: %.15g, expected %.15g", a, have[a],
                      want[a]);
        seen += have != NULL;
    }
    fclose(f);
    cr_assert(seen == 2);
    unload(&s);
}

Test(nep_golden, published_li3ps4_models_load)
{
    need_shared();
    const char *const files[] = {"nepA.txt", "nepC.txt"};
    for (int k = 0; k < 2; k++) {
        char path[1100];
        mlk_potential *pot;
        mlk_err e = {0};
        snprintf(path, sizeof path, "%s/reference/nep/li3ps4_published/%s", mlk_test_shared(),
                 files[k]);
        cr_assert(!mlk_potential_read(&pot, path, &e), "%s", e.msg);
        cr_assert(pot->n_species == 3 && pot->z[0] == 3 && pot->rc == 6);
        mlk_potential_destroy(pot);
    }
}
