/* outcar.c - VASP's OUTCAR, 5.x and 6.x: positions, forces, energy, stress of each ionic step.
 * Read line by line; most lines (eigenvalues, timings) are left after a look at their first
 * character. Facts honoured (docs/FORMATS.md): the energy is "free  energy   TOTEN" of the ionic
 * step, not of the SCF loop; "in kB" is positive under compression, in the order XX YY ZZ XY YZ ZX;
 * VASP before 6.2 prints "EDIFF is reached" even when NELM stopped the loop; blocks marked ML are
 * predictions of VASP's own force field, not DFT; a file can hold several runs. What happens before
 * the first step is in outcar_head.c. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/units.h"
#include "parsers/outcar_head.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "parsers/vasp_text.h"

enum { LOOP_NONE, LOOP_REACHED, LOOP_NOT_REACHED };

typedef struct step { /* what is known of the ionic step being read */
    bool open, table; /* anything seen; its table of forces is complete */
    bool after;       /* loops after a delivered step (linear response) */
    long line, label; /* of its first line; number printed by VASP, -1 unreadable */
    long n_scf, n_loop, loop;
    bool has_cell, has_stress, has_energy, energy_below;
    double h[3][3], kb[6], volume, energy, energy0, kinetic;
    long bad_cell, bad_stress, bad_x, bad_f, bad_energy; /* lines, 0 when fine */
} step;

typedef struct outcar {
    mlk_text_in t;
    mlk_frame_fn fn;
    void *user;
    mlk_outcar_head head;
    bool started, in_head, finished; /* of the current run */
    step now;
    long cell_rows, table_rule; /* > 0: inside these blocks */
    bool in_table;
    double (*x)[3], (*f)[3]; /* (n,3) of the current table */
    size_t x_cap, f_cap, n;
    bool has_last_cell;
    double last_h[3][3];
    bool executed;   /* " executed on" of the current run was seen */
    bool ml_open;    /* an ML block awaits the DFT block of its step */
    bool response;   /* loops of linear response follow the steps of this run */
    bool vdw_apart;  /* dispersion is in the forces but not in the energy of this run */
    long done_label; /* VASP's number of the last step, -1 none */
    int run;
    long n_step, n_out, n_ml, n_left_out, n_no_table;
} outcar;

static void reset_step(outcar *o)
{
    const step blank = {.energy = NAN, .energy0 = NAN, .kinetic = NAN, .volume = NAN, .label = -1};
    o->now = blank;
    o->cell_rows = 0;
    o->in_table = false;
    o->n = 0;
}

static void open_step(outcar *o)
{
    if (o->now.open) return;
    o->now.open = true;
    o->now.line = o->t.number;
}

static void left_out(outcar *o, long line, const char *why)
{
    o->n_left_out++;
    mlk_log(MLK_LOG_WARN, "%s:%ld: ionic step %ld left out: %s", o->t.path, line, o->n_step, why);
}

static int scf_state(const outcar *o)
{
    const step *s = &o->now;
    if (s->loop == LOOP_NOT_REACHED) return MLK_SCF_UNCONVERGED;
    if (s->n_scf == 0 || s->n_loop > 1) return MLK_SCF_UNKNOWN;
    if (s->loop == LOOP_REACHED &&
        (o->head.major > 6 || (o->head.major == 6 && o->head.minor >= 2)))
        return MLK_SCF_CONVERGED;
    return mlk_vasp_scf(s->n_scf, o->head.nelm);
}

/* The cell of the step: its own, or that of the steps before when it cannot have changed. */
static const char *choose_cell(outcar *o, mlk_cell *cell)
{
    step *s = &o->now;
    if (s->bad_cell) return "a lattice vector is not a number";
    if (!s->has_cell && (!o->has_last_cell || (o->head.isif >= 3 && o->n_out > 0)))
        return "its lattice vectors are not printed";
    if (!s->has_cell) memcpy(s->h, o->last_h, sizeof s->h);
    if (mlk_cell_init(cell, (const double(*)[3])s->h, NULL))
        return "its lattice vectors span no volume";
    if (fabs(cell->volume - s->volume) > 0.01 + 1e-5 * cell->volume)
        return "its lattice vectors contradict its 'volume of cell'";
    return NULL;
}

