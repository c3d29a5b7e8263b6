/* parity.c - predictions against DFT. The table holds every point; what is drawn is a choice that
 * neither hides outliers nor shows more dots than can be told apart. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "reports/plot.h"
#include "reports/report.h"

enum { POINTS = 1000, WORST = 50 }; /* drawn in a panel; of these with the largest errors */

static const struct {
    const char *what, *rmse, *label, *unit, *scale, *ref, *pred;
} quantity[3] = {{"energy", "energy_rmse_meV_atom", "energy, relative (meV/atom)", "meV/atom",
                  "meV/atom", "reference_eV_atom", "predicted_eV_atom"},
                 {"force", "force_rmse_meV_A", "force component (eV/Å)", "meV/Å", "eV/Å",
                  "reference_eV_A", "predicted_eV_A"},
                 {"stress", "stress_rmse_GPa", "stress component (GPa)", "GPa", "GPa",
                  "reference_GPa", "predicted_GPa"}};

typedef struct points {
    double *x, *y; /* DFT, model */
    size_t n, cap_x, cap_y;
} points;

typedef struct counts {
    size_t all[MLK_REPORT_MODELS][3], drawn[MLK_REPORT_MODELS][3];
} counts;

static void points_free(points *p)
{
    mlk_free(p->x), mlk_free(p->y);
    *p = (points){0};
}

/* The held-out points of one model, of a ready one all, in the units of the figure. */
static mlk_status held_out(const mlk_report *r, int m, int q, points *p, mlk_err *e)
{
    char name[40];
    mlk_csv t;
    mlk_status s = MLK_OK;
    double mean[2] = {0, 0}, unit = q ? 1 : 1e3;
    bool ready = *r->model[m].ready,
         shifted = json_object_get(json_object_get(r->model[m].train, "valid"),
                                   "energy_shift_meV_atom") != NULL;
    *p = (points){0};
    snprintf(name, sizeof name, "parity_%s.csv", quantity[q].what);
    MLK_TRY(mlk_report_model_table(r, m, name, &t, e));
    int split = mlk_csv_col(&t, "split"), a = mlk_csv_col(&t, quantity[q].ref),
        b = mlk_csv_col(&t, quantity[q].pred);
    for (size_t i = 0; i < t.n; i++) {
        double x = mlk_csv_num(&t, i, a), y = mlk_csv_num(&t, i, b);
        if (!ready && strcmp(mlk_csv_text(&t, i, split), "valid")) continue;
        if (!isfinite(x) || !isfinite(y)) continue;
        MLK_GO(MLK_GROW(p->x, p->cap_x, p->n + 1, e));
        MLK_GO(MLK_GROW(p->y, p->cap_y, p->n + 1, e));
        p->x[p->n] = x, p->y[p->n++] = y;
        mean[0] += x, mean[1] += y;
    }
    /* energies are relative to DFT's mean; those with another zero to their own, as their error */
    for (int k = 0; k < 2; k++) mean[k] = !q && p->n ? mean[k] / (double)p->n : 0;
    if (!shifted) mean[1] = mean[0];
    for (size_t i = 0; i < p->n; i++)
        p->x[i] = (p->x[i] - mean[0]) * unit, p->y[i] = (p->y[i] - mean[1]) * unit;
done:
    mlk_csv_free(&t);
    if (s) points_free(p);
    return s;
}

