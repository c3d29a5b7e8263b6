/* campaign_run.c - runs the jobs of a study as child processes, several side by side; journal,
 * resume, progress. See campaign.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/campaign.h"
#include "core/file.h"
#include "core/h5.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/threads.h"

enum { LINE_MAX_BYTES = 8192 };

typedef struct runner {
    mlk_campaign *c;
    int cores, used;            /* threads to share out, in use                       */
    size_t n_must, n_ok, n_bad; /* of this session                             */
    double t0, last_look;
    bool stopping;
} runner;

/* ---- journal.jsonl ---- */

static mlk_status journal(const mlk_campaign *c, json_t *line, mlk_err *e)
{
    char path[1100], when[32];
    json_object_set_new(line, "time", json_string(mlk_timestamp(when)));
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(line);
    if (!text) return MLK_FAIL(e, MLK_ENOMEM, "journal");
    int fd = open(mlk_path_join(path, sizeof path, c->run, "journal.jsonl"),
                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    mlk_status s = MLK_OK;
    size_t n = strlen(text);
    text[n] = '\n'; /* in place of the NUL: one write, so that lines never mix */
    if (fd < 0 || write(fd, text, n + 1) != (ssize_t)(n + 1) || fsync(fd)) {
        MLK_FAIL(e, MLK_EIO, "cannot write: %s", strerror(errno));
        s = mlk_err_at(e, path, 0);
    }
    if (fd >= 0) close(fd);
    free(text);
    return s;
}

static mlk_job *job_by_id(mlk_campaign *c, const char *id)
{
    for (size_t k = 0; k < c->n_job; k++)
        if (!strcmp(c->job[k].id, id)) return &c->job[k];
    return NULL;
}

/* What earlier sessions did: the last event of each job counts. A broken last line (power cut) is
 * passed over. */
static mlk_status read_journal(mlk_campaign *c, mlk_err *e)
{
    char path[1100], *text = NULL, *save = NULL;
    if (!mlk_file_exists(mlk_path_join(path, sizeof path, c->run, "journal.jsonl"))) return MLK_OK;
    MLK_TRY(mlk_file_slurp(path, &text, NULL, e));
    for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        json_t *ev = json_loads(l, 0, NULL);
        mlk_job *j = ev ? job_by_id(c, mlk_json_get_str(ev, "job", "")) : NULL;
        if (j) {
            j->was_done = !strcmp(mlk_json_get_str(ev, "event", ""), "done");
            if (j->was_done) j->wall = mlk_json_get_real(ev, "wall_s", 0);
        }
        json_decref(ev);
    }
    mlk_free(text);
    for (size_t k = 0; k < c->n_job; k++) c->job[k].was_done &= mlk_file_exists(c->job[k].out);
    return MLK_OK;
}

/* ---- what has to be run ---- */

/* A job is to be run when it is not done and somebody needs it: another job to be run, or nobody
 * waits for it at all. What was made from a model or a trajectory that is made anew is stale. */
static void mark(mlk_campaign *c)
{
    bool change = true;
    while (change) {
        change = false;
        for (size_t k = 0; k < c->n_job; k++) {
            mlk_job *j = &c->job[k];
            bool stale = false, waited = false, needed = false;
            for (size_t d = 0; d < j->n_dep; d++) {
                const mlk_job *q = &c->job[j->dep[d]];
                stale |= q->must && (q->kind >= MLK_JOB_TRAIN || j->kind == MLK_JOB_REPORT);
            }
            for (size_t q = k + 1; q < c->n_job; q++)
                for (size_t d = 0; c->job[q].kind != MLK_JOB_REPORT && d < c->job[q].n_dep; d++)
                    if (c->job[q].dep[d] == k)
                        waited = true, needed |= !c->job[q].was_done || c->job[q].must;
            bool must = stale || (!j->was_done && (needed || !waited));
            if (must && !j->must) j->must = change = true;
        }
    }
}

/* Remove a file, or a folder with the files in it. */
static void drop(const char *path)
{
    DIR *d = opendir(path);
    for (const struct dirent *q; d && (q = readdir(d));) {
        char file[1400];
        if (q->d_name[0] != '.') remove(mlk_path_join(file, sizeof file, path, q->d_name));
    }
    if (d) closedir(d);
    remove(path);
}

