/* test_report.c - the report of an invented study whose comparison is known. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/stats.h"
#include "reports/csv.h"
#include "reports/report.h"
#include "tests/support/mkrun.h"

static char dir[64];

static void enter(void)
{
    strcpy(dir, "/tmp/mlk-report-XXXXXX");
    cr_assert(mkdtemp(dir) && chdir(dir) == 0);
    mlk_log_set_level(MLK_LOG_ERROR);
}

static void leave(void)
{
    char cmd[100];
    cr_assert_eq(chdir("/"), 0);
    snprintf(cmd, sizeof cmd, "/bin/rm -rf %s", dir);
    cr_assert_eq(system(cmd), 0);
}

TestSuite(report, .init = enter, .fini = leave);

static double near(double a, double b)
{
    return fabs(a - b);
}

static int count(const char *s, const char *what)
{
    int n = 0;
    for (const char *p = s; (p = strstr(p, what)); p += strlen(what)) n++;
    return n;
}

Test(report, complete_study_gives_the_known_comparison)
{
    mlk_err e = {0};
    mlk_report_result res = {0};
    json_t *j = NULL;
    mlk_test_mkrun("run", 1);
    cr_assert_eq(mlk_report_draw("run/", &res, &e), MLK_OK, "%s: %s", e.file, e.msg);
    cr_assert_eq(mlk_json_read("run/report/report.json", &j, &e), MLK_OK);
    const json_t *row = json_array_get(json_object_get(j, "results"), 1),
                 *a = json_object_get(row, "naive");
    cr_assert_eq(json_array_size(json_object_get(j, "results")), 3);
    cr_assert_eq(json_array_size(json_object_get(row, "models")), 3);
    /* equal errors s: Q = sum (x-mean)^2/s^2 = 2 * 0.5^2 / 0.05^2, tau^2 = 0.5^2 - s^2, spread
     * 1/1.5 */
    cr_assert_lt(near(mlk_json_get_real(a, "q", 0), 200), 1e-9);
    cr_assert_lt(near(mlk_json_get_real(a, "tau", 0), sqrt(0.25 - 0.0025)), 1e-9);
    cr_assert_lt(near(mlk_json_get_real(a, "spread", 0), 1 / 1.5), 1e-9);
    cr_assert_lt(mlk_json_get_real(a, "p_value", 1), 1e-30);
    const json_t *b = json_object_get(row, "corrected");
    cr_assert_lt(near(mlk_json_get_real(b, "q", 0), 0.0002 / 0.0025), 1e-9);
    cr_assert_eq(mlk_json_get_real(b, "tau", 1), 0);
    /* over three temperatures Q and the degrees of freedom add up */
    const json_t *all = json_object_get(json_object_get(j, "overall"), "corrected");
    cr_assert_lt(near(mlk_json_get_real(all, "p_value", 0), mlk_chi2_sf(3 * 0.08, 6)), 1e-9);
    cr_assert(json_is_true(json_object_get(j, "complete")) || res.n_missing == 1, "%s",
              json_dumps(json_object_get(j, "missing"), 0)); /* no dataset.h5 */
    const json_t *care = json_object_get(j, "doubtful");
    static const char *const doubts[] = {
        "nep-2: the mean temperature is off in 1 of 3 runs; worst: 2000 K instead of 900 K",
        "snap-1: atoms come nearer than in any training frame in 2 of 3 runs; worst: 0.875 of the "
        "shortest distance at 700 K",
        "snap-1: descriptors are far outside of the training data in 2 of 3 runs; worst: grade 3.5 "
        "at 900 K",
        "snap-1: covalent bonds of the start break in 1 of 3 runs; worst: 3 times (64 bonds) at "
        "900 K"};
    cr_assert_eq(json_array_size(care), 4);
    for (size_t k = 0; k < 4; k++)
        cr_assert_str_eq(json_string_value(json_array_get(care, k)), doubts[k]);
    const json_t *run = json_array_get(json_object_get(j, "md"), 8);
    cr_assert_eq(mlk_json_get_real(run, "bonds_broke", -1), 3);
    cr_assert_eq(mlk_json_get_real(run, "worst_grade", -1), 3.5);
    char *page = NULL;
    cr_assert_eq(mlk_file_slurp("run/report/report.html", &page, NULL, &e), MLK_OK);
    cr_assert(strstr(page, "<td><b>3.5</b></td><td><b>0.875</b></td><td><b>3</b></td>"));
    mlk_free(page);
    cr_assert(strstr(res.statement, "naive thermal conductivities of the models differ"));
    cr_assert(strstr(res.statement, "Onsager-corrected ones agree"));
    cr_assert(strstr(res.statement, "Of the 9 runs 3 are flagged (covalent bonds broken: 1, "
                                    "descriptors far outside of the training data: 2, atoms nearer "
                                    "than in training: 2, mean temperature off: 1)"),
              "%s", res.statement);
    /* the corrected values hardly vary with T: 0.8 at all three */
    const json_t *fits = json_object_get(j, "kappa_of_T"), *one;
    cr_assert_eq(json_array_size(json_object_get(fits, "fits")), 2);
    one = json_array_get(json_object_get(fits, "fits"), 0);
    cr_assert_lt(near(mlk_json_get_real(one, "B_W_mK", 0), 0.8), 1e-9);
    cr_assert_lt(near(mlk_json_get_real(one, "B_err", 0), 0.05 / 3), 1e-9);
    cr_assert_str_eq(mlk_json_get_str(one, "form", ""), "constant");
    cr_assert(strstr(res.table, "500  nep-1        1.000 ± 0.050      0.800 ± 0.050"), "%s",
              res.table);
    mlk_free(res.table);
    json_decref(j);
}

