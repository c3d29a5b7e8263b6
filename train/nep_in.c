/* nep_in.c - nep.in of GPUMD as settings of a fit (docs/FORMATS.md has the table).
 *
 * Lines `keyword value ...`; # begins a comment. What has a meaning here is mapped, what would make
 * another kind of model is refused with file:line, and the rest is ignored with one line that says
 * why. Keywords that are absent take GPUMD's documented defaults, not mlkit's. */
#include <ctype.h>
#include <string.h>

#include "core/element.h"
#include "core/file.h"
#include "core/log.h"
#include "potentials/nep.h"
#include "train/train.h"

enum { WORDS = MLK_ELEMENT_MAX * 2 + 8, N_KEYWORD_MAX = 64 };

typedef struct reader {
    mlk_train_config *c;
    const char *path;
    char dir[1024];
    long line, cutoff_line;
    int n_species, n_cutoff; /* of type, of cutoff; 0: absent */
    double zbl, zbl_factor;  /* outer radius [A], factor of the covalent radii; 0: absent */
    long seen[N_KEYWORD_MAX];
} reader;

typedef struct keyword {
    const char *name;
    int lo, hi; /* number of values */
    mlk_status (*take)(reader *r, const struct keyword *k, int n, char *const *w, mlk_err *e);
    const char *to; /* the setting it becomes, or the reason for ignoring or refusing it */
} keyword;

/* ---- what keywords do; w: their n values --------------------------------------------------- */

