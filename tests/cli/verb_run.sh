#!/bin/bash
# mote run: predictions with the digits of a step, codes, classes, quoting.
. tests/cli/support.bash

sum_net "$SCRATCH/sum.mote"
class_net "$SCRATCH/class.mote"
cd "$SCRATCH" || exit 1

printf '1,2\n10,20\n0,0\n' | "$MOTE" run sum.mote >out 2>err
status=$?
ends "rows on standard input" 0 ""
prints "values have the digits of one step" "y [mm]
2.5
25.0
0.0"
printf 'spare,b,a\nx,2,1\ny,20,10\n' >named.csv
mote run sum.mote named.csv --raw
prints "--raw gives codes" "y [mm]
5
50"
mote run sum.mote named.csv --json
gives "--json" . '[[2.5],[25]]'
mote run sum.mote named.csv --json --raw
gives "--json --raw" . '[[5],[50]]'

printf 'a,b\n1,3\n9,1\n4,4\n' >class.csv
mote run class.mote class.csv
prints "classes by name" "kind
high
low
even"
sed 's/"label": "kind"/"label": "3"/' class.mote >number.mote
mote run number.mote class.csv
prints "a label column without a name" "class
high
low
even"
mote run class.mote class.csv --json
gives "classes as JSON" . '["high","low","even"]'
mote run class.mote class.csv --raw
prints "classes as codes" "y1,y2,y3
-2,1,2
8,1,-8
0,1,0"

mote run sum.mote <(printf '300,-5\n')
ends "values out of range are clamped and told" 0 \
    "mote: note: 2 values were clamped to the input type's range"
prints "clamped values" "y [mm]
127.5"

sed 's/"name": "y", "unit": "mm"/"name": "say \\"y\\", please", "unit": ""/' sum.mote >quoted.mote
mote run quoted.mote <(printf '1,2\n')
prints "names are quoted as CSV" '"say ""y"", please"
2.5'
mote run quoted.mote <(printf '1,2\n')
printf '%s\n' '1,2,2.5' | cat <(echo "a,b,$(head -1 out)") - >back.csv
mote eval quoted.mote back.csv --json
gives "the output's name can be read back" '.score.outputs[0].name' '"say \"y\", please"'

mote run sum.mote <(printf 'a,c\n1,2\n')
check "a missing column is named" grep -q "no column 'b'" err
check "a missing column is bad input" [ "$status" -eq 1 ]
mote run - -
ends "both from standard input" 2 \
    "mote run: the net and the rows cannot both come from standard input"
"$MOTE" run - class.csv <class.mote >out 2>err
check "the net from standard input" [ "$(tail -1 out)" = even ]
printf '1,2\n' | "$MOTE" run sum.mote 2>err >/dev/full
status=$?
ends "full standard output" 1 "mote: standard output: No space left on device"
printf '1,2\n3,4\n5,x\n' | "$MOTE" run sum.mote >out 2>err
status=$?
ends "a bad row in the middle" 1 "mote: <stdin>:3:3: 'x' is not a number
  5,x
    ^"
prints "the rows in front of it are answered" "y [mm]
2.5
5.5"
yes 1,2 | head -n 1500000 | "$MOTE" run sum.mote >out 2>err
check "streams are not cut" [ "$(wc -l <out)" -eq 1500001 ]
# A row is answered before the next one is there.
coproc live { exec "$MOTE" run sum.mote 2>err; }
answers=
for row in 1,2 10,20 3,4; do
    echo $row >&"${live[1]}"
    # The heading comes in front of the first answer.
    [ -n "$answers" ] || { read -r -t 10 answer <&"${live[0]}" && answers="$answer|"; }
    read -r -t 10 answer <&"${live[0]}" && answers+="$answer|"
done
check "rows from a pipe are answered one by one" [ "$answers" = "y [mm]|2.5|25.0|5.5|" ]
eval "exec ${live[1]}>&-"
wait
