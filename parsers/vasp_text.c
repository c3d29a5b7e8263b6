/* vasp_text.c - see vasp_text.h. */
#include "parsers/vasp_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/element.h"
#include "core/frame.h"
#include "core/number.h"
#include "core/units.h"

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One number of exactly so many decimals at *s, whatever follows it. */
static bool one_field(const char **s, int decimals, double *v)
{
    char buf[64];
    const char *from = *s + strspn(*s, " \t"), *p = from, *b = buf;
    if (*p == '-' || *p == '+') p++;
    while (digit(*p)) p++;
    if (*p++ != '.') return false;
    for (int k = 0; k < decimals; k++)
        if (!digit(*p++)) return false;
    size_t n = (size_t)(p - from);
    if (n >= sizeof buf || (*p && !strchr(" \t\r+-*", *p) && !digit(*p))) return false;
    memcpy(buf, from, n);
    buf[n] = 0;
    if (!mlk_number(&b, v)) return false;
    *s = p;
    return true;
}

size_t mlk_vasp_fields(const char **s, size_t n, int decimals, double *v)
{
    const char *p = *s;
    size_t k = mlk_numbers(&p, n, v);
    if (k == n) {
        *s = p;
        return n;
    }
    for (k = 0; k < n && one_field(s, decimals, &v[k]); k++) continue;
    return k;
}

bool mlk_vasp_fields_only(const char *s, size_t n, int decimals, const char *unit, double *v)
{
    if (mlk_vasp_fields(&s, n, decimals, v) < n) return false;
    s += strspn(s, " \t\r");
    return !*s || (unit && !strncmp(s, unit, strlen(unit)));
}

bool mlk_vasp_same_decimals(const char *line, const char *model)
{
    size_t want = 0;
    for (int k = 0; k < 6; k++) {
        const char **s = k < 3 ? &model : &line;
        *s += strspn(*s, " \t");
        size_t n = strcspn(*s, " \t\r");
        const char *dot = memchr(*s, '.', n);
        size_t have = dot ? n - (size_t)(dot - *s) - 1 : 0;
        if (k == 0) want = have;
        if (have < 6 || have != want) return false;
        *s += n;
    }
    return true;
}

int mlk_vasp_element(const char *word)
{
    char symbol[16];
    snprintf(symbol, sizeof symbol, "%.*s", (int)strcspn(word, "_/."), word);
    return mlk_element_z(symbol);
}

int mlk_vasp_potcar_z(const char *title)
{
    char word[64];
    int used, k = 0;
    while (sscanf(title, " %63s%n", word, &used) == 1) {
        title += used;
        word[strcspn(word, "_./")] = 0;
        int z = mlk_element_z(word);
        if (z && k > 0) return z;
        k++;
    }
    return 0;
}

const char *mlk_vasp_value(const char *line, const char *key)
{
    size_t n = strlen(key);
    line += strspn(line, " \t");
    if (strncmp(line, key, n)) return NULL;
    line += n + strspn(line + n, " \t");
    return *line == '=' ? line + 1 : NULL;
}

bool mlk_vasp_true(const char *s)
{
    s += strspn(s, " \t.");
    return *s == 'T' || *s == 't';
}

mlk_status mlk_vasp_no_species(const mlk_text_in *t, const char *title, size_t n, mlk_err *e)
{
    MLK_FAIL(e, MLK_EFORMAT, "no line of element symbols above the counts (VASP 4 style)");
    mlk_err_hint(e, "insert a line with %zu element symbol%s above this line%s%.80s%s", n,
                 n == 1 ? "" : "s", *title ? "; the title reads '" : "", title, *title ? "'" : "");
    return mlk_text_err(t, e);
}

void mlk_vasp_title(char *dst, size_t cap, const char *system)
{
    mlk_text_trim(dst, cap, system);
    if (!strcmp(dst, "unknown system")) dst[0] = 0;
}

int mlk_vasp_scf(long n, double nelm)
{
    if (n < 1 || !((double)n <= nelm)) return MLK_SCF_UNKNOWN;
    return (double)n < nelm ? MLK_SCF_CONVERGED : MLK_SCF_UNCONVERGED;
}

double mlk_vasp_temperature(double kinetic, size_t n)
{
    return n > 1 ? 2 * kinetic / ((3 * (double)n - 3) * MLK_KB) : NAN;
}

mlk_status mlk_vasp_early_end(long n_steps, mlk_err *e)
{
    return mlk_err_hint(
        e, n_steps ? "the run was killed, is still going on, or the copy is incomplete; "
                     "the complete steps are good"
                   : "the run ended before its first ionic step; nothing to use");
}
