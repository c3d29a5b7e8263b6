/* html.c - report.html: one file, no network, figures inline. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "potentials/potential.h"
#include "reports/report.h"
#include "version.h"

static void esc(FILE *f, const char *s)
{
    for (; *s; s++) {
        switch (*s) {
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
            fputc(*s, f);
        }
    }
}

static void cell(FILE *f, const char *text, bool left)
{
    bool minus = text[0] == '-' && text[1] >= '0' && text[1] <= '9';
    fprintf(f, "%s%s", left ? "<td class=l>" : "<td>", minus ? "−" : "");
    esc(f, text + minus);
    fputs("</td>", f);
}

static void cell_num(FILE *f, double v, int digits)
{
    char buf[64] = "–";
    if (isfinite(v)) snprintf(buf, sizeof buf, "%.*g", digits, v);
    /* no powers of ten in a table for people */
    if (isfinite(v) && strchr(buf, 'e') && fabs(v) < 1e9 && fabs(v) >= 1)
        snprintf(buf, sizeof buf, "%.0f", v);
    cell(f, buf, false);
}

static void cell_flag(FILE *f, double v, int digits, bool flag)
{
    char buf[64];
    if (!flag || !isfinite(v)) {
        cell_num(f, v, digits);
        return;
    }
    snprintf(buf, sizeof buf, "%.*g", digits, v);
    fprintf(f, "<td><b>%s%s</b></td>", v < 0 ? "−" : "", buf + (v < 0));
}

static void cell_pm(FILE *f, double v, double err)
{
    char buf[64];
    cell(f, mlk_pm(v, err, buf), false);
}

static void cell_p(FILE *f, double p)
{
    char buf[32];
    cell(f, mlk_pvalue(p, buf), false);
}

/* "2.3", "> all", "–": a reduction factor for people */
static void cell_reduction(FILE *f, double v)
{
    if (isinf(v))
        cell(f, "to zero", false);
    else
        cell_num(f, v, 2);
}

/* in the order of the page */
static const char *const order[] = {
    "kappa",    "agreement", "gauge",      "learning", "parity",        "calibration", "traces",
    "rdf",      "msd",       "diffusion",  "theta",    "spectrum_full", "spectrum",    "pstar",
    "cepstrum", "fstar",     "green_kubo", "parts",    "convergence"};
enum { N_ORDER = sizeof order / sizeof *order };

static const mlk_report_fig *drawn(const mlk_report *r, const char *name)
{
    for (size_t k = 0; k < r->n_fig; k++)
        if (!strcmp(r->fig[k].name, name)) return &r->fig[k];
    return NULL;
}

/* The SVG of a figure without its XML prologue; nothing when it was not drawn. */
static mlk_status figure(const mlk_report *r, FILE *f, const char *name, mlk_err *e)
{
    const mlk_report_fig *fig = drawn(r, name);
    char path[1300], file[64], *svg = NULL;
    int number = 1;
    if (!fig) return MLK_OK;
    for (size_t k = 0; k < N_ORDER && strcmp(order[k], name); k++)
        number += drawn(r, order[k]) != NULL;
    snprintf(file, sizeof file, "%s.svg", name);
    MLK_TRY(mlk_file_slurp(mlk_path_join(path, sizeof path, r->figdir, file), &svg, NULL, e));
    const char *body = strstr(svg, "<svg");
    fprintf(f, "<figure id=\"%s\"><div class=\"plot%s\">%s</div><figcaption><b>Figure %d. ", name,
            !strcmp(name, "theta") ? " narrow" : "", body ? body : "", number);
    mlk_free(svg);
    esc(f, fig->title);
    fputs(strchr(fig->title, '?') ? "</b> " : ".</b> ", f);
    esc(f, fig->caption);
    fprintf(f, " <a href=\"figures/%s.svg\">SVG</a>", name);
    if (r->pdf) fprintf(f, " <a href=\"figures/%s.pdf\">PDF</a>", name);
    fprintf(f, " <a href=\"figures/%s.csv\">CSV</a></figcaption></figure>\n", name);
    return MLK_OK;
}

