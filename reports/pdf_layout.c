/* pdf_layout.c - see pdf_layout.h. */
#include "reports/pdf_layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const double mlk_pdf_a4[2] = {595.28, 841.89};

double mlk_pdf_width(const mlk_pdf *p)
{
    return p->w - 2 * MLK_PDF_LEFT;
}

double mlk_pdf_left(const mlk_pdf *p)
{
    return p->h - MLK_PDF_FOOT - p->y;
}

void mlk_pdf_colour(mlk_pdf *p, unsigned c)
{
    cairo_set_source_rgb(p->cr, (c >> 16) / 255.0, (c >> 8 & 255) / 255.0, (c & 255) / 255.0);
}

void mlk_pdf_foot(mlk_pdf *p)
{
    char number[40];
    const mlk_pdf_font f = {.size = 7.5};
    double y = p->h - 36;
    PangoLayout *l = mlk_pdf_text(p, p->title, f, false, 0);
    mlk_pdf_show(p, l, MLK_PDF_LEFT, y, 0x5b6470);
    g_object_unref(l);
    g_snprintf(number, sizeof number, "%d / %d", p->page, p->pages);
    l = mlk_pdf_text(p, number, f, false, 0);
    mlk_pdf_show(p, l, p->w - MLK_PDF_LEFT - mlk_pdf_layout_width(l), y, 0x5b6470);
    g_object_unref(l);
}

void mlk_pdf_page(mlk_pdf *p, double w, double h)
{
    mlk_pdf_foot(p);
    cairo_show_page(p->cr);
    cairo_pdf_surface_set_size(p->surface, w, h);
    p->w = w, p->h = h, p->y = MLK_PDF_TOP, p->page++;
}

void mlk_pdf_room(mlk_pdf *p, double height)
{
    if (mlk_pdf_left(p) < height && p->y > MLK_PDF_TOP + 1) mlk_pdf_page(p, p->w, p->h);
}

typedef struct link {
    int start, end; /* bytes of the text without markup */
    char *uri;
} link;

static void link_clear(gpointer p)
{
    g_free(((link *)p)->uri);
}

/* marks to Pango's markup; the addresses of links go to a list */
static char *markup(const char *s, bool bold, GArray *links)
{
    GString *out = g_string_new(bold ? "<b>" : "");
    int at = 0;        /* bytes of text so far */
    bool open = false; /* the last link has no end yet */
    const char *close[8];
    int depth = 0;
    bool minus = s && s[0] == '-' && g_ascii_isdigit(s[1]); /* a minus sign for numbers */
    if (minus) g_string_append(out, "−"), s++, at += (int)strlen("−");
    while (s && *s) {
        size_t n = strcspn(s, "\001\002");
        char *plain = g_markup_escape_text(s, (gssize)n);
        g_string_append(out, plain);
        g_free(plain);
        s += n, at += (int)n;
        if (*s == '\002') {
            if (depth > 0) g_string_append(out, close[--depth]);
            if (open && depth >= 0 && !*close[depth])
                g_array_index(links, link, links->len - 1).end = at, open = false;
            s++;
        } else if (*s == '\001') {
            const char *tag = s[1] == 'b' ? "b" : s[1] == '_' ? "sub" : s[1] == 'c' ? "tt" : NULL;
            if (depth < 8)
                close[depth++] = !tag          ? ""
                                 : *tag == 'b' ? "</b>"
                                 : *tag == 's' ? "</sub>"
                                               : "</tt>";
            if (tag) g_string_append_printf(out, "<%s>", tag);
            size_t len = tag ? 0 : strcspn(s + 2, MLK_DOC_AT);
            if (s[1] == 'a') {
                const link new = {at, at, g_strndup(s + 2, len)};
                g_array_append_val(links, new);
                open = true;
            }
            s += tag ? 2 : strcspn(s, MLK_DOC_AT) + 1;
        }
    }
    while (depth > 0) g_string_append(out, close[--depth]);
    if (bold) g_string_append(out, "</b>");
    return g_string_free(out, FALSE);
}

