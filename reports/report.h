/* report.h - the report of a study: read a run folder, compare the models, draw.
 *
 * load.c     run folder -> mlk_report (whatever is there; what is not is listed as missing)
 * result.c   comparison of the models, report.json;  statement.c  what it means, in words
 * figures*.c, parity.c, calibration.c  one function per figure, by plot.c (the program gnuplot)
 * tables.c   tables as CSV and LaTeX;  methods.c  the methods paragraph and references
 * sections.c the report as a document (document.h), drawn by html.c (with html_style.c and
 *            html_script.c: self-contained) and pdf.c (a plugin, opened by pdf_open.c) */
#ifndef MLK_REPORTS_REPORT_H
#define MLK_REPORTS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/conf.h"
#include "core/err.h"
#include "core/json.h"
#include "reports/document.h"
#include "transport/compare.h"
#include "transport/temperature.h"

enum { MLK_REPORT_TEMPS = 64, MLK_REPORT_MODELS = 64, MLK_REPORT_REASONS = 5 };

typedef struct mlk_report_model {
    char name[64], type[32];
    char dir[1200]; /* RUN/models/<name>                        */
    double run_ps;  /* planned production                       */
    int seed;
    char settings[160]; /* of the fit, where they are not the defaults: "rcut=5.5"           */
    char ready[1024];   /* a ready model, not fitted in this study: where it came from; or ""  */
    /* train.json, NULL while there is none; of a ready model its errors on the data of the study,
     * as "valid" (all frames: it was fitted to none of them as far as the study knows) */
    json_t *train;
    json_t *committee; /* committee.json of the family, at its first model; or NULL */
} mlk_report_model;

typedef struct mlk_report_rdf {
    char pair[24]; /* "Li-S"                                   */
    size_t n;
    double *r, *g; /* (n) [A], 1                               */
} mlk_report_rdf;

typedef struct mlk_report_md {
    int model, temp, rep;
    char path[1300];
    bool there, complete, drift_flag, short_flag, range_flag; /* flags set by mlkit md */
    /* NaN where the file does not say */
    double t_target, t_mean, drift, wall, speed, dt_fs, volume, atoms;
    /* fraction of atom samples outside of the training data, worst grade; least distance over the
     * shortest in training; bonds at the start, times one broke */
    double outside, worst, shortest, bonds, broke;
    char command[1024];
    size_t n;              /* thermodynamic samples                                    */
    double *time, *t_inst; /* (n) [ps], [K]                                            */
    double *etot;          /* (n) total energy per atom minus its first value [meV]    */
    mlk_report_rdf *rdf;
    size_t n_rdf;
} mlk_report_md;

/* One comparison per temperature; n < 2: nothing to compare yet. */
typedef struct mlk_report_row {
    mlk_comparison naive, corrected;
    double reduction, reduction_sd; /* tau and plain standard deviation, naive over corrected; may
                                       be infinite or NaN                                        */
} mlk_report_row;

typedef struct mlk_report_fig {
    char name[48], title[160], caption[900];
    char *axes; /* panels in pixels and data units, JSON; NULL when not known */
} mlk_report_fig;

typedef struct mlk_report_data {
    bool there, groups; /* held-out frames are whole trajectory groups                */
    size_t n_frame, n_group, n_train, n_valid;
    char species[128];
    double atoms_min, atoms_max, v_min, v_max; /* atoms per frame; [A^3/atom]        */
    double t_min, t_max;                       /* sampling temperature [K], NaN       */
    double p_min, p_max, f_rms;                /* [GPa], [eV/A]                       */
} mlk_report_data;

