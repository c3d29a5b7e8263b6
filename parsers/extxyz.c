/* extxyz.c - extended XYZ, the many dialects of it that carry DFT labels: frames and atoms. Keys
 * and column names are compared without case; REF_ and DFT_ prefixes are accepted and preferred.
 * vel / velo / velocities are A/fs; momenta are ASE's, sqrt(amu eV). The labels of the comment line
 * are in extxyz_labels.c, the writer in extxyz_write.c. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/element.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/opt.h"
#include "core/units.h"
#include "parsers/extxyz.h"
#include "parsers/cluster.h"
#include "parsers/parser.h"
#include "parsers/text.h"

enum {
    KEYS_MAX = 256,
    FIELDS_MAX = 64,
    COLUMNS_MAX = 512,
    ATOMS_MAX = 100000000,
    FIRST_ATOMS = 64
};

typedef enum { SKIP, SPECIES, NUMBER, POSITION, FORCE, VELOCITY, MOMENTUM } role;

static const char *const role_name[] = {"", "", "", "position", "force", "velocity", "velocity"};

/* A property of the atoms: consecutive columns. */
typedef struct field {
    role what;
    int width;
} field;

/* The decimals of the last number of the atom lines so far: does this file have a fixed format? */
typedef struct decimals {
    long same; /* lines that agree            */
    int n;     /* their decimals              */
    bool mixed;
} decimals;

typedef struct reader {
    mlk_text_in t;
    char *comment;
    size_t comment_cap;
    mlk_keyval kv[KEYS_MAX];
    mlk_xyz_head head;
    mlk_xyz_said said;
    field field[FIELDS_MAX];
    int n_field, n_column;
    bool stated;               /* Properties stands on the comment line              */
    bool has_force, has_speed; /* columns of this frame; force: as long as it is read */
    size_t cap_z, cap_x, cap_f, cap_v;
    decimals dec;
    char symbol[16]; /* of the atom before, and its number */
    int symbol_z;
} reader;

/* ---- columns ---- */

static role role_of(const char *name, char type, int *prefix)
{
    static const struct {
        const char *name;
        role what;
    } known[] = {{"species", SPECIES},     {"element", SPECIES},       {"elements", SPECIES},
                 {"symbol", SPECIES},      {"symbols", SPECIES},       {"z", NUMBER},
                 {"numbers", NUMBER},      {"atomic_numbers", NUMBER}, {"pos", POSITION},
                 {"positions", POSITION},  {"position", POSITION},     {"force", FORCE},
                 {"forces", FORCE},        {"vel", VELOCITY},          {"velo", VELOCITY},
                 {"velocities", VELOCITY}, {"momenta", MOMENTUM}};
    const char *base;
    *prefix = mlk_xyz_prefix(name, &base);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        if (strcmp(known[k].name, base)) continue;
        if (known[k].what == SPECIES && type != 'S') return SKIP;
        return *prefix && known[k].what != FORCE ? SKIP : known[k].what;
    }
    return SKIP;
}

static mlk_status bad_properties(reader *r, mlk_err *e, const char *expected, const char *s)
{
    return mlk_xyz_bad(&r->head, e, "Properties", expected, s);
}

/* Only one field may have each role: the first, for forces that of the best prefix. */
static void claim(reader *r, int *best, role what, int prefix)
{
    for (int k = 0; k < r->n_field; k++) {
        if (r->field[k].what != what) continue;
        if (what == FORCE && prefix > *best) {
            r->field[k].what = SKIP;
            break;
        }
        r->field[r->n_field].what = SKIP;
        return;
    }
    if (what == FORCE) *best = prefix;
}

static void name_unused_forces(reader *r, const char *name, int width)
{
    if (r->said.forces || width != 3 || !strstr(name, "force")) return;
    r->said.forces = true;
    mlk_log(MLK_LOG_INFO, "%s:%ld: the columns '%s' are not used", r->t.path, r->t.number, name);
}

static mlk_status add_field(reader *r, int *best, char *name, char type, int width, const char *all,
                            mlk_err *e)
{
    int prefix;
    for (char *p = name; *p; p++) *p = (char)tolower((unsigned char)*p);
    role what = role_of(name, type, &prefix);
    if (what != SKIP && width != (what == SPECIES || what == NUMBER ? 1 : 3))
        return bad_properties(r, e, "3 columns per vector and 1 per scalar", all);
    if (what == SKIP) name_unused_forces(r, name, width);
    r->n_column += width;
    if (what == SKIP && r->n_field && r->field[r->n_field - 1].what == SKIP) {
        r->field[r->n_field - 1].width += width;
        return MLK_OK;
    }
    if (r->n_field == FIELDS_MAX) return bad_properties(r, e, "at most 64 properties", all);
    r->field[r->n_field] = (field){what, width};
    if (what != SKIP) claim(r, best, what, prefix);
    r->n_field++;
    return MLK_OK;
}

