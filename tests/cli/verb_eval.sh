#!/bin/bash
# mote eval: figures known by hand, columns by name and by position, errors.
. tests/cli/support.bash

sum_net "$SCRATCH/sum.mote"
class_net "$SCRATCH/class.mote"
cd "$SCRATCH" || exit 1
printf 'a [V],b [V],y [mm]\n1,2,2.5\n10,20,25\n3,4,6.5\n' >sum.csv
printf '1,2,2.5\n10,20,25\n3,4,6.5\n' >plain.csv
printf 'y [mm],spare,b [V],a [V]\n2.5,x,2,1\n25,y,20,10\n6.5,z,4,3\n' >mixed.csv
printf 'a,b,kind\n1,2,high\n1,3,high\n9,1,low\n9,9,even\n300,5,low\n' >class.csv

mote eval sum.mote sum.csv
ends "regression" 0 ""
prints "regression: table" "output  unit     rms  worst
y       mm    0.5774  1.000
rms error 0.5774 % of range (mean of the outputs), 3 rows"
cp out table
for file in plain.csv mixed.csv; do
    mote eval sum.mote $file
    prints "the same figures from $file" "$(cat table)"
done
"$MOTE" eval sum.mote - <plain.csv >out 2>err
prints "the same figures from standard input" "$(cat table)"

mote eval sum.mote sum.csv --json
gives "JSON: rms_percent" .score.rms_percent 0.577350269
gives "JSON: mse" .score.mse 0.333333333
gives "JSON: outputs" '[.score.outputs[0] | .name, .unit, .worst, (.rms * 1000 | floor)]' \
    '["y","mm",1,577]'
gives "JSON: rows" '[.score.rows, .clamped]' '[3,0]'
mote eval sum.mote sum.csv --json --samples 2
gives "--samples" '[.score.rows, .score.mse]' '[2,0]'

mote eval class.mote class.csv
ends "classes: a note on clamped values" 0 "mote: note: 1 value was clamped to the input type's range"
prints "classes: table" "class  rows    recall  precision  as low  as even  as high
low       2  100.00 %   100.00 %       2        0        0
even      1  100.00 %    50.00 %       0        1        0
high      2   50.00 %   100.00 %       0        1        1
accuracy 80.00 %, 5 rows"
mote eval class.mote class.csv --json
gives "classes: JSON" '[.score.accuracy, .score.confusion, .score.classes, .clamped]' \
    '[0.8,[[2,0,0],[0,1,0],[0,1,1]],["low","even","high"],1]'
printf '1,high,2\n9,low,1\n' >number.csv
mote eval class.mote number.csv --label 2 --json
gives "the label column by number" '[.score.rows, .score.accuracy]' '[2,0.5]'
printf 'a,b,low,even,high\n1,3,0,0,1\n9,1,1,0,0\n' >hot.csv
sed 's/, "label": "kind"/, "label": ""/' class.mote >hot.mote
mote eval hot.mote hot.csv --json
gives "one-hot classes" '[.score.rows, .score.accuracy]' '[2,1]'

mote eval sum.mote
ends "no data" 2 "mote eval: too few arguments; usage: mote eval NET DATA [OPTIONS]"
mote eval sum.mote none.csv
ends "missing data" 1 "mote: none.csv: No such file or directory"
printf 'a,b,y\n1,2,NaN\n' >nan.csv
mote eval sum.mote nan.csv
ends "a value that is no number" 1 "mote: nan.csv:2:5: 'NaN' is not a number
  1,2,NaN
      ^"
printf 'a,b,y [cm]\n1,2,3\n' >unit.csv
mote eval sum.mote unit.csv
ends "another unit" 1 "mote: unit.csv: column 'y' is in [cm], but the net has it in [mm]"
mote eval class.mote sum.csv
check "classes without labels" [ "$status" -eq 1 ]
mote eval sum.mote sum.csv --label a
ends "--label of a regression" 2 "mote eval: --label: sum.mote is a regression"
printf '1,2\n' >narrow.csv
mote eval sum.mote narrow.csv
check "too few columns" [ "$status" -eq 1 ]
printf 'a,b,kind\n1,2,huge\n' >huge.csv
mote eval class.mote huge.csv
check "an unknown class is an error with its place" grep -q '^mote: huge.csv:2:5: .*huge' err
