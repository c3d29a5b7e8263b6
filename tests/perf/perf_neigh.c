/* perf_neigh.c - neighbour lists: build and update, checked against a direct sum over a few
 * centres. */
#include <math.h>
#include <string.h>

#include "core/neigh.h"
#include "tests/perf/perf.h"

typedef struct job {
    mlk_frame fr;
    mlk_neigh nl;
    double rc;
} job;

static void build(void *ctx)
{
    job *j = ctx;
    if (mlk_neigh_build(&j->fr.cell, j->fr.n, (const double(*)[3])j->fr.x, j->rc, &j->nl, NULL))
        perf_die("neighbour list");
}

static void update(void *ctx)
{
    job *j = ctx;
    mlk_neigh_update(&j->nl, &j->fr.cell, (const double(*)[3])j->fr.x);
}

/* difference in the number of neighbours of some centres from a minimum-image count */
static double wrong(const job *j)
{
    double bad = 0;
    for (size_t i = 0; i < j->fr.n; i += j->fr.n / 7) {
        size_t count = 0;
        for (size_t k = 0; k < j->fr.n; k++) {
            double d[3], s[3], r2 = 0;
            for (int c = 0; c < 3; c++) d[c] = j->fr.x[k][c] - j->fr.x[i][c];
            mlk_cell_frac(&j->fr.cell, d, s);
            for (int c = 0; c < 3; c++) s[c] -= floor(s[c] + 0.5);
            mlk_cell_cart(&j->fr.cell, s, d);
            for (int c = 0; c < 3; c++) r2 += d[c] * d[c];
            count += k != i && r2 < j->rc * j->rc;
        }
        bad += fabs((double)count - (double)(j->nl.start[i + 1] - j->nl.start[i]));
    }
    return bad;
}

void perf_neigh(perf *p)
{
    job j = {.rc = 7};
    double spread;
    perf_li3ps4(&j.fr);
    build(&j);
    double error = wrong(&j), n = (double)j.fr.n;
    double t = perf_time(1, build, &j, &spread);
    perf_row(p, "neigh-build-7A", "plain", 1, 1e6 * t / n, spread, 0, error, 0);
    t = perf_time(1, update, &j, &spread);
    perf_row(p, "neigh-update-7A", "plain", 1, 1e6 * t / n, spread, 0, wrong(&j), 0);
    mlk_neigh_free(&j.nl);
    mlk_frame_free(&j.fr);
}
