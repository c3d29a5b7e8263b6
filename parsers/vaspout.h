/* vaspout.h - is an HDF5 file one that VASP wrote? */
#ifndef MLK_PARSERS_VASPOUT_H
#define MLK_PARSERS_VASPOUT_H

#include <stdbool.h>
#include <stddef.h>

/* Does the file hold /intermediate/ion_dynamics or /results/positions? head: its first n bytes
 * after decompression. */
bool mlk_vaspout_is(const char *path, const char *head, size_t n);

#endif
