/* stream.c - see stream.h: zlib, liblzma and libbz2 behind one read. */
#include "core/stream.h"

#include <bzlib.h>
#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "core/file.h"
#include "core/mem.h"

enum { CHUNK = 65536, RATIO_MAX = 2000, SMALL = 1 << 26 };
typedef enum { PLAIN, GZIP, XZ, BZIP2 } kind;

struct mlk_stream {
    FILE *f;
    kind kind;
    union {
        z_stream z;
        lzma_stream x;
        bz_stream b;
    } u;
    bool ready;       /* the decoder is initialised                     */
    bool member_done; /* a compressed member ended; another may follow  */
    bool end;
    size_t fill;           /* bytes in `in` */
    char *at;              /* next unread byte of `in` */
    uint64_t taken, given; /* bytes of the file, bytes of its content */
    char in[CHUNK];
    char path[512];
};

static kind kind_of(const unsigned char *h, size_t n)
{
    if (n >= 2 && h[0] == 0x1f && h[1] == 0x8b) return GZIP;
    if (n >= 6 && !memcmp(h,
                          "\xfd"
                          "7zXZ",
                          6))
        return XZ;
    if (n >= 4 && !memcmp(h, "BZh", 3) && h[3] >= '1' && h[3] <= '9') return BZIP2;
    return PLAIN;
}

static void decoder_end(mlk_stream *s)
{
    if (!s->ready) return;
    if (s->kind == GZIP) inflateEnd(&s->u.z);
    if (s->kind == XZ) lzma_end(&s->u.x);
    if (s->kind == BZIP2) BZ2_bzDecompressEnd(&s->u.b);
    s->ready = false;
}

static bool decoder_begin(mlk_stream *s)
{
    memset(&s->u, 0, sizeof s->u);
    if (s->kind == GZIP) s->ready = inflateInit2(&s->u.z, 15 + 16) == Z_OK;
    if (s->kind == XZ)
        s->ready = lzma_stream_decoder(&s->u.x, (uint64_t)1 << 30, LZMA_CONCATENATED) == LZMA_OK;
    if (s->kind == BZIP2) s->ready = BZ2_bzDecompressInit(&s->u.b, 0, 0) == BZ_OK;
    return s->ready || s->kind == PLAIN;
}

mlk_status mlk_stream_open(mlk_stream **out, const char *path, mlk_err *e)
{
    *out = NULL;
    FILE *f = mlk_file_is_dir(path) ? (errno = EISDIR, NULL) : fopen(path, "rb");
    if (!f) {
        MLK_FAIL(e, MLK_EIO, "cannot read: %s", strerror(errno));
        return mlk_err_at(e, path, 0);
    }
    setvbuf(f, NULL, _IONBF, 0); /* we read whole chunks ourselves */
    mlk_stream *s = mlk_alloc(1, sizeof *s);
    if (s) {
        s->f = f;
        snprintf(s->path, sizeof s->path, "%s", path);
        s->fill = fread(s->in, 1, CHUNK, f);
        s->at = s->in;
        s->taken = s->fill;
        s->kind = kind_of((const unsigned char *)s->in, s->fill);
    }
    if (!s || !decoder_begin(s)) {
        if (s)
            mlk_stream_close(s);
        else
            fclose(f);
        return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    }
    *out = s;
    return MLK_OK;
}

int mlk_stream_packed(const mlk_stream *s)
{
    return s->kind != PLAIN;
}

void mlk_stream_close(mlk_stream *s)
{
    if (!s) return;
    decoder_end(s);
    if (s->f) fclose(s->f);
    mlk_free(s);
}

static mlk_status fail(mlk_stream *s, mlk_status code, const char *msg, mlk_err *e)
{
    s->end = true;
    MLK_FAIL(e, code, "%s", msg);
    if (code == MLK_EDAMAGED)
        mlk_err_hint(e, "copy the file again from where it was made; nothing in it can be trusted");
    return mlk_err_at(e, s->path, 0);
}

typedef enum { MORE, ENDED, EARLY, DAMAGED, NO_MEMORY } outcome;

