#!/bin/bash
# mote show: text and JSON of a net.
. tests/cli/support.bash

sum_net "$SCRATCH/sum.mote"
class_net "$SCRATCH/class.mote"
cd "$SCRATCH" || exit 1

mote show sum.mote
ends "text" 0 ""
check "text names the task" grep -q 'sum: regression' out
mote show sum.mote --json
gives "JSON: name and task" '[.name, .task, .macs, .score]' '["sum","regression",2,null]'
gives "JSON: outputs" '.outputs' \
    '[{"name":"y","unit":"mm","lsb":"0.5","offset":"0","low":"0","high":"100"}]'
gives "JSON: layers" '.layers' \
    '[{"op":"dense","type":"i16","width":1,"columns":2,"activation":"none","bits":8,"bound":765}]'
gives "JSON: provenance" '[.options, .data, .method]' '["","0123456789abcdef","by hand"]'
mote show class.mote --json
gives "JSON: classes" .classes '["low","even","high"]'
"$MOTE" show - <sum.mote >out 2>err
check "from standard input" grep -q 'sum: regression' out

echo '{"mote": 2}' >future.mote
mote show future.mote
check "a future version is refused" [ "$status" -eq 1 ]
check "naming the file" grep -q '^mote: future.mote' err
: >empty.mote
mote show empty.mote
check "an empty file is refused" [ "$status" -eq 1 ]
