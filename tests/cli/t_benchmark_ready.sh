# mlkit benchmark with ready models: copied, not fitted; their errors on the data; runs that exist are
# taken over; a model that changed, or lies there already, is refused
. "$ROOT/tests/cli/argon.sh"
sed 's/0.01032/0.011/' ar.lj >stiff.lj
fail() { echo "$1"; cat out err 2>/dev/null; exit 1; }
status() { set +e; "$@" >out 2>err; st=$?; set -e; }
mkdir -p other/folder
sed s/8.5/8.4/ ar.lj >other/ar.lj
cp ar.lj other/folder/lj.txt
# the report is drawn once only
cat >quick <<X
#!/bin/sh
[ "\$1" != report ] || { mkdir -p "\$2/report" && exec touch "\$2/report/report.html"; }
exec "$MLKIT" "\$@"
X
chmod +x quick
study="--structure ar.xyz --supercell 3x3x3 --temps 60 --replicas 1 --npt 0ps --equil 0.2ps --run 1ps --dt 4fs --jobs 2"

# what cannot be
status $MLKIT benchmark --models ./nothing.txt $study -o R
[ $st = 1 ] && grep -q 'nothing.txt' err || fail "missing model (status $st)"
status $MLKIT benchmark --models ./ar.xyz $study -o R
[ $st != 0 ] && grep -q 'ar.xyz' err || fail "not a model"
status $MLKIT benchmark --models ./ar.lj --temps 60 -o R
[ $st = 2 ] && grep -q 'no start structure' err && grep -q 'hint: .*--structure' err || fail "no structure"
status $MLKIT benchmark --models argon $study -o R
[ $st = 2 ] && grep -q "'argon' is neither" err || fail "neither family nor file"
# a model that does not know an element of the structure is refused before anything runs
sed 's/^Ar/Kr/' ar.xyz >kr.xyz
status $MLKIT benchmark --models ./ar.lj --structure kr.xyz --temps 60 -o R
[ $st = 1 ] && grep -q 'ar.lj: error: the model does not know Kr, which is in .*kr.xyz' err && grep -q 'hint: its elements: Ar' err || fail "unknown element (status $st)"
[ ! -e R ] || fail "a folder was left behind"
cp ar.lj other/folder/second.lj
status $MLKIT benchmark --models other/folder $study -o R
[ $st = 1 ] && grep -q 'more than one model file' err || fail "two models in one folder"
rm other/folder/second.lj

# names are unique, no data set is made, the files are those that were given; what a kill in the middle of a copy
# left behind is no second model
mkdir -p R/models/ar && cp ar.lj R/models/ar/lj.lj.tmp.99
status $MLKIT benchmark --models ar.lj,other/ar.lj,other/folder $study -o R
[ $st = 0 ] || fail "ready models (status $st)"
[ "$(ls R/models | tr '\n' ' ')" = "ar ar_2 folder " ] || fail "names: $(ls R/models)"
[ ! -e R/models/ar/lj.lj.tmp.99 ] || fail "half a copy is still there"
cmp R/models/ar/ar.lj ar.lj 2>/dev/null || cmp R/models/ar/lj.lj ar.lj || fail "copy"
[ ! -e R/dataset.h5 ] || fail "a data set was made"
[ -e R/transport/ar_2/0060K.json ] && [ -e R/report/report.html ] || fail "not finished"
$MLKIT report R --json 2>err >report.json
grep -q '"missing": \[\]' report.json || fail "missing: $(grep -A9 '"missing"' report.json)"
grep -q 'ready: "/.*/other/ar.lj"' R/campaign.yaml && [ "$(grep -c 'sha256: ' R/campaign.yaml)" = 4 ] || fail "record"
(cd other && $MLKIT benchmark -o ../R) >out 2>err || fail "resume from another folder"
grep -q 'all 11 jobs of ../R are done' err || fail "resume from another folder"
sed 's/3.405/3.41/' ar.lj >x && cp x other/ar.lj
status $MLKIT benchmark -o R
[ $st = 2 ] && grep -q 'other/ar.lj has changed' err || fail "changed model"

