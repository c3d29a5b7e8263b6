/* file.c - see file.h. SHA-256 after FIPS 180-4. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/stream.h"

mlk_status mlk_out_begin(mlk_out *o, const char *path, mlk_err *e)
{
    memset(o, 0, sizeof *o);
    snprintf(o->path, sizeof o->path, "%s", path);
    struct stat st;
    bool there = stat(path, &st) == 0;
    char *real = there && S_ISREG(st.st_mode) ? realpath(path, NULL) : NULL;
    snprintf(o->dest, sizeof o->dest, "%s", real ? real : path);
    free(real);
    if (there && !S_ISREG(st.st_mode)) { /* a terminal, a pipe, /dev/null: nothing to rename */
        o->fp = fopen(path, "w");
    } else {
        snprintf(o->tmp, sizeof o->tmp, "%s.tmp.%ld", o->dest, (long)getpid());
        o->fp = fopen(o->tmp, "w");
    }
    if (!o->fp) {
        MLK_FAIL(e, MLK_EIO, "cannot write: %s", strerror(errno));
        return mlk_err_at(e, path, 0);
    }
    return MLK_OK;
}

mlk_status mlk_out_commit(mlk_out *o, mlk_err *e)
{
    bool file = o->tmp[0];
    bool bad = fflush(o->fp) != 0 || ferror(o->fp) || (file && fsync(fileno(o->fp)) != 0);
    int err = errno;
    if (fclose(o->fp) != 0 && !bad) bad = true, err = errno;
    o->fp = NULL;
    if (!bad && file && rename(o->tmp, o->dest) != 0) bad = true, err = errno;
    if (!bad) return MLK_OK;
    if (file) unlink(o->tmp);
    MLK_FAIL(e, MLK_EIO, "cannot write: %s", strerror(err));
    mlk_err_hint(e, "check the free space and the permissions of the folder");
    return mlk_err_at(e, o->path, 0);
}

void mlk_out_abort(mlk_out *o)
{
    if (!o->fp) return;
    fclose(o->fp);
    o->fp = NULL;
    if (o->tmp[0]) unlink(o->tmp);
}

mlk_status mlk_file_replaceable(const char *path, mlk_err *e)
{
    struct stat st;
    if (stat(path, &st) != 0 || S_ISREG(st.st_mode)) return MLK_OK;
    MLK_FAIL(e, MLK_EIO, "there is something here that is not a regular file");
    mlk_err_hint(e, "give another name: this output cannot go to a folder, a device or a pipe");
    return mlk_err_at(e, path, 0);
}

mlk_status mlk_file_write_text(const char *path, const char *text, mlk_err *e)
{
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, path, e));
    fputs(text, o.fp);
    return mlk_out_commit(&o, e);
}

bool mlk_file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool mlk_file_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

mlk_status mlk_mkdir_p(const char *path, mlk_err *e)
{
    char buf[1024];
    if ((size_t)snprintf(buf, sizeof buf, "%s", path) >= sizeof buf)
        return MLK_FAIL(e, MLK_EINVAL, "path is too long: %s", path);
    for (char *p = buf + 1;; p++) {
        if (*p && *p != '/') continue;
        char c = *p;
        *p = 0;
        if (mkdir(buf, 0777) != 0 && errno != EEXIST) {
            MLK_FAIL(e, MLK_EIO, "cannot make the folder: %s", strerror(errno));
            return mlk_err_at(e, buf, 0);
        }
        if (!c) break;
        *p = c;
    }
    if (!mlk_file_is_dir(path)) {
        MLK_FAIL(e, MLK_EIO, "is in the way: not a folder");
        return mlk_err_at(e, path, 0);
    }
    return MLK_OK;
}

