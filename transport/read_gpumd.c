/* read_gpumd.c - compute.out of GPUMD. The file is bare numbers; run.in beside it says which
 * quantities they are and how often they were written, thermo.out the temperature and the box.
 * Columns of M groups, in this order whatever that of the keyword: temperature (M), potential (M),
 * then 3 M each (all x, all y, all z): force, virial, jp, jk, momentum; with temperature two more
 * at the end of a row. Units: natural (eV, A, amu), time step in fs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/element.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/units.h"
#include "transport/facts.h"

enum { TEMPERATURE, POTENTIAL, FORCE, VIRIAL, JP, JK, MOMENTUM, QUANTITIES };
static const char *const quantity[QUANTITIES] = {"temperature", "potential", "force",   "virial",
                                                 "jp",          "jk",        "momentum"};

typedef struct input {
    char dir[512];
    bool has[QUANTITIES];
    int grouping;
    double dt;                    /* between rows [fs] */
    double thermo_from, thermo_n; /* rows of thermo.out that belong to this run; n 0: none */
    double temperature, volume;
    const char *volume_from;
    size_t groups; /* of model.xyz, 0 unknown; of each: species ("" for a mixture), atoms, mass */
    char species[MLK_FLUX_MAX][8];
    double count[MLK_FLUX_MAX], mass[MLK_FLUX_MAX];
} input;

bool mlk_is_gpumd(const char *path, const char *head)
{
    const char *p = head + strspn(head, " \t");
    double v;
    return !strncmp(mlk_path_base(path), "compute.out", 11) && mlk_number_at(p, &p, &v);
}

/* ---- run.in ---------------------------------------------------------------------------------- */

typedef struct script {
    double time_step, thermo_every, thermo_rows;
    int sample, output; /* 0: no compute in this run */
    bool has[QUANTITIES];
    int grouping, n_used;
} script;

static void read_compute(script *q, char *line)
{
    char *save, *w = strtok_r(line, " \t", &save);
    memset(q->has, 0, sizeof q->has);
    for (int k = 0; (w = strtok_r(NULL, " \t", &save)) && *w != '#'; k++) {
        if (k == 0) q->grouping = atoi(w);
        if (k == 1) q->sample = atoi(w);
        if (k == 2) q->output = atoi(w);
        for (int i = 0; k > 2 && i < QUANTITIES; i++)
            if (!strcmp(w, quantity[i])) q->has[i] = true;
    }
}

/* a run: keywords of it are spent */
static void end_run(script *q, double steps, input *in)
{
    double rows = q->thermo_every > 0 ? floor(steps / q->thermo_every) : 0;
    if (q->sample > 0 && q->output > 0 && (q->has[JP] || q->has[JK])) {
        memcpy(in->has, q->has, sizeof in->has);
        in->grouping = q->grouping;
        in->dt = q->time_step * q->sample * q->output;
        in->thermo_from = q->thermo_rows;
        in->thermo_n = rows;
        q->n_used++;
    }
    q->thermo_rows += rows;
    q->thermo_every = 0;
    q->sample = q->output = 0;
}

static mlk_status read_script(input *in, mlk_err *e)
{
    char path[600];
    mlk_lines l;
    bool more;
    script q = {.time_step = 1};
    mlk_path_join(path, sizeof path, in->dir, "run.in");
    mlk_status s = mlk_lines_open(&l, path, e);
    if (s)
        mlk_err_hint(e, "run.in beside compute.out says what its columns are; without it, name "
                        "them: --energy COLS --units gpumd --dt ...");
    while (!s && !(s = mlk_lines_next(&l, &more, e)) && more) {
        char w[32] = "";
        double v = 0;
        const char *p = l.line + strspn(l.line, " \t");
        sscanf(p, "%31s", w);
        p += strlen(w);
        p += strspn(p, " \t");
        bool number = mlk_number_at(p, &p, &v) && v > 0;
        if (!strcmp(w, "time_step") && number) q.time_step = v;
        if (!strcmp(w, "dump_thermo") && number) q.thermo_every = v;
        if (!strcmp(w, "compute")) read_compute(&q, l.line);
        if (!strcmp(w, "run") && number) end_run(&q, v, in);
    }
    mlk_lines_close(&l);
    if (s) return s;
    if (q.n_used == 0) {
        MLK_FAIL(e, MLK_EFORMAT,
                 "no 'compute' keyword with jp and jk: compute.out has no heat "
                 "current");
        mlk_err_hint(e, "compute 0 10 1 jp jk momentum");
        return mlk_err_at(e, path, 0);
    }
    if (q.n_used > 1)
        mlk_log(MLK_LOG_WARN,
                "%s: %d runs write heat currents to one compute.out: taken as one "
                "run sampled like the last",
                path, q.n_used);
    if (!in->has[JP] || !in->has[JK])
        mlk_log(MLK_LOG_WARN,
                "%s: compute.out holds only the %s part of the heat current: "
                "conductivities of anything that diffuses are wrong",
                path, in->has[JP] ? "potential (jp)" : "kinetic (jk)");
    return MLK_OK;
}