static void fill_labels(outcar *o, mlk_frame *fr)
{
    const step *s = &o->now;
    if (!s->bad_f) {
        memcpy(fr->f, o->f, o->n * sizeof *fr->f);
        fr->has |= MLK_HAS_FORCE;
    }
    if (isfinite(s->energy)) {
        fr->energy = s->energy;
        fr->energy0 = s->energy0;
        fr->energy_kind = MLK_ENERGY_FREE;
        fr->has |= MLK_HAS_ENERGY;
    }
    if (s->has_stress && !s->bad_stress) {
        for (int k = 0; k < 6; k++)
            fr->virial[mlk_voigt_a[k]][mlk_voigt_b[k]] =
                fr->virial[mlk_voigt_b[k]][mlk_voigt_a[k]] =
                    s->kb[k] * MLK_KBAR_EVA3 * fr->cell.volume;
        fr->has |= MLK_HAS_VIRIAL;
    }
    fr->scf = scf_state(o);
    fr->temperature = mlk_vasp_temperature(s->kinetic, o->n);
}

static mlk_status fill(outcar *o, const mlk_cell *cell, mlk_frame *fr, mlk_err *e)
{
    MLK_TRY(mlk_frame_init(fr, o->n, e));
    fr->cell = *cell;
    fr->has = MLK_HAS_CELL;
    size_t i = 0;
    for (size_t k = 0; k < o->head.n_count; k++)
        for (long c = 0; c < o->head.count[k].count && i < o->n; c++)
            fr->z[i++] = o->head.count[k].z;
    memcpy(fr->x, o->x, o->n * sizeof *fr->x);
    fill_labels(o, fr);
    fr->step = o->n_step < INT_MAX ? (int)o->n_step : 0;
    fr->line = o->now.line;
    fr->run = o->run > 1 ? o->run : 0;
    mlk_text_copy(fr->source, sizeof fr->source, o->t.path);
    mlk_vasp_title(fr->config_type, sizeof fr->config_type, o->head.system);
    mlk_vasp_level_text(&o->head.level, fr->theory, sizeof fr->theory);
    return MLK_OK;
}

static void warn_labels(const outcar *o)
{
    const step *s = &o->now;
    if (s->bad_f)
        mlk_log(MLK_LOG_WARN, "%s:%ld: the forces of ionic step %ld are not all numbers", o->t.path,
                s->bad_f, o->n_step);
    if (s->bad_stress)
        mlk_log(MLK_LOG_WARN, "%s:%ld: the stress of ionic step %ld is not all numbers", o->t.path,
                s->bad_stress, o->n_step);
    if (s->bad_energy)
        mlk_log(MLK_LOG_WARN, "%s:%ld: the energy of ionic step %ld is not a number", o->t.path,
                s->bad_energy, o->n_step);
    else if (!s->has_energy)
        mlk_log(MLK_LOG_WARN, "%s:%ld: ionic step %ld has no line 'free  energy   TOTEN'",
                o->t.path, s->line, o->n_step);
}

static mlk_status deliver(outcar *o, mlk_err *e)
{
    mlk_cell cell;
    mlk_frame fr = {0};
    if (o->now.bad_x) {
        left_out(o, o->now.bad_x, "a position is not a number");
        return MLK_OK;
    }
    const char *why = choose_cell(o, &cell);
    if (why) {
        left_out(o, o->now.bad_cell ? o->now.bad_cell : o->now.line, why);
        return MLK_OK;
    }
    warn_labels(o);
    mlk_status s = fill(o, &cell, &fr, e);
    if (!s) s = mlk_frame_check(&fr, e);
    if (!s) s = o->fn(&fr, o->user, e);
    if (!s) o->n_out++;
    mlk_frame_free(&fr);
    return s ? mlk_err_at(e, o->t.path, o->now.line) : MLK_OK;
}

