/* n2p2.c - input.data of n2p2 and RuNNer: frames between begin and end. The files carry no units.
 * `--from n2p2` reads Angstrom and eV, `--from n2p2-bohr` Bohr and Hartree. Without either, a
 * comment that names a unit decides, else the distances: the median over the atoms of the first
 * frame of (nearest neighbour distance / sum of covalent radii), which is near 1 in Angstrom for
 * anything bonded or metallic (0.85 to 1.25) and 1.9 times that in Bohr. Under 1.35: Angstrom and
 * eV; over 1.5: Bohr and Hartree; between: refused. What was assumed is always said. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/element.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/units.h"
#include "parsers/cluster.h"
#include "parsers/parser.h"
#include "parsers/text.h"

enum { SAMPLE = 64 };

typedef enum { DECIDE, ANGSTROM, BOHR } units;

typedef struct reader {
    mlk_text_in t;
    units unit;
    mlk_frame fr;
    size_t cap_z, cap_x, cap_f;
    double h[3][3];
    int n_lattice, step;
    bool energy, open;
    char clue[256]; /* comment of the first frame, lower case */
} reader;

/* Single-bond covalent radii [A], Cordero et al., Dalton Trans. 2832 (2008), for Z = 1..96. */
// clang-format off
static const double radius[97] = {0,
    0.31, 0.28, 1.28, 0.96, 0.84, 0.76, 0.71, 0.66, 0.57, 0.58, 1.66, 1.41, 1.21, 1.11, 1.07, 1.05,
    1.02, 1.06, 2.03, 1.76, 1.70, 1.60, 1.53, 1.39, 1.39, 1.32, 1.26, 1.24, 1.32, 1.22, 1.22, 1.20,
    1.19, 1.20, 1.20, 1.16, 2.20, 1.95, 1.90, 1.75, 1.64, 1.54, 1.47, 1.46, 1.42, 1.39, 1.45, 1.44,
    1.42, 1.39, 1.39, 1.38, 1.39, 1.40, 2.44, 2.15, 2.07, 2.04, 2.03, 2.01, 1.99, 1.98, 1.98, 1.96,
    1.94, 1.92, 1.92, 1.89, 1.90, 1.87, 1.87, 1.75, 1.70, 1.62, 1.51, 1.44, 1.41, 1.36, 1.36, 1.32,
    1.45, 1.46, 1.48, 1.40, 1.50, 1.50, 2.60, 2.21, 2.15, 2.06, 2.00, 1.96, 1.90, 1.87, 1.80, 1.69};
// clang-format on

/* ---- units ---- */

static double covalent(int z)
{
    return z <= 96 ? radius[z] : 1.7;
}

