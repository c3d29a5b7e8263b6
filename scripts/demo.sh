#!/bin/sh
# The demo: the whole study with quick settings on the bundled Li3PS4 data. Run again: resumes, or says
# that all is done.
set -eu
exec "$1" benchmark --quick --temps 500:800:150 -o mlkit-demo
