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

enum { CHUNK = 65536, DEPTH_MAX = 250, LEAF_MAX = 4096 };

// clang-format off
typedef enum node { /* SKIP: nothing below is of interest */
    SKIP, ROOT, MODELING, GENERATOR, PROGRAM, VERSION, INCAR, PARAMETERS, ELECTRONIC, IONIC, NELM,
    NELM_INCAR, TEBEG, SYSTEM, ATOMINFO, N_ATOMS, ATOMS, ATOM_ROW, ATOM_CELL, TYPES, TYPE_ROW,
    TYPE_CELL, CALCULATION, SCSTEP, STRUCTURE, CRYSTAL, BASIS, POSITIONS, FORCES, STRESS, BASIS_V,
    POSITIONS_V, FORCES_V, STRESS_V, ENERGY, E_FR, E_WO, E_0, KINETIC, ML_STRUCTURE
} node;
// clang-format on

/* A child `element` (with attribute name="attr"; NULL: no name attribute, "*": any) of `parent`
 * becomes `kind`; leaf: its text is wanted. */
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
    {GENERATOR, "i", "program", PROGRAM, true},
    {GENERATOR, "i", "version", VERSION, true},
    {MODELING, "incar", "*", INCAR, false},
    {INCAR, "i", "SYSTEM", SYSTEM, true},
    {INCAR, "i", "NELM", NELM_INCAR, true},
    {MODELING, "parameters", "*", PARAMETERS, false},
    {PARAMETERS, "separator", "electronic", ELECTRONIC, false},
    {ELECTRONIC, "separator", "electronic convergence", ELECTRONIC, false},
    {ELECTRONIC, "i", "NELM", NELM, true}, /* "linear response parameters" holds another NELM */
    {PARAMETERS, "separator", "*", IONIC, false},
    {IONIC, "separator", "*", IONIC, false},
    {IONIC, "i", "TEBEG", TEBEG, true},
    {MODELING, "atominfo", "*", ATOMINFO, false},
    {ATOMINFO, "atoms", "*", N_ATOMS, true},
    {ATOMINFO, "array", "atoms", ATOMS, false},
    {ATOMS, "set", "*", ATOMS, false},
    {ATOMS, "rc", "*", ATOM_ROW, false},
    {ATOM_ROW, "c", "*", ATOM_CELL, true},
    {ATOMINFO, "array", "atomtypes", TYPES, false},
    {TYPES, "set", "*", TYPES, false},
    {TYPES, "rc", "*", TYPE_ROW, false},
    {TYPE_ROW, "c", "*", TYPE_CELL, true},
    {MODELING, "calculation", "*", CALCULATION, false},
    {CALCULATION, "scstep", "*", SCSTEP, false},
    {CALCULATION, "structure", "*", STRUCTURE, false},
    {STRUCTURE, "crystal", "*", CRYSTAL, false},
    {CRYSTAL, "varray", "basis", BASIS, false},
    {BASIS, "v", "*", BASIS_V, true},
    {STRUCTURE, "varray", "positions", POSITIONS, false},
    {POSITIONS, "v", "*", POSITIONS_V, true},
    {CALCULATION, "varray", "forces", FORCES, false},
    {FORCES, "v", "*", FORCES_V, true},
    {CALCULATION, "varray", "stress", STRESS, false},
    {STRESS, "v", "*", STRESS_V, true},
    {CALCULATION, "energy", "*", ENERGY, false},
    {ENERGY, "i", "e_fr_energy", E_FR, true},
    {ENERGY, "i", "e_wo_entrp", E_WO, true},
    {ENERGY, "i", "e_0_energy", E_0, true},
    {ENERGY, "i", "kinetic", KINETIC, true},
    {MODELING, "structure", NULL, ML_STRUCTURE, false},
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
    mlk_status status; /* of the callback, or of a fatal error               */
    bool stop;         /* deliver nothing more                               */
    bool ending, cut;  /* the data are at their end; they end too early      */
    node stack[DEPTH_MAX];
    int depth;
    char leaf[LEAF_MAX]; /* text of the current leaf, cut if longer          */
    size_t leaf_n;
    bool in_leaf, leaf_cut;
    bool root_seen, root_closed;

    char program[64], version[64], system[64];
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
    return (long)xmlSAX2GetLineNumber(p->xml);
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

