/* sections.c - the six sections of the report as a document; html.c and pdf.c draw it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "potentials/potential.h"
#include "reports/plot.h"
#include "reports/report.h"
#include "version.h"

enum { MANY_ROWS = 12 }; /* of a table that is folded on the page */

static void cell_num(mlk_document *d, double v, int digits)
{
    char buf[64] = "–";
    if (isfinite(v)) snprintf(buf, sizeof buf, "%.*g", digits, v);
    /* no powers of ten in a table for people */
    if (isfinite(v) && strchr(buf, 'e') && fabs(v) < 1e9 && fabs(v) >= 1)
        snprintf(buf, sizeof buf, "%.0f", v);
    mlk_doc_cell(d, "%s", buf);
}

/* A measured number, with the zeros of its digits. */
static void cell_sig(mlk_document *d, double v, int digits)
{
    char buf[32];
    mlk_doc_cell(d, "%s", mlk_sig(v, digits, buf));
}

/* The same, or with 0 digits a count, bold where it is flagged. */
static void cell_flag(mlk_document *d, double v, int digits, bool flag)
{
    char buf[32];
    if (digits || !isfinite(v))
        mlk_sig(v, digits, buf);
    else
        snprintf(buf, sizeof buf, "%.0f", v);
    mlk_doc_cell(d, flag && isfinite(v) ? MLK_DOC_BOLD "%s" MLK_DOC_END : "%s", buf);
}

static void cell_pm(mlk_document *d, double v, double err)
{
    char buf[64];
    mlk_doc_cell(d, "%s", mlk_pm(v, err, buf));
}

static void cell_p(mlk_document *d, double p)
{
    char buf[32];
    mlk_doc_cell(d, "%s", mlk_pvalue(p, buf));
}

/* "2.3", "to zero", "–": a reduction factor for people */
static void cell_reduction(mlk_document *d, double v)
{
    if (isinf(v))
        mlk_doc_cell(d, "to zero");
    else
        cell_sig(d, v, 2);
}

/* Two cells, a name and a text. */
static void pair(mlk_document *d, const char *name, const char *text)
{
    mlk_doc_row(d, false, false, -1);
    mlk_doc_cell(d, "%s", name), mlk_doc_cell(d, "%s", text);
}

/* A figure by name, or NULL when it was not drawn. */
static const mlk_report_fig *drawn(const mlk_report *r, const char *name)
{
    for (size_t k = 0; k < r->n_fig; k++)
        if (!strcmp(r->fig[k].name, name)) return &r->fig[k];
    return NULL;
}

static void figure(const mlk_report *r, mlk_document *d, const char *name)
{
    char path[1300], file[64];
    const mlk_report_fig *fig = drawn(r, name);
    if (!fig) return;
    snprintf(file, sizeof file, "%s.svg", name);
    mlk_path_join(path, sizeof path, r->figdir, file);
    mlk_doc_figure(d, name, path, fig->title, fig->caption, fig->axes, r->pdf);
    if (!d->st && !strcmp(name, "theta")) d->block[d->n - 1].narrow = true;
}

static void head(const mlk_report *r, mlk_document *d)
{
    char temps[80];
    if (r->n_temp > 1)
        snprintf(temps, sizeof temps, "%d temperatures, %.4g–%.4g K", r->n_temp, r->temp[0],
                 r->temp[r->n_temp - 1]);
    else
        snprintf(temps, sizeof temps, "%.4g K", r->temp[0]);
    mlk_doc_set(d, &d->title, "Thermal conductivity with and without mass-flux correction");
    mlk_doc_set(d, &d->subtitle,
                "%s%s%d model%s · %s · study " MLK_DOC_CODE "%s" MLK_DOC_END " · mlkit %s",
                r->data.there ? r->data.species : "", r->data.there ? " · " : "", r->n_model,
                r->n_model > 1 ? "s" : "", temps, mlk_path_base(r->run), MLK_VERSION);
    mlk_doc_set(d, &d->footer,
                "Made by mlkit %s; drawn again by " MLK_DOC_CODE "mlkit report %s" MLK_DOC_END,
                MLK_VERSION, r->run);
    for (int m = 0; m < r->n_model; m++)
        mlk_doc_model(d, r->model[m].name, mlk_plot_colour(m), mlk_plot_symbol(m));
}

