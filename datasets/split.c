/* split.c - see split.h. Frames of one run resemble each other, so a random split of frames
 * flatters a model; by default whole trajectory groups go to one side. The groups are put in order
 * of temperature and cut into strata of equal frame count; one group of each stratum is drawn, so
 * that the validation set covers the temperature range of the data. Every way of splitting ends in
 * units (groups, blocks of consecutive frames, equal structures) that go to one side as a whole. */
#include "datasets/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/neigh.h"
#include "core/number.h"
#include "core/rng.h"
#include "datasets/framehash.h"

enum { GROUPS_MIN = 5, BLOCKS = 20 };

typedef struct unit { /* a group, or a block of consecutive frames: goes to one side as a whole */
    size_t n;         /* frames                               */
    double t;         /* mean temperature, INFINITY unknown   */
    double error;     /* standard error of t                  */
    size_t first;     /* first frame: order of appearance     */
    uint64_t key;     /* random order among equals            */
    int part;         /* MLK_SPLIT_*                          */
    bool edge;        /* never validates: see mark_edges      */
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

/* Frames of equal structure: of[i] is the set that frame i belongs to. */
typedef struct twin {
    uint64_t hash;
    size_t i;
} twin;

static int by_hash(const void *a, const void *b)
{
    const twin *p = a, *q = b;
    if (p->hash != q->hash) return p->hash < q->hash ? -1 : 1;
    return (p->i > q->i) - (p->i < q->i);
}

static mlk_status number_structures(const mlk_dataset *ds, size_t *of, size_t *n_set, mlk_err *e)
{
    twin *x = mlk_alloc(ds->n, sizeof *x);
    if (!x) return MLK_FAIL(e, MLK_ENOMEM, "no memory to split %zu frames", ds->n);
    for (size_t i = 0; i < ds->n; i++) x[i] = (twin){mlk_hash_structure(&ds->frame[i]), i};
    qsort(x, ds->n, sizeof *x, by_hash);
    for (size_t k = 0; k < ds->n; k++) /* the first frame of its kind, then renumbered */
        of[x[k].i] = k && x[k].hash == x[k - 1].hash ? of[x[k - 1].i] : x[k].i;
    *n_set = 0;
    for (size_t i = 0; i < ds->n; i++) of[i] = of[i] == i ? (*n_set)++ : of[of[i]];
    mlk_free(x);
    return MLK_OK;
}

/* Draw units until about `want` of their `total` frames are chosen for part; u is in order of
 * temperature. Returns the number of frames. */
static size_t draw(unit *u, size_t n_unit, size_t total, double want, int part, mlk_rng *g)
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
            if ((c->edge && part == MLK_SPLIT_VALID) ||
                ((double)chosen + 0.5 * (double)c->n > target + 1e-9 && chosen))
                continue;
            c->part = part;
            chosen += c->n;
            break;
        }
    }
    return chosen;
}

/* Bring the units that still train to the front, keeping the order of each side; how many. */
static size_t train_first(unit *u, size_t n, unit *spare)
{
    size_t front = 0, back = 0;
    for (size_t k = 0; k < n; k++) {
        if (u[k].part == MLK_SPLIT_TRAIN)
            u[front++] = u[k];
        else
            spare[back++] = u[k];
    }
    memcpy(u + front, spare, back * sizeof *u);
    return front;
}

/* One part by the strata of draw(), from the units that are left; something is left to train. */
static mlk_status draw_part(unit *u, size_t n_unit, double want, int part, mlk_rng *g, mlk_err *e)
{
    unit *spare = mlk_alloc(n_unit, sizeof *spare);
    if (!spare) return MLK_FAIL(e, MLK_ENOMEM, "no memory to split %zu groups", n_unit);
    size_t n = train_first(u, n_unit, spare), total = 0;
    mlk_free(spare);
    for (size_t k = 0; k < n; k++) total += u[k].n;
    if (n < 2) {
        mlk_log(MLK_LOG_WARN, "too few trajectory groups for a %s set",
                part == MLK_SPLIT_TEST ? "test" : "validation");
    } else if (draw(u, n, total, want, part, g) == total) {
        u[mlk_rng_below(g, n)].part = MLK_SPLIT_TRAIN;
    }
    return MLK_OK;
}

static void shuffle(unit *u, size_t n, mlk_rng *g)
{
    for (size_t k = n; k > 1; k--) {
        size_t j = mlk_rng_below(g, k);
        unit t = u[k - 1];
        u[k - 1] = u[j];
        u[j] = t;
    }
}

