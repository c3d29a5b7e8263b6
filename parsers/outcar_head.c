/* outcar_head.c - species and settings of an OUTCAR. See outcar_head.h.
 * Elements come from the TITEL lines (VRHFIN is free text in some POTCARs), in the order of "ions
 * per type"; TITEL may be printed twice, and one element may occur as two types. */
#include "parsers/outcar_head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/number.h"
#include "parsers/text.h"
#include "parsers/vasp_text.h"

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
    mlk_vasp_level_init(&h->level);
    sscanf(version_line, " vasp.%d.%d", &h->major, &h->minor);
}

void mlk_outcar_head_free(mlk_outcar_head *h)
{
    mlk_free(h->title);
    mlk_free(h->potcar);
    mlk_free(h->count);
    memset(h, 0, sizeof *h);
}

/* First word of s without blanks and ';'. */
static void word(char *dst, size_t cap, const char *s)
{
    s += strspn(s, " \t");
    snprintf(dst, cap, "%.*s", (int)strcspn(s, " \t;"), s);
}

static void set_title(mlk_outcar_type *t, const char *s, int otherwise)
{
    memset(t, 0, sizeof *t);
    mlk_text_trim(t->title, sizeof t->title, s);
    t->z = mlk_vasp_potcar_z(t->title);
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

static double number_or(const char *s, double otherwise)
{
    char text[32];
    const char *p = text;
    double v;
    word(text, sizeof text, s);
    return mlk_number(&p, &v) ? v : otherwise;
}

/* Lines that begin with A, G, H, L or M. The list of settings comes after the copy of INCAR and the
 * POTCARs, its LEXCH is another one. */
static void take_exchange(mlk_outcar_head *h, const char *s)
{
    mlk_vasp_level *l = &h->level;
    const char *v;
    char name[sizeof l->metagga];
    if ((v = mlk_vasp_value(s, "GGA"))) {
        word(l->gga, sizeof l->gga, v);
    } else if ((v = mlk_vasp_value(s, "METAGGA"))) {
        word(name, sizeof name, v);
        mlk_vasp_level_metagga(l, name); /* the list has a logical here, whatever the functional */
    } else if ((v = mlk_vasp_value(s, "LHFCALC")))
        l->hybrid = mlk_vasp_true(v);
    else if ((v = mlk_vasp_value(s, "AEXX")))
        l->aexx = number_or(v, l->aexx);
    else if ((v = mlk_vasp_value(s, "HFSCREEN")))
        l->hfscreen = number_or(v, l->hfscreen);
    else if ((v = mlk_vasp_value(s, "LVDW")))
        l->lvdw = mlk_vasp_true(v);
    else if ((v = mlk_vasp_value(s, "LDAU")))
        l->ldau = mlk_vasp_true(v);
    else if (!strncmp(s, "LDA+U is selected", 17))
        l->ldau = true;
    else if (!h->n_title && !l->gga[0] && (v = mlk_vasp_value(s, "LEXCH")))
        word(l->lexch, sizeof l->lexch, v);
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
        if ((v = mlk_vasp_value(s, "TITEL"))) return add_title(h, v, e);
        break;
    case 'P':
        if (!strncmp(s, "POTCAR:", 7)) return add_potcar(h, s + 7, e);
        break;
    case 'V':
        if ((v = mlk_vasp_value(s, "VRHFIN"))) take_vrhfin(h, v);
        break;
    case 'n':
        if (!strncmp(s, "number of dos", 13) && (v = strstr(s, "NIONS =")))
            h->n_atoms = (long)number_or(v + 7, 0);
        break;
    case 'i':
        if (!(v = mlk_vasp_value(s, "ions per type"))) break;
        take_per_type(h, v, number);
        h->per_type_open = true;
        break;
    case 'N':
        if ((v = mlk_vasp_value(s, "NELM"))) h->nelm = number_or(v, 0);
        break;
    case 'E':
        if ((v = mlk_vasp_value(s, "ENCUT"))) h->level.encut = number_or(v, h->level.encut);
        break;
    case 'I':
        if ((v = mlk_vasp_value(s, "ISIF"))) h->isif = (int)number_or(v, -1);
        if ((v = mlk_vasp_value(s, "IVDW"))) h->level.ivdw = number_or(v, 0);
        break;
    case 'S':
        if (!(v = mlk_vasp_value(s, "SYSTEM")) || s != line + 1) break; /* not the copy of INCAR */
        mlk_text_trim(h->system, sizeof h->system, v);
        break;
    case 'A':
    case 'G':
    case 'H':
    case 'L':
    case 'M':
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
    for (size_t k = 0; k < h->n_title; k++) mlk_vasp_level_potcar(&h->level, h->title[k].title);
    h->resolved = true;
    return MLK_OK;
}
