/* stress_reading.h - ways to read six numbers as a stress tensor, and the one that fits a reference
 * best. Data sets come with other signs, units and component orders than their reader thinks;
 * whoever has an independent measure of the stress (energies of strained cells, a model fitted to
 * forces) can ask here whether another reading explains it better. */
#ifndef MLK_DATASETS_STRESS_READING_H
#define MLK_DATASETS_STRESS_READING_H

#include <stdbool.h>
#include <stddef.h>

enum { MLK_ORDERS = 6 };

typedef struct mlk_reading {
    double factor;   /* of the numbers, gives GPa                              */
    bool per_volume; /* ... after division by the volume [A^3]                 */
    int sign;        /* +1 as it stands, -1 flipped                            */
    int order;       /* of the shear components, 0 .. MLK_ORDERS-1; 0: yz zx xy */
    bool raw;        /* numbers of unknown unit, else a stress already in GPa   */
} mlk_reading;

/* g: six numbers, v: volume [A^3] -> s: stress xx yy zz yz zx xy [GPa], tension positive. */
void mlk_reading_apply(const mlk_reading *r, const double g[6], double v, double s[6]);
/* "xx yy zz xy yz zx, kbar, positive under compression"; for a stress that is not raw only what
 * differs from it: "sign flipped, times 10". buf of at least 96. Returns buf. */
char *mlk_reading_name(const mlk_reading *r, char *buf, size_t cap);
/* "xx yy zz xy yz zx" */
const char *mlk_reading_order(int order);
/* A stress as it stands, in GPa. */
mlk_reading mlk_reading_plain(void);
/* The reading with the least score among all orders, signs and units (raw: units a stress may come
 * in; else: factors by which a unit is mistaken). Ties go to the earlier, so to the plain one. */
mlk_reading mlk_reading_best(bool raw, double (*score)(const mlk_reading *r, const void *user),
                             const void *user, double *best);
/* Six (Voigt xx yy zz yz zx xy) of a symmetrised 3x3 tensor. */
void mlk_voigt(const double m[3][3], double factor, double v[6]);

#endif
