/* rattle.h - test structures: rattled triclinic cells and clusters. */
#ifndef MLK_TESTS_RATTLE_H
#define MLK_TESTS_RATTLE_H

#include <stdint.h>

#include "core/frame.h"

/* n atoms of the given species (cycled) in a triclinic cell with the given edge [A]; no two atoms
 * closer than dmin where the density allows. Labels absent. */
mlk_status mlk_test_crystal(size_t n, size_t n_species, const int *z, double edge, double dmin,
                            uint64_t seed, mlk_frame *fr, mlk_err *e);

#endif
