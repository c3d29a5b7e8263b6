/* statement.c - what the comparison of the models shows, in words, for the head of the report. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "reports/report.h"

static void say(mlk_report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(mlk_report *r, const char *fmt, ...)
{
    size_t n = strlen(r->statement);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->statement + n, sizeof r->statement - n, fmt, ap);
    va_end(ap);
}

static double mean_kappa(const mlk_report *r)
{
    double sum = 0;
    int n = 0;
    for (int t = 0; t < r->n_temp; t++)
        if (r->row[t].corrected.n > 1) sum += r->row[t].corrected.mean, n++;
    return n ? sum / n : NAN;
}

static const char *differ(bool yes)
{
    return yes ? "differ" : "agree within their errors";
}

/* What the agreement of the corrected values is worth: the scatter their errors could hide. */
static void hidden(mlk_report *r, bool naive_differ)
{
    char most[32], share[32];
    mlk_sig(r->all.limit, 2, most), mlk_sig(100 * r->all.limit / mean_kappa(r), 2, share);
    say(r,
        " With these error bars the corrected values could still hide a scatter τ between models "
        "of up to %s W/m/K, %s %% of their mean (95 %% limit)",
        most, share);
    if (naive_differ && r->all.limit >= r->all.tau_naive)
        say(r, ", no less than the naive one: they may agree only because their errors are large, "
               "and a reduction is not shown. Longer or more runs decide.");
    else if (!naive_differ)
        say(r,
            "; the naive ones up to %s W/m/K. Whether the correction is needed does not show "
            "in this comparison, but in Θ of each model.",
            mlk_sig(r->all.limit_naive, 2, most));
    else
        say(r, ".");
}

static void scatter(mlk_report *r)
{
    const double a = r->all.tau_naive, b = r->all.tau, factor = a >= b ? a / b : b / a;
    char naive[32], corrected[32], times[32];
    mlk_sig(a, 2, naive), mlk_sig(b, 2, corrected), mlk_sig(factor, 2, times);
    if (a > 0 && b > 0) {
        say(r,
            " The scatter between models beyond their error bars, τ, is %s W/m/K naive and %s "
            "W/m/K corrected: ",
            naive, corrected);
        if (factor < 1.05) /* "by a factor of 1.0" */
            say(r, "practically the same.");
        else
            say(r, "%s by a factor of %s.", a >= b ? "reduced" : "increased", times);
    } else if (a > 0)
        say(r,
            " The scatter between models beyond their error bars, τ, is %s W/m/K naive and zero "
            "within resolution after the correction.",
            naive);
    else if (b > 0)
        say(r,
            " The scatter between models beyond their error bars, τ, is zero within resolution "
            "naive and %s W/m/K after the correction: no reduction is seen.",
            corrected);
    else
        say(r, " Neither shows scatter between models beyond the error bars.");
}

static void runs(mlk_report *r)
{
    static const char *const what[MLK_REPORT_REASONS] = {
        "mean temperature off", "energy drift", "atoms nearer than in training",
        "descriptors far outside of the training data", "covalent bonds broken"};
    bool first = true;
    if (r->n_failed) say(r, " %zu job%s failed.", r->n_failed, r->n_failed > 1 ? "s" : "");
    if (!r->n_flagged) return;
    say(r, " Of the %zu runs %zu %s flagged (", r->n_there, r->n_flagged,
        r->n_flagged > 1 ? "are" : "is");
    for (int k = MLK_REPORT_REASONS - 1; k >= 0; k--) {
        if (!r->flagged[k]) continue;
        say(r, "%s%s: %zu", first ? "" : ", ", what[k], r->flagged[k]);
        first = false;
    }
    say(r, "); they are part of the comparison.");
}

void mlk_report_statement(mlk_report *r)
{
    char pn[32], pc[32];
    int n = r->all.n_compared;
    r->statement[0] = 0;
    if (r->n_model == 1) {
        say(r, "The study has one model: nothing can be compared. Whether the correction is needed "
               "shows in Θ.");
        runs(r);
        return;
    }
    if (!n) {
        say(r, "There are not yet two models with a thermal conductivity at the same temperature: "
               "nothing can be compared.");
        runs(r);
        return;
    }
    mlk_pvalue(r->all.p_naive, pn), mlk_pvalue(r->all.p, pc);
    bool differ_n = r->all.p_naive < 0.05, differ_c = r->all.p < 0.05;
    char where[40];
    if (n > 1)
        snprintf(where, sizeof where, "Over %d temperatures", n);
    else
        snprintf(where, sizeof where, "At one temperature");
    say(r,
        "%s the naive thermal conductivities of the models %s (p %s%s) %s the "
        "Onsager-corrected ones %s%s (p %s%s).",
        where, differ(differ_n), *pn == '<' ? "" : "= ", pn, differ_n == differ_c ? "and" : "but",
        differ_n && differ_c ? "still " : "", differ(differ_c), *pc == '<' ? "" : "= ", pc);
    scatter(r);
    if (!differ_c) hidden(r, differ_n);
    if (differ_c && !differ_n)
        say(r, " That the models agree before the correction is then a coincidence or an effect of "
               "larger errors: the corrected values do not depend on how a model shares out its "
               "energy, and they differ.");
    if (differ_c)
        say(r, " What is left after the correction is a difference of the models themselves.");
    if (n > 1)
        say(r,
            " Taken one by one, the models differ (p < 0.05) at %d of %d temperatures naive and "
            "at %d corrected.",
            r->all.n_naive, n, r->all.n_corrected);
    runs(r);
}
