/* restart.c - the checkpoint: every number that decides how a run goes on, exactly. Random numbers
 * need none (they hash seed and step); the neighbour list is rebuilt from the positions it was
 * built with, so that sums over neighbours keep their order and the continuation its last bit. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/h5.h"
#include "md/store.h"

static mlk_status io_error(const char *path, mlk_err *e)
{
    MLK_FAIL(e, MLK_EIO, "cannot write: %s", strerror(errno));
    mlk_err_hint(
        e, "check the free space and the permissions of the folder; the same command continues "
           "from the last checkpoint");
    return mlk_err_at(e, path, 0);
}

mlk_status mlk_md_commit(const char *tmp, const char *path, mlk_err *e)
{
    int fd = open(tmp, O_RDONLY);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0) ok = false;
    if (ok && rename(tmp, path) == 0) return MLK_OK;
    mlk_status s = io_error(path, e);
    unlink(tmp);
    return s;
}

mlk_status mlk_md_state_write(const mlk_md *md, const char *path, int64_t n_part, mlk_err *e)
{
    char tmp[1100];
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    unlink(tmp);
    mlk_h5 *h = NULL;
    size_t vec[2] = {md->n, 3}, pair[2] = {md->n_el, md->n_el};
    size_t n_sums = sizeof md->sums / sizeof(double), n_watch = sizeof md->watch / sizeof(double);
    size_t out[2] = {md->n_el, 2};
    mlk_status s = mlk_h5_open(&h, tmp, "w", e);
    if (!s) s = mlk_h5_attr_set_str(h, "/", "format", "mlkit-md-checkpoint", e);
    if (!s) s = mlk_h5_attr_set_int(h, "/", "version", 2, e);
    if (!s) s = mlk_h5_attr_set_str(h, "/", "settings", md->settings, e);
    if (!s) s = mlk_h5_attr_set_int(h, "/", "step", md->step, e);
    if (!s) s = mlk_h5_attr_set_int(h, "/", "n_part", n_part, e);
    /* for those who look at the run before it is finished */
    if (!s) s = mlk_h5_attr_set_double(h, "/", "volume_A3", md->cell.volume, e);
    if (!s) s = mlk_h5_write(h, "/particles/all/species", MLK_H5_INT, 1, vec, md->z, e);
    if (!s) s = mlk_h5_write(h, "/particles/all/mass", MLK_H5_DOUBLE, 1, vec, md->mass, e);
    if (!s) s = mlk_h5_write(h, "/x", MLK_H5_DOUBLE, 2, vec, md->x, e);
    if (!s) s = mlk_h5_write(h, "/v", MLK_H5_DOUBLE, 2, vec, md->v, e);
    if (!s) s = mlk_h5_write(h, "/x_list", MLK_H5_DOUBLE, 2, vec, md->x_list, e);
    if (!s) s = mlk_h5_write(h, "/image", MLK_H5_INT, 2, vec, md->img, e);
    if (!s) s = mlk_h5_write(h, "/sums", MLK_H5_DOUBLE, 1, &n_sums, &md->sums, e);
    if (!s) s = mlk_h5_write(h, "/shortest", MLK_H5_DOUBLE, 2, pair, md->shortest, e);
    if (!s) s = mlk_h5_write(h, "/watch", MLK_H5_DOUBLE, 1, &n_watch, &md->watch, e);
    if (!s) s = mlk_h5_write(h, "/outside", MLK_H5_DOUBLE, 2, out, md->outside, e);
    if (!s && md->n_bond) s = mlk_h5_write(h, "/bonds", MLK_H5_INT, 1, &md->n_bond, md->turns, e);
    mlk_status c = mlk_h5_close(&h, s ? NULL : e);
    if (!s) s = c;
    if (!s) return mlk_md_commit(tmp, path, e);
    unlink(tmp);
    mlk_err_hint(e, "check the free space; the same command continues from the last checkpoint");
    return s;
}

mlk_status mlk_md_settings_same(const char *path, const char *found, const char *wanted, mlk_err *e)
{
    const char *a = found, *b = wanted;
    while (*a || *b) {
        int na = (int)strcspn(a, "\n"), nb = (int)strcspn(b, "\n");
        if (na != nb || memcmp(a, b, (size_t)na)) {
            MLK_FAIL(e, MLK_EINVAL,
                     "%s is a run with other settings: it has '%.*s', asked for is '%.*s'", path,
                     na, a, nb, b);
            mlk_err_hint(e, "give another -o, or remove that run");
            return MLK_EINVAL;
        }
        a += na + (a[na] == '\n');
        b += nb + (b[nb] == '\n');
    }
    return MLK_OK;
}

/* Read a dataset that must have exactly these items. */
static mlk_status get(mlk_h5 *h, const char *name, mlk_h5_type t, size_t items, void *data,
                      mlk_err *e)
{
    int nd;
    size_t dim[4], have = 1;
    MLK_TRY(mlk_h5_dims(h, name, &nd, dim, e));
    for (int k = 0; k < nd; k++) have *= dim[k];
    if (have != items)
        return MLK_FAIL(e, MLK_EFORMAT, "'%s' has %zu numbers, expected %zu", name, have, items);
    return mlk_h5_read(h, name, t, data, e);
}

mlk_status mlk_md_state_read(mlk_md *md, const char *path, int64_t *n_part, mlk_err *e)
{
    mlk_h5 *h = NULL;
    char settings[sizeof md->settings];
    size_t n = md->n;
    mlk_status s = mlk_h5_open(&h, path, "r", e);
    if (!s) s = mlk_h5_attr_str(h, "/", "settings", settings, sizeof settings, e);
    if (!s) {
        s = mlk_md_settings_same(path, settings, md->settings, e);
        if (s) {
            mlk_h5_close(&h, NULL);
            return s; /* a wrong call, not a damaged file: no position */
        }
    }
    if (!s) s = mlk_h5_attr_int(h, "/", "step", &md->step, e);
    if (!s) s = mlk_h5_attr_int(h, "/", "n_part", n_part, e);
    if (!s) s = get(h, "/x", MLK_H5_DOUBLE, 3 * n, md->x, e);
    if (!s) s = get(h, "/v", MLK_H5_DOUBLE, 3 * n, md->v, e);
    if (!s) s = get(h, "/x_list", MLK_H5_DOUBLE, 3 * n, md->x_list, e);
    if (!s) s = get(h, "/image", MLK_H5_INT, 3 * n, md->img, e);
    if (!s) s = get(h, "/sums", MLK_H5_DOUBLE, sizeof md->sums / sizeof(double), &md->sums, e);
    if (!s) s = get(h, "/shortest", MLK_H5_DOUBLE, md->n_el * md->n_el, md->shortest, e);
    if (!s) s = get(h, "/watch", MLK_H5_DOUBLE, sizeof md->watch / sizeof(double), &md->watch, e);
    if (!s) s = get(h, "/outside", MLK_H5_DOUBLE, 2 * md->n_el, md->outside, e);
    if (!s && md->n_bond) s = get(h, "/bonds", MLK_H5_INT, md->n_bond, md->turns, e);
    mlk_status c = mlk_h5_close(&h, s ? NULL : e);
    if (!s) s = c;
    if (s) {
        mlk_err_hint(e, "remove the file to start this run again");
        mlk_err_at(e, path, 0);
        return s;
    }
    md->resumed = true;
    return mlk_md_restore_cell(md, e);
}
