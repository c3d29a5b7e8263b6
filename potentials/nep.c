/* nep.c - the neuroevolution potential: sizes, parameters, packing for the kernels, and the entries
 * of its type. Equations in nep.h, arithmetic in k_nep_*.h, files in nep_io.c. */
#include "potentials/nep.h"

#include <math.h>
#include <string.h>

#include "core/cpu.h"
#include "core/rng.h"
#include "potentials/k_nep.h"

static const mlk_opt opts[] = {
    {"cutoff", MLK_OPT_REALS, offsetof(mlk_nep_hyper, cutoff), "", 1, 12, "A",
     "cutoff radii of the radial and the angular descriptors, also one pair per species; empty: "
     "those that hold 60 and 25 neighbours in the training data"},
    {"n_max", MLK_OPT_INTS, offsetof(mlk_nep_hyper, n_max), "", 0, 19, "",
     "radial functions (less one) of the radial and the angular descriptors; empty: 6,6, for few "
     "data 4,4"},
    {"basis", MLK_OPT_INTS, offsetof(mlk_nep_hyper, basis), "8,8", 0, 19, "",
     "Chebyshev functions (less one) they are expanded in"},
    {"l_max", MLK_OPT_INTS, offsetof(mlk_nep_hyper, l_max), "4,2,0", 0, MLK_NEP_L_MAX, "",
     "largest l of the 3-body descriptors; which of 222, 1111, 112, 123, 233, 134 (0: no)"},
    {"neuron", MLK_OPT_INT, offsetof(mlk_nep_hyper, neuron), "0", 0, 200, "",
     "hidden neurons; 0: 30, for few data (below 2000 atoms of an element) 10"},
    {"zbl", MLK_OPT_REALS, offsetof(mlk_nep_hyper, zbl), "", 0, 5, "A",
     "inner and outer radius of the ZBL core; empty: none"},
    {0}};

static const mlk_ref refs[] = {
    {"Z. Fan et al., Phys. Rev. B 104, 104309 (2021)", "10.1103/PhysRevB.104.104309",
     "Neuroevolution machine learning potentials: Combining high accuracy and low cost in "
     "atomistic simulations and application to heat transport"},
    {"Z. Fan et al., J. Chem. Phys. 157, 114801 (2022)", "10.1063/5.0106617",
     "{GPUMD}: A package for constructing accurate machine-learned potentials and performing "
     "highly efficient atomistic simulations"},
    {"K. Song et al., Nat. Commun. 15, 10208 (2024)", "10.1038/s41467-024-54554-x",
     "General-purpose machine-learned potential for 16 elemental metals and their alloys"},
    {NULL, NULL, NULL}};

/* ---- sizes and packing ---------------------------------------------------------------------- */

static size_t up8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

void mlk_nep_sizes(mlk_potential *pot, mlk_nep *m)
{
    size_t nt = m->nt, tt = nt * nt;
    m->n_net = m->version == 3 ? 1 : nt;
    m->nlm = m->L * (m->L + 2);
    m->dim = m->nr + m->na * m->nl;
    m->nr8 = up8(m->nr), m->na8 = up8(m->na), m->kr8 = up8(m->kr);
    m->neuron8 = up8(m->neuron), m->dim8 = up8(m->dim), m->nlm8 = up8(m->nlm);
    m->n_ann = m->n_net * m->neuron * (m->dim + 2) + 1;
    m->n_cr = tt * m->nr * m->kr;
    pot->n_param = m->n_ann + m->n_cr + tt * m->na * m->ka;
}

mlk_status mlk_nep_alloc(mlk_potential *pot, mlk_nep *m, mlk_err *e)
{
    size_t nt = m->nt, tt = nt * nt;
    mlk_nep_sizes(pot, m);
    struct {
        double **p;
        size_t n;
    } want[] = {{&pot->param, pot->n_param},
                {&m->scaler, m->dim},
                {&m->rcr, nt},
                {&m->rca, nt},
                {&m->rr, tt},
                {&m->ra, tt},
                {&m->w0t, m->n_net * m->dim * m->neuron8},
                {&m->w0, m->n_net * m->neuron * m->dim8},
                {&m->b0, m->n_net * m->neuron8},
                {&m->w1, m->n_net * m->neuron8},
                {&m->cr, tt * m->kr * m->nr8},
                {&m->crt, tt * m->nr * m->kr8},
                {&m->ca, tt * m->ka * m->na8}};
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        if (*want[k].p) continue;
        *want[k].p = mlk_alloc(want[k].n, sizeof(double));
        if (!*want[k].p) return MLK_FAIL(e, MLK_ENOMEM, "nep with %zu parameters", pot->n_param);
    }
    for (size_t d = 0; d < m->dim; d++) m->scaler[d] = 1;
    return mlk_nep_couple(m, e);
}

