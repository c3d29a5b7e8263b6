/* conf.c - see conf.h. */
#include "core/conf.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "core/mem.h"

void mlk_conf_free(mlk_conf *c)
{
    for (size_t k = 0; k < c->n_child; k++) mlk_conf_free(&c->child[k]);
    mlk_free(c->child);
    mlk_free(c->key);
    mlk_free(c->value);
    memset(c, 0, sizeof *c);
}

enum { DEPTH_MAX = 32, NODES_MAX = 100000 };

/* left: nodes that may still be made. Aliases of aliases grow with the power of their depth. */
static mlk_status build(yaml_document_t *doc, yaml_node_t *node, int depth, size_t *left,
                        mlk_conf *out, mlk_err *e)
{
    out->line = (long)node->start_mark.line + 1;
    if (depth > DEPTH_MAX) return MLK_FAIL(e, MLK_EFORMAT, "nested too deeply");
    if (!*left) return MLK_FAIL(e, MLK_EFORMAT, "more than %d values", NODES_MAX);
    --*left;
    size_t n = 0;
    if (node->type == YAML_SCALAR_NODE) {
        out->kind = MLK_CONF_SCALAR;
        out->value = mlk_strdup((const char *)node->data.scalar.value);
        return out->value ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "configuration");
    }
    if (node->type == YAML_SEQUENCE_NODE) {
        out->kind = MLK_CONF_LIST;
        n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    } else {
        out->kind = MLK_CONF_MAP;
        n = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    }
    out->child = mlk_alloc(n, sizeof *out->child);
    if (!out->child) return MLK_FAIL(e, MLK_ENOMEM, "configuration");
    out->n_child = n;
    for (size_t k = 0; k < n; k++) {
        mlk_conf *c = &out->child[k];
        yaml_node_t *val;
        if (out->kind == MLK_CONF_LIST) {
            val = yaml_document_get_node(doc, node->data.sequence.items.start[k]);
        } else {
            yaml_node_pair_t *p = &node->data.mapping.pairs.start[k];
            yaml_node_t *key = yaml_document_get_node(doc, p->key);
            val = yaml_document_get_node(doc, p->value);
            if (key->type != YAML_SCALAR_NODE)
                return MLK_FAIL(e, MLK_EFORMAT, "a key is not a word");
            c->key = mlk_strdup((const char *)key->data.scalar.value);
            if (!c->key) return MLK_FAIL(e, MLK_ENOMEM, "configuration");
            for (size_t q = 0; q < k; q++)
                if (!strcmp(out->child[q].key, c->key)) {
                    MLK_FAIL(e, MLK_EFORMAT, "key '%s' stands twice", c->key);
                    e->line = (long)key->start_mark.line + 1;
                    return MLK_EFORMAT;
                }
        }
        MLK_TRY(build(doc, val, depth + 1, left, c, e));
    }
    return MLK_OK;
}

mlk_status mlk_conf_read(const char *path, mlk_conf *root, mlk_err *e)
{
    memset(root, 0, sizeof *root);
    mlk_err local = {0};
    if (!e) e = &local;
    FILE *f = fopen(path, "rb");
    if (!f) {
        MLK_FAIL(e, MLK_EIO, "cannot read: %s", strerror(errno));
        return mlk_err_at(e, path, 0);
    }
    yaml_parser_t p;
    yaml_document_t doc;
    yaml_parser_initialize(&p);
    yaml_parser_set_input_file(&p, f);
    mlk_status s;
    if (!yaml_parser_load(&p, &doc)) {
        s = MLK_FAIL(e, MLK_EFORMAT, "not valid YAML: %s", p.problem ? p.problem : "read error");
        mlk_err_at(e, path, (long)p.problem_mark.line + 1);
    } else {
        yaml_node_t *node = yaml_document_get_root_node(&doc);
        if (!node || node->type != YAML_MAPPING_NODE) {
            s = MLK_FAIL(e, MLK_EFORMAT, "expected 'key: value' lines");
            mlk_err_at(e, path, 1);
        } else {
            size_t left = NODES_MAX;
            s = build(&doc, node, 0, &left, root, e);
            if (s) {
                long line = e->line;
                mlk_err_at(e, path, line);
            }
        }
        yaml_document_delete(&doc);
    }
    yaml_parser_delete(&p);
    fclose(f);
    if (s) mlk_conf_free(root);
    return s;
}

const mlk_conf *mlk_conf_get(const mlk_conf *map, const char *key)
{
    if (!map || map->kind != MLK_CONF_MAP) return NULL;
    for (size_t k = 0; k < map->n_child; k++)
        if (!strcmp(map->child[k].key, key)) return &map->child[k];
    return NULL;
}

const char *mlk_conf_str(const mlk_conf *map, const char *key, const char *def)
{
    const mlk_conf *c = mlk_conf_get(map, key);
    return c && c->kind == MLK_CONF_SCALAR ? c->value : def;
}

mlk_status mlk_conf_apply(const mlk_conf *map, const char *path, const mlk_opt *table, void *cfg,
                          const char *const *skip, mlk_err *e)
{
    for (size_t k = 0; k < map->n_child; k++) {
        const mlk_conf *c = &map->child[k];
        bool skipped = false;
        for (const char *const *q = skip; q && *q; q++) skipped |= !strcmp(*q, c->key);
        if (skipped) continue;
        char text[MLK_OPT_STR_MAX] = "";
        size_t len = 0;
        if (c->kind == MLK_CONF_SCALAR) {
            snprintf(text, sizeof text, "%s", c->value);
        } else if (c->kind == MLK_CONF_LIST) {
            for (size_t q = 0; q < c->n_child && len < sizeof text; q++) {
                if (c->child[q].kind != MLK_CONF_SCALAR) {
                    MLK_FAIL(e, MLK_EINVAL, "'%s' holds something that is not a plain value",
                             c->key);
                    return mlk_err_at(e, path, c->child[q].line);
                }
                len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", q ? "," : "",
                                        c->child[q].value);
            }
        } else {
            MLK_FAIL(e, MLK_EINVAL, "unknown section '%s'", c->key);
            return mlk_err_at(e, path, c->line);
        }
        if (mlk_opt_set(table, cfg, c->key, text, e)) return mlk_err_at(e, path, c->line);
    }
    return MLK_OK;
}
