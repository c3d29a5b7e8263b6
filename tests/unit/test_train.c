/* test_train.c - reference energies, the loss and its gradient, the loop, its checkpoint: with
 * Lennard-Jones as the model, whose exact parameters are known. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/rng.h"
#include "core/threads.h"
#include "tests/support/ljset.h"
#include "train/checkpoint.h"
#include "train/loss.h"
#include "train/run.h"

Test(train_e0, exact_where_compositions_vary)
{
    mlk_dataset ds = ljset_make(20, true);
    mlk_potential *pot = ljset_model(ljset_true);
    char note[512];
    for (size_t k = 0; k < ds.n; k++) {
        double s = 0;
        for (size_t i = 0; i < 8; i++) s += ljset_e0[ds.frame[k].z[i] == 16];
        ds.frame[k].energy = s;
    }
    cr_assert_eq(mlk_fit_e0(pot, &ds, "least-squares", note, sizeof note, NULL), MLK_OK);
    for (int t = 0; t < 2; t++) cr_assert_float_eq(pot->e0[t], ljset_e0[t], 1e-10);
    mlk_potential_destroy(pot);
    ljset_free(&ds);
}

Test(train_e0, mean_per_atom_where_compositions_do_not_vary)
{
    mlk_dataset ds = ljset_make(10, false);
    mlk_potential *pot = ljset_model(ljset_true);
    char note[512];
    double mean = 0, n = 0;
    for (size_t k = 0; k < ds.n; k++)
        if (ds.split[k] == MLK_SPLIT_TRAIN) mean += ds.frame[k].energy / 8, n++;
    cr_assert_eq(mlk_fit_e0(pot, &ds, "least-squares", note, sizeof note, NULL), MLK_OK);
    for (int t = 0; t < 2; t++) cr_assert_float_eq(pot->e0[t], mean / n, 1e-9);
    cr_assert(strstr(note, "1 independent composition "), "%s", note);
    mlk_potential_destroy(pot);
    ljset_free(&ds);
}

Test(train_e0, given_by_hand_must_be_complete)
{
    mlk_dataset ds = ljset_make(4, false);
    mlk_potential *pot = ljset_model(ljset_true);
    char note[512];
    mlk_err e = {0};
    cr_assert_eq(mlk_fit_e0(pot, &ds, "Li=-0.5,S=2", note, sizeof note, NULL), MLK_OK);
    cr_assert_eq(pot->e0[0], -0.5);
    cr_assert_eq(pot->e0[1], 2);
    cr_assert_eq(mlk_fit_e0(pot, &ds, "Li=-0.5", note, sizeof note, &e), MLK_EINVAL);
    cr_assert(strstr(e.msg, "S"));
    mlk_potential_destroy(pot);
    ljset_free(&ds);
}

/* the gradient of energies, forces and virials together against central differences of the loss */
static void check_gradient(double huber)
{
    mlk_dataset ds = ljset_make(5, true);
    mlk_potential *pot = ljset_model(ljset_start);
    mlk_loss l = ljset_loss(pot, &ds, huber);
    const size_t idx[4] = {0, 1, 2, 3};
    double grad[4];
    mlk_loss_sums s = {0};
    cr_assert_eq(mlk_loss_batch(&l, pot, idx, 4, grad, &s, NULL), MLK_OK);
    for (int m = 0; m < 4; m++) {
        double h = 1e-5 * pot->param[m], keep = pot->param[m];
        mlk_loss_sums a = {0}, b = {0};
        pot->param[m] = keep + h;
        cr_assert_eq(mlk_loss_batch(&l, pot, idx, 4, NULL, &a, NULL), MLK_OK);
        pot->param[m] = keep - h;
        cr_assert_eq(mlk_loss_batch(&l, pot, idx, 4, NULL, &b, NULL), MLK_OK);
        pot->param[m] = keep;
        double fd = (a.loss - b.loss) / 4 / (2 * h);
        cr_expect(fabs(fd - grad[m]) < 1e-6 * (fabs(fd) + 1e-3), "param %d: %.10g vs %.10g", m,
                  grad[m], fd);
    }
    mlk_loss_free(&l);
    mlk_potential_destroy(pot);
    ljset_free(&ds);
}

