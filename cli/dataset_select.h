/* dataset_select.h - what the two files of `mlkit dataset select` share. */
#ifndef MLK_CLI_DATASET_SELECT_H
#define MLK_CLI_DATASET_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "datasets/dataset.h"
#include "datasets/select.h"

typedef enum { MLK_SELECT_EXTXYZ, MLK_SELECT_STORE, MLK_SELECT_POSCARS } mlk_select_format;

/* By the ending of the name: .xyz .extxyz (.gz), .h5 .hdf5, else a folder of POSCARs. */
mlk_select_format mlk_select_format_of(const char *path);
/* May it be written? Called before anything is computed; errors as mlk_dataset_may_write. */
mlk_status mlk_select_may_write(const mlk_dataset *ds, const char *out, bool force, mlk_err *e);
/* Write the frames ds->frame[pick[k].frame], k < n, in this order. labels false: without energies,
 * forces, stresses. Folder: NNNN_GROUP_STEP/POSCAR with atoms sorted by element, in one order of
 * elements for all, and index.csv, which is written last. */
mlk_status mlk_select_write(const mlk_dataset *ds, const mlk_pick *pick, size_t n, const char *out,
                            bool labels, bool force, mlk_err *e);

#endif
