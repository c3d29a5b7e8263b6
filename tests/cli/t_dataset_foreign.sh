# `mlkit dataset convert` to and from the files of other codes: labels survive, outputs are whole or
# absent, nothing is overwritten.
refuse() { if "$@" 2>log; then echo "accepted: $*"; exit 1; fi; }
data=$ROOT/datasets/li3ps4/g1-300a.xml.gz
"$MLKIT" dataset convert "$data" -o a.xyz -q

# energies, forces (and stress where the format has it) come back
numbers() { "$MLKIT" dataset info "$@" -q --json --frames 2>/dev/null | grep -E '"(energy_eV|n_frames)":' ; }
numbers a.xyz >want
"$MLKIT" dataset convert a.xyz -o train.xyz --to gpumd -q
"$MLKIT" dataset convert a.xyz -o input.data -q
"$MLKIT" dataset convert a.xyz -o bohr.data --to n2p2-bohr -q
for f in train.xyz input.data; do numbers $f >got; cmp want got; done
"$MLKIT" dataset info bohr.data >/dev/null 2>log
grep -q "Bohr and Hartree" log
"$MLKIT" dataset info train.xyz -q | grep -q "energy 5, forces 5, stress 5"
"$MLKIT" dataset info input.data -q | grep -q "energy 5, forces 5, stress 0"
# what the user says about units wins
"$MLKIT" dataset info input.data --from n2p2-bohr -q | grep "^energy" >b
"$MLKIT" dataset info input.data --from n2p2 -q | grep "^energy" >c
[ -s c ]
refuse cmp -s b c

# DeePMD: one system per formula; refused when not empty, never half written
"$MLKIT" dataset convert a.xyz -o systems --to deepmd --json >j 2>log
grep -q '"n_frames": 5' j
ls systems/Li12P4S16/type.raw systems/Li12P4S16/set.000/virial.npy >/dev/null
refuse "$MLKIT" dataset convert a.xyz -o systems --to deepmd
grep -q "not empty" log
"$MLKIT" dataset convert a.xyz -o systems --to deepmd --force -q
refuse ls -d systems.tmp.*
printf '1\nLattice="5 0 0 0 5 0 0 0 5"\nLi 0 0 0\n' >bare.xyz
refuse "$MLKIT" dataset convert bare.xyz -o none --to deepmd
grep -q "no frame has energy and forces" log
[ ! -e none ]
refuse ls -d none.tmp.*

# POSCAR folders ready to run, and where they came from
"$MLKIT" dataset convert a.xyz -o runs/ --to poscar -q
[ "$(ls runs | wc -l)" = 6 ]
[ "$(wc -l <runs/index.csv)" = 6 ]
grep -q "^0003_.*a.xyz,69,0,3," runs/index.csv
"$MLKIT" dataset info runs/0005_*/POSCAR -q | grep -q "^frames  *1 in"

# LAMMPS, and back to POSCAR
"$MLKIT" dataset convert a.xyz -o last.lmp 2>log
grep -q "the last of 5 frames" log
grep -q "1 frame written" log
"$MLKIT" dataset info last.lmp -q | grep -q "^atoms  *32 per frame, first Li12P4S16"
"$MLKIT" dataset convert last.lmp -o POSCAR -q
refuse "$MLKIT" dataset convert a.xyz -o folder/ --to lammps
grep -q "is written to a file" log
refuse "$MLKIT" dataset convert a.xyz -o last.lmp
grep -q "exists already" log
