/* split.c - train and validation by trajectory group. Frames of one run resemble each other, so a
 * random split of frames flatters a model; here whole groups go to one side. The groups are put in
 * order of temperature and cut into strata of equal frame count; one group of each stratum is
 * drawn, so that the validation set covers the temperature range of the data. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "datasets/dataset.h"

enum { GROUPS_MIN = 5, BLOCKS = 20 };

typedef struct unit { /* a group, or a block of consecutive frames: goes to one side as a whole */
    size_t n;         /* frames                               */
    double t;         /* mean temperature, INFINITY unknown   */
    size_t first;     /* first frame: order of appearance     */
    uint64_t key;     /* random order among equals            */
    int chosen;
} unit;

static int by_temperature(const void *a, const void *b)
{
    const unit *p = a, *q = b;
    if (p->t != q->t) return p->t < q->t ? -1 : 1;
    return p->key != q->key ? (p->key < q->key ? -1 : 1)
                            : (p->first > q->first) - (p->first < q->first);
}

typedef struct entry {
    const char *group;
    size_t i;
} entry;

static int by_group(const void *a, const void *b)
{
    const entry *p = a, *q = b;
    int c = strcmp(p->group, q->group);
    return c ? c : (p->i > q->i) - (p->i < q->i);
}

/* of[i]: the group of frame i, numbered in order of the group's first frame. Returns how many. */
static mlk_status number_groups(const mlk_dataset *ds, size_t *of, size_t *n_group, mlk_err *e)
{
    entry *x = mlk_alloc(ds->n, sizeof *x);
    size_t *leader = mlk_alloc(ds->n, sizeof *leader);
    if (!x || !leader) {
        mlk_free(x);
        mlk_free(leader);
        return MLK_FAIL(e, MLK_ENOMEM, "no memory to split %zu frames", ds->n);
    }
    for (size_t i = 0; i < ds->n; i++) x[i] = (entry){ds->frame[i].group, i};
    qsort(x, ds->n, sizeof *x, by_group);
    for (size_t k = 0; k < ds->n; k++)
        leader[x[k].i] = k && !strcmp(x[k].group, x[k - 1].group) ? leader[x[k - 1].i] : x[k].i;
    *n_group = 0;
    for (size_t i = 0; i < ds->n; i++) of[i] = leader[i] == i ? (*n_group)++ : of[leader[i]];
    mlk_free(x);
    mlk_free(leader);
    return MLK_OK;
}

/* Few groups: cut each into blocks of consecutive frames, of[i] becomes the block. */
static size_t number_blocks(const mlk_dataset *ds, size_t *of, size_t n_group)
{
    size_t len = (ds->n + BLOCKS - 1) / BLOCKS, n_block = 0;
    for (size_t g = 0; g < n_group; g++) {
        size_t in = 0;
        for (size_t i = 0; i < ds->n; i++) {
            if (of[i] != g) continue;
            if (in++ % len == 0) n_block++;
            of[i] = n_group + n_block - 1; /* beyond the group numbers: not met again */
        }
    }
    for (size_t i = 0; i < ds->n; i++) of[i] -= n_group;
    return n_block;
}

/* Draw units until about `want` frames are chosen; u is in order of temperature. */
static size_t draw(unit *u, size_t n_unit, size_t total, double want, mlk_rng *g)
{
    size_t chosen = 0, seen = 0,
           m = (size_t)fmax(1, floor(want / ((double)total / (double)n_unit) + 0.5));
    size_t k = 0;
    for (size_t stratum = 1; stratum <= m; stratum++) {
        size_t first = k;
        while (k < n_unit &&
               (double)(seen + u[k].n) <= (double)total * (double)stratum / (double)m + 0.5)
            seen += u[k++].n;
        if (stratum == m) k = n_unit;
        if (k == first) continue;
        double target = want * (double)stratum / (double)m;
        /* the first of a random order that does not overshoot by more than half of itself */
        size_t start = mlk_rng_below(g, k - first);
        for (size_t j = 0; j < k - first; j++) {
            unit *c = &u[first + (start + j) % (k - first)];
            if ((double)chosen + 0.5 * (double)c->n > target + 1e-9 && chosen) continue;
            c->chosen = 1;
            chosen += c->n;
            break;
        }
    }
    return chosen;
}

static mlk_status split_units(mlk_dataset *ds, const size_t *of, size_t n_unit, double fraction,
                              uint64_t seed, mlk_err *e)
{
    unit *u = mlk_alloc(n_unit, sizeof *u);
    size_t *place = mlk_alloc(n_unit, sizeof *place);
    mlk_rng g = mlk_rng_make(seed, 0x5b117);
    if (!u || !place) {
        mlk_free(u);
        mlk_free(place);
        return MLK_FAIL(e, MLK_ENOMEM, "no memory to split %zu frames", ds->n);
    }
    for (size_t i = 0; i < ds->n; i++) {
        unit *q = &u[of[i]];
        if (!q->n) q->first = i;
        q->n++;
        q->t += ds->frame[i].temperature;
    }
    for (size_t k = 0; k < n_unit; k++) {
        u[k].t = isfinite(u[k].t) ? u[k].t / (double)u[k].n : INFINITY;
        u[k].key = mlk_rng_u64(&g);
    }
    qsort(u, n_unit, sizeof *u, by_temperature);
    if (draw(u, n_unit, ds->n, fraction * (double)ds->n, &g) == ds->n)
        u[mlk_rng_below(&g, n_unit)].chosen = 0; /* something must be left to train on */
    for (size_t k = 0; k < n_unit; k++) place[of[u[k].first]] = k;
    for (size_t i = 0; i < ds->n; i++)
        ds->split[i] = u[place[of[i]]].chosen ? MLK_SPLIT_VALID : MLK_SPLIT_TRAIN;
    mlk_free(u);
    mlk_free(place);
    return MLK_OK;
}

mlk_status mlk_dataset_split(mlk_dataset *ds, double fraction, uint64_t seed, int again, mlk_err *e)
{
    if (!(fraction >= 0 && fraction < 1))
        return MLK_FAIL(e, MLK_EINVAL, "the validation fraction must be in [0,1), not %g",
                        fraction);
    if (!again)
        for (size_t i = 0; i < ds->n; i++)
            if (ds->split[i] != MLK_SPLIT_TRAIN) return MLK_OK;
    for (size_t i = 0; i < ds->n; i++) ds->split[i] = MLK_SPLIT_TRAIN;
    if (ds->n < 2 || fraction == 0) {
        if (fraction > 0)
            mlk_log(MLK_LOG_WARN, "%zu frame%s: too few for a validation set", ds->n,
                    ds->n == 1 ? "" : "s");
        return MLK_OK;
    }
    size_t *of = mlk_alloc(ds->n, sizeof *of), n_unit = 0;
    if (!of) return MLK_FAIL(e, MLK_ENOMEM, "no memory to split %zu frames", ds->n);
    mlk_status s = number_groups(ds, of, &n_unit, e);
    if (!s && n_unit < GROUPS_MIN) {
        mlk_log(
            MLK_LOG_WARN,
            "only %zu trajectory group%s: split by blocks of consecutive frames; validation errors "
            "will look better than on new runs",
            n_unit, n_unit == 1 ? "" : "s");
        n_unit = number_blocks(ds, of, n_unit);
    }
    if (!s) s = split_units(ds, of, n_unit, fraction, seed, e);
    mlk_free(of);
    return s;
}
