/* curvature.c - the Gauss-Newton matrix of the loss (train/loss.h), from a sample of its rows.
 *
 * The row of a weighted sum z of residuals is the gradient that the model's vjp returns for the
 * adjoint z: one reverse sweep over a frame per row. Sums with random signs over all force
 * components of a frame (a subsampled randomised cosine transform; Tropp, Adv. Adapt. Data Anal. 3,
 * 115 (2011)) carry the whole frame's curvature in few rows. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/linalg.h"
#include "core/log.h"
#include "core/rng.h"
#include "core/units.h"
#include "train/loss_int.h"

enum { BLOCK = 192, TILE = 192 }; /* rows held at a time; columns of a tile of h */

typedef struct row { /* one row of J */
    size_t k;        /* frame                                                          */
    int kind;        /* 0 energy, 1..6 virial xx yy zz xy yz zx, 7 combination of forces */
    size_t wave;     /* of the cosine transform                                        */
    double scale;
} row;

/* adjoints fbar, wbar and ubar of one row */
static void set_adjoints(const mlk_sample *sm, const row *r, uint64_t seed, mlk_slot *s)
{
    size_t n = sm->nl.n;
    double ebar = r->kind == 0 ? r->scale : 0;
    memset(s->wbar, 0, sizeof s->wbar);
    memset(s->fbar, 0, n * sizeof *s->fbar);
    for (size_t i = 0; i < n; i++) s->ubar[i] = ebar;
    if (r->kind >= 1 && r->kind <= 6) {
        int a = mlk_voigt_a[r->kind - 1], b = mlk_voigt_b[r->kind - 1];
        s->wbar[a][b] += 0.5 * r->scale;
        s->wbar[b][a] += 0.5 * r->scale;
    }
    if (r->kind < 7) return;
    mlk_rng g = mlk_rng_make(seed, 0x6375727600000000u + r->k);
    double step = MLK_PI * ((double)r->wave + 0.5) / (3 * (double)n);
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            double sign = mlk_rng_uniform(&g) < 0.5 ? -1 : 1;
            s->fbar[i][c] = sign * r->scale * cos(step * (3 * (double)i + c + 0.5));
        }
}

/* The rows of frame k, n_force combinations of forces among them; returns how many. */
static size_t list_rows(const mlk_loss *l, size_t k, double nb, size_t n_force, uint64_t seed,
                        row *out)
{
    const mlk_sample *sm = &l->sample[k];
    unsigned has = sm->fr->has;
    double n = (double)sm->nl.n, w = 2 * sm->weight / nb;
    size_t count = 0, all = 3 * sm->nl.n;
    if (has & MLK_HAS_ENERGY && l->we > 0)
        out[count++] = (row){k, 0, 0, sqrt(w * l->we) / (l->spread_e * n)};
    if (has & MLK_HAS_VIRIAL && l->wv > 0)
        for (int c = 1; c <= 6; c++)
            out[count++] = (row){k, c, 0, sqrt(w * l->wv / 6) / (l->spread_v * n)};
    if (!(has & MLK_HAS_FORCE) || !(l->wf > 0)) return count;
    /* waves without repetition: one in each of n_force equal stretches */
    mlk_rng g = mlk_rng_make(seed, 0x7761766500000000u + k);
    if (n_force > all) n_force = all;
    double scale = sqrt(w * l->wf / (3 * n)) / l->spread_f * sqrt(2 / (double)n_force);
    for (size_t m = 0; m < n_force; m++) {
        size_t lo = m * all / n_force, hi = (m + 1) * all / n_force;
        out[count++] = (row){k, 7, lo + mlk_rng_below(&g, hi - lo), scale};
    }
    return count;
}

static mlk_status fill(mlk_loss *l, const mlk_potential *pot, const row *r, size_t n, uint64_t seed,
                       double *j, mlk_err *e)
{
    size_t np = pot->n_param, bad_row = SIZE_MAX;
    mlk_err bad = {0};
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t q = 0; q < n; q++) {
        const mlk_sample *sm = &l->sample[r[q].k];
        mlk_slot *s = &l->slot[omp_get_thread_num()];
        mlk_scratch *sc = &l->scratch[omp_get_thread_num()];
        mlk_err le = {0};
        mlk_status st = mlk_slot_reserve(s, sm->nl.n, sm->nl.np, &le);
        if (!st) {
            set_adjoints(sm, &r[q], seed, s);
            mlk_pair_adjoint(&sm->nl, s, 0, sm->nl.n);
            memset(j + q * np, 0, np * sizeof *j);
            mlk_scratch_reset(sc);
            st = pot->type->vjp(pot, &sm->nl, sm->type, 0, sm->nl.n, s->ubar, s->pbar, sc,
                                j + q * np, &le);
        }
        if (st) {
#pragma omp critical(mlk_loss_error)
            if (q < bad_row) bad_row = q, bad = le;
        }
    }
    if (bad_row == SIZE_MAX) return MLK_OK;
    if (e && !e->code) *e = bad;
    return bad.code;
}

/* h += j^T j, tile by tile, each in one thread */
static void add_product(size_t n, size_t np, const double *j, double *h)
{
    size_t nt = (np + TILE - 1) / TILE;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t t = 0; t < nt * nt; t++) {
        size_t a = t / nt * TILE, b = t % nt * TILE;
        if (b < a) continue;
        size_t na = np - a < TILE ? np - a : TILE, nb = np - b < TILE ? np - b : TILE;
        mlk_gemm(1, 0, na, nb, n, 1, j + a, np, j + b, np, 1, h + a * np + b, np);
    }
}

mlk_status mlk_loss_curvature(mlk_loss *l, const mlk_potential *pot, const size_t *idx, size_t nb,
                              size_t n_row, uint64_t seed, double *h, mlk_err *e)
{
    size_t np = pot->n_param, n = 0, total = 0;
    for (size_t k = 0; k < nb; k++) total += l->sample[idx[k]].nl.n;
    MLK_TRY(MLK_GROW(l->slot, l->n_slot, (size_t)l->n_scratch, e));
    row *r = NULL;
    size_t cap = 0;
    double *j = mlk_alloc(BLOCK * np, sizeof *j);
    mlk_status s = j ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "rows of %zu parameters", np);
    for (size_t k = 0; k < nb && !s; k++) {
        size_t atoms = l->sample[idx[k]].nl.n, share = (n_row * atoms + total - 1) / total;
        s = MLK_GROW(r, cap, n + 7 + share, e);
        if (!s) n += list_rows(l, idx[k], (double)nb, share, seed, r + n);
    }
    for (size_t q = 0; q < n && !s; q += BLOCK) {
        size_t m = n - q < BLOCK ? n - q : BLOCK;
        if (mlk_stop_requested()) s = MLK_FAIL(e, MLK_EINTERRUPTED, "stopped");
        if (!s) s = fill(l, pot, r + q, m, seed, j, e);
        if (!s) add_product(m, np, j, h);
    }
    mlk_free(r), mlk_free(j);
    return s;
}
