/* read_lammps.c - the thermo output in a LAMMPS log file, in its three styles (one line per step,
 * `multi`, `yaml`), and what the commands before it say of units, time step, box and computes.
 * One pass: of several runs the last is kept, unless it is much shorter than one before. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"
#include "transport/facts.h"

enum { KNOWN = 32, ID = 32 };

/* thermo output of one run */
typedef struct run {
    mlk_columns c;
    mlk_sampler r;
    mlk_flux fl;
    mlk_facts f;
    int number; /* from 1 */
    long line;  /* of its first output */
    bool ready; /* columns are settled, samples can come */
} run;

typedef struct ids {
    char id[KNOWN][ID], of[KNOWN][ID];
    int n;
} ids;

typedef enum { OUTSIDE, HEADER_NEXT, ROWS, MULTI, YAML } where;

typedef struct log_file {
    mlk_lines *l;
    const mlk_table_opts *o;
    mlk_facts f; /* as the commands so far say */
    double timestep;
    bool moves;                  /* the box changes during runs */
    bool pairwise;               /* pair potentials only: stress/atom is right */
    ids vcm, stress, per_volume; /* compute -> group; stress/atom; variable .../vol */
    char heat_stress[ID];        /* stress that feeds compute heat/flux */
    where at;
    bool foreign; /* this run's output has no fluxes */
    run *now, *best;
    int n_run;
    size_t n_odd; /* lines of numbers of another length */
    long odd_line;
    double v[MLK_COLUMNS_MAX]; /* the sample being read, style multi */
    size_t n_v;
    mlk_err why; /* why output of a run does not serve */
} log_file;

bool mlk_is_lammps_log(const char *head)
{
    return !strncmp(head, "LAMMPS (", 8) || strstr(head, "\nLAMMPS (") ||
           strstr(head, "Per MPI rank memory allocation") ||
           strstr(head, "Memory usage per processor") || strstr(head, "\nkeywords: [") ||
           !strncmp(head, "keywords: [", 11);
}

/* ---- commands ------------------------------------------------------------------------------- */

static void put(ids *k, const char *id, const char *of)
{
    for (int i = 0; i < k->n; i++)
        if (!strcmp(k->id[i], id)) {
            snprintf(k->of[i], ID, "%s", of);
            return;
        }
    if (k->n == KNOWN || strlen(id) >= ID) return;
    snprintf(k->id[k->n], ID, "%s", id);
    snprintf(k->of[k->n++], ID, "%s", of);
}

static const char *get(const ids *k, const char *id)
{
    for (int i = 0; i < k->n; i++)
        if (!strcmp(k->id[i], id)) return k->of[i];
    return NULL;
}

/* "... box = (0 0 0) to (10 10 10) ..." */
static void read_box(log_file *g, const char *p)
{
    double lo[3], hi[3], v = 1;
    const char *to = strstr(p, ") to (");
    if (!(p = strchr(p, '(')) || !to) return;
    if (sscanf(p, "(%lf %lf %lf)", lo, lo + 1, lo + 2) != 3 ||
        sscanf(to + 5, "(%lf %lf %lf)", hi, hi + 1, hi + 2) != 3)
        return;
    for (int k = 0; k < 3; k++) v *= hi[k] - lo[k];
    if (!(v > 0) || !isfinite(v)) return;
    g->f.volume = v;
    g->f.volume_from = "box of the log";
}

static void read_units(log_file *g, const char *w)
{
    g->f.units_from = "log";
    g->f.units = !strcmp(w, "metal")  ? MLK_UNITS_METAL
                 : !strcmp(w, "real") ? MLK_UNITS_REAL
                                      : MLK_UNITS_AUTO;
    g->timestep = g->f.units == MLK_UNITS_METAL ? 0.001 : g->f.units == MLK_UNITS_REAL ? 1 : 0;
    if (g->f.units == MLK_UNITS_AUTO) snprintf(g->why.hint, sizeof g->why.hint, "%s", w);
}

