/* methods.c - the methods paragraph of a study, with what was actually done, and its references:
 * for the page, as Markdown, as LaTeX with BibTeX. A passage that reads differently in LaTeX stands
 * in the text twice, as \001 LaTeX \002 plain \003. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
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

/* ---- references ---- */

/* Of the methods, where the text cites them; those of the models stand with the models. */
typedef enum when { ALWAYS, WITH_NPT, WITH_SEVERAL /* models */ } when;

static const struct {
    when when;
    mlk_ref ref;
} own[] = {
    {ALWAYS,
     {"Z. Fan, L. F. C. Pereira, H.-Q. Wang, J.-C. Zheng, D. Donadio, A. Harju, Phys. Rev. B 92, "
      "094301 (2015)",
      "10.1103/PhysRevB.92.094301",
      "Force and heat current formulas for many-body potentials in molecular dynamics simulations "
      "with applications to thermal conductivity calculations"}},
    {ALWAYS,
     {"G. Bussi, D. Donadio, M. Parrinello, J. Chem. Phys. 126, 014101 (2007)", "10.1063/1.2408420",
      "Canonical sampling through velocity rescaling"}},
    {WITH_NPT,
     {"M. Bernetti, G. Bussi, J. Chem. Phys. 153, 114107 (2020)", "10.1063/5.0020514",
      "Pressure control using stochastic cell rescaling"}},
    {ALWAYS,
     {"L. Ercole, A. Marcolongo, S. Baroni, Sci. Rep. 7, 15835 (2017)",
      "10.1038/s41598-017-15843-2",
      "Accurate thermal conductivities from optimally short molecular dynamics simulations"}},
    {ALWAYS,
     {"R. Bertossa, F. Grasselli, L. Ercole, S. Baroni, Phys. Rev. Lett. 122, 255901 (2019)",
      "10.1103/PhysRevLett.122.255901",
      "Theory and numerical simulation of heat transport in multicomponent systems"}},
    {WITH_SEVERAL,
     {"R. DerSimonian, N. Laird, Control. Clin. Trials 7, 177 (1986)",
      "10.1016/0197-2456(86)90046-2", "Meta-analysis in clinical trials"}},
    {WITH_SEVERAL,
     {"W. Viechtbauer, Stat. Med. 26, 37 (2007)", "10.1002/sim.2514",
      "Confidence intervals for the amount of heterogeneity in meta-analysis"}},
    {WITH_SEVERAL,
     {"A. L. Read, J. Phys. G 28, 2693 (2002)", "10.1088/0954-3899/28/10/313",
      "Presentation of search results: the {CLs} technique"}}};
enum { N_OWN = sizeof own / sizeof *own, MOST_REFS = 64 };

static bool has_npt(const mlk_report *r)
{
    return strtod(mlk_conf_str(mlk_conf_get(&r->conf, "settings"), "npt", "0"), NULL) > 0;
}

/* All references of the study, each once; returns how many. */
static size_t collect(const mlk_report *r, const mlk_ref *list[MOST_REFS])
{
    size_t n = 0;
    const bool has[] = {true, has_npt(r), r->n_model > 1};
    for (size_t k = 0; k < N_OWN; k++)
        if (has[own[k].when]) list[n++] = &own[k].ref;
    for (int m = 0; m < r->n_model; m++) {
        const mlk_potential_type *type = mlk_potential_find(r->model[m].type);
        for (const mlk_ref *ref = type ? type->refs : NULL; ref && ref->citation; ref++) {
            bool seen = false;
            for (size_t k = 0; k < n; k++) seen |= list[k] == ref;
            if (!seen && n < MOST_REFS) list[n++] = ref;
        }
    }
    return n;
}

/* "Fan2021": surname of the first author and year, the key of a reference; buf of 40. Two papers
 * with the same key in one list would get one entry; a test looks that this does not happen. */
static const char *key(const mlk_ref *ref, char *buf)
{
    const char *end = ref->citation + strcspn(ref->citation, ","),
               *et = strstr(ref->citation, " et al");
    if (et && et < end) end = et;
    const char *name = end, *year = strrchr(ref->citation, '(');
    while (name > ref->citation && name[-1] != ' ') name--;
    snprintf(buf, 40, "%.*s%.4s", (int)(end - name < 30 ? end - name : 30), name,
             year ? year + 1 : "");
    return buf;
}

