/* md.c - see md.h. */
#include "tests/support/md.h"

#include <string.h>

#include "tests/support/check.h"

mlk_potential *mlk_test_argon(void)
{
    mlk_err e = {0};
    mlk_potential *pot;
    const int z = 18;
    mlk_check_ok(mlk_potential_new(&pot, mlk_potential_find("lj"), &e), e);
    mlk_check_ok(mlk_potential_create(pot, 1, &z, 1, &e), e);
    pot->rc = 7.0;
    pot->param[0] = 0.01032;
    pot->param[1] = 3.405;
    return pot;
}

void mlk_test_fcc(int nx, double a, mlk_frame *fr)
{
    mlk_err e = {0};
    mlk_frame one;
    const double h[3][3] = {{a, 0, 0}, {0, a, 0}, {0, 0, a}};
    const double s[4][3] = {{0, 0, 0}, {0, 0.5, 0.5}, {0.5, 0, 0.5}, {0.5, 0.5, 0}};
    mlk_check_ok(mlk_frame_init(&one, 4, &e), e);
    mlk_check_ok(mlk_cell_init(&one.cell, h, &e), e);
    for (int i = 0; i < 4; i++) {
        one.z[i] = 18;
        mlk_cell_cart(&one.cell, s[i], one.x[i]);
    }
    mlk_check_ok(mlk_frame_repeat(&one, (const int[3]){nx, nx, nx}, fr, &e), e);
    mlk_frame_free(&one);
}

mlk_md_config mlk_test_md_config(double equil_fs, double run_fs)
{
    return (mlk_md_config){.temp = 60,
                           .dt = 4,
                           .equil = equil_fs,
                           .run = run_fs,
                           .sample = 4,
                           .dump = 40,
                           .tau = 100,
                           .skin = 0.6,
                           .max_drift = 5,
                           .checkpoint = 60,
                           .thermo = 10,
                           .ensemble = MLK_MD_NVE,
                           .seed = 3};
}
