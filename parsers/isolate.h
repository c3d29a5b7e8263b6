/* isolate.h - a parser in a process of its own, for formats whose library does not survive damaged
 * files. */
#ifndef MLK_PARSERS_ISOLATE_H
#define MLK_PARSERS_ISOLATE_H

#include "core/err.h"
#include "parsers/parser.h"

typedef mlk_status (*mlk_parse_fn)(const char *path, mlk_frame_fn fn, void *user, mlk_err *e);

/* parse(path, fn, user, e), but parse runs in a child process and its frames come through a pipe.
 * fn runs here. A child that crashes, or is silent for longer than any whole file of this size
 * takes, is MLK_EFORMAT after the frames it delivered. Main thread only. */
mlk_status mlk_parse_isolated(mlk_parse_fn parse, const char *path, mlk_frame_fn fn, void *user,
                              mlk_err *e);

#endif