static bool has_role(const reader *r, role what)
{
    for (int k = 0; k < r->n_field; k++)
        if (r->field[k].what == what) return true;
    return false;
}

/* Properties=species:S:1:pos:R:3:... */
static mlk_status read_properties(reader *r, mlk_err *e)
{
    const char *s = MLK_XYZ_FIND(&r->head, NULL, "properties");
    int best = -1;
    r->stated = s != NULL;
    r->n_field = r->n_column = 0;
    if (!s) s = "species:S:1:pos:R:3";
    for (const char *q = s; *q;) {
        char name[64];
        size_t n = strcspn(q, ":");
        long m = 0;
        char *end = NULL;
        if (n && n < sizeof name && q[n] && q[n + 1] && q[n + 2] == ':')
            m = strtol(q + n + 3, &end, 10);
        if (m < 1 || m > COLUMNS_MAX || (*end && *end != ':'))
            return bad_properties(r, e, "name:type:columns triples", s);
        memcpy(name, q, n);
        name[n] = 0;
        MLK_TRY(add_field(r, &best, name, q[n + 1], (int)m, s, e));
        if (r->n_column > COLUMNS_MAX) return bad_properties(r, e, "at most 512 columns", s);
        q = *end ? end + 1 : end;
    }
    if (!has_role(r, POSITION) || (!has_role(r, SPECIES) && !has_role(r, NUMBER)))
        return bad_properties(r, e, "a list with species (or Z) and pos", s);
    r->has_force = has_role(r, FORCE);
    r->has_speed = has_role(r, VELOCITY) || has_role(r, MOMENTUM);
    if (has_role(r, VELOCITY))
        for (int k = 0; k < r->n_field; k++)
            if (r->field[k].what == MOMENTUM) r->field[k].what = SKIP;
    return MLK_OK;
}

/* ---- atoms ---- */

static const char *after_blanks(const char *s)
{
    return s + strspn(s, " \t\r\f\v");
}

static const char *after_word(const char *s)
{
    s = after_blanks(s);
    return s + strcspn(s, " \t\r\f\v");
}

static mlk_status atom_err(reader *r, mlk_err *e, size_t i, const char *what, const char *at)
{
    at = after_blanks(at);
    int n = (int)(after_word(at) - at);
    MLK_FAIL(e, MLK_EFORMAT, "%s of atom %zu: '%.*s'", what, i + 1, n < 40 ? n : 40, at);
    return mlk_text_err(&r->t, e);
}

static mlk_status columns_err(reader *r, mlk_err *e, size_t i, size_t n)
{
    size_t m = 0;
    for (const char *s = after_blanks(r->t.line); *s; s = after_blanks(after_word(s))) m++;
    MLK_FAIL(e, MLK_EFORMAT, "%zu columns for atom %zu of %zu, expected %d", m, i + 1, n,
             r->n_column);
    return mlk_text_err(&r->t, e);
}

static int element(reader *r, const char *s, size_t n)
{
    if (n < sizeof r->symbol && !strncmp(r->symbol, s, n) && !r->symbol[n]) return r->symbol_z;
    long z = 0;
    if (n >= sizeof r->symbol) return 0;
    memcpy(r->symbol, s, n);
    r->symbol[n] = 0;
    z = mlk_element_z(r->symbol);
    if (!z && !mlk_parse_long(r->symbol, &z)) z = 0;
    if (z < 0 || z > MLK_ELEMENT_MAX) z = 0;
    r->symbol_z = (int)z;
    return r->symbol_z;
}

/* A column of atomic numbers, "8" or "8.0"; 0 when it holds anything else. */
static int atomic_number(const char *w)
{
    double v;
    return mlk_number(&w, &v) && v >= 1 && v <= MLK_ELEMENT_MAX && v == floor(v) ? (int)v : 0;
}

