/* consistency.c - see consistency.h. The model is a SNAP of modest size: it is not good, but its
 * virials belong to its energies and forces by construction, which is all that is asked. */
#include "train/consistency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/units.h"
#include "datasets/stress_reading.h"
#include "train/lsq.h"
#include "train/train.h"

#define OFFSET_FLOOR 3e-3 /* least energy offset worth a finding [eV/atom] */
#define FORCE_ONLY 0.01   /* weight of energies in the second model: see choose_models */
#define NOISE 0.5         /* least stress difference worth a finding [GPa] */
#define VOTE 12           /* variances between the best order of components and the next */
enum { BAD = 1, FAR = 2 };
enum {
    FRAMES_LEAST = 16,
    GROUPS_SHOWN = 12,
    PER_GROUP = 4,
    VALID_EVERY = 5,
    FAR_MOST = 300,
    ENOUGH = 8
};

typedef struct sample { /* the stress of one frame, stored and predicted */
    size_t frame;       /* in the set */
    double g[6], v;     /* as given; volume */
    double ref[6];      /* GPa */
    double other[6];    /* of the second model */
} sample;

typedef struct samples {
    sample *s;
    size_t n;
    bool raw;
} samples;

typedef struct work {
    const mlk_dataset *ds;
    mlk_dataset sub;    /* shallow: frames fitted to */
    size_t *index;      /* (sub.n) their numbers in ds */
    unsigned char *bad; /* (ds->n) not fitted to; FAR: energy outlier, predicted only */
    mlk_potential *pot, *second;
    mlk_prediction *pred, *pred_second;
    double f_rmse, e_rmse;
} work;

/* ---- choice of frames ---- */

static bool wanted(const work *w, size_t i)
{
    const unsigned need = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE;
    return (w->ds->frame[i].has & need) == need && w->bad[i] != BAD;
}

static void mark_bad(const mlk_check *c, unsigned char *bad)
{
    for (size_t k = 0; k < c->s.n; k++) {
        const mlk_suspect *it = &c->s.item[k];
        switch (it->kind) {
        case MLK_SUSPECT_UNCONVERGED:
        case MLK_SUSPECT_DUPLICATE:
        case MLK_SUSPECT_TWIN:
        case MLK_SUSPECT_CONTRADICTION:
        case MLK_SUSPECT_FORCE:
        case MLK_SUSPECT_NET_FORCE:
        case MLK_SUSPECT_CLOSE:
        case MLK_SUSPECT_PAIR:
            bad[it->frame] = BAD;
            break;
        case MLK_SUSPECT_ENERGY:
            if (!bad[it->frame]) bad[it->frame] = FAR;
            break;
        default:
            break;
        }
    }
}

typedef struct grouped {
    const char *group;
    size_t i;
} grouped;

static int by_group(const void *a, const void *b)
{
    const grouped *p = a, *q = b;
    int s = strcmp(p->group, q->group);
    return s ? s : (p->i > q->i) - (p->i < q->i);
}

static int by_index(const void *a, const void *b)
{
    size_t p = *(const size_t *)a, q = *(const size_t *)b;
    return (p > q) - (p < q);
}

/* Of every group the same share, evenly spaced, but at least `least` of each; shares below one
 * frame are carried on to the next group. */
static size_t pick(const work *w, const grouped *g, size_t n, double share, double least)
{
    size_t m = 0;
    double carried = 0;
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i; j < n && !strcmp(g[j].group, g[i].group);) j++;
        double want = fmax(share * (double)(j - i), least) + carried;
        size_t k = want < (double)(j - i) ? (size_t)want : j - i;
        carried = fmin(want - (double)k, 1);
        for (size_t q = 0; q < k; q++) w->index[m++] = g[i + q * (j - i) / k].i;
    }
    return m;
}

