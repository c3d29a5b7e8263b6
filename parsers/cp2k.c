/* cp2k.c - CP2K: molecular dynamics by its trajectory files, single points by their output.
 * MD: NAME-pos-N.xyz holds positions [A] and energies [hartree]; beside it NAME-frc-N.xyz forces
 * [hartree/bohr], NAME-N.cell the cells (or NAME-N.restart the one cell), and an output file of the
 * project SCF convergence and stresses [GPa, positive under compression]. The stresses of
 * NAME-N.stress hold the kinetic part of the ions and are not used. Steps are matched by number,
 * the output by energy. Single points (RUN_TYPE ENERGY_FORCE): cell, coordinates, energy, forces
 * and stress of the output itself. Source: files written by CP2K 2023.1. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/element.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "parsers/text.h"

enum { PATH_CAP = 1024 };
static const double FORCE_UNIT = MLK_HARTREE / MLK_BOHR;

static const char *skip_to(const char *s, const char *key)
{
    const char *at = strstr(s, key);
    return at ? at + strlen(key) : NULL;
}

/* ---- the output file: one record per energy ---- */

typedef struct record {
    double energy; /* [hartree] */
    double stress[3][3];
    bool has_stress;
    int scf;
} record;

typedef struct output {
    record *r;
    size_t n, cap;
    double h[3][3]; /* cell of the start, as printed */
    int rows;       /* of h                          */
    int *z;         /* coordinates and forces of a single point */
    double (*x)[3], (*f)[3];
    size_t z_cap, x_cap, f_cap, n_x, n_f;
    bool single, ended;
    char project[128];
} output;

static void output_free(output *o)
{
    mlk_free(o->r);
    mlk_free(o->z);
    mlk_free(o->x);
    mlk_free(o->f);
    memset(o, 0, sizeof *o);
}

/* " CELL| Vector a [angstrom]:  5.000 0.000 0.000   |a| =  5.000000": the length has more digits */
static void read_vector(output *o, const char *p)
{
    double v[3], length, norm;
    p = strchr(p, ']');
    if (!p || o->rows == 3) return;
    p += p[1] == ':' ? 2 : 1;
    if (mlk_numbers(&p, 3, v) != 3) return;
    norm = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    p = strchr(p, '=');
    if (!p || (p++, !mlk_number(&p, &length)) || norm == 0) length = norm;
    for (int k = 0; k < 3; k++) o->h[o->rows][k] = v[k] * (norm > 0 ? length / norm : 1);
    o->rows++;
}

/* Rows of "  1  1 H  1  0.000 0.000 0.000 ..." (coordinates) or "  1  1  H  0.01 -0.0 0.0"
 * (forces), until a line that is none; blank lines before the first do not count. */
static mlk_status read_table(output *o, mlk_text_in *t, bool forces, mlk_err *e)
{
    size_t n = 0;
    bool more = true;
    while (n < 100000000) {
        MLK_TRY(mlk_text_next(t, &more, e));
        if (!more || t->open_ended) break;
        char copy[256], *w[10];
        mlk_text_copy(copy, sizeof copy, t->line);
        size_t m = mlk_text_words(copy, w, 10);
        if (n == 0 && (m == 0 || !isdigit((unsigned char)w[0][0]))) continue;
        const size_t at = forces ? 3 : m >= 8 ? 4 : 3;
        if (m < at + 3 || !isdigit((unsigned char)w[0][0])) break;
        double v[3];
        for (int k = 0; k < 3; k++) {
            const char *p = w[at + (size_t)k];
            if (!mlk_number(&p, &v[k]))
                return mlk_text_expected(t, "an atom with three numbers", e);
        }
        if (forces) {
            MLK_TRY(MLK_GROW(o->f, o->f_cap, n + 1, e));
            for (int k = 0; k < 3; k++) o->f[n][k] = v[k] * FORCE_UNIT;
        } else {
            MLK_TRY(MLK_GROW(o->x, o->x_cap, n + 1, e));
            MLK_TRY(MLK_GROW(o->z, o->z_cap, n + 1, e));
            memcpy(o->x[n], v, sizeof v);
            o->z[n] = mlk_element_z(w[2]);
        }
        n++;
    }
    *(forces ? &o->n_f : &o->n_x) = n;
    return MLK_OK;
}

