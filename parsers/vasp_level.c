/* vasp_level.c - see vasp_level.h. The POTCARs come last, so that a long list can be cut without
 * losing what is switched on. */
#include "parsers/vasp_level.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/number.h"
#include "parsers/text.h"
#include "parsers/vasp_text.h"

void mlk_vasp_level_init(mlk_vasp_level *l)
{
    memset(l, 0, sizeof *l);
    l->encut = l->enmax = l->aexx = l->hfscreen = l->ivdw = NAN;
}

void mlk_vasp_level_metagga(mlk_vasp_level *l, const char *name)
{
    static const char *const none[] = {"", "--", "none", "f", "t"};
    for (size_t k = 0; k < sizeof none / sizeof *none; k++)
        if (!strcasecmp(name, none[k])) return;
    mlk_text_copy(l->metagga, sizeof l->metagga, name);
}

/* "08Apr2002" */
static bool is_date(const char *s)
{
    size_t n = strlen(s);
    if (n < 8 || n > 9 || !isdigit((unsigned char)s[0])) return false;
    for (size_t k = n - 7; k < n; k++)
        if (k < n - 4 ? !isalpha((unsigned char)s[k]) : !isdigit((unsigned char)s[k])) return false;
    return true;
}

/* What VASP calls the functional of a kind of potential; "" when the kind does not say. */
static const char *functional_of(const char *kind)
{
    static const char *const of[][2] = {
        {"PAW_PBE", "PE"}, {"PAW_GGA", "91"}, {"PAW", "CA"}, {"PAW_LDA", "CA"}};
    for (size_t k = 0; k < sizeof of / sizeof *of; k++)
        if (!strcmp(kind, of[k][0])) return of[k][1];
    return "";
}

void mlk_vasp_level_potcar(mlk_vasp_level *l, const char *title)
{
    char copy[128], name[128] = "", *word[16];
    mlk_text_copy(copy, sizeof copy, title);
    size_t n_word = mlk_text_words(copy, word, 16), n = 0;
    for (size_t k = 0; k < n_word && k < 16; k++)
        if (!is_date(word[k]))
            n += (size_t)snprintf(name + n, sizeof name - n, "%s%s", n ? " " : "", word[k]);
    /* our writer knows no POTCAR */
    if (!n || !strncmp(name, "unknown", 7)) return;
    const char *made_with = n_word > 1 ? functional_of(word[0]) : "";
    if (*made_with) mlk_text_copy(l->lexch, sizeof l->lexch, made_with);
    for (const char *at = l->potcar; (at = strstr(at, name)); at++)
        if ((at == l->potcar || at[-1] == ',') && (at[n] == ',' || !at[n])) return;
    size_t m = strlen(l->potcar);
    snprintf(l->potcar + m, sizeof l->potcar - m, "%s%s", m ? "," : "", name);
}

void mlk_vasp_level_potcar_file(mlk_vasp_level *l, const char *text)
{
    for (const char *s = text; *s; s += strcspn(s, "\n"), s += *s == '\n') {
        char value[128];
        const char *v = mlk_vasp_value(s, "TITEL"), *number = value;
        double enmax;
        if (!v && !(v = mlk_vasp_value(s, "LEXCH"))) v = mlk_vasp_value(s, "ENMAX");
        if (!v) continue;
        snprintf(value, sizeof value, "%.*s", (int)strcspn(v, ";\r\n"), v);
        if (mlk_vasp_value(s, "TITEL"))
            mlk_vasp_level_potcar(l, value);
        else if (mlk_vasp_value(s, "LEXCH"))
            mlk_text_trim(l->lexch, sizeof l->lexch, value);
        else if (mlk_number(&number, &enmax))
            l->enmax = fmax(l->enmax, enmax);
    }
}

static void append(char *buf, size_t cap, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void append(char *buf, size_t cap, const char *fmt, ...)
{
    size_t n = strlen(buf);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf + n, cap - n, fmt, ap);
    va_end(ap);
}

/* 0.20700001 and 0.2070 are the same */
static double four_decimals(double x)
{
    return round(x * 1e4) / 1e4;
}

void mlk_vasp_level_text(const mlk_vasp_level *l, char *buf, size_t cap)
{
    char all[640] = "VASP";
    const char *gga = l->metagga;
    if (!*gga) gga = *l->gga && (strcmp(l->gga, "--") || !*l->lexch) ? l->gga : l->lexch;
    const double encut = l->encut > 0 ? l->encut : l->enmax,
                 ivdw = isfinite(l->ivdw) ? l->ivdw : l->lvdw;
    if (*gga) append(all, sizeof all, " GGA=%s", gga);
    for (char *c = all; *c; c++) *c = (char)toupper((unsigned char)*c);
    if (encut > 0) append(all, sizeof all, " ENCUT=%.1f", encut);
    if (ivdw != 0) append(all, sizeof all, " IVDW=%g", ivdw);
    if (l->ldau) append(all, sizeof all, " LDAU");
    if (l->hybrid) append(all, sizeof all, " LHFCALC");
    if (l->hybrid && isfinite(l->aexx)) append(all, sizeof all, " AEXX=%g", four_decimals(l->aexx));
    if (l->hybrid && l->hfscreen > 0)
        append(all, sizeof all, " HFSCREEN=%g", four_decimals(l->hfscreen));
    if (l->potcar[0]) append(all, sizeof all, " POTCAR=%s", l->potcar);
    if (!strcmp(all, "VASP")) all[0] = 0;
    bool cut = strlen(all) >= cap && cap > 3;
    mlk_text_copy(buf, cap, all);
    if (cut) memcpy(buf + cap - 4, "...", 4);
}
