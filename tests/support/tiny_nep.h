/* tiny_nep.h - a NEP of three species small enough for unit tests, and frames labelled by one. */
#ifndef MLK_TESTS_TINY_NEP_H
#define MLK_TESTS_TINY_NEP_H

#include "datasets/dataset.h"
#include "potentials/potential.h"

/* Species Li P S, cutoffs 4 and 3 A, 4 neurons; parameters from seed, scaler 1. */
mlk_potential *tiny_nep(uint64_t seed);
/* n frames of 8 atoms, every fifth for validation, labelled by tiny_nep(seed); species: Li and S of
 * varying composition. shift [eV] is added to the energy for each Li atom, twice that for each S.
 */
mlk_dataset tiny_set(size_t n, uint64_t seed, double shift);
void tiny_free(mlk_dataset *ds);

#endif
