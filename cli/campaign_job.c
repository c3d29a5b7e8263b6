/* campaign_job.c - one job of a study as a child process: its start, its end, what it has found.
 * See campaign_run.h. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/campaign_run.h"
#include "core/file.h"
#include "core/h5.h"
#include "core/log.h"
#include "core/mem.h"
#include "version.h"

static void folder_of(const char *path, char *buf, size_t cap)
{
    snprintf(buf, cap, "%s", path);
    char *slash = strrchr(buf, '/');
    if (slash) *slash = 0;
}

/* In the child: never returns. Its own process group, so that a Ctrl-C at the terminal reaches it
 * once, through us; it is told to stop should we die, and keeps the lock of its job. */
static void become(const char *program, char **argv, const char *log, pid_t parent, int lock)
{
    setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_DFL), signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(143); /* it died before that */
    fcntl(lock, F_SETFD, 0);
    int in = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (in < 0 || out < 0) _exit(126);
    dup2(in, 0), dup2(out, 1), dup2(out, 2);
    execv(program, argv);
    dprintf(2, "mlkit: error: cannot run %s: %s\n", program, strerror(errno));
    _exit(127);
}

static mlk_status log_start(mlk_runner *r, mlk_job *j, const char *command, mlk_err *e)
{
    return mlk_journal_add(r->c,
                           json_pack("{s:s,s:s,s:s,s:i,s:s}", "event", "start", "job", j->id,
                                     "command", command, "threads", j->threads, "mlkit",
                                     MLK_VERSION),
                           e);
}

static mlk_status log_end(mlk_runner *r, const mlk_job *j, const char *event, int status,
                          mlk_err *e)
{
    json_t *ev = json_pack("{s:s,s:s,s:i,s:f}", "event", event, "job", j->id, "status", status,
                           "wall_s", j->wall);
    if (*j->error) json_object_set_new(ev, "error", json_string(j->error));
    return mlk_journal_add(r->c, ev, e);
}

/* The last error line of a log from a place on, or its last line; true for an error line. */
static bool last_words(const char *log, long from, char *buf, size_t cap)
{
    char *text = NULL, *save = NULL;
    size_t size = 0;
    *buf = 0;
    if (mlk_file_slurp(log, &text, &size, NULL)) return false;
    bool error = false;
    size_t skip = from > 0 ? (size_t)from : 0; /* a log that became shorter has no new words */
    char *begin = text + (skip < size ? skip : size);
    for (char *l = strtok_r(begin, "\r\n", &save); l; l = strtok_r(NULL, "\r\n", &save)) {
        const char *p = strstr(l, "error: ");
        if (!p && (error || !*l)) continue;
        error |= p != NULL;
        /* a position before "error:" belongs to the message */
        if (!strncmp(l, "mlkit: ", 7)) l += 7;
        if (!strncmp(l, "error: ", 7)) l += 7;
        snprintf(buf, cap, "%.*s", (int)cap - 1, l);
    }
    mlk_free(text);
    return error;
}

/* Why a job failed: its own words or, where it could say none, what is known from outside. */
static void why(const mlk_runner *r, mlk_job *j, int status, int code)
{
    char words[200];
    if (WIFSIGNALED(status)) {
        snprintf(j->error, sizeof j->error, "killed by signal %d (%s)", WTERMSIG(status),
                 WTERMSIG(status) == SIGKILL ? "out of memory?" : "see the log");
        return;
    }
    if (last_words(j->log, j->log_from, j->error, sizeof j->error)) return;
    snprintf(words, sizeof words, "%.199s", j->error);
    snprintf(j->error, sizeof j->error, "exit status %d%s%s%s", code,
             mlk_campaign_disk(r->c, 1).free < 65536 ? "; the disk is full" : "",
             *words ? "; last line of the log: " : "; the log says nothing", words);
}

static double attr(mlk_h5 *h, const char *name)
{
    double v = NAN;
    mlk_err quiet = {0};
    if (mlk_h5_attr_exists(h, "/parameters/mlkit", name) &&
        mlk_h5_attr_double(h, "/parameters/mlkit", name, &v, &quiet))
        return NAN;
    return v;
}

