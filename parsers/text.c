/* text.c - see text.h. */
#include "parsers/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "core/mem.h"

enum { CHUNK = 65536, LINE_MAX_BYTES = 1 << 26 };

mlk_status mlk_text_open(mlk_text_in *t, const char *path, mlk_err *e)
{
    memset(t, 0, sizeof *t);
    snprintf(t->path, sizeof t->path, "%s", path);
    MLK_TRY(mlk_stream_open(&t->in, path, e));
    t->buf = mlk_alloc(CHUNK, 1);
    if (t->buf) return MLK_OK;
    mlk_text_close(t);
    return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
}

mlk_status mlk_text_err(const mlk_text_in *t, mlk_err *e)
{
    return mlk_err_at(e, t->path, t->number);
}

mlk_status mlk_text_expected(const mlk_text_in *t, const char *what, mlk_err *e)
{
    MLK_FAIL(e, MLK_EFORMAT, "expected %s, found '%.60s'", what, t->line);
    return mlk_text_err(t, e);
}

mlk_status mlk_text_whole(const mlk_text_in *t, mlk_err *e)
{
    if (!t->open_ended) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "the file ends early: no line end, the last number may be cut");
    mlk_err_hint(e, "if the file is whole, add a line end: echo >> FILE");
    return mlk_text_err(t, e);
}

mlk_status mlk_text_next(mlk_text_in *t, bool *more, mlk_err *e)
{
    size_t n = 0;
    *more = false;
    t->number++;
    for (;;) {
        if (t->at == t->fill) {
            size_t got;
            mlk_err why = {0}; /* knows the file, not the line */
            mlk_status s = mlk_stream_read(t->in, t->buf, CHUNK, &got, &why);
            if (s) {
                why.line = t->number;
                if (e && !e->code) *e = why;
                return s;
            }
            if (got == 0) break;
            t->at = 0;
            t->fill = got;
        }
        const char *from = t->buf + t->at, *nl = memchr(from, '\n', t->fill - t->at);
        size_t m = nl ? (size_t)(nl - from) : t->fill - t->at;
        if (n + m > LINE_MAX_BYTES) {
            MLK_FAIL(e, MLK_EFORMAT, "the line is longer than %d bytes", LINE_MAX_BYTES);
            return mlk_text_err(t, e);
        }
        MLK_TRY(MLK_GROW(t->line, t->line_cap, n + m + 1, e));
        memcpy(t->line + n, from, m);
        n += m;
        t->at += m + (nl != NULL);
        *more = true;
        t->open_ended = !nl;
        if (nl) break;
    }
    if (!*more) {
        t->number--;
        return MLK_OK;
    }
    if (n && t->line[n - 1] == '\r') n--;
    t->line[n] = 0;
    if (memchr(t->line, 0, n)) {
        MLK_FAIL(e, MLK_EFORMAT, "the line holds a NUL byte: not a text file, or damaged");
        return mlk_text_err(t, e);
    }
    return MLK_OK;
}

void mlk_text_close(mlk_text_in *t)
{
    mlk_stream_close(t->in);
    mlk_free(t->buf);
    mlk_free(t->line);
    memset(t, 0, sizeof *t);
}

size_t mlk_text_words(char *s, char **word, size_t max)
{
    static const char blank[] = " \t\r\f\v";
    size_t n = 0;
    for (;;) {
        s += strspn(s, blank);
        if (!*s) return n;
        if (n < max) word[n] = s;
        n++;
        s += strcspn(s, blank);
        if (*s) *s++ = 0;
    }
}

void mlk_text_copy(char *dst, size_t cap, const char *src)
{
    size_t n = strlen(src);
    if (n >= cap) n = cap - 1;
    memmove(dst, src, n);
    dst[n] = 0;
}

/* Bytes of the UTF-8 character at s; 0 if it is none. */
static size_t utf8(const char *s)
{
    unsigned char c = (unsigned char)*s;
    size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    for (size_t k = 1; k < n; k++)
        if (((unsigned char)s[k] & 0xc0) != 0x80) return 0;
    return n;
}

