/* test_outcar.c - OUTCAR and XDATCAR texts made here: overflowing fields, cut numbers, several runs
 * in one file, temperatures, elements that occur twice, settings. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/units.h"
#include "parsers/outcar_head.h"
#include "parsers/parser.h"
#include "parsers/vasp_text.h"
#include "tests/support/check.h"
#include "tests/support/collect.h"

/* ---- an OUTCAR in pieces ---- */

typedef struct text {
    char s[65536];
    size_t n;
} text;

static void add(text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    t->n += (size_t)vsnprintf(t->s + t->n, sizeof t->s - t->n, fmt, ap);
    va_end(ap);
}

static const char SPECIES[] =
    "   VRHFIN =nonsense\n   TITEL  = PAW_PBE Li_sv 10Sep2004\n"
    "   TITEL  = PAW_PBE H 15Jun2001\n   TITEL  = PAW_PBE Li_sv 10Sep2004\n"
    "   TITEL  = PAW_PBE Li_sv 10Sep2004\n   TITEL  = PAW_PBE H 15Jun2001\n"
    "   TITEL  = PAW_PBE Li_sv 10Sep2004\n";

static void head(text *t, const char *version)
{
    add(t, " vasp.%s 18Apr17 (build Jan 01 2020 00:00:00) complex\n\n", version);
    add(t,
        " executed on             LinuxIFC date 2020.01.01  00:00:00\n INCAR:\n   SYSTEM = no\n");
    add(t, "%s   number of dos      NEDOS =    301   number of ions     NIONS =      3\n", SPECIES);
    add(t, "   ions per type =               1   1   1\n SYSTEM =  three                \n");
    add(t, "   METAGGA=      F    non-selfconsistent MetaGGA calc.\n");
    add(t, "   ENCUT  =  520.0 eV  38.22 Ry    6.18 a.u.\n");
    add(t, "   NELM   =      3;   NELMIN=  2; NELMDL=  0     # of ELM steps\n");
    add(t, "   ISIF   =      2    stress and relaxation\n");
    add(t, " LDA+U is selected, type is set to LDAUTYPE =  2\n");
    add(t, "   GGA     =    PE    GGA type\n   LHFCALC =     T    Hartree Fock is set to\n");
    add(t, "   AEXX    =    0.2500 exact exchange contribution\n"
           "   HFSCREEN=    0.2000 screening length (either q_TF or 0.3 A-1)\n"
           "   HFSCREENC=   0.3000 screening length for correlation\n");
}

static void scf(text *t, int label, int n)
{
    for (int k = 1; k <= n; k++)
        add(t,
            "----------------------------------------- Iteration %4d(%4d)  --------------\n\n"
            "  free energy    TOTEN  =     -%d.00000000 eV\n\n"
            "  energy without entropy =     -99.0  energy(sigma->0) =     -99.0\n",
            label, k, 90 + k);
    add(t, "------------------------ aborting loop because EDIFF is reached --------------\n");
}

typedef struct what { /* fields of a step that tests vary */
    const char *kb, *cell, *force, *energy;
} what;
static const what GOOD = {
    "      10.00000    20.00000    30.00000     1.00000     2.00000     3.00000",
    "     4.000000000  0.000000000  0.000000000", "         0.500000      0.000000      0.000000",
    "-10.50000000"};

static void step_body(text *t, what w)
{
    add(t, "  in kB %s\n  external pressure =       20.00 kB\n", w.kb);
    add(t, "  Total+kin.   999.000     999.000     999.000       9.000       9.000       9.000\n");
    add(t, " VOLUME and BASIS-vectors are now :\n  volume of cell :      120.00\n");
    add(t, "      direct lattice vectors                 reciprocal lattice vectors\n");
    add(t, "%s     0.250000000  0.000000000  0.000000000\n", w.cell);
    add(t,
        "     0.000000000  5.000000000  0.000000000     0.000000000  0.200000000  0.000000000\n");
    add(t,
        "     0.000000000  0.000000000  6.000000000     0.000000000  0.000000000  0.166666667\n");
    add(t, "\n POSITION                                       TOTAL-FORCE (eV/Angst)\n");
    add(t,
        " -----------------------------------------------------------------------------------\n");
    add(t, "      0.00000      0.00000      0.00000 %s\n", w.force);
    add(t,
        "      1.00000      0.00000      0.00000        -0.500000      0.000000      0.000000\n");
    add(t,
        "      2.00000      0.00000      0.00000         0.000000      0.000000      0.125000\n");
    add(t,
        " -----------------------------------------------------------------------------------\n");
    add(t,
        "    total drift:                                0.000000      0.000000      0.125000\n");
    add(t, "\n  free  energy   TOTEN  =      %s eV\n\n", w.energy);
    add(t,
        "  energy  without entropy=      -10.25000000  energy(sigma->0) =      -10.37500000\n\n");
}

