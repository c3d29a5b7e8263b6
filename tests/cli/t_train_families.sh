# NEP and SNAP fitted to the bundled set: a few epochs already beat guessing, files round-trip and
# the result does not depend on threads
set -eu
tiny="--nep.neuron=6 --nep.n_max=3,2 --nep.basis=5,5 --nep.l_max=2,0,0 --epochs 4"
"$MLKIT" train --seeds 2 $tiny --snap.twojmax=2 --threads 1 -o m >out 2>log
grep -q "assumed: data = the bundled" log
for m in snap-1 nep-1 nep-2; do
    grep -q "^$m " out
    test -s m/$m/train.json
    test -s m/$m/model.yaml
done
test -s m/nep-1/nep.txt
test -s m/snap-1/snap.snapcoeff
grep -q "shortest_distance:" m/nep-1/model.yaml
head -1 m/nep-1/nep.txt | grep -q "nep4_zbl 3 Li P S"
! cmp -s m/nep-1/nep.txt m/nep-2/nep.txt
"$MLKIT" train --model nep --name again $tiny --no-baseline --threads 2 -o one >out1 2>log1
cmp m/nep-1/nep.txt one/again/nep.txt
# what train.json says is what the written model does
"$MLKIT" validate m/nep-1 "$ROOT/datasets/li3ps4" --json >v.json
"$MLKIT" validate m/snap-1 m/nep-2 "$ROOT/datasets/li3ps4" >table
grep -q "^m/nep-2" table
# a force error below the spread of the forces (0.83 eV/A)
awk -F: '/"force_rmse_meV_A"/ { if ($2 + 0 > 700 || $2 + 0 < 10) exit 1; exit }' v.json
