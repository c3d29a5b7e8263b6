/* test_stream.c - numbers as strtod reads them, and files expanded, cut and damaged. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/number.h"
#include "core/rng.h"
#include "core/stream.h"
#include "tests/support/check.h"
#include "tests/support/collect.h"

static void same(const char *text)
{
    const char *s = text;
    double v = -7, want = strtod(text, NULL);
    cr_assert(mlk_number(&s, &v), "'%s' not read", text);
    cr_assert(!memcmp(&v, &want, sizeof v), "'%s': %.17g, strtod says %.17g", text, v, want);
}

Test(number, agrees_with_strtod_to_the_bit)
{
    static const int decimals[] = {8, 16, 10, 1, 12, 27, 3, 0};
    mlk_rng g = mlk_rng_make(7, 0);
    char text[512];
    for (int k = 0; k < 400000; k++) {
        double v = (mlk_rng_uniform(&g) - 0.5) * pow(10, (double)mlk_rng_below(&g, 25) - 12);
        int d = decimals[k / 4 % 8];
        if (k % 4 == 0)
            snprintf(text, sizeof text, "%.*g", d, v);
        else if (k % 4 == 1)
            snprintf(text, sizeof text, "%.*e", d, v);
        else
            snprintf(text, sizeof text, "%.*f", d, v);
        same(text);
    }
    static const char *const edge[] = {"0",
                                       "-0.0",
                                       ".5",
                                       "5.",
                                       "9007199254740993",
                                       "1e-320",
                                       "1e308",
                                       "+1.25",
                                       "0.000",
                                       "9007199254740992.5",
                                       "4503599627370496.5",
                                       "4503599627370497.5",
                                       "0.0000000000000000000000000011"};
    for (size_t k = 0; k < sizeof edge / sizeof *edge; k++) same(edge[k]);
}

Test(number, fortran_and_refusals)
{
    const char *s = " 1.0D+02 -2.5d-1 1.5-103 x";
    double v[3];
    cr_expect_eq(mlk_numbers(&s, 3, v), 3);
    cr_expect_float_eq(v[0], 100, 0);
    cr_expect_float_eq(v[1], -0.25, 0);
    cr_expect_float_eq(v[2], 1.5e-103, 0);
    static const char *const bad[] = {"",    "x",     "-",     "1.2.3", "nan",
                                      "inf", "*****", "1e999", "0x10",  "1,2",
                                      "--1", ".",     "1e",    "12abc", "1.6427-28.9219"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        double x = 1;
        s = bad[k];
        cr_expect(!mlk_number(&s, &x) && s == bad[k] && x == 1, "'%s' taken as %g", bad[k], x);
    }
}

/* The bytes of a file, or the status of reading it. */
static mlk_status swallow(const char *path, size_t *n, unsigned *sum)
{
    mlk_stream *in;
    unsigned char buf[1000];
    size_t got = 0;
    mlk_err e = {0};
    mlk_status s = mlk_stream_open(&in, path, &e);
    *n = *sum = 0;
    if (s) return s;
    do {
        s = mlk_stream_read(in, buf, sizeof buf, &got, &e);
        for (size_t k = 0; k < got; k++) *sum = *sum * 31 + buf[k];
        *n += got;
    } while (!s && got);
    mlk_stream_close(in);
    return s;
}

static long size_of(const char *path)
{
    FILE *f = fopen(path, "rb");
    cr_assert(f);
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    fclose(f);
    return n;
}

static void patch(const char *path, long at, int flip, long cut)
{
    char *text;
    size_t n;
    FILE *f = fopen(path, "rb");
    n = (size_t)size_of(path);
    text = malloc(n);
    cr_assert(fread(text, 1, n, f) == n);
    fclose(f);
    if (flip) text[at] = (char)(text[at] ^ flip);
    f = fopen(path, "wb");
    fwrite(text, 1, cut ? (size_t)cut : n, f);
    fclose(f);
    free(text);
}

Test(stream, packed_files_of_every_kind)
{
    static const char *const tool[] = {"gzip", "xz", "bzip2"};
    char plain[512], packed[600], command[4096];
    snprintf(plain, sizeof plain, "%s", mlk_test_file("stream.txt", ""));
    FILE *f = fopen(plain, "w");
    for (int k = 0; k < 60000; k++) fprintf(f, "line %d of the test, %d\n", k, k % 977 * (k % 31));
    fclose(f);
    size_t n, m;
    unsigned sum, sum2;
    cr_assert_eq(swallow(plain, &n, &sum), MLK_OK);
    cr_assert_eq(n, (size_t)size_of(plain));
    for (int k = 0; k < 3; k++) {
        snprintf(command, sizeof command, "command -v %s >/dev/null", tool[k]);
        if (system(command)) continue;
        snprintf(packed, sizeof packed, "%s.%s", plain, tool[k]);
        snprintf(command, sizeof command, "%s -c '%s' > '%s'", tool[k], plain, packed);
        cr_assert_eq(system(command), 0);
        cr_expect_eq(swallow(packed, &m, &sum2), MLK_OK, "%s", tool[k]);
        cr_expect(m == n && sum == sum2, "%s: %zu bytes, expected %zu", tool[k], m, n);
        long size = size_of(packed);
        patch(packed, size / 2, 0x10, 0);
        cr_expect_eq(swallow(packed, &m, &sum2), MLK_EDAMAGED, "%s: flip not seen", tool[k]);
        patch(packed, size / 2, 0x10, size / 3);
        cr_expect_eq(swallow(packed, &m, &sum2), MLK_EFORMAT, "%s: cut not seen", tool[k]);
        cr_expect(m < n);
        snprintf(command, sizeof command, "%s -c '%s' > '%s'; %s -c '%s' >> '%s'", tool[k], plain,
                 packed, tool[k], plain, packed);
        cr_assert_eq(system(command), 0);
        cr_expect_eq(swallow(packed, &m, &sum2), MLK_OK);
        cr_expect_eq(m, 2 * n, "%s: two members one after another", tool[k]);
    }
    mlk_err e = {0};
    mlk_stream *in;
    cr_expect_eq(mlk_stream_open(&in, mlk_test_tmp(), &e), MLK_EIO, "a folder");
}
