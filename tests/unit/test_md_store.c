/* test_md_store.c - the file of a run, its checkpoints, and runs that are stopped or killed.
 * Parents of fork() must not have used OpenMP before: each test forks first. */
#include <dirent.h>
#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/file.h"
#include "core/h5.h"
#include "core/log.h"
#include "core/units.h"
#include "md/fluxes.h"
#include "md/store.h"
#include "tests/support/check.h"
#include "tests/support/md.h"

static void enter(char dir[64])
{
    mlk_log_set_level(MLK_LOG_ERROR);
    snprintf(dir, 64, "/tmp/mlk-md-XXXXXX");
    cr_assert(mkdtemp(dir) && chdir(dir) == 0);
}

static void leave(const char *dir)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
    cr_assert(chdir("/") == 0 && system(cmd) == 0);
}

/* One session of a run in the current directory, as the command line does it. */
static mlk_status session(const mlk_md_config *c, const char *out, bool *complete, mlk_err *e)
{
    mlk_potential *pot = mlk_test_argon();
    mlk_frame fr;
    mlk_md md;
    mlk_md_store *st = NULL;
    mlk_test_fcc(3, 5.4, &fr);
    mlk_status s = mlk_md_init(&md, c, pot, &fr, e);
    if (!s) s = mlk_md_store_open(&st, out, &md, complete, e);
    if (!s && !*complete) s = mlk_md_run(&md, st, e);
    mlk_md_store_close(st);
    mlk_md_free(&md);
    mlk_frame_free(&fr);
    mlk_potential_destroy(pot);
    return s;
}

static void nap(double s)
{
    struct timespec t = {(time_t)s, (long)(1e9 * fmod(s, 1))};
    nanosleep(&t, NULL);
}

/* A child that runs the session; exit status 0, or 100 + the status of its failure. */
static pid_t child(const mlk_md_config *c, const char *out)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid) return pid;
    mlk_err e = {0};
    bool complete;
    mlk_stop_install();
    omp_set_num_threads(1); /* kind to a busy machine */
    mlk_status s = session(c, out, &complete, &e);
    _exit(s ? 100 + (int)s : 0);
}

static int wait_for(pid_t pid)
{
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static const char *const datasets[] = {"/particles/all/position/value",
                                       "/particles/all/position/step",
                                       "/observables/energy_flux/kinetic/value",
                                       "/observables/energy_flux/convective/value",
                                       "/observables/energy_flux/virial/value",
                                       "/observables/mass_flux/Ar/value",
                                       "/observables/temperature/value",
                                       "/observables/total_energy/value",
                                       "/observables/pressure/value",
                                       "/observables/pressure/time",
                                       "/parameters/mlkit/equilibration/temperature/value",
                                       "/parameters/mlkit/rdf/Ar-Ar/g"};

static void check_same(const char *a, const char *b)
{
    mlk_err e = {0};
    mlk_h5 *h[2];
    mlk_check_ok(mlk_h5_open(&h[0], a, "r", &e), e);
    mlk_check_ok(mlk_h5_open(&h[1], b, "r", &e), e);
    for (size_t k = 0; k < sizeof datasets / sizeof *datasets; k++) {
        double *v[2];
        size_t n[2];
        for (int f = 0; f < 2; f++) {
            int nd;
            size_t dim[4] = {0};
            mlk_check_ok(mlk_h5_dims(h[f], datasets[k], &nd, dim, &e), e);
            n[f] = dim[0] * (nd > 1 ? dim[1] : 1) * (nd > 2 ? dim[2] : 1);
            v[f] = mlk_alloc(n[f], sizeof(double));
            mlk_check_ok(mlk_h5_read(h[f], datasets[k], MLK_H5_DOUBLE, v[f], &e), e);
        }
        cr_assert(n[0] == n[1] && n[0] > 0, "%s: %zu and %zu numbers", datasets[k], n[0], n[1]);
        cr_assert(!memcmp(v[0], v[1], n[0] * sizeof(double)), "%s differs", datasets[k]);
        mlk_free(v[0]), mlk_free(v[1]);
    }
    mlk_h5_close(&h[0], &e), mlk_h5_close(&h[1], &e);
    mlk_md_summary s[2];
    mlk_check_ok(mlk_md_summary_read(a, &s[0], &e), e);
    mlk_check_ok(mlk_md_summary_read(b, &s[1], &e), e);
    cr_assert_str_eq(s[0].digest, s[1].digest);
    cr_assert(s[0].drift == s[1].drift && s[0].temperature_mean == s[1].temperature_mean);
}

static int files_in(const char *dir)
{
    int n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *q; d && (q = readdir(d));) n += q->d_name[0] != '.';
    if (d) closedir(d);
    return n;
}

static mlk_md_config short_run(void)
{
    return mlk_test_md_config(400, 2000); /* 100 + 500 steps */
}

