/* vasprun_make.h - large vasprun.xml files of made-up numbers, laid out as VASP lays out an MD run:
 * SCF steps, structure, forces, stress and energy of every ionic step; eigenvalues and density of
 * states in the last. */
#ifndef MLK_TESTS_VASPRUN_MAKE_H
#define MLK_TESTS_VASPRUN_MAKE_H

#include <stddef.h>

typedef struct mlk_test_vasprun {
    size_t atoms;     /* in: per step                                              */
    double megabytes; /* in: least size (10^6 bytes); at least one step is written */
    size_t steps;     /* out */
    double bytes;     /* out */
    double energy;    /* out: sum of e_fr_energy [eV]                              */
    double abs_force; /* out: sum of all |force components| [eV/A]                 */
} mlk_test_vasprun;

/* 0 when the file could not be written. */
int mlk_test_make_vasprun(const char *path, mlk_test_vasprun *v);

#endif
