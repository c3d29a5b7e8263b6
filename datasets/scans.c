/* scans.c - stress against energy where the same crystal was computed in several cells.
 * Frames with equal fractional coordinates differ by a strain only. Between two such cells
 *     E2 - E1 = -1/2 [W1 : h1^-1 dh + W2 : h2^-1 dh] + O(strain^3),   W = -V sigma,
 * rows of h are the lattice vectors; forces do not enter. Stress signs, units and component orders
 * that contradict this are found without any model. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/units.h"
#include "datasets/check.h"
#include "datasets/stress_reading.h"

#define SAME 1e-4       /* fractional coordinates */
#define STRAIN_MIN 2e-4 /* below, energies are too close to divide by */
#define STRAIN_MAX 0.06 /* beyond, the trapezoid rule is not enough */
#define NOISE 0.7       /* [GPa]: Pulay stress of a fixed basis, curvature of coarse scans */
enum { PAIRS_PER_FRAME = 4, REPRESENTATIVES_MAX = 20000 };

typedef struct cell_pair { /* of cells */
    size_t i, j;
    double d1[3][3], d2[3][3]; /* h1^-1 dh and h2^-1 dh */
    double size;               /* Frobenius norm of the strain */
} cell_pair;

typedef struct scan {
    const mlk_dataset *ds;
    cell_pair *p;
    size_t n, cap;
    bool raw;
} scan;

static double wrapped(double d)
{
    return d - round(d);
}

/* Equal elements and fractional coordinates, up to a common shift? */
static bool same_crystal(const mlk_frame *a, const mlk_frame *b)
{
    double sa[3], sb[3], o[3];
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++) {
        if (a->z[i] != b->z[i]) return false;
        mlk_cell_frac(&a->cell, a->x[i], sa);
        mlk_cell_frac(&b->cell, b->x[i], sb);
        for (int k = 0; k < 3; k++) {
            if (i == 0) o[k] = sb[k] - sa[k];
            if (fabs(wrapped(sb[k] - sa[k] - o[k])) > SAME) return false;
        }
    }
    return true;
}

static double strain(const mlk_cell *c, const double dh[3][3], double d[3][3])
{
    double sum = 0;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            d[a][b] = 0;
            for (int k = 0; k < 3; k++) d[a][b] += c->hinv[a][k] * dh[k][b];
        }
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) sum += 0.25 * (d[a][b] + d[b][a]) * (d[a][b] + d[b][a]);
    return sqrt(sum);
}

static void make_pair(const mlk_dataset *ds, size_t i, size_t j, cell_pair *p)
{
    double dh[3][3];
    const mlk_cell *a = &ds->frame[i].cell, *b = &ds->frame[j].cell;
    for (int k = 0; k < 3; k++)
        for (int c = 0; c < 3; c++) dh[k][c] = b->h[k][c] - a->h[k][c];
    p->i = i, p->j = j;
    p->size = strain(a, (const double(*)[3])dh, p->d1);
    strain(b, (const double(*)[3])dh, p->d2);
}

static void given(const mlk_frame *fr, bool raw, double g[6])
{
    if (!raw) {
        mlk_voigt((const double(*)[3])fr->virial, -MLK_EVA3_GPA / fr->cell.volume, g);
    } else if (fr->n_raw == 9) {
        double m[3][3];
        memcpy(m, fr->raw, sizeof m);
        mlk_voigt((const double(*)[3])m, 1, g);
    } else {
        memcpy(g, fr->raw, 6 * sizeof *g);
    }
}

/* -E change that stress s [GPa] of a cell explains for a displacement gradient d [eV]. */
static double work_of(const double s[6], double volume, const double d[3][3])
{
    static const int a[6] = {0, 1, 2, 1, 2, 0}, b[6] = {0, 1, 2, 2, 0, 1};
    double w = 0;
    for (int k = 0; k < 6; k++) w += s[k] * (k < 3 ? d[k][k] : d[a[k]][b[k]] + d[b[k]][a[k]]);
    return w * volume / MLK_EVA3_GPA;
}

/* Energy step that the stresses predict, and what was found, both per V * |strain| [GPa]. */
static void step_of(const scan *s, const cell_pair *p, const mlk_reading *r, double *predicted,
                    double *found)
{
    const mlk_frame *a = &s->ds->frame[p->i], *b = &s->ds->frame[p->j];
    double ga[6], gb[6], sa[6], sb[6];
    double unit = MLK_EVA3_GPA / (0.5 * (a->cell.volume + b->cell.volume) * p->size);
    given(a, s->raw, ga), given(b, s->raw, gb);
    mlk_reading_apply(r, ga, a->cell.volume, sa);
    mlk_reading_apply(r, gb, b->cell.volume, sb);
    *predicted = 0.5 * unit *
                 (work_of(sa, a->cell.volume, (const double(*)[3])p->d1) +
                  work_of(sb, b->cell.volume, (const double(*)[3])p->d2));
    *found = unit * (b->energy - a->energy);
}

static double score(const mlk_reading *r, const void *user)
{
    const scan *s = user;
    double sum = 0, x, y;
    for (size_t k = 0; k < s->n; k++) {
        step_of(s, &s->p[k], r, &x, &y);
        sum += (x - y) * (x - y);
    }
    return sqrt(sum / (double)s->n);
}

