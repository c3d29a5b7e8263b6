/* loss.c - the loss of a batch of frames and its gradient.
 *
 * A model gives site energies u and pair partials p; the loss sees only E = sum u,
 * F_i = sum_j (p_ij - p_ji) and W = -sum_k r_k (x) p_k. The chain rule through these three lines,
 *     dL/du_i = dL/dE,    dL/dp_ij = (dL/dF_i - dL/dF_j) - (dL/dW)^T r_ij,
 * is all that training needs to know about forces and stress; the model's vjp takes it from there.
 */
#include "train/loss_int.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/threads.h"
#include "core/units.h"

typedef struct mlk_chunk {
    size_t slot, i0, i1;
} mlk_chunk;

static mlk_status sample_init(mlk_sample *sm, const mlk_potential *pot, const mlk_frame *fr,
                              mlk_err *e)
{
    sm->fr = fr;
    sm->type = mlk_alloc(fr->n, sizeof *sm->type);
    if (!sm->type) return MLK_FAIL(e, MLK_ENOMEM, "%zu atoms", fr->n);
    mlk_status s = mlk_potential_types_of(pot, fr, sm->type, e);
    if (!s) s = mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, pot->rc, &sm->nl, e);
    if (s) return mlk_err_at(e, fr->source, fr->line), s;
    sm->energy = fr->energy;
    for (size_t i = 0; i < fr->n; i++) sm->energy -= pot->e0[sm->type[i]];
    for (int c = 0; c < 6; c++)
        sm->w[c] = 0.5 * (fr->virial[mlk_voigt_a[c]][mlk_voigt_b[c]] +
                          fr->virial[mlk_voigt_b[c]][mlk_voigt_a[c]]);
    sm->f = fr->f;
    double d2 = pot->rc * pot->rc;
    for (size_t k = 0; k < sm->nl.np; k++) {
        double r2 = 0;
        for (int c = 0; c < 3; c++) r2 += sm->nl.r[c][k] * sm->nl.r[c][k];
        if (r2 < d2) d2 = r2;
    }
    double outer = mlk_zbl_outer(pot);
    if (!pot->zbl.on || d2 >= outer * outer) return MLK_OK;

    /* the core has no parameters: take its part off the labels once */
    const mlk_neigh *nl = &sm->nl;
    double *u = mlk_alloc(fr->n, sizeof *u), *p[3];
    for (int c = 0; c < 3; c++) p[c] = mlk_alloc(nl->np ? nl->np : 1, sizeof **p);
    sm->f = mlk_alloc(fr->n, sizeof *sm->f);
    sm->own_f = true;
    if (u && p[0] && p[1] && p[2] && sm->f) {
        mlk_zbl_add(pot, nl, sm->type, 0, fr->n, u, p);
        memcpy(sm->f, fr->f, fr->n * sizeof *sm->f);
        for (size_t i = 0; i < fr->n; i++) {
            sm->energy -= u[i];
            for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++)
                for (int c = 0; c < 3; c++) {
                    sm->f[i][c] -= p[c][k] - p[c][nl->rev[k]];
                }
        }
        for (size_t k = 0; k < nl->np; k++)
            for (int c = 0; c < 6; c++)
                sm->w[c] += 0.5 * (nl->r[mlk_voigt_a[c]][k] * p[mlk_voigt_b[c]][k] +
                                   nl->r[mlk_voigt_b[c]][k] * p[mlk_voigt_a[c]][k]);
    } else {
        s = MLK_FAIL(e, MLK_ENOMEM, "%zu pairs", nl->np);
    }
    mlk_free(u);
    for (int c = 0; c < 3; c++) mlk_free(p[c]);
    return s;
}

