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
/* "PAW_PBE Li_sv 10Sep2004" -> 3: the first word after the kind of potential that names an element;
 * 0 when none does. */
int mlk_vasprun_potcar_z(const char *title);
/* Copy without blanks at both ends, cut to cap - 1 bytes; bytes that are no UTF-8 become '?'. */
void mlk_vasprun_trim(char *dst, size_t cap, const char *s);

/* What a vasprun.xml says about its level of theory. Unknown numbers are NaN, unknown texts "". */
typedef struct mlk_vasprun_level {
    char gga[16], metagga[24];    /* as printed; "--": that of the POTCARs              */
    double encut, aexx, hfscreen; /* eV; share of exact exchange; screening [1/A]       */
    double ivdw;                  /* 0 or NaN: none                                     */
    bool ldau, hybrid;
    char potcar[256]; /* titles without dates, in order, each once, with ','*/
} mlk_vasprun_level;
/* Nothing known. */
void mlk_vasprun_level_init(mlk_vasprun_level *l);
/* One more POTCAR title, "PAW_PBE Li_sv 10Sep2004" (the date is left out). */
void mlk_vasprun_level_potcar(mlk_vasprun_level *l, const char *title);
/* The level as one text, "VASP GGA=PE ENCUT=520 POTCAR=PAW_PBE Li_sv,PAW_PBE S LDAU"; "" when
 * nothing is known; program and version for programs other than VASP. When it does not fit into cap
 * bytes the list of POTCARs is cut and ends in "...". */
void mlk_vasprun_level_text(const mlk_vasprun_level *l, const char *program, const char *version,
                            char *buf, size_t cap);
/* Exactly n blank-separated finite numbers; false when one is missing or unreadable (asterisks, run
 * together). */
bool mlk_vasprun_numbers(const char *s, int n, double *v);

#endif
