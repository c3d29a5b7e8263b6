/* h5.c - see h5.h. */
#include "core/h5.h"

#include <errno.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"

struct mlk_h5 {
    hid_t id;
    size_t bytes; /* of a foreign file, else 0 */
    char path[1024];
};

static mlk_status fail(mlk_h5 *h, mlk_err *e, const char *what, const char *path)
{
    MLK_FAIL(e, h->bytes ? MLK_EFORMAT : MLK_EIO, "HDF5: cannot %s '%s'", what, path);
    return mlk_err_at(e, h->path, 0);
}

/* What the library says lies at the bottom of a failure: "data error detected by Fletcher32...". */
static herr_t innermost(unsigned n, const H5E_error2_t *it, void *user)
{
    (void)n;
    if (it->desc && *it->desc) snprintf(user, 200, "%s", it->desc);
    return 0;
}

static mlk_status fail_read(mlk_h5 *h, mlk_err *e, const char *path)
{
    char why[200] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, innermost, why);
    MLK_FAIL(e, MLK_EIO, "HDF5: cannot read '%s'%s%s", path, *why ? ": " : "", why);
    return mlk_err_at(e, h->path, 0);
}

static hid_t native(mlk_h5_type t)
{
    switch (t) {
    case MLK_H5_DOUBLE:
        return H5T_NATIVE_DOUBLE;
    case MLK_H5_FLOAT:
        return H5T_NATIVE_FLOAT;
    case MLK_H5_INT:
        return H5T_NATIVE_INT;
    case MLK_H5_INT64:
        return H5T_NATIVE_INT64;
    case MLK_H5_UINT8:
        return H5T_NATIVE_UINT8;
    }
    return H5T_NATIVE_DOUBLE;
}

static size_t type_size(mlk_h5_type t)
{
    return t == MLK_H5_DOUBLE || t == MLK_H5_INT64 ? 8 : t == MLK_H5_UINT8 ? 1 : 4;
}

mlk_status mlk_h5_open(mlk_h5 **h, const char *path, const char *mode, mlk_err *e)
{
    *h = NULL;
    H5dont_atexit(); /* its exit handler crashes on a file that a full disk kept from closing */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    mlk_h5 *q = mlk_alloc(1, sizeof *q);
    if (!q) return MLK_FAIL(e, MLK_ENOMEM, "HDF5 file");
    snprintf(q->path, sizeof q->path, "%s", path);
    errno = 0;
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    if (*mode != 'r' && mode[1] == 'c') /* since 1.10 all metadata carry checksums */
        H5Pset_libver_bounds(fapl, H5F_LIBVER_V110, H5F_LIBVER_V110);
    if (*mode == 'w')
        q->id = H5Fcreate(path, H5F_ACC_EXCL, H5P_DEFAULT, fapl);
    else
        q->id = H5Fopen(path, *mode == 'r' ? H5F_ACC_RDONLY : H5F_ACC_RDWR, fapl);
    H5Pclose(fapl);
    if (q->id < 0) {
        mlk_free(q);
        if (*mode == 'w')
            MLK_FAIL(e, MLK_EIO, "cannot create: %s", errno ? strerror(errno) : "HDF5 error");
        else if (access(path, R_OK) != 0)
            MLK_FAIL(e, MLK_EIO, "cannot read: %s", strerror(errno));
        else
            MLK_FAIL(e, MLK_EFORMAT, "not an HDF5 file, damaged, or open for writing elsewhere");
        return mlk_err_at(e, path, 0);
    }
    *h = q;
    return MLK_OK;
}

