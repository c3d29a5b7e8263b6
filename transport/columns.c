/* columns.c - see columns.h. */
#include "transport/columns.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

mlk_status mlk_columns_init(mlk_columns *c, const char *path, mlk_err *e)
{
    memset(c, 0, sizeof *c);
    c->path = path;
    c->name = mlk_alloc(MLK_COLUMNS_MAX, sizeof *c->name);
    return c->name ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "table header");
}

void mlk_columns_free(mlk_columns *c)
{
    mlk_free(c->name);
    memset(c, 0, sizeof *c);
}

bool mlk_columns_names(mlk_columns *c, const char *line, const char *more)
{
    char sep[32];
    snprintf(sep, sizeof sep, " \t\r,;%s", more);
    c->n = 0;
    for (const char *p = line; *(p += strspn(p, sep)); c->n++) {
        size_t len = strcspn(p, sep);
        if (c->n >= MLK_COLUMNS_MAX) return false;
        snprintf(c->name[c->n], sizeof *c->name, "%.*s", (int)len, p);
        p += len;
    }
    c->named = true;
    return true;
}

enum { NONE = -1, TWICE = -2 };

/* column number (from 1) or name -> index; NONE, or TWICE when several have that name */
static int find(const mlk_columns *c, const char *w, size_t len)
{
    int found = NONE, v = 0;
    for (size_t k = 0; k < c->n; k++)
        if (strlen(c->name[k]) == len && !strncmp(c->name[k], w, len))
            found = found == NONE ? (int)k : TWICE;
    if (found != NONE) return found;
    for (size_t k = 0; k < len; k++) {
        if (!isdigit((unsigned char)w[k]) || v > 100000) return NONE;
        v = 10 * v + (w[k] - '0');
    }
    return v >= 1 && (size_t)v <= c->n ? v - 1 : NONE;
}

static mlk_status unknown(const mlk_columns *c, const char *w, size_t len, int why, mlk_err *e)
{
    if (why == TWICE) {
        MLK_FAIL(e, MLK_EINVAL, "several columns are named '%.*s'", (int)len, w);
        mlk_err_hint(e, "give the number of the column");
    } else {
        MLK_FAIL(e, MLK_EINVAL, "no column '%.*s': the table has columns 1 to %zu%s", (int)len, w,
                 c->n, c->named ? " and the names in its header" : " and no header");
    }
    return mlk_err_at(e, c->path, c->line);
}

/* "5", "2-4", "2,3,4", "Jx,Jy,Jz" -> *nc columns */
static mlk_status parse(const mlk_columns *c, const char *spec, size_t len, int col[3], size_t *nc,
                        mlk_err *e)
{
    const char *dash = memchr(spec, '-', len);
    size_t n = 0, left = dash ? (size_t)(dash - spec) : 0, right = dash ? len - left - 1 : 0;
    int lo = dash ? find(c, spec, left) : NONE, hi = dash ? find(c, dash + 1, right) : NONE;
    if (find(c, spec, len) == NONE && lo >= 0) {
        if (hi < 0 && right > 0 && strspn(dash + 1, "0123456789") >= right)
            return unknown(c, dash + 1, right, NONE, e);
        for (int k = lo; hi >= lo && k <= hi; k++, n++)
            if (n < 3) col[n] = k;
    }
    for (const char *p = spec, *end = n ? spec : spec + len; p < end; n++) {
        size_t w = 0;
        while (p + w < end && p[w] != ',') w++;
        if (n < 3) {
            col[n] = find(c, p, w);
            if (col[n] < 0) return unknown(c, p, w, col[n], e);
        }
        p += w + 1;
    }
    *nc = n;
    if (n >= 1 && n <= 3) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "'%.*s' names %zu columns, a flux has one to three (x, y, z)", (int)len,
             spec, n);
    return mlk_err_hint(e, "write 2-4, or 2,3,4, or three names of the header line");
}

/* three neighbouring names that differ only in a final 1 2 3 or x y z, from column k on; the common
 * stem goes to stem */
