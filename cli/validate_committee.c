/* validate_committee.c - models of one kind as a committee: table, JSON, files. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/validate.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "train/committee.h"

const char *mlk_or_dash(double v, int digits, char *buf)
{
    snprintf(buf, 32, isfinite(v) ? "%.*f" : "-", digits, v);
    return buf;
}

/* A bare file has no reference energies: its energies are on another scale. */
static bool has_e0(const mlk_potential *pot)
{
    bool any = false;
    for (size_t t = 0; t < pot->n_species; t++) any |= pot->e0[t] != 0;
    return any;
}

static bool alike(const mlk_validated *a, const mlk_validated *b)
{
    if (a->pot->type != b->pot->type || a->pot->n_species != b->pot->n_species ||
        a->energy != b->energy || has_e0(a->pot) != has_e0(b->pot))
        return false;
    for (size_t t = 0; t < a->pot->n_species; t++) {
        bool there = false;
        for (size_t q = 0; q < b->pot->n_species; q++) there |= a->pot->z[t] == b->pot->z[q];
        if (!there) return false;
    }
    return true;
}

typedef struct scope { /* frames a committee is judged on */
    int split, which;
    const char *what;
} scope;

/* Those no member was trained on, as far as is known; all of them when nothing is. */
static void choose(const mlk_dataset *ds, scope *c, bool *use)
{
    c->what = c->which == MLK_SPLIT_VALID     ? "validation frames"
              : c->which == MLK_SPLIT_TEST    ? "test frames"
              : c->split != MLK_SPLIT_UNKNOWN ? "held-out frames"
                                              : "frames";
    for (size_t q = 0; q < ds->n; q++)
        use[q] = c->which >= 0 ? ds->split[q] == c->which
                               : c->split == MLK_SPLIT_UNKNOWN || ds->split[q] != MLK_SPLIT_TRAIN;
}

static void error_row(const char *name, const mlk_fit_errors *er)
{
    char b[3][32];
    printf("%-24s %9s %9s %9s\n", name, mlk_or_dash(1e3 * mlk_stat_rmse(&er->energy), 2, b[0]),
           mlk_or_dash(1e3 * mlk_stat_rmse(&er->force), 1, b[1]),
           mlk_or_dash(mlk_stat_rmse(&er->stress), 3, b[2]));
}

/* root mean square over the members */
static void members_row(const mlk_committee *c)
{
    mlk_fit_errors all = {0};
    for (size_t k = 0; k < c->k; k++) {
        const mlk_fit_errors *m = &c->member[k];
        all.energy.sum2 += m->energy.sum2, all.energy.n += m->energy.n;
        all.force.sum2 += m->force.sum2, all.force.n += m->force.n;
        all.stress.sum2 += m->stress.sum2, all.stress.n += m->stress.n;
    }
    error_row("members, typical", &all);
}

static void pair_row(const char *name, double f, double f_err, double u, double u_err, int digits)
{
    char b[4][32], f_text[80], u_text[80];
    mlk_or_dash(f, digits, b[0]), mlk_or_dash(u, digits, b[1]);
    mlk_or_dash(f_err, digits, b[2]), mlk_or_dash(u_err, digits, b[3]);
    snprintf(f_text, sizeof f_text, isfinite(f_err) ? "%s +- %s" : "%s", b[0], b[2]);
    snprintf(u_text, sizeof u_text, isfinite(u_err) ? "%s +- %s" : "%s", b[1], b[3]);
    printf("%-36s %18s %18s\n", name, f_text, u_text);
}

static void interval_table(const mlk_committee *c)
{
    const mlk_calibration *f = &c->quantity[MLK_COMMITTEE_FORCE],
                          *u = &c->quantity[MLK_COMMITTEE_ENERGY];
    char b[32];
    printf("\n%-36s %18s %18s\n", "prediction intervals", "force", "energy");
    pair_row("rms spread (meV/A, meV/atom)", 1e3 * f->rms_spread, NAN, 1e3 * u->rms_spread, NAN, 2);
    pair_row("rms error of the mean", 1e3 * f->rms_error, NAN, 1e3 * u->rms_error, NAN, 2);
    pair_row("alpha", f->alpha, f->alpha_err, u->alpha, u->alpha_err, 2);
    pair_row("alpha of the two halves: first", f->half[0], NAN, u->half[0], NAN, 2);
    pair_row("                         second", f->half[1], NAN, u->half[1], NAN, 2);
    pair_row("standard uncertainty / spread", f->rms_factor, NAN, u->rms_factor, NAN, 2);
    pair_row("inside 1 sigma, raw spread (%)", 1e2 * f->one.before, NAN, 1e2 * u->one.before, NAN,
             1);
    pair_row("  calibrated (68.3 expected)", 1e2 * f->one.after, 1e2 * f->one.err,
             1e2 * u->one.after, 1e2 * u->one.err, 1);
    pair_row("inside 2 sigma, raw spread (%)", 1e2 * f->two.before, NAN, 1e2 * u->two.before, NAN,
             1);
    pair_row("  calibrated (95.4 expected)", 1e2 * f->two.after, 1e2 * f->two.err,
             1e2 * u->two.after, 1e2 * u->two.err, 1);
    pair_row("error grows as spread to the power", f->slope, f->slope_err, u->slope, u->slope_err,
             2);
    pair_row("rank correlation spread, |error|", f->spearman, NAN, u->spearman, NAN, 2);
    printf("alpha by element:");
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++)
        if (isfinite(f->alpha_z[z]))
            printf(" %s %s", mlk_element_symbol(z), mlk_or_dash(f->alpha_z[z], 2, b));
    printf(f->by_species ? " (used: predicts the other half better)\n"
                         : " (not used: one for all predicts as well)\n");
}

