/* md.h - molecular dynamics: the state, the settings and the run.
 *
 *   md.c       the time loop                       nve.c     velocity Verlet, momentum, temperature
 *   setup.c    settings and structure -> state     bdp.c     stochastic velocity rescaling
 *                                                  scr.c     stochastic cell rescaling
 *   fluxes.c   energy and mass fluxes              store.c   records while the run goes on
 *   restart.c  the checkpoint                      h5md.c    the finished file
 *   extrapolation.c  against the training data     quality.c what the checks found, in that file
 *   bonds.c    molecular groups of the start       rdf.c     its pair distributions
 *
 * Inside: A, eV, amu, tau (core/units.h). Settings are in the units people type: fs, K. */
#ifndef MLK_MD_MD_H
#define MLK_MD_MD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cell.h"
#include "core/err.h"
#include "core/frame.h"
#include "core/neigh.h"
#include "potentials/potential.h"

enum { MLK_MD_NVE, MLK_MD_NVT };   /* mlk_md_config.ensemble */
enum { MLK_MD_ISO, MLK_MD_ANISO }; /* mlk_md_config.barostat */
enum { MLK_MD_NPT_BLOCKS = 5 };

typedef struct mlk_md_config {
    double temp;       /* target temperature [K]                                             */
    double dt;         /* time step [fs]; 0: chosen by the lightest atom                     */
    double npt;        /* length of the first stage, at constant pressure [fs]; 0: none       */
    double equil, run; /* length of the NVT equilibration and of the production [fs]         */
    double sample;     /* between flux samples [fs]; 0: the multiple of dt up to 4 fs        */
    double dump;       /* between stored positions [fs]                                      */
    double tau;        /* relaxation time of the thermostat [fs]                             */
    double pressure;   /* target of the first stage [GPa]                                    */
    double tau_p;      /* relaxation time of the barostat [fs]                               */
    double skin;       /* of the Verlet list [A]                                             */
    double max_drift;  /* energy drift that is flagged [meV/atom/ns]                         */
    double max_grade;  /* extrapolation grade beyond which a run is flagged                  */
    double checkpoint; /* wall time between checkpoints [s]                                  */
    int thermo;        /* steps between thermodynamic records                                */
    int check;         /* steps between checks of the descriptors; 0: none                   */
    int ensemble;      /* of the production: MLK_MD_NVE or MLK_MD_NVT                        */
    int barostat;      /* MLK_MD_ISO or MLK_MD_ANISO                                         */
    uint64_t seed;
    char model[1024], command[2048]; /* provenance, copied into the file                     */
} mlk_md_config;

/* Running sums of a run; saved with the checkpoint as an array of doubles. */
typedef struct mlk_md_sums {
    double eq_n, eq_e, eq_t;        /* total energy and T, last half of the equilibration    */
    double n, t, tt, e, te, ee, e0; /* linear fit of the conserved energy [eV], t in tau     */
    double temp;                    /* sum of production temperatures over the n records [K] */
    double recent;                  /* running mean of T, see md.c [K]                          */
    double heat;                    /* energy the thermostat has put in [eV]                 */
    double wall;                    /* seconds spent so far, earlier sessions included       */
    double builds;                  /* neighbour lists built                                 */
    double strain[3];               /* logarithms of the Cartesian stretches of the cell     */
    double npt_n[MLK_MD_NPT_BLOCKS], npt_v[MLK_MD_NPT_BLOCKS], npt_strain[3]; /* see scr.c   */
} mlk_md_sums;

/* What the checks found; saved like the sums. */
typedef struct mlk_md_watch {
    double checks;                             /* checks of descriptors in the production  */
    double worst;                              /* largest extrapolation grade of these     */
    double worst_atom, worst_desc, worst_step; /* its atom, descriptor (from 0), production step */
    double warned_grade, warned_bond;          /* 1: the first event has been logged       */
} mlk_md_watch;

