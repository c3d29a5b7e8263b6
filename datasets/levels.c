/* levels.c - energies that do not belong together: free energies among others, several levels of
 * theory, files shifted against each other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/linalg.h"
#include "core/mem.h"
#include "core/stats.h"
#include "datasets/check.h"
#include "parsers/vasp_text.h"

#define SMEARING 5e-3   /* |F - E0| worth saying [eV/atom] */
#define BASE_FLOOR 0.01 /* least offset against the simple baseline [eV/atom] */
#define CUT 4.0         /* offsets: times the deviation within a file */
#define SURE 5.0        /* standard errors between cells of different size */
#define WITHIN_FILE 5.0 /* groups of one file differ in structure rather than in settings */

static size_t gcd(size_t a, size_t b)
{
    while (b) {
        size_t t = a % b;
        a = b, b = t;
    }
    return a;
}

uint64_t mlk_composition(const mlk_frame *fr, bool reduced)
{
    size_t count[MLK_ELEMENT_MAX + 1] = {0}, g = 0;
    uint64_t h = 14695981039346656037u; /* FNV-1a over the counts */
    for (size_t i = 0; i < fr->n; i++) count[fr->z[i]]++;
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++) g = gcd(count[z], g);
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++)
        h = (h ^ (reduced && g ? count[z] / g : count[z])) * 1099511628211u;
    return h;
}

/* ---- kinds of energy ---- */

void mlk_dataset_energy_kinds(const mlk_dataset *ds, mlk_energy_kinds *k)
{
    *k = (mlk_energy_kinds){
        .first_stated = SIZE_MAX, .first_unstated = SIZE_MAX, .first_only_e0 = SIZE_MAX};
    for (size_t i = 0; i < ds->n; i++) {
        const mlk_frame *fr = &ds->frame[i];
        bool e0 = isfinite(fr->energy0);
        if (!(fr->has & MLK_HAS_ENERGY)) {
            if (e0 && !k->only_e0++) k->first_only_e0 = i;
            continue;
        }
        k->n++;
        k->with_e0 += e0;
        if (e0) k->largest = fmax(k->largest, fabs(fr->energy - fr->energy0) / (double)fr->n);
        if (fr->energy_kind == MLK_ENERGY_FREE) {
            if (!k->stated++) k->first_stated = i;
        } else if (!k->unstated++) {
            k->first_unstated = i;
        }
    }
    k->mixed = (k->stated && k->unstated) || (k->n && k->only_e0);
}

static void name_frame(const mlk_dataset *ds, size_t i, char *buf, size_t cap)
{
    const char *s = ds->frame[i].source;
    size_t n = strlen(s), most = 100; /* the end of a path tells more, and the advice must fit */
    snprintf(buf, cap, "%s%.100s:%ld", n > most ? "..." : "", n > most ? s + n - most : s,
             ds->frame[i].line);
}

char *mlk_energy_advice(const mlk_dataset *ds, const mlk_energy_kinds *k, char *text, size_t cap)
{
    char a[240] = "", b[240] = "";
    *text = 0;
    if (!k->mixed) return text;
    if (k->stated) name_frame(ds, k->first_stated, a, sizeof a);
    if (k->only_e0) {
        name_frame(ds, k->first_only_e0, b, sizeof b);
        snprintf(text, cap,
                 "%zu frames have only E(sigma->0) (first %s), %zu have the free energy: %s",
                 k->only_e0, b, k->n,
                 k->with_e0 == k->n ? "choose data.energy=sigma0 for all"
                                    : "no choice serves all; leave one kind out");
        return text;
    }
    name_frame(ds, k->first_unstated, b, sizeof b);
    snprintf(text, cap,
             "%zu frames state the free energy (first %s), %zu do not say which energy they have "
             "(first %s): %s",
             k->stated, a, k->unstated, b,
             k->with_e0 == k->n ? "E(sigma->0) is known for all: data.energy=sigma0 is consistent"
                                : "use data.energy=free only if those are free energies too");
    return text;
}

