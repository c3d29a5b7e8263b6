/* figures_md.c - quality of the molecular dynamics: temperature, drift, structure, diffusion. */
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "reports/plot.h"
#include "reports/report.h"

enum { TRACE_POINTS = 80, PAIRS = 12, SPECIES = 12 };

static mlk_status traces(mlk_report *r, mlk_err *e)
{
    char title[40];
    mlk_plot p = {0};
    int idx[3], n = mlk_report_panels(r, idx), rows = 0;
    MLK_TRY(mlk_plot_csv(&p, r, "traces.csv",
                         "temperature_K,model,replica,time_ps,T_inst_K,dE_meV_atom", e));
    for (size_t k = 0; k < r->n_md; k++) {
        const mlk_report_md *m = &r->md[k];
        size_t bin = m->n > TRACE_POINTS ? (m->n + TRACE_POINTS - 1) / TRACE_POINTS : 1;
        for (size_t i = 0; i + bin <= m->n; i += bin, rows++) {
            double t = 0, temp = 0, en = 0;
            for (size_t q = i; q < i + bin; q++)
                t += m->time[q], temp += m->t_inst[q], en += m->etot[q];
            fprintf(p.csv.fp, "%.10g,%s,%d,%.8g,%.8g,%.8g\n", r->temp[m->temp],
                    r->model[m->model].name, m->rep + 1, t / (double)bin, temp / (double)bin,
                    en / (double)bin);
        }
    }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, "traces", 900, 500, e));
    fprintf(p.gp, "set xrange [0:*]\n");
    mlk_plot_grid(&p, 2, n, false, true, MLK_PLOT_CURVES);
    for (int row = 0; row < 2; row++)
        for (int q = 0; q < n; q++) {
            fprintf(p.gp,
                    "set title '%.6g K'\nset xlabel '%s'\nset ylabel '%s' offset 2.6,0\n%splot ",
                    r->temp[idx[q]], row ? "time (ps)" : "",
                    q     ? ""
                    : row ? "ΔE_{tot} (meV/atom)"
                          : "temperature (K)",
                    row || q ? "unset label\n" : "");
            if (!row)
                fprintf(p.gp, "%.6g with lines dt 2 lw 1 lc rgb '#555555' title 'target', ",
                        r->temp[idx[q]]);
            for (int m = 0; m < r->n_model; m++)
                fprintf(p.gp,
                        "%s'traces.csv' skip 1 using ($1 == %.10g && strcol(2) eq '%s' && $3 == 1 "
                        "? $4 : NaN):%d "
                        "with linespoints ls %d lw 1.1 ps 0.5 pi 10 title \"%s\" noenhanced",
                        m ? ", " : "", r->temp[idx[q]], r->model[m].name, row ? 6 : 5,
                        mlk_plot_curve(m), r->model[m].name);
            fprintf(p.gp, "\n");
            snprintf(title, sizeof title, "%.6g K", r->temp[idx[q]]);
            mlk_plot_panel(&p, title, "t", "ps", row ? "ΔE" : "T", row ? "meV/atom" : "K", 0);
        }
    fprintf(p.gp, "unset multiplot\n");
    char caption[700], at[100] = "";
    for (int q = 0, len = 0; q < n; q++)
        len +=
            snprintf(at + len, sizeof at - (size_t)len, "%s%.4g", q ? ", " : "", r->temp[idx[q]]);
    snprintf(caption, sizeof caption,
             "Temperature (top) and total energy per atom relative to its first value (bottom) "
             "during the NVE production of the first replica at %s K. Averages over short bins; "
             "dotted line: target temperature. The drift of every run is in the table.",
             at);
    return mlk_plot_end(&p, "Temperature and energy conservation", caption, e);
}

/* Distribution q of run k and of the later replicas of the same model and temperature: rows with
 * their mean and, from two on, its standard error. */