static bool is_pairwise(const char *style)
{
    static const char *const names[] = {"lj/",  "buck",   "morse", "born", "coul",
                                        "soft", "yukawa", "table", "zbl",  "mie"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (!strncmp(style, names[k], strlen(names[k]))) return true;
    return false;
}

/* a command line as LAMMPS echoes it */
static void read_command(log_file *g, const char *line)
{
    char w[8][64] = {{0}};
    double v;
    int n = sscanf(line, "%63s %63s %63s %63s %63s %63s %63s %63s", w[0], w[1], w[2], w[3], w[4],
                   w[5], w[6], w[7]);
    if (n < 2) return;
    const char *num = w[1];
    if (strstr(line, " box = (")) {
        read_box(g, line);
    } else if (!strcmp(w[0], "units")) {
        read_units(g, w[1]);
    } else if (!strcmp(w[0], "timestep") && mlk_number(&num, &v) && v > 0) {
        g->timestep = v;
    } else if (!strcmp(w[0], "pair_style")) {
        g->pairwise = is_pairwise(w[1]);
    } else if (!strcmp(w[0], "fix") && n >= 4) {
        if (!strncmp(w[3], "npt", 3) || !strncmp(w[3], "nph", 3) || !strcmp(w[3], "deform") ||
            !strcmp(w[3], "press/berendsen"))
            g->moves = true;
    } else if (!strcmp(w[0], "compute") && n >= 4) {
        if (!strcmp(w[3], "vcm")) put(&g->vcm, w[1], w[2]);
        if (strstr(w[3], "stress/atom")) put(&g->stress, w[1], w[3]);
        if (!strcmp(w[3], "heat/flux")) snprintf(g->heat_stress, ID, "%.31s", w[6]);
    } else if (!strcmp(w[0], "variable") && n >= 4) {
        put(&g->per_volume, w[1], strstr(line, "/vol") || strstr(line, "/ vol") ? "vol" : "");
    }
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void run_destroy(run *q)
{
    if (!q) return;
    mlk_columns_free(&q->c);
    mlk_sampler_free(&q->r);
    mlk_flux_free(&q->fl);
    mlk_free(q);
}

static mlk_status run_begin(log_file *g, mlk_err *e)
{
    run_destroy(g->now);
    g->now = mlk_alloc(1, sizeof *g->now);
    if (!g->now) return MLK_FAIL(e, MLK_ENOMEM, "columns of a log");
    g->now->number = ++g->n_run;
    g->now->line = g->l->number;
    g->foreign = false;
    g->n_v = 0;
    MLK_TRY(mlk_columns_init(&g->now->c, g->l->path, e));
    g->now->c.line = g->l->number;
    return MLK_OK;
}

/* groups as names of the fluxes; is the energy flux divided by the volume? */
static void use_commands(const log_file *g, run *q)
{
    for (size_t a = 0; a < q->c.m; a++) {
        const char *name = q->c.name[q->c.col[q->c.nc * a]], *of;
        char id[MLK_COLUMN_NAME];
        if (strchr("cv", name[0]) == NULL || name[1] != '_') continue;
        snprintf(id, sizeof id, "%.*s", (int)strcspn(name + 2, "["), name + 2);
        if (a > 0 && !(g->o->flux && *g->o->flux) && (of = get(&g->vcm, id)) && name[0] == 'c') {
            bool taken = false;
            for (size_t b = 0; b < q->c.m; b++) taken = taken || !strcmp(q->c.label[b], of);
            if (!taken) snprintf(q->c.label[a], sizeof q->c.label[a], "%s", of);
        }
        if (a == 0) {
            of = name[0] == 'v' ? get(&g->per_volume, id) : NULL;
            q->f.density = of && *of;
            if (of || name[0] == 'c') q->f.density_from = "log";
        }
    }
}

/* the names of the columns are known */
static mlk_status run_ready(log_file *g, mlk_err *e)
{
    run *q = g->now;
    double energy, velocity;
    q->c.vcm = (const char(*)[ID])g->vcm.id;
    q->c.n_vcm = g->vcm.n;
    g->foreign = !mlk_columns_have_flux(&q->c, g->o);
    if (g->foreign) return MLK_OK;
    mlk_err why = {0};
    if (mlk_columns_choose(&q->c, g->o, &why)) { /* another run may have these columns */
        g->foreign = true;
        if (!g->why.code) g->why = why;
        return MLK_OK;
    }
    if (g->f.units_from && g->f.units == MLK_UNITS_AUTO) {
        MLK_FAIL(e, MLK_EUNSUPPORTED, "units %s: only metal and real are converted", g->why.hint);
        mlk_err_hint(e, "convert the fluxes and give them as a table");
        return mlk_err_at(e, g->l->path, 0);
    }
    q->f = g->f;
    q->f.kind = "LAMMPS log";
    if (g->moves && q->c.volume[0] < 0) q->f.volume = 0;
    q->f.step = q->c.time ? 1 : g->timestep;
    if (g->f.units == MLK_UNITS_METAL) q->f.step *= 1e3; /* ps */
    use_commands(g, q);
    mlk_units_factors(mlk_facts_units(&q->f, g->o), &energy, &velocity);
    MLK_TRY(mlk_flux_init(&q->fl, 0, q->c.m, q->c.nc, 0, g->l->path, e));
    memcpy(q->fl.label, q->c.label, sizeof q->fl.label);
    MLK_TRY(mlk_sampler_init(&q->r, &q->fl, g->l->path, q->c.n, e));
    MLK_TRY(mlk_sampler_columns(&q->r, &q->c, energy, velocity, e));
    q->ready = true;
    return MLK_OK;
}

static mlk_status take_sample(log_file *g, mlk_err *e)
{
    run *q = g->now;
    size_t n = g->n_v;
    g->n_v = 0;
    if (n == 0 || g->foreign) return MLK_OK;
    if (!q->ready) MLK_TRY(run_ready(g, e));
    if (!q->ready || n != q->c.n) return MLK_OK; /* cut off */
    memcpy(q->r.v, g->v, n * sizeof *g->v);
    return mlk_sampler_take(&q->r, g->l->number, e);
}

/* the run's output is over: keep it or the best so far */
static mlk_status run_end(log_file *g, mlk_err *e)
{
    if (g->at == MULTI) MLK_TRY(take_sample(g, e));
    g->at = OUTSIDE;
    run *q = g->now;
    if (!q || !q->ready) return MLK_OK;
    MLK_TRY(mlk_sampler_finish(&q->r, e));
    bool take =
        g->o->block > 0 ? q->number == g->o->block : !g->best || 10 * q->fl.n >= g->best->fl.n;
    if (take) {
        run_destroy(g->best);
        g->best = q;
    } else {
        run_destroy(q);
    }
    g->now = NULL;
    return MLK_OK;
}

/* ---- the three styles ------------------------------------------------------------------------ */

static bool begins_with_number(const char *p)
{
    p += strspn(p, " \t");
    p += *p == '-' || *p == '+';
    return isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1])) ||
           !strncmp(p, "nan", 3) || !strncmp(p, "inf", 3);
}