Test(train_loss, gradient_equals_differences)
{
    check_gradient(0);
}

Test(train_loss, gradient_of_robust_loss_equals_differences)
{
    check_gradient(0.8);
}

Test(train_loss, same_bits_for_any_number_of_threads)
{
    mlk_dataset ds = ljset_make(9, true);
    double grad[3][4];
    mlk_loss_sums s[3] = {{0}};
    const size_t idx[9] = {3, 1, 2, 0, 8, 7, 5, 6, 4};
    for (int k = 0; k < 3; k++) {
        mlk_threads_init(1 << k);
        mlk_potential *pot = ljset_model(ljset_start);
        mlk_loss l = ljset_loss(pot, &ds, 1);
        cr_assert_eq(mlk_loss_batch(&l, pot, idx, 9, grad[k], &s[k], NULL), MLK_OK);
        mlk_loss_free(&l);
        mlk_potential_destroy(pot);
    }
    for (int k = 1; k < 3; k++) {
        cr_expect(!memcmp(grad[0], grad[k], sizeof grad[0]));
        cr_expect(!memcmp(&s[0], &s[k], sizeof s[0]));
    }
    ljset_free(&ds);
}

static mlk_train_config quick_config(int epochs)
{
    mlk_train_config c;
    cr_assert_eq(mlk_train_config_init(&c, false, NULL), MLK_OK);
    c.stop.epochs = epochs;
    c.optimizer.batch = 3;
    c.optimizer.lr = 0.01;
    c.optimizer.weight_decay = 0;
    c.loss.energy = 1;
    c.loss.virial = 0.1;
    return c;
}

Test(train, finds_the_parameters_that_made_the_data)
{
    mlk_dataset ds = ljset_make(30, true);
    mlk_potential *pot = ljset_model(ljset_start);
    mlk_train_config c = quick_config(400);
    mlk_history h = {0};
    memcpy(pot->e0, ljset_e0, sizeof ljset_e0);
    cr_assert_eq(mlk_train_gradient(pot, &ds, &c, 1, NULL, "", &h, NULL), MLK_OK);
    for (int m = 0; m < 4; m++)
        cr_expect(fabs(pot->param[m] / ljset_true[m] - 1) < 1e-3, "param %d: %.6g, true %.6g", m,
                  pot->param[m], ljset_true[m]);
    cr_expect(h.n >= 100);
    cr_expect(h.row[h.n - 1].f_valid < 0.01 * h.row[0].f_valid);
    mlk_free(h.row);
    mlk_train_config_free(&c);
    mlk_potential_destroy(pot);
    ljset_free(&ds);
}

