/* vaspout.h - is an HDF5 file one that VASP wrote? */
#ifndef MLK_PARSERS_VASPOUT_H
#define MLK_PARSERS_VASPOUT_H

#include <stdbool.h>
#include <stddef.h>

/* Does the file hold /intermediate/ion_dynamics or /results/positions? head: its first n bytes
 * after decompression. */
bool mlk_vaspout_is(const char *path, const char *head, size_t n);
/* The level of theory as VASP's input states it, "VASP GGA=PE ENCUT=520 POTCAR=PAW_PBE Li_sv,..."
 * into buf of cap bytes. potcar: the text of POTCAR; xc: METAGGA or GGA of the INCAR, "" when not
 * set (then that of the potentials); encut [eV], 0 when not set (then the largest ENMAX). "" when
 * potcar names no potential. */
void mlk_vaspout_theory(const char *potcar, const char *xc, double encut, char *buf, size_t cap);

#endif