mlk_status mlk_h5_open_foreign(mlk_h5 **h, const char *path, const void *image, size_t n,
                               mlk_err *e)
{
    struct stat st;
    *h = NULL;
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (!image && stat(path, &st) != 0) {
        MLK_FAIL(e, MLK_EIO, "cannot read: %s", strerror(errno));
        return mlk_err_at(e, path, 0);
    }
    mlk_h5 *q = mlk_alloc(1, sizeof *q);
    if (!q) return MLK_FAIL(e, MLK_ENOMEM, "HDF5 file");
    snprintf(q->path, sizeof q->path, "%s", path);
    q->bytes = image ? n : (size_t)st.st_size;
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_file_locking(fapl, false, true);
    if (image) {
        H5Pset_fapl_core(fapl, 1 << 16, false);
        H5Pset_file_image(fapl, (void *)(uintptr_t)image, n);
    }
    char none[sizeof q->path + 8]; /* HDF5 wants an image to have the name of no file */
    snprintf(none, sizeof none, "%s/image", path);
    q->id = H5Fopen(image ? none : path, H5F_ACC_RDONLY, fapl);
    H5Pclose(fapl);
    if (q->id < 0) {
        mlk_free(q);
        MLK_FAIL(e, MLK_EFORMAT, "the HDF5 file is cut off, damaged or not finished");
        mlk_err_hint(e, "while a job runs, read its OUTCAR or vasprun.xml");
        return mlk_err_at(e, path, 0);
    }
    *h = q;
    return MLK_OK;
}

mlk_status mlk_h5_flush(mlk_h5 *h, mlk_err *e)
{
    return H5Fflush(h->id, H5F_SCOPE_LOCAL) < 0 ? fail(h, e, "flush", "/") : MLK_OK;
}

mlk_status mlk_h5_close(mlk_h5 **h, mlk_err *e)
{
    if (!*h) return MLK_OK;
    mlk_status s = MLK_OK;
    if (H5Fclose((*h)->id) < 0) s = fail(*h, e, "close (disk full?)", (*h)->path);
    mlk_free(*h);
    *h = NULL;
    return s;
}

bool mlk_h5_exists(mlk_h5 *h, const char *path)
{
    char part[1024];
    for (const char *p = path; *p;) {
        p += *p == '/';
        p += strcspn(p, "/");
        snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
        if (strcmp(part, "/") && *part && H5Lexists(h->id, part, H5P_DEFAULT) <= 0) return false;
    }
    return true;
}

static herr_t collect(hid_t g, const char *name, const H5L_info_t *info, void *user)
{
    (void)g, (void)info;
    struct {
        char **names;
        size_t n, cap;
    } *u = user;
    if (MLK_GROW(u->names, u->cap, u->n + 1, NULL)) return -1;
    u->names[u->n] = mlk_strdup(name);
    return u->names[u->n++] ? 0 : -1;
}

mlk_status mlk_h5_list(mlk_h5 *h, const char *group, char ***names, size_t *n, mlk_err *e)
{
    struct {
        char **names;
        size_t n, cap;
    } u = {0};
    hid_t g = mlk_h5_exists(h, group) ? H5Gopen2(h->id, group, H5P_DEFAULT) : -1;
    if (g < 0) return fail(h, e, "open the group", group);
    herr_t r = H5Literate(g, H5_INDEX_NAME, H5_ITER_INC, NULL, collect, &u);
    H5Gclose(g);
    *names = u.names;
    *n = u.n;
    return r < 0 ? fail(h, e, "list", group) : MLK_OK;
}

static hid_t lcpl(void)
{
    hid_t p = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(p, 1);
    return p;
}

mlk_status mlk_h5_group(mlk_h5 *h, const char *path, mlk_err *e)
{
    if (!strcmp(path, "/") || mlk_h5_exists(h, path)) return MLK_OK;
    hid_t l = lcpl(), g = H5Gcreate2(h->id, path, l, H5P_DEFAULT, H5P_DEFAULT);
    H5Pclose(l);
    if (g < 0) return fail(h, e, "make the group", path);
    H5Gclose(g);
    return MLK_OK;
}

