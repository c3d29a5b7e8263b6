/* converge.c - see converge.h. */
#include "transport/converge.h"

#include <math.h>
#include <string.h>

#include "transport/derive.h"

/* fl: resampled already */
static mlk_status one(mlk_converge *c, size_t k, const mlk_onsager *on, const mlk_flux *fl,
                      const mlk_onsager_opts *o, mlk_err *e)
{
    mlk_flux first = {0};
    mlk_spectra sp = {0};
    mlk_cepstral n = {0}, r = {0};
    mlk_err short_run = {0}; /* too little data is no error here */
    mlk_status s;
    MLK_GO(mlk_flux_first(&first, fl, k + 1, &short_run));
    size_t p = mlk_onsager_pieces(o, &first, on->m, 1);
    MLK_GO(mlk_spectra_init(&sp, &first, 1, p, &short_run));
    MLK_GO(mlk_onsager_analyse(&sp, &on->choice, o, &n, &r, &short_run));
    c->naive[k] = 0.5 * on->kappa_scale * exp(n.ln_s0);
    c->naive_err[k] = c->naive[k] * n.sigma * on->error_scale;
    c->kappa[k] = 0.5 * on->kappa_scale * exp(r.ln_s0);
    c->kappa_err[k] = c->kappa[k] * r.sigma * on->error_scale;
done:
    mlk_cepstral_free(&n);
    mlk_cepstral_free(&r);
    mlk_spectra_free(&sp);
    mlk_flux_free(&first);
    return s == MLK_ENOMEM ? MLK_FAIL(e, MLK_ENOMEM, "%s", short_run.msg) : MLK_OK;
}

mlk_status mlk_converge_init(mlk_converge *c, const mlk_onsager *on, const mlk_flux *fl,
                             const mlk_onsager_opts *o, double target, mlk_err *e)
{
    memset(c, 0, sizeof *c);
    c->have = (double)fl->n * fl->dt * 1e-3;
    c->target = target;
    double rel = on->kappa_err / on->kappa / target;
    c->need = c->have * rel * rel;
    mlk_flux low = {0};
    MLK_TRY(mlk_flux_resample(&low, fl, on->tskip, e));
    mlk_status s = MLK_OK;
    for (size_t k = 0; k < MLK_CONVERGE; k++) {
        c->t[k] = c->have * (double)(k + 1) / MLK_CONVERGE;
        c->naive[k] = c->naive_err[k] = c->kappa[k] = c->kappa_err[k] = NAN;
        if (k + 1 < MLK_CONVERGE && !s) s = one(c, k, on, &low, o, e);
    }
    mlk_flux_free(&low);
    if (s) return s;
    c->naive[MLK_CONVERGE - 1] = on->kappa_naive,
                            c->naive_err[MLK_CONVERGE - 1] = on->kappa_naive_err;
    c->kappa[MLK_CONVERGE - 1] = on->kappa, c->kappa_err[MLK_CONVERGE - 1] = on->kappa_err;
    return MLK_OK;
}
