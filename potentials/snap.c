/* snap.c - SNAP: spectral neighbour analysis potential, linear or quadratic in the bispectrum
 * components of the neighbour density (A. P. Thompson et al., J. Comput. Phys. 285, 316 (2015);
 * several densities: M. A. Cusentino et al., J. Phys. Chem. A 124, 5456 (2020)).
 *
 *   U_i = c_0 + sum_k c_k B_k + (quadratic) 1/2 sum_k c_kk B_k^2 + sum_{k<l} c_kl B_k B_l
 *
 * param, species by species: c_0, c_1 .. c_K, then the upper triangle row by row. Equations of B
 * are in k_snap.h, tables in snap_table.c, the basis for fitting in snap_basis.c. This file: the
 * type, its options, and the .snapcoeff/.snapparam files of LAMMPS. LIMIT: for r < rmin0 the
 * density is continued smoothly, LAMMPS jumps there (no real pair gets so close). switchinnerflag
 * is not supported. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/file.h"
#include "core/log.h"
#include "core/rng.h"
#include "potentials/snap_int.h"

typedef struct hyper {
    int twojmax;
    double rcut, rfac0, rmin0;
    mlk_reals radius, weight;
    bool quadratic, bzero, sw;
    int chem, bnorm, wselfall; /* enum choice */
} hyper;

enum choice { AUTO, YES, NO }; /* of the options "auto|true|false" */

typedef snap_state state;

static const mlk_opt opts[] = {
    {"twojmax", MLK_OPT_INT, offsetof(hyper, twojmax), "5", 0, K_SNAP_JMAX, "",
     "twice the largest angular momentum"},
    {"rcut", MLK_OPT_REAL, offsetof(hyper, rcut), "5.0", 1, 20, "A", "largest pair cutoff"},
    {"rfac0", MLK_OPT_REAL, offsetof(hyper, rfac0), "0.99363", 0.01, 1, "",
     "fraction of the polar angle used"},
    {"rmin0", MLK_OPT_REAL, offsetof(hyper, rmin0), "0", 0, 5, "A", "radius mapped to the pole"},
    {"radius", MLK_OPT_REALS, offsetof(hyper, radius), "", 0.01, 20, "",
     "relative radius per species; none: all equal"},
    {"weight", MLK_OPT_REALS, offsetof(hyper, weight), "", -100, 100, "",
     "density weight per species; none: 1 with chem, else 0.2 to 1 in order"},
    {"quadratic", MLK_OPT_FLAG, offsetof(hyper, quadratic), "false", 0, 0, "",
     "add products of components"},
    {"chem", MLK_OPT_CHOICE, offsetof(hyper, chem), "auto", 0, 0, "auto|true|false",
     "one density per species; auto: for linear models of up to 4 species"},
    {"bzero", MLK_OPT_FLAG, offsetof(hyper, bzero), "true", 0, 0, "",
     "subtract the components of an isolated atom"},
    {"bnorm", MLK_OPT_CHOICE, offsetof(hyper, bnorm), "auto", 0, 0, "auto|true|false",
     "divide components by j+1; auto: with chem"},
    {"wselfall", MLK_OPT_CHOICE, offsetof(hyper, wselfall), "auto", 0, 0, "auto|true|false",
     "self density in every channel; auto: with chem"},
    {"switch", MLK_OPT_FLAG, offsetof(hyper, sw), "true", 0, 0, "", "smooth cutoff function"},
    {0}};

static const mlk_ref refs[] = {
    {"A. P. Thompson, L. P. Swiler, C. R. Trott, S. M. Foiles, G. J. Tucker, J. Comput. Phys. 285, "
     "316 (2015)",
     "10.1016/j.jcp.2014.12.018",
     "Spectral neighbor analysis method for automated generation of quantum-accurate interatomic "
     "potentials"},
    {"M. A. Wood, A. P. Thompson, J. Chem. Phys. 148, 241721 (2018)", "10.1063/1.5017641",
     "Extending the accuracy of the {SNAP} interatomic potential form"},
    {"M. A. Cusentino, M. A. Wood, A. P. Thompson, J. Phys. Chem. A 124, 5456 (2020)",
     "10.1021/acs.jpca.0c02450",
     "Explicit multielement extension of the spectral neighbor analysis potential for chemically "
     "complex systems"},
    {NULL, NULL, NULL}};