/* A trajectory, or a part of one, that belongs to a model which is fitted anew. */
static void drop_stale(const mlk_campaign *c)
{
    static const char *const ending[] = {"", ".ckpt.h5", ".parts"};
    for (size_t k = 0; k < c->n_job; k++) {
        const mlk_job *j = &c->job[k];
        bool stale = false, said = false;
        for (size_t d = 0; j->must && j->kind == MLK_JOB_MD && d < j->n_dep; d++)
            stale |= c->job[j->dep[d]].must && c->job[j->dep[d]].kind == MLK_JOB_TRAIN;
        for (int q = 0; stale && q < 3; q++) {
            char path[1100];
            snprintf(path, sizeof path, "%s%s", j->out, ending[q]);
            if (!mlk_file_exists(path)) continue;
            if (!said)
                mlk_log(MLK_LOG_WARN, "%s belongs to a model that is fitted anew: it is run again",
                        j->id);
            said = true;
            drop(path);
        }
    }
}

/* ---- one job ---- */

static bool finished(const mlk_job *j)
{
    return j->state != MLK_JOB_WAITING && j->state != MLK_JOB_RUNNING;
}

static bool good(const mlk_job *j)
{
    return j->state == MLK_JOB_DONE || j->state == MLK_JOB_SKIPPED;
}

/* 1: may start, 0: not yet, -1: never (what it needs has failed). A transport job is content with
 * some replicas, the report with whatever is there once a model is. */
static int ready(const mlk_campaign *c, const mlk_job *j)
{
    size_t n_good = 0, n_model = 0;
    for (size_t d = 0; d < j->n_dep; d++) {
        const mlk_job *q = &c->job[j->dep[d]];
        if (!finished(q)) return 0;
        n_good += good(q);
        n_model += good(q) && q->kind == MLK_JOB_TRAIN;
    }
    if (j->kind == MLK_JOB_TRANSPORT) return n_good ? 1 : -1;
    if (j->kind == MLK_JOB_REPORT) return n_model ? 1 : -1;
    return n_good == j->n_dep ? 1 : -1;
}

static void folder_of(const char *path, char *buf, size_t cap)
{
    snprintf(buf, cap, "%s", path);
    char *slash = strrchr(buf, '/');
    if (slash) *slash = 0;
}

/* In the child: never returns. Its own process group, so that a Ctrl-C at the terminal reaches it
 * once, through us; it is told to stop should we die. */
static void become(const char *program, char **argv, const char *log)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_DFL), signal(SIGTERM, SIG_DFL);
    int in = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (in < 0 || out < 0) _exit(126);
    dup2(in, 0), dup2(out, 1), dup2(out, 2);
    execv(program, argv);
    dprintf(2, "mlkit: error: cannot run %s: %s\n", program, strerror(errno));
    _exit(127);
}

static mlk_status log_start(runner *r, mlk_job *j, const char *command, mlk_err *e)
{
    return journal(r->c,
                   json_pack("{s:s,s:s,s:s,s:i}", "event", "start", "job", j->id, "command",
                             command, "threads", j->threads),
                   e);
}

static mlk_status log_end(runner *r, const mlk_job *j, const char *event, int status, mlk_err *e)
{
    json_t *ev = json_pack("{s:s,s:s,s:i,s:f}", "event", event, "job", j->id, "status", status,
                           "wall_s", j->wall);
    if (*j->error) json_object_set_new(ev, "error", json_string(j->error));
    return journal(r->c, ev, e);
}

