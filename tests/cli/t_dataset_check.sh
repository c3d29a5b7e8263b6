# `mlkit dataset check`: the report, leaks between two files, what --drop writes and what it lists.
data=$ROOT/datasets/li3ps4
"$MLKIT" dataset check "$data" --no-fit >report 2>log
grep -q "^frames  *325 of 54 files" report
grep -q "force_outlier  *4  look" report
grep -q "close_pair  *4  look" report
grep -q "g2-1500c.xml.gz:715  frame 214 step 7 " report
grep -q "^summary: 8 findings of 2 kinds: drop 0, look 8, keep 0" report

# one frame twice to the bit, one with the axes exchanged, one without forces, one unconverged
fails() { if "$MLKIT" dataset check "$@" -q >report 2>log; then echo "no failure: $*"; exit 1; fi; }
atoms() { printf 'Li %s\nS  %s\n' "$1" "$2"; }
head1='Properties=species:S:1:pos:R:3:forces:R:3 scf_converged=T'
c1='Lattice="4 0 0 0 5 0 0 0 6"' c2='Lattice="5 0 0 0 6 0 0 0 4"'
{
    printf '2\n%s %s energy=-8.0\n' "$c1" "$head1"; atoms "0 0 0 0.1 0.2 0.3" "2.0 2.4 2.9 -0.1 -0.2 -0.3"
    printf '2\n%s %s energy=-8.0\n' "$c1" "$head1"; atoms "0 0 0 0.1 0.2 0.3" "2.0 2.4 2.9 -0.1 -0.2 -0.3"
    printf '2\n%s %s energy=-8.0\n' "$c2" "$head1"; atoms "1 1 1 0.2 0.3 0.1" "3.4 3.9 3.0 -0.2 -0.3 -0.1"
    printf '2\n%s Properties=species:S:1:pos:R:3 energy=-7.9\n' "$c1"; printf 'Li 0 0 0\nS 2.1 2.4 2.9\n'
    printf '2\n%s Properties=species:S:1:pos:R:3:forces:R:3 scf_converged=F energy=-7.8\n' "$c1"
    atoms "0 0 0 0.1 0.2 0.3" "1.8 2.4 2.9 -0.1 -0.2 -0.3"
    printf '2\n%s %s energy=-7.7\n' "$c1" "$head1"; atoms "0 0 0 0.3 0.2 0.3" "1.7 2.5 2.9 -0.3 -0.2 -0.3"
} >train.xyz
{
    printf '2\n%s %s energy=-7.7\n' "$c2" "$head1"; atoms "0 0 0 0.2 0.3 0.3" "2.5 2.9 1.7 -0.2 -0.3 -0.3"
    printf '2\n%s %s energy=-7.6\n' "$c1" "$head1"; atoms "0 0 0 0.3 0.2 0.3" "1.5 2.5 2.9 -0.3 -0.2 -0.3"
} >test.xyz

"$MLKIT" dataset check train.xyz --test test.xyz -q >report
grep -q "duplicate  *1  drop" report
grep -q "train.xyz:5  frame 1 step 2  as train.xyz:1" report
grep -q "twin  *1  drop" report
grep -q "train.xyz:9  frame 2 step 3  0 meV (limit 0.1)  as train.xyz:1" report
grep -q "leak  *1  drop" report
grep -q "test.xyz:1  frame 0 step 1  0 meV (limit 0.1)  as train.xyz:21" report
grep -q "unconverged_scf  *1  drop" report
grep -q "no_forces  *1  drop" report
grep -q "^fitted test: skipped" report

# --drop: the usual kinds; of equal frames the first stays; everything dropped is listed with its reason
"$MLKIT" dataset check train.xyz --test=test.xyz --drop -o clean.xyz -q >report
grep -q "clean.xyz: 1 of 6 frames kept; the 5 dropped stand in clean.xyz.dropped.csv" report
[ "$(grep -c '^2$' clean.xyz)" = 1 ] && grep -q "energy=-8.0" clean.xyz
head -1 clean.xyz.dropped.csv | grep -qx "file,line,step,kind,value,why"
grep -q '^train.xyz,5,2,duplicate,,the same structure again' clean.xyz.dropped.csv
grep -q '^train.xyz,9,3,twin,0,.*as train.xyz:1"$' clean.xyz.dropped.csv
grep -q '^train.xyz,13,4,no_forces,,' clean.xyz.dropped.csv
grep -q '^train.xyz,17,5,unconverged_scf,,' clean.xyz.dropped.csv
grep -q '^train.xyz,21,6,leak,,has a twin in the test set$' clean.xyz.dropped.csv
[ "$(wc -l <clean.xyz.dropped.csv)" = 6 ]

# chosen kinds, to a store; nothing is overwritten without --force, never an input
"$MLKIT" dataset check train.xyz --drop=duplicate,twin -o clean.h5 -q >report
grep -q "4 of 6 frames kept" report
"$MLKIT" dataset info clean.h5 -q | grep -q "^frames  *4 in"
fails train.xyz --drop -o clean.h5; grep -q "exists already" log
"$MLKIT" dataset check train.xyz --drop -o clean.h5 --force -q >report
fails train.xyz --drop -o train.xyz --force; grep -q "one of the inputs" log

# wrong usage
fails train.xyz --drop=nonsense -o x.h5; grep -q "'nonsense' is no kind" log
fails train.xyz --drop=theory -o x.h5; grep -q "not about single frames" log
fails train.xyz --drop; grep -q -- "--drop needs a file" log
fails train.xyz --drop -o x.pdf; grep -q "cannot tell the format" log
fails; grep -q "no data given" log
"$MLKIT" dataset check --help | grep -q -- "--drop alone drops: no_energy,no_forces,unconverged_scf,duplicate"

# unusable data: the report, and exit status 1
printf '2\n%s Properties=species:S:1:pos:R:3\nLi 0 0 0\nS 2 2.4 2.9\n' "$c1" >bare.xyz
status=0; "$MLKIT" dataset check bare.xyz -q >report 2>log || status=$?
[ $status = 1 ] && grep -q "uncomputed  *1  drop" report && grep -q "has energy and forces" log

# --json: one object, names that others rely on
"$MLKIT" dataset check train.xyz --test test.xyz --json -q >j
for name in n_frames n_test findings kind file line frame step value unit other_file other_line recommendation counts \
    dropped stress_tests; do
    grep -q "\"$name\":" j || { echo "no $name"; exit 1; }
done
grep -q '"leak": 1' j
grep -q '"dropped": null' j
