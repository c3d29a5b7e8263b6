/* fit.c - one model, from data to its finished folder.
 *
 * A folder belongs to the settings in its train.yaml: the same command finds the finished model, or
 * continues an interrupted one; other settings are refused, nothing is ever overwritten. train.json
 * is written last and marks the model as complete. Until then train.log is locked: one process at a
 * time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/lock.h"
#include "core/log.h"
#include "train/describe.h"
#include "train/lsq.h"
#include "train/output.h"
#include "train/train.h"

void mlk_fit_fingerprint(const mlk_dataset *ds, char hex[17])
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a, 64 bit, over 8-byte words */
    const uint64_t prime = 0x100000001b3u;
    for (size_t k = 0; k < ds->n; k++) {
        const mlk_frame *fr = &ds->frame[k];
        const struct {
            const void *p;
            size_t n;
        } part[] = {{&fr->n, 1},      {fr->x, 3 * fr->n}, {fr->f, 3 * fr->n},
                    {&fr->energy, 1}, {fr->cell.h, 9},    {fr->virial, 9}};
        for (size_t q = 0; q < sizeof part / sizeof *part; q++)
            for (size_t w = 0; part[q].p && w < part[q].n; w++) {
                uint64_t v;
                memcpy(&v, (const char *)part[q].p + 8 * w, 8);
                h = (h ^ v) * prime;
                h ^= h >> 29;
            }
        for (size_t i = 0; i < fr->n; i++) h = (h ^ (uint64_t)fr->z[i]) * prime;
        h = (h ^ (uint64_t)ds->split[k] ^ (uint64_t)fr->has << 8) * prime;
    }
    snprintf(hex, 17, "%016llx", (unsigned long long)h);
}

/* settings of this model and data as text: equal text, equal result */
static mlk_status record_text(const mlk_train_config *c, const mlk_train_model *m, const char *name,
                              uint64_t seed, const mlk_dataset *ds, char **text, mlk_err *e)
{
    mlk_train_model one = *m;
    snprintf(one.name, sizeof one.name, "%s", name);
    one.seed = (int)seed;
    char hex[17];
    mlk_fit_fingerprint(ds, hex);
    char *buf = NULL;
    size_t size;
    FILE *f = open_memstream(&buf, &size);
    if (!f) return MLK_FAIL(e, MLK_ENOMEM, "settings");
    fprintf(f,
            "# settings of this model, all defaults written out; 'mlkit train -c' repeats it\n"
            "# data: %zu frames, fingerprint %s\n",
            ds->n, hex);
    mlk_train_config_print(c, &one, f);
    fclose(f);
    *text = mlk_strdup(buf);
    free(buf);
    return *text ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "settings");
}

/* first line in which two texts differ, for the message */
static void first_difference(const char *a, const char *b, char *out, size_t cap)
{
    while (*a && *b) {
        size_t na = strcspn(a, "\n"), nb = strcspn(b, "\n");
        if (na != nb || strncmp(a, b, na)) break;
        a += na + (a[na] == '\n'), b += nb + (b[nb] == '\n');
    }
    snprintf(out, cap, "%.*s", (int)strcspn(a, "\n"), a);
    if (strlen(out) > 200) {
        size_t k = 0; /* long lines: from a little before the difference */
        while (a[k] && a[k] == b[k]) k++;
        snprintf(out, cap < 200 ? cap : 200, "... %s", a + (k > 30 ? k - 30 : 0));
    }
}

/* Keep a second process away from an unfinished model: a lock of its train.log. */
static mlk_status lock(const char *dir, int *fd, mlk_err *e)
{
    char path[1024];
    bool busy;
    MLK_TRY(
        mlk_lock_take(mlk_path_join(path, sizeof path, dir, "train.log"), 0, false, fd, &busy, e));
    if (!busy) return MLK_OK;
    MLK_FAIL(e, MLK_EINVAL, "another mlkit train is at work in %s", dir);
    return mlk_err_hint(e,
                        "wait for it, stop it with Ctrl-C there, or give another folder with -o");
}

