/* test_nep_angular.c - the angular descriptors of NEP for every l: against the double sum over
 * neighbours with Legendre polynomials, under rotations, and in memory used before. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cpu.h"
#include "core/file.h"
#include "core/rng.h"
#include "potentials/nep.h"
#include "tests/support/check.h"
#include "tests/support/rattle.h"

static const int species[3] = {3, 15, 16};

static mlk_potential *make(const char *l_max)
{
    const char *const set[][2] = {
        {"cutoff", "5,4.5"}, {"n_max", "3,5"}, {"basis", "5,7"}, {"l_max", l_max}, {"neuron", "7"}};
    mlk_potential *pot = NULL;
    mlk_err e = {0};
    mlk_check_ok(mlk_potential_new(&pot, &mlk_potential_nep, &e), e);
    for (size_t k = 0; k < sizeof set / sizeof *set; k++)
        mlk_check_ok(mlk_opt_set(pot->type->hyper, pot->hyper, set[k][0], set[k][1], &e), e);
    mlk_check_ok(mlk_potential_create(pot, 3, species, 5, &e), e);
    return pot;
}

/* g_n(r) of the angular part, from the parameters in the order of nep.txt */
static double expansion(const mlk_potential *pot, size_t n, int ti, int tj, double r)
{
    const mlk_nep *m = pot->state;
    size_t tt = m->nt * m->nt, pair = (size_t)ti * m->nt + (size_t)tj;
    const double *c = pot->param + m->n_ann + m->n_cr + n * m->ka * tt + pair;
    double x = r / m->ra[pair], t = acos(2 * (x - 1) * (x - 1) - 1), g = 0;
    if (x >= 1) return 0;
    for (size_t k = 0; k < m->ka; k++) g += c[k * tt] * 0.5 * (cos((double)k * t) + 1);
    return g * 0.5 * (1 + cos(acos(-1) * x));
}

/* (l+1) P_l+1 = (2l+1) x P_l - l P_l-1 */
static double legendre(size_t l, double x)
{
    double below = 0, p = 1;
    for (size_t k = 0; k < l; k++) {
        double next = ((double)(2 * k + 1) * x * p - (double)k * below) / (double)(k + 1);
        below = p, p = next;
    }
    return p;
}

/* q_nl of centre i; size gets the sum of the magnitudes */
static double double_sum(const mlk_potential *pot, const mlk_desc *d, size_t i, size_t n, size_t l,
                         double *size)
{
    const mlk_neigh *nl = &d->nl;
    double q = 0, a = (double)(2 * l + 1) / (4 * acos(-1));
    *size = 0;
    for (size_t j = nl->start[i]; j < nl->start[i + 1]; j++)
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            double rj = 0, rk = 0, dot = 0;
            for (int c = 0; c < 3; c++) {
                rj += nl->r[c][j] * nl->r[c][j];
                rk += nl->r[c][k] * nl->r[c][k];
                dot += nl->r[c][j] * nl->r[c][k];
            }
            rj = sqrt(rj), rk = sqrt(rk);
            double g = a * expansion(pot, n, d->type[i], d->type[nl->j[j]], rj) *
                       expansion(pot, n, d->type[i], d->type[nl->j[k]], rk);
            q += g * legendre(l, dot / (rj * rk));
            *size += fabs(g);
        }
    return q;
}

Test(nep_angular, descriptors_are_double_sums_of_legendre_polynomials)
{
    mlk_frame fr = {0};
    mlk_desc d = {0};
    mlk_err e = {0};
    mlk_check_ok(mlk_test_crystal(12, 3, species, 6.5, 1.6, 4, &fr, &e), e);
    for (size_t L = 1; L <= MLK_NEP_L_MAX; L++) {
        char text[16];
        snprintf(text, sizeof text, "%zu,0,0", L);
        mlk_potential *pot = make(text);
        const mlk_nep *m = pot->state;
        cr_assert_eq(m->dim, m->nr + m->na * L);
        for (int level = 0, top = mlk_cpu_level(); level <= top; level++) {
            mlk_cpu_set_level(level);
            mlk_check_ok(mlk_potential_describe_frame(pot, &fr, &d, &e), e);
            mlk_cpu_set_level(top);
            for (size_t i = 0; i < fr.n; i += 5)
                for (size_t l = 1; l <= L; l++)
                    for (size_t n = 0; n < m->na; n += 2) {
                        double size, want = double_sum(pot, &d, i, n, l, &size);
                        double q = d.q[i * d.nd + m->nr + (l - 1) * m->na + n];
                        cr_expect(fabs(q - want) < 1e-12 * size,
                                  "L %zu, l %zu, n %zu, %s: %.15g, expected %.15g", L, l, n,
                                  mlk_cpu_level_name(level), q, want);
                    }
        }
        mlk_potential_destroy(pot);
    }
    mlk_desc_free(&d);
    mlk_frame_free(&fr);
}

