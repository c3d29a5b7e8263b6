/* data.c - the frames of a fit: reading, choice of energy, split, and the table shown before it. */
#include <math.h>
#include <string.h>

#include "core/log.h"
#include "core/neigh.h"
#include "core/units.h"
#include "datasets/check.h"
#include "datasets/suspect.h"
#include "train/train.h"

static mlk_status choose_energy(const mlk_train_config *c, mlk_dataset *ds, mlk_err *e)
{
    if (c->data.energy == 0) {
        mlk_dataset_warn_energy_kinds(ds);
        return MLK_OK;
    }
    for (size_t k = 0; k < ds->n; k++) {
        mlk_frame *fr = &ds->frame[k];
        if (!(fr->has & MLK_HAS_ENERGY)) continue;
        if (!isfinite(fr->energy0)) {
            MLK_FAIL(e, MLK_EINVAL,
                     "data.energy is sigma0, but this frame has no energy for sigma -> 0");
            mlk_err_hint(e, "use --set data.energy=free, which is also what belongs to the forces");
            return mlk_err_at(e, fr->source, fr->line), MLK_EINVAL;
        }
        fr->energy = fr->energy0;
    }
    mlk_log(MLK_LOG_WARN,
            "energies extrapolated to sigma -> 0 do not belong exactly to the forces");
    return MLK_OK;
}

/* Two atoms in one place have no energy in any model: said here and not after the fit, which such a
 * frame would spoil. */
static mlk_status check_contacts(const mlk_dataset *ds, mlk_err *e)
{
    const double nearest = 0.1; /* A; far below anything computed, above what is not finite */
    mlk_neigh nl = {0};
    mlk_status s = MLK_OK;
    for (size_t k = 0; k < ds->n && !s; k++) {
        const mlk_frame *fr = &ds->frame[k];
        s = mlk_neigh_build(&fr->cell, fr->n, (const double(*)[3])fr->x, nearest, &nl, e);
        if (!s && nl.np) {
            size_t i = 0;
            while (nl.start[i + 1] == 0) i++;
            double d2 = 0;
            for (int c = 0; c < 3; c++) d2 += nl.r[c][0] * nl.r[c][0];
            s = MLK_FAIL(e, MLK_EINVAL, "atoms %zu and %d are %.2g A apart", i + 1, nl.j[0] + 1,
                         sqrt(d2));
            mlk_err_hint(e,
                         "take the frame out: 'mlkit dataset check DATA --drop -o CLEAN.xyz' does");
        }
        if (s) mlk_err_at(e, fr->source, fr->line);
    }
    mlk_neigh_free(&nl);
    return s;
}

mlk_status mlk_fit_load(const mlk_train_config *c, mlk_dataset *ds, mlk_err *e)
{
    char path[1024];
    if (!c->n_path && c->n_valid) {
        MLK_FAIL(e, MLK_EINVAL, "data.valid is given, but nothing to train on");
        return mlk_err_hint(e, "name the training data in data.train");
    }
    for (size_t k = 0; !c->n_path && k < MLK_BUNDLED; k++) {
        MLK_TRY(mlk_dataset_bundled(k, path, sizeof path, e));
        MLK_TRY(mlk_dataset_read(ds, path, e));
    }
    for (size_t k = 0; k < c->n_path; k++) MLK_TRY(mlk_dataset_read(ds, c->path[k], e));
    size_t n_train = ds->n;
    for (size_t k = 0; k < c->n_valid; k++) MLK_TRY(mlk_dataset_read(ds, c->valid[k], e));
    for (size_t k = 0; c->n_valid && k < ds->n; k++)
        ds->split[k] = k < n_train ? MLK_SPLIT_TRAIN : MLK_SPLIT_VALID;
    for (size_t k = 0; k < ds->n; k++)
        if (mlk_frame_check(&ds->frame[k], e)) {
            mlk_err_at(e, ds->frame[k].source, ds->frame[k].line);
            return e ? e->code : MLK_EFORMAT;
        }
    if (!ds->n) return MLK_FAIL(e, MLK_EINVAL, "the data hold no usable frame");
    MLK_TRY(check_contacts(ds, e));
    MLK_TRY(choose_energy(c, ds, e));
    if (c->data.valid_fraction > 0 && !c->n_valid)
        return mlk_dataset_split(ds, c->data.valid_fraction, (uint64_t)c->data.split_seed, 0, e);
    return MLK_OK;
}

