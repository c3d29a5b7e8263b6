# mlkit transport reads what other programs write: one made-up run as a plain table, as LAMMPS log in three
# styles, as averages of fix ave/time, and as GPUMD output gives one result; what was assumed is said
value() { # file, key: first number of that name
    sed -n "s/^ *\"$2\": \([-0-9.eE+]*\),*$/\1/p" "$1" | head -1
}
near() { # a, b, relative tolerance
    awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a / b - 1; if (d < 0) d = -d; exit !(d <= t) }' ||
        { echo "$1 is not $2 within $3"; exit 1; }
}
said() { grep -q -e "$1" err || { echo "no '$1' in:"; cat err; exit 1; }; }
run() { # options...: kappa of the result
    $MLKIT transport "$@" --json >out.json 2>err || { cat err; exit 1; }
    value out.json kappa
}
fails() { # status, text, arguments
    want=$1 text=$2
    shift 2
    status=0
    $MLKIT transport "$@" >out 2>err </dev/null || status=$?
    [ $status = "$want" ] || { echo "exit $status, expected $want: $*"; cat err; exit 1; }
    said "$text"
    [ ! -s out ] || { echo "output on stdout: $*"; exit 1; }
}

# two coupled fluxes: 6000 samples every 5 fs, 500 K, 1000 A^3
awk 'function g() { return rand() + rand() + rand() + rand() - 2 }
     BEGIN { srand(7)
     for (t = -200; t < 6000; t++) { for (k = 0; k < 3; k++) { u[k] = 0.95 * u[k] + g(); w[k] = 0.9 * w[k] + g() }
         if (t < 0) continue
         printf "%.2f", 500 + g()
         for (k = 0; k < 3; k++) printf " %.6f", 10 * u[k] + 4 * w[k]
         for (k = 0; k < 3; k++) printf " %.6f", -0.5 * u[k]
         for (k = 0; k < 3; k++) printf " %.6f", 0.25 * u[k]
         print "" } }' >rows
opt="--energy 2-4 --flux Li=5-7 --flux S=8-10 --temp-col 1"
ref=$(run rows $opt --volume 1000 --dt 5fs)
said "energy: columns 2-4"
said "units metal (assumed)"
said "5 fs between rows (--dt)"

# carriage returns, commas, comments and a header
{ printf '# made up\r\nT;jx;jy;jz;a;b;c;d;e;f\r\n'; sed 's/ /, /g; s/$/\r/' rows; } >dos
near "$(run dos $opt --volume 1000 --dt 5fs)" "$ref" 1e-12
# names in a comment
{ echo "# T Jx Jy Jz vcm1 vcm2 vcm3 mom_x mom_y mom_z"; cat rows; } >hash
near "$(run hash --volume 1000 --dt 5fs)" "$ref" 1e-12
# one and two directions
run rows --energy 2 --flux Li=5 --temp-col 1 --volume 1000 --dt 5fs >one
near "$(cat one)" "$ref" 0.5
run rows --energy 2,4 --flux Li=5,7 --temp-col 1 --volume 1000 --dt 5fs >two
near "$(cat two)" "$ref" 0.5
fails 2 "1 column, the energy flux has 3" rows --energy 2-4 --flux Li=5 --temp 300 --volume 1000 --dt 5fs
# steps: repeated rows are dropped, missing ones are an error
{ echo "Step Temp Jx Jy Jz c_vcmLi[1] c_vcmLi[2] c_vcmLi[3] c_vcmS[1] c_vcmS[2] c_vcmS[3]"; awk '{ print 10 * NR, $0 }' rows; } >steps
near "$(run steps --volume 1000 --dt 5fs)" "$ref" 1e-12
grep -q '"Li"' out.json
sed '2000{p;p}' steps >again
near "$(run again --volume 1000 --dt 5fs)" "$ref" 1e-12
said "again:2001: 2 rows repeat steps"
sed 3000d steps >gap
fails 1 "gap:3000: error: step 30000 follows 29980 (line 2999), expected 29990" gap --volume 1000 --dt 5fs
fails 2 "rows are 10 steps apart" steps --volume 1000

# LAMMPS: an equilibration without fluxes, then the run, a warning in between, a last short run
head='LAMMPS (2 Aug 2023)
units metal
timestep 0.0005
pair_style nep
group Li type 1
group S type 2
compute ke all ke/atom
compute pe all pe/atom
compute st all stress/atom NULL virial
compute flux all heat/flux ke pe st
compute vL Li vcm
compute vS S vcm
  orthogonal box = (0 0 0) to (10 20 5)
