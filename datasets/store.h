/* store.h - the HDF5 form of a data set, read frame by frame. Writing whole sets, and reading them
 * whole: dataset.h. The layout is the contract in docs/FORMATS.md. */
#ifndef MLK_DATASETS_STORE_H
#define MLK_DATASETS_STORE_H

#include "datasets/dataset.h"

/* An open store: about 100 bytes per frame are in memory, the atoms stay in the file. */
typedef struct mlk_store mlk_store;

/* Open for reading. What is read later is what the file held now, even when it is replaced or
 * frames are appended meanwhile. One thread at a time.
 * Errors: MLK_EIO; MLK_EFORMAT not a store, or damaged (naming the file); MLK_EUNSUPPORTED a newer
 * major version. */
mlk_status mlk_store_open(mlk_store **st, const char *path, mlk_err *e);
void mlk_store_close(mlk_store *st); /* NULL is harmless */
/* Frames; atoms over all frames. */
size_t mlk_store_n(const mlk_store *st);
size_t mlk_store_atoms(const mlk_store *st);
/* MLK_SPLIT_* of frame i < n. */
int mlk_store_split(const mlk_store *st, size_t i);
/* Number of atoms of frame i. */
size_t mlk_store_frame_atoms(const mlk_store *st, size_t i);
/* The files the frames came from; borrowed. Returns how many. */
size_t mlk_store_sources(const mlk_store *st, const mlk_source **list);
/* Frame i (from 0) with its labels and provenance into fr (uninitialised; free it). In any order;
 * going up by one is fastest, because further frames are then read ahead. Errors: MLK_EINVAL i >=
 * n; MLK_EFORMAT damaged data: its checksum is wrong, or it holds NaN; MLK_ENOMEM. */
mlk_status mlk_store_frame(mlk_store *st, size_t i, mlk_frame *fr, mlk_err *e);
/* Frames first ... first + n - 1 into fr (n, uninitialised). On error none is left in it. */
mlk_status mlk_store_frames(mlk_store *st, size_t first, size_t n, mlk_frame *fr, mlk_err *e);

/* Add the frames of ds with their split to a store, which is made when there is none. The new
 * content appears at once by a rename: killed at any moment, the old store is whole, or the new one
 * is. A frame that the store already has from the same file (by path or digest, with the same step
 * and content) is not added again, so that an append may be repeated after a crash, or after its
 * file has grown. A group that was named after its file and is in the store from another file gets
 * a new name ("run#2"). A store of version 1 is rewritten as version 2. *added (may be NULL): the
 * number of frames added.
 * Errors: MLK_EIO, also when another process is writing this store; as mlk_store_open. */
mlk_status mlk_dataset_append(const mlk_dataset *ds, const char *path, size_t *added, mlk_err *e);
/* mlk_dataset_write, over an existing file, which stays whole until the new one is. */
mlk_status mlk_dataset_replace(const mlk_dataset *ds, const char *path, mlk_err *e);

#endif