static void head(const mlk_report *r, FILE *f)
{
    fputs("<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n"
          "<meta name=viewport content=\"width=device-width,initial-scale=1\">\n<title>Thermal "
          "conductivity: ",
          f);
    esc(f, mlk_path_base(r->run));
    fprintf(f,
            "</title>\n<style>%s</style></head><body>\n<header><div><h1>Thermal conductivity with "
            "and without "
            "mass-flux correction</h1>\n<p class=sub>",
            mlk_report_css);
    if (r->data.there) esc(f, r->data.species), fputs(" · ", f);
    fprintf(f, "%d models · %d temperatures, %.4g–%.4g K · study <code>", r->n_model, r->n_temp,
            r->temp[0], r->temp[r->n_temp - 1]);
    esc(f, mlk_path_base(r->run));
    fputs("</code> · mlkit ", f);
    esc(f, MLK_VERSION);
    fputs("</p><nav><a href=\"#result\">1 Result</a><a href=\"#gauge-sec\">2 Gauge</a><a "
          "href=\"#models\">3 Models</a>"
          "<a href=\"#md\">4 Molecular dynamics</a><a href=\"#transport\">5 Transport</a>"
          "<a href=\"#repro\">6 Reproducibility</a></nav></div></header>\n<main>\n",
          f);
}

static void missing(const mlk_report *r, FILE *f)
{
    if (!r->gnuplot)
        fputs("<div class=missing><b>No figures:</b> the program gnuplot was not found. Install it "
              "(Debian: "
              "gnuplot-nox) and run <code>mlkit report</code> again; tables and numbers are "
              "complete.</div>\n",
              f);
    if (!r->n_missing) return;
    fputs("<div class=missing><b>This study is not complete.</b> Missing so far:<ul>", f);
    for (size_t k = 0; k < r->n_missing; k++) {
        fputs("<li>", f);
        esc(f, r->missing[k]);
        fputs("</li>", f);
    }
    fputs("</ul></div>\n", f);
}

static void doubtful(const mlk_report *r, FILE *f)
{
    if (!r->n_care) return;
    fputs("<div class=missing><b>Read with care:</b> these runs were not what they stand for, and "
          "their thermal "
          "conductivities enter the comparison all the same.<ul>",
          f);
    for (size_t k = 0; k < r->n_care; k++) {
        fputs("<li>", f);
        esc(f, r->care[k]);
        fputs("</li>", f);
    }
    fputs("</ul></div>\n", f);
}

static void cards(const mlk_report *r, FILE *f)
{
    char p[32];
    if (!isfinite(r->all.p)) return;
    double red = r->all.tau_naive / r->all.tau;
    fputs("<div class=cards><div class=card><b>", f);
    if (isinf(red))
        fputs("to zero", f);
    else if (isfinite(red))
        fprintf(f, "%.2g×", red);
    else
        fputs("–", f);
    fputs("</b><span>reduction of the scatter between models, τ<sub>naive</sub>/τ</span></div><div "
          "class=card><b>",
          f);
    esc(f, mlk_pvalue(r->all.p_naive, p));
    fputs("</b><span>p-value, naive: models ", f);
    fputs(r->all.p_naive < 0.05 ? "differ" : "agree within errors", f);
    fputs("</span></div><div class=card><b>", f);
    esc(f, mlk_pvalue(r->all.p, p));
    fputs("</b><span>p-value, corrected: models ", f);
    fputs(r->all.p < 0.05 ? "differ" : "agree within errors", f);
    fprintf(f,
            "</span></div><div class=card><b>%.2g → %.2g</b><span>standard deviation between "
            "models, naive → "
            "corrected (W/m/K)</span></div></div>\n",
            r->all.sd_naive, r->all.sd);
}

