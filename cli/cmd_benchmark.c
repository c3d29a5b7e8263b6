/* cmd_benchmark.c - mlkit benchmark: the whole study in a run folder. */
#include <stdio.h>
#include <string.h>

#include "cli/campaign.h"
#include "cli/cmd.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"

typedef struct cfg {
    mlk_common common;
    mlk_settings set;
    char out[MLK_OPT_STR_MAX], file[MLK_OPT_STR_MAX], program[MLK_OPT_STR_MAX];
    char job[MLK_OPT_STR_MAX], slurm[MLK_OPT_STR_MAX];
    int emit;
    int jobs;
    bool dry_run;
} cfg;

static const mlk_opt opts[] = {
    MLK_SETTINGS_OPTS(cfg, set.),
    {"o", MLK_OPT_STR, offsetof(cfg, out), "mlkit-run", 0, 0, "", "run folder"},
    {"c", MLK_OPT_STR, offsetof(cfg, file), "", 0, 0, "", "settings from a campaign.yaml"},
    {"jobs", MLK_OPT_INT, offsetof(cfg, jobs), "0", 0, 1024, "",
     "jobs side by side; 0: one per core"},
    {"job", MLK_OPT_STR, offsetof(cfg, job), "", 0, 0, "",
     "run only this job of the study in RUN (for batch systems), as md/nep-1/0650K/r1"},
    {"dry-run", MLK_OPT_FLAG, offsetof(cfg, dry_run), "false", 0, 0, "",
     "print the plan with its time and disk space, and do nothing"},
    {"emit", MLK_OPT_CHOICE, offsetof(cfg, emit), "nothing", 0, 0, "nothing|slurm",
     "write job scripts for a cluster into RUN/slurm instead of running the study"},
    {"slurm-options", MLK_OPT_STR, offsetof(cfg, slurm), "", 0, 0, "",
     "options of sbatch for every script, as \"--partition=long --time=24:00:00\""},
    {"program", MLK_OPT_STR, offsetof(cfg, program), "", 0, 0, "",
     "the mlkit binary that runs the jobs; default: this one"},
    MLK_COMMON_OPTS(cfg),
    {0}};

enum { N_OPTS = sizeof opts / sizeof *opts };

/* Precedence: default < --quick < settings of the folder or of -c < command line. */
static mlk_status resolve(const cfg *c, const bool *given, mlk_settings *set, mlk_err *e)
{
    char buf[MLK_OPT_STR_MAX], yaml[MLK_OPT_STR_MAX + 32];
    bool any = false;
    memset(set, 0, sizeof *set);
    MLK_TRY(mlk_opt_defaults(mlk_settings_table, set, e));
    for (const mlk_opt *o = opts; o->key; o++)
        any |= given[o - opts] && mlk_opt_find(mlk_settings_table, o->key);
    if (c->set.quick)
        for (int k = 0; mlk_settings_quick[k][0]; k++)
            MLK_TRY(mlk_opt_set(mlk_settings_table, set, mlk_settings_quick[k][0],
                                mlk_settings_quick[k][1], e));
    if (*c->file) {
        MLK_TRY(mlk_settings_read(c->file, set, e));
    } else if (!any) {
        mlk_path_join(yaml, sizeof yaml, c->out, "campaign.yaml");
        if (*c->job && !mlk_file_exists(yaml)) {
            MLK_FAIL(e, MLK_EINVAL, "--job: there is no study in %s", c->out);
            return mlk_err_hint(e, "mlkit benchmark --emit slurm -o %s begins one", c->out);
        }
        if (mlk_file_exists(yaml)) {
            MLK_TRY(mlk_settings_read(yaml, set, e));
            mlk_log(MLK_LOG_INFO, "continuing %s with its settings", c->out);
        }
    }
    for (const mlk_opt *o = opts; o->key; o++)
        if (given[o - opts] && mlk_opt_find(mlk_settings_table, o->key))
            MLK_TRY(mlk_opt_set(mlk_settings_table, set, o->key,
                                mlk_opt_print(o, c, buf, sizeof buf), e));
    if (!*set->temps) {
        MLK_FAIL(e, MLK_EINVAL, "no temperatures given");
        mlk_err_hint(e, "for example: mlkit benchmark --temps 400:1200");
        return MLK_EINVAL;
    }
    return MLK_OK;
}

mlk_status mlk_cmd_benchmark(int argc, char **argv, mlk_err *e)
{
    cfg c;
    int n;
    char **words;
    bool done, given[N_OPTS] = {0};
    MLK_TRY(mlk_cmd_begin(opts, &c, argc, argv, given,
                          "mlkit benchmark --temps LIST [options] [-o RUN]",
                          "Fit several models to DFT data, run molecular dynamics with each at "
                          "every temperature, and\n"
                          "compare naive Green-Kubo with Onsager-corrected thermal conductivity. "
                          "Everything is kept in\n"
                          "the run folder; the same command continues an interrupted study.",
                          "mlkit benchmark --temps 400:1200", &n, &words, &done, e));
    if (done) return MLK_OK;
    if (n > 0) {
        MLK_FAIL(e, MLK_EINVAL, "unexpected word '%s'", words[0]);
        mlk_err_hint(e, "data are given with --data, the run folder with -o");
        return MLK_EINVAL;
    }
    if ((*c.job && (c.emit || c.dry_run)) || (*c.slurm && !c.emit)) {
        MLK_FAIL(e, MLK_EINVAL,
                 "--job, --emit and --dry-run exclude each other; --slurm-options "
                 "belongs to --emit slurm");
        return MLK_EINVAL;
    }
    mlk_settings set;
    MLK_TRY(resolve(&c, given, &set, e));
    json_t *summary = NULL;
    mlk_campaign_how how = {.jobs = c.jobs,
                            .dry_run = c.dry_run,
                            .program = *c.program ? c.program : NULL,
                            .run = c.out,
                            .job = c.job,
                            .slurm = c.emit ? c.slurm : NULL,
                            .threads = c.common.threads > 0 ? c.common.threads : 1,
                            .summary = c.common.json ? &summary : NULL};
    mlk_status s = mlk_campaign_run(&set, &how, e);
    if (summary) {
        mlk_err late = {0};
        if (mlk_json_write(summary, "-", s ? &late : e) && !s) s = e->code;
    }
    json_decref(summary);
    return s;
}
