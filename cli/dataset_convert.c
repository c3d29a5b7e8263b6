/* dataset_convert.c - mlkit dataset convert: every format mlkit reads to those it writes. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/cmd.h"
#include "cli/dataset_info.h"
#include "cli/dataset_verbs.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "datasets/store.h"
#include "parsers/parser.h"

typedef enum { TO_AUTO, TO_VASPRUN, TO_EXTXYZ, TO_POSCAR, TO_H5 } target;

typedef struct cfg {
    mlk_common common;
    char out[MLK_OPT_STR_MAX], from[MLK_OPT_STR_MAX], program[MLK_OPT_STR_MAX],
        program_version[MLK_OPT_STR_MAX];
    int to;
    bool force, append, scf_converged;
} cfg;

static const mlk_opt convert_opts[] = {
    {"o", MLK_OPT_STR, offsetof(cfg, out), "", 0, 0, "",
     "output file; a folder (NAME/): one file per trajectory group"},
    {"to", MLK_OPT_CHOICE, offsetof(cfg, to), "auto", 0, 0, "auto|vasprun|extxyz|poscar|h5",
     "format to write; auto: by the ending of -o (.xml .xyz .extxyz .vasp .poscar POSCAR .h5, text "
     "also .gz)"},
    {"from", MLK_OPT_STR, offsetof(cfg, from), "", 0, 0, "",
     "format to read: vasprun, extxyz or poscar; by content when not given"},
    {"program", MLK_OPT_STR, offsetof(cfg, program), "unknown", 0, 0, "",
     "code that computed the labels (generator of a vasprun.xml)"},
    {"program-version", MLK_OPT_STR, offsetof(cfg, program_version), "", 0, 0, "", "its version"},
    {"scf-converged", MLK_OPT_FLAG, offsetof(cfg, scf_converged), "false", 0, 0, "",
     "state that every SCF loop converged, where the input does not say"},
    {"force", MLK_OPT_FLAG, offsetof(cfg, force), "false", 0, 0, "", "write over existing files"},
    {"append", MLK_OPT_FLAG, offsetof(cfg, append), "false", 0, 0, "",
     "add to the store NAME.h5; frames it has from the same file are not added again"},
    MLK_COMMON_OPTS(cfg),
    {0}};

static bool ends(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);
    return n >= m && !strcasecmp(s + n - m, tail);
}

static target by_ending(const char *path)
{
    const char *base = mlk_path_base(path);
    static const struct {
        const char *tail;
        target to;
    } known[] = {{".xml", TO_VASPRUN},   {".xml.gz", TO_VASPRUN}, {".xyz", TO_EXTXYZ},
                 {".xyz.gz", TO_EXTXYZ}, {".extxyz", TO_EXTXYZ},  {".extxyz.gz", TO_EXTXYZ},
                 {".vasp", TO_POSCAR},   {".poscar", TO_POSCAR},  {".h5", TO_H5},
                 {".hdf5", TO_H5}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (ends(path, known[k].tail)) return known[k].to;
    return !strncmp(base, "POSCAR", 6) || !strncmp(base, "CONTCAR", 7) ? TO_POSCAR : TO_AUTO;
}

static mlk_status write_frames(const cfg *c, const mlk_dataset *ds, target to, const char *path,
                               const mlk_frame *fr, size_t n, mlk_err *e)
{
    MLK_TRY(mlk_dataset_may_write(ds, path, c->force, e));
    if (to == TO_VASPRUN) return mlk_write_vasprun(path, fr, n, c->program, c->program_version, e);
    if (to == TO_EXTXYZ) return mlk_write_extxyz(path, fr, n, e);
    if (n > 1)
        mlk_log(MLK_LOG_WARN, "%s: holds one structure; the last of %zu frames is written", path,
                n);
    return mlk_write_poscar(path, fr + n - 1, e);
}

/* Frames by group, in order of first appearance; stable. Shallow copies: free only the array. */
static mlk_frame *grouped(const mlk_dataset *ds, mlk_err *e)
{
    mlk_frame *fr = mlk_alloc(ds->n, sizeof *fr);
    char *done = mlk_alloc(ds->n, 1);
    size_t m = 0;
    for (size_t i = 0; fr && done && i < ds->n; i++)
        for (size_t j = i; !done[i] && j < ds->n; j++) {
            if (done[j] || (j > i && strcmp(ds->frame[j].group, ds->frame[i].group))) continue;
            fr[m++] = ds->frame[j];
            if (j > i) done[j] = 1;
        }
    mlk_free(done);
    if (m == ds->n) return fr;
    mlk_free(fr);
    MLK_FAIL(e, MLK_ENOMEM, "no memory to order %zu frames", ds->n);
    return NULL;
}

