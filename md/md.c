/* md.c - the time loop. Read mlk_md_run first: it is the method section of a run.
 *
 * A run has two stages: equilibration (n_equil steps, the first n_npt of them at constant pressure
 * when asked for, then NVT) and production (n_run steps; NVE unless asked otherwise). Production
 * step p = step - n_equil = 0 .. n_run-1 records what its intervals say, always before the state
 * moves on; a checkpoint holds a state whose records are already made.
 */
#include "md/md.h"

#include <math.h>
#include <string.h>

#include "core/log.h"
#include "core/units.h"
#include "md/fluxes.h"
#include "md/store.h"

static void start_production(mlk_md *md);
static mlk_status observe(mlk_md *md, mlk_md_store *out, mlk_err *e);
static mlk_status stop(mlk_md *md, mlk_md_store *out, mlk_err *e);

mlk_status mlk_md_run(mlk_md *md, mlk_md_store *out, mlk_err *e)
{
    const int64_t last = md->n_equil + md->n_run;
    mlk_status s = mlk_md_forces(md, e);
    if (!s && !md->resumed) s = observe(md, out, e);
    while (!s && md->step < last) {
        if (mlk_stop_requested()) return stop(md, out, e);
        if (out && mlk_md_store_due(out)) MLK_TRY(mlk_md_store_checkpoint(out, md, e));
        s = mlk_md_step(md, e);
        if (!s && md->n_npt && md->step == md->n_npt) s = mlk_md_fix_cell(md, e);
        if (!s && md->step == md->n_equil) start_production(md);
        if (!s) s = observe(md, out, e);
    }
    if (s == MLK_ENUMERIC && out) mlk_md_store_fail(out, md);
    if (s || !out) return s;
    return mlk_md_store_finish(out, md, e);
}

mlk_status mlk_md_step(mlk_md *md, mlk_err *e)
{
    bool nvt = mlk_md_is_nvt(md);
    mlk_nve_kick(md, 0.5 * md->dt);
    mlk_nve_drift(md, md->dt);
    md->step++;
    MLK_TRY(mlk_md_forces(md, e));
    mlk_nve_kick(md, 0.5 * md->dt);
    md->kinetic = mlk_md_kinetic(md);
    if (nvt) mlk_bdp_apply(md);
    return mlk_md_at_barostat(md) ? mlk_md_barostat(md, e) : MLK_OK;
}

bool mlk_md_is_nvt(const mlk_md *md)
{
    return md->step < md->n_equil || md->cfg.ensemble == MLK_MD_NVT;
}

/* Does production step p fall on this interval? */
static bool falls(const mlk_md *md, int64_t every)
{
    int64_t p = md->step - md->n_equil;
    return p >= 0 && p < md->n_run && p % every == 0;
}

bool mlk_md_at_flux(const mlk_md *md)
{
    return falls(md, md->sample);
}

bool mlk_md_at_dump(const mlk_md *md)
{
    return falls(md, md->dump);
}

bool mlk_md_at_thermo(const mlk_md *md)
{
    return falls(md, md->thermo) || (md->step < md->n_equil && md->step % md->thermo == 0);
}

bool mlk_md_at_check(const mlk_md *md)
{
    if (md->cfg.check < 1) return false;
    return falls(md, md->cfg.check) || (md->step < md->n_equil && md->step % md->cfg.check == 0);
}

/* The list serves until some atom has moved half the skin. NaN positions also lead to a build,
 * which reports them. */
static bool list_is_stale(const mlk_md *md)
{
    if (md->nl.n != md->n || md->new_cell) return true;
    double limit = 0.25 * md->cfg.skin * md->cfg.skin, far = 0;
    for (size_t i = 0; i < md->n; i++) {
        double a = md->x[i][0] - md->x_list[i][0], b = md->x[i][1] - md->x_list[i][1],
               c = md->x[i][2] - md->x_list[i][2], d = a * a + b * b + c * c;
        if (!(d <= far)) far = d;
    }
    return !(far <= limit);
}