/* Units in random order: the first ones validate, the next ones test; the last one trains. */
static void split_random(unit *u, size_t n_unit, const double want[3], mlk_rng *g)
{
    size_t k = 0;
    mlk_log(MLK_LOG_WARN,
            "random split: frames of one run are alike, so errors on the held out frames will look "
            "better than on new runs; --by group measures those");
    shuffle(u, n_unit, g);
    for (int part = MLK_SPLIT_VALID; part <= MLK_SPLIT_TEST; part++) {
        size_t chosen = 0;
        while (want[part] > 0 && k + 1 < n_unit &&
               (!chosen || (double)chosen + 0.5 * (double)u[k].n <= want[part])) {
            u[k].part = part;
            chosen += u[k++].n;
        }
    }
}

/* ---- by temperature ---- */

mlk_status mlk_hold_parse(const char *text, mlk_hold *h, mlk_err *e)
{
    memset(h, 0, sizeof *h);
    h->what = !strcmp(text, "highest")  ? MLK_HOLD_HIGHEST
              : !strcmp(text, "lowest") ? MLK_HOLD_LOWEST
                                        : MLK_HOLD_RANGES;
    if (h->what != MLK_HOLD_RANGES) return MLK_OK;
    for (const char *p = text; h->n < MLK_HOLD_MAX; p++) {
        char side[2][64] = {"", ""};
        size_t n = strcspn(p, ","), first = strcspn(p, ":,");
        const char *from = side[0], *to = side[1];
        if (p[first] != ':' || n == 1 || first > 60 || n - first > 60) break;
        memcpy(side[0], p, first);
        memcpy(side[1], p + first + 1, n - first - 1);
        double *lo = &h->lo[h->n], *hi = &h->hi[h->n];
        *lo = 0;
        *hi = INFINITY;
        if ((*from && (!mlk_number(&from, lo) || *from)) ||
            (*to && (!mlk_number(&to, hi) || *to)) || !(*lo >= 0 && *lo <= *hi))
            break;
        h->n++;
        p += n;
        if (!*p) return MLK_OK;
    }
    MLK_FAIL(e, MLK_EINVAL, "not a range of temperatures: '%s'", text);
    return mlk_err_hint(e, "highest, lowest, or ranges in K such as 1000:1200 or :350,1400:");
}

static bool in_ranges(const mlk_hold *h, double t)
{
    for (int k = 0; k < h->n; k++)
        if (t >= h->lo[k] && t <= h->hi[k]) return true;
    return false;
}

/* Are the temperatures of two units really different? Their means fluctuate; 1 % is below any step
 * that a study makes. a is the colder one. */
static bool apart(const unit *a, const unit *b)
{
    return b->t - a->t > fmax(0.01 * b->t, 3 * hypot(a->error, b->error));
}

/* Units [*lo, *hi) still train, in order of temperature: hold out about `want` frames from one end,
 * cutting where the temperature makes a step if it makes any. */
static void hold_end(unit *u, size_t *lo, size_t *hi, int what, double want, int part)
{
    size_t best = 0, best_clean = 0;
    double miss = INFINITY, miss_clean = INFINITY, held = 0;
    for (size_t m = 1; m < *hi - *lo; m++) { /* m units held */
        size_t cut = what == MLK_HOLD_HIGHEST ? *hi - m : *lo + m;
        held += (double)u[what == MLK_HOLD_HIGHEST ? cut : cut - 1].n;
        if (fabs(held - want) < miss) miss = fabs(held - want), best = cut;
        if (apart(&u[cut - 1], &u[cut]) && fabs(held - want) < miss_clean)
            miss_clean = fabs(held - want), best_clean = cut;
    }
    size_t cut = best_clean ? best_clean : best;
    if (!cut) {
        mlk_log(MLK_LOG_WARN, "too few temperatures for a %s set",
                part == MLK_SPLIT_TEST ? "test" : "validation");
        return;
    }
    if (!best_clean)
        mlk_log(MLK_LOG_WARN,
                "the temperatures have no gap to cut at: the nearest ones of both sides are %.0f "
                "and %.0f K",
                u[cut - 1].t, u[cut].t);
    if (what == MLK_HOLD_HIGHEST)
        for (; *hi > cut; --*hi) u[*hi - 1].part = part;
    else
        for (; *lo < cut; ++*lo) u[*lo].part = part;
}

