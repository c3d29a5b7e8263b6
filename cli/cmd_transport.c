/* cmd_transport.c - mlkit transport: fluxes of one state point -> Onsager matrix and kappa. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "core/element.h"
#include "core/file.h"
#include "core/h5.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "cli/transport_show.h"
#include "reports/report.h"
#include "transport/hac.h"
#include "transport/output.h"
#include "transport/quantities.h"
#include "transport/read.h"
#include "version.h"

typedef struct cfg {
    mlk_common common;
    char out[MLK_OPT_STR_MAX], energy[MLK_OPT_STR_MAX], flux[MLK_OPT_STR_MAX],
        temp_col[MLK_OPT_STR_MAX];
    char mobile[MLK_OPT_STR_MAX], rule[MLK_OPT_STR_MAX], charge[MLK_OPT_STR_MAX],
        fstar[MLK_OPT_STR_MAX];
    char capacity[MLK_OPT_STR_MAX], target[MLK_OPT_STR_MAX], figures[MLK_OPT_STR_MAX];
    double temp, volume, dt, gk_limit, gk_max, at_naive;
    bool extensive, density, tensor, force;
    int units, tskip, pieces, block;
} cfg;

static const mlk_opt opts[] = {
    {"o", MLK_OPT_STR, offsetof(cfg, out), "", 0, 0, "",
     "write the result with all curves as JSON here"},
    {"figures", MLK_OPT_STR, offsetof(cfg, figures), "", 0, 0, "",
     "draw spectra, cut-off, f*, Green-Kubo, gauge, ... into this folder (SVG, PDF, CSV)"},
    {"force", MLK_OPT_FLAG, offsetof(cfg, force), "false", 0, 0, "",
     "replace figures that are there"},
    {"mobile", MLK_OPT_STR, offsetof(cfg, mobile), "auto", 0, 0, "",
     "mass fluxes that enter: Li or Na,Cl; none: naive only"},
    {"rule", MLK_OPT_STR, offsetof(cfg, rule), "auto", 0, 0, "",
     "cepstral cut-off: aic, weighted, K=N (coefficients 0..N) or P=N; auto: average over "
     "shapes of spectra and --pieces"},
    {"fstar", MLK_OPT_STR, offsetof(cfg, fstar), "auto", 0, 0, "",
     "resample to this Nyquist frequency, e.g. 14.3THz"},
    {"tskip", MLK_OPT_INT, offsetof(cfg, tskip), "0", 0, 1000000, "",
     "resample by this factor (0: from --fstar)"},
    {"pieces", MLK_OPT_INT, offsetof(cfg, pieces), "0", 0, 10000, "",
     "average the spectra of so many pieces of each run (0: by --rule)"},
    {"gk-limit", MLK_OPT_TIME, offsetof(cfg, gk_limit), "0", 0, 1e9, "",
     "upper limit of the Green-Kubo integral (0: automatic)"},
    {"gk-max", MLK_OPT_TIME, offsetof(cfg, gk_max), "0", 0, 1e9, "",
     "largest lag of the Green-Kubo curves (0: automatic)"},
    {"charge", MLK_OPT_STR, offsetof(cfg, charge), "auto", 0, 0, "",
     "formal charges Li=1,P=5,S=-2; for tables charge per unit of flux"},
    {"tensor", MLK_OPT_FLAG, offsetof(cfg, tensor), "false", 0, 0, "",
     "print the conductivity tensor also when the directions agree"},
    {"target-error", MLK_OPT_STR, offsetof(cfg, target), "10%", 0, 0, "",
     "relative error of kappa for which the length of the runs is recommended"},
    {"at-naive", MLK_OPT_REAL, offsetof(cfg, at_naive), "0", 0, 1e6, "W/m/K",
     "which energy offset per ion makes this the naive conductivity?"},
    {"heat-capacity", MLK_OPT_STR, offsetof(cfg, capacity), "", 0, 0, "",
     "for the thermal diffusivity: 1.9J/cm3/K or 0.8J/g/K"},
    {"energy", MLK_OPT_STR, offsetof(cfg, energy), "", 0, 0, "",
     "tables: columns of the energy flux, 2-4 or names"},
    {"flux", MLK_OPT_STR, offsetof(cfg, flux), "", 0, 0, "",
     "tables: columns of another flux, Na=5-7; may be repeated"},
    {"temp-col", MLK_OPT_STR, offsetof(cfg, temp_col), "", 0, 0, "",
     "tables: column of the temperature"},
    {"temp", MLK_OPT_REAL, offsetof(cfg, temp), "0", 0, 1e7, "K",
     "temperature (0: as in the input)"},
    {"volume", MLK_OPT_REAL, offsetof(cfg, volume), "0", 0, 1e15, "A^3",
     "tables: volume of the cell"},
    {"dt", MLK_OPT_TIME, offsetof(cfg, dt), "0", 0, 1e9, "", "tables: time between two rows"},
    {"units", MLK_OPT_CHOICE, offsetof(cfg, units), "auto", 0, 0, "auto|metal|real|gpumd|si",
     "tables: units of the fluxes (auto: as the file says, else metal)"},
    {"extensive", MLK_OPT_FLAG, offsetof(cfg, extensive), "false", 0, 0, "",
     "tables: fluxes are not divided by the volume (usual)"},
    {"density", MLK_OPT_FLAG, offsetof(cfg, density), "false", 0, 0, "",
     "tables: fluxes are divided by the volume"},
    {"block", MLK_OPT_INT, offsetof(cfg, block), "0", 0, 1000000, "",
     "LAMMPS logs: which run of the file (0: the last that is not short)"},
    MLK_COMMON_OPTS(cfg),
    {0}};

static const char usage[] =
    "mlkit transport run.h5 [run2.h5 ...] [-o out.json] | mlkit transport TABLE "
    "--energy 2-4 --flux Na=5-7 [options]";
static const char about[] =
    "Onsager matrix and thermal conductivity, naive and corrected for coupled mass transport, "
    "with\n"
    "error bars, from the fluxes of one state point. Several runs are replicas and are pooled.\n"
    "Reads H5MD runs of 'mlkit md' (also while they run), LAMMPS logs, fix ave/time, GPUMD\n"
    "compute.out and hac.out, and plain tables of any program (.gz; '-' is stdin), and says what\n"
    "it took from where.";
static const char example[] =
    "mlkit transport nacl.dat.gz --energy 2-4 --flux Na=5-7 --temp-col 1 --volume 65013.3 --dt 5fs";

/* several --flux become one, joined by ';' (an option table row holds one value) */
static mlk_status join_flux(int *argc, char **argv, char *buf, size_t cap, mlk_err *e)
{
    int n = 1;
    size_t len = 0;
    for (int i = 1; i < *argc; i++) {
        const char *v = NULL;
        if (!strcmp(argv[i], "--flux") && i + 1 < *argc)
            v = argv[++i];
        else if (!strncmp(argv[i], "--flux=", 7))
            v = argv[i] + 7;
        if (!v) {
            argv[n++] = argv[i];
            continue;
        }
        len += (size_t)snprintf(buf + len, cap - len, "%s%s", len ? ";" : "", v);
        if (len >= cap) return MLK_FAIL(e, MLK_EINVAL, "the --flux options are too long");
    }
    *argc = n;
    argv[n] = NULL;
    return MLK_OK;
}

