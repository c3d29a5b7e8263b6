/* diffusion.c - see diffusion.h. */
#include "transport/diffusion.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/element.h"
#include "core/fft.h"
#include "core/h5.h"
#include "core/mem.h"
#include "core/stats.h"

static const char POS[] = "/particles/all/position/value";
enum { BLOCKS = 5, GROUPS = 8, CHUNK = 64 };

/* MSD(k) = S1(k) - 2 S2(k): S2 from the autocorrelation by FFT, S1 from running sums of squares.
 * Positions are taken relative to the first frame, which keeps the cancellation harmless. */
mlk_status mlk_msd(size_t n_t, size_t n_atom, const float *x, size_t n_lag, double *msd, mlk_err *e)
{
    if (n_lag < 1 || n_lag > n_t || n_atom == 0)
        return MLK_FAIL(e, MLK_EINVAL, "MSD of %zu frames up to lag %zu", n_t, n_lag);
    size_t nfft = mlk_fft_good_size(n_t + n_lag), nf = nfft / 2 + 1;
    mlk_fft fwd = {0}, inv = {0};
    double *power = mlk_alloc(nf, sizeof *power), *sq = mlk_alloc(n_t, sizeof *sq);
    mlk_status s = MLK_OK;
    if (!power || !sq) {
        s = MLK_FAIL(e, MLK_ENOMEM, "MSD of %zu frames", n_t);
        goto done;
    }
    MLK_GO(mlk_fft_init(&fwd, MLK_FFT_R2C, nfft, e));
    MLK_GO(mlk_fft_init(&inv, MLK_FFT_C2R, nfft, e));
    memset(fwd.in + n_t, 0, (nfft - n_t) * sizeof(double));
    for (size_t i = 0; i < 3 * n_atom; i++) {
        const float *xi = x + i * n_t;
        for (size_t t = 0; t < n_t; t++) {
            double v = (double)xi[t] - (double)xi[0];
            fwd.in[t] = v;
            sq[t] += v * v;
        }
        mlk_fft_execute(&fwd);
        for (size_t k = 0; k < nf; k++)
            power[k] += fwd.out[2 * k] * fwd.out[2 * k] + fwd.out[2 * k + 1] * fwd.out[2 * k + 1];
    }
    for (size_t k = 0; k < nf; k++) inv.in[2 * k] = power[k], inv.in[2 * k + 1] = 0;
    mlk_fft_execute(&inv);
    double sum = 0;
    for (size_t t = 0; t < n_t; t++) sum += 2 * sq[t];
    for (size_t k = 0; k < n_lag; k++) {
        if (k > 0) sum -= sq[k - 1] + sq[n_t - k];
        double v = (sum - 2 * inv.out[k] / (double)nfft) / ((double)(n_t - k) * (double)n_atom);
        msd[k] = k == 0 || v < 0 ? 0 : v;
    }
done:
    mlk_fft_free(&fwd);
    mlk_fft_free(&inv);
    mlk_free(power);
    mlk_free(sq);
    return s;
}

/* slope/6 of an MSD between 0.1 and 0.5 of len frames [A^2/ps] */
static double einstein(size_t len, const double *msd, double dt)
{
    double sw = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    size_t lo = len / 10, hi = len / 2;
    if (lo < 1) lo = 1;
    for (size_t k = lo; k < hi; k++) { /* the variance of an MSD grows with the lag */
        double t = (double)k * dt, w = 1 / t;
        sw += w, sx += w * t, sy += w * msd[k], sxx += w * t * t, sxy += w * t * msd[k];
    }
    double det = sw * sxx - sx * sx;
    return det > 0 ? (sw * sxy - sx * sy) / det / 6 : NAN;
}

typedef struct traj {
    size_t n_t, n_atom;
    double dt; /* [ps] */
    int *z;    /* (n_atom) */
    float *x;  /* (3*n_atom, n_t), atoms ordered by species */
} traj;

static void traj_free(traj *t)
{
    mlk_free(t->z);
    mlk_free(t->x);
    memset(t, 0, sizeof *t);
}

/* spacing of frames [ps]: H5MD time as one number (fixed interval) or one per frame */
static mlk_status frame_interval(mlk_h5 *h, const char *path, double *dt, mlk_err *e)
{
    static const char set[] = "/particles/all/position/time";
    int nd;
    size_t dim[4];
    double t[2];
    char unit[16] = "fs";
    MLK_TRY(mlk_h5_dims(h, set, &nd, dim, e));
    if (nd == 0) {
        MLK_TRY(mlk_h5_read(h, set, MLK_H5_DOUBLE, t, e));
        *dt = t[0];
    } else {
        MLK_TRY(mlk_h5_read_rows(h, set, MLK_H5_DOUBLE, 0, 2, t, e));
        *dt = t[1] - t[0];
    }
    if (mlk_h5_attr_exists(h, set, "unit"))
        MLK_TRY(mlk_h5_attr_str(h, set, "unit", unit, sizeof unit, e));
    if (!strcmp(unit, "fs")) *dt *= 1e-3;
    if (*dt > 0) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "'%s': frames are %g ps apart", set, *dt);
    return mlk_err_at(e, path, 0);
}