/* Is dir free, ours and unfinished (then it is locked, *fd), or ours and complete? */
static mlk_status claim(const char *dir, const char *text, bool *complete, int *fd, mlk_err *e)
{
    char path[1024], json[1024];
    *complete = false;
    mlk_path_join(path, sizeof path, dir, "train.yaml");
    mlk_path_join(json, sizeof json, dir, "train.json");
    if (!mlk_file_exists(path)) {
        char other[1024];
        if (mlk_file_exists(json) ||
            mlk_file_exists(mlk_path_join(other, sizeof other, dir, "model.yaml"))) {
            MLK_FAIL(e, MLK_EINVAL, "%s holds a model that this command did not make", dir);
            mlk_err_hint(e, "give a new folder with -o or another --name");
            return MLK_EINVAL;
        }
        MLK_TRY(mlk_mkdir_p(dir, e));
        MLK_TRY(lock(dir, fd, e));
        if (!mlk_file_exists(path)) return mlk_file_write_text(path, text, e);
    }
    char *old;
    MLK_TRY(mlk_file_slurp(path, &old, NULL, e));
    bool same = !strcmp(old, text);
    if (!same) {
        char diff[256];
        first_difference(old, text, diff, sizeof diff);
        MLK_FAIL(e, MLK_EINVAL, "%s was made with other settings or data (there: %s)", dir, diff);
        mlk_err_hint(e, "give a new folder with -o, or repeat with 'mlkit train -c %s'", path);
    }
    mlk_free(old);
    if (!same) return MLK_EINVAL;
    if (*fd < 0 && !mlk_file_exists(json)) MLK_TRY(lock(dir, fd, e));
    *complete = mlk_file_exists(json); /* perhaps since a moment ago */
    return MLK_OK;
}

/* *fr (*n) borrows the frames, free the list */
static mlk_status training_frames(const mlk_dataset *ds, const mlk_frame ***fr, size_t *n,
                                  mlk_err *e)
{
    *n = 0;
    *fr = mlk_alloc(ds->n ? ds->n : 1, sizeof **fr);
    if (!*fr) return MLK_FAIL(e, MLK_ENOMEM, "list of frames");
    for (size_t k = 0; k < ds->n; k++)
        if (ds->split[k] == MLK_SPLIT_TRAIN) (*fr)[(*n)++] = &ds->frame[k];
    return MLK_OK;
}

/* *own: m with the hyper-parameters that were left open chosen for the data; own->hyper is freed by
 * the caller */
static mlk_status resolve(const mlk_train_model *m, const mlk_dataset *ds, mlk_train_model *own,
                          mlk_err *e)
{
    *own = *m;
    own->hyper = mlk_alloc(1, m->type->hyper_size);
    if (!own->hyper) return MLK_FAIL(e, MLK_ENOMEM, "settings");
    memcpy(own->hyper, m->hyper, m->type->hyper_size);
    if (!m->type->suggest || m->from[0]) return MLK_OK;
    const mlk_frame **fr;
    size_t n;
    MLK_TRY(training_frames(ds, &fr, &n, e));
    mlk_status s = m->type->suggest(own->hyper, n, fr, e);
    mlk_free(fr);
    return s;
}

