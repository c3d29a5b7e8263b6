/* test_neigh.c - neighbour lists against a direct search over images. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/neigh.h"
#include "core/rng.h"
#include "tests/support/check.h"

typedef struct entry {
    int j, image[3];
} entry;

static int order(const void *pa, const void *pb)
{
    const entry *a = pa, *b = pb;
    if (a->j != b->j) return a->j < b->j ? -1 : 1;
    for (int k = 0; k < 3; k++)
        if (a->image[k] != b->image[k]) return a->image[k] < b->image[k] ? -1 : 1;
    return 0;
}

/* Every pair of centre i by brute force: all images that can reach. */
static size_t direct(const mlk_cell *c, size_t n, const double (*x)[3], double rc, size_t i,
                     entry *out)
{
    size_t m = 0;
    for (size_t j = 0; j < n; j++) {
        double d[3], s[3];
        int lo[3], hi[3], im[3];
        for (int k = 0; k < 3; k++) d[k] = x[j][k] - x[i][k];
        mlk_cell_frac(c, d, s);
        for (int k = 0; k < 3; k++) { /* |s + im| height <= rc */
            double reach = rc / c->height[k];
            lo[k] = c->pbc[k] ? (int)floor(-s[k] - reach) : 0;
            hi[k] = c->pbc[k] ? (int)ceil(-s[k] + reach) : 0;
        }
        for (im[0] = lo[0]; im[0] <= hi[0]; im[0]++)
            for (im[1] = lo[1]; im[1] <= hi[1]; im[1]++)
                for (im[2] = lo[2]; im[2] <= hi[2]; im[2]++) {
                    if (i == j && !im[0] && !im[1] && !im[2]) continue;
                    double r2 = 0;
                    for (int k = 0; k < 3; k++) {
                        double r =
                            d[k] + im[0] * c->h[0][k] + im[1] * c->h[1][k] + im[2] * c->h[2][k];
                        r2 += r * r;
                    }
                    if (r2 < rc * rc) out[m++] = (entry){(int)j, {im[0], im[1], im[2]}};
                }
    }
    qsort(out, m, sizeof *out, order);
    return m;
}

static void check_list(const mlk_cell *c, size_t n, const double (*x)[3], double rc,
                       const mlk_neigh *nl)
{
    entry *want = mlk_alloc(200000, sizeof *want);
    size_t total = 0;
    cr_assert(nl->n == n && nl->start[0] == 0 && nl->start[n] == nl->np);
    for (size_t i = 0; i < n; i++) {
        size_t m = direct(c, n, x, rc, i, want), a = nl->start[i];
        cr_assert_eq(m, nl->start[i + 1] - a, "atom %zu has %zu pairs, expected %zu (rc %g)", i,
                     nl->start[i + 1] - a, m, rc);
        total += m;
        for (size_t q = 0; q < m; q++) {
            size_t k = a + q;
            cr_assert(nl->j[k] == want[q].j && nl->image[0][k] == want[q].image[0] &&
                          nl->image[1][k] == want[q].image[1] &&
                          nl->image[2][k] == want[q].image[2],
                      "pair %zu of atom %zu", q, i);
            size_t r = (size_t)nl->rev[k], j = (size_t)nl->j[k];
            cr_assert(r >= nl->start[j] && r < nl->start[j + 1] && nl->j[r] == (int)i &&
                      nl->rev[r] == (int)k);
            for (int d = 0; d < 3; d++) {
                double e = x[j][d] - x[i][d];
                for (int b = 0; b < 3; b++) e += nl->image[b][k] * c->h[b][d];
                cr_assert(fabs(nl->r[d][k] - e) < 1e-12 * (1 + fabs(x[j][d]) + fabs(x[i][d]) + 10));
                cr_assert(nl->r[d][k] == -nl->r[d][r], "a pair and its reverse differ");
            }
        }
    }
    cr_assert_eq(total, nl->np);
    mlk_free(want);
}

