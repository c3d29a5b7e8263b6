/* campaign_dry.c - mlkit benchmark --dry-run: the commands, and what they will cost. See
 * campaign_run.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/campaign_run.h"
#include "core/log.h"
#include "core/mem.h"

/* one row of the table: the jobs of one kind, of MD those of one type of model */
typedef struct stage {
    char name[64];
    size_t jobs, done;
    double cpu, wall, longest, bytes;
} stage;

static const char *kind_name(mlk_job_kind k)
{
    static const char *const name[] = {"dataset",   "structure", "model",     "train", "md",
                                       "transport", "validate",  "committee", "report"};
    return name[k];
}

/* As many as there are kinds and model types; returns how many. */
static size_t stages(const mlk_campaign *c, int cores, stage *st)
{
    size_t n = 0;
    for (size_t k = 0; k < c->n_job; k++) {
        const mlk_job *j = &c->job[k];
        stage *q = st;
        char name[64];
        snprintf(name, sizeof name, "%s%s%s", kind_name(j->kind), j->kind == MLK_JOB_MD ? " " : "",
                 j->kind == MLK_JOB_MD ? c->model[j->model].type : "");
        while (q < st + n && strcmp(q->name, name)) q++;
        if (q == st + n) n++, *q = (stage){0}, snprintf(q->name, sizeof q->name, "%s", name);
        q->jobs++, q->done += !j->must;
        if (!j->must) continue;
        q->cpu += j->estimate, q->longest = fmax(q->longest, j->estimate);
        q->bytes += mlk_job_bytes(c, j);
    }
    for (size_t k = 0; k < n; k++) {
        double open = (double)(st[k].jobs - st[k].done),
               threads = open > 0 ? floor(cores / open) : 1;
        bool splits = !strncmp(st[k].name, "md", 2);
        st[k].wall = fmax(st[k].cpu / cores, st[k].longest / (splits ? fmax(1, threads) : 1));
    }
    return n;
}

static mlk_status command(const mlk_campaign *c, const mlk_job *j, char *line, size_t cap,
                          mlk_err *e)
{
    char **argv;
    if (!j->must) {
        snprintf(line, cap, "# %s: done", j->id);
    } else if (j->kind == MLK_JOB_STRUCTURE) {
        snprintf(line, cap, "# %s: choose the start structure and the supercell", j->id);
    } else if (j->kind == MLK_JOB_MODEL) {
        snprintf(line, cap, "# %s: copy %s", j->id, c->model[j->model].from);
    } else {
        MLK_TRY(mlk_campaign_argv(c, j, &argv, e));
        mlk_argv_print(argv, line, cap);
        mlk_argv_free(argv);
    }
    return MLK_OK;
}

static json_t *as_json(const mlk_campaign *c, const stage *st, size_t n, const stage *all,
                       mlk_disk d, int cores)
{
    json_t *list = json_array(), *speeds = json_array(), *j = json_object();
    for (size_t k = 0; k < n; k++)
        json_array_append_new(
            list, json_pack("{s:s,s:I,s:I,s:o,s:o,s:o}", "stage", st[k].name, "jobs",
                            (json_int_t)st[k].jobs, "done", (json_int_t)st[k].done, "cpu_s",
                            mlk_json_real(st[k].cpu), "wall_s", mlk_json_real(st[k].wall), "bytes",
                            mlk_json_real(st[k].bytes)));
    for (int m = 0; m < c->n_model; m++)
        json_array_append_new(
            speeds, json_pack("{s:s,s:o,s:b,s:s}", "model", c->model[m].name, "atom_steps_per_s",
                              mlk_json_real(c->model[m].speed), "measured", (int)c->model[m].timed,
                              "from", c->model[m].speed_from));
    json_object_set_new(j, "stages", list);
    json_object_set_new(j, "speeds", speeds);
    json_object_set_new(j, "atoms", mlk_json_real(c->atoms));
    json_object_set_new(j, "side_by_side", json_integer(cores));
    json_object_set_new(j, "cpu_s", mlk_json_real(all->cpu));
    json_object_set_new(j, "wall_s", mlk_json_real(all->wall));
    json_object_set_new(j, "bytes", mlk_json_real(d.kept));
    json_object_set_new(j, "bytes_needed", mlk_json_real(d.need));
    json_object_set_new(j, "bytes_free", mlk_json_real(d.free));
    return j;
}

static void row(const stage *s)
{
    char cpu[32], wall[32], disk[32];
    printf("# %-12s %5zu %5zu  %12s  %12s  %8s\n", s->name, s->jobs - s->done, s->done,
           mlk_duration(s->cpu, cpu), mlk_duration(s->wall, wall), mlk_bytes(s->bytes, disk));
}

static void table(const mlk_campaign *c, const stage *st, size_t n, const stage *all, mlk_disk d,
                  int cores)
{
    char need[32], have[32];
    printf("#\n# %-12s %5s %5s  %12s  %12s  %8s\n", "stage", "to do", "done", "CPU time",
           cores == 1 ? "one by one" : "side by side", "disk");
    for (size_t k = 0; k < n; k++) row(&st[k]);
    row(all);
    printf("# %d thread%s; runs of %.0f atoms%s\n", cores, cores == 1 ? "" : "s", c->atoms,
           c->n_atoms || *c->set.structure ? "" : " (assumed: the structure is chosen later)");
    for (int m = 0; m < c->n_model; m++)
        printf("# speed of %s: %.2g atom*step/s and thread (%s)\n", c->model[m].name,
               c->model[m].speed, c->model[m].speed_from);
    printf("# disk: %s needed while it runs, %s free\n", mlk_bytes(d.need, need),
           mlk_bytes(d.free, have));
}

mlk_status mlk_campaign_dry_run(mlk_campaign *c, int cores, json_t **json, mlk_err *e)
{
    stage st[MLK_JOB_REPORT + 1 + MLK_CAMPAIGN_MODELS], all = {.name = "all"};
    char line[MLK_COMMAND_MAX];
    json_t *lines = json_array();
    mlk_campaign_speeds(c);
    mlk_status s = MLK_OK;
    for (size_t k = 0; !s && k < c->n_job; k++) {
        s = command(c, &c->job[k], line, sizeof line, e);
        if (!s && json) json_array_append_new(lines, json_string(line));
        if (!s && !json) puts(line);
    }
    size_t n = stages(c, cores, st);
    for (size_t k = 0; k < n; k++) {
        all.jobs += st[k].jobs, all.done += st[k].done;
        all.cpu += st[k].cpu, all.wall += st[k].wall, all.bytes += st[k].bytes;
    }
    mlk_disk d = mlk_campaign_disk(c, cores);
    if (!s && !json) table(c, st, n, &all, d, cores);
    if (!s && json) {
        *json = as_json(c, st, n, &all, d, cores);
        json_object_set(*json, "commands", lines);
    }
    json_decref(lines);
    return s;
}