Test(report, page_is_self_contained_and_escaped)
{
    mlk_err e = {0};
    mlk_report_result res = {0};
    char *html = NULL;
    mlk_test_mkrun("run", 1);
    cr_assert_eq(mlk_report_draw("run", &res, &e), MLK_OK, "%s: %s", e.file, e.msg);
    cr_assert_eq(mlk_file_slurp(res.html, &html, NULL, &e), MLK_OK);
    cr_assert(!strstr(html, "src=") && !strstr(html, "url(http") && !strstr(html, "<link") &&
              !strstr(html, "fetch(") && !strstr(html, "XMLHttp"));
    cr_assert(strstr(html, "&lt;a&amp;b&gt;.xml") && !strstr(html, "<a&b>"));
    cr_assert(strstr(html, "mlkit train --model nep"));
    cr_assert(strstr(html, "0.300 ± 0.030</td>") && strstr(html, "−0.0800 ± 0.0080"), "parts");
    /* intervals of the two nep models; the least-squares family has none */
    cr_assert(strstr(html, "2 × nep") && strstr(html, "2.05 ± 0.10") &&
              strstr(html, "67.1 ± 2.1") &&
              strstr(html, "snap: a least-squares fit has one answer"));
    cr_assert(mlk_file_exists("run/report/figures/calibration.csv") &&
              mlk_file_exists("run/report/figures/calibration_quantiles.csv"));
    if (res.gnuplot) {
        /* every model's curves and rows can be switched off, every figure knows its panels */
        cr_assert(strstr(html, "<g data-model=2>") && strstr(html, "<tr data-model=2>") &&
                  strstr(html, "data-toggle=2") && strstr(html, ".off2 [data-model=\"2\"]"));
        cr_assert(strstr(html, "data-axes=\"[{&quot;px&quot;:[") &&
                  strstr(html, "&quot;at&quot;:[500,700,900]"));
        cr_assert(!strstr(html, "<title>fig_") &&
                  !mlk_file_exists("run/report/figures/kappa.axes"));
        /* what a curve is stands with the model's name; details are folded */
        cr_assert(strstr(html, "data-model=0 data-name=\"nep-1, Li\"") &&
                  strstr(html, "data-name=\"fit of the mean: constant\"") &&
                  strstr(html, "kin–conv|kin–vir|conv–vir"));
        cr_assert_eq(count(html, "<details>"), count(html, "</details>"));
        cr_assert(strstr(html, "<details><summary><h3 id=\"choices\">"));
        cr_assert_eq(res.n_fig, 16);
        cr_assert(strstr(html, "<svg") && strstr(html, "Figure 16."));
        cr_assert(mlk_file_exists("run/report/figures/kappa.svg") &&
                  mlk_file_exists("run/report/figures/calibration.svg"));
    }
    cr_assert(mlk_file_exists("run/report/figures/kappa.csv") &&
              mlk_file_exists("run/report/tables/kappa.tex") &&
              mlk_file_exists("run/report/tables/errors.csv") &&
              mlk_file_exists("run/report/methods.md"));
    mlk_free(html);
}

