/* extxyz_labels.c - the labels on the comment line of an extended XYZ frame, in every dialect whose
 * meaning is known. A key that looks like a label but whose unit, sign or meaning is not known is
 * never used; it is named once per file. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/log.h"
#include "core/number.h"
#include "core/units.h"
#include "parsers/extxyz.h"
#include "parsers/text.h"

char *mlk_xyz_find(mlk_xyz_head *h, const char *const *keys, const char **found)
{
    for (; *keys; keys++)
        for (size_t k = 0; k < h->n_kv; k++)
            if (!strcmp(h->kv[k].key, *keys)) {
                if (found) *found = *keys;
                return h->kv[k].value ? h->kv[k].value : h->flag;
            }
    return NULL;
}

mlk_status mlk_xyz_bad(const mlk_xyz_head *h, mlk_err *e, const char *key, const char *expected,
                       const char *value)
{
    MLK_FAIL(e, MLK_EFORMAT, "%s should be %s, found '%.60s'", key, expected, value);
    return mlk_err_at(e, h->path, h->line);
}

int mlk_xyz_prefix(const char *name, const char **base)
{
    static const struct {
        const char *text;
        int rank;
    } known[] = {{"ref_", 2}, {"dft_", 1}, {"vasp_", 1}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        size_t n = strlen(known[k].text);
        if (strncmp(name, known[k].text, n)) continue;
        *base = name + n;
        return known[k].rank;
    }
    *base = name;
    return 0;
}

/* ---- cell ---- */

static mlk_status read_pbc(mlk_xyz_head *h, bool pbc[3], bool *stated, mlk_err *e)
{
    const char *s = MLK_XYZ_FIND(h, NULL, "pbc"), *all = s;
    *stated = s != NULL;
    for (int k = 0; k < 3; k++) {
        pbc[k] = true;
        if (!s) continue;
        s += strspn(s, " \t,[]\"");
        if (!*s || !strchr("TtFf10", *s)) return mlk_xyz_bad(h, e, "pbc", "three of T and F", all);
        pbc[k] = strchr("Tt1", *s) != NULL;
        s += strcspn(s, " \t,[]\"");
    }
    return MLK_OK;
}

static mlk_status no_lattice(const mlk_xyz_head *h, mlk_err *e)
{
    bool plain = true;
    for (size_t k = 0; k < h->n_kv; k++) plain = plain && !h->kv[k].value;
    if (plain)
        MLK_FAIL(e, MLK_EFORMAT, "plain XYZ: no Lattice=\"...\" and no other key on line 2");
    else
        MLK_FAIL(e, MLK_EFORMAT, "no Lattice=\"...\" on the comment line: a frame needs its cell");
    mlk_err_hint(e, "add Lattice=\"ax ay az bx by bz cx cy cz\" in Angstrom, or pbc=\"F F F\" for "
                    "an isolated cluster");
    return mlk_err_at(e, h->path, h->line);
}

mlk_status mlk_xyz_cell(mlk_xyz_head *h, mlk_frame *fr, bool *isolated, mlk_err *e)
{
    char *s = MLK_XYZ_FIND(h, NULL, "lattice", "cell");
    bool pbc[3], stated;
    double v[9];
    MLK_TRY(read_pbc(h, pbc, &stated, e));
    *isolated = !s && stated && !pbc[0] && !pbc[1] && !pbc[2];
    if (*isolated) return MLK_OK;
    if (!s) return no_lattice(h, e);
    int n = mlk_keyval_numbers(s, v, 9);
    if (n == 3) {
        const double d[9] = {v[0], 0, 0, 0, v[1], 0, 0, 0, v[2]};
        memcpy(v, d, sizeof v);
    } else if (n != 9) {
        return mlk_xyz_bad(h, e, "Lattice", "nine numbers", s);
    }
    double m[3][3];
    memcpy(m, v, sizeof m);
    if (mlk_cell_init(&fr->cell, (const double(*)[3])m, NULL))
        return mlk_xyz_bad(h, e, "Lattice", "three vectors that span a volume", s);
    fr->has |= MLK_HAS_CELL;
    memcpy(fr->cell.pbc, pbc, sizeof pbc);
    return MLK_OK;
}

/* ---- energy ---- */

typedef enum { NOT_KNOWN, ENERGY_FREE, ENERGY_PLAIN, ENERGY_TOTAL, ENERGY_SIGMA0 } meaning;