static void read_stress_row(record *r, const char *p)
{
    const char *q = p + strspn(p, " ");
    const char axis = *q;
    double v[3];
    if (axis < 'x' || axis > 'z' || q[1] != ' ') return;
    q++;
    if (mlk_numbers(&q, 3, v) != 3) return;
    for (int k = 0; k < 3; k++) r->stress[axis - 'x'][k] = v[k] / MLK_EVA3_GPA;
    r->has_stress = axis == 'z';
}

static mlk_status output_line(output *o, mlk_text_in *t, int *scf, bool *tensor, mlk_err *e)
{
    const char *s = t->line, *p;
    if ((p = skip_to(s, "GLOBAL| Project name"))) {
        sscanf(p, " %127s", o->project);
    } else if ((p = skip_to(s, "GLOBAL| Run type"))) {
        o->single = strstr(p, "ENERGY") != NULL;
    } else if (!strncmp(s, " CELL| Vector", 13)) {
        read_vector(o, s);
    } else if (strstr(s, "SCF run converged in")) {
        *scf = MLK_SCF_CONVERGED;
    } else if (strstr(s, "SCF run NOT converged")) {
        *scf = MLK_SCF_UNCONVERGED;
    } else if ((p = skip_to(s, "ENERGY| Total FORCE_EVAL"))) {
        MLK_TRY(MLK_GROW(o->r, o->cap, o->n + 1, e));
        record r = {.scf = *scf};
        p = strrchr(p, ':');
        if (!p) p = strrchr(s, ']');
        if (!p || (p++, !mlk_number(&p, &r.energy))) return mlk_text_expected(t, "an energy", e);
        o->r[o->n++] = r;
        *scf = MLK_SCF_UNKNOWN;
        *tensor = false;
    } else if ((p = skip_to(s, "STRESS|"))) {
        if (strstr(p, "stress tensor ["))
            *tensor = strstr(p, "tensor [GPa]") && !strstr(p, "Eigen");
        if (*tensor && o->n && !o->r[o->n - 1].has_stress) read_stress_row(&o->r[o->n - 1], p);
    } else if (o->single && strstr(s, "ATOMIC COORDINATES IN ANGSTROM") && !o->n_x) {
        return read_table(o, t, false, e);
    } else if (o->single && strstr(s, "ATOMIC FORCES in [a.u.]")) {
        return read_table(o, t, true, e);
    } else if (strstr(s, "PROGRAM ENDED AT")) {
        o->ended = true;
    }
    return MLK_OK;
}

/* Read an output file; a cut end is no error here (o->ended says so). */
static mlk_status read_output(const char *path, output *o, mlk_err *e)
{
    mlk_text_in t;
    int scf = MLK_SCF_UNKNOWN;
    bool more = true, tensor = false;
    mlk_status s = mlk_text_open(&t, path, e);
    while (!s && more) {
        s = mlk_text_next(&t, &more, e);
        if (!more || t.open_ended) break;
        if (!s) s = output_line(o, &t, &scf, &tensor, e);
    }
    mlk_text_close(&t);
    return s;
}

static void apply_record(mlk_frame *fr, const record *r)
{
    fr->scf = r->scf;
    if (!r->has_stress) return;
    for (int k = 0; k < 9; k++) (&fr->virial[0][0])[k] = (&r->stress[0][0])[k] * fr->cell.volume;
    fr->has |= MLK_HAS_VIRIAL;
}

/* ---- single points ---- */

