/* vasprun.c - VASP's vasprun.xml, read with libxml2's push parser: one ionic step in memory.
 * The only file that names libxml2. Elements are recognised by their whole parent path (table
 * `rules`), never by name alone: `energy`, `structure` and `positions` occur at several depths.
 * Facts honoured (docs/FORMATS.md): calculation/energy/e_fr_energy is the energy whose derivative
 * the forces are; stress is in kB, positive under compression, so W = value * volume; up to
 * VASP 6.0 the other two energy names are shifted; machine-learned steps stand outside
 * `calculation`. Not here: eigenvalues, density of states, projections (skipped unread). */
#include "parsers/vasprun.h"

#include <ctype.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/element.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/stream.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "parsers/text.h"

enum {
    CHUNK = 65536,
    HEAD = 256,          /* the XML declaration stands within so many bytes                      */
    REFERENCE_MAX = 64,  /* bytes of "&name;"                                                    */
    DEPTH_MAX = 250,     /* of nested elements                                                   */
    LEAF_MAX = 4096,     /* bytes of a text that is used                                         */
    QUIET_MAX = 1 << 18, /* libxml2 keeps a tag, comment or DTD until its end: so long at most  */
    NAMES_MAX = 4096     /* different names of elements and attributes; VASP has some hundreds  */
};
static const char ROOT_END[] = "</modeling>";

// clang-format off
typedef enum node { /* SKIP: nothing below is of interest */
    SKIP, ROOT, MODELING, GENERATOR, PROGRAM, VERSION, INCAR, PARAMETERS, ELECTRONIC, SECTION, NELM,
    NELM_INCAR, TEBEG, SYSTEM, ENCUT, GGA, METAGGA, IVDW, LVDW, LDAU, HYBRID, AEXX, HFSCREEN, ATOMINFO, N_ATOMS, ATOMS, ATOM_ROW, ATOM_CELL, TYPES, TYPE_ROW,
    TYPE_CELL, CALCULATION, SCSTEP, STRUCTURE, CRYSTAL, BASIS, POSITIONS, FORCES, STRESS, BASIS_V,
    POSITIONS_V, FORCES_V, STRESS_V, ENERGY, E_FR, E_WO, E_0, KINETIC, ML_STRUCTURE, N_NODE
} node;
// clang-format on

/* A child `element` (with attribute name="attr"; NULL: no name attribute, "*": any) of `parent`
 * becomes `kind`; leaf: its text is wanted. The rules of one parent stand together. */
typedef struct rule {
    node parent;
    const char *element, *attr;
    node kind;
    bool leaf;
} rule;

// clang-format off
static const rule rules[] = {
    {ROOT, "modeling", "*", MODELING, false},
    {MODELING, "generator", "*", GENERATOR, false},
    {MODELING, "incar", "*", INCAR, false},
    {MODELING, "parameters", "*", PARAMETERS, false},
    {MODELING, "atominfo", "*", ATOMINFO, false},
    {MODELING, "calculation", "*", CALCULATION, false},
    {MODELING, "v", "LVDW", LVDW, true}, /* VASP 5.2 */
    {MODELING, "structure", NULL, ML_STRUCTURE, false},
    {GENERATOR, "i", "program", PROGRAM, true},
    {GENERATOR, "i", "version", VERSION, true},
    {INCAR, "i", "SYSTEM", SYSTEM, true},
    {INCAR, "i", "NELM", NELM_INCAR, true},
    {INCAR, "i", "GGA", GGA, true}, /* parameters come later and win */
    {INCAR, "i", "METAGGA", METAGGA, true},
    {INCAR, "i", "IVDW", IVDW, true},
    {INCAR, "i", "LVDW", LVDW, true},
    {INCAR, "v", "LVDW", LVDW, true},
    {PARAMETERS, "separator", "electronic", ELECTRONIC, false},
    {PARAMETERS, "separator", "*", SECTION, false},
    {PARAMETERS, "i", "LDAU", LDAU, true},
    {PARAMETERS, "i", "IVDW", IVDW, true},
    {PARAMETERS, "i", "LVDW", LVDW, true},
    {ELECTRONIC, "separator", "electronic convergence", ELECTRONIC, false},
    {ELECTRONIC, "i", "NELM", NELM, true}, /* "linear response parameters" holds another NELM */
    {ELECTRONIC, "i", "ENMAX", ENCUT, true}, /* ENCUT of INCAR, or its default */
    {ELECTRONIC, "separator", "electronic exchange-correlation", SECTION, false},
    {SECTION, "separator", "*", SECTION, false},
    {SECTION, "i", "TEBEG", TEBEG, true},
    {SECTION, "i", "GGA", GGA, true},
    {SECTION, "i", "METAGGA", METAGGA, true},
    {SECTION, "i", "IVDW", IVDW, true},
    {SECTION, "i", "LDAU", LDAU, true}, /* VASP 4.6 */
    {SECTION, "i", "LHFCALC", HYBRID, true},
    {SECTION, "i", "AEXX", AEXX, true},
    {SECTION, "i", "HFSCREEN", HFSCREEN, true},
    {ATOMINFO, "atoms", "*", N_ATOMS, true},
    {ATOMINFO, "array", "atoms", ATOMS, false},
    {ATOMINFO, "array", "atomtypes", TYPES, false},
    {ATOMS, "set", "*", ATOMS, false},
    {ATOMS, "rc", "*", ATOM_ROW, false},
    {ATOM_ROW, "c", "*", ATOM_CELL, true},
    {TYPES, "set", "*", TYPES, false},
    {TYPES, "rc", "*", TYPE_ROW, false},
    {TYPE_ROW, "c", "*", TYPE_CELL, true},
    {CALCULATION, "scstep", "*", SCSTEP, false},
    {CALCULATION, "structure", "*", STRUCTURE, false},
    {CALCULATION, "varray", "forces", FORCES, false},
    {CALCULATION, "varray", "stress", STRESS, false},
    {CALCULATION, "energy", "*", ENERGY, false},
    {STRUCTURE, "crystal", "*", CRYSTAL, false},
    {STRUCTURE, "varray", "positions", POSITIONS, false},
    {CRYSTAL, "varray", "basis", BASIS, false},
    {BASIS, "v", "*", BASIS_V, true},
    {POSITIONS, "v", "*", POSITIONS_V, true},
    {FORCES, "v", "*", FORCES_V, true},
    {STRESS, "v", "*", STRESS_V, true},
    {ENERGY, "i", "e_fr_energy", E_FR, true},
    {ENERGY, "i", "e_wo_entrp", E_WO, true},
    {ENERGY, "i", "e_0_energy", E_0, true},
    {ENERGY, "i", "kinetic", KINETIC, true},
};
// clang-format on

