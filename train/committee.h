/* committee.h - several models of one kind, fitted from different seeds: their mean, their spread,
 * and how large errors are for a given spread.
 *
 * The spread of a committee ranks errors but is too small: seeds do not differ in what they share,
 * the data and the form of the model. One factor alpha per quantity, fitted on frames no member was
 * trained on, turns it into prediction intervals (docs/THEORY.md section 9; Musil et al., J. Chem.
 * Theory Comput. 15, 906 (2019); Imbalzano et al., J. Chem. Phys. 154, 074102 (2021)). */
#ifndef MLK_TRAIN_COMMITTEE_H
#define MLK_TRAIN_COMMITTEE_H

#include <stdbool.h>

#include "core/json.h"
#include "train/train.h"

enum {
    MLK_COMMITTEE_MIN = 8,    /* atoms (frames, for energies) needed to fit alpha at all       */
    MLK_COMMITTEE_BINS = 10,  /* of equal count, at most                                       */
    MLK_COMMITTEE_LEVELS = 22 /* probabilities of the quantile curve                           */
};
enum { MLK_COMMITTEE_FORCE = 0, MLK_COMMITTEE_ENERGY = 1 }; /* quantities */

/* One atom's force, or one frame's energy per atom. */
typedef struct mlk_spread {
    size_t unit; /* trajectory group, from 0                                                   */
    int z;       /* element; 0 for an energy                                                   */
    double s;    /* spread: rms over components of the unbiased standard deviation [eV/A, eV]  */
    double d[3]; /* mean of the members minus reference; an energy has d[0] only               */
} mlk_spread;

typedef struct mlk_committee_bin {
    size_t n;
    double spread;    /* rms of the raw spread                                                  */
    double predicted; /* rms of the calibrated standard uncertainty                             */
    double rmse, err; /* rms error of the mean, its standard error                              */
} mlk_committee_bin;

/* Fractions of errors inside the intervals of a probability: of the raw spread read as a Gaussian
 * standard deviation, and calibrated; err: standard error of the latter, whole groups as units. */
typedef struct mlk_coverage {
    double p, before, after, err;
} mlk_coverage;

/* The error of the mean divided by the spread follows alpha times Student's t with `dof` degrees of
 * freedom. alpha and alpha_z are from all frames; everything that judges (coverage, bins) uses the
 * alpha of that half of the groups to which the judged frame does not belong. NaN: unknown. */
typedef struct mlk_calibration {
    int quantity, dof;
    size_t n, n_unit;        /* samples with a spread, trajectory groups                     */
    size_t n_zero;           /* samples without any spread (identical members), left out     */
    double alpha, alpha_err; /* NaN with fewer than MLK_COMMITTEE_MIN samples                */
    double half[2];          /* of the two halves of the groups                              */
    double plain;            /* rms of error/spread: alpha without finite-committee correction */
    double rms_factor;       /* standard uncertainty / spread; infinite for dof < 3          */
    double rms_spread, rms_error; /* [eV/A] or [eV/atom]                                        */
    double slope, slope_err;      /* of ln(rmse) against ln(predicted) over the bins; 1: one factor
                                     does for small and large spreads alike */
    double spearman;              /* of spread and error over samples                             */
    bool by_species;              /* one alpha per element predicts better                        */
    double gain, gain_err;        /* of that, in log likelihood per sample on the other half      */
    double alpha_z[MLK_ELEMENT_MAX + 1]; /* NaN: too few atoms                                  */
    mlk_coverage one, two;               /* 68.27 % and 95.45 %                                 */
    mlk_coverage curve[MLK_COMMITTEE_LEVELS];
    mlk_committee_bin bin[MLK_COMMITTEE_BINS];
    size_t n_bin;
} mlk_calibration;

/* Fit alpha to the n samples of a committee of k >= 2 and judge it. half (n_unit): 0 or 1, the half
 * of the groups each unit belongs to. With too few samples alpha is NaN, with too few in one half
 * everything that judges is. Errors: MLK_ENOMEM. */
mlk_status mlk_committee_calibrate(int quantity, size_t k, const mlk_spread *s, size_t n,
                                   const int *half, size_t n_unit, mlk_calibration *out,
                                   mlk_err *e);

typedef struct mlk_committee {
    size_t k, n_frames, n_group;
    bool cut;               /* one group only: its first frames are one half, its last the other */
    mlk_fit_errors *member; /* (k) owned */
    mlk_fit_errors mean;
    mlk_calibration quantity[2]; /* MLK_COMMITTEE_* */
} mlk_committee;

/* Everything about one committee on the frames with use[] (ds->n) set. p: (k) predictions of all
 * frames of ds by the members. Groups are dealt out to the halves in order of temperature and name,
 * so that both get about as many frames. Errors: MLK_EINVAL k < 2; MLK_ENOMEM. */
mlk_status mlk_committee_judge(const mlk_dataset *ds, const bool *use, size_t k,
                               mlk_prediction *const *p, mlk_committee *out, mlk_err *e);
void mlk_committee_free(mlk_committee *c); /* all-zero is valid */

/* committee_file.c: the members' errors, their mean's, and the calibration (docs/FORMATS.md). name:
 * (k) of the members. New reference. */
json_t *mlk_committee_json(const mlk_committee *c, const char *type, const char *const *name);
/* committee.json (that object), committee_bins.csv, committee_quantiles.csv in a folder that
 * exists. */
mlk_status mlk_committee_write(const mlk_committee *c, const json_t *json, const char *dir,
                               mlk_err *e);

#endif