static void missing(const mlk_report *r, mlk_document *d)
{
    if (!r->gnuplot)
        mlk_doc_note(d, true,
                     MLK_DOC_BOLD "No figures:" MLK_DOC_END
                                  " the program gnuplot was not found. Install it (Debian: "
                                  "gnuplot-nox) and run " MLK_DOC_CODE "mlkit report" MLK_DOC_END
                                  " again; tables and numbers are complete.");
    if (!r->n_missing) return;
    mlk_doc_note(d, true,
                 MLK_DOC_BOLD "This study is not complete." MLK_DOC_END " Missing so far:");
    for (size_t k = 0; k < r->n_missing; k++) mlk_doc_item(d, "%s", r->missing[k]);
}

static void doubtful(const mlk_report *r, mlk_document *d)
{
    if (!r->n_care) return;
    mlk_doc_note(d, true,
                 MLK_DOC_BOLD "Read with care:" MLK_DOC_END
                              " these runs were not what they stand for, and their thermal "
                              "conductivities enter the comparison all the same.");
    for (size_t k = 0; k < r->n_care; k++) mlk_doc_item(d, "%s", r->care[k]);
}

static void cards(const mlk_report *r, mlk_document *d)
{
    char p[32], sd[2][32];
    if (!isfinite(r->all.p)) return;
    double red = r->all.tau_naive / r->all.tau;
    mlk_doc_cards(d);
    if (isinf(red))
        mlk_doc_item(d, "to zero");
    else if (isfinite(red))
        mlk_doc_item(d, "%s×", mlk_sig(red, 2, p));
    else
        mlk_doc_item(d, "–");
    mlk_doc_item(d,
                 "reduction of the scatter between models, τ" MLK_DOC_SUB "naive" MLK_DOC_END "/τ");
    mlk_doc_item(d, "%s", mlk_pvalue(r->all.p_naive, p));
    mlk_doc_item(d, "p-value, naive: models %s",
                 r->all.p_naive < 0.05 ? "differ" : "agree within errors");
    mlk_doc_item(d, "%s", mlk_pvalue(r->all.p, p));
    mlk_doc_item(d, "p-value, corrected: models %s",
                 r->all.p < 0.05 ? "differ" : "agree within errors");
    mlk_doc_item(d, "%s → %s", mlk_sig(r->all.sd_naive, 2, sd[0]), mlk_sig(r->all.sd, 2, sd[1]));
    mlk_doc_item(d, "standard deviation between models, naive → corrected (W/m/K)");
}

static bool any_transport(const mlk_report *r)
{
    for (int k = 0; k < r->n_model * r->n_temp; k++)
        if (r->transport[k]) return true;
    return false;
}

static void kappa_table(const mlk_report *r, mlk_document *d)
{
    if (!any_transport(r)) return;
    mlk_doc_table(d, "rlrrrrl",
                  "Thermal conductivity in W/m/K, ± one standard error. Θ: share of the naive "
                  "value removed by the correction. σ: ionic conductivity, "
                  "where no species is mobile by Einstein's relation.");
    mlk_doc_head(d, "T (K)|model|κ naive|κ corrected|Θ|σ (S/m)|mobile");
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
            mlk_doc_row(d, false, first, m);
            cell_num(d, r->temp[t], 5), mlk_doc_cell(d, "%s", r->model[m].name);
            cell_pm(d, mlk_json_get_real(j, "kappa_naive", NAN),
                    mlk_json_get_real(j, "kappa_naive_err", NAN));
            cell_pm(d, mlk_json_get_real(j, "kappa", NAN), mlk_json_get_real(j, "kappa_err", NAN));
            double v[2];
            mlk_report_theta(j, v), cell_pm(d, v[0], v[1]);
            mlk_report_sigma(j, v), cell_pm(d, v[0], v[1]);
            mlk_doc_cell(d, "%s", *list ? list : "none");
            first = false;
        }
    }
}