/* The parts of "A. Author, B. Author, Journal 12, 345 (2020)". */
static void bib(FILE *f, const mlk_ref *ref)
{
    char c[400], k[40], *page, *journal = c, *volume;
    snprintf(c, sizeof c, "%s", ref->citation);
    char *year = strrchr(c, '('), *comma;
    if (!year || year == c) return;
    year[-1] = 0, year++;
    year[strcspn(year, ")")] = 0;
    if (!(comma = strrchr(c, ','))) return;
    page = comma + 2, *comma = 0;
    if (!(comma = strrchr(c, ','))) return;
    journal = comma + 2, *comma = 0;
    if (!(volume = strrchr(journal, ' '))) return;
    *volume++ = 0;
    fprintf(f, "@article{%s,\n  author = {", key(ref, k));
    for (char *a = c, *next; a; a = next) {
        if ((next = strstr(a, ", "))) *next = 0, next += 2;
        char *et = strstr(a, " et al.");
        if (et) *et = 0;
        fprintf(f, "%s%s%s", a == c ? "" : " and ", a, et ? " and others" : "");
    }
    if (ref->title) fprintf(f, "},\n  title = {%s", ref->title);
    fprintf(f, "},\n  journal = {%s},\n  volume = {%s},\n  pages = {%s},\n  year = {%s}", journal,
            volume, page, year);
    if (ref->doi) fprintf(f, ",\n  doi = {%s}", ref->doi);
    fputs("\n}\n\n", f);
}

void mlk_report_references(const mlk_report *r, mlk_document *d)
{
    const mlk_ref *list[MOST_REFS];
    size_t n = collect(r, list);
    for (size_t k = 0; k < n; k++)
        if (list[k]->doi)
            mlk_doc_item(d,
                         "%s, " MLK_DOC_LINK "https://doi.org/%s" MLK_DOC_AT "doi:%s" MLK_DOC_END,
                         list[k]->citation, list[k]->doi, list[k]->doi);
        else
            mlk_doc_item(d, "%s", list[k]->citation);
}

/* ---- the text ---- */

static void add_version(char *list, size_t cap, const char *v)
{
    size_t n = strlen(v), len = strlen(list);
    for (const char *p = list; n && (p = strstr(p, v)); p += n)
        if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ',')) return;
    if (n) snprintf(list + len, cap - len, "%s%s", len ? ", " : "", v);
}

/* Of the programs that made the study, as campaign.yaml, the journal and the results say. */
static const char *versions(const mlk_report *r, char *buf, size_t cap)
{
    size_t k;
    json_t *ev;
    *buf = 0;
    add_version(buf, cap, mlk_conf_str(&r->conf, "mlkit", ""));
    json_array_foreach(r->journal, k, ev)
    {
        bool drawn = !strcmp(mlk_json_get_str(ev, "job", ""), "report");
        if (!drawn) add_version(buf, cap, mlk_json_get_str(ev, "mlkit", ""));
    }
    for (int m = 0; m < r->n_model * r->n_temp; m++)
        add_version(buf, cap, mlk_json_get_str(r->transport[m], "mlkit", ""));
    if (!*buf) snprintf(buf, cap, "of an unknown version");
    return buf;
}

/* "2 NEP models (reference), 1 SNAP model (reference)": the fitted ones, or the ready ones. */
static int models(const mlk_report *r, bool ready, text *t, mlk_err *e)
{
    char buf[32], k[40];
    int n = 0;
    for (int m = 0; m < r->n_model; m++) {
        int alike = 0;
        bool first = (*r->model[m].ready != 0) == ready;
        for (int q = 0; q < r->n_model; q++) {
            if (strcmp(r->model[q].type, r->model[m].type) || (*r->model[q].ready != 0) != ready)
                continue;
            alike++, first &= q >= m;
        }
        if (!first) continue;
        const mlk_potential_type *type = mlk_potential_find(r->model[m].type);
        put(t, e, "%s%d %s model%s", n ? ", " : "", alike, upper(r->model[m].type, buf),
            alike > 1 ? "s" : "");
        n += alike;
        if (!type || !type->refs || !type->refs[0].citation) continue;
        put(t, e, "\001~\\cite{");
        for (const mlk_ref *ref = type->refs; ref->citation; ref++)
            put(t, e, "%s%s", ref == type->refs ? "" : ",", key(ref, k));
        put(t, e, "}\002 (%s)\003", type->refs[0].citation);
    }
    return n;
}

