/* campaign_state.c - how far a study is, seen from outside: by its journal, the locks of its jobs
 * and their logs, while it runs here, on a cluster, or not at all. See campaign.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/campaign_run.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"

static void find_states(mlk_runner *r)
{
    mlk_campaign *c = r->c;
    for (size_t k = 0; k < c->n_job; k++) {
        mlk_job *j = &c->job[k];
        j->state = !j->must ? MLK_JOB_SKIPPED : *j->error ? MLK_JOB_FAILED : MLK_JOB_WAITING;
        /* a run that was stopped goes on from its checkpoint */
        bool stopped = j->kind == MLK_JOB_MD && j->must && j->start_at > j->done_at && !*j->error;
        if (!mlk_job_locked(c, j)) {
            if (stopped) mlk_job_look(j);
            continue;
        }
        j->state = MLK_JOB_RUNNING;
        double now = mlk_wtime();
        j->t0 = now;
        mlk_job_look(j);
        if (!j->continued && j->began > 0)
            j->percent0 = 0, j->t0 = j->seen0 = now - ((double)time(NULL) - j->began);
        if (j->threads < 1) j->threads = 1;
        r->cores += j->threads;
    }
    for (size_t k = 0; k < c->n_job; k++) { /* what failed jobs keep from starting */
        mlk_job *j = &c->job[k];
        size_t bad = 0;
        for (size_t d = 0; d < j->n_dep; d++) {
            mlk_job_state q = c->job[j->dep[d]].state;
            bad += q == MLK_JOB_FAILED || q == MLK_JOB_BLOCKED;
        }
        bool some = j->kind == MLK_JOB_TRANSPORT || j->kind == MLK_JOB_REPORT;
        if (j->state == MLK_JOB_WAITING && bad && (!some || bad == j->n_dep))
            j->state = MLK_JOB_BLOCKED;
    }
}

/* Of the whole plan, by estimated time; what failed is not done. A report that is drawn once more
 * does not count. */
static double percent_done(mlk_runner *r)
{
    double all = 0, left = 0;
    for (size_t k = 0; k < r->c->n_job; k++) {
        const mlk_job *j = &r->c->job[k];
        if (j->kind == MLK_JOB_REPORT && j->was_done) continue;
        double guess = j->estimate * mlk_job_scale(r->c, j);
        bool known = !j->must && j->wall > 0 && !j->continued;
        all += known ? j->wall * (j->threads > 0 ? j->threads : 1) : guess;
        if (j->must) left += mlk_job_finished(j) ? guess : mlk_job_left(r->c, j);
    }
    return all > 0 && left > 0 ? fmin(99, 100 * fmax(0, 1 - left / all)) : 100;
}

static json_t *as_json(mlk_runner *r)
{
    const mlk_campaign *c = r->c;
    json_t *running = json_array(), *failed = json_array();
    size_t done = 0;
    for (size_t k = 0; k < c->n_job; k++) {
        const mlk_job *j = &c->job[k];
        done += mlk_job_good(j);
        if (j->state == MLK_JOB_RUNNING)
            json_array_append_new(running,
                                  json_pack("{s:s,s:o,s:i}", "job", j->id, "percent",
                                            mlk_json_real(j->percent > 0 ? j->percent : NAN),
                                            "threads", j->threads));
        if (j->state == MLK_JOB_FAILED)
            json_array_append_new(
                failed, json_pack("{s:s,s:s,s:s}", "job", j->id, "error", j->error, "log", j->log));
    }
    return json_pack("{s:I,s:I,s:o,s:o,s:o,s:o}", "total", (json_int_t)c->n_job, "done",
                     (json_int_t)done, "running", running, "failed", failed, "percent",
                     mlk_json_real(percent_done(r)), "seconds_left",
                     mlk_json_real(r->cores ? mlk_seconds_left(r) : NAN));
}

mlk_status mlk_campaign_state(const char *run, json_t **state, mlk_err *e)
{
    mlk_campaign *c;
    mlk_log_level was = mlk_log_get_level();
    mlk_log_set_level(MLK_LOG_ERROR);
    mlk_status s = mlk_campaign_open(&c, run, e);
    if (s) {
        mlk_log_set_level(was);
        return s;
    }
    mlk_runner r = {.c = c};
    s = mlk_journal_read(c, e);
    if (!s) {
        mlk_campaign_mark(c);
        bool left = false; /* runs, whose share of the whole is to be known */
        for (size_t k = 0; k < c->n_job; k++)
            left |= c->job[k].kind == MLK_JOB_MD && c->job[k].must;
        if (left) mlk_campaign_speeds(c);
        find_states(&r);
        *state = as_json(&r);
    }
    mlk_log_set_level(was);
    mlk_campaign_close(c);
    return s;
}

void mlk_campaign_state_print(const char *run)
{
    json_t *st = NULL, *j;
    mlk_err quiet = {0};
    char d[32], journal[1100];
    size_t k;
    if (mlk_campaign_state(run, &st, &quiet)) {
        /* of one made by hand there is nothing to say */
        if (mlk_file_exists(mlk_path_join(journal, sizeof journal, run, "journal.jsonl")))
            printf("how far the jobs are is not known: %s%s%s\n", quiet.file,
                   *quiet.file ? ": " : "", quiet.msg);
        return;
    }
    const json_t *running = json_object_get(st, "running"), *failed = json_object_get(st, "failed");
    double left = mlk_json_get_real(st, "seconds_left", NAN);
    printf("%.0f of %.0f jobs done, %.0f %%", mlk_json_get_real(st, "done", 0),
           mlk_json_get_real(st, "total", 0), mlk_json_get_real(st, "percent", 0));
    if (isfinite(left)) printf(", about %s left", mlk_duration(left, d));
    printf("\n");
    json_array_foreach(running, k, j)
    {
        double p = mlk_json_get_real(j, "percent", NAN);
        printf("  running  %s", mlk_json_get_str(j, "job", ""));
        printf(isfinite(p) ? "  %.0f %%\n" : "\n", p);
    }
    json_array_foreach(failed, k, j)
        printf("  failed   %s: %s (%s)\n", mlk_json_get_str(j, "job", ""),
               mlk_json_get_str(j, "error", ""), mlk_json_get_str(j, "log", ""));
    if (!json_array_size(running) &&
        mlk_json_get_real(st, "done", 0) < mlk_json_get_real(st, "total", 0))
        printf("  nothing is running: mlkit benchmark -o %s goes on with it\n", run);
    json_decref(st);
}