PangoLayout *mlk_pdf_text(const mlk_pdf *p, const char *text, mlk_pdf_font font, bool bold,
                          double width)
{
    PangoLayout *l = pango_cairo_create_layout(p->cr);
    PangoFontDescription *d =
        pango_font_description_from_string(font.mono ? "DejaVu Sans Mono" : "DejaVu Sans");
    GArray *links = g_array_new(FALSE, FALSE, sizeof(link));
    g_array_set_clear_func(links, link_clear);
    char *m = markup(text, bold, links);
    g_object_set_data_full(G_OBJECT(l), "links", links, (GDestroyNotify)g_array_unref);
    pango_context_set_round_glyph_positions(pango_layout_get_context(l), FALSE);
    /* lengths in Pango are those of a screen with 96 dots per inch unless told so in absolute size
     */
    pango_font_description_set_absolute_size(d, font.size * PANGO_SCALE);
    pango_layout_set_font_description(l, d);
    pango_layout_set_markup(l, m, -1);
    if (width > 0) {
        pango_layout_set_width(l, (int)(width * PANGO_SCALE));
        pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
    }
    pango_layout_set_line_spacing(l, 1.25f);
    pango_font_description_free(d);
    g_free(m);
    return l;
}

double mlk_pdf_layout_height(PangoLayout *l)
{
    PangoRectangle r;
    pango_layout_get_extents(l, NULL, &r);
    return (double)r.height / PANGO_SCALE;
}

double mlk_pdf_layout_width(PangoLayout *l)
{
    PangoRectangle r;
    pango_layout_get_extents(l, NULL, &r);
    return (double)r.width / PANGO_SCALE;
}

void mlk_pdf_show(mlk_pdf *p, PangoLayout *l, double x, double y, unsigned colour)
{
    mlk_pdf_colour(p, colour);
    cairo_move_to(p->cr, x, y);
    pango_cairo_show_layout(p->cr, l);
}

/* Marks the links of a line that is drawn with its left end at x, its top at y. */
static void mark_links(mlk_pdf *p, PangoLayout *l, PangoLayoutLine *line, double x, double y,
                       double height)
{
    const GArray *links = g_object_get_data(G_OBJECT(l), "links");
    int first = pango_layout_line_get_start_index(line),
        last = first + pango_layout_line_get_length(line);
    for (guint k = 0; links && k < links->len; k++) {
        const link *a = &g_array_index(links, link, k);
        int from = MAX(a->start, first), to = MIN(a->end, last), x0, x1;
        if (from >= to || strncmp(a->uri, "http", 4) || strchr(a->uri, '\'')) continue;
        pango_layout_line_index_to_x(line, from, FALSE, &x0);
        pango_layout_line_index_to_x(line, to, FALSE, &x1);
        char *box = g_strdup_printf("uri='%s' rect=[%.2f %.2f %.2f %.2f]", a->uri,
                                    x + (double)x0 / PANGO_SCALE, y,
                                    (double)(x1 - x0) / PANGO_SCALE, height);
        cairo_tag_begin(p->cr, CAIRO_TAG_LINK, box);
        cairo_tag_end(p->cr, CAIRO_TAG_LINK);
        g_free(box);
    }
}

double mlk_pdf_flow_height(PangoLayout *l)
{
    PangoLayoutIter *it = pango_layout_get_iter(l);
    double height = 0;
    do {
        int top, bottom;
        pango_layout_iter_get_line_yrange(it, &top, &bottom);
        height += (double)(bottom - top) / PANGO_SCALE;
    } while (pango_layout_iter_next_line(it));
    pango_layout_iter_free(it);
    return height;
}

void mlk_pdf_flow(mlk_pdf *p, PangoLayout *l, double x, unsigned colour)
{
    PangoLayoutIter *it = pango_layout_get_iter(l);
    do {
        PangoRectangle box;
        int top, bottom;
        pango_layout_iter_get_line_extents(it, NULL, &box);
        pango_layout_iter_get_line_yrange(it, &top, &bottom);
        double height = (double)(bottom - top) / PANGO_SCALE;
        double base = (double)(pango_layout_iter_get_baseline(it) - top) / PANGO_SCALE;
        mlk_pdf_room(p, height);
        mlk_pdf_colour(p, colour);
        cairo_move_to(p->cr, x + (double)box.x / PANGO_SCALE, p->y + base);
        PangoLayoutLine *line = pango_layout_iter_get_line_readonly(it);
        pango_cairo_show_layout_line(p->cr, line);
        mark_links(p, l, line, x + (double)box.x / PANGO_SCALE, p->y, height);
        p->y += height;
    } while (pango_layout_iter_next_line(it));
    pango_layout_iter_free(it);
    g_object_unref(l);
}

/* ---- tables ---- */

enum { PAD = 4 }; /* between text and edge of a column */

