/* figures.c - the headline figures: thermal conductivity of every model, agreement, gauge. The
 * others are in figures_models.c, figures_md.c and figures_transport.c. */
#include <math.h>
#include <string.h>

#include "core/file.h"
#include "reports/plot.h"
#include "reports/report.h"

/* largest naive or corrected value with its error bar */
static double top_of(const mlk_report *r)
{
    double top = 0;
    for (int m = 0; m < r->n_model; m++)
        for (int t = 0; t < r->n_temp; t++) {
            const json_t *j = mlk_report_at(r, m, t);
            double a =
                mlk_json_get_real(j, "kappa_naive", 0) + mlk_json_get_real(j, "kappa_naive_err", 0);
            double b = mlk_json_get_real(j, "kappa", 0) + mlk_json_get_real(j, "kappa_err", 0);
            top = fmax(top, fmax(a, b));
        }
    return top > 0 ? top : 1;
}

/* The fits of kappa(T) as curves, for the corrected panel. */
static mlk_status fit_rows(mlk_plot *p, mlk_report *r, mlk_err *e)
{
    const mlk_kappa_fit *f = r->kappa_t.fit;
    if (!f[MLK_KAPPA_CONSTANT].there) return MLK_OK;
    double lo = r->temp[0], hi = r->temp[r->n_temp - 1];
    MLK_TRY(mlk_plot_csv(p, r, "kappa_fit.csv",
                         "temperature_K,constant_W_mK,A_over_T_W_mK,A_over_T_plus_B_W_mK", e));
    for (int k = 0; k <= 50; k++) {
        double T = lo + (hi - lo) * k / 50;
        fprintf(p->csv.fp, "%.8g,%.8g,%.8g,", T, mlk_kappa_fit_at(&f[MLK_KAPPA_CONSTANT], T),
                mlk_kappa_fit_at(&f[MLK_KAPPA_INVERSE], T));
        if (f[MLK_KAPPA_OFFSET].there)
            fprintf(p->csv.fp, "%.8g", mlk_kappa_fit_at(&f[MLK_KAPPA_OFFSET], T));
        fputc('\n', p->csv.fp);
    }
    return mlk_plot_csv_end(p, e);
}

static void fit_lines(mlk_plot *p, const mlk_report *r)
{
    static const char *const dash[] = {"dt 3", "dt 2", "dt 1"}, *const name[] = {"constant", "A/T",
                                                                                 "A/T + B"};
    for (int k = 0; k < MLK_KAPPA_FORMS; k++)
        if (r->kappa_t.fit[k].there)
            fprintf(p->gp,
                    "'kappa_fit.csv' skip 1 using 1:%d with lines lw 1.1 %s lc rgb '#444444' title "
                    "'fit of the mean: %s', ",
                    k + 2, dash[k], name[k]);
}

