/* validate_data.c - the frames as the models saw them: kind of energy and split, from the records
 * in the model folders (train.yaml, train.json). */
#include <math.h>
#include <string.h>

#include "cli/validate.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "datasets/check.h"

void mlk_validate_record(mlk_validated *m, int energy)
{
    char dir[1024], yaml[1100], json[1100];
    mlk_train_config c = {0};
    json_t *j = NULL;
    mlk_err own = {0};
    snprintf(dir, sizeof dir, "%s", m->path);
    if (!mlk_file_is_dir(dir)) {
        char *slash = strrchr(dir, '/');
        bool manifest = mlk_path_ends(dir, "model.yaml");
        snprintf(slash ? slash : dir, 2, "%s", slash ? "" : ".");
        if (!manifest) dir[0] = 0; /* a bare file: nothing is known of it */
    }
    m->trained = MLK_ENERGY_AS_FREE;
    m->energy = energy == MLK_ENERGY_AUTO ? m->trained : energy;
    if (!*dir || !mlk_file_exists(mlk_path_join(yaml, sizeof yaml, dir, "train.yaml"))) return;
    mlk_path_join(json, sizeof json, dir, "train.json");
    mlk_status s = mlk_train_config_init(&c, false, &own);
    if (!s) s = mlk_train_config_read(&c, yaml, &own);
    if (!s && mlk_file_exists(json)) s = mlk_json_read(json, &j, &own);
    if (s) {
        mlk_log(MLK_LOG_WARN, "%s: its record of the training cannot be used (%s)", m->path,
                own.msg);
    } else {
        m->trained = c.data.energy ? MLK_ENERGY_AS_SIGMA0 : MLK_ENERGY_AS_FREE;
        if (energy == MLK_ENERGY_AUTO) m->energy = m->trained;
        m->fraction = c.data.valid_fraction, m->split_seed = c.data.split_seed;
        snprintf(m->fingerprint, sizeof m->fingerprint, "%.31s",
                 mlk_json_get_str(j, "data_fingerprint", ""));
        m->n_frames =
            (size_t)(mlk_json_get_real(j, "n_train", 0) + mlk_json_get_real(j, "n_valid", 0));
        m->recorded = *m->fingerprint != 0;
    }
    json_decref(j);
    mlk_train_config_free(&c);
}

mlk_status mlk_energies_keep(const mlk_dataset *ds, mlk_energies *k, mlk_err *e)
{
    *k = (mlk_energies){.n = ds->n};
    k->free_energy = mlk_alloc(ds->n, sizeof *k->free_energy);
    k->has = mlk_alloc(ds->n, sizeof *k->has);
    if (!k->free_energy || !k->has) return MLK_FAIL(e, MLK_ENOMEM, "%zu energies", ds->n);
    for (size_t q = 0; q < ds->n; q++)
        k->free_energy[q] = ds->frame[q].energy, k->has[q] = ds->frame[q].has;
    return MLK_OK;
}

void mlk_energies_free(mlk_energies *k)
{
    mlk_free(k->free_energy), mlk_free(k->has);
    *k = (mlk_energies){0};
}

size_t mlk_energies_use(mlk_dataset *ds, const mlk_energies *k, int kind)
{
    size_t without = 0;
    for (size_t q = 0; q < k->n; q++) {
        mlk_frame *fr = &ds->frame[q];
        fr->energy = k->free_energy[q], fr->has = k->has[q];
        if (kind != MLK_ENERGY_AS_SIGMA0 || !(fr->has & MLK_HAS_ENERGY)) continue;
        if (isfinite(fr->energy0))
            fr->energy = fr->energy0;
        else
            fr->has &= ~(unsigned)MLK_HAS_ENERGY, without++;
    }
    return without;
}

static bool is_split(const mlk_dataset *ds)
{
    for (size_t q = 0; q < ds->n; q++)
        if (ds->split[q] != MLK_SPLIT_TRAIN) return true;
    return false;
}

/* Does every model with a record name the same data and split? The first one, or NULL. */
static const mlk_validated *common_record(const mlk_validated *m, size_t nm)
{
    const mlk_validated *first = NULL;
    for (size_t k = 0; k < nm; k++) {
        if (!m[k].recorded) continue;
        if (first && strcmp(first->fingerprint, m[k].fingerprint)) {
            mlk_log(MLK_LOG_INFO, "%s and %s were trained on different data or splits", first->path,
                    m[k].path);
            return NULL;
        }
        if (!first) first = &m[k];
    }
    return first;
}

mlk_status mlk_validate_split(mlk_dataset *ds, const mlk_energies *k, const mlk_validated *m,
                              size_t nm, int *found, mlk_err *e)
{
    *found = is_split(ds) ? MLK_SPLIT_KNOWN : MLK_SPLIT_UNKNOWN;
    const mlk_validated *r = *found ? NULL : common_record(m, nm);
    if (!r || r->n_frames != ds->n) return MLK_OK;
    char hex[17];
    mlk_energies_use(ds, k, r->trained);
    if (r->fraction > 0) MLK_TRY(mlk_dataset_split(ds, r->fraction, (uint64_t)r->split_seed, 0, e));
    mlk_fit_fingerprint(ds, hex);
    if (!strcmp(hex, r->fingerprint)) {
        *found = is_split(ds) ? MLK_SPLIT_KNOWN : MLK_SPLIT_NONE;
        mlk_log(MLK_LOG_INFO, "these are the frames %s was trained on: %s", r->path,
                *found == MLK_SPLIT_KNOWN
                    ? "its split is repeated (--split valid: only the held-out ones)"
                    : "all of them");
    } else {
        for (size_t q = 0; q < ds->n; q++) ds->split[q] = MLK_SPLIT_TRAIN;
    }
    return MLK_OK;
}
