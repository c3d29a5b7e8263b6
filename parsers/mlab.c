/* mlab.c - VASP's ML_AB and ML_ABN: the ab initio data its own force fields are learnt from.
 * A header, then one configuration after another, each a list of sections: a line of = or *, a
 * title, a line of -, the content. Sections are known by their titles; unknown ones (CTIFOR,
 * charges) are passed over. Positions are Cartesian, atoms stand grouped by type, the stress is in
 * kbar, positive under compression, as in OUTCAR. Which energy `Total energy` is the file does not
 * say, so neither do we. Whatever two places of a file count must agree. One configuration is in
 * memory at a time. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/element.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/opt.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "parsers/text.h"

enum { RULE_MIN = 30, ATOMS_MAX = 100000000 }; /* an overflown number is shorter than a rule */

typedef enum {
    OTHER,
    NAME,
    N_TYPES,
    N_ATOMS,
    TYPES,
    LATTICE,
    POSITIONS,
    ENERGY,
    FORCES,
    STRESS,
    N_SECTIONS
} section;

/* A title counts with its unit: numbers in another unit must not be taken for these. */
static const char *const titles[N_SECTIONS] = {
    [NAME] = "System name",
    [N_TYPES] = "The number of atom types",
    [N_ATOMS] = "The number of atoms",
    [TYPES] = "Atom types and atom numbers",
    [LATTICE] = "Primitive lattice vectors (ang.)",
    [POSITIONS] = "Atomic positions (ang.)",
    [ENERGY] = "Total energy (eV)",
    [FORCES] = "Forces (eV ang.^-1)",
    [STRESS] = "Stress (kbar)",
};

typedef struct type {
    int z;
    size_t n;
} type;

typedef struct reader {
    mlk_text_in t;
    char *s; /* the current line without blanks around it, NULL at the end of the file */
    bool held;
    size_t announced, found; /* configurations of this run                           */
    int run;                 /* 0, then 2, 3, ... where files were joined            */
    bool warned_lost;
    /* the configuration being read */
    long line, at[N_SECTIONS];              /* first line; lines of its sections, 0: not seen */
    bool lost[N_SECTIONS];                  /* the section holds something that is no number  */
    size_t row[N_SECTIONS], n_type, n_atom; /* rows read; numbers announced, 0: not said   */
    char name[64];
    type *types;
    size_t types_cap;
    double h[3][3], energy, stress[6];
    double (*x)[3], (*f)[3];
    size_t x_cap, f_cap;
} reader;

/* A line of at least RULE_MIN equal marks; which mark, or 0. */
static char rule(const char *s)
{
    if (!s || (*s != '*' && *s != '=' && *s != '-')) return 0;
    size_t n = 1;
    while (s[n] == *s) n++;
    return n >= RULE_MIN && !s[n] ? *s : 0;
}

/* The next line that is not blank, or the held one. A last line that does not end may have lost
 * digits, unless a blank follows them. */
static mlk_status next(reader *r, mlk_err *e)
{
    bool more = true;
    if (r->held) {
        r->held = false;
        return MLK_OK;
    }
    while (more) {
        MLK_TRY(mlk_text_next(&r->t, &more, e));
        char *s = r->t.line, *end = more ? s + strlen(s) : s;
        if (more && r->t.open_ended && end > s && !isspace((unsigned char)end[-1])) {
            MLK_FAIL(e, MLK_EFORMAT, "the file ends within a line, after '%.40s'", s);
            mlk_err_hint(e, "the file was cut off, or is still being written");
            return mlk_text_err(&r->t, e);
        }
        while (more && end > s && isspace((unsigned char)end[-1])) *--end = 0;
        while (more && isspace((unsigned char)*s)) s++;
        r->s = s;
        if (more && *s) return MLK_OK;
    }
    r->s = NULL;
    return MLK_OK;
}

static void cut_off(mlk_err *e)
{
    mlk_err_hint(e, "the file was cut off, or is still being written");
}

static mlk_status bad(reader *r, mlk_err *e, const char *expected)
{
    if (r->s)
        MLK_FAIL(e, MLK_EFORMAT, "expected %s, found '%.60s'", expected, r->s);
    else
        MLK_FAIL(e, MLK_EFORMAT, "the file ends where %s should stand", expected);
    if (!r->s || r->t.open_ended) cut_off(e);
    return mlk_text_err(&r->t, e);
}

static bool is_version(const char *s)
{
    double v;
    return s && mlk_number(&s, &v) && !strcasecmp(s + strspn(s, " \t"), "version");
}

static bool is_configuration(const char *s)
{
    return s && !strncmp(s, "Configuration num.", 18);
}

