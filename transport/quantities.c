/* quantities.c - see quantities.h. */
#include "transport/quantities.h"

#include <math.h>
#include <string.h>

#include "core/units.h"

static mlk_status diffusivity(mlk_quantities *q, const mlk_onsager *on, const mlk_flux *fl,
                              const mlk_quantity_opts *qo, mlk_err *e)
{
    q->diffusivity = q->diffusivity_err = NAN;
    if (!(qo->capacity > 0)) return MLK_OK;
    double c = qo->capacity, mass = 0; /* J/(cm^3 K): W/m/K over it is mm^2/s */
    for (size_t a = 1; a < fl->m; a++) mass += fl->mass[a] * fl->count[a];
    if (qo->per_gram && !(mass > 0)) {
        MLK_FAIL(e, MLK_EINVAL, "a heat capacity per gram needs the density, which is not known");
        mlk_err_hint(e, "tables do not hold the masses: give J/cm3/K");
        return e ? e->code : MLK_EINVAL;
    }
    if (qo->per_gram) c *= mass * MLK_AMU_KG * 1e3 / (fl->volume * 1e-24);
    q->diffusivity = on->kappa / c, q->diffusivity_err = on->kappa_err / c;
    return MLK_OK;
}

static void charge(mlk_quantities *q, const mlk_onsager *on, const mlk_flux *fl,
                   const mlk_onsager_opts *o)
{
    double ions = 0;
    q->charge_d = q->charge_d_err = NAN;
    for (size_t i = 1; i < on->m; i++) {
        int a = on->choice.set[i];
        ions += fl->count[a] * o->ion[a] * o->ion[a];
    }
    if (!isfinite(on->sigma) || !(ions > 0)) return;
    /* A^2/ps = 1e3 (A/ps)^2 fs */
    double f = 1e3 * ions * mlk_sigma_scale(MLK_E_C, MLK_KB_SI, fl->temperature, fl->volume);
    q->charge_d = on->sigma / f, q->charge_d_err = on->sigma_err / f;
}

mlk_status mlk_quantities_init(mlk_quantities *q, const mlk_onsager *on, const mlk_flux *fl,
                               const mlk_onsager_opts *o, const mlk_quantity_opts *qo, mlk_err *e)
{
    memset(q, 0, sizeof *q);
    mlk_coupling_init(&q->coupling, on, fl, o);
    mlk_coupling_offset(&q->coupling, on, qo->given_naive, q->offset, &q->offset_err);
    charge(q, on, fl, o);
    MLK_TRY(diffusivity(q, on, fl, qo, e));
    MLK_TRY(mlk_helfand_init(&q->helfand, on, fl, o, e));
    MLK_TRY(mlk_tensor_init(&q->tensor, on, fl, o, e));
    return mlk_converge_init(&q->converge, on, fl, o, qo->target, e);
}
