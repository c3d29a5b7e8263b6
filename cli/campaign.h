/* campaign.h - the study behind `mlkit benchmark`: plan jobs, run each as an mlkit subcommand in a
 * child process, keep a journal, resume.
 *
 * campaign.c         settings, plan
 * campaign_models.c  the models: families to fit, ready ones
 * campaign_command.c the command of a job
 * campaign_record.c  inputs, campaign.yaml, the numbers at the end
 * campaign_start.c   the start structure and its supercell
 * campaign_run.c     running it, with the files that campaign_run.h names */
#ifndef MLK_CLI_CAMPAIGN_H
#define MLK_CLI_CAMPAIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/err.h"
#include "core/frame.h"
#include "core/json.h"
#include "core/opt.h"
#include "potentials/potential.h"

#define MLK_CAMPAIGN_TEMPS 64
#define MLK_CAMPAIGN_MODELS 64

/* What decides the results; each row is recorded in campaign.yaml and compared on resume. */
typedef struct mlk_settings {
    char temps[MLK_OPT_STR_MAX], models[MLK_OPT_STR_MAX], data[MLK_OPT_STR_MAX];
    char structure[MLK_OPT_STR_MAX], supercell[MLK_OPT_STR_MAX];
    int seeds, replicas, seed;
    double npt, equil, run, dt; /* [fs]; run 0: by the table of model families */
    double pressure;            /* [GPa] */
    int barostat;               /* as mlk_md_config.barostat */
    double train_budget;        /* [s] */
    int train_epochs;           /* passes of a fit in place of that time; 0: the time */
    bool quick;
} mlk_settings;

/* clang-format off */
#define MLK_SETTINGS_OPTS(T, m)                                                                    \
    {"temps", MLK_OPT_STR, offsetof(T, m temps), "", 0, 0, "K",                                    \
     "temperatures: 650, 400,650,900, 400:1200 (5 values) or 400:1200:100 (step)"},                \
    {"models", MLK_OPT_STR, offsetof(T, m models), "nep,snap", 0, 0, "",                             \
     "families to fit, with settings as in snap:twojmax=6+rcut=5, and ready models (files, folders), comma separated"}, \
    {"seeds", MLK_OPT_INT, offsetof(T, m seeds), "2", 1, 16, "",                                   \
     "models per family, distinct seeds (least-squares families: one)"},                           \
    {"data", MLK_OPT_STR, offsetof(T, m data), "", 0, 0, "",                                       \
     "DFT data: files or folders, comma separated; default: the bundled Li3PS4 set, or none when all models are ready"},              \
    {"structure", MLK_OPT_STR, offsetof(T, m structure), "", 0, 0, "",                             \
     "start structure; default: the frame of the data nearest zero pressure"},                     \
    {"supercell", MLK_OPT_STR, offsetof(T, m supercell), "auto", 0, 0, "", "auto or NxNxN"},       \
    {"replicas", MLK_OPT_INT, offsetof(T, m replicas), "2", 1, 64, "",                             \
     "independent runs per model and temperature"},                                                \
    {"npt", MLK_OPT_TIME, offsetof(T, m npt), "50ps", 0, 1e12, "",                                \
     "first stage of a run, at constant pressure; 0: the volume of the start structure"},          \
    {"pressure", MLK_OPT_REAL, offsetof(T, m pressure), "0", -1e4, 1e4, "GPa", "of that stage"},   \
    {"barostat", MLK_OPT_CHOICE, offsetof(T, m barostat), "aniso", 0, 0, "iso|aniso",              \
     "of that stage: one stretch of the cell (cubic crystals, liquids), or one for each of x, y, z"}, \
    {"equil", MLK_OPT_TIME, offsetof(T, m equil), "50ps", 0, 1e12, "", "NVT equilibration of a run"}, \
    {"run", MLK_OPT_TIME, offsetof(T, m run), "1ns", 0, 1e12, "", "NVE production of a run"},      \
    {"dt", MLK_OPT_TIME, offsetof(T, m dt), "2fs", 0.01, 10, "", "time step"},                     \
    {"train-budget", MLK_OPT_WALL, offsetof(T, m train_budget), "10min", 1, 1e7, "",               \
     "training time per model"},                                                                   \
    {"train-epochs", MLK_OPT_INT, offsetof(T, m train_epochs), "0", 0, 10000000, "",               \
     "passes over the data per model in place of a time: the same fit on a slow and a fast machine; 0: --train-budget"}, \
    {"quick", MLK_OPT_FLAG, offsetof(T, m quick), "false", 0, 0, "",                               \
     "short settings for a demonstration of about a quarter of an hour on 2 cores"}
/* clang-format on */