static mlk_status choose(work *w, size_t max_atoms, mlk_err *e)
{
    const mlk_dataset *ds = w->ds;
    grouped *g = mlk_alloc(ds->n + 1, sizeof *g);
    size_t n = 0, atoms = 0;
    w->index = mlk_alloc(ds->n + 1, sizeof *w->index);
    if (!g || !w->index) {
        mlk_free(g);
        return MLK_FAIL(e, MLK_ENOMEM, "no memory to choose among %zu frames", ds->n);
    }
    for (size_t i = 0; i < ds->n; i++) {
        if (!wanted(w, i) || w->bad[i] == FAR) continue;
        const mlk_frame *fr = &ds->frame[i];
        g[n++] = (grouped){fr->config_type[0] && !fr->group[0] ? fr->config_type : fr->group, i};
        atoms += fr->n;
    }
    qsort(g, n, sizeof *g, by_group);
    size_t groups = n > 0;
    for (size_t i = 1; i < n; i++) groups += strcmp(g[i].group, g[i - 1].group) != 0;
    double share = atoms > max_atoms ? (double)max_atoms / (double)atoms : 1;
    double least = fmin(PER_GROUP, share * (double)n / fmax((double)groups, 1));
    size_t m = pick(w, g, n, share, least);
    mlk_free(g);
    for (size_t i = 0, far = 0; i < ds->n && far < FAR_MOST; i++)
        if (wanted(w, i) && w->bad[i] == FAR) w->index[m++] = i, far++;
    qsort(w->index, m, sizeof *w->index, by_index);
    w->sub.frame = mlk_alloc(m + 1, sizeof *w->sub.frame);
    w->sub.split = mlk_alloc(m + 1, sizeof *w->sub.split);
    if (!w->sub.frame || !w->sub.split)
        return MLK_FAIL(e, MLK_ENOMEM, "no memory for %zu frames", m);
    w->sub.n = m;
    w->sub.n_species = ds->n_species;
    memcpy(w->sub.z, ds->z, sizeof ds->z);
    for (size_t k = 0; k < m; k++) {
        w->sub.frame[k] = ds->frame[w->index[k]]; /* borrowed: only the array is freed */
        w->sub.split[k] = w->bad[w->index[k]]    ? MLK_SPLIT_TEST
                          : k % VALID_EVERY == 3 ? MLK_SPLIT_VALID
                                                 : MLK_SPLIT_TRAIN;
    }
    return MLK_OK;
}

/* ---- fit ---- */

typedef struct model {
    const char *twojmax, *chem;
    double w_energy;
} model;

/* Two models. Files whose energies are shifted bend the first until it half follows them; the
 * second listens to the forces, so its energies do not. How far their stresses are apart tells how
 * sure the first can be. Explicit densities of every element describe compounds three times better,
 * where there are data for them: at least ten labels a parameter. Times: a few seconds on one core
 * for 9000 atoms. */
static void choose_models(size_t n_species, size_t rows, model *good, model *second)
{
    static const struct {
        const char *twojmax;
        size_t n_param;
    } chem[2] = {{"4", 226}, {"3", 651}};
    bool rich = n_species >= 2 && n_species <= 3 && rows >= 10 * chem[n_species - 2].n_param;
    *good = (model){n_species <= 2 ? "6" : "5", "false", 1};
    if (rich) *good = (model){chem[n_species - 2].twojmax, "true", 1};
    *second = *good;
    second->w_energy = FORCE_ONLY;
}

/* A model on the chosen frames, and its predictions. */
static mlk_status fit_one(const work *w, const model *m, mlk_potential **pot, mlk_prediction **pred,
                          mlk_err *e)
{
    const mlk_potential_type *type = mlk_potential_find("snap");
    mlk_lsq_config cfg = MLK_LSQ_DEFAULTS;
    mlk_lsq_result res;
    char note[512];
    if (!type) return MLK_FAIL(e, MLK_EBUG, "there is no snap model");
    cfg.w_virial = 0;
    cfg.w_energy = m->w_energy;
    MLK_TRY(mlk_potential_new(pot, type, e));
    MLK_TRY(mlk_opt_set(type->hyper, (*pot)->hyper, "twojmax", m->twojmax, e));
    MLK_TRY(mlk_opt_set(type->hyper, (*pot)->hyper, "chem", m->chem, e));
    MLK_TRY(mlk_potential_create(*pot, w->sub.n_species, w->sub.z, 1, e));
    MLK_TRY(mlk_fit_e0(*pot, &w->sub, "least-squares", note, sizeof note, e));
    MLK_TRY(mlk_lsq_fit(*pot, &w->sub, &cfg, &res, e));
    return mlk_predict(*pot, &w->sub, pred, e);
}

static mlk_status fit(work *w, size_t rows, mlk_err *e)
{
    model good, second;
    mlk_fit_errors er = {0};
    choose_models(w->ds->n_species, rows, &good, &second);
    MLK_TRY(fit_one(w, &good, &w->pot, &w->pred, e));
    MLK_TRY(fit_one(w, &second, &w->second, &w->pred_second, e));
    for (int split = MLK_SPLIT_TRAIN; split <= MLK_SPLIT_VALID; split++)
        mlk_errors_add(&w->sub, w->pred, split, &er);
    w->e_rmse = mlk_stat_rmse(&er.energy);
    w->f_rmse = mlk_stat_rmse(&er.force);
    return MLK_OK;
}

