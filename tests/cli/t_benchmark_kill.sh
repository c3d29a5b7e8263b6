# mlkit benchmark: kill -9 at any moment, of the study alone or of its jobs too; begun again until it is
# done, it ends with the bits of an undisturbed study. KILLS: how often at least (default 6).
kills=${KILLS:-6}
. "$ROOT/tests/cli/argon.sh"
sed 's/0.01032/0.011/' ar.lj >stiff.lj
cat >quick <<X
#!/bin/sh
[ "\$1" != report ] || { mkdir -p "\$2/report" && exec touch "\$2/report/report.html"; }
[ "\$1" != md ] || set -- "\$@" --checkpoint 0.1
exec "$MLKIT" "\$@"
X
chmod +x quick
fail() { echo "$1"; cat out err 2>/dev/null; exit 1; }
# what of a result does not depend on when and where it was made
plain() { sed '/"command"/d; /wall/d; /"created"/d; /"version"/d' "$1"; }
study="--models ./ar.lj,./stiff.lj --structure ar.xyz --supercell 3x3x3 --temps 60 --replicas 2 --npt 0ps --equil 0.4ps --run ${RUN:-8ps} --dt 4fs --jobs 2 --program ./quick"

$MLKIT benchmark $study -o R >out 2>err || fail "undisturbed"
mv R whole
n=0 rounds=0 done=
while [ -z "$done" ]; do
    rounds=$((rounds + 1))
    [ $rounds -lt 200 ] || fail "no end after $rounds rounds"
    $MLKIT benchmark $study -o R >out 2>err &
    pid=$!
    if [ $n -ge $kills ]; then
        wait $pid || fail "it cannot be continued"
        done=1
        continue
    fi
    # 0.02 to 0.9 s from now, by a fixed rule
    ms=$(((rounds * 373) % 880 + 20))
    sleep $(printf '0.%03d' $ms)
    jobs=$(cat /proc/$pid/task/$pid/children 2>/dev/null || true)
    state=$(grep -c '"event":"done"' R/journal.jsonl 2>/dev/null || true)
    if kill -9 $pid 2>/dev/null; then
        n=$((n + 1))
        with=
        [ $((n % 3)) != 0 ] || [ -z "$jobs" ] || { kill -9 $jobs 2>/dev/null || true; with=", its jobs too"; }
        echo "kill $n after $ms ms, ${state:-0} jobs done$with"
    fi
    set +e; wait $pid 2>/dev/null; st=$?; set -e
    [ $st = 137 ] || [ $st = 0 ] || fail "round $rounds ended with status $st"
    # done before the last kill: once more from the start
    if [ $st = 0 ] && [ $n -lt $kills ]; then
        compare=1
        for f in transport/ar/0060K.json transport/stiff/0060K.json; do
            plain whole/$f >a; plain R/$f >b
            cmp a b || fail "$f differs after $n kills"
        done
        rm -r R
    fi
done
for f in transport/ar/0060K.json transport/stiff/0060K.json; do
    plain whole/$f >a; plain R/$f >b
    [ -s a ] && cmp a b || fail "$f differs after $n kills"
done
! grep -q '"event":"failed"' R/journal.jsonl || fail "a job failed"
for m in ar stiff; do for r in r1 r2; do [ "$(ls R/md/$m/0060K/$r | tr '\n' ' ')" = "md.log run.h5 run.log " ] || fail "left over: $(ls R/md/$m/0060K/$r)"; done; done
echo "$n kills in $rounds rounds; the same bits"
