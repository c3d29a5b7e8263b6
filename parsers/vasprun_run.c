/* vasprun_run.c - see vasprun_run.h: header texts, rows of numbers and the end of each ionic step
 * become frames. Facts honoured (docs/FORMATS.md): calculation/energy/e_fr_energy is the energy
 * whose derivative the forces are; stress is in kB, positive under compression, so W = value *
 * volume; up to VASP 6.0 the other two energy names are shifted (vasprun_labels.c); steps predicted
 * by VASP's own force field stand outside `calculation`. */
#include "parsers/vasprun_run.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/element.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/units.h"
#include "parsers/text.h"
#include "parsers/vasp_text.h"

typedef mlk_vasprun_run state;
typedef mlk_vasprun_rows rows;

void mlk_vasprun_run_fail(state *p, mlk_status code, long line, const char *msg)
{
    if (p->stop) return;
    p->stop = true;
    p->status = code;
    MLK_FAIL(p->e, code, "%s", msg);
    mlk_err_at(p->e, p->path, line);
}

static double number_or_nan(const char *s)
{
    double v;
    return mlk_numbers_only(s, 1, &v) ? v : NAN;
}

static void add_row(state *p, rows *r, const char *text, bool cut, size_t max, const char *what)
{
    char msg[128];
    if (r->n == max) {
        snprintf(msg, sizeof msg, "more than %zu %s rows in ionic step %ld", max, what, p->n_calc);
        mlk_vasprun_run_fail(p, MLK_EFORMAT, p->line, msg);
        return;
    }
    mlk_status s = MLK_GROW(r->v, r->cap, r->n + 1, p->e);
    if (s) {
        p->status = s;
        p->stop = true;
        return;
    }
    if ((cut || !mlk_numbers_only(text, 3, r->v[r->n])) && !r->bad) r->bad = p->line;
    r->n++;
}

static void add_atom_cell(state *p, char *text)
{
    if (p->column == 0) {
        if (MLK_GROW(p->z, p->z_cap, p->n_z + 1, p->e) ||
            MLK_GROW(p->type, p->type_cap, p->n_z + 1, p->e)) {
            p->status = MLK_ENOMEM;
            p->stop = true;
            return;
        }
        char *end = strchr(text, '/'); /* newest versions append a hash */
        if (end) *end = 0;
        p->z[p->n_z] = mlk_element_z(text);
        p->type[p->n_z] = 0;
        if (!p->z[p->n_z] && !p->atom_line) {
            p->atom_line = p->line;
            mlk_text_trim(p->unknown, sizeof p->unknown, text);
        }
        p->n_z++;
    } else if (p->column == 1 && p->n_z) {
        p->type[p->n_z - 1] = atoi(text);
    }
    p->column++;
}

static void add_type_cell(state *p, const char *text)
{
    if (p->column++ != 4) return;
    if (MLK_GROW(p->type_z, p->type_z_cap, p->n_type + 1, p->e)) {
        p->status = MLK_ENOMEM;
        p->stop = true;
        return;
    }
    p->type_z[p->n_type++] = mlk_vasp_potcar_z(text);
    mlk_vasp_level_potcar(&p->level, text);
}

/* Symbols that are no element ("X" for Xe) are looked up in the POTCAR title of their type. */
static void end_atominfo(state *p)
{
    char msg[192];
    if (mlk_vasprun_is_vasp(p->program))
        mlk_vasp_level_text(&p->level, p->theory, sizeof p->theory);
    else
        snprintf(p->theory, sizeof p->theory, "%s%s%s", p->program, *p->version ? " " : "",
                 p->version);
    for (size_t i = 0; i < p->n_z; i++) {
        int t = p->type[i];
        if (!p->z[i] && t >= 1 && (size_t)t <= p->n_type) p->z[i] = p->type_z[t - 1];
        if (p->z[i]) continue;
        snprintf(msg, sizeof msg, "atom %zu is of an unknown element '%s'", i + 1, p->unknown);
        mlk_vasprun_run_fail(p, MLK_EFORMAT, p->atom_line, msg);
        mlk_err_hint(p->e,
                     "neither atominfo/atoms nor the POTCAR title in atomtypes names an element");
        return;
    }
    if (p->n_atoms && (size_t)p->n_atoms != p->n_z) {
        snprintf(msg, sizeof msg, "%zu rows in atominfo/atoms, expected %ld", p->n_z, p->n_atoms);
        mlk_vasprun_run_fail(p, MLK_EFORMAT, p->line, msg);
    }
}