typedef struct mlk_md_bond { /* of the start */
    size_t i, j;
    int image[3]; /* r = x_j + image*h - x_i */
} mlk_md_bond;

typedef struct mlk_md {
    mlk_md_config cfg;        /* resolved: nothing automatic is left                          */
    const mlk_potential *pot; /* borrowed                                                     */
    mlk_cell cell;
    double start_cell[3][3];      /* lattice vectors of the structure [A]                         */
    size_t n, n_el;               /* atoms; elements present                                      */
    int element[MLK_SPECIES_MAX]; /* (n_el) their atomic numbers, ascending                    */
    int *z, *type, *el;           /* (n) atomic number, type of the model, index into element     */
    double *mass;                 /* (n) [amu]                                                    */
    double (*x)[3];               /* (n,3) positions [A]; the unwrapped position is x + img*h     */
    double (*v)[3];               /* (n,3) velocities [A/tau]                                     */
    double (*x_list)[3];          /* (n,3) positions the neighbour list was built with [A]        */
    int (*img)[3];                /* (n,3) cells an atom was moved back by (far travellers only)  */
    double dt;                    /* [tau]                                                        */
    int64_t step;                 /* steps done, equilibration included                           */
    int64_t n_npt;                /* first steps of the equilibration, at constant pressure       */
    int64_t n_equil, n_run;       /* steps of equilibration and production                        */
    int64_t sample, dump, thermo; /* intervals in steps                                        */
    bool resumed;                 /* state comes from a checkpoint                                */
    bool new_cell;                /* the cell has changed since the list was built                */
    double kinetic;               /* of v [eV]                                                    */
    mlk_md_sums sums;
    double *shortest; /* (n_el,n_el) shortest distance met at thermo steps [A], a <= b */
    mlk_md_watch watch;
    double *outside;   /* (n_el,2) atom samples outside of the training range; beyond max_grade */
    mlk_md_bond *bond; /* (n_bond) covalent bonds of the start                       */
    int *turns;        /* (n_bond) times a bond broke or formed again: odd is broken          */
    size_t n_bond;
    mlk_grades grades; /* of the last check                                                   */
    mlk_neigh nl;
    mlk_eval ev;         /* of x                                                         */
    char settings[4096]; /* one "key: value" line per setting that decides the result    */
} mlk_md;

/* State at step 0: the structure with Maxwell-Boltzmann velocities of exactly the target
 * temperature and no total momentum. pot is borrowed until mlk_md_free; frame velocities are not
 * used. Errors: MLK_EINVAL a setting, the structure or the pair of structure and model is
 * impossible. */
mlk_status mlk_md_init(mlk_md *md, const mlk_md_config *cfg, const mlk_potential *pot,
                       const mlk_frame *fr, mlk_err *e);
void mlk_md_free(mlk_md *md); /* all-zero is valid */

struct mlk_md_store;
/* The whole run from md->step on: equilibration, production, records, checkpoints, and at the end
 * the finished file. out NULL: nothing is recorded. Errors: MLK_EINTERRUPTED stopped by a signal
 * after a checkpoint; MLK_ENUMERIC the run diverged (what was recorded is in <out>.failed.h5);
 * MLK_EIO. */
mlk_status mlk_md_run(mlk_md *md, struct mlk_md_store *out, mlk_err *e);

/* One velocity-Verlet step (and the thermostat where it is on). Forces must be current. */
mlk_status mlk_md_step(mlk_md *md, mlk_err *e);
/* Forces at x, with virials when this step records them; keeps the neighbour list valid. */
mlk_status mlk_md_forces(mlk_md *md, mlk_err *e);
/* Is the thermostat on at this step? */
bool mlk_md_is_nvt(const mlk_md *md);
/* Does step md->step record fluxes, thermodynamic values, positions? */
bool mlk_md_at_flux(const mlk_md *md);
bool mlk_md_at_thermo(const mlk_md *md);
bool mlk_md_at_dump(const mlk_md *md);
bool mlk_md_at_check(const mlk_md *md);
/* Virial pressure with its kinetic part, from the last evaluation that asked for the virial
 * [eV/A^3]. */
