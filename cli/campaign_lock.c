/* campaign_lock.c - who is at work in a run folder. One file, RUN/.lock; byte 0 is the study, byte
 * 1 + k its job k. The locks belong to open files, not to processes: a job's child inherits its
 * lock, so that a study begun again after a kill waits until the children of the old one have saved
 * their state. See campaign_run.h. */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/campaign_run.h"
#include "core/file.h"

/* *busy: somebody else holds it. A file system without locks is taken as free. */
static mlk_status take(const mlk_campaign *c, off_t byte, short how, int *fd, bool *busy,
                       mlk_err *e)
{
    char path[1100];
    struct flock l = {.l_type = how, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    *busy = false;
    *fd =
        open(mlk_path_join(path, sizeof path, c->run, ".lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*fd < 0) {
        MLK_FAIL(e, MLK_EIO, "cannot write: %s", strerror(errno));
        return mlk_err_at(e, path, 0);
    }
    if (!fcntl(*fd, F_OFD_SETLK, &l)) return MLK_OK;
    *busy = errno == EACCES || errno == EAGAIN;
    if (*busy) close(*fd), *fd = -1;
    return MLK_OK;
}

mlk_status mlk_campaign_lock(const mlk_campaign *c, bool alone, int *fd, mlk_err *e)
{
    bool busy;
    MLK_TRY(take(c, 0, alone ? F_WRLCK : F_RDLCK, fd, &busy, e));
    if (!busy) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "another mlkit benchmark is at work in %s", c->run);
    mlk_err_hint(e, "wait for it, stop it with Ctrl-C there, or give another folder with -o");
    return MLK_EINVAL;
}

mlk_status mlk_job_lock(const mlk_campaign *c, const mlk_job *j, int *fd, bool *busy, mlk_err *e)
{
    return take(c, 1 + (off_t)(j - c->job), F_WRLCK, fd, busy, e);
}

bool mlk_job_locked(const mlk_campaign *c, const mlk_job *j)
{
    char path[1100];
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    l.l_start = 1 + (off_t)(j - c->job);
    int fd = open(mlk_path_join(path, sizeof path, c->run, ".lock"), O_RDWR | O_CLOEXEC);
    if (fd < 0) return false;
    bool held = !fcntl(fd, F_OFD_GETLK, &l) && l.l_type != F_UNLCK;
    close(fd);
    return held;
}
