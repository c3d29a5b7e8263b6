/* snes_fit.c - a potential fitted by natural evolution with the loss GPUMD minimises.
 *
 *   L = lambda_e RMSE_E + lambda_f RMSE_F + lambda_v RMSE_W + lambda_1 <|x|> + lambda_2 sqrt<x^2>
 *
 * over the frames of a batch: energies and virials per atom [eV], forces [eV/A]; Fan et al., Phys.
 * Rev. B 104, 104309 (2021). The mean energy error of a batch does not count: it is known at once
 * and goes to the reference energies at the end (GPUMD puts it in the bias of the network). Where
 * the model tells which species a parameter belongs to, its rank comes from the errors seen by that
 * species: forces on its atoms, energies and virials of frames that contain it (Song et al., Nat.
 * Commun. 15, 10208 (2024)). Frames are evaluated in parallel and added up in order, so the result
 * does not depend on threads. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/log.h"
#include "core/threads.h"
#include "core/units.h"
#include "train/checkpoint.h"
#include "train/snes.h"
#include "train/train.h"

typedef struct frame_errors {
    double e;      /* (model - label) / n [eV/atom]     */
    double v2, s2; /* sums over 6: (eV/atom)^2, GPa^2   */
    double *f2;    /* (nt) sums over atoms and xyz      */
    bool failed;   /* not finite                        */
} frame_errors;

typedef struct sample {
    const mlk_frame *fr; /* borrowed           */
    int *type;           /* (n)                */
    mlk_neigh nl;        /* radius pot->rc     */
    double e0;           /* sum of e0 [eV]     */
    double weight;       /* from loss.groups   */
    size_t *count;       /* (nt) atoms         */
    frame_errors err;    /* of the last evaluation */
} sample;

typedef struct rms_set { /* of some frames with some parameters */
    double e, f, v, s;   /* eV/atom, eV/A, eV/atom, GPa; NaN: no such label */
    double shift;        /* mean energy error, taken off e [eV/atom]        */
    double loss;         /* without regularisation                          */
} rms_set;

typedef struct driver {
    mlk_potential *pot;
    const mlk_dataset *ds;
    mlk_train_evolve o; /* "auto" resolved */
    uint64_t seed;
    mlk_snes s;
    size_t nt;      /* species; group nt: all */
    int *group;     /* (n_param) */
    sample *sample; /* (ds->n) */
    size_t *train, *valid, n_train, n_valid, batch;
    double *fitness; /* (nt+1,n_pop) */
    double *x, *elite, *best;
    double best_loss, best_shift;
    int64_t best_generation, n_generation;
    mlk_eval *eval; /* (n_eval) one per thread */
    int n_eval;
    mlk_history *h;
    double started, last_save;
} driver;

/* ---- errors -------------------------------------------------------------------------------- */

static mlk_status sample_init(const driver *d, sample *sm, const mlk_frame *fr, mlk_err *e)
{
    const mlk_potential *pot = d->pot;
    sm->fr = fr;
    sm->type = mlk_alloc(fr->n, sizeof *sm->type);
    sm->count = mlk_alloc(d->nt, sizeof *sm->count);
    sm->err.f2 = mlk_alloc(d->nt, sizeof *sm->err.f2);
    if (!sm->type || !sm->count || !sm->err.f2) return MLK_FAIL(e, MLK_ENOMEM, "frame");
    mlk_status s = mlk_potential_types_of(pot, fr, sm->type, e);
    if (!s) s = mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, pot->rc, &sm->nl, e);
    if (s) return mlk_err_at(e, fr->source, fr->line);
    for (size_t i = 0; i < fr->n; i++) {
        sm->e0 += pot->e0[sm->type[i]];
        sm->count[sm->type[i]]++;
    }
    return MLK_OK;
}