typedef struct grid {
    const mlk_block *b;
    size_t n_col;
    int *col;                /* (n_cell) first column of each cell              */
    double *width, *natural; /* (n_col) with padding                            */
    double size;             /* of the letters                                  */
    int wrap;                /* the column that is wrapped, or -1               */
} grid;

/* Head cells that cover several rows push those of the next row to the right. */
static void place(grid *g)
{
    const mlk_block *b = g->b;
    int *busy = calloc(g->n_col + 1, sizeof *busy);
    for (size_t r = 0; r < b->n_row && busy; r++) {
        size_t at = 0;
        for (size_t k = 0; k < b->row[r].n; k++) {
            const mlk_table_cell *c = &b->cell[b->row[r].first + k];
            while (at < g->n_col && busy[at] > 0) at++;
            g->col[b->row[r].first + k] = (int)(at < g->n_col ? at : g->n_col - 1);
            for (int q = 0; q < c->cols && at < g->n_col; q++) busy[at++] = c->rows;
        }
        for (size_t q = 0; q < g->n_col; q++) busy[q] -= busy[q] > 0;
    }
    free(busy);
}

static PangoLayout *cell_layout(const mlk_pdf *p, const grid *g, size_t cell, bool head)
{
    double w = g->col[cell] == g->wrap ? g->width[g->wrap] - 2 * PAD : 0;
    const mlk_table_cell *c = &g->b->cell[cell];
    char *text = g_strdup(c->text), *unit = text ? strstr(text, " (") : NULL;
    if (head && unit && c->cols == 1) *unit = '\n'; /* units in a line of their own */
    PangoLayout *l = mlk_pdf_text(p, text, (mlk_pdf_font){.size = g->size}, head, w);
    pango_layout_set_line_spacing(l, 1.1f);
    if (g->b->align[g->col[cell]] == 'r') pango_layout_set_alignment(l, PANGO_ALIGN_RIGHT);
    g_free(text);
    return l;
}

/* Widths of the columns at a size of letters; returns their sum. */
static double widths(const mlk_pdf *p, grid *g, double size)
{
    double sum = 0;
    g->size = size, g->wrap = -1;
    memset(g->natural, 0, g->n_col * sizeof *g->natural);
    for (int span = 0; span < 2; span++) /* single columns first */
        for (size_t r = 0; r < g->b->n_row; r++)
            for (size_t k = 0; k < g->b->row[r].n; k++) {
                size_t c = g->b->row[r].first + k;
                int cols = g->b->cell[c].cols;
                if ((cols > 1) != span) continue;
                PangoLayout *l = cell_layout(p, g, c, g->b->row[r].head);
                double need = mlk_pdf_layout_width(l) + 2 * PAD, have = 0;
                for (int q = 0; q < cols; q++) have += g->natural[g->col[c] + q];
                for (int q = 0; need > have && q < cols; q++)
                    g->natural[g->col[c] + q] += (need - have) / cols;
                g_object_unref(l);
            }
    memcpy(g->width, g->natural, g->n_col * sizeof *g->width);
    for (size_t q = 0; q < g->n_col; q++) sum += g->width[q];
    return sum;
}

/* Smaller letters, then a wrapped column of text; true when it fits. */
static bool fit(const mlk_pdf *p, grid *g, double room, double least)
{
    double sum = 0;
    for (double size = 8; size >= least; size -= 0.25)
        if ((sum = widths(p, g, size)) <= room) return true;
    int most = -1;
    for (size_t q = 0; q < g->n_col; q++)
        if (g->b->align[q] == 'l' && (most < 0 || g->width[q] > g->width[most])) most = (int)q;
    if (most < 0 || g->width[most] - (sum - room) < 80) return false;
    g->width[most] -= sum - room, g->wrap = most;
    return true;
}

static double row_height(const mlk_pdf *p, const grid *g, size_t r)
{
    double height = 0;
    for (size_t k = 0; k < g->b->row[r].n; k++) {
        if (g->b->cell[g->b->row[r].first + k].rows > 1) continue; /* has room below, too */
        PangoLayout *l = cell_layout(p, g, g->b->row[r].first + k, g->b->row[r].head);
        height = fmax(height, mlk_pdf_layout_height(l));
        g_object_unref(l);
    }
    return height + 4;
}

static void line(mlk_pdf *p, double x0, double x1, double y, double width, unsigned colour)
{
    mlk_pdf_colour(p, colour);
    cairo_set_line_width(p->cr, width);
    cairo_move_to(p->cr, x0, y), cairo_line_to(p->cr, x1, y);
    cairo_stroke(p->cr);
}

