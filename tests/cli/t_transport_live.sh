# mlkit transport on a run of mlkit md that is still being written: what there is, said so, writer undisturbed
. "$ROOT/tests/cli/argon.sh"
fail() { echo "$1"; exit 1; }
value() { sed -n "s/^ *\"$2\": \([-0-9.eE+]*\),*$/\1/p" "$1" | head -1; }
run="md ar.lj --structure ar.xyz --supercell 3x3x3 --temp 60 --dt 4fs --equil 0.4ps --run 40ps --threads 1 --checkpoint 0.1s -q"
whole=$($MLKIT $run -o whole.h5 --json | sed -n 's/.*"digest": "\(.*\)".*/\1/p')
$MLKIT transport whole.h5 --mobile none --json -q >whole.json

$MLKIT $run -o run.h5 2>log & pid=$!
seen=0
while kill -0 $pid 2>/dev/null && [ $seen = 0 ]; do
    sleep 0.05
    $MLKIT transport run.h5 --mobile none --json >part.json 2>err && grep -q "still being written" err && seen=1
done
kill -TERM $pid 2>/dev/null || true
wait $pid || true
if [ $seen = 1 ]; then
    grep -q "ps of 40 ps so far" err || fail "$(cat err)"
    n=$(value part.json n_samples) all=$(value whole.json n_samples)
    [ "$n" -gt 100 ] && [ "$n" -lt "$all" ] || fail "$n samples of $all"
    [ "$(value part.json volume_A3)" = "$(value whole.json volume_A3)" ] || fail "volume"
    [ "$(value part.json dt_fs)" = "$(value whole.json dt_fs)" ] || fail "dt"
fi
# the writer went on as if nobody had looked
[ "$($MLKIT $run -o run.h5 --json | sed -n 's/.*"digest": "\(.*\)".*/\1/p')" = "$whole" ] || fail "other bits"
$MLKIT transport run.h5 --mobile none --json -q >same.json
cmp same.json whole.json || fail "the finished run differs"
[ $seen = 1 ] || { echo "the run was over before it could be looked at"; exit 77; }