void mlk_nep_destroy(mlk_potential *pot)
{
    mlk_nep *m = pot->state;
    if (!m) return;
    double *all[] = {m->scaler, m->rcr, m->rca, m->rr,  m->ra, m->w0t,      m->w0,
                     m->b0,     m->w1,  m->cr,  m->crt, m->ca, m->zbl_table};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) mlk_free(all[k]);
    mlk_free(m->term);
    mlk_free(m);
    pot->state = NULL;
}

static void pack_cutoffs(mlk_potential *pot, mlk_nep *m)
{
    double rc = 0;
    for (size_t a = 0; a < m->nt; a++)
        for (size_t b = 0; b < m->nt; b++) {
            double r = 0.5 * (m->rcr[a] + m->rcr[b]), s = 0.5 * (m->rca[a] + m->rca[b]);
            double sum = mlk_covalent_radius(pot->z[a]) + mlk_covalent_radius(pot->z[b]);
            if (m->cutoff_style == MLK_NEP_CUTOFF_FACTORS) {
                if (m->factor[0] > 0) r = fmin(r, m->factor[0] * sum);
                if (m->factor[1] > 0) s = fmin(s, m->factor[1] * sum);
            }
            m->rr[a * m->nt + b] = r;
            m->ra[a * m->nt + b] = fmin(r, s);
            rc = fmax(rc, r);
        }
    pot->rc = fmax(rc, mlk_zbl_outer(pot));
}

mlk_status mlk_nep_pack(mlk_potential *pot, mlk_err *e)
{
    (void)e;
    mlk_nep *m = pot->state;
    const double *x = pot->param;
    size_t nn = m->neuron, dim = m->dim;
    for (size_t t = 0; t < m->n_net; t++) {
        for (size_t n = 0; n < nn; n++)
            for (size_t d = 0; d < dim; d++) {
                double v = *x++ * m->scaler[d];
                m->w0[(t * nn + n) * m->dim8 + d] = v;
                m->w0t[(t * dim + d) * m->neuron8 + n] = v;
            }
        for (size_t n = 0; n < nn; n++) m->b0[t * m->neuron8 + n] = -*x++;
        for (size_t n = 0; n < nn; n++) m->w1[t * m->neuron8 + n] = *x++;
    }
    m->b1 = *x++;
    size_t tt = m->nt * m->nt;
    for (size_t n = 0; n < m->nr; n++)
        for (size_t k = 0; k < m->kr; k++)
            for (size_t p = 0; p < tt; p++) {
                double v = *x++;
                m->cr[(p * m->kr + k) * m->nr8 + n] = v;
                m->crt[(p * m->nr + n) * m->kr8 + k] = v;
            }
    for (size_t n = 0; n < m->na; n++)
        for (size_t k = 0; k < m->ka; k++)
            for (size_t p = 0; p < tt; p++) m->ca[(p * m->ka + k) * m->na8 + n] = *x++;
    pack_cutoffs(pot, m);
    return MLK_OK;
}

/* ---- evaluation ------------------------------------------------------------------------------ */

