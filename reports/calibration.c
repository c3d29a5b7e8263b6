/* calibration.c - how well the spread of a committee of seeds predicts its errors: the figure of
 * section 3. The numbers are those of mlkit validate (committee/TYPE/ of the study). */
#include <math.h>
#include <string.h>

#include "core/file.h"
#include "core/json.h"
#include "reports/csv.h"
#include "reports/plot.h"
#include "reports/report.h"

/* A table of a committee folder with the family before every row; rows are counted. */
static mlk_status copy_table(const mlk_report *r, int m, const char *name, FILE *out, int *rows,
                             mlk_err *e)
{
    char path[1300];
    mlk_csv t;
    snprintf(path, sizeof path, "%s/committee/%s/%s", r->run, r->model[m].type, name);
    if (!mlk_file_exists(path)) return MLK_OK;
    MLK_TRY(mlk_csv_read(&t, path, e));
    for (size_t i = 0; i < t.n; i++) {
        fputs(r->model[m].type, out);
        for (int k = 0; k < t.n_col; k++) fprintf(out, ",%s", mlk_csv_text(&t, i, k));
        fputc('\n', out);
        *rows += !strcmp(mlk_csv_text(&t, i, mlk_csv_col(&t, "quantity")), "force");
    }
    mlk_csv_free(&t);
    return MLK_OK;
}

/* Limits of the logarithmic axes: a little around all spreads, uncertainties and errors. */
static mlk_status limits(const mlk_report *r, int m, double *lo, double *hi, mlk_err *e)
{
    static const char *const keys[] = {"spread", "predicted", "rmse"};
    char path[1300];
    mlk_csv t;
    snprintf(path, sizeof path, "%s/committee/%s/committee_bins.csv", r->run, r->model[m].type);
    MLK_TRY(mlk_csv_read(&t, path, e));
    *lo = INFINITY, *hi = 0;
    for (size_t i = 0; i < t.n; i++)
        for (int k = 0; k < 3; k++) {
            double v = mlk_csv_num(&t, i, mlk_csv_col(&t, keys[k]));
            if (strcmp(mlk_csv_text(&t, i, mlk_csv_col(&t, "quantity")), "force") || !(v > 0))
                continue;
            *lo = fmin(*lo, v / 1.35), *hi = fmax(*hi, v * 1.35);
        }
    mlk_csv_free(&t);
    return MLK_OK;
}

static void bin_panel(mlk_plot *p, const char *type, int style, double lo, double hi)
{
    fprintf(p->gp,
            "set title \"%s: forces\" noenhanced\nset logscale xy\nset xrange [%.5g:%.5g]\n"
            "set yrange [%.5g:%.5g]\nset xlabel 'predicted uncertainty (meV/Å)'\n"
            "set ylabel 'RMSE of the mean (meV/Å)'\nset xtics (%s)\nset ytics (%s)\nplot "
            "x with lines lw 1 lc rgb '#999999', "
            "'calibration.csv' skip 1 using (strcol(1) eq '%s' && strcol(2) eq 'force' ? $5 : "
            "NaN):7:8 with yerrorbars ls 31 title 'raw spread', "
            "'' skip 1 using (strcol(1) eq '%s' && strcol(2) eq 'force' ? $6 : NaN):7:8 with "
            "yerrorbars ls %d pt 7 title 'calibrated'\n",
            type, lo, hi, lo, hi, "1,2,5,10,20,50,100,200,500,1000,2000,5000",
            "1,2,5,10,20,50,100,200,500,1000,2000,5000", type, type, style);
}

