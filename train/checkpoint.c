/* checkpoint.c - see checkpoint.h; and the state of a gradient run. Order of batches needs no
 * state: it is drawn from (seed, epoch). */
#include "train/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "train/run.h"

static const size_t row_len = sizeof(mlk_epoch) / sizeof(double);

static mlk_status put(mlk_h5 *h, const mlk_state *s, mlk_err *e)
{
    MLK_TRY(mlk_h5_attr_set_str(h, "/", "format", s->format, e));
    MLK_TRY(mlk_h5_attr_set_int(h, "/", "version", s->version, e));
    MLK_TRY(mlk_h5_append_strings(h, "/key", strlen(s->key) + 1, &s->key, 1, e));
    for (size_t k = 0; k < s->n; k++) {
        const mlk_state_item *i = s->item + k;
        MLK_TRY(mlk_h5_append(h, i->name, i->type, 0, NULL, i->n, i->x, MLK_H5_CHECKED, e));
    }
    if (!s->h->n) return MLK_OK;
    return mlk_h5_append(h, "/history", MLK_H5_DOUBLE, 1, &row_len, s->h->n, s->h->row,
                         MLK_H5_CHECKED, e);
}

mlk_status mlk_state_write(const mlk_state *s, const char *dir, mlk_err *e)
{
    char path[1024], tmp[1088];
    mlk_path_join(path, sizeof path, dir, "checkpoint.h5");
    snprintf(tmp, sizeof tmp, "%s.tmp.%ld", path, (long)getpid());
    unlink(tmp);
    mlk_h5 *f = NULL;
    mlk_status st = mlk_h5_open(&f, tmp, "wc", e), sc;
    if (!st) st = put(f, s, e);
    sc = mlk_h5_close(&f, e);
    if (!st) st = sc;
    if (!st && rename(tmp, path))
        st = MLK_FAIL(e, MLK_EIO, "cannot rename the checkpoint: %s", strerror(errno));
    if (st) {
        unlink(tmp);
        mlk_err_at(e, path, 0);
    }
    return st;
}

static mlk_status other_run(mlk_err *e)
{
    MLK_FAIL(e, MLK_EINVAL, "belongs to a run with other settings, data or version of mlkit");
    mlk_err_hint(e, "repeat the command that began it, or give another folder with -o");
    return MLK_EINVAL;
}

static mlk_status same_run(mlk_h5 *h, const mlk_state *s, mlk_err *e)
{
    char **old, format[32];
    size_t n_old;
    int64_t version;
    MLK_TRY(mlk_h5_attr_str(h, "/", "format", format, sizeof format, e));
    MLK_TRY(mlk_h5_attr_int(h, "/", "version", &version, e));
    if (strcmp(format, s->format) || version != s->version) return other_run(e);
    mlk_status st = mlk_h5_read_strings(h, "/key", &old, &n_old, e);
    bool same = !st && n_old == 1 && !strcmp(old[0], s->key);
    for (size_t k = 0; old && k < n_old; k++) mlk_free(old[k]);
    mlk_free(old);
    return st || same ? st : other_run(e);
}

static mlk_status get(mlk_h5 *h, const mlk_state *s, mlk_err *e)
{
    size_t dim[4];
    int nd;
    MLK_TRY(same_run(h, s, e));
    for (size_t k = 0; k < s->n; k++) {
        const mlk_state_item *i = s->item + k;
        MLK_TRY(mlk_h5_dims(h, i->name, &nd, dim, e));
        if (nd != 1 || dim[0] != i->n)
            return MLK_FAIL(e, MLK_EFORMAT, "'%s' is not a list of %zu numbers", i->name, i->n);
        MLK_TRY(mlk_h5_read(h, i->name, i->type, i->x, e));
    }
    s->h->n = 0;
    if (!mlk_h5_exists(h, "/history")) return MLK_OK;
    MLK_TRY(mlk_h5_dims(h, "/history", &nd, dim, e));
    if (nd != 2 || dim[1] != row_len) return MLK_FAIL(e, MLK_EFORMAT, "damaged history");
    MLK_TRY(MLK_GROW(s->h->row, s->h->cap, dim[0], e));
    MLK_TRY(mlk_h5_read(h, "/history", MLK_H5_DOUBLE, s->h->row, e));
    s->h->n = dim[0];
    return MLK_OK;
}