static mlk_status energy_kinds(const mlk_dataset *ds, mlk_check *c, mlk_err *e)
{
    mlk_energy_kinds k;
    char text[640];
    mlk_dataset_energy_kinds(ds, &k);
    mlk_energy_advice(ds, &k, text, sizeof text);
    size_t first = k.only_e0 ? k.first_only_e0 : k.first_unstated;
    if (k.mixed) {
        const mlk_suspect it = {.kind = MLK_SUSPECT_ENERGY_KIND,
                                .frame = first,
                                .other = k.stated ? k.first_stated : first,
                                .value = (double)(k.only_e0 ? k.only_e0 : k.unstated)};
        MLK_TRY(mlk_suspects_add(&c->s, it, e, "%.500s", text));
    }
    c->smear_min = c->smear_max = NAN;
    for (size_t i = 0; i < ds->n; i++) {
        const mlk_frame *fr = &ds->frame[i];
        if (!(fr->has & MLK_HAS_ENERGY) || !isfinite(fr->energy0)) continue;
        double d = 1e3 * (fr->energy - fr->energy0) / (double)fr->n;
        c->smear_min = fmin(c->smear_min, d), c->smear_max = fmax(c->smear_max, d);
        const mlk_suspect it = {.kind = MLK_SUSPECT_SMEARING,
                                .frame = i,
                                .other = i,
                                .value = fabs(d),
                                .limit = 1e3 * SMEARING};
        if (fabs(d) > 1e3 * SMEARING) MLK_TRY(mlk_suspects_add(&c->s, it, e, "%s", ""));
    }
    return MLK_OK;
}

/* ---- stated levels of theory ---- */

/* The next POTCAR title of a list with commas; 0 at the end. */
static size_t next_title(const char **list, char *title, size_t cap)
{
    size_t n = strcspn(*list, ",");
    snprintf(title, cap, "%.*s", (int)(n < cap ? n : cap - 1), *list);
    *list += n + ((*list)[n] == ',');
    return n;
}

/* Two POTCAR lists go together if no element has two titles; files of other compositions list other
 * elements. */
static bool same_potcars(const char *a, const char *b)
{
    char one[64], two[64];
    while (next_title(&a, one, sizeof one)) {
        const int z = mlk_vasp_potcar_z(one);
        for (const char *p = b; next_title(&p, two, sizeof two);)
            if (z && z == mlk_vasp_potcar_z(two) && strcmp(one, two)) return false;
    }
    return true;
}

/* The same settings? The list of POTCARs stands last. */
static bool same_theory(const char *a, const char *b)
{
    static const char key[] = " POTCAR=";
    const char *p = strstr(a, key), *q = strstr(b, key);
    if (!p || !q || strstr(p, "...") || strstr(q, "...")) return !strcmp(a, b);
    if (p - a != q - b || strncmp(a, b, (size_t)(p - a))) return false;
    return same_potcars(p + strlen(key), q + strlen(key));
}

/* Files that do not say are no finding: most formats cannot. */
static mlk_status theories(const mlk_dataset *ds, mlk_check *c, mlk_err *e)
{
    enum { MOST = 64 };
    size_t first[MOST], count[MOST], n = 0;
    for (size_t i = 0; i < ds->n; i++) {
        const char *t = ds->frame[i].theory;
        size_t k = 0;
        if (!*t) continue;
        while (k < n && !same_theory(ds->frame[first[k]].theory, t)) k++;
        if (k == MOST) continue;
        if (k == n) first[n] = i, count[n++] = 0;
        count[k]++;
    }
    for (size_t k = 0; n > 1 && k < n; k++) {
        const mlk_suspect it = {.kind = MLK_SUSPECT_THEORY,
                                .frame = first[k],
                                .other = first[k],
                                .value = (double)count[k]};
        MLK_TRY(mlk_suspects_add(&c->s, it, e, "%s", ds->frame[first[k]].theory));
    }
    return MLK_OK;
}

/* ---- shifted files ---- */

typedef struct member { /* a frame in the order of composition and source */
    uint64_t comp;
    const char *source, *group;
    size_t i, n_atoms;
    double r;
} member;

typedef struct cluster { /* a file with its residuals; later the cluster it belongs to */
    size_t first, n;     /* members, all of one size */
    double median, dev;
    size_t n_atoms, id;
} cluster;

static int by_source(const void *a, const void *b)
{
    const member *p = a, *q = b;
    if (p->comp != q->comp) return p->comp < q->comp ? -1 : 1;
    int s = strcmp(p->source, q->source);
    if (s) return s;
    if (p->n_atoms != q->n_atoms) return p->n_atoms < q->n_atoms ? -1 : 1;
    return (p->i > q->i) - (p->i < q->i);
}

static int by_median(const void *a, const void *b)
{
    const cluster *p = a, *q = b;
    return (p->median > q->median) - (p->median < q->median);
}

/* What separates sources: the file; within a single file the group, then the tag. */
static const char *source_of(const mlk_dataset *ds, size_t i, int level)
{
    const mlk_frame *fr = &ds->frame[i];
    return level == 0 ? fr->source : level == 1 ? fr->group : fr->config_type;
}

