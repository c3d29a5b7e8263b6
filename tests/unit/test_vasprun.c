/* test_vasprun.c - vasprun.xml: level of theory, several runs in one file, large frames, files that
 * are evil, and the two ways from ISO-8859-1 to UTF-8 (ours and libxml2's), which must agree. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "parsers/parser.h"
#include "parsers/vasprun.h"
#include "tests/support/collect.h"
#include "tests/support/shared.h"
#include "tests/support/vasprun_make.h"

#define DECL "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n"
static const char OPEN[] = "<modeling>\n <generator><i name=\"program\">vasp </i>"
                           "<i name=\"version\">6.4.1 </i></generator>\n <incar>";
static const char BODY[] =
    "</incar>\n <parameters><separator name=\"electronic\" ><i name=\"ENMAX\"> 520.00</i>"
    "<separator name=\"electronic convergence\" ><i type=\"int\" name=\"NELM\"> 3</i></separator>"
    "</separator>%s</parameters>\n"
    " <atominfo><atoms> 2 </atoms><array name=\"atoms\" ><set><rc><c>Li</c><c> 1</c></rc>"
    "<rc><c>S </c><c> 2</c></rc></set></array><array name=\"atomtypes\" ><set>"
    "<rc><c> 1</c><c>Li</c><c> 6.9</c><c> 3.0</c><c> PAW_PBE Li_sv 10Sep2004 </c></rc>"
    "<rc><c> 1</c><c>S </c><c> 32.</c><c> 6.0</c><c> PAW_PBE S 06Sep2000 </c></rc></set></array>"
    "</atominfo>\n <calculation>\n  <scstep></scstep>\n"
    "  <structure><crystal><varray name=\"basis\" ><v> 4 0 0 </v><v> 0 5 0 </v><v> 0 0 6 </v>"
    "</varray></crystal><varray name=\"positions\" ><v> 0.5 0 0 </v><v> 0 0.5 0.25 </v></varray>"
    "</structure>\n  <varray name=\"forces\" ><v> 0.5 0 0 </v><v> -0.5 0 0 </v></varray>\n"
    "  <energy><i name=\"e_fr_energy\"> -8 </i><i name=\"e_0_energy\"> -8 </i></energy>\n"
    " </calculation>\n</modeling>\n";

/* Declaration (and DTD), INCAR, more parameters; freed by the caller. */
static char *make(const char *decl, const char *open, const char *incar, const char *par)
{
    size_t cap = strlen(decl) + strlen(open) + strlen(incar) + strlen(par) + sizeof BODY;
    char *t = malloc(cap);
    size_t n = (size_t)snprintf(t, cap, "%s%s%s", decl, open, incar);
    snprintf(t + n, cap - n, BODY, par);
    return t;
}

static mlk_status read_bytes(const char *text, size_t n, mlk_collection *c, mlk_err *e)
{
    char path[512];
    snprintf(path, sizeof path, "%s/evil.xml", mlk_test_tmp());
    FILE *f = fopen(path, "wb");
    cr_assert(f && fwrite(text, 1, n, f) == n && fclose(f) == 0);
    memset(e, 0, sizeof *e);
    return mlk_test_collect(path, c, e);
}

static mlk_status read_made(char *text, mlk_collection *c, mlk_err *e)
{
    mlk_status s = read_bytes(text, strlen(text), c, e);
    free(text);
    return s;
}

/* ---- level of theory ---- */

static void expect_theory(const char *incar, const char *par, const char *want)
{
    mlk_collection c;
    mlk_err e;
    cr_assert(!read_made(make(DECL, OPEN, incar, par), &c, &e), "%s", e.msg);
    cr_assert_eq(c.n, 1);
    cr_expect_str_eq(c.fr[0].theory, want);
    cr_expect_eq(c.fr[0].energy_kind, MLK_ENERGY_FREE);
    mlk_test_release(&c);
}

