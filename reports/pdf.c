/* pdf.c - a document as report.pdf: A4, text that can be selected, figures as vectors. The plugin
 * mlkit-pdf.so, opened by pdf_open.c; it shares nothing with mlkit but document.h. */
#include <librsvg/rsvg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/pdf_layout.h"

static const unsigned INK = 0x1c2024, SOFT = 0x5b6470;

static void text(mlk_pdf *p, const char *s, double size, bool bold, unsigned colour, double after)
{
    PangoLayout *l = mlk_pdf_text(p, s, (mlk_pdf_font){.size = size}, bold, mlk_pdf_width(p));
    mlk_pdf_flow(p, l, MLK_PDF_LEFT, colour);
    p->y += after;
}

/* Items with a dot before each, the text from x to x + width. */
static void items(mlk_pdf *p, const mlk_block *b, double x, double width)
{
    for (size_t k = 0; k < b->n_item; k++) {
        const mlk_pdf_font f = {.size = 8.5};
        PangoLayout *dot = mlk_pdf_text(p, "•", f, false, 0);
        PangoLayout *l = mlk_pdf_text(p, b->item[k], f, false, width - 12);
        mlk_pdf_room(p, mlk_pdf_layout_height(dot));
        mlk_pdf_show(p, dot, x, p->y, INK);
        g_object_unref(dot);
        mlk_pdf_flow(p, l, x + 12, INK);
        p->y += 1.5;
    }
}

static double items_height(mlk_pdf *p, const mlk_block *b, double width)
{
    double h = 0;
    for (size_t k = 0; k < b->n_item; k++) {
        PangoLayout *l =
            mlk_pdf_text(p, b->item[k], (mlk_pdf_font){.size = 8.5}, false, width - 12);
        h += mlk_pdf_flow_height(l) + 1.5;
        g_object_unref(l);
    }
    return h;
}

/* A box with a coloured edge; one higher than a page goes without. */
static void note(mlk_pdf *p, const mlk_block *b)
{
    double x = MLK_PDF_LEFT + 14, width = mlk_pdf_width(p) - 26;
    PangoLayout *l = mlk_pdf_text(p, b->text, (mlk_pdf_font){.size = 9}, false, width);
    double height = mlk_pdf_flow_height(l) + items_height(p, b, width) + 16, below = 0;
    if (height < p->h - MLK_PDF_TOP - MLK_PDF_FOOT) {
        mlk_pdf_room(p, height);
        below = p->y + height;
        mlk_pdf_colour(p, b->level ? 0xfdf6e7 : 0xeef5fa);
        cairo_rectangle(p->cr, MLK_PDF_LEFT, p->y, mlk_pdf_width(p), height);
        cairo_fill(p->cr);
        mlk_pdf_colour(p, b->level ? 0xE69F00 : 0x0072B2);
        cairo_rectangle(p->cr, MLK_PDF_LEFT, p->y, 4, height);
        cairo_fill(p->cr);
    }
    p->y += 8;
    mlk_pdf_flow(p, l, x, INK);
    items(p, b, x, width);
    p->y = fmax(p->y + 8, below) + 12;
}

static void cards(mlk_pdf *p, const mlk_block *b)
{
    size_t n = b->n_item / 2;
    double gap = 8, w = (mlk_pdf_width(p) - gap * (double)(n - 1)) / (double)n, height = 0;
    for (int draw = 0; draw < 2; draw++) {
        if (draw) mlk_pdf_room(p, height);
        for (size_t k = 0; k < n; k++) {
            double x = MLK_PDF_LEFT + (double)k * (w + gap);
            PangoLayout *big =
                mlk_pdf_text(p, b->item[2 * k], (mlk_pdf_font){.size = 13}, true, w - 14);
            PangoLayout *small =
                mlk_pdf_text(p, b->item[2 * k + 1], (mlk_pdf_font){.size = 7.5}, false, w - 14);
            double split = 6 + mlk_pdf_layout_height(big) + 2;
            height = fmax(height, split + mlk_pdf_layout_height(small) + 7);
            if (draw) {
                mlk_pdf_colour(p, 0xc8ced4);
                cairo_set_line_width(p->cr, 0.7);
                cairo_rectangle(p->cr, x, p->y, w, height);
                cairo_stroke(p->cr);
                mlk_pdf_show(p, big, x + 7, p->y + 6, INK);
                mlk_pdf_show(p, small, x + 7, p->y + split, SOFT);
            }
            g_object_unref(big), g_object_unref(small);
        }
    }
    p->y += height + 14;
}