typedef struct rows {
    double (*v)[3]; /* (n,3) */
    size_t cap, n;
    long line, bad; /* first line; line of the first unreadable row, 0 if none */
} rows;

typedef struct state {
    const char *path;
    mlk_frame_fn fn;
    void *user;
    mlk_err *e;
    xmlParserCtxtPtr xml;
    mlk_status status;                /* of the callback, or of a fatal error               */
    bool latin1;                      /* the bytes are ISO-8859-1: converted here           */
    bool wide;                        /* UTF-16 or UTF-32: zero bytes are normal */
    size_t quiet;                     /* bytes since libxml2 last called back               */
    int run;                          /* of the file; 0 while there is only one             */
    long line0;                       /* lines before this run                              */
    long end_line;                    /* of </modeling> and the blank lines behind it       */
    bool stop;                        /* deliver nothing more                               */
    bool ending, cut;                 /* the data are at their end; they end too early      */
    unsigned char rule_of[N_NODE][2]; /* first rule with this parent, one behind the last */
    node stack[DEPTH_MAX];
    int depth;
    char leaf[LEAF_MAX]; /* text of the current leaf, cut if longer          */
    size_t leaf_n;
    bool in_leaf, leaf_cut;
    bool root_seen, root_closed;

    char program[64], version[64], system[64];
    mlk_vasprun_level level;
    char theory[128];
    double nelm, nelm_incar, tebeg;
    long n_atoms; /* promised by atominfo/atoms, 0 when absent */
    int *z, *type;
    size_t z_cap, type_cap, n_z;
    long atom_line; /* of the first atom of unknown element */
    char unknown[16];
    int *type_z; /* by the POTCAR title, per type */
    size_t type_z_cap, n_type;
    int column;

    long step_line, n_calc, n_ml, n_out;
    long n_scf;
    bool has_structure;
    rows basis, x, f, stress;
    double e_fr, e_wo, e_0, kinetic;
    bool has_e;
    long n_no_force, n_no_structure;
} state;

static long line_of(const state *p)
{
    return p->line0 + (long)xmlSAX2GetLineNumber(p->xml);
}

static void fatal(state *p, mlk_status code, long line, const char *msg)
{
    if (p->stop) return;
    p->stop = true;
    p->status = code;
    MLK_FAIL(p->e, code, "%s", msg);
    mlk_err_at(p->e, p->path, line);
}

static double number_or_nan(const char *s)
{
    double v;
    return mlk_vasprun_numbers(s, 1, &v) ? v : NAN;
}

static void copy_trimmed(char *dst, size_t cap, const char *s)
{
    while (isspace((unsigned char)*s)) s++;
    size_t n = strlen(s);
    while (n && isspace((unsigned char)s[n - 1])) n--;
    snprintf(dst, cap, "%.*s", (int)(n < cap ? n : cap - 1), s);
    if (xmlCheckUTF8((const unsigned char *)dst)) return;
    for (char *c = dst; *c; c++) /* of another encoding, or cut within a character */
        if ((unsigned char)*c >= 0x80) *c = '?';
}