static mlk_status single_frame(const output *o, const char *path, mlk_frame *fr, mlk_err *e)
{
    if (o->rows != 3 || !o->n_x || !o->n)
        return MLK_FAIL(e, MLK_EFORMAT, "no complete single point: %s is missing",
                        o->rows != 3 ? "the cell"
                        : !o->n_x    ? "the table of coordinates"
                                     : "the energy");
    if (!o->ended)
        return MLK_FAIL(e, MLK_EFORMAT, "the output ends early: PROGRAM ENDED is missing");
    MLK_TRY(mlk_frame_init(fr, o->n_x, e));
    MLK_TRY(mlk_cell_init(&fr->cell, (const double(*)[3])o->h, e));
    memcpy(fr->z, o->z, o->n_x * sizeof *fr->z);
    memcpy(fr->x, o->x, o->n_x * sizeof *fr->x);
    fr->has = MLK_HAS_CELL | MLK_HAS_ENERGY;
    if (o->n_f == o->n_x) {
        memcpy(fr->f, o->f, o->n_f * sizeof *fr->f);
        fr->has |= MLK_HAS_FORCE;
    }
    fr->energy = o->r[o->n - 1].energy * MLK_HARTREE;
    fr->energy_kind = MLK_ENERGY_FREE;
    fr->step = 1;
    fr->line = 1;
    mlk_text_copy(fr->source, sizeof fr->source, path);
    apply_record(fr, &o->r[o->n - 1]);
    return mlk_frame_check(fr, e);
}

static mlk_status parse_output(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    output o = {0};
    mlk_frame fr = {0};
    mlk_status s = read_output(path, &o, e);
    if (!s) s = single_frame(&o, path, &fr, e);
    if (!s) s = fn(&fr, user, e);
    mlk_frame_free(&fr);
    output_free(&o);
    return s ? mlk_err_at(e, path, 0) : MLK_OK;
}

/* ---- trajectories ---- */

typedef struct reader {
    mlk_text_in pos, frc, cell;
    bool has_frc, has_cell, cell_read;
    double h[3][3];
    output out;
    bool has_out;
    size_t at; /* in out.r */
    mlk_frame fr;
    char stem[PATH_CAP], number[32]; /* "dir/NAME", "1" */
} reader;

/* "dir/NAME-pos-1.xyz" -> "dir/NAME", "1" */
static bool split_name(reader *r, const char *path)
{
    snprintf(r->stem, sizeof r->stem, "%s", path);
    char *base = r->stem + (mlk_path_base(r->stem) - r->stem), *at = strstr(base, "-pos-");
    if (!at) return false;
    snprintf(r->number, sizeof r->number, "%.*s", (int)strspn(at + 5, "0123456789"), at + 5);
    *at = 0;
    return r->number[0];
}

static bool companion(reader *r, const char *before, const char *after, char *buf)
{
    static const char *const packed[] = {"", ".gz", ".xz", ".bz2"};
    for (size_t k = 0; k < 4; k++) {
        snprintf(buf, PATH_CAP, "%.900s-%s%s%s%s", r->stem, before, r->number, after, packed[k]);
        if (mlk_file_exists(buf)) return true;
    }
    return false;
}

/* " i =        0, time =        0.000, E =        -9.1382086080" */
static mlk_status read_comment(mlk_text_in *t, long *step, double *energy, mlk_err *e)
{
    const char *p = skip_to(t->line, "i ="), *q = skip_to(t->line, "E =");
    if (!p || !q || sscanf(p, " %ld", step) != 1 || !mlk_number(&q, energy))
        return mlk_text_expected(t, "i = STEP, time = TIME, E = ENERGY", e);
    return MLK_OK;
}

static mlk_status next_line(mlk_text_in *t, mlk_err *e)
{
    bool more;
    MLK_TRY(mlk_text_next(t, &more, e));
    if (more && !t->open_ended) return MLK_OK;
    MLK_FAIL(e, MLK_EFORMAT, "the file ends early, inside a frame");
    return mlk_text_err(t, e);
}

