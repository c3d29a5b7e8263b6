/* lsq.c - see lsq.h. Rows of a block of frames are filled in parallel over frames; their products
 * are summed tile by tile, each tile in one thread and in the order of the rows. */
#include "train/lsq.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/linalg.h"
#include "core/log.h"
#include "core/threads.h"
#include "train/loss.h"

enum { TILE = 192, BLOCK_BYTES = 64 << 20 };

typedef struct normal {
    double *g, *h, s; /* (np,np) upper triangle of A^T A; (np) A^T y; y^T y */
    double weight;    /* of all frames                                      */
    size_t rows;
} normal;

static size_t rows_of(const mlk_loss *l, const mlk_frame *fr)
{
    size_t n = 0;
    if (l->we > 0 && fr->has & MLK_HAS_ENERGY) n += 1;
    if (l->wf > 0 && fr->has & MLK_HAS_FORCE) n += 3 * fr->n;
    if (l->wv > 0 && fr->has & MLK_HAS_VIRIAL) n += 6;
    return n;
}

/* Weighted rows a (rows_of, np; zeroed) and targets y of one frame. db: 3 buffers for the basis. */
static mlk_status fill_frame(const mlk_potential *pot, const mlk_loss *l, const mlk_sample *sm,
                             double weight, mlk_scratch *s, double *a, double *y, mlk_err *e)
{
    const mlk_frame *fr = sm->fr;
    const mlk_neigh *nl = &sm->nl;
    size_t n = fr->n, np = pot->n_param;
    double dn = (double)n;
    bool has_e = l->we > 0 && fr->has & MLK_HAS_ENERGY,
         has_f = l->wf > 0 && fr->has & MLK_HAS_FORCE;
    bool has_v = l->wv > 0 && fr->has & MLK_HAS_VIRIAL;
    double ce = has_e ? sqrt(l->we * weight) / (dn * l->spread_e) : 0;
    double cf = has_f ? sqrt(l->wf * weight / (3 * dn)) / l->spread_f : 0;
    double cv = has_v ? sqrt(l->wv * weight / 6) / (dn * l->spread_v) : 0;
    double *row_e = a, *row_f = a + (has_e ? np : 0), *row_v = row_f + (has_f ? 3 * n * np : 0);
    if (has_e) *y++ = ce * sm->energy;
    if (has_f)
        for (size_t i = 0; i < n; i++)
            for (int c = 0; c < 3; c++) *y++ = cf * sm->f[i][c];
    if (has_v)
        for (int c = 0; c < 6; c++) *y++ = cv * sm->w[c];
    for (size_t i = 0; i < n; i++) {
        size_t k0 = nl->start[i], m = nl->start[i + 1] - k0, first, nb;
        mlk_scratch_reset(s);
        MLK_TRY(pot->type->basis(pot, nl, sm->type, i, s, &first, &nb, NULL, NULL, e));
        double *b = MLK_SCRATCH(s, double, nb), *db[3];
        for (int c = 0; c < 3; c++) db[c] = MLK_SCRATCH(s, double, nb *m + 1);
        if (!b || !db[0] || !db[1] || !db[2])
            return MLK_FAIL(e, MLK_ENOMEM, "basis of %zu functions and %zu pairs", nb, m);
        bool deriv = has_f || has_v;
        MLK_TRY(pot->type->basis(pot, nl, sm->type, i, s, &first, &nb, b, deriv ? db : NULL, e));
        if (has_e)
            for (size_t k = 0; k < nb; k++) row_e[first + k] += ce * b[k];
        for (size_t k = 0; has_f && k < nb; k++) /* F_i += p_ij, F_j -= p_ij */
            for (int c = 0; c < 3; c++) {
                const double *d = db[c] + k * m;
                double sum = 0;
                for (size_t q = 0; q < m; q++) {
                    sum += d[q];
                    row_f[(3 * (size_t)nl->j[k0 + q] + (size_t)c) * np + first + k] -= cf * d[q];
                }
                row_f[(3 * i + (size_t)c) * np + first + k] += cf * sum;
            }
        for (size_t k = 0; has_v && k < nb; k++)
            for (int c = 0; c < 6; c++) {
                const double *da = db[mlk_voigt_a[c]] + k * m, *dc = db[mlk_voigt_b[c]] + k * m;
                const double *ra = nl->r[mlk_voigt_a[c]] + k0, *rb = nl->r[mlk_voigt_b[c]] + k0;
                double sum = 0;
                for (size_t q = 0; q < m; q++) sum += ra[q] * dc[q] + rb[q] * da[q];
                row_v[(size_t)c * np + first + k] -= 0.5 * cv * sum;
            }
    }
    return MLK_OK;
}