/* spreads of the labels of the training frames, and how many there are */
static void measure(mlk_loss *l, const mlk_dataset *ds)
{
    double e1 = 0, e2 = 0, f2 = 0, v1[6] = {0}, v2[6] = {0}, nf = 0;
    for (size_t k = 0; k < ds->n; k++) {
        const mlk_sample *sm = &l->sample[k];
        double n = (double)sm->fr->n;
        if (ds->split[k] != MLK_SPLIT_TRAIN) continue;
        if (sm->fr->has & MLK_HAS_ENERGY)
            e1 += sm->energy / n, e2 += sm->energy * sm->energy / n / n, l->n_e++;
        if (sm->fr->has & MLK_HAS_FORCE) {
            l->n_f++;
            for (size_t i = 0; i < sm->fr->n; i++)
                for (int c = 0; c < 3; c++) f2 += sm->f[i][c] * sm->f[i][c], nf++;
        }
        if (sm->fr->has & MLK_HAS_VIRIAL) {
            l->n_v++;
            for (int c = 0; c < 6; c++) v1[c] += sm->w[c] / n, v2[c] += sm->w[c] * sm->w[c] / n / n;
        }
    }
    /* floors: a set of nearly equal labels must not get an infinite weight */
    if (l->n_e) {
        double m = e1 / (double)l->n_e;
        l->spread_e = fmax(sqrt(fmax(e2 / (double)l->n_e - m * m, 0)), 1e-3);
    }
    if (l->n_f) l->spread_f = fmax(sqrt(f2 / nf), 1e-2);
    if (l->n_v) {
        double v = 0;
        for (int c = 0; c < 6; c++) {
            double m = v1[c] / (double)l->n_v;
            v += fmax(v2[c] / (double)l->n_v - m * m, 0) / 6;
        }
        l->spread_v = fmax(sqrt(v), 1e-3);
    }
}

mlk_status mlk_loss_init(mlk_loss *l, const mlk_potential *pot, const mlk_dataset *ds,
                         const double *weight, mlk_err *e)
{
    memset(l, 0, sizeof *l);
    l->sample = mlk_alloc(ds->n ? ds->n : 1, sizeof *l->sample);
    l->n_scratch = mlk_threads();
    l->scratch = mlk_alloc((size_t)l->n_scratch, sizeof *l->scratch);
    if (!l->sample || !l->scratch) return MLK_FAIL(e, MLK_ENOMEM, "%zu frames", ds->n);
    l->n = ds->n;
    size_t bad_frame = SIZE_MAX;
    mlk_err bad = {0};
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t k = 0; k < ds->n; k++) {
        mlk_err le = {0};
        l->sample[k].weight = weight ? weight[k] : 1;
        if (sample_init(&l->sample[k], pot, &ds->frame[k], &le)) {
#pragma omp critical(mlk_loss_error)
            if (k < bad_frame) bad_frame = k, bad = le;
        }
    }
    if (bad_frame != SIZE_MAX) {
        if (e && !e->code) *e = bad;
        return bad.code;
    }
    measure(l, ds);
    return MLK_OK;
}

void mlk_loss_free(mlk_loss *l)
{
    for (size_t k = 0; k < l->n; k++) {
        mlk_sample *sm = &l->sample[k];
        mlk_free(sm->type);
        if (sm->own_f) mlk_free(sm->f);
        mlk_neigh_free(&sm->nl);
    }
    for (size_t k = 0; k < l->n_slot; k++) {
        mlk_slot *s = &l->slot[k];
        mlk_free(s->u), mlk_free(s->fbar), mlk_free(s->ubar);
        for (int c = 0; c < 3; c++) mlk_free(s->p[c]), mlk_free(s->pbar[c]);
    }
    for (int t = 0; t < l->n_scratch && l->scratch; t++) mlk_scratch_free(&l->scratch[t]);
    mlk_free(l->sample), mlk_free(l->slot), mlk_free(l->chunk_grad), mlk_free(l->chunk);
    mlk_free(l->scratch);
    memset(l, 0, sizeof *l);
}

mlk_status mlk_slot_reserve(mlk_slot *s, size_t n, size_t np, mlk_err *e)
{
    bool ok = true;
    if (n > s->cap_n) {
        mlk_free(s->u), mlk_free(s->fbar), mlk_free(s->ubar);
        s->u = mlk_alloc(n, sizeof *s->u);
        s->ubar = mlk_alloc(n, sizeof *s->ubar);
        s->fbar = mlk_alloc(n, sizeof *s->fbar);
        ok = s->u && s->ubar && s->fbar;
        s->cap_n = ok ? n : 0;
    }
    if (np > s->cap_np) {
        for (int c = 0; c < 3; c++) {
            mlk_free(s->p[c]), mlk_free(s->pbar[c]);
            s->p[c] = mlk_alloc(np, sizeof(double));
            s->pbar[c] = mlk_alloc(np, sizeof(double));
            ok = ok && s->p[c] && s->pbar[c];
        }
        s->cap_np = ok ? np : 0;
    }
    return ok ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "batch of %zu pairs", np);
}