/* The last error line of a log, or its last line. */
static void last_words(const char *log, char *buf, size_t cap)
{
    char *text = NULL, *save = NULL;
    *buf = 0;
    if (mlk_file_slurp(log, &text, NULL, NULL)) return;
    bool error = false;
    for (char *l = strtok_r(text, "\r\n", &save); l; l = strtok_r(NULL, "\r\n", &save)) {
        const char *p = strstr(l, "error: ");
        if (!p && (error || !*l)) continue;
        error |= p != NULL;
        /* a position before "error:" belongs to the message */
        if (!strncmp(l, "mlkit: ", 7)) l += 7;
        if (!strncmp(l, "error: ", 7)) l += 7;
        snprintf(buf, cap, "%.*s", (int)cap - 1, l);
    }
    mlk_free(text);
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

static mlk_status end_job(runner *r, mlk_job *j, mlk_job_state state, int status, mlk_err *e)
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

static mlk_status start_job(runner *r, mlk_job *j, int threads, mlk_err *e)
{
    char command[LINE_MAX_BYTES], dir[1100], **words = NULL, *argv[MLK_OPT_LIST_MAX + 128];
    j->threads = threads, j->t0 = mlk_wtime();
    folder_of(j->out, dir, sizeof dir);
    MLK_TRY(mlk_mkdir_p(dir, e));
    folder_of(j->log, dir, sizeof dir);
    MLK_TRY(mlk_mkdir_p(dir, e));
    if (j->kind == MLK_JOB_STRUCTURE) {
        mlk_err own = {0};
        MLK_TRY(log_start(r, j, "(start structure, chosen by mlkit benchmark)", e));
        mlk_status s = mlk_campaign_structure(r->c, &own);
        j->wall = mlk_wtime() - j->t0;
        if (s) snprintf(j->error, sizeof j->error, "%.290s", own.msg);
        return end_job(r, j, s ? MLK_JOB_FAILED : MLK_JOB_DONE, s ? 1 : 0, e);
    }
    MLK_TRY(mlk_campaign_argv(r->c, j, &words, e));
    mlk_argv_print(words, command, sizeof command);
    size_t n = 0;
    argv[n++] = (char[]){"mlkit"};
    for (char **w = words; *w && n + 1 < sizeof argv / sizeof *argv; w++) argv[n++] = *w;
    argv[n] = NULL;
    mlk_status s = log_start(r, j, command, e);
    if (!s) {
        fflush(NULL);
        j->pid = fork();
        if (j->pid == 0) become(r->c->program, argv, j->log);
        if (j->pid < 0) s = MLK_FAIL(e, MLK_EIO, "cannot start a process: %s", strerror(errno));
    }
    if (!s) {
        setpgid(j->pid, j->pid); /* whoever comes first */
        j->state = MLK_JOB_RUNNING, j->percent = 0;
        r->used += threads;
        mlk_log(MLK_LOG_DEBUG, "start %s: %s", j->id, command);
    }
    mlk_argv_free(words);
    return s;
}

static mlk_status reap(runner *r, mlk_job *j, int status, mlk_err *e)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    j->wall = mlk_wtime() - j->t0, j->pid = 0, r->used -= j->threads;
    if (code == 0 && !mlk_file_exists(j->out)) {
        snprintf(j->error, sizeof j->error, "it ended well but did not write %.230s", j->out);
        return end_job(r, j, MLK_JOB_FAILED, code, e);
    }
    if (code == 0) return end_job(r, j, MLK_JOB_DONE, 0, e);
    if (r->stopping && (code == 130 || code == 143)) return end_job(r, j, MLK_JOB_STOPPED, code, e);
    last_words(j->log, j->error, sizeof j->error);
    if (WIFSIGNALED(status)) {
        snprintf(j->error, sizeof j->error, "killed by signal %d (%s)", WTERMSIG(status),
                 WTERMSIG(status) == SIGKILL ? "out of memory?" : "see the log");
    } else if (!*j->error) {
        snprintf(j->error, sizeof j->error, "exit status %d", code);
    }
    return end_job(r, j, MLK_JOB_FAILED, code, e);
}

/* ---- progress ---- */

/* How far a job is, from the tail of its log: the last "NN %" or " N/M ". */
static void look(mlk_job *j)
{
    char tail[600];
    FILE *f = fopen(j->log, "rb");
    if (!f) return;
    if (fseek(f, -(long)(sizeof tail - 1), SEEK_END)) rewind(f);
    size_t n = fread(tail, 1, sizeof tail - 1, f);
    fclose(f);
    tail[n] = 0;
    double before = j->percent;
    for (const char *p = tail; *p; p++) {
        double a, b;
        char end[3];
        if (p == tail || !strchr(" \r\n", p[-1]) || *p < '0' || *p > '9') continue;
        if (sscanf(p, "%lf/%lf%1[ ]", &a, &b, end) == 3 && b > 0 && a <= b)
            j->percent = 100 * a / b;
        else if (sscanf(p, "%lf%2[ %]", &a, end) == 2 && strchr(end, '%') && a >= 0 && a <= 100)
            j->percent = a;
    }
    if (j->percent != before || j->seen < j->t0) j->seen = mlk_wtime();
}