/* The run in one.h5 undisturbed; then in run.h5, where each of its sessions but the last gets the
 * signals in turn at odd parts of the time an undisturbed one takes: the result is that of one
 * session. Begun anew until `least` sessions were ended that way. */
static void disturbed(const mlk_md_config *c, const int signals[2], int least)
{
    double start = mlk_wtime();
    cr_assert_eq(wait_for(child(c, "one.h5")), 0);
    double whole = mlk_wtime() - start;
    int ended = 0;
    for (int round = 0, k = 0; round < 50 && ended < least; round++) {
        unlink("run.h5");
        for (int status = 1, left = 10; status != 0; k++, left--) {
            pid_t pid = child(c, "run.h5");
            int signal = signals[k % 2];
            if (left > 0) nap(whole * (0.15 + 0.13 * (k % 6))), kill(pid, signal);
            status = wait_for(pid);
            cr_assert(status <= 0 || status == 100 + MLK_EINTERRUPTED, "status %d", status);
            if (status == 0) break;
            cr_assert(left > 0 && !mlk_file_exists("run.h5"));
            if (status == -SIGKILL || status > 0)
                ended++; /* else before the handler was installed */
            if (status > 0) cr_assert(mlk_file_exists("run.h5.ckpt.h5"));
        }
        cr_assert(!mlk_file_exists("run.h5.parts") && !mlk_file_exists("run.h5.ckpt.h5"));
        check_same("one.h5", "run.h5");
    }
    cr_assert(ended >= least, "only %d sessions of %.3f s ended by signals", ended, whole);
    cr_assert_eq(files_in("."), 2);
}

/* Killed without warning, again and again. */
Test(md_store, killed_run_continues_bit_for_bit)
{
    char dir[64];
    enter(dir);
    mlk_md_config c = short_run();
    c.checkpoint = 0.01;
    disturbed(&c, (int[2]){SIGKILL, SIGKILL}, 5);
    leave(dir);
}

Test(md_store, stopped_run_continues_bit_for_bit)
{
    char dir[64];
    enter(dir);
    mlk_md_config c = mlk_test_md_config(400, 8000);
    c.npt = 4000, c.tau_p = 200, c.barostat = MLK_MD_ANISO;
    disturbed(&c, (int[2]){SIGTERM, SIGINT}, 3);
    leave(dir);
}

Test(md_store, two_processes_cannot_write_the_same_run)
{
    char dir[64];
    enter(dir);
    mlk_md_config c = mlk_test_md_config(0, 1e9);
    pid_t a = child(&c, "run.h5");
    for (int k = 0; k < 500 && !mlk_file_exists("run.h5.parts/lock"); k++) nap(0.01);
    nap(0.05);
    pid_t b = child(&c, "run.h5");
    cr_assert_eq(wait_for(b), 100 + MLK_EIO);
    kill(a, SIGKILL);
    wait_for(a);
    leave(dir);
}

