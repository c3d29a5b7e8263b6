/* dataset.h - a set of frames with labels: the noun between parsers and training. */
#ifndef MLK_DATASETS_DATASET_H
#define MLK_DATASETS_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "core/element.h"
#include "core/err.h"
#include "core/frame.h"

enum { MLK_SPLIT_TRAIN = 0, MLK_SPLIT_VALID = 1, MLK_SPLIT_TEST = 2 };

/* A file that frames were read from, with the digest of its bytes ("" when it could not be read).
 */
typedef struct mlk_source {
    char path[256];
    char sha256[65];
} mlk_source;

/* What reading made of a file. */
typedef struct mlk_file_note {
    char path[256];
    const char *format; /* name of the parser, "store", or "unknown"      */
    size_t n, taken;    /* complete frames in it, frames that were added  */
    char why[192];      /* what was left out and why, "" when nothing was */
} mlk_file_note;

typedef struct mlk_dataset {
    mlk_frame *frame; /* (n) owned */
    size_t n, cap;
    int *split; /* (n) MLK_SPLIT_* ; all TRAIN until mlk_dataset_split */
    size_t cap_split;
    size_t n_species; /* distinct elements over all frames, ascending Z */
    int z[MLK_ELEMENT_MAX];
    mlk_source *source; /* (n_source) owned; frame[i].source names one of them */
    size_t n_source, cap_source;
    mlk_err *problem; /* (n_problem) owned; files that were broken or cut off, with the place */
    size_t n_problem, cap_problem;
    mlk_file_note *file; /* (n_file) owned; every file met, read or not */
    size_t n_file, cap_file;
} mlk_dataset;

void mlk_dataset_free(mlk_dataset *ds); /* all-zero is valid */
/* Take ownership of *fr (which becomes all-zero). */
mlk_status mlk_dataset_add(mlk_dataset *ds, mlk_frame *fr, mlk_err *e);
/* Read any file, folder (searched recursively), quoted pattern ("runs/?/vasprun.xml*") or mlkit
 * HDF5 store and add its usable frames: with energy and forces, and not known to be unconverged.
 * What was taken, left out and why is logged and kept in ds->file. In a folder,
 *   - several outputs of one run (vaspout.h5, vasprun.xml, OUTCAR, ML_AB) count once: a step that
 * is in a file read before from the same folder is left out;
 *   - files that hold structures only (POSCAR, XDATCAR) are not read;
 *   - a file that is broken is a warning, kept in ds->problem.
 * A file that is cut off gives its complete frames and a warning with the line; of one whose
 * compressed data are damaged nothing is taken. Frames without a group get one: the file's name
 * without endings, relative to the folder that was given. Errors: nothing usable. */
mlk_status mlk_dataset_read(mlk_dataset *ds, const char *path, mlk_err *e);
/* The same, keeping every frame that has atoms, with whatever labels it has; structure files of a
 * folder are read if there is nothing else in it. parser: the name of the one to use instead of
 * looking at the content, NULL or "" for that. */
mlk_status mlk_dataset_read_all(mlk_dataset *ds, const char *path, const char *parser, mlk_err *e);
/* The store: HDF5, see docs/FORMATS.md. path must not exist. */
mlk_status mlk_dataset_write(const mlk_dataset *ds, const char *path, mlk_err *e);
/* Add every frame of a store with its split. Errors: MLK_EFORMAT not a store, a newer major
 * version, NaN in it. */
mlk_status mlk_dataset_read_store(mlk_dataset *ds, const char *path, mlk_err *e);
/* Is it a store: HDF5, and not a file that VASP wrote? Reading says no to what is neither. */
int mlk_dataset_is_store(const char *path);
/* Is it a whole HDF5 file that mlkit dataset did not write: a run of MD, wave functions of VASP? */
int mlk_dataset_is_foreign(const char *path);
/* Split by trajectory group: whole groups go to validation until about `fraction` of the frames are
 * there; groups are drawn with `seed`, stratified over temperature. Groups with the shortest
 * distance of a pair of elements (below 5 A) are not among them, unless they are a third of all. A
 * set with fewer than 5 groups is cut into blocks of consecutive frames instead, and says so. Keeps
 * splits read from a store unless again is nonzero. */
mlk_status mlk_dataset_split(mlk_dataset *ds, double fraction, uint64_t seed, int again,
                             mlk_err *e);
/* Folder `which` < MLK_BUNDLED of the bundled Li3PS4 set: 0 runs near equilibrium, 1 frames on the
 * way to a broken P-S bond. Beside the source tree or under PREFIX/share/mlkit. buf of cap bytes.
 * Errors: MLK_EIO not found, with the places looked at. */
enum { MLK_BUNDLED = 2 };
mlk_status mlk_dataset_bundled(size_t which, char *buf, size_t cap, mlk_err *e);

#endif
