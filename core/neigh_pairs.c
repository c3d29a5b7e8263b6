/* neigh_pairs.c - see neigh_pairs.h. */
#include "core/neigh_pairs.h"

#include "core/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static inline MLK_BODY size_t distances_body(size_t n, const double *const xs[3],
                                             const double *from, const double *shift,
                                             double *restrict d2)
{
    const double *restrict x = xs[0], *restrict y = xs[1], *restrict z = xs[2];
    double x0 = from[0], y0 = from[1], z0 = from[2], tx = shift[0], ty = shift[1], tz = shift[2];
#pragma omp simd
    for (size_t a = 0; a < n; a++) {
        /* exactly odd under exchange of the two atoms */
        double dx = (x[a] - x0) + tx, dy = (y[a] - y0) + ty, dz = (z[a] - z0) + tz;
        d2[a] = dx * dx + dy * dy + dz * dz;
    }
    return n;
}

static inline MLK_BODY size_t vectors_body(mlk_neigh *nl, const mlk_cell *cell,
                                           const double (*xs)[3], size_t i0, size_t i1)
{
    const double(*h)[3] = cell->h;
    const double *restrict x = &xs[0][0];
    const int *restrict j = nl->j;
    const signed char *restrict a = nl->image[0], *restrict b = nl->image[1],
                                *restrict c = nl->image[2];
    double *restrict rx = nl->r[0], *restrict ry = nl->r[1], *restrict rz = nl->r[2];
    for (size_t i = i0; i < i1; i++) {
        double x0 = xs[i][0], y0 = xs[i][1], z0 = xs[i][2];
#pragma omp simd simdlen(8)
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            long q = 3L * j[k];
            double fa = a[k], fb = b[k], fc = c[k];
            rx[k] = (x[q] - x0) + (fa * h[0][0] + fb * h[1][0] + fc * h[2][0]);
            ry[k] = (x[q + 1] - y0) + (fa * h[0][1] + fb * h[1][1] + fc * h[2][1]);
            rz[k] = (x[q + 2] - z0) + (fa * h[0][2] + fb * h[1][2] + fc * h[2][2]);
        }
    }
    return nl->start[i1] - nl->start[i0];
}

MLK_KERNEL3(size_t, distances,
            (size_t n, const double *const x[3], const double *from, const double *shift,
             double *d2),
            (n, x, from, shift, d2))
static size_t vectors_scalar(mlk_neigh *nl, const mlk_cell *cell, const double (*x)[3], size_t i0,
                             size_t i1)
{
    return vectors_body(nl, cell, x, i0, i1);
}

MLK_TARGET_AVX2 static size_t vectors_avx2(mlk_neigh *nl, const mlk_cell *cell,
                                           const double (*x)[3], size_t i0, size_t i1)
{
    return vectors_body(nl, cell, x, i0, i1);
}

#if defined(__x86_64__)
/* Rows j[0..7] of x, transposed; by loads and shuffles, because gathers are slow on CPUs guarded
 * against their leaks. */
MLK_TARGET_AVX512 static inline void rows8(const double (*x)[3], const int *j, __m512d o[3])
{
    __m512d z[4], t[4];
    for (int q = 0; q < 4; q++) { /* rows 0 2, 1 3, 4 6, 5 7 */
        int a = q % 2 + 4 * (q / 2);
        __m256d lo = _mm256_maskz_loadu_pd(7, x[j[a]]), hi = _mm256_maskz_loadu_pd(7, x[j[a + 2]]);
        z[q] = _mm512_insertf64x4(_mm512_castpd256_pd512(lo), hi, 1);
    }
    for (int q = 0; q < 4; q += 2) {
        t[q] = _mm512_unpacklo_pd(z[q], z[q + 1]);
        t[q + 1] = _mm512_unpackhi_pd(z[q], z[q + 1]);
    }
    o[0] = _mm512_shuffle_f64x2(t[0], t[2], 0x88);
    o[1] = _mm512_shuffle_f64x2(t[1], t[3], 0x88);
    o[2] = _mm512_shuffle_f64x2(t[0], t[2], 0xdd);
}

MLK_TARGET_AVX512 static size_t vectors_avx512(mlk_neigh *nl, const mlk_cell *cell,
                                               const double (*x)[3], size_t i0, size_t i1)
{
    for (size_t i = i0; i < i1; i++)
        for (size_t k = nl->start[i], end = nl->start[i + 1]; k < end; k += 8) {
            __mmask8 mask = end - k < 8 ? (__mmask8)((1u << (end - k)) - 1) : 0xff;
            int j[8] __attribute__((aligned(32)));
            __m512d im[3], r[3];
            _mm256_store_si256((__m256i *)j, _mm256_maskz_loadu_epi32(mask, nl->j + k));
            rows8(x, j, r);
            for (int c = 0; c < 3; c++)
                im[c] = _mm512_cvtepi32_pd(
                    _mm256_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask, nl->image[c] + k)));
            for (int c = 0; c < 3; c++) {
                __m512d t = _mm512_add_pd(_mm512_mul_pd(im[0], _mm512_set1_pd(cell->h[0][c])),
                                          _mm512_mul_pd(im[1], _mm512_set1_pd(cell->h[1][c])));
                t = _mm512_add_pd(t, _mm512_mul_pd(im[2], _mm512_set1_pd(cell->h[2][c])));
                t = _mm512_add_pd(_mm512_sub_pd(r[c], _mm512_set1_pd(x[i][c])), t);
                _mm512_mask_storeu_pd(nl->r[c] + k, mask, t);
            }
        }
    return nl->start[i1] - nl->start[i0];
}
#else
#define vectors_avx512 vectors_scalar
#endif

static size_t (*const vectors_table[3])(mlk_neigh *nl, const mlk_cell *cell, const double (*x)[3],
                                        size_t i0,
                                        size_t i1) = {vectors_scalar, vectors_avx2, vectors_avx512};

void mlk_neigh_distances(size_t n, const double *const x[3], const double *from,
                         const double *shift, double *d2)
{
    distances_table[mlk_cpu_level()](n, x, from, shift, d2);
}

void mlk_neigh_vectors(mlk_neigh *nl, const mlk_cell *cell, const double (*x)[3], size_t i0,
                       size_t i1)
{
    vectors_table[mlk_cpu_level()](nl, cell, x, i0, i1);
}
