/* check.h - the thorough look at a data set: what its labels mean, not only whether they are there.
 * Everything found is a mlk_suspect; numbers of the stress tests are rows of their own, because
 * they are worth reading also when nothing is wrong. Nothing is removed here. */
#ifndef MLK_DATASETS_CHECK_H
#define MLK_DATASETS_CHECK_H

#include "datasets/dataset.h"
#include "datasets/suspect.h"

/* One test of the stresses of some frames against an independent measure. */
typedef struct mlk_stress_row {
    char name[96];      /* group, file or key                                       */
    const char *method; /* "strain" energies of strained cells, "fit" a fitted model */
    size_t frame;       /* first frame of it                                        */
    size_t n, frames;   /* pairs of cells, or frames; frames                        */
    double slope;       /* of the stored against the independent ones; NaN: no variation */
    double rms, bias;   /* stored - independent: RMS of a component, mean of the trace/3 [GPa] */
    double size;        /* RMS of the independent ones about their mean [GPa]       */
    double best_rms;    /* with the reading that fits best [GPa]                    */
    char best[96];      /* its name                                                 */
    int order;          /* of the shear components that explains them best (stress_reading.h) ... */
    double order_gain; /* ... and what the next best adds to the squared error, over its variance */
    bool raw;          /* of a key of unknown meaning                              */
    bool bad;          /* became a finding                                         */
} mlk_stress_row;

typedef struct mlk_check {
    mlk_suspects s;
    unsigned char *leaky; /* (ds->n) owned; 1: has a twin in the test set; NULL without one */
    mlk_stress_row *row;  /* (n_row) owned */
    size_t n_row, cap_row;
    double median_f[MLK_ELEMENT_MAX + 1]; /* of |F| of an element [eV/A]; 0 unknown   */
    double smear_min, smear_max;          /* F - E0 [meV/atom]; NaN when unknown      */
    char fit[256]; /* what the fitted test did, or why it was skipped; "" when not asked for */
} mlk_check;

/* Which energies a set holds. */
typedef struct mlk_energy_kinds {
    size_t n, stated, unstated; /* frames with an energy; said to be free energies; not said     */
    size_t with_e0, only_e0;    /* with E(sigma->0) beside it; with nothing else                 */
    size_t first_stated, first_unstated, first_only_e0; /* frames; SIZE_MAX: none                */
    double largest; /* of |F - E0| [eV/atom], 0 when unknown                                     */
    bool mixed;     /* stated and unstated ones, or frames with nothing but E0 among others      */
} mlk_energy_kinds;

/* Everything but the tests that need a model: the fitted one (train/consistency.h) and the shifted
 * files, which it does or else mlk_check_without_fit. test may be NULL: another set whose
 * frames should not have twins in ds. c all-zero before. Errors: MLK_ENOMEM. Cost: neighbour lists
 * of every frame, parallel. */
mlk_status mlk_dataset_check(const mlk_dataset *ds, const mlk_dataset *test, mlk_check *c,
                             mlk_err *e);
void mlk_check_free(mlk_check *c);
mlk_status mlk_check_add_row(mlk_check *c, const mlk_stress_row *row, mlk_err *e);
/* Turn a row into a finding where the stress contradicts the independent one. What must be beaten:
 *   noise   error of the independent measure [GPa] */
mlk_status mlk_check_judge_row(mlk_check *c, mlk_stress_row *row, double noise, mlk_err *e);

/* Kinds of energy in a set, and (text, cap bytes) what to choose for all of it. */
void mlk_dataset_energy_kinds(const mlk_dataset *ds, mlk_energy_kinds *k);
char *mlk_energy_advice(const mlk_dataset *ds, const mlk_energy_kinds *k, char *text, size_t cap);
/* Warn of a set that mixes them: a silent mistake of the size of the smearing. */
void mlk_dataset_warn_energy_kinds(const mlk_dataset *ds);

/* Parts of mlk_dataset_check, each adding to c. */
typedef struct mlk_shape { /* of one frame, for comparing frames and judging distances */
    double m[3];           /* smooth sums over pairs in three shells             */
    double ratio, dist;    /* least distance over the sum of covalent radii; that distance [A] */
    int za, zb;            /* its elements                                       */
    double gap;            /* widest empty layer across a periodic direction [A] */
    int gap_axis;
} mlk_shape;
mlk_status mlk_check_shapes(const mlk_dataset *ds, mlk_shape *shape, mlk_err *e);
mlk_status mlk_check_twins(const mlk_dataset *ds, const mlk_shape *shape, const mlk_dataset *test,
                           const mlk_shape *test_shape, mlk_check *c, mlk_err *e);
mlk_status mlk_check_levels(const mlk_dataset *ds, mlk_check *c, mlk_err *e);
mlk_status mlk_check_scans(const mlk_dataset *ds, mlk_check *c, mlk_err *e);
/* Files (or groups) whose energies lie apart from the others of the same composition.
 * residual (ds->n): energy per atom minus what structure explains [eV], NaN to leave a frame out;
 * floor: least offset worth a finding [eV/atom]. */
mlk_status mlk_check_offsets(const mlk_dataset *ds, const double *residual, double floor,
                             const char *method, mlk_check *c, mlk_err *e);
/* The same with residuals of a simple baseline: mean squared force and volume. */
mlk_status mlk_check_baseline_offsets(const mlk_dataset *ds, mlk_check *c, mlk_err *e);
/* What to do instead of the fitted test: that, and a word on stress-like keys. */
mlk_status mlk_check_without_fit(const mlk_dataset *ds, mlk_check *c, mlk_err *e);
/* Hash of the composition; reduced: H2O and H4O2 are one. */
uint64_t mlk_composition(const mlk_frame *fr, bool reduced);

#endif
