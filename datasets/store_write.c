/* store_write.c - frames into the HDF5 form of a data set, in blocks, and whole sets into a file
 * that appears at once. No NaN is ever stored: what is unknown is marked in /frames/has and is 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "datasets/framehash.h"
#include "datasets/store_layout.h"
#include "version.h"

/* Distinct strings in order of appearance, found through a hash table. */
typedef struct dict {
    char **s; /* (n) owned */
    size_t n, cap, written;
    size_t *slot, n_slot; /* index + 1, 0 empty; n_slot a power of two */
} dict;

struct store_writer {
    mlk_h5 *h;
    size_t n, atoms;        /* written                    */
    bool velocities;        /* the file has /atoms/v      */
    store_table t;          /* the block being filled ... */
    int64_t *end;           /* ... end[i]: after frame i  */
    size_t fill_n, fill_at; /* ... frames and atoms in it */
    bool fill_v;            /* ... any velocity in it     */
    dict name[LIST_COUNT];  /* LIST_SHA: not used         */
    char (*sha)[65];        /* by source                  */
    size_t cap_sha;
};

static void dict_free(dict *d)
{
    for (size_t k = 0; k < d->n; k++) mlk_free(d->s[k]);
    mlk_free(d->s);
    mlk_free(d->slot);
}

static size_t *dict_slot(const dict *d, const char *s)
{
    size_t k = (size_t)mlk_hash_text(1, s) & (d->n_slot - 1);
    while (d->slot[k] && strcmp(d->s[d->slot[k] - 1], s)) k = (k + 1) & (d->n_slot - 1);
    return &d->slot[k];
}

static mlk_status dict_rehash(dict *d, mlk_err *e)
{
    size_t m = d->n_slot ? 2 * d->n_slot : 64;
    size_t *slot = mlk_alloc(m, sizeof *slot);
    if (!slot) return MLK_FAIL(e, MLK_ENOMEM, "no memory for %zu names", d->n);
    mlk_free(d->slot);
    d->slot = slot;
    d->n_slot = m;
    for (size_t k = 0; k < d->n; k++) *dict_slot(d, d->s[k]) = k + 1;
    return MLK_OK;
}

/* Index of s, which is added when it is new. */
static mlk_status dict_index(dict *d, const char *s, int *index, mlk_err *e)
{
    if (2 * d->n >= d->n_slot) MLK_TRY(dict_rehash(d, e));
    size_t *slot = dict_slot(d, s);
    if (!*slot) {
        MLK_TRY(MLK_GROW(d->s, d->cap, d->n + 1, e));
        if (!(d->s[d->n] = mlk_strdup(s)))
            return MLK_FAIL(e, MLK_ENOMEM, "no memory for %zu names", d->n);
        *slot = ++d->n;
    }
    *index = (int)(*slot - 1);
    return MLK_OK;
}

void store_abandon(store_writer **w)
{
    if (!*w) return;
    mlk_h5_close(&(*w)->h, NULL);
    for (int k = 0; k < LIST_COUNT; k++) dict_free(&(*w)->name[k]);
    store_table_free(&(*w)->t);
    mlk_free((*w)->end);
    mlk_free((*w)->sha);
    mlk_free(*w);
    *w = NULL;
}

static mlk_status begin(store_writer **out, const char *path, const char *mode, mlk_err *e)
{
    store_writer *w = *out = mlk_alloc(1, sizeof *w);
    if (!w) return MLK_FAIL(e, MLK_ENOMEM, "no memory to write a store");
    w->end = mlk_alloc(STORE_BLOCK_FRAMES, sizeof *w->end);
    if (!w->end) return MLK_FAIL(e, MLK_ENOMEM, "no memory to write a store");
    MLK_TRY(store_table_room(&w->t, 0, COL_COUNT, STORE_BLOCK_FRAMES, STORE_BLOCK_ATOMS, e));
    return mlk_h5_open(&w->h, path, mode, e);
}

