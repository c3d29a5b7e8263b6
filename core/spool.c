/* spool.c - see spool.h. One file per series; its space is reserved before it is mapped, since
 * writing to a mapped hole of a full disk would kill the process. */
#define _DEFAULT_SOURCE /* madvise */
#include "core/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/mem.h"

enum { STEP = 1 << 20, LIMIT = 64 << 20, BLOCK = 512 };

mlk_status mlk_spool_init(mlk_spool *s, size_t k, const char *near, mlk_err *e)
{
    memset(s, 0, sizeof *s);
    s->limit = LIMIT;
    s->x = mlk_alloc(k, sizeof *s->x);
    if (!s->x) return MLK_FAIL(e, MLK_ENOMEM, "%zu series", k);
    s->k = k;
    const char *slash = near ? strrchr(near, '/') : NULL;
    if (slash && (size_t)(slash - near) < sizeof s->dir)
        snprintf(s->dir, sizeof s->dir, "%.*s", slash > near ? (int)(slash - near) : 1, near);
    else
        snprintf(s->dir, sizeof s->dir, ".");
    return MLK_OK;
}

/* an unnamed file with n bytes of space, -1 when dir has no room for it */
static int make_file(const char *dir, size_t n)
{
    char path[560];
    if (!dir || !*dir || strlen(dir) > 512) return -1;
    snprintf(path, sizeof path, "%s/mlkit-XXXXXX", dir);
    int fd = mkstemp(path);
    if (fd < 0) return -1;
    unlink(path);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if ((errno = posix_fallocate(fd, 0, (off_t)n)) == 0) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static mlk_status no_room(const mlk_spool *s, size_t bytes, mlk_err *e)
{
    MLK_FAIL(e, MLK_EIO, "no place for %zu MB of temporary files: %s", s->k * bytes >> 20,
             strerror(errno));
    return mlk_err_hint(e, "set TMPDIR to a folder with room");
}

/* the same series as files with room for cap values */
static mlk_status to_files(mlk_spool *s, size_t cap, mlk_err *e)
{
    const char *dir[3] = {getenv("TMPDIR"), "/tmp", s->dir};
    int *fd = mlk_alloc(s->k, sizeof *fd);
    if (!fd) return MLK_FAIL(e, MLK_ENOMEM, "%zu series", s->k);
    size_t made = 0;
    for (int d = 0; d < 3 && made < s->k; d++) {
        while (made > 0) close(fd[--made]);
        while (made < s->k && (fd[made] = make_file(dir[d], cap * sizeof(double))) >= 0) made++;
    }
    double **x = mlk_alloc(s->k, sizeof *x);
    size_t mapped = 0;
    mlk_status st = made == s->k ? MLK_OK : no_room(s, cap * sizeof(double), e);
    if (!st && !x) st = MLK_FAIL(e, MLK_ENOMEM, "%zu series", s->k);
    for (; !st && mapped < s->k; mapped++) {
        x[mapped] =
            mmap(NULL, cap * sizeof(double), PROT_READ | PROT_WRITE, MAP_SHARED, fd[mapped], 0);
        if (x[mapped] == MAP_FAILED) st = MLK_FAIL(e, MLK_ENOMEM, "%zu series", s->k);
        if (st) break;
        if (s->n) memcpy(x[mapped], s->x[mapped], s->n * sizeof(double));
        mlk_free(s->x[mapped]);
        s->x[mapped] = NULL;
    }
    if (st) {
        for (size_t i = 0; i < mapped; i++) munmap(x[i], cap * sizeof(double));
        while (made > 0) close(fd[--made]);
        mlk_free(fd), mlk_free(x);
        return st;
    }
    mlk_free(s->x);
    s->x = x, s->fd = fd, s->cap = cap;
    mlk_spool_release(s);
    return MLK_OK;
}

static mlk_status grow_files(mlk_spool *s, size_t cap, mlk_err *e)
{
    for (size_t i = 0; i < s->k; i++) {
        if ((errno = posix_fallocate(s->fd[i], 0, (off_t)(cap * sizeof(double)))))
            return no_room(s, (cap - s->cap) * sizeof(double), e);
        void *p = mmap(NULL, cap * sizeof(double), PROT_READ | PROT_WRITE, MAP_SHARED, s->fd[i], 0);
        if (p == MAP_FAILED) return MLK_FAIL(e, MLK_ENOMEM, "series of %zu values", cap);
        munmap(s->x[i], s->cap * sizeof(double));
        s->x[i] = p;
        /* room differs between series only if this loop fails, and then nothing is used any more */
    }
    s->cap = cap;
    return MLK_OK;
}

static mlk_status reserve(mlk_spool *s, size_t need, mlk_err *e)
{
    if (need <= s->cap) return MLK_OK;
    if (need > ((size_t)1 << 58) / (s->k ? s->k : 1))
        return MLK_FAIL(e, MLK_ENOMEM, "series of %zu values", need);
    if (s->fd || s->k * need * sizeof(double) > s->limit) {
        size_t cap = (need + STEP - 1) / STEP * STEP;
        return s->fd ? grow_files(s, cap, e) : to_files(s, cap, e);
    }
    size_t cap = 2 * s->cap > need ? 2 * s->cap : need;
    if (s->k * cap * sizeof(double) > s->limit) cap = s->limit / sizeof(double) / s->k;
    for (size_t i = 0; i < s->k; i++) {
        double *p = mlk_alloc(cap, sizeof *p);
        if (!p) return MLK_FAIL(e, MLK_ENOMEM, "series of %zu values", need);
        if (s->n) memcpy(p, s->x[i], s->n * sizeof *p);
        mlk_free(s->x[i]);
        s->x[i] = p;
    }
    s->cap = cap;
    return MLK_OK;
}

mlk_status mlk_spool_extend(mlk_spool *s, size_t n, mlk_err *e)
{
    MLK_TRY(reserve(s, s->n + n, e));
    s->n += n;
    return MLK_OK;
}

mlk_status mlk_spool_add(mlk_spool *s, size_t n, const double *rows, mlk_err *e)
{
    size_t at = s->n;
    MLK_TRY(mlk_spool_extend(s, n, e));
    for (size_t lo = 0; lo < n; lo += BLOCK) { /* rows of a block stay in the cache */
        size_t hi = lo + BLOCK < n ? lo + BLOCK : n;
        for (size_t i = 0; i < s->k; i++)
            for (size_t t = lo; t < hi; t++) s->x[i][at + t] = rows[t * s->k + i];
    }
    return MLK_OK;
}

static void drop_one(mlk_spool *s, size_t i)
{
    if (s->fd) {
        if (s->x[i]) munmap(s->x[i], s->cap * sizeof(double));
        close(s->fd[i]);
    } else {
        mlk_free(s->x[i]);
    }
    s->x[i] = NULL;
}

void mlk_spool_drop(mlk_spool *s, size_t k)
{
    for (; s->k > k; s->k--) drop_one(s, s->k - 1);
}

void mlk_spool_release(const mlk_spool *s)
{
    for (size_t i = 0; s->fd && i < s->k; i++)
        madvise(s->x[i], s->cap * sizeof(double), MADV_DONTNEED);
}

void mlk_spool_free(mlk_spool *s)
{
    mlk_spool_drop(s, 0);
    mlk_free(s->x);
    mlk_free(s->fd);
    memset(s, 0, sizeof *s);
}