/* The step is over. Without a table of forces (NWRITE = 0 or 1 prints it only now and then) there
 * is nothing to deliver. */
static mlk_status end_step(outcar *o, mlk_err *e)
{
    mlk_status s = MLK_OK;
    if (o->now.open) o->done_label = o->now.label;
    if (o->now.table) {
        s = deliver(o, e);
        if (o->now.has_cell && !o->now.bad_cell) {
            memcpy(o->last_h, o->now.h, sizeof o->last_h);
            o->has_last_cell = true;
        }
    } else if (o->now.has_energy) {
        if (!o->ml_open) o->n_step++;
        o->ml_open = false;
        if (!o->n_no_table++)
            left_out(o, o->now.line, "no table of positions and forces (NWRITE = 2 prints all)");
        else
            o->n_left_out++;
    }
    reset_step(o);
    return s;
}

/* Is the step being read whole, should nothing more come? */
static bool whole(const step *s)
{
    return s->table && s->has_energy;
}

/* ---- what the lines say ---- */

static void announce_run(const outcar *o)
{
    char before[96] = "the one before is complete";
    if (!o->finished && o->now.open && !o->now.after)
        snprintf(before, sizeof before,
                 "the one before ends early, inside the ionic step of line %ld", o->now.line);
    else if (!o->finished)
        snprintf(before, sizeof before, "the one before ends early, after an ionic step");
    mlk_log(MLK_LOG_WARN, "%s:%ld: run %d begins here; %s", o->t.path, o->t.number, o->run, before);
}

static mlk_status begin_run(outcar *o, mlk_err *e)
{
    if (o->started) {
        if (whole(&o->now)) MLK_TRY(end_step(o, e));
        o->run++;
        announce_run(o);
    }
    o->started = o->in_head = true;
    o->finished = o->has_last_cell = o->ml_open = false;
    o->executed = o->vdw_apart = o->response = false;
    o->done_label = -1;
    reset_step(o);
    mlk_outcar_head_begin(&o->head, o->t.line);
    return MLK_OK;
}

static mlk_status end_head(outcar *o, mlk_err *e)
{
    if (!o->in_head) return MLK_OK;
    o->in_head = false;
    if (mlk_outcar_head_resolve(&o->head, e)) return mlk_text_err(&o->t, e);
    return MLK_OK;
}

/* "---- Iteration    1(   1)  ----": s stands behind the word. */
static mlk_status on_iteration(outcar *o, const char *s, mlk_err *e)
{
    char *end;
    long label = strtol(s, &end, 10);
    MLK_TRY(end_head(o, e));
    if (end == s) label = -1;
    step *now = &o->now;
    if (now->table || (now->n_scf && label != now->label)) MLK_TRY(end_step(o, e));
    if (!now->n_scf) { /* what stood before the first loop is of no step: the head, or ML */
        reset_step(o);
        open_step(o);
        now->label = label;
        now->after = o->response || (label >= 0 && label == o->done_label);
    }
    if (!now->n_loop) now->n_scf++;
    return MLK_OK;
}

static void on_loop_end(outcar *o, const char *s)
{
    step *now = &o->now;
    if (now->table || !now->open) return;
    if (!now->n_loop++) now->loop = strstr(s, "EDIFF is reached") ? LOOP_REACHED : LOOP_NOT_REACHED;
}

static mlk_status on_table(outcar *o, mlk_err *e)
{
    MLK_TRY(end_head(o, e));
    const bool ml = strstr(o->t.line, "(ML)");
    if (ml || o->now.table) MLK_TRY(end_step(o, e));
    if (ml) {
        o->n_ml++;
        o->n_step++;
        o->ml_open = true;
        return MLK_OK;
    }
    open_step(o);
    o->now.after = false;
    if (!o->ml_open) o->n_step++;
    o->ml_open = false;
    o->in_table = true;
    o->table_rule = 0;
    o->n = 0;
    return MLK_OK;
}

