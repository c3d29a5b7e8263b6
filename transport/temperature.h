/* temperature.h - how the thermal conductivity depends on temperature: constant, A/T, A/T + B. */
#ifndef MLK_TRANSPORT_TEMPERATURE_H
#define MLK_TRANSPORT_TEMPERATURE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

typedef enum mlk_kappa_form {
    MLK_KAPPA_CONSTANT, /* kappa = b       */
    MLK_KAPPA_INVERSE,  /* kappa = a/T     */
    MLK_KAPPA_OFFSET,   /* kappa = a/T + b */
    MLK_KAPPA_FORMS
} mlk_kappa_form;

typedef struct mlk_kappa_fit {
    bool there;      /* needs more temperatures than it has parameters, and one to spare */
    double a, a_err; /* [W/m]; 0 for the constant                                       */
    double b, b_err; /* [W/m/K]; 0 for a/T                                              */
    double chi2, dof, p_value;
    double aic, bic; /* chi2 + 2 k, chi2 + k ln n for k parameters                      */
} mlk_kappa_fit;

typedef struct mlk_kappa_t {
    size_t n;
    mlk_kappa_fit fit[MLK_KAPPA_FORMS];
    double evidence;          /* AIC of the constant minus AIC of a/T: positive speaks for a/T */
    double p_slope, p_offset; /* chance of such an improvement of chi2 by a/T over the constant, by
                                 b over a/T, if they are not there; NaN without the third form */
    const char *statement;    /* one sentence, static */
} mlk_kappa_t;

/* Weighted least squares of kappa (n) [W/m/K] with standard errors err (n) at temperatures T (n)
 * [K]: the constant and a/T from three temperatures on, a/T + b from four on; out->n = n in any
 * case. The errors are taken as known, so differences of chi2 are tested against chi2(1).
 * Errors: MLK_EINVAL a temperature or an error bar that is not positive and finite. */
mlk_status mlk_kappa_of_t(size_t n, const double *T, const double *kappa, const double *err,
                          mlk_kappa_t *out, mlk_err *e);
/* Value of a fit at T, its standard error is not computed. */
double mlk_kappa_fit_at(const mlk_kappa_fit *f, double T);
/* "constant", "A/T", "A/T + B" */
const char *mlk_kappa_form_name(mlk_kappa_form form);

#endif
