/* h5.h - the only door to HDF5. Main thread only. Paths inside a file are "/a/b/c"; missing groups
 * are made. Datasets of doubles, floats, ints and fixed strings. */
#ifndef MLK_CORE_H5_H
#define MLK_CORE_H5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

typedef struct mlk_h5 mlk_h5;
typedef enum { MLK_H5_DOUBLE, MLK_H5_FLOAT, MLK_H5_INT, MLK_H5_INT64, MLK_H5_UINT8 } mlk_h5_type;

/* mode: "r" read, "w" create (path must not exist), "a" read and write an existing file. "wc",
 * "ac": the same with checksums on everything but the data (readable by HDF5 1.10 and later; see
 * MLK_H5_CHECKED for the data): a flipped byte anywhere is an error on reading. */
mlk_status mlk_h5_open(mlk_h5 **h, const char *path, const char *mode, mlk_err *e);
/* Read-only, a file that another program made and may still be writing: without locks. image: the
 * file's n bytes when they are in memory (unpacked), else NULL. Datasets whose claimed size the
 * file cannot hold are refused when their dimensions are asked for. HDF5 does not survive every
 * damaged file: see parsers/isolate.h. Errors: MLK_EFORMAT, MLK_EIO. */
mlk_status mlk_h5_open_foreign(mlk_h5 **h, const char *path, const void *image, size_t n,
                               mlk_err *e);
/* Flushes and closes; reports a late write error (full disk). *h becomes NULL. NULL is harmless. */
mlk_status mlk_h5_close(mlk_h5 **h, mlk_err *e);
mlk_status mlk_h5_flush(mlk_h5 *h, mlk_err *e);

bool mlk_h5_exists(mlk_h5 *h, const char *path);
/* Names of the members of a group, sorted; free each and the array with mlk_free. */
mlk_status mlk_h5_list(mlk_h5 *h, const char *group, char ***names, size_t *n, mlk_err *e);

/* Write (or replace the contents of an equally shaped) dataset. */
mlk_status mlk_h5_write(mlk_h5 *h, const char *path, mlk_h5_type t, int ndim, const size_t *dim,
                        const void *data, mlk_err *e);
/* Dimensions of a dataset: *ndim <= 4, dim[4]. */
mlk_status mlk_h5_dims(mlk_h5 *h, const char *path, int *ndim, size_t dim[4], mlk_err *e);
/* Read a whole dataset, converted to type t, into data (room for all items). */
mlk_status mlk_h5_read(mlk_h5 *h, const char *path, mlk_h5_type t, void *data, mlk_err *e);
/* Read rows [first, first+n) of the leading dimension. */
mlk_status mlk_h5_read_rows(mlk_h5 *h, const char *path, mlk_h5_type t, size_t first, size_t n,
                            void *data, mlk_err *e);
enum {
    MLK_H5_DEFLATE = 1, /* filters of a new dataset: shuffle and deflate                    */
    MLK_H5_CHECKED = 2  /* the same, fast, with a checksum of every chunk                  */
};
/* Append n rows of shape rowdim (ndim-1 dims) to an extensible dataset, created on first use
 * (chunked; filters: 0 or one of the above). */
mlk_status mlk_h5_append(mlk_h5 *h, const char *path, mlk_h5_type t, int nrowdim,
                         const size_t *rowdim, size_t n, const void *data, int filters, mlk_err *e);
/* Append n strings to an extensible dataset of strings of at most len - 1 bytes, created on first
 * use, compressed and checked. */
mlk_status mlk_h5_append_strings(mlk_h5 *h, const char *path, size_t len, const char *const *s,
                                 size_t n, mlk_err *e);
/* Cut an extensible dataset back to n rows (restart after a crash). */
mlk_status mlk_h5_truncate(mlk_h5 *h, const char *path, size_t n, mlk_err *e);

/* Scalar attributes of an object (group or dataset; "/" for the file). Written over if present. */
mlk_status mlk_h5_attr_set_str(mlk_h5 *h, const char *path, const char *name, const char *v,
                               mlk_err *e);
mlk_status mlk_h5_attr_set_double(mlk_h5 *h, const char *path, const char *name, double v,
                                  mlk_err *e);
mlk_status mlk_h5_attr_set_int(mlk_h5 *h, const char *path, const char *name, int64_t v,
                               mlk_err *e);
mlk_status mlk_h5_attr_set_ints(mlk_h5 *h, const char *path, const char *name, const int *v,
                                size_t n, mlk_err *e);
mlk_status mlk_h5_attr_set_strs(mlk_h5 *h, const char *path, const char *name, const char *const *v,
                                size_t n, mlk_err *e);
mlk_status mlk_h5_attr_str(mlk_h5 *h, const char *path, const char *name, char *buf, size_t cap,
                           mlk_err *e);
mlk_status mlk_h5_attr_double(mlk_h5 *h, const char *path, const char *name, double *v, mlk_err *e);
mlk_status mlk_h5_attr_int(mlk_h5 *h, const char *path, const char *name, int64_t *v, mlk_err *e);
bool mlk_h5_attr_exists(mlk_h5 *h, const char *path, const char *name);
/* Make a group (and its parents). */
mlk_status mlk_h5_group(mlk_h5 *h, const char *path, mlk_err *e);
/* Write / read an array of strings (fixed length dataset). */
mlk_status mlk_h5_write_strings(mlk_h5 *h, const char *path, const char *const *s, size_t n,
                                mlk_err *e);
mlk_status mlk_h5_read_strings(mlk_h5 *h, const char *path, char ***s, size_t *n, mlk_err *e);
/* The same for strings as other programs store them: one or many, of fixed or variable length;
 * blanks at their ends are dropped. Also when it fails: free each and the array. */
mlk_status mlk_h5_read_texts(mlk_h5 *h, const char *path, char ***s, size_t *n, mlk_err *e);
/* "1.10.8" */
const char *mlk_h5_version(void);

#endif