mlk_status store_create(store_writer **out, const char *path, mlk_err *e)
{
    const int64_t zero = 0;
    mlk_status s = begin(out, path, "wc", e);
    mlk_h5 *h = s ? NULL : (*out)->h;
    if (!s) s = mlk_h5_attr_set_str(h, "/", "format", STORE_FORMAT, e);
    if (!s) s = mlk_h5_attr_set_str(h, "/", "version", STORE_VERSION, e);
    if (!s) s = mlk_h5_attr_set_str(h, "/", "creator", "mlkit " MLK_VERSION, e);
    if (!s) s = mlk_h5_attr_set_str(h, "/", "units", "A, eV, eV/A, K; velocities sqrt(eV/amu)", e);
    if (!s)
        s = mlk_h5_append(h, "/frames/start", MLK_H5_INT64, 0, NULL, 1, &zero, MLK_H5_CHECKED, e);
    if (s) store_abandon(out);
    return s;
}

mlk_status store_resume(store_writer **out, const char *path, const mlk_store *st, mlk_err *e)
{
    store_view v = store_look(st);
    mlk_status s = begin(out, path, "ac", e);
    store_writer *w = *out;
    for (int list = 0; !s && list < LIST_SHA; list++) {
        dict *d = &w->name[list];
        for (size_t k = 0; !s && k < v.n_name[list]; k++) {
            int index;
            s = dict_index(d, v.name[list][k], &index, e);
            if (!s && (size_t)index != k)
                s = MLK_FAIL(e, MLK_EFORMAT, "damaged store: '%s' stands twice in %s",
                             v.name[list][k], store_lists[list].path);
        }
        d->written = d->n;
    }
    if (!s) s = MLK_GROW(w->sha, w->cap_sha, v.n_name[LIST_SHA], e);
    for (size_t k = 0; !s && k < v.n_name[LIST_SHA]; k++)
        snprintf(w->sha[k], sizeof w->sha[k], "%s", v.name[LIST_SHA][k]);
    if (s) {
        store_abandon(out);
        return s;
    }
    w->n = v.n;
    w->atoms = v.atoms;
    w->velocities = v.velocities;
    return MLK_OK;
}

/* Index of the source; its name in the file goes into name (cap bytes). */
static mlk_status source_index(store_writer *w, const char *path, const char *sha, char *name,
                               size_t cap, int *index, mlk_err *e)
{
    dict *d = &w->name[LIST_SOURCE];
    snprintf(name, cap, "%s", path);
    for (int round = 0; round < 2; round++) {
        size_t before = d->n;
        MLK_TRY(dict_index(d, name, index, e));
        if (d->n > before) {
            MLK_TRY(MLK_GROW(w->sha, w->cap_sha, d->n, e));
            snprintf(w->sha[*index], sizeof w->sha[*index], "%s", sha);
        }
        if (!strcmp(w->sha[*index], sha)) break;
        snprintf(name, cap, "%.*s [%.8s]", (int)(cap - 12), path, *sha ? sha : "unknown");
    }
    return MLK_OK;
}

static mlk_status write_lists(store_writer *w, mlk_err *e)
{
    for (int list = 0; list < LIST_SHA; list++) {
        dict *d = &w->name[list];
        size_t n = d->n - d->written;
        const char *const *fresh = (const char *const *)d->s + d->written;
        if (!n) continue;
        MLK_TRY(mlk_h5_append_strings(w->h, store_lists[list].path, store_lists[list].len, fresh, n,
                                      e));
        if (list == LIST_SOURCE) {
            const char **sha = mlk_alloc(n, sizeof *sha);
            if (!sha) return MLK_FAIL(e, MLK_ENOMEM, "no memory for %zu sources", n);
            for (size_t k = 0; k < n; k++) sha[k] = w->sha[d->written + k];
            mlk_status s = mlk_h5_append_strings(w->h, store_lists[LIST_SHA].path,
                                                 store_lists[LIST_SHA].len, sha, n, e);
            mlk_free(sha);
            if (s) return s;
        }
        d->written = d->n;
    }
    return MLK_OK;
}

