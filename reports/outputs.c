/* outputs.c - SHA-256 of what a study made, and what a repetition of it can and cannot give again.
 * Not the trajectories: they are large, and the transport results follow from them. */
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "reports/report.h"

typedef struct sums {
    const mlk_report *r;
    mlk_document *d;
    mlk_out o;
} sums;

/* One file, by its path in the run folder; nothing if it is not there. */
static mlk_status add(sums *s, const char *name, mlk_err *e)
{
    char path[2048], hex[65], line[1600];
    mlk_path_join(path, sizeof path, s->r->run, name);
    if (!mlk_file_exists(path) || mlk_file_is_dir(path)) return MLK_OK;
    MLK_TRY(mlk_file_sha256(path, hex, e));
    snprintf(line, sizeof line, "%s  %s", hex, name);
    mlk_doc_line(s->d, line);
    fprintf(s->o.fp, "%s\n", line);
    return MLK_OK;
}

/* Model, manifest, ranges, settings; not errors, parities, learning curves and logs. */
static bool of_model(const char *name)
{
    static const char *const other[] = {".out", ".log", ".json", ".csv"};
    for (size_t k = 0; k < sizeof other / sizeof *other; k++)
        if (mlk_path_ends(name, other[k])) return !strcmp(name, "ranges.csv");
    return !strstr(name, ".tmp") && !strstr(name, "checkpoint");
}

static mlk_status model(sums *s, const mlk_report_model *m, mlk_err *e)
{
    char **name, path[1400];
    size_t n;
    mlk_status st = MLK_OK;
    if (!mlk_file_is_dir(m->dir)) return MLK_OK;
    MLK_TRY(mlk_dir_names(m->dir, &name, &n, e));
    for (size_t k = 0; k < n && !st; k++) {
        snprintf(path, sizeof path, "models/%s/%s", m->name, name[k]);
        if (of_model(name[k])) st = add(s, path, e);
    }
    mlk_strings_free(name, n);
    return st;
}

static mlk_status all(sums *s, mlk_err *e)
{
    const mlk_report *r = s->r;
    char path[300], k[16];
    MLK_TRY(add(s, "dataset.h5", e));
    MLK_TRY(add(s, "structure.xyz", e));
    for (int m = 0; m < r->n_model; m++) MLK_TRY(model(s, &r->model[m], e));
    for (int m = 0; m < r->n_model; m++)
        for (int t = 0; t < r->n_temp; t++) {
            snprintf(path, sizeof path, "transport/%s/%s.json", r->model[m].name,
                     mlk_kelvin(r->temp[t], k));
            MLK_TRY(add(s, path, e));
        }
    return MLK_OK;
}

mlk_status mlk_report_outputs(const mlk_report *r, mlk_document *d, mlk_err *e)
{
    char path[1300];
    sums s = {.r = r, .d = d};
    mlk_doc_heading(d, 3, "outputs", "Data, models and results");
    mlk_doc_fold(d);
    mlk_doc_text(d, "SHA-256 and name of the files that the study made, without the trajectories. "
                    "In the run folder " MLK_DOC_CODE
                    "sha256sum -c report/sha256sums.txt" MLK_DOC_END " compares them.");
    mlk_doc_code(d);
    MLK_TRY(mlk_out_begin(&s.o, mlk_path_join(path, sizeof path, r->dir, "sha256sums.txt"), e));
    mlk_status st = all(&s, e);
    if (!st) return mlk_out_commit(&s.o, e);
    mlk_out_abort(&s.o);
    return st;
}

/* A fit that names the epochs it made in its train.json was one by steps; a least-squares fit made
 * none. */
const char *mlk_report_by_time(const mlk_report *r)
{
    const mlk_conf *set = mlk_conf_get(&r->conf, "settings");
    if (atoi(mlk_conf_str(set, "train-epochs", "0")) > 0) return "";
    for (int m = 0; m < r->n_model; m++)
        if (!*r->model[m].ready && mlk_json_get_real(r->model[m].train, "epochs", 0) > 0)
            return " with the same data, settings and seeds. The length of the fits is set by "
                   "time, though "
                   "(train-budget): on another machine, or beside other work, they make more or "
                   "fewer passes over the data and give other models, as other seeds would. The "
                   "very models of this study are taken by adding --models with their folders, all "
                   "of them in their order, and --data with its dataset.h5; a study that does not "
                   "depend on the speed is made "
                   "with --train-epochs";
    return "";
}
