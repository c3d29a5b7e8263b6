/* campaign_progress.c - how far the running jobs are and how long the rest will take. See
 * campaign_run.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/campaign_run.h"
#include "core/log.h"

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
        if (mlk_job_good(j) && j->wall > 0) {
            real += j->wall * (j->threads ? j->threads : 1), guess += j->estimate;
        } else if (j->state == MLK_JOB_RUNNING && j->percent >= 3) {
            real += (j->seen - j->t0) * j->threads, guess += j->estimate * j->percent / 100;
        }
    }
    return guess > 0 && real > 0 ? real / guess : 1;
}

double mlk_seconds_left(const mlk_runner *r)
{
    double sum = 0, longest = 0;
    for (size_t k = 0; k < r->c->n_job; k++) {
        const mlk_job *j = &r->c->job[k];
        if (!j->must || mlk_job_finished(j)) continue;
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

void mlk_show_progress(mlk_runner *r)
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
                 now, mlk_duration(mlk_seconds_left(r), d));
}