static void agreement_table(const mlk_report *r, mlk_document *d)
{
    char buf[2][32];
    mlk_doc_table(d, "rrrrrrrrrrr",
                  "Agreement of the models. Mean weighted by 1/error²; p: chance of such "
                  "differences if all models had the same κ; τ: scatter beyond the error bars "
                  "(W/m/K), in brackets its 95 % upper limit; spread: (max − min)/mean.");
    mlk_doc_row(d, true, false, -1);
    mlk_doc_span(d, 1, 2, "T (K)"), mlk_doc_span(d, 1, 2, "models");
    mlk_doc_span(d, 4, 1, "naive"), mlk_doc_span(d, 4, 1, "corrected");
    mlk_doc_span(d, 1, 2, "τ" MLK_DOC_SUB "naive" MLK_DOC_END "/τ");
    mlk_doc_head(d, "mean κ|p|τ|spread|mean κ|p|τ|spread");
    for (int t = 0; t < r->n_temp; t++) {
        const mlk_comparison *c[2] = {&r->row[t].naive, &r->row[t].corrected};
        if (c[0]->n < 2 || c[1]->n < 2) continue;
        mlk_doc_row(d, false, false, -1);
        cell_num(d, r->temp[t], 5), cell_num(d, (double)c[0]->n, 3);
        for (int k = 0; k < 2; k++) {
            cell_pm(d, c[k]->mean, c[k]->mean_err), cell_p(d, c[k]->p_value);
            mlk_doc_cell(d, "%s (< %s)", mlk_sig(c[k]->tau, 2, buf[0]),
                         mlk_sig(c[k]->tau_limit, 2, buf[1]));
            cell_sig(d, c[k]->spread, 2);
        }
        cell_reduction(d, r->row[t].reduction);
    }
}

static void temperature_table(const mlk_report *r, mlk_document *d)
{
    const mlk_kappa_t *k = &r->kappa_t;
    char p[2][32];
    if (!k->fit[MLK_KAPPA_CONSTANT].there) return;
    mlk_doc_heading(d, 3, "temperature", "Temperature dependence of the corrected value");
    if (isfinite(k->p_slope))
        mlk_doc_text(d,
                     "%s The term A/T improves on the constant with p %s%s, the offset B on A/T "
                     "with p %s%s.",
                     k->statement, k->p_slope < 1e-4 ? "" : "= ", mlk_pvalue(k->p_slope, p[0]),
                     k->p_offset < 1e-4 ? "" : "= ", mlk_pvalue(k->p_offset, p[1]));
    else
        mlk_doc_text(d, "%s", k->statement);
    mlk_doc_table(d, "lrrrrrrr",
                  "Weighted fits to the mean over the models, whose errors contain the scatter "
                  "between them. p: chance of a larger χ² if the form is right. The smaller AIC "
                  "and BIC, the likelier the form; a difference of 4 is a factor of 7.");
    mlk_doc_head(d, "κ(T)|A (W/m)|B (W/m/K)|χ²|degrees of freedom|p|AIC|BIC");
    for (int q = 0; q < MLK_KAPPA_FORMS; q++) {
        const mlk_kappa_fit *f = &k->fit[q];
        if (!f->there) continue;
        mlk_doc_row(d, false, false, -1);
        mlk_doc_cell(d, "%s", mlk_kappa_form_name((mlk_kappa_form)q));
        cell_pm(d, q == MLK_KAPPA_CONSTANT ? NAN : f->a, f->a_err);
        cell_pm(d, q == MLK_KAPPA_INVERSE ? NAN : f->b, f->b_err);
        cell_sig(d, f->chi2, 3), cell_num(d, f->dof, 3), cell_p(d, f->p_value);
        cell_sig(d, f->aic, 3), cell_sig(d, f->bic, 3);
    }
}

