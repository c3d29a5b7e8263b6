/* extxyz.c - extended XYZ, the many dialects of it that carry DFT labels.
 * Keys and column names are compared without case; REF_ and DFT_ prefixes are accepted and
 * preferred. energy: [ref_|dft_]free_energy before energy, because the forces belong to the free
 * energy. stress is sigma (tension positive) in eV/A^3 unless a stress-unit says otherwise;
 * virial(s) is W = -volume * stress in eV; nine numbers row by row, or six in Voigt order xx yy zz
 * yz xz xy. vel / velo / velocities are A/fs; momenta are ASE's, sqrt(amu eV). The writer is
 * extxyz_write.c. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/element.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/opt.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "parsers/text.h"

enum { KEYS_MAX = 256, WORDS_MAX = 512, ATOMS_MAX = 100000000 };

typedef struct pair {
    const char *key, *value; /* key in lower case, inside the comment line */
} pair;

typedef struct columns {
    int species, z, pos, force, vel, momenta; /* first column, -1 when absent */
    int n;
} columns;

typedef struct reader {
    mlk_text_in t;
    char *comment;
    size_t comment_cap;
    pair kv[KEYS_MAX];
    size_t n_kv;
    char *word[WORDS_MAX];
    columns col;
    bool warned_sign, warned_z;
} reader;

/* Cut the comment line into key=value pairs in place. Values may stand in "..", '..', {..} or [..].
 * A word without '=' is a flag with the value "T". */
static mlk_status split_comment(reader *r, mlk_err *e)
{
    char *s = r->comment;
    r->n_kv = 0;
    for (;;) {
        while (isspace((unsigned char)*s) || *s == ',') s++;
        if (!*s) return MLK_OK;
        if (r->n_kv == KEYS_MAX) {
            MLK_FAIL(e, MLK_EFORMAT, "more than %d keys on the comment line", KEYS_MAX);
            return mlk_text_err(&r->t, e);
        }
        pair *kv = &r->kv[r->n_kv++];
        char *key = s;
        while (*s && *s != '=' && !isspace((unsigned char)*s)) {
            *s = (char)tolower((unsigned char)*s);
            s++;
        }
        kv->key = key;
        kv->value = "T";
        char *end = s;
        char *q = s + strspn(s, " \t");
        if (*q != '=') {
            if (*s) *s++ = 0;
            continue;
        }
        q++;
        q += strspn(q, " \t");
        *end = 0;
        const char *open = "\"'{[", *close = "\"'}]", *which = *q ? strchr(open, *q) : NULL;
        if (which) {
            char stop = close[which - open];
            kv->value = ++q;
            s = strchr(q, stop);
            if (!s) {
                MLK_FAIL(e, MLK_EFORMAT, "the value of '%s' has no closing %c", kv->key, stop);
                return mlk_text_err(&r->t, e);
            }
            *s++ = 0;
            if (*s == ']') s++; /* [[...], [...]] */
        } else {
            kv->value = q;
            s = q + strcspn(q, " \t\r");
            if (*s) *s++ = 0;
        }
    }
}

static const char *find(const reader *r, const char *const *keys, const char **found)
{
    for (; *keys; keys++)
        for (size_t k = 0; k < r->n_kv; k++)
            if (!strcmp(r->kv[k].key, *keys)) {
                if (found) *found = *keys;
                return r->kv[k].value;
            }
    return NULL;
}

#define FIND(r, found, ...) find(r, (const char *const[]){__VA_ARGS__, NULL}, found)

/* Numbers separated by blanks, commas or brackets; -1 when something else stands there. */
static int numbers(const char *s, double *v, int max)
{
    int n = 0;
    for (;;) {
        s += strspn(s, " \t,[]{}()");
        if (!*s) return n;
        char *end;
        double d = strtod(s, &end);
        if (end == s || n == max || !isfinite(d) || (*end && !strchr(" \t,[]{}()", *end)))
            return -1;
        v[n++] = d;
        s = end;
    }
}

static mlk_status bad_value(reader *r, mlk_err *e, const char *key, const char *expected,
                            const char *value)
{
    MLK_FAIL(e, MLK_EFORMAT, "%s should be %s, found '%.60s'", key, expected, value);
    return mlk_text_err(&r->t, e);
}

