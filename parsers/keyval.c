/* keyval.c - see keyval.h. */
#include "parsers/keyval.h"

#include <ctype.h>
#include <string.h>

#include "core/number.h"

/* The quote that ends a string begun before s, or NULL; \" and \\ are undone in place. */
static char *end_of_string(char *s)
{
    char *to = s;
    for (; *s && *s != '"'; s++) {
        if (*s == '\\' && (s[1] == '"' || s[1] == '\\')) s++;
        *to++ = *s;
    }
    if (!*s) return NULL;
    *to = 0;
    return s;
}

/* The bracket that closes the one before s, with brackets and strings inside; NULL when the
 * brackets do not match. */
static char *end_of_bracket(char *s)
{
    int depth = 1;
    for (; *s; s++) {
        if (*s == '"') {
            for (s++; *s && *s != '"'; s++)
                if (*s == '\\' && s[1]) s++;
            if (!*s) return NULL;
        }
        if (*s == '[' || *s == '{') depth++;
        if ((*s == ']' || *s == '}') && --depth == 0) return s;
    }
    return NULL;
}

static char *skip_json_word(char *s)
{
    if (strncmp(s, "_JSON", 5) || (s[5] && !strchr(" \t[{\"", s[5]))) return s;
    s += 5;
    return s + strspn(s, " \t");
}

/* Take one value from s; returns what follows it, or NULL when its end is missing. */
static char *take_value(char *s, char **value)
{
    s = skip_json_word(s);
    char open = *s, *end;
    if (!open || !strchr("\"'{[", open)) {
        *value = s;
        s += strcspn(s, " \t\r");
        if (*s) *s++ = 0;
        return s;
    }
    *value = ++s;
    end = open == '"' ? end_of_string(s) : open == '\'' ? strchr(s, '\'') : end_of_bracket(s);
    if (!end && open == '{') end = strchr(s, '}'); /* braces as quotes around any text */
    if (!end) return NULL;
    *end = 0;
    if (open == '"' || open == '\'') *value = skip_json_word(*value);
    return end + 1;
}

mlk_status mlk_keyval_split(char *s, mlk_keyval *kv, size_t max, size_t *n, mlk_err *e)
{
    *n = 0;
    for (;;) {
        while (isspace((unsigned char)*s) || *s == ',') s++;
        if (!*s) return MLK_OK;
        if (*n == max)
            return MLK_FAIL(e, MLK_EFORMAT, "more than %zu keys on the comment line", max);
        mlk_keyval *p = &kv[(*n)++];
        p->key = s;
        p->value = NULL;
        for (; *s && *s != '=' && !isspace((unsigned char)*s); s++)
            *s = (char)tolower((unsigned char)*s);
        char *end = s, *q = s + strspn(s, " \t");
        if (*q != '=') {
            if (*s) *s++ = 0;
            continue;
        }
        q++;
        *end = 0;
        s = take_value(q + strspn(q, " \t"), &p->value);
        if (!s)
            return MLK_FAIL(e, MLK_EFORMAT, "the value of '%.60s' has no closing quote or bracket",
                            p->key);
    }
}

int mlk_keyval_numbers(char *s, double *v, int max)
{
    for (char *p = s; (p = strpbrk(p, ",[]{}()"));) *p++ = ' ';
    const char *q = s;
    int n = 0;
    while (n < max && mlk_number(&q, &v[n])) n++;
    return q[strspn(q, " \t\r")] ? -1 : n;
}
