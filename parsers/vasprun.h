/* vasprun.h - what the reader and the writer of vasprun.xml share. */
#ifndef MLK_PARSERS_VASPRUN_H
#define MLK_PARSERS_VASPRUN_H

#include <stdbool.h>
#include <stddef.h>

/* Are the names of calculation/energy shifted in files of this generator? VASP up to 6.0 prints
 * E(sigma->0) under e_wo_entrp and the entropy term under e_0_energy. 1 yes, 0 no, -1 undecidable
 * (no readable version). Programs other than VASP never do. */
int mlk_vasprun_shifted(const char *program, const char *version);
/* Is it VASP itself? An empty name counts as VASP (old or edited files). */
bool mlk_vasprun_is_vasp(const char *program);

/* E(sigma->0) from the three values of calculation/energy [eV]; NaN when it is missing. Without a
 * readable version: an e_0 over 5 eV from F can only be the entropy term. */
double mlk_vasprun_energy0(const char *program, const char *version, double e_fr, double e_wo,
                           double e_0);

#endif