static mlk_status hold_ranges(unit *u, size_t n, const mlk_hold *h, int part, mlk_err *e)
{
    size_t found = 0;
    for (size_t k = 0; k < n; k++) {
        if (!in_ranges(h, u[k].t)) continue;
        if (u[k].part != MLK_SPLIT_TRAIN)
            return MLK_FAIL(e, MLK_EINVAL,
                            "the temperatures of validation and test overlap at %.0f K", u[k].t);
        u[k].part = part;
        found++;
    }
    if (found) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "no trajectory group has its mean temperature in the range for %s",
             part == MLK_SPLIT_TEST ? "test" : "validation");
    return mlk_err_hint(e, "the data are at %.0f to %.0f K; 'mlkit dataset info' lists them",
                        u[0].t, u[n - 1].t);
}

static mlk_status split_temperature(unit *u, size_t n_unit, const mlk_split_plan *p,
                                    const double want[3], mlk_err *e)
{
    const mlk_hold *hold[3] = {NULL, &p->hold, &p->hold_test};
    size_t n = 0, lo = 0, unknown = 0;
    while (n < n_unit && isfinite(u[n].t)) n++;
    for (size_t k = n; k < n_unit; k++) unknown += u[k].n;
    if (!n) return MLK_FAIL(e, MLK_EINVAL, "no frame has a temperature to split by");
    if (unknown)
        mlk_log(MLK_LOG_WARN, "%zu frames of unknown temperature are for training", unknown);
    if (!apart(&u[0], &u[n - 1]) && !unknown) {
        MLK_FAIL(e, MLK_EINVAL, "all groups have the same temperature, %.0f K", u[0].t);
        return mlk_err_hint(e, "split by group");
    }
    size_t hi = n;
    for (int part = MLK_SPLIT_VALID; part <= MLK_SPLIT_TEST; part++) /* ranges first: they are */
        if (hold[part]->what == MLK_HOLD_RANGES)                     /* what the user named    */
            MLK_TRY(hold_ranges(u, n, hold[part], part, e));
    for (int part = MLK_SPLIT_VALID; part <= MLK_SPLIT_TEST; part++) {
        while (hi > lo && u[hi - 1].part) hi--;
        while (lo < hi && u[lo].part) lo++;
        if (hold[part]->what != MLK_HOLD_RANGES && want[part] > 0)
            hold_end(u, &lo, &hi, hold[part]->what, want[part], part);
    }
    size_t left = unknown;
    for (size_t k = 0; k < n; k++) left += u[k].part == MLK_SPLIT_TRAIN ? u[k].n : 0;
    return left ? MLK_OK : MLK_FAIL(e, MLK_EINVAL, "nothing is left for training");
}

/* ---- all ways ---- */

/* Mean temperature of each unit, its error, and where the unit begins; in order of temperature. */
static void measure(const mlk_dataset *ds, const size_t *of, unit *u, size_t n_unit, mlk_rng *g)
{
    for (size_t i = 0; i < ds->n; i++) {
        unit *q = &u[of[i]];
        if (!q->n) q->first = i;
        q->n++;
        q->t += ds->frame[i].temperature;
    }
    for (size_t k = 0; k < n_unit; k++) {
        u[k].t = isfinite(u[k].t) ? u[k].t / (double)u[k].n : INFINITY;
        u[k].key = mlk_rng_u64(g);
    }
    for (size_t i = 0; i < ds->n; i++) {
        unit *q = &u[of[i]];
        double d = ds->frame[i].temperature - q->t;
        if (isfinite(q->t)) q->error += d * d;
    }
    for (size_t k = 0; k < n_unit; k++)
        u[k].error = u[k].n > 1 ? sqrt(u[k].error / (double)(u[k].n - 1) / (double)u[k].n) : 0;
    qsort(u, n_unit, sizeof *u, by_temperature);
}

/* The square of the shortest distance of every pair of elements [A^2], and the frame it is in. */
enum { PAIRS = (MLK_ELEMENT_MAX + 1) * (MLK_ELEMENT_MAX + 2) / 2 };
typedef struct contacts {
    double r2[PAIRS]; /* of atomic numbers a <= b at b(b+1)/2 + a */
    size_t frame[PAIRS];
} contacts;

