/* vaspout.c - VASP 6's vaspout.h5, also compressed. /intermediate/ion_dynamics holds one row per
 * ionic step: energies in columns named by energies_tags, forces, stress in kB (positive under
 * compression), lattice vectors and fractional positions; /results/positions says which atoms.
 * A run in progress can leave arrays of different length: the shortest counts. Steps of VASP's own
 * force field cannot be told from DFT steps here, so such runs are refused. The HDF5 library
 * crashes on some damaged files, so it runs in a process of its own (isolate.h). */
#include "parsers/vaspout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/file.h"
#include "core/h5.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/units.h"
#include "parsers/isolate.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "parsers/vasp_level.h"
#include "parsers/vasp_text.h"

#define DYN "/intermediate/ion_dynamics/"
#define POS "/results/positions/"
enum { BLOCK_BYTES = 1 << 22, NELM_DEFAULT = 60, COLUMNS_MAX = 256 };
static const char MAGIC[] = "\x89HDF\r\n\x1a\n";

/* Arrays with one row per ionic step. */
typedef enum { LATTICE, POSITIONS, FORCES, STRESS, ENERGIES, N_ARRAYS } array;
static const char *const paths[N_ARRAYS] = {
    [LATTICE] = DYN "lattice_vectors", [POSITIONS] = DYN "position_ions", [FORCES] = DYN "forces",
    [STRESS] = DYN "stress",           [ENERGIES] = DYN "energies",
};

typedef struct reader {
    mlk_h5 *h;
    const char *path;
    char *image;
    size_t bytes;
    size_t n, steps, row[N_ARRAYS]; /* atoms; steps; numbers per row of each array, 0: absent */
    double *block[N_ARRAYS];
    int *z, *scf;                          /* (n), (steps) */
    int free_energy, energy0, temperature; /* columns, -1 when absent */
    double scale;
    bool warned_lost;
    char config_type[64], theory[128];
} reader;

static mlk_status refuse(const reader *r, mlk_err *e)
{
    return mlk_err_at(e, r->path, 0);
}

/* A single number; false when it is not there or not one. */
static bool scalar(const reader *r, const char *path, double *v)
{
    int nd;
    size_t dim[4];
    if (!mlk_h5_exists(r->h, path) || mlk_h5_dims(r->h, path, &nd, dim, NULL)) return false;
    for (int k = 0; k < nd; k++)
        if (dim[k] != 1) return false;
    return !mlk_h5_read(r->h, path, MLK_H5_DOUBLE, v, NULL) && isfinite(*v);
}

/* A single text to be mlk_free'd, or NULL. */
static char *text(const reader *r, const char *path)
{
    char **s = NULL, *found = NULL;
    size_t n = 0;
    if (!mlk_h5_exists(r->h, path)) return NULL;
    if (!mlk_h5_read_texts(r->h, path, &s, &n, NULL) && n == 1) {
        found = s[0];
        s[0] = NULL;
    }
    mlk_strings_free(s, n);
    return found;
}

/* ---- the level of theory ---- */

static bool switched_on(const reader *r, const char *path)
{
    double v;
    return scalar(r, path, &v) && v != 0;
}

/* The INCAR holds what the user set: the share of exact exchange may be VASP's default. */
static void read_theory(reader *r)
{
    mlk_vasp_level l;
    mlk_vasp_level_init(&l);
    char *potcar = text(r, "/input/potcar/content"), *gga = text(r, "/input/incar/GGA"),
         *metagga = text(r, "/input/incar/METAGGA");
    if (gga) mlk_text_trim(l.gga, sizeof l.gga, gga);
    if (metagga) mlk_vasp_level_metagga(&l, metagga);
    if (potcar) mlk_vasp_level_potcar_file(&l, potcar);
    mlk_free(potcar), mlk_free(gga), mlk_free(metagga);
    scalar(r, "/input/incar/ENCUT", &l.encut);
    scalar(r, "/input/incar/IVDW", &l.ivdw);
    l.lvdw = switched_on(r, "/input/incar/LVDW");
    l.ldau = switched_on(r, "/input/incar/LDAU");
    l.hybrid = switched_on(r, "/input/incar/LHFCALC");
    if (!scalar(r, "/input/incar/AEXX", &l.aexx))
        l.aexx = switched_on(r, "/input/incar/LRHFCALC") ? 1 : 0.25;
    scalar(r, "/input/incar/HFSCREEN", &l.hfscreen);
    if (l.potcar[0]) mlk_vasp_level_text(&l, r->theory, sizeof r->theory);
}

/* ---- what is in the file ---- */

