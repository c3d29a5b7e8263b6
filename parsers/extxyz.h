/* extxyz.h - what the two halves of the extended XYZ reader share: extxyz.c reads frames and atoms,
 * extxyz_labels.c the labels of the comment line. */
#ifndef MLK_PARSERS_EXTXYZ_H
#define MLK_PARSERS_EXTXYZ_H

#include <stdbool.h>

#include "core/frame.h"
#include "parsers/keyval.h"

/* What has been said about this file already: every message comes once. */
typedef struct mlk_xyz_said {
    bool sign, z, columns, weight, raw, energy, forces, isolated, total;
} mlk_xyz_said;

/* The comment line being read. */
typedef struct mlk_xyz_head {
    const char *path;
    long line;
    int frame; /* its number, from 1 */
    mlk_keyval *kv;
    size_t n_kv;
    char flag[2]; /* "T": the value of a key without one */
    mlk_xyz_said *said;
} mlk_xyz_head;

/* Value of the first of the keys (NULL-ended) that is there; *found (may be NULL) becomes it. */
char *mlk_xyz_find(mlk_xyz_head *h, const char *const *keys, const char **found);
#define MLK_XYZ_FIND(h, found, ...)                                                                \
    mlk_xyz_find((h), (const char *const[]){__VA_ARGS__, NULL}, (found))
/* "KEY should be EXPECTED, found 'VALUE'" at the comment line. */
mlk_status mlk_xyz_bad(const mlk_xyz_head *h, mlk_err *e, const char *key, const char *expected,
                       const char *value);
/* Which prefix a key or column name has: 2 REF_, 1 DFT_ or VASP_, 0 none. *base is the rest. */
int mlk_xyz_prefix(const char *name, const char **base);
/* Cell and periodicity; isolated: no Lattice but pbc="F F F" (its box is made when the atoms are
 * known). */
mlk_status mlk_xyz_cell(mlk_xyz_head *h, mlk_frame *fr, bool *isolated, mlk_err *e);
/* Energy, stress, temperature, group, ... into fr; the cell must be there. */
mlk_status mlk_xyz_labels(mlk_xyz_head *h, mlk_frame *fr, mlk_err *e);

#endif
