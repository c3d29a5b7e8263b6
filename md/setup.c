/* setup.c - from settings, structure and model to the state at step 0. Everything automatic is
 * decided here, once, and written into md->cfg and md->settings. */
#include "md/md.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/rng.h"
#include "core/units.h"

#define VELOCITY_STREAM 1

/* Steps in `length`; at least one. */
static int64_t steps(double length, double dt)
{
    int64_t k = (int64_t)llround(length / dt);
    return k < 1 ? 1 : k;
}

static mlk_status resolve_times(mlk_md *md, mlk_err *e)
{
    mlk_md_config *c = &md->cfg;
    double lightest = INFINITY;
    for (size_t i = 0; i < md->n; i++) lightest = fmin(lightest, md->mass[i]);
    if (c->dt <= 0) c->dt = lightest < 3.5 ? 1 : 2; /* about 1/10 of the fastest period */
    if (!(c->run >= c->dt) || !isfinite(c->run) || !(c->equil >= 0) || !isfinite(c->equil) ||
        !(c->npt >= 0) || !isfinite(c->npt))
        return MLK_FAIL(e, MLK_EINVAL,
                        "a run of %g fs and an equilibration of %g fs with steps of %g fs", c->run,
                        c->equil, c->dt);
    if ((c->run + c->equil + c->npt) / c->dt > 1e15)
        return MLK_FAIL(e, MLK_EINVAL, "more than 1e15 steps");
    md->dt = c->dt / MLK_TAU_FS;
    if (c->sample <= 0) c->sample = c->dt * fmax(1, floor(4 / c->dt + 1e-9));
    md->sample = steps(c->sample, c->dt);
    if (fabs((double)md->sample * c->dt - c->sample) > 1e-6 * c->dt) {
        MLK_FAIL(e, MLK_EINVAL, "sampling every %g fs is not a whole number of steps of %g fs",
                 c->sample, c->dt);
        mlk_err_hint(e, "for example --sample %gfs", (double)md->sample * c->dt);
        return MLK_EINVAL;
    }
    if (c->sample > 10)
        mlk_log(MLK_LOG_WARN,
                "fluxes every %g fs: motion above %.3g THz is folded into the spectrum", c->sample,
                500 / c->sample);
    md->n_npt = c->npt > 0 ? steps(c->npt, c->dt) : 0;
    md->n_equil = md->n_npt + (c->equil > 0 ? steps(c->equil, c->dt) : 0);
    md->n_run = steps(c->run, c->dt);
    md->dump = steps(c->dump, c->dt);
    md->thermo = c->thermo;
    return MLK_OK;
}

static mlk_status check_config(const mlk_md_config *c, mlk_err *e)
{
    if (!(c->temp > 0) || !isfinite(c->temp)) {
        MLK_FAIL(e, MLK_EINVAL, "the temperature %g K is not positive", c->temp);
        return mlk_err_hint(e, "for example --temp 650"), MLK_EINVAL;
    }
    if (!(c->tau > 0) || !(c->skin >= 0) || c->thermo < 1 || c->check < 0 || !(c->dump > 0))
        return MLK_FAIL(e, MLK_EINVAL,
                        "tau %g fs, skin %g A, thermo %d steps, dump %g fs: out of range", c->tau,
                        c->skin, c->thermo, c->dump);
    if (c->npt > 0 && (!(c->tau_p > 0) || !isfinite(c->pressure)))
        return MLK_FAIL(e, MLK_EINVAL, "pressure %g GPa, tau-p %g fs: out of range", c->pressure,
                        c->tau_p);
    return MLK_OK;
}

