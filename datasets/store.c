/* store.c - the HDF5 form of a data set; its layout is the contract in docs/FORMATS.md.
 * Frames are ragged: atom arrays are one long table, /frames/start says where each frame begins.
 * No NaN is ever stored: what is unknown is marked in /frames/has and holds 0. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/h5.h"
#include "core/mem.h"
#include "datasets/dataset.h"
#include "parsers/vaspout.h"
#include "version.h"

static const char FORMAT[] = "mlkit-dataset", VERSION[] = "1.0";
enum { MAJOR = 1, HAS_ENERGY0 = 1 << 8, HAS_TEMPERATURE = 1 << 9 };

int mlk_dataset_is_store(const char *path)
{
    char head[8192] = "";
    FILE *f = mlk_file_is_dir(path) ? NULL : fopen(path, "rb");
    if (!f) return 0;
    size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
    return n >= 8 && !memcmp(head, "\x89HDF\r\n\x1a\n", 8) && !mlk_vaspout_is(path, head, n);
}

/* Columns of /frames, one row per frame, and the atom tables; one block of memory each. */
typedef struct table {
    size_t n, atoms;
    int64_t *start, *line;
    int *has, *scf, *step, *split, *group, *config, *source;
    double *energy, *energy0, *temperature, (*virial)[3][3], (*cell)[3][3];
    uint8_t (*pbc)[3];
    int *z;
    double (*x)[3], (*f)[3], (*v)[3];
} table;

static void table_free(table *t)
{
    void *all[] = {t->start,   t->line,        t->has,    t->scf,    t->step,
                   t->split,   t->group,       t->config, t->source, t->energy,
                   t->energy0, t->temperature, t->virial, t->cell,   t->pbc,
                   t->z,       t->x,           t->f,      t->v};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) mlk_free(all[k]);
    memset(t, 0, sizeof *t);
}

static mlk_status table_alloc(table *t, size_t n, size_t atoms, bool velocities, mlk_err *e)
{
    memset(t, 0, sizeof *t);
    t->n = n;
    t->atoms = atoms;
    bool ok = (t->start = mlk_alloc(n + 1, sizeof *t->start)) &&
              (t->line = mlk_alloc(n, sizeof *t->line)) && (t->has = mlk_alloc(n, sizeof(int))) &&
              (t->scf = mlk_alloc(n, sizeof(int))) && (t->step = mlk_alloc(n, sizeof(int))) &&
              (t->split = mlk_alloc(n, sizeof(int))) && (t->group = mlk_alloc(n, sizeof(int))) &&
              (t->config = mlk_alloc(n, sizeof(int))) && (t->source = mlk_alloc(n, sizeof(int))) &&
              (t->energy = mlk_alloc(n, sizeof(double))) &&
              (t->energy0 = mlk_alloc(n, sizeof(double))) &&
              (t->temperature = mlk_alloc(n, sizeof(double))) &&
              (t->virial = mlk_alloc(n, sizeof *t->virial)) &&
              (t->cell = mlk_alloc(n, sizeof *t->cell)) &&
              (t->pbc = mlk_alloc(n, sizeof *t->pbc)) && (t->z = mlk_alloc(atoms, sizeof(int))) &&
              (t->x = mlk_alloc(atoms, sizeof *t->x)) && (t->f = mlk_alloc(atoms, sizeof *t->f)) &&
              (!velocities || (t->v = mlk_alloc(atoms, sizeof *t->v)));
    if (ok) return MLK_OK;
    table_free(t);
    return MLK_FAIL(e, MLK_ENOMEM, "no memory for a store of %zu frames and %zu atoms", n, atoms);
}

/* Every column: path, type, extra dimensions and address; read and written by the same list. */
typedef struct column {
    const char *path;
    mlk_h5_type type;
    int per_atom, ndim; /* ndim: dimensions beyond the first, each 3 */
    void *data;
} column;