/* One block of scratch, cut into the arrays of *w. */
static mlk_status work_init(const mlk_nep *m, const mlk_neigh *nl, size_t i0, size_t i1, bool vjp,
                            mlk_scratch *s, mlk_nep_work *w, mlk_err *e)
{
    size_t most = 0;
    for (size_t i = i0; i < i1; i++)
        if (nl->start[i + 1] - nl->start[i] > most) most = nl->start[i + 1] - nl->start[i];
    memset(w, 0, sizeof *w);
    size_t cap = w->cap = up8(most) + 8 * (m->nt + 2);
    size_t lm = m->nlm8 * m->na8, rows = m->nl * m->na8, tt = m->nt * m->nt;
    size_t ylm = (m->nlm8 > 24 ? m->nlm8 : 24) * cap; /* l = 3 and 4 are written together */
    struct {
        double **p;
        size_t n;
        bool vjp;
    } want[] = {{&w->pair, cap, false},
                {&w->r, cap, false},
                {&w->rinv, cap, false},
                {&w->rt, cap, false},
                {&w->rhd, cap, false},
                {&w->rhg, cap, false},
                {&w->ax, cap, false},
                {&w->ay, cap, false},
                {&w->az, cap, false},
                {&w->ar, cap, false},
                {&w->arinv, cap, false},
                {&w->arcinv, cap, false},
                {&w->afk, m->ka * cap, false},
                {&w->adfk, m->ka * cap, false},
                {&w->g, cap * m->na8, false},
                {&w->dg, cap * m->na8, false},
                {&w->gt, m->na8 * 8, false},
                {&w->dgt, m->na8 * 8, false},
                {&w->ylm, ylm, false},
                {&w->fsum, m->nt * m->kr8 + 8, false},
                {&w->q, m->dim8 + 8, false},
                {&w->fq, m->dim8 + 8, false},
                {&w->h, m->neuron8, false},
                {&w->s, lm, false},
                {&w->a, lm, false},
                {&w->rows, rows, false},
                {&w->rows_b, rows, false},
                {&w->vx, cap, true},
                {&w->vy, cap, true},
                {&w->vz, cap, true},
                {&w->rho, cap, true},
                {&w->arho, cap, true},
                {&w->ydot, ylm, true},
                {&w->dfsum, m->nt * m->kr8, true},
                {&w->dq, m->dim8 + 8, true},
                {&w->qb, m->dim8 + 8, true},
                {&w->e, m->neuron8, true},
                {&w->eb, m->neuron8, true},
                {&w->ds, lm, true},
                {&w->sb, lm, true},
                {&w->rows_dot, rows, true},
                {&w->rows_d, rows, true},
                {&w->g_w0, m->n_net * m->neuron * m->dim8, true},
                {&w->g_b0, m->n_net * m->neuron8, true},
                {&w->g_w1, m->n_net * m->neuron8, true},
                {&w->g_cr, tt * m->kr * m->nr8, true},
                {&w->g_ca, tt * m->ka * m->na8, true}};
    size_t total = 0, n_want = sizeof want / sizeof *want;
    for (size_t k = 0; k < n_want; k++)
        if (vjp || !want[k].vjp) total += up8(want[k].n);
    double *d = MLK_SCRATCH(s, double, total);
    w->idx = MLK_SCRATCH(s, int, 3 * cap);
    if (!d || !w->idx) return MLK_FAIL(e, MLK_ENOMEM, "nep with %zu neighbours", most);
    w->a_idx = w->idx + cap;
    w->a_type = w->a_idx + cap;
    for (size_t k = 0; k < n_want; k++)
        if (vjp || !want[k].vjp) *want[k].p = d, d += up8(want[k].n);
    /* pads that are read and never written */
    memset(w->rows_b, 0, rows * sizeof *w->rows_b);
    if (!vjp) return MLK_OK;
    memset(w->rows_d, 0, rows * sizeof *w->rows_d);
    memset(w->q, 0, (m->dim8 + 8) * sizeof *w->q);
    memset(w->dq, 0, (m->dim8 + 8) * sizeof *w->dq);
    memset(w->g_w0, 0, (size_t)(d - w->g_w0) * sizeof *d); /* all gradients */
    return MLK_OK;
}

static mlk_status eval(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i0,
                       size_t i1, mlk_scratch *s, double *u, double *const p[3], mlk_err *e)
{
    const mlk_nep *m = pot->state;
    mlk_nep_work w;
    MLK_TRY(work_init(m, nl, i0, i1, false, s, &w, e));
    mlk_nep_eval_table[mlk_cpu_level()](m, nl, type, i0, i1, &w, u, p, NULL);
    return MLK_OK;
}