/* Z wins over the symbol, as in ASE; a contradiction is reported once. */
static mlk_status set_element(reader *r, mlk_frame *fr, size_t i, int z, int from_name,
                              const char *word, mlk_err *e)
{
    const int use = z ? z : from_name;
    if (use < 1 || use > MLK_ELEMENT_MAX) return atom_err(r, e, i, "unknown element", word);
    fr->z[i] = use;
    if (z && from_name >= 0 && from_name != z && !r->said.z) {
        r->said.z = true;
        mlk_log(MLK_LOG_WARN, "%s:%ld: species '%.*s' has Z = %d; Z is used", r->t.path,
                r->t.number, (int)(after_word(word) - word), word, z);
    }
    return MLK_OK;
}

/* Asterisks (the field was too narrow) or NaN in a force: the frame goes on without forces. */
static bool lost_force(reader *r, size_t i, const char *s)
{
    for (int k = 0; k < 3; k++) {
        const char *w = after_blanks(s), *end = after_word(w);
        if (mlk_number_lost(w)) {
            mlk_log(MLK_LOG_WARN,
                    "%s:%ld: the force of atom %zu is '%.*s': the forces of frame %d are not used",
                    r->t.path, r->t.number, i + 1, (int)(end - w), w, r->head.frame);
            return true;
        }
        s = end;
    }
    return false;
}

static mlk_status vector(reader *r, mlk_frame *fr, role what, const char **s, size_t i, size_t n,
                         mlk_err *e)
{
    double skipped[3];
    double *v = what == POSITION ? fr->x[i] : what == FORCE ? fr->f[i] : fr->v[i];
    const char *from = *s;
    if (what == FORCE && !r->has_force) v = skipped;
    if (mlk_numbers(s, 3, v) == 3) return MLK_OK;
    if (what == FORCE && (!r->has_force || lost_force(r, i, from))) {
        r->has_force = false;
        for (int k = 0; k < 3; k++) from = after_word(from);
        *s = from;
        return MLK_OK;
    }
    if (!*after_blanks(*s)) return columns_err(r, e, i, n);
    char text[64];
    snprintf(text, sizeof text, "not a number in the %s", role_name[what]);
    return atom_err(r, e, i, text, *s);
}

/* Characters behind the decimal point of the word that ends at `end`; 0 without a point. */
static int count_decimals(const char *line, const char *end)
{
    const char *p = end;
    while (p > line && p[-1] != '.' && !isspace((unsigned char)p[-1])) p--;
    return p > line && p[-1] == '.' ? (int)(end - p) : 0;
}

/* A last line without line end may have been cut inside its last number, which then is another
 * number. It is whole if all numbers of that kind have the same decimals: at least three others,
 * and at least three decimals, which numbers of free format do not have by chance. */
static bool may_be_cut(const reader *r, const char *end)
{
    const field *last = &r->field[r->n_field - 1];
    if (!r->t.open_ended || *end || last->what == SKIP) return false; /* a blank: nothing is cut */
    if (last->width != 3) return true;
    const int n = count_decimals(r->t.line, end);
    long same = r->dec.mixed ? 0 : r->dec.same;
    if (r->dec.same && r->dec.n != n) return true;
    for (int k = 0; k < 2; k++) {
        while (end > r->t.line && !isspace((unsigned char)end[-1])) end--;
        while (end > r->t.line && isspace((unsigned char)end[-1])) end--;
        if (count_decimals(r->t.line, end) != n) return true;
        same++;
    }
    return r->dec.mixed || n < 3 || same < 3;
}

static mlk_status end_of_line(reader *r, const char *s, size_t i, mlk_err *e)
{
    if (may_be_cut(r, s)) {
        MLK_FAIL(e, MLK_EFORMAT,
                 "the file ends early: no line end after atom %zu, whose last number may be cut",
                 i + 1);
        mlk_err_hint(e, "if the file is whole, add a line end: echo >> FILE");
        return mlk_text_err(&r->t, e);
    }
    if (r->field[r->n_field - 1].width == 3) {
        const int n = count_decimals(r->t.line, s);
        r->dec.mixed = r->dec.mixed || (r->dec.same && n != r->dec.n);
        r->dec.n = n;
        r->dec.same++;
    }
    if (r->stated && !r->said.columns && *after_blanks(s)) {
        r->said.columns = true;
        mlk_log(MLK_LOG_WARN, "%s:%ld: more columns than the %d of Properties: '%.40s' is ignored",
                r->t.path, r->t.number, r->n_column, after_blanks(s));
    }
    return MLK_OK;
}