static int column(int *slot, int at, int want, int have)
{
    if (have != want) return -1;
    if (*slot < 0) *slot = at;
    return 0;
}

/* Properties=species:S:1:pos:R:3:... */
static mlk_status read_properties(reader *r, mlk_err *e)
{
    const char *s = FIND(r, NULL, "properties");
    columns *c = &r->col;
    *c = (columns){-1, -1, -1, -1, -1, -1, 0};
    if (!s) s = "species:S:1:pos:R:3";
    int ref_force = -1;
    for (const char *q = s; *q;) {
        char name[64], type;
        int m, used = 0;
        if (sscanf(q, "%63[^:]:%c:%d%n", name, &type, &m, &used) != 3 || m < 1 || m > WORDS_MAX)
            return bad_value(r, e, "Properties", "name:type:columns triples", s);
        q += used;
        if (*q == ':') q++;
        for (char *p = name; *p; p++) *p = (char)tolower((unsigned char)*p);
        int bad = 0;
        if (type == 'S' && (!strcmp(name, "species") || !strcmp(name, "element") ||
                            !strcmp(name, "symbol") || !strcmp(name, "symbols")))
            bad = column(&c->species, c->n, 1, m);
        else if (!strcmp(name, "z") || !strcmp(name, "numbers") || !strcmp(name, "atomic_numbers"))
            bad = column(&c->z, c->n, 1, m);
        else if (!strcmp(name, "pos") || !strcmp(name, "positions"))
            bad = column(&c->pos, c->n, 3, m);
        else if (!strcmp(name, "force") || !strcmp(name, "forces"))
            bad = column(&c->force, c->n, 3, m);
        else if (!strcmp(name, "ref_forces") || !strcmp(name, "dft_forces") ||
                 !strcmp(name, "ref_force") || !strcmp(name, "dft_force"))
            bad = column(&ref_force, c->n, 3, m);
        else if (!strcmp(name, "vel") || !strcmp(name, "velo") || !strcmp(name, "velocities"))
            bad = column(&c->vel, c->n, 3, m);
        else if (!strcmp(name, "momenta"))
            bad = column(&c->momenta, c->n, 3, m);
        if (bad) return bad_value(r, e, "Properties", "3 columns per vector and 1 per scalar", s);
        c->n += m;
        if (c->n > WORDS_MAX) return bad_value(r, e, "Properties", "at most 512 columns", s);
    }
    if (ref_force >= 0) c->force = ref_force;
    if (c->pos < 0 || (c->species < 0 && c->z < 0))
        return bad_value(r, e, "Properties", "a list with species (or Z) and pos", s);
    return MLK_OK;
}

static mlk_status read_lattice(reader *r, mlk_frame *fr, mlk_err *e)
{
    const char *s = FIND(r, NULL, "lattice", "cell");
    if (!s) {
        MLK_FAIL(e, MLK_EFORMAT, "no Lattice=\"...\" on the comment line: a frame needs its cell");
        mlk_err_hint(e, "add Lattice=\"ax ay az bx by bz cx cy cz\" in Angstrom");
        return mlk_text_err(&r->t, e);
    }
    double h[3][3];
    if (numbers(s, &h[0][0], 9) != 9) return bad_value(r, e, "Lattice", "nine numbers", s);
    if (mlk_cell_init(&fr->cell, (const double(*)[3])h, NULL))
        return bad_value(r, e, "Lattice", "three vectors that span a volume", s);
    fr->has |= MLK_HAS_CELL;
    s = FIND(r, NULL, "pbc");
    if (!s) return MLK_OK;
    for (int k = 0; k < 3; k++) {
        s += strspn(s, " \t,[]");
        if (!*s || !strchr("TtFf10", *s)) return bad_value(r, e, "pbc", "three of T and F", s);
        fr->cell.pbc[k] = strchr("Tt1", *s) != NULL;
        s += strcspn(s, " \t,[]");
    }
    return MLK_OK;
}

