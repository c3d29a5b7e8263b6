/* report.c - from a run folder to RUN/report/; see report.h. */
#include "reports/report.h"

#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"

static mlk_status draw(mlk_report *r, const char *run, mlk_err *e)
{
    MLK_TRY(mlk_report_load(r, run, e));
    MLK_TRY(mlk_mkdir_p(r->figdir, e));
    MLK_TRY(mlk_mkdir_p(r->tabdir, e));
    MLK_TRY(mlk_report_compare(r, e));
    MLK_TRY(mlk_report_figures(r, e));
    if (!r->gnuplot)
        mlk_log(
            MLK_LOG_WARN,
            "gnuplot is not installed: no figures are drawn (Debian package gnuplot-nox); tables, "
            "numbers and the scripts in %s are written",
            r->figdir);
    MLK_TRY(mlk_report_json(r, e));
    MLK_TRY(mlk_report_tables(r, e));
    return mlk_report_methods(r, e);
}

/* report.pdf, then the page that links it. No PDF is no reason to fail, but no old one stays. */
static mlk_status pages(const mlk_report *r, mlk_report_result *out, mlk_err *e)
{
    char html[1300], pdf[1300];
    mlk_document d;
    mlk_err why = {0};
    mlk_path_join(html, sizeof html, r->dir, "report.html");
    mlk_path_join(pdf, sizeof pdf, r->dir, "report.pdf");
    mlk_status s = mlk_report_document(r, &d, e);
    bool has_pdf = !s && !mlk_report_pdf(&d, pdf, &why);
    if (!s && !has_pdf) {
        unlink(pdf);
        mlk_log(MLK_LOG_WARN, "report.pdf is not written: %s%s%s%s", why.msg, *why.hint ? " (" : "",
                why.hint, *why.hint ? ")" : "");
    }
    if (!s) s = mlk_report_html(&d, has_pdf, html, e);
    mlk_doc_free(&d);
    if (s || !out) return s;
    snprintf(out->html, sizeof out->html, "%s", html);
    snprintf(out->pdf, sizeof out->pdf, "%s", has_pdf ? pdf : "");
    snprintf(out->statement, sizeof out->statement, "%s", r->statement);
    out->n_fig = r->n_fig, out->n_missing = r->n_missing, out->gnuplot = r->gnuplot;
    return mlk_report_text_table(r, &out->table, e);
}

mlk_status mlk_report_draw(const char *run, mlk_report_result *out, mlk_err *e)
{
    mlk_report *r = mlk_alloc(1, sizeof *r);
    if (!r) return MLK_FAIL(e, MLK_ENOMEM, "report");
    mlk_status s = draw(r, run, e);
    if (!s) s = pages(r, out, e);
    mlk_report_free(r);
    mlk_free(r);
    return s;
}