/* Run the decoder once over the unread input; *got: bytes put into buf. last: no more input. */
static outcome decode(mlk_stream *s, char *buf, size_t n, size_t have, bool last, size_t *got)
{
    size_t used = 0;
    outcome o = MORE;
    if (s->kind == GZIP) {
        z_stream *z = &s->u.z;
        z->next_in = (Bytef *)s->at;
        z->avail_in = (uInt)have;
        z->next_out = (Bytef *)buf;
        z->avail_out = (uInt)n;
        int r = inflate(z, Z_NO_FLUSH);
        used = have - z->avail_in;
        *got = n - z->avail_out;
        o = r == Z_STREAM_END               ? ENDED
            : r == Z_OK || r == Z_BUF_ERROR ? MORE
            : r == Z_MEM_ERROR              ? NO_MEMORY
                                            : DAMAGED;
    } else if (s->kind == XZ) {
        lzma_stream *x = &s->u.x;
        x->next_in = (const uint8_t *)s->at;
        x->avail_in = have;
        x->next_out = (uint8_t *)buf;
        x->avail_out = n;
        lzma_ret r = lzma_code(x, last ? LZMA_FINISH : LZMA_RUN);
        used = have - x->avail_in;
        *got = n - x->avail_out;
        o = r == LZMA_STREAM_END                              ? ENDED
            : r == LZMA_OK || r == LZMA_BUF_ERROR             ? MORE
            : r == LZMA_MEM_ERROR || r == LZMA_MEMLIMIT_ERROR ? NO_MEMORY
                                                              : DAMAGED;
    } else {
        bz_stream *b = &s->u.b;
        b->next_in = s->at;
        b->avail_in = (unsigned)have;
        b->next_out = buf;
        b->avail_out = (unsigned)n;
        int r = BZ2_bzDecompress(b);
        used = have - b->avail_in;
        *got = n - b->avail_out;
        o = r == BZ_STREAM_END  ? ENDED
            : r == BZ_OK        ? MORE
            : r == BZ_MEM_ERROR ? NO_MEMORY
                                : DAMAGED;
    }
    s->at += used;
    if (o == MORE && last && used == 0 && *got == 0) o = EARLY;
    return o;
}

/* gzip and bzip2 files may hold several members, one after another. */
static mlk_status next_member(mlk_stream *s, mlk_err *e)
{
    s->member_done = false;
    const size_t left = s->fill - (size_t)(s->at - s->in);
    if (s->kind == XZ || kind_of((unsigned char *)s->at, left) != s->kind) { /* padding: ignored */
        s->end = true;
        return MLK_OK;
    }
    decoder_end(s);
    return decoder_begin(s) ? MLK_OK : fail(s, MLK_ENOMEM, "no memory to expand the file", e);
}

/* Move what is unread to the front and fill up. */
static mlk_status refill(mlk_stream *s, mlk_err *e)
{
    size_t left = s->fill - (size_t)(s->at - s->in);
    memmove(s->in, s->at, left);
    s->at = s->in;
    const size_t more = fread(s->in + left, 1, CHUNK - left, s->f);
    s->fill = left + more;
    s->taken += more;
    return ferror(s->f) ? fail(s, MLK_EIO, "cannot read: the device reports an error", e) : MLK_OK;
}

mlk_status mlk_stream_read(mlk_stream *s, void *buf, size_t n, size_t *got, mlk_err *e)
{
    *got = 0;
    if (n > 1u << 30) n = 1u << 30;
    while (!s->end && *got == 0) {
        if ((size_t)(s->at - s->in) == s->fill ||
            (s->member_done && s->fill - (size_t)(s->at - s->in) < 8))
            MLK_TRY(refill(s, e));
        size_t have = s->fill - (size_t)(s->at - s->in);
        if (s->kind == PLAIN) {
            *got = have < n ? have : n;
            memcpy(buf, s->at, *got);
            s->at += *got;
            s->end = have == 0;
            return MLK_OK;
        }
        if (s->member_done) {
            MLK_TRY(next_member(s, e));
            continue;
        }
        const outcome o = decode(s, buf, n, have, feof(s->f), got);
        s->given += *got;
        if (s->given > SMALL && s->given / RATIO_MAX > s->taken) {
            *got = 0;
            return fail(s, MLK_EFORMAT, "the file expands to more than 2000 times its size", e);
        }
        switch (o) {
        case MORE:
            break;
        case ENDED:
            s->member_done = true;
            break;
        case EARLY:
            return fail(s, MLK_EFORMAT, "the compressed data end early", e);
        case DAMAGED:
            return fail(s, MLK_EDAMAGED, "the compressed data are damaged", e);
        case NO_MEMORY:
            return fail(s, MLK_ENOMEM, "no memory to expand the file", e);
        }
    }
    return MLK_OK;
}

mlk_status mlk_stream_drain(mlk_stream *s, mlk_err *e)
{
    char buf[16384];
    size_t got = 1;
    while (got) MLK_TRY(mlk_stream_read(s, buf, sizeof buf, &got, e));
    return MLK_OK;
}
