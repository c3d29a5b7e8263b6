/* split.h - which frames train, which validate while training goes on, which only test at the end.
 */
#ifndef MLK_DATASETS_SPLIT_H
#define MLK_DATASETS_SPLIT_H

#include "datasets/dataset.h"

typedef enum {
    MLK_SPLIT_BY_GROUP,      /* whole trajectory groups, over all temperatures                */
    MLK_SPLIT_BY_RANDOM,     /* frames; flatters, because neighbours in time are alike        */
    MLK_SPLIT_BY_TEMPERATURE /* whole groups of held out temperatures: how far a model reaches */
} mlk_split_by;

/* Temperatures to hold out. */
enum { MLK_HOLD_HIGHEST, MLK_HOLD_LOWEST, MLK_HOLD_RANGES, MLK_HOLD_MAX = 8 };
typedef struct mlk_hold {
    int what; /* highest, lowest: as many as the fraction asks for; or ranges */
    int n;
    double lo[MLK_HOLD_MAX], hi[MLK_HOLD_MAX]; /* (n) [K], ends included */
} mlk_hold;

typedef struct mlk_split_plan {
    mlk_split_by by;
    double valid, test; /* fractions of the frames, in [0,1), together below 1 */
    mlk_hold hold;      /* by temperature: what validates ...                  */
    mlk_hold hold_test; /* ... and what tests                                  */
    uint64_t seed;
} mlk_split_plan;

/* "highest", "lowest", or ranges of temperature [K] "1000:1200", "300:400,1000:", ":350". Errors:
 * MLK_EINVAL anything else. */
mlk_status mlk_hold_parse(const char *text, mlk_hold *h, mlk_err *e);
/* Split anew. Deterministic: the same frames, plan and seed give the same split, and the test part
 * does not change the choice of the validation part. Something is always left for training; what
 * falls short of the plan is logged.
 *   group        see mlk_dataset_split
 *   random       frames of the same structure, to the bit, stay together
 *   temperature  by the mean temperature of each group (of blocks of consecutive frames, where all
 *                groups have the same: a heating run). A fraction is met as nearly as whole
 *                temperatures allow: runs at one temperature are not torn apart, where the
 *                temperatures have gaps. Frames of unknown temperature train.
 * Errors: MLK_EINVAL fractions, no frame in a range, overlapping ranges, nothing left for training,
 * no temperatures or only one; MLK_ENOMEM. */
mlk_status mlk_dataset_split_by(mlk_dataset *ds, const mlk_split_plan *plan, mlk_err *e);
/* Is any frame not for training? */
int mlk_dataset_is_split(const mlk_dataset *ds);
/* *whole: are the frames held out whole trajectory groups, in the split the data set has or in that
 * of mlk_dataset_split? With few groups they are blocks of consecutive frames. Errors: MLK_ENOMEM.
 */
mlk_status mlk_dataset_holds_groups(const mlk_dataset *ds, bool *whole, mlk_err *e);

#endif
