/* mlkit.h - umbrella of the public headers of libmlkit, for users; nothing inside includes it. */
#ifndef MLKIT_H
#define MLKIT_H

#include "core/err.h"
#include "core/flux.h"
#include "core/frame.h"
#include "core/neigh.h"
#include "core/units.h"
#include "datasets/check.h"
#include "datasets/dataset.h"
#include "datasets/select.h"
#include "datasets/store.h"
#include "md/md.h"
#include "parsers/parser.h"
#include "parsers/writers.h"
#include "potentials/potential.h"
#include "reports/report.h"
#include "train/committee.h"
#include "train/train.h"
#include "transport/compare.h"
#include "transport/onsager.h"
#include "transport/temperature.h"

#endif