mlk_status mlk_h5_write(mlk_h5 *h, const char *path, mlk_h5_type t, int ndim, const size_t *dim,
                        const void *data, mlk_err *e)
{
    hsize_t d[4] = {1, 1, 1, 1};
    for (int k = 0; k < ndim; k++) d[k] = dim[k];
    hid_t ds;
    if (mlk_h5_exists(h, path)) {
        ds = H5Dopen2(h->id, path, H5P_DEFAULT);
    } else {
        hid_t sp = ndim ? H5Screate_simple(ndim, d, NULL) : H5Screate(H5S_SCALAR), l = lcpl();
        ds = H5Dcreate2(h->id, path, native(t), sp, l, H5P_DEFAULT, H5P_DEFAULT);
        H5Pclose(l);
        H5Sclose(sp);
    }
    if (ds < 0) return fail(h, e, "create", path);
    herr_t r = H5Dwrite(ds, native(t), H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    if (H5Dclose(ds) < 0) r = -1; /* small writes wait in a buffer until here */
    return r < 0 ? fail(h, e, "write (disk full?)", path) : MLK_OK;
}

/* Can so many items be in the file? A damaged one may claim any shape, and its readers allocate by
 * it. Deflate shrinks at most 1032 times; small datasets may be nothing but their fill value. */
static bool holds(mlk_h5 *h, hid_t ds, int ndim, const hsize_t *d)
{
    hid_t type = H5Dget_type(ds);
    hsize_t stored = H5Dget_storage_size(ds), file = 0;
    double bytes = (double)H5Tget_size(type);
    H5Tclose(type);
    if (H5Fget_filesize(h->id, &file) >= 0 && stored > file) stored = file;
    for (int k = 0; k < ndim; k++) bytes *= (double)d[k];
    return bytes <= 1100 * (double)stored + 65536;
}

mlk_status mlk_h5_dims(mlk_h5 *h, const char *path, int *ndim, size_t dim[4], mlk_err *e)
{
    hid_t ds = mlk_h5_exists(h, path) ? H5Dopen2(h->id, path, H5P_DEFAULT) : -1;
    if (ds < 0) return fail(h, e, "find", path);
    hid_t sp = H5Dget_space(ds);
    hsize_t d[32];
    *ndim = H5Sget_simple_extent_ndims(sp);
    bool shaped = *ndim >= 0 && *ndim <= 4;
    if (shaped) H5Sget_simple_extent_dims(sp, d, NULL);
    bool real = shaped && holds(h, ds, *ndim, d);
    H5Sclose(sp);
    H5Dclose(ds);
    if (!shaped) return fail(h, e, "understand the shape of", path);
    if (!real) {
        MLK_FAIL(e, MLK_EFORMAT, "HDF5: '%s' claims more values than the file holds", path);
        return mlk_err_at(e, h->path, 0);
    }
    for (int k = 0; k < *ndim; k++) dim[k] = (size_t)d[k];
    return MLK_OK;
}

mlk_status mlk_h5_read(mlk_h5 *h, const char *path, mlk_h5_type t, void *data, mlk_err *e)
{
    hid_t ds = mlk_h5_exists(h, path) ? H5Dopen2(h->id, path, H5P_DEFAULT) : -1;
    if (ds < 0) return fail(h, e, "find", path);
    herr_t r = H5Dread(ds, native(t), H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    if (r < 0) fail_read(h, e, path);
    H5Dclose(ds);
    return r < 0 ? MLK_EIO : MLK_OK;
}

mlk_status mlk_h5_read_rows(mlk_h5 *h, const char *path, mlk_h5_type t, size_t first, size_t n,
                            void *data, mlk_err *e)
{
    int nd;
    size_t dim[4];
    MLK_TRY(mlk_h5_dims(h, path, &nd, dim, e));
    if (nd < 1 || first + n > dim[0]) return fail(h, e, "read that many rows of", path);
    if (n == 0) return MLK_OK;
    hsize_t start[4] = {first, 0, 0, 0}, count[4] = {n, 1, 1, 1};
    for (int k = 1; k < nd; k++) count[k] = dim[k];
    hid_t ds = H5Dopen2(h->id, path, H5P_DEFAULT), sp = H5Dget_space(ds);
    H5Sselect_hyperslab(sp, H5S_SELECT_SET, start, NULL, count, NULL);
    hid_t mem = H5Screate_simple(nd, count, NULL);
    herr_t r = H5Dread(ds, native(t), mem, sp, H5P_DEFAULT, data);
    if (r < 0) fail_read(h, e, path);
    H5Sclose(mem), H5Sclose(sp), H5Dclose(ds);
    return r < 0 ? MLK_EIO : MLK_OK;
}

/* Append n rows of elements of a type of `size` bytes. */
static mlk_status append(mlk_h5 *h, const char *path, hid_t type, size_t size, int nrowdim,
                         const size_t *rowdim, size_t n, const void *data, int filters, mlk_err *e)
{
    int nd = nrowdim + 1;
    hsize_t dim[4] = {0, 1, 1, 1}, maxd[4], chunk[4], old[4];
    size_t row = size;
    for (int k = 0; k < nrowdim; k++) dim[k + 1] = rowdim[k], row *= rowdim[k];
    memcpy(maxd, dim, sizeof dim);
    memcpy(chunk, dim, sizeof dim);
    maxd[0] = H5S_UNLIMITED;
    chunk[0] = row >= 65536 ? 1 : 65536 / (row ? row : 1);
    if (chunk[0] > 4096) chunk[0] = 4096;
    hid_t ds;
    if (mlk_h5_exists(h, path)) {
        ds = H5Dopen2(h->id, path, H5P_DEFAULT);
    } else {
        hid_t sp = H5Screate_simple(nd, dim, maxd), l = lcpl(), c = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(c, nd, chunk);
        if (filters) {
            H5Pset_shuffle(c);
            H5Pset_deflate(c, filters & MLK_H5_CHECKED ? 1 : 4);
        }
        if (filters & MLK_H5_CHECKED) H5Pset_fletcher32(c); /* last: of the bytes on disk */
        ds = H5Dcreate2(h->id, path, type, sp, l, c, H5P_DEFAULT);
        H5Pclose(c), H5Pclose(l), H5Sclose(sp);
    }
    if (ds < 0) return fail(h, e, "create", path);
    if (n == 0) {
        H5Dclose(ds);
        return MLK_OK;
    }
    hid_t sp = H5Dget_space(ds);
    bool ok = H5Sget_simple_extent_ndims(sp) == nd;
    if (ok) H5Sget_simple_extent_dims(sp, old, NULL);
    H5Sclose(sp);
    for (int k = 1; k < nd; k++) ok = ok && old[k] == dim[k];
    if (!ok) {
        H5Dclose(ds);
        return fail(h, e, "append rows of another shape to", path);
    }
    hsize_t start[4] = {old[0], 0, 0, 0}, count[4];
    memcpy(count, dim, sizeof dim);
    count[0] = n;
    dim[0] = old[0] + n;
    ok = H5Dset_extent(ds, dim) >= 0;
    sp = H5Dget_space(ds);
    H5Sselect_hyperslab(sp, H5S_SELECT_SET, start, NULL, count, NULL);
    hid_t mem = H5Screate_simple(nd, count, NULL);
    ok = ok && H5Dwrite(ds, type, mem, sp, H5P_DEFAULT, data) >= 0;
    H5Sclose(mem), H5Sclose(sp);
    ok = H5Dclose(ds) >= 0 && ok;
    return ok ? MLK_OK : fail(h, e, "append to (disk full?)", path);
}

mlk_status mlk_h5_append(mlk_h5 *h, const char *path, mlk_h5_type t, int nrowdim,
                         const size_t *rowdim, size_t n, const void *data, int filters, mlk_err *e)
{
    return append(h, path, native(t), type_size(t), nrowdim, rowdim, n, data, filters, e);
}

mlk_status mlk_h5_append_strings(mlk_h5 *h, const char *path, size_t len, const char *const *s,
                                 size_t n, mlk_err *e)
{
    char *flat = mlk_alloc(n ? n : 1, len);
    if (!flat) return MLK_FAIL(e, MLK_ENOMEM, "%zu strings", n);
    for (size_t i = 0; i < n; i++) snprintf(flat + i * len, len, "%s", s[i]);
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, len);
    H5Tset_cset(t, H5T_CSET_UTF8);
    mlk_status st = append(h, path, t, len, 0, NULL, n, flat, MLK_H5_CHECKED, e);
    H5Tclose(t);
    mlk_free(flat);
    return st;
}

mlk_status mlk_h5_truncate(mlk_h5 *h, const char *path, size_t n, mlk_err *e)
{
    int nd;
    size_t dim[4];
    MLK_TRY(mlk_h5_dims(h, path, &nd, dim, e));
    hsize_t d[4];
    for (int k = 0; k < nd; k++) d[k] = dim[k];
    if (nd < 1 || d[0] < n) return fail(h, e, "cut (too short already)", path);
    d[0] = n;
    hid_t ds = H5Dopen2(h->id, path, H5P_DEFAULT);
    herr_t r = H5Dset_extent(ds, d);
    H5Dclose(ds);
    return r < 0 ? fail(h, e, "cut", path) : MLK_OK;
}

static mlk_status attr_write(mlk_h5 *h, const char *path, const char *name, hid_t type, size_t n,
                             const void *v, mlk_err *e)
{
    MLK_TRY(mlk_h5_group(h, path, e));
    hid_t obj = H5Oopen(h->id, path, H5P_DEFAULT);
    if (obj < 0) return fail(h, e, "open", path);
    if (H5Aexists(obj, name) > 0) H5Adelete(obj, name);
    hsize_t d = n;
    hid_t sp = n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &d, NULL);
    hid_t a = H5Acreate2(obj, name, type, sp, H5P_DEFAULT, H5P_DEFAULT);
    herr_t r = a < 0 ? -1 : H5Awrite(a, type, v);
    if (a >= 0) H5Aclose(a);
    H5Sclose(sp), H5Oclose(obj);
    return r < 0 ? fail(h, e, "write an attribute of", path) : MLK_OK;
}

