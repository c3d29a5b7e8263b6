/* figures_models.c - learning curves and parity plots of the fitted models. */
#include <math.h>
#include <string.h>

#include "core/file.h"
#include "reports/csv.h"
#include "reports/plot.h"
#include "reports/report.h"

/* A table of a model folder; 0 rows when it is not there. A broken one is an error. */
static mlk_status table_of(const mlk_report *r, int m, const char *name, mlk_csv *t, mlk_err *e)
{
    char path[1300];
    *t = (mlk_csv){0};
    mlk_path_join(path, sizeof path, r->model[m].dir, name);
    return mlk_file_exists(path) ? mlk_csv_read(t, path, e) : MLK_OK;
}

/* A fit in one step has no curve: its errors as they are in train.json, at epoch 1. */
static bool one_fit(const mlk_report *r, int m, FILE *f)
{
    static const char *const keys[] = {"energy_rmse_meV_atom", "force_rmse_meV_A",
                                       "stress_rmse_GPa"};
    const json_t *j = r->model[m].train;
    if (!json_object_get(j, "valid")) return false;
    fprintf(f, "%s,1,%.8g", r->model[m].name, mlk_json_get_real(j, "wall_s", 0));
    for (int k = 0; k < 3; k++)
        for (int side = 0; side < 2; side++) {
            double v =
                mlk_json_get_real(json_object_get(j, side ? "valid" : "train"), keys[k], NAN);
            fputc(',', f);
            if (isfinite(v)) fprintf(f, "%.8g", v);
        }
    fputc('\n', f);
    return true;
}

static mlk_status learning(mlk_report *r, mlk_err *e)
{
    mlk_plot p = {0};
    int drawn[MLK_REPORT_MODELS] = {0}, rows = 0;
    double most = 1;
    MLK_TRY(mlk_plot_csv(
        &p, r, "learning.csv",
        "model,epoch,wall_s,energy_train_meV_atom,energy_valid_meV_atom,force_train_meV_A,"
        "force_valid_meV_A,stress_train_GPa,stress_valid_GPa",
        e));
    for (int m = 0; m < r->n_model; m++) {
        static const char *const keys[] = {"epoch",
                                           "wall_s",
                                           "energy_train_meV_atom",
                                           "energy_valid_meV_atom",
                                           "force_train_meV_A",
                                           "force_valid_meV_A",
                                           "stress_train_GPa",
                                           "stress_valid_GPa"};
        mlk_csv t;
        MLK_TRY(table_of(r, m, "loss.csv", &t, e));
        size_t every = t.n > 400 ? t.n / 400 : 1;
        for (size_t i = 0; i < t.n; i++) {
            if (i % every && i + 1 != t.n) continue;
            fprintf(p.csv.fp, "%s", r->model[m].name);
            for (int k = 0; k < 8; k++) {
                double v = mlk_csv_num(&t, i, mlk_csv_col(&t, keys[k]));
                if (k == 0) v = fmax(v, 1), most = fmax(most, v);
                if (isfinite(v))
                    fprintf(p.csv.fp, ",%.8g", v);
                else
                    fputc(',', p.csv.fp);
            }
            fputc('\n', p.csv.fp);
            drawn[m]++, rows++;
        }
        mlk_csv_free(&t);
        if (!drawn[m] && one_fit(r, m, p.csv.fp)) drawn[m]++, rows++;
    }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    if (!rows) return MLK_OK;
    static const char *const label[] = {"energy RMSE (meV/atom)", "force RMSE (meV/Å)",
                                        "stress RMSE (GPa)"};
    static const char *const what[] = {"energy RMSE", "force RMSE", "stress RMSE"};
    static const char *const unit[] = {"meV/atom", "meV/Å", "GPa"};
    MLK_TRY(mlk_plot_begin(&p, r, "learning", 900, 330, e));
    fprintf(p.gp, "set logscale y\nset xlabel 'epoch'\n%s",
            most > 3 ? "set logscale x\n" : "set xrange [0:*]\n");
    mlk_plot_grid(&p, 1, 3, true, false, MLK_PLOT_CURVES);
    for (int k = 0; k < 3; k++) {
        fprintf(p.gp, "set ylabel '%s'\n%splot ", label[k], k ? "unset label\n" : "");
        bool first = true;
        for (int m = 0; m < r->n_model; m++) {
            if (!drawn[m]) continue;
            const char *with = drawn[m] < 8 ? "points" : "lines";
            fprintf(p.gp,
                    "%s'learning.csv' skip 1 using (strcol(1) eq '%s' ? $2 : NaN):%d with %s ls %d "
                    "title \"%s\" noenhanced, "
                    "'' skip 1 using (strcol(1) eq '%s' ? $2 : NaN):%d with %s ls %d lw 0.8 "
                    "title \"%s\" noenhanced",
                    first ? "" : ", ", r->model[m].name, 5 + 2 * k, with, mlk_plot_curve(m),
                    r->model[m].name, r->model[m].name, 4 + 2 * k, with, mlk_plot_curve(m),
                    r->model[m].name);
            first = false;
        }
        fprintf(p.gp, "\n");
        mlk_plot_panel(&p, "", "epoch", "", what[k], unit[k],
                       MLK_PLOT_LOGY | (most > 3 ? MLK_PLOT_LOGX : 0));
    }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Learning curves",
        "Root-mean-square errors during the fit: on the held-out validation trajectories (thick) "
        "and "
        "on the training frames (thin). A least-squares fit (SNAP) has no epochs and "
        "shows as single points.",
        e);
}

enum { PARITY_POINTS = 1500 };

