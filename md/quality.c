/* quality.c - what the checks of a run found (extrapolation.c, bonds.c): as attributes of its file,
 * and in words for the log. */
#include <math.h>
#include <stdio.h>

#include "core/log.h"
#include "md/h5md.h"

/* Distances at the thermo steps against the shortest the model was trained on. */
static mlk_status write_shortest(mlk_h5 *h, const mlk_md *md, mlk_err *e)
{
    const mlk_potential *p = md->pot;
    int64_t below = 0;
    double ratio = NAN;
    for (size_t a = 0; a < md->n_el; a++)
        for (size_t b = a; b < md->n_el; b++) {
            double d = md->shortest[a * md->n_el + b], seen = 0;
            char name[64];
            const char *sa = mlk_element_symbol(md->element[a]),
                       *sb = mlk_element_symbol(md->element[b]);
            size_t ta = 0, tb = 0;
            while (p->z[ta] != md->element[a]) ta++;
            while (p->z[tb] != md->element[b]) tb++;
            if (p->dmin) seen = p->dmin[ta * p->n_species + tb];
            if (!isfinite(d)) continue; /* this pair never came within the neighbour list */
            snprintf(name, sizeof name, "shortest_%s-%s_A", sa, sb);
            MLK_TRY(mlk_h5_attr_set_double(h, MLK_MD_PARAM, name, d, e));
            if (!(seen > 0)) continue;
            snprintf(name, sizeof name, "shortest_%s-%s_training_A", sa, sb);
            MLK_TRY(mlk_h5_attr_set_double(h, MLK_MD_PARAM, name, seen, e));
            ratio = fmin(ratio, d / seen);
            if (d >= seen) continue;
            below++;
            mlk_log(MLK_LOG_WARN,
                    "%s-%s came as close as %.3f A, closer than any in the training data (%.3f A)",
                    sa, sb, d, seen);
        }
    MLK_TRY(mlk_h5_attr_set_double(h, MLK_MD_PARAM, "shortest_ratio", ratio, e));
    return mlk_h5_attr_set_int(h, MLK_MD_PARAM, "shortest_flag", below, e);
}

/* Fractions of the atom samples of the production, with the worst one. */
static mlk_status write_grades(mlk_h5 *h, const mlk_md *md, mlk_err *e)
{
    const mlk_md_watch *w = &md->watch;
    bool judged = md->pot->ranges && w->checks > 0;
    MLK_TRY(mlk_h5_attr_set_int(h, MLK_MD_PARAM, "extrapolation_judged", judged, e));
    if (!judged) {
        mlk_log(MLK_LOG_INFO, "extrapolation: cannot be judged, %s",
                md->pot->ranges ? "no step of the production was checked"
                                : "the model says nothing about the range of its training data");
        return MLK_OK;
    }
    double out = 0, beyond = 0, samples = w->checks * (double)md->n;
    for (size_t a = 0; a < md->n_el; a++) {
        char name[64];
        double of = 0;
        for (size_t i = 0; i < md->n; i++) of += (size_t)md->el[i] == a;
        out += md->outside[2 * a], beyond += md->outside[2 * a + 1];
        snprintf(name, sizeof name, "outside_%s", mlk_element_symbol(md->element[a]));
        MLK_TRY(mlk_h5_attr_set_double(h, MLK_MD_PARAM, name, md->outside[2 * a] / (of * w->checks),
                                       e));
    }
    bool flag = beyond > 0 || out > MLK_MD_MAX_OUTSIDE * samples;
    const char *worst = w->worst > 0 ? mlk_element_symbol(md->z[(size_t)w->worst_atom]) : "";
    const struct {
        const char *name;
        double v;
    } v[] = {{"extrapolation_checks", w->checks},
             {"outside", out / samples},
             {"beyond", beyond / samples},
             {"max_grade", md->cfg.max_grade},
             {"worst_grade", w->worst},
             {"worst_atom", w->worst > 0 ? w->worst_atom + 1 : 0},
             {"worst_descriptor", w->worst > 0 ? w->worst_desc + 1 : 0},
             {"worst_time_fs", w->worst_step * md->cfg.dt}};
    for (size_t k = 0; k < sizeof v / sizeof *v; k++)
        MLK_TRY(mlk_h5_attr_set_double(h, MLK_MD_PARAM, v[k].name, v[k].v, e));
    MLK_TRY(mlk_h5_attr_set_str(h, MLK_MD_PARAM, "worst_element", worst, e));
    MLK_TRY(mlk_h5_attr_set_int(h, MLK_MD_PARAM, "extrapolation_flag", flag, e));
    mlk_log(flag ? MLK_LOG_WARN : MLK_LOG_INFO,
            "extrapolation: %.3g %% of %.3g atom samples outside of the training data, %.3g %% "
            "beyond grade %g",
            100 * out / samples, samples, 100 * beyond / samples, md->cfg.max_grade);
    if (w->worst > 0)
        mlk_log(MLK_LOG_INFO, "extrapolation: worst grade %.3g, %s atom %.0f at %.4g ps", w->worst,
                worst, w->worst_atom + 1, w->worst_step * md->cfg.dt * 1e-3);
    return MLK_OK;
}