/* Smallest |x_j - x_i| / (r_i + r_j) over the other atoms and the images next to the cell. */
static double nearest(const mlk_frame *fr, size_t i)
{
    double best = INFINITY;
    const int m = fr->cell.pbc[0] ? 1 : 0;
    for (size_t j = 0; j < fr->n; j++)
        for (int a = -m; a <= m; a++)
            for (int b = -m; b <= m; b++)
                for (int c = -m; c <= m; c++) {
                    double q = 0;
                    if (j == i && !a && !b && !c) continue;
                    for (int k = 0; k < 3; k++) {
                        double d = fr->x[j][k] - fr->x[i][k] + a * fr->cell.h[0][k] +
                                   b * fr->cell.h[1][k] + c * fr->cell.h[2][k];
                        q += d * d;
                    }
                    best = fmin(best, sqrt(q) / (covalent(fr->z[i]) + covalent(fr->z[j])));
                }
    return best;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median over at most SAMPLE atoms; NAN when nothing can be said. Noble gases do not bond. */
static double median_ratio(const mlk_frame *fr)
{
    double q[SAMPLE];
    size_t m = 0, stride = (fr->n + SAMPLE - 1) / SAMPLE;
    for (size_t i = 0; i < fr->n; i += stride) {
        const int z = fr->z[i];
        if (z == 2 || z == 10 || z == 18 || z == 36 || z == 54 || z == 86) continue;
        double d = nearest(fr, i);
        if (isfinite(d)) q[m++] = d;
    }
    if (!m) return NAN;
    qsort(q, m, sizeof *q, by_size);
    return q[m / 2];
}

static bool clue_says(const char *clue, const char *word)
{
    for (const char *p = clue; (p = strstr(p, word)); p++) {
        const char *end = p + strlen(word);
        if ((p == clue || !isalnum((unsigned char)p[-1])) && !isalnum((unsigned char)*end))
            return true;
    }
    return false;
}

static mlk_status decide(reader *r, mlk_err *e)
{
    const bool ang = clue_says(r->clue, "angstrom") || clue_says(r->clue, "ev");
    const bool bohr = clue_says(r->clue, "bohr") || clue_says(r->clue, "hartree");
    if (ang != bohr) {
        r->unit = ang ? ANGSTROM : BOHR;
        mlk_log(MLK_LOG_WARN, "%s: read in %s, as its first comment says; else use --from %s",
                r->t.path, ang ? "Angstrom and eV" : "Bohr and Hartree",
                ang ? "n2p2-bohr" : "n2p2");
        return MLK_OK;
    }
    const double q = median_ratio(&r->fr);
    if (!(q < 1.35 || q > 1.5)) {
        MLK_FAIL(e, MLK_EFORMAT,
                 "the file states no units and its distances do not tell (nearest neighbours at "
                 "%.3g sums of covalent radii)",
                 q);
        mlk_err_hint(e,
                     "say which: --from n2p2 (Angstrom, eV) or --from n2p2-bohr (Bohr, Hartree)");
        return mlk_err_at(e, r->t.path, r->fr.line);
    }
    r->unit = q < 1.35 ? ANGSTROM : BOHR;
    mlk_log(MLK_LOG_WARN,
            "%s: states no units; %s assumed: nearest neighbours are then at %.2f sums of covalent "
            "radii, otherwise at %.2f; else use --from %s",
            r->t.path, r->unit == ANGSTROM ? "Angstrom and eV" : "Bohr and Hartree",
            r->unit == ANGSTROM ? q : q * MLK_BOHR, r->unit == ANGSTROM ? q * MLK_BOHR : q,
            r->unit == ANGSTROM ? "n2p2-bohr" : "n2p2");
    return MLK_OK;
}

static mlk_status convert(mlk_frame *fr, mlk_err *e)
{
    const double f = MLK_HARTREE / MLK_BOHR;
    double h[3][3];
    bool pbc[3];
    memcpy(pbc, fr->cell.pbc, sizeof pbc);
    for (size_t i = 0; i < fr->n; i++)
        for (int k = 0; k < 3; k++) {
            fr->x[i][k] *= MLK_BOHR;
            fr->f[i][k] *= f;
        }
    fr->energy *= MLK_HARTREE;
    if (mlk_isolated(fr)) return mlk_isolated_cell(fr, e);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) h[a][b] = fr->cell.h[a][b] * MLK_BOHR;
    MLK_TRY(mlk_cell_init(&fr->cell, (const double(*)[3])h, e));
    memcpy(fr->cell.pbc, pbc, sizeof pbc);
    return MLK_OK;
}

/* ---- lines ---- */

/* Numbers of a label; asterisks or NaN clear *ok with a warning. */
static bool label(reader *r, const char **s, double *v, int n, bool *ok)
{
    size_t len;
    if (mlk_numbers(s, (size_t)n, v) == (size_t)n) return true;
    const char *lost = mlk_number_find_lost(*s, &len);
    if (!lost) return false;
    if (*ok)
        mlk_log(MLK_LOG_WARN, "%s:%ld: '%.*s' in '%.60s': the label is not used", r->t.path,
                r->t.number, (int)(len < 40 ? len : 40), lost, r->t.line);
    *ok = false;
    return true;
}