static void note_odd(log_file *g)
{
    if (g->n_odd++ == 0) g->odd_line = g->l->number;
}

static mlk_status row(log_file *g, mlk_err *e)
{
    size_t found;
    run *q = g->now;
    if (g->foreign || g->l->cut) return MLK_OK;
    mlk_err why = {0};
    mlk_status s = mlk_sampler_parse(&q->r, g->l, &found, &why);
    if (found != q->c.n && s != MLK_ENUMERIC) {
        note_odd(g);
        return MLK_OK;
    }
    if (s) {
        if (e && !e->code) *e = why;
        return s;
    }
    return mlk_sampler_take(&q->r, g->l->number, e);
}

/* "keywords: ['Step', 'c_flux[1]', ]" */
static mlk_status yaml_names(log_file *g, mlk_err *e)
{
    MLK_TRY(run_end(g, e));
    MLK_TRY(run_begin(g, e));
    mlk_columns *c = &g->now->c;
    const char *p = strchr(g->l->line, '['), *end = strrchr(g->l->line, ']');
    for (p = p ? p + 1 : end; end && p < end && c->n < MLK_COLUMNS_MAX;) {
        p += strspn(p, " '\",");
        size_t len = strcspn(p, "'\", ");
        if (p + len > end) len = p < end ? (size_t)(end - p) : 0;
        if (len) snprintf(c->name[c->n++], sizeof *c->name, "%.*s", (int)len, p);
        p += len ? len : 1;
    }
    c->named = true;
    g->at = YAML;
    return run_ready(g, e);
}

