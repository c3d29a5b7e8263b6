/* committee_file.c - what is kept of a committee: committee.json and the curves as CSV. */
#include <math.h>

#include "core/element.h"
#include "core/file.h"
#include "train/committee.h"
#include "train/output.h"

static const char *const quantity_name[2] = {"force", "energy"};
static const char *const unit_name[2] = {"meV/A", "meV/atom"};

static json_t *coverage_json(const mlk_coverage *c)
{
    json_t *j = json_object();
    json_object_set_new(j, "expected", mlk_json_real(c->p));
    json_object_set_new(j, "before", mlk_json_real(c->before));
    json_object_set_new(j, "after", mlk_json_real(c->after));
    json_object_set_new(j, "after_err", mlk_json_real(c->err));
    return j;
}

static json_t *species_json(const mlk_calibration *q)
{
    json_t *j = json_object();
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++)
        if (isfinite(q->alpha_z[z]))
            json_object_set_new(j, mlk_element_symbol(z), mlk_json_real(q->alpha_z[z]));
    return j;
}

static json_t *quantity_json(const mlk_calibration *q)
{
    const struct {
        const char *key;
        double v;
    } row[] = {{"alpha", q->alpha},
               {"alpha_err", q->alpha_err},
               {"alpha_uncorrected", q->plain},
               {"rms_factor", q->rms_factor},
               {"spread", 1e3 * q->rms_spread},
               {"rmse", 1e3 * q->rms_error},
               {"slope", q->slope},
               {"slope_err", q->slope_err},
               {"spearman", q->spearman}};
    json_t *j = json_object();
    json_object_set_new(j, "unit", json_string(unit_name[q->quantity]));
    json_object_set_new(j, "n", json_integer((json_int_t)q->n));
    json_object_set_new(j, "n_without_spread", json_integer((json_int_t)q->n_zero));
    json_object_set_new(j, "dof", json_integer(q->dof));
    for (size_t k = 0; k < sizeof row / sizeof *row; k++)
        json_object_set_new(j, row[k].key, mlk_json_real(row[k].v));
    json_object_set_new(j, "alpha_halves",
                        json_pack("[o,o]", mlk_json_real(q->half[0]), mlk_json_real(q->half[1])));
    if (q->quantity == MLK_COMMITTEE_FORCE) {
        json_object_set_new(j, "alpha_by_species", species_json(q));
        json_object_set_new(j, "by_species", json_boolean(q->by_species));
        json_object_set_new(j, "by_species_gain", mlk_json_real(q->gain));
        json_object_set_new(j, "by_species_gain_err", mlk_json_real(q->gain_err));
    }
    json_object_set_new(j, "coverage_1sigma", coverage_json(&q->one));
    json_object_set_new(j, "coverage_2sigma", coverage_json(&q->two));
    return j;
}

json_t *mlk_committee_json(const mlk_committee *c, const char *type, const char *const *name)
{
    json_t *j = json_object(), *members = json_array();
    json_object_set_new(j, "format", json_string("mlkit-committee"));
    json_object_set_new(j, "version", json_integer(1));
    json_object_set_new(j, "type", json_string(type));
    for (size_t k = 0; k < c->k; k++) {
        json_t *m = mlk_errors_json(&c->member[k]);
        json_object_set_new(m, "model", json_string(name[k]));
        json_array_append_new(members, m);
    }
    json_object_set_new(j, "members", members);
    json_object_set_new(j, "mean", mlk_errors_json(&c->mean));
    json_object_set_new(j, "n_frames", json_integer((json_int_t)c->n_frames));
    json_object_set_new(j, "n_groups", json_integer((json_int_t)c->n_group));
    json_object_set_new(j, "halves", json_string(c->cut ? "cut" : "groups"));
    for (int q = 0; q < 2; q++)
        json_object_set_new(j, quantity_name[q], quantity_json(&c->quantity[q]));
    return j;
}

static mlk_status bins_csv(const mlk_committee *c, const char *dir, mlk_err *e)
{
    char path[1024];
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, dir, "committee_bins.csv"), e));
    fprintf(o.fp, "quantity,unit,n,spread,predicted,rmse,rmse_err\n");
    for (int q = 0; q < 2; q++)
        for (size_t b = 0; b < c->quantity[q].n_bin; b++) {
            const mlk_committee_bin *k = &c->quantity[q].bin[b];
            fprintf(o.fp, "%s,%s,%zu,%.6g,%.6g,%.6g,%.6g\n", quantity_name[q], unit_name[q], k->n,
                    1e3 * k->spread, 1e3 * k->predicted, 1e3 * k->rmse, 1e3 * k->err);
        }
    return mlk_out_commit(&o, e);
}

static mlk_status quantiles_csv(const mlk_committee *c, const char *dir, mlk_err *e)
{
    char path[1024];
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, dir, "committee_quantiles.csv"), e));
    fprintf(o.fp, "quantity,expected,before,after,after_err\n");
    for (int q = 0; q < 2; q++)
        for (int k = 0; k < MLK_COMMITTEE_LEVELS; k++) {
            const mlk_coverage *v = &c->quantity[q].curve[k];
            if (!(v->p > 0)) continue; /* not judged */
            fprintf(o.fp, "%s,%.4g,%.6g,%.6g,", quantity_name[q], v->p, v->before, v->after);
            fprintf(o.fp, isfinite(v->err) ? "%.4g\n" : "\n", v->err);
        }
    return mlk_out_commit(&o, e);
}

mlk_status mlk_committee_write(const mlk_committee *c, const json_t *json, const char *dir,
                               mlk_err *e)
{
    char path[1024];
    MLK_TRY(bins_csv(c, dir, e));
    MLK_TRY(quantiles_csv(c, dir, e));
    return mlk_json_write(json, mlk_path_join(path, sizeof path, dir, "committee.json"), e);
}