static size_t columns(const table *t, column *c)
{
    // clang-format off
    const column all[] = {
        {"/frames/line", MLK_H5_INT64, 0, 0, t->line}, {"/frames/has", MLK_H5_INT, 0, 0, t->has},
        {"/frames/scf", MLK_H5_INT, 0, 0, t->scf}, {"/frames/step", MLK_H5_INT, 0, 0, t->step},
        {"/frames/split", MLK_H5_INT, 0, 0, t->split}, {"/frames/group", MLK_H5_INT, 0, 0, t->group},
        {"/frames/config_type", MLK_H5_INT, 0, 0, t->config},
        {"/frames/source", MLK_H5_INT, 0, 0, t->source},
        {"/frames/energy", MLK_H5_DOUBLE, 0, 0, t->energy},
        {"/frames/energy0", MLK_H5_DOUBLE, 0, 0, t->energy0},
        {"/frames/temperature", MLK_H5_DOUBLE, 0, 0, t->temperature},
        {"/frames/virial", MLK_H5_DOUBLE, 0, 2, t->virial},
        {"/frames/cell", MLK_H5_DOUBLE, 0, 2, t->cell},
        {"/frames/pbc", MLK_H5_UINT8, 0, 1, t->pbc},
        {"/atoms/z", MLK_H5_INT, 1, 0, t->z}, {"/atoms/x", MLK_H5_DOUBLE, 1, 1, t->x},
        {"/atoms/f", MLK_H5_DOUBLE, 1, 1, t->f}, {"/atoms/v", MLK_H5_DOUBLE, 1, 1, t->v},
    };
    // clang-format on
    size_t n = sizeof all / sizeof *all - (t->v == NULL);
    memcpy(c, all, n * sizeof *c);
    return n;
}

/* Distinct strings in order of appearance. */
typedef struct names {
    const char **s; /* borrowed */
    size_t n, cap;
} names;

static int name_index(names *t, const char *s, mlk_err *e)
{
    for (size_t k = t->n; k-- > 0;)
        if (!strcmp(t->s[k], s)) return (int)k;
    if (MLK_GROW(t->s, t->cap, t->n + 1, e)) return -1;
    t->s[t->n] = s;
    return (int)t->n++;
}

static mlk_status gather(const mlk_dataset *ds, table *t, names nm[3], mlk_err *e)
{
    size_t at = 0;
    for (size_t i = 0; i < ds->n; i++) {
        const mlk_frame *fr = &ds->frame[i];
        t->start[i] = (int64_t)at;
        t->line[i] = fr->line;
        t->has[i] = (int)fr->has | (isfinite(fr->energy0) ? HAS_ENERGY0 : 0) |
                    (isfinite(fr->temperature) ? HAS_TEMPERATURE : 0);
        t->scf[i] = fr->scf;
        t->step[i] = fr->step;
        t->split[i] = ds->split[i];
        t->group[i] = name_index(&nm[0], fr->group, e);
        t->config[i] = name_index(&nm[1], fr->config_type, e);
        t->source[i] = name_index(&nm[2], fr->source, e);
        if (t->group[i] < 0 || t->config[i] < 0 || t->source[i] < 0) return MLK_ENOMEM;
        if (fr->has & MLK_HAS_ENERGY) t->energy[i] = fr->energy;
        if (isfinite(fr->energy0)) t->energy0[i] = fr->energy0;
        if (isfinite(fr->temperature)) t->temperature[i] = fr->temperature;
        if (fr->has & MLK_HAS_VIRIAL) memcpy(t->virial[i], fr->virial, sizeof fr->virial);
        memcpy(t->cell[i], fr->cell.h, sizeof fr->cell.h);
        for (int k = 0; k < 3; k++) t->pbc[i][k] = fr->cell.pbc[k];
        memcpy(t->z + at, fr->z, fr->n * sizeof *fr->z);
        memcpy(t->x + at, fr->x, fr->n * sizeof *fr->x);
        if (fr->has & MLK_HAS_FORCE) memcpy(t->f + at, fr->f, fr->n * sizeof *fr->f);
        if (t->v && (fr->has & MLK_HAS_VELOCITY)) memcpy(t->v + at, fr->v, fr->n * sizeof *fr->v);
        at += fr->n;
    }
    t->start[ds->n] = (int64_t)at;
    return MLK_OK;
}