/* Elements and numbers of atoms, below /results/positions or, early in a run, /input/poscar. */
static mlk_status read_types(reader *r, const char *types, const char *counts, mlk_err *e)
{
    char **symbol = NULL;
    size_t n = 0, dim[4] = {1}, sum = 0;
    int nd, *count = NULL;
    mlk_status s = mlk_h5_read_texts(r->h, types, &symbol, &n, e);
    if (!s) s = mlk_h5_dims(r->h, counts, &nd, dim, e);
    if (!s && (nd > 1 || dim[0] != n))
        s = MLK_FAIL(e, MLK_EFORMAT, "%zu elements in '%s', but %zu numbers in '%s'", n, types,
                     dim[0], counts);
    if (!s && !(count = mlk_alloc(n, sizeof *count))) s = MLK_FAIL(e, MLK_ENOMEM, "elements");
    if (!s) s = mlk_h5_read(r->h, counts, MLK_H5_INT, count, e);
    for (size_t k = 0; !s && k < n; k++) {
        sum += (size_t)(count[k] > 0 ? count[k] : 0);
        if (count[k] < 1) s = MLK_FAIL(e, MLK_EFORMAT, "%d atoms of one element", count[k]);
    }
    if (!s && sum != r->n)
        s = MLK_FAIL(e, MLK_EFORMAT, "%zu atoms in '%s', but %zu in '%s'", sum, counts, r->n,
                     paths[POSITIONS]);
    if (!s && !(r->z = mlk_alloc(r->n, sizeof *r->z))) s = MLK_FAIL(e, MLK_ENOMEM, "elements");
    for (size_t k = 0, i = 0; !s && k < n; k++) {
        int z = mlk_vasp_element(symbol[k]);
        if (!z) s = MLK_FAIL(e, MLK_EFORMAT, "unknown element '%.20s' in '%s'", symbol[k], types);
        for (int c = 0; !s && c < count[k]; c++) r->z[i++] = z;
    }
    mlk_free(count);
    mlk_strings_free(symbol, n);
    return s;
}

/* Shapes: every array (steps, ...), the shortest gives the number of steps. */
static mlk_status read_shapes(reader *r, mlk_err *e)
{
    static const int ndim[N_ARRAYS] = {
        [LATTICE] = 3, [POSITIONS] = 3, [FORCES] = 3, [STRESS] = 3, [ENERGIES] = 2};
    size_t longest = 0;
    r->steps = SIZE_MAX;
    for (array k = LATTICE; k < N_ARRAYS; k++) {
        int nd;
        size_t dim[4];
        if (!mlk_h5_exists(r->h, paths[k])) {
            if (k > POSITIONS) continue;
            return MLK_FAIL(e, MLK_EFORMAT, "there is no '%s': no ionic step was finished",
                            paths[k]);
        }
        MLK_TRY(mlk_h5_dims(r->h, paths[k], &nd, dim, e));
        bool ok = nd == ndim[k] && (nd == 2 || dim[2] == 3);
        if (k == LATTICE || k == STRESS) ok = ok && dim[1] == 3;
        if (k == POSITIONS) r->n = ok ? dim[1] : 0;
        if (k == POSITIONS || k == FORCES) ok = ok && dim[1] > 0 && dim[1] == r->n;
        if (k == ENERGIES) ok = ok && dim[1] > 0 && dim[1] <= COLUMNS_MAX;
        if (!ok) return MLK_FAIL(e, MLK_EFORMAT, "'%s' has an unexpected shape", paths[k]);
        r->row[k] = nd == 2 ? dim[1] : dim[1] * 3;
        if (dim[0] < r->steps) r->steps = dim[0];
        if (dim[0] > longest) longest = dim[0];
    }
    if (!r->steps) return MLK_FAIL(e, MLK_EFORMAT, "no ionic step was finished");
    if (longest > r->steps)
        mlk_log(MLK_LOG_WARN,
                "%s: the arrays hold %zu to %zu steps (a run that was stopped, or is "
                "going on): %zu are read",
                r->path, r->steps, longest, r->steps);
    return MLK_OK;
}

/* Same words? Blanks count as one. */
static bool same_words(const char *a, const char *b)
{
    for (;;) {
        a += strspn(a, " \t");
        b += strspn(b, " \t");
        size_t n = strcspn(a, " \t"), m = strcspn(b, " \t");
        if (n != m || strncasecmp(a, b, n)) return false;
        if (!n) return true;
        a += n;
        b += n;
    }
}