static void random_cell(mlk_rng *g, double size, mlk_cell *c)
{
    mlk_err e = {0};
    for (;;) {
        double h[3][3];
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                h[a][b] = size * ((a == b) + 0.9 * (mlk_rng_uniform(g) - 0.5));
        if (mlk_cell_init(c, (const double(*)[3])h, &e)) continue;
        if (c->height[0] > 0.4 * size && c->height[1] > 0.4 * size && c->height[2] > 0.4 * size)
            return;
    }
}

static void random_atoms(mlk_rng *g, const mlk_cell *c, size_t n, double spread, double (*x)[3])
{
    for (size_t i = 0; i < n; i++) {
        double s[3];
        for (int k = 0; k < 3; k++) s[k] = spread * (mlk_rng_uniform(g) - 0.3);
        mlk_cell_cart(c, s, x[i]);
    }
}

/* sizes: edges far below rc, below 2 rc, above */
Test(neigh, equals_direct_search_in_random_triclinic_cells)
{
    mlk_rng g = mlk_rng_make(3, 1);
    mlk_neigh nl = {0}; /* reused: buffers grow and shrink in use */
    mlk_err e = {0};
    double x[60][3];
    for (int trial = 0; trial < 60; trial++) {
        mlk_cell c;
        double size = trial % 3 == 0 ? 2.5 : trial % 3 == 1 ? 6.5 : 14;
        size_t n = 1 + mlk_rng_below(&g, trial % 3 == 0 ? 5 : 60);
        random_cell(&g, size, &c);
        random_atoms(&g, &c, n, 1, x);
        double rc = 2 + 3 * mlk_rng_uniform(&g);
        mlk_check_ok(mlk_neigh_build(&c, n, (const double(*)[3])x, rc, &nl, &e), e);
        check_list(&c, n, (const double(*)[3])x, rc, &nl);
    }
    mlk_neigh_free(&nl);
}

