/* checkpoint.c - the state of a training run on disk, exact to the last bit. Order of batches needs
 * no state: it is drawn from (seed, epoch). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/h5.h"
#include "train/run.h"

enum { N_COUNT = 12, N_REAL = 8, N_SUM = 9 };

static mlk_status put(mlk_h5 *h, const char *key, const mlk_train_state *t, const double *param,
                      const mlk_history *hist, mlk_err *e)
{
    const size_t n = t->adam.n;
    const struct {
        const char *path;
        size_t n;
        const double *x;
    } array[] = {{"/param", n, param},
                 {"/best", n, t->best},
                 {"/adam/m", n, t->adam.m},
                 {"/adam/v", n, t->adam.v},
                 {"/adam/average", n, t->adam.avg}};
    MLK_TRY(mlk_h5_attr_set_str(h, "/", "format", "mlkit-training", e));
    MLK_TRY(mlk_h5_attr_set_int(h, "/", "version", 2, e));
    MLK_TRY(mlk_h5_write_strings(h, "/key", &key, 1, e));
    for (size_t k = 0; k < sizeof array / sizeof *array; k++)
        MLK_TRY(mlk_h5_write(h, array[k].path, MLK_H5_DOUBLE, 1, &array[k].n, array[k].x, e));
    int64_t count[N_COUNT] = {t->epoch,  t->n_epoch,    t->batch,     t->step,
                              t->n_back, t->best_epoch, t->adam.step, t->n_cycle,
                              t->cycle,  t->steps,      t->n_stall,   t->n_eval};
    double real[N_REAL] = {t->lr_scale, t->best_loss, t->adam.norm, hist->wall,
                           t->mu,       t->we,        t->wv,        t->share};
    const mlk_loss_sums *q = &t->sums;
    double sums[N_SUM] = {q->loss, q->e2, q->f2, q->s2, q->nl, q->ne, q->nf, q->ns, q->v2};
    size_t nc = N_COUNT, nr = N_REAL, ns = N_SUM;
    MLK_TRY(mlk_h5_write(h, "/count", MLK_H5_INT64, 1, &nc, count, e));
    MLK_TRY(mlk_h5_write(h, "/real", MLK_H5_DOUBLE, 1, &nr, real, e));
    MLK_TRY(mlk_h5_write(h, "/sums", MLK_H5_DOUBLE, 1, &ns, sums, e));
    if (hist->n) {
        size_t dim[2] = {hist->n, sizeof(mlk_epoch) / sizeof(double)};
        MLK_TRY(mlk_h5_write(h, "/history", MLK_H5_DOUBLE, 2, dim, hist->row, e));
    }
    return MLK_OK;
}

mlk_status mlk_checkpoint_write(const char *dir, const char *key, const mlk_train_state *t,
                                const double *param, const mlk_history *h, mlk_err *e)
{
    char path[1024], tmp[1088];
    mlk_path_join(path, sizeof path, dir, "checkpoint.h5");
    snprintf(tmp, sizeof tmp, "%s.tmp.%ld", path, (long)getpid());
    unlink(tmp);
    mlk_h5 *f = NULL;
    mlk_status s = mlk_h5_open(&f, tmp, "w", e), sc;
    if (!s) s = put(f, key, t, param, h, e);
    sc = mlk_h5_close(&f, e);
    if (!s) s = sc;
    if (!s && rename(tmp, path))
        s = MLK_FAIL(e, MLK_EIO, "cannot rename the checkpoint: %s", strerror(errno));
    if (s) {
        unlink(tmp);
        mlk_err_at(e, path, 0);
    }
    return s;
}

static mlk_status get(mlk_h5 *h, const char *key, mlk_train_state *t, double *param,
                      mlk_history *hist, mlk_err *e)
{
    char **old;
    size_t n_old, dim[4];
    int nd;
    MLK_TRY(mlk_h5_read_strings(h, "/key", &old, &n_old, e));
    bool same = n_old == 1 && !strcmp(old[0], key);
    for (size_t k = 0; k < n_old; k++) mlk_free(old[k]);
    mlk_free(old);
    MLK_TRY(mlk_h5_dims(h, "/param", &nd, dim, e));
    if (!same || dim[0] != t->adam.n) {
        MLK_FAIL(e, MLK_EINVAL, "belongs to a run with other settings or data");
        mlk_err_hint(e, "repeat the command that began it, or give another folder with -o");
        return MLK_EINVAL;
    }
    MLK_TRY(mlk_h5_read(h, "/param", MLK_H5_DOUBLE, param, e));
    MLK_TRY(mlk_h5_read(h, "/best", MLK_H5_DOUBLE, t->best, e));
    MLK_TRY(mlk_h5_read(h, "/adam/m", MLK_H5_DOUBLE, t->adam.m, e));
    MLK_TRY(mlk_h5_read(h, "/adam/v", MLK_H5_DOUBLE, t->adam.v, e));
    MLK_TRY(mlk_h5_read(h, "/adam/average", MLK_H5_DOUBLE, t->adam.avg, e));
    int64_t count[N_COUNT];
    double real[N_REAL], sums[N_SUM];
    MLK_TRY(mlk_h5_read(h, "/count", MLK_H5_INT64, count, e));
    MLK_TRY(mlk_h5_read(h, "/real", MLK_H5_DOUBLE, real, e));
    MLK_TRY(mlk_h5_read(h, "/sums", MLK_H5_DOUBLE, sums, e));
    t->epoch = count[0], t->n_epoch = count[1], t->batch = count[2], t->step = count[3];
    t->n_back = count[4], t->best_epoch = count[5], t->adam.step = count[6];
    t->n_cycle = count[7], t->cycle = count[8], t->steps = count[9], t->n_stall = count[10];
    t->n_eval = count[11];
    t->mu = real[4], t->we = real[5], t->wv = real[6], t->share = real[7];
    t->lr_scale = real[0], t->best_loss = real[1], t->adam.norm = real[2], hist->wall = real[3];
    t->sums = (mlk_loss_sums){sums[0], sums[1], sums[2], sums[3], sums[4],
                              sums[5], sums[6], sums[7], sums[8]};
    hist->n = 0;
    if (mlk_h5_exists(h, "/history")) {
        MLK_TRY(mlk_h5_dims(h, "/history", &nd, dim, e));
        if (nd != 2 || dim[1] != sizeof(mlk_epoch) / sizeof(double))
            return MLK_FAIL(e, MLK_EFORMAT, "damaged history");
        MLK_TRY(MLK_GROW(hist->row, hist->cap, dim[0], e));
        MLK_TRY(mlk_h5_read(h, "/history", MLK_H5_DOUBLE, hist->row, e));
        hist->n = dim[0];
    }
    return MLK_OK;
}

mlk_status mlk_checkpoint_read(const char *dir, const char *key, mlk_train_state *t, double *param,
                               mlk_history *h, bool *found, mlk_err *e)
{
    char path[1024];
    mlk_path_join(path, sizeof path, dir, "checkpoint.h5");
    *found = mlk_file_exists(path);
    if (!*found) return MLK_OK;
    mlk_h5 *f = NULL;
    mlk_status s = mlk_h5_open(&f, path, "r", e), sc;
    if (!s) s = get(f, key, t, param, h, e);
    sc = mlk_h5_close(&f, NULL);
    if (!s && sc) s = MLK_FAIL(e, sc, "cannot read the checkpoint");
    if (s) mlk_err_at(e, path, 0);
    return s;
}