static void add_row(state *p, rows *r, size_t max, const char *what)
{
    char msg[128];
    if (r->n == max) {
        snprintf(msg, sizeof msg, "more than %zu %s rows in ionic step %ld", max, what, p->n_calc);
        fatal(p, MLK_EFORMAT, line_of(p), msg);
        return;
    }
    mlk_status s = MLK_GROW(r->v, r->cap, r->n + 1, p->e);
    if (s) {
        p->status = s;
        p->stop = true;
        return;
    }
    if ((p->leaf_cut || !mlk_vasprun_numbers(p->leaf, 3, r->v[r->n])) && !r->bad)
        r->bad = line_of(p);
    r->n++;
}

static void add_atom_cell(state *p)
{
    if (p->column == 0) {
        if (MLK_GROW(p->z, p->z_cap, p->n_z + 1, p->e) ||
            MLK_GROW(p->type, p->type_cap, p->n_z + 1, p->e)) {
            p->status = MLK_ENOMEM;
            p->stop = true;
            return;
        }
        char *end = strchr(p->leaf, '/'); /* newest versions append a hash */
        if (end) *end = 0;
        p->z[p->n_z] = mlk_element_z(p->leaf);
        p->type[p->n_z] = 0;
        if (!p->z[p->n_z] && !p->atom_line) {
            p->atom_line = line_of(p);
            copy_trimmed(p->unknown, sizeof p->unknown, p->leaf);
        }
        p->n_z++;
    } else if (p->column == 1 && p->n_z) {
        p->type[p->n_z - 1] = atoi(p->leaf);
    }
    p->column++;
}

static void add_type_cell(state *p)
{
    if (p->column++ != 4) return;
    if (MLK_GROW(p->type_z, p->type_z_cap, p->n_type + 1, p->e)) {
        p->status = MLK_ENOMEM;
        p->stop = true;
        return;
    }
    p->type_z[p->n_type++] = mlk_vasprun_potcar_z(p->leaf);
    mlk_vasprun_level_potcar(&p->level, p->leaf);
}

/* Symbols that are no element ("X" for Xe) are looked up in the POTCAR title of their type. */
static void end_atominfo(state *p)
{
    char msg[192];
    mlk_vasprun_level_text(&p->level, p->program, p->version, p->theory, sizeof p->theory);
    for (size_t i = 0; i < p->n_z; i++) {
        int t = p->type[i];
        if (!p->z[i] && t >= 1 && (size_t)t <= p->n_type) p->z[i] = p->type_z[t - 1];
        if (p->z[i]) continue;
        snprintf(msg, sizeof msg, "atom %zu is of an unknown element '%s'", i + 1, p->unknown);
        fatal(p, MLK_EFORMAT, p->atom_line, msg);
        mlk_err_hint(p->e,
                     "neither atominfo/atoms nor the POTCAR title in atomtypes names an element");
        return;
    }
    if (p->n_atoms && (size_t)p->n_atoms != p->n_z) {
        snprintf(msg, sizeof msg, "%zu rows in atominfo/atoms, expected %ld", p->n_z, p->n_atoms);
        fatal(p, MLK_EFORMAT, line_of(p), msg);
    }
}

static void begin_step(state *p)
{
    p->n_calc++;
    p->step_line = line_of(p);
    p->n_scf = 0;
    p->has_structure = p->has_e = false;
    p->basis.n = p->x.n = p->f.n = p->stress.n = 0;
    p->basis.bad = p->x.bad = p->f.bad = p->stress.bad = 0;
    p->e_fr = p->e_wo = p->e_0 = p->kinetic = NAN;
}

static void wrong_count(state *p, const char *what, size_t got)
{
    char msg[128];
    snprintf(msg, sizeof msg, "%zu %s rows, expected %zu (ionic step %ld)", got, what, p->n_z,
             p->n_calc);
    fatal(p, MLK_EFORMAT, line_of(p), msg);
}

