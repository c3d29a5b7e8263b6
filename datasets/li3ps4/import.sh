#!/bin/sh
# Make the bundled set again from its extended XYZ files (folder $1, default ../shared/data/li3ps4
# beside the source tree). Equal input gives equal bytes. Needs a built mlkit ($MLKIT to name it).
#
#     sh datasets/li3ps4/import.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
from=${1:-$root/../shared/data/li3ps4}
mlkit=${MLKIT:-$root/build/mlkit}
new=$(mktemp -d "$root/datasets/.import.XXXXXX")
trap 'rm -rf "$new"' EXIT

# the README of the set states that frames with an unconverged SCF would have been dropped: none was
convert() {
    "$mlkit" dataset convert "$from/$1.xyz" -o "$new/$2/" --to vasprun --program CP2K \
        --program-version 2023.1 --scf-converged
}
convert li3ps4 li3ps4
convert li3ps4_supercells li3ps4_supercells
for set in li3ps4 li3ps4_supercells; do
    mkdir -p "$root/datasets/$set"
    rm -f "$root/datasets/$set"/*.xml.gz
    mv "$new/$set"/*.xml.gz "$root/datasets/$set/"
done
