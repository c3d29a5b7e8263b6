/* dataset_folder.h - an output that is a folder: made whole beside its place, then renamed. */
#ifndef MLK_CLI_DATASET_FOLDER_H
#define MLK_CLI_DATASET_FOLDER_H

#include <stdbool.h>

#include "core/err.h"
#include "datasets/dataset.h"

typedef struct mlk_folder {
    char path[1024], work[1100]; /* its place, and where it is written (the same with force) */
    bool fresh;
} mlk_folder;

/* Begin writing folder `path`. An existing one that is not empty is refused, unless force: then it
 * is written into, file by file. A folder with one of the inputs of ds is always refused. */
mlk_status mlk_folder_begin(mlk_folder *f, const mlk_dataset *ds, const char *path, bool force,
                            mlk_err *e);
/* Put it in its place, or (failed) remove what was written beside it. */
mlk_status mlk_folder_end(mlk_folder *f, bool failed, mlk_err *e);

#endif
