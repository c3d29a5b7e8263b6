/* cmd_md.c - mlkit md: options to a run. No physics here (md/md.c). */
#include "cli/cmd.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/threads.h"
#include "md/md.h"
#include "md/store.h"
#include "parsers/parser.h"
#include "potentials/potential.h"

typedef struct cfg {
    mlk_common common;
    mlk_md_config md;
    char structure[MLK_OPT_STR_MAX], out[MLK_OPT_STR_MAX];
    int supercell[3], frame;
} cfg;

/* clang-format off */
static const mlk_opt opts[] = {
    {"structure", MLK_OPT_STR, offsetof(cfg, structure), "", 0, 0, "", "POSCAR, extended XYZ, vasprun.xml, ..."},
    {"frame", MLK_OPT_INT, offsetof(cfg, frame), "0", 0, 2147483647, "", "frame of a longer file, from 1; 0: the last"},
    {"supercell", MLK_OPT_SIZE3, offsetof(cfg, supercell), "1x1x1", 1, 1000, "", "repeat the cell"},
    {"temp", MLK_OPT_REAL, offsetof(cfg, md.temp), "650", 1e-3, 1e6, "K", "temperature"},
    {"npt", MLK_OPT_TIME, offsetof(cfg, md.npt), "0ps", 0, 1e15, "", "stage at constant pressure before it; the cell then stays at its mean"},
    {"pressure", MLK_OPT_REAL, offsetof(cfg, md.pressure), "0", -1e4, 1e4, "GPa", "of that stage"},
    {"barostat", MLK_OPT_CHOICE, offsetof(cfg, md.barostat), "iso", 0, 0, "iso|aniso", "of that stage: one stretch, or one for each of x, y, z"},
    {"tau-p", MLK_OPT_TIME, offsetof(cfg, md.tau_p), "1ps", 0.01, 1e9, "", "relaxation time of the barostat (compressibility 1/30 GPa)"},
    {"equil", MLK_OPT_TIME, offsetof(cfg, md.equil), "20ps", 0, 1e15, "", "NVT equilibration; 0ps: none"},
    {"run", MLK_OPT_TIME, offsetof(cfg, md.run), "200ps", 1e-3, 1e15, "", "production, in which fluxes are sampled"},
    {"ensemble", MLK_OPT_CHOICE, offsetof(cfg, md.ensemble), "nve", 0, 0, "nve|nvt", "of the production"},
    {"dt", MLK_OPT_TIME, offsetof(cfg, md.dt), "0fs", 0, 100, "", "time step; 0fs: 2fs, 1fs with hydrogen"},
    {"sample", MLK_OPT_TIME, offsetof(cfg, md.sample), "0fs", 0, 1e6, "", "between flux samples; 0fs: about 4fs"},
    {"dump", MLK_OPT_TIME, offsetof(cfg, md.dump), "50fs", 1e-3, 1e9, "", "between stored positions"},
    {"thermo", MLK_OPT_INT, offsetof(cfg, md.thermo), "20", 1, 1e9, "steps", "between stored energies"},
    {"tau", MLK_OPT_TIME, offsetof(cfg, md.tau), "100fs", 0.01, 1e9, "", "relaxation time of the thermostat"},
    {"skin", MLK_OPT_REAL, offsetof(cfg, md.skin), "0.7", 0, 10, "A", "skin of the neighbour list"},
    {"max-drift", MLK_OPT_REAL, offsetof(cfg, md.max_drift), "5", 0, 1e9, "meV/atom/ns", "flag a larger energy drift"},
    {"check", MLK_OPT_INT, offsetof(cfg, md.check), "500", 0, 1e9, "steps", "between checks of all descriptors for extrapolation; 0: none"},
    {"max-grade", MLK_OPT_REAL, offsetof(cfg, md.max_grade), "1", 0, 1e9, "", "flag atoms further outside of the training range, in widths of it"},
    {"checkpoint", MLK_OPT_WALL, offsetof(cfg, md.checkpoint), "60s", 0, 1e6, "", "wall time between checkpoints"},
    {"o", MLK_OPT_STR, offsetof(cfg, out), "run.h5", 0, 0, "", "H5MD file to write"},
    MLK_COMMON_OPTS(cfg),
    {0}};
/* clang-format on */

/* Callback: keep the frame whose turn it is, then stop the parser. */
typedef struct nth {
    int want, seen;
    mlk_frame *fr;
} nth;
static mlk_status keep_nth(mlk_frame *fr, void *user, mlk_err *e)
{
    nth *q = user;
    if (++q->seen != q->want) return MLK_OK;
    MLK_TRY(mlk_frame_copy(fr, q->fr, e));
    return MLK_EINTERRUPTED;
}

