/* train.h - fitting potentials to DFT data: what is asked for, and the steps that do it.
 *
 *   mlk_train_config   everything a user may set (train/config.c: YAML, --set, printing)
 *   mlk_fit_model      one model from data to its finished folder (train/fit.c), by
 *       mlk_fit_e0         per-species reference energies                 (train/e0.c)
 *       mlk_fit_zbl        radii of the repulsive core, shortest distances (train/repulsion.c)
 *       mlk_start_potential  a model that was read, made ready for more    (train/start.c)
 *       mlk_train_gradient Adam, then Gauss-Newton, on energies, forces and virials
 *                          (train/train.c, polish.c)
 *       mlk_train_snes     the same by natural evolution, as GPUMD does it (train/snes_fit.c)
 *       mlk_lsq_fit        ridge least squares for linear models          (train/lsq.c)
 *   mlk_predict        energies, forces, stresses of a set, and errors    (train/errors.c) */
#ifndef MLK_TRAIN_TRAIN_H
#define MLK_TRAIN_TRAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "datasets/dataset.h"
#include "potentials/potential.h"

/* ---- what is asked for --------------------------------------------------------------------- */

typedef struct mlk_train_data {
    double valid_fraction; /* of the frames, in whole trajectory groups            */
    int split_seed;        /* of the split; the same for all models of a study     */
    int energy;            /* 0 free (consistent with the forces), 1 sigma0        */
} mlk_train_data;

typedef struct mlk_train_loss {
    double energy, force, virial; /* weights of errors in units of the label spread; NaN: auto  */
    double huber;                 /* force errors beyond this many spreads count linearly; 0 off */
    double ramp;                  /* energy weight at the start as a fraction of its final value */
} mlk_train_loss;

typedef struct mlk_train_stop {
    int epochs;    /* 0: from visits or budget                            */
    double visits; /* million atoms seen in total; NaN: auto              */
    double budget; /* wall seconds; 0 none                                */
    int patience;  /* epochs without a better validation loss; 0 off      */
} mlk_train_stop;

enum { MLK_TRAIN_GRADIENT, MLK_TRAIN_SNES };

typedef struct mlk_train_optim {
    int method;          /* MLK_TRAIN_GRADIENT, MLK_TRAIN_SNES               */
    int batch;           /* frames per step; 0: about 100 atoms              */
    double lr, lr_min;   /* peak and final learning rate                     */
    double warmup;       /* fraction of the run with rising rate             */
    double weight_decay; /* decoupled, per unit of learning rate             */
    double clip;         /* gradient norm above this times its running mean is cut; 0 off */
    double average;      /* decay of the exponential average of the parameters; 0 off     */
    double polish;       /* share of the run for Gauss-Newton cycles at its end; 0 none   */
} mlk_train_optim;

typedef struct mlk_train_evolve { /* optimizer.method: snes; the loss is in eV/atom, eV/A, eV/atom
                                   */
    int population, generations;
    int batch;                           /* frames per generation; 0 all                  */
    double lambda_e, lambda_f, lambda_v; /* weights of the RMSEs; lambda_v NaN: 0.1 if there are
                                            virials                                       */
    double lambda_1, lambda_2;           /* of the L1 and L2 norms; NaN: from the number of
                                            parameters                                    */
    double sigma; /* first width of the search; NaN: 0.1, 0.01 from a start */
} mlk_train_evolve;

typedef struct mlk_train_model {
    const mlk_potential_type *type;
    void *hyper;       /* struct of type->hyper, owned                        */
    uint64_t given;    /* bit k: row k of type->hyper was set by the user     */
    char name[64];     /* "" : type-N                                         */
    int seed;          /* -1: from the run                                    */
    char zbl[64];      /* auto | off | inner,outer                            */
    double ridge;      /* linear models; NaN: chosen on the validation frames */
    char species[512]; /* "Te,Pb": species in this order; "": those of the data           */
    char from[1024];   /* start model: file or folder; "": random parameters               */
    char sha256[132];  /* of its file (and of model.yaml, after a comma); "": not asked for */
} mlk_train_model;

typedef struct mlk_train_group {
    char pattern[64]; /* shell pattern of a group or config_type             */
    double weight;
} mlk_train_group;

typedef struct mlk_train_config {
    int seed;
    char **path; /* (n_path) data files or folders, owned; none: the bundled set */
    size_t n_path, cap_path;
    char **valid; /* (n_valid) files whose frames all validate, owned; then nothing is split off */
    size_t n_valid, cap_valid;
    mlk_train_data data;
    mlk_train_loss loss;
    mlk_train_stop stop;
    mlk_train_optim optimizer;
    mlk_train_evolve snes;
    mlk_train_group *group; /* (n_group) owned */
    size_t n_group, cap_group;
    char e0[1024];          /* least-squares | none | "Li=-0.3,S=-1.1" */
    mlk_train_model *model; /* (n_model) owned */
    size_t n_model, cap_model;
    bool quick;         /* half as long a fit: 10 to 20 s of one core for some hundred frames */
    char command[2048]; /* as typed, for the record */
} mlk_train_config;