static void begin_step(state *p)
{
    p->n_calc++;
    p->step_line = p->line;
    p->n_scf = 0;
    p->has_structure = p->has_e = false;
    p->basis.n = p->x.n = p->f.n = p->stress.n = 0;
    p->basis.bad = p->x.bad = p->f.bad = p->stress.bad = 0;
    p->e_fr = p->e_wo = p->e_0 = p->kinetic = NAN;
}

static void wrong_count(state *p, const char *what, size_t got)
{
    char msg[128];
    snprintf(msg, sizeof msg, "%zu %s rows, expected %zu (ionic step %ld)", got, what, p->n_z,
             p->n_calc);
    mlk_vasprun_run_fail(p, MLK_EFORMAT, p->line, msg);
}

static mlk_status fill(state *p, mlk_frame *fr)
{
    const double(*h)[3] = (const double(*)[3])p->basis.v;
    MLK_TRY(mlk_frame_init(fr, p->n_z, p->e));
    if (mlk_cell_init(&fr->cell, h, NULL))
        return MLK_FAIL(p->e, MLK_EFORMAT, "the lattice vectors of ionic step %ld span no volume",
                        p->n_calc);
    fr->has = MLK_HAS_CELL;
    memcpy(fr->z, p->z, p->n_z * sizeof *fr->z);
    for (size_t i = 0; i < p->n_z; i++) mlk_cell_cart(&fr->cell, p->x.v[i], fr->x[i]);
    if (p->f.n && !p->f.bad) {
        memcpy(fr->f, p->f.v, p->n_z * sizeof *fr->f);
        fr->has |= MLK_HAS_FORCE;
    }
    if (isfinite(p->e_fr)) {
        fr->energy = p->e_fr;
        fr->energy_kind = MLK_ENERGY_FREE;
        fr->energy0 = mlk_vasprun_energy0(p->program, p->version, p->e_fr, p->e_wo, p->e_0);
        fr->has |= MLK_HAS_ENERGY;
    }
    if (p->stress.n == 3 && !p->stress.bad) {
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                fr->virial[a][b] = p->stress.v[a][b] * MLK_KBAR_EVA3 * fr->cell.volume;
        fr->has |= MLK_HAS_VIRIAL;
    }
    double nelm = isfinite(p->nelm) ? p->nelm : p->nelm_incar;
    fr->scf = mlk_vasp_scf(p->n_scf, nelm);
    fr->temperature = mlk_vasp_temperature(p->kinetic, p->n_z);
    if (isnan(fr->temperature) && !mlk_vasprun_is_vasp(p->program) && p->tebeg >= 1)
        fr->temperature = p->tebeg;
    fr->step = (int)(p->n_calc + p->n_ml);
    fr->line = p->step_line;
    fr->run = p->number;
    mlk_text_copy(fr->theory, sizeof fr->theory, p->theory);
    mlk_text_copy(fr->source, sizeof fr->source, p->path);
    mlk_vasp_title(fr->config_type, sizeof fr->config_type, p->system);
    return MLK_OK;
}

static void end_step(state *p)
{
    if (p->f.n && p->f.n != p->n_z) {
        wrong_count(p, "force", p->f.n);
        return;
    }
    if (p->has_structure && p->x.n != p->n_z) {
        wrong_count(p, "position", p->x.n);
        return;
    }
    if (!p->has_structure || p->basis.n != 3 || p->n_z == 0 || p->basis.bad || p->x.bad) {
        long bad = p->basis.bad ? p->basis.bad : p->x.bad;
        if (bad)
            mlk_log(MLK_LOG_WARN, "%s:%ld: ionic step %ld left out: a position is not a number",
                    p->path, bad, p->n_calc);
        p->n_no_structure++;
        return;
    }
    if (p->f.bad)
        mlk_log(MLK_LOG_WARN, "%s:%ld: the forces of ionic step %ld are not all numbers", p->path,
                p->f.bad, p->n_calc);
    if (p->has_e && !isfinite(p->e_fr))
        mlk_log(MLK_LOG_WARN, "%s:%ld: the energy of ionic step %ld is not a number", p->path,
                p->step_line, p->n_calc);
    mlk_frame fr = {0};
    mlk_status s = fill(p, &fr);
    if (!s) s = mlk_frame_check(&fr, p->e);
    if (!s) {
        s = p->fn(&fr, p->user, p->e);
        p->n_out++;
    }
    mlk_frame_free(&fr);
    if (s) {
        p->status = s;
        p->stop = true;
        mlk_err_at(p->e, p->path, p->step_line);
    }
}