Test(md_store, file_follows_its_contract)
{
    char dir[64], text[256];
    enter(dir);
    mlk_md_config c = short_run();
    mlk_err e = {0};
    bool complete = true;
    snprintf(c.model, sizeof c.model, "argon");
    snprintf(c.command, sizeof c.command, "mlkit md argon");
    mlk_check_ok(session(&c, "run.h5", &complete, &e), e);
    cr_assert(!complete);
    mlk_h5 *h;
    mlk_check_ok(mlk_h5_open(&h, "run.h5", "r", &e), e);
    const struct {
        const char *path;
        int nd;
        size_t dim[3];
        const char *unit;
    } want[] = {{"/particles/all/box/edges", 2, {3, 3}, "Angstrom"},
                {"/particles/all/species", 1, {108}, NULL},
                {"/particles/all/mass", 1, {108}, "Da"},
                {"/particles/all/position/value", 3, {50, 108, 3}, "Angstrom"},
                {"/particles/all/position/time", 1, {50}, "fs"},
                {"/observables/energy_flux/kinetic/value", 2, {500, 3}, "eV Angstrom ps-1"},
                {"/observables/energy_flux/convective/value", 2, {500, 3}, "eV Angstrom ps-1"},
                {"/observables/energy_flux/virial/value", 2, {500, 3}, "eV Angstrom ps-1"},
                {"/observables/energy_flux/virial/step", 0, {0}, NULL},
                {"/observables/energy_flux/virial/time", 0, {0}, "fs"},
                {"/observables/mass_flux/Ar/value", 2, {500, 3}, "Da Angstrom ps-1"},
                {"/observables/temperature/value", 1, {50}, "K"},
                {"/observables/potential_energy/value", 1, {50}, "eV"},
                {"/observables/kinetic_energy/value", 1, {50}, "eV"},
                {"/observables/total_energy/step", 1, {50}, NULL},
                {"/observables/pressure/value", 1, {50}, "GPa"},
                {"/parameters/mlkit/equilibration/pressure/value", 1, {10}, "GPa"},
                {"/parameters/mlkit/rdf/Ar-Ar/r", 1, {320}, "Angstrom"},
                {"/parameters/mlkit/rdf/Ar-Ar/g", 1, {320}, NULL}};
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        int nd;
        size_t dim[4];
        mlk_check_ok(mlk_h5_dims(h, want[k].path, &nd, dim, &e), e);
        cr_assert_eq(nd, want[k].nd, "%s", want[k].path);
        for (int d = 0; d < nd; d++)
            cr_assert_eq(dim[d], want[k].dim[d], "%s: %zu", want[k].path, dim[d]);
        if (!want[k].unit) continue;
        mlk_check_ok(mlk_h5_attr_str(h, want[k].path, "unit", text, sizeof text, &e), e);
        cr_assert_str_eq(text, want[k].unit);
    }
    const char *const reals[] = {
        "volume_A3",         "dt_fs",  "sample_fs",       "temperature_K", "temperature_mean_K",
        "drift_meV_atom_ns", "wall_s", "atom_steps_per_s"};
    double v;
    for (size_t k = 0; k < sizeof reals / sizeof *reals; k++) {
        mlk_check_ok(mlk_h5_attr_double(h, "/parameters/mlkit", reals[k], &v, &e), e);
        cr_assert(isfinite(v), "%s", reals[k]);
    }
    int64_t i;
    mlk_check_ok(mlk_h5_attr_int(h, "/parameters/mlkit", "complete", &i, &e), e);
    cr_assert_eq(i, 1);
    mlk_check_ok(mlk_h5_attr_int(h, "/parameters/mlkit", "n_atoms", &i, &e), e);
    cr_assert_eq(i, 108);
    mlk_check_ok(mlk_h5_attr_str(h, "/parameters/mlkit", "command", text, sizeof text, &e), e);
    cr_assert_str_eq(text, "mlkit md argon");
    mlk_check_ok(mlk_h5_attr_str(h, "/h5md/creator", "name", text, sizeof text, &e), e);
    cr_assert_str_eq(text, "mlkit");
    double time[50], step;
    mlk_check_ok(mlk_h5_read(h, "/particles/all/position/time", MLK_H5_DOUBLE, time, &e), e);
    mlk_check_close(time[49], 49 * 40, 1e-9);
    mlk_check_ok(mlk_h5_read(h, "/observables/energy_flux/virial/time", MLK_H5_DOUBLE, &step, &e),
                 e);
    mlk_check_close(step, 4, 1e-12);
    mlk_h5_close(&h, &e);

    /* again: complete. Another temperature: refused, and the difference is named */
    mlk_check_ok(session(&c, "run.h5", &complete, &e), e);
    cr_assert(complete);
    c.temp = 70;
    cr_assert_eq(session(&c, "run.h5", &complete, &e), MLK_EINVAL);
    cr_assert(strstr(e.msg, "temperature_K: 60") && strstr(e.msg, "temperature_K: 70") && e.hint[0],
              "%s", e.msg);
    leave(dir);
}

/* The first recorded flux is that of the start state; thread count and records agree with the
 * library. */
Test(md_store, recorded_numbers_are_those_of_the_state)
{
    char dir[64];
    enter(dir);
    mlk_md_config c = mlk_test_md_config(0, 400);
    mlk_err e = {0};
    bool complete;
    mlk_check_ok(session(&c, "run.h5", &complete, &e), e);
    mlk_potential *pot = mlk_test_argon();
    mlk_frame fr;
    mlk_md md;
    mlk_test_fcc(3, 5.4, &fr);
    mlk_check_ok(mlk_md_init(&md, &c, pot, &fr, &e), e);
    mlk_check_ok(mlk_md_forces(&md, &e), e);
    mlk_md_flux j;
    mlk_h5 *h;
    double row[3], x[324];
    mlk_check_ok(mlk_h5_open(&h, "run.h5", "r", &e), e);
    for (int k = 0; k < 30; k++) {
        mlk_md_fluxes(md.n, md.el, md.n_el, md.mass, (const double(*)[3])md.v, &md.ev, &j);
        mlk_check_ok(mlk_h5_read_rows(h, "/observables/energy_flux/virial/value", MLK_H5_DOUBLE,
                                      (size_t)k, 1, row, &e),
                     e);
        for (int d = 0; d < 3; d++)
            mlk_check_close(row[d], j.virial[d] / MLK_TAU_PS, 1e-15 + 1e-14 * fabs(row[d]));
        if (k == 20) {
            mlk_check_ok(
                mlk_h5_read_rows(h, "/particles/all/position/value", MLK_H5_DOUBLE, 2, 1, x, &e),
                e);
            for (size_t i = 0; i < md.n; i++)
                for (size_t d = 0; d < 3; d++) mlk_check_close(x[3 * i + d], md.x[i][d], 2e-6);
            mlk_check_ok(mlk_h5_read_rows(h, "/observables/total_energy/value", MLK_H5_DOUBLE, 2, 1,
                                          row, &e),
                         e);
            mlk_check_close(row[0], md.ev.U + md.kinetic, 1e-12);
        }
        mlk_check_ok(mlk_md_step(&md, &e), e);
    }
    mlk_h5_close(&h, &e);
    mlk_md_free(&md);
    mlk_frame_free(&fr);
    mlk_potential_destroy(pot);
    leave(dir);
}

