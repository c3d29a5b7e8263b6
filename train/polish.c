/* polish.c - the second part of training by gradients: Gauss-Newton cycles (gauss.h) on all
 * training frames at once, where the model has few enough parameters for a matrix of them.
 *
 * Weights of energy and virial that were left open are chosen anew before each cycle, so that they
 * have a set share of the loss: the matrix takes care of the different scales, and the fit may be
 * asked for energies as good as the forces allow. A very small term in |x|^2 keeps directions that
 * no datum determines from drifting. */
#include <math.h>
#include <string.h>

#include "core/log.h"
#include "train/gauss.h"
#include "train/run.h"

/* An energy counts as much as 30 force components, a virial component as much as 5, up to a share
 * of the loss: a few frames of many atoms have few energies, which would be learnt by heart. The
 * share (of energies; half of it of virials) rises from cycle to cycle as long as the held-out
 * errors gain from it, and falls back where they do not: some data determine energies much better
 * than others. */
#define SHARE_FIRST 0.03
#define SHARE_MOST 0.2
#define WORTH_ENERGY 30
#define WORTH_VIRIAL 5
/* Gauss-Newton reaches into every direction the data leave open: of two fits with equal held-out
 * errors the one before it runs safely in MD and the one after it may not (THEORY 11). It is kept
 * where the held-out score, a mean square error, falls below this fraction of what it was. */
#define WORTH_GAIN 0.95
#define RIDGE 1e-5 /* the loss gets RIDGE times the mean square of the parameters */

enum {
    PARAM_MAX = 9000, /* two matrices of them: 1.3 GB */
    STEPS_MIN = 30,
    STEPS_MAX = 100,
    BATCH = 64
};

/* atoms that could be seen in the time of one curvature: a row costs half a gradient of its frame;
 * seeing an atom costs about half a million flops */
static double curvature_cost(const mlk_trainer *d)
{
    double n = (double)d->pot->n_param;
    return 0.55 * n * d->atoms / (double)d->n_train + (n * n * n * 4 / 3) / 5e5;
}

double mlk_polish_cost(const mlk_trainer *d)
{
    return (double)d->t.n_cycle * (curvature_cost(d) + (double)d->t.steps * d->atoms);
}

void mlk_polish_plan(mlk_trainer *d, double visits)
{
    double share = d->c->optimizer.polish * visits;
    if (share <= 0) return;
    if (d->pot->n_param > PARAM_MAX) {
        mlk_log(MLK_LOG_INFO,
                "no Gauss-Newton part (optimizer.polish): %zu parameters, more than the %d it is "
                "for",
                d->pot->n_param, PARAM_MAX);
        return;
    }
    double steps = fmin(fmax(curvature_cost(d) / d->atoms, STEPS_MIN), STEPS_MAX);
    d->t.steps = (int64_t)steps;
    d->t.n_cycle = 1;
    d->t.n_cycle = (int64_t)(share / mlk_polish_cost(d) + 0.5);
}

/* mean loss and gradient over all training frames; *sums the errors */
static mlk_status whole(mlk_trainer *d, const double *x, double *g, mlk_loss_sums *sums, mlk_err *e)
{
    size_t np = d->pot->n_param;
    MLK_TRY(mlk_trainer_set_param(d, x, e));
    memset(sums, 0, sizeof *sums);
    if (g) memset(g, 0, np * sizeof *g);
    for (size_t k = 0; k < d->n_train; k += BATCH) {
        size_t n = d->n_train - k < BATCH ? d->n_train - k : BATCH;
        if (mlk_stop_requested()) return MLK_FAIL(e, MLK_EINTERRUPTED, "stopped");
        MLK_TRY(mlk_loss_batch(&d->loss, d->pot, d->train + k, n, g ? d->grad : NULL, sums, e));
        double share = (double)n / (double)d->n_train;
        for (size_t m = 0; g && m < np; m++) g[m] += share * d->grad[m];
    }
    return MLK_OK;
}

static mlk_status value(void *ctx, const double *x, double *f, double *g, mlk_err *e)
{
    mlk_trainer *d = ctx;
    size_t np = d->pot->n_param;
    mlk_loss_sums sums;
    MLK_TRY(whole(d, x, g, &sums, e));
    double ridge = RIDGE / (double)np;
    *f = sums.loss / sums.nl;
    for (size_t m = 0; m < np; m++) {
        *f += ridge * x[m] * x[m];
        g[m] += 2 * ridge * x[m];
    }
    return MLK_OK;
}

static mlk_status curvature(void *ctx, const double *x, double *h, mlk_err *e)
{
    mlk_trainer *d = ctx;
    size_t np = d->pot->n_param;
    MLK_TRY(mlk_trainer_set_param(d, x, e));
    MLK_TRY(mlk_loss_curvature(&d->loss, d->pot, d->train, d->n_train, np,
                               d->seed + 1000003 * (uint64_t)(d->t.cycle + 1), h, e));
    for (size_t m = 0; m < np; m++) h[m * np + m] += 2 * RIDGE / (double)np;
    return MLK_OK;
}