/* Measured over guessed seconds of jobs like this one. */
static double calibration(const mlk_campaign *c, const mlk_job *like)
{
    double real = 0, guess = 0;
    for (size_t k = 0; k < c->n_job; k++) {
        const mlk_job *j = &c->job[k];
        if (j->kind != like->kind || j->model != like->model) continue;
        if (good(j) && j->wall > 0) {
            real += j->wall * (j->threads ? j->threads : 1), guess += j->estimate;
        } else if (j->state == MLK_JOB_RUNNING && j->percent >= 3) {
            real += (j->seen - j->t0) * j->threads, guess += j->estimate * j->percent / 100;
        }
    }
    return guess > 0 && real > 0 ? real / guess : 1;
}

static double seconds_left(const runner *r)
{
    double sum = 0, longest = 0;
    for (size_t k = 0; k < r->c->n_job; k++) {
        const mlk_job *j = &r->c->job[k];
        if (!j->must || finished(j)) continue;
        double all = j->estimate * calibration(r->c, j), part = all;
        if (j->state == MLK_JOB_RUNNING) {
            double now = mlk_wtime(), gone = (now - j->t0) * j->threads;
            part = fmax(all - gone, 0.1 * all);
            if (j->percent >= 3)
                part = fmax(
                    0, ((j->seen - j->t0) * (100 - j->percent) / j->percent - (now - j->seen)) *
                           j->threads);
            longest = fmax(longest, part / j->threads);
        }
        sum += part;
    }
    return fmax(sum / r->cores, longest);
}

static void show(runner *r)
{
    char now[400] = "", d[32];
    size_t len = 0;
    if (mlk_wtime() - r->last_look < 1) return;
    r->last_look = mlk_wtime();
    for (size_t k = 0; k < r->c->n_job; k++) {
        mlk_job *j = &r->c->job[k];
        if (j->state != MLK_JOB_RUNNING) continue;
        look(j);
        if (len < sizeof now)
            len += (size_t)snprintf(now + len, sizeof now - len, "%s%s", len ? ", " : "", j->id);
        if (len < sizeof now && j->percent > 0)
            len += (size_t)snprintf(now + len, sizeof now - len, " %.0f %%", j->percent);
    }
    mlk_progress(30, false, "%zu of %zu jobs done | %s | %s left", r->n_ok + r->n_bad, r->n_must,
                 now, mlk_duration(seconds_left(r), d));
}

/* ---- the loop ---- */

/* Start what may start, the longest chain first, while threads are free. */
static mlk_status start_some(runner *r, mlk_err *e)
{
    mlk_campaign *c = r->c;
    for (;;) {
        mlk_job *best = NULL;
        int n_ready = 0;
        for (size_t k = 0; k < c->n_job; k++) {
            mlk_job *j = &c->job[k];
            if (!j->must || j->state != MLK_JOB_WAITING) continue;
            int now = ready(c, j);
            if (now < 0) {
                j->state = MLK_JOB_BLOCKED;
            } else if (now > 0) {
                n_ready++;
                if (!best || j->chain > best->chain) best = j;
            }
        }
        int spare = r->cores - r->used;
        if (!best || (spare < 1 && best->kind != MLK_JOB_STRUCTURE)) return MLK_OK;
        int threads = spare / n_ready;
        MLK_TRY(start_job(r, best, threads > 1 ? threads : 1, e));
    }
}

static void tell_children(const runner *r, int sig)
{
    for (size_t k = 0; k < r->c->n_job; k++)
        if (r->c->job[k].state == MLK_JOB_RUNNING) kill(r->c->job[k].pid, sig);
}

