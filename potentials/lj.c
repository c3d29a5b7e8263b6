/* lj.c - Lennard-Jones pair potential, the smallest model there is: the reference for the rules
 * that every other model must obey, and a fast toy for tests of MD and training.
 *
 *   U_i = 1/2 sum_j 4 eps (x^12 - x^6) S(r),  x = sigma/r, eps = sqrt(eps_i eps_j),
 *   sigma = (sigma_i + sigma_j)/2,  S(r) = (1 - (r/rc)^2)^3  (C2 at rc)
 *
 * param = eps_0, sigma_0, eps_1, sigma_1, ... File: a line "lj N El1 El2 ...", "rc", then eps
 * sigma. */
#include <math.h>
#include <string.h>

#include "core/file.h"
#include "potentials/potential.h"

typedef struct hyper {
    double rcut, epsilon, sigma;
} hyper;

static const mlk_opt opts[] = {
    {"rcut", MLK_OPT_REAL, offsetof(hyper, rcut), "6.0", 0.5, 30, "A", "cutoff radius"},
    {"epsilon", MLK_OPT_REAL, offsetof(hyper, epsilon), "0.01", 0, 100, "eV", "initial well depth"},
    {"sigma", MLK_OPT_REAL, offsetof(hyper, sigma), "2.5", 0.1, 20, "A", "initial diameter"},
    {0}};

static const mlk_ref refs[] = {
    {"J. E. Jones, Proc. R. Soc. Lond. A 106, 463 (1924)", "10.1098/rspa.1924.0082",
     "On the determination of molecular fields. {II}. {From} the equation of state of a gas"},
    {NULL, NULL, NULL}};

static mlk_status create(mlk_potential *pot, uint64_t seed, mlk_err *e)
{
    (void)seed;
    const hyper *h = pot->hyper;
    pot->rc = h->rcut;
    pot->n_param = 2 * pot->n_species;
    pot->param = mlk_alloc(pot->n_param, sizeof(double));
    if (!pot->param) return MLK_FAIL(e, MLK_ENOMEM, "lj");
    for (size_t t = 0; t < pot->n_species; t++) {
        pot->param[2 * t] = h->epsilon;
        pot->param[2 * t + 1] = h->sigma;
    }
    return MLK_OK;
}

/* pair energy and its derivative with respect to r, over r */
static double pair(const mlk_potential *pot, int a, int b, double r2, double *dphi_over_r)
{
    double eps = sqrt(pot->param[2 * a] * pot->param[2 * b]);
    double sig = 0.5 * (pot->param[2 * a + 1] + pot->param[2 * b + 1]);
    double rc2 = pot->rc * pot->rc, x2 = sig * sig / r2, x6 = x2 * x2 * x2;
    double q = 1 - r2 / rc2, s = q * q * q, lj = 4 * eps * (x6 * x6 - x6);
    *dphi_over_r = 4 * eps * (-12 * x6 * x6 + 6 * x6) / r2 * s - 6 * q * q / rc2 * lj;
    return lj * s;
}

static mlk_status eval(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i0,
                       size_t i1, mlk_scratch *s, double *u, double *const p[3], mlk_err *e)
{
    (void)s, (void)e;
    for (size_t i = i0; i < i1; i++) {
        u[i] = 0;
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            double r2 = 0, d = 0;
            for (int c = 0; c < 3; c++) r2 += nl->r[c][k] * nl->r[c][k];
            if (r2 < pot->rc * pot->rc) u[i] += 0.5 * pair(pot, type[i], type[nl->j[k]], r2, &d);
            for (int c = 0; c < 3; c++) p[c][k] = 0.5 * d * nl->r[c][k];
        }
    }
    return MLK_OK;
}

