/* feed_h5.h - HDF5 files from a script: what is inside the file is damaged, not the container,
 * whose library does not promise to survive that. Lines, blank-separated:
 *   d PATH TYPE N1[,N2..] V...   dataset; TYPE f64 f32 i64 i32 i8 u8; "*" behind the shape: chunked
 *                                and never filled, so that any size may be claimed. The values are
 *                                repeated to fill it. No shape "-": a scalar
 *   s PATH WORD...               list of fixed strings ("_" is an empty one, "~" a blank)
 *   v PATH WORD...               list of strings of variable length; t PATH WORD: one
 *   a PATH NAME WORD             attribute that is a text; n PATH NAME V: that is a number
 *   g PATH                       a group */
#ifndef MLK_TESTS_FEED_H5_H
#define MLK_TESTS_FEED_H5_H

#include <stdbool.h>

/* Make the file (replaced if it exists). Lines that cannot be followed are left out. */
bool mlk_feed_h5(const char *path, const char *script);

#endif