typedef struct mlk_report {
    char run[1024], dir[1100], figdir[1150], tabdir[1150];
    mlk_conf conf; /* campaign.yaml */
    int n_temp, n_model;
    double temp[MLK_REPORT_TEMPS];
    mlk_report_model model[MLK_REPORT_MODELS];
    json_t **transport; /* (n_model,n_temp) owned references, NULL where not there     */
    mlk_report_md *md;
    size_t n_md, cap_md;
    json_t *journal; /* array of events                                                */
    mlk_report_data data;
    mlk_report_row row[MLK_REPORT_TEMPS];
    struct {
        double q_naive, q, p_naive, p, tau_naive, tau, sd_naive, sd;
        /* 95 % intervals and upper limits of one tau for all temperatures */
        double lo_naive, hi_naive, lo, hi, limit_naive, limit;
        size_t dof;
        int n_compared, n_naive, n_corrected; /* temperatures compared; at which models differ */
    } all;
    mlk_kappa_t kappa_t; /* corrected, averaged over models */
    char statement[1600];
    char (*missing)[300];
    size_t n_missing, cap_missing;
    size_t n_failed;   /* jobs whose last word in the journal is "failed"; also in missing */
    char (*care)[300]; /* what makes a result doubtful */
    size_t n_care, cap_care;
    /* runs that are there, that are flagged at all, and by reason: mean temperature, drift, nearest
     * distance, descriptors, bonds */
    size_t n_there, n_flagged, flagged[MLK_REPORT_REASONS];
    mlk_report_fig *fig;
    size_t n_fig, cap_fig;
    bool gnuplot, pdf;
} mlk_report;

/* What was drawn, for the command line. */
typedef struct mlk_report_result {
    char html[1300], pdf[1300]; /* pdf: empty when it could not be written */
    char statement[1600];
    char *table; /* the headline table as text; mlk_free it */
    size_t n_fig, n_missing;
    bool gnuplot;
} mlk_report_result;

/* Read RUN, write RUN/report/. Works on an unfinished study. Errors: MLK_EIO no campaign.yaml
 * there; MLK_EFORMAT a file of the study is broken; out may be NULL. */
mlk_status mlk_report_draw(const char *run, mlk_report_result *out, mlk_err *e);

/* Draw one transport result (the JSON of mlkit transport with curves) into the folder dir, which is
 * made: SVG, PDF and CSV of each figure of the report that needs no second run, under the label
 * `name`. n_fig: how many. Without gnuplot the tables and scripts are written all the same.
 * Errors: MLK_EIO dir holds figures already and force is not set; MLK_ENOMEM. */
mlk_status mlk_report_one(const json_t *result, const char *name, const char *dir, bool force,
                          size_t *n_fig, mlk_err *e);

