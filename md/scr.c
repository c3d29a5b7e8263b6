/* scr.c - constant pressure by stochastic cell rescaling: Bernetti and Bussi, J. Chem. Phys. 153,
 * 114107 (2020). With e = ln V, P the instantaneous pressure and B the compressibility,
 *
 *   de = B/tau (P - P0) dt + sqrt(2 kB T B/(V tau)) dW
 *
 * samples the isothermal-isobaric ensemble; positions follow the cell and velocities go the other
 * way. The anisotropic form moves the logarithms of the three Cartesian stretches, each by its own
 * diagonal pressure with B/3: the sum of the three equations is the one above. Applied every few
 * steps; the forces are then evaluated again. B enters through tau/B alone, so only tau is asked.
 */
#include <math.h>

#include "core/log.h"
#include "core/rng.h"
#include "core/stats.h"
#include "core/units.h"
#include "md/md.h"

#define SCR_STREAM ((uint64_t)3 << 48) /* one random stream per step: a restart needs no state */

enum { EVERY = 10 }; /* steps */
/* of a soft solid electrolyte (bulk modulus 30 GPa) [A^3/eV] */
static const double compressibility = MLK_EVA3_GPA / 30;
/* far from equilibrium the cell follows no faster than this, per move */
static const double most = 0.02;

bool mlk_md_at_barostat(const mlk_md *md)
{
    return md->step > 0 && md->step <= md->n_npt && md->step % EVERY == 0;
}

void mlk_scr_moves(const double pressure[3], double target, double volume, double kt, double dt_tau,
                   bool isotropic, uint64_t seed, int64_t step, double move[3])
{
    mlk_rng g = mlk_rng_make(seed, SCR_STREAM + (uint64_t)step);
    double b = compressibility * dt_tau;
    if (isotropic) {
        double p = (pressure[0] + pressure[1] + pressure[2]) / 3;
        double de = b * (p - target) + sqrt(2 * kt * b / volume) * mlk_rng_normal(&g);
        for (int a = 0; a < 3; a++) move[a] = de / 3;
        return;
    }
    for (int a = 0; a < 3; a++)
        move[a] =
            b / 3 * (pressure[a] - target) + sqrt(2 * kt * b / 3 / volume) * mlk_rng_normal(&g);
}

mlk_status mlk_md_restore_cell(mlk_md *md, mlk_err *e)
{
    double h[3][3];
    bool pbc[3];
    md->kinetic = mlk_md_kinetic(md);
    if (!md->n_npt) return MLK_OK;
    for (int k = 0; k < 3; k++) {
        pbc[k] = md->cell.pbc[k];
        for (int a = 0; a < 3; a++) h[k][a] = md->start_cell[k][a] * exp(md->sums.strain[a]);
    }
    MLK_TRY(mlk_cell_init(&md->cell, (const double(*)[3])h, e));
    for (int k = 0; k < 3; k++) md->cell.pbc[k] = pbc[k];
    return MLK_OK;
}

mlk_status mlk_md_stretch(mlk_md *md, const double strain[3], mlk_err *e)
{
    for (int a = 0; a < 3; a++) {
        double f = exp(strain[a] - md->sums.strain[a]);
        for (size_t i = 0; i < md->n; i++) md->x[i][a] *= f, md->v[i][a] /= f;
        md->sums.strain[a] = strain[a];
    }
    md->new_cell = true;
    return mlk_md_restore_cell(md, e);
}

/* means over the second half of the stage */
static void note(mlk_md *md)
{
    mlk_md_sums *q = &md->sums;
    int64_t half = md->n_npt / 2;
    if (md->step <= half) return;
    int b = (int)((md->step - half - 1) * MLK_MD_NPT_BLOCKS / (md->n_npt - half));
    q->npt_n[b] += 1, q->npt_v[b] += md->cell.volume;
    for (int a = 0; a < 3; a++) q->npt_strain[a] += q->strain[a];
}

mlk_status mlk_md_barostat(mlk_md *md, mlk_err *e)
{
    double p[3] = {0}, move[3], strain[3];
    for (size_t i = 0; i < md->n; i++)
        for (int a = 0; a < 3; a++) p[a] += md->mass[i] * md->v[i][a] * md->v[i][a];
    for (int a = 0; a < 3; a++) p[a] = (p[a] + md->ev.W[a][a]) / md->cell.volume;
    mlk_scr_moves(p, md->cfg.pressure / MLK_EVA3_GPA, md->cell.volume, MLK_KB * md->cfg.temp,
                  EVERY * md->cfg.dt / md->cfg.tau_p, md->cfg.barostat == MLK_MD_ISO, md->cfg.seed,
                  md->step, move);
    for (int a = 0; a < 3; a++) strain[a] = md->sums.strain[a] + fmax(-most, fmin(most, move[a]));
    MLK_TRY(mlk_md_stretch(md, strain, e));
    note(md);
    return mlk_md_forces(md, e);
}

double mlk_md_npt_volume(const mlk_md *md, double *error)
{
    const mlk_md_sums *q = &md->sums;
    double mean[MLK_MD_NPT_BLOCKS], n = 0, v = 0;
    size_t blocks = 0;
    for (int b = 0; b < MLK_MD_NPT_BLOCKS; b++) {
        if (q->npt_n[b] < 1) continue;
        mean[blocks++] = q->npt_v[b] / q->npt_n[b];
        n += q->npt_n[b], v += q->npt_v[b];
    }
    if (error) *error = mlk_sem(blocks, mean);
    return n > 0 ? v / n : NAN;
}

mlk_status mlk_md_fix_cell(mlk_md *md, mlk_err *e)
{
    double n = 0, strain[3], err, v = mlk_md_npt_volume(md, &err), per = (double)md->n;
    for (int b = 0; b < MLK_MD_NPT_BLOCKS; b++) n += md->sums.npt_n[b];
    if (n < 1) return MLK_OK;
    for (int a = 0; a < 3; a++) strain[a] = md->sums.npt_strain[a] / n;
    MLK_TRY(mlk_md_stretch(md, strain, e));
    mlk_log(
        MLK_LOG_INFO,
        "%g GPa, %g K: volume %.3f +- %.3f A^3/atom; the cell is kept at its mean, stretched by "
        "%.4f %.4f %.4f",
        md->cfg.pressure, md->cfg.temp, v / per, err / per, exp(strain[0]), exp(strain[1]),
        exp(strain[2]));
    return mlk_md_forces(md, e);
}