/* Every point is in the table; of many a fair sample is drawn, with the largest errors. */
Test(report, parity_draws_a_sample_and_keeps_outliers)
{
    enum { N = 20000 };
    mlk_err e = {0};
    mlk_csv all, drawn;
    setenv("PATH", "/nonexistent", 1);
    mlk_test_mkrun("run", 1);
    FILE *f = fopen("run/models/nep-1/parity_force.csv", "w");
    fprintf(f, "split,species,reference_eV_A,predicted_eV_A\n");
    for (int k = 0; k < N; k++) { /* sorted, so that a stride or a cut would show */
        double x = 4.0 * k / N - 2;
        fprintf(f, "valid,Li,%.6g,%.6g\n", x, x + (k == 777 ? -3 : 0.01 * sin(k)));
    }
    fclose(f);
    cr_assert_eq(mlk_report_draw("run", NULL, &e), MLK_OK, "%s: %s", e.file, e.msg);
    cr_assert_eq(mlk_csv_read(&all, "run/report/figures/parity.csv", &e), MLK_OK);
    cr_assert_eq(mlk_csv_read(&drawn, "run/report/figures/parity_drawn.csv", &e), MLK_OK);
    size_t n[2] = {0, 0};
    double sum[2] = {0, 0};
    bool outlier = false;
    for (int q = 0; q < 2; q++) {
        const mlk_csv *t = q ? &drawn : &all;
        for (size_t i = 0; i < t->n; i++) {
            if (strcmp(mlk_csv_text(t, i, 0), "nep-1") || strcmp(mlk_csv_text(t, i, 1), "force"))
                continue;
            double x = mlk_csv_num(t, i, 2), y = mlk_csv_num(t, i, 3);
            n[q]++, sum[q] += x;
            outlier |= q && fabs(y - x) > 2.9;
        }
    }
    cr_assert_eq(n[0], N);
    cr_assert_eq(n[1], 1000);
    cr_assert(outlier);
    /* the mean of 1000 of values of spread 1.15 has an error of 0.037 */
    cr_assert_lt(fabs(sum[1] / 1000 - sum[0] / N), 0.13);
    mlk_csv_free(&all), mlk_csv_free(&drawn);
}

/* Distribution functions are means over the replicas, with the standard error of that mean. */
Test(report, distribution_functions_have_errors_from_replicas)
{
    mlk_err e = {0};
    mlk_csv t;
    setenv("PATH", "/nonexistent", 1);
    mlk_test_mkrun("run", 1);
    cr_assert_eq(system("/bin/sed -i 's/replicas: \"1\"/replicas: \"2\"/' run/campaign.yaml && "
                        "/bin/cp -r run/md/snap-1/0500K/r1 run/md/nep-1/0500K/r2"),
                 0);
    cr_assert_eq(mlk_report_draw("run", NULL, &e), MLK_OK, "%s: %s", e.file, e.msg);
    cr_assert_eq(mlk_csv_read(&t, "run/report/figures/rdf.csv", &e), MLK_OK);
    int g = mlk_csv_col(&t, "g"), err = mlk_csv_col(&t, "g_err"), rep = mlk_csv_col(&t, "replicas");
    bool seen = false;
    for (size_t i = 0; i < t.n; i++) {
        bool two = !strcmp(mlk_csv_text(&t, i, 1), "nep-1") && mlk_csv_num(&t, i, 0) == 500;
        cr_assert_eq(mlk_csv_num(&t, i, rep), two ? 2 : 1);
        cr_assert_eq(isfinite(mlk_csv_num(&t, i, err)), two);
        if (!two || mlk_csv_num(&t, i, 3) < 7.9) continue;
        /* 1 and 1.04 */
        cr_assert_lt(near(mlk_csv_num(&t, i, g), 1.02), 1e-4);
        cr_assert_lt(near(mlk_csv_num(&t, i, err), 0.02), 1e-4);
        seen = true;
    }
    cr_assert(seen);
    mlk_csv_free(&t);
}

/* The headline of the four possible outcomes; the errors of all values are equal. */
Test(report, statement_says_what_is_shown_and_what_is_not)
{
    static const struct {
        double naive[3], corrected[3], err;
        const char *has[3], *has_not;
    } cases[] = {
        {{1.0, 1.5, 2.0},
         {0.80, 0.81, 0.79},
         0.02,
         {"models differ (p < 0.0001) but the Onsager-corrected ones agree",
          "could still hide a scatter τ", "(95 % limit)."},
         "may agree only because"},
        {{1.0, 1.2, 1.3},
         {0.80, 0.95, 0.75},
         0.25,
         {"and the Onsager-corrected ones agree", "Neither shows scatter",
          "does not show in this comparison"},
         "reduced"},
        {{1.0, 1.5, 2.0},
         {0.5, 0.9, 0.7},
         0.34,
         {"models differ", "they may agree only because their errors are large",
          "a reduction is not shown"},
         "still differ"},
        {{1.0, 1.5, 2.0},
         {0.7, 0.8, 0.9},
         0.02,
         {"models differ (p < 0.0001) and the Onsager-corrected ones still differ",
          "reduced by a factor of 5.1", "a difference of the models themselves"},
         "hide"},
        {{1.0, 1.5, 2.0}, /* the same scatter */
         {1.0, 1.5, 2.0},
         0.02,
         {"0.50 W/m/K naive and 0.50 W/m/K corrected: practically the same.", "still differ",
          "a difference of the models themselves"},
         "reduced"},
        {{0.4, 0.6, 0.5}, /* errors as large as the values: a limit of several times the mean */
         {0.4, 0.6, 0.5},
         2,
         {"Neither shows scatter", "% of their mean", "does not show in this comparison"},
         "e+0"},
        {{1.0, 1.01, 1.02},
         {0.7, 0.8, 0.9},
         0.02,
         {"agree within their errors", "but the Onsager-corrected ones differ",
          "no reduction is seen"},
         "still hide"},
    };
    setenv("PATH", "/nonexistent", 1);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        mlk_err e = {0};
        mlk_report_result res = {0};
        char run[16];
        snprintf(run, sizeof run, "run%zu", k);
        mlk_test_mkrun_values(run, cases[k].naive, cases[k].corrected, cases[k].err);
        cr_assert_eq(mlk_report_draw(run, &res, &e), MLK_OK, "%s: %s", e.file, e.msg);
        for (int q = 0; q < 3; q++)
            cr_assert(strstr(res.statement, cases[k].has[q]), "case %zu, %s: %s", k,
                      cases[k].has[q], res.statement);
        cr_assert(!strstr(res.statement, cases[k].has_not), "case %zu: %s", k, res.statement);
        mlk_free(res.table);
    }
}