Test(vasprun_theory, functional_cutoff_potcars_and_what_is_switched_on)
{
#define XC(s) "<separator name=\"electronic exchange-correlation\" >" s "</separator>"
    const char *par = XC("<i type=\"string\" name=\"GGA    \">PE</i>");
    expect_theory("", "", "VASP GGA=PE ENCUT=520.0 POTCAR=PAW_PBE Li_sv,PAW_PBE S");
    expect_theory("", XC("<i type=\"string\" name=\"GGA\">--</i>"),
                  "VASP GGA=PE ENCUT=520.0 POTCAR=PAW_PBE Li_sv,PAW_PBE S");
    expect_theory("", par, "VASP GGA=PE ENCUT=520.0 POTCAR=PAW_PBE Li_sv,PAW_PBE S");
    expect_theory("<i type=\"string\" name=\"METAGGA\"> R2scan</i>", par,
                  "VASP GGA=R2SCAN ENCUT=520.0 POTCAR=PAW_PBE Li_sv,PAW_PBE S");
    expect_theory(
        "<i name=\"IVDW\" type=\"int\">  12</i><i type=\"string\" name=\"METAGGA\">--</i>",
        "<i type=\"logical\" name=\"LDAU\"> T  </i>",
        "VASP GGA=PE ENCUT=520.0 IVDW=12 LDAU POTCAR=PAW_PBE Li_sv,PAW_PBE S");
    par = XC("<i name=\"GGA\">PE</i><i name=\"LHFCALC\"> T </i><i name=\"AEXX\"> 0.25000000</i>"
             "<i name=\"HFSCREEN\"> 0.20000000</i>");
    expect_theory("<i name=\"IVDW\">  0</i>", par,
                  "VASP GGA=PE ENCUT=520.0 LHFCALC AEXX=0.25 HFSCREEN=0.2 POTCAR=PAW_PBE Li_sv,"
                  "PAW_PBE S");
}

/* ---- several runs in one file ---- */

Test(vasprun_runs, all_runs_of_a_file_are_read_and_numbered)
{
    static const char *const between[] = {"", "\n\n", " \r\n"};
    for (size_t k = 0; k < sizeof between / sizeof *between; k++) {
        char *a = make(DECL, OPEN, "<i name=\"SYSTEM\">one</i>", ""),
             *b = make(k ? DECL : "", OPEN, "<i name=\"METAGGA\">SCAN</i>", "");
        char *all = malloc(3 * strlen(a) + 3 * strlen(b));
        sprintf(all, "%s%s%s%s%s", a, between[k], b, between[k], a);
        char *second = strstr(strstr(all, "</modeling>"), "<calculation>");
        long line = 1;
        for (char *s = all; s < second; s++) line += *s == '\n';
        free(a), free(b);
        mlk_collection c;
        mlk_err e;
        mlk_log_set_level(MLK_LOG_ERROR);
        cr_assert(!read_made(all, &c, &e), "%zu: line %ld: %s", k, e.line, e.msg);
        cr_assert_eq(c.n, 3);
        cr_expect_eq(c.fr[0].run, 0);
        cr_expect_eq(c.fr[1].run, 2);
        cr_expect_eq(c.fr[2].run, 3);
        cr_expect_eq(c.fr[1].step, 1);
        cr_expect_eq(c.fr[1].line, line, "%ld, expected %ld", c.fr[1].line, line);
        cr_expect_str_eq(c.fr[0].config_type, "one");
        cr_expect_str_eq(c.fr[1].config_type, ""); /* nothing left over from the first */
        cr_expect(strstr(c.fr[1].theory, "GGA=SCAN"), "%s", c.fr[1].theory);
        cr_expect(!strstr(c.fr[2].theory, "GGA=SCAN"), "%s", c.fr[2].theory);
        mlk_test_release(&c);
    }
}

Test(vasprun_runs, a_second_run_that_is_cut_off_or_no_run_is_reported_at_its_line)
{
    static const struct {
        const char *tail, *says;
        long line;
    } bad[] = {
        {"\n" DECL "<modeling>\n<calculation>\n", "ends early, inside ionic step 1 of run 2", 17},
        {"<?xml ver", "", 14},
        {"\nrubbish", "Extra content", 15},
        {"\n<p>", "Extra content", 15}};
    mlk_log_set_level(MLK_LOG_ERROR);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        char *a = make(DECL, OPEN, "", ""), *all = malloc(strlen(a) + 200);
        sprintf(all, "%s%s", a, bad[k].tail);
        free(a);
        mlk_collection c;
        mlk_err e;
        cr_expect_eq(read_made(all, &c, &e), MLK_EFORMAT);
        cr_expect_eq(c.n, 1);
        cr_expect(strstr(e.msg, bad[k].says), "%s", e.msg);
        cr_expect_eq(e.line, bad[k].line, "%zu: line %ld: %s", k, e.line, e.msg);
        mlk_test_release(&c);
    }
}

/* ---- large ---- */