/* Why there are no intervals, in the user's words; "" when there are. */
static const char *why_not(const mlk_committee *c)
{
    const mlk_calibration *f = &c->quantity[MLK_COMMITTEE_FORCE];
    if (!c->n_frames) return "every frame was used for training";
    if (!f->n && f->n_zero) return "the members give the same forces: are they the same model?";
    if (!f->n) return "no frame has forces";
    if (!(f->one.after >= 0))
        return "too few frames to calibrate on one half and judge on the other";
    return "";
}

static void show(const mlk_committee *c, const char *type, const char *what)
{
    printf("\ncommittee of %zu %s models on %zu %s in %zu group%s\n", c->k, type, c->n_frames, what,
           c->n_group, c->n_group == 1 ? "" : "s");
    printf("%-24s %9s %9s %9s\n%-24s %9s %9s %9s\n", "", "energy", "force", "stress", "RMSE",
           "meV/atom", "meV/A", "GPa");
    members_row(c);
    error_row("mean of the members", &c->mean);
    if (*why_not(c))
        printf("no prediction intervals: %s\n", why_not(c));
    else
        interval_table(c);
    if (!strcmp(what, "frames"))
        printf("nothing is known about their split: intervals hold if no member was trained on "
               "them\n");
    if (c->cut)
        printf("all frames are of one group: the halves are not independent, coverage flatters\n");
}

typedef struct party { /* one committee */
    size_t k;
    mlk_prediction **p;
    const char **name;
    const mlk_validated *first;
} party;

static mlk_status one(mlk_dataset *ds, const mlk_energies *en, const party *y, scope sc,
                      const char *dir, bool print, json_t *list, mlk_err *e)
{
    const char *type = y->first->pot->type->name;
    bool *use = mlk_alloc(ds->n, sizeof *use);
    mlk_committee c = {0};
    json_t *j = NULL;
    mlk_status s = MLK_OK;
    if (!use) return MLK_FAIL(e, MLK_ENOMEM, "frames of a committee");
    choose(ds, &sc, use);
    mlk_energies_use(ds, en, y->first->energy);
    MLK_GO(mlk_committee_judge(ds, use, y->k, y->p, &c, e));
    j = mlk_committee_json(&c, type, y->name);
    json_object_set_new(j, "frames", json_string(sc.what));
    json_object_set_new(j, "energy_kind",
                        json_string(y->first->energy == MLK_ENERGY_AS_SIGMA0 ? "sigma0" : "free"));
    if (*why_not(&c)) json_object_set_new(j, "why_not", json_string(why_not(&c)));
    if (print) show(&c, type, sc.what);
    if (*dir) MLK_GO(mlk_mkdir_p(dir, e));
    if (*dir) MLK_GO(mlk_committee_write(&c, j, dir, e));
    json_array_append(list, j);
done:
    json_decref(j);
    mlk_committee_free(&c);
    mlk_free(use);
    return s;
}

/* Is m[k] the first of at least two that are alike? */
static bool leads(const mlk_validated *m, size_t nm, size_t k)
{
    size_t n = 0;
    for (size_t q = 0; q < nm; q++) {
        if (q < k && alike(&m[k], &m[q])) return false;
        n += alike(&m[k], &m[q]);
    }
    return n > 1;
}

mlk_status mlk_validate_committees(mlk_dataset *ds, const mlk_energies *k, const mlk_validated *m,
                                   size_t nm, int split, int which, const char *dir, bool print,
                                   json_t *list, mlk_err *e)
{
    size_t n_committee = 0;
    mlk_status s = MLK_OK;
    for (size_t a = 0; a < nm; a++) n_committee += leads(m, nm, a);
    if (n_committee && which == MLK_SPLIT_TRAIN) {
        mlk_log(MLK_LOG_INFO, "no committee: errors on training frames say nothing about others");
        return MLK_OK;
    }
    party y = {.p = mlk_alloc(nm, sizeof *y.p), .name = mlk_alloc(nm, sizeof *y.name)};
    if (!y.p || !y.name) s = MLK_FAIL(e, MLK_ENOMEM, "committees");
    for (size_t a = 0; !s && a < nm; a++) {
        char sub[1100] = "";
        if (!leads(m, nm, a)) continue;
        y.first = &m[a], y.k = 0;
        for (size_t q = a; q < nm; q++)
            if (alike(&m[a], &m[q])) y.p[y.k] = m[q].p, y.name[y.k++] = m[q].path;
        size_t same = 1; /* committees of one type differ in species or energies */
        for (size_t q = 0; q < a; q++) same += leads(m, nm, q) && m[q].pot->type == m[a].pot->type;
        if (*dir && n_committee > 1)
            snprintf(sub, sizeof sub, same > 1 ? "%s/%s-%zu" : "%s/%s", dir, m[a].pot->type->name,
                     same);
        s = one(ds, k, &y, (scope){.split = split, .which = which}, *sub ? sub : dir, print, list,
                e);
    }
    mlk_free(y.p), mlk_free(y.name);
    return s;
}
