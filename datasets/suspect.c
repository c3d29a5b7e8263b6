/* suspect.c - see suspect.h. Thresholds are wide on purpose: real data sets hold rare hard
 * collisions that teach the repulsive core; a finding asks for a look, no more. */
#include "datasets/suspect.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static const struct {
    const char *name, *unit, *text;
    mlk_advice advice;
} kinds[MLK_SUSPECT_COUNT] = {
    [MLK_SUSPECT_NO_ENERGY] = {"no_energy", "", "no energy: cannot be trained on", MLK_ADVICE_DROP},
    [MLK_SUSPECT_NO_FORCE] = {"no_forces", "", "no forces: cannot be trained on", MLK_ADVICE_DROP},
    [MLK_SUSPECT_NO_STRESS] = {"no_stress", "", "no stress: gives no virial to train on",
                               MLK_ADVICE_KEEP},
    [MLK_SUSPECT_UNCONVERGED] = {"unconverged_scf", "",
                                 "SCF stopped at its limit: left out of training", MLK_ADVICE_DROP},
    [MLK_SUSPECT_DUPLICATE] = {"duplicate", "", "the same structure again: counts twice in a fit",
                               MLK_ADVICE_DROP},
    [MLK_SUSPECT_CONTRADICTION] = {"contradiction", "eV",
                                   "the same structure with other labels: settings were mixed",
                                   MLK_ADVICE_LOOK},
    [MLK_SUSPECT_FORCE] = {"force_outlier", "eV/A", "force far above those of the set",
                           MLK_ADVICE_LOOK},
    [MLK_SUSPECT_NET_FORCE] = {"net_force", "eV/A", "forces do not add up to zero",
                               MLK_ADVICE_LOOK},
    [MLK_SUSPECT_ENERGY] =
        {"energy_outlier", "eV/atom",
         "energy far from the median of its formula: other settings, wrong kind?", MLK_ADVICE_LOOK},
    [MLK_SUSPECT_CLOSE] = {"close_atoms", "A", "two atoms nearer than 0.5 A", MLK_ADVICE_DROP},
    [MLK_SUSPECT_NO_LABEL] = {"uncomputed", "", "an image that belongs to no computed step",
                              MLK_ADVICE_DROP},
    [MLK_SUSPECT_TWIN] = {"twin", "meV",
                          "the same up to symmetry, origin and order of atoms: counts twice",
                          MLK_ADVICE_DROP},
    [MLK_SUSPECT_LEAK] = {"leak", "meV", "test frame with a twin in the data: tests nothing",
                          MLK_ADVICE_DROP},
    [MLK_SUSPECT_TEST_TWIN] = {"twin_in_test", "meV", "twins within the test set", MLK_ADVICE_KEEP},
    [MLK_SUSPECT_PAIR] = {"close_pair", "A", "atoms nearer than 0.6 of their covalent radii",
                          MLK_ADVICE_LOOK},
    [MLK_SUSPECT_HANDED] = {"left_handed", "A^3", "left-handed lattice vectors: read as they stand",
                            MLK_ADVICE_KEEP},
    [MLK_SUSPECT_VACUUM] = {"vacuum", "A", "empty layer: stress depends on the cell chosen",
                            MLK_ADVICE_KEEP},
    [MLK_SUSPECT_RUNS] = {"further_run", "", "a further run in the same file: same settings?",
                          MLK_ADVICE_LOOK},
    [MLK_SUSPECT_ENERGY_KIND] = {"mixed_energy", "",
                                 "free energies and energies of unstated kind in one set",
                                 MLK_ADVICE_LOOK},
    [MLK_SUSPECT_SMEARING] = {"smearing", "meV/atom", "free energy far from E(sigma->0)",
                              MLK_ADVICE_KEEP},
    [MLK_SUSPECT_THEORY] = {"theory", "", "several levels of theory in one set", MLK_ADVICE_LOOK},
    [MLK_SUSPECT_OFFSET] = {"energy_offset", "meV/atom",
                            "energies shifted against the other files: other settings?",
                            MLK_ADVICE_LOOK},
    [MLK_SUSPECT_STRESS] = {"stress", "GPa", "stress contradicts the energies", MLK_ADVICE_LOOK},
    [MLK_SUSPECT_RAW_STRESS] = {"raw_stress", "GPa",
                                "stress-like numbers of unknown meaning, not read",
                                MLK_ADVICE_LOOK},
};

