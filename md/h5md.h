/* h5md.h - the finished file; and the inside of a store, shared by store.c and h5md.c only. */
#ifndef MLK_MD_H5MD_H
#define MLK_MD_H5MD_H

#include "core/h5.h"
#include "md/store.h"

#define MLK_MD_PARAM "/parameters/mlkit"
#define MLK_MD_EQUIL MLK_MD_PARAM "/equilibration"
#define MLK_MD_THERMO_N 5
#define MLK_MD_MAX_SERIES (2 * MLK_MD_THERMO_N + 3 + MLK_SPECIES_MAX + 1)

/* What makes a series advance. */
enum { MLK_MD_FLUX, MLK_MD_THERMO, MLK_MD_DUMP, MLK_MD_EQ, MLK_MD_CLOCKS };

typedef struct mlk_md_thermo_row {
    const char *name, *unit;
} mlk_md_thermo_row;
extern const mlk_md_thermo_row mlk_md_thermo[MLK_MD_THERMO_N];

/* One recorded quantity: rows waiting for the next checkpoint. */
typedef struct mlk_md_series {
    char path[96]; /* group of the H5MD element (value, step, time)  */
    const char *unit;
    int clock;
    mlk_h5_type type;
    int nd;        /* dimensions of a row                            */
    size_t dim[2]; /* their lengths                                  */
    size_t row;    /* bytes of a row                                 */
    char *buf;     /* (cap of its clock) rows                        */
} mlk_md_series;

struct mlk_md_store {
    char path[1024], parts[1100], ckpt[1100];
    mlk_md_series s[MLK_MD_MAX_SERIES];
    int n_series, first_eq, first_flux, first_mass, position; /* where groups begin in s          */
    size_t rows[MLK_MD_CLOCKS], cap[MLK_MD_CLOCKS];           /* rows waiting; room               */
    int64_t n_part;                                           /* part files written               */
    double period, last; /* wall seconds between checkpoints; clock at the last one               */
    double begin;        /* clock at which md->sums.wall was current                              */
    int lock;            /* descriptor, -1 none                                                   */
};

/* Name of part file k = 1, 2, ... */
void mlk_md_part_path(const mlk_md_store *st, int64_t k, char *buf, size_t cap);
/* All parts as one H5MD 1.1 file at path, whole or not at all. */
mlk_status mlk_md_h5md_write(const mlk_md_store *st, const mlk_md *md, const char *path,
                             bool complete, mlk_err *e);
/* quality.c: what the checks found, as attributes of MLK_MD_PARAM and into the log; and from a
 * file, which may be older than these attributes. */
mlk_status mlk_md_quality_write(mlk_h5 *h, const mlk_md *md, mlk_err *e);
mlk_status mlk_md_quality_read(mlk_h5 *h, mlk_md_summary *q, mlk_err *e);

#endif