static int falling(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Error from which on a point is always drawn. */
static mlk_status large_error(const points *p, double *least, mlk_err *e)
{
    double *d = mlk_alloc(p->n, sizeof *d);
    if (!d) return MLK_FAIL(e, MLK_ENOMEM, "parity figure");
    for (size_t i = 0; i < p->n; i++) d[i] = fabs(p->y[i] - p->x[i]);
    qsort(d, p->n, sizeof *d, falling);
    *least = d[WORST - 1];
    mlk_free(d);
    return MLK_OK;
}

/* All points, or those with the WORST largest errors and of the others, each with the same chance,
 * as many as make POINTS (selection sampling). Returns how many are written. */
static mlk_status thinned(const points *p, const char *model, int q, FILE *f, size_t *drawn,
                          mlk_err *e)
{
    mlk_rng g = mlk_rng_make(1, (uint64_t)q);
    double least = 0;
    size_t worst = 0, take, left;
    *drawn = 0;
    if (p->n > POINTS) MLK_TRY(large_error(p, &least, e));
    for (size_t i = 0; i < p->n; i++) worst += fabs(p->y[i] - p->x[i]) >= least;
    take = worst < POINTS ? POINTS - worst : 0, left = p->n - worst;
    for (size_t i = 0; i < p->n; i++) {
        bool draw = fabs(p->y[i] - p->x[i]) >= least;
        if (!draw) {
            draw = mlk_rng_uniform(&g) * (double)left-- < (double)take;
            take -= draw;
        }
        if (draw)
            fprintf(f, "%s,%s,%.6g,%.6g\n", model, quantity[q].what, p->x[i], p->y[i]), ++*drawn;
    }
    return MLK_OK;
}

/* Both tables, every point (parity.csv) and those drawn. */
static mlk_status tables(mlk_report *r, bool thin, counts *c, mlk_err *e)
{
    mlk_plot p = {0};
    mlk_status s = MLK_OK;
    points v = {0};
    MLK_TRY(mlk_plot_csv(&p, r, thin ? "parity_drawn.csv" : "parity.csv",
                         "model,quantity,reference,predicted", e));
    for (int m = 0; m < r->n_model; m++)
        for (int q = 0; q < 3; q++) {
            MLK_GO(held_out(r, m, q, &v, e));
            c->all[m][q] = v.n;
            if (thin)
                MLK_GO(thinned(&v, r->model[m].name, q, p.csv.fp, &c->drawn[m][q], e));
            else
                for (size_t i = 0; i < v.n; i++)
                    fprintf(p.csv.fp, "%s,%s,%.8g,%.8g\n", r->model[m].name, quantity[q].what,
                            v.x[i], v.y[i]);
            points_free(&v);
        }
done:
    points_free(&v);
    if (s) {
        mlk_out_abort(&p.csv);
        return s;
    }
    return mlk_plot_csv_end(&p, e);
}

static void panel(mlk_plot *p, const mlk_report *r, int m, int q)
{
    const char *name = r->model[m].name, *what = quantity[q].what;
    const json_t *v = json_object_get(r->model[m].train, "valid");
    char rmse[32];
    fprintf(p->gp, "set title \"%s: RMSE %s %s\" noenhanced\n", name,
            mlk_sig(mlk_json_get_real(v, quantity[q].rmse, NAN), 3, rmse), quantity[q].unit);
    fprintf(p->gp, "set ylabel 'model'\nset xlabel 'DFT: %s'\n", quantity[q].label);
    /* a vector of almost no length is a dot in a tenth of the space of a symbol */
    fprintf(p->gp,
            "stats 'parity_drawn.csv' skip 1 using (strcol(1) eq '%s' && strcol(2) eq '%s' ? $3 : "
            "NaN):4 nooutput\n"
            "lo = STATS_min_x < STATS_min_y ? STATS_min_x : STATS_min_y\n"
            "hi = STATS_max_x > STATS_max_y ? STATS_max_x : STATS_max_y\n"
            "set xrange [lo:hi]\nset yrange [lo:hi]\n"
            "plot x with lines lw 1 lc rgb '#999999', 'parity_drawn.csv' skip 1 using "
            "(strcol(1) eq '%s' && strcol(2) eq '%s' ? $3 : NaN):4:(2e-4*(hi-lo)):(0) with vectors "
            "nohead lw 2.4 lc rgb (0x80000000 + col[%d]) title \"%s\" noenhanced\n",
            name, what, name, what, mlk_plot_style(m), name);
    mlk_plot_panel(p, what, "DFT", quantity[q].scale, "model", quantity[q].scale, 0);
    fprintf(p->gp, "set xrange [*:*]\nset yrange [*:*]\n");
}

/* "70 of 70 energies, 1000 of 13440 force components and ..." of the model with most points */
static void how_many(const mlk_report *r, const counts *c, char *buf, size_t cap)
{
    static const char *const name[3] = {"energies", "force components", "stress components"};
    *buf = 0;
    for (int q = 0; q < 3; q++) {
        int most = 0;
        for (int m = 1; m < r->n_model; m++)
            if (c->all[m][q] > c->all[most][q]) most = m;
        if (c->all[most][q])
            snprintf(buf + strlen(buf), cap - strlen(buf), "%s%zu of %zu %s", *buf ? ", " : "",
                     c->drawn[most][q], c->all[most][q], name[q]);
    }
}

mlk_status mlk_report_parity(mlk_report *r, mlk_err *e)
{
    mlk_plot p = {.dots = true};
    counts c = {0};
    int n = 0;
    MLK_TRY(tables(r, false, &c, e));
    MLK_TRY(tables(r, true, &c, e));
    for (int m = 0; m < r->n_model; m++) n += c.all[m][0] || c.all[m][1] || c.all[m][2];
    if (!n) return MLK_OK;
    MLK_TRY(mlk_plot_begin(&p, r, "parity", 900, 20 + 280 * n, e));
    fprintf(p.gp, "set grid xtics ytics\nunset key\n");
    mlk_plot_grid(&p, n, 3, true, true, MLK_PLOT_NO_KEY);
    for (int m = 0; m < r->n_model; m++) {
        if (!c.all[m][0] && !c.all[m][1] && !c.all[m][2]) continue;
        for (int q = 0; q < 3; q++)
            if (c.drawn[m][q])
                panel(&p, r, m, q);
            else
                fprintf(p.gp, "set multiplot next\n");
    }
    fprintf(p.gp, "unset multiplot\n");
    char caption[800], drawn[200];
    how_many(r, &c, drawn, sizeof drawn);
    snprintf(caption, sizeof caption,
             "Predictions against DFT on the held-out validation frames, which the fit has "
             "not seen (of a ready model: on all frames). Energies are relative to the mean of the "
             "frames shown. Drawn for each model: %s; above %d those with the %d largest errors "
             "and a random choice of the others. The errors in the titles are over all points, "
             "which are in figures/parity.csv.",
             drawn, POINTS, WORST);
    return mlk_plot_end(&p, "Parity on held-out frames", caption, e);
}