const char *mlk_suspect_name(mlk_suspect_kind kind)
{
    return kinds[kind].name;
}

const char *mlk_suspect_text(mlk_suspect_kind kind)
{
    return kinds[kind].text;
}

const char *mlk_suspect_unit(mlk_suspect_kind kind)
{
    return kinds[kind].unit;
}

mlk_advice mlk_suspect_advice(mlk_suspect_kind kind)
{
    return kinds[kind].advice;
}

mlk_suspect_kind mlk_suspect_find(const char *name)
{
    size_t k = 0;
    while (k < MLK_SUSPECT_COUNT && strcmp(kinds[k].name, name)) k++;
    return (mlk_suspect_kind)k;
}

void mlk_suspects_free(mlk_suspects *s)
{
    mlk_free(s->item);
    memset(s, 0, sizeof *s);
}

static mlk_status add(mlk_suspects *s, mlk_suspect_kind kind, size_t frame, size_t other,
                      double value, mlk_err *e)
{
    mlk_suspect it = {.kind = kind, .frame = frame, .other = other, .value = value};
    MLK_TRY(MLK_GROW(s->item, s->cap, s->n + 1, e));
    s->item[s->n++] = it;
    s->count[kind]++;
    return MLK_OK;
}

mlk_status mlk_suspects_add(mlk_suspects *s, mlk_suspect it, mlk_err *e, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(it.note, sizeof it.note, fmt, args);
    va_end(args);
    MLK_TRY(MLK_GROW(s->item, s->cap, s->n + 1, e));
    s->item[s->n++] = it;
    s->count[it.kind]++;
    return MLK_OK;
}