static void result(const mlk_report *r, mlk_document *d)
{
    mlk_doc_heading(d, 2, "result", "1 Result");
    mlk_doc_note(d, false, "%s", r->statement);
    missing(r, d);
    cards(r, d);
    figure(r, d, "kappa");
    doubtful(r, d);
    kappa_table(r, d);
    temperature_table(r, d);
    if (!r->all.n_compared) return;
    mlk_doc_heading(d, 3, "agree", "Do the models agree?");
    figure(r, d, "agreement");
    agreement_table(r, d);
    mlk_doc_text(d, "Error bars decide how sharp this comparison is: agreement of values with "
                    "large errors shows little, and a p-value is a statement about these runs, "
                    "with this number of models.");
}

static void gauge(const mlk_report *r, mlk_document *d)
{
    mlk_doc_heading(d, 2, "gauge-sec", "2 Gauge: why the naive value is not unique");
    mlk_doc_text(d, "A potential fixes the total energy, not how it is shared among atoms. Adding "
                    "a constant to the energy of every atom of one element changes no force and "
                    "no observable of the material, yet it changes the energy flux as soon as "
                    "that element diffuses. The corrected value is the minimum of the naive one "
                    "over all such choices.");
    figure(r, d, "gauge");
    if (any_transport(r) && !drawn(r, "gauge") && r->gnuplot)
        mlk_doc_text(d, "In these runs no element diffuses: such a constant changes nothing, and "
                        "the naive value needs no correction.");
}

static void dataset(const mlk_report *r, mlk_document *doc)
{
    mlk_report_fact fact[MLK_REPORT_FACTS];
    int n = mlk_report_facts(r, fact);
    if (!n) return;
    mlk_doc_heading(doc, 3, "data", "Data set");
    mlk_doc_table(doc, "ll", NULL);
    for (int k = 0; k < n; k++) pair(doc, fact[k].name, fact[k].value);
}

/* "68.9 ± 2.9" in percent */
static void cell_percent(mlk_document *d, const json_t *q, const char *key, bool after)
{
    const json_t *c = json_object_get(q, key);
    cell_pm(d, 100 * mlk_json_get_real(c, after ? "after" : "before", NAN),
            after ? 100 * mlk_json_get_real(c, "after_err", NAN) : NAN);
}

static void interval_rows(mlk_document *d, const mlk_report_model *m)
{
    static const char *const keys[] = {"force", "energy"};
    for (int k = 0; k < 2; k++) {
        const json_t *q = json_object_get(m->committee, keys[k]);
        char name[64];
        snprintf(name, sizeof name, "%d × %s",
                 (int)json_array_size(json_object_get(m->committee, "members")), m->type);
        mlk_doc_row(d, false, !k, -1);
        mlk_doc_cell(d, "%s", name), mlk_doc_cell(d, k ? "energy, meV/atom" : "force, meV/Å");
        cell_sig(d, mlk_json_get_real(q, "spread", NAN), 3);
        cell_sig(d, mlk_json_get_real(q, "rmse", NAN), 3);
        cell_pm(d, mlk_json_get_real(q, "alpha", NAN), mlk_json_get_real(q, "alpha_err", NAN));
        for (int s = 0; s < 4; s++)
            cell_percent(d, q, s < 2 ? "coverage_1sigma" : "coverage_2sigma", s % 2);
        cell_sig(d, mlk_json_get_real(q, "slope", NAN), 2);
        cell_sig(d, mlk_json_get_real(q, "spearman", NAN), 2);
    }
}

/* A family fitted here without a committee: why, and how to get one. Seeds of its first settings
 * are one (campaign.c). */
static void missing_interval(const mlk_report *r, mlk_document *d, int m)
{
    const mlk_report_model *q = &r->model[m];
    const char *why = mlk_json_get_str(q->committee, "why_not", "");
    const mlk_potential_type *t = mlk_potential_find(q->type);
    int n = 0;
    if (*q->ready || (q->committee && !*why)) return;
    for (int k = 0; k < r->n_model; k++) {
        if (*r->model[k].ready || strcmp(r->model[k].type, q->type)) continue;
        if (k < m) return;
        n += !strcmp(r->model[k].settings, q->settings);
    }
    if (*why)
        mlk_doc_text(d, "%s: no intervals, %s.", q->type, why);
    else if (n > 1)
        mlk_doc_text(d, "%s: no committee has been judged yet; the same mlkit benchmark does it.",
                     q->type);
    else if (t && t->caps & MLK_CAP_LINEAR)
        mlk_doc_text(d, "%s: a least-squares fit has one answer, so seeds give no committee.",
                     q->type);
    else
        mlk_doc_text(d,
                     "%s: one model gives no spread; mlkit benchmark --seeds 2 or more fits a "
                     "committee.",
                     q->type);
}

