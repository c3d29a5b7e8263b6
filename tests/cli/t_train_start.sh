# start models, nep.in of GPUMD and natural evolution: fine-tuning on other data, refusals, resuming
set -eu
tiny="--nep.neuron=4 --nep.n_max=2,1 --nep.basis=3,3 --nep.l_max=2,0,0 --nep.cutoff=4,3"
run() { "$MLKIT" train --no-baseline --threads 1 "$@"; }
bad() { # status, text, arguments
    want=$1 text=$2; shift 2
    rc=0; run "$@" -o bad >out 2>err || rc=$?
    test $rc = "$want" || { echo "exit $rc for $*"; cat err; exit 1; }
    grep -q "$text" err || { echo "no '$text' for $*"; cat err; exit 1; }
    test ! -e bad/nep-1/train.json
}
run --model nep $tiny --epochs 2 -o a -q >/dev/null

# restart: the model is the start, errors of the start first, nothing about --model needed
run --from a/nep-1 --epochs 2 -o b >out 2>log
grep -q "start model as it is, train: E .* F " log
grep -q "fine-tuning: learning rate 0.00[0-9]*, warm-up" log
grep -q "fine-tuning: " b/nep-1/train.log
grep -q "reference energies of the start model changed by Li" log
sum=$(sha256sum <a/nep-1/nep.txt | cut -d' ' -f1)
grep -q "from: \"a/nep-1\", sha256: \"$sum," b/nep-1/train.yaml
head -3 a/nep-1/nep.txt >x; head -3 b/nep-1/nep.txt | cmp - x
tail -7 a/nep-1/nep.txt >x; tail -7 b/nep-1/nep.txt | cmp -s - x # scaler
run --from a/nep-1 --epochs 2 -o b 2>&1 | grep -q "already complete"
# the record repeats it; a changed start model is noticed
run -c b/nep-1/train.yaml -o c -q >/dev/null
cmp b/nep-1/nep.txt c/nep-1/nep.txt
cp -r a/nep-1 kept
sed -i '8s/.*/  1.0e-3/' a/nep-1/nep.txt
bad 1 "ranges.csv:1:.*another nep.txt" -c b/nep-1/train.yaml
sed -i '/^ranges:/d' a/nep-1/model.yaml
bad 2 "SHA-256" -c b/nep-1/train.yaml
rc=0; run --from a/nep-1 --epochs 2 -o b 2>err >out || rc=$?
test $rc = 2 && grep -q "other settings" err

# a bare nep.txt and data with two of its three species: the third keeps its parameters
cat >two.xyz <<'XYZ'
4
Lattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3:forces:R:3 energy=-11.0 pbc="T T T"
Li 0 0 0 0.1 0 0
S 2.5 0 0 -0.1 0 0
Li 0 2.5 0 0 0.1 0
S 0 0 2.5 0 -0.1 0
4
Lattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3:forces:R:3 energy=-11.1 pbc="T T T"
Li 0 0 0 0.2 0 0
S 2.4 0 0 -0.2 0 0
Li 0 2.5 0 0 0.1 0
S 0 0 2.6 0 -0.1 0
XYZ
few="--set loss.virial=0 --valid-fraction 0"
run two.xyz --from kept/nep.txt $few --epochs 3 -o d >out 2>log
grep -q "parameters stay as they are: P" log
head -1 d/nep-1/nep.txt | grep -q "3 Li P S"
sed 's/^Li/Cl/' two.xyz >cl.xyz
bad 2 "hold Cl, which the start model kept lacks" cl.xyz --from kept $few
bad 2 "nep.neuron is 9, but the start model kept has 4" two.xyz --from kept --nep.neuron=9 $few
bad 2 "no model of that type" two.xyz --from kept --model lj $few
bad 1 "nothing" two.xyz --from nothing $few
"$MLKIT" train two.xyz --model snap --snap.twojmax=2 $few -o s -q >/dev/null
bad 1 "solved at once" two.xyz --from s/snap-1 $few

# nep.in: order of the species, data beside it, the held-out file, errors with file:line
mkdir g
cp two.xyz g/train.xyz; head -6 two.xyz | sed "s/-11.0/-10.9/; s/2.5 0 0 -0.1/2.45 0 0 -0.1/" >g/test.xyz
printf '# comment\ntype 2 S Li\n\ncutoff 4 3\nn_max 2 1\nbasis_size 3 3\nl_max 2\nneuron 4 # few\n' >g/nep.in
printf 'population 10\ngeneration 12\nforce_delta 1\noutput_interval 5\n' >>g/nep.in
run -c g/nep.in --epochs 2 --set loss.virial=0 -o e >out 2>log
head -1 e/nep-1/nep.txt | grep -q "^nep4 2 S Li"
grep -q "force_delta ignored" log
grep -q '"n_train": 2' e/nep-1/train.json && grep -q '"n_valid": 1' e/nep-1/train.json
run two.xyz -c g/nep.in --epochs 2 --set loss.virial=0 --valid-fraction 0 -o e2 -q >/dev/null
grep -q '"n_valid": 0' e2/nep-1/train.json
echo "modle_type 1" >>g/nep.in
bad 1 "g/nep.in:13:.*modle_type" -c g/nep.in
grep -q "did you mean 'model_type'" err
sed -i 's/modle_type/model_type/' g/nep.in
bad 1 "g/nep.in:13:.*model_type 1" -c g/nep.in
sed -i '$d' g/nep.in
echo "x" >input.nn
bad 1 "input.nn:1:.*HDNNP" -c input.nn

# natural evolution: the files of GPUMD, the same bits for any threads and after an interruption
run -c g/nep.in --set optimizer.method=snes -o f >out 2>log
grep -q "SNES: 12 generations of 10 individuals" log
awk 'NF != 10 || $2 <= 0 || $3 <= 0 || $4 <= 0 { exit 1 } END { if (NR != 12 || $1 != 12) exit 1 }' f/nep-1/loss.out
test ! -e f/nep-1/checkpoint.h5
"$MLKIT" train --no-baseline --threads 2 -c g/nep.in --set optimizer.method=snes -o f2 -q >/dev/null
cmp f/nep-1/nep.txt f2/nep-1/nep.txt
evolve="--model nep $tiny --set optimizer.method=snes --set snes.population=6 --set snes.batch=30 --set snes.generations=8"
run $evolve -o h -q >/dev/null
"$MLKIT" train --no-baseline --threads 1 $evolve -o i -q >/dev/null 2>err &
pid=$!
sleep 0.6
kill -TERM $pid 2>/dev/null || true
rc=0; wait $pid || rc=$?
if [ $rc = 143 ]; then
    grep -q "the same command continues" err
    test -e i/nep-1/checkpoint.h5
    run $evolve -o i >/dev/null 2>log
    grep -q "continuing after generation" log
else
    test $rc = 0
fi
cmp h/nep-1/nep.txt i/nep-1/nep.txt
cut -d, -f1,4- h/nep-1/loss.csv >x
cut -d, -f1,4- i/nep-1/loss.csv | cmp - x
bad 2 "optimizer.method\|'method'" two.xyz --model nep --set optimizer.method=snse $few
bad 2 "did you mean 'population'" two.xyz --model nep --set snes.populaton=4 $few