/* Refuse what cannot fit before the memory is touched: about 100 bytes per listed pair. */
static mlk_status check_memory(const mlk_md *md, mlk_err *e)
{
    double r = md->pot->rc + md->cfg.skin, n = (double)md->n;
    double pairs = n * fmin(n / md->cell.volume * 4.2 * r * r * r, 2e9);
    double have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    double need = 100 * pairs + 600 * n;
    if (pairs < 2e9 && need < have) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL,
             "%zu atoms with about %.0f neighbours each need %.3g GB of memory, this machine "
             "has %.3g GB",
             md->n, pairs / n, need * 1e-9, have * 1e-9);
    mlk_err_hint(e, "use a smaller --supercell");
    return MLK_EINVAL;
}

static mlk_status copy_structure(mlk_md *md, const mlk_frame *fr, mlk_err *e)
{
    size_t n = md->n = fr->n;
    md->cell = fr->cell;
    memcpy(md->start_cell, fr->cell.h, sizeof md->start_cell);
    md->n_el = mlk_frame_species(fr, md->element);
    md->z = mlk_alloc(n, sizeof *md->z);
    md->type = mlk_alloc(n, sizeof *md->type);
    md->el = mlk_alloc(n, sizeof *md->el);
    md->mass = mlk_alloc(n, sizeof *md->mass);
    md->x = mlk_alloc(n, sizeof *md->x);
    md->v = mlk_alloc(n, sizeof *md->v);
    md->x_list = mlk_alloc(n, sizeof *md->x_list);
    md->img = mlk_alloc(n, sizeof *md->img);
    md->shortest = mlk_alloc(md->n_el * md->n_el, sizeof *md->shortest);
    md->outside = mlk_alloc(2 * md->n_el, sizeof *md->outside);
    if (!md->z || !md->type || !md->el || !md->mass || !md->x || !md->v || !md->x_list ||
        !md->img || !md->shortest || !md->outside)
        return MLK_FAIL(e, MLK_ENOMEM, "molecular dynamics of %zu atoms", n);
    memcpy(md->z, fr->z, n * sizeof *md->z);
    memcpy(md->x, fr->x, n * sizeof *md->x);
    for (size_t k = 0; k < md->n_el * md->n_el; k++) md->shortest[k] = INFINITY;
    for (size_t i = 0; i < n; i++) {
        while (md->element[md->el[i]] != md->z[i]) md->el[i]++;
        md->mass[i] = mlk_element_mass(md->z[i]);
        if (!(md->mass[i] > 0))
            return MLK_FAIL(e, MLK_EINVAL, "atom %zu (%s) has no known mass", i + 1,
                            mlk_element_symbol(md->z[i]));
    }
    return mlk_potential_types_of(md->pot, fr, md->type, e);
}

/* Maxwell-Boltzmann, then momentum out, then scaled to exactly the temperature asked for. */
static void start_velocities(mlk_md *md)
{
    mlk_rng g = mlk_rng_make(md->cfg.seed, VELOCITY_STREAM);
    for (size_t i = 0; i < md->n; i++)
        for (int c = 0; c < 3; c++)
            md->v[i][c] = sqrt(MLK_KB * md->cfg.temp / md->mass[i]) * mlk_rng_normal(&g);
    mlk_md_remove_momentum(md);
    md->kinetic = mlk_md_kinetic(md);
    mlk_md_scale_velocities(md, sqrt(md->cfg.temp / mlk_md_temperature(md)));
    mlk_md_remove_momentum(md);
    md->kinetic = mlk_md_kinetic(md);
}

/* FNV-1a, 64 bits: enough to notice that a file is another one; not for security. */
static uint64_t fnv(uint64_t h, const void *data, size_t bytes)
{
    const unsigned char *p = data;
    for (size_t k = 0; k < bytes; k++) h = (h ^ p[k]) * 0x100000001b3u;
    return h;
}

