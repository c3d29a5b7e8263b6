/* train.c - training by gradients: first Adam on batches, then Gauss-Newton on the whole
 * (polish.c).
 *
 * Each epoch visits every training frame once, in an order drawn from (seed, epoch), in batches;
 * one Adam step per batch. The learning rate rises over the first part of the run and falls along a
 * cosine to lr_min; the energy weight rises smoothly from a fraction of its final value (a sudden
 * step in it ruins the forces). Validation uses the averaged parameters, and the best are kept. The
 * number of epochs is fixed before the first one, also under a time budget (from a measured speed),
 * so that a run can be repeated exactly. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/rng.h"
#include "core/units.h"
#include "train/run.h"

mlk_status mlk_trainer_set_param(mlk_trainer *d, const double *x, mlk_err *e)
{
    memcpy(d->pot->param, x, d->pot->n_param * sizeof *x);
    return d->pot->type->update ? d->pot->type->update(d->pot, e) : MLK_OK;
}

/* order of the training frames in an epoch: Fisher-Yates from (seed, epoch) */
static void shuffle(mlk_trainer *d, int64_t epoch)
{
    mlk_rng g = mlk_rng_make(d->seed, 0x7261696e00000000u + (uint64_t)epoch);
    memcpy(d->order, d->train, d->n_train * sizeof *d->order);
    for (size_t k = d->n_train; k-- > 1;) {
        size_t q = mlk_rng_below(&g, k + 1), tmp = d->order[k];
        d->order[k] = d->order[q];
        d->order[q] = tmp;
    }
}

static double progress(const mlk_trainer *d, int64_t step)
{
    return (double)step / ((double)d->t.n_epoch * (double)d->n_step);
}

static double learning_rate(const mlk_trainer *d, int64_t step)
{
    const mlk_train_optim *o = &d->c->optimizer;
    double x = progress(d, step), lr;
    if (x < o->warmup)
        lr = o->lr * (x + 1e-3) / (o->warmup + 1e-3);
    else
        lr = o->lr_min +
             0.5 * (o->lr - o->lr_min) * (1 + cos(MLK_PI * (x - o->warmup) / (1 - o->warmup)));
    return lr * d->t.lr_scale;
}

static void set_weights(mlk_trainer *d, double x)
{
    const mlk_train_loss *w = &d->w;
    if (x > 1) x = 1;
    double s = x * x * (3 - 2 * x);
    d->loss.we = w->energy * pow(w->ramp, 1 - s);
    d->loss.wf = w->force;
    d->loss.wv = w->virial;
    d->loss.huber = w->huber;
}

static mlk_status validate(mlk_trainer *d, const double *x, mlk_loss_sums *sums, mlk_err *e)
{
    const size_t *idx = d->n_valid ? d->valid : d->train;
    size_t n = d->n_valid ? d->n_valid : d->n_train;
    memset(sums, 0, sizeof *sums);
    memcpy(d->keep, d->pot->param, d->pot->n_param * sizeof *d->keep);
    MLK_TRY(mlk_trainer_set_param(d, x, e));
    set_weights(d, 1);
    d->loss.we = d->loss.wv = 0, d->loss.wf = 1; /* the loss is that of the forces alone */
    mlk_status s = MLK_OK;
    for (size_t k = 0; k < n && !s; k += 16)
        s = mlk_loss_batch(&d->loss, d->pot, idx + k, n - k < 16 ? n - k : 16, NULL, sums, e);
    mlk_status s2 = mlk_trainer_set_param(d, d->keep, e);
    return s ? s : s2;
}

static double rms(double sum, double n, double unit)
{
    return n > 0 ? sqrt(sum / n) * unit : NAN;
}

static mlk_status record(mlk_trainer *d, double lr, const mlk_loss_sums *v, mlk_err *e)
{
    mlk_history *h = d->h;
    const mlk_loss_sums *s = &d->t.sums;
    MLK_TRY(MLK_GROW(h->row, h->cap, h->n + 1, e));
    h->row[h->n++] = (mlk_epoch){
        .epoch = (double)(d->t.epoch + d->t.n_eval),
        .wall = h->wall + mlk_wtime() - d->started,
        .lr = lr,
        .loss = s->nl > 0 ? s->loss / s->nl : NAN,
        .e_train = rms(s->e2, s->ne, 1e3),
        .f_train = rms(s->f2, s->nf, 1e3),
        .s_train = rms(s->s2, s->ns, 1),
        .e_valid = rms(v->e2, v->ne, d->n_valid ? 1e3 : NAN),
        .f_valid = rms(v->f2, v->nf, d->n_valid ? 1e3 : NAN),
        .s_valid = rms(v->s2, v->ns, d->n_valid ? 1 : NAN),
    };
    return MLK_OK;
}

