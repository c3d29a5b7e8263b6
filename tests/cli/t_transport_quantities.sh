# mlkit transport: one screen, and the options that ask for further quantities
shared=${MLK_SHARED:-$ROOT/../shared}
data=$shared/reference/transport/nacl.dat.gz
[ -r "$data" ] || { echo "the shared reference data are not on this machine"; exit 77; }
run="$MLKIT transport $data --energy 2-4 --flux Na=5-7 --temp-col 1 --volume 65013.301261 --dt 5fs --charge Na=1424.2674323752572"

$run --tensor --heat-capacity 1.9J/cm3/K --at-naive 0.9 --target-error 5% >screen 2>err
[ "$(wc -l <screen)" -le 45 ]
[ "$(awk 'length > m { m = length } END { print m }' screen)" -le 100 ] || { awk 'length > 100' screen; exit 1; }
for w in "kappa naive" "Onsager-corrected" "is the correction needed" "heat of transport Na" "zero of the energies" "Helfand" \
    "principal values" "thermal diffusivity" "energy offsets" "Seebeck" "by Einstein" "how sure" "for 5 % about"; do
    grep -q "$w" screen || { echo "no '$w' in:"; cat screen; exit 1; }
done
# isotropic: the tensor is shown on request only
$run >screen 2>err
! grep -q "principal values" screen

$run --json >a.json 2>err
for w in L_err helfand sigma_einstein heat_of_transport seebeck_mV_K tensor length_needed_ps convergence gauges corrected_share; do
    grep -q "\"$w\"" a.json || { echo "no $w"; exit 1; }
done
# every value of kappa along the sweep is the same to 9 digits
sed -n '/"gauges"/,$d; /"gauge"/,$p' a.json | sed -n '/"kappa": \[/,/\]/p' | grep -o '[0-9][0-9.]*' | cut -c1-11 | sort -u >one
[ "$(wc -l <one)" = 1 ] || { cat one; exit 1; }

fails() { # text, options
    text=$1
    shift
    status=0
    $run "$@" >out 2>err || status=$?
    [ $status = 2 ] || { echo "exit $status: $*"; exit 1; }
    grep -q -e "$text" err || { echo "no '$text' in:"; cat err; exit 1; }
    [ ! -s out ]
}
fails "not a share" --target-error 0
fails "not a share" --target-error 200%
fails "not a positive number with its unit" --heat-capacity 3
fails "needs the density" --heat-capacity 0.8J/g/K
