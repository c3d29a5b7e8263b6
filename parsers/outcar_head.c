/* outcar_head.c - species and settings of an OUTCAR. See outcar_head.h.
 * Elements come from the TITEL lines (VRHFIN is free text in some POTCARs), in the order of "ions
 * per type"; TITEL may be printed twice, and one element may occur as two types. */
#include "parsers/outcar_head.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mem.h"
#include "core/number.h"
#include "parsers/text.h"
#include "parsers/vasp_text.h"
#include "parsers/vasprun.h"

void mlk_outcar_head_begin(mlk_outcar_head *h, const char *version_line)
{
    mlk_outcar_head fresh = {.title = h->title,
                             .title_cap = h->title_cap,
                             .potcar = h->potcar,
                             .potcar_cap = h->potcar_cap,
                             .count = h->count,
                             .count_cap = h->count_cap,
                             .isif = -1};
    *h = fresh;
    sscanf(version_line, " vasp.%d.%d", &h->major, &h->minor);
}

void mlk_outcar_head_free(mlk_outcar_head *h)
{
    mlk_free(h->title);
    mlk_free(h->potcar);
    mlk_free(h->count);
    memset(h, 0, sizeof *h);
}

/* The text behind "KEY  =" of a line that starts with KEY (after blanks), else NULL. */
static const char *value(const char *s, const char *key)
{
    size_t n = strlen(key);
    if (strncmp(s, key, n)) return NULL;
    s += n;
    s += strspn(s, " ");
    return *s == '=' ? s + 1 : NULL;
}

/* First word of s without blanks and ';'. */
static void word(char *dst, size_t cap, const char *s)
{
    s += strspn(s, " \t");
    snprintf(dst, cap, "%.*s", (int)strcspn(s, " \t;"), s);
}

static bool starts_true(const char *s)
{
    s += strspn(s, " \t.");
    return *s == 'T' || *s == 't';
}

static void set_title(mlk_outcar_type *t, const char *s, int otherwise)
{
    memset(t, 0, sizeof *t);
    mlk_text_copy(t->title, sizeof t->title, s + strspn(s, " \t"));
    for (size_t n = strlen(t->title); n && isspace((unsigned char)t->title[n - 1]);)
        t->title[--n] = 0;
    t->z = mlk_vasprun_potcar_z(t->title);
    if (!t->z) t->z = mlk_vasp_element(t->title); /* a title that is the element alone */
    if (!t->z) t->z = otherwise;
}

static mlk_status add_title(mlk_outcar_head *h, const char *s, mlk_err *e)
{
    MLK_TRY(MLK_GROW(h->title, h->title_cap, h->n_title + 1, e));
    set_title(&h->title[h->n_title++], s, h->vrhfin_z);
    return MLK_OK;
}

static mlk_status add_potcar(mlk_outcar_head *h, const char *s, mlk_err *e)
{
    MLK_TRY(MLK_GROW(h->potcar, h->potcar_cap, h->n_potcar + 1, e));
    set_title(&h->potcar[h->n_potcar++], s, 0);
    return MLK_OK;
}

/* NWRITE = 0 leaves the POTCARs out, their list is always there. */
static void titles_from_list(mlk_outcar_head *h)
{
    if (h->n_title) return;
    mlk_outcar_type *p = h->title;
    size_t cap = h->title_cap;
    h->title = h->potcar, h->title_cap = h->potcar_cap, h->n_title = h->n_potcar;
    h->potcar = p, h->potcar_cap = cap, h->n_potcar = 0;
}

/* "VRHFIN =Ag : s1 d10" */
static void take_vrhfin(mlk_outcar_head *h, const char *s)
{
    char symbol[16];
    s += strspn(s, " \t");
    snprintf(symbol, sizeof symbol, "%.*s", (int)strcspn(s, " \t:"), s);
    h->vrhfin_z = mlk_vasp_element(symbol);
}

static void take_per_type(mlk_outcar_head *h, const char *s, long number)
{
    if (number) h->per_type_line = number;
    size_t n = number ? 0 : strlen(h->per_type);
    snprintf(h->per_type + n, sizeof h->per_type - n, "%s", s);
}

