/* dataset_info.c - see dataset_info.h. */
#include "cli/dataset_info.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/dataset_verbs.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/units.h"
#include "datasets/store.h"
#include "datasets/suspect.h"

typedef struct cfg {
    mlk_common common;
    bool frames;
    char from[MLK_OPT_STR_MAX];
} cfg;

static const mlk_opt opts[] = {
    {"frames", MLK_OPT_FLAG, offsetof(cfg, frames), "false", 0, 0, "", "one row per frame as well"},
    {"from", MLK_OPT_STR, offsetof(cfg, from), "", 0, 0, "",
     "format to read (vasprun, extxyz, n2p2-bohr, ...); by content when not given"},
    MLK_COMMON_OPTS(cfg),
    {0}};

/* min, mean and max of what was added. */
typedef struct range {
    double min, max, sum;
    size_t n;
} range;

static void put(range *r, double v)
{
    if (!isfinite(v)) return;
    r->min = r->n ? fmin(r->min, v) : v;
    r->max = r->n ? fmax(r->max, v) : v;
    r->sum += v;
    r->n++;
}

static double mean(const range *r)
{
    return r->n ? r->sum / (double)r->n : NAN;
}

typedef struct group {
    char name[64];
    size_t n;
    range t;
    int split[3];
} group;

typedef struct summary {
    size_t labels[4], scf[3], n_group, cap_group; /* energy forces stress velocities; by scf + 1 */
    size_t n, atoms_min, atoms_max;
    double force_squares;
    bool species[MLK_ELEMENT_MAX + 1];
    char formula[256]; /* of the first frame */
    range energy, force, fmax, pressure, shear, volume, temperature;
    group *group; /* in order of appearance */
} summary;

static double pressure(const mlk_frame *fr)
{
    return (fr->virial[0][0] + fr->virial[1][1] + fr->virial[2][2]) / 3 / fr->cell.volume *
           MLK_EVA3_GPA;
}

static double largest_force(const mlk_frame *fr)
{
    double most = 0;
    for (size_t i = 0; i < fr->n; i++)
        most = fmax(most, sqrt(fr->f[i][0] * fr->f[i][0] + fr->f[i][1] * fr->f[i][1] +
                               fr->f[i][2] * fr->f[i][2]));
    return most;
}

static mlk_status add_group(summary *s, const mlk_frame *fr, int split, mlk_err *e)
{
    size_t k = s->n_group;
    while (k-- > 0 && strcmp(s->group[k].name, fr->group)) continue;
    if (k == (size_t)-1) {
        MLK_TRY(MLK_GROW(s->group, s->cap_group, s->n_group + 1, e));
        k = s->n_group++;
        memcpy(s->group[k].name, fr->group, sizeof fr->group);
    }
    s->group[k].n++;
    s->group[k].split[split]++;
    put(&s->group[k].t, fr->temperature);
    return MLK_OK;
}

static mlk_status add_frame(summary *s, const mlk_frame *fr, int split, mlk_err *e)
{
    static const unsigned bit[4] = {MLK_HAS_ENERGY, MLK_HAS_FORCE, MLK_HAS_VIRIAL,
                                    MLK_HAS_VELOCITY};
    if (s->n == 0) mlk_frame_formula(fr, s->formula, sizeof s->formula);
    for (size_t a = 0; a < fr->n; a++) s->species[fr->z[a]] = true;
    for (int k = 0; k < 4; k++) s->labels[k] += (fr->has & bit[k]) != 0;
    s->scf[fr->scf < -1 || fr->scf > 1 ? 0 : fr->scf + 1]++;
    s->atoms_min = s->n && s->atoms_min < fr->n ? s->atoms_min : fr->n;
    s->atoms_max = s->atoms_max > fr->n ? s->atoms_max : fr->n;
    s->n++;
    put(&s->temperature, fr->temperature);
    if (fr->has & MLK_HAS_CELL) put(&s->volume, fr->cell.volume / (double)fr->n);
    if (fr->has & MLK_HAS_ENERGY) put(&s->energy, fr->energy / (double)fr->n);
    if (fr->has & MLK_HAS_FORCE) put(&s->fmax, largest_force(fr));
    for (size_t a = 0; (fr->has & MLK_HAS_FORCE) && a < fr->n; a++)
        for (int k = 0; k < 3; k++) {
            put(&s->force, fr->f[a][k]);
            s->force_squares += fr->f[a][k] * fr->f[a][k];
        }
    if (fr->has & MLK_HAS_VIRIAL) {
        put(&s->pressure, pressure(fr));
        for (int k = 0; k < 3; k++)
            put(&s->shear, -fr->virial[k][(k + 1) % 3] / fr->cell.volume * MLK_EVA3_GPA);
    }
    return add_group(s, fr, split, e);
}

