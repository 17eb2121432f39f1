#!/bin/bash
# mote train: from data to a net, its score, names, budgets, errors.
. tests/cli/support.bash

cd "$SCRATCH" || exit 1
# y = a + 2 b - 20, z = 3 a: exactly linear, so a linear skip answers within a step.
awk 'BEGIN { print "a [V],b [V],y [mm],z"
    for (i = 0; i < 600; i++) { a = i % 41; b = (7 * i) % 37; print a "," b "," a + 2 * b - 20 "," 3 * a } }' >plane.csv
awk 'BEGIN { print "a,b,kind"
    for (i = 0; i < 400; i++) { a = (13 * i) % 50; b = (29 * i + 7) % 47
        if (a != b) print a "," b "," (a > b ? "more" : "less") } }' >kinds.csv
quick=(--net 2-3-2 --time 20s --seed 1)

mote train plane.csv --outputs 2 "${quick[@]}" -o plane.mote
ends "regression" 0 ""
check "a row per output" grep -q '^y  *mm ' out
check "the percentage" grep -q '^rms error .* % of range (mean of the outputs), [0-9]* rows; float .* %$' out
cp plane.mote first.mote
mote train plane.csv --outputs y,z "${quick[@]}" -o plane.mote --json
check "outputs by name" [ "$status" -eq 0 ]
check "the error is small" [ "$(jq '.score.rms_percent < 1' out)" = true ]
gives "JSON: names and units" '[.score.outputs[] | .name, .unit]' '["y","mm","z",""]'
gives "JSON: float has the same keys" '(.float | keys_unsorted) == (.score | keys_unsorted)' true
gives "JSON: method, net" '[.method, .net]' '["least squares","plane.mote"]'
mote train plane.csv --outputs 2 "${quick[@]}" -o again.mote --threads 1 --name plane
check "the same bytes again, with one thread" cmp first.mote again.mote

mote show plane.mote --json
gives "the options are kept" .options '"--outputs y,z --net 2-3-2 --time 20s --seed 1"'
gives "the name comes from the file" .name '"plane"'
check "the score is kept" [ "$(jq '.score.rows > 20' out)" = true ]
mote train plane.csv --outputs 2 "${quick[@]}" -o plane.mote --name "my net"
mote show plane.mote --json
gives "--name" .name '"my net"'
"$MOTE" train - --outputs 2 "${quick[@]}" --samples 200 -o - <plane.csv >out 2>err
status=$?
check "a stream in, the net on standard output" [ "$(jq -r .name out)" = net ]
check "and the table on stderr" grep -q '^rms error' err

mote train kinds.csv --label kind --net 2-4-2 --time 20s -o kinds.mote --json
check "classes" [ "$status" -eq 0 ]
gives "classes: names in order" .score.classes '["less","more"]'
check "classes: most are right" [ "$(jq '.score.accuracy > 0.9' out)" = true ]
check "classes: the confusion adds up" \
    [ "$(jq '(.score.confusion | add | add) == .score.rows' out)" = true ]
tail -n +2 kinds.csv >bare.csv
mote train bare.csv --label 3 --net 2-4-2 --time 20s -o bare.mote
mote eval bare.mote bare.csv --json
check "a label column without a name is found again" [ "$(jq '.score.accuracy > 0.9' out)" = true ]
head -100 kinds.csv >test.csv
mote train kinds.csv --label kind --net 2-4-2 --time 20s -o kinds.mote --test test.csv --json
rows=$(($(wc -l <test.csv) - 1))
gives "--test: the figures are on that data" '[.score.rows, .float.rows]' "[$rows,$rows]"

mote train plane.csv
ends "no -o" 2 "mote train: -o NET is missing"
mote train plane.csv -o x.mote --label kind --outputs 2
ends "--label and --outputs" 2 "mote train: --label goes with neither --outputs nor --one-hot"
mote train plane.csv -o x.mote --outputs 2 --resume
ends "--resume alone" 2 "mote train: --resume needs --checkpoint FILE"
mote train plane.csv -o x.mote --outputs 2 --flash 1k
ends "a budget without a target" 2 "mote train: --flash, --ram and --cycles need --target"
mote train plane.csv -o - --outputs 2 --json
ends "--json and -o -" 2 "mote train: --json and -o - both want standard output"
mote train plane.csv -o x.mote --outputs 2 --target z80
check "an unknown target is told before training" grep -q "^mote: .*z80" err
mote train none.csv -o none/x.mote --outputs 2
ends "a missing folder is told before anything else" 1 "mote: none/x.mote: No such file or directory"
mote train none.csv -o . --outputs 2
ends "a folder as output is told before anything else" 1 "mote: .: Is a directory"
mote train none.csv -o x.mote --outputs 2 --checkpoint none/ck
ends "so is a checkpoint's missing folder" 1 "mote: none/ck: No such file or directory"
mote train plane.csv -o x.mote --outputs 2 --test none.csv
ends "and missing data to test on" 1 "mote: none.csv: No such file or directory"
mote train - -o x.mote --outputs 2 --test -
ends "both data from standard input" 2 \
    "mote train: DATA and --test cannot both come from standard input"
