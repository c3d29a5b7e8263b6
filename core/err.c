/* err.c - see err.h. */
#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

mlk_status mlk_err_raise(mlk_err *e, const char *src, int src_line, mlk_status code,
                         const char *fmt, ...)
{
    if (!e || e->code) return code;
    e->code = code;
    e->src = src;
    e->src_line = src_line;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    return code;
}

mlk_status mlk_err_at(mlk_err *e, const char *file, long line)
{
    if (!e) return MLK_EBUG;
    if (!e->file[0] && file) {
        snprintf(e->file, sizeof e->file, "%s", file);
        e->line = line;
    }
    return e->code;
}

mlk_status mlk_err_hint(mlk_err *e, const char *fmt, ...)
{
    if (!e) return MLK_EBUG;
    if (!e->hint[0]) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(e->hint, sizeof e->hint, fmt, ap);
        va_end(ap);
    }
    return e->code;
}

mlk_status mlk_err_prefix(mlk_err *e, const char *fmt, ...)
{
    if (!e) return MLK_EBUG;
    char old[sizeof e->msg];
    memcpy(old, e->msg, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    if (len < 0) len = 0;
    if ((size_t)len < sizeof e->msg) snprintf(e->msg + len, sizeof e->msg - (size_t)len, "%s", old);
    return e->code;
}

const char *mlk_status_name(mlk_status s)
{
    static const char *const names[] = {
        "ok",          "bad argument",  "out of memory", "i/o error",      "bad data",
        "unsupported", "numeric error", "interrupted",   "internal error", "damaged file"};
    return (unsigned)s < sizeof names / sizeof *names ? names[s] : "unknown error";
}
