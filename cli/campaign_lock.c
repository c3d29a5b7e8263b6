/* campaign_lock.c - who is at work in a run folder. One file, RUN/.lock; byte 0 is the study, byte
 * 1 + k its job k. A job's child inherits its lock, so that a study begun again after a kill waits
 * until the children of the old one have saved their state. See campaign_run.h, core/lock.h. */
#include "cli/campaign_run.h"
#include "core/file.h"
#include "core/lock.h"

mlk_status mlk_campaign_lock(const mlk_campaign *c, bool alone, int *fd, mlk_err *e)
{
    char path[1100];
    bool busy;
    mlk_path_join(path, sizeof path, c->run, ".lock");
    MLK_TRY(mlk_lock_take(path, 0, !alone, fd, &busy, e));
    if (!busy) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "another mlkit benchmark is at work in %s", c->run);
    mlk_err_hint(e, "wait for it, stop it with Ctrl-C there, or give another folder with -o");
    return MLK_EINVAL;
}

mlk_status mlk_job_lock(const mlk_campaign *c, const mlk_job *j, int *fd, bool *busy, mlk_err *e)
{
    char path[1100];
    mlk_path_join(path, sizeof path, c->run, ".lock");
    return mlk_lock_take(path, 1 + (long)(j - c->job), false, fd, busy, e);
}

bool mlk_job_locked(const mlk_campaign *c, const mlk_job *j)
{
    char path[1100];
    return mlk_lock_held(mlk_path_join(path, sizeof path, c->run, ".lock"), 1 + (long)(j - c->job));
}
