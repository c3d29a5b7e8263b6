/* onsager.h - the Onsager matrix and the thermal conductivity, naive and corrected, of one state
 * point. PHYSICS: kappa_naive = L_EE/T^2, kappa = (L_EE - L_EM L_MM^-1 L_ME)/T^2; L in SI units. */
#ifndef MLK_TRANSPORT_ONSAGER_H
#define MLK_TRANSPORT_ONSAGER_H

#include "core/err.h"
#include "core/flux.h"
#include "transport/cepstral.h"
#include "transport/diffusion.h"
#include "transport/fstar.h"
#include "transport/greenkubo.h"
#include "transport/select.h"

typedef struct mlk_onsager_opts {
    size_t tskip; /* 0: from fstar, or automatic */
    double fstar; /* [THz]; 0 automatic */
    mlk_rule rule;
    size_t p;                /* number of coefficients for MLK_RULE_FIXED */
    size_t pieces;           /* per run; 0: one, or automatic with pool */
    int scan;                /* fill mlk_onsager.scan */
    int pool;                /* cut the runs into pieces whose periodograms are averaged */
    double gk_limit, gk_max; /* [fs]; 0 automatic */
    size_t n_mobile;         /* 0 automatic */
    char mobile[MLK_FLUX_MAX][32];
    int has_charge;              /* charge[] is set */
    double charge[MLK_FLUX_MAX]; /* e per unit of flux a: q_s/m_s for a mass flux */
    double ion[MLK_FLUX_MAX];    /* e per particle of flux a, 0 when unknown */
} mlk_onsager_opts;

typedef struct mlk_replica {
    double kappa_naive, kappa_naive_err, kappa, kappa_err;
    size_t n;
} mlk_replica;

typedef struct mlk_onsager {
    mlk_choice choice;
    size_t m; /* = choice.m */
    size_t tskip, pieces;
    int fstar_auto;
    double fstar;                                          /* [THz] */
    double kappa_scale;                                    /* raw integral -> W/m/K */
    double kappa_naive, kappa_naive_err, kappa, kappa_err; /* W/m/K */
    double theta, theta_err, theta_p; /* 1 - kappa/kappa_naive; chance of such a value when 0 */
    double l_raw[MLK_FLUX_MAX * MLK_FLUX_MAX]; /* (m,m) integrals in raw flux units x fs */
    double l[MLK_FLUX_MAX * MLK_FLUX_MAX];     /* (m,m) SI */
    double l_sigma[MLK_FLUX_MAX];              /* (m) relative errors of the diagonal */
    double condition;                          /* of L_MM scaled to unit diagonal; 1 for one flux */
    double sigma, sigma_err;                   /* [S/m]; NaN without charges */
    double haven, haven_err;                   /* NaN without tracer diffusion */
    mlk_cepstral naive, corrected;             /* spectra and cepstra after resampling */
    mlk_spectra full, sp;                      /* original sampling; resampled */
    mlk_fstar_scan scan;                       /* n = 0 unless asked for */
    mlk_greenkubo gk;
    size_t n_replica; /* runs, 0 when there is only one */
    mlk_replica *replica;
    double replica_q, replica_p; /* do the runs agree within their errors? */
    double error_scale;          /* factor put on the errors because they do not */
} mlk_onsager;

/* Analyse fl. diff: tracer diffusion, or NULL. Errors: MLK_EINVAL, MLK_ENUMERIC, MLK_ENOMEM with a
 * hint. Free with mlk_onsager_free. */
mlk_status mlk_onsager_init(mlk_onsager *on, const mlk_flux *fl, const mlk_onsager_opts *o,
                            const mlk_diffusion *diff, mlk_err *e);
void mlk_onsager_free(mlk_onsager *on);
/* Number of the lowest bins that give ratios of matrix elements at zero frequency. */
size_t mlk_onsager_low_bins(const mlk_spectra *sp);
/* Real part of the lowest of these bins, summed into a (m,m) of all fluxes of sp: as many real
 * observations of each flux as returned. Small: what a regression at zero frequency needs. */
double mlk_onsager_low_sum(const mlk_spectra *sp, double *a);
/* Factor from a raw integral of fluxes a, b < m of the set to its element of L in SI units: flux
 * eV A/ps -> J m/s, amu A/ps -> kg m/s, A/ps -> m/s; over V kB. */
double mlk_onsager_si(const mlk_onsager *on, const mlk_flux *fl, size_t a, size_t b);
/* Pieces per run for m fluxes resampled by tskip: as asked for, automatic, or as few as will do. */
size_t mlk_onsager_pieces(const mlk_onsager_opts *o, const mlk_flux *fl, size_t m, size_t tskip);
/* Both conductivities from spectra: flux ch->set[0] alone, and reduced by the others. Errors as
 * mlk_cepstral_init; free both in any case. */
mlk_status mlk_onsager_analyse(const mlk_spectra *sp, const mlk_choice *ch,
                               const mlk_onsager_opts *o, mlk_cepstral *naive,
                               mlk_cepstral *corrected, mlk_err *e);
/* Formal charge of an element (Li 1, S -2, ...), 0 when there is no usual one. */
int mlk_formal_charge(int z);

#endif
