/* lock.h - who is at work on a file or folder: locks of single bytes of a file. They belong to the
 * open file, not to the process: a child that inherits it holds the lock, too. */
#ifndef MLK_CORE_LOCK_H
#define MLK_CORE_LOCK_H

#include <stdbool.h>

#include "core/err.h"

/* Lock one byte of a file, which is made when absent. shared: together with others that share.
 * *fd keeps the lock until it is closed; *busy: somebody else has it, and there is no *fd (-1). A
 * file system without locks is taken as free. Errors: MLK_EIO. */
mlk_status mlk_lock_take(const char *path, long byte, bool shared, int *fd, bool *busy, mlk_err *e);
/* Has anybody locked this byte? */
bool mlk_lock_held(const char *path, long byte);

#endif
