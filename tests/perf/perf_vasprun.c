/* perf_vasprun.c - reading a large vasprun.xml (256 atoms, made here): frames and sums are checked,
 * then MB of XML per second of CPU time and the peak memory, beside xmllint --stream on the same
 * file. MLK_PERF_MB: size of the file, default 200. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "parsers/parser.h"
#include "tests/perf/perf.h"
#include "tests/support/vasprun_make.h"

enum { RUNS = 3 };

typedef struct sums {
    size_t frames;
    double energy, abs_force;
} sums;

typedef struct usage {
    double seconds, megabytes; /* CPU time, peak memory */
    bool good;
} usage;

static mlk_status add(mlk_frame *fr, void *user, mlk_err *e)
{
    sums *s = user;
    (void)e;
    s->frames++;
    s->energy += fr->energy;
    for (size_t i = 0; i < fr->n; i++)
        for (int k = 0; k < 3; k++) s->abs_force += fabs(fr->f[i][k]);
    return MLK_OK;
}

static double off(double got, double want)
{
    return fabs(got - want) / fabs(want);
}

/* In a process of its own, for its peak memory; exits 0 when the sums are right. */
static void read_all(const char *path, const mlk_test_vasprun *v)
{
    sums s = {0};
    mlk_err e = {0};
    bool ok = !mlk_parse_file_as(path, "vasprun", add, &s, NULL, &e) && s.frames == v->steps &&
              off(s.energy, v->energy) < 1e-10 && off(s.abs_force, v->abs_force) < 1e-10;
    _exit(!ok);
}

/* What a child needs; program NULL: read_all. */
static usage measure(const char *path, const mlk_test_vasprun *v, const char *program)
{
    usage u = {0};
    fflush(NULL);
    struct rusage r, before;
    getrusage(RUSAGE_CHILDREN, &before);
    pid_t pid = fork();
    if (pid == 0) {
        if (!program) read_all(path, v);
        execlp(program, program, "--stream", "--noout", path, (char *)NULL);
        _exit(127);
    }
    int status;
    u.good =
        pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
    getrusage(RUSAGE_CHILDREN, &r);
    u.seconds = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec - before.ru_utime.tv_sec -
                         before.ru_stime.tv_sec) +
                1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec - before.ru_utime.tv_usec -
                                before.ru_stime.tv_usec);
    u.megabytes = (double)r.ru_maxrss / 1024; /* the largest of all children so far */
    return u;
}

static usage best_of(const char *path, const mlk_test_vasprun *v, const char *program)
{
    usage best = measure(path, v, program);
    for (int k = 1; k < RUNS && best.good; k++) {
        usage u = measure(path, v, program);
        if (u.seconds < best.seconds) best.seconds = u.seconds;
        best.megabytes = u.megabytes;
        best.good = u.good;
    }
    return best;
}

void perf_vasprun(perf *p)
{
    const char *size = getenv("MLK_PERF_MB"), *path = "build/perf_vasprun.xml";
    mlk_test_vasprun v = {.atoms = 256, .megabytes = size ? atof(size) : 200};
    if (mlk_mkdir_p("build", NULL) || !mlk_test_make_vasprun(path, &v)) perf_die(path);
    usage ours = best_of(path, &v, NULL), lint = best_of(path, &v, "xmllint");
    remove(path);
    if (!ours.good) {
        printf("# vasprun: WRONG frames or sums\n");
        p->failed = true;
        return;
    }
    double us = 1e6 * ours.seconds / (double)v.steps / (double)v.atoms;
    perf_row(p, "vasprun-read", "libxml2", 1, us, 0, 0, 0, 0);
    printf("# vasprun: %.0f MB, %zu steps: %.0f MB/s (CPU time, best of %d), peak memory %.1f MB; ",
           v.bytes / 1e6, v.steps, v.bytes / 1e6 / ours.seconds, RUNS, ours.megabytes);
    if (lint.good)
        printf("%.2f times the rate of xmllint --stream --noout (%.0f MB/s)\n",
               lint.seconds / ours.seconds, v.bytes / 1e6 / lint.seconds);
    else
        printf("xmllint is not installed, no comparison\n");
}