static mlk_status grow_frame(reader *r, mlk_frame *fr, size_t n, mlk_err *e)
{
    MLK_TRY(MLK_GROW(fr->z, r->cap_z, n, e));
    MLK_TRY(MLK_GROW(fr->x, r->cap_x, n, e));
    MLK_TRY(MLK_GROW(fr->f, r->cap_f, n, e));
    if (r->has_speed) MLK_TRY(MLK_GROW(fr->v, r->cap_v, n, e));
    return MLK_OK;
}

static mlk_status read_atom(reader *r, mlk_frame *fr, size_t i, size_t n, mlk_err *e)
{
    bool more;
    MLK_TRY(mlk_text_next(&r->t, &more, e));
    if (!more) {
        MLK_FAIL(e, MLK_EFORMAT, "the file ends early: atom %zu of %zu is missing", i + 1, n);
        return mlk_text_err(&r->t, e);
    }
    if (i >= r->cap_z || i >= r->cap_x || i >= r->cap_f || (r->has_speed && i >= r->cap_v))
        MLK_TRY(grow_frame(r, fr, i + 1, e));
    const char *s = r->t.line, *word = s;
    int z = 0, from_name = -1;
    role speed = SKIP;
    for (int k = 0; k < r->n_field; k++) {
        const role what = r->field[k].what;
        if (what >= POSITION) {
            if (what == VELOCITY || what == MOMENTUM) speed = what;
            MLK_TRY(vector(r, fr, what, &s, i, n, e));
            continue;
        }
        for (int c = 0; c < r->field[k].width; c++) {
            const char *w = after_blanks(s);
            if (!*w) return columns_err(r, e, i, n);
            s = after_word(w);
            if (what == SPECIES) from_name = element(r, w, (size_t)(s - w));
            if (what == NUMBER) z = atomic_number(w);
            if (what == SPECIES || (what == NUMBER && from_name < 0)) word = w;
        }
    }
    MLK_TRY(set_element(r, fr, i, z, from_name, word, e));
    if (speed != SKIP) {
        double unit = speed == VELOCITY ? MLK_TAU_FS : 1 / mlk_element_mass(fr->z[i]);
        for (int k = 0; k < 3; k++) fr->v[i][k] *= unit;
    }
    return end_of_line(r, s, i, e);
}

/* ---- frames ---- */

static mlk_status read_comment(reader *r, int frame, mlk_err *e)
{
    bool more;
    MLK_TRY(mlk_text_next(&r->t, &more, e));
    if (!more) {
        MLK_FAIL(e, MLK_EFORMAT, "the file ends early: no comment line after the number of atoms");
        return mlk_text_err(&r->t, e);
    }
    size_t len = strlen(r->t.line);
    MLK_TRY(MLK_GROW(r->comment, r->comment_cap, len + 1, e));
    memcpy(r->comment, r->t.line, len + 1);
    r->head = (mlk_xyz_head){.path = r->t.path,
                             .line = r->t.number,
                             .frame = frame,
                             .kv = r->kv,
                             .flag = "T",
                             .said = &r->said};
    if (mlk_keyval_split(r->comment, r->kv, KEYS_MAX, &r->head.n_kv, e))
        return mlk_text_err(&r->t, e);
    return MLK_OK;
}

/* The arrays grow as atoms arrive: n is only what the file claims. */
static mlk_status read_frame(reader *r, mlk_frame *fr, int frame, size_t n, mlk_err *e)
{
    const long first = r->t.number;
    const size_t start = n < FIRST_ATOMS ? n : FIRST_ATOMS;
    bool isolated;
    MLK_TRY(read_comment(r, frame, e));
    MLK_TRY(read_properties(r, e));
    MLK_TRY(mlk_frame_init(fr, start, e));
    r->cap_z = r->cap_x = r->cap_f = start;
    r->cap_v = 0;
    fr->line = first;
    mlk_text_copy(fr->source, sizeof fr->source, r->t.path);
    MLK_TRY(mlk_xyz_cell(&r->head, fr, &isolated, e));
    MLK_TRY(mlk_xyz_labels(&r->head, fr, e));
    for (size_t i = 0; i < n; i++) MLK_TRY(read_atom(r, fr, i, n, e));
    fr->n = n;
    if (r->has_speed) fr->has |= MLK_HAS_VELOCITY;
    if (r->has_force) fr->has |= MLK_HAS_FORCE;
    mlk_status s = isolated ? mlk_isolated_cell(fr, e) : MLK_OK;
    if (!s) s = mlk_frame_check(fr, e);
    if (s) return mlk_err_at(e, r->t.path, first);
    if (isolated && !r->said.isolated) {
        r->said.isolated = true;
        mlk_log(MLK_LOG_INFO,
                "%s:%ld: no Lattice and pbc \"F F F\": an isolated cluster, put into an open box "
                "with %g A around it",
                r->t.path, first, MLK_ISOLATED_MARGIN);
    }
    return MLK_OK;
}