/* Errors of one frame from its u and p, and the adjoints of E, F and W; scale: dL/dl_f. */
static void frame_loss(const mlk_loss *l, const mlk_sample *sm, mlk_slot *s, double scale)
{
    const mlk_neigh *nl = &sm->nl;
    unsigned has = sm->fr->has;
    double n = (double)nl->n, loss = 0, ebar = 0, W[3][3] = {{0}};
    memset(&s->sums, 0, sizeof s->sums);
    memset(s->wbar, 0, sizeof s->wbar);
    scale *= sm->weight;
    if (has & MLK_HAS_ENERGY) {
        double U = 0;
        for (size_t i = 0; i < nl->n; i++) U += s->u[i];
        double d = (U - sm->energy) / n;
        s->sums.e2 = d * d, s->sums.ne = 1;
        double q = l->spread_e > 0 ? l->we / (l->spread_e * l->spread_e) : 0;
        loss += q * d * d;
        ebar = scale * 2 * q * d / n;
    }
    for (size_t i = 0; i < nl->n; i++) s->ubar[i] = ebar;
    double qf = l->spread_f > 0 ? l->wf / (3 * n * l->spread_f * l->spread_f) : 0;
    for (size_t i = 0; i < nl->n; i++) {
        double d[3] = {0};
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++)
            for (int c = 0; c < 3; c++) d[c] += s->p[c][k] - s->p[c][nl->rev[k]];
        if (!(has & MLK_HAS_FORCE)) {
            memset(s->fbar[i], 0, sizeof s->fbar[i]);
            continue;
        }
        double d2 = 0, slope = 1;
        for (int c = 0; c < 3; c++) d[c] -= sm->f[i][c], d2 += d[c] * d[c];
        s->sums.f2 += d2;
        double rho = d2;
        if (l->huber > 0) {
            double h2 = l->huber * l->huber * l->spread_f * l->spread_f;
            double root = sqrt(1 + d2 / h2);
            rho = 2 * h2 * (root - 1);
            slope = 1 / root;
        }
        loss += qf * rho;
        for (int c = 0; c < 3; c++) s->fbar[i][c] = scale * 2 * qf * slope * d[c];
    }
    if (has & MLK_HAS_FORCE) s->sums.nf = 3 * n;
    if (has & MLK_HAS_VIRIAL) {
        for (size_t k = 0; k < nl->np; k++)
            for (int a = 0; a < 3; a++)
                for (int b = 0; b < 3; b++) W[a][b] -= nl->r[a][k] * s->p[b][k];
        double q = l->spread_v > 0 ? l->wv / (6 * l->spread_v * l->spread_v) : 0,
               gpa = MLK_EVA3_GPA / sm->fr->cell.volume;
        for (int c = 0; c < 6; c++) {
            double d =
                0.5 * (W[mlk_voigt_a[c]][mlk_voigt_b[c]] + W[mlk_voigt_b[c]][mlk_voigt_a[c]]) -
                sm->w[c];
            s->sums.s2 += d * gpa * d * gpa;
            d /= n;
            s->sums.v2 += d * d;
            loss += q * d * d;
            double wb = scale * 2 * q * d / n;
            s->wbar[mlk_voigt_a[c]][mlk_voigt_b[c]] += 0.5 * wb;
            s->wbar[mlk_voigt_b[c]][mlk_voigt_a[c]] += 0.5 * wb;
        }
        s->sums.ns = 6;
    }
    s->sums.loss = sm->weight * loss;
    s->sums.nl = 1;
}

void mlk_pair_adjoint(const mlk_neigh *nl, mlk_slot *s, size_t i0, size_t i1)
{
    for (size_t i = i0; i < i1; i++)
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            const double *fj = s->fbar[nl->j[k]];
            double r[3] = {nl->r[0][k], nl->r[1][k], nl->r[2][k]};
            for (int b = 0; b < 3; b++)
                s->pbar[b][k] =
                    s->fbar[i][b] - fj[b] -
                    (r[0] * s->wbar[0][b] + r[1] * s->wbar[1][b] + r[2] * s->wbar[2][b]);
        }
}