static void rdf_rows(const mlk_report *r, size_t k, size_t q, FILE *f)
{
    const mlk_report_md *m = &r->md[k];
    const mlk_report_rdf *one = &m->rdf[q];
    for (size_t i = 0; i < one->n; i++) {
        double sum = 0, square = 0, n = 0;
        for (size_t j = k; j < r->n_md; j++) {
            const mlk_report_md *o = &r->md[j];
            if (o->model != m->model || o->temp != m->temp || q >= o->n_rdf ||
                o->rdf[q].n != one->n || strcmp(o->rdf[q].pair, one->pair))
                continue;
            double d = o->rdf[q].g[i] - one->g[i];
            sum += d, square += d * d, n++;
        }
        fprintf(f, "%.10g,%s,%s,%.6g,%.6g,", r->temp[m->temp], r->model[m->model].name, one->pair,
                one->r[i], one->g[i] + sum / n);
        if (n > 1) fprintf(f, "%.4g", sqrt(fmax(0, square - sum * sum / n) / (n * (n - 1))));
        fprintf(f, ",%.0f\n", n);
    }
}

static mlk_status rdf(mlk_report *r, mlk_err *e)
{
    mlk_plot p = {0};
    char pair[PAIRS][24], title[60];
    int n_pair = 0, mid = (r->n_temp - 1) / 2, shown = -1;
    bool several = false;
    MLK_TRY(mlk_plot_csv(&p, r, "rdf.csv", "temperature_K,model,pair,r_A,g,g_err,replicas", e));
    for (size_t k = 0; k < r->n_md; k++) {
        const mlk_report_md *m = &r->md[k];
        several |= m->rep && m->n_rdf;
        if (m->rep || !m->n_rdf) continue;
        if (shown < 0 || abs(m->temp - mid) < abs(shown - mid)) shown = m->temp;
        for (size_t q = 0; q < m->n_rdf; q++) {
            int at = 0;
            while (at < n_pair && strcmp(pair[at], m->rdf[q].pair)) at++;
            if (at == n_pair && n_pair < PAIRS && m->rdf[q].n)
                snprintf(pair[n_pair++], 24, "%s", m->rdf[q].pair);
            rdf_rows(r, k, q, p.csv.fp);
        }
    }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    if (!n_pair) return MLK_OK;
    int rows = (n_pair + 2) / 3;
    MLK_TRY(mlk_plot_begin(&p, r, "rdf", 900, 60 + 230 * rows, e));
    fprintf(p.gp, "set xrange [1:8]\nset yrange [0:*]\nset style fill noborder\n");
    mlk_plot_grid(&p, rows, 3, false, true, MLK_PLOT_CURVES);
    for (int q = 0; q < n_pair; q++) {
        fprintf(p.gp, "set title '%s'\nset xlabel '%s'\nset ylabel '%s'\n%splot ", pair[q],
                q / 3 == rows - 1 || q + 3 >= n_pair ? "r (Å)" : "", q % 3 ? "" : "g(r)",
                q ? "unset label\n" : "");
        for (int layer = several ? 0 : 1, first = layer; layer < 2; layer++)
            for (int m = 0; m < r->n_model; m++) {
                fprintf(p.gp,
                        "%s'rdf.csv' skip 1 using ($1 == %.10g && strcol(2) eq '%s' && strcol(3) "
                        "eq '%s' ? $4 : NaN):",
                        layer > first || m ? ", " : "", r->temp[shown], r->model[m].name, pair[q]);
                if (layer)
                    fprintf(p.gp, "5 with lines ls %d lw %s title \"%s\" noenhanced",
                            mlk_plot_curve(m), m ? "1.2" : "2", r->model[m].name);
                else
                    fprintf(p.gp,
                            "($5-$6):($5+$6) with filledcurves lc rgb band(%d) title \"%s\" "
                            "noenhanced",
                            mlk_plot_style(m), r->model[m].name);
            }
        fprintf(p.gp, "\n");
        snprintf(title, sizeof title, "%.20s · %.6g K", pair[q], r->temp[shown]);
        mlk_plot_panel(&p, title, "r", "Å", "g", "", 0);
    }
    fprintf(p.gp, "unset multiplot\n");
    char caption[400];
    snprintf(caption, sizeof caption,
             "Radial distribution functions of every pair of elements at %.6g K%s.%s",
             r->temp[shown],
             several ? ", mean of the replicas with one standard error (bands)"
                     : " (one run: no error can be given)",
             r->n_temp > 1 ? " The other temperatures are in figures/rdf.csv." : "");
    return mlk_plot_end(&p, "Radial distribution functions", caption, e);
}

