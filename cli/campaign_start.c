/* campaign_start.c - the structure every run of a study starts from, and its supercell. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/campaign.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/units.h"
#include "datasets/dataset.h"
#include "parsers/parser.h"

/* A cell at least twice a usual cutoff high, and enough atoms for a thermal conductivity. */
static const double height_min = 16.0; /* [A] */
static const double atoms_wanted = 256;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double pressure_gpa(const mlk_frame *fr)
{
    double tr = fr->virial[0][0] + fr->virial[1][1] + fr->virial[2][2];
    return tr / (3 * fr->cell.volume) * MLK_EVA3_GPA;
}

typedef struct candidate {
    size_t frame;
    double score;
} candidate;

static int by_score(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    return x->score != y->score ? (x->score > y->score) - (x->score < y->score)
                                : (x->frame > y->frame) - (x->frame < y->frame);
}

/* Is its energy above the median of the frames of this composition? Such a frame may be a broken or
 * strained one, which no run should begin with. */
static bool above_median(const mlk_dataset *ds, size_t k)
{
    const mlk_frame *fr = &ds->frame[k];
    char mine[128], other[128];
    size_t below = 0, above = 0;
    if (!(fr->has & MLK_HAS_ENERGY)) return false;
    mlk_frame_formula(fr, mine, sizeof mine);
    for (size_t i = 0; i < ds->n; i++) {
        const mlk_frame *f = &ds->frame[i];
        if (!(f->has & MLK_HAS_ENERGY) || f->n != fr->n ||
            strcmp(mlk_frame_formula(f, other, sizeof other), mine))
            continue;
        below += f->energy < fr->energy;
        above += f->energy > fr->energy;
    }
    return below > above;
}

/* Among frames with every species, a volume per atom within 2 % of the median and not more energy
 * than most: the one whose pressure label is nearest zero (without such labels: nearest the median
 * volume). */
static mlk_status choose(const mlk_dataset *ds, size_t *best, mlk_err *e)
{
    double *vol = mlk_alloc(ds->n, sizeof *vol);
    candidate *c = mlk_alloc(ds->n, sizeof *c);
    size_t n = 0, k;
    if (!vol || !c) {
        mlk_free(vol), mlk_free(c);
        return MLK_FAIL(e, MLK_ENOMEM, "volumes");
    }
    for (k = 0; k < ds->n; k++)
        if (ds->frame[k].has & MLK_HAS_CELL)
            vol[n++] = ds->frame[k].cell.volume / (double)ds->frame[k].n;
    qsort(vol, n, sizeof *vol, ascending);
    double median = n ? vol[n / 2] : 0;
    n = 0;
    for (k = 0; k < ds->n; k++) {
        const mlk_frame *fr = &ds->frame[k];
        int z[MLK_ELEMENT_MAX];
        if (!(fr->has & MLK_HAS_CELL) || mlk_frame_species(fr, z) != ds->n_species) continue;
        double off = fabs(fr->cell.volume / (double)fr->n / median - 1);
        /* frames with a stress come first, whatever their volume within the 2 % */
        c[n++] = (candidate){k, fr->has & MLK_HAS_VIRIAL && off <= 0.02 ? fabs(pressure_gpa(fr))
                                                                        : 1e6 + off};
    }
    qsort(c, n, sizeof *c, by_score);
    for (k = 0; k < n && above_median(ds, c[k].frame);) k++;
    *best = n ? c[k < n ? k : 0].frame : ds->n;
    mlk_free(vol), mlk_free(c);
    if (n) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "no frame of the data has a cell and all %zu species", ds->n_species);
    mlk_err_hint(e, "give a start structure with --structure FILE");
    return MLK_EINVAL;
}

static void supercell_auto(const mlk_frame *fr, int rep[3])
{
    for (int k = 0; k < 3; k++) rep[k] = (int)fmax(1, ceil(height_min / fr->cell.height[k] - 1e-9));
    /* small cells of few atoms grow along their shortest side, to the count nearest the wanted one
     */
    for (;;) {
        double atoms = (double)fr->n * rep[0] * rep[1] * rep[2];
        int s = 0;
        for (int k = 1; k < 3; k++)
            if (fr->cell.height[k] * rep[k] < fr->cell.height[s] * rep[s] - 1e-9) s = k;
        double next = atoms * (rep[s] + 1) / rep[s];
        if (fabs(log(next / atoms_wanted)) >= fabs(log(atoms / atoms_wanted))) return;
        rep[s]++;
    }
}

