/* test_describe.c - descriptors are what the site energies are made of: the basis of a linear
 * model, the input of a network. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/cpu.h"
#include "potentials/nep.h"
#include "tests/support/check.h"
#include "tests/support/rattle.h"

static const int species[3] = {3, 15, 16};

static mlk_potential *make(const char *type, const char *const set[][2])
{
    mlk_potential *pot = NULL;
    mlk_err e = {0};
    mlk_check_ok(mlk_potential_new(&pot, mlk_potential_find(type), &e), e);
    for (size_t k = 0; set[k][0]; k++)
        mlk_check_ok(mlk_opt_set(pot->type->hyper, pot->hyper, set[k][0], set[k][1], &e), e);
    mlk_check_ok(mlk_potential_create(pot, 3, species, 5, &e), e);
    return pot;
}

static mlk_frame structure(size_t n, uint64_t seed)
{
    mlk_frame fr = {0};
    mlk_err e = {0};
    mlk_check_ok(mlk_test_crystal(n, 3, species, 8.5, 1.6, seed, &fr, &e), e);
    return fr;
}

typedef double energy_fn(const mlk_potential *pot, int type, const double *q);

static double linear(const mlk_potential *pot, int type, const double *q)
{
    size_t n = pot->type->n_desc(pot);
    double u = 0;
    for (size_t k = 0; k < n; k++) u += pot->param[(size_t)type * n + k] * q[k];
    return u;
}

/* sum_n w1_n tanh(sum_d w0_nd q_d - b0_n) - b1, parameters in the order of nep.txt */
static double network(const mlk_potential *pot, int type, const double *q)
{
    const mlk_nep *m = pot->state;
    size_t nn = m->neuron, one = nn * (m->dim + 2);
    const double *w0 = pot->param + (m->n_net > 1 ? (size_t)type * one : 0), *b0 = w0 + nn * m->dim;
    double u = -pot->param[m->n_net * one];
    for (size_t n = 0; n < nn; n++) {
        double a = -b0[n];
        for (size_t d = 0; d < m->dim; d++) a += w0[n * m->dim + d] * q[d];
        u += b0[nn + n] * tanh(a);
    }
    return u;
}

/* at every SIMD level, all at once and centre by centre */
static void compare(mlk_potential *pot, energy_fn *energy)
{
    mlk_frame fr = structure(26, 3);
    mlk_eval ev = {0};
    mlk_desc d = {0};
    mlk_scratch s = {0};
    mlk_err e = {0};
    for (int level = 0, top = mlk_cpu_level(); level <= top; level++) {
        mlk_cpu_set_level(level);
        mlk_check_ok(mlk_potential_describe_frame(pot, &fr, &d, &e), e);
        cr_assert(d.n == fr.n && d.nd == pot->type->n_desc(pot) && d.nd > 0);
        mlk_check_ok(mlk_potential_eval(pot, &d.nl, d.type, 0, &ev, &e), e);
        for (size_t i = 0; i < fr.n; i++)
            mlk_check_close(energy(pot, d.type[i], d.q + i * d.nd), ev.u[i],
                            1e-11 * (1 + fabs(ev.u[i])));
        double *q = mlk_alloc(fr.n * d.nd, sizeof *q);
        mlk_check_ok(pot->type->describe(pot, &d.nl, d.type, 3, fr.n, &s, q, &e), e);
        cr_assert(!memcmp(q, d.q + 3 * d.nd, (fr.n - 3) * d.nd * sizeof *q));
        mlk_free(q);
        mlk_cpu_set_level(top);
    }
    size_t before = 0;
    double *q = mlk_alloc(fr.n * d.nd, sizeof *q);
    for (int k = 0; k < 3; k++) {
        if (k == 2) before = mlk_alloc_count();
        mlk_scratch_reset(&s);
        mlk_check_ok(pot->type->describe(pot, &d.nl, d.type, 0, fr.n, &s, q, &e), e);
    }
    cr_expect_eq(mlk_alloc_count(), before, "allocates when warm");
    mlk_free(q);
    mlk_scratch_free(&s);
    mlk_desc_free(&d);
    mlk_eval_free(&ev);
    mlk_frame_free(&fr);
    mlk_potential_destroy(pot);
}

Test(describe, snap_parameters_times_descriptors_are_the_energy)
{
    compare(make("snap", (const char *const[][2]){{"twojmax", "6"}, {"chem", "false"}, {0}}),
            linear);
    compare(make("snap", (const char *const[][2]){{"twojmax", "3"}, {"chem", "true"}, {0}}),
            linear);
    compare(make("snap", (const char *const[][2]){{"twojmax", "4"}, {"quadratic", "true"}, {0}}),
            linear);
}

Test(describe, nep_network_of_the_descriptors_is_the_energy)
{
    mlk_frame fr = structure(24, 8);
    const mlk_frame *list = &fr;
    mlk_err e = {0};
    static const char *const lmax[] = {"4,2,1", "3,0,0", "2,2,0", "8,2,1"};
    for (int k = 0; k < 4; k++) {
        mlk_potential *pot = make(
            "nep", (const char *const[][2]){{"l_max", lmax[k]}, {"neuron", k ? "11" : "30"}, {0}});
        mlk_check_ok(pot->type->prepare(pot, 1, &list, &e), e); /* scaler is not 1 any more */
        compare(pot, network);
    }
    mlk_frame_free(&fr);
}

Test(describe, a_model_without_descriptors_says_so)
{
    mlk_potential *pot = make("lj", (const char *const[][2]){{0}});
    mlk_frame fr = structure(8, 1);
    mlk_desc d = {0};
    mlk_err e = {0};
    cr_assert_eq(mlk_potential_describe_frame(pot, &fr, &d, &e), MLK_EUNSUPPORTED);
    cr_expect(strstr(e.msg, "lj") && e.hint[0]);
    mlk_desc_free(&d);
    mlk_frame_free(&fr);
    mlk_potential_destroy(pot);
}