mlk_status mlk_state_read(const mlk_state *s, const char *dir, bool *found, mlk_err *e)
{
    char path[1024];
    *found = mlk_file_exists(mlk_path_join(path, sizeof path, dir, "checkpoint.h5"));
    if (!*found) return MLK_OK;
    mlk_h5 *f = NULL;
    mlk_status st = mlk_h5_open(&f, path, "r", e), sc;
    if (!st) st = get(f, s, e);
    if (st == MLK_EFORMAT || (st == MLK_EIO && f))
        mlk_err_hint(e, "the checkpoint is damaged: remove the file to begin this model anew");
    sc = mlk_h5_close(&f, NULL);
    if (!st && sc) st = MLK_FAIL(e, sc, "cannot read the checkpoint");
    return st ? mlk_err_at(e, path, 0) : MLK_OK;
}

/* ---- a gradient run -------------------------------------------------------------------------- */

enum { N_COUNT = 12, N_REAL = 8, N_SUM = 9, N_ITEM = 8 };

typedef struct numbers {
    int64_t count[N_COUNT];
    double real[N_REAL], sum[N_SUM];
} numbers;

static void items(mlk_state_item item[N_ITEM], const mlk_train_state *t, double *param, numbers *q)
{
    const size_t n = t->adam.n;
    const mlk_state_item all[N_ITEM] = {{"/param", MLK_H5_DOUBLE, n, param},
                                        {"/best", MLK_H5_DOUBLE, n, t->best},
                                        {"/adam/m", MLK_H5_DOUBLE, n, t->adam.m},
                                        {"/adam/v", MLK_H5_DOUBLE, n, t->adam.v},
                                        {"/adam/average", MLK_H5_DOUBLE, n, t->adam.avg},
                                        {"/count", MLK_H5_INT64, N_COUNT, q->count},
                                        {"/real", MLK_H5_DOUBLE, N_REAL, q->real},
                                        {"/sums", MLK_H5_DOUBLE, N_SUM, q->sum}};
    memcpy(item, all, sizeof all);
}

mlk_status mlk_checkpoint_write(const char *dir, const char *key, const mlk_train_state *t,
                                double *param, mlk_history *h, mlk_err *e)
{
    const mlk_loss_sums *s = &t->sums;
    numbers q = {
        .count = {t->epoch, t->n_epoch, t->batch, t->step, t->n_back, t->best_epoch, t->adam.step,
                  t->n_cycle, t->cycle, t->steps, t->n_stall, t->n_eval},
        .real = {t->lr_scale, t->best_loss, t->adam.norm, h->wall, t->mu, t->we, t->wv, t->share},
        .sum = {s->loss, s->e2, s->f2, s->s2, s->nl, s->ne, s->nf, s->ns, s->v2}};
    mlk_state_item item[N_ITEM];
    items(item, t, param, &q);
    return mlk_state_write(&(mlk_state){"mlkit-training", key, 2, N_ITEM, item, h}, dir, e);
}

mlk_status mlk_checkpoint_read(const char *dir, const char *key, mlk_train_state *t, double *param,
                               mlk_history *h, bool *found, mlk_err *e)
{
    numbers q;
    mlk_state_item item[N_ITEM];
    items(item, t, param, &q);
    MLK_TRY(mlk_state_read(&(mlk_state){"mlkit-training", key, 2, N_ITEM, item, h}, dir, found, e));
    if (!*found) return MLK_OK;
    const int64_t *c = q.count;
    const double *r = q.real, *s = q.sum;
    t->epoch = c[0], t->n_epoch = c[1], t->batch = c[2], t->step = c[3], t->n_back = c[4];
    t->best_epoch = c[5], t->adam.step = c[6], t->n_cycle = c[7], t->cycle = c[8];
    t->steps = c[9], t->n_stall = c[10], t->n_eval = c[11];
    t->lr_scale = r[0], t->best_loss = r[1], t->adam.norm = r[2], h->wall = r[3];
    t->mu = r[4], t->we = r[5], t->wv = r[6], t->share = r[7];
    t->sums = (mlk_loss_sums){s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8]};
    return MLK_OK;
}
