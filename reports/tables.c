/* tables.c - the tables of the report as CSV and LaTeX (booktabs). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "reports/report.h"

typedef struct table {
    mlk_out csv, tex;
    int col;
} table;

static mlk_status begin(table *t, const mlk_report *r, const char *name, const char *tex_cols,
                        const char *comment, mlk_err *e)
{
    char file[64], path[1300];
    snprintf(file, sizeof file, "%s.csv", name);
    MLK_TRY(mlk_out_begin(&t->csv, mlk_path_join(path, sizeof path, r->tabdir, file), e));
    snprintf(file, sizeof file, "%s.tex", name);
    mlk_status s = mlk_out_begin(&t->tex, mlk_path_join(path, sizeof path, r->tabdir, file), e);
    if (s) {
        mlk_out_abort(&t->csv);
        return s;
    }
    fprintf(t->tex.fp, "%% %s; needs \\usepackage{booktabs}\n\\begin{tabular}{%s}\n\\toprule\n",
            comment, tex_cols);
    t->col = 0;
    return MLK_OK;
}

void mlk_tex(FILE *f, const char *s, size_t n)
{
    static const struct {
        const char *from, *to;
    } map[] = {{"κ", "$\\kappa$"},
               {"τ", "$\\tau$"},
               {"χ", "$\\chi$"},
               {"α", "$\\alpha$"},
               {"²", "$^2$"},
               {"³", "$^3$"},
               {"⁻¹", "$^{-1}$"},
               {"×", "$\\times$"},
               {"±", "$\\pm$"},
               {"Å", "{\\AA}"},
               {"–", "--"},
               {"−", "$-$"},
               {"·", "$\\cdot$"},
               {"\\", "\\textbackslash{}"},
               {"~", "\\textasciitilde{}"},
               {"^", "\\textasciicircum{}"}};
    while (n) {
        size_t used = 0;
        for (size_t k = 0; k < sizeof map / sizeof *map && !used; k++) {
            size_t len = strlen(map[k].from);
            if (len > n || memcmp(s, map[k].from, len)) continue;
            fputs(map[k].to, f);
            used = len;
        }
        if (!used) {
            if (strchr("_%&#${}", *s)) fputc('\\', f);
            fputc(*s, f);
            used = 1;
        }
        s += used, n -= used;
    }
}

static void head(table *t, const char *csv, const char *tex)
{
    fprintf(t->csv.fp, "%s%s", t->col ? "," : "", csv);
    fprintf(t->tex.fp, "%s%s", t->col ? " & " : "", tex);
    t->col++;
}

static void text(table *t, const char *s)
{
    bool quote = strchr(s, ',') != NULL;
    fprintf(t->csv.fp, quote ? "%s\"%s\"" : "%s%s", t->col ? "," : "", s);
    if (t->col) fputs(" & ", t->tex.fp);
    if (*s == '-' && s[1] >= '0' && s[1] <= '9') fputs("$-$", t->tex.fp), s++;
    mlk_tex(t->tex.fp, s, strlen(s));
    t->col++;
}

/* a number: all digits in CSV, as `shown` in LaTeX */
static void number(table *t, double v, const char *shown)
{
    const char *ten = strchr(shown, 'e'), *less = *shown == '<' ? "<" : "";
    if (t->col) fputc(',', t->csv.fp), fputs(" & ", t->tex.fp);
    if (isfinite(v)) fprintf(t->csv.fp, "%.10g", v);
    t->col++;
    shown += *less ? strspn(shown, "< ") : 0;
    if (!isfinite(v))
        fputs(isinf(v) ? "$\\infty$" : "--", t->tex.fp);
    else if (ten)
        fprintf(t->tex.fp, "$%.*s \\times 10^{%ld}$", (int)(ten - shown), shown,
                strtol(ten + 1, NULL, 10));
    else
        fprintf(t->tex.fp, "$%s%s$", less, shown);
}

/* so many significant digits */
static void sig(table *t, double v, int digits)
{
    char buf[32];
    number(t, v, mlk_sig(v, digits, buf));
}

/* so many decimals; 0: counts */
static void fixed(table *t, double v, int decimals)
{
    char buf[400];
    snprintf(buf, sizeof buf, "%.*f", decimals, v);
    number(t, v, buf);
}

static void temperature_of(table *t, double v)
{
    char buf[32];
    snprintf(buf, sizeof buf, "%.5g", v);
    number(t, v, buf);
}