mlk_status mlk_h5_attr_set_str(mlk_h5 *h, const char *path, const char *name, const char *v,
                               mlk_err *e)
{
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, strlen(v) + 1);
    H5Tset_cset(t, H5T_CSET_UTF8);
    mlk_status s = attr_write(h, path, name, t, 1, v, e);
    H5Tclose(t);
    return s;
}

mlk_status mlk_h5_attr_set_double(mlk_h5 *h, const char *path, const char *name, double v,
                                  mlk_err *e)
{
    return attr_write(h, path, name, H5T_NATIVE_DOUBLE, 1, &v, e);
}

mlk_status mlk_h5_attr_set_int(mlk_h5 *h, const char *path, const char *name, int64_t v, mlk_err *e)
{
    return attr_write(h, path, name, H5T_NATIVE_INT64, 1, &v, e);
}

mlk_status mlk_h5_attr_set_ints(mlk_h5 *h, const char *path, const char *name, const int *v,
                                size_t n, mlk_err *e)
{
    return attr_write(h, path, name, H5T_NATIVE_INT, n, v, e);
}

mlk_status mlk_h5_attr_set_strs(mlk_h5 *h, const char *path, const char *name, const char *const *v,
                                size_t n, mlk_err *e)
{
    size_t len = 1;
    for (size_t i = 0; i < n; i++)
        if (strlen(v[i]) + 1 > len) len = strlen(v[i]) + 1;
    char *flat = mlk_alloc(n ? n : 1, len);
    if (!flat) return MLK_FAIL(e, MLK_ENOMEM, "%zu strings", n);
    for (size_t i = 0; i < n; i++) memcpy(flat + i * len, v[i], strlen(v[i]));
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, len);
    H5Tset_cset(t, H5T_CSET_UTF8);
    mlk_status s = attr_write(h, path, name, t, n, flat, e);
    H5Tclose(t);
    mlk_free(flat);
    return s;
}

