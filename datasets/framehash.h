/* framehash.h - 64-bit hashes of frames: to notice damage and to find the same frame again. Not for
 * protection against intent. The definition is part of the store's format (docs/FORMATS.md). */
#ifndef MLK_DATASETS_FRAMEHASH_H
#define MLK_DATASETS_FRAMEHASH_H

#include <stdint.h>

#include "core/frame.h"

/* Take one 64-bit word into a running hash. For a given h every word gives another result, so a
 * change of one word is always seen. */
static inline uint64_t mlk_hash_word(uint64_t h, uint64_t w)
{
    h = (h ^ w) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}
/* The bytes of a string, eight to a word, first byte lowest, and its length. */
uint64_t mlk_hash_text(uint64_t h, const char *s);
/* Cell, periodicity, elements and positions: equal for equal structures to the bit (-0 is 0). */
uint64_t mlk_hash_structure(const mlk_frame *fr);
/* Everything that was computed or measured: structure and the labels that are there, to the bit,
 * -0 apart from 0; not where the frame came from (source, line, step, group). */
uint64_t mlk_hash_content(const mlk_frame *fr);

#endif