static void draw_row(mlk_pdf *p, const grid *g, size_t r)
{
    const mlk_table_row *row = &g->b->row[r];
    double height = row_height(p, g, r), total = 0;
    for (size_t q = 0; q < g->n_col; q++) total += g->width[q];
    if (row->rule) line(p, MLK_PDF_LEFT, MLK_PDF_LEFT + total, p->y, 0.7, 0x8a939c);
    for (size_t k = 0; k < row->n; k++) {
        size_t c = row->first + k;
        const mlk_table_cell *cell = &g->b->cell[c];
        PangoLayout *l = cell_layout(p, g, c, row->head);
        double x = MLK_PDF_LEFT, w = 0, text = mlk_pdf_layout_width(l);
        for (int q = 0; q < g->col[c]; q++) x += g->width[q];
        for (int q = 0; q < cell->cols; q++) w += g->width[g->col[c] + q];
        bool left = g->b->align[g->col[c]] == 'l';
        double at = cell->cols > 1 ? x + (w - text) / 2 : left ? x + PAD : x + w - PAD - text;
        mlk_pdf_show(p, l, at, p->y + 2, 0x1c2024);
        if (cell->cols > 1) line(p, x + PAD, x + w - PAD, p->y + height, 0.6, 0x1c2024);
        g_object_unref(l);
    }
    p->y += height;
    bool last_head = row->head && r + 1 < g->b->n_row && !g->b->row[r + 1].head;
    if (last_head)
        line(p, MLK_PDF_LEFT, MLK_PDF_LEFT + total, p->y, 0.9, 0x1c2024);
    else if (!row->head)
        line(p, MLK_PDF_LEFT, MLK_PDF_LEFT + total, p->y, 0.3, 0xc8ced4);
}

static void draw(mlk_pdf *p, const grid *g)
{
    size_t heads = 0;
    double height = 0;
    while (heads < g->b->n_row && g->b->row[heads].head) height += row_height(p, g, heads++);
    if (g->b->text) {
        PangoLayout *l =
            mlk_pdf_text(p, g->b->text, (mlk_pdf_font){.size = 8}, false, mlk_pdf_width(p));
        mlk_pdf_room(p, mlk_pdf_layout_height(l) + height + 40);
        mlk_pdf_flow(p, l, MLK_PDF_LEFT, 0x5b6470);
        p->y += 4;
    }
    mlk_pdf_room(p, height + 26);
    for (size_t r = 0; r < g->b->n_row; r++) {
        double need = row_height(p, g, r);
        if (r >= heads && mlk_pdf_left(p) < need) {
            mlk_pdf_page(p, p->w, p->h);
            for (size_t k = 0; k < heads; k++) draw_row(p, g, k);
        }
        draw_row(p, g, r);
    }
    p->y += 14;
}

static bool begin(grid *g, const mlk_block *b)
{
    *g = (grid){.b = b, .n_col = strlen(b->align), .wrap = -1};
    g->col = calloc(b->n_cell + 1, sizeof *g->col);
    g->width = calloc(g->n_col + 1, sizeof *g->width);
    g->natural = calloc(g->n_col + 1, sizeof *g->natural);
    if (!g->col || !g->width || !g->natural || !g->n_col) return false;
    place(g);
    return true;
}

static void end(grid *g)
{
    free(g->col), free(g->width), free(g->natural);
}

bool mlk_pdf_table_turns(const mlk_pdf *p, const mlk_block *b)
{
    grid g;
    bool turns = begin(&g, b) && !fit(p, &g, mlk_pdf_a4[0] - 2 * MLK_PDF_LEFT, 6);
    end(&g);
    return turns;
}

void mlk_pdf_table(mlk_pdf *p, const mlk_block *b)
{
    grid g;
    bool turns = mlk_pdf_table_turns(p, b);
    if (begin(&g, b)) {
        if (turns && p->w < p->h) mlk_pdf_page(p, mlk_pdf_a4[1], mlk_pdf_a4[0]);
        if (!fit(p, &g, mlk_pdf_width(p), turns ? 4 : 6)) {
            double sum = widths(p, &g, 4); /* as small as it must be */
            widths(p, &g, 4 * mlk_pdf_width(p) / sum * 0.98);
        }
        draw(p, &g);
        if (turns) mlk_pdf_page(p, mlk_pdf_a4[0], mlk_pdf_a4[1]);
    }
    end(&g);
}
