/* campaign_run.c - which jobs of a study have to be run, and running them: several side by side,
 * the longest chain first. See campaign.h, campaign_run.h. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/campaign_run.h"
#include "core/file.h"
#include "core/log.h"
#include "core/threads.h"

/* ---- what has to be run ---- */

/* Was j begun before its dependency q was done for the last time, or will q be made anew? Data,
 * structure and ready models are the same every time (their hashes are compared): only the report
 * shows that they were made. */
static bool older(const mlk_job *j, const mlk_job *q)
{
    if (q->kind < MLK_JOB_TRAIN && j->kind != MLK_JOB_REPORT) return false;
    return q->must || (j->start_at && q->done_at > j->start_at);
}

/* A replica that never came to its end. One whose file was removed after it was done is not owed:
 * trajectories are large, and their transport may be all one wants to keep. */
static bool owed(const mlk_job *j)
{
    return j->kind == MLK_JOB_MD && !j->was_done && (!j->done_at || j->done_at < j->start_at);
}

/* A job is to be run when it is not done and somebody needs it: another job to be run, or nobody
 * waits for it at all. A transport job is done with the replicas there were; a missing one is run
 * all the same, and transport then made anew. What was made from a model or a trajectory that is
 * made anew is stale. */
void mlk_campaign_mark(mlk_campaign *c)
{
    bool change = true;
    while (change) {
        change = false;
        for (size_t k = 0; k < c->n_job; k++) {
            mlk_job *j = &c->job[k];
            bool stale = false, waited = false, needed = false;
            for (size_t d = 0; d < j->n_dep; d++) stale |= older(j, &c->job[j->dep[d]]);
            for (size_t q = k + 1; q < c->n_job; q++)
                for (size_t d = 0; c->job[q].kind != MLK_JOB_REPORT && d < c->job[q].n_dep; d++)
                    if (c->job[q].dep[d] == k)
                        waited = true, needed |= !c->job[q].was_done || c->job[q].must;
            bool must = stale || owed(j) || (!j->was_done && (needed || !waited));
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

/* A trajectory of this study, or a part of one, that belongs to a model which is fitted anew. What
 * the journal does not know is left alone: mlkit md sees whether it fits. */
static void drop_stale(const mlk_campaign *c)
{
    static const char *const ending[] = {"", ".ckpt.h5", ".parts"};
    for (size_t k = 0; k < c->n_job; k++) {
        const mlk_job *j = &c->job[k];
        bool stale = false, said = false;
        for (size_t d = 0; j->must && j->start_at && j->kind == MLK_JOB_MD && d < j->n_dep; d++)
            stale |= older(j, &c->job[j->dep[d]]);
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

/* Can process pid of this machine be the one that wrote at that time [s, as time()]? Not if it has
 * ended, be it a zombie whose parent has not asked for it, or began later: numbers come again. */
static bool alive_since(long pid, double written)
{
    char path[64], line[1024] = "";
    struct timespec up;
    if (kill((pid_t)pid, 0) && errno == ESRCH) return false;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f) return true;
    const char *p = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    fclose(f);
    if (p && !strncmp(p, ") Z", 3)) return false;
    for (int field = 2; p && field < 22; field++) p = strchr(p + 1, ' '); /* proc(5): starttime */
    if (!p || clock_gettime(CLOCK_BOOTTIME, &up)) return true;
    double age = (double)up.tv_sec - strtod(p, NULL) / (double)sysconf(_SC_CLK_TCK);
    return (double)time(NULL) - age < written + 5;
}

/* Is it a file that was never finished, "x.json.tmp.1234", and its process 1234 gone? */
static bool left_over(const char *name, double written, bool locked)
{
    const char *p = strstr(name, ".tmp.");
    long pid = 0;
    if (!p || !mlk_parse_long(p + strlen(".tmp."), &pid) || pid < 1) return false;
    return locked || !alive_since(pid, written);
}

void mlk_sweep(const char *dir, bool locked)
{
    char path[1400], **name;
    size_t n;
    struct stat st;
    if (mlk_dir_names(dir, &name, &n, NULL)) return;
    for (size_t k = 0; k < n; k++) {
        if (lstat(mlk_path_join(path, sizeof path, dir, name[k]), &st)) continue;
        if (S_ISDIR(st.st_mode))
            mlk_sweep(path, locked);
        else if (S_ISREG(st.st_mode) && left_over(name[k], (double)st.st_mtime, locked))
            remove(path);
    }
    mlk_strings_free(name, n);
}

bool mlk_job_finished(const mlk_job *j)
{
    return j->state != MLK_JOB_WAITING && j->state != MLK_JOB_RUNNING;
}

bool mlk_job_good(const mlk_job *j)
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
        if (!mlk_job_finished(q)) return 0;
        n_good += mlk_job_good(q);
        n_model += mlk_job_good(q) && (q->kind == MLK_JOB_TRAIN || q->kind == MLK_JOB_MODEL);
    }
    if (j->kind == MLK_JOB_TRANSPORT) return n_good ? 1 : -1;
    if (j->kind == MLK_JOB_REPORT) return n_model ? 1 : -1;
    return n_good == j->n_dep ? 1 : -1;
}

/* ---- the loop ---- */

/* Start what may start, the longest chain first, while threads are free. */
static mlk_status start_some(mlk_runner *r, mlk_err *e)
{
    mlk_campaign *c = r->c;
    for (size_t k = 0; k < c->n_job; k++) c->job[k].busy = false;
    r->busy = false;
    for (;;) {
        mlk_job *best = NULL;
        int n_ready = 0;
        for (size_t k = 0; k < c->n_job; k++) {
            mlk_job *j = &c->job[k];
            if (!j->must || j->state != MLK_JOB_WAITING) continue;
            int now = ready(c, j);
            if (now < 0) {
                j->state = MLK_JOB_BLOCKED;
            } else if (now > 0 && !j->busy) {
                n_ready++;
                if (!best || j->chain > best->chain) best = j;
            }
        }
        int spare = r->cores - r->used;
        if (!best || (spare < 1 && best->kind > MLK_JOB_MODEL)) return MLK_OK;
        int threads = spare / n_ready;
        MLK_TRY(mlk_job_start(r, best, threads > 1 ? threads : 1, &best->busy, e));
        if (!best->busy) continue;
        r->busy = true;
        if (!best->told)
            mlk_log(MLK_LOG_INFO, "%s: waiting for an earlier process of it to end", best->id);
        best->told = true;
    }
}

static void tell_children(const mlk_runner *r, int sig)
{
    for (size_t k = 0; k < r->c->n_job; k++)
        if (r->c->job[k].state == MLK_JOB_RUNNING) kill(r->c->job[k].pid, sig);
}

static mlk_status loop(mlk_runner *r, mlk_err *e)
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
        if (!r->used && (r->stopping || (!s && !r->busy))) return s;
        for (size_t k = 0; k < r->c->n_job; k++) {
            mlk_job *j = &r->c->job[k];
            int status;
            if (j->state != MLK_JOB_RUNNING || waitpid(j->pid, &status, WNOHANG) != j->pid)
                continue;
            mlk_status t = mlk_job_reap(r, j, status, s ? NULL : e);
            if (!s) s = t;
        }
        mlk_show_progress(r);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
}

/* ---- before and after ---- */

static json_t *summary(const mlk_runner *r)
{
    char path[1100];
    json_t *js = NULL, *failed = json_array();
    mlk_err quiet = {0};
    mlk_path_join(path, sizeof path, r->c->run, "report/report.json");
    if (!mlk_file_exists(path) || mlk_json_read(path, &js, &quiet)) js = json_object();
    size_t skipped = 0;
    for (size_t k = 0; k < r->c->n_job; k++) {
        skipped += r->c->job[k].state == MLK_JOB_SKIPPED;
        if (r->c->job[k].must && r->c->job[k].state == MLK_JOB_FAILED)
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

static size_t n_good(const mlk_campaign *c)
{
    size_t n = 0;
    for (size_t k = 0; k < c->n_job; k++) n += mlk_job_good(&c->job[k]);
    return n;
}

static mlk_status failures(const mlk_runner *r, mlk_err *e)
{
    const mlk_campaign *c = r->c;
    size_t blocked = 0;
    for (size_t k = 0; k < c->n_job; k++) {
        if (c->job[k].state == MLK_JOB_BLOCKED) blocked++;
        if (c->job[k].must && c->job[k].state == MLK_JOB_FAILED)
            mlk_log(MLK_LOG_ERROR, "%s: %s (log: %s)", c->job[k].id, c->job[k].error,
                    c->job[k].log);
    }
    MLK_FAIL(e, MLK_EIO,
             "%zu of %zu jobs failed, %zu could not be started for want of their results", r->n_bad,
             r->n_must, blocked);
    return mlk_err_hint(e,
                        "see the logs named above; the same command tries the failed jobs again");
}

/* Only this job: it is to be run, the others are as they are. */
static mlk_status only(mlk_campaign *c, const char *id, mlk_err *e)
{
    mlk_job *j = mlk_job_by_id(c, id);
    if (!j) {
        MLK_FAIL(e, MLK_EINVAL, "--job: this study has no job '%s'", id);
        return mlk_err_hint(e, "for example '%s'; %s/slurm and --dry-run list them",
                            c->job[c->n_job - 1].id, c->run);
    }
    for (size_t k = 0; k < c->n_job; k++) {
        mlk_job *q = &c->job[k];
        q->state = q->was_done && !q->must ? MLK_JOB_SKIPPED : MLK_JOB_FAILED;
        if (q != j) q->must = false;
    }
    if (j->state == MLK_JOB_SKIPPED && j->kind != MLK_JOB_REPORT) return MLK_OK;
    j->must = true, j->state = MLK_JOB_WAITING;
    if (ready(c, j) > 0) return MLK_OK;
    char list[300] = "";
    for (size_t d = 0; d < j->n_dep; d++)
        if (!mlk_job_good(&c->job[j->dep[d]]) && strlen(list) < 150)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "",
                     c->job[j->dep[d]].id);
    MLK_FAIL(e, MLK_EINVAL, "%s cannot be run before it is done: %s", j->id, list);
    return mlk_err_hint(e, "run those jobs first");
}

mlk_status mlk_campaign_jobs(mlk_campaign *c, const mlk_campaign_how *how, mlk_err *e)
{
    mlk_runner r = {.c = c, .cores = how->jobs > 0 ? how->jobs : mlk_threads()};
    char d[32];
    MLK_TRY(mlk_journal_read(c, e));
    mlk_campaign_mark(c);
    if (how->dry_run) return mlk_campaign_dry_run(c, r.cores, how->summary, e);
    if (how->slurm) return mlk_campaign_slurm(c, how, e);
    if (*how->job) MLK_TRY(only(c, how->job, e));
    drop_stale(c);
    for (size_t k = 0; k < c->n_job; k++) {
        if (!*how->job) c->job[k].state = c->job[k].must ? MLK_JOB_WAITING : MLK_JOB_SKIPPED;
        r.n_must += c->job[k].must;
    }
    if (!*how->job && r.n_must) mlk_campaign_speeds(c);
    if (*how->job && !r.n_must)
        mlk_log(MLK_LOG_INFO, "%s is done", how->job);
    else if (*how->job)
        mlk_log(MLK_LOG_INFO, "%s with %d thread%s", how->job, r.cores, r.cores > 1 ? "s" : "");
    else if (!r.n_must)
        mlk_log(MLK_LOG_INFO, "all %zu jobs of %s are done", c->n_job, c->run);
    else
        mlk_log(MLK_LOG_INFO, "%zu jobs to run, %zu done before; %d side by side, about %s",
                r.n_must, c->n_job - r.n_must, r.cores, mlk_duration(mlk_seconds_left(&r), d));
    MLK_TRY(mlk_campaign_disk_check(c, r.cores, e));
    mlk_status s = loop(&r, e);
    if (!*how->job) mlk_sweep(c->run, false);
    if (how->summary) *how->summary = summary(&r);
    if (s) return s;
    if (r.stopping)
        return MLK_FAIL(e, MLK_EINTERRUPTED,
                        "stopped; %zu of %zu jobs are done, run the same command to continue",
                        n_good(c), c->n_job);
    if (!how->summary && !*how->job) mlk_campaign_headline(c);
    return r.n_bad ? failures(&r, e) : MLK_OK;
}
