/* test_xyz_sets.c - whole published data sets in extended XYZ: frames, atoms, labels and the ranges
 * their descriptions state. One row per file is printed. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/units.h"
#include "tests/support/collect.h"
#include "tests/support/shared.h"

/* Values of a description with half a unit of its last digit; NAN: not stated. */
typedef struct set {
    const char *file;
    size_t frames, atoms, virials, raw;
    double e_mean, e_std, f_rms, f_max; /* eV/atom, eV/atom, eV/A (components) */
    double e_tol, f_tol;
    int free;
} set;

#define U NAN

static const set sets[] = {
    {"mlearn/Li/train.xyz", 241, 11576, 0, 241, U, U, 0.257, 1.62, U, 5e-3, 0},
    {"mlearn/Li/test.xyz", 29, 1320, 0, 29, U, U, U, U, U, U, 0},
    {"mlearn/Si/train.xyz", 214, 13233, 0, 214, U, U, 0.874, 9.47, U, 5e-3, 0},
    {"mlearn/Si/test.xyz", 25, 1525, 0, 25, U, U, U, U, U, U, 0},
    {"cu2s/run3.xyz", 19, 19 * 144, 0, 0, -3.97404, 5.7e-3, 0.167, U, 1e-5, 1e-3, 0},
    {"cu2s/run4.xyz", 20, 20 * 144, 0, 0, -3.92724, 5.5e-3, 0.432, U, 1e-5, 1e-3, 0},
    {"cu2s/other.xyz", 4, 4 * 144, 0, 0, U, U, U, U, U, U, 0},
    {"pbte/train.xyz", 25, 25 * 250, 0, 0, U, 35.0e-3, 0.363, 2.64, U, 5e-3, 0},
    {"mos2/train.xyz", 104, 104 * 90, 104, 0, U, 8.9e-3, 0.896, U, U, 1e-3, 0},
    {"li3n/li3n.extxyz", 109, 109 * 4, 109, 0, U, U, U, U, U, U, 0},
    {"lgps/lgps_1200K.extxyz.gz", 100, 5000, 0, 0, -303.26, U, U, U, 5e-2, U, 0},
    {"li6ps5cl/600K.extxyz.gz", 85, 85 * 416, 85, 0, U, U, U, U, U, U, 1},
    {"li6ps5cl/1200K.extxyz.gz", 85, 85 * 416, 85, 0, U, U, U, U, U, U, 1},
    {"li6ps5cl/eos.extxyz.gz", 11, 11 * 416, 11, 0, U, U, U, U, U, U, 0},
    {"llzo-teacher/llzo_teacher_labelled.xyz.gz", 532, 532 * 192, 532, 0, U, U, U, U, U, U, 0},
};

typedef struct sums {
    size_t atoms, energies, forces, virials, raw, free;
    double e, e2, f2, f_max;
} sums;

static sums add_up(const mlk_collection *c)
{
    sums s = {0};
    for (size_t k = 0; k < c->n; k++) {
        const mlk_frame *fr = &c->fr[k];
        const double e = fr->energy / (double)fr->n;
        s.atoms += fr->n;
        s.energies += (fr->has & MLK_HAS_ENERGY) != 0;
        s.forces += (fr->has & MLK_HAS_FORCE) != 0;
        s.virials += (fr->has & MLK_HAS_VIRIAL) != 0;
        s.raw += fr->n_raw == 6 && !strcmp(fr->raw_key, "raw_stress6");
        s.free += fr->energy_kind == MLK_ENERGY_FREE;
        s.e += e;
        s.e2 += e * e;
        for (size_t i = 0; i < fr->n; i++)
            for (int d = 0; d < 3; d++) {
                s.f2 += fr->f[i][d] * fr->f[i][d];
                s.f_max = fmax(s.f_max, fabs(fr->f[i][d]));
            }
    }
    return s;
}

static double miss(double value, double want, double tol)
{
    return isnan(want) ? 0 : fabs(value - want) / tol;
}

Test(xyz_sets, frames_labels_and_ranges_as_published, .timeout = 300)
{
    const char *shared = mlk_test_shared();
    if (!shared) cr_skip_test("no shared data (../shared or $MLK_SHARED)");
    printf("%-44s %15s %7s %7s %8s  verdict\n", "file", "frames", "labels", "virials", "off/tol");
    for (size_t k = 0; k < sizeof sets / sizeof *sets; k++) {
        const set *w = &sets[k];
        char path[600];
        mlk_collection c;
        mlk_err e = {0};
        snprintf(path, sizeof path, "%s/data/%s", shared, w->file);
        if (!mlk_file_exists(path)) {
            printf("%-44s not here\n", w->file);
            continue;
        }
        mlk_status st = mlk_test_collect(path, &c, &e);
        const sums s = add_up(&c);
        const double n = (double)c.n, mean = s.e / n, std = sqrt(fmax(0, s.e2 / n - mean * mean));
        double off = fmax(miss(mean, w->e_mean, w->e_tol), miss(std, w->e_std, 2e-4));
        off = fmax(off, miss(sqrt(s.f2 / (3 * (double)s.atoms)), w->f_rms, w->f_tol));
        off = fmax(off, miss(s.f_max, w->f_max, 6e-3));
        const bool ok = !st && c.n == w->frames && s.atoms == w->atoms && s.energies == c.n &&
                        s.forces == c.n && s.virials == w->virials && s.raw == w->raw &&
                        s.free == (w->free ? c.n : 0) && off <= 1;
        printf("%-44s %6zu of %5zu %7zu %7zu %8.2g  %s\n", w->file, c.n, w->frames, s.energies,
               s.virials, off, ok ? "ok" : "WRONG");
        cr_expect(ok, "%s: %s; %zu frames, %zu atoms, E %.6f +- %.6f, F rms %.5f max %.4f, raw %zu",
                  w->file, e.msg, c.n, s.atoms, mean, std, sqrt(s.f2 / (3 * (double)s.atoms)),
                  s.f_max, s.raw);
        mlk_test_release(&c);
    }
}

/* The pressure of the volume scan follows -dE/dV: sign and unit of the virial. */
Test(xyz_sets, virial_of_a_volume_scan_is_that_of_the_energies)
{
    char path[600];
    mlk_collection c;
    mlk_err e = {0};
    const char *shared = mlk_test_shared();
    if (!shared) cr_skip_test("no shared data (../shared or $MLK_SHARED)");
    snprintf(path, sizeof path, "%s/data/li6ps5cl/eos.extxyz.gz", shared);
    if (!mlk_file_exists(path)) cr_skip_test("not here");
    cr_assert(!mlk_test_collect(path, &c, &e), "%s", e.msg);
    for (size_t k = 1; k + 1 < c.n; k++) {
        const mlk_frame *a = &c.fr[k - 1], *b = &c.fr[k + 1], *m = &c.fr[k];
        double p = -(b->energy - a->energy) / (b->cell.volume - a->cell.volume);
        double q = (m->virial[0][0] + m->virial[1][1] + m->virial[2][2]) / (3 * m->cell.volume);
        cr_expect_float_eq(p * MLK_EVA3_GPA, q * MLK_EVA3_GPA, 0.5, "frame %zu: %g %g GPa", k,
                           p * MLK_EVA3_GPA, q * MLK_EVA3_GPA);
    }
    mlk_test_release(&c);
}