/* How this invocation runs it; not part of what decides the results. */
typedef struct mlk_campaign_how {
    int jobs;            /* side by side; 0: number of cores                                     */
    bool dry_run;        /* print the plan, do nothing                                            */
    const char *program; /* the mlkit binary that runs the jobs; NULL: this one                   */
    const char *run;     /* the run folder                                                        */
    const char *job;     /* id of the only job to run; "": all                                    */
    const char *slurm;   /* write scripts with these sbatch options instead; NULL: do not         */
    int threads;         /* of each job in those scripts                                          */
    json_t **summary; /* out, new reference, may be NULL: jobs total, done, failed, ...         */
} mlk_campaign_how;

typedef enum {
    MLK_JOB_DATASET,
    MLK_JOB_STRUCTURE,
    MLK_JOB_MODEL, /* a ready model is copied */
    MLK_JOB_TRAIN,
    MLK_JOB_MD,
    MLK_JOB_TRANSPORT,
    MLK_JOB_VALIDATE,  /* errors of a ready model on the data of the study */
    MLK_JOB_COMMITTEE, /* of the models of one family: model is the first of them */
    MLK_JOB_REPORT
} mlk_job_kind;
typedef enum {
    MLK_JOB_WAITING,
    MLK_JOB_RUNNING,
    MLK_JOB_DONE,
    MLK_JOB_SKIPPED,
    MLK_JOB_FAILED,
    MLK_JOB_BLOCKED,
    MLK_JOB_STOPPED
} mlk_job_state;

typedef struct mlk_job {
    mlk_job_kind kind;
    mlk_job_state state;
    char id[96];    /* "md/nep-1/0650K/r1"                                          */
    char out[1024]; /* the file whose presence means done                           */
    char log[1088];
    int model, temp, rep; /* -1 where it does not apply                                   */
    size_t *dep;          /* (n_dep) earlier jobs, owned                                  */
    size_t n_dep, cap_dep;
    double estimate;        /* thread-seconds, first guess                                  */
    double chain;           /* estimate + the longest chain of jobs that wait for it        */
    bool busy, told;        /* an earlier process is still at it; that was said             */
    bool was_done, must;    /* by the journal and its file; to be run now                   */
    long start_at, done_at; /* lines of the journal, from 1, of its last start and end; 0: none */
    double began;           /* of the last start in the journal, seconds since 1970            */
    pid_t pid;
    int threads;
    double t0, wall;
    long log_from;          /* where the log of this session begins                              */
    double percent, seen;   /* progress, and when it last changed                                */
    double percent0, seen0; /* the first that was seen in this session, and when               */
    bool continued;         /* it was begun in an earlier session: its wall time is not all     */
    char error[300];
} mlk_job;

typedef struct mlk_campaign_model {
    char name[64], type[32];
    char hyper[160];             /* settings of the fit: "twojmax=6+rcut=5"                       */
    char from[1024];             /* a ready model: the file or folder; "" one that is fitted here */
    char file[1024];             /* of a ready model: its community file, as it was found         */
    int z[MLK_SPECIES_MAX], n_z; /* of a ready model: the elements it knows              */
    int seed;
    double run;          /* production time [fs]                                     */
    double speed;        /* atom*step/s of one thread, by mlk_campaign_speeds        */
    char speed_from[96]; /* where that comes from                                    */
    bool timed;          /* it was measured                                          */
} mlk_campaign_model;

typedef struct mlk_campaign {
    mlk_settings set;
    char run[1024]; /* run folder                                                       */
    char program[1024];
    char data_shown[MLK_OPT_STR_MAX]; /* resolved paths, comma separated                   */
    double temp[MLK_CAMPAIGN_TEMPS];
    int n_temp;
    mlk_campaign_model model[MLK_CAMPAIGN_MODELS];
    int n_model;
    char **input, (*hash)[65]; /* (n_input) files that were read, SHA-256                    */
    size_t n_input, cap_input, cap_hash;
    int supercell[3]; /* 0 until the structure is known                                   */
    size_t n_atoms;
    double atoms;      /* of a run, for estimates: n_atoms, or what can be known now    */
    size_t n_elements; /* the same                                                       */
    char structure_from[512];
    char created[32];
    mlk_job *job;
    size_t n_job, cap_job;
} mlk_campaign;

/* The settings that `--quick` changes where the user did not give them: {key, value}..., NULL. */
extern const char *const mlk_settings_quick[][2];
/* Rows of every setting for a plain mlk_settings (with "seed"), {0}-ended: campaign.yaml. */
extern const mlk_opt mlk_settings_table[];

/* --temps grammar. t holds MLK_CAMPAIGN_TEMPS. Errors: MLK_EINVAL with an example. */
mlk_status mlk_temps_parse(const char *text, double *t, int *n, mlk_err *e);
/* Settings of a campaign.yaml into *set (the caller has filled in defaults). */
mlk_status mlk_settings_read(const char *yaml, mlk_settings *set, mlk_err *e);
/* The whole of it: check against an existing folder, plan, run, report. Errors: MLK_EINVAL (usage,
 * another study lives in the folder), MLK_EINTERRUPTED, MLK_EIO/MLK_ENUMERIC when jobs failed. */
