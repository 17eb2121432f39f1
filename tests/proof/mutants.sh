#!/bin/bash
# Seeded faults: emitted files of real nets with one fault each.  Every one must be caught, by `mote
# prove` or, for what C defines, by cppcheck's MISRA rules; the same files at the very edge of their
# bounds must be proved.  QUICK=1 takes every twelfth.
. tests/cli/support.bash

tree=$PWD
quick=${QUICK:-0}
if [ -z "$(command -v frama-c)" ]; then
    echo "skip seeded faults: frama-c is not installed"
    exit 0
fi
cd "$SCRATCH" || exit 1

# ---- pages ----

# A row whose worst sum is 2147483647, behind a shift of $2 (1 byte of weights, two inputs).
edge_net()
{
    local bias=$((2147483647 - 2 * 127 * 32768))
    cat >"$1.mote" <<EOF2
{"mote": 1, "name": "edge", "task": "regression",
 "tensors": [["i16", 2], ["i32", 2]], "input": 0, "output": 1,
 "layers": [{"op": "dense", "in": [0], "out": 1, "activation": "none", "bits": 8,
             "weights": [[-127, -127], [1, 2]], "bias": [$bias, 7], "shift": [$2, $2]}],
 "inputs": [
  {"name": "a", "unit": "", "lsb": [1, 0], "offset": [0, 0], "low": [0, 0], "high": [1, 0]},
  {"name": "b", "unit": "", "lsb": [1, 0], "offset": [0, 0], "low": [0, 0], "high": [1, 0]}],
 "outputs": [
  {"name": "y", "unit": "", "lsb": [1, 0], "offset": [0, 0], "low": [0, 0], "high": [1, 0]},
  {"name": "z", "unit": "", "lsb": [1, 0], "offset": [0, 0], "low": [0, 0], "high": [1, 0]}],
 "provenance": {"options": "", "data": "", "method": "by hand"}}
EOF2
}

edge_net edge0 0
edge_net edge5 5
golden=$tree/tests/golden
"$MOTE" emit "$golden/pose-6-16-16-6.mote" -o pose.h --selftest 0 || exit 1
"$MOTE" emit "$golden/pose-6-16-16-6.mote" -o flat.h --selftest 0 --kernel line || exit 1
# Every hidden row of this one needs its clamp.
"$MOTE" emit "$golden/a-int8.mote" -o bytes.h --selftest 0 --kernel loop || exit 1
"$MOTE" emit "$golden/int8-6-16-16-6.mote" -o pairs.h --selftest 0 --kernel packed || exit 1
for net in edge0 edge5; do
    "$MOTE" emit $net.mote -o $net.h --selftest 0 --kernel loop || exit 1
    "$MOTE" emit $net.mote -o ${net}_line.h --selftest 0 --kernel line || exit 1
done

# ---- the edge itself ----

for page in edge0 edge5 edge0_line edge5_line; do
    "$MOTE" prove $page.h >out 2>err
    status=$?
    ends "no false alarm: $page, worst sum 2147483647" 0 ""
done

# ---- faults ----

number=0
caught=0
missed=0

# Is the fault in fault.h, a copy of PAGE, caught?
catches()
{
    ! "$MOTE" prove fault.h --model 32 --timeout 300 >out 2>err && grep -qE "alarm|unfinished" out &&
        return
    printf '#include "fault.h"\nint main(void)\n{\n    return 0;\n}\n' >fault.c
    [ -n "$(command -v cppcheck)" ] &&
        cppcheck --addon=misra --std=c99 --quiet fault.c 2>&1 | grep -q '\[misra-c2012-10'
}

# fault PAGE PATTERN TEXT: one fault for every line on which PATTERN is; TEXT stands for all of it.
fault()
{
    local line page=$1
    while read -r line; do
        number=$((number + 1))
        [ "$quick" = 0 ] || [ $((number % 12)) -eq 1 ] || continue
        sed -E "${line}s/$2/$3/" "$page.h" | sed "s/${page}_/fault_/g" >fault.h
        if catches; then
            caught=$((caught + 1))
        else
            missed=$((missed + 1))
            echo "not ok fault not caught: $page.h:$line: $2 -> $3"
        fi
    done < <(grep -nE "$2" "$page.h" | cut -d: -f1)
}

for page in edge0 edge5; do # the bias one over the edge
    fault $page 2139160575 2139160576
    fault ${page}_line 's0 = 2139160575' 's0 = 2139160576'
done
fault edge5 '\(uint32_t\)size >> k' 'size >> k' # defined here, but a shift of a signed number
for page in pose bytes; do
    fault $page 'i < 16; i' 'i <= 16; i'   # loops one too long: tables, buffers, outputs
    fault $page 'i < 6; i' 'i <= 6; i'
    fault $page 'i < 16; i' 'i < 15; i'    # one too short: reads what was never written
    fault $page 'j = n - 1' 'j = n'        # the row one too long
    fault $page 'j >= 0' 'j >= -1'         # and one below its beginning
    fault $page '\[i\], 16, ' '[i], 17, '    # a row that is longer than its inputs
    fault $page '\[i\], 6, ' '[i], 7, '
    fault $page '(int(8|16)_t [ab])\[16\];' '\1[15];' # a buffer one too small
    fault $page '\(uint32_t\)sum >> k' '(uint32_t)acc >> k' # a shift of a negative sum
    fault $page '\(uint32_t\)sum >> k' 'sum >> k'           # of a signed one
    fault $page '1073741824;' '2147483647;'                 # a base that leaves no room
done
fault pose 'j--' 'j++'
fault pose '\(z > 32767\) \? 32767 : ' '' # lost clamps
fault pose '\(\(z < -32767\) \? -32767 : z\)' 'z'
fault pose '\(\(z < -32768\) \? -32768 : z\)' 'z'
fault pose 'int32_t square = v \* v' 'int32_t square = z * z' # products wider than 32 bits
fault pose 'v \+ 32768' 'z + 32768'
fault pose '\(uint32_t\)s \* m\) >> 15' '(uint32_t)s * m * 2U) >> 15'
fault pose '98304U - ' '131072U + '
fault bytes '\(z > 127\) \? 127 : ' ''
fault bytes '\(\(z < 0\) \? 0 : z\)' 'z'
fault bytes 'bias;' 'bias + 2147480000;' # biases out of all bounds
fault flat '(a\[[0-9]+\]) = ' '\1 = s0 * s1 + '     # a product of sums
fault flat 's0 = -?[0-9]+' 's0 = 2147483000'        # biases at the end of the range
fault flat 's2 = -?[0-9]+' 's2 = -2147483000'
fault flat 'v = x\[[0-9]\]' 'v = x[6]'              # an input that is not there
fault flat 'v = b\[15\]' 'v = b[16]'
fault flat 'u = \(uint32_t\)s1 >> 8' 'u = (uint32_t)(s1 - 131072) >> 8' # a sum that may be negative
fault pairs 'i < 8; i' 'i < 9; i'
fault pairs 'i < 3; i' 'i < 4; i'
fault pairs '\(\(z[lh] < 0\) \? 0 : z[lh]\)' '-129'
fault pairs '\(z([lh]) > 127\) \? 127 : ' ''

check "$caught of $((caught + missed)) seeded faults are caught" [ "$missed" -eq 0 ]
check "there were faults" [ "$caught" -ge "$([ "$quick" = 0 ] && echo 100 || echo 8)" ]