static mlk_status count(reader *r, size_t *n, const char *what, mlk_err *e)
{
    long v;
    if (!r->s || !mlk_parse_long(r->s, &v) || v < 1 || v > ATOMS_MAX) return bad(r, e, what);
    *n = (size_t)v;
    return MLK_OK;
}

/* n numbers and nothing else. A row with asterisks or NaN in it is a lost label; anything else that
 * is no number is damage. */
static mlk_status numbers(reader *r, section k, size_t n, double *v, const char *what, mlk_err *e)
{
    const char *s = r->s;
    char *word[3], *found = NULL;
    if (mlk_numbers(&s, n, v) == n && !*s) return MLK_OK;
    if (k < ENERGY) return bad(r, e, what);
    char copy[80];
    mlk_text_copy(copy, sizeof copy, r->s);
    size_t m = mlk_text_words(r->s, word, 3);
    for (size_t i = 0; i < m && i < 3 && !found; i++)
        if (mlk_number_lost(word[i])) found = word[i];
    if (!found || m > n) {
        MLK_FAIL(e, MLK_EFORMAT, "expected %s, found '%.60s'", what, copy);
        return mlk_text_err(&r->t, e);
    }
    memset(v, 0, n * sizeof *v);
    r->lost[k] = true;
    if (!r->warned_lost)
        mlk_log(MLK_LOG_WARN,
                "%s:%ld: %s is not a number ('%.40s'): the configuration is read "
                "without it",
                r->t.path, r->t.number, what, found);
    r->warned_lost = true;
    return MLK_OK;
}

static mlk_status vector(reader *r, section k, double (**v)[3], size_t *cap, mlk_err *e)
{
    static const char *const what[N_SECTIONS] = {
        [POSITIONS] = "a position (3 numbers)", [FORCES] = "a force (3 numbers)"};
    MLK_TRY(mlk_grow((void **)v, cap, r->row[k] + 1, sizeof **v, e));
    return numbers(r, k, 3, (*v)[r->row[k]++], what[k], e);
}

/* "Si 64", possibly several pairs on a line */
static mlk_status types(reader *r, mlk_err *e)
{
    static const char blank[] = " \t";
    for (char *s = r->s; *s; s += strspn(s, blank)) {
        char *name = s, *number = s + strcspn(s, blank);
        number += strspn(number, blank);
        s = number + strcspn(number, blank);
        if (*s) *s++ = 0;
        long n;
        if (!mlk_parse_long(number, &n) || n < 1 || n > ATOMS_MAX)
            return bad(r, e, "an element and its number of atoms");
        name[strcspn(name, " \t_/.")] = 0;
        int z = mlk_element_z(name);
        if (!z) {
            MLK_FAIL(e, MLK_EFORMAT, "unknown element '%.20s'", name);
            return mlk_text_err(&r->t, e);
        }
        MLK_TRY(MLK_GROW(r->types, r->types_cap, r->row[TYPES] + 1, e));
        r->types[r->row[TYPES]++] = (type){z, (size_t)n};
    }
    return MLK_OK;
}

/* "XX YY ZZ", three numbers, "XY YZ ZX", three numbers; row: how many of the four are read */
static mlk_status stress(reader *r, mlk_err *e)
{
    static const char *const head[2] = {"XX YY ZZ", "XY YZ ZX"};
    size_t k = r->row[STRESS]++;
    if (k >= 4) return bad(r, e, "the end of the stress");
    if (k % 2) return numbers(r, STRESS, 3, r->stress + 3 * (k / 2), "a stress (3 numbers)", e);
    return strcmp(r->s, head[k / 2]) ? bad(r, e, head[k / 2]) : MLK_OK;
}

/* One line of a section's content. */
static mlk_status content(reader *r, section k, mlk_err *e)
{
    size_t i = r->row[k];
    switch (k) {
    case NAME:
        if (!r->row[k]++) mlk_text_copy(r->name, sizeof r->name, r->s);
        return MLK_OK;
    case N_TYPES:
        return r->row[k]++ ? bad(r, e, "one number") : count(r, &r->n_type, titles[k], e);
    case N_ATOMS:
        return r->row[k]++ ? bad(r, e, "one number") : count(r, &r->n_atom, titles[k], e);
    case TYPES:
        return types(r, e);
    case LATTICE:
        if (r->row[k]++ >= 3) return bad(r, e, "the end of the lattice vectors");
        return numbers(r, k, 3, r->h[i], "a lattice vector (3 numbers)", e);
    case POSITIONS:
        return vector(r, k, &r->x, &r->x_cap, e);
    case ENERGY:
        if (r->row[k]++) return bad(r, e, "the end of the energy");
        return numbers(r, k, 1, &r->energy, "the total energy", e);
    case FORCES:
        return vector(r, k, &r->f, &r->f_cap, e);
    case STRESS:
        return stress(r, e);
    default:
        return MLK_OK;
    }
}

