/* suspect.h - labels that deserve a look before they are trained on. Nothing is removed here.
 * mlk_dataset_suspect is the quick look of `mlkit dataset info`; datasets/check.h the thorough one.
 */
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
    /* found by mlk_dataset_check only: */
    MLK_SUSPECT_NO_LABEL,    /* an image without energy, forces and stress: nothing was computed */
    MLK_SUSPECT_TWIN,        /* same up to symmetry, origin and order of atoms; other: the first
                                one; |dE| [meV]                                              */
    MLK_SUSPECT_LEAK,        /* frame of the TEST set, other: its first twin in the data     */
    MLK_SUSPECT_TEST_TWIN,   /* frame and other of the TEST set: twins there                 */
    MLK_SUSPECT_PAIR,        /* distance under 0.6 of the sum of the covalent radii; [A]     */
    MLK_SUSPECT_HANDED,      /* lattice vectors form a left-handed system; det h [A^3]       */
    MLK_SUSPECT_VACUUM,      /* a layer without atoms in a periodic direction; [A]           */
    MLK_SUSPECT_RUNS,        /* a further run begins in the same file; its number            */
    MLK_SUSPECT_ENERGY_KIND, /* stated free energies and others in one set; frames with it   */
    MLK_SUSPECT_SMEARING,    /* |F - E0| of a frame is large; [meV/atom]                     */
    MLK_SUSPECT_THEORY,      /* one of several levels of theory; frames with it              */
    MLK_SUSPECT_OFFSET,      /* files whose energies are shifted against others; [meV/atom]  */
    MLK_SUSPECT_STRESS,      /* stress contradicts energies (and forces); RMS difference [GPa] */
    MLK_SUSPECT_RAW_STRESS,  /* a stress-like key of unknown meaning; RMS difference [GPa]   */
    MLK_SUSPECT_COUNT
} mlk_suspect_kind;

typedef struct mlk_suspect {
    mlk_suspect_kind kind;
    size_t frame;   /* index in the data set */
    size_t other;   /* of MLK_SUSPECT_DUPLICATE and _CONTRADICTION */
    double value;   /* what was found, unit as above */
    double limit;   /* what it was compared with, same unit; 0: nothing */
    char note[512]; /* details for people, "" when none */
} mlk_suspect;

typedef enum { MLK_ADVICE_KEEP, MLK_ADVICE_LOOK, MLK_ADVICE_DROP } mlk_advice;

typedef struct mlk_suspects {
    mlk_suspect *item; /* (n) owned; ordered by kind, then frame */
    size_t n, cap;
    size_t count[MLK_SUSPECT_COUNT];
    double force_rms; /* of all force components [eV/A] */
} mlk_suspects;

/* Look at every frame. s all-zero before. O(frames log frames + atoms), pairs only for CLOSE. */
mlk_status mlk_dataset_suspect(const mlk_dataset *ds, mlk_suspects *s, mlk_err *e);
void mlk_suspects_free(mlk_suspects *s);
/* Add one; fmt: the note. */
mlk_status mlk_suspects_add(mlk_suspects *s, mlk_suspect it, mlk_err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Order by kind, then frame. */
void mlk_suspects_sort(mlk_suspects *s);
/* What to do with frames of this kind by default. */
mlk_advice mlk_suspect_advice(mlk_suspect_kind kind);
/* Kind of a name, MLK_SUSPECT_COUNT when unknown. */
mlk_suspect_kind mlk_suspect_find(const char *name);
/* "unconverged_scf": stable name; and what to make of it, for people. */
const char *mlk_suspect_name(mlk_suspect_kind kind);
const char *mlk_suspect_text(mlk_suspect_kind kind);
/* Unit of the value, "" when there is none. */
const char *mlk_suspect_unit(mlk_suspect_kind kind);

#endif
