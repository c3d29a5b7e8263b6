/* e0.c - per-species reference energies: least squares of E/n on the compositions.
 *
 * Where compositions vary, E_f = sum_s n_s,f e_s is solved as it stands. Where they do not (a
 * single stoichiometry, or fewer independent compositions than species) only some combinations of
 * e_s are determined; the mean energy per atom is then given to every species and the residual
 * solved for minimum norm, so that no species gets a large energy the data know nothing about. */
#include <math.h>
#include <string.h>

#include "core/linalg.h"
#include "train/train.h"

/* "Li=-0.3,S=-1.1": every species of the model must be there */
static mlk_status explicit_e0(mlk_potential *pot, const char *how, mlk_err *e)
{
    bool seen[MLK_SPECIES_MAX] = {false};
    char text[1024];
    snprintf(text, sizeof text, "%s", how);
    for (char *save = NULL, *w = strtok_r(text, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
        char *eq = strchr(w, '=');
        double v;
        if (!eq || !mlk_parse_double(eq + 1, &v)) {
            MLK_FAIL(e, MLK_EINVAL, "e0: '%s' is not element=energy", w);
            mlk_err_hint(e, "e0 is least-squares, none, or {Li: -0.3, S: -1.1}");
            return MLK_EINVAL;
        }
        *eq = 0;
        int z = mlk_element_z(w);
        if (!z) return MLK_FAIL(e, MLK_EINVAL, "e0: '%s' is no element", w);
        for (size_t t = 0; t < pot->n_species; t++)
            if (pot->z[t] == z) pot->e0[t] = v, seen[t] = true;
    }
    for (size_t t = 0; t < pot->n_species; t++)
        if (!seen[t])
            return MLK_FAIL(e, MLK_EINVAL, "e0: no value for %s", mlk_element_symbol(pot->z[t]));
    return MLK_OK;
}

mlk_status mlk_fit_e0(mlk_potential *pot, const mlk_dataset *ds, const char *how, char *note,
                      size_t cap, mlk_err *e)
{
    size_t q = pot->n_species, m = 0;
    memset(pot->e0, 0, sizeof pot->e0);
    if (!strcmp(how, "none")) {
        snprintf(note, cap, "reference energies: none");
        return MLK_OK;
    }
    if (strcmp(how, "least-squares")) {
        snprintf(note, cap, "reference energies: as given");
        return explicit_e0(pot, how, e);
    }
    for (size_t k = 0; k < ds->n; k++)
        m += ds->split[k] == MLK_SPLIT_TRAIN && (ds->frame[k].has & MLK_HAS_ENERGY);
    if (!m) {
        snprintf(note, cap, "reference energies: zero (no energies in the training frames)");
        return MLK_OK;
    }
    size_t rows = m > q ? m : q;
    double *a = mlk_alloc(rows * q, sizeof *a), *a2 = mlk_alloc(rows * q, sizeof *a2);
    double *b = mlk_alloc(rows, sizeof *b), *b2 = mlk_alloc(rows, sizeof *b2);
    mlk_status s = MLK_OK;
    if (!a || !a2 || !b || !b2) {
        s = MLK_FAIL(e, MLK_ENOMEM, "reference energies");
        goto done;
    }
    double mean = 0;
    size_t r = 0;
    for (size_t k = 0; k < ds->n; k++) {
        const mlk_frame *fr = &ds->frame[k];
        if (ds->split[k] != MLK_SPLIT_TRAIN || !(fr->has & MLK_HAS_ENERGY)) continue;
        for (size_t i = 0; i < fr->n; i++)
            for (size_t t = 0; t < q; t++)
                if (pot->z[t] == fr->z[i]) a[r * q + t] += 1.0 / (double)fr->n;
        b[r] = fr->energy / (double)fr->n;
        mean += b[r++] / (double)m;
    }
    memcpy(a2, a, rows * q * sizeof *a);
    memcpy(b2, b, rows * sizeof *b);
    int rank;
    /* singular values below 1e-4 of the largest: compositions that differ by less are no evidence
     */
    MLK_GO(mlk_lstsq(m, q, a, b, 1e-4, &rank, e));
    if ((size_t)rank < q) {
        for (r = 0; r < m; r++) b2[r] -= mean;
        MLK_GO(mlk_lstsq(m, q, a2, b2, 1e-4, &rank, e));
        for (size_t t = 0; t < q; t++) pot->e0[t] = mean + b2[t];
        snprintf(note, cap,
                 "reference energies: %d independent composition%s for %zu species, so the mean "
                 "%.4f eV/atom goes to all, plus the smallest change that fits",
                 rank, rank == 1 ? "" : "s", q, mean);
    } else {
        memcpy(pot->e0, b, q * sizeof *b);
        snprintf(note, cap, "reference energies: least squares over %zu frames", m);
    }
done:
    mlk_free(a), mlk_free(a2), mlk_free(b), mlk_free(b2);
    return s;
}
