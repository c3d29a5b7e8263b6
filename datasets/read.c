/* read.c - reading data sets from files, folders, patterns and stores: what is taken, what is left
 * out and why. The set itself is dataset.c, formats are the parsers'. */
#include <errno.h>
#include <glob.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "datasets/dataset.h"
#include "parsers/parser.h"
#include "parsers/text.h"

enum { PATH_CAP = 1024, DEPTH_MAX = 32, BUCKETS = 1 << 16 };
static const double E_TOL = 1e-3, X_TOL = 1e-4; /* of the same step in two files [eV], [A] */

/* Frames, or files, that were left out. */
typedef struct losses {
    size_t no_energy, no_force, unconverged, twin; /* frames */
    size_t twin_files, structure_files, other_files, bad_files;
} losses;

/* One call of mlk_dataset_read. */
typedef struct reading {
    mlk_dataset *ds;
    int all;             /* keep frames without labels                          */
    bool structures;     /* read files of a folder that hold structures only    */
    const char *parser;  /* to use instead of sniffing, or NULL                 */
    const char *root;    /* folder given by the user, "" for a single file      */
    size_t first;        /* frames in ds before this call                       */
    size_t file_first;   /* ... before the present file                         */
    size_t n_files;      /* read                                                */
    losses lost, here;   /* of this call; of the present file                   */
    char group[64];      /* of the present file                                 */
    char of_twin[64];    /* group of the first frame that was there already     */
    char where[320];     /* first frame left out for its labels                 */
    size_t *head, *next; /* (BUCKETS), (indexed) frames by energy, from 1; 0 ends a chain; owned */
    size_t cap_next, indexed;
    mlk_dataset unconverged; /* frames left out for that; owned                  */
    char twin_of[256], twin[256], other[256], structure[256]; /* examples      */
} reading;

/* ---- frames ---- */

/* Is the frame wanted? Otherwise it is counted as lost. */
static bool wanted(reading *r, const mlk_frame *fr)
{
    const unsigned need = MLK_HAS_ENERGY | MLK_HAS_FORCE;
    if (r->all || ((fr->has & need) == need && fr->scf != MLK_SCF_UNCONVERGED)) return true;
    if (!(fr->has & MLK_HAS_FORCE))
        r->here.no_force++;
    else if (!(fr->has & MLK_HAS_ENERGY))
        r->here.no_energy++;
    else
        r->here.unconverged++;
    if (!r->where[0]) snprintf(r->where, sizeof r->where, "%.255s:%ld", fr->source, fr->line);
    return false;
}

/* The same ionic step as another program or file prints it: equal to the digits of the coarsest
 * (OUTCAR: 1e-5 A). */
static bool same_step(const mlk_frame *a, const mlk_frame *b)
{
    if (a->n != b->n ||
        (a->has & b->has & (MLK_HAS_ENERGY | MLK_HAS_CELL)) != (MLK_HAS_ENERGY | MLK_HAS_CELL))
        return false;
    if (fabs(a->energy - b->energy) > E_TOL || memcmp(a->z, b->z, a->n * sizeof *a->z) != 0)
        return false;
    for (int k = 0; k < 9; k++)
        if (fabs((&a->cell.h[0][0])[k] - (&b->cell.h[0][0])[k]) > X_TOL) return false;
    for (size_t i = 0; i < a->n; i++) {
        double d[3], s[3];
        for (int k = 0; k < 3; k++) d[k] = a->x[i][k] - b->x[i][k];
        mlk_cell_frac(&a->cell, d, s);
        for (int k = 0; k < 3; k++) s[k] -= round(s[k]);
        mlk_cell_cart(&a->cell, s, d);
        if (fabs(d[0]) > X_TOL || fabs(d[1]) > X_TOL || fabs(d[2]) > X_TOL) return false;
    }
    return true;
}

static bool same_folder(const char *a, const char *b)
{
    size_t n = (size_t)(mlk_path_base(a) - a);
    return n == (size_t)(mlk_path_base(b) - b) && !strncmp(a, b, n);
}

