/* store.c - records of a run while it goes on. A killed process may leave an HDF5 file it was
 * writing unreadable; so a growing run is a folder of small finished files, and the file that
 * people read (h5md.c) appears whole at the end. */
#include "md/h5md.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/h5.h"
#include "core/log.h"
#include "core/units.h"
#include "md/fluxes.h"

const mlk_md_thermo_row mlk_md_thermo[MLK_MD_THERMO_N] = {{"temperature", "K"},
                                                          {"potential_energy", "eV"},
                                                          {"kinetic_energy", "eV"},
                                                          {"total_energy", "eV"},
                                                          {"pressure", "GPa"}};

static void add(mlk_md_store *st, const char *path, const char *unit, int clock, mlk_h5_type type,
                int nd, size_t d0, size_t d1)
{
    mlk_md_series *q = &st->s[st->n_series++];
    snprintf(q->path, sizeof q->path, "%s", path);
    q->unit = unit;
    q->clock = clock;
    q->type = type;
    q->nd = nd;
    q->dim[0] = d0, q->dim[1] = d1;
    q->row = (type == MLK_H5_FLOAT ? 4 : 8) * (nd > 0 ? d0 : 1) * (nd > 1 ? d1 : 1);
}

static mlk_status make_series(mlk_md_store *st, const mlk_md *md, mlk_err *e)
{
    char path[96];
    st->first_eq = MLK_MD_THERMO_N;
    st->first_flux = 2 * MLK_MD_THERMO_N;
    for (int eq = 0; eq < 2; eq++)
        for (int k = 0; k < MLK_MD_THERMO_N; k++) {
            snprintf(path, sizeof path, "%s/%s", eq ? MLK_MD_EQUIL : "/observables",
                     mlk_md_thermo[k].name);
            add(st, path, mlk_md_thermo[k].unit, eq ? MLK_MD_EQ : MLK_MD_THERMO, MLK_H5_DOUBLE, 0,
                0, 0);
        }
    const char *const parts[3] = {"kinetic", "convective", "virial"};
    for (int k = 0; k < 3; k++) {
        snprintf(path, sizeof path, "/observables/energy_flux/%s", parts[k]);
        add(st, path, "eV Angstrom ps-1", MLK_MD_FLUX, MLK_H5_DOUBLE, 1, 3, 0);
    }
    st->first_mass = st->n_series;
    for (size_t k = 0; k < md->n_el; k++) {
        snprintf(path, sizeof path, "/observables/mass_flux/%s",
                 mlk_element_symbol(md->element[k]));
        add(st, path, "Da Angstrom ps-1", MLK_MD_FLUX, MLK_H5_DOUBLE, 1, 3, 0);
    }
    st->position = st->n_series;
    add(st, "/particles/all/position", "Angstrom", MLK_MD_DUMP, MLK_H5_FLOAT, 2, md->n, 3);
    /* room for a checkpoint's worth of rows; a full buffer brings the checkpoint forward */
    size_t frame = st->s[st->position].row;
    st->cap[MLK_MD_FLUX] = 16384;
    st->cap[MLK_MD_THERMO] = st->cap[MLK_MD_EQ] = 4096;
    st->cap[MLK_MD_DUMP] = frame > ((size_t)16 << 20) ? 2 : ((size_t)32 << 20) / frame;
    if (st->cap[MLK_MD_DUMP] > 4096) st->cap[MLK_MD_DUMP] = 4096;
    for (int k = 0; k < st->n_series; k++) {
        st->s[k].buf = mlk_alloc(st->cap[st->s[k].clock], st->s[k].row);
        if (!st->s[k].buf) return MLK_FAIL(e, MLK_ENOMEM, "buffers of %s", st->s[k].path);
    }
    return MLK_OK;
}

/* ---- opening ------------------------------------------------------------------------------- */

void mlk_md_part_path(const mlk_md_store *st, int64_t k, char *buf, size_t cap)
{
    snprintf(buf, cap, "%s/part-%06lld.h5", st->parts, (long long)k);
}

