/* text.h - text files for parsers: lines in (expanded by core/stream), text out (plain or gzip,
 * atomic). */
#ifndef MLK_PARSERS_TEXT_H
#define MLK_PARSERS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/file.h"
#include "core/stream.h"

/* Lines of a file. All-zero is valid to close. */
typedef struct mlk_text_in {
    mlk_stream *in;
    char *buf, *line; /* line: the current one, without its end, NUL-ended  */
    size_t cap, at, fill, line_cap;
    long number;     /* of the current line, from 1                    */
    bool open_ended; /* the current line is the last and has no line end: it may be cut */
    char path[512];
} mlk_text_in;

/* Errors: those of mlk_stream_open. */
mlk_status mlk_text_open(mlk_text_in *t, const char *path, mlk_err *e);
/* The next line into t->line; *more is false at the end of the file. */
mlk_status mlk_text_next(mlk_text_in *t, bool *more, mlk_err *e);
void mlk_text_close(mlk_text_in *t);
/* Add this file and the current line to *e. Returns e->code. */
mlk_status mlk_text_err(const mlk_text_in *t, mlk_err *e);

/* MLK_EFORMAT "expected WHAT, found '...'" with the current line. */
mlk_status mlk_text_expected(const mlk_text_in *t, const char *what, mlk_err *e);
/* MLK_EFORMAT unless the current line has its end: without one it may be cut inside its last word.
 */
mlk_status mlk_text_whole(const mlk_text_in *t, mlk_err *e);

/* Cut s into blank-separated words in place; at most max pointers in word[]. Returns how many there
 * are (may exceed max; the rest is not stored). */
size_t mlk_text_words(char *s, char **word, size_t max);

/* strncpy done right: cut to cap - 1 bytes, always NUL-ended. */
void mlk_text_copy(char *dst, size_t cap, const char *src);
/* The same without blanks at both ends; bytes that are no UTF-8 become '?'. */
void mlk_text_trim(char *dst, size_t cap, const char *src);

/* First bytes of a file after expansion, NUL-terminated (cap bytes). *n: how many were read. */
mlk_status mlk_text_head(const char *path, char *buf, size_t cap, size_t *n, mlk_err *e);

/* Text being written; gzip (without a time stamp: equal text gives equal bytes) if path ends in
 * .gz. */
typedef struct mlk_text_out {
    mlk_out out;
    void *z; /* z_stream or NULL */
    bool bad;
} mlk_text_out;

mlk_status mlk_text_out_begin(mlk_text_out *t, const char *path, mlk_err *e);
void mlk_text_printf(mlk_text_out *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
mlk_status mlk_text_out_commit(mlk_text_out *t, mlk_err *e);

#endif