/* Energies are compared bin by bin: a twin is in the same bin or a neighbour of it. */
static double bin_of(const mlk_frame *fr)
{
    return floor(fr->energy / (10 * E_TOL)) + 0.0;
}

static size_t bucket(double bin)
{
    uint64_t bits;
    memcpy(&bits, &bin, sizeof bits);
    return (size_t)(bits * 0x9e3779b97f4a7c15u >> 48);
}

/* Make the frames read so far known to is_twin. */
static mlk_status index_frames(reading *r, mlk_err *e)
{
    if (!r->head && !(r->head = mlk_alloc(BUCKETS, sizeof *r->head)))
        return MLK_FAIL(e, MLK_ENOMEM, "no memory to compare frames");
    MLK_TRY(MLK_GROW(r->next, r->cap_next, r->ds->n + 1, e));
    for (; r->indexed < r->ds->n; r->indexed++) {
        const mlk_frame *fr = &r->ds->frame[r->indexed];
        if (!(fr->has & MLK_HAS_ENERGY)) continue;
        size_t *head = &r->head[bucket(bin_of(fr))];
        r->next[r->indexed] = *head;
        *head = r->indexed + 1;
    }
    return MLK_OK;
}

static bool found_twin(reading *r, const mlk_frame *fr, const mlk_frame *other)
{
    if (!same_step(fr, other) || !same_folder(fr->source, other->source)) return false;
    if (!r->here.twin++) {
        mlk_text_copy(r->of_twin, sizeof r->of_twin, other->group);
        if (!r->twin_of[0]) mlk_text_copy(r->twin_of, sizeof r->twin_of, other->source);
    }
    return true;
}

/* Was this step read from another file of the same folder? */
static bool is_twin(reading *r, const mlk_frame *fr)
{
    if (!(fr->has & MLK_HAS_ENERGY)) return false;
    for (int d = -1; d <= 1; d++)
        for (size_t k = r->head[bucket(bin_of(fr) + d)]; k; k = r->next[k - 1])
            if (found_twin(r, fr, &r->ds->frame[k - 1])) return true;
    return false;
}

/* A step that says nothing of its SCF loop may be known as unconverged from a file beside it. */
static void ask_others(const reading *r, mlk_frame *fr)
{
    for (size_t i = 0; i < r->unconverged.n && fr->scf == MLK_SCF_UNKNOWN; i++) {
        const mlk_frame *other = &r->unconverged.frame[i];
        if (same_folder(fr->source, other->source) && same_step(fr, other))
            fr->scf = MLK_SCF_UNCONVERGED;
    }
}

static mlk_status take(mlk_frame *fr, void *user, mlk_err *e)
{
    reading *r = user;
    ask_others(r, fr);
    if (is_twin(r, fr)) return MLK_OK;
    if (!wanted(r, fr)) {
        const unsigned key = MLK_HAS_ENERGY | MLK_HAS_CELL;
        bool keep = fr->scf == MLK_SCF_UNCONVERGED && (fr->has & key) == key;
        return keep ? mlk_dataset_add(&r->unconverged, fr, e) : MLK_OK;
    }
    if (!fr->group[0] && fr->run > 1)
        snprintf(fr->group, sizeof fr->group, "%.50s+run%d", r->group, fr->run % 100000);
    else if (!fr->group[0])
        memcpy(fr->group, r->group, sizeof fr->group);
    return mlk_dataset_add(r->ds, fr, e);
}

static void drop_from(mlk_dataset *ds, size_t first)
{
    while (ds->n > first) mlk_frame_free(&ds->frame[--ds->n]);
}

