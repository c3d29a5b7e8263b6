/* fuzz.c - libFuzzer's door to every reader (tests/support/feed.h). The environment variable
 * MLK_FUZZ names the target; "list" prints the targets and ends. A broken promise aborts, so that
 * the input is kept like a crash. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "parsers/isolate.h"
#include "tests/support/feed.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static char target[80];

/* Takes the place of parsers/isolate.c: a crash of our own code must be seen here, and coverage
 * with it. The HDF5 library's are kept away by making its files from scripts (feed_h5.h). */
mlk_status mlk_parse_isolated(mlk_parse_fn parse, const char *path, mlk_frame_fn fn, void *user,
                              mlk_err *e)
{
    return parse(path, fn, user, e);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    const char *want = getenv("MLK_FUZZ"), *name;
    const int list = want && !strcmp(want, "list");
    int found = 0;
    for (size_t k = 0; (name = mlk_feed_target(k)); k++) {
        if (list) puts(name);
        if (want && !strcmp(want, name)) found = 1;
    }
    if (list) exit(0);
    if (!found) {
        fprintf(stderr, "MLK_FUZZ must name a target ('list' shows them)\n");
        exit(2);
    }
    snprintf(target, sizeof target, "%s", want);
    mlk_log_set_level(MLK_LOG_ERROR);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *broken = mlk_feed(target, bytes, n, NULL);
    if (broken) {
        fprintf(stderr, "PROMISE BROKEN by %s: %s\n", target, broken);
        abort();
    }
    return 0;
}
