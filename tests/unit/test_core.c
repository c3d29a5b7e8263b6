/* test_core.c - options, YAML, files, random numbers, HDF5 wrapper, frames. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/conf.h"
#include "core/file.h"
#include "core/frame.h"
#include "core/h5.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/opt.h"
#include "core/rng.h"
#include "core/units.h"
#include "tests/support/check.h"

typedef struct cfg {
    bool flag;
    int n, kind, size[3];
    double x, t, wall;
    char name[MLK_OPT_STR_MAX];
    mlk_ints list;
} cfg;

static const mlk_opt opts[] = {
    {"flag", MLK_OPT_FLAG, offsetof(cfg, flag), "false", 0, 0, "", "a flag"},
    {"n", MLK_OPT_INT, offsetof(cfg, n), "3", 1, 10, "", "a number"},
    {"kind", MLK_OPT_CHOICE, offsetof(cfg, kind), "nvt", 0, 0, "nve|nvt", "a choice"},
    {"size", MLK_OPT_SIZE3, offsetof(cfg, size), "1x1x1", 1, 99, "", "a size"},
    {"cut-off", MLK_OPT_REAL, offsetof(cfg, x), "auto", 0, 9, "A", "a length"},
    {"equil", MLK_OPT_TIME, offsetof(cfg, t), "20ps", 0, 0, "", "a time"},
    {"budget", MLK_OPT_WALL, offsetof(cfg, wall), "10min", 0, 0, "", "a duration"},
    {"name", MLK_OPT_STR, offsetof(cfg, name), "", 0, 0, "", "a text"},
    {"list", MLK_OPT_INTS, offsetof(cfg, list), "4,2,0", 0, 9, "", "a list"},
    {0}};

Test(opt, command_line_sets_fields_and_keeps_words)
{
    cfg c;
    mlk_err e = {0};
    int words;
    static const char *const given[15] = {"cmd",     "a.xml",  "--flag", "--n=7",     "--kind",
                                          "nve",     "--size", "2x3x4",  "--cut_off", "5.5",
                                          "--equil", "1.5ns",  "--list", "1,2",       "-3"};
    char *argv[16] = {NULL};
    char *own[15];
    for (int k = 0; k < 15; k++) own[k] = argv[k] = mlk_strdup(given[k]);
    mlk_check_ok(mlk_opt_defaults(opts, &c, &e), e);
    mlk_check_ok(mlk_opt_argv(opts, &c, 15, argv, &words, NULL, &e), e);
    cr_assert(words == 2 && !strcmp(argv[1], "a.xml") && !strcmp(argv[2], "-3"));
    cr_assert(c.flag && c.n == 7 && c.kind == 0 && c.size[2] == 4 && c.list.n == 2 &&
              c.list.v[1] == 2);
    mlk_check_close(c.x, 5.5, 0);
    mlk_check_close(c.t, 1.5e6, 0);
    mlk_check_close(c.wall, 600, 0);
    for (int k = 0; k < 15; k++) mlk_free(own[k]);
}

Test(opt, wrong_values_are_refused_with_the_reason)
{
    static const struct {
        const char *key, *value, *part;
    } bad[] = {{"n", "11", "allowed"},   {"n", "3x", "allowed"},     {"kind", "npt", "one of"},
               {"equil", "20", "time"},  {"size", "2x2", "3x3x2"},   {"cut-off", "nan", "number"},
               {"naem", "x", "unknown"}, {"list", "1,99", "allowed"}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        cfg c;
        mlk_err e = {0};
        mlk_check_ok(mlk_opt_defaults(opts, &c, &e), e);
        cr_assert(mlk_opt_set(opts, &c, bad[k].key, bad[k].value, &e) == MLK_EINVAL);
        cr_assert(strstr(e.msg, bad[k].part), "%s=%s: %s", bad[k].key, bad[k].value, e.msg);
    }
    cfg c;
    mlk_err e = {0};
    mlk_opt_set(opts, &c, "naem", "x", &e);
    cr_assert(strstr(e.hint, "'name'"));
}

Test(opt, what_is_printed_can_be_read_again)
{
    cfg c, d;
    mlk_err e = {0};
    char text[MLK_OPT_STR_MAX];
    mlk_check_ok(mlk_opt_defaults(opts, &c, &e), e);
    mlk_check_ok(mlk_opt_defaults(opts, &d, &e), e);
    mlk_check_ok(mlk_opt_set(opts, &c, "equil", "12.5ps", &e), e);
    for (const mlk_opt *o = opts; o->key; o++)
        mlk_check_ok(mlk_opt_set(opts, &d, o->key, mlk_opt_print(o, &c, text, sizeof text), &e), e);
    cr_assert(d.t == c.t && d.list.n == 3 && d.kind == c.kind && isnan(d.x));
}

Test(conf, yaml_is_applied_and_errors_name_the_line)
{
    char path[] = "/tmp/mlk-conf-XXXXXX";
    close(mkstemp(path));
    mlk_err e = {0};
    mlk_check_ok(
        mlk_file_write_text(path, "n: 4\nlist: [1, 2]\nequil: 2ps\nmodels:\n  - {type: nep}\n", &e),
        e);
    mlk_conf root;
    cfg c;
    mlk_check_ok(mlk_opt_defaults(opts, &c, &e), e);
    mlk_check_ok(mlk_conf_read(path, &root, &e), e);
    const char *skip[] = {"models", NULL};
    mlk_check_ok(mlk_conf_apply(&root, path, opts, &c, skip, &e), e);
    cr_assert(c.n == 4 && c.list.n == 2 && c.t == 2000);
    cr_assert(!strcmp(mlk_conf_str(&mlk_conf_get(&root, "models")->child[0], "type", ""), "nep"));
    mlk_conf_free(&root);
    mlk_check_ok(mlk_file_write_text(path, "n: 4\n\nnamme: x\n", &e), e);
    mlk_check_ok(mlk_conf_read(path, &root, &e), e);
    cr_assert(mlk_conf_apply(&root, path, opts, &c, NULL, &e) == MLK_EINVAL);
    cr_assert(e.line == 3 && strstr(e.hint, "name"));
    mlk_conf_free(&root);
    mlk_err e2 = {0};
    mlk_check_ok(mlk_file_write_text(path, "a: 1\nb: [1, 2\nc: 3\n", &e2), e2);
    cr_assert(mlk_conf_read(path, &root, &e2) == MLK_EFORMAT && e2.line >= 2);
    unlink(path);
}

Test(file, sha256_of_known_texts)
{
    char path[] = "/tmp/mlk-sha-XXXXXX", hex[65];
    close(mkstemp(path));
    mlk_err e = {0};
    mlk_check_ok(mlk_file_write_text(path, "abc", &e), e);
    mlk_check_ok(mlk_file_sha256(path, hex, &e), e); /* FIPS 180-4 example */
    cr_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    mlk_check_ok(
        mlk_file_write_text(path, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", &e),
        e);
    mlk_check_ok(mlk_file_sha256(path, hex, &e), e);
    cr_assert_str_eq(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    unlink(path);
}

Test(file, a_pipe_is_written_into_and_stays_a_pipe)
{
    char path[] = "/tmp/mlkit-fifo-XXXXXX", got[8] = "";
    struct stat st;
    mlk_err e = {0};
    close(mkstemp(path));
    unlink(path);
    cr_assert(mkfifo(path, 0600) == 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    mlk_check_ok(mlk_file_write_text(path, "abc", &e), e);
    cr_assert(read(fd, got, sizeof got) == 3 && !strcmp(got, "abc"));
    cr_assert(stat(path, &st) == 0 && S_ISFIFO(st.st_mode));
    cr_assert(mlk_file_replaceable(path, &e) == MLK_EIO);
    close(fd);
    unlink(path);
}

Test(file, a_symbolic_link_stays_and_the_file_behind_it_is_replaced)
{
    char dir[] = "/tmp/mlkit-link-XXXXXX", file[64], link[64], *text = NULL;
    struct stat st;
    mlk_err e = {0};
    cr_assert(mkdtemp(dir));
    mlk_path_join(file, sizeof file, dir, "file");
    mlk_path_join(link, sizeof link, dir, "link");
    mlk_check_ok(mlk_file_write_text(file, "old", &e), e);
    cr_assert(symlink("file", link) == 0);
    mlk_check_ok(mlk_file_write_text(link, "new", &e), e);
    cr_assert(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    mlk_check_ok(mlk_file_slurp(file, &text, NULL, &e), e);
    cr_assert_str_eq(text, "new");
    mlk_free(text);
    unlink(link), unlink(file), rmdir(dir);
}

Test(file, a_full_disk_is_noticed_and_leaves_nothing)
{
    mlk_out o;
    mlk_err e = {0};
    cr_assert(mlk_out_begin(&o, "/nonexistent/folder/file", &e) == MLK_EIO);
    cr_assert(strstr(e.file, "/nonexistent/folder/file"));
}

Test(rng, moments_and_independence_of_streams)
{
    mlk_rng a = mlk_rng_make(1, 1), b = mlk_rng_make(1, 2);
    double s1 = 0, s2 = 0, s4 = 0, ab = 0, u = 0;
    size_t n = 200000;
    for (size_t i = 0; i < n; i++) {
        double x = mlk_rng_normal(&a), y = mlk_rng_normal(&b);
        s1 += x, s2 += x * x, s4 += x * x * x * x, ab += x * y, u += mlk_rng_uniform(&a);
    }
    double se = 1 / sqrt((double)n);
    mlk_check_close(s1 / (double)n, 0, 4 * se);
    mlk_check_close(s2 / (double)n, 1, 4 * se * sqrt(2));
    mlk_check_close(s4 / (double)n, 3, 4 * se * sqrt(96));
    mlk_check_close(ab / (double)n, 0, 4 * se);
    mlk_check_close(u / (double)n, 0.5, 4 * se / sqrt(12));
    double c1 = 0, c2 = 0;
    for (size_t i = 0; i < 20000; i++) {
        double x = mlk_rng_chi2(&a, 50);
        c1 += x, c2 += x * x;
    }
    c1 /= 20000, c2 = c2 / 20000 - c1 * c1;
    mlk_check_close(c1, 50, 4 * 10 / sqrt(20000));
    mlk_check_close(c2, 100, 8);
}

Test(units, natural_time_unit_follows_from_the_constants)
{
    mlk_check_close(sqrt(MLK_AMU_KG * 1e-20 / MLK_E_C) * 1e15, MLK_TAU_FS, 1e-12);
}

/* One object a line; what a power cut left of one, zeros and all, costs no other. */
Test(json, lines_that_are_broken_are_passed_over)
{
    static const char text[] = "{\"a\":1}\n\n{\"a\":2,\"b\n\0\0\0{\"a\":3}\n[4]\n{\"a\":5}";
    char path[] = "/tmp/mlk-lines-XXXXXX";
    mlk_err e = {0};
    json_t *list = NULL;
    int fd = mkstemp(path);
    cr_assert_eq(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    close(fd);
    cr_assert_eq(mlk_json_lines(path, &list, &e), MLK_OK, "%s", e.msg);
    cr_assert_eq(json_array_size(list), 3);
    for (size_t k = 0; k < 3; k++)
        cr_assert_eq(mlk_json_get_real(json_array_get(list, k), "a", 0), 2.0 * (double)k + 1);
    json_decref(list);
    unlink(path);
    cr_assert_eq(mlk_json_lines(path, &list, &e), MLK_EIO);
}

Test(h5, append_truncate_attributes_and_strings)
{
    char path[] = "/tmp/mlk-h5-XXXXXX";
    close(mkstemp(path));
    unlink(path);
    mlk_err e = {0};
    mlk_h5 *h;
    double v[6] = {1, 2, 3, 4, 5, 6}, r[9];
    size_t row = 3, dim[4];
    int nd;
    mlk_check_ok(mlk_h5_open(&h, path, "w", &e), e);
    mlk_check_ok(mlk_h5_append(h, "/a/b", MLK_H5_DOUBLE, 1, &row, 2, v, true, &e), e);
    mlk_check_ok(mlk_h5_append(h, "/a/b", MLK_H5_DOUBLE, 1, &row, 1, v, true, &e), e);
    mlk_check_ok(mlk_h5_attr_set_str(h, "/a", "unit", "eV", &e), e);
    mlk_check_ok(mlk_h5_attr_set_int(h, "/", "version", 3, &e), e);
    const char *names[] = {"Li", "P"};
    mlk_check_ok(mlk_h5_write_strings(h, "/names", names, 2, &e), e);
    mlk_check_ok(mlk_h5_close(&h, &e), e);
    mlk_check_ok(mlk_h5_open(&h, path, "a", &e), e);
    mlk_check_ok(mlk_h5_dims(h, "/a/b", &nd, dim, &e), e);
    cr_assert(nd == 2 && dim[0] == 3 && dim[1] == 3);
    mlk_check_ok(mlk_h5_read(h, "/a/b", MLK_H5_DOUBLE, r, &e), e);
    cr_assert(r[5] == 6 && r[8] == 3);
    mlk_check_ok(mlk_h5_truncate(h, "/a/b", 1, &e), e);
    char text[16], **s;
    size_t n;
    mlk_check_ok(mlk_h5_attr_str(h, "/a", "unit", text, sizeof text, &e), e);
    cr_assert_str_eq(text, "eV");
    mlk_check_ok(mlk_h5_read_strings(h, "/names", &s, &n, &e), e);
    cr_assert(n == 2 && !strcmp(s[0], "Li") && !strcmp(s[1], "P"));
    mlk_free(s[0]), mlk_free(s[1]), mlk_free(s);
    cr_assert(!mlk_h5_exists(h, "/a/c/d"));
    cr_assert(mlk_h5_read(h, "/x", MLK_H5_DOUBLE, r, &e) == MLK_EIO);
    mlk_check_ok(mlk_h5_close(&h, &(mlk_err){0}), e);
    unlink(path);
    mlk_err e2 = {0};
    cr_assert(mlk_h5_open(&h, path, "r", &e2) == MLK_EIO && strstr(e2.msg, "No such file"));
}

Test(mem, a_scratch_arena_stops_allocating)
{
    mlk_scratch s = {0};
    for (int round = 0; round < 3; round++) {
        mlk_scratch_reset(&s);
        size_t before = mlk_alloc_count();
        for (int k = 0; k < 50; k++) cr_assert(MLK_SCRATCH(&s, double, 1000));
        if (round == 2) cr_assert(mlk_alloc_count() == before);
    }
    mlk_scratch_free(&s);
    cr_assert(mlk_alloc((size_t)-1, 16) == NULL);
}