/* Texts that stand before the first step. */
static void header_leaf(state *p, mlk_vasprun_node kind, const char *text)
{
    mlk_vasp_level *l = &p->level;
    char metagga[sizeof l->metagga];
    struct {
        mlk_vasprun_node kind;
        char *text;
        size_t cap;
    } texts[] = {{MLK_VR_PROGRAM, p->program, sizeof p->program},
                 {MLK_VR_VERSION, p->version, sizeof p->version},
                 {MLK_VR_SYSTEM, p->system, sizeof p->system},
                 {MLK_VR_GGA, l->gga, sizeof l->gga},
                 {MLK_VR_METAGGA, metagga, sizeof metagga}};
    struct {
        mlk_vasprun_node kind;
        double *number;
    } numbers[] = {{MLK_VR_NELM, &p->nelm},        {MLK_VR_NELM_INCAR, &p->nelm_incar},
                   {MLK_VR_TEBEG, &p->tebeg},      {MLK_VR_ENCUT, &l->encut},
                   {MLK_VR_IVDW, &l->ivdw},        {MLK_VR_AEXX, &l->aexx},
                   {MLK_VR_HFSCREEN, &l->hfscreen}};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
        if (texts[k].kind == kind) {
            mlk_text_trim(texts[k].text, texts[k].cap, text);
            if (kind == MLK_VR_METAGGA) mlk_vasp_level_metagga(l, metagga);
            return;
        }
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        if (numbers[k].kind == kind) {
            *numbers[k].number = number_or_nan(text);
            return;
        }
    if (kind == MLK_VR_LDAU) l->ldau = mlk_vasp_true(text);
    if (kind == MLK_VR_HYBRID) l->hybrid = mlk_vasp_true(text);
    if (kind == MLK_VR_LVDW) l->lvdw = mlk_vasp_true(text);
    if (kind == MLK_VR_N_ATOMS) p->n_atoms = atol(text);
}

static void end_leaf(state *p, mlk_vasprun_node kind, char *text, bool cut)
{
    switch (kind) {
    case MLK_VR_BASIS_V:
        add_row(p, &p->basis, text, cut, 3, "lattice vector");
        break;
    case MLK_VR_POSITIONS_V:
        add_row(p, &p->x, text, cut, p->n_z, "position");
        break;
    case MLK_VR_FORCES_V:
        add_row(p, &p->f, text, cut, p->n_z, "force");
        break;
    case MLK_VR_STRESS_V:
        add_row(p, &p->stress, text, cut, 3, "stress");
        break;
    case MLK_VR_ATOM_CELL:
        add_atom_cell(p, text);
        break;
    case MLK_VR_TYPE_CELL:
        add_type_cell(p, text);
        break;
    case MLK_VR_E_FR:
        p->e_fr = number_or_nan(text);
        p->has_e = true;
        break;
    case MLK_VR_E_WO:
        p->e_wo = number_or_nan(text);
        break;
    case MLK_VR_E_0:
        p->e_0 = number_or_nan(text);
        break;
    case MLK_VR_KINETIC:
        p->kinetic = number_or_nan(text);
        break;
    default:
        header_leaf(p, kind, text);
    }
}

void mlk_vasprun_run_begin(mlk_vasprun_run *p, mlk_vasprun_node kind)
{
    if (kind == MLK_VR_ATOMINFO) {
        p->n_z = p->n_type = 0;
        p->n_atoms = p->atom_line = 0;
    }
    if (kind == MLK_VR_ATOM_ROW || kind == MLK_VR_TYPE_ROW) p->column = 0;
    if (kind == MLK_VR_CALCULATION) begin_step(p);
    if (kind == MLK_VR_SCSTEP) p->n_scf++;
    if (kind == MLK_VR_STRUCTURE) {
        p->has_structure = true;
        p->basis.n = p->x.n = 0;
    }
    if (kind == MLK_VR_ML_STRUCTURE) p->n_ml++;
}

void mlk_vasprun_run_end(mlk_vasprun_run *p, mlk_vasprun_node kind, char *text, bool cut)
{
    if (text) end_leaf(p, kind, text, cut);
    if (kind == MLK_VR_ATOMINFO && !p->stop) end_atominfo(p);
    if (kind == MLK_VR_CALCULATION && !p->stop) end_step(p);
}

void mlk_vasprun_run_reset(mlk_vasprun_run *p)
{
    p->program[0] = p->version[0] = p->system[0] = p->theory[0] = 0;
    mlk_vasp_level_init(&p->level);
    p->nelm = p->nelm_incar = p->tebeg = NAN;
    p->n_atoms = p->atom_line = 0;
    p->n_z = p->n_type = 0;
    p->n_calc = p->n_ml = p->n_no_structure = 0;
}

void mlk_vasprun_run_free(mlk_vasprun_run *p)
{
    mlk_free(p->z), mlk_free(p->type), mlk_free(p->type_z);
    mlk_free(p->basis.v), mlk_free(p->x.v), mlk_free(p->f.v), mlk_free(p->stress.v);
}
