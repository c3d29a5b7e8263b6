/* npy.h - NumPy's .npy files: one array of numbers. */
#ifndef MLK_PARSERS_NPY_H
#define MLK_PARSERS_NPY_H

#include <stddef.h>

#include "core/err.h"

typedef struct mlk_npy {
    double *v;   /* (rows, cols) in C order, whatever the file's order and type was */
    size_t rows; /* first dimension                                                 */
    size_t cols; /* product of the others, 1 when there are none                    */
    int bytes;   /* of a number in the file: 4 or 8                                 */
} mlk_npy;

/* Read float32, float64, int32 or int64 of either byte order, C or Fortran order, format versions 1
 * to 3. Errors: MLK_EIO; MLK_EFORMAT not such a file, or not as long as its shape says;
 * MLK_EUNSUPPORTED another type. */
mlk_status mlk_npy_read(const char *path, mlk_npy *a, mlk_err *e);
void mlk_npy_free(mlk_npy *a); /* all-zero is harmless */
/* Write (rows, cols) doubles, one-dimensional when cols is 0; atomically. */
mlk_status mlk_npy_write(const char *path, const double *v, size_t rows, size_t cols, mlk_err *e);

#endif