mlk_status mlk_report_kappa(mlk_report *r, mlk_err *e)
{
    mlk_plot p = {0};
    int rows = 0;
    double lo = r->temp[0], hi = r->temp[r->n_temp - 1], range = hi > lo ? hi - lo : 100;
    MLK_TRY(mlk_plot_csv(
        &p, r, "kappa.csv",
        "model,temperature_K,kappa_naive_W_mK,kappa_naive_err,kappa_W_mK,kappa_err", e));
    for (int m = 0; m < r->n_model; m++)
        for (int t = 0; t < r->n_temp; t++) {
            const json_t *j = mlk_report_at(r, m, t);
            double n = mlk_json_get_real(j, "kappa_naive", NAN),
                   k = mlk_json_get_real(j, "kappa", NAN);
            if (!isfinite(n) || !isfinite(k)) continue;
            fprintf(p.csv.fp, "%s,%.10g,%.8g,%.8g,%.8g,%.8g\n", r->model[m].name, r->temp[t], n,
                    mlk_json_get_real(j, "kappa_naive_err", 0), k,
                    mlk_json_get_real(j, "kappa_err", 0));
            rows++;
        }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_csv(&p, r, "kappa_mean.csv",
                         "temperature_K,mean_naive,tau_naive,mean_corrected,tau_corrected", e));
    int means = 0;
    for (int t = 0; t < r->n_temp; t++)
        if (r->row[t].naive.n > 1 && r->row[t].corrected.n > 1) {
            fprintf(p.csv.fp, "%.10g,%.8g,%.8g,%.8g,%.8g\n", r->temp[t], r->row[t].naive.mean,
                    r->row[t].naive.tau, r->row[t].corrected.mean, r->row[t].corrected.tau);
            means++;
        }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    MLK_TRY(fit_rows(&p, r, e));
    MLK_TRY(mlk_plot_begin(&p, r, "kappa", 900, 430, e));
    double dodge = 0.022 * range, half = 0.03 * range + dodge * (r->n_model - 1) / 2;
    fprintf(p.gp, "set xrange [%.6g:%.6g]\nset yrange [0:%.6g]\nset xlabel 'temperature (K)'\n",
            lo - half - 0.06 * range, hi + half + 0.06 * range, 1.16 * top_of(r));
    fprintf(p.gp, "set xtics (");
    for (int t = 0; t < r->n_temp; t++) fprintf(p.gp, "%s%.6g", t ? ", " : "", r->temp[t]);
    fprintf(p.gp, ")\nset style fill solid 1 noborder\n");
    mlk_plot_grid(&p, 1, 2, true, true, MLK_PLOT_SYMBOLS);
    for (int side = 0; side < 2; side++) {
        fprintf(p.gp, "set title '%s'\n", side ? "Onsager-corrected" : "naive Green–Kubo");
        fprintf(p.gp, "set ylabel '%s (W m^{-1} K^{-1})'\n%splot ", side ? "κ" : "κ_{naive}",
                side ? "unset label\n" : "");
        if (means)
            fprintf(
                p.gp,
                "'kappa_mean.csv' skip 1 using 1:%d:(%.6g):($%d > 0 ? $%d : 0) with boxxyerrorbars "
                "lc rgb '#E3E3E3', '' skip 1 using ($1-%.6g):%d:(%.6g):(0) with vectors nohead "
                "lw 1.2 lc rgb '#888888' title 'mean of the models', ",
                side ? 4 : 2, half, side ? 5 : 3, side ? 5 : 3, half, side ? 4 : 2, 2 * half);
        if (side) fit_lines(&p, r);
        for (int m = 0; m < r->n_model; m++)
            fprintf(p.gp,
                    "%s'kappa.csv' skip 1 using (strcol(1) eq '%s' ? $2 + %.6g : NaN):%d:%d with "
                    "yerrorbars ls %d title \"%s\" noenhanced",
                    m ? ", " : "", r->model[m].name, dodge * (m - 0.5 * (r->n_model - 1)),
                    side ? 5 : 3, side ? 6 : 4, mlk_plot_style(m), r->model[m].name);
        fprintf(p.gp, "\n");
        mlk_plot_panel(&p, side ? "corrected" : "naive", "T", "K", "κ", "W/m/K", MLK_PLOT_TEMPS);
    }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Thermal conductivity of every model",
        "Thermal conductivity against temperature, naive Green–Kubo (left) and Onsager-corrected "
        "(right) on one scale. Symbols: the models with one standard error, set side by side "
        "at each temperature for legibility. Grey line: mean over models weighted by "
        "1/error²; grey box: ± τ, the scatter between models beyond their error bars (no "
        "box: τ = 0). Right, from three temperatures on: fits of the mean, constant (dotted), A/T "
        "(dashed) and, from four on, A/T + B (solid).",
        e);
}

