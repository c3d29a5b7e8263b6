/* potential.c - registry, model folders, and the derivation of forces and virials from site
 * energies and pair partials, once for all models (docs/THEORY.md, section 1). */
#include "potentials/potential.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/conf.h"
#include "core/file.h"
#include "core/neigh_pairs.h"
#include "core/threads.h"
#include "potentials/k_force.h"

#define MLK_POTENTIAL(name) extern const mlk_potential_type mlk_potential_##name;
#include "potentials/registry.def"
#undef MLK_POTENTIAL

const mlk_potential_type *const mlk_potential_types[] = {
#define MLK_POTENTIAL(name) &mlk_potential_##name,
#include "potentials/registry.def"
#undef MLK_POTENTIAL
    NULL};

const mlk_potential_type *mlk_potential_find(const char *name)
{
    for (const mlk_potential_type *const *t = mlk_potential_types; *t; t++)
        if (!strcmp((*t)->name, name)) return *t;
    return NULL;
}

mlk_status mlk_potential_new(mlk_potential **pot, const mlk_potential_type *type, mlk_err *e)
{
    mlk_potential *p = mlk_alloc(1, sizeof *p);
    if (p) p->hyper = mlk_alloc(1, type->hyper_size);
    if (!p || !p->hyper) {
        mlk_free(p);
        return MLK_FAIL(e, MLK_ENOMEM, "potential %s", type->name);
    }
    p->type = type;
    mlk_status s = mlk_opt_defaults(type->hyper, p->hyper, e);
    if (s) {
        mlk_potential_destroy(p);
        return s;
    }
    *pot = p;
    return MLK_OK;
}

mlk_status mlk_potential_create(mlk_potential *pot, size_t n_species, const int *z, uint64_t seed,
                                mlk_err *e)
{
    if (n_species < 1 || n_species > MLK_SPECIES_MAX)
        return MLK_FAIL(e, MLK_EINVAL, "%zu species", n_species);
    pot->n_species = n_species;
    memcpy(pot->z, z, n_species * sizeof *z);
    return pot->type->create(pot, seed, e);
}

void mlk_potential_destroy(mlk_potential *pot)
{
    if (!pot) return;
    if (pot->type->destroy) pot->type->destroy(pot);
    mlk_free(pot->param);
    mlk_free(pot->hyper);
    mlk_free(pot->dmin);
    mlk_ranges_free(pot->ranges);
    mlk_free(pot);
}

mlk_status mlk_potential_types_of(const mlk_potential *pot, const mlk_frame *fr, int *type,
                                  mlk_err *e)
{
    int of[MLK_ELEMENT_MAX + 1];
    for (int z = 0; z <= MLK_ELEMENT_MAX; z++) of[z] = -1;
    for (size_t t = 0; t < pot->n_species; t++) of[pot->z[t]] = (int)t;
    for (size_t i = 0; i < fr->n; i++) {
        type[i] = of[fr->z[i]];
        if (type[i] < 0) {
            MLK_FAIL(e, MLK_EINVAL, "atom %zu is %s, which the model does not know", i + 1,
                     mlk_element_symbol(fr->z[i]));
            mlk_err_hint(e, "use a structure with the model's species, or a model trained on %s",
                         mlk_element_symbol(fr->z[i]));
            return MLK_EINVAL;
        }
    }
    return MLK_OK;
}

/* ---- evaluation ---------------------------------------------------------------------------- */

/* A pair acts on both its atoms. The centres are cut into blocks, the same ones for any number of
 * threads; each block adds into rows of its own, and at the end an atom's rows are added in the
 * order of the blocks. Inside a block centres are evaluated a chunk at a time, whose partials stay
 * in the cache. */
enum { BLOCKS = 16, BLOCK_MIN = 16, CHUNK_PAIRS = 600, TILE = 32 };

typedef struct mlk_eval_block {
    size_t lo, hi; /* atoms whose rows are not zero: [lo,hi) */
    mlk_err bad;   /* the first failure of the block */
} block;

void mlk_eval_free(mlk_eval *ev)
{
    mlk_free(ev->u), mlk_free(ev->f), mlk_free(ev->w);
    mlk_free(ev->rows), mlk_free(ev->blocks);
    for (int t = 0; t < ev->n_scratch; t++) mlk_scratch_free(&ev->scratch[t]);
    mlk_free(ev->scratch);
    memset(ev, 0, sizeof *ev);
}

