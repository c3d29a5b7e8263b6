/* espresso.c - the text output of Quantum ESPRESSO's pw.x: scf, relax, vc-relax, md, vc-md.
 * A step is: the structure printed last, `!    total energy` (the free energy F = E - TS, Ry),
 * forces (Ry/bohr), stress (Ry/bohr^3, positive under compression, so W = value * volume). It is
 * delivered when the text that follows proves that nothing of it is missing. Not here: the XML
 * file, cp.x. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/element.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "parsers/text.h"

enum { LABELS_MAX = 64 };

typedef struct label {
    char name[16];
    int z;
} label;

typedef struct reader {
    mlk_text_in t;
    mlk_frame_fn fn;
    void *user;
    label label[LABELS_MAX];
    size_t n_label;
    double alat; /* [A] */
    double h[3][3];
    long n_said; /* atoms, as the header says */
    int *z;
    double (*x)[3], (*f)[3], stress[3][3]; /* [A], [eV/A], [eV/A^3] */
    size_t z_cap, x_cap, f_cap, n, n_f;
    bool has_cell, has_x, pending, has_stress, warned;
    double energy;
    int scf, run, step;
    long line; /* of the energy */
    char xc[48], cutoff[24], pp[96];
} reader;

/* The next line, which must be there. */
static mlk_status next(reader *r, mlk_err *e)
{
    bool more;
    MLK_TRY(mlk_text_next(&r->t, &more, e));
    if (more && !r->t.open_ended) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "the file ends early, inside step %d; %d complete steps before it",
             r->step + 1, r->step);
    mlk_err_hint(e, "the run was killed or is still going on; the complete steps are good");
    return mlk_text_err(&r->t, e);
}

/* The text behind `key` in the current line, or NULL. */
static const char *after(const reader *r, const char *key)
{
    const char *at = strstr(r->t.line, key);
    return at ? at + strlen(key) : NULL;
}

/* ---- structure ---- */

/* "Si", "Fe1", "O_w": by the table of atomic species, else by the letters it begins with. */
static int element_of(const reader *r, const char *name)
{
    for (size_t k = 0; k < r->n_label; k++)
        if (!strcmp(r->label[k].name, name)) return r->label[k].z;
    char s[3] = {name[0], islower((unsigned char)name[1]) ? name[1] : 0, 0};
    return mlk_element_z(s);
}

/* "        Si             4.00    28.08600     Si( 1.00)" until a line of another form. */
static mlk_status read_species(reader *r, mlk_err *e)
{
    r->n_label = 0;
    for (;;) {
        MLK_TRY(next(r, e));
        char *w[8], *paren = strchr(r->t.line, '(');
        if (!paren || r->n_label == LABELS_MAX) return MLK_OK;
        *paren = 0;
        if (mlk_text_words(r->t.line, w, 8) != 4) return MLK_OK;
        label *l = &r->label[r->n_label++];
        mlk_text_copy(l->name, sizeof l->name, w[0]);
        l->z = mlk_element_z(w[3]);
    }
}

static mlk_status add_atom(reader *r, size_t i, const char *name, const double v[3],
                           const double unit[3][3], mlk_err *e)
{
    MLK_TRY(MLK_GROW(r->z, r->z_cap, i + 1, e));
    MLK_TRY(MLK_GROW(r->x, r->x_cap, i + 1, e));
    r->z[i] = element_of(r, name);
    if (!r->z[i]) {
        MLK_FAIL(e, MLK_EFORMAT, "atom %zu is of an unknown element '%.20s'", i + 1, name);
        return mlk_text_err(&r->t, e);
    }
    for (int k = 0; k < 3; k++)
        r->x[i][k] = v[0] * unit[0][k] + v[1] * unit[1][k] + v[2] * unit[2][k];
    return MLK_OK;
}

static void diagonal(double m[3][3], double v)
{
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) m[a][b] = a == b ? v : 0;
}