/* A fit that fails has errors of any size. */
static int one_text(char *buf, size_t cap, int digits, double v)
{
    return isnan(v) ? snprintf(buf, cap, "-")
                    : snprintf(buf, cap, v < 1e7 ? "%.*f" : "%.*e", v < 1e7 ? digits : 1, v);
}

/* "train|valid", "-" for what is not there */
static char *pair_text(char *buf, size_t cap, int digits, double a, double b)
{
    int n = one_text(buf, cap, digits, a);
    if (isnan(a)) return buf;
    n += snprintf(buf + n, cap - (size_t)n, "|");
    one_text(buf + n, cap - (size_t)n, digits, b);
    return buf;
}

/* done: share of the whole run */
static void show(mlk_trainer *d, const char *text, double done, bool force)
{
    char e[80], f[80], s[80], lr[32] = "", spent[32], left[32];
    const mlk_epoch *r = &d->h->row[d->h->n - 1];
    double wall = d->h->wall + mlk_wtime() - d->started;
    if (r->lr > 0) snprintf(lr, sizeof lr, "  lr %.1e", r->lr);
    mlk_progress(10, force, "%s  E %s meV/atom  F %s meV/A  V %s GPa%s  %s, %s left", text,
                 pair_text(e, sizeof e, 2, r->e_train, r->e_valid),
                 pair_text(f, sizeof f, 1, r->f_train, r->f_valid),
                 pair_text(s, sizeof s, 3, r->s_train, r->s_valid), lr, mlk_duration(wall, spent),
                 mlk_duration(done > 0 ? wall * (1 - done) / done : 0, left));
}

/* One number for three errors: their geometric mean, each relative to the spread of its labels;
 * forces count four times as much as energies, ten times as much as virials. */
static double score(const mlk_trainer *d, const mlk_loss_sums *v)
{
    const mlk_loss *l = &d->loss;
    const struct {
        double weight, error;
    } part[] = {{v->nf > 0 && d->w.force > 0 ? 1 : 0, v->loss / v->nl},
                {v->ne > 0 && d->w.energy > 0 ? 0.25 : 0, v->e2 / v->ne / pow(l->spread_e, 2)},
                {v->ns > 0 && d->w.virial > 0 ? 0.1 : 0, v->v2 / v->ns / pow(l->spread_v, 2)}};
    double sum = 0, weight = 0;
    for (int k = 0; k < 3; k++)
        if (part[k].weight > 0)
            sum += part[k].weight * log(part[k].error + 1e-12), weight += part[k].weight;
    return exp(sum / weight);
}

mlk_status mlk_trainer_judge(mlk_trainer *d, const double *x, double lr, const char *text,
                             double done, double *loss, mlk_err *e)
{
    mlk_loss_sums v;
    MLK_TRY(validate(d, x, &v, e));
    MLK_TRY(record(d, lr, &v, e));
    show(d, text, done, done >= 1);
    *loss = score(d, &v);
    if (*loss < d->t.best_loss) {
        d->t.best_loss = *loss;
        d->t.best_epoch = d->t.epoch + d->t.n_eval;
        memcpy(d->t.best, x, d->pot->n_param * sizeof *x);
    }
    memset(&d->t.sums, 0, sizeof d->t.sums);
    return MLK_OK;
}

/* the loss is no number, or far above anything seen: go back to the best and be more careful */
static mlk_status step_back(mlk_trainer *d, mlk_err *e)
{
    if (++d->t.n_back > 8) {
        MLK_FAIL(e, MLK_ENUMERIC, "training of %s diverged %lld times", d->pot->type->name,
                 (long long)d->t.n_back);
        mlk_err_hint(e, "look for wrong labels ('mlkit dataset info'), or lower optimizer.lr");
        return MLK_ENUMERIC;
    }
    d->t.lr_scale *= 0.5;
    mlk_log(MLK_LOG_WARN,
            "epoch %lld diverged: back to the best parameters (epoch %lld), learning rate x %g",
            (long long)d->t.epoch + 1, (long long)d->t.best_epoch, d->t.lr_scale);
    mlk_adam_reset(&d->t.adam, d->t.best);
    memset(&d->t.sums, 0, sizeof d->t.sums);
    return mlk_trainer_set_param(d, d->t.best, e);
}

