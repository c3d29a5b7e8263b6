/* file.h - outputs that are either whole or absent, and small helpers about paths. */
#ifndef MLK_CORE_FILE_H
#define MLK_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/err.h"

/* An output being written to "<dest>.tmp.<pid>"; commit flushes, syncs and renames it over dest:
 * path, or the file a symbolic link there leads to. A device or a pipe is written directly, tmp
 * being "". */
typedef struct mlk_out {
    FILE *fp;
    char path[1024], dest[1024], tmp[1088];
} mlk_out;

mlk_status mlk_out_begin(mlk_out *o, const char *path, mlk_err *e);
/* Checks every buffered write (a full disk is noticed here), then renames. On error removes tmp. */
mlk_status mlk_out_commit(mlk_out *o, mlk_err *e);
/* Drop the temporary file; harmless after commit or on an all-zero struct. */
void mlk_out_abort(mlk_out *o);
/* begin + write text + commit. */
mlk_status mlk_file_write_text(const char *path, const char *text, mlk_err *e);

/* MLK_EIO where a device, a pipe or a folder lies at path: for outputs that cannot be streamed into
 * one. */
mlk_status mlk_file_replaceable(const char *path, mlk_err *e);

bool mlk_file_exists(const char *path);
bool mlk_file_is_dir(const char *path);
/* mkdir -p. */
mlk_status mlk_mkdir_p(const char *path, mlk_err *e);
/* Whole file as a NUL-terminated string, to be mlk_free'd; .gz, .xz, .bz2 are expanded. size may be
 * NULL. */
mlk_status mlk_file_slurp(const char *path, char **text, size_t *size, mlk_err *e);
/* dir + "/" + name into buf (cap bytes); returns buf. Error-free: truncates. */
char *mlk_path_join(char *buf, size_t cap, const char *dir, const char *name);
/* Last component. */
const char *mlk_path_base(const char *path);
/* Does the path end so, in whatever case? */
bool mlk_path_ends(const char *path, const char *ending);
/* Names of a folder that do not begin with a dot, sorted; mlk_strings_free them. On error there are
 * none. */
mlk_status mlk_dir_names(const char *dir, char ***names, size_t *n, mlk_err *e);
/* SHA-256 of a file's bytes as 64 hex digits + NUL. */
mlk_status mlk_file_sha256(const char *path, char hex[65], mlk_err *e);

#endif