/* Failed jobs are named; one that succeeded later is not. */
Test(report, failed_jobs_are_at_the_head)
{
    mlk_err e = {0};
    mlk_report_result res = {0};
    char *html = NULL;
    setenv("PATH", "/nonexistent", 1);
    mlk_test_mkrun("run", 1);
    cr_assert_eq(mlk_file_write_text("run/journal.jsonl",
                                     "{\"event\":\"failed\",\"job\":\"train/nep-1\"}\n"
                                     "{\"event\":\"done\",\"job\":\"train/nep-1\"}\n"
                                     "{\"event\":\"start\",\"job\":\"md/snap-1/0900K/r1\"}\n"
                                     "{\"event\":\"failed\",\"job\":\"md/snap-1/0900K/r1\"}\n",
                                     &e),
                 MLK_OK);
    cr_assert_eq(mlk_report_draw("run", &res, &e), MLK_OK, "%s: %s", e.file, e.msg);
    cr_assert(strstr(res.statement, " 1 job failed."), "%s", res.statement);
    cr_assert_eq(mlk_file_slurp(res.html, &html, NULL, &e), MLK_OK);
    cr_assert(strstr(html, "<li>md/snap-1/0900K/r1 failed; its log says why") &&
              !strstr(html, "train/nep-1 failed"));
    mlk_free(html), mlk_free(res.table);
}

/* Braces balance, environments close, nothing special is left bare, every citation has its entry.
 */
Test(report, latex_is_well_formed)
{
    static const char *const file[] = {
        "tables/kappa.tex",  "tables/agreement.tex", "tables/kappa_of_T.tex",
        "tables/errors.tex", "tables/md.tex",        "tables/intervals.tex",
        "tables/parts.tex",  "methods.tex",          "references.bib"};
    mlk_err e = {0};
    mlk_report_result res = {0};
    char *bib = NULL, *tex = NULL, path[200], key[60];
    mlk_test_mkrun("run", 1);
    setenv("PATH", "/nonexistent", 1);
    cr_assert_eq(system("/bin/sed -i 's/name: nep-1/name: nep_1%/' run/campaign.yaml && /bin/mv "
                        "run/transport/nep-1 run/transport/nep_1%"),
                 0);
    cr_assert_eq(mlk_report_draw("run", &res, &e), MLK_OK, "%s: %s", e.file, e.msg);
    mlk_free(res.table);
    for (size_t k = 0; k < sizeof file / sizeof *file; k++) {
        snprintf(path, sizeof path, "run/report/%s", file[k]);
        cr_assert_eq(mlk_file_slurp(path, &tex, NULL, &e), MLK_OK, "%s", path);
        cr_assert_eq(count(tex, "{"), count(tex, "}"), "%s: braces", path);
        cr_assert_eq(count(tex, "\\begin{"), count(tex, "\\end{"), "%s: environments", path);
        cr_assert_eq(count(tex, "$") % 2, 0, "%s: math", path);
        bool math = false;
        for (const char *p = strchr(tex, '\n'); p && *p && k < 8; p++) { /* the comment is first */
            math ^= *p == '$';
            bool bare = (*p == '_' && !math) || *p == '%' || *p == '#';
            cr_assert(!bare || p[-1] == '\\', "%s: bare %c at %.30s", path, *p, p);
            cr_assert((unsigned char)*p < 128, "%s: not ASCII at %.30s", path, p);
        }
        mlk_free(tex);
    }
    cr_assert_eq(mlk_file_slurp("run/report/references.bib", &bib, NULL, &e), MLK_OK);
    cr_assert_eq(mlk_file_slurp("run/report/methods.tex", &tex, NULL, &e), MLK_OK);
    int cited = 0;
    for (char *p = tex; (p = strstr(p, "\\cite{"));) {
        p += strlen("\\cite{");
        for (bool last = false; !last; cited++) {
            size_t n = strcspn(p, ",}");
            snprintf(key, sizeof key, "@article{%.*s,", (int)n, p);
            cr_assert_eq(count(bib, key), 1, "%s", key);
            last = p[n] == '}', p += n + 1;
        }
    }
    cr_assert(cited >= 12 && count(bib, "@article{") >= cited);
    cr_assert(strstr(bib, "author = {G. Bussi and D. Donadio and M. Parrinello}") &&
              strstr(bib, "journal = {J. Chem. Phys.}") && strstr(bib, "volume = {126}") &&
              strstr(bib, "pages = {014101}") && strstr(bib, "year = {2007}") &&
              strstr(bib, "author = {K. Song and others}"));
    cr_assert_eq(count(bib, "\n  title = {"), count(bib, "@article{"));
    mlk_free(bib), mlk_free(tex);
}

