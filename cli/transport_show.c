/* transport_show.c - the result of one transport analysis as a screen of text, by question. */
#include <math.h>
#include <stdio.h>

#include "cli/transport_show.h"

/* digits after the point so that an error shows two figures */
static int digits(double err)
{
    return err > 0 && isfinite(err) ? (int)fmin(9, fmax(0, ceil(-log10(err)) + 1)) : 4;
}

static void line(const char *name, double v, double err, const char *unit)
{
    if (!isfinite(v)) return;
    printf("  %-27s %.*f", name, digits(err), v);
    if (err > 0) printf(" +- %.*f", digits(err), err);
    printf(" %s\n", unit);
}

static void cell(double v, double err)
{
    char text[64];
    snprintf(text, sizeof text, "%.*f +- %.*f", digits(err), v, digits(err), err);
    printf(" %-18s", text);
}

static void input(const mlk_onsager *on, const mlk_flux *fl)
{
    printf("%zu run%s, %zu samples every %g fs (%.4g ps), T = %.2f K, V = %.2f A^3\n",
           fl->n_segment, fl->n_segment > 1 ? "s" : "", fl->n, fl->dt,
           (double)fl->n * fl->dt * 1e-3, fl->temperature, fl->volume);
    printf("mass fluxes that enter:");
    for (size_t i = 1; i < on->m; i++) printf(" %s", fl->label[on->choice.set[i]]);
    printf("%s%s\n",
           on->m > 1    ? ""
           : fl->m == 1 ? " none, "
                        : " none",
           fl->m == 1 ? on->choice.reason : "");
    for (size_t i = 1; i < on->m; i++)
        printf("  %-3s enters: %s\n", fl->label[on->choice.set[i]],
               on->choice.why[on->choice.set[i]]);
    for (size_t a = 1; a < fl->m; a++)
        if (on->choice.dropped[a] && on->choice.why[a][0])
            printf("  %-3s left out: %s\n", fl->label[a], on->choice.why[a]);
    if (on->pieces > 1 && on->m > fl->nc * fl->n_segment)
        printf("  %zu fluxes, %zu components: runs are cut into pieces to have at least as many\n",
               on->m, fl->nc * fl->n_segment);
}

static void row(const mlk_onsager *on, const char *name, double n, double ne, double c, double ce)
{
    printf("  %-27s", name);
    cell(n, ne);
    if (on->m > 1) cell(c, ce);
    printf("\n");
}

static void parts(const mlk_onsager *on, const mlk_helfand *h)
{
    static const char *const name[3] = {"kinetic", "convective", "virial"};
    for (int p = 0; p < 3; p++) {
        printf("  %-10s with k, c, v  ", name[p]);
        for (int which = 0; which < (on->m > 1 ? 2 : 1); which++)
            for (int q = 0; q < 3; q++)
                printf(" %7.3f%s", (which ? h->corrected : h->part)[3 * p + q],
                       q == 2 ? "    " : "");
        printf("\n");
    }
}

static void conductivity(const mlk_onsager *on, const mlk_onsager_opts *o, const mlk_quantities *q)
{
    static const char *const rule[] = {"AIC", "AIC-weighted", "fixed cut-off",
                                       "average over shapes"};
    const mlk_greenkubo *g = &on->gk;
    const mlk_helfand *h = &q->helfand;
    double s = on->kappa_scale;
    char name[64];
    printf("\nthermal conductivity, cepstral analysis (f* = %.3f THz%s, ", on->fstar,
           on->fstar_auto ? " chosen" : "");
    if (o->rule != MLK_RULE_SHAPES) printf("P* = %zu, ", on->corrected.pstar);
    printf("%s", rule[o->rule]);
    printf(on->pieces > 1 ? ", %zu pieces)\n" : ")\n", on->pieces);
    line("kappa naive", on->kappa_naive, on->kappa_naive_err, "W/m/K");
    if (on->m > 1) line("kappa (Onsager-corrected)", on->kappa, on->kappa_err, "W/m/K");
    line("thermal diffusivity", q->diffusivity, q->diffusivity_err, "mm^2/s");
    printf("other estimators, W/m/K         naive%s\n", on->m > 1 ? "              corrected" : "");
    snprintf(name, sizeof name, "Green-Kubo to %.3g ps", (double)g->limit * g->dt * 1e-3);
    row(on, name, s * g->at_naive, s * g->at_naive_err, s * g->at_schur, s * g->at_schur_err);
    if (!g->limit_found) printf("    (no plateau found: the run is short)\n");
    snprintf(name, sizeof name, "Helfand %.3g to %.3g ps", h->from, h->to);
    row(on, name, h->naive, h->naive_err, h->kappa, h->kappa_err);
    if (h->has_parts) parts(on, h);
}

