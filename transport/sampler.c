/* sampler.c - see sampler.h. */
#include "transport/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"

enum { BATCH = 1024 };

mlk_status mlk_sampler_init(mlk_sampler *r, mlk_flux *fl, const char *path, size_t n_col,
                            mlk_err *e)
{
    memset(r, 0, sizeof *r);
    r->path = path;
    r->fl = fl;
    r->n_col = n_col;
    r->n_series = fl->store.k;
    r->temperature = r->step = r->volume[0] = r->volume[1] = r->volume[2] = -1;
    r->want = mlk_alloc(n_col, 1);
    r->v = mlk_alloc(n_col, sizeof *r->v);
    r->batch = mlk_alloc(BATCH * r->n_series, sizeof *r->batch);
    return r->want && r->v && r->batch ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "rows of a table");
}

void mlk_sampler_free(mlk_sampler *r)
{
    mlk_free(r->term), mlk_free(r->want), mlk_free(r->v), mlk_free(r->batch);
    memset(r, 0, sizeof *r);
}

mlk_status mlk_sampler_term(mlk_sampler *r, int col, int series, double factor, mlk_err *e)
{
    MLK_TRY(MLK_GROW(r->term, r->cap_term, r->n_term + 1, e));
    r->term[r->n_term++] = (mlk_term){col, series, factor};
    r->want[col] = 1;
    return MLK_OK;
}

void mlk_sampler_facts(mlk_sampler *r, int temperature, const int volume[3], int step)
{
    r->temperature = temperature;
    r->step = step;
    memcpy(r->volume, volume, sizeof r->volume);
    if (temperature >= 0) r->want[temperature] = 1;
    if (step >= 0) r->want[step] = 1;
    for (int k = 0; k < 3; k++)
        if (volume[k] >= 0) r->want[volume[k]] = 1;
}

mlk_status mlk_sampler_columns(mlk_sampler *r, const mlk_columns *c, double energy, double mass,
                               mlk_err *e)
{
    for (size_t k = 0; k < c->m * c->nc; k++)
        MLK_TRY(mlk_sampler_term(r, c->col[k], (int)k, k < c->nc ? energy : mass, e));
    mlk_sampler_facts(r, c->temperature, c->volume, c->step);
    return MLK_OK;
}

static bool is_sep(char c)
{
    return c == ' ' || c == '\t' || c == ',' || c == ';' || c == '\r';
}

static mlk_status bad_word(const mlk_lines *l, size_t col, const char *w, mlk_err *e)
{
    int len = (int)strcspn(w, " \t,;\r");
    char *end;
    double v = strtod(w, &end);
    if (end == w + len && len > 0 && !isfinite(v)) {
        MLK_FAIL(e, MLK_ENUMERIC, "column %zu: '%.*s' is not finite", col + 1, len, w);
        mlk_err_hint(e, "the run diverged here, or the output is damaged");
    } else {
        MLK_FAIL(e, MLK_EFORMAT, "column %zu: '%.*s' is not a number", col + 1, len < 60 ? len : 60,
                 w);
    }
    return mlk_lines_err(l, e);
}

/* unit of the last digit of a number in text, 0 for a whole number */
static double grain_of(const char *w)
{
    double g = 0;
    for (; *w && !is_sep(*w) && *w != 'e' && *w != 'E'; w++) g = *w == '.' ? 1 : g / 10;
    return (*w == 'e' || *w == 'E') && g > 0 ? g * pow(10, strtod(w + 1, NULL)) : g;
}

mlk_status mlk_sampler_parse(mlk_sampler *r, const mlk_lines *l, size_t *found, mlk_err *e)
{
    const char *p = l->line;
    size_t k = 0;
    for (;; k++) {
        while (is_sep(*p)) p++;
        if (!*p) break;
        const char *end = p;
        if (k < r->n_col && r->want[k]) {
            if (!mlk_number_at(p, &end, &r->v[k]) || (*end && !is_sep(*end)))
                return bad_word(l, k, p, e);
            if ((int)k == r->step) r->grain = grain_of(p);
        } else {
            while (*end && !is_sep(*end)) end++;
        }
        p = end;
    }
    *found = k;
    return MLK_OK;
}

