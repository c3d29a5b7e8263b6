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

/* kappa or its spectrum at a temperature: side 0 naive, 1 corrected, -1 both */
static void panel(mlk_plot *p, double T, int side, const char *x, const char *xunit, unsigned how)
{
    char title[60];
    snprintf(title, sizeof title, "%.6g K%s", T, side < 0 ? "" : side ? ", corrected" : ", naive");
    mlk_plot_panel(p, title, x, xunit, how & MLK_PLOT_LOGY ? "S" : "κ", "W/m/K", how);
}

static mlk_status spectra(mlk_report *r, mlk_err *e)
{
    static const char *const cols[] = {
        "f_THz", "naive", "naive_filtered", "corrected", "corrected_filtered", NULL};
    mlk_plot p = {0};
    int idx[3], n = mlk_report_panels(r, idx), rows;
    MLK_TRY(curve_rows(r, "spectrum.csv",
                       "temperature_K,model,f_THz,naive_W_mK,naive_filtered_W_mK,corrected_W_mK,"
                       "corrected_filtered_W_mK",
                       "spectrum", cols, &rows, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, "spectrum", 900, 560, e));
    fprintf(p.gp, "set logscale y\nset xrange [0:*]\nset format y '10^{%%T}'\n");
    mlk_plot_grid(&p, 2, n, false, true, MLK_PLOT_CURVES);
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
                        fprintf(p.gp, "ls %d title \"%s\" noenhanced", mlk_plot_curve(m),
                                r->model[m].name);
                    else
                        fprintf(p.gp, "lw 0.6 lc rgb faint(%d) title \"%s, as sampled\" noenhanced",
                                mlk_plot_style(m), r->model[m].name);
                }
            for (int m = 0; m < r->n_model; m++)
                fprintf(p.gp,
                        ", 'kappa.csv' skip 1 using ($2 == %.10g && strcol(1) eq '%s' ? 0 : NaN):%d"
                        ":%d with yerrorbars ls %d ps 0.6 lw 1.2 title \"%s, κ in use\" "
                        "noenhanced",
                        r->temp[idx[q]], r->model[m].name, 3 + 2 * row, 4 + 2 * row,
                        mlk_plot_style(m), r->model[m].name);
            fprintf(p.gp, "\n");
            panel(&p, r->temp[idx[q]], row, "f", "THz", MLK_PLOT_LOGY);
        }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Flux spectra and cepstral filter",
        "Power spectra of the energy flux in units of thermal conductivity: as sampled (thin, "
        "pale) and "
        "after the cepstral filter (bold). κ is the value at zero frequency; symbols: κ in use, "
        "with one standard error. Top: naive; bottom: reduced by the mass flux.",
        e);
}

/* Tics at round values, few enough for their labels whatever the range of column 3 of the table;
 * STATS_max is left behind. */
static void round_tics(mlk_plot *p, const char *csv)
{
    fprintf(p->gp,
            "stats '%s' skip 1 using 3 nooutput\n"
            "step = 10.0 ** floor(log10(STATS_max > 0 ? STATS_max : 1))\nratio = STATS_max / step\n"
            "step = ratio > 5 ? 2 * step : ratio > 2 ? step : step / 2\nset xtics step\n",
            csv);
}

static mlk_status green_kubo(mlk_report *r, mlk_err *e)
{
    static const char *const cols[] = {"t_ps",  "kappa_naive", "kappa_naive_err",
                                       "kappa", "kappa_err",   NULL};
    mlk_plot p = {0};
    int idx[3], n = mlk_report_panels(r, idx), rows;
    MLK_TRY(curve_rows(
        r, "green_kubo.csv",
        "temperature_K,model,t_ps,kappa_naive_W_mK,kappa_naive_err_W_mK,kappa_W_mK,kappa_err_W_mK",
        "green_kubo", cols, &rows, e));
    if (!rows) return MLK_OK;
    double top = 0.1;
    for (int t = 0; t < r->n_temp; t++)
        for (int m = 0; m < r->n_model; m++)
            top = fmax(top, mlk_json_get_real(mlk_report_at(r, m, t), "kappa_naive", 0));
    MLK_TRY(mlk_plot_begin(&p, r, "green_kubo", 900, 560, e));
    round_tics(&p, "green_kubo.csv");
    fprintf(p.gp, "set xrange [0:STATS_max]\nset style fill noborder\nset yrange [%.6g:%.6g]\n",
            -0.6 * top, 3.4 * top);
    mlk_plot_grid(&p, 2, n, false, true, MLK_PLOT_CURVES);
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
                                mlk_plot_curve(m), r->model[m].name);
                    else
                        fprintf(p.gp,
                                "($%d-$%d):($%d+$%d) with filledcurves lc rgb band(%d) title "
                                "\"%s\" noenhanced",
                                c, c + 1, c, c + 1, mlk_plot_style(m), r->model[m].name);
                }
            fprintf(p.gp, "\n");
            panel(&p, r->temp[idx[q]], row, "upper limit", "ps", 0);
        }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Running Green–Kubo integrals",
        "The direct Green–Kubo integral of the flux correlations against its upper limit, with one "
        "standard error (bands). It is an independent check of the cepstral value: the "
        "integral should settle there before noise takes over. High first oscillations are cut "
        "off.",
        e);
}