static bool is_mobile(const json_t *j, const char *species)
{
    const json_t *list = json_object_get(j, "mobile");
    for (size_t k = 0; k < json_array_size(list); k++) {
        const char *s = json_string_value(json_array_get(list, k));
        if (s && !strcmp(s, species)) return true;
    }
    return false;
}

static mlk_status msd(mlk_report *r, mlk_err *e)
{
    char title[40];
    mlk_plot p = {0};
    char known[SPECIES][12];
    int idx[3], n = mlk_report_panels(r, idx), rows = 0, n_known = 0;
    MLK_TRY(mlk_plot_csv(&p, r, "msd.csv", "temperature_K,model,species,mobile,time_ps,msd_A2", e));
    for (int t = 0; t < r->n_temp; t++)
        for (int m = 0; m < r->n_model; m++) {
            const json_t *j = mlk_report_at(r, m, t);
            json_t *c = json_object_get(json_object_get(j, "curves"), "msd"), *y;
            const json_t *x = json_object_get(c, "t_ps");
            const char *species;
            json_object_foreach(c, species, y)
            {
                if (!strcmp(species, "t_ps") || !json_is_array(y)) continue;
                int at = 0;
                while (at < n_known && strncmp(known[at], species, 10)) at++;
                if (at == n_known && n_known < SPECIES)
                    snprintf(known[n_known++], sizeof known[0], "%.10s", species);
                double last = 0; /* times evenly spaced on the logarithmic axis */
                for (size_t i = 0; i < json_array_size(x) && i < json_array_size(y); i++) {
                    double a = json_number_value(json_array_get(x, i)),
                           b = json_number_value(json_array_get(y, i));
                    if (b <= 0 || a < 1.03 * last || a <= 0) continue;
                    last = a;
                    fprintf(p.csv.fp, "%.10g,%s,%.10s,%d,%.8g,%.8g\n", r->temp[t], r->model[m].name,
                            species, is_mobile(j, species), a, b);
                    rows++;
                }
            }
        }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    if (!rows) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, "msd", 900, 360, e));
    fprintf(
        p.gp,
        "set logscale xy\nset format y '10^{%%T}'\nset format x '%%g'\nset xlabel 'time (ps)'\n");
    mlk_plot_grid(&p, 1, n, false, true, MLK_PLOT_CURVES);
    for (int q = 0; q < n; q++) {
        fprintf(p.gp, "set title '%.6g K'\nset ylabel '%s'\n%splot ", r->temp[idx[q]],
                q ? "" : "mean-square displacement (Å^2)", q ? "unset label\n" : "");
        for (int m = 0; m < r->n_model; m++)
            for (int s = 0; s < n_known; s++)
                fprintf(p.gp,
                        "%s'msd.csv' skip 1 using ($1 == %.10g && strcol(2) eq '%s' && strcol(3) "
                        "eq '%s' ? $5 : NaN):6 with lines ls %d %s title \"%s, %s\" noenhanced",
                        m || s ? ", " : "", r->temp[idx[q]], r->model[m].name, known[s],
                        mlk_plot_curve(m),
                        is_mobile(mlk_report_at(r, m, idx[q]), known[s]) ? "" : "lw 0.8",
                        r->model[m].name, known[s]);
        fprintf(p.gp, "\n");
        snprintf(title, sizeof title, "%.6g K", r->temp[idx[q]]);
        mlk_plot_panel(&p, title, "t", "ps", "MSD", "Å²", MLK_PLOT_LOGX | MLK_PLOT_LOGY);
    }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Mean-square displacement",
        "Mean-square displacement against time, double logarithmic: diffusing species thick, bound "
        "species thin. The errors are those of the diffusion coefficients below. A slope of one is "
        "diffusion; a plateau is vibration about a site.",
        e);
}