/* One neighbour at distance 2 along z: Y_lm = 0 but for m = 0, and what remains of the sum is the
 * cube of g times three norms and one 3j symbol. With the invariance under rotations below this
 * fixes the descriptor: only one combination of three momenta is invariant. */
Test(nep_angular, four_body_descriptors_of_one_neighbour)
{
    static const struct {
        int abc[3];
        double three_j; /* (a b c; 0 0 0) */
    } want[] = {{{2, 2, 2}, -0.23904572186687872},
                {{1, 1, 2}, 0.36514837167011072},
                {{1, 2, 3}, -0.29277002188455997},
                {{2, 3, 3}, 0.19518001458970663},
                {{1, 3, 4}, 0.25197631533948484}};
    double x[2][3] = {{0, 0, 0}, {0, 0, 2}}, h[3][3] = {{20, 0, 0}, {0, 20, 0}, {0, 0, 20}};
    mlk_potential *pot = make("4,2,0,1,1,1,1");
    const mlk_nep *m = pot->state;
    mlk_frame fr = {0};
    mlk_desc d = {0};
    mlk_err e = {0};
    cr_assert_eq(m->dim, m->nr + m->na * 9);
    mlk_check_ok(mlk_frame_init(&fr, 2, &e), e);
    mlk_check_ok(mlk_cell_init(&fr.cell, (const double(*)[3])h, &e), e);
    memcpy(fr.x, x, sizeof x);
    fr.z[0] = species[0], fr.z[1] = species[2];
    for (int level = 0, top = mlk_cpu_level(); level <= top; level++) {
        mlk_cpu_set_level(level);
        mlk_check_ok(mlk_potential_describe_frame(pot, &fr, &d, &e), e);
        mlk_cpu_set_level(top);
        for (size_t k = 0; k < 5; k++)
            for (size_t n = 0; n < m->na; n++) {
                double g = expansion(pot, n, 0, 2, 2), q = want[k].three_j * g * g * g;
                for (int c = 0; c < 3; c++) q *= sqrt((2 * want[k].abc[c] + 1) / (4 * acos(-1)));
                mlk_check_close(d.q[m->nr + (4 + k) * m->na + n], q, 1e-13 * fabs(g * g * g));
            }
    }
    mlk_potential_destroy(pot);
    mlk_desc_free(&d);
    mlk_frame_free(&fr);
}

/* a random proper rotation, from a quaternion */
static void rotation(mlk_rng *g, double r[3][3])
{
    double q[4], norm = 0;
    for (int k = 0; k < 4; k++) q[k] = mlk_rng_normal(g), norm += q[k] * q[k];
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) r[a][b] = 2 * q[a] * q[b] / norm;
    for (int a = 0; a < 3; a++) {
        int b = (a + 1) % 3, c = (a + 2) % 3;
        r[a][a] += 2 * q[3] * q[3] / norm - 1;
        r[b][a] += 2 * q[3] * q[c] / norm;
        r[a][b] -= 2 * q[3] * q[c] / norm;
    }
}

static void turn(const double r[3][3], const double v[3], double out[3])
{
    for (int a = 0; a < 3; a++) out[a] = r[a][0] * v[0] + r[a][1] * v[1] + r[a][2] * v[2];
}

/* NEP_CPU (7319bdc, NEP::init_from_file) looks at the flags behind that of (222) only when this is
 * 1; programs that do not know them want it to be 2. */
Test(nep_angular, the_file_has_the_flags_other_programs_expect)
{
    static const char *const lines[][2] = {
        {"4,2,1", "\nl_max 4 2 1\n"},         {"4,1,0", "\nl_max 4 2 0\n"},
        {"4,0,0", "\nl_max 4 0 0\n"},         {"4,2,1,1", "\nl_max 4 1 1 1\n"},
        {"4,2,0,0,1", "\nl_max 4 1 0 0 1\n"}, {"8,0,0,1,1,1,1", "\nl_max 8 0 0 1 1 1 1\n"}};
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        char path[] = "/tmp/mlk-angular-XXXXXX", *text;
        mlk_potential *pot = make(lines[k][0]), *again;
        mlk_err e = {0};
        cr_assert(mkstemp(path) >= 0);
        mlk_check_ok(pot->type->write(pot, path, &e), e);
        mlk_check_ok(mlk_file_slurp(path, &text, NULL, &e), e);
        cr_expect(strstr(text, lines[k][1]), "%s: %.120s", lines[k][0], text);
        mlk_check_ok(mlk_potential_read(&again, path, &e), e);
        cr_expect(!memcmp(((mlk_nep *)again->state)->row, ((mlk_nep *)pot->state)->row,
                          sizeof((mlk_nep *)pot->state)->row));
        mlk_free(text), unlink(path);
        mlk_potential_destroy(pot), mlk_potential_destroy(again);
    }
}

