/* element.h - symbols and standard atomic weights (IUPAC 2021 abridged; mass number of the
 * longest-lived isotope where there is none). Everywhere in mlkit an atom's species is its atomic
 * number Z; models map Z to their own type index. */
#ifndef MLK_CORE_ELEMENT_H
#define MLK_CORE_ELEMENT_H

#define MLK_ELEMENT_MAX 103

/* Atomic number of a symbol ("Li"; case matters, surrounding blanks do not), 0 if unknown. */
int mlk_element_z(const char *symbol);
/* "Li" for 3; "?" outside 1..MLK_ELEMENT_MAX. */
const char *mlk_element_symbol(int z);
/* amu; 0 outside the table. */
double mlk_element_mass(int z);
/* Single-bond covalent radius [A] (P. Pyykko, M. Atsumi, Chem. Eur. J. 15, 186 (2009)); 0 outside
 * the table. */
double mlk_element_radius(int z);

#endif