static mlk_status append(store_writer *w, store_col c, size_t rows, const void *data, mlk_err *e)
{
    static const size_t dim[2] = {3, 3};
    const store_column *q = &store_columns[c];
    return mlk_h5_append(w->h, q->path, q->type, q->ndim, dim, rows, data, MLK_H5_CHECKED, e);
}

/* The first velocities come late: zeros for the atoms before. */
static mlk_status begin_velocities(store_writer *w, mlk_err *e)
{
    size_t cap = STORE_BLOCK_ATOMS;
    double(*zero)[3] = mlk_alloc(cap, sizeof *zero);
    if (!zero) return MLK_FAIL(e, MLK_ENOMEM, "no memory for velocities");
    mlk_status s = MLK_OK;
    for (size_t k = 0, m; k < w->atoms && !s; k += m) {
        m = w->atoms - k < cap ? w->atoms - k : cap;
        s = append(w, COL_V, m, zero, e);
    }
    mlk_free(zero);
    w->velocities = true;
    return s;
}

static mlk_status write_block(store_writer *w, mlk_err *e)
{
    if (!w->fill_n) return MLK_OK;
    if (w->fill_v && !w->velocities) MLK_TRY(begin_velocities(w, e));
    for (store_col c = 0; c < COL_COUNT; c++)
        if (c != COL_V || w->velocities)
            MLK_TRY(append(w, c, c < COL_ATOMS ? w->fill_n : w->fill_at, w->t.col[c], e));
    MLK_TRY(mlk_h5_append(w->h, "/frames/start", MLK_H5_INT64, 0, NULL, w->fill_n, w->end,
                          MLK_H5_CHECKED, e));
    w->n += w->fill_n;
    w->atoms += w->fill_at;
    w->fill_n = w->fill_at = 0;
    w->fill_v = false;
    return MLK_OK;
}

/* Copy n reals, or zeros when they are not there. */
static void put_reals(store_table *t, store_col c, size_t row, const void *v, bool there, size_t n)
{
    double *to = (double *)t->col[c] + row;
    if (there)
        memcpy(to, v, n * sizeof *to);
    else
        memset(to, 0, n * sizeof *to);
}

static void put_int(store_table *t, store_col c, size_t row, int v)
{
    ((int *)t->col[c])[row] = v;
}

static void put_word(store_table *t, store_col c, size_t row, uint64_t v)
{
    memcpy((int64_t *)t->col[c] + row, &v, sizeof v);
}

static void put_numbers(store_writer *w, const mlk_frame *fr, int split)
{
    store_table *t = &w->t;
    size_t i = w->fill_n, at = 3 * w->fill_at, n = 3 * fr->n;
    bool e0 = isfinite(fr->energy0), temp = isfinite(fr->temperature);
    ((int64_t *)t->col[COL_LINE])[i] = fr->line;
    put_int(t, COL_HAS, i,
            (int)fr->has | (e0 ? STORE_HAS_ENERGY0 : 0) | (temp ? STORE_HAS_TEMPERATURE : 0));
    put_int(t, COL_SCF, i, fr->scf);
    put_int(t, COL_STEP, i, fr->step);
    put_int(t, COL_RUN, i, fr->run);
    put_int(t, COL_KIND, i, fr->energy_kind);
    put_int(t, COL_SPLIT, i, split);
    put_reals(t, COL_ENERGY, i, &fr->energy, fr->has & MLK_HAS_ENERGY, 1);
    put_reals(t, COL_ENERGY0, i, &fr->energy0, e0, 1);
    put_reals(t, COL_TEMPERATURE, i, &fr->temperature, temp, 1);
    put_reals(t, COL_VIRIAL, 9 * i, fr->virial, fr->has & MLK_HAS_VIRIAL, 9);
    put_reals(t, COL_CELL, 9 * i, fr->cell.h, fr->has & MLK_HAS_CELL, 9);
    for (int k = 0; k < 3; k++)
        ((uint8_t *)t->col[COL_PBC])[3 * i + k] = (fr->has & MLK_HAS_CELL) && fr->cell.pbc[k];
    memcpy((int *)t->col[COL_Z] + w->fill_at, fr->z, fr->n * sizeof *fr->z);
    put_reals(t, COL_X, at, fr->x, true, n);
    put_reals(t, COL_F, at, fr->f, fr->has & MLK_HAS_FORCE, n);
    put_reals(t, COL_V, at, fr->v, fr->has & MLK_HAS_VELOCITY, n);
}

