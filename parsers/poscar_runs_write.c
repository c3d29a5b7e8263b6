/* poscar_runs_write.c - one folder with a POSCAR for each frame, as single-point runs of VASP want
 * it, and a table that says where each came from. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/element.h"
#include "core/file.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "parsers/writers.h"

enum { PATH = 2048 };

void mlk_poscar_run_name(const mlk_frame *fr, size_t number, char *buf, size_t cap)
{
    char name[64];
    if (fr->group[0])
        mlk_text_copy(name, sizeof name, fr->group);
    else
        mlk_frame_formula(fr, name, sizeof name);
    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("+-_.", *p)) *p = '_';
    int n = snprintf(buf, cap, "%04zu_%.40s", number, name);
    if (fr->step > 0 && n > 0 && (size_t)n < cap)
        snprintf(buf + n, cap - (size_t)n, "_%d", fr->step);
}

size_t mlk_element_order(const mlk_frame *fr, int *z, size_t n)
{
    for (size_t i = 0; i < fr->n; i++) {
        size_t k = 0;
        while (k < n && z[k] != fr->z[i]) k++;
        if (k == n && n < MLK_ELEMENT_MAX) z[n++] = fr->z[i];
    }
    return n;
}

mlk_status mlk_write_poscar_run(const char *dir, const mlk_frame *from, size_t number, const int *z,
                                size_t nz, mlk_err *e)
{
    char name[96], path[PATH];
    mlk_frame fr = {0};
    size_t m = 0;
    mlk_poscar_run_name(from, number, name, sizeof name);
    MLK_TRY(mlk_mkdir_p(mlk_path_join(path, sizeof path - 8, dir, name), e));
    strcat(path, "/POSCAR");
    MLK_TRY(mlk_frame_copy(from, &fr, e));
    fr.has &= ~(unsigned)MLK_HAS_VELOCITY; /* a single point starts at rest */
    for (size_t k = 0; k < nz; k++)
        for (size_t i = 0; i < from->n; i++) {
            if (from->z[i] != z[k]) continue;
            fr.z[m] = z[k];
            memcpy(fr.x[m++], from->x[i], sizeof *fr.x);
        }
    mlk_status s = mlk_write_poscar(path, &fr, e);
    mlk_frame_free(&fr);
    return s;
}

mlk_status mlk_write_poscar_runs(const char *dir, const mlk_frame *fr, size_t n, size_t *n_files,
                                 mlk_err *e)
{
    char name[96], path[PATH], formula[256];
    int z[MLK_ELEMENT_MAX];
    size_t nz = 0;
    mlk_text_out t;
    *n_files = 0;
    for (size_t k = 0; k < n; k++) nz = mlk_element_order(&fr[k], z, nz);
    MLK_TRY(mlk_text_out_begin(&t, mlk_path_join(path, sizeof path, dir, "index.csv"), e));
    mlk_text_printf(&t, "folder,source,line,run,step,group,formula\n");
    mlk_status s = MLK_OK;
    for (size_t k = 0; k < n && !s; k++) {
        s = mlk_write_poscar_run(dir, &fr[k], k + 1, z, nz, e);
        mlk_poscar_run_name(&fr[k], k + 1, name, sizeof name);
        mlk_text_printf(&t, "%s,", name);
        mlk_text_csv(&t, fr[k].source);
        mlk_text_printf(&t, ",%ld,%d,%d,", fr[k].line, fr[k].run, fr[k].step);
        mlk_text_csv(&t, fr[k].group);
        mlk_text_printf(&t, ",%s\n", mlk_frame_formula(&fr[k], formula, sizeof formula));
        *n_files += !s;
    }
    if (s) {
        mlk_out_abort(&t.out);
        return s;
    }
    return mlk_text_out_commit(&t, e);
}