static void md(text *t, const char *ekin)
{
    add(t, "  kinetic energy EKIN   =      %s\n", ekin);
    add(t, "  kin. lattice  EKIN_LAT=         0.000000  (temperature  777.00 K)\n");
}

static void finish(text *t)
{
    add(t, " General timing and accounting informations for this job:\n");
}

/* Read it; warnings go into log (4096 bytes). */
static mlk_status read_log(const text *t, const char *name, mlk_collection *c, mlk_err *e,
                           char *log)
{
    memset(e, 0, sizeof *e);
    memset(log, 0, 4096);
    FILE *f = fmemopen(log, 4095, "w");
    mlk_log_tee(f);
    mlk_status s = mlk_test_collect(mlk_test_file(name, t->s), c, e);
    mlk_log_tee(NULL);
    fclose(f);
    return s;
}

static long line_of(const text *t, const char *found)
{
    long line = 1;
    const char *at = strstr(t->s, found);
    cr_assert(at, "%s", found);
    for (const char *p = t->s; p < at; p++) line += *p == '\n';
    return line;
}

static text *fresh(void)
{
    return mlk_alloc(1, sizeof(text));
}

Test(outcar_unit, units_signs_elements_and_settings)
{
    text *t = fresh();
    char log[4096];
    mlk_err e;
    mlk_collection c;
    head(t, "5.4.4");
    scf(t, 1, 2);
    step_body(t, GOOD);
    md(t, "0.258520");
    scf(t, 2, 3);
    step_body(t, GOOD);
    finish(t);
    mlk_check_ok(read_log(t, "OUTCAR", &c, &e, log), e);
    cr_assert_eq(c.n, 2);
    const mlk_frame *fr = &c.fr[0];
    const double w = MLK_KBAR_EVA3 * 120;
    cr_expect(fr->z[0] == 3 && fr->z[1] == 1 && fr->z[2] == 3, "one element as two types");
    mlk_check_close(fr->energy, -10.5, 0);
    mlk_check_close(fr->energy0, -10.375, 0);
    cr_expect_eq(fr->energy_kind, MLK_ENERGY_FREE);
    mlk_check_close(fr->virial[0][0], 10 * w, 1e-12);
    mlk_check_close(fr->virial[0][1], 1 * w, 1e-12);
    mlk_check_close(fr->virial[1][2], 2 * w, 1e-12);
    mlk_check_close(fr->virial[0][2], 3 * w, 1e-12);
    mlk_check_close(fr->f[2][2], 0.125, 0);
    mlk_check_close(fr->temperature, 2 * 0.25852 / (6 * MLK_KB), 1e-9);
    cr_expect(isnan(c.fr[1].temperature));
    cr_expect_eq(fr->scf, MLK_SCF_CONVERGED);
    cr_expect_eq(c.fr[1].scf, MLK_SCF_UNCONVERGED, "NELM stopped it, whatever VASP 5 says");
    cr_expect(fr->step == 1 && c.fr[1].step == 2 && fr->run == 0);
    cr_expect_eq(fr->line, line_of(t, "Iteration    1(   1)"));
    cr_expect_str_eq(fr->config_type, "three");
    cr_expect_str_eq(fr->theory, "VASP GGA=PE ENCUT=520.0 LDAU LHFCALC AEXX=0.25 HFSCREEN=0.2 "
                                 "POTCAR=PAW_PBE Li_sv,PAW_PBE H");
    cr_expect_str_empty(log);
    mlk_test_release(&c);
    mlk_free(t);
}

