/* pdf_open.c - finds and opens the plugin that draws report.pdf. Its libraries (pango, cairo,
 * librsvg) would cost every other command more time to load than mlkit needs to start. */
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "reports/report.h"
#include "version.h"

/* Returns 0, or -1 with why in words (cap bytes). */
typedef int draw(const mlk_document *d, const char *path, char *why, size_t cap);

/* Beside the program, in ../lib/mlkit of it, in PREFIX/lib/mlkit: the first that is there. */
static bool find(char *path, size_t cap)
{
    char exe[1000];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n < 0 ? 0 : n] = 0;
    char *slash = strrchr(exe, '/');
    if (slash) *slash = 0;
    for (int k = 0; k < 3; k++) {
        static const char *const below[] = {"", "/../lib/mlkit", MLK_PREFIX "/lib/mlkit"};
        snprintf(path, cap, "%s%s/mlkit-pdf.so", k < 2 ? exe : "", below[k]);
        if (mlk_file_exists(path)) return true;
    }
    return false;
}

mlk_status mlk_report_pdf(const mlk_document *d, const char *path, mlk_err *e)
{
    char so[1300], tmp[1310], why[300] = "";
    if (!find(so, sizeof so)) {
        MLK_FAIL(e, MLK_EUNSUPPORTED,
                 "the plugin mlkit-pdf.so is neither beside the program nor in " MLK_PREFIX
                 "/lib/mlkit");
        return mlk_err_hint(e, "make builds it, with the Debian packages libpango1.0-dev and "
                               "librsvg2-dev; report.html can be printed");
    }
    void *lib = dlopen(so, RTLD_NOW | RTLD_LOCAL); /* stays open: glib cannot be unloaded */
    draw *entry = NULL;
    if (lib) *(void **)&entry = dlsym(lib, "mlk_pdf_draw");
    if (!entry) {
        MLK_FAIL(e, MLK_EUNSUPPORTED, "%s cannot be used: %.300s", so, dlerror());
        return mlk_err_hint(e, "install the Debian packages libpangocairo-1.0-0 and librsvg2-2");
    }
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    if (entry(d, tmp, why, sizeof why)) {
        unlink(tmp);
        return MLK_FAIL(e, MLK_EIO, "%s", why);
    }
    if (rename(tmp, path)) return MLK_FAIL(e, MLK_EIO, "%s cannot be renamed", tmp);
    return MLK_OK;
}