static mlk_status read_structure(const cfg *c, mlk_frame *fr, mlk_err *e)
{
    mlk_frame one = {0};
    mlk_status s;
    if (c->frame == 0) {
        s = mlk_parse_structure(c->structure, 0, &one, e);
    } else {
        nth q = {c->frame, 0, &one};
        mlk_err stop = {0};
        s = mlk_parse_file(c->structure, keep_nth, &q, NULL, &stop);
        if (one.n)
            s = MLK_OK;
        else if (!s)
            s = MLK_FAIL(e, MLK_EFORMAT, "has %d frames, frame %d was asked for", q.seen, c->frame);
        else if (e)
            *e = stop;
    }
    if (!s) s = mlk_frame_check(&one, e);
    if (!s && (double)one.n * c->supercell[0] * c->supercell[1] * c->supercell[2] > 1e7)
        s = MLK_FAIL(e, MLK_EUNSUPPORTED, "the supercell has more than 1e7 atoms"),
        mlk_err_hint(e, "use a smaller --supercell");
    if (!s) s = mlk_frame_repeat(&one, c->supercell, fr, e);
    if (s) mlk_err_at(e, c->structure, 0);
    mlk_frame_free(&one);
    return s;
}

static void remember_command(int argc, char **argv, char *buf, size_t cap)
{
    size_t len = (size_t)snprintf(buf, cap, "mlkit");
    for (int k = 0; k < argc && len < cap; k++)
        len += (size_t)snprintf(buf + len, cap - len, strpbrk(argv[k], " \t'\"") ? " '%s'" : " %s",
                                argv[k]);
}

static json_t *quality_json(const mlk_md_summary *q)
{
    json_t *j = json_object();
    json_t *judged = q->judged ? json_boolean(q->extrapolation_flag != 0) : json_null();
    json_object_set_new(j, "extrapolation_flag", judged);
    json_object_set_new(j, "outside", mlk_json_real(q->outside));
    json_object_set_new(j, "beyond", mlk_json_real(q->beyond));
    json_object_set_new(j, "max_grade", mlk_json_real(q->max_grade));
    json_object_set_new(j, "worst_grade", mlk_json_real(q->worst));
    if (q->worst > 0) {
        json_object_set_new(j, "worst_element", json_string(q->worst_element));
        json_object_set_new(j, "worst_atom", json_integer((json_int_t)q->worst_atom));
        json_object_set_new(j, "worst_time_fs", mlk_json_real(q->worst_time));
    }
    json_object_set_new(j, "shortest_ratio", mlk_json_real(q->shortest_ratio));
    json_object_set_new(j, "bonds_start", json_integer((json_int_t)q->bonds_start));
    json_object_set_new(j, "bonds_whole", json_integer((json_int_t)q->bonds_whole));
    json_object_set_new(j, "bonds_broke", json_integer((json_int_t)q->bonds_broke));
    return j;
}

/* What the run says about the reach of its model; the log has the details. */
static void print_quality(const mlk_md_summary *q)
{
    if (!q->judged)
        printf("training     descriptors not checked\n");
    else
        printf("training     %.3g %% of the atoms outside of the data, worst grade %.3g%s\n",
               100 * q->outside, q->worst, q->extrapolation_flag ? "  (extrapolation)" : "");
    if (isfinite(q->shortest_ratio))
        printf("distances    down to %.3f of the shortest in training%s\n", q->shortest_ratio,
               q->shortest_flag ? "  (nearer than the data)" : "");
    if (q->bonds_start)
        printf("bonds        %lld of %lld whole, broken %lld times\n", (long long)q->bonds_whole,
               (long long)q->bonds_start, (long long)q->bonds_broke);
}

static mlk_status print_summary(const cfg *c, const char *status, mlk_err *e)
{
    mlk_md_summary q;
    MLK_TRY(mlk_md_summary_read(c->out, &q, e));
    if (c->common.json) {
        json_t *j =
            json_pack("{s:s,s:s,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:b,s:o,s:o,s:I,s:o,s:o,s:s}",
                      "out", c->out, "status", status, "n_atoms", (json_int_t)q.n_atoms,
                      "n_samples", (json_int_t)q.n_samples, "seed", (json_int_t)q.seed, "dt_fs",
                      mlk_json_real(q.dt), "sample_fs", mlk_json_real(q.sample), "temperature_K",
                      mlk_json_real(q.temperature_mean), "temperature_err_K",
                      mlk_json_real(q.temperature_err), "drift_meV_atom_ns", mlk_json_real(q.drift),
                      "drift_flag", (int)q.drift_flag, "pressure_GPa",
                      mlk_json_real(q.pressure_mean), "volume_A3", mlk_json_real(q.volume),
                      "shortest_flag", (json_int_t)q.shortest_flag, "wall_s", mlk_json_real(q.wall),
                      "atom_steps_per_s", mlk_json_real(q.rate), "digest", q.digest);
        json_t *q2 = quality_json(&q);
        json_object_update(j, q2);
        json_decref(q2);
        mlk_status s = mlk_json_write(j, "-", e);
        json_decref(j);
        return s;
    }
    char t[32];
    printf("%s: %lld atoms, %lld flux samples every %g fs\n", c->out, (long long)q.n_atoms,
           (long long)q.n_samples, q.sample);
    printf("temperature  %.1f +- %.1f K (target %g K)\npressure     %.3f GPa\n", q.temperature_mean,
           q.temperature_err, q.temperature, q.pressure_mean);
    printf("drift        %.3g +- %.2g meV/atom/ns%s\n", q.drift, q.drift_err,
           q.drift_flag ? "  (too large)" : "");
    print_quality(&q);
    printf("wall time    %s, %.3g atom steps/s\n", mlk_duration(q.wall, t), q.rate);
    return MLK_OK;
}