Test(outcar_unit, the_version_decides_what_reached_means)
{
    static const struct {
        const char *version;
        int n, scf;
    } cases[] = {{"5.4.4", 3, MLK_SCF_UNCONVERGED},
                 {"6.1.2", 3, MLK_SCF_UNCONVERGED},
                 {"6.2.0", 3, MLK_SCF_CONVERGED},
                 {"6.5.1", 2, MLK_SCF_CONVERGED},
                 {"5.4.4", 4, MLK_SCF_UNKNOWN}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        text *t = fresh();
        char log[4096];
        mlk_err e;
        mlk_collection c;
        head(t, cases[k].version);
        scf(t, 1, cases[k].n);
        step_body(t, GOOD);
        finish(t);
        mlk_check_ok(read_log(t, "OUTCAR", &c, &e, log), e);
        cr_expect(c.n == 1 && c.fr[0].scf == cases[k].scf, "case %zu", k);
        mlk_test_release(&c);
        mlk_free(t);
    }
}

Test(outcar_unit, a_full_field_costs_its_label_and_touching_fields_none)
{
    static const struct {
        what w;
        unsigned has;
        const char *warned, *line;
    } cases[] = {
        {{.force = "  **************      0.000000      0.000000"},
         MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_VIRIAL,
         "forces of ionic step 1",
         "****"},
        {{.energy = "**************"},
         MLK_HAS_CELL | MLK_HAS_FORCE | MLK_HAS_VIRIAL,
         "energy of ionic step 1",
         "****"},
        {{.kb = "   ************    20.00000    30.00000     1.00000     2.00000     3.00000"},
         MLK_HAS_CELL | MLK_HAS_FORCE | MLK_HAS_ENERGY,
         "stress of ionic step 1",
         "****"},
        {{.kb = "      10.00000-12345.00000    30.00000     1.00000     2.00000     3.00000"},
         MLK_HAS_CELL | MLK_HAS_FORCE | MLK_HAS_ENERGY | MLK_HAS_VIRIAL,
         NULL,
         NULL},
        {{.force = "         0.500000-100000.000000     0.000000"},
         MLK_HAS_CELL | MLK_HAS_FORCE | MLK_HAS_ENERGY | MLK_HAS_VIRIAL,
         NULL,
         NULL},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        text *t = fresh();
        char log[4096], place[64];
        mlk_err e;
        mlk_collection c;
        what w = {cases[k].w.kb ? cases[k].w.kb : GOOD.kb, GOOD.cell,
                  cases[k].w.force ? cases[k].w.force : GOOD.force,
                  cases[k].w.energy ? cases[k].w.energy : GOOD.energy};
        head(t, "5.4.4");
        scf(t, 1, 2);
        step_body(t, w);
        finish(t);
        mlk_check_ok(read_log(t, "OUTCAR", &c, &e, log), e);
        cr_assert_eq(c.n, 1, "case %zu", k);
        cr_expect_eq(c.fr[0].has, cases[k].has, "case %zu: has %u", k, c.fr[0].has);
        if (cases[k].warned) {
            snprintf(place, sizeof place, "OUTCAR:%ld: ", line_of(t, cases[k].line));
            cr_expect(strstr(log, cases[k].warned) && strstr(log, place), "case %zu: %s", k, log);
        } else {
            cr_expect_str_empty(log, "case %zu: %s", k, log);
        }
        if (k == 3) mlk_check_close(c.fr[0].virial[1][1], -12345 * MLK_KBAR_EVA3 * 120, 1e-9);
        if (k == 4) mlk_check_close(c.fr[0].f[0][1], -100000, 0);
        mlk_test_release(&c);
        mlk_free(t);
    }
}

