/* facts.c - numbers that both the page and the tables for LaTeX show: what the data set holds, and
 * the parts of the Green-Kubo integral. */
#include <math.h>

#include "reports/report.h"

int mlk_report_facts(const mlk_report *r, mlk_report_fact fact[MLK_REPORT_FACTS])
{
    const mlk_report_data *d = &r->data;
    char buf[32];
    double nt = NAN, nv = NAN;
    int n = 0;
    if (!d->there) return 0;
    for (int m = 0; m < r->n_model && !isfinite(nt); m++)
        nt = mlk_json_get_real(r->model[m].train, "n_train", NAN),
        nv = mlk_json_get_real(r->model[m].train, "n_valid", NAN);
#define FACT(what, ...)                                                                            \
    do {                                                                                           \
        fact[n].name = what;                                                                       \
        snprintf(fact[n].value, sizeof fact[n].value, __VA_ARGS__);                                \
        n++;                                                                                       \
    } while (0)
    FACT("frames", "%zu", d->n_frame);
    FACT("trajectory groups", "%zu", d->n_group);
    FACT("elements", "%s", d->species);
    FACT("atoms per frame", d->atoms_min == d->atoms_max ? "%.0f" : "%.0f to %.0f", d->atoms_min,
         d->atoms_max);
    FACT("volume per atom (Å³)", "%.1f to %.1f", d->v_min, d->v_max);
    if (isfinite(d->t_min)) FACT("sampled at (K)", "%.0f to %.0f", d->t_min, d->t_max);
    if (isfinite(d->p_min))
        FACT("pressure without kinetic part (GPa)", "%.1f to %.1f", d->p_min, d->p_max);
    if (isfinite(d->f_rms)) FACT("force, root mean square (eV/Å)", "%s", mlk_sig(d->f_rms, 3, buf));
    if (isfinite(nt)) FACT("frames for training", "%.0f", nt);
    if (isfinite(nv)) FACT("frames held out for validation", "%.0f", nv);
#undef FACT
    return n;
}

static const struct {
    const char *name;
    int a, b;
} part[MLK_REPORT_PARTS] = {{"kinetic", 0, 0},  {"convective", 1, 1}, {"virial", 2, 2},
                            {"kin–conv", 0, 1}, {"kin–vir", 0, 2},    {"conv–vir", 1, 2}};

const char *mlk_report_part(int k)
{
    return part[k].name;
}

bool mlk_report_part_of(const json_t *result, int k, double v[4])
{
    static const char *const key[4] = {"parts_naive", "parts_naive_err", "parts_corrected",
                                       "parts_corrected_err"};
    const json_t *g = json_object_get(result, "green_kubo");
    double both = part[k].a == part[k].b ? 1 : 2; /* the two equal elements of a cross term */
    for (int c = 0; c < 4; c++) {
        const json_t *x =
            json_array_get(json_array_get(json_object_get(g, key[c]), part[k].a), part[k].b);
        v[c] = json_is_number(x) ? both * json_number_value(x) : NAN;
    }
    if (!json_object_get(g, key[0]) && k < 3)
        v[0] = mlk_json_get_real(json_object_get(g, "decomposition"), part[k].name, NAN);
    return isfinite(v[0]);
}

void mlk_report_parts_sum(const json_t *result, double v[4])
{
    static const char *const key[] = {"kappa_naive", "kappa_naive_err", "kappa", "kappa_err"};
    const json_t *gk = json_object_get(result, "green_kubo");
    for (int i = 0; i < 4; i++) v[i] = mlk_json_get_real(gk, key[i], NAN);
}

static bool none_mobile(const json_t *result)
{
    const json_t *list = json_object_get(result, "mobile");
    return list && !json_array_size(list);
}

static void value(const json_t *result, const char *key, const char *err, double v[2])
{
    v[0] = mlk_json_get_real(result, key, NAN), v[1] = mlk_json_get_real(result, err, NAN);
}

void mlk_report_theta(const json_t *result, double v[2])
{
    value(result, "theta", "theta_err", v);
    if (none_mobile(result)) v[0] = v[1] = NAN;
}

void mlk_report_sigma(const json_t *result, double v[2])
{
    if (none_mobile(result))
        value(result, "sigma_einstein", "sigma_einstein_err", v);
    else
        value(result, "sigma_S_m", "sigma_err", v);
}
