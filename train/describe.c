/* describe.c - see describe.h: drives mlk_potential_describe_frame over the frames of a set. */
#include "train/describe.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/threads.h"

enum { BLOCK = 64 }; /* frames described before the next serial step */

/* One mlk_desc per thread, and the first error in the order of the frames. */
typedef struct crew {
    const mlk_potential *pot;
    const mlk_dataset *ds;
    const size_t *index;
    mlk_desc *d;
    int n;
    mlk_err bad;
    size_t bad_at;
} crew;

static mlk_status crew_init(crew *w, const mlk_potential *pot, const mlk_dataset *ds,
                            const size_t *index, mlk_err *e)
{
    *w = (crew){.pot = pot, .ds = ds, .index = index, .n = mlk_threads()};
    w->d = mlk_alloc((size_t)w->n, sizeof *w->d);
    if (!w->d) return MLK_FAIL(e, MLK_ENOMEM, "descriptors of %d threads", w->n);
    if (pot->type->describe) return MLK_OK;
    MLK_FAIL(e, MLK_EUNSUPPORTED, "a %s model has no descriptors", pot->type->name);
    return mlk_err_hint(e, "use a NEP or SNAP model");
}

static void crew_free(crew *w)
{
    for (int t = 0; w->d && t < w->n; t++) mlk_desc_free(&w->d[t]);
    mlk_free(w->d);
}

/* Descriptors of frame k of the list by the calling thread; NULL after an error. */
static const mlk_desc *describe(crew *w, size_t k)
{
    mlk_desc *d = &w->d[omp_get_thread_num()];
    const mlk_frame *fr = &w->ds->frame[w->index[k]];
    mlk_err e = {0};
    if (!mlk_potential_describe_frame(w->pot, fr, d, &e)) return d;
    mlk_err_at(&e, fr->source, fr->line);
#pragma omp critical(mlk_describe)
    if (!w->bad.code || k < w->bad_at) w->bad = e, w->bad_at = k;
    return NULL;
}

static mlk_status outcome(const crew *w, mlk_err *e)
{
    if (w->bad.code && e && !e->code) *e = w->bad;
    return w->bad.code;
}

size_t mlk_describe_width(const mlk_potential *pot)
{
    return pot->type->n_desc ? pot->n_species * 2 * pot->type->n_desc(pot) : 0;
}

mlk_status mlk_describe_features(const mlk_potential *pot, const mlk_dataset *ds, size_t n,
                                 const size_t *index, double *x, mlk_err *e)
{
    crew w;
    size_t width = mlk_describe_width(pot);
    mlk_status s = crew_init(&w, pot, ds, index, e);
    for (size_t k0 = 0; k0 < n && !s; k0 += BLOCK) {
        size_t k1 = k0 + BLOCK < n ? k0 + BLOCK : n;
#pragma omp parallel for schedule(dynamic, 1) num_threads(w.n)
        for (size_t k = k0; k < k1; k++) {
            const mlk_desc *d = describe(&w, k);
            if (d) mlk_select_features(d->n, d->nd, d->q, d->type, pot->n_species, x + k * width);
        }
        s = outcome(&w, e);
        mlk_progress(5, false, "descriptors: %zu of %zu frames", k1, n);
    }
    crew_free(&w);
    return s;
}

/* Atoms of one species of a frame, packed into out; returns how many. */
static size_t gather(const mlk_desc *d, size_t t, double *out)
{
    size_t m = 0;
    for (size_t i = 0; i < d->n; i++)
        if ((size_t)d->type[i] == t)
            memcpy(out + m++ * d->nd, d->q + i * d->nd, d->nd * sizeof *out);
    return m;
}

/* start[t][k], from the numbers of the atoms alone */
static mlk_status count(const mlk_potential *pot, const mlk_dataset *ds, size_t n,
                        const size_t *index, mlk_rows *r, size_t *most, mlk_err *e)
{
    size_t ns = pot->n_species;
    r->n_frames = n, r->n_species = ns;
    r->dim = mlk_alloc(ns, sizeof *r->dim);
    r->start = mlk_alloc(ns, sizeof *r->start);
    r->x = mlk_alloc(ns, sizeof *r->x);
    if (!r->dim || !r->start || !r->x) return MLK_FAIL(e, MLK_ENOMEM, "%zu species", ns);
    *most = 0;
    for (size_t t = 0; t < ns; t++) {
        r->start[t] = mlk_alloc(n + 1, sizeof **r->start);
        if (!r->start[t]) return MLK_FAIL(e, MLK_ENOMEM, "%zu frames", n);
        for (size_t k = 0; k < n; k++) {
            const mlk_frame *fr = &ds->frame[index[k]];
            size_t m = 0;
            for (size_t i = 0; i < fr->n; i++) m += fr->z[i] == pot->z[t];
            r->start[t][k + 1] = r->start[t][k] + m;
            if (fr->n > *most) *most = fr->n;
        }
    }
    return MLK_OK;
}