static mlk_status pstar(mlk_report *r, mlk_err *e)
{
    static const char *const cols[] = {"p", "kappa", "kappa_err", NULL};
    mlk_plot p = {0};
    int idx[3], n = mlk_report_panels(r, idx), rows;
    double top = 0.1;
    MLK_TRY(curve_rows(r, "pstar.csv", "temperature_K,model,p,kappa_W_mK,kappa_err_W_mK", "pstar",
                       cols, &rows, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_csv(&p, r, "pstar_chosen.csv", "temperature_K,model,pstar,kappa_W_mK", e));
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
    mlk_plot_grid(&p, 1, n, false, true, MLK_PLOT_CURVES);
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
                            mlk_plot_curve(m));
                fprintf(p.gp, " title \"%s\" noenhanced", r->model[m].name);
            }
        fprintf(p.gp, "\n");
        panel(&p, r->temp[idx[q]], 1, "P", "", 0);
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

/* the spectra at the sampling of the run, with f* as an upright line */
static mlk_status whole_spectra(mlk_report *r, mlk_err *e)
{
    static const char *const cols[] = {"f_THz", "naive", "corrected", NULL};
    mlk_plot p = {0};
    int idx[3], n = mlk_report_panels(r, idx), rows;
    MLK_TRY(curve_rows(r, "spectrum_full.csv",
                       "temperature_K,model,f_THz,naive_W_mK,corrected_W_mK", "spectrum_full", cols,
                       &rows, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_csv(&p, r, "spectrum_full_fstar.csv", "temperature_K,model,fstar_THz", e));
    for (int t = 0; t < r->n_temp; t++)
        for (int m = 0; m < r->n_model; m++) {
            double f = mlk_json_get_real(mlk_report_at(r, m, t), "fstar_THz", NAN);
            if (isfinite(f)) fprintf(p.csv.fp, "%.10g,%s,%.8g\n", r->temp[t], r->model[m].name, f);
        }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    MLK_TRY(mlk_plot_begin(&p, r, "spectrum_full", 900, 360, e));
    fprintf(p.gp, "set logscale y\nset xrange [0:*]\nset format y '10^{%%T}'\n"
                  "set xlabel 'frequency (THz)'\n");
    mlk_plot_grid(&p, 1, n, false, true, MLK_PLOT_CURVES);
    for (int q = 0; q < n; q++) {
        fprintf(p.gp, "set title '%.6g K'\nset ylabel '%s'\n%splot ", r->temp[idx[q]],
                q ? "" : "spectrum (W m^{-1} K^{-1})", q ? "unset label\n" : "");
        for (int layer = 0; layer < 3; layer++)
            for (int m = 0; m < r->n_model; m++) {
                fprintf(p.gp,
                        "%s'spectrum_full%s.csv' skip 1 using ($1 == %.10g && strcol(2) eq '%s' ? "
                        "$3 : NaN):",
                        layer || m ? ", " : "", layer == 2 ? "_fstar" : "", r->temp[idx[q]],
                        r->model[m].name);
                if (layer == 0)
                    fprintf(p.gp, "4 with lines lw 1.0 lc rgb faint(%d)", mlk_plot_style(m));
                else if (layer == 1)
                    fprintf(p.gp, "5 with lines ls %d lw 1.0", mlk_plot_curve(m));
                else /* an upright line that does not widen the axis */
                    fprintf(p.gp, "(1e30) with impulses ls %d lw 1.2 dt 2 noautoscale",
                            mlk_plot_curve(m));
                static const char *const what[3] = {"naive", "corrected", "f*"};
                fprintf(p.gp, " title \"%s, %s\" noenhanced", r->model[m].name, what[layer]);
            }
        fprintf(p.gp, "\n");
        panel(&p, r->temp[idx[q]], -1, "f", "THz", MLK_PLOT_LOGY);
    }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Flux spectra as sampled",
        "Power spectra of the energy flux in units of thermal conductivity before "
        "resampling: naive (pale) and reduced by the mass flux (full colour). Dashed: "
        "the frequency f* above which nothing enters the cepstral analysis.",
        e);
}

