/* store.c - reading the HDF5 form of a data set; its layout is the contract in docs/FORMATS.md.
 * Frames are ragged: atom arrays are one long table, /frames/start says where each frame begins.
 * Columns with one number per frame are read when a store is opened, everything else in blocks of
 * frames when they are asked for. Version 2 carries a checksum of every frame beside those of HDF5.
 * Not here: writing (store_write.c) and appending (store_append.c). */
#include "datasets/store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "datasets/framehash.h"
#include "datasets/store_layout.h"
#include "parsers/vaspout.h"

// clang-format off
const store_column store_columns[COL_COUNT] = {
    [COL_LINE] = {"/frames/line", MLK_H5_INT64, 0, 1},
    [COL_HAS] = {"/frames/has", MLK_H5_INT, 0, 1},
    [COL_SCF] = {"/frames/scf", MLK_H5_INT, 0, 1},
    [COL_STEP] = {"/frames/step", MLK_H5_INT, 0, 1},
    [COL_RUN] = {"/frames/run", MLK_H5_INT, 0, 2},
    [COL_KIND] = {"/frames/energy_kind", MLK_H5_INT, 0, 2},
    [COL_SPLIT] = {"/frames/split", MLK_H5_INT, 0, 1},
    [COL_GROUP] = {"/frames/group", MLK_H5_INT, 0, 1},
    [COL_CONFIG] = {"/frames/config_type", MLK_H5_INT, 0, 1},
    [COL_SOURCE] = {"/frames/source", MLK_H5_INT, 0, 1},
    [COL_THEORY] = {"/frames/theory", MLK_H5_INT, 0, 2},
    [COL_CONTENT] = {"/frames/content", MLK_H5_INT64, 0, 2},
    [COL_CHECKSUM] = {"/frames/checksum", MLK_H5_INT64, 0, 2},
    [COL_ENERGY] = {"/frames/energy", MLK_H5_DOUBLE, 0, 1},
    [COL_ENERGY0] = {"/frames/energy0", MLK_H5_DOUBLE, 0, 1},
    [COL_TEMPERATURE] = {"/frames/temperature", MLK_H5_DOUBLE, 0, 1},
    [COL_VIRIAL] = {"/frames/virial", MLK_H5_DOUBLE, 2, 1},
    [COL_CELL] = {"/frames/cell", MLK_H5_DOUBLE, 2, 1},
    [COL_PBC] = {"/frames/pbc", MLK_H5_UINT8, 1, 1},
    [COL_Z] = {"/atoms/z", MLK_H5_INT, 0, 1},
    [COL_X] = {"/atoms/x", MLK_H5_DOUBLE, 1, 1},
    [COL_F] = {"/atoms/f", MLK_H5_DOUBLE, 1, 1},
    [COL_V] = {"/atoms/v", MLK_H5_DOUBLE, 1, 1},
};
const store_list store_lists[LIST_COUNT] = {
    [LIST_GROUP] = {"/names/group", sizeof ((mlk_frame *)0)->group, 1},
    [LIST_CONFIG] = {"/names/config_type", sizeof ((mlk_frame *)0)->config_type, 1},
    [LIST_SOURCE] = {"/sources/path", sizeof ((mlk_frame *)0)->source, 1},
    [LIST_THEORY] = {"/names/theory", sizeof ((mlk_frame *)0)->theory, 2},
    [LIST_SHA] = {"/sources/sha256", sizeof ((mlk_source *)0)->sha256, 1},
};
// clang-format on

typedef struct strings {
    char **s;
    size_t n;
} strings;

struct mlk_store {
    char path[1024];
    mlk_h5 *h;
    int major, minor;
    size_t n, atoms;
    bool velocities;
    int64_t *start;      /* (n + 1) first atom of each frame     */
    store_table all;     /* columns before COL_BLOCK, all frames */
    store_table block;   /* columns from COL_BLOCK               */
    size_t first, count; /* frames of the block                  */
    size_t expected;     /* the frame after the last one given   */
    size_t ahead;        /* frames to read at the next miss      */
    strings name[LIST_COUNT];
    mlk_source *source;
    size_t n_source;
};