static mlk_status set_bonds(mlk_h5 *h, const char *infix, const mlk_md_bond_count *n, mlk_err *e)
{
    const struct {
        const char *name;
        int64_t v;
    } row[] = {{"start", n->start}, {"whole", n->whole}, {"broke", n->broke}};
    for (int k = 0; k < 3; k++) {
        char name[64];
        snprintf(name, sizeof name, "bonds_%s%s", infix, row[k].name);
        MLK_TRY(mlk_h5_attr_set_int(h, MLK_MD_PARAM, name, row[k].v, e));
    }
    return MLK_OK;
}

static mlk_status write_bonds(mlk_h5 *h, const mlk_md *md, mlk_err *e)
{
    mlk_md_bond_count all = mlk_md_count_bonds(md, 0, 0);
    MLK_TRY(set_bonds(h, "", &all, e));
    for (size_t a = 0; a < md->n_el; a++)
        for (size_t b = a; b < md->n_el; b++) {
            mlk_md_bond_count n = mlk_md_count_bonds(md, md->element[a], md->element[b]);
            if (!n.start) continue;
            char pair[32];
            snprintf(pair, sizeof pair, "%s-%s", mlk_element_symbol(md->element[a]),
                     mlk_element_symbol(md->element[b]));
            mlk_log(n.broke ? MLK_LOG_WARN : MLK_LOG_INFO,
                    "bonds: %lld %s at the start, %lld of them at the end, broken %lld times",
                    (long long)n.start, pair, (long long)n.whole, (long long)n.broke);
            snprintf(pair, sizeof pair, "%s-%s_", mlk_element_symbol(md->element[a]),
                     mlk_element_symbol(md->element[b]));
            MLK_TRY(set_bonds(h, pair, &n, e));
        }
    return MLK_OK;
}

mlk_status mlk_md_quality_write(mlk_h5 *h, const mlk_md *md, mlk_err *e)
{
    MLK_TRY(write_shortest(h, md, e));
    MLK_TRY(write_grades(h, md, e));
    return write_bonds(h, md, e);
}

mlk_status mlk_md_quality_read(mlk_h5 *h, mlk_md_summary *q, mlk_err *e)
{
    int64_t judged = 0;
    double atom = 0;
    const struct {
        const char *name;
        double *v;
    } real[] = {{"outside", &q->outside},
                {"beyond", &q->beyond},
                {"worst_grade", &q->worst},
                {"worst_time_fs", &q->worst_time},
                {"max_grade", &q->max_grade},
                {"worst_atom", &atom},
                {"shortest_ratio", &q->shortest_ratio}};
    const struct {
        const char *name;
        int64_t *v;
    } whole[] = {{"extrapolation_judged", &judged},
                 {"extrapolation_flag", &q->extrapolation_flag},
                 {"bonds_start", &q->bonds_start},
                 {"bonds_whole", &q->bonds_whole},
                 {"bonds_broke", &q->bonds_broke}};
    for (size_t k = 0; k < sizeof real / sizeof *real; k++) {
        *real[k].v = NAN;
        if (mlk_h5_attr_exists(h, MLK_MD_PARAM, real[k].name))
            MLK_TRY(mlk_h5_attr_double(h, MLK_MD_PARAM, real[k].name, real[k].v, e));
    }
    for (size_t k = 0; k < sizeof whole / sizeof *whole; k++)
        if (mlk_h5_attr_exists(h, MLK_MD_PARAM, whole[k].name))
            MLK_TRY(mlk_h5_attr_int(h, MLK_MD_PARAM, whole[k].name, whole[k].v, e));
    q->judged = judged != 0;
    if (!q->judged) return MLK_OK;
    q->worst_atom = (int64_t)atom;
    return mlk_h5_attr_str(h, MLK_MD_PARAM, "worst_element", q->worst_element,
                           sizeof q->worst_element, e);
}
