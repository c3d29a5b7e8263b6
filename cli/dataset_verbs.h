/* dataset_verbs.h - the verbs of `mlkit dataset`, one file each, and what they share. */
#ifndef MLK_CLI_DATASET_VERBS_H
#define MLK_CLI_DATASET_VERBS_H

#include <stdbool.h>

#include "core/err.h"
#include "datasets/dataset.h"

/* argv[0] is the verb. */
mlk_status mlk_dataset_info(int argc, char **argv, mlk_err *e);
mlk_status mlk_dataset_convert(int argc, char **argv, mlk_err *e);
mlk_status mlk_dataset_splitting(int argc, char **argv, mlk_err *e);
mlk_status mlk_dataset_selecting(int argc, char **argv, mlk_err *e);
mlk_status mlk_dataset_checking(int argc, char **argv, mlk_err *e);

/* Read every word (file, folder, store) into ds. all: keep frames without labels, parser: see
 * mlk_dataset_read_all. No words: an error that names the help of `command`. */
mlk_status mlk_dataset_inputs(mlk_dataset *ds, int n, char **words, const char *parser, bool all,
                              const char *command, mlk_err *e);
/* May path be written? Never over an input of ds, and over another file only with force. */
mlk_status mlk_dataset_may_write(const mlk_dataset *ds, const char *path, bool force, mlk_err *e);
/* Write the store; replaces an existing one, atomically, only with force. */
mlk_status mlk_dataset_store(const mlk_dataset *ds, const char *path, bool force, mlk_err *e);

#endif