int mlk_dataset_is_store(const char *path)
{
    char head[8192] = "";
    FILE *f = mlk_file_is_dir(path) ? NULL : fopen(path, "rb");
    if (!f) return 0;
    size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
    return n >= 8 && !memcmp(head, "\x89HDF\r\n\x1a\n", 8) && !mlk_vaspout_is(path, head, n);
}

int mlk_dataset_is_foreign(const char *path)
{
    mlk_h5 *h = NULL;
    char format[64] = "";
    if (mlk_h5_open(&h, path, "r", NULL)) return 0;
    mlk_h5_attr_str(h, "/", "format", format, sizeof format, NULL);
    mlk_h5_close(&h, NULL);
    return strcmp(format, STORE_FORMAT) != 0;
}

void store_table_free(store_table *t)
{
    for (int c = 0; c < COL_COUNT; c++) mlk_free(t->col[c]);
    memset(t, 0, sizeof *t);
}

size_t store_row_items(store_col c)
{
    static const size_t items[3] = {1, 3, 9};
    return items[store_columns[c].ndim];
}

mlk_status store_table_room(store_table *t, store_col from, store_col to, size_t n, size_t atoms,
                            mlk_err *e)
{
    static const size_t size[] = {[MLK_H5_DOUBLE] = sizeof(double),
                                  [MLK_H5_FLOAT] = sizeof(float),
                                  [MLK_H5_INT] = sizeof(int),
                                  [MLK_H5_INT64] = sizeof(int64_t),
                                  [MLK_H5_UINT8] = 1};
    if (n <= t->cap_n && atoms <= t->cap_atoms) return MLK_OK;
    store_table_free(t);
    for (store_col c = from; c < to; c++) {
        t->col[c] =
            mlk_alloc(c < COL_ATOMS ? n : atoms, size[store_columns[c].type] * store_row_items(c));
        if (t->col[c]) continue;
        store_table_free(t);
        return MLK_FAIL(e, MLK_ENOMEM, "no memory for %zu frames and %zu atoms of a store", n,
                        atoms);
    }
    t->cap_n = n;
    t->cap_atoms = atoms;
    return MLK_OK;
}

static mlk_status broken(mlk_err *e, const char *what)
{
    MLK_FAIL(e, MLK_EFORMAT, "damaged store: %s", what);
    return mlk_err_hint(e, "make it again with 'mlkit dataset convert', or take a copy of it");
}

static mlk_status check_header(mlk_store *st, mlk_err *e)
{
    char format[64] = "", version[32] = "";
    if (mlk_h5_attr_str(st->h, "/", "format", format, sizeof format, NULL) ||
        strcmp(format, STORE_FORMAT)) {
        MLK_FAIL(e, MLK_EFORMAT, "is HDF5, but not a data set of mlkit, or damaged");
        return mlk_err_hint(e, "a store is made by 'mlkit dataset convert ... -o NAME.h5'");
    }
    if (mlk_h5_attr_str(st->h, "/", "version", version, sizeof version, NULL) ||
        sscanf(version, "%d.%d", &st->major, &st->minor) < 1 || st->major < 1)
        return broken(e, "no version");
    if (st->major > STORE_MAJOR) {
        MLK_FAIL(e, MLK_EUNSUPPORTED, "store version %s is newer than this mlkit reads (%s)",
                 version, STORE_VERSION);
        return mlk_err_hint(e, "use a newer mlkit");
    }
    return MLK_OK;
}

/* The library's own words about data it cannot read, made an error of the file's content. */
static mlk_status unreadable(mlk_err *e, const mlk_err *why)
{
    if (why->code == MLK_ENOMEM) {
        if (e && !e->code) *e = *why;
        return MLK_ENOMEM;
    }
    MLK_FAIL(e, MLK_EFORMAT, "damaged store: %s", why->msg);
    return mlk_err_hint(e, "make it again with 'mlkit dataset convert', or take a copy of it");
}

/* Does the file have this column, and with this many rows? */
static mlk_status check_column(const mlk_store *st, store_col c, size_t rows, mlk_err *e)
{
    int nd;
    size_t dim[4];
    const store_column *q = &store_columns[c];
    bool ok = !mlk_h5_dims(st->h, q->path, &nd, dim, NULL) && nd == 1 + q->ndim && dim[0] == rows;
    for (int d = 1; ok && d < nd; d++) ok = dim[d] == 3;
    if (ok) return MLK_OK;
    char what[96];
    snprintf(what, sizeof what, "%s is missing or of another shape", q->path);
    return broken(e, what);
}

