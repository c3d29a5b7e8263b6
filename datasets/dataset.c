/* dataset.c - see dataset.h: the growing set, and reading it from files, folders and stores.
 * Not here: the HDF5 layout (store.c), the split (split.c), finding suspicious labels (suspect.c).
 */
#include "datasets/dataset.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "parsers/parser.h"
#include "version.h"

enum { PATH_CAP = 1024, DEPTH_MAX = 32 };

void mlk_dataset_free(mlk_dataset *ds)
{
    for (size_t i = 0; i < ds->n; i++) mlk_frame_free(&ds->frame[i]);
    mlk_free(ds->frame);
    mlk_free(ds->split);
    mlk_free(ds->source);
    mlk_free(ds->problem);
    memset(ds, 0, sizeof *ds);
}

static void add_species(mlk_dataset *ds, int z)
{
    size_t k = 0;
    while (k < ds->n_species && ds->z[k] < z) k++;
    if (k < ds->n_species && ds->z[k] == z) return;
    memmove(&ds->z[k + 1], &ds->z[k], (ds->n_species - k) * sizeof *ds->z);
    ds->z[k] = z;
    ds->n_species++;
}

mlk_status mlk_dataset_add(mlk_dataset *ds, mlk_frame *fr, mlk_err *e)
{
    MLK_TRY(mlk_frame_check(fr, e));
    MLK_TRY(MLK_GROW(ds->frame, ds->cap, ds->n + 1, e));
    MLK_TRY(MLK_GROW(ds->split, ds->cap_split, ds->n + 1, e));
    int z[MLK_ELEMENT_MAX];
    size_t m = mlk_frame_species(fr, z);
    for (size_t k = 0; k < m; k++) add_species(ds, z[k]);
    ds->split[ds->n] = MLK_SPLIT_TRAIN;
    ds->frame[ds->n++] = *fr;
    memset(fr, 0, sizeof *fr);
    return MLK_OK;
}

/* What reading left out. */
typedef struct losses {
    size_t no_energy, no_force, unconverged; /* frames                  */
    size_t files, bad_files;                 /* read; broken or cut off */
} losses;

/* One call of mlk_dataset_read. */
typedef struct reading {
    mlk_dataset *ds;
    int all;            /* keep frames without labels                      */
    const char *parser; /* to use instead of sniffing, or NULL             */
    const char *root;   /* folder given by the user, "" for a single file  */
    char group[64];     /* of the present file                             */
    size_t first;       /* frames in ds before this call                   */
    size_t file_first;  /* ... before the present file                     */
    losses lost;
    char where[320]; /* first frame left out for its labels             */
} reading;

/* Is the frame wanted? Otherwise it is counted as lost. */
static bool wanted(reading *r, const mlk_frame *fr)
{
    const unsigned need = MLK_HAS_ENERGY | MLK_HAS_FORCE;
    if (r->all || ((fr->has & need) == need && fr->scf != MLK_SCF_UNCONVERGED)) return true;
    if (!(fr->has & MLK_HAS_FORCE))
        r->lost.no_force++;
    else if (!(fr->has & MLK_HAS_ENERGY))
        r->lost.no_energy++;
    else
        r->lost.unconverged++;
    if (!r->where[0]) snprintf(r->where, sizeof r->where, "%.255s:%ld", fr->source, fr->line);
    return false;
}

static mlk_status take(mlk_frame *fr, void *user, mlk_err *e)
{
    reading *r = user;
    if (!wanted(r, fr)) return MLK_OK;
    if (!fr->group[0]) memcpy(fr->group, r->group, sizeof fr->group);
    return mlk_dataset_add(r->ds, fr, e);
}

static void cut_ending(char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    if (n > m && !strcasecmp(name + n - m, ending)) name[n - m] = 0;
}