static void start_log(const cfg *c, FILE **log)
{
    char path[MLK_OPT_STR_MAX + 8];
    size_t n = strlen(c->out);
    if (n > 3 && !strcmp(c->out + n - 3, ".h5")) n -= 3;
    snprintf(path, sizeof path, "%.*s.log", (int)n, c->out);
    *log = fopen(path, "a");
    mlk_log_tee(*log);
}

static mlk_status run(cfg *c, const char *model, mlk_err *e)
{
    mlk_potential *pot = NULL;
    mlk_frame fr = {0};
    mlk_md md = {0};
    mlk_md_store *out = NULL;
    FILE *log = NULL;
    bool complete = false;
    char text[256], npt[64] = "";
    mlk_status s;
    MLK_GO(mlk_potential_read(&pot, model, e));
    MLK_GO(read_structure(c, &fr, e));
    s = mlk_md_init(&md, &c->md, pot, &fr, e);
    if (s && (s == MLK_EFORMAT || strstr(e->msg, "atom"))) mlk_err_at(e, c->structure, 0);
    if (s) goto done;
    MLK_GO(mlk_md_store_open(&out, c->out, &md, &complete, e));
    if (complete) {
        mlk_log(MLK_LOG_INFO, "%s: already complete", c->out);
        s = print_summary(c, "already complete", e);
        goto done;
    }
    start_log(c, &log);
    if (md.n_npt)
        snprintf(npt, sizeof npt, "%g ps at %g GPa + ", (double)md.n_npt * md.cfg.dt * 1e-3,
                 md.cfg.pressure);
    mlk_log(MLK_LOG_INFO,
            "%s: %s (%zu atoms), %s model, %g K, dt %g fs, %s%g ps NVT + %g ps %s, fluxes every %g "
            "fs, %d threads",
            c->out, mlk_frame_formula(&fr, text, sizeof text), md.n, pot->type->name, md.cfg.temp,
            md.cfg.dt, npt, (double)(md.n_equil - md.n_npt) * md.cfg.dt * 1e-3,
            (double)md.n_run * md.cfg.dt * 1e-3, md.cfg.ensemble == MLK_MD_NVT ? "NVT" : "NVE",
            md.cfg.sample, mlk_threads());
    if (!pot->ranges)
        mlk_log(MLK_LOG_INFO,
                "%s: says nothing about the range of its training data, so that "
                "extrapolation cannot be judged",
                model);
    if (md.resumed) mlk_log(MLK_LOG_INFO, "continues at step %lld", (long long)md.step);
    MLK_GO(mlk_md_run(&md, out, e));
    s = print_summary(c, "complete", e);
done:
    mlk_log_tee(NULL);
    if (log) fclose(log);
    mlk_md_store_close(out);
    mlk_md_free(&md);
    mlk_frame_free(&fr);
    mlk_potential_destroy(pot);
    return s;
}

mlk_status mlk_cmd_md(int argc, char **argv, mlk_err *e)
{
    static const char usage[] = "mlkit md MODEL --structure FILE [options]";
    static const char about[] =
        "Molecular dynamics with energy and mass fluxes, written as one H5MD file. A stopped or\n"
        "killed run is continued by the same command, bit for bit; a finished one is left alone.";
    static const char example[] = "mlkit md models/nep-1 --structure POSCAR --supercell 2x2x2 "
                                  "--temp 650 --equil 20ps --run 200ps -o run.h5";
    cfg c;
    int n;
    char **words, command[sizeof c.md.command];
    bool done;
    remember_command(argc, argv, command, sizeof command);
    memset(&c, 0, sizeof c);
    MLK_TRY(mlk_cmd_begin(opts, &c, argc, argv, NULL, usage, about, example, &n, &words, &done, e));
    if (done) return MLK_OK;
    mlk_threads_wait_passively();
    if (n != 1 || !c.structure[0]) {
        MLK_FAIL(e, MLK_EINVAL, n == 1 ? "a structure is missing" : "expected one model, got %d",
                 n);
        mlk_err_hint(e, "%s", n == 1 ? "for example --structure POSCAR" : example);
        return MLK_EINVAL;
    }
    c.md.seed = (uint64_t)c.common.seed;
    snprintf(c.md.model, sizeof c.md.model, "%s", words[0]);
    snprintf(c.md.command, sizeof c.md.command, "%s", command);
    return run(&c, words[0], e);
}