/* Which column is which energy? In MD the free energy is called "ion-electron TOTEN". */
static mlk_status read_tags(reader *r, mlk_err *e)
{
    char **tag = NULL;
    size_t n = 0;
    r->free_energy = r->energy0 = r->temperature = -1;
    if (!r->row[ENERGIES]) return MLK_OK;
    mlk_status s = mlk_h5_read_texts(r->h, DYN "energies_tags", &tag, &n, e);
    if (!s && n != r->row[ENERGIES])
        s = MLK_FAIL(e, MLK_EFORMAT, "%zu names for %zu columns of energies", n, r->row[ENERGIES]);
    for (size_t k = 0; !s && k < n; k++) {
        if (same_words(tag[k], "free energy TOTEN") || same_words(tag[k], "ion-electron TOTEN"))
            r->free_energy = (int)k;
        if (same_words(tag[k], "energy(sigma->0)")) r->energy0 = (int)k;
        if (same_words(tag[k], "temperature TEIN")) r->temperature = (int)k;
    }
    if (!s && r->free_energy < 0)
        mlk_log(MLK_LOG_WARN,
                "%s: none of the energies is 'free energy TOTEN': steps are read "
                "without energy",
                r->path);
    mlk_strings_free(tag, n);
    return s;
}

/* The lattice vectors of the steps times r->scale are in Angstrom. A scale beside them says so;
 * that of /results/positions belongs to the vectors there, so those of the steps are compared with
 * them. */
static mlk_status read_scale(reader *r, mlk_err *e)
{
    double last[9], final[9], scale = 1;
    mlk_cell a, b;
    int nd;
    size_t dim[4];
    r->scale = 1;
    if (!scalar(r, DYN "scale", &scale)) {
        if (!scalar(r, POS "scale", &scale) || scale == 1) return MLK_OK;
        mlk_status s = mlk_h5_dims(r->h, POS "lattice_vectors", &nd, dim, e);
        if (!s && (nd != 2 || dim[0] != 3 || dim[1] != 3)) s = MLK_EFORMAT;
        if (!s) s = mlk_h5_read(r->h, POS "lattice_vectors", MLK_H5_DOUBLE, final, e);
        if (!s) s = mlk_h5_read_rows(r->h, paths[LATTICE], MLK_H5_DOUBLE, r->steps - 1, 1, last, e);
        if (!s) s = mlk_cell_init(&a, (const double(*)[3])last, NULL);
        if (!s) s = mlk_cell_init(&b, (const double(*)[3]) final, NULL);
        const double ratio = s ? 0 : a.volume / b.volume, cube = scale > 0 ? pow(scale, 3) : 0;
        if (ratio > 0 && cube > 0 && fabs(log(ratio / cube)) < fabs(log(ratio))) scale = 1;
        if (ratio == 0 || scale <= 0)
            return MLK_FAIL(e, MLK_EFORMAT, "the scale of the lattice vectors (%g) is not clear",
                            scale);
    }
    if (!(scale > 0)) return MLK_FAIL(e, MLK_EFORMAT, "the scale of the lattice is %g", scale);
    r->scale = scale;
    return MLK_OK;
}

/* ---- SCF ---- */

/* VASP 6.5 writes a number per step, 0 for a converged one. */
static bool scf_stated(reader *r)
{
    int nd;
    size_t dim[4] = {0, 1, 1, 1};
    const char *path = DYN "electronic_step_converged";
    if (!mlk_h5_exists(r->h, path) || mlk_h5_dims(r->h, path, &nd, dim, NULL)) return false;
    if (nd < 1 || nd > 2 || (nd == 2 && dim[1] != 1) || dim[0] < r->steps) return false;
    double *v = mlk_alloc(dim[0], sizeof *v);
    bool ok = v && !mlk_h5_read(r->h, path, MLK_H5_DOUBLE, v, NULL);
    for (size_t i = 0; ok && i < r->steps; i++)
        r->scf[i] = v[i] == 0 ? MLK_SCF_CONVERGED : MLK_SCF_UNCONVERGED;
    mlk_free(v);
    return ok;
}

/* The SCF history: rows (N, E, dE, ...), N starts from 1 in each ionic step. */
static void scf_counted(reader *r)
{
    int nd;
    size_t dim[4], loops = 0, step = 0;
    double nelm = NELM_DEFAULT;
    const char *path = DYN "oszicar";
    if (!mlk_h5_exists(r->h, "/input/incar") || !mlk_h5_exists(r->h, path)) return;
    if (mlk_h5_exists(r->h, "/input/incar/NELM") && !scalar(r, "/input/incar/NELM", &nelm)) return;
    if (mlk_h5_dims(r->h, path, &nd, dim, NULL) || nd != 2 || !dim[0] || !dim[1]) return;
    double *v = mlk_alloc(dim[0] * dim[1], sizeof *v);
    int *scf = mlk_alloc(r->steps + 1, sizeof *scf);
    if (v && scf && !mlk_h5_read(r->h, path, MLK_H5_DOUBLE, v, NULL)) {
        for (size_t i = 0; i <= dim[0]; i++) {
            bool first = i == dim[0] || v[i * dim[1]] == 1;
            if (first && loops && step < r->steps) scf[step++] = mlk_vasp_scf((long)loops, nelm);
            loops = first ? 1 : loops + 1;
        }
        if (step == r->steps) memcpy(r->scf, scf, r->steps * sizeof *scf);
    }
    mlk_free(v);
    mlk_free(scf);
}