/* ---- stress ---- */

static double score(const mlk_reading *r, const void *user)
{
    const samples *q = user;
    double sum = 0, s[6];
    for (size_t k = 0; k < q->n; k++) {
        mlk_reading_apply(r, q->s[k].g, q->s[k].v, s);
        for (int c = 0; c < 6; c++) sum += (s[c] - q->s[k].ref[c]) * (s[c] - q->s[k].ref[c]);
    }
    return q->n ? sqrt(sum / 6 / (double)q->n) : NAN;
}

/* Slope, bias and size of the stresses under one reading. */
static void moments(const samples *q, const mlk_reading *r, mlk_stress_row *row)
{
    double mean[6] = {0}, given[6] = {0}, xx = 0, xy = 0, n = (double)q->n, s[6];
    for (size_t k = 0; k < q->n; k++) {
        mlk_reading_apply(r, q->s[k].g, q->s[k].v, s);
        for (int c = 0; c < 6; c++) given[c] += s[c] / n, mean[c] += q->s[k].ref[c] / n;
    }
    for (size_t k = 0; k < q->n; k++) {
        mlk_reading_apply(r, q->s[k].g, q->s[k].v, s);
        for (int c = 0; c < 6; c++) {
            double d = q->s[k].ref[c] - mean[c];
            xx += d * d, xy += d * (s[c] - given[c]);
        }
    }
    row->n = q->n;
    row->rms = score(r, q);
    row->slope = xx > 0 ? xy / xx : NAN;
    row->size = sqrt(xx / 6 / n);
    row->bias = 0;
    for (int c = 0; c < 3; c++) row->bias += (given[c] - mean[c]) / 3;
}

static bool take_sample(const work *w, size_t k, bool raw, sample *out)
{
    const mlk_frame *fr = &w->sub.frame[k];
    double m[3][3];
    *out = (sample){.frame = w->index[k], .v = fr->cell.volume};
    if (raw ? fr->n_raw != 6 && fr->n_raw != 9 : !(fr->has & MLK_HAS_VIRIAL)) return false;
    if (!raw) {
        mlk_voigt((const double(*)[3])fr->virial, -MLK_EVA3_GPA / out->v, out->g);
    } else if (fr->n_raw == 9) {
        memcpy(m, fr->raw, sizeof m);
        mlk_voigt((const double(*)[3])m, 1, out->g);
    } else {
        memcpy(out->g, fr->raw, sizeof out->g);
    }
    mlk_voigt((const double(*)[3])w->pred[k].virial, -MLK_EVA3_GPA / out->v, out->ref);
    mlk_voigt((const double(*)[3])w->pred_second[k].virial, -MLK_EVA3_GPA / out->v, out->other);
    return true;
}

/* What rows are about: the tag of frames, or their trajectory. */
static const char *name_of(const mlk_frame *fr, bool by_type)
{
    return by_type ? fr->config_type : fr->group;
}

static bool same_kind(const mlk_frame *a, const mlk_frame *b)
{
    return !strcmp(a->config_type, b->config_type) && !strcmp(a->group, b->group);
}

static int least_of(const double d[MLK_ORDERS])
{
    int best = 0;
    for (int o = 1; o < MLK_ORDERS; o++)
        if (d[o] < d[best]) best = o;
    return best;
}

static double next_of(const double d[MLK_ORDERS], int best)
{
    double next = INFINITY;
    for (int o = 0; o < MLK_ORDERS; o++)
        if (o != best) next = fmin(next, d[o]);
    return next;
}

/* Frames that vote against the order of their group, when they are more than chance. */
static size_t others(const size_t mine[MLK_ORDERS], int best)
{
    size_t n = 0;
    for (int o = 0; o < MLK_ORDERS; o++) n += o != best && mine[o] >= 3 ? mine[o] : 0;
    return n;
}

/* Squared errors of the shear components of one sample under every order. */
static void shear_errors(const sample *q, mlk_reading r, double d[MLK_ORDERS])
{
    for (int o = 0; o < MLK_ORDERS; o++) {
        double s[6];
        r.order = o, d[o] = 0;
        mlk_reading_apply(&r, q->g, q->v, s);
        for (int c = 3; c < 6; c++) d[o] += (s[c] - q->ref[c]) * (s[c] - q->ref[c]);
    }
}