static mlk_status disagree(reader *r, mlk_err *e, long line, const char *what, size_t said,
                           const char *where, size_t found)
{
    MLK_FAIL(e, MLK_EFORMAT, "configuration %zu has %zu %s, but %zu %s", r->found + 1, said, where,
             found, what);
    mlk_err_hint(e, "the file was not written by VASP, or was damaged: nothing from here on is "
                    "read");
    return mlk_err_at(e, r->t.path, line);
}

/* Do the counts of the sections read so far agree? */
static mlk_status check_counts(reader *r, mlk_err *e)
{
    const long *at = r->at;
    size_t n = 0;
    for (size_t k = 0; k < r->row[TYPES]; k++) n += r->types[k].n;
    if (!at[TYPES]) return MLK_OK;
    if (at[N_TYPES] && r->row[TYPES] != r->n_type)
        return disagree(r, e, at[TYPES], "are listed", r->n_type, "atom types", r->row[TYPES]);
    if (at[N_ATOMS] && r->n_atom != n)
        return disagree(r, e, at[TYPES], "in the list of types", r->n_atom, "atoms", n);
    if (at[POSITIONS] && r->row[POSITIONS] != n)
        return disagree(r, e, at[POSITIONS], "positions", n, "atoms", r->row[POSITIONS]);
    if (at[FORCES] && r->row[FORCES] != n)
        return disagree(r, e, at[FORCES], "forces", n, "atoms", r->row[FORCES]);
    return MLK_OK;
}

/* Is everything there? Called where the configuration ends. */
static mlk_status check_sections(reader *r, mlk_err *e)
{
    static const size_t rows[N_SECTIONS] = {
        [LATTICE] = 3, [ENERGY] = 1, [STRESS] = 4, [N_TYPES] = 1, [N_ATOMS] = 1};
    for (section k = NAME; k < N_SECTIONS; k++) {
        bool optional = k == NAME || k == N_TYPES || k == N_ATOMS;
        if ((r->at[k] || optional) && (!r->at[k] || !rows[k] || r->row[k] == rows[k])) continue;
        MLK_FAIL(e, MLK_EFORMAT, "configuration %zu %s without%s '%s'", r->found + 1,
                 r->s ? "ends" : "is cut off by the end of the file,", r->at[k] ? " a whole" : "",
                 titles[k]);
        return mlk_text_err(&r->t, e);
    }
    return check_counts(r, e);
}

static mlk_status deliver(reader *r, mlk_frame_fn fn, void *user, mlk_err *e)
{
    mlk_frame fr;
    MLK_TRY(check_sections(r, e));
    const size_t n = r->row[POSITIONS];
    MLK_TRY(mlk_frame_init(&fr, n, e));
    mlk_status s = MLK_OK;
    size_t i = 0;
    for (size_t k = 0; k < r->row[TYPES]; k++)
        for (size_t c = 0; c < r->types[k].n; c++) fr.z[i++] = r->types[k].z;
    memcpy(fr.x, r->x, n * sizeof *fr.x);
    memcpy(fr.f, r->f, n * sizeof *fr.f);
    if (mlk_cell_init(&fr.cell, (const double(*)[3])r->h, NULL)) {
        MLK_FAIL(e, MLK_EFORMAT, "the lattice vectors span no volume");
        MLK_GO(mlk_err_at(e, r->t.path, r->at[LATTICE]));
    }
    static const int from[3][3] = {{0, 3, 5}, {3, 1, 4}, {5, 4, 2}}; /* XX YY ZZ XY YZ ZX */
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            fr.virial[a][b] = r->stress[from[a][b]] * MLK_KBAR_EVA3 * fr.cell.volume;
    fr.energy = r->energy;
    fr.has = MLK_HAS_CELL | (r->lost[ENERGY] ? 0 : MLK_HAS_ENERGY) |
             (r->lost[FORCES] ? 0 : MLK_HAS_FORCE) | (r->lost[STRESS] ? 0 : MLK_HAS_VIRIAL);
    fr.step = (int)++r->found;
    fr.run = r->run;
    fr.line = r->line;
    mlk_text_copy(fr.source, sizeof fr.source, r->t.path);
    mlk_text_copy(fr.config_type, sizeof fr.config_type, r->name);
    s = mlk_frame_check(&fr, e);
    if (s)
        mlk_err_at(e, r->t.path, r->line);
    else
        s = fn(&fr, user, e);
done:
    mlk_frame_free(&fr);
    return s;
}

