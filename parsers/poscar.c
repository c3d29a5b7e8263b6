/* poscar.c - VASP's POSCAR/CONTCAR: one structure, optionally with velocities.
 * Line 2 is a scale factor (negative: the volume of the cell; three numbers: one per axis). Direct
 * or Cartesian coordinates; velocities in A/fs. Not here: the predictor-corrector block of CONTCAR.
 */
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

enum { TYPES_MAX = 256 };

typedef struct poscar {
    mlk_text_in t;
    char comment[256];
    mlk_frame fr;
    char *word[TYPES_MAX];
} poscar;

/* First n words of a line as numbers; further words (comments, T/F flags) are ignored. */
static bool leading_numbers(const char *line, int n, double *v)
{
    for (int k = 0; k < n; k++) {
        char *end;
        v[k] = strtod(line, &end);
        if (end == line || !isfinite(v[k]) || (*end && !isspace((unsigned char)*end))) return false;
        line = end;
    }
    return true;
}

static mlk_status need_line(poscar *p, const char *what, mlk_err *e)
{
    bool more;
    MLK_TRY(mlk_text_next(&p->t, &more, e));
    if (more) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "the file ends where %s should stand", what);
    return mlk_text_err(&p->t, e);
}

static mlk_status bad(poscar *p, mlk_err *e, const char *expected)
{
    MLK_FAIL(e, MLK_EFORMAT, "expected %s, found '%.60s'", expected, p->t.line);
    return mlk_text_err(&p->t, e);
}

/* Lines 2-5: scale and lattice. scale[3] multiplies Cartesian coordinates per axis. */
static mlk_status read_cell(poscar *p, double scale[3], mlk_err *e)
{
    double h[3][3];
    MLK_TRY(need_line(p, "the scale factor", e));
    if (!leading_numbers(p->t.line, 1, scale) || scale[0] == 0)
        return bad(p, e, "a scale factor that is not zero");
    if (!leading_numbers(p->t.line, 3, scale))
        scale[1] = scale[2] = scale[0];
    else if (!(scale[0] > 0 && scale[1] > 0 && scale[2] > 0))
        return bad(p, e, "three positive scale factors");
    for (int a = 0; a < 3; a++) {
        MLK_TRY(need_line(p, "a lattice vector", e));
        if (!leading_numbers(p->t.line, 3, h[a])) return bad(p, e, "a lattice vector (3 numbers)");
    }
    if (mlk_cell_init(&p->fr.cell, (const double(*)[3])h, NULL))
        return bad(p, e, "three lattice vectors that span a volume");
    if (scale[0] < 0) scale[0] = scale[1] = scale[2] = cbrt(-scale[0] / p->fr.cell.volume);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) h[a][b] *= scale[b];
    if (mlk_cell_init(&p->fr.cell, (const double(*)[3])h, NULL))
        return bad(p, e, "three lattice vectors that span a volume");
    return MLK_OK;
}

static mlk_status no_species(poscar *p, size_t n, mlk_err *e)
{
    MLK_FAIL(e, MLK_EFORMAT, "no line of element symbols above the counts (VASP 4 style)");
    mlk_err_hint(e, "insert a line with %zu element symbol%s above this line%s%.80s%s", n,
                 n == 1 ? "" : "s", p->comment[0] ? "; the title reads '" : "", p->comment,
                 p->comment[0] ? "'" : "");
    return mlk_text_err(&p->t, e);
}

