/* potential.h - a machine-learned potential: site energies U_i and their pair partials.
 *
 * Every model is a sum of site energies U = sum_i U_i({r_ij}). A model supplies only U_i and
 * p_ij = dU_i/dr_ij; potential.c derives everything else once, for all models (docs/THEORY.md):
 *
 *     F_i = sum_j (p_ij - p_ji)        W_i = sum_j r_ij (x) p_ji   (9 components, not symmetric)
 *
 * To add a model `foo`: write potentials/foo.c ending in `const mlk_potential_type
 * mlk_potential_foo`, and add MLK_POTENTIAL(foo) to registry.def. */
#ifndef MLK_POTENTIALS_POTENTIAL_H
#define MLK_POTENTIALS_POTENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/element.h"
#include "core/err.h"
#include "core/frame.h"
#include "core/mem.h"
#include "core/neigh.h"
#include "core/opt.h"

#define MLK_SPECIES_MAX MLK_ELEMENT_MAX

enum {                    /* mlk_potential_type.caps */
       MLK_CAP_VJP = 1,   /* trainable by gradients: vjp is there              */
       MLK_CAP_LINEAR = 2 /* linear in its parameters: basis is there          */
};

typedef struct mlk_ref {
    const char *citation, *doi, *title; /* "A. Author, B. Author, Journal 12, 345 (2020)" */
} mlk_ref;

typedef struct mlk_potential mlk_potential;

typedef struct mlk_potential_type {
    const char *name;     /* "nep": command-line name and tag in model.yaml              */
    const char *summary;  /* one line for help                                           */
    const mlk_ref *refs;  /* printed in reports; ends with {NULL}                        */
    const mlk_opt *hyper; /* hyper-parameters: table over a struct of hyper_size bytes   */
    size_t hyper_size;
    unsigned caps;
    const char *file; /* name of its community-format file in a model folder, "nep.txt" */

    /* Fill the hyper-parameters that were left open from the training frames, before create. NULL:
     * none can be left open. */
    mlk_status (*suggest)(void *hyper, size_t n_frames, const mlk_frame *const *frames, mlk_err *e);
    /* From pot->hyper and pot->z: set rc, n_param, param (initialised from seed) and state. */
    mlk_status (*create)(mlk_potential *pot, uint64_t seed, mlk_err *e);
    void (*destroy)(mlk_potential *pot); /* frees state only; NULL: nothing to free */
    /* param was changed by a trainer: refresh whatever is derived from it. NULL: nothing. */
    mlk_status (*update)(mlk_potential *pot, mlk_err *e);
    /* Look at the training frames once, before fitting starts from a newly created potential: scale
     * descriptors, centre biases. A model that was read keeps
     * them and only makes room for more neighbours in its file. NULL: nothing to do. */
    mlk_status (*prepare)(mlk_potential *pot, size_t n_frames, const mlk_frame *const *frames,
                          mlk_err *e);
    /* Does this file look like mine? Called with the first bytes of it (NUL-terminated). */
    bool (*sniff)(const char *path, const char *head);
    /* Community format. read fills hyper, species, rc, param and state of an all-zero potential
     * whose type is set and whose hyper holds defaults. Further files are found beside path by
     * ending. */
    mlk_status (*read)(mlk_potential *pot, const char *path, mlk_err *e);
    mlk_status (*write)(const mlk_potential *pot, const char *path, mlk_err *e);

    /* Site energies u[i] and pair partials p[c][k] = (dU_i/dr_ij)_c of the centres [i0,i1) and all
     * their pairs k (pairs beyond the cutoff get zeros). Serial, no allocation but from s. */
    mlk_status (*eval)(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i0,
                       size_t i1, mlk_scratch *s, double *u, double *const p[3], mlk_err *e);
    /* Reverse mode through both outputs: param_bar[m] += d/dparam_m [ sum_i ubar_i U_i +
     * sum_k pbar_k . p_k ] over the centres [i0,i1). NULL without MLK_CAP_VJP. */
    mlk_status (*vjp)(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i0,
                      size_t i1, const double *ubar, double *const pbar[3], mlk_scratch *s,
                      double *param_bar, mlk_err *e);
    /* Linear models, one centre i of type t with m = start[i+1]-start[i] pairs: U_i = sum_b
     * param[first+b] b[b]; b (nb) and db[c][b*m + q] = d b[b]/d r_q,c for its q-th pair. *first,
     * *nb out (may be asked with b NULL). NULL without MLK_CAP_LINEAR. */
    mlk_status (*basis)(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i,
                        mlk_scratch *s, size_t *first, size_t *nb, double *b, double *const db[3],
                        mlk_err *e);
    /* Descriptors: the numbers through which an atom's surroundings enter its energy. n_desc of
     * them per atom, the same for all species; describe fills q (i1-i0, n_desc) row by row for the
     * centres [i0,i1). Serial, no allocation but from s. NEP: what enters the network, scaled;
     * linear models: the basis b of above. Both NULL: the model has none (lj). */
    size_t (*n_desc)(const mlk_potential *pot);
    mlk_status (*describe)(const mlk_potential *pot, const mlk_neigh *nl, const int *type,
                           size_t i0, size_t i1, mlk_scratch *s, double *q, mlk_err *e);
    /* of (n_param,2): a parameter acts on the energy of atoms of species of[m][0], through
     * neighbours of species of[m][1]; -1: of any. NULL: all are shared. */
    void (*param_species)(const mlk_potential *pot, int (*of)[2]);
} mlk_potential_type;