static mlk_status reserve(mlk_eval *ev, size_t n, size_t width, mlk_err *e)
{
    if (n > ev->cap_n) {
        mlk_free(ev->u), mlk_free(ev->f), mlk_free(ev->w);
        ev->u = mlk_alloc(n, sizeof *ev->u);
        ev->f = mlk_alloc(n, sizeof *ev->f);
        ev->w = mlk_alloc(n, sizeof *ev->w);
        ev->cap_n = ev->u && ev->f && ev->w ? n : 0;
        if (!ev->cap_n) return MLK_FAIL(e, MLK_ENOMEM, "evaluation of %zu atoms", n);
    }
    size_t m = n / BLOCK_MIN + 1;
    ev->n_block = m < BLOCKS ? m : BLOCKS;
    if (ev->n_block * n * width >= ev->cap_rows) {
        mlk_free(ev->rows), mlk_free(ev->blocks);
        ev->cap_rows = ev->n_block * n * width + 1;
        ev->rows = mlk_alloc(ev->cap_rows, sizeof *ev->rows);
        ev->blocks = mlk_alloc(BLOCKS, sizeof *ev->blocks);
        if (!ev->rows || !ev->blocks) ev->cap_rows = 0;
        if (!ev->cap_rows) return MLK_FAIL(e, MLK_ENOMEM, "evaluation of %zu atoms", n);
    }
    int nt = omp_in_parallel() ? 1 : mlk_threads();
    if (nt > ev->n_scratch) {
        mlk_scratch *s = mlk_alloc((size_t)nt, sizeof *s);
        if (!s) return MLK_FAIL(e, MLK_ENOMEM, "scratch of %d threads", nt);
        if (ev->n_scratch) memcpy(s, ev->scratch, (size_t)ev->n_scratch * sizeof *s);
        mlk_free(ev->scratch);
        ev->scratch = s;
        ev->n_scratch = nt;
    }
    ev->n = n;
    return MLK_OK;
}

/* What every chunk is told. x: positions to update the list to first, NULL if it is current. */
typedef struct task {
    const mlk_potential *pot;
    mlk_neigh *nl;
    const int *type;
    const mlk_cell *cell;
    const double (*x)[3];
    mlk_force_fn *scatter;
    size_t width; /* of a row */
} task;

/* The centres [i0,i1), few enough that their pairs stay in the cache, added to rows. */
static mlk_status eval_chunk(const task *k, size_t i0, size_t i1, mlk_scratch *s, double *u,
                             double *rows, mlk_err *e)
{
    const mlk_neigh *nl = k->nl;
    size_t k0 = nl->start[i0], m = nl->start[i1] - k0;
    mlk_scratch_reset(s);
    double *buf = MLK_SCRATCH(s, double, 3 * m + 1), *local[3], *p[3];
    if (!buf) return MLK_FAIL(e, MLK_ENOMEM, "evaluation of %zu pairs", m);
    for (size_t c = 0; c < 3; c++) {
        local[c] = buf + c * m;
        p[c] = (double *)((uintptr_t)local[c] - k0 * sizeof *buf); /* p[c][k0] is local[c][0] */
    }
    if (k->x) mlk_neigh_vectors(k->nl, k->cell, k->x, i0, i1);
    MLK_TRY(k->pot->type->eval(k->pot, nl, k->type, i0, i1, s, u, p, e));
    if (k->pot->zbl.on) mlk_zbl_add(k->pot, nl, k->type, i0, i1, u, p);
    k->scatter(nl, i0, i1, local, rows);
    return MLK_OK;
}

static void eval_block(const task *k, size_t b, mlk_scratch *s, mlk_eval *ev)
{
    const mlk_neigh *nl = k->nl;
    size_t n = nl->n, i1 = (b + 1) * n / ev->n_block;
    block *bl = &ev->blocks[b];
    bl->lo = n, bl->hi = 0;
    bl->bad.code = MLK_OK;
    for (size_t i0 = b * n / ev->n_block, end; i0 < i1; i0 = end) {
        end = i0 + 1;
        while (end < i1 && nl->start[end + 1] - nl->start[i0] <= CHUNK_PAIRS) end++;
        if (i0 < bl->lo) bl->lo = i0;
        if (end > bl->hi) bl->hi = end;
        for (size_t i = i0; i < end; i++) { /* neighbours are in ascending order */
            size_t first = nl->start[i], last = nl->start[i + 1];
            if (first == last) continue;
            if ((size_t)nl->j[first] < bl->lo) bl->lo = (size_t)nl->j[first];
            if ((size_t)nl->j[last - 1] >= bl->hi) bl->hi = (size_t)nl->j[last - 1] + 1;
        }
        mlk_err e = {0};
        if (eval_chunk(k, i0, end, s, ev->u, ev->rows + b * n * k->width, &e) && !bl->bad.code)
            bl->bad = e;
    }
}