static mlk_status diffusion(mlk_report *r, mlk_err *e)
{
    mlk_plot p = {0};
    int n_sigma = 0, n_d = 0;
    /* of one temperature: some distance of symbols on an axis of its own */
    double at = 1000 / r->temp[0], range = at - 1000 / r->temp[r->n_temp - 1],
           dodge = 0.012 * (range > 0 ? range : at);
    MLK_TRY(mlk_plot_csv(&p, r, "diffusion.csv",
                         "model,temperature_K,species,mobile,D_cm2_s,D_err,sigma_S_m,sigma_err",
                         e));
    for (int m = 0; m < r->n_model; m++)
        for (int t = 0; t < r->n_temp; t++) {
            const json_t *j = mlk_report_at(r, m, t);
            json_t *d = json_object_get(j, "diffusion"), *v;
            double sigma = mlk_json_get_real(j, "sigma_S_m", NAN);
            const char *species;
            json_object_foreach(d, species, v)
            {
                double D = mlk_json_get_real(v, "D_cm2_s", NAN);
                bool mobile = is_mobile(j, species);
                if (!isfinite(D) || D <= 0) continue;
                fprintf(p.csv.fp, "%s,%.10g,%.10s,%d,%.6g,%.6g,", r->model[m].name, r->temp[t],
                        species, mobile, D, mlk_json_get_real(v, "D_err", 0));
                if (isfinite(sigma) && sigma > 0 && mobile)
                    fprintf(p.csv.fp, "%.6g,%.6g\n", sigma,
                            fmax(0, mlk_json_get_real(j, "sigma_err", 0)));
                else
                    fprintf(p.csv.fp, ",\n");
                n_d += mobile, n_sigma += mobile && isfinite(sigma) && sigma > 0;
            }
        }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    if (!n_d) return MLK_OK;
    int panels = n_sigma ? 2 : 1;
    MLK_TRY(mlk_plot_begin(&p, r, "diffusion", panels > 1 ? 900 : 520, 350, e));
    fprintf(p.gp, "set logscale y\nset format y '10^{%%T}'\nset xlabel '1000 K / T'\n"
                  "set offsets graph 0.08, graph 0.08, 0, 0\n");
    if (!(range > 0)) {
        double half = (0.02 + 0.006 * r->n_model) * at;
        fprintf(p.gp, "set xrange [%.6g:%.6g]\n", at - half, at + half);
    }
    mlk_plot_grid(&p, 1, panels, true, false, MLK_PLOT_SYMBOLS);
    for (int q = 0; q < panels; q++) {
        fprintf(p.gp, "set ylabel '%s'\n%splot ", q ? "σ T (S m^{-1} K)" : "D (cm^2 s^{-1})",
                q ? "unset label\n" : "");
        for (int m = 0; m < r->n_model; m++) {
            fprintf(p.gp,
                    "%s'diffusion.csv' skip 1 using (strcol(1) eq '%s' && $4 == 1 ? "
                    "1000/$2 + %.4g : NaN):%s with yerrorbars ls %d lw 1 title \"%s\" noenhanced",
                    m ? ", " : "", r->model[m].name, dodge * (m - 0.5 * (r->n_model - 1)),
                    q ? "($7*$2):($8*$2)" : "($4 == 1 ? $5 : NaN):6", mlk_plot_style(m),
                    r->model[m].name);
        }
        fprintf(p.gp, "\n");
        mlk_plot_panel(&p, "", "T", "K", q ? "σT" : "D", q ? "S K/m" : "cm²/s",
                       MLK_PLOT_LOGY | MLK_PLOT_INVERSE);
    }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Diffusion and ionic conductivity",
        "Tracer diffusion coefficient of the mobile species from the mean-square displacement and "
        "ionic "
        "conductivity times temperature, each with one standard error, against inverse "
        "temperature: a straight line is Arrhenius behaviour. Models stand side by side at each "
        "temperature.",
        e);
}

mlk_status mlk_report_figures_md(mlk_report *r, mlk_err *e)
{
    MLK_TRY(traces(r, e));
    MLK_TRY(rdf(r, e));
    MLK_TRY(msd(r, e));
    return diffusion(r, e);
}
