/* opt.h - options, declared once: one table row serves the command line, the YAML file, defaults,
 * range and unit checks, --help and the resolved record. A table ends with a row whose key is NULL.
 *
 *   typedef struct { double rc; int lmax[3]; } cfg;
 *   static const mlk_opt opts[] = {
 *       {"rcut", MLK_OPT_REAL, offsetof(cfg, rc), "5.0", 0.5, 20, "A", "cutoff radius"},
 *       {0}};
 */
#ifndef MLK_CORE_OPT_H
#define MLK_CORE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/err.h"

typedef enum {
    MLK_OPT_FLAG,  /* bool; "--key", "--no-key", "key: true"                                  */
    MLK_OPT_INT,   /* int                                                                     */
    MLK_OPT_REAL,  /* double; NaN when the default is "auto" and nothing was given            */
    MLK_OPT_TIME,  /* double in fs; "20ps", "1 ns", "5fs" (a bare number is refused)          */
    MLK_OPT_WALL,  /* double in seconds; "10min", "30s", "2h"; a bare number is seconds       */
    MLK_OPT_STR,   /* char[MLK_OPT_STR_MAX], "" when empty                                    */
    MLK_OPT_INTS,  /* mlk_ints; "4,2,0" or [4, 2, 0]                                          */
    MLK_OPT_REALS, /* mlk_reals                                                               */
    MLK_OPT_SIZE3, /* int[3]; "3x3x2"                                                         */
    MLK_OPT_CHOICE /* int index; the choices stand in `unit`, separated by '|'                */
} mlk_opt_type;

#define MLK_OPT_STR_MAX 1024
#define MLK_OPT_LIST_MAX 64
typedef struct mlk_ints {
    int n, v[MLK_OPT_LIST_MAX];
} mlk_ints;
typedef struct mlk_reals {
    int n;
    double v[MLK_OPT_LIST_MAX];
} mlk_reals;

typedef struct mlk_opt {
    const char *key; /* long name without dashes; '-' and '_' are the same                */
    mlk_opt_type type;
    size_t offset;    /* of the field in the configuration struct                          */
    const char *def;  /* default, in the form a user would type                            */
    double min, max;  /* allowed range of numbers; min == max: any                         */
    const char *unit; /* for help; the choices of MLK_OPT_CHOICE                           */
    const char *help; /* one line                                                          */
} mlk_opt;

/* Fill every field from the defaults. A wrong default is our bug: MLK_EBUG. */
mlk_status mlk_opt_defaults(const mlk_opt *table, void *cfg, mlk_err *e);
/* Row of a key, or NULL. */
const mlk_opt *mlk_opt_find(const mlk_opt *table, const char *key);
/* Set one field from text. Errors: MLK_EINVAL unknown key (with the nearest one as a hint), not a
 * number, out of range, unknown unit. */
mlk_status mlk_opt_set(const mlk_opt *table, void *cfg, const char *key, const char *value,
                       mlk_err *e);
/* Current value as text that mlk_opt_set accepts. */
char *mlk_opt_print(const mlk_opt *row, const void *cfg, char *buf, size_t cap);
/* Parse argv[1..argc-1]: --key value, --key=value, -o value (an alias row may have a one-letter
 * key);
 * "--" ends options. Words that are no options are moved to argv[1..] and counted in *n_words.
 * given (may be NULL) is an array of bool, one per row: set on the command line. */
mlk_status mlk_opt_argv(const mlk_opt *table, void *cfg, int argc, char **argv, int *n_words,
                        bool *given, mlk_err *e);
/* The option part of a --help page. */
void mlk_opt_help(const mlk_opt *table, FILE *out);

/* Strict scalars: the whole text must be a finite number. */
bool mlk_parse_double(const char *text, double *v);
bool mlk_parse_long(const char *text, long *v);
/* "20ps" -> fs; only fs, ps, ns. */
bool mlk_parse_time_fs(const char *text, double *fs);

#endif
