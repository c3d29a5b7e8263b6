/* test_spool.c - long runs: series in files, correlations by pieces, spectra of limited length;
 * runs with fewer than three components. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "core/spool.h"
#include "tests/support/check.h"
#include "tests/support/synthetic.h"
#include "transport/corr.h"
#include "transport/onsager.h"

Test(spool, series_move_to_files_and_keep_their_values)
{
    enum { K = 3, N = 5000, LIMIT = 1 << 16 };
    mlk_spool s;
    mlk_err e = {0};
    double row[2 * K];
    setenv("TMPDIR", "/nonexistent", 1);
    mlk_check_ok(mlk_spool_init(&s, K, "nowhere/x", &e), e);
    s.limit = LIMIT;
    for (int t = 0; t < N; t += 2) {
        for (int k = 0; k < 2 * K; k++) row[k] = (k % K + 1) * (t + k / K);
        mlk_check_ok(mlk_spool_add(&s, 2, row, &e), e);
        cr_assert((s.fd != NULL) == (K * s.cap * sizeof(double) > LIMIT));
    }
    cr_assert(s.fd && s.n == N);
    mlk_spool_release(&s);
    mlk_check_ok(mlk_spool_extend(&s, 1 << 21, &e), e); /* further than one step */
    for (int k = 0; k < K; k++)
        for (int t = 0; t < N + 100; t++)
            cr_assert(s.x[k][t] == (t < N ? (k + 1) * t : 0), "series %d, value %d", k, t);
    mlk_spool_drop(&s, 1);
    cr_assert(s.k == 1 && s.x[0][N - 1] == N - 1);
    mlk_spool_free(&s);
    mlk_spool_free(&s);
    cr_assert(mlk_spool_extend(&(mlk_spool){.k = 1}, SIZE_MAX / 8, &e) == MLK_ENOMEM);
}

Test(spool, correlations_by_pieces_are_those_of_the_whole)
{
    enum { N = 20011, M = 2, NC = 2, L = 2400, ROWS = 3 };
    static const size_t cut[] = {0, 3, 5003, 14000, N};
    double *x = mlk_alloc(M * NC * N, sizeof *x), *whole, *part, *sum;
    const double *series[M * NC], *at[M * NC];
    mlk_corr_work w;
    mlk_err e = {0};
    whole = mlk_alloc(3 * ROWS * L, sizeof *whole);
    part = whole + ROWS * L, sum = part + ROWS * L;
    mlk_rng g = mlk_rng_make(3, 0);
    for (size_t i = 0; i < M * NC * N; i++) x[i] = mlk_rng_normal(&g) + 0.2;
    for (size_t i = 0; i < M * NC; i++) series[i] = x + i * N;
    mlk_check_ok(mlk_corr(N, M, NC, series, L, whole, &e), e);
    for (size_t a = 0; a < M; a++)
        for (size_t b = a; b < M; b++)
            for (size_t k = 0; k < L; k += 370) {
                double s = 0;
                for (size_t c = 0; c < NC; c++)
                    for (size_t t = 0; t + k < N; t++)
                        s += 0.5 * (series[a * NC + c][t + k] * series[b * NC + c][t] +
                                    series[b * NC + c][t + k] * series[a * NC + c][t]);
                mlk_check_close(whole[mlk_corr_row(M, a, b) * L + k],
                                s / ((double)NC * (double)(N - k)), 1e-12);
            }
    mlk_check_ok(mlk_corr_begin(&w, 5000, M, NC, L, &e), e);
    for (int p = 0; p < 4; p++) {
        for (size_t i = 0; i < M * NC; i++) at[i] = series[i] + cut[p];
        mlk_corr_piece(&w, cut[p + 1] - cut[p], at, NULL, part);
        for (size_t k = 0; k < ROWS * L; k++) sum[k] += part[k];
    }
    mlk_corr_between(&w, sum);
    mlk_corr_normalise(&w, N, sum);
    for (size_t k = 0; k < ROWS * L; k++) mlk_check_close(sum[k], whole[k], 1e-12);
    mlk_corr_end(&w);
    mlk_free(x);
    mlk_free(whole);
}

/* the first nc components of a run of case A */
static void analyse(size_t nc, size_t n, mlk_onsager *on, mlk_flux *fl)
{
    mlk_flux all;
    mlk_err e = {0};
    const mlk_onsager_opts o = {.rule = MLK_RULE_WEIGHTED, .pool = 1};
    syn_flux(&all, 'A', n, 1, 11);
    mlk_check_ok(mlk_flux_init(fl, n, 2, nc, 0, NULL, &e), e);
    fl->dt = all.dt, fl->volume = all.volume, fl->temperature = all.temperature;
    memcpy(fl->label, all.label, sizeof fl->label);
    for (size_t a = 0; a < 2; a++)
        for (size_t c = 0; c < nc; c++)
            memcpy(mlk_flux_series(fl, a, c), mlk_flux_series(&all, a, c), n * sizeof(double));
    mlk_flux_free(&all);
    mlk_check_ok(mlk_onsager_init(on, fl, &o, NULL, &e), e);
    cr_assert(on->m == 2);
    mlk_check_close(on->kappa, on->kappa_scale * SYN_A_CORRECTED, 4 * on->kappa_err);
    mlk_check_close(on->kappa_naive, on->kappa_scale * SYN_A_NAIVE, 4 * on->kappa_naive_err);
    mlk_check_close(on->gk.at_schur, on->kappa_scale ? SYN_A_CORRECTED : 0,
                    5 * on->gk.at_schur_err);
}

Test(spool, one_and_two_directions)
{
    for (size_t nc = 1; nc <= 3; nc++) {
        mlk_onsager on;
        mlk_flux fl;
        analyse(nc, 40000, &on, &fl);
        cr_assert(on.sp.ell % nc == 0 && on.full.ell == nc);
        mlk_onsager_free(&on);
        mlk_flux_free(&fl);
    }
}

Test(spool, matrices_of_long_runs_stay_small)
{
    mlk_onsager on;
    mlk_flux fl;
    analyse(1, 700001, &on, &fl);
    cr_assert(on.full.n <= 1 << 18 && on.full.ell == 3 && on.full.lost < 700001 / 20);
    mlk_onsager_free(&on);
    mlk_flux_free(&fl);
}