/* "site n.     atom                  positions (alat units)" */
static mlk_status read_sites(reader *r, mlk_err *e)
{
    double unit[3][3];
    diagonal(unit, r->alat);
    for (r->n = 0;; r->n++) {
        MLK_TRY(next(r, e));
        const char *at = strstr(r->t.line, "tau(");
        if (!at) break;
        double v[3];
        char name[32] = "";
        const char *p = strstr(at, "= (");
        if (sscanf(r->t.line, " %*d %31s", name) != 1 || !p)
            return mlk_text_expected(&r->t, "a site: number, atom, tau(n) = (x y z)", e);
        p += 3;
        if (mlk_numbers(&p, 3, v) != 3) return mlk_text_expected(&r->t, "three coordinates", e);
        MLK_TRY(add_atom(r, r->n, name, v, (const double(*)[3])unit, e));
    }
    r->has_x = r->n > 0;
    return MLK_OK;
}

/* "a(1) = (   0.000000   0.707107   0.707107 )", in units of alat */
static mlk_status read_axes(reader *r, mlk_err *e)
{
    for (int a = 0; a < 3; a++) {
        MLK_TRY(next(r, e));
        const char *p = after(r, "= (");
        if (!p || mlk_numbers(&p, 3, r->h[a]) != 3)
            return mlk_text_expected(&r->t, "a lattice vector a(n) = (x y z)", e);
        for (int k = 0; k < 3; k++) r->h[a][k] *= r->alat;
    }
    r->has_cell = true;
    return MLK_OK;
}

/* CELL_PARAMETERS (alat= 7.2), (bohr) or (angstrom) */
static mlk_status read_cell(reader *r, mlk_err *e)
{
    double unit = r->alat;
    const char *p = after(r, "alat=");
    if (p) {
        char text[32];
        snprintf(text, sizeof text, "%.*s", (int)strcspn(p, ")"), p);
        p = text;
        if (!mlk_number(&p, &unit)) return mlk_text_expected(&r->t, "a number behind alat=", e);
        unit *= MLK_BOHR;
    } else if (strstr(r->t.line, "bohr")) {
        unit = MLK_BOHR;
    } else if (strstr(r->t.line, "angstrom")) {
        unit = 1;
    }
    for (int a = 0; a < 3; a++) {
        MLK_TRY(next(r, e));
        p = r->t.line;
        if (mlk_numbers(&p, 3, r->h[a]) != 3)
            return mlk_text_expected(&r->t, "a lattice vector", e);
        for (int k = 0; k < 3; k++) r->h[a][k] *= unit;
    }
    r->has_cell = true;
    return MLK_OK;
}

/* ATOMIC_POSITIONS (crystal), (alat), (bohr) or (angstrom) */
static mlk_status read_positions(reader *r, mlk_err *e)
{
    double unit[3][3];
    diagonal(unit, r->alat);
    if (strstr(r->t.line, "crystal"))
        memcpy(unit, r->h, sizeof unit);
    else if (strstr(r->t.line, "bohr"))
        diagonal(unit, MLK_BOHR);
    else if (strstr(r->t.line, "angstrom"))
        diagonal(unit, 1);
    for (size_t i = 0; i < r->n; i++) {
        MLK_TRY(next(r, e));
        char name[32] = "";
        int used = 0;
        double v[3];
        if (sscanf(r->t.line, " %31s%n", name, &used) != 1)
            return mlk_text_expected(&r->t, "an atom with its position", e);
        const char *p = r->t.line + used;
        if (mlk_numbers(&p, 3, v) != 3)
            return mlk_text_expected(&r->t, "an atom with its position", e);
        MLK_TRY(add_atom(r, i, name, v, (const double(*)[3])unit, e));
    }
    return MLK_OK;
}

/* ---- labels ---- */

static mlk_status read_forces(reader *r, mlk_err *e)
{
    r->n_f = 0;
    while (r->n_f < r->n) {
        MLK_TRY(next(r, e));
        if (!r->t.line[strspn(r->t.line, " \t")]) continue;
        const char *p = after(r, "force =");
        MLK_TRY(MLK_GROW(r->f, r->f_cap, r->n_f + 1, e));
        if (!p || mlk_numbers(&p, 3, r->f[r->n_f]) != 3)
            return mlk_text_expected(&r->t, "the force on an atom", e);
        for (int k = 0; k < 3; k++) r->f[r->n_f][k] *= MLK_RYDBERG / MLK_BOHR;
        r->n_f++;
    }
    return MLK_OK;
}

