/* cmd_report.c - mlkit report: draw the report of a finished or running study. */
#include <stdio.h>

#include "cli/campaign.h"
#include "cli/cmd.h"
#include "core/file.h"
#include "core/json.h"
#include "core/mem.h"
#include "reports/report.h"

typedef struct cfg {
    mlk_common common;
} cfg;

static const mlk_opt opts[] = {MLK_COMMON_OPTS(cfg), {0}};

mlk_status mlk_cmd_report(int argc, char **argv, mlk_err *e)
{
    cfg c;
    int n;
    char **words, path[1300];
    bool done;
    MLK_TRY(mlk_cmd_begin(
        opts, &c, argc, argv, NULL, "mlkit report RUN",
        "Draw the report of a study made by mlkit benchmark, finished or not:\n"
        "RUN/report/report.html and report.pdf, report.json, methods.md and .tex with\n"
        "references.bib, figures/ and tables/.",
        "mlkit report mlkit-run", &n, &words, &done, e));
    if (done) return MLK_OK;
    if (n != 1) {
        MLK_FAIL(e, MLK_EINVAL, n ? "more than one run folder given" : "no run folder given");
        mlk_err_hint(e, "for example: mlkit report mlkit-run");
        return MLK_EINVAL;
    }
    mlk_report_result r = {0};
    MLK_TRY(mlk_report_draw(words[0], &r, e));
    if (!c.common.json) {
        mlk_campaign_state_print(words[0]);
        printf("%s%s%s\n\n%s\n", r.table, *r.table ? "\n" : "", r.statement, r.html);
        if (*r.pdf) printf("%s\n", r.pdf);
        printf("%zu figures%s in %s/report/figures, tables for LaTeX in %s/report/tables\n",
               r.n_fig, r.gnuplot ? "" : " (gnuplot is not installed)", words[0], words[0]);
        if (r.n_missing) printf("the study is not complete: the report lists what is missing\n");
        mlk_free(r.table);
        return MLK_OK;
    }
    mlk_free(r.table);
    json_t *j = NULL;
    snprintf(path, sizeof path, "%s/report/report.json", words[0]);
    MLK_TRY(mlk_json_read(path, &j, e));
    json_object_set_new(j, "report", json_string(r.html));
    json_t *state = NULL;
    mlk_err quiet = {0};
    if (!mlk_campaign_state(words[0], &state, &quiet)) json_object_set_new(j, "jobs", state);
    json_object_set_new(j, "report_pdf", *r.pdf ? json_string(r.pdf) : json_null());
    mlk_status s = mlk_json_write(j, "-", e);
    json_decref(j);
    return s;
}
