/* synthetic.h - Gaussian fluxes whose Onsager matrix is known exactly: linear stochastic processes.
 */
#ifndef MLK_TESTS_SYNTHETIC_H
#define MLK_TESTS_SYNTHETIC_H

#include <stddef.h>
#include <stdint.h>

#include "core/flux.h"

/* Exact integrals (flux unit^2 fs) of the cases below. */
#define SYN_A_NAIVE 2.941203215547909e7
#define SYN_A_CORRECTED 1.0514777371842068e7
#define SYN_A_EM -9.601014366835001e3
#define SYN_A_MM 4.877929515560617
#define SYN_B_NAIVE 1827.2930173238346
#define SYN_B_ONE 1147.6142380558845
#define SYN_B_CORRECTED 952.3809523809501
#define SYN_C 2.5005208116332e7

/* 'A': two coupled fluxes with an optical mode (dt 5 fs); 'B': three fluxes, vector autoregression
 * (dt 1 fs); 'C': a second flux that does not diffuse (5 fs); 'D': A with a linearly dependent
 * third flux and a zero fourth one. Further ones, 5 fs, that no method was tuned on: 'O' A with the
 * mode at 2 THz; 'P', 'Q' a peak 80 GHz wide at zero frequency that carries half and most of the
 * integral; 'S' one flux only; 'a' one Cartesian component of A.
 * n samples per run, `runs` independent runs. T = 1400 K, V =
 * 65013.301261 A^3. Aborts the test when memory is exhausted. Free with mlk_flux_free. */
void syn_flux(mlk_flux *fl, char which, size_t n, size_t runs, uint64_t seed);

/* Two anisotropic fluxes whose components are coupled with each other: nine relaxing blocks with
 * different weights in every component (dt 5 fs, T and V as above). naive, kappa (3,3): the exact
 * tensors, the energy alone and corrected by all three components of the mass flux [flux^2 fs].
 * coupling scales what the fluxes share: 1 as meant, 0 none (kappa = naive). */
void syn_tensor(mlk_flux *fl, size_t n, uint64_t seed, double coupling, double naive[9],
                double kappa[9]);
/* Exact integral of the energy flux of a case, reduced by the other fluxes (m = 1: not). */
double syn_exact(char which, size_t m);

/* Write an H5MD run as 'mlkit md' does: 12 Li that diffuse (independent Ornstein-Uhlenbeck
 * velocities, D = SYN_RUN_D), 8 P and 26 S that only vibrate, total momentum zero, 650 K, fluxes
 * every 5 fs, positions every 50 fs; the energy flux follows the Li flux and has noise of its own.
 * n flux samples. */
#define SYN_RUN_D 3.8939 /* A^2/ps: kB T/m x 50 fs */
void syn_h5md(const char *path, size_t n, uint64_t seed);

#endif