/* (that a stopped run continues bit for bit is tested with the program, tests/cli/t_train.sh) */
Test(train, checkpoint_keeps_every_bit_and_refuses_other_settings)
{
    char dir[] = "/tmp/mlk-train-XXXXXX", path[64];
    cr_assert(mkdtemp(dir));
    double x[2][3] = {{1.0 / 3, -2e-300, 7}, {0}}, best[2][3] = {{0.1, 0.2, 0.3}, {0}};
    mlk_train_state t[2] = {{0}};
    mlk_epoch row[2] = {{.epoch = 1, .f_valid = NAN}, {.epoch = 2, .loss = 0.1}};
    mlk_history h[2] = {{.row = row, .n = 2, .wall = 12.5}, {0}};
    for (int k = 0; k < 2; k++) {
        cr_assert_eq(mlk_adam_init(&t[k].adam, 3, x[k], NULL), MLK_OK);
        t[k].best = best[k];
    }
    mlk_adam_step(&t[0].adam, x[0], (double[]){0.1, -3, 1e-9}, 0.01);
    t[0].epoch = 17, t[0].n_epoch = 40, t[0].batch = 3, t[0].step = 99, t[0].best_loss = INFINITY;
    t[0].n_cycle = 9, t[0].cycle = 4, t[0].mu = 0.1, t[0].we = 1.0 / 3;
    t[0].wv = 0.2, t[0].share = 0.07, t[0].steps = 30, t[0].n_stall = 2, t[0].n_eval = 77;
    t[0].lr_scale = 0.5, t[0].best_epoch = 16,
    t[0].sums = (mlk_loss_sums){1, 2, 3, 4, 5, 6, 7, 8, 9};
    bool found;
    cr_assert_eq(mlk_checkpoint_read(dir, "a", &t[1], x[1], &h[1], &found, NULL), MLK_OK);
    cr_assert(!found);
    cr_assert_eq(mlk_checkpoint_write(dir, "a", &t[0], x[0], &h[0], NULL), MLK_OK);
    cr_assert_eq(mlk_checkpoint_write(dir, "a", &t[0], x[0], &h[0], NULL), MLK_OK);
    mlk_err e = {0};
    cr_assert_eq(mlk_checkpoint_read(dir, "b", &t[1], x[1], &h[1], &found, &e), MLK_EINVAL);
    t[1].adam.n = 2; /* the same key, another size: damaged */
    e = (mlk_err){0};
    cr_assert_eq(mlk_checkpoint_read(dir, "a", &t[1], x[1], &h[1], &found, &e), MLK_EFORMAT);
    t[1].adam.n = 3;
    cr_assert_eq(mlk_checkpoint_read(dir, "a", &t[1], x[1], &h[1], &found, NULL), MLK_OK);
    cr_assert(found);
    cr_expect(!memcmp(x[0], x[1], sizeof x[0]));
    cr_expect(!memcmp(best[0], best[1], sizeof best[0]));
    cr_expect(!memcmp(t[0].adam.m, t[1].adam.m, 24) && !memcmp(t[0].adam.v, t[1].adam.v, 24));
    cr_expect(!memcmp(t[0].adam.avg, t[1].adam.avg, 24));
    cr_expect(t[0].adam.step == t[1].adam.step && t[0].adam.norm == t[1].adam.norm);
    cr_expect(t[1].epoch == 17 && t[1].n_epoch == 40 && t[1].batch == 3 && t[1].step == 99);
    cr_expect(t[1].n_cycle == 9 && t[1].cycle == 4 && t[1].mu == 0.1 && t[1].we == t[0].we);
    cr_expect(t[1].wv == 0.2 && t[1].share == 0.07 && t[1].steps == 30 && t[1].n_stall == 2 &&
              t[1].n_eval == 77);
    cr_expect(isinf(t[1].best_loss) && t[1].lr_scale == 0.5 && t[1].best_epoch == 16);
    cr_expect(!memcmp(&t[0].sums, &t[1].sums, sizeof t[0].sums));
    cr_expect(h[1].n == 2 && h[1].wall == 12.5 && isnan(h[1].row[0].f_valid) &&
              h[1].row[1].loss == 0.1);
    mlk_free(h[1].row);
    for (int k = 0; k < 2; k++) mlk_adam_free(&t[k].adam);
    snprintf(path, sizeof path, "%s/checkpoint.h5", dir);
    unlink(path);
    rmdir(dir);
}

static void put(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f && fwrite(bytes, 1, n, f) == n && !fclose(f));
}

/* A bit of every fifth byte is flipped: all must be found out, or change nothing. */
static int flip_bits(const mlk_state *state, const char *dir, const char *path, char *text,
                     size_t size)
{
    size_t n = state->item->n * sizeof(double), n_error = 0, n_bad = 0;
    mlk_history h = {0};
    mlk_state_item item = *state->item;
    mlk_state back = *state;
    back.item = &item, back.h = &h;
    for (size_t at = 0; at < size; at += 5) {
        mlk_err e = {0};
        double y[40] = {0};
        bool found;
        item.x = y;
        text[at] ^= 4;
        put(path, text, size);
        text[at] ^= 4;
        bool error = mlk_state_read(&back, dir, &found, &e) != MLK_OK;
        bool same = !memcmp(state->item->x, y, n) && h.n == state->h->n &&
                    !memcmp(state->h->row, h.row, h.n * sizeof *h.row);
        n_error += error;
        n_bad += error ? !strstr(e.hint, "remove the file") : !same;
    }
    mlk_free(h.row);
    return n_bad || n_error < 100;
}