static mlk_status fill(state *p, mlk_frame *fr)
{
    const double(*h)[3] = (const double(*)[3])p->basis.v;
    MLK_TRY(mlk_frame_init(fr, p->n_z, p->e));
    if (mlk_cell_init(&fr->cell, h, NULL))
        return MLK_FAIL(p->e, MLK_EFORMAT, "the lattice vectors of ionic step %ld span no volume",
                        p->n_calc);
    fr->has = MLK_HAS_CELL;
    memcpy(fr->z, p->z, p->n_z * sizeof *fr->z);
    for (size_t i = 0; i < p->n_z; i++) mlk_cell_cart(&fr->cell, p->x.v[i], fr->x[i]);
    if (p->f.n && !p->f.bad) {
        memcpy(fr->f, p->f.v, p->n_z * sizeof *fr->f);
        fr->has |= MLK_HAS_FORCE;
    }
    if (isfinite(p->e_fr)) {
        fr->energy = p->e_fr;
        fr->energy_kind = MLK_ENERGY_FREE;
        fr->energy0 = mlk_vasprun_energy0(p->program, p->version, p->e_fr, p->e_wo, p->e_0);
        fr->has |= MLK_HAS_ENERGY;
    }
    if (p->stress.n == 3 && !p->stress.bad) {
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                fr->virial[a][b] = p->stress.v[a][b] * MLK_KBAR_EVA3 * fr->cell.volume;
        fr->has |= MLK_HAS_VIRIAL;
    }
    double nelm = isfinite(p->nelm) ? p->nelm : p->nelm_incar;
    if (p->n_scf > 0 && isfinite(nelm) && (double)p->n_scf <= nelm)
        fr->scf = (double)p->n_scf < nelm ? MLK_SCF_CONVERGED : MLK_SCF_UNCONVERGED;
    /* three degrees of freedom less: the centre of mass rests */
    if (isfinite(p->kinetic) && p->n_z > 1)
        fr->temperature = 2 * p->kinetic / ((3 * (double)p->n_z - 3) * MLK_KB);
    else if (!mlk_vasprun_is_vasp(p->program) && p->tebeg >= 1)
        fr->temperature = p->tebeg;
    fr->step = (int)(p->n_calc + p->n_ml);
    fr->line = p->step_line;
    fr->run = p->run;
    mlk_text_copy(fr->theory, sizeof fr->theory, p->theory);
    mlk_text_copy(fr->source, sizeof fr->source, p->path);
    if (strcmp(p->system, "unknown system"))
        mlk_text_copy(fr->config_type, sizeof fr->config_type, p->system);
    return MLK_OK;
}

static void end_step(state *p)
{
    if (p->f.n && p->f.n != p->n_z) {
        wrong_count(p, "force", p->f.n);
        return;
    }
    if (p->has_structure && p->x.n != p->n_z) {
        wrong_count(p, "position", p->x.n);
        return;
    }
    if (!p->has_structure || p->basis.n != 3 || p->n_z == 0 || p->basis.bad || p->x.bad) {
        long bad = p->basis.bad ? p->basis.bad : p->x.bad;
        if (bad)
            mlk_log(MLK_LOG_WARN, "%s:%ld: ionic step %ld left out: a position is not a number",
                    p->path, bad, p->n_calc);
        p->n_no_structure++;
        return;
    }
    if (p->f.bad)
        mlk_log(MLK_LOG_WARN, "%s:%ld: the forces of ionic step %ld are not all numbers", p->path,
                p->f.bad, p->n_calc);
    if (p->has_e && !isfinite(p->e_fr))
        mlk_log(MLK_LOG_WARN, "%s:%ld: the energy of ionic step %ld is not a number", p->path,
                p->step_line, p->n_calc);
    mlk_frame fr = {0};
    mlk_status s = fill(p, &fr);
    if (!s) s = mlk_frame_check(&fr, p->e);
    if (!s) {
        s = p->fn(&fr, p->user, p->e);
        p->n_out++;
    }
    mlk_frame_free(&fr);
    if (s) {
        p->status = s;
        p->stop = true;
        mlk_err_at(p->e, p->path, p->step_line);
    }
}

static bool is_true(const char *s)
{
    s += strspn(s, " .");
    return *s == 'T' || *s == 't';
}

/* Texts that stand before the first step. */
static void header_leaf(state *p, node kind)
{
    mlk_vasprun_level *l = &p->level;
    struct {
        node kind;
        char *text;
        size_t cap;
    } texts[] = {{PROGRAM, p->program, sizeof p->program},
                 {VERSION, p->version, sizeof p->version},
                 {SYSTEM, p->system, sizeof p->system},
                 {GGA, l->gga, sizeof l->gga},
                 {METAGGA, l->metagga, sizeof l->metagga}};
    struct {
        node kind;
        double *number;
    } numbers[] = {{NELM, &p->nelm},        {NELM_INCAR, &p->nelm_incar},
                   {TEBEG, &p->tebeg},      {ENCUT, &l->encut},
                   {IVDW, &l->ivdw},        {AEXX, &l->aexx},
                   {HFSCREEN, &l->hfscreen}};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
        if (texts[k].kind == kind) {
            copy_trimmed(texts[k].text, texts[k].cap, p->leaf);
            return;
        }
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        if (numbers[k].kind == kind) {
            *numbers[k].number = number_or_nan(p->leaf);
            return;
        }
    if (kind == LDAU) l->ldau = is_true(p->leaf);
    if (kind == HYBRID) l->hybrid = is_true(p->leaf);
    if (kind == LVDW && is_true(p->leaf) && !isfinite(l->ivdw)) l->ivdw = 1;
    if (kind == N_ATOMS) p->n_atoms = atol(p->leaf);
}