/* Names of the energy of a frame in eV, the first wins. */
static const struct {
    const char *name;
    meaning what;
} energy_names[] = {{"free_energy", ENERGY_FREE},
                    {"energy_free", ENERGY_FREE},
                    {"energy_force_consistent", ENERGY_FREE},
                    {"force_consistent_energy", ENERGY_FREE},
                    {"e_fr_energy", ENERGY_FREE},
                    {"energy", ENERGY_PLAIN},
                    {"potential_energy", ENERGY_PLAIN},
                    {"total_energy", ENERGY_TOTAL},
                    {"totenergy", ENERGY_TOTAL},
                    {"tot_energy", ENERGY_TOTAL},
                    {"energy0", ENERGY_SIGMA0},
                    {"energy_sigma0", ENERGY_SIGMA0},
                    {"e_0_energy", ENERGY_SIGMA0}};
enum { N_NAMES = sizeof energy_names / sizeof *energy_names };

/* Index into energy_names, or -1; the unit may stand behind the name if it is eV. */
static int energy_name(const char *key, int *prefix)
{
    const char *base;
    *prefix = mlk_xyz_prefix(key, &base);
    size_t n = strlen(base);
    if (n > 3 && !strcmp(base + n - 3, "_ev")) n -= 3;
    if (n > 4 && (!strcmp(base + n - 4, "(ev)") || !strcmp(base + n - 4, "[ev]"))) n -= 4;
    for (int k = 0; k < N_NAMES; k++)
        if (strlen(energy_names[k].name) == n && !strncmp(energy_names[k].name, base, n)) return k;
    return -1;
}

/* Does the value hold asterisks (a field that was too narrow) or NaN? Then the label is not used.
 */
static bool lost(const mlk_xyz_head *h, const char *key, const char *value)
{
    size_t len;
    const char *w = value ? mlk_number_find_lost(value, &len) : NULL;
    if (w)
        mlk_log(MLK_LOG_WARN, "%s:%ld: '%.*s' in the %s of frame %d: it is not used", h->path,
                h->line, (int)(len < 40 ? len : 40), w, key, h->frame);
    return w != NULL;
}

/* A number; *there false: none that can be used. */
static mlk_status real(const mlk_xyz_head *h, const char *key, char *value, double *v, bool *there,
                       mlk_err *e)
{
    *there = !lost(h, key, value);
    if (!*there) return MLK_OK;
    if (!value || mlk_keyval_numbers(value, v, 1) != 1)
        return mlk_xyz_bad(h, e, key, "a number", value ? value : "nothing");
    return MLK_OK;
}

static mlk_status check_unit(mlk_xyz_head *h, mlk_err *e)
{
    const char *key,
        *s = MLK_XYZ_FIND(h, &key, "energy_unit", "energy-unit", "energy_units", "energy-units");
    if (!s || !strcasecmp(s, "ev")) return MLK_OK;
    mlk_xyz_bad(h, e, key, "eV", s);
    return mlk_err_hint(e, "convert the file to eV and Angstrom");
}

/* The best energy key: REF_ before DFT_ before none, then the order of energy_names. */
static const mlk_keyval *choose_energy(const mlk_xyz_head *h, int *name, int *prefix)
{
    const mlk_keyval *best = NULL;
    *name = *prefix = -1;
    for (size_t k = 0; k < h->n_kv; k++) {
        int p, m = energy_name(h->kv[k].key, &p);
        if (m < 0 || energy_names[m].what == ENERGY_SIGMA0) continue;
        if (best && (p < *prefix || (p == *prefix && m >= *name))) continue;
        best = &h->kv[k];
        *name = m;
        *prefix = p;
    }
    return best;
}

static bool has_part(const mlk_xyz_head *h, const char *part)
{
    for (size_t k = 0; k < h->n_kv; k++)
        if (strstr(h->kv[k].key, part)) return true;
    return false;
}

static void name_unused_energy(const mlk_xyz_head *h)
{
    for (size_t k = 0; k < h->n_kv && !h->said->energy; k++) {
        if (!strstr(h->kv[k].key, "energy") || strstr(h->kv[k].key, "weight")) continue;
        h->said->energy = true;
        mlk_log(MLK_LOG_WARN,
                "%s:%ld: '%s' is not used: not known to be the DFT energy of the frame in eV; "
                "rename it to energy if it is",
                h->path, h->line, h->kv[k].key);
    }
}

/* E(sigma -> 0): its own key, or `energy` where the free energy stands beside it and differs, as
 * ASE writes. */
