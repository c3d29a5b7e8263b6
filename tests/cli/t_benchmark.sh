# mlkit benchmark with a stand-in for the jobs: plan, journal, resume, failure, stop, bad input.
cat >fake <<'FAKE'
#!/bin/sh
# a stand-in for mlkit: writes the file after -o (a folder for train), slowly or badly if told so
out= name= cmd=$1 run=$2
echo "$*" >>calls
while [ $# -gt 0 ]; do
    case $1 in -o) out=$2 ;; --name) name=$2 ;; esac
    shift
done
case $cmd in
train) mkdir -p "$out/$name"; echo '{"valid":{"energy_rmse_meV_atom":1}}' >"$out/$name/train.json" ;;
report) mkdir -p "$run/report"; echo "<p>" >"$run/report/report.html" ;;
md)
    if [ -e slow ]; then
        trap 'echo "mlkit: stopped at a checkpoint"; exit 143' TERM
        trap 'echo "mlkit: stopped at a checkpoint"; exit 130' INT
        echo "step 10/100 10 %"
        n=0; while [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done
    fi
    case $out in *0500K/r2*) [ ! -e broken_replica ] || { echo "mlkit: error: no" >&2; exit 1; } ;; esac
    case $out in *0700K/r1*) [ ! -e mute ] || exit 3 ;; *0700K/r2*) [ ! -e mute ] || { echo "step 7"; exit 4; } ;; esac
    case $out in *0700K*) [ ! -e broken ] || { echo "mlkit: error: atom 3 flew away" >&2; exit 1; } ;; esac
    echo done >"$out" ;;
validate) mkdir -p "$out"; echo '{}' >"$out/committee.json" ;;
transport) echo '{"kappa_naive":1.5,"kappa_naive_err":0.1,"kappa":1.2,"kappa_err":0.1}' >"$out" ;;
*) echo done >"$out" ;;
esac
FAKE
chmod +x fake
cat >s.xyz <<'XYZ'
2
Lattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3 pbc="T T T"
Li 0 0 0
S 2.5 2.5 2.5
XYZ
cp s.xyz data.xyz
fail() { echo "$1"; cat out err 2>/dev/null; exit 1; }
status() { set +e; "$@" >out 2>err; st=$?; set -e; }
study="--models nep --data data.xyz --structure s.xyz --temps 500:700:200 --replicas 2 --run 1ps --equil 1ps --program ./fake --jobs 2"

# wrong usage: status 2, one clear line, nothing written
status $MLKIT benchmark -o R
[ $st = 2 ] && grep -q 'no temperatures' err || fail "no --temps"
for t in 0 -5 500: 500:400 a 500:900:0 500,500 1:100000:1 500,,600 500:600:10:3; do
    status $MLKIT benchmark "--temps=$t" --data data.xyz -o R
    [ $st = 2 ] && grep -q 'temps' err || fail "--temps $t was not refused (status $st)"
done
status $MLKIT benchmark --temps 500 --models foo --data data.xyz -o R
[ $st = 2 ] && grep -q "'foo'" err || fail "unknown family"
status $MLKIT benchmark --temps 500 --data nowhere.xml -o R
[ $st = 1 ] && grep -q 'nowhere.xml' err || fail "missing data"
status $MLKIT benchmark --temps 500 --data data.xyz --supercell 2y2 -o R
[ $st = 2 ] || fail "bad supercell"
status $MLKIT benchmark --temps 500 --data data.xyz -o data.xyz
[ $st = 2 ] && grep -q 'not a folder' err || fail "run folder is a file"
[ ! -e R ] || fail "a folder was left behind"

# the plan
status $MLKIT benchmark $study --dry-run -o R
[ $st = 0 ] && [ "$(grep -c '^mlkit md' out)" = 8 ] && [ "$(grep -c '^mlkit train' out)" = 2 ] || fail "plan"
grep -q '^mlkit validate R/models/nep-1 R/models/nep-2 R/dataset.h5 .*-o R/committee/nep' out || fail "no committee"
[ "$(grep '^mlkit md' out | sed 's/.*--seed \([0-9]*\).*/\1/' | sort -u | wc -l)" = 8 ] || fail "seeds are not distinct"
[ ! -e R ] || fail "dry run wrote something"
# fits by passes instead of time
grep -q '^mlkit train .* --budget 600s' out && ! grep -q -- --epochs out || fail "fits by time"
status $MLKIT benchmark $study --train-epochs 70 --dry-run -o R
grep -q '^mlkit train .* --epochs 70 ' out && ! grep -q -- --budget out || fail "fits by passes"

