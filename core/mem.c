/* mem.c - see mem.h. */
#include "core/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t n_alloc;

void *mlk_alloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / 2 / size) return NULL;
    size_t bytes = (count * size + 63) & ~(size_t)63;
    void *p = aligned_alloc(64, bytes ? bytes : 64);
    if (!p) return NULL;
    memset(p, 0, bytes);
#pragma omp atomic
    n_alloc++;
    return p;
}

void mlk_free(void *p)
{
    free(p);
}

void mlk_strings_free(char **s, size_t n)
{
    for (size_t k = 0; s && k < n; k++) mlk_free(s[k]);
    mlk_free(s);
}

size_t mlk_alloc_count(void)
{
    return n_alloc;
}

mlk_status mlk_grow(void **p, size_t *cap, size_t need, size_t size, mlk_err *e)
{
    if (need <= *cap) return MLK_OK;
    size_t want = *cap ? *cap * 2 : 16;
    if (want < need) want = need;
    void *q = mlk_alloc(want, size);
    if (!q) return MLK_FAIL(e, MLK_ENOMEM, "cannot allocate %zu items of %zu bytes", want, size);
    if (*p) memcpy(q, *p, *cap * size);
    mlk_free(*p);
    *p = q;
    *cap = want;
    return MLK_OK;
}

char *mlk_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *q = mlk_alloc(n, 1);
    if (q) memcpy(q, s, n);
    return q;
}

void *mlk_scratch_get(mlk_scratch *s, size_t bytes)
{
    bytes = (bytes + 63) & ~(size_t)63;
    s->want += bytes;
    if (s->used + bytes <= s->cap) {
        void *p = s->base + s->used;
        s->used += bytes;
        return p;
    }
    if (mlk_grow((void **)&s->extra, &s->cap_extra, s->n_extra + 1, sizeof(void *), NULL))
        return NULL;
    void *p = mlk_alloc(bytes, 1);
    if (p) s->extra[s->n_extra++] = p;
    return p;
}

void mlk_scratch_reset(mlk_scratch *s)
{
    for (size_t i = 0; i < s->n_extra; i++) mlk_free(s->extra[i]);
    s->n_extra = 0;
    if (s->want > s->cap) {
        mlk_free(s->base);
        s->cap = s->want + s->want / 4;
        s->base = mlk_alloc(s->cap, 1);
        if (!s->base) s->cap = 0;
    }
    s->used = s->want = 0;
}

void mlk_scratch_free(mlk_scratch *s)
{
    for (size_t i = 0; i < s->n_extra; i++) mlk_free(s->extra[i]);
    mlk_free(s->extra);
    mlk_free(s->base);
    memset(s, 0, sizeof *s);
}
