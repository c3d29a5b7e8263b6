/* test_start.c - fits from an existing model, and nep.in of GPUMD. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/rng.h"
#include "tests/support/tiny_nep.h"
#include "train/train.h"

/* a folder with the tiny model in it */
static char *folder(const mlk_potential *pot)
{
    char dir[] = "/tmp/mlk-start-XXXXXX";
    cr_assert(mkdtemp(dir));
    cr_assert_eq(mlk_potential_write(pot, dir, NULL, NULL), MLK_OK);
    return mlk_strdup(dir);
}

static void drop(char *dir)
{
    char path[1024], **name;
    size_t n;
    cr_assert_eq(mlk_dir_names(dir, &name, &n, NULL), MLK_OK);
    for (size_t k = 0; k < n; k++) unlink(mlk_path_join(path, sizeof path, dir, name[k]));
    mlk_strings_free(name, n);
    rmdir(dir);
    mlk_free(dir);
}

static mlk_train_config config_from(const char *path)
{
    mlk_train_config c;
    cr_assert_eq(mlk_train_config_init(&c, false, NULL), MLK_OK);
    cr_assert_eq(mlk_train_config_from(&c, path, NULL), MLK_OK);
    return c;
}

/* Parameters that belong to an absent species have no effect, to the last bit. */
Test(nep_param, those_of_absent_species_do_nothing)
{
    mlk_dataset ds = tiny_set(2, 3, 0);
    mlk_potential *pot = tiny_nep(3);
    mlk_neigh nl = {0};
    mlk_eval ev[2] = {{0}};
    mlk_rng g = mlk_rng_make(1, 1);
    bool *keep = mlk_alloc(pot->n_param, sizeof *keep);
    size_t n = 0;
    cr_assert_eq(mlk_start_keep(pot, &ds, keep, NULL), MLK_OK);
    cr_assert_eq(mlk_potential_eval_frame(pot, &ds.frame[0], 0, &nl, &ev[0], NULL), MLK_OK);
    for (size_t k = 0; k < pot->n_param; k++)
        if (keep[k]) pot->param[k] += mlk_rng_normal(&g), n++;
    /* one net of three; five of nine pairs of species */
    size_t pairs = 3 * 4 + 2 * 4, net = 4 * (3 + 2 * 2 + 2);
    cr_expect_eq(n, net + 5 * pairs, "%zu", n);
    cr_assert_eq(pot->type->update(pot, NULL), MLK_OK);
    cr_assert_eq(mlk_potential_eval_frame(pot, &ds.frame[0], 0, &nl, &ev[1], NULL), MLK_OK);
    cr_expect(!memcmp(ev[0].u, ev[1].u, 8 * sizeof *ev[0].u));
    cr_expect(!memcmp(ev[0].f, ev[1].f, 8 * sizeof *ev[0].f));
    /* every other one does something */
    for (size_t k = 0; k < pot->n_param; k++) {
        if (keep[k]) continue;
        double old = pot->param[k];
        pot->param[k] += 0.1;
        cr_assert_eq(pot->type->update(pot, NULL), MLK_OK);
        cr_assert_eq(mlk_potential_eval_frame(pot, &ds.frame[0], 0, &nl, &ev[1], NULL), MLK_OK);
        cr_expect(memcmp(ev[0].u, ev[1].u, 8 * sizeof *ev[0].u), "parameter %zu", k);
        pot->param[k] = old;
    }
    mlk_free(keep);
    mlk_neigh_free(&nl);
    mlk_eval_free(&ev[0]), mlk_eval_free(&ev[1]);
    mlk_potential_destroy(pot);
    tiny_free(&ds);
}

