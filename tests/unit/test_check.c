/* test_check.c - what `dataset check` finds, one synthetic set per kind. The labels are those of a
 * Lennard-Jones crystal, so that energies, forces and stresses belong together exactly. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/rng.h"
#include "core/units.h"
#include "datasets/check.h"
#include "datasets/stress_reading.h"
#include "potentials/potential.h"
#include "tests/support/check.h"
#include "train/consistency.h"

static const int species[2] = {3, 16};

static mlk_potential *lj(void)
{
    mlk_potential *pot;
    const mlk_potential_type *t = mlk_potential_find("lj");
    mlk_err e = {0};
    mlk_check_ok(mlk_potential_new(&pot, t, &e), e);
    mlk_check_ok(mlk_opt_set(t->hyper, pot->hyper, "rcut", "4.5", &e), e);
    mlk_check_ok(mlk_opt_set(t->hyper, pot->hyper, "epsilon", "0.15", &e), e);
    mlk_check_ok(mlk_opt_set(t->hyper, pot->hyper, "sigma", "2.35", &e), e);
    mlk_check_ok(mlk_potential_create(pot, 2, species, 1, &e), e);
    return pot;
}

static void label(const mlk_potential *pot, mlk_frame *fr)
{
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    mlk_err e = {0};
    mlk_check_ok(mlk_potential_eval_frame(pot, fr, MLK_WANT_VIRIAL, &nl, &ev, &e), e);
    memcpy(fr->f, ev.f, fr->n * sizeof *fr->f);
    memcpy(fr->virial, ev.W, sizeof fr->virial);
    fr->energy = ev.U - 4.0 * (double)fr->n;
    fr->has = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VIRIAL;
    mlk_neigh_free(&nl), mlk_eval_free(&ev);
}

/* Rock salt of 8 atoms in the cell h times a, displaced by up to about `rattle`. */
static void crystal(mlk_frame *fr, const double h[3][3], double a, double rattle, mlk_rng *g)
{
    double cell[3][3];
    mlk_err e = {0};
    for (int i = 0; i < 9; i++) (&cell[0][0])[i] = a * (&h[0][0])[i];
    mlk_check_ok(mlk_frame_init(fr, 8, &e), e);
    mlk_check_ok(mlk_cell_init(&fr->cell, (const double(*)[3])cell, &e), e);
    for (size_t i = 0; i < 8; i++) {
        const double s[3] = {0.5 * (double)(i & 1), 0.5 * (double)(i >> 1 & 1),
                             0.5 * (double)(i >> 2 & 1)};
        mlk_cell_cart(&fr->cell, s, fr->x[i]);
        for (int k = 0; k < 3; k++) fr->x[i][k] += rattle * mlk_rng_normal(g);
        fr->z[i] = species[((i & 1) + (i >> 1 & 1) + (i >> 2)) % 2];
    }
}

static const double cube[3][3] = {{1, 0.02, 0}, {0, 1.01, 0.03}, {-0.02, 0, 0.99}};

/* n hot frames, 10 of them a file, volumes that differ from file to file. */
static void hot_set(mlk_dataset *ds, size_t n)
{
    mlk_potential *pot = lj();
    mlk_rng g = mlk_rng_make(5, 1);
    mlk_err e = {0};
    memset(ds, 0, sizeof *ds);
    for (size_t i = 0; i < n; i++) {
        mlk_frame fr;
        double h[3][3];
        memcpy(h, cube, sizeof h);
        for (int k = 0; k < 9; k++) (&h[0][0])[k] += 0.02 * mlk_rng_normal(&g);
        crystal(&fr, (const double(*)[3])h, 5.2 + 0.05 * (double)(i / 10 % 4), 0.05, &g);
        label(pot, &fr);
        fr.step = (int)(i % 10) + 1;
        fr.line = (long)(i % 10) * 10 + 1;
        fr.scf = MLK_SCF_CONVERGED;
        snprintf(fr.source, sizeof fr.source, "run%zu/vasprun.xml", i / 10);
        snprintf(fr.group, sizeof fr.group, "run%zu", i / 10);
        mlk_check_ok(mlk_dataset_add(ds, &fr, &e), e);
    }
    mlk_potential_destroy(pot);
}