static void take_exchange(mlk_outcar_head *h, const char *s)
{
    const char *v;
    if ((v = value(s, "GGA")))
        word(h->gga, sizeof h->gga, v);
    else if ((v = value(s, "METAGGA"))) {
        char w[sizeof h->metagga];
        word(w, sizeof w, v);
        /* the list of settings prints a logical here, whatever the functional */
        if (strcasecmp(w, "F") && strcasecmp(w, "T") && strcasecmp(w, "NONE") && strcmp(w, "--"))
            mlk_text_copy(h->metagga, sizeof h->metagga, w);
        for (char *c = h->metagga; *c; c++) *c = (char)toupper((unsigned char)*c);
    } else if ((v = value(s, "LHFCALC")))
        h->hybrid = starts_true(v);
    else if ((v = value(s, "LDAU")))
        h->ldau = starts_true(v);
    else if (!strncmp(s, "LDA+U is selected", 17))
        h->ldau = true;
}

static double number_or(const char *s, double otherwise)
{
    char text[32];
    const char *p = text;
    double v;
    word(text, sizeof text, s);
    return mlk_number(&p, &v) ? v : otherwise;
}

mlk_status mlk_outcar_head_line(mlk_outcar_head *h, const char *line, long number, mlk_err *e)
{
    const char *s = line + strspn(line, " \t"), *v;
    if (h->per_type_open) { /* ten columns a line */
        h->per_type_open = *s && !s[strspn(s, "0123456789* ")];
        if (h->per_type_open) take_per_type(h, line, 0);
    }
    switch (*s) {
    case 'T':
        if ((v = value(s, "TITEL"))) return add_title(h, v, e);
        break;
    case 'P':
        if (!strncmp(s, "POTCAR:", 7)) return add_potcar(h, s + 7, e);
        break;
    case 'V':
        if ((v = value(s, "VRHFIN"))) take_vrhfin(h, v);
        break;
    case 'n':
        if (!strncmp(s, "number of dos", 13) && (v = strstr(s, "NIONS =")))
            h->n_atoms = (long)number_or(v + 7, 0);
        break;
    case 'i':
        if (!(v = value(s, "ions per type"))) break;
        take_per_type(h, v, number);
        h->per_type_open = true;
        break;
    case 'N':
        if ((v = value(s, "NELM"))) h->nelm = number_or(v, 0);
        break;
    case 'E':
        if ((v = value(s, "ENCUT"))) h->encut = number_or(v, h->encut);
        break;
    case 'I':
        if ((v = value(s, "ISIF"))) h->isif = (int)number_or(v, -1);
        if ((v = value(s, "IVDW"))) h->ivdw = (int)number_or(v, 0);
        break;
    case 'S':
        if (!(v = value(s, "SYSTEM")) || s != line + 1) break; /* not the copy of INCAR */
        v += strspn(v, " \t");
        snprintf(h->system, sizeof h->system, "%s", v);
        for (size_t n = strlen(h->system); n && isspace((unsigned char)h->system[n - 1]);)
            h->system[--n] = 0;
        break;
    case 'G':
    case 'M':
    case 'L':
        take_exchange(h, s);
        break;
    default:
        break;
    }
    return MLK_OK;
}

static bool same_titles(const mlk_outcar_head *h, size_t a, size_t step_a, size_t b, size_t step_b,
                        size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (strcmp(h->title[a + k * step_a].title, h->title[b + k * step_b].title)) return false;
    return true;
}

/* Titles printed twice, as a list (A B A B) or one by one (A A B B), become one list of n. */
static void halve_titles(mlk_outcar_head *h, size_t n)
{
    if (h->n_title != 2 * n) return;
    if (same_titles(h, 0, 1, n, 1, n)) {
        h->n_title = n;
    } else if (same_titles(h, 0, 2, 1, 2, n)) {
        for (size_t k = 0; k < n; k++) h->title[k] = h->title[2 * k];
        h->n_title = n;
    }
}

static mlk_status add_count(mlk_outcar_head *h, const char *digits, mlk_err *e)
{
    MLK_TRY(MLK_GROW(h->count, h->count_cap, h->n_count + 1, e));
    h->count[h->n_count++].count = *digits == '*' ? -1 : strtol(digits, NULL, 10);
    return MLK_OK;
}

