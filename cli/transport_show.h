/* transport_show.h - the result of one transport analysis as a screen of text. */
#ifndef MLK_CLI_TRANSPORT_SHOW_H
#define MLK_CLI_TRANSPORT_SHOW_H

#include "core/flux.h"
#include "transport/onsager.h"
#include "transport/quantities.h"

void mlk_show_transport(const mlk_onsager *on, const mlk_flux *fl, const mlk_onsager_opts *o,
                        const mlk_diffusion *d, const mlk_quantities *q, int tensor);

#endif
