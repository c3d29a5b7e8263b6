/* dataset_split.c - mlkit dataset split: training, validation and test. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/dataset_info.h"
#include "cli/dataset_verbs.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "datasets/split.h"
#include "parsers/parser.h"

typedef struct cfg {
    mlk_common common;
    char out[MLK_OPT_STR_MAX], hold[MLK_OPT_STR_MAX], hold_test[MLK_OPT_STR_MAX];
    bool force, again;
    int by;
    double valid, test;
} cfg;

static const mlk_opt split_opts[] = {
    {"o", MLK_OPT_STR, offsetof(cfg, out), "", 0, 0, "",
     "store (NAME.h5) that remembers the split, or a folder (NAME/) for train.xyz, valid.xyz and "
     "test.xyz"},
    {"by", MLK_OPT_CHOICE, offsetof(cfg, by), "group", 0, 0, "group|random|temperature",
     "what stays together: trajectory groups; only equal structures (flatters a model); or groups "
     "of held out temperatures"},
    {"valid", MLK_OPT_REAL, offsetof(cfg, valid), "0.1", 0, 0.9, "",
     "fraction of the frames for validation"},
    {"test", MLK_OPT_REAL, offsetof(cfg, test), "0", 0, 0.9, "",
     "fraction of the frames for a test part, which training never looks at"},
    {"hold", MLK_OPT_STR, offsetof(cfg, hold), "", 0, 0, "",
     "by temperature: highest (default) or lowest, as many as --valid asks for; or ranges in K for "
     "validation, whatever their fraction: 1000:1200 or :350,1400:"},
    {"hold-test", MLK_OPT_STR, offsetof(cfg, hold_test), "", 0, 0, "",
     "the same for the test part; lowest by default, where --test is given"},
    {"again", MLK_OPT_FLAG, offsetof(cfg, again), "false", 0, 0, "",
     "draw a new split where the data have one already"},
    {"force", MLK_OPT_FLAG, offsetof(cfg, force), "false", 0, 0, "", "write over existing files"},
    MLK_COMMON_OPTS(cfg),
    {0}};

static bool is_store(const char *path)
{
    const char *dot = strrchr(mlk_path_base(path), '.');
    return dot && (!strcasecmp(dot, ".h5") || !strcasecmp(dot, ".hdf5"));
}

/* The file of each part; a part without frames must not leave an old file of its name behind. */
static mlk_status write_parts(const cfg *c, const mlk_dataset *ds, mlk_err *e)
{
    static const char *const name[3] = {"train.xyz", "valid.xyz", "test.xyz"};
    char path[3][MLK_OPT_STR_MAX + 16];
    mlk_frame *fr = mlk_alloc(ds->n, sizeof *fr);
    if (!fr) return MLK_FAIL(e, MLK_ENOMEM, "no memory to split %zu frames", ds->n);
    mlk_status s = mlk_mkdir_p(c->out, e);
    for (int part = 0; part < 3 && !s; part++) {
        mlk_path_join(path[part], sizeof path[part], c->out, name[part]);
        s = mlk_dataset_may_write(ds, path[part], c->force, e);
    }
    for (int part = 0; part < 3 && !s; part++) {
        size_t m = 0;
        for (size_t i = 0; i < ds->n; i++)
            if (ds->split[i] == part) fr[m++] = ds->frame[i];
        if (m)
            s = mlk_write_extxyz(path[part], fr, m, e);
        else if (unlink(path[part]) == 0)
            mlk_log(MLK_LOG_WARN, "%s: removed, this part has no frames now", path[part]);
    }
    mlk_free(fr);
    return s;
}

static mlk_status make_plan(const cfg *c, mlk_split_plan *p, mlk_err *e)
{
    *p = (mlk_split_plan){.by = (mlk_split_by)c->by,
                          .valid = c->valid,
                          .test = c->test,
                          .seed = (uint64_t)c->common.seed};
    if (c->hold[0] || c->hold_test[0]) {
        if (p->by == MLK_SPLIT_BY_RANDOM)
            return MLK_FAIL(e, MLK_EINVAL, "--hold is a split by temperature, not a random one");
        p->by = MLK_SPLIT_BY_TEMPERATURE;
    }
    MLK_TRY(mlk_hold_parse(c->hold[0] ? c->hold : "highest", &p->hold, e));
    return mlk_hold_parse(c->hold_test[0] ? c->hold_test : "lowest", &p->hold_test, e);
}

/* A split that came with the data (of a store) was made on purpose: kept unless asked. */
static mlk_status split(const cfg *c, mlk_dataset *ds, mlk_err *e)
{
    mlk_split_plan p;
    MLK_TRY(make_plan(c, &p, e));
    if (c->again || !mlk_dataset_is_split(ds)) return mlk_dataset_split_by(ds, &p, e);
    mlk_log(MLK_LOG_WARN,
            "the data have a split already, which is kept; --again draws a new one as the options "
            "say");
    return MLK_OK;
}

static mlk_status write_out(const cfg *c, const mlk_dataset *ds, mlk_err *e)
{
    bool folder = c->out[0] && (c->out[strlen(c->out) - 1] == '/' || mlk_file_is_dir(c->out));
    if (!c->out[0]) return MLK_OK;
    if (folder) return write_parts(c, ds, e);
    if (!is_store(c->out))
        return MLK_FAIL(e, MLK_EINVAL,
                        "a split is written to a store (.h5) or a folder (NAME/), not '%s'",
                        c->out);
    MLK_TRY(mlk_dataset_may_write(ds, c->out, c->force, e));
    return mlk_dataset_store(ds, c->out, c->force, e);
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
        "Split usable frames into training, validation and test: by trajectory group, covering\n"
        "the temperature range (default), or by temperatures that training must not see. Random\n"
        "splits of the frames of one run flatter a model.",
        "mlkit dataset split runs/ --valid 0.1 --test 0.1 -o split.h5", &n, &words, &done, e));
    if (done) return MLK_OK;
    mlk_status s = mlk_dataset_inputs(&ds, n, words, NULL, false, "split", e);
    if (!s) s = split(&c, &ds, e);
    if (!s) s = write_out(&c, &ds, e);
    if (!s) s = mlk_dataset_split_show(&ds, c.common.json, e);
    mlk_dataset_free(&ds);
    return s;
}
