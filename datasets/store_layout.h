/* store_layout.h - what reading and writing a store share: its columns. Private to store*.c. */
#ifndef MLK_DATASETS_STORE_LAYOUT_H
#define MLK_DATASETS_STORE_LAYOUT_H

#include "core/h5.h"
#include "datasets/store.h"

#define STORE_FORMAT "mlkit-dataset"
#define STORE_VERSION "2.0"
enum { STORE_MAJOR = 2, STORE_MINOR = 0 };
/* Bits of /frames/has beside MLK_HAS_*. */
enum { STORE_HAS_ENERGY0 = 1 << 8, STORE_HAS_TEMPERATURE = 1 << 9 };
/* Frames and atoms that are read or written at a time (more atoms for a larger frame). */
enum { STORE_BLOCK_FRAMES = 4096, STORE_BLOCK_ATOMS = 131072 };

typedef enum {
    /* one number per frame, in memory while the store is open */
    COL_LINE,
    COL_HAS,
    COL_SCF,
    COL_STEP,
    COL_RUN,
    COL_KIND,
    COL_SPLIT,
    COL_GROUP,
    COL_CONFIG,
    COL_SOURCE,
    COL_THEORY,
    COL_CONTENT,
    COL_CHECKSUM,
    COL_ENERGY,
    COL_ENERGY0,
    COL_TEMPERATURE,
    /* per frame, read in blocks */
    COL_VIRIAL,
    COL_CELL,
    COL_PBC,
    /* per atom, read in blocks */
    COL_Z,
    COL_X,
    COL_F,
    COL_V,
    COL_COUNT,
    COL_BLOCK = COL_VIRIAL,
    COL_ATOMS = COL_Z
} store_col;

typedef struct store_column {
    const char *path;
    mlk_h5_type type;
    int ndim;  /* dimensions beyond the first, each 3 */
    int since; /* major version */
} store_column;
extern const store_column store_columns[COL_COUNT];

/* Lists of names: group, config_type, source, theory, and the digest of each source. */
enum { LIST_GROUP, LIST_CONFIG, LIST_SOURCE, LIST_THEORY, LIST_SHA, LIST_COUNT };
typedef struct store_list {
    const char *path;
    size_t len; /* bytes of an entry, with the NUL */
    int since;
} store_list;
extern const store_list store_lists[LIST_COUNT];

/* Rows of some columns. */
typedef struct store_table {
    void *col[COL_COUNT];
    size_t cap_n, cap_atoms;
} store_table;

void store_table_free(store_table *t);
/* Room for columns [from, to): n frames and as many atoms; what was there is lost. */
mlk_status store_table_room(store_table *t, store_col from, store_col to, size_t n, size_t atoms,
                            mlk_err *e);
size_t store_row_items(store_col c); /* 1, 3 or 9 */
/* The checksum of a stored frame: its content and every word about it. */
uint64_t store_checksum(const mlk_frame *fr, uint64_t content, int split, const char *sha);
/* What the appender looks at: names[LIST_*] and the columns of all frames. */
typedef struct store_view {
    const store_table *t;
    char *const *name[LIST_COUNT];
    size_t n_name[LIST_COUNT];
    size_t n, atoms;
    int major, minor;
    bool velocities;
} store_view;
store_view store_look(const mlk_store *st);
/* Frames into a file, in blocks: no locks, no temporary names. */
typedef struct store_writer store_writer;
mlk_status store_create(store_writer **w, const char *path, mlk_err *e);
/* Go on writing at the end of the store `path`, a copy of the one that st has open. */
mlk_status store_resume(store_writer **w, const char *path, const mlk_store *st, mlk_err *e);
/* sha: digest of fr->source, "" when unknown. A source known under the same path with another
 * digest is kept apart as "path [first 8 digits]". */
mlk_status store_add(store_writer *w, const mlk_frame *fr, int split, const char *sha, mlk_err *e);
/* Write what is pending and close; *w becomes NULL also on failure. */
mlk_status store_finish(store_writer **w, mlk_err *e);
void store_abandon(store_writer **w); /* close without care; NULL is harmless */

/* The file a symbolic link leads to (in buf), or path itself: a rename must not replace the link.
 */
const char *store_target(const char *path, char *buf, size_t cap);
/* A process that holds path.mlkit-lock is the only one that writes path. */
typedef struct store_lock {
    int fd;
    char path[1100];
} store_lock;
mlk_status store_lock_take(store_lock *l, const char *path, mlk_err *e);
void store_lock_drop(store_lock *l);
/* fsync a file by name. */
mlk_status store_sync(const char *path, mlk_err *e);
/* Give the finished file tmp its name and fsync the folder (as far as the file system can). When s
 * says that it is not finished, or that fails, tmp is removed and the error names the file the user
 * knows. Returns the status. */
mlk_status store_publish(mlk_status s, const char *tmp, const char *path, mlk_err *e);
/* Digest of a source of ds, "" when unknown; *k remembers the last one found. */
const char *store_digest(const mlk_dataset *ds, const char *path, size_t *k);

#endif