/* f and w of the atoms [i0,i1) from the rows of the blocks, which are zero again afterwards. */
static void collect_rows(size_t i0, size_t i1, size_t width, mlk_eval *ev)
{
    double sum[TILE * MLK_FORCE_ROW_W] = {0};
    for (size_t b = 0; b < ev->n_block; b++) {
        size_t lo = ev->blocks[b].lo > i0 ? ev->blocks[b].lo : i0;
        size_t hi = ev->blocks[b].hi < i1 ? ev->blocks[b].hi : i1;
        if (lo < hi)
            mlk_force_drain((hi - lo) * width, ev->rows + (b * ev->n + lo) * width,
                            sum + (lo - i0) * width);
    }
    const double *row = sum;
    for (size_t i = i0; i < i1; i++, row += width) {
        memcpy(ev->f[i], row, sizeof ev->f[i]);
        if (width == MLK_FORCE_ROW) continue;
        for (size_t a = 0; a < 3; a++)
            memcpy(ev->w[i] + 3 * a, row + 4 * (a + 1), 3 * sizeof(double));
    }
}

/* Sums over atoms, in order. */
static mlk_status totals(bool virial, mlk_eval *ev, mlk_err *e)
{
    ev->U = 0;
    memset(ev->W, 0, sizeof ev->W);
    for (size_t i = 0; i < ev->n; i++) {
        ev->U += ev->u[i];
        double f2 =
            ev->f[i][0] * ev->f[i][0] + ev->f[i][1] * ev->f[i][1] + ev->f[i][2] * ev->f[i][2];
        if (!isfinite(ev->u[i] + f2)) {
            MLK_FAIL(e, MLK_ENUMERIC, "energy or force of atom %zu is not finite", i + 1);
            mlk_err_hint(e, "atoms are too close or the model is extrapolating far from its data");
            return MLK_ENUMERIC;
        }
        for (int a = 0; a < 9 && virial; a++) ev->W[a / 3][a % 3] += ev->w[i][a];
    }
    return MLK_OK;
}

static mlk_status run(task *k, unsigned want, mlk_eval *ev, mlk_err *e)
{
    if (k->nl->rc < k->pot->rc - 1e-12)
        return MLK_FAIL(e, MLK_EBUG, "neighbour list radius %g A below the cutoff %g A", k->nl->rc,
                        k->pot->rc);
    bool virial = want & (MLK_WANT_W | MLK_WANT_VIRIAL);
    size_t n = k->nl->n;
    k->width = virial ? MLK_FORCE_ROW_W : MLK_FORCE_ROW;
    k->scatter = mlk_force_kernel(virial);
    MLK_TRY(reserve(ev, n, k->width, e));
    bool nested = omp_in_parallel();
#pragma omp parallel if (!nested && n >= BLOCK_MIN)
    {
        mlk_scratch *s = &ev->scratch[nested ? 0 : omp_get_thread_num()];
#pragma omp for schedule(dynamic, 1)
        for (size_t b = 0; b < ev->n_block; b++) eval_block(k, b, s, ev);
#pragma omp for schedule(static)
        for (size_t i = 0; i < n; i += TILE)
            collect_rows(i, i + TILE < n ? i + TILE : n, k->width, ev);
    }
    for (size_t b = 0; b < ev->n_block; b++)
        if (ev->blocks[b].bad.code) {
            if (e && !e->code) *e = ev->blocks[b].bad;
            return ev->blocks[b].bad.code;
        }
    return totals(virial, ev, e);
}

mlk_status mlk_potential_eval(const mlk_potential *pot, const mlk_neigh *nl, const int *type,
                              unsigned want, mlk_eval *ev, mlk_err *e)
{
    mlk_neigh now = *nl;
    task k = {.pot = pot, .nl = &now, .type = type};
    return run(&k, want, ev, e);
}

mlk_status mlk_potential_eval_moved(const mlk_potential *pot, mlk_neigh *nl, const mlk_cell *cell,
                                    const double (*x)[3], const int *type, unsigned want,
                                    mlk_eval *ev, mlk_err *e)
{
    task k = {.pot = pot, .nl = nl, .type = type, .cell = cell, .x = x};
    return run(&k, want, ev, e);
}

