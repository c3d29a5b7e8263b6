/* lines.c - see lines.h. */
#include "transport/lines.h"

#include <string.h>

#include "core/mem.h"

enum { CHUNK = 1 << 17, PEEK = 1 << 16, LINE_MAX_BYTES = 1 << 24 };

mlk_status mlk_lines_open(mlk_lines *l, const char *path, mlk_err *e)
{
    memset(l, 0, sizeof *l);
    bool in = !strcmp(path, "-");
    l->path = in ? "<stdin>" : path;
    MLK_TRY(mlk_stream_open(&l->in, in ? "/dev/stdin" : path, e));
    l->cap = CHUNK;
    l->buf = mlk_alloc(CHUNK + 1, 1);
    return l->buf ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", l->path);
}

mlk_status mlk_lines_err(const mlk_lines *l, mlk_err *e)
{
    return mlk_err_at(e, l->path, l->number);
}

/* more bytes behind those that are unread; these move to the front */
static mlk_status refill(mlk_lines *l, mlk_err *e)
{
    if (l->at > 0) memmove(l->buf, l->buf + l->at, l->fill - l->at);
    l->fill -= l->at;
    l->at = 0;
    if (l->fill == l->cap) {
        if (l->cap >= LINE_MAX_BYTES) {
            MLK_FAIL(e, MLK_EFORMAT, "the line is longer than %d bytes: no table", LINE_MAX_BYTES);
            return mlk_lines_err(l, e);
        }
        char *bigger = mlk_alloc(2 * l->cap + 1, 1);
        if (!bigger) return MLK_FAIL(e, MLK_ENOMEM, "a line of %zu bytes", l->cap);
        memcpy(bigger, l->buf, l->fill);
        mlk_free(l->buf);
        l->buf = bigger;
        l->cap *= 2;
    }
    size_t got = 0;
    mlk_err why = {0};
    mlk_status s = mlk_stream_read(l->in, l->buf + l->fill, l->cap - l->fill, &got, &why);
    if (s) {
        why.line = l->number;
        if (!strcmp(l->path, "<stdin>")) mlk_err_at(&why, l->path, l->number);
        if (e && !e->code) *e = why;
        return s;
    }
    l->end = got == 0;
    l->fill += got;
    l->buf[l->fill] = 0;
    return MLK_OK;
}

mlk_status mlk_lines_peek(mlk_lines *l, const char **text, mlk_err *e)
{
    /* what stands before an error is still to be read: it is reported when that is done */
    while (!l->end && l->fill - l->at < PEEK)
        if (refill(l, &l->late)) l->end = true;
    *text = l->buf + l->at;
    if (l->fill > l->at || !l->late.code) return MLK_OK;
    if (e && !e->code) *e = l->late;
    return l->late.code;
}

mlk_status mlk_lines_next(mlk_lines *l, bool *more, mlk_err *e)
{
    char *nl;
    size_t seen = 0;
    *more = false;
    while (!(nl = memchr(l->buf + l->at + seen, '\n', l->fill - l->at - seen)) && !l->end) {
        seen = l->fill - l->at;
        MLK_TRY(refill(l, e));
    }
    if (!nl && l->late.code) {
        l->late.line = l->number;
        if (e && !e->code) *e = l->late;
        return l->late.code;
    }
    l->line = l->buf + l->at;
    l->len = nl ? (size_t)(nl - l->line) : l->fill - l->at;
    l->cut = !nl;
    if (!nl && l->len == 0) return MLK_OK;
    l->number++;
    l->at += l->len + (nl != NULL);
    l->line[l->len] = 0;
    if (memchr(l->line, 0, l->len)) {
        MLK_FAIL(e, MLK_EFORMAT, "the line holds a NUL byte: not a text file, or damaged");
        return mlk_lines_err(l, e);
    }
    if (l->len > 0 && l->line[l->len - 1] == '\r') l->line[--l->len] = 0;
    *more = true;
    return MLK_OK;
}

void mlk_lines_close(mlk_lines *l)
{
    mlk_stream_close(l->in);
    mlk_free(l->buf);
    l->in = NULL, l->buf = NULL;
}