Test(train, a_damaged_checkpoint_is_an_error_or_what_was_written)
{
    char dir[] = "/tmp/mlk-train-XXXXXX", path[64], *text;
    cr_assert(mkdtemp(dir));
    double x[40];
    for (int k = 0; k < 40; k++) x[k] = 1.0 / (k + 3);
    mlk_epoch row[2] = {{.epoch = 1, .loss = 0.3}, {.epoch = 2, .loss = 0.1}};
    mlk_history h = {.row = row, .n = 2};
    mlk_state_item item = {"/x", MLK_H5_DOUBLE, 40, x};
    const char *key = "a text long enough to be hit too: a text long enough to be hit too";
    const mlk_state state = {"test", key, 1, 1, &item, &h};
    cr_assert_eq(mlk_state_write(&state, dir, NULL), MLK_OK);
    snprintf(path, sizeof path, "%s/checkpoint.h5", dir);
    size_t size;
    cr_assert_eq(mlk_file_slurp(path, &text, &size, NULL), MLK_OK);
    /* in a child: HDF5 forgets the chunks whose checksum was wrong, as LeakSanitizer would tell */
    int how = 1;
    pid_t child = fork();
    if (!child) _exit(flip_bits(&state, dir, path, text, size));
    cr_expect(child > 0 && waitpid(child, &how, 0) == child && WIFEXITED(how) &&
              WEXITSTATUS(how) == 0);
    put(path, text, size / 2); /* cut */
    mlk_err e = {0};
    cr_expect_neq(mlk_state_read(&state, dir, &(bool){false}, &e), MLK_OK);
    cr_expect(strstr(e.hint, "remove the file"), "%s (%s)", e.msg, e.hint);
    mlk_free(text);
    unlink(path);
    rmdir(dir);
}

Test(train, a_weighted_label_that_is_absent_stops_the_run)
{
    mlk_dataset ds = ljset_make(10, true);
    mlk_potential *pot = ljset_model(ljset_start);
    mlk_train_config c = quick_config(2);
    mlk_history h = {0};
    mlk_err e = {0}, e2 = {0};
    for (size_t k = 0; k < ds.n; k++) ds.frame[k].has &= ~(unsigned)MLK_HAS_VIRIAL;
    cr_assert_eq(mlk_train_gradient(pot, &ds, &c, 1, NULL, "", &h, &e), MLK_EINVAL);
    cr_expect(strstr(e.msg, "virial"));
    cr_expect(mlk_fit_describe(&c, &ds, &e2) == MLK_EINVAL && strstr(e2.hint, "loss.virial=0"));
    c.loss.virial = 0;
    cr_assert_eq(mlk_train_gradient(pot, &ds, &c, 1, NULL, "", &h, NULL), MLK_OK);
    cr_expect(isnan(h.row[0].s_valid));
    mlk_free(h.row);
    mlk_train_config_free(&c);
    mlk_potential_destroy(pot);
    ljset_free(&ds);
}

Test(train, frames_that_judge_must_have_a_weight)
{
    mlk_dataset ds = ljset_make(10, true);
    mlk_train_config c = quick_config(2);
    mlk_train_group g = {"b", 0};
    double w[10];
    mlk_err e[2] = {{0}};
    for (size_t k = 0; k < ds.n; k++)
        snprintf(ds.frame[k].group, sizeof ds.frame[k].group, "%c",
                 ds.split[k] == MLK_SPLIT_VALID ? 'b' : 'a');
    c.group = &g, c.n_group = 1;
    cr_expect(mlk_fit_weights(&c, &ds, w, &e[0]) == MLK_EINVAL && strstr(e[0].msg, "validation"));
    g.pattern[0] = 'a';
    cr_expect(mlk_fit_weights(&c, &ds, w, &e[1]) == MLK_EINVAL && strstr(e[1].msg, "training"));
    g.weight = 0.5;
    cr_expect(mlk_fit_weights(&c, &ds, w, NULL) == MLK_OK && w[0] == 0.5 && w[4] == 1);
    c.group = NULL, c.n_group = 0;
    mlk_train_config_free(&c);
    ljset_free(&ds);
}