static mlk_status settings_of(const char *path, char *text, size_t cap, mlk_err *e)
{
    mlk_h5 *h = NULL;
    mlk_status s = mlk_h5_open(&h, path, "r", e);
    if (!s) s = mlk_h5_attr_str(h, MLK_MD_PARAM, "settings", text, cap, e);
    mlk_h5_close(&h, NULL);
    if (s) mlk_err_hint(e, "it is no run of mlkit md: give another -o");
    return s;
}

/* Remove part files beyond the first `keep` (all, with the lock and the folder, when keep < 0). */
static void remove_parts(const mlk_md_store *st, int64_t keep)
{
    DIR *d = opendir(st->parts);
    if (!d) return;
    char path[2200];
    for (struct dirent *q; (q = readdir(d));) {
        long long k = 0;
        bool part = sscanf(q->d_name, "part-%lld.h5", &k) == 1;
        if ((part && k > keep) || (keep < 0 && !strcmp(q->d_name, "lock"))) {
            snprintf(path, sizeof path, "%s/%s", st->parts, q->d_name);
            unlink(path);
        }
    }
    closedir(d);
    if (keep < 0) rmdir(st->parts);
}

static mlk_status take_lock(mlk_md_store *st, mlk_err *e)
{
    char path[1200];
    MLK_TRY(mlk_mkdir_p(st->parts, e));
    snprintf(path, sizeof path, "%s/lock", st->parts);
    st->lock = open(path, O_CREAT | O_RDWR, 0666);
    if (st->lock < 0) {
        MLK_FAIL(e, MLK_EIO, "cannot write: %s", strerror(errno));
        return mlk_err_at(e, path, 0);
    }
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(st->lock, F_SETLK, &whole) == 0 || (errno != EAGAIN && errno != EACCES))
        return MLK_OK;
    close(st->lock);
    st->lock = -1;
    MLK_FAIL(e, MLK_EIO, "another process is writing this run");
    mlk_err_hint(e, "wait for it, or give another -o");
    return mlk_err_at(e, st->path, 0);
}

mlk_status mlk_md_store_open(mlk_md_store **out, const char *path, mlk_md *md, bool *complete,
                             mlk_err *e)
{
    *out = NULL;
    *complete = false;
    if (strlen(path) > 1000) return MLK_FAIL(e, MLK_EINVAL, "the output path is too long");
    if (mlk_file_exists(path)) {
        char found[sizeof md->settings];
        MLK_TRY(settings_of(path, found, sizeof found, e));
        MLK_TRY(mlk_md_settings_same(path, found, md->settings, e));
    }
    mlk_md_store *st = mlk_alloc(1, sizeof *st);
    if (!st) return MLK_FAIL(e, MLK_ENOMEM, "run file");
    st->lock = -1;
    snprintf(st->path, sizeof st->path, "%s", path);
    snprintf(st->parts, sizeof st->parts, "%s.parts", path);
    snprintf(st->ckpt, sizeof st->ckpt, "%s.ckpt.h5", path);
    if (mlk_file_exists(path)) { /* finished; a crash may have left the parts */
        *complete = true;
        unlink(st->ckpt);
        remove_parts(st, -1);
        mlk_md_store_close(st);
        return MLK_OK;
    }
    st->period = md->cfg.checkpoint;
    st->last = st->begin = mlk_wtime();
    mlk_status s = take_lock(st, e);
    if (!s && mlk_file_exists(st->ckpt)) s = mlk_md_state_read(md, st->ckpt, &st->n_part, e);
    for (int64_t k = 1; !s && k <= st->n_part; k++) {
        char part[1200];
        mlk_md_part_path(st, k, part, sizeof part);
        if (!mlk_file_exists(part)) {
            MLK_FAIL(e, MLK_EIO, "is missing, the run cannot be continued");
            mlk_err_hint(e, "remove %s to start again", st->ckpt);
            s = mlk_err_at(e, part, 0);
        }
    }
    if (!s) remove_parts(st, st->n_part); /* written, but not covered by the checkpoint */
    if (!s) s = make_series(st, md, e);
    if (s) {
        mlk_md_store_close(st);
        return s;
    }
    *out = st;
    return MLK_OK;
}