static mlk_status read_starts(mlk_store *st, mlk_err *e)
{
    int nd;
    size_t dim[4];
    mlk_err why = {0};
    if (mlk_h5_dims(st->h, "/frames/start", &nd, dim, NULL) || nd != 1 || dim[0] < 2)
        return broken(e, "no frames");
    st->n = dim[0] - 1;
    if (mlk_h5_dims(st->h, "/atoms/z", &nd, dim, NULL) || nd != 1 || dim[0] == 0)
        return broken(e, "no atoms");
    st->atoms = dim[0];
    st->start = mlk_alloc(st->n + 1, sizeof *st->start);
    if (!st->start) return MLK_FAIL(e, MLK_ENOMEM, "no memory for %zu frames of a store", st->n);
    if (mlk_h5_read(st->h, "/frames/start", MLK_H5_INT64, st->start, &why))
        return unreadable(e, &why);
    for (size_t i = 0; i < st->n; i++)
        if (st->start[i] < 0 || st->start[i] >= st->start[i + 1])
            return broken(e, "/frames/start does not count the atoms");
    if (st->start[0] != 0 || (size_t)st->start[st->n] != st->atoms)
        return broken(e, "/frames/start does not count the atoms");
    return MLK_OK;
}

static mlk_status read_columns(mlk_store *st, mlk_err *e)
{
    mlk_err why = {0};
    st->velocities = mlk_h5_exists(st->h, store_columns[COL_V].path);
    MLK_TRY(store_table_room(&st->all, 0, COL_BLOCK, st->n, 0, e));
    for (store_col c = 0; c < COL_COUNT; c++) {
        if (store_columns[c].since > st->major || (c == COL_V && !st->velocities)) continue;
        MLK_TRY(check_column(st, c, c < COL_ATOMS ? st->n : st->atoms, e));
        if (c < COL_BLOCK &&
            mlk_h5_read(st->h, store_columns[c].path, store_columns[c].type, st->all.col[c], &why))
            return unreadable(e, &why);
    }
    return MLK_OK;
}

static void copy(char *dst, size_t cap, const char *s)
{
    size_t n = strlen(s);
    if (n >= cap) n = cap - 1;
    memcpy(dst, s, n);
    dst[n] = 0;
}

static mlk_status read_names(mlk_store *st, mlk_err *e)
{
    mlk_err why = {0};
    for (int k = 0; k < LIST_COUNT; k++)
        if (store_lists[k].since <= st->major &&
            mlk_h5_read_strings(st->h, store_lists[k].path, &st->name[k].s, &st->name[k].n, &why))
            return unreadable(e, &why);
    const strings *path = &st->name[LIST_SOURCE], *sha = &st->name[LIST_SHA];
    if (path->n != sha->n) return broken(e, "/sources are not of one length");
    st->source = mlk_alloc(path->n ? path->n : 1, sizeof *st->source);
    if (!st->source) return MLK_FAIL(e, MLK_ENOMEM, "no memory for %zu sources", path->n);
    for (size_t k = 0; k < path->n; k++) {
        copy(st->source[k].path, sizeof st->source[k].path, path->s[k]);
        copy(st->source[k].sha256, sizeof st->source[k].sha256, sha->s[k]);
    }
    st->n_source = path->n;
    return MLK_OK;
}

static const int *ints(const store_table *t, store_col c)
{
    return t->col[c];
}

static const double *reals(const store_table *t, store_col c)
{
    return t->col[c];
}

