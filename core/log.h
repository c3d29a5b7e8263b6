/* log.h - messages for people, on stderr. The only place (with core/cpu.c) with global state.
 * Library rooms never print to stdout; they log. Also the stop flag set by SIGINT/SIGTERM. */
#ifndef MLK_CORE_LOG_H
#define MLK_CORE_LOG_H

#include <stdbool.h>

typedef enum { MLK_LOG_ERROR, MLK_LOG_WARN, MLK_LOG_INFO, MLK_LOG_DEBUG } mlk_log_level;

/* Messages above this level are dropped. Default MLK_LOG_INFO; -q: WARN, -v: DEBUG. */
void mlk_log_set_level(mlk_log_level level);
mlk_log_level mlk_log_get_level(void);
/* One line to stderr; WARN and ERROR get a "warning: " / "error: " prefix. A live progress line is
 * cleared first. Thread-safe. */
void mlk_log(mlk_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Progress: on a terminal one line that is overwritten; otherwise (a file, a pipe) a plain line at
 * most every `period` seconds (the first and any with force are always written). */
void mlk_progress(double period, bool force, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Append to this file (opened by the caller, may be NULL to stop) whatever is logged. */
void mlk_log_tee(void *stdio_file);
/* "1 h 05 min", "41 s": a duration for people; buf of at least 32. Returns buf. */
char *mlk_duration(double seconds, char *buf);
/* Wall clock in seconds since an arbitrary origin, monotonic; CPU seconds of this process. */
double mlk_wtime(void);
double mlk_cputime(void);

/* Install handlers for SIGINT and SIGTERM that set the stop flag (a second signal, a second
 * later or more, kills). */
void mlk_stop_install(void);
/* The signal that asked us to stop, or 0. Long loops look at it after each step. */
int mlk_stop_requested(void);

#endif