static void pvalue(table *t, double p)
{
    char buf[32];
    number(t, p, mlk_pvalue(p, buf));
}

/* one column "a ± b" in LaTeX, two in CSV */
static void pm(table *t, double v, double err)
{
    char buf[64];
    mlk_pm(v, err, buf);
    fprintf(t->csv.fp, "%s", t->col ? "," : "");
    if (isfinite(v)) fprintf(t->csv.fp, "%.10g", v);
    fputc(',', t->csv.fp);
    if (isfinite(err)) fprintf(t->csv.fp, "%.10g", err);
    char *sign = strstr(buf, " ± ");
    if (!isfinite(v))
        fprintf(t->tex.fp, "%s--", t->col ? " & " : "");
    else if (sign)
        fprintf(t->tex.fp, "%s$%.*s \\pm %s$", t->col ? " & " : "", (int)(sign - buf), buf,
                sign + strlen(" ± "));
    else
        fprintf(t->tex.fp, "%s$%s$", t->col ? " & " : "", buf);
    t->col++;
}

/* one column "a (< b)" in LaTeX, two in CSV */
static void limited(table *t, double v, double most)
{
    char a[32], b[32];
    fprintf(t->csv.fp, "%s%.10g,%.10g", t->col ? "," : "", v, most);
    fprintf(t->tex.fp, "%s$%s$ ($<%s$)", t->col ? " & " : "", mlk_sig(v, 2, a),
            mlk_sig(most, 2, b));
    t->col++;
}

static void row_end(table *t, bool is_head)
{
    fputc('\n', t->csv.fp);
    fprintf(t->tex.fp, " \\\\\n%s", is_head ? "\\midrule\n" : "");
    t->col = 0;
}

static mlk_status end(table *t, mlk_err *e)
{
    fprintf(t->tex.fp, "\\bottomrule\n\\end{tabular}\n");
    mlk_status s = mlk_out_commit(&t->csv, e), u = mlk_out_commit(&t->tex, e);
    return s ? s : u;
}

static mlk_status kappa(const mlk_report *r, mlk_err *e)
{
    table t = {0};
    MLK_TRY(
        begin(&t, r, "kappa", "rlcccc", "thermal conductivity in W/(m K), one standard error", e));
    head(&t, "temperature_K", "$T$ (K)"), head(&t, "model", "model");
    head(&t, "kappa_naive_W_mK,kappa_naive_err", "$\\kappa_\\mathrm{naive}$ (W/m/K)");
    head(&t, "kappa_W_mK,kappa_err", "$\\kappa$ (W/m/K)"), head(&t, "theta,theta_err", "$\\Theta$");
    head(&t, "sigma_S_m,sigma_err", "$\\sigma$ (S/m)");
    row_end(&t, true);
    for (int q = 0; q < r->n_temp; q++)
        for (int m = 0; m < r->n_model; m++) {
            const json_t *j = mlk_report_at(r, m, q);
            if (!j) continue;
            temperature_of(&t, r->temp[q]);
            text(&t, r->model[m].name);
            pm(&t, mlk_json_get_real(j, "kappa_naive", NAN),
               mlk_json_get_real(j, "kappa_naive_err", NAN));
            pm(&t, mlk_json_get_real(j, "kappa", NAN), mlk_json_get_real(j, "kappa_err", NAN));
            double v[2];
            mlk_report_theta(j, v), pm(&t, v[0], v[1]);
            mlk_report_sigma(j, v), pm(&t, v[0], v[1]);
            row_end(&t, false);
        }
    return end(&t, e);
}

static mlk_status agreement(const mlk_report *r, mlk_err *e)
{
    table t = {0};
    MLK_TRY(begin(&t, r, "agreement", "rrccccccc",
                  "heterogeneity between models; kappa and tau (95 % upper limit) in W/(m K)", e));
    head(&t, "temperature_K", "$T$ (K)"), head(&t, "n_models", "models");
    head(&t, "mean_naive,mean_naive_err", "$\\bar\\kappa_\\mathrm{naive}$");
    head(&t, "tau_naive,tau_limit_naive", "$\\tau_\\mathrm{naive}$ (limit)"),
        head(&t, "p_naive", "$p_\\mathrm{naive}$");
    head(&t, "mean_corrected,mean_corrected_err", "$\\bar\\kappa$");
    head(&t, "tau_corrected,tau_limit_corrected", "$\\tau$ (limit)"),
        head(&t, "p_corrected", "$p$");
    head(&t, "reduction_factor", "$\\tau_\\mathrm{naive}/\\tau$");
    row_end(&t, true);
    for (int q = 0; q < r->n_temp; q++) {
        const mlk_comparison *a = &r->row[q].naive, *b = &r->row[q].corrected;
        if (a->n < 2 || b->n < 2) continue;
        temperature_of(&t, r->temp[q]), fixed(&t, (double)a->n, 0);
        pm(&t, a->mean, a->mean_err), limited(&t, a->tau, a->tau_limit), pvalue(&t, a->p_value);
        pm(&t, b->mean, b->mean_err), limited(&t, b->tau, b->tau_limit), pvalue(&t, b->p_value);
        sig(&t, r->row[q].reduction, 2);
        row_end(&t, false);
    }
    return end(&t, e);
}

