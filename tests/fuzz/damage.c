/* damage.c - one data file, damaged in many ways: cut off at random places, and with random bytes
 * changed. Run by damage.sh under the sanitizers:
 *
 *   mlk-damage FILE CUTS CHANGES FIRST SCRATCH
 *
 * Cases before FIRST are left out (the script goes on after a crash); the number of the case under
 * way stands in SCRATCH/case. What must hold:
 *   cut      every frame that is delivered equals the one of the whole file with its number, bit
 *            for bit (labels that stand behind the cut may be missing)
 *   changed  the file is packed: the frames are the same, or the damage is noticed. In plain text a
 *            digit that became another cannot be noticed: counted, not an error
 * The last line on stdout is the row of the table; broken promises are described on stderr. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/stream.h"
#include "parsers/parser.h"
#include "tests/support/feed.h"

enum { SECONDS_PER_CASE = 30 };

typedef struct whole {
    mlk_frame *fr;
    size_t n, cap;
    mlk_status status;
} whole;

static mlk_status keep(mlk_frame *fr, void *user, mlk_err *e)
{
    whole *w = user;
    MLK_TRY(MLK_GROW(w->fr, w->cap, w->n + 1, e));
    w->fr[w->n++] = *fr;
    memset(fr, 0, sizeof *fr);
    return MLK_OK;
}

typedef struct outcome {
    const whole *w;
    size_t n, fewer, different;
    const char *broken;
} outcome;

static mlk_status compare(mlk_frame *fr, void *user, mlk_err *e)
{
    outcome *o = user;
    (void)e;
    if (!o->broken) o->broken = mlk_feed_frame(fr);
    mlk_relation r = o->n < o->w->n ? mlk_feed_compare(&o->w->fr[o->n], fr) : MLK_DIFFERENT;
    o->fewer += r == MLK_FEWER_LABELS;
    o->different += r == MLK_DIFFERENT;
    o->n++;
    return MLK_OK;
}

static void put(const char *path, const char *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || close(fd) != 0) {
        perror(path);
        exit(2);
    }
}

static mlk_status read_case(const char *path, const whole *w, outcome *o)
{
    mlk_err e = {0};
    *o = (outcome){.w = w};
    alarm(SECONDS_PER_CASE);
    mlk_status s = mlk_parse_file(path, compare, o, NULL, &e);
    alarm(0);
    if (!o->broken && s == MLK_EBUG) o->broken = "MLK_EBUG";
    if (!o->broken && s == MLK_ENOMEM) o->broken = "MLK_ENOMEM: allocated because the file said so";
    if (!o->broken && s && !(e.msg[0] && e.file[0])) o->broken = "an error without place or words";
    return s;
}

typedef struct tally {
    size_t cut_ok, cut_short, same, noticed, silent, bad;
} tally;

static void report(const char *file, const char *what, size_t at, const outcome *o, mlk_status s)
{
    fprintf(stderr,
            "%s: %s at byte %zu: %s (status: %s; %zu frames, %zu differ, %zu lack labels)\n",
            mlk_path_base(file), what, at, o->broken ? o->broken : "frames differ",
            mlk_status_name(s), o->n, o->different, o->fewer);
}

static void judge_cut(const char *file, size_t at, const outcome *o, mlk_status s, tally *t)
{
    if (o->broken || (o->different && s != MLK_EDAMAGED)) {
        t->bad++;
        report(file, "cut", at, o, s);
    } else {
        t->cut_ok++;
        t->cut_short += !s && o->n < o->w->n;
    }
}

static void judge_change(const char *file, size_t at, bool packed, const outcome *o, mlk_status s,
                         tally *t)
{
    const bool all = o->n == o->w->n && !o->different;
    if (o->broken || (packed && s != MLK_EDAMAGED && (o->different || (!s && !all)))) {
        t->bad++;
        report(file, "changed", at, o, s);
    } else if (s == o->w->status && all && !o->fewer) {
        t->same++;
    } else if (s == MLK_EDAMAGED || !o->different) {
        t->noticed++;
    } else {
        t->silent++; /* or with an error further down: the frame was wrong before it */
    }
}

static char *load(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    size_t cap = 0;
    char *b = NULL;
    *n = 0;
    while (f && !mlk_grow((void **)&b, &cap, *n + 65536, 1, NULL)) {
        size_t got = fread(b + *n, 1, 65536, f);
        *n += got;
        if (!got) break;
    }
    if (f) fclose(f);
    return b;
}

static bool is_packed(const char *path)
{
    mlk_stream *s;
    if (mlk_stream_open(&s, path, NULL)) return false;
    bool packed = mlk_stream_packed(s);
    mlk_stream_close(s);
    return packed;
}

static void one_case(const char *file, const char *path, char *bytes, size_t n, size_t k, bool cut,
                     bool packed, const whole *w, tally *t)
{
    outcome o;
    mlk_rng g = mlk_rng_make(1000 + k, cut);
    size_t at = mlk_rng_below(&g, n);
    if (cut) {
        put(path, bytes, at);
        mlk_status s = read_case(path, w, &o);
        judge_cut(file, at, &o, s, t);
        return;
    }
    const char old = bytes[at];
    bytes[at] = (char)(old ^ (char)(1 + mlk_rng_below(&g, 255)));
    put(path, bytes, n);
    bytes[at] = old;
    mlk_status s = read_case(path, w, &o);
    judge_change(file, at, packed, &o, s, t);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: mlk-damage FILE CUTS CHANGES FIRST SCRATCH\n");
        return 2;
    }
    const char *file = argv[1], *dir = argv[5];
    const size_t cuts = strtoul(argv[2], NULL, 10), all = cuts + strtoul(argv[3], NULL, 10);
    char path[1024], progress[1024], text[32];
    size_t n;
    whole w = {0};
    tally t = {0};
    mlk_err e = {0};
    mlk_log_set_level(MLK_LOG_ERROR);
    mlk_path_join(path, sizeof path, dir, mlk_path_base(file));
    mlk_path_join(progress, sizeof progress, dir, "case");
    char *bytes = load(file, &n);
    if (!bytes || !n) return 2;
    const mlk_parser *p = mlk_parser_sniff(file, NULL);
    const bool packed = is_packed(file);
    w.status = mlk_parse_file(file, keep, &w, NULL, &e);
    for (size_t k = strtoul(argv[4], NULL, 10); k < all; k++) {
        put(progress, text, (size_t)snprintf(text, sizeof text, "%zu\n", k));
        one_case(file, path, bytes, n, k, k < cuts, packed, &w, &t);
    }
    unlink(path);
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("%s %s %zu %zu %zu %zu %zu %zu %zu %.0f %ld\n", mlk_path_base(file), p ? p->name : "-",
           w.n, t.cut_ok, t.cut_short, t.same, t.noticed, t.silent, t.bad,
           (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec, u.ru_maxrss / 1024);
    for (size_t k = 0; k < w.n; k++) mlk_frame_free(&w.fr[k]);
    mlk_free(w.fr), mlk_free(bytes);
    return t.bad != 0;
}