/* Species and counts: fills fr.z and fr.n (z, x, f are allocated here). */
static mlk_status read_species(poscar *p, mlk_err *e)
{
    int z[TYPES_MAX];
    MLK_TRY(need_line(p, "the element symbols", e));
    size_t n_type = mlk_text_words(p->t.line, p->word, TYPES_MAX), n = 0;
    if (n_type == 0 || n_type > TYPES_MAX) return bad(p, e, "element symbols");
    long count;
    if (mlk_parse_long(p->word[0], &count)) return no_species(p, n_type, e);
    for (size_t k = 0; k < n_type; k++) {
        p->word[k][strcspn(p->word[k], "_/")] = 0; /* "Li_sv", "Li/0123abc" */
        z[k] = mlk_element_z(p->word[k]);
        if (z[k]) continue;
        MLK_FAIL(e, MLK_EFORMAT, "unknown element '%.20s'", p->word[k]);
        return mlk_text_err(&p->t, e);
    }
    MLK_TRY(need_line(p, "the numbers of atoms", e));
    size_t n_count = mlk_text_words(p->t.line, p->word, TYPES_MAX), kept = 0;
    while (kept < n_count && kept < TYPES_MAX && mlk_parse_long(p->word[kept], &count)) kept++;
    if (kept != n_type) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu numbers of atoms for %zu elements", kept, n_type);
        return mlk_text_err(&p->t, e);
    }
    long counts[TYPES_MAX];
    for (size_t k = 0; k < n_type; k++) {
        mlk_parse_long(p->word[k], &counts[k]);
        if (counts[k] < 0 || counts[k] > 100000000) {
            MLK_FAIL(e, MLK_EFORMAT, "%ld atoms of one element", counts[k]);
            return mlk_text_err(&p->t, e);
        }
        n += (size_t)counts[k];
    }
    if (n == 0) {
        MLK_FAIL(e, MLK_EFORMAT, "there are no atoms");
        return mlk_text_err(&p->t, e);
    }
    mlk_cell cell = p->fr.cell;
    MLK_TRY(mlk_frame_init(&p->fr, n, e));
    p->fr.cell = cell;
    size_t i = 0;
    for (size_t k = 0; k < n_type; k++)
        for (long c = 0; c < counts[k]; c++) p->fr.z[i++] = z[k];
    return MLK_OK;
}

static bool is_cartesian(const char *line)
{
    while (isspace((unsigned char)*line)) line++;
    return strchr("CcKk", *line) && *line;
}

/* The velocity block, if there is a whole one. Others (direct velocities, lattice velocities of a
 * variable cell) are left unread. */
static mlk_status read_velocities(poscar *p, mlk_err *e)
{
    bool more;
    MLK_TRY(mlk_text_next(&p->t, &more, e));
    if (!more) return MLK_OK;
    const char *s = p->t.line + strspn(p->t.line, " \t");
    if (*s && !is_cartesian(s)) return MLK_OK;
    double(*v)[3] = mlk_alloc(p->fr.n, sizeof *v);
    if (!v) return MLK_FAIL(e, MLK_ENOMEM, "no memory for velocities");
    size_t i = 0;
    mlk_status st = MLK_OK;
    for (; i < p->fr.n && !st; i++) {
        st = mlk_text_next(&p->t, &more, e);
        if (st || !more || !leading_numbers(p->t.line, 3, v[i])) break;
        for (int k = 0; k < 3; k++) v[i][k] *= MLK_TAU_FS; /* A/fs -> A/tau */
    }
    if (st || i < p->fr.n) {
        if (i > 0 && !st)
            mlk_log(MLK_LOG_WARN, "%s:%ld: velocities of %zu atoms, expected %zu: not used",
                    p->t.path, p->t.number, i, p->fr.n);
        mlk_free(v);
        return st;
    }
    p->fr.v = v;
    p->fr.has |= MLK_HAS_VELOCITY;
    return MLK_OK;
}

static mlk_status read_all(poscar *p, mlk_err *e)
{
    double scale[3];
    MLK_TRY(need_line(p, "a title", e));
    const char *c = p->t.line + strspn(p->t.line, " \t");
    snprintf(p->comment, sizeof p->comment, "%.*s", (int)strcspn(c, "\r"), c);
    MLK_TRY(read_cell(p, scale, e));
    MLK_TRY(read_species(p, e));
    MLK_TRY(need_line(p, "'Direct' or 'Cartesian'", e));
    const char *s = p->t.line + strspn(p->t.line, " \t");
    if (*s == 'S' || *s == 's') {
        MLK_TRY(need_line(p, "'Direct' or 'Cartesian'", e));
        s = p->t.line + strspn(p->t.line, " \t");
    }
    double x[3];
    if (!isalpha((unsigned char)*s)) return bad(p, e, "'Direct' or 'Cartesian'");
    bool cartesian = is_cartesian(s);
    for (size_t i = 0; i < p->fr.n; i++) {
        MLK_TRY(need_line(p, "a position", e));
        if (!leading_numbers(p->t.line, 3, x)) {
            char what[64];
            snprintf(what, sizeof what, "the position of atom %zu of %zu", i + 1, p->fr.n);
            return bad(p, e, what);
        }
        if (cartesian)
            for (int k = 0; k < 3; k++) p->fr.x[i][k] = scale[k] * x[k];
        else
            mlk_cell_cart(&p->fr.cell, x, p->fr.x[i]);
    }
    p->fr.has |= MLK_HAS_CELL;
    p->fr.line = 1;
    mlk_text_copy(p->fr.source, sizeof p->fr.source, p->t.path);
    MLK_TRY(read_velocities(p, e));
    return mlk_frame_check(&p->fr, e);
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    poscar *p = mlk_alloc(1, sizeof *p);
    if (!p) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    mlk_status s = mlk_text_open(&p->t, path, e);
    if (!s) s = read_all(p, e);
    if (!s) s = fn(&p->fr, user, e);
    mlk_text_close(&p->t);
    mlk_frame_free(&p->fr);
    mlk_free(p);
    return s;
}