mlk_status mlk_trainer_save(mlk_trainer *d, mlk_err *e)
{
    if (!d->dir) return MLK_OK;
    mlk_history h = *d->h;
    h.wall += mlk_wtime() - d->started;
    d->last_save = mlk_wtime();
    return mlk_checkpoint_write(d->dir, d->key, &d->t, d->pot->param, &h, e);
}

/* Seconds per epoch, from a few gradients without steps; about half a second. */
static mlk_status measure(mlk_trainer *d, double *per_epoch, mlk_err *e)
{
    size_t batch = d->batch, n = 0;
    double t0 = mlk_wtime(), spent = 0;
    mlk_loss_sums sums = {0};
    shuffle(d, -1);
    for (size_t k = 0; k < d->n_step; k++) {
        size_t b = d->n_train - k * batch < batch ? d->n_train - k * batch : batch;
        MLK_TRY(mlk_loss_batch(&d->loss, d->pot, d->order + k * batch, b, d->grad, &sums, e));
        if (k == 0 && d->n_step > 4) { /* the first one also fills caches and allocates */
            t0 = mlk_wtime();
            continue;
        }
        n++;
        spent = mlk_wtime() - t0;
        if (spent > 0.5 && n >= 3) break;
    }
    *per_epoch = spent / (double)n * (double)d->n_step;
    return MLK_OK;
}

/* A batch of about a hundred atoms, unless asked otherwise: forces of one frame of a few hundred
 * atoms are many labels, those of a small cell few. */
static size_t batch_size(const mlk_trainer *d)
{
    if (d->c->optimizer.batch > 0) return (size_t)d->c->optimizer.batch;
    double b = floor(100 * (double)d->n_train / d->atoms + 0.5);
    return b < 1 ? 1 : b > 8 ? 8 : (size_t)b;
}

/* How many epochs and cycles: the least of epochs, time and atoms to be seen. All are fixed
 * here, before the first step. */
static mlk_status plan(mlk_trainer *d, mlk_err *e)
{
    const mlk_train_stop *st = &d->c->stop;
    double atoms = d->atoms, pairs = 0, per_epoch, visits;
    for (size_t k = 0; k < d->loss.n; k++) pairs += (double)d->loss.sample[k].nl.np;
    MLK_TRY(measure(d, &per_epoch, e));
    visits = 1e6 * atoms;
    if (st->epochs > 0) visits = fmin(visits, st->epochs * atoms);
    if (!isnan(st->visits)) visits = fmin(visits, st->visits * 1e6);
    /* 0.92: validation, start and end */
    if (st->budget > 0) visits = fmin(visits, 0.92 * st->budget / per_epoch * atoms);
    /* the default grows with the square root of the data */
    if (!(st->epochs > 0) && isnan(st->visits) && !(st->budget > 0))
        visits = fmin(visits, (d->c->quick ? 3e6 : 6e6) * sqrt(fmax(atoms, 2500) / 1e4));
    mlk_polish_plan(d, visits);
    double left = visits - mlk_polish_cost(d);
    d->t.n_epoch = (int64_t)fmax(1, ceil(left / atoms - 1e-9));
    char buf[32], cycles[64] = "";
    if (d->t.n_cycle)
        snprintf(cycles, sizeof cycles, ", then up to %lld cycles of %lld Gauss-Newton steps",
                 (long long)d->t.n_cycle, (long long)d->t.steps);
    mlk_log(MLK_LOG_INFO,
            "%lld epochs of %zu steps (%zu training frames, batches of %zu)%s: about %s; "
            "neighbour lists %.0f MB",
            (long long)d->t.n_epoch, d->n_step, d->n_train, d->batch, cycles,
            mlk_duration(per_epoch * visits / atoms / 0.92, buf), pairs * 40 / 1e6);
    return MLK_OK;
}