/* does any result of the study hold this array? */
static bool any_has(const mlk_report *r, const char *curve, const char *key)
{
    for (int t = 0; t < r->n_temp; t++)
        for (int m = 0; m < r->n_model; m++) {
            const json_t *c = json_object_get(mlk_report_at(r, m, t), "curves");
            if (json_array_size(json_object_get(json_object_get(c, curve), key))) return true;
        }
    return false;
}

/* Akaike criterion and cepstral coefficients of the corrected spectrum */
static mlk_status cepstrum(mlk_report *r, mlk_err *e)
{
    char title[40];
    static const char *const cols[] = {"p", "aic", "cepstrum", "aic_naive", "cepstrum_naive", NULL};
    mlk_plot p = {0};
    int idx[3], n = mlk_report_panels(r, idx), rows;
    if (!any_has(r, "pstar", "aic")) return MLK_OK;
    MLK_TRY(curve_rows(r, "cepstrum.csv",
                       "temperature_K,model,p,aic,coefficient,aic_naive,coefficient_naive", "pstar",
                       cols, &rows, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, "cepstrum", 900, 560, e));
    fprintf(p.gp, "set xrange [0:*]\n");
    mlk_plot_grid(&p, 2, n, false, true, MLK_PLOT_SYMBOLS);
    for (int row = 0; row < 2; row++)
        for (int q = 0; q < n; q++) {
            double noise = 0, least[MLK_REPORT_MODELS];
            for (int m = 0; m < r->n_model; m++) {
                const json_t *c = json_object_get(mlk_report_at(r, m, idx[q]), "curves"), *v;
                size_t k;
                c = json_object_get(c, "pstar");
                noise = fmax(noise, mlk_json_get_real(c, "cepstrum_err", 0));
                least[m] = INFINITY;
                json_array_foreach(json_object_get(c, "aic"), k, v) least[m] =
                    fmin(least[m], json_number_value(v));
            }
            fprintf(p.gp, "set title '%.6g K'\nset xlabel '%s'\nset ylabel '%s'\n%s",
                    r->temp[idx[q]], row ? "cepstral coefficients kept, P" : "",
                    q     ? ""
                    : row ? "Akaike criterion − minimum"
                          : "coefficient c_{P−1}",
                    row || q ? "unset label\n" : "");
            fprintf(p.gp, "set yrange [%.6g:%.6g]\nplot ", row ? -5 : -12 * noise,
                    row ? 95 : 12 * noise);
            for (int m = 0; m < r->n_model; m++)
                fprintf(p.gp,
                        "%s'cepstrum.csv' skip 1 using ($1 == %.10g && strcol(2) eq '%s' ? $3 : "
                        "NaN):($%d-(%.9g)) with %s ls %d lw 1.2 ps 0.45%s title \"%s\" noenhanced",
                        m ? ", " : "", r->temp[idx[q]], r->model[m].name, row ? 4 : 5,
                        row && isfinite(least[m]) ? least[m] : 0, row ? "linespoints" : "points",
                        mlk_plot_style(m), row ? " pi 12" : "", r->model[m].name);
            if (!row)
                fprintf(p.gp,
                        ", %.6g with lines dt 2 lw 1 lc rgb '#777777', %.6g with lines dt 2 "
                        "lw 1 lc rgb '#777777'",
                        noise, -noise);
            fprintf(p.gp, "\n");
            snprintf(title, sizeof title, "%.6g K", r->temp[idx[q]]);
            mlk_plot_panel(&p, title, "P", "", row ? "AIC − minimum" : "c", "", 0);
        }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Cepstral coefficients and Akaike criterion",
        "Top: coefficients of the logarithm of the corrected spectrum (the first are "
        "cut off); dashed: one standard error of their noise. Bottom: the Akaike "
        "criterion, less its minimum, against the number of coefficients kept.",
        e);
}

/* kappa and kappa_naive of a curve with errors, one panel for each: figures `fstar`, `convergence`
 */
