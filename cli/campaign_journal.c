/* campaign_journal.c - journal.jsonl of a study: what was started, done, failed; append only. See
 * campaign_run.h. */
#define _DEFAULT_SOURCE /* timegm */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/campaign_run.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"

/* A disk that fills up takes the first bytes only, which is no error yet: the rest gives its
 * reason.
 */
static bool write_all(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t k = write(fd, text, n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return false;
        if (k == 0) return errno = ENOSPC, false;
        text += k, n -= (size_t)k;
    }
    return true;
}

mlk_status mlk_journal_add(const mlk_campaign *c, json_t *line, mlk_err *e)
{
    char path[1100], when[32];
    json_object_set_new(line, "time", json_string(mlk_timestamp(when)));
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(line);
    if (!text) return MLK_FAIL(e, MLK_ENOMEM, "journal");
    int fd = open(mlk_path_join(path, sizeof path, c->run, "journal.jsonl"),
                  O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    mlk_status s = MLK_OK;
    size_t n = strlen(text);
    char last = '\n';
    bool torn = false;
    text[n++] = '\n'; /* in place of the NUL: one write, so that lines never mix */
    /* a line that a power cut left without its end does not take this one along */
    if (fd >= 0 && lseek(fd, -1, SEEK_END) >= 0 && read(fd, &last, 1) == 1) torn = last != '\n';
    if (fd < 0 || (torn && !write_all(fd, "\n", 1)) || !write_all(fd, text, n) || fsync(fd)) {
        MLK_FAIL(e, MLK_EIO, "cannot write: %s", strerror(errno));
        s = mlk_err_at(e, path, 0);
        mlk_err_hint(e, "the same command goes on from here");
    }
    if (fd >= 0) close(fd);
    free(text);
    return s;
}

mlk_job *mlk_job_by_id(mlk_campaign *c, const char *id)
{
    for (size_t k = 0; k < c->n_job; k++)
        if (!strcmp(c->job[k].id, id)) return &c->job[k];
    return NULL;
}

/* Seconds since 1970 of a time as mlk_timestamp writes it; 0: it is none. */
static double seconds_of(const char *text)
{
    struct tm t = {0};
    if (sscanf(text, "%d-%d-%dT%d:%d:%dZ", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min,
               &t.tm_sec) != 6)
        return 0;
    t.tm_year -= 1900, t.tm_mon -= 1;
    return (double)timegm(&t);
}

static void take_event(mlk_job *j, const json_t *ev, long line)
{
    const char *what = mlk_json_get_str(ev, "event", "");
    if (!strcmp(what, "start")) j->continued = j->start_at && !j->was_done;
    j->was_done = !strcmp(what, "done");
    if (!strcmp(what, "start")) {
        j->start_at = line;
        j->threads = (int)mlk_json_get_real(ev, "threads", 1);
        j->began = seconds_of(mlk_json_get_str(ev, "time", ""));
    }
    snprintf(j->error, sizeof j->error, "%s", mlk_json_get_str(ev, "error", ""));
    if (!j->was_done) return;
    j->done_at = line;
    j->wall = mlk_json_get_real(ev, "wall_s", 0);
}

/* Is the result of a done job there and whole? A damaged fit is not made anew by itself, which
 * would cost all its trajectories: its errors are missing in the report, and that is all. */
static bool whole(const mlk_job *j)
{
    json_t *js = NULL;
    mlk_err err = {0};
    if (!mlk_file_exists(j->out)) return false;
    if (!mlk_path_ends(j->out, ".json") || !mlk_json_read(j->out, &js, &err)) {
        json_decref(js);
        return true;
    }
    bool again = j->kind != MLK_JOB_TRAIN;
    mlk_log(MLK_LOG_WARN, "%s:%ld: damaged: %s; %s", j->out, err.line, err.msg,
            again ? "it is made again" : "remove it to fit the model and make its runs again");
    return !again;
}

/* The last event of each job counts. */
mlk_status mlk_journal_read(mlk_campaign *c, mlk_err *e)
{
    char path[1100];
    json_t *list, *ev;
    size_t k;
    if (!mlk_file_exists(mlk_path_join(path, sizeof path, c->run, "journal.jsonl"))) return MLK_OK;
    MLK_TRY(mlk_json_lines(path, &list, e));
    json_array_foreach(list, k, ev)
    {
        mlk_job *j = mlk_job_by_id(c, mlk_json_get_str(ev, "job", ""));
        if (j) take_event(j, ev, (long)k + 1);
    }
    json_decref(list);
    for (k = 0; k < c->n_job; k++) c->job[k].was_done = c->job[k].was_done && whole(&c->job[k]);
    return MLK_OK;
}