static mlk_status find_contacts(const mlk_dataset *ds, contacts *c, mlk_err *e)
{
    const double cutoff = 5; /* A: pairs that meet only beyond it do not matter */
    mlk_neigh nl = {0};
    mlk_status s = MLK_OK;
    for (size_t k = 0; k < PAIRS; k++) c->r2[k] = INFINITY;
    for (size_t f = 0; f < ds->n && !s; f++) {
        const mlk_frame *fr = &ds->frame[f];
        s = mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, cutoff, &nl, e);
        if (s) mlk_err_at(e, fr->source, fr->line);
        for (size_t i = 0; i < nl.n && !s; i++)
            for (size_t k = nl.start[i]; k < nl.start[i + 1]; k++) {
                double r2 =
                    nl.r[0][k] * nl.r[0][k] + nl.r[1][k] * nl.r[1][k] + nl.r[2][k] * nl.r[2][k];
                size_t a = (size_t)fr->z[i], b = (size_t)fr->z[nl.j[k]];
                size_t pair = a < b ? b * (b + 1) / 2 + a : a * (a + 1) / 2 + b;
                if (r2 < c->r2[pair]) c->r2[pair] = r2, c->frame[pair] = f;
            }
    }
    mlk_neigh_free(&nl);
    return s;
}

/* Groups with the shortest distance of a pair of elements never validate: what a model does at a
 * contact it has not seen is chance, and a run that meets one falls into a hole (docs/THEORY.md,
 * section 11). Not where that would bind a third of the groups. */
static mlk_status mark_edges(const mlk_dataset *ds, const size_t *of, unit *u, size_t n_unit,
                             mlk_err *e)
{
    contacts *c = mlk_alloc(1, sizeof *c);
    size_t n = 0;
    if (!c) return MLK_FAIL(e, MLK_ENOMEM, "shortest distances");
    mlk_status s = find_contacts(ds, c, e);
    for (size_t p = 0; p < PAIRS && !s; p++)
        for (size_t k = 0; k < n_unit && isfinite(c->r2[p]); k++)
            u[k].edge |= of[u[k].first] == of[c->frame[p]];
    mlk_free(c);
    for (size_t k = 0; k < n_unit; k++) n += u[k].edge;
    for (size_t k = 0; k < n_unit && 3 * n > n_unit; k++) u[k].edge = false;
    return s;
}

static mlk_status split_units(mlk_dataset *ds, const size_t *of, size_t n_unit,
                              const mlk_split_plan *p, bool groups, mlk_err *e)
{
    const double n = (double)ds->n, want[3] = {0, p->valid * n, p->test * n};
    unit *u = mlk_alloc(n_unit, sizeof *u);
    size_t *place = mlk_alloc(n_unit, sizeof *place);
    mlk_rng g = mlk_rng_make(p->seed, 0x5b117);
    mlk_status s = MLK_OK;
    if (!u || !place) s = MLK_FAIL(e, MLK_ENOMEM, "no memory to split %zu frames", ds->n);
    if (!s) measure(ds, of, u, n_unit, &g);
    if (!s && groups && p->valid > 0) s = mark_edges(ds, of, u, n_unit, e);
    if (!s && p->by == MLK_SPLIT_BY_TEMPERATURE) {
        s = split_temperature(u, n_unit, p, want, e);
    } else if (!s && p->by == MLK_SPLIT_BY_RANDOM) {
        split_random(u, n_unit, want, &g);
    } else if (!s) {
        if (p->valid > 0) s = draw_part(u, n_unit, want[1], MLK_SPLIT_VALID, &g, e);
        if (!s && p->test > 0) s = draw_part(u, n_unit, want[2], MLK_SPLIT_TEST, &g, e);
    }
    for (size_t k = 0; k < n_unit && !s; k++) place[of[u[k].first]] = k;
    for (size_t i = 0; i < ds->n && !s; i++) ds->split[i] = u[place[of[i]]].part;
    mlk_free(u);
    mlk_free(place);
    return s;
}

/* Have all groups the same temperature? Then a split by temperature looks at blocks of frames. */
static mlk_status one_temperature(const mlk_dataset *ds, const size_t *of, size_t n_unit, bool *one,
                                  mlk_err *e)
{
    unit *u = mlk_alloc(n_unit, sizeof *u);
    mlk_rng g = mlk_rng_make(0, 0);
    if (!u) return MLK_FAIL(e, MLK_ENOMEM, "no memory to split %zu frames", ds->n);
    measure(ds, of, u, n_unit, &g);
    size_t n = n_unit;
    while (n > 0 && !isfinite(u[n - 1].t)) n--;
    *one = n == n_unit && !apart(&u[0], &u[n - 1]);
    mlk_free(u);
    return MLK_OK;
}

