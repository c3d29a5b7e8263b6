# `mlkit dataset` on the bundled set: information, conversion between all formats, split.
data=$ROOT/datasets/li3ps4
"$MLKIT" dataset info "$data" >info 2>log
grep -q "^frames  *325 in 54 trajectory groups" info
grep -q "^species  *Li P S" info
grep -q "force_outlier  *4 frames" info
"$MLKIT" dataset info "$ROOT/datasets/li3ps4_breaking" -q | grep -q "^frames  *88 in 27 trajectory groups"

# every format and back: the same numbers
"$MLKIT" dataset convert "$data" -o a.h5 -q
"$MLKIT" dataset convert a.h5 -o a.xyz.gz -q
"$MLKIT" dataset convert a.xyz.gz -o xml --to vasprun --program CP2K --program-version 2023.1 -q
"$MLKIT" dataset convert xml -o b.xyz.gz -q
cmp a.xyz.gz b.xyz.gz # not even a byte, and no time stamp
[ "$(ls xml | wc -l)" = 54 ]
cmp xml/g2-1500c.xml.gz "$data/g2-1500c.xml.gz"

# one group to one file; the last frame of many to POSCAR, and back
"$MLKIT" dataset convert "$data/g1-300a.xml.gz" -o one.xml -q
"$MLKIT" dataset convert one.xml -o POSCAR 2>log
grep -q "the last of 5 frames" log
[ "$("$MLKIT" dataset info POSCAR -q | sed -n 's/^labels *//p')" = "energy 0, forces 0, stress 0, velocities 0" ]

# --json: one object, names that others rely on
"$MLKIT" dataset info one.xml --json --frames >j 2>log
for name in n_frames n_atoms species frames energy_eV forces_eV_A stress_GPa lattice_A scf_converged source; do
    grep -q "\"$name\":" j || { echo "no $name"; exit 1; }
done
grep -q '"n_frames": 5' j
grep -q '"n_atoms": 32' j
grep -q '"energy_eV": -7635.72949556' j

# split: groups are whole, the store remembers it, the seed decides
"$MLKIT" dataset split "$data" --valid 0.1 --seed 3 -o s.h5 --json -q >s1
"$MLKIT" dataset split a.h5 --valid 0.1 --seed 3 --json -q >s2
cmp s1 s2
"$MLKIT" dataset split a.h5 --valid 0.1 --seed 4 --json -q >s3
! cmp -s s1 s3
"$MLKIT" dataset split "$data" --valid 0.2 -o parts/ -q >s4
t=$("$MLKIT" dataset info parts/train.xyz -q | sed -n 's/^frames *\([0-9]*\).*/\1/p')
v=$("$MLKIT" dataset info parts/valid.xyz -q | sed -n 's/^frames *\([0-9]*\).*/\1/p')
[ $((t + v)) = 325 ] && [ "$v" -gt 40 ] && [ "$v" -lt 90 ]

for verb in "" info convert split; do "$MLKIT" dataset $verb --help | grep -q "example:"; done
