/* keyval.h - the comment line of extended XYZ as key = value pairs: quotes, brackets, JSON. */
#ifndef MLK_PARSERS_KEYVAL_H
#define MLK_PARSERS_KEYVAL_H

#include <stddef.h>

#include "core/err.h"

typedef struct mlk_keyval {
    char *key, *value; /* key in lower case; both inside the line; value NULL: a flag */
} mlk_keyval;

/* Cut s in place into at most max pairs; *n: how many. Values may stand in "..." (with \" inside),
 * '...', {...} or [...] (nested), with or without the word _JSON before them, which is dropped. A
 * word without '=' is a flag. Errors (without position): MLK_EFORMAT a value has
 * no end, more than max pairs. */
mlk_status mlk_keyval_split(char *s, mlk_keyval *kv, size_t max, size_t *n, mlk_err *e);
/* Numbers separated by blanks, commas or brackets, exactly; -1 when anything else stands there or
 * there are more than max. Brackets and commas in s become blanks. */
int mlk_keyval_numbers(char *s, double *v, int max);

#endif