static void end_leaf(state *p, node kind)
{
    p->leaf[p->leaf_n] = 0;
    switch (kind) {
    case BASIS_V:
        add_row(p, &p->basis, 3, "lattice vector");
        break;
    case POSITIONS_V:
        add_row(p, &p->x, p->n_z, "position");
        break;
    case FORCES_V:
        add_row(p, &p->f, p->n_z, "force");
        break;
    case STRESS_V:
        add_row(p, &p->stress, 3, "stress");
        break;
    case ATOM_CELL:
        add_atom_cell(p);
        break;
    case TYPE_CELL:
        add_type_cell(p);
        break;
    case E_FR:
        p->e_fr = number_or_nan(p->leaf);
        p->has_e = true;
        break;
    case E_WO:
        p->e_wo = number_or_nan(p->leaf);
        break;
    case E_0:
        p->e_0 = number_or_nan(p->leaf);
        break;
    case KINETIC:
        p->kinetic = number_or_nan(p->leaf);
        break;
    default:
        header_leaf(p, kind);
    }
}

static void index_rules(state *p)
{
    for (size_t k = 0; k < sizeof rules / sizeof *rules; k++) {
        unsigned char *r = p->rule_of[rules[k].parent];
        if (r[1] == 0) r[0] = (unsigned char)k;
        r[1] = (unsigned char)(k + 1);
    }
}

static bool attr_is(const char *want, int n, const xmlChar **at)
{
    if (want && !strcmp(want, "*")) return true;
    for (int k = 0; k < n; k++) {
        const char *key = (const char *)at[5 * k], *v = (const char *)at[5 * k + 3];
        size_t len = (size_t)(at[5 * k + 4] - at[5 * k + 3]);
        if (strcmp(key, "name")) continue;
        while (len && v[len - 1] == ' ') len--; /* VASP 6.4.3 prints name="GGA    " */
        return want && strlen(want) == len && !strncmp(want, v, len);
    }
    return !want;
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_ns, const xmlChar **ns, int n_at, int n_def, const xmlChar **at)
{
    state *p = user;
    (void)prefix, (void)uri, (void)n_ns, (void)ns, (void)n_def;
    p->quiet = 0;
    if (p->stop) return;
    if (p->depth + 1 >= DEPTH_MAX) {
        fatal(p, MLK_EFORMAT, line_of(p), "the elements are nested too deeply");
        return;
    }
    node parent = p->stack[p->depth], kind = SKIP;
    bool leaf = false;
    for (size_t k = p->rule_of[parent][0]; k < p->rule_of[parent][1]; k++)
        if (!strcmp((const char *)name, rules[k].element) && attr_is(rules[k].attr, n_at, at)) {
            kind = rules[k].kind;
            leaf = rules[k].leaf;
            break;
        }
    if (parent == ROOT && kind != MODELING) {
        char msg[128];
        snprintf(msg, sizeof msg, "the root element is <%.40s>, expected <modeling>", name);
        fatal(p, MLK_EFORMAT, line_of(p), msg);
        mlk_err_hint(p->e, "this XML file was not written by VASP");
        return;
    }
    p->stack[++p->depth] = kind;
    p->in_leaf = leaf;
    p->leaf_n = 0;
    p->leaf_cut = false;
    if (kind == MODELING) p->root_seen = true;
    if (kind == ATOMINFO) {
        p->n_z = p->n_type = 0;
        p->n_atoms = p->atom_line = 0;
    }
    if (kind == ATOM_ROW || kind == TYPE_ROW) p->column = 0;
    if (kind == CALCULATION) begin_step(p);
    if (kind == SCSTEP) p->n_scf++;
    if (kind == STRUCTURE) {
        p->has_structure = true;
        p->basis.n = p->x.n = 0;
    }
    if (kind == ML_STRUCTURE) p->n_ml++;
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    state *p = user;
    (void)name, (void)prefix, (void)uri;
    p->quiet = 0;
    if (p->stop || p->depth == 0) return;
    node kind = p->stack[p->depth--];
    if (p->in_leaf) end_leaf(p, kind);
    p->in_leaf = false;
    if (kind == ATOMINFO && !p->stop) end_atominfo(p);
    if (kind == CALCULATION && !p->stop) end_step(p);
    if (kind == MODELING) {
        p->root_closed = true;
        p->end_line = line_of(p);
    }
}

static void on_text(void *user, const xmlChar *text, int len)
{
    state *p = user;
    p->quiet = 0;
    if (p->stop || !p->in_leaf || len <= 0) return;
    size_t room = sizeof p->leaf - 1 - p->leaf_n, n = (size_t)len;
    if (n > room) {
        n = room;
        p->leaf_cut = true;
    }
    memcpy(p->leaf + p->leaf_n, text, n);
    p->leaf_n += n;
}

static xmlEntityPtr on_entity(void *user, const xmlChar *name)
{
    (void)user;
    return xmlGetPredefinedEntity(name); /* no other is ever known or loaded */
}

/* The parser runs in recovery mode because the title (SYSTEM) copies what a user typed: a stray '&'
 * or control character there is harmless. Every other error ends the reading. */
