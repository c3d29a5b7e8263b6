/* one.c - the figures of a single transport result: a report of one model at one temperature. */
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "reports/plot.h"
#include "reports/report.h"

/* file names without folders and endings make labels that gnuplot can quote */
static void label(char *buf, size_t cap, const char *name)
{
    const char *base = strrchr(name, '/');
    snprintf(buf, cap, "%s", base ? base + 1 : name);
    buf[strcspn(buf, ".")] = 0;
    for (char *p = buf; *p; p++)
        if (strchr("'\"\\,\n", *p)) *p = '_';
    if (!buf[0] || !strcmp(buf, "-")) snprintf(buf, cap, "run");
}

static mlk_status may_write(const char *dir, bool force, mlk_err *e)
{
    char path[1300];
    if (force || !mlk_file_exists(mlk_path_join(path, sizeof path, dir, "kappa.csv")))
        return MLK_OK;
    MLK_FAIL(e, MLK_EIO, "holds figures already");
    mlk_err_hint(e, "choose another folder, or --force to replace them");
    return mlk_err_at(e, dir, 0);
}

mlk_status mlk_report_one(const json_t *result, const char *name, const char *dir, bool force,
                          size_t *n_fig, mlk_err *e)
{
    MLK_TRY(may_write(dir, force, e));
    mlk_status s = MLK_OK;
    mlk_report *r = mlk_alloc(1, sizeof *r);
    if (!r) return MLK_FAIL(e, MLK_ENOMEM, "figures");
    if (strlen(dir) >= sizeof r->figdir)
        MLK_GO(MLK_FAIL(e, MLK_EINVAL, "the folder name is too long"));
    snprintf(r->figdir, sizeof r->figdir, "%s", dir);
    r->n_temp = r->n_model = 1;
    r->temp[0] = mlk_json_get_real(result, "temperature_K", 0);
    label(r->model[0].name, sizeof r->model[0].name, name);
    r->transport = mlk_alloc(1, sizeof *r->transport);
    if (!r->transport) MLK_GO(MLK_FAIL(e, MLK_ENOMEM, "figures"));
    r->transport[0] = json_incref((json_t *)result);
    MLK_GO(mlk_mkdir_p(dir, e));
    mlk_plot_probe(&r->gnuplot, &r->pdf);
    MLK_GO(mlk_report_kappa(r, e));
    MLK_GO(mlk_report_gauge(r, e));
    MLK_GO(mlk_report_figures_transport(r, e));
    if (!r->gnuplot)
        mlk_log(MLK_LOG_WARN,
                "gnuplot is not installed: no figures are drawn (Debian package gnuplot-nox); the "
                "tables and scripts in %s are written",
                dir);
    *n_fig = r->n_fig;
done:
    mlk_report_free(r);
    mlk_free(r);
    return s;
}
