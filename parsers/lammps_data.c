/* lammps_data.c - LAMMPS data files: the structure, and velocities where they stand. atom_style
 * atomic, charge, molecular (bond, angle) and full, by the comment behind Atoms or else by the
 * columns; boxes xlo xhi with tilt factors, or general triclinic avec bvec cvec. Elements come from
 * the comments behind the masses, the type labels, or the masses themselves. Lengths are Angstrom
 * (units metal or real); velocities A/ps in metal, A/fs in real. The file does not state the
 * boundary: it is read as periodic. Image flags, topology and coefficients are not read. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/element.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/opt.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "parsers/text.h"

enum { WORDS = 32, TYPES_MAX = 1000 };

typedef enum { UNKNOWN, ATOMIC, CHARGE, MOLECULAR, FULL } style;

/* First column of what is needed, and columns in all without image flags. */
static const struct {
    const char *name;
    style s;
    int type, x, n;
} styles[] = {{"atomic", ATOMIC, 1, 2, 5},       {"charge", CHARGE, 1, 3, 6},
              {"molecular", MOLECULAR, 2, 3, 6}, {"bond", MOLECULAR, 2, 3, 6},
              {"angle", MOLECULAR, 2, 3, 6},     {"full", FULL, 2, 4, 7}};

typedef struct type {
    double mass;
    int z;          /* 0 until known */
    char label[24]; /* "" when none  */
} type;

typedef struct atom {
    long id;
    int type;
    long line;
    double x[3], v[3];
    bool has_v;
} atom;

typedef struct reader {
    mlk_text_in t;
    long n_claimed, n_types; /* -1 until stated */
    double lo[3], hi[3], tilt[3], vec[3][3], origin[3];
    bool general, has_box[3];
    type *type; /* (n_type), index is the type number - 1 */
    size_t n_type, cap_type;
    atom *a;
    size_t n, cap, n_v;
    char *word[WORDS];
    char raw[64]; /* start of the line, for messages */
    char comment[128];
    char section[64];
    double v_unit; /* of velocities, A/tau each */
} reader;

static mlk_status bad(reader *r, mlk_err *e, const char *expected)
{
    MLK_FAIL(e, MLK_EFORMAT, "expected %s, found '%.60s'", expected, r->raw);
    return mlk_text_err(&r->t, e);
}

/* The next line that is not empty: its words, the comment apart. *n 0 at the end of the file. */
static mlk_status next(reader *r, size_t *n, mlk_err *e)
{
    bool more;
    *n = 0;
    for (;;) {
        MLK_TRY(mlk_text_next(&r->t, &more, e));
        if (!more) return MLK_OK;
        mlk_text_copy(r->raw, sizeof r->raw, r->t.line);
        char *hash = strchr(r->t.line, '#');
        r->comment[0] = 0;
        if (hash) {
            *hash = 0;
            mlk_text_copy(r->comment, sizeof r->comment, hash + 1 + strspn(hash + 1, " \t"));
            r->comment[strcspn(r->comment, " \t\r")] = 0;
        }
        *n = mlk_text_words(r->t.line, r->word, WORDS);
        if (*n > WORDS) return bad(r, e, "at most 32 columns");
        if (*n) return MLK_OK;
    }
}

static bool number(const char *w, double *v)
{
    return mlk_number(&w, v) && !*w;
}

/* ---- header ---- */

static mlk_status read_units(reader *r, mlk_err *e)
{
    bool more;
    char name[16] = "metal";
    MLK_TRY(mlk_text_next(&r->t, &more, e));
    const char *s = more ? strstr(r->t.line, "units = ") : NULL;
    if (s) snprintf(name, sizeof name, "%.*s", (int)strcspn(s + 8, " ,)\t\r"), s + 8);
    r->v_unit = !strcmp(name, "real") ? MLK_TAU_FS : MLK_TAU_PS;
    if (!strcmp(name, "real") || !strcmp(name, "metal")) return MLK_OK;
    MLK_FAIL(e, MLK_EUNSUPPORTED, "units %s; metal and real can be read", name);
    return mlk_text_err(&r->t, e);
}

