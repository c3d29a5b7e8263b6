#!/bin/sh
# Includes point only downward: every #include "room/..." must be allowed for the room it stands in.
bad=0
check() { # room, allowed rooms
    for f in "$1"/*.[ch]; do
        [ -e "$f" ] || continue
        for inc in $(sed -n 's/^#include "\([a-z_0-9]*\)\/.*/\1/p' "$f"); do
            case " $1 $2 " in *" $inc "*) ;; *) echo "$f: includes $inc/, allowed: $1 $2" >&2; bad=1 ;; esac
        done
    done
}
check core ""
check potentials "core"
check parsers "core"
check datasets "core parsers"
check md "core potentials"
check train "core potentials datasets parsers"
check transport "core"
check reports "core potentials parsers datasets md train transport"
only() { # header, the only file that may name it
    for f in $(grep -l "#include <$1" core/*.[ch] potentials/*.c parsers/*.c datasets/*.c md/*.c train/*.c transport/*.c reports/*.c 2>/dev/null); do
        case " $2 " in *" $f "*) ;; *) echo "$f: includes <$1>, only $2 may" >&2; bad=1 ;; esac
    done
}
only hdf5.h core/h5.c
only cblas.h core/linalg.c
only lapacke.h core/linalg.c
only yaml.h core/conf.c
only fftw3.h core/fft.c
only jansson.h core/json.h
only lzma.h core/stream.c
only bzlib.h core/stream.c
only libxml/ parsers/vasprun.c
exit $bad