/* Data with other zeros of energy: the model is exact once e0 took them up. */
Test(start, another_zero_of_energy_goes_to_e0)
{
    mlk_dataset ds = tiny_set(8, 3, 0.75);
    mlk_potential *pot = tiny_nep(3), *started;
    pot->e0[0] = 0.5, pot->e0[1] = -4; /* Li; P, which the data lack */
    for (size_t k = 0; k < ds.n; k++)
        for (size_t i = 0; i < 8; i++) ds.frame[k].energy += ds.frame[k].z[i] == 3 ? 0.5 : 0;
    char *dir = folder(pot);
    mlk_train_config c = config_from(dir);
    cr_expect(c.n_model == 1 && !strcmp(c.model[0].type->name, "nep"));
    cr_assert_eq(mlk_train_config_start(&c, NULL), MLK_OK);
    cr_expect(strlen(c.model[0].sha256) == 129);
    mlk_log_set_level(MLK_LOG_WARN);
    cr_assert_eq(mlk_start_potential(&c, &c.model[0], &ds, &started, NULL), MLK_OK);
    cr_expect(fabs(started->e0[0] - 1.25) < 1e-8, "%.10g", started->e0[0]);
    cr_expect(fabs(started->e0[2] - 1.5) < 1e-8, "%.10g", started->e0[2]);
    cr_expect(started->e0[1] == -4);
    cr_expect(!memcmp(started->param, pot->param, pot->n_param * sizeof(double)));
    cr_expect(started->dmin && started->dmin[0] > 1);
    mlk_train_config_free(&c);
    mlk_potential_destroy(pot), mlk_potential_destroy(started);
    drop(dir);
    tiny_free(&ds);
}

/* fine-tuning moves what the data speak of, and nothing else, with either optimiser */
Test(start, parameters_of_absent_species_stay)
{
    mlk_dataset ds = tiny_set(8, 4, 0);
    mlk_potential *pot = tiny_nep(3), *fitted;
    char *dir = folder(pot), out[1100];
    bool *keep = mlk_alloc(pot->n_param, sizeof *keep);
    cr_assert_eq(mlk_start_keep(pot, &ds, keep, NULL), MLK_OK);
    mlk_log_set_level(MLK_LOG_WARN);
    for (int method = 0; method < 2; method++) {
        mlk_train_config c = config_from(dir);
        mlk_fit_result r;
        size_t moved = 0, wrong = 0;
        c.optimizer.method = method;
        c.optimizer.weight_decay = 0.02;
        c.stop.epochs = method ? 0 : 4;
        c.snes.generations = 4;
        snprintf(out, sizeof out, "%s-%d", dir, method);
        cr_assert_eq(mlk_train_config_start(&c, NULL), MLK_OK);
        cr_assert_eq(mlk_fit_model(&c, &c.model[0], "x", 1, &ds, out, &r, NULL), MLK_OK);
        cr_assert_eq(mlk_potential_read(&fitted, out, NULL), MLK_OK);
        for (size_t k = 0; k < pot->n_param; k++) {
            bool same = fitted->param[k] == pot->param[k];
            moved += !same, wrong += keep[k] && !same;
        }
        cr_expect(wrong == 0 && moved > pot->n_param / 4, "%zu, %zu", wrong, moved);
        cr_expect(fitted->e0[0] != pot->e0[0] && fitted->e0[1] == pot->e0[1], "%d: %g", method,
                  fitted->e0[1]);
        mlk_potential_destroy(fitted);
        mlk_train_config_free(&c);
        drop(mlk_strdup(out));
    }
    mlk_free(keep);
    mlk_potential_destroy(pot);
    drop(dir);
    tiny_free(&ds);
}

/* The start is exact here, so whatever a fit does is worse: the start comes back. */
Test(start, a_fit_that_only_got_worse_is_thrown_away)
{
    mlk_dataset ds = tiny_set(8, 3, 0.5);
    mlk_potential *pot = tiny_nep(3);
    double e0[MLK_SPECIES_MAX], *start = mlk_alloc(pot->n_param, sizeof *start);
    pot->e0[0] = 0.5, pot->e0[2] = 1;
    memcpy(e0, pot->e0, sizeof e0);
    memcpy(start, pot->param, pot->n_param * sizeof *start);
    for (size_t k = 0; k < pot->n_param; k++) pot->param[k] *= 1.1;
    pot->e0[0] = 0.6;
    cr_assert_eq(pot->type->update(pot, NULL), MLK_OK);
    mlk_log_set_level(MLK_LOG_ERROR);
    cr_assert_eq(mlk_start_guard(pot, start, e0, &ds, NULL), MLK_OK);
    cr_expect(!memcmp(pot->param, start, pot->n_param * sizeof *start) && pot->e0[0] == 0.5);
    /* the other way round the fit stays */
    double *worse = mlk_alloc(pot->n_param, sizeof *worse);
    for (size_t k = 0; k < pot->n_param; k++) worse[k] = 1.1 * start[k];
    cr_assert_eq(mlk_start_guard(pot, worse, e0, &ds, NULL), MLK_OK);
    cr_expect(!memcmp(pot->param, start, pot->n_param * sizeof *start));
    mlk_free(start), mlk_free(worse);
    mlk_potential_destroy(pot);
    tiny_free(&ds);
}