/* Line 2 starts with a number, lines 3 to 5 with three; or the name says so. */
static bool sniff(const char *path, const char *head, size_t n)
{
    const char *base = mlk_path_base(path), *dot = strrchr(base, '.');
    if (!strncmp(base, "POSCAR", 6) || !strncmp(base, "CONTCAR", 7) ||
        (dot && (!strcasecmp(dot, ".poscar") || !strcasecmp(dot, ".vasp"))))
        return true;
    (void)n;
    for (int k = 1; k <= 6; k++) {
        char line[256], *word[4];
        double v[3];
        const char *nl = strchr(head, '\n');
        snprintf(line, sizeof line, "%.*s", nl ? (int)(nl - head) : 0, head);
        if (!nl || (k > 1 && k < 6 && !leading_numbers(line, k == 2 ? 1 : 3, v))) return false;
        if (k > 1 && k < 6 && mlk_text_words(line, word, 4) > (k == 2 ? 3 : 6)) return false;
        if (k == 6 && !isalnum((unsigned char)line[strspn(line, " \t")])) return false;
        head = nl + 1;
    }
    return true;
}

extern const mlk_parser mlk_parser_poscar;
const mlk_parser mlk_parser_poscar = {
    .name = "poscar",
    .summary = "VASP POSCAR / CONTCAR, one structure",
    .rank = MLK_RANK_STRUCTURE,
    .sniff = sniff,
    .parse = parse,
};

mlk_status mlk_write_poscar(const char *path, const mlk_frame *fr, mlk_err *e)
{
    mlk_text_out t;
    char formula[256];
    MLK_TRY(mlk_frame_check(fr, e));
    if (!(fr->has & MLK_HAS_CELL)) {
        MLK_FAIL(e, MLK_EUNSUPPORTED, "the structure has no cell; POSCAR needs one");
        return mlk_err_at(e, path, 0);
    }
    MLK_TRY(mlk_text_out_begin(&t, path, e));
    mlk_text_printf(&t, "%s\n1.0\n", mlk_frame_formula(fr, formula, sizeof formula));
    for (int a = 0; a < 3; a++)
        mlk_text_printf(&t, " %21.16f %21.16f %21.16f\n", fr->cell.h[a][0], fr->cell.h[a][1],
                        fr->cell.h[a][2]);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0, j; i < fr->n; i = j) {
            for (j = i; j < fr->n && fr->z[j] == fr->z[i];) j++;
            if (pass == 0)
                mlk_text_printf(&t, " %5s", mlk_element_symbol(fr->z[i]));
            else
                mlk_text_printf(&t, " %5zu", j - i);
        }
        mlk_text_printf(&t, "\n");
    }
    mlk_text_printf(&t, "Direct\n");
    for (size_t i = 0; i < fr->n; i++) {
        double s[3];
        mlk_cell_frac(&fr->cell, fr->x[i], s);
        mlk_text_printf(&t, " %19.16f %19.16f %19.16f\n", s[0], s[1], s[2]);
    }
    if (fr->has & MLK_HAS_VELOCITY) {
        mlk_text_printf(&t, "\n");
        for (size_t i = 0; i < fr->n; i++)
            mlk_text_printf(&t, " %22.15E %22.15E %22.15E\n", fr->v[i][0] / MLK_TAU_FS,
                            fr->v[i][1] / MLK_TAU_FS, fr->v[i][2] / MLK_TAU_FS);
    }
    return mlk_text_out_commit(&t, e);
}
