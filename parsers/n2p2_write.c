/* n2p2_write.c - input.data of n2p2 and RuNNer, in Angstrom and eV or in Bohr and Hartree; a
 * comment says which. n2p2 knows no stress and no partly periodic cells: an isolated system is
 * written without lattice, any other with. */
#include "core/element.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/units.h"
#include "parsers/cluster.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "parsers/writers.h"

static void put_row(mlk_text_out *t, const double v[3], double unit)
{
    char b[3][MLK_EXACT];
    for (int k = 0; k < 3; k++) mlk_exact(b[k], v[k] / unit);
    mlk_text_printf(t, " %s %s %s", b[0], b[1], b[2]);
}

static void put_frame(mlk_text_out *t, const mlk_frame *fr, bool bohr)
{
    const double length = bohr ? MLK_BOHR : 1, energy = bohr ? MLK_HARTREE : 1;
    char b[MLK_EXACT];
    mlk_text_printf(t, "begin\ncomment units: %s\n", bohr ? "Bohr, Hartree" : "Angstrom, eV");
    if (fr->config_type[0]) mlk_text_printf(t, "comment %s\n", fr->config_type);
    for (int a = 0; a < 3 && !mlk_isolated(fr); a++) {
        mlk_text_printf(t, "lattice");
        put_row(t, fr->cell.h[a], length);
        mlk_text_printf(t, "\n");
    }
    for (size_t i = 0; i < fr->n; i++) {
        mlk_text_printf(t, "atom");
        put_row(t, fr->x[i], length);
        mlk_text_printf(t, " %s 0 0", mlk_element_symbol(fr->z[i]));
        put_row(t, fr->f[i], energy / length);
        mlk_text_printf(t, "\n");
    }
    mlk_text_printf(t, "energy %s\ncharge 0\nend\n", mlk_exact(b, fr->energy / energy));
}

static mlk_status write(const char *path, const mlk_frame *fr, size_t n, bool bohr, mlk_err *e)
{
    mlk_text_out t;
    mlk_frame *kept;
    size_t m, stress = 0, slab = 0;
    MLK_TRY(mlk_labelled(fr, n, path, &kept, &m, e));
    mlk_status s = mlk_text_out_begin(&t, path, e);
    for (size_t k = 0; k < m && !s; k++) {
        const bool *p = kept[k].cell.pbc;
        stress += (kept[k].has & MLK_HAS_VIRIAL) != 0;
        slab += !(p[0] && p[1] && p[2]) && !mlk_isolated(&kept[k]);
        put_frame(&t, &kept[k], bohr);
    }
    mlk_free(kept);
    if (!s) s = mlk_text_out_commit(&t, e);
    if (!s && stress)
        mlk_log(MLK_LOG_INFO, "%s: n2p2 has no stress; that of %zu frames is left out", path,
                stress);
    if (!s && slab)
        mlk_log(MLK_LOG_WARN, "%s: %zu partly periodic frames become periodic", path, slab);
    return s;
}

mlk_status mlk_write_n2p2(const char *path, const mlk_frame *fr, size_t n, mlk_err *e)
{
    return write(path, fr, n, false, e);
}

mlk_status mlk_write_n2p2_bohr(const char *path, const mlk_frame *fr, size_t n, mlk_err *e)
{
    return write(path, fr, n, true, e);
}