static void on_error(void *user, xmlErrorPtr err)
{
    state *p = user;
    if (p->stop || err->level < XML_ERR_ERROR) return;
    if (p->ending) {
        p->stop = p->cut = true; /* whatever is open stays open: see verdict */
        return;
    }
    node here = p->stack[p->depth];
    bool text = err->code == XML_ERR_INVALID_CHAR || err->code == XML_ERR_NAME_REQUIRED ||
                err->code == XML_ERR_ENTITYREF_SEMICOL_MISSING ||
                err->code == XML_ERR_UNDECLARED_ENTITY || err->code == XML_WAR_UNDECLARED_ENTITY;
    if (text && (here == SYSTEM || here == SKIP)) return;
    char msg[256];
    copy_trimmed(msg, sizeof msg, err->message ? err->message : "not well formed");
    p->stop = true;
    p->status = MLK_EFORMAT;
    MLK_FAIL(p->e, MLK_EFORMAT, "not well-formed XML: %s", msg);
    mlk_err_at(p->e, p->path, line_of(p));
    if (err->code == XML_ERR_RESERVED_XML_NAME)
        mlk_err_hint(p->e, "another run begins here and the one before it was cut off; give each "
                           "run a file of its own");
}

/* Conversion between encodings complains without a parser, to stderr if nobody listens. */
static void on_stray_error(void *user, xmlErrorPtr err)
{
    (void)user, (void)err;
}

/* Does the XML declaration name ISO-8859-1, as VASP's does? Then this file converts it, which takes
 * libxml2 a fifth of the whole reading; every other encoding is left to libxml2. */
static bool declares_latin1(const char *s, size_t n)
{
    char head[HEAD];
    if (n < 5 || memcmp(s, "<?xml", 5)) return false;
    snprintf(head, sizeof head, "%.*s", (int)(n < sizeof head ? n : sizeof head - 1), s);
    char *end = strstr(head, "?>");
    if (!end) return false;
    *end = 0;
    return strstr(head, "encoding=\"ISO-8859-1\"") || strstr(head, "encoding='ISO-8859-1'");
}

static bool ascii(const char *s, size_t n)
{
    uint64_t all = 0, w;
    size_t k = 0;
    for (; k + sizeof w <= n; k += sizeof w) {
        memcpy(&w, s + k, sizeof w);
        all |= w;
    }
    for (; k < n; k++) all |= (unsigned char)s[k];
    return !(all & 0x8080808080808080u);
}

static void push_utf8(state *p, const char *s, size_t n)
{
    xmlParseChunk(p->xml, s, (int)n, 0);
}

/* Hand bytes to libxml2, in UTF-8 if they are known to be ISO-8859-1. */
static void push_bytes(state *p, const char *s, size_t n)
{
    char u[2048];
    p->quiet += n;
    if (!p->latin1 || ascii(s, n)) {
        if (n) push_utf8(p, s, n);
    } else {
        for (size_t k = 0, m = 0; k < n; k++) {
            unsigned char c = (unsigned char)s[k];
            if (c >= 0x80) u[m++] = (char)(0xc0 | c >> 6);
            u[m++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
            if (m + 2 > sizeof u || k + 1 == n) {
                push_utf8(p, u, m);
                m = 0;
            }
        }
    }
}

/* "&name;" or "&#65;" */
static bool is_reference(const char *s, size_t n)
{
    size_t k = n > 1 && s[1] == '#' ? 2 : 1, from = k;
    while (k < n && k < REFERENCE_MAX &&
           (isalnum((unsigned char)s[k]) || (s[k] && strchr("._-", s[k]))))
        k++;
    return k > from && k < n && s[k] == ';';
}

/* libxml2 would search the whole rest of the file for the ';' of a lone '&' (a title such as
 * "S & P"). It gets a reference to nothing instead, which is an error where text counts. */
static void push_references(state *p, const char *s, size_t n)
{
    static const char nothing[] = "&lone-ampersand;";
    const char *end = s + n, *amp;
    for (const char *from = s; !p->wide && (amp = memchr(from, '&', (size_t)(end - from)));) {
        from = amp + 1;
        if (is_reference(amp, (size_t)(end - amp))) continue;
        push_bytes(p, s, (size_t)(amp - s));
        push_bytes(p, nothing, sizeof nothing - 1);
        s = from;
    }
    push_bytes(p, s, (size_t)(end - s));
}

/* What an evil or damaged file could make libxml2 hold in memory or do forever is refused. */
static void push(state *p, const char *s, size_t n)
{
    const char *nul = p->wide ? NULL : memchr(s, 0, n);
    push_references(p, s, nul ? (size_t)(nul - s) : n);
    if (p->stop) return;
    if (nul) {
        fatal(p, MLK_EFORMAT, line_of(p), "zero bytes instead of text");
        mlk_err_hint(p->e, "the disk was full or the machine stopped while the file was written");
    } else if (p->quiet > QUIET_MAX || xmlDictSize(p->xml->dict) > NAMES_MAX) {
        fatal(p, MLK_EFORMAT, line_of(p),
              p->quiet > QUIET_MAX ? "a tag, comment or DTD is longer than 256 kB"
                                   : "more than 4096 different names of elements and attributes");
        mlk_err_hint(p->e, "the file is damaged, or was not written by VASP");
    }
}

static void forget_run(state *p)
{
    p->depth = 0;
    p->stack[0] = ROOT;
    p->in_leaf = p->root_seen = p->root_closed = false;
    p->program[0] = p->version[0] = p->system[0] = p->theory[0] = 0;
    mlk_vasprun_level_init(&p->level);
    p->nelm = p->nelm_incar = p->tebeg = NAN;
    p->n_atoms = p->atom_line = 0;
    p->n_z = p->n_type = 0;
    p->n_calc = p->n_ml = 0;
    p->quiet = 0;
}

static void free_xml(state *p)
{
    if (!p->xml) return;
    if (p->xml->myDoc) xmlFreeDoc(p->xml->myDoc);
    xmlFreeParserCtxt(p->xml);
    p->xml = NULL;
}

/* A new XML document begins with these bytes, the first of the file or behind </modeling>. */
static void begin_run(state *p, const char *head, size_t n)
{
    xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
                         .startElementNs = on_start,
                         .endElementNs = on_end,
                         .characters = on_text,
                         .cdataBlock = on_text,
                         .getEntity = on_entity,
                         .serror = (xmlStructuredErrorFunc)on_error};
    free_xml(p);
    forget_run(p);
    p->latin1 = declares_latin1(head, n);
    p->wide = n > 3 && (!head[0] || !head[1] || (unsigned char)head[0] >= 0xfe);
    p->xml = xmlCreatePushParserCtxt(&sax, p, NULL, 0, p->path);
    if (!p->xml) {
        p->stop = true;
        p->status = MLK_FAIL(p->e, MLK_ENOMEM, "no memory to read %s", p->path);
        return;
    }
    xmlCtxtUseOptions(p->xml, XML_PARSE_BIG_LINES | XML_PARSE_NONET | XML_PARSE_RECOVER |
                                  (p->latin1 ? XML_PARSE_IGNORE_ENC : 0));
}