/* "Li=1,P=5" -> value of name, false when absent */
static bool assigned(const char *list, const char *name, double *v)
{
    for (const char *p = list; *p;) {
        size_t len = strcspn(p, ",; "), eq = strcspn(p, "=");
        char word[64];
        if (eq < len && eq == strlen(name) && !strncmp(p, name, eq)) {
            snprintf(word, sizeof word, "%.*s", (int)(len - eq - 1), p + eq + 1);
            return mlk_parse_double(word, v);
        }
        p += len;
        p += strspn(p, ",; ");
    }
    return false;
}

/* formal charges per particle and the weights of the charge current */
static mlk_status set_charges(const cfg *c, const mlk_flux *fl, mlk_onsager_opts *o, mlk_err *e)
{
    bool automatic = !strcmp(c->charge, "auto");
    double net = 0, total = 0;
    if (!strcmp(c->charge, "none")) return MLK_OK;
    for (size_t a = 1; a < fl->m; a++) {
        double q = 0;
        bool known = true;
        if (automatic) {
            q = mlk_formal_charge(mlk_element_z(fl->label[a]));
            known = q != 0 && fl->mass[a] > 0;
        } else {
            known = assigned(c->charge, fl->label[a], &q);
            if (known) o->has_charge = 1;
        }
        if (automatic && !known) return MLK_OK;
        o->ion[a] = q;
        o->charge[a] = fl->mass[a] > 0 ? q / fl->mass[a] : q;
        net += q * fl->count[a], total += fabs(q) * fl->count[a];
    }
    if (automatic) {
        o->has_charge = fl->m > 1 && fabs(net) <= 1e-6 * total;
        if (fl->m > 1 && !o->has_charge)
            mlk_log(MLK_LOG_INFO, "usual formal charges do not add up to zero here: no ionic "
                                  "conductivity; give --charge Li=1,...");
        return MLK_OK;
    }
    if (o->has_charge) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "--charge %s names none of the fluxes", c->charge);
    return mlk_err_hint(e, "for example --charge Li=1,P=5,S=-2");
}