bool mlk_h5_attr_exists(mlk_h5 *h, const char *path, const char *name)
{
    return mlk_h5_exists(h, path) && H5Aexists_by_name(h->id, path, name, H5P_DEFAULT) > 0;
}

static mlk_status attr_read(mlk_h5 *h, const char *path, const char *name, hid_t type, void *v,
                            mlk_err *e)
{
    if (!mlk_h5_attr_exists(h, path, name)) {
        MLK_FAIL(e, MLK_EFORMAT, "attribute '%s' of '%s' is missing", name, path);
        return mlk_err_at(e, h->path, 0);
    }
    hid_t a = H5Aopen_by_name(h->id, path, name, H5P_DEFAULT, H5P_DEFAULT);
    hid_t sp = H5Aget_space(a);
    bool scalar = H5Sget_simple_extent_npoints(sp) == 1;
    H5Sclose(sp);
    herr_t r = scalar ? H5Aread(a, type, v) : -1;
    H5Aclose(a);
    return r < 0 ? fail(h, e, "read an attribute of", path) : MLK_OK;
}

mlk_status mlk_h5_attr_double(mlk_h5 *h, const char *path, const char *name, double *v, mlk_err *e)
{
    return attr_read(h, path, name, H5T_NATIVE_DOUBLE, v, e);
}