void mlk_md_store_close(mlk_md_store *st)
{
    if (!st) return;
    for (int k = 0; k < st->n_series; k++) mlk_free(st->s[k].buf);
    if (st->lock >= 0 && st->n_part == 0 && !mlk_file_exists(st->ckpt)) remove_parts(st, -1);
    if (st->lock >= 0) close(st->lock);
    mlk_free(st);
}

/* ---- recording ----------------------------------------------------------------------------- */

static void put(mlk_md_store *st, int k, const double *v)
{
    mlk_md_series *q = &st->s[k];
    memcpy(q->buf + st->rows[q->clock] * q->row, v, q->row);
}

static void put_scaled(mlk_md_store *st, int k, const double v[3], double factor)
{
    double w[3] = {v[0] * factor, v[1] * factor, v[2] * factor};
    put(st, k, w);
}

static void record_thermo(mlk_md_store *st, const mlk_md *md)
{
    bool eq = md->step < md->n_equil;
    double row[MLK_MD_THERMO_N] = {mlk_md_temperature(md), md->ev.U, md->kinetic,
                                   md->ev.U + md->kinetic, mlk_md_pressure(md) * MLK_EVA3_GPA};
    for (int k = 0; k < MLK_MD_THERMO_N; k++) put(st, (eq ? st->first_eq : 0) + k, &row[k]);
    st->rows[eq ? MLK_MD_EQ : MLK_MD_THERMO]++;
}

static void record_positions(mlk_md_store *st, const mlk_md *md)
{
    const mlk_md_series *q = &st->s[st->position];
    float *x = (float *)(void *)(q->buf + st->rows[MLK_MD_DUMP] * q->row);
    for (size_t i = 0; i < md->n; i++) {
        double img[3] = {md->img[i][0], md->img[i][1], md->img[i][2]}, shift[3];
        mlk_cell_cart(&md->cell, img, shift);
        for (int c = 0; c < 3; c++) x[3 * i + (size_t)c] = (float)(md->x[i][c] + shift[c]);
    }
    st->rows[MLK_MD_DUMP]++;
}

static void record_fluxes(mlk_md_store *st, const mlk_md *md)
{
    mlk_md_flux j;
    const double per_ps = 1 / MLK_TAU_PS;
    mlk_md_fluxes(md->n, md->el, md->n_el, md->mass, (const double(*)[3])md->v, &md->ev, &j);
    put_scaled(st, st->first_flux, j.kinetic, per_ps);
    put_scaled(st, st->first_flux + 1, j.convective, per_ps);
    put_scaled(st, st->first_flux + 2, j.virial, per_ps);
    for (size_t k = 0; k < md->n_el; k++)
        put_scaled(st, st->first_mass + (int)k, j.mass[k], per_ps);
    st->rows[MLK_MD_FLUX]++;
}

/* "step 12000 of 110000  24 ps  E -4.1023  U -4.1868 eV/atom  T 651 K  drift ..." */
static void progress(mlk_md_store *st, const mlk_md *md)
{
    double now = mlk_wtime(), done = md->sums.wall + now - st->begin, n = (double)md->n;
    double per_step = done / (double)(md->step > 0 ? md->step : 1);
    double left = per_step * (double)(md->n_equil + md->n_run - md->step);
    char drift[48] = "", time_left[32];
    if (md->step < md->n_npt) snprintf(drift, sizeof drift, "  %.3f A^3/atom", md->cell.volume / n);
    if (md->sums.n >= 10)
        snprintf(drift, sizeof drift, "  drift %.3g meV/atom/ns", mlk_md_drift(md, NULL));
    mlk_progress(
        10, false,
        "%s %lld/%lld  %.4g ps  E %.5f  U %.5f eV/atom  T %.0f K%s  %.2f us/atom/step, %s left",
        md->step < md->n_npt     ? "constant pressure"
        : md->step < md->n_equil ? "equilibration"
                                 : "production",
        (long long)md->step, (long long)(md->n_equil + md->n_run),
        (double)md->step * md->cfg.dt * 1e-3, (md->ev.U + md->kinetic) / n, md->ev.U / n,
        mlk_md_temperature(md), drift, 1e6 * per_step / n, mlk_duration(left, time_left));
}