Test(train, labels_that_only_validation_frames_have_count_nothing)
{
    double fitted[2][4];
    for (int k = 0; k < 2; k++) { /* no virials at all; those of the validation frames */
        mlk_dataset ds = ljset_make(20, true);
        mlk_potential *pot = ljset_model(ljset_start);
        mlk_train_config c = quick_config(20);
        mlk_history h = {0};
        c.loss.virial = NAN;
        for (size_t q = 0; q < ds.n; q++)
            if (!k || ds.split[q] == MLK_SPLIT_TRAIN) ds.frame[q].has &= ~(unsigned)MLK_HAS_VIRIAL;
        cr_assert_eq(mlk_train_gradient(pot, &ds, &c, 1, NULL, "", &h, NULL), MLK_OK);
        cr_expect(isnan(h.row[0].s_train) && isnan(h.row[0].s_valid) == !k);
        memcpy(fitted[k], pot->param, sizeof fitted[k]);
        mlk_free(h.row);
        mlk_train_config_free(&c);
        mlk_potential_destroy(pot);
        ljset_free(&ds);
    }
    cr_expect(memcmp(fitted[0], ljset_start, sizeof fitted[0]), "nothing was learnt");
    cr_expect(!memcmp(fitted[0], fitted[1], sizeof fitted[0]));
}

Test(train, wild_labels_step_back_and_end_with_a_message)
{
    mlk_dataset ds = ljset_make(10, true);
    mlk_potential *pot = ljset_model(ljset_start);
    mlk_train_config c = quick_config(30);
    mlk_history h = {0};
    mlk_err e = {0};
    c.optimizer.lr = c.optimizer.lr_min =
        50; /* the diameters turn negative, sqrt(eps) is no number */
    c.optimizer.warmup = 0;
    mlk_log_level keep = mlk_log_get_level();
    mlk_log_set_level(MLK_LOG_ERROR);
    mlk_status s = mlk_train_gradient(pot, &ds, &c, 1, NULL, "", &h, &e);
    mlk_log_set_level(keep);
    cr_expect(s == MLK_OK || s == MLK_ENUMERIC);
    for (int m = 0; m < 4; m++) cr_expect(isfinite(pot->param[m]));
    mlk_free(h.row);
    mlk_train_config_free(&c);
    mlk_potential_destroy(pot);
    ljset_free(&ds);
}

Test(train_core, zbl_ends_below_the_shortest_distance)
{
    mlk_dataset ds = ljset_make(10, true);
    mlk_potential *pot = ljset_model(ljset_start);
    char note[512];
    mlk_err e = {0};
    cr_assert_eq(mlk_fit_dmin(pot, &ds, NULL), MLK_OK);
    double d = pot->dmin[0];
    for (int k = 0; k < 4; k++)
        if (pot->dmin[k] > 0 && pot->dmin[k] < d) d = pot->dmin[k];
    cr_expect(pot->dmin[1] == pot->dmin[2] && d > 1 && d < 2.5);
    cr_assert_eq(mlk_fit_zbl(pot, &ds, "auto", note, sizeof note, NULL), MLK_OK);
    cr_expect(pot->zbl.on && pot->zbl.outer < 0.91 * d && pot->zbl.outer > 0.85 * d);
    cr_assert_eq(mlk_fit_zbl(pot, &ds, "off", note, sizeof note, NULL), MLK_OK);
    cr_expect(!pot->zbl.on);
    cr_assert_eq(mlk_fit_zbl(pot, &ds, "0.6,1.2", note, sizeof note, NULL), MLK_OK);
    cr_expect(pot->zbl.on && pot->zbl.inner == 0.6 && pot->zbl.outer == 1.2);
    cr_assert_eq(mlk_fit_zbl(pot, &ds, "1.2,0.6", note, sizeof note, &e), MLK_EINVAL);
    mlk_potential_destroy(pot);
    ljset_free(&ds);
}

static mlk_status read_yaml(const char *text, mlk_train_config *c, mlk_err *e)
{
    char path[] = "/tmp/mlk-train-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    cr_assert_eq(mlk_file_write_text(path, text, NULL), MLK_OK);
    cr_assert_eq(mlk_train_config_init(c, false, NULL), MLK_OK);
    mlk_status s = mlk_train_config_read(c, path, e);
    unlink(path);
    return s;
}

