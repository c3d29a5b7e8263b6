/* writers.h - writers of the formats of other potential codes; those of the formats of the main
 * path are in parser.h. Each writes a whole file atomically, or a folder the caller has made. */
#ifndef MLK_PARSERS_WRITERS_H
#define MLK_PARSERS_WRITERS_H

#include <stddef.h>

#include "core/err.h"
#include "core/frame.h"

enum { MLK_EXACT = 32 };
/* v as text: 15 digits, or 17 where these do not read back as the same double. Returns buf. */
char *mlk_exact(char buf[MLK_EXACT], double v);

/* The frames that have energy, forces and a cell, in order: *m shallow copies in *kept (mlk_free
 * it). The others are counted in one warning; none left: MLK_EINVAL. */
mlk_status mlk_labelled(const mlk_frame *fr, size_t n, const char *path, mlk_frame **kept,
                        size_t *m, mlk_err *e);

/* train.xyz of GPUMD's NEP; labelled frames only. All numbers exact. */
mlk_status mlk_write_gpumd(const char *path, const mlk_frame *fr, size_t n, mlk_err *e);
/* input.data of n2p2 / RuNNer; labelled frames only. In Angstrom and eV all numbers are exact. */
mlk_status mlk_write_n2p2(const char *path, const mlk_frame *fr, size_t n, mlk_err *e);
/* The same in Bohr and Hartree: exact to 2e-16 relative. */
mlk_status mlk_write_n2p2_bohr(const char *path, const mlk_frame *fr, size_t n, mlk_err *e);
/* LAMMPS data file (units metal, atom_style atomic) of one structure, turned so that a is along x
 * and b in the xy plane. */
mlk_status mlk_write_lammps(const char *path, const mlk_frame *fr, mlk_err *e);
/* DeePMD systems: dir/FORMULA/{type.raw,type_map.raw,set.000/...npy} in double precision, atoms
 * sorted by type; labelled frames only. dir must exist. *n_files: systems. All numbers exact. */
mlk_status mlk_write_deepmd(const char *dir, const mlk_frame *fr, size_t n, size_t *n_files,
                            mlk_err *e);
/* dir/0001_NAME_STEP/POSCAR, ... ready for VASP, NAME the group or the formula: at rest, atoms
 * sorted by element in one order for all, so that one POTCAR serves; and dir/index.csv with the
 * source of each. dir must exist. */
mlk_status mlk_write_poscar_runs(const char *dir, const mlk_frame *fr, size_t n, size_t *n_files,
                                 mlk_err *e);
/* The parts of it. "0001_NAME_STEP" of the number-th frame, from 1; buf of at least 96. */
void mlk_poscar_run_name(const mlk_frame *fr, size_t number, char *buf, size_t cap);
/* Add the elements of a frame to the n in z (MLK_ELEMENT_MAX) in order of appearance; returns how
 * many there are then. */
size_t mlk_element_order(const mlk_frame *fr, int *z, size_t n);
/* One POSCAR, in its folder below dir, with the elements in the order z (nz). */
mlk_status mlk_write_poscar_run(const char *dir, const mlk_frame *fr, size_t number, const int *z,
                                size_t nz, mlk_err *e);

#endif
