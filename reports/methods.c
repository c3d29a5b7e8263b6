/* methods.c - the methods paragraph of a study, with what was actually done, and its references. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/opt.h"
#include "potentials/potential.h"
#include "reports/report.h"
#include "version.h"

typedef struct text {
    char *s;
    size_t n, cap;
    mlk_status st;
} text;

static void put(text *t, mlk_err *e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void put(text *t, mlk_err *e, const char *fmt, ...)
{
    char buf[2000];
    va_list ap;
    if (t->st) return;
    va_start(ap, fmt);
    int n = vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    if (n < 0) return;
    if ((size_t)n >= sizeof buf) n = sizeof buf - 1;
    t->st = MLK_GROW(t->s, t->cap, t->n + (size_t)n + 1, e);
    if (t->st) return;
    memcpy(t->s + t->n, buf, (size_t)n + 1);
    t->n += (size_t)n;
}

/* "2fs" as "2 fs"; buf of 40 */
static const char *spaced(const char *v, char *buf)
{
    size_t n = strspn(v, "0123456789.");
    snprintf(buf, 40, "%.*s %.8s", (int)(n < 24 ? n : 24), v, v + n);
    return buf;
}

static const char *upper(const char *v, char *buf)
{
    size_t k = 0;
    for (; v[k] && k < 31; k++) buf[k] = (char)toupper((unsigned char)v[k]);
    buf[k] = 0;
    return buf;
}

static void models(const mlk_report *r, text *t, mlk_err *e)
{
    for (int m = 0; m < r->n_model; m++) {
        char buf[32];
        int seeds = 0;
        bool first = true;
        for (int k = 0; k < r->n_model; k++) {
            if (strcmp(r->model[k].type, r->model[m].type)) continue;
            seeds++, first &= k >= m;
        }
        if (!first) continue;
        const mlk_potential_type *type = mlk_potential_find(r->model[m].type);
        put(t, e, "%s%d %s model%s", m ? ", " : "", seeds, upper(r->model[m].type, buf),
            seeds > 1 ? "s" : "");
        if (type && type->refs && type->refs[0].citation)
            put(t, e, " (%s)", type->refs[0].citation);
    }
}

