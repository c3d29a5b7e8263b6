/* feed_h5.c - see feed_h5.h. */
#include "tests/support/feed_h5.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum { WORDS = 64, ITEMS = 1 << 14 };

static hid_t type_of(const char *w)
{
    const struct {
        const char *name;
        hid_t type;
    } known[] = {{"f64", H5T_NATIVE_DOUBLE}, {"f32", H5T_NATIVE_FLOAT}, {"i64", H5T_NATIVE_INT64},
                 {"i32", H5T_NATIVE_INT32},  {"i8", H5T_NATIVE_INT8},   {"u8", H5T_NATIVE_UINT8}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (!strcmp(known[k].name, w)) return known[k].type;
    return -1;
}

static size_t split(char *line, char **word)
{
    size_t n = 0;
    for (char *save = NULL, *w = strtok_r(line, " \t\r", &save); w && n < WORDS;
         w = strtok_r(NULL, " \t\r", &save))
        word[n++] = w;
    return n;
}

static int shape_of(char *w, hsize_t dim[8], bool *lazy)
{
    int nd = 0;
    size_t n = strlen(w);
    *lazy = n && w[n - 1] == '*';
    if (!strcmp(w, "-")) return 0;
    for (char *save = NULL, *p = strtok_r(w, ",*", &save); p && nd < 8;
         p = strtok_r(NULL, ",*", &save))
        dim[nd++] = strtoull(p, NULL, 10);
    return nd;
}

static void dataset(hid_t f, hid_t lcpl, char **word, size_t n)
{
    hsize_t dim[8], chunk[8], items = 1;
    bool lazy;
    hid_t type = n > 3 ? type_of(word[2]) : -1;
    if (type < 0) return;
    int nd = shape_of(word[3], dim, &lazy);
    for (int k = 0; k < nd; k++) {
        chunk[k] = dim[k] < 4 ? dim[k] + !dim[k] : 4;
        if (dim[k] && items > ITEMS / dim[k] && !lazy) return;
        items *= dim[k];
    }
    hid_t c = H5Pcreate(H5P_DATASET_CREATE);
    if (lazy && nd) H5Pset_chunk(c, nd, chunk);
    hid_t sp = nd ? H5Screate_simple(nd, dim, NULL) : H5Screate(H5S_SCALAR);
    hid_t d = sp < 0 ? -1 : H5Dcreate2(f, word[1], type, sp, lcpl, c, H5P_DEFAULT);
    if (d >= 0 && !lazy && n > 4 && items) {
        double *v = mlk_alloc((size_t)items, sizeof *v);
        for (size_t k = 0; v && k < items; k++) v[k] = strtod(word[4 + k % (n - 4)], NULL);
        if (v) H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v);
        mlk_free(v);
    }
    if (d >= 0) H5Dclose(d);
    if (sp >= 0) H5Sclose(sp);
    H5Pclose(c);
}

static void strings(hid_t f, hid_t lcpl, char **word, size_t n)
{
    size_t len = 1;
    hsize_t m = n - 2;
    for (size_t k = 2; k < n; k++) len = strlen(word[k]) > len ? strlen(word[k]) : len;
    char *flat = mlk_alloc(n, len);
    for (size_t k = 2; flat && k < n; k++)
        if (strcmp(word[k], "_")) memcpy(flat + (k - 2) * len, word[k], strlen(word[k]));
    hid_t t = H5Tcopy(H5T_C_S1), sp = H5Screate_simple(1, &m, NULL);
    H5Tset_size(t, len);
    hid_t d = sp < 0 ? -1 : H5Dcreate2(f, word[1], t, sp, lcpl, H5P_DEFAULT, H5P_DEFAULT);
    if (d >= 0 && flat && m) H5Dwrite(d, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, flat);
    if (d >= 0) H5Dclose(d);
    if (sp >= 0) H5Sclose(sp);
    H5Tclose(t);
    mlk_free(flat);
}

/* list: also a single one is a list */
static void variable(hid_t f, hid_t lcpl, char **word, size_t n, bool list)
{
    hsize_t m = n - 2;
    hid_t t = H5Tcopy(H5T_C_S1), sp = list ? H5Screate_simple(1, &m, NULL) : H5Screate(H5S_SCALAR);
    H5Tset_size(t, H5T_VARIABLE);
    hid_t d = sp < 0 ? -1 : H5Dcreate2(f, word[1], t, sp, lcpl, H5P_DEFAULT, H5P_DEFAULT);
    if (d >= 0) H5Dwrite(d, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, word + 2);
    if (d >= 0) H5Dclose(d);
    if (sp >= 0) H5Sclose(sp);
    H5Tclose(t);
}

static void attribute(hid_t f, char **word, bool number)
{
    hid_t o = H5Oopen(f, word[1], H5P_DEFAULT);
    if (o < 0) return;
    double v = strtod(word[3], NULL);
    hid_t t = H5Tcopy(number ? H5T_NATIVE_DOUBLE : H5T_C_S1), sp = H5Screate(H5S_SCALAR);
    if (!number) H5Tset_size(t, strlen(word[3]) + 1);
    hid_t a = H5Acreate2(o, word[2], t, sp, H5P_DEFAULT, H5P_DEFAULT);
    if (a >= 0) H5Awrite(a, t, number ? (void *)&v : (void *)word[3]);
    if (a >= 0) H5Aclose(a);
    H5Sclose(sp), H5Tclose(t), H5Oclose(o);
}

static void follow(hid_t f, hid_t lcpl, char *line)
{
    char *word[WORDS];
    size_t n = split(line, word);
    if (n < 2 || word[0][1]) return;
    for (size_t k = 2; k < n; k++)
        for (char *c = word[k]; *c; c++)
            if (*c == '~') *c = ' ';
    switch (word[0][0]) {
    case 'd':
        dataset(f, lcpl, word, n);
        break;
    case 's':
        if (n > 2) strings(f, lcpl, word, n);
        break;
    case 't':
    case 'v':
        if (n > 2) variable(f, lcpl, word, n, word[0][0] == 'v');
        break;
    case 'a':
    case 'n':
        if (n > 3) attribute(f, word, word[0][0] == 'n');
        break;
    case 'g': {
        hid_t g = H5Gcreate2(f, word[1], lcpl, H5P_DEFAULT, H5P_DEFAULT);
        if (g >= 0) H5Gclose(g);
        break;
    }
    default:
        break;
    }
}

bool mlk_feed_h5(const char *path, const char *script)
{
    H5dont_atexit(); /* core/h5.c has it so */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    char *copy = mlk_strdup(script);
    hid_t f = copy ? H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT) : -1;
    if (f < 0) {
        mlk_free(copy);
        return false;
    }
    hid_t lcpl = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(lcpl, 1);
    for (char *save = NULL, *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
        follow(f, lcpl, l);
    H5Pclose(lcpl);
    mlk_free(copy);
    return H5Fclose(f) >= 0;
}