/* Defaults; quick ones if asked. No model, no data. */
mlk_status mlk_train_config_init(mlk_train_config *c, bool quick, mlk_err *e);
void mlk_train_config_free(mlk_train_config *c);
/* Read a YAML file, or a nep.in of GPUMD (train/nep_in.c), on top (docs/FORMATS.md). Errors carry
 * file:line and the nearest known key. */
mlk_status mlk_train_config_read(mlk_train_config *c, const char *path, mlk_err *e);
/* Loss weights with "auto" resolved, for gradient training or for linear least squares. */
mlk_train_loss mlk_train_weights(const mlk_train_loss *w, bool linear);
/* Learning rate, warm-up, weight decay and ramp with "auto" resolved; start: such that they do not
 * destroy what a start model knows. */
void mlk_train_resolve(mlk_train_config *c, bool start);
/* One setting "loss.force" or "nep.cutoff" (all models of that type). */
mlk_status mlk_train_config_set(mlk_train_config *c, const char *key, const char *value,
                                mlk_err *e);
/* Make the list of models be these types ("nep,snap"): present ones are kept with their settings.
 */
mlk_status mlk_train_config_models(mlk_train_config *c, const char *types, mlk_err *e);
mlk_status mlk_train_config_path(mlk_train_config *c, const char *path, mlk_err *e);
mlk_status mlk_train_config_valid(mlk_train_config *c, const char *path, mlk_err *e);
/* Forget all data paths. */
void mlk_train_config_no_data(mlk_train_config *c);
/* Start all models of its type from this model; when no model was asked for yet, ask for it.
 * Errors: the file is no model; linear models (solved at once); no model of that type is asked
 * for. */
mlk_status mlk_train_config_from(mlk_train_config *c, const char *path, mlk_err *e);
/* After everything was set: take hyper-parameters and checksum of every start model. Errors: a
 * hyper-parameter that was given and differs; a file that is not the one of the record. */
mlk_status mlk_train_config_start(mlk_train_config *c, mlk_err *e);
/* nep.in of GPUMD: does the text look like it; read it on top of *c, with train.xyz and test.xyz
 * beside it as data. Errors carry file:line: what would change the physics is refused. */
bool mlk_nep_in_sniff(const char *path, const char *text);
mlk_status mlk_train_config_nep_in(mlk_train_config *c, const char *path, const char *text,
                                   mlk_err *e);
/* The resolved file, with every default written out. only: one model (NULL: all). */
void mlk_train_config_print(const mlk_train_config *c, const mlk_train_model *only, FILE *out);

/* ---- errors of a model on data ------------------------------------------------------------- */

typedef struct mlk_stat {
    double sum2, sum1; /* of squared and absolute errors */
    size_t n;
} mlk_stat;

/* Root mean square / mean absolute; NaN without data. */
double mlk_stat_rmse(const mlk_stat *s);
double mlk_stat_mae(const mlk_stat *s);

typedef struct mlk_fit_errors { /* one definition everywhere; no shift of energies is hidden */
    mlk_stat energy;            /* per frame, per atom [eV]                           */
    mlk_stat force;             /* per component [eV/A]                               */
    mlk_stat stress;            /* per component xx yy zz xy yz zx [GPa]              */
    mlk_stat species[MLK_ELEMENT_MAX + 1]; /* forces on one element, by atomic number */
    size_t n_frames;
} mlk_fit_errors;

typedef struct mlk_prediction { /* of one frame */
    double energy;              /* with reference energies [eV] */
    double (*f)[3];             /* (n,3) [eV/A]                 */
    double virial[3][3];        /* [eV]                         */
} mlk_prediction;

/* Predictions of every frame of a set, in parallel over frames; *out (ds->n) is freed by
 * mlk_predict_free. Errors: a species the model does not know, with file and frame. */
mlk_status mlk_predict(const mlk_potential *pot, const mlk_dataset *ds, mlk_prediction **out,
                       mlk_err *e);
void mlk_predict_free(mlk_prediction *p, size_t n);
/* Add the frames of one split (or, with split < 0, all) to *er (all-zero is valid). */
void mlk_errors_add(const mlk_dataset *ds, const mlk_prediction *p, int split, mlk_fit_errors *er);
/* Stress component c (xx yy zz xy yz zx) [GPa] of a virial in a volume. */
double mlk_stress_gpa(const double virial[3][3], double volume, int c);
extern const char *const mlk_stress_name[6];

/* ---- steps --------------------------------------------------------------------------------- */

/* Per-species reference energies from the training frames, into pot->e0. Where the compositions do
 * not determine them, the mean energy per atom goes to all species and the rest is the smallest
 * change that fits. note (cap bytes): what was done. */