/* Behind the end of the root: blanks, or another run in the same file. Returns the bytes used. */
static size_t between_runs(state *p, const char *s, size_t n, bool last)
{
    size_t k = 0;
    for (; k < n && strchr(" \t\r\n", s[k]) && s[k]; k++) p->end_line += s[k] == '\n';
    if (k) push(p, s, k);
    if (k == n || (!last && n - k < HEAD)) return k;
    if ((n - k > 5 && !memcmp(s + k, "<?xml ", 6)) ||
        (n - k > 8 && !memcmp(s + k, "<modeling", 9))) {
        xmlParseChunk(p->xml, "", 0, 1);
        if (p->stop) return n;
        p->run = p->run ? p->run + 1 : 2;
        p->line0 = p->end_line - 1;
        mlk_log(MLK_LOG_WARN, "%s:%ld: run %d of this file begins; its steps are read too", p->path,
                p->end_line, p->run);
        begin_run(p, s + k, n - k);
        return k;
    }
    push(p, s + k, n - k); /* libxml2 says what is wrong with it */
    return n;
}

/* Where ROOT_END begins in s, or a beginning of it that the bytes end with; NULL if nowhere. */
static const char *find_root_end(const char *s, size_t n)
{
    const size_t len = sizeof ROOT_END - 1;
    const char *end = s + n;
    /* 'd' is rare in rows of numbers; it is the sixth byte of ROOT_END */
    for (const char *d = s; (d = memchr(d, ROOT_END[5], (size_t)(end - d))); d++)
        if (d - s >= 5 &&
            !memcmp(d - 5, ROOT_END, (size_t)(end - d) + 5 < len ? (size_t)(end - d) + 5 : len))
            return d - 5;
    for (size_t m = n < 5 ? n : 5; m > 0; m--)
        if (!memcmp(end - m, ROOT_END, m)) return end - m;
    return NULL;
}

/* Parse bytes; returns how many are done with: all, unless the rest is too short to be understood,
 * which cannot be at the end of the file (last). */
static size_t take(state *p, const char *s, size_t n, bool last)
{
    if (!p->xml) {
        if (n < HEAD && !last) return 0;
        begin_run(p, s, n);
    }
    for (size_t at = 0; !p->stop;) {
        if (p->root_closed) {
            size_t used = between_runs(p, s + at, n - at, last);
            at += used;
            if (p->root_closed || used == 0) return at;
        }
        const char *end = find_root_end(s + at, n - at);
        size_t m = end ? (size_t)(end - (s + at)) : n - at, len = sizeof ROOT_END - 1;
        bool whole = end && n - at - m >= len;
        if (whole)
            m += len;
        else if (last)
            m = n - at;
        else if (m > REFERENCE_MAX) {
            const char *amp = memchr(s + at + m - REFERENCE_MAX, '&', REFERENCE_MAX);
            if (amp) m = (size_t)(amp - (s + at));
        }
        push(p, s + at, m);
        at += m;
        if (at == n || !whole) return at;
    }
    return n;
}