/* ---- thermo.out, model.xyz ------------------------------------------------------------------- */

static double cell_volume(const double *a)
{
    return fabs(a[0] * (a[4] * a[8] - a[5] * a[7]) - a[1] * (a[3] * a[8] - a[5] * a[6]) +
                a[2] * (a[3] * a[7] - a[4] * a[6]));
}

/* mean temperature and volume over the rows of the run; absent file: nothing */
static mlk_status read_thermo(input *in, mlk_err *e)
{
    char path[600];
    mlk_path_join(path, sizeof path, in->dir, "thermo.out");
    if (in->thermo_n < 1 || !mlk_file_exists(path)) return MLK_OK;
    mlk_lines l;
    mlk_status s = mlk_lines_open(&l, path, e);
    double n = 0, row = 0, v[18];
    bool more;
    while (!s && !(s = mlk_lines_next(&l, &more, e)) && more && !l.cut) {
        const char *p = l.line;
        size_t k = mlk_numbers(&p, 18, v);
        if (k == 0) continue;
        if (k != 12 && k != 18) {
            MLK_FAIL(e, MLK_EFORMAT, "%zu columns, expected 12 or 18", k);
            s = mlk_lines_err(&l, e);
            break;
        }
        if (row++ < in->thermo_from || n >= in->thermo_n) continue;
        in->temperature += v[0];
        in->volume += k == 12 ? v[9] * v[10] * v[11] : cell_volume(v + 9);
        n++;
    }
    mlk_lines_close(&l);
    if (n > 0) in->temperature /= n, in->volume /= n, in->volume_from = "thermo.out";
    return s;
}

/* value of KEY=... or KEY="..." of the comment line; NULL when absent */
static const char *xyz_value(const char *line, const char *key, char *buf, size_t cap)
{
    size_t n = strlen(key);
    for (const char *p = line; *p; p++) {
        if (strncasecmp(p, key, n) || p[n] != '=') continue;
        bool quoted = p[n + 1] == '"';
        const char *v = p + n + 1 + quoted;
        snprintf(buf, cap, "%.*s", (int)strcspn(v, quoted ? "\"" : " \t"), v);
        return buf;
    }
    return NULL;
}

/* columns of species, mass and the group of this grouping method in "species:S:1:pos:R:3:..." */
static void xyz_columns(const char *properties, int grouping, int col[3])
{
    int at = 0, width;
    char name[32], type[8];
    col[0] = col[1] = col[2] = -1;
    for (const char *p = properties; sscanf(p, "%31[^:]:%7[^:]:%d", name, type, &width) == 3;) {
        if (width < 1 || width > 1000) return;
        if (!strcasecmp(name, "species")) col[0] = at;
        if (!strcasecmp(name, "mass")) col[1] = at;
        if (!strcasecmp(name, "group") && grouping >= 0 && grouping < width) col[2] = at + grouping;
        at += width;
        for (int k = 0; k < 3 && p; k++) p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL;
        if (!p) return;
    }
}

