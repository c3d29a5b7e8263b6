/* cluster.h - the cell of an isolated cluster, for formats that give it none. */
#ifndef MLK_PARSERS_CLUSTER_H
#define MLK_PARSERS_CLUSTER_H

#include "core/frame.h"

#define MLK_ISOLATED_MARGIN 10.0 /* empty space on each side [A] */

/* Every mlkit frame needs a cell: an open box (pbc F F F) of the extent of the atoms plus the
 * margin on each side; positions stay. Sets MLK_HAS_CELL. Its volume means nothing: a source that
 * has no cell cannot have a stress. */
mlk_status mlk_isolated_cell(mlk_frame *fr, mlk_err *e);
/* Is the cell open in every direction? */
bool mlk_isolated(const mlk_frame *fr);

#endif