static mlk_status result(const mlk_report *r, FILE *f, mlk_err *e)
{
    fputs("<h2 id=result>1 Result</h2>\n<p class=verdict>", f);
    esc(f, r->statement);
    fputs("</p>\n", f);
    doubtful(r, f);
    cards(r, f);
    MLK_TRY(figure(r, f, "kappa", e));
    fputs("<p class=cap>Thermal conductivity in W/m/K, ± one standard error. Θ: share of the naive "
          "value removed by the correction. σ: ionic conductivity.</p><div "
          "class=scroll><table><thead><tr><th>T (K)</th><th class=l>model</th>"
          "<th>κ naive</th><th>κ corrected</th><th>Θ</th><th>σ (S/m)</th><th "
          "class=l>mobile</th></tr></thead><tbody>\n",
          f);
    for (int t = 0; t < r->n_temp; t++) {
        bool first = true;
        for (int m = 0; m < r->n_model; m++) {
            const json_t *j = mlk_report_at(r, m, t), *mob = json_object_get(j, "mobile");
            char list[120] = "";
            if (!j) continue;
            for (size_t k = 0; k < json_array_size(mob); k++) {
                const char *s = json_string_value(json_array_get(mob, k));
                snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", k ? ", " : "",
                         s ? s : "?");
            }
            fputs(first ? "<tr class=first>" : "<tr>", f);
            if (first)
                cell_num(f, r->temp[t], 5);
            else
                cell(f, "", false);
            cell(f, r->model[m].name, true);
            cell_pm(f, mlk_json_get_real(j, "kappa_naive", NAN),
                    mlk_json_get_real(j, "kappa_naive_err", NAN));
            cell_pm(f, mlk_json_get_real(j, "kappa", NAN), mlk_json_get_real(j, "kappa_err", NAN));
            cell_pm(f, mlk_json_get_real(j, "theta", NAN), mlk_json_get_real(j, "theta_err", NAN));
            cell_pm(f, mlk_json_get_real(j, "sigma_S_m", NAN),
                    mlk_json_get_real(j, "sigma_err", NAN));
            cell(f, *list ? list : "none", true);
            fputs("</tr>\n", f);
            first = false;
        }
    }
    fputs("</tbody></table></div>\n", f);
    MLK_TRY(figure(r, f, "agreement", e));
    fputs("<p class=cap>Agreement of the models. Mean weighted by 1/error²; p: chance of such "
          "differences if all models had the same κ; τ: scatter beyond the error bars (W/m/K); "
          "spread: (max − min)/mean."
          "</p><div class=scroll><table><thead><tr><th rowspan=2>T (K)</th><th "
          "rowspan=2>models</th><th colspan=4>naive</th><th colspan=4>corrected</th>"
          "<th rowspan=2>τ<sub>naive</sub>/τ</th></tr><tr><th>mean "
          "κ</th><th>p</th><th>τ</th><th>spread</th>"
          "<th>mean κ</th><th>p</th><th>τ</th><th>spread</th></tr></thead><tbody>\n",
          f);
    for (int t = 0; t < r->n_temp; t++) {
        const mlk_comparison *a = &r->row[t].naive, *b = &r->row[t].corrected;
        if (a->n < 2 || b->n < 2) continue;
        fputs("<tr>", f);
        cell_num(f, r->temp[t], 5), cell_num(f, (double)a->n, 3);
        cell_pm(f, a->mean, a->mean_err), cell_p(f, a->p_value), cell_num(f, a->tau, 2),
            cell_num(f, a->spread, 2);
        cell_pm(f, b->mean, b->mean_err), cell_p(f, b->p_value), cell_num(f, b->tau, 2),
            cell_num(f, b->spread, 2);
        cell_reduction(f, r->row[t].reduction);
        fputs("</tr>\n", f);
    }
    fputs("</tbody></table></div>\n<p>Error bars decide how sharp this comparison is: agreement of "
          "values with large "
          "errors shows little, and a p-value is a statement about these runs, with this number of "
          "models.</p>\n",
          f);
    return MLK_OK;
}