/* Universal Ziegler-Biersack-Littmark core added to any model, switched off smoothly between inner
 * and outer (potentials/zbl.c). */
typedef struct mlk_zbl {
    bool on;
    double inner, outer; /* [A] */
    bool typewise;       /* outer = min(outer, typewise_factor * sum of covalent radii), inner
                            typewise_inner of it, whatever inner says                          */
    double typewise_factor, typewise_inner;
    const double *table; /* (pairs a<=b, row by row; 10) inner, outer, then four (coefficient,
                            exponent), instead of the above; owned by the model's state; or NULL */
} mlk_zbl;

/* Range of every descriptor over the training data, per species (potentials/ranges.c). */
typedef struct mlk_ranges {
    size_t nd;       /* descriptors per atom                                                  */
    double *lo, *hi; /* (n_species,nd) lowest and highest value; lo > hi: no such atom        */
} mlk_ranges;

struct mlk_potential {
    const mlk_potential_type *type;
    size_t n_species;
    int z[MLK_SPECIES_MAX];     /* atomic number of type t                                      */
    double e0[MLK_SPECIES_MAX]; /* reference energy [eV]: total DFT-like energy = sum u + sum e0;
                                   not part of u, so not part of any flux                        */
    double rc;                  /* largest cutoff, ZBL included [A]                             */
    size_t n_param;
    double *param; /* (n_param) trainable parameters, owned                        */
    void *hyper;   /* struct of type->hyper, owned                                 */
    void *state;   /* the model's own, freed by type->destroy                      */
    mlk_zbl zbl;
    double *dmin;       /* (n_species,n_species) shortest distance seen in training [A],
                           0 unknown; NULL when not recorded; owned                     */
    mlk_ranges *ranges; /* of the descriptors in training; NULL when not recorded; owned     */
    char path[1024];    /* file it was read from, "" when created                       */
};

/* Registry: every type, in the order of registry.def; NULL-terminated. */
extern const mlk_potential_type *const mlk_potential_types[];
const mlk_potential_type *mlk_potential_find(const char *name);

/* Allocate a potential of a type with default hyper-parameters; then set hyper, then create. */
mlk_status mlk_potential_new(mlk_potential **pot, const mlk_potential_type *type, mlk_err *e);
mlk_status mlk_potential_create(mlk_potential *pot, size_t n_species, const int *z, uint64_t seed,
                                mlk_err *e);
void mlk_potential_destroy(mlk_potential *pot); /* NULL is harmless */
/* Read a model folder (with model.yaml, or with the community file of one model), a model.yaml, or
 * a bare community file recognised by content. */
mlk_status mlk_potential_read(mlk_potential **pot, const char *path, mlk_err *e);
/* Write a model folder: community file + model.yaml. extra: YAML lines appended verbatim to
 * model.yaml (provenance, errors), may be NULL. */
mlk_status mlk_potential_write(const mlk_potential *pot, const char *dir, const char *extra,
                               mlk_err *e);
/* type[i] of every atom of a frame. Errors: MLK_EINVAL a species the model does not know (named).
 */
mlk_status mlk_potential_types_of(const mlk_potential *pot, const mlk_frame *fr, int *type,
                                  mlk_err *e);

enum {                      /* what mlk_potential_eval shall derive besides u and f */
       MLK_WANT_VIRIAL = 1, /* the total virial                     */
       MLK_WANT_W = 2       /* the per-atom virials (implies total) */
};

typedef struct mlk_eval {
    size_t n;
    double U;       /* sum of u, without e0 [eV]                                              */
    double W[3][3]; /* total virial, sum of w [eV]                                            */
    double *u;      /* (n) site energies [eV]                                                 */
    double (*f)[3]; /* (n,3) forces [eV/A]                                                    */
    double (*w)[9]; /* (n,9) per-atom virial, W_i[a][b] at 3a+b [eV]; valid if asked for      */
    size_t cap_n;
    mlk_scratch *scratch; /* one per thread */
    int n_scratch;
    /* sums of the blocks of centres, see potential.c */
    size_t n_block, cap_rows;
    double *rows;
    struct mlk_eval_block *blocks;
} mlk_eval; /* all-zero is valid; buffers are reused from call to call */