/* Nine numbers row by row, or six in Voigt order. */
static bool tensor(const char *s, double m[3][3])
{
    double v[9];
    int n = numbers(s, v, 9);
    if (n == 9) memcpy(m, v, sizeof v);
    if (n == 6) {
        m[0][0] = v[0], m[1][1] = v[1], m[2][2] = v[2];
        m[1][2] = m[2][1] = v[3], m[0][2] = m[2][0] = v[4], m[0][1] = m[1][0] = v[5];
    }
    return n == 9 || n == 6;
}

/* eV/A^3 per unit named, 0 if unknown. */
static double stress_unit(const char *s)
{
    if (!s || !strcasecmp(s, "eV/A^3") || !strcasecmp(s, "eV/Ang^3") ||
        !strcasecmp(s, "eV/Angstrom^3"))
        return 1;
    if (!strcasecmp(s, "kbar") || !strcasecmp(s, "kB")) return MLK_KBAR_EVA3;
    if (!strcasecmp(s, "GPa")) return 1 / MLK_EVA3_GPA;
    if (!strcasecmp(s, "bar")) return MLK_KBAR_EVA3 * 1e-3;
    return 0;
}

static mlk_status read_stress(reader *r, mlk_frame *fr, mlk_err *e)
{
    double w[3][3], sg[3][3];
    const char *kw = NULL, *ks = NULL;
    const char *sw =
        FIND(r, &kw, "ref_virial", "dft_virial", "ref_virials", "dft_virials", "virial", "virials");
    const char *ss = FIND(r, &ks, "ref_stress", "dft_stress", "stress");
    if (sw && !tensor(sw, w)) return bad_value(r, e, kw, "6 or 9 numbers", sw);
    if (ss) {
        const char *name =
            FIND(r, NULL, "stress-unit", "stress_unit", "stress_units", "stress-units");
        double unit = stress_unit(name);
        if (!tensor(ss, sg)) return bad_value(r, e, ks, "6 or 9 numbers", ss);
        if (unit == 0) return bad_value(r, e, "stress-unit", "eV/A^3, GPa, kbar or bar", name);
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++) sg[a][b] *= -unit * fr->cell.volume;
    }
    if (sw && ss && !r->warned_sign) {
        double diff = 0, size = 0;
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++) {
                diff = fmax(diff, fabs(w[a][b] - sg[a][b]));
                size = fmax(size, fabs(w[a][b]));
            }
        if (diff > 0.01 * size + 1e-3) {
            r->warned_sign = true;
            mlk_log(MLK_LOG_WARN,
                    "%s:%ld: %s and %s disagree (virial should be -volume * stress, off by up to "
                    "%.3g eV); %s is used",
                    r->t.path, r->t.number, kw, ks, diff, kw);
        }
    }
    if (!sw && !ss) return MLK_OK;
    memcpy(fr->virial, sw ? w : sg, sizeof w);
    fr->has |= MLK_HAS_VIRIAL;
    return MLK_OK;
}

/* Six or nine numbers under a key that speaks of stress or virial but is none of the known ones:
 * order, sign and unit are anybody's guess, so they are kept aside for the checker. */
static void keep_unknown_stress(const reader *r, mlk_frame *fr)
{
    static const char *const known[] = {"stress",      "ref_stress",  "dft_stress",  "virial",
                                        "virials",     "ref_virial",  "dft_virial",  "ref_virials",
                                        "dft_virials", "stress-unit", "stress_unit", "stress-units",
                                        "stress_units"};
    for (size_t k = 0; k < r->n_kv; k++) {
        const char *key = r->kv[k].key;
        size_t q = 0, n = sizeof known / sizeof *known;
        if (!strstr(key, "stress") && !strstr(key, "virial")) continue;
        while (q < n && strcmp(key, known[q])) q++;
        if (q < n) continue;
        int m = numbers(r->kv[k].value, fr->raw, 9);
        if (m != 6 && m != 9) continue;
        fr->n_raw = m;
        mlk_text_copy(fr->raw_key, sizeof fr->raw_key, key);
        return;
    }
}

static mlk_status read_real(reader *r, const char *key, const char *value, double *v, mlk_err *e)
{
    return numbers(value, v, 1) == 1 ? MLK_OK : bad_value(r, e, key, "a number", value);
}

