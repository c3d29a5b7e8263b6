/* suspect.h - labels that deserve a look before they are trained on. Nothing is removed here. */
#ifndef MLK_DATASETS_SUSPECT_H
#define MLK_DATASETS_SUSPECT_H

#include "datasets/dataset.h"

typedef enum {
    MLK_SUSPECT_NO_ENERGY,
    MLK_SUSPECT_NO_FORCE,
    MLK_SUSPECT_NO_STRESS,     /* common and harmless; training then has no virial from it   */
    MLK_SUSPECT_UNCONVERGED,   /* the SCF loop stopped at its limit                          */
    MLK_SUSPECT_DUPLICATE,     /* same cell, species and positions, to the bit; other: the first */
    MLK_SUSPECT_CONTRADICTION, /* a duplicate whose energy or forces differ; value [eV]      */
    MLK_SUSPECT_FORCE,         /* |F| of an atom over 10 times the force RMS of the set; [eV/A] */
    MLK_SUSPECT_NET_FORCE,     /* |sum F| over 0.1 eV/A and over 1 % of sum |F|; [eV/A]      */
    MLK_SUSPECT_ENERGY,        /* over 10 robust deviations and 0.1 eV/atom from the median of
                                  its formula; [eV/atom]                                     */
    MLK_SUSPECT_CLOSE,         /* two atoms nearer than 0.5 A; [A]  */
    MLK_SUSPECT_COUNT
} mlk_suspect_kind;

typedef struct mlk_suspect {
    mlk_suspect_kind kind;
    size_t frame; /* index in the data set */
    size_t other; /* of MLK_SUSPECT_DUPLICATE and _CONTRADICTION */
    double value; /* what was found, unit as above */
} mlk_suspect;

typedef struct mlk_suspects {
    mlk_suspect *item; /* (n) owned; ordered by kind, then frame */
    size_t n, cap;
    size_t count[MLK_SUSPECT_COUNT];
    double force_rms; /* of all force components [eV/A] */
} mlk_suspects;

/* Look at every frame. s all-zero before. O(frames log frames + atoms), pairs only for CLOSE. */
mlk_status mlk_dataset_suspect(const mlk_dataset *ds, mlk_suspects *s, mlk_err *e);
void mlk_suspects_free(mlk_suspects *s);
/* "unconverged_scf": stable name; and what to make of it, for people. */
const char *mlk_suspect_name(mlk_suspect_kind kind);
const char *mlk_suspect_text(mlk_suspect_kind kind);
/* Unit of the value, "" when there is none. */
const char *mlk_suspect_unit(mlk_suspect_kind kind);

#endif