/* Up to PARITY_POINTS validation points of one model, evenly thinned. */
static mlk_status parity_rows(mlk_report *r, int m, const char *quantity, const char *ref,
                              const char *pred, FILE *out, int *rows, mlk_err *e)
{
    char name[40];
    mlk_csv t;
    snprintf(name, sizeof name, "parity_%s.csv", quantity);
    MLK_TRY(table_of(r, m, name, &t, e));
    int split = mlk_csv_col(&t, "split"), a = mlk_csv_col(&t, ref), b = mlk_csv_col(&t, pred);
    size_t n = 0, k = 0, written = 0;
    double mean = 0;
    for (size_t i = 0; i < t.n; i++)
        if (!strcmp(mlk_csv_text(&t, i, split), "valid")) n++, mean += mlk_csv_num(&t, i, a);
    bool energy = !strcmp(quantity, "energy");
    mean = energy && n ? mean / (double)n : 0;
    double unit = energy ? 1e3 : 1;
    for (size_t i = 0; i < t.n; i++) {
        if (strcmp(mlk_csv_text(&t, i, split), "valid")) continue;
        k++;
        if (n > PARITY_POINTS && k * PARITY_POINTS / n == written) continue;
        written++;
        double x = mlk_csv_num(&t, i, a), y = mlk_csv_num(&t, i, b);
        if (isfinite(x) && isfinite(y))
            fprintf(out, "%s,%s,%.8g,%.8g\n", r->model[m].name, quantity, (x - mean) * unit,
                    (y - mean) * unit),
                ++*rows;
    }
    mlk_csv_free(&t);
    return MLK_OK;
}

static mlk_status parity(mlk_report *r, mlk_err *e)
{
    static const char *const what[] = {"energy", "force", "stress"};
    static const char *const key[] = {"energy_rmse_meV_atom", "force_rmse_meV_A",
                                      "stress_rmse_GPa"};
    static const char *const shown[] = {"energy, relative (meV/atom)", "force component (eV/Å)",
                                        "stress component (GPa)"};
    static const char *const unit[] = {"meV/atom", "meV/Å", "GPa"};
    static const char *const scale[] = {"meV/atom", "eV/Å", "GPa"};
    static const char *const ref[] = {"reference_eV_atom", "reference_eV_A", "reference_GPa"};
    static const char *const pred[] = {"predicted_eV_atom", "predicted_eV_A", "predicted_GPa"};
    mlk_plot p = {0};
    int rows[MLK_REPORT_MODELS][3] = {{0}}, n = 0;
    MLK_TRY(mlk_plot_csv(&p, r, "parity.csv", "model,quantity,reference,predicted", e));
    for (int m = 0; m < r->n_model; m++) {
        int any = 0;
        for (int k = 0; k < 3; k++) {
            MLK_TRY(parity_rows(r, m, what[k], ref[k], pred[k], p.csv.fp, &rows[m][k], e));
            any += rows[m][k];
        }
        n += any > 0;
    }
    MLK_TRY(mlk_plot_csv_end(&p, e));
    if (!n) return MLK_OK;
    int height = 20 + 280 * n;
    MLK_TRY(mlk_plot_begin(&p, r, "parity", 900, height, e));
    fprintf(p.gp, "set grid xtics ytics\nunset key\n");
    mlk_plot_grid(&p, n, 3, true, true, MLK_PLOT_NO_KEY);
    for (int m = 0; m < r->n_model; m++) {
        if (!rows[m][0] && !rows[m][1] && !rows[m][2]) continue;
        for (int k = 0; k < 3; k++) {
            const json_t *v = json_object_get(r->model[m].train, "valid");
            if (!rows[m][k]) {
                fprintf(p.gp, "set multiplot next\n");
                continue;
            }
            fprintf(p.gp, "set title \"%s: RMSE %.3g %s\" noenhanced\n", r->model[m].name,
                    mlk_json_get_real(v, key[k], NAN), unit[k]);
            fprintf(p.gp, "set ylabel 'model'\nset xlabel 'DFT: %s'\n", shown[k]);
            fprintf(p.gp,
                    "stats 'parity.csv' skip 1 using (strcol(1) eq '%s' && strcol(2) eq '%s' ? $3 "
                    ": NaN):4 nooutput\n"
                    "lo = STATS_min_x < STATS_min_y ? STATS_min_x : STATS_min_y\n"
                    "hi = STATS_max_x > STATS_max_y ? STATS_max_x : STATS_max_y\n"
                    "set xrange [lo:hi]\nset yrange [lo:hi]\n"
                    "plot x with lines lw 1 lc rgb '#999999', 'parity.csv' skip 1 using "
                    "(strcol(1) eq '%s' && strcol(2) eq '%s' ? $3 : NaN):4 with points pt 7 ps "
                    "0.22 lc rgb (0x70000000 + col[%d]) title \"%s\" noenhanced\n",
                    r->model[m].name, what[k], r->model[m].name, what[k], mlk_plot_style(m),
                    r->model[m].name);
            mlk_plot_panel(&p, what[k], "DFT", scale[k], "model", scale[k], 0);
            fprintf(p.gp, "set xrange [*:*]\nset yrange [*:*]\n");
        }
    }
    fprintf(p.gp, "unset multiplot\n");
    char caption[700];
    snprintf(
        caption, sizeof caption,
        "Predictions against DFT on the held-out validation trajectories, which the fit has not "
        "seen. Energies "
        "are relative to the mean of the validation frames. At most %d points per panel are drawn, "
        "evenly thinned; the errors in the titles are over all of them.",
        PARITY_POINTS);
    return mlk_plot_end(&p, "Parity on held-out frames", caption, e);
}

mlk_status mlk_report_figures_models(mlk_report *r, mlk_err *e)
{
    MLK_TRY(learning(r, e));
    MLK_TRY(parity(r, e));
    return mlk_report_calibration(r, e);
}
