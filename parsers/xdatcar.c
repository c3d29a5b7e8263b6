/* xdatcar.c - VASP's XDATCAR: the positions of a trajectory, no labels.
 * A header as in POSCAR (title, scale, lattice, elements, numbers of atoms), once or before each
 * frame (variable cell); each frame follows a line "Direct configuration= N" or, in old files, a
 * blank line. Positions are fractional and stay as printed (wrapped by VASP). The numbers N of a
 * second run appended to the file start again: its frames carry run 2. */
#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/opt.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "parsers/vasp_text.h"

enum { TYPES_MAX = 256 };

typedef struct xdatcar {
    mlk_text_in t;
    mlk_frame_fn fn;
    void *user;
    bool again; /* the current line is to be read once more */
    char title[128], model[128];
    mlk_cell cell;
    int z[TYPES_MAX];
    long count[TYPES_MAX], n_atoms;
    size_t n_type;
    double (*x)[3]; /* (n,3) fractional */
    size_t x_cap, n;
    bool blank_style, fresh_header;
    long n_out, number; /* frames delivered; last printed N, 0 none */
    int run;
} xdatcar;

static mlk_status next(xdatcar *p, bool *more, mlk_err *e)
{
    if (p->again) {
        p->again = false;
        *more = true;
        return MLK_OK;
    }
    return mlk_text_next(&p->t, more, e);
}

static mlk_status ended(xdatcar *p, mlk_err *e, const char *where)
{
    MLK_FAIL(e, MLK_EFORMAT, "the file ends early, %s; %ld complete frames before it", where,
             p->n_out);
    mlk_err_hint(e, p->n_out ? "the run was killed, is still going on, or the copy is incomplete; "
                               "the complete frames are good"
                             : "nothing to use");
    return mlk_text_err(&p->t, e);
}

/* A whole line of the header: one without line end may be cut. */
static mlk_status header_line(xdatcar *p, const char *what, mlk_err *e)
{
    bool more;
    char where[96];
    MLK_TRY(next(p, &more, e));
    if (more && !p->t.open_ended) return MLK_OK;
    snprintf(where, sizeof where, "in its header where %s should stand", what);
    return ended(p, e, where);
}

static bool is_blank(const char *s)
{
    return !s[strspn(s, " \t")];
}

/* How many numbers the line holds, -1 when it holds anything else. At most four are looked at. */
static int count_numbers(const char *s, double v[4])
{
    int n = (int)mlk_numbers(&s, 4, v);
    return n < 4 && !is_blank(s) ? -1 : n;
}

static bool is_word(const char *s)
{
    s += strspn(s, " \t");
    return isalpha((unsigned char)*s) && is_blank(s + strcspn(s, " \t"));
}

/* Three numbers and perhaps the element? */
static bool is_row(const char *s)
{
    double v[3];
    return mlk_vasp_fields(&s, 3, 8, v) == 3 && (is_blank(s) || is_word(s));
}

/* Lines 2-5. A negative scale is the volume of the cell. */
static mlk_status read_cell(xdatcar *p, mlk_err *e)
{
    double scale[4], h[3][3], v[4];
    MLK_TRY(header_line(p, "the scale factor", e));
    if (count_numbers(p->t.line, scale) != 1 || scale[0] == 0) {
        mlk_text_expected(&p->t, "a scale factor that is not zero", e);
        return mlk_err_hint(e, "line 2 of the header is one number, 1 where VASP wrote the file");
    }
    for (int a = 0; a < 3; a++) {
        MLK_TRY(header_line(p, "a lattice vector", e));
        const char *s = p->t.line;
        if (count_numbers(s, v) != 3 && (mlk_vasp_fields(&s, 3, 6, v) != 3 || !is_blank(s)))
            return mlk_text_expected(&p->t, "a lattice vector (3 numbers)", e);
        memcpy(h[a], v, sizeof h[a]);
    }
    for (int pass = 0; pass < 2; pass++) {
        if (mlk_cell_init(&p->cell, (const double(*)[3])h, NULL))
            return mlk_text_expected(&p->t, "three lattice vectors that span a volume", e);
        double by = scale[0] < 0 ? cbrt(-scale[0] / p->cell.volume) : scale[0];
        for (int k = 0; k < 9 && pass == 0; k++) (&h[0][0])[k] *= by;
    }
    return MLK_OK;
}