/* ---- frames ---- */

/* A label with a value that is not finite is left out. */
static bool finite_row(reader *r, array k, size_t i, size_t step)
{
    for (size_t j = 0; j < r->row[k]; j++)
        if (!isfinite(r->block[k][i * r->row[k] + j])) {
            if (!r->warned_lost)
                mlk_log(MLK_LOG_WARN,
                        "%s: step %zu: '%s' holds a value that is not finite; the "
                        "step is read without it",
                        r->path, step + 1, paths[k]);
            r->warned_lost = true;
            return false;
        }
    return true;
}

static mlk_status fill_energy(reader *r, mlk_frame *fr, size_t i, size_t step, mlk_err *e)
{
    const double *v = r->block[ENERGIES] + i * r->row[ENERGIES];
    if (r->energy0 >= 0 && isfinite(v[r->energy0])) fr->energy0 = v[r->energy0];
    if (r->temperature >= 0 && isfinite(v[r->temperature])) fr->temperature = v[r->temperature];
    if (r->free_energy < 0) return MLK_OK;
    if (v[r->free_energy] == 0)
        return MLK_FAIL(e, MLK_EFORMAT, "step %zu was not written: its free energy is 0", step + 1);
    if (!isfinite(v[r->free_energy])) return finite_row(r, ENERGIES, i, step), MLK_OK;
    fr->energy = v[r->free_energy];
    fr->energy_kind = MLK_ENERGY_FREE;
    fr->has |= MLK_HAS_ENERGY;
    return MLK_OK;
}

/* Row i of the blocks as a frame. */
static mlk_status fill(reader *r, mlk_frame *fr, size_t i, size_t step, mlk_err *e)
{
    double h[9];
    for (int k = 0; k < 9; k++) h[k] = r->scale * r->block[LATTICE][9 * i + k];
    if (mlk_cell_init(&fr->cell, (const double(*)[3])h, NULL))
        return MLK_FAIL(e, MLK_EFORMAT, "step %zu: the lattice vectors span no volume", step + 1);
    fr->has = MLK_HAS_CELL;
    memcpy(fr->z, r->z, r->n * sizeof *fr->z);
    for (size_t a = 0; a < r->n; a++)
        mlk_cell_cart(&fr->cell, r->block[POSITIONS] + 3 * (i * r->n + a), fr->x[a]);
    if (r->row[FORCES] && finite_row(r, FORCES, i, step)) {
        memcpy(fr->f, r->block[FORCES] + 3 * i * r->n, r->n * sizeof *fr->f);
        fr->has |= MLK_HAS_FORCE;
    }
    if (r->row[STRESS] && finite_row(r, STRESS, i, step)) {
        for (int k = 0; k < 9; k++)
            (&fr->virial[0][0])[k] = r->block[STRESS][9 * i + k] * MLK_KBAR_EVA3 * fr->cell.volume;
        fr->has |= MLK_HAS_VIRIAL;
    }
    fr->scf = r->scf[step];
    fr->step = (int)step + 1;
    mlk_text_copy(fr->source, sizeof fr->source, r->path);
    mlk_text_copy(fr->config_type, sizeof fr->config_type, r->config_type);
    mlk_text_copy(fr->theory, sizeof fr->theory, r->theory);
    if (r->row[ENERGIES]) MLK_TRY(fill_energy(r, fr, i, step, e));
    return mlk_frame_check(fr, e);
}

