/* campaign_estimate.c - what a study will cost before it is run: time, from the speed of its models
 * in some steps, fitted or not, and disk. See campaign_run.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "cli/campaign_run.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/threads.h"
#include "md/md.h"
#include "parsers/parser.h"
#include "potentials/potential.h"

/* defaults of mlkit md, which the study leaves alone */
static const double sample_fs = 4, dump_fs = 50;
static const int thermo_steps = 20;

/* Bytes of what a job leaves that is no trajectory; measured on studies of Li3PS4. */
enum { MODEL_BYTES = 2000000, OTHER_BYTES = 300000, REPORT_BYTES = 12000000, RUN_BYTES = 500000 };

/* ---- disk ---- */

double mlk_md_samples(const mlk_campaign *c, int model)
{
    return c->model[model].run / (c->set.dt * fmax(1, floor(sample_fs / c->set.dt + 1e-9)));
}

static double md_bytes(const mlk_campaign *c, const mlk_job *j)
{
    const mlk_campaign_model *m = &c->model[j->model];
    double dt = c->set.dt, equil = c->set.equil + c->set.npt;
    double dump = dt * fmax(1, rint(dump_fs / dt));
    double flux = (9 + 3 * (double)c->n_elements) * 8, thermo = 5 * 8;
    return mlk_md_samples(c, j->model) * flux + (m->run + equil) / (dt * thermo_steps) * thermo +
           m->run / dump * c->atoms * 12 + RUN_BYTES;
}

double mlk_job_bytes(const mlk_campaign *c, const mlk_job *j)
{
    if (j->kind == MLK_JOB_MD) return md_bytes(c, j);
    if (j->kind == MLK_JOB_TRAIN) return MODEL_BYTES;
    return j->kind == MLK_JOB_REPORT ? REPORT_BYTES : OTHER_BYTES;
}

/* What a run that was interrupted has on the disk already. */
static double parts_bytes(const mlk_job *j)
{
    char dir[1100], path[2048], **name;
    size_t n;
    double sum = 0;
    snprintf(dir, sizeof dir, "%s.parts", j->out);
    if (!mlk_file_is_dir(dir) || mlk_dir_names(dir, &name, &n, NULL)) return 0;
    for (size_t k = 0; k < n; k++) {
        struct stat st;
        if (!stat(mlk_path_join(path, sizeof path, dir, name[k]), &st)) sum += (double)st.st_size;
    }
    mlk_strings_free(name, n);
    return sum;
}

mlk_disk mlk_campaign_disk(const mlk_campaign *c, int side_by_side)
{
    mlk_disk d = {.free = NAN};
    double largest = 0;
    int n_md = 0;
    char path[1024];
    for (size_t k = 0; k < c->n_job; k++) {
        const mlk_job *j = &c->job[k];
        if (!j->must) continue;
        double bytes = mlk_job_bytes(c, j);
        if (j->kind == MLK_JOB_MD) largest = fmax(largest, bytes), n_md++;
        d.kept += bytes;
        d.need += j->kind == MLK_JOB_MD ? fmax(0, bytes - parts_bytes(j)) : bytes;
    }
    /* at its end a run is merged from its parts: for a moment it is there twice */
    d.need += largest * (n_md < side_by_side ? n_md : side_by_side);
    /* the folder may not be there yet: the nearest one above it */
    snprintf(path, sizeof path, "%s", c->run);
    while (!mlk_file_exists(path) && strrchr(path, '/') > path) *strrchr(path, '/') = 0;
    struct statvfs fs;
    if (!statvfs(mlk_file_exists(path) ? path : ".", &fs))
        d.free = (double)fs.f_bavail * (double)fs.f_frsize;
    return d;
}

char *mlk_bytes(double v, char buf[32])
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    int k = 0;
    for (; v >= 999.5 && k < 5; k++) v /= 1e3;
    snprintf(buf, 32, v < 9.95 && k ? "%.1f %s" : "%.0f %s", v, unit[k]);
    return buf;
}

mlk_status mlk_campaign_disk_check(const mlk_campaign *c, int side_by_side, mlk_err *e)
{
    mlk_disk d = mlk_campaign_disk(c, side_by_side);
    char need[32], have[32];
    if (!(d.free < 1.2 * d.need)) return MLK_OK;
    mlk_bytes(d.need, need), mlk_bytes(d.free, have);
    if (d.free >= d.need) {
        mlk_log(MLK_LOG_WARN, "%s: the study needs about %s more, and %s are free", c->run, need,
                have);
        return MLK_OK;
    }
    MLK_FAIL(e, MLK_EIO, "not enough room: the study needs about %s more, and %s are free", need,
             have);
    mlk_err_at(e, c->run, 0);
    return mlk_err_hint(e, "make room, give a folder on another disk with -o, or shorten the study "
                           "(--run, --replicas)");
}

/* ---- time ---- */

/* CPU time of this thread [s]: idle threads of OpenBLAS spin beside it for the first tenths of a
 * second. */
static double thread_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Speed of one thread in so many steps of a model, at most about 0.2 s of CPU time after the first
 * ones, which are slow; NAN: not possible. */