mlk_status mlk_potential_eval_frame(const mlk_potential *pot, const mlk_frame *fr, unsigned want,
                                    mlk_neigh *nl, mlk_eval *ev, mlk_err *e)
{
    int *type = mlk_alloc(fr->n, sizeof *type);
    if (!type) return MLK_FAIL(e, MLK_ENOMEM, "%zu atoms", fr->n);
    mlk_status s = mlk_potential_types_of(pot, fr, type, e);
    if (!s) s = mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, pot->rc, nl, e);
    if (!s) s = mlk_potential_eval(pot, nl, type, want, ev, e);
    mlk_free(type);
    return s;
}

/* ---- descriptors --------------------------------------------------------------------------- */

void mlk_desc_free(mlk_desc *d)
{
    mlk_free(d->q), mlk_free(d->type);
    mlk_neigh_free(&d->nl);
    mlk_scratch_free(&d->scratch);
    memset(d, 0, sizeof *d);
}

mlk_status mlk_potential_describe_frame(const mlk_potential *pot, const mlk_frame *fr, mlk_desc *d,
                                        mlk_err *e)
{
    if (!pot->type->describe) {
        MLK_FAIL(e, MLK_EUNSUPPORTED, "a %s model has no descriptors", pot->type->name);
        return mlk_err_hint(e, "use a NEP or SNAP model");
    }
    d->n = fr->n, d->nd = pot->type->n_desc(pot);
    MLK_TRY(MLK_GROW(d->type, d->cap_type, d->n, e));
    MLK_TRY(MLK_GROW(d->q, d->cap_q, d->n * d->nd, e));
    MLK_TRY(mlk_potential_types_of(pot, fr, d->type, e));
    MLK_TRY(mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, pot->rc, &d->nl, e));
    for (size_t i = 0; i < d->n; i++) { /* one by one: the scratch of a frame would be large */
        mlk_scratch_reset(&d->scratch);
        double *q = d->q + i * d->nd;
        MLK_TRY(pot->type->describe(pot, &d->nl, d->type, i, i + 1, &d->scratch, q, e));
        for (size_t k = 0; k < d->nd; k++)
            if (!isfinite(q[k]))
                return MLK_FAIL(e, MLK_ENUMERIC, "descriptor %zu of atom %zu is not finite", k + 1,
                                i + 1);
    }
    return MLK_OK;
}

/* ---- model folders ------------------------------------------------------------------------- */

static mlk_status read_bare(mlk_potential **out, const char *path, mlk_err *e)
{
    char *text;
    MLK_TRY(mlk_file_slurp(path, &text, NULL, e));
    const mlk_potential_type *found = NULL;
    for (const mlk_potential_type *const *t = mlk_potential_types; *t && !found; t++)
        if ((*t)->sniff && (*t)->sniff(path, text)) found = *t;
    mlk_free(text);
    if (!found) {
        MLK_FAIL(e, MLK_EFORMAT, "is no potential file that mlkit knows");
        mlk_err_hint(
            e, "give a model folder, nep.txt, or a .snapcoeff file with its .snapparam beside it");
        return mlk_err_at(e, path, 1);
    }
    MLK_TRY(mlk_potential_new(out, found, e));
    mlk_status s = found->read(*out, path, e);
    if (s) {
        mlk_potential_destroy(*out);
        *out = NULL;
        mlk_err_at(e, path, 0);
        return s;
    }
    snprintf((*out)->path, sizeof(*out)->path, "%s", path);
    return MLK_OK;
}

/* what: map of species (or pair "Li-P") to a number */
static mlk_status read_species_map(const mlk_conf *map, const char *path, const mlk_potential *pot,
                                   double *v, mlk_err *e)
{
    for (size_t k = 0; map && k < map->n_child; k++) {
        const mlk_conf *c = &map->child[k];
        char word[32];
        snprintf(word, sizeof word, "%s", c->key);
        char *dash = strchr(word, '-');
        if (dash) *dash = 0;
        size_t a = 0, b = 0;
        while (a < pot->n_species && strcmp(mlk_element_symbol(pot->z[a]), word)) a++;
        while (dash && b < pot->n_species && strcmp(mlk_element_symbol(pot->z[b]), dash + 1)) b++;
        double value;
        if (a == pot->n_species || b == pot->n_species || !c->value ||
            !mlk_parse_double(c->value, &value)) {
            MLK_FAIL(e, MLK_EFORMAT, "'%s' is not a species of the model with a number", c->key);
            return mlk_err_at(e, path, c->line);
        }
        if (dash)
            v[a * pot->n_species + b] = v[b * pot->n_species + a] = value;
        else
            v[a] = value;
    }
    return MLK_OK;
}