static mlk_status both_kappas(mlk_report *r, const char *name, const char *curve,
                              const char *abscissa, const char *xname, const char *xunit, bool logx,
                              const char *title, const char *caption, mlk_err *e)
{
    const char *cols[] = {abscissa, "kappa_naive", "kappa_naive_err", "kappa", "kappa_err", NULL};
    char csv[64], header[200], xlabel[80];
    mlk_plot p = {0};
    int idx[3], n = mlk_report_panels(r, idx), rows;
    snprintf(csv, sizeof csv, "%s.csv", name);
    snprintf(
        header, sizeof header,
        "temperature_K,model,%s,kappa_naive_W_mK,kappa_naive_err_W_mK,kappa_W_mK,kappa_err_W_mK",
        abscissa);
    snprintf(xlabel, sizeof xlabel, "%s (%s)", xname, xunit);
    MLK_TRY(curve_rows(r, csv, header, curve, cols, &rows, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, name, 900, 560, e));
    if (!logx) round_tics(&p, csv);
    fprintf(p.gp, "set offsets graph 0.04, graph 0.04, graph 0.08, graph 0.08\n%s",
            logx ? "set logscale x 2\nset format x '%.3g'\n" : "set xrange [0:*]\n");
    mlk_plot_grid(&p, 2, n, false, true, MLK_PLOT_SYMBOLS);
    for (int row = 0; row < 2; row++)
        for (int q = 0; q < n; q++) {
            fprintf(p.gp, "set title '%.6g K, %s'\nset xlabel '%s'\nset ylabel '%s'\n%splot ",
                    r->temp[idx[q]], row ? "corrected" : "naive", row ? xlabel : "",
                    q ? "" : "κ (W m^{-1} K^{-1})", row || q ? "unset label\n" : "");
            for (int m = 0; m < r->n_model; m++)
                fprintf(p.gp,
                        "%s'%s' skip 1 using ($1 == %.10g && strcol(2) eq '%s' ? $3 : NaN):%d:%d "
                        "with yerrorlines ls %d lw 1.2 title \"%s\" noenhanced",
                        m ? ", " : "", csv, r->temp[idx[q]], r->model[m].name, 4 + 2 * row,
                        5 + 2 * row, mlk_plot_style(m), r->model[m].name);
            fprintf(p.gp, "\n");
            panel(&p, r->temp[idx[q]], row, xname, xunit, logx ? MLK_PLOT_LOGX : 0);
        }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(&p, title, caption, e);
}

/* Shares of the Green-Kubo integral in panels: a row for the naive and, where it is known, one for
 * the corrected value. top[2]: least and largest value with its error. */
static void part_panels(mlk_plot *p, mlk_report *r, int sides, int n_part, const double top[2])
{
    char names[120] = "", title[60];
    int idx[3], n = mlk_report_panels(r, idx);
    double dodge = fmin(0.16, 0.7 / r->n_model), pad = 0.06 * (top[1] - top[0]);
    fprintf(p->gp, "set yrange [%.6g:%.6g]\nset xrange [-0.6:%.3g]\nset xtics (", top[0] - pad,
            top[1] + pad, n_part - 0.4);
    for (int k = 0; k < n_part; k++) {
        fprintf(p->gp, "%s'%s' %d", k ? ", " : "", mlk_report_part(k), k);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", k ? "|" : "",
                 mlk_report_part(k));
    }
    fprintf(p->gp, ") rotate by 32 right font ',11'\nset xtics offset 0.6,0\n");
    mlk_plot_grid(p, sides, n, false, true, MLK_PLOT_SYMBOLS);
    for (int side = 0; side < sides; side++)
        for (int q = 0; q < n; q++) {
            snprintf(title, sizeof title, "%.6g K, %s", r->temp[idx[q]],
                     side ? "corrected" : "naive");
            fprintf(
                p->gp, "set title '%s'\nset ylabel '%s'\n%splot 0 with lines lw 1 lc rgb '#777777'",
                title, q ? "" : "share of κ (W m^{-1} K^{-1})", side || q ? "unset label\n" : "");
            for (int m = 0; m < r->n_model; m++)
                fprintf(p->gp,
                        ", 'parts.csv' skip 1 using ($1 == %.10g && strcol(2) eq '%s' ? $3 + %.4g "
                        ": NaN):%d:%d with yerrorbars ls %d lw 1.2 title \"%s\" noenhanced",
                        r->temp[idx[q]], r->model[m].name, dodge * (m - 0.5 * (r->n_model - 1)),
                        5 + 2 * side, 6 + 2 * side, mlk_plot_style(m), r->model[m].name);
            fprintf(p->gp, "\n");
            mlk_plot_panel(p, title, "part", names, "share of κ", "W/m/K", MLK_PLOT_NAMES);
        }
    fprintf(p->gp, "unset multiplot\n");
}