/* Does a frame have what the scan needs? */
static bool fit_for(const mlk_frame *fr, bool raw)
{
    const unsigned need = MLK_HAS_CELL | MLK_HAS_ENERGY | (raw ? 0 : MLK_HAS_VIRIAL);
    return (fr->has & need) == need && (!raw || fr->n_raw == 6 || fr->n_raw == 9) &&
           fr->scf != MLK_SCF_UNCONVERGED;
}

/* Pairs of every frame of one crystal with its nearest later ones. */
static mlk_status collect(scan *s, const size_t *member, size_t n, mlk_err *e)
{
    for (size_t a = 0; a < n; a++) {
        cell_pair near[PAIRS_PER_FRAME];
        int m = 0;
        for (size_t b = a + 1; b < n; b++) {
            cell_pair p;
            make_pair(s->ds, member[a], member[b], &p);
            if (p.size < STRAIN_MIN || p.size > STRAIN_MAX) continue;
            if (m == PAIRS_PER_FRAME && p.size >= near[m - 1].size) continue;
            int at = m < PAIRS_PER_FRAME ? m++ : m - 1;
            for (; at > 0 && near[at - 1].size > p.size; at--) near[at] = near[at - 1];
            near[at] = p;
        }
        MLK_TRY(MLK_GROW(s->p, s->cap, s->n + (size_t)m, e));
        for (int k = 0; k < m; k++) s->p[s->n++] = near[k];
    }
    return MLK_OK;
}

/* How clearly the scan speaks for one order of the shear components. */
static void find_order(const scan *s, mlk_reading r, mlk_stress_row *row)
{
    double least = INFINITY, next = INFINITY;
    for (int o = 0; o < MLK_ORDERS; o++) {
        r.order = o;
        double v = score(&r, s);
        if (v < least)
            next = least, least = v, row->order = o;
        else if (v < next)
            next = v;
    }
    row->order_gain = (double)s->n * (next * next / (least * least) - 1);
}

static mlk_status report(scan *s, size_t first, size_t frames, mlk_check *c, mlk_err *e)
{
    const mlk_frame *fr = &s->ds->frame[first];
    mlk_stress_row row = {
        .method = "strain", .frame = first, .n = s->n, .frames = frames, .raw = s->raw};
    mlk_reading plain = mlk_reading_plain(),
                best = mlk_reading_best(s->raw, score, s, &row.best_rms);
    double xx = 0, xy = 0, yy = 0, y1 = 0, x, y, n = (double)s->n;
    if (s->raw) plain = best;
    for (size_t k = 0; k < s->n; k++) {
        double trace = s->p[k].d1[0][0] + s->p[k].d1[1][1] + s->p[k].d1[2][2];
        step_of(s, &s->p[k], &plain, &x, &y);
        xx += x * x, xy += x * y, yy += y * y;
        y1 += (x - y) * (trace > 0 ? 1 : -1) / n;
    }
    row.slope = yy > 0 ? xy / yy : NAN;
    row.rms = score(&plain, s);
    row.size = sqrt(yy / n);
    row.bias = y1;
    if (s->raw)
        snprintf(row.name, sizeof row.name, "%s", fr->raw_key);
    else
        snprintf(row.name, sizeof row.name, "%s", fr->group[0] ? fr->group : fr->config_type);
    mlk_reading_name(&best, row.best, sizeof row.best);
    find_order(s, best, &row);
    return mlk_check_judge_row(c, &row, NOISE, e);
}

/* crystal[i]: index of the first frame with the same fractional coordinates. */
static void find_crystals(const mlk_dataset *ds, bool raw, size_t *crystal, size_t *rep)
{
    size_t n_rep = 0;
    for (size_t i = 0; i < ds->n; i++) {
        crystal[i] = SIZE_MAX;
        if (!fit_for(&ds->frame[i], raw)) continue;
        size_t k = 0;
        while (k < n_rep && !same_crystal(&ds->frame[rep[k]], &ds->frame[i])) k++;
        if (k == n_rep && n_rep < REPRESENTATIVES_MAX) rep[n_rep++] = i;
        if (k < n_rep) crystal[i] = rep[k];
    }
}

static mlk_status all_scans(const mlk_dataset *ds, bool raw, mlk_check *c, mlk_err *e)
{
    enum { LEAST = 3 };
    size_t *crystal = mlk_alloc(ds->n + 1, 3 * sizeof *crystal), *member = crystal + ds->n;
    scan s = {.ds = ds, .raw = raw};
    mlk_status st = crystal ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "no memory to compare cells");
    if (!st) find_crystals(ds, raw, crystal, member);
    for (size_t i = 0; i < ds->n && !st; i++) {
        size_t n = 0;
        if (crystal[i] != i) continue;
        for (size_t j = i; j < ds->n; j++)
            if (crystal[j] == i) member[n++] = j;
        s.n = 0;
        if (n >= LEAST) st = collect(&s, member, n, e);
        if (!st && s.n >= LEAST) st = report(&s, i, n, c, e);
    }
    mlk_free(crystal);
    mlk_free(s.p);
    return st;
}

mlk_status mlk_check_scans(const mlk_dataset *ds, mlk_check *c, mlk_err *e)
{
    MLK_TRY(all_scans(ds, false, c, e));
    for (size_t i = 0; i < ds->n; i++)
        if (ds->frame[i].n_raw) return all_scans(ds, true, c, e);
    return MLK_OK;
}