/* One group of frames: which order of the shear components it speaks for, as a whole and frame by
 * frame. Every other order must be worse by VOTE times the variance that the best one leaves;
 * usual: that of the whole set, for groups too small to have their own. Returns the frames for
 * which it cannot be told. */
static size_t vote(const samples *q, const mlk_frame *one, const mlk_dataset *ds, mlk_reading r,
                   double usual, size_t count[MLK_ORDERS])
{
    double sum[MLK_ORDERS] = {0}, d[MLK_ORDERS], var = 0;
    size_t n = 0, mine[MLK_ORDERS] = {0};
    for (int pass = 0; pass < 2; pass++) {
        for (size_t k = 0; k < q->n; k++) {
            if (!same_kind(&ds->frame[q->s[k].frame], one)) continue;
            shear_errors(&q->s[k], r, d);
            int best = least_of(d);
            if (pass == 0) {
                for (int o = 0; o < MLK_ORDERS; o++) sum[o] += d[o];
                n++;
            } else if (next_of(d, best) - d[best] > VOTE * var) {
                mine[best]++;
            }
        }
        if (pass == 0) var = sum[least_of(sum)] / (3 * (double)n);
        if (pass == 0 && n < ENOUGH) var = fmax(var, usual);
    }
    int best = least_of(sum);
    bool clear = next_of(sum, best) - sum[best] > VOTE * var;
    for (int o = 0; o < MLK_ORDERS; o++)
        count[o] += clear && o == best ? n - others(mine, best) : mine[o] >= 3 ? mine[o] : 0;
    return clear ? 0 : n;
}

/* "A in 30 frames, B in 12" when more than one order has votes; open: frames without one. Rows of
 * strained cells that are clear about their order have a vote of their own. */
static bool mixed_orders(const mlk_dataset *ds, const samples *q, const mlk_reading *r,
                         const mlk_check *c, char *text, size_t cap, size_t *open)
{
    size_t count[MLK_ORDERS] = {0}, used = 0, few = 3 + q->n / 50;
    for (size_t k = 0; k < c->n_row; k++) {
        const mlk_stress_row *row = &c->row[k];
        if (!strcmp(row->method, "strain") && row->raw == q->raw && row->order_gain > VOTE)
            count[row->order] += row->frames;
    }
    double usual = 0, d[MLK_ORDERS];
    *text = 0, *open = 0;
    for (size_t k = 0; k < q->n; k++) {
        shear_errors(&q->s[k], *r, d);
        usual += d[r->order] / 3 / (double)q->n;
    }
    for (size_t k = 0; k < q->n; k++) {
        const mlk_frame *one = &ds->frame[q->s[k].frame];
        size_t m = 0; /* once per kind: at its first frame */
        while (!same_kind(&ds->frame[q->s[m].frame], one)) m++;
        if (m == k) *open += vote(q, one, ds, *r, usual, count);
    }
    for (int o = 0; o < MLK_ORDERS; o++) used += count[o] >= few;
    for (int o = 0; used > 1 && o < MLK_ORDERS; o++)
        if (count[o] >= few)
            snprintf(text + strlen(text), cap - strlen(text), "%s%s in %zu frames",
                     *text ? ", " : "", mlk_reading_order(o), count[o]);
    return used > 1;
}

/* What the stress of the model may be wrong by: as far as the second model is from it. */
static double uncertainty(const samples *q)
{
    double sum = 0;
    for (size_t k = 0; k < q->n; k++)
        for (int c = 0; c < 6; c++)
            sum += (q->s[k].ref[c] - q->s[k].other[c]) * (q->s[k].ref[c] - q->s[k].other[c]);
    return fmax(NOISE, sqrt(sum / 6 / (double)q->n));
}

static mlk_status judge(const samples *all, const char *name, const mlk_reading *raw, mlk_check *c,
                        mlk_err *e)
{
    mlk_stress_row row = {.method = "fit", .raw = all->raw, .frame = all->s[0].frame};
    mlk_reading best = mlk_reading_best(all->raw, score, all, &row.best_rms);
    const mlk_reading plain = raw ? *raw : mlk_reading_plain();
    snprintf(row.name, sizeof row.name, "%s", name);
    mlk_reading_name(&best, row.best, sizeof row.best);
    moments(all, &plain, &row);
    /* files that are shifted against each other bend the model, and its pressure most of all */
    double noise = uncertainty(all) * (c->s.count[MLK_SUSPECT_OFFSET] ? 2 : 1);
    return mlk_check_judge_row(c, &row, noise, e);
}