/* "; settings that differ from the defaults: snap-2 rcut=5.5" */
static void put_settings(const mlk_report *r, text *t, mlk_err *e)
{
    int n = 0;
    for (int m = 0; m < r->n_model; m++)
        if (*r->model[m].settings)
            put(t, e, "%s%s %s",
                n++ ? ", " : "; settings other than the defaults: ", r->model[m].name,
                r->model[m].settings);
}

/* How long the fits by gradients were: passes over the data, and what set them. */
static void put_passes(const mlk_report *r, text *t, mlk_err *e)
{
    char buf[40];
    const mlk_conf *set = mlk_conf_get(&r->conf, "settings");
    double lo = INFINITY, hi = 0;
    for (int m = 0; m < r->n_model; m++) {
        double n = *r->model[m].ready ? 0 : mlk_json_get_real(r->model[m].train, "epochs", 0);
        if (n > 0) lo = fmin(lo, n), hi = fmax(hi, n);
    }
    if (!(hi > 0)) return;
    put(t, e, " Fits by gradients made %.0f", lo);
    if (hi > lo) put(t, e, " to %.0f", hi);
    put(t, e, " passes over the data");
    if (*mlk_report_by_time(r))
        put(t, e,
            ", a number that follows from a time of at most %s each and the speed of the machine",
            spaced(mlk_conf_str(set, "train-budget", "?"), buf));
    put(t, e, ".");
}

static int count_ready(const mlk_report *r)
{
    int n = 0;
    for (int m = 0; m < r->n_model; m++) n += *r->model[m].ready != 0;
    return n;
}

static void fitted_and_ready(const mlk_report *r, text *t, mlk_err *e)
{
    char v[200];
    int n_ready = count_ready(r);
    if (n_ready < r->n_model) {
        put(t, e, "Interatomic potentials were fitted with mlkit %s to ", versions(r, v, sizeof v));
        if (r->data.there)
            put(t, e, "%zu density-functional-theory frames of %s (%zu trajectory groups)",
                r->data.n_frame, r->data.species, r->data.n_group);
        else
            put(t, e, "density-functional-theory data");
        put(t, e, ": ");
        models(r, false, t, e);
        put_settings(r, t, e);
        put(t, e,
            ". %s were held out for validation. Reference energies of the elements were fitted "
            "first and are not part of the energy flux.",
            !r->data.there   ? "Some frames"
            : r->data.groups ? "Whole trajectory groups"
                             : "Blocks of consecutive frames");
        put_passes(r, t, e);
    }
    if (n_ready) {
        put(t, e, "%s", n_ready < r->n_model ? " " : "");
        models(r, true, t, e);
        put(t, e,
            n_ready > 1 ? " were taken as they are, not fitted here ("
                        : " was taken as it is, not fitted here (");
        for (int m = 0, n = 0; m < r->n_model; m++)
            if (*r->model[m].ready) put(t, e, "%s%s", n++ ? ", " : "", r->model[m].name);
        put(t, e, ").");
    }
    put(t, e, "\n\n");
}

/* How the zero-frequency value was found, where all results have it from the same estimator. */
static void put_estimator(const mlk_report *r, text *t, mlk_err *e)
{
    double lo = INFINITY, hi = 0;
    const char *rule = NULL;
    bool chosen = true;
    for (int k = 0; k < r->n_model * r->n_temp; k++) {
        const json_t *j = r->transport[k];
        double f = mlk_json_get_real(j, "fstar_THz", NAN);
        if (!isfinite(f)) continue;
        lo = fmin(lo, f), hi = fmax(hi, f);
        chosen &= json_is_true(json_object_get(j, "fstar_auto"));
        if (rule && strcmp(rule, mlk_json_get_str(j, "rule", ""))) return;
        rule = mlk_json_get_str(j, "rule", "");
    }
    if (!rule) return;
    put(t, e, " The fluxes were resampled to a Nyquist frequency f* of %.3g", lo);
    if (hi > lo * 1.005) put(t, e, " to %.3g", hi);
    put(t, e, " THz%s", chosen ? ", chosen from each spectrum" : "");
    if (!strcmp(rule, "shapes"))
        put(t, e,
            "; instead of a cut-off of the cepstrum, an average over shapes of spectra, "
            "weighted by the data, gives the value at zero frequency and its error");
    put(t, e, ".");
}