static size_t add(char *buf, size_t cap, size_t len, const char *before, double v,
                  const char *after)
{
    if (!isfinite(v) || len >= cap) return len;
    return len + (size_t)snprintf(buf + len, cap - len, "%s%s%.4g%s", len ? ", " : ": ", before, v,
                                  after);
}

/* What a finished job has found, in a few words; what its file does not say is left out. */
static void headline(const mlk_job *j, char *buf, size_t cap)
{
    mlk_err quiet = {0};
    json_t *js = NULL;
    mlk_h5 *h = NULL;
    size_t n = 0;
    *buf = 0;
    if (j->kind == MLK_JOB_TRAIN && !mlk_json_read(j->out, &js, &quiet)) {
        const json_t *v = json_object_get(js, "valid");
        n = add(buf, cap, n, "validation RMSE energy ",
                mlk_json_get_real(v, "energy_rmse_meV_atom", NAN), " meV/atom");
        n = add(buf, cap, n, "force ", mlk_json_get_real(v, "force_rmse_meV_A", NAN), " meV/A");
        add(buf, cap, n, "stress ", mlk_json_get_real(v, "stress_rmse_GPa", NAN), " GPa");
    } else if (j->kind == MLK_JOB_MD && !mlk_h5_open(&h, j->out, "r", &quiet)) {
        n = add(buf, cap, n, "", attr(h, "temperature_mean_K"), " K");
        n = add(buf, cap, n, "drift ", attr(h, "drift_meV_atom_ns"), " meV/atom/ns");
        add(buf, cap, n, "", attr(h, "atom_steps_per_s"), " atom*step/s");
        mlk_h5_close(&h, &quiet);
    } else if (j->kind == MLK_JOB_TRANSPORT && !mlk_json_read(j->out, &js, &quiet)) {
        snprintf(buf, cap, ": kappa naive %.3f +- %.3f, corrected %.3f +- %.3f W/m/K",
                 mlk_json_get_real(js, "kappa_naive", NAN),
                 mlk_json_get_real(js, "kappa_naive_err", NAN), mlk_json_get_real(js, "kappa", NAN),
                 mlk_json_get_real(js, "kappa_err", NAN));
    } else if (j->kind == MLK_JOB_COMMITTEE && !mlk_json_read(j->out, &js, &quiet)) {
        const json_t *q = json_object_get(js, "force");
        n = add(buf, cap, n, "force error / spread ", mlk_json_get_real(q, "alpha", NAN), "");
        add(buf, cap, n, "inside 1 sigma ",
            100 * mlk_json_get_real(json_object_get(q, "coverage_1sigma"), "after", NAN), " %");
    }
    json_decref(js);
}

static mlk_status end_job(mlk_runner *r, mlk_job *j, mlk_job_state state, int status, mlk_err *e)
{
    char text[400] = "", d[32];
    j->state = state;
    if (state == MLK_JOB_DONE) {
        r->n_ok++;
        headline(j, text, sizeof text);
        mlk_progress(0, true, "[%zu/%zu] %s done in %s%s", r->n_ok + r->n_bad, r->n_must, j->id,
                     mlk_duration(j->wall, d), text);
        return log_end(r, j, "done", 0, e);
    }
    if (state == MLK_JOB_STOPPED) return log_end(r, j, "interrupted", status, e);
    r->n_bad++;
    mlk_progress(0, true, "[%zu/%zu] %s FAILED (%s): %s", r->n_ok + r->n_bad, r->n_must, j->id,
                 j->log, j->error);
    return log_end(r, j, "failed", status, e);
}

/* What mlkit benchmark does itself. */
static mlk_status here(mlk_runner *r, mlk_job *j, mlk_err *e)
{
    mlk_err own = {0};
    MLK_TRY(log_start(r, j,
                      j->kind == MLK_JOB_MODEL ? "(ready model, copied by mlkit benchmark)"
                                               : "(start structure, chosen by mlkit benchmark)",
                      e));
    char dir[1100];
    folder_of(j->out, dir, sizeof dir);
    /* half a copy would be taken for a second model file */
    if (j->kind == MLK_JOB_MODEL) mlk_sweep(dir, true);
    mlk_status s = j->kind == MLK_JOB_MODEL ? mlk_ready_copy(r->c, &r->c->model[j->model], &own)
                                            : mlk_campaign_structure(r->c, &own);
    j->wall = mlk_wtime() - j->t0;
    if (s)
        snprintf(j->error, sizeof j->error, "%.100s%s%.190s", own.file, *own.file ? ": " : "",
                 own.msg);
    return end_job(r, j, s ? MLK_JOB_FAILED : MLK_JOB_DONE, s ? 1 : 0, e);
}