static mlk_status errors(const mlk_report *r, mlk_err *e)
{
    static const char *const keys[] = {"energy_rmse_meV_atom", "force_rmse_meV_A",
                                       "stress_rmse_GPa"};
    static const char *const shown[] = {
        "\\shortstack{$E$ train\\\\(meV/atom)}",  "\\shortstack{$F$ train\\\\(meV/\\AA)}",
        "\\shortstack{$\\sigma$ train\\\\(GPa)}", "\\shortstack{$E$ valid\\\\(meV/atom)}",
        "\\shortstack{$F$ valid\\\\(meV/\\AA)}",  "\\shortstack{$\\sigma$ valid\\\\(GPa)}"};
    table t = {0};
    MLK_TRY(begin(&t, r, "errors", "llrcccccc",
                  "root-mean-square errors, train then validation: meV/atom, meV/A, GPa", e));
    head(&t, "model", "model"), head(&t, "type", "family"), head(&t, "n_param", "parameters");
    for (int k = 0; k < 6; k++) {
        char csv[64];
        snprintf(csv, sizeof csv, "%s%s", k < 3 ? "" : "valid_", keys[k % 3]);
        head(&t, csv, shown[k]);
    }
    row_end(&t, true);
    for (int m = 0; m < r->n_model; m++) {
        const json_t *j = r->model[m].train;
        if (!j) continue;
        text(&t, r->model[m].name), text(&t, r->model[m].type);
        fixed(&t, mlk_json_get_real(j, "n_param", NAN), 0);
        for (int side = 0; side < 2; side++)
            for (int k = 0; k < 3; k++)
                sig(&t,
                    mlk_json_get_real(json_object_get(j, side ? "valid" : "train"), keys[k], NAN),
                    3);
        row_end(&t, false);
    }
    return end(&t, e);
}

static mlk_status md(const mlk_report *r, mlk_err *e)
{
    table t = {0};
    MLK_TRY(begin(&t, r, "md", "lrrccccccccc", "molecular dynamics runs", e));
    head(&t, "model", "model"), head(&t, "temperature_K", "$T$ (K)"),
        head(&t, "replica", "replica");
    head(&t, "temperature_mean_K", "\\shortstack{$\\langle T\\rangle$\\\\(K)}");
    head(&t, "volume_A3_atom", "\\shortstack{volume\\\\(\\AA$^3$/atom)}");
    head(&t, "drift_meV_atom_ns", "\\shortstack{drift\\\\(meV/atom/ns)}"),
        head(&t, "atoms", "atoms");
    head(&t, "outside_percent", "\\shortstack{outside\\\\(\\%)}"), head(&t, "worst_grade", "grade");
    head(&t, "shortest_ratio", "nearest"), head(&t, "bonds_broke", "broken");
    head(&t, "wall_s", "\\shortstack{wall\\\\(s)}");
    row_end(&t, true);
    for (size_t k = 0; k < r->n_md; k++) {
        const mlk_report_md *m = &r->md[k];
        if (!m->there) continue;
        text(&t, r->model[m->model].name);
        temperature_of(&t, r->temp[m->temp]), fixed(&t, m->rep + 1, 0), fixed(&t, m->t_mean, 1);
        fixed(&t, m->volume / m->atoms, 3);
        sig(&t, m->drift, 2), fixed(&t, m->atoms, 0);
        sig(&t, 100 * m->outside, 2), sig(&t, m->worst, 2);
        fixed(&t, m->shortest, 3), fixed(&t, m->broke, 0), fixed(&t, m->wall, 0);
        row_end(&t, false);
    }
    return end(&t, e);
}

