/* transport_show.c - the result of one transport analysis as a screen of text. */
#include <math.h>
#include <stdio.h>

#include "cli/transport_show.h"

static void line(const char *name, double v, double err, const char *unit)
{
    if (!isfinite(v)) return;
    int digits = err > 0 ? (int)fmax(0, ceil(-log10(err)) + 1) : 4;
    printf("  %-26s %.*f", name, digits, v);
    if (err > 0) printf(" +- %.*f", digits, err);
    printf(" %s\n", unit);
}

void mlk_show_transport(const mlk_onsager *on, const mlk_flux *fl, const mlk_onsager_opts *o,
                        const mlk_diffusion *d)
{
    static const char *const rule[] = {"AIC", "AIC-weighted average", "fixed cut-off",
                                       "average over shapes"};
    printf("%zu run%s, %zu samples every %g fs (%.4g ps), T = %.2f K, V = %.2f A^3\n",
           fl->n_segment, fl->n_segment > 1 ? "s" : "", fl->n, fl->dt,
           (double)fl->n * fl->dt * 1e-3, fl->temperature, fl->volume);
    printf("mass fluxes that enter:");
    for (size_t i = 1; i < on->m; i++) printf(" %s", fl->label[on->choice.set[i]]);
    printf("%s (%s)\n", on->m > 1 ? "" : " none", on->choice.reason);
    for (size_t a = 1; a < fl->m; a++)
        if (on->choice.dropped[a] && on->choice.why[a][0])
            printf("  %-3s left out: %s\n", fl->label[a], on->choice.why[a]);
    printf("\nthermal conductivity, cepstral analysis (f* = %.3f THz%s, P* = %zu, %s", on->fstar,
           on->fstar_auto ? " chosen" : "", on->corrected.pstar, rule[o->rule]);
    printf(on->pieces > 1 ? ", %zu pieces per run)\n" : ")\n", on->pieces);
    line("kappa naive", on->kappa_naive, on->kappa_naive_err, "W/m/K");
    if (on->m > 1) {
        line("kappa (Onsager-corrected)", on->kappa, on->kappa_err, "W/m/K");
        line("Theta = 1 - kappa/naive", on->theta, on->theta_err, "");
        if (on->theta_p < 0.05)
            printf("  the correction is needed (chance of this Theta without coupling: %.2g)\n",
                   on->theta_p);
        else
            printf("  no significant correction (p = %.2g)\n", on->theta_p);
    }
    const mlk_greenkubo *g = &on->gk;
    printf("\nGreen-Kubo integrals to %.3g ps%s\n", (double)g->limit * g->dt * 1e-3,
           g->limit_found ? "" : " (no plateau found: the run is short)");
    line("kappa naive", on->kappa_scale * g->at_naive, on->kappa_scale * g->at_naive_err, "W/m/K");
    if (on->m > 1)
        line("kappa (Onsager-corrected)", on->kappa_scale * g->at_schur,
             on->kappa_scale * g->at_schur_err, "W/m/K");
    if (isfinite(g->part[0]))
        printf("  of the naive one: kinetic %.3f, convective %.3f, virial %.3f W/m/K\n",
               on->kappa_scale * g->part[0], on->kappa_scale * g->part[1],
               on->kappa_scale * g->part[2]);
    if (isfinite(on->sigma) || (d && d->n_species)) printf("\nmass transport\n");
    line("ionic conductivity", on->sigma, on->sigma_err, "S/m");
    line("Haven ratio", on->haven, on->haven_err, "");
    for (size_t k = 0; d && k < d->n_species; k++)
        printf("  D(%-2s) %s            %10.3g +- %.1g cm^2/s\n", d->label[k],
               d->mobile[k] ? "mobile" : "bound ", d->d[k] * 1e-4, d->d_err[k] * 1e-4);
    if (on->n_replica > 0) {
        printf("\nrun       kappa naive            kappa [W/m/K]     (agreement of the runs: p = "
               "%.2g)\n",
               on->replica_p);
        for (size_t r = 0; r < on->n_replica; r++)
            printf("  %-4zu %8.4f +- %.4f    %8.4f +- %.4f\n", r + 1, on->replica[r].kappa_naive,
                   on->replica[r].kappa_naive_err, on->replica[r].kappa, on->replica[r].kappa_err);
    }
    printf("\nL (SI units; energy, then mass fluxes)\n");
    for (size_t a = 0; a < on->m; a++) {
        printf(" ");
        for (size_t b = 0; b < on->m; b++) printf(" %13.5e", on->l[a * on->m + b]);
        printf("\n");
    }
}
