/* document.h - a report as a list of blocks: made once by sections.c, drawn by html.c and pdf.c.
 *
 * Texts are UTF-8 without any escaping; what stands out in them is marked by the macros below,
 * whose control characters the back-ends turn into their own markup. A new back-end needs only this
 * header. */
#ifndef MLK_REPORTS_DOCUMENT_H
#define MLK_REPORTS_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

/* marks: start and kind, end; a link holds its address before MLK_DOC_AT */
#define MLK_DOC_BOLD "\001b"
#define MLK_DOC_SUB "\001_"
#define MLK_DOC_CODE "\001c"
#define MLK_DOC_LINK "\001a"
#define MLK_DOC_AT "\003"
#define MLK_DOC_END "\002"

typedef enum mlk_block_kind {
    MLK_BLOCK_HEADING, /* level 2 or 3, id                                             */
    MLK_BLOCK_TEXT,    /* a paragraph                                                  */
    MLK_BLOCK_NOTE,    /* a box: text, then items as a list; level 1: a warning        */
    MLK_BLOCK_LIST,    /* items                                                        */
    MLK_BLOCK_CARDS,   /* pairs of items: a number, what it is                         */
    MLK_BLOCK_TABLE,   /* text: what it shows                                          */
    MLK_BLOCK_FIGURE,  /* id: name, file, number, title, text: caption                 */
    MLK_BLOCK_CODE     /* text: lines as they are                                      */
} mlk_block_kind;

typedef struct mlk_table_cell {
    char *text;
    int cols, rows; /* it covers */
} mlk_table_cell;

typedef struct mlk_table_row {
    size_t first, n; /* cells                                                          */
    bool head, rule; /* of the table's head; a line above                              */
    int model;       /* whose row it is; -1: nobody's                                  */
} mlk_table_row;

typedef struct mlk_block {
    mlk_block_kind kind;
    int level, number;
    bool fold; /* headings: what follows, up to the next one, is shown on demand (page only)   */
    char *id, *title, *text;
    char *file, *axes; /* figures: path of the SVG; panels for the page's script (JSON) or NULL */
    bool narrow, pdf;  /* figures: three fifths of the width; a PDF of it exists       */
    char **item;
    size_t n_item, cap_item;
    char *align; /* tables: one of "lr" for each column                                */
    mlk_table_row *row;
    size_t n_row, cap_row;
    mlk_table_cell *cell;
    size_t n_cell, cap_cell;
} mlk_block;

typedef struct mlk_document_model {
    char *name;
    const char *colour; /* "#0072B2", static                                           */
    int symbol;         /* of gnuplot: 7 disc, 5 square, 9 triangle, ...               */
} mlk_document_model;

typedef struct mlk_document {
    char *title, *subtitle, *footer;
    mlk_document_model *model;
    size_t n_model, cap_model;
    mlk_block *block;
    size_t n, cap;
    int n_figure;
    mlk_status st; /* of the first call that failed; later ones do nothing             */
    mlk_err *e;
} mlk_document;

#define MLK_PRINTF(a, b) __attribute__((format(printf, a, b)))

/* Start an empty document; errors (only MLK_ENOMEM) go to d->st and *e. Free it in any case. */
void mlk_doc_init(mlk_document *d, mlk_err *e);
void mlk_doc_free(mlk_document *d);
void mlk_doc_set(mlk_document *d, char **where, const char *fmt, ...) MLK_PRINTF(3, 4);
void mlk_doc_model(mlk_document *d, const char *name, const char *colour, int symbol);
/* Add a block; the functions below it add to the last block. */
void mlk_doc_heading(mlk_document *d, int level, const char *id, const char *fmt, ...)
    MLK_PRINTF(4, 5);
/* Folds what follows the last heading, which is the last block. */
void mlk_doc_fold(mlk_document *d);
void mlk_doc_text(mlk_document *d, const char *fmt, ...) MLK_PRINTF(2, 3);
void mlk_doc_note(mlk_document *d, bool warning, const char *fmt, ...) MLK_PRINTF(3, 4);
void mlk_doc_list(mlk_document *d);
void mlk_doc_cards(mlk_document *d);
void mlk_doc_item(mlk_document *d, const char *fmt, ...) MLK_PRINTF(2, 3);
void mlk_doc_code(mlk_document *d);
void mlk_doc_line(mlk_document *d, const char *line);
/* A figure, numbered in the order of the calls. axes may be NULL. */
void mlk_doc_figure(mlk_document *d, const char *name, const char *file, const char *title,
                    const char *caption, const char *axes, bool pdf);
/* A table: align "rlrr", caption may be NULL. Rows are filled cell by cell. */
void mlk_doc_table(mlk_document *d, const char *align, const char *caption);
void mlk_doc_row(mlk_document *d, bool head, bool rule, int model);
void mlk_doc_cell(mlk_document *d, const char *fmt, ...) MLK_PRINTF(2, 3);
/* A cell of the head that covers several columns or rows. */
void mlk_doc_span(mlk_document *d, int cols, int rows, const char *text);
/* Head row of single cells: "T (K)|model|..." */
void mlk_doc_head(mlk_document *d, const char *names);

#endif
