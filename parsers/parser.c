/* parser.c - see parser.h: the table of parsers, and what is common to them. */
#include "parsers/parser.h"

#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "parsers/text.h"

#define MLK_PARSER(name) extern const mlk_parser mlk_parser_##name;
#include "parsers/parsers.def"
#undef MLK_PARSER

const mlk_parser *const mlk_parsers[] = {
#define MLK_PARSER(name) &mlk_parser_##name,
#include "parsers/parsers.def"
#undef MLK_PARSER
    NULL,
};

enum { HEAD = 8192 };

static const mlk_parser *match(const char *path, const char *head, size_t n)
{
    for (size_t k = 0; mlk_parsers[k]; k++)
        if (mlk_parsers[k]->sniff && mlk_parsers[k]->sniff(path, head, n)) return mlk_parsers[k];
    return NULL;
}

const mlk_parser *mlk_parser_sniff(const char *path, mlk_err *e)
{
    char head[HEAD];
    size_t n;
    return mlk_text_head(path, head, sizeof head, &n, e) ? NULL : match(path, head, n);
}

const mlk_parser *mlk_parser_sniff_dir(const char *dir)
{
    for (size_t k = 0; mlk_parsers[k]; k++)
        if (mlk_parsers[k]->sniff_dir && mlk_parsers[k]->sniff_dir(dir)) return mlk_parsers[k];
    return NULL;
}

/* "vasprun, outcar, ..." */
static char *list_names(char *buf, size_t cap)
{
    size_t n = 0;
    buf[0] = 0;
    for (size_t k = 0; mlk_parsers[k] && n < cap; k++)
        n += (size_t)snprintf(buf + n, cap - n, "%s%s", k ? ", " : "", mlk_parsers[k]->name);
    return buf;
}

typedef struct counter {
    mlk_frame_fn fn;
    void *user;
    size_t n;
} counter;

static mlk_status count(mlk_frame *fr, void *user, mlk_err *e)
{
    counter *c = user;
    MLK_TRY(c->fn(fr, c->user, e));
    c->n++;
    return MLK_OK;
}

static const mlk_parser *by_name(const char *name)
{
    for (size_t k = 0; mlk_parsers[k]; k++)
        if (!strcmp(mlk_parsers[k]->name, name)) return mlk_parsers[k];
    return NULL;
}

/* Nonsense in a packed file can come from damage that only its checksum shows, and that stands at
 * the end, where the parser did not arrive: then frames before the nonsense are not to be trusted
 * either. */
static mlk_status damaged(const char *path, mlk_err *e)
{
    mlk_stream *in;
    mlk_err why = {0};
    if (mlk_stream_open(&in, path, NULL)) return MLK_EFORMAT;
    mlk_status s = mlk_stream_packed(in) ? mlk_stream_drain(in, &why) : MLK_OK;
    mlk_stream_close(in);
    if (s != MLK_EDAMAGED) return MLK_EFORMAT;
    if (e) *e = why;
    return MLK_EDAMAGED;
}

mlk_status mlk_parse_file_as(const char *path, const char *parser, mlk_frame_fn fn, void *user,
                             size_t *n_frames, mlk_err *e)
{
    char head[HEAD], names[256];
    size_t n = 0;
    const bool forced = parser && *parser, dir = mlk_file_is_dir(path);
    const mlk_parser *p = forced ? by_name(parser) : dir ? mlk_parser_sniff_dir(path) : NULL;
    if (n_frames) *n_frames = 0;
    if (forced && !p) {
        MLK_FAIL(e, MLK_EINVAL, "no format is called '%s'", parser);
        return mlk_err_hint(e, "known are %s", list_names(names, sizeof names));
    }
    if (!dir) {
        MLK_TRY(mlk_text_head(path, head, sizeof head, &n, e));
        if (n == 0) {
            MLK_FAIL(e, MLK_EFORMAT, "the file is empty");
            mlk_err_hint(e, "the run that should have written it ended early, or the copy failed");
            return mlk_err_at(e, path, 0);
        }
        if (!p) p = match(path, head, n);
    }
    if (!p) {
        MLK_FAIL(e, MLK_EFORMAT, "the format is not recognised");
        mlk_err_hint(e, "known formats: %s (files also .gz, .xz, .bz2) and mlkit .h5",
                     list_names(names, sizeof names));
        return mlk_err_at(e, path, 0);
    }
    counter c = {.fn = fn, .user = user};
    mlk_status s = p->parse(path, count, &c, e);
    if (n_frames) *n_frames = c.n;
    if (s == MLK_EFORMAT && !dir) s = damaged(path, e);
    if (s) return mlk_err_at(e, path, 0);
    return MLK_OK;
}

mlk_status mlk_parse_file(const char *path, mlk_frame_fn fn, void *user, size_t *n_frames,
                          mlk_err *e)
{
    return mlk_parse_file_as(path, NULL, fn, user, n_frames, e);
}

typedef struct keeper {
    mlk_frame *fr;
    int first;
} keeper;

static mlk_status keep(mlk_frame *fr, void *user, mlk_err *e)
{
    keeper *k = user;
    (void)e;
    if (k->first && k->fr->n) return MLK_OK;
    mlk_frame_free(k->fr);
    *k->fr = *fr;
    memset(fr, 0, sizeof *fr);
    return MLK_OK;
}

mlk_status mlk_parse_structure(const char *path, int first, mlk_frame *fr, mlk_err *e)
{
    memset(fr, 0, sizeof *fr);
    keeper k = {.fr = fr, .first = first};
    mlk_err why = {0};
    mlk_status s = mlk_parse_file(path, keep, &k, NULL, &why);
    /* a structure to start from does not need the rest of the file */
    if (s && !(fr->n && why.code == MLK_EFORMAT)) {
        mlk_frame_free(fr);
        if (e && !e->code) *e = why;
        return s;
    }
    if (s) mlk_log(MLK_LOG_WARN, "%s:%ld: %s", path, why.line, why.msg);
    return MLK_OK;
}
