/* plot.h - figures through gnuplot, run as a program. A figure NAME is a script NAME.gp that reads
 * its NAME*.csv beside it and writes NAME.svg and, where gnuplot can, NAME.pdf. */
#ifndef MLK_REPORTS_PLOT_H
#define MLK_REPORTS_PLOT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/err.h"
#include "core/file.h"
#include "reports/csv.h"
#include "reports/report.h"

typedef struct mlk_plot {
    mlk_report *r;
    mlk_out script, csv;
    FILE *gp;
    char name[48];
    int width, height;
    bool dots;  /* lines end round, so that one of no length is a dot; set before mlk_plot_begin */
    int legend; /* lines of it */
    double legend_x[MLK_REPORT_MODELS], legend_y[MLK_REPORT_MODELS]; /* of the symbols, in points */
} mlk_plot;

/* The line on top that names the models: none, their symbols, symbols on a piece of their curves.
 */
typedef enum mlk_plot_key { MLK_PLOT_NO_KEY, MLK_PLOT_SYMBOLS, MLK_PLOT_CURVES } mlk_plot_key;

/* Is there a gnuplot, and can it write PDF? */
void mlk_plot_probe(bool *gnuplot, bool *pdf);
/* Start the table NAME.csv (file name `csv` without folder); the caller writes rows to p->csv.fp.
 */
mlk_status mlk_plot_csv(mlk_plot *p, mlk_report *r, const char *csv, const char *header,
                        mlk_err *e);
mlk_status mlk_plot_csv_end(mlk_plot *p, mlk_err *e);
/* Start the script NAME.gp with the common look; width and height in points of the SVG, which gets
 * higher when the names of the models need more than one line. */
mlk_status mlk_plot_begin(mlk_plot *p, mlk_report *r, const char *name, int width, int height,
                          mlk_err *e);
/* Lay out rows x cols panels with a shared legend line on top; gaps leave room for titles (rows)
 * and, with own_labels, axis labels of every panel. */
void mlk_plot_grid(mlk_plot *p, int rows, int cols, bool own_labels, bool titles,
                   mlk_plot_key legend);
/* Symbols and names at the top of the figure; style[k] as of mlk_plot_style. */
void mlk_plot_legend(mlk_plot *p, int n, const char *const *name, const int *style);
/* Run gnuplot and list the figure with its title and caption. Without gnuplot: only the script and
 * the tables are left. A figure gnuplot cannot draw is logged and listed as missing. */
mlk_status mlk_plot_end(mlk_plot *p, const char *title, const char *caption, mlk_err *e);
/* To be called after each plot command of a panel: what its axes mean, for the values that the page
 * shows under the pointer. Units may be "". */
enum {
    MLK_PLOT_LOGX = 1,
    MLK_PLOT_LOGY = 2,
    MLK_PLOT_TEMPS = 4 /* x are those of the study */,
    MLK_PLOT_INVERSE = 16, /* x is 1000/T of those of the study */
    MLK_PLOT_NAMES = 8     /* x = 0, 1, ... have the names that xunit lists: "one|two" */
};
void mlk_plot_panel(mlk_plot *p, const char *title, const char *x, const char *xunit, const char *y,
                    const char *yunit, unsigned how);
/* A table of a model's folder, of a ready model of what its validation left; no rows when it is not
 * there. A broken one is an error. */
mlk_status mlk_report_model_table(const mlk_report *r, int m, const char *name, mlk_csv *t,
                                  mlk_err *e);
/* Titles of what is plotted are the name of a model, which the page hides with the model, or that
 * and what it is ("nep-1, Li"), or another name; they stand with the values under the pointer. */
/* Colour "#0072B2" and gnuplot symbol of a model. */
const char *mlk_plot_colour(int model);
int mlk_plot_symbol(int model);
/* gnuplot style number of a model: colour and symbol, the same in every figure. */
int mlk_plot_style(int model);
/* The same with the dashes of the model, for curves without symbols. */
int mlk_plot_curve(int model);

#endif
