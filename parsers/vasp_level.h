/* vasp_level.h - the level of theory of a VASP run as one text. The readers of vasprun.xml, OUTCAR
 * and vaspout.h5 fill in what their file says; the files of one run give the same text. */
#ifndef MLK_PARSERS_VASP_LEVEL_H
#define MLK_PARSERS_VASP_LEVEL_H

#include <stdbool.h>
#include <stddef.h>

typedef struct mlk_vasp_level { /* unknown: numbers NaN, texts "" */
    char gga[16], metagga[24];  /* as printed; gga "--": that of the POTCARs            */
    char lexch[16];             /* functional of the POTCARs: "PE", "91", "CA"          */
    double encut, enmax;        /* eV; enmax: largest of the POTCARs, where encut is unknown */
    double aexx, hfscreen;      /* share of exact exchange; screening [1/A]             */
    double ivdw;                /* 0: none                                              */
    bool lvdw, ldau, hybrid;    /* lvdw: what VASP 5.2 calls IVDW = 1                   */
    char potcar[256];           /* titles without dates, in order, each once, with ','  */
} mlk_vasp_level;

/* Nothing known. */
void mlk_vasp_level_init(mlk_vasp_level *l);
/* METAGGA as printed; "--", "None" and a logical name no functional and are not kept. */
void mlk_vasp_level_metagga(mlk_vasp_level *l, const char *name);
/* One more POTCAR title, "PAW_PBE Li_sv 10Sep2004": the date is left out; what kind it is says
 * which functional it was made with. */
void mlk_vasp_level_potcar(mlk_vasp_level *l, const char *title);
/* The whole text of a POTCAR file: its titles, LEXCH and largest ENMAX. */
void mlk_vasp_level_potcar_file(mlk_vasp_level *l, const char *text);
/* "VASP GGA=PE ENCUT=520.0 IVDW=12 LDAU LHFCALC AEXX=0.25 HFSCREEN=0.2 POTCAR=PAW_PBE Li_sv,PAW_PBE
 * S", without what is unknown or off; "" when nothing is known. ENCUT is rounded to 0.1 eV, AEXX
 * and HFSCREEN to 1e-4, as OUTCAR prints them. What does not fit into cap bytes is cut and ends in
 * "...": the last of the POTCARs. */
void mlk_vasp_level_text(const mlk_vasp_level *l, char *buf, size_t cap);

#endif
