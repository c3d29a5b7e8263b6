/* dataset_split.c - mlkit dataset split: training and validation. */
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
#include "datasets/dataset.h"
#include "parsers/parser.h"

typedef struct cfg {
    mlk_common common;
    char out[MLK_OPT_STR_MAX];
    bool force;
    double valid;
} cfg;

static const mlk_opt split_opts[] = {
    {"o", MLK_OPT_STR, offsetof(cfg, out), "", 0, 0, "",
     "store (NAME.h5) that remembers the split, or a folder (NAME/) for train.xyz and valid.xyz"},
    {"valid", MLK_OPT_REAL, offsetof(cfg, valid), "0.1", 0, 0.9, "",
     "fraction of the frames for validation"},
    {"force", MLK_OPT_FLAG, offsetof(cfg, force), "false", 0, 0, "", "write over existing files"},
    MLK_COMMON_OPTS(cfg),
    {0}};

static bool is_store(const char *path)
{
    const char *dot = strrchr(mlk_path_base(path), '.');
    return dot && (!strcasecmp(dot, ".h5") || !strcasecmp(dot, ".hdf5"));
}

static mlk_status write_parts(const cfg *c, const mlk_dataset *ds, mlk_err *e)
{
    static const char *const name[2] = {"train.xyz", "valid.xyz"};
    mlk_frame *fr = mlk_alloc(ds->n, sizeof *fr);
    if (!fr) return MLK_FAIL(e, MLK_ENOMEM, "no memory to split %zu frames", ds->n);
    mlk_status s = mlk_mkdir_p(c->out, e);
    for (int part = 0; part < 2 && !s; part++) {
        char path[MLK_OPT_STR_MAX + 16];
        size_t m = 0;
        for (size_t i = 0; i < ds->n; i++)
            if (ds->split[i] == part) fr[m++] = ds->frame[i];
        mlk_path_join(path, sizeof path, c->out, name[part]);
        if (m) s = mlk_dataset_may_write(ds, path, c->force, e);
        if (m && !s) s = mlk_write_extxyz(path, fr, m, e);
    }
    mlk_free(fr);
    return s;
}

mlk_status mlk_dataset_splitting(int argc, char **argv, mlk_err *e)
{
    cfg c;
    int n;
    char **words;
    bool done;
    mlk_dataset ds = {0};
    MLK_TRY(mlk_cmd_begin(
        split_opts, &c, argc, argv, NULL, "mlkit dataset split DATA... -o OUT [options]",
        "Split usable frames into training and validation by trajectory group, covering the\n"
        "temperature range. Random splits of the frames of one run flatter a model.",
        "mlkit dataset split runs/ --valid 0.1 -o split.h5", &n, &words, &done, e));
    if (done) return MLK_OK;
    mlk_status s = mlk_dataset_inputs(&ds, n, words, NULL, false, "split", e);
    if (!s) s = mlk_dataset_split(&ds, c.valid, (uint64_t)c.common.seed, 1, e);
    bool folder = c.out[0] && (c.out[strlen(c.out) - 1] == '/' || mlk_file_is_dir(c.out));
    if (!s && c.out[0] && !folder && !is_store(c.out)) {
        s = MLK_FAIL(e, MLK_EINVAL,
                     "a split is written to a store (.h5) or a folder (NAME/), not '%s'", c.out);
    } else if (!s && c.out[0]) {
        s = folder ? write_parts(&c, &ds, e) : mlk_dataset_may_write(&ds, c.out, c.force, e);
        if (!s && !folder) s = mlk_dataset_store(&ds, c.out, c.force, e);
    }
    if (!s) s = mlk_dataset_split_show(&ds, c.common.json, e);
    mlk_dataset_free(&ds);
    return s;
}