/* Positions stay continuous, but an atom far from the origin cell is moved back by whole cells, so
 * that image numbers stay small on runs of any length. */
static void bring_back(mlk_md *md)
{
    for (size_t i = 0; i < md->n; i++) {
        double frac[3], shift[3] = {0}, move[3];
        mlk_cell_frac(&md->cell, md->x[i], frac);
        bool far = false;
        for (int k = 0; k < 3; k++)
            if (md->cell.pbc[k] && fabs(frac[k] - 0.5) > 20 && fabs(frac[k]) < 1e6)
                shift[k] = floor(frac[k]), far = true;
        if (!far) continue;
        mlk_cell_cart(&md->cell, shift, move);
        for (int k = 0; k < 3; k++) md->x[i][k] -= move[k], md->img[i][k] += (int)shift[k];
    }
}

static mlk_status at_step(const mlk_md *md, mlk_err *e)
{
    mlk_err_prefix(e, "step %lld (%.4g ps): ", (long long)md->step,
                   (double)md->step * md->cfg.dt * 1e-3);
    return mlk_err_hint(e, "use a shorter --dt, a lower --temp or a better equilibrated structure; "
                           "or the model has left the range of its training data");
}

mlk_status mlk_md_forces(mlk_md *md, mlk_err *e)
{
    mlk_status s = MLK_OK;
    bool virial = mlk_md_at_thermo(md) || mlk_md_at_barostat(md);
    unsigned want = mlk_md_at_flux(md) ? MLK_WANT_W : virial ? MLK_WANT_VIRIAL : 0;
    const double(*x)[3] = (const double(*)[3])md->x;
    if (list_is_stale(md)) {
        /* a resumed run first rebuilds the list it had, so that sums keep their order */
        bool rebuild_old = md->resumed && md->nl.n == 0 && !md->new_cell;
        md->new_cell = false;
        if (!rebuild_old) {
            bring_back(md);
            memcpy(md->x_list, md->x, md->n * sizeof *md->x);
            md->sums.builds += 1;
        }
        s = mlk_neigh_build(&md->cell, md->n, (const double(*)[3])md->x_list,
                            md->pot->rc + md->cfg.skin, &md->nl, e);
    }
    if (!s)
        s = mlk_potential_eval_moved(md->pot, &md->nl, &md->cell, x, md->type, want, &md->ev, e);
    if (s == MLK_ENUMERIC) at_step(md, e);
    return s;
}

/* A microcanonical run keeps the energy it is given, and one drawn at random from the canonical
 * ensemble makes its mean temperature differ by T/sqrt(3N) from the target. So the total energy is
 * set, by the velocities, to its mean over the last half of the equilibration, <E>, less the heat 3
 * N kB (<T> - T0) by which that stretch happened to be too hot: E and T wander together, so this
 * removes most of the statistical error of a short mean (all of it in a harmonic crystal). */
static void start_production(mlk_md *md)
{
    const mlk_md_sums *q = &md->sums;
    if (md->cfg.ensemble != MLK_MD_NVE || q->eq_n < 1) return;
    double excess = 3 * (double)md->n * MLK_KB * (q->eq_t / q->eq_n - md->cfg.temp);
    double wanted = q->eq_e / q->eq_n - excess, now = md->ev.U + md->kinetic;
    double square = 1 + (wanted - now) / md->kinetic;
    if (!(square > 0.25)) square = 0.25; /* tiny systems: half or twice the velocity at most */
    if (square > 4) square = 4;
    mlk_md_scale_velocities(md, sqrt(square));
    mlk_md_remove_momentum(md);
    md->kinetic = mlk_md_kinetic(md);
    mlk_log(MLK_LOG_INFO,
            "equilibrated: production (NVE) starts, velocities scaled by %.4f to the mean "
            "energy at %g K",
            sqrt(square), md->cfg.temp);
}

