/* cmd.h - what every subcommand shares: the table row, common options, exit status. */
#ifndef MLK_CLI_CMD_H
#define MLK_CLI_CMD_H

#include <stdbool.h>

#include "core/err.h"
#include "core/opt.h"

typedef struct mlk_command {
    const char *name, *summary;
    /* argv[0] is the subcommand; results to stdout, messages to stderr. */
    mlk_status (*run)(int argc, char **argv, mlk_err *e);
} mlk_command;

/* Options every command has; put MLK_COMMON as the first member of a configuration struct and
 * MLK_COMMON_OPTS(cfg) at the end of its table, before {0}. */
typedef struct mlk_common {
    bool json, quiet, verbose, help;
    int threads, seed;
} mlk_common;

// clang-format off
#define MLK_COMMON_OPTS(cfg)                                                                       \
    {"json", MLK_OPT_FLAG, offsetof(cfg, common.json), "false", 0, 0, "",                          \
     "print one machine-readable object on stdout"},                                               \
        {"threads", MLK_OPT_INT, offsetof(cfg, common.threads), "0", 0, 4096, "",                  \
         "threads; 0: OMP_NUM_THREADS or all cores"},                                              \
        {"seed", MLK_OPT_INT, offsetof(cfg, common.seed), "1", 0, 2147483647, "",                  \
         "seed of all random numbers"},                                                            \
        {"q", MLK_OPT_FLAG, offsetof(cfg, common.quiet), "false", 0, 0, "", "only warnings"},      \
        {"v", MLK_OPT_FLAG, offsetof(cfg, common.verbose), "false", 0, 0, "", "more messages"},    \
        {"help", MLK_OPT_FLAG, offsetof(cfg, common.help), "false", 0, 0, "", "this page"}
// clang-format on

/* Parse argv into cfg (whose first member is mlk_common), start threads and logging. *words: the
 * positional arguments, *n_words of them. Prints the help page and sets *done on --help.
 *   usage: "mlkit md MODEL --structure S [options]"; about: a few lines; example: one command. */
mlk_status mlk_cmd_begin(const mlk_opt *table, void *cfg, int argc, char **argv, bool *given,
                         const char *usage, const char *about, const char *example, int *n_words,
                         char ***words, bool *done, mlk_err *e);

#define MLK_COMMAND(name, summary) mlk_status mlk_cmd_##name(int argc, char **argv, mlk_err *e);
#include "cli/commands.def"
#undef MLK_COMMAND

#endif
