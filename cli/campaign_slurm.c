/* campaign_slurm.c - a study as scripts for Slurm, RUN/slurm/: an array job per stage, whose
 * elements each run one job through `mlkit benchmark --job`: the same journal, locks and checks as
 * here. See campaign_run.h and docs/FORMATS.md. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/campaign_run.h"
#include "core/file.h"
#include "core/log.h"

/* Stages in the order of submission. A stage waits for the end of those it is made from, whether
 * all of their elements succeeded or not: an element whose own inputs are missing says so and
 * fails. */
static const struct stage {
    const char *name;
    unsigned kinds;       /* 1 << mlk_job_kind                            */
    bool one;             /* one after the other in one script, no array   */
    const char *after[6]; /* NULL-ended */
} stages[] = {
    {"prepare",
     1u << MLK_JOB_DATASET | 1u << MLK_JOB_STRUCTURE | 1u << MLK_JOB_MODEL,
     true,
     {NULL}},
    {"train", 1u << MLK_JOB_TRAIN, false, {"prepare"}},
    {"md", 1u << MLK_JOB_MD, false, {"prepare", "train"}},
    {"transport", 1u << MLK_JOB_TRANSPORT, false, {"md"}},
    {"validate", 1u << MLK_JOB_VALIDATE | 1u << MLK_JOB_COMMITTEE, false, {"prepare", "train"}},
    {"report", 1u << MLK_JOB_REPORT, true, {"prepare", "train", "md", "transport", "validate"}},
};
enum { N_STAGES = sizeof stages / sizeof *stages, ARRAY_MOST = 1000 /* below MaxArraySize 1001 */ };

typedef struct place {
    char run[1024], program[1024], dir[1100]; /* absolute */
} place;

static bool is_part(const struct stage *st, const mlk_job *j)
{
    return j->must && st->kinds & 1u << j->kind;
}

static size_t count(const mlk_campaign *c, const struct stage *st)
{
    size_t n = 0;
    for (size_t k = 0; k < c->n_job; k++) n += is_part(st, &c->job[k]);
    return n;
}

/* A path as one word of a shell, also inside of the command lines that the scripts eval. */
static void quoted(FILE *f, const char *word)
{
    fputc('\'', f);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", f);
        else
            fputc(*word, f);
    fputc('\'', f);
}

static mlk_status begin(const place *p, const char *name, const char *ending, mlk_out *o,
                        mlk_err *e)
{
    char path[1300];
    snprintf(path, sizeof path, "%s/%s%s", p->dir, name, ending);
    return mlk_out_begin(o, path, e);
}

static mlk_status end(mlk_out *o, bool program, mlk_err *e)
{
    char path[sizeof o->path];
    snprintf(path, sizeof path, "%s", o->path);
    MLK_TRY(mlk_out_commit(o, e));
    if (program) chmod(path, 0755);
    return MLK_OK;
}

static mlk_status write_commands(const mlk_campaign *c, const mlk_campaign_how *how, const place *p,
                                 const struct stage *st, mlk_err *e)
{
    mlk_out o;
    MLK_TRY(begin(p, st->name, ".commands.txt", &o, e));
    for (size_t k = 0; k < c->n_job; k++) {
        if (!is_part(st, &c->job[k])) continue;
        quoted(o.fp, p->program);
        fputs(" benchmark -o ", o.fp), quoted(o.fp, p->run);
        fprintf(o.fp, " --job %s --threads %d\n", c->job[k].id, how->threads);
    }
    return end(&o, false, e);
}

/* #SBATCH lines: each option on its own. */
static void sbatch_lines(FILE *f, const char *options)
{
    char list[MLK_OPT_STR_MAX], *save = NULL;
    snprintf(list, sizeof list, "%s", options);
    for (char *w = strtok_r(list, " ", &save); w; w = strtok_r(NULL, " ", &save))
        fprintf(f, "%s%s", *w == '-' ? "\n#SBATCH " : " ", w);
}

/* Slurm sends USR1 before the time is over: the job is stopped at a checkpoint and queued again.
 * TERM (scancel) stops it at a checkpoint too, and leaves it at that. */
static const char body[] =
    "\n\n"
    "# $1: lines of the list before this array\n"
    "stop= again= pid=\n"
    "trap 'again=1 stop=1; kill -TERM $pid 2>/dev/null' USR1\n"
    "trap 'stop=1; kill -TERM $pid 2>/dev/null' TERM\n"
    "run() {\n"
    "    echo \"$1\"\n"
    "    eval \"$1\" '&'\n"
    "    pid=$!\n"
    "    while :; do # a signal interrupts wait\n"
    "        wait $pid; status=$?\n"
    "        kill -0 $pid 2>/dev/null || break\n"
    "    done\n"
    "    [ -z \"$stop\" ] || [ $status != 0 ] || stop= again=\n"
    "    [ -z \"$stop\" ] || leave\n"
    "}\n"
    "leave() {\n"
    "    if [ -z \"$again\" ]; then echo 'stopped; submit.sh goes on with it'\n"
    "    elif scontrol requeue \"$SLURM_JOB_ID\"; then echo 'out of time: queued again'\n"
    "    else echo 'out of time: run submit.sh again'; fi\n"
    "    exit $status\n"
    "}\n";

