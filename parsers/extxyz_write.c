/* extxyz_write.c - extended XYZ with every label mlkit keeps: readable by ASE, OVITO and GPUMD.
 * Positions 10 decimals, energy and forces 10, stress and velocities in full precision. */
#include <math.h>

#include "core/element.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "parsers/writers.h"

/* A value of a comment-line key; \" and \\ as ASE writes them. */
static void put_value(mlk_text_out *t, const char *key, const char *s)
{
    mlk_text_printf(t, " %s=\"", key);
    for (; *s; s++)
        mlk_text_printf(t, *s == '"' || *s == '\\' ? "\\%c" : "%c",
                        *s == '\n' || *s == '\r' ? ' ' : *s);
    mlk_text_printf(t, "\"");
}

static void put_tensor(mlk_text_out *t, const char *key, const double m[3][3], double unit)
{
    char text[MLK_EXACT];
    mlk_text_printf(t, " %s=\"", key);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            mlk_text_printf(t, "%s%s", a + b ? " " : "", mlk_exact(text, m[a][b] * unit));
    mlk_text_printf(t, "\"");
}

static void put_frame(mlk_text_out *t, const mlk_frame *fr)
{
    mlk_text_printf(t, "%zu\n", fr->n);
    mlk_text_printf(t, "Properties=species:S:1:pos:R:3%s%s",
                    fr->has & MLK_HAS_FORCE ? ":forces:R:3" : "",
                    fr->has & MLK_HAS_VELOCITY ? ":vel:R:3" : "");
    if (fr->has & MLK_HAS_CELL) {
        put_tensor(t, "Lattice", (const double(*)[3])fr->cell.h, 1);
        mlk_text_printf(t, " pbc=\"%c %c %c\"", fr->cell.pbc[0] ? 'T' : 'F',
                        fr->cell.pbc[1] ? 'T' : 'F', fr->cell.pbc[2] ? 'T' : 'F');
    }
    if (fr->has & MLK_HAS_ENERGY) mlk_text_printf(t, " energy=%.10f", fr->energy);
    if ((fr->has & MLK_HAS_ENERGY) && fr->energy_kind == MLK_ENERGY_FREE)
        mlk_text_printf(t, " free_energy=%.10f", fr->energy);
    if ((fr->has & MLK_HAS_ENERGY) && isfinite(fr->energy0))
        mlk_text_printf(t, " energy0=%.10f", fr->energy0);
    if (fr->has & MLK_HAS_VIRIAL)
        put_tensor(t, "stress", (const double(*)[3])fr->virial, -1 / fr->cell.volume);
    if (fr->config_type[0]) put_value(t, "config_type", fr->config_type);
    if (fr->group[0]) put_value(t, "group", fr->group);
    if (fr->theory[0]) put_value(t, "theory", fr->theory);
    if (isfinite(fr->temperature)) mlk_text_printf(t, " temperature=%.10g", fr->temperature);
    if (fr->scf != MLK_SCF_UNKNOWN)
        mlk_text_printf(t, " scf_converged=%c", fr->scf == MLK_SCF_CONVERGED ? 'T' : 'F');
    mlk_text_printf(t, "\n");
    for (size_t i = 0; i < fr->n; i++) {
        mlk_text_printf(t, "%-2s %18.10f %18.10f %18.10f", mlk_element_symbol(fr->z[i]),
                        fr->x[i][0], fr->x[i][1], fr->x[i][2]);
        if (fr->has & MLK_HAS_FORCE)
            mlk_text_printf(t, " %16.10f %16.10f %16.10f", fr->f[i][0], fr->f[i][1], fr->f[i][2]);
        if (fr->has & MLK_HAS_VELOCITY)
            mlk_text_printf(t, " %.15g %.15g %.15g", fr->v[i][0] / MLK_TAU_FS,
                            fr->v[i][1] / MLK_TAU_FS, fr->v[i][2] / MLK_TAU_FS);
        mlk_text_printf(t, "\n");
    }
}

mlk_status mlk_write_extxyz(const char *path, const mlk_frame *fr, size_t n, mlk_err *e)
{
    mlk_text_out t;
    if (n == 0) return MLK_FAIL(e, MLK_EINVAL, "there are no frames to write");
    for (size_t k = 0; k < n; k++) MLK_TRY(mlk_frame_check(&fr[k], e));
    MLK_TRY(mlk_text_out_begin(&t, path, e));
    for (size_t k = 0; k < n; k++) put_frame(&t, &fr[k]);
    return mlk_text_out_commit(&t, e);
}