/* Header of the next frame; *more false at the end. */
static mlk_status read_header(mlk_text_in *t, bool *more, size_t *n, long *step, double *energy,
                              mlk_err *e)
{
    do MLK_TRY(mlk_text_next(t, more, e));
    while (*more && !t->line[strspn(t->line, " \t")]);
    if (!*more) return MLK_OK;
    char *end;
    long v = strtol(t->line, &end, 10);
    if (v < 1 || v > 100000000 || end[strspn(end, " \t")])
        return mlk_text_expected(t, "the number of atoms", e);
    *n = (size_t)v;
    MLK_TRY(next_line(t, e));
    return read_comment(t, step, energy, e);
}

/* "  H   0.000  0.000  0.000" */
static mlk_status read_row(mlk_text_in *t, char name[16], double v[3], mlk_err *e)
{
    int used = 0;
    MLK_TRY(next_line(t, e));
    if (sscanf(t->line, " %15s%n", name, &used) != 1) return mlk_text_expected(t, "an atom", e);
    const char *p = t->line + used;
    return mlk_numbers(&p, 3, v) == 3 ? MLK_OK
                                      : mlk_text_expected(t, "an atom with three numbers", e);
}

static mlk_status read_positions(reader *r, size_t n, mlk_err *e)
{
    size_t cap_z = 0, cap_x = 0, cap_f = 0;
    mlk_frame *fr = &r->fr;
    for (size_t i = 0; i < n; i++) { /* grown: the number of atoms is only a claim */
        char name[16];
        double v[3];
        MLK_TRY(read_row(&r->pos, name, v, e));
        MLK_TRY(MLK_GROW(fr->z, cap_z, i + 1, e));
        MLK_TRY(MLK_GROW(fr->x, cap_x, i + 1, e));
        MLK_TRY(MLK_GROW(fr->f, cap_f, i + 1, e));
        memcpy(fr->x[i], v, sizeof v);
        name[1 + (islower((unsigned char)name[1]) != 0)] = 0; /* "H1" -> "H" */
        fr->z[i] = mlk_element_z(name);
        if (!fr->z[i]) return mlk_text_expected(&r->pos, "a chemical element", e);
        fr->n = i + 1;
    }
    return MLK_OK;
}

/* Forces of this step, if the file has them. */
static mlk_status read_forces(reader *r, long step, mlk_err *e)
{
    while (r->has_frc) {
        size_t n = 0;
        long here = 0;
        double energy;
        bool more;
        char name[16];
        MLK_TRY(read_header(&r->frc, &more, &n, &here, &energy, e));
        if (!more) {
            r->has_frc = false;
            break;
        }
        if (n != r->fr.n || here > step) {
            MLK_FAIL(e, MLK_EFORMAT,
                     "forces of step %ld on %zu atoms where those of step %ld on %zu "
                     "are needed",
                     here, n, step, r->fr.n);
            return mlk_text_err(&r->frc, e);
        }
        for (size_t i = 0; i < n; i++) {
            MLK_TRY(read_row(&r->frc, name, r->fr.f[i], e));
            for (int k = 0; k < 3; k++) r->fr.f[i][k] *= FORCE_UNIT;
        }
        if (here < step) continue; /* positions are written less often */
        r->fr.has |= MLK_HAS_FORCE;
        return MLK_OK;
    }
    return MLK_OK;
}