/* "  - [0, 1.5, ]" */
static mlk_status yaml_row(log_file *g, mlk_err *e)
{
    mlk_lines *l = g->l;
    char *from = strchr(l->line, '['), *to = strrchr(l->line, ']');
    if (!from || !to || to < from || g->foreign) return MLK_OK;
    *to = 0;
    l->line = from + 1;
    return row(g, e);
}

/* "TotEng = -4.4 KinEng = 0.1 c_flux[1] = 3" into the sample */
static mlk_status multi_line(log_file *g, mlk_err *e)
{
    mlk_columns *c = &g->now->c;
    const char *p = g->l->line;
    while (!g->foreign) {
        p += strspn(p, " \t");
        size_t len = strcspn(p, " \t=");
        const char *v = p + len + strspn(p + len, " \t");
        double x;
        if (!len || *v++ != '=') return MLK_OK;
        v += strspn(v, " \t");
        if (!mlk_number(&v, &x)) {
            if (!strchr("nNiI", v[*v == '-']) || !v[*v == '-']) return MLK_OK;
            MLK_FAIL(e, MLK_ENUMERIC, "'%.*s' is not finite", (int)len, p);
            return mlk_lines_err(g->l, e);
        }
        if (g->n_v >= MLK_COLUMNS_MAX) return MLK_OK;
        if (!g->now->ready) {
            snprintf(c->name[g->n_v], sizeof *c->name, "%.*s", (int)len, p);
            c->n = g->n_v + 1;
        } else if (g->n_v >= c->n || strncmp(c->name[g->n_v], p, len)) {
            note_odd(g);
            return MLK_OK;
        }
        g->v[g->n_v++] = x;
        p = v;
    }
    return MLK_OK;
}

/* "------------ Step 100 ----- CPU = 0 (sec) -----------" begins a sample */
static mlk_status multi_head(log_file *g, mlk_err *e)
{
    const char *p = strstr(g->l->line, "Step") + 4;
    if (g->at != MULTI) {
        MLK_TRY(run_end(g, e));
        MLK_TRY(run_begin(g, e));
        g->at = MULTI;
    } else {
        MLK_TRY(take_sample(g, e));
    }
    mlk_columns *c = &g->now->c;
    if (!g->now->ready) snprintf(c->name[0], sizeof *c->name, "Step"), c->n = 1;
    c->named = true;
    g->n_v = mlk_number(&p, &g->v[0]) ? 1 : 0;
    return MLK_OK;
}

static mlk_status header(log_file *g, mlk_err *e)
{
    MLK_TRY(run_end(g, e));
    MLK_TRY(run_begin(g, e));
    if (!mlk_columns_names(&g->now->c, g->l->line, "")) return MLK_OK;
    g->at = ROWS;
    return run_ready(g, e);
}

