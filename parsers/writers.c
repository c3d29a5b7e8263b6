/* writers.c - what the writers share: exact numbers and the choice of labelled frames. */
#include "parsers/writers.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"

char *mlk_exact(char buf[MLK_EXACT], double v)
{
    snprintf(buf, MLK_EXACT, "%.15g", v);
    if (strtod(buf, NULL) != v) snprintf(buf, MLK_EXACT, "%.17g", v);
    return buf;
}

mlk_status mlk_labelled(const mlk_frame *fr, size_t n, const char *path, mlk_frame **kept,
                        size_t *m, mlk_err *e)
{
    const unsigned need = MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_CELL;
    *m = 0;
    *kept = mlk_alloc(n, sizeof **kept);
    if (!*kept) return MLK_FAIL(e, MLK_ENOMEM, "no memory to write %s", path);
    mlk_status s = n ? MLK_OK : MLK_FAIL(e, MLK_EINVAL, "there are no frames to write");
    for (size_t k = 0; k < n && !s; k++) {
        s = mlk_frame_check(&fr[k], e);
        if ((fr[k].has & need) == need) (*kept)[(*m)++] = fr[k];
    }
    if (!s && !*m) s = MLK_FAIL(e, MLK_EINVAL, "no frame has energy and forces");
    if (s) {
        mlk_free(*kept);
        *kept = NULL;
        return mlk_err_at(e, path, 0);
    }
    if (*m < n)
        mlk_log(MLK_LOG_WARN, "%s: %zu of %zu frames have no energy or no forces: left out", path,
                n - *m, n);
    return MLK_OK;
}