/* The same crystal with the axes permuted (x -> y -> z), shifted, atoms in reverse order. */
static void rotated(const mlk_frame *a, mlk_frame *b)
{
    double h[3][3], w[3][3];
    cr_assert(!mlk_frame_copy(a, b, NULL));
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            h[i][(k + 1) % 3] = a->cell.h[i][k];
            w[(i + 1) % 3][(k + 1) % 3] = a->virial[i][k];
        }
    cr_assert(!mlk_cell_init(&b->cell, (const double(*)[3])h, NULL));
    memcpy(b->virial, w, sizeof w);
    for (size_t i = 0; i < a->n; i++)
        for (int k = 0; k < 3; k++) {
            b->z[a->n - 1 - i] = a->z[i];
            b->x[a->n - 1 - i][(k + 1) % 3] = a->x[i][k] + 0.37;
            b->f[a->n - 1 - i][(k + 1) % 3] = a->f[i][k];
        }
}

static void add(mlk_dataset *ds, mlk_frame *fr)
{
    mlk_err e = {0};
    mlk_check_ok(mlk_dataset_add(ds, fr, &e), e);
}

static const mlk_suspect *first(const mlk_check *c, mlk_suspect_kind kind)
{
    for (size_t k = 0; k < c->s.n; k++)
        if (c->s.item[k].kind == kind) return &c->s.item[k];
    cr_assert_fail("no %s", mlk_suspect_name(kind));
    return NULL;
}

static void run(const mlk_dataset *ds, const mlk_dataset *test, mlk_check *c)
{
    mlk_err e = {0};
    memset(c, 0, sizeof *c);
    mlk_check_ok(mlk_dataset_check(ds, test, c, &e), e);
}

static void with_fit(const mlk_dataset *ds, mlk_check *c)
{
    const mlk_consistency_config cfg = MLK_CONSISTENCY_DEFAULTS;
    mlk_err e = {0};
    bool done;
    run(ds, NULL, c);
    mlk_check_ok(mlk_dataset_consistency(ds, &cfg, c, &done, &e), e);
    cr_assert(done, "%s", c->fit);
}

Test(check, a_clean_set_gives_no_finding)
{
    mlk_dataset ds;
    mlk_check c;
    hot_set(&ds, 60);
    with_fit(&ds, &c);
    for (size_t k = 0; k < c.s.n; k++)
        cr_expect(false, "%s frame %zu: %g %s", mlk_suspect_name(c.s.item[k].kind),
                  c.s.item[k].frame, c.s.item[k].value, c.s.item[k].note);
    cr_assert_eq(c.n_row, 1 + 6, "%zu rows", c.n_row); /* all, and every group */
    mlk_check_close(c.row[0].slope, 1, 0.1);
    mlk_check_free(&c);
    mlk_dataset_free(&ds);
}

Test(check, a_rotated_shifted_reordered_copy_is_a_twin)
{
    mlk_dataset ds;
    mlk_frame fr;
    mlk_check c;
    hot_set(&ds, 30);
    rotated(&ds.frame[4], &fr);
    add(&ds, &fr);
    rotated(&ds.frame[30], &fr);
    add(&ds, &fr); /* a twin of both: counted once, as the first */
    rotated(&ds.frame[7], &fr);
    fr.energy += 0.5;
    add(&ds, &fr);
    run(&ds, NULL, &c);
    cr_assert_eq(c.s.count[MLK_SUSPECT_TWIN], 2);
    cr_expect_eq(first(&c, MLK_SUSPECT_TWIN)->frame, 30);
    cr_expect_eq(first(&c, MLK_SUSPECT_TWIN)->other, 4);
    cr_assert_eq(c.s.count[MLK_SUSPECT_CONTRADICTION], 1);
    cr_expect_eq(first(&c, MLK_SUSPECT_CONTRADICTION)->frame, 32);
    cr_expect_eq(first(&c, MLK_SUSPECT_CONTRADICTION)->other, 7);
    cr_expect_eq(c.s.count[MLK_SUSPECT_DUPLICATE], 0);
    mlk_check_free(&c);
    mlk_dataset_free(&ds);
}