typedef struct group_count {
    char name[64];
    size_t n[3];
} group_count;

static void log_groups(const mlk_dataset *ds, int split, const char *title)
{
    group_count *g = mlk_alloc(ds->n, sizeof *g);
    size_t ng = 0, frames = 0;
    for (size_t k = 0; g && k < ds->n; k++) {
        const char *name = ds->frame[k].group[0] ? ds->frame[k].group : "(none)";
        size_t q = 0;
        if (ds->split[k] != split) continue;
        while (q < ng && strcmp(g[q].name, name)) q++;
        if (q == ng) snprintf(g[ng++].name, sizeof g->name, "%s", name);
        g[q].n[0]++;
        frames++;
    }
    char line[160];
    int len = snprintf(line, sizeof line, "  %-10s %zu frames, %zu group%s:", title, frames, ng,
                       ng == 1 ? "" : "s");
    for (size_t q = 0; g && q < ng; q++) {
        char word[96];
        int w =
            snprintf(word, sizeof word, " %s %zu%s", g[q].name, g[q].n[0], q + 1 < ng ? "," : "");
        if (len + w > 100) {
            mlk_log(MLK_LOG_INFO, "%s", line);
            len = snprintf(line, sizeof line, "            ");
        }
        len += snprintf(line + len, sizeof line - (size_t)len, "%s", word);
    }
    if (frames) mlk_log(MLK_LOG_INFO, "%s", line);
    mlk_free(g);
}

enum { ODD_ENERGY, ODD_FORCE, HARD, N_ODD };

/* Gross outliers among the labels bend a fit, or stop it from becoming one. A force far above all
 * others belongs to a hard collision where the forces of its frame add up to zero; energies of many
 * frames are those of another state of the material. */
static mlk_status warn_outliers(const mlk_dataset *ds, mlk_err *e)
{
    static const char *const say[N_ODD][2] = {
        {"with an energy far from the median of its formula",
         "wrong labels, other settings or another state? 'mlkit dataset check DATA' tells more"},
        {"with a force over 10 times the spread that no other forces balance",
         "wrong label? 'mlkit dataset check DATA' tells more"},
        {"with forces over 10 times the spread", "hard collisions, or wrong labels"}};
    mlk_suspects q = {0};
    size_t n[N_ODD] = {0}, first[N_ODD] = {0};
    bool *net = mlk_alloc(ds->n + 1, sizeof *net);
    mlk_status s =
        net ? mlk_dataset_suspect(ds, &q, e) : MLK_FAIL(e, MLK_ENOMEM, "%zu frames", ds->n);
    for (size_t k = 0; !s && k < q.n; k++)
        if (q.item[k].kind == MLK_SUSPECT_NET_FORCE) net[q.item[k].frame] = true;
    for (size_t k = 0; !s && k < q.n; k++) {
        const mlk_suspect *it = &q.item[k];
        if (it->kind != MLK_SUSPECT_ENERGY && it->kind != MLK_SUSPECT_FORCE) continue;
        int o = it->kind == MLK_SUSPECT_ENERGY ? ODD_ENERGY : net[it->frame] ? ODD_FORCE : HARD;
        if (!n[o]++) first[o] = it->frame;
    }
    for (int o = 0; o < N_ODD; o++)
        if (n[o])
            mlk_log(o == HARD || n[o] > 1 + ds->n / 20 ? MLK_LOG_INFO : MLK_LOG_WARN,
                    "%zu frame%s %s (first at %s:%ld): %s", n[o], n[o] == 1 ? "" : "s", say[o][0],
                    ds->frame[first[o]].source, ds->frame[first[o]].line, say[o][1]);
    mlk_suspects_free(&q);
    mlk_free(net);
    return s;
}