/* The committees' table; families without one: why, and how to get it. */
static void intervals(const mlk_report *r, mlk_document *d)
{
    bool any = false, fitted = false;
    for (int m = 0; m < r->n_model; m++) fitted |= !*r->model[m].ready;
    if (!fitted) return;
    mlk_doc_heading(d, 3, "intervals", "Prediction intervals");
    for (int m = 0; m < r->n_model; m++) any |= r->model[m].committee != NULL;
    if (any) {
        mlk_doc_table(d, "llrrrrrrrrr",
                      "Committees of seeds on the held-out frames. Spread: root mean square "
                      "over atoms of the standard deviation between members; RMSE: of the mean of "
                      "the members; α: factor from spread to error; inside: fraction of errors "
                      "within 1 σ and 2 σ (68.3 % and 95.4 % expected); power: the error grows as "
                      "the spread to this power; ρ: rank correlation of spread and error.");
        mlk_doc_row(d, true, false, -1);
        static const char *const one[] = {"models", "quantity", "spread", "RMSE", "α"};
        for (int k = 0; k < 5; k++) mlk_doc_span(d, 1, 2, one[k]);
        mlk_doc_span(d, 2, 1, "inside 1 σ (%)"), mlk_doc_span(d, 2, 1, "inside 2 σ (%)");
        mlk_doc_span(d, 1, 2, "power"), mlk_doc_span(d, 1, 2, "ρ");
        mlk_doc_head(d, "raw|calibrated|raw|calibrated");
    }
    for (int m = 0; m < r->n_model; m++)
        if (r->model[m].committee) interval_rows(d, &r->model[m]);
    figure(r, d, "calibration");
    for (int m = 0; m < r->n_model; m++) missing_interval(r, d, m);
}

/* What the row of a model that was not fitted here means. */
static void ready_models(const mlk_report *r, mlk_document *d)
{
    for (int m = 0; m < r->n_model; m++) {
        const mlk_report_model *q = &r->model[m];
        double shift =
            mlk_json_get_real(json_object_get(q->train, "valid"), "energy_shift_meV_atom", NAN);
        char text[1400];
        if (!*q->ready) continue;
        snprintf(text, sizeof text, "%s: a ready model (%s), not fitted in this study%s", q->name,
                 q->ready, q->train ? "; its errors are those on all frames of the data" : "");
        if (isfinite(shift))
            snprintf(text + strlen(text), sizeof text - strlen(text),
                     ", energies after taking off their mean difference of %.6g meV/atom", shift);
        snprintf(text + strlen(text), sizeof text - strlen(text), ".");
        mlk_doc_text(d, "%s", text);
    }
}