static void curve_panel(mlk_plot *p, const char *type, int style)
{
    fprintf(p->gp,
            "unset logscale\nset title \"%s: inside the interval\" noenhanced\nset xrange [0:1]\n"
            "set yrange [0:1]\nset xlabel 'probability of the interval'\n"
            "set ylabel 'fraction of errors inside'\nset xtics 0.2\nset ytics 0.2\nplot "
            "'calibration_quantiles.csv' skip 1 using (strcol(1) eq '%s' && strcol(2) eq 'force' ? "
            "$3 : NaN):($5-$6):($5+$6) with filledcurves lc rgb band(%d), "
            "x with lines lw 1 lc rgb '#999999', "
            "'' skip 1 using (strcol(1) eq '%s' && strcol(2) eq 'force' ? $3 : NaN):4 with "
            "linespoints ls 31 dt 2 title 'forces, raw spread', "
            "'' skip 1 using (strcol(1) eq '%s' && strcol(2) eq 'force' ? $3 : NaN):5 with "
            "linespoints ls %d pt 7 ps 0.5 title 'forces, calibrated', "
            "'' skip 1 using (strcol(1) eq '%s' && strcol(2) eq 'energy' ? $3 : NaN):5 with "
            "points ls 33 title 'energies, calibrated'\n",
            type, type, style, type, type, style, type);
}

mlk_status mlk_report_calibration(mlk_report *r, mlk_err *e)
{
    mlk_plot p = {0};
    int rows[MLK_REPORT_MODELS][2] = {{0}}, n = 0;
    static const char *const file[2] = {"committee_bins.csv", "committee_quantiles.csv"};
    static const char *const table[2] = {"calibration.csv", "calibration_quantiles.csv"};
    static const char *const head[2] = {"type,quantity,unit,n,spread,predicted,rmse,rmse_err",
                                        "type,quantity,expected,before,after,after_err"};
    bool any = false;
    for (int m = 0; m < r->n_model; m++) any |= r->model[m].committee != NULL;
    for (int k = 0; any && k < 2; k++) {
        MLK_TRY(mlk_plot_csv(&p, r, table[k], head[k], e));
        for (int m = 0; m < r->n_model; m++)
            if (r->model[m].committee) MLK_TRY(copy_table(r, m, file[k], p.csv.fp, &rows[m][k], e));
        MLK_TRY(mlk_plot_csv_end(&p, e));
    }
    for (int m = 0; m < r->n_model; m++) n += rows[m][0] && rows[m][1];
    if (!n) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, "calibration", 900, 20 + 390 * n, e));
    fprintf(p.gp, "set grid xtics ytics\nset style line 31 pt 4 ps 0.7 lw 1.2 lc rgb '#777777'\n"
                  "set style line 32 pt 7 ps 0.75 lc rgb '#333333'\n"
                  "set style line 33 pt 10 ps 0.9 lw 1.2 lc rgb '#333333'\n");
    mlk_plot_legend(&p, 3,
                    (const char *const[]){"spread as it is", "calibrated", "energies, calibrated"},
                    (const int[]){31, 32, 33});
    mlk_plot_grid(&p, n, 2, true, true, MLK_PLOT_NO_KEY);
    for (int m = 0; m < r->n_model; m++) {
        double lo, hi;
        if (!rows[m][0] || !rows[m][1]) continue;
        MLK_TRY(limits(r, m, &lo, &hi, e));
        bin_panel(&p, r->model[m].type, mlk_plot_style(m), lo, hi);
        mlk_plot_panel(&p, r->model[m].type, "predicted", "meV/Å", "RMSE", "meV/Å",
                       MLK_PLOT_LOGX | MLK_PLOT_LOGY);
        fprintf(p.gp, "unset label\n");
        curve_panel(&p, r->model[m].type, mlk_plot_style(m));
        mlk_plot_panel(&p, r->model[m].type, "probability", "", "inside", "", 0);
    }
    fprintf(p.gp, "unset multiplot\n");
    return mlk_plot_end(
        &p, "Prediction intervals of the committees",
        "Left: force components of the held-out atoms in bins of equal number by predicted "
        "uncertainty; RMSE of the committee mean with one standard error (trajectory groups as "
        "units). On the grey diagonal prediction and error agree; the fewer members, the more of "
        "their spread is chance and the flatter the points lie. Squares: the spread between seeds "
        "taken as it is. Right: how many errors lie inside the interval of a probability; band: "
        "one standard error. Calibrated: spread times α, each half of the trajectory groups judged "
        "with the α of the other half; the intervals are Student's, for the small number of "
        "members.",
        e);
}