/* "lo hi xlo xhi" and its relatives. *is: whether the line is one of them. */
static mlk_status read_box_line(reader *r, size_t n, bool *is, mlk_err *e)
{
    static const char *const low[] = {"xlo", "ylo", "zlo"}, *const high[] = {"xhi", "yhi", "zhi"},
                             *const vec[] = {"avec", "bvec", "cvec"};
    *is = true;
    for (int k = 0; k < 3; k++) {
        if (n == 4 && !strcmp(r->word[2], low[k]) && !strcmp(r->word[3], high[k])) {
            r->has_box[k] = number(r->word[0], &r->lo[k]) && number(r->word[1], &r->hi[k]) &&
                            r->hi[k] > r->lo[k];
            return r->has_box[k] ? MLK_OK : bad(r, e, "two growing numbers before xlo xhi");
        }
        if (n == 4 && !strcmp(r->word[3], vec[k])) {
            r->general = r->has_box[k] = true;
            for (int c = 0; c < 3; c++)
                if (!number(r->word[c], &r->vec[k][c])) return bad(r, e, "a box vector");
            return MLK_OK;
        }
    }
    double *to = n == 6 && !strcmp(r->word[3], "xy")                                     ? r->tilt
                 : n == 5 && !strcmp(r->word[3], "abc") && !strcmp(r->word[4], "origin") ? r->origin
                                                                                         : NULL;
    *is = to != NULL;
    for (int c = 0; to && c < 3; c++)
        if (!number(r->word[c], &to[c])) return bad(r, e, "three numbers");
    return MLK_OK;
}

/* Lines before the first section. *n: words of the section line, 0 at the end of the file. */
static mlk_status read_header(reader *r, size_t *n, mlk_err *e)
{
    r->n_claimed = r->n_types = -1;
    for (;;) {
        bool box;
        MLK_TRY(next(r, n, e));
        if (!*n || isalpha((unsigned char)r->word[0][0])) return MLK_OK;
        MLK_TRY(read_box_line(r, *n, &box, e));
        if (box) continue;
        long v;
        if (!mlk_parse_long(r->word[0], &v) || v < 0)
            return bad(r, e, "a line of the header (2 atoms, 0 5.4 xlo xhi, ...)");
        if (*n == 2 && !strcmp(r->word[1], "atoms")) r->n_claimed = v;
        if (*n == 3 && !strcmp(r->word[1], "atom") && !strcmp(r->word[2], "types")) r->n_types = v;
    }
}

/* ---- types ---- */

static mlk_status type_at(reader *r, long k, type **out, mlk_err *e)
{
    if (k < 1 || k > TYPES_MAX || (r->n_types >= 0 && k > r->n_types))
        return bad(r, e, "a type between 1 and the number of atom types");
    MLK_TRY(MLK_GROW(r->type, r->cap_type, (size_t)k, e));
    if ((size_t)k > r->n_type) r->n_type = (size_t)k;
    *out = &r->type[k - 1];
    return MLK_OK;
}

/* "Li", "Li1", "Li_sv", "O-2": an element symbol at the start of a word. 0 when there is none. */
static int symbol_in(const char *w)
{
    char s[3] = {0};
    if (!isupper((unsigned char)w[0])) return 0;
    s[0] = w[0];
    if (islower((unsigned char)w[1])) s[1] = w[1];
    if (s[1] && isalpha((unsigned char)w[2])) return 0; /* a word, not a symbol */
    return mlk_element_z(s);
}

/* The element of a mass: within 0.1 amu, or within 0.5 with no other one near. 0 when unsure. */
static int nearest_mass(double m)
{
    int best = 0;
    double d1 = INFINITY, d2 = INFINITY;
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++) {
        double d = fabs(mlk_element_mass(z) - m);
        if (d < d1) {
            d2 = d1;
            d1 = d;
            best = z;
        } else if (d < d2) {
            d2 = d;
        }
    }
    return d1 <= 0.1 || (d1 <= 0.5 && d2 > 3 * d1) ? best : 0;
}

static long type_number(const reader *r, const char *w)
{
    long k;
    if (mlk_parse_long(w, &k)) return k;
    for (size_t i = 0; i < r->n_type; i++)
        if (r->type[i].label[0] && !strcmp(r->type[i].label, w)) return (long)i + 1;
    return 0;
}