void mlk_text_trim(char *dst, size_t cap, const char *src)
{
    const char *s = src;
    while (isspace((unsigned char)*s)) s++;
    size_t n = strlen(s), m = 0;
    while (n && isspace((unsigned char)s[n - 1])) n--;
    for (size_t k = 0, one; k < n; k += one ? one : 1) {
        one = utf8(s + k);
        if (m + (one ? one : 1) >= cap) break;
        if (one)
            memcpy(dst + m, s + k, one);
        else
            dst[m] = '?';
        m += one ? one : 1;
    }
    dst[m] = 0;
}

mlk_status mlk_text_head(const char *path, char *buf, size_t cap, size_t *n, mlk_err *e)
{
    mlk_stream *in;
    mlk_status s = MLK_OK;
    mlk_err why = {0};
    size_t got = 1;
    *n = 0;
    buf[0] = 0;
    MLK_TRY(mlk_stream_open(&in, path, e));
    while (!s && got && *n < cap - 1) {
        s = mlk_stream_read(in, buf + *n, cap - 1 - *n, &got, &why);
        *n += got;
    }
    mlk_stream_close(in);
    buf[*n] = 0;
    if (s == MLK_EFORMAT && *n) return MLK_OK; /* an early end is for the parser to report */
    if (s && e && !e->code) *e = why;
    return s;
}

mlk_status mlk_text_out_begin(mlk_text_out *t, const char *path, mlk_err *e)
{
    memset(t, 0, sizeof *t);
    if (mlk_path_ends(path, ".gz")) {
        z_stream *z = mlk_alloc(1, sizeof *z);
        /* 16 + 15: gzip wrapper, whose default header has no name and no time */
        if (!z || deflateInit2(z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
            mlk_free(z);
            return MLK_FAIL(e, MLK_ENOMEM, "no memory to compress %s", path);
        }
        t->z = z;
    }
    mlk_status s = mlk_out_begin(&t->out, path, e);
    if (s && t->z) {
        deflateEnd(t->z);
        mlk_free(t->z);
        t->z = NULL;
    }
    return s;
}

static void put(mlk_text_out *t, const char *data, size_t n, int flush)
{
    if (!t->z) {
        fwrite(data, 1, n, t->out.fp);
        return;
    }
    z_stream *z = t->z;
    unsigned char buf[16384];
    z->next_in = (z_const Bytef *)data;
    z->avail_in = (uInt)n;
    do {
        z->next_out = buf;
        z->avail_out = sizeof buf;
        if (deflate(z, flush) == Z_STREAM_ERROR) t->bad = true;
        fwrite(buf, 1, sizeof buf - z->avail_out, t->out.fp);
    } while (z->avail_out == 0 && !t->bad);
}

void mlk_text_printf(mlk_text_out *t, const char *fmt, ...)
{
    char text[4096];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof text)
        t->bad = true;
    else
        put(t, text, (size_t)n, Z_NO_FLUSH);
}

void mlk_text_csv(mlk_text_out *t, const char *s)
{
    const char *quote = strpbrk(s, ",\"") ? "\"" : "";
    put(t, quote, strlen(quote), Z_NO_FLUSH);
    for (; *s; s++) {
        if (*s == '"') put(t, s, 1, Z_NO_FLUSH);
        put(t, *s == '\n' || *s == '\r' ? " " : s, 1, Z_NO_FLUSH);
    }
    put(t, quote, strlen(quote), Z_NO_FLUSH);
}

mlk_status mlk_text_out_commit(mlk_text_out *t, mlk_err *e)
{
    if (t->z) {
        put(t, "", 0, Z_FINISH);
        deflateEnd(t->z);
        mlk_free(t->z);
        t->z = NULL;
    }
    if (t->bad) {
        mlk_out_abort(&t->out);
        return MLK_FAIL(e, MLK_EBUG, "cannot format the text of %s", t->out.path);
    }
    return mlk_out_commit(&t->out, e);
}
