/* feed.h - any bytes to any reader, and whether the reader kept its promises: what a fuzzer, the
 * replay of its findings and the damage runs have in common.
 *
 * A target is the name of a parser (parsers/parsers.def: new ones need no line here), or one of
 *   sniff      the parser is chosen by the content
 *   store      a data set of ours; potential, table, config: a model, a flux table, a training file
 *   number     one number of a text, against strtod
 *   gap-NAME   parser NAME reads the bytes, then the bytes cut off at a place that they choose
 *              themselves: what is delivered must be among what the whole file gave
 * Readers of several files (potential, formats that are folders) get a folder when the bytes begin
 * with "== NAME" and a line end; each such line starts a file. Bytes that begin with "#h5" are a
 * script from which an HDF5 file is made (feed_h5.h). */
#ifndef MLK_TESTS_FEED_H
#define MLK_TESTS_FEED_H

#include <stddef.h>

#include "core/err.h"
#include "core/frame.h"

/* Name of target k, or NULL beyond the last. Static buffer. */
const char *mlk_feed_target(size_t k);
/* Feed n bytes to a target: NULL, or the promise that was broken (static buffer). s (may be NULL)
 * receives the status of the reader. */
const char *mlk_feed(const char *target, const void *bytes, size_t n, mlk_status *s);
/* What every delivered frame must hold; NULL, or what is wrong (static text). */
const char *mlk_feed_frame(const mlk_frame *fr);
/* How the same frame of a damaged file relates to that of the whole one. */
typedef enum { MLK_SAME, MLK_FEWER_LABELS, MLK_DIFFERENT } mlk_relation;
mlk_relation mlk_feed_compare(const mlk_frame *whole, const mlk_frame *damaged);

#endif