double mlk_md_pressure(const mlk_md *md);
/* Slope of the conserved energy and its standard error [meV/atom/ns]; NaN with fewer than 3
 * records. */
double mlk_md_drift(const mlk_md *md, double *error);

/* Share of the atoms outside of the training data beyond which a run is flagged, whatever the
 * grades. Li3PS4 at 600 K: 0.02 (NEP, 42 descriptors) and 0.14 (SNAP, 541);
 * with edges of 0.88: 1. */
#define MLK_MD_MAX_OUTSIDE 0.5

/* extrapolation.c. Distances of the current list into md->shortest. */
void mlk_md_note_shortest(mlk_md *md);
/* Extrapolation grades of all atoms into md->grades; in the production they count in md->watch and
 * md->outside. Does nothing when the model has no ranges. */
mlk_status mlk_md_check_range(mlk_md *md, mlk_err *e);

/* bonds.c. The covalent bonds of the structure into md->bond; their state into md->turns. */
mlk_status mlk_md_find_bonds(mlk_md *md, mlk_err *e);
void mlk_md_note_bonds(mlk_md *md);
typedef struct mlk_md_bond_count {
    int64_t start, whole, broke; /* bonds of the start; whole now; times one broke */
} mlk_md_bond_count;
/* Of one pair of elements, or of all (za = 0). */
mlk_md_bond_count mlk_md_count_bonds(const mlk_md *md, int za, int zb);

/* nve.c */
void mlk_nve_kick(mlk_md *md, double dt);  /* v += f dt/m */
void mlk_nve_drift(mlk_md *md, double dt); /* x += v dt   */
double mlk_md_kinetic(const mlk_md *md);
/* Degrees of freedom: 3 N - 3, the total momentum being zero. */
double mlk_md_dof(const mlk_md *md);
double mlk_md_temperature(const mlk_md *md); /* from md->kinetic [K] */
void mlk_md_remove_momentum(mlk_md *md);
void mlk_md_scale_velocities(mlk_md *md, double factor);

/* bdp.c: factor on all velocities for one step of length dt of stochastic velocity rescaling with
 * relaxation time tau; g supplies the random numbers of this step. */
double mlk_bdp_factor(double kinetic, double kinetic_target, size_t dof, double dt_over_tau,
                      uint64_t seed, int64_t step);
void mlk_bdp_apply(mlk_md *md);

/* scr.c: does the barostat move the cell at this step? */
bool mlk_md_at_barostat(const mlk_md *md);
/* Changes of the logarithms of the three Cartesian stretches in one move of length dt = dt_tau
 * tau_p: pressure (3) diagonal, target [eV/A^3], volume [A^3], kt [eV]. */
void mlk_scr_moves(const double pressure[3], double target, double volume, double kt, double dt_tau,
                   bool isotropic, uint64_t seed, int64_t step, double move[3]);
/* One move; forces must hold the virial and are new afterwards. */
mlk_status mlk_md_barostat(mlk_md *md, mlk_err *e);
/* The cell that belongs to md->sums.strain, and the kinetic energy of v. */
mlk_status mlk_md_restore_cell(mlk_md *md, mlk_err *e);
/* Stretch the start cell by exp(strain), atoms with it and velocities against it. */
mlk_status mlk_md_stretch(mlk_md *md, const double strain[3], mlk_err *e);
/* End of the stage: the cell becomes its mean over the second half. */
mlk_status mlk_md_fix_cell(mlk_md *md, mlk_err *e);
/* That mean [A^3] and its error from five blocks; NaN without such a stage. */
double mlk_md_npt_volume(const mlk_md *md, double *error);

#endif
