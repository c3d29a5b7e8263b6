/* stream.h - the bytes of a file, expanded on the way: plain, gzip, xz or bzip2, told by their
 * first bytes, never by the name. */
#ifndef MLK_CORE_STREAM_H
#define MLK_CORE_STREAM_H

#include <stddef.h>

#include "core/err.h"

typedef struct mlk_stream mlk_stream;

/* Errors: MLK_EIO missing, a folder, unreadable; MLK_ENOMEM. */
mlk_status mlk_stream_open(mlk_stream **s, const char *path, mlk_err *e);
/* Up to n bytes into buf; *got is 0 only at the end. Bytes that came before an error are good,
 * except after MLK_EDAMAGED. Errors: MLK_EFORMAT the compressed data end early, or expand to more
 * than 2000 times their size; MLK_EDAMAGED they are damaged (a checksum or a code is wrong):
 * nothing read from this file can be trusted; MLK_EIO.
 */
mlk_status mlk_stream_read(mlk_stream *s, void *buf, size_t n, size_t *got, mlk_err *e);
/* Read what is left, for the checksum at the end; errors as above. */
mlk_status mlk_stream_drain(mlk_stream *s, mlk_err *e);
void mlk_stream_close(mlk_stream *s); /* NULL is harmless */
/* Was the file compressed? */
int mlk_stream_packed(const mlk_stream *s);

#endif