/* The table is not what it should be: nothing of this step can be used. */
static void drop_table(outcar *o, const char *why)
{
    left_out(o, o->t.number, why);
    o->done_label = o->now.label;
    reset_step(o);
}

static void end_table(outcar *o)
{
    char why[96];
    o->in_table = false;
    if (o->n && (long)o->n == o->head.n_atoms) {
        o->now.table = true;
        return;
    }
    snprintf(why, sizeof why, "its table of forces has %zu rows, expected %ld", o->n,
             o->head.n_atoms);
    drop_table(o, why);
}

/* Columns 1-6: positions with five decimals, forces with six; what follows them is the force
 * without a dispersion correction. */
static mlk_status table_row(outcar *o, mlk_err *e)
{
    const char *p = o->t.line;
    MLK_TRY(MLK_GROW(o->x, o->x_cap, o->n + 1, e));
    MLK_TRY(MLK_GROW(o->f, o->f_cap, o->n + 1, e));
    if (mlk_vasp_fields(&p, 3, 5, o->x[o->n]) < 3) {
        if (!strchr(p, '*')) {
            drop_table(o, "a line that is no row stands in its table of forces");
            return MLK_OK;
        }
        if (!o->now.bad_x) o->now.bad_x = o->t.number;
    } else if (mlk_vasp_fields(&p, 3, 6, o->f[o->n]) < 3 && !o->now.bad_f) {
        o->now.bad_f = o->t.number;
    }
    o->n++;
    return MLK_OK;
}

static mlk_status table_line(outcar *o, const char *s, mlk_err *e)
{
    if (!strncmp(s, "---", 3)) {
        if (++o->table_rule == 2) end_table(o);
        return MLK_OK;
    }
    if (o->table_rule == 1 && (long)o->n < o->head.n_atoms) return table_row(o, e);
    drop_table(o, "its table of forces has more rows than there are atoms");
    return MLK_OK;
}

static void cell_line(outcar *o)
{
    step *now = &o->now;
    const char *p = o->t.line;
    if (mlk_vasp_fields(&p, 3, 9, now->h[3 - o->cell_rows]) < 3 && !now->bad_cell)
        now->bad_cell = o->t.number;
    if (--o->cell_rows) return;
    now->has_cell = true;
    if (o->in_head && !o->has_last_cell && !now->bad_cell) {
        memcpy(o->last_h, now->h, sizeof o->last_h);
        o->has_last_cell = true;
    }
}

/* The block with six blanks before its title: others are primitive cells. In the head the first
 * one counts, the next can be that of an old WAVECAR. */
static void on_cell(outcar *o, size_t blanks)
{
    if (blanks < 6 || o->now.table) return;
    o->now.bad_cell = 0;
    o->cell_rows = 3;
}

static void on_stress(outcar *o, const char *s)
{
    step *now = &o->now;
    if (now->table) return;
    now->has_stress = true;
    now->bad_stress = mlk_vasp_fields_only(s, 6, 5, NULL, now->kb) ? 0 : o->t.number;
}

/* Below the table of forces; VASP before 5.3 prints it above. */
static void on_energy(outcar *o, const char *s)
{
    step *now = &o->now;
    if (!now->open || (now->has_energy && now->energy_below)) return;
    now->has_energy = true;
    now->energy_below = now->table;
    now->bad_energy = 0;
    now->energy0 = NAN;
    if (!o->vdw_apart && strstr(s, "eV") && mlk_vasp_fields_only(s, 1, 8, "eV", &now->energy))
        return;
    now->energy = NAN;
    now->bad_energy = o->t.number;
}

static void on_energy0(outcar *o, const char *s)
{
    static const char key[] = "energy(sigma->0) =";
    const char *v = strstr(s, key);
    if (!v || !o->now.has_energy || o->now.bad_energy || !isnan(o->now.energy0)) return;
    if (!mlk_vasp_fields_only(v + sizeof key - 1, 1, 8, "eV", &o->now.energy0))
        o->now.energy0 = NAN;
}

