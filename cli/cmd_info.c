/* cmd_info.c - mlkit info: what this binary is and what it uses. */
#include <fftw3.h>
#include <libxml/xmlversion.h>
#include <stdio.h>
#include <yaml.h>
#include <zlib.h>

#include "cli/cmd.h"
#include "core/cpu.h"
#include "core/h5.h"
#include "core/json.h"
#include "core/linalg.h"
#include "core/threads.h"
#include "version.h"

typedef struct cfg {
    mlk_common common;
} cfg;

static const mlk_opt opts[] = {MLK_COMMON_OPTS(cfg), {0}};

mlk_status mlk_cmd_info(int argc, char **argv, mlk_err *e)
{
    cfg c;
    int n;
    char **words;
    bool done;
    MLK_TRY(mlk_cmd_begin(opts, &c, argc, argv, NULL, "mlkit info [--json]",
                          "Version, build flags, CPU kernels in use, library versions.",
                          "mlkit info", &n, &words, &done, e));
    if (done) return MLK_OK;
    const char *simd = mlk_cpu_level_name(mlk_cpu_level());
    if (c.common.json) {
        json_t *j =
            json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "version", MLK_VERSION,
                      "compiler", MLK_COMPILER, "flags", MLK_FLAGS, "simd", simd, "threads",
                      mlk_threads(), "blas", mlk_linalg_version(), "hdf5", mlk_h5_version(), "fftw",
                      fftw_version, "libxml2", LIBXML_DOTTED_VERSION, "libyaml",
                      yaml_get_version_string(), "jansson", JANSSON_VERSION, "zlib", zlibVersion());
        mlk_status s = mlk_json_write(j, "-", e);
        json_decref(j);
        return s;
    }
    printf("mlkit     %s\ncompiler  %s\nflags     %s\nkernels   %s (MLK_SIMD=scalar|avx2|avx512 "
           "lowers it)\n"
           "threads   %d\nBLAS      %s\nHDF5      %s\nFFTW      %s\nlibxml2   %s\nlibyaml   %s\n"
           "jansson   %s\nzlib      %s\n",
           MLK_VERSION, MLK_COMPILER, MLK_FLAGS, simd, mlk_threads(), mlk_linalg_version(),
           mlk_h5_version(), fftw_version, LIBXML_DOTTED_VERSION, yaml_get_version_string(),
           JANSSON_VERSION, zlibVersion());
    return MLK_OK;
}
