/* hac.c - see hac.h. Columns of hac.out: time [ps]; five correlation functions; then the running
 * conductivities [W/m/K] x in, x out, y in, y out, z of the parts within and out of a plane. */
#include "transport/hac.h"

#include <math.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/stats.h"
#include "transport/block.h"
#include "transport/lines.h"

enum { COLUMNS = 11 };

bool mlk_is_hac(const char *path)
{
    mlk_lines l;
    bool more, is = false;
    double v[COLUMNS];
    if (strncmp(mlk_path_base(path), "hac", 3)) return false;
    if (!mlk_lines_open(&l, path, NULL) && !mlk_lines_next(&l, &more, NULL) && more)
        is = mlk_numbers_only(l.line, COLUMNS, v);
    mlk_lines_close(&l);
    return is;
}

typedef struct table {
    double *t, *d[3]; /* of all runs behind one another: time, conductivity along x, y, z */
    size_t cap_t, cap_d[3], n;
} table;

static mlk_status add_row(table *q, const double *v, mlk_err *e)
{
    MLK_TRY(MLK_GROW(q->t, q->cap_t, q->n + 1, e));
    for (int c = 0; c < 3; c++) MLK_TRY(MLK_GROW(q->d[c], q->cap_d[c], q->n + 1, e));
    q->t[q->n] = v[0] * 1e3;
    q->d[0][q->n] = v[6] + v[7];
    q->d[1][q->n] = v[8] + v[9];
    q->d[2][q->n] = v[10];
    q->n++;
    return MLK_OK;
}

static mlk_status add_file(table *q, const char *path, mlk_err *e)
{
    mlk_lines l;
    bool more;
    double v[COLUMNS];
    mlk_status s;
    MLK_GO(mlk_lines_open(&l, path, e));
    for (;;) {
        MLK_GO(mlk_lines_next(&l, &more, e));
        if (!more) break;
        if (!l.line[strspn(l.line, " \t")]) continue;
        if (!mlk_numbers_only(l.line, COLUMNS, v)) {
            MLK_FAIL(e, MLK_EFORMAT, "expected %d finite numbers, as hac.out has", COLUMNS);
            s = mlk_lines_err(&l, e);
            break;
        }
        MLK_GO(add_row(q, v, e));
    }
done:
    mlk_lines_close(&l);
    return s;
}

/* rows of a run: up to where the time falls back */
static mlk_status count_runs(const table *q, mlk_hac *hc, mlk_err *e)
{
    for (hc->n = 1; hc->n < q->n && q->t[hc->n] > q->t[hc->n - 1];) hc->n++;
    hc->n_run = q->n / hc->n;
    bool same = hc->n >= 8 && hc->n_run * hc->n == q->n;
    for (size_t k = 0; same && k < q->n; k++)
        same = fabs(q->t[k] - q->t[k % hc->n]) <= 1e-6 * q->t[hc->n - 1];
    if (same) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL,
             "these runs do not have the same correlation times (%zu rows, %zu in "
             "the first run)",
             q->n, hc->n);
    return mlk_err_hint(e, "give complete runs with equal compute_hac settings");
}

/* does the result stay, within the error of the change, when the time is doubled? */
static bool settled(const mlk_hac *hc, size_t k)
{
    double d[64], far = hc->kappa[2 * k] - hc->kappa[k];
    size_t m = hc->n_each < 64 ? hc->n_each : 64;
    for (size_t i = 0; i < m; i++) d[i] = hc->each[i * hc->n + 2 * k] - hc->each[i * hc->n + k];
    return fabs(far) < 1.5 * mlk_sem(m, d);
}