Test(check, a_moved_atom_is_no_twin)
{
    mlk_dataset ds;
    mlk_frame fr;
    mlk_check c;
    hot_set(&ds, 20);
    rotated(&ds.frame[4], &fr);
    fr.x[2][1] += 0.01; /* labels as before: only the distances tell */
    add(&ds, &fr);
    run(&ds, NULL, &c);
    cr_expect_eq(c.s.count[MLK_SUSPECT_TWIN], 0);
    mlk_check_free(&c);
    mlk_dataset_free(&ds);
}

Test(check, twins_between_training_and_test_are_leaks)
{
    mlk_dataset ds, test = {0};
    mlk_frame fr;
    mlk_check c;
    hot_set(&ds, 30);
    rotated(&ds.frame[11], &fr);
    add(&test, &fr);
    cr_assert(!mlk_frame_copy(&ds.frame[3], &fr, NULL)); /* to the bit */
    add(&test, &fr);
    rotated(&ds.frame[11], &fr);
    fr.x[0][0] += 0.3; /* its own */
    add(&test, &fr);
    run(&ds, &test, &c);
    cr_assert_eq(c.s.count[MLK_SUSPECT_LEAK], 2);
    cr_expect_eq(first(&c, MLK_SUSPECT_LEAK)->frame, 0);
    cr_expect_eq(first(&c, MLK_SUSPECT_LEAK)->other, 11);
    for (size_t i = 0; i < ds.n; i++) cr_expect_eq(c.leaky[i], i == 3 || i == 11, "frame %zu", i);
    cr_expect_eq(c.s.count[MLK_SUSPECT_TWIN], 0);
    mlk_check_free(&c);
    mlk_dataset_free(&ds);
    mlk_dataset_free(&test);
}

Test(check, kinds_of_energy_are_told_apart)
{
    mlk_dataset ds;
    mlk_check c;
    mlk_energy_kinds k;
    char text[640];
    hot_set(&ds, 20);
    mlk_dataset_energy_kinds(&ds, &k);
    cr_expect(!k.mixed);
    for (size_t i = 0; i < 12; i++) {
        ds.frame[i].energy_kind = MLK_ENERGY_FREE;
        ds.frame[i].energy0 = ds.frame[i].energy + 0.001 * 8;
    }
    ds.frame[2].energy0 = ds.frame[2].energy + 0.020 * 8;
    run(&ds, NULL, &c);
    cr_assert_eq(c.s.count[MLK_SUSPECT_ENERGY_KIND], 1);
    cr_expect_eq(first(&c, MLK_SUSPECT_ENERGY_KIND)->frame, 12);
    cr_expect_eq(first(&c, MLK_SUSPECT_ENERGY_KIND)->value, 8);
    cr_expect(strstr(first(&c, MLK_SUSPECT_ENERGY_KIND)->note, "run1/vasprun.xml:21"));
    cr_expect_eq(c.s.count[MLK_SUSPECT_SMEARING], 1);
    mlk_check_close(first(&c, MLK_SUSPECT_SMEARING)->value, 20, 1e-6);
    mlk_check_close(c.smear_min, -20, 1e-6);
    mlk_check_free(&c);

    for (size_t i = 0; i < ds.n; i++) ds.frame[i].energy0 = ds.frame[i].energy;
    mlk_dataset_energy_kinds(&ds, &k);
    cr_expect(strstr(mlk_energy_advice(&ds, &k, text, sizeof text), "data.energy=sigma0"));
    for (size_t i = 12; i < ds.n; i++) ds.frame[i].has &= ~(unsigned)MLK_HAS_ENERGY;
    mlk_dataset_energy_kinds(&ds, &k);
    cr_expect(k.mixed);
    cr_expect_eq(k.only_e0, 8);
    cr_expect_eq(k.first_only_e0, 12);
    mlk_dataset_free(&ds);
}

