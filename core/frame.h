/* frame.h - one configuration: DFT labels on their way in, model results on their way out. */
#ifndef MLK_CORE_FRAME_H
#define MLK_CORE_FRAME_H

#include <stddef.h>

#include "core/cell.h"
#include "core/err.h"

enum { /* mlk_frame.has */
       MLK_HAS_CELL = 1,
       MLK_HAS_ENERGY = 2,
       MLK_HAS_FORCE = 4,
       MLK_HAS_VIRIAL = 8,
       MLK_HAS_VELOCITY = 16
};
/* mlk_frame.energy_kind: what the source says `energy` is */
enum {
    MLK_ENERGY_UNSTATED = 0,
    MLK_ENERGY_FREE = 1 /* F = E - TS, the one the forces belong to */
};
/* mlk_frame.scf */
enum { MLK_SCF_UNKNOWN = -1, MLK_SCF_UNCONVERGED = 0, MLK_SCF_CONVERGED = 1 };

typedef struct mlk_frame {
    size_t n;       /* atoms                                                            */
    int *z;         /* (n) atomic numbers                                               */
    double (*x)[3]; /* (n,3) Cartesian positions, not necessarily wrapped [A]           */
    double (*f)[3]; /* (n,3) forces [eV/A], valid if MLK_HAS_FORCE                      */
    double (*v)[3]; /* (n,3) velocities [A/tau], NULL unless MLK_HAS_VELOCITY           */
    mlk_cell cell;
    double energy;        /* the force-consistent (free) energy [eV]                          */
    double energy0;       /* energy extrapolated to sigma -> 0 [eV], NaN when unknown         */
    double virial[3][3];  /* W = -dE/dstrain = -volume * stress, without kinetic part [eV]    */
    unsigned has;         /* MLK_HAS_*                                                        */
    int energy_kind;      /* MLK_ENERGY_*                                                     */
    int scf;              /* MLK_SCF_*                                                        */
    double temperature;   /* of the sampling run [K], NaN when unknown                        */
    int step;             /* ionic step in its source, from 1; 0 when unknown                 */
    long line;            /* first line of the frame in its source, 0 when unknown            */
    int run;              /* run within its source, from 1 (files can hold several); 0 the only */
    char source[256];     /* file it was read from                                            */
    char group[64];       /* trajectory group: never split between train and validation       */
    char config_type[64]; /* free tag, "" when none                                           */
    char theory[128];     /* level of theory as its source states it, "VASP PE 520 eV PAW_PBE Li_sv
                             S", "" when it does not                                          */
    int n_raw;            /* 6 or 9 numbers of a stress-like key that is not a known one, else 0:
                             order, sign and unit unknown, for the checker only               */
    double raw[9];
    char raw_key[32];
} mlk_frame;

/* Axes of the six components xx yy zz xy yz zx of a symmetric tensor. */
extern const int mlk_voigt_a[6], mlk_voigt_b[6];

/* All-zero frames are valid. init allocates z, x, f for n atoms (zeroed), scf unknown, NaNs set. */
mlk_status mlk_frame_init(mlk_frame *fr, size_t n, mlk_err *e);
void mlk_frame_free(mlk_frame *fr);
/* Deep copy into an uninitialised or all-zero dst. */
mlk_status mlk_frame_copy(const mlk_frame *src, mlk_frame *dst, mlk_err *e);
/* rep[0] x rep[1] x rep[2] copies along the lattice vectors; extensive labels are multiplied,
 * forces and velocities repeated. dst uninitialised. */
mlk_status mlk_frame_repeat(const mlk_frame *src, const int rep[3], mlk_frame *dst, mlk_err *e);
/* Sorted list of the distinct atomic numbers; z of at least MLK_ELEMENT_MAX. Returns how many. */
size_t mlk_frame_species(const mlk_frame *fr, int *z);
/* Hill-free formula in order of atomic number, "Li12P4S16"; buf of cap bytes. */
char *mlk_frame_formula(const mlk_frame *fr, char *buf, size_t cap);
/* Refuses NaN/Inf in any label, non-positive z, zero atoms; error without file position. */
mlk_status mlk_frame_check(const mlk_frame *fr, mlk_err *e);

#endif