static mlk_status find_limit(mlk_hac *hc, double limit, mlk_err *e)
{
    size_t n = hc->n, run = 0;
    hc->limit = n - 1;
    if (limit > hc->t[n - 1])
        return MLK_FAIL(e, MLK_EINVAL, "the Green-Kubo limit %g fs is beyond the last time %g fs",
                        limit, hc->t[n - 1]);
    if (limit > 0) {
        for (hc->limit = 0; hc->t[hc->limit] < limit;) hc->limit++;
        hc->limit_found = true;
    }
    for (double t = 4; limit == 0 && run < 2 && 2 * (size_t)t < n; t = t * 1.2 + 1) {
        run = settled(hc, (size_t)t) ? run + 1 : 0;
        if (run == 1) hc->limit = (size_t)t;
        if (run == 0) hc->limit = n - 1;
        hc->limit_found = run == 2;
    }
    if (!hc->limit_found) hc->limit = n - 1;
    size_t far = limit == 0 && 2 * hc->limit < n ? 2 * hc->limit : hc->limit;
    hc->at = hc->kappa[hc->limit];
    hc->at_err = hc->err[far];
    return MLK_OK;
}

static mlk_status evaluate(mlk_hac *hc, const table *q, mlk_err *e)
{
    size_t n = hc->n;
    hc->n_each = hc->n_run > 1 ? hc->n_run : 3;
    hc->t = mlk_alloc((3 + hc->n_each) * n, sizeof *hc->t);
    double *v = mlk_alloc(hc->n_each, sizeof *v);
    if (!hc->t || !v) {
        mlk_free(v);
        return MLK_FAIL(e, MLK_ENOMEM, "%zu correlation times", n);
    }
    memcpy(hc->t, q->t, n * sizeof *hc->t);
    hc->kappa = hc->t + n, hc->err = hc->kappa + n, hc->each = hc->err + n;
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < hc->n_each; i++) {
            size_t at = i * n + k;
            v[i] = hc->n_run > 1 ? (q->d[0][at] + q->d[1][at] + q->d[2][at]) / 3 : q->d[i][k];
            hc->each[i * n + k] = v[i];
        }
        hc->kappa[k] = mlk_mean(hc->n_each, v);
        hc->err[k] = mlk_sem(hc->n_each, v);
    }
    mlk_free(v);
    return MLK_OK;
}

mlk_status mlk_hac_read(mlk_hac *hc, size_t n, char **path, double limit, mlk_err *e)
{
    table q = {0};
    mlk_status s = MLK_OK;
    memset(hc, 0, sizeof *hc);
    for (size_t k = 0; k < n && !s; k++) s = add_file(&q, path[k], e);
    if (!s) s = count_runs(&q, hc, e);
    if (!s) s = evaluate(hc, &q, e);
    if (!s) s = find_limit(hc, limit, e);
    mlk_free(q.t);
    for (int c = 0; c < 3; c++) mlk_free(q.d[c]);
    if (s) mlk_hac_free(hc);
    return s;
}

void mlk_hac_free(mlk_hac *hc)
{
    mlk_free(hc->t);
    memset(hc, 0, sizeof *hc);
}

static json_t *picked(const double *v, const size_t *idx, size_t n, double scale)
{
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(a, mlk_json_real(scale * v[idx[i]]));
    return a;
}

json_t *mlk_hac_json(const mlk_hac *hc, bool curves)
{
    json_t *j = json_object(), *g = json_object();
    json_object_set_new(j, "method",
                        json_string("GPUMD hac.out: Green-Kubo, naive, potential part"));
    json_object_set_new(j, "n_runs", json_integer((json_int_t)hc->n_run));
    json_object_set_new(j, "kappa_naive", mlk_json_real(hc->at));
    json_object_set_new(j, "kappa_naive_err", mlk_json_real(hc->at_err));
    json_object_set_new(j, "kappa", json_null());
    json_object_set_new(j, "kappa_err", json_null());
    json_object_set_new(g, "limit_ps", mlk_json_real(hc->t[hc->limit] * 1e-3));
    json_object_set_new(g, "plateau_found", json_boolean(hc->limit_found));
    json_object_set_new(j, "green_kubo", g);
    if (!curves) return j;
    size_t idx[600], n = mlk_thin(hc->n, 600, 0, idx);
    json_t *c = json_object(), *k = json_object();
    json_object_set_new(k, "t_ps", picked(hc->t, idx, n, 1e-3));
    json_object_set_new(k, "kappa_naive", picked(hc->kappa, idx, n, 1));
    json_object_set_new(k, "kappa_naive_err", picked(hc->err, idx, n, 1));
    json_object_set_new(c, "green_kubo", k);
    json_object_set_new(j, "curves", c);
    return j;
}