mlk_status store_add(store_writer *w, const mlk_frame *fr, int split, const char *sha, mlk_err *e)
{
    static const store_col col[] = {COL_GROUP, COL_CONFIG, COL_SOURCE, COL_THEORY};
    int index[4];
    mlk_frame named = *fr; /* borrows the arrays */
    MLK_TRY(mlk_frame_check(fr, e));
    if (w->fill_n == STORE_BLOCK_FRAMES || w->fill_at + fr->n > w->t.cap_atoms)
        MLK_TRY(write_block(w, e));
    MLK_TRY(store_table_room(&w->t, 0, COL_COUNT, STORE_BLOCK_FRAMES, fr->n, e));
    MLK_TRY(dict_index(&w->name[LIST_GROUP], fr->group, &index[LIST_GROUP], e));
    MLK_TRY(dict_index(&w->name[LIST_CONFIG], fr->config_type, &index[LIST_CONFIG], e));
    MLK_TRY(dict_index(&w->name[LIST_THEORY], fr->theory, &index[LIST_THEORY], e));
    MLK_TRY(source_index(w, fr->source, sha, named.source, sizeof named.source, &index[LIST_SOURCE],
                         e));
    for (int k = 0; k < 4; k++) put_int(&w->t, col[k], w->fill_n, index[k]);
    put_numbers(w, fr, split);
    uint64_t content = mlk_hash_content(fr);
    put_word(&w->t, COL_CONTENT, w->fill_n, content);
    put_word(&w->t, COL_CHECKSUM, w->fill_n, store_checksum(&named, content, split, sha));
    w->fill_at += fr->n;
    w->fill_v = w->fill_v || (fr->has & MLK_HAS_VELOCITY);
    w->end[w->fill_n++] = (int64_t)(w->atoms + w->fill_at);
    return MLK_OK;
}

mlk_status store_finish(store_writer **w, mlk_err *e)
{
    mlk_status s = write_block(*w, e);
    if (!s) s = write_lists(*w, e);
    if (!s) s = mlk_h5_close(&(*w)->h, e);
    store_abandon(w);
    return s;
}

/* ---- files that appear at once ---- */

mlk_status store_sync(const char *path, mlk_err *e)
{
    int fd = open(path, O_RDONLY);
    bool bad = fd < 0 || fsync(fd) != 0;
    int err = errno;
    if (fd >= 0) close(fd);
    if (!bad) return MLK_OK;
    MLK_FAIL(e, MLK_EIO, "cannot write: %s", strerror(err));
    return mlk_err_at(e, path, 0);
}

static void sync_folder(const char *path)
{
    char dir[1100];
    snprintf(dir, sizeof dir, "%.*s.", (int)(mlk_path_base(path) - path), path);
    int fd = open(dir, O_RDONLY);
    if (fd < 0) return;
    if (fsync(fd) != 0) errno = 0; /* some file systems cannot: the rename is in order anyway */
    close(fd);
}

static void discard(const char *tmp, const char *path, mlk_err *e)
{
    unlink(tmp);
    if (!e || strcmp(e->file, tmp)) return;
    mlk_err_hint(e, "check the free space and the permissions of the folder");
    snprintf(e->file, sizeof e->file, "%s", path);
}

mlk_status store_publish(mlk_status s, const char *tmp, const char *path, mlk_err *e)
{
    if (!s && rename(tmp, path) != 0) {
        s = MLK_FAIL(e, MLK_EIO, "cannot rename the finished file to its name: %s",
                     strerror(errno));
        mlk_err_at(e, path, 0);
    }
    if (s)
        discard(tmp, path, e);
    else
        sync_folder(path);
    return s;
}