/* the repulsive core, which the community files of most models have no room for */
static mlk_status read_core(const mlk_conf *zbl, const char *path, mlk_potential *pot, mlk_err *e)
{
    if (!zbl || zbl->kind != MLK_CONF_MAP) return MLK_OK;
    mlk_zbl *q = &pot->zbl;
    const char *factor = mlk_conf_str(zbl, "factor", NULL);
    q->on = mlk_parse_double(mlk_conf_str(zbl, "inner", ""), &q->inner) &&
            mlk_parse_double(mlk_conf_str(zbl, "outer", ""), &q->outer) && q->inner >= 0 &&
            q->outer >= q->inner && q->outer < 10;
    if (factor) q->typewise = mlk_parse_double(factor, &q->typewise_factor);
    if (!q->on || (factor && !(q->typewise && q->typewise_factor > 0))) {
        MLK_FAIL(e, MLK_EFORMAT,
                 "zbl needs inner and outer radii, 0 <= inner <= outer < 10 A, and may have a "
                 "factor > 0 of the covalent radii");
        return mlk_err_at(e, path, zbl->line);
    }
    pot->rc = fmax(pot->rc, mlk_zbl_outer(pot));
    return MLK_OK;
}

static mlk_status read_manifest(mlk_potential **out, const char *yaml, mlk_err *e)
{
    mlk_conf root;
    MLK_TRY(mlk_conf_read(yaml, &root, e));
    const char *type = mlk_conf_str(&root, "type", NULL), *file = mlk_conf_str(&root, "file", NULL);
    mlk_status s = MLK_OK;
    char dir[1024], path[1024];
    snprintf(dir, sizeof dir, "%s", yaml);
    char *slash = strrchr(dir, '/');
    if (slash)
        *slash = 0;
    else
        snprintf(dir, sizeof dir, ".");
    if (!type || !file || !mlk_potential_find(type)) {
        s = MLK_FAIL(e, MLK_EFORMAT, "expected 'type:' (a known potential) and 'file:'");
        mlk_err_at(e, yaml, 1);
        goto done;
    }
    mlk_path_join(path, sizeof path, dir, file);
    MLK_GO(mlk_potential_new(out, mlk_potential_find(type), e));
    s = (*out)->type->read(*out, path, e);
    if (s) {
        mlk_err_at(e, path, 0);
        goto done;
    }
    MLK_GO(read_species_map(mlk_conf_get(&root, "e0"), yaml, *out, (*out)->e0, e));
    const mlk_conf *dmin = mlk_conf_get(&root, "shortest_distance");
    if (dmin) {
        (*out)->dmin = mlk_alloc((*out)->n_species * (*out)->n_species, sizeof(double));
        if (!(*out)->dmin) s = MLK_FAIL(e, MLK_ENOMEM, "model");
        if (!s) s = read_species_map(dmin, yaml, *out, (*out)->dmin, e);
        if (s) goto done;
    }
    const char *ranges = mlk_conf_str(&root, "ranges", NULL);
    if (ranges) {
        char beside[1024];
        mlk_path_join(beside, sizeof beside, dir, ranges);
        MLK_GO(mlk_ranges_read(*out, path, beside, e));
    }
    MLK_GO(read_core(mlk_conf_get(&root, "zbl"), yaml, *out, e));
    snprintf((*out)->path, sizeof(*out)->path, "%s", path);
done:
    mlk_conf_free(&root);
    if (s) {
        mlk_potential_destroy(*out);
        *out = NULL;
    }
    return s;
}

/* By the first bytes of the file, or its name. */
static bool is_potential(const char *path)
{
    char head[1024];
    FILE *f = mlk_file_is_dir(path) ? NULL : fopen(path, "rb");
    if (!f) return false;
    head[fread(head, 1, sizeof head - 1, f)] = 0;
    fclose(f);
    for (const mlk_potential_type *const *t = mlk_potential_types; *t; t++)
        if ((*t)->sniff && (*t)->sniff(path, head)) return true;
    return false;
}