Test(start, what_does_not_fit_is_refused_by_name)
{
    mlk_potential *pot = tiny_nep(3);
    char *dir = folder(pot), path[1100];
    mlk_err e[4] = {{0}};
    mlk_train_config c = config_from(dir);
    /* the same value is no contradiction */
    cr_assert_eq(mlk_train_config_set(&c, "nep.neuron", "4", NULL), MLK_OK);
    cr_expect_eq(mlk_train_config_start(&c, NULL), MLK_OK);
    cr_assert_eq(mlk_train_config_set(&c, "nep.neuron", "5", NULL), MLK_OK);
    cr_expect_eq(mlk_train_config_start(&c, &e[0]), MLK_EINVAL);
    cr_expect(strstr(e[0].msg, "nep.neuron is 5") && strstr(e[0].msg, "has 4"), "%s", e[0].msg);
    mlk_train_config_free(&c);
    /* a start model that is not the one of the record */
    c = config_from(dir);
    cr_assert_eq(mlk_train_config_start(&c, NULL), MLK_OK);
    pot->param[0] += 1;
    cr_assert_eq(pot->type->write(pot, mlk_path_join(path, sizeof path, dir, "nep.txt"), NULL),
                 MLK_OK);
    cr_expect_eq(mlk_train_config_start(&c, &e[1]), MLK_EINVAL);
    cr_expect(strstr(e[1].msg, "SHA-256"), "%s", e[1].msg);
    /* a species the model lacks */
    mlk_dataset ds = tiny_set(2, 3, 0);
    mlk_potential *started;
    ds.frame[1].z[0] = 17, ds.z[ds.n_species++] = 17;
    mlk_log_set_level(MLK_LOG_WARN);
    cr_expect_eq(mlk_start_potential(&c, &c.model[0], &ds, &started, &e[2]), MLK_EINVAL);
    cr_expect(strstr(e[2].msg, "Cl"), "%s", e[2].msg);
    mlk_potential_destroy(started);
    mlk_train_config_free(&c);
    tiny_free(&ds);
    mlk_potential_destroy(pot);
    drop(dir);
}

/* ---- nep.in --------------------------------------------------------------------------------- */

static mlk_status read_nep_in(const char *text, mlk_train_config *c, mlk_err *e)
{
    char dir[] = "/tmp/mlk-start-XXXXXX", path[64];
    cr_assert(mkdtemp(dir));
    mlk_path_join(path, sizeof path, dir, "any-name");
    cr_assert_eq(mlk_file_write_text(path, text, NULL), MLK_OK);
    cr_assert_eq(mlk_train_config_init(c, false, NULL), MLK_OK);
    mlk_log_set_level(MLK_LOG_WARN);
    mlk_status s = mlk_train_config_read(c, path, e);
    unlink(path);
    rmdir(dir);
    return s;
}

static const char *model_value(const mlk_train_config *c, const char *key, char buf[256])
{
    const mlk_train_model *m = &c->model[0];
    return mlk_opt_print(mlk_opt_find(m->type->hyper, key), m->hyper, buf, 256);
}

