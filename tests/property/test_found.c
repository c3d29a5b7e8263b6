/* test_found.c - every input that ever broke a reader (tests/fuzz/found) and every seed of the
 * fuzzers, through every reader: no crash, no broken promise (tests/support/feed.h), and no more
 * memory than such small files can need. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "tests/support/feed.h"
#include "tests/support/shared.h"

/* Beyond this an allocation fails and the reader says "out of memory", which is a broken promise.
 * The sanitizers reserve address space by themselves. */
static void bound_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
    const rlim_t bytes = (rlim_t)3 << 29;
    struct rlimit r = {.rlim_cur = bytes, .rlim_max = bytes};
    cr_assert(setrlimit(RLIMIT_AS, &r) == 0);
#endif
}

static char *load(const char *path, size_t *n)
{
    size_t cap = 1 << 17;
    char *b = mlk_alloc(cap, 1);
    FILE *f = fopen(path, "rb");
    cr_assert(f && b, "%s", path);
    *n = fread(b, 1, cap, f);
    fclose(f);
    return b;
}

/* What the fuzzer of one target found concerns it first, but costs nothing to give to all. */
static size_t feed_all(const char *path)
{
    size_t n, fed = 0;
    char *b = load(path, &n);
    const char *target;
    for (size_t k = 0; (target = mlk_feed_target(k)); k++, fed++) {
        char name[80];
        snprintf(name, sizeof name, "%s", target);
        const char *broken = mlk_feed(name, b, n, NULL);
        cr_expect(!broken, "%s to %s: %s", path, name, broken);
    }
    mlk_free(b);
    return fed;
}

static size_t folder(const char *top, int depth)
{
    size_t fed = 0;
    DIR *d = opendir(top);
    for (struct dirent *i; d && (i = readdir(d));) {
        char path[1024];
        if (i->d_name[0] == '.') continue;
        mlk_path_join(path, sizeof path, top, i->d_name);
        if (!mlk_file_is_dir(path))
            fed += feed_all(path);
        else if (depth > 0)
            fed += folder(path, depth - 1);
    }
    if (d) closedir(d);
    return fed;
}

static void replay(const char *what)
{
    char path[600];
    mlk_log_set_level(MLK_LOG_ERROR);
    bound_memory();
    snprintf(path, sizeof path, "%s/tests/fuzz/%s", mlk_test_root(), what);
    size_t fed = folder(path, 1);
    printf("%s: %zu inputs given to readers\n", what, fed);
    cr_expect(fed > 0, "nothing in %s", path);
}

Test(found, inputs_that_broke_a_reader, .timeout = 300)
{
    replay("found");
}

Test(found, seeds_of_the_fuzzers, .timeout = 300)
{
    replay("seed");
}
