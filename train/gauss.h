/* gauss.h - minimising a sum of squares in a few thousand parameters with full gradients: L-BFGS
 * that starts from the inverse of the damped Gauss-Newton matrix, (J^T J + mu t I)^-1 with t the
 * mean diagonal element of J^T J, instead of a multiple of one. The matrix makes energies, forces
 * and parameters of all sizes commensurate; the L-BFGS pairs mend what it misses (curvature from a
 * sample of the rows, the nonlinear part).
 * Nocedal, Wright, Numerical Optimization (2006), ch. 7 and 10. */
#ifndef MLK_TRAIN_GAUSS_H
#define MLK_TRAIN_GAUSS_H

#include <stddef.h>

#include "core/err.h"

enum { MLK_GAUSS_MEMORY = 20 };

typedef struct mlk_gauss {
    size_t n;
    double mu;               /* damping, adapted from cycle to cycle */
    double *h, *factor;      /* (n,n) J^T J (upper); Cholesky factor */
    double *g, *d, *xt, *gt; /* (n) gradient, direction, trial point and its gradient */
    double *s, *y;           /* (MEMORY,n) steps and changes of the gradient */
    double rho[MLK_GAUSS_MEMORY];
    size_t n_pair, head;
} mlk_gauss;

typedef struct mlk_gauss_fn {
    void *ctx;
    /* loss *f and its gradient g (n) at x (n); a loss that is not finite is a bad point, no error
     */
    mlk_status (*value)(void *ctx, const double *x, double *f, double *g, mlk_err *e);
    /* h (n,n; upper triangle, zero on entry) += J^T J at x, or an estimate of it */
    mlk_status (*curvature)(void *ctx, const double *x, double *h, mlk_err *e);
} mlk_gauss_fn;

typedef struct mlk_gauss_result {
    double before, after; /* loss */
    int steps;            /* accepted */
    int evaluations;      /* of value() */
} mlk_gauss_result;

mlk_status mlk_gauss_init(mlk_gauss *q, size_t n, mlk_err *e);
void mlk_gauss_free(mlk_gauss *q);
/* One curvature, then up to `steps` steps on x (n), each one downhill; fewer when they no longer
 * pay (relative gain below 1e-5). Carries only mu over to the next cycle. Errors: what the
 * functions return; MLK_ENUMERIC a loss that is not finite at x. */
mlk_status mlk_gauss_cycle(mlk_gauss *q, const mlk_gauss_fn *fn, double *x, int steps,
                           mlk_gauss_result *r, mlk_err *e);

#endif