/* One epoch from where it stands; ends early (stopped) on a signal. */
static mlk_status epoch(mlk_trainer *d, bool *stopped, bool *diverged, mlk_err *e)
{
    size_t batch = d->batch;
    shuffle(d, d->t.epoch);
    for (; (size_t)d->t.batch < d->n_step; d->t.batch++) {
        if (mlk_stop_requested()) {
            *stopped = true;
            return MLK_OK;
        }
        size_t k = (size_t)d->t.batch * batch, b = d->n_train - k < batch ? d->n_train - k : batch;
        mlk_loss_sums s = d->t.sums;
        set_weights(d, progress(d, d->t.step));
        MLK_TRY(mlk_loss_batch(&d->loss, d->pot, d->order + k, b, d->grad, &s, e));
        double g2 = 0;
        for (size_t m = 0; m < d->pot->n_param; m++) g2 += d->grad[m] * d->grad[m];
        if (!isfinite(s.loss) || !isfinite(g2)) {
            *diverged = true;
            return MLK_OK;
        }
        d->t.sums = s;
        mlk_adam_step(&d->t.adam, d->pot->param, d->grad, learning_rate(d, d->t.step));
        d->t.step++;
        if (d->pot->type->update) MLK_TRY(d->pot->type->update(d->pot, e));
    }
    return MLK_OK;
}

/* The first part: Adam on batches. */
static mlk_status descend(mlk_trainer *d, mlk_err *e)
{
    int64_t every = (d->t.n_epoch + 249) / 250;
    if (d->t.best_epoch == 0 && d->t.step == 0)
        memcpy(d->t.best, d->pot->param, d->pot->n_param * sizeof(double));
    while (d->t.epoch < d->t.n_epoch) {
        bool stopped = false, diverged = false;
        double lr = learning_rate(d, d->t.epoch * (int64_t)d->n_step); /* at its start */
        MLK_TRY(epoch(d, &stopped, &diverged, e));
        if (stopped) {
            MLK_TRY(mlk_trainer_save(d, e));
            return MLK_FAIL(e, MLK_EINTERRUPTED, "stopped in epoch %lld of %lld%s",
                            (long long)d->t.epoch + 1, (long long)d->t.n_epoch,
                            d->dir ? "; the same command continues" : "");
        }
        d->t.batch = 0;
        d->t.epoch++;
        if (diverged) {
            d->t.step = d->t.epoch * (int64_t)d->n_step;
            MLK_TRY(step_back(d, e));
            continue;
        }
        if (d->t.epoch % every == 0 || d->t.epoch == d->t.n_epoch) {
            char text[64];
            double loss, before = d->t.best_loss, x = progress(d, d->t.step);
            snprintf(text, sizeof text, "epoch %lld/%lld", (long long)d->t.epoch,
                     (long long)d->t.n_epoch);
            double share =
                mlk_polish_cost(d) / (mlk_polish_cost(d) + d->atoms * (double)d->t.n_epoch);
            MLK_TRY(mlk_trainer_judge(d, d->t.adam.avg, lr, text, x * (1 - share), &loss, e));
            /* a loss of 1 is a model that predicts nothing */
            if (!isfinite(loss) || (loss > 10 && loss > 1e3 * before)) MLK_TRY(step_back(d, e));
            int patience = d->c->stop.patience;
            if (patience > 0 && d->t.epoch - d->t.best_epoch > patience) {
                mlk_log(MLK_LOG_INFO, "no better validation loss for %d epochs: done", patience);
                d->t.n_epoch = d->t.epoch;
            }
        }
        if (mlk_wtime() - d->last_save > 60) MLK_TRY(mlk_trainer_save(d, e));
    }
    return MLK_OK;
}

