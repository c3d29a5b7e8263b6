/* checkpoint.h - named arrays of a training run on disk, exact to the last bit. */
#ifndef MLK_TRAIN_CHECKPOINT_H
#define MLK_TRAIN_CHECKPOINT_H

#include "core/h5.h"
#include "train/train.h"

typedef struct mlk_state_item {
    const char *name; /* "/adam/m"                        */
    mlk_h5_type type; /* MLK_H5_DOUBLE or MLK_H5_INT64    */
    size_t n;
    void *x; /* (n) borrowed */
} mlk_state_item;

/* What makes one kind of run: arrays of fixed sizes, the learning curve, and a key that tells
 * settings and data. */
typedef struct mlk_state {
    const char *format, *key;
    int version;
    size_t n;
    const mlk_state_item *item; /* (n) */
    mlk_history *h;
} mlk_state;

/* Write dir/checkpoint.h5 atomically, with checksums of everything in it. */
mlk_status mlk_state_write(const mlk_state *s, const char *dir, mlk_err *e);
/* Read it back. *found false: there is none. Errors, with the file named: MLK_EINVAL another
 * format, version or key; MLK_EFORMAT, MLK_EIO damage: a wrong checksum,
 * an array of another size. */
mlk_status mlk_state_read(const mlk_state *s, const char *dir, bool *found, mlk_err *e);

#endif