static mlk_status one_line(log_file *g, mlk_err *e)
{
    const char *p = g->l->line + strspn(g->l->line, " \t");
    if (g->at == ROWS && begins_with_number(p)) return row(g, e);
    if (!strncmp(p, "WARNING", 7)) return MLK_OK;
    if (!strncmp(p, "Loop time of", 12)) return run_end(g, e);
    if (!strncmp(p, "---", 3) && strstr(p, " Step ")) return multi_head(g, e);
    if (!strncmp(p, "keywords: [", 11)) return yaml_names(g, e);
    if (g->at == YAML) return strncmp(p, "- [", 3) ? MLK_OK : yaml_row(g, e);
    if (g->at == MULTI) return g->l->cut ? MLK_OK : multi_line(g, e);
    bool memory = strstr(p, "memory allocation") || !strncmp(p, "Memory usage per", 16);
    if (memory) {
        MLK_TRY(run_end(g, e));
        g->at = HEADER_NEXT;
        return MLK_OK;
    }
    bool names = isalpha((unsigned char)*p) && (g->at == HEADER_NEXT || !strncmp(p, "Step ", 5));
    if (names && !strchr(p, '=')) return header(g, e);
    if (g->at == ROWS) return MLK_OK;
    read_command(g, p);
    return MLK_OK;
}

/* ---- the result ------------------------------------------------------------------------------ */

static mlk_status no_run(const log_file *g, mlk_err *e)
{
    if (g->why.code) {
        if (e && !e->code) *e = g->why;
        return g->why.code;
    }
    if (g->best) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu complete rows of the energy flux: nothing to analyse",
                 g->best->fl.n);
        return mlk_err_at(e, g->l->path, g->best->line);
    }
    if (g->o->block > 0)
        MLK_FAIL(e, MLK_EINVAL, "run %d of the log has no energy flux (%d runs)", g->o->block,
                 g->n_run);
    else
        MLK_FAIL(e, MLK_EINVAL, "none of the %d runs of this log prints an energy flux", g->n_run);
    mlk_err_hint(e, "thermo_style custom step temp vol c_flux[1] c_flux[2] c_flux[3] with compute "
                    "heat/flux; or name the columns: --energy v_a,v_b,v_c");
    return mlk_err_at(e, g->l->path, 0);
}

static void warn(const log_file *g, bool open)
{
    const run *q = g->best;
    const char *style = get(&g->stress, g->heat_stress);
    if (g->n_run > 1)
        mlk_log(MLK_LOG_INFO, "%s: %d runs; taken is run %d, from line %ld (another: --block N)",
                g->l->path, g->n_run, q->number, q->line);
    if (open)
        mlk_log(MLK_LOG_INFO,
                "%s: the run is still being written, or was stopped: the %zu "
                "complete rows are used",
                g->l->path, q->fl.n);
    if (g->n_odd)
        mlk_log(MLK_LOG_WARN, "%s:%ld: %zu lines of another length between the rows: left out",
                g->l->path, g->odd_line, g->n_odd);
    if (style && strncmp(style, "centroid", 8) && !g->pairwise)
        mlk_log(MLK_LOG_WARN,
                "compute heat/flux is fed by %s: that virial is wrong for many-body potentials "
                "and molecules; use centroid/stress/atom",
                style);
}

mlk_status mlk_read_lammps_log(mlk_flux *fl, mlk_lines *l, const mlk_table_opts *o, mlk_err *e)
{
    log_file *g = mlk_alloc(1, sizeof *g);
    if (!g) return MLK_FAIL(e, MLK_ENOMEM, "log file");
    g->l = l, g->o = o;
    mlk_status s;
    bool more, open = false;
    for (;;) {
        MLK_GO(mlk_lines_next(l, &more, e));
        if (!more) break;
        MLK_GO(one_line(g, e));
    }
    open = g->at != OUTSIDE && g->at != HEADER_NEXT && g->at != YAML;
    MLK_GO(run_end(g, e));
    if (!g->best || g->best->fl.n < 2) {
        s = no_run(g, e);
        goto done;
    }
    warn(g, open && g->best->number == g->n_run);
    MLK_GO(mlk_facts_settle(&g->best->f, &g->best->fl, &g->best->r, &g->best->c, o, e));
    *fl = g->best->fl;
    memset(&g->best->fl, 0, sizeof g->best->fl);
done:
    run_destroy(g->now);
    run_destroy(g->best);
    mlk_free(g);
    return s;
}
