/* conf.h - YAML files as a small tree; the only door to libyaml. */
#ifndef MLK_CORE_CONF_H
#define MLK_CORE_CONF_H

#include <stddef.h>

#include "core/err.h"
#include "core/opt.h"

typedef enum { MLK_CONF_SCALAR, MLK_CONF_MAP, MLK_CONF_LIST } mlk_conf_kind;

typedef struct mlk_conf {
    mlk_conf_kind kind;
    char *key;              /* in a map, else NULL        */
    char *value;            /* scalar text, else NULL     */
    long line;              /* in the file, from 1        */
    struct mlk_conf *child; /* n_child items, owned       */
    size_t n_child;
} mlk_conf;

/* Parse a file (one document whose root is a map). Errors carry file:line. Free with mlk_conf_free.
 */
mlk_status mlk_conf_read(const char *path, mlk_conf *root, mlk_err *e);
void mlk_conf_free(mlk_conf *c);
/* Child of a map by key, or NULL. */
const mlk_conf *mlk_conf_get(const mlk_conf *map, const char *key);
/* Scalar text of a child, or def when absent or not a scalar. */
const char *mlk_conf_str(const mlk_conf *map, const char *key, const char *def);
/* Set every scalar or list child of map into cfg through the option table; keys in `skip`
 * (NULL-ended list, may be NULL) are left alone; unknown keys are errors with file:line. */
mlk_status mlk_conf_apply(const mlk_conf *map, const char *path, const mlk_opt *table, void *cfg,
                          const char *const *skip, mlk_err *e);

#endif
