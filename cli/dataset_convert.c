/* dataset_convert.c - mlkit dataset convert: every format mlkit reads to those it writes. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/cmd.h"
#include "cli/dataset_folder.h"
#include "cli/dataset_info.h"
#include "cli/dataset_verbs.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "datasets/store.h"
#include "parsers/parser.h"
#include "parsers/writers.h"

typedef struct cfg {
    mlk_common common;
    char out[MLK_OPT_STR_MAX], from[MLK_OPT_STR_MAX], program[MLK_OPT_STR_MAX],
        program_version[MLK_OPT_STR_MAX];
    int to;
    bool force, append, scf_converged;
} cfg;

static mlk_status vasprun(const cfg *c, const char *path, const mlk_frame *fr, size_t n, mlk_err *e)
{
    return mlk_write_vasprun(path, fr, n, c->program, c->program_version, e);
}

static mlk_status extxyz(const cfg *c, const char *path, const mlk_frame *fr, size_t n, mlk_err *e)
{
    (void)c;
    return mlk_write_extxyz(path, fr, n, e);
}

static mlk_status gpumd(const cfg *c, const char *path, const mlk_frame *fr, size_t n, mlk_err *e)
{
    (void)c;
    return mlk_write_gpumd(path, fr, n, e);
}

static mlk_status n2p2(const cfg *c, const char *path, const mlk_frame *fr, size_t n, mlk_err *e)
{
    (void)c;
    return mlk_write_n2p2(path, fr, n, e);
}

static mlk_status n2p2_bohr(const cfg *c, const char *path, const mlk_frame *fr, size_t n,
                            mlk_err *e)
{
    (void)c;
    return mlk_write_n2p2_bohr(path, fr, n, e);
}

/* Every format that can be written, once: name, endings that choose it, ending of the files of a
 * folder with one per group, and the writer of many frames, of one, or of a folder of its own. */
#define TARGETS(X)                                                                                 \
    X("vasprun", ".xml .xml.gz", ".xml.gz", vasprun, NULL, NULL, false)                            \
    X("extxyz", ".xyz .xyz.gz .extxyz .extxyz.gz", ".xyz", extxyz, NULL, NULL, false)              \
    X("poscar", ".vasp .poscar", NULL, NULL, mlk_write_poscar, mlk_write_poscar_runs, false)       \
    X("h5", ".h5 .hdf5", NULL, NULL, NULL, NULL, false)                                            \
    X("gpumd", "", ".xyz", gpumd, NULL, NULL, true)                                                \
    X("n2p2", "input.data input.data.gz", ".data", n2p2, NULL, NULL, true)                         \
    X("n2p2-bohr", "", ".data", n2p2_bohr, NULL, NULL, true)                                       \
    X("deepmd", "", NULL, NULL, NULL, mlk_write_deepmd, true)                                      \
    X("lammps", ".lmp .lammps .data", NULL, NULL, mlk_write_lammps, NULL, false)

typedef struct target {
    const char *name, *endings, *group_ending;
    mlk_status (*frames)(const cfg *, const char *, const mlk_frame *, size_t, mlk_err *);
    mlk_status (*frame)(const char *, const mlk_frame *, mlk_err *);
    mlk_status (*folder)(const char *, const mlk_frame *, size_t, size_t *, mlk_err *);
    bool labelled; /* frames without energy or forces are left out */
} target;

#define TARGET_ROW(...) {__VA_ARGS__},
#define TARGET_NAME(name, ...) "|" name
static const target targets[] = {TARGETS(TARGET_ROW)};
enum { N_TARGETS = sizeof targets / sizeof *targets };