Test(check, theories_runs_and_empty_images_are_named)
{
    mlk_dataset ds;
    mlk_check c;
    hot_set(&ds, 30);
    for (size_t i = 0; i < 10; i++) snprintf(ds.frame[i].theory, 64, "VASP PE 520 eV");
    run(&ds, NULL, &c);
    cr_expect_eq(c.s.count[MLK_SUSPECT_THEORY], 0, "one stated theory is no mixture");
    mlk_check_free(&c);
    for (size_t i = 20; i < 30; i++) snprintf(ds.frame[i].theory, 64, "VASP PE 400 eV");
    for (size_t i = 15; i < 20; i++) ds.frame[i].run = 2;
    ds.frame[19].has = MLK_HAS_CELL;
    run(&ds, NULL, &c);
    cr_expect_eq(c.s.count[MLK_SUSPECT_THEORY], 2);
    cr_expect_str_eq(first(&c, MLK_SUSPECT_THEORY)->note, "VASP PE 520 eV");
    cr_expect_eq(c.s.count[MLK_SUSPECT_RUNS], 1);
    cr_expect_eq(first(&c, MLK_SUSPECT_RUNS)->frame, 15);
    cr_expect_eq(c.s.count[MLK_SUSPECT_NO_LABEL], 1);
    cr_expect_eq(c.s.count[MLK_SUSPECT_NO_ENERGY] + c.s.count[MLK_SUSPECT_NO_FORCE], 0);
    mlk_check_free(&c);
    mlk_dataset_free(&ds);
}

/* Files of other compositions list other POTCARs; one element with two POTCARs is another level. */
Test(check, theories_are_compared_element_by_element)
{
    static const char *const says[] = {"VASP GGA=PE ENCUT=520.0 POTCAR=PAW_PBE Li_sv,PAW_PBE S",
                                       "VASP GGA=PE ENCUT=520.0 POTCAR=PAW_PBE P,PAW_PBE S",
                                       "VASP GGA=PE ENCUT=520.0 POTCAR=PAW_PBE Li,PAW_PBE S",
                                       "VASP GGA=PE ENCUT=520.0 IVDW=12 POTCAR=PAW_PBE P"};
    static const size_t levels[] = {0, 0, 2, 3};
    mlk_dataset ds;
    mlk_check c;
    hot_set(&ds, 40);
    for (size_t n = 0; n < 4; n++) {
        for (size_t i = 10 * n; i < 10 * n + 10; i++)
            snprintf(ds.frame[i].theory, sizeof ds.frame[i].theory, "%s", says[n]);
        run(&ds, NULL, &c);
        cr_expect_eq(c.s.count[MLK_SUSPECT_THEORY], levels[n], "%zu: %zu", n,
                     c.s.count[MLK_SUSPECT_THEORY]);
        mlk_check_free(&c);
    }
    mlk_dataset_free(&ds);
}

Test(check, shifted_files_are_found_with_and_without_a_model)
{
    mlk_dataset ds;
    mlk_check c;
    mlk_err e = {0};
    hot_set(&ds, 80);
    for (size_t i = 0; i < 80; i++)
        if (i / 10 == 2 || i / 10 == 5) ds.frame[i].energy += 0.03 * 8;
    with_fit(&ds, &c);
    cr_assert_eq(c.s.count[MLK_SUSPECT_OFFSET], 1);
    const mlk_suspect *it = first(&c, MLK_SUSPECT_OFFSET);
    mlk_check_close(it->value, 30, 8); /* the volumes of the files differ too */
    cr_expect(strstr(it->note, "run2/") && strstr(it->note, "run5/"), "%s", it->note);
    mlk_check_free(&c);

    for (size_t i = 0; i < 80; i++)
        if (i / 10 == 2 || i / 10 == 5) ds.frame[i].energy += 0.2 * 8;
    run(&ds, NULL, &c);
    mlk_check_ok(mlk_check_without_fit(&ds, &c, &e), e);
    cr_assert_eq(c.s.count[MLK_SUSPECT_OFFSET], 1);
    mlk_check_close(first(&c, MLK_SUSPECT_OFFSET)->value, 230, 40);
    mlk_check_free(&c);
    mlk_dataset_free(&ds);
}

