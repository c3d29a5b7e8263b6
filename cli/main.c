/* main.c - command table, error reporting, exit status. The only place that knows exit codes:
 * 0 ok, 1 the work failed, 2 wrong usage, 130/143 ended by SIGINT/SIGTERM at a checkpoint. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "core/log.h"
#include "core/threads.h"
#include "version.h"

static const mlk_command commands[] = {
#define MLK_COMMAND(name, summary) {#name, summary, mlk_cmd_##name},
#include "cli/commands.def"
#undef MLK_COMMAND
};

static void usage(FILE *out)
{
    fprintf(out,
            "mlkit %s - machine-learned potentials and Onsager-corrected thermal conductivity\n\n"
            "usage: mlkit COMMAND [options]   (mlkit COMMAND --help for each)\n\n",
            MLK_VERSION);
    for (size_t k = 0; k < sizeof commands / sizeof *commands; k++)
        fprintf(out, "  %-10s %s\n", commands[k].name, commands[k].summary);
    fprintf(out, "\nstart: mlkit train            fits NEP and SNAP to the bundled Li3PS4 data\n"
                 "       mlkit benchmark --temps 400:1200\n");
}

static void report_error(const mlk_err *e)
{
    char place[600] = "";
    if (e->file[0] && e->line > 0)
        snprintf(place, sizeof place, "%s:%ld: ", e->file, e->line);
    else if (e->file[0])
        snprintf(place, sizeof place, "%s: ", e->file);
    fflush(stdout);
    fprintf(stderr, "mlkit: %s%s%s\n", place, e->code == MLK_EINTERRUPTED ? "" : "error: ", e->msg);
    if (e->hint[0]) fprintf(stderr, "  hint: %s\n", e->hint);
    if (mlk_log_get_level() >= MLK_LOG_DEBUG)
        fprintf(stderr, "  raised at %s:%d (%s)\n", e->src, e->src_line, mlk_status_name(e->code));
}

mlk_status mlk_cmd_begin(const mlk_opt *table, void *cfg, int argc, char **argv, bool *given,
                         const char *usage_line, const char *about, const char *example,
                         int *n_words, char ***words, bool *done, mlk_err *e)
{
    mlk_common *c = cfg;
    *done = false;
    MLK_TRY(mlk_opt_defaults(table, cfg, e));
    MLK_TRY(mlk_opt_argv(table, cfg, argc, argv, n_words, given, e));
    *words = argv + 1;
    if (c->help) {
        printf("usage: %s\n\n%s\n\noptions:\n", usage_line, about);
        mlk_opt_help(table, stdout);
        printf("\nexample:\n  %s\n", example);
        *done = true;
        return MLK_OK;
    }
    mlk_log_set_level(c->verbose ? MLK_LOG_DEBUG : c->quiet ? MLK_LOG_WARN : MLK_LOG_INFO);
    mlk_threads_init(c->threads);
    return MLK_OK;
}

static int run(int argc, char **argv)
{
    mlk_err e = {0};
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        usage(stdout);
        return 0;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("mlkit %s\n", MLK_VERSION);
        return 0;
    }
    const mlk_command *cmd = NULL;
    for (size_t k = 0; k < sizeof commands / sizeof *commands; k++)
        if (!strcmp(argv[1], commands[k].name)) cmd = &commands[k];
    if (!cmd) {
        fprintf(stderr,
                "mlkit: error: unknown command '%s'\n  hint: 'mlkit --help' lists the commands\n",
                argv[1]);
        return 2;
    }
    mlk_stop_install();
    mlk_status s = cmd->run(argc - 1, argv + 1, &e);
    if (!s && (fflush(stdout) != 0 || ferror(stdout)))
        s = MLK_FAIL(&e, MLK_EIO, "cannot write to standard output: %s", strerror(errno));
    if (!s) return 0;
    if (!e.code) e.code = s, snprintf(e.msg, sizeof e.msg, "%s", mlk_status_name(s));
    report_error(&e);
    if (s == MLK_EINTERRUPTED) return mlk_stop_requested() == SIGTERM ? 143 : 130;
    return s == MLK_EINVAL && !e.file[0] ? 2 : 1;
}

/* Not exit(), which runs what libraries do at the end: OpenBLAS waits for its threads there, and
 * they for memory, for ever when the address space is limited. Nothing of ours is left to do: every
 * output is closed by the function that wrote it. */
int main(int argc, char **argv)
{
    prctl(PR_SET_NAME, "mlkit"); /* what top shows, also of jobs started as /proc/self/exe */
    int status = run(argc, argv);
#ifndef __SANITIZE_ADDRESS__ /* whose leak check is such a thing */
    fflush(NULL);
    _exit(status);
#endif
    return status;
}