static mlk_status summarise(const mlk_dataset *ds, summary *s, mlk_err *e)
{
    for (size_t i = 0; i < ds->n; i++) MLK_TRY(add_frame(s, &ds->frame[i], ds->split[i], e));
    return MLK_OK;
}

/* ---- JSON ---- */

/* A string that may hold bytes that are not UTF-8 (paths, tags): those become '?'. */
static json_t *text(const char *s)
{
    json_t *j = json_string(s);
    if (j) return j;
    char copy[1100];
    size_t n = 0;
    for (; *s && n + 1 < sizeof copy; s++) copy[n++] = (unsigned char)*s < 128 ? *s : '?';
    copy[n] = 0;
    return json_string(copy);
}

static json_t *json_range(const range *r)
{
    return json_pack("{s:o,s:o,s:o}", "min", mlk_json_real(r->n ? r->min : NAN), "mean",
                     mlk_json_real(mean(r)), "max", mlk_json_real(r->n ? r->max : NAN));
}

static json_t *json_rows(const double (*v)[3], size_t n, double unit)
{
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++) {
        const double row[3] = {v[i][0] * unit, v[i][1] * unit, v[i][2] * unit};
        json_array_append_new(a, mlk_json_reals(row, 3));
    }
    return a;
}

static json_t *json_frame(const mlk_frame *fr)
{
    json_t *j = json_object(), *symbols = json_array();
    for (size_t i = 0; i < fr->n; i++)
        json_array_append_new(symbols, json_string(mlk_element_symbol(fr->z[i])));
    bool has_e = fr->has & MLK_HAS_ENERGY;
    json_object_set_new(j, "energy_eV", mlk_json_real(has_e ? fr->energy : NAN));
    json_object_set_new(j, "energy_sigma0_eV", mlk_json_real(fr->energy0));
    json_object_set_new(j, "forces_eV_A",
                        fr->has & MLK_HAS_FORCE ? json_rows((const double(*)[3])fr->f, fr->n, 1)
                                                : json_null());
    json_object_set_new(j, "stress_GPa",
                        fr->has & MLK_HAS_VIRIAL ? json_rows((const double(*)[3])fr->virial, 3,
                                                             -MLK_EVA3_GPA / fr->cell.volume)
                                                 : json_null());
    json_object_set_new(j, "lattice_A",
                        fr->has & MLK_HAS_CELL ? json_rows((const double(*)[3])fr->cell.h, 3, 1)
                                               : json_null());
    json_object_set_new(j, "scf_converged",
                        fr->scf == MLK_SCF_UNKNOWN ? json_null() : json_boolean(fr->scf == 1));
    json_object_set_new(j, "source", text(fr->source));
    json_object_set_new(j, "line", json_integer(fr->line));
    json_object_set_new(j, "step", json_integer(fr->step));
    json_object_set_new(j, "group", text(fr->group));
    json_object_set_new(j, "config_type", text(fr->config_type));
    json_object_set_new(j, "temperature_K", mlk_json_real(fr->temperature));
    json_object_set_new(j, "symbols", symbols);
    json_object_set_new(j, "positions_A", json_rows((const double(*)[3])fr->x, fr->n, 1));
    return j;
}

static json_t *json_suspects(const mlk_dataset *ds, const mlk_suspects *s)
{
    json_t *a = json_array();
    for (size_t k = 0; k < s->n; k++) {
        const mlk_suspect *it = &s->item[k];
        json_t *j = json_pack("{s:s,s:I,s:o,s:I}", "kind", mlk_suspect_name(it->kind), "frame",
                              (json_int_t)it->frame, "source", text(ds->frame[it->frame].source),
                              "line", (json_int_t)ds->frame[it->frame].line);
        if (*mlk_suspect_unit(it->kind)) json_object_set_new(j, "value", mlk_json_real(it->value));
        if (it->other != it->frame)
            json_object_set_new(j, "same_as", json_integer((json_int_t)it->other));
        json_array_append_new(a, j);
    }
    return a;
}