/* Commands and hashes: long lines are wrapped, their rest is indented. */
static void code(mlk_pdf *p, const mlk_block *b)
{
    for (size_t k = 0; k < b->n_item; k++) {
        PangoLayout *l = mlk_pdf_text(p, b->item[k], (mlk_pdf_font){.size = 6.4, .mono = true},
                                      false, mlk_pdf_width(p));
        pango_layout_set_indent(l, -14 * PANGO_SCALE);
        mlk_pdf_flow(p, l, MLK_PDF_LEFT, INK);
        p->y += 1;
    }
    p->y += 12;
}

/* ---- figures ---- */

typedef struct drawing {
    RsvgHandle *svg;
    PangoLayout *caption;
    double w, h, total; /* of the drawing; with its caption                        */
} drawing;

/* The letters of the figures are asked for as Helvetica; here they are those of the text. */
static const char style[] = "text,tspan{font-family:\"DejaVu Sans\"}";

static bool open_drawing(mlk_pdf *p, const mlk_block *b, drawing *d)
{
    RsvgRectangle box = {0};
    gboolean has_w, has_h, has_box;
    GError *error = NULL;
    d->svg = rsvg_handle_new_from_file(b->file, &error);
    if (!d->svg) {
        g_clear_error(&error);
        return false;
    }
    rsvg_handle_set_stylesheet(d->svg, (const guint8 *)style, sizeof style - 1, NULL);
    RsvgLength lw, lh;
    rsvg_handle_get_intrinsic_dimensions(d->svg, &has_w, &lw, &has_h, &lh, &has_box, &box);
    char *caption = g_strdup_printf(MLK_DOC_BOLD "Figure %d. %s%s" MLK_DOC_END " %s", b->number,
                                    b->title, strchr(b->title, '?') ? "" : ".", b->text);
    d->caption = mlk_pdf_text(p, caption, (mlk_pdf_font){.size = 8}, false, mlk_pdf_width(p));
    g_free(caption);
    double below = mlk_pdf_layout_height(d->caption) + 20;
    d->w = mlk_pdf_width(p) * (b->narrow ? 0.62 : 1);
    d->h = has_box && box.width > 0 ? d->w * box.height / box.width : d->w;
    double most = p->h - MLK_PDF_TOP - MLK_PDF_FOOT - below;
    if (d->h > most) d->w *= most / d->h, d->h = most;
    d->total = d->h + below;
    return true;
}

static double figure_height(mlk_pdf *p, const mlk_block *b)
{
    drawing d;
    if (!open_drawing(p, b, &d)) return 0;
    g_object_unref(d.svg), g_object_unref(d.caption);
    return d.total;
}

static void figure(mlk_pdf *p, const mlk_block *b)
{
    drawing d;
    if (!open_drawing(p, b, &d)) return;
    /* rather a little smaller than half a page left blank */
    double left = mlk_pdf_left(p) - (d.total - d.h);
    if (left < d.h && left > 0.78 * d.h) d.w *= left / d.h, d.total -= d.h - left, d.h = left;
    mlk_pdf_room(p, d.total);
    const RsvgRectangle at = {MLK_PDF_LEFT + (b->narrow ? 0 : (mlk_pdf_width(p) - d.w) / 2), p->y,
                              d.w, d.h};
    cairo_save(p->cr);
    if (p->pages) rsvg_handle_render_document(d.svg, p->cr, &at, NULL);
    cairo_restore(p->cr);
    p->y += d.h + 4;
    mlk_pdf_flow(p, d.caption, MLK_PDF_LEFT, SOFT);
    p->y += 16;
    g_object_unref(d.svg);
}

/* ---- the document ---- */