static mlk_status agreement(mlk_report *r, mlk_err *e)
{
    mlk_plot p = {0};
    int rows = 0;
    double top = 0, range = r->temp[r->n_temp - 1] - r->temp[0],
           dodge = 0.008 * (range > 0 ? range : 100);
    MLK_TRY(mlk_plot_csv(
        &p, r, "agreement.csv",
        "temperature_K,tau_naive,tau_corrected,sd_naive,sd_corrected,p_naive,p_corrected,"
        "tau_naive_low,tau_naive_high,tau_corrected_low,tau_corrected_high",
        e));
    for (int t = 0; t < r->n_temp; t++)
        if (r->row[t].naive.n > 1 && r->row[t].corrected.n > 1) {
            const mlk_comparison *a = &r->row[t].naive, *b = &r->row[t].corrected;
            fprintf(p.csv.fp, "%.10g,%.8g,%.8g,%.8g,%.8g,%.8g,%.8g,%.8g,%.8g,%.8g,%.8g\n",
                    r->temp[t], a->tau, b->tau, a->tau_sd, b->tau_sd, a->p_value, b->p_value,
                    a->tau_lo, a->tau_limit, b->tau_lo, b->tau_limit);
            top = fmax(top, fmax(fmax(a->tau, a->tau_sd), fmax(b->tau, b->tau_sd)));
            rows++;
        }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, "agreement", 900, 360, e));
    fprintf(p.gp, "set xlabel 'temperature (K)'\nset offsets graph 0.06, graph 0.06, graph 0.12, "
                  "0\nset xtics (");
    for (int t = 0; t < r->n_temp; t++) fprintf(p.gp, "%s%.6g", t ? ", " : "", r->temp[t]);
    fprintf(p.gp, ")\n");
    if (!(range > 0)) fprintf(p.gp, "set xrange [%.6g:%.6g]\n", r->temp[0] - 20, r->temp[0] + 20);
    mlk_plot_legend(&p, 2, (const char *const[]){"naive", "corrected"}, (const int[]){2, 1});
    mlk_plot_grid(&p, 1, 2, true, true, MLK_PLOT_NO_KEY);
    fprintf(p.gp,
            "set yrange [0:%.6g]\nset title 'scatter between models'\n"
            "set ylabel 'scatter (W m^{-1} K^{-1})'\nplot "
            "'agreement.csv' skip 1 using ($1-%.6g):2:8:9 with yerrorlines ls 2 title 'τ naive', "
            "'' skip 1 using ($1+%.6g):3:10:11 with yerrorlines ls 1 title 'τ corrected', "
            "'' skip 1 using ($1-%.6g):4 with points pt 4 ps 0.75 lc rgb '#D55E00' title 's.d. "
            "naive', '' skip 1 using ($1+%.6g):5 with points pt 6 ps 0.75 lc rgb '#0072B2' title "
            "'s.d. corrected'\n",
            top > 0 ? 2.1 * top : 1, dodge, dodge, dodge, dodge);
    mlk_plot_panel(&p, "scatter", "T", "K", "", "W/m/K", MLK_PLOT_TEMPS);
    fprintf(
        p.gp,
        "unset offsets\nset offsets graph 0.06, graph 0.06, 0, 0\nunset label\n"
        "set title 'do the models agree?'\nset ylabel 'p-value'\nset logscale y\nset format y "
        "'10^{%%T}'\n"
        "set yrange [1e-6:2]\n"
        "set label 1 'p = 0.05' at graph 0.02, first 0.025 tc rgb '#666666'\nplot "
        "0.05 with lines lw 1 dt 2 lc rgb '#777777', "
        "'agreement.csv' skip 1 using ($1-%.6g):($6 > 1.5e-6 ? $6 : 1.5e-6) with linespoints ls 2 "
        "title 'naive', "
        "'' skip 1 using ($1+%.6g):($7 > 1.5e-6 ? $7 : 1.5e-6) with linespoints ls 1 title "
        "'corrected'\n",
        dodge, dodge);
    mlk_plot_panel(&p, "p-value", "T", "K", "p", "", MLK_PLOT_LOGY | MLK_PLOT_TEMPS);
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Agreement of the models",
        "Left: scatter between models: τ (DerSimonian–Laird, beyond the error bars; lines) and the "
        "plain standard deviation (open symbols). Bars: from the lower end of the 95 % interval of "
        "τ to its 95 % upper limit, cut at the frame; τ weights by 1/error² and may come out below "
        "them where a model that stands apart has the largest error. Right: probability of a "
        "heterogeneity at least this large if all models had the same κ (values below 10⁻⁶ are "
        "drawn at the lower edge); below the dashed line the models differ significantly.",
        e);
}