static void dataset(const mlk_report *r, FILE *f)
{
    const mlk_report_data *d = &r->data;
    double nt = NAN, nv = NAN;
    for (int m = 0; m < r->n_model && !isfinite(nt); m++)
        nt = mlk_json_get_real(r->model[m].train, "n_train", NAN),
        nv = mlk_json_get_real(r->model[m].train, "n_valid", NAN);
    if (!d->there) return;
    char line[8][160];
#define LINE(k, ...) snprintf(line[k], sizeof line[k], __VA_ARGS__)
    LINE(0, "%zu in %zu trajectory groups", d->n_frame, d->n_group);
    LINE(1, "%s", d->species);
    LINE(2, d->atoms_min == d->atoms_max ? "%.0f" : "%.0f to %.0f", d->atoms_min, d->atoms_max);
    LINE(3, "%.1f to %.1f Å³ per atom", d->v_min, d->v_max);
    LINE(4, isfinite(d->t_min) ? "%.0f to %.0f K" : "–", d->t_min, d->t_max);
    LINE(5, isfinite(d->p_min) ? "%.1f to %.1f GPa" : "–", d->p_min, d->p_max);
    LINE(6, "%.3g eV/Å", d->f_rms);
    LINE(7, isfinite(nt) ? "%.0f frames training, %.0f held out for validation" : "–", nt, nv);
#undef LINE
    static const char *const label[] = {"frames",
                                        "elements",
                                        "atoms per frame",
                                        "volume",
                                        "sampled at",
                                        "pressure (without kinetic part)",
                                        "force, root mean square",
                                        "split"};
    fputs("<h3>Data set</h3>\n<div class=scroll><table><tbody>", f);
    for (int k = 0; k < 8; k++) {
        fputs("<tr>", f);
        cell(f, label[k], true), cell(f, line[k], true);
        fputs("</tr>", f);
    }
    fputs("</tbody></table></div>\n", f);
}

/* "68.9 ± 2.9" in percent */
static void cell_percent(FILE *f, const json_t *q, const char *key, bool after)
{
    const json_t *c = json_object_get(q, key);
    cell_pm(f, 100 * mlk_json_get_real(c, after ? "after" : "before", NAN),
            after ? 100 * mlk_json_get_real(c, "after_err", NAN) : NAN);
}

static void interval_rows(FILE *f, const mlk_report_model *m)
{
    static const char *const keys[] = {"force", "energy"};
    for (int k = 0; k < 2; k++) {
        const json_t *q = json_object_get(m->committee, keys[k]);
        char name[64];
        snprintf(name, sizeof name, "%d × %s",
                 (int)json_array_size(json_object_get(m->committee, "members")), m->type);
        fputs(k ? "<tr>" : "<tr class=first>", f);
        cell(f, k ? "" : name, true), cell(f, k ? "energy, meV/atom" : "force, meV/Å", true);
        cell_num(f, mlk_json_get_real(q, "spread", NAN), 3);
        cell_num(f, mlk_json_get_real(q, "rmse", NAN), 3);
        cell_pm(f, mlk_json_get_real(q, "alpha", NAN), mlk_json_get_real(q, "alpha_err", NAN));
        for (int s = 0; s < 4; s++)
            cell_percent(f, q, s < 2 ? "coverage_1sigma" : "coverage_2sigma", s % 2);
        cell_num(f, mlk_json_get_real(q, "slope", NAN), 2);
        cell_num(f, mlk_json_get_real(q, "spearman", NAN), 2);
        fputs("</tr>\n", f);
    }
}

/* A family without a committee: why, and how to get one. */
static void missing_interval(const mlk_report *r, FILE *f, int m)
{
    const char *type = r->model[m].type,
               *why = mlk_json_get_str(r->model[m].committee, "why_not", "");
    const mlk_potential_type *t = mlk_potential_find(type);
    int n = 0;
    for (int k = 0; k < r->n_model; k++) {
        if (strcmp(r->model[k].type, type)) continue;
        if (k < m) return;
        n++;
    }
    if (r->model[m].committee && !*why) return;
    fprintf(f, "<p>%s: ", type);
    if (*why)
        fprintf(f, "no intervals, %s", why);
    else if (n > 1)
        fprintf(f, "no committee has been judged yet; the same mlkit benchmark does it");
    else if (t && t->caps & MLK_CAP_LINEAR)
        fprintf(f, "a least-squares fit has one answer, so seeds give no committee");
    else
        fprintf(f, "one model gives no spread; mlkit benchmark --seeds 2 or more fits a committee");
    fputs(".</p>\n", f);
}

