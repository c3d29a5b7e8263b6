/* validate.h - between the files of mlkit validate.
 *
 * cmd_validate.c        options, predictions, tables, JSON
 * validate_data.c       the frames as the models saw them: kind of energy, split
 * validate_committee.c  models of one kind as a committee: prediction intervals */
#ifndef MLK_CLI_VALIDATE_H
#define MLK_CLI_VALIDATE_H

#include <stdbool.h>

#include "core/json.h"
#include "datasets/dataset.h"
#include "potentials/potential.h"
#include "train/train.h"

/* 0 auto: what the model's train.yaml says, free without one. */
enum { MLK_ENERGY_AUTO = 0, MLK_ENERGY_AS_FREE = 1, MLK_ENERGY_AS_SIGMA0 = 2 };

typedef struct mlk_validated {
    const char *path;
    mlk_potential *pot;
    bool recorded;   /* train.yaml and train.json stand beside it                      */
    int energy;      /* MLK_ENERGY_AS_*: to compare with: what it was trained on, or as asked */
    int trained;     /* MLK_ENERGY_AS_*: what it was trained on                               */
    double fraction; /* the split it was trained with */
    size_t n_frames; /* that it was trained and validated with                         */
    int split_seed;
    char fingerprint[32]; /* of the data and that split                                     */
    mlk_prediction *p;    /* (ds->n) owned                                                  */
    mlk_fit_errors er;
} mlk_validated;

/* What the model folder says of its training (all of it unset for a bare file). */
void mlk_validate_record(mlk_validated *m, int energy);
/* Free energies of a set kept aside, so that fr->energy can be what a model was trained on. */
typedef struct mlk_energies {
    double *free_energy; /* (n) owned */
    unsigned *has;       /* (n) owned */
    size_t n;
} mlk_energies;
mlk_status mlk_energies_keep(const mlk_dataset *ds, mlk_energies *k, mlk_err *e);
/* Make fr->energy this kind; a frame without it has no energy then. Returns how many have none. */
size_t mlk_energies_use(mlk_dataset *ds, const mlk_energies *k, int kind);
void mlk_energies_free(mlk_energies *k);
/* What is known of the split of a set. */
enum {
    MLK_SPLIT_UNKNOWN = 0, /* no frame is marked as held out, and no model knows the set   */
    MLK_SPLIT_KNOWN = 1,   /* by the data, or repeated                                     */
    MLK_SPLIT_NONE = 2     /* the models were trained on all of it                         */
};
/* Where a set without a split is the one the models were trained on, repeat their split. *found:
 * MLK_SPLIT_UNKNOWN... */
mlk_status mlk_validate_split(mlk_dataset *ds, const mlk_energies *k, const mlk_validated *m,
                              size_t nm, int *found, mlk_err *e);

/* Committees among the models: those of one type, species, kind and scale of energy. which: the
 * split asked for, -1 all; dir "" : no files. list: gets one object per committee; print: tables to
 * stdout. */
mlk_status mlk_validate_committees(mlk_dataset *ds, const mlk_energies *k, const mlk_validated *m,
                                   size_t nm, int split, int which, const char *dir, bool print,
                                   json_t *list, mlk_err *e);
/* "-" for what is unknown; buf of 32. */
const char *mlk_or_dash(double v, int digits, char *buf);

#endif
