/* store_append.c - frames added to a store by copy, extension and rename: whatever moment the
 * process is killed at, the store is whole, old or new. Beside the copying it costs what the new
 * frames cost; the old frames are neither unpacked nor read. */
#define _GNU_SOURCE /* copy_file_range: on some file systems the copy costs nothing; realpath */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "datasets/framehash.h"
#include "datasets/store_layout.h"

/* A frame of the store, by its content. */
typedef struct known {
    uint64_t content;
    size_t i;
} known;

typedef struct group_fate {
    const char *name;      /* borrowed from ds          */
    bool taken, same, own; /* the store has it; ... and frames of it that are also here; named
                              after its file            */
    char fresh[64];        /* name in the store         */
} group_fate;

typedef struct plan {
    const mlk_dataset *ds;
    mlk_store *st;
    store_view v;
    known *by_content; /* (v.n) sorted */
    bool *skip;        /* (ds->n)      */
    size_t *group;     /* (ds->n) index into fate */
    group_fate *fate;
    size_t n_fate, cap_fate, n_skip;
} plan;

static int by_content(const void *a, const void *b)
{
    const known *p = a, *q = b;
    if (p->content != q->content) return p->content < q->content ? -1 : 1;
    return (p->i > q->i) - (p->i < q->i);
}

static void plan_free(plan *p)
{
    mlk_free(p->by_content);
    mlk_free(p->skip);
    mlk_free(p->group);
    mlk_free(p->fate);
}

/* The content hash of every frame of the store; version 1 does not keep it. */
static mlk_status list_contents(plan *p, mlk_err *e)
{
    for (size_t i = 0; i < p->v.n; i++) {
        if (p->v.major >= 2) {
            p->by_content[i].content = (uint64_t)((const int64_t *)p->v.t->col[COL_CONTENT])[i];
        } else {
            mlk_frame fr;
            MLK_TRY(mlk_store_frame(p->st, i, &fr, e));
            p->by_content[i].content = mlk_hash_content(&fr);
            mlk_frame_free(&fr);
        }
        p->by_content[i].i = i;
    }
    qsort(p->by_content, p->v.n, sizeof *p->by_content, by_content);
    return MLK_OK;
}

static const char *name_of(const plan *p, int list, store_col c, size_t i)
{
    return p->v.name[list][((const int *)p->v.t->col[c])[i]];
}

/* "path" or "path [digest]" of the store is the file `path`. */
static bool same_path(const char *stored, const char *path)
{
    size_t n = strlen(path);
    return !strncmp(stored, path, n) && (!stored[n] || !strncmp(stored + n, " [", 2));
}

/* Has the store this frame? Marks it, and says of its group whether the store's is the same. */
static void compare(plan *p, size_t i, const char *sha)
{
    const mlk_frame *fr = &p->ds->frame[i];
    const known key = {.content = mlk_hash_content(fr)};
    size_t lo = 0, hi = p->v.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (p->by_content[mid].content < key.content)
            lo = mid + 1;
        else
            hi = mid;
    }
    group_fate *g = &p->fate[p->group[i]];
    for (; lo < p->v.n && p->by_content[lo].content == key.content; lo++) {
        size_t k = p->by_content[lo].i;
        const char *digest = name_of(p, LIST_SHA, COL_SOURCE, k);
        bool file = same_path(name_of(p, LIST_SOURCE, COL_SOURCE, k), fr->source) ||
                    (*sha && !strcmp(digest, sha));
        if (file && ((const int *)p->v.t->col[COL_STEP])[k] == fr->step &&
            ((const int *)p->v.t->col[COL_RUN])[k] == fr->run)
            p->skip[i] = true;
        if (file && !strcmp(name_of(p, LIST_GROUP, COL_GROUP, k), fr->group)) g->same = true;
    }
}

/* Was the group named after the file (dataset.c) and not by its author? */
static bool named_after(const char *group, const char *source)
{
    char stem[64];
    snprintf(stem, sizeof stem, "%s", group);
    char *mark = strrchr(stem, '#');
    if (mark) *mark = 0;
    return *stem && strstr(source, stem);
}

static bool group_known(const plan *p, const char *name)
{
    for (size_t k = 0; k < p->v.n_name[LIST_GROUP]; k++)
        if (!strcmp(p->v.name[LIST_GROUP][k], name)) return true;
    for (size_t k = 0; k < p->n_fate; k++)
        if (!strcmp(p->fate[k].name, name) || !strcmp(p->fate[k].fresh, name)) return true;
    return false;
}

