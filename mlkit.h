/* mlkit.h - umbrella of the public headers of libmlkit, for users; nothing inside includes it. */
#ifndef MLKIT_H
#define MLKIT_H

#include "core/err.h"
#include "core/flux.h"
#include "core/frame.h"
#include "core/neigh.h"
#include "core/units.h"
#include "datasets/dataset.h"
#include "parsers/parser.h"
#include "potentials/potential.h"

#endif
