# mlkit md with a fitted model: descriptors against the training data, nearest pairs, covalent bonds
fail() { echo "$1"; exit 1; }
data=$ROOT/datasets/li3ps4
$MLKIT train "$data" --model nep --no-baseline --nep.neuron=6 --nep.n_max=3,2 --nep.basis=5,5 --nep.l_max=2,0,0 --epochs 4 \
    --threads 1 -o m >out 2>log
grep -q "descriptors: .*validation frames are outside" log || fail "no word on the validation frames: $(cat log)"
grep -q "^ranges: ranges.csv" m/nep-1/model.yaml || fail "model.yaml does not name the ranges"
run="md m/nep-1 --temp 300 --dt 1fs --equil 0ps --run 40fs --check 10 --threads 1"

# from a frame of the training: inside, all 32 P-S bonds of 8 groups whole
$MLKIT $run --structure "$data/g1-300a.xml.gz" --supercell 2x1x1 -o quiet.h5 --json >quiet.json 2>err
for w in '"extrapolation_flag": false' '"beyond": 0.0' '"bonds_start": 32' '"bonds_whole": 32' '"bonds_broke": 0'; do
    grep -q "$w" quiet.json || fail "$w is not in: $(cat quiet.json err)"
done
grep -q "bonds: 32 P-S at the start, 32 of them at the end" quiet.log || fail "log: $(cat quiet.log)"

# the same, compressed to 0.88 of its edges: extrapolation, said at once and at the end, not stopped
$MLKIT dataset convert "$data/g1-300a.xml.gz" --to poscar -o whole.poscar -q
sed '2s/.*/0.88/' whole.poscar >POSCAR
$MLKIT $run --structure POSCAR --supercell 2x1x1 -o dense.h5 >dense.out 2>err || fail "stopped: $(cat err)"
grep -q "warning: step 0 .*the model extrapolates: [3-6][0-9] of 64 atoms" err || fail "no warning at the start: $(cat err)"
grep -q "warning: step 0 .*nearer than any such pair" err || fail "no near pair: $(cat err)"
[ "$(grep -c "nearer than any such pair" err)" -ge 2 ] || fail "not of each pair of elements: $(cat err)"
grep -q "warning: extrapolation: .*outside of the training data" dense.log || fail "no summary: $(cat dense.log)"
[ "$(grep -c "the model extrapolates" dense.log)" = 1 ] || fail "not once: $(cat dense.log)"
grep -q "worst grade.*(extrapolation)" dense.out || fail "table: $(cat dense.out)"
$MLKIT $run --structure POSCAR --supercell 2x1x1 -o dense.h5 --json 2>err | grep -q '"extrapolation_flag": true' ||
    fail "a finished run has forgotten it"

# atoms much nearer than in the data are another matter, whatever becomes of the run
sed '2s/.*/0.7/' whole.poscar >POSCAR.07
$MLKIT $run --structure POSCAR.07 --supercell 2x1x1 -o hole.h5 >/dev/null 2>err
grep -q "warning: step 0 .*much nearer than any such pair" err || fail "no hole: $(cat err)"

# a bare model file says nothing about its data: as before, but it is said
$MLKIT md m/nep-1/nep.txt --temp 300 --dt 1fs --equil 0ps --run 40fs --check 10 --structure POSCAR -o bare.h5 --json \
    >bare.json 2>err
grep -q "cannot be judged" err && grep -q '"extrapolation_flag": null' bare.json || fail "bare: $(cat err bare.json)"

# damaged ranges: an error that names the place
sed -i '5s/,[^,]*$/,x/' m/nep-1/ranges.csv
rc=0; $MLKIT $run --structure POSCAR -o bad.h5 2>err || rc=$?
[ $rc = 1 ] && grep -q "ranges.csv:5: error: expected 'Li,3,lowest,highest'" err && grep -q hint err || fail "damaged: $rc $(cat err)"