/* Cut "ions per type" at blanks, or (width > 0) into fields of that width after 12 columns. */
static mlk_status cut_counts(mlk_outcar_head *h, size_t width, mlk_err *e)
{
    char field[32];
    const char *s = h->per_type;
    h->n_count = 0;
    if (width) s += strlen(s) < 12 ? strlen(s) : 12;
    for (;;) {
        size_t blank = strspn(s, " \t"), n = width;
        if (!s[blank]) return MLK_OK;
        if (!width) {
            s += blank;
            n = strcspn(s, " \t");
        }
        if (n > strlen(s)) n = strlen(s);
        snprintf(field, sizeof field, "%.*s", (int)n, s);
        s += n;
        const char *f = field + strspn(field, " ");
        if (*f) MLK_TRY(add_count(h, f, e));
    }
}

/* Does the list add up? One column of asterisks (a full field) is what the others leave. */
static bool adds_up(mlk_outcar_head *h)
{
    long sum = 0;
    size_t full = h->n_count;
    for (size_t k = 0; k < h->n_count; k++) {
        long c = h->count[k].count;
        if (c > 100000000 || (c < 0 && full < h->n_count)) return false;
        if (c < 0)
            full = k;
        else
            sum += c;
    }
    if (full < h->n_count) {
        h->count[full].count = h->n_atoms - sum;
        return h->n_atoms > sum;
    }
    if (!h->n_atoms) h->n_atoms = sum; /* the line that says NIONS is missing */
    return sum > 0 && sum == h->n_atoms;
}

mlk_status mlk_outcar_head_resolve(mlk_outcar_head *h, mlk_err *e)
{
    if (h->resolved) return MLK_OK;
    if (!h->per_type[0])
        return MLK_FAIL(e, MLK_EFORMAT, "no line 'ions per type' before the first ionic step");
    MLK_TRY(cut_counts(h, 0, e));
    if (!adds_up(h)) { /* numbers of four digits touch each other */
        MLK_TRY(cut_counts(h, 4, e));
        if (!adds_up(h))
            return MLK_FAIL(e, MLK_EFORMAT,
                            "'ions per type =%.60s' (line %ld) does not add up to NIONS = %ld",
                            h->per_type, h->per_type_line, h->n_atoms);
    }
    titles_from_list(h);
    halve_titles(h, h->n_count);
    if (h->n_title != h->n_count)
        return MLK_FAIL(e, MLK_EFORMAT, "%zu TITEL lines for %zu columns of 'ions per type'",
                        h->n_title, h->n_count);
    for (size_t k = 0; k < h->n_count; k++) {
        h->count[k].z = h->title[k].z;
        if (h->count[k].z) continue;
        return MLK_FAIL(e, MLK_EFORMAT, "neither VRHFIN nor 'TITEL = %.40s' names an element",
                        h->title[k].title);
    }
    h->resolved = true;
    return MLK_OK;
}

/* A title without the date at its end. */
static int undated(const char *title)
{
    const char *last = strrchr(title, ' ');
    size_t n = strlen(title);
    bool dated = last && n > 4 && strspn(title + n - 4, "0123456789") == 4;
    if (dated)
        while (last > title && last[-1] == ' ') last--;
    return (int)(dated ? (size_t)(last - title) : n);
}

void mlk_outcar_head_theory(const mlk_outcar_head *h, char *buf, size_t cap)
{
    char text[4096];
    size_t n = (size_t)snprintf(text, sizeof text, "VASP GGA=%s ENCUT=%g POTCAR=",
                                h->metagga[0] ? h->metagga
                                : h->gga[0]   ? h->gga
                                              : "?",
                                h->encut);
    for (size_t k = 0; k < h->n_title && n + 80 < sizeof text; k++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s", k ? "," : "",
                              undated(h->title[k].title), h->title[k].title);
    if (h->ivdw > 0 && n + 80 < sizeof text)
        n += (size_t)snprintf(text + n, sizeof text - n, " IVDW=%d", h->ivdw);
    snprintf(text + n, sizeof text - n, "%s%s", h->ldau ? " LDAU" : "",
             h->hybrid ? " LHFCALC" : "");
    mlk_text_copy(buf, cap, text);
}
