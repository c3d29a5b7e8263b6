/* collect.h - every frame of a file, kept; and small helpers of the data tests. */
#ifndef MLK_TESTS_COLLECT_H
#define MLK_TESTS_COLLECT_H

#include <stddef.h>

#include "core/err.h"
#include "core/frame.h"
#include "core/json.h"

typedef struct mlk_collection {
    mlk_frame *fr;
    size_t n, cap;
} mlk_collection;

/* Parse a file and keep its frames; returns the parser's status. */
mlk_status mlk_test_collect(const char *path, mlk_collection *c, mlk_err *e);
/* The same with the parser of that name, NULL: by content. */
mlk_status mlk_test_collect_as(const char *path, const char *parser, mlk_collection *c, mlk_err *e);
void mlk_test_release(mlk_collection *c);

/* Largest |a - b| over a JSON array (nested to any depth) and as many numbers in row-major order;
 * INFINITY when the counts differ. */
double mlk_test_json_diff(const json_t *j, const double *v, size_t n);
/* "$MLK_SHARED/data/vasp/NAME" into buf; NULL when there are no shared data. */
const char *mlk_test_vasp(char *buf, size_t cap, const char *name);
/* A folder of this process under build/. */
const char *mlk_test_tmp(void);
/* Write text to a file in that folder and give its path (static buffer). */
const char *mlk_test_file(const char *name, const char *text);

#endif
