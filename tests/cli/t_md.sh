# mlkit md: a run, its repetition, threads, stop, kill and continuation, wrong input, a full disk
. "$ROOT/tests/cli/argon.sh"
fail() { echo "$1"; exit 1; }
digest() { sed -n 's/.*"digest": "\(.*\)".*/\1/p'; }
run="md ar.lj --structure ar.xyz --supercell 3x3x3 --temp 60 --dt 4fs --equil 0.4ps --run 4ps --threads 1"

# a run: one JSON object on stdout, the file, a log, nothing else left
$MLKIT $run -o a.h5 --json -q >a.json
[ "$(grep -c '"n_samples": 1000' a.json)" = 1 ] || fail "1000 samples expected: $(cat a.json)"
grep -q '"drift_flag": false' a.json || fail "drift"
[ "$(ls -d a.* | tr '\n' ' ')" = "a.h5 a.json a.log " ] || fail "files: $(ls -d a.*)"

# once more: nothing is done; other settings: refused with usage status
sum=$(cksum a.h5)
$MLKIT $run -o a.h5 --json 2>err | grep -q '"already complete"' || fail "not recognised as complete"
rc=0; $MLKIT $run --seed 5 -o a.h5 2>err || rc=$?
[ $rc = 2 ] || fail "status $rc for other settings"
grep -q "seed: 1.*seed: 5" err && grep -q hint err || fail "which setting differs? $(cat err)"
[ "$sum" = "$(cksum a.h5)" ] || fail "a.h5 was touched"

# same bits for any number of threads, another seed another trajectory
one=$(digest <a.json)
[ "$($MLKIT $run --threads 2 -o b.h5 --json -q | digest)" = "$one" ] || fail "threads change the run"
[ "$($MLKIT $run --seed 2 -o c.h5 --json -q | digest)" != "$one" ] || fail "the seed does nothing"

# more than one thread: they do not spin while they wait, unless the user says so
for policy in "" active; do
    env ${policy:+OMP_WAIT_POLICY=$policy} $MLKIT $run --threads 2 --run 1ns -o wait.h5 -q & pid=$!
    until [ -e wait.log ] || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
    found=$(tr '\0' '\n' </proc/$pid/environ | sed -n 's/^OMP_WAIT_POLICY=//p')
    kill -KILL $pid; wait $pid || true; rm -rf wait.*
    [ "$found" = "${policy:-passive}" ] || fail "OMP_WAIT_POLICY: '$found'"
done

# SIGTERM: status 143 at a checkpoint; SIGKILL: whatever; the same command finishes with the same bits
long="md ar.lj --structure ar.xyz --supercell 3x3x3 --temp 60 --dt 4fs --equil 0.4ps --run 12ps --threads 1 --checkpoint 0.05s"
whole=$($MLKIT $long -o whole.h5 --json -q | digest)
$MLKIT $long -o cut.h5 -q 2>err & pid=$!
while [ ! -e cut.h5.ckpt.h5 ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
kill -TERM $pid; rc=0; wait $pid || rc=$?
[ $rc = 143 ] || [ $rc = 0 ] || fail "status $rc after SIGTERM"
[ $rc = 0 ] || grep -q "same command" err || fail "no hint: $(cat err)"
[ $rc = 0 ] || [ ! -e cut.h5 ] || fail "half a file"
$MLKIT $long -o cut.h5 -q 2>err & pid=$!
sleep 0.2; kill -KILL $pid 2>/dev/null || true; wait $pid || true
[ "$($MLKIT $long -o cut.h5 --json -q | digest)" = "$whole" ] || fail "a killed run went on differently"
[ ! -e cut.h5.parts ] && [ ! -e cut.h5.ckpt.h5 ] || fail "parts left behind"

# wrong input: one line that names the place, status 1 or 2, nothing written
bad() { # status, words in the message, arguments
    want=$1 words=$2; shift 2
    rc=0; $MLKIT md "$@" -o bad.h5 -q >out 2>err || rc=$?
    [ $rc = "$want" ] || fail "status $rc, expected $want: $*: $(cat err)"
    grep -q "$words" err || fail "'$words' is not in: $(cat err)"
    [ "$(grep -c error: err)" = 1 ] && [ ! -s out ] || fail "not one error line: $(cat err)"
    [ ! -e bad.h5 ] && [ ! -e bad.h5.parts ] || fail "written: $*"
}
sed 's/^Ar/Li/' ar.xyz >li.xyz
sed 's/Ar 0 2.7/Ar 0 nan/' ar.xyz >nan.xyz
: >empty
bad 2 "structure is missing" ar.lj
bad 2 "expected one model" --structure ar.xyz
bad 1 "nope.lj" nope.lj --structure ar.xyz
bad 1 "nope.xyz" ar.lj --structure nope.xyz
bad 1 "empty" ar.lj --structure empty
bad 1 "nan.xyz:4" ar.lj --structure nan.xyz
bad 1 "li.xyz.*Li" ar.lj --structure li.xyz
bad 1 "frame 7" ar.lj --structure ar.xyz --frame 7
bad 2 "supercell" ar.lj --structure ar.xyz --supercell 2x0x2
bad 2 "supercell" ar.lj --structure ar.xyz --supercell many
bad 1 "1e7 atoms" ar.lj --structure ar.xyz --supercell 300x300x300
bad 2 "temp" ar.lj --structure ar.xyz --temp 0
bad 2 "time" ar.lj --structure ar.xyz --run 20
bad 2 "whole number" ar.lj --structure ar.xyz --sample 5fs
bad 2 "unknown option" ar.lj --structure ar.xyz --tmep 300
bad 1 "no potential" empty --structure ar.xyz
echo "not HDF5" >there.h5
rc=0; $MLKIT $run -o there.h5 -q 2>err || rc=$?
[ $rc = 1 ] && [ "$(cat there.h5)" = "not HDF5" ] || fail "a foreign file was overwritten"

# atoms on top of each other: the step is named
sed 's/Ar 0 0 0/Ar 0 2.6999 2.6999/' ar.xyz >close.xyz
rc=0; $MLKIT md ar.lj --structure close.xyz --equil 0ps --run 1ps -o close.h5 -q 2>err || rc=$?
[ $rc = 1 ] && grep -q "error: step" err && grep -q hint err || fail "divergence: $rc $(cat err)"
[ ! -e close.h5 ] || fail "a diverged run counts as complete"

# full disk: error, status 1; with room again the same command gives the same bits
mkdir disk
if mount -t tmpfs -o size=128k tmpfs disk 2>/dev/null; then
    trap 'umount disk 2>/dev/null' EXIT
    rc=0; $MLKIT $run --checkpoint 0.02s -o disk/a.h5 -q 2>err || rc=$?
    [ $rc = 1 ] && grep -q "a.h5" err && grep -q hint err || fail "full disk: status $rc $(cat err)"
    mount -o remount,size=20m disk
    [ "$($MLKIT $run -o disk/a.h5 --json -q | digest)" = "$one" ] || fail "after a full disk the run differs"
fi
