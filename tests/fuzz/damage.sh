#!/bin/sh
# damage.sh MLK-DAMAGE [FILE...] - every file of ../shared/data/vasp (or those named), cut at 200 places and with
# 200 single bytes changed (MLK_DAMAGE=N: another number), through the reader under the sanitizers. A crash, a
# sanitizer's report or a case over 30 s is counted, and the rest of the file's cases still run.
here=$(dirname "$(realpath "$0")")
data=$(realpath "$here/../../../shared/data/vasp" 2>/dev/null)
bin=$(realpath "$1")
shift
rounds=${MLK_DAMAGE:-200}
if [ $# = 0 ]; then
    [ -d "$data" ] || { echo "damage: skipped, there is no ../shared/data/vasp"; exit 0; }
    set -- $(find "$data" -maxdepth 1 -type f ! -name README.md | LC_ALL=C sort)
fi
top=/tmp
[ -w /dev/shm ] && top=/dev/shm
scratch=$(mktemp -d $top/mlk-damage-XXXXXX)
trap 'rm -rf "$scratch"' EXIT INT TERM
export ASAN_OPTIONS=hard_rss_limit_mb=2048:allocator_may_return_null=1:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
fmt='%-42s %-10s %6s | %5s %5s | %5s %5s %6s | %4s %5s %5s %5s\n'
# shellcheck disable=SC2059
{
    printf "$fmt" file format frames cuts short same seen silent bad crash s MB
    worst=0 crashes=0
    for f in "$@"; do
        first=0 crash=0 row=
        while [ $first -lt $((2 * rounds)) ] && [ $crash -lt 10 ]; do
            echo $first >"$scratch/case"
            "$bin" "$f" "$rounds" "$rounds" $first "$scratch" >"$scratch/row" 2>"$scratch/err"
            code=$?
            head -60 "$scratch/err" >&2
            # reports of a child (parsers/isolate.c: the HDF5 library on damaged files) are no crash
            if [ $code -le 1 ] && [ -s "$scratch/row" ] && ! grep -q LeakSanitizer "$scratch/err"; then
                row=$(cat "$scratch/row")
                [ $code = 0 ] || worst=1
                break
            fi
            crash=$((crash + 1))
            echo "$(basename "$f"): case $(cat "$scratch/case") ended with code $code" >&2
            grep -q LeakSanitizer "$scratch/err" && break
            first=$(($(cat "$scratch/case") + 1))
        done
        crashes=$((crashes + crash))
        # shellcheck disable=SC2086
        set_row() { printf "$fmt" "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "$9" "$crash" "${10}" "${11}"; }
        set_row ${row:-$(basename "$f") - - - - - - - - - -}
    done
    echo "cuts: frames equal those of the whole file; short: the end was not noticed (a cut between two frames)"
    echo "same, seen: a changed byte made no difference, was noticed; silent: a number of a plain text became another"
    [ $worst = 0 ] && [ $crashes = 0 ]
}
