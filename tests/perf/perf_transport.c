/* perf_transport.c - `mlkit transport` as a user runs it, from the start of the program to its
 * result: the recorded molten salt and a text table of 10^7 samples of three fluxes. Reference: the
 * established implementation on the same input, 2.2 s, and 242 s with 8.4 GB. */
#define _DEFAULT_SOURCE /* wait4 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/json.h"
#include "core/rng.h"
#include "tests/perf/perf.h"
#include "core/units.h"
#include "tests/support/shared.h"
#include "transport/cepstral.h"

typedef struct run_of {
    double cpu, mb, kappa; /* [s], largest resident memory, W/m/K */
} run_of;

/* build/mlkit transport words..., its CPU time and memory; with out its result too, which takes
 * the curves of all figures */
static run_of command(const char *table, const char *const *words, const char *out)
{
    char exe[1024];
    const char *argv[24] = {"mlkit", "transport", table, "--threads", "1", "-q"};
    int n = 6, status;
    while (*words && n < 20) argv[n++] = *words++;
    if (out) argv[n++] = "-o", argv[n++] = out;
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 16);
    if (len < 0) perf_die("no mlkit");
    exe[len] = 0;
    strcpy(strrchr(exe, '/'), "/mlkit");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout)) _exit(1);
        execv(exe, (char *const *)argv);
        _exit(127);
    }
    struct rusage u;
    if (pid < 0 || wait4(pid, &status, 0, &u) != pid || status) perf_die("mlkit transport failed");
    run_of r = {.cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                       1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec),
                .mb = (double)u.ru_maxrss / 1024};
    json_t *j = NULL;
    if (out && mlk_json_read(out, &j, NULL)) perf_die("no result");
    if (out) r.kappa = mlk_json_get_real(j, "kappa", NAN);
    json_decref(j);
    return r;
}

static int ascending(const void *a, const void *b)
{
    double x = ((const run_of *)a)->cpu, y = ((const run_of *)b)->cpu;
    return (x > y) - (x < y);
}

/* verified once, then timed n times; us per sample; ref_s: the reference, seconds */
static void row(perf *p, const char *name, const char *table, const char *const *words, int n,
                double samples, double ref_s, double want, double tol)
{
    char out[] = "/tmp/mlk-perf-XXXXXX";
    run_of r[PERF_RUNS];
    int fd = mkstemp(out);
    if (fd < 0) perf_die("no temporary file");
    const double kappa = command(table, words, out).kappa;
    close(fd);
    unlink(out);
    for (int k = 0; k < n; k++) r[k] = command(table, words, NULL);
    qsort(r, (size_t)n, sizeof *r, ascending);
    const run_of *m = r + n / 2;
    double spread = n > 3 ? 0.5 * (r[3 * n / 4].cpu - r[n / 4].cpu) / m->cpu : 0;
    perf_row(p, name, "command", 1, 1e6 * m->cpu / samples, spread, 1e6 * ref_s / samples,
             fabs(kappa / want - 1), tol);
    printf("# %s: %.2f s CPU (reference %.1f s), %.0f MB\n", name, m->cpu, ref_s, m->mb);
}

void perf_transport_nacl(perf *p)
{
    char path[1024];
    const char *const words[] = {"--dt", "5fs", "--volume", "65013.301261", NULL};
    if (!mlk_test_shared()) {
        printf("# transport_nacl: no shared data\n");
        return;
    }
    snprintf(path, sizeof path, "%s/reference/transport/nacl.dat.gz", mlk_test_shared());
    row(p, "transport_nacl", path, words, PERF_RUNS, 20000, 2.2, 0.4983, 0.17); /* 3 errors */
}

/* vector AR(1) of the reference table (case B) as text; 1 GB */
static void write_table(const char *path, long n)
{
    FILE *f = fopen(path, "w");
    mlk_rng g = mlk_rng_make(7, 1);
    double x[3][3] = {{0}};
    if (!f) perf_die(path);
    fprintf(f, "# Volume = 1000 A^3\nTemp Jx Jy Jz c_vcm[1][1] c_vcm[1][2] c_vcm[1][3] "
               "c_vcm[2][1] c_vcm[2][2] c_vcm[2][3]\n");
    for (long t = -4000; t < n; t++) {
        for (int c = 0; c < 3; c++) {
            double a = mlk_rng_normal(&g), b = mlk_rng_normal(&g), d = mlk_rng_normal(&g),
                   *q = x[c];
            double y = 0.98 * q[0] + 0.01 * q[1] - 0.005 * q[2] + a;
            double z = 0.97 * q[1] + 0.01 * q[2] + 0.5 * a + b;
            q[2] = 0.005 * q[0] + 0.96 * q[2] - 0.3 * a + 0.4 * b + d;
            q[0] = y, q[1] = z;
        }
        if (t < 0) continue;
        fprintf(f, "300");
        for (int a = 0; a < 3; a++)
            for (int c = 0; c < 3; c++) fprintf(f, " %.7g", x[c][a]);
        fputc('\n', f);
    }
    if (fclose(f)) perf_die(path);
}

void perf_transport_1e7(perf *p)
{
    const char *tmp = getenv("TMPDIR");
    char path[1024];
    const char *const words[] = {"--dt", "1fs", NULL};
    snprintf(path, sizeof path, "%s/mlk-perf-%ld.dat", tmp && *tmp ? tmp : "/tmp", (long)getpid());
    write_table(path, 10000000);
    /* exact integral of the corrected flux [(eV A/ps)^2 fs] in W/m/K at 300 K and 1000 A^3 */
    const double exact = 952.3809523809501 * mlk_kappa_scale(MLK_E_C, MLK_KB_SI, 300, 1000);
    row(p, "transport_1e7", path, words, 1, 1e7, 242, exact, 0.03);
    unlink(path);
}