Per MPI rank memory allocation (min/avg/max) = 3.1 | 3.1 | 3.1 Mbytes
   Step          Temp
         0   300
         5   301
Loop time of 0.1 on 1 procs for 5 steps with 100 atoms
'
names="Step Temp c_flux[1] c_flux[2] c_flux[3] c_vL[1] c_vL[2] c_vL[3] c_vS[1] c_vS[2] c_vS[3]"
{ printf '%s' "$head"
  echo "Per MPI rank memory allocation (min/avg/max) = 3.1 | 3.1 | 3.1 Mbytes"
  echo "   $names"
  awk 'NR == 77 { print "WARNING: something (../x.cpp:12)" } { print "  ", 10 * NR, $0 }' rows
  echo "Loop time of 12.5 on 1 procs for 60000 steps with 100 atoms"
  echo "Per MPI rank memory allocation (min/avg/max) = 3.1 | 3.1 | 3.1 Mbytes"
  echo "   $names"
  head -3 rows | awk '{ print 60000 + 10 * NR, $0 }'
  echo "Loop time of 12.5 on 1 procs for 20 steps with 100 atoms"; } >log.lammps
near "$(run log.lammps)" "$ref" 1e-12
said "3 runs; taken is run 2"
said "5 fs between rows (step column x timestep)"
said "V = 1000 A^3 (box of the log)"
said "wrong for many-body potentials"
grep -q '"Li"' out.json
gzip -c log.lammps | run - >gz
near "$(cat gz)" "$ref" 1e-12
fails 1 "run 1 of the log has no energy flux" log.lammps --block 1
fails 1 "no column 'v_a'" log.lammps --energy v_a,v_b,v_c
# still running: an incomplete last row
sed '/Loop time of 12.5/,$d' log.lammps >running
printf '   60010  500.1 1.2' >>running
near "$(run running)" "$ref" 1e-12
said "still being written"
sed '/^   Step.*c_flux/,$d' log.lammps >none
{ cat none; echo "   $names"; } >none.yet
fails 1 "none.yet:[0-9]*: error: 0 complete rows" none.yet
sed 's/units metal/units lj/' log.lammps >log.lj
fails 1 "units lj: only metal and real" log.lj
# densities by variables, real units
{ printf '%s' "$head" | sed 's/metal/real/; s/0.0005/0.5/; s/c_flux/v_J/'
  echo 'variable Jx equal c_flux[1]/vol'
  echo "Per MPI rank memory allocation (min/avg/max) = 3.1 | 3.1 | 3.1 Mbytes"
  echo "Step Temp v_Jx v_Jy v_Jz"
  awk '{ f = 1 / (1000 * 43.36410424180094); print 10 * NR, $1, $2 * f, $3 * f, $4 * f }' CONVFMT=%.12g OFMT=%.12g rows
  echo "Loop time of 12.5 on 1 procs"; } >log.real
kappa=$(run log.real)
said "units real (log), energy flux divided by the volume (log)"
near "$kappa" "$(run rows --energy 2-4 --temp-col 1 --volume 1000 --dt 5fs)" 1e-6
# a box that changes needs the volume
sed 's/^timestep.*/&\nfix 1 all npt temp 300 300 0.1 iso 0 0 1/' log.lammps >log.npt
fails 2 "volume of the cell is not known" log.npt
# yaml and multi
{ printf '%s' "$head"; echo "---"
  echo "keywords: ['Step', 'Temp', 'c_flux[1]', 'c_flux[2]', 'c_flux[3]', 'c_vL[1]', 'c_vL[2]', 'c_vL[3]', 'c_vS[1]', 'c_vS[2]', 'c_vS[3]', ]"
  echo "data:"; awk '{ gsub(/ /, ", "); print "  - [" 10 * NR ", " $0 ", ]" }' rows; echo "..."; } >log.yaml
near "$(run log.yaml)" "$ref" 1e-12
{ printf '%s' "$head"
  awk '{ print "------------ Step " 10 * NR " ----- CPU = 0.1 (sec) -------------"
         print "Temp = " $1 " c_flux[1] = " $2 " c_flux[2] = " $3
         print "c_flux[3] = " $4 " c_vL[1] = " $5 " c_vL[2] = " $6
         print "c_vL[3]  =  " $7 " c_vS[1] = " $8 " c_vS[2] = " $9
         print "c_vS[3]  =  " $10 }' rows
  echo "Loop time of 12.5 on 1 procs"; } >log.multi
