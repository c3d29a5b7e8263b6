/* temperature.c - see temperature.h. */
#include "transport/temperature.h"

#include <math.h>

#include "core/stats.h"

/* fits are told apart when one is e^2 = 7 times as likely as the other */
static const double told_apart = 4;

const char *mlk_kappa_form_name(mlk_kappa_form form)
{
    static const char *const name[] = {"constant", "A/T", "A/T + B"};
    return name[form];
}

double mlk_kappa_fit_at(const mlk_kappa_fit *f, double T)
{
    return f->a / T + f->b;
}

/* one parameter: kappa = c g(T) with g = 1 or 1/T */
static void one_term(size_t n, const double *g, const double *y, const double *err, double *c,
                     double *c_err)
{
    double gg = 0, gy = 0;
    for (size_t i = 0; i < n; i++) {
        double w = 1 / (err[i] * err[i]);
        gg += w * g[i] * g[i], gy += w * g[i] * y[i];
    }
    *c = gy / gg, *c_err = sqrt(1 / gg);
}

static void judge(mlk_kappa_fit *f, size_t n, int k, const double *T, const double *y,
                  const double *err)
{
    f->there = true;
    for (size_t i = 0; i < n; i++) {
        double d = (y[i] - mlk_kappa_fit_at(f, T[i])) / err[i];
        f->chi2 += d * d;
    }
    f->dof = (double)n - k;
    f->p_value = mlk_chi2_sf(f->chi2, f->dof);
    f->aic = f->chi2 + 2 * k, f->bic = f->chi2 + k * log((double)n);
}

static const char *sentence(const mlk_kappa_t *r)
{
    const mlk_kappa_fit *c = &r->fit[MLK_KAPPA_CONSTANT], *i = &r->fit[MLK_KAPPA_INVERSE],
                        *o = &r->fit[MLK_KAPPA_OFFSET];
    double best = fmax(c->p_value, i->p_value);
    if (o->there) best = fmax(best, o->p_value);
    if (!c->there)
        return "Fewer than three temperatures: the temperature dependence is not fitted.";
    if (best < 0.01)
        return "Neither a constant nor 1/T, nor their sum where it was fitted, describes κ(T).";
    if (!o->there || (r->p_slope >= 0.05 && r->p_offset >= 0.05)) {
        if (r->evidence > told_apart) return "κ falls as 1/T; a constant is much less likely.";
        if (r->evidence < -told_apart)
            return "κ does not depend on temperature within the error bars; 1/T is much less "
                   "likely.";
        return "A constant and 1/T cannot be told apart with these error bars.";
    }
    if (r->p_slope >= 0.05)
        return "κ does not depend on temperature within the error bars; 1/T alone does not "
               "describe it.";
    if (r->p_offset >= 0.05)
        return "κ falls as 1/T; a constant does not describe it, and an offset is not needed.";
    if (o->a < 0) return "κ rises with temperature.";
    return o->b > 0 ? "κ falls with temperature, but less than as 1/T."
                    : "κ falls with temperature faster than as 1/T.";
}

mlk_status mlk_kappa_of_t(size_t n, const double *T, const double *kappa, const double *err,
                          mlk_kappa_t *out, mlk_err *e)
{
    enum { MOST = 256 };
    double one[MOST], inv[MOST], w[MOST];
    *out = (mlk_kappa_t){.n = n, .evidence = NAN, .p_slope = NAN, .p_offset = NAN};
    if (n > MOST) return MLK_FAIL(e, MLK_EINVAL, "more than %d temperatures", MOST);
    for (size_t i = 0; i < n; i++) {
        if (!(T[i] > 0) || !isfinite(T[i]) || !isfinite(kappa[i]) || !(err[i] > 0) ||
            !isfinite(err[i]))
            return MLK_FAIL(e, MLK_EINVAL, "kappa %g +- %g at %g K cannot be fitted", kappa[i],
                            err[i], T[i]);
        one[i] = 1, inv[i] = 1 / T[i], w[i] = 1 / (err[i] * err[i]);
    }
    if (n >= 3) {
        mlk_kappa_fit *c = &out->fit[MLK_KAPPA_CONSTANT], *i = &out->fit[MLK_KAPPA_INVERSE];
        one_term(n, one, kappa, err, &c->b, &c->b_err), judge(c, n, 1, T, kappa, err);
        one_term(n, inv, kappa, err, &i->a, &i->a_err), judge(i, n, 1, T, kappa, err);
        out->evidence = c->aic - i->aic;
        mlk_line line = mlk_line_fit(n, inv, kappa, w);
        if (n >= 4 && isfinite(line.a)) {
            mlk_kappa_fit *o = &out->fit[MLK_KAPPA_OFFSET];
            o->a = line.b, o->a_err = line.b_err, o->b = line.a, o->b_err = line.a_err;
            judge(o, n, 2, T, kappa, err);
            out->p_slope = mlk_chi2_sf(c->chi2 - o->chi2, 1);
            out->p_offset = mlk_chi2_sf(i->chi2 - o->chi2, 1);
        }
    }
    out->statement = sentence(out);
    return MLK_OK;
}