/* Length of a path up to the ending of its last component. */
static size_t stem(const char *path)
{
    const char *dot = strrchr(mlk_path_base(path), '.');
    return dot ? (size_t)(dot - path) : strlen(path);
}

/* A folder without model.yaml that holds the community file of exactly one model. */
static mlk_status read_only_one(mlk_potential **pot, const char *dir, mlk_err *e)
{
    char **name, found[1024] = "", path[1024];
    size_t n, n_model = 0;
    MLK_TRY(mlk_dir_names(dir, &name, &n, e));
    for (size_t k = 0; k < n; k++) {
        if (!is_potential(mlk_path_join(path, sizeof path, dir, name[k]))) continue;
        /* x.snapcoeff and x.snapparam are one model */
        bool same = n_model && stem(path) == stem(found) && !strncmp(path, found, stem(path));
        if (!same) n_model++, snprintf(found, sizeof found, "%s", path);
    }
    mlk_strings_free(name, n);
    if (n_model == 1) return read_bare(pot, found, e);
    MLK_FAIL(e, MLK_EFORMAT, "has no model.yaml and %s model file",
             n_model ? "more than one" : "no");
    mlk_err_at(e, dir, 0);
    return mlk_err_hint(e, n_model ? "give the file itself" : "this is not the folder of a model");
}

mlk_status mlk_potential_read(mlk_potential **pot, const char *path, mlk_err *e)
{
    *pot = NULL;
    char yaml[1024];
    size_t n = strlen(path);
    if (mlk_file_is_dir(path)) {
        mlk_path_join(yaml, sizeof yaml, path, "model.yaml");
        return mlk_file_exists(yaml) ? read_manifest(pot, yaml, e) : read_only_one(pot, path, e);
    }
    if (n > 5 && !strcmp(path + n - 5, ".yaml")) return read_manifest(pot, path, e);
    return read_bare(pot, path, e);
}

mlk_status mlk_potential_write(const mlk_potential *pot, const char *dir, const char *extra,
                               mlk_err *e)
{
    char path[1024];
    MLK_TRY(mlk_mkdir_p(dir, e));
    MLK_TRY(pot->type->write(pot, mlk_path_join(path, sizeof path, dir, pot->type->file), e));
    if (pot->ranges) MLK_TRY(mlk_ranges_write(pot, dir, e));
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, dir, "model.yaml"), e));
    FILE *f = o.fp;
    fprintf(f, "format: mlkit-model\nversion: 1\ntype: %s\nfile: %s\nspecies: [", pot->type->name,
            pot->type->file);
    for (size_t t = 0; t < pot->n_species; t++)
        fprintf(f, "%s%s", t ? ", " : "", mlk_element_symbol(pot->z[t]));
    fprintf(f, "]\ncutoff: %.10g  # A\n", pot->rc);
    fprintf(f, "e0:  # reference energies [eV]; the total energy is the model's plus their sum\n");
    for (size_t t = 0; t < pot->n_species; t++)
        fprintf(f, "  %s: %.17g\n", mlk_element_symbol(pot->z[t]), pot->e0[t]);
    if (pot->zbl.on) {
        fprintf(f, "zbl: {inner: %.10g, outer: %.10g", pot->zbl.inner, pot->zbl.outer);
        if (pot->zbl.typewise) fprintf(f, ", factor: %.10g", pot->zbl.typewise_factor);
        fprintf(f, "}  # A\n");
    }
    if (pot->dmin) {
        fprintf(f, "shortest_distance:  # in the training data [A]\n");
        for (size_t a = 0; a < pot->n_species; a++)
            for (size_t b = a; b < pot->n_species; b++)
                fprintf(f, "  %s-%s: %.10g\n", mlk_element_symbol(pot->z[a]),
                        mlk_element_symbol(pot->z[b]), pot->dmin[a * pot->n_species + b]);
    }
    if (pot->ranges) fprintf(f, "ranges: " MLK_RANGES_FILE "  # of the descriptors in training\n");
    fprintf(f, "hyper:\n");
    char value[MLK_OPT_STR_MAX];
    for (const mlk_opt *h = pot->type->hyper; h->key; h++) {
        mlk_opt_print(h, pot->hyper, value, sizeof value);
        bool list = h->type == MLK_OPT_INTS || h->type == MLK_OPT_REALS;
        fprintf(f, "  %s: %s%s%s\n", h->key, list ? "[" : "", value, list ? "]" : "");
    }
    if (extra) fputs(extra, f);
    return mlk_out_commit(&o, e);
}