static const mlk_opt convert_opts[] = {
    {"o", MLK_OPT_STR, offsetof(cfg, out), "", 0, 0, "",
     "output file; a folder (NAME/): one file per trajectory group, or what --to says"},
    {"to", MLK_OPT_CHOICE, offsetof(cfg, to), "auto", 0, 0, "auto" TARGETS(TARGET_NAME),
     "format to write; auto: by the ending of -o (.xml .xyz .extxyz .vasp .poscar POSCAR .h5 "
     "input.data .lmp, text also .gz). deepmd: a folder of systems; poscar with a folder: one run "
     "folder for each frame"},
    {"from", MLK_OPT_STR, offsetof(cfg, from), "", 0, 0, "",
     "format to read (vasprun, extxyz, n2p2-bohr, ...); by content when not given"},
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

/* The target with the longest ending that fits, or NULL. */
static const target *by_ending(const char *path)
{
    const char *base = mlk_path_base(path);
    const target *found = NULL;
    size_t longest = 0;
    for (int k = 0; k < N_TARGETS; k++)
        for (const char *p = targets[k].endings; *p;) {
            char ending[32];
            size_t m = strcspn(p, " ");
            snprintf(ending, sizeof ending, "%.*s", (int)m, p);
            if (m > longest && mlk_path_ends(base, ending)) {
                found = &targets[k];
                longest = m;
            }
            p += m + (p[m] == ' ');
        }
    if (found) return found;
    const bool poscar = !strncmp(base, "POSCAR", 6) || !strncmp(base, "CONTCAR", 7);
    return poscar ? &targets[2] : NULL;
}

static mlk_status write_frames(const cfg *c, const mlk_dataset *ds, const target *t,
                               const char *path, const mlk_frame *fr, size_t n, mlk_err *e)
{
    MLK_TRY(mlk_dataset_may_write(ds, path, c->force, e));
    if (t->frames) return t->frames(c, path, fr, n, e);
    if (n > 1)
        mlk_log(MLK_LOG_WARN,
                "%s: holds one structure; the last of %zu frames is written (a folder, NAME/, "
                "takes all)",
                path, n);
    return t->frame(path, fr + n - 1, e);
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
static mlk_status write_groups(const cfg *c, const mlk_dataset *ds, const target *t,
                               size_t *n_files, mlk_err *e)
{
    mlk_frame *fr = grouped(ds, e);
    if (!fr) return e->code;
    mlk_status s = mlk_mkdir_p(c->out, e);
    for (size_t i = 0, j; i < ds->n && !s; i = j) {
        char name[96], path[MLK_OPT_STR_MAX + 128];
        for (j = i; j < ds->n && !strcmp(fr[j].group, fr[i].group);) j++;
        snprintf(name, sizeof name, "%s%s", fr[i].group[0] ? fr[i].group : "frames",
                 t->group_ending);
        for (char *p = name; *p; p++)
            if (*p == '/' || (unsigned char)*p < ' ') *p = '_';
        mlk_path_join(path, sizeof path, c->out, name);
        s = write_frames(c, ds, t, path, fr + i, j - i, e);
        ++*n_files;
    }
    mlk_free(fr);
    return s;
}

static mlk_status write_folder(const cfg *c, const mlk_dataset *ds, const target *t,
                               size_t *n_files, mlk_err *e)
{
    mlk_folder f;
    if (!t->folder) return write_groups(c, ds, t, n_files, e);
    MLK_TRY(mlk_folder_begin(&f, ds, c->out, c->force, e));
    mlk_status s = t->folder(f.work, ds->frame, ds->n, n_files, e);
    mlk_status s2 = mlk_folder_end(&f, s != MLK_OK, e);
    return s ? s : s2;
}

static mlk_status write_file(const cfg *c, const mlk_dataset *ds, const target *t, mlk_err *e)
{
    if (t->frames || t->frame) return write_frames(c, ds, t, c->out, ds->frame, ds->n, e);
    MLK_TRY(mlk_dataset_may_write(ds, c->out, c->force, e));
    return mlk_dataset_store(ds, c->out, c->force, e);
}

/* What to write, and whether it is a folder. */
static mlk_status choose(const cfg *c, const target **t, bool *folder, mlk_err *e)
{
    if (!c->out[0]) {
        MLK_FAIL(e, MLK_EINVAL, "no output given");
        return mlk_err_hint(e, "add -o NAME.h5, NAME.xyz, NAME.xml.gz, or a folder NAME/");
    }
    const target *by_name = c->to ? &targets[c->to - 1] : NULL, *by_end = by_ending(c->out);
    *t = by_name ? by_name : by_end;
    if (!*t) {
        MLK_FAIL(e, MLK_EINVAL, "cannot tell the format to write from the name '%s'", c->out);
        return mlk_err_hint(e, "use a known ending, or --to %s", &("" TARGETS(TARGET_NAME))[1]);
    }
    const bool store = !(*t)->frames && !(*t)->frame && !(*t)->folder;
    if (c->append && !store)
        return MLK_FAIL(e, MLK_EINVAL, "--append adds to a store (NAME.h5), not to '%s'", c->out);
    const bool own = (*t)->folder && !(*t)->frame, able = (*t)->folder || (*t)->group_ending;
    *folder = own || c->out[strlen(c->out) - 1] == '/' || mlk_file_is_dir(c->out) ||
              ((*t)->group_ending && !by_end);
    if (!*folder || able) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "%s is written to a file, '%s' is a folder", (*t)->name, c->out);
    return mlk_err_hint(e, "name a file, or choose another format with --to");
}

static size_t count_written(const mlk_dataset *ds, const target *t, bool folder)
{
    const unsigned need = MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_CELL;
    size_t n = 0;
    if (t->frame && !folder) return 1;
    for (size_t k = 0; k < ds->n; k++) n += !t->labelled || (ds->frame[k].has & need) == need;
    return n;
}

static mlk_status report(const cfg *c, const target *t, bool folder, size_t n, size_t n_files,
                         mlk_err *e)
{
    if (!c->common.json) {
        mlk_log(MLK_LOG_INFO, "%s: %zu frame%s %s%s", c->out, n, n == 1 ? "" : "s",
                c->append ? "added" : "written",
                !folder      ? ""
                : !t->folder ? ", one file per group"
                : t->frame   ? ", one folder each; index.tsv says where they are from"
                             : ", one system per formula");
        return MLK_OK;
    }
    json_t *j = json_pack("{s:I,s:I,s:s}", "n_frames", (json_int_t)n, "n_files",
                          (json_int_t)n_files, "output", c->out);
    mlk_status s = mlk_json_write(j, "-", e);
    json_decref(j);
    return s;
}

mlk_status mlk_dataset_convert(int argc, char **argv, mlk_err *e)
{
    cfg c;
    int n;
    char **words;
    bool done, folder;
    const target *t = targets;
    mlk_dataset ds = {0};
    size_t n_files = 1, n_written = 0;
    MLK_TRY(mlk_cmd_begin(
        convert_opts, &c, argc, argv, NULL, "mlkit dataset convert IN... -o OUT [options]",
        "Convert between vasprun.xml(.gz), extended XYZ, POSCAR, the HDF5 store of mlkit and the\n"
        "files of GPUMD, n2p2, DeePMD-kit and LAMMPS. All frames are kept with the labels they\n"
        "have and the target knows; units and signs are converted.",
        "mlkit dataset convert run1/vasprun.xml run2/ -o data.h5", &n, &words, &done, e));
    if (done) return MLK_OK;
    MLK_TRY(choose(&c, &t, &folder, e));
    mlk_status s = mlk_dataset_inputs(&ds, n, words, c.from, true, "convert", e);
    for (size_t i = 0; i < ds.n && c.scf_converged; i++)
        if (ds.frame[i].scf == MLK_SCF_UNKNOWN) ds.frame[i].scf = MLK_SCF_CONVERGED;
    if (!s && c.append) {
        s = mlk_dataset_append(&ds, c.out, &n_written, e);
    } else if (!s && folder) {
        n_files = 0;
        s = write_folder(&c, &ds, t, &n_files, e);
    } else if (!s) {
        s = write_file(&c, &ds, t, e);
    }
    if (!c.append) n_written = count_written(&ds, t, folder);
    if (!s) s = report(&c, t, folder, n_written, n_files, e);
    mlk_dataset_free(&ds);
    return s;
}