static mlk_status prepare(mlk_trainer *d, const mlk_dataset *ds, mlk_err *e)
{
    const mlk_train_config *c = d->c;
    size_t np = d->pot->n_param;
    d->train = mlk_alloc(ds->n, sizeof *d->train);
    d->valid = mlk_alloc(ds->n, sizeof *d->valid);
    d->order = mlk_alloc(ds->n, sizeof *d->order);
    d->grad = mlk_alloc(np, sizeof *d->grad);
    d->keep = mlk_alloc(np, sizeof *d->keep);
    d->t.best = mlk_alloc(np, sizeof *d->t.best);
    double *weight = mlk_alloc(ds->n, sizeof *weight);
    mlk_status s = MLK_OK;
    if (!d->train || !d->valid || !d->order || !d->grad || !d->keep || !d->t.best || !weight) {
        s = MLK_FAIL(e, MLK_ENOMEM, "training of %zu parameters on %zu frames", np, ds->n);
        goto done;
    }
    for (size_t k = 0; k < ds->n; k++) {
        if (ds->split[k] == MLK_SPLIT_TRAIN) d->atoms += (double)ds->frame[k].n;
        if (ds->split[k] == MLK_SPLIT_TRAIN) d->train[d->n_train++] = k;
        if (ds->split[k] == MLK_SPLIT_VALID) d->valid[d->n_valid++] = k;
    }
    if (!d->n_train) {
        s = MLK_FAIL(e, MLK_EINVAL, "no training frames");
        goto done;
    }
    MLK_GO(mlk_fit_weights(c, ds, weight, e));
    MLK_GO(mlk_loss_init(&d->loss, d->pot, ds, weight, e));
    if (d->auto_e && !d->loss.n_e) d->w.energy = 0;
    if (d->auto_v && !d->loss.n_v) d->w.virial = 0;
    const struct {
        const char *name;
        double weight;
        size_t n;
    } label[] = {{"energy", d->w.energy, d->loss.n_e},
                 {"force", d->w.force, d->loss.n_f},
                 {"virial", d->w.virial, d->loss.n_v}};
    for (int k = 0; k < 3; k++)
        if (label[k].weight > 0 && !label[k].n) {
            s = MLK_FAIL(e, MLK_EINVAL, "loss.%s is %g but no training frame has that label",
                         label[k].name, label[k].weight);
            mlk_err_hint(e, "use data with it, or --set loss.%s=0", label[k].name);
            goto done;
        }
    d->batch = batch_size(d);
    d->n_step = (d->n_train + d->batch - 1) / d->batch;
    MLK_GO(mlk_adam_init(&d->t.adam, np, d->pot->param, e));
    d->t.adam.clip = c->optimizer.clip;
    d->t.adam.decay = c->optimizer.weight_decay;
    d->t.adam.average = c->optimizer.average;
    d->t.lr_scale = 1;
    d->t.best_loss = INFINITY;
    set_weights(d, 0);
done:
    mlk_free(weight);
    return s;
}

mlk_status mlk_train_gradient(mlk_potential *pot, const mlk_dataset *ds, const mlk_train_config *c,
                              uint64_t seed, const char *dir, const char *key, mlk_history *h,
                              mlk_err *e)
{
    if (!pot->type->vjp)
        return MLK_FAIL(e, MLK_EUNSUPPORTED, "%s has no gradients", pot->type->name);
    mlk_train_config own = *c; /* borrows all lists */
    mlk_train_resolve(&own, false);
    mlk_trainer d = {.pot = pot,
                     .c = &own,
                     .w = mlk_train_weights(&own.loss, false),
                     .auto_e = isnan(c->loss.energy),
                     .auto_v = isnan(c->loss.virial),
                     .seed = seed,
                     .h = h,
                     .dir = dir,
                     .key = key,
                     .started = mlk_wtime()};
    mlk_status s = prepare(&d, ds, e);
    bool found = false;
    if (!s && dir) s = mlk_checkpoint_read(dir, key, &d.t, pot->param, h, &found, e);
    if (!s && found) {
        mlk_log(MLK_LOG_INFO, "continuing after epoch %lld of %lld, cycle %lld of %lld",
                (long long)d.t.epoch, (long long)d.t.n_epoch, (long long)d.t.cycle,
                (long long)d.t.n_cycle);
        if (pot->type->update) s = pot->type->update(pot, e);
    } else if (!s) {
        s = plan(&d, e);
    }
    d.last_save = mlk_wtime();
    if (!s) s = descend(&d, e);
    if (!s) s = mlk_polish(&d, e);
    if (!s) s = mlk_trainer_set_param(&d, d.t.best, e);
    h->wall += mlk_wtime() - d.started;
    mlk_loss_free(&d.loss);
    mlk_adam_free(&d.t.adam);
    mlk_free(d.train), mlk_free(d.valid), mlk_free(d.order), mlk_free(d.grad), mlk_free(d.keep);
    mlk_free(d.t.best);
    return s;
}
