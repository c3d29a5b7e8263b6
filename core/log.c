/* log.c - see log.h. */
#include "core/log.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static mlk_log_level level_max = MLK_LOG_INFO;
static FILE *tee_file;
static bool live; /* a progress line stands on the terminal */
static double last_plain = -1e300;
static volatile sig_atomic_t stop_signal;

void mlk_log_set_level(mlk_log_level level)
{
    level_max = level;
}

mlk_log_level mlk_log_get_level(void)
{
    return level_max;
}

void mlk_log_tee(void *stdio_file)
{
    tee_file = stdio_file;
}

static void write_line(const char *prefix, const char *text)
{
    if (live) fputs("\r\033[K", stderr);
    live = false;
    fprintf(stderr, "%s%s\n", prefix, text);
    if (tee_file) {
        fprintf(tee_file, "%s%s\n", prefix, text);
        fflush(tee_file);
    }
}

void mlk_log(mlk_log_level level, const char *fmt, ...)
{
    if (level > level_max) return;
    char text[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const char *prefix = level == MLK_LOG_ERROR  ? "error: "
                         : level == MLK_LOG_WARN ? "warning: "
                                                 : "";
#pragma omp critical(mlk_log)
    write_line(prefix, text);
}

void mlk_progress(double period, bool force, const char *fmt, ...)
{
    if (level_max < MLK_LOG_INFO) return;
    bool tty = isatty(2);
    double now = mlk_wtime();
    if (!tty && !force && now - last_plain < period) return;
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
#pragma omp critical(mlk_log)
    {
        if (tty && !force) {
            fprintf(stderr, "\r\033[K%s", text);
            fflush(stderr);
            live = true;
        } else {
            write_line("", text);
        }
        if (!tty || force) last_plain = now;
    }
}

char *mlk_duration(double seconds, char *buf)
{
    if (!(seconds >= 0)) seconds = 0;
    long s = (long)(seconds + 0.5);
    if (seconds < 9.95)
        snprintf(buf, 32, "%.1f s", seconds);
    else if (s < 120)
        snprintf(buf, 32, "%ld s", s);
    else if (s < 7200)
        snprintf(buf, 32, "%ld min %02ld s", s / 60, s % 60);
    else
        snprintf(buf, 32, "%ld h %02ld min", s / 3600, s % 3600 / 60);
    return buf;
}

double mlk_wtime(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double mlk_cputime(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A batch system signals every process of a job at once, and a parent passes its signal on: what
 * comes within a second of the first is the same wish. clock_gettime may be called in a handler. */
static void on_signal(int sig)
{
    static struct timespec first;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!stop_signal) {
        first = now, stop_signal = sig;
        return;
    }
    double since =
        (double)(now.tv_sec - first.tv_sec) + 1e-9 * (double)(now.tv_nsec - first.tv_nsec);
    if (since > 1) _exit(128 + sig);
}

void mlk_stop_install(void)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = on_signal;
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
}

int mlk_stop_requested(void)
{
    return stop_signal;
}