/* A heading stays with what follows it. */
static void heading(mlk_pdf *p, const mlk_document *d, size_t k)
{
    const mlk_block *b = &d->block[k];
    bool big = b->level == 2;
    double need = 60;
    for (size_t q = k + 1; q < d->n && q < k + 3; q++) {
        if (d->block[q].kind == MLK_BLOCK_FIGURE) {
            need = 50 + figure_height(p, &d->block[q]);
            break;
        }
        if (d->block[q].kind != MLK_BLOCK_HEADING) break;
        need += 30;
    }
    if (d->n > k + 1 && d->block[k + 1].kind == MLK_BLOCK_TABLE) {
        need += 70;
        if (mlk_pdf_table_turns(p, &d->block[k + 1])) mlk_pdf_page(p, mlk_pdf_a4[1], mlk_pdf_a4[0]);
    }
    mlk_pdf_room(p, need);
    p->y += p->y > MLK_PDF_TOP + 1 ? (big ? 12 : 4) : 0;
    char where[80], *plain = g_strdelimit(g_strdup(b->text), "\001\002\003", ' ');
    g_snprintf(where, sizeof where, "page=%d pos=[%d %.0f]", p->page, MLK_PDF_LEFT, p->y);
    if (p->pages && big)
        cairo_pdf_surface_add_outline(p->surface, CAIRO_PDF_OUTLINE_ROOT, plain, where,
                                      CAIRO_PDF_OUTLINE_FLAG_OPEN);
    g_free(plain);
    text(p, b->text, big ? 14 : 10.5, true, INK, big ? 8 : 5);
}

static void block(mlk_pdf *p, const mlk_document *d, size_t k)
{
    const mlk_block *b = &d->block[k];
    switch (b->kind) {
    case MLK_BLOCK_HEADING:
        heading(p, d, k);
        break;
    case MLK_BLOCK_TEXT:
        text(p, b->text, 9, false, INK, 8);
        break;
    case MLK_BLOCK_NOTE:
        note(p, b);
        break;
    case MLK_BLOCK_LIST:
        items(p, b, MLK_PDF_LEFT, mlk_pdf_width(p));
        p->y += 8;
        break;
    case MLK_BLOCK_CARDS:
        if (b->n_item >= 2) cards(p, b);
        break;
    case MLK_BLOCK_TABLE:
        mlk_pdf_table(p, b);
        break;
    case MLK_BLOCK_FIGURE:
        figure(p, b);
        break;
    case MLK_BLOCK_CODE:
        code(p, b);
        break;
    }
}

static void document(mlk_pdf *p, const mlk_document *d)
{
    text(p, d->title, 17, true, INK, 4);
    text(p, d->subtitle, 8.5, false, SOFT, 12);
    for (size_t k = 0; k < d->n; k++) block(p, d, k);
    text(p, d->footer, 7.5, false, SOFT, 0);
    mlk_pdf_foot(p);
}

/* One pass over the document into `path`, or nowhere when it is NULL; how many pages, 0: failed. */
static int pass(const mlk_document *d, const char *path, int pages)
{
    mlk_pdf p = {.w = mlk_pdf_a4[0],
                 .h = mlk_pdf_a4[1],
                 .y = MLK_PDF_TOP,
                 .page = 1,
                 .pages = pages,
                 .title = d->title};
    p.surface = path ? cairo_pdf_surface_create(path, p.w, p.h)
                     : cairo_pdf_surface_create_for_stream(NULL, NULL, p.w, p.h);
    cairo_pdf_surface_set_metadata(p.surface, CAIRO_PDF_METADATA_TITLE, d->title);
    cairo_pdf_surface_set_metadata(p.surface, CAIRO_PDF_METADATA_CREATOR, "mlkit");
    p.cr = cairo_create(p.surface);
    document(&p, d);
    cairo_show_page(p.cr);
    cairo_destroy(p.cr);
    cairo_surface_finish(p.surface);
    if (cairo_surface_status(p.surface)) p.page = 0;
    cairo_surface_destroy(p.surface);
    return p.page;
}

__attribute__((visibility("default"))) int mlk_pdf_draw(const mlk_document *d, const char *path,
                                                        char *why, size_t cap);

int mlk_pdf_draw(const mlk_document *d, const char *path, char *why, size_t cap)
{
    int pages = pass(d, NULL, 0);
    if (pages && pass(d, path, pages)) return 0;
    g_snprintf(why, cap, "%s cannot be written", path);
    return -1;
}