# a failing job does not stop the others
touch broken
status $MLKIT benchmark $study --train-epochs 70 -o E
! grep -q 'set by time' E/campaign.yaml && grep -q '  train-epochs: "70"' E/campaign.yaml || fail "record of fits by passes"
rm -r E
status $MLKIT benchmark $study -o R
grep -q '^# The length of the fits is set by time' R/campaign.yaml || fail "record of fits by time"
[ $st = 1 ] && grep -q 'atom 3 flew away' err && grep -q '4 of 18 jobs failed' err || fail "failures are not reported"
[ -e R/transport/nep-1/0500K.json ] && [ ! -e R/transport/nep-1/0700K.json ] || fail "wrong jobs were run"
[ "$(grep -c '"event":"failed"' R/journal.jsonl)" = 4 ] || fail "journal"
# how far it is: with failures it is not at 100 %
sed 's/pos:R:3/pos:R:3:forces:R:3 energy=-3/; /^Li\|^S/s/$/ 0 0 0/' data.xyz >labelled.xyz
cp -r R P && rm P/dataset.h5 && $MLKIT dataset convert labelled.xyz -o P/dataset.h5 -q
$MLKIT report P >out 2>err || fail "report of a study with failures"
percent=$(sed -n '1s/.* jobs done, \([0-9]*\) %$/\1/p' out)
[ "$percent" -gt 0 ] && [ "$percent" -lt 100 ] || fail "percent of a study with failures"
rm broken calls
# the same command tries only those again
status $MLKIT benchmark $study -o R
[ $st = 0 ] || fail "second try (status $st)"
[ "$(grep -c '^md' calls)" = 4 ] && ! grep -q '^train' calls || fail "done jobs were run again"
grep -q 'supercell: \[5, 5, 5\]' R/campaign.yaml || fail "automatic supercell"
rm calls
status $MLKIT benchmark $study -o R
[ $st = 0 ] && grep -q 'all 18 jobs of R are done' err && [ ! -e calls ] || fail "complete study"
status $MLKIT benchmark --program ./fake -o R
[ $st = 0 ] && grep -q 'all 18 jobs' err || fail "resume without settings"

# a journal with a line torn by a power cut, at its end and, with zeros, in its middle: no other line is lost
cp -r R J
{ head -4 R/journal.jsonl; printf '{"event":"done","jo\0\0\0'; echo; tail -n +5 R/journal.jsonl; printf '{"event":"start","job":"md/ne'; } >J/journal.jsonl
status $MLKIT benchmark $study -o J
[ $st = 0 ] && grep -q 'all 18 jobs of J are done' err || fail "a torn journal"
rm -f J/transport/nep-1/0500K.json
status $MLKIT benchmark $study -o J
[ $st = 0 ] && grep -q '^{"event":"start","job":"transport/nep-1/0500K"' J/journal.jsonl || fail "a line went with the torn one"
# a damaged result is noticed and made again; a damaged train.json is named, but does not cost the runs
cp -r R D && rm -f calls
printf '{"kappa_naive":1.5,"kap' >D/transport/nep-1/0500K.json
printf '{"valid":{' >D/models/nep-1/train.json
status $MLKIT benchmark $study -o D
[ $st = 0 ] && grep -q 'D/transport/nep-1/0500K.json:1: damaged: .*; it is made again' err || fail "damaged transport"
grep -q 'D/models/nep-1/train.json:1: damaged: ' err && [ "$(cut -d' ' -f1 calls | xargs)" = 'transport report' ] || fail "damaged results: $(cat calls)"
grep -q kappa_err D/transport/nep-1/0500K.json || fail "transport was not made again"
# the report goes on without it
printf '{"kappa_naive":1.5,"kap' >P/transport/nep-1/0500K.json
$MLKIT report P >out 2>err || fail "report with a damaged result"
grep -q 'warning: P/transport/nep-1/0500K.json: damaged and left out' err || fail "report: no warning"
grep -q 'transport/nep-1/0500K.json: damaged, not valid JSON' P/report/report.html || fail "report: what is missing"
grep -q '1 of 4 thermal conductivities' P/report/report.html || fail "report: the others"
rm -f calls

