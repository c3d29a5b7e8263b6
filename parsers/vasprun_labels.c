/* vasprun_labels.c - what the texts of a vasprun.xml mean; no XML here. See vasprun.h. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/element.h"
#include "core/number.h"
#include "parsers/vasprun.h"

bool mlk_vasprun_is_vasp(const char *program)
{
    return !*program || !strncasecmp(program, "vasp", 4);
}

int mlk_vasprun_shifted(const char *program, const char *version)
{
    if (!mlk_vasprun_is_vasp(program)) return 0;
    int major, minor;
    if (sscanf(version, " %d.%d", &major, &minor) != 2) return -1;
    return major < 6 || (major == 6 && minor == 0);
}

/* Bytes of the UTF-8 character at s; 0 if it is none. */
static size_t utf8(const char *s)
{
    unsigned char c = (unsigned char)*s;
    size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    for (size_t k = 1; k < n; k++)
        if (((unsigned char)s[k] & 0xc0) != 0x80) return 0;
    return n;
}

void mlk_vasprun_trim(char *dst, size_t cap, const char *s)
{
    while (isspace((unsigned char)*s)) s++;
    size_t n = strlen(s), m = 0;
    while (n && isspace((unsigned char)s[n - 1])) n--;
    for (size_t k = 0, one; k < n; k += one ? one : 1) {
        one = utf8(s + k);
        if (m + (one ? one : 1) >= cap) break;
        if (one)
            memcpy(dst + m, s + k, one);
        else
            dst[m] = '?';
        m += one ? one : 1;
    }
    dst[m] = 0;
}

bool mlk_vasprun_numbers(const char *s, int n, double *v)
{
    if (mlk_numbers(&s, (size_t)n, v) != (size_t)n) return false;
    while (isspace((unsigned char)*s)) s++;
    return !*s;
}

int mlk_vasprun_potcar_z(const char *title)
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

double mlk_vasprun_energy0(const char *program, const char *version, double e_fr, double e_wo,
                           double e_0)
{
    int shifted = mlk_vasprun_shifted(program, version);
    if (shifted < 0) shifted = isfinite(e_0) && fabs(e_0 - e_fr) > 5;
    return shifted ? e_wo : e_0;
}

void mlk_vasprun_level_init(mlk_vasprun_level *l)
{
    memset(l, 0, sizeof *l);
    l->encut = l->aexx = l->hfscreen = l->ivdw = NAN;
}

/* "08Apr2002" */
static bool is_date(const char *s, size_t n)
{
    if (n < 8 || n > 9 || !isdigit((unsigned char)s[0])) return false;
    for (size_t k = n - 7; k < n; k++)
        if (k < n - 4 ? !isalpha((unsigned char)s[k]) : !isdigit((unsigned char)s[k])) return false;
    return true;
}

void mlk_vasprun_level_potcar(mlk_vasprun_level *l, const char *title)
{
    char word[64], name[128] = "";
    int used;
    while (sscanf(title, " %63s%n", word, &used) == 1) {
        title += used;
        size_t n = strlen(name);
        if (!is_date(word, strlen(word)))
            snprintf(name + n, sizeof name - n, "%s%s", n ? " " : "", word);
    }
    /* our writer knows no POTCAR */
    if (!name[0] || !strncmp(name, "unknown", 7)) return;
    size_t n = strlen(name), m = strlen(l->potcar);
    for (const char *at = l->potcar; (at = strstr(at, name)); at++)
        if ((at == l->potcar || at[-1] == ',') && (at[n] == ',' || !at[n])) return;
    snprintf(l->potcar + m, sizeof l->potcar - m, "%s%s", m ? "," : "", name);
}

static void append(char *buf, size_t cap, const char *key, double x)
{
    size_t n = strlen(buf);
    if (isfinite(x)) snprintf(buf + n, cap - n, " %s=%g", key, x);
}

/* METAGGA unless it says that there is none */
static const char *functional(const mlk_vasprun_level *l)
{
    const char *m = l->metagga;
    bool none = !*m || !strcmp(m, "--") || !strcasecmp(m, "none") || !strcasecmp(m, "f");
    return none ? l->gga : m;
}

void mlk_vasprun_level_text(const mlk_vasprun_level *l, const char *program, const char *version,
                            char *buf, size_t cap)
{
    if (!mlk_vasprun_is_vasp(program)) {
        snprintf(buf, cap, "%s%s%s", program, *version ? " " : "", version);
        return;
    }
    char head[96] = "VASP", tail[96] = "";
    const char *gga = functional(l);
    if (*gga) {
        snprintf(head, sizeof head, "VASP GGA=%s", gga);
        for (char *c = head; *c; c++) *c = (char)toupper((unsigned char)*c);
    }
    append(head, sizeof head, "ENCUT", l->encut);
    append(tail, sizeof tail, "IVDW", l->ivdw != 0 ? l->ivdw : NAN);
    if (l->ldau) strcat(tail, " LDAU");
    if (l->hybrid) {
        strcat(tail, " LHFCALC");
        append(tail, sizeof tail, "AEXX", l->aexx);
        append(tail, sizeof tail, "HFSCREEN", l->hfscreen);
    }
    buf[0] = 0;
    if (!l->potcar[0] && !tail[0] && !strcmp(head, "VASP")) return;
    size_t used = strlen(head) + strlen(" POTCAR=") + strlen(tail) + 1;
    size_t room = cap > used ? cap - used : 0, n = strlen(l->potcar);
    if (!n)
        snprintf(buf, cap, "%s%s", head, tail);
    else if (n <= room)
        snprintf(buf, cap, "%s POTCAR=%s%s", head, l->potcar, tail);
    else
        snprintf(buf, cap, "%s POTCAR=%.*s...%s", head, room > 3 ? (int)room - 3 : 0, l->potcar,
                 tail);
}
