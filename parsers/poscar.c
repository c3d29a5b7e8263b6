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
#include "core/number.h"
#include "core/opt.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "parsers/vasp_text.h"

enum { TYPES_MAX = 256 };

typedef struct poscar {
    mlk_text_in t;
    char comment[256];
    mlk_frame fr;
    size_t n;       /* atoms announced                  */
    double (*x)[3]; /* as they arrive, grown with them */
    size_t cap;
    int z[TYPES_MAX];
    long count[TYPES_MAX]; /* atoms of each element */
    size_t n_type;
    char *word[TYPES_MAX];
} poscar;

/* First n words of a line as numbers; further words (comments, T/F flags) are ignored. */
static bool leading_numbers(const char *line, size_t n, double *v)
{
    return mlk_numbers(&line, n, v) == n;
}

/* Three numbers of the current line. When it is the last line and has no end, its last number may
 * be cut: it is taken only if another word follows, or if all three look like one fixed format. */
static bool whole_vector(const mlk_text_in *t, double v[3])
{
    const char *p = t->line;
    size_t tail[3];
    for (int k = 0; k < 3; k++) {
        if (!mlk_number(&p, &v[k])) return false;
        const char *from = p;
        while (from > t->line && !isspace((unsigned char)from[-1])) from--;
        tail[k] = strcspn(from, ".") < (size_t)(p - from) ? (size_t)(p - strchr(from, '.')) : 0;
    }
    return !t->open_ended || *p || (tail[0] > 6 && tail[0] == tail[1] && tail[1] == tail[2]);
}

static mlk_status need_line(poscar *p, const char *what, mlk_err *e)
{
    bool more;
    MLK_TRY(mlk_text_next(&p->t, &more, e));
    if (more) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "the file ends where %s should stand", what);
    return mlk_text_err(&p->t, e);
}

/* Lines 2-5: scale and lattice. scale[3] multiplies Cartesian coordinates per axis. */
static mlk_status read_cell(poscar *p, double scale[3], mlk_err *e)
{
    double h[3][3];
    MLK_TRY(need_line(p, "the scale factor", e));
    if (!leading_numbers(p->t.line, 1, scale) || scale[0] == 0)
        return mlk_text_expected(&p->t, "a scale factor that is not zero", e);
    if (!leading_numbers(p->t.line, 3, scale))
        scale[1] = scale[2] = scale[0];
    else if (!(scale[0] > 0 && scale[1] > 0 && scale[2] > 0))
        return mlk_text_expected(&p->t, "three positive scale factors", e);
    for (int a = 0; a < 3; a++) {
        MLK_TRY(need_line(p, "a lattice vector", e));
        if (!leading_numbers(p->t.line, 3, h[a]))
            return mlk_text_expected(&p->t, "a lattice vector (3 numbers)", e);
    }
    if (mlk_cell_init(&p->fr.cell, (const double(*)[3])h, NULL))
        return mlk_text_expected(&p->t, "three lattice vectors that span a volume", e);
    if (scale[0] < 0) scale[0] = scale[1] = scale[2] = cbrt(-scale[0] / p->fr.cell.volume);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) h[a][b] *= scale[b];
    if (mlk_cell_init(&p->fr.cell, (const double(*)[3])h, NULL))
        return mlk_text_expected(&p->t, "three lattice vectors that span a volume", e);
    return MLK_OK;
}

/* The line below the symbols: one number of atoms for each. */
static mlk_status read_counts(poscar *p, mlk_err *e)
{
    long count;
    MLK_TRY(need_line(p, "the numbers of atoms", e));
    size_t n = mlk_text_words(p->t.line, p->word, TYPES_MAX), kept = 0;
    while (kept < n && kept < TYPES_MAX && mlk_parse_long(p->word[kept], &count)) kept++;
    if (kept != p->n_type) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu numbers of atoms for %zu elements", kept, p->n_type);
        return mlk_text_err(&p->t, e);
    }
    for (size_t k = 0; k < p->n_type; k++) {
        mlk_parse_long(p->word[k], &p->count[k]);
        if (p->count[k] < 0 || p->count[k] > 100000000) {
            MLK_FAIL(e, MLK_EFORMAT, "%ld atoms of one element", p->count[k]);
            return mlk_text_err(&p->t, e);
        }
        p->n += (size_t)p->count[k];
    }
    if (p->n) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "there are no atoms");
    return mlk_text_err(&p->t, e);
}

static mlk_status read_species(poscar *p, mlk_err *e)
{
    long count;
    MLK_TRY(need_line(p, "the element symbols", e));
    p->n_type = mlk_text_words(p->t.line, p->word, TYPES_MAX);
    if (p->n_type == 0) return mlk_text_expected(&p->t, "element symbols", e);
    if (p->n_type > TYPES_MAX) {
        MLK_FAIL(e, MLK_EFORMAT, "more than %d element symbols", TYPES_MAX);
        return mlk_text_err(&p->t, e);
    }
    if (mlk_parse_long(p->word[0], &count))
        return mlk_vasp_no_species(&p->t, p->comment, p->n_type, e);
    for (size_t k = 0; k < p->n_type; k++) {
        p->z[k] = mlk_vasp_element(p->word[k]);
        if (p->z[k]) continue;
        MLK_FAIL(e, MLK_EFORMAT, "unknown element '%.20s'", p->word[k]);
        return mlk_text_err(&p->t, e);
    }
    return read_counts(p, e);
}

