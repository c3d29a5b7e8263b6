/* vasprun_labels.c - what the texts of a vasprun.xml mean; no XML here. See vasprun.h. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/element.h"
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

bool mlk_vasprun_numbers(const char *s, int n, double *v)
{
    for (int k = 0; k < n; k++) {
        char *end;
        v[k] = strtod(s, &end);
        if (end == s || !isfinite(v[k]) || (*end && !isspace((unsigned char)*end))) return false;
        s = end;
    }
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
