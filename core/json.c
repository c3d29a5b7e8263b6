/* json.c - see json.h. */
#include "core/json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"

json_t *mlk_json_real(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

json_t *mlk_json_reals(const double *v, size_t n)
{
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(a, mlk_json_real(v[i]));
    return a;
}

mlk_status mlk_json_write(const json_t *j, const char *path, mlk_err *e)
{
    size_t flags = JSON_INDENT(1) | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY;
    if (!strcmp(path, "-")) {
        if (json_dumpf(j, stdout, flags) || fputc('\n', stdout) == EOF || fflush(stdout))
            return MLK_FAIL(e, MLK_EIO, "cannot write to standard output: %s", strerror(errno));
        return MLK_OK;
    }
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, path, e));
    if (json_dumpf(j, o.fp, flags)) {
        mlk_out_abort(&o);
        MLK_FAIL(e, MLK_EIO, "cannot write JSON");
        return mlk_err_at(e, path, 0);
    }
    fputc('\n', o.fp);
    return mlk_out_commit(&o, e);
}

mlk_status mlk_json_read(const char *path, json_t **j, mlk_err *e)
{
    json_error_t je;
    *j = json_load_file(path, 0, &je);
    if (*j) return MLK_OK;
    if (!mlk_file_exists(path))
        MLK_FAIL(e, MLK_EIO, "cannot read: no such file");
    else
        MLK_FAIL(e, MLK_EFORMAT, "not valid JSON: %s", je.text);
    return mlk_err_at(e, path, je.line > 0 ? je.line : 0);
}

mlk_status mlk_json_lines(const char *path, json_t **list, mlk_err *e)
{
    char *text = NULL;
    size_t n = 0;
    *list = NULL;
    MLK_TRY(mlk_file_slurp(path, &text, &n, e));
    json_t *a = json_array();
    for (char *l = text, *end; a && l < text + n; l = end + 1) {
        for (end = l; end < text + n && *end && *end != '\n';) end++;
        json_t *j = json_loadb(l, (size_t)(end - l), 0, NULL);
        if (json_is_object(j))
            json_array_append_new(a, j);
        else
            json_decref(j);
    }
    mlk_free(text);
    *list = a;
    return a ? MLK_OK : MLK_FAIL(e, MLK_ENOMEM, "%s", path);
}

double mlk_json_get_real(const json_t *obj, const char *key, double def)
{
    const json_t *v = json_object_get(obj, key);
    return json_is_number(v) ? json_number_value(v) : def;
}

const char *mlk_json_get_str(const json_t *obj, const char *key, const char *def)
{
    const json_t *v = json_object_get(obj, key);
    return json_is_string(v) ? json_string_value(v) : def;
}