static bool is_cartesian(const char *line)
{
    while (isspace((unsigned char)*line)) line++;
    return strchr("CcKk", *line) && *line;
}

/* The velocity block. A block that ends early is not used; when the file ends in it, that is an
 * error. Others (direct velocities, lattice velocities of a variable cell) are left unread. */
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
    for (; i < p->fr.n; i++) {
        st = mlk_text_next(&p->t, &more, e);
        if (st || !more || !whole_vector(&p->t, v[i])) break;
        for (int k = 0; k < 3; k++) v[i][k] *= MLK_TAU_FS; /* A/fs -> A/tau */
    }
    if (!st && i == p->fr.n) {
        p->fr.v = v;
        p->fr.has |= MLK_HAS_VELOCITY;
        return MLK_OK;
    }
    mlk_free(v);
    bool begun = i > 0 || (more && *p->t.line);
    if (!st && begun && (!more || p->t.open_ended)) {
        MLK_FAIL(e, MLK_EFORMAT, "the file ends within the velocities");
        return mlk_text_err(&p->t, e);
    }
    if (!st && i > 0)
        mlk_log(MLK_LOG_WARN, "%s:%ld: velocities of %zu atoms, expected %zu: not used", p->t.path,
                p->t.number, i, p->fr.n);
    return st;
}

static mlk_status cut_number(poscar *p, mlk_err *e)
{
    MLK_FAIL(e, MLK_EFORMAT, "the last line has no line end: its last number may be cut off");
    mlk_err_hint(e, "if the file is whole, add a line end to its last line");
    return mlk_text_err(&p->t, e);
}

/* Positions as they arrive: the number of atoms is what the file holds, not what it announces. */
static mlk_status read_positions(poscar *p, bool cartesian, const double scale[3], mlk_err *e)
{
    double x[3];
    for (size_t i = 0; i < p->n; i++) {
        MLK_TRY(need_line(p, "a position", e));
        if (!whole_vector(&p->t, x)) {
            char what[64];
            if (leading_numbers(p->t.line, 3, x)) return cut_number(p, e);
            snprintf(what, sizeof what, "the position of atom %zu of %zu", i + 1, p->n);
            return mlk_text_expected(&p->t, what, e);
        }
        MLK_TRY(MLK_GROW(p->x, p->cap, i + 1, e));
        if (cartesian)
            for (int k = 0; k < 3; k++) p->x[i][k] = scale[k] * x[k];
        else
            mlk_cell_cart(&p->fr.cell, x, p->x[i]);
    }
    mlk_cell cell = p->fr.cell;
    MLK_TRY(mlk_frame_init(&p->fr, p->n, e));
    p->fr.cell = cell;
    memcpy(p->fr.x, p->x, p->n * sizeof *p->x);
    size_t i = 0;
    for (size_t k = 0; k < p->n_type; k++)
        for (long c = 0; c < p->count[k]; c++) p->fr.z[i++] = p->z[k];
    return MLK_OK;
}

static mlk_status read_all(poscar *p, mlk_err *e)
{
    double scale[3];
    MLK_TRY(need_line(p, "a title", e));
    mlk_text_trim(p->comment, sizeof p->comment, p->t.line);
    MLK_TRY(read_cell(p, scale, e));
    MLK_TRY(read_species(p, e));
    MLK_TRY(need_line(p, "'Direct' or 'Cartesian'", e));
    const char *s = p->t.line + strspn(p->t.line, " \t");
    if (*s == 'S' || *s == 's') {
        MLK_TRY(need_line(p, "'Direct' or 'Cartesian'", e));
        s = p->t.line + strspn(p->t.line, " \t");
    }
    if (!isalpha((unsigned char)*s)) return mlk_text_expected(&p->t, "'Direct' or 'Cartesian'", e);
    MLK_TRY(read_positions(p, is_cartesian(s), scale, e));
    p->fr.has |= MLK_HAS_CELL;
    p->fr.line = 1;
    mlk_text_copy(p->fr.source, sizeof p->fr.source, p->t.path);
    return MLK_OK;
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    poscar *p = mlk_alloc(1, sizeof *p);
    if (!p) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    mlk_status s = mlk_text_open(&p->t, path, e);
    if (!s) s = read_all(p, e);
    if (!s) {
        /* what is wrong behind the positions does not take the structure away */
        mlk_err late = {0};
        mlk_status after = read_velocities(p, &late);
        if (!after && mlk_stream_packed(p->t.in)) after = mlk_stream_drain(p->t.in, &late);
        MLK_GO(mlk_frame_check(&p->fr, e));
        MLK_GO(fn(&p->fr, user, e));
        if (after && e && !e->code) *e = late;
        s = after;
    }
done:
    mlk_text_close(&p->t);
    mlk_frame_free(&p->fr);
    mlk_free(p->x);
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