static double norm(const double v[3])
{
    return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

static mlk_status look_at_forces(mlk_suspects *s, const mlk_frame *fr, size_t i, mlk_err *e)
{
    double net[3] = {0}, sum = 0, most = 0;
    for (size_t a = 0; a < fr->n; a++) {
        double f = norm(fr->f[a]);
        for (int k = 0; k < 3; k++) net[k] += fr->f[a][k];
        sum += f;
        most = fmax(most, f);
    }
    if (most > 10 * s->force_rms && s->force_rms > 0)
        MLK_TRY(add(s, MLK_SUSPECT_FORCE, i, i, most, e));
    if (norm(net) > 0.1 && norm(net) > 0.01 * sum)
        MLK_TRY(add(s, MLK_SUSPECT_NET_FORCE, i, i, norm(net), e));
    return MLK_OK;
}

typedef struct slice {
    double s[3]; /* fractional, wrapped into [0,1) */
} slice;

static int by_first(const void *a, const void *b)
{
    const slice *p = a, *q = b;
    return (p->s[0] > q->s[0]) - (p->s[0] < q->s[0]);
}

/* Nearest pair within NEAR by a sweep along the first lattice vector; nearest images only, which is
 * exact for cells higher than 2 NEAR. Serial: it is far too little work for threads. */
static mlk_status look_at_distances(mlk_suspects *s, const mlk_frame *fr, size_t i, slice **buf,
                                    size_t *cap, mlk_err *e)
{
    static const double NEAR = 0.5;
    const mlk_cell *c = &fr->cell;
    if (!(fr->has & MLK_HAS_CELL)) return MLK_OK;
    MLK_TRY(MLK_GROW(*buf, *cap, fr->n, e));
    slice *q = *buf;
    for (size_t a = 0; a < fr->n; a++) {
        mlk_cell_frac(c, fr->x[a], q[a].s);
        for (int k = 0; k < 3; k++)
            if (c->pbc[k]) q[a].s[k] -= floor(q[a].s[k]);
    }
    qsort(q, fr->n, sizeof *q, by_first);
    double least = INFINITY, window = NEAR / c->height[0];
    for (size_t a = 0; a < fr->n; a++)
        for (size_t m = 1; m < fr->n; m++) {
            size_t b = (a + m) % fr->n;
            double d[3], r[3], ahead = q[b].s[0] - q[a].s[0] + (b < a);
            if (ahead > window) break;
            for (int k = 0; k < 3; k++) {
                d[k] = q[b].s[k] - q[a].s[k];
                if (c->pbc[k]) d[k] -= round(d[k]);
            }
            mlk_cell_cart(c, d, r);
            least = fmin(least, norm(r));
        }
    return least < NEAR ? add(s, MLK_SUSPECT_CLOSE, i, i, least, e) : MLK_OK;
}

/* FNV-1a, 64 bits. */
static uint64_t hash(uint64_t h, const void *p, size_t n)
{
    for (const unsigned char *c = p; n--; c++) h = (h ^ *c) * 1099511628211u;
    return h;
}

typedef struct key {
    uint64_t hash;
    size_t i;
    double v;
} key;

static int by_hash(const void *a, const void *b)
{
    const key *p = a, *q = b;
    return p->hash != q->hash ? (p->hash < q->hash ? -1 : 1) : (p->i > q->i) - (p->i < q->i);
}

static int by_hash_value(const void *a, const void *b)
{
    const key *p = a, *q = b;
    if (p->hash != q->hash) return p->hash < q->hash ? -1 : 1;
    return p->v != q->v ? (p->v < q->v ? -1 : 1) : (p->i > q->i) - (p->i < q->i);
}

static bool same_structure(const mlk_frame *a, const mlk_frame *b)
{
    return a->n == b->n && !memcmp(a->cell.h, b->cell.h, sizeof a->cell.h) &&
           !memcmp(a->z, b->z, a->n * sizeof *a->z) && !memcmp(a->x, b->x, a->n * sizeof *a->x);
}

/* Largest difference of the labels that both have [eV]. */
static double label_difference(const mlk_frame *a, const mlk_frame *b)
{
    double d = 0;
    unsigned both = a->has & b->has;
    if (both & MLK_HAS_ENERGY) d = fabs(a->energy - b->energy);
    for (size_t i = 0; (both & MLK_HAS_FORCE) && i < a->n; i++)
        for (int k = 0; k < 3; k++) d = fmax(d, fabs(a->f[i][k] - b->f[i][k]));
    return d;
}

static mlk_status find_duplicates(const mlk_dataset *ds, mlk_suspects *s, key *k, mlk_err *e)
{
    for (size_t i = 0; i < ds->n; i++) {
        const mlk_frame *fr = &ds->frame[i];
        uint64_t h = hash(14695981039346656037u, fr->cell.h, sizeof fr->cell.h);
        h = hash(h, fr->z, fr->n * sizeof *fr->z);
        k[i] = (key){hash(h, fr->x, fr->n * sizeof *fr->x), i, 0};
    }
    qsort(k, ds->n, sizeof *k, by_hash);
    for (size_t i = 1; i < ds->n; i++)
        for (size_t j = i; j-- > 0 && k[j].hash == k[i].hash;) {
            const mlk_frame *a = &ds->frame[k[j].i], *b = &ds->frame[k[i].i];
            if (j > 0 && k[j - 1].hash == k[i].hash) continue; /* compare with the first */
            if (!same_structure(a, b)) continue;
            double d = label_difference(a, b);
            MLK_TRY(add(s, d > 1e-3 ? MLK_SUSPECT_CONTRADICTION : MLK_SUSPECT_DUPLICATE, k[i].i,
                        k[j].i, d, e));
        }
    return MLK_OK;
}

static uint64_t formula_hash(const mlk_frame *fr)
{
    uint32_t count[MLK_ELEMENT_MAX + 1] = {0};
    for (size_t i = 0; i < fr->n; i++) count[fr->z[i]]++;
    return hash(14695981039346656037u, count, sizeof count);
}

static int by_value(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Against median and median absolute deviation of the frames of the same formula. */
static mlk_status find_energies(const mlk_dataset *ds, mlk_suspects *s, key *k, mlk_err *e)
{
    size_t n = 0;
    for (size_t i = 0; i < ds->n; i++)
        if (ds->frame[i].has & MLK_HAS_ENERGY)
            k[n++] =
                (key){formula_hash(&ds->frame[i]), i, ds->frame[i].energy / (double)ds->frame[i].n};
    double *dev = mlk_alloc(n ? n : 1, sizeof *dev);
    if (!dev) return MLK_FAIL(e, MLK_ENOMEM, "no memory to compare energies");
    qsort(k, n, sizeof *k, by_hash_value);
    mlk_status st = MLK_OK;
    for (size_t i = 0, j; i < n && !st; i = j) {
        for (j = i; j < n && k[j].hash == k[i].hash;) j++;
        if (j - i < 8) continue;
        double median = k[i + (j - i) / 2].v;
        for (size_t m = i; m < j; m++) dev[m - i] = fabs(k[m].v - median);
        qsort(dev, j - i, sizeof *dev, by_value);
        double limit = fmax(0.1, 10 * 1.4826 * dev[(j - i) / 2]);
        for (size_t m = i; m < j && !st; m++)
            if (fabs(k[m].v - median) > limit)
                st = add(s, MLK_SUSPECT_ENERGY, k[m].i, k[m].i, k[m].v - median, e);
    }
    mlk_free(dev);
    return st;
}

static int by_kind(const void *a, const void *b)
{
    const mlk_suspect *p = a, *q = b;
    if (p->kind != q->kind) return p->kind < q->kind ? -1 : 1;
    return (p->frame > q->frame) - (p->frame < q->frame);
}

void mlk_suspects_sort(mlk_suspects *s)
{
    if (s->n) qsort(s->item, s->n, sizeof *s->item, by_kind);
}

mlk_status mlk_dataset_suspect(const mlk_dataset *ds, mlk_suspects *s, mlk_err *e)
{
    double sum = 0, count = 0;
    slice *buf = NULL;
    size_t cap = 0;
    mlk_status st = MLK_OK;
    memset(s, 0, sizeof *s);
    if (ds->n == 0) return MLK_OK;
    key *k = mlk_alloc(ds->n, sizeof *k);
    if (!k) return MLK_FAIL(e, MLK_ENOMEM, "no memory to look at %zu frames", ds->n);
    for (size_t i = 0; i < ds->n; i++) {
        const mlk_frame *fr = &ds->frame[i];
        for (size_t a = 0; (fr->has & MLK_HAS_FORCE) && a < fr->n; a++, count += 3)
            for (int c = 0; c < 3; c++) sum += fr->f[a][c] * fr->f[a][c];
    }
    s->force_rms = count > 0 ? sqrt(sum / count) : 0;
    for (size_t i = 0; i < ds->n && !st; i++) {
        const mlk_frame *fr = &ds->frame[i];
        if (!(fr->has & MLK_HAS_ENERGY)) st = add(s, MLK_SUSPECT_NO_ENERGY, i, i, 0, e);
        if (!st && !(fr->has & MLK_HAS_FORCE)) st = add(s, MLK_SUSPECT_NO_FORCE, i, i, 0, e);
        if (!st && !(fr->has & MLK_HAS_VIRIAL)) st = add(s, MLK_SUSPECT_NO_STRESS, i, i, 0, e);
        if (!st && fr->scf == MLK_SCF_UNCONVERGED) st = add(s, MLK_SUSPECT_UNCONVERGED, i, i, 0, e);
        if (!st && (fr->has & MLK_HAS_FORCE)) st = look_at_forces(s, fr, i, e);
        if (!st) st = look_at_distances(s, fr, i, &buf, &cap, e);
    }
    if (!st) st = find_duplicates(ds, s, k, e);
    if (!st) st = find_energies(ds, s, k, e);
    mlk_suspects_sort(s);
    mlk_free(buf);
    mlk_free(k);
    if (st) mlk_suspects_free(s);
    return st;
}
