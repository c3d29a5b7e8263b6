/* isolate.c - see isolate.h. Through the pipe go messages: 'F' and a frame (the struct, then its
 * arrays), at the end 'E' and the error. A child that ends without 'E' has crashed. Both sides are
 * the same program, so structs travel as they are. */
#include "parsers/isolate.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"

enum { PATIENCE_S = 30, BYTES_PER_S = 10000000, ATOMS_MAX = 100000000 };

static bool put(int fd, const void *data, size_t n)
{
    const char *p = data;
    while (n) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

/* All n bytes; false: the child is gone, or silent for so many seconds. */
static bool get(int fd, void *data, size_t n, int seconds)
{
    char *p = data;
    while (n) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int r = poll(&ready, 1, seconds * 1000);
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) return false;
        ssize_t k = read(fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

static mlk_status send_frame(mlk_frame *fr, void *user, mlk_err *e)
{
    const int fd = *(const int *)user;
    bool ok = put(fd, "F", 1) && put(fd, fr, sizeof *fr) && put(fd, fr->z, fr->n * sizeof *fr->z) &&
              put(fd, fr->x, fr->n * sizeof *fr->x) && put(fd, fr->f, fr->n * sizeof *fr->f);
    if (ok && (fr->has & MLK_HAS_VELOCITY)) ok = put(fd, fr->v, fr->n * sizeof *fr->v);
    return ok ? MLK_OK : MLK_FAIL(e, MLK_EIO, "the pipe to the parser is closed");
}

static bool receive_frame(int fd, int seconds, mlk_frame *fr)
{
    mlk_frame head, made;
    memset(fr, 0, sizeof *fr);
    if (!get(fd, &head, sizeof head, seconds) || head.n < 1 || head.n > ATOMS_MAX ||
        mlk_frame_init(&made, head.n, NULL))
        return false;
    *fr = head;
    fr->z = made.z, fr->x = made.x, fr->f = made.f, fr->v = NULL;
    fr->source[sizeof fr->source - 1] = fr->group[sizeof fr->group - 1] = 0;
    fr->config_type[sizeof fr->config_type - 1] = fr->theory[sizeof fr->theory - 1] = 0;
    bool ok = get(fd, fr->z, fr->n * sizeof *fr->z, seconds) &&
              get(fd, fr->x, fr->n * sizeof *fr->x, seconds) &&
              get(fd, fr->f, fr->n * sizeof *fr->f, seconds);
    if (ok && (fr->has & MLK_HAS_VELOCITY))
        ok = (fr->v = mlk_alloc(fr->n, sizeof *fr->v)) &&
             get(fd, fr->v, fr->n * sizeof *fr->v, seconds);
    return ok;
}

/* The child. A crash is an answer here, not news: no report, no core file. */
static void run_child(mlk_parse_fn parse, const char *path, int fd)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t k = 0; k < sizeof fatal / sizeof *fatal; k++) signal(fatal[k], SIG_DFL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    mlk_err e = {0};
    mlk_status s = parse(path, send_frame, &fd, &e);
    if (s && !e.code) MLK_FAIL(&e, s, "%s", mlk_status_name(s));
    bool ok = put(fd, "E", 1) && put(fd, &e, sizeof e);
    _exit(ok ? 0 : 1);
}

static mlk_status crashed(const char *path, mlk_err *e)
{
    MLK_FAIL(e, MLK_EFORMAT, "the file is damaged: the library that reads it breaks down");
    mlk_err_hint(e, "copy the file again from where it was made");
    return mlk_err_at(e, path, 0);
}

/* The parent: frames until 'E' or the end of the child. */
static mlk_status receive(int fd, int seconds, const char *path, mlk_frame_fn fn, void *user,
                          mlk_err *e)
{
    mlk_status s = MLK_OK;
    char kind = 0;
    while (!s && get(fd, &kind, 1, seconds)) {
        if (kind == 'F') {
            mlk_frame fr;
            bool ok = receive_frame(fd, seconds, &fr);
            s = ok && !mlk_frame_check(&fr, NULL) ? fn(&fr, user, e) : crashed(path, e);
            mlk_frame_free(&fr);
        } else {
            mlk_err why;
            if (kind != 'E' || !get(fd, &why, sizeof why, seconds)) break;
            if (why.code && e && !e->code) *e = why;
            return why.code;
        }
    }
    return s ? s : crashed(path, e);
}

mlk_status mlk_parse_isolated(mlk_parse_fn parse, const char *path, mlk_frame_fn fn, void *user,
                              mlk_err *e)
{
    int fd[2];
    struct stat st;
    const double bytes = stat(path, &st) ? 0 : (double)st.st_size;
    const int seconds = PATIENCE_S + (int)(bytes / BYTES_PER_S > 1e5 ? 1e5 : bytes / BYTES_PER_S);
    if (pipe(fd)) return MLK_FAIL(e, MLK_EIO, "no pipe to read %s: %s", path, strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        close(fd[0]);
        run_child(parse, path, fd[1]);
    }
    close(fd[1]);
    mlk_status s;
    if (pid < 0)
        s = MLK_FAIL(e, MLK_EIO, "no process to read %s: %s", path, strerror(errno));
    else
        s = receive(fd[0], seconds, path, fn, user, e);
    close(fd[0]);
    if (pid > 0) {
        kill(pid, SIGKILL); /* has ended, or must */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    return s;
}