static mlk_status set_options(const cfg *c, const mlk_flux *fl, mlk_onsager_opts *o, mlk_err *e)
{
    memset(o, 0, sizeof *o);
    o->tskip = (size_t)c->tskip;
    o->pieces = (size_t)c->pieces;
    o->gk_limit = c->gk_limit, o->gk_max = c->gk_max;
    if (!strcmp(c->rule, "aic")) {
        o->rule = MLK_RULE_AIC;
    } else if (!strcmp(c->rule, "weighted") || !strcmp(c->rule, "auto")) {
        o->pool = !strcmp(c->rule, "auto");
        o->rule = o->pool ? MLK_RULE_SHAPES : MLK_RULE_WEIGHTED;
    } else {
        long p; /* K is the last coefficient kept, P = K + 1 their number */
        bool k = !strncmp(c->rule, "K=", 2);
        if ((!k && strncmp(c->rule, "P=", 2)) || !mlk_parse_long(c->rule + 2, &p) || p < !k)
            return MLK_FAIL(e, MLK_EINVAL,
                            "--rule '%s' is not auto, aic, weighted, K=number or P=number",
                            c->rule);
        o->rule = MLK_RULE_FIXED;
        o->p = (size_t)(p + k);
    }
    if (strcmp(c->fstar, "auto")) {
        char num[64];
        size_t n = strlen(c->fstar);
        if (n > 3 && !strcmp(c->fstar + n - 3, "THz")) n -= 3;
        snprintf(num, sizeof num, "%.*s", (int)(n < 60 ? n : 60), c->fstar);
        if (!mlk_parse_double(num, &o->fstar) || !(o->fstar > 0))
            return MLK_FAIL(e, MLK_EINVAL, "--fstar '%s' is not a frequency such as 14.3THz",
                            c->fstar);
    }
    if (strcmp(c->mobile, "auto"))
        for (const char *p = c->mobile; *p && o->n_mobile < MLK_FLUX_MAX;) {
            size_t len = strcspn(p, ",; ");
            snprintf(o->mobile[o->n_mobile++], sizeof o->mobile[0], "%.*s", (int)len, p);
            p += len;
            p += strspn(p, ",; ");
        }
    return set_charges(c, fl, o, e);
}

/* is the cell of an H5MD run known and not a cube? Then the tensor is of interest. */
static bool not_cubic(const char *path)
{
    static const char set[] = "/particles/all/box/edges";
    mlk_err e = {0};
    mlk_h5 *h = NULL;
    int nd = 0;
    size_t dim[4];
    double c[9], off = 0;
    bool known = !mlk_h5_open(&h, path, "r", &e) && mlk_h5_exists(h, set) &&
                 !mlk_h5_dims(h, set, &nd, dim, &e) && nd == 2 && dim[0] == 3 && dim[1] == 3 &&
                 !mlk_h5_read(h, set, MLK_H5_DOUBLE, c, &e);
    mlk_h5_close(&h, &e);
    for (int i = 0; i < 9 && known; i++) off = fmax(off, fabs(c[i] - (i % 4 ? 0 : c[0])));
    return known && off > 1e-4 * fabs(c[0]);
}

/* number and unit at the end of text: their place in `unit`, -1 for neither */
static int with_unit(const char *text, double *v, const char *const *unit, int n)
{
    char word[64];
    for (int k = 0; k < n; k++) {
        size_t len = strlen(text), u = strlen(unit[k]);
        if (len <= u || len - u >= sizeof word || strcmp(text + len - u, unit[k])) continue;
        snprintf(word, sizeof word, "%.*s", (int)(len - u), text);
        if (mlk_parse_double(word, v) && *v > 0) return k;
    }
    return -1;
}

static mlk_status set_quantities(const cfg *c, mlk_quantity_opts *q, mlk_err *e)
{
    static const char *const capacity[] = {"J/cm3/K", "J/g/K"}, *const percent[] = {"%", ""};
    *q = (mlk_quantity_opts){.given_naive = c->at_naive};
    int k = with_unit(c->target, &q->target, percent, 2);
    if (k == 0) q->target /= 100;
    if (k < 0 || q->target >= 1)
        return MLK_FAIL(e, MLK_EINVAL, "--target-error '%s' is not a share such as 10%%",
                        c->target);
    if (!c->capacity[0]) return MLK_OK;
    k = with_unit(c->capacity, &q->capacity, capacity, 2);
    q->per_gram = k == 1;
    if (k >= 0) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "--heat-capacity '%s' is not a positive number with its unit",
             c->capacity);
    return mlk_err_hint(e, "for example 1.9J/cm3/K or 0.8J/g/K");
}

