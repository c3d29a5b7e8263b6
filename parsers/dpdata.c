/* dpdata.c - DeePMD-kit systems, folders: type.raw, type_map.raw and either set.NNN folders with
 * coord, box, energy, force, virial (.npy), or the same as text (.raw, one frame a line). Units
 * Angstrom, eV, eV/A. The virial is in eV and positive under compression, -volume * stress, as
 * here: dpdata makes it from VASP's "in kB" times the volume without a change of sign. nopbc: an
 * isolated system. Mixed types (real_atom_types.npy, with -1 for no atom) are read too. Energies
 * are not said to be free energies. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/element.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"
#include "parsers/cluster.h"
#include "parsers/npy.h"
#include "parsers/parser.h"
#include "parsers/text.h"

enum { PATH = 1024, NAMES_MAX = 256, SETS_MAX = 100000 };

enum { COORD, BOX, ENERGY, FORCE, VIRIAL, TYPES, N_ARRAYS };

static const char *const array_name[N_ARRAYS] = {"coord", "box",    "energy",
                                                 "force", "virial", "real_atom_types"};

typedef struct dp_system {
    char dir[PATH];
    int *type;
    size_t n, cap;
    int z[NAMES_MAX];
    size_t n_names;
    bool nopbc;
    int step; /* frames delivered */
} dp_system;

static mlk_status place(const char *path, mlk_err *e, const char *what)
{
    MLK_FAIL(e, MLK_EFORMAT, "%s", what);
    return mlk_err_at(e, path, 0);
}

/* ---- type.raw and type_map.raw ---- */

static mlk_status read_types(dp_system *sy, mlk_err *e)
{
    char path[PATH + 32], *text;
    mlk_path_join(path, sizeof path, sy->dir, "type.raw");
    MLK_TRY(mlk_file_slurp(path, &text, NULL, e));
    mlk_status s = MLK_OK;
    const char *p = text;
    double v;
    while (!s && mlk_number(&p, &v)) {
        s = MLK_GROW(sy->type, sy->cap, sy->n + 1, e);
        if (!s && (v < 0 || v >= NAMES_MAX || v != floor(v)))
            s = place(path, e, "a type is not a whole number from 0");
        if (!s) sy->type[sy->n++] = (int)v;
    }
    if (!s && p[strspn(p, " \t\r\n")]) s = place(path, e, "types should be whole numbers from 0");
    if (!s && !sy->n) s = place(path, e, "there are no types");
    mlk_free(text);
    return s;
}

static mlk_status read_names(dp_system *sy, mlk_err *e)
{
    char path[PATH + 32], *text, *word[NAMES_MAX];
    mlk_path_join(path, sizeof path, sy->dir, "type_map.raw");
    if (!mlk_file_exists(path)) {
        MLK_FAIL(e, MLK_EFORMAT, "there is no type_map.raw: the elements are not known");
        mlk_err_hint(e, "write the element of each type of type.raw into type_map.raw, one a line");
        return mlk_err_at(e, sy->dir, 0);
    }
    MLK_TRY(mlk_file_slurp(path, &text, NULL, e));
    for (char *p = text; *p; p++)
        if (*p == '\n') *p = ' ';
    sy->n_names = mlk_text_words(text, word, NAMES_MAX);
    mlk_status s = sy->n_names && sy->n_names <= NAMES_MAX
                       ? MLK_OK
                       : place(path, e, "expected 1 to 256 names of elements");
    for (size_t k = 0; k < sy->n_names && !s; k++) sy->z[k] = mlk_element_z(word[k]);
    mlk_free(text);
    return s;
}

static mlk_status element(const dp_system *sy, double type, const char *path, int *z, mlk_err *e)
{
    size_t k = type >= 0 && type < (double)sy->n_names ? (size_t)type : sy->n_names;
    *z = k < sy->n_names ? sy->z[k] : 0;
    if (*z) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "type %g has no element in type_map.raw (%zu names)", type,
             sy->n_names);
    return mlk_err_at(e, path, 0);
}

/* ---- arrays ---- */

/* One frame a line. A last line without line end may be cut in its last number. */
static mlk_status read_raw(const char *path, mlk_npy *a, mlk_err *e)
{
    mlk_text_in t;
    size_t n = 0, cap = 0;
    bool more;
    mlk_status s;
    memset(a, 0, sizeof *a);
    MLK_TRY(mlk_text_open(&t, path, e));
    for (;;) {
        MLK_GO(mlk_text_next(&t, &more, e));
        if (!more) break;
        const char *p = t.line;
        size_t first = n;
        double v;
        while (mlk_number(&p, &v)) {
            MLK_GO(MLK_GROW(a->v, cap, n + 1, e));
            a->v[n++] = v;
        }
        p += strspn(p, " \t\r");
        if (*p && *p != '#') s = MLK_FAIL(e, MLK_EFORMAT, "expected a number, found '%.40s'", p);
        if (n > first && !a->cols) a->cols = n - first;
        if (!s && n > first && n - first != a->cols)
            s = MLK_FAIL(e, MLK_EFORMAT, "%zu numbers, %zu in the lines above", n - first, a->cols);
        if (!s && n > first && !strchr(" \t", t.line[strlen(t.line) - 1]))
            s = mlk_text_whole(&t, e);
        if (s) {
            s = mlk_text_err(&t, e);
            goto done;
        }
        a->rows += n > first;
    }
done:
    mlk_text_close(&t);
    if (s) mlk_npy_free(a);
    return s;
}