mote train plane.csv -o x.mote --outputs 2 --time .
ends "--time without digits" 2 "mote train: --time: '.' is not a time such as 60s, 5m or 1.5h"
printf 'a,b\n1,2\n' >row.csv
mote train row.csv -o x.mote --outputs 1
ends "a single row" 1 "mote: row.csv: 1 row is too few to train, validate and test on"
paste -d, <(seq 50) <(seq 50) >two.csv
mote train two.csv -o x.mote --outputs 1 --net 2-4-1
ends "a shape for other data" 1 \
    "mote: --net 2-4-1: the data has 1 input and 1 output, so it must be 1-...-1"
mote train two.csv -o x.mote --outputs 1 --net 2 --out-lsb 0.1 --out i8
ends "a step too fine for the type" 1 \
    "mote: --out-lsb 0.1: output 1 goes from 1 to 50, which does not fit i8"
mote train plane.csv -o x.mote --outputs 2 --net 2 --out-lsb 1000
ends "a step too coarse for the data" 1 \
    "mote: --out-lsb 1000: column 'y' goes from -20 to 90, which is a single step of i16"
awk 'BEGIN { print "a,b"; for (i = 0; i < 50; i++) print i "," i "e36" }' >large.csv
mote train large.csv -o x.mote --outputs 1 --net 2
ends "numbers that have no step" 1 \
    "mote: large.csv: column 'b': values from 0 to 4.9e+37 are too large to be trained on"
awk 'BEGIN { print "a,b"; for (i = 0; i < 50; i++) print i "e-40," i }' >close.csv
mote train close.csv -o x.mote --outputs 1 --net 2
check "numbers that are one step" grep -q "close.csv: column 'a': .* too close together" err
mote train plane.csv -o x.mote
check "which columns are outputs?" grep -q '^mote: plane.csv: which columns are outputs' err
check "and nothing is written" [ ! -e x.mote ]
mote train none.csv -o x.mote --outputs 2
ends "missing data" 1 "mote: none.csv: No such file or directory"
printf 'a,b\n1,2\n1,x\n' >text.csv
mote train text.csv -o x.mote --outputs 1
ends "text in a number column" 1 "mote: text.csv:3:3: 'x' is not a number
  1,x
    ^"
mote train plane.csv -o x.mote --outputs 2 --net 3-4-2
check "a shape that does not fit" [ "$status" -eq 1 ]
check "says so in one line" [ "$(grep -c '^mote: ' err)" -eq 1 ]
echo old >old.mote
ln -s /dev/full full.mote
mote train plane.csv -o full.mote --outputs 2 "${quick[@]}"
ends "full disk" 1 "mote: full.mote: No space left on device"

# Ctrl-C: the best so far is kept.
build=$(dirname "$MOTE")
"$build/examples/pose/simulate" --count 20000 --seed 1 >pose.csv
(trap - INT; exec "$MOTE" train pose.csv --outputs 6 --net 6-16-16-6 -o pose.mote) >out 2>err &
child=$!
sleep 3
kill -INT $child
wait $child
status=$?
ends "Ctrl-C" 0 "mote: note: stopped by Ctrl-C; the best network so far is kept"
mote show pose.mote
check "Ctrl-C: the net is there" [ "$status" -eq 0 ]

# After Ctrl-C --resume goes on, to the bytes of a training that nobody stopped.
head -n 1500 pose.csv >short.csv
whole=(train short.csv --outputs 6 --net 6-12-6 --name pose)
mote "${whole[@]}" -o whole.mote
(trap - INT; exec "$MOTE" "${whole[@]}" --checkpoint state -o part.mote) >out 2>err &
child=$!
for _ in {1..100}; do
    [ -e state ] && break
    sleep 0.05
done
kill -INT $child
wait $child
mote "${whole[@]}" --checkpoint state --resume -o part.mote
check "Ctrl-C, then --resume: the same bytes" cmp whole.mote part.mote

mote train plane.csv --outputs 2 --no-skip --skip "${quick[@]}" -o plane.mote
mote show plane.mote --json
gives "the last of --no-skip and --skip counts" .options \
    '"--outputs 2 --net 2-3-2 --skip --time 20s --seed 1"'
"$MOTE" train plane.csv --outputs 2 "${quick[@]}" -o plane.mote --verbose >out 2>err
check "--verbose names stages" grep -q '^mote: start' err
if command -v script >/dev/null; then
    script -qec "$MOTE train plane.csv --outputs 2 --net 2-8-8-2 --time 3s -o plane.mote" /dev/null \
        </dev/null 2>err | tr '\r' '\n' >out
    check "a terminal sees the progress and the time left" grep -qE '^.{0,4}[ 0-9]{3} %  0:0[0-9] left' out
else
    echo "skip progress on a terminal: script is not installed"
fi