static mlk_status vjp(const mlk_potential *pot, const mlk_neigh *nl, const int *type, size_t i0,
                      size_t i1, const double *ubar, double *const pbar[3], mlk_scratch *s,
                      double *param_bar, mlk_err *e)
{
    const mlk_nep *m = pot->state;
    mlk_nep_work w;
    MLK_TRY(work_init(m, nl, i0, i1, true, s, &w, e));
    mlk_nep_vjp_table[mlk_cpu_level()](m, nl, type, i0, i1, ubar, pbar, &w);
    /* back to the order of nep.txt: see mlk_nep_pack */
    double *x = param_bar;
    size_t nn = m->neuron, tt = m->nt * m->nt;
    for (size_t t = 0; t < m->n_net; t++) {
        for (size_t n = 0; n < nn; n++)
            for (size_t d = 0; d < m->dim; d++)
                *x++ += w.g_w0[(t * nn + n) * m->dim8 + d] * m->scaler[d];
        for (size_t n = 0; n < nn; n++) *x++ -= w.g_b0[t * m->neuron8 + n];
        for (size_t n = 0; n < nn; n++) *x++ += w.g_w1[t * m->neuron8 + n];
    }
    *x++ += w.g_b1;
    for (size_t n = 0; n < m->nr; n++)
        for (size_t k = 0; k < m->kr; k++)
            for (size_t p = 0; p < tt; p++) *x++ += w.g_cr[(p * m->kr + k) * m->nr8 + n];
    for (size_t n = 0; n < m->na; n++)
        for (size_t k = 0; k < m->ka; k++)
            for (size_t p = 0; p < tt; p++) *x++ += w.g_ca[(p * m->ka + k) * m->na8 + n];
    return MLK_OK;
}

size_t mlk_nep_dim(const mlk_potential *pot)
{
    return pot->type == &mlk_potential_nep ? ((const mlk_nep *)pot->state)->dim : 0;
}

mlk_status mlk_nep_descriptors(const mlk_potential *pot, const mlk_neigh *nl, const int *type,
                               size_t i0, size_t i1, mlk_scratch *s, double *q, double *scaler,
                               mlk_err *e)
{
    const mlk_nep *m = pot->state;
    mlk_nep_work w;
    MLK_TRY(work_init(m, nl, i0, i1, false, s, &w, e));
    mlk_nep_eval_table[mlk_cpu_level()](m, nl, type, i0, i1, &w, NULL, NULL, q);
    if (scaler) memcpy(scaler, m->scaler, m->dim * sizeof *scaler);
    return MLK_OK;
}

static mlk_status describe(const mlk_potential *pot, const mlk_neigh *nl, const int *type,
                           size_t i0, size_t i1, mlk_scratch *s, double *q, mlk_err *e)
{
    const mlk_nep *m = pot->state;
    MLK_TRY(mlk_nep_descriptors(pot, nl, type, i0, i1, s, q, NULL, e));
    for (size_t i = 0; i < i1 - i0; i++)
        for (size_t d = 0; d < m->dim; d++) q[i * m->dim + d] *= m->scaler[d];
    return MLK_OK;
}

/* ---- a new model ------------------------------------------------------------------------------
 */

