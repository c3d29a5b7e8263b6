/* md.h - small Lennard-Jones argon systems for tests of molecular dynamics. */
#ifndef MLK_TESTS_MD_H
#define MLK_TESTS_MD_H

#include "md/md.h"

/* Argon-like pair potential; destroy with mlk_potential_destroy. */
mlk_potential *mlk_test_argon(void);
/* fcc argon, nx x nx x nx cells of 4 atoms. */
void mlk_test_fcc(int nx, double a, mlk_frame *fr);
/* Settings with every field filled: NVE, 60 K, dt 4 fs. */
mlk_md_config mlk_test_md_config(double equil_fs, double run_fs);

#endif