static void destroy(mlk_potential *pot)
{
    state *st = pot->state;
    if (!st) return;
    snap_table_free(&st->tab);
    mlk_free(st);
    pot->state = NULL;
}

/* Replace the items p[k*step] of components that are equal by exchange of factors (k_same) by their
 * mean; returns the largest difference within such a group. */
static double average(const k_snap *t, double *p, size_t step)
{
    double worst = 0;
    for (size_t k = 0; k < t->nk; k++) {
        size_t n = 0;
        double sum = 0, first = p[k * step];
        for (size_t m = k; m < t->nk; m++)
            if ((size_t)t->k_same[m] == k) {
                double d = p[m * step] - first;
                sum += d, n++, worst = fmax(worst, fabs(d));
            }
        for (size_t m = k; m < t->nk && n > 1; m++)
            if ((size_t)t->k_same[m] == k) p[m * step] = first + sum / (double)n;
    }
    return worst;
}

/* Average equivalent coefficients, which leaves every energy as it is, so that LAMMPS's forces for
 * the written file are its gradient. Returns the largest difference found; in place unless
 * only_look. */
static mlk_status symmetrise(const k_snap *t, double *param, bool only_look, double *worst,
                             mlk_err *e)
{
    size_t nk = t->nk;
    double *q = mlk_alloc(nk * (t->quadratic ? nk + 1 : 1), sizeof *q), *lin = q;
    if (!q) return MLK_FAIL(e, MLK_ENOMEM, "snap with %zu components", nk);
    *worst = 0;
    for (size_t c = 0; c < (size_t)t->nt; c++) {
        double *from = param + c * t->nb + 1, *p = from;
        for (size_t k = 0; k < nk; k++) lin[k] = *p++;
        *worst = fmax(*worst, average(t, lin, 1));
        double *full = q + nk;
        for (size_t k = 0; k < nk && t->quadratic; k++)
            for (size_t l = k; l < nk; l++) full[k * nk + l] = full[l * nk + k] = *p++;
        for (size_t k = 0; k < nk && t->quadratic; k++)
            *worst = fmax(*worst, average(t, full + k, nk));
        for (size_t k = 0; k < nk && t->quadratic; k++) average(t, full + k * nk, 1);
        if (only_look) continue;
        for (size_t k = 0; k < nk; k++) *from++ = lin[k];
        for (size_t k = 0; k < nk && t->quadratic; k++)
            for (size_t l = k; l < nk; l++) { /* the same bits for all that are equal */
                size_t x = (size_t)t->k_same[k], y = (size_t)t->k_same[l];
                *from++ = x < y ? full[x * nk + y] : full[y * nk + x];
            }
    }
    mlk_free(q);
    return MLK_OK;
}

static mlk_status update(mlk_potential *pot, mlk_err *e)
{
    state *st = pot->state;
    double worst;
    if (st->tab.chem) MLK_TRY(symmetrise(&st->tab, pot->param, false, &worst, e));
    snap_table_update(&st->tab, pot->param);
    return MLK_OK;
}

/* Tables and zero parameters, from hyper, pot->z and the radii and weights in st. */
static mlk_status setup(mlk_potential *pot, state *st, mlk_err *e)
{
    const hyper *h = pot->hyper;
    pot->state = st;
    snap_setup s = {.twojmax = h->twojmax,
                    .rcutfac = st->rcutfac,
                    .rfac0 = h->rfac0,
                    .rmin0 = h->rmin0,
                    .quadratic = h->quadratic,
                    .chem = h->chem == YES,
                    .bzero = h->bzero,
                    .bnorm = h->bnorm == YES,
                    .wselfall = h->wselfall == YES,
                    .sw = h->sw,
                    .nt = (int)pot->n_species,
                    .radius = st->radius,
                    .weight = st->weight};
    MLK_TRY(snap_table_build(&s, &st->tab, e));
    pot->rc = 0;
    for (size_t k = 0; k < pot->n_species * pot->n_species; k++)
        pot->rc = fmax(pot->rc, st->tab.rcut[k]);
    pot->n_param = pot->n_species * st->tab.nb;
    pot->param = mlk_alloc(pot->n_param, sizeof(double));
    return pot->param ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "snap with %zu parameters", pot->n_param);
}