/* atom x y z element charge (unused) fx fy fz */
static mlk_status read_atom(reader *r, const char *s, bool *forces, mlk_err *e)
{
    mlk_frame *fr = &r->fr;
    double unused[2];
    char symbol[8];
    const size_t i = fr->n;
    MLK_TRY(MLK_GROW(fr->z, r->cap_z, i + 1, e));
    MLK_TRY(MLK_GROW(fr->x, r->cap_x, i + 1, e));
    MLK_TRY(MLK_GROW(fr->f, r->cap_f, i + 1, e));
    if (mlk_numbers(&s, 3, fr->x[i]) != 3)
        return mlk_text_expected(&r->t, "a position: atom x y z element ...", e);
    s += strspn(s, " \t");
    size_t n = strcspn(s, " \t\r");
    snprintf(symbol, sizeof symbol, "%.*s", n < 8 ? (int)n : 0, s);
    s += n;
    fr->z[i] = mlk_element_z(symbol);
    if (!fr->z[i]) return mlk_text_expected(&r->t, "an element symbol behind the position", e);
    if (mlk_numbers(&s, 2, unused) != 2 || !label(r, &s, fr->f[i], 3, forces))
        return mlk_text_expected(&r->t, "9 columns: x y z element charge 0 fx fy fz", e);
    fr->n++;
    return MLK_OK;
}

static void take_comment(reader *r, const char *s)
{
    s += strspn(s, " \t");
    if (strncmp(s, "units:", 6)) mlk_text_copy(r->fr.config_type, sizeof r->fr.config_type, s);
    if (r->step || r->clue[0]) return;
    mlk_text_copy(r->clue, sizeof r->clue, s);
    for (char *p = r->clue; *p; p++) *p = (char)tolower((unsigned char)*p);
}

static mlk_status read_line(reader *r, const char *key, const char *s, bool *energy, bool *forces,
                            mlk_err *e)
{
    if (!strcmp(key, "atom")) return read_atom(r, s, forces, e);
    if (!strcmp(key, "lattice")) {
        if (r->n_lattice == 3 || mlk_numbers(&s, 3, r->h[r->n_lattice++]) != 3)
            return mlk_text_expected(&r->t, "three lattice vectors of 3 numbers", e);
    } else if (!strcmp(key, "energy")) {
        r->energy = true;
        if (!label(r, &s, &r->fr.energy, 1, energy))
            return mlk_text_expected(&r->t, "the energy", e);
    } else if (!strcmp(key, "comment")) {
        take_comment(r, s);
    } else if (strcmp(key, "charge")) {
        return mlk_text_expected(&r->t, "begin, comment, lattice, atom, energy, charge or end", e);
    }
    return MLK_OK;
}

/* Everything zero is what programs write when there is nothing to say. */
static bool all_zero(const mlk_frame *fr)
{
    for (size_t i = 0; i < fr->n; i++)
        for (int k = 0; k < 3; k++)
            if (fr->f[i][k] != 0) return false;
    return fr->energy == 0;
}

static mlk_status finish(reader *r, bool energy, bool forces, mlk_err *e)
{
    mlk_frame *fr = &r->fr;
    if (!fr->n) return mlk_text_expected(&r->t, "atoms before end", e);
    if (r->n_lattice != 0 && r->n_lattice != 3)
        return mlk_text_expected(&r->t, "three lattice lines before end", e);
    if (r->n_lattice == 3) {
        if (mlk_cell_init(&fr->cell, (const double(*)[3])r->h, e)) return mlk_text_err(&r->t, e);
        fr->has |= MLK_HAS_CELL;
    } else {
        MLK_TRY(mlk_isolated_cell(fr, e));
    }
    if (!all_zero(fr)) {
        if (r->energy && energy) fr->has |= MLK_HAS_ENERGY;
        if (forces) fr->has |= MLK_HAS_FORCE;
    }
    if (r->unit == DECIDE) MLK_TRY(decide(r, e));
    if (r->unit == BOHR) MLK_TRY(convert(fr, e));
    return mlk_frame_check(fr, e) ? mlk_err_at(e, r->t.path, fr->line) : MLK_OK;
}

