/* zbl.c - universal ZBL core (J. F. Ziegler, J. P. Biersack, U. Littmark, The Stopping and Range of
 * Ions in Solids, 1985), added to any model:
 *
 *   U_ij = K Zi Zj / r * phi(r (Zi^0.23 + Zj^0.23) A) * S(r),  half of it to each atom,
 *   S = 1 below inner, (1 + cos(pi (r - inner)/(outer - inner)))/2 up to outer, 0 beyond.
 *
 * The constants are those of GPUMD, so that a nep.txt with zbl means the same here; K differs from
 * CODATA 2018 by 3e-8. */
#include <math.h>

#include "core/units.h"
#include "potentials/potential.h"

#define ZBL_K 14.399645 /* e^2/(4 pi eps0) [eV A] */
#define ZBL_A 2.134563  /* inverse screening length [1/A] */

/* Covalent radii [A]: P. Pyykko, M. Atsumi, Chem. Eur. J. 15, 186 (2009), metals reduced by 10 %,
 * times 4/3, as in DFT-D3 (S. Grimme et al., J. Chem. Phys. 132, 154104 (2010)); H to Pu. */
double mlk_covalent_radius(int z)
{
    /* clang-format off */
    static const double r[94] = {
        0.426667, 0.613333, 1.6, 1.25333, 1.02667, 1.0, 0.946667, 0.84, 0.853333, 0.893333,
        1.86667, 1.66667, 1.50667, 1.38667, 1.46667, 1.36, 1.32, 1.28, 2.34667, 2.05333,
        1.77333, 1.62667, 1.61333, 1.46667, 1.42667, 1.38667, 1.33333, 1.32, 1.34667, 1.45333,
        1.49333, 1.45333, 1.53333, 1.46667, 1.52, 1.56, 2.52, 2.22667, 1.96, 1.85333,
        1.76, 1.65333, 1.53333, 1.50667, 1.50667, 1.44, 1.53333, 1.64, 1.70667, 1.68,
        1.68, 1.64, 1.76, 1.74667, 2.78667, 2.34667, 2.16, 1.96, 2.10667, 2.09333,
        2.08, 2.06667, 2.01333, 2.02667, 2.01333, 2.0, 1.98667, 1.98667, 1.97333, 2.04,
        1.94667, 1.82667, 1.74667, 1.64, 1.57333, 1.54667, 1.48, 1.49333, 1.50667, 1.76,
        1.73333, 1.73333, 1.81333, 1.74667, 1.84, 1.89333, 2.68, 2.41333, 2.22667, 2.10667,
        2.02667, 2.04, 2.05333, 2.06667};
    /* clang-format on */
    return z >= 1 && z <= 94 ? r[z - 1] : 2.0;
}

typedef struct core_pair {
    double zz, ainv, inner, outer;
    double c[4], d[4];
} core_pair;

/* table row of a pair of types, or NULL */
static const double *row_of(const mlk_potential *pot, size_t a, size_t b)
{
    if (!pot->zbl.table) return NULL;
    size_t lo = a < b ? a : b, hi = a < b ? b : a;
    return pot->zbl.table + 10 * (lo * pot->n_species - lo * (lo + 1) / 2 + hi);
}

static double radii(const mlk_potential *pot, size_t a, size_t b, double *inner)
{
    const double *t = row_of(pot, a, b);
    *inner = t ? t[0] : pot->zbl.inner;
    double outer = t ? t[1] : pot->zbl.outer;
    if (!t && pot->zbl.typewise) {
        double sum = mlk_covalent_radius(pot->z[a]) + mlk_covalent_radius(pot->z[b]);
        outer = fmin(outer, pot->zbl.typewise_factor * sum);
        *inner = pot->zbl.typewise_inner * outer;
    }
    return outer;
}

static core_pair pair_of(const mlk_potential *pot, size_t a, size_t b)
{
    double za = pot->z[a], zb = pot->z[b];
    core_pair q = {.zz = ZBL_K * za * zb,
                   .ainv = (pow(za, 0.23) + pow(zb, 0.23)) * ZBL_A,
                   .c = {0.18175, 0.50986, 0.28022, 0.02817},
                   .d = {3.1998, 0.94229, 0.4029, 0.20162}};
    q.outer = radii(pot, a, b, &q.inner);
    const double *t = row_of(pot, a, b);
    for (int k = 0; t && k < 4; k++) q.c[k] = t[2 + 2 * k], q.d[k] = t[3 + 2 * k];
    return q;
}

double mlk_zbl_outer(const mlk_potential *pot)
{
    if (!pot->zbl.on) return 0;
    double rc = 0, inner;
    for (size_t a = 0; a < pot->n_species; a++)
        for (size_t b = a; b < pot->n_species; b++) rc = fmax(rc, radii(pot, a, b, &inner));
    return rc;
}

/* pair energy; *d = dU/dr / r */
static double energy(const core_pair *q, double r, double *d)
{
    double x = r * q->ainv, phi = 0, dphi = 0;
    for (int k = 0; k < 4; k++) {
        double t = q->c[k] * exp(-q->d[k] * x);
        phi += t;
        dphi -= q->d[k] * t;
    }
    double u = q->zz * phi / r, du = q->zz * (dphi * q->ainv - phi / r) / r;
    if (r > q->inner) {
        double w = MLK_PI / (q->outer - q->inner), arg = w * (r - q->inner);
        double s = 0.5 + 0.5 * cos(arg), ds = -0.5 * w * sin(arg);
        du = du * s + u * ds;
        u *= s;
    }
    *d = du / r;
    return u;
}

/* up to so many types the constants of all pairs are made once, beyond for each pair */
enum { TYPES = 12 };

void mlk_zbl_add(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i0,
                 size_t i1, double *u, double *const p[3])
{
    core_pair tab[TYPES * TYPES], one;
    size_t nt = pot->n_species <= TYPES ? pot->n_species : 0;
    for (size_t a = 0; a < nt; a++)
        for (size_t b = a; b < nt; b++) tab[a * nt + b] = tab[b * nt + a] = pair_of(pot, a, b);
    const double most = mlk_zbl_outer(pot);
    for (size_t i = i0; i < i1; i++)
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            double r2 = 0, d;
            for (int c = 0; c < 3; c++) r2 += nl->r[c][k] * nl->r[c][k];
            if (r2 >= most * most) continue;
            size_t a = (size_t)type[i], b = (size_t)type[nl->j[k]];
            const core_pair *q = tab + a * nt + b;
            if (!nt) one = pair_of(pot, a, b), q = &one;
            if (r2 >= q->outer * q->outer) continue;
            u[i] += 0.5 * energy(q, sqrt(r2), &d);
            for (int c = 0; c < 3; c++) p[c][k] += 0.5 * d * nl->r[c][k];
        }
}