Test(md_store, foreign_files_are_never_overwritten)
{
    char dir[64], *text;
    enter(dir);
    mlk_md_config c = mlk_test_md_config(0, 400);
    mlk_err e = {0};
    bool complete;
    mlk_check_ok(mlk_file_write_text("run.h5", "my thesis\n", &e), e);
    cr_assert_eq(session(&c, "run.h5", &complete, &e), MLK_EFORMAT);
    cr_assert(strstr(e.file, "run.h5") && e.hint[0]);
    mlk_check_ok(mlk_file_slurp("run.h5", &text, NULL, &e), e);
    cr_assert_str_eq(text, "my thesis\n");
    mlk_free(text);
    e = (mlk_err){0};
    mlk_check_ok(mlk_file_write_text("other.h5.ckpt.h5", "not a checkpoint", &e), e);
    cr_assert_neq(session(&c, "other.h5", &complete, &e), MLK_OK);
    cr_assert(strstr(e.file, "other.h5.ckpt.h5") && e.hint[0]);
    e = (mlk_err){0};
    cr_assert_eq(session(&c, "run.h5/below-a-file.h5", &complete, &e), MLK_EIO);
    cr_assert(e.file[0]);
    leave(dir);
}

/* Records before a divergence stay readable, marked as incomplete. */
Test(md_store, records_before_a_divergence_are_kept)
{
    char dir[64];
    enter(dir);
    mlk_md_config c = mlk_test_md_config(0, 4000);
    c.checkpoint = 0.01;
    mlk_err e = {0};
    bool complete;
    mlk_potential *pot = mlk_test_argon();
    mlk_frame fr;
    mlk_md md;
    mlk_md_store *st;
    mlk_md_summary s;
    mlk_test_fcc(3, 5.4, &fr);
    mlk_check_ok(mlk_md_init(&md, &c, pot, &fr, &e), e);
    mlk_check_ok(mlk_md_store_open(&st, "run.h5", &md, &complete, &e), e);
    for (int k = 0; k < 3; k++) md.v[7][k] *= 4000; /* a bullet */
    cr_assert_eq(mlk_md_run(&md, st, &e), MLK_ENUMERIC);
    cr_assert(strstr(e.msg, "step"), "%s", e.msg);
    mlk_md_store_close(st);
    e = (mlk_err){0};
    mlk_check_ok(mlk_md_summary_read("run.h5.failed.h5", &s, &e), e);
    cr_assert(s.complete == 0 && s.n_samples >= 1 && !mlk_file_exists("run.h5"));
    mlk_md_free(&md);
    mlk_frame_free(&fr);
    mlk_potential_destroy(pot);
    leave(dir);
}

/* Distances below the shortest of the training data are flagged, and only those. */
Test(md_store, atoms_closer_than_the_training_data_are_flagged)
{
    char dir[64];
    enter(dir);
    for (int k = 0; k < 2; k++) {
        mlk_md_config c = mlk_test_md_config(0, 400);
        mlk_err e = {0};
        bool complete;
        mlk_potential *pot = mlk_test_argon();
        mlk_frame fr;
        mlk_md md;
        mlk_md_store *st;
        mlk_md_summary s;
        const char *path = k ? "far.h5" : "close.h5";
        pot->dmin = mlk_alloc(1, sizeof(double));
        pot->dmin[0] = k ? 1.0 : 3.8; /* neighbours stand at 3.82 A */
        mlk_test_fcc(3, 5.4, &fr);
        mlk_check_ok(mlk_md_init(&md, &c, pot, &fr, &e), e);
        mlk_check_ok(mlk_md_store_open(&st, path, &md, &complete, &e), e);
        mlk_check_ok(mlk_md_run(&md, st, &e), e);
        mlk_md_store_close(st);
        mlk_check_ok(mlk_md_summary_read(path, &s, &e), e);
        cr_assert_eq(s.shortest_flag, k ? 0 : 1);
        mlk_md_free(&md);
        mlk_frame_free(&fr);
        mlk_potential_destroy(pot);
    }
    leave(dir);
}