static mlk_status check_indices(const mlk_store *st, mlk_err *e)
{
    static const struct {
        store_col col;
        int list;
    } by[] = {{COL_GROUP, LIST_GROUP},
              {COL_CONFIG, LIST_CONFIG},
              {COL_SOURCE, LIST_SOURCE},
              {COL_THEORY, LIST_THEORY}};
    for (size_t k = 0; k < sizeof by / sizeof *by; k++) {
        const int *v = ints(&st->all, by[k].col);
        if (store_columns[by[k].col].since > st->major) continue;
        for (size_t i = 0; i < st->n; i++)
            if (v[i] < 0 || (size_t)v[i] >= st->name[by[k].list].n)
                return broken(e, "an index is out of range");
    }
    const int *split = ints(&st->all, COL_SPLIT);
    for (size_t i = 0; i < st->n; i++)
        if (split[i] < MLK_SPLIT_TRAIN || split[i] > MLK_SPLIT_TEST)
            return broken(e, "/frames/split holds what is no part");
    return MLK_OK;
}

mlk_status mlk_store_open(mlk_store **out, const char *path, mlk_err *e)
{
    mlk_status s;
    mlk_store *st = *out = mlk_alloc(1, sizeof *st);
    if (!st) return MLK_FAIL(e, MLK_ENOMEM, "no memory for a store");
    copy(st->path, sizeof st->path, path);
    MLK_GO(mlk_h5_open(&st->h, path, "r", e));
    MLK_GO(check_header(st, e));
    MLK_GO(read_starts(st, e));
    MLK_GO(read_columns(st, e));
    MLK_GO(read_names(st, e));
    MLK_GO(check_indices(st, e));
    return MLK_OK;
done:
    mlk_store_close(st);
    *out = NULL;
    mlk_err_at(e, path, 0);
    return s;
}

void mlk_store_close(mlk_store *st)
{
    if (!st) return;
    mlk_h5_close(&st->h, NULL);
    for (int k = 0; k < LIST_COUNT; k++) {
        for (size_t i = 0; i < st->name[k].n; i++) mlk_free(st->name[k].s[i]);
        mlk_free(st->name[k].s);
    }
    store_table_free(&st->all);
    store_table_free(&st->block);
    mlk_free(st->start);
    mlk_free(st->source);
    mlk_free(st);
}

size_t mlk_store_n(const mlk_store *st)
{
    return st->n;
}

size_t mlk_store_atoms(const mlk_store *st)
{
    return st->atoms;
}

int mlk_store_split(const mlk_store *st, size_t i)
{
    return ints(&st->all, COL_SPLIT)[i];
}

size_t mlk_store_frame_atoms(const mlk_store *st, size_t i)
{
    return (size_t)(st->start[i + 1] - st->start[i]);
}

size_t mlk_store_sources(const mlk_store *st, const mlk_source **list)
{
    *list = st->source;
    return st->n_source;
}

store_view store_look(const mlk_store *st)
{
    store_view v = {.t = &st->all,
                    .n = st->n,
                    .atoms = st->atoms,
                    .major = st->major,
                    .minor = st->minor,
                    .velocities = st->velocities};
    for (int k = 0; k < LIST_COUNT; k++) v.name[k] = st->name[k].s, v.n_name[k] = st->name[k].n;
    return v;
}

/* Bring frames i ... into the block: at most `want`, and no more atoms than a block has unless one
 * frame alone has more. */
static mlk_status load(mlk_store *st, size_t i, size_t want, mlk_err *e)
{
    mlk_err why = {0};
    size_t n = 1, at = (size_t)st->start[i];
    if (want > STORE_BLOCK_FRAMES) want = STORE_BLOCK_FRAMES;
    while (n < want && i + n < st->n && (size_t)st->start[i + n + 1] - at <= STORE_BLOCK_ATOMS) n++;
    size_t atoms = (size_t)st->start[i + n] - at;
    st->count = 0;
    if (n > st->block.cap_n || atoms > st->block.cap_atoms) {
        bool grown = st->block.cap_n > 0; /* a second time: then for good */
        MLK_TRY(store_table_room(&st->block, COL_BLOCK, COL_COUNT,
                                 grown && n < STORE_BLOCK_FRAMES ? STORE_BLOCK_FRAMES : n,
                                 grown && atoms < STORE_BLOCK_ATOMS ? STORE_BLOCK_ATOMS : atoms,
                                 e));
    }
    for (store_col c = COL_BLOCK; c < COL_COUNT; c++) {
        const store_column *q = &store_columns[c];
        if (c == COL_V && !st->velocities) continue;
        if (!mlk_h5_read_rows(st->h, q->path, q->type, c < COL_ATOMS ? i : at,
                              c < COL_ATOMS ? n : atoms, st->block.col[c], &why))
            continue;
        unreadable(e, &why);
        return mlk_err_at(e, st->path, 0);
    }
    st->first = i;
    st->count = n;
    return MLK_OK;
}

