/* vasp_text.h - what the readers of VASP's files share: fields and words of the text files (OUTCAR,
 * XDATCAR, POSCAR), and what follows from facts that every format has. */
#ifndef MLK_PARSERS_VASP_TEXT_H
#define MLK_PARSERS_VASP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "parsers/text.h"

/* The first n numbers of a line of Fortran fields with a fixed count of decimals; a full field runs
 * into its neighbour (-1.50000-10.25000), which the decimals undo. Returns how many could be read
 * before a field that is no number (asterisks, text, the end); *s stands behind them. */
size_t mlk_vasp_fields(const char **s, size_t n, int decimals, double *v);
/* n such numbers with nothing behind them but blanks, or a unit (may be NULL) and what follows it.
 * Other text is the sign of a line that was cut and continued by another file: refused. */
bool mlk_vasp_fields_only(const char *s, size_t n, int decimals, const char *unit, double *v);
/* Do the first three words of both lines have the same number of decimals, six or more? Tells a
 * whole last line without line end from one that was cut inside its last number. */
bool mlk_vasp_same_decimals(const char *line, const char *model);
/* Element of a species word as VASP writes it ("Li", "Li_sv", "Li/0123abc"); 0 when it is none. */
int mlk_vasp_element(const char *word);
/* "PAW_PBE Li_sv 10Sep2004" -> 3: the first word after the kind of potential that names an element;
 * 0 when none does. */
int mlk_vasp_potcar_z(const char *title);
/* The text behind "KEY  =" of a line that starts with KEY (after blanks), else NULL. */
const char *mlk_vasp_value(const char *line, const char *key);
/* A Fortran logical: T, .TRUE., t; anything else is false. */
bool mlk_vasp_true(const char *s);
/* The title, trimmed; "" for what VASP calls a run without SYSTEM. */
void mlk_vasp_title(char *dst, size_t cap, const char *system);
/* MLK_SCF_* of a loop of n iterations: fewer than NELM converged, NELM unconverged; unknown when
 * there are none or more, or nelm is not known (0, NaN). */
int mlk_vasp_scf(long n, double nelm);
/* Temperature [K] of n atoms with this kinetic energy [eV], whose centre of mass rests; NaN when
 * the energy is, or for one atom. */
double mlk_vasp_temperature(double kinetic, size_t n);
/* The hint to a file that ends after n_steps complete ionic steps. Returns e->code. */
mlk_status mlk_vasp_early_end(long n_steps, mlk_err *e);
/* POSCAR and XDATCAR of VASP 4: the current line has n numbers of atoms where the elements should
 * stand; title: line 1, which may name them. */
mlk_status mlk_vasp_no_species(const mlk_text_in *t, const char *title, size_t n, mlk_err *e);

#endif
