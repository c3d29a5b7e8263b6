/* framehash.c - see framehash.h. */
#include "datasets/framehash.h"

#include <math.h>
#include <string.h>

enum { LABELS = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VIRIAL | MLK_HAS_VELOCITY };
static const uint64_t START = 0x243f6a8885a308d3u; /* pi, as good as any */

static uint64_t put_int(uint64_t h, int64_t v)
{
    return mlk_hash_word(h, (uint64_t)v);
}

static uint64_t put_reals(uint64_t h, const double *v, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        uint64_t w;
        memcpy(&w, &v[k], sizeof w);
        h = mlk_hash_word(h, w);
    }
    return h;
}

uint64_t mlk_hash_text(uint64_t h, const char *s)
{
    size_t n = strlen(s);
    for (size_t k = 0; k < n; k += 8) {
        uint64_t w = 0;
        for (size_t m = k; m < n && m < k + 8; m++)
            w |= (uint64_t)(unsigned char)s[m] << 8 * (m - k);
        h = mlk_hash_word(h, w);
    }
    return put_int(h, (int64_t)n);
}

static uint64_t put_cell(uint64_t h, const mlk_frame *fr)
{
    for (int k = 0; k < 3; k++) h = put_int(h, fr->cell.pbc[k] != 0);
    return put_reals(h, &fr->cell.h[0][0], 9);
}

uint64_t mlk_hash_structure(const mlk_frame *fr)
{
    uint64_t h = put_int(START, (int64_t)fr->n);
    mlk_frame plus = {.cell = fr->cell};
    for (int k = 0; k < 9; k++) (&plus.cell.h[0][0])[k] += 0.0; /* -0 becomes 0 */
    if (fr->has & MLK_HAS_CELL) h = put_cell(h, &plus);
    for (size_t i = 0; i < fr->n; i++) {
        const double x[3] = {fr->x[i][0] + 0.0, fr->x[i][1] + 0.0, fr->x[i][2] + 0.0};
        h = put_reals(put_int(h, fr->z[i]), x, 3);
    }
    return h;
}

uint64_t mlk_hash_content(const mlk_frame *fr)
{
    unsigned has = fr->has & LABELS;
    uint64_t h = put_int(put_int(START, (int64_t)fr->n), has);
    if (has & MLK_HAS_CELL) h = put_cell(h, fr);
    for (size_t i = 0; i < fr->n; i++) h = put_int(h, fr->z[i]);
    h = put_reals(h, fr->x[0], 3 * fr->n);
    if (has & MLK_HAS_ENERGY) h = put_reals(h, &fr->energy, 1);
    if (has & MLK_HAS_FORCE) h = put_reals(h, fr->f[0], 3 * fr->n);
    if (has & MLK_HAS_VIRIAL) h = put_reals(h, &fr->virial[0][0], 9);
    if (has & MLK_HAS_VELOCITY) h = put_reals(h, fr->v[0], 3 * fr->n);
    if (isfinite(fr->energy0)) h = put_reals(put_int(h, 1), &fr->energy0, 1);
    if (isfinite(fr->temperature)) h = put_reals(put_int(h, 2), &fr->temperature, 1);
    return put_int(put_int(h, fr->scf), fr->energy_kind);
}