static mlk_status marked_text(const mlk_report *r, char **out, mlk_err *e)
{
    text t = {0};
    char buf[40], v[200];
    int n_ready = count_ready(r);
    const mlk_conf *set = mlk_conf_get(&r->conf, "settings"),
                   *start = mlk_conf_get(&r->conf, "start");
    const mlk_conf *cell = mlk_conf_get(start, "supercell");
    fitted_and_ready(r, &t, e);
    put(&t, e, "Molecular dynamics");
    if (n_ready == r->n_model) put(&t, e, " with mlkit %s", versions(r, v, sizeof v));
    put(&t, e, " used the velocity-Verlet algorithm with a time step of %s",
        spaced(mlk_conf_str(set, "dt", "?"), buf));
    if (cell && cell->n_child == 3)
        put(&t, e, " in a %s×%s×%s supercell of %s atoms", cell->child[0].value,
            cell->child[1].value, cell->child[2].value, mlk_conf_str(start, "atoms", "?"));
    put(&t, e, ". ");
    if (has_npt(r))
        put(&t, e,
            "The cell of each run was first relaxed for %s at %s GPa by %sstochastic cell "
            "rescaling\001~\\cite{Bernetti2020}\002 (Bernetti and Bussi 2020)\003 and then kept "
            "at its mean. ",
            spaced(mlk_conf_str(set, "npt", "?"), buf), mlk_conf_str(set, "pressure", "0"),
            strcmp(mlk_conf_str(set, "barostat", "aniso"), "iso") ? "anisotropic " : "isotropic ");
    put(&t, e,
        "Each run was equilibrated for %s with the stochastic velocity rescaling of Bussi, "
        "Donadio and "
        "Parrinello\001~\\cite{Bussi2007}\002 (2007)\003 and sampled in the microcanonical "
        "ensemble for",
        spaced(mlk_conf_str(set, "equil", "?"), buf));
    bool same = true;
    for (int m = 0; m < r->n_model; m++) same &= r->model[m].run_ps == r->model[0].run_ps;
    for (int m = 0; m < (same ? 1 : r->n_model); m++) {
        put(&t, e, "%s%.6g ps", m ? ", " : " ", r->model[m].run_ps);
        if (!same) put(&t, e, " (%s)", r->model[m].name);
    }
    put(&t, e, ", with %s independent run%s per model and temperature",
        mlk_conf_str(set, "replicas", "?"),
        strcmp(mlk_conf_str(set, "replicas", "1"), "1") ? "s" : "");
    size_t complete = 0;
    for (size_t k = 0; k < r->n_md; k++) complete += r->md[k].there && r->md[k].complete;
    if (complete < r->n_md)
        put(&t, e, "; of these %zu runs %zu came to their end", r->n_md, complete);
    put(&t, e,
        ". The energy flux contains the full, non-symmetric per-atom virial"
        "\001~\\cite{Fan2015}\002 (Fan et al. 2015)\003.\n\n");
    put(&t, e,
        "Thermal conductivities were obtained from the energy and mass fluxes by multi-component "
        "cepstral "
        "analysis\001~\\cite{Ercole2017,Bertossa2019}\002 (Ercole, Marcolongo and Baroni 2017; "
        "Bertossa, "
        "Grasselli, Ercole and Baroni 2019)\003: the "
        "naive value from the energy flux alone, \001$\\kappa_\\mathrm{naive} = "
        "L_{EE}/T^2$\002κ_naive "
        "= L_EE/T²\003, and the Onsager-corrected value "
        "\001$\\kappa = 1/[T^2 (L^{-1})_{EE}]$\002κ = 1/(T² (L⁻¹)_EE)\003 at zero mass flux of the "
        "diffusing species.");
    put_estimator(r, &t, e);
    if (r->n_model > 1)
        put(&t, e,
            " The models were compared at every temperature by Cochran's Q against χ² and by the "
            "between-model standard deviation τ of DerSimonian and "
            "Laird\001~\\cite{DerSimonian1986}\002 (1986)\003, its upper limit from the "
            "distribution of Q\001~\\cite{Viechtbauer2007,Read2002}\002 (Viechtbauer 2007, Read "
            "2002)\003.");
    if (r->kappa_t.fit[MLK_KAPPA_CONSTANT].there)
        put(&t, e,
            " The temperature dependence of %s was fitted by weighted least squares with a "
            "constant%s and compared by Akaike's and the Bayesian information criterion.",
            r->n_model > 1 ? "the mean over the models" : "κ",
            r->kappa_t.fit[MLK_KAPPA_OFFSET].there ? ", with A/T and with A/T + B"
                                                   : " and with A/T");
    if (strcmp(versions(r, v, sizeof v), MLK_VERSION))
        put(&t, e, " This report was drawn, and the models were compared, with mlkit %s.",
            MLK_VERSION);
    put(&t, e, "\n");
    if (t.st) {
        mlk_free(t.s);
        return t.st;
    }
    *out = t.s;
    return MLK_OK;
}

