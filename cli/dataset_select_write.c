/* dataset_select_write.c - selected frames as extended XYZ, as a store, or as one folder with a
 * POSCAR per calculation. */
#include <ctype.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/dataset_select.h"
#include "cli/dataset_verbs.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "parsers/parser.h"

static const unsigned LABELS = MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VIRIAL;

mlk_select_format mlk_select_format_of(const char *path)
{
    if (mlk_path_ends(path, ".h5") || mlk_path_ends(path, ".hdf5")) return MLK_SELECT_STORE;
    if (mlk_path_ends(path, ".xyz") || mlk_path_ends(path, ".extxyz") ||
        mlk_path_ends(path, ".xyz.gz") || mlk_path_ends(path, ".extxyz.gz"))
        return MLK_SELECT_EXTXYZ;
    return MLK_SELECT_POSCARS;
}

mlk_status mlk_select_may_write(const mlk_dataset *ds, const char *out, bool force, mlk_err *e)
{
    bool folder = mlk_select_format_of(out) == MLK_SELECT_POSCARS;
    if (mlk_file_exists(out) && folder != mlk_file_is_dir(out)) {
        MLK_FAIL(e, MLK_EIO, folder ? "is a file, not a folder" : "is a folder");
        mlk_err_hint(e, "NAME.xyz and NAME.h5 are files, any other name a folder of POSCARs");
        return mlk_err_at(e, out, 0);
    }
    return mlk_dataset_may_write(ds, out, force, e);
}

/* Deep copy, without labels unless they are wanted. */
static mlk_status copy(const mlk_frame *from, bool labels, mlk_frame *to, mlk_err *e)
{
    MLK_TRY(mlk_frame_copy(from, to, e));
    if (labels) return MLK_OK;
    to->has &= ~LABELS;
    to->energy0 = NAN;
    to->energy_kind = MLK_ENERGY_UNSTATED, to->scf = MLK_SCF_UNKNOWN;
    to->theory[0] = 0, to->n_raw = 0;
    return MLK_OK;
}

static mlk_status make_set(const mlk_dataset *ds, const mlk_pick *pick, size_t n, bool labels,
                           mlk_dataset *set, mlk_err *e)
{
    for (size_t k = 0; k < n; k++) {
        mlk_frame fr = {0};
        mlk_status s = copy(&ds->frame[pick[k].frame], labels, &fr, e);
        if (!s) s = mlk_dataset_add(set, &fr, e);
        if (s) {
            mlk_frame_free(&fr);
            return s;
        }
    }
    MLK_TRY(MLK_GROW(set->source, set->cap_source, ds->n_source + 1, e));
    if (ds->n_source) memcpy(set->source, ds->source, ds->n_source * sizeof *ds->source);
    set->n_source = ds->n_source;
    return MLK_OK;
}

/* ---- folder -------------------------------------------------------------------------------- */

/* Elements in the order in which the data show them: one POTCAR order for all calculations. */
static size_t element_order(const mlk_dataset *ds, int *z)
{
    size_t n = 0;
    for (size_t f = 0; f < ds->n && n < ds->n_species; f++)
        for (size_t i = 0; i < ds->frame[f].n; i++) {
            size_t k = 0;
            while (k < n && z[k] != ds->frame[f].z[i]) k++;
            if (k == n) z[n++] = ds->frame[f].z[i];
        }
    return n;
}

static mlk_status write_poscar(const char *path, const mlk_frame *from, const int *z, size_t nz,
                               mlk_err *e)
{
    mlk_frame fr = {0};
    MLK_TRY(copy(from, false, &fr, e));
    fr.has &= ~(unsigned)MLK_HAS_VELOCITY; /* a single point starts at rest */
    size_t m = 0;
    for (size_t k = 0; k < nz; k++)
        for (size_t i = 0; i < from->n; i++) {
            if (from->z[i] != z[k]) continue;
            fr.z[m] = z[k];
            memcpy(fr.x[m++], from->x[i], sizeof *fr.x);
        }
    mlk_status s = mlk_write_poscar(path, &fr, e);
    mlk_frame_free(&fr);
    return s;
}

static void folder_name(const mlk_frame *fr, size_t rank, char *name, size_t cap)
{
    int len = snprintf(name, cap, "%04zu_%.40s", rank, fr->group[0] ? fr->group : "frame");
    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("-_.", *p)) *p = '_';
    if (fr->step > 0 && len > 0 && (size_t)len < cap)
        snprintf(name + len, cap - (size_t)len, "_%d", fr->step);
}

