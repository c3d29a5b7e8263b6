/* campaign_progress.c - how far the running jobs are and how long the rest will take. See
 * campaign_run.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/campaign_run.h"
#include "core/log.h"

/* From the tail of its log: the last "NN %" or " N/M ". */
void mlk_job_look(mlk_job *j)
{
    char tail[600];
    FILE *f = fopen(j->log, "rb");
    if (!f) return;
    /* the log of an earlier session is no news */
    fseek(f, 0, SEEK_END);
    long end_at = ftell(f), from = end_at - (long)(sizeof tail - 1);
    fseek(f, from > j->log_from ? from : j->log_from, SEEK_SET);
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
    if (j->percent == before && j->seen >= j->t0) return;
    if (j->seen < j->t0) j->percent0 = j->percent, j->seen0 = mlk_wtime();
    j->seen = mlk_wtime();
}

/* Has enough been seen of a running job to tell its speed? A run that is continued does not begin
 * at 0 %. */
static bool measured(const mlk_job *j)
{
    return j->state == MLK_JOB_RUNNING && j->seen >= j->t0 && j->percent - j->percent0 >= 3;
}

double mlk_job_scale(const mlk_campaign *c, const mlk_job *like)
{
    double real = 0, guess = 0;
    for (size_t k = 0; k < c->n_job; k++) {
        const mlk_job *j = &c->job[k];
        if (j->kind != like->kind || j->model != like->model) continue;
        if (mlk_job_good(j) && j->wall > 0 && !j->continued) {
            real += j->wall * (j->threads ? j->threads : 1), guess += j->estimate;
        } else if (measured(j)) {
            real += (j->seen - j->seen0) * j->threads;
            guess += j->estimate * (j->percent - j->percent0) / 100;
        }
    }
    return guess > 0 && real > 0 ? real / guess : 1;
}

double mlk_job_left(const mlk_campaign *c, const mlk_job *j)
{
    if (!j->must || mlk_job_finished(j)) return 0;
    double all = j->estimate * mlk_job_scale(c, j), now = mlk_wtime();
    if (j->state != MLK_JOB_RUNNING) return all * (1 - j->percent / 100);
    if (!j->pid && !measured(j)) return all * (1 - j->percent / 100); /* seen from outside */
    if (!measured(j)) return fmax(all - (now - j->t0) * j->threads, 0.1 * all);
    double per = (j->seen - j->seen0) / (j->percent - j->percent0);
    return fmax(0, per * (100 - j->percent) - (now - j->seen)) * j->threads;
}

/* The work shared out evenly, or the longest chain of jobs that wait for each other; the chains are
 * kept for the order in which jobs are started. */
double mlk_seconds_left(const mlk_runner *r)
{
    mlk_campaign *c = r->c;
    double sum = 0, longest = 0;
    int n_md = 0;
    for (size_t k = 0; k < c->n_job; k++) {
        const mlk_job *j = &c->job[k];
        c->job[k].chain = 0;
        n_md += j->kind == MLK_JOB_MD && j->must && !mlk_job_finished(j);
    }
    for (size_t k = c->n_job; k-- > 0;) {
        mlk_job *j = &c->job[k];
        double left = mlk_job_left(c, j), threads = 1;
        sum += left;
        if (j->state == MLK_JOB_RUNNING)
            threads = j->threads;
        else if (j->kind == MLK_JOB_MD)
            threads = fmax(1, floor(r->cores / fmax(1, n_md)));
        j->chain += left / threads;
        longest = fmax(longest, j->chain);
        for (size_t d = 0; d < j->n_dep; d++)
            c->job[j->dep[d]].chain = fmax(c->job[j->dep[d]].chain, j->chain);
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
        mlk_job_look(j);
        if (len < sizeof now)
            len += (size_t)snprintf(now + len, sizeof now - len, "%s%s", len ? ", " : "", j->id);
        if (len < sizeof now && j->percent > 0)
            len += (size_t)snprintf(now + len, sizeof now - len, " %.0f %%", j->percent);
    }
    mlk_progress(30, false, "%zu of %zu jobs done | %s | %s left", r->n_ok + r->n_bad, r->n_must,
                 now, mlk_duration(mlk_seconds_left(r), d));
}
