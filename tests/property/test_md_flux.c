/* test_md_flux.c - the energy flux of every registered potential (docs/THEORY.md eq. 5): in an
 * isolated cluster J_E = d/dt sum_i r_i E_i exactly, which fails for any wrong sign or index order.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/rng.h"
#include "core/units.h"
#include "md/fluxes.h"
#include "md/md.h"
#include "tests/support/check.h"
#include "tests/support/rattle.h"

#define EACH(t) for (const mlk_potential_type *const *tp = mlk_potential_types, *t; (t = *tp); tp++)

static const int species[3] = {3, 15, 16};

static mlk_potential *make(const mlk_potential_type *t)
{
    mlk_err e = {0};
    mlk_potential *pot;
    mlk_check_ok(mlk_potential_new(&pot, t, &e), e);
    mlk_check_ok(mlk_potential_create(pot, 3, species, 7, &e), e);
    if (strcmp(t->name, "lj")) { /* every parameter random, so that no term hides */
        mlk_rng g = mlk_rng_make(11, 3);
        for (size_t k = 0; k < pot->n_param; k++) {
            double scale = fabs(pot->param[k]) > 1e-3 ? fabs(pot->param[k]) : 0.05;
            pot->param[k] += 0.3 * scale * mlk_rng_normal(&g);
        }
        if (t->update) mlk_check_ok(t->update(pot, &e), e);
    }
    return pot;
}

/* A cluster of 14 atoms in vacuum with thermal velocities and forces; virials on every step. */
static void cluster(const mlk_potential *pot, mlk_md *md)
{
    mlk_frame fr;
    mlk_err e = {0};
    const double box[3][3] = {{60, 0, 0}, {0, 60, 0}, {0, 0, 60}};
    mlk_check_ok(mlk_test_crystal(14, 3, species, 7.0, 2.1, 5, &fr, &e), e);
    mlk_check_ok(mlk_cell_init(&fr.cell, box, &e), e);
    for (int k = 0; k < 3; k++) fr.cell.pbc[k] = false;
    mlk_md_config c = {.temp = 900,
                       .dt = 0.05,
                       .run = 1e6,
                       .sample = 0.05,
                       .dump = 50,
                       .tau = 100,
                       .skin = 0.5,
                       .thermo = 1000,
                       .seed = 9};
    mlk_check_ok(mlk_md_init(md, &c, pot, &fr, &e), e);
    mlk_check_ok(mlk_md_forces(md, &e), e);
    mlk_frame_free(&fr);
}

static void moment(const mlk_md *md, double m[3])
{
    m[0] = m[1] = m[2] = 0;
    for (size_t i = 0; i < md->n; i++) {
        const double *v = md->v[i];
        double en = 0.5 * md->mass[i] * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) + md->ev.u[i];
        for (int c = 0; c < 3; c++) m[c] += md->x[i][c] * en;
    }
}

static void flux(const mlk_md *md, double j[3])
{
    mlk_md_flux f;
    mlk_md_fluxes(md->n, md->el, md->n_el, md->mass, (const double(*)[3])md->v, &md->ev, &f);
    for (int c = 0; c < 3; c++) j[c] = f.kinetic[c] + f.convective[c] + f.virial[c];
}

/* The derivative of sum r_i E_i along (v, f/m), by differences of sixth order. */
Test(md_flux, energy_flux_is_the_rate_of_the_energy_moment)
{
    EACH(t)
    {
        mlk_potential *pot = make(t);
        mlk_md md;
        mlk_err e = {0};
        cluster(pot, &md);
        double j[3], d[3] = {0}, m[3], (*x)[3] = mlk_alloc(md.n, sizeof *x),
                     (*v)[3] = mlk_alloc(md.n, sizeof *v);
        double(*a)[3] = mlk_alloc(md.n, sizeof *a);
        flux(&md, j);
        for (size_t i = 0; i < md.n; i++)
            for (int c = 0; c < 3; c++)
                x[i][c] = md.x[i][c], v[i][c] = md.v[i][c], a[i][c] = md.ev.f[i][c] / md.mass[i];
        const double weight[4] = {0, 45.0 / 60, -9.0 / 60, 1.0 / 60}, h = 0.01; /* tau */
        for (int k = -3; k <= 3; k++) {
            if (k == 0) continue;
            for (size_t i = 0; i < md.n; i++)
                for (int c = 0; c < 3; c++) {
                    md.x[i][c] = x[i][c] + k * h * v[i][c];
                    md.v[i][c] = v[i][c] + k * h * a[i][c];
                }
            mlk_check_ok(mlk_md_forces(&md, &e), e);
            moment(&md, m);
            for (int c = 0; c < 3; c++) d[c] += (k < 0 ? -1 : 1) * weight[abs(k)] * m[c] / h;
        }
        double scale = fabs(j[0]) + fabs(j[1]) + fabs(j[2]), worst = 0;
        for (int c = 0; c < 3; c++) worst = fmax(worst, fabs(d[c] - j[c]));
        cr_assert(worst < 1e-7 * scale, "%s: error %.3g of %.3g", t->name, worst, scale);
        mlk_free(x), mlk_free(v), mlk_free(a);
        mlk_md_free(&md);
        mlk_potential_destroy(pot);
    }
}

