/* mem.h - allocation: zeroed, 64-byte aligned, overflow-checked; and scratch arenas.
 * Three lifetimes exist: nouns (init/free, create/destroy), scratch (one arena per thread, reset
 * per call), and parse buffers grown by doubling. */
#ifndef MLK_CORE_MEM_H
#define MLK_CORE_MEM_H

#include <stddef.h>

#include "core/err.h"

/* count*size zeroed bytes at a 64-byte boundary, or NULL (overflow, exhausted). Free with mlk_free.
 */
void *mlk_alloc(size_t count, size_t size);
void mlk_free(void *p);
/* Make *p hold at least `need` items of `size` bytes, growing *cap by doubling; old content is
 * kept, new items are zero. Use through MLK_GROW. */
mlk_status mlk_grow(void **p, size_t *cap, size_t need, size_t size, mlk_err *e);
#define MLK_GROW(ptr, cap, need, e) mlk_grow((void **)&(ptr), &(cap), (need), sizeof *(ptr), (e))
/* Copy of a string, or NULL. */
char *mlk_strdup(const char *s);
/* Free n strings and the array that holds them; NULL is harmless. */
void mlk_strings_free(char **s, size_t n);
/* Number of successful mlk_alloc calls so far in this process (tests assert zero per MD step). */
size_t mlk_alloc_count(void);

/* Scratch arena: memory that lives until the next reset. All-zero is valid. Not thread-safe: one
 * per thread. A request that does not fit allocates; after mlk_scratch_reset the arena is one block
 * large enough for everything asked last time, so a steady loop allocates nothing. */
typedef struct mlk_scratch {
    char *base;
    size_t cap, used, want;
    void **extra; /* blocks that did not fit, freed at reset */
    size_t n_extra, cap_extra;
} mlk_scratch;

/* bytes, uninitialised, 64-byte aligned; NULL when memory is exhausted. */
void *mlk_scratch_get(mlk_scratch *s, size_t bytes);
#define MLK_SCRATCH(s, type, count) ((type *)mlk_scratch_get((s), sizeof(type) * (count)))
void mlk_scratch_reset(mlk_scratch *s);
void mlk_scratch_free(mlk_scratch *s);

#endif
