# mlkit validate: committees, the split and the energies of the training, labels that are missing
set -eu
mkdir data
for f in $(ls "$ROOT"/datasets/li3ps4/g1-*.xml.gz | head -14); do cp "$f" data; done
tiny="--nep.neuron=4 --nep.n_max=2,2 --nep.basis=4,4 --nep.l_max=2,0,0 --epochs 2 --no-baseline --threads 1"
"$MLKIT" train data --model nep --seeds 2 $tiny -o m -q >/dev/null 2>log
fail() { echo "$1"; cat out err 2>/dev/null; exit 1; }
status() { set +e; "$@" >out 2>err; st=$?; set -e; }
number() { awk -F'[:,]' -v k="\"$2\"" 'index($0, k) { print $2 + 0; exit }' "$1"; }
same() { awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a > 0 && d <= 1e-6 * a) }'; }

# the split of the training is found again: the error is that of train.json
"$MLKIT" validate m/nep-1 data --split valid --json >v.json 2>log
grep -q "its split is repeated" log || fail "split"
awk '/"valid"/ { on = 1 } on' m/nep-1/train.json >valid
for k in energy_rmse_meV_atom force_rmse_meV_A force_mae_meV_A stress_rmse_GPa; do
    same "$(number v.json $k)" "$(number valid $k)" || fail "$k is not that of train.json"
done
same "$(number v.json n_frames)" "$(number m/nep-1/train.json n_valid)" || fail "n_frames"
# other frames: no split is known
status "$MLKIT" validate m/nep-1 "$(ls data/* | head -1)" --split valid
[ $st = 2 ] && grep -q "no split" err || fail "unknown split (status $st)"

# the committee, on the held-out frames although the table is of all
status "$MLKIT" validate m/nep-1 m/nep-2 data -o v
[ $st = 0 ] && grep -q "^committee of 2 nep models on .* held-out frames" out && grep -q "^mean of the members" out ||
    fail "committee"
grep -q "calibrated (68.3 expected)" out && grep -q "^alpha  " out || fail "no intervals"
for f in errors.csv committee.json committee_bins.csv committee_quantiles.csv nep-1/parity_force.csv nep-2/parity_energy.csv; do
    [ -s v/$f ] || fail "no $f"
done
grep -q '"format": "mlkit-committee"' v/committee.json && grep -q '"alpha_by_species"' v/committee.json || fail "committee.json"
grep -q '^m/nep-2,force,meV/A,P,' v/errors.csv || fail "errors.csv"
"$MLKIT" validate m/nep-1 m/nep-2 data --json >all.json 2>log
grep -q '"coverage_1sigma"' all.json && grep -q '"force_mae_by_species"' all.json || fail "names of --json"
status "$MLKIT" validate m/nep-1 m/nep-2 data --no-committee
[ $st = 0 ] && ! grep -q committee out || fail "--no-committee"
status "$MLKIT" validate m/nep-1 m/nep-2 data --split train
[ $st = 0 ] && grep -q "no committee" err && ! grep -q "^alpha" out || fail "a committee on training frames"
status "$MLKIT" validate m/nep-1 m/nep-1 data
[ $st = 0 ] && grep -q "are they the same model" out || fail "one model twice"

# a model trained on E(sigma->0), here 100 meV/atom above the free energy, is compared with that
"$MLKIT" dataset convert data -o free.xyz -q 2>log
awk '{ if (match($0, /free_energy=[^ ]*/)) $0 = $0 sprintf(" energy0=%.8f", substr($0, RSTART + 12, RLENGTH - 12) + 3.2)
       print }' free.xyz >both.xyz
"$MLKIT" train both.xyz --model nep --set data.energy=sigma0 --name s $tiny -o m -q >/dev/null 2>log
"$MLKIT" train both.xyz --model nep --name f $tiny -o m -q >/dev/null 2>log
"$MLKIT" validate m/s both.xyz --split valid --json >s.json 2>log
awk '/"valid"/ { on = 1 } on' m/s/train.json >valid
same "$(number s.json energy_rmse_meV_atom)" "$(number valid energy_rmse_meV_atom)" || fail "sigma0"
grep -q '"energy_kind": "sigma0"' s.json || fail "energy_kind"
"$MLKIT" validate m/s both.xyz --split valid --energy free --json >f.json 2>log
awk -v a="$(number f.json energy_rmse_meV_atom)" 'BEGIN { exit !(a > 50) }' || fail "--energy"
# and is no member of a committee of the others
status "$MLKIT" validate m/f m/s both.xyz
[ $st = 0 ] && ! grep -q "^committee" out || fail "different energies in one committee"

# labels that are not there are shown as such: no stress, no energy for sigma -> 0
cat >plain.xyz <<'XYZ'
2
Lattice="6 0 0 0 6 0 0 0 6" Properties=species:S:1:pos:R:3:forces:R:3 energy=-480 pbc="T T T"
Li 0 0 0 0.1 0 0
S 2.4 0 0 -0.1 0 0
XYZ
status "$MLKIT" validate m/nep-1 m/nep-2 plain.xyz
[ $st = 0 ] && grep -q "^m/nep-1 .* -  *-$" out && ! grep -q nan out || fail "no stress"
grep -q "no prediction intervals: too few frames" out || fail "two atoms give no intervals"
status "$MLKIT" validate m/s plain.xyz
[ $st = 0 ] && grep -q "have no energy for sigma" err || fail "no energy0"