/* Rows by group where there are a few of them: by tag, else by trajectory. */
static mlk_status judge_groups(const work *w, const samples *all, const mlk_reading *raw,
                               mlk_check *c, mlk_err *e)
{
    samples part = {.raw = all->raw};
    const char *name[GROUPS_SHOWN];
    size_t n = 0;
    bool by_type = true, many = false;
    for (int pass = 0; pass < 2 && (pass == 0 || n < 2 || many); pass++) {
        by_type = pass == 0, n = 0, many = false;
        for (size_t k = 0; k < all->n && !many; k++) {
            const char *t = name_of(&w->ds->frame[all->s[k].frame], by_type);
            size_t q = 0;
            while (q < n && strcmp(name[q], t)) q++;
            if (q == GROUPS_SHOWN)
                many = true;
            else if (q == n)
                name[n++] = t;
        }
    }
    if (many || n < 2) return MLK_OK;
    part.s = mlk_alloc(all->n, sizeof *part.s);
    if (!part.s) return MLK_FAIL(e, MLK_ENOMEM, "no memory for %zu stresses", all->n);
    mlk_status s = MLK_OK;
    for (size_t q = 0; q < n && !s; q++) {
        part.n = 0;
        for (size_t k = 0; k < all->n; k++)
            if (!strcmp(name_of(&w->ds->frame[all->s[k].frame], by_type), name[q]))
                part.s[part.n++] = all->s[k];
        if (part.n >= 3) s = judge(&part, name[q][0] ? name[q] : "(none)", raw, c, e);
    }
    mlk_free(part.s);
    return s;
}

static mlk_status report_raw(const mlk_dataset *ds, const samples *q, const mlk_reading *r,
                             const mlk_stress_row *row, mlk_check *c, mlk_err *e)
{
    char name[96], orders[128];
    size_t open;
    bool mixed = mixed_orders(ds, q, r, c, orders, sizeof orders, &open);
    const mlk_suspect it = {.kind = MLK_SUSPECT_RAW_STRESS,
                            .frame = q->s[0].frame,
                            .other = q->s[0].frame,
                            .value = row->best_rms,
                            .limit = uncertainty(q)};
    mlk_reading_name(r, name, sizeof name);
    if (mixed)
        return mlk_suspects_add(&c->s, it, e,
                                "%s: component orders are mixed between frames (%s); trace/3 off "
                                "by %.2f GPa; do not train on it",
                                ds->frame[it.frame].raw_key, orders, row->bias);
    if (open)
        snprintf(orders, sizeof orders, "; the order cannot be told in %zu of %zu frames", open,
                 q->n);
    return mlk_suspects_add(&c->s, it, e,
                            "%s: best read as %s; trace/3 off by %.2f GPa%s; do not train on it "
                            "before its meaning is known",
                            ds->frame[it.frame].raw_key, name, row->bias, orders);
}

static mlk_status stresses(const work *w, bool raw, mlk_check *c, mlk_err *e)
{
    samples q = {.raw = raw};
    q.s = mlk_alloc(w->sub.n + 1, sizeof *q.s);
    if (!q.s) return MLK_FAIL(e, MLK_ENOMEM, "no memory for %zu stresses", w->sub.n);
    for (size_t k = 0; k < w->sub.n; k++) q.n += take_sample(w, k, raw, &q.s[q.n]);
    mlk_status s = MLK_OK;
    if (q.n >= 3) {
        char orders[128];
        size_t open;
        double rms;
        mlk_reading r = raw ? mlk_reading_best(true, score, &q, &rms) : mlk_reading_plain();
        const mlk_frame *fr = &w->ds->frame[q.s[0].frame];
        s = judge(&q, raw ? fr->raw_key : "all", raw ? &r : NULL, c, e);
        mlk_stress_row row = c->n_row ? c->row[c->n_row - 1] : (mlk_stress_row){0};
        if (!s) s = judge_groups(w, &q, raw ? &r : NULL, c, e);
        if (!s && raw) s = report_raw(w->ds, &q, &r, &row, c, e);
        const mlk_suspect it = {.kind = MLK_SUSPECT_STRESS,
                                .frame = q.s[0].frame,
                                .other = q.s[0].frame,
                                .value = row.rms,
                                .limit = NOISE};
        if (!s && !raw && mixed_orders(w->ds, &q, &r, c, orders, sizeof orders, &open))
            s = mlk_suspects_add(&c->s, it, e, "component orders are mixed: %s", orders);
    }
    mlk_free(q.s);
    return s;
}