/* The group of frame i in fate; frames of a group mostly stand together. */
static mlk_status find_group(plan *p, size_t i, mlk_err *e)
{
    const mlk_frame *fr = &p->ds->frame[i];
    size_t k = p->n_fate;
    while (k-- > 0 && strcmp(p->fate[k].name, fr->group)) continue;
    if (k == (size_t)-1) {
        MLK_TRY(MLK_GROW(p->fate, p->cap_fate, p->n_fate + 1, e));
        k = p->n_fate;
        p->fate[k].name = fr->group;
        p->fate[k].own = named_after(fr->group, fr->source);
        for (size_t m = 0; m < p->v.n_name[LIST_GROUP] && !p->fate[k].taken; m++)
            p->fate[k].taken = !strcmp(p->v.name[LIST_GROUP][m], fr->group);
        p->n_fate++;
    }
    p->group[i] = k;
    return MLK_OK;
}

static mlk_status make_plan(plan *p, const mlk_dataset *ds, mlk_store *st, mlk_err *e)
{
    *p = (plan){.ds = ds, .st = st, .v = store_look(st)};
    p->by_content = mlk_alloc(p->v.n, sizeof *p->by_content);
    p->skip = mlk_alloc(ds->n, sizeof *p->skip);
    p->group = mlk_alloc(ds->n, sizeof *p->group);
    if (!p->by_content || !p->skip || !p->group)
        return MLK_FAIL(e, MLK_ENOMEM, "no memory to compare %zu frames", ds->n);
    MLK_TRY(list_contents(p, e));
    size_t at = 0;
    for (size_t i = 0; i < ds->n; i++) {
        MLK_TRY(find_group(p, i, e));
        compare(p, i, store_digest(ds, ds->frame[i].source, &at));
        p->n_skip += p->skip[i];
    }
    for (size_t k = 0; k < p->n_fate; k++) {
        group_fate *g = &p->fate[k];
        snprintf(g->fresh, sizeof g->fresh, "%s", g->name);
        if (!g->taken || g->same || !g->own) continue;
        char name[sizeof g->fresh];
        snprintf(name, sizeof name, "%s", g->name);
        for (int m = 2; m < 100000 && group_known(p, name); m++)
            snprintf(name, sizeof name, "%.54s#%d", g->name, m);
        memcpy(g->fresh, name, sizeof name);
    }
    return MLK_OK;
}

static mlk_status copy_bytes(int from, int to)
{
    char *buf = NULL;
    ssize_t n;
#ifdef __linux__
    while ((n = copy_file_range(from, NULL, to, NULL, (size_t)1 << 30, 0)) > 0) continue;
    if (n == 0 && lseek(to, 0, SEEK_CUR) > 0) return MLK_OK;
#endif
    enum { CHUNK = 1 << 20 };
    if (!(buf = mlk_alloc(CHUNK, 1))) return MLK_ENOMEM;
    while ((n = read(from, buf, CHUNK)) > 0)
        for (ssize_t done = 0, m; done < n; done += m)
            if ((m = write(to, buf + done, (size_t)(n - done))) < 0) {
                mlk_free(buf);
                return MLK_EIO;
            }
    mlk_free(buf);
    return n < 0 ? MLK_EIO : MLK_OK;
}

static mlk_status copy_file(const char *from, const char *to, mlk_err *e)
{
    int in = open(from, O_RDONLY), out = in < 0 ? -1 : open(to, O_CREAT | O_EXCL | O_WRONLY, 0666);
    struct stat st;
    mlk_status s = in < 0 || out < 0 ? MLK_EIO : copy_bytes(in, out);
    if (!s && (fstat(in, &st) != 0 || fchmod(out, st.st_mode & 07777) != 0)) s = MLK_EIO;
    int err = errno;
    if (in >= 0) close(in);
    if (out >= 0 && close(out) != 0 && !s) s = MLK_EIO, err = errno;
    if (!s) return MLK_OK;
    MLK_FAIL(e, s, "cannot copy the store to extend it: %s", strerror(err));
    mlk_err_hint(e, "appending needs as much free space as the store has");
    return mlk_err_at(e, to, 0);
}

/* The old frames into tmp: as bytes, or one by one when the layout is an old one. */
static mlk_status copy_old(const plan *p, const char *path, const char *tmp, store_writer **w,
                           mlk_err *e)
{
    *w = NULL;
    unlink(tmp); /* left behind by a process that was killed; the lock says that it is gone */
    if (p->v.major == STORE_MAJOR) {
        MLK_TRY(copy_file(path, tmp, e));
        return store_resume(w, tmp, p->st, e);
    }
    MLK_TRY(store_create(w, tmp, e));
    for (size_t i = 0; i < p->v.n; i++) {
        mlk_frame fr;
        MLK_TRY(mlk_store_frame(p->st, i, &fr, e));
        mlk_status s =
            store_add(*w, &fr, mlk_store_split(p->st, i), name_of(p, LIST_SHA, COL_SOURCE, i), e);
        mlk_frame_free(&fr);
        if (s) return s;
    }
    return MLK_OK;
}

