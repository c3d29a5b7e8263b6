# every bad input: one clear line with file and place, the right exit status, nothing half-written
fails() { # status, text, command...
    want=$1 text=$2
    shift 2
    status=0
    "$@" >out 2>err </dev/null || status=$?
    [ $status = "$want" ] || { echo "exit $status, expected $want: $*"; cat err; exit 1; }
    grep -q -e "$text" err || { echo "no '$text' in:"; cat err; exit 1; }
    [ ! -s out ] || { echo "output on stdout: $*"; exit 1; }
}
awk 'BEGIN { srand(1); print "# made up"; print "T jx jy jz vx vy vz"
     for (i = 0; i < 400; i++) { printf "%g", 300 + rand(); for (k = 0; k < 6; k++) printf " %.5f", rand() - 0.5; print "" } }' >good
opt="--energy 2-4 --flux Na=5-7 --temp-col 1 --volume 1000 --dt 5fs"
$MLKIT transport good $opt --json >/dev/null

fails 2 "no input" $MLKIT transport
fails 2 "did you mean\|unknown option" $MLKIT transport good --volum 3
fails 1 "nosuch: error: cannot read" $MLKIT transport nosuch $opt
: >empty
fails 1 "empty: error: no numbers" $MLKIT transport empty $opt
sed '10s/ [^ ]*$//' good >short
fails 1 "short:10: error: 6 columns, expected 7" $MLKIT transport short $opt
sed '12s/[^ ]*$/nan/' good >nan
fails 1 "nan:12: error: column 7: 'nan' is not finite" $MLKIT transport nan $opt
sed '13s/ [^ ]* / 1.2.3 /' good >word
fails 1 "word:13: error: column 2: '1.2.3' is not a number" $MLKIT transport word $opt
sed '2a second header line' good >twice
fails 1 "twice:3: error: 'second' is not a number" $MLKIT transport twice $opt
fails 1 "good:2: error: no column '9'" $MLKIT transport good --energy 7-9 --temp 300 --volume 1000 --dt 5fs
fails 2 "names 4 columns" $MLKIT transport good --energy 2-5 --temp 300 --volume 1000 --dt 5fs
sed '/^T/d' good >bare
fails 2 "which columns" $MLKIT transport bare --flux Na=5-7 --temp 300 --volume 1000 --dt 5fs
fails 2 "time between two rows" $MLKIT transport good --energy 2-4 --temp 300 --volume 1000
fails 2 "volume of the cell" $MLKIT transport good --energy 2-4 --temp 300 --dt 5fs
fails 2 "write a unit\|is not a time" $MLKIT transport good $opt --dt 5
fails 2 "there is no flux 'K'" $MLKIT transport good $opt --mobile K
fails 2 "above the Nyquist" $MLKIT transport good $opt --fstar 900THz
fails 2 "is not auto, aic" $MLKIT transport good $opt --rule best
head -20 good >brief
fails 2 "18 samples are too few" $MLKIT transport brief $opt
printf '\211HDF\r\n\032\nbroken' >broken.h5
fails 1 "broken.h5: error: not an HDF5 file" $MLKIT transport broken.h5
awk 'NR > 2 { $2 = $3 = $4 = 0 } { print }' good >zero
fails 1 "energy flux is zero" $MLKIT transport zero $opt
fails 1 "cannot write" $MLKIT transport good $opt -o /nonexistent/x.json
# damaged, empty, doubled, wrong kinds of files
gzip -c good | head -c 3000 >cut.gz
fails 1 "cut.gz:[0-9]*: error: the compressed data end early" $MLKIT transport cut.gz $opt
fails 1 "<stdin>: error: no numbers" $MLKIT transport - $opt
fails 1 "Is a directory" $MLKIT transport . $opt
head -c 5000 /dev/urandom >binary
fails 1 "binary" $MLKIT transport binary $opt
sed '/^[0-9]/d' good >header
fails 1 "header: error: no numbers" $MLKIT transport header $opt
sed '30s/ [^ ]*/ 1e400/' good >huge
fails 1 "huge:30: error: column 2: '1e400' is not finite" $MLKIT transport huge $opt
sed '40s/$/ 7/' good >long
fails 1 "long:40: error: 8 columns, expected 7" $MLKIT transport long $opt
sed 's/^T jx/Temp jx/; s/vx/Temp/' good >double
fails 1 "several columns are named 'Temp'" $MLKIT transport double --energy 2-4 --volume 1000 --dt 5fs
{ echo "# Volume = -5 A^3"; cat good; } >minus
fails 1 "volume -5 A^3 (comment): not positive" $MLKIT transport minus --energy 2-4 --temp-col T --dt 5fs
fails 2 "1 column, the energy flux has 3" $MLKIT transport good --energy 2-4 --flux Na=5 --temp 300 --volume 1000 --dt 5fs