/* Without chem the weights alone tell the species apart: evenly spaced from 0.2 for the first to 1
 * for the last (ascending Z in training: light atoms weigh least). Measured on Li3PS4, held-out
 * force RMSE 0.27 eV/A with small weights of Li, 0.35 with 1 for Li and 0.4 for S. */
static double default_weight(size_t t, size_t n, bool chem)
{
    return n < 2 || chem ? 1 : 0.2 + 0.8 * (double)t / (double)(n - 1);
}

static mlk_status create(mlk_potential *pot, uint64_t seed, mlk_err *e)
{
    hyper *h = pot->hyper;
    size_t n = pot->n_species;
    if (h->chem == AUTO) h->chem = h->quadratic || n < 2 || n > 4 ? NO : YES;
    if (h->bnorm == AUTO) h->bnorm = h->chem;
    if (h->wselfall == AUTO) h->wselfall = h->chem;
    if ((h->radius.n && (size_t)h->radius.n != n) || (h->weight.n && (size_t)h->weight.n != n)) {
        MLK_FAIL(e, MLK_EINVAL, "snap: %d radii and %d weights for %zu species", h->radius.n,
                 h->weight.n, n);
        mlk_err_hint(e,
                     "give one number per species, in the order of the model's species, or none");
        return MLK_EINVAL;
    }
    state *st = mlk_alloc(1, sizeof *st);
    if (!st) return MLK_FAIL(e, MLK_ENOMEM, "snap");
    double largest = 0;
    for (size_t t = 0; t < n; t++) {
        st->radius[t] = h->radius.n ? h->radius.v[t] : 0.5;
        st->weight[t] = h->weight.n ? h->weight.v[t] : default_weight(t, n, h->chem == YES);
        largest = fmax(largest, st->radius[t]);
    }
    st->rcutfac = h->rcut / (2 * largest);
    MLK_TRY(setup(pot, st, e));
    mlk_rng g = mlk_rng_make(seed, 0x534e4150);
    size_t nk = st->tab.nk, nb = st->tab.nb;
    for (size_t t = 0; t < n; t++)
        for (size_t b = 0; b < nb; b++)
            pot->param[t * nb + b] = mlk_rng_normal(&g) * (b <= nk ? 1e-3 : 1e-6);
    return update(pot, e);
}

static mlk_status eval(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i0,
                       size_t i1, mlk_scratch *s, double *u, double *const p[3], mlk_err *e)
{
    const state *st = pot->state;
    size_t most = 0;
    for (size_t i = i0; i < i1; i++)
        if (nl->start[i + 1] - nl->start[i] > most) most = nl->start[i + 1] - nl->start[i];
    double *work = MLK_SCRATCH(s, double, k_snap_work(&st->tab, most));
    if (!work) return MLK_FAIL(e, MLK_ENOMEM, "snap work space for %zu pairs", most);
    k_snap_eval(mlk_cpu_level(), &st->tab, pot->param, nl->start, nl->j, nl->r, type, i0, i1, work,
                u, p);
    return MLK_OK;
}