static mlk_status from_data(mlk_campaign *c, mlk_frame *fr, mlk_err *e)
{
    char path[1100], formula[128];
    mlk_dataset ds = {0};
    size_t k = 0;
    mlk_status s = mlk_dataset_read(&ds, mlk_path_join(path, sizeof path, c->run, "dataset.h5"), e);
    if (!s) s = choose(&ds, &k, e);
    if (!s) s = mlk_frame_copy(&ds.frame[k], fr, e);
    if (!s) {
        int len = snprintf(c->structure_from, sizeof c->structure_from, "frame %zu of %zu, %s",
                           k + 1, ds.n, mlk_frame_formula(fr, formula, sizeof formula));
        if (fr->group[0])
            len += snprintf(c->structure_from + len, sizeof c->structure_from - (size_t)len,
                            ", group %s", fr->group);
        if (fr->has & MLK_HAS_VIRIAL)
            snprintf(c->structure_from + len, sizeof c->structure_from - (size_t)len,
                     ", pressure label %.2f GPa, %.2f A^3 per atom", pressure_gpa(fr),
                     fr->cell.volume / (double)fr->n);
    }
    mlk_dataset_free(&ds);
    return s;
}

mlk_status mlk_campaign_start_frame(const mlk_campaign *c, mlk_frame *super, mlk_err *e)
{
    char path[1100];
    int rep[3];
    mlk_frame fr = {0};
    mlk_path_join(path, sizeof path, c->run, "structure.xyz");
    if (!c->n_atoms || !mlk_file_exists(path)) snprintf(path, sizeof path, "%s", c->set.structure);
    if (!*path) return MLK_FAIL(e, MLK_EINVAL, "the start structure is not known yet");
    mlk_status s = mlk_parse_structure(path, 0, &fr, e);
    if (!s && !(fr.has & MLK_HAS_CELL)) s = MLK_FAIL(e, MLK_EINVAL, "no cell");
    memcpy(rep, c->supercell, sizeof rep);
    if (!s && !rep[0]) supercell_auto(&fr, rep);
    if (!s) s = mlk_frame_repeat(&fr, rep, super, e);
    mlk_frame_free(&fr);
    return s;
}

mlk_status mlk_campaign_structure(mlk_campaign *c, mlk_err *e)
{
    char path[1100];
    mlk_frame fr = {0};
    mlk_status s = MLK_OK;
    if (*c->set.structure) {
        MLK_GO(mlk_parse_structure(c->set.structure, 0, &fr, e));
        snprintf(c->structure_from, sizeof c->structure_from, "%.*s",
                 (int)sizeof c->structure_from - 1, c->set.structure);
        if (!(fr.has & MLK_HAS_CELL)) {
            MLK_FAIL(e, MLK_EINVAL, "the start structure has no cell");
            mlk_err_at(e, c->set.structure, 0);
            mlk_err_hint(e, "a periodic cell is needed; add Lattice=\"...\" (extended XYZ)");
            s = MLK_EINVAL;
            goto done;
        }
    } else {
        MLK_GO(from_data(c, &fr, e));
    }
    if (!strcmp(c->set.supercell, "auto")) supercell_auto(&fr, c->supercell);
    c->n_atoms = fr.n * (size_t)(c->supercell[0] * c->supercell[1] * c->supercell[2]);
    MLK_GO(mlk_write_extxyz(mlk_path_join(path, sizeof path, c->run, "structure.xyz"), &fr, 1, e));
    mlk_log(MLK_LOG_INFO, "start structure: %s; supercell %dx%dx%d, %zu atoms", c->structure_from,
            c->supercell[0], c->supercell[1], c->supercell[2], c->n_atoms);
    s = mlk_campaign_write(c, e);
done:
    mlk_frame_free(&fr);
    return s;
}