/* The cell of this step: a line of NAME-N.cell, or the one of the restart file. */
static mlk_status read_cell(reader *r, long step, mlk_err *e)
{
    while (r->has_cell) {
        double v[11];
        bool more;
        MLK_TRY(mlk_text_next(&r->cell, &more, e));
        if (!more || r->cell.open_ended) {
            MLK_FAIL(e, MLK_EFORMAT, "no cell for step %ld: the file ends early", step);
            return mlk_text_err(&r->cell, e);
        }
        const char *p = r->cell.line;
        if (p[strspn(p, " ")] == '#') continue;
        if (mlk_numbers(&p, 11, v) != 11)
            return mlk_text_expected(&r->cell, "step, time and nine numbers", e);
        if ((long)v[0] < step) continue;
        if ((long)v[0] > step) {
            MLK_FAIL(e, MLK_EFORMAT, "no cell for step %ld", step);
            return mlk_text_err(&r->cell, e);
        }
        memcpy(r->h, v + 2, sizeof r->h);
        break;
    }
    return mlk_cell_init(&r->fr.cell, (const double(*)[3])r->h, e);
}

/* &CELL ... A x y z / B / C of NAME-N.restart */
static mlk_status read_restart(reader *r, const char *path, mlk_err *e)
{
    mlk_text_in t;
    bool more = true, inside = false;
    int got = 0;
    mlk_status s = mlk_text_open(&t, path, e);
    while (!s && more) {
        s = mlk_text_next(&t, &more, e);
        if (s || !more) break;
        const char *p = t.line + strspn(t.line, " ");
        if (!strncmp(p, "&CELL", 5) && !p[5 + strspn(p + 5, " ")]) inside = true, got = 0;
        if (!strncmp(p, "&END CELL", 9)) inside = false;
        if (!inside || *p < 'A' || *p > 'C' || p[1] != ' ') continue;
        const int row = *p++ - 'A';
        if (mlk_numbers(&p, 3, r->h[row]) == 3) got |= 1 << row;
    }
    mlk_text_close(&t);
    r->cell_read = got == 7;
    return s;
}

/* The output of this project: the first file of the folder, by name, that ends in .out or .log. */
static mlk_status find_output(reader *r, mlk_err *e)
{
    char dir[PATH_CAP], path[PATH_CAP], **names;
    const char *base = mlk_path_base(r->stem);
    size_t n_name;
    mlk_status s = MLK_OK;
    snprintf(dir, sizeof dir, "%.*s", (int)(base - r->stem), r->stem);
    if (mlk_dir_names(*dir ? dir : ".", &names, &n_name, NULL)) return MLK_OK;
    for (size_t k = 0; k < n_name && !s && !r->has_out; k++) {
        char head[8192];
        size_t n;
        if (!mlk_path_ends(names[k], ".out") && !mlk_path_ends(names[k], ".log")) continue;
        snprintf(path, sizeof path, "%.500s%.500s", dir, names[k]);
        if (mlk_text_head(path, head, sizeof head, &n, NULL) || !strstr(head, "CP2K|")) continue;
        s = read_output(path, &r->out, e);
        r->has_out = !s && !strcmp(r->out.project, base);
        if (!r->has_out) output_free(&r->out);
    }
    mlk_strings_free(names, n_name);
    return s;
}

static mlk_status open_all(reader *r, const char *path, mlk_err *e)
{
    char p[PATH_CAP];
    if (!split_name(r, path)) {
        MLK_FAIL(e, MLK_EFORMAT, "a trajectory of CP2K, but not one of positions");
        mlk_err_hint(e, "give NAME-pos-1.xyz; forces and cells are found beside it");
        return mlk_err_at(e, path, 0);
    }
    MLK_TRY(mlk_text_open(&r->pos, path, e));
    if (companion(r, "frc-", ".xyz", p)) {
        MLK_TRY(mlk_text_open(&r->frc, p, e));
        r->has_frc = true;
    }
    if (companion(r, "", ".cell", p)) {
        MLK_TRY(mlk_text_open(&r->cell, p, e));
        r->has_cell = true;
    } else if (companion(r, "", ".restart", p)) {
        MLK_TRY(read_restart(r, p, e));
    }
    if (!r->has_cell && !r->cell_read) {
        MLK_FAIL(e, MLK_EFORMAT, "the cell is not known");
        mlk_err_hint(e, "put %s-%s.cell or %s-%s.restart beside it", mlk_path_base(r->stem),
                     r->number, mlk_path_base(r->stem), r->number);
        return mlk_err_at(e, path, 0);
    }
    return find_output(r, e);
}

