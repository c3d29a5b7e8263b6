#!/bin/sh
# run.sh MLKIT [FOLDER]: run every t_*.sh of tests/cli, or of that folder, with MLKIT set and a scratch folder as
# the working directory; a test passes when it exits 0, is skipped when it exits 77.
bin=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
pass=0 fail=0 skip=0
for t in "$root/${2:-tests/cli}"/t_*.sh; do
    [ -e "$t" ] || continue
    dir=$(mktemp -d)
    (cd "$dir" && MLKIT=$bin ROOT=$root OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} sh -eu "$t") >"$dir/.out" 2>&1
    case $? in
    0) pass=$((pass + 1)) ;;
    77) skip=$((skip + 1)); echo "skipped: $(basename "$t"): $(tail -1 "$dir/.out")" ;;
    *) fail=$((fail + 1)); echo "FAILED: $(basename "$t")"; sed 's/^/    /' "$dir/.out" ;;
    esac
    rm -rf "$dir"
done
echo "${2:-tests/cli}: $pass passed, $fail failed, $skip skipped"
[ $fail = 0 ]