static mlk_status basis(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i,
                        mlk_scratch *s, size_t *first, size_t *nb, double *b, double *const db[3],
                        mlk_err *e)
{
    const k_snap *t = &((const state *)pot->state)->tab;
    size_t m = nl->start[i + 1] - nl->start[i], nk = t->nk;
    *first = (size_t)type[i] * t->nb;
    *nb = t->nb;
    if (!b) return MLK_OK;
    double *d[3];
    for (int c = 0; db && c < 3; c++) {
        memset(db[c], 0, m * sizeof(double));
        d[c] = db[c] + m;
    }
    b[0] = 1;
    MLK_TRY(snap_components_of(t, nl, type, i, s, b + 1, db ? d : NULL, e));
    if (!t->quadratic) return MLK_OK;
    size_t at = 1 + nk;
    for (size_t k = 0; k < nk; k++)
        for (size_t l = k; l < nk; l++, at++) {
            double f = k == l ? 0.5 : 1, bk = f * b[1 + k], bl = f * b[1 + l];
            b[at] = f * b[1 + k] * b[1 + l];
            for (int c = 0; db && c < 3; c++) {
                const double *dk = db[c] + (1 + k) * m, *dl = db[c] + (1 + l) * m;
                double *out = db[c] + at * m;
                for (size_t q = 0; q < m; q++) out[q] = bk * dl[q] + bl * dk[q];
            }
        }
    return MLK_OK;
}

static size_t n_desc(const mlk_potential *pot)
{
    return ((const state *)pot->state)->tab.nb;
}

/* The basis: its first member is the constant 1, which belongs to the linear model as well. */
static mlk_status describe(const mlk_potential *pot, const mlk_neigh *nl, const int *type,
                           size_t i0, size_t i1, mlk_scratch *s, double *q, mlk_err *e)
{
    size_t first, nb, n = n_desc(pot);
    for (size_t i = i0; i < i1; i++)
        MLK_TRY(basis(pot, nl, type, i, s, &first, &nb, q + (i - i0) * n, NULL, e));
    return MLK_OK;
}

/* ---- files --------------------------------------------------------------------------------- */

static bool sniff(const char *path, const char *head)
{
    (void)head;
    return mlk_path_ends(path, ".snapcoeff") || mlk_path_ends(path, ".snapparam");
}

/* both names from either */
static void names(const char *path, char coeff[1024], char param[1024])
{
    size_t n = strlen(path);
    if (sniff(path, NULL)) n -= strlen(".snapcoeff");
    if (n > 1000) n = 1000;
    snprintf(coeff, 1024, "%.*s.snapcoeff", (int)n, path);
    snprintf(param, 1024, "%.*s.snapparam", (int)n, path);
}

/* Next line with content, cut at '#' and split into at most cap words; 0 at the end. */
static int next_line(char **p, long *line, char *word[], int cap)
{
    while (**p) {
        char *s = *p, *end = s + strcspn(s, "\n");
        *p = *end ? end + 1 : end;
        *end = 0;
        ++*line;
        s[strcspn(s, "#")] = 0;
        int n = 0;
        for (char *w = s; *w;) {
            while (isspace((unsigned char)*w)) *w++ = 0;
            if (!*w) break;
            if (n < cap) word[n] = w;
            n++;
            while (*w && !isspace((unsigned char)*w)) w++;
        }
        if (n) return n;
    }
    return 0;
}

static mlk_status bad_line(mlk_err *e, const char *path, long line, const char *what)
{
    MLK_FAIL(e, MLK_EFORMAT, "expected %s", what);
    return mlk_err_at(e, path, line);
}