mlk_status mlk_campaign_run(const mlk_settings *set, const mlk_campaign_how *how, mlk_err *e);

/* How far the study in a run folder is: {total, done, running: [{job, percent, threads}], failed:
 * [{job, error, log}], percent, seconds_left (null when nothing runs)}, a new reference. Errors: no
 * study, or its models are gone. */
mlk_status mlk_campaign_state(const char *run, json_t **state, mlk_err *e);
void mlk_campaign_state_print(const char *run); /* the same for people; nothing when it fails */

/* ---- between the campaign files ---- */
/* The study of a run folder, planned, without a look at its data; mlk_campaign_close it. */
mlk_status mlk_campaign_open(mlk_campaign **c, const char *run, mlk_err *e);
void mlk_campaign_close(mlk_campaign *c);
/* What is assumed of a family of models. */
typedef struct mlk_family {
    const char *name;
    int seeds_max;    /* a linear least-squares fit has one answer                           */
    double quick_run; /* production of --quick [fs]: what fits into about 12 min on 2 cores   */
    double speed;     /* atom*step/s of one thread, to order jobs and guess the time left        */
    double train_seconds; /* of a fit that does not use its budget; 0: it uses it                 */
} mlk_family;
const mlk_family *mlk_family_of(const char *type);
/* A potential of that type with the settings "twojmax=6+quadratic=true", not created yet. Errors:
 * MLK_EINVAL an unknown key, a bad value. */
mlk_status mlk_family_new(const char *type, const char *settings, mlk_potential **pot, mlk_err *e);
/* Fill c->model from --models, whose paths become absolute. Errors: MLK_EINVAL; of a ready model
 * whatever reading it gives. */
mlk_status mlk_campaign_models(mlk_campaign *c, mlk_err *e);
/* The files of a ready model [paths, to be given to mlk_strings_free], the model file itself last.
 */
mlk_status mlk_ready_files(const mlk_campaign_model *m, char ***path, size_t *n, mlk_err *e);
/* The name that one of these files gets in RUN/models/<name>: its own if a model.yaml speaks of it,
 * the usual one of its type (nep.txt) otherwise. */
void mlk_ready_name(const mlk_campaign_model *m, const char *path, char *buf, size_t cap);
/* Copy a ready model into the run folder. Errors: MLK_EINVAL another model lies there. */
mlk_status mlk_ready_copy(const mlk_campaign *c, const mlk_campaign_model *m, mlk_err *e);
/* Fits that differ in their seed only. */
bool mlk_campaign_same_fit(const mlk_campaign_model *a, const mlk_campaign_model *b);
/* Does the study read DFT data? */
bool mlk_campaign_has_data(const mlk_campaign *c);
/* Words of the command of a job, without the program; NULL-ended, each to be mlk_free'd. */
mlk_status mlk_campaign_argv(const mlk_campaign *c, const mlk_job *j, char ***argv, mlk_err *e);
void mlk_argv_free(char **argv);
/* argv as one line a shell understands, "mlkit " in front. */
void mlk_argv_print(char *const *argv, char *buf, size_t cap);
/* A path made absolute in place, so that the study can be continued from any folder. */
mlk_status mlk_path_absolute(char *path, size_t cap, const char *what, mlk_err *e);
/* Find the input files and their hashes; makes --data and --structure absolute. */
mlk_status mlk_campaign_inputs(mlk_campaign *c, mlk_err *e);
/* The folder's own record against what is asked for now; fills what only it knows. Errors:
 * MLK_EINVAL another study. */
mlk_status mlk_campaign_compare(mlk_campaign *c, const char *path, mlk_err *e);
mlk_status mlk_campaign_write(const mlk_campaign *c, mlk_err *e); /* campaign.yaml */
mlk_status mlk_campaign_structure(mlk_campaign *c, mlk_err *e);   /* structure.xyz, supercell */
/* The supercell the runs start from, as far as it is known before the structure is chosen. */
mlk_status mlk_campaign_start_frame(const mlk_campaign *c, mlk_frame *super, mlk_err *e);
/* Time steps of a run of a model. */
double mlk_md_steps(const mlk_campaign *c, int model);
/* Flux samples of a run of a model (campaign_estimate.c). */
double mlk_md_samples(const mlk_campaign *c, int model);
mlk_status mlk_campaign_jobs(mlk_campaign *c, const mlk_campaign_how *how, mlk_err *e);
/* Print the thermal conductivities and where the report is, from report.json, to stdout. */
void mlk_campaign_headline(const mlk_campaign *c);
/* UTC, "2026-01-31T12:00:00Z". */
char *mlk_timestamp(char buf[32]);

#endif