static mlk_status flush(mlk_sampler *r, mlk_err *e)
{
    size_t n = r->n_batch;
    r->n_batch = 0;
    return n ? mlk_flux_add(r->fl, n, r->batch, e) : MLK_OK;
}

static double volume_of(const mlk_sampler *r)
{
    if (r->volume[0] < 0) return 0;
    double v = r->v[r->volume[0]];
    return r->volume[1] < 0 ? v : v * r->v[r->volume[1]] * r->v[r->volume[2]];
}

static mlk_status uneven(const mlk_sampler *r, double step, long line, mlk_err *e)
{
    MLK_FAIL(e, MLK_EFORMAT, "step %.10g follows %.10g (line %ld), expected %.10g", step, r->last,
             r->last_line, r->last + r->every);
    mlk_err_hint(e, "rows are missing, perhaps after a restart: cut the file here and give both "
                    "parts as two runs");
    return mlk_err_at(e, r->path, line);
}

/* is a - b the spacing d? times are printed with few digits */
static bool spaced(const mlk_sampler *r, double a, double b, double d)
{
    return fabs(a - b - d) <= 1e-3 * d + r->grain;
}

/* the first row stood alone, between two regular ones: a run that began there */
static void drop_first(mlk_sampler *r)
{
    memmove(r->batch, r->batch + r->n_series, (r->n_batch - 1) * r->n_series * sizeof *r->batch);
    r->n_batch--;
    r->n--;
    r->t_sum -= r->first_t, r->v_sum -= r->first_v;
}

/* *skip: the row had been there before */
static mlk_status check_step(mlk_sampler *r, long line, bool *skip, mlk_err *e)
{
    double s = r->v[r->step];
    if (r->grain > 0 && r->n > 0 && r->grain > 0.3 * (r->n > 1 ? r->every : fabs(s - r->last)))
        return MLK_OK; /* printed too coarsely to judge */
    if (r->n > 0 && !(s > r->last)) {
        if (r->n_double++ == 0) r->first_double = line;
        *skip = true;
        return MLK_OK;
    }
    if (r->odd_end) return uneven(r, s, line, e);
    if (r->n == 1) {
        r->every = s - r->last;
    } else if (r->n > 1 && !spaced(r, s, r->last, r->every)) {
        double d = s - r->last;
        if (r->n == 2 && d > r->every && d == floor(d)) {
            drop_first(r);
            r->every = d;
        } else if (d < r->every && d == floor(d)) {
            r->odd_end = true; /* LAMMPS writes the last step of a run in any case */
            *skip = true;
            return MLK_OK;
        } else {
            return uneven(r, s, line, e);
        }
    }
    r->last = s;
    r->last_line = line;
    return MLK_OK;
}

mlk_status mlk_sampler_take(mlk_sampler *r, long line, mlk_err *e)
{
    bool skip = false;
    if (r->step >= 0) MLK_TRY(check_step(r, line, &skip, e));
    if (skip) return MLK_OK;
    double *row = r->batch + r->n_batch * r->n_series;
    double t = r->temperature >= 0 ? r->v[r->temperature] : 0, v = volume_of(r);
    memset(row, 0, r->n_series * sizeof *row);
    for (size_t k = 0; k < r->n_term; k++)
        row[r->term[k].series] += r->term[k].factor * r->v[r->term[k].col];
    if (r->n == 0) r->first_t = t, r->first_v = v, r->first_line = line;
    r->t_sum += t, r->v_sum += v;
    r->n++;
    if (++r->n_batch < BATCH) return MLK_OK;
    return flush(r, e);
}

mlk_status mlk_sampler_finish(mlk_sampler *r, mlk_err *e)
{
    if (r->n_double > 0)
        mlk_log(MLK_LOG_WARN,
                "%s:%ld: %zu rows repeat steps that had been there (a restart): left out", r->path,
                r->first_double, r->n_double);
    return flush(r, e);
}

double mlk_sampler_temperature(const mlk_sampler *r)
{
    return r->n > 0 ? r->t_sum / (double)r->n : 0;
}

double mlk_sampler_volume(const mlk_sampler *r)
{
    return r->n > 0 ? r->v_sum / (double)r->n : 0;
}