/* species of a new model: as asked for, or those of the data */
static mlk_status choose_species(const mlk_train_model *m, const mlk_dataset *ds, int *z, size_t *n,
                                 mlk_err *e)
{
    char text[sizeof m->species];
    *n = 0;
    snprintf(text, sizeof text, "%s", m->species);
    for (char *save = NULL, *w = strtok_r(text, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
        int q = mlk_element_z(w);
        for (size_t k = 0; k < *n; k++)
            if (z[k] == q) q = 0;
        if (!q) return MLK_FAIL(e, MLK_EINVAL, "species: '%s' is no element, or there twice", w);
        z[(*n)++] = q;
    }
    for (size_t t = 0; t < ds->n_species; t++) {
        size_t k = 0;
        while (k < *n && z[k] != ds->z[t]) k++;
        if (k < *n) continue;
        if (m->species[0]) {
            MLK_FAIL(e, MLK_EINVAL, "the data hold %s, which is not among the species %s",
                     mlk_element_symbol(ds->z[t]), m->species);
            return mlk_err_hint(e, "add it, or leave the species out");
        }
        z[(*n)++] = ds->z[t];
    }
    return MLK_OK;
}

/* A species without training frames keeps the parameters it was drawn with. */
static void warn_unfitted(const mlk_dataset *ds, size_t n, const int *z)
{
    bool seen[MLK_ELEMENT_MAX + 1] = {false};
    char line[512] = "";
    for (size_t k = 0; k < ds->n; k++)
        for (size_t i = 0; ds->split[k] == MLK_SPLIT_TRAIN && i < ds->frame[k].n; i++)
            seen[ds->frame[k].z[i]] = true;
    for (size_t t = 0; t < n; t++)
        if (!seen[z[t]])
            snprintf(line + strlen(line), sizeof line - strlen(line), " %s",
                     mlk_element_symbol(z[t]));
    if (line[0])
        mlk_log(MLK_LOG_WARN,
                "no training frame holds%s: what the model says of that is not fitted to anything",
                line);
}

/* reference energies of the species that the data hold; zero for others */
static mlk_status new_e0(mlk_potential *pot, const mlk_train_config *c, const mlk_dataset *ds,
                         mlk_err *e)
{
    char note[512];
    mlk_potential q = {.n_species = ds->n_species}; /* only what mlk_fit_e0 looks at */
    memcpy(q.z, ds->z, ds->n_species * sizeof *q.z);
    MLK_TRY(mlk_fit_e0(&q, ds, c->e0, note, sizeof note, e));
    mlk_log(MLK_LOG_INFO, "%s", note);
    for (size_t t = 0; t < pot->n_species; t++)
        for (size_t k = 0; k < q.n_species; k++)
            if (pot->z[t] == q.z[k]) pot->e0[t] = q.e0[k];
    return MLK_OK;
}

static mlk_status new_potential(const mlk_train_config *c, const mlk_train_model *m, uint64_t seed,
                                const mlk_dataset *ds, mlk_potential **pot, mlk_err *e)
{
    char note[512];
    int z[MLK_SPECIES_MAX];
    size_t nz;
    MLK_TRY(choose_species(m, ds, z, &nz, e));
    warn_unfitted(ds, nz, z);
    MLK_TRY(mlk_potential_new(pot, m->type, e));
    memcpy((*pot)->hyper, m->hyper, m->type->hyper_size);
    MLK_TRY(mlk_potential_create(*pot, nz, z, seed, e));
    MLK_TRY(mlk_fit_dmin(*pot, ds, e));
    MLK_TRY(mlk_fit_zbl(*pot, ds, m->zbl, note, sizeof note, e));
    mlk_log(MLK_LOG_INFO, "%s", note);
    return new_e0(*pot, c, ds, e);
}

static mlk_status make_potential(const mlk_train_config *c, const mlk_train_model *m, uint64_t seed,
                                 const mlk_dataset *ds, mlk_potential **pot, mlk_err *e)
{
    if (m->from[0])
        MLK_TRY(mlk_start_potential(c, m, ds, pot, e));
    else
        MLK_TRY(new_potential(c, m, seed, ds, pot, e));
    if (!m->type->prepare) return MLK_OK;
    const mlk_frame **fr;
    size_t n;
    MLK_TRY(training_frames(ds, &fr, &n, e));
    mlk_status s = n ? m->type->prepare(*pot, n, fr, e) : MLK_OK;
    mlk_free(fr);
    return s;
}

static mlk_status fit_parameters(mlk_potential *pot, const mlk_train_config *c,
                                 const mlk_train_model *m, uint64_t seed, const mlk_dataset *ds,
                                 const char *dir, const char *key, mlk_history *h, mlk_err *e)
{
    if (pot->type->caps & MLK_CAP_LINEAR) {
        double t0 = mlk_wtime(), *weight = mlk_alloc(ds->n, sizeof *weight);
        const mlk_train_loss loss = mlk_train_weights(&c->loss, true);
        mlk_lsq_config q = {.w_energy = loss.energy,
                            .w_force = loss.force,
                            .w_virial = loss.virial,
                            .ridge = m->ridge,
                            .slack = 0.1, /* forces 5 % worse: for hot MD, THEORY 11 */
                            .lowest = 1e-7,
                            .weight = weight};
        mlk_lsq_result r;
        if (!weight) return MLK_FAIL(e, MLK_ENOMEM, "weights");
        mlk_status s = mlk_fit_weights(c, ds, weight, e);
        if (!s) s = mlk_lsq_fit(pot, ds, &q, &r, e);
        mlk_free(weight);
        if (s) return s;
        h->wall = mlk_wtime() - t0;
        mlk_log(MLK_LOG_INFO, "least squares: %zu equations, %zu parameters, ridge %.3g", r.n_rows,
                r.n_param, r.ridge);
        return MLK_OK;
    }
    bool *keep = NULL;
    double *old = NULL, e0[MLK_SPECIES_MAX];
    mlk_status s = MLK_OK;
    memcpy(e0, pot->e0, sizeof e0);
    if (m->from[0]) { /* what the data say nothing about stays, whatever the optimiser does */
        keep = mlk_alloc(pot->n_param, sizeof *keep);
        old = mlk_alloc(pot->n_param, sizeof *old);
        if (!keep || !old) {
            s = MLK_FAIL(e, MLK_ENOMEM, "%zu parameters", pot->n_param);
            goto done;
        }
        memcpy(old, pot->param, pot->n_param * sizeof *old);
        MLK_GO(mlk_start_keep(pot, ds, keep, e));
    }
    if (c->optimizer.method == MLK_TRAIN_SNES)
        s = mlk_train_snes(pot, ds, c, seed, keep, dir, key, h, e);
    else
        s = mlk_train_gradient(pot, ds, c, seed, dir, key, h, e);
    if (s || !keep) goto done;
    for (size_t k = 0; k < pot->n_param; k++)
        if (keep[k]) pot->param[k] = old[k];
    if (pot->type->update) MLK_GO(pot->type->update(pot, e));
    s = mlk_start_guard(pot, old, e0, ds, e);
done:
    mlk_free(keep), mlk_free(old);
    return s;
}

static void yaml_errors(FILE *f, const char *name, const mlk_fit_errors *er)
{
    const struct {
        const char *key;
        double v;
    } row[] = {{"energy_rmse_meV_atom", 1e3 * mlk_stat_rmse(&er->energy)},
               {"force_rmse_meV_A", 1e3 * mlk_stat_rmse(&er->force)},
               {"stress_rmse_GPa", mlk_stat_rmse(&er->stress)}};
    fprintf(f, "  %s: {frames: %zu", name, er->n_frames);
    for (int k = 0; k < 3; k++)
        if (isfinite(row[k].v)) fprintf(f, ", %s: %.4g", row[k].key, row[k].v);
    fprintf(f, "}\n");
}

static mlk_status write_manifest(const mlk_potential *pot, const mlk_dataset *ds, const char *dir,
                                 uint64_t seed, const mlk_fit_result *r, mlk_err *e)
{
    char hex[17], *buf = NULL;
    size_t size;
    mlk_fit_fingerprint(ds, hex);
    FILE *f = open_memstream(&buf, &size);
    if (!f) return MLK_FAIL(e, MLK_ENOMEM, "model.yaml");
    fprintf(f, "training: {seed: %llu, data_fingerprint: \"%s\", wall_s: %.1f}\nerrors:\n",
            (unsigned long long)seed, hex, r->wall);
    yaml_errors(f, "train", &r->train);
    yaml_errors(f, "valid", &r->valid);
    fclose(f);
    mlk_status s = mlk_potential_write(pot, dir, buf, e);
    free(buf);
    return s;
}

static mlk_status write_json(const mlk_train_config *c, const mlk_potential *pot,
                             const mlk_dataset *ds, const char *dir, uint64_t seed,
                             const mlk_history *h, const mlk_fit_result *r, mlk_err *e)
{
    char path[1024], hex[17];
    mlk_fit_fingerprint(ds, hex);
    json_t *species = json_array();
    for (size_t t = 0; t < pot->n_species; t++)
        json_array_append_new(species, json_string(mlk_element_symbol(pot->z[t])));
    json_t *j = json_object();
    json_object_set_new(j, "model", json_string(r->name));
    json_object_set_new(j, "name", json_string(r->name));
    json_object_set_new(j, "type", json_string(pot->type->name));
    json_object_set_new(j, "species", species);
    json_object_set_new(j, "n_param", json_integer((json_int_t)pot->n_param));
    json_object_set_new(j, "seed", json_integer((json_int_t)seed));
    json_object_set_new(j, "n_train", json_integer((json_int_t)r->train.n_frames));
    json_object_set_new(j, "n_valid", json_integer((json_int_t)r->valid.n_frames));
    json_object_set_new(j, "epochs", json_integer(h->n ? (json_int_t)h->row[h->n - 1].epoch : 0));
    json_object_set_new(j, "wall_s", mlk_json_real(r->wall));
    json_object_set_new(j, "train", mlk_errors_json(&r->train));
    json_object_set_new(j, "valid", mlk_errors_json(&r->valid));
    json_object_set_new(j, "force_rmse_by_species",
                        mlk_errors_species_json(r->valid.n_frames ? &r->valid : &r->train));
    json_object_set_new(j, "data_fingerprint", json_string(hex));
    json_object_set_new(j, "command", json_string(c->command));
    mlk_status s = mlk_json_write(j, mlk_path_join(path, sizeof path, dir, "train.json"), e);
    json_decref(j);
    return s;
}

/* The community formats have no place for e0: who runs the model elsewhere compares energies. */
static void say_e0(const mlk_potential *pot)
{
    char line[512] = "";
    for (size_t t = 0; t < pot->n_species; t++)
        if (pot->e0[t] != 0)
            snprintf(line + strlen(line), sizeof line - strlen(line), " %s %.4f",
                     mlk_element_symbol(pot->z[t]), pot->e0[t]);
    if (line[0])
        mlk_log(MLK_LOG_INFO,
                "total energies by %s alone, in other programs, lack the reference energies (e0 of "
                "model.yaml):%s eV per atom; forces and stress are the same",
                pot->type->file, line);
}

/* A model whose force errors are as large as the forces has learnt nothing: it is written, but not
 * in silence. */
static void judge(const mlk_dataset *ds, mlk_fit_result *r)
{
    const bool held = r->valid.force.n > 0;
    double f2 = 0, n = 0, rmse = mlk_stat_rmse(held ? &r->valid.force : &r->train.force);
    for (size_t k = 0; k < ds->n; k++) {
        const mlk_frame *fr = &ds->frame[k];
        if (ds->split[k] != (held ? MLK_SPLIT_VALID : MLK_SPLIT_TRAIN)) continue;
        for (size_t i = 0; i < fr->n && (fr->has & MLK_HAS_FORCE); i++, n += 3)
            for (int a = 0; a < 3; a++) f2 += fr->f[i][a] * fr->f[i][a];
    }
    r->failed = n > 0 && f2 > 0 && !(rmse < sqrt(f2 / n));
    if (r->failed)
        mlk_log(MLK_LOG_WARN,
                "the fit of %s failed: its force RMSE on the %s frames, %.4g meV/A, is not below "
                "the spread of the forces themselves, %.4g meV/A; do not use this model (look at "
                "the labels with 'mlkit dataset check', or train longer)",
                r->name, held ? "validation" : "training", 1e3 * rmse, 1e3 * sqrt(f2 / n));
}

/* Errors of the finished model; with dir of the model as its file holds it, and all files but
 * train.json. */
static mlk_status finish(const mlk_potential *pot, const mlk_dataset *ds, const char *dir,
                         uint64_t seed, const mlk_history *h, bool only_errors, mlk_fit_result *r,
                         mlk_err *e)
{
    mlk_potential *read = NULL;
    mlk_prediction *p = NULL;
    mlk_status s = MLK_OK;
    if (!only_errors && dir) MLK_GO(mlk_potential_write(pot, dir, NULL, e));
    if (dir) MLK_GO(mlk_potential_read(&read, dir, e));
    MLK_GO(mlk_predict(dir ? read : pot, ds, &p, e));
    r->n_param = (dir ? read : pot)->n_param;
    mlk_errors_add(ds, p, MLK_SPLIT_TRAIN, &r->train);
    mlk_errors_add(ds, p, MLK_SPLIT_VALID, &r->valid);
    judge(ds, r);
    if (!only_errors && dir) {
        MLK_GO(write_manifest(pot, ds, dir, seed, r, e));
        MLK_GO(mlk_write_loss_csv(dir, h, e));
        MLK_GO(mlk_write_parity(dir, ds, p, e));
        MLK_GO(mlk_write_gpumd_out(dir, ds, p, h, e));
    }
done:
    mlk_predict_free(p, ds->n);
    mlk_potential_destroy(read);
    return s;
}

mlk_status mlk_fit_model(const mlk_train_config *given, const mlk_train_model *asked,
                         const char *name, uint64_t seed, const mlk_dataset *ds, const char *dir,
                         mlk_fit_result *res, mlk_err *e)
{
    memset(res, 0, sizeof *res);
    snprintf(res->name, sizeof res->name, "%s", name);
    mlk_train_config own = *given; /* borrows all lists */
    const mlk_train_config *c = &own;
    mlk_train_model chosen;
    const mlk_train_model *m = &chosen;
    mlk_train_resolve(&own, asked->from[0] != 0);
    char *key = NULL, path[1024];
    mlk_potential *pot = NULL;
    mlk_history h = {0};
    FILE *log = NULL;
    int fd = -1;
    mlk_status s = resolve(asked, ds, &chosen, e);
    if (!s) s = record_text(c, m, name, seed, ds, &key, e);
    if (!s && dir) s = claim(dir, key, &res->was_complete, &fd, e);
    if (s) goto done;
    if (res->was_complete) {
        s = finish(NULL, ds, dir, seed, &h, true, res, e);
        goto done;
    }
    if (dir) {
        log = fopen(mlk_path_join(path, sizeof path, dir, "train.log"), "a");
        mlk_log_tee(log);
    }
    mlk_log(MLK_LOG_INFO, "== %s: %s", name, m->type->summary);
    MLK_GO(make_potential(c, m, seed, ds, &pot, e));
    mlk_log(MLK_LOG_INFO, "%zu parameters, cutoff %.3g A", pot->n_param, pot->rc);
    MLK_GO(fit_parameters(pot, c, m, seed, ds, dir, key, &h, e));
    res->wall = h.wall;
    if (dir) MLK_GO(mlk_fit_ranges(pot, ds, e));
    MLK_GO(finish(pot, ds, dir, seed, &h, false, res, e));
    if (dir) {
        say_e0(pot);
        MLK_GO(write_json(c, pot, ds, dir, seed, &h, res, e));
        unlink(mlk_path_join(path, sizeof path, dir, "checkpoint.h5"));
    }
done:
    mlk_log_tee(NULL);
    if (log) fclose(log);
    if (fd >= 0) close(fd);
    mlk_potential_destroy(pot);
    mlk_free(h.row);
    mlk_free(key);
    mlk_free(chosen.hyper);
    return s;
}