/* The PDF has several pages, and the figures are no pictures in it. */
Test(report, pdf_has_pages_of_text_and_vectors)
{
    mlk_err e = {0};
    mlk_report_result res = {0};
    char *pdf = NULL;
    size_t n = 0;
    mlk_test_mkrun("run", 1);
    cr_assert_eq(mlk_report_draw("run", &res, &e), MLK_OK, "%s: %s", e.file, e.msg);
    cr_assert_str_eq(res.pdf, "run/report/report.pdf");
    cr_assert_eq(mlk_file_slurp(res.pdf, &pdf, &n, &e), MLK_OK);
    int pages = 0, images = 0, fonts = 0, links = 0;
    for (size_t k = 0; k + 20 < n; k++) {
        pages += !memcmp(pdf + k, "/Type /Page ", 12),
            images += !memcmp(pdf + k, "/Subtype /Image", 15);
        fonts += !memcmp(pdf + k, "/FontFile", 9);
        links += !memcmp(pdf + k, "(https://doi.org/10.", 20);
    }
    cr_assert(!memcmp(pdf, "%PDF-", 5) && images == 0 && fonts > 0, "%d images, %d fonts", images,
              fonts);
    cr_assert_geq(links, 12);
    cr_assert(res.gnuplot ? pages >= 8 : pages >= 3, "%d pages", pages);
    mlk_free(pdf), mlk_free(res.table);
}

Test(report, without_gnuplot_tables_are_written)
{
    mlk_err e = {0};
    mlk_report_result res = {0};
    char *html = NULL;
    mlk_test_mkrun("run", 1);
    setenv("PATH", "/nonexistent", 1);
    cr_assert_eq(mlk_report_draw("run", &res, &e), MLK_OK, "%s: %s", e.file, e.msg);
    cr_assert(!res.gnuplot && res.n_fig == 0);
    cr_assert_eq(mlk_file_slurp(res.html, &html, NULL, &e), MLK_OK);
    cr_assert(strstr(html, "gnuplot was not found") && strstr(html, "0.800 ± 0.050"));
    cr_assert(mlk_file_exists("run/report/tables/kappa.csv") &&
              mlk_file_exists("run/report/figures/kappa.gp"));
    mlk_free(html);
}

Test(report, unfinished_study_says_what_is_missing)
{
    mlk_err e = {0};
    mlk_report_result res = {0};
    char *html = NULL;
    mlk_test_mkrun("run", 0);
    setenv("PATH", "/nonexistent", 1); /* figures are not the point: no gnuplot, for speed */
    cr_assert_eq(mlk_report_draw("run", &res, &e), MLK_OK, "%s: %s", e.file, e.msg);
    cr_assert_eq(mlk_file_slurp(res.html, &html, NULL, &e), MLK_OK);
    cr_assert(strstr(html, "model snap-1: not fitted yet") &&
              strstr(html, "6 of 9 runs are complete") &&
              strstr(html, "nep: no committee has been judged yet"));
    mlk_free(html);
    /* nothing at all yet but the plan */
    cr_assert_eq(system("/bin/rm -r run/models run/md run/transport run/journal.jsonl run/report"),
                 0);
    cr_assert_eq(mlk_report_draw("run", &res, &e), MLK_OK, "%s: %s", e.file, e.msg);
    cr_assert(strstr(res.statement, "nothing can be compared"));
}