static mlk_status temperature(const mlk_report *r, mlk_err *e)
{
    table t = {0};
    MLK_TRY(begin(&t, r, "kappa_of_T", "lccrrrrr",
                  "fits of the mean corrected kappa; A in W/m, B in W/(m K)", e));
    head(&t, "form", "$\\kappa(T)$"), head(&t, "A_W_m,A_err", "$A$ (W/m)");
    head(&t, "B_W_mK,B_err", "$B$ (W/m/K)"), head(&t, "chi2", "$\\chi^2$");
    head(&t, "dof", "d.o.f."), head(&t, "p_value", "$p$"), head(&t, "aic", "AIC");
    head(&t, "bic", "BIC");
    row_end(&t, true);
    for (int q = 0; q < MLK_KAPPA_FORMS; q++) {
        const mlk_kappa_fit *f = &r->kappa_t.fit[q];
        if (!f->there) continue;
        text(&t, mlk_kappa_form_name((mlk_kappa_form)q));
        pm(&t, q == MLK_KAPPA_CONSTANT ? NAN : f->a, q == MLK_KAPPA_CONSTANT ? NAN : f->a_err);
        pm(&t, q == MLK_KAPPA_INVERSE ? NAN : f->b, q == MLK_KAPPA_INVERSE ? NAN : f->b_err);
        sig(&t, f->chi2, 3), fixed(&t, f->dof, 0), pvalue(&t, f->p_value);
        sig(&t, f->aic, 3), sig(&t, f->bic, 3);
        row_end(&t, false);
    }
    return end(&t, e);
}

static mlk_status dataset(const mlk_report *r, mlk_err *e)
{
    table t = {0};
    mlk_report_fact fact[MLK_REPORT_FACTS];
    int n = mlk_report_facts(r, fact);
    if (!n) return MLK_OK;
    MLK_TRY(begin(&t, r, "dataset", "ll", "the data set", e));
    head(&t, "quantity", "quantity"), head(&t, "value", "value");
    row_end(&t, true);
    for (int k = 0; k < n; k++) {
        text(&t, fact[k].name), text(&t, fact[k].value);
        row_end(&t, false);
    }
    return end(&t, e);
}

/* Percentages of errors inside an interval: as the spread is, and calibrated. */
static void coverage(table *t, const json_t *quantity, const char *key)
{
    const json_t *c = json_object_get(quantity, key);
    fixed(t, 100 * mlk_json_get_real(c, "before", NAN), 1);
    pm(t, 100 * mlk_json_get_real(c, "after", NAN), 100 * mlk_json_get_real(c, "after_err", NAN));
}

static mlk_status intervals(const mlk_report *r, mlk_err *e)
{
    static const char *const keys[] = {"force", "energy"};
    table t = {0};
    bool any = false;
    for (int m = 0; m < r->n_model; m++) any |= r->model[m].committee != NULL;
    if (!any) return MLK_OK;
    MLK_TRY(begin(&t, r, "intervals", "rllcccccccc",
                  "prediction intervals of committees: errors inside 1 and 2 sigma in percent "
                  "(68.3 and 95.4 expected), raw spread and calibrated",
                  e));
    head(&t, "members", "models"), head(&t, "type", "family"), head(&t, "quantity", "quantity");
    head(&t, "spread", "spread"), head(&t, "rmse", "RMSE");
    head(&t, "alpha,alpha_err", "$\\alpha$");
    head(&t, "inside_1sigma_raw_percent", "\\shortstack{$1\\sigma$ (\\%)\\\\raw}");
    head(&t, "inside_1sigma_percent,inside_1sigma_err_percent",
         "\\shortstack{$1\\sigma$ (\\%)\\\\calibrated}");
    head(&t, "inside_2sigma_raw_percent", "\\shortstack{$2\\sigma$ (\\%)\\\\raw}");
    head(&t, "inside_2sigma_percent,inside_2sigma_err_percent",
         "\\shortstack{$2\\sigma$ (\\%)\\\\calibrated}");
    head(&t, "rank_correlation", "$\\rho$");
    row_end(&t, true);
    for (int m = 0; m < r->n_model; m++)
        for (int k = 0; r->model[m].committee && k < 2; k++) {
            const json_t *c = r->model[m].committee, *q = json_object_get(c, keys[k]);
            fixed(&t, (double)json_array_size(json_object_get(c, "members")), 0);
            text(&t, r->model[m].type), text(&t, k ? "energy (meV/atom)" : "force (meV/Å)");
            sig(&t, mlk_json_get_real(q, "spread", NAN), 3);
            sig(&t, mlk_json_get_real(q, "rmse", NAN), 3);
            pm(&t, mlk_json_get_real(q, "alpha", NAN), mlk_json_get_real(q, "alpha_err", NAN));
            coverage(&t, q, "coverage_1sigma"), coverage(&t, q, "coverage_2sigma");
            fixed(&t, mlk_json_get_real(q, "spearman", NAN), 2);
            row_end(&t, false);
        }
    return end(&t, e);
}

