/* dataset_info.h - the tables of `mlkit dataset info` and `split`. */
#ifndef MLK_CLI_DATASET_INFO_H
#define MLK_CLI_DATASET_INFO_H

#include <stdbool.h>

#include "core/err.h"
#include "datasets/dataset.h"

/* Frames and groups of each side of a split, to stdout. */
mlk_status mlk_dataset_split_show(const mlk_dataset *ds, bool json, mlk_err *e);

/* "FILE:LINE" to stdout, the file alone when the line is unknown (HDF5 has none). */
void mlk_print_place(const char *file, long line);

#endif