static void csv_text(FILE *f, const char *s)
{
    bool quote = strpbrk(s, ",\"\n") != NULL;
    if (quote) fputc('"', f);
    for (; *s; s++) {
        if (*s == '"') fputc('"', f);
        fputc(*s, f);
    }
    if (quote) fputc('"', f);
}

static mlk_status write_index(const mlk_dataset *ds, const mlk_pick *pick, size_t n,
                              const char *dir, mlk_err *e)
{
    char path[2048], name[96];
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, dir, "index.csv"), e));
    fprintf(o.fp, "rank,folder,source,line,run,step,score,left\n");
    for (size_t k = 0; k < n; k++) {
        const mlk_frame *fr = &ds->frame[pick[k].frame];
        folder_name(fr, k + 1, name, sizeof name);
        fprintf(o.fp, "%zu,%s,", k + 1, name);
        csv_text(o.fp, fr->source);
        fprintf(o.fp, ",%ld,%d,%d,%.8g,%.8g\n", fr->line, fr->run, fr->step, pick[k].score,
                pick[k].left);
    }
    return mlk_out_commit(&o, e);
}

/* Numbered folders of an earlier selection stay: calculations may lie in them. Say so. */
static void warn_of_others(const mlk_dataset *ds, const mlk_pick *pick, size_t n, const char *dir)
{
    size_t others = 0;
    char name[96], first[256] = "";
    DIR *d = opendir(dir);
    for (struct dirent *it; d && (it = readdir(d));) {
        const char *p = it->d_name;
        if (strspn(p, "0123456789") < 4 || p[strspn(p, "0123456789")] != '_') continue;
        bool mine = false;
        for (size_t k = 0; k < n && !mine; k++) {
            folder_name(&ds->frame[pick[k].frame], k + 1, name, sizeof name);
            mine = !strcmp(name, p);
        }
        if (!mine && !others++) snprintf(first, sizeof first, "%.255s", p);
    }
    if (d) closedir(d);
    if (others)
        mlk_log(MLK_LOG_WARN, "%s: %zu folder%s of an earlier selection left as they are (%s ...)",
                dir, others, others == 1 ? "" : "s", first);
}

static mlk_status write_folder(const mlk_dataset *ds, const mlk_pick *pick, size_t n,
                               const char *dir, bool force, mlk_err *e)
{
    char name[96], sub[2048], path[2176];
    int z[MLK_ELEMENT_MAX];
    size_t nz = element_order(ds, z);
    for (int pass = 0; pass < 2; pass++) { /* look at all before writing any */
        for (size_t k = 0; k < n; k++) {
            const mlk_frame *fr = &ds->frame[pick[k].frame];
            folder_name(fr, k + 1, name, sizeof name);
            mlk_path_join(sub, sizeof sub, dir, name);
            mlk_path_join(path, sizeof path, sub, "POSCAR");
            if (pass == 0 && !(fr->has & MLK_HAS_CELL)) {
                MLK_FAIL(e, MLK_EUNSUPPORTED, "the structure has no cell; POSCAR needs one");
                return mlk_err_at(e, fr->source, fr->line);
            }
            if (pass == 0) {
                MLK_TRY(mlk_dataset_may_write(ds, path, force, e));
                continue;
            }
            MLK_TRY(mlk_mkdir_p(sub, e));
            MLK_TRY(write_poscar(path, fr, z, nz, e));
        }
    }
    if (force) warn_of_others(ds, pick, n, dir);
    return write_index(ds, pick, n, dir, e);
}

mlk_status mlk_select_write(const mlk_dataset *ds, const mlk_pick *pick, size_t n, const char *out,
                            bool labels, bool force, mlk_err *e)
{
    mlk_select_format to = mlk_select_format_of(out);
    if (to == MLK_SELECT_POSCARS) return write_folder(ds, pick, n, out, force, e);
    mlk_dataset set = {0};
    mlk_status s = make_set(ds, pick, n, labels, &set, e);
    if (!s)
        s = to == MLK_SELECT_STORE ? mlk_dataset_store(&set, out, force, e)
                                   : mlk_write_extxyz(out, set.frame, set.n, e);
    mlk_dataset_free(&set);
    return s;
}
