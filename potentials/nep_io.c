/* nep_io.c - nep.txt as GPUMD reads and writes it (docs/FORMATS.md):
 *
 *   nep{3|4}[_zbl] N El1 ... ElN
 *   zbl inner outer [factor]              with _zbl only; "zbl 0 0": a table ends the file
 *   cutoff radial angular [NN_r NN_a]     or with three factors, or one pair of radii per species
 *   n_max R A / basis_size R A / l_max l3 [flags] / ANN neurons 0
 *   numbers, one per line: for each network w0[n][d], b0[n], w1[n]; then b1; then the radial
 *   c[n][k][I][J], the angular c[n][k][I][J], the scaler[d], and 10 per pair I<=J of the table
 *
 * Two things have changed their meaning with GPUMD's versions. With the factor on the zbl line the
 * core is switched off from r = 0 (GPUMD since December 2025, NEP_CPU); with factors on the cutoff
 * line, which these programs no longer read, from half the outer radius. And the flag of (222) is
 * written as 2, which every version reads, unless flags of later terms follow: NEP_CPU does not
 * look at these behind a 2. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "potentials/nep.h"

bool mlk_nep_sniff(const char *path, const char *head)
{
    (void)path;
    return !strncmp(head, "nep", 3) && isdigit((unsigned char)head[3]);
}

typedef struct lines { /* a text taken line by line, in place */
    char *p;
    long line;
    const char *path;
    bool open;       /* the line taken last has no line end             */
    size_t width[2]; /* of the numbers taken last and before, less sign */
} lines;

enum { WORDS = 2 * MLK_SPECIES_MAX + 16 };

/* Next line cut into words; 0 at the end of the text. */
static int next(lines *t, char *word[WORDS])
{
    if (!*t->p) return 0;
    int n = 0;
    t->line++;
    while (*t->p && *t->p != '\n') {
        while (*t->p == ' ' || *t->p == '\t' || *t->p == '\r') t->p++;
        if (!*t->p || *t->p == '\n') break;
        if (n < WORDS) word[n++] = t->p;
        while (*t->p && !isspace((unsigned char)*t->p)) t->p++;
        if (*t->p && *t->p != '\n') *t->p++ = 0;
    }
    t->open = !*t->p;
    if (*t->p == '\n') *t->p++ = 0;
    return n ? n : -1;
}

#define BAD(t, e, ...) (MLK_FAIL(e, MLK_EFORMAT, __VA_ARGS__), mlk_err_at(e, (t)->path, (t)->line))

/* The line `key v...`: lo..hi numbers into v; *n how many. */
static mlk_status numbers(lines *t, const char *key, int lo, int hi, double *v, int *n, mlk_err *e)
{
    char *word[WORDS];
    int k = next(t, word);
    if (k < 1 || strcmp(word[0], key)) return BAD(t, e, "expected '%s ...'", key);
    *n = k - 1;
    if (*n < lo || *n > hi)
        return BAD(t, e, "'%s' has %d numbers, expected %d to %d", key, *n, lo, hi);
    for (int c = 0; c < *n; c++)
        if (!mlk_parse_double(word[c + 1], &v[c]))
            return BAD(t, e, "'%s' is not a number", word[c + 1]);
    return MLK_OK;
}

/* The same for whole numbers in [lo_v, hi_v]. */
static mlk_status integers(lines *t, const char *key, int lo, int hi, int lo_v, int hi_v, int *v,
                           mlk_err *e)
{
    double x[8] = {0};
    int n;
    MLK_TRY(numbers(t, key, lo, hi, x, &n, e));
    for (int c = 0; c < n; c++) {
        if (!(x[c] >= lo_v && x[c] <= hi_v && x[c] == floor(x[c])))
            return BAD(t, e, "'%s': %g is not a whole number from %d to %d", key, x[c], lo_v, hi_v);
        v[c] = (int)x[c];
    }
    return MLK_OK;
}

