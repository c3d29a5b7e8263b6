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

double mlk_vasprun_energy0(const char *program, const char *version, double e_fr, double e_wo,
                           double e_0)
{
    int shifted = mlk_vasprun_shifted(program, version);
    if (shifted < 0) shifted = isfinite(e_0) && fabs(e_0 - e_fr) > 5;
    return shifted ? e_wo : e_0;
}