static void errors_table(const mlk_report *r, mlk_document *d)
{
    static const char *const keys[] = {"energy_rmse_meV_atom", "force_rmse_meV_A",
                                       "stress_rmse_GPa"};
    static const char *const one[] = {"model", "parameters", "seed", "time (s)"};
    static const char *const two[] = {"energy (meV/atom)", "force (meV/Å)", "stress (GPa)"};
    bool any = false;
    for (int m = 0; m < r->n_model; m++) any |= r->model[m].train != NULL;
    if (!any) {
        ready_models(r, d);
        return;
    }
    mlk_doc_heading(d, 3, "errors", "Errors of the fits");
    mlk_doc_table(
        d, "lrrrrrrrrrl",
        "Root-mean-square errors, on training frames and on held-out frames (validation). "
        "Force: per Cartesian component.");
    mlk_doc_row(d, true, false, -1);
    for (int k = 0; k < 4; k++) mlk_doc_span(d, 1, 2, one[k]);
    for (int k = 0; k < 3; k++) mlk_doc_span(d, 2, 1, two[k]);
    mlk_doc_span(d, 1, 2, "valid. force by element");
    mlk_doc_head(d, "train|valid|train|valid|train|valid");
    for (int m = 0; m < r->n_model; m++) {
        const json_t *j = r->model[m].train;
        if (!j) continue;
        mlk_doc_row(d, false, false, m);
        mlk_doc_cell(d, "%s", r->model[m].name);
        cell_num(d, mlk_json_get_real(j, "n_param", NAN), 9),
            cell_num(d, mlk_json_get_real(j, "seed", NAN), 10);
        cell_sig(d, mlk_json_get_real(j, "wall_s", NAN), 3);
        for (int k = 0; k < 3; k++)
            for (int side = 0; side < 2; side++)
                cell_sig(
                    d,
                    mlk_json_get_real(json_object_get(j, side ? "valid" : "train"), keys[k], NAN),
                    3);
        char list[200] = "", buf[32];
        const char *sp;
        json_t *v;
        json_object_foreach(json_object_get(j, "force_rmse_by_species"), sp, v)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%.8s %s",
                     *list ? ", " : "", sp, mlk_sig(json_number_value(v), 3, buf));
        mlk_doc_cell(d, "%s", *list ? list : "–");
    }
    ready_models(r, d);
}

static void models(const mlk_report *r, mlk_document *d)
{
    mlk_doc_heading(d, 2, "models", "3 Models");
    dataset(r, d);
    errors_table(r, d);
    figure(r, d, "learning");
    intervals(r, d);
    figure(r, d, "parity");
}

static void md(const mlk_report *r, mlk_document *d)
{
    size_t n = 0;
    for (size_t k = 0; k < r->n_md; k++) n += r->md[k].there;
    mlk_doc_heading(d, 2, "md", "4 Molecular dynamics");
    figure(r, d, "traces");
    figure(r, d, "rdf");
    figure(r, d, "msd");
    figure(r, d, "diffusion");
    mlk_doc_heading(d, 3, "runs", "The %zu runs, of which %zu are flagged", n, r->n_flagged);
    if (n > MANY_ROWS) mlk_doc_fold(d);
    mlk_doc_table(
        d, "lrrrrrrrrrrrrl",
        "Runs in the microcanonical ensemble. Drift: slope of the total energy. Outside: share of "
        "the atoms whose descriptors leave the range of the training data; grade: how far the "
        "worst of them does, in units of the width of the range. Nearest: least distance of two "
        "atoms over the shortest of its kind in the training data. Broken: how often a covalent "
        "bond of the start broke. Flagged numbers are bold.");
    mlk_doc_head(d, "model|T (K)|replica|mean T (K)|volume (Å³/atom)|drift (meV/atom/ns)|outside "
                    "(%)|grade|nearest|broken|atoms|time (s)|10³ atom·step/s|state");
    for (size_t k = 0; k < r->n_md; k++) {
        const mlk_report_md *m = &r->md[k];
        if (!m->there) continue;
        mlk_doc_row(d, false, k && r->md[k - 1].model != m->model, m->model);
        mlk_doc_cell(d, "%s", r->model[m->model].name);
        cell_num(d, r->temp[m->temp], 5), cell_num(d, m->rep + 1, 4);
        cell_flag(d, m->t_mean, 4, mlk_report_off(r, m) > 1);
        cell_sig(d, m->volume / m->atoms, 4);
        cell_flag(d, m->drift, 2, m->drift_flag), cell_sig(d, 100 * m->outside, 2);
        cell_flag(d, m->worst, 2, m->range_flag), cell_flag(d, m->shortest, 3, m->short_flag);
        cell_flag(d, m->broke, 0, m->broke > 0);
        cell_num(d, m->atoms, 7), cell_sig(d, m->wall, 3), cell_sig(d, m->speed * 1e-3, 3);
        mlk_doc_cell(d, m->complete ? "complete" : "running");
    }
}