Test(check, cells_distances_and_forces)
{
    mlk_dataset ds;
    mlk_check c;
    mlk_frame *f;
    double h[3][3];
    hot_set(&ds, 40);
    f = &ds.frame[3]; /* two rows exchanged: the same crystal, left-handed */
    memcpy(h[0], f->cell.h[1], sizeof h[0]);
    memcpy(h[1], f->cell.h[0], sizeof h[0]);
    memcpy(h[2], f->cell.h[2], sizeof h[0]);
    cr_assert(!mlk_cell_init(&f->cell, (const double(*)[3])h, NULL));
    f = &ds.frame[8]; /* vacuum along c */
    memcpy(h, f->cell.h, sizeof h);
    h[2][2] += 12;
    cr_assert(!mlk_cell_init(&f->cell, (const double(*)[3])h, NULL));
    f = &ds.frame[12];
    for (int k = 0; k < 3; k++) f->x[1][k] = f->x[0][k] + (k == 0 ? 1.2 : 0);
    ds.frame[20].f[4][0] += 30; /* also a net force */
    run(&ds, NULL, &c);
    cr_expect_eq(first(&c, MLK_SUSPECT_HANDED)->frame, 3);
    cr_expect(first(&c, MLK_SUSPECT_HANDED)->value < 0);
    cr_expect_eq(first(&c, MLK_SUSPECT_VACUUM)->frame, 8);
    cr_expect_eq(first(&c, MLK_SUSPECT_PAIR)->frame, 12);
    mlk_check_close(first(&c, MLK_SUSPECT_PAIR)->value, 1.2, 1e-9);
    mlk_check_close(first(&c, MLK_SUSPECT_PAIR)->limit, 0.6 * (1.33 + 1.03), 1e-9);
    cr_expect_eq(first(&c, MLK_SUSPECT_FORCE)->frame, 20);
    cr_expect_eq(first(&c, MLK_SUSPECT_NET_FORCE)->frame, 20);
    const mlk_suspect_kind once[] = {MLK_SUSPECT_HANDED, MLK_SUSPECT_VACUUM, MLK_SUSPECT_PAIR,
                                     MLK_SUSPECT_FORCE, MLK_SUSPECT_NET_FORCE};
    for (size_t k = 0; k < 5; k++) cr_expect_eq(c.s.count[once[k]], 1, "%zu", k);
    mlk_check_free(&c);
    mlk_dataset_free(&ds);
}

/* ---- stress ---- */

/* One crystal at rest in strained cells, volume and shear. */
static void scan_set(mlk_dataset *ds)
{
    mlk_potential *pot = lj();
    mlk_rng g = mlk_rng_make(7, 1);
    memset(ds, 0, sizeof *ds);
    for (int i = 0; i < 27; i++) {
        double h[3][3];
        mlk_frame fr;
        memcpy(h, cube, sizeof h);
        if (i >= 9) h[i % 3][(i % 3 + 1) % 3] += 0.01 * (i / 3 - 6);
        crystal(&fr, (const double(*)[3])h, 4.9 + 0.03 * (i < 9 ? i : 4), 0, &g);
        for (size_t a = 0; a < 8; a++) { /* less symmetric, the same everywhere */
            double s[3];
            mlk_cell_frac(&fr.cell, fr.x[a], s);
            for (int k = 0; k < 3; k++) s[k] += 0.01 * (double)((a * 7 + (size_t)k * 3) % 5);
            mlk_cell_cart(&fr.cell, s, fr.x[a]);
        }
        label(pot, &fr);
        add(ds, &fr);
    }
    mlk_potential_destroy(pot);
}

static void read_as(mlk_dataset *ds, double factor, bool swap)
{
    for (size_t i = 0; i < ds->n; i++) {
        double(*w)[3] = ds->frame[i].virial, t[3][3];
        memcpy(t, w, sizeof t);
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++) w[a][b] = factor * t[a][b];
        if (!swap) continue;
        w[1][2] = w[2][1] = factor * t[0][1]; /* xy yz zx taken for yz zx xy */
        w[0][2] = w[2][0] = factor * t[1][2];
        w[0][1] = w[1][0] = factor * t[2][0];
    }
}