Test(vasprun_large, a_frame_of_100000_atoms, .timeout = 60)
{
    char path[512];
    mlk_err e = {0};
    mlk_collection c;
    mlk_test_vasprun v = {.atoms = 100000, .megabytes = 1};
    snprintf(path, sizeof path, "%s/large.xml", mlk_test_tmp());
    cr_assert(mlk_test_make_vasprun(path, &v));
    cr_assert(!mlk_test_collect(path, &c, &e), "%s", e.msg);
    cr_assert_eq(c.n, 1);
    cr_expect_eq(c.fr[0].n, 100000);
    double sum = 0;
    for (size_t i = 0; i < c.fr[0].n; i++)
        for (int k = 0; k < 3; k++) sum += fabs(c.fr[0].f[i][k]);
    cr_expect_float_eq(sum, v.abs_force, 1e-6 * v.abs_force);
    mlk_test_release(&c);
    remove(path);
}

/* ---- evil ---- */

static char *repeat(const char *before, const char *s, size_t times, const char *after)
{
    size_t n = strlen(s), at = strlen(before);
    char *t = malloc(at + n * times + strlen(after) + 1);
    memcpy(t, before, at);
    for (size_t k = 0; k < times; k++, at += n) memcpy(t + at, s, n);
    strcpy(t + at, after);
    return t;
}

/* says: NULL for one whole frame with the title given, else the error. */
static void expect_evil(char *text, const char *says, const char *title)
{
    mlk_collection c;
    mlk_err e;
    char start[60];
    snprintf(start, sizeof start, "%s", text);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    mlk_status s = read_made(text, &c, &e);
    getrusage(RUSAGE_SELF, &after);
    /* the address sanitizer keeps what is freed */
#ifndef __SANITIZE_ADDRESS__
    cr_expect(after.ru_maxrss - before.ru_maxrss < 40000, "%s: %ld kB of memory", start,
              after.ru_maxrss - before.ru_maxrss);
#endif
    if (says) {
        cr_expect_eq(s, MLK_EFORMAT);
        cr_expect_eq(c.n, 0);
        cr_expect(strstr(e.msg, says), "%s: %s", start, e.msg);
        cr_expect_gt(e.line, 0);
    } else {
        cr_expect(!s, "%s: %s", start, e.msg);
        cr_expect_eq(c.n, 1);
        if (c.n) cr_expect_str_eq(c.fr[0].config_type, title);
    }
    mlk_test_release(&c);
}

static char *titled(const char *decl, const char *title)
{
    char *incar = malloc(strlen(title) + 64);
    sprintf(incar, "<i name=\"SYSTEM\">%s</i>", title);
    char *t = make(decl, OPEN, incar, "");
    free(incar);
    return t;
}

Test(vasprun_evil, entities_are_neither_expanded_nor_loaded, .timeout = 60)
{
    char laughs[2048] = DECL "<!DOCTYPE m [<!ENTITY l0 \"lol\">", decl[1024], path[512];
    for (int k = 1; k < 12; k++)
        sprintf(laughs + strlen(laughs),
                "<!ENTITY l%d \"&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;\">", k, k - 1,
                k - 1, k - 1, k - 1, k - 1, k - 1, k - 1, k - 1, k - 1, k - 1);
    strcat(laughs, "]>\n");
    expect_evil(titled(laughs, "a&l11;b"), NULL, "ab");
    char *open = repeat("<modeling a=\"", "&l11;", 1, "\"><incar>");
    expect_evil(make(laughs, open, "", ""), "'l11' not defined", NULL);
    free(open);
    expect_evil(make(laughs, OPEN, "<i name=\"X\">&l11;</i>", ""), NULL,
                ""); /* where nothing is read */
    snprintf(path, sizeof path, "%s", mlk_test_file("secret.dtd", "<!ENTITY x \"SECRET\">SECRET"));
    snprintf(decl, sizeof decl, DECL "<!DOCTYPE m [<!ENTITY x SYSTEM \"file://%s\">]>\n", path);
    expect_evil(titled(decl, "a&x;b"), NULL, "ab");
    snprintf(decl, sizeof decl, DECL "<!DOCTYPE m SYSTEM \"%s\">\n", path);
    expect_evil(titled(decl, "a&x;b"), NULL, "ab");
    snprintf(decl, sizeof decl,
             DECL "<!DOCTYPE m SYSTEM \"http://127.0.0.1:9/m\" [<!ENTITY x SYSTEM "
                  "\"http://127.0.0.1:9/x\">]>\n");
    expect_evil(titled(decl, "a&x;b"), NULL, "ab");
    snprintf(decl, sizeof decl, DECL "<!DOCTYPE m [<!ENTITY %% p SYSTEM \"file://%s\"> %%p;]>\n",
             path);
    expect_evil(titled(decl, "a&x;b"), "not well-formed", NULL);
    expect_evil(titled(DECL, "&#65;&#x42;&amp;&lt;"), NULL, "AB&<");
}