static const char *digest(const mlk_dataset *ds, const char *path)
{
    for (size_t k = 0; k < ds->n_source; k++)
        if (!strcmp(ds->source[k].path, path)) return ds->source[k].sha256;
    return "";
}

static mlk_status write_all(mlk_h5 *h, const mlk_dataset *ds, const table *t, const names nm[3],
                            mlk_err *e)
{
    column c[32];
    size_t nc = columns(t, c), dim[3] = {t->n + 1, 3, 3};
    MLK_TRY(mlk_h5_attr_set_str(h, "/", "format", FORMAT, e));
    MLK_TRY(mlk_h5_attr_set_str(h, "/", "version", VERSION, e));
    MLK_TRY(mlk_h5_attr_set_str(h, "/", "creator", "mlkit " MLK_VERSION, e));
    MLK_TRY(mlk_h5_attr_set_str(h, "/", "units", "A, eV, eV/A, K; velocities sqrt(eV/amu)", e));
    MLK_TRY(mlk_h5_write(h, "/frames/start", MLK_H5_INT64, 1, dim, t->start, e));
    for (size_t k = 0; k < nc; k++) {
        dim[0] = c[k].per_atom ? t->atoms : t->n;
        MLK_TRY(mlk_h5_write(h, c[k].path, c[k].type, 1 + c[k].ndim, dim, c[k].data, e));
    }
    MLK_TRY(mlk_h5_write_strings(h, "/names/group", nm[0].s, nm[0].n, e));
    MLK_TRY(mlk_h5_write_strings(h, "/names/config_type", nm[1].s, nm[1].n, e));
    MLK_TRY(mlk_h5_write_strings(h, "/sources/path", nm[2].s, nm[2].n, e));
    const char **sha = mlk_alloc(nm[2].n, sizeof *sha);
    if (!sha) return MLK_FAIL(e, MLK_ENOMEM, "no memory for the list of sources");
    for (size_t k = 0; k < nm[2].n; k++) sha[k] = digest(ds, nm[2].s[k]);
    mlk_status s = mlk_h5_write_strings(h, "/sources/sha256", sha, nm[2].n, e);
    mlk_free(sha);
    return s;
}

static void copy(char *dst, size_t cap, const char *s)
{
    size_t n = strlen(s);
    if (n >= cap) n = cap - 1;
    memcpy(dst, s, n);
    dst[n] = 0;
}

mlk_status mlk_dataset_write(const mlk_dataset *ds, const char *path, mlk_err *e)
{
    char tmp[1088];
    table t = {0};
    names nm[3] = {{0}, {0}, {0}};
    mlk_h5 *h = NULL;
    mlk_status s;
    size_t atoms = 0;
    bool velocities = false, made = false;
    if (ds->n == 0) return MLK_FAIL(e, MLK_EINVAL, "there are no frames to write to %s", path);
    if (mlk_file_exists(path)) {
        MLK_FAIL(e, MLK_EIO, "exists already");
        mlk_err_hint(e, "choose another name, or remove it first");
        return mlk_err_at(e, path, 0);
    }
    for (size_t i = 0; i < ds->n; i++) {
        atoms += ds->frame[i].n;
        velocities = velocities || (ds->frame[i].has & MLK_HAS_VELOCITY);
        MLK_TRY(mlk_frame_check(&ds->frame[i], e));
    }
    snprintf(tmp, sizeof tmp, "%s.tmp.%ld", path, (long)getpid());
    MLK_GO(table_alloc(&t, ds->n, atoms, velocities, e));
    MLK_GO(gather(ds, &t, nm, e));
    MLK_GO(mlk_h5_open(&h, tmp, "w", e));
    made = true;
    MLK_GO(write_all(h, ds, &t, nm, e));
    MLK_GO(mlk_h5_close(&h, e));
    if (rename(tmp, path) != 0) {
        MLK_FAIL(e, MLK_EIO, "cannot rename the finished file to its name");
        s = mlk_err_at(e, path, 0);
    }
done:
    if (h) mlk_h5_close(&h, NULL);
    if (s && made) unlink(tmp);
    if (s && e && !strcmp(e->file, tmp)) { /* the user knows the file by its own name */
        mlk_err_hint(e, "check the free space and the permissions of the folder");
        copy(e->file, sizeof e->file, path);
    }
    for (int k = 0; k < 3; k++) mlk_free(nm[k].s);
    table_free(&t);
    return s;
}

