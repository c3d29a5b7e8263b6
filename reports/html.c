/* html.c - a document as report.html: one file, no network, figures inline. */
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "reports/report.h"

static void esc_n(FILE *f, const char *s, size_t n)
{
    for (size_t k = 0; k < n && s[k]; k++) {
        switch (s[k]) {
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        case '&':
            fputs("&amp;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        default:
            if ((unsigned char)s[k] >= 32) fputc(s[k], f);
        }
    }
}

static void esc(FILE *f, const char *s)
{
    if (s) esc_n(f, s, strlen(s));
}

/* A text with its marks (document.h) as HTML. */
static void text(FILE *f, const char *s)
{
    const char *open[8], *close;
    int depth = 0;
    for (; s && *s; s++) {
        size_t plain = strcspn(s, "\001\002");
        esc_n(f, s, plain);
        s += plain;
        if (*s == '\002' && depth > 0) fputs(open[--depth], f);
        if (!*s) return;
        if (*s != '\001') continue;
        s++;
        close = *s == 'b' ? "</b>" : *s == '_' ? "</sub>" : *s == 'c' ? "</code>" : "</a>";
        if (*s == 'a') {
            size_t n = strcspn(s, MLK_DOC_AT);
            fputs("<a href=\"", f), esc_n(f, s + 1, n - 1), fputs("\">", f);
            s += n;
        } else {
            fputs(*s == 'b' ? "<b>" : *s == '_' ? "<sub>" : "<code>", f);
        }
        if (depth < 8) open[depth++] = close;
        if (!*s) return;
    }
}

/* A negative number gets a minus sign instead of a hyphen. */
static void number(FILE *f, const char *s)
{
    bool minus = s && s[0] == '-' && s[1] >= '0' && s[1] <= '9';
    if (minus) fputs("−", f);
    text(f, s + minus);
}

static void table(FILE *f, const mlk_block *b)
{
    if (b->text) fputs("<p class=cap>", f), text(f, b->text), fputs("</p>", f);
    fputs("<div class=scroll tabindex=0><table>", f);
    bool body = false;
    for (size_t r = 0; r < b->n_row; r++) {
        const mlk_table_row *row = &b->row[r];
        if (r == 0) fputs(row->head ? "<thead>" : "<tbody>", f);
        if (r && !row->head && !body && b->row[r - 1].head) fputs("</thead><tbody>", f);
        body = !row->head;
        fputs(row->rule ? "<tr class=first" : "<tr", f);
        if (row->model >= 0) fprintf(f, " data-model=%d", row->model);
        fputc('>', f);
        /* cells of a second head row stand below those that cover one row */
        for (size_t c = 0; c < row->n; c++) {
            const mlk_table_cell *cell = &b->cell[row->first + c];
            bool left = !row->head || row->n == strlen(b->align) ? b->align[c] == 'l' : false;
            fputs(row->head ? "<th" : "<td", f);
            if (left) fputs(" class=l", f);
            if (cell->cols > 1) fprintf(f, " colspan=%d", cell->cols);
            if (cell->rows > 1) fprintf(f, " rowspan=%d", cell->rows);
            fputc('>', f);
            number(f, cell->text);
            fputs(row->head ? "</th>" : "</td>", f);
        }
        fputs("</tr>\n", f);
    }
    if (b->n_row) fputs(body ? "</tbody>" : "</thead><tbody></tbody>", f);
    fputs("</table></div>\n", f);
}

/* The model whose name a title is, or begins with before a comma ("nep-1, Li"); -1: none. */
static int model_of(const mlk_document *d, const char *name, size_t n)
{
    for (size_t m = 0; m < d->n_model; m++) {
        size_t len = strlen(d->model[m].name);
        if (len <= n && !memcmp(d->model[m].name, name, len) && (len == n || name[len] == ','))
            return (int)m;
    }
    return -1;
}

/* The SVG of a figure without its prologue. gnuplot wraps each plotted element in a group whose
 * title is the one of the plot command: those of models are marked for the script, made-up titles
 * ("fig_kappa_plot_1a"), which browsers would show, go. */
static void svg(const mlk_document *d, FILE *f, const char *s, const char *label)
{
    s = strstr(s, "<svg");
    if (!s) return;
    fputs("<svg role=img aria-label=\"", f), esc(f, label), fputc('"', f);
    s += strlen("<svg");
    for (const char *at; (at = strstr(s, "<title>")); s = at) {
        const char *name = at + strlen("<title>"), *end = strstr(name, "</title>"), *tag = at;
        if (!end) break;
        while (tag > s && *tag != '<') tag--;
        if (tag == at || tag < s) tag = at;
        const char *group = at;
        while (group > s && strncmp(group, "<g ", 3)) group--;
        bool is_group = !strncmp(group, "<g ", 3) && !memchr(group, '\n', (size_t)(at - group));
        size_t n = (size_t)(end - name);
        int m = model_of(d, name, n);
        fwrite(s, 1, (size_t)((is_group ? group : at) - s), f);
        if (is_group) {
            bool named = strncmp(name, "fig_", 4) && (m < 0 || strlen(d->model[m].name) < n);
            fputs("<g", f);
            if (m >= 0) fprintf(f, " data-model=%d", m);
            if (named) fputs(" data-name=\"", f), fwrite(name, 1, n, f), fputc('"', f);
            fputc('>', f);
        }
        at = end + strlen("</title>");
    }
    fputs(s, f);
}

static mlk_status figure(const mlk_document *d, FILE *f, const mlk_block *b, mlk_err *e)
{
    char *file = NULL;
    MLK_TRY(mlk_file_slurp(b->file, &file, NULL, e));
    fprintf(f, "<figure id=\"%s\"><div class=\"plot%s\" tabindex=0", b->id,
            b->narrow ? " narrow" : "");
    if (b->axes) fputs(" data-axes=\"", f), esc(f, b->axes), fputc('"', f);
    fputc('>', f);
    svg(d, f, file, b->title);
    mlk_free(file);
    fprintf(f, "</div><figcaption><b>Figure %d. ", b->number);
    esc(f, b->title);
    fputs(strchr(b->title, '?') ? "</b> " : ".</b> ", f);
    text(f, b->text);
    fprintf(f, " <a href=\"figures/%s.svg\">SVG</a>", b->id);
    if (b->pdf) fprintf(f, " <a href=\"figures/%s.pdf\">PDF</a>", b->id);
    fprintf(f, " <a href=\"figures/%s.csv\">CSV</a></figcaption></figure>\n", b->id);
    return MLK_OK;
}

static void items(FILE *f, const mlk_block *b)
{
    if (!b->n_item) return;
    fputs("<ul>", f);
    for (size_t k = 0; k < b->n_item; k++) fputs("<li>", f), text(f, b->item[k]), fputs("</li>", f);
    fputs("</ul>", f);
}

static mlk_status block(const mlk_document *d, FILE *f, const mlk_block *b, mlk_err *e)
{
    switch (b->kind) {
    case MLK_BLOCK_HEADING:
        if (b->fold) fputs("<details><summary>", f);
        fprintf(f, "<h%d id=\"%s\">", b->level, b->id);
        text(f, b->text);
        fprintf(f, "</h%d>%s\n", b->level, b->fold ? "</summary>" : "");
        break;
    case MLK_BLOCK_TEXT:
        fputs("<p>", f), text(f, b->text), fputs("</p>\n", f);
        break;
    case MLK_BLOCK_NOTE:
        fputs(b->level ? "<div class=missing>" : "<div class=verdict>", f);
        text(f, b->text), items(f, b), fputs("</div>\n", f);
        break;
    case MLK_BLOCK_LIST:
        items(f, b);
        break;
    case MLK_BLOCK_CARDS:
        fputs("<div class=cards>", f);
        for (size_t k = 0; k + 1 < b->n_item; k += 2) {
            fputs("<div class=card><b>", f), text(f, b->item[k]), fputs("</b><span>", f);
            text(f, b->item[k + 1]), fputs("</span></div>", f);
        }
        fputs("</div>\n", f);
        break;
    case MLK_BLOCK_TABLE:
        table(f, b);
        break;
    case MLK_BLOCK_FIGURE:
        return figure(d, f, b, e);
    case MLK_BLOCK_CODE:
        fputs("<pre tabindex=0>", f);
        for (size_t k = 0; k < b->n_item; k++) esc(f, b->item[k]), fputc('\n', f);
        fputs("</pre>\n", f);
    }
    return MLK_OK;
}

/* The symbol of a model as in the figures. */
static void swatch(FILE *f, const mlk_document_model *m)
{
    static const struct {
        int symbol;
        const char *shape; /* in a box of 14 x 14 */
    } shapes[] = {{7, "<circle cx=7 cy=7 r=5 />"},
                  {5, "<path d='M2.5 2.5h9v9h-9z'/>"},
                  {9, "<path d='M7 1.5L12.5 11.5H1.5z'/>"},
                  {11, "<path d='M7 12.5L12.5 2.5H1.5z'/>"},
                  {13, "<path d='M7 1L13 7 7 13 1 7z'/>"},
                  {15, "<path d='M7 1L13 5.4 10.7 12.4H3.3L1 5.4z'/>"},
                  {6, "<circle cx=7 cy=7 r=4.5 fill=none stroke-width=2 />"},
                  {4, "<path fill=none stroke-width=2 d='M3 3h8v8H3z'/>"}};
    const char *shape = shapes[0].shape;
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
        if (shapes[k].symbol == m->symbol) shape = shapes[k].shape;
    fprintf(f,
            "<svg width=14 height=14 aria-hidden=true fill=\"%s\" stroke=\"%s\" stroke-width=0>%s"
            "</svg>",
            m->colour, m->colour, shape);
}

static void head(const mlk_document *d, FILE *f, bool pdf)
{
    fputs("<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n"
          "<meta name=viewport content=\"width=device-width,initial-scale=1\">\n<title>",
          f);
    esc(f, d->title);
    fputs("</title>\n<style>", f);
    for (const char *const *l = mlk_report_css; *l; l++) fputs(*l, f);
    for (size_t m = 0; m < d->n_model; m++)
        fprintf(f, ".off%zu [data-model=\"%zu\"]%s", m, m,
                m + 1 < d->n_model ? "," : "{display:none}");
    fputs("</style></head><body>\n<header><div><h1>", f);
    esc(f, d->title);
    fputs("</h1>\n<p class=sub>", f);
    text(f, d->subtitle);
    if (pdf) fputs(" · <a href=\"report.pdf\">PDF</a>", f);
    fputs("</p><nav>", f);
    for (size_t k = 0; k < d->n; k++) {
        const mlk_block *b = &d->block[k];
        if (b->kind != MLK_BLOCK_HEADING || b->level != 2) continue;
        fprintf(f, "<a href=\"#%s\">", b->id);
        esc_n(f, b->text, strcspn(b->text, ":")); /* the short part of a heading */
        fputs("</a>", f);
    }
    fputs("</nav></div></header>\n", f);
    /* the script shows it: without script it could do nothing */
    fputs("<fieldset class=models hidden><div><legend>Show</legend>", f);
    for (size_t m = 0; m < d->n_model; m++) {
        fprintf(f, "<label><input type=checkbox checked data-toggle=%zu>", m);
        swatch(f, &d->model[m]);
        esc(f, d->model[m].name);
        fputs("</label>", f);
    }
    fputs("<small>statistics always contain all models</small></div></fieldset>\n<main>\n", f);
}

static mlk_status page(const mlk_document *d, FILE *f, bool pdf, mlk_err *e)
{
    head(d, f, pdf);
    bool folded = false;
    for (size_t k = 0; k < d->n; k++) {
        const mlk_block *b = &d->block[k];
        if (b->kind == MLK_BLOCK_HEADING) {
            if (folded) fputs("</details>\n", f);
            folded = b->fold;
        }
        MLK_TRY(block(d, f, b, e));
    }
    if (folded) fputs("</details>\n", f);
    fputs("</main><footer><div>", f);
    text(f, d->footer);
    fputs(". This page needs no network.</div></footer><div id=tip hidden></div>\n<script>\n", f);
    for (const char *const *l = mlk_report_js; *l; l++) fprintf(f, "%s\n", *l);
    fputs("</script></body></html>\n", f);
    return MLK_OK;
}

mlk_status mlk_report_html(const mlk_document *d, bool pdf, const char *path, mlk_err *e)
{
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, path, e));
    mlk_status s = page(d, o.fp, pdf, e);
    if (s) {
        mlk_out_abort(&o);
        return s;
    }
    return mlk_out_commit(&o, e);
}
