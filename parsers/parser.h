/* parser.h - foreign formats to frames. A parser hands each complete frame to a callback and knows
 * nothing of data sets. Adding a format is one file and one line in parsers.def. */
#ifndef MLK_PARSERS_PARSER_H
#define MLK_PARSERS_PARSER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/frame.h"

/* Called for each complete frame, in file order. The frame is borrowed: copy or take it (zero it)
 * to keep it. A non-zero return stops the parse and is passed on. */
typedef mlk_status (*mlk_frame_fn)(mlk_frame *fr, void *user, mlk_err *e);

/* Of several files of one run in one folder, the one of the lowest rank is read first. */
enum {
    MLK_RANK_BEST,
    MLK_RANK_GOOD,
    MLK_RANK_FAIR,
    MLK_RANK_LAST,
    MLK_RANK_COPY,     /* converted by some program */
    MLK_RANK_STRUCTURE /* no labels                 */
};

typedef struct mlk_parser {
    const char *name;    /* "vasprun"                                                     */
    const char *summary; /* one line for help                                             */
    int rank;            /* MLK_RANK_*                                                    */
    /* Is this file mine? head: its first bytes after decompression, NUL-terminated.         */
    bool (*sniff)(const char *path, const char *head, size_t n);
    /* Formats that are folders (DeePMD npy): is this one of mine? NULL for formats that are files.
     */
    bool (*sniff_dir)(const char *dir);
    /* Read every frame. A file that ends too early delivers its complete frames, then fails with
     * MLK_EFORMAT and the line where it ended. After MLK_EDAMAGED (core/stream.h) the caller must
     * throw away every frame of the file. */
    mlk_status (*parse)(const char *path, mlk_frame_fn fn, void *user, mlk_err *e);
} mlk_parser;

extern const mlk_parser *const mlk_parsers[]; /* parsers.def; NULL-terminated */

/* The parser of a file by content; NULL if none, or (*e is set, which may be NULL) the file cannot
 * be read. */
const mlk_parser *mlk_parser_sniff(const char *path, mlk_err *e);
/* Sniff and parse. *n_frames (may be NULL) counts delivered frames, also when it fails. */
mlk_status mlk_parse_file(const char *path, mlk_frame_fn fn, void *user, size_t *n_frames,
                          mlk_err *e);
/* The same with the parser of that name instead of sniffing; NULL or "": sniff. */
mlk_status mlk_parse_file_as(const char *path, const char *parser, mlk_frame_fn fn, void *user,
                             size_t *n_frames, mlk_err *e);
/* The last (or, with first nonzero, the first) frame of a file: a structure to start from. */
mlk_status mlk_parse_structure(const char *path, int first, mlk_frame *fr, mlk_err *e);

/* Is this folder one data set of a format that is a folder? */
const mlk_parser *mlk_parser_sniff_dir(const char *dir);

/* Writers. Append-free: each writes a whole file atomically. */
mlk_status mlk_write_extxyz(const char *path, const mlk_frame *fr, size_t n, mlk_err *e);
mlk_status mlk_write_poscar(const char *path, const mlk_frame *fr, mlk_err *e);
/* VASP's vasprun.xml schema, one file for one trajectory group (same species order in all frames),
 * gzip if path ends in .gz; generator: program and version that computed the labels. */
mlk_status mlk_write_vasprun(const char *path, const mlk_frame *fr, size_t n, const char *program,
                             const char *version, mlk_err *e);

#endif
