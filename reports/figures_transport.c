/* figures_transport.c - how the thermal conductivities came about: spectra, cepstral cut-off,
 * running Green-Kubo integrals, and the size of the correction. */
#include <math.h>
#include <string.h>

#include "reports/plot.h"
#include "reports/report.h"

/* One curve of every transport result as rows "temperature,model,columns...". cols: names in the
 * JSON, NULL-ended, the first is the abscissa; a missing or null entry leaves the cell empty. */
static mlk_status curve_rows(mlk_report *r, const char *csv, const char *header, const char *curve,
                             const char *const *cols, int *rows, mlk_err *e)
{
    mlk_plot p = {0};
    *rows = 0;
    MLK_TRY(mlk_plot_csv(&p, r, csv, header, e));
    for (int t = 0; t < r->n_temp; t++)
        for (int m = 0; m < r->n_model; m++) {
            const json_t *j = mlk_report_at(r, m, t);
            const json_t *c = json_object_get(json_object_get(j, "curves"), curve);
            size_t n = json_array_size(json_object_get(c, cols[0]));
            for (size_t i = 0; i < n; i++, ++*rows) {
                fprintf(p.csv.fp, "%.10g,%s", r->temp[t], r->model[m].name);
                for (int k = 0; cols[k]; k++) {
                    const json_t *v = json_array_get(json_object_get(c, cols[k]), i);
                    if (json_is_number(v))
                        fprintf(p.csv.fp, ",%.7g", json_number_value(v));
                    else
                        fputc(',', p.csv.fp);
                }
                fputc('\n', p.csv.fp);
            }
        }
    return mlk_plot_csv_end(&p, e);
}

static mlk_status spectra(mlk_report *r, mlk_err *e)
{
    static const char *const cols[] = {
        "f_THz", "naive", "naive_filtered", "corrected", "corrected_filtered", NULL};
    mlk_plot p = {0};
    int idx[3], n = mlk_report_panels(r, idx), rows;
    MLK_TRY(
        curve_rows(r, "spectrum.csv",
                   "temperature_K,model,f_THz,naive,naive_filtered,corrected,corrected_filtered",
                   "spectrum", cols, &rows, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, "spectrum", 900, 560, e));
    fprintf(p.gp, "set logscale y\nset xrange [0:*]\nset format y '10^{%%T}'\n");
    mlk_plot_grid(&p, 2, n, false, true, true);
    for (int row = 0; row < 2; row++)
        for (int q = 0; q < n; q++) {
            fprintf(p.gp, "set title '%.6g K, %s'\nset xlabel '%s'\nset ylabel '%s'\n%splot ",
                    r->temp[idx[q]], row ? "corrected" : "naive", row ? "frequency (THz)" : "",
                    q ? "" : "spectrum (W m^{-1} K^{-1})", row || q ? "unset label\n" : "");
            for (int layer = 0; layer < 2; layer++)
                for (int m = 0; m < r->n_model; m++) {
                    fprintf(p.gp,
                            "%s'spectrum.csv' skip 1 using ($1 == %.10g && strcol(2) eq '%s' ? $3 "
                            ": NaN):%d with lines ",
                            m || layer ? ", " : "", r->temp[idx[q]], r->model[m].name,
                            4 + 2 * row + layer);
                    if (layer)
                        fprintf(p.gp, "ls %d title \"%s\" noenhanced", mlk_plot_style(m),
                                r->model[m].name);
                    else
                        fprintf(p.gp, "lw 0.6 lc rgb faint(%d)", mlk_plot_style(m));
                }
            fprintf(p.gp, "\n");
        }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Flux spectra and cepstral filter",
        "Power spectra of the energy flux in units of thermal conductivity: as sampled (thin, "
        "pale) and "
        "after the cepstral filter (bold). κ is the value of the bold curve at zero "
        "frequency. Top: naive; bottom: reduced by the mass flux.",
        e);
}