static mlk_status write_script(const mlk_campaign_how *how, const place *p, const struct stage *st,
                               mlk_err *e)
{
    mlk_out o;
    MLK_TRY(begin(p, st->name, ".sh", &o, e));
    FILE *f = o.fp;
    fprintf(f, "#!/bin/bash\n# %s of a study; submitted by submit.sh\n", st->name);
    fprintf(f, "#SBATCH --job-name=mlkit-%s\n#SBATCH --ntasks=1\n#SBATCH --cpus-per-task=%d\n",
            st->name, how->threads);
    fprintf(f, "#SBATCH --output=%s/logs/%s-%%%s.log\n#SBATCH --open-mode=append\n", p->dir,
            st->name, st->one ? "j" : "A_%a");
    fputs("#SBATCH --signal=B:USR1@120\n#SBATCH --requeue", f);
    sbatch_lines(f, how->slurm);
    fputs(body, f);
    fputs("list=", f), quoted(f, p->dir), fprintf(f, "/%s.commands.txt\n", st->name);
    if (st->one)
        fputs("bad=0\nmapfile -t lines <\"$list\"\nfor line in \"${lines[@]}\"; do\n"
              "    run \"$line\"; [ $status = 0 ] || bad=$status\ndone\nexit $bad\n",
              f);
    else
        fputs("run \"$(sed -n \"$(($1 + SLURM_ARRAY_TASK_ID))p\" \"$list\")\"\nexit $status\n", f);
    return end(&o, true, e);
}

/* The shell variable that holds the ids of a stage: all those it waits for that exist. */
static void dependency(const mlk_campaign *c, const struct stage *st, FILE *f)
{
    bool any = false;
    for (int k = 0; st->after[k]; k++)
        for (int q = 0; q < N_STAGES; q++) {
            if (strcmp(stages[q].name, st->after[k]) || !count(c, &stages[q])) continue;
            if (!any) fputs(" --dependency=afterany", f);
            any = true;
            fprintf(f, "$%s", st->after[k]);
        }
}

static mlk_status write_submit(const mlk_campaign *c, const place *p, mlk_err *e)
{
    mlk_out o;
    MLK_TRY(begin(p, "submit", ".sh", &o, e));
    FILE *f = o.fp;
    fputs(
        "#!/bin/sh\n# Submit the stages of this study, each after those it needs. What is done is\n"
        "# left alone: run this again to go on after a failure.\nset -e\ncd ",
        f);
    quoted(f, p->dir);
    fputs("\nmkdir -p logs\nid() { out=$(sbatch --parsable \"$@\") && echo \"${out%%;*}\"; }\n", f);
    for (int k = 0; k < N_STAGES; k++) {
        const struct stage *st = &stages[k];
        size_t n = count(c, st);
        for (size_t from = 0; from < n; from += ARRAY_MOST) {
            size_t some = n - from < ARRAY_MOST ? n - from : ARRAY_MOST;
            fprintf(f, "%s=%s%s:$(id", st->name, from ? "$" : "", from ? st->name : "");
            if (!st->one) fprintf(f, " --array=1-%zu", some);
            dependency(c, st, f);
            fprintf(f, " %s.sh %zu)\n", st->name, from);
            if (st->one) break;
        }
        if (n)
            fprintf(f, "echo \"%s: %zu job%s ${%s#:}\"\n", st->name, n, n > 1 ? "s," : ",",
                    st->name);
    }
    return end(&o, true, e);
}

static mlk_status find_place(const mlk_campaign *c, place *p, mlk_err *e)
{
    snprintf(p->run, sizeof p->run, "%s", c->run);
    MLK_TRY(mlk_path_absolute(p->run, sizeof p->run, "the run folder", e));
    snprintf(p->program, sizeof p->program, "%s", c->program);
    MLK_TRY(mlk_path_absolute(p->program, sizeof p->program, "the program", e));
    mlk_path_join(p->dir, sizeof p->dir, p->run, "slurm");
    if (!strpbrk(p->dir, " %\n")) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "'%s' cannot stand in an #SBATCH line", p->dir);
    return mlk_err_hint(e, "give a run folder without blanks and percent signs");
}

mlk_status mlk_campaign_slurm(const mlk_campaign *c, const mlk_campaign_how *how, mlk_err *e)
{
    place p;
    char logs[1200];
    size_t n = 0;
    if (strchr(how->slurm, '\n') || (*how->slurm && *how->slurm != '-'))
        return MLK_FAIL(e, MLK_EINVAL, "--slurm-options '%s': expected options as --partition=NAME",
                        how->slurm);
    MLK_TRY(find_place(c, &p, e));
    MLK_TRY(mlk_mkdir_p(mlk_path_join(logs, sizeof logs, p.dir, "logs"), e));
    for (int k = 0; k < N_STAGES; k++) {
        size_t here = count(c, &stages[k]);
        n += here;
        if (!here) continue;
        MLK_TRY(write_commands(c, how, &p, &stages[k], e));
        MLK_TRY(write_script(how, &p, &stages[k], e));
    }
    if (!n) {
        mlk_log(MLK_LOG_INFO, "all %zu jobs of %s are done: nothing to submit", c->n_job, c->run);
        return MLK_OK;
    }
    MLK_TRY(write_submit(c, &p, e));
    printf("%zu of %zu jobs are to be run; submit them with\n  sh %s/submit.sh\n", n, c->n_job,
           p.dir);
    return MLK_OK;
}
