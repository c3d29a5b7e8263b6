/* pdf_layout.h - a growing PDF: pages, running text, tables. Part of mlkit-pdf.so, which knows
 * nothing of mlkit but document.h. Lengths in points. */
#ifndef MLK_REPORTS_PDF_LAYOUT_H
#define MLK_REPORTS_PDF_LAYOUT_H

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "reports/document.h"

typedef struct mlk_pdf {
    cairo_surface_t *surface;
    cairo_t *cr;
    double w, h;       /* of the current page                                     */
    double y;          /* where the next thing begins                             */
    int page, pages;   /* number of this page; of all, 0 in the first pass        */
    const char *title; /* at the foot of every page                               */
} mlk_pdf;

typedef struct mlk_pdf_font {
    double size;
    bool mono, soft; /* fixed width; grey                                         */
} mlk_pdf_font;

enum { MLK_PDF_LEFT = 50, MLK_PDF_TOP = 50, MLK_PDF_FOOT = 54 };
extern const double mlk_pdf_a4[2]; /* width, height */

/* Width between the margins; height that is left on this page. */
double mlk_pdf_width(const mlk_pdf *p);
double mlk_pdf_left(const mlk_pdf *p);
/* Begin a new page of the size w x h; the first one has begun already. */
void mlk_pdf_page(mlk_pdf *p, double w, double h);
/* New page when less than `height` is left on this one. */
void mlk_pdf_room(mlk_pdf *p, double height);
/* The foot of the last page. */
void mlk_pdf_foot(mlk_pdf *p);
/* A layout of a text with marks; width <= 0: one line. g_object_unref it. */
PangoLayout *mlk_pdf_text(const mlk_pdf *p, const char *text, mlk_pdf_font font, bool bold,
                          double width);
double mlk_pdf_layout_height(PangoLayout *l);
double mlk_pdf_layout_width(PangoLayout *l);
/* Draw at x, y; colour 0xRRGGBB. */
void mlk_pdf_show(mlk_pdf *p, PangoLayout *l, double x, double y, unsigned colour);
/* Let it run from p->y on, over pages where it must, and unref it. */
void mlk_pdf_flow(mlk_pdf *p, PangoLayout *l, double x, unsigned colour);
/* The height it takes that way; of a layout that is shown at once it is mlk_pdf_layout_height. */
double mlk_pdf_flow_height(PangoLayout *l);
void mlk_pdf_colour(mlk_pdf *p, unsigned colour);
/* A table on this page and the next ones; one too wide for upright pages stands on turned ones. */
bool mlk_pdf_table_turns(const mlk_pdf *p, const mlk_block *b);
void mlk_pdf_table(mlk_pdf *p, const mlk_block *b);

#endif