/* ---- energies ---- */

/* Energies that the model, which has not seen them, explains are no outliers. */
static void forgive(const work *w, const double *residual, mlk_check *c)
{
    size_t m = 0;
    for (size_t k = 0; k < c->s.n; k++) {
        const mlk_suspect *it = &c->s.item[k];
        double limit = fmax(0.03, 0.25 * fabs(it->value)) + 3 * w->e_rmse;
        if (it->kind == MLK_SUSPECT_ENERGY && fabs(residual[it->frame]) < limit)
            c->s.count[MLK_SUSPECT_ENERGY]--;
        else
            c->s.item[m++] = *it;
    }
    c->s.n = m;
}

/* What a model leaves of the energies [eV/atom]; NaN for frames it was not asked about. */
static void residuals(const work *w, const mlk_prediction *pred, double *r)
{
    for (size_t i = 0; i < w->ds->n; i++) r[i] = NAN;
    for (size_t k = 0; k < w->sub.n; k++)
        r[w->index[k]] = (w->sub.frame[k].energy - pred[k].energy) / (double)w->sub.frame[k].n;
}

static mlk_status energies(const work *w, mlk_check *c, mlk_err *e)
{
    double *r = mlk_alloc(w->ds->n + 1, sizeof *r);
    if (!r) return MLK_FAIL(e, MLK_ENOMEM, "no memory to compare energies");
    residuals(w, w->pred, r);
    forgive(w, r, c);
    mlk_status s = mlk_check_offsets(w->ds, r, OFFSET_FLOOR, "fitted model", c, e);
    if (!s && !c->s.count[MLK_SUSPECT_OFFSET]) {
        residuals(w, w->pred_second, r);
        s = mlk_check_offsets(w->ds, r, 2 * OFFSET_FLOOR, "model fitted to forces", c, e);
    }
    mlk_free(r);
    return s;
}

static mlk_status everything(work *w, const mlk_consistency_config *cfg, mlk_check *c, bool *done,
                             mlk_err *e)
{
    size_t rows = 0;
    MLK_TRY(choose(w, cfg->max_atoms, e));
    for (size_t k = 0; k < w->sub.n; k++) rows += 3 * w->sub.frame[k].n + 1;
    if (w->sub.n < FRAMES_LEAST || rows < 300 * w->ds->n_species) {
        snprintf(c->fit, sizeof c->fit, "skipped: %zu usable frames with %zu labels are too few",
                 w->sub.n, rows);
        return MLK_OK;
    }
    MLK_TRY(fit(w, rows, e));
    snprintf(c->fit, sizeof c->fit,
             "SNAP with %zu parameters on energies and forces of %zu frames: errors %.1f meV/atom, "
             "%.0f meV/A",
             w->pot->n_param, w->sub.n, 1e3 * w->e_rmse, 1e3 * w->f_rmse);
    *done = true;
    MLK_TRY(energies(w, c, e));
    MLK_TRY(stresses(w, false, c, e));
    return stresses(w, true, c, e);
}

mlk_status mlk_dataset_consistency(const mlk_dataset *ds, const mlk_consistency_config *cfg,
                                   mlk_check *c, bool *done, mlk_err *e)
{
    work w = {.ds = ds};
    mlk_err why = {0};
    *done = false;
    w.bad = mlk_alloc(ds->n + 1, 1);
    if (!w.bad) return MLK_FAIL(e, MLK_ENOMEM, "no memory to check %zu frames", ds->n);
    mark_bad(c, w.bad);
    mlk_status s = everything(&w, cfg, c, done, &why);
    mlk_predict_free(w.pred, w.sub.n);
    mlk_predict_free(w.pred_second, w.sub.n);
    mlk_potential_destroy(w.pot);
    mlk_potential_destroy(w.second);
    mlk_free(w.sub.frame);
    mlk_free(w.sub.split);
    mlk_free(w.index);
    mlk_free(w.bad);
    mlk_suspects_sort(&c->s);
    if (s == MLK_ENOMEM || s == MLK_EINTERRUPTED) {
        if (e && !e->code) *e = why;
        return s;
    }
    /* a fit that fails on odd data is no reason to hide the other findings */
    if (s) snprintf(c->fit, sizeof c->fit, "skipped: %.200s", why.msg);
    return MLK_OK;
}
