# mlkit report: usage and folders that are none
fail() { echo "$1"; cat out err 2>/dev/null; exit 1; }
status() { set +e; "$@" >out 2>err; st=$?; set -e; }
status $MLKIT report
[ $st = 2 ] && grep -q 'no run folder' err || fail "no argument"
status $MLKIT report a b
[ $st = 2 ] || fail "two arguments"
status $MLKIT report nowhere
[ $st = 1 ] && grep -q 'nowhere: error: no such folder' err || fail "missing folder"
mkdir empty
status $MLKIT report empty
[ $st = 1 ] && grep -q 'no campaign.yaml' err && [ ! -e empty/report ] || fail "not a study"
mkdir run
cat >run/campaign.yaml <<'YAML'
version: 1
settings: {replicas: 1}
temperatures: [500]
models:
  - {name: nep-1, type: nep, seed: 1, run_ps: 1}
YAML
status $MLKIT report run
[ $st = 0 ] && grep -q 'nothing can be compared' out && [ -s run/report/report.html ] || fail "a study that has only begun"
[ -s run/report/report.pdf ] && [ "$(head -c 5 run/report/report.pdf)" = %PDF- ] || fail "no PDF"
grep -q 'run/report/report.pdf' out && grep -q 'href="report.pdf"' run/report/report.html || fail "PDF not named"
if command -v pdftotext >/dev/null; then
    pdftotext run/report/report.pdf - | tr '\n' ' ' | grep -q 'nothing can be compared' || fail "text of the PDF"
fi
# versions: of what made the study, and of what drew the report
grep -q 'fitted with mlkit of an unknown version to' run/report/methods.md || fail "a version that nobody recorded"
sed -i 's/^version: 1/&\nmlkit: "0.0.8-old"/' run/campaign.yaml
echo '{"event":"start","job":"train/nep-1","mlkit":"0.0.9-newer"}' >run/journal.jsonl
status $MLKIT report run
grep -q 'fitted with mlkit 0.0.8-old, 0.0.9-newer to .*' run/report/methods.md || fail "versions of the study"
grep -q "drawn, and the models were compared, with mlkit $($MLKIT --version | sed 's/^mlkit //')\." run/report/methods.md || fail "version of the report"
rm run/journal.jsonl
# the data set as a table
[ ! -e run/report/tables/dataset.tex ] || fail "a table of no data"
cat >two.xyz <<'X'
2
Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:forces:R:3 energy=-3.0 pbc="T T T"
Li 0 0 0 0.1 0 0
S 2 2 2 -0.1 0 0
2
Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:forces:R:3 energy=-3.1 pbc="T T T"
Li 0 0 0.1 0.2 0 0
S 2 2 2 -0.2 0 0
X
$MLKIT dataset convert two.xyz -o run/dataset.h5 -q
status $MLKIT report run
[ $st = 0 ] && grep -qx 'frames,2' run/report/tables/dataset.csv && grep -qx 'elements,"Li, S"' run/report/tables/dataset.csv || fail "table of the data"
grep -qF 'volume per atom ({\AA}$^3$) & 32.0 to 32.0' run/report/tables/dataset.tex || fail "table of the data for LaTeX"
# hashes of what the study made; fits that ended by time
mkdir -p run/models/nep-1 && echo nep4 >run/models/nep-1/nep.txt && echo '{"epochs":120}' >run/models/nep-1/train.json
status $MLKIT report run
[ $st = 0 ] && (cd run && sha256sum -c report/sha256sums.txt) >out && [ "$(xargs <out)" = 'dataset.h5: OK models/nep-1/nep.txt: OK' ] || fail "hashes"
grep -q "$(sha256sum <run/models/nep-1/nep.txt | cut -d' ' -f1)  models/nep-1/nep.txt" run/report/report.html || fail "hashes in the page"
grep -q 'The length of the fits is set by time' run/report/report.html || fail "fits by time"
grep -q 'made 120 passes over the data, a number that follows from a time' run/report/methods.md || fail "passes of fits by time"
sed -i 's/replicas: 1}/replicas: 1, train-epochs: 100}/' run/campaign.yaml
status $MLKIT report run
! grep -q 'The length of the fits is set by time' run/report/report.html && grep -q 'made 120 passes over the data\.' run/report/methods.md || fail "fits by passes"
rm -r run/models
# without its plugin: said, with the remedy; no old PDF stays, the page does not link one
cp $MLKIT ./alone
if [ ! -e /usr/local/lib/mlkit/mlkit-pdf.so ]; then
    status ./alone report run
    [ $st = 0 ] && grep -q 'report.pdf is not written: the plugin mlkit-pdf.so.*libpango1.0-dev' err || fail "no plugin"
    [ ! -e run/report/report.pdf ] && ! grep -q 'href="report.pdf"' run/report/report.html || fail "an old PDF"
fi
echo text >mlkit-pdf.so
status ./alone report run
[ $st = 0 ] && grep -q 'mlkit-pdf.so cannot be used' err || fail "a broken plugin"
status $MLKIT report run --json
[ $st = 0 ] && grep -q '"missing"' out || fail "--json"
echo '- [' >>run/campaign.yaml
status $MLKIT report run
[ $st = 1 ] && grep -q 'run/campaign.yaml:[0-9]*: error' err || fail "broken campaign.yaml"