static int source_level(const mlk_dataset *ds)
{
    for (int level = 0; level < 2; level++)
        for (size_t i = 1; i < ds->n; i++)
            if (strcmp(source_of(ds, i, level), source_of(ds, 0, level))) return level;
    return 2;
}

/* Median and robust deviation; work (n). */
static void robust(size_t n, const member *m, double *work, double *median, double *dev)
{
    for (size_t k = 0; k < n; k++) work[k] = m[k].r;
    *median = mlk_median(n, work);
    for (size_t k = 0; k < n; k++) work[k] = fabs(m[k].r - *median);
    *dev = 1.4826 * mlk_median(n, work);
}

/* Names of the files of a cluster, as many as fit. */
static void name_files(const cluster *q, size_t n, size_t id, const member *m, char *buf,
                       size_t cap)
{
    size_t shown = 0, all = 0;
    *buf = 0;
    for (size_t k = 0; k < n; k++) {
        if (q[k].id != id) continue;
        const char *name = m[q[k].first].source, *tail = name;
        if (strlen(name) > 40) tail = name + strlen(name) - 40;
        all++;
        if (strlen(buf) + strlen(tail) + 24 >= cap) continue;
        snprintf(buf + strlen(buf), cap - strlen(buf), "%s%s", shown++ ? ", " : "", tail);
    }
    if (shown < all) snprintf(buf + strlen(buf), cap - strlen(buf), " and %zu more", all - shown);
}

static mlk_status add_offsets(cluster *q, size_t n, size_t n_id, member *m, double *work,
                              double limit, const char *method, mlk_check *c, mlk_err *e)
{
    size_t frames = 0, largest = 0, most = 0;
    double base = 0;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t id = 0; id < n_id; id++) {
            size_t k = 0, first = SIZE_MAX, files = 0;
            char names[160];
            for (size_t s = 0; s < n; s++) {
                if (q[s].id != id) continue;
                files++;
                for (size_t t = 0; t < q[s].n; t++) work[k++] = m[q[s].first + t].r;
                if (m[q[s].first].i < first) first = m[q[s].first].i;
            }
            frames = k;
            double median = mlk_median(k, work);
            if (pass == 0) {
                if (frames > most) most = frames, largest = id, base = median;
                continue;
            }
            if (id == largest || frames < 3) continue;
            name_files(q, n, id, m, names, sizeof names);
            const mlk_suspect it = {.kind = MLK_SUSPECT_OFFSET,
                                    .frame = first,
                                    .other = first,
                                    .value = 1e3 * (median - base),
                                    .limit = 1e3 * limit};
            MLK_TRY(mlk_suspects_add(&c->s, it, e, "%s: %zu frames in %zu source%s: %s", method,
                                     frames, files, files == 1 ? "" : "s", names));
        }
    return MLK_OK;
}

/* Do the files of one cell size lie apart from the others, though nothing cuts them off? Cells of
 * another size often had another k mesh. Decided by the standard error of the files' medians. Sets
 * q->id to 1 for that size. */
static bool by_size(cluster *q, size_t n, double *work, double least, double *limit)
{
    enum { LEAST = 3 };
    for (size_t s = 0; s < n; s++) {
        size_t n_in = 0, n_out = 0, seen = 0;
        while (q[seen].n_atoms != q[s].n_atoms) seen++;
        for (size_t k = 0; k < n; k++)
            if (q[k].n_atoms == q[s].n_atoms) work[n_in++] = q[k].median;
        double in = mlk_median(n_in, work);
        for (size_t k = 0; k < n; k++)
            if (q[k].n_atoms != q[s].n_atoms) work[n_out++] = q[k].median;
        if (seen != s || n_in < LEAST || n_out < LEAST || n_in > n_out) continue;
        double out = mlk_median(n_out, work);
        for (size_t k = 0; k < n; k++)
            work[k] = fabs(q[k].median - (q[k].n_atoms == q[s].n_atoms ? in : out));
        double dev = 1.4826 * mlk_median(n, work);
        *limit = fmax(least, SURE * 1.25 * dev * sqrt(1.0 / (double)n_in + 1.0 / (double)n_out));
        if (fabs(in - out) <= *limit) continue;
        for (size_t k = 0; k < n; k++) q[k].id = q[k].n_atoms == q[s].n_atoms;
        return true;
    }
    return false;
}

/* Runs of members of one source, and, with sizes, of one number of atoms. Returns how many;
 * scatter: the usual deviation within one. */