# a finished run of the same settings is taken over; one of other settings is left alone
command=$($MLKIT benchmark --models ./ar.lj $study -o S --dry-run -q | grep '^mlkit md' | sed "s|^mlkit|$MLKIT|; s|S/models/ar|ar.lj|; s|S/structure.xyz|ar.xyz|; s|-o S|-o mine|; s|^|mkdir -p mine/md/ar/0060K/r1; |")
sh -c "$command" >out 2>err || fail "by hand: $command"
sum=$(cksum <mine/md/ar/0060K/r1/run.h5)
status $MLKIT benchmark --models ./ar.lj $study --program ./quick -o mine
[ $st = 0 ] && [ "$sum" = "$(cksum <mine/md/ar/0060K/r1/run.h5)" ] || fail "not taken over"
grep -q 'already complete' mine/md/ar/0060K/r1/md.log || fail "run again"
mkdir -p T/md/ar/0060K/r1 && cp mine/md/ar/0060K/r1/run.h5 T/md/ar/0060K/r1
status $MLKIT benchmark --models ./stiff.lj,./ar.lj $study --seed 7 --program ./quick -o T
[ $st = 1 ] && grep -q 'other settings' err && [ "$sum" = "$(cksum <T/md/ar/0060K/r1/run.h5)" ] || fail "other settings"
# a file in the way is not replaced
mkdir -p V/models/ar && echo mine >V/models/ar/lj.lj
status $MLKIT benchmark --models ./ar.lj $study --program ./quick -o V
[ $st = 1 ] && grep -q 'differs from .*ar.lj' err && [ "$(cat V/models/ar/lj.lj)" = mine ] || fail "replaced a file"

# with data: a fitted model beside a ready one, whose errors are found on the same data
S=$ROOT/datasets/li3ps4
file=$(ls $S/*.xml.gz | head -1)
$MLKIT train $file --model snap --quick -o fit -q >out 2>err || fail "training for the test"
plan=$($MLKIT benchmark --models fit/snap-1 --data $file --temps 300 -o W --dry-run -q)
echo "$plan" | grep -q '^mlkit validate W/models/snap-1 W/dataset.h5 -o W/validate/snap-1' || fail "no validation: $plan"
# the bare file knows no reference energies: its energies have another zero
status $MLKIT benchmark --models fit/snap-1,fit/snap-1/snap.snapcoeff --data $file --supercell 1x1x1 --temps 300 --replicas 1 --npt 0ps --run 0.1ps --equil 0.05ps --program ./quick -o W
for f in model.yaml ranges.csv snap.snapcoeff snap.snapparam; do cmp fit/snap-1/$f W/models/snap-1/$f || fail "$f"; done
[ -e W/validate/snap-1/errors.json ] || fail "not validated"
$MLKIT report W --json 2>err >report.json
! grep -q 'not fitted yet' report.json || fail "a ready model is called missing"
grep -q '"ready": ".*fit/snap-1"' report.json && grep -q force_rmse_meV_A report.json || fail "errors are not in the report"
[ "$(grep -c energy_shift_meV_atom report.json)" = 1 ] || fail "another zero of the energies"
awk -F'[:,]' '/"energy_rmse_meV_atom"/ { n++; if ($2 > 100) bad = 1 } END { exit bad || n < 2 }' report.json || fail "energy errors with another zero"
awk -F, '$2 == "energy" { n++; if ($3 > 5e3 || $3 < -5e3 || $4 > 5e3 || $4 < -5e3) bad = 1 } END { exit bad || n < 2 }' W/report/figures/parity.csv || fail "parity of ready models"
grep -q 'energies after taking off their mean difference' W/report/report.html || fail "the zero is not named in the page"

# commands of the journal can be pasted, whatever the folder is called
status $MLKIT benchmark --models ./ar.lj $study --dry-run -q -o "it's"
command=$(grep '^mlkit transport' out)
[ "$(eval "printf '%s|' $command")" = "mlkit|transport|it's/md/ar/0060K/r1/run.h5|-o|it's/transport/ar/0060K.json|" ] || fail "a quote in a name: $command"

# where its models are gone, how far it is is not known, and that is said; the report is drawn
cp -r mine lost && mv ar.lj away.lj
$MLKIT report lost >out 2>err || fail "report without the models"
grep -q 'how far the jobs are is not known: .*ar.lj: cannot read the model' out && grep -q ' ± ' out || fail "models that are gone"
mv away.lj ar.lj

# how far a study is, while it runs and after it was stopped
$MLKIT benchmark --models ./ar.lj $study --run 2ns --program ./quick -o X >out 2>err &
pid=$!
n=0; while [ $n -lt 200 ] && ! grep -q '^production' X/md/ar/0060K/r1/md.log 2>/dev/null; do sleep 0.1; n=$((n + 1)); done
$MLKIT report X >state 2>&1
grep -q '^2 of 5 jobs done, [0-9]* %, about .* left' state && grep -q '^  running  md/ar/0060K/r1' state || fail "running: $(cat state)"
kill -TERM $pid
set +e; wait $pid; set -e
$MLKIT report X --json -q >state 2>/dev/null
grep -q '"running": \[\]' state && grep -q '"seconds_left": null' state || fail "stopped: $(cat state)"
$MLKIT report X 2>/dev/null | grep -q 'nothing is running: mlkit benchmark -o X' || fail "how to go on"