/* Symbols that are no element ("X" for Xe) are looked up in the POTCAR title of their type. */
static void end_atominfo(state *p)
{
    char msg[192];
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

static void end_leaf(state *p, node kind)
{
    p->leaf[p->leaf_n] = 0;
    switch (kind) {
    case PROGRAM:
        copy_trimmed(p->program, sizeof p->program, p->leaf);
        break;
    case VERSION:
        copy_trimmed(p->version, sizeof p->version, p->leaf);
        break;
    case SYSTEM:
        copy_trimmed(p->system, sizeof p->system, p->leaf);
        break;
    case NELM:
        p->nelm = number_or_nan(p->leaf);
        break;
    case NELM_INCAR:
        p->nelm_incar = number_or_nan(p->leaf);
        break;
    case TEBEG:
        p->tebeg = number_or_nan(p->leaf);
        break;
    case N_ATOMS:
        p->n_atoms = atol(p->leaf);
        break;
    case ATOM_CELL:
        add_atom_cell(p);
        break;
    case TYPE_CELL:
        if (p->column++ == 4 && !MLK_GROW(p->type_z, p->type_z_cap, p->n_type + 1, p->e))
            p->type_z[p->n_type++] = mlk_vasprun_potcar_z(p->leaf);
        break;
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
        break;
    }
}

static bool attr_is(const char *want, int n, const xmlChar **at)
{
    if (want && !strcmp(want, "*")) return true;
    for (int k = 0; k < n; k++) {
        const char *key = (const char *)at[5 * k], *v = (const char *)at[5 * k + 3];
        size_t len = (size_t)(at[5 * k + 4] - at[5 * k + 3]);
        if (strcmp(key, "name")) continue;
        return want && strlen(want) == len && !strncmp(want, v, len);
    }
    return !want;
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_ns, const xmlChar **ns, int n_at, int n_def, const xmlChar **at)
{
    state *p = user;
    (void)prefix, (void)uri, (void)n_ns, (void)ns, (void)n_def;
    if (p->stop) return;
    if (p->depth + 1 >= DEPTH_MAX) {
        fatal(p, MLK_EFORMAT, line_of(p), "the elements are nested too deeply");
        return;
    }
    node parent = p->stack[p->depth], kind = SKIP;
    bool leaf = false;
    for (size_t k = 0; parent != SKIP && k < sizeof rules / sizeof *rules; k++)
        if (rules[k].parent == parent && !strcmp((const char *)name, rules[k].element) &&
            attr_is(rules[k].attr, n_at, at)) {
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
    if (p->stop || p->depth == 0) return;
    node kind = p->stack[p->depth--];
    if (p->in_leaf) end_leaf(p, kind);
    p->in_leaf = false;
    if (kind == ATOMINFO && !p->stop) end_atominfo(p);
    if (kind == CALCULATION && !p->stop) end_step(p);
    if (kind == MODELING) p->root_closed = true;
}

static void on_text(void *user, const xmlChar *text, int len)
{
    state *p = user;
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
}

/* Feed the file to the parser. p->cut: the data end early. */
static mlk_status feed(state *p, mlk_stream *in)
{
    char *buf = mlk_alloc(CHUNK, 1);
    if (!buf) return MLK_FAIL(p->e, MLK_ENOMEM, "no memory to read %s", p->path);
    mlk_status s = MLK_OK;
    while (!s && !p->stop) {
        size_t got;
        mlk_err why = {0};
        s = mlk_stream_read(in, buf, CHUNK, &got, &why);
        if (!s && got == 0) break;
        if (!s) xmlParseChunk(p->xml, buf, (int)got, 0);
        if (s == MLK_EFORMAT) {
            s = MLK_OK;
            p->cut = true;
            break;
        }
        if (s) *p->e = why;
    }
    mlk_free(buf);
    p->ending = true;
    if (!s && !p->stop && !p->cut) xmlParseChunk(p->xml, "", 0, 1);
    return s;
}

/* What a file without an error still may lack. */
static mlk_status verdict(state *p)
{
    long line = line_of(p);
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
                     "the file ends early, inside ionic step %ld; %ld complete steps before it",
                     p->n_calc, p->n_out);
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
    p->stack[0] = ROOT;
    p->nelm = p->nelm_incar = p->tebeg = NAN;
    mlk_status s = MLK_OK;
    xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
                         .startElementNs = on_start,
                         .endElementNs = on_end,
                         .characters = on_text,
                         .cdataBlock = on_text,
                         .getEntity = on_entity,
                         .serror = (xmlStructuredErrorFunc)on_error};
    mlk_stream *in = NULL;
    MLK_GO(mlk_stream_open(&in, path, p->e));
    p->xml = xmlCreatePushParserCtxt(&sax, p, NULL, 0, path);
    if (!p->xml) {
        s = MLK_FAIL(p->e, MLK_ENOMEM, "no memory to read %s", path);
        goto done;
    }
    xmlCtxtUseOptions(p->xml, XML_PARSE_BIG_LINES | XML_PARSE_NONET | XML_PARSE_RECOVER);
    MLK_GO(feed(p, in));
    s = p->status;
    if (!p->stop || p->cut) s = verdict(p);
    if (s == MLK_EFORMAT && p->n_out && !p->cut && p->stop)
        mlk_err_prefix(p->e, "%ld complete ionic steps, then: ", p->n_out);
done:
    if (p->xml) {
        if (p->xml->myDoc) xmlFreeDoc(p->xml->myDoc);
        xmlFreeParserCtxt(p->xml);
    }
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
    .rank = MLK_RANK_GOOD,
    .sniff = sniff,
    .parse = parse,
};