/* The committees' table; families without one: why, and how to get it. */
static mlk_status intervals(const mlk_report *r, FILE *f, mlk_err *e)
{
    bool any = false;
    fputs("<h3 id=intervals>Prediction intervals</h3>\n", f);
    for (int m = 0; m < r->n_model; m++) any |= r->model[m].committee != NULL;
    if (any)
        fputs("<p class=cap>Committees of seeds on the held-out trajectories. Spread: root mean "
              "square over atoms of the standard deviation between members; RMSE: of the mean of "
              "the members; α: factor from spread to error; inside: fraction of errors within 1 σ "
              "and 2 σ (68.3 % and 95.4 % expected); power: the error grows as the spread to this "
              "power; ρ: rank correlation of spread and error.</p><div "
              "class=scroll><table><thead><tr><th class=l rowspan=2>models</th><th class=l "
              "rowspan=2>quantity</th><th rowspan=2>spread</th><th rowspan=2>RMSE</th><th "
              "rowspan=2>α</th><th colspan=2>inside 1 σ (%)</th><th colspan=2>inside 2 σ (%)</th>"
              "<th rowspan=2>power</th><th rowspan=2>ρ</th></tr><tr><th>raw</th><th>calibrated</th>"
              "<th>raw</th><th>calibrated</th></tr></thead><tbody>\n",
              f);
    for (int m = 0; m < r->n_model; m++)
        if (r->model[m].committee) interval_rows(f, &r->model[m]);
    if (any) fputs("</tbody></table></div>\n", f);
    MLK_TRY(figure(r, f, "calibration", e));
    for (int m = 0; m < r->n_model; m++) missing_interval(r, f, m);
    return MLK_OK;
}

static mlk_status models(const mlk_report *r, FILE *f, mlk_err *e)
{
    static const char *const keys[] = {"energy_rmse_meV_atom", "force_rmse_meV_A",
                                       "stress_rmse_GPa"};
    fputs("<h2 id=models>3 Models</h2>\n", f);
    dataset(r, f);
    fputs(
        "<h3>Errors of the fits</h3>\n<p class=cap>Root-mean-square errors, on training frames and "
        "on held-out trajectories (validation). Force: per Cartesian component.</p><div "
        "class=scroll><table><thead><tr><th class=l rowspan=2>"
        "model</th><th rowspan=2>parameters</th><th rowspan=2>seed</th><th rowspan=2>time (s)</th>"
        "<th colspan=2>energy (meV/atom)</th><th colspan=2>force (meV/Å)</th><th colspan=2>stress "
        "(GPa)</th>"
        "<th class=l rowspan=2>valid. force by element</th></tr><tr>"
        "<th>train</th><th>valid</th><th>train</th><th>valid</th><th>train</th><th>valid</th></"
        "tr></thead><tbody>\n",
        f);
    for (int m = 0; m < r->n_model; m++) {
        const json_t *j = r->model[m].train;
        if (!j) continue;
        fputs("<tr>", f);
        cell(f, r->model[m].name, true);
        cell_num(f, mlk_json_get_real(j, "n_param", NAN), 9),
            cell_num(f, mlk_json_get_real(j, "seed", NAN), 10);
        cell_num(f, mlk_json_get_real(j, "wall_s", NAN), 3);
        for (int k = 0; k < 3; k++)
            for (int side = 0; side < 2; side++)
                cell_num(
                    f,
                    mlk_json_get_real(json_object_get(j, side ? "valid" : "train"), keys[k], NAN),
                    3);
        char list[200] = "";
        const char *sp;
        json_t *v;
        json_object_foreach(json_object_get(j, "force_rmse_by_species"), sp, v)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%.8s %.3g",
                     *list ? ", " : "", sp, json_number_value(v));
        cell(f, *list ? list : "–", true);
        fputs("</tr>\n", f);
    }
    fputs("</tbody></table></div>\n", f);
    MLK_TRY(figure(r, f, "learning", e));
    MLK_TRY(figure(r, f, "parity", e));
    return intervals(r, f, e);
}

