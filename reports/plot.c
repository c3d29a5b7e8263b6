/* plot.c - see plot.h. */
#include "reports/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"

/* Okabe and Ito, Color Universal Design (2008): told apart with any colour vision; symbols differ
 * too. */
static const struct {
    const char *colour;
    int point;
    const char *dash;
} styles[] = {{"#0072B2", 7, "1"},       {"#D55E00", 5, "(9,3)"},
              {"#009E73", 9, "(3,2)"},   {"#CC79A7", 13, "(9,3,2,3)"},
              {"#E69F00", 11, "(15,4)"}, {"#56B4E9", 15, "(5,2,5,6)"},
              {"#000000", 6, "(2,4)"},   {"#7F7F7F", 4, "(15,3,3,3)"}};
enum { N_STYLES = sizeof styles / sizeof *styles };

int mlk_plot_style(int model)
{
    return model % N_STYLES + 1;
}

int mlk_plot_curve(int model)
{
    return N_STYLES + mlk_plot_style(model);
}

const char *mlk_plot_colour(int model)
{
    return styles[model % N_STYLES].colour;
}

int mlk_plot_symbol(int model)
{
    return styles[model % N_STYLES].point;
}

/* Run gnuplot in a folder with one argument or a script; messages go to `log`. Exit status, or -1.
 */
static int run_gnuplot(const char *dir, const char *pre, const char *script, const char *log)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) return -1;
    if (pid == 0) {
        int in = open("/dev/null", O_RDONLY);
        if (chdir(dir) || in < 0) _exit(126);
        int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (out < 0) _exit(126);
        dup2(in, 0), dup2(out, 1), dup2(out, 2);
        if (script)
            execlp("gnuplot", "gnuplot", "-e", pre, script, (char *)NULL);
        else
            execlp("gnuplot", "gnuplot", "-e", pre, (char *)NULL);
        _exit(127);
    }
    int status;
    while (waitpid(pid, &status, 0) != pid)
        if (errno != EINTR) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void mlk_plot_probe(bool *gnuplot, bool *pdf)
{
    *gnuplot = run_gnuplot("/", "set terminal svg", NULL, "/dev/null") == 0;
    *pdf = *gnuplot && run_gnuplot("/", "set terminal pdfcairo", NULL, "/dev/null") == 0;
}

mlk_status mlk_plot_csv(mlk_plot *p, mlk_report *r, const char *csv, const char *header, mlk_err *e)
{
    char path[1300];
    p->r = r;
    MLK_TRY(mlk_out_begin(&p->csv, mlk_path_join(path, sizeof path, r->figdir, csv), e));
    fprintf(p->csv.fp, "%s\n", header);
    return MLK_OK;
}

mlk_status mlk_plot_csv_end(mlk_plot *p, mlk_err *e)
{
    return mlk_out_commit(&p->csv, e);
}

enum { LEGEND_ROW = 18 /* points */ };

/* Room of a name in a legend, with its symbol [points]. */
static double entry_width(const char *name)
{
    return 54 + 7.6 * (double)strlen(name);
}

/* Lay out a legend in as many lines as it needs, each in the middle. x, y: of the symbols, y from
 * the top [points]; both may be NULL. Returns the number of lines. */
static int legend_rows(int width, int n, const char *const *name, double *x, double *y)
{
    int rows = 0;
    for (int k = 0, end; k < n; k = end, rows++) {
        double total = entry_width(name[k]);
        for (end = k + 1; end < n && total + entry_width(name[end]) <= width; end++)
            total += entry_width(name[end]);
        double at = 0.5 * (width - total) + 14;
        for (int q = k; q < end && x; at += entry_width(name[q++]))
            x[q] = at, y[q] = 13 + LEGEND_ROW * rows;
    }
    return rows;
}

static int model_names(const mlk_report *r, const char *name[MLK_REPORT_MODELS])
{
    for (int m = 0; m < r->n_model; m++) name[m] = r->model[m].name;
    return r->n_model;
}