static mlk_status read_label(reader *r, size_t n, mlk_err *e)
{
    type *t;
    long k;
    if (n != 2 || !mlk_parse_long(r->word[0], &k)) return bad(r, e, "a type and its label");
    MLK_TRY(type_at(r, k, &t, e));
    mlk_text_copy(t->label, sizeof t->label, r->word[1]);
    return MLK_OK;
}

static mlk_status read_mass(reader *r, size_t n, mlk_err *e)
{
    type *t;
    if (n != 2) return bad(r, e, "a type and its mass");
    MLK_TRY(type_at(r, type_number(r, r->word[0]), &t, e));
    if (!number(r->word[1], &t->mass) || t->mass <= 0) return bad(r, e, "a type and its mass");
    const int named = symbol_in(r->comment);
    t->z = named ? named : symbol_in(t->label);
    if (!t->z) t->z = nearest_mass(t->mass);
    if (named && fabs(mlk_element_mass(named) - t->mass) > 1)
        mlk_log(MLK_LOG_WARN, "%s:%ld: the mass %g is not that of %s; the comment is believed",
                r->t.path, r->t.number, t->mass, mlk_element_symbol(named));
    if (t->z) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "the mass %g is that of no element", t->mass);
    mlk_err_hint(e, "write the element behind it: 1 %g # Li", t->mass);
    return mlk_text_err(&r->t, e);
}

static mlk_status element_of(reader *r, int k, long line, int *z, mlk_err *e)
{
    const type *t = (size_t)k <= r->n_type ? &r->type[k - 1] : NULL;
    *z = t ? t->z ? t->z : symbol_in(t->label) : 0;
    if (*z) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "the element of atom type %d is not known", k);
    mlk_err_hint(e, "add a section Masses with a line '%d MASS # ELEMENT'", k);
    return mlk_err_at(e, r->t.path, line);
}

/* ---- atoms ---- */

static bool whole(const char *w)
{
    long v;
    return mlk_parse_long(w, &v);
}

/* Columns of the style of this section: by its name, else by the first atom line. */
static mlk_status choose_style(reader *r, const char *name, size_t n, int *k, mlk_err *e)
{
    int found = -1;
    for (int i = 0; i < (int)(sizeof styles / sizeof *styles); i++) {
        const size_t m = (size_t)styles[i].n;
        if (name[0]) {
            if (!strcmp(styles[i].name, name)) {
                *k = i;
                return MLK_OK;
            }
            continue;
        }
        bool flags =
            n == m + 3 && whole(r->word[m]) && whole(r->word[m + 1]) && whole(r->word[m + 2]);
        long t = n >= m ? type_number(r, r->word[styles[i].type]) : 0;
        bool fits = (n == m || flags) && t >= 1 && (r->n_types < 0 || t <= r->n_types);
        if (!fits || (found >= 0 && styles[found].s == styles[i].s)) continue;
        if (found >= 0) {
            found = -2;
            break;
        }
        found = i;
    }
    *k = found;
    if (found >= 0) return MLK_OK;
    if (name[0])
        MLK_FAIL(e, MLK_EUNSUPPORTED, "atom_style %s", name);
    else
        MLK_FAIL(e, MLK_EFORMAT, "cannot tell the atom_style from %zu columns: '%.60s'", n, r->raw);
    mlk_err_hint(e, "atomic, charge, molecular and full can be read; write the style behind Atoms: "
                    "Atoms # full");
    return mlk_text_err(&r->t, e);
}

static mlk_status read_atom(reader *r, size_t n, int k, mlk_err *e)
{
    const int m = styles[k].n;
    if ((int)n != m && (int)n != m + 3) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu columns; atom_style %s has %d, or %d with image flags", n,
                 styles[k].name, m, m + 3);
        return mlk_text_err(&r->t, e);
    }
    MLK_TRY(mlk_text_whole(&r->t, e));
    MLK_TRY(MLK_GROW(r->a, r->cap, r->n + 1, e));
    atom *a = &r->a[r->n];
    long t = type_number(r, r->word[styles[k].type]);
    if (!mlk_parse_long(r->word[0], &a->id)) return bad(r, e, "an atom number");
    if (t < 1 || t > TYPES_MAX || (r->n_types >= 0 && t > r->n_types))
        return bad(r, e, "a type between 1 and the number of atom types");
    a->type = (int)t;
    a->line = r->t.number;
    for (int c = 0; c < 3; c++)
        if (!number(r->word[styles[k].x + c], &a->x[c])) return bad(r, e, "a position");
    r->n++;
    return MLK_OK;
}

