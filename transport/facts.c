/* facts.c - see facts.h. */
#include "transport/facts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/units.h"

void mlk_units_factors(mlk_units u, double *energy, double *velocity)
{
    static const double kcal_mol =
        4184.0 / 6.02214076e23 / MLK_E_C; /* thermochemical kcal/mol [eV] */
    *energy = *velocity = 1;
    switch (u) {
    case MLK_UNITS_AUTO:
    case MLK_UNITS_METAL:
        break;
    case MLK_UNITS_REAL:
        *energy = kcal_mol * 1e3, *velocity = 1e3;
        break;
    /* natural units: eV A/tau and A/tau */
    case MLK_UNITS_GPUMD:
        *energy = 1 / MLK_TAU_PS, *velocity = 1 / MLK_TAU_PS;
        break;
    /* J m/s and m/s */
    case MLK_UNITS_SI:
        *energy = 1e-2 / MLK_E_C, *velocity = 1e-2;
        break;
    }
}

mlk_units mlk_facts_units(const mlk_facts *f, const mlk_table_opts *o)
{
    if (o->units != MLK_UNITS_AUTO) return o->units;
    return f->units != MLK_UNITS_AUTO ? f->units : MLK_UNITS_METAL;
}

mlk_status mlk_facts_enough(const mlk_facts *f, const mlk_sampler *r, const mlk_table_opts *o,
                            mlk_err *e)
{
    if (!(o->temperature > 0) && r->temperature < 0 && f->temperature == 0) {
        MLK_FAIL(e, MLK_EINVAL, "%s: the temperature is not known", r->path);
        return mlk_err_hint(e, "give --temp 650 or --temp-col 1");
    }
    if (!(o->dt > 0) && f->dt == 0 && r->step < 0) {
        MLK_FAIL(e, MLK_EINVAL, "%s: the time between two rows is not known", r->path);
        return mlk_err_hint(e, "give --dt 5fs");
    }
    if (!(o->volume > 0) && r->volume[0] < 0 && f->volume == 0) {
        MLK_FAIL(e, MLK_EINVAL, "%s: the volume of the cell is not known", r->path);
        return mlk_err_hint(e, "give --volume in A^3");
    }
    return MLK_OK;
}

static mlk_status settle_dt(const mlk_facts *f, mlk_flux *fl, const mlk_sampler *r,
                            const mlk_columns *c, const mlk_table_opts *o, const char **from,
                            mlk_err *e)
{
    if (o->dt > 0) {
        fl->dt = o->dt, *from = "--dt";
    } else if (r->every > 0 && f->step > 0) {
        fl->dt = r->every * f->step,
        *from = c && c->time ? "time column" : "step column x timestep";
    } else if (f->dt > 0) {
        fl->dt = f->dt, *from = f->dt_from;
    } else {
        MLK_FAIL(e, MLK_EINVAL, "%s: the time between two rows is not known", r->path);
        return mlk_err_hint(e, "rows are %g steps apart: give --dt, so many times the time step",
                            r->every);
    }
    return MLK_OK;
}

static mlk_status settle_volume(const mlk_facts *f, mlk_flux *fl, const mlk_sampler *r,
                                const mlk_table_opts *o, const char **from, mlk_err *e)
{
    if (o->volume > 0)
        fl->volume = o->volume, *from = "--volume";
    else if (r->volume[0] >= 0)
        fl->volume = mlk_sampler_volume(r),
        *from = r->volume[1] < 0 ? "mean of its column" : "columns Lx Ly Lz";
    else
        fl->volume = f->volume, *from = f->volume_from;
    if (fl->volume > 0 && isfinite(fl->volume)) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "volume %g A^3 (%s): not positive", fl->volume, *from);
    mlk_err_hint(e, "give --volume in A^3");
    return mlk_err_at(e, r->path, 0);
}

static mlk_status settle_temperature(const mlk_facts *f, mlk_flux *fl, const mlk_sampler *r,
                                     const mlk_table_opts *o, const char **from, mlk_err *e)
{
    if (o->temperature > 0)
        fl->temperature = o->temperature, *from = "--temp";
    else if (r->temperature >= 0)
        fl->temperature = mlk_sampler_temperature(r), *from = "mean of its column";
    else
        fl->temperature = f->temperature, *from = f->temperature_from;
    if (fl->temperature > 0 && isfinite(fl->temperature)) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "mean temperature %g K", fl->temperature);
    mlk_err_hint(e, "is --temp-col the right column?");
    return mlk_err_at(e, r->path, 0);
}

static void scale(mlk_flux *fl, size_t a, double f)
{
    for (size_t c = 0; c < fl->nc; c++) {
        double *x = mlk_flux_series(fl, a, c);
        for (size_t t = 0; t < fl->n; t++) x[t] *= f;
        mlk_flux_release(fl);
    }
}

static void tell(const mlk_facts *f, const mlk_flux *fl, const mlk_sampler *r, const mlk_columns *c,
                 const mlk_table_opts *o, const char *const from[3])
{
    static const char *const name[] = {"metal", "metal", "real", "gpumd", "si"};
    char what[900] = "", one[200];
    size_t len = 0;
    for (size_t a = 0; c && a < c->m && len < sizeof what; a++)
        len += (size_t)snprintf(what + len, sizeof what - len, "%s%s: %s", a ? "; " : "",
                                c->label[a], mlk_columns_tell(c, a, one, sizeof one));
    mlk_log(MLK_LOG_INFO, "%s: %s, %zu rows%s%s", r->path, f->kind, fl->n, c ? "; " : "", what);
    bool given = o->units != MLK_UNITS_AUTO, density = o->density || (f->density && !o->extensive);
    mlk_log(MLK_LOG_INFO,
            "  units %s (%s), energy flux %s (%s); %g fs between rows (%s); T = %.2f K (%s); V = "
            "%.6g A^3 (%s)",
            name[mlk_facts_units(f, o)],
            given                        ? "--units"
            : f->units != MLK_UNITS_AUTO ? f->units_from
                                         : "assumed",
            density ? "divided by the volume" : "extensive",
            o->density        ? "--density"
            : o->extensive    ? "--extensive"
            : f->density_from ? f->density_from
                              : "assumed",
            fl->dt, from[0], fl->temperature, from[1], fl->volume, from[2]);
}

mlk_status mlk_facts_settle(const mlk_facts *f, mlk_flux *fl, const mlk_sampler *r,
                            const mlk_columns *c, const mlk_table_opts *o, mlk_err *e)
{
    const char *from[3];
    MLK_TRY(mlk_facts_enough(f, r, o, e));
    MLK_TRY(settle_dt(f, fl, r, c, o, &from[0], e));
    MLK_TRY(settle_temperature(f, fl, r, o, &from[1], e));
    MLK_TRY(settle_volume(f, fl, r, o, &from[2], e));
    if (o->density || (f->density && !o->extensive)) scale(fl, 0, fl->volume);
    for (size_t a = 1; a < fl->m && o->density; a++) scale(fl, a, fl->volume);
    tell(f, fl, r, c, o, from);
    return MLK_OK;
}
