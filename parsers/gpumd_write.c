/* gpumd_write.c - train.xyz of GPUMD's NEP: lattice, energy [eV], virial [eV] (nine numbers,
 * -volume * stress, as here) and forces. GPUMD reads keys without regard to case and cuts the line
 * at blanks even inside quotes, so texts are written without any. Frames it cannot use (no energy
 * or no forces) are left out. */
#include <string.h>

#include "core/element.h"
#include "core/mem.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "parsers/writers.h"

static void put_matrix(mlk_text_out *t, const char *key, const double m[3][3])
{
    char buf[MLK_EXACT];
    mlk_text_printf(t, "%s=\"", key);
    for (int k = 0; k < 9; k++)
        mlk_text_printf(t, "%s%s", k ? " " : "", mlk_exact(buf, m[k / 3][k % 3]));
    mlk_text_printf(t, "\" ");
}

static void put_word(mlk_text_out *t, const char *key, const char *s)
{
    if (!*s) return;
    mlk_text_printf(t, "%s=", key);
    for (; *s; s++)
        mlk_text_printf(t, "%c",
                        strchr(" \t\r\n\"'=[]{},", *s) || (unsigned char)*s < ' ' ? '_' : *s);
    mlk_text_printf(t, " ");
}

static void put_frame(mlk_text_out *t, const mlk_frame *fr)
{
    char b[6][MLK_EXACT];
    mlk_text_printf(t, "%zu\n", fr->n);
    put_matrix(t, "Lattice", (const double(*)[3])fr->cell.h);
    mlk_text_printf(t, "pbc=\"%c %c %c\" ", fr->cell.pbc[0] ? 'T' : 'F',
                    fr->cell.pbc[1] ? 'T' : 'F', fr->cell.pbc[2] ? 'T' : 'F');
    mlk_text_printf(t, "Energy=%s ", mlk_exact(b[0], fr->energy));
    if (fr->has & MLK_HAS_VIRIAL) put_matrix(t, "Virial", (const double(*)[3])fr->virial);
    put_word(t, "config_type", fr->config_type);
    put_word(t, "group", fr->group);
    mlk_text_printf(t, "Properties=species:S:1:pos:R:3:force:R:3\n");
    for (size_t i = 0; i < fr->n; i++) {
        for (int k = 0; k < 3; k++) {
            mlk_exact(b[k], fr->x[i][k]);
            mlk_exact(b[3 + k], fr->f[i][k]);
        }
        mlk_text_printf(t, "%s %s %s %s %s %s %s\n", mlk_element_symbol(fr->z[i]), b[0], b[1], b[2],
                        b[3], b[4], b[5]);
    }
}

mlk_status mlk_write_gpumd(const char *path, const mlk_frame *fr, size_t n, mlk_err *e)
{
    mlk_text_out t;
    mlk_frame *kept;
    size_t m;
    MLK_TRY(mlk_labelled(fr, n, path, &kept, &m, e));
    mlk_status s = mlk_text_out_begin(&t, path, e);
    for (size_t k = 0; k < m && !s; k++) put_frame(&t, &kept[k]);
    mlk_free(kept);
    return s ? s : mlk_text_out_commit(&t, e);
}