/* Feed the file to the parser. p->cut: the data end early. */
static mlk_status feed(state *p, mlk_stream *in)
{
    char *buf = mlk_alloc(CHUNK + HEAD + sizeof ROOT_END, 1);
    if (!buf) return MLK_FAIL(p->e, MLK_ENOMEM, "no memory to read %s", p->path);
    mlk_status s = MLK_OK;
    size_t held = 0; /* bytes at the front of buf that take() left */
    while (!s && !p->stop) {
        size_t got = 0;
        mlk_err why = {0};
        s = mlk_stream_read(in, buf + held, CHUNK, &got, &why);
        if (s && s != MLK_EFORMAT) *p->e = why;
        if (s && s != MLK_EFORMAT) break;
        bool last = s || got == 0;
        size_t n = held + got, used = take(p, buf, n, last);
        if (s && !p->stop) p->cut = true;
        if (last) break;
        held = n - used;
        memmove(buf, buf + used, held);
    }
    mlk_free(buf);
    p->ending = true;
    if (!s && !p->stop) xmlParseChunk(p->xml, "", 0, 1);
    return s == MLK_EFORMAT ? MLK_OK : s;
}

/* What a file without an error still may lack. */
static mlk_status verdict(state *p)
{
    long line = line_of(p);
    char run[32] = "";
    if (p->run) snprintf(run, sizeof run, " of run %d", p->run);
    if (p->root_closed && !p->cut && p->n_out) {
        if (p->n_ml)
            mlk_log(MLK_LOG_INFO,
                    "%s: %ld DFT steps read; %ld steps predicted by VASP's own force field skipped",
                    p->path, p->n_out, p->n_ml);
        return MLK_OK;
    }
    if (!p->root_seen) {
        MLK_FAIL(p->e, MLK_EFORMAT, "holds no <modeling> element: not a vasprun.xml, or cut off");
        return mlk_err_at(p->e, p->path, line);
    }
    if (!p->root_closed || p->cut) {
        if (p->depth > 1 && p->n_calc && p->stack[2] == CALCULATION)
            MLK_FAIL(p->e, MLK_EFORMAT,
                     "the file ends early, inside ionic step %ld%s; %ld complete steps before it",
                     p->n_calc, run, p->n_out);
        else
            MLK_FAIL(p->e, MLK_EFORMAT, "the file ends early, after %ld complete ionic steps",
                     p->n_out);
        mlk_err_hint(p->e, p->n_out ? "the run was killed, is still going on, or the copy is "
                                      "incomplete; the complete steps are good"
                                    : "the run ended before its first ionic step; nothing to use");
        return mlk_err_at(p->e, p->path, line);
    }
    MLK_FAIL(p->e, MLK_EFORMAT,
             "holds no ionic step with a structure (%ld calculations, %ld of "
             "them without structure)",
             p->n_calc, p->n_no_structure);
    mlk_err_hint(p->e, "GW, optics and similar runs carry no forces; use the ground-state run");
    return mlk_err_at(p->e, p->path, line);
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    mlk_err own = {0};
    state *p = mlk_alloc(1, sizeof *p);
    if (!p) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    p->path = path;
    p->fn = fn;
    p->user = user;
    p->e = e ? e : &own;
    index_rules(p);
    xmlSetStructuredErrorFunc(NULL, (xmlStructuredErrorFunc)on_stray_error);
    mlk_status s = MLK_OK;
    mlk_stream *in = NULL;
    MLK_GO(mlk_stream_open(&in, path, p->e));
    MLK_GO(feed(p, in));
    s = p->status;
    if (!p->stop || p->cut) s = verdict(p);
    if (s == MLK_EFORMAT && p->n_out && !p->cut && p->stop)
        mlk_err_prefix(p->e, "%ld complete ionic steps, then: ", p->n_out);
done:
    free_xml(p);
    xmlSetStructuredErrorFunc(NULL, NULL);
    mlk_stream_close(in);
    mlk_free(p->z), mlk_free(p->type), mlk_free(p->type_z);
    mlk_free(p->basis.v), mlk_free(p->x.v), mlk_free(p->f.v), mlk_free(p->stress.v);
    mlk_free(p);
    return s;
}

static bool sniff(const char *path, const char *head, size_t n)
{
    (void)path, (void)n;
    if (!strncmp(head, "\xef\xbb\xbf", 3)) head += 3;
    while (isspace((unsigned char)*head)) head++;
    return !strncmp(head, "<?xml", 5) || !strncmp(head, "<modeling", 9);
}

extern const mlk_parser mlk_parser_vasprun;
const mlk_parser mlk_parser_vasprun = {
    .name = "vasprun",
    .summary = "VASP vasprun.xml, 4.6 to 6.x",
    .sniff = sniff,
    .parse = parse,
};