# one replica of two fails: transport is made of the other; the next try runs it and that transport again
touch broken_replica
status $MLKIT benchmark $study -o V
[ $st = 1 ] && [ -e V/transport/nep-1/0500K.json ] || fail "one replica (status $st)"
rm -f broken_replica calls
status $MLKIT benchmark $study -o V
[ $st = 0 ] || fail "one replica, second try (status $st)"
[ "$(grep -c '^md' calls)" = 2 ] && [ "$(grep -c '^transport' calls)" = 2 ] || fail "the failed replica was not run again"
# a trajectory removed on purpose is not made again
rm -f V/md/nep-1/0500K/r1/run.h5 calls
status $MLKIT benchmark $study -o V
[ $st = 0 ] && ! grep -q '^md' calls 2>/dev/null || fail "a removed trajectory was made again"

# a job that ends without a word about the reason; an older reason in its log is not taken for it
touch broken
status $MLKIT benchmark $study -o W
rm broken && touch mute
status $MLKIT benchmark $study -o W
[ $st = 1 ] && ! grep -q 'flew away' err || fail "the reason of an earlier try"
grep -q 'md/nep-1/0700K/r1: exit status 3; the log says nothing (log: W/md/nep-1/0700K/r1/md.log)' err || fail "no words"
grep -q 'md/nep-1/0700K/r2: exit status 4; last line of the log: step 7 (log: ' err || fail "last words"
rm -r mute W
# a journal that cannot be written any more says why
set +e
(trap '' XFSZ; ulimit -f 8; $MLKIT benchmark $study -o W) >out 2>err
st=$?
set -e
[ $st = 1 ] && grep -q 'W/journal.jsonl: error: cannot write: File too large' err || fail "a journal cut short"
status $MLKIT benchmark $study -o W
[ $st = 0 ] || fail "going on after a journal cut short"
rm calls

# other settings, changed input: refused
status $MLKIT benchmark $study --run 2ps -o R
[ $st = 2 ] && grep -q "run is '1ps' there and '2ps' now" err || fail "other settings"
echo ' ' >>data.xyz
status $MLKIT benchmark $study -o R
[ $st = 2 ] && grep -q 'has changed' err || fail "changed input"
cp s.xyz data.xyz
# a refitted model makes its trajectories stale, and only its own
rm -r R/models/nep-2 R/md/nep-2/0500K/r1
status $MLKIT benchmark $study -o R
[ $st = 0 ] && [ "$(grep -c '^md' calls)" = 4 ] && ! grep -q '^md.*nep-1' calls || fail "stale trajectories"
# -c reproduces
status $MLKIT benchmark -c R/campaign.yaml --program ./fake -o T
[ -e T/transport/nep-2/0700K.json ] || fail "-c"
sed 's/^created.*//' R/campaign.yaml >a; sed 's/^created.*//' T/campaign.yaml >b; cmp a b || fail "-c changed the study"
# a broken record
sed 's/replicas: .*/replicas: "many"/' R/campaign.yaml >x && mv x R/campaign.yaml
status $MLKIT benchmark $study -o R
[ $st != 0 ] && grep -q 'campaign.yaml:[0-9]*: ' err || fail "broken campaign.yaml"

# stop and continue
touch slow
$MLKIT benchmark $study -o U >out 2>err &
pid=$!
n=0; while [ $n -lt 100 ] && ! ls U/md/*/*/*/md.log >/dev/null 2>&1; do sleep 0.1; n=$((n + 1)); done
sleep 0.5
status $MLKIT benchmark $study -o U
[ $st = 2 ] && grep -q 'another mlkit benchmark' err || fail "two at work in one folder"
kill -TERM $pid
set +e; wait $pid; st=$?; set -e
[ $st = 143 ] || fail "stop: status $st"
grep -q '"event":"interrupted"' U/journal.jsonl || fail "interruption is not in the journal"
rm slow
status $MLKIT benchmark $study -o U
[ $st = 0 ] || fail "continuing (status $st)"
[ "$(ls U/transport/*/*.json | wc -l)" = 4 ] || fail "continuing"
