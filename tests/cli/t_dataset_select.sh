# `mlkit dataset select`: both methods, every output, what is left out, and bad input.
data=$ROOT/datasets/li3ps4
sel() { "$MLKIT" dataset select "$@"; }
"$MLKIT" train $data/g1-300a.xml.gz $data/g1-900a.xml.gz $data/g1-500a.xml.gz --model snap --snap.twojmax=2 \
    --no-baseline -o m -q >/dev/null 2>&1
model=m/snap-1
pool="$data/g2-300.xml.gz $data/g2-1500c.xml.gz $data/g2-650.xml.gz"
own="$data/g1-300a.xml.gz $data/g1-500a.xml.gz"

# extended XYZ in order of selection; the table and the file agree; the hot frames are far from the owned
sel $pool --model $model -n 5 --have $own -o a.xyz >out 2>log
grep -q "^pool    27 frames, 864 atoms; left out: 0 duplicates, 0 with overlapping atoms" out
grep -q "^owned   10 frames" out
grep -q "^   1  .*g2-1500c.xml.gz:" out
grep -q "^5 of 27 frames chosen: as many as asked for; the largest distance left is" out
grep -q "a.xyz: 5 frames carry energies or forces of the pool; --no-labels" log
"$MLKIT" dataset info a.xyz -q | grep -q "^frames  *5 in"
# each score is what was left before it
awk '$1 ~ /^[0-9]+$/ && NF == 5 { if (n++ && $4 != last) exit 1; last = $5 } END { exit n != 5 }' out
sel $pool --model $model -n 5 --have $own -o b.xyz --threads 2 -q >out2 2>/dev/null
cmp a.xyz b.xyz && cmp out out2
sel $pool --model $model -n 5 --have $own -o c.xyz.gz --no-labels 2>log >/dev/null
! grep -q "carry energies" log
"$MLKIT" dataset info c.xyz.gz -q | grep -q "energy 0, forces 0"

# maxvol to a store; --have in the middle, options after it; JSON
sel $pool --have $own --method maxvol --model $model -n 4 -o s.h5 --json -q >j 2>/dev/null
grep -q '"method": "maxvol"' j
grep -q '"n_owned": 10' j
grep -q '"ended_by": "n"' j
grep -q '"coordinates":' j
[ "$(grep -c '"rank": [0-9]' j)" = 4 ]
"$MLKIT" dataset info s.h5 -q | grep -q "^frames  *4 in"

# a folder for VASP: no labels, elements together, one order of elements, index in order of selection
cat >mixed.xyz <<'XYZ'
5
Lattice="6 0 0 0 6 0 0 0 6" energy=-1 Properties=species:S:1:pos:R:3:vel:R:3
S 0.5 0 0 0.1 0 0
Li 2.5 0 0 0 0.1 0
S 3 3 0 0 0 0
P 1 3 3 0 0 0
Li 5 5 5 0 0 0
5
Lattice="6 0 0 0 6 0 0 0 6" energy=-1 Properties=species:S:1:pos:R:3:vel:R:3
Li 0.5 0 0 0.1 0 0
S 2.5 0 0 0 0.1 0
S 3 3 0 0 0 0
Li 1 3 3 0 0 0
P 5 5 5 0 0 0
5
Lattice="6 0 0 0 6 0 0 0 6" energy=-1 Properties=species:S:1:pos:R:3:vel:R:3
Li 0.5 0 0 0.1 0 0
S 0.7 0 0 0 0.1 0
S 3 3 0 0 0 0
Li 1 3 3 0 0 0
P 5 5 5 0 0 0
XYZ
sel mixed.xyz --model $model -n 9 -o next/ >out 2>log
grep -q "mixed.xyz:15: left out, two atoms are 0.200 A apart" log
grep -q "^2 of 2 frames chosen: that is the whole pool" out
[ "$(ls next | tr '\n' ' ')" = "0001_mixed_1 0002_mixed_2 index.csv " ] || [ "$(ls next | tr '\n' ' ')" = "0001_mixed_2 0002_mixed_1 index.csv " ]
for d in next/0*; do
    [ "$(sed -n '6p;7p' $d/POSCAR | tr -s ' \n' ' ')" = " S Li P 2 2 1 " ]
    [ "$(wc -l <$d/POSCAR)" = 13 ]
