#!/bin/sh
# run.sh BINARY SECONDS JOBS [TARGET...] - fuzz every target (or those named) for so many seconds each, JOBS
# at a time, then print a table: runs, edges covered, crashes. Seeds: tests/fuzz/seed/TARGET and found/TARGET,
# and the small files of ../shared where it exists. The grown corpus stays in build/fuzz/corpus, crashes in
# build/fuzz/crash; `run.sh BINARY min FILE` makes one of those small.
set -eu
here=$(dirname "$(realpath "$0")")
root=$(realpath "$here/../..")
bin=$(realpath "$1")
time=$2
work=$root/build/fuzz
limits="-rss_limit_mb=1024 -malloc_limit_mb=256 -timeout=10 -max_len=32768"
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

# the files of ../shared that a target reads, by the name of the file
extra() {
    case $1 in
    vasprun) echo 'vasprun*' ;;
    outcar) echo 'OUTCAR*' ;;
    xdatcar) echo 'XDATCAR*' ;;
    mlab) echo 'ML_AB*' ;;
    poscar) echo '*CAR_[Mmnvs]*' ;;
    extxyz) echo '*.xyz*' ;;
    *) ;;
    esac
}

fuzz_one() { # TARGET SECONDS
    target=$1
    left=$2
    plain=${target#gap-}
    [ -d "$here/seed/$plain" ] || plain=${plain%%[-_]*} # dialects of one format
    corpus=$work/corpus/$target crash=$work/crash/$target log=$work/log/$target
    mkdir -p "$corpus" "$crash" "$work/log" "$work/tmp"
    rm -f "$log"
    find "$crash" -type f -exec mv -f {} "$corpus/" \; # those of the last time are tried again first
    seeds=$corpus
    for d in "$here/seed/$plain" "$here/found/$plain" "$here/found/$target"; do
        [ -d "$d" ] && seeds="$seeds $d"
    done
    [ "$target" = sniff ] && seeds="$seeds $(find "$here/seed" -mindepth 1 -maxdepth 1 -type d | tr '\n' ' ')"
    glob=$(extra "$plain")
    if [ -n "$glob" ] && [ -d "$root/../shared/data/vasp" ]; then
        mkdir -p "$work/extra/$plain"
        find "$root/../shared/data/vasp" -maxdepth 1 -type f -name "$glob" -size -24k \
            -exec cp -n {} "$work/extra/$plain/" \;
        seeds="$seeds $work/extra/$plain"
    fi
    dict=
    [ -e "$here/$plain.dict" ] && dict=-dict=$here/$plain.dict
    end=$(($(date +%s) + left))
    tries=0
    while left=$((end - $(date +%s))) && [ $left -gt 0 ] && [ $tries -lt 25 ]; do # goes on after a crash
        # shellcheck disable=SC2086
        MLK_FUZZ=$target MLK_FEED_DIR=$work/tmp "$bin" $limits $dict -max_total_time=$left -print_final_stats=1 \
            -artifact_prefix="$crash/" $seeds >>"$log" 2>&1 && break
        tries=$((tries + 1))
    done
}

if [ "$time" = min ]; then
    file=$3
    target=$(basename "$(dirname "$file")")
    # shellcheck disable=SC2086
    MLK_FUZZ=$target MLK_FEED_DIR=/tmp "$bin" $limits -minimize_crash=1 -max_total_time=30 \
        -exact_artifact_path="$file.min" "$file" 2>&1 | tail -3
    exit 0
fi
jobs=$3
shift 3
if [ "${FUZZ_ONE:-}" ]; then
    fuzz_one "$1" "$time"
    exit 0
fi
[ $# -gt 0 ] || set -- $(MLK_FUZZ=list "$bin")
mkdir -p "$work/tmp"
tmp=$work/tmp
[ -w /dev/shm ] && tmp=$(mktemp -d /dev/shm/mlk-fuzz-XXXXXX) && rm -rf "$work/tmp" && ln -s "$tmp" "$work/tmp"
trap 'rm -rf "$tmp" "$work/tmp"' EXIT INT TERM
printf '%s\n' "$@" | FUZZ_ONE=1 xargs -P "$jobs" -I{} sh "$0" "$bin" "$time" 1 {}
printf '%-16s %12s %8s %9s %8s\n' target runs edges corpus crashes
for t in "$@"; do
    runs=$(awk '/number_of_executed_units/ {n += $2} /^#[0-9]+.*(NEW|pulse|REDUCE|INITED|DONE|RELOAD)/ {last = substr($1, 2)}
        END {print (n > 0 ? n : last + 0)}' "$work/log/$t")
    edges=$(awk '{for (i = 1; i < NF; i++) if ($i == "cov:") c = $(i + 1)} END {print c + 0}' "$work/log/$t")
    printf '%-16s %12s %8s %9s %8s\n' "$t" "$runs" "$edges" "$(ls "$work/corpus/$t" | wc -l)" \
        "$(find "$work/crash/$t" -type f ! -name '*.min' | wc -l)"
done
lost= # a target that could not work must not look like one without findings
for t in "$@"; do
    { grep -q '^Done' "$work/log/$t" && ! grep -q 'mlk-feed.*No such file' "$work/log/$t"; } 2>/dev/null || lost="$lost $t"
done
[ -z "$lost" ] || echo "not run to the end:$lost"
found=$(find "$work/crash" -type f ! -name '*.min' | wc -l)
[ "$found" = 0 ] || { echo "$found inputs in build/fuzz/crash"; exit 1; }
[ -z "$lost" ]