/* one atom into its group */
static void add_atom(input *in, char *line, const int col[3])
{
    char *save, *w = strtok_r(line, " \t", &save), species[8] = "";
    double mass = 0;
    long g = col[2] < 0 ? 0 : -1;
    for (int k = 0; w; k++, w = strtok_r(NULL, " \t", &save)) {
        if (k == col[0]) snprintf(species, sizeof species, "%.7s", w);
        if (k == col[1]) mass = strtod(w, NULL);
        if (k == col[2]) g = strtol(w, NULL, 10);
    }
    if (g < 0 || g >= MLK_FLUX_MAX) return;
    if (!(mass > 0)) mass = mlk_element_mass(mlk_element_z(species));
    if (in->count[g] == 0) snprintf(in->species[g], sizeof in->species[g], "%s", species);
    if (strcmp(in->species[g], species)) in->species[g][0] = 0; /* a mixture */
    in->count[g] += 1;
    in->mass[g] += mass;
    if ((size_t)g + 1 > in->groups) in->groups = (size_t)g + 1;
}

/* species and mass of the groups from model.xyz, where it exists, and its cell when thermo.out does
 * not say */
static mlk_status read_model(input *in, mlk_err *e)
{
    char path[600], text[512];
    mlk_lines l;
    bool more;
    int col[3];
    double a[9];
    mlk_path_join(path, sizeof path, in->dir, "model.xyz");
    if (!mlk_file_exists(path)) return MLK_OK;
    mlk_status s;
    MLK_GO(mlk_lines_open(&l, path, e));
    for (int k = 0; k < 2; k++) {
        MLK_GO(mlk_lines_next(&l, &more, e));
        if (!more) goto done;
    }
    if (!(in->volume > 0) && xyz_value(l.line, "lattice", text, sizeof text) &&
        mlk_numbers_only(text, 9, a))
        in->volume = cell_volume(a), in->volume_from = "model.xyz";
    if (!xyz_value(l.line, "properties", text, sizeof text)) goto done;
    xyz_columns(text, in->grouping, col);
    while (col[0] >= 0) {
        MLK_GO(mlk_lines_next(&l, &more, e));
        if (!more) break;
        add_atom(in, l.line, col);
    }
done:
    mlk_lines_close(&l);
    return s;
}

/* labels, masses, numbers of the groups' fluxes */
static void name_groups(const input *in, mlk_flux *fl)
{
    for (size_t a = 1; a < fl->m; a++) {
        const char *w = a - 1 < in->groups ? in->species[a - 1] : "";
        bool taken = !*w;
        for (size_t b = 0; b < a; b++) taken = taken || !strcmp(fl->label[b], w);
        if (taken)
            snprintf(fl->label[a], sizeof fl->label[a], "group%zu", a - 1);
        else
            snprintf(fl->label[a], sizeof fl->label[a], "%s", w);
        fl->mass[a] = 1; /* unknown; not 0, since the flux is in amu A/ps */
        if (a - 1 >= in->groups || !(in->count[a - 1] > 0)) continue;
        fl->count[a] = in->count[a - 1];
        fl->mass[a] = in->mass[a - 1] / in->count[a - 1];
    }
}

/* ---- compute.out ----------------------------------------------------------------------------- */

static size_t count_words(const char *p)
{
    size_t n = 0;
    for (; *(p += strspn(p, " \t")); n++) p += strcspn(p, " \t");
    return n;
}

/* groups that give n columns, 0 when none do */
static size_t groups_of(const input *in, size_t n)
{
    size_t per = 0, extra = in->has[TEMPERATURE] ? 2 : 0;
    for (int q = 0; q < QUANTITIES; q++)
        if (in->has[q]) per += q < FORCE ? 1 : 3;
    return per && n > extra && (n - extra) % per == 0 ? (n - extra) / per : 0;
}