static void fill_text(const mlk_store *st, size_t i, mlk_frame *fr)
{
    const store_table *t = &st->all;
    copy(fr->group, sizeof fr->group, st->name[LIST_GROUP].s[ints(t, COL_GROUP)[i]]);
    copy(fr->config_type, sizeof fr->config_type, st->name[LIST_CONFIG].s[ints(t, COL_CONFIG)[i]]);
    copy(fr->source, sizeof fr->source, st->name[LIST_SOURCE].s[ints(t, COL_SOURCE)[i]]);
    if (st->major >= 2)
        copy(fr->theory, sizeof fr->theory, st->name[LIST_THEORY].s[ints(t, COL_THEORY)[i]]);
}

static void fill_numbers(const mlk_store *st, size_t i, mlk_frame *fr)
{
    const store_table *t = &st->all;
    int has = ints(t, COL_HAS)[i];
    fr->has = (unsigned)has & (MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VIRIAL |
                               (st->velocities ? MLK_HAS_VELOCITY : 0));
    fr->energy = reals(t, COL_ENERGY)[i];
    if (has & STORE_HAS_ENERGY0) fr->energy0 = reals(t, COL_ENERGY0)[i];
    if (has & STORE_HAS_TEMPERATURE) fr->temperature = reals(t, COL_TEMPERATURE)[i];
    fr->scf = ints(t, COL_SCF)[i];
    fr->step = ints(t, COL_STEP)[i];
    fr->run = ints(t, COL_RUN)[i]; /* these two are 0 in version 1 */
    fr->energy_kind = ints(t, COL_KIND)[i];
    fr->line = (long)((const int64_t *)t->col[COL_LINE])[i];
}

/* From the block: the atoms, and what has a cell's worth of numbers. */
static mlk_status fill_block(const mlk_store *st, size_t i, mlk_frame *fr, mlk_err *e)
{
    const store_table *t = &st->block;
    size_t row = i - st->first, at = (size_t)(st->start[i] - st->start[st->first]), n = fr->n;
    memcpy(fr->z, ints(t, COL_Z) + at, n * sizeof *fr->z);
    memcpy(fr->x, reals(t, COL_X) + 3 * at, n * sizeof *fr->x);
    memcpy(fr->f, reals(t, COL_F) + 3 * at, n * sizeof *fr->f);
    memcpy(fr->virial, reals(t, COL_VIRIAL) + 9 * row, sizeof fr->virial);
    if (fr->has & MLK_HAS_VELOCITY) {
        if (!(fr->v = mlk_alloc(n, sizeof *fr->v)))
            return MLK_FAIL(e, MLK_ENOMEM, "no memory for velocities");
        memcpy(fr->v, reals(t, COL_V) + 3 * at, n * sizeof *fr->v);
    }
    if (!(fr->has & MLK_HAS_CELL)) return MLK_OK;
    double h[3][3];
    memcpy(h, reals(t, COL_CELL) + 9 * row, sizeof h);
    MLK_TRY(mlk_cell_init(&fr->cell, (const double(*)[3])h, e));
    const uint8_t *pbc = (const uint8_t *)t->col[COL_PBC] + 3 * row;
    for (int k = 0; k < 3; k++) fr->cell.pbc[k] = pbc[k] != 0;
    return MLK_OK;
}

uint64_t store_checksum(const mlk_frame *fr, uint64_t content, int split, const char *sha)
{
    uint64_t h = mlk_hash_word(content, (uint64_t)(int64_t)fr->step);
    h = mlk_hash_word(h, (uint64_t)(int64_t)fr->line);
    h = mlk_hash_word(h, (uint64_t)(int64_t)fr->run);
    h = mlk_hash_word(h, (uint64_t)(int64_t)split);
    h = mlk_hash_text(mlk_hash_text(h, fr->group), fr->config_type);
    return mlk_hash_text(mlk_hash_text(mlk_hash_text(h, fr->theory), fr->source), sha);
}