static mlk_status wrong_size(const char *path, const mlk_npy *a, size_t rows, size_t cols,
                             mlk_err *e)
{
    MLK_FAIL(e, MLK_EFORMAT, "%zu frames of %zu numbers, expected %zu of %zu", a->rows, a->cols,
             rows, cols);
    return mlk_err_at(e, path, 0);
}

/* Load the arrays of one set; those that are not there stay empty. */
static mlk_status load(const dp_system *sy, const char *dir, bool raw, mlk_npy a[N_ARRAYS],
                       mlk_err *e)
{
    const size_t cols[N_ARRAYS] = {3 * sy->n, 9, 1, 3 * sy->n, 9, sy->n};
    for (int k = 0; k < N_ARRAYS; k++) {
        char name[32], path[PATH + 64];
        snprintf(name, sizeof name, "%s.%s", array_name[k], raw ? "raw" : "npy");
        mlk_path_join(path, sizeof path, dir, name);
        if (!mlk_file_exists(path)) {
            if (k == COORD || (k == BOX && !sy->nopbc))
                return place(path, e,
                             k == COORD ? "is missing"
                                        : "is missing (or a file nopbc for an isolated "
                                          "system)");
            continue;
        }
        MLK_TRY(raw ? read_raw(path, &a[k], e) : mlk_npy_read(path, &a[k], e));
        if (raw && k == ENERGY && a[k].rows == 1 && a[COORD].rows == a[k].cols) {
            a[k].rows = a[k].cols; /* all energies on one line */
            a[k].cols = 1;
        }
        if (a[k].cols != cols[k] || a[k].rows != a[COORD].rows)
            return wrong_size(path, &a[k], a[COORD].rows, cols[k], e);
    }
    return MLK_OK;
}

/* ---- frames ---- */

static mlk_status fill_atoms(const dp_system *sy, const char *dir, mlk_npy a[N_ARRAYS], size_t f,
                             mlk_frame *fr, mlk_err *e)
{
    size_t m = 0;
    for (size_t i = 0; i < sy->n; i++) {
        double t = a[TYPES].v ? a[TYPES].v[f * sy->n + i] : sy->type[i];
        if (a[TYPES].v && t == -1) continue; /* mixed types: no atom here */
        MLK_TRY(element(sy, t, dir, &fr->z[m], e));
        for (int k = 0; k < 3; k++) {
            const size_t at = (f * sy->n + i) * 3 + (size_t)k;
            fr->x[m][k] = a[COORD].v[at];
            if (a[FORCE].v) fr->f[m][k] = a[FORCE].v[at];
        }
        m++;
    }
    fr->n = m;
    return MLK_OK;
}

static mlk_status fill_cell(const dp_system *sy, const mlk_npy a[N_ARRAYS], size_t f, mlk_frame *fr,
                            mlk_err *e)
{
    double h[3][3];
    if (sy->nopbc) return mlk_isolated_cell(fr, e);
    memcpy(h, a[BOX].v + 9 * f, sizeof h);
    MLK_TRY(mlk_cell_init(&fr->cell, (const double(*)[3])h, e));
    fr->has |= MLK_HAS_CELL;
    return MLK_OK;
}

/* Is the label of frame f (n numbers) there and finite? Otherwise the frame goes on without it. */
static bool usable(const char *dir, const char *name, const double *v, size_t n, size_t f)
{
    if (!v) return false;
    for (size_t k = 0; k < n; k++)
        if (!isfinite(v[f * n + k])) {
            mlk_log(MLK_LOG_WARN, "%s: frame %zu: the %s is not finite: it is not used", dir, f + 1,
                    name);
            return false;
        }
    return true;
}

static mlk_status make_frame(const dp_system *sy, const char *dir, mlk_npy a[N_ARRAYS], size_t f,
                             mlk_frame *fr, mlk_err *e)
{
    MLK_TRY(mlk_frame_init(fr, sy->n, e));
    MLK_TRY(fill_atoms(sy, dir, a, f, fr, e));
    if (!fr->n) return MLK_FAIL(e, MLK_EFORMAT, "frame %zu has no atoms", f + 1);
    MLK_TRY(fill_cell(sy, a, f, fr, e));
    if (usable(dir, "force", a[FORCE].v, a[FORCE].cols, f)) fr->has |= MLK_HAS_FORCE;
    if (usable(dir, "energy", a[ENERGY].v, 1, f)) {
        fr->energy = a[ENERGY].v[f];
        fr->has |= MLK_HAS_ENERGY;
    }
    if (usable(dir, "virial", a[VIRIAL].v, 9, f)) {
        memcpy(fr->virial, a[VIRIAL].v + 9 * f, sizeof fr->virial);
        fr->has |= MLK_HAS_VIRIAL;
    }
    fr->step = sy->step + 1;
    mlk_text_copy(fr->source, sizeof fr->source, dir);
    return mlk_frame_check(fr, e);
}