/* groups: the units are whole trajectory groups. */
static mlk_status number_units(const mlk_dataset *ds, mlk_split_by by, size_t *of, size_t *n_unit,
                               bool *groups, mlk_err *e)
{
    bool blocks = false;
    *groups = false;
    if (by == MLK_SPLIT_BY_RANDOM) return number_structures(ds, of, n_unit, e);
    MLK_TRY(number_groups(ds, of, n_unit, e));
    if (by == MLK_SPLIT_BY_TEMPERATURE)
        MLK_TRY(one_temperature(ds, of, *n_unit, &blocks, e));
    else
        blocks = *n_unit < GROUPS_MIN;
    *groups = !blocks;
    if (!blocks) return MLK_OK;
    mlk_log(MLK_LOG_WARN,
            "%s %zu trajectory group%s%s: split by blocks of consecutive frames; validation errors "
            "will look better than on new runs",
            by == MLK_SPLIT_BY_TEMPERATURE ? "one temperature in" : "only", *n_unit,
            *n_unit == 1 ? "" : "s", by == MLK_SPLIT_BY_TEMPERATURE ? " on average" : "");
    *n_unit = number_blocks(ds, of, *n_unit);
    return MLK_OK;
}

mlk_status mlk_dataset_split_by(mlk_dataset *ds, const mlk_split_plan *p, mlk_err *e)
{
    if (!(p->valid >= 0 && p->valid < 1))
        return MLK_FAIL(e, MLK_EINVAL, "the validation fraction must be in [0,1), not %g",
                        p->valid);
    if (!(p->test >= 0 && p->test + p->valid < 1))
        return MLK_FAIL(e, MLK_EINVAL,
                        "the fractions of validation and test must be below 1 together, not %g and "
                        "%g",
                        p->valid, p->test);
    bool ranges = p->by == MLK_SPLIT_BY_TEMPERATURE &&
                  (p->hold.what == MLK_HOLD_RANGES || p->hold_test.what == MLK_HOLD_RANGES);
    bool asked = p->valid > 0 || p->test > 0 || ranges;
    for (size_t i = 0; i < ds->n; i++) ds->split[i] = MLK_SPLIT_TRAIN;
    if (ds->n < 2 && asked)
        mlk_log(MLK_LOG_WARN, "%zu frame%s: too few for a validation set", ds->n,
                ds->n == 1 ? "" : "s");
    if (ds->n < 2 || !asked) return MLK_OK;
    size_t *of = mlk_alloc(ds->n, sizeof *of), n_unit = 0;
    if (!of) return MLK_FAIL(e, MLK_ENOMEM, "no memory to split %zu frames", ds->n);
    bool groups;
    mlk_status s = number_units(ds, p->by, of, &n_unit, &groups, e);
    if (!s) s = split_units(ds, of, n_unit, p, groups, e);
    mlk_free(of);
    return s;
}

int mlk_dataset_is_split(const mlk_dataset *ds)
{
    for (size_t i = 0; i < ds->n; i++)
        if (ds->split[i] != MLK_SPLIT_TRAIN) return 1;
    return 0;
}

mlk_status mlk_dataset_split(mlk_dataset *ds, double fraction, uint64_t seed, int again, mlk_err *e)
{
    const mlk_split_plan p = {.by = MLK_SPLIT_BY_GROUP, .valid = fraction, .seed = seed};
    if (!again && fraction >= 0 && fraction < 1 && mlk_dataset_is_split(ds)) return MLK_OK;
    return mlk_dataset_split_by(ds, &p, e);
}

mlk_status mlk_dataset_holds_groups(const mlk_dataset *ds, bool *whole, mlk_err *e)
{
    size_t *of = mlk_alloc(ds->n ? ds->n : 1, sizeof *of),
           *first = mlk_alloc(ds->n ? ds->n : 1, sizeof *first), n = 0;
    mlk_status s = of && first ? number_groups(ds, of, &n, e) : MLK_FAIL(e, MLK_ENOMEM, "groups");
    *whole = n >= GROUPS_MIN || mlk_dataset_is_split(ds);
    for (size_t i = ds->n; !s && i-- > 0;) first[of[i]] = i;
    for (size_t i = 0; !s && i < ds->n; i++) *whole &= ds->split[i] == ds->split[first[of[i]]];
    mlk_free(of), mlk_free(first);
    return s;
}
