/* deepmd_write.c - DeePMD-kit systems. Frames of one system must have the same atoms in the same
 * order and the same labels, so there is one folder per formula (and one more, FORMULA-novirial or
 * FORMULA-nopbc, where some frames have no virial or are isolated), atoms sorted by type. All
 * systems have the same type_map.raw. */
#include <stdio.h>
#include <string.h>

#include "core/element.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "parsers/cluster.h"
#include "parsers/npy.h"
#include "parsers/parser.h"
#include "parsers/writers.h"

enum { PATH = 1024, NAME = 256 };

typedef struct job {
    mlk_frame *fr; /* labelled frames */
    size_t n;
    char (*name)[NAME]; /* of the systems       */
    size_t *of;         /* (n) system of a frame */
    size_t n_sys, cap_sys;
    int z[MLK_ELEMENT_MAX]; /* the type map */
    size_t n_type;
    size_t *order; /* of the atoms of a frame */
    size_t cap_order;
    double *buf;
    size_t cap_buf;
} job;

static void system_name(const mlk_frame *fr, char buf[NAME])
{
    char formula[200];
    snprintf(buf, NAME, "%s%s%s", mlk_frame_formula(fr, formula, sizeof formula),
             fr->has & MLK_HAS_VIRIAL ? "" : "-novirial", mlk_isolated(fr) ? "-nopbc" : "");
}

/* Which frame belongs to which system. */
static mlk_status assign(job *j, mlk_err *e)
{
    j->of = mlk_alloc(j->n, sizeof *j->of);
    if (!j->of) return MLK_FAIL(e, MLK_ENOMEM, "no memory to sort %zu frames", j->n);
    for (size_t k = 0; k < j->n; k++) {
        char name[NAME];
        size_t i = 0;
        system_name(&j->fr[k], name);
        while (i < j->n_sys && strcmp(j->name[i], name)) i++;
        j->of[k] = i;
        if (i < j->n_sys) continue;
        MLK_TRY(MLK_GROW(j->name, j->cap_sys, i + 1, e));
        memcpy(j->name[i], name, NAME);
        j->n_sys++;
    }
    return MLK_OK;
}

static void type_map(job *j)
{
    bool seen[MLK_ELEMENT_MAX + 1] = {false};
    for (size_t k = 0; k < j->n; k++)
        for (size_t i = 0; i < j->fr[k].n; i++) seen[j->fr[k].z[i]] = true;
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++)
        if (seen[z]) j->z[j->n_type++] = z;
}

/* Atoms by atomic number, otherwise in their order. */
static mlk_status sort_atoms(job *j, const mlk_frame *fr, mlk_err *e)
{
    size_t m = 0;
    MLK_TRY(MLK_GROW(j->order, j->cap_order, fr->n, e));
    for (size_t t = 0; t < j->n_type; t++)
        for (size_t i = 0; i < fr->n; i++)
            if (fr->z[i] == j->z[t]) j->order[m++] = i;
    return MLK_OK;
}

static mlk_status put_types(job *j, const char *dir, const mlk_frame *fr, mlk_err *e)
{
    char path[PATH + 64];
    mlk_out o;
    MLK_TRY(sort_atoms(j, fr, e));
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, dir, "type.raw"), e));
    for (size_t i = 0; i < fr->n; i++)
        for (size_t t = 0; t < j->n_type; t++)
            if (j->z[t] == fr->z[j->order[i]]) fprintf(o.fp, "%zu\n", t);
    MLK_TRY(mlk_out_commit(&o, e));
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, dir, "type_map.raw"), e));
    for (size_t t = 0; t < j->n_type; t++) fprintf(o.fp, "%s\n", mlk_element_symbol(j->z[t]));
    MLK_TRY(mlk_out_commit(&o, e));
    return mlk_isolated(fr)
               ? mlk_file_write_text(mlk_path_join(path, sizeof path, dir, "nopbc"), "", e)
               : MLK_OK;
}

typedef enum { COORD, BOX, ENERGY, FORCE, VIRIAL } array;

static const char *const array_file[] = {"coord.npy", "box.npy", "energy.npy", "force.npy",
                                         "virial.npy"};