static mlk_status header(mlk_potential *pot, mlk_nep *m, lines *t, bool *zbl, mlk_err *e)
{
    char *word[WORDS];
    int n = next(t, word);
    long nt;
    *zbl = false;
    if (n > 0) {
        size_t len = strlen(word[0]);
        *zbl = len == 8 && !strcmp(word[0] + 4, "_zbl");
        if (len > 4 && !*zbl) {
            MLK_FAIL(e, MLK_EUNSUPPORTED, "'%s': only potential models can be read", word[0]);
            return mlk_err_at(e, t->path, t->line);
        }
        m->version = len >= 4 ? word[0][3] - '0' : 0;
        if (m->version != 3 && m->version != 4) {
            MLK_FAIL(e, MLK_EUNSUPPORTED, "'%s': only nep3 and nep4 can be read", word[0]);
            return mlk_err_at(e, t->path, t->line);
        }
    }
    if (n < 3 || !mlk_parse_long(word[1], &nt) || nt < 1 || nt > MLK_SPECIES_MAX || n != nt + 2)
        return BAD(t, e, "expected 'nep4 N El1 ... ElN'");
    for (int k = 0; k < nt; k++) {
        pot->z[k] = mlk_element_z(word[k + 2]);
        if (!pot->z[k]) return BAD(t, e, "'%s' is no chemical element", word[k + 2]);
        for (int o = 0; o < k; o++)
            if (pot->z[o] == pot->z[k]) return BAD(t, e, "element %s appears twice", word[k + 2]);
    }
    m->nt = pot->n_species = (size_t)nt;
    return MLK_OK;
}

#define CORE_RADII "are no inner and outer radius: expected 0 <= inner <= outer < 10"

static bool core_radii(const double r[2])
{
    return r[0] >= 0 && r[1] >= r[0] && r[1] < 10;
}

static mlk_status read_zbl(mlk_potential *pot, mlk_nep *m, lines *t, mlk_err *e)
{
    double v[3];
    MLK_TRY(numbers(t, "zbl", 2, 3, v, &m->zbl_tokens, e));
    if (!core_radii(v)) return BAD(t, e, "zbl: %g and %g A " CORE_RADII, v[0], v[1]);
    pot->zbl = (mlk_zbl){.on = true, .inner = v[0], .outer = v[1]};
    if (m->zbl_tokens < 3 || v[1] == 0) return MLK_OK;
    if (!(v[2] > 0)) return BAD(t, e, "zbl: factor of the covalent radii %g, expected > 0", v[2]);
    pot->zbl.typewise = true, pot->zbl.typewise_factor = v[2];
    return MLK_OK;
}

/* cutoffs into v (read before the arrays of *m exist) */
static mlk_status read_cutoff(mlk_potential *pot, mlk_nep *m, lines *t, double *v, mlk_err *e)
{
    int n;
    MLK_TRY(numbers(t, "cutoff", 2, 2 * (int)m->nt + 6, v, &n, e));
    int species = 2 * (int)m->nt + 2;
    size_t at = 2;
    if (n == 7) {
        m->cutoff_style = MLK_NEP_CUTOFF_FACTORS;
        memcpy(m->factor, v + 4, sizeof m->factor);
        if (pot->zbl.on && m->factor[2] > 0)
            pot->zbl.typewise = true, pot->zbl.typewise_factor = m->factor[2],
            pot->zbl.typewise_inner = 0.5;
    } else if (n == 4 || n == 2) { /* 2: the first versions of NEP3 count no neighbours */
        m->cutoff_style = MLK_NEP_CUTOFF_PLAIN;
    } else if (n == species) {
        m->cutoff_style = MLK_NEP_CUTOFF_SPECIES;
        at = 2 * m->nt;
    } else {
        return BAD(t, e, "'cutoff' has %d numbers, expected 2, 4, 7 or %d", n, species);
    }
    for (int k = 0; k < 2 && n > 2; k++) {
        if (!(v[at + (size_t)k] >= 0 && v[at + (size_t)k] < 1e6))
            return BAD(t, e, "'cutoff': %g is no number of neighbours", v[at + (size_t)k]);
        m->nn[k] = (int)v[at + (size_t)k];
    }
    for (size_t k = 0; k < at; k += 2)
        if (!(v[k + 1] > 0 && v[k] >= v[k + 1] && v[k] <= 100))
            return BAD(t, e, "cutoffs %g and %g A: expected radial >= angular > 0", v[k], v[k + 1]);
    return MLK_OK;
}

/* Are there lines for n parameters? Looked at before memory for them is taken. */
static mlk_status long_enough(const lines *t, size_t n, mlk_err *e)
{
    size_t found = 0;
    long line = t->line;
    for (const char *p = t->p; *p; p += *p == '\n') {
        size_t w = strcspn(p, "\n");
        found += strspn(p, " \t\r") < w;
        line++, p += w;
    }
    if (found >= n) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "the file ends at number %zu of %zu of the parameters", found + 1, n);
    return mlk_err_at(e, t->path, line);
}