/* Shares of the parts, for every model and temperature. */
static void parts_table(const mlk_report *r, mlk_document *d)
{
    double v[4];
    bool any = false;
    for (int k = 0; k < r->n_temp * r->n_model; k++)
        any |= mlk_report_part_of(mlk_report_at(r, k % r->n_model, k / r->n_model), 0, v);
    if (!any) return;
    mlk_doc_heading(d, 3, "shares", "Kinetic, convective and virial parts in numbers");
    mlk_doc_fold(d);
    mlk_doc_table(d, "rllrrrrrrr",
                  "Shares of the Green–Kubo integral in W/m/K, ± one standard "
                  "error; cross terms with both orders together. Their sum is "
                  "κ by Green–Kubo at the same upper limit: where it is not κ of the "
                  "other table within the errors, the integral has not settled.");
    mlk_doc_row(d, true, false, -1);
    static const char *const head[] = {"T (K)", "model", "flux"};
    for (int k = 0; k < 3; k++) mlk_doc_cell(d, "%s", head[k]);
    for (int k = 0; k < MLK_REPORT_PARTS; k++) mlk_doc_cell(d, "%s", mlk_report_part(k));
    mlk_doc_cell(d, "sum");
    for (int t = 0; t < r->n_temp; t++)
        for (int m = 0; m < r->n_model; m++)
            for (int side = 0; side < 2; side++) {
                const json_t *j = mlk_report_at(r, m, t);
                if (!mlk_report_part_of(j, 0, v) || !isfinite(v[2 * side])) continue;
                mlk_doc_row(d, false, !side && !m, m);
                cell_num(d, r->temp[t], 5), mlk_doc_cell(d, "%s", r->model[m].name);
                mlk_doc_cell(d, side ? "corrected" : "naive");
                for (int k = 0; k < MLK_REPORT_PARTS; k++) {
                    mlk_report_part_of(j, k, v);
                    cell_pm(d, v[2 * side], v[2 * side + 1]);
                }
                mlk_report_parts_sum(j, v), cell_pm(d, v[2 * side], v[2 * side + 1]);
            }
}

static void transport(const mlk_report *r, mlk_document *d)
{
    static const char *const main[] = {"theta", "spectrum", "green_kubo", "convergence", "parts"},
                             *const choice[] = {"pstar", "fstar", "spectrum_full", "cepstrum"};
    bool any = false;
    mlk_doc_heading(d, 2, "transport", "5 Transport");
    if (r->n_temp > 3)
        mlk_doc_text(d, "Figures with a panel for each temperature show the lowest, the middle and "
                        "the highest; their tables (CSV) hold all.");
    for (size_t k = 0; k < sizeof main / sizeof *main; k++) figure(r, d, main[k]);
    parts_table(r, d);
    for (size_t k = 0; k < sizeof choice / sizeof *choice; k++) {
        if (!drawn(r, choice[k])) continue;
        if (!any) {
            mlk_doc_heading(d, 3, "choices", "Do the choices of the analysis matter?");
            mlk_doc_fold(d);
        }
        any = true;
        figure(r, d, choice[k]);
    }
}

static void commands(const mlk_report *r, mlk_document *d)
{
    mlk_doc_heading(d, 3, "commands", "Commands");
    mlk_doc_fold(d);
    mlk_doc_text(d,
                 "The whole study is repeated by " MLK_DOC_CODE
                 "mlkit benchmark -c %s/campaign.yaml -o ANOTHER" MLK_DOC_END "%s"
                 ". Its steps are commands that can be repeated by hand, too; each was started as "
                 "shown, in the folder in which the study was begun (start structure and copies "
                 "of ready models are made by mlkit benchmark itself).",
                 r->run, mlk_report_by_time(r));
    mlk_doc_code(d);
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
        if (!again) mlk_doc_line(d, c);
    }
}

static void stages(const mlk_report *r, mlk_document *d)
{
    static const char *const stage[] = {"dataset",   "structure", "model",     "train", "md",
                                        "transport", "validate",  "committee", "report"};
    mlk_doc_heading(d, 3, "time", "Time");
    mlk_doc_table(d, "lrrr", NULL);
    mlk_doc_head(d, "stage|jobs done|jobs failed|sum of wall times (s)");
    for (size_t k = 0; k < sizeof stage / sizeof *stage; k++) {
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
        mlk_doc_row(d, false, false, -1);
        mlk_doc_cell(d, "%s", stage[k]), mlk_doc_cell(d, "%d", n), mlk_doc_cell(d, "%d", bad);
        mlk_doc_cell(d, "%.0f", wall);
    }
}

