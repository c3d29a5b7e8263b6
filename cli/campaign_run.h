/* campaign_run.h - between the files that run the jobs of a study.
 *
 * campaign_run.c      which jobs have to be run, in which order; the loop
 * campaign_job.c      one job as a child process, and what belongs to its start and end
 * campaign_journal.c  journal.jsonl
 * campaign_lock.c     who is at work in the folder
 * campaign_state.c    how far it is, seen from outside
 * campaign_progress.c how far it is, and the time left */
#ifndef MLK_CLI_CAMPAIGN_RUN_H
#define MLK_CLI_CAMPAIGN_RUN_H

#include "cli/campaign.h"

enum { MLK_COMMAND_MAX = 8192 }; /* longest command line that is shown */

typedef struct mlk_runner {
    mlk_campaign *c;
    int cores, used;            /* threads to share out, in use                       */
    size_t n_must, n_ok, n_bad; /* of this session                             */
    double last_look;
    bool stopping;
    bool busy; /* a job waits for a process of an earlier session */
} mlk_runner;

/* Lock of the folder: alone (a whole study), or together with others that each run one job. *fd
 * keeps it until it is closed. Errors: MLK_EINVAL somebody else is at work. */
mlk_status mlk_campaign_lock(const mlk_campaign *c, bool alone, int *fd, mlk_err *e);
/* Lock of one job; *busy: another process has it, and there is no *fd. */
mlk_status mlk_job_lock(const mlk_campaign *c, const mlk_job *j, int *fd, bool *busy, mlk_err *e);

/* Add one line (stolen) to the journal, with the time: one write, so that lines of several
 * processes never mix; on the disk when this returns. */
mlk_status mlk_journal_add(const mlk_campaign *c, json_t *line, mlk_err *e);
/* What earlier sessions did: was_done, wall, start_at and done_at of every job. */
mlk_status mlk_journal_read(mlk_campaign *c, mlk_err *e);

mlk_job *mlk_job_by_id(mlk_campaign *c, const char *id); /* NULL: there is none */
bool mlk_job_finished(const mlk_job *j);
bool mlk_job_good(const mlk_job *j); /* its result is there */
/* Start a job with so many threads: a child process, or here for those that are no command.
 * *busy: a process of an earlier session is still at it; nothing was done. */
mlk_status mlk_job_start(mlk_runner *r, mlk_job *j, int threads, bool *busy, mlk_err *e);
/* Its child has ended with this status of waitpid. */
mlk_status mlk_job_reap(mlk_runner *r, mlk_job *j, int status, mlk_err *e);

/* Remove the files that killed processes left half-written in a folder and those below it (not
 * through symbolic links). locked: nobody else writes there; else only those of processes that are
 * dead on this machine. */
void mlk_sweep(const char *dir, bool locked);

/* Does any process hold that lock? */
bool mlk_job_locked(const mlk_campaign *c, const mlk_job *j);

/* campaign_estimate.c: what is to come. */
typedef struct mlk_disk {
    double kept, need; /* bytes the jobs to be run leave; bytes they need at most on the way  */
    double free;       /* on the file system of the run folder; NaN unknown                    */
} mlk_disk;
double mlk_job_bytes(const mlk_campaign *c, const mlk_job *j);
mlk_disk mlk_campaign_disk(const mlk_campaign *c, int side_by_side);
/* Errors: MLK_EIO it cannot fit; a warning when it hardly does. */
mlk_status mlk_campaign_disk_check(const mlk_campaign *c, int side_by_side, mlk_err *e);
/* "1.2 GB"; returns buf. */
char *mlk_bytes(double v, char buf[32]);
/* Time the models, those that are not fitted yet with parameters zero, and refine the estimates of
 * the runs. Takes about 0.2 s for each kind of model. */
void mlk_campaign_speeds(mlk_campaign *c);
/* Print the plan, or make *json (new reference; NULL: print). */
mlk_status mlk_campaign_dry_run(mlk_campaign *c, int cores, json_t **json, mlk_err *e);

/* campaign_slurm.c: RUN/slurm/ with the jobs that are to be run. Errors: MLK_EIO; MLK_EINVAL
 * options that cannot stand in a script. */
mlk_status mlk_campaign_slurm(const mlk_campaign *c, const mlk_campaign_how *how, mlk_err *e);

/* Update percent of a running job. */
void mlk_job_look(mlk_job *j);
/* Measured over guessed thread-seconds of jobs like this one; 1: nothing is known. */
double mlk_job_scale(const mlk_campaign *c, const mlk_job *like);
/* Thread-seconds that a job has still to run. */
double mlk_job_left(const mlk_campaign *c, const mlk_job *j);
/* Which jobs have to be run (must), after mlk_journal_read. */
void mlk_campaign_mark(mlk_campaign *c);

/* Wall time until everything is done, from what was measured so far. */
double mlk_seconds_left(const mlk_runner *r);
void mlk_show_progress(mlk_runner *r);

#endif