static mlk_status broken(mlk_err *e, const char *what)
{
    MLK_FAIL(e, MLK_EFORMAT, "damaged store: %s", what);
    return mlk_err_hint(e, "make it again with 'mlkit dataset convert'");
}

static mlk_status check_header(mlk_h5 *h, mlk_err *e)
{
    char format[64] = "", version[32] = "";
    int major = 0;
    if (mlk_h5_attr_str(h, "/", "format", format, sizeof format, NULL) || strcmp(format, FORMAT)) {
        MLK_FAIL(e, MLK_EFORMAT, "is HDF5, but not a data set of mlkit");
        return mlk_err_hint(e, "a store is made by 'mlkit dataset convert ... -o NAME.h5'");
    }
    if (mlk_h5_attr_str(h, "/", "version", version, sizeof version, NULL) ||
        sscanf(version, "%d", &major) != 1 || major < 1)
        return broken(e, "no version");
    if (major > MAJOR) {
        MLK_FAIL(e, MLK_EUNSUPPORTED, "store version %s is newer than this mlkit reads (%s)",
                 version, VERSION);
        return mlk_err_hint(e, "use a newer mlkit");
    }
    return MLK_OK;
}

static mlk_status read_columns(mlk_h5 *h, table *t, mlk_err *e)
{
    int nd;
    size_t dim[4];
    MLK_TRY(mlk_h5_dims(h, "/frames/start", &nd, dim, e));
    if (nd != 1 || dim[0] < 2) return broken(e, "no frames");
    size_t n = dim[0] - 1;
    MLK_TRY(mlk_h5_dims(h, "/atoms/z", &nd, dim, e));
    if (nd != 1 || dim[0] == 0) return broken(e, "no atoms");
    MLK_TRY(table_alloc(t, n, dim[0], mlk_h5_exists(h, "/atoms/v"), e));
    MLK_TRY(mlk_h5_read(h, "/frames/start", MLK_H5_INT64, t->start, e));
    column c[32];
    size_t nc = columns(t, c);
    for (size_t k = 0; k < nc; k++) {
        MLK_TRY(mlk_h5_dims(h, c[k].path, &nd, dim, e));
        bool ok = nd == 1 + c[k].ndim && dim[0] == (c[k].per_atom ? t->atoms : t->n);
        for (int d = 1; d < nd; d++) ok = ok && dim[d] == 3;
        if (!ok) return broken(e, c[k].path);
        MLK_TRY(mlk_h5_read(h, c[k].path, c[k].type, c[k].data, e));
    }
    for (size_t i = 0; i < t->n; i++)
        if (t->start[i] < 0 || t->start[i] >= t->start[i + 1]) return broken(e, "/frames/start");
    if (t->start[0] != 0 || (size_t)t->start[t->n] != t->atoms) return broken(e, "/frames/start");
    return MLK_OK;
}

typedef struct strings {
    char **s;
    size_t n;
} strings;

static void strings_free(strings *t)
{
    for (size_t k = 0; k < t->n; k++) mlk_free(t->s[k]);
    mlk_free(t->s);
}

