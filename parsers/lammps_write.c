/* lammps_write.c - a LAMMPS data file (units metal, atom_style atomic) of one structure. LAMMPS
 * wants a along x, b in the xy plane and a right-handed cell: the structure is turned so (its
 * fractional positions stay), velocities with it. */
#include <math.h>
#include <string.h>

#include "core/element.h"
#include "core/log.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "parsers/writers.h"

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Lower triangle L with L L^T = h h^T. */
static void lower(const double h[3][3], double l[3][3])
{
    memset(l, 0, 9 * sizeof(double));
    l[0][0] = sqrt(dot(h[0], h[0]));
    l[1][0] = dot(h[0], h[1]) / l[0][0];
    l[1][1] = sqrt(dot(h[1], h[1]) - l[1][0] * l[1][0]);
    l[2][0] = dot(h[0], h[2]) / l[0][0];
    l[2][1] = (dot(h[1], h[2]) - l[1][0] * l[2][0]) / l[1][1];
    l[2][2] = sqrt(dot(h[2], h[2]) - l[2][0] * l[2][0] - l[2][1] * l[2][1]);
}

static void put_box(mlk_text_out *t, const double l[3][3])
{
    static const char axis[] = "xyz";
    char b[3][MLK_EXACT];
    for (int k = 0; k < 3; k++)
        mlk_text_printf(t, "0 %s %clo %chi\n", mlk_exact(b[0], l[k][k]), axis[k], axis[k]);
    if (l[1][0] != 0 || l[2][0] != 0 || l[2][1] != 0)
        mlk_text_printf(t, "%s %s %s xy xz yz\n", mlk_exact(b[0], l[1][0]),
                        mlk_exact(b[1], l[2][0]), mlk_exact(b[2], l[2][1]));
}

/* Fractional shift that puts the atoms into the middle along open directions, where LAMMPS loses
 * those outside the box. */
static void centre(const mlk_frame *fr, double shift[3])
{
    double lo[3] = {INFINITY, INFINITY, INFINITY}, hi[3] = {-INFINITY, -INFINITY, -INFINITY}, s[3];
    for (size_t i = 0; i < fr->n; i++) {
        mlk_cell_frac(&fr->cell, fr->x[i], s);
        for (int k = 0; k < 3; k++) {
            lo[k] = fmin(lo[k], s[k]);
            hi[k] = fmax(hi[k], s[k]);
        }
    }
    for (int k = 0; k < 3; k++)
        shift[k] = fr->cell.pbc[k] || (lo[k] >= 0 && hi[k] < 1) ? 0 : 0.5 * (1 - lo[k] - hi[k]);
}

static void put_rows(mlk_text_out *t, const mlk_frame *fr, const mlk_cell *turned, const int *type,
                     bool velocities)
{
    double shift[3] = {0};
    if (!velocities) centre(fr, shift);
    mlk_text_printf(t, velocities ? "\nVelocities\n\n" : "\nAtoms # atomic\n\n");
    for (size_t i = 0; i < fr->n; i++) {
        double s[3], x[3];
        char b[3][MLK_EXACT];
        mlk_cell_frac(&fr->cell, velocities ? fr->v[i] : fr->x[i], s);
        for (int k = 0; k < 3; k++) s[k] += shift[k];
        mlk_cell_cart(turned, s, x);
        for (int k = 0; k < 3; k++) mlk_exact(b[k], velocities ? x[k] / MLK_TAU_PS : x[k]);
        if (velocities)
            mlk_text_printf(t, "%zu %s %s %s\n", i + 1, b[0], b[1], b[2]);
        else
            mlk_text_printf(t, "%zu %d %s %s %s\n", i + 1, type[fr->z[i]], b[0], b[1], b[2]);
    }
}

static void put_all(mlk_text_out *t, const mlk_frame *fr, const mlk_cell *turned)
{
    int z[MLK_ELEMENT_MAX], type[MLK_ELEMENT_MAX + 1] = {0};
    char formula[256], b[MLK_EXACT];
    size_t m = mlk_frame_species(fr, z);
    mlk_text_printf(t, "%s (mlkit, units = metal)\n\n%zu atoms\n%zu atom types\n\n",
                    mlk_frame_formula(fr, formula, sizeof formula), fr->n, m);
    put_box(t, (const double(*)[3])turned->h);
    mlk_text_printf(t, "\nMasses\n\n");
    for (size_t k = 0; k < m; k++) {
        type[z[k]] = (int)k + 1;
        mlk_text_printf(t, "%zu %s # %s\n", k + 1, mlk_exact(b, mlk_element_mass(z[k])),
                        mlk_element_symbol(z[k]));
    }
    put_rows(t, fr, turned, type, false);
    if (fr->has & MLK_HAS_VELOCITY) put_rows(t, fr, turned, type, true);
}

mlk_status mlk_write_lammps(const char *path, const mlk_frame *fr, mlk_err *e)
{
    mlk_text_out t;
    mlk_cell turned;
    double l[3][3];
    MLK_TRY(mlk_frame_check(fr, e));
    if (!(fr->has & MLK_HAS_CELL)) {
        MLK_FAIL(e, MLK_EUNSUPPORTED, "the structure has no cell; a data file needs one");
        return mlk_err_at(e, path, 0);
    }
    lower((const double(*)[3])fr->cell.h, l);
    if (mlk_cell_init(&turned, (const double(*)[3])l, e)) return mlk_err_at(e, path, 0);
    const double(*h)[3] = (const double(*)[3])fr->cell.h;
    double cross[3] = {h[0][1] * h[1][2] - h[0][2] * h[1][1], h[0][2] * h[1][0] - h[0][0] * h[1][2],
                       h[0][0] * h[1][1] - h[0][1] * h[1][0]};
    if (dot(cross, h[2]) < 0)
        mlk_log(MLK_LOG_WARN,
                "%s: the cell is left-handed; the structure written is its mirror image", path);
    if (!(fr->cell.pbc[0] && fr->cell.pbc[1] && fr->cell.pbc[2]))
        mlk_log(MLK_LOG_WARN,
                "%s: a data file does not state the boundary; use 'boundary %c %c %c' in LAMMPS",
                path, fr->cell.pbc[0] ? 'p' : 'f', fr->cell.pbc[1] ? 'p' : 'f',
                fr->cell.pbc[2] ? 'p' : 'f');
    if (fabs(l[1][0]) > 0.5 * l[0][0] || fabs(l[2][0]) > 0.5 * l[0][0] ||
        fabs(l[2][1]) > 0.5 * l[1][1])
        mlk_log(MLK_LOG_INFO,
                "%s: the cell is skewed by more than half its width: LAMMPS may want "
                "'box tilt large' before read_data",
                path);
    MLK_TRY(mlk_text_out_begin(&t, path, e));
    put_all(&t, fr, &turned);
    return mlk_text_out_commit(&t, e);
}
