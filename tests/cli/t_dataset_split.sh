# `mlkit dataset split`: parts by group, temperature and at random; what is written, kept, refused.
data=$ROOT/datasets/li3ps4
num() { sed -n "s/.*\"$1\": \([0-9.]*\),*\$/\1/p" "$2" | head -1; }
frames() { "$MLKIT" dataset info "$1" -q | sed -n 's/^frames *\([0-9]*\).*/\1/p'; }
fails() { # STATUS 'text' command...
    want=$1 text=$2 got=0
    shift 2
    "$@" >out 2>err || got=$?
    if [ $got != "$want" ] || ! grep -q -- "$text" err; then
        echo "status $got (expected $want), no '$text' in: $*"; cat err; exit 1
    fi
}
"$MLKIT" dataset convert "$data" -o all.h5 -q

# three parts in a store and in a folder; every frame is in one of them
"$MLKIT" dataset split all.h5 --valid 0.1 --test 0.2 -o s.h5 --json -q >j
[ $(($(num n_train j) + $(num n_valid j) + $(num n_test j))) = 325 ]
grep -q '"groups_in_several": 0' j
"$MLKIT" dataset split all.h5 --valid 0.1 --test 0.2 -o parts/ --json -q >j2
cmp j j2
[ "$(frames parts/train.xyz)" = "$(num n_train j)" ]
[ "$(frames parts/valid.xyz)" = "$(num n_valid j)" ]
[ "$(frames parts/test.xyz)" = "$(num n_test j)" ]
# the test part does not change who validates
"$MLKIT" dataset split all.h5 --valid 0.1 --json -q >j3
[ "$(num n_valid j)" = "$(num n_valid j3)" ]

# a split that is there is kept, and that is said; --again draws a new one
"$MLKIT" dataset split s.h5 --valid 0.4 --json >j4 2>log
cmp j j4
grep -q "has*ve* a split already, which is kept" log
"$MLKIT" dataset split s.h5 --valid 0.4 --again --json -q >j5
[ "$(num n_valid j5)" -gt 100 ]
[ "$(num n_test j5)" = 0 ]

# no old test.xyz beside a new train.xyz; nothing is written over without --force
fails 1 "exists already" "$MLKIT" dataset split all.h5 -o parts/
"$MLKIT" dataset split all.h5 -o parts/ --force >/dev/null 2>log
grep -q "test.xyz: removed" log
[ ! -e parts/test.xyz ]

# temperatures that training never saw
"$MLKIT" dataset split all.h5 --hold 850:950 --hold-test 1400: -o hold/ >table 2>log
grep -q "^validation .* 850 \.\. 900 " table
grep -q "^test .* 1500 \.\. 1500 " table
grep -q "^train .* 300 \.\. 1300 " table
"$MLKIT" dataset split all.h5 --by temperature --valid 0.1 --test 0.1 >table 2>log
grep -q "^validation .* 1300 \.\. 1500 " table
grep -q "^test .* 300 \.\. 300 " table

# random flatters, and says so
"$MLKIT" dataset split all.h5 --by random >table 2>log
grep -q "random split: .* better than on new runs" log
grep -q "groups have frames in more than one part" table

fails 2 "overlap" "$MLKIT" dataset split all.h5 --hold 800: --hold-test 1000:
fails 2 "no trajectory group has its mean temperature" "$MLKIT" dataset split all.h5 --hold 3000:
fails 2 "nothing is left for training" "$MLKIT" dataset split all.h5 --hold 1:
fails 2 "not a range of temperatures" "$MLKIT" dataset split all.h5 --hold 300-500
fails 2 "below 1 together" "$MLKIT" dataset split all.h5 --valid 0.6 --test 0.5
fails 2 "not a random one" "$MLKIT" dataset split all.h5 --by random --hold 300:500
fails 2 "all groups have the same temperature" "$MLKIT" dataset split "$data/g1-900d.xml.gz" --by temperature
