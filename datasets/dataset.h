/* dataset.h - a set of frames with labels: the noun between parsers and training. */
#ifndef MLK_DATASETS_DATASET_H
#define MLK_DATASETS_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "core/element.h"
#include "core/err.h"
#include "core/frame.h"

enum { MLK_SPLIT_TRAIN = 0, MLK_SPLIT_VALID = 1, MLK_SPLIT_TEST = 2 };

typedef struct mlk_dataset {
    mlk_frame *frame; /* (n) owned */
    size_t n, cap;
    int *split;       /* (n) MLK_SPLIT_* ; all TRAIN until mlk_dataset_split */
    size_t cap_split;
    size_t n_species; /* distinct elements over all frames, ascending Z */
    int z[MLK_ELEMENT_MAX];
} mlk_dataset;

void mlk_dataset_free(mlk_dataset *ds); /* all-zero is valid */
/* Take ownership of *fr (which becomes all-zero). */
mlk_status mlk_dataset_add(mlk_dataset *ds, mlk_frame *fr, mlk_err *e);
/* Read any file, folder (searched recursively) or mlkit HDF5 store and add its usable frames (with
 * energy and forces). What was taken, left out and why is logged. Errors: nothing usable. */
mlk_status mlk_dataset_read(mlk_dataset *ds, const char *path, mlk_err *e);
/* The store: HDF5, see docs/FORMATS.md. path must not exist. */
mlk_status mlk_dataset_write(const mlk_dataset *ds, const char *path, mlk_err *e);
/* Split by trajectory group: whole groups go to validation until about `fraction` of the frames are
 * there; groups are drawn with `seed`, stratified over temperature. A set with fewer than 5 groups
 * is cut into blocks of consecutive frames instead, and says so. Keeps splits read from a store
 * unless again is nonzero. */
mlk_status mlk_dataset_split(mlk_dataset *ds, double fraction, uint64_t seed, int again, mlk_err *e);
/* Folder of the bundled Li3PS4 set: beside the source tree or under PREFIX/share/mlkit. buf of cap
 * bytes. Errors: MLK_EIO not found, with the places looked at. */
mlk_status mlk_dataset_bundled(char *buf, size_t cap, mlk_err *e);

#endif
