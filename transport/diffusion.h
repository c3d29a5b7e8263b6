/* diffusion.h - mean-square displacements and tracer diffusion coefficients of H5MD runs. */
#ifndef MLK_TRANSPORT_DIFFUSION_H
#define MLK_TRANSPORT_DIFFUSION_H

#include <stddef.h>

#include "core/err.h"

enum { MLK_DIFFUSION_MAX = 16 };

typedef struct mlk_diffusion {
    size_t n_species; /* 0: the runs hold no positions */
    char label[MLK_DIFFUSION_MAX][8];
    double count[MLK_DIFFUSION_MAX]; /* atoms */
    double d[MLK_DIFFUSION_MAX];     /* tracer diffusion coefficient [A^2/ps]; 1e-4 cm^2/s */
    double d_err[MLK_DIFFUSION_MAX];
    double plateau[MLK_DIFFUSION_MAX]; /* vibrational: MSD at the shortest lags of the fit [A^2] */
    int mobile[MLK_DIFFUSION_MAX];
    double fit_from, fit_to; /* [ps] */
    size_t n_lag;
    double dt;   /* [ps] */
    double *msd; /* (n_species, n_lag) [A^2] */
} mlk_diffusion;

/* MSD over all time origins of one trajectory (FFT).
 *   n_t, n_atom  frames, atoms
 *   x            (3*n_atom, n_t) unwrapped coordinates, one series per atom and component [A]
 *   n_lag        <= n_t
 *   msd          (n_lag) out, mean over atoms, sum over components [A^2] */
mlk_status mlk_msd(size_t n_t, size_t n_atom, const float *x, size_t n_lag, double *msd,
                   mlk_err *e);
/* All species of one or several runs of the same system. D from the slope between 0.1 and 0.5 of
 * the run; errors from five time blocks or groups of atoms or, with three runs or more, from their
 * spread: the largest.
 * Errors: MLK_EIO, MLK_EFORMAT, MLK_ENUMERIC with the file named; MLK_ENOMEM. */
mlk_status mlk_diffusion_read(mlk_diffusion *d, size_t n_file, const char *const *path, mlk_err *e);
/* Which species are mobile, from d, d_err, plateau and the fit window: the slope is positive at
 * three standard errors, at least a tenth of the fastest (slower ones are framework atoms that
 * libration or rotation of their group lets grow for a while, S of rotating PS4), and adds more
 * than half of the vibrational plateau and 0.25 A^2 to the MSD. For the fastest 1.5 standard errors
 * do: the flux of a bound species vanishes at zero frequency and with it the correction, whereas to
 * leave out one that diffuses leaves kappa at its naive value. */
void mlk_diffusion_judge(mlk_diffusion *d);
void mlk_diffusion_free(mlk_diffusion *d);

#endif