static mlk_status parts(const mlk_report *r, mlk_err *e)
{
    static const char *const key[MLK_REPORT_PARTS] = {"kinetic,kinetic_err",
                                                      "convective,convective_err",
                                                      "virial,virial_err",
                                                      "kinetic_convective,kinetic_convective_err",
                                                      "kinetic_virial,kinetic_virial_err",
                                                      "convective_virial,convective_virial_err"};
    static const char *const tex[MLK_REPORT_PARTS] = {"kinetic",   "convective", "virial",
                                                      "kin--conv", "kin--vir",   "conv--vir"};
    table t = {0};
    double v[4];
    MLK_TRY(begin(&t, r, "parts", "rllccccccc",
                  "shares of the Green-Kubo integral in W/(m K), one standard error", e));
    head(&t, "temperature_K", "$T$ (K)"), head(&t, "model", "model"), head(&t, "flux", "flux");
    for (int k = 0; k < MLK_REPORT_PARTS; k++) head(&t, key[k], tex[k]);
    head(&t, "sum,sum_err", "sum");
    row_end(&t, true);
    for (int q = 0; q < r->n_temp * r->n_model * 2; q++) {
        int temp = q / 2 / r->n_model, m = q / 2 % r->n_model, side = q % 2;
        const json_t *j = mlk_report_at(r, m, temp);
        if (!mlk_report_part_of(j, 0, v) || !isfinite(v[2 * side])) continue;
        temperature_of(&t, r->temp[temp]), text(&t, r->model[m].name);
        text(&t, side ? "corrected" : "naive");
        for (int k = 0; k < MLK_REPORT_PARTS; k++) {
            mlk_report_part_of(j, k, v);
            pm(&t, v[2 * side], v[2 * side + 1]);
        }
        mlk_report_parts_sum(j, v), pm(&t, v[2 * side], v[2 * side + 1]);
        row_end(&t, false);
    }
    return end(&t, e);
}

mlk_status mlk_report_tables(const mlk_report *r, mlk_err *e)
{
    MLK_TRY(dataset(r, e));
    MLK_TRY(intervals(r, e));
    MLK_TRY(parts(r, e));
    MLK_TRY(kappa(r, e));
    MLK_TRY(agreement(r, e));
    if (r->kappa_t.fit[MLK_KAPPA_CONSTANT].there) MLK_TRY(temperature(r, e));
    MLK_TRY(errors(r, e));
    return md(r, e);
}

int mlk_text_width(const char *s)
{
    int n = 0;
    for (; *s; s++) n += (*s & 0xC0) != 0x80;
    return n;
}

mlk_status mlk_report_text_table(const mlk_report *r, char **out, mlk_err *e)
{
    size_t cap = (size_t)(r->n_temp * r->n_model + 3) * 160, n = 0;
    char *t = *out = mlk_alloc(cap, 1), cell[2][64];
    if (!t) return MLK_FAIL(e, MLK_ENOMEM, "table");
    bool any = false;
    n += (size_t)snprintf(t, cap,
                          "  T (K)  model        kappa naive        kappa corrected    W/m/K\n");
    for (int q = 0; q < r->n_temp; q++)
        for (int m = 0; m < r->n_model; m++) {
            const json_t *j = mlk_report_at(r, m, q);
            if (!j) continue;
            mlk_pm(mlk_json_get_real(j, "kappa_naive", NAN),
                   mlk_json_get_real(j, "kappa_naive_err", NAN), cell[0]);
            mlk_pm(mlk_json_get_real(j, "kappa", NAN), mlk_json_get_real(j, "kappa_err", NAN),
                   cell[1]);
            n += (size_t)snprintf(t + n, cap - n, "%7.5g  %-12s %s%*s %s\n", r->temp[q],
                                  r->model[m].name, cell[0], 18 - mlk_text_width(cell[0]), "",
                                  cell[1]);
            any = true;
        }
    if (!any) *t = 0;
    return MLK_OK;
}