static mlk_status child(mlk_runner *r, mlk_job *j, int lock, mlk_err *e)
{
    char command[MLK_COMMAND_MAX], **words = NULL, *argv[MLK_OPT_LIST_MAX + 128];
    MLK_TRY(mlk_campaign_argv(r->c, j, &words, e));
    mlk_argv_print(words, command, sizeof command);
    size_t n = 0;
    argv[n++] = (char[]){"mlkit"};
    for (char **w = words; *w && n + 1 < sizeof argv / sizeof *argv; w++) argv[n++] = *w;
    argv[n] = NULL;
    mlk_status s = log_start(r, j, command, e);
    struct stat log;
    j->log_from = stat(j->log, &log) ? 0 : (long)log.st_size;
    if (!s) {
        fflush(NULL);
        pid_t parent = getpid();
        j->pid = fork();
        if (j->pid == 0) become(r->c->program, argv, j->log, parent, lock);
        if (j->pid < 0) s = MLK_FAIL(e, MLK_EIO, "cannot start a process: %s", strerror(errno));
    }
    if (!s) {
        setpgid(j->pid, j->pid); /* whoever comes first */
        j->state = MLK_JOB_RUNNING, j->percent = 0, j->seen = 0;
        r->used += j->threads;
        mlk_log(MLK_LOG_DEBUG, "start %s: %s", j->id, command);
    }
    mlk_argv_free(words);
    return s;
}

mlk_status mlk_job_start(mlk_runner *r, mlk_job *j, int threads, bool *busy, mlk_err *e)
{
    char dir[1100];
    int lock;
    MLK_TRY(mlk_job_lock(r->c, j, &lock, busy, e));
    if (*busy) return MLK_OK;
    if (j->told) { /* who had it may have done it */
        long before = j->done_at;
        mlk_status read = mlk_journal_read(r->c, e);
        bool done = !read && j->was_done && j->done_at > before;
        if (done) j->state = MLK_JOB_SKIPPED, r->n_ok++;
        if (read || done) {
            close(lock);
            return read;
        }
    }
    j->threads = threads, j->t0 = mlk_wtime();
    j->continued = j->start_at && !j->was_done;
    *j->error = 0;
    folder_of(j->out, dir, sizeof dir);
    mlk_status s = mlk_mkdir_p(dir, e);
    /* written by a session that was killed before it could say so; mlkit dataset overwrites nothing
     */
    if (j->kind == MLK_JOB_DATASET && j->start_at) remove(j->out);
    folder_of(j->log, dir, sizeof dir);
    if (!s) s = mlk_mkdir_p(dir, e);
    bool own = j->kind == MLK_JOB_STRUCTURE || j->kind == MLK_JOB_MODEL;
    if (!s) s = own ? here(r, j, e) : child(r, j, lock, e);
    close(lock);
    return s;
}

mlk_status mlk_job_reap(mlk_runner *r, mlk_job *j, int status, mlk_err *e)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    j->wall = mlk_wtime() - j->t0, j->pid = 0, r->used -= j->threads;
    if (code == 0 && !mlk_file_exists(j->out)) {
        snprintf(j->error, sizeof j->error, "it ended well but did not write %.230s", j->out);
        return end_job(r, j, MLK_JOB_FAILED, code, e);
    }
    if (code == 0) return end_job(r, j, MLK_JOB_DONE, 0, e);
    if (r->stopping && (code == 130 || code == 143)) return end_job(r, j, MLK_JOB_STOPPED, code, e);
    why(r, j, status, code);
    return end_job(r, j, MLK_JOB_FAILED, code, e);
}
