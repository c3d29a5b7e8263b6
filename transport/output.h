/* output.h - the JSON object of one transport analysis (docs/FORMATS.md). */
#ifndef MLK_TRANSPORT_OUTPUT_H
#define MLK_TRANSPORT_OUTPUT_H

#include "core/json.h"
#include "transport/onsager.h"
#include "transport/quantities.h"

/* New reference, or NULL when memory is exhausted. curves: with the arrays for figures. */
json_t *mlk_transport_json(const mlk_onsager *on, const mlk_flux *fl, const mlk_onsager_opts *o,
                           const mlk_diffusion *diff, const mlk_quantities *q, int curves);

#endif
