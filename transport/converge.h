/* converge.h - the conductivities from the first eighth, quarter, ... of the data, and how long the
 * runs must be for an error that is asked for. */
#ifndef MLK_TRANSPORT_CONVERGE_H
#define MLK_TRANSPORT_CONVERGE_H

#include "core/err.h"
#include "core/flux.h"
#include "transport/onsager.h"

enum { MLK_CONVERGE = 8 };

typedef struct mlk_converge {
    double t[MLK_CONVERGE];                              /* [ps] of data, all runs together */
    double naive[MLK_CONVERGE], naive_err[MLK_CONVERGE]; /* [W/m/K]; NaN where too little */
    double kappa[MLK_CONVERGE], kappa_err[MLK_CONVERGE];
    double have, need; /* [ps] of data: now, and for a relative error of kappa of `target` */
    double target;
} mlk_converge;

/* The first k/8 of every run at the f* of `on`, k = 1..8; the last is `on` itself. need: the error
 * falls as 1/sqrt(t) at fixed f*. Errors: MLK_ENOMEM. */
mlk_status mlk_converge_init(mlk_converge *c, const mlk_onsager *on, const mlk_flux *fl,
                             const mlk_onsager_opts *o, double target, mlk_err *e);

#endif