static mlk_status read_labels(reader *r, mlk_frame *fr, mlk_err *e)
{
    const char *key = "", *s = FIND(r, &key, "ref_free_energy", "dft_free_energy", "ref_energy",
                                    "dft_energy", "free_energy", "energy");
    if (s) {
        MLK_TRY(read_real(r, key, s, &fr->energy, e));
        fr->has |= MLK_HAS_ENERGY;
    }
    /* ASE: `energy` is E(sigma->0) where free_energy stands beside it */
    const char *e0 = FIND(r, NULL, "energy0");
    if (!e0 && s && !strcmp(key, "free_energy")) e0 = FIND(r, NULL, "energy");
    if (e0) MLK_TRY(read_real(r, "energy0", e0, &fr->energy0, e));
    if ((s = FIND(r, NULL, "temperature")))
        MLK_TRY(read_real(r, "temperature", s, &fr->temperature, e));
    if ((s = FIND(r, NULL, "group"))) mlk_text_copy(fr->group, sizeof fr->group, s);
    if ((s = FIND(r, NULL, "config_type")))
        mlk_text_copy(fr->config_type, sizeof fr->config_type, s);
    if ((s = FIND(r, NULL, "scf_converged")))
        fr->scf = strchr("Tt1", *s) && *s ? MLK_SCF_CONVERGED : MLK_SCF_UNCONVERGED;
    keep_unknown_stress(r, fr);
    return read_stress(r, fr, e);
}

static mlk_status atom_err(reader *r, mlk_err *e, size_t i, const char *what, const char *found)
{
    MLK_FAIL(e, MLK_EFORMAT, "%s of atom %zu: '%.40s'", what, i + 1, found);
    return mlk_text_err(&r->t, e);
}

static mlk_status vector(reader *r, int at, double v[3], size_t i, const char *what, mlk_err *e)
{
    for (int k = 0; k < 3; k++)
        if (!mlk_parse_double(r->word[at + k], &v[k]))
            return atom_err(r, e, i, what, r->word[at + k]);
    return MLK_OK;
}

/* Z wins over the symbol, as in ASE; a contradiction is reported once. */
static mlk_status read_element(reader *r, mlk_frame *fr, size_t i, mlk_err *e)
{
    const columns *c = &r->col;
    long z = 0, from_name = 0;
    if (c->species >= 0) {
        from_name = mlk_element_z(r->word[c->species]);
        if (!from_name && !mlk_parse_long(r->word[c->species], &from_name)) from_name = 0;
    }
    if (c->z < 0 || !mlk_parse_long(r->word[c->z], &z)) z = from_name;
    if (z < 1 || z > MLK_ELEMENT_MAX)
        return atom_err(r, e, i, "unknown element", r->word[c->species >= 0 ? c->species : c->z]);
    fr->z[i] = (int)z;
    if (c->species >= 0 && from_name != z && !r->warned_z) {
        r->warned_z = true;
        mlk_log(MLK_LOG_WARN, "%s:%ld: species '%s' has Z = %ld; Z is used", r->t.path, r->t.number,
                r->word[c->species], z);
    }
    return MLK_OK;
}

static mlk_status read_atom(reader *r, mlk_frame *fr, size_t i, mlk_err *e)
{
    const columns *c = &r->col;
    bool more;
    MLK_TRY(mlk_text_next(&r->t, &more, e));
    if (!more) {
        MLK_FAIL(e, MLK_EFORMAT, "the file ends early: atom %zu of %zu is missing", i + 1, fr->n);
        return mlk_text_err(&r->t, e);
    }
    size_t n = mlk_text_words(r->t.line, r->word, WORDS_MAX);
    if ((int)n < c->n) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu columns for atom %zu of %zu, expected %d", n, i + 1, fr->n,
                 c->n);
        return mlk_text_err(&r->t, e);
    }
    MLK_TRY(read_element(r, fr, i, e));
    MLK_TRY(vector(r, c->pos, fr->x[i], i, "not a number in the position", e));
    if (c->force >= 0) MLK_TRY(vector(r, c->force, fr->f[i], i, "not a number in the force", e));
    int at = c->vel >= 0 ? c->vel : c->momenta;
    if (at >= 0) {
        MLK_TRY(vector(r, at, fr->v[i], i, "not a number in the velocity", e));
        double unit = c->vel >= 0 ? MLK_TAU_FS : 1 / mlk_element_mass(fr->z[i]);
        for (int k = 0; k < 3; k++) fr->v[i][k] *= unit;
    }
    return MLK_OK;
}

