# Bad input to `mlkit dataset`: one clear line with file, place and remedy, status 1 or 2, nothing
# half-written.
n=0
# expect STATUS 'text on stderr' command...
expect() {
    want=$1 text=$2
    shift 2
    n=$((n + 1))
    got=0
    "$@" >out 2>err || got=$?
    if [ $got != "$want" ] || ! grep -q -- "$text" err; then
        echo "case $n: status $got (expected $want), no '$text' in: $*"
        cat err
        exit 1
    fi
    if grep -q "Assertion\|Sanitizer\|HDF5-DIAG" err; then cat err; exit 1; fi
}
frame() { printf '1\nLattice="5 0 0 0 5 0 0 0 5" energy=-1 Properties=species:S:1:pos:R:3:forces:R:3\n%s\n' "$1"; }

: >empty.xml
echo 'not xml at all' >text.xml
echo '<?xml version="1.0"?><html></html>' >html.xml
frame 'Li 0 0 nan 0 0 0' >nan.xyz
frame 'Qx 0 0 0 0 0 0' >unknown.xyz
frame 'Li 0 0 0 0 0 0' >good.xyz
printf '0\n\n' >zero.xyz
mkdir none && echo hello >none/notes.txt
mkdir hollow

expect 2 "needs a verb" "$MLKIT" dataset
expect 2 "unknown 'mlkit dataset' verb" "$MLKIT" dataset inof good.xyz
expect 2 "no data given" "$MLKIT" dataset info
expect 2 "unknown option\|unknown key\|--jsno" "$MLKIT" dataset info --jsno good.xyz
expect 1 "missing.xml: error: cannot read: No such file" "$MLKIT" dataset info missing.xml
expect 1 "empty.xml: error: the file is empty" "$MLKIT" dataset info empty.xml
expect 1 "text.xml: error: the format is not recognised" "$MLKIT" dataset info text.xml
expect 1 "html.xml:1: error: the root element is <html>" "$MLKIT" dataset info html.xml
expect 1 "nan.xyz:3: error: .*position of atom 1: 'nan'" "$MLKIT" dataset info nan.xyz
expect 1 "unknown.xyz:3: error: unknown element of atom 1: 'Qx'" "$MLKIT" dataset info unknown.xyz
expect 1 "zero.xyz:1: error: expected the number of atoms" "$MLKIT" dataset info zero.xyz
expect 1 "none: error: no data file in this folder" "$MLKIT" dataset info none
expect 1 "hint: vasprun.xml, OUTCAR" "$MLKIT" dataset info hollow
expect 2 "no output given" "$MLKIT" dataset convert good.xyz
expect 2 "cannot tell the format" "$MLKIT" dataset convert good.xyz -o good.odd
expect 2 "no format is called" "$MLKIT" dataset convert good.xyz --from nothing -o x.h5
expect 1 "good.xyz: error: is one of the inputs" "$MLKIT" dataset convert good.xyz -o good.xyz --force
expect 1 "no_such_folder" "$MLKIT" dataset convert good.xyz -o no_such_folder/x.xyz
expect 1 "no_such_folder" "$MLKIT" dataset convert good.xyz -o no_such_folder/x.h5
expect 0 "" "$MLKIT" dataset convert good.xyz -o a.h5
expect 1 "a.h5: error: exists already" "$MLKIT" dataset convert good.xyz -o a.h5
expect 0 "" "$MLKIT" dataset convert good.xyz -o a.h5 --force
expect 1 "truncated\|damaged\|not an HDF5" sh -c "head -c 1500 a.h5 >cut.h5; '$MLKIT' dataset info cut.h5"
expect 2 "fraction\|range\|allowed" "$MLKIT" dataset split good.xyz --valid 2

# a cut file gives its complete frames, a warning with the line, and status 0
{ cat good.xyz; head -2 good.xyz; } >cut.xyz
expect 0 "warning: cut.xyz:5: 1 complete frames, then: the file ends early" "$MLKIT" dataset info cut.xyz
grep -q "^frames  *1 in" out

# a broken file in a folder is a warning
mkdir mixed && cp good.xyz nan.xyz mixed/
expect 0 "warning: mixed/nan.xyz:3" "$MLKIT" dataset info mixed

# what became of each file; unknown formats are only counted; a problem without a line has no ":0"
echo notes >mixed/README
head -c 100 a.h5 >mixed/bad.h5
expect 0 "" "$MLKIT" dataset info mixed
grep -q "^files  *format  *frames  *taken$" out
grep -q "^mixed/good.xyz  *extxyz  *1  *1$" out
grep -q "^mixed/nan.xyz  *extxyz  *0  *0  .*position of atom 1" out
grep -q "^and 1 file of unknown format$\|^and 2 files of unknown format$" out
grep -q "^mixed/bad.h5: " out
if grep ":0: " out; then exit 1; fi
expect 0 "" "$MLKIT" dataset info mixed --json
for line in '"path": "mixed/good.xyz"' '"format": "extxyz"' '"n_taken": 1' '"path": "mixed/README"' '"format": "unknown"'; do
    grep -q "$line" out
done
expect 0 "" "$MLKIT" dataset info good.xyz
if grep "^files " out; then exit 1; fi
mkdir lots
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do cp good.xyz lots/$i.xyz; done
expect 0 "" "$MLKIT" dataset info lots
grep -q "^\.\.\. and 2 more; -v lists all$" out
[ "$(grep -c "^lots/" out)" = 20 ]
expect 0 "" "$MLKIT" dataset info lots -v
[ "$(grep -c "^lots/" out)" = 22 ]

# full disk, simulated by a limit on the size of files: an error that names the file, no remains
i=0
while [ $i -lt 400 ]; do cat good.xyz; i=$((i + 1)); done >many.xyz
for out in full.xyz full.xml full.h5; do
    expect 1 "full" sh -c "trap '' XFSZ; ulimit -f 8; '$MLKIT' dataset convert many.xyz -o $out"
    if ls | grep -q '^full'; then ls; exit 1; fi
done
if [ -w /dev/full ]; then
    expect 1 "cannot write to standard output" sh -c "'$MLKIT' dataset info good.xyz >/dev/full"
    expect 1 "cannot write to standard output" sh -c "'$MLKIT' dataset info good.xyz --json >/dev/full"
fi
ls -a | grep tmp && exit 1

# little address space: an error or an answer, and an end (the sanitizer needs terabytes of it)
if ! grep -q __asan_init "$MLKIT"; then
    (ulimit -v 250000; OPENBLAS_NUM_THREADS=2 timeout -s KILL 60 "$MLKIT" info >log)
    grep -q '^mlkit ' log
fi
echo "$n cases"
