/* read.c - see read.h. */
#include "transport/read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"

static bool is_hdf5(const char *path)
{
    static const unsigned char magic[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char b[8];
    FILE *f = !strcmp(path, "-") || mlk_file_is_dir(path) ? NULL : fopen(path, "rb");
    if (!f) return false;
    size_t n = fread(b, 1, 8, f);
    fclose(f);
    return n == 8 && !memcmp(b, magic, 8);
}

static mlk_status read_one(const mlk_table_opts *o, const char *path, mlk_flux *fl, mlk_err *e)
{
    if (is_hdf5(path) || mlk_flux_unfinished(path)) {
        MLK_TRY(mlk_flux_read_h5md(fl, path, e));
        if (o->temperature > 0) fl->temperature = o->temperature;
        return MLK_OK;
    }
    return mlk_table_read(fl, path, o, e);
}

mlk_status mlk_transport_read(mlk_flux *fl, size_t n, char **path, const mlk_table_opts *o,
                              bool *h5, mlk_err *e)
{
    *h5 = true;
    for (size_t k = 0; k < n; k++) {
        mlk_flux one = {0};
        mlk_status s = read_one(o, path[k], k ? &one : fl, e);
        if (!s && k && fabs(one.volume / fl->volume - 1) > 0.02)
            mlk_log(MLK_LOG_WARN,
                    "%s: volume %.6g A^3, that of %s is %.6g A^3 (%+.1f %%): a longer stage at "
                    "constant pressure (--npt) or a larger cell brings the runs closer together",
                    path[k], one.volume, path[0], fl->volume, 100 * (one.volume / fl->volume - 1));
        if (!s && k) s = mlk_flux_append(fl, &one, e) ? mlk_err_at(e, path[k], 0) : MLK_OK;
        mlk_flux_free(&one);
        if (s) return s;
        *h5 = *h5 && is_hdf5(path[k]);
    }
    return MLK_OK;
}
