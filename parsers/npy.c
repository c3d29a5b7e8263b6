/* npy.c - see npy.h. Format: magic, version, length of the header, header (a Python dict as text),
 * data. */
#include "parsers/npy.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"

enum { DIMS_MAX = 8 };

typedef struct layout {
    char kind;   /* 'f' or 'i'   */
    size_t size; /* bytes a number has */
    int swap, fortran, n_dim;
    size_t dim[DIMS_MAX];
} layout;

static mlk_status broken(const char *path, mlk_err *e, const char *what)
{
    MLK_FAIL(e, MLK_EFORMAT, "not a NumPy array: %s", what);
    return mlk_err_at(e, path, 0);
}

/* What stands behind 'key': in the header, or NULL. */
static const char *field(const char *head, const char *key)
{
    const char *p = strstr(head, key);
    if (!p) return NULL;
    p += strlen(key);
    p += strspn(p, " ");
    if (*p != ':') return NULL;
    return p + 1 + strspn(p + 1, " ");
}

static mlk_status read_shape(const char *path, const char *s, layout *l, mlk_err *e)
{
    if (!s || *s != '(') return broken(path, e, "no shape");
    for (s++;;) {
        char *end;
        s += strspn(s, " ,");
        if (*s == ')') return MLK_OK;
        if (!isdigit((unsigned char)*s) || l->n_dim == DIMS_MAX)
            return broken(path, e, "its shape");
        unsigned long long d = strtoull(s, &end, 10);
        if (d > SIZE_MAX / 64) return broken(path, e, "its shape");
        l->dim[l->n_dim++] = (size_t)d;
        s = end;
    }
}

static mlk_status read_layout(const char *path, const char *head, layout *l, mlk_err *e)
{
    const char *d = field(head, "'descr'"), *f = field(head, "'fortran_order'");
    const uint16_t one = 1;
    const char host = *(const unsigned char *)&one ? '<' : '>';
    if (!d || *d != '\'' || !f) return broken(path, e, "its header");
    l->swap = (d[1] == '<' || d[1] == '>') && d[1] != host;
    l->kind = d[2];
    l->size = d[2] && d[3] ? (size_t)(d[3] - '0') : 0;
    l->fortran = *f == 'T';
    if ((l->kind != 'f' && l->kind != 'i') || (l->size != 4 && l->size != 8) || d[4] != '\'') {
        MLK_FAIL(e, MLK_EUNSUPPORTED,
                 "numbers of type %.10s; float and int of 4 or 8 bytes can be "
                 "read",
                 d);
        return mlk_err_at(e, path, 0);
    }
    return read_shape(path, field(head, "'shape'"), l, e);
}

static double value(const layout *l, const char *p)
{
    unsigned char b[8];
    memcpy(b, p, l->size);
    for (size_t k = 0; l->swap && k < l->size / 2; k++) {
        unsigned char t = b[k];
        b[k] = b[l->size - 1 - k];
        b[l->size - 1 - k] = t;
    }
    union {
        double d;
        float f;
        int64_t l;
        int32_t i;
    } u;
    memcpy(&u, b, l->size);
    if (l->kind == 'f') return l->size == 8 ? u.d : (double)u.f;
    return l->size == 8 ? (double)u.l : (double)u.i;
}

/* Where the number at C-order place k stands in the file. */
static size_t place(const layout *l, size_t k)
{
    if (!l->fortran) return k;
    size_t at = 0, stride = 1, idx[DIMS_MAX];
    for (int d = l->n_dim; d-- > 0;) {
        idx[d] = k % l->dim[d];
        k /= l->dim[d];
    }
    for (int d = 0; d < l->n_dim; d++) {
        at += idx[d] * stride;
        stride *= l->dim[d];
    }
    return at;
}

static mlk_status fill(const char *path, const layout *l, const char *data, size_t bytes,
                       mlk_npy *a, mlk_err *e)
{
    size_t n = 1;
    for (int d = 0; d < l->n_dim; d++) {
        if (l->dim[d] && n > bytes / l->dim[d])
            n = bytes + 1; /* more than there can be */
        else
            n *= l->dim[d];
    }
    if (n > bytes || n * l->size != bytes) {
        MLK_FAIL(e, MLK_EFORMAT, "%zu bytes of data are not what the shape in its header needs",
                 bytes);
        mlk_err_hint(e, "the file was cut off or damaged");
        return mlk_err_at(e, path, 0);
    }
    a->bytes = (int)l->size;
    a->rows = l->n_dim ? l->dim[0] : 1;
    a->cols = a->rows ? n / a->rows : 0;
    a->v = mlk_alloc(n, sizeof *a->v);
    if (!a->v) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    for (size_t k = 0; k < n; k++) a->v[k] = value(l, data + place(l, k) * l->size);
    return MLK_OK;
}

static mlk_status decode(const char *path, char *text, size_t n, mlk_npy *a, mlk_err *e)
{
    const unsigned char *u = (const unsigned char *)text;
    if (n < 12 || memcmp(text, "\x93NUMPY", 6) || u[6] < 1 || u[6] > 3)
        return broken(path, e, "it does not begin like one");
    const size_t at = u[6] == 1 ? 10 : 12;
    size_t len = u[8] | (size_t)u[9] << 8;
    if (at == 12) len |= (size_t)u[10] << 16 | (size_t)u[11] << 24;
    if (len > n - at) return broken(path, e, "the file ends early");
    layout l = {0};
    char *head = mlk_alloc(len + 1, 1);
    if (!head) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    memcpy(head, text + at, len);
    mlk_status s = read_layout(path, head, &l, e);
    mlk_free(head);
    return s ? s : fill(path, &l, text + at + len, n - at - len, a, e);
}

mlk_status mlk_npy_read(const char *path, mlk_npy *a, mlk_err *e)
{
    char *text;
    size_t n;
    memset(a, 0, sizeof *a);
    MLK_TRY(mlk_file_slurp(path, &text, &n, e));
    mlk_status s = decode(path, text, n, a, e);
    mlk_free(text);
    return s;
}

void mlk_npy_free(mlk_npy *a)
{
    mlk_free(a->v);
    memset(a, 0, sizeof *a);
}

mlk_status mlk_npy_write(const char *path, const double *v, size_t rows, size_t cols, mlk_err *e)
{
    mlk_out o;
    char head[128], shape[64];
    const uint16_t one = 1;
    if (cols)
        snprintf(shape, sizeof shape, "%zu, %zu", rows, cols);
    else
        snprintf(shape, sizeof shape, "%zu,", rows);
    int n =
        snprintf(head, sizeof head, "{'descr': '%cf8', 'fortran_order': False, 'shape': (%s), }",
                 *(const unsigned char *)&one ? '<' : '>', shape);
    MLK_TRY(mlk_out_begin(&o, path, e));
    /* header and its 10 bytes before it end at a multiple of 64, with a line end */
    int total = (10 + n + 1 + 63) / 64 * 64;
    fprintf(o.fp, "\x93NUMPY%c%c%c%c%s%*s\n", 1, 0, (total - 10) & 255, (total - 10) >> 8, head,
            total - 10 - n - 1, "");
    fwrite(v, sizeof *v, rows * (cols ? cols : 1), o.fp);
    return mlk_out_commit(&o, e);
}
