# Every stage of a study killed, the study alone and with its jobs; with the real report.
export PASSES=2 REPORT=: STAGES=
for how in alone all; do
    for s in dataset structure model train md transport validate committee report; do STAGES="$STAGES $s/$how"; done
done
. "$ROOT/tests/cli/t_benchmark_stages.sh"