static json_t *json_files(const mlk_dataset *ds)
{
    json_t *a = json_array();
    for (size_t k = 0; k < ds->n_file; k++) {
        const mlk_file_note *f = &ds->file[k];
        json_array_append_new(a, json_pack("{s:o,s:s,s:I,s:I,s:o}", "path", text(f->path), "format",
                                           f->format, "n_frames", (json_int_t)f->n, "n_taken",
                                           (json_int_t)f->taken, "why", text(f->why)));
    }
    return a;
}

static mlk_status show_json(const cfg *c, const mlk_dataset *ds, const summary *s,
                            const mlk_suspects *sus, mlk_err *e)
{
    json_t *j = json_object(), *a;
    json_object_set_new(j, "n_frames", json_integer((json_int_t)ds->n));
    if (s->atoms_min == s->atoms_max) {
        json_object_set_new(j, "n_atoms", json_integer((json_int_t)s->atoms_min));
    } else {
        a = json_array();
        for (size_t i = 0; i < ds->n; i++)
            json_array_append_new(a, json_integer((json_int_t)ds->frame[i].n));
        json_object_set_new(j, "n_atoms", a);
    }
    a = json_array();
    for (size_t k = 0; k < ds->n_species; k++)
        json_array_append_new(a, json_string(mlk_element_symbol(ds->z[k])));
    json_object_set_new(j, "species", a);
    a = json_array();
    for (size_t k = 0; k < s->n_group; k++)
        json_array_append_new(a, json_pack("{s:o,s:I,s:o}", "name", text(s->group[k].name),
                                           "n_frames", (json_int_t)s->group[k].n, "temperature_K",
                                           mlk_json_real(mean(&s->group[k].t))));
    json_object_set_new(j, "groups", a);
    json_object_set_new(j, "labels",
                        json_pack("{s:I,s:I,s:I,s:I}", "energy", (json_int_t)s->labels[0], "forces",
                                  (json_int_t)s->labels[1], "stress", (json_int_t)s->labels[2],
                                  "velocities", (json_int_t)s->labels[3]));
    json_object_set_new(j, "scf",
                        json_pack("{s:I,s:I,s:I}", "converged", (json_int_t)s->scf[2],
                                  "unconverged", (json_int_t)s->scf[1], "unknown",
                                  (json_int_t)s->scf[0]));
    json_object_set_new(j, "energy_eV_atom", json_range(&s->energy));
    json_object_set_new(j, "force_rms_eV_A", mlk_json_real(s->force.n ? sus->force_rms : NAN));
    json_object_set_new(j, "force_max_eV_A", mlk_json_real(s->fmax.n ? s->fmax.max : NAN));
    json_object_set_new(j, "pressure_GPa", json_range(&s->pressure));
    json_object_set_new(j, "shear_stress_GPa", json_range(&s->shear));
    json_object_set_new(j, "volume_A3_atom", json_range(&s->volume));
    json_object_set_new(j, "temperature_K", json_range(&s->temperature));
    a = json_array();
    for (size_t k = 0; k < ds->n_source; k++)
        json_array_append_new(a, json_pack("{s:o,s:s}", "path", text(ds->source[k].path), "sha256",
                                           ds->source[k].sha256));
    json_object_set_new(j, "sources", a);
    json_object_set_new(j, "files", json_files(ds));
    a = json_array();
    for (size_t k = 0; k < ds->n_problem; k++)
        json_array_append_new(a, json_pack("{s:o,s:I,s:o}", "file", text(ds->problem[k].file),
                                           "line", (json_int_t)ds->problem[k].line, "message",
                                           text(ds->problem[k].msg)));
    json_object_set_new(j, "problems", a);
    json_object_set_new(j, "suspicious", json_suspects(ds, sus));
    if (c->frames) {
        a = json_array();
        for (size_t i = 0; i < ds->n; i++) json_array_append_new(a, json_frame(&ds->frame[i]));
        json_object_set_new(j, "frames", a);
    }
    mlk_status st = mlk_json_write(j, "-", e);
    json_decref(j);
    return st;
}

/* ---- text ---- */

/* "-0.0000" helps nobody. */
static double no_minus_zero(double v, int digits)
{
    return fabs(v) < 0.5 * pow(10, -digits) ? 0 : v;
}

