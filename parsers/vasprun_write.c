/* vasprun_write.c - frames in VASP's vasprun.xml schema, so that labels of any code walk the path
 * of a VASP user. The generator names the code that computed the labels. Positions get 16 decimals
 * (fractional), forces and energies 10, stress 10 (kB): more than any code's printed precision.
 * LIMIT: SCF history is not known; a converged step gets one scstep of NELM = 2, an unconverged one
 * two, an unknown one none, which is how readers of the schema tell them apart. */
#include <math.h>
#include <string.h>

#include "core/element.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "parsers/vasprun.h"

/* XML text: markup characters as entities, others as they are (the file is declared UTF-8). */
static void put_text(mlk_text_out *t, const char *s)
{
    for (; *s; s++)
        if (*s == '&' || *s == '<' || *s == '>')
            mlk_text_printf(t, "&%s;", *s == '&' ? "amp" : *s == '<' ? "lt" : "gt");
        else
            mlk_text_printf(t, "%c", (unsigned char)*s < ' ' ? ' ' : *s);
}

static void put_i(mlk_text_out *t, const char *name, const char *text)
{
    mlk_text_printf(t, "  <i name=\"%s\" type=\"string\">", name);
    put_text(t, text);
    mlk_text_printf(t, "</i>\n");
}

static void put_rows(mlk_text_out *t, const char *name, const double (*v)[3], size_t n, int digits)
{
    mlk_text_printf(t, "  <varray name=\"%s\" >\n", name);
    for (size_t i = 0; i < n; i++)
        mlk_text_printf(t, "   <v> %*.*f %*.*f %*.*f </v>\n", digits + 6, digits, v[i][0],
                        digits + 6, digits, v[i][1], digits + 6, digits, v[i][2]);
    mlk_text_printf(t, "  </varray>\n");
}

static void put_structure(mlk_text_out *t, const char *attr, const mlk_frame *fr)
{
    double rec[3][3];
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) rec[a][b] = fr->cell.hinv[b][a];
    mlk_text_printf(t, " <structure%s>\n <crystal>\n", attr);
    put_rows(t, "basis", (const double(*)[3])fr->cell.h, 3, 16);
    mlk_text_printf(t, "  <i name=\"volume\"> %.8f </i>\n", fr->cell.volume);
    put_rows(t, "rec_basis", (const double(*)[3])rec, 3, 16);
    mlk_text_printf(t, " </crystal>\n  <varray name=\"positions\" >\n");
    for (size_t i = 0; i < fr->n; i++) {
        double s[3];
        mlk_cell_frac(&fr->cell, fr->x[i], s);
        mlk_text_printf(t, "   <v> %19.16f %19.16f %19.16f </v>\n", s[0], s[1], s[2]);
    }
    mlk_text_printf(t, "  </varray>\n </structure>\n");
}

static void put_energy(mlk_text_out *t, const mlk_frame *fr, bool shifted)
{
    if (!(fr->has & MLK_HAS_ENERGY)) return;
    mlk_text_printf(t, "  <energy>\n   <i name=\"e_fr_energy\"> %.10f </i>\n", fr->energy);
    if (isfinite(fr->energy0)) {
        double wo = 2 * fr->energy0 - fr->energy; /* E0 = (F + E)/2 */
        mlk_text_printf(t, "   <i name=\"e_wo_entrp\"> %.10f </i>\n", shifted ? fr->energy0 : wo);
        mlk_text_printf(t, "   <i name=\"e_0_energy\"> %.10f </i>\n",
                        shifted ? fr->energy - wo : fr->energy0);
    }
    mlk_text_printf(t, "  </energy>\n");
}

static void put_step(mlk_text_out *t, const mlk_frame *fr, bool shifted)
{
    mlk_text_printf(t, " <calculation>\n");
    int n_scf = fr->scf == MLK_SCF_CONVERGED ? 1 : fr->scf == MLK_SCF_UNCONVERGED ? 2 : 0;
    for (int k = 0; k < n_scf; k++) {
        mlk_text_printf(t, "  <scstep>\n");
        put_energy(t, fr, false); /* never shifted here, in any version */
        mlk_text_printf(t, "  </scstep>\n");
    }
    put_structure(t, "", fr);
    if (fr->has & MLK_HAS_FORCE) put_rows(t, "forces", (const double(*)[3])fr->f, fr->n, 10);
    if (fr->has & MLK_HAS_VIRIAL) {
        double kb[3][3];
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                kb[a][b] = fr->virial[a][b] / fr->cell.volume / MLK_KBAR_EVA3;
        put_rows(t, "stress", (const double(*)[3])kb, 3, 10);
    }
    put_energy(t, fr, shifted);
    mlk_text_printf(t, " </calculation>\n");
}