Test(report, bad_folders_are_named)
{
    mlk_err e = {0};
    setenv("PATH", "/nonexistent", 1);
    cr_assert_eq(mlk_report_draw("nowhere", NULL, &e), MLK_EIO);
    cr_assert(strstr(e.file, "nowhere"));
    e = (mlk_err){0};
    cr_assert_eq(mlk_report_draw(".", NULL, &e), MLK_EIO);
    cr_assert(strstr(e.msg, "campaign.yaml") && *e.hint);
    mlk_test_mkrun("run", 1);
    static const struct {
        const char *file, *text, *line;
    } bad[] = {
        {"run/models/nep-1/loss.csv", "epoch,wall_s\n1,2\n3\n", ":3"},
        {"run/committee/nep/committee_bins.csv", "quantity,unit\nforce\n", ":2"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        char *keep = NULL, place[600];
        e = (mlk_err){0};
        cr_assert_eq(mlk_file_slurp(bad[k].file, &keep, NULL, &e), MLK_OK);
        cr_assert_eq(mlk_file_write_text(bad[k].file, bad[k].text, &e), MLK_OK);
        cr_assert_eq(mlk_report_draw("run", NULL, &e), MLK_EFORMAT, "%s was accepted", bad[k].file);
        snprintf(place, sizeof place, "%s:%ld", e.file, e.line);
        cr_assert(strstr(place, bad[k].file) && strstr(place, bad[k].line), "%s", place);
        e = (mlk_err){0};
        cr_assert_eq(mlk_file_write_text(bad[k].file, keep, &e), MLK_OK);
        mlk_free(keep);
    }
    /* a trajectory that cannot be opened is listed, not fatal: it may be in the making */
    mlk_report_result res = {0};
    e = (mlk_err){0};
    cr_assert_eq(mlk_file_write_text("run/md/nep-1/0500K/r1/run.h5", "not HDF5", &e), MLK_OK);
    cr_assert_eq(mlk_report_draw("run", &res, &e), MLK_OK, "%s: %s", e.file, e.msg);
    cr_assert_gt(res.n_missing, 1);
    /* nor are damaged results */
    size_t before = res.n_missing;
    mlk_free(res.table);
    cr_assert_eq(mlk_file_write_text("run/models/nep-2/train.json", "{", &e), MLK_OK);
    cr_assert_eq(mlk_file_write_text("run/committee/nep/committee.json", "{\n,", &e), MLK_OK);
    cr_assert_eq(mlk_file_write_text("run/transport/nep-1/0700K.json", "{\"a\": 1,\n oops}", &e),
                 MLK_OK);
    cr_assert_eq(mlk_report_draw("run", &res, &e), MLK_OK, "%s: %s", e.file, e.msg);
    cr_assert_gt(res.n_missing, before + 2);
    static const char *const yaml[] = {"a: [1", "version: 1\n",
                                       "temperatures: [x]\nmodels: [{name: a}]\n",
                                       "temperatures: [500]\nmodels: [{type: a}]\n"};
    for (size_t k = 0; k < sizeof yaml / sizeof *yaml; k++) {
        e = (mlk_err){0};
        cr_assert_eq(mlk_file_write_text("run/campaign.yaml", yaml[k], &e), MLK_OK);
        cr_assert_eq(mlk_report_draw("run", NULL, &e), MLK_EFORMAT, "%s", yaml[k]);
        cr_assert(strstr(e.file, "campaign.yaml") && e.line > 0);
    }
}

Test(report, numbers_for_people)
{
    char buf[64];
    cr_assert_str_eq(mlk_pm(1.23456, 0.0456, buf), "1.235 ± 0.046");
    cr_assert_str_eq(mlk_pm(123.456, 12.3, buf), "123 ± 12");
    cr_assert_str_eq(mlk_pm(0.5, NAN, buf), "0.5");
    cr_assert_str_eq(mlk_pm(NAN, 1, buf), "–");
    /* two digits, also of errors that round up to the next power of ten or are large */
    cr_assert_str_eq(mlk_pm(0.51234, 0.0996, buf), "0.51 ± 0.10");
    cr_assert_str_eq(mlk_pm(381.2, 107.4, buf), "380 ± 110");
    cr_assert_str_eq(mlk_pm(-1234.5, 996, buf), "-1200 ± 1000");
    cr_assert_str_eq(mlk_pm(40, 107, buf), "40 ± 110");
    cr_assert_str_eq(mlk_pm(3.21e-9, 4.56e-10, buf), "0.00000000321 ± 0.00000000046");
    cr_assert_str_eq(mlk_pm(-0.0003, 0.018, buf), "0.000 ± 0.018");
    cr_assert_str_eq(mlk_pm(-0.0007, 0.018, buf), "-0.001 ± 0.018");
    cr_assert_str_eq(mlk_sig(0.2, 3, buf), "0.200");
    cr_assert_str_eq(mlk_sig(79.96, 3, buf), "80.0");
    cr_assert_str_eq(mlk_sig(734.2, 2, buf), "734");
    cr_assert_str_eq(mlk_sig(-0.0996, 2, buf), "-0.10");
    cr_assert_str_eq(mlk_sig(0, 2, buf), "0");
    cr_assert_str_eq(mlk_sig(8.1e-9, 2, buf), "8.1e-09");
    cr_assert_str_eq(mlk_sig(NAN, 2, buf), "–");
    cr_assert_str_eq(mlk_pvalue(0.31, buf), "0.31");
    cr_assert_str_eq(mlk_pvalue(0.0042, buf), "0.004");
    cr_assert_str_eq(mlk_pvalue(1e-9, buf), "< 0.0001");
    cr_assert_str_eq(mlk_kelvin(650, buf), "0650K");
    cr_assert_str_eq(mlk_kelvin(412.5, buf), "0412.5K");
}

Test(report, panels_are_of_temperatures_with_data)
{
    static mlk_report r;
    mlk_report_md md[4] = {
        {.temp = 1, .n = 9}, {.temp = 3, .n = 9}, {.temp = 4, .n = 9}, {.temp = 0}};
    int idx[3];
    r.n_temp = 6, r.md = md, r.n_md = 4;
    cr_assert_eq(mlk_report_panels(&r, idx), 3);
    cr_expect(idx[0] == 1 && idx[1] == 3 && idx[2] == 4);
    md[3] = (mlk_report_md){.temp = 2, .n = 9}; /* four: first, second, last */
    cr_assert_eq(mlk_report_panels(&r, idx), 3);
    cr_expect(idx[0] == 1 && idx[1] == 2 && idx[2] == 4);
    r.n_md = 0;
    cr_expect_eq(mlk_report_panels(&r, idx), 0);
}

static char *slurp(const char *path)
{
    mlk_err e = {0};
    char *text = NULL;
    cr_assert_eq(mlk_file_slurp(path, &text, NULL, &e), MLK_OK, "%s: %s", path, e.msg);
    return text;
}

static void draw(const char *run)
{
    mlk_err e = {0};
    cr_assert_eq(mlk_report_draw(run, NULL, &e), MLK_OK, "%s: %s", e.file, e.msg);
}

/* Ready models are no seeds of each other, were not fitted, and have no table of errors without
 * data; nothing is cited that was not used. */
Test(report, ready_models_are_not_fits)
{
    mlk_test_mkrun("run", 1);
    setenv("PATH", "/nonexistent", 1);
    cr_assert_eq(system("/bin/sed -i 's|seed: [0-9]*, run_ps|ready: \"/m/x.txt\", run_ps|' "
                        "run/campaign.yaml && /bin/rm -r run/committee && /bin/mkdir -p "
                        "run/validate/nep-1 && /bin/cp run/models/nep-1/loss.csv run/validate"),
                 0);
    draw("run");
    char *page = slurp("run/report/report.html"), *tex = slurp("run/report/methods.tex"),
         *bib = slurp("run/report/references.bib"), *csv = slurp("run/report/figures/learning.csv");
    cr_assert(!strstr(page, "committee") && !strstr(page, "Prediction intervals"));
    cr_assert(!strstr(page, "Errors of the fits") &&
              strstr(page, "nep-1: a ready model (/m/x.txt)"));
    cr_assert(strstr(page, "<td class=l>ready model, /m/x.txt</td>") && !strstr(page, "seed 0"));
    cr_assert_eq(count(csv, "\n"), 1, "%s", csv);
    cr_assert(!strstr(tex, "Bernetti") && !strstr(bib, "Bernetti") && strstr(bib, "Viechtbauer"));
    cr_assert(strstr(page, "mlkit benchmark -c run/campaign.yaml -o ANOTHER"));
    mlk_free(page), mlk_free(tex), mlk_free(bib), mlk_free(csv);
    /* with errors on data there is a row of the table, but still no learning curve */
    cr_assert_eq(system("echo '{\"force_rmse_meV_A\": 80.04}' >run/validate/nep-1/errors.json"), 0);
    draw("run");
    page = slurp("run/report/report.html"), csv = slurp("run/report/figures/learning.csv");
    cr_assert(strstr(page, "<td>80.0</td>"));
    cr_assert_eq(count(csv, "\n"), 1, "%s", csv);
    mlk_free(page), mlk_free(csv);
}

/* Two fits of one family with other settings are no committee, and the text names the settings. */
Test(report, settings_of_fits_are_named)
{
    mlk_test_mkrun("run", 1);
    setenv("PATH", "/nonexistent", 1);
    cr_assert_eq(system("/bin/sed -i 's/name: nep-2, type: nep, seed: 2/name: nep-2, type: nep, "
                        "seed: 1, settings: \"neuron=5\"/' run/campaign.yaml && /bin/rm -r "
                        "run/committee"),
                 0);
    draw("run");
    char *page = slurp("run/report/report.html"), *md = slurp("run/report/methods.md");
    cr_assert(strstr(page, "nep: one model gives no spread") &&
              !strstr(page, "no committee has been judged yet"));
    cr_assert(strstr(page, "<td class=l>seed 1, neuron=5</td>"));
    cr_assert(strstr(md, "; settings other than the defaults: nep-2 neuron=5."));
    mlk_free(page), mlk_free(md);
}

/* What was planned is not what was done: runs that failed, frames held out in blocks. */
Test(report, methods_say_what_was_done)
{
    mlk_test_mkrun("run", 1);
    setenv("PATH", "/nonexistent", 1);
    cr_assert_eq(system("/bin/rm run/md/nep-1/0900K/r1/run.h5"), 0);
    draw("run");
    char *md = slurp("run/report/methods.md");
    cr_assert(strstr(md, "; of these 9 runs 8 came to their end."), "%s", md);
    cr_assert(strstr(md, "resampled to a Nyquist frequency f* of "), "%s", md);
    mlk_free(md);
}

/* One model: nothing to compare, now or later, and no empty tables. */
Test(report, one_model_has_no_comparison)
{
    mlk_test_mkrun("run", 1);
    setenv("PATH", "/nonexistent", 1);
    cr_assert_eq(system("/bin/sed -i '/name: nep-2/d; /name: snap-1/d' run/campaign.yaml"), 0);
    draw("run");
    char *page = slurp("run/report/report.html"), *bib = slurp("run/report/references.bib");
    cr_assert(strstr(page, "The study has one model: nothing can be compared.") &&
              !strstr(page, "not yet two models"));
    cr_assert(strstr(page, ">1 model · ") && !strstr(page, "Do the models agree?"));
    cr_assert(!strstr(bib, "DerSimonian") && !strstr(page, "Cochran"));
    mlk_free(page), mlk_free(bib);
}

/* Every number of the LaTeX tables has the digits it is known to. */
Test(report, latex_keeps_zeros_and_cuts_small_p)
{
    mlk_test_mkrun("run", 1);
    setenv("PATH", "/nonexistent", 1);
    draw("run");
    char *errors = slurp("run/report/tables/errors.tex"),
         *agree = slurp("run/report/tables/agreement.tex"),
         *csv = slurp("run/report/tables/agreement.csv");
    cr_assert(strstr(errors, "$1.00$ & $50.0$ & $0.100$ & $1.50$ & $60.0$ & $0.120$"), "%s",
              errors);
    cr_assert(strstr(errors, "$F$ valid\\\\(meV/\\AA)"));
    cr_assert(strstr(agree, "$0.50$ ($<") && strstr(agree, "& $<0.0001$ &"), "%s", agree);
    cr_assert(strstr(csv, "e-4"), "all digits of p in the CSV: %s", csv);
    mlk_free(errors), mlk_free(agree), mlk_free(csv);
}

/* Names of 40 letters: the legend takes several lines and stays on the figure. */
Test(report, long_names_stay_on_the_figure)
{
    static const char name[] = "a_model_with_a_name_as_long_as_they_come";
    mlk_test_mkrun("run", 1);
    setenv("PATH", "/nonexistent", 1);
    char cmd[900];
    snprintf(cmd, sizeof cmd,
             "/bin/sed -i 's/name: \\(nep\\|snap\\)-/name: %s/' run/campaign.yaml && for d in "
             "transport md; do /bin/mv run/$d/nep-1 run/$d/%s1 && /bin/mv run/$d/nep-2 run/$d/%s2; "
             "done",
             name, name, name);
    cr_assert_eq(system(cmd), 0);
    draw("run");
    static const char *const file[] = {"kappa", "gauge", "theta"};
    for (size_t k = 0; k < 3; k++) {
        char path[100];
        snprintf(path, sizeof path, "run/report/figures/%s.gp", file[k]);
        char *gp = slurp(path);
        double last = 2, x, y;
        int lines = 0, width, height;
        cr_assert_eq(
            sscanf(strstr(gp, "terminal svg enhanced size ") + 27, "%d,%d", &width, &height), 2);
        for (const char *p = gp; (p = strstr(p, "set label 10")); p++) {
            const char *at = strstr(p, " at screen ");
            cr_assert(at && sscanf(at + 11, "%lf,%lf", &x, &y) == 2);
            cr_assert(x > 0 && x + 7.6 * sizeof name / width < 1 && y > 0.8, "%s: %g, %g", path, x,
                      y);
            lines += y < last - 1e-6, last = y;
        }
        cr_assert_eq(lines, k == 2 ? 3 : 2, "%s: %d", path, lines);
        mlk_free(gp);
    }
}

/* gnuplot divides integers as integers: tics of an integral of 0.7 or 1.5 ps. */
Test(report, short_integrals_have_their_figure)
{
    static const double last[] = {0.7, 1.5, 4, 15};
    for (size_t k = 0; k < sizeof last / sizeof *last; k++) {
        mlk_err e = {0};
        char dir_k[16];
        size_t n = 0;
        json_t *j = json_pack(
            "{s:f,s:f,s:f,s:f,s:f,s:{s:{s:[f,f],s:[f,f],s:[f,f],s:[f,f],s:[f,f]}}}",
            "temperature_K", 500.0, "kappa_naive", 1.0, "kappa_naive_err", 0.1, "kappa", 0.5,
            "kappa_err", 0.1, "curves", "green_kubo", "t_ps", 0.0, last[k], "kappa_naive", 0.0, 1.0,
            "kappa_naive_err", 0.1, 0.1, "kappa", 0.0, 0.5, "kappa_err", 0.1, 0.1);
        snprintf(dir_k, sizeof dir_k, "f%zu", k);
        cr_assert_eq(mlk_report_one(j, "a", dir_k, false, &n, &e), MLK_OK, "%s", e.msg);
        cr_assert(n == 0 || n == 2, "%zu figures with an integral of %g ps", n, last[k]);
        json_decref(j);
    }
}
