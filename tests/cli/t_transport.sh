# mlkit transport on plain tables: the reference number, every way to name columns, stdin, JSON, output file
shared=${MLK_SHARED:-$ROOT/../shared}
data=$shared/reference/transport/nacl.dat.gz
[ -r "$data" ] || { echo "the shared reference data are not on this machine"; exit 77; }

value() { # file, key: first number of that name
    sed -n "s/^ *\"$2\": \([-0-9.eE+]*\),*$/\1/p" "$1" | head -1
}
near() { # a, b, relative tolerance
    awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a / b - 1; if (d < 0) d = -d; exit !(d <= t) }' ||
        { echo "$1 is not $2 within $3"; exit 1; }
}
fixed="--volume 65013.301261 --dt 5fs"

# 0.498309751395 with older constants, times 1.0000011812885 for those of 2019
$MLKIT transport "$data" --energy 2-4 --flux Na=5-7 --temp-col 1 $fixed --tskip 7 --rule aic --json >a.json
near "$(value a.json kappa)" 0.498310340043 1e-9
near "$(value a.json kappa_err)" 0.028018344717 1e-9
near "$(value a.json kappa_naive)" 0.644452814916 1e-9
[ "$(value a.json pstar)" = 4 ]
near "$(value a.json fstar_THz)" 14.2857142857 1e-9
near "$(value a.json temperature_K)" 1399.3477812 1e-9

# the same by header names, from stdin uncompressed, f* instead of TSKIP, fixed cut-off, fixed temperature
gzip -dc "$data" >t.dat
$MLKIT transport - --energy 'c_flux[1],c_flux[2],c_flux[3]' --flux 'Na=c_vcm[1][1]-c_vcm[1][3]' --temp-col Temp \
    $fixed --fstar 14.286THz --rule K=3 --json <t.dat >b.json
near "$(value b.json kappa)" 0.498310340043 1e-9
# columns, temperature and volume found in the file
$MLKIT transport t.dat --dt 5fs --tskip 7 --rule P=4 --json >c.json
near "$(value c.json kappa)" 0.498310340043 1e-9
# density instead of extensive flux; a copy of a flux is dropped
awk '/^#/ { next } /^T/ { print "T jx jy jz vx vy vz wx wy wz"; next }
     { for (i = 2; i <= 7; i++) $i /= 65013.301261; print $0, -2 * $5, -2 * $6, -2 * $7 }' OFMT=%.12g CONVFMT=%.12g t.dat >d.dat
$MLKIT transport d.dat --energy jx-jz --flux Na=vx,vy,vz --flux=Cl=8-10 --temp-col T $fixed --density --tskip 7 \
    --rule aic --json >d.json
near "$(value d.json kappa)" 0.498310340043 1e-6
grep -q '"Cl": "its flux is a combination of the others"' d.json
# conductivity of the charge carried per unit of the Na velocity
$MLKIT transport t.dat --dt 5fs --tskip 7 --rule aic --flux Na=5-7 --charge Na=1424.2674323752572 --json >e.json
near "$(value e.json sigma_S_m)" 382.813 1e-5

# screen and file
$MLKIT transport t.dat --dt 5fs -o out.json >screen
for w in "kappa naive" "Onsager-corrected" "Theta" "Green-Kubo" "L (SI units"; do grep -q "$w" screen; done
grep -q '"curves"' out.json
[ "$(wc -l <screen)" -lt 30 ]
$MLKIT transport t.dat --dt 5fs --mobile none --json >n.json
grep -q '"mobile": \[\]' n.json

# pooled replicas
$MLKIT transport t.dat d.dat --help | grep -q example
$MLKIT transport t.dat t.dat t.dat --dt 5fs --json >r.json
grep -q '"n_runs": 3' r.json
