/* sampler.h - rows of numbers, one per sample, into fluxes; with the checks every table needs. */
#ifndef MLK_TRANSPORT_SAMPLER_H
#define MLK_TRANSPORT_SAMPLER_H

#include <stdbool.h>

#include "core/flux.h"
#include "transport/columns.h"
#include "transport/lines.h"

typedef struct mlk_term { /* series += factor * value of a column */
    int col, series;
    double factor;
} mlk_term;

typedef struct mlk_sampler {
    const char *path; /* as shown in messages; borrowed */
    mlk_flux *fl;     /* borrowed; grows */
    size_t n_col, n_series, n_term, cap_term;
    mlk_term *term;
    char *want;    /* (n_col) columns that are read at all */
    double *v;     /* (n_col) the row as it is read */
    double *batch; /* (BATCH, n_series) */
    size_t n_batch;
    int temperature, volume[3], step; /* columns, -1 none */
    double t_sum, v_sum;
    size_t n, n_double; /* rows taken; rows left out since their step had been there before */
    double last, every, grain; /* step of the row before; spacing; unit of the last digit */
    long last_line, first_line, first_double;
    bool odd_end; /* the last row taken is nearer than `every`; another one is an error */
    double first_t, first_v; /* temperature and volume of the first row, which may have to go */
} mlk_sampler;

/* n_col columns into fl, which is initialised without samples. Errors: MLK_ENOMEM. Free with
 * mlk_sampler_free. */
mlk_status mlk_sampler_init(mlk_sampler *r, mlk_flux *fl, const char *path, size_t n_col,
                            mlk_err *e);
mlk_status mlk_sampler_term(mlk_sampler *r, int col, int series, double factor, mlk_err *e);
/* Read and check columns for temperature, volume and step; -1 none. */
void mlk_sampler_facts(mlk_sampler *r, int temperature, const int volume[3], int step);
/* Terms and facts as c says; energy, mass: factors of the first and of the other fluxes. */
mlk_status mlk_sampler_columns(mlk_sampler *r, const mlk_columns *c, double energy, double mass,
                               mlk_err *e);
/* The numbers of the current line into r->v; *found: words in it. Only wanted columns are
 * converted. Errors: MLK_EFORMAT not a number, MLK_ENUMERIC not finite, each with column and line.
 */
mlk_status mlk_sampler_parse(mlk_sampler *r, const mlk_lines *l, size_t *found, mlk_err *e);
/* Take r->v as the next row. Rows whose step does not lie beyond the one before are left out and
 * counted (a restart repeats them). Errors: MLK_EFORMAT steps that are not equally spaced. */
mlk_status mlk_sampler_take(mlk_sampler *r, long line, mlk_err *e);
/* All rows are in. Errors: those of mlk_flux_add. */
mlk_status mlk_sampler_finish(mlk_sampler *r, mlk_err *e);
double mlk_sampler_temperature(const mlk_sampler *r); /* mean of the column */
double mlk_sampler_volume(const mlk_sampler *r);
void mlk_sampler_free(mlk_sampler *r);

#endif