/* The number a file ends with, without a line end, may have lost digits. */
static mlk_status whole(const lines *t, mlk_err *e)
{
    if (!t->open || t->width[0] == t->width[1]) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT,
             "the last number has %zu characters, the one before it %zu, and no line end: it may "
             "be cut",
             t->width[0], t->width[1]);
    mlk_err_at(e, t->path, t->line);
    return mlk_err_hint(e, "end the line if the file is complete");
}

static mlk_status read_values(lines *t, size_t n, double *v, const char *what, mlk_err *e)
{
    for (size_t k = 0; k < n; k++) {
        char *word[WORDS];
        int c;
        do c = next(t, word);
        while (c == -1);
        if (c == 0)
            return BAD(t, e, "the file ends at number %zu of %zu of the %s", k + 1, n, what);
        if (c != 1 || !mlk_parse_double(word[0], &v[k]))
            return BAD(t, e, "expected one number (%s, %zu of %zu)", what, k + 1, n);
        t->width[1] = t->width[0];
        t->width[0] = strlen(word[0]) - (*word[0] == '-' || *word[0] == '+');
    }
    return MLK_OK;
}

static void fill_hyper(const mlk_potential *pot, const mlk_nep *m)
{
    mlk_nep_hyper *h = pot->hyper;
    h->cutoff = (mlk_reals){2, {m->rcr[0], m->rca[0]}};
    bool each = m->cutoff_style == MLK_NEP_CUTOFF_SPECIES && 2 * m->nt <= MLK_OPT_LIST_MAX;
    for (size_t t = 1; t < m->nt; t++) {
        size_t k = each ? 2 * t : 0;
        h->cutoff.v[k] = fmax(h->cutoff.v[k], m->rcr[t]);
        h->cutoff.v[k + 1] = fmax(h->cutoff.v[k + 1], m->rca[t]);
        if (each) h->cutoff.n = 2 * (int)m->nt;
    }
    h->n_max = (mlk_ints){2, {(int)m->nr - 1, (int)m->na - 1}};
    h->basis = (mlk_ints){2, {(int)m->kr - 1, (int)m->ka - 1}};
    h->l_max = mlk_nep_get_l(m);
    h->neuron = (int)m->neuron;
    h->zbl.n = pot->zbl.on ? 2 : 0;
    h->zbl.v[0] = pot->zbl.inner, h->zbl.v[1] = pot->zbl.outer;
}

static mlk_status parse(mlk_potential *pot, mlk_nep *m, lines *t, mlk_err *e)
{
    bool zbl;
    double v[WORDS];
    int n_max[2], basis[2], ann[2];
    mlk_ints l = {.n = MLK_NEP_BODIES + 1};
    MLK_TRY(header(pot, m, t, &zbl, e));
    if (zbl) MLK_TRY(read_zbl(pot, m, t, e));
    MLK_TRY(read_cutoff(pot, m, t, v, e));
    MLK_TRY(integers(t, "n_max", 2, 2, 0, 31, n_max, e));
    MLK_TRY(integers(t, "basis_size", 2, 2, 0, 31, basis, e));
    MLK_TRY(integers(t, "l_max", 1, l.n, 0, MLK_NEP_L_MAX, l.v, e));
    if (mlk_nep_set_l(m, &l, e)) return mlk_err_at(e, t->path, t->line);
    MLK_TRY(integers(t, "ANN", 2, 2, 0, 10000, ann, e));
    if (ann[0] < 1 || ann[1] != 0)
        return BAD(t, e, "ANN: expected one hidden layer, 'ANN neurons 0'");
    m->nr = (size_t)n_max[0] + 1, m->na = (size_t)n_max[1] + 1;
    m->kr = (size_t)basis[0] + 1, m->ka = (size_t)basis[1] + 1;
    m->neuron = (size_t)ann[0];
    mlk_nep_sizes(pot, m);
    MLK_TRY(long_enough(t, pot->n_param, e));
    MLK_TRY(mlk_nep_alloc(pot, m, e));
    bool each = m->cutoff_style == MLK_NEP_CUTOFF_SPECIES;
    for (size_t k = 0; k < m->nt; k++)
        m->rcr[k] = v[each ? 2 * k : 0], m->rca[k] = v[each ? 2 * k + 1 : 1];
    MLK_TRY(read_values(t, pot->n_param, pot->param, "parameters", e));
    MLK_TRY(read_values(t, m->dim, m->scaler, "descriptor scaler", e));
    if (zbl && pot->zbl.inner == 0 && pot->zbl.outer == 0) {
        size_t n = m->nt * (m->nt + 1) / 2 * 10;
        m->zbl_table = mlk_alloc(n, sizeof(double));
        if (!m->zbl_table) return MLK_FAIL(e, MLK_ENOMEM, "ZBL table");
        MLK_TRY(read_values(t, n, m->zbl_table, "ZBL table", e));
        for (size_t k = 0; k < n; k += 10)
            if (!core_radii(m->zbl_table + k))
                return BAD(t, e, "ZBL table, pair %zu: %g and %g A " CORE_RADII, k / 10 + 1,
                           m->zbl_table[k], m->zbl_table[k + 1]);
        pot->zbl.table = m->zbl_table;
    }
    MLK_TRY(whole(t, e));
    char *word[WORDS];
    for (int c; (c = next(t, word)) != 0;)
        if (c > 0) return BAD(t, e, "more numbers than the header announces");
    return MLK_OK;
}

