/* vasprun_make.c - see vasprun_make.h. A few distinct ionic steps are printed once and written in
 * turn, so that making 500 MB takes seconds. */
#include "tests/support/vasprun_make.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"

enum { VARIANTS = 8, SCF = 14, BANDS = 640, GRID = 301, ORBITALS = 9 };

static const char HEAD[] =
    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<modeling>\n <generator>\n"
    "  <i name=\"program\" type=\"string\">vasp </i>\n"
    "  <i name=\"version\" type=\"string\">6.4.1  </i>\n </generator>\n <incar>\n"
    "  <i type=\"string\" name=\"SYSTEM\">made up</i>\n  <i type=\"int\" name=\"IBRION\">     "
    "0</i>\n"
    " </incar>\n <parameters>\n  <separator name=\"electronic\" >\n"
    "   <i name=\"ENMAX\">    400.00000000</i>\n   <i name=\"EDIFF\">      0.00001000</i>\n"
    "   <separator name=\"electronic convergence\" >\n    <i type=\"int\" name=\"NELM\">    "
    "60</i>\n"
    "   </separator>\n  </separator>\n </parameters>\n <atominfo>\n  <atoms> %7zu </atoms>\n"
    "  <types>       1 </types>\n  <array name=\"atoms\" >\n   <dimension "
    "dim=\"1\">ion</dimension>\n"
    "   <field type=\"string\">element</field>\n   <field type=\"int\">atomtype</field>\n   "
    "<set>\n";
static const char TYPES[] =
    "   </set>\n  </array>\n  <array name=\"atomtypes\" >\n   <dimension "
    "dim=\"1\">type</dimension>\n"
    "   <set>\n    <rc><c>%4zu</c><c>Si</c><c>     28.08500000</c><c>      4.00000000</c>"
    "<c>  PAW_PBE Si 05Jan2001                  </c></rc>\n   </set>\n  </array>\n </atominfo>\n";
static const char CRYSTAL[] =
    "   <crystal>\n    <varray name=\"basis\" >\n"
    "     <v>      21.72000000       0.00000000       0.00000000 </v>\n"
    "     <v>       0.00000000      21.72000000       0.00000000 </v>\n"
    "     <v>       0.00000000       0.00000000      10.86000000 </v>\n    </varray>\n"
    "    <i name=\"volume\">   5123.22000000 </i>\n    <varray name=\"rec_basis\" >\n"
    "     <v>       0.04604052       0.00000000       0.00000000 </v>\n"
    "     <v>       0.00000000       0.04604052       0.00000000 </v>\n"
    "     <v>       0.00000000       0.00000000       0.09208103 </v>\n    </varray>\n"
    "   </crystal>\n";

typedef struct step {
    double energy, abs_force; /* of the numbers as printed */
} step;

static double as_printed(double x)
{
    char s[32];
    double y = 0;
    snprintf(s, sizeof s, "%.8f", x);
    sscanf(s, "%lf", &y);
    return y;
}

static void put_rows(FILE *f, const char *name, size_t n, double from, double width, mlk_rng *g,
                     double *sum)
{
    fprintf(f, "  <varray name=\"%s\" >\n", name);
    for (size_t i = 0; i < n; i++) {
        double v[3];
        for (int k = 0; k < 3; k++) {
            v[k] = as_printed(from + width * mlk_rng_uniform(g));
            *sum += fabs(v[k]);
        }
        fprintf(f, "   <v> %16.8f %16.8f %16.8f </v>\n", v[0], v[1], v[2]);
    }
    fprintf(f, "  </varray>\n");
}

static void put_scf(FILE *f, double energy)
{
    static const char *const more[] = {"alphaZ",  "ewald",    "hartreedc", "XCdc", "pawpsdc",
                                       "pawaedc", "eentropy", "bandstr",   "atom"};
    for (int k = 0; k < SCF; k++) {
        double e = energy + 40 * exp(-2.0 * k);
        fprintf(f, "  <scstep>\n   <time name=\"diag\">    0.33    0.33</time>\n"
                   "   <time name=\"total\">    3.17    3.17</time>\n   <energy>\n");
        for (size_t m = 0; m < sizeof more / sizeof *more && (k == 0 || k == SCF - 1); m++)
            fprintf(f, "    <i name=\"%s\"> %16.8f </i>\n", more[m], 10.0 * (double)m);
        fprintf(f,
                "    <i name=\"e_fr_energy\"> %16.8f </i>\n"
                "    <i name=\"e_wo_entrp\"> %16.8f </i>\n"
                "    <i name=\"e_0_energy\"> %16.8f </i>\n   </energy>\n  </scstep>\n",
                e, e, e);
    }
}