/* The number of atoms of the next frame; *more false at the end of the file, *n 0 when something
 * else stands there. */
static mlk_status next_count(reader *r, long *n, bool *more, mlk_err *e)
{
    for (;;) {
        MLK_TRY(mlk_text_next(&r->t, more, e));
        if (!*more) return MLK_OK;
        if (!*after_blanks(r->t.line)) continue; /* blank lines between frames */
        if (!mlk_parse_long(r->t.line, n) || *n < 1 || *n > ATOMS_MAX) *n = 0;
        return MLK_OK;
    }
}

/* Two files joined where the first has no line end: its last number and the number of atoms of the
 * next frame became one number, and a comment line follows. */
static mlk_status joined(reader *r, long last, mlk_err *e)
{
    MLK_FAIL(e, MLK_EFORMAT,
             "the last number holds the number of atoms of the next frame: a line end is missing "
             "where two files were joined");
    mlk_err_hint(e, "put a line end there, or join the files again");
    return mlk_err_at(e, r->t.path, last);
}

static mlk_status read_all(reader *r, mlk_frame *fr, mlk_frame_fn fn, void *user, int *step,
                           mlk_err *e)
{
    bool more;
    long n = 0;
    MLK_TRY(next_count(r, &n, &more, e));
    while (more) {
        if (!n) {
            MLK_FAIL(e, MLK_EFORMAT, "expected the number of atoms of frame %d, found '%.40s'",
                     *step + 1, after_blanks(r->t.line));
            return mlk_text_err(&r->t, e);
        }
        MLK_TRY(read_frame(r, fr, *step + 1, (size_t)n, e));
        const long last = r->t.number;
        mlk_err next = {0};
        mlk_status s = next_count(r, &n, &more, &next);
        if (!s && more && !n && strchr(r->t.line, '=')) return joined(r, last, e);
        if (s == MLK_EDAMAGED) return e ? (*e = next, s) : s;
        fr->step = *step + 1;
        MLK_TRY(fn(fr, user, e));
        ++*step;
        mlk_frame_free(fr);
        if (s) return e ? (*e = next, s) : s;
    }
    return MLK_OK;
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    reader *r = mlk_alloc(1, sizeof *r);
    if (!r) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    mlk_frame fr = {0};
    int step = 0;
    mlk_status s = mlk_text_open(&r->t, path, e);
    if (!s) s = read_all(r, &fr, fn, user, &step, e);
    if (!s && !step) {
        MLK_FAIL(e, MLK_EFORMAT, "holds no frame");
        s = mlk_err_at(e, path, 0);
    }
    if (s && step && e) mlk_err_prefix(e, "%d complete frames, then: ", step);
    mlk_frame_free(&fr);
    mlk_free(r->comment);
    mlk_text_close(&r->t);
    mlk_free(r);
    return s;
}

/* A number of atoms alone on the first line. */
static bool sniff(const char *path, const char *head, size_t n)
{
    const char *base = mlk_path_base(path), *dot = strrchr(base, '.');
    char *end;
    (void)n;
    if (dot && (!strcasecmp(dot, ".gz") || !strcasecmp(dot, ".xz") || !strcasecmp(dot, ".bz2")))
        while (dot > base && *--dot != '.') continue;
    const bool named = dot && (!strncasecmp(dot, ".xyz", 4) || !strncasecmp(dot, ".extxyz", 7));
    long v = strtol(head, &end, 10);
    if (end == head || v < 1) return named;
    end += strspn(end, " \t\r");
    if (*end != '\n') return named;
    const char *nl = strchr(end + 1, '\n'), *eq = strchr(end + 1, '=');
    if (!strncmp(end + 1 + strspn(end + 1, " "), "i = ", 4)) return false; /* CP2K: forces, ... */
    if (named) return true;
    return eq && (!nl || eq < nl);
}

extern const mlk_parser mlk_parser_extxyz;
const mlk_parser mlk_parser_extxyz = {
    .name = "extxyz",
    .summary = "extended XYZ (ASE, QUIP, GPUMD, MACE dialects)",
    .rank = MLK_RANK_COPY,
    .sniff = sniff,
    .parse = parse,
};