static mlk_status md(const mlk_report *r, FILE *f, mlk_err *e)
{
    fputs(
        "<h2 id=md>4 Molecular dynamics</h2>\n<p class=cap>Runs in the microcanonical ensemble. "
        "Drift: slope of the total energy. Outside: share of the atoms whose descriptors leave the "
        "range of the training data; grade: how far the worst of them does, in units of the width "
        "of the range. Nearest: least distance of two atoms over the shortest of its kind in the "
        "training data. Broken: how often a covalent bond of the start broke. Flagged numbers are "
        "bold."
        "</p><div class=scroll><table><thead><tr><th class=l>model</th><th>T (K)</th>"
        "<th>replica</th><th>mean T (K)</th><th>drift (meV/atom/ns)</th><th>outside (%)</th>"
        "<th>grade</th><th>nearest</th><th>broken</th><th>atoms</th><th>time (s)</th>"
        "<th>10³ atom·step/s</th><th class=l>state</th></tr></thead><tbody>\n",
        f);
    for (size_t k = 0; k < r->n_md; k++) {
        const mlk_report_md *m = &r->md[k];
        if (!m->there) continue;
        fputs("<tr>", f);
        cell(f, r->model[m->model].name, true);
        cell_num(f, r->temp[m->temp], 5), cell_num(f, m->rep + 1, 4), cell_num(f, m->t_mean, 4);
        cell_flag(f, m->drift, 2, m->drift_flag), cell_num(f, 100 * m->outside, 2);
        cell_flag(f, m->worst, 2, m->range_flag), cell_flag(f, m->shortest, 3, m->short_flag);
        cell_flag(f, m->broke, 4, m->broke > 0);
        cell_num(f, m->atoms, 7), cell_num(f, m->wall, 3), cell_num(f, m->speed * 1e-3, 3);
        cell(f, m->complete ? "complete" : "running", true);
        fputs("</tr>\n", f);
    }
    fputs("</tbody></table></div>\n", f);
    MLK_TRY(figure(r, f, "traces", e));
    MLK_TRY(figure(r, f, "rdf", e));
    MLK_TRY(figure(r, f, "msd", e));
    return figure(r, f, "diffusion", e);
}

static void commands(const mlk_report *r, FILE *f)
{
    fputs("<h3>Commands</h3>\n<p>Every step is an mlkit command that can be repeated by hand; each "
          "was started as shown, in "
          "the folder in which the study was begun.</p>\n<pre>",
          f);
    size_t i;
    json_t *ev;
    json_array_foreach(r->journal, i, ev)
    {
        const char *c = mlk_json_get_str(ev, "command", "");
        if (strcmp(mlk_json_get_str(ev, "event", ""), "start") || strncmp(c, "mlkit", 5)) continue;
        bool again = false; /* a job that was resumed stands once */
        for (size_t q = i + 1; q < json_array_size(r->journal); q++) {
            const json_t *later = json_array_get(r->journal, q);
            again |= !strcmp(mlk_json_get_str(later, "event", ""), "start") &&
                     !strcmp(mlk_json_get_str(later, "job", "-"), mlk_json_get_str(ev, "job", ""));
        }
        if (!again) esc(f, c), fputc('\n', f);
    }
    fputs("</pre>\n", f);
}

static void stages(const mlk_report *r, FILE *f)
{
    static const char *const stage[] = {"dataset",   "structure", "train", "md",
                                        "transport", "committee", "report"};
    fputs("<h3>Time</h3>\n<div class=scroll><table><thead><tr><th class=l>stage</th><th>jobs "
          "done</th><th>jobs failed</th>"
          "<th>sum of wall times (s)</th></tr></thead><tbody>\n",
          f);
    for (int k = 0; k < 7; k++) {
        size_t i;
        int n = 0, bad = 0;
        double wall = 0;
        json_t *ev;
        json_array_foreach(r->journal, i, ev)
        {
            const char *id = mlk_json_get_str(ev, "job", ""),
                       *what = mlk_json_get_str(ev, "event", "");
            size_t len = strlen(stage[k]);
            if (strncmp(id, stage[k], len) || (id[len] && id[len] != '/')) continue;
            n += !strcmp(what, "done"), bad += !strcmp(what, "failed");
            wall += mlk_json_get_real(ev, "wall_s", 0);
        }
        if (!n && !bad) continue;
        fprintf(f, "<tr><td class=l>%s</td><td>%d</td><td>%d</td><td>%.0f</td></tr>\n", stage[k], n,
                bad, wall);
    }
    fputs("</tbody></table></div>\n", f);
}