static mlk_status traj_read(traj *t, const char *path, mlk_err *e)
{
    mlk_h5 *h = NULL;
    float *row = NULL;
    size_t *place = NULL;
    int nd;
    size_t dim[4];
    mlk_status s;
    MLK_GO(mlk_h5_open(&h, path, "r", e));
    if (!mlk_h5_exists(h, POS) || !mlk_h5_exists(h, "/particles/all/species")) goto done;
    MLK_GO(mlk_h5_dims(h, POS, &nd, dim, e));
    if (nd != 3 || dim[2] != 3 || dim[0] < 40) goto done; /* too short for a slope: no diffusion */
    size_t na = dim[1], all = dim[0];
    /* at most 2^27 coordinates (512 MB) are held; longer trajectories are thinned */
    size_t skip = 1;
    while (3 * na * (all / skip) > (size_t)1 << 27) skip++;
    t->n_t = all / skip;
    MLK_GO(mlk_h5_dims(h, "/particles/all/species", &nd, dim, e));
    if (nd != 1 || dim[0] != na) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu species for %zu atoms", dim[0], na);
        s = mlk_err_at(e, path, 0);
        goto done;
    }
    MLK_GO(frame_interval(h, path, &t->dt, e));
    t->dt *= (double)skip;
    t->z = mlk_alloc(na, sizeof *t->z);
    t->x = mlk_alloc(3 * na * t->n_t, sizeof *t->x);
    row = mlk_alloc(3 * na * CHUNK, sizeof *row);
    place = mlk_alloc(na, sizeof *place);
    if (!t->z || !t->x || !row || !place) {
        s = MLK_FAIL(e, MLK_ENOMEM, "positions of %zu atoms in %zu frames", na, t->n_t);
        goto done;
    }
    MLK_GO(mlk_h5_read(h, "/particles/all/species", MLK_H5_INT, t->z, e));
    size_t next = 0; /* atoms of a species side by side, in order of atomic number */
    for (int z = 0; z <= MLK_ELEMENT_MAX; z++)
        for (size_t i = 0; i < na; i++)
            if (t->z[i] == z) place[i] = next++;
    for (size_t f0 = 0; f0 < all; f0 += CHUNK) {
        size_t nf = all - f0 < CHUNK ? all - f0 : CHUNK;
        MLK_GO(mlk_h5_read_rows(h, POS, MLK_H5_FLOAT, f0, nf, row, e));
        for (size_t f = f0; f < f0 + nf; f++) {
            if (f % skip || f / skip >= t->n_t) continue;
            for (size_t k = 0; k < 3 * na; k++) {
                float v = row[(f - f0) * 3 * na + k];
                if (!isfinite(v)) {
                    MLK_FAIL(e, MLK_ENUMERIC, "position of atom %zu in frame %zu is not finite",
                             k / 3 + 1, f + 1);
                    s = mlk_err_at(e, path, 0);
                    goto done;
                }
                t->x[(3 * place[k / 3] + k % 3) * t->n_t + f / skip] = v;
            }
        }
    }
    t->n_atom = na;
done:
    mlk_free(row);
    mlk_free(place);
    mlk_err late = {0};
    mlk_h5_close(&h, &late);
    if (s) traj_free(t);
    return s;
}

/* one species of one run: MSD added to sum, D and its error within the run */
static mlk_status species_run(const traj *t, size_t first, size_t n, size_t n_lag, double *sum,
                              double *d, double *d_err, mlk_err *e)
{
    size_t len = t->n_t / BLOCKS, nb = 0, ng = n < GROUPS ? n : GROUPS;
    double *msd = mlk_alloc(t->n_t, sizeof *msd), db[BLOCKS], dg[GROUPS];
    float *x = mlk_alloc(3 * n * len, sizeof *x);
    mlk_status s = MLK_OK;
    if (!msd || !x) {
        s = MLK_FAIL(e, MLK_ENOMEM, "MSD of %zu atoms", n);
        goto done;
    }
    const float *x0 = t->x + 3 * first * t->n_t;
    MLK_GO(mlk_msd(t->n_t, n, x0, n_lag, msd, e));
    for (size_t k = 0; k < n_lag; k++) sum[k] += msd[k];
    *d = einstein(t->n_t, msd, t->dt);
    for (; nb < BLOCKS && len >= 20; nb++) {
        for (size_t i = 0; i < 3 * n; i++)
            memcpy(x + i * len, x0 + i * t->n_t + nb * len, len * sizeof *x);
        MLK_GO(mlk_msd(len, n, x, len / 2 + 1, msd, e));
        db[nb] = einstein(len, msd, t->dt);
    }
    for (size_t g = 0; g < ng; g++) {
        size_t lo = g * n / ng, hi = (g + 1) * n / ng;
        MLK_GO(mlk_msd(t->n_t, hi - lo, x0 + 3 * lo * t->n_t, n_lag, msd, e));
        dg[g] = einstein(t->n_t, msd, t->dt);
    }
    *d_err = fmax(mlk_sem(nb, db), mlk_sem(ng, dg));
done:
    mlk_free(msd);
    mlk_free(x);
    return s;
}

