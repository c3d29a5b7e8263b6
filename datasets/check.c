/* check.c - see check.h: the parts put together; distances, cells, forces, images and runs.
 * Elsewhere: twins.c (equal structures), levels.c (energies of different kinds), scans.c (stress
 * against the energies of strained cells), stress_reading.c (stress read in other ways). */
#include "datasets/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/stats.h"

#define PAIR_FRACTION 0.6 /* of the covalent radii; H2 has 1.16, the hardest real contacts 0.65 */
#define HARD_CONTACT 0.5  /* [A] */
#define GAP 8.0           /* [A]; the widest layer of ordinary open frameworks is about half */
#define FORCE_TIMES 10    /* over the median |F| of the element */
#define FORCE_LEAST 1.0   /* [eV/A]: no outlier below, cold sets have a median near zero */

void mlk_check_free(mlk_check *c)
{
    mlk_suspects_free(&c->s);
    mlk_free(c->leaky);
    mlk_free(c->row);
    memset(c, 0, sizeof *c);
}

mlk_status mlk_check_add_row(mlk_check *c, const mlk_stress_row *row, mlk_err *e)
{
    MLK_TRY(MLK_GROW(c->row, c->cap_row, c->n_row + 1, e));
    c->row[c->n_row++] = *row;
    return MLK_OK;
}

mlk_status mlk_check_judge_row(mlk_check *c, mlk_stress_row *row, double noise, mlk_err *e)
{
    /* another reading that halves the error is evidence of its own, below the noise too */
    bool better = row->best_rms < 0.5 * row->rms && row->rms > 0.3;
    bool off = row->rms > fmax(noise, 0.3 * row->size) && fabs(row->bias) > noise;
    row->bad = row->raw || better || off;
    mlk_suspect it = {.kind = row->raw ? MLK_SUSPECT_RAW_STRESS : MLK_SUSPECT_STRESS,
                      .frame = row->frame,
                      .other = row->frame,
                      .value = row->rms,
                      .limit = noise};
    if (row->bad && !row->raw)
        MLK_TRY(mlk_suspects_add(&c->s, it, e, "%s (%s): trace/3 off by %.2f GPa%s%s", row->name,
                                 row->method, row->bias, better ? "; explained by: " : "",
                                 better ? row->best : ""));
    return mlk_check_add_row(c, row, e);
}