mlk_status mlk_h5_attr_int(mlk_h5 *h, const char *path, const char *name, int64_t *v, mlk_err *e)
{
    return attr_read(h, path, name, H5T_NATIVE_INT64, v, e);
}

mlk_status mlk_h5_attr_str(mlk_h5 *h, const char *path, const char *name, char *buf, size_t cap,
                           mlk_err *e)
{
    if (!mlk_h5_attr_exists(h, path, name)) {
        MLK_FAIL(e, MLK_EFORMAT, "attribute '%s' of '%s' is missing", name, path);
        return mlk_err_at(e, h->path, 0);
    }
    hid_t a = H5Aopen_by_name(h->id, path, name, H5P_DEFAULT, H5P_DEFAULT), ft = H5Aget_type(a);
    herr_t r = -1;
    buf[0] = 0;
    if (H5Tget_class(ft) == H5T_STRING && H5Tis_variable_str(ft) > 0) {
        char *text = NULL;
        hid_t t = H5Tcopy(H5T_C_S1);
        H5Tset_size(t, H5T_VARIABLE);
        H5Tset_cset(t, H5Tget_cset(ft));
        r = H5Aread(a, t, &text);
        if (r >= 0 && text) snprintf(buf, cap, "%s", text);
        if (text) H5free_memory(text);
        H5Tclose(t);
    } else if (H5Tget_class(ft) == H5T_STRING) {
        size_t n = H5Tget_size(ft);
        char *text = mlk_alloc(n + 1, 1);
        if (text) r = H5Aread(a, ft, text);
        if (r >= 0) snprintf(buf, cap, "%s", text);
        mlk_free(text);
    }
    H5Tclose(ft), H5Aclose(a);
    return r < 0 ? fail(h, e, "read a text attribute of", path) : MLK_OK;
}

mlk_status mlk_h5_write_strings(mlk_h5 *h, const char *path, const char *const *s, size_t n,
                                mlk_err *e)
{
    size_t len = 1;
    for (size_t i = 0; i < n; i++)
        if (strlen(s[i]) + 1 > len) len = strlen(s[i]) + 1;
    char *flat = mlk_alloc(n ? n : 1, len);
    if (!flat) return MLK_FAIL(e, MLK_ENOMEM, "%zu strings", n);
    for (size_t i = 0; i < n; i++) memcpy(flat + i * len, s[i], strlen(s[i]));
    hid_t t = H5Tcopy(H5T_C_S1), l = lcpl();
    H5Tset_size(t, len);
    H5Tset_cset(t, H5T_CSET_UTF8);
    hsize_t d = n;
    hid_t sp = H5Screate_simple(1, &d, NULL);
    hid_t ds = H5Dcreate2(h->id, path, t, sp, l, H5P_DEFAULT, H5P_DEFAULT);
    herr_t r = ds < 0 ? -1 : n ? H5Dwrite(ds, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, flat) : 0;
    if (ds >= 0 && H5Dclose(ds) < 0) r = -1;
    H5Sclose(sp), H5Pclose(l), H5Tclose(t);
    mlk_free(flat);
    return r < 0 ? fail(h, e, "write", path) : MLK_OK;
}

