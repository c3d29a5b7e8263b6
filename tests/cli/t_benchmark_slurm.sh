# mlkit benchmark --emit slurm: scripts for a cluster, run by a stand-in for Slurm that keeps the order of
# the dependencies; --job runs one job of a study
command -v bash >/dev/null || { echo "no bash"; exit 77; }
. "$ROOT/tests/cli/argon.sh"
fail() { echo "$1"; cat out err slurmlog 2>/dev/null; exit 1; }
status() { set +e; "$@" >out 2>err; st=$?; set -e; }
cat >quick <<X
#!/bin/sh
case "\$1" in
report) mkdir -p "\$2/report" && exec touch "\$2/report/report.html" ;;
md) [ ! -e "$PWD/broken" ] || case "\$*" in *r2/run.h5*) echo "mlkit: error: the node is on fire" >&2; exit 1 ;; esac ;;
esac
exec "$MLKIT" "\$@"
X
chmod +x quick
mkdir bin
# sbatch [--parsable] [--array=1-N] [--dependency=afterany:1:2] SCRIPT WORDS: runs it at once, which is an
# order that the dependencies allow if every id they name is smaller
cat >bin/sbatch <<'X'
#!/bin/bash
n=0 deps=
while :; do
    case $1 in
    --array=1-*) n=${1#--array=1-} ;;
    --dependency=afterany:*) deps=${1#--dependency=afterany:} ;;
    --parsable) ;;
    *) break ;;
    esac
    shift
done
id=$(($(cat "$FAKE/id" 2>/dev/null || echo 0) + 1))
echo $id >"$FAKE/id"
for d in ${deps//:/ }; do [ "$d" -lt $id ] || { echo "dependency $d of $id" >&2; exit 1; }; done
echo "$id $1 n=$n after=$deps" >>"$FAKE/order"
for k in $(seq 1 $((n ? n : 1))); do
    SLURM_JOB_ID=$id SLURM_ARRAY_TASK_ID=$k bash "$@" >>"$FAKE/slurmlog" 2>&1 &
    [ $((k % 2)) = 1 ] || wait
done
wait
echo "$id;cluster"
X
chmod +x bin/sbatch
export FAKE=$PWD
study="--models ./ar.lj --structure ar.xyz --supercell 3x3x3 --temps 60:80:20 --replicas 2 --npt 0ps --equil 0.2ps --run 1ps --dt 4fs --program ./quick"

status $MLKIT benchmark $study --emit slurm --slurm-options "--partition=long -t 10" --threads 2 -o "$PWD/R"
[ $st = 0 ] && grep -q '9 of 9 jobs are to be run' out && grep -q 'sh .*/R/slurm/submit.sh' out || fail "emit"
for s in prepare md transport report; do bash -n R/slurm/$s.sh || fail "$s.sh"; done
[ ! -e R/slurm/train.sh ] || fail "a stage without jobs"
grep -q '^#SBATCH --partition=long$' R/slurm/md.sh && grep -q '^#SBATCH -t 10$' R/slurm/md.sh && grep -q 'cpus-per-task=2$' R/slurm/md.sh || fail "options"
[ "$(wc -l <R/slurm/md.commands.txt)" = 4 ] && [ ! -e R/md ] || fail "commands"
status $MLKIT benchmark $study --emit slurm --slurm-options "long" -o R
[ $st = 2 ] || fail "options that are none"
status $MLKIT benchmark -o R --job md/ar/0060K/r1
[ $st = 2 ] && grep -q 'cannot be run before it is done: structure\|model/ar' err || fail "a job before its inputs"
status $MLKIT benchmark -o R --job md/ar/0061K/r1
[ $st = 2 ] && grep -q "no job 'md/ar/0061K/r1'" err || fail "unknown job"
status $MLKIT benchmark -o nowhere --job report
[ $st = 2 ] && grep -q 'no study in nowhere' err || fail "no study"

# the scripts call mlkit itself: give them the stand-in as program
sed -i "s| benchmark | benchmark --program '$PWD/quick' |" R/slurm/*.commands.txt
touch broken
PATH=$PWD/bin:$PATH sh R/slurm/submit.sh >out 2>err || fail "submit"
[ "$(cut -d' ' -f2- order | tr '\n' ',')" = "prepare.sh n=0 after=,md.sh n=4 after=1,transport.sh n=2 after=2,report.sh n=0 after=1:2:3," ] || fail "order: $(cat order)"
[ "$(grep -c '"event":"failed"' R/journal.jsonl)" = 2 ] && [ "$(grep -c '"event":"done","job":"transport' R/journal.jsonl)" = 2 ] || fail "failed elements"
[ -e R/report/report.html ] || fail "no report"
n=$(wc -l <R/journal.jsonl)
# lines of elements that ran side by side do not mix
[ "$(grep -c '^{.*}$' R/journal.jsonl)" = "$n" ] || fail "journal"

# once more: what failed is run, what was made from too little is made anew, the rest is left alone
rm broken
PATH=$PWD/bin:$PATH sh R/slurm/submit.sh >out 2>err || fail "submit again"
[ "$(grep -c '"event":"done","job":"md/ar' R/journal.jsonl)" = 4 ] || fail "md"
[ "$(grep -c '"event":"done","job":"transport' R/journal.jsonl)" = 4 ] || fail "transport was not made anew"
grep -q '"n_runs": 2' R/transport/ar/0060K.json || fail "both replicas"
status $MLKIT benchmark -o R
[ $st = 0 ] && grep -q 'all 9 jobs of R are done' err || fail "the study does not know what was done"
status $MLKIT benchmark -o R --emit slurm
[ $st = 0 ] && grep -q 'nothing to submit' err || fail "nothing to submit"