static mlk_status create(mlk_potential *pot, uint64_t seed, mlk_err *e)
{
    mlk_nep_hyper *h = pot->hyper;
    MLK_TRY(mlk_nep_suggest(h, 0, NULL, e)); /* what is open still: no data to look at */
    mlk_nep *m = pot->state = mlk_alloc(1, sizeof *m);
    if (!m) return MLK_FAIL(e, MLK_ENOMEM, "nep");
    size_t n_rc = (size_t)h->cutoff.n;
    for (size_t k = 0; k < n_rc; k += 2)
        if ((n_rc != 2 && n_rc != 2 * pot->n_species) || h->cutoff.v[k + 1] > h->cutoff.v[k])
            return MLK_FAIL(e, MLK_EINVAL,
                            "nep: cutoff needs a radial and a not larger angular radius, once or "
                            "for each of the %zu species",
                            pot->n_species);
    if (h->n_max.n != 2 || h->basis.n != 2)
        return MLK_FAIL(e, MLK_EINVAL, "nep: n_max and basis need two numbers, radial and angular");
    if (h->zbl.n && (h->zbl.n != 2 || !(h->zbl.v[0] < h->zbl.v[1])))
        return MLK_FAIL(e, MLK_EINVAL, "nep: zbl needs an inner and a larger outer radius");
    m->version = 4;
    m->nt = pot->n_species;
    m->nr = (size_t)h->n_max.v[0] + 1, m->na = (size_t)h->n_max.v[1] + 1;
    m->kr = (size_t)h->basis.v[0] + 1, m->ka = (size_t)h->basis.v[1] + 1;
    MLK_TRY(mlk_nep_set_l(m, &h->l_max, e));
    m->neuron = (size_t)h->neuron;
    MLK_TRY(mlk_nep_alloc(pot, m, e));
    m->cutoff_style = n_rc == 2 ? MLK_NEP_CUTOFF_PLAIN : MLK_NEP_CUTOFF_SPECIES;
    for (size_t t = 0; t < m->nt; t++) {
        size_t k = n_rc == 2 ? 0 : 2 * t;
        m->rcr[t] = h->cutoff.v[k], m->rca[t] = h->cutoff.v[k + 1];
    }
    if (h->zbl.n) {
        pot->zbl = (mlk_zbl){.on = true, .inner = h->zbl.v[0], .outer = h->zbl.v[1]};
        m->zbl_tokens = 2;
    }
    /* room for the densest solids until prepare counts (0.2 atoms/A^3) */
    for (int k = 0; k < 2; k++) m->nn[k] = 1 + (int)(0.84 * pow(h->cutoff.v[k], 3));

    /* Weights so that pre-activations are O(1) once prepare has scaled the descriptors to a range
     * of 1, and energies a few 0.1 eV; expansion coefficients decrease with k: smooth radial
     * functions. */
    mlk_rng g = mlk_rng_make(seed, 0x6e6570);
    double *x = pot->param, sw = 2 / sqrt((double)m->dim), su = 0.5 / sqrt((double)m->neuron);
    for (size_t t = 0; t < m->n_net; t++) {
        for (size_t k = 0; k < m->neuron * m->dim; k++) *x++ = sw * mlk_rng_normal(&g);
        for (size_t k = 0; k < m->neuron; k++) *x++ = 0.5 * mlk_rng_normal(&g);
        for (size_t k = 0; k < m->neuron; k++) *x++ = su * mlk_rng_normal(&g);
    }
    *x++ = 0;
    size_t tt = m->nt * m->nt;
    for (int part = 0; part < 2; part++)
        for (size_t n = 0; n < (part ? m->na : m->nr); n++)
            for (size_t k = 0; k < (part ? m->ka : m->kr); k++)
                for (size_t p = 0; p < tt; p++) *x++ = mlk_rng_normal(&g) / (1 + 0.25 * (double)k);
    return mlk_nep_pack(pot, e);
}

/* Range of every descriptor over the frames -> scaler; its mean per species -> biases, so that the
 * hidden units start in the curved part of tanh; the most neighbours -> file header. */
typedef struct range {
    double *lo, *hi, *mean; /* (dim), (dim), (nt,dim) */
    size_t count[MLK_SPECIES_MAX];
} range;

static void widen(const mlk_nep *m, const int *type, size_t n, const double *q, range *g)
{
    for (size_t i = 0; i < n; i++) {
        g->count[type[i]]++;
        for (size_t d = 0; d < m->dim; d++) {
            double v = q[i * m->dim + d];
            g->lo[d] = fmin(g->lo[d], v);
            g->hi[d] = fmax(g->hi[d], v);
            g->mean[(size_t)type[i] * m->dim + d] += v;
        }
    }
}

static void count_neighbours(const mlk_nep *m, const int *type, const mlk_neigh *nl, int most[2])
{
    for (size_t i = 0; i < nl->n; i++) {
        int n[2] = {0};
        for (size_t k = nl->start[i]; k < nl->start[i + 1]; k++) {
            size_t p = (size_t)type[i] * m->nt + (size_t)type[nl->j[k]];
            double r2 = 0;
            for (int c = 0; c < 3; c++) r2 += nl->r[c][k] * nl->r[c][k];
            n[0] += r2 < m->rr[p] * m->rr[p];
            n[1] += r2 < m->ra[p] * m->ra[p];
        }
        for (int k = 0; k < 2; k++)
            if (n[k] > most[k]) most[k] = n[k];
    }
}