Test(train_config, yaml_is_read_and_printed_and_read_again)
{
    mlk_train_config c, d;
    mlk_err e = {0};
    cr_assert_eq(
        read_yaml(
            "version: 1\nseed: 5\nquick: true\ndata: {train: [a.xml, b], valid_fraction: 0.2}\n"
            "loss: {energy: 2, force: 1.5, virial: 0, groups: {strained: 2.0}}\n"
            "e0: {Li: -0.3, S: -1.1}\nstop: {epochs: 20, patience: 3, budget: 10min}\n"
            "models:\n  - {type: lj, rcut: 4.5, zbl: [0.5, 1.0], name: mine, seed: 9}\n",
            &c, &e),
        MLK_OK, "%s:%ld: %s", e.file, e.line, e.msg);
    cr_expect(c.seed == 5 && c.quick && c.n_path == 2 && !strcmp(c.path[1], "b") &&
              c.data.valid_fraction == 0.2);
    cr_expect(c.loss.energy == 2 && c.n_group == 1 && c.group[0].weight == 2);
    cr_expect(c.stop.epochs == 20 && c.stop.budget == 600 && !strcmp(c.e0, "Li=-0.3,S=-1.1"));
    cr_expect(c.n_model == 1 && !strcmp(c.model[0].zbl, "0.5,1.0") && c.model[0].seed == 9);
    char *text[2];
    size_t size;
    FILE *f = open_memstream(&text[0], &size);
    mlk_train_config_print(&c, NULL, f);
    fclose(f);
    cr_assert_eq(read_yaml(text[0], &d, &e), MLK_OK, "%ld: %s in\n%s", e.line, e.msg, text[0]);
    f = open_memstream(&text[1], &size);
    mlk_train_config_print(&d, NULL, f);
    fclose(f);
    cr_expect(!strcmp(text[0], text[1]), "%s---\n%s", text[0], text[1]);
    free(text[0]), free(text[1]);
    mlk_train_config_free(&c);
    mlk_train_config_free(&d);
}

Test(train_config, mistakes_name_the_line_and_the_nearest_key)
{
    static const struct {
        const char *text, *message, *hint;
        long line;
    } bad[] = {{"version: 1\nloss: {energy: 1,\n  forse: 2}\n", "forse", "force", 3},
               {"seed: 1\nlos: {energy: 1}\n", "los", "loss", 2},
               {"models:\n  - {type: lj,\n     rcat: 4}\n", "rcat", "rcut", 3},
               {"models:\n  - {type: nope}\n", "nope", "lj", 2},
               {"quick: 3\n", "quick", "", 1},
               {"stop: {epochs: -3}\n", "-3", "0 to", 1},
               {"version: 2\n", "version", "", 1}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        mlk_train_config c;
        mlk_err e = {0};
        cr_expect(read_yaml(bad[k].text, &c, &e) != MLK_OK, "case %zu", k);
        cr_expect(e.line == bad[k].line, "case %zu: line %ld", k, e.line);
        cr_expect(strstr(e.msg, bad[k].message) && strstr(e.hint, bad[k].hint), "case %zu: %s (%s)",
                  k, e.msg, e.hint);
        mlk_train_config_free(&c);
    }
}

Test(train_config, settings_on_the_command_line)
{
    mlk_train_config c;
    mlk_err e = {0};
    cr_assert_eq(mlk_train_config_init(&c, true, NULL), MLK_OK);
    cr_assert_eq(mlk_train_config_models(&c, "lj", NULL), MLK_OK);
    cr_assert_eq(mlk_train_config_set(&c, "lj.rcut", "5.5", NULL), MLK_OK);
    cr_assert_eq(mlk_train_config_set(&c, "optimizer.lr", "0.001", NULL), MLK_OK);
    cr_expect(c.optimizer.lr == 0.001);
    cr_expect(mlk_train_config_set(&c, "nonsense", "1", &e) == MLK_EINVAL && e.hint[0]);
    cr_expect(mlk_train_config_set(&c, "loss.nonsense", "1", NULL) == MLK_EINVAL);
    cr_expect(mlk_train_config_set(&c, "lj.name", "a/b", NULL) == MLK_EINVAL);
    mlk_train_config_free(&c);
}