static bool triple_at(const mlk_columns *c, size_t k, char stem[MLK_COLUMN_NAME])
{
    static const char ends[3][3] = {{'1', '2', '3'}, {'x', 'y', 'z'}, {'X', 'Y', 'Z'}};
    if (k + 2 >= c->n) return false;
    for (int v = 0; v < 3; v++) {
        bool ok = true;
        for (size_t i = 0; i < 3 && ok; i++) {
            const char *name = c->name[k + i];
            size_t n = strlen(name), tail = n && name[n - 1] == ']';
            ok = n > tail + 1 && name[n - tail - 1] == ends[v][i] &&
                 (i == 0 || !strncmp(c->name[k], name, n - tail - 1));
            if (ok && i == 0) snprintf(stem, MLK_COLUMN_NAME, "%.*s", (int)(n - tail - 1), name);
        }
        if (ok) return true;
    }
    return false;
}

/* behind the c_, f_ or v_ of LAMMPS */
static const char *bare(const char *stem)
{
    return strchr("cfv", stem[0]) && stem[0] && stem[1] == '_' ? stem + 2 : stem;
}

static bool is_energy(const char *stem)
{
    const char *s = bare(stem);
    return strstr(s, "flux") || strstr(s, "heat") || s[0] == 'J' || !strncmp(s, "hf", 2);
}

static bool is_mass(const mlk_columns *c, const char *stem)
{
    size_t len = strcspn(bare(stem), "[");
    for (int k = 0; k < c->n_vcm; k++)
        if (strlen(c->vcm[k]) == len && !strncmp(c->vcm[k], bare(stem), len)) return true;
    return strstr(stem, "vcm") || strstr(stem, "mom");
}

/* "Li" of c_vcmLi[, vcm_Li, c_Li_vcm[ ...; else vcm1, vcm2, ... */
static void label_of(const mlk_columns *c, const char *stem, char label[32])
{
    const char *s = bare(stem), *v = strstr(s, "vcm");
    size_t n = 0;
    for (; *s && n < 31; s++) {
        if (s == v) s += 3;
        if (!*s || *s == '[') break;
        if (isalpha((unsigned char)*s)) label[n++] = *s;
    }
    label[n] = 0;
    bool taken = n == 0 || n > 8 || !v;
    for (size_t a = 0; a < c->m; a++) taken = taken || !strcmp(c->label[a], label);
    if (taken) snprintf(label, 32, "vcm%zu", c->m);
}

/* energy flux: the first triple that is_energy; further fluxes: all that are is_mass */
static void from_names(mlk_columns *c, bool energy, bool others)
{
    char stem[MLK_COLUMN_NAME];
    for (size_t k = 0; k + 2 < c->n; k++) {
        if (!triple_at(c, k, stem)) continue;
        size_t a = 0;
        if (is_mass(c, stem)) {
            if (!others || c->m >= MLK_FLUX_MAX) continue;
            a = c->m;
            label_of(c, stem, c->label[a]);
            c->m++;
        } else if (energy && is_energy(stem)) {
            energy = false;
        } else {
            continue;
        }
        for (size_t i = 0; i < 3; i++) c->col[3 * a + i] = (int)(k + i);
        k += 2;
    }
}

bool mlk_columns_have_flux(const mlk_columns *c, const mlk_table_opts *o)
{
    char stem[MLK_COLUMN_NAME];
    if (o->energy && *o->energy) return true;
    for (size_t k = 0; k + 2 < c->n; k++)
        if (triple_at(c, k, stem) && !is_mass(c, stem) && is_energy(stem)) return true;
    return false;
}

static mlk_status flux_options(mlk_columns *c, const char *flux, mlk_err *e)
{
    for (const char *p = flux; *p;) {
        size_t len = strcspn(p, ";"), eq = strcspn(p, "="), nc = 0;
        int col[3];
        if (eq == 0 || eq >= len || eq >= sizeof c->label[0])
            return MLK_FAIL(e, MLK_EINVAL, "--flux %.*s: expected NAME=COLUMNS, e.g. Na=5-7",
                            (int)len, p);
        if (c->m == MLK_FLUX_MAX)
            return MLK_FAIL(e, MLK_EINVAL, "more than %d fluxes", MLK_FLUX_MAX - 1);
        MLK_TRY(parse(c, p + eq + 1, len - eq - 1, col, &nc, e));
        if (nc != c->nc) {
            MLK_FAIL(e, MLK_EINVAL, "--flux %.*s: %zu column%s, the energy flux has %zu", (int)len,
                     p, nc, nc > 1 ? "s" : "", c->nc);
            return mlk_err_hint(e, "the same directions of every flux are needed");
        }
        snprintf(c->label[c->m], sizeof c->label[0], "%.*s", (int)eq, p);
        for (size_t i = 0; i < nc; i++) c->col[nc * c->m + i] = col[i];
        c->m++;
        p += len + (p[len] == ';');
    }
    return MLK_OK;
}