static mlk_status lock_failed(const char *path, int err, pid_t holder, mlk_err *e)
{
    if (err == EAGAIN || err == EACCES) {
        if (holder > 0)
            MLK_FAIL(e, MLK_EIO, "another mlkit (process %ld) is writing this store", (long)holder);
        else
            MLK_FAIL(e, MLK_EIO, "another mlkit is writing this store, or the folder is read-only");
        mlk_err_hint(e, "wait until it has finished, then run the command again");
    } else {
        MLK_FAIL(e, MLK_EIO, "cannot write: %s", strerror(err));
    }
    return mlk_err_at(e, path, 0);
}

/* A lock file that was removed between open and lock is nobody's: then try again. */
mlk_status store_lock_take(store_lock *l, const char *path, mlk_err *e)
{
    MLK_TRY(mlk_file_replaceable(path, e));
    snprintf(l->path, sizeof l->path, "%s.mlkit-lock", path);
    for (int tries = 0; tries < 1000; tries++) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        struct stat mine, named;
        l->fd = open(l->path, O_CREAT | O_RDWR, 0666);
        if (l->fd < 0) {
            int err = errno == EACCES ? EPERM : errno;
            return lock_failed(path, err, 0, e);
        }
        if (fcntl(l->fd, F_SETLK, &whole) != 0) {
            int err = errno;
            whole.l_type = F_WRLCK;
            bool told = fcntl(l->fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
            close(l->fd);
            return lock_failed(path, err, told ? whole.l_pid : 0, e);
        }
        if (fstat(l->fd, &mine) == 0 && stat(l->path, &named) == 0 && mine.st_ino == named.st_ino &&
            mine.st_dev == named.st_dev)
            return MLK_OK;
        close(l->fd);
    }
    return lock_failed(path, EAGAIN, 0, e);
}

void store_lock_drop(store_lock *l)
{
    unlink(l->path); /* while it is held: see above */
    close(l->fd);
}

const char *store_digest(const mlk_dataset *ds, const char *path, size_t *k)
{
    for (size_t m = 0; m < ds->n_source; m++, ++*k) {
        if (*k >= ds->n_source) *k = 0;
        if (!strcmp(ds->source[*k].path, path)) return ds->source[*k].sha256;
    }
    return "";
}

static mlk_status write_file(const mlk_dataset *ds, const char *tmp, mlk_err *e)
{
    store_writer *w;
    size_t k = 0;
    unlink(tmp); /* left behind by a process that was killed; the lock says that it is gone */
    MLK_TRY(store_create(&w, tmp, e));
    mlk_status s = MLK_OK;
    for (size_t i = 0; i < ds->n && !s; i++)
        s = store_add(w, &ds->frame[i], ds->split[i], store_digest(ds, ds->frame[i].source, &k), e);
    if (s)
        store_abandon(&w);
    else
        s = store_finish(&w, e);
    return s ? s : store_sync(tmp, e);
}

static mlk_status write_locked(const mlk_dataset *ds, const char *path, bool over, mlk_err *e)
{
    char tmp[1100];
    if (!over && mlk_file_exists(path)) {
        MLK_FAIL(e, MLK_EIO, "exists already");
        mlk_err_hint(e, "choose another name, or remove it first");
        return mlk_err_at(e, path, 0);
    }
    snprintf(tmp, sizeof tmp, "%s.mlkit-new", path);
    mlk_status s = write_file(ds, tmp, e);
    return store_publish(s, tmp, path, e);
}

static mlk_status write_set(const mlk_dataset *ds, const char *path, bool over, mlk_err *e)
{
    store_lock l;
    char real[1024];
    if (ds->n == 0) return MLK_FAIL(e, MLK_EINVAL, "there are no frames to write to %s", path);
    path = store_target(path, real, sizeof real);
    MLK_TRY(store_lock_take(&l, path, e));
    mlk_status s = write_locked(ds, path, over, e);
    store_lock_drop(&l);
    return s;
}

mlk_status mlk_dataset_write(const mlk_dataset *ds, const char *path, mlk_err *e)
{
    return write_set(ds, path, false, e);
}

mlk_status mlk_dataset_replace(const mlk_dataset *ds, const char *path, mlk_err *e)
{
    return write_set(ds, path, true, e);
}
