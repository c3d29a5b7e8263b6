/* test_md_npt.c - stochastic cell rescaling: the distribution of the volume where it is known, and
 * the pressure of a crystal after it. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/log.h"
#include "core/units.h"
#include "md/md.h"
#include "tests/support/check.h"
#include "tests/support/md.h"

/* Ideal gas of N atoms with P = N kT/V: the density of V is V^N exp(-P0 V/kT), so P0 V/kT has mean
 * and variance N + 1. */
static void ideal_gas(bool isotropic)
{
    enum { N = 40, BLOCK = 50000, BLOCKS = 16 };
    const double kt = 0.1, p0 = 2e-3, unit = kt / p0;
    double v = 30 * unit, mean = 0, square = 0, m2 = 0;
    int64_t step = 0;
    for (int b = -1; b < BLOCKS; b++) { /* the first block forgets the start */
        double sum = 0;
        for (int k = 0; k < BLOCK; k++) {
            double p = N * kt / v, move[3];
            mlk_scr_moves((double[]){p, p, p}, p0, v, kt, 2, isotropic, 5, step++, move);
            if (isotropic) cr_assert(move[0] == move[1] && move[1] == move[2]);
            v *= exp(move[0] + move[1] + move[2]);
            sum += v / unit;
            if (b >= 0) square += (v / unit - N - 1) * (v / unit - N - 1);
        }
        if (b < 0) continue;
        mean += sum / BLOCK / BLOCKS, m2 += sum / BLOCK * (sum / BLOCK) / BLOCKS;
    }
    double err = sqrt((m2 - mean * mean) / (BLOCKS - 1));
    square /= (double)BLOCK * BLOCKS;
    cr_assert(err < 0.3, "error %g", err);
    mlk_check_close(mean, N + 1, 4 * err + 0.002 * N); /* moves are short, not infinitesimal */
    mlk_check_close(square / (N + 1), 1, 0.05);
}

Test(npt, volume_of_an_ideal_gas_is_gamma_distributed)
{
    ideal_gas(true);
    ideal_gas(false);
}

/* argon, squeezed along x, at zero pressure: cubic again, and no pressure afterwards */
static void crystal(int barostat, double tolerance)
{
    mlk_err e = {0};
    mlk_md md;
    mlk_frame fr;
    mlk_potential *pot = mlk_test_argon();
    mlk_md_config c = mlk_test_md_config(4000, 12000);
    mlk_log_set_level(MLK_LOG_WARN);
    c.npt = 30000, c.tau_p = 50, c.barostat = barostat, c.pressure = 1;
    mlk_test_fcc(3, 5.4, &fr);
    if (barostat == MLK_MD_ANISO) {
        double h[3][3];
        memcpy(h, fr.cell.h, sizeof h);
        h[0][0] *= 0.97;
        mlk_check_ok(mlk_cell_init(&fr.cell, (const double(*)[3])h, &e), e);
        for (size_t i = 0; i < fr.n; i++) fr.x[i][0] *= 0.97;
    }
    mlk_check_ok(mlk_md_init(&md, &c, pot, &fr, &e), e);
    double p = 0, n = 0;
    mlk_check_ok(mlk_md_forces(&md, &e), e);
    while (md.step < md.n_equil + md.n_run) {
        mlk_check_ok(mlk_md_step(&md, &e), e);
        if (md.step == md.n_npt) {
            double err, v = mlk_md_npt_volume(&md, &err);
            mlk_check_ok(mlk_md_fix_cell(&md, &e), e);
            /* the volume of the mean strain, the mean volume: equal to second order */
            mlk_check_close(md.cell.volume / v, 1, 1e-3);
            cr_assert(err > 0 && err < 0.01 * v, "%g +- %g", v, err);
        }
        if (md.step > md.n_equil && mlk_md_at_thermo(&md)) p += mlk_md_pressure(&md), n++;
    }
    mlk_check_close(p / n * MLK_EVA3_GPA, 1, tolerance);
    const double *s = md.sums.strain;
    if (barostat == MLK_MD_ISO)
        cr_expect(s[0] == s[1] && s[1] == s[2]);
    else
        for (int a = 1; a < 3; a++) mlk_check_close(md.cell.h[a][a] / md.cell.h[0][0], 1, 0.006);
    mlk_md_free(&md);
    mlk_frame_free(&fr);
    mlk_potential_destroy(pot);
}

Test(npt, a_crystal_ends_at_the_pressure_asked_for)
{
    crystal(MLK_MD_ISO, 0.03);
    crystal(MLK_MD_ANISO, 0.03);
}