static size_t make_clusters(const member *m, size_t n, bool sizes, cluster *q, double *work,
                            double *dev, double *scatter)
{
    size_t nq = 0, nd = 0;
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i; j < n && !strcmp(m[j].source, m[i].source); j++)
            if (sizes && m[j].n_atoms != m[i].n_atoms) break;
        q[nq] = (cluster){.first = i, .n = j - i, .n_atoms = m[i].n_atoms};
        robust(j - i, m + i, work, &q[nq].median, &q[nq].dev);
        if (j - i > 2) dev[nd++] = q[nq].dev;
        nq++;
    }
    *scatter = nd ? mlk_median(nd, dev) : 0;
    return nq;
}

/* Sources of one composition: cut where their medians jump by more than their frames scatter. */
static mlk_status cluster_sources(member *m, size_t n, double least, const char *method,
                                  mlk_check *c, mlk_err *e)
{
    cluster *q = mlk_alloc(n, sizeof *q);
    double *work = mlk_alloc(n, sizeof *work), *dev = mlk_alloc(n, sizeof *dev), scatter;
    size_t n_id = 1;
    mlk_status st = MLK_OK;
    if (!q || !work || !dev) {
        st = MLK_FAIL(e, MLK_ENOMEM, "no memory to compare files");
    } else {
        size_t nq = make_clusters(m, n, false, q, work, dev, &scatter);
        double limit = fmax(least, CUT * scatter);
        qsort(q, nq, sizeof *q, by_median);
        for (size_t k = 1; k < nq; k++) {
            if (q[k].median - q[k - 1].median > limit) n_id++;
            q[k].id = n_id - 1;
        }
        if (n_id == 1) { /* one file may hold many trajectories: cells are compared by these */
            for (size_t k = 0; k < n; k++) m[k].source = m[k].group;
            qsort(m, n, sizeof *m, by_source);
            nq = make_clusters(m, n, true, q, work, dev, &scatter);
            if (by_size(q, nq, work, least, &limit)) n_id = 2;
        }
        if (n_id > 1) st = add_offsets(q, nq, n_id, m, work, limit, method, c, e);
    }
    mlk_free(q);
    mlk_free(work);
    mlk_free(dev);
    return st;
}

mlk_status mlk_check_offsets(const mlk_dataset *ds, const double *residual, double least,
                             const char *method, mlk_check *c, mlk_err *e)
{
    member *m = mlk_alloc(ds->n + 1, sizeof *m);
    int level = source_level(ds);
    size_t n = 0;
    mlk_status st = MLK_OK;
    if (level > 0) least *= WITHIN_FILE;
    if (!m) return MLK_FAIL(e, MLK_ENOMEM, "no memory to compare files");
    for (size_t i = 0; i < ds->n; i++)
        if (isfinite(residual[i]))
            m[n++] = (member){mlk_composition(&ds->frame[i], true),
                              source_of(ds, i, level),
                              ds->frame[i].group,
                              i,
                              ds->frame[i].n,
                              residual[i]};
    qsort(m, n, sizeof *m, by_source);
    for (size_t i = 0, j; i < n && !st; i = j) {
        for (j = i; j < n && m[j].comp == m[i].comp;) j++;
        st = cluster_sources(m + i, j - i, least, method, c, e);
    }
    mlk_free(m);
    return st;
}

/* ---- baseline without a model ---- */

/* Columns of the baseline: 1, mean F^2 (grows with temperature as the energy does), volume per atom
 * and its square, about their means. */
static void baseline_row(const mlk_frame *fr, const double mean[2], double row[4])
{
    double f2 = 0, v = fr->cell.volume / (double)fr->n - mean[1];
    for (size_t a = 0; a < fr->n; a++)
        for (int k = 0; k < 3; k++) f2 += fr->f[a][k] * fr->f[a][k] / (double)fr->n;
    row[0] = 1, row[1] = f2 - mean[0], row[2] = v, row[3] = v * v;
}