static mlk_status read_energy0(const mlk_xyz_head *h, mlk_frame *fr, bool free, int prefix,
                               mlk_err *e)
{
    for (size_t k = 0; k < h->n_kv; k++) {
        int p, m = energy_name(h->kv[k].key, &p);
        bool own = m >= 0 && energy_names[m].what == ENERGY_SIGMA0, there;
        bool beside = free && m >= 0 && p == prefix && !strcmp(energy_names[m].name, "energy");
        double v;
        if (!own && !(beside && !isfinite(fr->energy0))) continue;
        MLK_TRY(real(h, h->kv[k].key, h->kv[k].value, &v, &there, e));
        if (there && (own || v != fr->energy)) fr->energy0 = v;
        if (own) return MLK_OK;
    }
    return MLK_OK;
}

static mlk_status read_energy(mlk_xyz_head *h, mlk_frame *fr, mlk_err *e)
{
    int name, prefix;
    bool there;
    const mlk_keyval *kv = choose_energy(h, &name, &prefix);
    MLK_TRY(check_unit(h, e));
    if (!kv) {
        name_unused_energy(h);
        return MLK_OK;
    }
    const meaning what = energy_names[name].what;
    if (what == ENERGY_TOTAL && has_part(h, "kinetic")) {
        if (!h->said->total)
            mlk_log(MLK_LOG_WARN,
                    "%s:%ld: '%s' stands beside a kinetic energy and may contain it: not used",
                    h->path, h->line, kv->key);
        h->said->total = true;
        return MLK_OK;
    }
    MLK_TRY(real(h, kv->key, kv->value, &fr->energy, &there, e));
    if (!there) return MLK_OK;
    fr->has |= MLK_HAS_ENERGY;
    if (what == ENERGY_FREE) fr->energy_kind = MLK_ENERGY_FREE;
    return read_energy0(h, fr, what == ENERGY_FREE, prefix, e);
}

/* ---- stress ---- */

/* Nine numbers row by row, or six in Voigt order. */
static bool tensor(char *s, double m[3][3])
{
    double v[9];
    int n = mlk_keyval_numbers(s, v, 9);
    if (n == 9) memcpy(m, v, sizeof v);
    if (n == 6) {
        m[0][0] = v[0], m[1][1] = v[1], m[2][2] = v[2];
        m[1][2] = m[2][1] = v[3], m[0][2] = m[2][0] = v[4], m[0][1] = m[1][0] = v[5];
    }
    return n == 9 || n == 6;
}

/* eV/A^3 per unit named, 0 if unknown. */
static double stress_unit(const char *s)
{
    if (!s || !strcasecmp(s, "eV/A^3") || !strcasecmp(s, "eV/Ang^3") ||
        !strcasecmp(s, "eV/Angstrom^3"))
        return 1;
    if (!strcasecmp(s, "kbar") || !strcasecmp(s, "kB")) return MLK_KBAR_EVA3;
    if (!strcasecmp(s, "GPa")) return 1 / MLK_EVA3_GPA;
    if (!strcasecmp(s, "bar")) return MLK_KBAR_EVA3 * 1e-3;
    return 0;
}

/* Is the key a stress (-1) or a virial (1) of known meaning? 0: neither. */
static int stress_key(const char *key, int *prefix)
{
    const char *base;
    *prefix = mlk_xyz_prefix(key, &base);
    if (!strcmp(base, "stress")) return -1;
    return !strcmp(base, "virial") || !strcmp(base, "virials") ? 1 : 0;
}

static const mlk_keyval *choose_stress(const mlk_xyz_head *h, int kind)
{
    const mlk_keyval *best = NULL;
    int rank = -1;
    for (size_t k = 0; k < h->n_kv; k++) {
        int p;
        if (stress_key(h->kv[k].key, &p) != kind || p <= rank) continue;
        best = &h->kv[k];
        rank = p;
    }
    return best;
}

/* The value of a virial or stress key as a matrix; not usable: *kv becomes NULL. */
static mlk_status read_tensor(mlk_xyz_head *h, const mlk_keyval **kv, double m[3][3], mlk_err *e)
{
    if (!*kv) return MLK_OK;
    char *s = (*kv)->value;
    if (lost(h, (*kv)->key, s)) {
        *kv = NULL;
        return MLK_OK;
    }
    if (s && tensor(s, m)) return MLK_OK;
    return mlk_xyz_bad(h, e, (*kv)->key, "6 or 9 numbers", s ? s : "nothing");
}

static void compare_stress(const mlk_xyz_head *h, const char *kw, const char *ks,
                           const double w[3][3], const double sg[3][3])
{
    double diff = 0, size = 0;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            diff = fmax(diff, fabs(w[a][b] - sg[a][b]));
            size = fmax(size, fabs(w[a][b]));
        }
    if (diff <= 0.01 * size + 1e-3 || h->said->sign) return;
    h->said->sign = true;
    mlk_log(MLK_LOG_WARN,
            "%s:%ld: %s and %s disagree (virial should be -volume * stress, off by up to %.3g eV); "
            "%s is used",
            h->path, h->line, kw, ks, diff, kw);
}

