# mlkit evaluate and mlkit validate with the bundled data and the smallest model
set -eu
printf 'lj 3 Li P S\n6\n0.01 1.7\n0.01 2.0\n0.01 2.3\n' >lj.txt
data=$ROOT/datasets/li3ps4
f=$(ls "$data"/*.xml.gz | head -1)
"$MLKIT" evaluate lj.txt "$f" -o out.xyz 2>log
grep -q "Properties=species:S:1:pos:R:3:energy:R:1:forces:R:3:virial:R:9 energy=" out.xyz
grep -q 'stress="' out.xyz
test "$(awk 'NR == 3 { print NF }' out.xyz)" = 17
# energy= is the sum of the column, the stress that of the virials (no reference energies in lj.txt)
awk 'NR == 2 { match($0, /energy=[^ ]*/); e = substr($0, RSTART + 7, RLENGTH - 7)
               match($0, /Lattice="[^"]*/); split(substr($0, RSTART + 9, RLENGTH - 9), h, " ")
               match($0, /stress="[^"]*/); split(substr($0, RSTART + 8, RLENGTH - 8), s, " ") }
     NR > 2 && NF == 17 { u += $5; w += $9; fx += $6 } NR > 2 && NF == 1 { exit }
     END { v = h[1]*(h[5]*h[9]-h[6]*h[8]) - h[2]*(h[4]*h[9]-h[6]*h[7]) + h[3]*(h[4]*h[8]-h[5]*h[7])
           d = u - e; q = s[1] + w / v; if (d*d > 1e-14*e*e || q*q > 1e-14*s[1]*s[1] || fx*fx > 1e-12) exit 1 }' out.xyz
# the output is readable input
"$MLKIT" evaluate lj.txt out.xyz --last -o again.xyz -q
test "$(grep -c Lattice again.xyz)" = 1
"$MLKIT" evaluate lj.txt "$f" --json >one.json
grep -q '"forces_eV_A"' one.json

# a model validated on its own results has no error; without the names of PRODUCT.md tests would break
"$MLKIT" validate lj.txt out.xyz --json >val.json
for k in energy force stress; do
    case $k in energy) u=meV_atom ;; force) u=meV_A ;; stress) u=GPa ;; esac
    grep -q "\"${k}_rmse_$u\"" val.json && grep -q "\"${k}_mae_$u\"" val.json
done
awk -F'[:,]' '/force_rmse_meV_A/ { if ($2 + 0 > 1e-3) exit 1; exit }' val.json
"$MLKIT" validate lj.txt "$data" >table 2>log
grep -q "^lj.txt" table

bad() {
    want=$1 text=$2; shift 2
    rc=0; "$MLKIT" "$@" >out 2>err || rc=$?
    test $rc = "$want" || { echo "exit $rc for $*"; cat err; exit 1; }
    grep -q "$text" err || { echo "no '$text' for $*"; cat err; exit 1; }
}
printf '1\nLattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3 pbc="T T T"\nO 0 0 0\n' >o.xyz
bad 1 "o.xyz:1: error: frame 1: atom 1 is O, which the model does not know" evaluate lj.txt "$f" o.xyz -o no.xyz
cat o.xyz o.xyz | sed '3s/O/Li/' >two.xyz
bad 1 "two.xyz:4: error: 1 complete frames, then: frame 2: atom 1 is O" evaluate lj.txt two.xyz -o no.xyz
bad 1 "two.xyz:4: error: frame 2: atom 1 is O" evaluate lj.txt two.xyz --last -o no.xyz
test ! -e no.xyz
bad 1 "missing.xyz" evaluate lj.txt missing.xyz
bad 1 "absent" evaluate absent "$f"
bad 2 "no structure" evaluate lj.txt
bad 2 "no model given" validate "$f"
bad 2 "no data given" validate lj.txt
: >empty.xyz
bad 1 "empty.xyz" evaluate lj.txt empty.xyz