/* Parameters enter a pair through eps = sqrt(eps_a eps_b) and sigma = (sigma_a + sigma_b)/2. */
static mlk_status vjp(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i0,
                      size_t i1, const double *ubar, double *const pbar[3], mlk_scratch *s,
                      double *param_bar, mlk_err *e)
{
    (void)s, (void)e;
    double rc2 = pot->rc * pot->rc;
    for (size_t i = i0; i < i1; i++)
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            double r2 = 0, pr = 0, d;
            for (int c = 0; c < 3; c++) {
                r2 += nl->r[c][k] * nl->r[c][k];
                pr += pbar[c][k] * nl->r[c][k];
            }
            if (r2 >= rc2) continue;
            int a = type[i], b = type[nl->j[k]];
            double eps = sqrt(pot->param[2 * a] * pot->param[2 * b]);
            double sig = 0.5 * (pot->param[2 * a + 1] + pot->param[2 * b + 1]);
            double x2 = sig * sig / r2, x6 = x2 * x2 * x2, q = 1 - r2 / rc2, sw = q * q * q;
            double phi = pair(pot, a, b, r2, &d);
            double da =
                4 * eps * (12 * x6 * x6 - 6 * x6) / sig; /* of the unswitched energy by sigma */
            double dphi = da * sw;
            double dd = 4 * eps * (-144 * x6 * x6 + 36 * x6) / sig / r2 * sw - 6 * q * q / rc2 * da;
            double by_eps = 0.5 * (ubar[i] * phi + pr * d) / eps;
            double by_sig = 0.5 * (ubar[i] * dphi + pr * dd);
            param_bar[2 * a] += 0.5 * by_eps * eps / pot->param[2 * a];
            param_bar[2 * b] += 0.5 * by_eps * eps / pot->param[2 * b];
            param_bar[2 * a + 1] += 0.5 * by_sig;
            param_bar[2 * b + 1] += 0.5 * by_sig;
        }
    return MLK_OK;
}

static bool sniff(const char *path, const char *head)
{
    (void)path;
    return !strncmp(head, "lj ", 3);
}

static mlk_status rd(mlk_potential *pot, const char *path, mlk_err *e)
{
    char *text;
    MLK_TRY(mlk_file_slurp(path, &text, NULL, e));
    int n = 0, used = 0, z[MLK_SPECIES_MAX];
    mlk_status s = MLK_OK;
    const char *p = text;
    if (sscanf(p, "lj %d%n", &n, &used) != 1 || n < 1 || n > MLK_SPECIES_MAX) {
        s = MLK_FAIL(e, MLK_EFORMAT, "expected 'lj N El1 ...'");
        goto done;
    }
    p += used;
    for (int t = 0; t < n; t++) {
        char el[8] = "";
        if (sscanf(p, "%7s%n", el, &used) != 1 || !(z[t] = mlk_element_z(el))) {
            s = MLK_FAIL(e, MLK_EFORMAT, "expected %d elements", n);
            goto done;
        }
        p += used;
    }
    hyper *h = pot->hyper;
    if (sscanf(p, "%lf%n", &h->rcut, &used) != 1 || !(h->rcut > 0)) {
        s = MLK_FAIL(e, MLK_EFORMAT, "expected a cutoff");
        goto done;
    }
    p += used;
    MLK_GO(mlk_potential_create(pot, (size_t)n, z, 0, e));
    for (int t = 0; t < n; t++) {
        if (sscanf(p, "%lf %lf%n", &pot->param[2 * t], &pot->param[2 * t + 1], &used) != 2) {
            s = MLK_FAIL(e, MLK_EFORMAT, "expected epsilon and sigma of %d elements", n);
            goto done;
        }
        p += used;
    }
done:
    mlk_free(text);
    return s;
}

static mlk_status wr(const mlk_potential *pot, const char *path, mlk_err *e)
{
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, path, e));
    fprintf(o.fp, "lj %zu", pot->n_species);
    for (size_t t = 0; t < pot->n_species; t++) fprintf(o.fp, " %s", mlk_element_symbol(pot->z[t]));
    fprintf(o.fp, "\n%.17g\n", pot->rc);
    for (size_t t = 0; t < pot->n_species; t++)
        fprintf(o.fp, "%.17g %.17g\n", pot->param[2 * t], pot->param[2 * t + 1]);
    return mlk_out_commit(&o, e);
}

const mlk_potential_type mlk_potential_lj = {
    .name = "lj",
    .summary = "Lennard-Jones pairs (for tests and teaching)",
    .refs = refs,
    .hyper = opts,
    .hyper_size = sizeof(hyper),
    .caps = MLK_CAP_VJP,
    .file = "lj.txt",
    .create = create,
    .sniff = sniff,
    .read = rd,
    .write = wr,
    .eval = eval,
    .vjp = vjp,
};
