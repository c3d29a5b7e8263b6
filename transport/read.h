/* read.h - fluxes of one state point from whatever files there are: H5MD runs, text tables. */
#ifndef MLK_TRANSPORT_READ_H
#define MLK_TRANSPORT_READ_H

#include <stdbool.h>

#include "core/err.h"
#include "core/flux.h"
#include "transport/table.h"

/* Read n files as replicas (segments) of one state point. o: what tables do not say themselves;
 * o->temperature > 0 wins everywhere. *h5: all are H5MD files, so that positions may be read too.
 * Errors: those of the readers, and MLK_EINVAL for files that do not belong together, each with the
 * file named. */
mlk_status mlk_transport_read(mlk_flux *fl, size_t n, char **path, const mlk_table_opts *o,
                              bool *h5, mlk_err *e);

#endif