Test(vasprun_evil, size_and_depth_are_bounded, .timeout = 60)
{
    enum { BIG = 20000000 };
    expect_evil(repeat(DECL "<modeling>", "<a>", 100000, ""), "nested too deeply", NULL);
    expect_evil(repeat(DECL "<modeling a=\"", "x", BIG, "\">"), "longer than 256 kB", NULL);
    expect_evil(repeat(DECL "<modeling><!--", "x", BIG, "-->"), "longer than 256 kB", NULL);
    expect_evil(repeat(DECL "<modeling><v ", "x", BIG, ""), "longer than 256 kB", NULL);
    expect_evil(repeat(DECL, "<", BIG, ""), "longer than 256 kB", NULL);
    expect_evil(repeat(DECL "<!DOCTYPE m [", "<!ENTITY a \"b\">", BIG / 15, "]><modeling>"),
                "longer than 256 kB", NULL);
    char *text = repeat("t", "t", BIG, ""), *frame = titled(DECL, text);
    expect_evil(frame, NULL, "ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt");
    free(text);
    char *names = malloc(2 << 20);
    size_t n = (size_t)sprintf(names, DECL "<modeling>");
    for (int k = 0; k < 100000; k++) n += (size_t)sprintf(names + n, "<a%d/>", k);
    expect_evil(names, "different names", NULL);
    names = malloc(2 << 20);
    n = (size_t)sprintf(names, DECL "<modeling ");
    for (int k = 0; k < 100000; k++) n += (size_t)sprintf(names + n, " a%d=\"\"", k);
    expect_evil(names, "longer than 256 kB", NULL);
}

Test(vasprun_evil, careless_titles)
{
    expect_evil(titled(DECL, "S & P"), NULL, "S  P"); /* no ';' in the rest of the file */
    expect_evil(titled(DECL, "&"), NULL, "");
    expect_evil(titled(DECL, "&&&nbsp;&;&#;"), NULL, ";#;");
    expect_evil(titled(DECL, "<![CDATA[a </modeling> < c]]>"), NULL, "a </modeling> < c");
    expect_evil(titled(DECL, "<!-- </modeling> -->b"), NULL, "b");
    char *late = repeat(DECL "<modeling>", "<v>1</v>", 20000, "<varray>S & P</varray></modeling>");
    expect_evil(late, "holds no ionic step", NULL);
}

