#!/bin/sh
# Install what mlkit needs to build, test and run on Debian and Ubuntu; elsewhere say what is missing.
set -eu
missing() {
    command -v gcc >/dev/null 2>&1 || echo gcc libc6-dev
    command -v gnuplot >/dev/null 2>&1 || echo gnuplot-nox
    command -v pkg-config >/dev/null 2>&1 || echo pkg-config
    { pkg-config --exists hdf5 || pkg-config --exists hdf5-serial; } 2>/dev/null || echo libhdf5-dev
    [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || echo fonts-dejavu-core
    [ -e /usr/include/bzlib.h ] || echo libbz2-dev # has no .pc file
    while read -r pc package; do
        pkg-config --exists "$pc" 2>/dev/null || echo "$package"
    done <<LIST
openblas libopenblas-dev
lapacke liblapacke-dev
libxml-2.0 libxml2-dev
fftw3 libfftw3-dev
yaml-0.1 libyaml-dev
jansson libjansson-dev
zlib zlib1g-dev
liblzma liblzma-dev
pangocairo libpango1.0-dev
librsvg-2.0 librsvg2-dev
criterion libcriterion-dev
LIST
}

need=$(missing | tr '\n' ' ')
[ -z "${need% }" ] && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "mlkit needs these libraries and programs (Debian names): $need" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then sudo=
elif command -v sudo >/dev/null 2>&1; then sudo=sudo
else
    echo "missing packages: $need; become root or install sudo, then run this again" >&2
    exit 1
fi
echo "installing missing packages with apt-get: $need"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $need </dev/null
still=$(missing | tr '\n' ' ')
[ -z "${still% }" ] || { echo "still missing after apt-get: $still" >&2; exit 1; }