static double measure(const mlk_campaign *c, const mlk_potential *pot, const mlk_frame *fr,
                      int steps)
{
    mlk_md md = {0};
    mlk_err quiet = {0};
    double rate = NAN;
    mlk_md_config cfg = {.temp = c->temp[0],
                         .dt = c->set.dt,
                         .run = 1000 * c->set.dt,
                         .dump = dump_fs,
                         .tau = 100,
                         .tau_p = 1000,
                         .skin = 0.7,
                         .thermo = thermo_steps,
                         .checkpoint = 60,
                         .seed = 1};
    mlk_log_level was = mlk_log_get_level();
    mlk_log_set_level(MLK_LOG_ERROR);
    if (!mlk_md_init(&md, &cfg, pot, fr, &quiet) && !mlk_md_forces(&md, &quiet)) {
        double begin = thread_time(), t0 = begin, t = begin;
        int n = 0, skip = 0; /* half of the time at most goes into the first steps */
        for (mlk_status s = MLK_OK; !s && n < steps && (n < 2 || t - t0 < 0.2); n++) {
            s = mlk_md_step(&md, &quiet);
            t = thread_time();
            if (n < 20 && t - begin < 0.1) t0 = t, skip = n + 1;
            if (!s && t > t0) rate = (double)md.n * (n + 1 - skip) / (t - t0);
        }
    }
    mlk_log_set_level(was);
    mlk_md_free(&md);
    return rate;
}

/* The model as it will be fitted, with all parameters zero: what a step costs is decided by the
 * settings, the species and the neighbours, and atoms without forces stay as far apart as they are
 * for the fraction of a picosecond that is timed. NULL: not possible. */
static mlk_potential *unfitted(const mlk_campaign_model *m, const mlk_frame *fr)
{
    mlk_potential *pot;
    mlk_err quiet = {0};
    int z[MLK_ELEMENT_MAX];
    size_t n = mlk_frame_species(fr, z);
    if (mlk_family_new(m->type, m->hyper, &pot, &quiet)) return NULL;
    const mlk_potential_type *type = pot->type;
    mlk_status s = type->suggest ? type->suggest(pot->hyper, 1, &fr, &quiet) : MLK_OK;
    if (!s) s = mlk_potential_create(pot, n, z, 1, &quiet);
    if (!s) memset(pot->param, 0, pot->n_param * sizeof *pot->param);
    if (!s && type->update) s = type->update(pot, &quiet);
    if (s) mlk_potential_destroy(pot), pot = NULL;
    return pot;
}

/* Where the model is: ready, or fitted already; false: it is not fitted yet. */
static bool model_there(const mlk_campaign *c, const mlk_campaign_model *q, char *path, size_t cap)
{
    snprintf(path, cap, *q->from ? "%s" : "%s/models/%s", *q->from ? q->from : c->run, q->name);
    if (*q->from) return true;
    char yaml[1200];
    return mlk_file_exists(mlk_path_join(yaml, sizeof yaml, path, "model.yaml"));
}

/* What the runs start from or, before that is chosen, the first frame of the data, repeated: a step
 * of a small cell costs more for each of its atoms. */
static bool some_frame(const mlk_campaign *c, mlk_frame *fr)
{
    mlk_err quiet = {0};
    if (!mlk_campaign_start_frame(c, fr, &quiet)) return true;
    mlk_frame_free(fr);
    mlk_frame one = {0};
    bool good =
        c->n_input && !mlk_parse_structure(c->input[0], 1, &one, &quiet) && one.has & MLK_HAS_CELL;
    int k = good ? (int)rint(cbrt(c->atoms / (double)one.n)) : 1, rep[] = {k, k, k};
    if (k < 1) rep[0] = rep[1] = rep[2] = 1;
    good = good && !mlk_frame_repeat(&one, rep, fr, &quiet);
    mlk_frame_free(&one);
    return good;
}

static void find_speed(const mlk_campaign *c, mlk_campaign_model *q, const mlk_frame *fr)
{
    char path[1200];
    mlk_potential *pot = NULL;
    mlk_err quiet = {0};
    bool there = model_there(c, q, path, sizeof path);
    if (there && mlk_potential_read(&pot, path, &quiet)) pot = NULL;
    if (!there) pot = unfitted(q, fr);
    if (pot) q->speed = measure(c, pot, fr, there ? 5000 : 300);
    mlk_potential_destroy(pot);
    q->timed = isfinite(q->speed);
    snprintf(q->speed_from, sizeof q->speed_from, "measured%s, %zu atoms",
             there ? "" : " before it is fitted", fr->n);
}

void mlk_campaign_speeds(mlk_campaign *c)
{
    mlk_frame fr = {0};
    int threads = mlk_threads(), n_timed = 0;
    bool frame = some_frame(c, &fr);
    mlk_threads_init(1);
    for (int m = 0; m < c->n_model; m++) {
        mlk_campaign_model *q = &c->model[m];
        q->speed = NAN;
        for (int k = 0; k < m && !q->timed; k++)
            if (c->model[k].timed && mlk_campaign_same_fit(&c->model[k], q)) {
                q->speed = c->model[k].speed, q->timed = true;
                snprintf(q->speed_from, sizeof q->speed_from, "as %.60s", c->model[k].name);
            }
        if (!q->timed && frame && n_timed++ < 8) find_speed(c, q, &fr);
        if (q->timed) continue;
        q->speed = mlk_family_of(q->type)->speed;
        snprintf(q->speed_from, sizeof q->speed_from, "usual speed of the family, not measured");
    }
    mlk_threads_init(threads);
    mlk_frame_free(&fr);
    for (size_t k = 0; k < c->n_job; k++) {
        mlk_job *j = &c->job[k];
        if (j->kind == MLK_JOB_MD)
            j->estimate = mlk_md_steps(c, j->model) * c->atoms / c->model[j->model].speed;
    }
}