static mlk_status green_kubo(mlk_report *r, mlk_err *e)
{
    static const char *const cols[] = {"t_ps",  "kappa_naive", "kappa_naive_err",
                                       "kappa", "kappa_err",   NULL};
    mlk_plot p = {0};
    int idx[3], n = mlk_report_panels(r, idx), rows;
    MLK_TRY(curve_rows(r, "green_kubo.csv",
                       "temperature_K,model,t_ps,kappa_naive,kappa_naive_err,kappa,kappa_err",
                       "green_kubo", cols, &rows, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, "green_kubo", 900, 560, e));
    /* five to ten tics at round times, however long the integral */
    fprintf(p.gp,
            "stats 'green_kubo.csv' skip 1 using 3 nooutput\n"
            "step = 10 ** floor(log10(STATS_max > 0 ? STATS_max : 1))\nratio = STATS_max / step\n"
            "step = ratio > 5 ? 2 * step : ratio > 2 ? step : step / 2\nset xtics step\n"
            "set xrange [0:STATS_max]\nset style fill noborder\n");
    mlk_plot_grid(&p, 2, n, false, true, true);
    for (int row = 0; row < 2; row++)
        for (int q = 0; q < n; q++) {
            fprintf(p.gp, "set title '%.6g K, %s'\nset xlabel '%s'\nset ylabel '%s'\n%splot ",
                    r->temp[idx[q]], row ? "corrected" : "naive",
                    row ? "upper limit of the integral (ps)" : "", q ? "" : "κ (W m^{-1} K^{-1})",
                    row || q ? "unset label\n" : "");
            int c = 4 + 2 * row;
            for (int layer = 0; layer < 2; layer++)
                for (int m = 0; m < r->n_model; m++) {
                    fprintf(p.gp,
                            "%s'green_kubo.csv' skip 1 using ($1 == %.10g && strcol(2) eq '%s' ? "
                            "$3 : NaN):",
                            m || layer ? ", " : "", r->temp[idx[q]], r->model[m].name);
                    if (layer)
                        fprintf(p.gp, "%d with lines ls %d title \"%s\" noenhanced", c,
                                mlk_plot_style(m), r->model[m].name);
                    else
                        fprintf(p.gp, "($%d-$%d):($%d+$%d) with filledcurves lc rgb band(%d)", c,
                                c + 1, c, c + 1, mlk_plot_style(m));
                }
            fprintf(p.gp, "\n");
        }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Running Green–Kubo integrals",
        "The direct Green–Kubo integral of the flux correlations against its upper limit, with one "
        "standard error (bands). It is an independent check of the cepstral value: the "
        "integral should settle there before noise takes over.",
        e);
}