/* first of the names there is, NONE or TWICE */
static int first_of(const mlk_columns *c, const char *const *names, const char **which)
{
    for (; *names; names++) {
        int k = c->named ? find(c, *names, strlen(*names)) : NONE;
        if (k != NONE) {
            *which = *names;
            return k;
        }
    }
    return NONE;
}

static mlk_status temperature(mlk_columns *c, const mlk_table_opts *o, mlk_err *e)
{
    static const char *const names[] = {
        "Temp", "temp", "c_thermo_temp", "temperature", "Temperature", "T", NULL};
    const char *w = o->temp_col ? o->temp_col : "";
    c->temperature = NONE;
    if (*w) {
        c->temperature = find(c, w, strlen(w));
        if (c->temperature < 0) return unknown(c, w, strlen(w), c->temperature, e);
        return MLK_OK;
    }
    if (o->temperature > 0) return MLK_OK;
    c->temperature = first_of(c, names, &w);
    return c->temperature == TWICE ? unknown(c, w, strlen(w), TWICE, e) : MLK_OK;
}

mlk_status mlk_columns_choose(mlk_columns *c, const mlk_table_opts *o, mlk_err *e)
{
    static const char *const steps[] = {"Step", "step", "TimeStep", "Timestep", NULL};
    static const char *const times[] = {"Time", "time", "t", NULL};
    static const char *const volumes[] = {"Volume", "volume", "Vol", "vol", NULL};
    static const char *const edges[3][2] = {{"Lx", NULL}, {"Ly", NULL}, {"Lz", NULL}};
    bool energy = o->energy && *o->energy, others = o->flux && *o->flux;
    const char *w;
    c->m = 1;
    c->nc = 3;
    snprintf(c->label[0], sizeof c->label[0], "energy");
    c->col[0] = NONE;
    if (energy) MLK_TRY(parse(c, o->energy, strlen(o->energy), c->col, &c->nc, e));
    if (c->nc == 3) from_names(c, !energy, !others);
    if (c->col[0] < 0) {
        MLK_FAIL(e, MLK_EINVAL, "%s: which columns are the energy flux?", c->path);
        return mlk_err_hint(e, "for example --energy 2-4 --flux Na=5-7");
    }
    if (others) MLK_TRY(flux_options(c, o->flux, e));
    MLK_TRY(temperature(c, o, e));
    c->step = first_of(c, steps, &w);
    c->time = c->step < 0;
    if (c->time) c->step = first_of(c, times, &w);
    for (size_t k = 0; k < 3 * MLK_FLUX_MAX && k < c->nc * c->m; k++)
        if (c->col[k] == c->step) c->step = NONE; /* "t" may be anything */
    c->volume[0] = first_of(c, volumes, &w);
    c->volume[1] = c->volume[2] = NONE;
    int edge[3];
    for (int k = 0; k < 3; k++) edge[k] = first_of(c, edges[k], &w);
    if (c->volume[0] < 0 && edge[0] >= 0 && edge[1] >= 0 && edge[2] >= 0)
        memcpy(c->volume, edge, sizeof edge);
    return MLK_OK;
}

char *mlk_columns_tell(const mlk_columns *c, size_t a, char *buf, size_t cap)
{
    const int *k = c->col + c->nc * a;
    size_t nc = c->nc, n;
    bool run = true;
    for (size_t i = 1; i < nc; i++) run = run && k[i] == k[0] + (int)i;
    if (nc == 1)
        n = (size_t)snprintf(buf, cap, "column %d", k[0] + 1);
    else if (run)
        n = (size_t)snprintf(buf, cap, "columns %d-%d", k[0] + 1, k[nc - 1] + 1);
    else
        n = (size_t)snprintf(buf, cap, "columns %d,%d%s%.0d", k[0] + 1, k[1] + 1, nc > 2 ? "," : "",
                             nc > 2 ? k[2] + 1 : 0);
    if (c->named && n < cap)
        snprintf(buf + n, cap - n, " (%s%s%s)", c->name[k[0]], nc > 1 ? " .. " : "",
                 nc > 1 ? c->name[k[nc - 1]] : "");
    return buf;
}