/* ---- between the files of this room ---- */
mlk_status mlk_report_load(mlk_report *r, const char *run, mlk_err *e);
void mlk_report_free(mlk_report *r);
mlk_status mlk_report_miss(mlk_report *r, mlk_err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Comparison, kappa(T) and statement; then report.json. */
mlk_status mlk_report_compare(mlk_report *r, mlk_err *e);
void mlk_report_statement(mlk_report *r); /* statement.c */
mlk_status mlk_report_json(const mlk_report *r, mlk_err *e);
mlk_status mlk_report_figures(mlk_report *r, mlk_err *e);
mlk_status mlk_report_kappa(mlk_report *r, mlk_err *e);
mlk_status mlk_report_gauge(mlk_report *r, mlk_err *e);
mlk_status mlk_report_figures_models(mlk_report *r, mlk_err *e);
mlk_status mlk_report_parity(mlk_report *r, mlk_err *e);
mlk_status mlk_report_calibration(mlk_report *r, mlk_err *e);
mlk_status mlk_report_figures_md(mlk_report *r, mlk_err *e);
mlk_status mlk_report_figures_transport(mlk_report *r, mlk_err *e);
mlk_status mlk_report_tables(const mlk_report *r, mlk_err *e);
mlk_status mlk_report_methods(const mlk_report *r, mlk_err *e);
/* n bytes of a text as LaTeX: special characters escaped, Greek letters and signs in math. */
void mlk_tex(FILE *f, const char *s, size_t n);
/* Keys and texts of the references as items of the last block. */
void mlk_report_references(const mlk_report *r, mlk_document *d);
/* ", with ...": what a repetition owes to the speed of the machine, "" where it is the same. */
const char *mlk_report_by_time(const mlk_report *r);
/* SHA-256 of data, start structure, models and transport results, into the document and, as
 * `sha256sum -c` reads it, into sha256sums.txt (outputs.c). Errors: MLK_EIO. */
mlk_status mlk_report_outputs(const mlk_report *r, mlk_document *d, mlk_err *e);
/* The whole report as a document, to be freed by the caller in any case. */
mlk_status mlk_report_document(const mlk_report *r, mlk_document *d, mlk_err *e);
mlk_status mlk_report_html(const mlk_document *d, bool pdf, const char *path, mlk_err *e);
extern const char *const mlk_report_css[]; /* ends with NULL; html_style.c */
extern const char *const mlk_report_js[];  /* lines, ends with NULL; html_script.c */
/* report.pdf through mlkit-pdf.so; MLK_EUNSUPPORTED with a hint when that is not there. */
mlk_status mlk_report_pdf(const mlk_document *d, const char *path, mlk_err *e);
/* The headline table as text with columns under each other, to be mlk_free'd. */
mlk_status mlk_report_text_table(const mlk_report *r, char **text, mlk_err *e);
/* How far the mean temperature of a run is from its target, in units of what is allowed; NaN where
 * it is not known. */
double mlk_report_off(const mlk_report *r, const mlk_report_md *m);
/* Transport result of a model at a temperature, or NULL. */
const json_t *mlk_report_at(const mlk_report *r, int model, int temp);
/* Parts of the energy flux and their cross terms: name of part k < MLK_REPORT_PARTS; its share of
 * the Green-Kubo integral, v = {naive, error, corrected, error} [W/m/K], NaN where not known. False
 * when the result does not have it; results with only the three parts have 0, 1, 2, with all cross
 * terms in them. */
enum { MLK_REPORT_PARTS = 6 };
const char *mlk_report_part(int k);
bool mlk_report_part_of(const json_t *result, int k, double v[4]);
/* Their sum: kappa by Green-Kubo at the same upper limit; v as above. */
void mlk_report_parts_sum(const json_t *result, double v[4]);
/* v = {value, error}. Theta: NaN where no species is mobile, as nothing is corrected there. Ionic
 * conductivity [S/m]: there by Einstein's relation, whose error covers zero; the spectrum of a
 * bound ion's current falls to zero at f = 0, which the cepstral error does not know. */
void mlk_report_theta(const json_t *result, double v[2]);
void mlk_report_sigma(const json_t *result, double v[2]);
/* What the data set holds: names and values in words. Returns how many; 0 when there are no data.
 */
enum { MLK_REPORT_FACTS = 10 };
typedef struct mlk_report_fact {
    const char *name;
    char value[160];
} mlk_report_fact;
int mlk_report_facts(const mlk_report *r, mlk_report_fact fact[MLK_REPORT_FACTS]);
/* Up to three temperatures to show as panels: first, middle, last of those with a transport result
 * or, as long as there is none, a run. Returns how many. */
int mlk_report_panels(const mlk_report *r, int idx[3]);
/* The methods text as Markdown paragraphs (blank lines between), to be mlk_free'd. */
mlk_status mlk_report_methods_text(const mlk_report *r, char **text, mlk_err *e);
/* "1.234 ± 0.056": the error to two digits, the value to the same place; "–" when unknown. buf of
 * 64; returns buf. */
char *mlk_pm(double v, double err, char *buf);
/* Number of characters, not bytes, of UTF-8. */
int mlk_text_width(const char *s);
/* A measured number with so many significant digits, "0.20" for 2; "–" when unknown. buf of 32. */
char *mlk_sig(double v, int digits, char *buf);
/* Folder name of a temperature: "0650K", "0412.5K". */
char *mlk_kelvin(double t, char buf[16]);
/* A p-value for people: "0.31", "0.002", "< 0.0001". buf of 32. */
char *mlk_pvalue(double p, char *buf);

#endif