static void show_range(const char *what, const range *r, int digits)
{
    if (r->n)
        printf("%-22s%14.*f %12.*f %12.*f\n", what, digits, no_minus_zero(r->min, digits), digits,
               no_minus_zero(mean(r), digits), digits, no_minus_zero(r->max, digits));
}

void mlk_print_place(const char *file, long line)
{
    line > 0 ? printf("%s:%ld", file, line) : printf("%s", file);
}

static void show_frames(const mlk_dataset *ds)
{
    printf("\n%6s %6s  %12s %8s %8s  %-4s %-20s %s\n", "frame", "atoms", "E eV/atom", "Fmax",
           "P GPa", "SCF", "group", "source");
    for (size_t i = 0; i < ds->n; i++) {
        const mlk_frame *fr = &ds->frame[i];
        printf("%6zu %6zu  ", i, fr->n);
        fr->has &MLK_HAS_ENERGY ? printf("%12.5f ", fr->energy / (double)fr->n)
                                : printf("%12s ", "-");
        fr->has &MLK_HAS_FORCE ? printf("%8.3f ", largest_force(fr)) : printf("%8s ", "-");
        fr->has &MLK_HAS_VIRIAL ? printf("%8.3f  ", pressure(fr)) : printf("%8s  ", "-");
        printf("%-4s %-20s ", fr->scf == 1 ? "yes" : fr->scf == 0 ? "NO" : "?", fr->group);
        mlk_print_place(fr->source, fr->line);
        printf("\n");
    }
}

static void show_suspects(const mlk_dataset *ds, const mlk_suspects *s)
{
    enum { SHOWN = 5 };
    printf("\nsuspicious\n");
    if (!s->n) printf("  nothing\n");
    for (size_t k = 0; k < s->n;) {
        mlk_suspect_kind kind = s->item[k].kind;
        size_t n = s->count[kind];
        printf("  %-16s %5zu frame%s  %s\n", mlk_suspect_name(kind), n, n == 1 ? " " : "s",
               mlk_suspect_text(kind));
        for (size_t m = k; m < k + n && m < k + SHOWN && kind != MLK_SUSPECT_NO_STRESS; m++) {
            const mlk_frame *fr = &ds->frame[s->item[m].frame];
            printf("      frame %zu (", s->item[m].frame);
            mlk_print_place(fr->source, fr->line);
            printf(")");
            if (*mlk_suspect_unit(kind))
                printf("  %.3g %s", s->item[m].value, mlk_suspect_unit(kind));
            if (s->item[m].other != s->item[m].frame)
                printf("  same as frame %zu", s->item[m].other);
            printf("\n");
        }
        if (n > SHOWN && kind != MLK_SUSPECT_NO_STRESS) printf("      and %zu more\n", n - SHOWN);
        k += n;
    }
}

static void show_summary(const cfg *c, const summary *s)
{
    printf("%-22s%zu in %zu trajectory group%s\n", "frames", s->n, s->n_group,
           s->n_group == 1 ? "" : "s");
    if (s->atoms_min == s->atoms_max)
        printf("%-22s%zu per frame, first %s\n", "atoms", s->atoms_min, s->formula);
    else
        printf("%-22s%zu .. %zu per frame, first %s\n", "atoms", s->atoms_min, s->atoms_max,
               s->formula);
    printf("%-22s", "species");
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++)
        if (s->species[z]) printf("%s ", mlk_element_symbol(z));
    printf("\n%-22senergy %zu, forces %zu, stress %zu, velocities %zu\n", "labels", s->labels[0],
           s->labels[1], s->labels[2], s->labels[3]);
    printf("%-22sconverged %zu, unconverged %zu, unknown %zu\n", "SCF", s->scf[2], s->scf[1],
           s->scf[0]);
    printf("%-22s%14s %12s %12s\n", "", "min", "mean", "max");
    show_range("energy, eV/atom", &s->energy, 5);
    show_range("force component, eV/A", &s->force, 4);
    if (s->fmax.n)
        printf("%-22s%14s %12.4f\n", "force RMS, eV/A", "",
               sqrt(s->force_squares / (double)s->force.n));
    show_range("largest |F| of frame", &s->fmax, 4);
    show_range("pressure, GPa", &s->pressure, 4);
    show_range("shear stress, GPa", &s->shear, 4);
    show_range("volume, A^3/atom", &s->volume, 4);
    show_range("temperature, K", &s->temperature, 1);
    enum { SHOWN = 12 };
    printf("\n%-40s %8s %8s\n", "group", "frames", "T, K");
    for (size_t k = 0; k < s->n_group; k++) {
        if (k == SHOWN && s->n_group > SHOWN + 3 && !c->frames) {
            printf("and %zu more groups (--frames or --json shows all)\n", s->n_group - k);
            break;
        }
        printf("%-40s %8zu ", s->group[k].name[0] ? s->group[k].name : "(none)", s->group[k].n);
        s->group[k].t.n ? printf("%8.0f\n", mean(&s->group[k].t)) : printf("%8s\n", "-");
    }
}