static mlk_status extend(const plan *p, const char *path, const char *tmp, mlk_err *e)
{
    store_writer *w;
    size_t k = 0;
    mlk_status s = copy_old(p, path, tmp, &w, e);
    for (size_t i = 0; i < p->ds->n && !s; i++) {
        mlk_frame fr = p->ds->frame[i]; /* borrows the arrays */
        if (p->skip[i]) continue;
        memcpy(fr.group, p->fate[p->group[i]].fresh, sizeof fr.group);
        s = store_add(w, &fr, p->ds->split[i], store_digest(p->ds, fr.source, &k), e);
    }
    if (s)
        store_abandon(&w);
    else
        s = store_finish(&w, e);
    if (!s) s = store_sync(tmp, e);
    return store_publish(s, tmp, path, e);
}

static void report(const plan *p, const char *path)
{
    size_t split = 0;
    if (p->n_skip)
        mlk_log(MLK_LOG_WARN,
                "%s: %zu of %zu frames are in the store already, from the same file and step: not "
                "added again",
                path, p->n_skip, p->ds->n);
    for (size_t k = 0; k < p->n_fate; k++)
        if (strcmp(p->fate[k].name, p->fate[k].fresh))
            mlk_log(MLK_LOG_INFO, "%s: another file's group is called '%s': added as '%s'", path,
                    p->fate[k].name, p->fate[k].fresh);
    for (size_t i = 0; i < p->v.n; i++) split += mlk_store_split(p->st, i) != MLK_SPLIT_TRAIN;
    for (size_t i = 0; i < p->ds->n; i++)
        if (!p->skip[i] && p->ds->split[i] != MLK_SPLIT_TRAIN) return;
    if (split && p->n_skip < p->ds->n)
        mlk_log(MLK_LOG_WARN,
                "%s: the store is split, the added frames are all for training; 'mlkit dataset "
                "split --again' draws a new split",
                path);
}

const char *store_target(const char *path, char *buf, size_t cap)
{
    struct stat st;
    char *real = lstat(path, &st) == 0 && S_ISLNK(st.st_mode) ? realpath(path, NULL) : NULL;
    bool fits = real && (size_t)snprintf(buf, cap, "%s", real) < cap;
    free(real);
    return fits ? buf : path;
}

/* May this store be extended, by this user and this mlkit? */
static mlk_status may_extend(const store_view *v, const char *path, mlk_err *e)
{
    if (access(path, W_OK) != 0) {
        MLK_FAIL(e, MLK_EIO, "cannot write: %s", strerror(errno));
    } else if (v->major == STORE_MAJOR && v->minor > STORE_MINOR) {
        MLK_FAIL(e, MLK_EUNSUPPORTED,
                 "store version %d.%d is newer than this mlkit writes (%s): it can be read but not "
                 "extended",
                 v->major, v->minor, STORE_VERSION);
        mlk_err_hint(e, "use a newer mlkit");
    } else {
        return MLK_OK;
    }
    return mlk_err_at(e, path, 0);
}

static mlk_status append_locked(const mlk_dataset *ds, const char *path, size_t *added, mlk_err *e)
{
    char tmp[1100];
    mlk_store *st;
    plan p;
    MLK_TRY(mlk_store_open(&st, path, e));
    snprintf(tmp, sizeof tmp, "%s.mlkit-new", path);
    mlk_status s = make_plan(&p, ds, st, e);
    if (!s) s = may_extend(&p.v, path, e);
    if (!s && p.n_skip < ds->n) s = extend(&p, path, tmp, e);
    if (!s) report(&p, path);
    *added = ds->n - p.n_skip;
    plan_free(&p);
    mlk_store_close(st);
    return s;
}

mlk_status mlk_dataset_append(const mlk_dataset *ds, const char *path, size_t *added, mlk_err *e)
{
    store_lock l;
    size_t n = 0;
    char real[1024];
    if (ds->n == 0) return MLK_FAIL(e, MLK_EINVAL, "there are no frames to add to %s", path);
    path = store_target(path, real, sizeof real);
    if (!mlk_file_exists(path)) {
        if (added) *added = ds->n;
        return mlk_dataset_write(ds, path, e);
    }
    MLK_TRY(store_lock_take(&l, path, e));
    mlk_status s = append_locked(ds, path, &n, e);
    store_lock_drop(&l);
    if (added) *added = s ? 0 : n;
    return s;
}