Test(nep_angular, rotations_turn_forces_and_nothing_else)
{
    static const char *const l_max[] = {"4,2,1", "5,0,0", "6,2,0",
                                        "7,2,1", "8,2,1", "4,2,1,1,1,1,1"};
    mlk_rng rng = mlk_rng_make(8, 8);
    mlk_err e = {0};
    for (size_t k = 0; k < sizeof l_max / sizeof *l_max; k++) {
        mlk_potential *pot = make(l_max[k]);
        mlk_frame fr = {0}, to = {0};
        mlk_desc da = {0}, db = {0};
        mlk_eval a = {0}, b = {0};
        double r[3][3], h[3][3];
        rotation(&rng, r);
        mlk_check_ok(mlk_test_crystal(20, 3, species, 8, 1.6, 4, &fr, &e), e);
        const mlk_frame *one = &fr;
        mlk_check_ok(pot->type->prepare(pot, 1, &one, &e), e); /* scaled: all of size 1 */
        mlk_check_ok(mlk_frame_init(&to, fr.n, &e), e);
        for (int c = 0; c < 3; c++) turn((const double(*)[3])r, fr.cell.h[c], h[c]);
        mlk_check_ok(mlk_cell_init(&to.cell, (const double(*)[3])h, &e), e);
        for (size_t i = 0; i < fr.n; i++)
            turn((const double(*)[3])r, fr.x[i], to.x[i]), to.z[i] = fr.z[i];
        mlk_check_ok(mlk_potential_describe_frame(pot, &fr, &da, &e), e);
        mlk_check_ok(mlk_potential_describe_frame(pot, &to, &db, &e), e);
        for (size_t i = 0; i < fr.n * da.nd; i++)
            mlk_check_close(db.q[i], da.q[i], 1e-11 * (1 + fabs(da.q[i])));
        mlk_check_ok(mlk_potential_eval(pot, &da.nl, da.type, 0, &a, &e), e);
        mlk_check_ok(mlk_potential_eval(pot, &db.nl, db.type, 0, &b, &e), e);
        for (size_t i = 0; i < fr.n; i++) {
            double f[3];
            turn((const double(*)[3])r, a.f[i], f);
            mlk_check_close(b.u[i], a.u[i], 1e-11 * (1 + fabs(a.u[i])));
            for (int c = 0; c < 3; c++) mlk_check_close(b.f[i][c], f[c], 1e-10 * (1 + fabs(f[c])));
        }
        mlk_eval_free(&a), mlk_eval_free(&b);
        mlk_desc_free(&da), mlk_desc_free(&db);
        mlk_frame_free(&fr), mlk_frame_free(&to);
        mlk_potential_destroy(pot);
    }
}

/* u, p and the gradient of sum u + sum p into out, which has room for them all */
static void everything(const mlk_potential *pot, const mlk_desc *d, mlk_scratch *s, double *out)
{
    size_t n = d->n, np = d->nl.np;
    double *u = out, *g = out + n + 3 * np, *ubar = g + pot->n_param, *p[3], *pbar[3];
    mlk_err e = {0};
    for (size_t k = 0; k < n + np; k++) ubar[k] = 1;
    for (size_t c = 0; c < 3; c++) p[c] = out + n + c * np, pbar[c] = ubar + n;
    memset(g, 0, pot->n_param * sizeof *g);
    mlk_scratch_reset(s);
    mlk_check_ok(pot->type->eval(pot, &d->nl, d->type, 0, n, s, u, p, &e), e);
    mlk_scratch_reset(s);
    mlk_check_ok(pot->type->vjp(pot, &d->nl, d->type, 0, n, ubar, pbar, s, g, &e), e);
    mlk_scratch_reset(s);
}

Test(nep_angular, what_scratch_memory_held_before_does_not_matter)
{
    mlk_frame fr = {0};
    mlk_desc d = {0};
    mlk_err e = {0};
    mlk_check_ok(mlk_test_crystal(12, 3, species, 6.5, 1.6, 4, &fr, &e), e);
    for (int level = 0, top = mlk_cpu_level(); level <= top; level++)
        for (int L = 1; L <= MLK_NEP_L_MAX; L++) {
            char text[32];
            snprintf(text, sizeof text, "%d,%d,1,%d,%d,%d,%d", L, L > 1 ? 2 : 0, L > 1, L > 2,
                     L > 2, L > 3);
            mlk_potential *pot = make(text);
            mlk_scratch s = {0};
            mlk_cpu_set_level(level);
            mlk_check_ok(mlk_potential_describe_frame(pot, &fr, &d, &e), e);
            size_t n = 2 * d.n + 4 * d.nl.np + pot->n_param;
            double *a = mlk_alloc(n, sizeof *a), *b = mlk_alloc(n, sizeof *b);
            everything(pot, &d, &s, a);
            memset(s.base, 0xff, s.cap); /* not a number */
            everything(pot, &d, &s, b);
            cr_expect(!memcmp(a, b, n * sizeof *a), "L %d, %s", L, mlk_cpu_level_name(level));
            mlk_cpu_set_level(top);
            mlk_free(a), mlk_free(b);
            mlk_scratch_free(&s);
            mlk_potential_destroy(pot);
        }
    mlk_desc_free(&d);
    mlk_frame_free(&fr);
}