/* what GPUMD integrated itself: a naive value is all there is */
static mlk_status show_hac(const cfg *c, size_t n, char **path, mlk_err *e)
{
    mlk_hac hc;
    MLK_TRY(mlk_hac_read(&hc, n, path, c->gk_limit, e));
    mlk_log(MLK_LOG_WARN, "hac.out holds the potential part of the heat current, already "
                          "correlated: no correction for mass transport is possible from it; write "
                          "compute.out (compute 0 10 1 jp jk momentum)");
    json_t *j = mlk_hac_json(&hc, c->out[0] || c->common.json);
    mlk_status s = j ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "result");
    if (!s) json_object_set_new(j, "mlkit", json_string(MLK_VERSION));
    if (!s && c->out[0]) s = mlk_json_write(j, c->out, e);
    if (!s && c->common.json) s = mlk_json_write(j, "-", e);
    if (!s && !c->common.json)
        printf("%zu run%s, correlations to %.4g ps\nGreen-Kubo integral to %.3g ps%s: kappa naive "
               "%.4g +- %.2g W/m/K (error from %s)\n",
               hc.n_run, hc.n_run > 1 ? "s" : "", hc.t[hc.n - 1] * 1e-3, hc.t[hc.limit] * 1e-3,
               hc.limit_found ? "" : " (no plateau found)", hc.at, hc.at_err,
               hc.n_run > 1 ? "the runs" : "the three directions");
    json_decref(j);
    mlk_hac_free(&hc);
    return s;
}

mlk_status mlk_cmd_transport(int argc, char **argv, mlk_err *e)
{
    cfg c;
    int n;
    char **words, flux[MLK_OPT_STR_MAX] = "";
    bool done, h5 = false;
    MLK_TRY(join_flux(&argc, argv, flux, sizeof flux, e));
    MLK_TRY(mlk_cmd_begin(opts, &c, argc, argv, NULL, usage, about, example, &n, &words, &done, e));
    if (done) return MLK_OK;
    memcpy(c.flux, flux, sizeof flux);
    if (n == 0) {
        MLK_FAIL(e, MLK_EINVAL, "no input: name one or several runs, or a flux table");
        return mlk_err_hint(e, "%s", example);
    }
    if (mlk_is_hac(words[0])) return show_hac(&c, (size_t)n, words, e);
    mlk_flux fl = {0};
    mlk_onsager on = {0};
    mlk_onsager_opts o;
    mlk_diffusion diff = {0};
    mlk_quantities *q = mlk_alloc(1, sizeof *q);
    mlk_quantity_opts qo;
    json_t *j = NULL;
    if (!q) return MLK_FAIL(e, MLK_ENOMEM, "result");
    mlk_status s;
    const mlk_table_opts t = {.energy = c.energy,
                              .flux = c.flux,
                              .temp_col = c.temp_col,
                              .temperature = c.temp,
                              .volume = c.volume,
                              .dt = c.dt,
                              .units = (mlk_units)c.units,
                              .density = c.density,
                              .extensive = c.extensive,
                              .block = c.block};
    MLK_GO(mlk_transport_read(&fl, (size_t)n, words, &t, &h5, e));
    if (h5) MLK_GO(mlk_diffusion_read(&diff, (size_t)n, (const char *const *)words, e));
    MLK_GO(set_options(&c, &fl, &o, e));
    MLK_GO(set_quantities(&c, &qo, e));
    bool curves = c.out[0] || c.common.json || c.figures[0];
    o.scan = curves;
    MLK_GO(mlk_onsager_init(&on, &fl, &o, &diff, e));
    MLK_GO(mlk_quantities_init(q, &on, &fl, &o, &qo, e));
    j = mlk_transport_json(&on, &fl, &o, &diff, q, curves);
    if (!j) {
        s = MLK_FAIL(e, MLK_ENOMEM, "result");
        goto done;
    }
    json_object_set_new(j, "mlkit", json_string(MLK_VERSION));
    if (c.out[0]) MLK_GO(mlk_json_write(j, c.out, e));
    size_t n_fig = 0;
    if (c.figures[0]) MLK_GO(mlk_report_one(j, words[0], c.figures, c.force, &n_fig, e));
    if (c.common.json)
        s = mlk_json_write(j, "-", e);
    else
        mlk_show_transport(&on, &fl, &o, &diff, q, c.tensor || (h5 && not_cubic(words[0])));
    if (n_fig) mlk_log(MLK_LOG_INFO, "%zu figures in %s", n_fig, c.figures);
done:
    json_decref(j);
    mlk_free(q);
    mlk_onsager_free(&on);
    mlk_diffusion_free(&diff);
    mlk_flux_free(&fl);
    return s;
}