/* Residuals of the frames m (n) of one composition; sum of |r| is made small by reweighting. */
static mlk_status baseline(const mlk_dataset *ds, member *m, size_t n, mlk_err *e)
{
    enum { COLUMNS = 4, ROUNDS = 8 };
    double *a = mlk_alloc(n, 2 * COLUMNS * sizeof *a), *b = mlk_alloc(n + COLUMNS, sizeof *b);
    double *rows = a ? a + COLUMNS * n : NULL, mean[2] = {0}, zero[2] = {0};
    mlk_status st = a && b ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "no memory to compare energies");
    for (size_t k = 0; k < n && !st; k++) {
        double row[COLUMNS];
        baseline_row(&ds->frame[m[k].i], zero, row);
        mean[0] += row[1] / (double)n, mean[1] += row[2] / (double)n;
    }
    for (size_t k = 0; k < n && !st; k++) baseline_row(&ds->frame[m[k].i], mean, rows + 4 * k);
    for (int round = 0; round < ROUNDS && !st; round++) {
        int rank;
        for (size_t k = 0; k < n; k++) {
            double w = round ? 1 / sqrt(fmax(fabs(m[k].r), 1e-4)) : 1;
            double y = ds->frame[m[k].i].energy / (double)m[k].n_atoms;
            for (int q = 0; q < COLUMNS; q++) a[COLUMNS * k + q] = w * rows[COLUMNS * k + q];
            b[k] = w * y;
        }
        st = mlk_lstsq(n, COLUMNS, a, b, 1e-10, &rank, e);
        for (size_t k = 0; k < n && !st; k++) {
            m[k].r = ds->frame[m[k].i].energy / (double)m[k].n_atoms;
            for (int q = 0; q < COLUMNS; q++) m[k].r -= b[q] * rows[COLUMNS * k + q];
        }
    }
    mlk_free(a);
    mlk_free(b);
    return st;
}

mlk_status mlk_check_baseline_offsets(const mlk_dataset *ds, mlk_check *c, mlk_err *e)
{
    enum { LEAST = 12 };
    const unsigned need = MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE;
    member *m = mlk_alloc(ds->n + 1, sizeof *m);
    double *r = mlk_alloc(ds->n + 1, sizeof *r);
    size_t n = 0;
    mlk_status st = m && r ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "no memory to compare energies");
    for (size_t i = 0; i < ds->n && !st; i++) {
        r[i] = NAN;
        if ((ds->frame[i].has & need) == need)
            m[n++] = (member){.comp = mlk_composition(&ds->frame[i], true),
                              .source = "",
                              .group = "",
                              .i = i,
                              .n_atoms = ds->frame[i].n};
    }
    if (!st) qsort(m, n, sizeof *m, by_source);
    for (size_t i = 0, j; i < n && !st; i = j) {
        for (j = i; j < n && m[j].comp == m[i].comp;) j++;
        if (j - i < LEAST) continue;
        st = baseline(ds, m + i, j - i, e);
        for (size_t k = i; k < j; k++) r[m[k].i] = m[k].r;
    }
    if (!st) st = mlk_check_offsets(ds, r, BASE_FLOOR, "baseline of forces and volume", c, e);
    mlk_free(m);
    mlk_free(r);
    return st;
}

/* Stress-like numbers nobody explains: said once, with the reading the strained cells favour. */
static mlk_status raw_numbers(const mlk_dataset *ds, mlk_check *c, mlk_err *e)
{
    const mlk_stress_row *row = NULL;
    size_t n = 0, first = 0;
    for (size_t i = 0; i < ds->n; i++)
        if (ds->frame[i].n_raw && !n++) first = i;
    for (size_t k = 0; k < c->n_row; k++)
        if (c->row[k].raw && (!row || c->row[k].n > row->n)) row = &c->row[k];
    if (!n) return MLK_OK;
    const mlk_suspect it = {.kind = MLK_SUSPECT_RAW_STRESS,
                            .frame = first,
                            .other = first,
                            .value = row ? row->best_rms : NAN};
    if (row)
        return mlk_suspects_add(&c->s, it, e, "%s of %zu frames; strained cells read it as %s",
                                ds->frame[first].raw_key, n, row->best);
    return mlk_suspects_add(&c->s, it, e, "%s of %zu frames: order, sign and unit unknown",
                            ds->frame[first].raw_key, n);
}

mlk_status mlk_check_without_fit(const mlk_dataset *ds, mlk_check *c, mlk_err *e)
{
    MLK_TRY(mlk_check_baseline_offsets(ds, c, e));
    MLK_TRY(raw_numbers(ds, c, e));
    mlk_suspects_sort(&c->s);
    return MLK_OK;
}

mlk_status mlk_check_levels(const mlk_dataset *ds, mlk_check *c, mlk_err *e)
{
    MLK_TRY(energy_kinds(ds, c, e));
    return theories(ds, c, e);
}

void mlk_dataset_warn_energy_kinds(const mlk_dataset *ds)
{
    mlk_energy_kinds k;
    char text[640];
    mlk_dataset_energy_kinds(ds, &k);
    if (k.mixed)
        mlk_log(MLK_LOG_WARN, "the data hold energies of different kinds: %s",
                mlk_energy_advice(ds, &k, text, sizeof text));
}