/* Means and covariances of all frames. Frames of a block are described in parallel and added in
 * order, so that sums do not depend on threads. */
static mlk_status make_spaces(crew *w, size_t n, size_t most, size_t nd, mlk_space *sp, mlk_err *e)
{
    const mlk_potential *pot = w->pot;
    size_t ns = pot->n_species, room = most * nd, fit = ((size_t)1 << 28) / (8 * room);
    size_t block = fit < 1 ? 1 : fit < BLOCK ? fit : BLOCK; /* at most 256 MB */
    mlk_status s = MLK_OK;
    double *q = mlk_alloc(block * room, sizeof *q);
    size_t *m = mlk_alloc(block * ns, sizeof *m);
    if (!q || !m) s = MLK_FAIL(e, MLK_ENOMEM, "descriptors of %zu frames", block);
    for (size_t k0 = 0; k0 < n && !s; k0 += block) {
        size_t k1 = k0 + block < n ? k0 + block : n;
#pragma omp parallel for schedule(dynamic, 1) num_threads(w->n)
        for (size_t k = k0; k < k1; k++) {
            const mlk_desc *d = describe(w, k);
            double *out = q + (k - k0) * room;
            for (size_t t = 0; d && t < ns; t++) {
                size_t got = m[(k - k0) * ns + t] = gather(d, t, out);
                out += got * nd;
            }
        }
        s = outcome(w, e);
        for (size_t k = k0; k < k1 && !s; k++) {
            const double *from = q + (k - k0) * room;
            for (size_t t = 0; t < ns && !s; t++) {
                s = mlk_space_add(&sp[t], m[(k - k0) * ns + t], from, e);
                from += m[(k - k0) * ns + t] * nd;
            }
        }
        mlk_progress(5, false, "descriptor space: %zu of %zu frames", k1, n);
    }
    mlk_free(q), mlk_free(m);
    return s;
}

static mlk_status project(crew *w, size_t n, size_t most, size_t nd, const mlk_space *sp,
                          mlk_rows *r, mlk_err *e)
{
    size_t room = 2 * most * nd;
    double *work = mlk_alloc((size_t)w->n * room, sizeof *work);
    mlk_status s = work ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "descriptors of %zu atoms", most);
    for (size_t k0 = 0; k0 < n && !s; k0 += BLOCK) {
        size_t k1 = k0 + BLOCK < n ? k0 + BLOCK : n;
#pragma omp parallel for schedule(dynamic, 1) num_threads(w->n)
        for (size_t k = k0; k < k1; k++) {
            const mlk_desc *d = describe(w, k);
            double *q = work + (size_t)omp_get_thread_num() * room;
            for (size_t t = 0; d && t < r->n_species; t++)
                mlk_space_project(&sp[t], gather(d, t, q), q, q + most * nd,
                                  r->x[t] + r->start[t][k] * r->dim[t]);
        }
        s = outcome(w, e);
        mlk_progress(5, false, "coordinates: %zu of %zu frames", k1, n);
    }
    mlk_free(work);
    return s;
}

static mlk_status reserve(const mlk_space *sp, double max_bytes, mlk_rows *r, mlk_err *e)
{
    double bytes = 0;
    for (size_t t = 0; t < r->n_species; t++) {
        r->dim[t] = sp[t].dim;
        bytes += 8 * (double)r->start[t][r->n_frames] * (double)r->dim[t];
    }
    if (bytes > max_bytes) {
        MLK_FAIL(e, MLK_EUNSUPPORTED, "maxvol needs %.1f GB for these frames, allowed are %.1f GB",
                 bytes * 1e-9, max_bytes * 1e-9);
        return mlk_err_hint(e, "thin the pool first with --method fps, or raise --memory");
    }
    for (size_t t = 0; t < r->n_species; t++) {
        r->x[t] = mlk_alloc(r->start[t][r->n_frames] * r->dim[t] + 1, sizeof(double));
        if (!r->x[t]) return MLK_FAIL(e, MLK_ENOMEM, "%.1f GB of coordinates", bytes * 1e-9);
    }
    return MLK_OK;
}