mlk_status mlk_fit_e0(mlk_potential *pot, const mlk_dataset *ds, const char *how, char *note,
                      size_t cap, mlk_err *e);
/* A fit that begins with m->from: reads the model, checks its species against the data, logs its
 * errors as it is, takes a difference of the energy references up in e0, sets dmin. Parameters,
 * scaler, cutoffs and repulsive core stay those of the file.
 * Errors: MLK_EINVAL the data hold a species that the model lacks. */
mlk_status mlk_start_potential(const mlk_train_config *c, const mlk_train_model *m,
                               const mlk_dataset *ds, mlk_potential **pot, mlk_err *e);
/* After the fit: put the start (param (n_param), e0) back if energies and forces both got worse on
 * the validation frames (training frames when none validate), with a warning. */
mlk_status mlk_start_guard(mlk_potential *pot, const double *param, const double *e0,
                           const mlk_dataset *ds, mlk_err *e);
/* Which parameters belong to species that the data lack: keep (n_param). */
mlk_status mlk_start_keep(const mlk_potential *pot, const mlk_dataset *ds, bool *keep, mlk_err *e);
/* Shortest distance of each species pair in the training frames (within pot->rc) into pot->dmin. */
mlk_status mlk_fit_dmin(mlk_potential *pot, const mlk_dataset *ds, mlk_err *e);
enum { MLK_ZBL_OUTER_MAX = 4 }; /* [A] as GPUMD allows: a core of Cs with the covalent radii */
/* Set pot->zbl as asked: off, "inner,outer[,factor of the covalent radii]", or auto: below 0.9 of
 * the usual nearest distance. */
mlk_status mlk_fit_zbl(mlk_potential *pot, const mlk_dataset *ds, const char *how, char *note,
                       size_t cap, mlk_err *e);

typedef struct mlk_epoch { /* one row of loss.csv; NaN: no such label */
    double epoch, wall, lr, loss;
    double e_train, f_train, s_train, e_valid, f_valid, s_valid; /* meV/atom, meV/A, GPa */
    double l1, l2, v_train, v_valid; /* of SNES: regularisation, virial [eV/atom]; else 0 */
} mlk_epoch;

typedef struct mlk_history {
    mlk_epoch *row;
    size_t n, cap;
    double wall; /* spent so far, over all sessions [s] */
} mlk_history;

/* Fit the parameters of a model with MLK_CAP_VJP. Reads and writes dir/checkpoint.h5 (dir may be
 * NULL: none): the same call continues an interrupted run bit for bit. key: text that must agree
 * with the checkpoint's. On success pot holds the parameters best on validation.
 * Errors: MLK_EINTERRUPTED (state saved), MLK_ENUMERIC (diverged again and again). */
mlk_status mlk_train_gradient(mlk_potential *pot, const mlk_dataset *ds, const mlk_train_config *c,
                              uint64_t seed, const char *dir, const char *key, mlk_history *h,
                              mlk_err *e);

/* The same by separable natural evolution strategies with the loss of GPUMD; works for any model.
 * keep (n_param) or NULL: parameters that must not move. pot->e0 takes up the mean energy error,
 * for the species of the data. */
mlk_status mlk_train_snes(mlk_potential *pot, const mlk_dataset *ds, const mlk_train_config *c,
                          uint64_t seed, const bool *keep, const char *dir, const char *key,
                          mlk_history *h, mlk_err *e);

typedef struct mlk_fit_result {
    char name[64];
    bool was_complete; /* nothing was done, the folder held the finished model */
    size_t n_param;
    mlk_fit_errors train, valid;
    double wall;
    bool failed; /* forces are no better than zero, on validation (training) frames */
} mlk_fit_result;

/* One model, from data to the finished folder dir (NULL: no folder, fit and errors only).
 * Errors: MLK_EINVAL dir holds something else or was made with other settings. */
mlk_status mlk_fit_model(const mlk_train_config *c, const mlk_train_model *m, const char *name,
                         uint64_t seed, const mlk_dataset *ds, const char *dir, mlk_fit_result *res,
                         mlk_err *e);
/* Weight of every frame from loss.groups; errors: a pattern that matches nothing, no training or no
 * validation frame left with a weight. */
mlk_status mlk_fit_weights(const mlk_train_config *c, const mlk_dataset *ds, double *weight,
                           mlk_err *e);
/* Read the data of a configuration (none given: the bundled set), choose the energy, split. */
mlk_status mlk_fit_load(const mlk_train_config *c, mlk_dataset *ds, mlk_err *e);
/* Log the table a user checks before a fit: frames by group, species, labels found and used,
 * spreads. Errors: MLK_EINVAL a label that has a weight is absent from all training frames. */
mlk_status mlk_fit_describe(const mlk_train_config *c, const mlk_dataset *ds, mlk_err *e);
/* Hash of all frames and of the split, 16 hex digits. */
void mlk_fit_fingerprint(const mlk_dataset *ds, char hex[17]);
#endif
