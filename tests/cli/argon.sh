# Sourced: ar.lj, a Lennard-Jones argon, and ar.xyz, its cubic cell of four atoms.
cat >ar.lj <<'X'
lj 1 Ar
8.5
0.01032 3.405
X
cat >ar.xyz <<'X'
4
Lattice="5.4 0 0 0 5.4 0 0 0 5.4" Properties=species:S:1:pos:R:3 pbc="T T T"
Ar 0 0 0
Ar 0 2.7 2.7
Ar 2.7 0 2.7
Ar 2.7 2.7 0
X