static void add_products(size_t np, size_t rows, const double *a, const double *y, normal *q)
{
    size_t nt = (np + TILE - 1) / TILE, n_job = nt * (nt + 1) / 2;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t job = 0; job < n_job; job++) {
        size_t r = 0, left = job;
        while (left >= nt - r) left -= nt - r, r++;
        size_t c = r + left, i0 = r * TILE, j0 = c * TILE;
        size_t ni = np - i0 < TILE ? np - i0 : TILE, nj = np - j0 < TILE ? np - j0 : TILE;
        mlk_gemm(1, 0, ni, nj, rows, 1, a + i0, np, a + j0, np, 1, q->g + i0 * np + j0, np);
        if (r == c) mlk_gemv(1, rows, ni, 1, a + i0, np, y, 1, q->h + i0);
    }
    for (size_t k = 0; k < rows; k++) q->s += y[k] * y[k];
    q->rows += rows;
}

/* Sum the normal equations of one split. */
static mlk_status accumulate(const mlk_potential *pot, mlk_loss *l, const mlk_dataset *ds,
                             int split, normal *q, double *done, double total, mlk_err *e)
{
    size_t np = pot->n_param, largest = 1, cap = BLOCK_BYTES / sizeof(double) / np;
    for (size_t k = 0; k < ds->n; k++) {
        if (ds->split[k] != split || !rows_of(l, &ds->frame[k])) continue;
        q->weight += l->sample[k].weight;
        if (rows_of(l, &ds->frame[k]) > largest) largest = rows_of(l, &ds->frame[k]);
    }
    if (cap < largest) cap = largest;
    double *a = mlk_alloc(cap * np, sizeof *a), *y = mlk_alloc(cap, sizeof *y);
    size_t *frame = mlk_alloc(ds->n + 1, sizeof *frame),
           *first = mlk_alloc(ds->n + 1, sizeof *first);
    mlk_status s = MLK_OK;
    if (!a || !y || !frame || !first)
        s = MLK_FAIL(e, MLK_ENOMEM, "%zu rows of %zu unknowns", cap, np);
    for (size_t k = 0; !s && k < ds->n;) {
        size_t n = 0, rows = 0;
        for (; k < ds->n; k++) {
            size_t r = ds->split[k] == split ? rows_of(l, &ds->frame[k]) : 0;
            if (!r) continue;
            if (rows + r > cap) break;
            frame[n] = k, first[n++] = rows, rows += r;
        }
        if (!n) break;
        memset(a, 0, rows * np * sizeof *a);
        size_t bad_frame = SIZE_MAX;
        mlk_err bad = {0};
#pragma omp parallel for schedule(dynamic, 1)
        for (size_t f = 0; f < n; f++) {
            mlk_err le = {0};
            const mlk_sample *sm = &l->sample[frame[f]];
            if (fill_frame(pot, l, sm, sm->weight / q->weight, &l->scratch[omp_get_thread_num()],
                           a + first[f] * np, y + first[f], &le)) {
#pragma omp critical(mlk_lsq_error)
                if (f < bad_frame) bad_frame = f, bad = le;
            }
        }
        if (bad_frame != SIZE_MAX) {
            mlk_err_at(&bad, ds->frame[frame[bad_frame]].source, ds->frame[frame[bad_frame]].line);
            if (e && !e->code) *e = bad;
            s = bad.code;
            break;
        }
        add_products(np, rows, a, y, q);
        *done += (double)n;
        mlk_progress(5, false, "least squares: %.0f of %.0f frames", *done, total);
        if (mlk_stop_requested())
            s = MLK_FAIL(e, MLK_EINTERRUPTED, "stopped during the least-squares fit");
    }
    mlk_free(a), mlk_free(y), mlk_free(frame), mlk_free(first);
    return s;
}