mlk_status mlk_plot_begin(mlk_plot *p, mlk_report *r, const char *name, int width, int height,
                          mlk_err *e)
{
    char path[1300], file[64];
    p->r = r;
    const char *model[MLK_REPORT_MODELS];
    int rows = legend_rows(width, model_names(r, model), model, NULL, NULL);
    p->width = width, p->height = height += rows > 1 ? LEGEND_ROW * (rows - 1) : 0;
    snprintf(p->name, sizeof p->name, "%s", name);
    snprintf(file, sizeof file, "%s.gp", name);
    MLK_TRY(mlk_out_begin(&p->script, mlk_path_join(path, sizeof path, r->figdir, file), e));
    FILE *f = p->gp = p->script.fp;
    fprintf(f,
            "# gnuplot %s.gp writes %s.svg; gnuplot -e 'pdf=1' %s.gp writes %s.pdf\n"
            "set encoding utf8\nset minussign\n"
            "if (exists(\"pdf\")) {\n"
            "    set terminal pdfcairo enhanced color font 'DejaVu Sans,9' size %.2fin,%.2fin "
            "%s\n"
            "    set output '%s.pdf'\n"
            "} else {\n"
            "    set terminal svg enhanced size %d,%d dynamic font 'Helvetica,13' name 'fig_%s' "
            "%s dashlength 0.8\n"
            "    set output '%s.svg'\n"
            "}\n"
            "set datafile separator comma\nset datafile missing ''\n"
            "set border 3 lc rgb '#555555'\nset tics nomirror out scale 0.6\n"
            "set grid ytics lc rgb '#E4E4E4' lw 0.6 dt 1\nset key noautotitle\n"
            "set key top left reverse Left samplen 1.6 spacing 1.05\nset bars 0.6\n"
            "set xtics offset 0,0.35\nset ytics offset 0.4,0\nset xlabel offset 0,0.75\n"
            "set ylabel offset 1.4,0\nset title offset 0,-0.55\n",
            name, name, name, name, width / 100.0, height / 100.0, p->dots ? "rounded" : "butt",
            name, width, height, name, p->dots ? "round" : "butt", name);
    for (int k = 0; k < N_STYLES; k++)
        fprintf(f, "set style line %d lc rgb '%s' lw 1.8 pt %d ps 0.75\n", k + 1, styles[k].colour,
                styles[k].point);
    /* curves: also told apart by their dashes, for print in grey */
    for (int k = 0; k < N_STYLES; k++)
        fprintf(f, "set style line %d lc rgb '%s' lw 1.8 pt %d ps 0.75 dt %s\n", N_STYLES + k + 1,
                styles[k].colour, styles[k].point, styles[k].dash);
    fprintf(f, "array col[%d] = [", N_STYLES);
    for (int k = 0; k < N_STYLES; k++) fprintf(f, "%s0x%s", k ? ", " : "", styles[k].colour + 1);
    /* faint(k): the same colour, mostly transparent, for raw data and error bands */
    fprintf(f, "]\nfaint(k) = 0xA8000000 + col[k]\nband(k) = 0xD0000000 + col[k]\n");
    return MLK_OK;
}

void mlk_plot_legend(mlk_plot *p, int n, const char *const *name, const int *style)
{
    p->legend = legend_rows(p->width, n, name, p->legend_x, p->legend_y);
    fprintf(p->gp, "unset key\n");
    for (int k = 0; k < n; k++)
        fprintf(p->gp,
                "set label %d \"%s\" at screen %.4f,%.4f left noenhanced offset 1.8,-0.35 point ls "
                "%d\n",
                100 + k, name[k], p->legend_x[k] / p->width, 1 - p->legend_y[k] / p->height,
                style[k]);
}

void mlk_plot_grid(mlk_plot *p, int rows, int cols, bool own_labels, bool titles,
                   mlk_plot_key legend)
{
    /* in points: what labels of the 13 point font need */
    double w = p->width, h = p->height, left = 78, right = 14, bottom = 54;
    double hgap = own_labels ? 84 : 52, vgap = (titles ? 68 : 50) + (own_labels ? 22 : 0);
    if (legend) {
        const char *name[MLK_REPORT_MODELS];
        int style[MLK_REPORT_MODELS], n = model_names(p->r, name);
        for (int m = 0; m < n; m++) style[m] = mlk_plot_style(m);
        mlk_plot_legend(p, n, name, style);
        for (int m = 0; m < p->r->n_model && legend == MLK_PLOT_CURVES; m++)
            fprintf(p->gp, "set arrow %d from screen %.4f,%.4f to screen %.4f,%.4f nohead ls %d\n",
                    100 + m, (p->legend_x[m] - 12) / w, 1 - p->legend_y[m] / h,
                    (p->legend_x[m] + 12) / w, 1 - p->legend_y[m] / h, mlk_plot_curve(m));
    }
    double top = (titles ? 26 : 10) + (p->legend ? 26 + LEGEND_ROW * (p->legend - 1) : 0);
    fprintf(p->gp, "set multiplot layout %d,%d margins %.4f,%.4f,%.4f,%.4f spacing %.4f,%.4f\n",
            rows, cols, left / w, 1 - right / w, bottom / h, 1 - top / h, hgap / w, vgap / h);
}