mlk_status mlk_nep_read(mlk_potential *pot, const char *path, mlk_err *e)
{
    char *text;
    MLK_TRY(mlk_file_slurp(path, &text, NULL, e));
    mlk_nep *m = pot->state = mlk_alloc(1, sizeof *m);
    lines t = {.p = text, .path = path};
    mlk_status s = m ? parse(pot, m, &t, e) : MLK_FAIL(e, MLK_ENOMEM, "nep");
    mlk_free(text);
    if (s) return s;
    m->prepared = true;
    fill_hyper(pot, m);
    return mlk_nep_pack(pot, e);
}

mlk_status mlk_nep_write(const mlk_potential *pot, const char *path, mlk_err *e)
{
    const mlk_nep *m = pot->state;
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, path, e));
    FILE *f = o.fp;
    bool zbl = pot->zbl.on;
    fprintf(f, "nep%d%s %zu ", m->version, zbl ? "_zbl" : "", m->nt);
    for (size_t t = 0; t < m->nt; t++) fprintf(f, "%s ", mlk_element_symbol(pot->z[t]));
    fprintf(f, "\n");
    if (zbl) {
        fprintf(f, "zbl %.10g %.10g", pot->zbl.inner, pot->zbl.outer);
        if (m->zbl_tokens == 3 || (pot->zbl.typewise && m->cutoff_style != MLK_NEP_CUTOFF_FACTORS))
            fprintf(f, " %.10g", pot->zbl.typewise_factor);
        fprintf(f, "\n");
    }
    fprintf(f, "cutoff");
    size_t n_rc = m->cutoff_style == MLK_NEP_CUTOFF_SPECIES ? m->nt : 1;
    for (size_t t = 0; t < n_rc; t++) fprintf(f, " %.10g %.10g", m->rcr[t], m->rca[t]);
    fprintf(f, " %d %d", m->nn[0], m->nn[1]);
    if (m->cutoff_style == MLK_NEP_CUTOFF_FACTORS)
        for (int k = 0; k < 3; k++) fprintf(f, " %.10g", m->factor[k]);
    fprintf(f, "\nn_max %zu %zu\nbasis_size %zu %zu\nl_max", m->nr - 1, m->na - 1, m->kr - 1,
            m->ka - 1);
    mlk_ints l = mlk_nep_get_l(m);
    if (l.n > 3 && l.v[1]) l.v[1] = 1;
    for (int k = 0; k < l.n; k++) fprintf(f, " %d", l.v[k]);
    fprintf(f, "\nANN %zu 0\n", m->neuron);
    for (size_t k = 0; k < pot->n_param; k++) fprintf(f, "%24.16e\n", pot->param[k]);
    for (size_t k = 0; k < m->dim; k++) fprintf(f, "%24.16e\n", m->scaler[k]);
    if (m->zbl_table)
        for (size_t k = 0; k < m->nt * (m->nt + 1) / 2 * 10; k++)
            fprintf(f, "%24.16e\n", m->zbl_table[k]);
    return mlk_out_commit(&o, e);
}