static mlk_status pstar(mlk_report *r, mlk_err *e)
{
    static const char *const cols[] = {"p", "kappa", "kappa_err", NULL};
    mlk_plot p = {0};
    int idx[3], n = mlk_report_panels(r, idx), rows;
    double top = 0.1;
    MLK_TRY(curve_rows(r, "pstar.csv", "temperature_K,model,p,kappa,kappa_err", "pstar", cols,
                       &rows, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_csv(&p, r, "pstar_chosen.csv", "temperature_K,model,pstar,kappa", e));
    for (int t = 0; t < r->n_temp; t++)
        for (int m = 0; m < r->n_model; m++) {
            const json_t *j = mlk_report_at(r, m, t);
            double ps = mlk_json_get_real(j, "pstar", NAN);
            if (isfinite(ps))
                fprintf(p.csv.fp, "%.10g,%s,%.6g,%.7g\n", r->temp[t], r->model[m].name, ps,
                        mlk_json_get_real(j, "kappa", 0));
            top = fmax(top, mlk_json_get_real(j, "kappa", 0));
        }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    MLK_TRY(mlk_plot_begin(&p, r, "pstar", 900, 360, e));
    fprintf(p.gp,
            "set xlabel 'cepstral coefficients kept, P'\nset xrange [0:*]\nset yrange [0:%.6g]\n"
            "set style fill noborder\n",
            3 * top);
    mlk_plot_grid(&p, 1, n, false, true, true);
    for (int q = 0; q < n; q++) {
        fprintf(p.gp, "set title '%.6g K'\nset ylabel '%s'\n%splot ", r->temp[idx[q]],
                q ? "" : "κ corrected (W m^{-1} K^{-1})", q ? "unset label\n" : "");
        for (int layer = 0; layer < 3; layer++)
            for (int m = 0; m < r->n_model; m++) {
                fprintf(p.gp,
                        "%s'%s.csv' skip 1 using ($1 == %.10g && strcol(2) eq '%s' ? $3 : NaN):",
                        m || layer ? ", " : "", layer == 2 ? "pstar_chosen" : "pstar",
                        r->temp[idx[q]], r->model[m].name);
                if (layer == 0)
                    fprintf(p.gp, "($4-$5):($4+$5) with filledcurves lc rgb band(%d)",
                            mlk_plot_style(m));
                else
                    fprintf(p.gp, layer == 1 ? "4 with lines ls %d" : "4 with points ls %d ps 1.1",
                            mlk_plot_style(m));
                if (layer == 1) fprintf(p.gp, " title \"%s\" noenhanced", r->model[m].name);
            }
        fprintf(p.gp, "\n");
    }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(&p, "Choice of the cepstral cut-off",
                        "Corrected κ against the number of cepstral coefficients kept, with one "
                        "standard error (bands); "
                        "the symbol is the value in use at the number of coefficients the Akaike "
                        "criterion prefers. A plateau around the symbol "
                        "means that the choice does not matter.",
                        e);
}

static mlk_status theta(mlk_report *r, mlk_err *e)
{
    mlk_plot p = {0};
    int rows = 0;
    double low = -0.05;
    MLK_TRY(mlk_plot_csv(&p, r, "theta.csv", "model,temperature_K,theta,theta_err", e));
    for (int m = 0; m < r->n_model; m++)
        for (int t = 0; t < r->n_temp; t++) {
            const json_t *j = mlk_report_at(r, m, t);
            double v = mlk_json_get_real(j, "theta", NAN);
            if (!isfinite(v)) continue;
            double err = mlk_json_get_real(j, "theta_err", 0);
            fprintf(p.csv.fp, "%s,%.10g,%.6g,%.6g\n", r->model[m].name, r->temp[t], v, err);
            low = fmin(low, fmax(v - err, -1) - 0.05);
            rows++;
        }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, "theta", 560, 360, e));
    fprintf(p.gp,
            "set xlabel 'temperature (K)'\nset ylabel 'Θ = 1 − κ / κ_{naive}'\n"
            "set yrange [%.3f:1.05]\nset offsets graph 0.08, graph 0.08, 0, 0\nset xtics (",
            low);
    for (int t = 0; t < r->n_temp; t++) fprintf(p.gp, "%s%.6g", t ? ", " : "", r->temp[t]);
    fprintf(p.gp, ")\n");
    mlk_plot_grid(&p, 1, 1, false, false, true);
    fprintf(p.gp, "plot 0 with lines lw 1 lc rgb '#777777'");
    for (int m = 0; m < r->n_model; m++)
        fprintf(p.gp,
                ", 'theta.csv' skip 1 using (strcol(1) eq '%s' ? $2 : NaN):3:4 with yerrorlines ls "
                "%d lw 1.2 "
                "title \"%s\" noenhanced",
                r->model[m].name, mlk_plot_style(m), r->model[m].name);
    fprintf(p.gp, "\nunset multiplot\n");
    return mlk_plot_end(
        &p, "Is the correction needed?",
        "Share of the naive thermal conductivity that the correction removes, with one standard "
        "error. Zero "
        "(line): heat and mass currents are not coupled and the correction changes nothing.",
        e);
}

mlk_status mlk_report_figures_transport(mlk_report *r, mlk_err *e)
{
    MLK_TRY(spectra(r, e));
    MLK_TRY(green_kubo(r, e));
    MLK_TRY(pstar(r, e));
    return theta(r, e);
}