static void correction(const mlk_onsager *on, const mlk_flux *fl, const mlk_quantities *q)
{
    const mlk_coupling *c = &q->coupling;
    if (on->m == 1) return;
    printf("\nis the correction needed?\n");
    line("Theta = 1 - kappa/naive", on->theta, on->theta_err, "");
    if (on->theta_p < 0.05 && fabs(on->theta) < 2 * on->theta_err)
        printf("  a coupling shows (p = %.2g), but its effect is zero within the error\n",
               on->theta_p);
    else
        printf(on->theta_p < 0.05 ? "  yes (chance of such a coupling without one: %.2g)\n"
                                  : "  no significant coupling (p = %.2g)\n",
               on->theta_p);
    for (size_t i = 1; i < c->m; i++) {
        int a = on->choice.set[i];
        char name[64];
        snprintf(name, sizeof name, "heat of transport %s", fl->label[a]);
        line(name, c->heat[i], c->heat_err[i],
             fl->mass[a] > 0 ? "eV per ion" : "eV per unit of flux");
    }
    line("ionic Seebeck coefficient", 1e3 * c->seebeck, 1e3 * c->seebeck_err, "mV/K");
    printf("    (these depend on the zero of the energies, as naive values do; kappa does not)\n");
    if (isfinite(q->offset[0]))
        printf("  energy offsets for that naive value: %.4g and %.4g +- %.2g eV\n", q->offset[0],
               q->offset[1], q->offset_err);
}

static void tensor(const mlk_onsager *on, const mlk_tensor *t, int wanted)
{
    if (t->missing[0]) {
        if (wanted) printf("\nno conductivity tensor: %s\n", t->missing);
        return;
    }
    if (!wanted && t->isotropic_p > 0.01) return;
    printf("\ntensor, W/m/K (isotropic: p = %.2g)%s%s\n", t->isotropic_p,
           on->m > 1 ? "; corrected, then naive" : "",
           t->positive ? "" : "; NOT POSITIVE: too little data");
    for (int a = 0; a < 3; a++) {
        printf(" ");
        for (int b = 0; b < 3; b++)
            printf(" %8.3f +- %.3f", t->kappa[3 * a + b], t->kappa_err[3 * a + b]);
        for (int b = 0; b < 3 && on->m > 1; b++)
            printf("%s%8.3f", b ? " " : "  | ", t->naive[3 * a + b]);
        printf("\n");
    }
    printf("  principal values");
    for (int a = 0; a < 3; a++) printf("  %.3f +- %.3f", t->principal[a], t->principal_err[a]);
    printf("; mean %.3f +- %.3f\n", t->mean, t->mean_err);
}

static void mass_transport(const mlk_onsager *on, const mlk_diffusion *d, const mlk_quantities *q)
{
    const mlk_helfand *h = &q->helfand;
    if (isfinite(on->sigma) || (d && d->n_species)) printf("\nmass transport\n");
    line("ionic conductivity", on->sigma, on->sigma_err, "S/m");
    if (isfinite(on->sigma)) {
        printf("    by Green-Kubo");
        cell(h->sigma_gk, h->sigma_gk_err);
        if (isfinite(h->sigma_einstein)) printf(" by Einstein");
        if (isfinite(h->sigma_einstein)) cell(h->sigma_einstein, h->sigma_einstein_err);
        printf("\n");
    }
    line("Haven ratio", on->haven, on->haven_err, "");
    for (size_t k = 0; d && k < d->n_species; k++)
        printf("  D(%-2s) %s            %11.3g +- %.1g cm^2/s\n", d->label[k],
               d->mobile[k] ? "mobile" : "bound ", d->d[k] * 1e-4, d->d_err[k] * 1e-4);
    if (isfinite(q->charge_d))
        printf("  D of the charge          %11.3g +- %.1g cm^2/s\n", q->charge_d * 1e-4,
               q->charge_d_err * 1e-4);
}

static void certainty(const mlk_onsager *on, const mlk_converge *c)
{
    enum { SHOWN = 6 };
    printf("\nhow sure?\n");
    for (int k = 1; k < MLK_CONVERGE; k += 2) {
        if (k == 5 || !isfinite(c->kappa[k])) continue;
        printf("%s%.4g ps: %.*f +- %.*f", k == 1 ? "  kappa of the first " : ";  ", c->t[k],
               digits(c->kappa_err[k]), c->kappa[k], digits(c->kappa_err[k]), c->kappa_err[k]);
    }
    printf(
        "\n  error of kappa %.0f %%; for %.3g %% about %.3g ps of data are needed (%.4g ps now)\n",
        100 * on->kappa_err / on->kappa, 100 * c->target, c->need, c->have);
    for (size_t r = 0; r < on->n_replica && r < SHOWN; r++) {
        if (r == 0) printf("  run   kappa naive        kappa\n");
        printf("  %-5zu", r + 1);
        cell(on->replica[r].kappa_naive, on->replica[r].kappa_naive_err);
        cell(on->replica[r].kappa, on->replica[r].kappa_err);
        printf("\n");
    }
    if (on->n_replica > 0) printf("  %zu runs agree with p = %.2g\n", on->n_replica, on->replica_p);
}

void mlk_show_transport(const mlk_onsager *on, const mlk_flux *fl, const mlk_onsager_opts *o,
                        const mlk_diffusion *d, const mlk_quantities *q, int want_tensor)
{
    input(on, fl);
    conductivity(on, o, q);
    correction(on, fl, q);
    tensor(on, &q->tensor, want_tensor);
    mass_transport(on, d, q);
    certainty(on, &q->converge);
    printf("\nL (SI units; energy, then mass fluxes)\n");
    for (size_t a = 0; a < on->m; a++) {
        printf(" ");
        for (size_t b = 0; b < on->m; b++)
            printf(" %12.4e +- %.0e", on->l[a * on->m + b], q->coupling.l_err[a * on->m + b]);
        printf("\n");
    }
}