void mlk_diffusion_judge(mlk_diffusion *d)
{
    double fastest = 0;
    for (size_t k = 0; k < d->n_species; k++) fastest = fmax(fastest, d->d[k]);
    for (size_t k = 0; k < d->n_species; k++) {
        double growth = 6 * d->d[k] * (d->fit_to - d->fit_from);
        double sure = d->d[k] == fastest ? 1.5 : 3;
        d->mobile[k] = d->d[k] > sure * d->d_err[k] && d->d[k] > 0.1 * fastest &&
                       growth > fmax(0.25, 0.5 * d->plateau[k]);
    }
}

mlk_status mlk_diffusion_read(mlk_diffusion *d, size_t n_file, const char *const *path, mlk_err *e)
{
    memset(d, 0, sizeof *d);
    traj t = {0};
    mlk_status s = MLK_OK;
    size_t used = 0, cap = MLK_DIFFUSION_MAX * n_file;
    double *dr = mlk_alloc(2 * cap, sizeof *dr), *er = dr ? dr + cap : NULL;
    if (!dr) return MLK_FAIL(e, MLK_ENOMEM, "diffusion of %zu runs", n_file);
    for (size_t f = 0; f < n_file; f++) {
        MLK_GO(traj_read(&t, path[f], e));
        if (t.n_t == 0 || t.n_atom == 0) {
            traj_free(&t);
            continue;
        }
        if (used == 0) {
            d->dt = t.dt;
            d->n_lag = t.n_t / 2 + 1;
            d->msd = mlk_alloc(MLK_DIFFUSION_MAX * d->n_lag, sizeof *d->msd);
            if (!d->msd) {
                s = MLK_FAIL(e, MLK_ENOMEM, "MSD");
                goto done;
            }
            d->fit_from = 0.1 * (double)t.n_t * t.dt, d->fit_to = 0.5 * (double)t.n_t * t.dt;
        } else if (fabs(t.dt - d->dt) > 1e-9 * d->dt || t.n_t / 2 + 1 < d->n_lag) {
            traj_free(&t); /* another frame spacing or a shorter run does not enter the mean */
            continue;
        }
        size_t k = 0, first = 0;
        for (int z = 0; z <= MLK_ELEMENT_MAX; z++) {
            size_t n = 0;
            for (size_t i = 0; i < t.n_atom; i++) n += t.z[i] == z;
            if (n == 0) continue;
            if (k == MLK_DIFFUSION_MAX) break;
            snprintf(d->label[k], sizeof d->label[k], "%s", mlk_element_symbol(z));
            d->count[k] = (double)n;
            MLK_GO(species_run(&t, first, n, d->n_lag, d->msd + k * d->n_lag,
                               dr + k * n_file + used, er + k * n_file + used, e));
            first += n;
            k++;
        }
        d->n_species = k;
        used++;
        traj_free(&t);
    }
    for (size_t k = 0; k < d->n_species; k++) {
        double within = 0, *v = dr + k * n_file;
        for (size_t r = 0; r < used; r++) within += er[k * n_file + r] * er[k * n_file + r];
        d->d[k] = mlk_mean(used, v);
        /* few runs may agree by chance: never less than what the runs themselves say */
        d->d_err[k] = fmax(used >= 3 ? mlk_sem(used, v) : 0, sqrt(within) / (double)used);
        for (size_t i = 0; i < d->n_lag; i++) d->msd[k * d->n_lag + i] /= (double)used;
        size_t early = (size_t)(fmin(1.0, d->fit_from) / d->dt);
        d->plateau[k] = d->msd[k * d->n_lag + (early < d->n_lag ? early : d->n_lag - 1)];
    }
    mlk_diffusion_judge(d);
done:
    traj_free(&t);
    mlk_free(dr);
    if (s) mlk_diffusion_free(d);
    return s;
}

void mlk_diffusion_free(mlk_diffusion *d)
{
    mlk_free(d->msd);
    memset(d, 0, sizeof *d);
}