Test(neigh, single_atom_sees_its_own_images)
{
    mlk_cell c;
    mlk_err e = {0};
    const double h[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, x[1][3] = {{0.2, 0.1, 7.3}};
    mlk_neigh nl = {0};
    mlk_check_ok(mlk_cell_init(&c, h, &e), e);
    mlk_check_ok(mlk_neigh_build(&c, 1, x, 1.5, &nl, &e), e);
    cr_assert_eq(nl.np, 18); /* 6 at 1, 12 at sqrt 2 */
    check_list(&c, 1, x, 1.5, &nl);
    mlk_neigh_free(&nl);
}

Test(neigh, directions_without_periodicity_have_no_images)
{
    mlk_rng g = mlk_rng_make(4, 1);
    mlk_neigh nl = {0};
    mlk_err e = {0};
    double x[40][3];
    for (int trial = 0; trial < 32; trial++) {
        mlk_cell c;
        random_cell(&g, 5, &c);
        for (int k = 0; k < 3; k++) c.pbc[k] = trial >> k & 1;
        random_atoms(&g, &c, 40, trial & 8 ? 1 : 3, x); /* also atoms outside the box */
        mlk_check_ok(mlk_neigh_build(&c, 40, (const double(*)[3])x, 4, &nl, &e), e);
        check_list(&c, 40, (const double(*)[3])x, 4, &nl);
    }
    mlk_neigh_free(&nl);
}

Test(neigh, unwrapped_positions_give_the_same_pairs)
{
    mlk_rng g = mlk_rng_make(5, 1);
    mlk_neigh nl = {0};
    mlk_err e = {0};
    mlk_cell c;
    double x[50][3];
    random_cell(&g, 7, &c);
    random_atoms(&g, &c, 50, 20, x); /* ten cells to every side */
    mlk_check_ok(mlk_neigh_build(&c, 50, (const double(*)[3])x, 4.5, &nl, &e), e);
    check_list(&c, 50, (const double(*)[3])x, 4.5, &nl);
    mlk_neigh_free(&nl);
}

Test(neigh, atoms_on_cell_faces_are_listed_once)
{
    mlk_cell c;
    mlk_err e = {0};
    const double h[3][3] = {{4, 0, 0}, {0, 4, 0}, {0, 0, 4}};
    const double x[8][3] = {{0, 0, 0}, {4, 2, 2},  {-1e-17, 2, 0}, {2, 4 - 1e-16, 2},
                            {0, 0, 2}, {2, 2, -4}, {2, 0, 8},      {-4, -2, 1e-300}};
    mlk_neigh nl = {0};
    mlk_check_ok(mlk_cell_init(&c, h, &e), e);
    mlk_check_ok(mlk_neigh_build(&c, 8, x, 3.9, &nl, &e), e);
    check_list(&c, 8, x, 3.9, &nl);
    mlk_neigh_free(&nl);
}

Test(neigh, same_list_for_any_number_of_threads)
{
    mlk_rng g = mlk_rng_make(6, 1);
    mlk_neigh a = {0}, b = {0};
    mlk_err e = {0};
    mlk_cell c;
    double(*x)[3] = mlk_alloc(500, sizeof *x);
    random_cell(&g, 20, &c);
    random_atoms(&g, &c, 500, 1.5, x);
    omp_set_num_threads(1);
    mlk_check_ok(mlk_neigh_build(&c, 500, (const double(*)[3])x, 6, &a, &e), e);
    omp_set_num_threads(3);
    mlk_check_ok(mlk_neigh_build(&c, 500, (const double(*)[3])x, 6, &b, &e), e);
    cr_assert_eq(a.np, b.np);
    cr_assert(
        !memcmp(a.start, b.start, 501 * sizeof *a.start) && !memcmp(a.j, b.j, a.np * sizeof *a.j) &&
        !memcmp(a.rev, b.rev, a.np * sizeof *a.rev) && !memcmp(a.image[0], b.image[0], a.np) &&
        !memcmp(a.image[1], b.image[1], a.np) && !memcmp(a.image[2], b.image[2], a.np));
    for (int k = 0; k < 3; k++) cr_assert(!memcmp(a.r[k], b.r[k], a.np * sizeof(double)));
    mlk_neigh_free(&a), mlk_neigh_free(&b);
    mlk_free(x);
}

/* With a skin: after motion below skin/2 the updated list holds every pair within rc, with the
 * vectors a new list gives. */
Test(neigh, updated_list_with_skin_equals_a_new_one)
{
    mlk_rng g = mlk_rng_make(7, 1);
    mlk_neigh old = {0}, fresh = {0};
    mlk_err e = {0};
    double x[80][3];
    const double rc = 4, skin = 0.8;
    for (int trial = 0; trial < 10; trial++) {
        mlk_cell c;
        random_cell(&g, trial % 2 ? 9 : 5, &c);
        random_atoms(&g, &c, 80, 1, x);
        mlk_check_ok(mlk_neigh_build(&c, 80, (const double(*)[3])x, rc + skin, &old, &e), e);
        for (int i = 0; i < 80; i++) {
            double d[3], norm = 0;
            for (int k = 0; k < 3; k++) d[k] = mlk_rng_normal(&g), norm += d[k] * d[k];
            for (int k = 0; k < 3; k++) x[i][k] += d[k] / sqrt(norm) * 0.499 * skin;
        }
        mlk_neigh_update(&old, &c, (const double(*)[3])x);
        mlk_check_ok(mlk_neigh_build(&c, 80, (const double(*)[3])x, rc, &fresh, &e), e);
        for (size_t i = 0; i < 80; i++) {
            size_t k = fresh.start[i];
            for (size_t q = old.start[i]; q < old.start[i + 1]; q++) {
                double r2 = 0;
                for (int d = 0; d < 3; d++) r2 += old.r[d][q] * old.r[d][q];
                if (k < fresh.start[i + 1] && old.j[q] == fresh.j[k] &&
                    old.image[0][q] == fresh.image[0][k] && old.image[1][q] == fresh.image[1][k] &&
                    old.image[2][q] == fresh.image[2][k]) {
                    for (int d = 0; d < 3; d++) cr_assert(old.r[d][q] == fresh.r[d][k]);
                    k++;
                } else {
                    cr_assert(r2 > rc * rc * (1 - 1e-12));
                }
            }
            cr_assert_eq(k, fresh.start[i + 1], "a pair of atom %zu is missing", i);
        }
    }
    mlk_neigh_free(&old), mlk_neigh_free(&fresh);
}

/* More atoms than one word of the set of words holds. */
Test(neigh, large_lists_are_complete_and_in_order)
{
    enum { N = 5000 };
    mlk_rng g = mlk_rng_make(11, 1);
    const double h[3][3] = {{40, 0, 0}, {3, 41, 0}, {0, -2, 42}}, rc = 3.3;
    mlk_cell c;
    mlk_err e = {0};
    mlk_neigh nl = {.no_rev = true};
    double(*x)[3] = mlk_alloc(N, sizeof *x);
    mlk_check_ok(mlk_cell_init(&c, h, &e), e);
    random_atoms(&g, &c, N, 1, x);
    mlk_check_ok(mlk_neigh_build(&c, N, (const double(*)[3])x, rc, &nl, &e), e);
    cr_assert(nl.rev == NULL);
    for (size_t i = 0; i < N; i += 61) {
        size_t k = nl.start[i];
        for (size_t j = 0; j < N; j++) {
            double d[3], s[3], r2 = 0;
            for (int q = 0; q < 3; q++) d[q] = x[j][q] - x[i][q];
            mlk_cell_frac(&c, d, s);
            for (int q = 0; q < 3; q++) s[q] -= floor(s[q] + 0.5);
            mlk_cell_cart(&c, s, d);
            for (int q = 0; q < 3; q++) r2 += d[q] * d[q];
            if (i == j || r2 >= rc * rc) continue;
            cr_assert(k < nl.start[i + 1] && nl.j[k] == (int)j, "atom %zu, neighbour %zu", i, j);
            for (int q = 0; q < 3; q++) cr_assert(fabs(nl.r[q][k] - d[q]) < 1e-11);
            k++;
        }
        cr_assert_eq(k, nl.start[i + 1]);
    }
    mlk_neigh_free(&nl);
    mlk_free(x);
}

Test(neigh, bad_input_is_refused)
{
    mlk_cell c;
    const double h[3][3] = {{4, 0, 0}, {0, 4, 0}, {0, 0, 4}};
    double x[2][3] = {{0, 0, 0}, {1, 1, 1}};
    mlk_neigh nl = {0};
    mlk_err e = {0};
    mlk_check_ok(mlk_cell_init(&c, h, &e), e);
    cr_assert_eq(mlk_neigh_build(&c, 2, (const double(*)[3])x, 0, &nl, &e), MLK_EINVAL);
    e = (mlk_err){0};
    cr_assert_eq(mlk_neigh_build(&c, 2, (const double(*)[3])x, (double)NAN, &nl, &e), MLK_EINVAL);
    e = (mlk_err){0};
    x[1][2] = NAN;
    cr_assert_neq(mlk_neigh_build(&c, 2, (const double(*)[3])x, 3, &nl, &e), MLK_OK);
    cr_assert(strstr(e.msg, "atom 2"), "%s", e.msg);
    e = (mlk_err){0};
    x[1][2] = INFINITY;
    cr_assert_neq(mlk_neigh_build(&c, 2, (const double(*)[3])x, 3, &nl, &e), MLK_OK);
    mlk_neigh_free(&nl);
    mlk_neigh_free(&nl);
}