/* A step of fourth order from three velocity-Verlet steps (Yoshida, Phys. Lett. A 150, 262 (1990)).
 */
static void step4(mlk_md *md, double dt)
{
    mlk_err e = {0};
    const double w1 = 1 / (2 - cbrt(2)), w0 = 1 - 2 * w1;
    const double w[3] = {w1, w0, w1};
    for (int k = 0; k < 3; k++) {
        md->dt = w[k] * dt;
        mlk_check_ok(mlk_md_step(md, &e), e);
    }
}

/* Along a real trajectory: the integral of J_E (Boole's rule) is the change of sum r_i E_i. */
Test(md_flux, integrated_energy_flux_moves_the_energy_moment)
{
    mlk_log_set_level(MLK_LOG_WARN);
    EACH(t)
    {
        mlk_potential *pot = make(t);
        mlk_md md;
        cluster(pot, &md);
        const int n = 100;
        const double dt = 0.02, boole[4] = {14, 32, 12, 32}; /* tau */
        double m0[3], m1[3], j[3], sum[3] = {0}, path = 0;
        moment(&md, m0);
        for (int k = 0; k <= n; k++) {
            flux(&md, j);
            double w = (k == 0 || k == n) ? 7 : boole[k % 4];
            for (int c = 0; c < 3; c++) sum[c] += w * 2 * dt / 45 * j[c], path += fabs(j[c]) * dt;
            if (k < n) step4(&md, dt);
        }
        moment(&md, m1);
        for (int c = 0; c < 3; c++)
            cr_assert(fabs(sum[c] - (m1[c] - m0[c])) < 1e-6 * path, "%s: error %.3g of %.3g",
                      t->name, fabs(sum[c] - (m1[c] - m0[c])), path);
        mlk_md_free(&md);
        mlk_potential_destroy(pot);
    }
}

/* The mass fluxes add up to the total momentum, and the three parts are what their names say. */
Test(md_flux, parts_and_species_add_up)
{
    mlk_potential *pot = make(mlk_potential_find("lj"));
    mlk_md md;
    mlk_md_flux f;
    cluster(pot, &md);
    mlk_md_fluxes(md.n, md.el, md.n_el, md.mass, (const double(*)[3])md.v, &md.ev, &f);
    cr_assert_eq(md.n_el, 3);
    double scale = 0, total[3] = {0}, kin[3] = {0}, conv[3] = {0};
    for (size_t k = 0; k < 3; k++)
        for (int c = 0; c < 3; c++) total[c] += f.mass[k][c], scale += fabs(f.mass[k][c]);
    for (size_t i = 0; i < md.n; i++)
        for (int c = 0; c < 3; c++) {
            double v2 = md.v[i][0] * md.v[i][0] + md.v[i][1] * md.v[i][1] + md.v[i][2] * md.v[i][2];
            kin[c] += 0.5 * md.mass[i] * v2 * md.v[i][c];
            conv[c] += md.ev.u[i] * md.v[i][c];
        }
    for (int c = 0; c < 3; c++) {
        mlk_check_close(total[c], 0, 1e-13 * scale);
        mlk_check_close(f.kinetic[c], kin[c], 1e-13);
        mlk_check_close(f.convective[c], conv[c], 1e-13);
    }
    mlk_md_free(&md);
    mlk_potential_destroy(pot);
}