near "$(run log.multi)" "$ref" 1e-12

# fix ave/time, one value per column and vectors
{ echo "# Time-averaged data for fix f"; echo "# TimeStep c_T c_flux[1] c_flux[2] c_flux[3] c_vcmLi[1] c_vcmLi[2] c_vcmLi[3] c_vcmS[1] c_vcmS[2] c_vcmS[3]"
  awk '{ print 10 * NR, $0 }' rows; } >ave
near "$(run ave --temp-col c_T --volume 1000 --dt 5fs)" "$ref" 1e-12
said "fix ave/time"
{ echo "# Time-averaged data for fix f"; echo "# TimeStep Number-of-rows"; echo "# Row c_flux c_vcmLi c_vcmS"
  awk '{ print 10 * NR, 3; for (k = 0; k < 3; k++) print k + 1, $(2 + k), $(5 + k), $(8 + k) }' rows; } >vec
near "$(run vec --temp 500 --volume 1000 --dt 5fs)" "$(run rows $opt --temp 500 --volume 1000 --dt 5fs)" 1e-3

# GPUMD: two groups, natural units
mkdir gp
printf 'potential nep.txt\ntime_step 0.5\nensemble nvt_bdp 500 500 100\ndump_thermo 10\nrun 50\nensemble nve\ndump_thermo 20\ncompute 0 10 1 momentum jk jp # all\nrun 60000\n' >gp/run.in
awk 'BEGIN { for (k = 0; k < 5; k++) print 900, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9 }
     NR % 2 == 0 { print $1, 0, 0, 0, 0, 0, 0, 0, 0, 10, 20, 5 }' rows >gp/thermo.out
awk '{ s = 0.010180505710759414
       printf "%.9e %.9e %.9e %.9e %.9e %.9e", $2 * s, 0, $3 * s, 0, $4 * s, 0
       printf " 0 0 0 0 0 0"
       printf " %.9e %.9e %.9e %.9e %.9e %.9e\n", $5 * s, $8 * s, $6 * s, $9 * s, $7 * s, $10 * s }' rows >gp/compute.out
kappa=$(run gp/compute.out --temp 500)
said "5 fs between rows (run.in)"
said "V = 1000 A^3 (thermo.out)"
said "2 groups; energy: jp + jk"
near "$kappa" "$(run rows $opt --temp 500 --volume 1000 --dt 5fs)" 1e-6
run gp/compute.out >/dev/null
near "$(value out.json temperature_K)" 500 1e-3
# names, masses and charges of the groups from model.xyz
{ echo 30; echo 'pbc="T T T" Lattice="10 0 0 0 20 0 0 0 5" Properties=species:S:1:pos:R:3:group:I:2'
  awk 'BEGIN { for (i = 0; i < 30; i++) print i % 3 ? "Li" : "S", 0, 0, 0, i % 3 ? 0 : 1, 0 }'; } >gp/model.xyz
near "$(run gp/compute.out --temp 500)" "$kappa" 1e-9
grep -q '"Li"' out.json
value out.json sigma_S_m | grep -q .
sed -i 's/ 1 0$/ 2 0/' gp/model.xyz
fails 1 "model.xyz has 3 groups" gp/compute.out
rm gp/model.xyz
sed -i 's/momentum jk jp/jp potential force/' gp/run.in
fails 1 "18 columns do not fit" gp/compute.out
rm gp/run.in
fails 1 "run.in beside compute.out" gp/compute.out

# running integrals of GPUMD: naive only, error from runs
awk 'BEGIN { srand(3); for (r = 0; r < 4; r++) for (k = 0; k < 400; k++) { t = (k + 0.5) * 0.02
       printf "%.15e 1 1 1 1 1", t
       for (c = 0; c < 5; c++) printf " %.15e", (c == 4 ? 2 : 1) * (1 - exp(-t)) * (1 + 0.02 * (rand() + rand() - 1) + 0.1 * (r - 1.5) / 1.5) ; print "" } }' >hac.out
$MLKIT transport hac.out --json >out.json 2>err
said "no correction for mass transport"
near "$(value out.json kappa_naive)" 2 0.2
grep -q '"kappa": null' out.json
grep -q '"n_runs": 4' out.json
$MLKIT transport hac.out hac.out --gk-limit 6ps 2>err | grep -q "8 runs.*" || { cat err; exit 1; }
fails 2 "beyond the last time" hac.out --gk-limit 60ps
sed 900d hac.out >hac.gap
fails 2 "same correlation times" hac.gap