mlk_status mlk_fit_describe(const mlk_train_config *c, const mlk_dataset *ds, mlk_err *e)
{
    size_t have[3] = {0}, n_train = 0, amin = SIZE_MAX, amax = 0;
    double f2[MLK_ELEMENT_MAX + 1] = {0}, nf[MLK_ELEMENT_MAX + 1] = {0}, all = 0, n_all = 0,
                                fmax2 = 0;
    double e1 = 0, e2 = 0, p_lo = INFINITY, p_hi = -INFINITY;
    for (size_t k = 0; k < ds->n; k++) {
        const mlk_frame *fr = &ds->frame[k];
        if (fr->n < amin) amin = fr->n;
        if (fr->n > amax) amax = fr->n;
        if (ds->split[k] != MLK_SPLIT_TRAIN) continue;
        n_train++;
        double n = (double)fr->n;
        if (fr->has & MLK_HAS_ENERGY)
            have[0]++, e1 += fr->energy / n, e2 += fr->energy * fr->energy / n / n;
        if (fr->has & MLK_HAS_VIRIAL) {
            double tr = fr->virial[0][0] + fr->virial[1][1] + fr->virial[2][2];
            double p = tr / 3 / fr->cell.volume * MLK_EVA3_GPA;
            have[2]++;
            p_lo = fmin(p_lo, p), p_hi = fmax(p_hi, p);
        }
        if (!(fr->has & MLK_HAS_FORCE)) continue;
        have[1]++;
        for (size_t i = 0; i < fr->n; i++) {
            double q = 0;
            for (int a = 0; a < 3; a++) q += fr->f[i][a] * fr->f[i][a];
            f2[fr->z[i]] += q, nf[fr->z[i]] += 3, all += q, n_all += 3;
            fmax2 = fmax(fmax2, q);
        }
    }
    char size[64], line[512] = "";
    if (amin == amax)
        snprintf(size, sizeof size, "%zu", amin);
    else
        snprintf(size, sizeof size, "%zu to %zu", amin, amax);
    for (size_t t = 0; t < ds->n_species; t++)
        snprintf(line + strlen(line), sizeof line - strlen(line), " %s",
                 mlk_element_symbol(ds->z[t]));
    mlk_log(MLK_LOG_INFO, "data: %zu frames of %s atoms, species%s", ds->n, size, line);
    log_groups(ds, MLK_SPLIT_TRAIN, "train");
    log_groups(ds, MLK_SPLIT_VALID, "valid");
    log_groups(ds, MLK_SPLIT_TEST, "test");

    const mlk_train_loss loss = mlk_train_weights(&c->loss, false);
    /* what nobody asked for is not missed where it is absent */
    double w[3] = {isnan(c->loss.energy) && !have[0] ? 0 : loss.energy, loss.force,
                   isnan(c->loss.virial) && !have[2] ? 0 : loss.virial};
    if (c->optimizer.method == MLK_TRAIN_SNES) {
        const double lambda_v = isnan(c->snes.lambda_v) ? (have[2] ? 0.1 : 0) : c->snes.lambda_v;
        w[0] = c->snes.lambda_e, w[1] = c->snes.lambda_f, w[2] = lambda_v;
    }
    static const char *const name[3] = {"energy", "force", "virial"};
    mlk_log(MLK_LOG_INFO,
            "  labels found and used: energy %zu, forces %zu, virial %zu (of %zu training frames)",
            w[0] > 0 ? have[0] : 0, w[1] > 0 ? have[1] : 0, w[2] > 0 ? have[2] : 0, n_train);
    line[0] = 0;
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++)
        if (nf[z] > 0)
            snprintf(line + strlen(line), sizeof line - strlen(line), " %s %.3f",
                     mlk_element_symbol(z), sqrt(f2[z] / nf[z]));
    if (n_all > 0)
        mlk_log(MLK_LOG_INFO, "  force spread %.3f eV/A (%s), largest %.1f eV/A", sqrt(all / n_all),
                line + 1, sqrt(fmax2));
    if (have[0]) {
        double m = e1 / (double)have[0];
        mlk_log(MLK_LOG_INFO, "  energy %.4f eV/atom, spread %.1f meV/atom%s", m,
                1e3 * sqrt(fmax(e2 / (double)have[0] - m * m, 0)), have[2] ? "" : "; no stress");
    }
    if (have[2])
        mlk_log(MLK_LOG_INFO, "  pressure %.2f to %.2f GPa (without kinetic part)", p_lo, p_hi);
    for (int k = 0; k < 3; k++)
        if (w[k] > 0 && !have[k]) {
            MLK_FAIL(e, MLK_EINVAL,
                     "the loss weighs the %s by %g, but none of the %zu training frames has it",
                     name[k], w[k], n_train);
            mlk_err_hint(e, "add data with that label, or --set loss.%s=0", name[k]);
            return MLK_EINVAL;
        }
    return warn_outliers(ds, e);
}