mlk_status mlk_describe_rows(const mlk_potential *pot, const mlk_dataset *ds, size_t n,
                             const size_t *index, double resolution, double max_bytes, mlk_rows *r,
                             mlk_err *e)
{
    crew w;
    size_t most = 0, ns = pot->n_species;
    memset(r, 0, sizeof *r);
    mlk_space *sp = mlk_alloc(ns, sizeof *sp);
    mlk_status s = crew_init(&w, pot, ds, index, e);
    if (!s && !sp) s = MLK_FAIL(e, MLK_ENOMEM, "%zu species", ns);
    if (s) goto done;
    size_t nd = pot->type->n_desc(pot);
    MLK_GO(count(pot, ds, n, index, r, &most, e));
    for (size_t t = 0; t < ns; t++) MLK_GO(mlk_space_init(&sp[t], nd, e));
    MLK_GO(make_spaces(&w, n, most, nd, sp, e));
    for (size_t t = 0; t < ns; t++) MLK_GO(mlk_space_finish(&sp[t], resolution, e));
    MLK_GO(reserve(sp, max_bytes, r, e));
    MLK_GO(project(&w, n, most, nd, sp, r, e));
done:
    for (size_t t = 0; sp && t < ns; t++) mlk_space_free(&sp[t]);
    mlk_free(sp);
    crew_free(&w);
    return s;
}

/* The atoms of a frame widen the ranges, or, with sum, are compared with them. */
static void take_in(mlk_ranges *r, const mlk_desc *d, double sum[3])
{
    if (!sum) mlk_ranges_widen(r, d->n, d->type, d->q);
    for (size_t i = 0; sum && i < d->n; i++) {
        double g = mlk_ranges_grade(r, (size_t)d->type[i], d->q + i * d->nd, NULL);
        sum[0] += 1, sum[1] += g > 0, sum[2] = fmax(sum[2], g);
    }
}

/* All frames of one split. sum (may be NULL): atoms, those outside, worst grade. */
static mlk_status pass(mlk_potential *pot, const mlk_dataset *ds, int split, double sum[3],
                       mlk_err *e)
{
    crew w;
    size_t n = 0, *index = mlk_alloc(ds->n, sizeof *index);
    if (!index) return MLK_FAIL(e, MLK_ENOMEM, "%zu frames", ds->n);
    for (size_t k = 0; k < ds->n; k++)
        if (ds->split[k] == split) index[n++] = k;
    mlk_status s = crew_init(&w, pot, ds, index, e);
    for (size_t k0 = 0; k0 < n && !s; k0 += BLOCK) {
        size_t k1 = k0 + BLOCK < n ? k0 + BLOCK : n;
#pragma omp parallel for schedule(dynamic, 1) num_threads(w.n)
        for (size_t k = k0; k < k1; k++) {
            const mlk_desc *d = describe(&w, k);
            if (!d) continue;
#pragma omp critical(mlk_fit_ranges) /* extremes and counts: any order gives the same */
            take_in(pot->ranges, d, sum);
        }
        s = outcome(&w, e);
        mlk_progress(5, false, "ranges of the descriptors: %zu of %zu frames", k1, n);
    }
    crew_free(&w);
    mlk_free(index);
    return s;
}

mlk_status mlk_fit_ranges(mlk_potential *pot, const mlk_dataset *ds, mlk_err *e)
{
    double sum[3] = {0};
    mlk_ranges_free(pot->ranges);
    pot->ranges = NULL;
    if (!pot->type->describe) return MLK_OK;
    MLK_TRY(mlk_ranges_new(&pot->ranges, pot->n_species, pot->type->n_desc(pot), e));
    MLK_TRY(pass(pot, ds, MLK_SPLIT_TRAIN, NULL, e));
    MLK_TRY(pass(pot, ds, MLK_SPLIT_VALID, sum, e));
    if (sum[0] > 0)
        mlk_log(MLK_LOG_INFO,
                "descriptors: %.3g %% of the atoms of the validation frames are outside of the "
                "range of the training frames, worst grade %.2g",
                100 * sum[1] / sum[0], sum[2]);
    return MLK_OK;
}