static int by_id(const void *p, const void *q)
{
    const atom *a = p, *b = q;
    if (a->id != b->id) return a->id > b->id ? 1 : -1;
    return a->line && b->line ? (a->line > b->line) - (a->line < b->line) : 0;
}

/* All atoms are there: their number is right, and each has its own id. */
static mlk_status check_atoms(reader *r, mlk_err *e)
{
    if (r->n_claimed >= 0 && r->n != (size_t)r->n_claimed) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu lines under Atoms, the header says %ld atoms", r->n,
                 r->n_claimed);
        return mlk_text_err(&r->t, e);
    }
    if (r->n) qsort(r->a, r->n, sizeof *r->a, by_id);
    for (size_t i = 1; i < r->n; i++)
        if (r->a[i].id == r->a[i - 1].id) {
            MLK_FAIL(e, MLK_EFORMAT, "two atoms have the number %ld", r->a[i].id);
            return mlk_err_at(e, r->t.path, r->a[i].line);
        }
    return MLK_OK;
}

static mlk_status read_velocity(reader *r, size_t n, mlk_err *e)
{
    atom key = {0};
    if (n < 4 || !mlk_parse_long(r->word[0], &key.id))
        return bad(r, e, "an atom number and vx vy vz");
    MLK_TRY(mlk_text_whole(&r->t, e));
    atom *a = r->n ? bsearch(&key, r->a, r->n, sizeof key, by_id) : NULL;
    if (!a || a->has_v) return bad(r, e, "the velocity of an atom above, once");
    for (int c = 0; c < 3; c++) {
        if (!number(r->word[1 + c], &a->v[c])) return bad(r, e, "a velocity");
        a->v[c] *= r->v_unit;
    }
    a->has_v = true;
    r->n_v++;
    return MLK_OK;
}

/* ---- the file ---- */

static void name_section(reader *r, size_t n)
{
    size_t len = 0;
    r->section[0] = 0;
    for (size_t k = 0; k < n && len < sizeof r->section; k++)
        len += (size_t)snprintf(r->section + len, sizeof r->section - len, "%s%s", k ? " " : "",
                                r->word[k]);
}

static bool in(const reader *r, const char *section)
{
    return !strcmp(r->section, section);
}

/* A section begins with its name alone on a line; "2 Li" or "Li 6.94" are lines of a section. */
static bool begins_section(const reader *r, size_t n)
{
    return isalpha((unsigned char)r->word[0][0]) &&
           (n == 1 || !strcmp(r->word[n - 1], "Coeffs") || !strcmp(r->word[n - 1], "Labels"));
}

static mlk_status read_sections(reader *r, size_t n, mlk_err *e)
{
    char name[64] = "";
    int k = -1;
    bool had_atoms = false;
    while (n) {
        if (begins_section(r, n)) {
            if (in(r, "Atoms")) MLK_TRY(check_atoms(r, e));
            name_section(r, n);
            if (in(r, "Atoms")) {
                mlk_text_copy(name, sizeof name, r->comment);
                if (had_atoms) return bad(r, e, "one section Atoms");
                had_atoms = true;
            }
        } else if (in(r, "Masses")) {
            MLK_TRY(read_mass(r, n, e));
        } else if (in(r, "Atom Type Labels")) {
            MLK_TRY(read_label(r, n, e));
        } else if (in(r, "Atoms")) {
            if (k < 0) MLK_TRY(choose_style(r, name, n, &k, e));
            MLK_TRY(read_atom(r, n, k, e));
        } else if (in(r, "Velocities")) {
            MLK_TRY(read_velocity(r, n, e));
        }
        MLK_TRY(next(r, &n, e));
    }
    if (!had_atoms || !r->n) {
        MLK_FAIL(e, MLK_EFORMAT, "the file ends early: no atoms");
        return mlk_text_err(&r->t, e);
    }
    return in(r, "Atoms") ? check_atoms(r, e) : MLK_OK;
}

