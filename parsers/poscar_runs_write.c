/* poscar_runs_write.c - one folder with a POSCAR for each frame, as single-point runs of VASP want
 * it, and a table that says where each came from. */
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "parsers/writers.h"

enum { PATH = 1024 };

/* "0001_NAME": NAME the group or else the formula, only of characters that shells leave alone. */
static void run_name(const mlk_frame *fr, size_t k, char *buf, size_t cap)
{
    char name[64];
    if (fr->group[0])
        mlk_text_copy(name, sizeof name, fr->group);
    else
        mlk_frame_formula(fr, name, sizeof name);
    for (char *p = name; *p; p++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-._", *p))
            *p = '_';
    snprintf(buf, cap, "%04zu_%.50s", k + 1, name);
}

static void put_field(mlk_text_out *t, const char *s)
{
    mlk_text_printf(t, "\t");
    for (; *s; s++) mlk_text_printf(t, "%c", (unsigned char)*s < ' ' ? ' ' : *s);
}

mlk_status mlk_write_poscar_runs(const char *dir, const mlk_frame *fr, size_t n, size_t *n_files,
                                 mlk_err *e)
{
    char name[96], path[PATH], formula[256];
    mlk_text_out t;
    *n_files = 0;
    MLK_TRY(mlk_text_out_begin(&t, mlk_path_join(path, sizeof path, dir, "index.tsv"), e));
    mlk_text_printf(&t, "folder\tsource\tline\tstep\tgroup\tformula\n");
    mlk_status s = MLK_OK;
    for (size_t k = 0; k < n && !s; k++) {
        run_name(&fr[k], k, name, sizeof name);
        mlk_path_join(path, sizeof path, dir, name);
        s = mlk_mkdir_p(path, e);
        if (s) break;
        snprintf(path + strlen(path), sizeof path - strlen(path), "/POSCAR");
        s = mlk_write_poscar(path, &fr[k], e);
        mlk_text_printf(&t, "%s", name);
        put_field(&t, fr[k].source);
        mlk_text_printf(&t, "\t%ld\t%d", fr[k].line, fr[k].step);
        put_field(&t, fr[k].group);
        put_field(&t, mlk_frame_formula(&fr[k], formula, sizeof formula));
        mlk_text_printf(&t, "\n");
        ++*n_files;
    }
    if (s) {
        mlk_out_abort(&t.out);
        return s;
    }
    return mlk_text_out_commit(&t, e);
}