mlk_status mlk_md_store_record(mlk_md_store *st, const mlk_md *md, mlk_err *e)
{
    for (int c = 0; c < MLK_MD_CLOCKS; c++)
        if (st->rows[c] >= st->cap[c]) return MLK_FAIL(e, MLK_EBUG, "record buffer %d is full", c);
    if (mlk_md_at_thermo(md)) {
        record_thermo(st, md);
        progress(st, md);
    }
    if (mlk_md_at_flux(md)) record_fluxes(st, md);
    if (mlk_md_at_dump(md)) record_positions(st, md);
    return MLK_OK;
}

bool mlk_md_store_due(const mlk_md_store *st)
{
    for (int c = 0; c < MLK_MD_CLOCKS; c++)
        if (st->rows[c] >= st->cap[c]) return true;
    return mlk_wtime() - st->last >= st->period;
}

/* ---- checkpoints ---------------------------------------------------------------------------- */

/* The waiting rows as part file n_part + 1. */
static mlk_status write_part(mlk_md_store *st, mlk_err *e)
{
    size_t waiting = 0;
    for (int c = 0; c < MLK_MD_CLOCKS; c++) waiting += st->rows[c];
    if (!waiting) return MLK_OK;
    char path[1200], tmp[1220], value[128];
    mlk_md_part_path(st, st->n_part + 1, path, sizeof path);
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    unlink(tmp);
    mlk_h5 *h = NULL;
    mlk_status s = mlk_h5_open(&h, tmp, "w", e);
    for (int k = 0; !s && k < st->n_series; k++) {
        const mlk_md_series *q = &st->s[k];
        snprintf(value, sizeof value, "%s/value", q->path);
        const size_t dim[3] = {st->rows[q->clock], q->dim[0], q->dim[1]};
        if (dim[0]) s = mlk_h5_write(h, value, q->type, q->nd + 1, dim, q->buf, e);
    }
    mlk_status c = mlk_h5_close(&h, s ? NULL : e);
    if (!s) s = c;
    if (!s) s = mlk_md_commit(tmp, path, e);
    if (s) {
        unlink(tmp);
        mlk_err_hint(e,
                     "check the free space; the same command continues from the last checkpoint");
        return s;
    }
    st->n_part++;
    memset(st->rows, 0, sizeof st->rows);
    return MLK_OK;
}

static void note_wall(mlk_md_store *st, mlk_md *md)
{
    double now = mlk_wtime();
    md->sums.wall += now - st->begin;
    st->begin = st->last = now;
}

mlk_status mlk_md_store_checkpoint(mlk_md_store *st, mlk_md *md, mlk_err *e)
{
    MLK_TRY(write_part(st, e));
    note_wall(st, md);
    MLK_TRY(mlk_md_state_write(md, st->ckpt, st->n_part, e));
    mlk_log(MLK_LOG_DEBUG, "checkpoint at step %lld", (long long)md->step);
    return MLK_OK;
}

/* ---- the end ------------------------------------------------------------------------------- */

mlk_status mlk_md_store_finish(mlk_md_store *st, mlk_md *md, mlk_err *e)
{
    MLK_TRY(mlk_md_store_checkpoint(st, md, e));
    MLK_TRY(mlk_md_h5md_write(st, md, st->path, true, e));
    unlink(st->ckpt);
    remove_parts(st, -1);
    return MLK_OK;
}

void mlk_md_store_fail(mlk_md_store *st, mlk_md *md)
{
    char path[1100];
    snprintf(path, sizeof path, "%s.failed.h5", st->path);
    mlk_err second = {0};
    note_wall(st, md);
    unlink(path);
    if (write_part(st, &second) || mlk_md_h5md_write(st, md, path, false, &second)) {
        mlk_log(MLK_LOG_WARN, "the records before the failure could not be written: %s",
                second.msg);
        return;
    }
    mlk_log(MLK_LOG_WARN, "the records before the failure are in %s", path);
    if (!mlk_file_exists(st->ckpt)) remove_parts(st, 0), st->n_part = 0;
}