mlk_status mlk_file_slurp(const char *path, char **text, size_t *size, mlk_err *e)
{
    mlk_stream *in;
    size_t n = 0, cap = 0, got = 0;
    mlk_status s;
    *text = NULL;
    MLK_TRY(mlk_stream_open(&in, path, e));
    do {
        s = mlk_grow((void **)text, &cap, n + 65537, 1, e);
        if (!s) s = mlk_stream_read(in, *text + n, 65536, &got, e);
        n += got;
    } while (!s && got);
    mlk_stream_close(in);
    if (s) {
        mlk_free(*text);
        *text = NULL;
        return mlk_err_at(e, path, 0);
    }
    (*text)[n] = 0;
    if (size) *size = n;
    return MLK_OK;
}

char *mlk_path_join(char *buf, size_t cap, const char *dir, const char *name)
{
    size_t n = strlen(dir);
    snprintf(buf, cap, "%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
    return buf;
}

bool mlk_path_ends(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n >= m && !strcasecmp(path + n - m, ending);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

mlk_status mlk_dir_names(const char *dir, char ***names, size_t *n, mlk_err *e)
{
    size_t cap = 0;
    *names = NULL;
    *n = 0;
    DIR *d = opendir(dir);
    if (!d) {
        MLK_FAIL(e, MLK_EIO, "cannot read the folder: %s", strerror(errno));
        return mlk_err_at(e, dir, 0);
    }
    mlk_status s = MLK_OK;
    for (struct dirent *it; !s && (it = readdir(d));) {
        if (it->d_name[0] == '.') continue;
        s = MLK_GROW(*names, cap, *n + 1, e);
        if (s) break;
        (*names)[*n] = mlk_strdup(it->d_name);
        if ((*names)[*n])
            ++*n;
        else
            s = MLK_FAIL(e, MLK_ENOMEM, "no memory to list %s", dir);
    }
    closedir(d);
    if (*n) qsort(*names, *n, sizeof **names, by_name);
    if (!s) return MLK_OK;
    mlk_strings_free(*names, *n);
    *names = NULL;
    *n = 0;
    return s;
}

const char *mlk_path_base(const char *path)
{
    const char *p = strrchr(path, '/');
    return p ? p + 1 : path;
}

static const uint32_t sha_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t ror(uint32_t v, int k)
{
    return (v >> k) | (v << (32 - k));
}

static void sha_block(uint32_t h[8], const unsigned char *p)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
               (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (ror(a, 7) ^ ror(a, 18) ^ (a >> 3)) + w[i - 7] +
               (ror(b, 17) ^ ror(b, 19) ^ (b >> 10));
    }
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = s[7] + (ror(s[4], 6) ^ ror(s[4], 11) ^ ror(s[4], 25)) +
                      ((s[4] & s[5]) ^ (~s[4] & s[6])) + sha_k[i] + w[i];
        uint32_t t2 = (ror(s[0], 2) ^ ror(s[0], 13) ^ ror(s[0], 22)) +
                      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) h[i] += s[i];
}

mlk_status mlk_file_sha256(const char *path, char hex[65], mlk_err *e)
{
    FILE *f = mlk_file_is_dir(path) ? (errno = EISDIR, NULL) : fopen(path, "rb");
    if (!f) {
        MLK_FAIL(e, MLK_EIO, "cannot read: %s", strerror(errno));
        return mlk_err_at(e, path, 0);
    }
    uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    unsigned char b[64];
    uint64_t total = 0;
    size_t got;
    while ((got = fread(b, 1, 64, f)) == 64) {
        sha_block(h, b);
        total += 64;
    }
    total += got;
    bool bad = ferror(f);
    fclose(f);
    if (bad) {
        MLK_FAIL(e, MLK_EIO, "cannot read");
        return mlk_err_at(e, path, 0);
    }
    memset(b + got, 0, 64 - got);
    b[got] = 0x80;
    if (got >= 56) {
        sha_block(h, b);
        memset(b, 0, 64);
    }
    for (int i = 0; i < 8; i++) b[56 + i] = (unsigned char)((total * 8) >> (56 - 8 * i));
    sha_block(h, b);
    for (int i = 0; i < 8; i++) snprintf(hex + 8 * i, 9, "%08x", (unsigned)h[i]);
    return MLK_OK;
}
