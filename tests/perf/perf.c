/* perf.c - `make perf`: the table of speeds, one row per case and variant.
 *   mlk-perf [--filter TEXT] [--simd scalar|avx2|avx512] [--threads N]  */
#include "tests/perf/perf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/threads.h"
#include "potentials/potential.h"
#include "tests/support/shared.h"
#include "version.h"

void perf_die(const char *what)
{
    fprintf(stderr, "mlk-perf: %s\n", what);
    exit(1);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double perf_time(int threads, void (*fn)(void *), void *ctx, double *spread)
{
    double (*now)(void) = threads == 1 ? mlk_cputime : mlk_wtime;
    fn(ctx), fn(ctx);
    double t0 = now(), once, t[PERF_RUNS];
    fn(ctx);
    once = now() - t0;
    int repeat = once < 0.02 ? (int)ceil(0.02 / (once + 1e-7)) : 1;
    for (int k = 0; k < PERF_RUNS; k++) {
        t0 = now();
        for (int r = 0; r < repeat; r++) fn(ctx);
        t[k] = (now() - t0) / repeat;
    }
    qsort(t, PERF_RUNS, sizeof *t, ascending);
    *spread = 0.5 * (t[PERF_RUNS * 3 / 4] - t[PERF_RUNS / 4]) / t[PERF_RUNS / 2];
    return t[PERF_RUNS / 2];
}

void perf_row(perf *p, const char *name, const char *variant, int threads, double us, double spread,
              double ref, double error, double tol)
{
    if (!(error <= tol)) {
        printf("%s\t%s\t%d\tWRONG\t\t\t%.1e\n", name, variant, threads, error);
        p->failed = true;
        return;
    }
    printf("%s\t%s\t%d\t%.3f\t%.0f%%\t%.2f\t%.1e\n", name, variant, threads, us, 100 * spread,
           ref > 0 ? ref / us : 1.0, error);
    fflush(stdout);
}

bool perf_level(const perf *p, int level)
{
    return p->simd < 0 || p->simd == level;
}

bool perf_read_xyz(const char *path, mlk_frame *fr)
{
    FILE *f = fopen(path, "r");
    if (!f) return false;
    char line[2048], el[8];
    size_t n = 0;
    double h[3][3];
    bool ok = fgets(line, sizeof line, f) && sscanf(line, "%zu", &n) == 1 && n > 0 &&
              fgets(line, sizeof line, f);
    const char *q = ok ? strstr(line, "Lattice=\"") : NULL;
    ok = ok && q && !mlk_frame_init(fr, n, NULL);
    if (ok) q += strlen("Lattice=\"");
    for (int k = 0, used = 0; ok && k < 9; k++, q += used)
        ok = sscanf(q, "%lf%n", &h[k / 3][k % 3], &used) == 1;
    ok = ok && !mlk_cell_init(&fr->cell, (const double(*)[3])h, NULL);
    for (size_t i = 0; ok && i < n; i++) {
        ok = fgets(line, sizeof line, f) &&
             sscanf(line, "%7s %lf %lf %lf", el, &fr->x[i][0], &fr->x[i][1], &fr->x[i][2]) == 4;
        if (ok) fr->z[i] = mlk_element_z(el);
    }
    fclose(f);
    if (!ok) perf_die(path);
    return true;
}

void perf_li3ps4(mlk_frame *fr)
{
    char path[1024];
    const char *shared = mlk_test_shared();
    if (shared) {
        snprintf(path, sizeof path, "%s/reference/nep/li3ps4_published/model.xyz", shared);
        if (perf_read_xyz(path, fr)) return;
    }
    enum { SIDE = 16 };
    static const int cell[8] = {3, 3, 3, 15, 16, 16, 16, 16};
    double a = 2.782 * SIDE, h[3][3] = {{a, 0, 0}, {0, a, 0}, {0, 0, a}}; /* 0.0464 atoms/A^3 */
    mlk_rng g = mlk_rng_make(1, 1);
    if (mlk_frame_init(fr, SIDE * SIDE * SIDE, NULL) ||
        mlk_cell_init(&fr->cell, (const double(*)[3])h, NULL))
        perf_die("out of memory");
    for (size_t i = 0; i < fr->n; i++) {
        size_t s[3] = {i % SIDE, i / SIDE % SIDE, i / SIDE / SIDE};
        for (int c = 0; c < 3; c++)
            fr->x[i][c] = 2.782 * ((double)s[c] + 0.2 * mlk_rng_uniform(&g));
        fr->z[i] = cell[(s[0] % 2) + 2 * (s[1] % 2) + 4 * (s[2] % 2)];
    }
}

static const struct {
    const char *name;
    void (*run)(perf *p);
} cases[] = {
#define PERF(name) {#name, perf_##name},
#include "tests/perf/perf.def"
#undef PERF
};

int main(int argc, char **argv)
{
    perf p = {NULL, -1, 0, false};
    for (int k = 1; k < argc; k += 2) {
        const char *v = k + 1 < argc ? argv[k + 1] : NULL;
        if (v && !strcmp(argv[k], "--filter"))
            p.filter = v;
        else if (v && !strcmp(argv[k], "--threads"))
            p.threads = atoi(v);
        else if (v && !strcmp(argv[k], "--simd"))
            for (int l = 0; l < 3; l++) p.simd = !strcmp(v, mlk_cpu_level_name(l)) ? l : p.simd;
        else
            perf_die("usage: mlk-perf [--filter TEXT] [--simd scalar|avx2|avx512] [--threads N]");
    }
    mlk_threads_init(p.threads);
    p.threads = mlk_threads();
    printf("# mlkit %s; %s; flags %s; best SIMD level %s\n", MLK_VERSION, MLK_COMPILER, MLK_FLAGS,
           mlk_cpu_level_name(mlk_cpu_level()));
    printf("case\tvariant\tthreads\tus/atom/step\tspread\tratio\terror\n");
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        if (!p.filter || strstr(cases[k].name, p.filter)) cases[k].run(&p);
    return p.failed;
}
