/* lines.h - the lines of a text file, or of stdin, expanded on the way and never all in memory. */
#ifndef MLK_TRANSPORT_LINES_H
#define MLK_TRANSPORT_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/stream.h"

typedef struct mlk_lines {
    mlk_stream *in;
    const char *path; /* as shown in messages; borrowed                  */
    char *buf;        /* (cap+1)                                         */
    size_t cap, at, fill;
    char *line;  /* the current line, without its end, NUL-ended; inside buf */
    size_t len;  /* its bytes                                               */
    long number; /* of the current line, from 1                             */
    bool cut;    /* the current line is the last of the file and has no line end */
    bool end;
    mlk_err late; /* met while peeking */
} mlk_lines;

/* path "-" is stdin. Errors: those of mlk_stream_open. Close also after an error. */
mlk_status mlk_lines_open(mlk_lines *l, const char *path, mlk_err *e);
/* The bytes that come next, some 64 kB or all there are, NUL-ended, without going on. */
mlk_status mlk_lines_peek(mlk_lines *l, const char **text, mlk_err *e);
/* Go on to the next line; *more is false at the end. Errors: those of mlk_stream_read; MLK_EFORMAT
 * a NUL byte (no text), a line beyond 16 MB. */
mlk_status mlk_lines_next(mlk_lines *l, bool *more, mlk_err *e);
/* Add file and line to *e; returns its code. */
mlk_status mlk_lines_err(const mlk_lines *l, mlk_err *e);
void mlk_lines_close(mlk_lines *l);

#endif