static double norm(const double v[3])
{
    return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

static mlk_status one(mlk_check *c, mlk_suspect_kind kind, size_t frame, double value, double limit,
                      mlk_err *e)
{
    const mlk_suspect it = {
        .kind = kind, .frame = frame, .other = frame, .value = value, .limit = limit};
    return mlk_suspects_add(&c->s, it, e, "%s", "");
}

/* ---- cells and distances ---- */

static mlk_status look_at_shape(const mlk_frame *fr, size_t i, const mlk_shape *sh, mlk_check *c,
                                mlk_err *e)
{
    const double(*h)[3] = (const double(*)[3])fr->cell.h;
    if (!(fr->has & MLK_HAS_CELL)) return MLK_OK;
    double det = h[0][0] * (h[1][1] * h[2][2] - h[1][2] * h[2][1]) -
                 h[0][1] * (h[1][0] * h[2][2] - h[1][2] * h[2][0]) +
                 h[0][2] * (h[1][0] * h[2][1] - h[1][1] * h[2][0]);
    if (det < 0) MLK_TRY(one(c, MLK_SUSPECT_HANDED, i, det, 0, e));
    mlk_suspect it = {.kind = MLK_SUSPECT_PAIR, .frame = i, .other = i, .value = sh->dist};
    it.limit = sh->dist / sh->ratio * PAIR_FRACTION;
    if (sh->ratio < PAIR_FRACTION && sh->dist >= HARD_CONTACT)
        MLK_TRY(mlk_suspects_add(&c->s, it, e, "%s-%s at %.2f of their covalent radii",
                                 mlk_element_symbol(sh->za), mlk_element_symbol(sh->zb),
                                 sh->ratio));
    it = (mlk_suspect){
        .kind = MLK_SUSPECT_VACUUM, .frame = i, .other = i, .value = sh->gap, .limit = GAP};
    if (sh->gap > GAP)
        MLK_TRY(mlk_suspects_add(&c->s, it, e, "across lattice vector %c", 'a' + sh->gap_axis));
    return MLK_OK;
}

/* ---- forces by element ---- */

/* Median |F| of every element over the atoms that feel a force at all: crystals at rest say
 * nothing about what is unusual. */
static mlk_status force_medians(const mlk_dataset *ds, mlk_check *c, mlk_err *e)
{
    size_t total = 0;
    for (size_t i = 0; i < ds->n; i++)
        if (ds->frame[i].has & MLK_HAS_FORCE) total += ds->frame[i].n;
    double *f = mlk_alloc(total + 1, sizeof *f);
    if (!f) return MLK_FAIL(e, MLK_ENOMEM, "no memory to compare %zu forces", total);
    for (size_t t = 0; t < ds->n_species; t++) {
        size_t n = 0;
        for (size_t i = 0; i < ds->n; i++) {
            const mlk_frame *fr = &ds->frame[i];
            for (size_t a = 0; (fr->has & MLK_HAS_FORCE) && a < fr->n; a++)
                if (fr->z[a] == ds->z[t] && norm(fr->f[a]) > 0.02) f[n++] = norm(fr->f[a]);
        }
        if (n) c->median_f[ds->z[t]] = mlk_median(n, f);
    }
    mlk_free(f);
    return MLK_OK;
}

static mlk_status look_at_forces(const mlk_frame *fr, size_t i, mlk_check *c, mlk_err *e)
{
    double worst = 1;
    size_t at = 0;
    for (size_t a = 0; (fr->has & MLK_HAS_FORCE) && a < fr->n; a++) {
        double limit = fmax(FORCE_LEAST, FORCE_TIMES * c->median_f[fr->z[a]]);
        if (norm(fr->f[a]) > worst * limit) worst = norm(fr->f[a]) / limit, at = a;
    }
    if (worst <= 1) return MLK_OK;
    const mlk_suspect it = {.kind = MLK_SUSPECT_FORCE,
                            .frame = i,
                            .other = i,
                            .value = norm(fr->f[at]),
                            .limit = norm(fr->f[at]) / worst};
    return mlk_suspects_add(&c->s, it, e, "%s, atom %zu; median of %s: %.3g",
                            mlk_element_symbol(fr->z[at]), at + 1, mlk_element_symbol(fr->z[at]),
                            c->median_f[fr->z[at]]);
}

/* ---- images and runs ---- */

static bool nothing_computed(const mlk_frame *fr)
{
    return !(fr->has & (MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VIRIAL)) && isnan(fr->energy0);
}

static mlk_status look_at_runs(const mlk_dataset *ds, mlk_check *c, mlk_err *e)
{
    for (size_t i = 0; i < ds->n; i++) {
        const mlk_frame *fr = &ds->frame[i], *last = i ? &ds->frame[i - 1] : NULL;
        if (fr->run < 2 || (last && last->run == fr->run && !strcmp(last->source, fr->source)))
            continue;
        const mlk_suspect it = {
            .kind = MLK_SUSPECT_RUNS, .frame = i, .other = i, .value = fr->run, .limit = 1};
        MLK_TRY(mlk_suspects_add(&c->s, it, e, "run %d of the file begins here", fr->run));
    }
    return MLK_OK;
}

/* The quick findings, with their limits; those that this look does better are left out. */
static mlk_status quick(const mlk_dataset *ds, mlk_check *c, mlk_err *e)
{
    static const double limit[MLK_SUSPECT_COUNT] = {[MLK_SUSPECT_CONTRADICTION] = 1e-3,
                                                    [MLK_SUSPECT_NET_FORCE] = 0.1,
                                                    [MLK_SUSPECT_CLOSE] = HARD_CONTACT};
    mlk_suspects s;
    MLK_TRY(mlk_dataset_suspect(ds, &s, e));
    mlk_status st = MLK_OK;
    c->s.force_rms = s.force_rms;
    for (size_t k = 0; k < s.n && !st; k++) {
        mlk_suspect it = s.item[k];
        bool missing = it.kind == MLK_SUSPECT_NO_ENERGY || it.kind == MLK_SUSPECT_NO_FORCE ||
                       it.kind == MLK_SUSPECT_NO_STRESS;
        if (it.kind == MLK_SUSPECT_FORCE || (missing && nothing_computed(&ds->frame[it.frame])))
            continue;
        it.limit = limit[it.kind];
        st = mlk_suspects_add(&c->s, it, e, "%s", "");
    }
    for (size_t i = 0; i < ds->n && !st; i++)
        if (nothing_computed(&ds->frame[i])) st = one(c, MLK_SUSPECT_NO_LABEL, i, 0, 0, e);
    mlk_suspects_free(&s);
    return st;
}

static mlk_status look_at_frames(const mlk_dataset *ds, const mlk_shape *shape, mlk_check *c,
                                 mlk_err *e)
{
    MLK_TRY(force_medians(ds, c, e));
    for (size_t i = 0; i < ds->n; i++) {
        MLK_TRY(look_at_shape(&ds->frame[i], i, &shape[i], c, e));
        MLK_TRY(look_at_forces(&ds->frame[i], i, c, e));
    }
    return look_at_runs(ds, c, e);
}

mlk_status mlk_dataset_check(const mlk_dataset *ds, const mlk_dataset *test, mlk_check *c,
                             mlk_err *e)
{
    mlk_shape *shape = mlk_alloc(ds->n + 1, sizeof *shape);
    mlk_shape *test_shape = test ? mlk_alloc(test->n + 1, sizeof *test_shape) : NULL;
    mlk_status s = MLK_OK;
    if (!shape || (test && !test_shape))
        s = MLK_FAIL(e, MLK_ENOMEM, "no memory to check %zu frames", ds->n);
    if (!s) s = mlk_check_shapes(ds, shape, e);
    if (!s && test) s = mlk_check_shapes(test, test_shape, e);
    if (!s) s = quick(ds, c, e);
    if (!s) s = mlk_check_twins(ds, shape, test, test_shape, c, e);
    if (!s) s = look_at_frames(ds, shape, c, e);
    if (!s) s = mlk_check_levels(ds, c, e);
    if (!s) s = mlk_check_scans(ds, c, e);
    mlk_suspects_sort(&c->s);
    mlk_free(shape);
    mlk_free(test_shape);
    return s;
}