static mlk_status look(mlk_potential *pot, const mlk_frame *fr, range *g, int most[2],
                       mlk_neigh *nl, mlk_scratch *sc, mlk_err *e)
{
    const mlk_nep *m = pot->state;
    mlk_status s = MLK_OK;
    int *type = mlk_alloc(fr->n, sizeof *type);
    double *q = mlk_alloc(fr->n * m->dim, sizeof *q);
    if (!type || !q) s = MLK_FAIL(e, MLK_ENOMEM, "%zu atoms", fr->n);
    if (!s) s = mlk_potential_types_of(pot, fr, type, e);
    if (!s) s = mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, pot->rc, nl, e);
    mlk_scratch_reset(sc);
    if (!s) s = mlk_nep_descriptors(pot, nl, type, 0, fr->n, sc, q, NULL, e);
    if (!s) widen(m, type, fr->n, q, g), count_neighbours(m, type, nl, most);
    if (s) mlk_err_at(e, fr->source, fr->line);
    mlk_free(type), mlk_free(q);
    return s;
}

static mlk_status prepare(mlk_potential *pot, size_t n_frames, const mlk_frame *const *frames,
                          mlk_err *e)
{
    mlk_nep *m = pot->state;
    if (!n_frames)
        return MLK_FAIL(e, MLK_EINVAL, "nep: no training frames to scale descriptors with");
    mlk_status s = MLK_OK;
    mlk_neigh nl = {0};
    mlk_scratch sc = {0};
    range g = {mlk_alloc(m->dim, sizeof(double)),
               mlk_alloc(m->dim, sizeof(double)),
               mlk_alloc(m->nt * m->dim, sizeof(double)),
               {0}};
    int most[2] = {0};
    bool was_read = m->prepared; /* keeps its scaler and biases, but room for neighbours is made */
    if (!g.lo || !g.hi || !g.mean) {
        s = MLK_FAIL(e, MLK_ENOMEM, "nep");
        goto done;
    }
    for (size_t d = 0; d < m->dim; d++) g.lo[d] = INFINITY, g.hi[d] = -INFINITY;
    for (size_t k = 0; k < n_frames; k++) MLK_GO(look(pot, frames[k], &g, most, &nl, &sc, e));
    for (int k = 0; k < 2 && was_read; k++)
        if (most[k] > m->nn[k]) m->nn[k] = most[k];
    if (was_read) goto done;
    for (size_t d = 0; d < m->dim; d++) {
        double width = g.hi[d] - g.lo[d], size = fmax(fabs(g.hi[d]), fabs(g.lo[d]));
        m->scaler[d] = width > 1e-8 * size ? 1 / width : 1; /* the same in every atom: useless */
    }
    for (size_t t = 0; t < m->n_net; t++) {
        double *w0 = pot->param + t * m->neuron * (m->dim + 2), *b0 = w0 + m->neuron * m->dim;
        if (g.count[t])
            for (size_t n = 0; n < m->neuron; n++)
                for (size_t d = 0; d < m->dim; d++)
                    b0[n] += w0[n * m->dim + d] * m->scaler[d] * g.mean[t * m->dim + d] /
                             (double)g.count[t];
    }
    m->nn[0] = most[0], m->nn[1] = most[1];
    m->prepared = true;
    s = mlk_nep_pack(pot, e);
done:
    mlk_free(g.lo), mlk_free(g.hi), mlk_free(g.mean);
    mlk_neigh_free(&nl);
    mlk_scratch_free(&sc);
    return s;
}

const mlk_potential_type mlk_potential_nep = {
    .name = "nep",
    .summary = "neuroevolution potential (NEP4): Chebyshev descriptors, one hidden layer",
    .refs = refs,
    .hyper = opts,
    .hyper_size = sizeof(mlk_nep_hyper),
    .caps = MLK_CAP_VJP,
    .file = "nep.txt",
    .suggest = mlk_nep_suggest,
    .create = create,
    .destroy = mlk_nep_destroy,
    .update = mlk_nep_pack,
    .prepare = prepare,
    .sniff = mlk_nep_sniff,
    .read = mlk_nep_read,
    .write = mlk_nep_write,
    .eval = eval,
    .vjp = vjp,
    .n_desc = mlk_nep_dim,
    .describe = describe,
    .param_species = mlk_nep_param_species,
};