Test(nep_in, every_keyword_finds_its_setting)
{
    mlk_train_config c;
    mlk_err e = {0};
    char v[256];
    cr_assert_eq(read_nep_in("# comment\n\n  type 2 Te Pb # in this order\r\ncutoff 7 4.5 6 4\n"
                             "n_max 5 3\nbasis_size 7 6\nl_max 4 1 1\nneuron 20 0\nzbl 2\n"
                             "use_typewise_cutoff_zbl 0.65\nlambda_1 0.01\nlambda_2 0.02\n"
                             "lambda_e 2\nlambda_f 3\nlambda_v 0.5\nlambda_shear 1\nbatch 7\n"
                             "population 30\ngeneration 123\nmodel_type 0\nprediction 0\n"
                             "version 4\ncharge_mode 0\nseed 6\noutput_interval 10\n",
                             &c, &e),
                 MLK_OK, "%ld: %s", e.line, e.msg);
    const mlk_train_model *m = &c.model[0];
    cr_expect(c.n_model == 1 && !strcmp(m->species, "Te,Pb") && !strcmp(m->zbl, "1,2,0.65"));
    cr_expect_str_eq(model_value(&c, "cutoff", v), "7,4.5,6,4");
    cr_expect_str_eq(model_value(&c, "n_max", v), "5,3");
    cr_expect_str_eq(model_value(&c, "basis", v), "7,6");
    cr_expect_str_eq(model_value(&c, "l_max", v), "4,2,1");
    cr_expect_str_eq(model_value(&c, "neuron", v), "20");
    cr_expect(c.snes.lambda_1 == 0.01 && c.snes.lambda_2 == 0.02 && c.snes.lambda_e == 2 &&
              c.snes.lambda_f == 3 && c.snes.lambda_v == 0.5);
    cr_expect(c.snes.batch == 7 && c.snes.population == 30 && c.snes.generations == 123);
    cr_expect(c.seed == 6 && c.optimizer.method == MLK_TRAIN_GRADIENT);
    cr_expect(c.n_path == 1 && mlk_path_ends(c.path[0], "train.xyz") && c.n_valid == 0);
    mlk_train_config_free(&c);
}

Test(nep_in, absent_keywords_have_the_defaults_of_gpumd)
{
    mlk_train_config c;
    char v[256];
    cr_assert_eq(read_nep_in("type 1 Si\n", &c, NULL), MLK_OK);
    cr_expect_str_eq(model_value(&c, "cutoff", v), "8,4");
    cr_expect_str_eq(model_value(&c, "n_max", v), "4,4");
    cr_expect_str_eq(model_value(&c, "basis", v), "8,8");
    cr_expect_str_eq(c.model[0].zbl, "off");
    cr_expect(c.model[0].given == 0 && isnan(c.snes.lambda_1));
    mlk_train_config_free(&c);
}

Test(nep_in, mistakes_and_other_physics_name_the_line)
{
    static const struct {
        const char *text, *message, *hint;
        long line;
    } bad[] = {{"type 1 Si\nneurn 3\n", "neurn", "neuron", 2},
               {"type 2 Si\n", "number of species", "", 1},
               {"type 2 Si Si\n", "twice", "", 1},
               {"type 1 Xx\n", "Xx", "", 1},
               {"type 1 Si\n# x\nversion 5\n", "version 5", "NEP4", 3},
               {"type 1 Si\nversion 2\n", "version 2", "NEP4", 2},
               {"type 1 Si\nmodel_type 1\n", "model_type 1", "potentials", 2},
               {"type 1 Si\ncharge_mode 1\n", "charge_mode 1", "charge", 2},
               {"type 1 Si\nprediction 1\n", "prediction 1", "validate", 2},
               {"type 1 Si\nuse_typewise_cutoff\n", "use_typewise_cutoff", "cutoff r1", 2},
               {"type 1 Si\nl_max 3 2 1 0 0 0 1\n", "(134) need l_max 4", "", 2},
               {"type 1 Si\nl_max 9\n", "0 to 8", "", 2},
               {"type 1 Si\nneuron 10 10\n", "hidden layer", "neuron 10", 2},
               {"type 1 Si\nneuron ten\n", "ten", "", 2},
               {"type 1 Si\nneuron 0\n", "neuron: 0", "", 2},
               {"type 1 Si\ncutoff 4 8\n", "angular radius 8", "", 2},
               {"type 2 Si C\n\ncutoff 5 4 6 7\n", "angular radius 7", "", 3},
               {"type 1 Si\nn_max 4\n", "n_max", "", 2},
               {"type 2 Si C\ncutoff 5 4 6 4 7 4\n\n", "cutoff has 6", "", 2},
               {"type 1 Si\nzbl 5\n", "zbl", "", 2},
               {"type 1 Si\ntype 1 C\n", "line 1", "", 2},
               {"version 4\nneuron 3\n", "no 'type'", "type 2", 1}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        mlk_train_config c;
        mlk_err e = {0};
        cr_expect(read_nep_in(bad[k].text, &c, &e) != MLK_OK, "case %zu", k);
        cr_expect(e.line == bad[k].line && mlk_path_ends(e.file, "any-name"), "case %zu: %s:%ld", k,
                  e.file, e.line);
        cr_expect(strstr(e.msg, bad[k].message) && strstr(e.hint, bad[k].hint), "case %zu: %s (%s)",
                  k, e.msg, e.hint);
        mlk_train_config_free(&c);
    }
}