/* Runs of equal elements are the types, as POSCAR groups them. */
static void put_atominfo(mlk_text_out *t, const mlk_frame *fr)
{
    int n_type = 0;
    for (size_t i = 0; i < fr->n; i++) n_type += i == 0 || fr->z[i] != fr->z[i - 1];
    mlk_text_printf(t, " <atominfo>\n  <atoms> %7zu </atoms>\n  <types> %7d </types>\n", fr->n,
                    n_type);
    mlk_text_printf(t, "  <array name=\"atoms\" >\n   <dimension dim=\"1\">ion</dimension>\n"
                       "   <field type=\"string\">element</field>\n"
                       "   <field type=\"int\">atomtype</field>\n   <set>\n");
    int type = 0;
    for (size_t i = 0; i < fr->n; i++) {
        type += i == 0 || fr->z[i] != fr->z[i - 1];
        mlk_text_printf(t, "    <rc><c>%-2s</c><c>%4d</c></rc>\n", mlk_element_symbol(fr->z[i]),
                        type);
    }
    mlk_text_printf(t, "   </set>\n  </array>\n  <array name=\"atomtypes\" >\n"
                       "   <dimension dim=\"1\">type</dimension>\n"
                       "   <field type=\"int\">atomspertype</field>\n"
                       "   <field type=\"string\">element</field>\n   <field>mass</field>\n"
                       "   <field>valence</field>\n"
                       "   <field type=\"string\">pseudopotential</field>\n   <set>\n");
    for (size_t i = 0, j; i < fr->n; i = j) {
        for (j = i; j < fr->n && fr->z[j] == fr->z[i];) j++;
        const char *sym = mlk_element_symbol(fr->z[i]);
        mlk_text_printf(t,
                        "    <rc><c>%4zu</c><c>%-2s</c><c> %.8f</c><c> 0.00000000</c>"
                        "<c>  unknown %s </c></rc>\n",
                        j - i, sym, mlk_element_mass(fr->z[i]), sym);
    }
    mlk_text_printf(t, "   </set>\n  </array>\n </atominfo>\n");
}

static mlk_status check(const mlk_frame *fr, size_t n, mlk_err *e)
{
    if (n == 0) return MLK_FAIL(e, MLK_EINVAL, "there are no frames to write");
    for (size_t k = 0; k < n; k++) {
        if (!(fr[k].has & MLK_HAS_CELL))
            return MLK_FAIL(e, MLK_EUNSUPPORTED, "frame %zu has no cell; vasprun.xml needs one",
                            k + 1);
        if (fr[k].n != fr->n || memcmp(fr[k].z, fr->z, fr->n * sizeof *fr->z) != 0) {
            MLK_FAIL(e, MLK_EUNSUPPORTED, "frames 1 and %zu differ in their atoms", k + 1);
            return mlk_err_hint(e, "a vasprun.xml holds one kind of structure; write a folder, one "
                                   "file per group");
        }
        MLK_TRY(mlk_frame_check(&fr[k], e));
    }
    return MLK_OK;
}

mlk_status mlk_write_vasprun(const char *path, const mlk_frame *fr, size_t n, const char *program,
                             const char *version, mlk_err *e)
{
    mlk_text_out t;
    MLK_TRY(check(fr, n, e));
    bool shifted = mlk_vasprun_shifted(program, version) == 1, same_tag = true, same_t = true;
    for (size_t k = 1; k < n; k++) {
        same_tag = same_tag && !strcmp(fr[k].config_type, fr->config_type);
        same_t = same_t && fr[k].temperature == fr->temperature;
    }
    MLK_TRY(mlk_text_out_begin(&t, path, e));
    mlk_text_printf(&t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<modeling>\n <generator>\n");
    put_i(&t, "program", program);
    put_i(&t, "version", version);
    put_i(&t, "subversion", "labels of this program, in the vasprun.xml schema, by mlkit");
    mlk_text_printf(&t, " </generator>\n <incar>\n");
    if (same_tag && fr->config_type[0]) put_i(&t, "SYSTEM", fr->config_type);
    mlk_text_printf(&t,
                    " </incar>\n <parameters>\n <separator name=\"electronic\" >\n"
                    "  <i type=\"int\" name=\"NELM\">2</i>\n </separator>\n"
                    " <separator name=\"ionic\" >\n  <i type=\"int\" name=\"NSW\">%zu</i>\n"
                    "  <i type=\"int\" name=\"IBRION\">-1</i>\n",
                    n > 1 ? n : 0);
    if (same_t && isfinite(fr->temperature))
        mlk_text_printf(&t, "  <i name=\"TEBEG\"> %.8f</i>\n  <i name=\"TEEND\"> %.8f</i>\n",
                        fr->temperature, fr->temperature);
    mlk_text_printf(&t, " </separator>\n </parameters>\n");
    put_atominfo(&t, fr);
    put_structure(&t, " name=\"initialpos\" ", fr);
    for (size_t k = 0; k < n; k++) put_step(&t, &fr[k], shifted);
    put_structure(&t, " name=\"finalpos\" ", &fr[n - 1]);
    mlk_text_printf(&t, "</modeling>\n");
    return mlk_text_out_commit(&t, e);
}