static mlk_status read_param(mlk_potential *pot, state *st, const char *path, mlk_err *e)
{
    hyper *h = pot->hyper;
    char *text, *word[3];
    MLK_TRY(mlk_file_slurp(path, &text, NULL, e));
    /* LAMMPS's defaults where the file is silent */
    bool chem = false, bnorm = false, wselfall = false;
    h->rfac0 = 0.99363, h->rmin0 = 0;
    h->quadratic = false, h->bzero = true, h->sw = true;
    struct {
        const char *key;
        double *real;
        bool *flag;
    } key[] = {{"rcutfac", &st->rcutfac, NULL}, {"rfac0", &h->rfac0, NULL},
               {"rmin0", &h->rmin0, NULL},      {"quadraticflag", NULL, &h->quadratic},
               {"chemflag", NULL, &chem},       {"bzeroflag", NULL, &h->bzero},
               {"bnormflag", NULL, &bnorm},     {"wselfallflag", NULL, &wselfall},
               {"switchflag", NULL, &h->sw}};
    enum { N_KEY = sizeof key / sizeof *key };
    bool have_rcut = false, have_j = false;
    long line = 0;
    mlk_status s = MLK_OK;
    char *p = text;
    for (int n; !s && (n = next_line(&p, &line, word, 3));) {
        double v;
        if (n < 2 || !mlk_parse_double(word[1], &v)) {
            s = bad_line(e, path, line, "a keyword and a number");
            break;
        }
        int k = 0;
        while (k < N_KEY && strcmp(key[k].key, word[0])) k++;
        if (!strcmp(word[0], "twojmax")) {
            have_j = true;
            h->twojmax = (int)v;
            if (v != floor(v) || v < 0 || v > K_SNAP_JMAX)
                s = bad_line(e, path, line, "a whole number from 0 to 14 after twojmax");
        } else if (k < N_KEY && key[k].flag) {
            *key[k].flag = v != 0;
            if (v != 0 && v != 1) s = bad_line(e, path, line, "0 or 1 after a flag");
        } else if (k < N_KEY) {
            *key[k].real = v;
            have_rcut |= k == 0;
        } else if (strcmp(word[0], "chunksize") && strcmp(word[0], "parallelthresh") &&
                   strcmp(word[0], "diagonalstyle") &&
                   !(v == 0 && !strcmp(word[0], "switchinnerflag"))) {
            MLK_FAIL(e, MLK_EUNSUPPORTED, "keyword '%s' is not supported", word[0]);
            s = mlk_err_at(e, path, line);
        }
    }
    h->chem = chem ? YES : NO, h->bnorm = bnorm ? YES : NO, h->wselfall = wselfall ? YES : NO;
    if (!s && (!have_rcut || !have_j)) s = bad_line(e, path, line, "keywords rcutfac and twojmax");
    mlk_free(text);
    return s;
}

static mlk_status read_coeff(mlk_potential *pot, state *st, const char *path, mlk_err *e)
{
    hyper *h = pot->hyper;
    char *text, *word[4];
    MLK_TRY(mlk_file_slurp(path, &text, NULL, e));
    double *coef = NULL, v[2];
    long line = 0, n_el = 0, n_coef = 0;
    char *p = text;
    mlk_status s = MLK_OK;
    if (next_line(&p, &line, word, 4) < 2 || !mlk_parse_long(word[0], &n_el) ||
        !mlk_parse_long(word[1], &n_coef) || n_el < 1 || n_el > MLK_SPECIES_MAX || n_coef < 1 ||
        n_coef > 1000000) {
        s = bad_line(e, path, line, "the number of elements and of coefficients");
        goto done;
    }
    size_t nt = (size_t)n_el, nb = (size_t)n_coef;
    coef = mlk_alloc(nt * nb, sizeof *coef);
    if (!coef) {
        s = MLK_FAIL(e, MLK_ENOMEM, "%zu coefficients", nt * nb);
        goto done;
    }
    for (size_t t = 0; t < nt; t++) {
        int n = next_line(&p, &line, word, 4), z = n >= 3 ? mlk_element_z(word[0]) : 0;
        for (size_t o = 0; o < t; o++)
            if (pot->z[o] == z) z = 0;
        if (!z || !mlk_parse_double(word[1], &v[0]) || !mlk_parse_double(word[2], &v[1]) ||
            v[0] <= 0) {
            s = bad_line(e, path, line, "a new element with radius and weight");
            goto done;
        }
        pot->z[t] = z;
        st->radius[t] = v[0], st->weight[t] = v[1];
        for (size_t b = 0; b < nb; b++)
            if (!next_line(&p, &line, word, 4) || !mlk_parse_double(word[0], &coef[t * nb + b])) {
                MLK_FAIL(e, MLK_EFORMAT, "expected coefficient %zu of %zu of %s", b + 1, nb,
                         mlk_element_symbol(z));
                s = mlk_err_at(e, path, line);
                goto done;
            }
    }
    if (next_line(&p, &line, word, 4)) {
        s = bad_line(e, path, line, "the end of the file");
        goto done;
    }
    pot->n_species = nt;
    h->radius.n = h->weight.n = 0;
    double largest = 0;
    for (size_t t = 0; t < nt; t++) {
        if (t < MLK_OPT_LIST_MAX) {
            h->radius.v[h->radius.n++] = st->radius[t];
            h->weight.v[h->weight.n++] = st->weight[t];
        }
        largest = fmax(largest, st->radius[t]);
    }
    h->rcut = st->rcutfac * 2 * largest;
    MLK_GO(setup(pot, st, e));
    if (st->tab.nb != nb) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu coefficients per element, expected %zu for twojmax %d%s%s",
                 nb, st->tab.nb, h->twojmax, h->quadratic ? ", quadratic" : "",
                 h->chem == YES ? ", chem" : "");
        s = mlk_err_at(e, path, 0);
        goto done;
    }
    memcpy(pot->param, coef, nt * nb * sizeof *coef);
    if (h->chem == YES) {
        double off;
        MLK_GO(symmetrise(&st->tab, pot->param, true, &off, e));
        if (off > 0) MLK_GO(snap_table_follow_lammps(&st->tab, e));
        if (off > 1e-6)
            mlk_log(MLK_LOG_WARN,
                    "%s: coefficients of equivalent components differ by up to %.1e eV; "
                    "forces follow LAMMPS, which are not the exact gradient of the energy then",
                    path, off);
    }
    snap_table_update(&st->tab, pot->param);