Test(vasprun_evil, encodings)
{
    expect_evil(titled(DECL, "caf\xe9"), NULL, "caf\xc3\xa9");
    expect_evil(titled("<?xml version=\"1.0\" encoding=\"latin1\"?>", "caf\xe9"), NULL,
                "caf\xc3\xa9");
    expect_evil(titled("<?xml version=\"1.0\"?>", "caf\xc3\xa9"), NULL, "caf\xc3\xa9");
    expect_evil(titled("<?xml version=\"1.0\"?>", "caf\xe9"), NULL, "caf?");
    expect_evil(titled("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "caf\xc3\xa9"),
                NULL, "caf\xc3\xa9");
    expect_evil(titled("<?xml version=\"1.0\" encoding=\"x-unknown\"?>", "t"), "ncoding", NULL);
    char *text = titled(DECL, "t"), *wide = calloc(2, strlen(text) + 1);
    size_t n = strlen(text);
    wide[0] = '\xff', wide[1] = '\xfe';
    for (size_t k = 0; k < n; k++) wide[2 * k + 2] = text[k];
    memcpy(wide + 2 + 2 * (strstr(text, "ISO") - text), "U\0T\0F\0-\0001\0006\0 \0 \0 \0 ", 20);
    free(text);
    mlk_collection c;
    mlk_err e = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/wide.xml", mlk_test_tmp());
    FILE *f = fopen(path, "wb");
    cr_assert(f && fwrite(wide, 2, n, f) == n && fclose(f) == 0);
    free(wide);
    mlk_status s = mlk_test_collect(path, &c, &e); /* VASP never writes it: not recognised */
    cr_expect(s && c.n == 0 && e.msg[0]);
    mlk_test_release(&c);
}

Test(vasprun_evil, zero_bytes_of_a_full_disk)
{
    char *one = titled(DECL, "t");
    size_t n = strlen(one), cut = (size_t)(strstr(one, "</modeling>") - one);
    char *text = calloc(n + 5000, 1);
    mlk_collection c;
    mlk_err e;
    memcpy(text, one, cut);
    cr_expect_eq(read_bytes(text, cut + 5000, &c, &e), MLK_EFORMAT);
    cr_expect_eq(c.n, 1);
    cr_expect(strstr(e.msg, "zero bytes") && e.line == 12, "line %ld: %s", e.line, e.msg);
    mlk_test_release(&c);
    memset(text, 0, n);
    memcpy(text, one, cut - 40);
    cr_expect_eq(read_bytes(text, n, &c, &e), MLK_EFORMAT);
    cr_expect_eq(c.n, 0);
    mlk_test_release(&c);
    free(one), free(text);
}

/* ---- our conversion from ISO-8859-1 against libxml2's ---- */

static size_t compared;

static void same_both_ways(char *text, size_t n, const char *what)
{
    mlk_collection a, b;
    mlk_err ea, eb;
    static const char start[] = "<?xml version=\"1.0\" encoding=\"";
    if (n < 60 || memcmp(text, start, sizeof start - 1)) return;
    char *at = text + sizeof start - 1;
    if (memcmp(at, "ISO-8859-1\"", 11)) return;
    mlk_status sa = read_bytes(text, n, &a, &ea);
    memcpy(at, "latin1\"   ", 10); /* a name only libxml2 knows */
    at[10] = ' ';
    mlk_status sb = read_bytes(text, n, &b, &eb);
    memcpy(at, "ISO-8859-1\"", 11);
    cr_expect(sa == sb && ea.line == eb.line && !strcmp(ea.msg, eb.msg),
              "%s: line %ld: %s\n  libxml2: line %ld: %s", what, ea.line, ea.msg, eb.line, eb.msg);
    cr_expect_eq(a.n, b.n, "%s", what);
    for (size_t k = 0; k < a.n && k < b.n; k++) {
        const mlk_frame *p = &a.fr[k], *q = &b.fr[k];
        bool same = p->n == q->n && p->line == q->line && p->has == q->has && p->scf == q->scf &&
                    p->energy == q->energy && !strcmp(p->config_type, q->config_type) &&
                    !memcmp(p->x, q->x, p->n * sizeof *p->x) &&
                    !memcmp(p->f, q->f, p->n * sizeof *p->f) &&
                    !memcmp(p->virial, q->virial, sizeof p->virial);
        cr_expect(same, "%s: frame %zu differs", what, k + 1);
    }
    compared++;
    mlk_test_release(&a);
    mlk_test_release(&b);
}

static void damaged_both_ways(char *text, size_t n, const char *name, int rounds)
{
    static const char evil[] = "<>&;\xe9\xff\x80/ \"'-]!?x9";
    mlk_rng g = mlk_rng_make(30, 1);
    char what[160];
    same_both_ways(text, n, name);
    if (n < 200) return;
    for (int k = 0; k < rounds; k++) {
        size_t cut = mlk_rng_below(&g, n + 1), at[4];
        char old[4];
        snprintf(what, sizeof what, "%s cut at %zu", name, cut);
        same_both_ways(text, cut, what);
        for (int j = 0; j < 4; j++) {
            at[j] = 100 + mlk_rng_below(&g, n - 100);
            old[j] = text[at[j]];
            text[at[j]] = evil[mlk_rng_below(&g, sizeof evil - 1)];
        }
        snprintf(what, sizeof what, "%s changed, round %d (byte %zu ...)", name, k, at[0]);
        same_both_ways(text, n, what);
        for (int j = 4; j-- > 0;) text[at[j]] = old[j];
    }
}

Test(vasprun_latin1, ours_equals_that_of_libxml2, .timeout = 300)
{
    const char *env = getenv("MLK_DAMAGE"), *shared = mlk_test_shared();
    int rounds = env ? atoi(env) : 5;
    mlk_log_set_level(MLK_LOG_ERROR);
    char *text = titled(DECL, "\xe9t\xe9 &eacute; &");
    damaged_both_ways(text, strlen(text), "made", 20 * rounds);
    free(text);
    if (shared) {
        char dir[512], path[900];
        snprintf(dir, sizeof dir, "%s/data/vasp", shared);
        DIR *d = opendir(dir);
        for (struct dirent *f; d && (f = readdir(d));) {
            size_t n;
            mlk_err e = {0};
            if (strncmp(f->d_name, "vasprun_", 8)) continue;
            snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
            cr_assert(!mlk_file_slurp(path, &text, &n, &e), "%s", e.msg);
            damaged_both_ways(text, n, f->d_name, n > 1000000 ? rounds / 2 : rounds);
            mlk_free(text);
        }
        if (d) closedir(d);
    }
    printf("%zu files, whole and damaged, read equally both ways\n", compared);
    cr_expect_gt(compared, 50);
}