static mlk_status read_stress(reader *r, mlk_err *e)
{
    for (int a = 0; a < 3; a++) {
        MLK_TRY(next(r, e));
        const char *p = r->t.line;
        if (mlk_numbers(&p, 3, r->stress[a]) != 3)
            return mlk_text_expected(&r->t, "a row of the stress", e);
        for (int k = 0; k < 3; k++)
            r->stress[a][k] *= MLK_RYDBERG / (MLK_BOHR * MLK_BOHR * MLK_BOHR);
    }
    r->has_stress = true;
    return MLK_OK;
}

static mlk_status read_energy(reader *r, const char *p, mlk_err *e)
{
    p = strchr(p, '=');
    r->pending = p && (p++, mlk_number(&p, &r->energy));
    if (!r->pending) {
        mlk_log(MLK_LOG_WARN, "%s:%ld: the energy of step %d is not a number; the step is left out",
                r->t.path, r->t.number, r->step + 1);
        return MLK_OK;
    }
    r->energy *= MLK_RYDBERG;
    r->line = r->t.number;
    r->scf = MLK_SCF_UNKNOWN;
    r->n_f = 0;
    r->has_stress = false;
    (void)e;
    return MLK_OK;
}

/* The pending step is whole: give it away. */
static mlk_status deliver(reader *r, mlk_err *e)
{
    mlk_frame fr = {0};
    if (!r->pending) return MLK_OK;
    r->pending = false;
    if (!r->has_cell || !r->has_x) {
        MLK_FAIL(e, MLK_EFORMAT, "an energy before any structure");
        return mlk_err_at(e, r->t.path, r->line);
    }
    MLK_TRY(mlk_frame_init(&fr, r->n, e));
    mlk_status s = mlk_cell_init(&fr.cell, (const double(*)[3])r->h, e);
    memcpy(fr.z, r->z, r->n * sizeof *fr.z);
    memcpy(fr.x, r->x, r->n * sizeof *fr.x);
    fr.has = MLK_HAS_CELL | MLK_HAS_ENERGY;
    fr.energy = r->energy;
    fr.energy_kind = MLK_ENERGY_FREE;
    fr.scf = r->scf;
    if (r->n_f == r->n) {
        memcpy(fr.f, r->f, r->n * sizeof *fr.f);
        fr.has |= MLK_HAS_FORCE;
    }
    if (!s && r->has_stress) {
        for (int a = 0; a < 9; a++) (&fr.virial[0][0])[a] = (&r->stress[0][0])[a] * fr.cell.volume;
        fr.has |= MLK_HAS_VIRIAL;
    }
    fr.step = ++r->step;
    fr.line = r->line;
    fr.run = r->run > 1 ? r->run : 0;
    mlk_text_copy(fr.source, sizeof fr.source, r->t.path);
    snprintf(fr.theory, sizeof fr.theory, "PWSCF XC=%.30s ECUT=%.12s Ry PP=%.60s", r->xc, r->cutoff,
             r->pp);
    if (!s) s = mlk_frame_check(&fr, e);
    if (!s) s = r->fn(&fr, r->user, e);
    mlk_frame_free(&fr);
    return s ? mlk_err_at(e, r->t.path, r->line) : MLK_OK;
}

/* ---- lines ---- */

static void trimmed(char *dst, size_t cap, const char *s)
{
    s += strspn(s, " \t=");
    size_t n = strcspn(s, "(");
    while (n && isspace((unsigned char)s[n - 1])) n--;
    snprintf(dst, cap, "%.*s", (int)(n < cap ? n : cap - 1), s);
}

static mlk_status header_line(reader *r, mlk_err *e)
{
    const char *p;
    char text[32];
    if ((p = after(r, "celldm(1)="))) {
        snprintf(text, sizeof text, "%.15s", p);
        text[strcspn(text, "c")] = 0;
        p = text;
        if (!mlk_number(&p, &r->alat)) return mlk_text_expected(&r->t, "celldm(1)= a number", e);
        r->alat *= MLK_BOHR;
    } else if ((p = after(r, "lattice parameter (alat)  ="))) {
        if (!mlk_number(&p, &r->alat)) return mlk_text_expected(&r->t, "the lattice parameter", e);
        r->alat *= MLK_BOHR;
    } else if ((p = after(r, "Exchange-correlation"))) {
        trimmed(r->xc, sizeof r->xc, p);
    } else if ((p = after(r, "kinetic-energy cutoff     ="))) {
        double v;
        if (mlk_number(&p, &v)) snprintf(r->cutoff, sizeof r->cutoff, "%g", v);
    } else if (strstr(r->t.line, "PseudoPot. #")) {
        MLK_TRY(next(r, e));
        char name[64] = "";
        const char *base = mlk_path_base(r->t.line);
        sscanf(base, " %63s", name);
        size_t at = strlen(r->pp);
        snprintf(r->pp + at, sizeof r->pp - at, "%s%s", at ? "," : "", name);
    }
    return MLK_OK;
}