/* One frame; its begin line has been read. */
static mlk_status read_frame(reader *r, mlk_err *e)
{
    bool more, energy = true, forces = true;
    MLK_TRY(mlk_frame_init(&r->fr, 16, e));
    r->cap_z = r->cap_x = r->cap_f = 16;
    r->fr.n = 0;
    r->fr.line = r->t.number;
    r->n_lattice = 0;
    r->energy = false;
    mlk_text_copy(r->fr.source, sizeof r->fr.source, r->t.path);
    for (;;) {
        char key[16];
        MLK_TRY(mlk_text_next(&r->t, &more, e));
        if (!more) {
            MLK_FAIL(e, MLK_EFORMAT,
                     "the file ends early: no 'end' of the frame that begins in "
                     "line %ld",
                     r->fr.line);
            return mlk_text_err(&r->t, e);
        }
        const char *s = r->t.line + strspn(r->t.line, " \t");
        size_t n = strcspn(s, " \t\r");
        snprintf(key, sizeof key, "%.*s", n < 16 ? (int)n : 0, s);
        if (!*s) continue;
        if (!strcmp(key, "end")) return finish(r, energy, forces, e);
        if (r->t.open_ended) continue; /* may be cut; without an end the frame is lost anyway */
        MLK_TRY(read_line(r, key, s + n, &energy, &forces, e));
    }
}

static mlk_status read_all(reader *r, mlk_frame_fn fn, void *user, mlk_err *e)
{
    for (;;) {
        bool more;
        MLK_TRY(mlk_text_next(&r->t, &more, e));
        if (!more) return MLK_OK;
        const char *s = r->t.line + strspn(r->t.line, " \t");
        if (!*s) continue;
        if (strncmp(s, "begin", 5) || s[5 + strspn(s + 5, " \t\r")])
            return mlk_text_expected(&r->t, "'begin'", e);
        MLK_TRY(read_frame(r, e));
        r->fr.step = r->step + 1;
        MLK_TRY(fn(&r->fr, user, e));
        r->step++;
        mlk_frame_free(&r->fr);
    }
}

static mlk_status parse(const char *path, units unit, mlk_frame_fn fn, void *user, mlk_err *e)
{
    reader *r = mlk_alloc(1, sizeof *r);
    if (!r) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    r->unit = unit;
    mlk_status s = mlk_text_open(&r->t, path, e);
    if (!s) s = read_all(r, fn, user, e);
    if (!s && !r->step) {
        MLK_FAIL(e, MLK_EFORMAT, "holds no frame");
        s = mlk_err_at(e, path, 0);
    }
    if (s && r->step && e) mlk_err_prefix(e, "%d complete frames, then: ", r->step);
    mlk_frame_free(&r->fr);
    mlk_text_close(&r->t);
    mlk_free(r);
    return s;
}

static mlk_status parse_auto(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    return parse(path, DECIDE, fn, user, e);
}

static mlk_status parse_angstrom(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    return parse(path, ANGSTROM, fn, user, e);
}

static mlk_status parse_bohr(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    return parse(path, BOHR, fn, user, e);
}

/* The line "begin", then one of the other keywords. */
static bool sniff(const char *path, const char *head, size_t n)
{
    (void)path;
    (void)n;
    head += strspn(head, " \t\r\n");
    if (strncmp(head, "begin", 5)) return false;
    head += 5 + strspn(head + 5, " \t\r");
    if (*head != '\n') return false;
    head += strspn(head, " \t\r\n");
    return !strncmp(head, "comment", 7) || !strncmp(head, "lattice", 7) ||
           !strncmp(head, "atom", 4) || !strncmp(head, "energy", 6) || !strncmp(head, "charge", 6);
}

extern const mlk_parser mlk_parser_n2p2_auto, mlk_parser_n2p2, mlk_parser_n2p2_bohr;
const mlk_parser mlk_parser_n2p2_auto = {
    .name = "n2p2-auto",
    .summary = "n2p2 / RuNNer input.data, units decided by comment or distances",
    .rank = MLK_RANK_COPY,
    .sniff = sniff,
    .parse = parse_auto,
};
const mlk_parser mlk_parser_n2p2 = {
    .name = "n2p2",
    .summary = "n2p2 / RuNNer input.data in Angstrom and eV",
    .rank = MLK_RANK_COPY,
    .parse = parse_angstrom,
};
const mlk_parser mlk_parser_n2p2_bohr = {
    .name = "n2p2-bohr",
    .summary = "n2p2 / RuNNer input.data in Bohr and Hartree",
    .rank = MLK_RANK_COPY,
    .parse = parse_bohr,
};
