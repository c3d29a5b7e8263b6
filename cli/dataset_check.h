/* dataset_check.h - what `mlkit dataset check` shows and what it drops. */
#ifndef MLK_CLI_DATASET_CHECK_H
#define MLK_CLI_DATASET_CHECK_H

#include <stdbool.h>

#include "core/err.h"
#include "core/json.h"
#include "datasets/check.h"

/* Why frames are dropped. */
typedef struct mlk_drop {
    bool kind[MLK_SUSPECT_COUNT]; /* kinds asked for                               */
    size_t *why;                  /* (ds->n) owned; item of c->s, MLK_DROP_*       */
    size_t n;                     /* frames dropped                                */
} mlk_drop;
#define MLK_DROP_KEEP SIZE_MAX       /* stays                              */
#define MLK_DROP_LEAK (SIZE_MAX - 1) /* a test frame has a twin in it      */

/* Kinds from "default" or a list of names. Errors: MLK_EINVAL unknown, or about whole sets. */
mlk_status mlk_drop_kinds(mlk_drop *d, const char *list, mlk_err *e);
/* Of frames that are equal, the first that stays is kept. */
mlk_status mlk_drop_plan(mlk_drop *d, const mlk_dataset *ds, const mlk_check *c, mlk_err *e);
/* Write the kept frames to path (.h5, .xyz, .extxyz, also .gz) and path.dropped.csv. */
mlk_status mlk_drop_write(const mlk_drop *d, const mlk_dataset *ds, const mlk_check *c,
                          const char *path, bool force, mlk_err *e);
/* "no_energy,no_forces,...": what is dropped when nothing is named; buf of at least 256. */
char *mlk_drop_default(char *buf, size_t cap);

/* The report for people; all: every finding, not the first ten of a kind. */
void mlk_check_show(const mlk_dataset *ds, const mlk_dataset *test, const mlk_check *c, bool all);
/* docs/FORMATS.md; new reference. */
json_t *mlk_check_json(const mlk_dataset *ds, const mlk_dataset *test, const mlk_check *c);

#endif