/* What became of each file. Files of unknown formats are counted only. */
static void show_files(const cfg *c, const mlk_dataset *ds)
{
    enum { SHOWN = 20 };
    size_t rows = 0, more = 0, unknown = 0;
    if (ds->n_file < 2) return;
    printf("\n%-40s %-12s %8s %8s\n", "files", "format", "frames", "taken");
    for (size_t k = 0; k < ds->n_file; k++) {
        const mlk_file_note *f = &ds->file[k];
        if (!strcmp(f->format, "unknown"))
            unknown++;
        else if (rows == SHOWN && !c->common.verbose)
            more++;
        else if (++rows)
            printf("%-40s %-12s %8zu %8zu%s%s\n", f->path, f->format, f->n, f->taken,
                   *f->why ? "  " : "", f->why);
    }
    if (more) printf("... and %zu more; -v lists all\n", more);
    if (unknown) printf("and %zu file%s of unknown format\n", unknown, unknown == 1 ? "" : "s");
}

static void show_text(const cfg *c, const mlk_dataset *ds, const summary *s,
                      const mlk_suspects *sus)
{
    show_summary(c, s);
    show_files(c, ds);
    for (size_t k = 0; k < ds->n_problem; k++) {
        if (k == 0) printf("\nproblems\n");
        mlk_print_place(ds->problem[k].file, ds->problem[k].line);
        printf(": %s\n", ds->problem[k].msg);
    }
    show_suspects(ds, sus);
    if (c->frames) show_frames(ds);
}

/* A store too large to be read as a whole: its summary, frame by frame. */
enum { LARGE_ATOMS = 4000000 };

static mlk_status show_large(const cfg *c, mlk_store *st, mlk_err *e)
{
    summary s = {0};
    mlk_status status = MLK_OK;
    for (size_t i = 0; i < mlk_store_n(st) && !status; i++) {
        mlk_frame fr;
        status = mlk_store_frame(st, i, &fr, e);
        if (status) break;
        status = add_frame(&s, &fr, mlk_store_split(st, i), e);
        mlk_frame_free(&fr);
    }
    if (!status) {
        show_summary(c, &s);
        printf(
            "\nsuspicious\n  not looked for: %zu atoms; --json or --frames read the whole store, "
            "about %.1f GB\n",
            mlk_store_atoms(st),
            1e-9 * ((double)mlk_store_atoms(st) * 60 + (double)s.n * sizeof(mlk_frame)));
    }
    mlk_free(s.group);
    return status;
}

/* *done: the only input was a large store, and it has been shown. */
static mlk_status try_large(const cfg *c, int n, char **words, bool *done, mlk_err *e)
{
    mlk_store *st;
    *done = false;
    if (n != 1 || c->frames || c->common.json || !mlk_dataset_is_store(words[0])) return MLK_OK;
    if (mlk_store_open(&st, words[0], NULL)) return MLK_OK; /* the usual way says why */
    *done = mlk_store_atoms(st) > LARGE_ATOMS;
    mlk_status s = *done ? show_large(c, st, e) : MLK_OK;
    mlk_store_close(st);
    return s;
}

