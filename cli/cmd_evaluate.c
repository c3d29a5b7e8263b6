/* cmd_evaluate.c - mlkit evaluate: single points as extended XYZ.
 *
 * Per atom: species, position, energy, forces (3), virial (9: W_i[a][b] row by row,
 * docs/THEORY.md). On the comment line: energy [eV] with reference energies, stress [eV/A^3] as
 * nine numbers, tension positive. The per-atom energies do not contain the reference energies. */
#include <math.h>
#include <string.h>

#include "cli/cmd.h"
#include "core/element.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/units.h"
#include "parsers/parser.h"
#include "potentials/potential.h"

typedef struct cfg {
    mlk_common common;
    char out[MLK_OPT_STR_MAX];
    bool last;
} cfg;

static const mlk_opt opts[] = {{"o", MLK_OPT_STR, offsetof(cfg, out), "", 0, 0, "",
                                "extended XYZ file to write (default: stdout)"},
                               {"last", MLK_OPT_FLAG, offsetof(cfg, last), "false", 0, 0, "",
                                "only the last frame of each file"},
                               MLK_COMMON_OPTS(cfg),
                               {0}};

typedef struct job {
    const mlk_potential *pot;
    mlk_neigh nl;
    mlk_eval ev;
    FILE *out;    /* NULL with --json and no -o */
    json_t *list; /* NULL without --json */
    const char *path;
    size_t n, at;   /* frames evaluated; frame of this file that is looked at, from 1 */
    mlk_frame keep; /* with --last */
    bool last;
} job;

static void write_frame(FILE *f, const mlk_frame *fr, const mlk_eval *ev, double energy)
{
    fprintf(f, "%zu\n", fr->n);
    if (fr->has & MLK_HAS_CELL) {
        fprintf(f, "Lattice=\"");
        for (int k = 0; k < 9; k++) fprintf(f, "%s%.12g", k ? " " : "", fr->cell.h[k / 3][k % 3]);
        fprintf(f, "\" pbc=\"%c %c %c\" ", fr->cell.pbc[0] ? 'T' : 'F', fr->cell.pbc[1] ? 'T' : 'F',
                fr->cell.pbc[2] ? 'T' : 'F');
    }
    fprintf(
        f, "Properties=species:S:1:pos:R:3:energy:R:1:forces:R:3:virial:R:9 energy=%.12g stress=\"",
        energy);
    for (int k = 0; k < 9; k++)
        fprintf(f, "%s%.10g", k ? " " : "", -ev->W[k / 3][k % 3] / fr->cell.volume);
    fprintf(f, "\"\n");
    for (size_t i = 0; i < fr->n; i++) {
        fprintf(f, "%-2s %.10f %.10f %.10f %.12g", mlk_element_symbol(fr->z[i]), fr->x[i][0],
                fr->x[i][1], fr->x[i][2], ev->u[i]);
        for (int k = 0; k < 3; k++) fprintf(f, " %.12g", ev->f[i][k]);
        for (int k = 0; k < 9; k++) fprintf(f, " %.12g", ev->w[i][k]);
        fputc('\n', f);
    }
}

static json_t *frame_json(const job *b, const mlk_frame *fr, double energy)
{
    json_t *forces = json_array(), *stress = json_array();
    for (size_t i = 0; i < fr->n; i++) json_array_append_new(forces, mlk_json_reals(b->ev.f[i], 3));
    for (int a = 0; a < 3; a++) {
        double row[3];
        for (int c = 0; c < 3; c++) row[c] = -b->ev.W[a][c] / fr->cell.volume * MLK_EVA3_GPA;
        json_array_append_new(stress, mlk_json_reals(row, 3));
    }
    return json_pack("{s:s,s:i,s:o,s:o,s:o,s:o}", "source", b->path, "n_atoms", (int)fr->n,
                     "energy_eV", mlk_json_real(energy), "energies_eV",
                     mlk_json_reals(b->ev.u, fr->n), "forces_eV_A", forces, "stress_GPa", stress);
}