/* One file per trajectory group. */
static mlk_status write_folder(const cfg *c, const mlk_dataset *ds, target to, size_t *n_files,
                               mlk_err *e)
{
    if (to != TO_VASPRUN && to != TO_EXTXYZ) {
        MLK_FAIL(e, MLK_EINVAL, "a folder of files can be vasprun or extxyz");
        return mlk_err_hint(e, "add --to vasprun or --to extxyz");
    }
    mlk_frame *fr = grouped(ds, e);
    if (!fr) return e->code;
    mlk_status s = mlk_mkdir_p(c->out, e);
    for (size_t i = 0, j; i < ds->n && !s; i = j) {
        char name[96], path[MLK_OPT_STR_MAX + 128];
        for (j = i; j < ds->n && !strcmp(fr[j].group, fr[i].group);) j++;
        snprintf(name, sizeof name, "%s%s", fr[i].group[0] ? fr[i].group : "frames",
                 to == TO_VASPRUN ? ".xml.gz" : ".xyz");
        for (char *p = name; *p; p++)
            if (*p == '/' || (unsigned char)*p < ' ') *p = '_';
        mlk_path_join(path, sizeof path, c->out, name);
        s = write_frames(c, ds, to, path, fr + i, j - i, e);
        ++*n_files;
    }
    mlk_free(fr);
    return s;
}

mlk_status mlk_dataset_convert(int argc, char **argv, mlk_err *e)
{
    cfg c;
    int n;
    char **words;
    bool done;
    mlk_dataset ds = {0};
    size_t n_files = 0, n_added = SIZE_MAX; /* n_added: frames, when not all of ds */
    MLK_TRY(mlk_cmd_begin(
        convert_opts, &c, argc, argv, NULL, "mlkit dataset convert IN... -o OUT [options]",
        "Convert between vasprun.xml(.gz), extended XYZ, POSCAR and the HDF5 store of mlkit.\n"
        "All frames are kept with the labels they have; units and signs are converted.",
        "mlkit dataset convert run1/vasprun.xml run2/ -o data.h5", &n, &words, &done, e));
    if (done) return MLK_OK;
    if (!c.out[0]) {
        MLK_FAIL(e, MLK_EINVAL, "no output given");
        return mlk_err_hint(e, "add -o NAME.h5, NAME.xyz, NAME.xml.gz, or a folder NAME/");
    }
    target to = c.to == TO_AUTO ? by_ending(c.out) : (target)c.to;
    bool folder =
        c.out[strlen(c.out) - 1] == '/' || mlk_file_is_dir(c.out) ||
        (c.to != TO_AUTO && c.to != TO_H5 && c.to != TO_POSCAR && by_ending(c.out) == TO_AUTO);
    if (to == TO_AUTO) {
        MLK_FAIL(e, MLK_EINVAL, "cannot tell the format to write from the name '%s'", c.out);
        return mlk_err_hint(e, "use a known ending, or --to vasprun|extxyz|poscar|h5");
    }
    mlk_status s = mlk_dataset_inputs(&ds, n, words, c.from, true, "convert", e);
    for (size_t i = 0; i < ds.n && c.scf_converged; i++)
        if (ds.frame[i].scf == MLK_SCF_UNKNOWN) ds.frame[i].scf = MLK_SCF_CONVERGED;
    if (!s && c.append && (folder || to != TO_H5)) {
        s = MLK_FAIL(e, MLK_EINVAL, "--append adds to a store (NAME.h5), not to '%s'", c.out);
    } else if (!s && c.append) {
        s = mlk_dataset_append(&ds, c.out, &n_added, e);
        n_files = 1;
    } else if (!s && folder) {
        s = write_folder(&c, &ds, to, &n_files, e);
    } else if (!s) {
        s = to == TO_H5 ? mlk_dataset_may_write(&ds, c.out, c.force, e) : MLK_OK;
        if (!s)
            s = to == TO_H5 ? mlk_dataset_store(&ds, c.out, c.force, e)
                            : write_frames(&c, &ds, to, c.out, ds.frame, ds.n, e);
        n_files = 1;
    }
    if (!s && c.common.json) {
        json_t *j =
            json_pack("{s:I,s:I,s:s}", "n_frames", (json_int_t)(n_added < ds.n ? n_added : ds.n),
                      "n_files", (json_int_t)n_files, "output", c.out);
        s = mlk_json_write(j, "-", e);
        json_decref(j);
    } else if (!s) {
        mlk_log(MLK_LOG_INFO, "%s: %zu frames %s%s", c.out, n_added < ds.n ? n_added : ds.n,
                c.append ? "added" : "written", folder ? ", one file per group" : "");
    }
    mlk_dataset_free(&ds);
    return s;
}
