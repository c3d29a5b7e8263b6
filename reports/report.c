/* report.c - from a run folder to RUN/report/; see report.h. */
#include "reports/report.h"

#include <string.h>

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
    MLK_TRY(mlk_report_methods(r, e));
    return mlk_report_html(r, e);
}

mlk_status mlk_report_draw(const char *run, mlk_report_result *out, mlk_err *e)
{
    mlk_report *r = mlk_alloc(1, sizeof *r);
    if (!r) return MLK_FAIL(e, MLK_ENOMEM, "report");
    mlk_status s = draw(r, run, e);
    if (!s && out) {
        mlk_path_join(out->html, sizeof out->html, r->dir, "report.html");
        snprintf(out->statement, sizeof out->statement, "%s", r->statement);
        out->n_fig = r->n_fig, out->n_missing = r->n_missing, out->gnuplot = r->gnuplot;
    }
    mlk_report_free(r);
    mlk_free(r);
    return s;
}