/* cutoffs of their own for each species: written, read and evaluated alike */
Test(nep_in, cutoffs_per_species_make_the_file_gpumd_reads)
{
    static const int z[2] = {52, 82};
    char path[] = "/tmp/mlk-start-XXXXXX", *text;
    mlk_potential *pot, *again;
    cr_assert(mkstemp(path) >= 0);
    cr_assert_eq(mlk_potential_new(&pot, mlk_potential_find("nep"), NULL), MLK_OK);
    cr_assert_eq(mlk_opt_set(pot->type->hyper, pot->hyper, "cutoff", "7,4.5,6,4", NULL), MLK_OK);
    cr_assert_eq(mlk_potential_create(pot, 2, z, 1, NULL), MLK_OK);
    cr_expect(fabs(pot->rc - 7) < 1e-12);
    pot->zbl =
        (mlk_zbl){.on = true, .inner = 1, .outer = 2, .typewise = true, .typewise_factor = 0.65};
    cr_assert_eq(pot->type->write(pot, path, NULL), MLK_OK);
    cr_assert_eq(mlk_file_slurp(path, &text, NULL, NULL), MLK_OK);
    cr_expect(strstr(text, "\ncutoff 7 4.5 6 4 "), "%.80s", text);
    cr_assert_eq(mlk_potential_read(&again, path, NULL), MLK_OK);
    cr_expect(!memcmp(again->hyper, pot->hyper, sizeof(mlk_reals)));
    cr_expect(strstr(text, "\nzbl 1 2 0.65\n") && again->zbl.typewise &&
              again->zbl.typewise_factor == 0.65);
    mlk_free(text);
    unlink(path);
    mlk_potential_destroy(pot), mlk_potential_destroy(again);
}

Test(nep_in, the_core_of_a_fit_takes_the_factor_too)
{
    static const char *const bad[] = {"1,2,",    "1,2,x", "1,2,-1", "1,2,0.7,3",
                                      "2,5,0.7", "2,1",   "1"};
    mlk_dataset ds = tiny_set(2, 3, 0);
    mlk_potential *pot = tiny_nep(3);
    char note[512];
    cr_assert_eq(mlk_fit_zbl(pot, &ds, "1,2,0.7", note, sizeof note, NULL), MLK_OK);
    cr_expect(pot->zbl.on && pot->zbl.typewise && pot->zbl.typewise_factor == 0.7);
    cr_assert_eq(mlk_fit_zbl(pot, &ds, "1,2", note, sizeof note, NULL), MLK_OK);
    cr_expect(pot->zbl.on && !pot->zbl.typewise);
    cr_expect_eq(mlk_fit_zbl(pot, &ds, "1.5,3,0.7", note, sizeof note, NULL), MLK_OK);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        cr_expect(mlk_fit_zbl(pot, &ds, bad[k], note, sizeof note, NULL) == MLK_EINVAL, "%s",
                  bad[k]);
    mlk_potential_destroy(pot);
    tiny_free(&ds);
}