/* slots and chunks of a batch; the chunk size depends on the batch only, never on the threads */
static mlk_status plan(mlk_loss *l, const size_t *idx, size_t nb, size_t n_param, bool grad,
                       size_t *n_chunk, mlk_err *e)
{
    size_t atoms = 0, nc = 0;
    MLK_TRY(MLK_GROW(l->slot, l->n_slot, nb, e));
    for (size_t b = 0; b < nb; b++) {
        const mlk_sample *sm = &l->sample[idx[b]];
        MLK_TRY(mlk_slot_reserve(&l->slot[b], sm->nl.n, sm->nl.np, e));
        atoms += sm->nl.n;
    }
    size_t size = (atoms + 63) / 64;
    if (size < 16) size = 16;
    MLK_TRY(MLK_GROW(l->chunk, l->cap_chunk, atoms / size + nb + 1, e));
    for (size_t b = 0; b < nb; b++) {
        size_t n = l->sample[idx[b]].nl.n;
        for (size_t i = 0; i < n; i += size)
            l->chunk[nc++] = (mlk_chunk){b, i, i + size < n ? i + size : n};
    }
    if (grad) MLK_TRY(MLK_GROW(l->chunk_grad, l->cap_chunk_grad, nc * n_param, e));
    *n_chunk = nc;
    return MLK_OK;
}

mlk_status mlk_loss_batch(mlk_loss *l, const mlk_potential *pot, const size_t *idx, size_t nb,
                          double *grad, mlk_loss_sums *sums, mlk_err *e)
{
    size_t nc, np = pot->n_param, bad_chunk = SIZE_MAX;
    MLK_TRY(plan(l, idx, nb, np, grad != NULL, &nc, e));
    mlk_err bad = {0};
    int threads = l->n_scratch < (int)nc ? l->n_scratch : (int)nc;
#pragma omp parallel num_threads(threads)
    {
        mlk_scratch *sc = &l->scratch[omp_get_thread_num()];
#pragma omp for schedule(dynamic, 1)
        for (size_t c = 0; c < nc; c++) {
            const mlk_chunk *ch = &l->chunk[c];
            const mlk_sample *sm = &l->sample[idx[ch->slot]];
            mlk_slot *s = &l->slot[ch->slot];
            mlk_err le = {0};
            mlk_scratch_reset(sc);
            if (pot->type->eval(pot, &sm->nl, sm->type, ch->i0, ch->i1, sc, s->u, s->p, &le)) {
#pragma omp critical(mlk_loss_error)
                if (c < bad_chunk) bad_chunk = c, bad = le;
            }
        }
#pragma omp for schedule(dynamic, 1)
        for (size_t b = 0; b < nb; b++)
            frame_loss(l, &l->sample[idx[b]], &l->slot[b], 1.0 / (double)nb);
        if (grad) {
#pragma omp for schedule(dynamic, 1)
            for (size_t c = 0; c < nc; c++) {
                const mlk_chunk *ch = &l->chunk[c];
                const mlk_sample *sm = &l->sample[idx[ch->slot]];
                mlk_slot *s = &l->slot[ch->slot];
                mlk_err le = {0};
                mlk_scratch_reset(sc);
                memset(l->chunk_grad + c * np, 0, np * sizeof(double));
                mlk_pair_adjoint(&sm->nl, s, ch->i0, ch->i1);
                if (pot->type->vjp(pot, &sm->nl, sm->type, ch->i0, ch->i1, s->ubar, s->pbar, sc,
                                   l->chunk_grad + c * np, &le)) {
#pragma omp critical(mlk_loss_error)
                    if (c < bad_chunk) bad_chunk = c, bad = le;
                }
            }
#pragma omp for schedule(static)
            for (size_t m = 0; m < np; m++) {
                double g = 0;
                for (size_t c = 0; c < nc; c++) g += l->chunk_grad[c * np + m];
                grad[m] = g;
            }
        }
    }
    if (bad_chunk != SIZE_MAX) {
        if (e && !e->code) *e = bad;
        return bad.code;
    }
    for (size_t b = 0; b < nb; b++) {
        const mlk_loss_sums *q = &l->slot[b].sums;
        sums->loss += q->loss, sums->e2 += q->e2, sums->f2 += q->f2, sums->s2 += q->s2;
        sums->nl += q->nl, sums->ne += q->ne, sums->nf += q->nf, sums->ns += q->ns;
        sums->v2 += q->v2;
    }
    return MLK_OK;
}
