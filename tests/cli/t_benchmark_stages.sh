# mlkit benchmark: kill -9 in the stages of a study with data, fitted and ready models; begun again until it is
# done, it ends with the bits of an undisturbed study, its report, and nothing left over. When to kill is told by
# the journal: soon after the start of a job of a stage that is due.
# STAGES: those stages, each followed by / and how: alone (the study), all (its jobs too). PASSES: at most so many
# studies; what no kill hit by then must be a matter of milliseconds. REPORT: ":" draws the real report.
stages=${STAGES:-dataset/all train/alone train/all transport/alone committee/all}
passes=${PASSES:-2}
. "$ROOT/tests/cli/argon.sh"
fail() { echo "$1"; cat out err 2>/dev/null; exit 1; }
# 60 frames of argon, atoms off their sites, labelled by the model
awk 'function u() { s = (s * 16807) % 2147483647; return s / 2147483647 }
BEGIN { s = 4711
    for (f = 0; f < 60; f++) {
        a = 5.2 + 0.4 * u()
        printf "32\nLattice=\"%g 0 0 0 %g 0 0 0 %g\" Properties=species:S:1:pos:R:3 pbc=\"T T T\"\n", 2 * a, 2 * a, 2 * a
        for (k = 0; k < 32; k++)
            printf "Ar %g %g %g\n", place(int(k / 16), k % 4, 1), place(int(k / 8) % 2, k % 4, 2), place(int(k / 4) % 2, k % 4, 3)
    }
}
function place(cell, site, axis) { return a * (cell + (site && site != axis ? 0.5 : 0)) + (0.15 + 0.2 * (f % 3)) * (u() + u() + u() - 1.5) }' >sites.xyz
"$MLKIT" evaluate ar.lj sites.xyz -o frames.xyz -q
# the jobs with settings for so small a study; fits end by their epochs, not by the time
cat >small <<Y
#!/bin/sh
case "\$*" in
train*"--model nep"*) set -- "\$@" --epochs ${EPOCHS:-60} --nep.neuron=4 --nep.n_max=2,2 --nep.basis=4,4 --nep.l_max=2,0,0 --nep.cutoff=5,4.5 ;;
md*) set -- "\$@" --checkpoint 0.1 ;;
report*) ${REPORT:-mkdir -p "\$2/report" && exec touch "\$2/report/report.html"} ;;
esac
exec "$MLKIT" "\$@"
Y
chmod +x small
study="--models ./ar.lj,nep,snap:twojmax=2 --data frames.xyz --structure ar.xyz --supercell 3x3x3 --temps 40 --replicas 1 --npt 0ps --equil 0.4ps --run ${RUN:-2ps} --dt 4fs --jobs 2 --program ./small"
# what of a result does not depend on when and where it was made
plain() { sed '/"command"/d; /wall/d; /"created"/d; /"version"/d' "$1"; }
results="transport/ar/0040K.json transport/nep-1/0040K.json transport/nep-2/0040K.json transport/snap-1/0040K.json
models/nep-1/nep.txt models/nep-2/nep.txt models/snap-1/snap.snapcoeff committee/nep/committee.json validate/ar/errors.json"
compare() {
    for f in $results; do
        plain whole/$f >a; plain R/$f >b
        [ -s a ] && cmp a b || fail "$f differs after $n kills"
    done
    [ -s R/report/report.html ] || [ -z "${REPORT-}" ] || fail "no report"
    ! grep -q '"event":"failed"' R/journal.jsonl || fail "a job failed"
    litter=$(find R -name '*.tmp*' -o -name '*.ckpt.h5' -o -name '*.parts' -o -name checkpoint.h5)
    [ -z "$litter" ] || fail "left over: $litter"
}
# how long the shortest job of stage $1 lasted undisturbed
lasts() { sed -n 's|.*"event":"done","job":"'$1'[/"].*"wall_s":\([0-9.e-]*\).*|\1|p' whole/journal.jsonl | sort -g | head -1; }
# is a kill due in stage $1? sets how, in turn
due() {
    for how in $(if [ $((rounds % 2)) = 0 ]; then echo all alone; else echo alone all; fi); do
        case " $left " in *" $1/$how "*) return 0 ;; esac
    done
    return 1
}
# wait for the start of a job of a stage that is due, in the journal from where descriptor 3 is: sets job
watch() {
    spin=0
    while [ -n "$left" ] && kill -0 $pid 2>/dev/null; do
        if ! read -r line <&3; then
            # hardly any rest as long as stages of milliseconds may come
            spin=$((spin + 1))
            [ ! -e R/structure.xyz ] && [ $((spin % 500)) != 0 ] || sleep 0.01
            continue
        fi
        case $line in *'"event":"start"'*) ;; *) continue ;; esac
        job=${line#*\"job\":\"} job=${job%%\"*}
        ! due ${job%%/*} || return 0
    done
    return 1
}

$MLKIT benchmark $study -o R >out 2>err || fail "undisturbed"
mv R whole
# killed when the data set was written and the journal did not know it: made again. One that the study never began
# to write is not replaced.
cp -r whole H
grep '"event":"start","job":"dataset"\|"job":"model' whole/journal.jsonl >H/journal.jsonl
$MLKIT benchmark --job dataset --program ./small -o H >out 2>err || fail "the data set is there already"
grep -q '"event":"done","job":"dataset"' H/journal.jsonl || fail "data set not made again"
: >H/journal.jsonl
! $MLKIT benchmark --job dataset --program ./small -o H >out 2>err || fail "a data set was replaced"
grep -q 'exists already' err || fail "not replaced, and nothing said"
left=$(echo $stages) hits= n=0 rounds=0 pass=1
while :; do
    rounds=$((rounds + 1))
    [ $rounds -lt 200 ] || fail "no end after $rounds rounds"
    mkdir -p R
    from=$(cat R/journal.jsonl 2>/dev/null | wc -l)
    : >>R/journal.jsonl
    exec 3<R/journal.jsonl
    while read -r line <&3; do :; done
    $MLKIT benchmark $study -o R >out 2>err &
    pid=$!
    if watch; then
        # somewhere in its first half second, by a fixed rule; at once where it is over soon
        case $job in structure | model/*) ;; *) sleep $(awk "BEGIN { t = $(lasts ${job%%/*}); print (t < 0.5 ? t : 0.5) * $(((rounds * 37) % 80)) / 100 }") ;; esac
        jobs=
        [ $how = alone ] || jobs=$(cat /proc/$pid/task/$pid/children 2>/dev/null || true)
        kill -9 $pid $jobs 2>/dev/null || true
    fi
    set +e; wait $pid 2>/dev/null; st=$?; set -e
    [ $st = 137 ] || [ $st = 0 ] || fail "round $rounds ended with status $st"
    if [ $st = 137 ]; then
        n=$((n + 1)) hit=${job%%/*}/$how
        if ! tail -n +$((from + 1)) R/journal.jsonl | grep -q '"event":"done","job":"'$job'"'; then
            hits="$hits $hit"
            left=$(for q in $left; do [ $q = $hit ] || printf '%s ' $q; done)
        fi
    else
        compare
        [ -n "$left" ] && [ $pass -lt $passes ] || break
        pass=$((pass + 1))
        rm -r R
    fi
done
echo "$n kills in $rounds rounds, $pass studies; in time:$hits; the same bits"
# what was never hit must have been over too soon
for q in $left; do
    s=$(lasts ${q%/*})
    awk "BEGIN { exit !($s < 0.5) }" || fail "$q was never hit, and lasts $s s"
    echo "not hit: $q, which lasts $s s"
done