mlk_status mlk_h5_read_strings(mlk_h5 *h, const char *path, char ***s, size_t *n, mlk_err *e)
{
    int nd;
    size_t dim[4];
    *s = NULL;
    *n = 0;
    MLK_TRY(mlk_h5_dims(h, path, &nd, dim, e));
    hid_t ds = H5Dopen2(h->id, path, H5P_DEFAULT), t = H5Dget_type(ds);
    mlk_status st = MLK_OK;
    if (nd != 1 || H5Tget_class(t) != H5T_STRING || H5Tis_variable_str(t) > 0) {
        st = fail(h, e, "read as fixed strings", path);
    } else {
        size_t len = H5Tget_size(t);
        char *flat = mlk_alloc(dim[0] ? dim[0] : 1, len + 1);
        char **out = mlk_alloc(dim[0] ? dim[0] : 1, sizeof *out);
        if (!flat || !out)
            st = MLK_FAIL(e, MLK_ENOMEM, "%zu strings", dim[0]);
        else if (dim[0] && H5Dread(ds, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, flat) < 0)
            st = fail_read(h, e, path);
        for (size_t i = 0; !st && i < dim[0]; i++) {
            out[i] = mlk_alloc(len + 1, 1);
            if (!out[i])
                st = MLK_FAIL(e, MLK_ENOMEM, "%zu strings", dim[0]);
            else
                memcpy(out[i], flat + i * len, len);
        }
        mlk_free(flat);
        *s = out;
        *n = dim[0];
    }
    H5Tclose(t), H5Dclose(ds);
    return st;
}

/* Copy of n bytes of text without the blanks at its end. */
static char *trimmed(const char *text, size_t n)
{
    n = strnlen(text, n);
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\n' || text[n - 1] == '\t')) n--;
    char *s = mlk_alloc(n + 1, 1);
    if (s) memcpy(s, text, n);
    return s;
}

static herr_t read_variable(hid_t ds, hid_t type, size_t n, char **out)
{
    char **raw = mlk_alloc(n, sizeof *raw);
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, H5T_VARIABLE);
    H5Tset_cset(t, H5Tget_cset(type));
    herr_t r = raw ? H5Dread(ds, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) : -1;
    for (size_t i = 0; r >= 0 && i < n; i++) {
        out[i] = trimmed(raw[i] ? raw[i] : "", raw[i] ? strlen(raw[i]) : 0);
        if (!out[i]) r = -1;
    }
    for (size_t i = 0; raw && i < n; i++)
        if (raw[i]) H5free_memory(raw[i]);
    H5Tclose(t);
    mlk_free(raw);
    return r;
}

static herr_t read_fixed(hid_t ds, hid_t type, size_t n, char **out)
{
    const size_t len = H5Tget_size(type);
    char *flat = mlk_alloc(n, len);
    herr_t r = flat ? H5Dread(ds, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, flat) : -1;
    for (size_t i = 0; r >= 0 && i < n; i++)
        if (!(out[i] = trimmed(flat + i * len, len))) r = -1;
    mlk_free(flat);
    return r;
}

mlk_status mlk_h5_read_texts(mlk_h5 *h, const char *path, char ***s, size_t *n, mlk_err *e)
{
    int nd;
    size_t dim[4] = {1};
    *s = NULL;
    *n = 0;
    MLK_TRY(mlk_h5_dims(h, path, &nd, dim, e));
    if (nd > 1 || dim[0] == 0) return fail(h, e, "read as text", path);
    if (!(*s = mlk_alloc(dim[0], sizeof **s))) return MLK_FAIL(e, MLK_ENOMEM, "%zu texts", dim[0]);
    *n = dim[0];
    hid_t ds = H5Dopen2(h->id, path, H5P_DEFAULT), t = H5Dget_type(ds);
    herr_t r = -1;
    if (H5Tget_class(t) == H5T_STRING)
        r = H5Tis_variable_str(t) > 0 ? read_variable(ds, t, *n, *s) : read_fixed(ds, t, *n, *s);
    H5Tclose(t), H5Dclose(ds);
    return r < 0 ? fail(h, e, "read as text", path) : MLK_OK;
}

const char *mlk_h5_version(void)
{
    static char text[32];
    unsigned a, b, c;
    H5get_libversion(&a, &b, &c);
    snprintf(text, sizeof text, "%u.%u.%u", a, b, c);
    return text;
}
