/* document.c - see document.h. */
#include "reports/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

void mlk_doc_init(mlk_document *d, mlk_err *e)
{
    *d = (mlk_document){.e = e};
}

void mlk_doc_free(mlk_document *d)
{
    for (size_t k = 0; k < d->n; k++) {
        mlk_block *b = &d->block[k];
        mlk_free(b->id), mlk_free(b->title), mlk_free(b->text), mlk_free(b->file);
        mlk_free(b->axes), mlk_free(b->align), mlk_free(b->row);
        mlk_strings_free(b->item, b->n_item);
        for (size_t c = 0; c < b->n_cell; c++) mlk_free(b->cell[c].text);
        mlk_free(b->cell);
    }
    for (size_t k = 0; k < d->n_model; k++) mlk_free(d->model[k].name);
    mlk_free(d->model), mlk_free(d->block);
    mlk_free(d->title), mlk_free(d->subtitle), mlk_free(d->footer);
    mlk_doc_init(d, NULL);
}

static void fail(mlk_document *d)
{
    if (!d->st) d->st = MLK_FAIL(d->e, MLK_ENOMEM, "report");
}

static void copy(mlk_document *d, char **where, const char *s)
{
    if (d->st || !s) return;
    mlk_free(*where);
    *where = mlk_strdup(s);
    if (!*where) fail(d);
}

static void format(mlk_document *d, char **where, const char *fmt, va_list ap)
{
    va_list again;
    if (d->st) return;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *s = mlk_alloc((size_t)(n < 0 ? 0 : n) + 1, 1);
    if (!s) {
        fail(d);
        return;
    }
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    mlk_free(*where);
    *where = s;
}

#define FORMAT(where)                                                                              \
    do {                                                                                           \
        va_list ap;                                                                                \
        va_start(ap, fmt);                                                                         \
        format(d, where, fmt, ap);                                                                 \
        va_end(ap);                                                                                \
    } while (0)

void mlk_doc_set(mlk_document *d, char **where, const char *fmt, ...)
{
    FORMAT(where);
}

void mlk_doc_model(mlk_document *d, const char *name, const char *colour, int symbol)
{
    if (d->st || (d->st = MLK_GROW(d->model, d->cap_model, d->n_model + 1, d->e))) return;
    mlk_document_model *m = &d->model[d->n_model++];
    *m = (mlk_document_model){.colour = colour, .symbol = symbol};
    copy(d, &m->name, name);
}

/* A new last block; NULL, and d->st set, when there is no memory. */
static mlk_block *add(mlk_document *d, mlk_block_kind kind)
{
    if (d->st || (d->st = MLK_GROW(d->block, d->cap, d->n + 1, d->e))) return NULL;
    mlk_block *b = &d->block[d->n++];
    *b = (mlk_block){.kind = kind};
    return b;
}

void mlk_doc_heading(mlk_document *d, int level, const char *id, const char *fmt, ...)
{
    mlk_block *b = add(d, MLK_BLOCK_HEADING);
    if (!b) return;
    b->level = level;
    copy(d, &b->id, id);
    FORMAT(&b->text);
}

void mlk_doc_fold(mlk_document *d)
{
    if (!d->st) d->block[d->n - 1].fold = true;
}

void mlk_doc_text(mlk_document *d, const char *fmt, ...)
{
    mlk_block *b = add(d, MLK_BLOCK_TEXT);
    if (b) FORMAT(&b->text);
}

void mlk_doc_note(mlk_document *d, bool warning, const char *fmt, ...)
{
    mlk_block *b = add(d, MLK_BLOCK_NOTE);
    if (!b) return;
    b->level = warning;
    FORMAT(&b->text);
}

void mlk_doc_list(mlk_document *d)
{
    add(d, MLK_BLOCK_LIST);
}

void mlk_doc_cards(mlk_document *d)
{
    add(d, MLK_BLOCK_CARDS);
}

void mlk_doc_item(mlk_document *d, const char *fmt, ...)
{
    if (d->st) return;
    mlk_block *b = &d->block[d->n - 1];
    if ((d->st = MLK_GROW(b->item, b->cap_item, b->n_item + 1, d->e))) return;
    FORMAT(&b->item[b->n_item]);
    if (!d->st) b->n_item++;
}

void mlk_doc_code(mlk_document *d)
{
    add(d, MLK_BLOCK_CODE);
}

void mlk_doc_line(mlk_document *d, const char *line)
{
    mlk_doc_item(d, "%s", line);
}

void mlk_doc_figure(mlk_document *d, const char *name, const char *file, const char *title,
                    const char *caption, const char *axes, bool pdf)
{
    mlk_block *b = add(d, MLK_BLOCK_FIGURE);
    if (!b) return;
    b->number = ++d->n_figure, b->pdf = pdf;
    copy(d, &b->id, name), copy(d, &b->file, file), copy(d, &b->title, title);
    copy(d, &b->text, caption), copy(d, &b->axes, axes);
}

void mlk_doc_table(mlk_document *d, const char *align, const char *caption)
{
    mlk_block *b = add(d, MLK_BLOCK_TABLE);
    if (!b) return;
    copy(d, &b->align, align), copy(d, &b->text, caption);
}

void mlk_doc_row(mlk_document *d, bool head, bool rule, int model)
{
    if (d->st) return;
    mlk_block *b = &d->block[d->n - 1];
    if ((d->st = MLK_GROW(b->row, b->cap_row, b->n_row + 1, d->e))) return;
    b->row[b->n_row++] =
        (mlk_table_row){.first = b->n_cell, .head = head, .rule = rule, .model = model};
}

static mlk_table_cell *add_cell(mlk_document *d)
{
    if (d->st) return NULL;
    mlk_block *b = &d->block[d->n - 1];
    if ((d->st = MLK_GROW(b->cell, b->cap_cell, b->n_cell + 1, d->e))) return NULL;
    b->row[b->n_row - 1].n++;
    b->cell[b->n_cell] = (mlk_table_cell){.cols = 1, .rows = 1};
    return &b->cell[b->n_cell++];
}

void mlk_doc_cell(mlk_document *d, const char *fmt, ...)
{
    mlk_table_cell *c = add_cell(d);
    if (c) FORMAT(&c->text);
}

void mlk_doc_span(mlk_document *d, int cols, int rows, const char *text)
{
    mlk_table_cell *c = add_cell(d);
    if (!c) return;
    c->cols = cols, c->rows = rows;
    copy(d, &c->text, text);
}

void mlk_doc_head(mlk_document *d, const char *names)
{
    mlk_doc_row(d, true, false, -1);
    while (names) {
        const char *bar = strchr(names, '|');
        mlk_doc_cell(d, "%.*s", bar ? (int)(bar - names) : (int)strlen(names), names);
        names = bar ? bar + 1 : NULL;
    }
}
