/* number.h - decimal numbers in text, read exactly and fast. */
#ifndef MLK_CORE_NUMBER_H
#define MLK_CORE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Read one number at *s, after blanks, in C or Fortran notation (1.5, -.5, 1e-3, 1.0D+02, 1.5-103);
 * the nearest double, as strtod gives it. The number must be finite and end at a blank, a line end
 * or the end of the string. True: *v is set and *s stands behind it; false: neither is touched. */
bool mlk_number(const char **s, double *v);
/* The same for a number that begins at s and may end at anything: *end stands behind it. False,
 * *end perhaps changed: no number, or none that is finite. */
bool mlk_number_at(const char *s, const char **end, double *v);
/* n of them, one after another; returns how many could be read, *s stands behind the last. */
size_t mlk_numbers(const char **s, size_t n, double *v);
/* Exactly n of them and nothing behind but blanks. */
bool mlk_numbers_only(const char *s, size_t n, double *v);
/* Does the word at s, after blanks, commas and brackets, stand for a number that could not be
 * printed or is not finite: asterisks of a field that was too narrow, NaN, Infinity? */
bool mlk_number_lost(const char *s);
/* The first such word of a line or list, or NULL; *len its length. */
const char *mlk_number_find_lost(const char *s, size_t *len);

#endif