/* weights of the coming cycle, from the errors at x */
static mlk_status balance(mlk_trainer *d, const double *x, mlk_err *e)
{
    const mlk_loss *l = &d->loss;
    mlk_loss_sums s;
    bool first = d->t.cycle == 0;
    if (first) d->t.we = d->w.energy, d->t.wv = d->w.virial, d->t.share = SHARE_FIRST;
    MLK_TRY(whole(d, x, NULL, &s, e));
    double f = s.nf > 0 ? d->w.force * s.f2 / s.nf / (l->spread_f * l->spread_f) : 0;
    if (d->auto_e && f > 0 && d->w.energy > 0) {
        double err = s.e2 / s.ne / (l->spread_e * l->spread_e);
        double share = fmin(d->t.share, WORTH_ENERGY * s.ne / s.nf);
        d->t.we = fmin(share * f / err, first ? 1e6 : 4 * d->t.we);
    }
    if (d->auto_v && f > 0 && d->w.virial > 0) {
        double err = s.v2 / s.ns / (l->spread_v * l->spread_v);
        double share = fmin(0.5 * d->t.share, WORTH_VIRIAL * s.ns / s.nf);
        d->t.wv = fmin(share * f / err, first ? 1e6 : 4 * d->t.wv);
    }
    return MLK_OK;
}

static mlk_status cycle(mlk_trainer *d, mlk_gauss *q, double *x, mlk_err *e)
{
    const mlk_gauss_fn fn = {d, value, curvature};
    mlk_gauss_result r;
    char text[64];
    double loss, before = d->t.best_loss;
    MLK_TRY(balance(d, x, e));
    d->loss.we = d->t.we, d->loss.wf = d->w.force, d->loss.wv = d->t.wv, d->loss.huber = d->w.huber;
    MLK_TRY(mlk_gauss_cycle(q, &fn, x, (int)d->t.steps, &r, e));
    mlk_loss_sums sums;
    MLK_TRY(whole(d, x, NULL, &sums, e));
    d->t.sums = sums;
    d->t.cycle++;
    d->t.n_eval += r.evaluations;
    d->t.mu = q->mu;
    mlk_log(MLK_LOG_DEBUG,
            "cycle %lld: %d steps, %d evaluations, loss %.4e to %.4e; next damping %.2g, weights "
            "energy %.3g virial %.3g (share %.3g)",
            (long long)d->t.cycle, r.steps, r.evaluations, r.before, r.after, q->mu, d->t.we,
            d->t.wv, d->t.share);
    snprintf(text, sizeof text, "cycle %lld/%lld", (long long)d->t.cycle, (long long)d->t.n_cycle);
    double adam = d->atoms * (double)d->t.n_epoch, cost = mlk_polish_cost(d);
    double done = (adam + cost * (double)d->t.cycle / (double)d->t.n_cycle) / (adam + cost);
    MLK_TRY(mlk_trainer_judge(d, x, 0, text, done, &loss, e));
    bool better = loss < before;
    if (better || !d->n_valid) {
        d->t.share = fmin(2.5 * d->t.share, SHARE_MOST);
    } else { /* back to the best, and less of it */
        d->t.share *= 0.2;
        memcpy(x, d->t.best, d->pot->n_param * sizeof *x);
    }
    bool gained = r.after < 0.995 * r.before && (better || !d->n_valid);
    d->t.n_stall = gained ? 0 : d->t.n_stall + 1;
    return MLK_OK;
}

/* The plan follows the speed measured at first; a machine that became busy must not double the
 * time.
 */
static bool out_of_time(const mlk_trainer *d)
{
    double used = d->h->wall + mlk_wtime() - d->started;
    return d->c->stop.budget > 0 && used > 1.25 * d->c->stop.budget;
}

static mlk_status all_cycles(mlk_trainer *d, mlk_gauss *q, double *x, mlk_err *e)
{
    size_t np = d->pot->n_param;
    MLK_TRY(mlk_gauss_init(q, np, e));
    if (d->t.cycle)
        memcpy(x, d->pot->param, np * sizeof *x), q->mu = d->t.mu;
    else
        memcpy(x, d->t.adam.avg, np * sizeof *x);
    if (!d->t.cycle) MLK_TRY(mlk_trainer_save(d, e));
    if (!d->t.cycle && d->n_valid) d->t.best_loss *= WORTH_GAIN; /* after the checkpoint: once */
    while (d->t.cycle < d->t.n_cycle && d->t.n_stall < 3 && !out_of_time(d)) {
        MLK_TRY(cycle(d, q, x, e));
        MLK_TRY(mlk_trainer_set_param(d, x, e));
        MLK_TRY(mlk_trainer_save(d, e));
    }
    if (d->t.cycle < d->t.n_cycle && d->t.n_stall < 3)
        mlk_log(MLK_LOG_WARN, "the time budget is used up: %lld of %lld cycles are done",
                (long long)d->t.cycle, (long long)d->t.n_cycle);
    else if (d->t.cycle < d->t.n_cycle)
        mlk_log(MLK_LOG_INFO, "no gain worth it in %lld cycles: done", (long long)d->t.n_stall);
    return MLK_OK;
}

mlk_status mlk_polish(mlk_trainer *d, mlk_err *e)
{
    if (!d->t.n_cycle) return MLK_OK;
    mlk_gauss q = {0};
    mlk_err why = {0};
    double *x = mlk_alloc(d->pot->n_param, sizeof *x);
    mlk_status s = x ? MLK_OK : MLK_FAIL(&why, MLK_ENOMEM, "%zu parameters", d->pot->n_param);
    if (!s) s = all_cycles(d, &q, x, &why);
    mlk_gauss_free(&q);
    mlk_free(x);
    if (s == MLK_EINTERRUPTED)
        mlk_err_hint(&why, "%lld of %lld cycles are done%s", (long long)d->t.cycle,
                     (long long)d->t.n_cycle, d->dir ? "; the same command continues" : "");
    if (s == MLK_ENOMEM || s == MLK_ENUMERIC) { /* the best parameters so far are a model, too */
        mlk_log(MLK_LOG_WARN,
                "the Gauss-Newton part ends early: %s; the best parameters so far are kept",
                why.msg);
        return MLK_OK;
    }
    if (s && e && !e->code) *e = why;
    return s;
}