/* The only key of unknown meaning that holds a tensor goes to fr.raw, for the checker. */
static void keep_raw(mlk_xyz_head *h, mlk_frame *fr)
{
    const mlk_keyval *found = NULL;
    double v[9] = {0};
    for (size_t k = 0; k < h->n_kv; k++) {
        mlk_keyval *kv = &h->kv[k];
        if ((!strstr(kv->key, "stress") && !strstr(kv->key, "virial")) || !kv->value) continue;
        int n = mlk_keyval_numbers(kv->value, v, 9);
        if (n != 6 && n != 9) continue;
        if (found) {
            fr->n_raw = 0;
            return;
        }
        found = kv;
        fr->n_raw = n;
        memcpy(fr->raw, v, sizeof fr->raw);
    }
    if (!found) return;
    mlk_text_copy(fr->raw_key, sizeof fr->raw_key, found->key);
    if (!h->said->raw)
        mlk_log(MLK_LOG_INFO,
                "%s:%ld: '%s' is not used as a label: order, sign and unit of its %d numbers are "
                "not known (known are stress and virial, also with REF_ or DFT_)",
                h->path, h->line, found->key, fr->n_raw);
    h->said->raw = true;
}

static mlk_status read_stress(mlk_xyz_head *h, mlk_frame *fr, mlk_err *e)
{
    double w[3][3], sg[3][3];
    const mlk_keyval *kw = choose_stress(h, 1), *ks = choose_stress(h, -1);
    if (!kw && !ks) {
        keep_raw(h, fr);
        return MLK_OK;
    }
    MLK_TRY(read_tensor(h, &kw, w, e));
    MLK_TRY(read_tensor(h, &ks, sg, e));
    if (ks && !(fr->has & MLK_HAS_CELL)) { /* a cluster has no volume */
        ks = NULL;
    } else if (ks) {
        const char *name =
            MLK_XYZ_FIND(h, NULL, "stress-unit", "stress_unit", "stress_units", "stress-units");
        double unit = stress_unit(name);
        if (unit == 0) return mlk_xyz_bad(h, e, "stress-unit", "eV/A^3, GPa, kbar or bar", name);
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++) sg[a][b] *= -unit * fr->cell.volume;
    }
    if (kw && ks)
        compare_stress(h, kw->key, ks->key, (const double(*)[3])w, (const double(*)[3])sg);
    if (!kw && !ks) return MLK_OK;
    memcpy(fr->virial, kw ? w : sg, sizeof w);
    fr->has |= MLK_HAS_VIRIAL;
    return MLK_OK;
}

/* ---- the rest ---- */

static void name_weights(const mlk_xyz_head *h)
{
    double v;
    for (size_t k = 0; k < h->n_kv && !h->said->weight; k++) {
        const mlk_keyval *kv = &h->kv[k];
        if (!strstr(kv->key, "weight") || !kv->value) continue;
        if (mlk_keyval_numbers(kv->value, &v, 1) == 1 && v == 1) continue;
        h->said->weight = true;
        mlk_log(MLK_LOG_INFO,
                "%s:%ld: '%s' is not used: mlkit weighs frames by their group (loss.groups)",
                h->path, h->line, kv->key);
    }
}

mlk_status mlk_xyz_labels(mlk_xyz_head *h, mlk_frame *fr, mlk_err *e)
{
    char *s;
    bool there;
    MLK_TRY(read_energy(h, fr, e));
    if ((s = MLK_XYZ_FIND(h, NULL, "temperature"))) {
        double t;
        MLK_TRY(real(h, "temperature", s, &t, &there, e));
        if (there) fr->temperature = t;
    }
    if ((s = MLK_XYZ_FIND(h, NULL, "group"))) mlk_text_copy(fr->group, sizeof fr->group, s);
    if ((s = MLK_XYZ_FIND(h, NULL, "config_type")))
        mlk_text_copy(fr->config_type, sizeof fr->config_type, s);
    if ((s = MLK_XYZ_FIND(h, NULL, "theory"))) mlk_text_copy(fr->theory, sizeof fr->theory, s);
    if ((s = MLK_XYZ_FIND(h, NULL, "scf_converged")))
        fr->scf = strchr("Tt1", *s) && *s ? MLK_SCF_CONVERGED : MLK_SCF_UNCONVERGED;
    name_weights(h);
    return read_stress(h, fr, e);
}