/* x^T G x - 2 h^T x + s with only the upper triangle of G */
static double loss_of(size_t np, const normal *q, const double *x)
{
    double sum = q->s;
    for (size_t i = 0; i < np; i++) {
        const double *g = q->g + i * np;
        double r = 0.5 * g[i] * x[i];
        for (size_t j = i + 1; j < np; j++) r += g[j] * x[j];
        sum += 2 * x[i] * (r - q->h[i]);
    }
    return sum;
}

typedef struct spectrum { /* of the scaled normal matrix */
    size_t np;
    const double *v, *w; /* eigenvectors as rows, eigenvalues        */
    const double *c;     /* right-hand side in the eigenbasis        */
    const double *scale; /* of the columns                           */
    double *t;           /* (np) work                                */
} spectrum;

static void solve(const spectrum *q, double ridge, double *x)
{
    for (size_t k = 0; k < q->np; k++) {
        double w = fmax(q->w[k], 0) + ridge;
        q->t[k] = w > 0 ? q->c[k] / w : 0;
    }
    mlk_gemv(1, q->np, q->np, 1, q->v, q->np, q->t, 0, x);
    for (size_t k = 0; k < q->np; k++) x[k] *= q->scale[k];
}

/* The largest ridge whose validation loss is within `slack` of the least: a scan,
 * golden sections of its logarithm, then upwards. Among models that validation can hardly tell
 * apart the smoothest is the one that stays sane beyond its data, in hot MD. */
static double best_ridge(const spectrum *q, const normal *valid, double lowest, double slack,
                         double *x)
{
    double best = lowest, least = INFINITY;
    for (double r = lowest; r < 3; r *= 3) {
        solve(q, r, x);
        double loss = loss_of(q->np, valid, x);
        if (loss < least) least = loss, best = r;
    }
    const double gold = 0.6180339887498949;
    double lo = log(fmax(best / 3, lowest)), hi = log(best * 3);
    for (int it = 0; it < 12; it++) {
        double r1 = hi - gold * (hi - lo), r2 = lo + gold * (hi - lo), l1, l2;
        solve(q, exp(r1), x), l1 = loss_of(q->np, valid, x);
        solve(q, exp(r2), x), l2 = loss_of(q->np, valid, x);
        if (l1 < least) least = l1, best = exp(r1);
        if (l2 < least) least = l2, best = exp(r2);
        if (l1 < l2)
            hi = r2;
        else
            lo = r1;
    }
    for (double r = best * 1.3; r < 3; r *= 1.3) {
        solve(q, r, x);
        if (!(loss_of(q->np, valid, x) <= (1 + slack) * least)) break;
        best = r;
    }
    return best;
}

static mlk_status normal_init(normal *q, size_t np, mlk_err *e)
{
    q->g = mlk_alloc(np * np, sizeof *q->g);
    q->h = mlk_alloc(np, sizeof *q->h);
    return q->g && q->h ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "normal equations of %zu unknowns", np);
}