static mlk_status check_sums(const mlk_store *st, size_t i, const mlk_frame *fr, mlk_err *e)
{
    if (st->major < 2) return MLK_OK;
    uint64_t content = mlk_hash_content(fr);
    const char *sha = st->source[ints(&st->all, COL_SOURCE)[i]].sha256;
    if ((uint64_t)((const int64_t *)st->all.col[COL_CONTENT])[i] == content &&
        (uint64_t)((const int64_t *)st->all.col[COL_CHECKSUM])[i] ==
            store_checksum(fr, content, mlk_store_split(st, i), sha))
        return MLK_OK;
    return broken(e, "wrong checksum");
}

/* want: frames to read when this one is not in the block. */
static mlk_status give(mlk_store *st, size_t i, size_t want, mlk_frame *fr, mlk_err *e)
{
    memset(fr, 0, sizeof *fr);
    if (i < st->first || i >= st->first + st->count) MLK_TRY(load(st, i, want, e));
    MLK_TRY(mlk_frame_init(fr, mlk_store_frame_atoms(st, i), e));
    fill_numbers(st, i, fr);
    fill_text(st, i, fr);
    mlk_status s = fill_block(st, i, fr, e);
    if (!s) s = check_sums(st, i, fr, e);
    if (!s) s = mlk_frame_check(fr, e);
    if (!s) return MLK_OK;
    mlk_frame_free(fr);
    mlk_err_prefix(e, "frame %zu: ", i + 1);
    mlk_err_at(e, st->path, 0);
    return s;
}

mlk_status mlk_store_frame(mlk_store *st, size_t i, mlk_frame *fr, mlk_err *e)
{
    memset(fr, 0, sizeof *fr);
    if (i >= st->n)
        return MLK_FAIL(e, MLK_EINVAL, "frame %zu of a store of %zu frames", i + 1, st->n);
    bool ready = i >= st->first && i < st->first + st->count;
    if (!ready) st->ahead = i == st->expected && i > 0 ? 2 * st->ahead : 1;
    if (st->ahead > STORE_BLOCK_FRAMES) st->ahead = STORE_BLOCK_FRAMES;
    st->expected = i + 1;
    return give(st, i, st->ahead, fr, e);
}

mlk_status mlk_store_frames(mlk_store *st, size_t first, size_t n, mlk_frame *fr, mlk_err *e)
{
    if (first > st->n || n > st->n - first)
        return MLK_FAIL(e, MLK_EINVAL, "frames %zu to %zu of a store of %zu frames", first + 1,
                        first + n, st->n);
    for (size_t k = 0; k < n; k++) {
        mlk_status s = give(st, first + k, n - k, &fr[k], e);
        if (!s) continue;
        while (k > 0) mlk_frame_free(&fr[--k]);
        return s;
    }
    return MLK_OK;
}

mlk_status mlk_dataset_read_store(mlk_dataset *ds, const char *path, mlk_err *e)
{
    mlk_store *st;
    mlk_status s;
    size_t before = ds->n;
    MLK_TRY(mlk_store_open(&st, path, e));
    MLK_GO(MLK_GROW(ds->frame, ds->cap, ds->n + st->n, e));
    MLK_GO(MLK_GROW(ds->split, ds->cap_split, ds->n + st->n, e));
    for (size_t i = 0; i < st->n; i++) {
        mlk_frame fr;
        MLK_GO(give(st, i, STORE_BLOCK_FRAMES, &fr, e));
        s = mlk_dataset_add(ds, &fr, e);
        if (s) mlk_frame_free(&fr);
        if (s) goto done;
        ds->split[ds->n - 1] = mlk_store_split(st, i);
    }
    MLK_GO(MLK_GROW(ds->source, ds->cap_source, ds->n_source + st->n_source, e));
    memcpy(ds->source + ds->n_source, st->source, st->n_source * sizeof *st->source);
    ds->n_source += st->n_source;
done:
    if (s)
        while (ds->n > before) mlk_frame_free(&ds->frame[--ds->n]);
    mlk_store_close(st);
    return s ? mlk_err_at(e, path, 0) : MLK_OK;
}