mlk_status mlk_report_methods_text(const mlk_report *r, char **out, mlk_err *e)
{
    text t = {0};
    char buf[40];
    const mlk_conf *set = mlk_conf_get(&r->conf, "settings"),
                   *start = mlk_conf_get(&r->conf, "start");
    const mlk_conf *cell = mlk_conf_get(start, "supercell");
    put(&t, e, "Interatomic potentials were fitted with mlkit %s to ", MLK_VERSION);
    if (r->data.there)
        put(&t, e, "%zu density-functional-theory frames of %s (%zu trajectory groups)",
            r->data.n_frame, r->data.species, r->data.n_group);
    else
        put(&t, e, "density-functional-theory data");
    put(&t, e, ": ");
    models(r, &t, e);
    put(&t, e,
        ". Whole trajectory groups were held out for validation. Reference energies of the "
        "elements were "
        "fitted first and are not part of the energy flux.\n\n");
    put(&t, e, "Molecular dynamics used the velocity-Verlet algorithm with a time step of %s",
        spaced(mlk_conf_str(set, "dt", "?"), buf));
    if (cell && cell->n_child == 3)
        put(&t, e, " in a %s×%s×%s supercell of %s atoms", cell->child[0].value,
            cell->child[1].value, cell->child[2].value, mlk_conf_str(start, "atoms", "?"));
    put(&t, e, ". ");
    if (strtod(mlk_conf_str(set, "npt", "0"), NULL) > 0)
        put(&t, e,
            "The cell of each run was first relaxed for %s at %s GPa by %sstochastic cell "
            "rescaling "
            "(Bernetti and Bussi 2020) and then kept at its mean. ",
            spaced(mlk_conf_str(set, "npt", "?"), buf), mlk_conf_str(set, "pressure", "0"),
            strcmp(mlk_conf_str(set, "barostat", "aniso"), "iso") ? "anisotropic " : "isotropic ");
    put(&t, e,
        "Each run was equilibrated for %s with the stochastic velocity rescaling of Bussi, "
        "Donadio and "
        "Parrinello (2007) and sampled in the microcanonical ensemble for",
        spaced(mlk_conf_str(set, "equil", "?"), buf));
    bool same = true;
    for (int m = 0; m < r->n_model; m++) same &= r->model[m].run_ps == r->model[0].run_ps;
    for (int m = 0; m < (same ? 1 : r->n_model); m++) {
        put(&t, e, "%s%.6g ps", m ? ", " : " ", r->model[m].run_ps);
        if (!same) put(&t, e, " (%s)", r->model[m].name);
    }
    put(&t, e,
        ", with %s independent run%s per model and temperature. The energy flux contains the full, "
        "non-symmetric per-atom virial (Fan et al. 2015).\n\n",
        mlk_conf_str(set, "replicas", "?"),
        strcmp(mlk_conf_str(set, "replicas", "1"), "1") ? "s" : "");
    put(&t, e,
        "Thermal conductivities were obtained from the energy and mass fluxes by multi-component "
        "cepstral "
        "analysis (Ercole, Marcolongo and Baroni 2017; Bertossa, Grasselli, Ercole and Baroni "
        "2019): the "
        "naive value from the energy flux alone, κ_naive = L_EE/T², and the Onsager-corrected "
        "value "
        "κ = 1/(T² (L⁻¹)_EE) at zero mass flux of the diffusing species. The models were compared "
        "at "
        "every temperature by Cochran's Q against χ² and by the between-model standard deviation τ "
        "of "
        "DerSimonian and Laird (1986).\n");
    if (t.st) {
        mlk_free(t.s);
        return t.st;
    }
    *out = t.s;
    return MLK_OK;
}

static const char references[] =
    "\n## References\n\n"
    "- Z. Fan, L. F. C. Pereira, H.-Q. Wang, J.-C. Zheng, D. Donadio, A. Harju, Phys. Rev. B 92, "
    "094301 (2015)\n"
    "- G. Bussi, D. Donadio, M. Parrinello, J. Chem. Phys. 126, 014101 (2007)\n"
    "- M. Bernetti, G. Bussi, J. Chem. Phys. 153, 114107 (2020)\n"
    "- L. Ercole, A. Marcolongo, S. Baroni, Sci. Rep. 7, 15835 (2017)\n"
    "- R. Bertossa, F. Grasselli, L. Ercole, S. Baroni, Phys. Rev. Lett. 122, 255901 (2019)\n"
    "- R. DerSimonian, N. Laird, Control. Clin. Trials 7, 177 (1986)\n";

mlk_status mlk_report_methods(const mlk_report *r, mlk_err *e)
{
    char path[1300], *text_ = NULL;
    mlk_out o;
    MLK_TRY(mlk_report_methods_text(r, &text_, e));
    mlk_status s = mlk_out_begin(&o, mlk_path_join(path, sizeof path, r->dir, "methods.md"), e);
    if (!s) {
        fprintf(o.fp, "# Methods\n\n%s%s", text_, references);
        for (int m = 0; m < r->n_model; m++) {
            const mlk_potential_type *type = mlk_potential_find(r->model[m].type);
            bool first = true;
            for (int k = 0; k < m; k++) first &= strcmp(r->model[k].type, r->model[m].type) != 0;
            for (const mlk_ref *ref = type ? type->refs : NULL; first && ref && ref->citation;
                 ref++)
                fprintf(o.fp, "- %s%s%s\n", ref->citation, ref->doi ? ", doi:" : "",
                        ref->doi ? ref->doi : "");
        }
        s = mlk_out_commit(&o, e);
    }
    mlk_free(text_);
    return s;
}