mlk_status mlk_report_gauge(mlk_report *r, mlk_err *e)
{
    mlk_plot p = {0};
    char title[40];
    const char *unit = "eV per atom";
    int idx[3], n = mlk_report_panels(r, idx), rows = 0;
    MLK_TRY(mlk_plot_csv(&p, r, "gauge.csv",
                         "temperature_K,model,offset_eV,kappa_naive_W_mK,kappa_W_mK", e));
    for (int q = 0; q < r->n_temp; q++)
        for (int m = 0; m < r->n_model; m++) {
            const json_t *j = mlk_report_at(r, m, q);
            const json_t *g = json_object_get(json_object_get(j, "curves"), "gauge");
            const json_t *x = json_object_get(g, "offset_eV"),
                         *y = json_object_get(g, "kappa_naive");
            const json_t *k = json_object_get(g, "kappa");
            unit = mlk_json_get_str(g, "unit", unit);
            for (size_t i = 0; i < json_array_size(x) && i < json_array_size(y); i++, rows++)
                fprintf(p.csv.fp, "%.10g,%s,%.8g,%.8g,%.8g\n", r->temp[q], r->model[m].name,
                        json_number_value(json_array_get(x, i)),
                        json_number_value(json_array_get(y, i)),
                        json_is_number(k)        ? json_number_value(k)
                        : json_array_size(k) > i ? json_number_value(json_array_get(k, i))
                                                 : mlk_json_get_real(j, "kappa", 0));
        }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, "gauge", 900, 360, e));
    fprintf(p.gp, "set xlabel 'energy offset (%s)'\nset yrange [0:*]\n", unit);
    mlk_plot_grid(&p, 1, n, false, true, MLK_PLOT_CURVES);
    for (int q = 0; q < n; q++) {
        fprintf(p.gp, "set title '%.6g K'\nset ylabel '%s'\n%splot ", r->temp[idx[q]],
                q ? "" : "κ (W m^{-1} K^{-1})", q ? "unset label\n" : "");
        for (int m = 0; m < r->n_model; m++)
            fprintf(p.gp,
                    "%s'gauge.csv' skip 1 using ($1 == %.10g && strcol(2) eq '%s' ? $3 : NaN):4 "
                    "with lines "
                    "ls %d title \"%s\" noenhanced, '' skip 1 using ($1 == %.10g && strcol(2) eq "
                    "'%s' ? $3 : NaN):5 "
                    "with lines ls %d lw 1.2 dt 3 title \"%s, corrected\" noenhanced",
                    m ? ", " : "", r->temp[idx[q]], r->model[m].name, mlk_plot_curve(m),
                    r->model[m].name, r->temp[idx[q]], r->model[m].name, mlk_plot_curve(m),
                    r->model[m].name);
        for (int m = 0; m < r->n_model; m++)
            fprintf(
                p.gp,
                ", 'kappa.csv' skip 1 using ($2 == %.10g && strcol(1) eq '%s' ? 0 : NaN):3:4 with "
                "yerrorbars pt 6 ps 0.9 lw 1.4 lc rgb '#333333' title \"%s\" noenhanced",
                r->temp[idx[q]], r->model[m].name, r->model[m].name);
        fprintf(p.gp, "\n");
        snprintf(title, sizeof title, "%.6g K", r->temp[idx[q]]);
        mlk_plot_panel(&p, title, "offset", unit, "κ", "W/m/K", 0);
    }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Gauge sweep",
        "The same trajectories after a constant energy is added to every atom of the mobile "
        "species, "
        "which changes no force. The naive value follows a parabola; the corrected value "
        "(dotted) does not move and is its minimum, within the errors. Circles: the partition of "
        "the energy "
        "each fit happened to choose, with one standard error.",
        e);
}

mlk_status mlk_report_figures(mlk_report *r, mlk_err *e)
{
    mlk_plot_probe(&r->gnuplot, &r->pdf);
    MLK_TRY(mlk_report_kappa(r, e));
    MLK_TRY(agreement(r, e));
    MLK_TRY(mlk_report_gauge(r, e));
    MLK_TRY(mlk_report_figures_models(r, e));
    MLK_TRY(mlk_report_figures_md(r, e));
    return mlk_report_figures_transport(r, e);
}
