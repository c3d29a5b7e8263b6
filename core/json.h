/* json.h - jansson, plus the few things every user of it here needs. Include this, not jansson.h.
 */
#ifndef MLK_CORE_JSON_H
#define MLK_CORE_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "core/err.h"

/* A real, or null when v is NaN or infinite (JSON has neither). New reference. */
json_t *mlk_json_real(double v);
/* Array of n reals. */
json_t *mlk_json_reals(const double *v, size_t n);
/* Write to path atomically (indented, 12 significant digits); path "-" is stdout. Takes no
 * reference. */
mlk_status mlk_json_write(const json_t *j, const char *path, mlk_err *e);
/* Parse a file; errors carry file:line. *j must be json_decref'd. */
mlk_status mlk_json_read(const char *path, json_t **j, mlk_err *e);
/* The objects of a file with one on each line, as an array, to be json_decref'd. A line that is
 * none is passed over, be it broken by a power cut in the middle of it, which may leave NULs. */
mlk_status mlk_json_lines(const char *path, json_t **list, mlk_err *e);
/* Number member of an object, def when absent or null. */
double mlk_json_get_real(const json_t *obj, const char *key, double def);
/* Text member of an object, def when absent. Borrowed. */
const char *mlk_json_get_str(const json_t *obj, const char *key, const char *def);

#endif