static void record_settings(mlk_md *md, const mlk_frame *fr)
{
    const mlk_md_config *c = &md->cfg;
    const mlk_potential *p = md->pot;
    char formula[256];
    uint64_t start = 0xcbf29ce484222325u;
    uint64_t hs = fnv(fnv(fnv(start, fr->z, fr->n * sizeof *fr->z), fr->x, fr->n * sizeof *fr->x),
                      fr->cell.h, sizeof fr->cell.h);
    uint64_t hm = fnv(fnv(start, p->z, p->n_species * sizeof *p->z), &p->rc, sizeof p->rc);
    if (p->param) hm = fnv(hm, p->param, p->n_param * sizeof *p->param);
    double zbl[3] = {p->zbl.on, p->zbl.inner, p->zbl.outer};
    hm = fnv(hm, zbl, sizeof zbl);
    if (p->zbl.typewise) hm = fnv(hm, &p->zbl.typewise_factor, sizeof p->zbl.typewise_factor);
    char file[65] = "";
    if (p->path[0] && mlk_file_sha256(p->path, file, NULL)) file[0] = 0;
    snprintf(
        md->settings, sizeof md->settings,
        "format: mlkit-md 1\nmodel: %s %016llx%s%s\nstructure: %s %016llx\nensemble: %s\n"
        "temperature_K: %.17g\ndt_fs: %.17g\nequil_steps: %lld\nrun_steps: %lld\n"
        "sample_steps: %lld\ndump_steps: %lld\nthermo_steps: %lld\ntau_fs: %.17g\nskin_A: %.17g\n"
        "seed: %llu\n",
        p->type->name, (unsigned long long)hm, file[0] ? " " : "", file,
        mlk_frame_formula(fr, formula, sizeof formula), (unsigned long long)hs,
        c->ensemble == MLK_MD_NVT ? "nvt" : "nve", c->temp, c->dt, (long long)md->n_equil,
        (long long)md->n_run, (long long)md->sample, (long long)md->dump, (long long)md->thermo,
        c->tau, c->skin, (unsigned long long)c->seed);
    if (md->n_npt)
        snprintf(md->settings + strlen(md->settings), sizeof md->settings - strlen(md->settings),
                 "npt_steps: %lld\npressure_GPa: %.17g\nbarostat: %s\ntau_p_fs: %.17g\n",
                 (long long)md->n_npt, c->pressure, c->barostat == MLK_MD_ISO ? "iso" : "aniso",
                 c->tau_p);
}

mlk_status mlk_md_init(mlk_md *md, const mlk_md_config *cfg, const mlk_potential *pot,
                       const mlk_frame *fr, mlk_err *e)
{
    memset(md, 0, sizeof *md);
    md->cfg = *cfg;
    md->pot = pot;
    md->nl.no_rev = true;
    mlk_status s = check_config(cfg, e);
    if (!s) s = mlk_frame_check(fr, e);
    if (!s && !(fr->cell.volume > 0))
        s = MLK_FAIL(e, MLK_EINVAL, "the structure has no cell"),
        mlk_err_hint(e, "molecular dynamics needs lattice vectors (a large box for a molecule)");
    if (!s && fr->n < 2) {
        s = MLK_FAIL(e, MLK_EINVAL,
                     "one atom has no temperature: molecular dynamics needs two or more");
        mlk_err_hint(e, "use --supercell 2x2x2");
    }
    if (!s) s = copy_structure(md, fr, e);
    if (!s) s = check_memory(md, e);
    if (!s) s = resolve_times(md, e);
    if (!s) s = mlk_md_find_bonds(md, e);
    if (s) {
        mlk_md_free(md);
        return s;
    }
    start_velocities(md);
    record_settings(md, fr);
    return MLK_OK;
}

void mlk_md_free(mlk_md *md)
{
    mlk_free(md->z), mlk_free(md->type), mlk_free(md->el), mlk_free(md->mass);
    mlk_free(md->x), mlk_free(md->v), mlk_free(md->x_list), mlk_free(md->img);
    mlk_free(md->shortest), mlk_free(md->outside), mlk_free(md->bond), mlk_free(md->turns);
    mlk_grades_free(&md->grades);
    mlk_neigh_free(&md->nl);
    mlk_eval_free(&md->ev);
    memset(md, 0, sizeof *md);
}