mlk_status mlk_dataset_info(int argc, char **argv, mlk_err *e)
{
    cfg c;
    int n;
    char **words;
    bool done;
    mlk_dataset ds = {0};
    summary sum = {0};
    mlk_suspects sus = {0};
    MLK_TRY(
        mlk_cmd_begin(opts, &c, argc, argv, NULL, "mlkit dataset info FILE... [--json] [--frames]",
                      "Frames, species, energies, forces and stresses of data files, folders or\n"
                      "stores; what is missing and what looks suspicious.",
                      "mlkit dataset info vasprun.xml", &n, &words, &done, e));
    if (done) return MLK_OK;
    if (n == 0) {
        MLK_FAIL(e, MLK_EINVAL, "no data given");
        return mlk_err_hint(e, "name files, folders or stores: mlkit dataset info vasprun.xml");
    }
    mlk_status s = try_large(&c, n, words, &done, e);
    if (s || done) return s;
    for (int k = 0; k < n && !s; k++) s = mlk_dataset_read_all(&ds, words[k], c.from, e);
    if (!s) s = summarise(&ds, &sum, e);
    if (!s) s = mlk_dataset_suspect(&ds, &sus, e);
    if (!s && c.common.json)
        s = show_json(&c, &ds, &sum, &sus, e);
    else if (!s)
        show_text(&c, &ds, &sum, &sus);
    mlk_suspects_free(&sus);
    mlk_free(sum.group);
    mlk_dataset_free(&ds);
    return s;
}

/* What stands on one side of a split. */
typedef struct side {
    size_t frames, groups;
    range t;
    json_t *names; /* of its groups */
} side;

static void show_side(const char *name, const side *p, size_t n)
{
    printf("%-12s %8zu %7.1f%% %8zu", name, p->frames, 100 * (double)p->frames / (double)n,
           p->groups);
    if (p->t.n)
        printf("   %.0f .. %.0f (mean %.0f)", no_minus_zero(p->t.min, 0), p->t.max, mean(&p->t));
    printf("\n");
}

static void show_sides(const side p[3], size_t n, size_t torn)
{
    static const char *const name[3] = {"train", "validation", "test"};
    enum { SHOWN = 12 };
    printf("%-12s %8s %8s %8s   %s\n", "part", "frames", "", "groups", "temperature, K");
    for (int k = 0; k < 3; k++)
        if (k < 2 || p[k].frames) show_side(name[k], &p[k], n);
    for (int k = 1; k < 3; k++) {
        size_t m = json_array_size(p[k].names);
        if (!m) continue;
        printf("%s:", name[k]);
        for (size_t i = 0; i < m && i < SHOWN; i++)
            printf(" %s", json_string_value(json_array_get(p[k].names, i)));
        m > SHOWN ? printf(" and %zu more groups (--json shows all)\n", m - SHOWN) : printf("\n");
    }
    if (torn) printf("%zu groups have frames in more than one part\n", torn);
}

static json_t *json_sides(const side p[3], size_t n, size_t torn)
{
    static const char *const name[3] = {"train", "valid", "test"};
    json_t *j = json_object();
    char key[64];
    for (int k = 0; k < 3; k++) {
        snprintf(key, sizeof key, "n_%s", name[k]);
        json_object_set_new(j, key, json_integer((json_int_t)p[k].frames));
        snprintf(key, sizeof key, "fraction_%s", name[k]);
        json_object_set_new(j, key, mlk_json_real((double)p[k].frames / (double)n));
        snprintf(key, sizeof key, "groups_%s", name[k]);
        json_object_set_new(j, key, json_integer((json_int_t)p[k].groups));
        snprintf(key, sizeof key, "temperature_%s_K", name[k]);
        json_object_set_new(j, key, json_range(&p[k].t));
        if (k > 0) json_object_set(j, name[k], p[k].names);
    }
    json_object_set_new(j, "groups_in_several", json_integer((json_int_t)torn));
    return j;
}

mlk_status mlk_dataset_split_show(const mlk_dataset *ds, bool json, mlk_err *e)
{
    summary s = {0};
    side p[3] = {{0}, {0}, {0}};
    size_t torn = 0;
    mlk_status st = summarise(ds, &s, e);
    for (int k = 0; k < 3; k++) p[k].names = json_array();
    for (size_t i = 0; i < ds->n; i++) {
        p[ds->split[i]].frames++;
        put(&p[ds->split[i]].t, ds->frame[i].temperature);
    }
    for (size_t m = 0; m < s.n_group; m++) {
        int in = 0;
        for (int k = 0; k < 3; k++) {
            if (!s.group[m].split[k]) continue;
            in++;
            p[k].groups++;
            json_array_append_new(p[k].names, text(s.group[m].name));
        }
        torn += in > 1;
    }
    if (!st && json) {
        json_t *j = json_sides(p, ds->n, torn);
        st = mlk_json_write(j, "-", e);
        json_decref(j);
    } else if (!st) {
        show_sides(p, ds->n, torn);
    }
    for (int k = 0; k < 3; k++) json_decref(p[k].names);
    mlk_free(s.group);
    return st;
}