/* The text without its marks, in place: the LaTeX or the plain reading. */
static void choose(char *s, bool tex)
{
    char *w = s;
    int side = 0; /* 1: in LaTeX, 2: in plain */
    for (; *s; s++) {
        if (*s >= 1 && *s <= 3)
            side = *s == 3 ? 0 : *s;
        else if (!side || side == (tex ? 1 : 2))
            *w++ = *s;
    }
    *w = 0;
}

mlk_status mlk_report_methods_text(const mlk_report *r, char **out, mlk_err *e)
{
    MLK_TRY(marked_text(r, out, e));
    choose(*out, false);
    return MLK_OK;
}

/* Everything outside of the marks escaped, the LaTeX readings as they are. */
static void tex(FILE *f, const char *s)
{
    int side = 0;
    while (*s) {
        size_t n = strcspn(s, "\001\002\003");
        if (side == 0) mlk_tex(f, s, n);
        if (side == 1) fwrite(s, 1, n, f);
        s += n;
        if (*s) side = *s == 3 ? 0 : *s, s++;
    }
}

typedef enum kind { MD, TEX, BIB } kind;

static mlk_status write(const mlk_report *r, kind what, const char *marked, mlk_err *e)
{
    static const char *const name[] = {"methods.md", "methods.tex", "references.bib"};
    char path[1300], *plain = mlk_strdup(marked);
    const mlk_ref *list[MOST_REFS];
    size_t n = collect(r, list);
    mlk_out o;
    if (!plain) return MLK_FAIL(e, MLK_ENOMEM, "methods");
    choose(plain, false);
    mlk_status s = mlk_out_begin(&o, mlk_path_join(path, sizeof path, r->dir, name[what]), e);
    if (s) {
        mlk_free(plain);
        return s;
    }
    if (what == MD) {
        fprintf(o.fp, "# Methods\n\n%s\n## References\n\n", plain);
        for (size_t k = 0; k < n; k++)
            fprintf(o.fp, "- %s%s%s\n", list[k]->citation, list[k]->doi ? ", doi:" : "",
                    list[k]->doi ? list[k]->doi : "");
    } else if (what == TEX) {
        fputs("% \\input{methods}; the citations are in references.bib\n", o.fp);
        tex(o.fp, marked);
    } else {
        for (size_t k = 0; k < n; k++) bib(o.fp, list[k]);
    }
    mlk_free(plain);
    return mlk_out_commit(&o, e);
}

mlk_status mlk_report_methods(const mlk_report *r, mlk_err *e)
{
    char *marked = NULL;
    MLK_TRY(marked_text(r, &marked, e));
    mlk_status s = MLK_OK;
    for (int k = MD; k <= BIB && !s; k++) s = write(r, (kind)k, marked, e);
    mlk_free(marked);
    return s;
}
