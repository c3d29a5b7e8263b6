/* test_vasp_table.c - every file of the shared collection, of every format, through the front door
 * (recognised by content) against its reference: number of frames, energies, cells, positions,
 * forces, stresses. One row per file. The tests of the single formats look more closely. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "parsers/parser.h"
#include "tests/support/collect.h"
#include "tests/support/golden.h"

typedef struct row {
    const char *format; /* expected parser */
    bool fails;         /* an error must follow the frames */
    mlk_golden *c;
} row;

static void differ(row *r, const char *what, size_t i, double d, double tol)
{
    mlk_golden_differ(r->c, what, i, d, tol);
}

static const json_t *get(const json_t *j, const char *key)
{
    return json_object_get(j, key);
}

static bool starts(const char *s, const char *head)
{
    return !strncmp(s, head, strlen(head));
}

/* Is this step of the reference one that is delivered? */
static bool counts(const char *name, const json_t *s)
{
    const char *kind = mlk_json_get_str(s, "kind", "dft");
    if (strcmp(kind, "dft") != 0) return false;
    if (starts(name, "vasprun")) return json_is_array(get(s, "lattice"));
    return true;
}

/* What the README of the collection asks of each file. */
static void expect(const char *name, const json_t *g, row *r)
{
    static const struct {
        const char *head, *format;
    } of[] = {{"vasprun", "vasprun"}, {"OUTCAR", "outcar"},  {"XDATCAR", "xdatcar"},
              {"POSCAR", "poscar"},   {"CONTCAR", "poscar"}, {"ML_AB", "mlab"},
              {"vaspout", "vaspout"}, {"extxyz", "extxyz"}};
    for (size_t k = 0; k < sizeof of / sizeof *of; k++)
        if (starts(name, of[k].head)) r->format = of[k].format;
    const json_t *steps = get(g, "steps"), *n = get(g, "n_frames");
    for (size_t k = 0; k < json_array_size(steps); k++)
        r->c->want += counts(name, json_array_get(steps, k));
    if (starts(name, "XDATCAR")) r->c->want = (size_t)json_integer_value(n);
    if (starts(name, "POSCAR") || starts(name, "CONTCAR")) r->c->want = 1;
    r->fails = json_is_false(get(g, "well_formed")) || !strcmp(name, "XDATCAR_bad_scale") ||
               !strcmp(name, "POSCAR_no_species") || starts(name, "ML_AB_inconsistent") ||
               starts(name, "OUTCAR_v544_unfinished") || (starts(name, "vasprun") && !r->c->want);
    if (!strcmp(name, "POSCAR_no_species") || starts(name, "ML_AB_inconsistent")) r->c->want = 0;
}

static void check_sum(row *r, const char *what, size_t i, const json_t *want, const mlk_frame *fr,
                      bool force, bool scaled)
{
    if (!json_is_array(want)) return;
    double(*v)[3] = malloc(fr->n * sizeof *v);
    memcpy(v, force ? fr->f : fr->x, fr->n * sizeof *v);
    for (size_t a = 0; a < fr->n && scaled; a++) mlk_cell_frac(&fr->cell, fr->x[a], v[a]);
    double d = mlk_golden_sum_diff(want, (const double(*)[3])v, fr->n);
    differ(r, what, i, d, 2e-8 * (double)fr->n);
    free(v);
}

static void check_energy(row *r, const json_t *g, const json_t *s, const mlk_frame *fr, size_t i)
{
    static const char *const key[] = {"e_fr_energy", "free_energy", "energy"};
    const json_t *e = NULL, *tags = get(g, "energies_tags");
    for (size_t k = 0; k < 3 && !json_is_number(e); k++) e = get(s, key[k]);
    if (!json_is_number(e)) e = get(get(s, "calc"), "energy");
    for (size_t k = 0; k < json_array_size(tags); k++)
        if (strstr(json_string_value(json_array_get(tags, k)), "TOTEN"))
            e = json_array_get(get(s, "energies"), k);
    if (!json_is_number(e)) return;
    if (!(fr->has & MLK_HAS_ENERGY)) differ(r, "missing energy", i, INFINITY, 0);
    differ(r, "energy", i, fabs(fr->energy - json_number_value(e)), 5e-9);
}

/* kB, as nine numbers row by row, or six in VASP's order xx yy zz xy yz zx. */
static void check_stress(row *r, const json_t *s, const mlk_frame *fr, size_t i)
{
    double kb[9];
    const json_t *nine = get(s, "stress_kbar"), *six = get(s, "stress_kbar_xx_yy_zz_xy_yz_zx");
    if (!nine && !get(s, "calc")) nine = get(s, "stress"); /* vaspout */
    const json_t *half[2] = {get(s, "stress_kbar_xx_yy_zz"), get(s, "stress_kbar_xy_yz_zx")};
    bool any = json_is_array(nine) || json_is_array(six) || json_is_array(half[0]);
    if (any != !!(fr->has & MLK_HAS_VIRIAL) && !get(s, "calc"))
        differ(r, "stress flag", i, INFINITY, 0);
    if (!any) return;
    mlk_golden_kbar(fr, kb);
    if (json_is_array(nine)) differ(r, "stress", i, mlk_test_json_diff(nine, kb, 9), 1e-8);
    const double v[6] = {kb[0], kb[4], kb[8], kb[1], kb[5], kb[6]};
    if (json_is_array(six)) differ(r, "stress", i, mlk_test_json_diff(six, v, 6), 1e-8);
    if (!json_is_array(half[0])) return;
    differ(r, "stress", i, mlk_test_json_diff(half[0], v, 3), 1e-8);
    differ(r, "stress", i, mlk_test_json_diff(half[1], v + 3, 3), 1e-8);
}

