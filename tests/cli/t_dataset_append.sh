# Adding frames to a store: nothing is lost when the process is killed at any moment, nothing is added
# twice, and two writers at once do not lose each other's frames. MLK_KILLS sets the number of kills.
frame() { # number of the frame, energy
    printf '2\nLattice="5 0 0 0 5 0 0 0 5" energy=%s Properties=species:S:1:pos:R:3:forces:R:3\n' "$2"
    printf 'Li 0 0 0.%s 0.5 0 0\nS 2.5 0 0 -0.5 0 0\n' "$1"
}
many() { # first, number of frames
    i=$1
    while [ "$i" -lt $(($1 + $2)) ]; do frame $((10000 + i)) "-1.$i"; i=$((i + 1)); done
}
count() { "$MLKIT" dataset info "$1" -q | sed -n 's/^frames *\([0-9]*\).*/\1/p'; }

mkdir a b
many 0 300 >a/train.xyz
many 1000 700 >b/train.xyz
"$MLKIT" dataset convert a/train.xyz -o s.h5 --append -q
[ "$(count s.h5)" = 300 ]
cp s.h5 old.h5
"$MLKIT" dataset convert s.h5 -o old.xyz -q
"$MLKIT" dataset convert b/train.xyz -o s.h5 --append 2>log
grep -q "700 frames added" log
[ "$(count s.h5)" = 1000 ]
"$MLKIT" dataset convert s.h5 -o new.xyz -q
head -c "$(wc -c <old.xyz)" new.xyz | cmp - old.xyz

# again: nothing to do, the file is not touched; a file that has grown: its new frames
cp s.h5 before.h5
"$MLKIT" dataset convert b/train.xyz -o s.h5 --append 2>log
grep -q "700 of 700 frames are in the store already" log
cmp s.h5 before.h5
many 1700 5 >>b/train.xyz
"$MLKIT" dataset convert b/train.xyz -o s.h5 --append --json 2>log >j
grep -q '"n_frames": 5,' j
"$MLKIT" dataset info s.h5 -q >info
grep -q "^frames  *1005 in 2 trajectory groups" info

# another file of the same name is another run
mkdir -p c/b
many 3000 6 >c/b/train.xyz
(cd c && "$MLKIT" dataset convert b/train.xyz -o ../s.h5 --append 2>../log)
grep -q "added as 'b/train#2'" log
"$MLKIT" dataset info s.h5 -q >info
grep -q "^frames  *1011 in 3 trajectory groups" info

# only a store can be extended; the options say so
if "$MLKIT" dataset convert a/train.xyz -o x.xyz --append 2>log; then exit 1; fi
grep -q "adds to a store" log
if "$MLKIT" dataset convert a/train.xyz -o old.xyz --append --to h5 2>log; then exit 1; fi
grep -q "old.xyz: error: not an HDF5 file" log

# a full disk: an error, the store as it was, no remains
cp old.h5 full.h5
size=$(($(wc -c <full.h5) / 512 + 2))
if sh -c "trap '' XFSZ; ulimit -f $size; '$MLKIT' dataset convert b/train.xyz -o full.h5 --append" 2>log; then exit 1; fi
grep -q "full.h5: error" log
cmp full.h5 old.h5
[ "$(ls | grep -c '^full.h5')" = 1 ]

# killed at any moment of its life: old or new, never anything else
head -n 2800 b/train.xyz >b/part && mv b/part b/train.xyz
kills=${MLK_KILLS:-12} k=0 olds=0 news=0 late=0
cp old.h5 s.h5
from=$(date +%s%N)
"$MLKIT" dataset convert b/train.xyz -o s.h5 --append -q
whole=$((($(date +%s%N) - from) / 1000000)) # ms
while [ $k -lt "$kills" ]; do
    cp old.h5 s.h5
    "$MLKIT" dataset convert b/train.xyz -o s.h5 --append -q &
    pid=$!
    ms=$((whole * 3 * k / (2 * kills)))
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
    if kill -9 $pid 2>/dev/null; then :; else late=$((late + 1)); fi
    wait $pid 2>/dev/null || true
    rm -f now.xyz
    "$MLKIT" dataset convert s.h5 -o now.xyz -q
    if cmp -s now.xyz old.xyz; then
        olds=$((olds + 1))
    else
        cmp now.xyz new.xyz
        news=$((news + 1))
    fi
    "$MLKIT" dataset convert b/train.xyz -o s.h5 --append -q 2>/dev/null # what a user does then
    "$MLKIT" dataset convert s.h5 -o now.xyz --force -q
    cmp now.xyz new.xyz
    if ls | grep '^s\.h5\.'; then exit 1; fi # what the killed one left is cleared away
    k=$((k + 1))
done
echo "$kills kills: old store $olds times, new store $news times ($late were finished already; a whole run: $whole ms)"

# several writers at once: each either adds its frames or says that it could not
cp old.h5 s.h5
for w in 1 2 3 4 5 6; do many $((w * 10000)) 50 >w$w.xyz; done
for w in 1 2 3 4 5 6; do
    (if "$MLKIT" dataset convert w$w.xyz -o s.h5 --append -q 2>log$w; then echo yes >said$w; else
        grep -q "another mlkit" log$w && echo no >said$w; fi) &
done
wait
yes=$(cat said? | grep -c yes)
[ "$(cat said? | wc -l)" = 6 ]
[ "$yes" -ge 1 ]
[ "$(count s.h5)" = $((300 + 50 * yes)) ]
for w in 1 2 3 4 5 6; do "$MLKIT" dataset convert w$w.xyz -o s.h5 --append -q 2>/dev/null; done
[ "$(count s.h5)" = 600 ]
ls -a | grep mlkit- && exit 1
exit 0