static mlk_status loop(runner *r, mlk_err *e)
{
    mlk_status s = MLK_OK;
    for (;;) {
        if (!r->stopping && (mlk_stop_requested() || s)) {
            int sig = mlk_stop_requested();
            r->stopping = true;
            mlk_log(MLK_LOG_INFO, "stopping: waiting for the running jobs to save their state");
            tell_children(r, sig ? sig : SIGTERM);
        }
        if (!r->stopping) s = start_some(r, e);
        if (!r->used && (r->stopping || !s)) return s;
        for (size_t k = 0; k < r->c->n_job; k++) {
            mlk_job *j = &r->c->job[k];
            int status;
            if (j->state != MLK_JOB_RUNNING || waitpid(j->pid, &status, WNOHANG) != j->pid)
                continue;
            mlk_status t = reap(r, j, status, s ? NULL : e);
            if (!s) s = t;
        }
        show(r);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
}

/* ---- before and after ---- */

static mlk_status dry_run(const mlk_campaign *c, mlk_err *e)
{
    for (size_t k = 0; k < c->n_job; k++) {
        const mlk_job *j = &c->job[k];
        char **argv, line[LINE_MAX_BYTES];
        if (!j->must) {
            printf("# %s: done\n", j->id);
        } else if (j->kind == MLK_JOB_STRUCTURE) {
            printf("# %s: choose the start structure and the supercell\n", j->id);
        } else {
            MLK_TRY(mlk_campaign_argv(c, j, &argv, e));
            mlk_argv_print(argv, line, sizeof line);
            mlk_argv_free(argv);
            puts(line);
        }
    }
    return MLK_OK;
}

static json_t *summary(const runner *r)
{
    char path[1100];
    json_t *js = NULL, *failed = json_array();
    mlk_err quiet = {0};
    mlk_path_join(path, sizeof path, r->c->run, "report/report.json");
    if (!mlk_file_exists(path) || mlk_json_read(path, &js, &quiet)) js = json_object();
    size_t skipped = 0;
    for (size_t k = 0; k < r->c->n_job; k++) {
        skipped += r->c->job[k].state == MLK_JOB_SKIPPED;
        if (r->c->job[k].state == MLK_JOB_FAILED)
            json_array_append_new(failed,
                                  json_pack("{s:s,s:s,s:s}", "job", r->c->job[k].id, "error",
                                            r->c->job[k].error, "log", r->c->job[k].log));
    }
    json_object_set_new(js, "run", json_string(r->c->run));
    json_object_set_new(js, "jobs",
                        json_pack("{s:i,s:i,s:i,s:o}", "total", (int)r->c->n_job, "done",
                                  (int)r->n_ok, "skipped", (int)skipped, "failed", failed));
    return js;
}

mlk_status mlk_campaign_jobs(mlk_campaign *c, const mlk_campaign_how *how, mlk_err *e)
{
    runner r = {.c = c, .cores = how->jobs > 0 ? how->jobs : mlk_threads(), .t0 = mlk_wtime()};
    char d[32];
    MLK_TRY(read_journal(c, e));
    mark(c);
    if (how->dry_run) return dry_run(c, e);
    drop_stale(c);
    for (size_t k = 0; k < c->n_job; k++) {
        c->job[k].state = c->job[k].must ? MLK_JOB_WAITING : MLK_JOB_SKIPPED;
        r.n_must += c->job[k].must;
    }
    if (!r.n_must)
        mlk_log(MLK_LOG_INFO, "all %zu jobs of %s are done", c->n_job, c->run);
    else
        mlk_log(MLK_LOG_INFO, "%zu jobs to run, %zu done before; %d side by side, about %s",
                r.n_must, c->n_job - r.n_must, r.cores, mlk_duration(seconds_left(&r), d));
    mlk_status s = loop(&r, e);
    if (how->summary) *how->summary = summary(&r);
    if (s) return s;
    if (r.stopping)
        return MLK_FAIL(e, MLK_EINTERRUPTED,
                        "stopped; %zu of %zu jobs are done, run the same command to continue",
                        c->n_job - r.n_must + r.n_ok, c->n_job);
    if (!how->summary) mlk_campaign_headline(c);
    if (!r.n_bad) return MLK_OK;
    size_t blocked = 0;
    for (size_t k = 0; k < c->n_job; k++) {
        if (c->job[k].state == MLK_JOB_BLOCKED) blocked++;
        if (c->job[k].state == MLK_JOB_FAILED)
            mlk_log(MLK_LOG_ERROR, "%s: %s (log: %s)", c->job[k].id, c->job[k].error,
                    c->job[k].log);
    }
    MLK_FAIL(e, MLK_EIO,
             "%zu of %zu jobs failed, %zu could not be started for want of their results", r.n_bad,
             c->n_job, blocked);
    mlk_err_hint(e, "see the logs named above; the same command tries the failed jobs again");
    return MLK_EIO;
}
