/* lock.c - see lock.h. */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include "core/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

mlk_status mlk_lock_take(const char *path, long byte, bool shared, int *fd, bool *busy, mlk_err *e)
{
    struct flock l = {.l_type = shared ? F_RDLCK : F_WRLCK,
                      .l_whence = SEEK_SET,
                      .l_start = (off_t)byte,
                      .l_len = 1};
    *busy = false;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*fd < 0) {
        MLK_FAIL(e, MLK_EIO, "cannot write: %s", strerror(errno));
        return mlk_err_at(e, path, 0);
    }
    if (!fcntl(*fd, F_OFD_SETLK, &l)) return MLK_OK;
    *busy = errno == EACCES || errno == EAGAIN;
    if (*busy) close(*fd), *fd = -1;
    return MLK_OK;
}

bool mlk_lock_held(const char *path, long byte)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return false;
    bool held = !fcntl(fd, F_OFD_GETLK, &l) && l.l_type != F_UNLCK;
    close(fd);
    return held;
}