static mlk_status reproducibility(const mlk_report *r, FILE *f, mlk_err *e)
{
    char *text = NULL, *save = NULL;
    MLK_TRY(mlk_report_methods_text(r, &text, e));
    fputs("<h2 id=repro>6 Reproducibility</h2>\n<h3>Methods</h3>\n", f);
    for (char *p = strtok_r(text, "\n", &save); p; p = strtok_r(NULL, "\n", &save))
        if (*p) fputs("<p>", f), esc(f, p), fputs("</p>\n", f);
    mlk_free(text);
    fputs("<p>References: <a href=\"methods.md\">methods.md</a>. All numbers: <a "
          "href=\"report.json\">report.json</a>; tables "
          "as CSV and LaTeX in <a href=\"tables/\">tables/</a>; figures with their data and "
          "gnuplot scripts in "
          "<a href=\"figures/\">figures/</a>.</p>\n",
          f);
    stages(r, f);
    fputs("<h3>Settings</h3>\n<div class=scroll><table><tbody>\n", f);
    const mlk_conf *set = mlk_conf_get(&r->conf, "settings"),
                   *in = mlk_conf_get(&r->conf, "inputs");
    static const char *const top[] = {"mlkit", "compiler", "created"};
    for (int k = 0; k < 3; k++) {
        fputs("<tr>", f);
        cell(f, top[k], true), cell(f, mlk_conf_str(&r->conf, top[k], "–"), true);
        fputs("</tr>\n", f);
    }
    for (size_t k = 0; set && set->kind == MLK_CONF_MAP && k < set->n_child; k++) {
        const char *v = set->child[k].value;
        fputs("<tr>", f);
        cell(f, set->child[k].key, true), cell(f, v && *v ? v : "(default)", true);
        fputs("</tr>\n", f);
    }
    const mlk_conf *start = mlk_conf_get(&r->conf, "start");
    fputs("<tr>", f);
    cell(f, "start structure", true), cell(f, mlk_conf_str(start, "from", "–"), true);
    fputs("</tr>\n</tbody></table></div>\n", f);
    commands(r, f);
    fputs("<h3>Input files</h3>\n<pre>", f);
    for (size_t k = 0; in && in->kind == MLK_CONF_LIST && k < in->n_child; k++) {
        esc(f, mlk_conf_str(&in->child[k], "sha256", "?"));
        fputs("  ", f);
        esc(f, mlk_path_base(mlk_conf_str(&in->child[k], "path", "?")));
        fputc('\n', f);
    }
    fputs("</pre>\n", f);
    return MLK_OK;
}

static mlk_status page(const mlk_report *r, FILE *f, mlk_err *e)
{
    head(r, f);
    missing(r, f);
    MLK_TRY(result(r, f, e));
    fputs("<h2 id=gauge-sec>2 Gauge: why the naive value is not unique</h2>\n<p>A potential fixes "
          "the total energy, not how "
          "it is shared among atoms. Adding a constant to the energy of every atom of one element "
          "changes no force and no "
          "observable of the material, yet it changes the energy flux as soon as that element "
          "diffuses. The corrected "
          "value is the minimum of the naive one over all such choices.</p>\n",
          f);
    MLK_TRY(figure(r, f, "gauge", e));
    MLK_TRY(models(r, f, e));
    MLK_TRY(md(r, f, e));
    fputs("<h2 id=transport>5 Transport</h2>\n", f);
    MLK_TRY(figure(r, f, "theta", e));
    MLK_TRY(figure(r, f, "spectrum_full", e));
    MLK_TRY(figure(r, f, "spectrum", e));
    MLK_TRY(figure(r, f, "pstar", e));
    MLK_TRY(figure(r, f, "cepstrum", e));
    MLK_TRY(figure(r, f, "fstar", e));
    MLK_TRY(figure(r, f, "green_kubo", e));
    MLK_TRY(figure(r, f, "parts", e));
    MLK_TRY(figure(r, f, "convergence", e));
    MLK_TRY(reproducibility(r, f, e));
    fprintf(f, "</main><footer><div>Made by mlkit %s; drawn again by <code>mlkit report ",
            MLK_VERSION);
    esc(f, r->run);
    fputs("</code>. This page needs no network.</div></footer></body></html>\n", f);
    return MLK_OK;
}

mlk_status mlk_report_html(const mlk_report *r, mlk_err *e)
{
    char path[1300];
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, r->dir, "report.html"), e));
    mlk_status s = page(r, o.fp, e);
    if (s) {
        mlk_out_abort(&o);
        return s;
    }
    return mlk_out_commit(&o, e);
}