static void frame_error(const driver *d, sample *sm, mlk_eval *ev)
{
    const mlk_frame *fr = sm->fr;
    frame_errors *r = &sm->err;
    mlk_err le = {0};
    bool virial = fr->has & MLK_HAS_VIRIAL;
    double n = (double)fr->n, gpa = MLK_EVA3_GPA / fr->cell.volume;
    r->failed =
        mlk_potential_eval(d->pot, &sm->nl, sm->type, virial ? MLK_WANT_VIRIAL : 0, ev, &le);
    if (r->failed) return;
    r->e = fr->has & MLK_HAS_ENERGY ? (ev->U + sm->e0 - fr->energy) / n : 0;
    memset(r->f2, 0, d->nt * sizeof *r->f2);
    for (size_t i = 0; i < fr->n && (fr->has & MLK_HAS_FORCE); i++)
        for (int c = 0; c < 3; c++) {
            double q = ev->f[i][c] - fr->f[i][c];
            r->f2[sm->type[i]] += q * q;
        }
    r->v2 = r->s2 = 0;
    for (int c = 0; c < 6 && virial; c++) {
        double q =
            0.5 * (ev->W[mlk_voigt_a[c]][mlk_voigt_b[c]] + ev->W[mlk_voigt_b[c]][mlk_voigt_a[c]] -
                   fr->virial[mlk_voigt_a[c]][mlk_voigt_b[c]] -
                   fr->virial[mlk_voigt_b[c]][mlk_voigt_a[c]]);
        r->v2 += q * q / n / n;
        r->s2 += q * q * gpa * gpa;
    }
}