static mlk_status read_frame(reader *r, mlk_frame *fr, size_t n, mlk_err *e)
{
    bool more;
    long first = r->t.number;
    MLK_TRY(mlk_text_next(&r->t, &more, e));
    if (!more) {
        MLK_FAIL(e, MLK_EFORMAT, "the file ends early: no comment line after the number of atoms");
        return mlk_text_err(&r->t, e);
    }
    size_t len = strlen(r->t.line);
    MLK_TRY(MLK_GROW(r->comment, r->comment_cap, len + 1, e));
    memcpy(r->comment, r->t.line, len + 1);
    MLK_TRY(split_comment(r, e));
    MLK_TRY(read_properties(r, e));
    if (mlk_frame_init(fr, n, e)) return mlk_text_err(&r->t, e);
    fr->line = first;
    mlk_text_copy(fr->source, sizeof fr->source, r->t.path);
    MLK_TRY(read_lattice(r, fr, e));
    MLK_TRY(read_labels(r, fr, e));
    if (r->col.vel >= 0 || r->col.momenta >= 0) {
        fr->v = mlk_alloc(n, sizeof *fr->v);
        if (!fr->v) return MLK_FAIL(e, MLK_ENOMEM, "no memory for velocities");
        fr->has |= MLK_HAS_VELOCITY;
    }
    if (r->col.force >= 0) fr->has |= MLK_HAS_FORCE;
    for (size_t i = 0; i < n; i++) MLK_TRY(read_atom(r, fr, i, e));
    mlk_status s = mlk_frame_check(fr, e);
    return s ? mlk_err_at(e, r->t.path, first) : MLK_OK;
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    reader *r = mlk_alloc(1, sizeof *r);
    if (!r) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    mlk_frame fr = {0};
    bool more;
    int step = 0;
    mlk_status s;
    MLK_GO(mlk_text_open(&r->t, path, e));
    for (;;) {
        MLK_GO(mlk_text_next(&r->t, &more, e));
        if (!more) break;
        char *w;
        long n;
        if (mlk_text_words(r->t.line, r->word, 2) == 0) continue; /* blank lines between frames */
        w = r->word[0];
        if (!mlk_parse_long(w, &n) || n < 1 || n > ATOMS_MAX) {
            MLK_FAIL(e, MLK_EFORMAT, "expected the number of atoms of frame %d, found '%.40s'",
                     step + 1, w);
            s = mlk_text_err(&r->t, e);
            goto done;
        }
        MLK_GO(read_frame(r, &fr, (size_t)n, e));
        fr.step = ++step;
        MLK_GO(fn(&fr, user, e));
        mlk_frame_free(&fr);
    }
    s = MLK_OK;
    if (!step) {
        MLK_FAIL(e, MLK_EFORMAT, "holds no frame");
        s = mlk_err_at(e, path, 0);
    }
done:
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
    if (dot && !strcasecmp(dot, ".gz"))
        while (dot > base && *--dot != '.') continue;
    if (dot && (!strncasecmp(dot, ".xyz", 4) || !strncasecmp(dot, ".extxyz", 7))) return true;
    long v = strtol(head, &end, 10);
    if (end == head || v < 1) return false;
    end += strspn(end, " \t\r");
    if (*end != '\n') return false;
    const char *nl = strchr(end + 1, '\n'), *eq = strchr(end + 1, '=');
    return eq && (!nl || eq < nl);
}

extern const mlk_parser mlk_parser_extxyz;
const mlk_parser mlk_parser_extxyz = {
    .name = "extxyz",
    .summary = "extended XYZ (ASE, QUIP, GPUMD, MACE dialects)",
    .sniff = sniff,
    .parse = parse,
};