static mlk_status scatter(mlk_dataset *ds, const table *t, const strings nm[4], mlk_err *e)
{
    for (size_t i = 0; i < t->n; i++) {
        mlk_frame fr;
        size_t at = (size_t)t->start[i], n = (size_t)(t->start[i + 1] - t->start[i]);
        int g = t->group[i], c = t->config[i], q = t->source[i];
        if (g < 0 || (size_t)g >= nm[0].n || c < 0 || (size_t)c >= nm[1].n || q < 0 ||
            (size_t)q >= nm[2].n || t->split[i] < MLK_SPLIT_TRAIN || t->split[i] > MLK_SPLIT_TEST)
            return broken(e, "an index is out of range");
        MLK_TRY(mlk_frame_init(&fr, n, e));
        mlk_status s = MLK_OK;
        fr.has = (unsigned)t->has[i] & (MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE |
                                        MLK_HAS_VIRIAL | (t->v ? MLK_HAS_VELOCITY : 0));
        memcpy(fr.z, t->z + at, n * sizeof *fr.z);
        memcpy(fr.x, t->x + at, n * sizeof *fr.x);
        memcpy(fr.f, t->f + at, n * sizeof *fr.f);
        if (fr.has & MLK_HAS_VELOCITY) {
            if ((fr.v = mlk_alloc(n, sizeof *fr.v)))
                memcpy(fr.v, t->v + at, n * sizeof *fr.v);
            else
                s = MLK_FAIL(e, MLK_ENOMEM, "no memory for velocities");
        }
        if (!s && (fr.has & MLK_HAS_CELL)) {
            s = mlk_cell_init(&fr.cell, (const double(*)[3])t->cell[i], e);
            for (int k = 0; k < 3; k++) fr.cell.pbc[k] = t->pbc[i][k] != 0;
        }
        fr.energy = t->energy[i];
        if (t->has[i] & HAS_ENERGY0) fr.energy0 = t->energy0[i];
        if (t->has[i] & HAS_TEMPERATURE) fr.temperature = t->temperature[i];
        memcpy(fr.virial, t->virial[i], sizeof fr.virial);
        fr.scf = t->scf[i];
        fr.step = t->step[i];
        fr.line = (long)t->line[i];
        copy(fr.group, sizeof fr.group, nm[0].s[g]);
        copy(fr.config_type, sizeof fr.config_type, nm[1].s[c]);
        copy(fr.source, sizeof fr.source, nm[2].s[q]);
        if (!s) s = mlk_dataset_add(ds, &fr, e);
        if (s) {
            mlk_frame_free(&fr);
            return mlk_err_prefix(e, "frame %zu: ", i + 1);
        }
        ds->split[ds->n - 1] = t->split[i];
    }
    return MLK_OK;
}

static mlk_status add_sources(mlk_dataset *ds, const strings *path, const strings *sha, mlk_err *e)
{
    if (path->n != sha->n) return broken(e, "/sources");
    for (size_t k = 0; k < path->n; k++) {
        MLK_TRY(MLK_GROW(ds->source, ds->cap_source, ds->n_source + 1, e));
        mlk_source *q = &ds->source[ds->n_source++];
        copy(q->path, sizeof q->path, path->s[k]);
        copy(q->sha256, sizeof q->sha256, sha->s[k]);
    }
    return MLK_OK;
}

mlk_status mlk_dataset_read_store(mlk_dataset *ds, const char *path, mlk_err *e)
{
    static const char *const lists[4] = {"/names/group", "/names/config_type", "/sources/path",
                                         "/sources/sha256"};
    table t = {0};
    strings nm[4] = {{0}, {0}, {0}, {0}};
    mlk_h5 *h = NULL;
    mlk_status s;
    size_t before = ds->n;
    MLK_GO(mlk_h5_open(&h, path, "r", e));
    MLK_GO(check_header(h, e));
    MLK_GO(read_columns(h, &t, e));
    for (int k = 0; k < 4; k++) MLK_GO(mlk_h5_read_strings(h, lists[k], &nm[k].s, &nm[k].n, e));
    MLK_GO(scatter(ds, &t, nm, e));
    MLK_GO(add_sources(ds, &nm[2], &nm[3], e));
done:
    if (s)
        while (ds->n > before) mlk_frame_free(&ds->frame[--ds->n]);
    mlk_h5_close(&h, NULL);
    for (int k = 0; k < 4; k++) strings_free(&nm[k]);
    table_free(&t);
    return s ? mlk_err_at(e, path, 0) : MLK_OK;
}