static mlk_status read_frame(reader *r, bool *more, int count, mlk_err *e)
{
    size_t n = 0;
    long step = 0;
    double energy = 0;
    mlk_frame *fr = &r->fr;
    MLK_TRY(read_header(&r->pos, more, &n, &step, &energy, e));
    if (!*more) return MLK_OK;
    MLK_TRY(mlk_frame_init(fr, 0, e));
    mlk_free(fr->z), mlk_free(fr->x), mlk_free(fr->f);
    fr->z = NULL, fr->x = fr->f = NULL;
    fr->line = r->pos.number - 1;
    MLK_TRY(read_positions(r, n, e));
    MLK_TRY(read_forces(r, step, e));
    MLK_TRY(read_cell(r, step, e));
    fr->has |= MLK_HAS_CELL | MLK_HAS_ENERGY;
    fr->energy = energy * MLK_HARTREE;
    fr->energy_kind = MLK_ENERGY_FREE;
    fr->step = count;
    mlk_text_copy(fr->source, sizeof fr->source, r->pos.path);
    for (size_t k = r->at; k < r->out.n; k++)
        if (fabs(r->out.r[k].energy - energy) < 1e-9) {
            apply_record(fr, &r->out.r[k]);
            r->at = k + 1;
            break;
        }
    return mlk_frame_check(fr, e);
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    reader *r = mlk_alloc(1, sizeof *r);
    if (!r) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    bool more = true;
    int count = 0;
    mlk_status s = open_all(r, path, e);
    while (!s && more) {
        s = read_frame(r, &more, count + 1, e);
        if (!s && more) s = fn(&r->fr, user, e);
        if (!s && more) count++;
        mlk_frame_free(&r->fr);
    }
    if (!s && !count) s = MLK_FAIL(e, MLK_EFORMAT, "holds no frame");
    if (s && count && e) mlk_err_prefix(e, "%d complete frames, then: ", count);
    mlk_text_close(&r->pos);
    mlk_text_close(&r->frc);
    mlk_text_close(&r->cell);
    output_free(&r->out);
    mlk_free(r);
    return s ? mlk_err_at(e, path, 0) : MLK_OK;
}

/* A number of atoms, then " i = ..., time = ..., E = ...". */
static bool sniff(const char *path, const char *head, size_t n)
{
    char *end;
    (void)path, (void)n;
    if (strtol(head, &end, 10) < 1 || *(end += strspn(end, " \t\r")) != '\n') return false;
    const char *nl = strchr(end + 1, '\n');
    char line[256];
    snprintf(line, sizeof line, "%.*s", nl ? (int)(nl - end - 1) : 0, end + 1);
    return strstr(line, "i =") && strstr(line, "time =") && strstr(line, "E =") &&
           strstr(mlk_path_base(path), "-pos-");
}

static bool sniff_output(const char *path, const char *head, size_t n)
{
    (void)path, (void)n;
    const char *type = strstr(head, "GLOBAL| Run type");
    return type && strstr(head, "CP2K|") && (type = strstr(type, "ENERGY")) != NULL &&
           type < strchr(strstr(head, "GLOBAL| Run type"), '\n');
}

extern const mlk_parser mlk_parser_cp2k, mlk_parser_cp2k_output;
const mlk_parser mlk_parser_cp2k = {
    .name = "cp2k",
    .summary = "CP2K trajectory NAME-pos-N.xyz with forces, cells and output beside it",
    .rank = MLK_RANK_GOOD,
    .sniff = sniff,
    .parse = parse,
};
const mlk_parser mlk_parser_cp2k_output = {
    .name = "cp2k-output",
    .summary = "CP2K output of a single point",
    .rank = MLK_RANK_FAIR,
    .sniff = sniff_output,
    .parse = parse_output,
};