static mlk_status read_set(dp_system *sy, const char *dir, bool raw, mlk_frame_fn fn, void *user,
                           mlk_err *e)
{
    mlk_npy a[N_ARRAYS] = {{0}};
    mlk_frame fr = {0};
    mlk_status s = load(sy, dir, raw, a, e);
    if (!s && a[ENERGY].bytes == 4 && a[ENERGY].rows)
        mlk_log(MLK_LOG_INFO,
                "%s: energy.npy has 4-byte numbers: %g eV is rounded by up to %.1g eV", dir,
                a[ENERGY].v[0], fabs(a[ENERGY].v[0]) * 6e-8);
    for (size_t f = 0; !s && f < a[COORD].rows; f++) {
        s = make_frame(sy, dir, a, f, &fr, e);
        if (s) {
            if (e) mlk_err_prefix(e, "frame %zu: ", f + 1);
            mlk_err_at(e, dir, 0);
        }
        if (!s) s = fn(&fr, user, e);
        if (!s) sy->step++;
        mlk_frame_free(&fr);
    }
    for (int k = 0; k < N_ARRAYS; k++) mlk_npy_free(&a[k]);
    return s;
}

/* ---- folders ---- */

static bool has_file(const char *dir, const char *name)
{
    char path[PATH];
    return mlk_file_exists(mlk_path_join(path, sizeof path, dir, name));
}

/* Names of the folders set.* of a system, sorted; mlk_strings_free them. */
static mlk_status list_sets(const char *dir, char ***names, size_t *n, mlk_err *e)
{
    char path[PATH], **all;
    size_t kept = 0;
    MLK_TRY(mlk_dir_names(dir, names, n, e));
    all = *names;
    for (size_t k = 0; k < *n; k++) {
        bool set = !strncmp(all[k], "set.", 4) &&
                   mlk_file_is_dir(mlk_path_join(path, sizeof path, dir, all[k]));
        if (!set)
            mlk_free(all[k]);
        else
            all[kept++] = all[k];
    }
    *n = kept;
    return MLK_OK;
}

static mlk_status read_system(dp_system *sy, mlk_frame_fn fn, void *user, mlk_err *e)
{
    char **names = NULL, path[PATH + 300];
    size_t n = 0;
    MLK_TRY(read_types(sy, e));
    MLK_TRY(read_names(sy, e));
    sy->nopbc = has_file(sy->dir, "nopbc");
    mlk_status s = list_sets(sy->dir, &names, &n, e);
    for (size_t k = 0; k < n && !s; k++)
        s = read_set(sy, mlk_path_join(path, sizeof path, sy->dir, names[k]), false, fn, user, e);
    mlk_strings_free(names, n);
    if (s) return s;
    if (!n) return read_set(sy, sy->dir, true, fn, user, e);
    if (has_file(sy->dir, "coord.raw"))
        mlk_log(MLK_LOG_INFO, "%s: the folders set.* are read, not the .raw files beside them",
                sy->dir);
    return MLK_OK;
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    dp_system *sy = mlk_alloc(1, sizeof *sy);
    if (!sy) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    mlk_text_copy(sy->dir, sizeof sy->dir, path);
    for (size_t k = strlen(sy->dir); k > 1 && sy->dir[k - 1] == '/';) sy->dir[--k] = 0;
    mlk_status s = mlk_file_is_dir(path) ? MLK_OK : place(path, e, "is not a DeePMD folder");
    if (!s) s = read_system(sy, fn, user, e);
    if (!s && !sy->step) s = place(sy->dir, e, "holds no frame");
    if (s && sy->step && e) mlk_err_prefix(e, "%d complete frames, then: ", sy->step);
    mlk_free(sy->type);
    mlk_free(sy);
    return s;
}

static bool sniff_dir(const char *dir)
{
    char **names;
    size_t n;
    if (!has_file(dir, "type.raw")) return false;
    if (has_file(dir, "coord.raw")) return true;
    if (list_sets(dir, &names, &n, NULL)) return false;
    mlk_strings_free(names, n);
    return n > 0;
}

extern const mlk_parser mlk_parser_dpdata;
const mlk_parser mlk_parser_dpdata = {
    .name = "deepmd",
    .summary = "DeePMD-kit system (folder with type.raw, npy or raw)",
    .rank = MLK_RANK_COPY,
    .sniff_dir = sniff_dir,
    .parse = parse,
};