done
grep -q " 0.4166666666666667 \| 0.0833333333333333 " next/0001*/POSCAR
head -1 next/index.csv | grep -q '^rank,folder,source,line,run,step,score,left$'
sed -n 2p next/index.csv | grep -q '^1,0001_mixed_[12],mixed.xyz,[0-9]*,0,[12],'
[ "$(wc -l <next/index.csv)" = 3 ]
"$MLKIT" dataset info next -q | grep -q "^frames  *2 in"

# owned frames are never chosen again, from whatever format they come
cat "$data/g2-300.xml.gz" >again.xml.gz
sel again.xml.gz $data/g2-650.xml.gz --model $model -n 50 --have $data/g2-300.xml.gz -o d.xyz >out 2>/dev/null
grep -q "^pool    9 frames.*left out: 9 duplicates" out
"$MLKIT" dataset info d.xyz -q | grep -q "^frames  *9 in"
rc=0; sel again.xml.gz --model $model -n 5 --have $data/g2-300.xml.gz -o e.xyz 2>err || rc=$?
[ $rc = 2 ] && grep -q "nothing to choose from: 9 duplicates" err && [ ! -e e.xyz ]

# a threshold that nothing reaches: no file, said so
sel $pool --model $model -n 5 --have $own --threshold 1000 -o f.xyz >out 2>log
grep -q "^0 of 27 frames chosen: no distance above 1000 is left" out
grep -q "f.xyz: not written" log && [ ! -e f.xyz ]

# nothing is overwritten without --force; a folder with calculations in it keeps them
bad() { # status, text, arguments
    want=$1 text=$2; shift 2
    rc=0; "$MLKIT" dataset select "$@" >out 2>err || rc=$?
    [ $rc = "$want" ] && grep -q -- "$text" err || { echo "exit $rc, no '$text' for $*"; cat err; exit 1; }
}
bad 1 "a.xyz: error: exists already" $pool --model $model -n 5 -o a.xyz
bad 1 "s.h5: error: exists already" $pool --model $model -n 5 -o s.h5
bad 1 "next: error: exists already\|next/: error: exists already" $pool --model $model -n 5 -o next/
bad 1 "mixed.xyz: error: is one of the inputs" mixed.xyz --model $model -n 1 -o mixed.xyz --force
echo result >next/$(ls next | sed -n 2p)/OUTCAR
sel $pool --model $model -n 3 -o next --force >/dev/null 2>log
grep -q "2 folders of an earlier selection left as they are" log
[ "$(cat next/*/OUTCAR)" = result ] && [ "$(ls next | wc -l)" = 6 ]

# bad input
bad 2 "no data given" --model $model -n 5 -o x.xyz
bad 2 "put the pool first" --model $model -n 5 -o x.xyz --have $pool
bad 2 "no model given" $pool -n 5 -o x.xyz
bad 2 "add -n N" $pool --model $model -o x.xyz
bad 2 "no output given" $pool --model $model -n 5
bad 2 "'--have' needs a value" $pool --model $model -n 5 -o x.xyz --have
bad 2 "threshold 1 for maxvol" $pool --model $model -n 5 -o x.xyz --method maxvol --threshold 1
bad 1 "maxvol needs .* GB for these frames" $data --model $model -n 5 -o x.xyz --method maxvol --memory 0.001
bad 1 "nothing.xyz" nothing.xyz --model $model -n 5 -o x.xyz
bad 1 "nomodel" $pool --model nomodel -n 5 -o x.xyz
sed 's/^P /Cl /' mixed.xyz >cl.xyz
bad 1 "cl.xyz:1: error: atom 4 is Cl" cl.xyz --model $model -n 1 -o x.xyz
printf 'lj 3 Li P S\n5\n0.1 2\n0.1 2\n0.1 2\n' >lj.txt
bad 1 "lj model has no descriptors" $pool --model lj.txt -n 1 -o x.xyz
[ ! -e x.xyz ]
"$MLKIT" dataset select --help | grep -q "example:"