static mlk_status evaluate(job *b, const mlk_frame *fr, mlk_err *e)
{
    b->n++;
    mlk_status s = mlk_frame_check(fr, e);
    if (!s) s = mlk_potential_eval_frame(b->pot, fr, MLK_WANT_W, &b->nl, &b->ev, e);
    if (s) {
        mlk_err_at(e, b->path, fr->line);
        mlk_err_prefix(e, "frame %zu: ", b->at);
        return s;
    }
    double energy = b->ev.U;
    for (size_t i = 0; i < fr->n; i++)
        for (size_t t = 0; t < b->pot->n_species; t++)
            if (b->pot->z[t] == fr->z[i]) energy += b->pot->e0[t];
    if (b->out) write_frame(b->out, fr, &b->ev, energy);
    if (b->list) json_array_append_new(b->list, frame_json(b, fr, energy));
    return MLK_OK;
}

static mlk_status on_frame(mlk_frame *fr, void *user, mlk_err *e)
{
    job *b = user;
    b->at++;
    if (!b->last) return evaluate(b, fr, e);
    mlk_frame_free(&b->keep);
    b->keep = *fr;
    memset(fr, 0, sizeof *fr);
    return MLK_OK;
}

static mlk_status run(const cfg *c, int n_words, char **words, mlk_err *e)
{
    mlk_potential *pot = NULL;
    mlk_out o = {0};
    job b = {.last = c->last};
    mlk_status s = MLK_OK;
    if (n_words < 2) {
        MLK_FAIL(e, MLK_EINVAL, n_words ? "no structure given" : "no model given");
        mlk_err_hint(e, "mlkit evaluate MODEL STRUCTURE... [-o out.xyz]");
        return MLK_EINVAL;
    }
    MLK_GO(mlk_potential_read(&pot, words[0], e));
    b.pot = pot;
    if (c->common.json) b.list = json_array();
    if (c->out[0]) {
        MLK_GO(mlk_out_begin(&o, c->out, e));
        b.out = o.fp;
    } else if (!b.list) {
        b.out = stdout;
    }
    for (int k = 1; k < n_words; k++) {
        size_t before = b.n;
        b.path = words[k];
        b.at = 0;
        MLK_GO(mlk_parse_file(words[k], on_frame, &b, NULL, e));
        if (b.last && b.keep.n) MLK_GO(evaluate(&b, &b.keep, e));
        mlk_frame_free(&b.keep);
        if (b.n == before) {
            s = MLK_FAIL(e, MLK_EFORMAT, "holds no structure");
            mlk_err_at(e, words[k], 0);
            goto done;
        }
    }
    if (c->out[0]) {
        MLK_GO(mlk_out_commit(&o, e));
        mlk_log(MLK_LOG_INFO, "%zu frames written to %s", b.n, c->out);
    }
    if (b.list) {
        json_t *j = json_pack("{s:s,s:O}", "model", words[0], "frames", b.list);
        s = mlk_json_write(j, "-", e);
        json_decref(j);
    }
done:
    if (s) mlk_out_abort(&o);
    json_decref(b.list);
    mlk_frame_free(&b.keep);
    mlk_neigh_free(&b.nl);
    mlk_eval_free(&b.ev);
    mlk_potential_destroy(pot);
    return s;
}

mlk_status mlk_cmd_evaluate(int argc, char **argv, mlk_err *e)
{
    cfg c;
    int n;
    char **words;
    bool done;
    MLK_TRY(mlk_cmd_begin(
        opts, &c, argc, argv, NULL, "mlkit evaluate MODEL STRUCTURE... [-o out.xyz]",
        "Energy, forces and virials of structures (every frame of each file) as extended XYZ with\n"
        "per-atom columns energy, forces (3) and virial (9, not symmetric), and energy= and "
        "stress=\n"
        "(eV/A^3, tension positive) on the comment line.",
        "mlkit evaluate mlkit-train/nep-1 POSCAR -o out.xyz", &n, &words, &done, e));
    return done ? MLK_OK : run(&c, n, words, e);
}