/* Errors of the frames idx (n) with parameters x; kept in their samples. */
static mlk_status evaluate(driver *d, const double *x, const size_t *idx, size_t n, mlk_err *e)
{
    memcpy(d->pot->param, x, d->pot->n_param * sizeof *x);
    if (d->pot->type->update) MLK_TRY(d->pot->type->update(d->pot, e));
    if (n == 1) {
        frame_error(d, &d->sample[idx[0]], &d->eval[0]); /* parallel inside */
        return MLK_OK;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(d->n_eval)
    for (size_t k = 0; k < n; k++)
        frame_error(d, &d->sample[idx[k]], &d->eval[omp_get_thread_num()]);
    return MLK_OK;
}

static double root(double sum, double n)
{
    return n > 0 ? sqrt(sum / n) : NAN;
}

/* RMSEs as species t (nt: all) sees them, energies relative to shift. Loss: NaN where the model
 * failed. */
static void reduce(const driver *d, const size_t *idx, size_t n, size_t t, double shift, rms_set *r)
{
    double e2 = 0, ne = 0, f2 = 0, nf = 0, v2 = 0, s2 = 0, nv = 0;
    bool failed = false;
    for (size_t k = 0; k < n; k++) {
        const sample *sm = &d->sample[idx[k]];
        const frame_errors *q = &sm->err;
        double w = sm->weight;
        if (t < d->nt && !sm->count[t]) continue;
        failed |= q->failed;
        if (sm->fr->has & MLK_HAS_ENERGY) e2 += w * (q->e - shift) * (q->e - shift), ne += w;
        for (size_t a = 0; a < d->nt && (sm->fr->has & MLK_HAS_FORCE); a++)
            if (t == d->nt || a == t) f2 += w * q->f2[a], nf += 3 * w * (double)sm->count[a];
        if (sm->fr->has & MLK_HAS_VIRIAL) v2 += w * q->v2, s2 += w * q->s2, nv += 6 * w;
    }
    *r = (rms_set){root(e2, ne), root(f2, nf), root(v2, nv), root(s2, nv), shift, 0};
    r->loss = failed ? NAN
                     : (ne > 0 ? d->o.lambda_e * r->e : 0) + (nf > 0 ? d->o.lambda_f * r->f : 0) +
                           (nv > 0 ? d->o.lambda_v * r->v : 0);
}

static double mean_energy_error(const driver *d, const size_t *idx, size_t n)
{
    double sum = 0, w = 0;
    for (size_t k = 0; k < n; k++) {
        const sample *sm = &d->sample[idx[k]];
        if (!(sm->fr->has & MLK_HAS_ENERGY) || sm->err.failed) continue;
        sum += sm->weight * sm->err.e, w += sm->weight;
    }
    return w > 0 ? sum / w : 0;
}

/* lambda_1 <|x|>, lambda_2 sqrt<x^2> over the parameters of group t (nt: all), divided by the
 * number of parameters per species */
static void norms(const driver *d, const double *x, size_t t, double *l1, double *l2)
{
    double a = 0, b = 0, n = (double)d->s.n;
    for (size_t v = 0; v < d->s.n; v++)
        if (t == d->nt || (size_t)d->group[v] == t) a += fabs(x[v]), b += x[v] * x[v];
    if (t < d->nt) n /= (double)d->nt;
    *l1 = d->o.lambda_1 * a / n;
    *l2 = d->o.lambda_2 * sqrt(b / n);
}

/* ---- checkpoint ---------------------------------------------------------------------------- */

enum { N_COUNT = 3, N_REAL = 3, N_ITEM = 5 };

typedef struct numbers {
    int64_t count[N_COUNT];
    double real[N_REAL];
} numbers;

static void items(mlk_state_item item[N_ITEM], driver *d, numbers *q)
{
    const mlk_state_item all[N_ITEM] = {{"/mu", MLK_H5_DOUBLE, d->s.n, d->s.mu},
                                        {"/sigma", MLK_H5_DOUBLE, d->s.n, d->s.sigma},
                                        {"/best", MLK_H5_DOUBLE, d->s.n, d->best},
                                        {"/count", MLK_H5_INT64, N_COUNT, q->count},
                                        {"/real", MLK_H5_DOUBLE, N_REAL, q->real}};
    memcpy(item, all, sizeof all);
}

static mlk_status save(driver *d, const char *dir, const char *key, mlk_err *e)
{
    if (!dir) return MLK_OK;
    numbers q = {.count = {d->s.generation, d->n_generation, d->best_generation},
                 .real = {d->best_loss, d->best_shift, d->h->wall + mlk_wtime() - d->started}};
    mlk_state_item item[N_ITEM];
    items(item, d, &q);
    d->last_save = mlk_wtime();
    return mlk_state_write(&(mlk_state){"mlkit-snes", key, 1, N_ITEM, item, d->h}, dir, e);
}

static mlk_status restore(driver *d, const char *dir, const char *key, bool *found, mlk_err *e)
{
    numbers q;
    mlk_state_item item[N_ITEM];
    items(item, d, &q);
    *found = false;
    if (!dir) return MLK_OK;
    MLK_TRY(mlk_state_read(&(mlk_state){"mlkit-snes", key, 1, N_ITEM, item, d->h}, dir, found, e));
    if (!*found) return MLK_OK;
    d->s.generation = q.count[0], d->n_generation = q.count[1], d->best_generation = q.count[2];
    d->best_loss = q.real[0], d->best_shift = q.real[1], d->h->wall = q.real[2];
    mlk_log(MLK_LOG_INFO, "continuing after generation %lld of %lld", (long long)d->s.generation,
            (long long)d->n_generation);
    return MLK_OK;
}

/* ---- the run ------------------------------------------------------------------------------- */

/* frames of this generation: batches in the order of the data, as GPUMD cuts them */
static const size_t *batch_of(const driver *d, size_t *n)
{
    size_t n_batch = (d->n_train + d->batch - 1) / d->batch;
    size_t b = (size_t)(d->s.generation % (int64_t)n_batch);
    size_t first = b * d->n_train / n_batch;
    *n = (b + 1) * d->n_train / n_batch - first;
    return d->train + first;
}

static mlk_status try_individual(driver *d, size_t p, mlk_err *e)
{
    size_t n;
    const size_t *idx = batch_of(d, &n);
    double l1, l2;
    rms_set r;
    mlk_snes_individual(&d->s, p, d->x);
    MLK_TRY(evaluate(d, d->x, idx, n, e));
    double shift = mean_energy_error(d, idx, n);
    for (size_t t = 0; t <= d->nt; t++) {
        reduce(d, idx, n, t, shift, &r);
        norms(d, d->x, t, &l1, &l2);
        d->fitness[t * d->s.n_pop + p] = r.loss + l1 + l2;
    }
    return MLK_OK;
}

static void progress_line(driver *d, bool force, const mlk_epoch *r)
{
    const struct {
        double train, valid;
        int digits;
    } q[3] = {
        {r->e_train, r->e_valid, 2}, {r->f_train, r->f_valid, 1}, {r->v_train, r->v_valid, 4}};
    char spent[32], left[32], text[3][80];
    double wall = d->h->wall + mlk_wtime() - d->started,
           x = (double)d->s.generation / (double)d->n_generation;
    for (int k = 0; k < 3; k++) {
        char *t = text[k];
        snprintf(t, 40, "-");
        if (isfinite(q[k].train)) snprintf(t, 40, "%.*f", q[k].digits, q[k].train);
        if (isfinite(q[k].valid)) snprintf(t + strlen(t), 40, "|%.*f", q[k].digits, q[k].valid);
    }
    mlk_progress(10, force,
                 "generation %.0f/%lld  loss %.4f  E %s meV/atom  F %s meV/A  V %s eV/atom  %s, %s "
                 "left",
                 r->epoch, (long long)d->n_generation, r->loss, text[0], text[1], text[2],
                 mlk_duration(wall, spent), mlk_duration(x > 0 ? wall * (1 - x) / x : 0, left));
}

/* Errors of the elite on all frames; it is kept when it is the best on the validation frames (on
 * the training frames where there are none). The last generation's rank decides the elite. */
static mlk_status report(driver *d, double total, mlk_err *e)
{
    rms_set tr, va = {NAN, NAN, NAN, NAN, 0, NAN};
    double l1, l2;
    norms(d, d->elite, d->nt, &l1, &l2);
    MLK_TRY(evaluate(d, d->elite, d->train, d->n_train, e));
    reduce(d, d->train, d->n_train, d->nt, mean_energy_error(d, d->train, d->n_train), &tr);
    if (d->n_valid) {
        MLK_TRY(evaluate(d, d->elite, d->valid, d->n_valid, e));
        reduce(d, d->valid, d->n_valid, d->nt, tr.shift, &va);
    }
    double loss = d->n_valid ? va.loss : tr.loss;
    if (loss < d->best_loss) {
        d->best_loss = loss, d->best_shift = tr.shift, d->best_generation = d->s.generation;
        memcpy(d->best, d->elite, d->s.n * sizeof *d->best);
    }
    MLK_TRY(MLK_GROW(d->h->row, d->h->cap, d->h->n + 1, e));
    d->h->row[d->h->n++] = (mlk_epoch){.epoch = (double)d->s.generation,
                                       .wall = d->h->wall + mlk_wtime() - d->started,
                                       .lr = NAN,
                                       .loss = total,
                                       .e_train = 1e3 * tr.e,
                                       .f_train = 1e3 * tr.f,
                                       .s_train = tr.s,
                                       .e_valid = 1e3 * va.e,
                                       .f_valid = 1e3 * va.f,
                                       .s_valid = va.s,
                                       .l1 = l1,
                                       .l2 = l2,
                                       .v_train = tr.v,
                                       .v_valid = va.v};
    progress_line(d, d->s.generation == d->n_generation, &d->h->row[d->h->n - 1]);
    return MLK_OK;
}

static mlk_status generation(driver *d, bool *stopped, double *total, mlk_err *e)
{
    const double *all = d->fitness + d->nt * d->s.n_pop;
    size_t best = 0, n_good = 0;
    mlk_snes_draw(&d->s);
    for (size_t p = 0; p < d->s.n_pop; p++) {
        *stopped = mlk_stop_requested();
        if (*stopped) return MLK_OK;
        MLK_TRY(try_individual(d, p, e));
        n_good += !isnan(all[p]);
        if (isnan(all[best]) || all[p] < all[best]) best = p;
    }
    if (!n_good) {
        MLK_FAIL(e, MLK_ENUMERIC, "no parameters of generation %lld give finite energies",
                 (long long)d->s.generation + 1);
        return mlk_err_hint(e, "look for wrong labels ('mlkit dataset info'), or lower snes.sigma");
    }
    mlk_snes_individual(&d->s, best, d->elite);
    *total = all[best];
    mlk_snes_update(&d->s, d->fitness);
    return MLK_OK;
}

static mlk_status loop(driver *d, const char *dir, const char *key, mlk_err *e)
{
    int64_t every = (d->n_generation + 249) / 250;
    while (d->s.generation < d->n_generation) {
        bool stopped = false;
        double total = NAN;
        MLK_TRY(generation(d, &stopped, &total, e));
        if (stopped) {
            MLK_TRY(save(d, dir, key, e));
            return MLK_FAIL(e, MLK_EINTERRUPTED, "stopped in generation %lld of %lld%s",
                            (long long)d->s.generation + 1, (long long)d->n_generation,
                            dir ? "; the same command continues" : "");
        }
        if (d->s.generation % every == 0 || d->s.generation == d->n_generation)
            MLK_TRY(report(d, total, e));
        if (mlk_wtime() - d->last_save > 60) MLK_TRY(save(d, dir, key, e));
    }
    if (!d->best_generation)
        return MLK_FAIL(e, MLK_ENUMERIC, "no parameters gave a finite error on all frames");
    memcpy(d->pot->param, d->best, d->s.n * sizeof *d->best);
    for (size_t t = 0; t < d->nt; t++) /* species that the data lack keep theirs */
        for (size_t k = 0; k < d->ds->n_species; k++)
            if (d->pot->z[t] == d->ds->z[k]) d->pot->e0[t] -= d->best_shift;
    mlk_log(MLK_LOG_INFO,
            "kept the best of generation %lld; the mean energy error, %+.4f eV/atom, went to the "
            "reference energies",
            (long long)d->best_generation, -d->best_shift);
    return d->pot->type->update ? d->pot->type->update(d->pot, e) : MLK_OK;
}

/* number of generations, from the time two individuals take if there is a budget */
static mlk_status plan(driver *d, const mlk_train_config *c, mlk_err *e)
{
    char buf[32];
    double t0 = 0, per = 0;
    mlk_snes_draw(&d->s);
    for (size_t p = 0; p < 3; p++) { /* the first one allocates */
        if (p == 1) t0 = mlk_wtime();
        MLK_TRY(try_individual(d, p, e));
    }
    per = (mlk_wtime() - t0) / 2 * (double)d->s.n_pop;
    d->n_generation = d->o.generations;
    if (c->stop.epochs > 0 || !isnan(c->stop.visits) || c->stop.patience > 0 || c->quick)
        mlk_log(MLK_LOG_WARN, "--quick, stop.epochs, stop.visits and stop.patience are of the "
                              "gradient method; SNES takes snes.generations and stop.budget");
    /* 0.95: reports, start and end */
    if (c->stop.budget > 0 && 0.95 * c->stop.budget / per < (double)d->n_generation)
        d->n_generation = (int64_t)fmax(1, floor(0.95 * c->stop.budget / per));
    mlk_log(MLK_LOG_INFO,
            "SNES: %lld generations of %zu individuals, %zu of %zu training frames each: about %s; "
            "lambda e %.3g f %.3g v %.3g, 1 %.3g, 2 %.3g",
            (long long)d->n_generation, d->s.n_pop, d->batch, d->n_train,
            mlk_duration(per * (double)d->n_generation / 0.95, buf), d->o.lambda_e, d->o.lambda_f,
            d->o.lambda_v, d->o.lambda_1, d->o.lambda_2);
    return MLK_OK;
}

static mlk_status check_labels(driver *d, mlk_err *e)
{
    size_t have[3] = {0};
    for (size_t k = 0; k < d->n_train; k++) {
        unsigned has = d->ds->frame[d->train[k]].has;
        have[0] += (has & MLK_HAS_ENERGY) != 0, have[1] += (has & MLK_HAS_FORCE) != 0;
        have[2] += (has & MLK_HAS_VIRIAL) != 0;
    }
    if (isnan(d->o.lambda_v)) d->o.lambda_v = have[2] ? 0.1 : 0;
    const double w[3] = {d->o.lambda_e, d->o.lambda_f, d->o.lambda_v};
    for (int k = 0; k < 3; k++)
        if (w[k] > 0 && !have[k]) {
            MLK_FAIL(e, MLK_EINVAL, "snes.lambda-%c is %g but no training frame has that label",
                     "efv"[k], w[k]);
            return mlk_err_hint(e, "use data with it, or --set snes.lambda-%c=0", "efv"[k]);
        }
    return MLK_OK;
}

/* groups of parameters: the species whose energy they make; the shared ones go by all */
static mlk_status find_groups(driver *d, mlk_err *e)
{
    size_t n = d->pot->n_param;
    int(*of)[2] = mlk_alloc(n, sizeof *of);
    if (!of) return MLK_FAIL(e, MLK_ENOMEM, "%zu parameters", n);
    for (size_t k = 0; k < n; k++) of[k][0] = -1;
    if (d->pot->type->param_species) d->pot->type->param_species(d->pot, of);
    for (size_t k = 0; k < n; k++) d->group[k] = of[k][0] < 0 ? (int)d->nt : of[k][0];
    mlk_free(of);
    return MLK_OK;
}

static mlk_status prepare(driver *d, const mlk_train_config *c, const bool *keep, mlk_err *e)
{
    const mlk_dataset *ds = d->ds;
    size_t np = d->pot->n_param;
    d->nt = d->pot->n_species;
    d->n_eval = mlk_threads();
    d->sample = mlk_alloc(ds->n, sizeof *d->sample);
    d->train = mlk_alloc(ds->n, sizeof *d->train);
    d->valid = mlk_alloc(ds->n, sizeof *d->valid);
    d->group = mlk_alloc(np, sizeof *d->group);
    d->x = mlk_alloc(np, sizeof *d->x);
    d->elite = mlk_alloc(np, sizeof *d->elite);
    d->best = mlk_alloc(np, sizeof *d->best);
    d->fitness = mlk_alloc((d->nt + 1) * (size_t)d->o.population, sizeof *d->fitness);
    d->eval = mlk_alloc((size_t)d->n_eval, sizeof *d->eval);
    double *weight = mlk_alloc(ds->n, sizeof *weight);
    mlk_status s = MLK_OK;
    if (!d->sample || !d->train || !d->valid || !d->group || !d->x || !d->elite || !d->best ||
        !d->fitness || !d->eval || !weight) {
        s = MLK_FAIL(e, MLK_ENOMEM, "training of %zu parameters on %zu frames", np, ds->n);
        goto done;
    }
    MLK_GO(mlk_fit_weights(c, ds, weight, e));
    for (size_t k = 0; k < ds->n; k++) {
        if (ds->split[k] == MLK_SPLIT_TEST) continue;
        if (ds->split[k] == MLK_SPLIT_TRAIN) d->train[d->n_train++] = k;
        if (ds->split[k] == MLK_SPLIT_VALID) d->valid[d->n_valid++] = k;
        d->sample[k].weight = weight[k];
        MLK_GO(sample_init(d, &d->sample[k], &ds->frame[k], e));
    }
    if (!d->n_train) {
        s = MLK_FAIL(e, MLK_EINVAL, "no training frames");
        goto done;
    }
    MLK_GO(check_labels(d, e));
    MLK_GO(find_groups(d, e));
    size_t batch = (size_t)d->o.batch;
    d->batch = batch && batch < d->n_train ? batch : d->n_train;
    double lambda = sqrt(1e-6 * (double)np / (double)d->nt);
    if (isnan(d->o.lambda_1)) d->o.lambda_1 = lambda;
    if (isnan(d->o.lambda_2)) d->o.lambda_2 = lambda;
    if (isnan(d->o.sigma)) d->o.sigma = keep ? 0.01 : 0.1;
    d->best_loss = INFINITY;
    MLK_GO(mlk_snes_init(&d->s, np, (size_t)d->o.population, d->nt + 1, d->group, d->pot->param,
                         d->o.sigma, d->seed, e));
    for (size_t k = 0; keep && k < np; k++)
        if (keep[k]) d->s.sigma[k] = 0;
done:
    mlk_free(weight);
    return s;
}

static void driver_free(driver *d)
{
    for (size_t k = 0; d->sample && k < d->ds->n; k++) {
        mlk_free(d->sample[k].type), mlk_free(d->sample[k].count), mlk_free(d->sample[k].err.f2);
        mlk_neigh_free(&d->sample[k].nl);
    }
    for (int t = 0; d->eval && t < d->n_eval; t++) mlk_eval_free(&d->eval[t]);
    mlk_snes_free(&d->s);
    mlk_free(d->sample), mlk_free(d->train), mlk_free(d->valid), mlk_free(d->group);
    mlk_free(d->x), mlk_free(d->elite), mlk_free(d->best), mlk_free(d->fitness);
    mlk_free(d->eval);
}

mlk_status mlk_train_snes(mlk_potential *pot, const mlk_dataset *ds, const mlk_train_config *c,
                          uint64_t seed, const bool *keep, const char *dir, const char *key,
                          mlk_history *h, mlk_err *e)
{
    driver d = {.pot = pot, .ds = ds, .o = c->snes, .seed = seed, .h = h, .started = mlk_wtime()};
    bool found = false;
    mlk_status s = prepare(&d, c, keep, e);
    if (!s) s = restore(&d, dir, key, &found, e);
    if (!s && !found) s = plan(&d, c, e);
    d.last_save = mlk_wtime();
    if (!s) s = loop(&d, dir, key, e);
    h->wall += mlk_wtime() - d.started;
    driver_free(&d);
    return s;
}