Test(outcar_unit, a_step_that_contradicts_itself_is_left_out)
{
    static const struct {
        const char *cell, *row, *why;
    } cases[] = {
        {"     4.000000000-50.000000000  *************", NULL, "lattice vector is not a number"},
        {"     4.500000000  0.000000000  0.000000000", NULL, "contradict its 'volume of cell'"},
        {NULL, "      2.00000      0.00000      0.00000         0.0", "2 rows, expected 3"},
        {NULL, " --", "no row stands"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        text *t = fresh();
        char log[4096];
        mlk_err e;
        mlk_collection c;
        what w = GOOD;
        if (cases[k].cell) w.cell = cases[k].cell;
        head(t, "5.4.4");
        scf(t, 1, 2);
        step_body(t, w);
        if (cases[k].row) { /* remove the last row, or put a strange line in its place */
            char *row = strstr(t->s, "      2.00000"), *end = strchr(row, '\n');
            size_t n = (size_t)(end + 1 - row);
            if (k == 2)
                memmove(row, end + 1, strlen(end + 1) + 1), t->n -= n;
            else
                memset(row, '?', n - 1);
        }
        scf(t, 2, 2);
        step_body(t, GOOD);
        finish(t);
        mlk_check_ok(read_log(t, "OUTCAR", &c, &e, log), e);
        cr_expect(c.n == 1 && c.fr[0].step == 2, "case %zu: %zu frames", k, c.n);
        cr_expect(strstr(log, "ionic step 1 left out") && strstr(log, cases[k].why), "case %zu: %s",
                  k, log);
        mlk_test_release(&c);
        mlk_free(t);
    }
}

Test(outcar_unit, a_cut_inside_the_last_number_is_never_a_shorter_number)
{
    text *t = fresh();
    char log[4096], kept[65536];
    mlk_err e;
    mlk_collection c;
    head(t, "5.4.4");
    scf(t, 1, 2);
    step_body(t, GOOD);
    scf(t, 2, 2);
    size_t second = t->n;
    step_body(t, GOOD);
    memcpy(kept, t->s, sizeof kept);
    for (size_t n = second; n < t->n; n++) {
        memcpy(t->s, kept, n);
        t->s[n] = 0;
        const char *energy = strstr(t->s + second, "free  energy");
        bool whole = energy && strchr(energy, '\n');
        cr_expect_eq(read_log(t, "OUTCAR", &c, &e, log), MLK_EFORMAT, "cut at %zu", n);
        cr_expect_eq(c.n, whole ? 2 : 1, "cut at %zu: %zu frames", n, c.n);
        if (!whole) cr_expect(strstr(e.msg, "inside ionic step 2"), "%s", e.msg);
        if (whole) mlk_check_close(c.fr[1].energy, -10.5, 0);
        if (c.n == 2 && !isnan(c.fr[1].energy0)) mlk_check_close(c.fr[1].energy0, -10.375, 0);
        cr_expect(e.line > 0 && e.hint[0]);
        mlk_test_release(&c);
    }
    mlk_free(t);
}

Test(outcar_unit, runs_joined_in_one_file_are_told_apart)
{
    text *t = fresh();
    char log[4096], place[64];
    mlk_err e;
    mlk_collection c;
    head(t, "5.4.4");
    scf(t, 1, 2);
    step_body(t, GOOD);
    scf(t, 2, 2); /* killed here */
    long line = line_of(t, "Iteration    2(   1)");
    add(t, "  in kB      10.0"); /* and continued in the same line */
    size_t second = t->n;
    head(t, "6.3.0");
    scf(t, 1, 3);
    step_body(t, GOOD);
    finish(t);
    mlk_check_ok(read_log(t, "OUTCAR", &c, &e, log), e);
    cr_assert_eq(c.n, 2);
    cr_expect(c.fr[0].run == 0 && c.fr[1].run == 2);
    cr_expect(c.fr[0].step == 1 && c.fr[1].step == 2);
    snprintf(place, sizeof place, "inside the ionic step of line %ld", line);
    cr_expect(strstr(log, "run 2 begins here") && strstr(log, place), "%s", log);
    /* the version was lost in the joined line: three of three iterations decide nothing better */
    cr_expect_eq(c.fr[1].scf, MLK_SCF_UNCONVERGED);
    mlk_test_release(&c);
    memmove(t->s + second - 17, t->s + second, strlen(t->s + second) + 1);
    mlk_check_ok(read_log(t, "OUTCAR", &c, &e, log), e);
    cr_expect_eq(c.fr[1].scf, MLK_SCF_CONVERGED);
    snprintf(place, sizeof place, "OUTCAR:%ld: run 2", line_of(t, "vasp.6.3.0"));
    cr_expect(strstr(log, place), "%s", log);
    mlk_test_release(&c);
    mlk_free(t);
}

Test(outcar_unit, loops_after_a_step_are_no_step_and_energies_without_table_are_counted)
{
    text *t = fresh();
    char log[4096];
    mlk_err e;
    mlk_collection c;
    head(t, "5.4.4");
    scf(t, 1, 2);
    step_body(t, GOOD);
    scf(t, 1, 2);
    add(t, " Linear response to external field, progress :\n");
    scf(t, 2, 2);
    finish(t);
    mlk_check_ok(read_log(t, "OUTCAR", &c, &e, log), e);
    cr_expect_eq(c.n, 1);
    cr_expect_str_empty(log);
    mlk_test_release(&c);
    t->n = 0;
    head(t, "5.4.4");
    scf(t, 1, 2);
    add(t, "\n  free  energy   TOTEN  =      -10.50000000 eV\n");
    scf(t, 2, 2);
    step_body(t, GOOD);
    finish(t);
    mlk_check_ok(read_log(t, "OUTCAR", &c, &e, log), e);
    cr_expect(c.n == 1 && c.fr[0].step == 2);
    cr_expect(strstr(log, "no table of positions and forces"), "%s", log);
    mlk_test_release(&c);
    mlk_free(t);
}

/* VASP 5.2 prints six decimals, and the energy above the table. */
Test(outcar_unit, the_energy_may_stand_above_the_table)
{
    text *t = fresh();
    char log[4096];
    mlk_err e;
    mlk_collection c;
    what w = GOOD;
    head(t, "5.2.2");
    for (int label = 1; label <= 2; label++) {
        scf(t, label, 2);
        add(t, "  free  energy   TOTEN  =       -%d.250000 eV\n\n", label);
        add(t, "  energy  without entropy=    -1.00  energy(sigma->0) =     -%d.125000\n", label);
        size_t from = t->n;
        step_body(t, w);
        char *below = strstr(t->s + from, "\n  free  energy");
        *below = 0;
        t->n = (size_t)(below - t->s);
        add(t, "\n");
    }
    finish(t);
    mlk_check_ok(read_log(t, "OUTCAR", &c, &e, log), e);
    cr_assert_eq(c.n, 2);
    cr_expect(c.fr[0].energy == -1.25 && c.fr[0].energy0 == -1.125);
    cr_expect(c.fr[1].energy == -2.25 && c.fr[1].energy0 == -2.125);
    cr_expect_str_empty(log);
    mlk_test_release(&c);
    mlk_free(t);
}

Test(outcar_unit, dispersion_that_is_missing_from_the_energy_costs_the_energy)
{
    text *t = fresh();
    char log[4096];
    mlk_err e;
    mlk_collection c;
    head(t, "5.2.12");
    scf(t, 1, 2);
    add(t, "  Estimated vdW energy (eV):   -0.12345\n");
    step_body(t, GOOD);
    finish(t);
    mlk_check_ok(read_log(t, "OUTCAR", &c, &e, log), e);
    cr_expect(c.n == 1 && !(c.fr[0].has & MLK_HAS_ENERGY) && (c.fr[0].has & MLK_HAS_FORCE));
    cr_expect(strstr(log, "vasprun.xml instead"), "%s", log);
    mlk_test_release(&c);
    mlk_free(t);
}

/* ---- the head ---- */

static mlk_status resolve(const char *per_type, long n_atoms, size_t n_title, mlk_outcar_head *h,
                          mlk_err *e)
{
    char line[256];
    memset(h, 0, sizeof *h);
    mlk_outcar_head_begin(h, " vasp.5.4.4");
    for (size_t k = 0; k < n_title; k++) {
        snprintf(line, sizeof line, "   TITEL  = PAW_PBE %s 10Sep2004", k % 2 ? "S" : "Li_sv");
        mlk_outcar_head_line(h, line, 1, NULL);
    }
    snprintf(line, sizeof line, "   number of dos NEDOS = 301   number of ions     NIONS = %6ld",
             n_atoms);
    mlk_outcar_head_line(h, line, 2, NULL);
    snprintf(line, sizeof line, "   ions per type = %s", per_type);
    mlk_outcar_head_line(h, line, 3, NULL);
    memset(e, 0, sizeof *e);
    return mlk_outcar_head_resolve(h, e);
}

Test(outcar_unit, ions_per_type_with_full_fields)
{
    mlk_outcar_head h;
    mlk_err e;
    mlk_check_ok(resolve("             28  12", 40, 2, &h, &e), e);
    cr_expect(h.n_count == 2 && h.count[0].count == 28 && h.count[1].z == 16);
    mlk_outcar_head_free(&h);
    mlk_check_ok(resolve("           10242048", 3072, 2, &h, &e), e);
    cr_expect(h.n_count == 2 && h.count[0].count == 1024 && h.count[1].count == 2048);
    mlk_outcar_head_free(&h);
    mlk_check_ok(resolve("           ****  12", 10012, 2, &h, &e), e);
    cr_expect(h.n_count == 2 && h.count[0].count == 10000);
    mlk_outcar_head_free(&h);
    cr_expect_eq(resolve("             28  12", 41, 2, &h, &e), MLK_EFORMAT);
    cr_expect(strstr(e.msg, "does not add up"), "%s", e.msg);
    mlk_outcar_head_free(&h);
    cr_expect_eq(resolve("             28  12", 40, 3, &h, &e), MLK_EFORMAT);
    cr_expect(strstr(e.msg, "3 TITEL lines for 2"), "%s", e.msg);
    mlk_outcar_head_free(&h);
    /* without TITEL (NWRITE = 0) the list of POTCARs tells */
    cr_expect_eq(resolve("             28  12", 40, 0, &h, &e), MLK_EFORMAT);
    for (int k = 0; k < 4; k++)
        mlk_outcar_head_line(
            &h, k % 2 ? " POTCAR:    PAW_PBE O_s 07Sep2000 " : " POTCAR:   PAW_PBE H", 4, NULL);
    memset(&e, 0, sizeof e);
    mlk_check_ok(mlk_outcar_head_resolve(&h, &e), e);
    cr_expect(h.n_count == 2 && h.count[0].z == 1 && h.count[1].z == 8);
    mlk_outcar_head_free(&h);
}

Test(outcar_unit, fields_that_touch)
{
    double v[6];
    const char *s = "  1.64271-28.92190100.00000";
    cr_expect_eq(mlk_vasp_fields(&s, 3, 5, v), 3);
    cr_expect(v[0] == 1.64271 && v[1] == -28.9219 && v[2] == 100);
    cr_expect(mlk_vasp_fields_only(" 1.50000", 1, 5, NULL, v));
    cr_expect(mlk_vasp_fields_only(" 1.50 eV  w/o", 1, 5, "eV", v));
    cr_expect(!mlk_vasp_fields_only(" 1.50 vasp.6", 1, 5, "eV", v));
    s = " 1.50000 ************ 2.50000";
    cr_expect_eq(mlk_vasp_fields(&s, 3, 5, v), 1);
}

Test(outcar_unit, standard_output_is_no_outcar)
{
    mlk_err e = {0};
    mlk_collection c;
    cr_expect_eq(mlk_test_collect(mlk_test_file("vasp.out", " running on   16 total cores\n"
                                                            " vasp.5.4.4.18Apr17 complex\n"
                                                            " POSCAR found :  1 types\n"),
                                  &c, &e),
                 MLK_EFORMAT);
    cr_expect(strstr(e.msg, "not recognised"), "%s", e.msg);
}

/* ---- XDATCAR ---- */

#define CELL "t\n1\n4.0 0 0\n0 4.0 0\n0 0 4.0\n"
#define ATOMS CELL "Li S\n1 1\n"
#define ROWS "  0.25000000  0.00000000  0.00000000 Li\n -0.50000000  1.25000000  0.00000000\n"

Test(xdatcar_unit, numbers_runs_and_positions_as_printed)
{
    mlk_err e = {0};
    mlk_collection c;
    const char *path = mlk_test_file("XDATCAR", ATOMS "Direct configuration=    50\n" ROWS
                                                      "Direct configuration=******\n" ROWS ATOMS
                                                      "Direct configuration=   150\n" ROWS ATOMS
                                                      "Direct configuration=     1\n" ROWS);
    mlk_check_ok(mlk_test_collect(path, &c, &e), e);
    cr_assert_eq(c.n, 4);
    cr_expect(c.fr[0].step == 50 && c.fr[1].step == 2 && c.fr[2].step == 150 && c.fr[3].step == 1);
    cr_expect(c.fr[2].run == 0 && c.fr[3].run == 2);
    cr_expect(c.fr[0].has == MLK_HAS_CELL && c.fr[0].z[0] == 3 && c.fr[0].z[1] == 16);
    cr_expect(c.fr[0].line == 8 && c.fr[1].line == 11);
    cr_expect(c.fr[0].x[0][0] == 1 && c.fr[0].x[1][0] == -2 && c.fr[0].x[1][1] == 5);
    mlk_test_release(&c);
}

Test(xdatcar_unit, a_cut_is_reported_and_never_shortens_a_number)
{
    static const char body[] =
        ATOMS "Direct configuration=     1\n" ROWS "Direct configuration=     2\n" ROWS;
    char cut[sizeof body];
    const size_t one = sizeof ATOMS - 1 + 28 + sizeof ROWS - 1;
    for (size_t n = one + 1; n < sizeof body; n++) {
        mlk_err e = {0};
        mlk_collection c;
        memcpy(cut, body, n);
        cut[n] = 0;
        mlk_status s = mlk_test_collect(mlk_test_file("XDATCAR", cut), &c, &e);
        bool whole = n + 2 >= sizeof body; /* the last line end may be missing */
        cr_expect_eq(s, whole ? MLK_OK : MLK_EFORMAT, "cut at %zu of %zu", n, sizeof body - 1);
        cr_expect_eq(c.n, whole ? 2 : 1, "cut at %zu: %zu frames", n, c.n);
        if (!whole) cr_expect(e.line >= 11 && e.hint[0], "cut at %zu: line %ld", n, e.line);
        mlk_test_release(&c);
    }
}

Test(xdatcar_unit, defects_name_their_line)
{
    static const struct {
        const char *text, *msg;
        long line;
    } cases[] = {
        {"t\nscale\n4 0 0\n0 4 0\n0 0 4\nLi\n1\nDirect configuration= 1\n0 0 0\n", "scale", 2},
        {CELL "1 1\n\n" ROWS, "no line of element symbols", 6},
        {CELL "1 1\nDirect configuration= 1\n" ROWS, "no line of element symbols", 6},
        {CELL "Li Xx\n1 1\nDirect configuration= 1\n" ROWS, "unknown element 'Xx'", 6},
        {CELL "Li S\n1\nDirect configuration= 1\n" ROWS, "1 numbers of atoms for 2", 7},
        {ATOMS "Direct configuration= 1\n" ROWS "0.1 0.1 0.1\n", "Direct configuration=", 11},
        {ATOMS "Direct configuration= 1\n0.1 0.1 0.1\n0.1 ***** 0.1\n", "atom 2 of 2", 10},
        {CELL "Li\n99999999\nDirect configuration= 1\n0.1 0.1 0.1\n", "1 of 99999999", 9},
        {"t\n1\n4 0 0\n4 0 0\n0 0 4\nLi\n1\nDirect configuration= 1\n0 0 0\n", "span a volume", 5},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        mlk_err e = {0};
        mlk_collection c;
        cr_expect_eq(mlk_test_collect(mlk_test_file("X", cases[k].text), &c, &e), MLK_EFORMAT);
        cr_expect(strstr(e.msg, cases[k].msg), "case %zu: %s", k, e.msg);
        cr_expect_eq(e.line, cases[k].line, "case %zu: line %ld", k, e.line);
        mlk_test_release(&c);
    }
}

Test(xdatcar_unit, one_frame_called_poscar_and_real_poscars_stay_poscars)
{
    char p[512];
    const char *one = ATOMS "Direct configuration=    50\n" ROWS;
    cr_expect_str_eq(mlk_parser_sniff(mlk_test_file("X", one), NULL)->name, "xdatcar");
    snprintf(p, sizeof p, "%s", mlk_test_file("POSCAR_50", one));
    cr_expect_str_eq(mlk_parser_sniff(p, NULL)->name, "poscar");
    cr_expect_str_eq(mlk_parser_sniff(mlk_test_file("X", ATOMS "Direct\n" ROWS), NULL)->name,
                     "poscar");
    cr_expect_str_eq(mlk_parser_sniff(mlk_test_file("X", ATOMS "\n" ROWS "\n" ROWS), NULL)->name,
                     "xdatcar");
}