double mlk_md_pressure(const mlk_md *md)
{
    double w = md->ev.W[0][0] + md->ev.W[1][1] + md->ev.W[2][2];
    return (2 * md->kinetic + w) / (3 * md->cell.volume);
}

static void note_energy(mlk_md *md)
{
    mlk_md_sums *q = &md->sums;
    double t = (double)(md->step - md->n_equil) * md->dt;
    double total = md->ev.U + md->kinetic - q->heat;
    if (q->n < 1) q->e0 = total;
    double d = total - q->e0;
    q->n += 1, q->t += t, q->tt += t * t, q->e += d, q->te += t * d, q->ee += d * d;
    q->temp += mlk_md_temperature(md);
}

double mlk_md_drift(const mlk_md *md, double *error)
{
    const mlk_md_sums *q = &md->sums;
    double unit = 1e3 / (double)md->n / (MLK_TAU_PS * 1e-3); /* eV/tau -> meV/atom/ns */
    if (error) *error = NAN;
    if (q->n < 3) return NAN;
    double vt = q->tt - q->t * q->t / q->n, ve = q->ee - q->e * q->e / q->n;
    double slope = (q->te - q->t * q->e / q->n) / vt;
    if (error) *error = unit * sqrt(fmax(ve - slope * slope * vt, 0) / (q->n - 2) / vt);
    return unit * slope;
}

/* Has the run left its ensemble? An equilibrated system in the microcanonical ensemble fluctuates
 * by T sqrt(2/3N) about a temperature that ordering or slow relaxation moves by a few per cent. A
 * running mean a quarter above the target means that bonds broke or the structure collapsed: the
 * model, not the material. A start from an arbitrary structure may be much hotter for a while. */
static bool diverged(mlk_md *md, double t, bool production)
{
    enum { HEAT_RECORDS = 50 };
    double goal = md->cfg.temp, *mean = &md->sums.recent;
    if (!isfinite(t) || t > 50 * goal + 2e4) return true;
    if (!production || md->n_equil == 0) return false;
    *mean = md->sums.n == 0 ? goal : *mean + (t - *mean) / HEAT_RECORDS;
    return *mean > goal * (1.25 + 3 * sqrt(2 / (3 * (double)md->n) / HEAT_RECORDS));
}

/* Everything a step records. Energies are checked before they are stored. */
static mlk_status observe(mlk_md *md, mlk_md_store *out, mlk_err *e)
{
    bool production = md->step >= md->n_equil;
    if (!production && 2 * (md->step - md->n_npt) >= md->n_equil - md->n_npt) {
        md->sums.eq_n += 1;
        md->sums.eq_e += md->ev.U + md->kinetic;
        md->sums.eq_t += mlk_md_temperature(md);
    }
    if (mlk_md_at_thermo(md)) {
        double t = mlk_md_temperature(md);
        if (diverged(md, t, production)) {
            MLK_FAIL(e, MLK_ENUMERIC,
                     "the temperature is %.4g K, the target %g K: the run has diverged", t,
                     md->cfg.temp);
            at_step(md, e);
            return MLK_ENUMERIC;
        }
        if (production) note_energy(md);
        mlk_md_note_shortest(md);
        mlk_md_note_bonds(md);
    }
    if (mlk_md_at_check(md)) MLK_TRY(mlk_md_check_range(md, e));
    return out ? mlk_md_store_record(out, md, e) : MLK_OK;
}

static mlk_status stop(mlk_md *md, mlk_md_store *out, mlk_err *e)
{
    if (out) MLK_TRY(mlk_md_store_checkpoint(out, md, e));
    MLK_FAIL(e, MLK_EINTERRUPTED, "stopped at step %lld of %lld%s", (long long)md->step,
             (long long)(md->n_equil + md->n_run), out ? ", checkpoint saved" : "");
    mlk_err_hint(e, "the same command continues the run");
    return MLK_EINTERRUPTED;
}
