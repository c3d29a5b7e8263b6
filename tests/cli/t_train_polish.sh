# training of a small NEP, stopped again and again in both of its parts: bit for bit the same as in one go
set -eu
small="--model nep --no-baseline --nep.cutoff=4,3.5 --nep.n_max=2,1 --nep.basis=3,3 --nep.l_max=2,0,0 --nep.neuron=4
 --set stop.visits=0.8 --set optimizer.polish=0.8"
"$MLKIT" train $small --threads 1 -o a -v >/dev/null 2>log
grep -q "epochs of" log && grep -q "^cycle 1:" log && grep -q "^cycle 2:" log
n=0
while :; do
    "$MLKIT" train $small --threads 2 -o b -q >/dev/null 2>err &
    pid=$!
    sleep "$((n / 3)).$((4 + n % 3 * 2))" # longer and longer: a cycle is done whole or again
    kill -TERM $pid 2>/dev/null || true
    rc=0; wait $pid || rc=$?
    n=$((n + 1))
    [ $rc = 0 ] && break
    test $rc = 143
    grep -q "the same command continues" err
    test $n -lt 200
done
cmp a/nep-1/nep.txt b/nep-1/nep.txt
cut -d, -f1,3- a/nep-1/loss.csv >a.csv
cut -d, -f1,3- b/nep-1/loss.csv | cmp - a.csv

# the least of visits and budget counts; a network too large for the second part says so
"$MLKIT" train --model nep --no-baseline --nep.neuron=200 --set stop.visits=0.03 --budget 1h -o c >/dev/null 2>log
grep -q "^no Gauss-Newton part (optimizer.polish): [1-9][0-9]* parameters, more than the 9000" log
grep -q "^[1-9] epochs of" log
