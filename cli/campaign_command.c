/* campaign_command.c - the command line of a job of a study. See campaign.h. */
#include <stdio.h>
#include <string.h>

#include "cli/campaign.h"
#include "core/mem.h"

static mlk_status push(char ***argv, size_t *cap, size_t *n, const char *word, mlk_err *e)
{
    MLK_TRY(MLK_GROW(*argv, *cap, *n + 2, e));
    (*argv)[*n] = mlk_strdup(word);
    if (!(*argv)[*n]) return MLK_FAIL(e, MLK_ENOMEM, "command of a job");
    ++*n;
    return MLK_OK;
}

void mlk_argv_free(char **argv)
{
    for (char **p = argv; p && *p; p++) mlk_free(*p);
    mlk_free(argv);
}

void mlk_argv_print(char *const *argv, char *buf, size_t cap)
{
    size_t len = (size_t)snprintf(buf, cap, "mlkit");
    for (; *argv && len < cap; argv++) {
        bool plain = **argv && strspn(*argv, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789._-/:=+,@%") == strlen(*argv);
        if (plain) {
            len += (size_t)snprintf(buf + len, cap - len, " %s", *argv);
            continue;
        }
        len += (size_t)snprintf(buf + len, cap - len, " '");
        for (const char *p = *argv; *p && len < cap; p++) /* in quotes, ' is '\'' */
            len += (size_t)snprintf(buf + len, cap - len, *p == '\'' ? "'\\''" : "%c", *p);
        if (len < cap) len += (size_t)snprintf(buf + len, cap - len, "'");
    }
}

mlk_status mlk_campaign_argv(const mlk_campaign *c, const mlk_job *j, char ***argv, mlk_err *e)
{
    size_t n = 0, cap = 0;
    char w[28][1100];
    int k = 0;
    const mlk_settings *set = &c->set;
    const mlk_campaign_model *m = j->model >= 0 ? &c->model[j->model] : NULL;
    *argv = NULL;
#define WORD(...) snprintf(w[k++], sizeof w[0], __VA_ARGS__)
    mlk_status s = MLK_OK;
    switch (j->kind) {
    case MLK_JOB_STRUCTURE:
    case MLK_JOB_MODEL:
        break; /* done by mlkit benchmark itself */
    case MLK_JOB_DATASET: {
        char list[MLK_OPT_STR_MAX], *save = NULL;
        snprintf(list, sizeof list, "%s", c->data_shown);
        MLK_GO(push(argv, &cap, &n, "dataset", e));
        MLK_GO(push(argv, &cap, &n, "convert", e));
        for (char *p = strtok_r(list, ",", &save); p; p = strtok_r(NULL, ",", &save))
            MLK_GO(push(argv, &cap, &n, p, e));
        WORD("-o"), WORD("%s", j->out);
        break;
    }
    case MLK_JOB_TRAIN: {
        WORD("train"), WORD("%s/dataset.h5", c->run), WORD("--model"), WORD("%s", m->type);
        WORD("--name"), WORD("%s", m->name), WORD("--seed"), WORD("%d", m->seed);
        if (set->train_epochs)
            WORD("--epochs"), WORD("%d", set->train_epochs);
        else
            WORD("--budget"), WORD("%gs", set->train_budget);
        if (set->quick) WORD("--quick");
        char hyper[sizeof m->hyper], *save = NULL;
        snprintf(hyper, sizeof hyper, "%s", m->hyper);
        for (char *q = strtok_r(hyper, "+", &save); q; q = strtok_r(NULL, "+", &save))
            WORD("--%s.%s", m->type, q);
        WORD("--no-baseline"); /* the report shows the models of the study beside each other */
        WORD("-o"), WORD("%s/models", c->run);
        break;
    }
    case MLK_JOB_MD:
        WORD("md"), WORD("%s/models/%s", c->run, m->name);
        WORD("--structure"), WORD("%s/structure.xyz", c->run);
        WORD("--supercell");
        if (c->supercell[0])
            WORD("%dx%dx%d", c->supercell[0], c->supercell[1], c->supercell[2]);
        else
            WORD("auto"); /* only in a dry run */
        WORD("--temp"), WORD("%.10g", c->temp[j->temp]);
        if (set->npt > 0) {
            WORD("--npt"), WORD("%.10gps", set->npt * 1e-3);
            WORD("--pressure"), WORD("%.10g", set->pressure);
            WORD("--barostat"), WORD(set->barostat ? "aniso" : "iso");
        }
        WORD("--equil"), WORD("%.10gps", set->equil * 1e-3), WORD("--run"),
            WORD("%.10gps", m->run * 1e-3);
        WORD("--dt"), WORD("%.10gfs", set->dt);
        /* every run of the study has its own stream of random numbers */
        WORD("--seed"), WORD("%d", (set->seed * 100003 +
                                    (j->model * c->n_temp + j->temp) * set->replicas + j->rep + 1) &
                                       0x7fffffff);
        WORD("-o"), WORD("%s", j->out);
        break;
    case MLK_JOB_TRANSPORT:
        MLK_GO(push(argv, &cap, &n, "transport", e));
        for (size_t d = 0; d < j->n_dep; d++) {
            const mlk_job *q = &c->job[j->dep[d]];
            if (q->state == MLK_JOB_DONE || q->state == MLK_JOB_SKIPPED ||
                q->state == MLK_JOB_WAITING)
                MLK_GO(push(argv, &cap, &n, q->out, e));
        }
        WORD("-o"), WORD("%s", j->out);
        break;
    case MLK_JOB_VALIDATE:
        WORD("validate"), WORD("%s/models/%s", c->run, m->name), WORD("%s/dataset.h5", c->run);
        WORD("-o"), WORD("%s/validate/%s", c->run, m->name);
        break;
    case MLK_JOB_COMMITTEE:
        MLK_GO(push(argv, &cap, &n, "validate", e));
        for (size_t d = 0; d < j->n_dep; d++) {
            snprintf(w[0], sizeof w[0], "%s/models/%s", c->run,
                     c->model[c->job[j->dep[d]].model].name);
            MLK_GO(push(argv, &cap, &n, w[0], e));
        }
        WORD("%s/dataset.h5", c->run), WORD("--no-parity");
        WORD("-o"), WORD("%s/committee/%s", c->run, m->type);
        break;
    case MLK_JOB_REPORT:
        WORD("report"), WORD("%s", c->run);
        break;
    }
    if (j->threads > 0) WORD("--threads"), WORD("%d", j->threads);
#undef WORD
    for (int q = 0; q < k; q++) MLK_GO(push(argv, &cap, &n, w[q], e));
done:
    if (s) mlk_argv_free(*argv), *argv = NULL;
    return s;
}
