/* figures_models.c - learning curves of the fitted models; parity.c and calibration.c draw the
 * other figures of the models. */
#include <math.h>
#include <string.h>

#include "core/file.h"
#include "reports/csv.h"
#include "reports/plot.h"
#include "reports/report.h"

mlk_status mlk_report_model_table(const mlk_report *r, int m, const char *name, mlk_csv *t,
                                  mlk_err *e)
{
    char path[1300];
    *t = (mlk_csv){0};
    if (*r->model[m].ready)
        snprintf(path, sizeof path, "%s/validate/%s/%s", r->run, r->model[m].name, name);
    else
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
        if (*r->model[m].ready) continue; /* not fitted here */
        MLK_TRY(mlk_report_model_table(r, m, "loss.csv", &t, e));
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
            most > 3 ? "set logscale x\nset format x '10^{%T}'\n" : "set xrange [0:*]\n");
    mlk_plot_grid(&p, 1, 3, true, false, MLK_PLOT_CURVES);
    for (int k = 0; k < 3; k++) {
        fprintf(p.gp, "set ylabel '%s'\n%splot ", label[k], k ? "unset label\n" : "");
        bool first = true;
        for (int m = 0; m < r->n_model; m++) {
            if (!drawn[m]) continue;
            const char *with = drawn[m] < 8 ? "points" : "lines";
            fprintf(p.gp,
                    "%s'learning.csv' skip 1 using (strcol(1) eq '%s' ? $2 : NaN):%d with %s ls %d "
                    "title \"%s, validation\" noenhanced, "
                    "'' skip 1 using (strcol(1) eq '%s' ? $2 : NaN):%d with %s ls %d lw 0.8 "
                    "title \"%s, training\" noenhanced",
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
        "Root-mean-square errors during the fit: on the held-out validation frames (thick) and "
        "on the training frames (thin). A least-squares fit (SNAP) has no epochs and "
        "shows as single points.",
        e);
}

mlk_status mlk_report_figures_models(mlk_report *r, mlk_err *e)
{
    MLK_TRY(learning(r, e));
    MLK_TRY(mlk_report_parity(r, e));
    return mlk_report_calibration(r, e);
}
