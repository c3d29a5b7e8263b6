/* extrapolation.c - has the run left the data its model was fitted to? Pair distances are compared
 * with the shortest in training at every thermo step, the descriptors of all atoms with their
 * ranges (docs/THEORY.md, section 10) at every check. The first event (of each pair of elements) is
 * logged when it happens, the rest is counted. */
#include <math.h>

#include "core/log.h"
#include "core/units.h"
#include "md/md.h"

/* of the shortest distance in training: nearer than thermal motion explains */
static const double HOLE = 0.8;

/* Has a shortest distance fallen below a limit that it kept so far? */
static bool crossed(double before, double now, double limit)
{
    return now < limit && before >= limit;
}

void mlk_md_note_shortest(mlk_md *md)
{
    const mlk_neigh *nl = &md->nl;
    const mlk_potential *p = md->pot;
    for (size_t i = 0; i < md->n; i++)
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            double r2 =
                nl->r[0][k] * nl->r[0][k] + nl->r[1][k] * nl->r[1][k] + nl->r[2][k] * nl->r[2][k];
            size_t j = (size_t)nl->j[k], a = (size_t)md->el[i], b = (size_t)md->el[j];
            double *least = &md->shortest[a < b ? a * md->n_el + b : b * md->n_el + a];
            if (!(r2 < *least * *least)) continue;
            double before = *least, now = *least = sqrt(r2);
            double seen =
                p->dmin ? p->dmin[(size_t)md->type[i] * p->n_species + (size_t)md->type[j]] : 0;
            bool far = crossed(before, now, HOLE * seen);
            if (!far && !crossed(before, now, seen)) continue;
            mlk_log(MLK_LOG_WARN,
                    "step %lld (%.4g ps): %s atom %zu and %s atom %zu are %.3f A apart, %s any "
                    "such pair in the training data (%.3f A)%s",
                    (long long)md->step, (double)md->step * md->cfg.dt * 1e-3,
                    mlk_element_symbol(md->z[i]), i + 1, mlk_element_symbol(md->z[j]), j + 1, now,
                    far ? "much nearer than" : "nearer than", seen,
                    far ? ": the model may have fallen into a hole of its own, look at the run"
                        : "");
        }
}

static void warn_once(mlk_md *md, size_t n_out, size_t i)
{
    if (md->watch.warned_grade > 0) return;
    md->watch.warned_grade = 1;
    mlk_log(MLK_LOG_WARN,
            "step %lld (%.4g ps): the model extrapolates: %zu of %zu atoms are outside of the "
            "training data, %s atom %zu by grade %.3g (descriptor %zu)",
            (long long)md->step, (double)md->step * md->cfg.dt * 1e-3, n_out, md->n,
            mlk_element_symbol(md->z[i]), i + 1, md->grades.grade[i], md->grades.which[i] + 1);
}

mlk_status mlk_md_check_range(mlk_md *md, mlk_err *e)
{
    mlk_md_watch *w = &md->watch;
    if (!md->pot->ranges) return MLK_OK;
    MLK_TRY(mlk_potential_grades(md->pot, &md->nl, md->type, &md->grades, e));
    const double *grade = md->grades.grade, limit = md->cfg.max_grade;
    size_t n_out = 0, at = 0;
    for (size_t i = 0; i < md->n; i++) {
        n_out += grade[i] > 0;
        if (grade[i] > grade[at]) at = i;
    }
    if (grade[at] > limit || (double)n_out > MLK_MD_MAX_OUTSIDE * (double)md->n)
        warn_once(md, n_out, at);
    if (md->step < md->n_equil) return MLK_OK;
    w->checks += 1;
    for (size_t i = 0; i < md->n; i++) {
        md->outside[2 * md->el[i]] += grade[i] > 0;
        md->outside[2 * md->el[i] + 1] += grade[i] > limit;
    }
    if (grade[at] <= w->worst) return MLK_OK;
    w->worst = grade[at], w->worst_atom = (double)at, w->worst_desc = (double)md->grades.which[at];
    w->worst_step = (double)(md->step - md->n_equil);
    return MLK_OK;
}