static mlk_status read_species(xdatcar *p, mlk_err *e)
{
    char *word[TYPES_MAX];
    long c;
    MLK_TRY(header_line(p, "the element symbols", e));
    size_t n = mlk_text_words(p->t.line, word, TYPES_MAX);
    if (n == 0 || n > TYPES_MAX) return mlk_text_expected(&p->t, "element symbols", e);
    if (mlk_parse_long(word[0], &c)) return mlk_vasp_no_species(&p->t, p->title, n, e);
    for (size_t k = 0; k < n; k++) {
        p->z[k] = mlk_vasp_element(word[k]);
        if (p->z[k]) continue;
        MLK_FAIL(e, MLK_EFORMAT, "unknown element '%.20s'", word[k]);
        return mlk_text_err(&p->t, e);
    }
    p->n_type = n;
    MLK_TRY(header_line(p, "the numbers of atoms", e));
    size_t n_count = mlk_text_words(p->t.line, word, TYPES_MAX);
    p->n_atoms = 0;
    for (size_t k = 0; k < n && n_count == n; k++) {
        if (!mlk_parse_long(word[k], &p->count[k]) || p->count[k] < 0 || p->count[k] > 100000000) {
            MLK_FAIL(e, MLK_EFORMAT, "expected a number of atoms, found '%.20s'", word[k]);
            return mlk_text_err(&p->t, e);
        }
        p->n_atoms += p->count[k];
    }
    if (n_count == n && p->n_atoms) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT,
             n_count == n ? "there are no atoms" : "%zu numbers of atoms for %zu elements", n_count,
             n);
    return mlk_text_err(&p->t, e);
}

/* From the title, which is the current line. */
static mlk_status read_header(xdatcar *p, mlk_err *e)
{
    mlk_text_trim(p->title, sizeof p->title, p->t.line);
    MLK_TRY(read_cell(p, e));
    p->fresh_header = true;
    return read_species(p, e);
}

static mlk_status deliver(xdatcar *p, long line, long number, mlk_err *e)
{
    mlk_frame fr = {0};
    MLK_TRY(mlk_frame_init(&fr, p->n, e));
    fr.cell = p->cell;
    fr.has = MLK_HAS_CELL;
    size_t i = 0;
    for (size_t k = 0; k < p->n_type; k++)
        for (long c = 0; c < p->count[k] && i < p->n; c++) fr.z[i++] = p->z[k];
    for (i = 0; i < p->n; i++) mlk_cell_cart(&fr.cell, p->x[i], fr.x[i]);
    fr.step = number > 0 && number < INT_MAX ? (int)number : (int)(p->n_out + 1);
    fr.line = line;
    fr.run = p->run > 1 ? p->run : 0;
    mlk_text_copy(fr.source, sizeof fr.source, p->t.path);
    mlk_vasp_title(fr.config_type, sizeof fr.config_type, p->title);
    mlk_status s = mlk_frame_check(&fr, e);
    if (s) mlk_text_err(&p->t, e);
    if (!s) s = p->fn(&fr, p->user, e);
    mlk_frame_free(&fr);
    p->n_out++;
    return s;
}

/* One position, the current line. Other programs put the element behind the numbers. */
static mlk_status read_row(xdatcar *p, mlk_err *e)
{
    char what[80];
    const char *s = p->t.line;
    MLK_TRY(MLK_GROW(p->x, p->x_cap, p->n + 1, e));
    if (mlk_vasp_fields(&s, 3, 8, p->x[p->n]) != 3 || !(is_blank(s) || is_word(s))) {
        snprintf(what, sizeof what, "the position of atom %zu of %ld (3 numbers)", p->n + 1,
                 p->n_atoms);
        return mlk_text_expected(&p->t, what, e);
    }
    p->n++;
    return MLK_OK;
}

/* The positions below a separator. number: the printed one, 0 when there is none. */
static mlk_status read_frame(xdatcar *p, long line, long number, mlk_err *e)
{
    char where[96];
    bool more;
    p->n = 0;
    while ((long)p->n < p->n_atoms) {
        MLK_TRY(next(p, &more, e));
        bool cut = more && p->t.open_ended &&
                   ((long)p->n + 1 < p->n_atoms || !mlk_vasp_same_decimals(p->t.line, p->model));
        if (!more || cut) {
            snprintf(where, sizeof where, "in frame %ld after %zu of %ld positions", p->n_out + 1,
                     p->n, p->n_atoms);
            return ended(p, e, where);
        }
        MLK_TRY(read_row(p, e));
        if (!p->t.open_ended) snprintf(p->model, sizeof p->model, "%s", p->t.line);
    }
    if (p->fresh_header && p->number > 0 && number > 0 && number <= p->number) {
        p->run++;
        mlk_log(MLK_LOG_WARN, "%s:%ld: run %d begins here (configuration %ld after %ld)", p->t.path,
                line, p->run, number, p->number);
    }
    p->fresh_header = false;
    p->number = number;
    return deliver(p, line, number, e);
}

