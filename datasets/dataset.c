/* dataset.c - see dataset.h: the growing set, and where the bundled one is.
 * Not here: reading files and folders (read.c), the HDF5 layout (store.c), the split (split.c),
 * finding suspicious labels (suspect.c). */
#include "datasets/dataset.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "version.h"

enum { PATH_CAP = 1024 };

void mlk_dataset_free(mlk_dataset *ds)
{
    for (size_t i = 0; i < ds->n; i++) mlk_frame_free(&ds->frame[i]);
    mlk_free(ds->frame);
    mlk_free(ds->split);
    mlk_free(ds->source);
    mlk_free(ds->problem);
    mlk_free(ds->file);
    memset(ds, 0, sizeof *ds);
}

static void add_species(mlk_dataset *ds, int z)
{
    size_t k = 0;
    while (k < ds->n_species && ds->z[k] < z) k++;
    if (k < ds->n_species && ds->z[k] == z) return;
    memmove(&ds->z[k + 1], &ds->z[k], (ds->n_species - k) * sizeof *ds->z);
    ds->z[k] = z;
    ds->n_species++;
}

mlk_status mlk_dataset_add(mlk_dataset *ds, mlk_frame *fr, mlk_err *e)
{
    MLK_TRY(mlk_frame_check(fr, e));
    MLK_TRY(MLK_GROW(ds->frame, ds->cap, ds->n + 1, e));
    MLK_TRY(MLK_GROW(ds->split, ds->cap_split, ds->n + 1, e));
    int z[MLK_ELEMENT_MAX];
    size_t m = mlk_frame_species(fr, z);
    for (size_t k = 0; k < m; k++) add_species(ds, z[k]);
    ds->split[ds->n] = MLK_SPLIT_TRAIN;
    ds->frame[ds->n++] = *fr;
    memset(fr, 0, sizeof *fr);
    return MLK_OK;
}

mlk_status mlk_dataset_bundled(size_t which, char *buf, size_t cap, mlk_err *e)
{
    static const char *const name[MLK_BUNDLED] = {"li3ps4", "li3ps4_breaking"};
    char exe[PATH_CAP], place[4][PATH_CAP + 64];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = 0;
    char *slash = strrchr(exe, '/');
    if (slash) *slash = 0;
    const char *const root[] = {MLK_SOURCE, MLK_PREFIX "/share/mlkit", exe, exe};
    const char *const up[] = {"", "", "/../share/mlkit", "/.."};
    for (size_t k = 0; k < 4; k++) {
        snprintf(place[k], sizeof place[k], "%s%s/datasets/%s", root[k], up[k], name[which]);
        if ((k >= 2 && !exe[0]) || !mlk_file_is_dir(place[k])) continue;
        if (strlen(place[k]) >= cap)
            return MLK_FAIL(e, MLK_EINVAL, "the path of the bundled data is too long: %s",
                            place[k]);
        snprintf(buf, cap, "%s", place[k]);
        return MLK_OK;
    }
    MLK_FAIL(e, MLK_EIO, "the bundled Li3PS4 data are not in %s, %s, %s or %s", place[0], place[1],
             place[2], place[3]);
    return mlk_err_hint(e, "name your own data, or run 'make install' again");
}