/* Names that every run uses: the folder says which run it is. */
static bool generic(const char *stem)
{
    static const char *const names[] = {"vasprun", "POSCAR", "CONTCAR", "train",
                                        "test",    "data",   "dft"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (!strcasecmp(stem, names[k])) return true;
    return false;
}

static bool group_taken(const mlk_dataset *ds, const char *group)
{
    for (size_t i = ds->n; i-- > 0;)
        if (!strcmp(ds->frame[i].group, group)) return true;
    return false;
}

/* Group of a file's frames that name none: its path below the folder the user gave, without
 * endings; the file's name alone when it was given itself. Unique among the groups so far. */
static void name_group(reading *r, const char *path)
{
    char stem[PATH_CAP];
    size_t skip = strlen(r->root);
    if (skip && !strncmp(path, r->root, skip))
        for (path += skip; *path == '/';) path++;
    snprintf(stem, sizeof stem, "%s", skip ? path : mlk_path_base(path));
    cut_ending(stem, ".gz");
    for (const char *const *x =
             (const char *const[]){".xml", ".extxyz", ".xyz", ".vasp", ".poscar", NULL};
         *x; x++)
        cut_ending(stem, *x);
    if (!skip && generic(stem) && mlk_path_base(path) != path) {
        const char *end = mlk_path_base(path) - 1, *from = end;
        while (from > path && from[-1] != '/') from--;
        char with_dir[2 * PATH_CAP];
        snprintf(with_dir, sizeof with_dir, "%.*s/%s", (int)(end - from), from, stem);
        memcpy(stem, with_dir, sizeof stem - 1);
    }
    size_t n = strlen(stem), room = sizeof r->group - 9;
    const char *tail = n > room ? stem + n - room : stem; /* the end of a path tells more */
    snprintf(r->group, sizeof r->group, "%.54s", tail);
    for (int k = 2; group_taken(r->ds, r->group) && k < 100000; k++)
        snprintf(r->group, sizeof r->group, "%.54s#%d", tail, k);
}

static mlk_status add_source(mlk_dataset *ds, const char *path, mlk_err *e)
{
    for (size_t k = 0; k < ds->n_source; k++)
        if (!strncmp(ds->source[k].path, path, sizeof ds->source[k].path - 1)) return MLK_OK;
    MLK_TRY(MLK_GROW(ds->source, ds->cap_source, ds->n_source + 1, e));
    mlk_source *s = &ds->source[ds->n_source];
    size_t n = strlen(path);
    memcpy(s->path, path, n < sizeof s->path ? n : sizeof s->path - 1);
    if (mlk_file_sha256(path, s->sha256, NULL)) s->sha256[0] = 0;
    ds->n_source++;
    return MLK_OK;
}

/* Frames of a store have been added whole: drop the unwanted ones. */
static void drop_unwanted(reading *r)
{
    mlk_dataset *ds = r->ds;
    size_t k = r->file_first;
    for (size_t i = r->file_first; i < ds->n; i++) {
        if (!wanted(r, &ds->frame[i])) {
            mlk_frame_free(&ds->frame[i]);
            continue;
        }
        if (k != i) {
            ds->frame[k] = ds->frame[i];
            ds->split[k] = ds->split[i];
        }
        k++;
    }
    memset(ds->frame + k, 0, (ds->n - k) * sizeof *ds->frame);
    ds->n = k;
}

/* Read one file. in_folder: a broken file is a warning, not the end. */
static mlk_status read_file(reading *r, const char *path, int in_folder, mlk_err *e)
{
    mlk_err why = {0};
    mlk_status s;
    size_t n = 0;
    r->file_first = r->ds->n;
    if (mlk_dataset_is_store(path)) {
        s = mlk_dataset_read_store(r->ds, path, &why);
        n = r->ds->n - r->file_first;
        if (!s) drop_unwanted(r);
    } else {
        name_group(r, path);
        s = mlk_parse_file_as(path, r->parser, take, r, &n, &why);
        if (n && r->ds->n > r->file_first) MLK_TRY(add_source(r->ds, path, e));
    }
    r->lost.files++;
    if (!s) return MLK_OK;
    bool data = why.code == MLK_EFORMAT || why.code == MLK_EIO || why.code == MLK_EUNSUPPORTED ||
                why.code == MLK_EINVAL;
    if (!data || (!in_folder && n == 0)) {
        if (e && !e->code) *e = why;
        return s;
    }
    r->lost.bad_files++;
    mlk_err_at(&why, path, 0);
    if (why.line > 0)
        mlk_log(MLK_LOG_WARN, "%s:%ld: %s", why.file, why.line, why.msg);
    else
        mlk_log(MLK_LOG_WARN, "%s: %s", why.file, why.msg);
    MLK_TRY(MLK_GROW(r->ds->problem, r->ds->cap_problem, r->ds->n_problem + 1, e));
    r->ds->problem[r->ds->n_problem++] = why;
    return MLK_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The entries of a folder that are not hidden, sorted; free each and the array. */
static mlk_status list(const char *dir, char ***names, size_t *n, mlk_err *e)
{
    size_t cap = 0;
    *names = NULL;
    *n = 0;
    DIR *d = opendir(dir);
    if (!d) {
        MLK_FAIL(e, MLK_EIO, "cannot read the folder: %s", strerror(errno));
        return mlk_err_at(e, dir, 0);
    }
    mlk_status s = MLK_OK;
    for (struct dirent *it; !s && (it = readdir(d));) {
        if (it->d_name[0] == '.') continue;
        s = MLK_GROW(*names, cap, *n + 1, e);
        if (s) break;
        (*names)[*n] = mlk_strdup(it->d_name);
        if ((*names)[*n])
            ++*n;
        else
            s = MLK_FAIL(e, MLK_ENOMEM, "no memory to list %s", dir);
    }
    closedir(d);
    if (*n) qsort(*names, *n, sizeof **names, by_name);
    return s;
}

static mlk_status read_folder(reading *r, const char *dir, int depth, mlk_err *e)
{
    char **names, path[PATH_CAP];
    size_t n;
    mlk_status s = list(dir, &names, &n, e);
    for (size_t k = 0; k < n && !s; k++) {
        struct stat st;
        mlk_path_join(path, sizeof path, dir, names[k]);
        if (lstat(path, &st)) continue;
        if (S_ISDIR(st.st_mode)) { /* links to folders are not followed: they may form a ring */
            if (depth < DEPTH_MAX) s = read_folder(r, path, depth + 1, e);
            continue;
        }
        if (stat(path, &st) || !S_ISREG(st.st_mode)) continue;
        if (mlk_dataset_is_store(path) || (r->parser && *r->parser) || mlk_parser_sniff(path))
            s = read_file(r, path, 1, e);
    }
    for (size_t k = 0; k < n; k++) mlk_free(names[k]);
    mlk_free(names);
    return s;
}

static size_t count_groups(const mlk_dataset *ds, size_t first)
{
    size_t n = ds->n - first, m = 0;
    const char **g = mlk_alloc(n, sizeof *g);
    if (!g) return 0;
    for (size_t i = 0; i < n; i++) g[i] = ds->frame[first + i].group;
    qsort(g, n, sizeof *g, by_name);
    for (size_t i = 0; i < n; i++) m += i == 0 || strcmp(g[i], g[i - 1]) != 0;
    mlk_free(g);
    return m;
}

static mlk_status report(const reading *r, const char *path, mlk_err *e)
{
    size_t n = r->ds->n - r->first;
    const losses *l = &r->lost;
    size_t lost = l->no_force + l->no_energy + l->unconverged;
    if (n == 0) {
        if (lost)
            MLK_FAIL(e, MLK_EFORMAT,
                     "no usable frame: %zu without forces, %zu without energy, %zu with "
                     "unconverged SCF (first at %s)",
                     l->no_force, l->no_energy, l->unconverged, r->where);
        else if (l->files)
            MLK_FAIL(e, MLK_EFORMAT, "no usable frame in %zu file%s", l->files,
                     l->files > 1 ? "s" : "");
        else
            MLK_FAIL(e, MLK_EFORMAT, "no data file in this folder");
        mlk_err_hint(e,
                     "vasprun.xml, extended XYZ (both also .gz) and mlkit .h5 hold training data; "
                     "'mlkit dataset info' shows what is in a file");
        return mlk_err_at(e, path, 0);
    }
    size_t groups = count_groups(r->ds, r->first);
    mlk_log(MLK_LOG_INFO, "%s: %zu frame%s in %zu group%s from %zu file%s", path, n,
            n == 1 ? "" : "s", groups, groups == 1 ? "" : "s", l->files, l->files == 1 ? "" : "s");
    if (lost)
        mlk_log(MLK_LOG_WARN,
                "%s: left out %zu frames without forces, %zu without energy, %zu with "
                "unconverged SCF (first at %s)",
                path, l->no_force, l->no_energy, l->unconverged, r->where);
    return MLK_OK;
}

static mlk_status read_any(mlk_dataset *ds, const char *path, int all, const char *parser,
                           mlk_err *e)
{
    reading r = {.ds = ds, .all = all, .parser = parser, .root = "", .first = ds->n};
    if (mlk_file_is_dir(path)) {
        r.root = path;
        MLK_TRY(read_folder(&r, path, 0, e));
    } else {
        MLK_TRY(read_file(&r, path, 0, e));
    }
    return report(&r, path, e);
}

mlk_status mlk_dataset_read(mlk_dataset *ds, const char *path, mlk_err *e)
{
    return read_any(ds, path, 0, NULL, e);
}

mlk_status mlk_dataset_read_all(mlk_dataset *ds, const char *path, const char *parser, mlk_err *e)
{
    return read_any(ds, path, 1, parser, e);
}

mlk_status mlk_dataset_bundled(char *buf, size_t cap, mlk_err *e)
{
    char exe[PATH_CAP], beside[2][PATH_CAP + 64];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = 0;
    char *slash = strrchr(exe, '/');
    if (slash) *slash = 0;
    snprintf(beside[0], sizeof beside[0], "%s/../share/mlkit/datasets/li3ps4", exe);
    snprintf(beside[1], sizeof beside[1], "%s/../datasets/li3ps4", exe);
    const char *const place[] = {MLK_SOURCE "/datasets/li3ps4",
                                 MLK_PREFIX "/share/mlkit/datasets/li3ps4", beside[0], beside[1]};
    for (size_t k = 0; k < sizeof place / sizeof *place; k++) {
        if ((k >= 2 && !exe[0]) || !mlk_file_is_dir(place[k])) continue;
        if (strlen(place[k]) >= cap)
            return MLK_FAIL(e, MLK_EINVAL, "the path of the bundled data is too long: %s",
                            place[k]);
        snprintf(buf, cap, "%s", place[k]);
        return MLK_OK;
    }
    MLK_FAIL(e, MLK_EIO, "the bundled Li3PS4 data are not in %s, %s, %s or %s", place[0], place[1],
             place[2], place[3]);
    return mlk_err_hint(e, "name your own data, or run 'make install' again");
}