static void forget(reader *r)
{
    memset(r->at, 0, sizeof r->at);
    memset(r->lost, 0, sizeof r->lost);
    memset(r->row, 0, sizeof r->row);
    r->n_type = r->n_atom = 0;
    r->name[0] = 0;
}

/* The section whose title is the current line, up to the rule that ends it. */
static mlk_status read_section(reader *r, mlk_err *e)
{
    section k = OTHER;
    for (section j = NAME; j < N_SECTIONS; j++)
        if (!strcmp(r->s, titles[j])) k = j;
    if (k && r->at[k]) return bad(r, e, "each section only once");
    r->at[k] = r->t.number;
    MLK_TRY(next(r, e));
    if (rule(r->s) != '-') return bad(r, e, "a line of '-'");
    for (;;) {
        MLK_TRY(next(r, e));
        r->held = !r->s || rule(r->s) == '*' || rule(r->s) == '=' ||
                  (is_version(r->s) && r->row[STRESS] == 4);
        if (r->held) return r->s ? check_counts(r, e) : MLK_OK;
        if (rule(r->s) != '-') MLK_TRY(content(r, k, e));
    }
}

/* From the line "Configuration num." to the next one, the next header or the end. */
static mlk_status read_configuration(reader *r, mlk_frame_fn fn, void *user, mlk_err *e)
{
    forget(r);
    r->line = r->t.number;
    for (;;) {
        MLK_TRY(next(r, e));
        if (!r->s || is_version(r->s)) break;
        if (rule(r->s) != '*' && rule(r->s) != '=') return bad(r, e, "a line of '=' or '*'");
        MLK_TRY(next(r, e));
        if (!r->s || is_configuration(r->s)) break;
        MLK_TRY(read_section(r, e));
    }
    return deliver(r, fn, user, e);
}

/* From the line "1.0 Version" to the first configuration. */
static mlk_status read_header(reader *r, mlk_err *e)
{
    bool number = false;
    r->announced = r->found = 0;
    while (r->s && !is_configuration(r->s)) {
        MLK_TRY(next(r, e));
        if (number && r->s && !rule(r->s)) {
            MLK_TRY(count(r, &r->announced, "the number of configurations", e));
            number = false;
        } else if (r->s && !strcmp(r->s, "The number of configurations"))
            number = true;
    }
    if (!r->s) return bad(r, e, "the first configuration");
    return r->announced ? MLK_OK : bad(r, e, "'The number of configurations' before this");
}

static mlk_status read_run(reader *r, mlk_frame_fn fn, void *user, mlk_err *e)
{
    MLK_TRY(read_header(r, e));
    while (is_configuration(r->s)) MLK_TRY(read_configuration(r, fn, user, e));
    if (r->announced > r->found) {
        MLK_FAIL(e, MLK_EFORMAT, "the header announces %zu configurations, the file holds %zu",
                 r->announced, r->found);
        mlk_err_hint(e, "the file was cut off, or is still being written");
        return mlk_text_err(&r->t, e);
    }
    if (r->announced < r->found)
        mlk_log(MLK_LOG_WARN,
                "%s: the header announces %zu configurations, but there are %zu; "
                "all are read",
                r->t.path, r->announced, r->found);
    return MLK_OK;
}

static mlk_status read_all(reader *r, mlk_frame_fn fn, void *user, mlk_err *e)
{
    MLK_TRY(next(r, e));
    if (!is_version(r->s)) return bad(r, e, "the version of an ML_AB file ('1.0 Version')");
    while (r->s) {
        MLK_TRY(read_run(r, fn, user, e));
        r->run = r->run ? r->run + 1 : 2;
    }
    return MLK_OK;
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    reader *r = mlk_alloc(1, sizeof *r);
    if (!r) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    mlk_status s = mlk_text_open(&r->t, path, e);
    if (!s) s = read_all(r, fn, user, e);
    mlk_text_close(&r->t);
    mlk_free(r->types);
    mlk_free(r->x);
    mlk_free(r->f);
    mlk_free(r);
    return s;
}

/* "1.0 Version", a rule, "The number of configurations" */
static bool sniff(const char *path, const char *head, size_t n)
{
    (void)path, (void)n;
    char first[64], line[64];
    head += strspn(head, " \t\r\n");
    size_t m = strcspn(head, "\r\n");
    if (m >= sizeof first) return false;
    snprintf(first, sizeof first, "%.*s", (int)m, head);
    mlk_text_trim(line, sizeof line, first);
    return is_version(line) && strstr(head, "The number of configurations");
}

extern const mlk_parser mlk_parser_mlab;
const mlk_parser mlk_parser_mlab = {
    .name = "mlab",
    .summary = "VASP ML_AB / ML_ABN, training data of its force fields",
    .rank = MLK_RANK_LAST,
    .sniff = sniff,
    .parse = parse,
};