static mlk_status make_cell(reader *r, mlk_frame *fr, double origin[3], mlk_err *e)
{
    double h[3][3] = {{0}};
    for (int k = 0; k < 3; k++) {
        if (!r->has_box[k]) {
            MLK_FAIL(e, MLK_EFORMAT, "no box: xlo xhi, ylo yhi, zlo zhi (or avec, bvec, cvec)");
            return mlk_err_at(e, r->t.path, 0);
        }
        h[k][k] = r->hi[k] - r->lo[k];
        origin[k] = r->general ? r->origin[k] : r->lo[k];
    }
    h[1][0] = r->tilt[0], h[2][0] = r->tilt[1], h[2][1] = r->tilt[2];
    if (mlk_cell_init(&fr->cell, r->general ? (const double(*)[3])r->vec : (const double(*)[3])h,
                      e))
        return mlk_err_at(e, r->t.path, 0);
    fr->has |= MLK_HAS_CELL;
    return MLK_OK;
}

static mlk_status make_frame(reader *r, mlk_frame *fr, mlk_err *e)
{
    double origin[3];
    MLK_TRY(mlk_frame_init(fr, r->n, e));
    MLK_TRY(make_cell(r, fr, origin, e));
    if (r->n_v && r->n_v < r->n)
        mlk_log(MLK_LOG_WARN, "%s: velocities of %zu of %zu atoms: not used", r->t.path, r->n_v,
                r->n);
    if (r->n_v == r->n) {
        fr->v = mlk_alloc(r->n, sizeof *fr->v);
        if (!fr->v) return MLK_FAIL(e, MLK_ENOMEM, "no memory for velocities");
        fr->has |= MLK_HAS_VELOCITY;
    }
    for (size_t i = 0; i < r->n; i++) {
        const atom *a = &r->a[i];
        MLK_TRY(element_of(r, a->type, a->line, &fr->z[i], e));
        for (int c = 0; c < 3; c++) {
            fr->x[i][c] = a->x[c] - origin[c];
            if (fr->v) fr->v[i][c] = a->v[c];
        }
    }
    fr->step = 1;
    fr->line = 1;
    mlk_text_copy(fr->source, sizeof fr->source, r->t.path);
    return mlk_frame_check(fr, e) ? mlk_err_at(e, r->t.path, 0) : MLK_OK;
}

static mlk_status read_all(reader *r, mlk_frame *fr, mlk_err *e)
{
    size_t n;
    MLK_TRY(read_units(r, e));
    MLK_TRY(read_header(r, &n, e));
    MLK_TRY(read_sections(r, n, e));
    return make_frame(r, fr, e);
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    reader *r = mlk_alloc(1, sizeof *r);
    if (!r) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    mlk_frame fr = {0};
    mlk_status s = mlk_text_open(&r->t, path, e);
    if (!s) s = read_all(r, &fr, e);
    if (!s) s = fn(&fr, user, e);
    mlk_frame_free(&fr);
    mlk_text_close(&r->t);
    mlk_free(r->type);
    mlk_free(r->a);
    mlk_free(r);
    return s;
}

/* "N atoms" alone on a line, and a box. */
static bool sniff(const char *path, const char *head, size_t n)
{
    (void)path;
    (void)n;
    bool atoms = false, box = false;
    for (int k = 0; k < 60 && head; k++) {
        size_t len = strcspn(head, "#\r\n");
        char line[128], *word[5], *end;
        snprintf(line, sizeof line, "%.*s", (int)(len < 127 ? len : 127), head);
        size_t m = mlk_text_words(line, word, 5);
        if (k && m == 2 && !strcmp(word[1], "atoms"))
            atoms = strtol(word[0], &end, 10) > 0 && !*end;
        if (m == 4 && (!strcmp(word[2], "xlo") || !strcmp(word[3], "avec"))) box = true;
        head = strchr(head, '\n');
        if (head) head++;
    }
    return atoms && box;
}

extern const mlk_parser mlk_parser_lammps_data;
const mlk_parser mlk_parser_lammps_data = {
    .name = "lammps",
    .summary = "LAMMPS data file, one structure",
    .rank = MLK_RANK_STRUCTURE,
    .sniff = sniff,
    .parse = parse,
};