static mlk_status parts(mlk_report *r, mlk_err *e)
{
    mlk_plot p = {0};
    int rows = 0, sides = 1, n_part = 3;
    double top[2] = {0, 0};
    MLK_TRY(mlk_plot_csv(&p, r, "parts.csv",
                         "temperature_K,model,number,part,naive_W_mK,naive_err_W_mK,corrected_W_mK,"
                         "corrected_err_W_mK",
                         e));
    for (int t = 0; t < r->n_temp; t++)
        for (int m = 0; m < r->n_model; m++)
            for (int k = 0; k < MLK_REPORT_PARTS; k++) {
                double v[4];
                if (!mlk_report_part_of(mlk_report_at(r, m, t), k, v)) continue;
                fprintf(p.csv.fp, "%.10g,%s,%d,%s", r->temp[t], r->model[m].name, k,
                        mlk_report_part(k));
                for (int c = 0; c < 4; c++) {
                    fputc(',', p.csv.fp);
                    if (isfinite(v[c])) fprintf(p.csv.fp, "%.7g", v[c]);
                }
                fputc('\n', p.csv.fp);
                rows++;
                if (isfinite(v[2])) sides = 2;
                if (k > 2) n_part = MLK_REPORT_PARTS;
                for (int c = 0; c < 4; c += 2) {
                    double err = isfinite(v[c + 1]) ? v[c + 1] : 0;
                    if (!isfinite(v[c])) continue;
                    top[0] = fmin(top[0], v[c] - err), top[1] = fmax(top[1], v[c] + err);
                }
            }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, "parts", 900, sides > 1 ? 580 : 360, e));
    part_panels(&p, r, sides, n_part, top);
    return mlk_plot_end(
        &p, "Kinetic, convective and virial parts",
        "Shares of the Green–Kubo integral of the energy flux from its kinetic, "
        "convective and virial parts and, where known, their cross terms (both "
        "orders together), with one standard error. The shares add up to κ at the "
        "same upper limit. All temperatures: figures/parts.csv and tables/parts.tex.",
        e);
}

static mlk_status theta(mlk_report *r, mlk_err *e)
{
    mlk_plot p = {0};
    int rows = 0;
    double low = -0.05, range = r->temp[r->n_temp - 1] - r->temp[0],
           dodge = 0.008 * (range > 0 ? range : 50);
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
    mlk_plot_grid(&p, 1, 1, false, false, MLK_PLOT_SYMBOLS);
    fprintf(p.gp, "plot 0 with lines lw 1 lc rgb '#777777'");
    for (int m = 0; m < r->n_model; m++)
        fprintf(p.gp,
                ", 'theta.csv' skip 1 using (strcol(1) eq '%s' ? $2 + %.4g : NaN):3:4 with "
                "yerrorlines ls %d lw 1.2 title \"%s\" noenhanced",
                r->model[m].name, dodge * (m - 0.5 * (r->n_model - 1)), mlk_plot_style(m),
                r->model[m].name);
    fprintf(p.gp, "\n");
    mlk_plot_panel(&p, "", "T", "K", "Θ", "", MLK_PLOT_TEMPS);
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Is the correction needed?",
        "Share of the naive thermal conductivity that the correction removes, with one standard "
        "error; models stand side by side at each temperature. Zero (line): heat and mass currents "
        "are not coupled and the correction changes nothing.",
        e);
}

static mlk_status fstar(mlk_report *r, mlk_err *e)
{
    return both_kappas(r, "fstar", "fstar_scan", "f_THz", "f*", "THz", true, "Choice of f*",
                       "κ when the fluxes are resampled to another Nyquist frequency f*, with one "
                       "standard error. The middle point is the one in use. The points share "
                       "their data; a plateau means that the choice does not matter.",
                       e);
}

static mlk_status convergence(mlk_report *r, mlk_err *e)
{
    return both_kappas(r, "convergence", "convergence", "t_ps", "length of the data", "ps", false,
                       "Convergence with simulation time",
                       "κ from the first part of each run, with one standard error. Later points "
                       "contain the data of earlier ones.",
                       e);
}

mlk_status mlk_report_figures_transport(mlk_report *r, mlk_err *e)
{
    MLK_TRY(whole_spectra(r, e));
    MLK_TRY(spectra(r, e));
    MLK_TRY(green_kubo(r, e));
    MLK_TRY(pstar(r, e));
    MLK_TRY(cepstrum(r, e));
    MLK_TRY(fstar(r, e));
    MLK_TRY(convergence(r, e));
    MLK_TRY(parts(r, e));
    return theta(r, e);
}
