# mlkit benchmark --dry-run: time and disk of a study; the check of the disk before it starts
. "$ROOT/tests/cli/argon.sh"
fail() { echo "$1"; cat out err 2>/dev/null; exit 1; }
status() { set +e; "$@" >out 2>err; st=$?; set -e; }
number() { sed -n "s/^ *\"$1\": \\([0-9.e+]*\\),*\$/\\1/p" "$2" | tail -1; }
study="--models ./ar.lj --structure ar.xyz --supercell 3x3x3 --temps 60:80:20 --replicas 1 --npt 0ps --equil 0.4ps --run 8ps --dt 4fs --jobs 1"
cat >quick <<X
#!/bin/sh
[ "\$1" != report ] || { mkdir -p "\$2/report" && exec touch "\$2/report/report.html"; }
exec "$MLKIT" "\$@"
X
chmod +x quick

status $MLKIT benchmark $study --dry-run -o R
[ $st = 0 ] && [ ! -e R ] || fail "dry run"
[ "$(grep -c '^mlkit ' out)" = 5 ] && grep -q '^# model/ar: copy /' out || fail "commands"
grep -q '^# md lj *2 *0 ' out && grep -q '^# all *7 *0 ' out || fail "table"
grep -q 'runs of 108 atoms' out && grep -q 'speed of ar: .*(measured, 108 atoms)' out || fail "speed"
status $MLKIT benchmark $study --dry-run --json -o R
[ $st = 0 ] && grep -q '"measured": true' out && grep -q '"commands"' out || fail "json"
bytes=$(grep -A5 '"stage": "md lj"' out | number bytes /dev/stdin)
awk "BEGIN { exit !($(number wall_s out) < 8) }" || fail "a study of 1.5 s was said to take longer"
# a family that is not fitted yet is timed all the same, in a frame of the data, with its settings
status $MLKIT benchmark --models snap --temps 300 --dry-run --json -o R
[ $st = 0 ] && grep -q '"measured": true' out && grep -q 'measured before it is fitted, [1-9][0-9]* atoms' out || fail "speed of a family"

# settings of a family: two fits of it under their own names; a wrong key or value is told at once
status $MLKIT benchmark --models snap:twojmax=4,snap:twojmax=2+rcut=5.5 --temps 300 --dry-run -o R
grep -q -- '--name snap-1 .*--snap.twojmax=4 ' out && grep -q -- '--name snap-2 .*--snap.twojmax=2 --snap.rcut=5.5 ' out || fail "settings"
[ "$(grep -c '^# speed of snap-[12]: .*(measured before it is fitted' out)" = 2 ] || fail "each of them has its speed"
for bad in snap:twojmx=4 snap:twojmax=four snap:twojmax snap,snap; do
    status $MLKIT benchmark --models $bad --temps 300 --dry-run -o R
    [ $st = 2 ] || fail "--models $bad: status $st"
done

# twice the run, twice the estimate; the runs are as large as was said
status $MLKIT benchmark $study --program ./quick -o R
[ $st = 0 ] || fail "study (status $st)"
grep -q '"mlkit": "' R/transport/ar/0060K.json && grep -q '^{"event":"start","job":"md/.*"mlkit":"' R/journal.jsonl || fail "versions are not recorded"
real=$(cat R/md/*/*/*/run.h5 | wc -c)
awk "BEGIN { q = $bytes / $real; exit !(q > 0.8 && q < 3) }" || fail "$bytes bytes were said, $real are there"
status $MLKIT benchmark $study --dry-run -o R
grep -q '^# all *0 *7 ' out && grep -q '^# md/ar/0060K/r1: done' out || fail "a finished study"

# the start structure: pressure nearest zero, but not a frame with more energy than most
frame() {
    printf '4\nLattice="5.4 0 0 0 5.4 0 0 0 5.4" Properties=species:S:1:pos:R:3:forces:R:3 energy=%s stress="%s 0 0 0 %s 0 0 0 %s" pbc="T T T"\n' $1 $2 $2 $2
    tail -n 4 ar.xyz | sed 's/$/ 0 0 0/'
}
{ frame -0.30 0.02; frame 0.50 0; frame -0.31 0.01; frame -0.29 0.03; } >labelled.xyz
printf '#!/bin/sh\n[ $1 = dataset ] && exec %s "$@"\n' "$MLKIT" >only
chmod +x only
status $MLKIT benchmark --models ./ar.lj --data labelled.xyz --temps 60 --replicas 1 --npt 0ps --equil 0.02ps --run 0.1ps --dt 4fs --program ./only -o F
sed -n 2p F/structure.xyz | grep -q 'energy=-0.31' || fail "start structure: $(sed -n 2p F/structure.xyz)"

# a small disk: an error below what is needed, a warning below 1.2 times that, neither above
mkdir disk
if ! mount -t tmpfs -o size=1m tmpfs disk 2>/dev/null; then
    echo "no tmpfs can be mounted: the check of the disk is not tested"
    exit 0
fi
trap 'umount disk' EXIT
status $MLKIT benchmark $study --dry-run --json -o disk/S
need=$(number bytes_needed out)
size() { mount -o "remount,size=$(awk "BEGIN { print int($need * $1) }")" disk || fail "remount"; }
size 0.8
status $MLKIT benchmark $study --program ./quick -o disk/S
[ $st = 1 ] && grep -q 'error: not enough room: the study needs about .*B more, and .*B are free' err || fail "small disk"
grep -q 'hint: .*-o' err || fail "small disk: what to do?"
[ ! -e disk/S/md ] && ! grep -q start disk/S/journal.jsonl 2>/dev/null || fail "small disk: begun all the same"
size 1.1
status $MLKIT benchmark $study --program ./quick -o disk/S
[ $st = 0 ] && grep -q 'warning: disk/S: the study needs about .*B more, and .*B are free' err || fail "no warning"
[ -s disk/S/transport/ar/0060K.json ] || fail "warned, and not run"
size 2
status $MLKIT benchmark $study --program ./quick -o disk/T
[ $st = 0 ] && ! grep -q 'are free' err || fail "a warning without need"
