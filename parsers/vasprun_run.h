/* vasprun_run.h - the run that a vasprun.xml tells of, as its reader meets it: texts of known
 * elements go in, frames come out. No XML here. Shared by vasprun.c and vasprun_run.c only. */
#ifndef MLK_PARSERS_VASPRUN_RUN_H
#define MLK_PARSERS_VASPRUN_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/parser.h"
#include "parsers/vasp_level.h"
#include "parsers/vasprun.h"

/* What an element is, by its path. SKIP: nothing below is of interest */
typedef enum mlk_vasprun_node {
    MLK_VR_SKIP,
    MLK_VR_ROOT,
    MLK_VR_MODELING,
    MLK_VR_GENERATOR,
    MLK_VR_PROGRAM,
    MLK_VR_VERSION,
    MLK_VR_INCAR,
    MLK_VR_PARAMETERS,
    MLK_VR_ELECTRONIC,
    MLK_VR_SECTION,
    MLK_VR_NELM,
    MLK_VR_NELM_INCAR,
    MLK_VR_TEBEG,
    MLK_VR_SYSTEM,
    MLK_VR_ENCUT,
    MLK_VR_GGA,
    MLK_VR_METAGGA,
    MLK_VR_IVDW,
    MLK_VR_LVDW,
    MLK_VR_LDAU,
    MLK_VR_HYBRID,
    MLK_VR_AEXX,
    MLK_VR_HFSCREEN,
    MLK_VR_ATOMINFO,
    MLK_VR_N_ATOMS,
    MLK_VR_ATOMS,
    MLK_VR_ATOM_ROW,
    MLK_VR_ATOM_CELL,
    MLK_VR_TYPES,
    MLK_VR_TYPE_ROW,
    MLK_VR_TYPE_CELL,
    MLK_VR_CALCULATION,
    MLK_VR_SCSTEP,
    MLK_VR_STRUCTURE,
    MLK_VR_CRYSTAL,
    MLK_VR_BASIS,
    MLK_VR_POSITIONS,
    MLK_VR_FORCES,
    MLK_VR_STRESS,
    MLK_VR_BASIS_V,
    MLK_VR_POSITIONS_V,
    MLK_VR_FORCES_V,
    MLK_VR_STRESS_V,
    MLK_VR_ENERGY,
    MLK_VR_E_FR,
    MLK_VR_E_WO,
    MLK_VR_E_0,
    MLK_VR_KINETIC,
    MLK_VR_ML_STRUCTURE,
    MLK_VR_N_NODE
} mlk_vasprun_node;

typedef struct mlk_vasprun_rows {
    double (*v)[3]; /* (n,3) */
    size_t cap, n;
    long bad; /* line of the first unreadable row, 0 if none */
} mlk_vasprun_rows;

typedef struct mlk_vasprun_run {
    const char *path;
    mlk_frame_fn fn;
    void *user;
    mlk_err *e;
    mlk_status status; /* of the callback, or of a fatal error       */
    bool stop;         /* deliver nothing more                       */
    int number;        /* of the run in its file; 0 while it is the only one */
    long line;         /* where the reader stands                    */
    long n_out;        /* frames delivered, of all runs              */

    char program[64], version[64], system[64];
    mlk_vasp_level level;
    char theory[128];
    double nelm, nelm_incar, tebeg;
    long n_atoms; /* promised by atominfo/atoms, 0 when absent */
    int *z, *type;
    size_t z_cap, type_cap, n_z;
    long atom_line; /* of the first atom of unknown element */
    char unknown[16];
    int *type_z; /* by the POTCAR title, per type */
    size_t type_z_cap, n_type;
    int column;

    long step_line, n_calc, n_ml, n_scf, n_no_structure;
    bool has_structure, has_e;
    mlk_vasprun_rows basis, x, f, stress;
    double e_fr, e_wo, e_0, kinetic;
} mlk_vasprun_run;

/* Forget all but path, fn, user, e, number, n_out: another run begins. */
void mlk_vasprun_run_reset(mlk_vasprun_run *p);
void mlk_vasprun_run_free(mlk_vasprun_run *p);
/* Stop with this error at this line unless already stopped. */
void mlk_vasprun_run_fail(mlk_vasprun_run *p, mlk_status code, long line, const char *msg);
/* An element begins; ends (text: its own if it is a leaf, changed; else NULL; cut: the text was
 * longer). Frames are delivered from here; errors are left in status and stop. */
void mlk_vasprun_run_begin(mlk_vasprun_run *p, mlk_vasprun_node kind);
void mlk_vasprun_run_end(mlk_vasprun_run *p, mlk_vasprun_node kind, char *text, bool cut);

#endif