/* Frames of a store have been added whole: drop the unwanted ones. */
static void drop_unwanted(reading *r)
{
    mlk_dataset *ds = r->ds;
    size_t k = r->file_first;
    for (size_t i = r->file_first; i < ds->n; i++) {
        if (!wanted(r, &ds->frame[i]) || is_twin(r, &ds->frame[i])) {
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

/* ---- names of groups ---- */

static void cut_ending(char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    if (n > m && mlk_path_ends(name, ending)) name[n - m] = 0;
}

/* Names that every run uses: the folder says which run it is. */
static bool generic(const char *stem)
{
    static const char *const names[] = {"vasprun", "vaspout", "OUTCAR",  "XDATCAR", "ML_AB",
                                        "ML_ABN",  "POSCAR",  "CONTCAR", "train",   "test",
                                        "data",    "dft",     "input"};
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
    snprintf(stem, sizeof stem, "%s", skip && *path ? path : mlk_path_base(path));
    for (const char *const *x =
             (const char *const[]){".gz", ".xz", ".bz2", ".xml", ".extxyz", ".xyz", ".vasp",
                                   ".poscar", ".h5", ".data", NULL};
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

/* ---- one file ---- */

static mlk_status add_source(mlk_dataset *ds, const char *path, mlk_err *e)
{
    for (size_t k = 0; k < ds->n_source; k++)
        if (!strncmp(ds->source[k].path, path, sizeof ds->source[k].path - 1)) return MLK_OK;
    MLK_TRY(MLK_GROW(ds->source, ds->cap_source, ds->n_source + 1, e));
    mlk_source *s = &ds->source[ds->n_source];
    mlk_text_copy(s->path, sizeof s->path, path);
    if (mlk_file_is_dir(path) || mlk_file_sha256(path, s->sha256, NULL)) s->sha256[0] = 0;
    ds->n_source++;
    return MLK_OK;
}

static mlk_status note(reading *r, const char *path, const char *format, size_t n, size_t taken,
                       const char *why, mlk_err *e)
{
    mlk_dataset *ds = r->ds;
    MLK_TRY(MLK_GROW(ds->file, ds->cap_file, ds->n_file + 1, e));
    mlk_file_note *t = &ds->file[ds->n_file++];
    mlk_text_copy(t->path, sizeof t->path, path);
    mlk_text_copy(t->why, sizeof t->why, why);
    t->format = format;
    t->n = n;
    t->taken = taken;
    mlk_log(MLK_LOG_DEBUG, "%s: %s, %zu of %zu frames taken%s%s", path, format, taken, n,
            *why ? ": " : "", why);
    return MLK_OK;
}

static mlk_status note_bad(reading *r, const char *path, mlk_err *why, mlk_err *e)
{
    mlk_dataset *ds = r->ds;
    mlk_err_at(why, path, 0);
    if (why->line > 0)
        mlk_log(MLK_LOG_WARN, "%s:%ld: %s", why->file, why->line, why->msg);
    else
        mlk_log(MLK_LOG_WARN, "%s: %s", why->file, why->msg);
    MLK_TRY(MLK_GROW(ds->problem, ds->cap_problem, ds->n_problem + 1, e));
    ds->problem[ds->n_problem++] = *why;
    r->lost.bad_files++;
    return MLK_OK;
}

static void add_reason(char *buf, size_t cap, size_t n, const char *what)
{
    size_t at = strlen(buf);
    if (n && at < cap) snprintf(buf + at, cap - at, "%s%zu %s", at ? ", " : "", n, what);
}

/* Sum up the present file: why frames are missing, and the totals. */
static mlk_status close_file(reading *r, const char *path, const char *format, size_t n,
                             const mlk_err *bad, mlk_err *e)
{
    char why[192] = "";
    const losses *h = &r->here;
    add_reason(why, sizeof why, h->twin, "already read from another file of this folder");
    add_reason(why, sizeof why, h->no_force, "without forces");
    add_reason(why, sizeof why, h->no_energy, "without energy");
    add_reason(why, sizeof why, h->unconverged, "with unconverged SCF");
    if (bad->code) {
        size_t at = strlen(why);
        snprintf(why + at, sizeof why - at, "%s%.150s", at ? "; " : "", bad->msg);
    }
    if (h->twin) { /* further steps of a run that is here already belong to its group */
        for (size_t i = r->file_first; i < r->ds->n; i++)
            if (!strcmp(r->ds->frame[i].group, r->group)) /* not where the data name their own */
                memcpy(r->ds->frame[i].group, r->of_twin, sizeof r->of_twin);
        if (!r->lost.twin_files++) mlk_text_copy(r->twin, sizeof r->twin, path);
    }
    r->lost.no_energy += h->no_energy;
    r->lost.no_force += h->no_force;
    r->lost.unconverged += h->unconverged;
    r->lost.twin += h->twin;
    return note(r, path, format, n, r->ds->n - r->file_first, why, e);
}

/* Read one file. in_folder: a broken file is a warning, not the end. */
static mlk_status read_file(reading *r, const char *path, const char *parser, int in_folder,
                            mlk_err *e)
{
    mlk_err why = {0};
    mlk_status s;
    size_t n = 0;
    const char *format = parser && *parser ? parser : "store";
    r->file_first = r->ds->n;
    MLK_TRY(index_frames(r, e));
    r->here = (losses){0};
    r->n_files++;
    if (mlk_dataset_is_store(path)) {
        r->group[0] = 0;
        s = mlk_dataset_read_store(r->ds, path, &why);
        n = r->ds->n - r->file_first;
        if (!s) drop_unwanted(r);
    } else {
        name_group(r, path);
        s = mlk_parse_file_as(path, parser, take, r, &n, &why);
        if (s == MLK_EDAMAGED) drop_from(r->ds, r->file_first);
        if (r->ds->n > r->file_first) MLK_TRY(add_source(r->ds, path, e));
    }
    bool data = why.code == MLK_EFORMAT || why.code == MLK_EIO || why.code == MLK_EUNSUPPORTED ||
                why.code == MLK_EINVAL || why.code == MLK_EDAMAGED;
    if (s && (!data || (!in_folder && (n == 0 || s == MLK_EDAMAGED)))) {
        if (why.code != MLK_EINVAL) mlk_err_at(&why, path, 0);
        if (e && !e->code) *e = why;
        return s;
    }
    if (s) MLK_TRY(note_bad(r, path, &why, e));
    return close_file(r, path, format, n, &why, e);
}

/* ---- folders ---- */

typedef struct entry {
    char *name;
    const char *format; /* of a file to read, else NULL */
    bool dir;           /* a folder to descend into      */
    int rank;
} entry;

static int by_rank(const void *a, const void *b)
{
    const entry *p = a, *q = b;
    return p->rank != q->rank ? p->rank - q->rank : strcmp(p->name, q->name);
}

/* What an entry of a folder is. Errors are those of the file system and of damaged files. */
static mlk_status classify(reading *r, const char *path, entry *it, mlk_err *e)
{
    struct stat st;
    mlk_err why = {0};
    if (lstat(path, &st)) return MLK_OK;
    const mlk_parser *p = NULL;
    if (S_ISDIR(st.st_mode)) { /* links to folders are not followed: they may form a ring */
        p = mlk_parser_sniff_dir(path);
        it->dir = !p;
    } else if (stat(path, &st) || !S_ISREG(st.st_mode)) {
        return MLK_OK;
    } else if (mlk_dataset_is_store(path) && !mlk_dataset_is_foreign(path)) {
        it->format = "store";
        it->rank = MLK_RANK_COPY;
        return MLK_OK;
    } else if (r->parser && *r->parser) {
        it->format = r->parser;
        return MLK_OK;
    } else {
        p = mlk_parser_sniff(path, &why);
    }
    if (why.code) {
        MLK_TRY(note_bad(r, path, &why, e));
        return note(r, path, "unknown", 0, 0, why.msg, e);
    }
    if (p) {
        it->format = p->name;
        it->rank = p->rank;
    } else if (!it->dir) {
        if (!r->lost.other_files++) mlk_text_copy(r->other, sizeof r->other, path);
        return note(r, path, "unknown", 0, 0, "not a format that is read", e);
    }
    return MLK_OK;
}

/* The entries of a folder that are not hidden, in the order to read them; free names and array. */
static mlk_status list(reading *r, const char *dir, entry **out, size_t *n, mlk_err *e)
{
    char path[PATH_CAP], **names;
    mlk_status s = mlk_dir_names(dir, &names, n, e);
    *out = s ? NULL : mlk_alloc(*n + 1, sizeof **out);
    if (!s && !*out) {
        mlk_strings_free(names, *n);
        *n = 0;
        return MLK_FAIL(e, MLK_ENOMEM, "no memory to list %s", dir);
    }
    for (size_t k = 0; k < *n; k++) (*out)[k].name = names[k];
    mlk_free(names);
    for (size_t k = 0; k < *n && !s; k++)
        s = classify(r, mlk_path_join(path, sizeof path, dir, (*out)[k].name), &(*out)[k], e);
    if (*n) qsort(*out, *n, sizeof **out, by_rank);
    return s;
}

static mlk_status read_folder(reading *r, const char *dir, int depth, mlk_err *e)
{
    entry *it;
    char path[PATH_CAP];
    size_t n;
    mlk_status s = list(r, dir, &it, &n, e);
    for (size_t k = 0; k < n && !s; k++) {
        if (!it[k].format) continue;
        mlk_path_join(path, sizeof path, dir, it[k].name);
        if (it[k].rank == MLK_RANK_STRUCTURE && !r->structures) {
            if (!r->lost.structure_files++) mlk_text_copy(r->structure, sizeof r->structure, path);
            s = note(r, path, it[k].format, 0, 0, "structures without labels: not read", e);
        } else {
            s = read_file(r, path, strcmp(it[k].format, "store") ? it[k].format : NULL, 1, e);
        }
    }
    for (size_t k = 0; k < n && !s; k++) {
        if (!it[k].dir || depth >= DEPTH_MAX) continue;
        s = read_folder(r, mlk_path_join(path, sizeof path, dir, it[k].name), depth + 1, e);
    }
    for (size_t k = 0; k < n; k++) mlk_free(it[k].name);
    mlk_free(it);
    return s;
}

/* ---- what is said about it ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
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

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static mlk_status nothing(const reading *r, const char *path, mlk_err *e)
{
    const losses *l = &r->lost;
    if (l->no_force + l->no_energy + l->unconverged)
        MLK_FAIL(e, MLK_EFORMAT,
                 "no usable frame: %zu without forces, %zu without energy, %zu with "
                 "unconverged SCF (first at %s)",
                 l->no_force, l->no_energy, l->unconverged, r->where);
    else if (r->n_files)
        MLK_FAIL(e, MLK_EFORMAT, "no usable frame in %zu file%s", r->n_files, plural(r->n_files));
    else if (l->structure_files)
        MLK_FAIL(e, MLK_EFORMAT, "only structures without labels in this folder (first: %s)",
                 r->structure);
    else
        MLK_FAIL(e, MLK_EFORMAT, "no data file in this folder");
    mlk_err_hint(e, "vasprun.xml, OUTCAR, vaspout.h5, ML_AB, extended XYZ and others are read; "
                    "'mlkit dataset info' shows what is in a file");
    return mlk_err_at(e, path, 0);
}

static mlk_status report(const reading *r, const char *path, mlk_err *e)
{
    size_t n = r->ds->n - r->first;
    const losses *l = &r->lost;
    if (n == 0 && !l->twin) return nothing(r, path, e);
    size_t groups = count_groups(r->ds, r->first);
    mlk_log(MLK_LOG_INFO, "%s: %zu frame%s in %zu group%s from %zu file%s", path, n, plural(n),
            groups, plural(groups), r->n_files, plural(r->n_files));
    if (l->no_force + l->no_energy + l->unconverged)
        mlk_log(MLK_LOG_WARN,
                "%s: left out %zu frames without forces, %zu without energy, %zu with "
                "unconverged SCF (first at %s)",
                path, l->no_force, l->no_energy, l->unconverged, r->where);
    if (l->twin)
        mlk_log(MLK_LOG_INFO,
                "%s: left out %zu frame%s of %zu file%s that hold the same steps as a file beside "
                "them (%s: those of %s)",
                path, l->twin, plural(l->twin), l->twin_files, plural(l->twin_files), r->twin,
                r->twin_of);
    if (l->structure_files)
        mlk_log(MLK_LOG_INFO, "%s: left out %zu file%s with structures only (first: %s)", path,
                l->structure_files, plural(l->structure_files), r->structure);
    if (l->other_files)
        mlk_log(MLK_LOG_INFO, "%s: left out %zu file%s of other formats (first: %s)", path,
                l->other_files, plural(l->other_files), r->other);
    if (l->bad_files)
        mlk_log(MLK_LOG_WARN, "%s: %zu file%s damaged or cut off, see above", path, l->bad_files,
                l->bad_files == 1 ? " is" : "s are");
    return MLK_OK;
}

static mlk_status read_one(reading *r, const char *path, int in_folder, mlk_err *e)
{
    const bool forced = r->parser && *r->parser;
    if (mlk_file_is_dir(path) && !forced && !mlk_parser_sniff_dir(path)) {
        if (!in_folder) r->root = path;
        return read_folder(r, path, 0, e);
    }
    const mlk_parser *p =
        forced || mlk_dataset_is_store(path) ? NULL : mlk_parser_sniff(path, NULL);
    return read_file(r, path, p ? p->name : r->parser, in_folder, e);
}

/* A name that does not exist but has wildcards is a pattern the shell left alone: what it matches
 * is read as a folder would be. */
static mlk_status read_pattern(reading *r, const char *pattern, mlk_err *e)
{
    glob_t g;
    char root[PATH_CAP];
    if (glob(pattern, 0, NULL, &g)) {
        MLK_FAIL(e, MLK_EIO, "no file matches this pattern");
        return mlk_err_at(e, pattern, 0);
    }
    snprintf(root, sizeof root, "%.*s", (int)strcspn(pattern, "*?["), pattern);
    char *slash = strrchr(root, '/');
    root[slash ? slash - root + 1 : 0] = 0;
    r->root = *root ? root : "./";
    mlk_status s = MLK_OK;
    for (size_t k = 0; k < g.gl_pathc && !s; k++) s = read_one(r, g.gl_pathv[k], 1, e);
    globfree(&g);
    r->root = "";
    return s;
}

static mlk_status read_words(reading *r, const char *path, mlk_err *e)
{
    const bool pattern = !mlk_file_exists(path) && strpbrk(path, "*?[");
    const size_t notes = r->ds->n_file;
    MLK_TRY(pattern ? read_pattern(r, path, e) : read_one(r, path, 0, e));
    if (!r->all || r->ds->n > r->first || !r->lost.structure_files || r->lost.twin) return MLK_OK;
    r->structures = true; /* there is nothing but structures: read those */
    r->lost = (losses){0};
    r->ds->n_file = notes;
    return pattern ? read_pattern(r, path, e) : read_one(r, path, 0, e);
}

static mlk_status read_any(mlk_dataset *ds, const char *path, int all, const char *parser,
                           mlk_err *e)
{
    reading r = {.ds = ds, .all = all, .parser = parser, .root = "", .first = ds->n};
    mlk_status s = read_words(&r, path, e);
    mlk_dataset_free(&r.unconverged);
    mlk_free(r.head);
    mlk_free(r.next);
    return s ? s : report(&r, path, e);
}

mlk_status mlk_dataset_read(mlk_dataset *ds, const char *path, mlk_err *e)
{
    return read_any(ds, path, 0, NULL, e);
}

mlk_status mlk_dataset_read_all(mlk_dataset *ds, const char *path, const char *parser, mlk_err *e)
{
    return read_any(ds, path, 1, parser, e);
}