static bool is_separator(const char *s)
{
    s += strspn(s, " \t");
    return !strncasecmp(s, "Direct", 6);
}

static long printed_number(const char *s)
{
    const char *at = strchr(s, '=');
    char *end;
    long n = at ? strtol(at + 1, &end, 10) : 0;
    return at && end != at + 1 && is_blank(end) && n > 0 ? n : 0;
}

/* What stands between frames: a separator, a blank line, or the next header. */
static mlk_status between(xdatcar *p, bool *more, mlk_err *e)
{
    double v[4];
    const long line = p->t.number;
    if (is_separator(p->t.line)) {
        if (p->t.open_ended) return ended(p, e, "between two frames");
        return read_frame(p, line, printed_number(p->t.line), e);
    }
    if (!is_blank(p->t.line)) {
        if (is_row(p->t.line))
            return mlk_text_expected(&p->t,
                                     "'Direct configuration=', or the header of the next frame", e);
        if (p->t.open_ended) return ended(p, e, "in a header");
        return read_header(p, e);
    }
    MLK_TRY(next(p, more, e));
    if (!*more) return MLK_OK;
    p->again = true;
    int n = count_numbers(p->t.line, v);
    bool cut_row = p->t.open_ended && p->n_atoms > 1;
    if (n == 1) { /* a header with a blank title */
        p->title[0] = 0;
        MLK_TRY(read_cell(p, e));
        p->fresh_header = true;
        return read_species(p, e);
    }
    if (!is_row(p->t.line) && !cut_row)
        return MLK_OK; /* more blank lines, a separator or a title */
    if (p->n_out && !p->blank_style)
        return mlk_text_expected(&p->t, "'Direct configuration=', or the header of the next frame",
                                 e);
    p->blank_style = true;
    return read_frame(p, line + 1, 0, e);
}

static mlk_status read_all(xdatcar *p, mlk_err *e)
{
    bool more;
    MLK_TRY(header_line(p, "a title", e));
    MLK_TRY(read_header(p, e));
    for (;;) {
        MLK_TRY(next(p, &more, e));
        if (more) MLK_TRY(between(p, &more, e));
        if (!more) break;
    }
    if (p->n_out && !p->fresh_header) return MLK_OK;
    return ended(p, e, "after a header");
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    xdatcar *p = mlk_alloc(1, sizeof *p);
    if (!p) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    p->fn = fn;
    p->user = user;
    p->run = 1;
    mlk_status s = mlk_text_open(&p->t, path, e);
    if (!s) s = read_all(p, e);
    mlk_text_close(&p->t);
    mlk_free(p->x);
    mlk_free(p);
    return s;
}

/* Line k + 1 after `line`, into buf; NULL at the end of the text. */
static const char *take_line(const char *at, char *buf, size_t cap)
{
    const char *nl = at ? strchr(at, '\n') : NULL;
    snprintf(buf, cap, "%.*s", nl ? (int)(nl - at) : 0, at ? at : "");
    size_t n = strlen(buf);
    if (n && buf[n - 1] == '\r') buf[n - 1] = 0;
    return nl ? nl + 1 : NULL;
}

/* "Direct configuration" at its place, or a blank line where POSCAR has "Direct". The name says
 * POSCAR for single frames that someone cut out of an XDATCAR. */
static bool sniff(const char *path, const char *head, size_t n)
{
    char line[256];
    double v[4];
    const char *base = mlk_path_base(path);
    (void)n;
    if (!strncmp(base, "POSCAR", 6) || !strncmp(base, "CONTCAR", 7)) return false;
    bool numbers = true;
    for (int k = 1; k <= 8; k++) {
        head = take_line(head, line, sizeof line);
        if (!head) return false;
        if (k > 6 && !strncasecmp(line + strspn(line, " \t"), "Direct configuration", 20))
            return true;
        if (k >= 2 && k <= 5) numbers &= count_numbers(line, v) == (k == 2 ? 1 : 3);
        if (k > 6 && numbers && is_blank(line)) {
            take_line(head, line, sizeof line);
            return is_row(line);
        }
    }
    return false;
}

extern const mlk_parser mlk_parser_xdatcar;
const mlk_parser mlk_parser_xdatcar = {
    .name = "xdatcar",
    .summary = "VASP XDATCAR, positions of a trajectory",
    .rank = MLK_RANK_STRUCTURE,
    .sniff = sniff,
    .parse = parse,
};