done:
    mlk_free(coef);
    mlk_free(text);
    return s;
}

static mlk_status rd(mlk_potential *pot, const char *path, mlk_err *e)
{
    char coeff[1024], param[1024];
    names(path, coeff, param);
    state *st = mlk_alloc(1, sizeof *st);
    if (!st) return MLK_FAIL(e, MLK_ENOMEM, "snap");
    pot->state = st; /* freed by destroy whatever happens */
    MLK_TRY(read_param(pot, st, param, e));
    return read_coeff(pot, st, coeff, e);
}

static mlk_status wr(const mlk_potential *pot, const char *path, mlk_err *e)
{
    char coeff[1024], param[1024];
    names(path, coeff, param);
    const state *st = pot->state;
    const hyper *h = pot->hyper;
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, param, e));
    fprintf(o.fp,
            "# SNAP hyper-parameters, written by mlkit\nrcutfac %.17g\ntwojmax %d\nrfac0 %.17g\n"
            "rmin0 %.17g\n",
            st->rcutfac, h->twojmax, h->rfac0, h->rmin0);
    fprintf(o.fp, "switchflag %d\nbzeroflag %d\nquadraticflag %d\n", h->sw, h->bzero, h->quadratic);
    if (h->chem == YES || h->bnorm == YES || h->wselfall == YES)
        fprintf(o.fp, "chemflag %d\nbnormflag %d\nwselfallflag %d\n", h->chem == YES,
                h->bnorm == YES, h->wselfall == YES);
    MLK_TRY(mlk_out_commit(&o, e));
    MLK_TRY(mlk_out_begin(&o, coeff, e));
    fprintf(o.fp, "# SNAP coefficients [eV], written by mlkit\n\n%zu %zu\n", pot->n_species,
            st->tab.nb);
    for (size_t t = 0; t < pot->n_species; t++) {
        fprintf(o.fp, "%s %.17g %.17g\n", mlk_element_symbol(pot->z[t]), st->radius[t],
                st->weight[t]);
        for (size_t b = 0; b < st->tab.nb; b++)
            fprintf(o.fp, "%.17g\n", pot->param[t * st->tab.nb + b]);
    }
    return mlk_out_commit(&o, e);
}

const mlk_potential_type mlk_potential_snap = {
    .name = "snap",
    .summary = "spectral neighbour analysis potential, linear or quadratic (LAMMPS ML-SNAP)",
    .refs = refs,
    .hyper = opts,
    .hyper_size = sizeof(hyper),
    .caps = MLK_CAP_LINEAR,
    .file = "snap.snapcoeff",
    .create = create,
    .destroy = destroy,
    .update = update,
    .sniff = sniff,
    .read = rd,
    .write = wr,
    .eval = eval,
    .basis = basis,
    .n_desc = n_desc,
    .describe = describe,
};
