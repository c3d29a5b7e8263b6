/* quantities.h - what follows from one transport analysis: everything but the conductivities. */
#ifndef MLK_TRANSPORT_QUANTITIES_H
#define MLK_TRANSPORT_QUANTITIES_H

#include "transport/converge.h"
#include "transport/coupling.h"
#include "transport/helfand.h"
#include "transport/onsager.h"
#include "transport/tensor.h"

typedef struct mlk_quantity_opts {
    double target;      /* relative error of kappa for which the length is recommended */
    double capacity;    /* heat capacity, 0 when unknown */
    int per_gram;       /* capacity is in J/(g K), else J/(cm^3 K) */
    double given_naive; /* conductivity whose energy offset is wanted [W/m/K], 0 none */
} mlk_quantity_opts;

typedef struct mlk_quantities {
    mlk_coupling coupling;
    mlk_helfand helfand;
    mlk_tensor tensor;
    mlk_converge converge;
    double offset[2], offset_err;        /* eV per ion at which kappa_naive is as given; NaN */
    double diffusivity, diffusivity_err; /* kappa / heat capacity [mm^2/s]; NaN */
    double charge_d, charge_d_err;       /* of the charge, from sigma [A^2/ps]; NaN */
} mlk_quantities;

/* Errors: MLK_EINVAL a heat capacity per gram where the masses are not known; those of the parts.
 */
mlk_status mlk_quantities_init(mlk_quantities *q, const mlk_onsager *on, const mlk_flux *fl,
                               const mlk_onsager_opts *o, const mlk_quantity_opts *qo, mlk_err *e);

#endif