static bool step_over(const char *s)
{
    static const char *const marks[] = {
        "CELL_PARAMETERS", "ATOMIC_POSITIONS", "     End of",        "     Writing",
        "     init_run",   "   JOB DONE",      "     crystal axes:", "     Entering Dynamics"};
    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++)
        if (!strncmp(s, marks[k], strlen(marks[k]))) return true;
    return false;
}

static mlk_status take_line(reader *r, mlk_err *e)
{
    const char *s = r->t.line;
    if (r->pending && step_over(s)) MLK_TRY(deliver(r, e));
    if (*s == '!' && strstr(s, "total energy")) {
        MLK_TRY(deliver(r, e));
        return read_energy(r, s, e);
    }
    if (!strncmp(s, "CELL_PARAMETERS", 15)) return read_cell(r, e);
    if (!strncmp(s, "ATOMIC_POSITIONS", 16)) return read_positions(r, e);
    if (*s != ' ') return MLK_OK;
    if (strstr(s, "Program PWSCF")) {
        MLK_TRY(deliver(r, e));
        if (++r->run > 1)
            mlk_log(MLK_LOG_WARN, "%s:%ld: another run (number %d) begins in this file", r->t.path,
                    r->t.number, r->run);
        r->has_cell = r->has_x = false;
        r->pp[0] = 0;
    } else if (strstr(s, "crystal axes: (cart")) {
        return read_axes(r, e);
    } else if (strstr(s, "positions (alat units)")) {
        return read_sites(r, e);
    } else if (strstr(s, "atomic species   valence")) {
        return read_species(r, e);
    } else if (strstr(s, "Forces acting on atoms") && r->pending) {
        return read_forces(r, e);
    } else if (strstr(s, "total   stress") && r->pending) {
        return read_stress(r, e);
    } else if (strstr(s, "convergence has been achieved") && r->pending) {
        r->scf = MLK_SCF_CONVERGED;
    } else if (strstr(s, "convergence NOT achieved")) {
        r->scf = MLK_SCF_UNCONVERGED;
    } else {
        return header_line(r, e);
    }
    return MLK_OK;
}

static mlk_status read_all(reader *r, mlk_err *e)
{
    bool more, done = false;
    for (;;) {
        MLK_TRY(mlk_text_next(&r->t, &more, e));
        if (!more || r->t.open_ended) break;
        done = done ? !strstr(r->t.line, "Program PWSCF") : strstr(r->t.line, "JOB DONE") != NULL;
        MLK_TRY(take_line(r, e));
    }
    if (done && r->step) return MLK_OK;
    if (done)
        MLK_FAIL(e, MLK_EFORMAT, "holds no energy: not a self-consistent run");
    else
        MLK_FAIL(e, MLK_EFORMAT, "the file ends early, after %d complete steps", r->step);
    mlk_err_hint(e, "the run stopped, or is still going on%s",
                 r->step ? "; the complete steps are good" : "");
    return mlk_text_err(&r->t, e);
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    reader *r = mlk_alloc(1, sizeof *r);
    if (!r) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    r->fn = fn;
    r->user = user;
    mlk_status s = mlk_text_open(&r->t, path, e);
    if (!s) s = read_all(r, e);
    mlk_text_close(&r->t);
    mlk_free(r->z);
    mlk_free(r->x);
    mlk_free(r->f);
    mlk_free(r);
    return s;
}

static bool sniff(const char *path, const char *head, size_t n)
{
    (void)path, (void)n;
    return strstr(head, "Program PWSCF") != NULL;
}

extern const mlk_parser mlk_parser_espresso;
const mlk_parser mlk_parser_espresso = {
    .name = "espresso",
    .summary = "Quantum ESPRESSO pw.x output: scf, relax, md",
    .rank = MLK_RANK_GOOD,
    .sniff = sniff,
    .parse = parse,
};