static void on_kinetic(outcar *o, const char *s)
{
    const char *v = strchr(s, '=');
    if (!v || !whole(&o->now)) return;
    if (!mlk_vasp_fields_only(v + 1, 1, 6, NULL, &o->now.kinetic)) o->now.kinetic = NAN;
}

static void on_volume(outcar *o, const char *s)
{
    if (!o->now.table && !mlk_number(&s, &o->now.volume)) o->now.volume = NAN;
}

/* VASP 5.2 added the DFT-D2 term to forces and stress but not to the energies of OUTCAR. */
static void on_dispersion(outcar *o)
{
    if (o->head.major != 5 || o->head.minor > 2 || o->vdw_apart) return;
    o->vdw_apart = true;
    mlk_log(MLK_LOG_WARN,
            "%s:%ld: VASP 5.2 leaves the dispersion energy out of the energies of OUTCAR, while "
            "the forces contain it: energies not used, read vasprun.xml instead",
            o->t.path, o->t.number);
}

static bool begins(const char *s, const char *with)
{
    return !strncmp(s, with, strlen(with));
}

static mlk_status on_rule(outcar *o, const char *s, mlk_err *e)
{
    while (*s == '-') s++;
    if (begins(s, " Iteration")) return on_iteration(o, s + 10, e);
    if (begins(s, " aborting loop")) on_loop_end(o, s);
    return MLK_OK;
}

static mlk_status on_finish(outcar *o, mlk_err *e)
{
    o->finished = true;
    return end_step(o, e);
}

/* The second line of a head; its first may be lost where a cut file was continued. */
static mlk_status on_executed(outcar *o, mlk_err *e)
{
    if (!o->started || !o->in_head || o->executed) MLK_TRY(begin_run(o, e));
    o->executed = true;
    return MLK_OK;
}

static mlk_status one_line(outcar *o, mlk_err *e)
{
    const char *s = o->t.line;
    while (*s == ' ') s++;
    const size_t blanks = (size_t)(s - o->t.line);
    if (*s == 'v' && begins(s, "vasp.") && s[5] >= '0' && s[5] <= '9') return begin_run(o, e);
    if (*s == 'e' && begins(s, "executed on ")) return on_executed(o, e);
    if (o->in_table) return table_line(o, s, e);
    if (o->cell_rows) {
        cell_line(o);
        return MLK_OK;
    }
    if (o->in_head) MLK_TRY(mlk_outcar_head_line(&o->head, o->t.line, o->t.number, e));
    switch (*s) { /* numbers, most of the file, end here */
    case '-':
        return blanks ? MLK_OK : on_rule(o, s, e);
    case 'P':
        if (begins(s, "POSITION ") && strstr(s, "TOTAL-FORCE (eV")) return on_table(o, e);
        break;
    case 'G':
        if (begins(s, "General timing")) return on_finish(o, e);
        break;
    case 'd':
        if (begins(s, "direct lattice vectors")) on_cell(o, blanks);
        break;
    case 'v':
        if (begins(s, "volume of cell :")) on_volume(o, s + 16);
        break;
    case 'i':
        if (begins(s, "in kB ")) on_stress(o, s + 6);
        break;
    case 'f':
        if (begins(s, "free  energy   TOTEN  =")) on_energy(o, s + 23);
        break;
    case 'e':
        if (begins(s, "energy  without")) on_energy0(o, s);
        break;
    case 'k':
        if (begins(s, "kinetic energy EKIN") || begins(s, "kinetic Energy EKIN")) on_kinetic(o, s);
        break;
    case 'I':
        if (!o->in_head && begins(s, "IVDW"))
            return mlk_outcar_head_line(&o->head, o->t.line, o->t.number, e);
        break;
    case 'L':
        if (!o->in_head && begins(s, "Linear response")) o->response = true;
        break;
    case 'E':
        if (begins(s, "Estimated vdW energy")) on_dispersion(o);
        break;
    default:
        break;
    }
    return MLK_OK;
}

/* ---- the file ---- */