/* what the columns are: sums over groups for the energy, each group's momentum as a mass flux */
static mlk_status set_terms(const input *in, mlk_sampler *r, size_t m, size_t groups, mlk_err *e)
{
    const int none[3] = {-1, -1, -1};
    size_t at = 0;
    for (int q = 0; q < QUANTITIES; q++) {
        if (!in->has[q]) continue;
        size_t width = groups * (q < FORCE ? 1 : 3);
        for (size_t k = 0; k < width && q >= JP; k++) {
            size_t c = k / groups, a = q == MOMENTUM ? 1 + k % groups : 0;
            if (a < m)
                MLK_TRY(mlk_sampler_term(r, (int)(at + k), (int)(3 * a + c), 1 / MLK_TAU_PS, e));
        }
        at += width;
    }
    mlk_sampler_facts(r, in->has[TEMPERATURE] && groups == 1 ? 0 : -1, none, -1);
    return MLK_OK;
}

static mlk_status read_rows(mlk_sampler *r, mlk_lines *l, mlk_err *e)
{
    for (bool more = true; more;) {
        size_t found;
        if (!l->cut && l->line[strspn(l->line, " \t")]) {
            MLK_TRY(mlk_sampler_parse(r, l, &found, e));
            if (found != r->n_col) {
                MLK_FAIL(e, MLK_EFORMAT, "%zu columns, expected %zu", found, r->n_col);
                mlk_err_hint(e, "GPUMD appends to compute.out: keep only the rows of one run");
                return mlk_lines_err(l, e);
            }
            MLK_TRY(mlk_sampler_take(r, l->number, e));
        }
        MLK_TRY(mlk_lines_next(l, &more, e));
    }
    return mlk_sampler_finish(r, e);
}

mlk_status mlk_read_gpumd(mlk_flux *fl, mlk_lines *l, const mlk_table_opts *o, mlk_err *e)
{
    input in = {.volume_from = ""};
    mlk_sampler r = {0};
    bool more;
    const char *slash = strrchr(l->path, '/');
    snprintf(in.dir, sizeof in.dir, "%.*s", slash ? (int)(slash - l->path) : 1,
             slash ? l->path : ".");
    MLK_TRY(read_script(&in, e));
    MLK_TRY(read_thermo(&in, e));
    MLK_TRY(read_model(&in, e));
    MLK_TRY(mlk_lines_next(l, &more, e));
    size_t n = count_words(l->line), groups = groups_of(&in, n);
    if (groups == 0 || n > MLK_COLUMNS_MAX || (in.groups > 0 && in.groups != groups)) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu columns do not fit the 'compute' keyword of run.in", n);
        if (in.groups) mlk_err_hint(e, "model.xyz has %zu groups", in.groups);
        return mlk_lines_err(l, e);
    }
    /* the momentum of everything is zero: no flux of its own */
    size_t m = 1 + (in.has[MOMENTUM] && groups > 1 ? groups : 0);
    if (m > MLK_FLUX_MAX)
        return MLK_FAIL(e, MLK_EINVAL, "%zu groups, at most %d are possible", groups,
                        MLK_FLUX_MAX - 1);
    mlk_facts f = {.kind = "GPUMD compute.out",
                   .units = MLK_UNITS_GPUMD,
                   .units_from = "GPUMD",
                   .density_from = "GPUMD",
                   .dt = in.dt,
                   .dt_from = "run.in",
                   .temperature = in.temperature,
                   .temperature_from = "thermo.out",
                   .volume = in.volume,
                   .volume_from = in.volume_from};
    mlk_status s;
    MLK_GO(mlk_flux_init(fl, 0, m, 3, 0, l->path, e));
    snprintf(fl->label[0], sizeof fl->label[0], "energy");
    name_groups(&in, fl);
    MLK_GO(mlk_sampler_init(&r, fl, l->path, n, e));
    MLK_GO(set_terms(&in, &r, m, groups, e));
    MLK_GO(mlk_facts_enough(&f, &r, o, e));
    MLK_GO(read_rows(&r, l, e));
    mlk_log(MLK_LOG_INFO, "%s: %zu group%s; energy: %s summed over groups%s", l->path, groups,
            groups > 1 ? "s" : "",
            in.has[JP] && in.has[JK] ? "jp + jk"
            : in.has[JP]             ? "jp"
                                     : "jk",
            m > 1 ? "; further fluxes: their momenta" : "");
    s = mlk_facts_settle(&f, fl, &r, NULL, o, e);
done:
    mlk_sampler_free(&r);
    return s;
}