static step put_step(FILE *f, size_t atoms, mlk_rng *g)
{
    step s = {.energy = as_printed(-1388 + 4 * mlk_rng_uniform(g))};
    double unused = 0;
    fprintf(f, " <calculation>\n");
    put_scf(f, s.energy);
    fprintf(f, "  <structure>\n%s", CRYSTAL);
    put_rows(f, "positions", atoms, 0, 1, g, &unused);
    fprintf(f, "  </structure>\n");
    put_rows(f, "forces", atoms, -2, 4, g, &s.abs_force);
    put_rows(f, "stress", 3, -20, 40, g, &unused);
    fprintf(f,
            "  <energy>\n   <i name=\"e_fr_energy\"> %16.8f </i>\n"
            "   <i name=\"e_wo_entrp\"> %16.8f </i>\n   <i name=\"e_0_energy\"> %16.8f </i>\n"
            "   <i name=\"kinetic\"> %16.8f </i>\n   <i name=\"total\"> %16.8f </i>\n"
            "  </energy>\n  <time name=\"totalsc\">   65.02   65.10</time>\n",
            s.energy, s.energy, s.energy, 9.9, s.energy + 9.9);
    return s;
}

/* What the last step carries: one k-point, partial density of states of up to 256 atoms. */
static void put_bands(FILE *f, size_t atoms, mlk_rng *g)
{
    fprintf(f, "  <eigenvalues>\n   <array>\n    <set>\n     <set comment=\"spin 1\">\n"
               "      <set comment=\"kpoint 1\">\n");
    for (int k = 0; k < BANDS; k++)
        fprintf(f, "       <r> %9.4f %9.4f </r>\n", -12 + 0.03 * k, k < BANDS / 2 ? 1.0 : 0.0);
    fprintf(f, "      </set>\n     </set>\n    </set>\n   </array>\n  </eigenvalues>\n  <dos>\n"
               "   <partial>\n    <array>\n     <field>energy</field>\n     <set>\n");
    for (size_t i = 0; i < atoms && i < 256; i++) {
        fprintf(f, "      <set comment=\"ion %zu\">\n       <set comment=\"spin 1\">\n", i + 1);
        for (int k = 0; k < GRID; k++) {
            fprintf(f, "        <r> %11.4f ", -20 + 0.1 * k);
            for (int o = 0; o < ORBITALS; o++) fprintf(f, "%9.4f ", mlk_rng_uniform(g));
            fprintf(f, "</r>\n");
        }
        fprintf(f, "       </set>\n      </set>\n");
    }
    fprintf(f, "     </set>\n    </array>\n   </partial>\n  </dos>\n");
}

static void put_head(FILE *f, size_t atoms, mlk_rng *g)
{
    double unused = 0;
    fprintf(f, HEAD, atoms);
    for (size_t i = 0; i < atoms; i++) fprintf(f, "    <rc><c>Si</c><c>   1</c></rc>\n");
    fprintf(f, TYPES, atoms);
    fprintf(f, " <structure name=\"initialpos\" >\n%s", CRYSTAL);
    put_rows(f, "positions", atoms, 0, 1, g, &unused);
    fprintf(f, " </structure>\n");
}

int mlk_test_make_vasprun(const char *path, mlk_test_vasprun *v)
{
    char *text[VARIANTS] = {0};
    size_t size[VARIANTS] = {0};
    step s[VARIANTS];
    mlk_rng g = mlk_rng_make(7, 1);
    FILE *f = fopen(path, "wb");
    if (!f) return 0;
    put_head(f, v->atoms, &g);
    v->steps = 0;
    v->energy = v->abs_force = 0;
    bool ok = true;
    for (bool last = false; ok && !last; v->steps++) {
        size_t k = v->steps % VARIANTS;
        if (!text[k]) { /* printed once, through a temporary file */
            FILE *t = tmpfile();
            ok = t != NULL;
            if (!ok) break;
            s[k] = put_step(t, v->atoms, &g);
            size[k] = (size_t)ftell(t);
            text[k] = mlk_alloc(size[k], 1);
            rewind(t);
            ok = text[k] && fread(text[k], 1, size[k], t) == size[k];
            fclose(t);
            if (!ok) break;
        }
        last = (double)ftell(f) + (double)size[k] >= 1e6 * v->megabytes;
        ok = fwrite(text[k], 1, size[k], f) == size[k];
        if (last) put_bands(f, v->atoms, &g);
        fprintf(f, " </calculation>\n");
        v->energy += s[k].energy;
        v->abs_force += s[k].abs_force;
    }
    fprintf(f, "</modeling>\n");
    v->bytes = (double)ftell(f);
    ok = ok && !ferror(f);
    ok = fclose(f) == 0 && ok;
    for (int k = 0; k < VARIANTS; k++) mlk_free(text[k]);
    return ok;
}