static mlk_status set(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    char text[MLK_OPT_STR_MAX] = "";
    for (int q = 0; q < n; q++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", q ? "," : "", w[q]);
    return mlk_train_config_set(r->c, k->to, text, e);
}

static mlk_status ignore(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    (void)n, (void)w, (void)e;
    mlk_log(MLK_LOG_INFO, "%s:%ld: %s ignored: %s", r->path, r->line, k->name, k->to);
    return MLK_OK;
}

static bool all_are(int n, char *const *w, double value)
{
    double v;
    for (int q = 0; q < n; q++)
        if (!mlk_parse_double(w[q], &v) || v != value) return false;
    return true;
}

static mlk_status ignore_unless_0(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    return all_are(n, w, 0) ? MLK_OK : ignore(r, k, n, w, e);
}

static mlk_status ignore_unless_1(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    return all_are(n, w, 1) ? MLK_OK : ignore(r, k, n, w, e);
}

static mlk_status refuse(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    (void)r;
    MLK_FAIL(e, MLK_EUNSUPPORTED, "'%s%s%s' is not supported", k->name, n ? " " : "",
             n ? w[0] : "");
    return mlk_err_hint(e, "%s", k->to);
}

static mlk_status refuse_unless_0(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    return all_are(1, w, 0) ? MLK_OK : refuse(r, k, n, w, e);
}

static mlk_status take_version(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    return all_are(1, w, 4) ? MLK_OK : refuse(r, k, n, w, e);
}

static mlk_status take_type(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    long count;
    if (!mlk_parse_long(w[0], &count) || count != n - 1)
        return MLK_FAIL(e, MLK_EFORMAT,
                        "type: expected the number of species and as many elements, "
                        "found '%s' and %d",
                        w[0], n - 1);
    for (int q = 1; q < n; q++) {
        if (!mlk_element_z(w[q])) return MLK_FAIL(e, MLK_EFORMAT, "'%s' is no element", w[q]);
        for (int o = 1; o < q; o++)
            if (!strcmp(w[o], w[q])) return MLK_FAIL(e, MLK_EFORMAT, "%s appears twice", w[q]);
    }
    r->n_species = n - 1;
    return set(r, k, n - 1, w + 1, e);
}

static mlk_status take_cutoff(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    double v[2];
    r->n_cutoff = n, r->cutoff_line = r->line;
    for (int q = 0; q + 1 < n; q += 2)
        if (mlk_parse_double(w[q], &v[0]) && mlk_parse_double(w[q + 1], &v[1]) && v[1] > v[0])
            return MLK_FAIL(e, MLK_EFORMAT,
                            "cutoff: the angular radius %s is larger than the radial one, %s",
                            w[q + 1], w[q]);
    return set(r, k, n, w, e);
}

/* the second number is 2 up to GPUMD 5.2 and 1 from 5.3 on */
static mlk_status take_l_max(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    mlk_ints l = {.n = n};
    mlk_nep checked = {0};
    char text[64];
    int at = 0;
    for (int q = 0; q < n; q++) {
        long v;
        if (!mlk_parse_long(w[q], &v) || v < 0 || v > MLK_NEP_L_MAX)
            return MLK_FAIL(e, MLK_EFORMAT, "l_max: '%s' is not a whole number from 0 to %d", w[q],
                            MLK_NEP_L_MAX);
        l.v[q] = (int)v;
    }
    MLK_TRY(mlk_nep_set_l(&checked, &l, e));
    l = mlk_nep_get_l(&checked);
    if (n == 1)
        mlk_log(MLK_LOG_INFO,
                "%s:%ld: l_max %d: no 4- and 5-body terms; 'l_max %d 2 0' has the "
                "4-body ones",
                r->path, r->line, l.v[0], l.v[0]);
    for (int q = 0; q < l.n; q++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s%d", q ? "," : "", l.v[q]);
    return mlk_train_config_set(r->c, k->to, text, e);
}

static mlk_status take_neuron(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    if (n == 2 && !all_are(1, w + 1, 0)) {
        MLK_FAIL(e, MLK_EUNSUPPORTED, "a second hidden layer is not supported");
        return mlk_err_hint(e, "write 'neuron %s'", w[0]);
    }
    if (all_are(1, w, 0)) /* --nep.neuron=0 leaves the number open; GPUMD wants one */
        return MLK_FAIL(e, MLK_EFORMAT, "neuron: 0 is not a number of neurons from 1");
    return set(r, k, 1, w, e);
}

static mlk_status take_zbl(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    char path[1100];
    (void)k, (void)n;
    if (!mlk_parse_double(w[0], &r->zbl) || !(r->zbl > 0 && r->zbl <= MLK_ZBL_OUTER_MAX)) {
        MLK_FAIL(e, MLK_EINVAL, "zbl: '%s' is not an outer radius up to %d A", w[0],
                 MLK_ZBL_OUTER_MAX);
        return mlk_err_hint(e, "the core ends below the shortest distances of the data");
    }
    if (!mlk_file_exists(mlk_path_join(path, sizeof path, r->dir, "zbl.in"))) return MLK_OK;
    MLK_FAIL(e, MLK_EUNSUPPORTED, "zbl.in lies beside: a flexible ZBL core cannot be trained with");
    return mlk_err_hint(e, "move %s away to have the universal core", path);
}

static mlk_status take_zbl_factor(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    r->zbl_factor = 0.7;
    if (n && (!mlk_parse_double(w[0], &r->zbl_factor) || r->zbl_factor < 0.5))
        return MLK_FAIL(e, MLK_EINVAL, "%s: '%s' is not a factor of at least 0.5", k->name, w[0]);
    return MLK_OK;
}

static mlk_status take_batch(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    bool full = n == 2 && !all_are(1, w + 1, 0);
    return full ? MLK_OK : set(r, k, 1, w, e); /* full: all frames, the default */
}

static mlk_status take_seed(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    long v;
    (void)k, (void)n;
    if (!mlk_parse_long(w[0], &v) || v < 0 || v > 2147483647)
        return MLK_FAIL(e, MLK_EINVAL, "seed: '%s' is not a whole number from 0", w[0]);
    r->c->seed = (int)v;
    return MLK_OK;
}

static mlk_status take_fine_tune(reader *r, const keyword *k, int n, char *const *w, mlk_err *e)
{
    char path[2200];
    (void)n;
    snprintf(path, sizeof path, "%s", w[0]);
    if (w[0][0] != '/') mlk_path_join(path, sizeof path, r->dir, w[0]);
    mlk_log(
        MLK_LOG_INFO,
        "%s:%ld: fine_tune starts from %s; %s (widths of a search) is not used, and all species "
        "of the file stay",
        r->path, r->line, path, w[1]);
    return mlk_train_config_set(r->c, k->to, path, e);
}

static const char no_charge[] = "there are no charges in this kind of model";

/* clang-format off */
static const keyword keywords[] = {
    {"version", 1, 1, take_version, "only NEP4 is trained; leave version out or write 'version 4'"},
    {"type", 2, WORDS - 1, take_type, "nep.species"},
    {"cutoff", 2, WORDS - 1, take_cutoff, "nep.cutoff"},
    {"n_max", 2, 2, set, "nep.n_max"},
    {"basis_size", 2, 2, set, "nep.basis"},
    {"l_max", 1, 7, take_l_max, "nep.l_max"},
    {"neuron", 1, 2, take_neuron, "nep.neuron"},
    {"zbl", 1, 1, take_zbl, NULL},
    {"use_typewise_cutoff_zbl", 0, 1, take_zbl_factor, NULL},
    {"use_typewise_cutoff", 0, 2, refuse, "give one pair of cutoffs per species: 'cutoff r1 a1 r2 a2 ...'"},
    {"lambda_1", 1, 1, set, "snes.lambda-1"},
    {"lambda_2", 1, 1, set, "snes.lambda-2"},
    {"lambda_e", 1, 1, set, "snes.lambda-e"},
    {"lambda_f", 1, 1, set, "snes.lambda-f"},
    {"lambda_v", 1, 1, set, "snes.lambda-v"},
    {"batch", 1, 2, take_batch, "snes.batch"},
    {"population", 1, 1, set, "snes.population"},
    {"generation", 1, 1, set, "snes.generations"},
    {"sigma0", 1, 1, set, "snes.sigma"},
    {"seed", 1, 1, take_seed, NULL},
    {"fine_tune", 2, 3, take_fine_tune, "nep.from"},
    {"model_type", 1, 1, refuse_unless_0, "only potentials (model_type 0) are trained, no dipoles or polarizabilities"},
    {"mode", 1, 1, refuse_unless_0, "only potentials (mode 0) are trained"},
    {"train_mode", 1, 1, refuse_unless_0, "only potentials (train_mode 0) are trained"},
    {"charge_mode", 1, 2, refuse_unless_0, "models with charges cannot be trained; leave charge_mode out"},
    {"atomic_v", 1, 1, refuse_unless_0, "only potentials are trained"},
    {"prediction", 1, 1, refuse_unless_0, "to predict: mlkit validate nep.txt train.xyz"},
    {"lambda_shear", 1, 1, ignore_unless_1, "all six components of the virial weigh the same"},
    {"force_delta", 1, 1, ignore_unless_0, "small forces weigh as much as large ones"},
    {"type_weight", 1, WORDS - 1, ignore_unless_1, "forces on all species weigh the same; --set loss.groups weighs frames"},
    {"lambda_q", 1, 1, ignore, no_charge},
    {"lambda_z", 1, 1, ignore, no_charge},
    {"initial_para", 1, 1, ignore, "the first parameters are drawn as for every NEP here"},
    {"q_scaler", 1, 1, ignore, "descriptors are scaled by their range in the training data"},
    {"import_q_scaler", 1, 1, ignore, "descriptors are scaled by their range in the training data"},
    {"output_interval", 1, 1, ignore, "about 250 rows of loss.csv and loss.out are written"},
    {"output_descriptor", 1, 1, ignore, "no descriptors are written"},
    {"save_potential", 1, 3, ignore, "the best parameters are kept, and a checkpoint while it runs"},
    {"checkpoint", 1, 3, ignore, "a checkpoint is written every minute"},
};
/* clang-format on */
#define N_KEYWORD ((int)(sizeof keywords / sizeof *keywords))
_Static_assert(sizeof keywords / sizeof *keywords <= N_KEYWORD_MAX, "seen[] is too small");

/* ---- reading ------------------------------------------------------------------------------- */

static int find(const char *word)
{
    for (int k = 0; k < N_KEYWORD; k++)
        if (!strcmp(keywords[k].name, word)) return k;
    return -1;
}

/* Words of a line (cut in place) up to a comment; -1: more than WORDS. */
static int split(char *line, char **w)
{
    int n = 0;
    for (char *save = NULL, *p = strtok_r(line, " \t\r\f\v", &save); p && *p != '#';
         p = strtok_r(NULL, " \t\r\f\v", &save)) {
        if (n == WORDS) return -1;
        w[n++] = p;
    }
    return n;
}

bool mlk_nep_in_sniff(const char *path, const char *text)
{
    if (!strcmp(mlk_path_base(path), "nep.in")) return true;
    for (; *text; text += *text == '\n') {
        char word[64];
        size_t n = 0;
        while (*text == ' ' || *text == '\t' || *text == '\r') text++;
        if (*text && *text != '#' && *text != '\n') {
            while (n + 1 < sizeof word && (isalnum((unsigned char)text[n]) || text[n] == '_'))
                word[n] = text[n], n++;
            word[n] = 0;
            return (text[n] == ' ' || text[n] == '\t') && find(word) >= 0 &&
                   text[n + strspn(text + n, " \t")] != ':';
        }
        text += strcspn(text, "\n");
    }
    return false;
}

static mlk_status unknown(const char *word, mlk_err *e)
{
    /* the option table finds the nearest key (a value that is no flag: nothing is set) */
    mlk_opt table[N_KEYWORD + 1] = {{0}};
    mlk_err near = {0};
    for (int k = 0; k < N_KEYWORD; k++) table[k].key = keywords[k].name;
    mlk_opt_set(table, NULL, word, "", &near);
    MLK_FAIL(e, MLK_EFORMAT, "unknown keyword '%s'", word);
    return near.hint[0] ? mlk_err_hint(e, "%s", near.hint) : MLK_EFORMAT;
}

static mlk_status take_line(reader *r, char *line, mlk_err *e)
{
    char *w[WORDS];
    int n = split(line, w);
    if (n == 0) return MLK_OK;
    if (n < 0) return MLK_FAIL(e, MLK_EFORMAT, "more than %d words", WORDS);
    int k = find(w[0]);
    if (k < 0) return unknown(w[0], e);
    const keyword *q = &keywords[k];
    if (r->seen[k])
        return MLK_FAIL(e, MLK_EFORMAT, "'%s' appears again, first in line %ld", w[0], r->seen[k]);
    r->seen[k] = r->line;
    if (n - 1 < q->lo || n - 1 > q->hi)
        return MLK_FAIL(e, MLK_EFORMAT, "'%s' has %d value%s, expected %d%s", w[0], n - 1,
                        n == 2 ? "" : "s", q->lo, q->hi > q->lo ? " or more" : "");
    return q->take(r, q, n - 1, w + 1, e);
}

/* GPUMD's defaults of what the file does not say; not "given" in the sense of a start model. */
static mlk_status defaults(reader *r, mlk_err *e)
{
    static const char *const value[][3] = {{"cutoff", "nep.cutoff", "8,4"},
                                           {"n_max", "nep.n_max", "4,4"},
                                           {"basis_size", "nep.basis", "8,8"},
                                           {"l_max", "nep.l_max", "4,2,0"},
                                           {"neuron", "nep.neuron", "30"}};
    mlk_train_model *m = &r->c->model[0];
    char line[256] = "", text[96];
    uint64_t given = m->given;
    for (size_t k = 0; k < sizeof value / sizeof *value && !m->from[0]; k++) {
        if (r->seen[find(value[k][0])]) continue;
        MLK_TRY(mlk_train_config_set(r->c, value[k][1], value[k][2], e));
        snprintf(line + strlen(line), sizeof line - strlen(line), " %s %s", value[k][0],
                 value[k][2]);
    }
    m->given = given;
    if (line[0]) mlk_log(MLK_LOG_INFO, "%s: not said, GPUMD's defaults:%s", r->path, line);
    if (r->zbl > 0 && r->zbl_factor > 0)
        snprintf(text, sizeof text, "%.10g,%.10g,%.10g", 0.5 * r->zbl, r->zbl, r->zbl_factor);
    else if (r->zbl > 0)
        snprintf(text, sizeof text, "%.10g,%.10g", 0.5 * r->zbl, r->zbl);
    else
        snprintf(text, sizeof text, m->from[0] ? "auto" : "off");
    return mlk_train_config_set(r->c, "nep.zbl", text, e);
}

/* train.xyz and test.xyz beside the file; data on the command line replace them */
static mlk_status data(reader *r, mlk_err *e)
{
    char path[1100];
    MLK_TRY(mlk_train_config_path(r->c, mlk_path_join(path, sizeof path, r->dir, "train.xyz"), e));
    if (!mlk_file_exists(mlk_path_join(path, sizeof path, r->dir, "test.xyz"))) return MLK_OK;
    return mlk_train_config_valid(r->c, path, e);
}

static mlk_status finish(reader *r, mlk_err *e)
{
    int nt = r->n_species;
    r->line = 1;
    if (!nt) {
        MLK_FAIL(e, MLK_EFORMAT, "no 'type' line");
        return mlk_err_hint(e, "for example: type 2 Te Pb");
    }
    if (r->n_cutoff && r->n_cutoff != 2 && r->n_cutoff != 2 * nt) {
        r->line = r->cutoff_line;
        return MLK_FAIL(e, MLK_EFORMAT,
                        "cutoff has %d values, expected 2 or 2 for each of the %d "
                        "species",
                        r->n_cutoff, nt);
    }
    /* the file of a start model has its own list, in its own order */
    if (r->c->model[0].from[0]) r->c->model[0].species[0] = 0;
    MLK_TRY(defaults(r, e));
    MLK_TRY(data(r, e));
    mlk_log(MLK_LOG_INFO,
            "%s: batch, population, generation, sigma0 and lambda_* act with --set "
            "optimizer.method=snes; gradients balance the loss themselves",
            r->path);
    return MLK_OK;
}

mlk_status mlk_train_config_nep_in(mlk_train_config *c, const char *path, const char *text,
                                   mlk_err *e)
{
    reader r = {.c = c, .path = path};
    snprintf(r.dir, sizeof r.dir, "%s", path);
    char *slash = strrchr(r.dir, '/');
    if (slash)
        slash[slash == r.dir] = 0;
    else
        snprintf(r.dir, sizeof r.dir, ".");
    mlk_status s = mlk_train_config_models(c, "nep", e);
    for (const char *p = text; *p && !s; p += *p == '\n') {
        size_t n = strcspn(p, "\n");
        char *line = mlk_alloc(n + 1, 1);
        if (!line) return MLK_FAIL(e, MLK_ENOMEM, "line of %zu bytes", n);
        memcpy(line, p, n);
        r.line++;
        s = take_line(&r, line, e);
        mlk_free(line);
        p += n;
    }
    if (!s) s = finish(&r, e);
    if (s) mlk_err_at(e, path, r.line);
    return s;
}