static void check_arrays(row *r, const json_t *s, const mlk_frame *fr, size_t i)
{
    const json_t *h = get(s, "lattice"), *x = get(s, "cartesian"), *q = get(s, "scaled"),
                 *f = get(s, "forces");
    if (!h) h = get(s, "lattice_vectors");
    if (!x) x = get(s, "positions");
    if (!q) q = get(s, "position_ions");
    if (json_is_array(h)) differ(r, "cell", i, mlk_test_json_diff(h, &fr->cell.h[0][0], 9), 5e-9);
    if (json_is_array(x))
        differ(r, "positions", i, mlk_test_json_diff(x, &fr->x[0][0], 3 * fr->n), 1e-8);
    if (json_is_array(f))
        differ(r, "forces", i, mlk_test_json_diff(f, &fr->f[0][0], 3 * fr->n), 5e-9);
    if (json_is_array(q)) {
        double *v = malloc(3 * fr->n * sizeof *v);
        for (size_t a = 0; a < fr->n; a++) mlk_cell_frac(&fr->cell, fr->x[a], v + 3 * a);
        differ(r, "fractional positions", i, mlk_test_json_diff(q, v, 3 * fr->n), 5e-9);
        free(v);
    }
    check_sum(r, "force sum", i, get(s, "force_sum"), fr, true, false);
    check_sum(r, "position sum", i, get(s, "position_sum"), fr, false, false);
    check_sum(r, "scaled sum", i, get(s, "scaled_sum"), fr, false, true);
}

static void check_frames(row *r, const char *name, const json_t *g, const mlk_collection *c)
{
    const json_t *steps = get(g, "steps"), *sums = get(g, "scaled_sum_per_frame");
    for (size_t i = 0; i < json_array_size(sums) && i < c->n; i++)
        check_sum(r, "scaled sum", i, json_array_get(sums, i), &c->fr[i], false, true);
    for (size_t k = 0, i = 0; k < json_array_size(steps) && i < c->n; k++) {
        const json_t *s = json_array_get(steps, k);
        if (!counts(name, s)) continue;
        /* XDATCAR: the reference keeps some frames only, with their place */
        size_t at = sums ? (size_t)json_integer_value(get(s, "i")) : i++;
        if (at >= c->n) break;
        check_energy(r, g, s, &c->fr[at], at);
        check_arrays(r, s, &c->fr[at], at);
        if (!sums) check_stress(r, s, &c->fr[at], at);
    }
    const json_t *lib = get(get(g, "cross_checks"), "pymatgen_2022.11.7");
    if (!strcmp(name,
                "POSCAR_volume_scaled")) /* positions: both libraries err, see the other test */
        differ(r, "cell", 0, mlk_test_json_diff(get(lib, "lattice"), &c->fr[0].cell.h[0][0], 9),
               1e-7);
    else if ((starts(name, "POSCAR") || starts(name, "CONTCAR")) && c->n == 1)
        check_arrays(r, lib, &c->fr[0], 0);
}

static void check_file(const char *path, const char *name, const json_t *g, mlk_golden *c)
{
    char stem[256];
    mlk_err e = {0};
    mlk_collection got;
    row of = {.format = "?", .c = c}, *r = &of;
    snprintf(stem, sizeof stem, "%s", name);
    for (const char *const *x = (const char *const[]){".gz", ".xz", NULL}; *x; x++)
        if (mlk_path_ends(stem, *x)) stem[strlen(stem) - strlen(*x)] = 0;
    expect(stem, g, r);
    const mlk_parser *p = mlk_parser_sniff(path, &e);
    mlk_status s = mlk_test_collect(path, &got, &e);
    c->read = got.n;
    if (!p || strcmp(p->name, r->format) != 0)
        snprintf(c->why, sizeof c->why, "taken for %s, is %s", p ? p->name : "nothing", r->format);
    else if (got.n != c->want)
        snprintf(c->why, sizeof c->why, "wrong number of frames: %.120s", e.msg);
    else if (!r->fails && s)
        snprintf(c->why, sizeof c->why, "failed: %.150s", e.msg);
    else if (r->fails && (s != MLK_EFORMAT || !e.file[0] || !e.msg[0]))
        snprintf(c->why, sizeof c->why, "no clear error");
    else if ((!strcmp(stem, "XDATCAR_bad_scale") || starts(stem, "ML_AB_inc")) && e.line < 1)
        snprintf(c->why, sizeof c->why, "the error names no line");
    else
        check_frames(r, stem, g, &got);
    snprintf(c->note, sizeof c->note, "%s%s", r->format, r->fails ? ", error reported" : "");
    mlk_test_release(&got);
}

Test(golden_table, every_vasp_file_of_every_format, .timeout = 300)
{
    mlk_log_set_level(MLK_LOG_ERROR);
    mlk_golden_each("", 70, check_file);
}