mlk_status mlk_lsq_fit(mlk_potential *pot, const mlk_dataset *ds, const mlk_lsq_config *cfg,
                       mlk_lsq_result *res, mlk_err *e)
{
    if (!(pot->type->caps & MLK_CAP_LINEAR))
        return MLK_FAIL(e, MLK_EUNSUPPORTED, "%s is not linear in its parameters", pot->type->name);
    double t0 = mlk_wtime(), done = 0, total = 0;
    size_t np = pot->n_param;
    normal train = {0}, valid = {0};
    mlk_loss l;
    double *v = NULL, *w = NULL, *c = NULL, *scale = NULL, *t = NULL, *x = NULL;
    mlk_status s = mlk_loss_init(&l, pot, ds, cfg->weight, e);
    if (s) goto done;
    l.we = l.n_e ? cfg->w_energy : 0;
    l.wf = l.n_f ? cfg->w_force : 0;
    l.wv = l.n_v ? cfg->w_virial : 0;
    bool search = isnan(cfg->ridge), have_valid = false;
    for (size_t k = 0; k < ds->n; k++) {
        if (!rows_of(&l, &ds->frame[k])) continue;
        have_valid |= ds->split[k] == MLK_SPLIT_VALID;
        total += ds->split[k] == MLK_SPLIT_TRAIN || ds->split[k] == MLK_SPLIT_VALID;
    }
    MLK_GO(normal_init(&train, np, e));
    MLK_GO(accumulate(pot, &l, ds, MLK_SPLIT_TRAIN, &train, &done, total, e));
    if (!train.rows) {
        s = MLK_FAIL(e, MLK_EINVAL, "no training frame has a label with a weight");
        goto done;
    }
    if (have_valid) {
        MLK_GO(normal_init(&valid, np, e));
        MLK_GO(accumulate(pot, &l, ds, MLK_SPLIT_VALID, &valid, &done, total, e));
    }
    v = mlk_alloc(np * np, sizeof *v);
    w = mlk_alloc(np, sizeof *w), c = mlk_alloc(np, sizeof *c), t = mlk_alloc(np, sizeof *t);
    scale = mlk_alloc(np, sizeof *scale), x = mlk_alloc(np, sizeof *x);
    if (!v || !w || !c || !t || !scale || !x) {
        s = MLK_FAIL(e, MLK_ENOMEM, "least squares of %zu unknowns", np);
        goto done;
    }
    /* Columns are scaled to unit norm, but not magnified without limit: what the data hardly ever
     * show (species that barely meet within the cutoff), or hold only as round-off, keeps a small
     * norm, so that the ridge holds its coefficients down. */
    double top = 0;
    for (size_t k = 0; k < np; k++) top = fmax(top, train.g[k * np + k]);
    for (size_t k = 0; k < np; k++)
        scale[k] = top > 0 ? 1 / sqrt(fmax(train.g[k * np + k], 1e-8 * top)) : 0;
    for (size_t i = 0; i < np; i++) {
        for (size_t j = i; j < np; j++) v[i * np + j] = train.g[i * np + j] * scale[i] * scale[j];
        t[i] = train.h[i] * scale[i];
    }
    for (size_t k = 0; k < np; k++)
        if (!isfinite(v[k * np + k]) || !isfinite(t[k])) {
            s = MLK_FAIL(e, MLK_ENUMERIC, "the basis of parameter %zu is not finite on this data",
                         k + 1);
            goto done;
        }
    MLK_GO(mlk_eigh(np, v, w, e));
    mlk_gemv(0, np, np, 1, v, np, t, 0, c);
    spectrum q = {.np = np, .v = v, .w = w, .c = c, .scale = scale, .t = t};
    double lowest = fmax(1e-15 * (double)np * fmax(w[np - 1], 1), cfg->lowest);
    double ridge = cfg->ridge;
    if (search && !have_valid) {
        ridge = 1e-8;
        mlk_log(MLK_LOG_WARN, "no validation frames: ridge set to %g", ridge);
    } else if (search) {
        ridge = best_ridge(&q, &valid, lowest, cfg->slack, x);
    }
    solve(&q, ridge, x);
    for (size_t k = 0; k < np; k++)
        if (!isfinite(x[k])) {
            s = MLK_FAIL(e, MLK_ENUMERIC, "the least-squares solution is not finite");
            mlk_err_hint(e, "give a larger ridge, or 'auto'");
            goto done;
        }
    memcpy(pot->param, x, np * sizeof *x);
    if (pot->type->update) MLK_GO(pot->type->update(pot, e));
    *res = (mlk_lsq_result){.ridge = ridge,
                            .n_rows = train.rows,
                            .n_param = np,
                            .wall_s = mlk_wtime() - t0,
                            .train_loss = loss_of(np, &train, x),
                            .valid_loss = have_valid ? loss_of(np, &valid, x) : NAN};
done:
    mlk_free(v), mlk_free(w), mlk_free(c), mlk_free(t), mlk_free(scale), mlk_free(x);
    mlk_free(train.g), mlk_free(train.h), mlk_free(valid.g), mlk_free(valid.h);
    mlk_loss_free(&l);
    return s;
}