static size_t put_values(const job *j, const mlk_frame *fr, array a, double *to)
{
    if (a == ENERGY) {
        *to = fr->energy;
        return 1;
    }
    if (a == BOX || a == VIRIAL) {
        memcpy(to, a == BOX ? &fr->cell.h[0][0] : &fr->virial[0][0], 9 * sizeof *to);
        return 9;
    }
    for (size_t i = 0; i < fr->n; i++)
        memcpy(to + 3 * i, a == COORD ? fr->x[j->order[i]] : fr->f[j->order[i]], 3 * sizeof *to);
    return 3 * fr->n;
}

/* One array of all frames of a system. */
static mlk_status put_array(job *j, const char *set, size_t sys, array a, mlk_err *e)
{
    char path[PATH + 64];
    size_t n = 0, rows = 0, cols = 0;
    for (size_t k = 0; k < j->n; k++) {
        if (j->of[k] != sys) continue;
        MLK_TRY(MLK_GROW(j->buf, j->cap_buf, n + 3 * j->fr[k].n + 9, e));
        MLK_TRY(sort_atoms(j, &j->fr[k], e));
        cols = put_values(j, &j->fr[k], a, j->buf + n);
        n += cols;
        rows++;
    }
    return mlk_npy_write(mlk_path_join(path, sizeof path, set, array_file[a]), j->buf, rows,
                         a == ENERGY ? 0 : cols, e);
}

/* A system written over must not keep arrays that the new one does not have. */
static mlk_status clear(const char *dir, const char *set, mlk_err *e)
{
    char path[PATH + 64];
    static const char *const stale[] = {"virial.npy", "real_atom_types.npy"};
    if (mlk_file_exists(mlk_path_join(path, sizeof path, dir, "set.001"))) {
        MLK_FAIL(e, MLK_EINVAL, "is there already: an older system with several sets");
        mlk_err_hint(e, "remove the folder, or write to another one");
        return mlk_err_at(e, path, 0);
    }
    remove(mlk_path_join(path, sizeof path, dir, "nopbc"));
    for (size_t k = 0; k < sizeof stale / sizeof *stale; k++)
        remove(mlk_path_join(path, sizeof path, set, stale[k]));
    return MLK_OK;
}

static mlk_status put_system(job *j, const char *root, size_t sys, mlk_err *e)
{
    char dir[PATH], set[PATH + 16];
    size_t first = 0;
    while (j->of[first] != sys) first++;
    const mlk_frame *fr = &j->fr[first];
    mlk_path_join(dir, sizeof dir, root, j->name[sys]);
    mlk_path_join(set, sizeof set, dir, "set.000");
    MLK_TRY(mlk_mkdir_p(set, e));
    MLK_TRY(clear(dir, set, e));
    MLK_TRY(put_types(j, dir, fr, e));
    for (array a = COORD; a <= VIRIAL; a++)
        if (a != VIRIAL || (fr->has & MLK_HAS_VIRIAL)) MLK_TRY(put_array(j, set, sys, a, e));
    return MLK_OK;
}

mlk_status mlk_write_deepmd(const char *dir, const mlk_frame *fr, size_t n, size_t *n_files,
                            mlk_err *e)
{
    job j = {0};
    size_t partly = 0;
    *n_files = 0;
    MLK_TRY(mlk_labelled(fr, n, dir, &j.fr, &j.n, e));
    type_map(&j);
    mlk_status s = assign(&j, e);
    for (size_t k = 0; k < j.n_sys && !s; k++, ++*n_files) s = put_system(&j, dir, k, e);
    for (size_t k = 0; k < j.n; k++) {
        const bool *p = j.fr[k].cell.pbc;
        partly += !(p[0] && p[1] && p[2]) && !mlk_isolated(&j.fr[k]);
    }
    if (!s && partly)
        mlk_log(MLK_LOG_WARN, "%s: %zu partly periodic frames become periodic", dir, partly);
    mlk_free(j.fr);
    mlk_free(j.name);
    mlk_free(j.of);
    mlk_free(j.order);
    mlk_free(j.buf);
    return s;
}