/* Every line that has its end: the last one without may be cut inside a number. */
static mlk_status read_lines(outcar *o, bool *cut, mlk_err *e)
{
    for (;;) {
        bool more;
        mlk_err why = {0};
        mlk_status s = mlk_text_next(&o->t, &more, &why);
        if (s == MLK_EFORMAT) { /* what came before is good */
            *cut = true;
            if (whole(&o->now)) MLK_TRY(end_step(o, e));
        }
        if (s) {
            if (e) *e = why;
            return s;
        }
        if (!more || o->t.open_ended) break;
        MLK_TRY(one_line(o, e));
    }
    if (whole(&o->now)) MLK_TRY(end_step(o, e));
    return MLK_OK;
}

static mlk_status early_end(const outcar *o, mlk_err *e)
{
    if (o->now.open && !o->now.after)
        MLK_FAIL(e, MLK_EFORMAT,
                 "the file ends early, inside ionic step %ld (it begins in line %ld); %ld complete "
                 "steps before it",
                 o->n_step + (!o->in_table && !o->now.table && !o->ml_open), o->now.line, o->n_out);
    else
        MLK_FAIL(e, MLK_EFORMAT, "the file ends early, after %ld complete ionic steps", o->n_out);
    mlk_vasp_early_end(o->n_out, e);
    return mlk_text_err(&o->t, e);
}

static mlk_status verdict(const outcar *o, mlk_err *e)
{
    if (!o->started) {
        MLK_FAIL(e, MLK_EFORMAT,
                 "no line ' vasp.<version>': not an OUTCAR, or its head is missing");
        return mlk_text_err(&o->t, e);
    }
    if (o->n_no_table > 1)
        mlk_log(MLK_LOG_WARN, "%s: %ld ionic steps have no table of positions and forces",
                o->t.path, o->n_no_table);
    if (!o->finished) return early_end(o, e);
    if (o->n_out) {
        if (o->n_ml)
            mlk_log(
                MLK_LOG_INFO,
                "%s: %ld DFT steps read; %ld blocks predicted by VASP's own force field skipped",
                o->t.path, o->n_out, o->n_ml);
        return MLK_OK;
    }
    if (o->n_ml)
        MLK_FAIL(e, MLK_EFORMAT, "holds no DFT step, only %ld predicted by VASP's own force field",
                 o->n_ml);
    else
        MLK_FAIL(e, MLK_EFORMAT, "holds no usable ionic step (%ld left out)", o->n_left_out);
    mlk_err_hint(e, o->n_ml ? "predictions are no training data"
                            : "GW, optics and similar runs carry no forces; use the ground-state "
                              "run");
    return mlk_text_err(&o->t, e);
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    outcar *o = mlk_alloc(1, sizeof *o);
    if (!o) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    bool cut = false;
    o->fn = fn;
    o->user = user;
    o->run = 1;
    o->done_label = -1;
    reset_step(o);
    mlk_status s = mlk_text_open(&o->t, path, e);
    if (!s) s = read_lines(o, &cut, e);
    if (!s) s = verdict(o, e);
    if (cut && o->n_out) mlk_err_prefix(e, "%ld complete ionic steps, then: ", o->n_out);
    mlk_text_close(&o->t);
    mlk_outcar_head_free(&o->head);
    mlk_free(o->x), mlk_free(o->f);
    mlk_free(o);
    return s;
}

/* " vasp.<version>" and, below it, " executed on": the standard output of VASP has only the first.
 */
static bool sniff(const char *path, const char *head, size_t n)
{
    bool version = false;
    (void)path, (void)n;
    for (int k = 0; k < 40 && head; k++) {
        const char *s = head + strspn(head, " ");
        if (begins(s, "vasp.") && s[5] >= '0' && s[5] <= '9') version = true;
        if (version && begins(s, "executed on")) return true;
        head = strchr(head, '\n');
        if (head) head++;
    }
    return false;
}

extern const mlk_parser mlk_parser_outcar;
const mlk_parser mlk_parser_outcar = {
    .name = "outcar",
    .summary = "VASP OUTCAR, 5.x and 6.x",
    .rank = MLK_RANK_FAIR,
    .sniff = sniff,
    .parse = parse,
};