/* Energies, forces and, as asked, virials. Opens the one parallel region of a force evaluation (and
 * runs serially inside another one). Results do not depend on the number of threads.
 *   nl    list with radius >= pot->rc (longer pairs, e.g. from a skin, contribute zero)
 *   type  (nl->n) model type of each atom
 * Errors: MLK_ENUMERIC if an energy or force is not finite (atom named). */
mlk_status mlk_potential_eval(const mlk_potential *pot, const mlk_neigh *nl, const int *type,
                              unsigned want, mlk_eval *ev, mlk_err *e);
/* mlk_neigh_update(nl, cell, x), then the above, in one pass over the list. */
mlk_status mlk_potential_eval_moved(const mlk_potential *pot, mlk_neigh *nl, const mlk_cell *cell,
                                    const double (*x)[3], const int *type, unsigned want,
                                    mlk_eval *ev, mlk_err *e);
void mlk_eval_free(mlk_eval *ev);
/* Neighbour list + eval of one frame; nl and ev are scratch of the caller. Serial inside a parallel
 * region. */
mlk_status mlk_potential_eval_frame(const mlk_potential *pot, const mlk_frame *fr, unsigned want,
                                    mlk_neigh *nl, mlk_eval *ev, mlk_err *e);

typedef struct mlk_desc {
    size_t n, nd; /* atoms, descriptors per atom                                    */
    double *q;    /* (n,nd) descriptors                                             */
    int *type;    /* (n) model type of each atom                                    */
    mlk_neigh nl; /* the list they were made with, radius pot->rc                   */
    size_t cap_q, cap_type;
    mlk_scratch scratch;
} mlk_desc; /* all-zero is valid; buffers are reused from call to call */

/* Descriptors and types of all atoms of a frame. One thread per mlk_desc: drivers run frames in
 * parallel. Errors: MLK_EUNSUPPORTED a model without descriptors; MLK_EINVAL a species it does not
 * know; MLK_ENUMERIC a descriptor is not finite (atom named). */
mlk_status mlk_potential_describe_frame(const mlk_potential *pot, const mlk_frame *fr, mlk_desc *d,
                                        mlk_err *e);
void mlk_desc_free(mlk_desc *d);

/* ranges.c. Ranges that hold nothing yet; free with mlk_ranges_free. */
mlk_status mlk_ranges_new(mlk_ranges **r, size_t n_species, size_t nd, mlk_err *e);
void mlk_ranges_free(mlk_ranges *r); /* NULL is harmless */
/* Take in the descriptors q (n,nd) of n atoms of these types. */
void mlk_ranges_widen(mlk_ranges *r, size_t n, const int *type, const double *q);
/* Extrapolation grade of an atom of type t with descriptors q (nd): how far the worst of them lies
 * outside of its range, in units of the width of the range; 0 inside, infinite for a species that
 * the data lack and for a q that is not finite. which (may be NULL): that descriptor, from 0.
 * docs/THEORY.md eq. (25). */
double mlk_ranges_grade(const mlk_ranges *r, size_t t, const double *q, size_t *which);

typedef struct mlk_grades {
    size_t n;
    double *grade; /* (n) extrapolation grade of each atom           */
    size_t *which; /* (n) its worst descriptor, from 0               */
    size_t cap_grade, cap_which;
    mlk_scratch *scratch; /* one per thread */
    int n_scratch;
} mlk_grades; /* all-zero is valid; buffers are reused from call to call */

/* Grades of all atoms of a list with radius >= pot->rc; pot->ranges must be there. Parallel over
 * atoms; the result does not depend on the number of threads. */
mlk_status mlk_potential_grades(const mlk_potential *pot, const mlk_neigh *nl, const int *type,
                                mlk_grades *g, mlk_err *e);
void mlk_grades_free(mlk_grades *g);
/* ranges.csv of a model folder (docs/FORMATS.md), written beside the model file, to which it is
 * bound by a hash. */
#define MLK_RANGES_FILE "ranges.csv"
mlk_status mlk_ranges_write(const mlk_potential *pot, const char *dir, mlk_err *e);
/* Read the file at path into pot->ranges; model: the file that pot was read from. Errors:
 * MLK_EFORMAT damaged, or of another model file (file and line). */
mlk_status mlk_ranges_read(mlk_potential *pot, const char *model, const char *path, mlk_err *e);

/* zbl.c: adds U_ZBL to u and its partials to p (half of a pair energy to each atom). */
void mlk_zbl_add(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i0,
                 size_t i1, double *u, double *const p[3]);
/* The largest outer radius in use, 0 when off. */
double mlk_zbl_outer(const mlk_potential *pot);
/* Covalent radius [A] of the typewise cutoffs (zbl.c, nep.c). */
double mlk_covalent_radius(int z);

#endif