static mlk_status read_steps(reader *r, mlk_frame_fn fn, void *user, mlk_err *e)
{
    size_t rows = BLOCK_BYTES / (r->n * 3 * sizeof(double)), m;
    if (rows < 1) rows = 1;
    if (rows > r->steps) rows = r->steps;
    for (array k = LATTICE; k < N_ARRAYS; k++)
        if (r->row[k] && !(r->block[k] = mlk_alloc(rows * r->row[k], sizeof(double))))
            return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", r->path);
    for (size_t at = 0; at < r->steps; at += m) {
        m = r->steps - at < rows ? r->steps - at : rows;
        for (array k = LATTICE; k < N_ARRAYS; k++)
            if (r->row[k])
                MLK_TRY(mlk_h5_read_rows(r->h, paths[k], MLK_H5_DOUBLE, at, m, r->block[k], e));
        for (size_t i = 0; i < m; i++) {
            mlk_frame fr;
            MLK_TRY(mlk_frame_init(&fr, r->n, e));
            mlk_status s = fill(r, &fr, i, at + i, e);
            if (!s) s = fn(&fr, user, e);
            mlk_frame_free(&fr);
            MLK_TRY(s);
        }
    }
    return MLK_OK;
}

/* ---- the file ---- */

/* Into memory when it is compressed. */
static mlk_status open_file(reader *r, mlk_err *e)
{
    mlk_stream *in;
    MLK_TRY(mlk_stream_open(&in, r->path, e));
    int packed = mlk_stream_packed(in);
    mlk_stream_close(in);
    if (packed) MLK_TRY(mlk_file_slurp(r->path, &r->image, &r->bytes, e));
    return mlk_h5_open_foreign(&r->h, r->path, r->image, r->bytes, e);
}

static void close_file(reader *r)
{
    mlk_h5_close(&r->h, NULL);
    for (array k = LATTICE; k < N_ARRAYS; k++) mlk_free(r->block[k]);
    mlk_free(r->image);
    mlk_free(r->z);
    mlk_free(r->scf);
}

static mlk_status read_all(reader *r, mlk_frame_fn fn, void *user, mlk_err *e)
{
    double ml = 0;
    if (scalar(r, "/input/incar/ML_LMLFF", &ml) && ml != 0) {
        MLK_FAIL(e, MLK_EUNSUPPORTED,
                 "a run with ML_LMLFF: vaspout.h5 does not tell steps of the force field from DFT");
        return mlk_err_hint(e, "read its vasprun.xml, OUTCAR or ML_ABN instead");
    }
    MLK_TRY(read_shapes(r, e));
    MLK_TRY(mlk_h5_exists(r->h, POS "ion_types")
                ? read_types(r, POS "ion_types", POS "number_ion_types", e)
                : read_types(r, "/input/poscar/ion_types", "/input/poscar/number_ion_types", e));
    MLK_TRY(read_tags(r, e));
    MLK_TRY(read_scale(r, e));
    if (!(r->scf = mlk_alloc(r->steps, sizeof *r->scf)))
        return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", r->path);
    for (size_t i = 0; i < r->steps; i++) r->scf[i] = MLK_SCF_UNKNOWN;
    if (!scf_stated(r)) scf_counted(r);
    read_theory(r);
    char *title = text(r, POS "system");
    if (title) mlk_vasp_title(r->config_type, sizeof r->config_type, title);
    mlk_free(title);
    return read_steps(r, fn, user, e);
}

static mlk_status parse_here(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    reader r = {.path = path};
    mlk_status s = open_file(&r, e);
    if (!s && (s = read_all(&r, fn, user, e))) refuse(&r, e);
    close_file(&r);
    return s;
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    return mlk_parse_isolated(parse_here, path, fn, user, e);
}

/* No frames; MLK_OK if the groups are there. */
static mlk_status probe(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    (void)fn, (void)user;
    reader r = {.path = path};
    mlk_status s = open_file(&r, e);
    if (!s && !mlk_h5_exists(r.h, "/intermediate/ion_dynamics") &&
        !mlk_h5_exists(r.h, "/results/positions"))
        s = MLK_FAIL(e, MLK_EFORMAT, "not a file of VASP");
    close_file(&r);
    return s;
}

static bool holds(const char *head, size_t n, const char *word)
{
    const size_t m = strlen(word);
    for (size_t i = 0; i + m <= n; i++)
        if (!memcmp(head + i, word, m)) return true;
    return false;
}

/* VASP makes its groups first, so that their names stand near the start; ours say who we are. */
bool mlk_vaspout_is(const char *path, const char *head, size_t n)
{
    if (n < 8 || memcmp(head, MAGIC, 8)) return false;
    if (holds(head, n, "intermediate")) return true;
    return !holds(head, n, "mlkit") && !mlk_parse_isolated(probe, path, NULL, NULL, NULL);
}

extern const mlk_parser mlk_parser_vaspout;
const mlk_parser mlk_parser_vaspout = {
    .name = "vaspout",
    .summary = "VASP 6 vaspout.h5",
    .rank = MLK_RANK_GOOD,
    .sniff = mlk_vaspout_is,
    .parse = parse,
};