static void settings(const mlk_report *r, mlk_document *d)
{
    const mlk_conf *set = mlk_conf_get(&r->conf, "settings");
    static const char *const top[] = {"mlkit", "compiler", "created"};
    mlk_doc_heading(d, 3, "settings", "Settings");
    mlk_doc_fold(d);
    mlk_doc_table(d, "ll", NULL);
    for (int k = 0; k < 3; k++) pair(d, top[k], mlk_conf_str(&r->conf, top[k], "–"));
    for (size_t k = 0; set && set->kind == MLK_CONF_MAP && k < set->n_child; k++) {
        const char *v = set->child[k].value;
        pair(d, set->child[k].key, v && *v ? v : "(default)");
    }
    pair(d, "start structure", mlk_conf_str(mlk_conf_get(&r->conf, "start"), "from", "–"));
    for (int m = 0; m < r->n_model; m++) {
        const mlk_report_model *q = &r->model[m];
        char what[1100];
        if (*q->ready)
            snprintf(what, sizeof what, "ready model, %s", q->ready);
        else
            snprintf(what, sizeof what, "seed %d%s%s", q->seed, *q->settings ? ", " : "",
                     q->settings);
        pair(d, q->name, what);
    }
}

static mlk_status reproducibility(const mlk_report *r, mlk_document *d, mlk_err *e)
{
    char *text = NULL, *save = NULL;
    const mlk_conf *in = mlk_conf_get(&r->conf, "inputs");
    mlk_doc_heading(d, 2, "repro", "6 Reproducibility");
    mlk_doc_heading(d, 3, "methods", "Methods");
    MLK_TRY(mlk_report_methods_text(r, &text, e));
    for (char *p = strtok_r(text, "\n", &save); p; p = strtok_r(NULL, "\n", &save))
        if (*p) mlk_doc_text(d, "%s", p);
    mlk_free(text);
    mlk_doc_heading(d, 3, "references", "References");
    mlk_doc_list(d);
    mlk_report_references(r, d);
    mlk_doc_text(
        d, "The same as LaTeX: " MLK_DOC_LINK "methods.tex" MLK_DOC_AT "methods.tex" MLK_DOC_END
           " with " MLK_DOC_LINK "references.bib" MLK_DOC_AT "references.bib" MLK_DOC_END
           ", as Markdown: " MLK_DOC_LINK "methods.md" MLK_DOC_AT "methods.md" MLK_DOC_END
           ". All numbers: " MLK_DOC_LINK "report.json" MLK_DOC_AT "report.json" MLK_DOC_END
           "; tables as CSV and LaTeX in " MLK_DOC_LINK "tables/" MLK_DOC_AT "tables/" MLK_DOC_END
           "; figures as SVG and PDF with their data and gnuplot scripts in " MLK_DOC_LINK
           "figures/" MLK_DOC_AT "figures/" MLK_DOC_END ".");
    stages(r, d);
    settings(r, d);
    commands(r, d);
    mlk_doc_heading(d, 3, "inputs", "Input files");
    mlk_doc_fold(d);
    mlk_doc_text(d, "SHA-256 and name of every file the data were read from.");
    mlk_doc_code(d);
    for (size_t k = 0; in && in->kind == MLK_CONF_LIST && k < in->n_child; k++) {
        char line[400];
        snprintf(line, sizeof line, "%.80s  %.300s", mlk_conf_str(&in->child[k], "sha256", "?"),
                 mlk_path_base(mlk_conf_str(&in->child[k], "path", "?")));
        mlk_doc_line(d, line);
    }
    return mlk_report_outputs(r, d, e);
}

mlk_status mlk_report_document(const mlk_report *r, mlk_document *d, mlk_err *e)
{
    mlk_doc_init(d, e);
    head(r, d);
    result(r, d);
    gauge(r, d);
    models(r, d);
    md(r, d);
    transport(r, d);
    MLK_TRY(reproducibility(r, d, e));
    return d->st;
}