/* gnuplot knows where the panel lies and which ranges it chose; y counts from the bottom. */
void mlk_plot_panel(mlk_plot *p, const char *title, const char *x, const char *xunit, const char *y,
                    const char *yunit, unsigned how)
{
    char at[MLK_REPORT_TEMPS * 14 + 20] = "";
    if (how & (MLK_PLOT_TEMPS | MLK_PLOT_INVERSE))
        for (int t = 0; t < p->r->n_temp; t++)
            snprintf(at + strlen(at), sizeof at - strlen(at), "%s%.8g%s", t ? "," : ",\"at\":[",
                     p->r->temp[t], t + 1 < p->r->n_temp ? "" : "]");
    fprintf(p->gp,
            "if (exists(\"axes\")) set print axes append; print sprintf('{\"px\":[%%.2f,%%.2f,"
            "%%.2f,%%.2f],\"x\":[%%.9g,%%.9g],\"y\":[%%.9g,%%.9g],\"t\":\"%s\",\"xn\":\"%s\","
            "\"xu\":\"%s\",\"yn\":\"%s\",\"yu\":\"%s\",\"how\":%u%s}', GPVAL_TERM_XMIN, "
            "GPVAL_TERM_XMAX, %d - GPVAL_TERM_YMIN, %d - GPVAL_TERM_YMAX, GPVAL_X_MIN, "
            "GPVAL_X_MAX, GPVAL_Y_MIN, GPVAL_Y_MAX); unset print\n",
            title, x, xunit, y, yunit, how, at, p->height, p->height);
}

/* The panels the script has printed, as a JSON list; NULL when there are none. */
static char *read_axes(const char *path)
{
    char *text = NULL;
    size_t n = 0;
    if (mlk_file_slurp(path, &text, &n, NULL)) return NULL;
    unlink(path);
    char *list = mlk_alloc(n + 3, 1);
    if (list) {
        while (n && text[n - 1] == '\n') n--;
        list[0] = '[';
        for (size_t k = 0; k < n; k++) list[k + 1] = text[k] == '\n' ? ',' : text[k];
        list[n + 1] = ']';
    }
    mlk_free(text);
    return list;
}

mlk_status mlk_plot_end(mlk_plot *p, const char *title, const char *caption, mlk_err *e)
{
    char file[64], log[1300], axes[1300], pre[80], line[300] = "", *text = NULL;
    mlk_report *r = p->r;
    fprintf(p->gp, "unset output\n");
    MLK_TRY(mlk_out_commit(&p->script, e));
    if (!r->gnuplot) return MLK_OK;
    snprintf(file, sizeof file, "%s.gp", p->name);
    mlk_path_join(log, sizeof log, r->figdir, "gnuplot.log");
    snprintf(pre, sizeof pre, "axes='%s.axes'", p->name);
    mlk_path_join(axes, sizeof axes, r->figdir, pre + strlen("axes='"));
    axes[strlen(axes) - 1] = 0;
    unlink(axes);
    int status = run_gnuplot(r->figdir, pre, file, "gnuplot.log");
    if (!status && r->pdf) status = run_gnuplot(r->figdir, "pdf=1", file, "gnuplot.log");
    if (status) {
        if (!mlk_file_slurp(log, &text, NULL, NULL)) {
            char *why = strstr(text, "line ");
            snprintf(line, sizeof line, "%.250s", why ? why : text);
            line[strcspn(line, "\n")] = 0;
        }
        mlk_free(text);
        /* one broken figure does not cost the report */
        mlk_log(MLK_LOG_WARN, "figure %s: gnuplot failed: %s (run 'gnuplot %s' in %s)", p->name,
                line, file, r->figdir);
        return mlk_report_miss(r, e, "figure %s: gnuplot failed", p->name);
    }
    unlink(log);
    char *panels = read_axes(axes);
    mlk_status s = MLK_GROW(r->fig, r->cap_fig, r->n_fig + 1, e);
    if (s) {
        mlk_free(panels);
        return s;
    }
    mlk_report_fig *fig = &r->fig[r->n_fig++];
    fig->axes = panels;
    snprintf(fig->name, sizeof fig->name, "%s", p->name);
    snprintf(fig->title, sizeof fig->title, "%s", title);
    snprintf(fig->caption, sizeof fig->caption, "%s", caption);
    return MLK_OK;
}
