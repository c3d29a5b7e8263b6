/* outcar_head.h - the part of an OUTCAR before its first ionic step: species and settings. */
#ifndef MLK_PARSERS_OUTCAR_HEAD_H
#define MLK_PARSERS_OUTCAR_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "parsers/vasp_level.h"

typedef struct mlk_outcar_type { /* one POTCAR, or one column of "ions per type" */
    int z;
    char title[64]; /* "PAW_PBE Li_sv 10Sep2004" */
    long count;     /* atoms, -1 for asterisks    */
} mlk_outcar_type;

typedef struct mlk_outcar_head { /* all-zero is valid to begin and to free */
    int major, minor;            /* of VASP, 0 when unknown */
    double nelm;                 /* 0 when unknown          */
    int isif;                    /* -1 when unknown         */
    mlk_vasp_level level;        /* with the POTCARs only once resolved */
    char system[64];
    /* as printed: TITEL lines; "POTCAR:" lines (short outputs have no others); numbers of atoms */
    mlk_outcar_type *title, *potcar, *count;
    size_t title_cap, n_title, potcar_cap, n_potcar, count_cap, n_count;
    char per_type[1024]; /* text of "ions per type", lines joined */
    long per_type_line, n_atoms;
    bool per_type_open, resolved;
    int vrhfin_z; /* element of the last VRHFIN line */
} mlk_outcar_head;

/* Forget everything but the memory; version_line: " vasp.6.3.0 20Jan22 ...". */
void mlk_outcar_head_begin(mlk_outcar_head *h, const char *version_line);
void mlk_outcar_head_free(mlk_outcar_head *h);
/* Take what one line holds; most lines hold nothing. Errors: MLK_ENOMEM. */
mlk_status mlk_outcar_head_line(mlk_outcar_head *h, const char *line, long number, mlk_err *e);
/* After the last line of the head: h->count[0..n_count-1] have z and count, h->n_atoms is their
 * sum. Errors: MLK_EFORMAT, without position, when elements or numbers of atoms cannot be told. */
mlk_status mlk_outcar_head_resolve(mlk_outcar_head *h, mlk_err *e);

#endif