Test(check, strained_cells_tell_sign_unit_and_order_of_the_stress)
{
    static const struct {
        double factor;
        bool swap;
        const char *name;
    } want[] = {{1, false, "as it stands"},
                {-1, false, "sign flipped"},
                {10, false, "times 0.1"},
                {1 / MLK_EVA3_GPA, false, "times 160.2"},
                {1, true, "components in the order xx yy zz xy yz zx"}};
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        mlk_dataset ds;
        mlk_check c;
        scan_set(&ds);
        read_as(&ds, want[k].factor, want[k].swap);
        run(&ds, NULL, &c);
        cr_assert_eq(c.n_row, 1);
        cr_expect_str_eq(c.row[0].best, want[k].name);
        cr_expect_lt(c.row[0].best_rms, 0.25, "%g", c.row[0].best_rms);
        cr_expect_eq(c.s.count[MLK_SUSPECT_STRESS], k > 0, "%s: rms %g, best %g", want[k].name,
                     c.row[0].rms, c.row[0].best_rms);
        mlk_check_free(&c);
        mlk_dataset_free(&ds);
    }
}

Test(check, a_model_fitted_to_forces_tells_a_wrong_sign)
{
    mlk_dataset ds;
    mlk_check c;
    hot_set(&ds, 60);
    read_as(&ds, -1, false);
    with_fit(&ds, &c);
    cr_assert_geq(c.s.count[MLK_SUSPECT_STRESS], 1);
    cr_expect(strstr(first(&c, MLK_SUSPECT_STRESS)->note, "sign flipped"), "%s",
              first(&c, MLK_SUSPECT_STRESS)->note);
    mlk_check_free(&c);
    mlk_dataset_free(&ds);
}

Test(check, mixed_orders_of_an_unknown_key_are_seen)
{
    mlk_dataset ds;
    mlk_check c;
    hot_set(&ds, 80);
    for (size_t i = 0; i < ds.n; i++) {
        mlk_frame *f = &ds.frame[i];
        double s[6]; /* kbar, positive under compression */
        mlk_voigt((const double(*)[3])f->virial, 10 * MLK_EVA3_GPA / f->cell.volume, s);
        const double one[6] = {s[0], s[1], s[2], s[5], s[3], s[4]},
                     two[6] = {s[0], s[1], s[2], s[5], s[4], s[3]};
        memcpy(f->raw, i / 10 < 3 ? two : one, sizeof one);
        f->n_raw = 6;
        f->has &= ~(unsigned)MLK_HAS_VIRIAL;
        snprintf(f->raw_key, sizeof f->raw_key, "raw_stress6");
    }
    with_fit(&ds, &c);
    cr_assert_eq(c.s.count[MLK_SUSPECT_RAW_STRESS], 1);
    const char *note = first(&c, MLK_SUSPECT_RAW_STRESS)->note;
    cr_expect(strstr(note, "orders are mixed") && strstr(note, "xy yz zx") &&
                  strstr(note, "xy zx yz") && strstr(note, "do not train on it"),
              "%s", note);
    cr_expect(strstr(c.row[0].best, "kbar, positive under compression"), "%s", c.row[0].best);
    mlk_check_free(&c);
    mlk_dataset_free(&ds);
}

Test(check, too_few_data_skip_the_fit_with_a_word)
{
    const mlk_consistency_config cfg = MLK_CONSISTENCY_DEFAULTS;
    mlk_dataset ds;
    mlk_check c;
    mlk_err e = {0};
    bool done = true;
    hot_set(&ds, 8);
    run(&ds, NULL, &c);
    mlk_check_ok(mlk_dataset_consistency(&ds, &cfg, &c, &done, &e), e);
    cr_expect(!done);
    cr_expect(strstr(c.fit, "too few"), "%s", c.fit);
    mlk_check_free(&c);
    mlk_dataset_free(&ds);
}

Test(reading, every_order_has_its_name)
{
    for (int o = 0; o < MLK_ORDERS; o++) {
        static const char *const part[6] = {"xx", "yy", "zz", "yz", "zx", "xy"};
        const double g[6] = {1, 2, 3, 4, 5, 6};
        mlk_reading r = mlk_reading_plain();
        double s[6];
        r.order = o;
        mlk_reading_apply(&r, g, 1, s);
        const char *name = mlk_reading_order(o);
        for (int k = 0; k < 6; k++) /* the word at place p names the component that got p + 1 */
            for (int p = 0; p < 6; p++)
                if (!strncmp(name + 3 * p, part[k], 2)) cr_expect_eq(s[k], p + 1, "%s", name);
    }
}
